//! The senders' connections: a webrtcbin each, from its offer to its frames and samples.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

use super::{
    Input, Parts,
    connection::{Asked, Masks, Segmenter, SenderConnection, SenderError, Signalling, answered_lines},
    isos::Source,
    tracks,
};
use crate::{
    layout::Cut,
    media::{
        audio::desk::Desk,
        compose::{latest_frames::LatestFrames, layer_request::LayerRequest},
        gst::clock::media_clock,
        ingest::{progress::Progress, tap::Tap},
        iso::Owner,
        port::{
            AuxId, Candidate, Description, MediaEvent, Negotiation, ParticipantId, PeerId, PeerRefused,
            choose_for_sender,
        },
        sdp,
        segment::{MaskRequest, input::area_for, model::AREA},
        webrtc::{
            line::MediaLine,
            liveness::Verdict,
            peer::{Peer, PeerError, PeerNews},
        },
    },
};

/// A peer that talks but never finishes DTLS holds a place for no longer than this.
const UNVERIFIED: Duration = Duration::from_secs(30);

/// The consequence of a peer's news.
pub(super) enum PeerOutcome {
    /// No more than was done already.
    Nothing,
    /// It is who it said it is: what it sends counts from now on.
    Connected,
    /// It is of no more use.
    Lost(String),
}

/// See the module.
pub(super) struct Inputs {
    room: Arc<str>,
    parts: Arc<Parts>,
    slots: Arc<LatestFrames>,
    desk: Arc<Desk>,
    events: UnboundedSender<MediaEvent>,
    inputs: Sender<Input>,
    peers: HashMap<PeerId, SenderConnection>,
    /// The requests of the program's layers, and of pictures beside it, for each participant's frames.
    asks: HashMap<ParticipantId, Vec<(Option<AuxId>, LayerRequest)>>,
    keypoints: bool,
    /// Whether everybody's frames get the person's mask, whatever layers need.
    cutouts: bool,
}

impl Inputs {
    pub(super) fn new(
        room: Arc<str>,
        parts: Arc<Parts>,
        (slots, desk): (Arc<LatestFrames>, Arc<Desk>),
        keypoints: bool,
        events: UnboundedSender<MediaEvent>,
        inputs: Sender<Input>,
    ) -> Self {
        let (peers, asks) = (HashMap::new(), HashMap::new());
        Self { room, parts, slots, desk, events, inputs, peers, asks, keypoints, cutouts: false }
    }

    /// Returns what a participant's element shall find. Before their layers are known it is the person, so that
    /// nobody's first frame shows a room that is to be hidden.
    fn wish(&self, ask: Option<&LayerRequest>) -> MaskRequest {
        let first = || if self.parts.can_cut { vec![Cut::default()] } else { Vec::new() };
        MaskRequest {
            cuts: ask.map_or_else(first, |ask| ask.cuts.clone()),
            despill: ask.is_none_or(|ask| !ask.whole),
            poses: self.keypoints || ask.is_some_and(|ask| ask.poses),
            area: ask.map_or(AREA, |ask| area_for(ask.pixels)),
            shown: ask.and_then(|ask| ask.shown).map_or(0, |(width, height)| width.saturating_mul(height)),
        }
    }

    /// Sets whether the keypoints of everybody are found.
    pub(super) fn set_keypoints(&mut self, keypoints: bool) {
        self.keypoints = keypoints;
        self.apply_all();
    }

    /// Sets whether an output records everybody cut out.
    pub(super) fn set_cutouts(&mut self, cutouts: bool) {
        if std::mem::replace(&mut self.cutouts, cutouts) != cutouts {
            self.apply_all();
        }
    }

    fn apply_all(&self) {
        for connection in self.peers.values() {
            let participant = &connection.participant;
            connection.set_wish(self.wish(self.ask(participant).as_ref()), self.is_cut_out(participant));
        }
    }

    /// Takes what the layers of a picture need of somebody's frames. How large the person is shown in any, if that is
    /// known and they are still here.
    pub(super) fn asked(
        &mut self,
        aux: Option<AuxId>,
        participant: &ParticipantId,
        ask: LayerRequest,
    ) -> Option<(u32, u32)> {
        self.peers.values().find(|one| one.participant == *participant)?;
        let asks = self.asks.entry(participant.clone()).or_default();
        asks.retain(|(of, _)| *of != aux);
        asks.push((aux, ask));
        self.apply(participant)
    }

    /// Forgets what the layers of a picture beside the program needed. How large those are shown now who were in it.
    pub(super) fn forget_aux(&mut self, aux: &AuxId) -> Vec<(ParticipantId, (u32, u32))> {
        let is_its = |(of, _): &(Option<AuxId>, LayerRequest)| of.as_ref() == Some(aux);
        let people: Vec<_> =
            self.asks.iter().filter(|(_, asks)| asks.iter().any(is_its)).map(|(one, _)| one.clone()).collect();
        for asks in self.asks.values_mut() {
            asks.retain(|ask| !is_its(ask));
        }
        people.into_iter().filter_map(|one| self.apply(&one).map(|shown| (one, shown))).collect()
    }

