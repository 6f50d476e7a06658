//! Row by row: which tiles lie on the edge, their sums, and what becomes of their pixels.

use super::{Sums, YuvMut};
use crate::media::segment::input::Yuv;

/// Alpha from which on a cell counts as surely kept, with growing weight; as far below 255 a cell is still mixed.
const SURE: u8 = 191;
/// Share of the largest possible weight from which on a colour is believed.
const ENOUGH: f32 = 0.04;
/// Squared distance of colours below which person and background are too alike to be told apart.
const ALIKE: f32 = 144.0;

/// Rows of the planes in between, for one line of tiles.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    frame: (usize, usize),
    side: usize,
    /// Least and greatest alpha of the columns of a line of tiles, or of three rows.
    low: Vec<u8>,
    high: Vec<u8>,
    /// Two rows of luma and two of alpha, or of what alpha lets change, of an even number of pixels.
    luma: [Vec<u8>; 2],
    alpha: [Vec<u8>; 2],
    chroma: [Vec<u8>; 2],
    /// Sums of the columns of cells.
    columns: [Vec<u32>; 8],
    /// Sums interpolated to the cells of one row.
    cells: [Vec<f32>; 8],
    /// Between the middles of two tiles: how far the cells' middles are from the first.
    shares: Vec<f32>,
    /// Interpolated between two lines of tiles.
    between: Vec<Sums>,
}

impl Rows {
    pub fn resize(&mut self, frame: (usize, usize), side: usize) {
        (self.frame, self.side) = (frame, side);
        let tiles = frame.0.div_ceil(2 * side);
        let cells = tiles * side;
        self.low.resize(2 * cells + 2, 0);
        self.high.resize(2 * cells + 2, 0);
        let pairs = self.luma.iter_mut().chain(&mut self.alpha);
        pairs.for_each(|row| row.resize(2 * cells, 0));
        self.chroma.iter_mut().for_each(|row| row.resize(cells, 0));
        self.columns.iter_mut().for_each(|row| row.resize(cells, 0));
        self.cells.iter_mut().for_each(|row| row.resize(cells, 0.0));
        self.shares.clear();
        self.shares.extend((0..side).map(|cell| (cell as f32 + 0.5) / side as f32));
        self.between.resize(tiles + 2, [0.0; 8]);
    }

    /// Learns the least and greatest alpha of the pixels in tile line `line`, and in the rows beside it.
    #[inline(always)]
    pub fn look(&mut self, (plane, stride): (&[u8], usize), line: usize) {
        let (width, height) = self.frame;
        let first = (2 * line * self.side).saturating_sub(1);
        let last = (2 * (line + 1) * self.side + 1).min(height);
        extremes(&plane[first * stride..], stride, width, last - first, &mut self.low, &mut self.high);
    }

    /// Whether tile `column` of the line that was looked at, or a pixel beside it, has an edge.
    #[inline(always)]
    pub fn is_edge(&self, column: usize) -> bool {
        let side = 2 * self.side;
        let span = (column * side).saturating_sub(1)..((column + 1) * side + 1).min(self.frame.0);
        let low = self.low[span.clone()].iter().fold(255, |least: u8, value| least.min(*value));
        let high = self.high[span].iter().fold(0, |most: u8, value| most.max(*value));
        low < 255 && high > 0
    }

