//! The graph's operations, one after the other, to ONNX.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::{
    ConvertError, Shown,
    emit::{Attribute, Emitter, Side, value_info},
    topology::Node,
    weights::{Data, Tensor},
};

mod conv;
mod pointwise;

/// Name of the only input.
const INPUT: &str = "image";

/// Channels of the input when the graph does not say.
const COLOURS: usize = 3;

/// The result of a node.
#[derive(Clone)]
enum Value<'a> {
    /// Computed from the image.
    Picture(Picture),
    /// A weight.
    Const(&'a Tensor),
    /// Nothing that others may take.
    Nothing,
}

/// A value `[1, channels, rows, columns]` under this ONNX name, on a grid `stride` times coarser than the image.
#[derive(Clone)]
struct Picture {
    name: String,
    channels: usize,
    stride: i64,
}

struct Converter<'a> {
    nodes: &'a [Node],
    weights: &'a BTreeMap<String, Tensor>,
    /// For each node, the indices of its sources.
    sources: Vec<Vec<usize>>,
    /// Number of inputs of other nodes that take a node's result.
    uses: Vec<usize>,
    values: Vec<Value<'a>>,
    /// For a node whose result is a convolution that has no bias yet: where that was emitted.
    open_conv: BTreeMap<usize, usize>,
    emit: Emitter,
}

/// Converts nodes and their weights to an ONNX file.
pub(super) fn convert(nodes: &[Node], weights: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, ConvertError> {
    let sources = link(nodes)?;
    let mut uses = vec![0; nodes.len()];
    sources.iter().flatten().for_each(|source| uses[*source] += 1);
    let values = vec![Value::Nothing; nodes.len()];
    let mut converter =
        Converter { nodes, weights, sources, uses, values, open_conv: BTreeMap::new(), emit: Emitter::default() };
    for index in order(nodes, &converter.sources)? {
        converter.values[index] = converter.node(index)?;
    }
    converter.finish()
}

/// Resolves the names of every node's sources.
fn link(nodes: &[Node]) -> Result<Vec<Vec<usize>>, ConvertError> {
    let mut by_name = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'>' | b'\\');
        if node.name.is_empty() || node.name.len() > 500 || !node.name.bytes().all(known) {
            return Err(node.fault("is not a TensorFlow name"));
        }
        if by_name.insert(node.name.as_str(), index).is_some() {
            return Err(node.fault("is there twice"));
        }
    }
    let find = |node: &Node, name: &str| {
        by_name.get(name).copied().ok_or_else(|| node.fault(format!("takes {}, which is not there", Shown(name))))
    };
    nodes.iter().map(|node| node.sources()?.into_iter().map(|name| find(node, name)).collect()).collect()
}

/// Returns an order in which every node comes after its sources; among free ones, that of the file.
fn order(nodes: &[Node], sources: &[Vec<usize>]) -> Result<Vec<usize>, ConvertError> {
    let mut takers = vec![Vec::new(); nodes.len()];
    let mut waits: Vec<usize> = sources.iter().map(Vec::len).collect();
    for (index, sources) in sources.iter().enumerate() {
        sources.iter().for_each(|source| takers[*source].push(index));
    }
    let mut free: BinaryHeap<Reverse<usize>> =
        waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(index, _)| Reverse(index)).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(index)) = free.pop() {
        order.push(index);
        for taker in &takers[index] {
            waits[*taker] -= 1;
            if waits[*taker] == 0 {
                free.push(Reverse(*taker));
            }
        }
    }
    match waits.iter().position(|waits| *waits > 0) {
        Some(index) => Err(nodes[index].fault("waits for its own result")),
        None => Ok(order),
    }
}

