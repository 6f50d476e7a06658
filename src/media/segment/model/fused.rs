//! An operator of ours in tract's graph: a whole chain of convolutions in one, run by [`super::super::chain`].
//!
//! Only networks that are one line of convolutions from the input to the heads can be fused (MobileNetV1 with
//! BodyPix's heads is); every other one stays as tract would run it.

use std::{collections::HashMap, sync::Arc};

use tract_onnx::{
    pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto},
    tract_core::{
        internal::*,
        plan::{EvalContext, LaneId},
    },
};

use crate::media::segment::chain::{Arena, Isa, Kind, Layer, Padding, Pads, Plan, Precision};

/// A network as a chain: the trunk and the heads on it that we may read.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    layers: Vec<Layer>,
    heads: Vec<(&'static str, Layer)>,
}

/// What a graph is looked up in.
struct Reader<'a> {
    weights: HashMap<&'a str, &'a TensorProto>,
    producers: HashMap<&'a str, &'a NodeProto>,
    input: &'a str,
}

impl Chain {
    /// Reads the line of convolutions that ends in the first of `heads`, and those of the others that stand on the
    /// same line; `None` when the graph is something else.
    pub(super) fn read(proto: &ModelProto, heads: &[&'static str]) -> Option<Self> {
        let graph = proto.graph.as_ref()?;
        let weights: HashMap<&str, &TensorProto> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let producers =
            graph.node.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect();
        let input = input_name(graph, &weights)?;
        let reader = Reader { weights, producers, input };
        let (&first, others) = heads.split_first()?;
        let (head, trunk) = reader.head(first)?;
        let layers = reader.line(trunk)?;
        let others = others.iter().filter_map(|&name| {
            let (head, below) = reader.head(name)?;
            (below == trunk).then_some((name, head))
        });
        let heads = std::iter::once((first, head)).chain(others).collect();
        (!layers.is_empty()).then_some(Self { layers, heads })
    }

    /// Whether it has all of these heads.
    pub(super) fn has(&self, heads: &[&str]) -> bool {
        heads.iter().all(|head| self.head(head).is_some())
    }

    fn head(&self, name: &str) -> Option<&Layer> {
        self.heads.iter().find(|(own, _)| *own == name).map(|(_, head)| head)
    }

    /// A graph of one node for inputs of `size` (width, height), with one output for each of `heads`.
    pub(super) fn graph(&self, heads: &[&str], size: (usize, usize), precision: Precision) -> TractResult<TypedModel> {
        let heads: Vec<Layer> = heads
            .iter()
            .map(|name| self.head(name).cloned().with_context(|| format!("no head {name} in the chain")))
            .collect::<TractResult<_>>()?;
        let plan = Plan::new(&self.layers, &heads, (size.1, size.0), Isa::best(), precision)?;
        let mut model = TypedModel::default();
        let source = model.add_source("image", f32::fact([1, size.1, size.0, 3]))?;
        let outputs = model.wire_node("chain", Fused { plan: Arc::new(plan) }, &[source])?;
        model.select_output_outlets(&outputs)?;
        Ok(model)
    }
}

impl<'a> Reader<'a> {
    /// The pointwise layer that makes the output `name`, and the tensor that it reads.
    fn head(&self, name: &'a str) -> Option<(Layer, &'a str)> {
        let mut name = name;
        let mut reshaped = false;
        loop {
            let node = self.producers.get(name)?;
            name = node.input.first()?;
            match node.op_type.as_str() {
                // From NCHW to NHWC.
                "Transpose" => {}
                "Reshape" => reshaped = true,
                "Conv" => {
                    let head = convolution(node, &self.weights, None)?;
                    // Of one channel, a reshape is the same as a transposition.
                    return (head.kind == Kind::Pointwise && (!reshaped || head.outputs == 1)).then_some((head, name));
                }
                _ => return None,
            }
        }
    }

    /// The convolutions from the input to the tensor `name`.
    fn line(&self, mut name: &'a str) -> Option<Vec<Layer>> {
        let mut layers = Vec::new();
        let mut clamp = None;
        while name != self.input {
            let node = self.producers.get(name)?;
            name = node.input.first()?;
            match node.op_type.as_str() {
                // From NHWC to NCHW.
                "Transpose" | "Reshape" if name == self.input => {}
                "Clip" if clamp.is_none() => clamp = Some(clip(node, &self.weights)?),
                "Relu" if clamp.is_none() => clamp = Some((0.0, f32::INFINITY)),
                "Conv" => layers.push(convolution(node, &self.weights, clamp.take())?),
                _ => return None,
            }
        }
        layers.reverse();
        clamp.is_none().then_some(layers)
    }
}

/// The one input that is not a weight.
fn input_name<'a>(graph: &'a GraphProto, weights: &HashMap<&str, &TensorProto>) -> Option<&'a str> {
    graph.input.iter().map(|input| input.name.as_str()).find(|name| !weights.contains_key(name))
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// A whole-number list attribute; all of `default` where it is left out.
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

/// Lower and upper bound: attributes before opset 11, inputs since.
fn clip(node: &NodeProto, weights: &HashMap<&str, &TensorProto>) -> Option<(f32, f32)> {
    let bound = |name: &str, index: usize, default: f32| match (attribute(node, name), node.input.get(index)) {
        (Some(attribute), _) => Some(attribute.f),
        (None, Some(input)) if !input.is_empty() => floats(weights.get(input.as_str())?)?.first().copied(),
        _ => Some(default),
    };
    Some((bound("min", 1, f32::NEG_INFINITY)?, bound("max", 2, f32::INFINITY)?))
}

fn convolution(node: &NodeProto, weights: &HashMap<&str, &TensorProto>, clamp: Option<(f32, f32)>) -> Option<Layer> {
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
        (3, 3, 1) if dilation == 1 => Kind::Conv3x3 { stride },
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
    Some(Layer { kind, inputs: per_group * group, outputs, weights: floats(kernel)?, bias, clamp, padding })
}

/// The operator. Clones share the packed weights.
#[derive(Clone)]
struct Fused {
    plan: Arc<Plan>,
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

/// What one stream's runs work in; kept from one to the next, so that nothing large is allocated per frame.
#[derive(Clone)]
struct Work {
    plan: Arc<Plan>,
    arena: Arena,
    outputs: Vec<Arc<Tensor>>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work({:?})", self.plan)
    }
}

impl Work {
    fn new(plan: Arc<Plan>) -> TractResult<Self> {
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
