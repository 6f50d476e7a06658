//! The receivers of the mix, and what has to be encoded for them.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc::Sender},
};

use metrics::gauge;
use parking_lot::Mutex;
use tracing::{info, warn};

use super::{
    Input,
    program::{Canvas, canvas_of},
};
use crate::media::{
    codec::{EncodingId, Rendition},
    deliver::{
        Delivery, Listener, Newcomer, Report, RoomKey,
        rung::{Ladder, RenditionChoice, View},
    },
    encode::bitrate_of,
    port::{self, Candidate, Description, ParticipantId, PeerId, PeerRefused, ReceiverView, RenditionWish, RoomSpec},
};

/// Size of a picture in packets, as a multiple of its own: headers, encryption, and the encoder's own overshoot.
const OVERHEAD: f64 = 1.1;

/// Bits a second of the sound with its headers: 40 kbit/s of Opus in 50 packets a second.
const SOUND: u32 = 60_000;

struct Receiver {
    participant: Option<ParticipantId>,
    connected: bool,
    needs: [Option<EncodingId>; 2],
    report: Option<Report>,
}

/// See the module.
pub(super) struct Receivers {
    room: Arc<str>,
    delivery: Arc<Delivery>,
    key: RoomKey,
    listener: Listener,
    canvas: Canvas,
    list: HashMap<PeerId, Receiver>,
}

impl Receivers {
    pub(super) fn new(spec: &RoomSpec, delivery: Arc<Delivery>, inputs: Sender<Input>) -> Self {
        let inputs = Mutex::new(inputs);
        let listener = Listener(Arc::new(move |peer, news| {
            // Fails only when the room is over.
            let _ = inputs.lock().send(Input::Delivery(peer, news));
        }));
        let key = delivery.open();
        let canvas = canvas_of(&spec.picture);
        Self { room: spec.room.clone(), delivery, key, listener, canvas, list: HashMap::new() }
    }

    pub(super) fn key(&self) -> RoomKey {
        self.key
    }

    /// Takes a receiver in; the answer's SDP.
    pub(super) fn add(
        &mut self,
        peer: PeerId,
        participant: Option<ParticipantId>,
        offer: &Description,
        rendition: RenditionWish,
    ) -> Result<String, PeerRefused> {
        let (room, ladder, listener) = (self.key, ladder_of(self.canvas), self.listener.clone());
        let newcomer = Newcomer { room, peer, ladder, wish: wish_of(rendition), listener };
        let answer = self.delivery.add(offer, newcomer)?;
        let receiver = Receiver { participant, connected: false, needs: [None; 2], report: None };
        self.list.insert(peer, receiver);
        Ok(answer)
    }

    /// Notes that media flows; returns whose voice this receiver does not hear, if it is one that is known.
    pub(super) fn connected(&mut self, peer: PeerId) -> Option<Option<ParticipantId>> {
        let receiver = self.list.get_mut(&peer)?;
        receiver.connected = true;
        info!(room = %self.room, %peer, "receiver connected");
        Some(receiver.participant.clone())
    }

    /// Forgets a receiver and ends its connection; `true` when there was one.
    pub(super) fn remove(&mut self, peer: PeerId) -> bool {
        // Delivery may know one that is lost already: its place is freed.
        self.delivery.remove(peer);
        let Some(receiver) = self.list.remove(&peer) else { return false };
        if let Some(report) = receiver.report {
            count(&report, -1.0, self.canvas);
        }
        if receiver.connected {
            info!(room = %self.room, %peer, "receiver removed");
        } else {
            warn!(room = %self.room, %peer, "receiver never connected");
        }
        true
    }

    pub(super) fn candidate(&self, peer: PeerId, candidate: Candidate) {
        if self.list.contains_key(&peer) {
            self.delivery.candidate(peer, candidate);
        }
    }

    pub(super) fn view(&self, peer: PeerId, view: ReceiverView) {
        if self.list.contains_key(&peer) {
            let ReceiverView { height, hidden, save_data, dropped, rendition } = view;
            self.delivery.view(peer, View { height, hidden, save_data, dropped }, wish_of(rendition));
        }
    }

    /// Returns what a receiver needs from now on; `true` when that is something else than before.
    pub(super) fn needs(&mut self, peer: PeerId, needs: [Option<EncodingId>; 2]) -> bool {
        let Some(receiver) = self.list.get_mut(&peer) else { return false };
        std::mem::replace(&mut receiver.needs, needs) != needs
    }

    /// Returns whether anybody needs this encoding.
    pub(super) fn need(&self, id: EncodingId) -> bool {
        self.list.values().any(|receiver| receiver.needs.contains(&Some(id)))
    }

    /// Takes a report; what control shall know of it.
    pub(super) fn report(&mut self, peer: PeerId, report: Report) -> Option<port::DeliveryReport> {
        let receiver = self.list.get_mut(&peer)?;
        if let Some(before) = receiver.report.replace(report) {
            count(&before, -1.0, self.canvas);
        }
        count(&report, 1.0, self.canvas);
        Some(port::DeliveryReport {
            codec: report.codec,
            rendition: report.rung.map(|rendition| rendition.name(self.canvas)),
            renditions: Rendition::ALL.map(|rendition| rendition.name(self.canvas)).to_vec(),
            reason: report.reason,
            loss: report.loss,
            round_trip: report.round_trip,
            estimate: report.estimate,
        })
    }

    /// Notes that the canvas has another size from now on.
    pub(super) fn set_canvas(&mut self, canvas: Canvas) {
        for report in self.list.values().filter_map(|receiver| receiver.report.as_ref()) {
            count(report, -1.0, self.canvas);
            count(report, 1.0, canvas);
        }
        self.canvas = canvas;
        self.delivery.set_ladder(self.key, ladder_of(canvas));
    }

    /// Ends all connections.
    pub(super) fn end(&mut self) {
        for peer in self.list.keys().copied().collect::<Vec<_>>() {
            self.remove(peer);
        }
        self.delivery.close(self.key);
    }
}

/// Returns what each rendition of a canvas costs.
fn ladder_of(canvas: Canvas) -> Ladder {
    let bitrate = |rendition| (f64::from(bitrate_of(rendition, canvas)) * OVERHEAD) as u32;
    let height = |rendition: Rendition| rendition.of(canvas).1;
    Ladder { bitrate: Rendition::ALL.map(bitrate), height: Rendition::ALL.map(height), sound: SOUND }
}

fn wish_of(rendition: RenditionWish) -> RenditionChoice {
    match rendition {
        RenditionWish::Auto => RenditionChoice::Auto,
        RenditionWish::Fixed(rendition) => RenditionChoice::Fixed(rendition),
    }
}

/// Counts a receiver where the metrics show it.
fn count(report: &Report, by: f64, canvas: Canvas) {
    let codec = report.codec.map_or_else(|| "none".to_owned(), |codec| codec.to_string());
    let rendition = report.rung.map_or_else(|| "sound".to_owned(), |rendition| rendition.name(canvas));
    gauge!("virfie_receivers", "codec" => codec, "rendition" => rendition).increment(by);
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.end();
    }
}
