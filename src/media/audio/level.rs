//! Loudness of a block, and the decision whether somebody speaks. PURE.

/// A block whose RMS is above this is speech: -50 dBFS. Browsers level a microphone to about -25 dBFS while one
/// speaks and suppress a room's noise to below -65 dBFS, so this lies in the gap and catches soft voices too.
const SPEECH_RMS: f32 = 0.003_162_277_7;

/// Blocks of 20 ms without speech after which somebody has stopped speaking: 600 ms, longer than the pauses between
/// words, so that a name does not flicker within a sentence.
const SPEECH_HOLD_BLOCKS: u32 = 30;

/// Sums run in this many lanes, so that the compiler may keep them in vector registers.
const LANES: usize = 16;

/// Loudness of a block of samples, linear: 1.0 is full scale.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// Root mean square. A full-scale sine has 0.707.
    pub rms: f32,
    /// Largest absolute sample.
    pub peak: f32,
}

impl Level {
    /// Measures any number of samples; none is silence.
    pub fn of(samples: &[f32]) -> Self {
        if samples.is_empty() {
            return Self::default();
        }
        let mut squares = [0.0f32; LANES];
        let mut peaks = [0.0f32; LANES];
        let (lines, rest) = samples.as_chunks::<LANES>();
        for line in lines {
            for lane in 0..LANES {
                let size = line[lane].abs();
                squares[lane] += size * size;
                peaks[lane] = if size > peaks[lane] { size } else { peaks[lane] };
            }
        }
        for (lane, sample) in rest.iter().enumerate() {
            squares[lane] += sample * sample;
            peaks[lane] = peaks[lane].max(sample.abs());
        }
        let sum: f32 = squares.iter().sum();
        let peak = peaks.iter().fold(0.0f32, |a, b| a.max(*b));
        Self { rms: (sum / samples.len() as f32).sqrt(), peak }
    }

    /// Returns the louder of two, by each measure.
    pub fn max(self, other: Self) -> Self {
        Self { rms: self.rms.max(other.rms), peak: self.peak.max(other.peak) }
    }

    /// Returns the level after a linear gain.
    pub fn scaled(self, gain: f32) -> Self {
        Self { rms: self.rms * gain, peak: self.peak * gain }
    }

    /// Returns the RMS in dB of full scale; silence is minus infinity.
    pub fn rms_dbfs(self) -> f32 {
        20.0 * self.rms.log10()
    }

    /// Returns the peak in dB of full scale; silence is minus infinity.
    pub fn peak_dbfs(self) -> f32 {
        20.0 * self.peak.log10()
    }
}

/// Decides from block levels who speaks: on with the first loud block, off after 600 ms without one.
#[derive(Debug, Clone, Default)]
pub struct Speech {
    speaking: bool,
    quiet_blocks: u32,
}

impl Speech {
    /// Returns whether somebody speaks now.
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Takes the level of the next 20 ms block. `Some(now)` when that changed the answer.
    pub fn update(&mut self, level: Level) -> Option<bool> {
        if level.rms > SPEECH_RMS {
            self.quiet_blocks = 0;
            let changed = !self.speaking;
            self.speaking = true;
            return changed.then_some(true);
        }
        if !self.speaking {
            return None;
        }
        self.quiet_blocks += 1;
        if self.quiet_blocks < SPEECH_HOLD_BLOCKS {
            return None;
        }
        self.speaking = false;
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud(rms_dbfs: f32) -> Level {
        let rms = 10.0f32.powf(rms_dbfs / 20.0);
        Level { rms, peak: rms }
    }

    #[test]
    fn a_full_scale_square_is_0_dbfs_and_a_sine_is_3_db_below() {
        let square: Vec<f32> = (0..963).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let level = Level::of(&square);
        assert!(level.rms_dbfs().abs() < 0.01 && level.peak_dbfs().abs() < 0.01);
        let sine: Vec<f32> = (0..960).map(|i| (i as f32 * std::f32::consts::TAU / 96.0).sin()).collect();
        let level = Level::of(&sine);
        assert!((level.rms_dbfs() + 3.01).abs() < 0.02, "{}", level.rms_dbfs());
        assert!(level.peak_dbfs().abs() < 0.01);
    }

    #[test]
    fn the_peak_of_the_last_odd_samples_counts() {
        let mut samples = vec![0.0; 37];
        samples[36] = -0.5;
        assert_eq!(Level::of(&samples).peak, 0.5);
        assert_eq!(Level::of(&[]), Level::default());
    }

    #[test]
    fn speech_starts_at_once_and_survives_pauses_between_words() {
        let mut speech = Speech::default();
        assert_eq!(speech.update(loud(-55.0)), None);
        assert_eq!(speech.update(loud(-45.0)), Some(true));
        for _ in 0..29 {
            assert_eq!(speech.update(loud(-70.0)), None);
        }
        assert_eq!(speech.update(loud(-40.0)), None, "still the same sentence");
        for _ in 0..29 {
            assert_eq!(speech.update(loud(-70.0)), None);
        }
        assert_eq!(speech.update(loud(-70.0)), Some(false), "600 ms of quiet end it");
        assert_eq!(speech.update(loud(-70.0)), None);
        assert_eq!(speech.update(loud(-20.0)), Some(true));
        assert!(speech.speaking());
    }
}
