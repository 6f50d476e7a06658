//! Pace at which a browser may send messages. PURE.

use std::time::{Duration, Instant};

/// Messages in one second. A join with all its candidates is about 40; a person at the switches sends few.
pub(super) const MOST_PER_SECOND: u32 = 100;

/// Counts messages in windows of a second.
#[derive(Debug)]
pub(super) struct Pace {
    window: Instant,
    count: u32,
}

impl Pace {
    /// Starts counting.
    pub(super) fn new(now: Instant) -> Self {
        Self { window: now, count: 0 }
    }

    /// Counts one message; `false` when it is one too many.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        if now.duration_since(self.window) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        self.count += 1;
        self.count <= MOST_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_a_second_pass_and_the_next_second_begins_at_zero() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!((0..100).all(|_| pace.allows(start)));
        assert!(!pace.allows(start + Duration::from_millis(999)));
        assert!(pace.allows(start + Duration::from_secs(1)));
    }
}
