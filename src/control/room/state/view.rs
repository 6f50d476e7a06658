//! The room as others see it: the JSON of the REST interface and of the events. PURE.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    chat::ChatLine,
    health::{Health, Loudness, rounded},
    output::{FinishedRecording, Marker, Output},
    photo::Photo,
    pose::ParticipantPoses,
    scenes::ActiveScene,
    stage::{Landing, Stage},
    timer::TimerView,
};
use crate::{
    layout::{Data, LayerBox, schema::Warning},
    media::port,
};

/// The rights of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Sends and receives.
    Participant,
    /// Also directs the room.
    Producer,
    /// Also directs the server.
    Admin,
}

/// The state of a participant's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// A connection is being made.
    Connecting,
    /// Media flows.
    Connected,
    /// The connection is lost; the place is kept for `hold_ms`.
    Away,
}

/// Someone who sends and receives.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Participant {
    /// Stays the same when the connection is replaced.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// Unique in the room; layouts place people by it.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// Their role.
    pub role: MemberRole,
    /// Time at which they joined.
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: Timestamp,
    /// State of the connection.
    pub state: Presence,
    /// Whether their microphone is on.
    pub audio: bool,
    /// Whether their camera is on.
    pub video: bool,
    /// Width and height of the picture that they send, in pixels; null while none comes.
    pub size: Option<[u32; 2]>,
    /// Whether they speak now.
    pub speaking: bool,
    /// Silenced by a moderator.
    pub muted: bool,
    /// Gain in the mix, 0.0 to 2.0.
    pub volume: f64,
    /// Direction from which they are heard, -1.0 (left) to 1.0 (right); 0.0 is the middle.
    pub pan: f64,
    /// Taken off the canvas by a moderator.
    pub hidden: bool,
    /// Where they stand on the way into the programme: only who is `on_air` is seen and heard in it.
    pub stage: Stage,
    /// Reason why nothing is seen of the video that they send: it is too large, or cannot be decoded. Null while all is
    /// well.
    pub problem: Option<String>,
    /// Whether nobody is found in the pictures that they send, though a layer cuts them out.
    pub lost: bool,
    /// Delivery of the mix to them; null while it does not reach them.
    pub delivery: Option<Delivery>,
}

/// The way that the mix reaches somebody who receives.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Delivery {
    /// The connection's number, as in the `ETag` of a WHEP session.
    pub connection: u64,
    /// Codec of the picture, null where only sound is taken.
    pub codec: Option<String>,
    /// The rendition that is sent, by its height (`360p`); null: sound alone.
    pub rendition: Option<String>,
    /// Reason for this rendition: `start`, `slow network`, `loss`, `small player`, `hidden`, `save data`, `slow
    /// decoder`, `fixed` or `recovered`.
    pub reason: String,
    /// Share of packets lost on the way, 0 to 1.
    pub loss: f64,
    /// To the receiver and back, in milliseconds; null until measured.
    pub round_trip_ms: Option<f64>,
    /// Estimated capacity of the line, in kbit/s; null until known.
    pub estimate_kbps: Option<u64>,
    /// All renditions of the room, the largest first. Not shown: they follow from the canvas.
    #[serde(skip)]
    pub renditions: Vec<String>,
}

impl Delivery {
    /// Creates it from what the media reports of a connection.
    pub fn new(connection: port::PeerId, report: port::DeliveryReport) -> Self {
        Self {
            connection: connection.0,
            codec: report.codec.map(|codec| codec.to_string()),
            rendition: report.rendition,
            reason: report.reason.to_owned(),
            loss: rounded(report.loss),
            round_trip_ms: report.round_trip.map(|time| rounded(time.as_secs_f32() * 1000.0)),
            estimate_kbps: report.estimate.map(|bits| bits / 1000),
            renditions: report.renditions,
        }
    }
}

/// The settings of a room's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settings {
    /// Most participants who may be in at once.
    pub max_participants: u32,
    /// Time for which a lost participant's last picture and place are kept, in milliseconds.
    pub hold_ms: u64,
    /// Whether the keypoints of everybody with a camera are found.
    pub keypoints: bool,
    /// Where newcomers with the role `participant` land.
    pub guests_land: Landing,
    /// Whether nobody new with the role `participant` comes in.
    pub locked: bool,
}

