//! A video file played again and again, frame after frame without a gap.

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

use super::{FileError, LOOK, Reader, Stop};
use crate::media::gst::{frame::VideoFrame, launch::Launches};

/// Time for which a frame is shown of which nothing is known.
const USUAL: Duration = Duration::from_millis(40);

/// Wait before a file that cannot be read is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Reads a file on a thread of its own, until it is dropped.
#[derive(Debug)]
pub struct Player {
    stop: Stop,
}

impl Player {
    /// Starts to read, through `launches`. `kept` goes when all that reads is gone. `push` takes each frame with the time at which it is shown, counted from the
    /// first of all; it may wait, and ends the player by `false`.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        path: PathBuf,
        launches: Launches,
        kept: Arc<dyn Any + Send + Sync>,
        push: impl FnMut(VideoFrame, Duration) -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Stop::default();
        let of_thread = stop.clone();
        let work =
            move || Playing { path, launches, kept, stop: of_thread, push, base: Duration::ZERO, told: false }.work();
        thread::Builder::new().name("clip".into()).spawn(work)?;
        Ok(Self { stop })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

/// The way that one time through a file ended.
enum Round {
    /// At its end; so many frames were shown.
    Whole(usize),
    /// In the middle.
    Broken,
    /// Nobody wants more.
    Over,
}

struct Playing<P> {
    path: PathBuf,
    launches: Launches,
    kept: Arc<dyn Any + Send + Sync>,
    stop: Stop,
    push: P,
    /// Moment at which the round that runs began.
    base: Duration,
    /// Whether the log says that it is damaged: it is so each time.
    told: bool,
}

impl<P: FnMut(VideoFrame, Duration) -> bool> Playing<P> {
    fn work(mut self) {
        while !self.stop.is_stopped() {
            let begun = Instant::now();
            match Reader::open_clip(&self.path, &self.launches, &self.stop, self.kept.clone()) {
                Ok(reader) => {
                    if self.rounds(reader).is_none() {
                        return;
                    }
                    // One that breaks at once would be opened as often as the machine can.
                    self.wait(RETRY.saturating_sub(begun.elapsed()));
                }
                Err(FileError::Stopped) => return,
                Err(error) => {
                    warn!(%error, "a clip cannot be read");
                    self.wait(RETRY);
                }
            }
        }
    }

    /// Plays one open file until it must be opened again; `None`: nobody wants more.
    fn rounds(&mut self, mut reader: Reader) -> Option<()> {
        loop {
            match self.round(&mut reader) {
                Round::Over => return None,
                // One frame is a picture: it stays.
                Round::Whole(1) => self.wait(Duration::MAX),
                Round::Whole(0) => {
                    self.wait(RETRY);
                    return Some(());
                }
                Round::Whole(_) => {
                    if reader.rewind().is_err() {
                        return Some(());
                    }
                }
                Round::Broken => return Some(()),
            }
            if self.stop.is_stopped() {
                return None;
            }
        }
    }

    fn round(&mut self, reader: &mut Reader) -> Round {
        let (mut first, mut end, mut count) = (None, Duration::ZERO, 0);
        let round = loop {
            match reader.next() {
                Ok(Some(frame)) => {
                    let at = frame.pts.saturating_sub(*first.get_or_insert(frame.pts));
                    end = end.max(at + frame.duration.unwrap_or(USUAL));
                    count += 1;
                    if !(self.push)(frame.into_inner(), self.base + at) {
                        break Round::Over;
                    }
                }
                Ok(None) => break Round::Whole(count),
                Err(FileError::Stopped) => break Round::Over,
                Err(error) => {
                    if !std::mem::replace(&mut self.told, true) {
                        warn!(%error, "a clip is damaged");
                    }
                    break Round::Broken;
                }
            }
        };
        self.base += end;
        round
    }

    /// Waits for so long, or until nobody wants more.
    fn wait(&self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time && !self.stop.is_stopped() {
            thread::sleep(LOOK);
        }
    }
}

/// Returns what a clip is, and its first picture.
///
/// # Errors
/// When it cannot be read, or there is no decoder for it.
pub fn look(path: &Path, launches: &Launches) -> Result<(VideoFrame, Option<Duration>), FileError> {
    let mut reader = Reader::open_clip(path, launches, &Stop::default(), Arc::new(()))?;
    let duration = reader.duration();
    let broken = |error: &str| FileError::NoVideo { path: path.into(), error: error.into() };
    let first = reader.next()?.ok_or_else(|| broken("it holds no frame"))?;
    Ok((first.into_inner(), duration))
}
