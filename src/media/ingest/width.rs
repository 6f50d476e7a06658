//! PURE: what of a sender's two channels is heard.
//!
//! Nearly everybody sends one voice on both: their mean is heard, in the middle. What differs, as music does, stays on
//! its sides. What is on both sides with opposite signs (a microphone that is wired the wrong way round, "widened"
//! sound) would be silent for all who hear one channel; so the mean is watched, and while it is far weaker than its
//! channels, the louder of them is heard in the middle.

/// A mean with less than this share of its channels' power cancels: 10 dB below equal channels, and 7 dB below
/// different ones.
const CANCELS: f32 = 0.1;
/// It is heard again above this share.
const SOUNDS: f32 = 0.25;
/// Channels whose difference has more than this share of their power are two: 20 dB below them. Lossy codecs make less
/// of equal ones.
const WIDE: f32 = 0.01;
/// They are one again after a while below this share.
const NARROW: f32 = 0.002;
/// Blocks of 20 ms until then: 5 s, longer than an instrument on one side pauses.
const NARROW_BLOCKS: u32 = 250;
/// Weight of a block in the power that is watched: about 100 ms of blocks of 20 ms.
const NEW: f32 = 0.25;
/// Below this power (-80 dB) nothing is decided.
const SILENT: f32 = 1e-8;
/// A change takes so many samples, 5 ms, which does not click.
const FADE: f32 = 240.0;

/// The parts of left and right that are heard on a side, for both sides.
type Parts = [[f32; 2]; 2];

const MEAN: Parts = [[0.5; 2]; 2];
const AS_SENT: Parts = [[1.0, 0.0], [0.0, 1.0]];
const LEFT: Parts = [[1.0, 0.0]; 2];
const RIGHT: Parts = [[0.0, 1.0]; 2];

/// See the module.
#[derive(Debug)]
pub struct Width {
    /// Power of left, right and their mean.
    powers: [f32; 3],
    /// The parts that are heard, and those that shall be.
    parts: Parts,
    wanted: Parts,
    narrow_for: u32,
}

impl Default for Width {
    fn default() -> Self {
        Self { powers: [0.0; 3], parts: MEAN, wanted: MEAN, narrow_for: 0 }
    }
}

