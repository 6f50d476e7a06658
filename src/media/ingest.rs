//! Peer in, decoded and timed frames and samples out.
//!
//! ```text
//!   webrtcbin pad ─► depay ─► decode ─► colours, upright ─► queue (newest only) ─► bodypix ─► appsink ─► on_frame
//!   webrtcbin pad ─► depay ─► opusdec ─► 48 kHz ─► appsink ─► one side or two ─► on_samples
//! ```
//! Contract: `on_frame` gets I420, or A420 with the mask of that very frame as alpha; `on_samples` gets f32 samples of
//! one side, or of two where they differ. Threads: both are called on streaming threads of the peer's pipeline and must
//! not block. Failure: a decoder that gives up posts an error on the peer's bus; one that has no time leaves frames out
//! up to the next keyframe ([`backlog`]), of those first who are shown smallest. A picture that is too large, or that
//! cannot be decoded, is left out, and [`progress`] knows of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use gstreamer_video as gst_video;
use parking_lot::Mutex;
use tracing::debug;

pub mod backlog;
pub mod orientation;
pub mod progress;
pub mod tap;
pub mod width;

use backlog::{Backlog, Verdict};
use orientation::Turn;
use progress::Progress;
use width::Width;

use crate::media::{
    gst::{
        clock::media_clock,
        frame::{Shot, VideoFrame},
        launch::Launches,
        pipeline::named,
        priority::{self, Role},
        probe::LEFT_OUT,
        range,
        stage::StageError,
    },
    pictures::{Passing, on_pictures, seal},
    sdp::VIDEO_ORIENTATION,
};

/// Encoded frames that decoders had no time for, of all peers.
static SKIPPED: AtomicU64 = AtomicU64::new(0);

/// Returns encoded frames that were left out so far because decoding did not keep up, in all rooms.
pub fn skipped() -> u64 {
    SKIPPED.load(Ordering::Relaxed)
}

