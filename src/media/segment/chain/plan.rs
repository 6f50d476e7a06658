//! A chain laid out for one input size: which kernels run over which memory.

use std::sync::Arc;

use super::{
    ChainError,
    build::Builder,
    kernel::{Isa, Kernels},
    layer::Layer,
    map::{Map, Shape, export, import},
    memory::{Arena, Sizes},
    run::{Head, Step},
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
    pub(super) isa: Isa,
    pub(super) precision: Precision,
    pub(super) kernels: &'static Kernels,
    pub(super) input: Shape,
    pub(super) import: bool,
    pub(super) steps: Vec<Step>,
    pub(super) heads: Vec<Head>,
    pub(super) maps: Vec<Map>,
    pub(super) sizes: Sizes,
    /// Its arenas have it too.
    pub(super) mark: Arc<()>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { height, width, channels } = self.input;
        write!(f, "Plan({height}x{width}x{channels}, {} steps, {:?}, {:?})", self.steps.len(), self.isa, self.precision)
    }
}

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
        Arena::new(&self.sizes, self.mark.clone())
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

    pub(super) fn last(&self) -> &Map {
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
        if !Arc::ptr_eq(&arena.mark, &self.mark) {
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
}
