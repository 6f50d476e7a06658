//! The kernels for AVX2. See [`super::Isa`] for the contracts and [`super::plain`] for the results.
//!
//! Byte multiply-adds (`maddubs`) take one unsigned and one signed factor. Mixing weights are at most 127 and so can
//! be the signed one. Alpha cannot; there the samples are shifted by 128 to become signed, which shifts the sum by
//! 128 * 255, and that together with the rounding constant 128 is just the flipped upper bit. Division by 255 with
//! rounding is `(sum + 128) * 257 >> 16`, and `(x + 64) >> 7` is `mulhrs(x, 256)`.

use std::{arch::x86_64::*, ops::Range};

use super::super::resample::{Axis, BLOCK};

/// Runs the same code as everywhere, in larger vectors.
#[target_feature(enable = "avx2")]
pub fn swirl(out: &mut [u8], row: &super::swirl::Row<'_>) {
    super::swirl::fill(out, row);
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[u8; 32]) -> __m256i {
    // SAFETY: the array is 32 readable bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(to: &mut [u8; 32], value: __m256i) {
    // SAFETY: the array is 32 writable bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), value) }
}

/// Returns two windows of 16 bytes, in the lower and the upper lane.
#[inline]
#[target_feature(enable = "avx2")]
fn load_windows(row: &[u8], lower: u32, upper: u32) -> __m256i {
    let lower = &row[lower as usize..][..16];
    let upper = &row[upper as usize..][..16];
    // SAFETY: both slices are 16 readable bytes, and the loads need no alignment.
    unsafe { _mm256_loadu2_m128i(upper.as_ptr().cast(), lower.as_ptr().cast()) }
}

/// Returns the up to 31 bytes after the last whole block, padded with zeros.
#[inline]
fn padded(rest: &[u8]) -> [u8; 32] {
    let mut block = [0; 32];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// Returns `(128 - weight, weight)` in every byte pair; of use for weights other than 0.
#[inline]
#[target_feature(enable = "avx2")]
fn weights(weight: u8) -> __m256i {
    _mm256_set1_epi16(i16::from(weight) << 8 | i16::from(128 - weight))
}

/// Returns the mix of two blocks as 16-bit values, interleaved by lanes as `unpack` does. The weight is not 0.
#[inline]
#[target_feature(enable = "avx2")]
fn mix16(a: __m256i, b: __m256i, weights: __m256i) -> (__m256i, __m256i) {
    let rounding = _mm256_set1_epi16(256);
    let low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), weights);
    let high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), weights);
    (_mm256_mulhrs_epi16(low, rounding), _mm256_mulhrs_epi16(high, rounding))
}

/// Products of bytes divided by 255, rounded; up to 255 * 255.
#[inline]
#[target_feature(enable = "avx2")]
fn scale(value: __m256i, opacity: __m256i) -> __m256i {
    let product = _mm256_add_epi16(_mm256_mullo_epi16(value, opacity), _mm256_set1_epi16(128));
    _mm256_mulhi_epu16(product, _mm256_set1_epi16(257))
}

/// Returns `(source * alpha + dst * (255 - alpha)) / 255` for 16 interleaved pairs each.
#[inline]
#[target_feature(enable = "avx2")]
fn over16(pairs: __m256i, alphas: __m256i) -> __m256i {
    let shifted = _mm256_xor_si256(pairs, _mm256_set1_epi8(-128));
    let sum = _mm256_maddubs_epi16(alphas, shifted);
    let sum = _mm256_xor_si256(sum, _mm256_set1_epi16(i16::MIN));
    _mm256_mulhi_epu16(sum, _mm256_set1_epi16(257))
}

#[inline]
#[target_feature(enable = "avx2")]
fn over(dst: __m256i, source: __m256i, alpha: __m256i) -> __m256i {
    let beta = _mm256_xor_si256(alpha, _mm256_set1_epi8(-1));
    let low = over16(_mm256_unpacklo_epi8(source, dst), _mm256_unpacklo_epi8(alpha, beta));
    let high = over16(_mm256_unpackhi_epi8(source, dst), _mm256_unpackhi_epi8(alpha, beta));
    _mm256_packus_epi16(low, high)
}

#[target_feature(enable = "avx2")]
pub fn resample(out: &mut [u8], row: &[u8], axis: &Axis, blocks: Range<usize>) {
    let rounding = _mm256_set1_epi16(256);
    let (out, _) = out.as_chunks_mut::<BLOCK>();
    for (out, gather) in out[blocks.clone()].iter_mut().zip(&axis.gathers()[blocks]) {
        let [first, second, third, fourth] = gather.windows;
        let even = _mm256_shuffle_epi8(load_windows(row, first, third), load(&gather.masks[0]));
        let odd = _mm256_shuffle_epi8(load_windows(row, second, fourth), load(&gather.masks[1]));
        let even = _mm256_mulhrs_epi16(_mm256_maddubs_epi16(even, load(&gather.weights[0])), rounding);
        let odd = _mm256_mulhrs_epi16(_mm256_maddubs_epi16(odd, load(&gather.weights[1])), rounding);
        store(out, _mm256_packus_epi16(even, odd));
    }
}

