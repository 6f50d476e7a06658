//! AVX2 with fused multiply-add: 8 floats, 16 registers.

use std::arch::x86_64::*;

use super::{
    BLOCK, Convolve, Depthwise, Kernels, Merge, Pointwise,
    simd::{self, Floats, Lanes, by_size},
};

pub(super) static KERNELS: Kernels =
    Kernels { tile: 6, panel: BLOCK, depthwise, pointwise, convolve, merge, half: None };

impl Lanes for __m256 {
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has AVX2 and 8 floats there.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has AVX2 and room for 8 floats there.
        unsafe { _mm256_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn accumulate(self, a: Self, b: Self) -> Self {
        // SAFETY: the caller has FMA.
        unsafe { _mm256_fmadd_ps(a, b, self) }
    }

    #[inline(always)]
    unsafe fn clamp(self, low: Self, high: Self) -> Self {
        // SAFETY: the caller has AVX2.
        unsafe { _mm256_min_ps(_mm256_max_ps(self, low), high) }
    }
}

fn depthwise(run: &Depthwise<'_>, output: &mut [f32]) {
    run.check(output.len());
    // SAFETY: these kernels are handed out where AVX2 and FMA were detected, and the bounds are checked.
    unsafe { depthwise_avx2(run, output.as_mut_ptr()) }
}

/// # Safety
/// As [`simd::depthwise`].
#[target_feature(enable = "avx2,fma")]
unsafe fn depthwise_avx2(run: &Depthwise<'_>, output: *mut f32) {
    // SAFETY: passed on.
    unsafe { simd::depthwise::<__m256, Floats>(run, output) }
}

fn pointwise(tile: &Pointwise<'_>, output: &mut [f32]) {
    tile.check(output.len());
    // SAFETY: these kernels are handed out where AVX2 and FMA were detected, and the bounds are checked.
    unsafe {
        by_size!(tile.offsets.len(), tile.bias.len() / 8, [1 2 3 4 5 6], pointwise_avx2(tile, output.as_mut_ptr()))
    }
}

/// # Safety
/// As [`simd::pointwise`].
#[target_feature(enable = "avx2,fma")]
unsafe fn pointwise_avx2<const PIXELS: usize, const VECTORS: usize>(tile: &Pointwise<'_>, output: *mut f32) {
    // SAFETY: passed on.
    unsafe { simd::pointwise::<__m256, PIXELS, VECTORS>(tile, output) }
}

fn convolve(tile: &Convolve<'_>, output: &mut [f32]) {
    tile.check(output.len());
    // SAFETY: these kernels are handed out where AVX2 and FMA were detected, and the bounds are checked.
    unsafe {
        by_size!(tile.offsets.len(), tile.bias.len() / 8, [1 2 3 4 5 6], convolve_avx2(tile, output.as_mut_ptr()))
    }
}

/// # Safety
/// As [`simd::convolve`].
#[target_feature(enable = "avx2,fma")]
unsafe fn convolve_avx2<const PIXELS: usize, const VECTORS: usize>(tile: &Convolve<'_>, output: *mut f32) {
    // SAFETY: passed on; constants where they equal the tile's own.
    unsafe {
        match (tile.taps, tile.step) {
            (9, 6) => simd::convolve::<__m256, PIXELS, VECTORS>(tile, 9, 6, output),
            (6, 6) => simd::convolve::<__m256, PIXELS, VECTORS>(tile, 6, 6, output),
            (taps, step) => simd::convolve::<__m256, PIXELS, VECTORS>(tile, taps, step, output),
        }
    }
}

fn merge(row: &Merge<'_>, output: &mut [f32]) {
    // SAFETY: these kernels are handed out where AVX2 and FMA were detected.
    unsafe { merge_avx2(row, output) }
}

/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx2,fma")]
unsafe fn merge_avx2(row: &Merge<'_>, output: &mut [f32]) {
    row.run(output);
}
