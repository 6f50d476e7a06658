//! The incoming tracks: each m-line that receives has one bin, whichever stream feeds it.
//!
//! A sender may go on under another SSRC at any time, declared or not (a restarted encoder, an SSRC that collides), and
//! webrtcbin makes a new pad of it. All streams of a line meet in a funnel before its bin, and the newest has the word;
//! an older one passes only while the newest is silent. Two that send at the same time, simulcast that nobody
//! negotiated, so never mix.

use std::{sync::Arc, time::Duration};

use gstreamer::{self as gst, prelude::*};
use parking_lot::Mutex;

use super::{
    line::{LineCodec, LineDirection, MediaLine},
    peer::{OnTrack, TrackError},
};
use crate::media::gst::{clock::media_clock, probe::LEFT_OUT, stage::StageError};

/// The newest stream of a line is given up for an older one after this silence.
const SILENT: Duration = Duration::from_secs(1);

/// A line's streams.
struct Track {
    funnel: gst::Element,
    turn: Arc<Mutex<Turn>>,
    streams: u32,
}

/// The turn among a line's streams. PURE.
#[derive(Debug, Default)]
struct Turn {
    stream: u32,
    heard: Duration,
}

impl Turn {
    /// Returns whether what this stream brings now is passed on. Streams are numbered as they come.
    fn passes(&mut self, stream: u32, now: Duration) -> bool {
        let takes_over = stream > self.stream || now.saturating_sub(self.heard) > SILENT;
        if stream != self.stream && !takes_over {
            return false;
        }
        *self = Self { stream, heard: now };
        true
    }
}

/// Gives every m-line that receives its bin when its first stream comes; streams that are of no line go nowhere.
/// Failures are reported.
pub(super) fn accept(
    webrtc: &gst::Element,
    pipeline: &gst::Pipeline,
    lines: &[MediaLine],
    on_track: OnTrack,
    failed: impl Fn(String) + Send + Sync + 'static,
) {
    let lines: Vec<MediaLine> = lines.to_vec();
    let pipeline = pipeline.downgrade();
    let tracks: Mutex<Vec<Option<Track>>> = Mutex::new(lines.iter().map(|_| None).collect());
    webrtc.connect_pad_added(move |_, pad| {
        if pad.direction() != gst::PadDirection::Src {
            return;
        }
        let Some(pipeline) = pipeline.upgrade() else { return };
        let outcome = match line_of(pad, &lines) {
            Some(index) => {
                let mut tracks = tracks.lock();
                join(&pipeline, pad, &mut tracks[index], lines[index].codec, &on_track)
            }
            None => swallow(&pipeline, pad).map_err(TrackError::from),
        };
        if let Err(error) = outcome {
            failed(format!("incoming track: {error}"));
        }
    });
}

/// Returns which m-line of ours an incoming pad belongs to. By payload type: without SSRCs in the SDP, webrtcbin 1.22
/// gives a pad to the first m-line of its kind, even one that only sends.
fn line_of(pad: &gst::Pad, lines: &[MediaLine]) -> Option<usize> {
    let receives = |line: &&MediaLine| line.direction != LineDirection::Send;
    let caps = pad.current_caps();
    let fields = caps.as_ref().and_then(|caps| caps.structure(0));
    // str0m sends such as padding, under the payload type of the sound.
    if fields.and_then(|fields| fields.get::<u32>("ssrc").ok()) == Some(0) {
        return None;
    }
    let payload = fields.and_then(|fields| fields.get::<i32>("payload").ok());
    if let Some(payload) = payload {
        let is_it = |line: &MediaLine| receives(&line) && i32::from(line.codec.payload) == payload;
        return lines.iter().position(is_it);
    }
    let transceiver = pad.property::<Option<gstreamer_webrtc::WebRTCRTPTransceiver>>("transceiver")?;
    let index = usize::try_from(transceiver.mlineindex()).ok()?;
    lines.get(index).filter(receives).map(|_| index)
}

/// Leads a stream into its line's bin, which is made for the first of them.
fn join(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    track: &mut Option<Track>,
    codec: LineCodec,
    on_track: &OnTrack,
) -> Result<(), TrackError> {
    let track = match track {
        Some(track) => track,
        None => track.insert(begin(pipeline, &on_track(codec)?)?),
    };
    let stream = track.streams;
    track.streams += 1;
    let turn = track.turn.clone();
    let passing = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(passing, move |_, info| {
        let passes = match info.event() {
            // A stream's end is not that of its line: another may follow, and the peer's own end tears all of it down.
            Some(event) => event.type_() != gst::EventType::Eos,
            None => turn.lock().passes(stream, media_clock().now()),
        };
        if passes { gst::PadProbeReturn::Ok } else { LEFT_OUT }
    });
    let sink = track.funnel.request_pad_simple("sink_%u").ok_or(StageError::NoPad("the funnel gives no pad"))?;
    pad.link(&sink).map_err(StageError::from)?;
    Ok(())
}

/// Has a line's bin follow a funnel, where its streams come in.
fn begin(pipeline: &gst::Pipeline, bin: &gst::Bin) -> Result<Track, StageError> {
    let funnel = gst::ElementFactory::make("funnel").build()?;
    pipeline.add(bin)?;
    pipeline.add(&funnel)?;
    let source = funnel.static_pad("src").ok_or(StageError::NoPad("the funnel has no src pad"))?;
    let sink = bin.static_pad("sink").ok_or(StageError::NoOpenPad { stage: "receive", pad: "sink" })?;
    source.link(&sink)?;
    bin.sync_state_with_parent()?;
    funnel.sync_state_with_parent()?;
    Ok(Track { funnel, turn: Arc::default(), streams: 0 })
}

/// Takes a stream that nobody wants: left alone, its flow would be an error.
fn swallow(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Result<(), StageError> {
    let sink = gst::ElementFactory::make("fakesink").property("sync", false).property("async", false).build()?;
    pipeline.add(&sink)?;
    sink.sync_state_with_parent()?;
    let end = sink.static_pad("sink").ok_or(StageError::NoPad("a fakesink has no sink pad"))?;
    pad.link(&end)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stream_has_the_word_until_it_is_silent() {
        let ms = Duration::from_millis;
        let mut turn = Turn::default();
        assert!(turn.passes(0, ms(0)) && turn.passes(0, ms(20)));
        assert!(turn.passes(1, ms(30)), "a newer one is heard at once");
        assert!(!turn.passes(0, ms(40)) && turn.passes(1, ms(900)) && !turn.passes(0, ms(1_800)));
        assert!(turn.passes(0, ms(1_901)) && turn.passes(0, ms(1_950)), "an older one comes back when it alone sends");
        assert!(turn.passes(1, ms(1_960)));
    }
}
