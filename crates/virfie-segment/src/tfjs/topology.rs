//! `model.json` as it is written: nodes, their attributes, and the weights manifest.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{ConvertError, MAX_JSON_BYTES, Shown};

/// More nodes than this are no network of this kind; the official ones have 250.
const MAX_NODES: usize = 20_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelJson {
    #[serde(default)]
    format: Option<String>,
    pub(super) model_topology: Topology,
    pub(super) weights_manifest: Vec<Group>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Topology {
    #[serde(default)]
    pub(super) node: Vec<Node>,
}

/// One operation of the graph.
#[derive(Debug, Deserialize)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) op: String,
    #[serde(default)]
    pub(super) input: Vec<String>,
    #[serde(default)]
    attr: BTreeMap<String, Value>,
}

/// Weight files whose bytes, one after the other, are the weights, one after the other.
#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub(super) paths: Vec<String>,
    pub(super) weights: Vec<Weight>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Weight {
    pub(super) name: String,
    pub(super) shape: Vec<u64>,
    pub(super) dtype: String,
    #[serde(default)]
    pub(super) quantization: Option<Quantization>,
}

/// The way that weights are stored in fewer bytes: `value = stored * scale + min`.
#[derive(Debug, Deserialize)]
pub(super) struct Quantization {
    pub(super) dtype: String,
    #[serde(default)]
    pub(super) min: Option<f64>,
    #[serde(default)]
    pub(super) scale: Option<f64>,
}

impl ModelJson {
    pub(super) fn read(text: &str) -> Result<Self, ConvertError> {
        if text.len() > MAX_JSON_BYTES {
            return Err(ConvertError::Json(format!("longer than {MAX_JSON_BYTES} bytes")));
        }
        let model: Self = serde_json::from_str(text).map_err(|error| {
            let line: String = error.to_string().chars().flat_map(char::escape_debug).take(300).collect();
            ConvertError::Json(line)
        })?;
        if let Some(format) = model.format.as_deref().filter(|format| *format != "graph-model") {
            return Err(ConvertError::Json(format!("format is {}, not `graph-model`", Shown(format))));
        }
        let nodes = model.model_topology.node.len();
        if nodes == 0 || nodes > MAX_NODES {
            return Err(ConvertError::Json(format!("modelTopology.node has {nodes} nodes, not 1 to {MAX_NODES}")));
        }
        Ok(model)
    }
}

impl Node {
    /// Returns an error at this node.
    pub(super) fn fault(&self, detail: impl Into<String>) -> ConvertError {
        ConvertError::Node {
            node: Shown(&self.name).to_string(),
            op: Shown(&self.op).to_string(),
            detail: detail.into(),
        }
    }

    /// Returns names of the nodes whose results this one takes. Control edges (`^name`) say nothing about values.
    pub(super) fn sources(&self) -> Result<Vec<&str>, ConvertError> {
        let data = self.input.iter().filter(|input| !input.starts_with('^'));
        data.map(|input| match input.split_once(':') {
            None => Ok(input.as_str()),
            Some((name, "0")) => Ok(name),
            Some(_) => Err(self.fault(format!("takes {}: only a node's first output is known", Shown(input)))),
        })
        .collect()
    }

    /// Returns a text attribute. It is stored as base64, or as a list of bytes.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConvertError> {
        self.attr.get(key).and_then(|value| value.get("s")).map(|value| self.decode(key, value)).transpose()
    }

    /// Returns a list of texts; absent is empty.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ConvertError> {
        let list = self.attr.get(key).and_then(|value| value.pointer("/list/s"));
        match list {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| self.decode(key, item)).collect(),
            Some(_) => Err(self.fault(format!("attribute {key} is not a list"))),
        }
    }

    /// Returns a list of integers, which are stored as texts or numbers; `None` when absent or empty.
    pub(super) fn ints(&self, key: &str) -> Result<Option<Vec<i64>>, ConvertError> {
        let Some(list) = self.attr.get(key).and_then(|value| value.pointer("/list/i")) else {
            return Ok(None);
        };
        let wrong = || self.fault(format!("attribute {key} is not a list of integers"));
        let items = list.as_array().ok_or_else(wrong)?;
        let ints: Option<Vec<i64>> = items.iter().map(integer).collect();
        Ok(Some(ints.ok_or_else(wrong)?).filter(|ints| !ints.is_empty()))
    }

    /// Returns the dimensions of a shape attribute, -1 for unknown ones; `None` when absent or of unknown rank.
    pub(super) fn shape(&self, key: &str) -> Result<Option<Vec<i64>>, ConvertError> {
        let Some(shape) = self.attr.get(key).and_then(|value| value.get("shape")) else { return Ok(None) };
        let Some(Value::Array(dims)) = shape.get("dim") else { return Ok(None) };
        let sizes: Option<Vec<i64>> = dims.iter().map(|dim| dim.get("size").map_or(Some(-1), integer)).collect();
        sizes.map(Some).ok_or_else(|| self.fault(format!("attribute {key} is not a shape")))
    }

    fn decode(&self, key: &str, value: &Value) -> Result<String, ConvertError> {
        let bytes = match value {
            Value::String(text) => STANDARD.decode(text).ok(),
            Value::Array(items) => {
                items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
            }
            _ => None,
        };
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| self.fault(format!("attribute {key} is not base64 text")))
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}
