//! A room's numbers: sampled once a second, for the room state.

use std::{sync::atomic::Ordering, time::Duration};

use metrics::{counter, gauge};

use crate::media::{compose::clock::Counters, gst::pipeline, port::Health};

/// Between two samples.
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    frames: u64,
    late: u64,
    missed: u64,
    compose_ns: u64,
    masks: u64,
    mask_ns: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Numbers {
    at: Duration,
    last: Totals,
    retired: (u64, u64),
    health: Health,
}

impl Numbers {
    pub(super) fn new(now: Duration) -> Self {
        Self { at: now, last: Totals::default(), retired: (0, 0), health: Health::default() }
    }

    /// Keeps the masks of a peer that went: totals never fall.
    pub(super) fn retire(&mut self, (masks, nanoseconds): (u64, u64)) {
        self.retired.0 += masks;
        self.retired.1 += nanoseconds;
    }

    pub(super) fn set_encoders(&mut self, running: Vec<String>) {
        self.health.running = !running.is_empty();
        self.health.encoders = running;
    }

    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    /// Takes a sample if a second has passed.
    pub(super) fn sample(&mut self, now: Duration, counters: &Counters, masks: impl Iterator<Item = (u64, u64)>) {
        let passed = now.saturating_sub(self.at);
        if passed < SECOND {
            return;
        }
        let (made, took) = masks.fold(self.retired, |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let totals = Totals {
            frames: counters.frames.load(Ordering::Relaxed),
            late: counters.late.load(Ordering::Relaxed),
            missed: counters.missed.load(Ordering::Relaxed),
            compose_ns: counters.compose_ns.load(Ordering::Relaxed),
            masks: made,
            mask_ns: took,
        };
        let last = self.last;
        let frames = totals.frames.saturating_sub(last.frames);
        let masks = totals.masks.saturating_sub(last.masks);
        let seconds = passed.as_secs_f32();
        let mean_ms = |nanoseconds: u64, count: u64| {
            if count == 0 { 0.0 } else { nanoseconds as f32 / count as f32 / 1e6 }
        };
        self.health.frames = totals.frames;
        self.health.late_frames = totals.late;
        self.health.missed_frames = totals.missed;
        self.health.fps = frames as f32 / seconds;
        self.health.masks_per_second = masks as f32 / seconds;
        self.health.mask_ms = mean_ms(totals.mask_ns.saturating_sub(last.mask_ns), masks);
        self.health.compose_ms = mean_ms(totals.compose_ns.saturating_sub(last.compose_ns), frames);
        // A room's own numbers are reported by its actor, from the health that it asks for.
        counter!("virfie_masks_total").increment(masks);
        gauge!("virfie_pipelines").set(pipeline::alive() as f64);
        self.last = totals;
        self.at = now;
    }
}