impl Width {
    /// Makes of interleaved samples of two channels those of two sides, as many of each; some 20 ms at a time. `false`:
    /// both are the same.
    pub fn mix(&mut self, stereo: &[[f32; 2]], left: &mut [f32], right: &mut [f32]) -> bool {
        self.watch(stereo);
        let is_wide = [self.parts, self.wanted].iter().any(|parts| parts[0] != parts[1]);
        let (parts, wanted) = (self.parts.as_flattened_mut(), self.wanted.as_flattened());
        for ((out, to_left), to_right) in stereo.iter().zip(left).zip(right) {
            for (part, wanted) in parts.iter_mut().zip(wanted) {
                *part += (wanted - *part).clamp(-1.0 / FADE, 1.0 / FADE);
            }
            *to_left = out[0] * parts[0] + out[1] * parts[1];
            *to_right = out[0] * parts[2] + out[1] * parts[3];
        }
        is_wide
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
        // The power of half the difference: what both have together is the mean's and this.
        let side = (both - mean) / both;
        let is_one_side = self.wanted == LEFT || self.wanted == RIGHT;
        self.narrow_for = if side < NARROW { self.narrow_for + 1 } else { 0 };
        if mean < both * CANCELS {
            if !is_one_side {
                self.wanted = if left >= right { LEFT } else { RIGHT };
            }
        } else if is_one_side && mean <= both * SOUNDS {
            // Not yet.
        } else if side > WIDE {
            self.wanted = AS_SENT;
        } else if is_one_side || self.narrow_for > NARROW_BLOCKS {
            self.wanted = MEAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, at: usize) -> f32 {
        (std::f32::consts::TAU * hertz * at as f32 / 48_000.0).sin()
    }

    /// Returns the RMS of both sides of the last of so many blocks of a tone with these gains on left and right, and
    /// whether they differ.
    fn heard(width: &mut Width, blocks: usize, left: f32, right: f32) -> (f32, f32, bool) {
        let (mut sides, mut is_wide) = ([[0.0f32; 960]; 2], false);
        for block in 0..blocks {
            let stereo: Vec<[f32; 2]> =
                (block * 960..(block + 1) * 960).map(|at| [left * tone(440.0, at), right * tone(440.0, at)]).collect();
            let [left, right] = &mut sides;
            is_wide = width.mix(&stereo, left, right);
        }
        let [left, right] = sides.map(|side| (side.iter().map(|sample| sample * sample).sum::<f32>() / 960.0).sqrt());
        (left, right, is_wide)
    }

    fn assert_heard(found: (f32, f32, bool), left: f32, right: f32, is_wide: bool) {
        let near = |found: f32, expected: f32| (found - expected * std::f32::consts::FRAC_1_SQRT_2).abs() < 0.01;
        assert!(near(found.0, left) && near(found.1, right) && found.2 == is_wide, "{found:?}, not {left} {right}");
    }

    #[test]
    fn what_is_the_same_on_both_is_in_the_middle_and_what_differs_stays_where_it_is() {
        let mut width = Width::default();
        assert_heard(heard(&mut width, 20, 0.5, 0.5), 0.5, 0.5, false);
        // As a codec leaves equal channels.
        assert_heard(heard(&mut width, 20, 0.5, 0.47), 0.485, 0.485, false);
        assert_heard(heard(&mut width, 20, 0.5, 0.0), 0.5, 0.0, true);
        assert_heard(heard(&mut width, 20, 0.3, 0.1), 0.3, 0.1, true);
        assert_heard(heard(&mut width, 20, 0.5, 0.5), 0.5, 0.5, true);
        assert_heard(heard(&mut width, 300, 0.5, 0.5), 0.5, 0.5, false);
    }

    #[test]
    fn opposite_channels_are_heard_and_equal_ones_again_after_them() {
        let mut width = Width::default();
        assert_heard(heard(&mut width, 20, 0.5, -0.5), 0.5, 0.5, false);
        assert_heard(heard(&mut width, 20, 0.3, 0.3), 0.3, 0.3, true);
        assert_heard(heard(&mut width, 20, 0.3, -0.4), 0.4, 0.4, false);
        assert_heard(heard(&mut width, 20, 0.1, 0.4), 0.1, 0.4, true);
        assert_heard(heard(&mut width, 20, 0.4, -0.3), 0.4, 0.4, false);
    }

    #[test]
    fn silence_and_garbage_decide_nothing() {
        let mut width = Width::default();
        heard(&mut width, 20, 0.5, 0.1);
        heard(&mut width, 400, 0.0, 0.0);
        assert_heard(heard(&mut width, 1, 0.5, 0.1), 0.5, 0.1, true);
        let mut sides = [[0.0f32; 960]; 2];
        let [left, right] = &mut sides;
        width.mix(&[[f32::NAN; 2]; 960], left, right);
        width.mix(&[], left, right);
        assert_heard(heard(&mut width, 1, 0.5, 0.1), 0.5, 0.1, true);
    }

    #[test]
    fn nothing_clicks() {
        let mut width = Width::default();
        let (mut left, mut right, mut last) = ([0.0f32; 960], [0.0f32; 960], [0.0f32; 2]);
        for block in 0..100 {
            let sign = if (30..60).contains(&block) { -1.0 } else { 1.0 };
            let hertz = if block < 10 { 310.0 } else { 200.0 };
            let at = |index: usize| block * 960 + index;
            let stereo: Vec<[f32; 2]> =
                (0..960).map(|index| [0.3 * tone(200.0, at(index)), sign * 0.3 * tone(hertz, at(index))]).collect();
            width.mix(&stereo, &mut left, &mut right);
            // The tones themselves rise by 0.02 a sample at most; at the block where a sign changes the source clicks.
            if !matches!(block, 0 | 10 | 30 | 60) {
                for (side, before) in [&left, &right].into_iter().zip(last) {
                    let steps =
                        side.iter().scan(before, |before, now| Some((now - std::mem::replace(before, *now)).abs()));
                    assert!(steps.fold(0.0, f32::max) < 0.02, "block {block}");
                }
            }
            last = [left[959], right[959]];
        }
    }
}
