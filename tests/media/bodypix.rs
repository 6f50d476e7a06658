use std::{fs, path::Path};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::{self as gst_video, prelude::*};
use tempfile::TempDir;

use super::frames::{model, shared, turn};

/// A pipeline that ends with its test.
pub struct Line(pub gst::Pipeline);

impl Line {
    pub fn new(text: &str) -> Self {
        Self(gst::parse::launch(text).unwrap().downcast::<gst::Pipeline>().unwrap())
    }

    pub fn element(&self, name: &str) -> gst::Element {
        self.0.by_name(name).unwrap()
    }

    pub fn play(&self) {
        if self.0.set_state(gst::State::Playing).is_err() {
            panic!("it does not play: {}", self.error());
        }
    }

    /// Returns the next sample at a sink.
    pub fn pull(&self, name: &str) -> gst::Sample {
        let sink = self.element(name).downcast::<AppSink>().unwrap();
        let sample = sink.try_pull_sample(gst::ClockTime::from_seconds(20));
        sample.unwrap_or_else(|| panic!("no sample at {name}: {}", self.error()))
    }

    /// Returns the first error on the bus.
    pub fn error(&self) -> String {
        let wanted = [gst::MessageType::Error, gst::MessageType::Eos];
        let message = self.0.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &wanted);
        match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => {
                format!("{} ({})", error.error(), error.debug().unwrap_or_default())
            }
            _ => String::new(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

fn info(sample: &gst::Sample) -> gst_video::VideoInfo {
    gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap()
}

/// Returns rows of one plane, without padding.
pub fn plane(sample: &gst::Sample, index: u32) -> Vec<Vec<u8>> {
    let info = info(sample);
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().unwrap(), &info).unwrap();
    let (width, height) = (info.comp_width(index as u8) as usize, info.comp_height(index as u8) as usize);
    let stride = usize::try_from(frame.plane_stride()[index as usize]).unwrap();
    let data = frame.plane_data(index).unwrap();
    (0..height).map(|row| data[row * stride..row * stride + width].to_vec()).collect()
}

/// Returns the mean of a square of 20 pixels around a place.
pub fn mean(rows: &[Vec<u8>], x: usize, y: usize) -> u32 {
    let square = rows[y - 10..y + 10].iter().flat_map(|row| &row[x - 10..x + 10]);
    square.map(|value| u32::from(*value)).sum::<u32>() / 400
}

/// The same frames beside the element and through it.
const BESIDE: &str = "tee name=t t. ! queue ! appsink name=plain sync=false max-buffers=8 t. ! queue ! bodypix name=cut \
                      ! appsink name=out sync=false max-buffers=8";

fn set_model(line: &Line, file: &Path) {
    line.element("cut").set_property("model", file.to_str().unwrap());
}

/// Checks that every frame comes out as it went in, as I420.
fn passes_untouched(line: &Line, frames: usize) {
    line.play();
    for number in 0..frames {
        let (plain, out) = (line.pull("plain"), line.pull("out"));
        assert_eq!(info(&out).format(), gst_video::VideoFormat::I420);
        assert_eq!(plain.caps(), out.caps());
        let (before, after) = (plain.buffer().unwrap(), out.buffer().unwrap());
        assert_eq!((before.pts(), before.duration()), (after.pts(), after.duration()), "frame {number}");
        assert!(before.pts().is_some());
        assert_eq!(before.map_readable().unwrap().as_slice(), after.map_readable().unwrap().as_slice());
    }
    assert_eq!(line.element("cut").property::<u64>("masks"), 0);
}

#[test]
fn without_a_cutout_frames_pass_untouched() {
    let _turn = turn();
    let source = "videotestsrc num-buffers=10 pattern=ball ! video/x-raw,format=I420,width=322,height=182 !";
    let line = Line::new(&format!("{source} {BESIDE}"));
    line.element("cut").set_property_from_str("cutout", "none");
    passes_untouched(&line, 10);
    if let Some(model) = model() {
        let line = Line::new(&format!("{source} {BESIDE}"));
        set_model(&line, &model);
        line.element("cut").set_property_from_str("cutout", "none");
        passes_untouched(&line, 10);
    }
}

#[test]
fn the_person_is_opaque_the_room_transparent_and_colours_and_times_stay() {
    let _turn = turn();
    let (Some(model), Some(clip)) = (model(), shared("video/asl_man_grey_tshirt.mp4")) else { return };
    let line = Line::new(&format!(
        "filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=I420,width=640,height=480 ! {BESIDE}"
    ));
    line.element("file").set_property("location", clip.to_str().unwrap());
    line.element("cut").set_property("despill", false);
    set_model(&line, &model);
    line.play();
    for number in 0..8 {
        let (plain, out) = (line.pull("plain"), line.pull("out"));
        let (before, after) = (info(&plain), info(&out));
        assert_eq!((before.format(), after.format()), (gst_video::VideoFormat::I420, gst_video::VideoFormat::A420));
        assert_eq!((before.width(), before.height(), before.fps()), (after.width(), after.height(), after.fps()));
        assert_eq!(plain.buffer().unwrap().pts(), out.buffer().unwrap().pts(), "frame {number}");
        for index in 0..3 {
            assert!(plane(&plain, index) == plane(&out, index), "frame {number}: plane {index} is as it was");
        }
        let alpha = plane(&out, 3);
        assert_eq!((alpha[0].len(), alpha.len()), (640, 480));
        // A man stands in the middle in front of a pale wall; a second one looks in at the right edge.
        for (what, x, y) in [("face", 315, 95), ("shirt", 310, 320), ("trousers", 300, 430)] {
            assert!(mean(&alpha, x, y) > 200, "frame {number}: {what} has {}", mean(&alpha, x, y));
        }
        for (what, x, y) in [("wall", 150, 40), ("ceiling", 430, 30), ("wall beside him", 140, 300)] {
            assert!(mean(&alpha, x, y) < 55, "frame {number}: {what} has {}", mean(&alpha, x, y));
        }
    }
    let cut = line.element("cut");
    let (masks, last, total): (u64, u64, u64) =
        (cut.property("masks"), cut.property("inference-time"), cut.property("total-time"));
    println!("{masks} masks, {:.1} ms each", total as f64 / masks as f64 / 1e6);
    assert!(masks >= 8 && last > 0 && total >= last);
}

#[test]
fn nv12_becomes_a420_of_the_same_colours() {
    let _turn = turn();
    let Some(model) = model() else { return };
    let line = Line::new(
        "videotestsrc num-buffers=4 pattern=smpte ! video/x-raw,format=NV12,width=322,height=182 ! tee name=t \
         t. ! queue ! videoconvert ! video/x-raw,format=I420 ! appsink name=plain sync=false \
         t. ! queue ! bodypix name=cut despill=false ! appsink name=out sync=false",
    );
    set_model(&line, &model);
    line.play();
    for number in 0..4 {
        let (plain, out) = (line.pull("plain"), line.pull("out"));
        assert_eq!(info(&out).format(), gst_video::VideoFormat::A420);
        assert_eq!(plain.buffer().unwrap().pts(), out.buffer().unwrap().pts(), "frame {number}");
        for index in 0..3 {
            assert!(plane(&plain, index) == plane(&out, index), "frame {number}: plane {index} is as it was");
        }
        assert_eq!(plane(&out, 3).len(), 182);
    }
}

/// Returns a line for frames by hand: one in, one out.
fn by_hand(model: &Path) -> (Line, AppSrc) {
    let line = Line::new(
        "appsrc name=in format=time ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 \
         ! bodypix name=cut ! appsink name=out sync=false",
    );
    let source = line.element("in").downcast::<AppSrc>().unwrap();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 320, 240)
        .fps(gst::Fraction::new(30, 1))
        .build()
        .unwrap();
    source.set_caps(Some(&info.to_caps().unwrap()));
    set_model(&line, model);
    line.play();
    (line, source)
}

