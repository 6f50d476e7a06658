//! The errors of requests to a room.

use std::sync::Arc;

use super::revision::Stale;
use crate::{layout::Fault, media::port::PeerRefused};

/// The reason why a request to a room was refused. Nothing has been changed by it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RoomError {
    /// The room's name is invalid.
    #[error("a room's name is 1 to 64 of the characters A-Z, a-z, 0-9, _ and -")]
    BadRoomName,
    /// The display name is invalid.
    #[error(
        "a name is 1 to 64 characters, some of which can be seen, without those that control text or its direction"
    )]
    BadDisplayName,
    /// The scene's name is invalid.
    #[error(
        "a scene's name is 1 to 64 characters, some of which can be seen, without / \\ ? # % and those that control text \
         or its direction, with no dot in front and no blanks at the ends, and not `next` or `previous`"
    )]
    BadSceneName,
    /// There is no such room (any more).
    #[error("there is no such room")]
    NoRoom,
    /// The room has no such participant.
    #[error("there is no such participant in the room")]
    NoParticipant,
    /// The room has no such output.
    #[error("there is no such output in the room")]
    NoOutput,
    /// The output is not a recording, or does not run.
    #[error("only a recording that runs is paused and resumed: an output of the type file, neither stopped nor failed")]
    NoRecording,
    /// Nothing of the room is being recorded.
    #[error("the room has no recording that runs: a marker would be nowhere")]
    NoRecordings,
    /// All recordings have their limit of markers.
    #[error("a recording takes no more than {max} markers")]
    TooManyMarkers {
        /// The limit.
        max: usize,
    },
    /// Nothing was put under this key.
    #[error("nothing was put under this key")]
    NoData,
    /// The room has as many keys as it may.
    #[error("the room takes no more than {max} keys of data")]
    TooManyData {
        /// The limit.
        max: usize,
    },
    /// More lines of the chat come than the room takes.
    #[error("the room's chat takes no more than {max} lines a second")]
    TooManyLines {
        /// The limit.
        max: u32,
    },
    /// The chat has no such line.
    #[error("there is no such line in the room's chat")]
    NoChatLine,
    /// The room has no such timer.
    #[error("there is no such timer in the room")]
    NoTimer,
    /// The room has as many timers as it may.
    #[error("the room takes no more than {max} timers")]
    TooManyTimers {
        /// The limit.
        max: usize,
    },
    /// The room keeps no such picture.
    #[error("there is no such picture in the room")]
    NoPhoto,
    /// The layout has no such layer.
    #[error("the layout has no layer with this id")]
    NoLayer,
    /// The room has no such scene.
    #[error("there is no such scene in the room")]
    NoScene,
    /// The room has no scene that could be the next.
    #[error("the room has no scenes")]
    NoScenes,
    /// The connection is gone or was replaced.
    #[error("there is no such connection in the room")]
    NoConnection,
    /// The room's `keypoints` is false.
    #[error("no keypoints are found in this room: set `keypoints` to true by PUT /rooms/{{room}}")]
    KeypointsOff,
    /// The room bars nobody by this id.
    #[error("the room bars nobody by this id")]
    NoBan,
    /// The room bars as many as it may.
    #[error("the room bars no more than {max}: take their token back instead, or lift a ban")]
    TooManyBans {
        /// The limit.
        max: usize,
    },
    /// A moderator has barred them.
    #[error("a moderator has barred you from this room")]
    Banned,
    /// The room takes in no newcomers.
    #[error("the room is locked: it takes in nobody new")]
    Locked,
    /// The room's limit of participants is reached.
    #[error("the room is full: it takes {max} participants")]
    Full {
        /// The limit.
        max: u32,
    },
    /// The token has all the places that it may have.
    #[error("this token takes no more than {max} places in a room: sign it with `places` for more")]
    TooManyPlaces {
        /// The limit.
        max: u32,
    },
    /// Too many connections of one token are not made yet.
    #[error("{max} connections of this token are still being made: try again later")]
    TooManyConnecting {
        /// The limit.
        max: usize,
    },
    /// The room's limit of viewers is reached.
    #[error("the room takes no more than {max} viewers")]
    TooManyViewers {
        /// The limit.
        max: usize,
    },
    /// The room's limit of outputs is reached.
    #[error("the room takes no more than {max} outputs")]
    TooManyOutputs {
        /// The limit.
        max: usize,
    },
    /// Outputs that were stopped or removed still finish what they send.
    #[error("{max} outputs of the room that were stopped or removed still end: try again in some seconds")]
    OutputsStillEnd {
        /// The limit.
        max: usize,
    },
    /// The room's outputs would have more composed and encoded than the machine takes on for one room.
    #[error(
        "the room's outputs would have {all} million pixels a second composed and encoded, and this machine takes on {most} \
         for one room: stop one of them first, or make a picture smaller"
    )]
    TooMuchEncoded {
        /// Millions of pixels a second.
        all: u64,
        /// The limit.
        most: u64,
    },
    /// The room's outputs would send more than the machine takes on for one room.
    #[error(
        "the room's outputs would send {all} Mbit/s of video, and this machine takes on {most} for one room: stop one of \
         them first, or lower a bit rate"
    )]
    TooMuchSent {
        /// In Mbit/s.
        all: u64,
        /// The limit.
        most: u64,
    },
    /// The room's limit of scenes is reached.
    #[error("the room takes no more than {max} scenes")]
    TooManyScenes {
        /// The limit.
        max: usize,
    },
    /// An output shows the scene.
    #[error("an output shows the scene `{name}`: let it show another one first, or remove it")]
    SceneInUse {
        /// The scene.
        name: Arc<str>,
    },
    /// The server's limit of rooms is reached.
    #[error("the server takes no more than {max} rooms")]
    TooManyRooms {
        /// The limit.
        max: usize,
    },
    /// The token has made all the rooms that it may.
    #[error("this token makes no more than {max} rooms")]
    TooManyRoomsOfToken {
        /// The limit.
        max: usize,
    },
    /// `If-Match` names another revision than the room's.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// Others changed the room again and again while this request was being prepared.
    #[error("the room is being changed by others, try again")]
    Contended,
    /// Wrong places of the body.
    #[error("the body has {} wrong place(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// The media cannot make this connection.
    #[error(transparent)]
    Refused(#[from] PeerRefused),
    /// The media did not answer in time or is gone.
    #[error("{0}")]
    Unavailable(String),
    /// The server is ending.
    #[error("the server is shutting down")]
    Draining,
}
