//! The media that a peer got, decoded: its newest picture, its last seconds of sound, and when keyframes came.

#![allow(dead_code)]

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use gstreamer_video::{self as gst_video, prelude::*};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::timeout};
use virfie::{
    bot::participant::TrackHook,
    media::{
        gst::frame::VideoFrame,
        port::VideoCodec,
        webrtc::line::{LineCodec, LineFormat},
    },
};

use super::server::PATIENCE;

pub const RED: [i32; 3] = [255, 0, 0];
pub const GREEN: [i32; 3] = [0, 255, 0];
pub const BLUE: [i32; 3] = [0, 0, 255];
/// The colour of the canvas where nothing else is.
pub const BACKGROUND: [i32; 3] = [0x11; 3];

/// Samples a second.
pub const RATE: usize = 48_000;

/// Number of samples that are kept.
const KEPT: usize = 2 * RATE;

/// One decoded frame of the mix.
pub struct Picture {
    frame: VideoFrame,
    /// Moment at which it came out of the decoder.
    pub at: Instant,
}

impl Picture {
    pub fn size(&self) -> (u32, u32) {
        (self.frame.width(), self.frame.height())
    }

    /// Returns the mean red, green and blue around a place, given as parts of width and height.
    pub fn colour(&self, x: f64, y: f64) -> [i32; 3] {
        let mean = |plane: u32, scale: usize| {
            let (width, height) = (self.frame.width() as usize / scale, self.frame.height() as usize / scale);
            let stride = self.frame.plane_stride()[plane as usize] as usize;
            let data = self.frame.plane_data(plane).unwrap();
            let reach = 4 / scale;
            let column = ((x * width as f64) as usize).clamp(reach, width - 1 - reach);
            let row = ((y * height as f64) as usize).clamp(reach, height - 1 - reach);
            let mut sum = 0.0;
            for row in row - reach..=row + reach {
                for column in column - reach..=column + reach {
                    sum += f64::from(data[row * stride + column]);
                }
            }
            sum / ((2 * reach + 1) * (2 * reach + 1)) as f64
        };
        let (luma, u, v) = (1.164 * (mean(0, 1) - 16.0), mean(1, 2) - 128.0, mean(2, 2) - 128.0);
        [luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u].map(|it| it.round().clamp(0.0, 255.0) as i32)
    }

    /// Returns whether the place has this colour, as far as two lossy encodings leave it.
    pub fn shows(&self, x: f64, y: f64, colour: [i32; 3]) -> bool {
        self.colour(x, y).iter().zip(colour).all(|(is, should)| (is - should).abs() <= 50)
    }
}

type Alarm = Box<dyn Fn(&Picture) -> bool + Send>;

#[derive(Default)]
struct Inner {
    newest: Option<Arc<Picture>>,
    pictures: u64,
    keyframes: Vec<Duration>,
    /// Left and right.
    samples: VecDeque<[f32; 2]>,
    heard: u64,
    alarm: Option<Alarm>,
    rang: bool,
    video: Option<glib::WeakRef<gst::Pad>>,
}

/// Filled by a peer's threads, awaited by tests.
#[derive(Default)]
pub struct Recorder {
    inner: Mutex<Inner>,
    changed: Notify,
}

/// The part of the mix that is decoded; the rest is only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    Nothing,
    Picture,
    Sound,
    Both,
}

impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        write!(f, "{} pictures, {} keyframes, {} samples", inner.pictures, inner.keyframes.len(), inner.heard)?;
        if let Some(picture) = &inner.newest {
            let places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75), (0.5, 0.5)];
            let colours: Vec<_> = places.iter().map(|(x, y)| picture.colour(*x, *y)).collect();
            write!(f, ", newest {:?} {colours:?}", picture.size())?;
        }
        Ok(())
    }
}

impl Recorder {
    /// Has a bot or client decode into this recorder.
    pub fn hook(self: &Arc<Self>, attention: Attention) -> TrackHook {
        let recorder = self.clone();
        Arc::new(move |codec: LineCodec| match (codec.format, attention) {
            (LineFormat::Opus, Attention::Sound | Attention::Both) => Some(recorder.sound()),
            (LineFormat::Video(codec), Attention::Picture | Attention::Both) => Some(recorder.video(codec)),
            _ => None,
        })
    }

