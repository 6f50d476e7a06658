//! What the media tells.

use super::{Effect, Now, State};
use crate::{
    control::room::{
        link::{Closing, Note},
        participant::{Door, Wire},
        view::Event,
    },
    media::port::{MediaEvent, OutputId, OutputState, ParticipantId, PeerId, TrackKind},
};

impl State {
    /// Takes news from the room's media. News of connections, people and outputs that are gone is dropped.
    pub fn hear(&mut self, news: MediaEvent, now: Now) {
        match news {
            MediaEvent::PeerOffer { peer, sdp } => self.effects.push(Effect::Tell(peer, Note::Offer { sdp })),
            MediaEvent::PeerCandidate { peer, mline, candidate } => {
                self.effects.push(Effect::Tell(peer, Note::Candidate { mline, candidate }));
            }
            MediaEvent::PeerConnected(peer) => self.connected(peer),
            MediaEvent::PeerGone { peer, reason } => self.peer_gone(peer, reason, now),
            MediaEvent::TrackStarted { participant, kind, size } => self.track(&participant, kind, true, size),
            MediaEvent::TrackStopped { participant, kind } => self.track(&participant, kind, false, None),
            MediaEvent::Speaking { participant, speaking } => self.speaks(&participant, speaking),
            MediaEvent::TriggerFired { trigger, participants } => self.trigger_fired(&trigger, &participants, now),
            MediaEvent::PhotoTaken { trigger, frame, sound } => self.photo_taken(trigger, frame, sound, now),
            MediaEvent::Output { output, state } => self.output_changed(&output, state, now),
        }
    }

    fn connected(&mut self, peer: PeerId) {
        let Some(index) = self.member_of(peer) else { return };
        if let Wire::Live { connected, .. } = &mut self.members[index].wire {
            *connected = true;
        }
        self.effects.push(Effect::Tell(peer, Note::Connected));
        self.tell_changed(index);
    }

    fn peer_gone(&mut self, peer: PeerId, reason: String, now: Now) {
        if self.drop_viewer(peer) {
            return;
        }
        self.effects.push(Effect::Close(peer, Closing::MediaFailed(reason)));
        self.lose(peer, now);
    }

    fn track(&mut self, id: &ParticipantId, kind: TrackKind, runs: bool, size: Option<(u32, u32)>) {
        let Some(index) = self.members.iter().position(|member| member.id == *id) else { return };
        let member = &mut self.members[index];
        let before = (member.audio, member.video, member.size);
        // A session tells its switches itself.
        let has_no_switches = member.door != Door::Session;
        match kind {
            TrackKind::Audio if has_no_switches => member.audio = runs,
            TrackKind::Audio => {}
            TrackKind::Video => {
                // A size that is not told anew stays, unless the picture is gone.
                member.size = if runs { size.or(member.size) } else { None };
                if has_no_switches {
                    member.video = runs;
                }
            }
        }
        if before != (member.audio, member.video, member.size) {
            self.tell_changed(index);
        }
    }

    fn speaks(&mut self, id: &ParticipantId, speaking: bool) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == *id) else { return };
        if member.speaking != speaking {
            member.speaking = speaking;
            self.effects.push(Effect::Event(Event::Speaking { id: id.0.clone(), speaking }));
        }
    }

    fn output_changed(&mut self, id: &OutputId, state: OutputState, now: Now) {
        let Some(output) = self.outputs.iter_mut().find(|output| output.id == *id) else { return };
        output.set_state(state, now.wall);
        let view = output.view();
        self.effects.push(Effect::Event(Event::OutputChanged { output: view }));
    }
}
