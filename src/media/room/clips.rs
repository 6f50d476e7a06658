//! The clips of one room's picture: each is decoded for as long as a layer shows it.

use std::sync::Arc;

use tracing::warn;

use crate::media::{
    compose::reel::Reel,
    file::Player,
    gst::launch::Launches,
    port::{Clip, Image},
};

struct Running {
    name: Arc<str>,
    clip: Arc<Clip>,
    reel: Arc<Reel>,
    _player: Player,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.reel.close();
    }
}

/// The clips that run.
pub struct Clips {
    launches: Launches,
    running: Vec<Running>,
}

impl Clips {
    /// Creates one with none yet.
    pub fn new(launches: Launches) -> Self {
        Self { launches, running: Vec::new() }
    }

    /// Lets the clips among these run and no others; those that run already go on. Gives their frames by their names.
    pub fn show(&mut self, images: &[Image]) -> Vec<(Arc<str>, Arc<Reel>)> {
        let mut before = std::mem::take(&mut self.running);
        for image in images {
            let Some(clip) = &image.clip else { continue };
            let known = before.iter().position(|one| one.name == image.name && one.clip == *clip);
            match known {
                Some(index) => self.running.push(before.swap_remove(index)),
                None => self.running.extend(start(image, clip, self.launches.clone())),
            }
        }
        self.running.iter().map(|one| (one.name.clone(), one.reel.clone())).collect()
    }
}

fn start(image: &Image, clip: &Arc<Clip>, launches: Launches) -> Option<Running> {
    let reel = Arc::new(Reel::default());
    let of_player = reel.clone();
    match Player::start(clip.file.clone(), launches, move |frame, pts| of_player.push(frame.into(), pts)) {
        Ok(player) => Some(Running { name: image.name.clone(), clip: clip.clone(), reel, _player: player }),
        Err(error) => {
            warn!(clip = %image.name, %error, "the system gives no thread for a clip; its first picture is shown");
            None
        }
    }
}
