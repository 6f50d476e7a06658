//! AVX-512: 16 floats, 32 registers; with bfloat16 products where the processor has them.

use std::arch::x86_64::*;

use super::{
    BLOCK, Convolve, Depthwise, Half, HalfPointwise, Kernels, Merge, Pointwise,
    simd::{self, Floats, Lanes, Sink, by_size},
};

pub(super) static KERNELS: Kernels =
    Kernels { tile: 14, panel: 2 * BLOCK, depthwise, pointwise, convolve, merge, half: None };

/// Handed out where `avx512bf16` was detected too.
pub(super) static KERNELS_BF16: Kernels = Kernels {
    half: Some(Half { depthwise: half_depthwise, pointwise: half_pointwise }),
    tile: 14,
    panel: 2 * BLOCK,
    depthwise,
    pointwise,
    convolve,
    merge,
};

impl Lanes for __m512 {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has AVX-512 and 16 floats there.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has AVX-512 and room for 16 floats there.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn accumulate(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, self) }
    }

    #[inline(always)]
    unsafe fn clamp(self, low: Self, high: Self) -> Self {
        // SAFETY: the caller has AVX-512.
        unsafe { _mm512_min_ps(_mm512_max_ps(self, low), high) }
    }
}

/// Sums rounded to bfloat16.
struct Halves;

impl Sink<__m512> for Halves {
    type Element = u16;

    #[inline(always)]
    unsafe fn write(to: *mut u16, value: __m512) {
        // SAFETY: the caller has AVX-512 with bfloat16 and room for 16 elements there.
        unsafe { to.cast::<__m256bh>().write_unaligned(_mm512_cvtneps_pbh(value)) }
    }
}

fn depthwise(run: &Depthwise<'_>, output: &mut [f32]) {
    run.check(output.len());
    // SAFETY: these kernels are handed out where AVX-512 was detected, and the bounds are checked.
    unsafe { depthwise_avx512(run, output.as_mut_ptr()) }
}

/// # Safety
/// As [`simd::depthwise`].
#[target_feature(enable = "avx512f")]
unsafe fn depthwise_avx512(run: &Depthwise<'_>, output: *mut f32) {
    // SAFETY: passed on.
    unsafe { simd::depthwise::<__m512, Floats>(run, output) }
}

fn pointwise(tile: &Pointwise<'_>, output: &mut [f32]) {
    tile.check(output.len());
    // SAFETY: these kernels are handed out where AVX-512 was detected, and the bounds are checked.
    unsafe {
        by_size!(tile.offsets.len(), tile.bias.len() / BLOCK, [1 2 3 4 5 6 7 8 9 10 11 12 13 14],
            pointwise_avx512(tile, output.as_mut_ptr()))
    }
}

/// # Safety
/// As [`simd::pointwise`].
#[target_feature(enable = "avx512f")]
unsafe fn pointwise_avx512<const PIXELS: usize, const VECTORS: usize>(tile: &Pointwise<'_>, output: *mut f32) {
    // SAFETY: passed on.
    unsafe { simd::pointwise::<__m512, PIXELS, VECTORS>(tile, output) }
}

fn convolve(tile: &Convolve<'_>, output: &mut [f32]) {
    tile.check(output.len());
    // SAFETY: these kernels are handed out where AVX-512 was detected, and the bounds are checked.
    unsafe {
        by_size!(tile.offsets.len(), tile.bias.len() / BLOCK, [1 2 3 4 5 6 7 8 9 10 11 12 13 14],
            convolve_avx512(tile, output.as_mut_ptr()))
    }
}

/// # Safety
/// As [`simd::convolve`].
#[target_feature(enable = "avx512f")]
unsafe fn convolve_avx512<const PIXELS: usize, const VECTORS: usize>(tile: &Convolve<'_>, output: *mut f32) {
    // SAFETY: passed on; constants where they equal the tile's own.
    unsafe {
        match (tile.taps, tile.step) {
            (9, 6) => simd::convolve::<__m512, PIXELS, VECTORS>(tile, 9, 6, output),
            (6, 6) => simd::convolve::<__m512, PIXELS, VECTORS>(tile, 6, 6, output),
            (taps, step) => simd::convolve::<__m512, PIXELS, VECTORS>(tile, taps, step, output),
        }
    }
}

fn half_depthwise(run: &Depthwise<'_>, output: &mut [u16]) {
    run.check(output.len());
    // SAFETY: these kernels are handed out where AVX-512 with bfloat16 was detected, and the bounds are checked.
    unsafe { half_depthwise_avx512(run, output.as_mut_ptr()) }
}

/// # Safety
/// As [`simd::depthwise`].
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn half_depthwise_avx512(run: &Depthwise<'_>, output: *mut u16) {
    // SAFETY: passed on.
    unsafe { simd::depthwise::<__m512, Halves>(run, output) }
}

fn half_pointwise(tile: &HalfPointwise<'_>, output: &mut [f32]) {
    tile.check(output.len());
    // SAFETY: these kernels are handed out where AVX-512 with bfloat16 was detected, and the bounds are checked.
    unsafe {
        by_size!(tile.offsets.len(), tile.bias.len() / BLOCK, [1 2 3 4 5 6 7 8 9 10 11 12 13 14],
            half_pointwise_avx512(tile, output.as_mut_ptr()))
    }
}

/// # Safety
/// The processor has AVX-512 with bfloat16; [`HalfPointwise::check`] has passed; the tile has `PIXELS` pixels, the
/// panel `VECTORS` vectors.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn half_pointwise_avx512<const PIXELS: usize, const VECTORS: usize>(tile: &HalfPointwise<'_>, output: *mut f32) {
    // SAFETY: all positions are those that the check covers.
    unsafe {
        let mut sums = simd::begin::<__m512, PIXELS, VECTORS>(tile.bias);
        let mut weights = tile.weights.as_ptr();
        let mut input = tile.input.as_ptr().add(tile.at);
        for _ in 0..tile.blocks {
            for pair in 0..BLOCK / 2 {
                let row: [__m512bh; VECTORS] =
                    std::array::from_fn(|vector| weights.add(vector * 2 * BLOCK).cast::<__m512bh>().read_unaligned());
                weights = weights.add(VECTORS * 2 * BLOCK);
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = input.add(pixel * BLOCK + 2 * pair).cast::<i32>().read_unaligned();
                    let value: __m512bh = std::mem::transmute(_mm512_set1_epi32(value));
                    for (sum, &weights) in sums.iter_mut().zip(&row) {
                        *sum = _mm512_dpbf16_ps(*sum, value, weights);
                    }
                }
            }
            input = input.wrapping_add(tile.input_plane);
        }
        simd::finish(sums, tile.clamp, tile.offsets, tile.output_plane, output);
    }
}

fn merge(row: &Merge<'_>, output: &mut [f32]) {
    // SAFETY: these kernels are handed out where AVX-512 was detected.
    unsafe { merge_avx512(row, output) }
}

/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx512f")]
unsafe fn merge_avx512(row: &Merge<'_>, output: &mut [f32]) {
    row.run(output);
}
