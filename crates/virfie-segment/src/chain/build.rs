//! Laying out a plan: which maps there are, where they are, and what is done to them.

use super::{
    ChainError,
    graph::{Graph, Node, Source},
    kernel::{BLOCK, Isa},
    layer::{Kind, Layer, Pads},
    map::{Map, Shape},
    memory::Sizes,
    pack::{Panels, Taps},
    plan::{ChainPlan, Precision},
    run::{Head, Lines, Step, Window},
};

/// Bytes of depthwise sums between two pointwise passes: a good part of a second-level cache.
const CHUNK_BYTES: usize = 192 * 1024;

/// Everything about the places that values are in: the input is place 0, node `i` is place `i + 1`.
struct Places {
    shapes: Vec<Shape>,
    /// The zeros that readers of a place need around it.
    pads: Vec<Pads>,
    /// Number of those who read it; heads count.
    readers: Vec<usize>,
    /// The last node that reads it, as a place; `usize::MAX` for what a head reads or the plan gives back.
    last: Vec<usize>,
    /// A depthwise layer's only reader, if that is a pointwise one: they run together.
    paired: Vec<bool>,
    /// The sum that takes the place of this map.
    summed: Vec<Option<usize>>,
}

fn place(source: Source) -> usize {
    match source {
        Source::Input => 0,
        Source::Node(index) => index + 1,
    }
}

/// A plan in the making.
pub(super) struct Builder<'a> {
    graph: &'a Graph,
    plan: ChainPlan,
    places: Places,
    /// Each place's map, once there is one.
    maps: Vec<Option<usize>>,
    /// The last place that is read from each slot's present map.
    busy: Vec<usize>,
}

impl<'a> Builder<'a> {
    /// Creates an empty plan, as far as the input decides.
    pub fn new(
        graph: &'a Graph,
        (height, width): (usize, usize),
        isa: Isa,
        precision: Precision,
    ) -> Result<Self, ChainError> {
        let mut layers = graph.nodes.iter().filter_map(|node| match node {
            Node::Convolution(layer, Source::Input) => Some(layer),
            _ => None,
        });
        let first = layers.next().or(graph.heads.first().map(|(head, _)| head)).ok_or(ChainError::Empty)?;
        if height == 0 || width == 0 {
            return Err(ChainError::Mismatch(format!("an input of {height} x {width}")));
        }
        let shape = Shape { height, width, channels: first.inputs };
        let places = Places::new(graph, shape)?;
        let kernels = isa.kernels();
        let precision = if kernels.half.is_some() { precision } else { Precision::F32 };
        let by_lines = |node: &Node| matches!(node, Node::Convolution(Layer { kind: Kind::Square { .. }, .. }, _));
        let reads = |source: Source| source == Source::Input;
        let import = graph.nodes.iter().any(|node| node.sources().any(reads) && !by_lines(node))
            || graph.heads.iter().any(|(_, source)| reads(*source));
        let plan = ChainPlan {
            isa,
            precision,
            kernels,
            input: shape,
            import: import.then_some(0),
            steps: Vec::new(),
            heads: Vec::new(),
            result: 0,
            maps: Vec::new(),
            sizes: Sizes::default(),
            mark: Default::default(),
        };
        Ok(Self { graph, plan, maps: vec![None; places.shapes.len()], places, busy: Vec::new() })
    }

    /// Returns the plan for the graph that the builder was made for.
    pub fn build(mut self) -> Result<ChainPlan, ChainError> {
        if self.plan.import.is_some() {
            self.plan.import = Some(self.map(0, 0)?);
        }
        for (index, node) in self.graph.nodes.iter().enumerate() {
            let to = index + 1;
            match node {
                _ if self.places.paired[to] => {}
                Node::Convolution(layer, from) => self.convolution(layer, place(*from), to)?,
                Node::Merge { coarse, fine, clamp } => {
                    let (from, sum) = (self.read(place(*coarse))?, self.read(place(*fine))?);
                    self.maps[to] = Some(sum);
                    let clamp = clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
                    self.plan.steps.push(Step::Merge { from, to: sum, clamp });
                }
            }
        }
        let panel = self.plan.kernels.panel;
        for (head, source) in &self.graph.heads {
            let tile = self.plan.kernels.tile * head.outputs.next_multiple_of(BLOCK);
            self.plan.sizes.tile = self.plan.sizes.tile.max(tile);
            let from = self.read(place(*source))?;
            self.plan.heads.push(Head { panels: Panels::pointwise(head, panel), outputs: head.outputs, from });
        }
        if self.graph.heads.is_empty() {
            self.plan.result = self.read(self.graph.nodes.len())?;
        }
        Ok(self.plan)
    }

    /// Reads the map of a place that is computed already.
    fn read(&self, place: usize) -> Result<usize, ChainError> {
        self.maps[place].ok_or_else(|| ChainError::Mismatch(format!("nothing at place {place}")))
    }

