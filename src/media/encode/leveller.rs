//! Brings a mix to the loudness that an output wants. PURE.
//!
//! ```text
//!   mix ─┬─► loudness over 400 ms ─► is it speech or music? ─► mean ─► gain, slowly
//!        └─────────────────────────────────────────────────────────────► × ─► true-peak limiter ─► 5 ms later
//! ```
//!
//! The gain rests in pauses: what is far softer than the rest is not made as loud as it. A rise is slow enough not to
//! be heard as one. Peaks that the gain makes too high are taken back by a limiter with a look-ahead, so that nothing
//! clips.

use std::{collections::VecDeque, fmt, time::Duration};

use ebur128::{EbuR128, Mode};

/// Samples by which the sound comes out later: 5 ms.
const DELAY: usize = 240;

/// The same as time.
pub const LATENESS: Duration = Duration::from_millis(5);

/// Samples that are levelled at once: 20 ms.
const CHUNK: usize = 960;

/// Chunks from one decision to the next: 100 ms.
const DECISION_CHUNKS: u32 = 5;

/// Softer than this is a pause, however long it lasts; in LUFS.
const ABSOLUTE_GATE: f64 = -50.0;

/// So much softer than the mean is a pause, too, in LU; as in EBU R 128.
const RELATIVE_GATE: f64 = 10.0;

/// Decisions after which it is no pause but somebody who speaks softly: 10 s.
const PATIENCE: u32 = 100;

/// Decisions that the mean goes over: 5 s of what is heard.
const WINDOW: u32 = 50;

/// The most that is raised, and lowered, in dB.
const MOST: f64 = 20.0;

/// Decibels a second by which the gain rises at most, and falls.
const RISE: f64 = 3.0;
const FALL: f64 = 8.0;

/// While little is known, at the beginning, it rises faster: nobody has got used to a loudness yet.
const FIRST_RISE: f64 = 12.0;

/// Of the limiter: a quarter of a decibel below -1 dB, as peaks between four times as many samples may be higher by
/// that.
const CEILING: f32 = 0.866;

/// Samples over which the limiter's gain goes to where a peak needs it, and for which it stays there.
const ATTACK: usize = 234;
const HOLD: usize = 240;

/// Per sample, of what it is reduced by: back to 1/e in 100 ms.
const RELEASE: f32 = 1.0 / 4800.0;

/// Samples that a point between two of them is worked out from.
const TAPS: usize = 12;

/// See the module.
pub struct Leveller {
    rider: Rider,
    limiter: Limiter,
    /// Of the last sample, linear.
    gain: f32,
}

impl fmt::Debug for Leveller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leveller({} LUFS)", self.rider.target)
    }
}

impl Leveller {
    /// Begins with a gain of one.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(target_lufs: i32) -> Result<Self, ebur128::Error> {
        Ok(Self { rider: Rider::new(target_lufs)?, limiter: Limiter::new(), gain: 1.0 })
    }

    /// Levels samples in place. What comes out went in [`LATENESS`] before.
    pub fn process(&mut self, samples: &mut [[f32; 2]]) {
        for chunk in samples.chunks_mut(CHUNK) {
            let to = self.rider.gain_after(chunk);
            let (from, count) = (self.gain, chunk.len() as f32);
            for (index, pair) in chunk.iter_mut().enumerate() {
                let gain = from + (to - from) * ((index + 1) as f32 / count);
                *pair = pair.map(|sample| sample * gain);
            }
            self.gain = to;
            self.limiter.process(chunk);
        }
    }
}

/// Decides on the gain.
struct Rider {
    target: f64,
    ebu: EbuR128,
    chunks: u32,
    /// Mean power of what was heard, and how many decisions it is of.
    power: f64,
    count: u32,
    /// Decisions in a row at which all was far softer than that.
    soft: u32,
    /// In dB, and where it goes while it does.
    gain: f64,
    wanted: Option<f64>,
}

