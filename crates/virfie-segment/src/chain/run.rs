//! Running a plan: tiles of pixels through the kernels.

use super::{
    kernel::{BLOCK, Convolve, Depthwise, Half, HalfPointwise, MAX_TILE, Merge, Pointwise},
    layer::{MOST_SIDE, Pads},
    map::{Map, Shape, disjoint},
    memory::Arena,
    pack::{Panels, Taps},
    plan::{ChainPlan, Precision},
};

/// The steps of a plan, in order. Maps are by their index.
#[derive(Debug)]
pub(super) enum Step {
    Convolve {
        lines: Lines,
        panels: Panels,
        to: usize,
    },
    Depthwise {
        window: Window,
        taps: Taps,
        from: usize,
        to: usize,
    },
    Pointwise {
        panels: Panels,
        from: usize,
        to: usize,
    },
    /// Depthwise, then pointwise, a few pixels at a time.
    Pair {
        window: Window,
        taps: Taps,
        panels: Panels,
        chunk: usize,
        from: usize,
        to: usize,
    },
    /// A map of half the size onto another one.
    Merge {
        from: usize,
        to: usize,
        clamp: (f32, f32),
    },
}

/// A pointwise layer on a map that writes to an output.
#[derive(Debug)]
pub(super) struct Head {
    pub panels: Panels,
    pub outputs: usize,
    pub from: usize,
}

/// The lines that a convolution's input comes from.
#[derive(Debug)]
pub(super) struct Lines {
    /// The map before, or the chain's own input.
    pub from: Option<usize>,
    pub shape: Shape,
    pub pads: Pads,
    /// Lines and columns that an output looks at.
    pub side: usize,
    pub stride: usize,
    /// Elements of a line: columns with their zeros, times channels.
    pub len: usize,
}

/// The way that a depthwise layer moves over its input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub stride: usize,
    pub dilation: usize,
    /// Columns and rows of the output.
    pub width: usize,
    pub height: usize,
    /// The first tap of the first output, in elements of the map: 0 unless another layer needs wider borders.
    pub origin: usize,
}

