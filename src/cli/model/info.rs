//! `info`: what an ONNX file takes and gives, found out by letting tract lay it out for one input.

use std::{collections::HashSet, fmt, panic, path::Path};

use prost::Message as _;
use tract_onnx::{pb, prelude::*};

use crate::{
    error::ProgramError,
    media::segment::{
        grid::Alignment,
        model::{EMBEDDED_FILE, ModelSource, UnknownGrid, alignment},
    },
};

use super::store::read_limited;

/// Returns the side of the square input for which shapes are worked out, as the network wants it.
fn side(alignment: Alignment) -> usize {
    match alignment {
        Alignment::Ends => 257,
        Alignment::Cells => 256,
    }
}

/// The findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    /// Name and shape of the input, `?` for sides that are free.
    pub(super) input: (String, Vec<String>),
    /// Side of the square input that the shapes of the heads are for.
    pub(super) side: usize,
    /// Name and shape of every output for it.
    pub(super) heads: Vec<(String, Vec<usize>)>,
    /// Pixels of the input per value of the `segments` head (of the first head in a model without one).
    pub(super) stride: usize,
    /// Numbers that were learnt.
    pub(super) weights: usize,
    /// Of the file.
    pub(super) bytes: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "size        {} bytes", self.bytes)?;
        writeln!(f, "weights     {}", self.weights)?;
        writeln!(f, "stride      {}", self.stride)?;
        writeln!(f, "input       {} [{}]", self.input.0, self.input.1.join(", "))?;
        write!(f, "heads       for a {0}x{0} input", self.side)?;
        for (name, shape) in &self.heads {
            write!(f, "\n            {name:<18} {shape:?}")?;
        }
        Ok(())
    }
}

/// Looks at a file.
pub(super) fn of_file(file: &Path) -> Result<Report, ProgramError> {
    let wrong = |error: &dyn fmt::Display| ProgramError::Usage(format!("{}: {error}", file.display()));
    let bytes = match ModelSource::of(file) {
        ModelSource::Embedded => EMBEDDED_FILE.to_vec(),
        ModelSource::File(file) => read_limited(&file).map_err(|error| wrong(&error))?,
    };
    of_bytes(&bytes).map_err(|error| wrong(&error))
}

/// The reason why a file is no network of ours, in one line: the fault of who made it.
#[derive(Debug, thiserror::Error)]
pub(super) enum InfoError {
    #[error("is not an ONNX file")]
    NotOnnx,
    #[error("is not an ONNX model: it has no graph")]
    NoGraph,
    #[error("does not have one input")]
    Inputs,
    #[error("its input has shape [{0}], not one picture in NHWC")]
    Input(String),
    #[error("its output {0:?} is made by nothing")]
    Unmade(String),
    #[error(transparent)]
    Grid(#[from] UnknownGrid),
    #[error("is not a model that tract can run")]
    Panicked,
    /// In the words of tract.
    #[error("{}", one_line(.0))]
    Refused(#[from] TractError),
    #[error("has no output")]
    NoOutput,
    #[error("its output {0:?} has shape {1:?}, not a picture in NHWC")]
    Output(String, Vec<usize>),
}

/// Looks at a file's content.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Report, InfoError> {
    let model = pb::ModelProto::decode(bytes).map_err(|_| InfoError::NotOnnx)?;
    let graph = model.graph.as_ref().ok_or(InfoError::NoGraph)?;
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut inputs = graph.input.iter().filter(|input| !constants.contains(input.name.as_str()));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(InfoError::Inputs);
    };
    let sides = shape(input);
    let channels = match sides.as_slice() {
        [_, _, _, Some(channels @ 1..=64)] => *channels as usize,
        _ => return Err(InfoError::Input(shown(&sides).join(", "))),
    };
    // tract takes these for granted.
    let made: HashSet<&str> = graph.node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
    if let Some(head) = graph.output.iter().find(|head| !made.contains(head.name.as_str())) {
        return Err(InfoError::Unmade(head.name.clone()));
    }
    let alignment = alignment(&model)?;
    let side = side(alignment);
    let heads = panic::catch_unwind(|| heads(&model, channels, side)).map_err(|_| InfoError::Panicked)??;
    let main = heads.iter().find(|(name, _)| name == "segments").or(heads.first()).ok_or(InfoError::NoOutput)?;
    let stride = match main.1.as_slice() {
        [1, rows, _, _] if *rows >= 2 => match alignment {
            Alignment::Ends => (side - 1) / (rows - 1),
            Alignment::Cells => side / rows,
        },
        other => return Err(InfoError::Output(main.0.clone(), other.to_vec())),
    };
    let count = |tensor: &pb::TensorProto| {
        tensor.dims.iter().fold(1usize, |count, side| count.saturating_mul(usize::try_from(*side).unwrap_or(0)))
    };
    let float = pb::tensor_proto::DataType::Float as i32;
    Ok(Report {
        input: (input.name.clone(), shown(&sides)),
        side,
        stride,
        weights: graph
            .initializer
            .iter()
            .filter(|tensor| tensor.data_type == float)
            .map(count)
            .fold(0, usize::saturating_add),
        bytes: bytes.len(),
        heads,
    })
}

fn heads(model: &pb::ModelProto, channels: usize, side: usize) -> TractResult<Vec<(String, Vec<usize>)>> {
    let typed = tract_onnx::onnx()
        .model_for_proto_model(model)?
        .with_input_fact(0, f32::fact([1, side, side, channels]).into())?
        .into_typed()?
        .into_decluttered()?;
    let names = model.graph.iter().flat_map(|graph| &graph.output).map(|output| output.name.clone());
    names
        .enumerate()
        .map(|(index, name)| {
            let shape = &typed.output_fact(index)?.shape;
            let sides =
                shape.as_concrete().ok_or_else(|| TractError::msg(format!("the shape of {name:?} is not fixed")))?;
            Ok((name, sides.to_vec()))
        })
        .collect()
}

/// Returns the declared shape of an input; `None` for free sides.
fn shape(value: &pb::ValueInfoProto) -> Vec<Option<i64>> {
    let Some(pb::type_proto::Value::TensorType(tensor)) = value.r#type.as_ref().and_then(|of| of.value.as_ref()) else {
        return Vec::new();
    };
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    dims.iter()
        .map(|dim| match &dim.value {
            Some(pb::tensor_shape_proto::dimension::Value::DimValue(side)) => Some(*side),
            _ => None,
        })
        .collect()
}

fn shown(sides: &[Option<i64>]) -> Vec<String> {
    sides.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect()
}

/// Returns an error with its causes, each cause's first line.
fn one_line(error: &TractError) -> String {
    let causes = error.chain().map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned());
    causes.collect::<Vec<_>>().join(": ")
}
