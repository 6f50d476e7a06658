//! How much faster or slower than ours a sender's clock runs, by when its packets come. PURE.
//!
//! Looked at is what is to spare when a packet comes: what would still wait if a block were taken just before. A clock
//! that is slow makes it less, a fast one more, and each packet that the network delays makes it less for a moment;
//! so the most of a fifth of a second counts. A control loop of second order keeps it where it was when the sound began,
//! and learns the other clock's rate by that. Nobody's clock is off by more than [`MOST`], and no pitch is changed by more.

use std::time::Duration;

use super::strip::{BLOCK, SAMPLE_RATE};

/// Largest share of samples that is made up or left out: a cheap sound card is off by 0.1 %, and 1.4 % is a quarter of a
/// semitone.
const MOST: f64 = 0.014;

/// This much is always to spare, in samples: 10 ms, about half of the jitter of a usual network.
pub const SPARE: f32 = 480.0;

/// Packets that follow each other so closely have come together, and only the first of them tells when.
const TOGETHER: Duration = Duration::from_millis(3);

/// So many blocks are looked at together: 200 ms.
const WINDOW: u32 = 10;

/// The new share in the smoothed error.
const SMOOTHING: f32 = 0.5;

/// How fast an error is made up for, and how fast the rate is learned, per second and per second squared: half a second,
/// and no overshoot that could be heard.
const PROPORTIONAL: f64 = 1.5;
const INTEGRAL: f64 = 0.5;

/// The most that the rate changes from block to block: 1.5 % a second, so that no pitch jumps.
const GLIDE: f64 = 0.000_3;

/// Below this the rates are the same, and samples are passed on as they are: 1 ms in twenty seconds.
const SAME: f64 = 0.000_05;

/// The control loop.
#[derive(Debug, Clone, Default)]
pub struct Drift {
    arrived: Option<Duration>,
    /// What shall be to spare; unknown until the first window is over.
    aim: Option<f32>,
    /// The most of this window.
    most: Option<f32>,
    blocks: u32,
    error: f32,
    /// The other clock's lag, as a share.
    learned: f64,
    /// What share is made up now, and what shall be soon.
    lag: f64,
    wanted: f64,
}

impl Drift {
    /// The sound begins, or goes on elsewhere: what is to spare now is what shall be. What was learned of the clock stays.
    pub fn begin(&mut self) {
        let Self { arrived, learned, .. } = *self;
        *self = Self { arrived, learned, lag: learned, wanted: learned, ..Self::default() };
    }

    /// A packet comes. `waiting` samples wait; the last block was taken at `taken_at`.
    pub fn arrives(&mut self, now: Duration, waiting: usize, taken_at: Duration) {
        let since = self.arrived.replace(now).map(|before| now.saturating_sub(before));
        if since.is_some_and(|since| since >= TOGETHER) {
            let played = now.saturating_sub(taken_at).as_secs_f32() * SAMPLE_RATE as f32;
            let spare = waiting as f32 - played;
            self.most = Some(self.most.map_or(spare, |most| most.max(spare)));
        }
    }

    /// How many samples of silence the sound has to begin with, so that there is something to spare when `waiting` wait.
    pub fn lead(&self, now: Duration, waiting: usize, enough: usize) -> usize {
        let since = self.arrived.map_or(0.0, |arrived| now.saturating_sub(arrived).as_secs_f32());
        let spare = (waiting - enough.min(waiting)) as f32 + since * SAMPLE_RATE as f32;
        (SPARE - spare).max(0.0) as usize
    }

    /// How many samples of the sender make one of ours in the next block.
    pub fn rate(&mut self) -> f64 {
        self.blocks += 1;
        if self.blocks >= WINDOW {
            self.blocks = 0;
            if let Some(most) = self.most.take() {
                self.follow(most);
            }
        }
        self.lag += (self.wanted - self.lag).clamp(-GLIDE, GLIDE);
        if self.lag.abs() < SAME { 1.0 } else { 1.0 - self.lag }
    }

    fn follow(&mut self, spare: f32) {
        let aim = *self.aim.get_or_insert(spare.max(SPARE));
        self.error += SMOOTHING * (aim - spare - self.error);
        let second = f64::from(SAMPLE_RATE);
        let error = f64::from(self.error) / second;
        let window = f64::from(WINDOW) * BLOCK as f64 / second;
        self.learned = (self.learned + INTEGRAL * error * window).clamp(-MOST, MOST);
        self.wanted = (PROPORTIONAL * error + self.learned).clamp(-MOST, MOST);
    }
}
