//! One room's media: builds the stages and joins them. The only place that sees all of them.
//!
//! ```text
//!   RoomMedia::send ─► inputs ─► the room's media thread ─► stages
//!   news of peers, encoders, clock ─┘          └─► MediaEvents up to control
//! ```
//! Contract: commands are carried out in order, on one thread `room-…`; no command waits for a peer, an output or a
//! disk. Failure: a peer that fails is dropped (and torn down elsewhere); a clock or desk that cannot start ends the
//! room's media, and every command after that is ignored. Threads: this one; the stages have their own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, error, info, warn};

mod clips;
mod connection;
mod ear;
mod encodings;
mod numbers;
mod tracks;

use clips::Clips;
use connection::{Connection, Segmenter, Signalling, answered_lines, offered_lines};
use ear::Ear;
use encodings::Encodings;
use numbers::Numbers;

use super::{
    audio::desk::Desk,
    compose::{
        clock::{Composer, frame_of},
        effects::Photo,
        slots::Slots,
        stage::Ask,
    },
    fanout::rtmp::RtmpOutput,
    gst::{
        clock::media_clock,
        launch::Launches,
        priority::{self, Role},
    },
    port::{
        MediaCommand, MediaEvent, Negotiation, OutputId, OutputTarget, ParticipantId, ParticipantPoses, PeerId,
        PeerRefused, Picture, RoomMedia, RoomSpec, TrackKind, VideoCodec, choose_for,
    },
    segment::{Wish, input::area_for, model::AREA},
    webrtc::{
        liveness::Verdict,
        peer::{Network, Peer, PeerNews},
        sdp,
    },
};
use crate::layout::Cut;

/// How often peers are looked after and numbers are taken.
const LOOK: Duration = Duration::from_millis(200);

/// A peer that talks but never finishes DTLS holds a place for no longer than this.
const UNVERIFIED: Duration = Duration::from_secs(30);

/// Between a failed encoder and the next one: an operator's encoder that never works must not fill the log.
const ENCODER_PAUSE: Duration = Duration::from_secs(1);

/// What rooms have in common.
#[derive(Debug)]
pub struct Parts {
    /// The launch texts in force.
    pub launches: Launches,
    /// How peers reach the network.
    pub network: Network,
    /// Whether there is a model.
    pub can_cut: bool,
}

/// What the room's media thread reacts to.
pub(super) enum Input {
    Command(MediaCommand),
    Peer(PeerId, PeerNews),
    Keyframe(VideoCodec),
    EncoderFailed(VideoCodec, String),
    OutputOver(OutputId),
    Ask(ParticipantId, Ask),
    Photo(Photo, Arc<()>),
    Stop,
}

/// The handle that control holds.
pub struct RoomGraph {
    inputs: Mutex<Sender<Input>>,
}

impl std::fmt::Debug for RoomGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomGraph")
    }
}

impl RoomGraph {
    /// Starts the room's media thread.
    pub fn start(spec: RoomSpec, parts: Arc<Parts>, events: UnboundedSender<MediaEvent>) -> Self {
        let (inputs, received) = channel();
        let own = inputs.clone();
        let room = spec.room.clone();
        let spawned = std::thread::Builder::new().name(format!("room-{room}")).spawn(move || {
            match Graph::new(spec, parts, events, own) {
                Ok(graph) => graph.work(&received),
                Err(error) => error!(%room, %error, "the room has no media"),
            }
        });
        if let Err(error) = spawned {
            error!(%error, "no thread for a room's media");
        }
        Self { inputs: Mutex::new(inputs) }
    }

    fn give(&self, input: Input) {
        // Fails only when the thread is over, which has been logged.
        let _ = self.inputs.lock().unwrap_or_else(PoisonError::into_inner).send(input);
    }
}

impl RoomMedia for RoomGraph {
    fn send(&self, command: MediaCommand) {
        self.give(Input::Command(command));
    }
}

impl Drop for RoomGraph {
    fn drop(&mut self) {
        self.give(Input::Stop);
    }
}

struct Graph {
    room: Arc<str>,
    parts: Arc<Parts>,
    events: UnboundedSender<MediaEvent>,
    inputs: Sender<Input>,
    slots: Arc<Slots>,
    desk: Arc<Desk>,
    composer: Composer,
    clips: Clips,
    encodings: Arc<Encodings>,
    format: (u32, u32, u32),
    peers: HashMap<PeerId, Connection>,
    asks: HashMap<ParticipantId, Ask>,
    keypoints: bool,
    numbers: Numbers,
    rebalance_at: Option<Duration>,
}

fn format_of(picture: &Picture) -> (u32, u32, u32) {
    let canvas = &picture.scene.canvas;
    (canvas.width, canvas.height, canvas.fps)
}