impl Settings {
    /// Returns those of a new room.
    pub fn new(max_participants: u32, hold_ms: u64) -> Self {
        Self { max_participants, hold_ms, keypoints: false, guests_land: Landing::default(), locked: false }
    }
}

/// The state of segmentation: whether people can be cut out, and how that goes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Segmentation {
    /// Whether a model is loaded. Without one whole pictures are shown.
    pub available: bool,
    /// The model's name.
    pub model: Option<String>,
    /// Reason why it is missing.
    pub reason: Option<String>,
    /// Whether the model finds keypoints, too: the room's `keypoints` can be set.
    pub keypoints: bool,
    /// Masks inferred a second from their own frame, of all participants together.
    pub masks_per_second: f64,
    /// Mean time of one such mask, in milliseconds.
    pub mask_ms: f64,
    /// A mask is inferred on every n-th frame of a stream of 30 frames a second, of others as often. 1 is on all; it
    /// grows when the machine has too little time.
    pub masks_every: u32,
    /// Mean age of the masks shown, in milliseconds: from the arrival of the frame that a mask was inferred from to its
    /// composition.
    pub mask_age_ms: f64,
    /// Masks a second, of all participants together, that are not inferred from their own frame: they are carried on
    /// from an earlier one.
    pub carried_per_second: f64,
    /// Age of the oldest mask shown over the last second, in milliseconds, as above. A mask of another frame is always
    /// carried on frame by frame.
    pub oldest_mask_ms: f64,
    /// The network's inputs are so many sizes smaller than they should be, at most 3: the first that is given up when
    /// the machine has too little time.
    pub inputs_smaller: u32,
    /// Frames a second, of all participants together, that are left out after decoding because the machine has no time
    /// for them. Those who are shown smallest lose theirs first.
    pub thinned_per_second: f64,
}

impl Segmentation {
    /// Joins what the machine can do with what the room's media measured.
    pub fn new(able: &port::Segmentation, health: &port::Health) -> Self {
        Self {
            available: able.model.is_some(),
            model: able.model.clone(),
            reason: able.reason.clone(),
            keypoints: able.keypoints,
            masks_per_second: rounded(health.masks_per_second),
            mask_ms: rounded(health.mask_ms),
            masks_every: health.masks_every,
            mask_age_ms: rounded(health.mask_age_ms),
            carried_per_second: rounded(health.carried_per_second),
            oldest_mask_ms: rounded(health.oldest_mask_ms),
            inputs_smaller: health.inputs_smaller,
            thinned_per_second: rounded(health.thinned_per_second),
        }
    }
}

/// A whole room.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RoomState {
    /// The room's name.
    #[schema(value_type = String)]
    pub room: Arc<str>,
    /// Grows with each change of settings, layout or scenes.
    pub revision: u64,
    /// The settings of its owner.
    pub settings: Settings,
    /// Size, frame rate and background.
    #[schema(value_type = crate::layout::schema::Canvas)]
    pub canvas: Value,
    /// The layout that the canvas shows.
    #[schema(value_type = crate::layout::schema::Layout)]
    pub layout: Value,
    /// Places of all its layers now, back to front.
    pub boxes: Vec<LayerBox>,
    /// Names of the stored scenes, in order.
    #[schema(value_type = Vec<String>)]
    pub scenes: Vec<Arc<str>>,
    /// The scene that was shown last; null when there was none or it is deleted.
    pub active_scene: Option<ActiveScene>,
    /// The participants, in order of joining.
    pub participants: Vec<Participant>,
    /// Number of those who only watch.
    pub viewers: usize,
    /// Deliveries of the mix to each of them, in order of joining; those who are still connecting are left out.
    pub viewer_deliveries: Vec<Delivery>,
    /// Outputs of the room.
    pub outputs: Vec<Output>,
    /// The values for texts, by key; left out without any.
    #[serde(skip_serializing_if = "Data::is_empty")]
    #[schema(value_type = BTreeMap<String, super::data::Datum>)]
    pub data: Data,
    /// Its timers, by id; left out without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<TimerView>,
    /// Loudness of its sound.
    pub loudness: Loudness,
    /// State of the segmentation: whether people can be cut out.
    pub segmentation: Segmentation,
    /// Health of its media.
    pub health: Health,
    /// In the answer to an import: what can be shown, but not as it was meant. Places are those of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One line of the list of rooms.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RoomSummary {
    /// The room's name.
    #[schema(value_type = String)]
    pub room: Arc<str>,
    /// Its revision.
    pub revision: u64,
    /// Number of participants who are in.
    pub participants: usize,
    /// Number of those who only watch.
    pub viewers: usize,
    /// Number of its outputs.
    pub outputs: usize,
    /// Time at which it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The reason why a room is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// It was deleted, or nobody was in it any more and nothing of it was stored.
    Ended,
    /// The server ends. A stored room starts again with it.
    Shutdown,
}

