//! The pure stages and the network: input preparation, inference (where there is a model), mask, sound.
//!
//! The model is `$VIRFIE_MODEL`, or BodyPix in the folder of test data; without one, inference is left out aloud.

use std::{path::PathBuf, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use virfie::media::{
    audio::mix::Mixer,
    segment::{
        grid::Grid,
        input::{Preparer, Yuv},
        mask::{MaskMaker, MaskOptions},
        model::{HeadRequest, Model},
    },
};

/// The frame that cameras usually send.
const SIZE: (usize, usize) = (640, 360);

fn planes() -> (Vec<u8>, Vec<u8>) {
    let luma = (0..SIZE.0 * SIZE.1).map(|index| (index * 7 % 220 + 16) as u8).collect();
    let chroma = (0..SIZE.0 * SIZE.1 / 4).map(|index| (index * 3 % 220 + 16) as u8).collect();
    (luma, chroma)
}

fn segment(criterion: &mut Criterion) {
    let (luma, chroma) = planes();
    let half = SIZE.0 / 2;
    let frame = Yuv { width: SIZE.0, height: SIZE.1, y: (&luma, SIZE.0), u: (&chroma, half), v: (&chroma, half) };
    let mut group = criterion.benchmark_group("segment");
    let mut preparer = Preparer::new(SIZE, (257, 145));
    let mut input = vec![0.0; 257 * 145 * 3];
    group.bench_function("prepare 640x360 to 257x145", |bencher| {
        bencher.iter(|| preparer.prepare(&frame, &mut input));
    });
    let logits: Vec<f32> = (0..17 * 10).map(|index| ((index % 17) as f32 - 8.0) / 2.0).collect();
    let mut maker = MaskMaker::default();
    let mut alpha = vec![0; SIZE.0 * SIZE.1];
    group.bench_function("mask 17x10 to 640x360", |bencher| {
        bencher.iter(|| maker.make(&logits, Grid::ends(17, 10), &frame, MaskOptions::default(), &mut alpha, SIZE.0));
    });
    let data =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/models/MobileNetV1-x050-stride16.onnx"));
    let path = std::env::var_os("VIRFIE_MODEL").map_or(data, PathBuf::from);
    match Model::load(&path).and_then(|model| model.session(SIZE, HeadRequest::default())) {
        Ok(mut session) => {
            group.bench_function("prepare and infer", |bencher| {
                bencher.iter(|| session.run(&frame).map(|heads| heads.segments[0]));
            });
        }
        Err(error) => println!("segment: inference left out: {error}"),
    }
    group.finish();
}

fn mix(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mix");
    for (people, pan, what) in
        [(2u32, 0.0, "speakers"), (12, 0.0, "speakers"), (64, 0.0, "speakers"), (12, 0.5, "placed")]
    {
        let mut mixer = Mixer::new();
        for id in 0..people {
            mixer.add(id);
            mixer.set_pan(id, pan);
        }
        let block: Vec<f32> = (0..960).map(|index| (index as f32 * 0.05).sin() * 0.2).collect();
        group.bench_function(format!("{people} {what}, 20 ms"), |bencher| {
            bencher.iter(|| {
                for id in 0..people {
                    mixer.push(id, &block);
                }
                mixer.tick().shared().left[0]
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = stages;
    config = Criterion::default().measurement_time(Duration::from_secs(3));
    targets = segment, mix
}
criterion_main!(stages);