    fn video(self: &Arc<Self>, codec: VideoCodec) -> gst::Bin {
        let decode = match codec {
            VideoCodec::H264 => {
                "rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse \
                 ! video/x-h264,stream-format=byte-stream,alignment=au ! identity name=units ! avdec_h264 max-threads=1"
            }
            _ => "rtpvp8depay request-keyframe=true wait-for-keyframe=true ! identity name=units ! vp8dec",
        };
        let bin = bin(&format!(
            "{decode} ! videoconvert n-threads=1 ! video/x-raw,format=I420 \
             ! appsink name=out sync=false async=false max-buffers=4 drop=true enable-last-sample=false"
        ));
        let recorder = self.clone();
        let units = bin.by_name("units").unwrap().static_pad("src").unwrap();
        units.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(unit) = info.buffer()
                && let (Ok(map), Some(pts)) = (unit.map_readable(), unit.pts())
                && is_keyframe(codec, map.as_slice())
            {
                recorder.inner.lock().keyframes.push(Duration::from_nanos(pts.nseconds()));
                recorder.changed.notify_waiters();
            }
            gst::PadProbeReturn::Ok
        });
        let recorder = self.clone();
        on_sample(&bin, move |sample| {
            let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
            let frame = VideoFrame::from_buffer_readable(sample.buffer_owned().unwrap(), &info).unwrap();
            let picture = Arc::new(Picture { frame, at: Instant::now() });
            let mut inner = recorder.inner.lock();
            inner.pictures += 1;
            if inner.alarm.as_ref().is_some_and(|alarm| alarm(&picture)) {
                inner.rang = true;
            }
            inner.newest = Some(picture);
            drop(inner);
            recorder.changed.notify_waiters();
        });
        self.inner.lock().video = bin.static_pad("sink").map(|pad| pad.downgrade());
        bin
    }

    fn sound(self: &Arc<Self>) -> gst::Bin {
        let bin = bin(
            "rtpopusdepay ! capssetter caps=audio/x-opus,channels=2 ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved \
             ! appsink name=out sync=false async=false max-buffers=50 drop=true enable-last-sample=false",
        );
        let recorder = self.clone();
        on_sample(&bin, move |sample| {
            let map = sample.buffer().unwrap().map_readable().unwrap();
            let block = map.as_slice().as_chunks::<8>().0.iter().map(|pair| {
                let [a, b, c, d, e, f, g, h] = *pair;
                [f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h])]
            });
            let mut inner = recorder.inner.lock();
            let before = inner.samples.len();
            inner.samples.extend(block);
            let new = (inner.samples.len() - before) as u64;
            inner.heard += new;
            let excess = inner.samples.len().saturating_sub(KEPT);
            inner.samples.drain(..excess);
            drop(inner);
            recorder.changed.notify_waiters();
        });
        bin
    }

    /// Looks at every change until something is found. Fails after [`PATIENCE`].
    async fn wait<T>(&self, what: &str, mut look: impl FnMut(&Inner) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                let found = look(&self.inner.lock());
                if let Some(found) = found {
                    return found;
                }
                changed.await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; there are {self}"))
    }

    /// Returns the first of the newest pictures that is as it should be.
    pub async fn picture(&self, what: &str, fits: impl Fn(&Picture) -> bool) -> Arc<Picture> {
        self.wait(what, |inner| inner.newest.clone().filter(|picture| fits(picture))).await
    }

    /// Waits for so many more pictures.
    pub async fn more_pictures(&self, count: u64) {
        let target = self.pictures() + count;
        self.wait("more pictures", |inner| (inner.pictures >= target).then_some(())).await;
    }

    pub fn pictures(&self) -> u64 {
        self.inner.lock().pictures
    }

    /// Returns samples heard so far.
    pub fn heard(&self) -> u64 {
        self.inner.lock().heard
    }

    /// Returns when keyframes came so far, on the stream's own time line.
    pub fn keyframes(&self) -> Vec<Duration> {
        self.inner.lock().keyframes.clone()
    }

    /// Watches every picture from now on; [`Recorder::rang`] returns whether one of them was such.
    pub fn set_alarm(&self, alarm: impl Fn(&Picture) -> bool + Send + 'static) {
        self.inner.lock().alarm = Some(Box::new(alarm));
    }

    pub fn rang(&self) -> bool {
        self.inner.lock().rang
    }

    /// Returns the next so many samples, all of them heard after this call; at most two seconds. The mean of both
    /// sides.
    pub async fn fresh_samples(&self, count: usize) -> Vec<f32> {
        let [left, right] = self.fresh_sides(count).await;
        left.iter().zip(right).map(|(left, right)| (left + right) / 2.0).collect()
    }

    /// Returns the same, left and right.
    pub async fn fresh_sides(&self, count: usize) -> [Vec<f32>; 2] {
        assert!(count <= KEPT);
        let target = self.heard() + count as u64;
        self.wait("sound", |inner| {
            let samples = || inner.samples.range(inner.samples.len() - count..);
            (inner.heard >= target).then(|| [0, 1].map(|side| samples().map(|pair| pair[side]).collect()))
        })
        .await
    }

    /// Asks the sender of the video for a keyframe, as a decoder does that has lost something.
    pub fn request_keyframe(&self) {
        let pad = self.inner.lock().video.as_ref().and_then(|pad| pad.upgrade());
        let event = gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
        pad.expect("there is video").push_event(event);
    }
}

fn bin(text: &str) -> gst::Bin {
    gst::parse::bin_from_description(text, true).unwrap()
}

fn on_sample(bin: &gst::Bin, mut take: impl FnMut(&gst::Sample) + Send + 'static) {
    let sink = bin.by_name("out").unwrap().downcast::<AppSink>().unwrap();
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                take(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
}

/// Reads it from the bitstream itself: the first slice of an H.264 access unit, or the first bit of a VP8 frame.
pub fn is_keyframe(codec: VideoCodec, unit: &[u8]) -> bool {
    match codec {
        VideoCodec::H264 => {
            let mut kinds = unit.windows(4).filter(|it| it[..3] == [0, 0, 1]).map(|it| it[3] & 0x1f);
            kinds.find(|kind| matches!(kind, 1..=5)) == Some(5)
        }
        _ => unit.first().is_some_and(|byte| byte & 1 == 0),
    }
}

/// Returns how strong a tone is in some sound: about its amplitude.
pub fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let count = samples.len() as f64;
    let (mut real, mut imaginary, mut weight) = (0.0, 0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let at = index as f64;
        // Hann's window, so that a tone that is not a whole number of periods long does not spread.
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * at / count).cos();
        let phase = std::f64::consts::TAU * hertz * at / RATE as f64;
        real += f64::from(*sample) * window * phase.cos();
        imaginary += f64::from(*sample) * window * phase.sin();
        weight += window;
    }
    2.0 * real.hypot(imaginary) / weight
}

/// Returns one amplitude over another, in decibels.
pub fn decibels(one: f64, other: f64) -> f64 {
    20.0 * (one.max(1e-9) / other.max(1e-9)).log10()
}
