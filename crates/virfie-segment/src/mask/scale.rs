//! Between the sizes: the grid of the network, coarse and fine cells, half the frame, the frame.

use super::guided::Colours;
use crate::{grid::Grid, window::Region};

/// Width and height.
pub type Size = (usize, usize);

/// Most fine cells that a frame is divided into; the filters' time is proportional to them.
const MOST_CELLS: usize = 26_000;

/// Sizes of one frame on the way. Every size is half of a finer one, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    pub frame: Size,
    /// That of the chroma planes.
    pub half: Size,
    /// 160x90 for 640x360 and for 1280x720.
    pub fine: Size,
    pub coarse: Size,
    /// Number of times that `half` is halved to reach `fine`.
    steps: u32,
}

impl Sizes {
    pub fn new(frame: Size) -> Self {
        let halve = |(width, height): Size| (width.div_ceil(2), height.div_ceil(2));
        let half = halve(frame);
        let (mut fine, mut steps) = (half, 0);
        while fine.0 * fine.1 > MOST_CELLS {
            (fine, steps) = (halve(fine), steps + 1);
        }
        // A small frame needs no finer filter either than a quarter of it.
        if steps == 0 {
            (fine, steps) = (halve(fine), 1);
        }
        Self { frame, half, fine, coarse: halve(fine), steps }
    }

    /// Returns the side of a coarse cell in pixels.
    pub fn coarse_side(&self) -> usize {
        4 << self.steps
    }
}

/// Rows of the planes in between.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    sums: Vec<u32>,
    /// One pair for the coefficient that is being enlarged and one row for each coefficient.
    swap: Vec<f32>,
    coefficients: [Vec<f32>; 4],
    /// One row of half alpha, weighted, with a copy of the first and last sample at the ends.
    alpha: Vec<u16>,
}

impl Rows {
    pub fn resize(&mut self, sizes: &Sizes) {
        // Enlarged step by step, a row may end a few samples after the half frame does.
        let longest = sizes.fine.0 << sizes.steps;
        self.sums.resize(longest, 0);
        self.swap.resize(longest, 0.0);
        self.coefficients.iter_mut().for_each(|row| row.resize(longest, 0.0));
        self.alpha.resize(sizes.half.0 + 2, 0);
    }

    /// Computes one row of half alpha: the coefficients (fine), enlarged, applied to the row's colours (bytes).
    #[inline(always)]
    pub fn apply(
        &mut self,
        coefficients: &[Vec<f32>; 4],
        sizes: &Sizes,
        row: usize,
        colours: [&[u8]; 3],
        gain: f32,
        out: &mut [u8],
    ) {
        let (width, height) = sizes.fine;
        let (upper, lower, weight) = between(row, 1.0 / (1u32 << sizes.steps) as f32, height);
        for (plane, enlarged) in coefficients.iter().zip(&mut self.coefficients) {
            let (upper, lower) = (&plane[upper * width..][..width], &plane[lower * width..][..width]);
            // Back and forth between two rows, so that the last one written is `enlarged`.
            let (mut from, mut to) = (&mut self.swap, &mut *enlarged);
            if sizes.steps.is_multiple_of(2) {
                std::mem::swap(&mut from, &mut to);
            }
            for ((out, upper), lower) in from.iter_mut().zip(upper).zip(lower) {
                *out = upper + (lower - upper) * weight;
            }
            let mut length = width;
            for _ in 0..sizes.steps {
                double_row(&from[..length], &mut to[..2 * length]);
                std::mem::swap(&mut from, &mut to);
                length *= 2;
            }
        }
        let (luma_unit, chroma_unit) = (Colours::unit(0), Colours::unit(1));
        let length = out.len();
        let [y, u, v] = colours.map(|row| &row[..length]);
        let [sy, su, sv, offset] = self.coefficients.each_ref().map(|row| &row[..length]);
        for (i, out) in out.iter_mut().enumerate() {
            let luma = f32::from(y[i]) * luma_unit.0 + luma_unit.1;
            let cb = f32::from(u[i]) * chroma_unit.0 + chroma_unit.1;
            let cr = f32::from(v[i]) * chroma_unit.0 + chroma_unit.1;
            let value = sy[i] * luma + su[i] * cb + sv[i] * cr + offset[i];
            // The cast cuts off at 0 and 255 and makes NaN 0.
            *out = ((value - 0.5) * gain * 255.0 + 128.0) as u8;
        }
    }
}

