//! x264 as platforms want it.

use gstreamer::{self as gst, prelude::*};

use crate::media::{
    gst::{pipeline::OwnedPipeline, stage::StageError},
    port::{Profile, RateControl, Speed, VideoSettings},
};

/// B-frames between two others, where the profile has them.
const B_FRAMES: u32 = 2;

/// Size of the encoder's buffer for a picture without delay, in milliseconds of its bit rate: more would wait on the
/// line.
const BUFFER: u32 = 300;

/// Sets what depends on the settings, each property only where this encoder has it (operators may use another one).
///
/// # Errors
/// When an element is missing.
pub(super) fn tune(
    pipeline: &OwnedPipeline,
    encoder: &gst::Element,
    settings: &VideoSettings,
    speed: Speed,
) -> Result<(), StageError> {
    let shape: gst::Element = pipeline.element("shape")?;
    let form: gst::Element = pipeline.element("form")?;
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let raw = gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", side(settings.width))
        .field("height", side(settings.height))
        .field("framerate", gst::Fraction::new(side(settings.fps), 1))
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1));
    shape.set_property("caps", raw.build());
    let encoded = gst::Caps::builder("video/x-h264")
        .field("stream-format", "byte-stream")
        .field("alignment", "au")
        .field("profile", settings.profile.name());
    form.set_property("caps", encoded.build());
    let gop = settings.keyframe_seconds * settings.fps;
    super::tune(encoder, settings.bitrate.saturating_mul(1000), gop);
    if encoder.find_property("speed-preset").is_some() {
        encoder.set_property_from_str("speed-preset", speed.name());
    }
    if settings.low_delay {
        if encoder.find_property("tune").is_some() {
            encoder.set_property_from_str("tune", "zerolatency");
        }
        if encoder.find_property("vbv-buf-capacity").is_some() {
            encoder.set_property("vbv-buf-capacity", BUFFER);
        }
    } else if settings.profile != Profile::Baseline && encoder.find_property("bframes").is_some() {
        encoder.set_property_from_str("bframes", &B_FRAMES.to_string());
    }
    if encoder.find_property("option-string").is_some() {
        encoder.set_property("option-string", options(settings, gop));
    }
    Ok(())
}

/// Writes what x264enc has no property for.
fn options(settings: &VideoSettings, gop: u32) -> String {
    let keyframes = format!("scenecut=0:open-gop=0:min-keyint={gop}");
    let kilobits = settings.bitrate;
    match settings.rate_control {
        // Filled up to the bit rate, with a buffer of a second as players of live streams have it.
        RateControl::Cbr => format!("{keyframes}:nal-hrd=cbr:force-cfr=1"),
        // As even as it can be without filling up.
        RateControl::Vbr if settings.low_delay => keyframes,
        RateControl::Vbr => {
            format!("{keyframes}:vbv-maxrate={}:vbv-bufsize={}", kilobits + kilobits / 2, kilobits.saturating_mul(3))
        }
    }
}
