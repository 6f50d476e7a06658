//! Portable loops over short arrays, which compilers turn into what vectors the target has (SSE2, NEON).

use super::{BLOCK, Convolve, Depthwise, Kernels, Merge, Pointwise};

pub(super) static KERNELS: Kernels =
    Kernels { tile: TILE, panel: BLOCK, depthwise, pointwise, convolve, merge, half: None };

/// Pixels of a tile: few, or the sums leave the registers.
const TILE: usize = 4;

/// Channels that are summed together: as wide as the vectors that every processor has.
const QUAD: usize = 4;

type Quad = [f32; QUAD];

/// Returns `sum + a * b`, fused where the target can without asking.
#[inline(always)]
fn accumulate(sum: Quad, a: Quad, b: Quad) -> Quad {
    if cfg!(target_arch = "aarch64") {
        [a[0].mul_add(b[0], sum[0]), a[1].mul_add(b[1], sum[1]), a[2].mul_add(b[2], sum[2]), a[3].mul_add(b[3], sum[3])]
    } else {
        [sum[0] + a[0] * b[0], sum[1] + a[1] * b[1], sum[2] + a[2] * b[2], sum[3] + a[3] * b[3]]
    }
}

#[inline(always)]
fn quad(from: &[f32], at: usize) -> Quad {
    [from[at], from[at + 1], from[at + 2], from[at + 3]]
}

#[inline(always)]
fn store(output: &mut [f32], at: usize, sum: Quad, (low, high): (f32, f32)) {
    for (to, sum) in output[at..at + QUAD].iter_mut().zip(sum) {
        // Not `clamp`: the comparisons in this form become min and max instructions.
        let least = if sum > low { sum } else { low };
        *to = if least < high { least } else { high };
    }
}

fn depthwise(run: &Depthwise<'_>, output: &mut [f32]) {
    run.check(output.len());
    for (block, lane) in (0..run.blocks).flat_map(|block| (0..BLOCK).step_by(QUAD).map(move |lane| (block, lane))) {
        let weights: [Quad; 9] = std::array::from_fn(|tap| quad(run.weights, (block * 9 + tap) * BLOCK + lane));
        let bias = quad(run.bias, block * BLOCK + lane);
        let input = &run.input[block * run.input_plane + run.at + lane..];
        for pixel in 0..run.pixels {
            let mut sum = bias;
            for (tap, &weights) in weights.iter().enumerate() {
                let at = pixel * run.step + tap / 3 * run.row + tap % 3 * run.column;
                sum = accumulate(sum, quad(&input[at..at + QUAD], 0), weights);
            }
            store(output, block * run.output_plane + run.output_at + pixel * BLOCK + lane, sum, run.clamp);
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
    // Half a panel at a time: the sums of eight channels and four pixels fill eight registers.
    for lane in (0..BLOCK).step_by(2 * QUAD) {
        let mut sums = [[quad(tile.bias, lane), quad(tile.bias, lane + QUAD)]; PIXELS];
        for block in 0..tile.blocks {
            let at = block * tile.input_plane + tile.at;
            let inputs: &[f32] = &tile.input[at..at + PIXELS * BLOCK];
            let weights = &tile.weights[block * BLOCK * BLOCK..(block + 1) * BLOCK * BLOCK];
            for (channel, weights) in weights.as_chunks::<BLOCK>().0.iter().enumerate() {
                let (low, high) = (quad(weights, lane), quad(weights, lane + QUAD));
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = [inputs[pixel * BLOCK + channel]; QUAD];
                    sums[0] = accumulate(sums[0], value, low);
                    sums[1] = accumulate(sums[1], value, high);
                }
            }
        }
        for (sums, &offset) in sums.iter().zip(tile.offsets) {
            store(output, offset + lane, sums[0], tile.clamp);
            store(output, offset + lane + QUAD, sums[1], tile.clamp);
        }
    }
}

fn convolve(tile: &Convolve<'_>, output: &mut [f32]) {
    tile.check(output.len());
    for (pixel, &offset) in tile.offsets.iter().enumerate() {
        let mut sums: [Quad; BLOCK / QUAD] = std::array::from_fn(|part| quad(tile.bias, part * QUAD));
        for (row, weights) in tile.rows.iter().zip(tile.weights.chunks(tile.taps * BLOCK)) {
            let inputs = &row[tile.at + pixel * tile.step..][..tile.taps];
            for (&input, weights) in inputs.iter().zip(weights.as_chunks::<BLOCK>().0) {
                for (part, sum) in sums.iter_mut().enumerate() {
                    *sum = accumulate(*sum, [input; QUAD], quad(weights, part * QUAD));
                }
            }
        }
        for (part, sum) in sums.into_iter().enumerate() {
            store(output, offset + part * QUAD, sum, tile.clamp);
        }
    }
}

fn merge(row: &Merge<'_>, output: &mut [f32]) {
    row.run(output);
}