impl Graph {
    fn new(
        spec: RoomSpec,
        parts: Arc<Parts>,
        events: UnboundedSender<MediaEvent>,
        inputs: Sender<Input>,
    ) -> std::io::Result<Self> {
        let slots = Arc::new(Slots::default());
        let encodings = Arc::new(Encodings::new(spec.room.clone(), parts.launches.clone(), inputs.clone()));
        let ear = Arc::new(Ear::new(encodings.clone(), inputs.clone(), events.clone()));
        let format = format_of(&spec.picture);
        let composer = Composer::start(&spec.room, spec.picture, spec.hold, parts.can_cut, slots.clone(), ear.clone())?;
        let desk = Arc::new(Desk::start(&spec.room, ear)?);
        let clips = Clips::new(parts.launches.clone());
        Ok(Self {
            numbers: Numbers::new(media_clock().now()),
            room: spec.room,
            parts,
            events,
            inputs,
            slots,
            desk,
            composer,
            clips,
            encodings,
            format,
            peers: HashMap::new(),
            asks: HashMap::new(),
            keypoints: spec.keypoints,
            rebalance_at: None,
        })
    }

    fn work(mut self, received: &Receiver<Input>) {
        priority::take(Role::Deliver);
        let mut looked = media_clock().now();
        loop {
            match received.recv_timeout(LOOK) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Input::Command(command)) => self.command(command),
                Ok(Input::Peer(peer, news)) => self.peer_news(peer, news),
                Ok(Input::Keyframe(codec)) => self.encodings.request_keyframe(codec),
                Ok(Input::EncoderFailed(codec, error)) => {
                    error!(room = %self.room, %codec, %error, "encoder failed; a new one is made");
                    self.encodings.reset(codec);
                    self.rebalance_at = Some(media_clock().now() + ENCODER_PAUSE);
                }
                Ok(Input::OutputOver(output)) => {
                    self.encodings.remove_output(&output);
                    self.rebalance();
                }
                Ok(Input::Photo(photo, _waiting)) => {
                    let Photo { trigger, picture, sound } = photo;
                    self.tell(MediaEvent::PhotoTaken { trigger, frame: frame_of(&picture), sound })
                }
                Ok(Input::Ask(participant, ask)) => {
                    let mut connections = self.peers.values();
                    // Nobody's: they have left meanwhile.
                    if let Some(own) = connections.find(|one| one.participant.as_ref() == Some(&participant)) {
                        own.set_wish(self.wish(Some(&ask)));
                        self.asks.insert(participant, ask);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = media_clock().now();
            if now.saturating_sub(looked) >= LOOK {
                looked = now;
                self.look(now);
            }
        }
        // Stages go first, so that nothing is pushed into pipelines on their way down.
        self.composer.run(false);
        self.encodings.clear();
        debug!(room = %self.room, "the room's media ends");
    }

    fn tell(&self, event: MediaEvent) {
        // Fails only when the room's actor is over; then Stop is on its way.
        let _ = self.events.send(event);
    }

    fn command(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::SetPicture(picture) => {
                let format = format_of(&picture);
                let reels = self.clips.show(&picture.images);
                self.composer.set_picture(picture, reels);
                if format != self.format {
                    self.format = format;
                    self.encodings.reset_all();
                    self.rebalance();
                }
            }
            MediaCommand::SetKeypoints(keypoints) => {
                self.keypoints = keypoints;
                for connection in self.peers.values() {
                    let ask = connection.participant.as_ref().and_then(|participant| self.asks.get(participant));
                    connection.set_wish(self.wish(ask));
                }
            }
            MediaCommand::Poses(reply) => {
                let found = self.slots.poses(media_clock().now()).into_iter();
                let told =
                    found.map(|(participant, age, poses)| ParticipantPoses { participant, age, poses: poses.to_vec() });
                // Whoever asked may be gone.
                let _ = reply.send(told.collect());
            }
            MediaCommand::SetHold(hold) => self.composer.set_hold(hold),
            MediaCommand::AddPeer { peer, participant, negotiation } => self.add_peer(peer, participant, negotiation),
            MediaCommand::Answer { peer, answer } => {
                let outcome = self.peers.get_mut(&peer).map(|connection| connection.take_answer(&answer));
                if let Some(Err(error)) = outcome {
                    self.lose(peer, &error);
                }
            }
            MediaCommand::Candidate { peer, candidate } => {
                if let (Some(connection), Some(candidate)) = (self.peers.get_mut(&peer), candidate) {
                    connection.take_candidate(&candidate);
                }
            }
            MediaCommand::RemovePeer(peer) => drop(self.remove_peer(peer)),
            MediaCommand::Forget(participant) => {
                self.slots.forget(&participant);
                self.desk.forget(&participant);
                self.asks.remove(&participant);
            }
            MediaCommand::SetGain { participant, gain } => self.desk.set_gain(&participant, gain),
            MediaCommand::PlaySound(sound) => self.desk.play(sound),
            MediaCommand::SetMusic(music) => self.desk.set_music(music),
            MediaCommand::AddOutput { output, target } => self.add_output(output, target),
            MediaCommand::RemoveOutput(output) => {
                self.encodings.remove_output(&output);
                self.rebalance();
            }
            MediaCommand::Snapshot(reply) => {
                // Whoever asked may be gone.
                self.composer.snapshot(Box::new(move |frame| drop(reply.send(frame))));
            }
            MediaCommand::Health(reply) => drop(reply.send(self.numbers.health())),
        }
    }

