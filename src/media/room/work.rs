//! The room's media thread: takes one input after the other and hands it to whom it concerns.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, error};

use super::{
    Input, Parts,
    inputs::{Inputs, PeerOutcome},
    isos::Isos,
    news::StageNews,
    program::Program,
    receivers::Receivers,
    stats::Stats,
    watch::{Halt, Watch},
};
use crate::media::{
    compose::{
        clock::{Counters, frame_of},
        effects::Photo,
        latest_frames::LatestFrames,
    },
    deliver,
    gst::{
        clock::media_clock,
        priority::{self, Role},
    },
    port::{MediaCommand, MediaEvent, OutputSpec, OutputTarget, ParticipantId, ParticipantPoses, PeerId, RoomSpec},
};

/// Time between two rounds in which peers are looked after and numbers are taken.
const LOOK: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Work {
    room: Arc<str>,
    events: UnboundedSender<MediaEvent>,
    slots: Arc<LatestFrames>,
    inputs: Inputs,
    isos: Isos,
    program: Program,
    receivers: Receivers,
    stats: Stats,
    watch: Watch,
    /// The clock has somebody to compose for.
    running: bool,
}

impl Work {
    pub(super) fn new(
        spec: RoomSpec,
        parts: &Arc<Parts>,
        events: UnboundedSender<MediaEvent>,
        inputs: Sender<Input>,
    ) -> std::io::Result<Self> {
        let slots = Arc::new(LatestFrames::default());
        let receivers = Receivers::new(&spec, parts.delivery.clone(), inputs.clone());
        let (room, keypoints) = (spec.room.clone(), spec.keypoints);
        let program = Program::start(spec, parts, slots.clone(), receivers.key(), inputs.clone(), &events, |made| {
            let delivery = (parts.delivery.clone(), receivers.key());
            StageNews::new(made, slots.clone(), delivery, inputs.clone(), events.clone())
        })?;
        let desk = program.desk().clone();
        let isos = Isos::new(room.clone(), (parts.launches.clone(), parts.can_cut), events.clone(), inputs.clone());
        let inputs = Inputs::new(room.clone(), parts.clone(), (slots.clone(), desk), keypoints, events.clone(), inputs);
        let now = media_clock().now();
        let (stats, watch) = (Stats::new(now), Watch::new(now));
        Ok(Self { room, events, slots, inputs, isos, program, receivers, stats, watch, running: false })
    }

    /// Works until the room is over.
    ///
    /// # Errors
    /// Why the room's media is of no more use.
    pub(super) fn run(mut self, received: &Receiver<Input>) -> Result<(), Halt> {
        priority::take(Role::Deliver);
        let mut looked = media_clock().now();
        let ended = loop {
            match received.recv_timeout(LOOK) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => break Ok(()),
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = media_clock().now();
            if now.saturating_sub(looked) >= LOOK {
                looked = now;
                self.look(now);
                if let Some(halt) = self.fault(now) {
                    break Err(halt);
                }
            }
        };
        // Stages go first, so that nothing is pushed into pipelines on their way down.
        self.isos.clear();
        self.program.end();
        self.receivers.end();
        debug!(room = %self.room, "the room's media ends");
        ended
    }

