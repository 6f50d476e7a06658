//! Earlier places of all parts of a picture, in the picture before: block matching on luma, from coarse to fine.

use super::scale::Size;

/// Sides of the blocks that move as one, in cells.
const BLOCK: usize = 4;
/// Cells around a block that are compared too: what moves together is larger than a block.
const MARGIN: usize = 2;
const WINDOW: usize = BLOCK + 2 * MARGIN;
/// Distance to which the search goes in coarse cells, to every side: 32 pixels of a frame of 640x360.
const RANGE: isize = 4;
/// Steps that the search goes on in fine cells.
const STEPS: usize = 2;
/// Copied cells around a plane, so that no window leaves it.
const PAD: usize = 2 * RANGE as usize + STEPS + MARGIN + 2;
/// Change of a window, mean of its cells in levels of 255, that noise makes: below it nothing moved.
const NOISE: f32 = 2.0;
/// Change from which on a block's mask follows the new colours altogether.
const MOVEMENT: f32 = 6.0;
/// By how much the window of a moved block must match better than that of one that stays, and by how much for each
/// cell of the way, sums of levels: flat regions match everywhere.
const RELUCTANCE: (u32, u32) = (32, 8);

/// Cells and columns of a plane with copied borders.
#[derive(Debug, Clone, Default)]
struct Padded<T> {
    cells: Vec<T>,
    stride: usize,
}

impl<T: Copy + Default> Padded<T> {
    fn resize(&mut self, (width, height): Size) {
        self.stride = width.next_multiple_of(BLOCK) + 2 * PAD;
        self.cells.resize(self.stride * (height.next_multiple_of(BLOCK) + 2 * PAD), T::default());
    }

    #[inline(always)]
    fn fill<From: Copy>(&mut self, plane: &[From], (width, height): Size, convert: impl Fn(From) -> T) {
        let stride = self.stride;
        for (row, from) in self.cells[PAD * stride..].chunks_exact_mut(stride).zip(plane.chunks_exact(width)) {
            for (cell, value) in row[PAD..PAD + width].iter_mut().zip(from) {
                *cell = convert(*value);
            }
            let (first, last) = (row[PAD], row[PAD + width - 1]);
            row[..PAD].fill(first);
            row[PAD + width..].fill(last);
        }
        let last = PAD + height - 1;
        for row in 0..PAD {
            self.cells.copy_within(PAD * stride..(PAD + 1) * stride, row * stride);
        }
        for row in last + 1..self.cells.len() / stride {
            self.cells.copy_within(last * stride..(last + 1) * stride, row * stride);
        }
    }

    /// Returns the index of the cell at block `(column, row)` moved by `(x, y)`.
    #[inline(always)]
    fn at(&self, (column, row): (usize, usize), (x, y): (isize, isize)) -> usize {
        let place = |block: usize, moved: isize| (PAD + block * BLOCK).wrapping_add_signed(moved);
        place(row, y) * self.stride + place(column, x)
    }
}

/// Luma of one picture, in levels of 0..=255.
#[derive(Debug, Clone, Default)]
struct Pyramid {
    fine: Padded<u8>,
    coarse: Padded<u8>,
}

/// The movement of one block: its cells were at `whole + part` from where they are, in fine cells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Vector {
    whole: (isize, isize),
    part: (f32, f32),
}

/// Remembers the picture before.
#[derive(Debug, Clone, Default)]
pub struct Motion {
    fine: Size,
    coarse: Size,
    now: Pyramid,
    before: Pyramid,
    /// By block of the coarse plane, in coarse cells.
    rough: Vec<(isize, isize)>,
    /// By block of the fine plane.
    vectors: Vec<Vector>,
    /// Changes of the blocks where they are, in levels of 255.
    changes: Vec<f32>,
    mask: Padded<f32>,
}

impl Motion {
    pub fn resize(&mut self, coarse: Size, fine: Size) {
        (self.coarse, self.fine) = (coarse, fine);
        for pyramid in [&mut self.now, &mut self.before] {
            pyramid.coarse.resize(coarse);
            pyramid.fine.resize(fine);
        }
        self.rough.resize(blocks(coarse).0 * blocks(coarse).1, (0, 0));
        let blocks = blocks(fine).0 * blocks(fine).1;
        self.vectors.resize(blocks, Vector::default());
        self.changes.resize(blocks, 0.0);
        self.mask.resize(fine);
    }

