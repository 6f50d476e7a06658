//! Joining, leaving, taking over, moderation.

use std::{sync::Arc, time::Duration};

use super::{
    Effect, Now, State, Viewer,
    name::{DisplayName, could_be_taken_for, look_alike},
    note::Closing,
    participant::{Bearer, Caller, JoinMethod, LinkState, Member, Moderation, PeerConnection},
    view::{Event, LeaveReason, MemberRole, Participant},
};
use crate::{
    control::room::error::RoomError,
    media::port::{MediaCommand, Negotiation, ParticipantId, PeerId, SHORTEST_SILENCE},
};

/// Someone at the door, with the random names that they get if they are new.
#[derive(Debug)]
pub struct Arrival {
    /// The name that they ask for.
    pub name: DisplayName,
    /// Their role, and the token that they came with.
    pub caller: Caller,
    /// Way by which they come in.
    pub joined_by: JoinMethod,
    /// A secret that they got earlier: their place is taken over if it is still there. Sessions only.
    pub resume: Option<String>,
    /// Their connection.
    pub connection: PeerConnection,
    /// Manner in which it is negotiated.
    pub negotiation: Negotiation,
    /// Id of a new place.
    pub fresh_id: ParticipantId,
    /// Secret of a new place. A WHIP place gets it at each connection, as its resource's name.
    pub fresh_secret: String,
}

/// The place that someone got.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The participant that they are in the room.
    pub participant: Participant,
    /// Takes the place over (session), or names its resource (WHIP).
    pub secret: String,
    /// Whether an older place was taken over.
    pub resumed: bool,
}

impl State {
    /// Gives someone a place and makes their connection, or lets them take over the place that is theirs.
    ///
    /// # Errors
    /// [`RoomError::Banned`], [`RoomError::Locked`], [`RoomError::Full`], [`RoomError::TooManyPlaces`],
    /// [`RoomError::Unavailable`], [`RoomError::NoRoom`].
    pub fn join(&mut self, arrival: Arrival, now: Now) -> Result<Place, RoomError> {
        if self.has_ended() {
            return Err(RoomError::NoRoom);
        }
        self.check_media()?;
        match self.place_of(&arrival) {
            Some(index) => Ok(self.take_over(index, arrival)),
            None => self.take_place(arrival, now),
        }
    }

    /// Returns the place that an arrival may take over.
    fn place_of(&self, arrival: &Arrival) -> Option<usize> {
        self.members.iter().position(|member| match (&member.joined_by, &arrival.joined_by) {
            (JoinMethod::Session, JoinMethod::Session) => arrival.resume.as_ref() == Some(&member.secret),
            (JoinMethod::Whip { claim: Some(held) }, JoinMethod::Whip { claim: Some(asked) }) => held == asked,
            _ => false,
        })
    }

    fn take_place(&mut self, arrival: Arrival, now: Now) -> Result<Place, RoomError> {
        self.check_bans(&arrival.caller, arrival.name.as_str())?;
        let is_guest = arrival.caller.role == MemberRole::Participant;
        if is_guest && self.settings.locked {
            return Err(RoomError::Locked);
        }
        let max = self.settings.max_participants;
        if self.members.len() >= max as usize {
            return Err(RoomError::Full { max });
        }
        if let Some(Bearer { subject, places, .. }) = &arrival.caller.bearer {
            let own = |member: &&Member| member.bearer.as_ref().is_some_and(|bearer| bearer.subject == *subject);
            if self.members.iter().filter(own).count() >= *places as usize {
                return Err(RoomError::TooManyPlaces { max: *places });
            }
        }
        if arrival.caller.named {
            self.free_name(arrival.name.as_str());
        }
        let reserved = &arrival.caller.reserved;
        let is_taken =
            |name: &str| self.has_name(name, None) || reserved.iter().any(|other| could_be_taken_for(other, name));
        let name = arrival.name.made_unique(is_taken);
        // A session's switches are on until its page says otherwise; a WHIP sender has no switches, there the tracks
        // themselves report.
        let switches = arrival.joined_by == JoinMethod::Session;
        let member = Member {
            id: arrival.fresh_id,
            name,
            asked: arrival.name.as_str().to_owned(),
            secret: arrival.fresh_secret,
            joined_by: arrival.joined_by,
            role: arrival.caller.role,
            bearer: arrival.caller.bearer,
            named: arrival.caller.named,
            joined_at: now.wall,
            link_state: LinkState::Live { connection: arrival.connection.clone(), connected: false },
            receiver: None,
            audio: switches,
            video: switches,
            size: None,
            speaking: false,
            muted: false,
            volume: 1.0,
            pan: 0.0,
            hidden: false,
            stage: self.settings.guests_land.stage(is_guest),
            problem: None,
            lost: false,
        };
        let place = Place { participant: member.view(), secret: member.secret.clone(), resumed: false };
        let participant = member.id.clone();
        if !member.is_on_air() {
            // Before the first sample of their sound can come.
            self.effects.push(Effect::Media(member.order_gain()));
        }
        self.members.push(member);
        self.add_sender(arrival.connection.peer, participant, arrival.negotiation);
        self.show();
        self.effects.push(Effect::Event(Event::ParticipantJoined { participant: place.participant.clone() }));
        Ok(place)
    }

