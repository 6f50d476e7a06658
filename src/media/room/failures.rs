//! Count of failures of encoders, and the time at which the next one may be made. PURE.

use std::time::Duration;

use crate::media::output::retry::doubled;

/// Between a failed encoder and the next one: one that never works must neither fill the log nor, where it hangs on its
/// way down, the process with threads.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// However often it has failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// An encoder that has worked for so long begins at once again.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// The number of failures in a row of an encoding's encoders.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Failures {
    count: u32,
    at: Duration,
    /// No new one is made before this.
    pub(super) until: Duration,
}

impl Failures {
    /// Counts one more.
    pub(super) fn add(&mut self, now: Duration) {
        let recent = self.count > 0 && now.saturating_sub(self.at) < FORGOTTEN;
        self.count = if recent { self.count.saturating_add(1) } else { 1 };
        let pause = doubled(FIRST_PAUSE, self.count - 1).min(LONGEST_PAUSE);
        (self.at, self.until) = (now, now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_never_works_is_tried_less_and_less_often() {
        let mut failures = Failures::default();
        let mut now = Duration::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..9 {
            failures.add(now);
            pauses.push((failures.until - now).as_secs());
            now = failures.until + Duration::from_secs(3);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        failures.add(now + FORGOTTEN);
        assert_eq!(failures.count, 1);
    }
}
