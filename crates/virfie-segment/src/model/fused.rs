//! An operator of ours in tract's graph: a whole chain of convolutions in one, run by [`super::super::chain`].
//!
//! Networks of 3x3, 2x2 and pointwise convolutions that go down, and up again by doubling and adding, can be fused
//! (MobileNetV1 with BodyPix's heads and our own are such); every other one stays as tract would run it.

use std::{collections::HashMap, sync::Arc};

use tract_onnx::{
    pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto},
    tract_core::{
        internal::*,
        plan::{EvalContext, LaneId},
    },
};

use crate::chain::{Arena, ChainPlan, Graph, Isa, Kind, Layer, Node, Padding, Pads, Precision, Source};

#[cfg(test)]
mod tests;

/// A network as a chain, with those of its heads that we may read.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    graph: Graph,
    /// Of the graph's heads.
    names: Vec<&'static str>,
}

/// The meaning of a tensor of the file.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// A map.
    Map(Source),
    /// A map, in the order of an output (NHWC); whether by a reshape.
    Output(usize, bool),
    /// A map with every value twice in each direction.
    Twice(Source),
}

impl Chain {
    /// Reads what leads to those of `heads` that can be read; `None` when the first of them is not among these.
    pub(super) fn read(proto: &ModelProto, heads: &[&'static str]) -> Option<Self> {
        let graph = proto.graph.as_ref()?;
        let weights: HashMap<&str, &TensorProto> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let mut reader = Reader { values: HashMap::new(), readers: HashMap::new(), nodes: Vec::new(), weights };
        reader.values.insert(input_name(graph, &reader.weights)?, Value::Map(Source::Input));
        for name in graph.node.iter().flat_map(|node| &node.input) {
            *reader.readers.entry(name.as_str()).or_default() += 1;
        }
        // Nodes stand in an order in which they can be computed: ONNX asks for that.
        for node in &graph.node {
            if let ([output], Some(value)) = (node.output.as_slice(), reader.value(node)) {
                reader.values.insert(output, value);
            }
        }
        let found: Vec<_> = heads.iter().filter_map(|&name| Some((name, reader.head(name)?))).collect();
        if found.first().map(|(name, _)| name) != heads.first() || reader.nodes.is_empty() {
            return None;
        }
        let (names, heads) = found.into_iter().unzip();
        Some(Self { graph: Graph { nodes: reader.nodes, heads }, names })
    }

    /// Returns whether it has all of these heads.
    pub(super) fn has(&self, heads: &[&str]) -> bool {
        heads.iter().all(|head| self.names.contains(head))
    }

    /// Returns a graph of one node for inputs of `size` (width, height), with one output for each of `heads`.
    pub(super) fn graph(&self, heads: &[&str], size: (usize, usize), precision: Precision) -> TractResult<TypedModel> {
        let heads: Vec<usize> = heads
            .iter()
            .map(|name| self.names.iter().position(|own| own == name).with_context(|| format!("no head {name}")))
            .collect::<TractResult<_>>()?;
        let plan = ChainPlan::of(&self.graph.keeping(&heads), (size.1, size.0), Isa::best(), precision)?;
        let mut model = TypedModel::default();
        let source = model.add_source("image", f32::fact([1, size.1, size.0, 3]))?;
        let outputs = model.wire_node("chain", Fused { plan: Arc::new(plan) }, &[source])?;
        model.select_output_outlets(&outputs)?;
        Ok(model)
    }
}

/// The part of a file that has been read so far.
struct Reader<'a> {
    weights: HashMap<&'a str, &'a TensorProto>,
    /// Number of times that a tensor is read.
    readers: HashMap<&'a str, usize>,
    values: HashMap<&'a str, Value>,
    nodes: Vec<Node>,
}

impl<'a> Reader<'a> {
    fn push(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value::Map(Source::Node(self.nodes.len() - 1))
    }

