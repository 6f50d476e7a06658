//! PURE: what each person gets of too little: how many of their frames are looked at, and how late these may be.
//!
//! Everybody has the same share of masks, by time, however many frames a second they send. Of frames, those get fewer
//! first who are shown smallest: there it is seen least.

use std::time::Duration;

/// Between two frames of a camera as most have it. "Every n-th frame" means so many of these, or somebody who sends
/// twice as many frames would get twice as many masks.
const PERIOD: Duration = Duration::from_micros(33_333);

/// Beyond this a mask is not carried on: with what lay between two frames unseen, movement cannot be followed.
const LONGEST_STEP: Duration = Duration::from_millis(250);

/// Age of a mask from which on the next one is overdue: four a second is the least with which somebody who gets up and
/// walks away is still followed.
const OVERDUE: Duration = Duration::from_millis(250);

/// Lateness that decoded frames of those shown small, and of the others, may have before frames are left out up to the
/// next keyframe. Both are above what a lost packet costs (the jitter buffer's 100 ms and a catching up), and far
/// enough from each other that the first have given back their time before the others come there.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(600));

/// Not all who are shown alike leave frames out at the same moment: some wait up to three times this longer.
const STAGGER: Duration = Duration::from_millis(50);

/// The pace at which every `every`-th frame of a stream counts, and whose turn that is. The mean is kept to the frame,
/// whatever is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    next: Option<Duration>,
}

impl Pace {
    /// Returns whether the frame of this time counts. Half a period early is in time: frames do not come evenly.
    pub fn is_due(self, now: Duration, every: u32) -> bool {
        let Some(next) = self.next.filter(|_| every > 1) else { return true };
        // Far ahead of it, time has gone back, or fewer frames counted before.
        now + PERIOD / 2 >= next || next > now + 2 * PERIOD * every
    }

    /// Notes that the frame of this time was one that counts.
    pub fn step(&mut self, now: Duration, every: u32) {
        let earliest = now.saturating_sub(PERIOD / 2);
        let from = self.next.filter(|next| (earliest..=now + PERIOD / 2).contains(next)).unwrap_or(now);
        self.next = Some(from + PERIOD * every);
    }
}

/// Returns whether a mask can be carried from the frame seen last to this one.
pub fn is_near(seen: Option<Duration>, now: Duration) -> bool {
    seen.and_then(|seen| now.checked_sub(seen)).is_some_and(|passed| passed <= LONGEST_STEP)
}

/// Returns whether somebody's next mask is overdue.
pub fn is_overdue(last: Option<Duration>, now: Duration) -> bool {
    last.is_none_or(|last| now.saturating_sub(last) > OVERDUE)
}

/// Returns `n` where one of `n` frames is looked at, when frames are thinned by `thinning` steps: at each odd step
/// those who are shown small lose some, at each even one the others follow.
pub fn frames_every(thinning: u32, small: bool) -> u32 {
    1 + (thinning + u32::from(small)) / 2
}

/// Returns how late somebody's decoded frames may be; `number` distinguishes them from others.
pub fn patience(small: bool, number: u64) -> Duration {
    let stagger = STAGGER * u32::try_from(number % 4).unwrap_or(0);
    stagger + if small { PATIENCE.0 } else { PATIENCE.1 }
}

/// The sizes at which everybody is shown.
#[derive(Debug, Default)]
pub struct Crowd {
    /// By number: pixels of the canvas.
    shown: Vec<(u64, u32)>,
}

impl Crowd {
    /// Creates one with nobody in it.
    pub const fn new() -> Self {
        Self { shown: Vec::new() }
    }

    /// Notes that somebody is shown with so many pixels now.
    pub fn show(&mut self, number: u64, pixels: u32) {
        match self.shown.iter_mut().find(|(known, _)| *known == number) {
            Some((_, known)) => *known = pixels,
            None => self.shown.push((number, pixels)),
        }
    }

    /// Notes that somebody is gone.
    pub fn forget(&mut self, number: u64) {
        self.shown.retain(|(known, _)| *known != number);
    }

    /// Returns up to how many pixels a person is small: at least half of all are.
    pub fn small(&self) -> u32 {
        let mut pixels: Vec<u32> = self.shown.iter().map(|(_, pixels)| *pixels).collect();
        pixels.sort_unstable();
        pixels.get(pixels.len().saturating_sub(1) / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Returns masks in ten seconds for frames `period` ms apart that come up to 6 ms late.
    fn masks(period: u32, every: u32) -> u32 {
        let (mut count, mut pace) = (0, Pace::default());
        for frame in 0..10_000 / period {
            let now = frame * period * MS + frame * 7 % 6 * MS;
            if pace.is_due(now, every) {
                count += 1;
                pace.step(now, every);
            }
        }
        count
    }

    #[test]
    fn every_second_frame_is_fifteen_a_second_whatever_is_sent() {
        let counts = [16, 33, 66].map(|period| masks(period, 2));
        assert!(counts.iter().all(|count| (145..=155).contains(count)), "{counts:?}");
        assert!((48..=52).contains(&masks(33, 6)));
    }

    #[test]
    fn with_time_for_all_every_frame_is_due() {
        assert_eq!(masks(16, 1), 10_000 / 16);
        let mut pace = Pace::default();
        pace.step(9000 * MS, 8);
        assert!(!pace.is_due(9100 * MS, 8) && pace.is_due(9100 * MS, 1));
        assert!(pace.is_due(5 * MS, 8), "time went back: it is another stream");
    }

    #[test]
    fn masks_are_carried_over_small_steps_only() {
        assert!(is_near(Some(10 * MS), 260 * MS) && !is_near(Some(10 * MS), 261 * MS));
        assert!(!is_near(None, MS) && !is_near(Some(2 * MS), MS));
        assert!(is_overdue(None, MS) && is_overdue(Some(MS), 252 * MS) && !is_overdue(Some(MS), 251 * MS));
    }

    #[test]
    fn the_smallest_lose_frames_first_and_the_others_follow() {
        let of = |thinning| (frames_every(thinning, true), frames_every(thinning, false));
        assert_eq!([0, 1, 2, 3, 4].map(of), [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]);
        assert!(patience(true, 3) < patience(false, 0));
    }

    #[test]
    fn at_least_half_are_small() {
        let mut crowd = Crowd::new();
        assert_eq!(crowd.small(), 0);
        for (number, pixels) in [(1, 900), (2, 100), (3, 100), (4, 400)] {
            crowd.show(number, pixels);
        }
        assert_eq!(crowd.small(), 100);
        crowd.show(2, 500);
        assert_eq!(crowd.small(), 400);
        crowd.forget(3);
        assert_eq!(crowd.small(), 500);
    }
}
