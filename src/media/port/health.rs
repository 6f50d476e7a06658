//! Numbers of a room's media.

/// The health of a room's media. Counters grow from the room's start.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Whether the output clock runs (it rests while nobody receives).
    pub running: bool,
    /// Frames composed.
    pub frames: u64,
    /// Frames composed later than half a frame after their tick, those of pictures beside the program included.
    pub late_frames: u64,
    /// Ticks that had no frame at all, in the program or a picture beside it.
    pub missed_frames: u64,
    /// Composed frames that an encoder had no time for, of all encoders together.
    pub dropped_frames: u64,
    /// Composed frames a second over the last second.
    pub fps: f32,
    /// Masks inferred a second from their own frame, over the last second and of all participants together.
    pub masks_per_second: f32,
    /// Mean time of one mask over the last second, in milliseconds.
    pub mask_ms: f32,
    /// A mask is inferred on every n-th frame of a stream; 1: on all.
    pub masks_every: u32,
    /// Mean age of the masks shown over the last second, in milliseconds: from the arrival of the frame that a mask was
    /// inferred from to its composition.
    pub mask_age_ms: f32,
    /// Masks a second, over the last second and of all participants together, that are not inferred from their own
    /// frame: they are carried on from an earlier one.
    pub carried_per_second: f32,
    /// The oldest mask shown over the last second, in milliseconds, as above.
    pub oldest_mask_ms: f32,
    /// The network's inputs are so many sizes smaller than they should be; 0: none.
    pub inputs_smaller: u32,
    /// Frames a second, over the last second and of all participants together, that were not looked at.
    pub thinned_per_second: f32,
    /// Encoded frames a second, over the last second and in all rooms, that were left out up to a keyframe because
    /// decoding did not keep up.
    pub skipped_per_second: f32,
    /// Ticks a second without a frame, over the last second.
    pub missed_per_second: f32,
    /// Composed frames a second, over the last second, that an encoder had no time for.
    pub dropped_per_second: f32,
    /// The longest time between two blocks of sound over the last second, in milliseconds; 20 when all is well.
    pub sound_gap_ms: f32,
    /// The same since the room's start.
    pub longest_sound_gap_ms: f32,
    /// Mean time of composing one frame over the last second, in milliseconds.
    pub compose_ms: f32,
    /// Encodings that run now, for instance `["h264"]`.
    pub encoders: Vec<String>,
}

impl Default for Health {
    /// Returns the health of media that has measured nothing yet.
    fn default() -> Self {
        Self {
            running: false,
            frames: 0,
            late_frames: 0,
            missed_frames: 0,
            dropped_frames: 0,
            fps: 0.0,
            masks_per_second: 0.0,
            mask_ms: 0.0,
            masks_every: 1,
            mask_age_ms: 0.0,
            carried_per_second: 0.0,
            oldest_mask_ms: 0.0,
            inputs_smaller: 0,
            thinned_per_second: 0.0,
            skipped_per_second: 0.0,
            missed_per_second: 0.0,
            dropped_per_second: 0.0,
            sound_gap_ms: 0.0,
            longest_sound_gap_ms: 0.0,
            compose_ms: 0.0,
            encoders: Vec::new(),
        }
    }
}

/// The loudness of a mix, by EBU R 128; `None`: silent, below -70 LUFS.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loudness {
    /// Over the last 400 ms, in LUFS.
    pub momentary: Option<f32>,
    /// Over the last three seconds, in LUFS.
    pub short_term: Option<f32>,
    /// Since the room's media began, without pauses, in LUFS.
    pub integrated: Option<f32>,
    /// Highest true peak since the last report, in dB of full scale.
    pub true_peak: Option<f32>,
    /// The same since the room's media began.
    pub max_true_peak: Option<f32>,
}
