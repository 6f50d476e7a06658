//! Nodes of ONNX as the operator reads them.
#![allow(clippy::unwrap_used)]

use super::*;

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.to_vec(), ..AttributeProto::default() }
}

fn tensor(name: &str, dims: &[i64]) -> TensorProto {
    let values = (0..dims.iter().product()).map(|index: i64| ((index * 37 % 23) as f32 - 11.0) / 7.0).collect();
    TensorProto { name: name.into(), dims: dims.to_vec(), float_data: values, ..TensorProto::default() }
}

const CHANNELS: [usize; 2] = [3, 5];

/// Returns the layer that a 2x2 convolution of 3 channels into 5 is read as.
fn read(attributes: Vec<AttributeProto>) -> (Option<Layer>, TensorProto) {
    let kernel = tensor("kernel", &[CHANNELS[1] as i64, CHANNELS[0] as i64, 2, 2]);
    let node = NodeProto {
        op_type: "Conv".into(),
        input: vec!["picture".into(), "kernel".into()],
        attribute: attributes,
        ..NodeProto::default()
    };
    (convolution(&node, &HashMap::from([("kernel", &kernel)])), kernel)
}

#[test]
fn of_two_by_two_pixels_it_makes_what_onnx_says() {
    for (stride, pads, (height, width)) in
        [(2, [0, 0, 0, 0], (6, 8)), (2, [1, 0, 1, 1], (7, 9)), (1, [0, 1, 0, 0], (5, 4)), (2, [0, 0, 0, 0], (7, 5))]
    {
        let given = pads.map(|zeros| zeros as i64);
        let (layer, kernel) = read(vec![ints("strides", &[stride as i64; 2]), ints("pads", &given)]);
        let layer = layer.expect("2x2 can be read");
        assert_eq!(layer.kind, Kind::Square { side: 2, stride });
        let [inputs, outputs] = CHANNELS;
        let picture: Vec<f32> =
            (0..height * width * inputs).map(|index| ((index * 29 % 31) as f32 - 15.0) / 9.0).collect();
        let [top, left, bottom, right] = pads;
        let sides = [(height + top + bottom - 2) / stride + 1, (width + left + right - 2) / stride + 1];
        let mut expected = Vec::new();
        for (y, x) in (0..sides[0]).flat_map(|y| (0..sides[1]).map(move |x| (y, x))) {
            for output in 0..outputs {
                let mut sum = 0.0;
                for (input, ky, kx) in (0..inputs).flat_map(|i| [(i, 0, 0), (i, 0, 1), (i, 1, 0), (i, 1, 1)]) {
                    let (row, column) = ((y * stride + ky).wrapping_sub(top), (x * stride + kx).wrapping_sub(left));
                    if row < height && column < width {
                        let weight = kernel.float_data[((output * inputs + input) * 2 + ky) * 2 + kx];
                        sum += weight * picture[(row * width + column) * inputs + input];
                    }
                }
                expected.push(sum);
            }
        }
        let plan = ChainPlan::new(&[layer], &[], (height, width), Isa::best(), Precision::F32).unwrap();
        assert_eq!(plan.output_shapes().next(), Some([sides[0], sides[1], outputs]));
        let mut found = vec![f32::NAN; expected.len()];
        plan.run(&mut plan.arena(), &picture, &mut [&mut found]).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4, "stride {stride}, {pads:?}: {found} for {expected}");
        }
    }
}

#[test]
fn two_by_two_pixels_may_be_padded_as_needed_but_lie_beside_each_other() {
    let same = AttributeProto { name: "auto_pad".into(), s: b"SAME_UPPER".to_vec(), ..AttributeProto::default() };
    assert_eq!(read(vec![same]).0.expect("2x2 can be read").padding, Padding::Same);
    assert!(read(vec![ints("dilations", &[2, 2])]).0.is_none());
}
