//! Time for which something has held. PURE.

use std::time::Duration;

/// Since when something holds without a break.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held(Option<Duration>);

impl Held {
    /// Notes whether it holds now, and returns whether it has for `long`.
    pub fn note(&mut self, now: Duration, holds: bool, long: Duration) -> bool {
        if !holds {
            self.0 = None;
            return false;
        }
        now.saturating_sub(*self.0.get_or_insert(now)) >= long
    }
}
