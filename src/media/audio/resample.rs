//! Sound at another rate: samples in between samples, by a windowed sinc. PURE.
//!
//! 32 samples make one. Up to 18 kHz nothing changes by more than 0.1 dB, and what is mirrored is 80 dB below.

use std::sync::LazyLock;

/// Samples that are needed before and after the place of the one that is made.
pub const REACH: usize = 16;

/// Places between two samples whose weights are kept; between these, weights are mixed.
const PHASES: usize = 256;

/// Shape of Kaiser's window: side lobes 80 dB down.
const SHAPE: f64 = 8.0;

type Weights = [f32; 2 * REACH];

static KERNEL: LazyLock<Vec<Weights>> = LazyLock::new(|| (0..=PHASES).map(weights).collect());

/// Weights of the samples around a place that is `phase` behind the one at `REACH - 1`. They add up to one.
fn weights(phase: usize) -> Weights {
    let between = phase as f64 / PHASES as f64;
    let at = |index: usize| {
        let distance = index as f64 - (REACH - 1) as f64 - between;
        let x = std::f64::consts::PI * distance;
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        sinc * bessel(SHAPE * (1.0 - (distance / REACH as f64).powi(2)).max(0.0).sqrt())
    };
    let all: [f64; 2 * REACH] = std::array::from_fn(at);
    let sum: f64 = all.iter().sum();
    all.map(|weight| (weight / sum) as f32)
}

/// The modified Bessel function of order zero.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = term;
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// How many samples can be made of so many that begin at the place, where the first one lies `between` them.
pub fn makes(waiting: usize, between: f64, rate: f64) -> usize {
    let last = waiting as f64 - REACH as f64 - between;
    (last / rate).ceil().max(0.0) as usize
}

/// Makes samples, the first of them `between` the one at `REACH - 1` of `from` and the next, and each `rate` further on.
pub fn resample(from: &[f32], between: f64, rate: f64, out: &mut [f32]) {
    for (n, sample) in out.iter_mut().enumerate() {
        let place = between + n as f64 * rate;
        let phase = place.fract() * PHASES as f64;
        let mixed = phase.fract() as f32;
        let (one, next) = (&KERNEL[phase as usize], &KERNEL[phase as usize + 1]);
        let around = &from[place as usize..place as usize + 2 * REACH];
        let (mut a, mut b) = (0.0, 0.0);
        for ((sample, one), next) in around.iter().zip(one).zip(next) {
            a += sample * one;
            b += sample * next;
        }
        *sample = a + (b - a) * mixed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, at: f64) -> f64 {
        (std::f64::consts::TAU * hertz * at / 48_000.0).sin()
    }

    #[test]
    fn samples_in_between_are_those_of_the_tone() {
        for hertz in [50.0, 997.0, 8_000.0, 15_000.0, 18_000.0] {
            for (between, rate) in [(0.0, 1.0), (0.37, 1.0), (0.9, 0.986), (0.0, 1.014)] {
                let from: Vec<f32> = (0..1100).map(|at| tone(hertz, at as f64) as f32).collect();
                let mut out = [0.0; 960];
                resample(&from, between, rate, &mut out);
                for (n, sample) in out.iter().enumerate() {
                    let place = (REACH - 1) as f64 + between + n as f64 * rate;
                    let error = (f64::from(*sample) - tone(hertz, place)).abs();
                    assert!(error < if hertz > 16_000.0 { 0.012 } else { 0.000_3 }, "{hertz} Hz, {rate}, {n}: {error}");
                }
            }
        }
    }

    #[test]
    fn as_many_are_made_as_there_are_samples_around_them() {
        for (waiting, between, rate) in
            [(0, 0.0, 1.0), (15, 0.5, 1.0), (16, 0.0, 1.0), (17, 0.5, 0.99), (999, 0.25, 1.01)]
        {
            let count = makes(waiting, between, rate);
            let from = vec![0.0; waiting + REACH - 1];
            resample(&from, between, rate, &mut vec![0.0; count]);
            let next = between + count as f64 * rate;
            assert!(next as usize + 2 * REACH > from.len(), "one more could be made: {waiting} {between} {rate}");
        }
    }
}
