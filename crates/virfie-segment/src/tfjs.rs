//! TensorFlow.js graph models to ONNX: BodyPix's official weights exist only in the former format. PURE (of tract it
//! uses the ONNX message types alone).
//!
//! ```text
//!   model.json ─► topology (nodes) ──────────┐
//!             └─► manifest ─► weight files ─►├─► nodes NHWC -> NCHW ─► ONNX bytes
//!                             (dequantised)  ┘
//! ```
//! The result is an ONNX model (opset 13) with one input `image`, float `[1, height, width, 3]`, and one output per
//! head, float `[1, rows, columns, channels]`, sorted by name: `segments`, `part_heatmaps`, `heatmaps`, … (logits, as
//! the network gives them). It is transposed to NCHW once after the input and back before each head. What the input's
//! values mean is the network's business: BodyPix MobileNetV1 takes RGB as `x / 127.5 - 1`.
//!
//! **Input sides must be `16k + 1`** (257, 353, …). TensorFlow's `SAME` pads a strided convolution by the parity of
//! its input; for a side that is 1 more than a multiple of the network's stride it pads `dilation * (kernel - 1) / 2`
//! on both sides at every layer, and that is what is written here, as explicit pads: engines disagree about
//! `auto_pad` with dilation, and some refuse it.
//!
//! Every malformed input is a [`ConvertError`]; sizes are checked before anything is allocated. The same input gives
//! the same bytes.

mod convert;
mod emit;
mod topology;
mod weights;

use std::fmt;

use topology::ModelJson;

/// Largest `model.json` that is read: the official ones have 100 KB.
pub const MAX_JSON_BYTES: usize = 16 << 20;

/// Most bytes that all weight files together may have: the largest official network (float ResNet50) has 91 MB.
pub const MAX_WEIGHT_BYTES: u64 = 256 << 20;

/// The reason why a model cannot be converted. Each is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Not JSON, or not of a graph model's form.
    #[error("model.json: {0}")]
    Json(String),
    /// The graph does not hang together.
    #[error("graph: {0}")]
    Graph(String),
    /// One node is malformed, or does what cannot be converted.
    #[error("node {node} ({op}): {detail}")]
    Node {
        /// Its name.
        node: String,
        /// Its operation.
        op: String,
        /// The fault.
        detail: String,
    },
    /// The weights manifest is malformed, or the weight files do not fit it.
    #[error("weights: {0}")]
    Weights(String),
    /// A weight file was not available.
    #[error("weight file {path}: {detail}")]
    Shard {
        /// As the manifest names it.
        path: String,
        /// The error of the source.
        detail: String,
    },
}

/// The weight files that a model consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    /// Their paths in order, relative to `model.json`: plain, without `..`.
    pub paths: Vec<String>,
    /// Bytes of all together, as the manifest declares them.
    pub bytes: u64,
}

/// Reads which weight files `model.json` needs, to know before fetching them.
///
/// # Errors
/// [`ConvertError::Json`] and [`ConvertError::Weights`].
pub fn shards(model_json: &str) -> Result<Shards, ConvertError> {
    let model = ModelJson::read(model_json)?;
    let mut paths = Vec::new();
    let mut bytes = 0u64;
    for group in &model.weights_manifest {
        bytes += weights::group_bytes(group)?;
        paths.extend(group.paths.iter().cloned());
    }
    if bytes > MAX_WEIGHT_BYTES {
        return Err(ConvertError::Weights(format!("{bytes} bytes are declared, more than {MAX_WEIGHT_BYTES}")));
    }
    Ok(Shards { paths, bytes })
}

/// Converts a model. `shard` gives the content of a weight file by its path in the manifest, and is asked for each
/// file once, in order.
///
/// # Errors
/// One line that says what is wrong with the model and where.
pub fn to_onnx(model_json: &str, shard: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Vec<u8>, ConvertError> {
    let model = ModelJson::read(model_json)?;
    shards(model_json)?;
    let weights = weights::read(&model.weights_manifest, shard)?;
    convert::convert(&model.model_topology.node, &weights)
}

/// A name from the file, fit for one line of an error.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(80).flat_map(char::escape_debug).collect();
        write!(f, "`{shown}`{}", if self.0.chars().nth(80).is_some() { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests;
