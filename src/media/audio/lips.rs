//! Time by which a participant's sound has to come later to be beside its picture. PURE.
//!
//! Both carry when they were captured, on one time line. A picture is seen when the canvas ticks next, later still when
//! a person has to be cut out of it; sound waits in its strip. What both take is compared at each block, smoothed, and
//! made equal when it differs by what could be seen. All times are in samples at 48 kHz.

use super::strip::{BLOCK, Move, TARGET_BLOCKS};

/// The mix is stamped as much earlier than it is made, which is about what sound takes longer than a picture that is
/// seen at once: the least that waits, the packet that it comes in, and the block that it is mixed in. So such sound
/// need not come before it was sent. More would delay voices for nothing.
pub const LEAD: i64 = ((TARGET_BLOCKS + 2) * BLOCK) as i64;

/// 10 ms: nobody sees that, and less would be corrected again and again for the jitter of both.
const TOLERANCE: f32 = 480.0;

/// Farther apart than half a second the stamps are wrong, and the sound stays as it is.
const MOST: i64 = 24_000;

/// Blocks that are looked at before the first correction, and after each: half a second.
const SETTLING: u32 = 25;

/// The weight of one block in the mean: that of about half a second.
const WEIGHT: f32 = 1.0 / 25.0;

/// The facts that are known of a participant.
#[derive(Debug, Clone, Default)]
pub struct Lips {
    /// Capture time of the last sample that came.
    captured: Option<i64>,
    /// From the capture of a picture to where it is seen.
    seen_after: Option<i64>,
    /// The mean of what sound is ahead of its picture, and of what waits.
    ahead: f32,
    waiting: f32,
    looked_at: u32,
}

impl Lips {
    /// Takes the time at which the newest sample was captured, and how long after its capture a picture is seen; `None`
    /// without a picture.
    pub fn came(&mut self, captured: i64, seen_after: Option<i64>) {
        self.captured = Some(captured);
        self.seen_after = seen_after;
    }

    /// Looks at a block that is taken at `now` while so many samples wait. Returns what has to be done; `None` while
    /// the sound is beside its picture, cannot come closer, or nobody knows.
    pub fn look(&mut self, now: i64, waiting: usize) -> Option<Move> {
        let (Some(captured), Some(seen_after)) = (self.captured, self.seen_after) else {
            self.looked_at = 0;
            return None;
        };
        let heard_after = now - captured + waiting as i64;
        let ahead = seen_after + LEAD - heard_after;
        if ahead.abs() > MOST {
            return None;
        }
        // The first blocks are a plain mean.
        self.looked_at = (self.looked_at + 1).min(SETTLING);
        let weight = (1.0 / self.looked_at as f32).max(WEIGHT);
        self.ahead += (ahead as f32 - self.ahead) * weight;
        self.waiting += (waiting as f32 - self.waiting) * weight;
        // With less than that the sound would run out again and again.
        let later = self.ahead.max((TARGET_BLOCKS * BLOCK) as f32 - self.waiting);
        let is_apart = self.looked_at == SETTLING && self.ahead.abs() >= TOLERANCE && later.abs() >= TOLERANCE;
        // Sound that may only come earlier is not put off for that.
        let is_nearer = later * self.ahead > 0.0;
        (is_apart && is_nearer).then_some(Move { later: later as i64, waiting: (self.waiting + later) as usize })
    }

    /// Notes that the strip did what was asked for.
    pub fn moved(&mut self) {
        (self.ahead, self.waiting, self.looked_at) = (0.0, 0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is asked for while sound waits so long in its strip and pictures are seen after so long, in
    /// milliseconds.
    fn asked(waits: i64, seen_after: Option<i64>, jitter: i64) -> i64 {
        let mut lips = Lips::default();
        let mut last = None;
        for block in 0..100 {
            let now = 480_000 + block * BLOCK as i64;
            let shake = if block % 2 == 0 { jitter } else { -jitter } * 48;
            lips.came(now, seen_after.map(|ms| ms * 48 + shake));
            last = lips.look(now, (waits * 48) as usize);
        }
        last.map_or(0, |it: Move| it.later / 48)
    }

    #[test]
    fn sound_comes_as_much_later_as_its_picture() {
        // Stamped 80 ms early, sound that waits for 100 ms is beside a picture that took 20.
        assert_eq!(asked(100, Some(20), 0), 0);
        assert_eq!(asked(100, Some(28), 0), 0, "too little to be seen");
        assert_eq!(asked(100, Some(80), 0), 60);
        assert_eq!(asked(150, Some(20), 0), -50);
        assert!((asked(100, Some(80), 15) - 60).abs() <= 1);
    }

    #[test]
    fn sound_that_waits_for_the_least_already_stays_though_its_picture_is_seen_before() {
        assert_eq!(asked(40, Some(-60), 0), 0);
        assert_eq!(asked(30, Some(-60), 0), 0, "nor does it come later");
        assert_eq!(asked(70, Some(-60), 0), -30, "as far as it can");
    }

    #[test]
    fn without_a_picture_or_with_stamps_that_cannot_be_nothing_is_asked_for() {
        assert_eq!(asked(80, None, 0), 0);
        assert_eq!(asked(80, Some(5_000), 0), 0);
    }

    #[test]
    fn a_move_is_looked_at_before_the_next_one() {
        let mut lips = Lips::default();
        let look = |lips: &mut Lips| {
            lips.came(0, Some(4_800));
            lips.look(0, 0)
        };
        let mut blocks = 0;
        while look(&mut lips).is_none() {
            blocks += 1;
        }
        assert_eq!(blocks, SETTLING - 1);
        lips.moved();
        assert_eq!(look(&mut lips), None);
    }
}