/// Returns the bin for an incoming video track. `segment` is given its `bodypix` element before it starts; `progress`
/// learns what comes; `on_wait` is called when a frame comes while the one before it still waits to be segmented, and
/// is dropped for it.
///
/// # Errors
/// When the launch text is wrong or an element is missing.
pub fn video(
    launches: &Launches,
    stage: &str,
    segment: impl FnOnce(gst::Element),
    progress: &Arc<Progress>,
    on_frame: impl Fn(Shot) + Send + Sync + 'static,
    on_wait: impl Fn() + Send + Sync + 'static,
) -> Result<gst::Bin, StageError> {
    let bin = launches.bin(stage)?;
    let segmenter: gst::Element = named(&bin, "bodypix")?;
    segment(segmenter.clone());
    let decoder = named(&bin, "decoder")?;
    limit_size(&decoder, progress);
    seal(&decoder);
    limit_backlog(&decoder, &segmenter);
    if let Some(pad) = decoder.static_pad("src") {
        range::announce_full_range(&pad);
    }
    if let Some(depay) = bin.by_name("depay") {
        count_packets(&depay, progress);
        if let Some(turn) = bin.by_name("turn") {
            turn_upright(&depay, &turn);
        }
    }
    let newest: gst::Element = named(&bin, "newest")?;
    newest.connect("overrun", false, move |_| {
        on_wait();
        None
    });
    let sink: AppSink = named(&bin, "frames")?;
    let progress = progress.clone();
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                if let Some(frame) = readable(&sample) {
                    progress.frame();
                    on_frame(frame.into());
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    Ok(bin)
}

/// Pixels of an incoming picture: 4K and a little. A keyframe of a few bytes may promise hundreds of megabytes.
const MAX_PIXELS: u64 = 4096 * 2304;

/// Leaves pictures out that are too large, before the decoder asks for the memory.
fn limit_size(decoder: &gst::Element, progress: &Arc<Progress>) {
    for pad in ["sink", "src"].into_iter().filter_map(|name| decoder.static_pad(name)) {
        let progress = progress.clone();
        let mut refused = false;
        let refused = Mutex::new(move |size: Option<(u32, u32)>| {
            if let Some((width, height)) = size {
                let is_too_large = u64::from(width) * u64::from(height) > MAX_PIXELS;
                if is_too_large || refused {
                    progress.too_large(is_too_large.then_some((width, height)));
                }
                refused = is_too_large;
            }
            refused
        });
        on_pictures(&pad, move |passing, size| {
            let is_refused = (refused.lock())(size);
            // Of events only those that announce such a picture.
            is_refused && (size.is_some() || passing == Passing::Picture)
        });
    }
}

/// Calls for each packet that goes into an element.
fn on_packets(element: &gst::Element, act: impl Fn(&gst::BufferRef) + Send + Sync + 'static) {
    let Some(pad) = element.static_pad("sink") else { return };
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => act(packet),
            Some(gst::PadProbeData::BufferList(packets)) => packets.iter().for_each(&act),
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

fn count_packets(depay: &gst::Element, progress: &Arc<Progress>) {
    let progress = progress.clone();
    on_packets(depay, move |_| progress.packet());
}

/// Has `videoflip` turn the picture as the sender's packets say, from the frame on whose packets say so.
fn turn_upright(depay: &gst::Element, turn: &gst::Element) {
    let (Some(sink), Some(src)) = (depay.static_pad("sink"), depay.static_pad("src")) else { return };
    // Id 0 means that nothing was negotiated.
    let (id, told) = (Arc::<AtomicU8>::default(), Arc::<Mutex<Option<Turn>>>::default());
    let negotiated = id.clone();
    sink.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) {
            negotiated.store(orientation_id(caps.caps()).unwrap_or(0), Ordering::Relaxed);
        }
        gst::PadProbeReturn::Ok
    });
    let telling = told.clone();
    on_packets(depay, move |packet| {
        let id = id.load(Ordering::Relaxed);
        if id != 0
            && let Ok(map) = packet.map_readable()
            && let Some(turn) = Turn::read(&map, id)
        {
            *telling.lock() = Some(turn);
        }
    });
    let (turn, done) = (turn.downgrade(), Mutex::new(None));
    src.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let wanted = *told.lock();
        let mut done = done.lock();
        if let (Some(way), Some(element)) = (wanted.filter(|_| wanted != *done), turn.upgrade()) {
            element.set_property_from_str("video-direction", way.direction());
            *done = wanted;
        }
        gst::PadProbeReturn::Ok
    });
}

/// Returns the id that an RTP stream's caps give the video orientation.
fn orientation_id(caps: &gst::CapsRef) -> Option<u8> {
    let fields = caps.structure(0)?;
    let mut ids = fields.iter().filter_map(|(name, value)| {
        let id = name.strip_prefix("extmap-")?.parse().ok()?;
        (value.get::<&str>().ok()? == VIDEO_ORIENTATION).then_some(id)
    });
    ids.next()
}

/// A frame that is no later than this is not worth a question: the least that anybody may be late is more.
const IN_TIME: Duration = Duration::from_millis(150);

/// Lets the decoder leave frames out when it is late. How late it may be says the segmentation, which knows how large
/// its people are shown; of an operator's element that does not say so everything is decoded.
fn limit_backlog(decoder: &gst::Element, segmenter: &gst::Element) {
    let (Some(sink), Some(src)) = (decoder.static_pad("sink"), decoder.static_pad("src")) else { return };
    let backlog = Arc::<Mutex<Backlog>>::default();
    let leaving = backlog.clone();
    src.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        leaving.lock().leaves(media_clock().now());
        gst::PadProbeReturn::Ok
    });
    let segmenter = segmenter.downgrade();
    let patience = move || {
        let told = segmenter.upgrade()?;
        told.has_property_with_type("patience", u64::static_type()).then(|| told.property::<u64>("patience"))
    };
    sink.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        priority::take(Role::Decode);
        let Some(frame) = info.buffer() else { return gst::PadProbeReturn::Ok };
        let now = media_clock().now();
        let late = frame.pts().map_or(Duration::ZERO, |pts| now.saturating_sub(pts.into()));
        let keyframe = !frame.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let patience = if late > IN_TIME { patience().map(Duration::from_nanos) } else { None };
        let verdict = backlog.lock().comes(now, late, keyframe, patience);
        if verdict == Verdict::Decode {
            return gst::PadProbeReturn::Ok;
        }
        SKIPPED.fetch_add(1, Ordering::Relaxed);
        if verdict == Verdict::SkipAndAsk {
            pad.push_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
        LEFT_OUT
    });
}

