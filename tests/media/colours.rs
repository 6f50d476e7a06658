//! Senders' pictures on their way through the receiving stages: the colours that the stream says, square pixels, frames
//! in their order, and one field of two.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::channel,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video::{self as gst_video, prelude::*};
use parking_lot::Mutex;
use virfie::media::{
    file::Player,
    gst::{frame::VideoFrame, launch::Launches, range},
};

use super::frames::{PATIENCE, run, turn};

/// Orange, whose red and blue differ most between the matrices.
const COLOUR: [u8; 3] = [230, 120, 40];

/// Returns the last of some frames of one colour that were sent as H.264 with these caps.
fn received(caps: &str, options: &str) -> gst::Sample {
    let [r, g, b] = COLOUR;
    let text = format!(
        "videotestsrc pattern=solid-color foreground-color=0xff{r:02x}{g:02x}{b:02x} num-buffers=10 \
         ! video/x-raw,format=BGRA,framerate=30/1,{} ! videoconvert ! video/x-raw,format=I420,{caps} \
         ! x264enc tune=zerolatency speed-preset=ultrafast quantizer=4 option-string=\"{options}\" \
         ! rtph264pay name=pay",
        caps.split(",colorimetry").next().unwrap()
    );
    through(&text, |_| {}).pop().unwrap_or_else(|| panic!("no frame of {caps}"))
}

/// Returns the frames that come of a text that ends with `rtph264pay name=pay`; `feed` is called while it plays.
fn through(text: &str, feed: impl FnOnce(&gst::Pipeline)) -> Vec<gst::Sample> {
    let pipeline = gst::parse::launch(text).unwrap().downcast::<gst::Pipeline>().unwrap();
    let bin = Launches::load(None).unwrap().bin("receive-h264").unwrap();
    range::announce_full_range(&bin.by_name("decoder").unwrap().static_pad("src").unwrap());
    pipeline.add(&bin).unwrap();
    let pay = pipeline.by_name("pay").unwrap().static_pad("src").unwrap();
    pay.link(&bin.static_pad("sink").unwrap()).unwrap();
    let frames = bin.by_name("frames").unwrap().downcast::<AppSink>().unwrap();
    frames.set_drop(false);
    frames.set_max_buffers(0);
    bin.by_name("newest").unwrap().set_property_from_str("leaky", "no");
    pipeline.set_state(gst::State::Playing).unwrap();
    feed(&pipeline);
    let samples = std::iter::from_fn(|| frames.try_pull_sample(gst::ClockTime::from_seconds(10))).collect();
    pipeline.set_state(gst::State::Null).unwrap();
    samples
}

/// Returns the luma of a column of a frame.
fn column(sample: &gst::Sample) -> Vec<i32> {
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().unwrap(), &info).unwrap();
    let (stride, data) = (frame.plane_stride()[0] as usize, frame.plane_data(0).unwrap());
    (0..info.height() as usize).map(|row| i32::from(data[row * stride + 100])).collect()
}

/// Pushes gray frames of 320x180, whose even and odd rows have the luma that is given for each.
fn push(pipeline: &gst::Pipeline, flags: gst_video::VideoBufferFlags, lumas: impl Iterator<Item = [u8; 2]>) {
    let src = pipeline.by_name("in").unwrap().downcast::<AppSrc>().unwrap();
    for (index, lumas) in lumas.enumerate() {
        let mut bytes = vec![128u8; 320 * 180 * 3 / 2];
        for (row, pixels) in bytes[..320 * 180].chunks_exact_mut(320).enumerate() {
            pixels.fill(lumas[row % 2]);
        }
        let mut frame = gst::Buffer::from_mut_slice(bytes);
        let stamps = frame.make_mut();
        stamps.set_pts(gst::ClockTime::from_mseconds(index as u64 * 40));
        stamps.set_flags(gst::BufferFlags::from_bits_retain(flags.bits()));
        src.push_buffer(frame).unwrap();
    }
    src.end_of_stream().unwrap();
}

/// Returns the colour of a frame as the canvas takes it: BT.601, limited range.
fn colour(sample: &gst::Sample) -> [f64; 3] {
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().unwrap(), &info).unwrap();
    let middle = |plane: u32, side: usize| {
        let stride = frame.plane_stride()[plane as usize] as usize;
        let (column, row) = (info.width() as usize / side / 2, info.height() as usize / side / 2);
        f64::from(frame.plane_data(plane).unwrap()[row * stride + column])
    };
    let (luma, u, v) = ((middle(0, 1) - 16.0) * 255.0 / 219.0, middle(1, 2) - 128.0, middle(2, 2) - 128.0);
    [luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u]
}

