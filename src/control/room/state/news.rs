//! The reports of the media.

use super::{
    Effect, Now, State,
    note::{Closing, Note},
    output::FinishedRecording,
    participant::{JoinMethod, LinkState, Member, Receiver},
    view::{Delivery, Event},
};
use crate::media::port::{DeliveryReport, Loudness, MediaEvent, ParticipantId, PeerId, TrackKind};

/// Frames a second of somebody whom no layer shows: enough to be there at once when one does.
const FPS_UNSEEN: u32 = 5;

impl State {
    /// Takes news from the room's media. News of connections, people and outputs that are gone is dropped. Returns why
    /// the media is of no more use, if that is the news: the room's task opens other media.
    pub fn hear(&mut self, news: MediaEvent, now: Now) -> Option<String> {
        match news {
            MediaEvent::PeerOffer { peer, sdp } => self.effects.push(Effect::Notify(peer, Note::Offer { sdp })),
            MediaEvent::PeerCandidate { peer, mline, candidate } => {
                self.effects.push(Effect::Notify(peer, Note::Candidate { mline, candidate }));
            }
            MediaEvent::PeerConnected(peer) => self.connected(peer),
            MediaEvent::PeerGone { peer, reason } => self.peer_gone(peer, reason, now),
            MediaEvent::Delivery { peer, delivery } => self.delivered(peer, delivery),
            MediaEvent::Shown { participant, size, fps } => self.shown(&participant, size, fps),
            MediaEvent::TrackStarted { participant, kind, size } => self.track(&participant, kind, true, size),
            MediaEvent::TrackStopped { participant, kind } => self.track(&participant, kind, false, None),
            MediaEvent::VideoProblem { peer, problem } => self.video_problem(peer, problem),
            MediaEvent::Lost { peer, lost } => self.finds(peer, !lost),
            MediaEvent::Loudness(loudness) => self.is_as_loud_as(loudness),
            MediaEvent::Speaking { participant, speaking } => self.speaks(&participant, speaking),
            MediaEvent::TriggerFired { trigger, participants } => self.trigger_fired(&trigger, &participants, now),
            MediaEvent::PhotoTaken { trigger, frame, sound } => self.photo_taken(trigger, frame, sound, now),
            MediaEvent::Broken { reason } => return Some(reason),
            MediaEvent::Output { output, state } => self.output_news(&output, state, now),
            MediaEvent::OutputFlow { output, flow } => self.output_flow(&output, flow),
            // Also of an output that is stopped or deleted by now: its file needed some time to be finished.
            MediaEvent::Recorded { output, file } => {
                let recording = FinishedRecording::new(&output, file);
                self.effects.push(Effect::Event(Event::RecordingFinished { recording }));
            }
        }
        None
    }

    fn connected(&mut self, peer: PeerId) {
        if let Some(viewer) = self.viewers.iter_mut().find(|viewer| viewer.receiver.connection.peer == peer) {
            viewer.receiver.connected = true;
            return;
        }
        let Some(index) = self.member_of(peer) else { return };
        if let LinkState::Live { connected, .. } = &mut self.members[index].link_state {
            *connected = true;
        }
        self.effects.push(Effect::Notify(peer, Note::Connected));
        self.report_changed(index);
    }

    fn peer_gone(&mut self, peer: PeerId, reason: String, now: Now) {
        if self.drop_viewer(peer) || self.drop_receiver(peer) {
            return;
        }
        self.effects.push(Effect::Close(peer, Closing::MediaFailed(reason)));
        self.lose(peer, now);
    }

    /// A page notices by itself that its receiving connection is lost, and makes another one.
    fn delivered(&mut self, peer: PeerId, report: DeliveryReport) {
        let delivery = Delivery::new(peer, report);
        let of_peer = |receiver: &&mut Receiver| receiver.connection.peer == peer;
        if let Some(viewer) = self.viewers.iter_mut().map(|viewer| &mut viewer.receiver).find(of_peer) {
            viewer.connected = true;
            viewer.delivery = Some(delivery);
            return;
        }
        let own = |member: &&mut Member| member.receiver.as_ref().is_some_and(|one| one.connection.peer == peer);
        let Some(member) = self.members.iter_mut().find(own) else { return };
        let session = member.peer();
        if let Some(receiver) = &mut member.receiver {
            receiver.delivery = Some(delivery.clone());
        }
        if let Some(session) = session {
            self.effects.push(Effect::Notify(session, Note::Delivery(delivery)));
        }
    }

    fn shown(&mut self, id: &ParticipantId, (width, height): (u32, u32), fps: u32) {
        let session = self.members.iter().find(|member| member.id == *id).and_then(Member::peer);
        if let Some(session) = session {
            let fps = if width == 0 || height == 0 { FPS_UNSEEN } else { fps };
            self.effects.push(Effect::Notify(session, Note::Shown { width, height, fps }));
        }
    }

    fn track(&mut self, id: &ParticipantId, kind: TrackKind, runs: bool, size: Option<(u32, u32)>) {
        let Some(index) = self.members.iter().position(|member| member.id == *id) else { return };
        let member = &mut self.members[index];
        let before = (member.audio, member.video, member.size);
        // A session reports its switches itself.
        let has_no_switches = member.joined_by != JoinMethod::Session;
        match kind {
            TrackKind::Audio if has_no_switches => member.audio = runs,
            TrackKind::Audio => {}
            TrackKind::Video => {
                // A size that is not reported again stays, unless the picture is gone.
                member.size = if runs { size.or(member.size) } else { None };
                if has_no_switches {
                    member.video = runs;
                }
            }
        }
        self.box_news.due |= before.2 != member.size;
        if before != (member.audio, member.video, member.size) {
            self.report_changed(index);
        }
    }

    fn video_problem(&mut self, peer: PeerId, problem: Option<String>) {
        let Some(index) = self.member_of(peer) else { return };
        if self.members[index].problem != problem {
            self.members[index].problem = problem;
            self.report_changed(index);
        }
    }

    fn finds(&mut self, peer: PeerId, found: bool) {
        let Some(index) = self.member_of(peer) else { return };
        let before = self.members[index].is_lost();
        self.members[index].lost = !found;
        if self.members[index].is_lost() != before {
            self.report_changed(index);
        }
    }

    fn is_as_loud_as(&mut self, loudness: Loudness) {
        self.loudness = loudness;
        self.effects.push(Effect::Event(Event::Loudness { loudness: loudness.into() }));
    }

    fn speaks(&mut self, id: &ParticipantId, speaking: bool) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == *id) else { return };
        if member.speaking != speaking {
            member.speaking = speaking;
            self.effects.push(Effect::Event(Event::Speaking { id: id.0.clone(), speaking }));
        }
    }
}
