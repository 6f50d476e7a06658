//! Every instruction set against loops that do nothing but what the layers say.
#![allow(clippy::unwrap_used)]

use super::*;

/// Numbers in -1..1 that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next() as f32 / (1u64 << 30) as f32 - 1.0).collect()
    }

    fn layer(&mut self, kind: Kind, inputs: usize, outputs: usize) -> Layer {
        let fan = match kind {
            Kind::Square { side, .. } => inputs * side * side,
            Kind::Depthwise3x3 { .. } => 9,
            Kind::Pointwise => inputs,
        };
        let scale = 2.0 / (fan as f32).sqrt();
        Layer {
            kind,
            inputs,
            outputs,
            weights: self.floats(fan * outputs).iter().map(|weight| weight * scale).collect(),
            bias: self.floats(outputs),
            clamp: [None, Some((0.0, 6.0)), Some((-0.5, 0.75)), Some((0.25, f32::INFINITY))][self.below(4)],
            padding: Padding::Same,
        }
    }
}

/// `[row][column][channel]`, with its shape.
type Picture = ([usize; 3], Vec<f32>);

fn reference(layer: &Layer, ([height, width, channels], input): &Picture) -> Picture {
    let pads = layer.padding.resolve(layer.kind, *height, *width);
    let (size, dilation) = match layer.kind {
        Kind::Square { side, .. } => (side, 1),
        Kind::Depthwise3x3 { dilation, .. } => (3, dilation),
        Kind::Pointwise => (1, 1),
    };
    let depthwise = matches!(layer.kind, Kind::Depthwise3x3 { .. });
    let (stride, extent) = (layer.kind.stride(), (size - 1) * dilation + 1);
    let rows = (height + pads.top + pads.bottom - extent) / stride + 1;
    let columns = (width + pads.left + pads.right - extent) / stride + 1;
    let mut output = Vec::with_capacity(rows * columns * layer.outputs);
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        for channel in 0..layer.outputs {
            let mut sum = f64::from(layer.bias[channel]);
            for (ky, kx) in (0..size).flat_map(|ky| (0..size).map(move |kx| (ky, kx))) {
                let (iy, ix) = (y * stride + ky * dilation, x * stride + kx * dilation);
                if iy < pads.top || ix < pads.left || iy - pads.top >= *height || ix - pads.left >= *width {
                    continue;
                }
                let pixel = &input[((iy - pads.top) * width + ix - pads.left) * channels..][..*channels];
                let inputs = if depthwise { &pixel[channel..=channel] } else { pixel };
                for (index, &value) in inputs.iter().enumerate() {
                    let weight = layer.weights[((channel * inputs.len() + index) * size + ky) * size + kx];
                    sum += f64::from(weight) * f64::from(value);
                }
            }
            let (low, high) = layer.bounds();
            output.push((sum as f32).max(low).min(high));
        }
    }
    ([rows, columns, layer.outputs], output)
}

fn run(plan: &ChainPlan, arena: &mut Arena, input: &[f32]) -> Vec<Picture> {
    let mut outputs: Vec<Picture> =
        plan.output_shapes().map(|shape| (shape, vec![f32::NAN; shape.iter().product()])).collect();
    plan.run(arena, input, &mut outputs.iter_mut().map(|(_, output)| &mut output[..]).collect::<Vec<_>>()).unwrap();
    outputs
}

