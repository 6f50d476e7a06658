//! Connections: of participants and of viewers, and the HTTP resources of those made by WHIP and WHEP.

use super::{
    Effect, MAX_CONNECTING, MAX_CONNECTING_OF_TOKEN, MAX_VIEWERS, MAX_VIEWERS_OF_TOKEN, State,
    participant::{Bearer, Claim, JoinMethod, LinkState, Member, PeerConnection, Receiver},
    view::LeaveReason,
};
use crate::{
    control::room::error::RoomError,
    layout::Fault,
    media::port::{
        AnswerReply, Candidate, Description, MediaCommand, Negotiation, ParticipantId, PeerId, ReceiverView, Rendition,
        RenditionWish,
    },
};

/// Someone who only watches.
#[derive(Debug, Clone, PartialEq)]
pub struct Viewer {
    /// Their connection.
    pub receiver: Receiver,
    /// Names its resource.
    pub secret: String,
    /// The claim that they make: a WHIP sender of the same claim does not hear themselves.
    pub claim: Option<Claim>,
    /// The token that they came with.
    pub bearer: Option<Bearer>,
}

impl Viewer {
    fn subject(&self) -> Option<&str> {
        self.bearer.as_ref().map(|bearer| &*bearer.subject)
    }

    /// Returns whether their connection is still to be made.
    fn is_connecting(&self) -> bool {
        !self.receiver.connected
    }
}

/// The offer and the wishes of one who receives.
#[derive(Debug)]
pub struct Reception {
    /// The checked offer.
    pub offer: Description,
    /// The rendition that they want, by its height; `None` or `auto`: what the line carries.
    pub rendition: Option<String>,
    /// Gets the answer.
    pub reply: AnswerReply,
}

/// The kind of connection that a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A WHIP sender.
    Whip,
    /// A WHEP viewer.
    Whep,
}

/// The connection behind a WHIP or WHEP resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The connection; `None` when it is lost and its place is still kept.
    pub peer: Option<PeerId>,
    /// ICE user fragments of its offer.
    pub ufrags: Vec<String>,
}

impl State {
    /// Makes a viewer's connection.
    ///
    /// # Errors
    /// [`RoomError::TooManyViewers`], [`RoomError::TooManyConnecting`], [`RoomError::Unavailable`],
    /// [`RoomError::NoRoom`].
    pub fn watch(&mut self, viewer: Viewer, reception: Reception) -> Result<(), RoomError> {
        if self.has_ended() {
            return Err(RoomError::NoRoom);
        }
        self.check_media()?;
        if self.viewers.len() >= MAX_VIEWERS {
            return Err(RoomError::TooManyViewers { max: MAX_VIEWERS });
        }
        if let Some(subject) = viewer.subject() {
            let own = || self.viewers.iter().filter(|other| other.subject() == Some(subject));
            if own().count() >= MAX_VIEWERS_OF_TOKEN {
                return Err(RoomError::TooManyViewers { max: MAX_VIEWERS_OF_TOKEN });
            }
            if own().filter(|other| other.is_connecting()).count() >= MAX_CONNECTING_OF_TOKEN {
                return Err(RoomError::TooManyConnecting { max: MAX_CONNECTING_OF_TOKEN });
            }
        }
        let Reception { offer, rendition, reply } = reception;
        let rendition = self.rendition_wish(rendition.as_deref())?;
        self.limit_connecting();
        let peer = viewer.receiver.connection.peer;
        let claims = |member: &&Member| match (&member.joined_by, &viewer.claim) {
            (JoinMethod::Whip { claim: Some(held) }, Some(asked)) => held == asked,
            _ => false,
        };
        let participant = self.members.iter().find(claims).map(|member| member.id.clone());
        self.viewers.push(viewer);
        let offer = Box::new(offer);
        self.effects.push(Effect::Media(MediaCommand::AddReceiver { peer, participant, offer, rendition, reply }));
        Ok(())
    }

