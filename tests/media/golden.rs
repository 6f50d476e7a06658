//! Composed pictures beside golden ones, to two levels of 255 in every pixel and colour.
//!
//! `VIRFIE_GOLDEN=write cargo nextest run --release golden` writes them again into `tests/media/golden`: look at each
//! of them before it is committed.

use std::{path::PathBuf, sync::Arc, time::Duration};

use gstreamer as gst;
use gstreamer_video as gst_video;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use virfie::{
    layout::{Canvas, Cut, read},
    media::{
        compose::{
            backdrop::BackdropPainter,
            clock::CanvasFormat,
            colour::{Matrix, i420_to_rgb},
            latest_frames::LatestFrames,
            planes::I420,
            stage::Stage,
        },
        gst::{
            frame::VideoFrame,
            segmented::{Found, Shelf, attach},
        },
        port::{Image, ParticipantId, PeerId, Picture, Seat, Still},
    },
};

use super::frames::turn;

const CANVAS: (u32, u32) = (320, 180);
/// Odd, as cameras' crops can be.
const CAMERA: (u32, u32) = (213, 161);
/// Difference that a pixel may have: rounding, in other orders on other processors.
const TOLERANCE: u8 = 2;

/// Returns something with a direction everywhere, so that a wrong place, size or side shows.
fn chart(x: u32, y: u32, (width, height): (u32, u32)) -> [u8; 3] {
    let line = (x * 8 / width + y * 6 / height).is_multiple_of(2);
    let share = |at: u32, of: u32| (at * 200 / of) as u8;
    let blue = if x * 3 < width && y * 3 < height { 255 } else { 40 };
    [55 + share(x, width), 55 + share(y, height), if line { blue } else { blue / 2 }]
}

/// Returns a picture with a hole of another transparency on its left.
fn still() -> Image {
    let size = (97, 61);
    let pixels = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
    let alpha = |x: u32, y: u32| {
        if x < 30 && y > 30 {
            0
        } else if x < 30 {
            128
        } else {
            255
        }
    };
    let rgba: Vec<u8> = pixels
        .flat_map(|(x, y)| {
            let [r, g, b] = chart(x, y, size);
            [r, g, b, alpha(x, y)]
        })
        .collect();
    Image { name: "chart.png".into(), still: Arc::new(Still::new(&rgba, size.0, size.1)), clip: None }
}

/// Returns a camera's frame: the chart, and a mask of somebody, head and shoulders, with a soft edge.
fn camera() -> VideoFrame {
    let (width, height) = CAMERA;
    let info = gst_video::VideoInfo::from_caps(&CanvasFormat { width, height, fps: 30 }.caps()).unwrap();
    let mut data = vec![0; info.size()];
    for y in 0..height {
        for x in 0..width {
            let [luma, u, v] = Matrix::Bt601.colour(chart(x, y, CAMERA));
            let at = |plane: usize, x: u32, y: u32| {
                info.offset()[plane] + y as usize * info.stride()[plane] as usize + x as usize
            };
            data[at(0, x, y)] = luma;
            data[at(1, x / 2, y / 2)] = u;
            data[at(2, x / 2, y / 2)] = v;
        }
    }
    let mut plane = Arc::new(Shelf::default()).plane((width as usize, height as usize));
    for (index, alpha) in plane.bytes_mut().iter_mut().enumerate() {
        let (x, y) = ((index as u32 % width) as f32 - 106.0, (index as u32 / width) as f32);
        let outside = |cx: f32, cy: f32, rx: f32, ry: f32| ((x - cx) / rx).hypot((y - cy) / ry);
        let edge = outside(0.0, 60.0, 34.0, 44.0).min(outside(0.0, 165.0, 80.0, 60.0));
        *alpha = ((1.1 - edge) / 0.2 * 255.0).clamp(0.0, 255.0) as u8;
    }
    let mut buffer = gst::Buffer::from_mut_slice(data);
    let masks = vec![(Cut::default(), Arc::new(plane))];
    attach(buffer.get_mut().unwrap(), Found { masks, ..Found::default() });
    VideoFrame::from_buffer_readable(buffer, &info).unwrap()
}

