//! Way of an incoming track: frames into the participant's slot, samples onto their strip.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use gstreamer::{self as gst, prelude::*};
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use super::{connection::Segmenter, sighting::Sighting};
use crate::media::{
    audio::desk::{Captured, Desk},
    compose::latest_frames::{Arrival, LatestFrames},
    gst::{clock::media_clock, frame::Shot, launch::Launches, stage::StageError},
    ingest::{self, Samples, progress::Progress, tap::Tap},
    port::{MediaEvent, ParticipantId, PeerId, TrackKind},
    segment::{BodyPix, pool},
    webrtc::line::{LineCodec, LineFormat},
};

/// The parts of the room that a peer's tracks need.
pub(super) struct Tracks {
    pub(super) launches: Launches,
    pub(super) peer: PeerId,
    pub(super) participant: ParticipantId,
    pub(super) trusted: Arc<AtomicBool>,
    /// Tap on which what comes is heard as it comes.
    pub(super) tap: Arc<Tap>,
    pub(super) segmenter: Arc<Mutex<Segmenter>>,
    /// The progress of the video.
    pub(super) progress: Arc<Progress>,
    pub(super) slots: Arc<LatestFrames>,
    /// Weak: a connection that hangs on its way down must not keep the room's sound, and with it its outputs, alive.
    pub(super) desk: Weak<Desk>,
    pub(super) events: UnboundedSender<MediaEvent>,
}

/// Looks whether somebody is found in each picture of a track.
struct Lookout {
    peer: PeerId,
    segmenter: Arc<Mutex<Segmenter>>,
    sighting: Mutex<Sighting>,
    events: UnboundedSender<MediaEvent>,
}

impl Lookout {
    /// Notes on the shot whether its participant is lost, and reports when that changes.
    fn look(&self, shot: &mut Shot) {
        let is_cut_out = self.segmenter.lock().is_cut_out;
        let kept = shot.found.as_ref().and_then(|found| found.kept).filter(|_| is_cut_out);
        let at = shot.frame.buffer().pts().map_or_else(|| media_clock().now(), Into::into);
        let mut sighting = self.sighting.lock();
        let news = sighting.see(at, kept);
        shot.is_lost = sighting.is_lost();
        drop(sighting);
        if let Some(lost) = news {
            // Fails only when the room's actor is over.
            let _ = self.events.send(MediaEvent::Lost { peer: self.peer, lost });
        }
    }
}

impl Tracks {
    /// Returns the bin for a track of this codec. Nothing that it brings counts before the peer is trusted.
    pub(super) fn attach(&self, codec: LineCodec) -> Result<gst::Bin, StageError> {
        let bin = self.decode(codec)?;
        let kind = if codec.format == LineFormat::Opus { TrackKind::Audio } else { TrackKind::Video };
        self.tap.attach(kind, &bin);
        Ok(bin)
    }

    fn decode(&self, codec: LineCodec) -> Result<gst::Bin, StageError> {
        let participant = self.participant.clone();
        let (trusted, events) = (self.trusted.clone(), self.events.clone());
        let stage = codec.format.receive_stage();
        match codec.format {
            LineFormat::Opus => {
                let (desk, slots) = (self.desk.clone(), self.slots.clone());
                let heard = AtomicBool::new(false);
                ingest::audio(&self.launches, stage, move |samples, at| {
                    if !trusted.load(Ordering::Acquire) {
                        return;
                    }
                    let Some(desk) = desk.upgrade() else { return };
                    let captured = Captured { at, seen_after: slots.seen_after(&participant) };
                    match samples {
                        Samples::Mono(samples) => desk.push(&participant, samples, captured),
                        Samples::Stereo(left, right) => desk.push_stereo(&participant, left, right, captured),
                    }
                    if !heard.swap(true, Ordering::Relaxed) {
                        let participant = participant.clone();
                        let _ =
                            events.send(MediaEvent::TrackStarted { participant, kind: TrackKind::Audio, size: None });
                    }
                })
            }
            LineFormat::Video(_) => {
                let (slots, segmenter, peer) = (self.slots.clone(), self.segmenter.clone(), self.peer);
                let tap = self.tap.clone();
                let lookout =
                    Lookout { peer, segmenter: segmenter.clone(), sighting: Mutex::default(), events: events.clone() };
                let attach_segmenter = move |element: gst::Element| {
                    let mut segmenter = segmenter.lock();
                    // An operator's launch file may have another element of that name, which keeps its own settings.
                    if let Ok(element) = element.downcast::<BodyPix>() {
                        element.wish(segmenter.wish.clone());
                        segmenter.element = Some(element);
                    }
                };
                let on_shot = move |mut shot: Shot| {
                    if !trusted.load(Ordering::Acquire) {
                        return;
                    }
                    lookout.look(&mut shot);
                    tap.show(&shot);
                    if let Arrival::Started(width, height) = slots.put(&participant, peer, shot, media_clock().now()) {
                        let (participant, size) = (participant.clone(), Some((width, height)));
                        let _ = events.send(MediaEvent::TrackStarted { participant, kind: TrackKind::Video, size });
                    }
                };
                ingest::video(&self.launches, stage, attach_segmenter, &self.progress, on_shot, pool::waited)
            }
        }
    }
}