    /// The sums of the tiles from `first` on in tile line `line`.
    #[inline(always)]
    pub fn sum(
        &mut self,
        frame: &Yuv<'_>,
        alpha: (&[u8], usize),
        line: usize,
        first: usize,
        sums: &mut [Sums],
    ) {
        let (half, side) = ((self.frame.0.div_ceil(2), self.frame.1.div_ceil(2)), self.side);
        let from = first * side;
        let cells = (sums.len() * side).min(half.0 - from);
        for row in line * side..((line + 1) * side).min(half.1) {
            let pixels = (2 * from, 2 * cells);
            for (lower, (luma, mixed)) in self.luma.iter_mut().zip(&mut self.alpha).enumerate() {
                let at = (2 * row + lower).min(self.frame.1 - 1);
                load(frame.y, self.frame.0, at, pixels, luma);
                load(alpha, self.frame.0, at, pixels, mixed);
            }
            let [y, below] = self.luma.each_ref().map(|row| row[..2 * cells].as_chunks::<2>().0);
            let [a, under] = self.alpha.each_ref().map(|row| row[..2 * cells].as_chunks::<2>().0);
            let u = &frame.u.0[row * frame.u.1 + from..][..cells];
            let v = &frame.v.0[row * frame.v.1 + from..][..cells];
            let totals = self.columns.each_mut().map(|row| &mut row[..cells]);
            if row == line * side {
                add::<true>([y, below], [a, under], [u, v], totals);
            } else {
                add::<false>([y, below], [a, under], [u, v], totals);
            }
        }
        for (total, columns) in self.columns.iter().enumerate() {
            for (sums, columns) in sums.iter_mut().zip(columns[..cells].chunks(side)) {
                sums[total] = columns.iter().sum::<u32>() as f32;
            }
        }
    }

    /// Cleans the pixels of tiles `first..last` in tile line `line`; `sums` are the blurred ones of the lines above,
    /// here and below.
    #[inline(always)]
    pub fn clean(
        &mut self,
        frame: &Yuv<'_>,
        alpha: (&[u8], usize),
        planes: &mut YuvMut<'_>,
        line: usize,
        (first, last): (usize, usize),
        sums: [&[Sums]; 3],
    ) {
        let (half, side) = ((self.frame.0.div_ceil(2), self.frame.1.div_ceil(2)), self.side);
        let from = first * side;
        let cells = ((last - first) * side).min(half.0 - from);
        let width = (2 * cells).min(self.frame.0 - 2 * from);
        for row in line * side..((line + 1) * side).min(half.1) {
            self.interpolate(row - line * side, (first, last), sums);
            for lower in 0..2 {
                let at = (2 * row + lower).min(self.frame.1 - 1);
                load(frame.y, self.frame.0, at, (2 * from, 2 * cells), &mut self.luma[lower]);
                self.open(alpha, at, (2 * from, 2 * cells), lower);
            }
            let [u, v] = &mut self.chroma;
            u[..cells].copy_from_slice(&frame.u.0[row * frame.u.1 + from..][..cells]);
            v[..cells].copy_from_slice(&frame.v.0[row * frame.v.1 + from..][..cells]);
            self.restore(cells);
            for (lower, luma) in self.luma.iter().enumerate() {
                let at = 2 * row + lower;
                if at < self.frame.1 {
                    planes.y.0[at * planes.y.1 + 2 * from..][..width].copy_from_slice(&luma[..width]);
                }
            }
            let [u, v] = &self.chroma;
            planes.u.0[row * planes.u.1 + from..][..cells].copy_from_slice(&u[..cells]);
            planes.v.0[row * planes.v.1 + from..][..cells].copy_from_slice(&v[..cells]);
        }
    }

    /// Brings the sums to the cells of row `row` of tiles `first..last`.
    #[inline(always)]
    fn interpolate(&mut self, row: usize, (first, last): (usize, usize), [above, here, below]: [&[Sums]; 3]) {
        let share = self.shares[row] - 0.5;
        let (other, share) = if share < 0.0 { (above, -share) } else { (below, share) };
        let ends = (first.saturating_sub(1), (last + 1).min(here.len()));
        // One tile more at either end; beyond the frame the last one counts again.
        let between = &mut self.between[..last - first + 2];
        for (index, between) in between.iter_mut().enumerate() {
            let column = (first + index).saturating_sub(1).clamp(ends.0, ends.1 - 1);
            *between = std::array::from_fn(|sum| here[column][sum] * (1.0 - share) + other[column][sum] * share);
        }
        for (sum, cells) in self.cells.iter_mut().enumerate() {
            for (near, cells) in between.windows(3).zip(cells.chunks_exact_mut(self.side)) {
                let [before, at, after] = [near[0][sum], near[1][sum], near[2][sum]];
                for (cell, share) in cells.iter_mut().zip(&self.shares) {
                    let share = share - 0.5;
                    let other = if share < 0.0 { before } else { after };
                    *cell = at + (other - at) * share.abs();
                }
            }
        }
    }