    /// Has somebody's frames be made as all layers need them. How large they are shown, if that is known.
    fn apply(&self, participant: &ParticipantId) -> Option<(u32, u32)> {
        let own = self.peers.values().find(|one| one.participant == *participant)?;
        let ask = self.ask(participant);
        own.set_wish(self.wish(ask.as_ref()), self.is_cut_out(participant));
        ask?.shown
    }

    /// Returns whether a layer of any picture cuts somebody out.
    fn is_cut_out(&self, participant: &ParticipantId) -> bool {
        self.asks.get(participant).is_some_and(|asks| asks.iter().any(|(_, ask)| !ask.cuts.is_empty()))
    }

    /// Returns what all layers together, and those who record, need of somebody's frames.
    fn ask(&self, participant: &ParticipantId) -> Option<LayerRequest> {
        let mut asks = self.asks.get(participant)?.iter().map(|(_, ask)| ask);
        let first = asks.next()?.clone();
        let all = asks.fold(first, LayerRequest::and);
        Some(if self.cutouts { all.and(&LayerRequest::to_record()) } else { all })
    }

    /// Forgets somebody who left for good.
    pub(super) fn forget(&mut self, participant: &ParticipantId) {
        self.asks.remove(participant);
    }

    /// Removes the older connection of somebody who makes a new one; which it is, and the masks that it made.
    pub(super) fn replaced(&mut self, participant: &ParticipantId) -> Option<(PeerId, Masks)> {
        let older = self.peers.iter().find(|(_, peer)| peer.participant == *participant).map(|(id, _)| *id)?;
        self.remove(older).map(|masks| (older, masks))
    }

    /// Makes a connection.
    ///
    /// # Errors
    /// Why it is gone already; a waiting request has been answered with that.
    pub(super) fn add(
        &mut self,
        id: PeerId,
        (participant, name): (ParticipantId, Arc<str>),
        negotiation: Negotiation,
    ) -> Result<(), SenderError> {
        self.slots.assign(&participant, id);
        self.desk.open(&participant);
        match negotiation {
            Negotiation::Offer { ingest } => {
                let connection = self.connect(id, (participant, name), &MediaLine::received(ingest, 96))?;
                connection.peer.offer();
                self.peers.insert(id, connection);
                Ok(())
            }
            Negotiation::Answer { offer, reply } => {
                let chosen = match choose_for_sender(&offer) {
                    Ok(chosen) => chosen,
                    Err(fault) => {
                        // Those who asked may be gone; so here and below.
                        let _ = reply.send(Err(PeerRefused::Unacceptable(fault.to_string())));
                        return Err(fault.into());
                    }
                };
                let narrowed = sdp::narrowed(&offer, &chosen);
                // The reply goes in once there is something to answer with, so that it can carry a failure.
                let mut connection = match self.connect(id, (participant, name), &answered_lines(&chosen)) {
                    Ok(connection) => connection,
                    Err(error) => {
                        let _ = reply.send(Err(PeerRefused::Failed(error.to_string())));
                        return Err(error.into());
                    }
                };
                let network = &self.parts.network;
                let asked = Asked { stun: network.stun.is_some(), turn: network.turn.len() };
                connection.signalling = Signalling::http(reply, offer.clone(), chosen, asked, media_clock().now());
                if let Err(error) = connection.take_offer(&offer, &narrowed) {
                    connection.refuse_http(&error);
                    return Err(error);
                }
                self.peers.insert(id, connection);
                Ok(())
            }
        }
    }

    fn connect(
        &self,
        id: PeerId,
        (participant, name): (ParticipantId, Arc<str>),
        lines: &[MediaLine],
    ) -> Result<SenderConnection, PeerError> {
        let trusted = Arc::new(AtomicBool::new(false));
        let tap = Arc::new(Tap::new(trusted.clone()));
        let wish = self.wish(self.ask(&participant).as_ref());
        let is_cut_out = self.is_cut_out(&participant);
        let segmenter = Arc::new(Mutex::new(Segmenter { element: None, wish, is_cut_out }));
        let progress = Arc::<Progress>::default();
        let on_track = tracks::Tracks {
            launches: self.parts.launches.clone(),
            peer: id,
            participant: participant.clone(),
            trusted: trusted.clone(),
            tap: tap.clone(),
            segmenter: segmenter.clone(),
            progress: progress.clone(),
            slots: self.slots.clone(),
            desk: Arc::downgrade(&self.desk),
            events: self.events.clone(),
        };
        let inputs = Mutex::new(self.inputs.clone());
        let peer = Peer::new(
            &format!("{}-{id}", self.room),
            lines,
            &self.parts.network,
            &self.parts.launches,
            Box::new(move |codec| Ok(on_track.attach(codec)?)),
            move |news| {
                // Fails only when the room is over.
                let _ = inputs.lock().send(Input::Peer(id, news));
            },
        )
        .inspect_err(|error| warn!(room = %self.room, peer = %id, %error, "no connection"))?;
        let (session, now) = (Signalling::Session, media_clock().now());
        let internal_peers = self.parts.network.internal_peers;
        let person = (participant, name);
        Ok(SenderConnection::new(peer, person, session, trusted, (segmenter, progress, tap), internal_peers, now))
    }