    /// Returns what makes the room's media useless, if something does.
    fn fault(&mut self, now: Duration) -> Option<Halt> {
        if let Some(halt) = self.program.over() {
            return Some(halt);
        }
        let Counters { frames, layers, .. } = self.program.counters();
        // A frame may take longer than the watch waits, where its layers are many and large: it is late, not lost.
        let drawn = frames.load(Ordering::Relaxed) + layers.load(Ordering::Relaxed);
        self.watch.look(now, self.running, drawn, self.program.desk().blocks())
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Command(command) => self.command(command),
            Input::Peer(peer, news) => match self.inputs.news(peer, news) {
                PeerOutcome::Nothing => {}
                PeerOutcome::Connected => {
                    if let Some(source) = self.inputs.source(peer) {
                        self.isos.connected(&source);
                    }
                    self.tell(MediaEvent::PeerConnected(peer));
                }
                PeerOutcome::Lost(reason) => self.lose_sender(peer, &reason),
            },
            Input::Delivery(peer, news) => self.delivered(peer, news),
            Input::EncoderFailed(id, error) => {
                error!(room = %self.room, codec = %id.codec, %error, "encoder failed; a new one is made");
                self.program.encoder_failed(id);
            }
            Input::BroadcastFailed(picture, error) => {
                error!(room = %self.room, ?picture, %error, "broadcast encoder failed; a new one is made");
                self.program.broadcasts().picture_failed(&picture, media_clock().now());
            }
            Input::SoundFailed(settings, error) => {
                error!(room = %self.room, ?settings, %error, "encoder of the sound failed; a new one is made");
                self.program.broadcasts().sound_failed(&settings, media_clock().now());
            }
            Input::OutputOver(output) => {
                self.program.broadcasts().remove(&output);
                self.rebalance();
            }
            Input::Iso(output, peer, news) => {
                self.isos.news(&output, peer, news);
                self.inputs.set_cutouts(self.isos.need_cutouts());
            }
            Input::Photo(photo, _waiting) => {
                let Photo { trigger, picture, sound } = photo;
                self.tell(MediaEvent::PhotoTaken { trigger, frame: frame_of(&picture), sound });
            }
            // A picture that is forgotten may have had a word on its way.
            Input::LayerRequest(Some(aux), ..) if !self.program.has_aux(&aux) => {}
            Input::LayerRequest(aux, participant, ask) => {
                if let Some(shown) = self.inputs.asked(aux, &participant, ask) {
                    self.report_shown(participant, shown);
                }
            }
            // The loop ends with it.
            Input::Stop => {}
        }
    }

    fn tell(&self, event: MediaEvent) {
        // Fails only when the room's actor is over; then Stop is on its way.
        let _ = self.events.send(event);
    }

    fn report_shown(&self, participant: ParticipantId, size: (u32, u32)) {
        self.tell(MediaEvent::Shown { participant, size, fps: self.program.fps() });
    }

    fn command(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::SetPicture(picture) => {
                if let Some(canvas) = self.program.show(picture) {
                    self.receivers.set_canvas(canvas);
                    self.rebalance();
                }
            }
            MediaCommand::SetKeypoints(keypoints) => self.inputs.set_keypoints(keypoints),
            MediaCommand::Poses(reply) => {
                let found = self.slots.poses(media_clock().now()).into_iter();
                let told =
                    found.map(|(participant, age, poses)| ParticipantPoses { participant, age, poses: poses.to_vec() });
                // Those who asked may be gone.
                let _ = reply.send(told.collect());
            }
            MediaCommand::SetHold(hold) => self.program.set_hold(hold),
            MediaCommand::AddSender { peer, participant, name, negotiation } => {
                if let Some((older, masks)) = self.inputs.replaced(&participant) {
                    self.isos.gone(older);
                    self.stats.retire(masks);
                }
                if let Err(error) = self.inputs.add(peer, (participant, name), negotiation) {
                    self.tell(MediaEvent::PeerGone { peer, reason: error.to_string() });
                }
            }
            MediaCommand::AddReceiver { peer, participant, offer, rendition, reply } => {
                let answer = self.receivers.add(peer, participant, &offer, rendition);
                let refused = answer.as_ref().err().map(ToString::to_string);
                // Those who asked may be gone; then the room takes the connection back.
                let _ = reply.send(answer);
                if let Some(reason) = refused {
                    self.tell(MediaEvent::PeerGone { peer, reason });
                }
            }
            MediaCommand::View { peer, view } => self.receivers.view(peer, view),
            MediaCommand::Answer { peer, answer } => {
                if let Err(error) = self.inputs.answer(peer, &answer) {
                    self.lose_sender(peer, &error.to_string());
                }
            }
            MediaCommand::Candidate { peer, candidate } => {
                if let Some(candidate) = candidate
                    && !self.inputs.candidate(peer, &candidate)
                {
                    self.receivers.candidate(peer, candidate);
                }
            }
            MediaCommand::RemovePeer(peer) => self.remove(peer),
            MediaCommand::Forget(participant) => {
                self.inputs.forget(&participant);
                self.slots.forget(&participant);
                self.program.desk().forget(&participant);
            }
            MediaCommand::SetGain { participant, gain, pan } => self.program.desk().set_gain(&participant, gain, pan),
            MediaCommand::PlaySound(sound) => self.program.desk().play(sound),
            MediaCommand::SetMusic(music) => self.program.desk().set_music(music),
            MediaCommand::AddOutput { output, spec: OutputSpec { target: OutputTarget::Iso(target), .. } } => {
                self.isos.add(output, target, self.inputs.sources());
                self.inputs.set_cutouts(self.isos.need_cutouts());
            }
            MediaCommand::AddOutput { output, spec } => {
                self.program.add_output(output, spec);
                self.rebalance();
            }
            MediaCommand::ChangeOutput { output, wishes, aux } => {
                self.program.broadcasts().change(&output, wishes, aux);
                self.rebalance();
            }
            MediaCommand::SetAux { aux, picture } => {
                if self.program.show_aux(aux, picture) {
                    self.rebalance();
                }
            }
            MediaCommand::RemoveAux(aux) => {
                self.program.remove_aux(&aux);
                for (participant, shown) in self.inputs.forget_aux(&aux) {
                    self.report_shown(participant, shown);
                }
                self.rebalance();
            }
            MediaCommand::RemoveOutput(output) if self.isos.remove(&output) => {
                self.inputs.set_cutouts(self.isos.need_cutouts());
            }
            MediaCommand::PauseOutput { output, paused } => self.program.broadcasts().pause(&output, paused),
            MediaCommand::Mark(name) => self.program.broadcasts().mark(&name),
            MediaCommand::RemoveOutput(output) => {
                self.program.broadcasts().remove(&output);
                self.rebalance();
            }
            MediaCommand::Snapshot(aux, reply) => {
                // Those who asked may be gone.
                self.program.snapshot(aux.as_ref(), Box::new(move |frame| drop(reply.send(frame))));
            }
            MediaCommand::Health(reply) => drop(reply.send(self.stats.health())),
        }
    }

    fn remove(&mut self, peer: PeerId) {
        self.isos.gone(peer);
        if let Some(masks) = self.inputs.remove(peer) {
            self.stats.retire(masks);
        } else if self.receivers.remove(peer) {
            self.program.desk().unlisten(peer);
            self.rebalance();
        }
    }

    /// Notes that a sender is of no more use.
    fn lose_sender(&mut self, peer: PeerId, reason: &str) {
        self.isos.gone(peer);
        if let Some(masks) = self.inputs.lose(peer, reason) {
            self.stats.retire(masks);
            self.tell(MediaEvent::PeerGone { peer, reason: reason.to_owned() });
        }
    }

    fn delivered(&mut self, peer: PeerId, news: deliver::News) {
        match news {
            deliver::News::Connected => {
                if let Some(participant) = self.receivers.connected(peer) {
                    self.program.desk().listen(peer, participant);
                    self.tell(MediaEvent::PeerConnected(peer));
                }
            }
            deliver::News::Gone(reason) => {
                if self.receivers.remove(peer) {
                    self.program.desk().unlisten(peer);
                    self.rebalance();
                    self.tell(MediaEvent::PeerGone { peer, reason });
                }
            }
            deliver::News::Needs(encodings) => {
                if self.receivers.needs(peer, encodings) {
                    self.rebalance();
                }
            }
            deliver::News::Keyframe(encoding) => self.program.encodings().request_keyframe(encoding),
            deliver::News::Report(report) => {
                if let Some(delivery) = self.receivers.report(peer, report) {
                    self.tell(MediaEvent::Delivery { peer, delivery });
                }
            }
        }
    }

    /// Encoders for those who need them, and the clock while there is an encoder.
    fn rebalance(&mut self) {
        let receivers = &self.receivers;
        let (runs, encoders) = self.program.rebalance(|id| receivers.need(id));
        self.running = runs;
        self.stats.set_encoders(runs, encoders);
    }

    fn look(&mut self, now: Duration) {
        if self.watch.was_away(now) {
            self.program.encodings().forgive();
            self.program.broadcasts().forgive();
        }
        for id in self.program.encodings().hung(now) {
            error!(room = %self.room, codec = %id.codec, "encoder hangs; a new one is made");
            self.program.encoder_failed(id);
        }
        for picture in self.program.broadcasts().hung(now) {
            error!(room = %self.room, ?picture, "broadcast encoder hangs; a new one is made");
            self.program.broadcasts().picture_failed(&picture, now);
        }
        if self.program.look(now) {
            self.rebalance();
        }
        self.isos.look(now);
        for (peer, reason) in self.inputs.look(now) {
            self.lose_sender(peer, &reason);
        }
        let dropped = self.program.encodings().dropped() + self.program.broadcasts().dropped();
        self.stats.sound(self.program.desk().longest_gap());
        self.stats.sample(now, self.program.counters(), self.program.aux_lateness(), self.inputs.masks(), dropped);
    }
}
