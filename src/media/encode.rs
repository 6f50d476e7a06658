//! One encoding per codec, shared by everybody who receives it.
//!
//! ```text
//!   composed frame ─► appsrc ─► x264enc / vp8enc ─► appsink ─► on_unit (H.264 access unit or VP8 frame)
//!                                   ▲ force-key-unit ◄─ keyframe arbiter ◄─ PLI, FIR, new receivers
//! ```
//! Contract: frames carry running time as PTS, and units leave with the same PTS; a unit without `DELTA_UNIT` is a
//! keyframe with its headers. Threads: the encoder's own; `on_unit` must not block. Failure: reported on the bus; one
//! that hangs says nothing, and is known by [`Encoder::is_hung`]. When the encoder falls behind, frames are dropped
//! before it and counted; the clock never waits.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video as gst_video;
use parking_lot::Mutex;

mod broadcast;
pub mod keyframe;
mod leveller;
pub mod sound;

use keyframe::KeyframeArbiter;

use crate::media::{
    codec::{bitrate_for, encoder_patience},
    gst::{
        clock::media_clock,
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
        stage::StageError,
    },
    port::{Rendition, Speed, VideoCodec, VideoSettings},
};

/// Between two forced keyframes: each costs several times a delta frame, and a room of viewers asks in chorus.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// The same for an encoding whose receivers are few, and whose keyframes come by themselves, too.
const SELDOM: Duration = Duration::from_secs(1);

/// Between two keyframes that nobody asked for: RTMP servers cut their segments there.
const GOP: Duration = Duration::from_secs(2);

/// The longest queue before the encoder. More would only be latency.
const BACKLOG: Duration = Duration::from_millis(100);

/// No frame waits for its unit.
const NOTHING: u64 = u64::MAX;

/// The reason why an encoder cannot start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Its stage cannot be built: for the operator to mend.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// There is no memory to measure how loud the sound is.
    #[error(transparent)]
    Loudness(#[from] ebur128::Error),
}

/// A running encoder.
#[derive(Debug)]
pub struct Encoder {
    owned: OwnedPipeline,
    frames: AppSrc,
    element: gst::Element,
    arbiter: std::sync::Arc<Mutex<KeyframeArbiter>>,
    caps: Mutex<Option<gst::Caps>>,
    dropped: AtomicU64,
    /// Moment at which the first frame was brought after which no unit has come, in nanoseconds; [`NOTHING`]: units
    /// have come for all.
    waits_since: std::sync::Arc<AtomicU64>,
    /// One that takes frames and gives nothing for longer hangs.
    patience: Duration,
}

/// The stream that an encoder makes of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    /// For browsers: at once, and a keyframe whenever somebody cannot go on without one.
    Live {
        /// H.264 or VP8.
        codec: VideoCodec,
        /// Bits a second.
        bitrate: u32,
        /// Frames a second.
        fps: u32,
    },
    /// For platforms, other servers and recordings: H.264, scaled and at a steady rate, keyframes at equal distances,
    /// and at no others that nobody asks for.
    Broadcast(VideoSettings, Speed),
}

