//! Peer in, decoded and timed frames and samples out.
//!
//! ```text
//!   webrtcbin pad ─► depay ─► decode ─► queue (newest only) ─► bodypix ─► appsink ─► on_frame
//!   webrtcbin pad ─► depay ─► opusdec ─► 48 kHz mono ─► appsink ─► on_samples
//! ```
//! Contract: `on_frame` gets I420, or A420 with the mask of that very frame as alpha; `on_samples` gets f32 samples.
//! Threads: both are called on streaming threads of the peer's pipeline and must not block. Failure: a decoder that
//! gives up posts an error on the peer's bus; one that has no time leaves frames out up to the next keyframe
//! ([`backlog`]), of those first who are shown smallest.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};
use gstreamer_video as gst_video;
use tracing::debug;

pub mod backlog;

use backlog::{Backlog, Verdict};

use crate::media::gst::{
    clock::media_clock,
    frame::{Shot, VideoFrame},
    launch::Launches,
    pipeline::named,
    priority::{self, Role},
};

/// Encoded frames that decoders had no time for, of all peers.
static SKIPPED: AtomicU64 = AtomicU64::new(0);

/// Encoded frames that were left out so far because decoding did not keep up, in all rooms.
pub fn skipped() -> u64 {
    SKIPPED.load(Ordering::Relaxed)
}

/// The bin for an incoming video track. `segment` is given its `bodypix` element before it starts; `on_wait` is called
/// when a frame comes while the one before it still waits to be segmented, and is dropped for it.
///
/// # Errors
/// When the launch text is wrong or an element is missing.
pub fn video(
    launches: &Launches,
    stage: &str,
    segment: impl FnOnce(gst::Element),
    on_frame: impl Fn(Shot) + Send + Sync + 'static,
    on_wait: impl Fn() + Send + Sync + 'static,
) -> Result<gst::Bin, String> {
    let bin = launches.bin(stage).map_err(|error| error.to_string())?;
    let segmenter: gst::Element = named(&bin, "bodypix")?;
    segment(segmenter.clone());
    let decoder = named(&bin, "decoder")?;
    limit_size(&decoder);
    limit_backlog(&decoder, &segmenter);
    let newest: gst::Element = named(&bin, "newest")?;
    newest.connect("overrun", false, move |_| {
        on_wait();
        None
    });
    let sink: AppSink = named(&bin, "frames")?;
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                if let Some(frame) = readable(&sample) {
                    on_frame(frame.into());
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    Ok(bin)
}

/// Pixels of an incoming picture: 4K and a little. A keyframe of a few bytes may promise hundreds of megabytes.
const MAX_PIXELS: i64 = 4096 * 2304;

/// Ends the peer when a picture is too large, before its decoder asks for the memory.
fn limit_size(decoder: &gst::Element) {
    for pad in ["sink", "src"].into_iter().filter_map(|name| decoder.static_pad(name)) {
        let decoder = decoder.downgrade();
        let refused = std::sync::atomic::AtomicBool::new(false);
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view())
                && let Some(fields) = caps.caps().structure(0)
                && let (Ok(width), Ok(height)) = (fields.get::<i32>("width"), fields.get::<i32>("height"))
            {
                let too_large = i64::from(width) * i64::from(height) > MAX_PIXELS;
                refused.store(too_large, Ordering::Relaxed);
                if too_large && let Some(decoder) = decoder.upgrade() {
                    gst::element_error!(
                        decoder,
                        gst::StreamError::Format,
                        ["a picture of {width}x{height} is too large"]
                    );
                }
            }
            if refused.load(Ordering::Relaxed) { gst::PadProbeReturn::Drop } else { gst::PadProbeReturn::Ok }
        });
    }
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
        lock(&leaving).leaves(media_clock().now());
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
        let verdict = lock(&backlog).comes(now, late, keyframe, patience);
        if verdict == Verdict::Decode {
            return gst::PadProbeReturn::Ok;
        }
        SKIPPED.fetch_add(1, Ordering::Relaxed);
        if verdict == Verdict::SkipAndAsk {
            pad.push_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
        gst::PadProbeReturn::Drop
    });
}

fn lock(backlog: &Mutex<Backlog>) -> std::sync::MutexGuard<'_, Backlog> {
    backlog.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The bin for an incoming Opus track.
///
/// # Errors
/// As [`video`].
pub fn audio(
    launches: &Launches,
    stage: &str,
    on_samples: impl Fn(&[f32]) + Send + Sync + 'static,
) -> Result<gst::Bin, String> {
    let bin = launches.bin(stage).map_err(|error| error.to_string())?;
    let sink: AppSink = named(&bin, "samples")?;
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                if let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) {
                    with_samples(map.as_slice(), &on_samples);
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    Ok(bin)
}

/// Reads little-endian f32 samples out of bytes whose alignment nobody promises, without allocating.
fn with_samples(bytes: &[u8], on_samples: &impl Fn(&[f32])) {
    let mut block = [0f32; 960];
    for chunk in bytes.chunks(block.len() * 4) {
        let count = chunk.len() / 4;
        for (sample, bytes) in block.iter_mut().zip(chunk.chunks_exact(4)) {
            *sample = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        on_samples(&block[..count]);
    }
}