    /// Gives a connection up that is still to be made, where there are too many: the oldest of the token that has the
    /// most of them.
    fn limit_connecting(&mut self) {
        // Those with the key may have as many as there are.
        let limited = |viewer: &&Viewer| viewer.bearer.is_some() && viewer.is_connecting();
        let connecting: Vec<&Viewer> = self.viewers.iter().filter(limited).collect();
        if connecting.len() < MAX_CONNECTING {
            return;
        }
        let of = |subject: Option<&str>| connecting.iter().filter(|viewer| viewer.subject() == subject).count();
        // In order of joining, and of equals the last is found: so from the end.
        let oldest = connecting.iter().rev().max_by_key(|viewer| of(viewer.subject()));
        if let Some(peer) = oldest.map(|viewer| viewer.receiver.connection.peer) {
            self.drop_viewer(peer);
        }
    }

    /// Makes the receiving connection of a session, in place of an older one. `session` is its sending one.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::Invalid`].
    pub fn receive(
        &mut self,
        session: PeerId,
        connection: PeerConnection,
        reception: Reception,
    ) -> Result<(), RoomError> {
        let Reception { offer, rendition, reply } = reception;
        let rendition = self.rendition_wish(rendition.as_deref())?;
        let index = self.member_of(session).ok_or(RoomError::NoConnection)?;
        let (peer, offer) = (connection.peer, Box::new(offer));
        let older = self.members[index].receiver.replace(Receiver::new(connection));
        let participant = Some(self.members[index].id.clone());
        self.effects.extend(older.map(|older| Effect::Media(MediaCommand::RemovePeer(older.connection.peer))));
        self.effects.push(Effect::Media(MediaCommand::AddReceiver { peer, participant, offer, rendition, reply }));
        Ok(())
    }

    /// Returns what the page of a session can use. Nothing happens while it receives nothing.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::Invalid`] for a rendition that the room does not have.
    pub fn view(&mut self, session: PeerId, view: ReceiverView, rendition: Option<&str>) -> Result<(), RoomError> {
        let view = ReceiverView { rendition: self.rendition_wish(rendition)?, ..view };
        let index = self.member_of(session).ok_or(RoomError::NoConnection)?;
        if let Some(receiver) = &self.members[index].receiver {
            let peer = receiver.connection.peer;
            self.effects.push(Effect::Media(MediaCommand::View { peer, view }));
        }
        Ok(())
    }

