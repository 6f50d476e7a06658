//! PURE: what is given up of the masks, and then of the frames, when the machine has no time for all.
//!
//! Frames are late when the next one is there before the segmentation has taken the last one, or when they have waited
//! for an inference in vain; output is late when the mixer's ticks are. Both are counted over a window. When too many
//! were late, first the network's inputs are made smaller, then it sees fewer frames (the others get the last mask
//! carried along), and at last fewer frames are looked at at all. When nothing was late for a while, the last step is
//! taken back; a trial that fails makes the next one wait twice as long, and one that succeeds half as long.

use std::time::Duration;

/// Counts are judged over this long: a few frames of one sender that came in a burst are no overload.
const WINDOW: Duration = Duration::from_millis(1000);
/// Fewer frames than this in a window say nothing.
const LEAST_FRAMES: u32 = 10;
/// Share of late frames from which on more is given up.
const TOO_LATE: f32 = 0.12;
/// Share of late frames from which on two steps are taken at once: every third one is lost, so one step is too little.
const FAR_TOO_LATE: f32 = 0.35;
/// Share of the mixer's late ticks from which on more is given up: the output is what must not suffer.
const TOO_LATE_TICKS: f32 = 0.05;
/// Share of late frames below which a window is calm.
const CALM: f32 = 0.02;
/// One inference for so many frames, step by step. Beyond the last (two and a half a second) a carried mask has little
/// to do with whom it shows, and inferences are no longer what costs most.
const EVERY: [u32; 7] = [1, 2, 3, 4, 6, 8, 12];
/// Steps of thinning frames: at the last every fourth is looked at.
pub const THINNEST: u32 = 6;
/// Calm time before a step is taken back: at the start, and its bounds.
const PATIENCE: Duration = Duration::from_secs(4);
const PATIENCE_BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(64));
/// A trial that is followed by lateness within this has failed.
const TRIAL: Duration = Duration::from_secs(4);

/// The counts since the last judgement.
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

    /// Returns the share of `all`, which is never less than the late ones.
    fn share(self, all: u32) -> f32 {
        if all == 0 { 0.0 } else { self.late as f32 / all as f32 }
    }
}

/// The plan of what is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskPlan {
    /// The network's inputs are so many sizes smaller.
    pub shrinking: u32,
    /// The network sees one of so many frames: one of `EVERY`, of which 1 is all.
    pub every: u32,
    /// See `crowd::frames_every`: 0 (all are looked at) to [`THINNEST`].
    pub thinning: u32,
}

/// See the module. Time is any clock that does not go back.
#[derive(Debug, Clone)]
pub struct Governor {
    shrinking: u32,
    /// Index into [`EVERY`].
    sparseness: usize,
    thinning: u32,
    /// By how many sizes the largest input of this window could be smaller.
    spare: u32,
    judged: Duration,
    frames: Count,
    ticks: Count,
    calm_since: Duration,
    patience: Duration,
    /// Moment at which a step was taken back last.
    tried: Option<Duration>,
}

impl Governor {
    /// Creates one that gives nothing up.
    pub fn new(now: Duration) -> Self {
        Self {
            shrinking: 0,
            sparseness: 0,
            thinning: 0,
            spare: 0,
            judged: now,
            frames: Count::default(),
            ticks: Count::default(),
            calm_since: now,
            patience: PATIENCE,
            tried: None,
        }
    }

    /// Returns what is given up now.
    pub fn plan(&self) -> MaskPlan {
        MaskPlan { shrinking: self.shrinking, every: EVERY[self.sparseness], thinning: self.thinning }
    }

    /// Counts frames that were segmented, and those that were late.
    pub fn frames(&mut self, of: u32, late: u32) {
        self.frames.add(of, late);
    }

    /// Notes that a frame's input, before it was made smaller, could be smaller by so many sizes.
    pub fn spares(&mut self, sizes: u32) {
        self.spare = self.spare.max(sizes);
    }

    /// Counts frames that were composed or missed, and those of them that were late or missed.
    pub fn ticks(&mut self, of: u32, late: u32) {
        self.ticks.add(of, late);
    }

    /// Judges what was counted; to be called a few times a second. The new [`Governor::plan`] if it changed.
    pub fn judge(&mut self, now: Duration) -> Option<MaskPlan> {
        if now.saturating_sub(self.judged) < WINDOW {
            return None;
        }
        let (frames, ticks) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.ticks));
        let spare = std::mem::take(&mut self.spare);
        self.judged = now;
        let before = self.plan();
        // A late frame has not been segmented, or has been passed over first.
        let all = frames.of.saturating_add(frames.late);
        if all < LEAST_FRAMES {
            // Nobody is segmented, or hardly anybody: what is late is not late for that.
            self.more(now);
        } else {
            let late = frames.share(all);
            let overloaded = late > TOO_LATE || ticks.share(ticks.of.max(ticks.late)) > TOO_LATE_TICKS;
            if overloaded || late > CALM {
                self.calm_since = now;
            }
            if overloaded {
                self.doubt(now);
                self.less(spare);
                if late > FAR_TOO_LATE {
                    self.less(spare);
                }
            } else {
                // Those with large inputs have gone.
                self.shrinking = self.shrinking.min(spare);
                self.more(now);
            }
        }
        let plan = self.plan();
        (plan != before).then_some(plan)
    }

    /// Takes the last trial for failed if it is not long ago.
    fn doubt(&mut self, now: Duration) {
        if self.tried.take().is_some_and(|tried| now.saturating_sub(tried) < TRIAL) {
            self.patience = (self.patience * 2).min(PATIENCE_BOUNDS.1);
        }
    }

    fn less(&mut self, spare: u32) {
        if self.shrinking < spare {
            self.shrinking += 1;
        } else if self.sparseness + 1 < EVERY.len() {
            self.sparseness += 1;
        } else if self.thinning < THINNEST {
            self.thinning += 1;
        }
    }

    fn more(&mut self, now: Duration) {
        if now.saturating_sub(self.calm_since) < self.patience {
            return;
        }
        let given_up = if self.thinning > 0 {
            self.thinning -= 1;
            true
        } else if self.sparseness > 0 {
            self.sparseness -= 1;
            true
        } else if self.shrinking > 0 {
            self.shrinking -= 1;
            true
        } else {
            false
        };
        if given_up {
            if self.tried.is_some() {
                self.patience = (self.patience / 2).max(PATIENCE_BOUNDS.0);
            }
            self.calm_since = now;
            self.tried = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
