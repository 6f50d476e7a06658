//! Feature maps in memory.

use super::{kernel::BLOCK, layer::Pads, memory::Aligned};

/// Rows, columns and channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// A feature map in memory: planes of 16 channels with the next layer's zeros around. Distances are in elements.
#[derive(Debug)]
pub(super) struct Map {
    pub shape: Shape,
    pub pads: Pads,
    /// Index of one of the arena's memories.
    pub slot: usize,
    /// Planes.
    pub blocks: usize,
    /// From one row to the next.
    pub row: usize,
    /// From one plane to the next.
    pub plane: usize,
    /// Place of each pixel in the first plane.
    pub offsets: Vec<usize>,
}

impl Map {
    /// Creates one in slot 0 for now; none where it would not fit any memory.
    pub fn new(shape: Shape, pads: Pads) -> Option<Self> {
        let columns = shape.width.checked_add(pads.left)?.checked_add(pads.right)?;
        let rows = shape.height.checked_add(pads.top)?.checked_add(pads.bottom)?;
        let blocks = shape.channels.div_ceil(BLOCK);
        let row = columns.checked_mul(BLOCK)?;
        let plane = row.checked_mul(rows)?;
        // Far more than any memory, and little enough that sums of positions do not overflow.
        plane.checked_mul(blocks).filter(|&len| len < usize::MAX / 16)?;
        let offsets = (0..shape.height)
            .flat_map(|y| (0..shape.width).map(move |x| (y + pads.top) * row + (x + pads.left) * BLOCK))
            .collect();
        Some(Self { shape, pads, slot: 0, blocks, row, plane, offsets })
    }

    /// Returns pixels that lie together in memory, as many as there can be: where each run begins, and how many.
    pub fn runs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (width, pixels) = (self.shape.width, self.offsets.len());
        let each = if self.row == width * BLOCK { pixels } else { width };
        (0..pixels).step_by(each.max(1)).map(move |first| (first, each))
    }

    /// Returns where a layer that needs `pads` around begins to read, at most the map's own.
    pub fn origin(&self, pads: Pads) -> usize {
        (self.pads.top - pads.top) * self.row + (self.pads.left - pads.left) * BLOCK
    }

    /// Reads one row of pixels, channels together.
    pub fn read_row(&self, slot: &[f32], y: usize, line: &mut [f32]) {
        let offsets = &self.offsets[y * self.shape.width..];
        for (pixel, &offset) in line.chunks_exact_mut(self.shape.channels).zip(offsets) {
            for (block, channels) in pixel.chunks_mut(BLOCK).enumerate() {
                channels.copy_from_slice(&slot[offset + block * self.plane..][..channels.len()]);
            }
        }
    }
}

/// Reads the chain's input, channels together.
pub(super) fn import(map: &Map, input: &[f32], slot: &mut [f32]) {
    for (pixel, &offset) in input.chunks_exact(map.shape.channels).zip(&map.offsets) {
        for (block, channels) in pixel.chunks(BLOCK).enumerate() {
            let (target, rest) = slot[offset + block * map.plane..][..BLOCK].split_at_mut(channels.len());
            target.copy_from_slice(channels);
            // A later map in the same slot may have written there, and 0 x infinity is not 0.
            rest.fill(0.0);
        }
    }
}

/// Writes the chain's output, channels together.
pub(super) fn export(map: &Map, slot: &[f32], output: &mut [f32]) {
    for (y, line) in output.chunks_exact_mut(map.shape.width * map.shape.channels).enumerate() {
        map.read_row(slot, y, line);
    }
}

/// Returns the slots of two maps, which are never the same.
pub(super) fn disjoint<'a>(slots: &'a mut [Aligned<f32>], from: &Map, to: &Map) -> [&'a mut [f32]; 2] {
    slots.get_disjoint_mut([from.slot, to.slot]).expect("a step writes elsewhere than it reads").map(|slot| &mut **slot)
}