    fn convolution(&mut self, layer: &Layer, from: usize, to: usize) -> Result<(), ChainError> {
        let nodes = &self.graph.nodes;
        // A depthwise layer before it that only it reads is computed along with it.
        let before = match from.checked_sub(1).map(|index| &nodes[index]) {
            Some(Node::Convolution(before, source)) if self.places.paired[from] => Some((before, place(*source))),
            _ => None,
        };
        let from = before.map_or(from, |(_, source)| source);
        let shape = self.places.shapes[from];
        let first = before.map_or(layer, |(before, _)| before);
        let pads = first.padding.resolve(first.kind, shape.height, shape.width);
        let by_lines = matches!(layer.kind, Kind::Square { .. });
        let map_read = if by_lines && from == 0 { self.plan.import } else { Some(self.read(from)?) };
        let target = self.map(to, to)?;
        let panel = self.plan.kernels.panel;
        let step = match layer.kind {
            Kind::Square { side, stride } => {
                let columns = shape.width + pads.left + pads.right;
                let len = columns
                    .checked_mul(shape.channels)
                    .filter(|&len| len < usize::MAX / 16)
                    .ok_or(ChainError::TooLarge)?;
                self.plan.sizes.lines = self.plan.sizes.lines.max(side * len);
                let from = map_read.filter(|_| from != 0);
                let lines = Lines { from, shape, pads, side, stride, len };
                Step::Convolve { lines, panels: Panels::square(layer, side, shape.channels, panel), to: target }
            }
            kind => {
                let from = map_read.ok_or(ChainError::Empty)?;
                let shape = outputs(first, shape, pads).ok_or(ChainError::TooLarge)?;
                let window = match first.kind {
                    Kind::Depthwise3x3 { stride, dilation } => Some(Window {
                        stride,
                        dilation,
                        width: shape.width,
                        height: shape.height,
                        origin: self.plan.maps[from].origin(pads),
                    }),
                    _ => None,
                };
                match (window, kind) {
                    (Some(window), Kind::Depthwise3x3 { .. }) => {
                        Step::Depthwise { window, taps: Taps::new(layer), from, to: target }
                    }
                    (Some(window), _) => {
                        let channels = shape.channels.next_multiple_of(BLOCK);
                        let tile = self.plan.kernels.tile;
                        let chunk = (CHUNK_BYTES / size_of::<f32>() / channels / tile * tile).max(tile);
                        let elements = chunk.min(shape.width * shape.height) * channels;
                        let mut panels = Panels::pointwise(layer, panel);
                        if self.plan.precision == Precision::Bf16 {
                            panels = panels.into_halves();
                            self.plan.sizes.halves = self.plan.sizes.halves.max(elements);
                        } else {
                            self.plan.sizes.scratch = self.plan.sizes.scratch.max(elements);
                        }
                        Step::Pair { window, taps: Taps::new(first), panels, chunk, from, to: target }
                    }
                    (None, _) => Step::Pointwise { panels: Panels::pointwise(layer, panel), from, to: target },
                }
            }
        };
        self.plan.steps.push(step);
        Ok(())
    }

    /// Returns a map for a place, in a slot that has its borders and whose last reader was before the node at `now`.
    fn map(&mut self, place: usize, now: usize) -> Result<usize, ChainError> {
        let Places { shapes, pads, last, summed, .. } = &self.places;
        let (shape, pads) = (shapes[place], summed[place].map_or(pads[place], |sum| pads[sum]));
        let last = summed[place].map_or(last[place], |sum| last[sum].max(last[place]));
        let mut map = Map::new(shape, pads).ok_or(ChainError::TooLarge)?;
        let ChainPlan { maps, sizes, .. } = &mut self.plan;
        let alike = |other: &&Map| {
            (other.blocks, other.pads) == (map.blocks, map.pads)
                && (other.shape.height, other.shape.width) == (shape.height, shape.width)
                && self.busy[other.slot] < now
        };
        map.slot = match maps.iter().find(alike) {
            Some(other) => other.slot,
            None => {
                sizes.slots.push(map.plane * map.blocks);
                self.busy.push(0);
                sizes.slots.len() - 1
            }
        };
        self.busy[map.slot] = last;
        maps.push(map);
        self.maps[place] = Some(maps.len() - 1);
        Ok(maps.len() - 1)
    }
}

