//! The loops over samples, for the instruction set that the CPU has. PURE.
//!
//! [`plain`] defines every result; the others give the same to the bit and are only faster.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod plain;
pub mod swirl;

use std::ops::Range;

use super::resample::Axis;

/// An instruction set that this CPU is known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Level);

// Private, so that `Avx2` exists only where `detect` found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Isa {
    /// Portable code.
    pub const PLAIN: Self = Self(Level::Plain);

    /// Returns the fastest that this CPU has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            return Self(Level::Avx2);
        }
        Self::PLAIN
    }

    /// Fills `blocks` (of 32 outputs each) of `out` with `row` sampled at the axis' taps:
    /// `(left * (128 - weight) + right * weight + 64) >> 7`. Outputs after the axis' last are unspecified.
    ///
    /// # Panics
    /// If `out` is shorter than the blocks or `row` shorter than the axis' source.
    #[inline]
    pub fn resample(self, out: &mut [u8], row: &[u8], axis: &Axis, blocks: Range<usize>) {
        match self.0 {
            Level::Plain => plain::resample(out, row, axis, blocks),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if axis.gathers().is_empty() => plain::resample(out, row, axis, blocks),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `detect` makes this level, where the CPU has AVX2.
            Level::Avx2 => unsafe { avx2::resample(out, row, axis, blocks) },
        }
    }

    /// Fills a row of a swirl.
    ///
    /// # Panics
    /// If its table or its plane is too short.
    #[inline]
    pub fn swirl(self, out: &mut [u8], row: &swirl::Row<'_>) {
        match self.0 {
            Level::Plain => swirl::fill(out, row),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `detect` makes this level, where the CPU has AVX2.
            Level::Avx2 => unsafe { avx2::swirl(out, row) },
        }
    }

    /// Mixes two rows, `weight` (0 to 127) 1/128 of the lower one, then scales by `opacity` / 255; both rounded.
    ///
    /// # Panics
    /// If a row is shorter than `out`.
    #[inline]
    pub fn lerp(self, out: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, opacity: u8) {
        match self.0 {
            Level::Plain => plain::lerp(out, upper, lower, weight, opacity),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `detect` makes this level, where the CPU has AVX2.
            Level::Avx2 => unsafe { avx2::lerp(out, upper, lower, weight, opacity) },
        }
    }

    /// Mixes two rows as [`Isa::lerp`] and lays them over `dst`: `dst + (mixed - dst) * alpha / 255`, rounded.
    ///
    /// # Panics
    /// If a row is shorter than `dst`.
    #[inline]
    pub fn blend(self, dst: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, alpha: &[u8]) {
        match self.0 {
            Level::Plain => plain::blend(dst, upper, lower, weight, alpha),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `detect` makes this level, where the CPU has AVX2.
            Level::Avx2 => unsafe { avx2::blend(dst, upper, lower, weight, alpha) },
        }
    }

    /// Computes the rounded mean of every 2 x 2 block: `(a + b + c + d + 2) >> 2`.
    ///
    /// # Panics
    /// If a row is shorter than twice `out`.
    #[inline]
    pub fn box2(self, out: &mut [u8], upper: &[u8], lower: &[u8]) {
        match self.0 {
            Level::Plain => plain::box2(out, upper, lower),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `detect` makes this level, where the CPU has AVX2.
            Level::Avx2 => unsafe { avx2::box2(out, upper, lower) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::resample::BLOCK, *};

    /// Random bytes, with runs of 0 and 255 as masks have them.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn bytes(&mut self, length: usize) -> Vec<u8> {
            (0..length).map(|_| (self.next() >> 32) as u8).collect()
        }

        fn mask(&mut self, length: usize) -> Vec<u8> {
            let mut mask = Vec::new();
            while mask.len() < length {
                let run = 1 + self.next() as usize % 90;
                match self.next() % 3 {
                    0 => mask.extend(vec![0; run]),
                    1 => mask.extend(vec![255; run]),
                    _ => mask.extend(self.bytes(run)),
                }
            }
            mask.truncate(length);
            mask
        }
    }

    #[test]
    fn every_kernel_equals_the_plain_one() {
        let isa = Isa::detect();
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        for length in (0..200).chain([640, 799, 800, 1280]) {
            let (a, b) = (noise.bytes(2 * length), noise.bytes(2 * length));
            let (mask, canvas) = (noise.mask(length), noise.bytes(length));
            for weight in [0, 1, 64, 127, noise.next() as u8 & 127] {
                for opacity in [0, 1, 128, 255, noise.next() as u8] {
                    let (mut fast, mut plain) = (vec![0; length], vec![0; length]);
                    isa.lerp(&mut fast, &a, &b, weight, opacity);
                    Isa::PLAIN.lerp(&mut plain, &a, &b, weight, opacity);
                    assert_eq!(fast, plain, "lerp of {length}, weight {weight}, opacity {opacity}");
                }
                let (mut fast, mut plain) = (canvas.clone(), canvas.clone());
                isa.blend(&mut fast, &a, &b, weight, &mask);
                Isa::PLAIN.blend(&mut plain, &a, &b, weight, &mask);
                assert_eq!(fast, plain, "blend of {length}, weight {weight}");
            }
            let (mut fast, mut plain) = (vec![0; length], vec![0; length]);
            isa.box2(&mut fast, &a, &b);
            Isa::PLAIN.box2(&mut plain, &a, &b);
            assert_eq!(fast, plain, "box of {length}");
        }
    }

    #[test]
    fn extremes_neither_wrap_nor_saturate() {
        for isa in [Isa::PLAIN, Isa::detect()] {
            for (a, b) in [(0, 0), (255, 255), (0, 255), (255, 0)] {
                for weight in 0..128u8 {
                    let mut out = [0; 40];
                    isa.lerp(&mut out, &[a; 40], &[b; 40], weight, 255);
                    let exact = (f64::from(a) * f64::from(128 - weight) + f64::from(b) * f64::from(weight)) / 128.0;
                    assert_eq!(out, [(exact + 0.5).floor() as u8; 40]);
                }
                for alpha in 0..=255u8 {
                    let mut out = [a; 40];
                    isa.blend(&mut out, &[b; 40], &[b; 40], 0, &[alpha; 40]);
                    let exact = f64::from(a) + (f64::from(b) - f64::from(a)) * f64::from(alpha) / 255.0;
                    assert_eq!(out, [exact.round() as u8; 40], "{a} {b} {alpha}");
                }
                let mut out = [0; 40];
                isa.box2(&mut out, &[a; 80], &[b; 80]);
                assert_eq!(out, [((2 * u16::from(a) + 2 * u16::from(b) + 2) / 4) as u8; 40]);
            }
        }
    }

    #[test]
    fn resampling_equals_the_plain_one() {
        let isa = Isa::detect();
        let mut noise = Noise(7);
        for round in 0..2000 {
            let samples = 1 + noise.next() as usize % 90;
            let count = 1 + noise.next() as usize % 130;
            let step = (noise.next() % 4001) as f64 / 1000.0 - 2.0;
            let start = (noise.next() % 100_000) as f64 / 1000.0;
            let mut axis = Axis::default();
            axis.rebuild(samples, count, |x| start + step * x as f64);
            let row = noise.bytes(samples);
            let padded = count.next_multiple_of(BLOCK);
            let (mut fast, mut plain) = (vec![0; padded], vec![0; padded]);
            isa.resample(&mut fast, &row, &axis, 0..padded / BLOCK);
            Isa::PLAIN.resample(&mut plain, &row, &axis, 0..padded / BLOCK);
            assert_eq!(fast[..count], plain[..count], "round {round}");
        }
    }
}