#[track_caller]
fn assert_close(found: &Picture, expected: &Picture, tolerance: f32, what: &str) {
    assert_eq!(found.0, expected.0, "{what}");
    let scale = expected.1.iter().fold(1.0, |most: f32, value| most.max(value.abs()));
    for (index, (&found, &expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert!((found - expected).abs() <= tolerance * scale, "{what}: {found} for {expected} at {index}");
    }
}

/// Runs layers and heads on all instruction sets, twice in the same memory with other data in between.
#[track_caller]
fn check(noise: &mut Noise, layers: &[Layer], heads: &[Layer], (height, width): (usize, usize)) {
    let channels = layers.first().or(heads.first()).unwrap().inputs;
    let input = noise.floats(height * width * channels);
    let other = noise.floats(height * width * channels);
    let last = layers.iter().fold(([height, width, channels], input.clone()), |input, layer| reference(layer, &input));
    let expected: Vec<Picture> =
        if heads.is_empty() { vec![last] } else { heads.iter().map(|head| reference(head, &last)).collect() };
    for isa in Isa::available() {
        for (precision, tolerance) in [(Precision::F32, 1e-4), (Precision::Bf16, 0.05)] {
            let plan = ChainPlan::new(layers, heads, (height, width), isa, precision).unwrap();
            if plan.precision() != precision {
                continue;
            }
            let what =
                format!("{isa:?} {precision:?} {height}x{width} {layers:?}").chars().take(200).collect::<String>();
            let mut arena = plan.arena();
            run(&plan, &mut arena, &input);
            run(&plan, &mut arena, &other);
            let found = run(&plan, &mut arena, &input);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert_close(found, expected, tolerance, &what);
            }
        }
    }
}

#[test]
fn each_layer_gives_what_it_says_for_every_number_of_channels() {
    let mut noise = Noise(1);
    for channels in 1..=70 {
        let size = (1 + noise.below(9), 1 + noise.below(40));
        let outputs = 1 + noise.below(70);
        for kind in [
            Kind::Pointwise,
            Kind::Square { side: 1 + channels % 3, stride: 1 + channels / 3 % 4 },
            Kind::Depthwise3x3 { stride: 1 + channels % 2, dilation: 1 + channels / 2 % 3 },
        ] {
            let outputs = if matches!(kind, Kind::Depthwise3x3 { .. }) { channels } else { outputs };
            let layer = noise.layer(kind, channels, outputs);
            check(&mut noise, &[layer], &[], size);
        }
    }
}

#[test]
fn depthwise_and_pointwise_together_give_what_they_give_apart() {
    let mut noise = Noise(2);
    for channels in 1..=70 {
        let size = (1 + noise.below(12), 1 + noise.below(40));
        let kind = Kind::Depthwise3x3 { stride: 1 + channels % 2, dilation: 1 + channels / 2 % 3 };
        let outputs = 1 + noise.below(70);
        let pair = [noise.layer(kind, channels, channels), noise.layer(Kind::Pointwise, channels, outputs)];
        check(&mut noise, &pair, &[], size);
    }
}

#[test]
fn chains_of_any_layers_and_their_heads_are_followed() {
    let mut noise = Noise(3);
    for _ in 0..60 {
        let size = (1 + noise.below(30), 1 + noise.below(30));
        let mut channels = 1 + noise.below(40);
        let mut layers = Vec::new();
        for _ in 0..1 + noise.below(7) {
            let outputs = 1 + noise.below(40);
            let stride = 1 + noise.below(2);
            let (kind, outputs) = match noise.below(4) {
                0 => (Kind::Square { side: 2 + noise.below(2), stride }, outputs),
                1 => (Kind::Pointwise, outputs),
                _ => (Kind::Depthwise3x3 { stride, dilation: 1 + noise.below(2) }, channels),
            };
            let mut layer = noise.layer(kind, channels, outputs);
            if noise.below(2) == 0 && kind != Kind::Pointwise {
                let mut pad = || noise.below(4);
                let extent = kind.extent();
                let pads = Pads { top: extent + pad(), left: extent, bottom: pad(), right: pad() };
                layer.padding = Padding::Explicit(pads);
            }
            layers.push(layer);
            channels = outputs;
        }
        let heads: Vec<Layer> = (0..noise.below(4))
            .map(|_| {
                let outputs = 1 + noise.below(50);
                noise.layer(Kind::Pointwise, channels, outputs)
            })
            .collect();
        check(&mut noise, &layers, &heads, size);
    }
}

#[test]
fn a_wide_pair_is_cut_into_chunks_without_a_seam() {
    let mut noise = Noise(4);
    let pair =
        [noise.layer(Kind::Depthwise3x3 { stride: 1, dilation: 2 }, 250, 250), noise.layer(Kind::Pointwise, 250, 70)];
    check(&mut noise, &pair, &[], (21, 23));
}

#[test]
fn heads_alone_are_a_chain() {
    let mut noise = Noise(5);
    let heads = [noise.layer(Kind::Pointwise, 5, 3), noise.layer(Kind::Pointwise, 5, 33)];
    check(&mut noise, &[], &heads, (7, 9));
}

