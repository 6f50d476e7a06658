//! The reports of the composer's and the desk's threads: frames and sound to the encodings and the outputs, packets to
//! delivery, all else to the room.

use std::{
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

use gstreamer as gst;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use super::{Input, broadcasts::Broadcasts, encodings::Encodings};
use crate::{
    layout::Trigger,
    media::{
        audio::desk::{Listener, Packet},
        compose::{
            clock::{Audience, CanvasFormat},
            effects::Photo,
            latest_frames::LatestFrames,
            layer_request::LayerRequest,
        },
        deliver::{Delivery, RoomKey, Sound},
        gst::clock::media_clock,
        port::{AuxId, Loudness, MediaEvent, ParticipantId, PeerId, TrackKind},
    },
};

/// Carries the stages' news; called on their threads.
pub(super) struct StageNews {
    /// Of which picture; `None`: the program.
    aux: Option<AuxId>,
    encodings: Arc<Encodings>,
    broadcasts: Arc<Broadcasts>,
    slots: Arc<LatestFrames>,
    delivery: Arc<Delivery>,
    key: RoomKey,
    inputs: Mutex<Sender<Input>>,
    events: UnboundedSender<MediaEvent>,
    /// Each picture on its way holds one more.
    photos: Arc<()>,
}

/// Most pictures of triggers that may wait to be converted; more are dropped, as each is as large as the canvas.
const PHOTOS_WAITING: usize = 4;

impl StageNews {
    pub(super) fn new(
        (encodings, broadcasts): (Arc<Encodings>, Arc<Broadcasts>),
        slots: Arc<LatestFrames>,
        (delivery, key): (Arc<Delivery>, RoomKey),
        inputs: Sender<Input>,
        events: UnboundedSender<MediaEvent>,
    ) -> Self {
        Self {
            aux: None,
            encodings,
            broadcasts,
            slots,
            delivery,
            key,
            inputs: Mutex::new(inputs),
            events,
            photos: Arc::default(),
        }
    }

    /// Makes what carries the news of a picture beside the program.
    pub(super) fn of_aux(&self, aux: AuxId) -> Self {
        let inputs = self.inputs.lock().clone();
        let made = (self.encodings.clone(), self.broadcasts.clone());
        let news = Self::new(made, self.slots.clone(), (self.delivery.clone(), self.key), inputs, self.events.clone());
        Self { aux: Some(aux), ..news }
    }

    fn give(&self, input: Input) {
        // Fails only when the room is over.
        let _ = self.inputs.lock().send(input);
    }
}

impl Audience for StageNews {
    fn frame(&self, frame: &gst::Buffer, format: CanvasFormat) {
        if self.aux.is_none() {
            if let Some(pts) = frame.pts() {
                self.slots.shown(pts.into());
            }
            self.encodings.frame(frame, format);
        }
        self.broadcasts.frame(self.aux.as_ref(), frame, format);
    }

    fn ask(&self, participant: &ParticipantId, ask: &LayerRequest) {
        self.give(Input::LayerRequest(self.aux.clone(), participant.clone(), ask.clone()));
    }

    fn expired(&self, participant: &ParticipantId) {
        let _ = self.events.send(MediaEvent::TrackStopped { participant: participant.clone(), kind: TrackKind::Video });
    }

    fn fired(&self, trigger: &Trigger, people: &[ParticipantId]) {
        // What a trigger does beyond its picture, it does for the whole room: only the program's do.
        if self.aux.is_some() {
            return;
        }
        let event = MediaEvent::TriggerFired { trigger: Arc::new(trigger.clone()), participants: people.to_vec() };
        let _ = self.events.send(event);
    }

    fn photo(&self, photo: Photo) {
        if self.aux.is_none() && Arc::strong_count(&self.photos) <= PHOTOS_WAITING {
            self.give(Input::Photo(photo, Arc::clone(&self.photos)));
        }
    }
}

impl Listener for StageNews {
    fn block(&self, samples: &[[f32; 2]; 960], pts: Duration) {
        self.broadcasts.block(samples, pts);
    }

    fn speaking(&self, participant: &ParticipantId, speaking: bool) {
        let _ = self.events.send(MediaEvent::Speaking { participant: participant.clone(), speaking });
    }

    fn loudness(&self, loudness: Loudness) {
        let _ = self.events.send(MediaEvent::Loudness(loudness));
    }

    fn packets(&self, shared: Option<Packet>, own: Vec<(PeerId, Packet)>, pts: Duration) {
        self.delivery.sound(self.key, Sound { pts, at: media_clock().instant(pts), shared, own });
    }
}
