//! One encoder's keyframes: many receivers ask, few are made. PURE.
//!
//! A keyframe costs many times a usual frame, and with one encoding for all, every loss at any receiver (PLI, FIR) and
//! every newcomer asks for one. The arbiter makes one keyframe of all requests within an interval.

use std::time::Duration;

/// Shortest time between forced keyframes. A newcomer waits at most this long and sees a picture within a second; two a
/// second is what the bit rate bears.
pub const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// The decision about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Force a keyframe now.
    Force,
    /// A keyframe was begun a moment ago. The request is remembered: ask [`KeyframeArbiter::due`] at this time.
    Wait(Duration),
}

/// Decides when one encoder is forced to make a keyframe. All times are durations since one epoch of the caller's
/// choice.
#[derive(Debug, Clone)]
pub struct KeyframeArbiter {
    min_interval: Duration,
    /// Moment at which a keyframe was last forced or begun.
    last: Option<Duration>,
    /// Moment at which the newest unanswered request came.
    pending: Option<Duration>,
}

impl KeyframeArbiter {
    /// Creates an encoder that has made nothing yet. `min_interval` is usually [`MIN_INTERVAL`].
    pub fn new(min_interval: Duration) -> Self {
        Self { min_interval, last: None, pending: None }
    }

    /// Notes that someone needs a keyframe: a PLI, a FIR, a new receiver.
    pub fn request(&mut self, now: Duration) -> Decision {
        let free = self.free_at();
        if now >= free {
            self.force(now);
            Decision::Force
        } else {
            self.pending = Some(now);
            Decision::Wait(free)
        }
    }

    /// Returns whether a remembered request's time has come. If so it counts as answered: force a keyframe.
    pub fn due(&mut self, now: Duration) -> bool {
        let is_due = self.pending.is_some() && now >= self.free_at();
        if is_due {
            self.force(now);
        }
        is_due
    }

    /// Returns when [`Self::due`] will be true, for a timer; `None` without a remembered request.
    pub fn due_at(&self) -> Option<Duration> {
        self.pending.map(|_| self.free_at())
    }

    /// Notes that a keyframe came out of the encoder, forced or not. `begun` is when its picture went in: requests made
    /// until then are satisfied by it, later ones are not, since their askers may have missed it.
    pub fn produced(&mut self, begun: Duration) {
        self.last = Some(self.last.map_or(begun, |last| last.max(begun)));
        if self.pending.is_some_and(|asked| asked <= begun) {
            self.pending = None;
        }
    }

    fn force(&mut self, now: Duration) {
        self.last = Some(now);
        self.pending = None;
    }

    /// Returns from when on a keyframe may be forced.
    fn free_at(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| last.saturating_add(self.min_interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_first_request_forces_at_once() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        assert!(!arbiter.due(ms(0)));
        assert_eq!(arbiter.request(ms(10)), Decision::Force);
        assert!(!arbiter.due(ms(2000)));
    }

    #[test]
    fn requests_in_the_quiet_time_become_one_keyframe_at_its_end() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        assert_eq!(arbiter.request(ms(0)), Decision::Force);
        arbiter.produced(ms(33));
        for asked in [40, 100, 400] {
            assert_eq!(arbiter.request(ms(asked)), Decision::Wait(ms(533)));
        }
        assert!(!arbiter.due(ms(532)));
        assert_eq!(arbiter.due_at(), Some(ms(533)));
        assert!(arbiter.due(ms(533)));
        assert!(!arbiter.due(ms(534)), "one keyframe for all");
        assert_eq!(arbiter.due_at(), None);
        assert_eq!(arbiter.request(ms(600)), Decision::Wait(ms(1033)));
    }

    #[test]
    fn at_most_one_forced_keyframe_per_interval_under_a_storm() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        let mut forced = Vec::new();
        for now in 0..5000 {
            if arbiter.request(ms(now)) == Decision::Force || arbiter.due(ms(now)) {
                forced.push(now);
                arbiter.produced(ms(now + 5));
            }
        }
        assert!(forced.windows(2).all(|pair| pair[1] - pair[0] >= 500), "{forced:?}");
        assert!(forced.len() >= 9, "{forced:?}");
    }

    #[test]
    fn a_keyframe_of_its_own_satisfies_requests_made_before_it_was_begun() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        assert_eq!(arbiter.request(ms(0)), Decision::Force);
        assert_eq!(arbiter.request(ms(100)), Decision::Wait(ms(500)));
        arbiter.produced(ms(200));
        assert!(!arbiter.due(ms(900)));
    }

    #[test]
    fn a_request_made_while_a_keyframe_is_in_the_encoder_stays() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        assert_eq!(arbiter.request(ms(0)), Decision::Force);
        assert_eq!(arbiter.request(ms(100)), Decision::Wait(ms(500)));
        arbiter.produced(ms(90));
        assert!(!arbiter.due(ms(589)));
        assert!(arbiter.due(ms(590)));
    }

    #[test]
    fn a_late_report_of_an_old_keyframe_does_not_open_the_quiet_time() {
        let mut arbiter = KeyframeArbiter::new(MIN_INTERVAL);
        arbiter.produced(ms(1000));
        arbiter.produced(ms(400));
        assert_eq!(arbiter.request(ms(1100)), Decision::Wait(ms(1500)));
    }
}