/// Returns a coarse map onto a fine one, as the layers say.
fn merged(([_, coarse_width, _], coarse): &Picture, (shape, fine): &Picture, (low, high): (f32, f32)) -> Picture {
    let [height, width, channels] = *shape;
    let mut output = Vec::with_capacity(fine.len());
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        for channel in 0..channels {
            let above = coarse[(y / 2 * coarse_width + x / 2) * channels + channel];
            output.push((fine[(y * width + x) * channels + channel] + above).max(low).min(high));
        }
    }
    (*shape, output)
}

/// Returns all maps of a graph, and what its heads make of them.
fn results(graph: &Graph, input: Picture) -> Vec<Picture> {
    let mut maps = vec![input];
    let at = |source: &Source| match source {
        Source::Input => 0,
        Source::Node(index) => index + 1,
    };
    for node in &graph.nodes {
        maps.push(match node {
            Node::Convolution(layer, from) => reference(layer, &maps[at(from)]),
            Node::Merge { coarse, fine, clamp } => {
                merged(&maps[at(coarse)], &maps[at(fine)], clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY)))
            }
        });
    }
    graph.heads.iter().map(|(head, from)| reference(head, &maps[at(from)])).collect()
}

/// Down twice and up twice, with side ways that start from maps that are read with and without borders.
fn u_net(noise: &mut Noise, (one, two, three): (usize, usize, usize)) -> Graph {
    let mut nodes = Vec::new();
    let mut add = |layer: Layer, from: Source| {
        nodes.push(Node::Convolution(layer, from));
        Source::Node(nodes.len() - 1)
    };
    let block = |noise: &mut Noise, stride: usize, inputs: usize, outputs: usize| {
        let depthwise = noise.layer(Kind::Depthwise3x3 { stride, dilation: 3 - stride }, inputs, inputs);
        [depthwise, noise.layer(Kind::Pointwise, inputs, outputs)]
    };
    let half = add(noise.layer(Kind::Square { side: 2, stride: 2 }, 3, one), Source::Input);
    let quarter = block(noise, 2, one, two).into_iter().fold(half, |from, layer| add(layer, from));
    let eighth = block(noise, 2, two, three).into_iter().fold(quarter, |from, layer| add(layer, from));
    let eighth = block(noise, 1, three, three).into_iter().fold(eighth, |from, layer| add(layer, from));
    let coarse = add(noise.layer(Kind::Pointwise, three, two), eighth);
    let fine = add(noise.layer(Kind::Pointwise, two, two), quarter);
    nodes.push(Node::Merge { coarse, fine, clamp: Some((0.0, f32::INFINITY)) });
    let sum = Source::Node(nodes.len() - 1);
    let mut add = |layer: Layer, from: Source| {
        nodes.push(Node::Convolution(layer, from));
        Source::Node(nodes.len() - 1)
    };
    let quarter = block(noise, 1, two, two).into_iter().fold(sum, |from, layer| add(layer, from));
    let aside = block(noise, 1, three, one).into_iter().fold(eighth, |from, layer| add(layer, from));
    let coarse = add(noise.layer(Kind::Pointwise, two, one), quarter);
    let fine = add(noise.layer(Kind::Pointwise, one, one), half);
    nodes.push(Node::Merge { coarse, fine, clamp: None });
    let last = Source::Node(nodes.len() - 1);
    let heads = vec![
        (noise.layer(Kind::Pointwise, one, 1), last),
        (noise.layer(Kind::Pointwise, two, 24), quarter),
        (noise.layer(Kind::Pointwise, one, 17), aside),
        (noise.layer(Kind::Pointwise, three, 5), eighth),
    ];
    Graph { nodes, heads }
}

