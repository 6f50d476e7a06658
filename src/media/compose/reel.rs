//! Frames of a clip on their way from its decoder to the clock, some ahead of their time.
//!
//! The decoder waits while enough are there; the clock never waits. While nobody looks, the clip stands still.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};

use crate::media::gst::frame::Shot;

/// Frames ahead: a quarter of a second at 30 a second, in which the decoder goes back to the beginning.
const AHEAD: usize = 8;

/// One who did not look, or had nothing to look at, for so long goes on where they were.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Frames {
    waiting: VecDeque<(Duration, Arc<Shot>)>,
    shown: Option<Arc<Shot>>,
    /// The running time at which the clip's own time was zero.
    origin: Option<Duration>,
    looked: Duration,
    closed: bool,
}

/// The frames of one clip.
#[derive(Debug, Default)]
pub struct Reel {
    frames: Mutex<Frames>,
    changed: Condvar,
}

impl Reel {
    /// Adds a frame that is shown at `pts`, later than those before it. Waits for room; `false`: nobody looks any more.
    pub fn push(&self, shot: Shot, pts: Duration) -> bool {
        let mut frames = self.frames.lock();
        while !frames.closed && frames.waiting.len() >= AHEAD {
            self.changed.wait(&mut frames);
        }
        if frames.closed {
            return false;
        }
        frames.waiting.push_back((pts, Arc::new(shot)));
        true
    }

    /// Returns the frame at this running time; `None` before the first one is there.
    pub fn at(&self, now: Duration) -> Option<Arc<Shot>> {
        let mut frames = self.frames.lock();
        let rested = now.saturating_sub(frames.looked) > PAUSE;
        frames.looked = now;
        if let Some((next, _)) = frames.waiting.front() {
            // Running time and a clip's own both grow for ever, so the difference may be of either sign only at first.
            let origin = frames.origin.filter(|origin| !rested && now.saturating_sub(*origin + *next) <= PAUSE);
            let origin = origin.unwrap_or_else(|| now.saturating_sub(*next));
            frames.origin = Some(origin);
            let position = now.saturating_sub(origin);
            let due = frames.waiting.iter().take_while(|(pts, _)| *pts <= position).count();
            for _ in 0..due {
                frames.shown = frames.waiting.pop_front().map(|(_, shot)| shot);
            }
            if due > 0 {
                self.changed.notify_one();
            }
        }
        frames.shown.clone()
    }

    /// Ends it: those who wait in [`Reel::push`] goes on.
    pub fn close(&self) {
        self.frames.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gstreamer as gst;
    use gstreamer_video as gst_video;

    use super::*;
    use crate::media::gst::frame::VideoFrame;

    /// Returns a frame of this luma.
    fn shot(luma: u8) -> Shot {
        gst::init().unwrap();
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 4, 4).build().unwrap();
        let buffer = gst::Buffer::from_slice(vec![luma; info.size()]);
        VideoFrame::from_buffer_readable(buffer, &info).unwrap().into()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn luma(reel: &Reel, at: u64) -> Option<u8> {
        reel.at(ms(at)).map(|shot| shot.frame.plane_data(0).unwrap()[0])
    }

    #[test]
    fn frames_are_shown_at_their_time() {
        let reel = Reel::default();
        assert_eq!(luma(&reel, 50_000), None);
        for index in 0..4 {
            assert!(reel.push(shot(index), ms(u64::from(index) * 40)));
        }
        let seen = [50_000, 50_039, 50_040, 50_100, 50_120, 50_500].map(|at| luma(&reel, at));
        assert_eq!(seen, [Some(0), Some(0), Some(1), Some(2), Some(3), Some(3)], "the last one stays");
        // One that comes late is shown at once, and its time counts.
        reel.push(shot(4), ms(160));
        reel.push(shot(5), ms(600));
        assert_eq!([50_520, 50_599, 50_600].map(|at| luma(&reel, at)), [Some(4), Some(4), Some(5)]);
    }

    #[test]
    fn while_nobody_looks_it_stands_still() {
        let reel = Reel::default();
        for index in 0..6 {
            reel.push(shot(index), ms(u64::from(index) * 100));
        }
        assert_eq!([1000, 1100].map(|at| luma(&reel, at)), [Some(0), Some(1)]);
        assert_eq!([91_100, 91_150, 91_200].map(|at| luma(&reel, at)), [Some(2), Some(2), Some(3)]);
    }

    #[test]
    fn the_decoder_waits_for_room_and_ends_with_the_reel() {
        let reel = Arc::new(Reel::default());
        let of_thread = reel.clone();
        let decoder = std::thread::spawn(move || {
            (0..100).take_while(|i| of_thread.push(shot(*i), ms(u64::from(*i) * 40))).count()
        });
        // It can be no further ahead than there is room.
        let mut newest = 0;
        for at in (0..1000).step_by(40) {
            while reel.frames.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            newest = luma(&reel, 5000 + at).unwrap();
            assert!(reel.frames.lock().waiting.len() <= AHEAD);
        }
        assert_eq!(newest, 24);
        reel.close();
        let pushed = decoder.join().unwrap();
        assert!((25..=25 + AHEAD).contains(&pushed), "{pushed}");
    }
}