impl Encoder {
    /// Starts an encoder of frames.
    ///
    /// # Errors
    /// When an element is missing or the launch text is wrong.
    pub fn start(
        name: &str,
        recipe: Recipe,
        launches: &Launches,
        on_unit: impl Fn(gst::Buffer) + Send + Sync + 'static,
        on_error: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, EncodeError> {
        let (stage, role) = match recipe {
            Recipe::Live { codec: VideoCodec::H264, .. } => ("encode-h264", Role::Encode),
            Recipe::Live { .. } => ("encode-vp8", Role::Encode),
            Recipe::Broadcast(..) => ("encode-broadcast", Role::Broadcast),
        };
        let owned = OwnedPipeline::new(name).works_as(role);
        owned.stage(launches, stage)?;
        let frames: AppSrc = owned.element("frames")?;
        let element: gst::Element = owned.element("encoder")?;
        let sink: AppSink = owned.element("units")?;
        match recipe {
            Recipe::Live { bitrate, fps, .. } => {
                let gop = u32::try_from(GOP.as_secs()).unwrap_or(2) * fps;
                tune(&element, bitrate, gop);
            }
            Recipe::Broadcast(settings, speed) => broadcast::tune(&owned, &element, &settings, speed)?,
        }
        // The others look at no frame ahead.
        let fps = match recipe {
            Recipe::Broadcast(VideoSettings { fps, low_delay: false, .. }, _) => fps,
            _ => u32::MAX,
        };
        let interval = if matches!(recipe, Recipe::Live { .. }) { KEYFRAME_INTERVAL } else { SELDOM };
        let arbiter = std::sync::Arc::new(Mutex::new(KeyframeArbiter::new(interval)));
        let on_keyframe = arbiter.clone();
        let waits_since = std::sync::Arc::new(AtomicU64::new(NOTHING));
        let on_sample = waits_since.clone();
        sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    on_sample.store(NOTHING, Ordering::Relaxed);
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    if let Some(unit) = in_running_time(&sample) {
                        if !unit.flags().contains(gst::BufferFlags::DELTA_UNIT) {
                            let begun = unit.pts().map_or(Duration::ZERO, |pts| Duration::from_nanos(pts.nseconds()));
                            on_keyframe.lock().produced(begun);
                        }
                        on_unit(unit);
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        owned.on_bus(move |news| {
            if let BusNews::Error { element, text, detail } = news {
                on_error(format!("{element}: {text} ({detail})"));
            }
        });
        let (caps, dropped, patience) = (Mutex::default(), AtomicU64::new(0), encoder_patience(fps));
        Ok(Self { owned, frames, element, arbiter, caps, dropped, waits_since, patience })
    }

    /// Encodes a composed frame, or drops it when too many wait.
    pub fn push(&self, frame: &gst::Buffer, caps: &gst::Caps) {
        let now = media_clock().now();
        let first = {
            let mut current = self.caps.lock();
            if current.as_ref() == Some(caps) {
                false
            } else {
                let first = current.replace(caps.clone()).is_none();
                if first {
                    handoff::configure(&self.frames, caps);
                } else {
                    self.frames.set_caps(Some(caps));
                }
                first
            }
        };
        if first && self.owned.play().is_err() {
            return;
        }
        // Fails while an earlier frame waits.
        let _ = self.waits_since.compare_exchange(NOTHING, nanoseconds(now), Ordering::Relaxed, Ordering::Relaxed);
        if handoff::queued(&self.frames) > BACKLOG {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let due = self.arbiter.lock().due(now);
        if due {
            self.force_keyframe();
        }
        // Fails only while the pipeline goes down; its owner knows.
        let _ = self.frames.push_buffer(frame.clone());
    }

    /// Notes that somebody cannot go on without a keyframe.
    pub fn request_keyframe(&self) {
        let decision = self.arbiter.lock().request(media_clock().now());
        if decision == keyframe::Decision::Force {
            self.force_keyframe();
        }
    }

    fn force_keyframe(&self) {
        if let Some(pad) = self.element.static_pad("src") {
            pad.send_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
    }

    /// Returns whether it takes frames and gives nothing.
    pub fn is_hung(&self, now: Duration) -> bool {
        let since = self.waits_since.load(Ordering::Relaxed);
        since != NOTHING && nanoseconds(now).saturating_sub(since) > nanoseconds(self.patience)
    }

    /// Counts the time that it has taken so far for nothing.
    pub fn forgive(&self) {
        self.waits_since.store(NOTHING, Ordering::Relaxed);
    }

    /// Returns frames dropped before the encoder so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Returns bits a second of a rendition of this canvas (width, height, frames a second). The smaller ones are for lines
/// that carry little: a half goes with its sound through 700 kbit/s, and a quarter through 200, at 1280x720.
pub fn bitrate_of(rendition: Rendition, canvas: (u32, u32, u32)) -> u32 {
    let (width, height, fps) = rendition.of(canvas);
    let bits = |share: f64, least| {
        let bits = f64::from(width) * f64::from(height) * f64::from(fps) * share;
        (bits as u32).clamp(least, 4_000_000)
    };
    match rendition {
        Rendition::Full => bitrate_for(width, height, fps),
        Rendition::Half => bits(0.055, 100_000),
        Rendition::Quarter => bits(0.085, 50_000),
    }
}

/// `bitrate` counts kilobits in x264enc (at most 2,048,000) and most hardware encoders, and bits in openh264enc, whose
/// maximum is far above that.
const KILOBITS_UP_TO: u64 = 10_000_000;

/// Sets what depends on the room, each property only where this encoder has it (operators may use another one).
fn tune(element: &gst::Element, bitrate: u32, gop: u32) {
    let in_kilobits = element.find_property("bitrate").is_some_and(|spec| maximum(&spec) <= KILOBITS_UP_TO);
    for (property, value) in [
        ("bitrate", if in_kilobits { bitrate / 1000 } else { bitrate }),
        ("target-bitrate", bitrate),
        ("key-int-max", gop),
        ("gop-size", gop),
        ("keyframe-max-dist", gop),
    ] {
        if let Some(spec) = element.find_property(property) {
            let value = value.to_value();
            if let Ok(value) = value.transform_with_type(spec.value_type()) {
                element.set_property_from_value(property, &value);
            }
        }
    }
}

/// Returns the largest value of a whole-number property; of any other, none.
fn maximum(spec: &gst::glib::ParamSpec) -> u64 {
    use gst::glib::{ParamSpecInt, ParamSpecUInt};
    let signed = spec.downcast_ref::<ParamSpecInt>().and_then(|spec| u64::try_from(spec.maximum()).ok());
    signed.or_else(|| spec.downcast_ref::<ParamSpecUInt>().map(|spec| u64::from(spec.maximum()))).unwrap_or(0)
}

/// Returns the unit with running time as PTS and DTS. x264enc starts its segment at 1000 hours, to have room for
/// negative DTS.
fn in_running_time(sample: &gst::Sample) -> Option<gst::Buffer> {
    let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
    let mut unit = sample.buffer_owned()?;
    let pts = segment.to_running_time(unit.pts()?)?;
    // Before the segment's begin only within a room's first moments.
    let dts = unit.dts().and_then(|dts| segment.to_running_time_full(dts)?.positive()).unwrap_or(pts);
    let buffer = unit.make_mut();
    buffer.set_pts(pts);
    buffer.set_dts(dts.min(pts));
    Some(unit)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NOTHING - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_get_the_bitrate_in_their_own_unit() {
        crate::media::gst::init().expect("the test machine has GStreamer");
        for (factory, property, want) in [
            ("x264enc", "bitrate", 2500u32),
            ("openh264enc", "bitrate", 2_500_000),
            ("vp8enc", "target-bitrate", 2_500_000),
        ] {
            let Ok(element) = gst::ElementFactory::make(factory).build() else {
                eprintln!("{factory} is not installed and is left out");
                continue;
            };
            tune(&element, 2_500_000, 60);
            let got =
                element.property_value(property).transform::<u32>().ok().and_then(|value| value.get::<u32>().ok());
            assert_eq!(got, Some(want), "{factory}");
        }
    }

    #[test]
    fn the_bitrate_follows_the_canvas_within_bounds() {
        assert_eq!(bitrate_for(1280, 720, 30), 2_488_320);
        assert_eq!(bitrate_for(64, 64, 1), 150_000);
        assert_eq!(bitrate_for(3840, 2160, 60), 12_000_000);
    }

    #[test]
    fn smaller_renditions_leave_room_for_sound_on_narrow_lines() {
        let canvas = (1280, 720, 30);
        assert_eq!(Rendition::ALL.map(|one| bitrate_of(one, canvas)), [2_488_320, 380_160, 73_440]);
    }
}
