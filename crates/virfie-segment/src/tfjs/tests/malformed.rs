//! Files that are no models get an error that says why, and never a panic.

use super::{
    super::*,
    tiny::{Storage, Tiny, ints, text},
};
use serde_json::{Value, json};

fn tiny() -> Tiny {
    Tiny::new(Storage::Byte)
}

/// Returns the error of the tiny model after a change of its JSON.
fn error(change: impl FnOnce(&mut Value)) -> String {
    let tiny = tiny();
    let mut json = tiny.value();
    change(&mut json);
    let error = to_onnx(&json.to_string(), &|path| tiny.shard(path)).unwrap_err().to_string();
    assert!(!error.contains('\n') && error.len() < 1000, "{error}");
    error
}

fn node<'a>(json: &'a mut Value, name: &str) -> &'a mut Value {
    let nodes = json["modelTopology"]["node"].as_array_mut().unwrap();
    nodes.iter_mut().find(|node| node["name"] == name).unwrap()
}

#[test]
fn other_formats_and_broken_json_are_named() {
    for (text, part) in [
        ("", "model.json: "),
        ("{\"a\": 1", "model.json: "),
        ("[]", "model.json: "),
        ("{\"format\":\"layers-model\",\"modelTopology\":{},\"weightsManifest\":[]}", "`layers-model`"),
        ("{\"modelTopology\":{\"node\":[]},\"weightsManifest\":[]}", "0 nodes"),
    ] {
        let error = to_onnx(text, &|_| Err("none".into())).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// A change of the model's JSON.
type Change = Box<dyn FnOnce(&mut Value)>;

#[test]
fn a_wrong_graph_is_refused_where_it_is_wrong() {
    let cases: Vec<(&str, Change)> = vec![
        (
            "`stem/relu` (`Cumsum`): is an operation that cannot be",
            Box::new(|j| node(j, "stem/relu")["op"] = json!("Cumsum")),
        ),
        ("takes `nobody`, which is not there", Box::new(|j| node(j, "stem/relu")["input"] = json!(["nobody"]))),
        ("input 0 is missing", Box::new(|j| node(j, "stem/relu")["input"] = json!([]))),
        ("only a node's first output", Box::new(|j| node(j, "stem/relu")["input"] = json!(["stem/add:1"]))),
        ("waits for its own result", Box::new(|j| node(j, "stem/relu")["input"] = json!(["dw/relu"]))),
        ("is there twice", Box::new(|j| node(j, "stem/relu")["name"] = json!("stem/add"))),
        ("is not a TensorFlow name", Box::new(|j| node(j, "stem/relu")["name"] = json!("a\nb"))),
        ("padding is \"NEAR\"", Box::new(|j| node(j, "stem/conv")["attr"]["padding"] = text("NEAR"))),
        ("is not base64 text", Box::new(|j| node(j, "stem/conv")["attr"]["padding"] = json!({ "s": "%%" }))),
        ("not NHWC", Box::new(|j| node(j, "stem/conv")["attr"]["data_format"] = text("NCHW"))),
        ("strides are", Box::new(|j| node(j, "stem/conv")["attr"]["strides"] = ints(&[1, 0, 0, 1]))),
        ("strides are", Box::new(|j| node(j, "stem/conv")["attr"]["strides"] = ints(&[1, i64::MAX, 1, 1]))),
        ("has no strides", Box::new(|j| node(j, "stem/conv")["attr"] = json!({ "padding": text("SAME") }))),
        ("list of integers", Box::new(|j| node(j, "stem/conv")["attr"]["strides"] = json!({ "list": { "i": ["x"] } }))),
        ("dilations are", Box::new(|j| node(j, "stem/conv")["attr"]["dilations"] = ints(&[1, -1, -1, 1]))),
        ("not four sides", Box::new(|j| node(j, "stem/conv")["input"] = json!(["sub_2", "stem/bias"]))),
        ("for 3 channels", Box::new(|j| node(j, "stem/conv")["input"] = json!(["sub_2", "dw/weights"]))),
        ("neither one float nor", Box::new(|j| node(j, "stem/add")["input"] = json!(["stem/conv", "pw/bias"]))),
        ("takes constants only", Box::new(|j| node(j, "stem/add")["input"] = json!(["pw/bias", "pw/bias"]))),
        ("input 0 is a constant", Box::new(|j| node(j, "stem/relu")["input"] = json!(["pw/bias"]))),
        ("fuses \"Elu\"", Box::new(|j| node(j, "pw/conv")["attr"]["fused_ops"] = json!({ "list": { "s": ["RWx1"] } }))),
        (
            "not one picture in NHWC",
            Box::new(|j| node(j, "sub_2")["attr"]["shape"]["shape"]["dim"] = json!([{ "size": 4 }])),
        ),
        ("has no input", Box::new(|j| j["modelTopology"]["node"] = json!([{ "name": "a", "op": "NoOp" }]))),
        ("two values named `segments`", Box::new(|j| node(j, "float_part_offsets")["name"] = json!("segments"))),
    ];
    for (part, change) in cases {
        let error = error(change);
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[test]
fn weight_files_must_be_exactly_what_the_manifest_declares() {
    let tiny = tiny();
    let json = tiny.json();
    let declared = shards(&json).unwrap().bytes;
    let with = |bytes: Vec<u8>| to_onnx(&json, &|_| Ok(bytes.clone())).unwrap_err().to_string();
    let whole = tiny.bytes();
    assert!(with(whole[1..].to_vec()).contains(&format!("but the manifest declares {declared}")));
    assert!(with([whole, vec![0]].concat()).contains("more bytes than"));
    let error = to_onnx(&json, &|_| Err("HTTP 404".into())).unwrap_err();
    assert_eq!(error.to_string(), "weight file group1-shard1of1.bin: HTTP 404");
}

#[test]
fn a_manifest_cannot_ask_for_too_much_memory_or_other_files() {
    let weight = |json: &mut Value, key: &str, value: Value| json["weightsManifest"][0]["weights"][0][key] = value;
    for shape in
        [json!([1u64 << 40]), json!([u64::MAX, u64::MAX]), json!([1 << 20, 1 << 20]), json!([1, 1, 1, 1, 1, 1, 1])]
    {
        assert!(error(|j| weight(j, "shape", shape)).contains("too large"));
    }
    let many: Vec<Value> =
        (0..10).map(|i| json!({ "name": i.to_string(), "shape": [50 << 20], "dtype": "float32" })).collect();
    assert!(error(|j| j["weightsManifest"][0]["weights"] = json!(many)).contains("bytes are declared"));
    assert!(error(|j| weight(j, "dtype", json!("string"))).contains("`string`"));
    assert!(error(|j| weight(j, "shape", json!([-1]))).starts_with("model.json: "));
    assert!(error(|j| weight(j, "quantization", json!({ "dtype": "uint8" }))).contains("without finite scale"));
    for path in ["../../etc/passwd", "/etc/passwd", "https://example.org/x.bin", ""] {
        assert!(error(|j| j["weightsManifest"][0]["paths"] = json!([path])).contains("not a plain relative path"));
    }
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    let mut tiny = Tiny::new(Storage::Float);
    tiny.weights[0].1.bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = to_onnx(&tiny.json(), &|path| tiny.shard(path)).unwrap_err();
    assert_eq!(error.to_string(), "weights: `stem/weights`: has values that are not finite");
}

#[test]
fn one_weight_used_a_thousand_times_cannot_fill_the_memory() {
    let mut tiny = tiny();
    tiny.float("big", &[1, 1, 3, 1 << 20], &vec![0.5; 3 << 20]);
    for i in 0..1000 {
        let attributes = [("padding", text("VALID")), ("strides", ints(&[1, 1, 1, 1]))];
        tiny.node(&format!("conv{i}"), "Conv2D", &["sub_2", "big"], &attributes);
    }
    let error = to_onnx(&tiny.json(), &|path| tiny.shard(path)).unwrap_err();
    assert!(error.to_string().contains("its constants have more than"), "{error}");
}

#[test]
fn any_cut_or_flipped_byte_gives_a_model_or_an_error() {
    let tiny = tiny();
    let json = tiny.json();
    let step = 37;
    for at in (0..json.len()).step_by(step) {
        let mut bytes = json.clone().into_bytes();
        bytes[at] = bytes[at].wrapping_add(1 + (at / step % 7) as u8) & 0x7f;
        for text in [String::from_utf8(bytes).unwrap(), json[..at].to_owned()] {
            if let Err(error) = to_onnx(&text, &|path| tiny.shard(path)) {
                assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }
}