fn compose(layout: &Value) -> RgbImage {
    let _turn = turn();
    let canvas = Canvas { width: CANVAS.0, height: CANVAS.1, ..Canvas::default() };
    let scene = Arc::new(read(layout, &canvas).unwrap());
    let ann = ParticipantId("ann".into());
    let people = vec![Seat { participant: ann.clone(), name: "ann".into() }];
    let picture = Picture { scene, people, speakers: Vec::new(), images: vec![still()] };
    let mut stage = Stage::new(BackdropPainter::default().prepare(picture), true);
    let slots = LatestFrames::default();
    slots.assign(&ann, PeerId(1));
    slots.put(&ann, PeerId(1), camera().into(), Duration::ZERO);
    let mut composed = I420::new(CANVAS.0 as usize, CANVAS.1 as usize, false);
    let _ = stage.update(&slots, Duration::ZERO, Duration::from_secs(1)).count();
    stage.compose(&mut composed.planes_mut());
    RgbImage::from_raw(CANVAS.0, CANVAS.1, i420_to_rgb(&composed.planes(), Matrix::Bt601)).unwrap()
}

fn check(name: &str, layout: &Value) {
    compare(name, &compose(layout));
}

/// Compares a canvas with the golden picture of this name.
pub fn compare_canvas(name: &str, canvas: &I420) {
    let planes = canvas.planes();
    let (width, height) = (planes.width as u32, planes.height as u32);
    compare(name, &RgbImage::from_raw(width, height, i420_to_rgb(&planes, Matrix::Bt601)).unwrap());
}

fn compare(name: &str, composed: &RgbImage) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/media/golden").join(format!("{name}.png"));
    if std::env::var_os("VIRFIE_GOLDEN").is_some_and(|what| what == "write") {
        composed.save(&file).unwrap();
        return;
    }
    let golden = image::open(&file).unwrap().into_rgb8();
    assert_eq!(golden.dimensions(), composed.dimensions());
    let off = |one: &Rgb<u8>, other: &Rgb<u8>| one.0.iter().zip(other.0).map(|(a, b)| a.abs_diff(b)).max().unwrap();
    let wrong: Vec<_> = golden
        .enumerate_pixels()
        .map(|(x, y, pixel)| (off(pixel, composed.get_pixel(x, y)), x, y))
        .filter(|(off, ..)| *off > TOLERANCE)
        .collect();
    if let Some((worst, x, y)) = wrong.iter().max() {
        let kept = std::env::temp_dir().join(format!("virfie-golden-{name}.png"));
        composed.save(&kept).unwrap();
        panic!("{} pixels differ, most at {x},{y} by {worst}; composed: {}", wrong.len(), kept.display());
    }
}

#[test]
fn golden_placement() {
    check(
        "placement",
        &json!({
            "canvas": {"background": "#204060"},
            "layers": [
                {"id": "corner", "source": {"color": "#ff0000"}, "x": -33, "y": -21, "width": 77, "height": 55},
                {"id": "edge", "source": {"color": "#00ff00"}, "x": 301, "y": 13, "width": 41, "height": 33},
                {"id": "bottom", "source": {"color": "#ffff00"}, "x": "50%", "y": "100%", "width": "31%", "height": 29,
                 "anchor": "center"},
                {"id": "tie-below", "source": {"color": "#ff00ff"}, "x": 61, "y": 41, "width": 55, "height": 45},
                {"id": "tie-above", "source": {"color": "#00ffff"}, "x": 93, "y": 63, "width": 55, "height": 45},
                {"id": "behind", "source": {"color": "#000000"}, "x": 51, "y": 31, "width": 111, "height": 91, "z": -1},
                {"id": "glass", "source": {"color": "#ffffff"}, "x": 131, "y": 7, "width": 151, "height": 133, "opacity": 0.35,
                 "z": 5},
                {"id": "one-pixel", "source": {"color": "#ffffff"}, "x": 11, "y": 101, "width": 1, "height": 1},
                {"id": "hair", "source": {"color": "#ffffff"}, "x": 21, "y": 91, "width": 1, "height": 51},
                {"id": "outside", "source": {"color": "#ffffff"}, "x": 400, "y": 400, "width": 50, "height": 50}
            ],
            "auto": {"mode": "off"}
        }),
    );
}

