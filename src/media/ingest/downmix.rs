//! PURE: two channels to one, without losing what is opposite on them.
//!
//! The mix is mono. The mean of left and right is right for nearly all stereo, but what is on both sides with opposite
//! signs (a microphone that is wired the wrong way round, "widened" sound) is silent in it. So the mean is watched: while
//! it is far weaker than its channels, the louder of them is heard instead.

/// A mean with less than this share of its channels' power cancels: 10 dB below equal channels, and 7 dB below different
/// ones.
const CANCELS: f32 = 0.1;
/// It is heard again above this share.
const SOUNDS: f32 = 0.25;
/// How much a block counts for the power that is watched: about 100 ms of blocks of 20 ms.
const NEW: f32 = 0.25;
/// Below this power (-80 dB) nothing is decided.
const SILENT: f32 = 1e-8;
/// A change takes so many samples, 5 ms, which does not click.
const FADE: f32 = 240.0;

/// See the module.
#[derive(Debug)]
pub struct Downmix {
    /// Power of left, right and their mean.
    powers: [f32; 3],
    /// What part of left and right is heard, and shall be.
    parts: [f32; 2],
    wanted: [f32; 2],
}

const MEAN: [f32; 2] = [0.5, 0.5];

impl Default for Downmix {
    fn default() -> Self {
        Self { powers: [0.0; 3], parts: MEAN, wanted: MEAN }
    }
}

impl Downmix {
    /// Mixes interleaved samples of two channels down to `mono`, a sample for each pair; some 20 ms at a time.
    pub fn mix(&mut self, stereo: &[[f32; 2]], mono: &mut [f32]) {
        self.watch(stereo);
        for (to, [left, right]) in mono.iter_mut().zip(stereo) {
            for (part, wanted) in self.parts.iter_mut().zip(self.wanted) {
                *part += (wanted - *part).clamp(-1.0 / FADE, 1.0 / FADE);
            }
            *to = left * self.parts[0] + right * self.parts[1];
        }
    }

    /// Decides what shall be heard.
    fn watch(&mut self, stereo: &[[f32; 2]]) {
        let mut sums = [0.0; 3];
        for [left, right] in stereo {
            let mean = (left + right) / 2.0;
            for (sum, sample) in sums.iter_mut().zip([*left, *right, mean]) {
                *sum += sample * sample;
            }
        }
        if stereo.is_empty() || !sums.iter().all(|sum| sum.is_finite()) {
            return;
        }
        let is_first = self.powers[0] + self.powers[1] < SILENT;
        for (power, sum) in self.powers.iter_mut().zip(sums) {
            let new = sum / stereo.len() as f32;
            *power += (new - *power) * if is_first { 1.0 } else { NEW };
        }
        let [left, right, mean] = self.powers;
        let both = (left + right) / 2.0;
        if both < SILENT {
            return;
        }
        if mean < both * CANCELS && self.wanted == MEAN {
            self.wanted = if left >= right { [1.0, 0.0] } else { [0.0, 1.0] };
        } else if mean > both * SOUNDS {
            self.wanted = MEAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The RMS of the last of some blocks of a tone, with these gains on left and right.
    fn heard(downmix: &mut Downmix, left: f32, right: f32) -> f32 {
        let mut mono = [0.0f32; 960];
        for block in 0..20 {
            let tone = |at: usize| (std::f32::consts::TAU * 440.0 * (block * 960 + at) as f32 / 48_000.0).sin();
            let stereo: Vec<[f32; 2]> = (0..960).map(|at| [left * tone(at), right * tone(at)]).collect();
            downmix.mix(&stereo, &mut mono);
        }
        (mono.iter().map(|sample| sample * sample).sum::<f32>() / 960.0).sqrt()
    }

    #[test]
    fn equal_and_one_sided_channels_are_their_mean() {
        let mut downmix = Downmix::default();
        assert!((heard(&mut downmix, 0.5, 0.5) - 0.3535).abs() < 0.01);
        assert!((heard(&mut downmix, 0.5, 0.0) - 0.1768).abs() < 0.01);
    }

    #[test]
    fn opposite_channels_are_heard_and_equal_ones_again_after_them() {
        let mut downmix = Downmix::default();
        assert!((heard(&mut downmix, 0.5, -0.5) - 0.3535).abs() < 0.01);
        assert!((heard(&mut downmix, 0.3, 0.3) - 0.2121).abs() < 0.01);
        let louder = heard(&mut downmix, 0.3, -0.4);
        assert!((louder - 0.2828).abs() < 0.01, "the louder side: {louder}");
    }

    #[test]
    fn different_channels_stay_a_mean_and_nothing_clicks() {
        let mut downmix = Downmix::default();
        let mut mono = [0.0f32; 960];
        let mut last = 0.0;
        for block in 0..100 {
            let tone = |hertz: f32, at: usize| {
                0.3 * (std::f32::consts::TAU * hertz * (block * 960 + at) as f32 / 48_000.0).sin()
            };
            let sign = if (30..60).contains(&block) { -1.0 } else { 1.0 };
            let right = |at: usize| if block < 10 { tone(310.0, at) } else { sign * tone(200.0, at) };
            let stereo: Vec<[f32; 2]> = (0..960).map(|at| [tone(200.0, at), right(at)]).collect();
            downmix.mix(&stereo, &mut mono);
            if block < 10 {
                assert_eq!(downmix.wanted, MEAN);
            }
            // The tones themselves rise by 0.02 a sample at most; at the block where a sign changes the source clicks.
            if !matches!(block, 0 | 10 | 30 | 60) {
                let steps = mono.iter().scan(last, |before, now| Some((now - std::mem::replace(before, *now)).abs()));
                assert!(steps.fold(0.0, f32::max) < 0.02, "block {block}");
            }
            last = mono[959];
        }
    }
}
