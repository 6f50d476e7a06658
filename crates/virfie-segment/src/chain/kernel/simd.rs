//! The loops that the vector instruction sets share, written once over a vector type.

use super::{BLOCK, Convolve, Depthwise, Pointwise};

/// A vector of floats. Each method needs the processor to have the vector's instructions.
pub(super) trait Lanes: Copy {
    /// Floats of the vector: divides 16.
    const COUNT: usize;
    /// Returns all lanes alike.
    unsafe fn splat(value: f32) -> Self;
    /// Reads `COUNT` floats.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `COUNT` floats.
    unsafe fn store(self, to: *mut f32);
    /// Returns `self + a * b`.
    unsafe fn accumulate(self, a: Self, b: Self) -> Self;
    /// Clamps it between `low` and `high`.
    unsafe fn clamp(self, low: Self, high: Self) -> Self;
}

/// The destination of a depthwise run's sums.
pub(super) trait Sink<L: Lanes> {
    type Element;
    /// Writes `L::COUNT` elements.
    unsafe fn write(to: *mut Self::Element, value: L);
}

/// Sums stay floats.
pub(super) struct Floats;

impl<L: Lanes> Sink<L> for Floats {
    type Element = f32;
    #[inline(always)]
    unsafe fn write(to: *mut f32, value: L) {
        // SAFETY: the caller's promise is the same.
        unsafe { value.store(to) }
    }
}

/// Pixels that a depthwise run computes together.
const TOGETHER: usize = 8;

/// Computes depthwise sums of `PIXELS` neighbours in one vector of channels.
///
/// # Safety
/// The processor has `L`; all taps of all pixels lie inside the input, and all pixels inside the output.
#[inline(always)]
unsafe fn depthwise_pixels<L: Lanes, S: Sink<L>, const PIXELS: usize>(
    weights: &[L; 9],
    (bias, low, high): (L, L, L),
    input: *const f32,
    (row, column, step): (usize, usize, usize),
    output: *mut S::Element,
) {
    // SAFETY: the caller's promise covers each tap and pixel.
    unsafe {
        let mut sums = [bias; PIXELS];
        for y in 0..3 {
            for x in 0..3 {
                for (pixel, sum) in sums.iter_mut().enumerate() {
                    let tap = L::load(input.add(y * row + x * column + pixel * step));
                    *sum = sum.accumulate(tap, weights[y * 3 + x]);
                }
            }
        }
        for (pixel, sum) in sums.into_iter().enumerate() {
            S::write(output.add(pixel * BLOCK), sum.clamp(low, high));
        }
    }
}

/// Does a checked depthwise run.
///
/// # Safety
/// The processor has `L`, and [`Depthwise::check`] has passed for the output.
#[inline(always)]
unsafe fn depthwise_at<L: Lanes, S: Sink<L>>(
    run: &Depthwise<'_>,
    output: *mut S::Element,
    steps: (usize, usize, usize),
) {
    // SAFETY: all positions are those that the check covers.
    unsafe {
        let (low, high) = (L::splat(run.clamp.0), L::splat(run.clamp.1));
        for vector in 0..run.blocks * BLOCK / L::COUNT {
            let (block, lane) = (vector * L::COUNT / BLOCK, vector * L::COUNT % BLOCK);
            let weights = run.weights.as_ptr().add(block * 9 * BLOCK + lane);
            let weights: [L; 9] = std::array::from_fn(|tap| L::load(weights.add(tap * BLOCK)));
            let edges = (L::load(run.bias.as_ptr().add(block * BLOCK + lane)), low, high);
            let mut input = run.input.as_ptr().add(block * run.input_plane + run.at + lane);
            let mut output = output.add(block * run.output_plane + run.output_at + lane);
            let mut left = run.pixels;
            while left >= TOGETHER {
                depthwise_pixels::<L, S, TOGETHER>(&weights, edges, input, steps, output);
                left -= TOGETHER;
                input = input.wrapping_add(TOGETHER * steps.2);
                output = output.wrapping_add(TOGETHER * BLOCK);
            }
            while left > 0 {
                depthwise_pixels::<L, S, 1>(&weights, edges, input, steps, output);
                left -= 1;
                input = input.wrapping_add(steps.2);
                output = output.wrapping_add(BLOCK);
            }
        }
    }
}

/// Does a checked depthwise run, with the usual distances known to the compiler.
///
/// # Safety
/// The processor has `L`, and [`Depthwise::check`] has passed for the output.
#[inline(always)]
pub(super) unsafe fn depthwise<L: Lanes, S: Sink<L>>(run: &Depthwise<'_>, output: *mut S::Element) {
    // SAFETY: passed on.
    unsafe {
        match (run.column / BLOCK, run.step / BLOCK) {
            (1, 1) => depthwise_at::<L, S>(run, output, (run.row, BLOCK, BLOCK)),
            (1, 2) => depthwise_at::<L, S>(run, output, (run.row, BLOCK, 2 * BLOCK)),
            (2, 1) => depthwise_at::<L, S>(run, output, (run.row, 2 * BLOCK, BLOCK)),
            _ => depthwise_at::<L, S>(run, output, (run.row, run.column, run.step)),
        }
    }
}