    /// Returns somebody who sends and is trusted, to be recorded.
    pub(super) fn source(&self, peer: PeerId) -> Option<Source> {
        let one = self.peers.get(&peer).filter(|one| one.trusted.load(Ordering::Acquire))?;
        let owner = Owner { participant: one.participant.0.clone(), name: one.name.clone() };
        Some(Source { peer, owner, tap: one.tap.clone() })
    }

    /// Returns everybody who sends and is trusted.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source> {
        self.peers.keys().filter_map(|peer| self.source(*peer))
    }

    /// Takes a peer's news.
    pub(super) fn news(&mut self, id: PeerId, news: PeerNews) -> PeerOutcome {
        let now = media_clock().now();
        let Some(connection) = self.peers.get_mut(&id) else { return PeerOutcome::Nothing };
        let mut event = None;
        match news {
            PeerNews::Described(text) => match &mut connection.signalling {
                Signalling::Session => {
                    connection.offered(&text);
                    event = Some(MediaEvent::PeerOffer { peer: id, sdp: text });
                }
                Signalling::Http { sdp, .. } => *sdp = Some(text),
            },
            PeerNews::Candidate { mline, candidate } => match &mut connection.signalling {
                Signalling::Session => event = Some(MediaEvent::PeerCandidate { peer: id, mline, candidate }),
                Signalling::Http { candidates, .. } => candidates.push(candidate),
            },
            PeerNews::Gathered => drop(connection.answer_http(now, true)),
            PeerNews::Ice(state) => connection.liveness.ice(now, state),
            PeerNews::Connected if connection.trusted.load(Ordering::Acquire) => {}
            PeerNews::Connected => {
                return match connection.verify() {
                    Ok(()) => {
                        info!(room = %self.room, peer = %id, "peer connected");
                        PeerOutcome::Connected
                    }
                    Err(error) => PeerOutcome::Lost(error.to_string()),
                };
            }
            // We send nothing on these connections.
            PeerNews::KeyframeWanted => {}
            PeerNews::Latency => connection.peer.recalculate_latency(),
            PeerNews::Failed(error) => return PeerOutcome::Lost(error),
        }
        if let Some(event) = event {
            // Fails only when the room's actor is over.
            let _ = self.events.send(event);
        }
        PeerOutcome::Nothing
    }

    /// Takes the browser's answer to our offer.
    ///
    /// # Errors
    /// It does not fit: the peer is to be lost.
    pub(super) fn answer(&mut self, id: PeerId, answer: &Description) -> Result<(), SenderError> {
        self.peers.get_mut(&id).map_or(Ok(()), |connection| connection.take_answer(answer))
    }

    /// Takes a remote candidate; `false` when no sender has this id.
    pub(super) fn candidate(&mut self, id: PeerId, candidate: &Candidate) -> bool {
        let connection = self.peers.get_mut(&id);
        connection.map(|connection| connection.take_candidate(candidate)).is_some()
    }

    /// Ends a connection; the masks that it made.
    pub(super) fn remove(&mut self, id: PeerId) -> Option<Masks> {
        let connection = self.peers.remove(&id)?;
        connection.trusted.store(false, Ordering::Release);
        info!(room = %self.room, peer = %id, "peer removed");
        Some(connection.masks())
    }

    /// Ends a connection that is of no more use; the masks that it made.
    pub(super) fn lose(&mut self, id: PeerId, reason: &str) -> Option<Masks> {
        if let Some(connection) = self.peers.get_mut(&id) {
            connection.refuse_http(reason);
            warn!(room = %self.room, peer = %id, reason, "peer lost");
        }
        self.remove(id)
    }

    /// Looks after all peers: those that are dead, and why.
    pub(super) fn look(&mut self, now: Duration) -> Vec<(PeerId, String)> {
        let mut dead = Vec::new();
        for (id, connection) in &mut self.peers {
            connection.answer_http(now, false);
            if !connection.trusted.load(Ordering::Acquire) && now.saturating_sub(connection.since) > UNVERIFIED {
                dead.push((*id, "it never showed its certificate".to_owned()));
                continue;
            }
            if let Some(until) = connection.look(now) {
                self.slots.keep(&connection.participant, *id, until);
            }
            if let Some(problem) = connection.diagnose(now) {
                // Fails only when the room's actor is over.
                let _ = self.events.send(MediaEvent::VideoProblem { peer: *id, problem });
            }
            if let Verdict::Dead(reason) = connection.liveness.verdict(now) {
                dead.push((*id, reason.to_string()));
            }
        }
        dead
    }

    /// Returns what each peer's element has made.
    pub(super) fn masks(&self) -> impl Iterator<Item = Masks> {
        self.peers.values().map(SenderConnection::masks)
    }
}