fn readable(sample: &gst::Sample) -> Option<VideoFrame> {
    let info = gst_video::VideoInfo::from_caps(sample.caps()?).ok()?;
    match VideoFrame::from_buffer_readable(sample.buffer_owned()?, &info) {
        Ok(frame) => Some(frame),
        Err(_) => {
            debug!("a decoded frame cannot be mapped and is left out");
            None
        }
    }
}

/// Decoded samples of a sender.
#[derive(Debug, Clone, Copy)]
pub enum Samples<'a> {
    /// The same on both sides.
    Mono(&'a [f32]),
    /// As many of the left side as of the right one.
    Stereo(&'a [f32], &'a [f32]),
}

/// Returns the bin for an incoming Opus track. `on_samples` is given the running time of the first sample too, if it is
/// known.
///
/// # Errors
/// As [`video`].
pub fn audio(
    launches: &Launches,
    stage: &str,
    on_samples: impl Fn(Samples<'_>, Option<Duration>) + Send + Sync + 'static,
) -> Result<gst::Bin, StageError> {
    let bin = launches.bin(stage)?;
    let sink: AppSink = named(&bin, "samples")?;
    let mut width = Width::default();
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                // An operator's own text may mix down itself.
                let channels = sample.caps().and_then(|caps| caps.structure(0)?.get::<i32>("channels").ok());
                let pts = sample.buffer().and_then(|buffer| buffer.pts()).map(Duration::from);
                // A buffer may hold more samples than one block.
                let timed = |samples: Samples<'_>, first: usize| {
                    on_samples(samples, pts.map(|pts| pts + Duration::from_micros(first as u64 * 1000 / 48)));
                };
                if let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) {
                    match channels {
                        Some(2) => with_stereo(map.as_slice(), &mut width, timed),
                        _ => with_samples(map.as_slice(), timed),
                    }
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    Ok(bin)
}

/// Works as [`with_samples`], of two channels.
fn with_stereo(bytes: &[u8], width: &mut Width, on_samples: impl Fn(Samples<'_>, usize)) {
    let (mut stereo, mut left, mut right) = ([[0f32; 2]; 960], [0f32; 960], [0f32; 960]);
    for (index, chunk) in bytes.chunks(stereo.len() * 8).enumerate() {
        let count = chunk.len() / 8;
        for (pair, bytes) in stereo.iter_mut().zip(chunk.as_chunks::<8>().0) {
            let [a, b, c, d, e, f, g, h] = *bytes;
            *pair = [[a, b, c, d], [e, f, g, h]].map(f32::from_le_bytes);
        }
        let (left, right) = (&mut left[..count], &mut right[..count]);
        let is_wide = width.mix(&stereo[..count], left, right);
        let samples = if is_wide { Samples::Stereo(left, right) } else { Samples::Mono(left) };
        on_samples(samples, index * stereo.len());
    }
}

/// Reads little-endian f32 samples out of bytes whose alignment nobody promises, without allocating. `on_samples` is
/// also given how many came before.
fn with_samples(bytes: &[u8], on_samples: impl Fn(Samples<'_>, usize)) {
    let mut block = [0f32; 960];
    for (index, chunk) in bytes.chunks(block.len() * 4).enumerate() {
        let count = chunk.len() / 4;
        for (sample, bytes) in block.iter_mut().zip(chunk.chunks_exact(4)) {
            *sample = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        on_samples(Samples::Mono(&block[..count]), index * block.len());
    }
}