impl Places {
    /// Checks everything that is given.
    fn new(graph: &Graph, input: Shape) -> Result<Self, ChainError> {
        let count = graph.nodes.len() + 1;
        let mut places = Self {
            shapes: vec![input],
            pads: vec![Pads::default(); count],
            readers: vec![0; count],
            last: vec![0; count],
            paired: vec![false; count],
            summed: vec![None; count],
        };
        for (index, node) in graph.nodes.iter().enumerate() {
            let shape = places.node(node, index)?;
            places.shapes.push(shape);
        }
        for (index, (head, source)) in graph.heads.iter().enumerate() {
            let number = graph.nodes.len() + index;
            places.layer(head, *source, number)?;
            if head.kind != Kind::Pointwise {
                return Err(ChainError::Layer(number, "is a head that is not pointwise".into()));
            }
            places.last[place(*source)] = usize::MAX;
        }
        if graph.heads.is_empty() {
            places.last[count - 1] = usize::MAX;
            places.readers[count - 1] += 1;
        }
        places.join(graph)?;
        Ok(places)
    }

    fn node(&mut self, node: &Node, index: usize) -> Result<Shape, ChainError> {
        let fault = |fault: String| Err(ChainError::Layer(index, fault));
        match node {
            Node::Convolution(layer, source) => self.layer(layer, *source, index),
            Node::Merge { coarse, fine, clamp } => {
                self.reads(*coarse, index, Pads::default())?;
                self.reads(*fine, index, Pads::default())?;
                let (small, large) = (self.shapes[place(*coarse)], self.shapes[place(*fine)]);
                if small.channels != large.channels {
                    return fault(format!("adds {} channels to {}", small.channels, large.channels));
                }
                let twice = |small: usize, large: usize| small.checked_mul(2) == Some(large);
                if !twice(small.height, large.height) || !twice(small.width, large.width) {
                    let Shape { height, width, .. } = large;
                    return fault(format!("adds {} x {} to {height} x {width}", small.height, small.width));
                }
                if let Some((low, high)) = clamp.filter(|(low, high)| !low.le(high)) {
                    return fault(format!("clamps to {low}..{high}"));
                }
                Ok(large)
            }
        }
    }

    /// Returns the shape that a layer makes.
    fn layer(&mut self, layer: &Layer, source: Source, index: usize) -> Result<Shape, ChainError> {
        let fault = |fault: String| Err(ChainError::Layer(index, fault));
        if let Some(wrong) = layer.fault() {
            return fault(wrong);
        }
        // Before anything is looked up by it.
        if place(source) >= self.shapes.len() {
            return fault("reads what comes after it".into());
        }
        let shape = self.shapes[place(source)];
        if layer.inputs != shape.channels {
            return fault(format!("reads {} channels of {}", layer.inputs, shape.channels));
        }
        let around = layer.padding.resolve(layer.kind, shape.height, shape.width);
        let Some(after) = outputs(layer, shape, around) else {
            return fault(format!("has no room in {} x {}", shape.height, shape.width));
        };
        // Lines are read one by one and get their zeros then.
        let by_lines = matches!(layer.kind, Kind::Square { .. });
        self.reads(source, index, if by_lines { Pads::default() } else { around })?;
        Ok(after)
    }

    fn reads(&mut self, source: Source, index: usize, pads: Pads) -> Result<(), ChainError> {
        let from = place(source);
        if from >= self.shapes.len() {
            return Err(ChainError::Layer(index, "reads what comes after it".into()));
        }
        self.readers[from] += 1;
        self.last[from] = self.last[from].max(index + 1);
        let own = &mut self.pads[from];
        *own = Pads {
            top: own.top.max(pads.top),
            left: own.left.max(pads.left),
            bottom: own.bottom.max(pads.bottom),
            right: own.right.max(pads.right),
        };
        Ok(())
    }

    /// Finds the pairs, and the maps whose place a sum takes.
    fn join(&mut self, graph: &Graph) -> Result<(), ChainError> {
        let convolution = |place: usize| match place.checked_sub(1).map(|index| &graph.nodes[index]) {
            Some(Node::Convolution(layer, source)) => Some((layer.kind, *source)),
            _ => None,
        };
        for (index, node) in graph.nodes.iter().enumerate() {
            match node {
                Node::Convolution(Layer { kind: Kind::Pointwise, .. }, source) => {
                    let from = place(*source);
                    if self.readers[from] == 1
                        && let Some((Kind::Depthwise3x3 { .. }, below)) = convolution(from)
                    {
                        self.paired[from] = true;
                        // What the depthwise layer reads is read only now.
                        let below = place(below);
                        self.last[below] = self.last[below].max(index + 1);
                    }
                }
                Node::Convolution(..) => {}
                Node::Merge { fine, .. } => {
                    let from = place(*fine);
                    if self.readers[from] != 1 || !matches!(convolution(from), Some((Kind::Pointwise, _))) {
                        let fault = "adds to what is not a pointwise layer of its own".into();
                        return Err(ChainError::Layer(index, fault));
                    }
                    self.summed[from] = Some(index + 1);
                }
            }
        }
        Ok(())
    }
}

/// Returns what a layer makes of an input with zeros around, if anything.
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
