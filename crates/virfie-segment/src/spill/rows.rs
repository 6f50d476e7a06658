//! Row by row: which tiles lie on the edge, their sums, and what becomes of their pixels.
//!
//! Runs of tiles are short. So their samples are copied to rows that are a little longer than they are, and worked on
//! in whole [`Lanes`]; what the last ones hold beyond the run is never looked at.

use super::{Sums, YuvMut};
use crate::input::Yuv;

/// Cells that are worked on at a time.
const LANES: usize = 8;
type Lanes<T> = [T; LANES];
/// The pixels of as many cells, row by row.
type Pixels = [Lanes<[u8; 2]>; 2];

/// Alpha from which on a cell counts as surely kept, with growing weight; as far below 255 a cell is still mixed.
const SURE: u16 = 191;
/// Share of the largest possible weight from which on a colour is believed.
const ENOUGH: f32 = 0.04;
/// Squared distance of colours below which person and background are too alike to be distinguished.
const ALIKE: f32 = 144.0;

/// Rows of the planes in between, for one line of tiles.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    frame: (usize, usize),
    side: usize,
    /// Least and greatest alpha of the columns of some rows. Both begin with the pixel before the first.
    low: Vec<u8>,
    high: Vec<u8>,
    /// A row of cells: its alpha, or what alpha lets change.
    alpha: [Vec<u8>; 2],
    luma: [Vec<u8>; 2],
    chroma: [Vec<u8>; 2],
    /// Sums of the columns of cells.
    columns: Vec<[Lanes<u32>; 8]>,
    /// Sums interpolated to the cells of a row.
    cells: [Vec<f32>; 8],
    /// Distances of the cells' middles from their tile's, in tiles.
    offsets: Vec<f32>,
    /// Sums interpolated between two lines of tiles.
    between: Vec<Sums>,
}

impl Rows {
    pub fn resize(&mut self, frame: (usize, usize), side: usize) {
        (self.frame, self.side) = (frame, side);
        let tiles = frame.0.div_ceil(2 * side);
        let cells = (tiles * side).next_multiple_of(LANES);
        for row in [&mut self.low, &mut self.high] {
            row.clear();
            row.resize(2 * cells + 2, 0);
        }
        let rows = self.alpha.iter_mut().chain(&mut self.luma);
        rows.for_each(|row| row.resize(2 * cells, 0));
        self.chroma.iter_mut().for_each(|row| row.resize(cells, 0));
        self.columns.resize(cells / LANES, [[0; LANES]; 8]);
        self.cells.iter_mut().for_each(|row| row.resize(cells, 0.0));
        self.offsets.clear();
        self.offsets.extend((0..side).map(|cell| (cell as f32 + 0.5) / side as f32 - 0.5));
        self.between.resize(tiles + 2, [0.0; 8]);
    }

    /// Learns the least and greatest alpha of the pixels in tile line `line`, and in the rows beside it.
    #[inline(always)]
    pub fn look(&mut self, (plane, stride): (&[u8], usize), line: usize) {
        let (width, height) = self.frame;
        let first = (2 * line * self.side).saturating_sub(1);
        let last = (2 * (line + 1) * self.side + 1).min(height);
        let (low, high) = (&mut self.low[1..], &mut self.high[1..]);
        extremes(&plane[first * stride..], stride, width, last - first, low, high);
        extend(low, width);
        extend(high, width);
        self.low[0] = self.low[1];
        self.high[0] = self.high[1];
    }

    /// Returns whether tile `column` of the line that was looked at, or a pixel beside it, has an edge.
    #[inline(always)]
    pub fn is_edge(&self, column: usize) -> bool {
        let side = 2 * self.side;
        let (low, high) = (&self.low[column * side..][..side + 2], &self.high[column * side..][..side + 2]);
        let (mut least, mut most) = (low[0].min(low[side + 1]), high[0].max(high[side + 1]));
        for (low, high) in low[1..=side].as_chunks::<LANES>().0.iter().zip(high[1..=side].as_chunks::<LANES>().0) {
            for (low, high) in low.iter().zip(high) {
                (least, most) = (least.min(*low), most.max(*high));
            }
        }
        least < 255 && most > 0
    }