    /// How much a row's pixels may change, 0..=255: as much as the least opaque one around lets through; nothing where
    /// all around are transparent.
    #[inline(always)]
    fn open(&mut self, (plane, stride): (&[u8], usize), row: usize, (from, length): (usize, usize), lower: usize) {
        let (width, height) = self.frame;
        let (first, last) = (row.saturating_sub(1), (row + 2).min(height));
        // One pixel more at either end; beyond the frame the last one counts again.
        let begin = from.saturating_sub(1);
        let count = (from + length + 1).min(width) - begin;
        let skip = usize::from(from == 0);
        let (low, high) = (&mut self.low[..length + 2], &mut self.high[..length + 2]);
        let rows = &plane[first * stride + begin..];
        extremes(rows, stride, count, last - first, &mut low[skip..], &mut high[skip..]);
        for edge in [low, high] {
            edge[0] = edge[skip];
            let end = edge[skip + count - 1];
            edge[skip + count..].fill(end);
        }
        let [before, at, after] = [0, 1, 2].map(|shift| &self.low[shift..][..length]);
        let [high_before, high_at, high_after] = [0, 1, 2].map(|shift| &self.high[shift..][..length]);
        for (i, open) in self.alpha[lower][..length].iter_mut().enumerate() {
            let low = before[i].min(at[i]).min(after[i]);
            let high = high_before[i].max(high_at[i]).max(high_after[i]);
            *open = if high == 0 { 0 } else { 255 - low };
        }
    }

    /// Moves the loaded colours of a row of cells away from the background's.
    #[inline(always)]
    fn restore(&mut self, cells: usize) {
        // Weights of 1, 2, 1 each way, and of 64 at most a cell.
        let enough = 1.0 / (ENOUGH * 16.0 * 64.0 * (self.side * self.side) as f32);
        let [kw, ky, ku, kv, bw, by, bu, bv] = self.cells.each_ref().map(|row| &row[..cells]);
        let [y, below] = self.luma.each_mut().map(|row| row[..2 * cells].as_chunks_mut::<2>().0);
        let [open, under] = self.alpha.each_ref().map(|row| row[..2 * cells].as_chunks::<2>().0);
        let [u, v] = self.chroma.each_mut().map(|row| &mut row[..cells]);
        let (y, below, open, under) = (&mut y[..cells], &mut below[..cells], &open[..cells], &under[..cells]);
        for i in 0..cells {
            let (keep, drop) = (1.0 / kw[i].max(1.0), 1.0 / bw[i].max(1.0));
            let believed = (kw[i] * enough).min(1.0) * (bw[i] * enough).min(1.0);
            let (back_y, back_u, back_v) = (by[i] * drop, bu[i] * drop, bv[i] * drop);
            let (dy, du, dv) = (ky[i] * keep - back_y, ku[i] * keep - back_u, kv[i] * keep - back_v);
            let unit = 1.0 / (dy * dy + du * du + dv * dv + ALIKE);
            let (cb, cr) = (f32::from(u[i]), f32::from(v[i]));
            // 0 at the background's colour, nearly 1 at the person's.
            let place = ((cb - back_u) * du + (cr - back_v) * dv - back_y * dy) * unit;
            let slope = dy * unit;
            let gain = believed * (1.0 / 255.0);
            let missing = |luma: u8, open: u8| {
                (1.0 - (place + f32::from(luma) * slope).clamp(0.0, 1.0)) * f32::from(open) * gain
            };
            let ([l0, l1], [l2, l3]) = (y[i], below[i]);
            let ([o0, o1], [o2, o3]) = (open[i], under[i]);
            let (m0, m1, m2, m3) = (missing(l0, o0), missing(l1, o1), missing(l2, o2), missing(l3, o3));
            let moved = |luma: u8, missing: f32| (f32::from(luma) + missing * dy + 0.5) as u8;
            y[i] = [moved(l0, m0), moved(l1, m1)];
            below[i] = [moved(l2, m2), moved(l3, m3)];
            let mean = (m0 + m1 + m2 + m3) * 0.25;
            u[i] = (cb + mean * du + 0.5) as u8;
            v[i] = (cr + mean * dv + 0.5) as u8;
        }
    }
}

