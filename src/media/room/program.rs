//! The products of a room: the composed picture and those beside it, the mixed sound, their encodings, and the outputs.

use std::{
    sync::{Arc, Weak, mpsc::Sender},
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    Input, Parts,
    aux_pictures::{AuxPictures, Lateness, Origin},
    broadcasts::Broadcasts,
    clips::Clips,
    encodings::Encodings,
    news::StageNews,
    tally::Tally,
    watch::Halt,
};
use crate::media::{
    audio::desk::Desk,
    codec::{EncodingId, Rendition},
    compose::{
        clock::{Composer, Counters, SnapshotReply},
        latest_frames::LatestFrames,
    },
    deliver::RoomKey,
    gst::{clock::media_clock, launch::Launches, load, priority::Role},
    output::worker::{Output, Teller},
    port::{
        AuxId, Blame, Flow, MediaEvent, OutputFault, OutputId, OutputSpec, OutputState, Picture, Recorded, RoomSpec,
        SnapshotError,
    },
};

/// Time between two searches for encoders that nobody needs.
const TIDY: Duration = Duration::from_secs(1);

/// Width, height and frames a second of the canvas.
pub(super) type Canvas = (u32, u32, u32);

/// Returns the canvas of a picture.
pub(super) fn canvas_of(picture: &Picture) -> Canvas {
    let canvas = &picture.scene.canvas;
    (canvas.width, canvas.height, canvas.fps)
}

/// See the module.
pub(super) struct Program {
    launches: Launches,
    events: UnboundedSender<MediaEvent>,
    inputs: Sender<Input>,
    composer: Composer,
    desk: Arc<Desk>,
    clips: Clips,
    encodings: Arc<Encodings>,
    broadcasts: Arc<Broadcasts>,
    auxes: AuxPictures,
    canvas: Canvas,
    tidied: Duration,
}

impl Program {
    /// Starts clock and desk; `news` makes their listener.
    pub(super) fn start(
        spec: RoomSpec,
        parts: &Parts,
        slots: Arc<LatestFrames>,
        key: RoomKey,
        inputs: Sender<Input>,
        events: &UnboundedSender<MediaEvent>,
        news: impl FnOnce((Arc<Encodings>, Arc<Broadcasts>)) -> StageNews,
    ) -> std::io::Result<Self> {
        let launches = parts.launches.clone();
        let delivery = parts.delivery.clone();
        let encodings = Arc::new(Encodings::new(spec.room.clone(), launches.clone(), inputs.clone(), delivery, key));
        let broadcasts = Arc::new(Broadcasts::new(spec.room.clone(), launches.clone(), inputs.clone()));
        let news = Arc::new(news((encodings.clone(), broadcasts.clone())));
        let canvas = canvas_of(&spec.picture);
        let clips = Tally::default();
        let auxes = AuxPictures::new(Origin {
            room: spec.room.clone(),
            launches: launches.clone(),
            slots: slots.clone(),
            can_cut: parts.can_cut,
            hold: spec.hold,
            news: news.clone(),
            clips: clips.clone(),
        });
        let composer =
            Composer::start(&spec.room, Role::Mix, spec.picture, spec.hold, parts.can_cut, slots, news.clone())?;
        let desk = Arc::new(Desk::start(&spec.room, news)?);
        let clips = Clips::new(launches.clone(), clips);
        Ok(Self {
            launches,
            events: events.clone(),
            inputs,
            composer,
            desk,
            clips,
            encodings,
            broadcasts,
            auxes,
            canvas,
            tidied: Duration::ZERO,
        })
    }

