//! Weight files to tensors: joins the files of a group, cuts them by the manifest, undoes the quantisation.

use std::collections::BTreeMap;

use super::{
    ConvertError, MAX_WEIGHT_BYTES, Shown,
    topology::{Group, Weight},
};

/// Most values of all weights together, after dequantisation: 256 MiB of floats.
const MAX_VALUES: usize = 64 << 20;

/// Most dimensions of a weight.
const MAX_RANK: usize = 6;

/// A constant of the graph, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Float(Vec<f32>),
    Int(Vec<i32>),
}

/// The layout of values in the file.
#[derive(Clone, Copy)]
enum Stored {
    Float,
    Half,
    Int,
    Byte,
    Word,
}

impl Stored {
    fn bytes(self) -> u64 {
        match self {
            Self::Float | Self::Int => 4,
            Self::Half | Self::Word => 2,
            Self::Byte => 1,
        }
    }
}

/// Returns bytes that a group's files must have together.
pub(super) fn group_bytes(group: &Group) -> Result<u64, ConvertError> {
    if group.paths.is_empty() && !group.weights.is_empty() {
        return Err(ConvertError::Weights("a group has weights and no files".into()));
    }
    if let Some(path) = group.paths.iter().find(|path| !plain(path)) {
        return Err(ConvertError::Weights(format!("{} is not a plain relative path", Shown(path))));
    }
    let mut bytes = 0u64;
    for weight in &group.weights {
        bytes += stored(weight)?.bytes() * count(weight)? as u64;
        if bytes > MAX_WEIGHT_BYTES {
            return Err(ConvertError::Weights(format!("more than {MAX_WEIGHT_BYTES} bytes are declared")));
        }
    }
    Ok(bytes)
}

/// Reads all weights, by name.
pub(super) fn read(
    groups: &[Group],
    shard: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<BTreeMap<String, Tensor>, ConvertError> {
    let mut total = 0usize;
    for weight in groups.iter().flat_map(|group| &group.weights) {
        total += count(weight)?;
        if total > MAX_VALUES {
            return Err(ConvertError::Weights(format!("more than {MAX_VALUES} values are declared")));
        }
    }
    let mut tensors = BTreeMap::new();
    for group in groups {
        let declared = group_bytes(group)?;
        let mut bytes = Vec::new();
        for path in &group.paths {
            let content = shard(path).map_err(|detail| ConvertError::Shard { path: path.clone(), detail })?;
            if bytes.len() as u64 + content.len() as u64 > declared {
                let over = format!("more bytes than the {declared} that the manifest declares");
                return Err(ConvertError::Shard { path: path.clone(), detail: over });
            }
            bytes.extend_from_slice(&content);
        }
        if (bytes.len() as u64) < declared {
            let files = group.paths.join(", ");
            let short = format!("{} bytes in {files}, but the manifest declares {declared}", bytes.len());
            return Err(ConvertError::Weights(short));
        }
        let mut rest = bytes.as_slice();
        for weight in &group.weights {
            // Cannot run over: the group's size is the sum of these.
            let (own, after) = rest.split_at(count(weight)? * stored(weight)?.bytes() as usize);
            rest = after;
            if tensors.insert(weight.name.clone(), decode(weight, own)?).is_some() {
                return Err(ConvertError::Weights(format!("{} is there twice", Shown(&weight.name))));
            }
        }
    }
    Ok(tensors)
}

fn decode(weight: &Weight, bytes: &[u8]) -> Result<Tensor, ConvertError> {
    let fault = |detail: &str| ConvertError::Weights(format!("{}: {detail}", Shown(&weight.name)));
    let (scale, min) = match &weight.quantization {
        Some(quantization) if quantization.dtype != "float16" => match (quantization.scale, quantization.min) {
            (Some(scale), Some(min)) if scale.is_finite() && min.is_finite() => (scale, min),
            _ => return Err(fault("quantised without finite scale and min")),
        },
        _ => (1.0, 0.0),
    };
    let restore = |stored: f64| stored * scale + min;
    let data = match stored(weight)? {
        Stored::Int => Data::Int(bytes.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()),
        Stored::Float => Data::Float(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
        Stored::Half => Data::Float(bytes.as_chunks().0.iter().map(|bytes| half(u16::from_le_bytes(*bytes))).collect()),
        Stored::Byte => quantised(weight, bytes.iter().map(|byte| restore(f64::from(*byte)))),
        Stored::Word => {
            let words = bytes.as_chunks().0.iter().map(|bytes| f64::from(u16::from_le_bytes(*bytes)));
            quantised(weight, words.map(restore))
        }
    };
    if let Data::Float(values) = &data
        && !values.iter().all(|value| value.is_finite())
    {
        return Err(fault("has values that are not finite"));
    }
    Ok(Tensor { shape: weight.shape.iter().map(|side| *side as usize).collect(), data })
}

fn quantised(weight: &Weight, values: impl Iterator<Item = f64>) -> Data {
    if weight.dtype == "int32" {
        Data::Int(values.map(|value| value.round() as i32).collect())
    } else {
        Data::Float(values.map(|value| value as f32).collect())
    }
}

fn stored(weight: &Weight) -> Result<Stored, ConvertError> {
    let quantised = weight.quantization.as_ref().map(|quantization| quantization.dtype.as_str());
    match (weight.dtype.as_str(), quantised) {
        ("float32", None) => Ok(Stored::Float),
        ("int32", None) => Ok(Stored::Int),
        ("float32", Some("float16")) => Ok(Stored::Half),
        ("float32" | "int32", Some("uint8")) => Ok(Stored::Byte),
        ("float32" | "int32", Some("uint16")) => Ok(Stored::Word),
        (dtype, None) => {
            Err(ConvertError::Weights(format!("{} has type {}, not known here", Shown(&weight.name), Shown(dtype))))
        }
        (dtype, Some(quantised)) => Err(ConvertError::Weights(format!(
            "{} has type {} stored as {}, not known here",
            Shown(&weight.name),
            Shown(dtype),
            Shown(quantised)
        ))),
    }
}

/// Returns the number of values of a weight; a shape without dimensions is one value.
fn count(weight: &Weight) -> Result<usize, ConvertError> {
    let product = weight.shape.iter().try_fold(1u64, |product, side| product.checked_mul(*side));
    match product {
        Some(count) if weight.shape.len() <= MAX_RANK && count <= MAX_VALUES as u64 => Ok(count as usize),
        _ => Err(ConvertError::Weights(format!("the shape of {} is too large", Shown(&weight.name)))),
    }
}

/// Returns whether a path is relative, stays below its folder, and means the same in a URL and a file system.
fn plain(path: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    path.len() <= 200
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && part.bytes().all(known))
}

/// Turns IEEE 754 half precision to single.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_exactly() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0, 0.0)]
        {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }

    #[test]
    fn only_plain_relative_paths_are_taken() {
        assert!(plain("group1-shard1of1.bin") && plain("w/a_b.bin"));
        for path in ["", "/etc/passwd", "../x", "a/../../b", "a//b", "http://x/y", "a?b", "a b", "a\\b", "./a", "a%2e"]
        {
            assert!(!plain(path), "{path}");
        }
    }
}