#[test]
fn networks_that_go_down_and_up_again_are_followed_whichever_heads_are_asked_for() {
    let mut noise = Noise(10);
    for round in 0..24 {
        let widths = (1 + noise.below(40), 1 + noise.below(40), 1 + noise.below(70));
        let graph = u_net(&mut noise, widths);
        let (height, width) = (8 * (1 + noise.below(6)), 8 * (1 + noise.below(9)));
        let (input, other) = (noise.floats(height * width * 3), noise.floats(height * width * 3));
        let all = results(&graph, ([height, width, 3], input.clone()));
        for heads in [&[0, 1, 2, 3][..], &[0], &[2], &[3, 1]] {
            let graph = graph.keeping(heads);
            let expected: Vec<&Picture> = heads.iter().map(|&head| &all[head]).collect();
            for isa in Isa::available() {
                for (precision, tolerance) in [(Precision::F32, 1e-4), (Precision::Bf16, 0.08)] {
                    let plan = ChainPlan::of(&graph, (height, width), isa, precision).unwrap();
                    let mut arena = plan.arena();
                    run(&plan, &mut arena, &input);
                    run(&plan, &mut arena, &other);
                    let found = run(&plan, &mut arena, &input);
                    assert_eq!(found.len(), expected.len());
                    for (found, expected) in found.iter().zip(expected.iter()) {
                        assert_close(found, expected, tolerance, &format!("{round} {isa:?} {precision:?} {heads:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn what_no_head_needs_is_left_out() {
    let mut noise = Noise(11);
    let graph = u_net(&mut noise, (16, 16, 16));
    let kept = graph.keeping(&[2]);
    // One convolution, and three pairs.
    assert_eq!((kept.nodes.len(), kept.heads.len()), (9, 1));
    assert_eq!(graph.keeping(&[0, 1, 2, 3]), graph);
    assert!(graph.keeping(&[7]).heads.is_empty());
}

#[test]
fn sums_that_do_not_fit_are_refused_by_number() {
    let mut noise = Noise(12);
    let graph = u_net(&mut noise, (16, 16, 16));
    let plan = |graph: &Graph, size| ChainPlan::of(graph, size, Isa::plain(), Precision::F32).map(|_| ()).unwrap_err();
    assert_eq!(plan(&graph, (12, 16)).to_string(), "layer 9 adds 2 x 2 to 3 x 4");
    let mut later = graph.clone();
    later.nodes[1] = Node::Convolution(noise.layer(Kind::Pointwise, 16, 16), Source::Node(3));
    assert_eq!(plan(&later, (16, 16)).to_string(), "layer 1 reads what comes after it");
    let mut shared = graph.clone();
    shared.heads.push((noise.layer(Kind::Pointwise, 16, 1), Source::Node(8)));
    assert_eq!(plan(&shared, (16, 16)).to_string(), "layer 9 adds to what is not a pointwise layer of its own");
}

#[test]
fn same_padding_puts_the_odd_zero_below_and_right() {
    let kind = Kind::Depthwise3x3 { stride: 2, dilation: 1 };
    assert_eq!(Padding::Same.resolve(kind, 145, 256), Pads { top: 1, left: 0, bottom: 1, right: 1 });
    let dilated = Kind::Depthwise3x3 { stride: 1, dilation: 2 };
    assert_eq!(Padding::Same.resolve(dilated, 19, 33), Pads { top: 2, left: 2, bottom: 2, right: 2 });
    assert_eq!(Padding::Same.resolve(Kind::Pointwise, 1, 8), Pads::default());
}

#[test]
fn the_same_plan_runs_in_many_memories() {
    let mut noise = Noise(6);
    let layers = [noise.layer(Kind::Square { side: 3, stride: 2 }, 3, 16), noise.layer(Kind::Pointwise, 16, 8)];
    let plan = ChainPlan::new(&layers, &[], (16, 16), Isa::best(), Precision::F32).unwrap();
    let input = noise.floats(16 * 16 * 3);
    let first = plan.arena();
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (plan, input, mut arena) = (&plan, &input, first.clone());
                scope.spawn(move || run(plan, &mut arena, input))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn what_is_not_a_number_is_gone_with_the_next_picture() {
    let mut noise = Noise(9);
    let layer = |noise: &mut Noise, kind| Layer { clamp: None, ..noise.layer(kind, 5, 5) };
    let mut layers = vec![noise.layer(Kind::Depthwise3x3 { stride: 1, dilation: 1 }, 5, 5)];
    for _ in 0..3 {
        layers.push(layer(&mut noise, Kind::Pointwise));
        layers.push(layer(&mut noise, Kind::Depthwise3x3 { stride: 1, dilation: 1 }));
        layers.push(layer(&mut noise, Kind::Square { side: 3, stride: 1 }));
    }
    let input = noise.floats(6 * 6 * 5);
    for isa in Isa::available() {
        for precision in [Precision::F32, Precision::Bf16] {
            let plan = ChainPlan::new(&layers, &[], (6, 6), isa, precision).unwrap();
            let mut arena = plan.arena();
            let before = run(&plan, &mut arena, &input);
            run(&plan, &mut arena, &[f32::NAN; 6 * 6 * 5]);
            run(&plan, &mut arena, &[f32::INFINITY; 6 * 6 * 5]);
            assert_eq!(run(&plan, &mut arena, &input), before, "{isa:?}");
        }
    }
}

#[test]
fn layers_that_do_not_fit_are_refused_by_number() {
    let mut noise = Noise(7);
    let conv = noise.layer(Kind::Square { side: 3, stride: 2 }, 3, 16);
    let plan = |layers: &[Layer], heads: &[Layer]| {
        ChainPlan::new(layers, heads, (8, 8), Isa::plain(), Precision::F32).map(|_| ()).unwrap_err()
    };
    assert_eq!(plan(&[], &[]), ChainError::Empty);
    let narrow = noise.layer(Kind::Pointwise, 8, 8);
    assert_eq!(plan(&[conv.clone(), narrow], &[]).to_string(), "layer 1 reads 8 channels of 16");
    let short = Layer { weights: vec![0.0; 5], ..conv.clone() };
    assert!(matches!(plan(&[short], &[]), ChainError::Layer(0, _)));
    let still = Layer { kind: Kind::Square { side: 3, stride: 0 }, ..conv.clone() };
    assert!(matches!(plan(&[still], &[]), ChainError::Layer(0, _)));
    for side in [0, 4] {
        let kind = Kind::Square { side, stride: 1 };
        let wrong = Layer { kind, weights: vec![0.0; 3 * 16 * side * side], ..conv.clone() };
        let told = format!("layer 0 looks at {side} x {side} pixels; 1 to 3 are possible");
        assert_eq!(plan(&[wrong], &[]).to_string(), told);
    }
    let bare = Layer { padding: Padding::Explicit(Pads::default()), ..conv.clone() };
    assert!(matches!(
        plan(
            &[
                bare.clone(),
                Layer { inputs: 16, weights: vec![0.0; 16 * 16 * 9], ..bare.clone() },
                Layer { inputs: 16, weights: vec![0.0; 16 * 16 * 9], ..bare }
            ],
            &[]
        ),
        ChainError::Layer(2, _)
    ));
    let head = noise.layer(Kind::Depthwise3x3 { stride: 1, dilation: 1 }, 16, 16);
    assert!(matches!(plan(std::slice::from_ref(&conv), &[head]), ChainError::Layer(1, _)));
    let upside_down = Layer { clamp: Some((6.0, 0.0)), ..conv };
    assert!(matches!(plan(&[upside_down], &[]), ChainError::Layer(0, _)));
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let mut noise = Noise(8);
    let conv = noise.layer(Kind::Square { side: 3, stride: 2 }, 3, 16);
    let plan = ChainPlan::new(std::slice::from_ref(&conv), &[], (8, 8), Isa::best(), Precision::F32).unwrap();
    let other = ChainPlan::new(&[conv], &[], (8, 8), Isa::best(), Precision::F32).unwrap();
    let (mut arena, input) = (plan.arena(), [0.0; 8 * 8 * 3]);
    let (mut output, mut short) = ([0.0; 4 * 4 * 16], [0.0; 5]);
    assert!(plan.run(&mut arena, &input[1..], &mut [&mut output]).is_err());
    assert!(plan.run(&mut arena, &input, &mut []).is_err());
    assert!(plan.run(&mut arena, &input, &mut [&mut short]).is_err());
    assert!(plan.run(&mut other.arena(), &input, &mut [&mut output]).is_err());
    assert!(plan.run(&mut arena, &input, &mut [&mut output]).is_ok());
}
