//! PURE: takes the colours of the old background out of a cut-out person's edge.
//!
//! ```text
//!   alpha ─► tiles on the edge ─► sums of what is surely person, surely background ─► blurred, interpolated
//!                                                                                           │
//!   frame's colours ──► how far from the person's colour towards the background's? ◄── two colours per cell
//!                                                                │
//!                                          moved back by that, the more the softer alpha ─► planes
//! ```
//! Along the edge a camera's pixels are mixtures of person and background: they lie on a line between two colours. As
//! in the foreground estimation of Forte (ICIP 2021), local means weighted by alpha say which two; unlike there, it is
//! the pixel's own place on the line, not alpha, that says how much background it holds. Where alpha errs by a pixel or
//! two, colours that look like the person stay as they are, and what lies off the line, texture, stays everywhere.
//!
//! Time is proportional to the number of tiles on the edge. Everything is in integers, or in `f32` without fused
//! multiplication, so the code compiled for AVX2 gives the same bytes as the portable code. Nothing is allocated
//! after the first frame of a size.

use super::input::Yuv;

mod rows;

use rows::Rows;

/// The planes of a frame that may be changed: samples and stride in bytes, sizes as in [`Yuv`].
#[derive(Debug)]
pub struct YuvMut<'a> {
    /// Luma.
    pub y: (&'a mut [u8], usize),
    /// Cb.
    pub u: (&'a mut [u8], usize),
    /// Cr.
    pub v: (&'a mut [u8], usize),
}

/// Side of a tile in cells of two by two pixels, for frames up to [`MOST_TILES`].
const SIDE: usize = 4;
/// From here on tiles are twice as large: 3600 for 640x360 and for 1280x720.
const MOST_TILES: usize = 6500;
/// Sums over a tile: the weights of the surely kept cells, their weighted luma, Cb and Cr; the same for the others.
type Sums = [f32; 8];

/// The uses of a tile; each holds all that come before.
const IDLE: u8 = 0;
/// Its sums are needed by a neighbour.
const SUMMED: u8 = 1;
/// Its sums are blurred, because a neighbour's pixels lie between its middle and theirs.
const BLURRED: u8 = 2;
/// Some of its pixels, or of their neighbours, are neither opaque nor transparent, or both kinds meet.
const EDGE: u8 = 3;

/// Takes the old background's colours out of the edge, frame after frame.
#[derive(Debug, Clone, Default)]
pub struct Despill {
    frame: (usize, usize),
    /// Side of a tile in cells.
    side: usize,
    /// Columns and rows of tiles.
    tiles: (usize, usize),
    kinds: Vec<u8>,
    sums: Vec<Sums>,
    blurred: Vec<Sums>,
    rows: Rows,
}

impl Despill {
    /// Changes `planes`, a copy of `frame`'s, where `alpha` (of the frame's size, with its stride in bytes; 0 is
    /// transparent, 255 kept) has an edge. Unchanged stay pixels whose alpha, and whose eight neighbours' alpha, is
    /// 255, or 0; chroma samples change if one of their four pixels does. A plane shorter than its size and stride say
    /// changes nothing.
    pub fn clean(&mut self, frame: &Yuv<'_>, alpha: (&[u8], usize), planes: YuvMut<'_>) {
        let size = (frame.width, frame.height);
        let half = (size.0.div_ceil(2), size.1.div_ceil(2));
        let whole = [
            (frame.y.0.len(), frame.y.1, size),
            (frame.u.0.len(), frame.u.1, half),
            (frame.v.0.len(), frame.v.1, half),
            (alpha.0.len(), alpha.1, size),
            (planes.y.0.len(), planes.y.1, size),
            (planes.u.0.len(), planes.u.1, half),
            (planes.v.0.len(), planes.v.1, half),
        ];
        if size.0 == 0 || size.1 == 0 || !whole.into_iter().all(|(len, stride, size)| holds(len, stride, size)) {
            return;
        }
        self.fit(size);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2.
            unsafe { self.clean_avx2(frame, alpha, planes) };
            return;
        }
        self.clean_plain(frame, alpha, planes);
    }

    /// Buffers for frames of `frame` pixels.
    fn fit(&mut self, frame: (usize, usize)) {
        if frame == self.frame {
            return;
        }
        self.frame = frame;
        self.side = SIDE;
        loop {
            self.tiles = (frame.0.div_ceil(2 * self.side), frame.1.div_ceil(2 * self.side));
            if self.tiles.0 * self.tiles.1 <= MOST_TILES {
                break;
            }
            self.side *= 2;
        }
        let tiles = self.tiles.0 * self.tiles.1;
        self.kinds.resize(tiles, IDLE);
        self.sums.resize(tiles, [0.0; 8]);
        self.blurred.resize(tiles, [0.0; 8]);
        self.rows.resize(frame, self.side);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn clean_avx2(&mut self, frame: &Yuv<'_>, alpha: (&[u8], usize), planes: YuvMut<'_>) {
        self.clean_plain(frame, alpha, planes);
    }

    // Inlined, like all that it calls, so that `clean_avx2` compiles it again with wider registers.
    #[inline(always)]
    fn clean_plain(&mut self, frame: &Yuv<'_>, alpha: (&[u8], usize), mut planes: YuvMut<'_>) {
        if !self.find_edge(alpha) {
            return;
        }
        let (columns, lines) = self.tiles;
        for line in 0..lines {
            let kinds = &self.kinds[line * columns..][..columns];
            let sums = &mut self.sums[line * columns..][..columns];
            for (first, last) in runs(kinds, SUMMED) {
                self.rows.sum(frame, alpha, line, first, &mut sums[first..last]);
            }
        }
        self.blur();
        for line in 0..lines {
            let above = &self.blurred[line.saturating_sub(1) * columns..][..columns];
            let here = &self.blurred[line * columns..][..columns];
            let below = &self.blurred[(line + 1).min(lines - 1) * columns..][..columns];
            for (first, last) in runs(&self.kinds[line * columns..][..columns], EDGE) {
                self.rows.clean(frame, alpha, &mut planes, line, (first, last), [above, here, below]);
            }
        }
    }

    /// Marks the tiles on the edge and those around them. `false` without any.
    #[inline(always)]
    fn find_edge(&mut self, alpha: (&[u8], usize)) -> bool {
        let (columns, lines) = self.tiles;
        self.kinds.fill(IDLE);
        let mut found = false;
        for line in 0..lines {
            self.rows.look(alpha, line);
            for column in 0..columns {
                if self.rows.is_edge(column) {
                    found = true;
                    self.mark(column, line);
                }
            }
        }
        found
    }

    /// Marks a tile on the edge and its neighbours up to two tiles away.
    #[inline(always)]
    fn mark(&mut self, column: usize, line: usize) {
        let (columns, lines) = self.tiles;
        for near in line.saturating_sub(2)..(line + 3).min(lines) {
            for beside in column.saturating_sub(2)..(column + 3).min(columns) {
                let kind = [EDGE, BLURRED, SUMMED][near.abs_diff(line).max(beside.abs_diff(column))];
                let marked = &mut self.kinds[near * columns + beside];
                *marked = (*marked).max(kind);
            }
        }
    }

    /// Sums over three by three tiles, weighted 1, 2, 1 each way.
    #[inline(always)]
    fn blur(&mut self) {
        let (columns, lines) = self.tiles;
        for line in 0..lines {
            for column in 0..columns {
                if self.kinds[line * columns + column] < BLURRED {
                    continue;
                }
                let mut total = [0.0; 8];
                for near in line.saturating_sub(1)..(line + 2).min(lines) {
                    for beside in column.saturating_sub(1)..(column + 2).min(columns) {
                        let weight = [4.0, 2.0, 1.0][near.abs_diff(line) + beside.abs_diff(column)];
                        let sums = &self.sums[near * columns + beside];
                        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum * weight);
                    }
                }
                self.blurred[line * columns + column] = total;
            }
        }
    }
}

/// Returns whether `len` bytes hold a plane of `size` samples with `stride` bytes from row to row.
fn holds(len: usize, stride: usize, (width, height): (usize, usize)) -> bool {
    let needed = (height - 1).checked_mul(stride).and_then(|rows| rows.checked_add(width));
    stride >= width && needed.is_some_and(|needed| len >= needed)
}

/// Returns the half-open spans of tiles in a row whose kind is `least` or more.
#[inline(always)]
fn runs(kinds: &[u8], least: u8) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = at + kinds[at..].iter().position(|kind| *kind >= least)?;
        let length = kinds[first..].iter().position(|kind| *kind < least);
        at = length.map_or(kinds.len(), |length| first + length);
        Some((first, at))
    })
}

#[cfg(test)]
mod tests;
