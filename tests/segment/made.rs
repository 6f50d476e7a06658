//! Input that is made here: the network, pictures and videos.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use tempfile::TempDir;
use virfie::media::{
    compose::colour::{Matrix, rgba_to_i420},
    file::{Colours, Container, Reader, Shape, Stop, Target, Writer},
    segment::tfjs,
};

pub const RED: [u8; 3] = [220, 20, 20];
pub const MAGENTA: [u8; 3] = [220, 20, 230];
pub const WALL: [u8; 3] = [40, 120, 120];

/// A folder that goes with its test, with the network in it.
pub struct Place {
    folder: TempDir,
    pub model: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("red.onnx");
        fs::write(&model, network()).unwrap();
        Self { folder, model }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the names of all files, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns [`scene`] as a PNG.
    pub fn picture(&self, name: &str, (width, height): (u32, u32)) -> PathBuf {
        let path = self.path(name);
        scene(width, height).save(&path).unwrap();
        path
    }

    /// Returns [`scene`] in so many frames, 25 a second.
    pub fn video(&self, name: &str, (width, height): (u32, u32), frames: u32, sound: Option<&Path>) -> PathBuf {
        let path = self.path(name);
        let (w, h) = (width as usize, height as usize);
        let shape = Shape { width: w, height: h, rate: (25, 1), aspect: (1, 1), colours: Colours::Bt601 };
        let container = Container::of(&path).unwrap();
        let target = Target { path: &path, called: &path, container, sound };
        let mut writer = Writer::create(target, shape, &Stop::default()).unwrap();
        let rgba: Vec<u8> =
            scene(width, height).pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
        let frame = rgba_to_i420(&rgba, w, h, Matrix::Bt601);
        let planes = frame.planes();
        let views = [(planes.y, planes.y_stride), (planes.u, planes.u_stride), (planes.v, planes.v_stride)];
        let length = Duration::from_millis(40);
        for number in 0..frames {
            writer.push(views, length * number, Some(length)).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    /// Returns what a launch line makes; its last element is `filesink name=file`.
    pub fn launched(&self, name: &str, line: &str) -> PathBuf {
        gst::init().unwrap();
        let path = self.path(name);
        let line = gst::parse::launch(line).unwrap().downcast::<gst::Pipeline>().unwrap();
        line.by_name("file").unwrap().set_property("location", &path);
        line.set_state(gst::State::Playing).unwrap();
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = line.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &wanted).unwrap();
        assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
        line.set_state(gst::State::Null).unwrap();
        path
    }
}

/// Returns a wall; before it, in the middle third, a red body with a magenta head.
pub fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x * 3 / width, y * 4 / height) {
            (1, 1) => MAGENTA,
            (1, 2..) => RED,
            _ => WALL,
        })
    })
}

/// Returns a network to which red is a person, and blue in it distinguishes the left face from the front of the torso. It
/// finds no keypoints.
fn network() -> Vec<u8> {
    let step = json!({ "list": { "i": ["1", "16", "16", "1"] } });
    // SAME in base64.
    let attributes = json!({ "padding": { "s": "U0FNRQ==" }, "strides": step });
    let mut nodes = vec![json!({ "name": "sub_2", "op": "Placeholder", "attr": {} })];
    let mut weights: Vec<Value> = Vec::new();
    let mut values: Vec<f32> = Vec::new();
    let mut parts = ([0.0; 3 * 24], [-20.0; 24]);
    for (part, blue) in [(0, 10.0), (12, -10.0)] {
        parts.0[2 * 24 + part] = blue;
        parts.1[part] = 0.0;
    }
    let heads = [
        ("float_segments", vec![10.0, -10.0, 0.0], vec![0.0]),
        ("float_part_heatmaps", parts.0.into(), parts.1.into()),
    ];
    for (head, weight, bias) in heads {
        let (w, b, conv) = (format!("{head}/w"), format!("{head}/b"), format!("{head}/conv"));
        nodes.push(json!({ "name": w, "op": "Const", "attr": {} }));
        nodes.push(json!({ "name": b, "op": "Const", "attr": {} }));
        nodes.push(json!({ "name": conv, "op": "Conv2D", "input": ["sub_2", w], "attr": attributes }));
        nodes.push(json!({ "name": head, "op": "BiasAdd", "input": [conv, b], "attr": {} }));
        weights.push(json!({ "name": w, "shape": [1, 1, 3, bias.len()], "dtype": "float32" }));
        weights.push(json!({ "name": b, "shape": [bias.len()], "dtype": "float32" }));
        values.extend(weight.iter().chain(&bias));
    }
    let json = json!({
        "format": "graph-model",
        "modelTopology": { "node": nodes },
        "weightsManifest": [{ "paths": ["weights.bin"], "weights": weights }],
    });
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tfjs::to_onnx(&json.to_string(), &|_: &str| Ok(bytes.clone())).unwrap()
}

/// A video, decoded: its shape, whether it has sound, and of every frame its time in milliseconds and its planes.
pub struct Decoded {
    pub shape: Shape,
    pub sound: bool,
    pub seconds: f64,
    pub frames: Vec<(u64, RgbImage)>,
}

pub fn decode(path: &Path) -> Decoded {
    let mut reader = Reader::open(path, &Stop::default()).unwrap();
    let shape = reader.shape();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        let [(y, ys), (u, us), (v, vs)] = frame.planes();
        let planes = virfie::media::compose::planes::Planes {
            width: shape.width,
            height: shape.height,
            y,
            y_stride: ys,
            u,
            u_stride: us,
            v,
            v_stride: vs,
            alpha: None,
        };
        let matrix = if shape.colours == Colours::Bt601 { Matrix::Bt601 } else { Matrix::Bt709 };
        let rgb = virfie::media::compose::colour::i420_to_rgb(&planes, matrix);
        let picture = RgbImage::from_raw(shape.width as u32, shape.height as u32, rgb).unwrap();
        frames.push((frame.pts.as_millis() as u64, picture));
    }
    let seconds = reader.duration().unwrap().as_secs_f64();
    Decoded { shape, sound: reader.has_sound(), seconds, frames }
}

/// Fails if a pixel has not this colour, but for what encoding does.
pub fn is(picture: &RgbImage, (x, y): (u32, u32), rgb: [u8; 3]) {
    let seen = picture.get_pixel(x, y).0;
    assert!(seen.iter().zip(rgb).all(|(seen, wanted)| seen.abs_diff(wanted) <= 10), "{x},{y}: {seen:?} is not {rgb:?}");
}
