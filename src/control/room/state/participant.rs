//! One participant's place in the room. PURE.

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    pose::{ParticipantPoses, Pose},
    stage::Stage,
    view::{Delivery, MemberRole, Participant, Presence},
};
use crate::{
    control::room::error::RoomError,
    layout::Fault,
    media::port::{self, MediaCommand, ParticipantId, PeerId},
};

/// Most candidates that one connection may send: a machine with many networks has about 20.
pub const MAX_CANDIDATES: u32 = 64;

/// Loudest gain that a moderator can set.
pub const MAX_VOLUME: f64 = 2.0;

/// The way that someone came in; it decides what may take their place over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinMethod {
    /// By the session WebSocket. The secret takes it over.
    Session,
    /// By WHIP. The same token with the same name takes it over; `None` when they gave no name.
    Whip {
        /// The token's stable id and the name that was asked for.
        claim: Option<Claim>,
    },
}

/// The identity that may take a WHIP place over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The token's stable id.
    pub subject: String,
    /// The name as it was asked for, before it was made unique.
    pub name: String,
}

/// The token that somebody came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token's stable id.
    pub subject: Arc<str>,
    /// Moment at which it is over; `None`: not while this process runs.
    pub until: Option<Instant>,
    /// Number of places that it takes in the room.
    pub places: u32,
}

impl Bearer {
    /// Returns whether it is over.
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Somebody who wants to be a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Their role.
    pub role: MemberRole,
    /// The token that they came with; `None` with the key, or where none is needed.
    pub bearer: Option<Bearer>,
    /// Their token says what they are called.
    pub named: bool,
    /// Names that tokens of others fix.
    pub reserved: Vec<String>,
}

impl Caller {
    /// Returns somebody without a token.
    pub fn of(role: MemberRole) -> Self {
        Self { role, bearer: None, named: false, reserved: Vec::new() }
    }
}

/// One WebRTC connection as the room knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConnection {
    /// Its id.
    pub peer: PeerId,
    /// Number of candidates that it has sent.
    pub candidates: u32,
    /// ICE user fragments of its offer, for WHIP and WHEP: another one means an ICE restart.
    pub ufrags: Vec<String>,
}

impl PeerConnection {
    /// Creates a new connection.
    pub fn new(peer: PeerId, ufrags: Vec<String>) -> Self {
        Self { peer, candidates: 0, ufrags }
    }

    /// Counts one more candidate; `false` past [`MAX_CANDIDATES`].
    pub fn count_candidate(&mut self) -> bool {
        let is_taken = self.candidates < MAX_CANDIDATES;
        self.candidates += u32::from(is_taken);
        is_taken
    }
}

/// A connection that receives.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// The connection.
    pub connection: PeerConnection,
    /// Whether media flows.
    pub connected: bool,
    /// Delivery of the mix to it, once that is known.
    pub delivery: Option<Delivery>,
}

impl Receiver {
    /// Creates a new connection.
    pub fn new(connection: PeerConnection) -> Self {
        Self { connection, connected: false, delivery: None }
    }
}

/// The state of a participant's connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// A connection exists.
    Live {
        /// Connection that is meant.
        connection: PeerConnection,
        /// Whether media flows.
        connected: bool,
    },
    /// It was lost; the place is dropped at this time.
    Away {
        /// End of the time that it has.
        until: Instant,
    },
}

/// A participant's place.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Stays when the connection is replaced.
    pub id: ParticipantId,
    /// Unique in the room.
    pub name: Arc<str>,
    /// The name as it was asked for.
    pub asked: String,
    /// Takes the place over (session), or names its resource (WHIP).
    pub secret: String,
    /// Way by which they came in.
    pub joined_by: JoinMethod,
    /// Their role.
    pub role: MemberRole,
    /// The token that they came with.
    pub bearer: Option<Bearer>,
    /// Their token says what they are called.
    pub named: bool,
    /// Time at which they joined.
    pub joined_at: Timestamp,
    /// The connection that sends.
    pub link_state: LinkState,
    /// The connection that receives, and how the mix comes by it.
    pub receiver: Option<Receiver>,
    /// Microphone on.
    pub audio: bool,
    /// Camera on.
    pub video: bool,
    /// Size of their picture.
    pub size: Option<(u32, u32)>,
    /// Speaking now.
    pub speaking: bool,
    /// Silenced by a moderator.
    pub muted: bool,
    /// Gain, 0.0 to 2.0.
    pub volume: f64,
    /// Direction from which they are heard, -1.0 to 1.0.
    pub pan: f64,
    /// Off the canvas.
    pub hidden: bool,
    /// Where they stand on the way into the programme.
    pub stage: Stage,
    /// Reason why nothing is seen of the video that comes.
    pub problem: Option<String>,
    /// Whether the media last found nobody in their pictures.
    pub lost: bool,
}

impl Member {
    /// Returns the live connection's id.
    pub fn peer(&self) -> Option<PeerId> {
        self.connection().map(|connection| connection.peer)
    }

    /// Returns the live connection.
    pub fn connection(&self) -> Option<&PeerConnection> {
        match &self.link_state {
            LinkState::Live { connection, .. } => Some(connection),
            LinkState::Away { .. } => None,
        }
    }