    fn take_over(&mut self, index: usize, arrival: Arrival) -> Place {
        let asked = arrival.name.as_str();
        let keeps_name = self.members[index].asked == asked || &*self.members[index].name == asked;
        let reserved = &arrival.caller.reserved;
        let is_taken = |name: &str| {
            self.has_name(name, Some(index)) || reserved.iter().any(|other| could_be_taken_for(other, name))
        };
        let new_name = (!keeps_name).then(|| arrival.name.made_unique(is_taken));

        let peer = arrival.connection.peer;
        let member = &mut self.members[index];
        let old_peer = member.peer();
        let renamed = new_name.is_some();
        if let Some(name) = new_name {
            member.name = name;
            member.asked = asked.to_owned();
        }
        if arrival.joined_by != JoinMethod::Session {
            member.secret = arrival.fresh_secret;
        }
        member.role = arrival.caller.role;
        member.bearer = arrival.caller.bearer;
        member.named = arrival.caller.named;
        member.speaking = false;
        (member.problem, member.lost) = (None, false);
        member.link_state = LinkState::Live { connection: arrival.connection, connected: false };
        let receiver = member.receiver.take();
        let id = member.id.clone();
        let gain = member.order_gain();
        let place = Place { participant: member.view(), secret: member.secret.clone(), resumed: true };

        if let Some(old) = old_peer {
            self.effects.push(Effect::Close(old, Closing::Replaced));
            self.effects.push(Effect::Media(MediaCommand::RemovePeer(old)));
        }
        self.effects.extend(receiver.map(|one| Effect::Media(MediaCommand::RemovePeer(one.connection.peer))));
        self.add_sender(peer, id.clone(), arrival.negotiation);
        self.effects.push(Effect::Media(gain));
        if renamed {
            self.show();
        }
        self.report_changed(index);
        place
    }

    /// Frees a name for the one whose token fixes it: others who could be taken for them are renamed.
    fn free_name(&mut self, name: &str) {
        let usurps = |member: &Member| !member.named && could_be_taken_for(&member.name, name);
        let Ok(own) = DisplayName::parse(name) else { return };
        while let Some(index) = self.members.iter().position(usurps) {
            // Nobody has it at this moment, and it is taken.
            let other = own.made_unique(|one| could_be_taken_for(one, name) || self.has_name(one, None));
            self.members[index].name = other;
            self.show();
            self.report_changed(index);
        }
    }

    fn has_name(&self, name: &str, except: Option<usize>) -> bool {
        let members = self.members.iter().enumerate().filter(|(index, _)| Some(*index) != except);
        members.into_iter().any(|(_, member)| look_alike(&member.name, name))
    }

    /// Returns everyone, in order of joining.
    pub fn participants(&self) -> Vec<Participant> {
        self.members.iter().map(Member::view).collect()
    }

    /// Returns one participant.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`].
    pub fn participant(&self, id: &str) -> Result<Participant, RoomError> {
        self.find(id).map(|index| self.members[index].view())
    }

    /// Makes a moderator's change.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`], [`RoomError::Invalid`].
    pub fn moderate(&mut self, id: &str, change: &Moderation) -> Result<Participant, RoomError> {
        let index = self.find(id)?;
        change.check()?;
        let member = &mut self.members[index];
        let before = (member.gain_and_pan(), member.is_shown(), member.view());
        member.muted = change.muted.unwrap_or(member.muted);
        member.volume = change.volume.unwrap_or(member.volume);
        member.pan = change.pan.unwrap_or(member.pan);
        member.hidden = change.hidden.unwrap_or(member.hidden);
        member.stage = change.stage.unwrap_or(member.stage);
        let after = (member.gain_and_pan(), member.is_shown(), member.view());
        if after.0 != before.0 {
            self.effects.push(Effect::Media(member.order_gain()));
        }
        if after.1 != before.1 {
            self.show();
        }
        if after.2 != before.2 {
            self.report_changed(index);
        }
        Ok(after.2)
    }

    /// Removes someone, for a moderator.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`].
    pub fn kick(&mut self, id: &str) -> Result<Participant, RoomError> {
        let index = self.find(id)?;
        if let Some(peer) = self.members[index].peer() {
            self.effects.push(Effect::Close(peer, Closing::Removed));
        }
        Ok(self.remove_member(index, LeaveReason::Removed))
    }

