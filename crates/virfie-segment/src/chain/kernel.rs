//! The inner loops, for each instruction set.
//!
//! Feature maps are blocked: planes of 16 channels, each `[row][column][16]`, so that a depthwise convolution walks
//! through memory in order and a pointwise one finds each channel of neighbouring pixels at fixed distances.

mod plain;
#[cfg(target_arch = "x86_64")]
mod simd;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

/// Channels of one plane.
pub(super) const BLOCK: usize = 16;

/// The most pixels of a tile, over all instruction sets.
pub(super) const MAX_TILE: usize = 14;

/// An instruction set that this processor has: values come from detection alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Set {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
}

impl std::fmt::Debug for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Isa {
    /// Returns those of this processor, slowest first; the first is the portable one.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut sets = vec![Self(Set::Plain)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self(Set::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                sets.push(Self(Set::Avx512));
                if is_x86_feature_detected!("avx512bf16") {
                    sets.push(Self(Set::Avx512Bf16));
                }
            }
        }
        sets
    }

    /// Returns the fastest of this processor.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Set::Plain))
    }

    /// Returns what every processor can do.
    pub fn plain() -> Self {
        Self(Set::Plain)
    }

    /// Returns `plain`, `avx2`, `avx512` or `avx512bf16`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => "avx512bf16",
        }
    }

    pub(super) fn kernels(self) -> &'static Kernels {
        match self.0 {
            Set::Plain => &plain::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => &avx2::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => &avx512::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => &avx512::KERNELS_BF16,
        }
    }
}

/// The inner loops of one instruction set. Only [`Isa`] hands them out.
pub(super) struct Kernels {
    /// The most pixels of a tile, at most [`MAX_TILE`].
    pub tile: usize,
    /// Output channels of a full panel of weights: 16 or 32.
    pub panel: usize,
    pub depthwise: fn(&Depthwise<'_>, &mut [f32]),
    pub pointwise: fn(&Pointwise<'_>, &mut [f32]),
    pub convolve: fn(&Convolve<'_>, &mut [f32]),
    pub merge: fn(&Merge<'_>, &mut [f32]),
    pub half: Option<Half>,
}

/// The inner loops of a depthwise and pointwise pair that meet in bfloat16.
#[derive(Clone, Copy)]
pub(super) struct Half {
    pub depthwise: fn(&Depthwise<'_>, &mut [u16]),
    pub pointwise: fn(&HalfPointwise<'_>, &mut [f32]),
}

/// A run of pixels of one row, all channels, depthwise. Distances and positions are in elements.
pub(super) struct Depthwise<'a> {
    /// `[block][tap][16]`.
    pub weights: &'a [f32],
    /// `[block][16]`.
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
    pub blocks: usize,
    pub input: &'a [f32],
    /// The first tap of the first pixel.
    pub at: usize,
    pub input_plane: usize,
    /// From one row of taps to the next.
    pub row: usize,
    /// From one column of taps to the next.
    pub column: usize,
    /// From the first tap of one pixel to that of the next.
    pub step: usize,
    pub pixels: usize,
    pub output_at: usize,
    pub output_plane: usize,
}

impl Depthwise<'_> {
    /// Panics unless every access lies inside the slices.
    fn check(&self, output: usize) {
        let blocks = self.blocks;
        assert!(blocks > 0 && self.pixels > 0, "an empty run");
        assert!(self.weights.len() >= blocks * 9 * BLOCK && self.bias.len() >= blocks * BLOCK);
        let read = (blocks - 1) * self.input_plane
            + self.at
            + 2 * (self.row + self.column)
            + (self.pixels - 1) * self.step
            + BLOCK;
        assert!(read <= self.input.len());
        assert!((blocks - 1) * self.output_plane + self.output_at + self.pixels * BLOCK <= output);
    }
}

/// A tile of pixels, all input channels, one panel of output channels.
pub(super) struct Pointwise<'a> {
    /// `[input channel][output channel of the panel]`.
    pub weights: &'a [f32],
    /// One for each output channel of the panel: 16 or 32.
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
    /// Planes of the input.
    pub blocks: usize,
    pub input: &'a [f32],
    /// The tile's first pixel; the others follow it.
    pub at: usize,
    pub input_plane: usize,
    /// Place of each pixel of the tile in the panel's first plane.
    pub offsets: &'a [usize],
    pub output_plane: usize,
}

fn check_output(offsets: &[usize], bias: &[f32], output_plane: usize, output: usize) {
    assert!(!offsets.is_empty() && offsets.len() <= MAX_TILE, "a tile of {} pixels", offsets.len());
    assert!(bias.len() == BLOCK || bias.len() == 2 * BLOCK, "a panel of {}", bias.len());
    let reach = (bias.len() / BLOCK - 1) * output_plane + BLOCK;
    assert!(offsets.iter().all(|&offset| offset + reach <= output));
}

impl Pointwise<'_> {
    /// Panics unless every access lies inside the slices.
    fn check(&self, output: usize) {
        check_output(self.offsets, self.bias, self.output_plane, output);
        assert!(self.blocks > 0 && self.weights.len() >= self.blocks * BLOCK * self.bias.len());
        let read = (self.blocks - 1) * self.input_plane + self.at + self.offsets.len() * BLOCK;
        assert!(read <= self.input.len());
    }
}

/// As [`Pointwise`], with weights and input in bfloat16. Of x86 processors so far.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(super) struct HalfPointwise<'a> {
    /// `[pair of input channels][output channel of the panel][2]`.
    pub weights: &'a [u16],
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
    pub blocks: usize,
    pub input: &'a [u16],
    pub at: usize,
    pub input_plane: usize,
    pub offsets: &'a [usize],
    pub output_plane: usize,
}

#[cfg(target_arch = "x86_64")]
impl HalfPointwise<'_> {
    /// Panics unless every access lies inside the slices.
    fn check(&self, output: usize) {
        check_output(self.offsets, self.bias, self.output_plane, output);
        assert!(self.blocks > 0 && self.weights.len() >= self.blocks * BLOCK * self.bias.len());
        let read = (self.blocks - 1) * self.input_plane + self.at + self.offsets.len() * BLOCK;
        assert!(read <= self.input.len());
    }
}

