//! Laying out a plan: which maps there are, where they are, and what is done to them.

use super::{
    ChainError,
    kernel::{BLOCK, Isa},
    layer::{Kind, Layer, Pads},
    map::{Map, Shape},
    memory::Sizes,
    pack::{Panels, Taps},
    plan::{Plan, Precision},
    run::{Head, Lines, Step, Window},
};

/// Bytes of depthwise sums between two pointwise passes: a good part of a second-level cache.
const CHUNK_BYTES: usize = 192 * 1024;

/// A plan in the making.
pub(super) struct Builder {
    plan: Plan,
    /// What the next layer reads.
    shape: Shape,
    /// The last map made, unless the next layer reads the chain's own input.
    current: Option<usize>,
}

impl Builder {
    /// An empty plan, as far as the input decides.
    pub fn new(
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
            mark: Default::default(),
        };
        Ok(Self { plan, shape, current: None })
    }

    /// The plan for the layers and heads that the builder was made for.
    pub fn build(mut self, layers: &[Layer], heads: &[Layer]) -> Result<Plan, ChainError> {
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
                let len = columns
                    .checked_mul(shape.channels)
                    .filter(|&len| len < usize::MAX / 16)
                    .ok_or(ChainError::TooLarge)?;
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
                        let chunk = (CHUNK_BYTES / size_of::<f32>() / channels / tile * tile).max(tile);
                        let elements = chunk.min(middle.width * middle.height) * channels;
                        let mut panels = Panels::pointwise(pair, panel);
                        if self.plan.precision == Precision::Bf16 {
                            panels = panels.into_halves();
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