/// The least and the greatest of every column of `count` rows.
#[inline(always)]
fn extremes(plane: &[u8], stride: usize, width: usize, count: usize, low: &mut [u8], high: &mut [u8]) {
    let (low, high) = (&mut low[..width], &mut high[..width]);
    low.copy_from_slice(&plane[..width]);
    high.copy_from_slice(&plane[..width]);
    for row in 1..count {
        for ((low, high), value) in low.iter_mut().zip(high.iter_mut()).zip(&plane[row * stride..][..width]) {
            *low = (*low).min(*value);
            *high = (*high).max(*value);
        }
    }
}

/// Pixels `from..from + length` of row `row`; those beyond `width` are the last one again.
#[inline(always)]
fn load((plane, stride): (&[u8], usize), width: usize, row: usize, (from, length): (usize, usize), out: &mut [u8]) {
    let count = length.min(width - from);
    let samples = &plane[row * stride + from..][..count];
    out[..count].copy_from_slice(samples);
    out[count..length].fill(samples[count - 1]);
}

/// Adds a row of cells, whose colours count by how surely they are kept or not, to the sums of the columns; with
/// `FIRST` it replaces them.
#[inline(always)]
fn add<const FIRST: bool>(y: [&[[u8; 2]]; 2], alpha: [&[[u8; 2]]; 2], chroma: [&[u8]; 2], sums: [&mut [u32]; 8]) {
    let cells = chroma[0].len();
    let [y, below] = y.map(|row| &row[..cells]);
    let [a, under] = alpha.map(|row| &row[..cells]);
    let [u, v] = chroma.map(|row| &row[..cells]);
    let [kw, ky, ku, kv, bw, by, bu, bv] = sums.map(|row| &mut row[..cells]);
    for i in 0..cells {
        let luma = |row: [u8; 2]| u16::from(row[0]) + u16::from(row[1]);
        let luma = (luma(y[i]) + luma(below[i]) + 2) >> 2;
        let least = a[i][0].min(a[i][1]).min(under[i][0]).min(under[i][1]);
        let most = a[i][0].max(a[i][1]).max(under[i][0]).max(under[i][1]);
        let kept = u16::from(least.saturating_sub(SURE));
        let dropped = u16::from((255 - most).saturating_sub(SURE));
        let values = [kept, dropped].map(|weight| {
            [weight, weight * luma, weight * u16::from(u[i]), weight * u16::from(v[i])].map(u32::from)
        });
        let [[v0, v1, v2, v3], [v4, v5, v6, v7]] = values;
        if FIRST {
            (kw[i], ky[i], ku[i], kv[i], bw[i], by[i], bu[i], bv[i]) = (v0, v1, v2, v3, v4, v5, v6, v7);
        } else {
            (kw[i], ky[i], ku[i], kv[i]) = (kw[i] + v0, ky[i] + v1, ku[i] + v2, kv[i] + v3);
            (bw[i], by[i], bu[i], bv[i]) = (bw[i] + v4, by[i] + v5, bu[i] + v6, bv[i] + v7);
        }
    }
}