fn step(line: &Line, source: &AppSrc, number: u64) -> gst::Sample {
    let mut frame = gst::Buffer::from_mut_slice(vec![128u8; 320 * 240 * 3 / 2]);
    let pts = gst::ClockTime::from_mseconds(number * 40);
    frame.get_mut().unwrap().set_pts(pts);
    source.push_buffer(frame).unwrap();
    let sample = line.pull("out");
    assert_eq!(sample.buffer().unwrap().pts(), Some(pts));
    sample
}

#[test]
fn the_caps_follow_the_cutout_while_it_runs() {
    let _turn = turn();
    use gst_video::VideoFormat::{A420, I420};
    let Some(model) = model() else { return };
    let (line, source) = by_hand(&model);
    let cut = line.element("cut");
    let mut number = 0;
    for (cutout, format) in [("person", A420), ("none", I420), ("person", A420), ("none", I420)] {
        cut.set_property_from_str("cutout", cutout);
        for _ in 0..3 {
            let out = step(&line, &source, number);
            assert_eq!(info(&out).format(), format, "frame {number}");
            let planes = if format == A420 { 320 * 240 * 5 / 2 } else { 320 * 240 * 3 / 2 };
            assert_eq!(out.buffer().unwrap().size(), planes, "frame {number}");
            number += 1;
        }
    }
    assert_eq!(cut.property::<u64>("masks"), 6, "masks are made for cutouts only");
}