    /// What a participant's element shall find. Before their layers are known it is the person, so that nobody's first
    /// frame shows a room that is to be hidden.
    fn wish(&self, ask: Option<&Ask>) -> Wish {
        let first = || if self.parts.can_cut { vec![Cut::default()] } else { Vec::new() };
        Wish {
            cuts: ask.map_or_else(first, |ask| ask.cuts.clone()),
            despill: ask.is_none_or(|ask| !ask.whole),
            poses: self.keypoints || ask.is_some_and(|ask| ask.poses),
            area: ask.map_or(AREA, |ask| area_for(ask.pixels)),
            shown: ask.map_or(0, |ask| ask.shown),
        }
    }

    fn add_peer(&mut self, id: PeerId, participant: Option<ParticipantId>, negotiation: Negotiation) {
        if let Some(participant) = &participant {
            let older = self.peers.iter().find(|(_, peer)| peer.participant.as_ref() == Some(participant));
            if let Some(older) = older.map(|(id, _)| *id) {
                self.remove_peer(older);
            }
            self.slots.assign(participant, id);
            self.desk.open(participant);
        }
        let now = media_clock().now();
        match negotiation {
            Negotiation::Offer { ingest, egress } => {
                let lines = offered_lines(ingest, if egress == VideoCodec::H264 { egress } else { VideoCodec::Vp8 });
                match self.connect(id, participant, lines, Signalling::Session, now) {
                    Ok(connection) => {
                        connection.peer.offer();
                        self.peers.insert(id, connection);
                    }
                    Err(error) => {
                        warn!(room = %self.room, peer = %id, %error, "no connection");
                        self.tell(MediaEvent::PeerGone { peer: id, reason: error });
                    }
                }
            }
            Negotiation::Answer { offer, reply } => {
                let chosen = match choose_for(&offer, participant.is_some()) {
                    Ok(chosen) => chosen,
                    Err(fault) => {
                        let _ = reply.send(Err(PeerRefused::Unacceptable(fault.to_string())));
                        self.tell(MediaEvent::PeerGone { peer: id, reason: fault.to_string() });
                        return;
                    }
                };
                let narrowed = sdp::narrowed(&offer, &chosen);
                let lines = answered_lines(&chosen);
                // The reply goes in once there is something to answer with, so that a failure can be told by it.
                match self.connect(id, participant, lines, Signalling::Session, now) {
                    Ok(mut connection) => {
                        connection.signalling = Signalling::http(reply, offer.clone(), chosen, now);
                        let outcome = connection.take_offer(&offer, &narrowed);
                        self.peers.insert(id, connection);
                        if let Err(error) = outcome {
                            self.lose(id, &error);
                        }
                    }
                    Err(error) => {
                        warn!(room = %self.room, peer = %id, %error, "no connection");
                        let _ = reply.send(Err(PeerRefused::Failed(error.clone())));
                        self.tell(MediaEvent::PeerGone { peer: id, reason: error });
                    }
                }
            }
        }
    }

    fn connect(
        &self,
        id: PeerId,
        participant: Option<ParticipantId>,
        lines: Vec<super::webrtc::line::Line>,
        signalling: Signalling,
        now: Duration,
    ) -> Result<Connection, String> {
        let trusted = Arc::new(AtomicBool::new(false));
        let wish = self.wish(participant.as_ref().and_then(|participant| self.asks.get(participant)));
        let segmenter = Arc::new(Mutex::new(Segmenter { element: None, wish }));
        let on_track = tracks::Tracks {
            launches: self.parts.launches.clone(),
            peer: id,
            participant: participant.clone(),
            trusted: trusted.clone(),
            segmenter: segmenter.clone(),
            slots: self.slots.clone(),
            desk: Arc::downgrade(&self.desk),
            events: self.events.clone(),
        };
        let inputs = Mutex::new(self.inputs.clone());
        let peer = Peer::new(
            &format!("{}-{id}", self.room),
            &lines,
            &self.parts.network,
            &self.parts.launches,
            Box::new(move |codec| on_track.attach(codec)),
            move |news| {
                // Fails only when the room is over.
                let _ = inputs.lock().unwrap_or_else(PoisonError::into_inner).send(Input::Peer(id, news));
            },
        )?;
        Ok(Connection::new(peer, participant, signalling, lines, trusted, segmenter, now))
    }