    /// Returns frames a second of the canvas.
    pub(super) fn fps(&self) -> u32 {
        self.canvas.2
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    pub(super) fn encodings(&self) -> &Arc<Encodings> {
        &self.encodings
    }

    pub(super) fn broadcasts(&self) -> &Arc<Broadcasts> {
        &self.broadcasts
    }

    pub(super) fn counters(&self) -> &Counters {
        self.composer.counters()
    }

    /// Shows this from the next frame on. The canvas, if it has changed; then all encoders are thrown away.
    pub(super) fn show(&mut self, picture: Picture) -> Option<Canvas> {
        let canvas = canvas_of(&picture);
        let reels = self.clips.show(&picture.images);
        self.composer.set_picture(picture, reels);
        if canvas == self.canvas {
            return None;
        }
        self.canvas = canvas;
        self.encodings.reset_all();
        Some(canvas)
    }

    /// Shows this in a picture beside the program; whether its canvas is another than before.
    pub(super) fn show_aux(&mut self, aux: AuxId, picture: Picture) -> bool {
        self.auxes.show(aux, picture)
    }

    pub(super) fn aux_lateness(&self) -> Lateness {
        self.auxes.lateness()
    }

    pub(super) fn remove_aux(&mut self, aux: &AuxId) {
        self.auxes.remove(aux);
    }

    pub(super) fn has_aux(&self, aux: &AuxId) -> bool {
        self.auxes.has(aux)
    }

    pub(super) fn set_hold(&mut self, hold: Duration) {
        self.composer.set_hold(hold);
        self.auxes.set_hold(hold);
    }

    /// Takes the canvas now, or that of a picture beside the program.
    pub(super) fn snapshot(&self, aux: Option<&AuxId>, reply: SnapshotReply) {
        match aux.map(|aux| self.auxes.composer(aux)) {
            None => self.composer.snapshot(reply),
            Some(Some(composer)) => composer.snapshot(reply),
            Some(None) => reply(Err(SnapshotError::NoAux)),
        }
    }

    /// Notes that an encoder broke: the next one is made after a pause.
    pub(super) fn encoder_failed(&self, id: EncodingId) {
        self.encodings.failed(id, media_clock().now());
    }

    /// Returns which of the threads that must go on has ended, if one has.
    pub(super) fn over(&self) -> Option<Halt> {
        if self.composer.is_over() {
            return Some(Halt::Composer);
        }
        self.desk.is_over().then_some(Halt::Mixer)
    }

    /// Starts an output. The caller rebalances.
    pub(super) fn add_output(&self, id: OutputId, spec: OutputSpec) {
        let OutputSpec { target, wishes, aux, paused } = spec;
        let teller = OutputTeller {
            id: id.clone(),
            events: self.events.clone(),
            inputs: self.inputs.clone(),
            broadcasts: Arc::downgrade(&self.broadcasts),
        };
        match Output::start(&id.0, target, self.launches.clone(), teller, paused) {
            Ok(output) => self.broadcasts.add(id, output, wishes, aux),
            Err(error) => {
                let state = OutputState::Failed { fault: OutputFault::last(Blame::Operator, error.to_string()) };
                // Fails only when the room's actor is over.
                let _ = self.events.send(MediaEvent::Output { output: id, state });
            }
        }
    }

    /// Encoders for those who need them, and the clocks of what they encode. Whether the program is composed, and the
    /// names of the encoders that run: the codec, and the rendition where it is not the canvas itself.
    pub(super) fn rebalance(&self, receivers: impl Fn(EncodingId) -> bool) -> (bool, Vec<String>) {
        let running = self.encodings.rebalance(self.canvas, receivers);
        let canvas = |aux: Option<&AuxId>| aux.map_or(Some(self.canvas), |aux| self.auxes.canvas(aux));
        let broadcast = self.broadcasts.rebalance(canvas);
        let of = |aux: Option<&AuxId>| broadcast.iter().any(|(of, _)| of.as_ref() == aux);
        let runs = !running.is_empty() || of(None);
        self.composer.run(runs);
        self.auxes.run(|aux| of(Some(aux)));
        let name = |id: EncodingId| match id.rendition {
            Rendition::Full => id.codec.to_string(),
            smaller => format!("{} {}", id.codec, smaller.name(self.canvas)),
        };
        (runs, running.into_iter().map(name).chain(broadcast.into_iter().map(|(_, name)| name)).collect())
    }

    /// Frees what is over; `true` when it is time to rebalance.
    pub(super) fn look(&mut self, now: Duration) -> bool {
        self.composer.tidy();
        self.clips.look();
        load::look();
        let waits = self.encodings.waits() || self.broadcasts.waits();
        let tidy = self.auxes.look() || waits || now.saturating_sub(self.tidied) >= TIDY;
        if tidy {
            self.tidied = now;
        }
        tidy
    }

    /// Lets go of everything.
    pub(super) fn end(&self) {
        self.composer.run(false);
        self.auxes.run(|_| false);
        self.broadcasts.clear();
        self.encodings.reset_all();
    }
}

impl Drop for Program {
    /// Also when the room's thread panicked: nothing more is composed for encoders and outputs of a room that is over.
    fn drop(&mut self) {
        self.end();
    }
}

/// Carries an output's news; called on its threads.
struct OutputTeller {
    id: OutputId,
    events: UnboundedSender<MediaEvent>,
    inputs: Sender<Input>,
    broadcasts: Weak<Broadcasts>,
}

impl Teller for OutputTeller {
    fn keyframe(&self) {
        if let Some(broadcasts) = self.broadcasts.upgrade() {
            broadcasts.request_keyframe(&self.id);
        }
    }

    fn state(&self, state: OutputState) {
        // Both fail only when the room is over.
        if matches!(state, OutputState::Failed { .. }) {
            let _ = self.inputs.send(Input::OutputOver(self.id.clone()));
        }
        let _ = self.events.send(MediaEvent::Output { output: self.id.clone(), state });
    }

    fn flow(&self, flow: Flow) {
        let speed = self.broadcasts.upgrade().and_then(|broadcasts| broadcasts.speed(&self.id));
        // As above.
        let _ = self.events.send(MediaEvent::OutputFlow { output: self.id.clone(), flow: Flow { speed, ..flow } });
    }

    fn recorded(&self, file: Recorded) {
        // As above.
        let _ = self.events.send(MediaEvent::Recorded { output: self.id.clone(), file });
    }
}