#[test]
fn golden_fit() {
    check(
        "fit",
        &json!({
            "canvas": {"background": "#102030"},
            "layers": [
                {"id": "natural", "source": {"image": "chart.png"}, "x": 3, "y": 5, "width": 97},
                {"id": "fill", "source": {"image": "chart.png"}, "x": 111, "y": 5, "width": 51, "height": 71, "fit": "fill"},
                {"id": "contain", "source": {"image": "chart.png"}, "x": 171, "y": 5, "width": 51, "height": 71,
                 "fit": "contain"},
                {"id": "cover", "source": {"image": "chart.png"}, "x": 231, "y": 5, "width": 51, "height": 71},
                {"id": "mirror", "source": {"image": "chart.png"}, "x": 3, "y": 83, "width": 97, "mirror": true},
                {"id": "crop", "source": {"participant": "ann"}, "x": 111, "y": 91, "width": 75, "height": 61,
                 "crop": {"left": "25%", "top": 31, "right": 11}},
                {"id": "off", "source": {"participant": "ann"}, "x": 211, "y": 91, "width": 173, "height": 131,
                 "mirror": true},
                {"id": "top", "source": {"image": "chart.png"}, "x": 287, "y": -23, "width": 61}
            ],
            "auto": {"mode": "off"}
        }),
    );
}

#[test]
fn golden_edges() {
    check(
        "edges",
        &json!({
            "canvas": {"background": "#304050"},
            "layers": [
                {"id": "round", "source": {"participant": "ann"}, "x": 5, "y": 5, "width": 91, "height": 71, "radius": 17},
                {"id": "circle", "source": {"image": "chart.png"}, "x": 107, "y": 5, "width": 71, "height": 71,
                 "radius": "50%", "border": {"width": 5, "color": "#ffcc00"}},
                {"id": "turned", "source": {"participant": "ann"}, "x": 197, "y": 15, "width": 91, "height": 61, "rotate": 15,
                 "radius": 9, "border": {"width": 3, "color": "#ffffff"}},
                {"id": "glass", "source": {"color": "#ff8800"}, "x": -21, "y": 91, "width": 101, "height": 77,
                 "rotate": -30, "opacity": 0.5},
                {"id": "upright", "source": {"image": "chart.png"}, "x": 101, "y": 101, "width": 97, "height": 61,
                 "rotate": 90},
                {"id": "off", "source": {"participant": "ann"}, "x": 231, "y": 111, "width": 131, "height": 101,
                 "radius": "30%", "border": {"width": 9, "color": "#00ff88"}, "opacity": 0.8}
            ],
            "auto": {"mode": "off"}
        }),
    );
}

#[test]
fn golden_people() {
    check(
        "people",
        &json!({
            "canvas": {"background": "#205020"},
            "layers": [
                {"id": "person", "source": {"participant": "ann"}, "x": -41, "y": 23, "width": 213, "cutout": "person"},
                {"id": "mirrored", "source": {"participant": "ann"}, "x": 103, "y": 61, "width": 159, "cutout": "person",
                 "mirror": true},
                {"id": "blurred", "source": {"participant": "ann"}, "x": 211, "y": 7, "width": 101, "height": 71,
                 "cutout": "person", "background": {"blur": 6}, "radius": 11},
                {"id": "small", "source": {"participant": "ann"}, "x": 251, "y": 101, "width": 61, "cutout": "person",
                 "opacity": 0.6},
                {"id": "turned", "source": {"participant": "ann"}, "x": 121, "y": 3, "width": 81, "cutout": "person",
                 "rotate": 20}
            ],
            "auto": {"mode": "off"}
        }),
    );
}
