//! Writes ONNX messages: nodes, initializers, the model around them.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

use super::{ConvertError, MAX_WEIGHT_BYTES};

/// ONNX operator set and file version: old enough for every engine of today.
const OPSET: i64 = 13;
const IR_VERSION: i64 = 8;

/// A graph under construction.
#[derive(Default)]
pub(super) struct Emitter {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    bytes: u64,
}

/// An attribute's value.
pub(super) enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Text(&'a str),
}

/// One side of a shape.
pub(super) enum Side {
    Known(i64),
    Named(&'static str),
    Unknown,
}

impl Emitter {
    /// Appends an operation; its only result has the name of the node. Returns its place for [`Self::node_mut`].
    pub(super) fn node(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> usize {
        self.nodes.push(NodeProto {
            name: name.to_owned(),
            op_type: op.to_owned(),
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![name.to_owned()],
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            ..NodeProto::default()
        });
        self.nodes.len() - 1
    }

    /// Returns an operation that was appended before.
    pub(super) fn node_mut(&mut self, index: usize) -> &mut NodeProto {
        &mut self.nodes[index]
    }

    /// Adds constant floats.
    pub(super) fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> Result<(), ConvertError> {
        let raw = self.raw(values.len() as u64 * 4, values.iter().flat_map(|value| value.to_le_bytes()))?;
        self.initializer(name, dims, DataType::Float, raw);
        Ok(())
    }

    /// Adds a constant list of integers.
    pub(super) fn ints(&mut self, name: &str, values: &[i64]) -> Result<(), ConvertError> {
        let raw = self.raw(values.len() as u64 * 8, values.iter().flat_map(|value| value.to_le_bytes()))?;
        self.initializer(name, &[values.len()], DataType::Int64, raw);
        Ok(())
    }

    fn initializer(&mut self, name: &str, dims: &[usize], data_type: DataType, raw_data: Vec<u8>) {
        self.initializers.push(TensorProto {
            name: name.to_owned(),
            dims: dims.iter().map(|side| *side as i64).collect(),
            data_type: data_type as i32,
            raw_data,
            ..TensorProto::default()
        });
    }

    /// Collects bytes within the file's limit: a hostile graph may use one weight a thousand times.
    fn raw(&mut self, count: u64, bytes: impl Iterator<Item = u8>) -> Result<Vec<u8>, ConvertError> {
        self.bytes += count;
        if self.bytes > MAX_WEIGHT_BYTES {
            return Err(ConvertError::Graph(format!("its constants have more than {MAX_WEIGHT_BYTES} bytes")));
        }
        Ok(bytes.collect())
    }

    /// Returns the finished file.
    pub(super) fn finish(
        self,
        inputs: Vec<ValueInfoProto>,
        outputs: Vec<ValueInfoProto>,
        metadata: &[(&str, String)],
    ) -> Vec<u8> {
        let entry =
            |(key, value): &(&str, String)| StringStringEntryProto { key: (*key).to_owned(), value: value.clone() };
        let graph = GraphProto {
            name: "segmentation".to_owned(),
            node: self.nodes,
            initializer: self.initializers,
            input: inputs,
            output: outputs,
            ..GraphProto::default()
        };
        let model = ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            producer_name: "virfie".to_owned(),
            graph: Some(graph),
            metadata_props: metadata.iter().map(entry).collect(),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }
}

/// Returns the declaration of a float input or output.
pub(super) fn value_info(name: &str, shape: &[Side]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|side| Dimension {
            value: match side {
                Side::Known(size) => Some(dimension::Value::DimValue(*size)),
                Side::Named(name) => Some(dimension::Value::DimParam((*name).to_owned())),
                Side::Unknown => None,
            },
            ..Dimension::default()
        })
        .collect();
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(r#type), ..ValueInfoProto::default() }
}

fn attribute(name: &str, value: &Attribute<'_>) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attribute::Int(value) => {
            proto.r#type = AttributeType::Int as i32;
            proto.i = *value;
        }
        Attribute::Ints(values) => {
            proto.r#type = AttributeType::Ints as i32;
            proto.ints = values.to_vec();
        }
        Attribute::Text(value) => {
            proto.r#type = AttributeType::String as i32;
            proto.s = value.as_bytes().to_vec();
        }
    }
    proto
}
