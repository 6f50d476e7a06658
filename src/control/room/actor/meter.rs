//! A room's part of the metrics: of all rooms the sum, or the worst where a sum says nothing. A label for each room
//! would stay for ever, and everybody who may join can make rooms. What one room does is in its state.

use std::{
    collections::BTreeMap,
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

use crate::{
    control::room::state::output::OutputPhase,
    media::port::{Health, Loudness},
};

/// The numbers that are reported of the worst room alone: what it lacks time for, and how loud it is.
#[derive(Debug, Clone, Copy, Default)]
struct Worst {
    /// Mean and greatest age of the masks shown, in seconds.
    age: f64,
    oldest: f64,
    /// On every n-th frame of a stream a mask is inferred.
    every: u32,
    /// The network's inputs are so many sizes smaller.
    smaller: u32,
    /// Encoded frames a second left out, of all rooms.
    skipped: f64,
    /// The longest time between two blocks of sound, in seconds.
    gap: f64,
    /// Loudness of three seconds in LUFS, and true peak in dB; `None`: silent.
    loudness: Option<f64>,
    true_peak: Option<f64>,
}

/// The value that is reported for a silent room: the standard counts nothing below it.
const SILENT: f64 = -70.0;

impl Worst {
    fn of(health: &Health, loudness: Loudness) -> Self {
        Self {
            age: f64::from(health.mask_age_ms) / 1000.0,
            oldest: f64::from(health.oldest_mask_ms) / 1000.0,
            every: health.masks_every,
            smaller: health.inputs_smaller,
            skipped: f64::from(health.skipped_per_second),
            gap: f64::from(health.sound_gap_ms) / 1000.0,
            loudness: loudness.short_term.map(f64::from),
            true_peak: loudness.true_peak.map(f64::from),
        }
    }

    fn worst(self, other: &Self) -> Self {
        Self {
            age: self.age.max(other.age),
            oldest: self.oldest.max(other.oldest),
            every: self.every.max(other.every),
            smaller: self.smaller.max(other.smaller),
            skipped: self.skipped.max(other.skipped),
            gap: self.gap.max(other.gap),
            loudness: louder(self.loudness, other.loudness),
            true_peak: louder(self.true_peak, other.true_peak),
        }
    }
}

fn louder(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// Of each room, by the number of its meter.
static ROOMS: Mutex<BTreeMap<u64, Worst>> = Mutex::new(BTreeMap::new());

/// Numbers the meters.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Reports one room and takes its part back when the room ends.
pub(super) struct Meter {
    number: u64,
    participants: usize,
    viewers: usize,
    outputs: [usize; OutputPhase::ALL.len()],
    last: Health,
}

impl Meter {
    pub(super) fn new() -> Self {
        static DESCRIBED: Once = Once::new();
        DESCRIBED.call_once(describe);
        metrics::gauge!("virfie_rooms").increment(1.0);
        let meter = Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            participants: 0,
            viewers: 0,
            outputs: [0; OutputPhase::ALL.len()],
            last: Health::default(),
        };
        meter.report_worst(Some(Worst::of(&meter.last, Loudness::default())));
        meter
    }

    /// Sets how many are in now.
    pub(super) fn count(&mut self, (participants, viewers): (usize, usize)) {
        if (participants, viewers) != (self.participants, self.viewers) {
            metrics::gauge!("virfie_participants").increment(difference(participants, self.participants));
            metrics::gauge!("virfie_viewers").increment(difference(viewers, self.viewers));
            (self.participants, self.viewers) = (participants, viewers);
        }
    }

    /// Sets how many outputs are in each phase now, in the order of [`OutputPhase::ALL`].
    pub(super) fn count_outputs(&mut self, outputs: [usize; OutputPhase::ALL.len()]) {
        for ((phase, now), before) in OutputPhase::ALL.iter().zip(outputs).zip(&mut self.outputs) {
            if now != *before {
                metrics::gauge!("virfie_outputs", "state" => phase.name()).increment(difference(now, *before));
                *before = now;
            }
        }
    }

    /// Records how the room's media is doing.
    pub(super) fn measure(&mut self, health: &Health, loudness: Loudness) {
        self.add(health);
        self.report_worst(Some(Worst::of(health, loudness)));
    }

    /// Adds what has changed since the last time.
    fn add(&mut self, health: &Health) {
        let last = &self.last;
        metrics::counter!("virfie_frames_total").increment(health.frames.saturating_sub(last.frames));
        metrics::counter!("virfie_late_frames_total").increment(health.late_frames.saturating_sub(last.late_frames));
        metrics::counter!("virfie_missed_frames_total")
            .increment(health.missed_frames.saturating_sub(last.missed_frames));
        metrics::counter!("virfie_dropped_frames_total")
            .increment(health.dropped_frames.saturating_sub(last.dropped_frames));
        let grown = |now: f32, before: f32| f64::from(now) - f64::from(before);
        metrics::gauge!("virfie_frames_per_second").increment(grown(health.fps, last.fps));
        metrics::gauge!("virfie_masks_per_second").increment(grown(health.masks_per_second, last.masks_per_second));
        metrics::gauge!("virfie_carried_masks_per_second")
            .increment(grown(health.carried_per_second, last.carried_per_second));
        metrics::gauge!("virfie_thinned_frames_per_second")
            .increment(grown(health.thinned_per_second, last.thinned_per_second));
        self.last = health.clone();
    }

    /// Takes this room's part, or with `None` forgets it, and shows the worst of all rooms.
    fn report_worst(&self, own: Option<Worst>) {
        let mut rooms = ROOMS.lock();
        match own {
            Some(own) => rooms.insert(self.number, own),
            None => rooms.remove(&self.number),
        };
        let worst = rooms.values().fold(Worst { every: 1, ..Worst::default() }, Worst::worst);
        // Still under the lock: the last to come shows what holds for all.
        metrics::gauge!("virfie_mask_age_seconds").set(worst.age);
        metrics::gauge!("virfie_oldest_mask_seconds").set(worst.oldest);
        metrics::gauge!("virfie_masks_every").set(worst.every);
        metrics::gauge!("virfie_inputs_smaller").set(worst.smaller);
        metrics::gauge!("virfie_skipped_frames_per_second").set(worst.skipped);
        metrics::gauge!("virfie_sound_gap_seconds").set(worst.gap);
        metrics::gauge!("virfie_loudness_lufs").set(worst.loudness.unwrap_or(SILENT));
        metrics::gauge!("virfie_true_peak_dbtp").set(worst.true_peak.unwrap_or(SILENT));
    }
}

/// Describes what the numbers mean, for those who look at them.
fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_gauge!("virfie_rooms", "Rooms");
    describe_gauge!("virfie_participants", "Participants of all rooms");
    describe_gauge!("virfie_viewers", "Viewers of all rooms");
    describe_gauge!("virfie_outputs", "Outputs of all rooms, by state");
    describe_counter!("virfie_masks_total", "Masks inferred from their own frame");
    describe_gauge!("virfie_pipelines", "GStreamer pipelines that live");
    describe_counter!("virfie_encoder_failures_total", "Encoders that failed or hung");
    describe_counter!("virfie_frames_total", "Frames composed");
    describe_counter!("virfie_late_frames_total", "Frames composed later than half a frame after their tick");
    describe_counter!("virfie_missed_frames_total", "Ticks without a frame");
    describe_counter!("virfie_dropped_frames_total", "Composed frames that an encoder had no time for");
    describe_gauge!("virfie_receivers", "Connections that the mix goes out by, by codec and rendition");
    describe_counter!("virfie_rung_switches_total", "Changes of what a receiver is sent, by reason");
    describe_counter!(
        "virfie_retransmitted_packets_total",
        "Packets sent to receivers again, padding of probes included"
    );
    describe_counter!("virfie_delivered_bytes_total", "Bytes sent to receivers");
    describe_counter!("virfie_delivery_packets_ignored_total", "Packets of receivers who send more than is looked at");
    describe_gauge!("virfie_media_tcp_connections", "TCP connections that receivers have opened for media");
    describe_gauge!("virfie_frames_per_second", "Composed frames a second of all rooms");
    describe_gauge!("virfie_masks_per_second", "Masks inferred a second from their own frame, in all rooms");
    describe_gauge!("virfie_carried_masks_per_second", "Masks a second carried on from an earlier frame");
    describe_gauge!(
        "virfie_mask_age_seconds",
        "Mean age of the masks shown, from the frame that they were inferred from to the composition; the worst room's"
    );
    describe_gauge!(
        "virfie_oldest_mask_seconds",
        "Age of the oldest mask shown over the last second; the worst room's"
    );
    describe_gauge!(
        "virfie_loudness_lufs",
        "Loudness of the mix over three seconds by EBU R 128, -70 when silent; the loudest room's"
    );
    describe_gauge!("virfie_true_peak_dbtp", "True peak of the mix over a second, -70 when silent; the loudest room's");
    describe_gauge!(
        "virfie_inputs_smaller",
        "The segmentation's inputs are so many sizes smaller, 0 when there is time; the worst room's"
    );
    describe_gauge!(
        "virfie_thinned_frames_per_second",
        "Decoded frames a second that are left out because there is no time to segment them"
    );
    describe_gauge!(
        "virfie_skipped_frames_per_second",
        "Encoded frames a second that are left out up to a keyframe because decoding does not keep up"
    );
    describe_gauge!(
        "virfie_sound_gap_seconds",
        "The longest time between two blocks of sound over the last second, 0.02 when all is well; the worst room's"
    );
    describe_gauge!(
        "virfie_masks_every",
        "A mask is inferred on every n-th frame of a stream, 1 when there is time; the worst room's"
    );
}