impl Rider {
    fn new(target: i32) -> Result<Self, ebur128::Error> {
        let ebu = EbuR128::new(2, 48_000, Mode::M)?;
        Ok(Self { target: f64::from(target), ebu, chunks: 0, power: 0.0, count: 0, soft: 0, gain: 0.0, wanted: None })
    }

    /// Returns the linear gain at the end of this chunk.
    fn gain_after(&mut self, chunk: &[[f32; 2]]) -> f32 {
        // Fails only for samples that are no whole frames.
        let _ = self.ebu.add_frames_f32(chunk.as_flattened());
        self.chunks += 1;
        if self.chunks == DECISION_CHUNKS {
            self.chunks = 0;
            let now = self.ebu.loudness_momentary().unwrap_or(f64::NEG_INFINITY);
            self.wanted = self.decide(now);
        }
        if let Some(wanted) = self.wanted {
            let rise = if self.count < WINDOW { FIRST_RISE } else { RISE };
            let seconds = chunk.len() as f64 / 48_000.0;
            self.gain += (wanted - self.gain).clamp(-FALL * seconds, rise * seconds);
        }
        10f64.powf(self.gain / 20.0) as f32
    }

    /// Returns where the gain shall go after 400 ms of this loudness; `None`: it is a pause.
    fn decide(&mut self, now: f64) -> Option<f64> {
        if now < ABSOLUTE_GATE {
            return None;
        }
        if self.count > 0 && now < decibels(self.power) - RELATIVE_GATE {
            self.soft += 1;
            if self.soft < PATIENCE {
                return None;
            }
            self.count = 0;
        }
        self.soft = 0;
        self.count = (self.count + 1).min(WINDOW);
        self.power += (10f64.powf(now / 10.0) - self.power) / f64::from(self.count);
        Some((self.target - decibels(self.power)).clamp(-MOST, MOST))
    }
}

fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

/// Keeps true peaks below the ceiling.
struct Limiter {
    /// Weights of the samples around a place between two of them, for four places.
    weights: [[f32; TAPS]; 4],
    /// The last samples of each side, before those to come.
    recent: [[f32; TAPS - 1]; 2],
    /// Samples that wait for their turn.
    delayed: VecDeque<[f32; 2]>,
    /// Samples so far.
    at: u64,
    /// Gains that are needed lately, each with when; those only that are smaller than all behind them.
    needed: VecDeque<(u64, f32)>,
    /// The gain before it is smoothed, its last values, and their sum.
    gain: f32,
    gains: VecDeque<f32>,
    sum: f64,
}

impl Limiter {
    fn new() -> Self {
        let weight = |place: usize, tap: usize| {
            let away = tap as f64 - (TAPS / 2) as f64 + place as f64 / 4.0;
            let phase = away * std::f64::consts::PI;
            let sinc = if phase == 0.0 { 1.0 } else { phase.sin() / phase };
            sinc * (phase / (TAPS as f64 + 1.0)).cos().powi(2)
        };
        let weights = std::array::from_fn(|place| {
            let sum: f64 = (0..TAPS).map(|tap| weight(place, tap)).sum();
            std::array::from_fn(|tap| (weight(place, tap) / sum) as f32)
        });
        Self {
            weights,
            recent: [[0.0; TAPS - 1]; 2],
            delayed: VecDeque::from(vec![[0.0; 2]; DELAY]),
            at: 0,
            needed: VecDeque::with_capacity(HOLD + 1),
            gain: 1.0,
            gains: VecDeque::from(vec![1.0; ATTACK]),
            sum: ATTACK as f64,
        }
    }

    fn process(&mut self, chunk: &mut [[f32; 2]]) {
        let mut peaks = [0f32; CHUNK];
        for side in 0..2 {
            self.find_peaks(side, chunk, &mut peaks);
        }
        for (pair, peak) in chunk.iter_mut().zip(peaks) {
            let gain = self.gain_for(peak);
            self.delayed.push_back(*pair);
            let due = self.delayed.pop_front().unwrap_or_default();
            *pair = due.map(|sample| sample * gain);
        }
    }

