//! A room's numbers: sampled once a second, for the room state.

use std::{sync::atomic::Ordering, time::Duration};

use metrics::{counter, gauge};

use super::{aux_pictures::Lateness, connection::Masks};
use crate::media::{compose::clock::Counters, gst::pipeline, ingest, port::Health, segment::pool};

/// Between two samples.
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    frames: u64,
    late: u64,
    missed: u64,
    compose_ns: u64,
    masks_shown: u64,
    mask_age_ns: u64,
    masks: Masks,
    skipped: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Stats {
    at: Duration,
    last: Totals,
    retired: Masks,
    health: Health,
    /// The program is composed now.
    composes: bool,
    /// Samples in a row in which it was, and without a frame.
    empty: u32,
    /// Between two blocks of sound, the longest since the last sample.
    gap: Duration,
}

impl Stats {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            at: now,
            last: Totals::default(),
            retired: Masks::default(),
            health: Health { masks_every: 1, ..Health::default() },
            composes: false,
            empty: 0,
            gap: Duration::ZERO,
        }
    }

    /// Keeps the masks of a peer that went: totals never fall.
    pub(super) fn retire(&mut self, masks: Masks) {
        self.retired = self.retired + masks;
    }

    /// Notes which encoders run, and whether one of them is of the program itself.
    pub(super) fn set_encoders(&mut self, composes: bool, running: Vec<String>) {
        self.composes = composes;
        self.health.running = !running.is_empty();
        self.health.encoders = running;
    }

    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    /// Reports the longest time between two blocks of sound since the last report.
    pub(super) fn sound(&mut self, gap: Duration) {
        self.gap = self.gap.max(gap);
    }

    /// Takes a sample if a second has passed. `aux`: how late pictures beside the program were; `dropped`: frames that
    /// encoders had no time for.
    pub(super) fn sample(
        &mut self,
        now: Duration,
        counters: &Counters,
        aux: Lateness,
        masks: impl Iterator<Item = Masks>,
        dropped: u64,
    ) {
        let passed = now.saturating_sub(self.at);
        if passed < SECOND {
            return;
        }
        let Lateness { late, missed } = Lateness::of(counters) + aux;
        let totals = Totals {
            frames: counters.frames.load(Ordering::Relaxed),
            late,
            missed,
            compose_ns: counters.compose_ns.load(Ordering::Relaxed),
            masks_shown: counters.masks_shown.load(Ordering::Relaxed),
            mask_age_ns: counters.mask_age_ns.load(Ordering::Relaxed),
            masks: masks.fold(self.retired, std::ops::Add::add),
            skipped: ingest::skipped(),
        };
        let last = self.last;
        let since = |total: u64, last: u64| total.saturating_sub(last);
        let frames = since(totals.frames, last.frames);
        let inferred = since(totals.masks.inferred, last.masks.inferred);
        let carried = since(totals.masks.carried, last.masks.carried);
        let seconds = passed.as_secs_f32();
        let mean_ms = |nanoseconds: u64, count: u64| {
            if count == 0 { 0.0 } else { nanoseconds as f32 / count as f32 / 1e6 }
        };
        self.health.frames = totals.frames;
        self.health.late_frames = totals.late;
        self.health.missed_frames = totals.missed;
        // A frame that takes longer than this counts what it missed only when it is done. One a second may just be late.
        self.empty = if frames == 0 && self.composes { self.empty + 1 } else { 0 };
        let stands = self.empty > 1;
        self.health.missed_per_second = since(totals.missed, last.missed).max(u64::from(stands)) as f32 / seconds;
        self.health.dropped_per_second = since(dropped, self.health.dropped_frames) as f32 / seconds;
        self.health.dropped_frames = dropped;
        self.health.fps = frames as f32 / seconds;
        self.health.masks_per_second = inferred as f32 / seconds;
        self.health.carried_per_second = carried as f32 / seconds;
        self.health.mask_ms = mean_ms(since(totals.masks.nanoseconds, last.masks.nanoseconds), inferred + carried);
        self.health.mask_age_ms =
            mean_ms(since(totals.mask_age_ns, last.mask_age_ns), since(totals.masks_shown, last.masks_shown));
        let plan = pool::plan();
        self.health.masks_every = plan.every;
        self.health.inputs_smaller = plan.shrinking;
        self.health.oldest_mask_ms = counters.oldest_mask_ns.swap(0, Ordering::Relaxed) as f32 / 1e6;
        self.health.thinned_per_second = since(totals.masks.thinned, last.masks.thinned) as f32 / seconds;
        self.health.skipped_per_second = since(totals.skipped, last.skipped) as f32 / seconds;
        self.health.sound_gap_ms = std::mem::take(&mut self.gap).as_secs_f32() * 1e3;
        self.health.longest_sound_gap_ms = self.health.longest_sound_gap_ms.max(self.health.sound_gap_ms);
        self.health.compose_ms = mean_ms(since(totals.compose_ns, last.compose_ns), frames);
        // A room that composes late is what the segmentation must make way for.
        let missed = since(totals.missed, last.missed);
        let ticks = u32::try_from(frames + missed).unwrap_or(u32::MAX);
        pool::ticked(ticks, u32::try_from(since(totals.late, last.late) + missed).unwrap_or(u32::MAX));
        // A room's own numbers are reported by its actor, from the health that it asks for.
        counter!("virfie_masks_total").increment(inferred);
        gauge!("virfie_pipelines").set(pipeline::alive() as f64);
        self.last = totals;
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_composes_nothing_for_two_seconds_misses_frames_at_once() {
        let (mut stats, counters) = (Stats::new(Duration::ZERO), Counters::default());
        let mut missed = |second: u64, composes: bool, frames: u64| {
            counters.frames.store(frames, Ordering::Relaxed);
            stats.set_encoders(composes, vec!["h264".to_owned()]);
            stats.sample(
                SECOND * u32::try_from(second).unwrap_or(0),
                &counters,
                Lateness::default(),
                std::iter::empty(),
                0,
            );
            stats.health().missed_per_second
        };
        assert_eq!(missed(1, false, 0), 0.0, "it rests, and a picture beside it is encoded");
        assert_eq!(missed(2, true, 0), 0.0, "it has just begun");
        assert_eq!(missed(3, true, 30), 0.0);
        assert_eq!(missed(4, true, 30), 0.0, "a frame may be late");
        assert_eq!(missed(5, true, 30), 1.0, "one frame takes more than a second");
        assert_eq!(missed(6, false, 30), 0.0, "it rests again");
    }
}
