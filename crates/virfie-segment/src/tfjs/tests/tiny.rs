//! A small network of BodyPix's kind, made here: as `model.json` with weight files, and as the numbers it computes.

use super::reference::{Conv, Picture, relu6};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The form in which weights are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Storage {
    Float,
    Half,
    Byte,
    Word,
}

pub(super) struct Weight {
    pub(super) manifest: Value,
    pub(super) bytes: Vec<u8>,
    /// The values that a reader gets back.
    pub(super) values: Vec<f32>,
}

pub(super) struct Tiny {
    storage: Storage,
    pub(super) nodes: Vec<Value>,
    pub(super) weights: Vec<(String, Weight)>,
    /// Cuts the weights into two files after so many bytes.
    pub(super) split: Option<usize>,
}

/// Returns a text attribute.
pub(super) fn text(text: &str) -> Value {
    json!({ "s": STANDARD.encode(text) })
}

/// Integers as the converter of TensorFlow writes them.
pub(super) fn ints(ints: &[i64]) -> Value {
    json!({ "list": { "i": ints.iter().map(i64::to_string).collect::<Vec<_>>() } })
}

fn noise(seed: usize, count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.45).collect()
}

impl Tiny {
    pub(super) fn new(storage: Storage) -> Self {
        let mut tiny = Self { storage, nodes: Vec::new(), weights: Vec::new(), split: None };
        let dims: Vec<Value> = [1, -1, -1, 3].iter().map(|size: &i64| json!({ "size": size.to_string() })).collect();
        tiny.node("sub_2", "Placeholder", &[], &[("shape", json!({ "shape": { "dim": dims } }))]);
        for (name, shape) in [
            ("stem/weights", [3usize, 3, 3, 4].as_slice()),
            ("stem/bias", &[4]),
            ("dw/weights", &[3, 3, 4, 1]),
            ("dw/bias", &[4]),
            ("pw/weights", &[1, 1, 4, 5]),
            ("pw/bias", &[5]),
            ("seg/weights", &[1, 1, 5, 1]),
            ("seg/bias", &[1]),
            ("off/weights", &[1, 1, 5, 2]),
            ("off/bias", &[2]),
            ("dis/weights", &[1, 1, 5, 2]),
            ("dis/bias", &[2]),
        ] {
            let count = shape.iter().product();
            let seed = tiny.weights.len() + 1;
            tiny.stored(name, shape, &noise(seed, count));
        }
        tiny.float("one", &[], &[1.0]);
        tiny.float("zero", &[], &[0.0]);

        let conv = |stride: i64, dilation: i64| {
            [
                ("padding", text("SAME")),
                ("data_format", text("NHWC")),
                ("strides", ints(&[1, stride, stride, 1])),
                ("dilations", ints(&[1, dilation, dilation, 1])),
            ]
        };
        let fused = |operations: &[&str]| {
            let list: Vec<String> = operations.iter().map(|operation| STANDARD.encode(operation)).collect();
            ("fused_ops", json!({ "list": { "s": list } }))
        };
        tiny.node("stem/conv", "Conv2D", &["sub_2", "stem/weights"], &conv(2, 1));
        tiny.node("stem/add", "BiasAdd", &["stem/conv", "stem/bias"], &[]);
        tiny.node("stem/relu", "Relu6", &["stem/add"], &[]);
        tiny.node("dw/conv", "DepthwiseConv2dNative", &["stem/relu:0", "dw/weights"], &conv(1, 2));
        tiny.node("dw/add", "AddV2", &["dw/conv", "dw/bias"], &[]);
        tiny.node("dw/relu", "Relu", &["dw/add"], &[]);
        let mut attributes = conv(1, 1).to_vec();
        attributes.push(fused(&["BiasAdd", "Relu6"]));
        tiny.node("pw/conv", "_FusedConv2D", &["dw/relu", "pw/weights", "pw/bias"], &attributes);
        tiny.node("pw", "Identity", &["pw/conv"], &[]);
        tiny.node("seg/conv", "Conv2D", &["pw", "seg/weights"], &conv(1, 1));
        tiny.node("float_segments", "BiasAdd", &["seg/conv", "seg/bias"], &[]);
        tiny.node("off/conv", "Conv2D", &["pw", "off/weights"], &conv(1, 1));
        tiny.node("add_1", "Add", &["off/conv", "off/bias"], &[]);
        tiny.node("off/least", "Minimum", &["add_1", "one"], &[]);
        tiny.node("float_part_offsets", "Maximum", &["off/least", "zero"], &[]);
        let mut attributes = conv(1, 1).to_vec();
        attributes.push(fused(&["BiasAdd"]));
        let head = "MobilenetV1/displacement_fwd_2/BiasAdd";
        tiny.node(head, "_FusedConv2D", &["pw", "dis/weights", "dis/bias"], &attributes);
        tiny
    }

