//! PURE: how many frames get a mask of their own, when the machine has no time for all.
//!
//! Frames are late when the next one is there before the segmentation has taken the last one, and output is late when
//! the mixer's ticks are. Both are counted over a window; when too many were late, fewer frames are inferred (every
//! second, every third, …), and the others get the last mask carried along. When nothing was late for a while, more
//! are tried again; a trial that fails makes the next one wait twice as long.

use std::time::Duration;

/// Counts are judged over this long: a few frames of one sender that came in a burst are no overload.
const WINDOW: Duration = Duration::from_millis(1000);
/// Fewer frames than this in a window say nothing.
const LEAST_FRAMES: u32 = 10;
/// Share of late frames from which on fewer are inferred.
const TOO_LATE: f32 = 0.12;
/// Share of the mixer's late ticks from which on fewer are inferred: the output is what must not suffer.
const TOO_LATE_TICKS: f32 = 0.05;
/// Share of late frames below which a window is calm.
const CALM: f32 = 0.02;
/// At worst one inference for so many frames.
pub const SPARSEST: u32 = 4;
/// Calm time before more frames are tried, at first and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(64));

/// What happened since the last judgement.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    of: u32,
    late: u32,
}

impl Count {
    fn add(&mut self, of: u32, late: u32) {
        self.of = self.of.saturating_add(of);
        self.late = self.late.saturating_add(late);
    }

    fn share(self) -> f32 {
        if self.of == 0 { 0.0 } else { self.late as f32 / self.of as f32 }
    }
}

/// See the module. Time is any clock that does not go back.
#[derive(Debug, Clone)]
pub struct Governor {
    every: u32,
    judged: Duration,
    frames: Count,
    ticks: Count,
    calm_since: Duration,
    patience: Duration,
    /// When more frames were tried last; the trial has failed if it is given up within [`PATIENCE`].
    tried: Option<Duration>,
}

impl Governor {
    /// Every frame is inferred.
    pub fn new(now: Duration) -> Self {
        Self {
            every: 1,
            judged: now,
            frames: Count::default(),
            ticks: Count::default(),
            calm_since: now,
            patience: PATIENCE.0,
            tried: None,
        }
    }

    /// One frame of this many is inferred: 1 (all) to [`SPARSEST`].
    pub fn every(&self) -> u32 {
        self.every
    }

    /// So many frames came to be segmented, of which so many found the one before them still waiting.
    pub fn frames(&mut self, of: u32, late: u32) {
        self.frames.add(of, late);
    }

    /// So many frames were composed or missed, so many of them late or missed.
    pub fn ticks(&mut self, of: u32, late: u32) {
        self.ticks.add(of, late);
    }

    /// Judges what was counted; to be called a few times a second. The new [`Governor::every`] if it changed.
    pub fn judge(&mut self, now: Duration) -> Option<u32> {
        if now.saturating_sub(self.judged) < WINDOW {
            return None;
        }
        let (frames, ticks) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.ticks));
        self.judged = now;
        if frames.of < LEAST_FRAMES {
            // Nobody is segmented, or hardly anybody: what is late is not late for that.
            return self.more(now);
        }
        let overloaded = frames.share() > TOO_LATE || ticks.share() > TOO_LATE_TICKS;
        if overloaded || frames.share() > CALM {
            self.calm_since = now;
        }
        if overloaded { self.fewer(now) } else { self.more(now) }
    }

    fn fewer(&mut self, now: Duration) -> Option<u32> {
        if self.tried.take().is_some_and(|tried| now.saturating_sub(tried) < PATIENCE.0) {
            self.patience = (self.patience * 2).min(PATIENCE.1);
        }
        let every = (self.every + 1).min(SPARSEST);
        (every != std::mem::replace(&mut self.every, every)).then_some(every)
    }

    fn more(&mut self, now: Duration) -> Option<u32> {
        if self.every == 1 || now.saturating_sub(self.calm_since) < self.patience {
            return None;
        }
        if self.tried.is_some_and(|tried| now.saturating_sub(tried) >= PATIENCE.1) {
            self.patience = PATIENCE.0;
        }
        self.every -= 1;
        self.calm_since = now;
        self.tried = Some(now);
        Some(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges once a second; `late` tells the share of late frames from `every`. What `every` was, second by second.
    fn run(governor: &mut Governor, from: u64, seconds: u64, late: impl Fn(u32) -> f32) -> Vec<u32> {
        (from..from + seconds)
            .map(|second| {
                governor.frames(100, (late(governor.every()) * 100.0) as u32);
                governor.ticks(30, 0);
                governor.judge(Duration::from_secs(second + 1));
                governor.every()
            })
            .collect()
    }

    #[test]
    fn a_calm_machine_infers_every_frame() {
        let mut governor = Governor::new(Duration::ZERO);
        assert!(run(&mut governor, 0, 100, |_| 0.01).iter().all(|every| *every == 1));
    }

    #[test]
    fn a_late_one_infers_every_second_frame_and_then_fewer_until_it_keeps_up() {
        let mut governor = Governor::new(Duration::ZERO);
        assert_eq!(run(&mut governor, 0, 3, |every| if every < 3 { 0.4 } else { 0.05 }), [2, 3, 3]);
        let mut governor = Governor::new(Duration::ZERO);
        assert_eq!(run(&mut governor, 0, 6, |_| 0.9), [2, 3, 4, 4, 4, 4]);
    }

    #[test]
    fn late_output_counts_even_when_no_frame_waits() {
        let mut governor = Governor::new(Duration::ZERO);
        governor.frames(100, 0);
        governor.ticks(30, 3);
        assert_eq!(governor.judge(WINDOW), Some(2));
    }

    #[test]
    fn late_output_of_a_room_that_cuts_nobody_out_is_not_the_segmentation_s_fault() {
        let mut governor = Governor::new(Duration::ZERO);
        governor.ticks(30, 30);
        assert_eq!(governor.judge(WINDOW), None);
    }

    #[test]
    fn calm_brings_all_masks_back() {
        let mut governor = Governor::new(Duration::ZERO);
        run(&mut governor, 0, 3, |_| 0.9);
        let back = run(&mut governor, 3, 20, |_| 0.0);
        assert_eq!(back.last(), Some(&1));
        assert!(back.windows(2).all(|pair| pair[0] - pair[1] <= 1), "one step at a time: {back:?}");
    }

    #[test]
    fn a_trial_that_fails_makes_the_next_one_wait_longer() {
        let mut governor = Governor::new(Duration::ZERO);
        let every = run(&mut governor, 0, 120, |every| if every == 1 { 0.5 } else { 0.0 });
        let trials: Vec<usize> = (1..every.len()).filter(|at| every[*at] == 1 && every[at - 1] == 2).collect();
        let waits: Vec<usize> = trials.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits.len() >= 3 && waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    }

    #[test]
    fn bursts_shorter_than_a_window_change_nothing() {
        let mut governor = Governor::new(Duration::ZERO);
        governor.frames(5, 5);
        assert_eq!(governor.judge(WINDOW / 2), None);
        governor.frames(95, 0);
        assert_eq!(governor.judge(WINDOW), None);
        assert_eq!(governor.every(), 1);
    }
}