/// The reason why someone is no longer in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// They left.
    Left,
    /// The connection was lost and did not come back in time.
    Lost,
    /// A moderator removed them.
    Removed,
    /// Their connection could not be made.
    Refused,
}

/// News from a room, the same for the event stream and for session sockets.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
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
    /// Something about someone changed.
    ParticipantChanged {
        /// The participant, as they are now.
        participant: Participant,
    },
    /// Someone began or stopped speaking.
    Speaking {
        /// Their id.
        #[schema(value_type = String)]
        id: Arc<str>,
        /// Now.
        speaking: bool,
    },
    /// Loudness of the mix: once a second while it is not silent, and once when it has become so.
    Loudness {
        /// See there.
        loudness: Loudness,
    },
    /// Places of people in their pictures, at most ten times a second while the room's `keypoints` is true. Session
    /// sockets do not get them.
    Poses {
        /// Everybody in whose pictures keypoints are found, in order of joining.
        participants: Vec<ParticipantPoses>,
    },
    /// The canvas shows something else.
    LayoutChanged {
        /// The room's revision now.
        revision: u64,
        /// The whole layout.
        #[schema(value_type = crate::layout::schema::Layout)]
        layout: Value,
        /// Places of all its layers now, back to front.
        boxes: Vec<LayerBox>,
        /// The scene that was shown last, and whether this is something else.
        active_scene: Option<ActiveScene>,
    },
    /// Layers or people stand elsewhere, although the layout is the same: somebody came, went, spoke, or another picture
    /// came. At most five times a second, the last state always. Only those who direct the room get them.
    BoxesChanged {
        /// The room's revision now.
        revision: u64,
        /// All of them, back to front.
        boxes: Vec<LayerBox>,
    },
    /// Scenes were stored, replaced or deleted.
    ScenesChanged {
        /// The room's revision now.
        revision: u64,
        /// All names, in order.
        #[schema(value_type = Vec<String>)]
        scenes: Vec<Arc<str>>,
        /// The scene that was shown last.
        active_scene: Option<ActiveScene>,
    },
    /// A scene is shown; `layout_changed` has said what that is.
    SceneActivated {
        /// The room's revision now.
        revision: u64,
        /// Its name.
        #[schema(value_type = String)]
        name: Arc<str>,
    },
    /// A trigger of the layout fired.
    TriggerFired {
        /// Its id.
        #[schema(value_type = String)]
        trigger: Arc<str>,
        /// The ids of the participants whose keypoints made it fire.
        #[schema(value_type = Vec<String>)]
        participants: Vec<Arc<str>>,
        /// The texts of its `event` actions.
        #[schema(value_type = Vec<String>)]
        events: Vec<Arc<str>>,
    },
    /// A trigger took a picture, which is at `/rooms/{room}/photos/{id}` for some time.
    PhotoTaken {
        /// The picture.
        photo: Photo,
    },
    /// Settings changed, or a listener missed news: the whole room.
    RoomChanged {
        /// The room's revision now.
        revision: u64,
        /// The room.
        room: Box<RoomState>,
    },
    /// An output is new or changed its state.
    OutputChanged {
        /// The output.
        output: Output,
    },
    /// An output is gone.
    OutputRemoved {
        /// Name of the output.
        #[schema(value_type = String)]
        id: Arc<str>,
    },
    /// A value for texts was put, or taken away.
    DataChanged {
        /// Its key.
        #[schema(value_type = String)]
        key: Arc<str>,
        /// The value that is there now; null without one.
        #[schema(value_type = Option<super::data::Datum>)]
        value: Value,
    },
    /// Somebody wrote a line.
    ChatLine {
        /// The line.
        line: ChatLine,
    },
    /// A line of the chat is gone, or all of them.
    ChatRemoved {
        /// Number of the line; null: all lines.
        id: Option<u64>,
    },
    /// A timer was started, stopped or reset.
    TimerChanged {
        /// As it is now.
        timer: TimerView,
    },
    /// A timer has counted down to its end.
    TimerEnded {
        /// As it is now.
        timer: TimerView,
    },
    /// A timer is gone.
    TimerRemoved {
        /// Name of the output.
        #[schema(value_type = String)]
        id: Arc<str>,
    },
    /// A moment was named in all recordings that run.
    Marker {
        /// The marker.
        #[serde(flatten)]
        marker: Marker,
    },
    /// A file of an output is finished.
    RecordingFinished {
        /// The file.
        recording: FinishedRecording,
    },
    /// The room is gone; nothing follows.
    RoomEnded,
}