    /// Computes the sums of the tiles from `first` on in tile line `line`.
    #[inline(always)]
    pub fn sum(&mut self, frame: &Yuv<'_>, alpha: (&[u8], usize), line: usize, first: usize, sums: &mut [Sums]) {
        let half = (self.frame.0.div_ceil(2), self.frame.1.div_ceil(2));
        let from = first * self.side;
        let cells = (sums.len() * self.side).min(half.0 - from);
        self.columns[..cells.div_ceil(LANES)].fill([[0; LANES]; 8]);
        // Every second row says enough about means.
        for row in (line * self.side..((line + 1) * self.side).min(half.1)).step_by(2) {
            self.load(frame, row, from, cells);
            for (lower, out) in self.alpha.iter_mut().enumerate() {
                let at = (2 * row + lower).min(self.frame.1 - 1);
                load(alpha, self.frame.0, at, (2 * from, 2 * cells), out);
            }
            for (chunk, columns) in self.columns[..cells.div_ceil(LANES)].iter_mut().enumerate() {
                let colours = (&self.chroma[0].as_chunks().0[chunk], &self.chroma[1].as_chunks().0[chunk]);
                add(&pixels(&self.luma, chunk), &pixels(&self.alpha, chunk), colours, columns);
            }
        }
        for (tile, sums) in sums.iter_mut().enumerate() {
            let mut total = [0; 8];
            for cell in tile * self.side..((tile + 1) * self.side).min(cells) {
                let columns = &self.columns[cell / LANES];
                for (total, columns) in total.iter_mut().zip(columns) {
                    *total += columns[cell % LANES];
                }
            }
            for (sum, total) in sums.iter_mut().zip(total) {
                *sum = total as f32;
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
        // Tiles count 16 times in all, and every second row's cells 64 at most.
        let enough = 1.0 / (ENOUGH * 16.0 * 64.0 * (side * side / 2) as f32);
        for row in line * side..((line + 1) * side).min(half.1) {
            self.interpolate(row - line * side, (first, last), sums);
            self.load(frame, row, from, cells);
            for lower in 0..2 {
                let at = (2 * row + lower).min(self.frame.1 - 1);
                self.open(alpha, at, (2 * from, 2 * cells), lower);
            }
            for chunk in 0..cells.div_ceil(LANES) {
                self.restore(chunk, enough);
            }
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

    /// Loads the colours of `cells` cells from `from` on in row `row` of cells.
    #[inline(always)]
    fn load(&mut self, frame: &Yuv<'_>, row: usize, from: usize, cells: usize) {
        for (lower, out) in self.luma.iter_mut().enumerate() {
            let at = (2 * row + lower).min(self.frame.1 - 1);
            load(frame.y, self.frame.0, at, (2 * from, 2 * cells), out);
        }
        let [u, v] = &mut self.chroma;
        u[..cells].copy_from_slice(&frame.u.0[row * frame.u.1 + from..][..cells]);
        v[..cells].copy_from_slice(&frame.v.0[row * frame.v.1 + from..][..cells]);
    }

    /// Brings the sums to the cells of row `row` of tiles `first..last`.
    #[inline(always)]
    fn interpolate(&mut self, row: usize, (first, last): (usize, usize), [above, here, below]: [&[Sums]; 3]) {
        let offset = self.offsets[row];
        let other = if offset < 0.0 { above } else { below };
        // One tile more at either end; beyond the frame the last one counts again.
        let between = &mut self.between[..last - first + 2];
        for (index, between) in between.iter_mut().enumerate() {
            let column = (first + index).saturating_sub(1).min(here.len() - 1);
            for (between, (here, other)) in between.iter_mut().zip(here[column].iter().zip(&other[column])) {
                *between = here + (other - here) * offset.abs();
            }
        }
        for (sum, cells) in self.cells.iter_mut().enumerate() {
            for (near, cells) in between.windows(3).zip(cells.chunks_exact_mut(self.side)) {
                let (before, at, after) = (near[0][sum], near[1][sum], near[2][sum]);
                for (cell, offset) in cells.iter_mut().zip(&self.offsets) {
                    let other = if *offset < 0.0 { before } else { after };
                    *cell = at + (other - at) * offset.abs();
                }
            }
        }
    }

    /// Computes how much a row's pixels may change, 0..=255: as much as the least opaque one around lets through;
    /// nothing where all around are transparent.
    #[inline(always)]
    fn open(&mut self, (plane, stride): (&[u8], usize), row: usize, (from, length): (usize, usize), lower: usize) {
        let (width, height) = self.frame;
        let (first, last) = (row.saturating_sub(1), (row + 2).min(height));
        // One pixel more at either end; beyond the frame the last one counts again.
        let begin = from.saturating_sub(1);
        let count = (from + length + 1).min(width) - begin;
        let skip = usize::from(from == 0);
        let rows = &plane[first * stride + begin..];
        extremes(rows, stride, count, last - first, &mut self.low[skip..], &mut self.high[skip..]);
        for edge in [&mut self.low[..length + 2], &mut self.high[..length + 2]] {
            edge[0] = edge[skip];
            let end = edge[skip + count - 1];
            edge[skip + count..].fill(end);
        }
        for (chunk, open) in
            self.alpha[lower][..length.next_multiple_of(LANES)].as_chunks_mut().0.iter_mut().enumerate()
        {
            let low: &[u8] = &self.low[chunk * LANES..][..LANES + 2];
            let high: &[u8] = &self.high[chunk * LANES..][..LANES + 2];
            let open: &mut Lanes<u8> = open;
            for (i, open) in open.iter_mut().enumerate() {
                let least = low[i].min(low[i + 1]).min(low[i + 2]);
                let most = high[i].max(high[i + 1]).max(high[i + 2]);
                *open = if most == 0 { 0 } else { 255 - least };
            }
        }
    }

    /// Moves some of the loaded colours away from the background's.
    #[inline(always)]
    fn restore(&mut self, chunk: usize, enough: f32) {
        let sums = &self.cells;
        let weight: &Lanes<f32> = &sums[0].as_chunks().0[chunk];
        let against: &Lanes<f32> = &sums[4].as_chunks().0[chunk];
        let (mut keep, mut drop, mut believed) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            keep[i] = 1.0 / weight[i].max(1.0);
            drop[i] = 1.0 / against[i].max(1.0);
            believed[i] = (weight[i] * enough).min(1.0) * (against[i] * enough).min(1.0) * (1.0 / 255.0);
        }
        // The background's colour, and from there to the person's.
        let (mut back, mut step) = ([[0.0; LANES]; 3], [[0.0; LANES]; 3]);
        for channel in 0..3 {
            let kept: &Lanes<f32> = &sums[1 + channel].as_chunks().0[chunk];
            let dropped: &Lanes<f32> = &sums[5 + channel].as_chunks().0[chunk];
            for i in 0..LANES {
                back[channel][i] = dropped[i] * drop[i];
                step[channel][i] = kept[i] * keep[i] - back[channel][i];
            }
        }
        let [u, v] = &mut self.chroma;
        let (u, v): (&mut Lanes<u8>, &mut Lanes<u8>) =
            (&mut u.as_chunks_mut().0[chunk], &mut v.as_chunks_mut().0[chunk]);
        let (mut cb, mut cr) = ([0.0; LANES], [0.0; LANES]);
        let (mut place, mut slope) = ([0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            (cb[i], cr[i]) = (f32::from(u[i]), f32::from(v[i]));
            let (dy, du, dv) = (step[0][i], step[1][i], step[2][i]);
            let unit = 1.0 / (dy * dy + du * du + dv * dv + ALIKE);
            place[i] = ((cb[i] - back[1][i]) * du + (cr[i] - back[2][i]) * dv - back[0][i] * dy) * unit;
            slope[i] = dy * unit;
        }
        let mut mean = [0.0; LANES];
        let open = pixels(&self.alpha, chunk);
        for (luma, open) in self.luma.iter_mut().zip(open) {
            let luma: &mut Lanes<[u8; 2]> = &mut luma.as_chunks_mut().0.as_chunks_mut().0[chunk];
            let (mut left, mut right) = ([0.0; LANES], [0.0; LANES]);
            for i in 0..LANES {
                let (pair, open) = (u16::from_le_bytes(luma[i]), u16::from_le_bytes(open[i]));
                let (first, second) = (f32::from(pair & 255), f32::from(pair >> 8));
                // How far along the line: 0 at the background's colour, nearly 1 at the person's.
                let (one, other) = (place[i] + first * slope[i], place[i] + second * slope[i]);
                let one = (1.0 - one.clamp(0.0, 1.0)) * f32::from(open & 255) * believed[i];
                let other = (1.0 - other.clamp(0.0, 1.0)) * f32::from(open >> 8) * believed[i];
                mean[i] += (one + other) * 0.25;
                left[i] = first + one * step[0][i];
                right[i] = second + other * step[0][i];
            }
            for i in 0..LANES {
                luma[i] = [rounded(left[i]), rounded(right[i])];
            }
        }
        for i in 0..LANES {
            u[i] = rounded(cb[i] + mean[i] * step[1][i]);
            v[i] = rounded(cr[i] + mean[i] * step[2][i]);
        }
    }
}

/// Rounds to the nearest byte. Unlike a cast, which the compiler does value by value: so large a number leaves the sum
/// no bits for fractions, and its last bits are the integer.
#[inline(always)]
fn rounded(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
}

/// Finds the least and the greatest of every column of `count` rows.
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

/// Repeats the last of `count` samples to the row's end.
#[inline(always)]
fn extend(row: &mut [u8], count: usize) {
    let last = row[count - 1];
    row[count..].fill(last);
}

/// Loads pixels `from..from + length` of row `row`; those beyond `width` are the last one again.
#[inline(always)]
fn load((plane, stride): (&[u8], usize), width: usize, row: usize, (from, length): (usize, usize), out: &mut [u8]) {
    let count = length.min(width - from);
    out[..count].copy_from_slice(&plane[row * stride + from..][..count]);
    extend(&mut out[..length], count);
}

#[inline(always)]
fn pixels(rows: &[Vec<u8>; 2], chunk: usize) -> Pixels {
    [rows[0].as_chunks().0.as_chunks().0[chunk], rows[1].as_chunks().0.as_chunks().0[chunk]]
}

/// Adds cells, whose colours count by how surely they are kept or not, to the sums of their columns.
#[inline(always)]
fn add(luma: &Pixels, alpha: &Pixels, (u, v): (&Lanes<u8>, &Lanes<u8>), sums: &mut [Lanes<u32>; 8]) {
    let (mut y, mut kept, mut dropped) = ([0u16; LANES], [0u16; LANES], [0u16; LANES]);
    for i in 0..LANES {
        let (above, below) = (u16::from_le_bytes(luma[0][i]), u16::from_le_bytes(luma[1][i]));
        y[i] = ((above & 255) + (above >> 8) + (below & 255) + (below >> 8) + 2) >> 2;
        let (above, below) = (u16::from_le_bytes(alpha[0][i]), u16::from_le_bytes(alpha[1][i]));
        let least = (above & 255).min(above >> 8).min(below & 255).min(below >> 8);
        let most = (above & 255).max(above >> 8).max(below & 255).max(below >> 8);
        kept[i] = least.saturating_sub(SURE);
        dropped[i] = (255 - most).saturating_sub(SURE);
    }
    let (mut cb, mut cr) = ([0u16; LANES], [0u16; LANES]);
    for i in 0..LANES {
        (cb[i], cr[i]) = (u16::from(u[i]), u16::from(v[i]));
    }
    let [kw, ky, ku, kv, bw, by, bu, bv] = sums;
    add_product(&kept, &[1; LANES], kw);
    add_product(&kept, &y, ky);
    add_product(&kept, &cb, ku);
    add_product(&kept, &cr, kv);
    add_product(&dropped, &[1; LANES], bw);
    add_product(&dropped, &y, by);
    add_product(&dropped, &cb, bu);
    add_product(&dropped, &cr, bv);
}

#[inline(always)]
fn add_product(weight: &Lanes<u16>, value: &Lanes<u16>, sum: &mut Lanes<u32>) {
    for i in 0..LANES {
        // 64 times 255 at most.
        sum[i] += u32::from(weight[i] * value[i]);
    }
}
