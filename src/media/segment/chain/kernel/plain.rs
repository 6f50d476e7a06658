//! Portable loops over arrays of 16, which compilers turn into what vectors the target has (SSE2, NEON).

use super::{BLOCK, Convolve, Depthwise, Kernels, Pointwise};

pub(super) static KERNELS: Kernels = Kernels { tile: TILE, panel: BLOCK, depthwise, pointwise, convolve, half: None };

/// Pixels of a tile: few, or the sums leave the registers.
const TILE: usize = 4;

type Lanes = [f32; BLOCK];

/// `sum + a * b`, in one instruction where the target has one without asking.
#[inline(always)]
fn accumulate(sum: &mut Lanes, a: f32, b: &Lanes) {
    for (sum, &b) in sum.iter_mut().zip(b) {
        *sum = if cfg!(target_arch = "aarch64") { a.mul_add(b, *sum) } else { *sum + a * b };
    }
}

#[inline(always)]
fn lanes(from: &[f32], at: usize) -> &Lanes {
    from[at..].first_chunk().expect("the caller checked the bounds")
}

#[inline(always)]
fn store(output: &mut [f32], at: usize, sum: &Lanes, (low, high): (f32, f32)) {
    for (to, &sum) in output[at..at + BLOCK].iter_mut().zip(sum) {
        // Not `clamp`: the comparisons in this form become min and max instructions.
        let least = if sum > low { sum } else { low };
        *to = if least < high { least } else { high };
    }
}

fn depthwise(run: &Depthwise<'_>, output: &mut [f32]) {
    run.check(output.len());
    for block in 0..run.blocks {
        let weights: [&Lanes; 9] = std::array::from_fn(|tap| lanes(run.weights, (block * 9 + tap) * BLOCK));
        for pixel in 0..run.pixels {
            let at = block * run.input_plane + run.at + pixel * run.step;
            let mut sum = *lanes(run.bias, block * BLOCK);
            for (tap, weights) in weights.iter().enumerate() {
                let input = lanes(run.input, at + tap / 3 * run.row + tap % 3 * run.column);
                for ((sum, &a), &b) in sum.iter_mut().zip(input).zip(*weights) {
                    *sum = if cfg!(target_arch = "aarch64") { a.mul_add(b, *sum) } else { *sum + a * b };
                }
            }
            store(output, block * run.output_plane + run.output_at + pixel * BLOCK, &sum, run.clamp);
        }
    }
}

fn pointwise(tile: &Pointwise<'_>, output: &mut [f32]) {
    tile.check(output.len());
    match tile.offsets.len() {
        1 => pointwise_of::<1>(tile, output),
        2 => pointwise_of::<2>(tile, output),
        3 => pointwise_of::<3>(tile, output),
        4 => pointwise_of::<4>(tile, output),
        count => unreachable!("{count} pixels in a tile of {TILE}"),
    }
}

fn pointwise_of<const PIXELS: usize>(tile: &Pointwise<'_>, output: &mut [f32]) {
    let mut sums = [*lanes(tile.bias, 0); PIXELS];
    for block in 0..tile.blocks {
        let at = block * tile.input_plane + tile.at;
        let inputs: [&Lanes; PIXELS] = std::array::from_fn(|pixel| lanes(tile.input, at + pixel * BLOCK));
        let weights = &tile.weights[block * BLOCK * BLOCK..(block + 1) * BLOCK * BLOCK];
        for (channel, weights) in weights.as_chunks::<BLOCK>().0.iter().enumerate() {
            for (sum, input) in sums.iter_mut().zip(&inputs) {
                accumulate(sum, input[channel], weights);
            }
        }
    }
    for (sum, &offset) in sums.iter().zip(tile.offsets) {
        store(output, offset, sum, tile.clamp);
    }
}

fn convolve(tile: &Convolve<'_>, output: &mut [f32]) {
    tile.check(output.len());
    for (pixel, &offset) in tile.offsets.iter().enumerate() {
        let mut sum = *lanes(tile.bias, 0);
        for (row, weights) in tile.rows.iter().zip(tile.weights.chunks(tile.taps * BLOCK)) {
            let inputs = &row[tile.at + pixel * tile.step..][..tile.taps];
            for (&input, weights) in inputs.iter().zip(weights.as_chunks::<BLOCK>().0) {
                accumulate(&mut sum, input, weights);
            }
        }
        store(output, offset, &sum, tile.clamp);
    }
}
