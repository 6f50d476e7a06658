//! The notices of the whole server: the JSON of its stream of events and of webhooks. PURE.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::control::room::state::{
    output::{FinishedRecording, Output},
    view::{EndReason, LeaveReason, Participant},
};

/// The event in a room. Types and the keys of their data are those of the room's own stream where that reports it,
/// too.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Notice {
    /// The room is there.
    RoomStarted {
        /// Whether it was stored before this start of the server.
        restored: bool,
    },
    /// The room is gone, and everybody in it. Its outputs have stopped; recordings are finished soon after.
    RoomEnded {
        /// Reason for the end.
        reason: EndReason,
    },
    /// Someone came in.
    ParticipantJoined {
        /// The newcomer.
        participant: Participant,
    },
    /// Someone is gone for good.
    ParticipantLeft {
        /// Their id.
        #[schema(value_type = String)]
        id: Arc<str>,
        /// Their name.
        #[schema(value_type = String)]
        name: Arc<str>,
        /// Reason for leaving.
        reason: LeaveReason,
    },
    /// An output is `live`, `retrying`, `stopped` or `failed` now, and was not before. The single tries of
    /// one that retries are not reported.
    OutputChanged {
        /// The output.
        output: Output,
    },
    /// An output is deleted. If it ran, its stop was reported before.
    OutputRemoved {
        /// Name of the one that is meant.
        #[schema(value_type = String)]
        id: Arc<str>,
    },
    /// A file of an output is finished.
    RecordingFinished {
        /// The file.
        recording: FinishedRecording,
    },
}

impl Notice {
    /// Names the notice's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RoomStarted { .. } => "room_started",
            Self::RoomEnded { .. } => "room_ended",
            Self::ParticipantJoined { .. } => "participant_joined",
            Self::ParticipantLeft { .. } => "participant_left",
            Self::OutputChanged { .. } => "output_changed",
            Self::OutputRemoved { .. } => "output_removed",
            Self::RecordingFinished { .. } => "recording_finished",
        }
    }
}

/// Something that happened on the server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServerEvent {
    /// Greater than that of every event before, also of those before a restart.
    pub id: u64,
    /// Time of the event.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The room's name.
    #[schema(value_type = String)]
    pub room: Arc<str>,
    /// The notice: `type`, and its `data`.
    #[serde(flatten)]
    pub what: Notice,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn an_events_name_is_its_type_and_its_data_has_keys_of_its_own() {
        let notices = [
            Notice::RoomStarted { restored: false },
            Notice::RoomEnded { reason: EndReason::Shutdown },
            Notice::ParticipantLeft { id: "p".into(), name: "ann".into(), reason: LeaveReason::Left },
            Notice::OutputRemoved { id: "o".into() },
            Notice::RecordingFinished {
                recording: FinishedRecording { output: "o".into(), name: Some("a.mkv".into()), bytes: 1, seconds: 2.0 },
            },
        ];
        for what in notices {
            let name = what.name();
            let event = ServerEvent { id: 7, at: Timestamp::UNIX_EPOCH, room: "demo".into(), what };
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!((&json["type"], &json["id"], &json["room"]), (&json!(name), &json!(7), &json!("demo")));
            assert!(json["at"] == "1970-01-01T00:00:00Z" && json["data"].is_object(), "{json}");
        }
    }
}
