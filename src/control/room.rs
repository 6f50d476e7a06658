//! Rooms: who is in, what the canvas shows, where it is sent.
//!
//! - [`state`]: the room as a plain value; every input gives effects (PURE). Its parts, and what others see of it, stand
//!   below it.
//! - `actor`: one task a room that owns the state, the media and the links to session sockets. `faults`: how soon what
//!   failed is begun again (PURE).
//! - [`requests`]: what a [`RoomHandle`] offers: typed requests to that task.
//! - [`registry`]: all rooms of the process. [`store`]: their files, which survive a restart.
//! - [`journal`]: what is of note in all rooms, in one stream.
//! - [`images`]: where the pictures that layouts name come from. `sizes`: how large those are that are not shown.
//! - [`error`]: what a request can fail with. [`revision`]: how often the room has changed, and `If-Match` (PURE). [`secret`]: names that nobody can guess.

mod actor;
pub mod error;
pub mod faults;
pub mod images;
pub mod journal;
pub mod registry;
pub mod requests;
pub mod revision;
pub mod secret;
mod sizes;
pub mod state;
pub mod store;

pub use actor::link::SessionEnd;
pub use error::RoomError;
pub use images::{ImageSource, NoText, NotNow, TextFault};
pub use journal::{
    Entry, Journal, Reader,
    notice::{Notice, ServerEvent},
};
pub use registry::{Registry, RoomDefaults};
pub use requests::{
    connect::{Joined, Opened, PostedOffer, SessionJoin, Watching},
    feed::Feed,
    handle::RoomHandle,
    scenario::{Loaded, Scenario},
};
pub use revision::{IfMatch, Revision};
pub use state::{
    ResourceKind,
    change::{LayoutChange, SettingsChange},
    health::Health,
    name::{DisplayName, RoomName, without_marks},
    note::{Closing, Note},
    output::{FinishedRecording, KeptOutput, Marker, Output, OutputDocument, OutputPhase, Recordings},
    participant::{Bearer, Caller, Claim, Moderation},
    photo::Photo,
    pose::RoomPoses,
    record::{RoomDocument, SceneEntry},
    scenes::{ActiveScene, SceneChoice, SceneName, SceneView},
    stage::Landing,
    view::{
        Delivery, EndReason, Event, MemberRole, Participant, Presence, RoomState, RoomSummary, Segmentation, Settings,
    },
};
pub use store::{RoomStore, Storing};