/// Head counts are far below what a float can hold exactly.
#[allow(clippy::cast_precision_loss)]
fn difference(now: usize, before: usize) -> f64 {
    now as f64 - before as f64
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.count((0, 0));
        self.count_outputs([0; OutputPhase::ALL.len()]);
        metrics::gauge!("virfie_rooms").decrement(1.0);
        self.add(&Health::default());
        self.report_worst(None);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn of_all_rooms_the_worst_is_reported_until_it_ends() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            let (mut slow, mut fast) = (Meter::new(), Meter::new());
            let health = |masks_every, mask_age_ms| Health {
                masks_every,
                mask_age_ms,
                oldest_mask_ms: 2.0 * mask_age_ms,
                inputs_smaller: masks_every - 1,
                masks_per_second: 15.0,
                carried_per_second: 5.0,
                dropped_frames: 4,
                ..Health::default()
            };
            let loud = |lufs| Loudness { short_term: Some(lufs), true_peak: Some(-6.0), ..Loudness::default() };
            slow.measure(&health(3, 80.0), loud(-20.0));
            fast.measure(&health(1, 20.0), loud(-30.0));
            let value = |name: &str| -> f64 {
                let text = handle.render();
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
            };
            assert!((value("virfie_mask_age_seconds") - 0.08).abs() < 1e-6);
            assert_eq!(value("virfie_masks_every"), 3.0);
            assert!((value("virfie_oldest_mask_seconds") - 0.16).abs() < 1e-6);
            assert_eq!(value("virfie_inputs_smaller"), 2.0);
            assert_eq!(value("virfie_masks_per_second"), 30.0);
            assert_eq!(value("virfie_carried_masks_per_second"), 10.0);
            assert_eq!(value("virfie_dropped_frames_total"), 8.0);
            assert_eq!((value("virfie_loudness_lufs"), value("virfie_true_peak_dbtp")), (-20.0, -6.0));
            slow.count_outputs([0, 2, 0, 1, 0, 0]);
            fast.count_outputs([0, 1, 0, 0, 0, 0]);
            assert_eq!(value("virfie_outputs{state=\"live\"}"), 3.0);
            drop(slow);
            assert_eq!(value("virfie_outputs{state=\"live\"}"), 1.0);
            assert_eq!(value("virfie_outputs{state=\"retrying\"}"), 0.0);
            assert_eq!(value("virfie_loudness_lufs"), -30.0);
            assert!((value("virfie_mask_age_seconds") - 0.02).abs() < 1e-6);
            assert_eq!((value("virfie_masks_every"), value("virfie_masks_per_second")), (1.0, 15.0));
            assert_eq!(value("virfie_dropped_frames_total"), 8.0, "a total never falls");
            drop(fast);
            assert_eq!((value("virfie_rooms"), value("virfie_carried_masks_per_second")), (0.0, 0.0));
            assert!(handle.render().contains("# HELP virfie_masks_every A mask is inferred on every n-th frame"));
        });
    }
}