    /// Takes the next picture's luma (-0.5..=0.5).
    #[inline(always)]
    pub fn see(&mut self, coarse: &[f32], fine: &[f32]) {
        std::mem::swap(&mut self.now, &mut self.before);
        let level = |luma: f32| ((luma + 0.5) * 255.0 + 0.5) as u8;
        self.now.coarse.fill(coarse, self.coarse, level);
        self.now.fine.fill(fine, self.fine, level);
    }

    /// Finds how the last picture became this one. Returns whether anything changed.
    #[inline(always)]
    pub fn search(&mut self) -> bool {
        let (columns, rows) = blocks(self.fine);
        let (now, before) = (&self.now.fine, &self.before.fine);
        let mut changed = false;
        for row in 0..rows {
            for column in 0..columns {
                let change = difference(now, before, (column, row), (0, 0)) as f32 / (WINDOW * WINDOW) as f32;
                self.changes[row * columns + column] = change;
                changed |= change >= NOISE;
            }
        }
        if changed {
            self.search_coarse();
            self.search_fine();
        }
        changed
    }

    #[inline(always)]
    fn search_coarse(&mut self) {
        let ((columns, rows), (fine_columns, fine_rows)) = (blocks(self.coarse), blocks(self.fine));
        let (now, before) = (&self.now.coarse, &self.before.coarse);
        for row in 0..rows {
            for column in 0..columns {
                let mut moved = false;
                for row in 2 * row..(2 * row + 2).min(fine_rows) {
                    for column in 2 * column..(2 * column + 2).min(fine_columns) {
                        moved |= self.changes[row * fine_columns + column] >= NOISE;
                    }
                }
                let mut best = (0, 0);
                if moved {
                    let mut least = difference(now, before, (column, row), (0, 0));
                    for y in -RANGE..=RANGE {
                        for x in -RANGE..=RANGE {
                            let cost = difference(now, before, (column, row), (x, y)) + reluctance((x, y));
                            if cost < least {
                                (least, best) = (cost, (x, y));
                            }
                        }
                    }
                }
                self.rough[row * columns + column] = best;
            }
        }
    }

