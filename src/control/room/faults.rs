//! Delay before something that failed is begun again: at once after the first fault, later the more of them there are.
//! PURE.

use std::time::{Duration, Instant};

/// After a second fault in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// However many faults there are: requests to the room wait for so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Time without a fault after which the next one counts as the first.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// The faults of one thing.
#[derive(Debug, Default)]
pub struct Faults {
    in_a_row: u32,
    last: Option<Instant>,
}

impl Faults {
    /// Counts a fault; how long to wait before it is begun again.
    pub fn pause(&mut self, now: Instant) -> Duration {
        let recent = self.last.replace(now).is_some_and(|last| now.saturating_duration_since(last) < FORGOTTEN);
        self.in_a_row = if recent { self.in_a_row.saturating_add(1) } else { 0 };
        match self.in_a_row {
            0 => Duration::ZERO,
            more => doubled(FIRST_PAUSE, more - 1).min(LONGEST_PAUSE),
        }
    }
}

/// Returns a pause doubled so many times, up to the longest that there is.
pub fn doubled(pause: Duration, times: u32) -> Duration {
    pause.saturating_mul(2u32.saturating_pow(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_mended_at_once_and_more_of_them_later() {
        let (mut faults, begun) = (Faults::default(), Instant::now());
        let pauses: Vec<u64> =
            [0, 10, 20, 30, 40].map(|at| faults.pause(begun + Duration::from_secs(at)).as_secs()).to_vec();
        assert_eq!(pauses, [0, 1, 2, 4, 5]);
        assert_eq!(faults.pause(begun + Duration::from_secs(200)), Duration::ZERO, "the old ones are forgotten");
    }
}