/// Returns the two of `points` samples around sample `row` of a finer row, `step` apart, and the second one's weight.
#[inline(always)]
fn between(row: usize, step: f32, points: usize) -> (usize, usize, f32) {
    let at = ((row as f32 + 0.5) * step - 0.5).clamp(0.0, (points - 1) as f32);
    let first = at as usize;
    (first, (first + 1).min(points - 1), at - first as f32)
}

/// Makes twice as many samples between the same ends: each new one a quarter away from an old one.
#[inline(always)]
fn double_row(row: &[f32], out: &mut [f32]) {
    let last = row.len() - 1;
    out[0] = row[0];
    out[2 * last + 1] = row[last];
    for (pair, near) in out[1..2 * last + 1].chunks_exact_mut(2).zip(row.windows(2)) {
        let quarter = (near[1] - near[0]) * 0.25;
        pair[0] = near[0] + quarter;
        pair[1] = near[1] - quarter;
    }
}

/// Means of two by two samples, rounded; at an odd end of the last ones.
#[inline(always)]
pub fn halve((plane, stride): (&[u8], usize), (width, height): Size, out: &mut [u8]) {
    for (row, out) in out.chunks_exact_mut(width.div_ceil(2)).enumerate() {
        let upper = &plane[2 * row * stride..][..width];
        let lower = &plane[(2 * row + 1).min(height - 1) * stride..][..width];
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (out, (upper, lower)) in out.iter_mut().zip(pairs) {
            // Both bytes of a pair in one number, so that this loads whole vectors.
            let (upper, lower) = (u16::from_le_bytes([upper[0], upper[1]]), u16::from_le_bytes([lower[0], lower[1]]));
            *out = (((upper & 255) + (upper >> 8) + (lower & 255) + (lower >> 8) + 2) >> 2) as u8;
        }
        if width % 2 == 1 {
            out[width / 2] = u16::midpoint(u16::from(upper[width - 1]), u16::from(lower[width - 1])) as u8;
        }
    }
}

/// Averages a plane of half the frame's size as the guide's fine channel `channel`.
#[inline(always)]
pub fn average((plane, stride): (&[u8], usize), sizes: &Sizes, channel: usize, rows: &mut Rows, colours: &mut Colours) {
    let ((width, height), (cells, _)) = (sizes.half, sizes.fine);
    let side = 1 << sizes.steps;
    let (scale, offset) = Colours::unit(channel);
    let whole = width / side;
    for (line, out) in colours.planes[channel].chunks_exact_mut(cells).enumerate() {
        let lines = line * side..((line + 1) * side).min(height);
        let count = lines.len();
        let sums = &mut rows.sums[..width];
        sums.fill(0);
        for line in lines {
            for (sum, sample) in sums.iter_mut().zip(&plane[line * stride..][..width]) {
                *sum += u32::from(*sample);
            }
        }
        let unit = scale / (count * side) as f32;
        match side {
            2 => add_up::<2>(sums, unit, offset, &mut out[..whole]),
            4 => add_up::<4>(sums, unit, offset, &mut out[..whole]),
            _ => sums.chunks_exact(side).zip(&mut out[..whole]).for_each(|(sums, out)| {
                *out = sums.iter().sum::<u32>() as f32 * unit + offset;
            }),
        }
        if whole < cells {
            let rest = &sums[whole * side..];
            *out.last_mut().expect("a row has a cell") =
                rest.iter().sum::<u32>() as f32 * scale / (count * rest.len()) as f32 + offset;
        }
    }
}

#[inline(always)]
fn add_up<const SIDE: usize>(sums: &[u32], unit: f32, offset: f32, out: &mut [f32]) {
    for (sums, out) in sums.as_chunks::<SIDE>().0.iter().zip(out) {
        *out = sums.iter().sum::<u32>() as f32 * unit + offset;
    }
}

/// Means of two by two cells; at an odd end the last ones count twice.
#[inline(always)]
pub fn halve_colours(fine: &Colours, coarse: &mut Colours) {
    let (width, height) = fine.size;
    for (from, to) in fine.planes.iter().zip(&mut coarse.planes) {
        for (row, out) in to.chunks_exact_mut(coarse.size.0).enumerate() {
            let upper = &from[2 * row * width..][..width];
            let lower = &from[(2 * row + 1).min(height - 1) * width..][..width];
            for (out, (upper, lower)) in out.iter_mut().zip(upper.chunks(2).zip(lower.chunks(2))) {
                *out = (upper[0] + lower[0] + upper[upper.len() - 1] + lower[lower.len() - 1]) * 0.25;
            }
        }
    }
}