#[test]
fn a_stream_is_shown_in_the_colours_that_it_says() {
    let _turn = turn();
    virfie::media::gst::init().unwrap();
    let _ = virfie::media::segment::register(None);
    let silent = "colorprim=undef:transfer=undef:colormatrix=undef";
    let mut wrong = Vec::new();
    for (caps, options) in [
        ("width=320,height=180,colorimetry=bt601", ""),
        ("width=320,height=180,colorimetry=bt601", silent),
        ("width=320,height=180,colorimetry=bt709", ""),
        ("width=320,height=180,colorimetry=1:3:5:1", "fullrange=on"),
        ("width=320,height=180,colorimetry=1:4:16:4", "fullrange=on"),
        ("width=1280,height=720,colorimetry=1:4:16:4", "fullrange=on"),
        ("width=1280,height=720,colorimetry=bt709", ""),
        ("width=1280,height=720,colorimetry=bt709", silent),
        ("width=1280,height=720,colorimetry=bt601", ""),
    ] {
        let seen = colour(&received(caps, options));
        println!("{caps} {options}: {seen:.1?}");
        let far = seen.iter().zip(COLOUR).any(|(is, should)| (is - f64::from(should)).abs() > 3.5);
        if far {
            wrong.push(format!("{caps} {options}: {seen:.1?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pixels_become_square() {
    let _turn = turn();
    virfie::media::gst::init().unwrap();
    let _ = virfie::media::segment::register(None);
    for (caps, size) in [
        ("width=720,height=576,pixel-aspect-ratio=64/45,colorimetry=bt601", (1024, 576)),
        ("width=720,height=480,pixel-aspect-ratio=1/1,colorimetry=bt601", (720, 480)),
    ] {
        let sample = received(caps, "");
        let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
        assert_eq!((info.width(), info.height()), size, "{caps}");
    }
}

#[test]
fn frames_that_are_sent_out_of_order_are_shown_in_order() {
    let _turn = turn();
    virfie::media::gst::init().unwrap();
    let _ = virfie::media::segment::register(None);
    let text = "appsrc name=in format=time caps=video/x-raw,format=I420,width=320,height=180,framerate=25/1 \
                ! x264enc bframes=3 b-adapt=false threads=1 quantizer=4 option-string=scenecut=0 ! video/x-h264,profile=main ! rtph264pay name=pay";
    let goes_back = Arc::new(AtomicBool::new(false));
    let noted = goes_back.clone();
    let frames = through(text, |pipeline| {
        let latest = Mutex::new(None);
        let pad = pipeline.by_name("pay").unwrap().static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let (pts, mut latest) = (info.buffer().unwrap().pts(), latest.lock());
            noted.fetch_or(pts < *latest, Ordering::Relaxed);
            *latest = pts.max(*latest);
            gst::PadProbeReturn::Ok
        });
        push(pipeline, gst_video::VideoBufferFlags::empty(), (0..40).map(|index| [20 + 5 * index; 2]));
    });
    assert!(goes_back.load(Ordering::Relaxed), "there are B-frames");
    let lumas: Vec<i32> = frames.iter().map(|frame| column(frame)[90]).collect();
    println!("{lumas:?}");
    assert!(lumas.is_sorted() && lumas.len() > 30, "{lumas:?}");
    assert!((lumas.last().unwrap() - 215).abs() < 4, "{lumas:?}");
}

#[test]
fn of_an_interlaced_picture_one_field_is_shown() {
    let _turn = turn();
    virfie::media::gst::init().unwrap();
    let _ = virfie::media::segment::register(None);
    let text = "appsrc name=in format=time \
                caps=video/x-raw,format=I420,width=320,height=180,framerate=25/1,interlace-mode=interleaved,field-order=top-field-first \
                ! x264enc interlaced=true tune=zerolatency quantizer=4 ! rtph264pay name=pay";
    let flags = gst_video::VideoBufferFlags::INTERLACED | gst_video::VideoBufferFlags::TFF;
    let frames = through(text, |pipeline| push(pipeline, flags, (0..10).map(|_| [200, 60])));
    let rows = column(frames.last().expect("it is shown"));
    println!("{rows:?}");
    assert!(rows.iter().all(|row| (row - 200).abs() < 8), "{rows:?}");
}

#[test]
fn a_clip_of_full_range_is_shown_in_its_colours() {
    let _turn = turn();
    virfie::media::gst::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("full.mkv");
    let text = "videotestsrc pattern=solid-color foreground-color=0xff141414 num-buffers=10 \
                ! video/x-raw,format=BGRA,width=320,height=180,framerate=25/1 ! videoconvert \
                ! video/x-raw,format=I420,colorimetry=(string)1:4:16:4 \
                ! x264enc quantizer=4 option-string=fullrange=on ! h264parse ! matroskamux";
    run(&format!("{text} ! filesink location={}", file.display()));
    let (give, lumas) = channel();
    let push = move |frame: VideoFrame, _| give.send(frame.plane_data(0).unwrap()[100]).is_ok();
    let _player = Player::start(file, Launches::load(None).unwrap(), Arc::new(()), push).unwrap();
    let luma = lumas.recv_timeout(PATIENCE).unwrap();
    // 20 of 255 as limited range has it.
    assert!(luma.abs_diff(33) <= 2, "{luma}");
}