    /// Notes that the session of this connection switched its microphone or camera.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn set_switches(&mut self, peer: PeerId, audio: bool, video: bool) -> Result<(), RoomError> {
        let index = self.member_of(peer).ok_or(RoomError::NoConnection)?;
        let member = &mut self.members[index];
        if (member.audio, member.video) != (audio, video) {
            (member.audio, member.video) = (audio, video);
            self.report_changed(index);
        }
        Ok(())
    }

    /// Notes that the session of this connection has said whether its user is ready to go on air.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn set_ready(&mut self, peer: PeerId, ready: bool) -> Result<(), RoomError> {
        let index = self.member_of(peer).ok_or(RoomError::NoConnection)?;
        let member = &mut self.members[index];
        let stage = member.stage.after_word(ready);
        if member.stage != stage {
            // Neither is in the programme: nothing changes for the media.
            member.stage = stage;
            self.report_changed(index);
        }
        Ok(())
    }

    /// Has the one with this connection leave for good. Nothing happens when it was replaced.
    pub fn leave(&mut self, peer: PeerId, reason: LeaveReason) {
        if let Some(index) = self.member_of(peer) {
            self.remove_member(index, reason);
        }
    }

    /// Notes that a participant's connection is lost: the place is kept for `hold_ms`. A WHIP sender's has been kept
    /// already for as long as its silence was not yet its end, and one that closed the connection itself does not come
    /// back to it.
    pub fn lose(&mut self, peer: PeerId, now: Now) {
        let Some(index) = self.member_of(peer) else { return };
        let waited = if matches!(self.members[index].joined_by, JoinMethod::Whip { .. }) {
            SHORTEST_SILENCE
        } else {
            Duration::ZERO
        };
        let until = now.clock + Duration::from_millis(self.settings.hold_ms).saturating_sub(waited);
        let member = &mut self.members[index];
        member.link_state = LinkState::Away { until };
        (member.speaking, member.lost) = (false, false);
        let receiver = member.receiver.take();
        self.effects.push(Effect::Media(MediaCommand::RemovePeer(peer)));
        self.effects.extend(receiver.map(|one| Effect::Media(MediaCommand::RemovePeer(one.connection.peer))));
        self.report_changed(index);
    }

    /// Puts out everyone whose token is over.
    pub(super) fn drop_expired(&mut self, now: Now) {
        self.dismiss(|bearer| bearer.is_over(now.clock));
    }

    /// Puts out everyone who came with such a token.
    pub fn dismiss(&mut self, such: impl Fn(&Bearer) -> bool) {
        while let Some(index) = self.members.iter().position(|member| member.bearer.as_ref().is_some_and(&such)) {
            if let Some(peer) = self.members[index].peer() {
                self.effects.push(Effect::Close(peer, Closing::Unauthorized));
            }
            self.remove_member(index, LeaveReason::Removed);
        }
        let gone = |viewer: &Viewer| viewer.bearer.as_ref().is_some_and(&such);
        let peers: Vec<PeerId> =
            self.viewers.iter().filter(|viewer| gone(viewer)).map(|viewer| viewer.receiver.connection.peer).collect();
        for peer in peers {
            self.drop_viewer(peer);
        }
    }

    /// Drops everyone whose time is over.
    pub(super) fn drop_lost(&mut self, now: Now) {
        let is_over = |member: &Member| member.held_until().is_some_and(|until| until <= now.clock);
        while let Some(index) = self.members.iter().position(is_over) {
            self.remove_member(index, LeaveReason::Lost);
        }
    }

    pub(super) fn remove_member(&mut self, index: usize, reason: LeaveReason) -> Participant {
        let member = self.members.remove(index);
        let gone = member.view();
        let receiver = member.receiver.as_ref().map(|receiver| receiver.connection.peer);
        let peers = member.peer().into_iter().chain(receiver);
        self.effects.extend(peers.map(|peer| Effect::Media(MediaCommand::RemovePeer(peer))));
        self.effects.push(Effect::Media(MediaCommand::Forget(member.id)));
        self.show();
        let event = Event::ParticipantLeft { id: Arc::clone(&gone.id), name: Arc::clone(&gone.name), reason };
        self.effects.push(Effect::Event(event));
        gone
    }

    pub(super) fn report_changed(&mut self, index: usize) {
        let participant = self.members[index].view();
        self.effects.push(Effect::Event(Event::ParticipantChanged { participant }));
    }

    pub(super) fn find(&self, id: &str) -> Result<usize, RoomError> {
        self.members.iter().position(|member| &*member.id.0 == id).ok_or(RoomError::NoParticipant)
    }

    /// Returns the participant who has this connection now.
    pub(super) fn member_of(&self, peer: PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.peer() == Some(peer))
    }
}
