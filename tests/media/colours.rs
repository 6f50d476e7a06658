//! What senders send, on its way through the receiving stages: the colours that its stream says, and square pixels.

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use gstreamer_video::{self as gst_video, prelude::*};
use virfie::media::gst::launch::Launches;

use super::frames::turn;

/// Orange, whose red and blue differ most between the matrices.
const COLOUR: [u8; 3] = [230, 120, 40];

/// The last of some frames of one colour that were sent as H.264 with these caps.
fn received(caps: &str, options: &str) -> gst::Sample {
    let [r, g, b] = COLOUR;
    let text = format!(
        "videotestsrc pattern=solid-color foreground-color=0xff{r:02x}{g:02x}{b:02x} num-buffers=10 \
         ! video/x-raw,format=BGRA,framerate=30/1,{} ! videoconvert ! video/x-raw,format=I420,{caps} \
         ! x264enc tune=zerolatency speed-preset=ultrafast quantizer=4 option-string=\"{options}\" \
         ! rtph264pay name=pay",
        caps.split(",colorimetry").next().unwrap()
    );
    let pipeline = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
    let bin = Launches::load(None).unwrap().bin("receive-h264").unwrap();
    pipeline.add(&bin).unwrap();
    let pay = pipeline.by_name("pay").unwrap().static_pad("src").unwrap();
    pay.link(&bin.static_pad("sink").unwrap()).unwrap();
    let frames = bin.by_name("frames").unwrap().downcast::<AppSink>().unwrap();
    frames.set_drop(false);
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut last = None;
    while let Some(sample) = frames.try_pull_sample(gst::ClockTime::from_seconds(10)) {
        last = Some(sample);
    }
    pipeline.set_state(gst::State::Null).unwrap();
    last.unwrap_or_else(|| panic!("no frame of {caps}"))
}

/// The colour of a frame as the canvas takes it: BT.601, limited range.
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
