//! A room's part of the metrics. Sums over all rooms: a label for each room would stay for ever, and rooms are made by
//! whoever may join. What one room does is in its state.

use crate::media::port::Health;

/// Reports one room and takes its part back when the room ends.
pub(super) struct Meter {
    participants: usize,
    viewers: usize,
    last: Health,
}

impl Meter {
    pub(super) fn new() -> Self {
        metrics::gauge!("virfie_rooms").increment(1.0);
        Self { participants: 0, viewers: 0, last: Health::default() }
    }

    /// How many are in now.
    pub(super) fn count(&mut self, (participants, viewers): (usize, usize)) {
        if (participants, viewers) != (self.participants, self.viewers) {
            metrics::gauge!("virfie_participants").increment(difference(participants, self.participants));
            metrics::gauge!("virfie_viewers").increment(difference(viewers, self.viewers));
            (self.participants, self.viewers) = (participants, viewers);
        }
    }

    /// How the room's media is doing.
    pub(super) fn measure(&mut self, health: &Health) {
        let last = &self.last;
        metrics::counter!("virfie_frames_total").increment(health.frames.saturating_sub(last.frames));
        metrics::counter!("virfie_late_frames_total").increment(health.late_frames.saturating_sub(last.late_frames));
        metrics::counter!("virfie_missed_frames_total")
            .increment(health.missed_frames.saturating_sub(last.missed_frames));
        let grown = |now: f32, before: f32| f64::from(now) - f64::from(before);
        metrics::gauge!("virfie_frames_per_second").increment(grown(health.fps, last.fps));
        metrics::gauge!("virfie_masks_per_second").increment(grown(health.masks_per_second, last.masks_per_second));
        self.last = health.clone();
    }
}

/// Head counts are far below what a float can hold exactly.
#[allow(clippy::cast_precision_loss)]
fn difference(now: usize, before: usize) -> f64 {
    now as f64 - before as f64
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.count((0, 0));
        metrics::gauge!("virfie_rooms").decrement(1.0);
        self.measure(&Health { frames: self.last.frames, ..Health::default() });
    }
}