    /// Returns what a node makes, if that is something of ours.
    fn value(&mut self, node: &'a NodeProto) -> Option<Value> {
        let name = node.input.first()?.as_str();
        let first = *self.values.get(name)?;
        match (node.op_type.as_str(), first) {
            // Between NHWC and NCHW.
            ("Transpose" | "Reshape", Value::Map(Source::Input)) => Some(first),
            ("Transpose", Value::Map(Source::Node(index))) => Some(Value::Output(index, false)),
            ("Reshape", Value::Map(Source::Node(index))) => Some(Value::Output(index, true)),
            ("Transpose", Value::Output(..)) => Some(first),
            ("Reshape", Value::Output(index, _)) => Some(Value::Output(index, true)),
            ("Conv", Value::Map(source)) => {
                let layer = convolution(node, &self.weights)?;
                Some(self.push(Node::Convolution(layer, source)))
            }
            ("Relu", Value::Map(source)) => self.clamped(name, source, (0.0, f32::INFINITY)),
            ("Clip", Value::Map(source)) => self.clamped(name, source, clip(node, &self.weights)?),
            ("Resize", Value::Map(source)) => doubles(node, &self.weights).then_some(Value::Twice(source)),
            ("Add", _) => match (first, *self.values.get(node.input.get(1)?.as_str())?) {
                (Value::Twice(coarse), Value::Map(fine)) | (Value::Map(fine), Value::Twice(coarse)) => {
                    Some(self.push(Node::Merge { coarse, fine, clamp: None }))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Bounds what the node before makes, if nobody else reads it and it has none.
    fn clamped(&mut self, name: &str, source: Source, bounds: (f32, f32)) -> Option<Value> {
        let Source::Node(index) = source else { return None };
        let (Node::Convolution(Layer { clamp, .. }, _) | Node::Merge { clamp, .. }) = self.nodes.get_mut(index)?;
        let alone = self.readers.get(name) == Some(&1) && clamp.is_none();
        alone.then(|| {
            *clamp = Some(bounds);
            Value::Map(source)
        })
    }

    /// Returns the pointwise layer that makes the output `name`, and what it reads.
    fn head(&self, name: &str) -> Option<(Layer, Source)> {
        let Value::Output(index, reshaped) = *self.values.get(name)? else { return None };
        let Node::Convolution(layer, source) = self.nodes.get(index)? else { return None };
        // Of one channel, a reshape is the same as a transposition.
        (layer.kind == Kind::Pointwise && (!reshaped || layer.outputs == 1)).then(|| (layer.clone(), *source))
    }
}

/// Returns whether a node of kind `Resize` repeats each value once to the right and once below.
fn doubles(node: &NodeProto, weights: &HashMap<&str, &TensorProto>) -> bool {
    let is = |name: &str, default: &str, wanted: &str| {
        attribute(node, name).map_or(default.as_bytes(), |attribute| attribute.s.as_slice()) == wanted.as_bytes()
    };
    let scales = node.input.get(2).and_then(|name| floats(weights.get(name.as_str())?));
    is("mode", "nearest", "nearest")
        && is("coordinate_transformation_mode", "half_pixel", "asymmetric")
        && is("nearest_mode", "round_prefer_floor", "floor")
        && scales.as_deref() == Some(&[1.0, 1.0, 2.0, 2.0])
}

/// Returns the one input that is not a weight.
fn input_name<'a>(graph: &'a GraphProto, weights: &HashMap<&str, &TensorProto>) -> Option<&'a str> {
    graph.input.iter().map(|input| input.name.as_str()).find(|name| !weights.contains_key(name))
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// Returns a whole-number list attribute; all of `default` where it is left out.
fn numbers(node: &NodeProto, name: &str, default: i64, count: usize) -> Option<Vec<usize>> {
    let given = attribute(node, name).map_or_else(|| vec![default; count], |attribute| attribute.ints.clone());
    (given.len() == count).then(|| given.into_iter().map(usize::try_from).collect::<Result<_, _>>().ok())?
}

fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    if !tensor.float_data.is_empty() {
        return Some(tensor.float_data.clone());
    }
    let bytes = tensor.raw_data.chunks_exact(4);
    bytes.remainder().is_empty().then(|| bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// Returns the lower and upper bound: attributes before opset 11, inputs since.
fn clip(node: &NodeProto, weights: &HashMap<&str, &TensorProto>) -> Option<(f32, f32)> {
    let bound = |name: &str, index: usize, default: f32| match (attribute(node, name), node.input.get(index)) {
        (Some(attribute), _) => Some(attribute.f),
        (None, Some(input)) if !input.is_empty() => floats(weights.get(input.as_str())?)?.first().copied(),
        _ => Some(default),
    };
    Some((bound("min", 1, f32::NEG_INFINITY)?, bound("max", 2, f32::INFINITY)?))
}

fn convolution(node: &NodeProto, weights: &HashMap<&str, &TensorProto>) -> Option<Layer> {
    let kernel = weights.get(node.input.get(1)?.as_str())?;
    let dims: Vec<usize> = kernel.dims.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>()?;
    let &[outputs, per_group, rows, columns] = dims.as_slice() else { return None };
    let group = attribute(node, "group").map_or(Some(1), |group| usize::try_from(group.i).ok())?;
    let (strides, dilations) = (numbers(node, "strides", 1, 2)?, numbers(node, "dilations", 1, 2)?);
    let (stride, dilation) = (strides[0], dilations[0]);
    if strides[1] != stride || dilations[1] != dilation {
        return None;
    }
    let kind = match (rows, columns, group) {
        (1, 1, 1) if stride == 1 => Kind::Pointwise,
        (2 | 3, _, 1) if columns == rows && dilation == 1 => Kind::Square { side: rows, stride },
        (3, 3, group) if group == outputs && per_group == 1 => Kind::Depthwise3x3 { stride, dilation },
        _ => return None,
    };
    let padding = match attribute(node, "auto_pad").map(|pad| pad.s.as_slice()).unwrap_or_default() {
        b"SAME_UPPER" => Padding::Same,
        b"VALID" => Padding::Explicit(Pads::default()),
        b"" | b"NOTSET" => {
            let pads = numbers(node, "pads", 0, 4)?;
            Padding::Explicit(Pads { top: pads[0], left: pads[1], bottom: pads[2], right: pads[3] })
        }
        _ => return None,
    };
    let bias = match node.input.get(2) {
        Some(bias) => floats(weights.get(bias.as_str())?)?,
        None => vec![0.0; outputs],
    };
    let weights = floats(kernel)?;
    Some(Layer { kind, inputs: per_group * group, outputs, weights, bias, clamp: None, padding })
}

/// The operator. Clones share the packed weights.
#[derive(Clone)]
struct Fused {
    plan: Arc<ChainPlan>,
}

impl std::fmt::Debug for Fused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fused({:?})", self.plan)
    }
}

impl PartialEq for Fused {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plan, &other.plan)
    }
}

