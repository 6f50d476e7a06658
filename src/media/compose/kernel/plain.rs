//! The kernels in portable code: what they compute. See [`super::Isa`] for the contracts.

use std::ops::Range;

use super::super::resample::{Axis, BLOCK};

/// Returns `value / 255` rounded to nearest, for values up to 255 * 255.
#[inline]
fn div255(value: u16) -> u8 {
    ((u32::from(value + 128) * 257) >> 16) as u8
}

/// Returns the mix of two samples, `weight` 1/128 of the second.
#[inline]
fn mix(a: u8, b: u8, weight: u8) -> u8 {
    ((u16::from(a) * u16::from(128 - weight) + u16::from(b) * u16::from(weight) + 64) >> 7) as u8
}

pub fn resample(out: &mut [u8], row: &[u8], axis: &Axis, blocks: Range<usize>) {
    let outputs = blocks.start * BLOCK..(blocks.end * BLOCK).min(axis.len());
    for output in outputs {
        let (left, weight) = axis.tap(output);
        out[output] = mix(row[left], row[axis.right(output)], weight);
    }
}

pub fn lerp(out: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, opacity: u8) {
    let (upper, lower) = (&upper[..out.len()], &lower[..out.len()]);
    match (weight, opacity) {
        (0, 255) => out.copy_from_slice(upper),
        (_, 255) => {
            for ((out, &a), &b) in out.iter_mut().zip(upper).zip(lower) {
                *out = mix(a, b, weight);
            }
        }
        _ => {
            for ((out, &a), &b) in out.iter_mut().zip(upper).zip(lower) {
                *out = div255(u16::from(mix(a, b, weight)) * u16::from(opacity));
            }
        }
    }
}

pub fn blend(dst: &mut [u8], upper: &[u8], lower: &[u8], weight: u8, alpha: &[u8]) {
    let (upper, lower, alpha) = (&upper[..dst.len()], &lower[..dst.len()], &alpha[..dst.len()]);
    for (((dst, &a), &b), &alpha) in dst.iter_mut().zip(upper).zip(lower).zip(alpha) {
        let source = u16::from(mix(a, b, weight));
        *dst = div255(source * u16::from(alpha) + u16::from(*dst) * u16::from(255 - alpha));
    }
}

pub fn box2(out: &mut [u8], upper: &[u8], lower: &[u8]) {
    let (upper, lower) = (upper[..2 * out.len()].chunks_exact(2), lower[..2 * out.len()].chunks_exact(2));
    for ((out, a), b) in out.iter_mut().zip(upper).zip(lower) {
        let sum: u16 = [a[0], a[1], b[0], b[1]].into_iter().map(u16::from).sum();
        *out = ((sum + 2) >> 2) as u8;
    }
}
