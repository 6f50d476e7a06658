//! Clips of every pixel format that a decoder gives: opaque where they are opaque, and of the right colour.

use std::{path::Path, time::Duration};

use gstreamer::{self as gst, prelude::*};
use virfie::media::{
    compose::{colour::Matrix, planes::I420},
    gst::launch::Launches,
    upload::Decoder,
};

use super::frames::turn;

const RED: [u8; 3] = [200, 29, 30];

/// Writes some frames of red, with this alpha; `false`, said aloud: the GStreamer that is installed does not write
/// this.
fn written(path: &Path, alpha: u8, caps: &str, coder: &str, muxer: &str) -> bool {
    let [r, g, b] = RED;
    let text = format!(
        "videotestsrc pattern=solid-color foreground-color=0x{alpha:02x}{r:02x}{g:02x}{b:02x} num-buffers=8 \
         ! video/x-raw,format=ARGB,framerate=30/1 ! videoconvert ! videoscale ! video/x-raw,{caps} \
         ! {coder} ! {muxer} ! filesink name=file"
    );
    let pipeline = match gst::parse::launch(&text) {
        Ok(pipeline) => pipeline.downcast::<gst::Pipeline>().unwrap(),
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return false;
        }
    };
    pipeline.by_name("file").unwrap().set_property("location", path);
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &kinds);
    pipeline.set_state(gst::State::Null).unwrap();
    let is_written = end.is_some_and(|end| end.type_() == gst::MessageType::Eos);
    if !is_written {
        eprintln!("SKIPPED: {text} ends early");
    }
    is_written
}

/// Returns the colour in the middle, and the alpha there.
fn middle(picture: &I420) -> ([u8; 3], u8) {
    let planes = picture.planes();
    let (column, row) = (planes.width / 2, planes.height / 2);
    let [u, v] = planes.chroma();
    let yuv = [planes.luma().row(row)[column], u.row(row / 2)[column / 2], v.row(row / 2)[column / 2]];
    let one = I420::from_data(1, 1, false, yuv.to_vec()).unwrap();
    let rgb = virfie::media::compose::colour::i420_to_rgb(&one.planes(), Matrix::Bt601);
    ([rgb[0], rgb[1], rgb[2]], planes.alpha().map_or(255, |alpha| alpha.row(row)[column]))
}

/// Returns what is wrong with clips of these formats.
fn faults(alpha: u8, clips: &[(&str, &str, &str)]) -> Vec<String> {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (mut faults, mut looked_at) = (Vec::new(), 0);
    for (index, (caps, coder, muxer)) in clips.iter().enumerate() {
        let path = folder.path().join(format!("{index}.mov"));
        if !written(&path, alpha, caps, coder, muxer) {
            continue;
        }
        looked_at += 1;
        let decoder = Decoder::new(None, None, Launches::load(None).unwrap());
        let (poster, length) = match decoder.clip(&path) {
            Ok(found) => found,
            Err(why) => {
                faults.push(format!("{caps} ! {coder}: {why}"));
                continue;
            }
        };
        assert!(length.is_none_or(|length| length < Duration::from_secs(2)));
        let (rgb, seen) = middle(poster.whole());
        let is_near = rgb.iter().zip(RED).all(|(is, should)| is.abs_diff(should) <= 3);
        let is_opaque = !poster.whole().has_alpha() || alpha < 255;
        if !is_near || !is_opaque || seen.abs_diff(alpha) > 3 {
            faults.push(format!("{caps} ! {coder}: {rgb:?}, alpha {seen}"));
        }
    }
    assert!(looked_at * 2 > clips.len(), "{looked_at} of {} are written", clips.len());
    faults
}

#[test]
fn what_is_opaque_stays_so_in_every_pixel_format() {
    const H264: &str = "x264enc speed-preset=ultrafast quantizer=4 pass=quant ! h264parse";
    const VP9: &str = "vp9enc deadline=1 cpu-used=8 max-quantizer=8";
    const VP8: &str = "vp8enc deadline=1 max-quantizer=8";
    const JPEG: &str = "jpegenc quality=97";
    let small = "width=64,height=48";
    let full = "width=64,height=48,colorimetry=1:4:7:1";
    let clips = [
        (format!("format=I420,{small}"), H264, "mp4mux"),
        (format!("format=Y42B,{small}"), H264, "mp4mux"),
        (format!("format=Y444,{small}"), H264, "mp4mux"),
        (format!("format=I420_10LE,{small}"), H264, "mp4mux"),
        (format!("format=I422_10LE,{small}"), H264, "mp4mux"),
        (format!("format=Y444_10LE,{small}"), H264, "mp4mux"),
        ("format=Y444,width=1280,height=720,colorimetry=bt709".to_owned(), H264, "mp4mux"),
        ("format=Y444,width=64,height=48,colorimetry=bt709".to_owned(), H264, "mp4mux"),
        ("format=I420,width=65,height=49".to_owned(), VP8, "webmmux"),
        ("format=I420,width=63,height=47".to_owned(), VP9, "webmmux"),
        (format!("format=Y444,{small}"), VP9, "webmmux"),
        ("format=Y444,width=65,height=33".to_owned(), VP9, "webmmux"),
        (format!("format=I420,{full}"), JPEG, "qtmux"),
        (format!("format=Y42B,{full}"), JPEG, "qtmux"),
        (format!("format=Y444,{full}"), JPEG, "qtmux"),
        (format!("format=Y444,{full}"), JPEG, "matroskamux"),
        ("format=I420,width=65,height=49,colorimetry=1:4:7:1".to_owned(), JPEG, "qtmux"),
        (format!("format=RGB,{small}"), "pngenc", "qtmux"),
        (format!("format=YUY2,{small}"), "matroskamux", "identity"),
        ("format=UYVY,width=64,height=48,colorimetry=bt601".to_owned(), "matroskamux", "identity"),
        (format!("format=RGB,{small}"), "qtmux", "identity"),
        (format!("format=BGR,{small}"), "matroskamux", "identity"),
    ];
    let clips: Vec<_> = clips.iter().map(|(caps, coder, muxer)| (caps.as_str(), *coder, *muxer)).collect();
    let faults = faults(255, &clips);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_is_half_transparent_stays_so_too() {
    let faults = faults(
        100,
        &[
            ("format=RGBA,width=64,height=48", "pngenc", "qtmux"),
            ("format=RGBA,width=65,height=47", "pngenc", "qtmux"),
            ("format=ARGB,width=64,height=48", "avenc_qtrle", "qtmux"),
        ],
    );
    assert!(faults.is_empty(), "{faults:#?}");
}
