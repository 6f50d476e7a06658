//! What the composer's and the desk's threads tell: frames and sound to the encodings, all else to the room.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    time::Duration,
};

use gstreamer as gst;
use gstreamer_app::AppSrc;
use tokio::sync::mpsc::UnboundedSender;

use super::{Input, encodings::Encodings};
use crate::{
    layout::Trigger,
    media::{
        audio::desk::Listener,
        compose::{
            clock::{Audience, Format},
            effects::Photo,
            stage::Ask,
        },
        fanout::webrtc::send_packet,
        port::{MediaEvent, ParticipantId, TrackKind},
    },
};

/// Carries the stages' news; called on their threads.
pub(super) struct Ear {
    encodings: Arc<Encodings>,
    inputs: Mutex<Sender<Input>>,
    events: UnboundedSender<MediaEvent>,
    caps: Mutex<Option<(Format, gst::Caps)>>,
    /// Each picture on its way holds one more.
    photos: Arc<()>,
}

/// How many pictures of triggers may wait to be converted; more are dropped, as each is as large as the canvas.
const PHOTOS_WAITING: usize = 4;

impl Ear {
    pub(super) fn new(encodings: Arc<Encodings>, inputs: Sender<Input>, events: UnboundedSender<MediaEvent>) -> Self {
        Self { encodings, inputs: Mutex::new(inputs), events, caps: Mutex::default(), photos: Arc::default() }
    }
}

impl Audience for Ear {
    fn frame(&self, frame: &gst::Buffer, format: Format) {
        let caps = {
            let mut known = self.caps.lock().unwrap_or_else(PoisonError::into_inner);
            match known.as_ref().filter(|(of, _)| *of == format) {
                Some((_, caps)) => caps.clone(),
                None => known.insert((format, format.caps())).1.clone(),
            }
        };
        self.encodings.frame(frame, &caps);
    }

    fn ask(&self, participant: &ParticipantId, ask: &Ask) {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = inputs.send(Input::Ask(participant.clone(), ask.clone()));
    }

    fn expired(&self, participant: &ParticipantId) {
        let _ = self.events.send(MediaEvent::TrackStopped { participant: participant.clone(), kind: TrackKind::Video });
    }

    fn fired(&self, trigger: &Trigger, people: &[ParticipantId]) {
        let event = MediaEvent::TriggerFired { trigger: Arc::new(trigger.clone()), participants: people.to_vec() };
        let _ = self.events.send(event);
    }

    fn photo(&self, photo: Photo) {
        if Arc::strong_count(&self.photos) > PHOTOS_WAITING {
            return;
        }
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = inputs.send(Input::Photo(photo, Arc::clone(&self.photos)));
    }
}

impl Listener for Ear {
    fn block(&self, samples: &[f32; 960], pts: Duration) {
        self.encodings.block(samples, pts);
    }

    fn speaking(&self, participant: &ParticipantId, speaking: bool) {
        let _ = self.events.send(MediaEvent::Speaking { participant: participant.clone(), speaking });
    }

    fn packet(&self, src: &AppSrc, packet: &gst::Buffer) {
        send_packet(src, packet);
    }
}
