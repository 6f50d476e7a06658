//! Pictures beside the program: other layouts of the same people, each composed by a clock of its own while an output
//! needs it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tracing::{error, info};

use super::{
    clips::Clips,
    news::StageNews,
    program::{Canvas, canvas_of},
    tally::Tally,
};
use crate::media::{
    compose::{
        clock::{Composer, Counters},
        latest_frames::LatestFrames,
    },
    gst::{launch::Launches, priority::Role},
    port::{AuxId, Picture},
};

/// The values that all of them begin with.
pub(super) struct Origin {
    pub(super) room: Arc<str>,
    pub(super) launches: Launches,
    pub(super) slots: Arc<LatestFrames>,
    /// Whether there is a model.
    pub(super) can_cut: bool,
    /// Time for which a silent sender's last frame stays.
    pub(super) hold: Duration,
    /// The program's.
    pub(super) news: Arc<StageNews>,
    /// Of all clips of the room.
    pub(super) clips: Tally,
}

/// One of them.
struct AuxPicture {
    id: AuxId,
    composer: Composer,
    clips: Clips,
    canvas: Canvas,
    /// The picture that it shows, to begin again with.
    picture: Picture,
}

/// See the module.
pub(super) struct AuxPictures {
    origin: Origin,
    pictures: Vec<AuxPicture>,
    /// Of pictures that are gone.
    gone: Lateness,
}

/// Frames that came late, and ticks without one, from the room's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lateness {
    pub(super) late: u64,
    pub(super) missed: u64,
}

impl Lateness {
    /// Reads it off a clock's counters.
    pub(super) fn of(counters: &Counters) -> Self {
        let Counters { late, missed, .. } = counters;
        Self { late: late.load(Ordering::Relaxed), missed: missed.load(Ordering::Relaxed) }
    }
}

impl std::ops::Add for Lateness {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { late: self.late + other.late, missed: self.missed + other.missed }
    }
}

impl AuxPictures {
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, pictures: Vec::new(), gone: Lateness::default() }
    }

    fn get(&self, aux: &AuxId) -> Option<&AuxPicture> {
        self.pictures.iter().find(|one| one.id == *aux)
    }

    pub(super) fn has(&self, aux: &AuxId) -> bool {
        self.get(aux).is_some()
    }

    /// Returns width, height and frames a second, if there is such a picture.
    pub(super) fn canvas(&self, aux: &AuxId) -> Option<Canvas> {
        self.get(aux).map(|one| one.canvas)
    }

    pub(super) fn composer(&self, aux: &AuxId) -> Option<&Composer> {
        self.get(aux).map(|one| &one.composer)
    }

    /// Shows this from the next frame on; whether the canvas is another than before.
    pub(super) fn show(&mut self, aux: AuxId, picture: Picture) -> bool {
        let canvas = canvas_of(&picture);
        if let Some(one) = self.pictures.iter_mut().find(|one| one.id == aux) {
            let reels = one.clips.show(&picture.images);
            one.picture = picture.clone();
            one.composer.set_picture(picture, reels);
            return std::mem::replace(&mut one.canvas, canvas) != canvas;
        }
        let Origin { room, launches, slots, can_cut, hold, news, clips: tally } = &self.origin;
        let news = Arc::new(news.of_aux(aux.clone()));
        let name = format!("{room}-aux");
        // After the programs of all rooms and what viewers get: a room may have many of these.
        match Composer::start(&name, Role::Broadcast, picture.clone(), *hold, *can_cut, slots.clone(), news) {
            Ok(composer) => {
                info!(%room, %aux, "a picture beside the program begins");
                let mut clips = Clips::new(launches.clone(), tally.clone());
                let reels = clips.show(&picture.images);
                if !reels.is_empty() {
                    composer.set_picture(picture.clone(), reels);
                }
                self.pictures.push(AuxPicture { id: aux, composer, clips, canvas, picture });
                true
            }
            Err(error) => {
                error!(%room, %aux, %error, "the system gives no thread for a picture beside the program");
                false
            }
        }
    }

    pub(super) fn remove(&mut self, aux: &AuxId) {
        let removed = self.pictures.extract_if(.., |one| one.id == *aux);
        self.gone = removed.fold(self.gone, |gone, one| gone + Lateness::of(one.composer.counters()));
    }

    /// Says how late all of them were so far.
    pub(super) fn lateness(&self) -> Lateness {
        self.pictures.iter().fold(self.gone, |all, one| all + Lateness::of(one.composer.counters()))
    }

    pub(super) fn set_hold(&mut self, hold: Duration) {
        self.origin.hold = hold;
        self.pictures.iter().for_each(|one| one.composer.set_hold(hold));
    }

    /// Lets the clocks of those run that `is_needed` says, and the others rest.
    pub(super) fn run(&self, is_needed: impl Fn(&AuxId) -> bool) {
        self.pictures.iter().for_each(|one| one.composer.run(is_needed(&one.id)));
    }

    /// Frees what is over, and begins a clock again that has ended by a fault; whether one has.
    pub(super) fn look(&mut self) -> bool {
        for one in &mut self.pictures {
            one.composer.tidy();
            one.clips.look();
        }
        let over: Vec<_> = self.pictures.extract_if(.., |one| one.composer.is_over()).collect();
        let any = !over.is_empty();
        for AuxPicture { id, picture, composer, .. } in over {
            self.gone = self.gone + Lateness::of(composer.counters());
            error!(room = %self.origin.room, aux = %id, "the clock of a picture beside the program ended; it begins again");
            self.show(id, picture);
        }
        any
    }
}
