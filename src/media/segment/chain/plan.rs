//! A chain laid out for one input size: which kernels run over which memory.

use super::{
    ChainError,
    kernel::{BLOCK, Convolve, Depthwise, Half, HalfPointwise, Isa, Kernels, Pointwise},
    layer::{Kind, Layer, Pads},
    memory::{Aligned, Arena, Sizes},
    pack::{Panels, Taps},
};

/// In which numbers the pointwise layers multiply. Sums, clamps and feature maps are floats always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// Where a pointwise layer follows a depthwise one: bfloat16 products, if the processor has them; floats if not.
    Bf16,
}

/// A chain for one input size. Shared freely: what changes in a run is in the [`Arena`].
pub struct Plan {
    isa: Isa,
    precision: Precision,
    kernels: &'static Kernels,
    input: Shape,
    import: bool,
    steps: Vec<Step>,
    heads: Vec<Head>,
    maps: Vec<Map>,
    sizes: Sizes,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { height, width, channels } = self.input;
        write!(f, "Plan({height}x{width}x{channels}, {} steps, {:?}, {:?})", self.steps.len(), self.isa, self.precision)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    height: usize,
    width: usize,
    channels: usize,
}

/// A feature map in memory: planes of 16 channels with the next layer's zeros around. Distances are in elements.
#[derive(Debug)]
struct Map {
    shape: Shape,
    pads: Pads,
    slot: usize,
    blocks: usize,
    row: usize,
    plane: usize,
    /// Where each pixel is in the first plane.
    offsets: Vec<usize>,
}

impl Map {
    fn new(shape: Shape, pads: Pads) -> Option<Self> {
        let columns = shape.width.checked_add(pads.left)?.checked_add(pads.right)?;
        let rows = shape.height.checked_add(pads.top)?.checked_add(pads.bottom)?;
        let blocks = shape.channels.div_ceil(BLOCK);
        let row = columns.checked_mul(BLOCK)?;
        let plane = row.checked_mul(rows)?;
        // A quarter of the address space is nowhere near real memory, and leaves later sums room.
        plane.checked_mul(blocks).filter(|&len| len < usize::MAX / 16)?;
        let offsets = (0..shape.height)
            .flat_map(|y| (0..shape.width).map(move |x| (y + pads.top) * row + (x + pads.left) * BLOCK))
            .collect();
        Some(Self { shape, pads, slot: 0, blocks, row, plane, offsets })
    }
}

#[derive(Debug)]
enum Step {
    Convolve { lines: Lines, panels: Panels, to: usize },
    Depthwise { window: Window, taps: Taps, from: usize, to: usize },
    Pointwise { panels: Panels, from: usize, to: usize },
    /// Depthwise, then pointwise, a few pixels at a time.
    Pair { window: Window, taps: Taps, panels: Panels, chunk: usize, from: usize, to: usize },
}

#[derive(Debug)]
struct Head {
    panels: Panels,
    outputs: usize,
}

/// Where a convolution's input comes from, line by line.
#[derive(Debug)]
struct Lines {
    /// The map before, or the chain's own input.
    from: Option<usize>,
    shape: Shape,
    pads: Pads,
    stride: usize,
    /// Elements of a line: columns with their zeros, times channels.
    len: usize,
}

/// How a depthwise layer moves over its input.
#[derive(Debug, Clone, Copy)]
struct Window {
    stride: usize,
    dilation: usize,
    /// Columns and rows of the output.
    width: usize,
    height: usize,
}

/// Bytes of depthwise sums between two pointwise passes: a good part of a second-level cache.
const CHUNK_BYTES: usize = 192 * 1024;

impl Plan {
    /// Lays out `layers` in their order for an input of `height` x `width`, and `heads`, pointwise all, on the last
    /// layer's output. Without heads the last layer's output is the one output.
    ///
    /// # Errors
    /// When layers do not fit each other or the input, or nothing is left of a feature map.
    pub fn new(
        layers: &[Layer],
        heads: &[Layer],
        (height, width): (usize, usize),
        isa: Isa,
        precision: Precision,
    ) -> Result<Self, ChainError> {
        Builder::new(layers, heads, (height, width), isa, precision)?.build(layers, heads)
    }