impl Event {
    /// Returns the event's `type`, which is the event's name in the stream as well.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ParticipantJoined { .. } => "participant_joined",
            Self::ParticipantLeft { .. } => "participant_left",
            Self::ParticipantChanged { .. } => "participant_changed",
            Self::Speaking { .. } => "speaking",
            Self::Loudness { .. } => "loudness",
            Self::Poses { .. } => "poses",
            Self::LayoutChanged { .. } => "layout_changed",
            Self::BoxesChanged { .. } => "boxes_changed",
            Self::ScenesChanged { .. } => "scenes_changed",
            Self::SceneActivated { .. } => "scene_activated",
            Self::TriggerFired { .. } => "trigger_fired",
            Self::PhotoTaken { .. } => "photo_taken",
            Self::RoomChanged { .. } => "room_changed",
            Self::OutputChanged { .. } => "output_changed",
            Self::OutputRemoved { .. } => "output_removed",
            Self::DataChanged { .. } => "data_changed",
            Self::ChatLine { .. } => "chat_line",
            Self::ChatRemoved { .. } => "chat_removed",
            Self::TimerChanged { .. } => "timer_changed",
            Self::TimerEnded { .. } => "timer_ended",
            Self::TimerRemoved { .. } => "timer_removed",
            Self::Marker { .. } => "marker",
            Self::RecordingFinished { .. } => "recording_finished",
            Self::RoomEnded => "room_ended",
        }
    }

    /// Returns the snapshot that a new or lagging listener begins with.
    pub fn snapshot(room: RoomState) -> Self {
        Self::RoomChanged { revision: room.revision, room: Box::new(room) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::control::room::state::timer::Timer;

    #[test]
    fn an_events_name_is_its_type() {
        for event in [
            Event::RoomEnded,
            Event::Poses { participants: Vec::new() },
            Event::BoxesChanged { revision: 1, boxes: Vec::new() },
            Event::Loudness { loudness: Loudness::default() },
            Event::OutputRemoved { id: "o".into() },
            Event::DataChanged { key: "k".into(), value: Value::Null },
            Event::ChatLine { line: ChatLine { id: 1, at: Timestamp::UNIX_EPOCH, name: "a".into(), text: "b".into() } },
            Event::ChatRemoved { id: None },
            Event::TimerChanged { timer: Timer::default().view("t".into()) },
            Event::TimerEnded { timer: Timer::default().view("t".into()) },
            Event::TimerRemoved { id: "t".into() },
            Event::RecordingFinished {
                recording: FinishedRecording { output: "o".into(), name: None, bytes: 1, seconds: 1.0 },
            },
            Event::ScenesChanged { revision: 1, scenes: Vec::new(), active_scene: None },
            Event::SceneActivated { revision: 1, name: "s".into() },
            Event::TriggerFired { trigger: "t".into(), participants: Vec::new(), events: Vec::new() },
            Event::Speaking { id: "p".into(), speaking: true },
        ] {
            assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.name());
        }
    }
}