    pub(super) fn node(&mut self, name: &str, op: &str, input: &[&str], attributes: &[(&str, Value)]) {
        let attr: serde_json::Map<String, Value> =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        self.nodes.push(json!({ "name": name, "op": op, "input": input, "attr": attr }));
    }

    /// A weight in the network's storage.
    fn stored(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let (scale, min) = match self.storage {
            Storage::Float => return self.float(name, shape, values),
            Storage::Half => (1.0 / 1024.0, 0.0),
            Storage::Byte => (1.0 / 255.0, -0.45),
            Storage::Word => (1.0 / 65535.0, -0.45),
        };
        let steps: Vec<i64> = values.iter().map(|value| ((f64::from(*value) - min) / scale).round() as i64).collect();
        let (dtype, bytes): (&str, Vec<u8>) = match self.storage {
            Storage::Byte => ("uint8", steps.iter().map(|step| *step as u8).collect()),
            Storage::Word => ("uint16", steps.iter().flat_map(|step| (*step as u16).to_le_bytes()).collect()),
            _ => ("float16", steps.iter().flat_map(|step| half_of_1024ths(*step).to_le_bytes()).collect()),
        };
        let quantization = match self.storage {
            Storage::Half => json!({ "dtype": dtype }),
            _ => json!({ "dtype": dtype, "scale": scale, "min": min }),
        };
        let values = steps.iter().map(|step| (*step as f64 * scale + min) as f32).collect();
        let manifest = json!({ "name": name, "shape": shape, "dtype": "float32", "quantization": quantization });
        self.constant(name, Weight { manifest, bytes, values });
    }

    pub(super) fn float(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let manifest = json!({ "name": name, "shape": shape, "dtype": "float32" });
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Weight { manifest, bytes, values: values.to_vec() });
    }

    pub(super) fn int(&mut self, name: &str, shape: &[usize], values: &[i32]) {
        let manifest = json!({ "name": name, "shape": shape, "dtype": "int32" });
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Weight { manifest, bytes, values: Vec::new() });
    }

    fn constant(&mut self, name: &str, weight: Weight) {
        self.node(name, "Const", &[], &[("dtype", json!({ "type": "DT_FLOAT" }))]);
        self.weights.push((name.to_owned(), weight));
    }

    pub(super) fn value(&self) -> Value {
        let manifest: Vec<&Value> = self.weights.iter().map(|(_, weight)| &weight.manifest).collect();
        let paths = match self.split {
            None => json!(["group1-shard1of1.bin"]),
            Some(_) => json!(["group1-shard1of2.bin", "group1-shard2of2.bin"]),
        };
        json!({
            "format": "graph-model",
            "modelTopology": { "node": self.nodes, "versions": {} },
            "weightsManifest": [{ "paths": paths, "weights": manifest }],
        })
    }

    pub(super) fn json(&self) -> String {
        self.value().to_string()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.weights.iter().flat_map(|(_, weight)| weight.bytes.clone()).collect()
    }

    pub(super) fn shard(&self, path: &str) -> Result<Vec<u8>, String> {
        let bytes = self.bytes();
        match (path, self.split) {
            ("group1-shard1of1.bin", None) => Ok(bytes),
            ("group1-shard1of2.bin", Some(at)) => Ok(bytes[..at].to_vec()),
            ("group1-shard2of2.bin", Some(at)) => Ok(bytes[at..].to_vec()),
            _ => Err("404".into()),
        }
    }

    /// Returns the heads by definition: displacement, part offsets, segments.
    pub(super) fn run(&self, image: &Picture) -> Vec<Picture> {
        let layer = |name: &str, side: usize, stride: usize, dilation: usize, depthwise: bool, input: &Picture| {
            let values =
                |part: &str| &self.weights.iter().find(|(n, _)| *n == format!("{name}/{part}")).unwrap().1.values;
            Conv { kernel: values("weights"), bias: values("bias"), side, stride, dilation, depthwise }.run(input)
        };
        let stem = layer("stem", 3, 2, 1, false, image).map(relu6);
        let dw = layer("dw", 3, 1, 2, true, &stem).map(|value| value.max(0.0));
        let pw = layer("pw", 1, 1, 1, false, &dw).map(relu6);
        vec![
            layer("dis", 1, 1, 1, false, &pw),
            layer("off", 1, 1, 1, false, &pw).map(|value| value.clamp(0.0, 1.0)),
            layer("seg", 1, 1, 1, false, &pw),
        ]
    }
}

/// Returns the half-precision bits of `step / 1024`, for steps below 1024 in size: exact, as those have 10 bits.
fn half_of_1024ths(step: i64) -> u16 {
    let sign = if step < 0 { 0x8000 } else { 0 };
    let size = step.unsigned_abs() as u16;
    if size == 0 {
        return sign;
    }
    let top = 15 - size.leading_zeros() as u16;
    // size / 1024 = 1.fraction * 2^(top - 10)
    let fraction = (size << (10 - top)) & 0x3ff;
    sign | (top + 5) << 10 | fraction
}
