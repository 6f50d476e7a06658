//! The clips of one room's picture: each is decoded for as long as a layer shows it.

use std::sync::Arc;

use tracing::warn;

use super::tally::{Held, Tally};
use crate::media::{
    compose::reel::Reel,
    file::Player,
    gst::{frame::VideoFrame, launch::Launches},
    port::{Clip, Image},
};

struct Running {
    name: Arc<str>,
    clip: Arc<Clip>,
    reel: Arc<Reel>,
    /// `None` while it waits for others to end; its first picture is shown.
    player: Option<(Player, Held)>,
}

impl Running {
    /// Starts to play; whether there is a thread for it.
    fn start(&mut self, launches: &Launches, tally: &Tally) -> bool {
        let (reel, (held, alive)) = (self.reel.clone(), tally.begin());
        let push = move |frame: VideoFrame, pts| reel.push(frame.into(), pts);
        match Player::start(self.clip.file.clone(), launches.clone(), Arc::new(alive), push) {
            Ok(player) => self.player = Some((player, held)),
            Err(error) => {
                warn!(clip = %self.name, %error, "the system gives no thread for a clip; its first picture is shown");
            }
        }
        self.player.is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.reel.close();
    }
}

/// The clips that run.
pub struct Clips {
    launches: Launches,
    tally: Tally,
    running: Vec<Running>,
}

impl Clips {
    /// Creates one with none yet. `tally`: of all clips of the room.
    pub(super) fn new(launches: Launches, tally: Tally) -> Self {
        Self { launches, tally, running: Vec::new() }
    }

    /// Lets the clips among these run and no others; those that run already go on. Gives their frames by their names.
    /// To be followed by [`Clips::look`] now and then.
    pub fn show(&mut self, images: &[Image]) -> Vec<(Arc<str>, Arc<Reel>)> {
        let mut before = std::mem::take(&mut self.running);
        for image in images {
            let Some(clip) = &image.clip else { continue };
            let known = before.iter().position(|one| one.name == image.name && one.clip == *clip);
            match known {
                Some(index) => self.running.push(before.swap_remove(index)),
                None => self.running.push(Running {
                    name: image.name.clone(),
                    clip: clip.clone(),
                    reel: Arc::default(),
                    player: None,
                }),
            }
        }
        drop(before);
        self.look();
        self.running.iter().map(|one| (one.name.clone(), one.reel.clone())).collect()
    }

    /// Starts those that wait, while not too many of the room still end.
    pub(super) fn look(&mut self) {
        let Self { launches, tally, running } = self;
        running.retain_mut(|one| one.player.is_some() || tally.is_full() || one.start(launches, tally));
    }
}