    /// Memory for one run at a time. The only thing that is allocated after the plan.
    pub fn arena(&self) -> Arena {
        Arena::new(self.sizes.clone())
    }

    /// Rows, columns and channels of the input.
    pub fn input_shape(&self) -> [usize; 3] {
        [self.input.height, self.input.width, self.input.channels]
    }

    /// Rows, columns and channels of each output, heads in their order.
    pub fn output_shapes(&self) -> impl ExactSizeIterator<Item = [usize; 3]> + '_ {
        let Shape { height, width, channels } = self.last().shape;
        (0..self.heads.len().max(1))
            .map(move |index| [height, width, self.heads.get(index).map_or(channels, |head| head.outputs)])
    }

    /// The instruction set that it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// What it multiplies in, which is [`Precision::F32`] where the instruction set has nothing else.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    fn last(&self) -> &Map {
        self.maps.last().expect("a plan has at least one map")
    }

    /// Runs the chain: `input` is `[row][column][channel]`, and so is each output.
    ///
    /// # Errors
    /// When a length does not fit the plan, or the arena is another plan's. Nothing has been written then.
    pub fn run(&self, arena: &mut Arena, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ChainError> {
        let expected: usize = self.input_shape().iter().product();
        if input.len() != expected {
            return Err(ChainError::Mismatch(format!("an input of {} values for {expected}", input.len())));
        }
        if outputs.len() != self.output_shapes().len() {
            return Err(ChainError::Mismatch(format!("{} outputs for {}", outputs.len(), self.output_shapes().len())));
        }
        for (output, shape) in outputs.iter().zip(self.output_shapes()) {
            if output.len() != shape.iter().product::<usize>() {
                return Err(ChainError::Mismatch(format!("an output of {} values for {shape:?}", output.len())));
            }
        }
        if arena.sizes != self.sizes {
            return Err(ChainError::Mismatch("the working memory of another plan".into()));
        }
        if self.import {
            let map = &self.maps[0];
            import(map, input, &mut arena.slots[map.slot]);
        }
        for step in &self.steps {
            self.step(step, arena, input);
        }
        let map = self.last();
        if self.heads.is_empty() {
            export(map, &arena.slots[map.slot], outputs[0]);
        }
        for (head, output) in self.heads.iter().zip(outputs) {
            self.head(head, arena, output);
        }
        Ok(())
    }

    fn step(&self, step: &Step, arena: &mut Arena, input: &[f32]) {
        match step {
            Step::Convolve { lines, panels, to } => self.convolve(lines, panels, &self.maps[*to], arena, input),
            Step::Depthwise { window, taps, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = slots(&mut arena.slots, from, to);
                for y in 0..window.height {
                    let pixel = y * window.width;
                    let mut run = window.run(taps, from, input, pixel, window.width);
                    (run.output_at, run.output_plane) = (to.offsets[pixel], to.plane);
                    (self.kernels.depthwise)(&run, output);
                }
            }
            Step::Pointwise { panels, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = slots(&mut arena.slots, from, to);
                self.pointwise(panels, (input, from.plane), to, 0, to.offsets.len(), output);
            }
            Step::Pair { window, taps, panels, chunk, from, to } => {
                let (from, to) = (&self.maps[*from], &self.maps[*to]);
                let [input, output] = slots(&mut arena.slots, from, to);
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
                        Some(half) => self.half_pointwise(half, panels, (&arena.halves, plane), to, first, count, output),
                        None => self.pointwise(panels, (&arena.scratch, plane), to, first, count, output),
                    }
                }
            }
        }
    }

    /// Pixels `first..first + count` of `to`, from as many pixels at the start of `input`.
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
        // The map that it reads is taken out for as long, so that the one that it writes can be borrowed beside it.
        let taken = lines.from.map(|index| (index, std::mem::replace(&mut slots[self.maps[index].slot], Aligned::new(0))));
        let channels = lines.shape.channels;
        let mut loaded = 0;
        for y in 0..to.shape.height {
            let top = y * lines.stride;
            for line in loaded.max(top)..top + 3 {
                let target = &mut ring[line % 3 * lines.len..][..lines.len];
                let source = line.checked_sub(lines.pads.top).filter(|&row| row < lines.shape.height);
                let inside = &mut target[lines.pads.left * channels..][..lines.shape.width * channels];
                match (source, &taken) {
                    (None, _) => inside.fill(0.0),
                    (Some(row), None) => inside.copy_from_slice(&input[row * inside.len()..][..inside.len()]),
                    (Some(row), Some((index, slot))) => self.maps[*index].read_row(slot, row, inside),
                }
            }
            loaded = top + 3;
            let rows = std::array::from_fn(|row| &ring[(top + row) % 3 * lines.len..][..lines.len]);
            let output = &mut slots[to.slot];
            for panel in panels.iter() {
                let output = &mut output[panel.block * to.plane..];
                for (x, pixels) in shares(to.shape.width, self.kernels.tile) {
                    let tile = Convolve {
                        weights: panel.weights,
                        bias: panel.bias,
                        clamp: panels.clamp,
                        rows,
                        at: x * lines.stride * channels,
                        taps: 3 * channels,
                        step: lines.stride * channels,
                        offsets: &to.offsets[y * to.shape.width + x..][..pixels],
                        output_plane: to.plane,
                    };
                    (self.kernels.convolve)(&tile, output);
                }
            }
        }
        if let Some((index, slot)) = taken {
            slots[self.maps[index].slot] = slot;
        }
    }

    fn head(&self, head: &Head, arena: &mut Arena, output: &mut [f32]) {
        let map = self.last();
        let input = &arena.slots[map.slot];
        let plane = self.kernels.tile * BLOCK;
        let offsets: [usize; super::kernel::MAX_TILE] = std::array::from_fn(|pixel| pixel * BLOCK);
        for (pixel, pixels) in shares(map.offsets.len(), self.kernels.tile) {
            for panel in head.panels.iter() {
                let tile = Pointwise {
                    weights: panel.weights,
                    bias: panel.bias,
                    clamp: head.panels.clamp,
                    blocks: map.blocks,
                    input,
                    at: pixel * BLOCK,
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

impl Map {
    /// One row of pixels, channels together.
    fn read_row(&self, slot: &[f32], y: usize, line: &mut [f32]) {
        let offsets = &self.offsets[y * self.shape.width..];
        for (pixel, &offset) in line.chunks_exact_mut(self.shape.channels).zip(offsets) {
            for (block, channels) in pixel.chunks_mut(BLOCK).enumerate() {
                channels.copy_from_slice(&slot[offset + block * self.plane..][..channels.len()]);
            }
        }
    }
}

fn import(map: &Map, input: &[f32], slot: &mut [f32]) {
    for (pixel, &offset) in input.chunks_exact(map.shape.channels).zip(&map.offsets) {
        for (block, channels) in pixel.chunks(BLOCK).enumerate() {
            slot[offset + block * map.plane..][..channels.len()].copy_from_slice(channels);
        }
    }
}

fn export(map: &Map, slot: &[f32], output: &mut [f32]) {
    for (y, line) in output.chunks_exact_mut(map.shape.width * map.shape.channels).enumerate() {
        map.read_row(slot, y, line);
    }
}

/// The slots of two maps, which are never the same.
fn slots<'a>(slots: &'a mut [Aligned<f32>], from: &Map, to: &Map) -> [&'a mut [f32]; 2] {
    slots.get_disjoint_mut([from.slot, to.slot]).expect("a step writes elsewhere than it reads").map(|slot| &mut **slot)
}

/// `total` in as few parts of at most `most` as there can be, alike to one: where each begins, and how many.
fn shares(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let parts = total.div_ceil(most).max(1);
    let (each, more) = (total / parts, total % parts);
    (0..parts).map(move |part| (part * each + part.min(more), each + usize::from(part < more)))
}

impl Window {
    /// The rows, or parts of rows, of pixels `first..first + count`: where each begins, and how many.
    fn rows(self, first: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
        let end = first + count;
        (first / self.width..end.div_ceil(self.width)).map(move |y| {
            let from = first.max(y * self.width);
            (from, end.min((y + 1) * self.width) - from)
        })
    }

    /// `count` pixels of one row, from `pixel` on; where they go is left to the caller.
    fn run<'a>(self, taps: &'a Taps, from: &Map, input: &'a [f32], pixel: usize, count: usize) -> Depthwise<'a> {
        let (y, x) = (pixel / self.width, pixel % self.width);
        Depthwise {
            weights: &taps.weights,
            bias: &taps.bias,
            clamp: taps.clamp,
            blocks: from.blocks,
            input,
            at: y * self.stride * from.row + x * self.stride * BLOCK,
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

/// A plan in the making.
struct Builder {
    plan: Plan,
    /// What the next layer reads.
    shape: Shape,
    /// The last map made, unless the next layer reads the chain's own input.
    current: Option<usize>,
}

impl Builder {
    fn new(
        layers: &[Layer],
        heads: &[Layer],
        (height, width): (usize, usize),
        isa: Isa,
        precision: Precision,
    ) -> Result<Self, ChainError> {
        let first = layers.first().or(heads.first()).ok_or(ChainError::Empty)?;
        if height == 0 || width == 0 {
            return Err(ChainError::Mismatch(format!("an input of {height} x {width}")));
        }
        let shape = Shape { height, width, channels: first.inputs };
        let kernels = isa.kernels();
        let precision = if kernels.half.is_some() { precision } else { Precision::F32 };
        let plan = Plan {
            isa,
            precision,
            kernels,
            input: shape,
            import: !matches!(layers.first(), Some(Layer { kind: Kind::Conv3x3 { .. }, .. })),
            steps: Vec::new(),
            heads: Vec::new(),
            maps: Vec::new(),
            sizes: Sizes::default(),
        };
        Ok(Self { plan, shape, current: None })
    }

    fn build(mut self, layers: &[Layer], heads: &[Layer]) -> Result<Plan, ChainError> {
        let pads = self.check(layers, heads)?;
        if self.plan.import {
            self.map(self.shape, pads.first().copied().unwrap_or_default())?;
        }
        let mut index = 0;
        while let Some(layer) = layers.get(index) {
            let next = layers.get(index + 1).filter(|next| next.kind == Kind::Pointwise);
            let pair = next.filter(|_| matches!(layer.kind, Kind::Depthwise3x3 { .. }));
            let taken = if pair.is_some() { 2 } else { 1 };
            let after = pads.get(index + taken).copied().unwrap_or_default();
            self.layer(layer, pair, pads[index], after)?;
            index += taken;
        }
        let panel = self.plan.kernels.panel;
        for head in heads {
            let tile = self.plan.kernels.tile * head.outputs.next_multiple_of(BLOCK);
            self.plan.sizes.tile = self.plan.sizes.tile.max(tile);
            self.plan.heads.push(Head { panels: Panels::pointwise(head, panel), outputs: head.outputs });
        }
        Ok(self.plan)
    }

    /// Checks everything that is given, and gives back the zeros around each layer's input.
    fn check(&self, layers: &[Layer], heads: &[Layer]) -> Result<Vec<Pads>, ChainError> {
        let mut pads = Vec::with_capacity(layers.len());
        let mut shape = self.shape;
        for (index, layer) in layers.iter().chain(heads).enumerate() {
            let fault = |fault: String| Err(ChainError::Layer(index, fault));
            if let Some(wrong) = layer.fault() {
                return fault(wrong);
            }
            if layer.inputs != shape.channels {
                return fault(format!("reads {} channels of {}", layer.inputs, shape.channels));
            }
            if index >= layers.len() {
                if layer.kind != Kind::Pointwise {
                    return fault("is a head that is not pointwise".into());
                }
                continue;
            }
            let around = layer.padding.resolve(layer.kind, shape.height, shape.width);
            let Some(after) = outputs(layer, shape, around) else {
                return fault(format!("has no room in {} x {}", shape.height, shape.width));
            };
            pads.push(around);
            shape = after;
        }
        Ok(pads)
    }

    fn layer(&mut self, layer: &Layer, pair: Option<&Layer>, pads: Pads, after: Pads) -> Result<(), ChainError> {
        let before = self.current;
        let shape = self.shape;
        let middle = outputs(layer, shape, pads).ok_or(ChainError::TooLarge)?;
        let shape_after = pair.map_or(middle, |pair| Shape { channels: pair.outputs, ..middle });
        let to = self.map(shape_after, after)?;
        let panel = self.plan.kernels.panel;
        let from = before.unwrap_or_default();
        let step = match layer.kind {
            Kind::Conv3x3 { stride } => {
                let columns = shape.width + pads.left + pads.right;
                let len = columns.checked_mul(shape.channels).ok_or(ChainError::TooLarge)?;
                self.plan.sizes.lines = self.plan.sizes.lines.max(3 * len);
                let lines = Lines { from: before, shape, pads, stride, len };
                Step::Convolve { lines, panels: Panels::convolution(layer, shape.channels, panel), to }
            }
            Kind::Pointwise => Step::Pointwise { panels: Panels::pointwise(layer, panel), from, to },
            Kind::Depthwise3x3 { stride, dilation } => {
                let window = Window { stride, dilation, width: middle.width, height: middle.height };
                let taps = Taps::new(layer);
                match pair {
                    None => Step::Depthwise { window, taps, from, to },
                    Some(pair) => {
                        let channels = middle.channels.next_multiple_of(BLOCK);
                        let tile = self.plan.kernels.tile;
                        let most = std::env::var("CHUNK").ok().and_then(|v| v.parse().ok()).unwrap_or(CHUNK_BYTES);
                        let chunk = (most / 4 / channels / tile * tile).max(tile);
                        let elements = chunk.min(middle.width * middle.height) * channels;
                        let mut panels = Panels::pointwise(pair, panel);
                        if self.plan.precision == Precision::Bf16 {
                            panels = panels.with_halves();
                            self.plan.sizes.halves = self.plan.sizes.halves.max(elements);
                        } else {
                            self.plan.sizes.scratch = self.plan.sizes.scratch.max(elements);
                        }
                        Step::Pair { window, taps, panels, chunk, from, to }
                    }
                }
            }
        };
        self.plan.steps.push(step);
        Ok(())
    }

    /// A map for `shape`, in a slot that has its borders and is not the one read meanwhile.
    fn map(&mut self, shape: Shape, pads: Pads) -> Result<usize, ChainError> {
        let mut map = Map::new(shape, pads).ok_or(ChainError::TooLarge)?;
        let Plan { maps, sizes, .. } = &mut self.plan;
        let reading = self.current.map(|index| maps[index].slot);
        let alike = |other: &&Map| {
            (other.blocks, other.pads) == (map.blocks, map.pads)
                && (other.shape.height, other.shape.width) == (shape.height, shape.width)
                && Some(other.slot) != reading
        };
        map.slot = match maps.iter().find(alike) {
            Some(other) => other.slot,
            None => {
                sizes.slots.push(map.plane * map.blocks);
                sizes.slots.len() - 1
            }
        };
        maps.push(map);
        self.shape = shape;
        self.current = Some(maps.len() - 1);
        Ok(maps.len() - 1)
    }
}

/// What a layer makes of an input with zeros around, if anything.
fn outputs(layer: &Layer, shape: Shape, pads: Pads) -> Option<Shape> {
    let size = |size: usize, before: usize, after: usize| {
        let room = size.checked_add(before)?.checked_add(after)?.checked_sub(layer.kind.extent())?;
        Some(room / layer.kind.stride() + 1)
    };
    Some(Shape {
        height: size(shape.height, pads.top, pads.bottom)?,
        width: size(shape.width, pads.left, pads.right)?,
        channels: layer.outputs,
    })
}