#[test]
fn every_nth_frame_gets_a_fresh_mask_and_the_others_the_last_one() {
    let _turn = turn();
    let Some(model) = model() else { return };
    let (line, source) = by_hand(&model);
    line.element("cut").set_property("every", 3u32);
    for number in 0..9 {
        assert_eq!(info(&step(&line, &source, number)).format(), gst_video::VideoFormat::A420);
    }
    assert_eq!(line.element("cut").property::<u64>("masks"), 3);
}

#[test]
fn properties_have_their_ranges_and_defaults() {
    let _turn = turn();
    let cut = gst::ElementFactory::make("bodypix").build().unwrap();
    let range = |name: &str| {
        let spec = cut.find_property(name).unwrap();
        let spec = spec.downcast_ref::<glib::ParamSpecFloat>().unwrap();
        (spec.minimum(), spec.maximum())
    };
    assert_eq!(range("threshold"), (0.05, 0.95));
    assert_eq!(range("smoothing"), (0.0, 0.95));
    let every = cut.find_property("every").unwrap();
    let every = every.downcast_ref::<glib::ParamSpecUInt>().unwrap();
    assert_eq!((every.minimum(), every.maximum()), (1, 60));
    assert_eq!(cut.property::<u32>("every"), 1);
    assert_eq!(cut.property::<Option<String>>("model"), None);
    for name in ["inference-time", "masks", "total-time"] {
        let flags = cut.find_property(name).unwrap().flags();
        assert!(flags.contains(glib::ParamFlags::READABLE) && !flags.contains(glib::ParamFlags::WRITABLE), "{name}");
    }
    for (name, value) in [("threshold", 0.05f32), ("threshold", 0.95), ("smoothing", 0.0), ("smoothing", 0.95)] {
        cut.set_property(name, value);
        assert_eq!(cut.property::<f32>(name), value, "{name}");
    }
    cut.set_property("every", 60u32);
    assert_eq!(cut.property::<u32>("every"), 60);
    cut.set_property("model", "some.onnx");
    assert_eq!(cut.property::<Option<String>>("model").as_deref(), Some("some.onnx"));
}

#[test]
fn a_missing_or_broken_model_is_an_error_on_the_bus() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let file = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        file
    };
    let mut broken = vec![
        folder.path().join("missing.onnx"),
        file("empty.onnx", b""),
        file("text.onnx", b"this is no model\n"),
        file("zeros.onnx", &[0; 4096]),
        folder.path().to_owned(),
    ];
    if let Some(model) = model() {
        let whole = fs::read(model).unwrap();
        broken.push(file("half.onnx", &whole[..whole.len() / 2]));
        let mut scratched = whole;
        scratched[..2000].reverse();
        broken.push(file("scratched.onnx", &scratched));
    }
    for model in broken {
        let line = Line::new("videotestsrc num-buffers=5 ! video/x-raw,format=I420 ! bodypix name=cut ! fakesink");
        set_model(&line, &model);
        // It fails here, or a moment later on the streaming thread.
        let _ = line.0.set_state(gst::State::Playing);
        let error = line.error();
        assert!(error.contains(model.to_str().unwrap()), "{}: {error:?}", model.display());
    }
}
