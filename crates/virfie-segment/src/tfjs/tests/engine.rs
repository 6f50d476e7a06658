//! Runs a converted model.

use super::reference::Picture;
use prost::Message;
use tract_onnx::prelude::*;

/// Returns the name, shape and values of every output.
pub(super) fn run(onnx: &[u8], image: &Picture) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let shape = [1, image.rows, image.columns, image.channels];
    let proto = tract_onnx::pb::ModelProto::decode(onnx).unwrap();
    let names: Vec<String> = proto.graph.unwrap().output.into_iter().map(|output| output.name).collect();
    let mut bytes = onnx;
    let model = tract_onnx::onnx()
        .model_for_read(&mut bytes)
        .unwrap()
        .with_input_fact(0, f32::fact(shape).into())
        .unwrap()
        .into_optimized()
        .unwrap()
        .into_runnable()
        .unwrap();
    let input = Tensor::from_shape(&shape, &image.values).unwrap();
    let outputs = model.run(tvec!(input.into())).unwrap();
    let values = outputs.iter().map(|output| output.to_plain_array_view::<f32>().unwrap().iter().copied().collect());
    let shapes = outputs.iter().map(|output| output.shape().to_vec());
    names.into_iter().zip(shapes).zip(values).map(|((name, shape), values)| (name, shape, values)).collect()
}