    /// Returns the receiving connection of a session.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn receiver_of(&self, session: PeerId) -> Result<PeerId, RoomError> {
        let index = self.member_of(session).ok_or(RoomError::NoConnection)?;
        let receiver = self.members[index].receiver.as_ref().ok_or(RoomError::NoConnection)?;
        Ok(receiver.connection.peer)
    }

    fn rendition_wish(&self, name: Option<&str>) -> Result<RenditionWish, RoomError> {
        let canvas = (self.scene.canvas.width, self.scene.canvas.height, self.scene.canvas.fps);
        let Some(name) = name.filter(|name| *name != "auto") else { return Ok(RenditionWish::Auto) };
        Rendition::named(name, canvas).map(RenditionWish::Fixed).ok_or_else(|| {
            let known: Vec<String> = Rendition::ALL.iter().map(|rendition| rendition.name(canvas)).collect();
            let detail = format!("the room has no such rendition: auto, {}", known.join(", "));
            RoomError::Invalid(vec![Fault { pointer: "/rendition".to_owned(), detail }])
        })
    }

    pub(super) fn add_sender(&mut self, peer: PeerId, participant: ParticipantId, negotiation: Negotiation) {
        let named = self.members.iter().find(|member| member.id == participant).map(|member| member.name.clone());
        let name = named.unwrap_or_else(|| participant.0.clone());
        self.effects.push(Effect::Media(MediaCommand::AddSender { peer, participant, name, negotiation }));
    }

    /// Takes the receiving connection of a participant away; `false` when this is not one.
    pub(super) fn drop_receiver(&mut self, peer: PeerId) -> bool {
        let own = |member: &&mut Member| member.receiver.as_ref().is_some_and(|one| one.connection.peer == peer);
        let Some(member) = self.members.iter_mut().find(own) else { return false };
        member.receiver = None;
        self.effects.push(Effect::Media(MediaCommand::RemovePeer(peer)));
        true
    }

    /// Passes the browser's answer on.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`] when the connection is gone or was replaced.
    pub fn answer(&mut self, peer: PeerId, answer: Description) -> Result<(), RoomError> {
        self.connection_mut(peer)?;
        self.effects.push(Effect::Media(MediaCommand::Answer { peer, answer }));
        Ok(())
    }

    /// Passes a remote candidate on; `None` is the end of candidates. Those over the limit are passed over: a machine
    /// with many interfaces has more than anybody needs.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn candidate(&mut self, peer: PeerId, candidate: Option<Candidate>) -> Result<(), RoomError> {
        if !self.connection_mut(peer)?.count_candidate() {
            return Ok(());
        }
        self.effects.push(Effect::Media(MediaCommand::Candidate { peer, candidate }));
        Ok(())
    }

    /// Returns the connection behind a resource.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn resource(&self, kind: ResourceKind, secret: &str) -> Result<Resource, RoomError> {
        let connection = match kind {
            ResourceKind::Whip => self.members[self.whip_member(secret)?].connection(),
            ResourceKind::Whep => Some(&self.viewers[self.viewer(secret)?].receiver.connection),
        };
        Ok(match connection {
            Some(connection) => Resource { peer: Some(connection.peer), ufrags: connection.ufrags.clone() },
            None => Resource { peer: None, ufrags: Vec::new() },
        })
    }

    /// Ends the connection behind a resource, and the participant's place with it.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn close_resource(&mut self, kind: ResourceKind, secret: &str) -> Result<(), RoomError> {
        match kind {
            ResourceKind::Whip => {
                let index = self.whip_member(secret)?;
                self.remove_member(index, LeaveReason::Left);
            }
            ResourceKind::Whep => {
                let index = self.viewer(secret)?;
                let viewer = self.viewers.remove(index);
                self.effects.push(Effect::Media(MediaCommand::RemovePeer(viewer.receiver.connection.peer)));
            }
        }
        Ok(())
    }

    /// Takes a viewer away; `false` when this connection is no viewer's.
    pub fn drop_viewer(&mut self, peer: PeerId) -> bool {
        let before = self.viewers.len();
        self.viewers.retain(|viewer| viewer.receiver.connection.peer != peer);
        let dropped = self.viewers.len() != before;
        if dropped {
            self.effects.push(Effect::Media(MediaCommand::RemovePeer(peer)));
        }
        dropped
    }

    /// Takes back the place of a sender whose offer was refused.
    pub fn refuse(&mut self, secret: &str) {
        if let Ok(index) = self.whip_member(secret) {
            self.remove_member(index, LeaveReason::Refused);
        }
    }

    fn whip_member(&self, secret: &str) -> Result<usize, RoomError> {
        let is_it = |member: &Member| matches!(member.joined_by, JoinMethod::Whip { .. }) && member.secret == secret;
        self.members.iter().position(is_it).ok_or(RoomError::NoConnection)
    }

    fn viewer(&self, secret: &str) -> Result<usize, RoomError> {
        self.viewers.iter().position(|viewer| viewer.secret == secret).ok_or(RoomError::NoConnection)
    }

    fn connection_mut(&mut self, peer: PeerId) -> Result<&mut PeerConnection, RoomError> {
        let of_members = self.members.iter_mut().flat_map(|member| {
            let sends = match &mut member.link_state {
                LinkState::Live { connection, .. } => Some(connection),
                LinkState::Away { .. } => None,
            };
            sends.into_iter().chain(member.receiver.as_mut().map(|receiver| &mut receiver.connection))
        });
        let of_viewers = self.viewers.iter_mut().map(|viewer| &mut viewer.receiver.connection);
        of_members.chain(of_viewers).find(|connection| connection.peer == peer).ok_or(RoomError::NoConnection)
    }
}
