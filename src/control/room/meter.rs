//! A room's part of the metrics.

use std::sync::Arc;

use crate::media::port::Health;

/// Reports one room and takes its part back when the room ends.
pub(super) struct Meter {
    room: Arc<str>,
    participants: usize,
    viewers: usize,
}

impl Meter {
    pub(super) fn new(room: Arc<str>) -> Self {
        metrics::gauge!("virfie_rooms").increment(1.0);
        Self { room, participants: 0, viewers: 0 }
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
    pub(super) fn measure(&self, health: &Health) {
        let room = || self.room.to_string();
        metrics::gauge!("virfie_room_fps", "room" => room()).set(f64::from(health.fps));
        metrics::gauge!("virfie_room_compose_ms", "room" => room()).set(f64::from(health.compose_ms));
        metrics::gauge!("virfie_room_masks_per_second", "room" => room()).set(f64::from(health.masks_per_second));
        metrics::gauge!("virfie_room_mask_ms", "room" => room()).set(f64::from(health.mask_ms));
        metrics::counter!("virfie_room_frames_total", "room" => room()).absolute(health.frames);
        metrics::counter!("virfie_room_late_frames_total", "room" => room()).absolute(health.late_frames);
        metrics::counter!("virfie_room_missed_frames_total", "room" => room()).absolute(health.missed_frames);
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
        self.measure(&Health::default());
    }
}