impl Eq for Fused {}

impl Op for Fused {
    fn name(&self) -> StaticName {
        "VirfieFusedChain".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{:?}", self.plan)])
    }

    op_as_typed_op!();
}

impl EvalOp for Fused {
    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        Work::new(self.plan.clone())?.run(inputs).map(Some)
    }

    fn state(&self, _context: &EvalContext) -> TractResult<Option<Box<dyn OpState>>> {
        Ok(Some(Box::new(Work::new(self.plan.clone())?)))
    }
}

impl TypedOp for Fused {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.plan.output_shapes().map(|[rows, columns, channels]| f32::fact([1, rows, columns, channels])).collect())
    }

    as_op!();
}

/// The memory that one stream's runs work in; kept from one to the next, so that nothing large is allocated per frame.
#[derive(Clone)]
struct Work {
    plan: Arc<ChainPlan>,
    arena: Arena,
    outputs: Vec<Arc<Tensor>>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work({:?})", self.plan)
    }
}

impl Work {
    fn new(plan: Arc<ChainPlan>) -> TractResult<Self> {
        let outputs = plan
            .output_shapes()
            .map(|[rows, columns, channels]| Ok(Arc::new(Tensor::zero::<f32>(&[1, rows, columns, channels])?)))
            .collect::<TractResult<_>>()?;
        Ok(Self { arena: plan.arena(), plan, outputs })
    }

    fn run(&mut self, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        {
            // Shared only if somebody kept the last run's output.
            let outputs = self.outputs.iter_mut().map(Arc::make_mut);
            let mut views: TVec<_> = outputs.map(Tensor::try_as_plain_ram_mut).collect::<TractResult<_>>()?;
            let mut slices: TVec<_> =
                views.iter_mut().map(|view| view.as_slice_mut::<f32>()).collect::<TractResult<_>>()?;
            self.plan.run(&mut self.arena, input.try_as_plain_ram()?.as_slice::<f32>()?, &mut slices)?;
        }
        Ok(self.outputs.iter().cloned().map(IntoTValue::into_tvalue).collect())
    }
}

impl OpState for Work {
    fn eval(&mut self, _context: &EvalContext, _op: &dyn Op, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.run(inputs)
    }

    fn reset_lanes(&mut self, _lanes: &[LaneId]) -> TractResult<()> {
        Ok(()) // nothing is remembered from one run to the next
    }
}