    /// Returns when the place is dropped, if the connection is lost.
    pub fn held_until(&self) -> Option<Instant> {
        match self.link_state {
            LinkState::Away { until } => Some(until),
            LinkState::Live { .. } => None,
        }
    }

    /// Returns whether they are in the programme.
    pub fn is_on_air(&self) -> bool {
        self.stage == Stage::OnAir
    }

    /// Returns whether layouts may show them.
    pub fn is_shown(&self) -> bool {
        self.is_on_air() && !self.hidden
    }

    /// Returns the gain and the place that the mix shall use.
    pub fn gain_and_pan(&self) -> (f32, f32) {
        // Their ranges are small: nothing is lost that could be heard.
        #[allow(clippy::cast_possible_truncation)]
        let (volume, pan) = (self.volume as f32, self.pan as f32);
        (if self.muted || !self.is_on_air() { 0.0 } else { volume }, pan)
    }

    /// Has the mix use them.
    pub fn order_gain(&self) -> MediaCommand {
        let (gain, pan) = self.gain_and_pan();
        MediaCommand::SetGain { participant: self.id.clone(), gain, pan }
    }

    /// Returns their part of what the media found; `None` without one.
    pub fn poses(&self, found: &[port::ParticipantPoses]) -> Option<ParticipantPoses> {
        let own = found.iter().find(|one| one.participant == self.id)?;
        Some(ParticipantPoses {
            id: Arc::clone(&self.id.0),
            name: Arc::clone(&self.name),
            age_ms: (own.age.as_secs_f64() * 1e5).round() / 100.0,
            poses: own.poses.iter().map(Pose::from).collect(),
        })
    }

    /// Returns whether nobody is found in the pictures that they send. Of a camera that is off, the media's word is an
    /// old one.
    pub fn is_lost(&self) -> bool {
        self.lost && self.video && self.size.is_some()
    }

    /// Returns what others see.
    pub fn view(&self) -> Participant {
        Participant {
            id: Arc::clone(&self.id.0),
            name: Arc::clone(&self.name),
            role: self.role,
            joined_at: self.joined_at,
            state: match self.link_state {
                LinkState::Live { connected: true, .. } => Presence::Connected,
                LinkState::Live { connected: false, .. } => Presence::Connecting,
                LinkState::Away { .. } => Presence::Away,
            },
            audio: self.audio,
            video: self.video,
            size: self.size.map(|(width, height)| [width, height]),
            speaking: self.speaking,
            muted: self.muted,
            volume: self.volume,
            pan: self.pan,
            hidden: self.hidden,
            stage: self.stage,
            problem: self.problem.clone(),
            lost: self.is_lost(),
            delivery: self.receiver.as_ref().and_then(|receiver| receiver.delivery.clone()),
        }
    }
}

/// The changes that a moderator makes to a participant; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Moderation {
    /// Silenced in the mix.
    pub muted: Option<bool>,
    /// Gain in the mix, 0.0 to 2.0.
    #[schema(minimum = 0.0, maximum = 2.0)]
    pub volume: Option<f64>,
    /// Direction from which they are heard, -1.0 (left) to 1.0 (right).
    #[schema(minimum = -1.0, maximum = 1.0)]
    pub pan: Option<f64>,
    /// Taken off the canvas.
    pub hidden: Option<bool>,
    /// Where they stand on the way into the programme.
    pub stage: Option<Stage>,
}

impl Moderation {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] naming `/volume` and `/pan`.
    pub fn check(&self) -> Result<(), RoomError> {
        let ranges = [("/volume", self.volume, 0.0..=MAX_VOLUME), ("/pan", self.pan, -1.0..=1.0)];
        let wrong = ranges.into_iter().filter(|(_, value, range)| value.is_some_and(|value| !range.contains(&value)));
        let faults: Vec<Fault> = wrong
            .map(|(pointer, _, range)| Fault {
                pointer: pointer.to_owned(),
                detail: format!("must be from {} to {}", range.start(), range.end()),
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(RoomError::Invalid(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_outside_its_range_is_refused_with_its_place() {
        for volume in [-0.1, 2.1, f64::NAN, f64::INFINITY] {
            let change = Moderation { volume: Some(volume), ..Moderation::default() };
            let Err(RoomError::Invalid(faults)) = change.check() else { panic!("{volume} was taken") };
            assert_eq!(faults[0].pointer, "/volume");
        }
        assert_eq!(Moderation { volume: Some(2.0), pan: Some(-1.0), ..Moderation::default() }.check(), Ok(()));
        let both = Moderation { volume: Some(3.0), pan: Some(1.5), ..Moderation::default() };
        let Err(RoomError::Invalid(faults)) = both.check() else { panic!("it was taken") };
        assert_eq!(faults.iter().map(|fault| &*fault.pointer).collect::<Vec<_>>(), ["/volume", "/pan"]);
        assert_eq!(faults[1].detail, "must be from -1 to 1");
    }

    #[test]
    fn a_connection_takes_sixty_four_candidates() {
        let mut connection = PeerConnection::new(PeerId(1), Vec::new());
        for _ in 0..MAX_CANDIDATES {
            assert!(connection.count_candidate());
        }
        assert!(!connection.count_candidate());
    }
}
