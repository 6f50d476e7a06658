//! Senders' media as any encoder makes it: launch texts of its own, from the moment on when somebody is fed.

use std::{sync::Arc, time::Duration};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video as gst_video;
use parking_lot::Mutex;
use virfie::{
    bot::source::Source,
    media::{
        gst::clock::media_clock,
        port::{PeerId, VideoCodec},
    },
};

/// The source of a peer's frames and packets.
pub trait Sends: Send + Sync {
    /// Returns the codec of its picture; `None`: it sends sound alone.
    fn video(&self) -> Option<VideoCodec>;
    /// Returns whether it sends sound.
    fn has_sound(&self) -> bool;
    /// Begins, or goes on with these.
    fn feed(&self, peer: PeerId, video: Option<AppSrc>, audio: Option<AppSrc>);
    fn starve(&self, peer: PeerId);
    fn request_keyframe(&self);
}

impl Sends for Source {
    fn video(&self) -> Option<VideoCodec> {
        Some(self.codec())
    }

    fn has_sound(&self) -> bool {
        true
    }

    fn feed(&self, peer: PeerId, video: Option<AppSrc>, audio: Option<AppSrc>) {
        Source::feed(self, peer, video, audio);
    }

    fn starve(&self, peer: PeerId) {
        Source::starve(self, peer);
    }

    fn request_keyframe(&self) {
        Source::request_keyframe(self);
    }
}

/// The launch texts of picture and sound, for one peer.
pub struct Footage {
    /// Its codec, and a text that ends with its encoder.
    video: Option<(VideoCodec, String)>,
    audio: Option<String>,
    /// Whether its clock is one per cent fast.
    is_fast: bool,
    pipeline: Mutex<Option<gst::Pipeline>>,
}

/// Returns a tone, and encoder settings as usual.
pub fn tone(hertz: u32) -> String {
    format!(
        "audiotestsrc is-live=true samplesperbuffer=960 volume=0.2 freq={hertz} ! audio/x-raw,rate=48000,channels=1 ! opusenc"
    )
}

/// Returns one colour in these caps, encoded as H.264 with these options.
pub fn h264(colour: u32, caps: &str, options: &str) -> Option<(VideoCodec, String)> {
    let text = format!(
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xff{colour:06x} ! {caps} \
         ! x264enc speed-preset=ultrafast key-int-max=60 bitrate=600 {options} \
         ! video/x-h264,stream-format=byte-stream,alignment=au"
    );
    Some((VideoCodec::H264, text))
}

/// Returns one colour in these caps, encoded as VP8.
pub fn vp8(colour: u32, caps: &str) -> Option<(VideoCodec, String)> {
    let text = format!(
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xff{colour:06x} ! {caps} \
         ! vp8enc name=encoder deadline=1 cpu-used=16 target-bitrate=600000 keyframe-max-dist=60"
    );
    Some((VideoCodec::Vp8, text))
}

impl Footage {
    pub fn new(video: Option<(VideoCodec, String)>, audio: Option<String>) -> Self {
        virfie::media::gst::init().unwrap();
        Self { video, audio, is_fast: false, pipeline: Mutex::default() }
    }

    pub fn fast(mut self) -> Self {
        self.is_fast = true;
        self
    }

    /// Returns an element of the text, once it is fed.
    pub fn element(&self, name: &str) -> gst::Element {
        self.pipeline.lock().as_ref().expect("it is fed").by_name(name).expect("the text names it")
    }

    fn start(&self, video: Option<AppSrc>, audio: Option<AppSrc>) -> gst::Pipeline {
        let end = |name| format!("! appsink name={name} sync=false async=false max-buffers=0");
        let texts = [
            self.video.as_ref().map(|(_, text)| format!("{text} {}", end("video"))),
            self.audio.as_ref().map(|text| format!("{text} {}", end("audio"))),
        ];
        let text = texts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let pipeline = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
        pipeline.bus().unwrap().set_sync_handler(|_, message| {
            if let gst::MessageView::Error(error) = message.view() {
                eprintln!("footage: {} {:?}", error.error(), error.debug());
            }
            gst::BusSyncReply::Drop
        });
        if self.is_fast {
            let clock: gst::SystemClock = gst::glib::Object::new();
            let now = clock.internal_time();
            clock.set_calibration(now, now, 101, 100);
            pipeline.use_clock(Some(&clock));
        }
        // What leaves together is stamped together, on the clock of the peer.
        let offset = Arc::<Mutex<Option<Duration>>>::default();
        for (name, src) in [("video", video), ("audio", audio)] {
            let (Some(sink), Some(src)) = (pipeline.by_name(name), src) else { continue };
            let (offset, is_fast) = (offset.clone(), self.is_fast);
            sink.downcast::<AppSink>().unwrap().set_callbacks(
                AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
                        // Encoders count from where they like, and their segments say from where.
                        let running = |time: Option<gst::ClockTime>| Some(segment?.to_running_time(time?)?.into());
                        let unit = sample.buffer().unwrap();
                        let [pts, dts]: [Option<Duration>; 2] = [unit.pts(), unit.dts()].map(running);
                        let now = media_clock().now();
                        let mut offset = offset.lock();
                        let shift = *offset.get_or_insert(now.saturating_sub(pts.unwrap_or_default()));
                        let mut unit = unit.to_owned();
                        let stamps = unit.make_mut();
                        // A fast one would wait for its time in the peer, whose own clock is right.
                        let pts = if is_fast { Some(now) } else { pts.map(|pts| pts + shift) };
                        stamps.set_pts(pts.map(stamp));
                        stamps.set_dts(dts.filter(|_| !is_fast).map(|dts| stamp(dts + shift)));
                        // Fails only while the peer goes down.
                        let _ = src.push_buffer(unit);
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            );
        }
        pipeline.set_state(gst::State::Playing).unwrap();
        pipeline
    }
}

fn stamp(time: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(time.as_nanos()).unwrap())
}

impl Sends for Footage {
    fn video(&self) -> Option<VideoCodec> {
        self.video.as_ref().map(|(codec, _)| *codec)
    }

    fn has_sound(&self) -> bool {
        self.audio.is_some()
    }

    fn feed(&self, _: PeerId, video: Option<AppSrc>, audio: Option<AppSrc>) {
        *self.pipeline.lock() = Some(self.start(video, audio));
    }

    fn starve(&self, _: PeerId) {
        if let Some(pipeline) = self.pipeline.lock().take() {
            let _ = pipeline.set_state(gst::State::Null);
        }
    }

    fn request_keyframe(&self) {
        let sink = self.pipeline.lock().as_ref().and_then(|pipeline| pipeline.by_name("video"));
        if let Some(pad) = sink.and_then(|sink| sink.static_pad("sink")) {
            pad.push_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
    }
}

impl Drop for Footage {
    fn drop(&mut self) {
        self.starve(PeerId(0));
    }
}