    /// Raises `peaks` to those of this side, each some samples late.
    fn find_peaks(&mut self, side: usize, chunk: &[[f32; 2]], peaks: &mut [f32; CHUNK]) {
        let mut samples = [0f32; CHUNK + TAPS - 1];
        samples[..TAPS - 1].copy_from_slice(&self.recent[side]);
        for (to, pair) in samples[TAPS - 1..].iter_mut().zip(chunk) {
            *to = pair[side];
        }
        let samples = &samples[..chunk.len() + TAPS - 1];
        for (window, peak) in samples.windows(TAPS).zip(peaks) {
            for weights in &self.weights {
                // The newest sample is the last of the window, and has the first weight.
                let sum: f32 = weights.iter().zip(window.iter().rev()).map(|(weight, sample)| weight * sample).sum();
                *peak = peak.max(sum.abs());
            }
        }
        self.recent[side].copy_from_slice(&samples[chunk.len()..]);
    }

    /// Returns the gain for the sample whose turn it is, when the newest has this peak.
    fn gain_for(&mut self, peak: f32) -> f32 {
        let needed = if peak > CEILING { CEILING / peak } else { 1.0 };
        while self.needed.back().is_some_and(|(_, gain)| *gain >= needed) {
            self.needed.pop_back();
        }
        self.needed.push_back((self.at, needed));
        while self.needed.front().is_some_and(|(at, _)| at + (HOLD as u64) <= self.at) {
            self.needed.pop_front();
        }
        self.at += 1;
        let least = self.needed.front().map_or(1.0, |(_, gain)| *gain);
        self.gain = least.min(self.gain + (1.0 - self.gain) * RELEASE);
        self.sum += f64::from(self.gain) - f64::from(self.gains.pop_front().unwrap_or(1.0));
        self.gains.push_back(self.gain);
        (self.sum / ATTACK as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Returns something like speech: a buzz with syllables, and a pause of a second every four.
    fn speech(seconds: f64, gain: f64) -> Vec<[f32; 2]> {
        let sample = |at: usize| {
            let time = at as f64 / 48_000.0;
            let buzz: f64 =
                (1..12).map(|n| (time * 140.0 * f64::from(n) * std::f64::consts::TAU).sin() / f64::from(n)).sum();
            let syllable = (time * 4.0 * std::f64::consts::PI).sin().powi(2);
            let is_pause = time % 4.0 > 3.0;
            if is_pause { 0.0 } else { (buzz * syllable * gain) as f32 }
        };
        (0..(seconds * 48_000.0) as usize).map(|at| [sample(at); 2]).collect()
    }

    fn loudness(samples: &[[f32; 2]]) -> f64 {
        let mut ebu = EbuR128::new(2, 48_000, Mode::I).unwrap();
        ebu.add_frames_f32(samples.as_flattened()).unwrap();
        ebu.loudness_global().unwrap()
    }

    fn true_peak(samples: &[[f32; 2]]) -> f64 {
        let mut ebu = EbuR128::new(2, 48_000, Mode::TRUE_PEAK).unwrap();
        ebu.add_frames_f32(samples.as_flattened()).unwrap();
        let peak = ebu.true_peak(0).unwrap().max(ebu.true_peak(1).unwrap());
        20.0 * peak.log10()
    }

    fn levelled(target: i32, mut samples: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
        Leveller::new(target).unwrap().process(&mut samples);
        samples
    }

    /// Returns the gain that somebody's speech has got so far.
    fn gain_of(leveller: &Leveller) -> f64 {
        20.0 * f64::from(leveller.gain).log10()
    }

    #[test]
    fn speech_comes_to_the_target_whether_it_is_soft_or_loud() {
        for target in [-16, -23] {
            for gain in [0.02, 0.05, 0.2, 0.4] {
                let input = speech(40.0, gain);
                let output = levelled(target, input.clone());
                let (before, after) = (loudness(&input), loudness(&output[15 * 48_000..]));
                let reachable = f64::from(target).clamp(before - MOST, before + MOST);
                assert!((after - reachable).abs() < 1.0, "{before:.1} became {after:.1}, not {reachable:.1}");
                assert!(true_peak(&output) < -1.0, "{:.2} dBTP", true_peak(&output));
            }
        }
    }

    #[test]
    fn the_gain_rests_in_pauses() {
        let mut leveller = Leveller::new(-16).unwrap();
        let mut talk = speech(20.0, 0.05);
        leveller.process(&mut talk);
        let before = gain_of(&leveller);
        // A minute of nearly nothing: a room's noise, first far below the talk and then below all that is meant.
        let hum = |gain: f32| (0..48_000 * 30).map(move |at| [(at as f32 * 0.02).sin() * gain; 2]);
        let mut pause: Vec<[f32; 2]> = hum(0.001).chain(hum(0.0)).collect();
        leveller.process(&mut pause);
        assert!((gain_of(&leveller) - before).abs() < 0.5, "{before:.1} dB became {:.1} dB", gain_of(&leveller));
        // And the next word is as loud as the last one.
        let mut word = speech(2.0, 0.05);
        leveller.process(&mut word);
        assert!((gain_of(&leveller) - before).abs() < 1.0);
    }

    #[test]
    fn who_speaks_softly_after_somebody_loud_is_raised_after_a_while() {
        let mut samples = speech(20.0, 0.3);
        samples.extend(speech(60.0, 0.04));
        let output = levelled(-16, samples);
        let after = loudness(&output[50 * 48_000..]);
        assert!((after + 16.0).abs() < 1.0, "{after:.1}");
    }

    #[test]
    fn nothing_clips_whatever_comes() {
        // From silence to full scale, noise, a quarter of the rate between its samples, and a click.
        let mut seed = 1u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let mut samples = speech(10.0, 0.02);
        samples.extend((0..96_000).map(|_| [noise(), noise()]));
        samples.extend((0..48_000).map(|at| [if at % 4 < 2 { 1.0 } else { -1.0 }, 0.0]));
        samples.extend((0..48_000).map(|at| if at == 24_000 { [1.0, -1.0] } else { [0.0; 2] }));
        samples.extend((0..48_000).map(|at| [(at as f32 * 0.3).sin(), (at as f32 * 2.9).sin()]));
        let output = levelled(-10, samples);
        assert!(output.as_flattened().iter().all(|sample| sample.abs() < 0.9));
        assert!(true_peak(&output) < -1.0, "{:.2} dBTP", true_peak(&output));
    }

    #[test]
    fn what_needs_no_gain_comes_out_as_it_went_in_a_little_later() {
        let input: Vec<[f32; 2]> =
            (0..9600).map(|at| [(at as f32 * 0.01).sin() * 0.3, (at as f32 * 0.02).sin() * 0.1]).collect();
        let mut limiter = Limiter::new();
        let mut output = input.clone();
        output.chunks_mut(CHUNK).for_each(|chunk| limiter.process(chunk));
        assert_eq!(output[DELAY..], input[..input.len() - DELAY]);
        assert_eq!(Duration::from_secs(1) * DELAY as u32 / 48_000, LATENESS);
    }

    #[test]
    fn the_gain_makes_no_steps() {
        let mut samples: Vec<[f32; 2]> = (0..48_000 * 10)
            .map(|at| {
                [(at as f32 * std::f32::consts::TAU * 100.0 / 48_000.0).sin() * if at < 240_000 { 0.01 } else { 0.9 };
                    2]
            })
            .collect();
        // The source steps at a zero crossing.
        Leveller::new(-10).unwrap().process(&mut samples);
        let step = samples.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max);
        assert!(step < std::f32::consts::TAU * 100.0 / 48_000.0 * 1.5, "{step}");
    }
}