    #[inline(always)]
    fn search_fine(&mut self) {
        let ((rough_columns, rough_rows), (columns, rows)) = (blocks(self.coarse), blocks(self.fine));
        let (now, before) = (&self.now.fine, &self.before.fine);
        for row in 0..rows {
            for column in 0..columns {
                let vector = &mut self.vectors[row * columns + column];
                *vector = Vector::default();
                if self.changes[row * columns + column] < NOISE {
                    continue;
                }
                let cost = |at: (isize, isize)| difference(now, before, (column, row), at) + reluctance(at);
                let (mut least, mut best) = (cost((0, 0)), (0, 0));
                let mut tried = (0, 0);
                // The coarse block around this one and its two nearest neighbours.
                let (near_column, near_row) = (column / 2, row / 2);
                let beside = if column % 2 == 0 { near_column.saturating_sub(1) } else { near_column + 1 };
                let below = if row % 2 == 0 { near_row.saturating_sub(1) } else { near_row + 1 };
                let (beside, below) = (beside.min(rough_columns - 1), below.min(rough_rows - 1));
                for (column, row) in
                    [(near_column, near_row), (beside, near_row), (near_column, below), (beside, below)]
                {
                    let (x, y) = self.rough[row * rough_columns + column];
                    let at = (2 * x, 2 * y);
                    if at != tried {
                        tried = at;
                        let cost = cost(at);
                        if cost < least {
                            (least, best) = (cost, at);
                        }
                    }
                }
                let around = |(x, y)| [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
                let mut costs = around(best).map(cost);
                for _ in 0..STEPS {
                    let side = (1..4).fold(0, |first, side| if costs[side] < costs[first] { side } else { first });
                    if costs[side] >= least {
                        break;
                    }
                    (least, best) = (costs[side], around(best)[side]);
                    costs = around(best).map(cost);
                }
                let [left, right, up, down] = costs;
                vector.whole = best;
                vector.part = (vertex(left, least, right), vertex(up, least, down));
            }
        }
    }

    /// Moves a plane that belongs to the last picture to where this one shows the same.
    #[inline(always)]
    pub fn carry(&mut self, mask: &mut [f32]) {
        let ((width, height), (columns, _)) = (self.fine, blocks(self.fine));
        self.mask.fill(mask, self.fine, |value| value);
        let stride = self.mask.stride;
        for (index, vector) in self.vectors.iter().enumerate().filter(|(_, vector)| **vector != Vector::default()) {
            let (column, row) = (index % columns, index / columns);
            let (x, y) = vector.part;
            let from = self.mask.at((column, row), vector.whole);
            // One sample to the side that the part points to.
            let beside = if x < 0.0 { from - 1 } else { from + 1 };
            let below = |from: usize| if y < 0.0 { from - stride } else { from + stride };
            let (x, y) = (x.abs(), y.abs());
            for line in 0..BLOCK.min(height - row * BLOCK) {
                let cells = |begin: usize| &self.mask.cells[begin + line * stride..][..BLOCK];
                let (a, b, c, d) = (cells(from), cells(beside), cells(below(from)), cells(below(beside)));
                let out = &mut mask[(row * BLOCK + line) * width..][..width][column * BLOCK..];
                for (i, out) in out.iter_mut().take(BLOCK).enumerate() {
                    let (above, under) = (a[i] + (b[i] - a[i]) * x, c[i] + (d[i] - c[i]) * x);
                    *out = above + (under - above) * y;
                }
            }
        }
    }

    /// Takes `new` where the picture changed, and leaves `mask` where it did not.
    #[inline(always)]
    pub fn renew(&self, mask: &mut [f32], new: &[f32]) {
        let (width, (columns, _)) = (self.fine.0, blocks(self.fine));
        let changes = self.changes.chunks_exact(columns).flat_map(|row| std::iter::repeat_n(row, BLOCK));
        for ((mask, new), changes) in mask.chunks_exact_mut(width).zip(new.chunks_exact(width)).zip(changes) {
            for ((mask, new), change) in mask.chunks_mut(BLOCK).zip(new.chunks(BLOCK)).zip(changes) {
                let share = ((change - NOISE) / (MOVEMENT - NOISE)).clamp(0.0, 1.0);
                for (mask, new) in mask.iter_mut().zip(new) {
                    *mask = *mask * (1.0 - share) + new * share;
                }
            }
        }
    }
}

fn blocks((width, height): Size) -> Size {
    (width.div_ceil(BLOCK), height.div_ceil(BLOCK))
}

#[inline(always)]
fn reluctance((x, y): (isize, isize)) -> u32 {
    let length = (x.unsigned_abs() + y.unsigned_abs()) as u32;
    if length > 0 { RELUCTANCE.0 + RELUCTANCE.1 * length } else { 0 }
}

/// Returns the sum of the differences between a block's window and the one `vector` away in the picture before.
#[inline(always)]
fn difference(now: &Padded<u8>, before: &Padded<u8>, block: (usize, usize), vector: (isize, isize)) -> u32 {
    let window = -(MARGIN as isize);
    let here = &now.cells[now.at(block, (window, window))..];
    let there = &before.cells[before.at(block, (vector.0 + window, vector.1 + window))..];
    let mut sum = 0;
    for line in 0..WINDOW {
        let (here, there) = (&here[line * now.stride..][..WINDOW], &there[line * now.stride..][..WINDOW]);
        sum += here.iter().zip(there).map(|(here, there)| u32::from(here.abs_diff(*there))).sum::<u32>();
    }
    sum
}

/// Returns where between -0.5 and 0.5 a parabola through three costs, one cell apart, is lowest.
#[inline(always)]
fn vertex(before: u32, here: u32, after: u32) -> f32 {
    let (before, here, after) = (before as f32, here as f32, after as f32);
    let bend = before + after - 2.0 * here;
    if bend > 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
}