/// Clamps and writes a tile's sums.
///
/// # Safety
/// The processor has `L`; each offset leaves room for the panel's planes in the output.
#[inline(always)]
pub(super) unsafe fn finish<L: Lanes, const PIXELS: usize, const VECTORS: usize>(
    sums: [[L; VECTORS]; PIXELS],
    clamp: (f32, f32),
    offsets: &[usize],
    plane: usize,
    output: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let (low, high) = (L::splat(clamp.0), L::splat(clamp.1));
        for (sums, &offset) in sums.into_iter().zip(offsets) {
            for (vector, sum) in sums.into_iter().enumerate() {
                let lane = vector * L::COUNT;
                sum.clamp(low, high).store(output.add(offset + lane / BLOCK * plane + lane % BLOCK));
            }
        }
    }
}

/// Returns a tile's sums to begin with: the bias.
///
/// # Safety
/// The processor has `L`; the panel has `VECTORS` vectors.
#[inline(always)]
pub(super) unsafe fn begin<L: Lanes, const PIXELS: usize, const VECTORS: usize>(
    bias: &[f32],
) -> [[L; VECTORS]; PIXELS] {
    // SAFETY: the caller's promise.
    [std::array::from_fn(|vector| unsafe { L::load(bias.as_ptr().add(vector * L::COUNT)) }); PIXELS]
}

/// Does a checked pointwise tile.
///
/// # Safety
/// The processor has `L`; [`Pointwise::check`] has passed; the tile has `PIXELS` pixels, the panel `VECTORS` vectors.
#[inline(always)]
pub(super) unsafe fn pointwise<L: Lanes, const PIXELS: usize, const VECTORS: usize>(
    tile: &Pointwise<'_>,
    output: *mut f32,
) {
    // SAFETY: all positions are those that the check covers.
    unsafe {
        let mut sums = begin::<L, PIXELS, VECTORS>(tile.bias);
        let mut weights = tile.weights.as_ptr();
        let mut input = tile.input.as_ptr().add(tile.at);
        for _ in 0..tile.blocks {
            for channel in 0..BLOCK {
                let row: [L; VECTORS] = std::array::from_fn(|vector| L::load(weights.add(vector * L::COUNT)));
                weights = weights.add(VECTORS * L::COUNT);
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = L::splat(*input.add(pixel * BLOCK + channel));
                    for (sum, &weights) in sums.iter_mut().zip(&row) {
                        *sum = sum.accumulate(value, weights);
                    }
                }
            }
            input = input.wrapping_add(tile.input_plane);
        }
        finish(sums, tile.clamp, tile.offsets, tile.output_plane, output);
    }
}

/// Does a checked convolution tile; `taps` and `step` are those of the tile, or constants equal to them.
///
/// # Safety
/// The processor has `L`; [`Convolve::check`] has passed; the tile has `PIXELS` pixels, the panel `VECTORS` vectors.
#[inline(always)]
pub(super) unsafe fn convolve<L: Lanes, const PIXELS: usize, const VECTORS: usize>(
    tile: &Convolve<'_>,
    taps: usize,
    step: usize,
    output: *mut f32,
) {
    // SAFETY: all positions are those that the check covers.
    unsafe {
        let mut sums = begin::<L, PIXELS, VECTORS>(tile.bias);
        let mut weights = tile.weights.as_ptr();
        for row in tile.rows {
            let input = row.as_ptr().add(tile.at);
            for tap in 0..taps {
                let row: [L; VECTORS] = std::array::from_fn(|vector| L::load(weights.add(vector * L::COUNT)));
                weights = weights.add(VECTORS * L::COUNT);
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = L::splat(*input.add(pixel * step + tap));
                    for (sum, &weights) in sums.iter_mut().zip(&row) {
                        *sum = sum.accumulate(value, weights);
                    }
                }
            }
        }
        finish(sums, tile.clamp, tile.offsets, tile.output_plane, output);
    }
}

/// Calls a function of the tile's size and the panel's vectors with both as constants.
macro_rules! by_size {
    ($pixels:expr, $vectors:expr, [$($size:literal)*], $call:ident $arguments:tt) => {
        match ($pixels, $vectors) {
            $(($size, 1) => $call::<$size, 1> $arguments,
              ($size, 2) => $call::<$size, 2> $arguments,)*
            (pixels, vectors) => unreachable!("a tile of {pixels} pixels and {vectors} vectors"),
        }
    };
}
pub(super) use by_size;
