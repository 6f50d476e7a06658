//! Soft limiter for one output, without look-ahead, so without delay. PURE.
//!
//! A peak follower with instant attack and a slow release rides the gain along a soft knee. A signal that stays below
//! the knee passes bit for bit. As the follower is never below the sample it sees, and the knee's curve never reaches
//! [`CEILING`], no output sample does, whatever comes in; and as the follower is continuous where the signal is, the
//! gain makes no clicks.

/// Below this peak nothing is touched: -3 dBFS.
pub const KNEE: f32 = 0.707_945_8;

/// No output sample is above this. Opus and AAC encoders overshoot a little; full scale leaves them no room.
pub const CEILING: f32 = 0.98;

/// Per-sample decay of the follower: 100 ms to fall to 1/e at 48 kHz. Faster would follow the halves of a low voice's
/// period and distort it, slower would leave a hole after a cough.
const RELEASE: f32 = 0.999_791_7;

/// The state of one output's limiter. `Clone` hands a running state over to another output of nearly the same sound.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    peak: f32,
}

impl Limiter {
    /// Limits samples in place. Input must be finite; the size does not matter.
    pub fn process(&mut self, samples: &mut [f32]) {
        if self.peak <= KNEE && largest(samples) <= KNEE {
            // A follower anywhere below the knee means the same: unity gain.
            self.peak = 0.0;
            return;
        }
        for sample in samples {
            *sample *= self.gain(sample.abs());
        }
    }

    /// Limits two sides in place, both by the gain that the louder one needs: neither moves.
    pub fn process_pair(&mut self, left: &mut [f32], right: &mut [f32]) {
        if self.peak <= KNEE && largest(left) <= KNEE && largest(right) <= KNEE {
            self.peak = 0.0;
            return;
        }
        for (left, right) in left.iter_mut().zip(right) {
            let gain = self.gain(left.abs().max(right.abs()));
            *left *= gain;
            *right *= gain;
        }
    }

    /// Follows the peak to a sample of this size, and returns its gain.
    fn gain(&mut self, size: f32) -> f32 {
        self.peak = (self.peak * RELEASE).max(size);
        if self.peak <= KNEE {
            return 1.0;
        }
        let over = (self.peak - KNEE) / (CEILING - KNEE);
        let curve = KNEE + (CEILING - KNEE) * (over / (1.0 + over));
        curve / self.peak
    }
}

/// Returns the largest absolute sample, in lanes that the compiler may keep in vector registers.
fn largest(samples: &[f32]) -> f32 {
    let mut peaks = [0.0f32; 16];
    let (lines, rest) = samples.as_chunks::<16>();
    for line in lines {
        for lane in 0..16 {
            let size = line[lane].abs();
            peaks[lane] = if size > peaks[lane] { size } else { peaks[lane] };
        }
    }
    let whole = peaks.iter().fold(0.0f32, |a, b| a.max(*b));
    rest.iter().fold(whole, |a, b| a.max(b.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, gain: f32, len: usize) -> Vec<f32> {
        (0..len).map(|i| gain * (i as f32 * std::f32::consts::TAU * hertz / 48_000.0).sin()).collect()
    }

    #[test]
    fn sound_below_the_knee_passes_bit_for_bit() {
        let input = tone(300.0, 0.7, 4800);
        let mut output = input.clone();
        Limiter::default().process(&mut output);
        assert_eq!(input, output);
    }

    #[test]
    fn nothing_reaches_full_scale() {
        let mut limiter = Limiter::default();
        for gain in [1.0, 2.0, 12.0, 1e6, 1e30] {
            let mut samples = tone(997.0, gain, 960);
            limiter.process(&mut samples);
            assert!(samples.iter().all(|s| s.abs() < 0.99), "gain {gain}");
        }
    }

    #[test]
    fn an_overload_is_scaled_rather_than_cut_off() {
        let mut limiter = Limiter::default();
        let mut samples = tone(1000.0, 4.0, 48_000);
        samples.chunks_mut(960).for_each(|block| limiter.process(block));
        let late = &samples[24_000..];
        let peak = largest(late);
        assert!((0.9..0.99).contains(&peak), "{peak}");
        // A sine keeps 1/sqrt(2) between RMS and peak; a clipped one tends to 1.
        let rms = (late.iter().map(|s| s * s).sum::<f32>() / late.len() as f32).sqrt();
        assert!((rms / peak - std::f32::consts::FRAC_1_SQRT_2).abs() < 0.02, "{}", rms / peak);
    }

    #[test]
    fn both_sides_get_the_gain_of_the_louder_one() {
        let (mut left, mut right) = (tone(997.0, 3.0, 9600), tone(997.0, 0.3, 9600));
        let (loud, soft) = (left.clone(), right.clone());
        Limiter::default().process_pair(&mut left, &mut right);
        assert!(largest(&left) < 0.99);
        for index in (0..9600).filter(|index| loud[*index].abs() > 0.1) {
            let gains = [left[index] / loud[index], right[index] / soft[index]];
            assert!((gains[0] - gains[1]).abs() < 1e-5, "{gains:?}");
        }
        let mut alone = loud;
        Limiter::default().process(&mut alone);
        assert_eq!(left, alone);
    }

    #[test]
    fn gain_comes_back_after_a_burst_without_a_click() {
        let mut limiter = Limiter::default();
        let mut samples = tone(440.0, 3.0, 960);
        samples.extend(tone(440.0, 0.3, 48_000));
        samples.chunks_mut(960).for_each(|block| limiter.process(block));
        assert!((largest(&samples[40_000..]) - 0.3).abs() < 1e-3);
        let step = samples[1000..].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.3 * std::f32::consts::TAU * 440.0 / 48_000.0 * 1.05, "{step}");
    }
}