impl<'a> Converter<'a> {
    fn node(&mut self, index: usize) -> Result<Value<'a>, ConvertError> {
        let node = &self.nodes[index];
        match node.op.as_str() {
            "NoOp" => Ok(Value::Nothing),
            "Const" => match self.weights.get(&node.name) {
                Some(tensor) => Ok(Value::Const(tensor)),
                None => Err(node.fault("is not in the weights manifest")),
            },
            "Placeholder" => self.input(index),
            "Identity" => self.source(index, 0),
            "Conv2D" => self.conv(index, false, false),
            "_FusedConv2D" => self.conv(index, false, true),
            "DepthwiseConv2dNative" => self.conv(index, true, false),
            "FusedDepthwiseConv2dNative" => self.conv(index, true, true),
            "BiasAdd" => self.binary(index, "Add"),
            "Add" | "AddV2" => self.binary(index, "Add"),
            "Sub" => self.binary(index, "Sub"),
            "Mul" => self.binary(index, "Mul"),
            "Div" | "RealDiv" => self.binary(index, "Div"),
            "Minimum" => self.binary(index, "Min"),
            "Maximum" => self.binary(index, "Max"),
            "Relu" => self.unary(index, "Relu"),
            "Relu6" => self.unary(index, "Relu6"),
            "Sigmoid" => self.unary(index, "Sigmoid"),
            "ClipByValue" => self.clip(index),
            "Pad" | "PadV2" => self.pad(index),
            _ => Err(node.fault("is an operation that cannot be converted")),
        }
    }

    fn input(&mut self, index: usize) -> Result<Value<'a>, ConvertError> {
        let node = &self.nodes[index];
        if self.nodes.iter().filter(|node| node.op == "Placeholder").count() > 1 {
            return Err(ConvertError::Graph("has more than one input".into()));
        }
        let channels = match node.shape("shape")?.as_deref() {
            None | Some([_, _, _, -1]) => COLOURS,
            Some([-1 | 1, _, _, channels @ 1..=64]) => *channels as usize,
            Some(shape) => return Err(node.fault(format!("has shape {shape:?}, not one picture in NHWC"))),
        };
        let name = self.name(index);
        self.emit.node("Transpose", &name, &[INPUT], &[("perm", Attribute::Ints(&[0, 3, 1, 2]))]);
        Ok(Value::Picture(Picture { name, channels, stride: 1 }))
    }

    /// Returns the ONNX name of a node's result. Heads have plain names; the prefix keeps others from meeting those.
    fn name(&self, index: usize) -> String {
        format!("nchw/{}", self.nodes[index].name)
    }

    /// Returns the ONNX name of a constant of a node. No TensorFlow name has a colon.
    fn part_name(&self, index: usize, part: &str) -> String {
        format!("nchw/{}:{part}", self.nodes[index].name)
    }

    fn source(&self, index: usize, input: usize) -> Result<Value<'a>, ConvertError> {
        match self.sources[index].get(input).map(|source| &self.values[*source]) {
            Some(Value::Nothing) => Err(self.nodes[index].fault(format!("input {input} has no value"))),
            Some(value) => Ok(value.clone()),
            None => Err(self.nodes[index].fault(format!("input {input} is missing"))),
        }
    }

    fn picture(&self, index: usize, input: usize) -> Result<Picture, ConvertError> {
        match self.source(index, input)? {
            Value::Picture(picture) => Ok(picture),
            _ => Err(self.nodes[index].fault(format!("input {input} is a constant, not computed from the image"))),
        }
    }

    fn floats(&self, index: usize, input: usize) -> Result<(&'a [usize], &'a [f32]), ConvertError> {
        match self.source(index, input)? {
            Value::Const(Tensor { shape, data: Data::Float(values) }) => Ok((shape, values)),
            _ => Err(self.nodes[index].fault(format!("input {input} is not a constant of floats"))),
        }
    }

    /// Returns a constant of one float.
    fn number(&self, index: usize, input: usize) -> Result<f32, ConvertError> {
        match self.floats(index, input)?.1 {
            [value] => Ok(*value),
            _ => Err(self.nodes[index].fault(format!("input {input} is not a single number"))),
        }
    }

    /// Writes the heads: every result of a picture that nobody takes, and those with a head's name.
    fn finish(mut self) -> Result<Vec<u8>, ConvertError> {
        if !self.nodes.iter().any(|node| node.op == "Placeholder") {
            return Err(ConvertError::Graph("has no input".into()));
        }
        let mut heads = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let Value::Picture(picture) = &self.values[index] else { continue };
            if node.op == "Placeholder" || (self.uses[index] > 0 && !named_as_head(&node.name)) {
                continue;
            }
            let head = head_name(&node.name);
            if head == INPUT || heads.insert(head, picture.clone()).is_some() {
                return Err(ConvertError::Graph(format!("has two values named {}", Shown(head))));
            }
        }
        if heads.is_empty() {
            return Err(ConvertError::Graph("has no output".into()));
        }
        let mut outputs = Vec::new();
        let mut output_stride = 0;
        for (head, Picture { name, channels, stride }) in &heads {
            self.emit.node("Transpose", head, &[name], &[("perm", Attribute::Ints(&[0, 2, 3, 1]))]);
            outputs
                .push(value_info(head, &[Side::Known(1), Side::Unknown, Side::Unknown, Side::Known(*channels as i64)]));
            output_stride = output_stride.max(*stride);
        }
        let input_channels = self.nodes.iter().zip(&self.values).find_map(|(node, value)| match value {
            Value::Picture(picture) if node.op == "Placeholder" => Some(picture.channels as i64),
            _ => None,
        });
        let sides = [
            Side::Known(1),
            Side::Named("height"),
            Side::Named("width"),
            input_channels.map_or(Side::Unknown, Side::Known),
        ];
        let metadata =
            [("output_stride", output_stride.to_string()), ("source", "TensorFlow.js graph model".to_owned())];
        Ok(self.emit.finish(vec![value_info(INPUT, &sides)], outputs, &metadata))
    }
}

/// The heads of BodyPix as TensorFlow names them: `float_segments`, `MobilenetV1/displacement_fwd_2/BiasAdd`, ….
const HEADS: [&str; 8] = [
    "displacement_bwd",
    "displacement_fwd",
    "heatmaps",
    "long_offsets",
    "part_heatmaps",
    "part_offsets",
    "segments",
    "short_offsets",
];

fn named_as_head(node: &str) -> bool {
    HEADS.contains(&head_name(node))
}

/// Returns the plain name of a head; that of the node for a head that BodyPix does not have.
fn head_name(node: &str) -> &str {
    let displacement = node.strip_suffix("_2/BiasAdd").map(|name| name.rsplit('/').next().unwrap_or(name));
    let plain = displacement.or_else(|| node.strip_prefix("float_")).unwrap_or(node);
    HEADS.iter().find(|head| **head == plain).copied().unwrap_or(node)
}
