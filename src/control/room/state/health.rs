//! Health and loudness of a room's media, as others see it. PURE.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::media::port;

/// The functions that suffer when the machine has too little time, in the order in which it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// Masks are found in smaller pictures: their edges are coarser.
    MaskDetail,
    /// Masks are found in fewer frames, and carried on to the others.
    MaskRate,
    /// Fewer of the participants' frames are shown.
    FrameRate,
    /// Of some participants keyframes only are shown now and then: even decoding does not keep up.
    Decoding,
    /// An encoder leaves frames out.
    Encoding,
    /// The output itself missed a frame, or its sound halted.
    Output,
}

/// A gap of sound that can be heard: one block late is not.
const SOUND_GAP_MS: f32 = 40.0;

impl Degraded {
    /// Returns what suffers now.
    fn list(health: &port::Health) -> Vec<Self> {
        let all = [
            (health.inputs_smaller > 0, Self::MaskDetail),
            (health.masks_every > 1, Self::MaskRate),
            (health.thinned_per_second > 0.0, Self::FrameRate),
            (health.skipped_per_second > 0.0, Self::Decoding),
            (health.dropped_per_second > 0.0, Self::Encoding),
            (health.missed_per_second > 0.0 || health.sound_gap_ms > SOUND_GAP_MS, Self::Output),
        ];
        all.into_iter().filter_map(|(suffers, what)| suffers.then_some(what)).collect()
    }
}

/// The health of the room's media. Counters grow from the room's start.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// Whether the output clock runs; it rests while nobody receives.
    pub running: bool,
    /// Composed frames a second.
    pub fps: f64,
    /// Frames composed.
    pub frames: u64,
    /// Frames composed later than half a frame after their tick.
    pub late_frames: u64,
    /// Ticks without a frame, in the program or a picture beside it.
    pub missed_frames: u64,
    /// Composed frames that an encoder had no time for.
    pub dropped_frames: u64,
    /// Encoded frames a second, of all rooms, that are left out up to the next keyframe because decoding does not keep
    /// up.
    pub skipped_per_second: f64,
    /// The longest time between two blocks of sound over the last second, in milliseconds. 20 when all is well; from 40
    /// on it may be heard.
    pub sound_gap_ms: f64,
    /// The same since the room's start.
    pub longest_sound_gap_ms: f64,
    /// Parts of the service that suffer now because the machine has too little time; empty while all is well.
    pub degraded: Vec<Degraded>,
    /// Mean time of composing one frame, in milliseconds.
    pub compose_ms: f64,
    /// Encodings that run now.
    pub encoders: Vec<String>,
    /// Number of times that the room was begun again after a fault. Its connections are lost each time, and its
    /// counters begin at zero.
    pub rebuilds: u32,
    /// Reason for the last time.
    #[schema(value_type = Option<String>)]
    pub rebuilt_because: Option<Arc<str>>,
}

impl From<&port::Health> for Health {
    fn from(health: &port::Health) -> Self {
        Self {
            running: health.running,
            fps: rounded(health.fps),
            frames: health.frames,
            late_frames: health.late_frames,
            missed_frames: health.missed_frames,
            dropped_frames: health.dropped_frames,
            skipped_per_second: rounded(health.skipped_per_second),
            sound_gap_ms: rounded(health.sound_gap_ms),
            longest_sound_gap_ms: rounded(health.longest_sound_gap_ms),
            degraded: Degraded::list(health),
            compose_ms: rounded(health.compose_ms),
            encoders: health.encoders.clone(),
            rebuilds: 0,
            rebuilt_because: None,
        }
    }
}

/// The loudness of the mix, by EBU R 128. All is null while the room is silent, except what counts from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Loudness {
    /// Over the last 400 ms, in LUFS.
    pub momentary: Option<f64>,
    /// Over the last three seconds, in LUFS.
    pub short_term: Option<f64>,
    /// Since the room's media began, without pauses, in LUFS.
    pub integrated: Option<f64>,
    /// Highest true peak of the last second, in dBTP.
    pub true_peak: Option<f64>,
    /// Highest true peak since the room's media began, in dBTP.
    pub max_true_peak: Option<f64>,
}

impl From<port::Loudness> for Loudness {
    fn from(loudness: port::Loudness) -> Self {
        let port::Loudness { momentary, short_term, integrated, true_peak, max_true_peak } = loudness;
        // Meters show one decimal.
        let shown = |value: Option<f32>| value.map(|value| (f64::from(value) * 10.0).round() / 10.0);
        Self {
            momentary: shown(momentary),
            short_term: shown(short_term),
            integrated: shown(integrated),
            true_peak: shown(true_peak),
            max_true_peak: shown(max_true_peak),
        }
    }
}

/// Rounds to two decimals: measured means have no more to say.
pub(super) fn rounded(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_suffers_is_listed_in_the_order_in_which_it_is_given_up() {
        assert!(Degraded::list(&port::Health::default()).is_empty());
        let all = port::Health {
            inputs_smaller: 1,
            masks_every: 2,
            thinned_per_second: 0.5,
            skipped_per_second: 0.5,
            dropped_per_second: 1.0,
            sound_gap_ms: 41.0,
            ..port::Health::default()
        };
        use Degraded::{Decoding, Encoding, FrameRate, MaskDetail, MaskRate, Output};
        assert_eq!(Degraded::list(&all), [MaskDetail, MaskRate, FrameRate, Decoding, Encoding, Output]);
        let well = port::Health { sound_gap_ms: 21.0, ..port::Health::default() };
        assert!(Degraded::list(&well).is_empty());
    }
}
