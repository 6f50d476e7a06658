//! Pictures to put in, and what is in those that come out.

use std::{
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_video as gst_video;
use parking_lot::{Mutex, MutexGuard};
use virfie::media::{
    compose::{clock::CanvasFormat, colour::Matrix, planes::I420},
    segment::input::Yuv,
};

/// Longest time that anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a pipeline to its end.
pub fn run(line: &str) {
    let pipeline = gst::parse::launch(line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &ends);
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(matches!(end.as_deref().map(|end| end.type_()), Some(gst::MessageType::Eos)), "{line}: {end:?}");
}

/// Returns a test's turn, with GStreamer and our element in it. One at a time: they measure, and would measure each
/// other.
pub fn turn() -> MutexGuard<'static, ()> {
    static ONCE: Once = Once::new();
    static TURN: Mutex<()> = Mutex::new(());
    ONCE.call_once(|| {
        virfie::media::gst::init().unwrap();
        virfie::media::segment::register(None).unwrap();
    });
    TURN.lock()
}

/// Returns a picture as the network's stages take it.
pub fn yuv(picture: &I420) -> Yuv<'_> {
    let planes = picture.planes();
    Yuv {
        width: planes.width,
        height: planes.height,
        y: (planes.y, planes.y_stride),
        u: (planes.u, planes.u_stride),
        v: (planes.v, planes.v_stride),
    }
}

/// Returns a file of the shared data; `None` (said aloud) where it is not there.
pub fn shared(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !file.exists() {
        eprintln!("SKIPPED: there is no {}", file.display());
        return None;
    }
    Some(file)
}

/// Returns the model that tests use.
pub fn model() -> Option<PathBuf> {
    shared("models/MobileNetV1-x050-stride16.onnx")
}

/// Returns a picture of one colour (red, green, blue), I420.
pub fn flat(format: CanvasFormat, rgb: [u8; 3]) -> gst::Buffer {
    let info = gst_video::VideoInfo::from_caps(&format.caps()).unwrap();
    let [y, u, v] = Matrix::Bt601.colour(rgb);
    let mut data = vec![y; info.size()];
    data[info.offset()[1]..info.offset()[2]].fill(u);
    data[info.offset()[2]..].fill(v);
    gst::Buffer::from_mut_slice(data)
}

/// Returns luma, blue and red difference at a pixel of a packed I420 picture.
pub fn pixel(data: &[u8], (width, height): (usize, usize), x: usize, y: usize) -> [u8; 3] {
    let (chroma, row) = (width * height, width.div_ceil(2));
    let at = chroma + y / 2 * row + x / 2;
    [data[y * width + x], data[at], data[at + row * height.div_ceil(2)]]
}

/// Returns whether two colours are the same but for rounding.
pub fn alike(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 2)
}