/// Spreads the network's values, which lie over `region`, at the middles of the coarse cells; outside it is 0.
#[inline(always)]
pub fn spread(values: &[f32], grid: Grid, region: Region, sizes: &Sizes, out: &mut [f32]) {
    let Grid { columns, rows, alignment } = grid;
    let cell = sizes.coarse_side() as f32;
    let middle = |index: usize| (index as f32 + 0.5) * cell - 0.5;
    // Cells whose middle is inside; the whole frame's last ones may have theirs behind its end.
    let inside = |begin: usize, length: usize, of: usize, cells: usize| {
        let first = (begin as f32 / cell).round() as usize;
        let end = if begin + length >= of { cells } else { ((begin + length) as f32 / cell).round() as usize };
        first.min(cells)..end.min(cells)
    };
    let across = inside(region.x, region.width, sizes.frame.0, sizes.coarse.0);
    let down = inside(region.y, region.height, sizes.frame.1, sizes.coarse.1);
    let position = |index: usize, begin: usize, length: usize, points: usize| {
        alignment.between(middle(index) - begin as f32, length, points)
    };
    for (line, out) in out.chunks_exact_mut(sizes.coarse.0).enumerate() {
        if !down.contains(&line) {
            out.fill(0.0);
            continue;
        }
        out[..across.start].fill(0.0);
        out[across.end..].fill(0.0);
        let (upper, lower, below) = position(line, region.y, region.height, rows);
        let (upper, lower) = (&values[upper * columns..][..columns], &values[lower * columns..][..columns]);
        for (column, out) in across.clone().zip(&mut out[across.clone()]) {
            let (left, right, beside) = position(column, region.x, region.width, columns);
            let above = upper[left] + (upper[right] - upper[left]) * beside;
            let under = lower[left] + (lower[right] - lower[left]) * beside;
            *out = above + (under - above) * below;
        }
    }
}

/// Makes a plane twice as large, linearly interpolated.
#[inline(always)]
pub fn double(from: &[f32], (width, height): Size, to: &mut [f32], size: Size) {
    for (row, out) in to.chunks_exact_mut(size.0).enumerate() {
        let (upper, lower, weight) = between(row, 0.5, height);
        let (upper, lower) = (&from[upper * width..][..width], &from[lower * width..][..width]);
        let mix = |column: usize| upper[column] + (lower[column] - upper[column]) * weight;
        for (column, pair) in out.chunks_mut(2).enumerate() {
            let here = mix(column);
            pair[0] = here + (mix(column.saturating_sub(1)) - here) * 0.25;
            if let [_, right] = pair {
                *right = here + (mix((column + 1).min(width - 1)) - here) * 0.25;
            }
        }
    }
}

/// Enlarges half alpha to the frame's size, linearly interpolated.
#[inline(always)]
pub fn enlarge(half: &[u8], sizes: &Sizes, rows: &mut Rows, alpha: &mut [u8], stride: usize) {
    let ((width, height), (half_width, half_height)) = (sizes.frame, sizes.half);
    let weighted = &mut rows.alpha[..half_width + 2];
    for (row, out) in alpha.chunks_mut(stride).take(height).enumerate() {
        let near = row / 2;
        let far = if row % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half_height - 1) };
        let (near, far) = (&half[near * half_width..][..half_width], &half[far * half_width..][..half_width]);
        for ((weighted, near), far) in weighted[1..].iter_mut().zip(near).zip(far) {
            *weighted = 3 * u16::from(*near) + u16::from(*far);
        }
        weighted[0] = weighted[1];
        weighted[half_width + 1] = weighted[half_width];
        let (before, here, after) = (&weighted[..half_width], &weighted[1..=half_width], &weighted[2..]);
        let out = &mut out[..width];
        for (((pair, before), here), after) in out.chunks_exact_mut(2).zip(before).zip(here).zip(after) {
            pair[0] = ((3 * here + before + 8) >> 4) as u8;
            pair[1] = ((3 * here + after + 8) >> 4) as u8;
        }
        if width % 2 == 1 {
            out[width - 1] = ((3 * here[half_width - 1] + before[half_width - 1] + 8) >> 4) as u8;
        }
    }
}