impl ChainPlan {
    pub(super) fn step(&self, step: &Step, arena: &mut Arena, input: &[f32]) {
        match step {
            Step::Convolve { lines, panels, to } => self.convolve(lines, panels, &self.maps[*to], arena, input),
            Step::Depthwise { window, taps, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = disjoint(&mut arena.slots, from, to);
                for y in 0..window.height {
                    let pixel = y * window.width;
                    let mut run = window.run(taps, from, input, pixel, window.width);
                    (run.output_at, run.output_plane) = (to.offsets[pixel], to.plane);
                    (self.kernels.depthwise)(&run, output);
                }
            }
            Step::Pointwise { panels, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = disjoint(&mut arena.slots, from, to);
                for (first, count) in from.runs() {
                    let input = &input[from.offsets[first]..];
                    self.pointwise(panels, (input, from.plane), to, first, count, output);
                }
            }
            Step::Pair { window, taps, panels, chunk, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = disjoint(&mut arena.slots, from, to);
                let half = self.kernels.half.filter(|_| self.precision == Precision::Bf16);
                for (first, count) in shares(to.offsets.len(), *chunk) {
                    let plane = count * BLOCK;
                    for (pixel, count) in window.rows(first, count) {
                        let mut run = window.run(taps, from, input, pixel, count);
                        (run.output_at, run.output_plane) = ((pixel - first) * BLOCK, plane);
                        match half {
                            Some(half) => (half.depthwise)(&run, &mut arena.halves),
                            None => (self.kernels.depthwise)(&run, &mut arena.scratch),
                        }
                    }
                    match half {
                        Some(half) => {
                            self.half_pointwise(half, panels, (&arena.halves, plane), to, first, count, output)
                        }
                        None => self.pointwise(panels, (&arena.scratch, plane), to, first, count, output),
                    }
                }
            }
            Step::Merge { from, to, clamp } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = disjoint(&mut arena.slots, from, to);
                for y in 0..to.shape.height {
                    let row = Merge {
                        clamp: *clamp,
                        blocks: to.blocks,
                        pixels: to.shape.width,
                        input,
                        at: from.offsets[y / 2 * from.shape.width],
                        input_plane: from.plane,
                        output_at: to.offsets[y * to.shape.width],
                        output_plane: to.plane,
                    };
                    (self.kernels.merge)(&row, output);
                }
            }
        }
    }

    /// Computes pixels `first..first + count` of `to`, from as many pixels at the start of `input`.
    fn pointwise(
        &self,
        panels: &Panels,
        (input, input_plane): (&[f32], usize),
        to: &Map,
        first: usize,
        count: usize,
        output: &mut [f32],
    ) {
        for panel in panels.iter() {
            let output = &mut output[panel.block * to.plane..];
            for (pixel, pixels) in shares(count, self.kernels.tile) {
                let tile = Pointwise {
                    weights: panel.weights,
                    bias: panel.bias,
                    clamp: panels.clamp,
                    blocks: panel.weights.len() / panel.bias.len() / BLOCK,
                    input,
                    at: pixel * BLOCK,
                    input_plane,
                    offsets: &to.offsets[first + pixel..][..pixels],
                    output_plane: to.plane,
                };
                (self.kernels.pointwise)(&tile, output);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn half_pointwise(
        &self,
        half: Half,
        panels: &Panels,
        (input, input_plane): (&[u16], usize),
        to: &Map,
        first: usize,
        count: usize,
        output: &mut [f32],
    ) {
        for panel in panels.iter() {
            let output = &mut output[panel.block * to.plane..];
            for (pixel, pixels) in shares(count, self.kernels.tile) {
                let tile = HalfPointwise {
                    weights: panel.halves,
                    bias: panel.bias,
                    clamp: panels.clamp,
                    blocks: panel.halves.len() / panel.bias.len() / BLOCK,
                    input,
                    at: pixel * BLOCK,
                    input_plane,
                    offsets: &to.offsets[first + pixel..][..pixels],
                    output_plane: to.plane,
                };
                (half.pointwise)(&tile, output);
            }
        }
    }

    fn convolve(&self, lines: &Lines, panels: &Panels, to: &Map, arena: &mut Arena, input: &[f32]) {
        let Arena { slots, lines: ring, .. } = arena;
        let (from, output): (Option<(&Map, &[f32])>, &mut [f32]) = match lines.from.map(|index| &self.maps[index]) {
            Some(from) => {
                let [input, output] = disjoint(slots, from, to);
                (Some((from, input)), output)
            }
            None => (None, &mut slots[to.slot]),
        };
        let (side, channels) = (lines.side, lines.shape.channels);
        let mut loaded = 0;
        for y in 0..to.shape.height {
            let top = y * lines.stride;
            for line in loaded.max(top)..top + side {
                let target = &mut ring[line % side * lines.len..][..lines.len];
                let source = line.checked_sub(lines.pads.top).filter(|&row| row < lines.shape.height);
                // Other convolutions have used the ring, with other borders.
                let (left, inside) = target.split_at_mut(lines.pads.left * channels);
                let (inside, right) = inside.split_at_mut(lines.shape.width * channels);
                left.fill(0.0);
                right.fill(0.0);
                match (source, from) {
                    (None, _) => inside.fill(0.0),
                    (Some(row), None) => inside.copy_from_slice(&input[row * inside.len()..][..inside.len()]),
                    (Some(row), Some((map, slot))) => map.read_row(slot, row, inside),
                }
            }
            loaded = top + side;
            let rows: [&[f32]; MOST_SIDE] =
                std::array::from_fn(|row| &ring[(top + row) % side * lines.len..][..lines.len]);
            for panel in panels.iter() {
                let output = &mut output[panel.block * to.plane..];
                for (x, pixels) in shares(to.shape.width, self.kernels.tile) {
                    let tile = Convolve {
                        weights: panel.weights,
                        bias: panel.bias,
                        clamp: panels.clamp,
                        rows: &rows[..side],
                        at: x * lines.stride * channels,
                        taps: side * channels,
                        step: lines.stride * channels,
                        offsets: &to.offsets[y * to.shape.width + x..][..pixels],
                        output_plane: to.plane,
                    };
                    (self.kernels.convolve)(&tile, output);
                }
            }
        }
    }

    pub(super) fn head(&self, head: &Head, arena: &mut Arena, output: &mut [f32]) {
        let map = &self.maps[head.from];
        let input = &arena.slots[map.slot];
        let plane = self.kernels.tile * BLOCK;
        let offsets: [usize; MAX_TILE] = std::array::from_fn(|pixel| pixel * BLOCK);
        let tiles = map.runs().flat_map(|(first, count)| {
            shares(count, self.kernels.tile).map(move |(pixel, pixels)| (first + pixel, pixels))
        });
        for (pixel, pixels) in tiles {
            for panel in head.panels.iter() {
                let tile = Pointwise {
                    weights: panel.weights,
                    bias: panel.bias,
                    clamp: head.panels.clamp,
                    blocks: map.blocks,
                    input,
                    at: map.offsets[pixel],
                    input_plane: map.plane,
                    offsets: &offsets[..pixels],
                    output_plane: plane,
                };
                (self.kernels.pointwise)(&tile, &mut arena.tile[panel.block * plane..]);
            }
            let targets = output[pixel * head.outputs..].chunks_exact_mut(head.outputs).take(pixels);
            for (index, target) in targets.enumerate() {
                for (block, target) in target.chunks_mut(BLOCK).enumerate() {
                    target.copy_from_slice(&arena.tile[block * plane + index * BLOCK..][..target.len()]);
                }
            }
        }
    }
}

/// Returns `total` in as few parts of at most `most` as there can be, alike to one: where each begins, and how many.
fn shares(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let parts = total.div_ceil(most).max(1);
    let (each, more) = (total / parts, total % parts);
    (0..parts).map(move |part| (part * each + part.min(more), each + usize::from(part < more)))
}

impl Window {
    /// Returns the rows, or parts of rows, of pixels `first..first + count`: where each begins, and how many.
    fn rows(self, first: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
        let end = first + count;
        (first / self.width..end.div_ceil(self.width)).map(move |y| {
            let from = first.max(y * self.width);
            (from, end.min((y + 1) * self.width) - from)
        })
    }

    /// Returns `count` pixels of one row, from `pixel` on; where they go is left to the caller.
    fn run<'a>(self, taps: &'a Taps, from: &Map, input: &'a [f32], pixel: usize, count: usize) -> Depthwise<'a> {
        let (y, x) = (pixel / self.width, pixel % self.width);
        Depthwise {
            weights: &taps.weights,
            bias: &taps.bias,
            clamp: taps.clamp,
            blocks: from.blocks,
            input,
            at: self.origin + y * self.stride * from.row + x * self.stride * BLOCK,
            input_plane: from.plane,
            row: self.dilation * from.row,
            column: self.dilation * BLOCK,
            step: self.stride * BLOCK,
            pixels: count,
            output_at: 0,
            output_plane: 0,
        }
    }
}