/// A row of pixels, all channels: half as many others are added, each to two.
pub(super) struct Merge<'a> {
    pub clamp: (f32, f32),
    pub blocks: usize,
    /// Of the output; even.
    pub pixels: usize,
    pub input: &'a [f32],
    /// The row's first pixel.
    pub at: usize,
    pub input_plane: usize,
    pub output_at: usize,
    pub output_plane: usize,
}

impl Merge<'_> {
    /// In slices of whole pixels, which the compiler makes vectors of, of whatever size the caller's are.
    #[inline(always)]
    fn run(&self, output: &mut [f32]) {
        let (low, high) = self.clamp;
        for block in 0..self.blocks {
            let input = &self.input[block * self.input_plane + self.at..][..self.pixels / 2 * BLOCK];
            let output = &mut output[block * self.output_plane + self.output_at..][..self.pixels * BLOCK];
            let pairs = output.as_chunks_mut::<{ 2 * BLOCK }>().0;
            for (pair, coarse) in pairs.iter_mut().zip(input.as_chunks::<BLOCK>().0) {
                for (lane, value) in pair.iter_mut().enumerate() {
                    let sum = *value + coarse[lane % BLOCK];
                    // Not `clamp`: the comparisons in this form become min and max instructions.
                    let least = if sum > low { sum } else { low };
                    *value = if least < high { least } else { high };
                }
            }
        }
    }
}

/// A tile of pixels of one row, one panel of output channels, a square over all input channels.
pub(super) struct Convolve<'a> {
    /// `[row][column and input channel][output channel of the panel]`.
    pub weights: &'a [f32],
    /// One for each output channel of the panel: 16 or 32.
    pub bias: &'a [f32],
    pub clamp: (f32, f32),
    /// Padded input rows, as many as the square has, `[column][channel]`.
    pub rows: &'a [&'a [f32]],
    /// The first tap of the tile's first pixel, in each row.
    pub at: usize,
    /// Taps of a row times channels.
    pub taps: usize,
    /// From the first tap of one pixel to that of the next.
    pub step: usize,
    /// Place of each pixel of the tile in the panel's first plane.
    pub offsets: &'a [usize],
    pub output_plane: usize,
}

impl Convolve<'_> {
    /// Panics unless every access lies inside the slices.
    fn check(&self, output: usize) {
        check_output(self.offsets, self.bias, self.output_plane, output);
        assert!(self.weights.len() >= self.rows.len() * self.taps * self.bias.len());
        let read = self.at + (self.offsets.len() - 1) * self.step + self.taps;
        assert!(self.rows.iter().all(|row| read <= row.len()));
    }
}
