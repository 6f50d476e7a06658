//! Whether picture and sound go on. PURE: time is a parameter.

use std::time::Duration;

/// A room without a frame, or without a block of sound, for so long is of no more use.
const LIMIT: Duration = Duration::from_secs(2);

/// Looks that are further apart say that the whole process was stopped, or this thread had something else to do: what
/// happened meanwhile counts for nothing.
const GAP: Duration = Duration::from_secs(1);

/// The part of a room's media that does not go on: a fault of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Halt {
    #[error("the thread that composes the picture has ended")]
    Composer,
    #[error("the thread that mixes the sound has ended")]
    Mixer,
    #[error("no frame was composed for two seconds")]
    Frames,
    #[error("no sound was mixed for two seconds")]
    Sound,
}

/// Counts of something that must go on.
#[derive(Debug, Clone, Copy)]
struct Progress {
    count: u64,
    since: Duration,
}

impl Progress {
    /// Returns whether nothing has come for too long.
    fn stands(&mut self, now: Duration, count: u64) -> bool {
        if count != self.count {
            *self = Self { count, since: now };
        }
        now.saturating_sub(self.since) > LIMIT
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    looked: Duration,
    frames: Progress,
    blocks: Progress,
}

impl Watch {
    pub(super) fn new(now: Duration) -> Self {
        let begin = Progress { count: 0, since: now };
        Self { looked: now, frames: begin, blocks: begin }
    }

    /// Returns whether the last look was so long ago that nothing can be said of the time since.
    pub(super) fn was_away(&self, now: Duration) -> bool {
        now.saturating_sub(self.looked) > GAP
    }

    /// Looks at what was made so far. `running`: frames are to come, each in one step or more. What is wrong, if
    /// something is.
    pub(super) fn look(&mut self, now: Duration, running: bool, frames: u64, blocks: u64) -> Option<Halt> {
        if self.was_away(now) {
            (self.frames.since, self.blocks.since) = (now, now);
        }
        self.looked = now;
        if !running {
            self.frames.since = now;
        }
        if self.frames.stands(now, frames) {
            return Some(Halt::Frames);
        }
        self.blocks.stands(now, blocks).then_some(Halt::Sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks each 200 ms; when it finds something, and what.
    fn look(watch: &mut Watch, from: u64, to: u64, at: impl Fn(u64) -> (bool, u64, u64)) -> Option<(u64, Halt)> {
        (from..to).step_by(200).find_map(|ms| {
            let (running, frames, blocks) = at(ms);
            watch.look(Duration::from_millis(ms), running, frames, blocks).map(|what| (ms, what))
        })
    }

    #[test]
    fn a_picture_or_a_sound_that_stands_is_found_after_two_seconds() {
        let mut watch = Watch::new(Duration::ZERO);
        assert_eq!(look(&mut watch, 0, 10_000, |ms| (true, ms / 200, ms / 20)), None);
        let (ms, what) = look(&mut watch, 10_000, 20_000, |ms| (true, 50, ms / 20)).expect("frames stand");
        assert!((12_000..=12_400).contains(&ms) && what == Halt::Frames, "{ms} {what}");
        let mut watch = Watch::new(Duration::ZERO);
        let (ms, what) = look(&mut watch, 0, 20_000, |ms| (true, ms, 0)).expect("sound stands");
        assert!(ms == 2200 && what == Halt::Sound, "{ms} {what}");
    }

    #[test]
    fn a_clock_that_rests_owes_no_frames() {
        let mut watch = Watch::new(Duration::ZERO);
        assert_eq!(look(&mut watch, 0, 60_000, |ms| (false, 7, ms)), None);
        assert_eq!(look(&mut watch, 60_000, 62_000, |ms| (true, 7, ms)), None);
        assert!(look(&mut watch, 62_000, 63_000, |ms| (true, 7, ms)).is_some());
    }

    #[test]
    fn a_process_that_was_stopped_is_given_time() {
        let mut watch = Watch::new(Duration::ZERO);
        assert_eq!(look(&mut watch, 0, 1000, |ms| (true, ms, ms)), None);
        assert_eq!(look(&mut watch, 31_000, 33_000, |_| (true, 800, 800)), None, "counts stand as they were");
        assert!(look(&mut watch, 33_000, 34_000, |_| (true, 800, 800)).is_some());
    }
}