#[target_feature(enable = "avx2")]
pub fn lerp(out: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, opacity: u8) {
    let (upper, lower) = (&upper[..out.len()], &lower[..out.len()]);
    if weight == 0 && opacity == 255 {
        out.copy_from_slice(upper);
        return;
    }
    // The upper row alone is the even mix of itself with itself: 128 is no signed byte.
    let (lower, weight) = if weight == 0 { (upper, 64) } else { (lower, weight) };
    let weights = weights(weight);
    let opacity = (opacity != 255).then(|| _mm256_set1_epi16(i16::from(opacity)));
    let step = |out: &mut [u8; 32], a: &[u8; 32], b: &[u8; 32]| {
        let (mut low, mut high) = mix16(load(a), load(b), weights);
        if let Some(opacity) = opacity {
            (low, high) = (scale(low, opacity), scale(high, opacity));
        }
        store(out, _mm256_packus_epi16(low, high));
    };
    let (out, out_rest) = out.as_chunks_mut::<32>();
    let ((a, a_rest), (b, b_rest)) = (upper.as_chunks::<32>(), lower.as_chunks::<32>());
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        step(out, a, b);
    }
    if !out_rest.is_empty() {
        let mut block = [0; 32];
        step(&mut block, &padded(a_rest), &padded(b_rest));
        out_rest.copy_from_slice(&block[..out_rest.len()]);
    }
}

#[target_feature(enable = "avx2")]
pub fn blend(dst: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, alpha: &[u8]) {
    let (upper, lower, alpha) = (&upper[..dst.len()], &lower[..dst.len()], &alpha[..dst.len()]);
    let weights = weights(weight);
    let opaque = _mm256_set1_epi8(-1);
    let step = |dst: &mut [u8; 32], a: &[u8; 32], b: &[u8; 32], alpha: &[u8; 32]| {
        let alpha = load(alpha);
        if _mm256_testz_si256(alpha, alpha) != 0 {
            return;
        }
        let source = if weight == 0 {
            load(a)
        } else {
            let (low, high) = mix16(load(a), load(b), weights);
            _mm256_packus_epi16(low, high)
        };
        if _mm256_testc_si256(alpha, opaque) != 0 {
            store(dst, source);
        } else {
            store(dst, over(load(dst), source, alpha));
        }
    };
    let (dst, dst_rest) = dst.as_chunks_mut::<32>();
    let ((a, a_rest), (b, b_rest)) = (upper.as_chunks::<32>(), lower.as_chunks::<32>());
    let (alpha, alpha_rest) = alpha.as_chunks::<32>();
    for (((dst, a), b), alpha) in dst.iter_mut().zip(a).zip(b).zip(alpha) {
        step(dst, a, b, alpha);
    }
    if !dst_rest.is_empty() {
        let mut block = padded(dst_rest);
        step(&mut block, &padded(a_rest), &padded(b_rest), &padded(alpha_rest));
        dst_rest.copy_from_slice(&block[..dst_rest.len()]);
    }
}

#[target_feature(enable = "avx2")]
pub fn box2(out: &mut [u8], upper: &[u8], lower: &[u8]) {
    let (upper, lower) = (&upper[..2 * out.len()], &lower[..2 * out.len()]);
    let (ones, two) = (_mm256_set1_epi8(1), _mm256_set1_epi16(2));
    let half = |a: &[u8; 32], b: &[u8; 32]| {
        let sum = _mm256_add_epi16(_mm256_maddubs_epi16(load(a), ones), _mm256_maddubs_epi16(load(b), ones));
        _mm256_srli_epi16(_mm256_add_epi16(sum, two), 2)
    };
    let step = |out: &mut [u8; 32], a: [&[u8; 32]; 2], b: [&[u8; 32]; 2]| {
        let packed = _mm256_packus_epi16(half(a[0], b[0]), half(a[1], b[1]));
        store(out, _mm256_permute4x64_epi64(packed, 0b11_01_10_00));
    };
    let (out, out_rest) = out.as_chunks_mut::<32>();
    let ((a, _), (b, _)) = (upper.as_chunks::<32>(), lower.as_chunks::<32>());
    for ((out, a), b) in out.iter_mut().zip(a.chunks_exact(2)).zip(b.chunks_exact(2)) {
        step(out, [&a[0], &a[1]], [&b[0], &b[1]]);
    }
    let done = 64 * out.len();
    super::plain::box2(out_rest, &upper[done..], &lower[done..]);
}
