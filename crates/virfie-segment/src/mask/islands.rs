//! Small islands of person are dropped and small holes in a person filled: connected cells, four neighbours.

use super::scale::Size;

/// Islands of a smaller share of the frame are dropped: at 640x360, 30 pixels squared.
const ISLAND: f32 = 0.004;
/// Holes of a smaller share are filled: a larger one is what one sees through a bent arm.
const HOLE: f32 = 0.0025;
/// The probability that an island must reach somewhere before it is filtered: furniture rarely does, people do.
const SURE: f32 = 0.73;

/// Buffers that stay between frames.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    seen: Vec<bool>,
    /// Cells in the order in which they were reached; those of one region are together.
    queue: Vec<u32>,
}

impl Scratch {
    pub fn resize(&mut self, size: Size) {
        self.seen.resize(size.0 * size.1, false);
        self.queue.clear();
        self.queue.reserve(size.0 * size.1);
    }
}

/// Cleans `mask` (0.0..=1.0, person from one half on) in place. `network` is the mask before it was filtered.
#[inline(always)]
pub fn clean(mask: &mut [f32], network: &[f32], (width, height): Size, scratch: &mut Scratch) {
    let cells = width * height;
    scratch.seen.fill(false);
    scratch.queue.clear();
    for seed in 0..cells {
        if scratch.seen[seed] {
            continue;
        }
        let person = mask[seed] >= 0.5;
        let begin = scratch.queue.len();
        scratch.queue.push(seed as u32);
        scratch.seen[seed] = true;
        let (mut next, mut at_border, mut sure) = (begin, false, false);
        while next < scratch.queue.len() {
            let cell = scratch.queue[next] as usize;
            next += 1;
            let (row, column) = (cell / width, cell % width);
            at_border |= row == 0 || column == 0 || row + 1 == height || column + 1 == width;
            sure |= network[cell] >= SURE;
            let mut reach = |inside: bool, neighbour: usize| {
                if inside && !scratch.seen[neighbour] && (mask[neighbour] >= 0.5) == person {
                    scratch.seen[neighbour] = true;
                    scratch.queue.push(neighbour as u32);
                }
            };
            reach(column > 0, cell.wrapping_sub(1));
            reach(column + 1 < width, cell + 1);
            reach(row > 0, cell.wrapping_sub(width));
            reach(row + 1 < height, cell + width);
        }
        let region = &scratch.queue[begin..];
        let share = region.len() as f32 / cells as f32;
        let changed = if person { share < ISLAND || !sure } else { !at_border && share < HOLE };
        if changed {
            region.iter().for_each(|cell| mask[*cell as usize] = if person { 0.0 } else { 1.0 });
        }
    }
}
