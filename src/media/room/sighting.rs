//! Whether somebody is found in the pictures of a participant who is cut out. PURE: time is a parameter.

use std::time::Duration;

/// A mask that keeps a smaller share of the picture keeps nobody: such specks are the network's errors, and the mask itself
/// drops islands that are smaller.
const NOBODY: f32 = 0.004;
/// Nobody is found for so long before the participant counts as lost: who only bends down is back by then.
const LOST_AFTER: Duration = Duration::from_secs(2);
/// Somebody is found for so long, some pictures, before the participant counts as found: one false mask does not do.
const FOUND_AFTER: Duration = Duration::from_millis(200);
/// Pictures that are further apart say nothing of the time between them: the camera was off, or the line was dead.
const GAP: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    is_lost: bool,
    /// Moment at which the last picture was taken.
    last: Option<Duration>,
    /// Since when the pictures have said the contrary of `is_lost`.
    since: Option<Duration>,
}

impl Sighting {
    /// Takes the next picture: when it was taken, and the share of it that is a person; `None`: nobody is looked for.
    /// Returns whether the participant is lost, if this picture has changed that.
    pub(super) fn see(&mut self, at: Duration, kept: Option<f32>) -> Option<bool> {
        let was_lost = self.is_lost;
        let passed = self.last.and_then(|last| at.checked_sub(last));
        if kept.is_none() || passed.is_none_or(|passed| passed > GAP) {
            *self = Self::default();
        }
        self.last = Some(at);
        if let Some(kept) = kept {
            let is_empty = kept < NOBODY;
            if is_empty == self.is_lost {
                self.since = None;
            } else {
                let since = *self.since.get_or_insert(at);
                let limit = if is_empty { LOST_AFTER } else { FOUND_AFTER };
                if at.saturating_sub(since) >= limit {
                    (self.is_lost, self.since) = (is_empty, None);
                }
            }
        }
        (self.is_lost != was_lost).then_some(self.is_lost)
    }

    /// Returns whether the participant is lost.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Option<f32> = Some(0.001);
    const PERSON: Option<f32> = Some(0.2);

    /// Shows pictures each 40 ms; when they changed something, in milliseconds, and what it was then.
    fn see(sighting: &mut Sighting, from: u64, to: u64, kept: impl Fn(u64) -> Option<f32>) -> Vec<(u64, bool)> {
        let at = Duration::from_millis;
        (from..to).step_by(40).filter_map(|ms| Some((ms, sighting.see(at(ms), kept(ms))?))).collect()
    }

    #[test]
    fn nobody_for_two_seconds_is_lost_and_somebody_for_some_pictures_is_found() {
        let mut sighting = Sighting::default();
        assert_eq!(see(&mut sighting, 0, 4000, |_| PERSON), []);
        assert_eq!(see(&mut sighting, 4000, 9000, |_| EMPTY), [(6000, true)]);
        assert!(sighting.is_lost());
        assert_eq!(see(&mut sighting, 9000, 12_000, |_| PERSON), [(9200, false)]);
        assert!(!sighting.is_lost());
    }

    #[test]
    fn who_joins_an_empty_room_is_lost_after_two_seconds_too() {
        assert_eq!(see(&mut Sighting::default(), 70_000, 75_000, |_| EMPTY), [(72_000, true)]);
    }

    #[test]
    fn a_break_begins_the_time_again() {
        let mut sighting = Sighting::default();
        // Somebody is seen in one picture each 1.6 seconds.
        let flicker = |ms: u64| if ms.is_multiple_of(1600) { PERSON } else { EMPTY };
        assert_eq!(see(&mut sighting, 0, 16_000, flicker), []);
        assert_eq!(see(&mut sighting, 16_000, 19_000, |_| EMPTY).len(), 1);
        // The same while they are lost: four pictures in a row are not enough.
        let flicker = |ms: u64| if ms % 400 < 160 { PERSON } else { EMPTY };
        assert_eq!(see(&mut sighting, 19_000, 30_000, flicker), []);
    }

    #[test]
    fn specks_are_nobody() {
        let mut sighting = Sighting::default();
        assert_eq!(see(&mut sighting, 0, 3000, |_| Some(0.0039)), [(2000, true)]);
        assert_eq!(see(&mut sighting, 3000, 4000, |_| Some(0.004)), [(3200, false)]);
    }

    #[test]
    fn nobody_is_lost_who_is_not_looked_for() {
        let mut sighting = Sighting::default();
        assert_eq!(see(&mut sighting, 0, 9000, |_| None), []);
        assert_eq!(see(&mut sighting, 9000, 12_000, |_| EMPTY), [(11_000, true)]);
        assert_eq!(see(&mut sighting, 12_000, 15_000, |_| None), [(12_000, false)]);
        assert_eq!(see(&mut sighting, 15_000, 18_000, |_| EMPTY), [(17_000, true)]);
    }

    #[test]
    fn time_without_pictures_counts_for_nothing() {
        let mut sighting = Sighting::default();
        assert_eq!(see(&mut sighting, 0, 1000, |_| EMPTY), []);
        assert_eq!(see(&mut sighting, 5000, 6000, |_| EMPTY), [], "the camera was off for four seconds");
        assert_eq!(see(&mut sighting, 6000, 8000, |_| EMPTY), [(7000, true)]);
        assert_eq!(see(&mut sighting, 12_000, 13_000, |_| EMPTY), [(12_000, false)], "and again");
        assert_eq!(see(&mut sighting, 100, 200, |_| EMPTY), [], "times of another camera");
    }
}
