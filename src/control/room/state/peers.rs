//! Connections: of participants and of viewers, and the HTTP resources of those made by WHIP and WHEP.

use super::{Effect, MAX_VIEWERS, State};
use crate::{
    control::room::{
        error::RoomError,
        participant::{Connection, Door, Member, Wire},
        view::LeaveReason,
    },
    media::port::{Candidate, Description, MediaCommand, Negotiation, ParticipantId, PeerId},
};

/// Someone who only watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Their connection.
    pub connection: Connection,
    /// Names its resource.
    pub secret: String,
}

/// What kind of connection a resource is.
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
    /// [`RoomError::TooManyViewers`], [`RoomError::NoRoom`].
    pub fn watch(&mut self, viewer: Viewer, negotiation: Negotiation) -> Result<(), RoomError> {
        if self.ended {
            return Err(RoomError::NoRoom);
        }
        if self.viewers.len() >= MAX_VIEWERS {
            return Err(RoomError::TooManyViewers { max: MAX_VIEWERS });
        }
        let peer = viewer.connection.peer;
        self.viewers.push(viewer);
        self.add_peer(peer, None, negotiation);
        Ok(())
    }

    pub(super) fn add_peer(&mut self, peer: PeerId, participant: Option<ParticipantId>, negotiation: Negotiation) {
        self.effects.push(Effect::Media(MediaCommand::AddPeer { peer, participant, negotiation }));
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

    /// The connection behind a resource.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`].
    pub fn resource(&self, kind: ResourceKind, secret: &str) -> Result<Resource, RoomError> {
        let connection = match kind {
            ResourceKind::Whip => self.members[self.whip_member(secret)?].connection(),
            ResourceKind::Whep => Some(&self.viewers[self.viewer(secret)?].connection),
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
                self.effects.push(Effect::Media(MediaCommand::RemovePeer(viewer.connection.peer)));
            }
        }
        Ok(())
    }

    /// Takes a viewer away; `false` when this connection is no viewer's.
    pub fn drop_viewer(&mut self, peer: PeerId) -> bool {
        let before = self.viewers.len();
        self.viewers.retain(|viewer| viewer.connection.peer != peer);
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
        let is_it = |member: &Member| matches!(member.door, Door::Whip { .. }) && member.secret == secret;
        self.members.iter().position(is_it).ok_or(RoomError::NoConnection)
    }

    fn viewer(&self, secret: &str) -> Result<usize, RoomError> {
        self.viewers.iter().position(|viewer| viewer.secret == secret).ok_or(RoomError::NoConnection)
    }

    fn connection_mut(&mut self, peer: PeerId) -> Result<&mut Connection, RoomError> {
        let of_members = self.members.iter_mut().filter_map(|member| match &mut member.wire {
            Wire::Live { connection, .. } => Some(connection),
            Wire::Away { .. } => None,
        });
        let of_viewers = self.viewers.iter_mut().map(|viewer| &mut viewer.connection);
        of_members.chain(of_viewers).find(|connection| connection.peer == peer).ok_or(RoomError::NoConnection)
    }
}
