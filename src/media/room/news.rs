//! What the composer's and the desk's threads tell: frames and sound to the encodings and the outputs, packets to delivery, all else to the room.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    time::Duration,
};

use gstreamer as gst;
use tokio::sync::mpsc::UnboundedSender;

use super::{Input, broadcasts::Broadcasts, encodings::Encodings};
use crate::{
    layout::Trigger,
    media::{
        audio::desk::{Listener, Packet},
        compose::{
            clock::{Audience, Format},
            effects::Photo,
            stage::Ask,
        },
        deliver::{Delivery, RoomKey, Sound},
        gst::clock::media_clock,
        port::{Loudness, MediaEvent, ParticipantId, PeerId, TrackKind},
    },
};

/// Carries the stages' news; called on their threads.
pub(super) struct StageNews {
    encodings: Arc<Encodings>,
    broadcasts: Arc<Broadcasts>,
    delivery: Arc<Delivery>,
    key: RoomKey,
    inputs: Mutex<Sender<Input>>,
    events: UnboundedSender<MediaEvent>,
    /// Each picture on its way holds one more.
    photos: Arc<()>,
}

/// How many pictures of triggers may wait to be converted; more are dropped, as each is as large as the canvas.
const PHOTOS_WAITING: usize = 4;

impl StageNews {
    pub(super) fn new(
        (encodings, broadcasts): (Arc<Encodings>, Arc<Broadcasts>),
        (delivery, key): (Arc<Delivery>, RoomKey),
        inputs: Sender<Input>,
        events: UnboundedSender<MediaEvent>,
    ) -> Self {
        Self { encodings, broadcasts, delivery, key, inputs: Mutex::new(inputs), events, photos: Arc::default() }
    }

    fn give(&self, input: Input) {
        // Fails only when the room is over.
        let _ = self.inputs.lock().unwrap_or_else(PoisonError::into_inner).send(input);
    }
}

impl Audience for StageNews {
    fn frame(&self, frame: &gst::Buffer, format: Format) {
        self.encodings.frame(frame, format);
        self.broadcasts.frame(frame, format);
    }

    fn ask(&self, participant: &ParticipantId, ask: &Ask) {
        self.give(Input::Ask(participant.clone(), ask.clone()));
    }

    fn expired(&self, participant: &ParticipantId) {
        let _ = self.events.send(MediaEvent::TrackStopped { participant: participant.clone(), kind: TrackKind::Video });
    }

    fn fired(&self, trigger: &Trigger, people: &[ParticipantId]) {
        let event = MediaEvent::TriggerFired { trigger: Arc::new(trigger.clone()), participants: people.to_vec() };
        let _ = self.events.send(event);
    }

    fn photo(&self, photo: Photo) {
        if Arc::strong_count(&self.photos) <= PHOTOS_WAITING {
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
