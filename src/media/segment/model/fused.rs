//! An operator of ours in tract's graph: a whole chain of convolutions in one, run by [`super::super::chain`].
//!
//! Only networks that are one line of convolutions from the input to the head can be fused (MobileNetV1 with BodyPix's
//! heads is); every other one stays as tract would run it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tract_onnx::{
    pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto},
    tract_core::internal::*,
};

use crate::media::segment::chain::{Arena, Isa, Kind, Layer, Padding, Pads, Plan, Precision};

/// A network as a chain: the trunk and the head that we read.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    layers: Vec<Layer>,
    head: Layer,
}

impl Chain {
    /// Reads the line of convolutions that ends in `head`; `None` when the graph is something else.
    pub(super) fn read(proto: &ModelProto, head: &str) -> Option<Self> {
        let graph = proto.graph.as_ref()?;
        let weights: HashMap<&str, &TensorProto> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let producers: HashMap<&str, &NodeProto> =
            graph.node.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect();
        let input = input_name(graph, &weights)?;
        let mut layers = Vec::new();
        let (mut name, mut clamp) = (head, None);
        while name != input {
            let node = producers.get(name)?;
            name = node.input.first()?;
            match node.op_type.as_str() {
                // Between NCHW and NHWC, at either end; of one channel, a reshape is the same.
                "Transpose" | "Reshape" if layers.is_empty() || name == input => {}
                "Clip" if clamp.is_none() => clamp = Some(clip(node, &weights)?),
                "Relu" if clamp.is_none() => clamp = Some((0.0, f32::INFINITY)),
                "Conv" => layers.push(convolution(node, &weights, clamp.take())?),
                _ => return None,
            }
        }
        layers.reverse();
        let head = layers.pop().filter(|head| head.kind == Kind::Pointwise && head.outputs == 1)?;
        (!layers.is_empty() && clamp.is_none()).then_some(Self { layers, head })
    }

    /// A graph of one node for inputs of `size` (width, height).
    pub(super) fn graph(&self, size: (usize, usize)) -> TractResult<TypedModel> {
        let heads = std::slice::from_ref(&self.head);
        let plan = Plan::new(&self.layers, heads, (size.1, size.0), Isa::best(), Precision::F32)?;
        let mut model = TypedModel::default();
        let source = model.add_source("image", f32::fact([1, size.1, size.0, 3]))?;
        let fused = Fused { plan: Arc::new(plan), arenas: Arc::default() };
        let head = model.wire_node("chain", fused, &[source])?;
        model.select_output_outlets(&head)?;
        Ok(model)
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

/// The operator. Clones share the packed weights and the working memory.
#[derive(Clone)]
struct Fused {
    plan: Arc<Plan>,
    /// One for each run that is going on; they come back.
    arenas: Arc<Mutex<Vec<Arena>>>,
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
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let arenas = || self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        let input = args_1!(inputs);
        let [rows, columns, channels] = self.plan.output_shapes().next().context("a chain without outputs")?;
        let mut output = Tensor::zero::<f32>(&[1, rows, columns, channels])?;
        let mut arena = arenas().pop().unwrap_or_else(|| self.plan.arena());
        {
            let source = input.try_as_plain_ram()?;
            let mut target = output.try_as_plain_ram_mut()?;
            self.plan.run(&mut arena, source.as_slice::<f32>()?, &mut [target.as_slice_mut::<f32>()?])?;
        }
        arenas().push(arena);
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Fused {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.plan.output_shapes().map(|[rows, columns, channels]| f32::fact([1, rows, columns, channels])).collect())
    }

    as_op!();
}
