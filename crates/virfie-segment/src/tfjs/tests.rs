#![allow(clippy::unwrap_used)]

mod engine;
mod malformed;
mod reference;
mod tiny;

use super::*;
use prost::Message;
use reference::Picture;
use tiny::{Storage, Tiny};

/// A side of 16k + 1 and another one.
const SIDES: (usize, usize) = (17, 33);

fn image() -> Picture {
    let values = (0..SIDES.0 * SIDES.1 * 3).map(|i| ((i * 37 % 101) as f32 / 50.0) - 1.0).collect();
    Picture { rows: SIDES.0, columns: SIDES.1, channels: 3, values }
}

fn onnx(tiny: &Tiny) -> Vec<u8> {
    to_onnx(&tiny.json(), &|path| tiny.shard(path)).unwrap()
}

fn assert_near(found: &[f32], expected: &[f32], head: &str) {
    assert_eq!(found.len(), expected.len(), "{head}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-4, "{head}[{i}]: {found} instead of {expected}");
    }
}

#[test]
fn the_converted_network_computes_what_the_original_does_in_every_storage_of_weights() {
    for storage in [Storage::Float, Storage::Half, Storage::Byte, Storage::Word] {
        let tiny = Tiny::new(storage);
        let image = image();
        let expected = tiny.run(&image);
        let found = engine::run(&onnx(&tiny), &image);
        let heads: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(heads, ["displacement_fwd", "part_offsets", "segments"]);
        for ((name, shape, values), expected) in found.iter().zip(&expected) {
            assert_eq!(*shape, [1, expected.rows, expected.columns, expected.channels], "{name}");
            assert_near(values, &expected.values, name);
        }
        // Not a comparison of zeros with zeros.
        assert!(expected.iter().all(|head| head.values.iter().any(|value| value.abs() > 0.05)), "{storage:?}");
    }
}

#[test]
fn the_file_says_what_goes_in_and_what_comes_out() {
    let model = tract_onnx::pb::ModelProto::decode(onnx(&Tiny::new(Storage::Float)).as_slice()).unwrap();
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 13));
    let stride = model.metadata_props.iter().find(|entry| entry.key == "output_stride").unwrap();
    assert_eq!(stride.value, "2");
    let graph = model.graph.unwrap();
    assert_eq!(graph.input.len(), 1);
    assert_eq!(graph.input[0].name, "image");
    let convs: Vec<_> = graph.node.iter().filter(|node| node.op_type == "Conv").collect();
    assert_eq!(convs.len(), 6);
    assert!(convs.iter().all(|conv| conv.input.len() == 3), "every bias is folded into its convolution");
    assert!(convs.iter().all(|conv| conv.attribute.iter().any(|a| a.name == "pads" && a.ints.len() == 4)));
    assert_eq!(graph.node.iter().filter(|node| node.op_type == "Transpose").count(), 4);
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let tiny = Tiny::new(Storage::Byte);
    assert_eq!(onnx(&tiny), onnx(&tiny));
}

#[test]
fn weights_may_lie_in_several_files_and_nodes_in_any_order() {
    let mut tiny = Tiny::new(Storage::Float);
    let whole = onnx(&tiny);
    tiny.split = Some(100);
    assert_eq!(whole, onnx(&tiny));
    let declared = shards(&tiny.json()).unwrap();
    assert_eq!(declared.paths, ["group1-shard1of2.bin", "group1-shard2of2.bin"]);
    assert_eq!(declared.bytes as usize, tiny.bytes().len());
    tiny.nodes.reverse();
    let image = image();
    let found = engine::run(&onnx(&tiny), &image);
    for ((name, _, values), expected) in found.iter().zip(&tiny.run(&image)) {
        assert_near(values, &expected.values, name);
    }
}

#[test]
fn pointwise_operations_and_padding_are_converted() {
    let mut tiny = Tiny::new(Storage::Float);
    let head = Picture { channels: 2, ..tiny.run(&image()).remove(0) };
    // (sigmoid(displacement) - 0.25) * 3 / per-channel (2, 4), bounded and with one row on top and one column left.
    tiny.node("squashed", "Sigmoid", &["MobilenetV1/displacement_fwd_2/BiasAdd"], &[]);
    tiny.float("quarter", &[], &[0.25]);
    tiny.float("three", &[1], &[3.0]);
    tiny.float("divisor", &[1, 1, 1, 2], &[2.0, 4.0]);
    tiny.float("least", &[], &[0.1]);
    tiny.float("most", &[], &[0.7]);
    tiny.int("edges", &[4, 2], &[0, 0, 1, 0, 1, 0, 0, 0]);
    tiny.node("moved", "Sub", &["squashed", "quarter:0"], &[]);
    tiny.node("scaled", "Mul", &["three", "moved"], &[]);
    tiny.node("divided", "RealDiv", &["scaled", "divisor", "^squashed"], &[]);
    tiny.node("bounded", "ClipByValue", &["divided", "least", "most"], &[]);
    tiny.node("extra", "Pad", &["bounded", "edges"], &[]);
    let found = engine::run(&onnx(&tiny), &image());
    let (_, shape, values) = found.iter().find(|(name, ..)| name == "extra").unwrap();
    assert_eq!(*shape, [1, head.rows + 1, head.columns + 1, 2]);
    let mut expected = vec![0.0; (head.rows + 1) * (head.columns + 1) * 2];
    for row in 0..head.rows {
        for column in 0..head.columns {
            for channel in 0..2 {
                let value = head.values[(row * head.columns + column) * 2 + channel];
                let squashed = 1.0 / (1.0 + (-value).exp());
                let divisor = [2.0, 4.0][channel];
                expected[((row + 1) * (head.columns + 1) + column + 1) * 2 + channel] =
                    ((squashed - 0.25) * 3.0 / divisor).clamp(0.1, 0.7);
            }
        }
    }
    assert_near(values, &expected, "extra");
    assert!(found.iter().any(|(name, ..)| name == "displacement_fwd"), "a head stays one when others take it");
}
