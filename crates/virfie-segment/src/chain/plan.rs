//! A chain laid out for one input size: which kernels run over which memory.

use std::sync::Arc;

use super::{
    ChainError,
    build::Builder,
    graph::Graph,
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
    /// Products in bfloat16 where a pointwise layer follows a depthwise one, if the processor has them; floats if not.
    Bf16,
}

/// A chain for one input size. Shared freely: what changes in a run is in the [`Arena`].
pub struct ChainPlan {
    pub(super) isa: Isa,
    pub(super) precision: Precision,
    pub(super) kernels: &'static Kernels,
    pub(super) input: Shape,
    /// The map that the picture is copied to, if a layer reads it there.
    pub(super) import: Option<usize>,
    pub(super) steps: Vec<Step>,
    pub(super) heads: Vec<Head>,
    /// Without heads: the map that is given back.
    pub(super) result: usize,
    pub(super) maps: Vec<Map>,
    pub(super) sizes: Sizes,
    /// Its arenas have it too.
    pub(super) mark: Arc<()>,
}

impl std::fmt::Debug for ChainPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { height, width, channels } = self.input;
        write!(
            f,
            "ChainPlan({height}x{width}x{channels}, {} steps, {:?}, {:?})",
            self.steps.len(),
            self.isa,
            self.precision
        )
    }
}

impl ChainPlan {
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
        Self::of(&Graph::line(layers, heads), (height, width), isa, precision)
    }

    /// Lays out a graph for an input of `height` x `width`.
    ///
    /// # Errors
    /// As [`ChainPlan::new`], and when a node reads what comes after it.
    pub fn of(
        graph: &Graph,
        (height, width): (usize, usize),
        isa: Isa,
        precision: Precision,
    ) -> Result<Self, ChainError> {
        Builder::new(graph, (height, width), isa, precision)?.build()
    }

    /// Returns the memory for one run at a time. The only thing that is allocated after the plan.
    pub fn arena(&self) -> Arena {
        Arena::new(&self.sizes, self.mark.clone())
    }

    /// Rows, columns and channels of the input.
    pub fn input_shape(&self) -> [usize; 3] {
        [self.input.height, self.input.width, self.input.channels]
    }

    /// Rows, columns and channels of each output, heads in their order.
    pub fn output_shapes(&self) -> impl ExactSizeIterator<Item = [usize; 3]> + '_ {
        (0..self.heads.len().max(1)).map(|index| {
            let head = self.heads.get(index);
            let Shape { height, width, channels } = self.maps[head.map_or(self.result, |head| head.from)].shape;
            [height, width, head.map_or(channels, |head| head.outputs)]
        })
    }

    /// Returns the instruction set that it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Returns what it multiplies in, which is [`Precision::F32`] where the instruction set has nothing else.
    pub fn precision(&self) -> Precision {
        self.precision
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
        if let Some(map) = self.import.map(|index| &self.maps[index]) {
            import(map, input, &mut arena.slots[map.slot]);
        }
        for step in &self.steps {
            self.step(step, arena, input);
        }
        if self.heads.is_empty() {
            let map = &self.maps[self.result];
            export(map, &arena.slots[map.slot], outputs[0]);
        }
        for (head, output) in self.heads.iter().zip(outputs) {
            self.head(head, arena, output);
        }
        Ok(())
    }
}