    fn peer_news(&mut self, id: PeerId, news: PeerNews) {
        let now = media_clock().now();
        let Some(connection) = self.peers.get_mut(&id) else { return };
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
            PeerNews::Connected => {
                if connection.trusted.load(Ordering::Acquire) {
                    return;
                }
                match connection.verify() {
                    Ok(()) => self.connected(id),
                    Err(error) => self.lose(id, &error),
                }
                return;
            }
            PeerNews::KeyframeWanted => {
                if let Some(codec) = connection.egress() {
                    self.encodings.request_keyframe(codec);
                }
            }
            PeerNews::Latency => connection.peer.recalculate_latency(),
            PeerNews::Failed(error) => {
                self.lose(id, &error);
                return;
            }
        }
        if let Some(event) = event {
            self.tell(event);
        }
    }

    /// The peer is who it said it is: from now on it gets the mix, and what it sends counts.
    fn connected(&mut self, id: PeerId) {
        let Some(connection) = self.peers.get(&id) else { return };
        if let Some((codec, src)) = connection.peer.sender(TrackKind::Video)
            && let super::webrtc::line::Format::Video(codec) = codec.format
        {
            self.encodings.add(codec, id, src);
        }
        if let Some((_, src)) = connection.peer.sender(TrackKind::Audio) {
            self.desk.listen(id, connection.participant.clone(), src);
        }
        info!(room = %self.room, peer = %id, "peer connected");
        self.rebalance();
        self.tell(MediaEvent::PeerConnected(id));
    }

    fn remove_peer(&mut self, id: PeerId) -> Option<Connection> {
        let connection = self.peers.remove(&id)?;
        connection.trusted.store(false, Ordering::Release);
        self.numbers.retire(connection.masks());
        self.desk.unlisten(id);
        if self.encodings.remove(id) {
            self.rebalance();
        }
        info!(room = %self.room, peer = %id, "peer removed");
        Some(connection)
    }

    /// A peer is of no more use.
    fn lose(&mut self, id: PeerId, reason: &str) {
        if let Some(mut connection) = self.remove_peer(id) {
            connection.refuse_http(reason);
            warn!(room = %self.room, peer = %id, reason, "peer lost");
            self.tell(MediaEvent::PeerGone { peer: id, reason: reason.to_owned() });
        }
    }

    fn add_output(&mut self, id: OutputId, target: OutputTarget) {
        let OutputTarget::Rtmp { url } = target;
        let (events, told) = (self.events.clone(), id.clone());
        let (inputs, over) = (self.inputs.clone(), self.inputs.clone());
        let started = RtmpOutput::start(
            &id.0,
            url,
            self.parts.launches.clone(),
            move |state| {
                // Both fail only when the room is over.
                if matches!(state, super::port::OutputState::Failed { .. }) {
                    let _ = over.send(Input::OutputOver(told.clone()));
                }
                let _ = events.send(MediaEvent::Output { output: told.clone(), state });
            },
            move || drop(inputs.send(Input::Keyframe(VideoCodec::H264))),
        );
        match started {
            Ok(output) => {
                self.encodings.add_output(id, output);
                self.rebalance();
            }
            Err(error) => {
                let state = super::port::OutputState::Failed { error: error.to_string() };
                self.tell(MediaEvent::Output { output: id, state });
            }
        }
    }

    /// Encoders for those who need them, and the clock while there is an encoder.
    fn rebalance(&mut self) {
        let running = self.encodings.rebalance(self.format);
        self.composer.run(!running.is_empty());
        self.numbers.set_encoders(running);
    }

    fn look(&mut self, now: Duration) {
        self.composer.tidy();
        if self.rebalance_at.take_if(|at| *at <= now).is_some() {
            self.rebalance();
        }
        let mut dead = Vec::new();
        for (id, connection) in &mut self.peers {
            connection.answer_http(now, false);
            if !connection.trusted.load(Ordering::Acquire) && now.saturating_sub(connection.since) > UNVERIFIED {
                dead.push((*id, "it never showed its certificate".to_owned()));
                continue;
            }
            connection.liveness.packets(now, connection.peer.packets());
            if let Verdict::Dead(reason) = connection.liveness.verdict(now) {
                dead.push((*id, reason.to_string()));
            }
        }
        for (id, reason) in dead {
            self.lose(id, &reason);
        }
        let masks = self.peers.values().map(Connection::masks);
        let dropped = self.encodings.dropped();
        self.numbers.sound(self.desk.longest_gap());
        self.numbers.sample(now, self.composer.counters(), masks, dropped);
    }
}
