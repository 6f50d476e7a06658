//! Rooms: who is in, what the canvas shows, where it is sent.
//!
//! - [`state`]: the room as a plain value; every input gives effects (PURE). [`participant`], [`output`], [`view`],
//!   [`name`], [`pose`], [`revision`], [`change`], [`scenes`], [`aux_picture`], [`spotlight`], [`gathering`],
//!   [`health`] and [`record`] are its parts (PURE).
//! - `actor`: one task per room that owns the state, the media and the links to session sockets. `supervise`: begins it
//!   again after a fault, from the room's record; `faults`: how soon (PURE).
//! - [`handle`]: typed requests to that task; [`connect`] and [`edit`] continue it for connections and for changes,
//!   which `prepare` makes ready and applies.
//! - [`switch`], [`import`]: the same for stored scenes, and for a room that comes as one document.
//! - [`registry`]: all rooms of the process. [`store`]: their files, which survive a restart.
//! - [`feed`]: one listener's stream of a room's events. [`journal`]: what is of note in all rooms, in one stream;
//!   [`notice`]: what that is, `digest`: how it follows from a room's events (both PURE). `news`: what the media says, up
//!   to its last word.
//! - [`images`]: where the pictures that layouts name come from.
//! - [`link`]: what a room says to one session socket.
//! - `meter`: a room's part of the metrics. `redact`: what not everybody sees.

mod actor;
pub mod aux_picture;
pub mod change;
pub mod connect;
mod digest;
pub mod edit;
pub mod error;
pub mod faults;
pub mod feed;
pub mod gathering;
pub mod handle;
pub mod health;
pub mod images;
pub mod import;
pub mod journal;
pub mod link;
mod meter;
pub mod name;
mod news;
pub mod notice;
pub mod output;
pub mod participant;
pub mod photo;
pub mod pose;
mod prepare;
pub mod record;
mod redact;
pub mod registry;
pub mod revision;
pub mod scenario;
pub mod scenes;
pub mod secret;
pub mod spotlight;
pub mod state;
pub mod store;
mod supervise;
pub mod switch;

pub mod view;

pub use change::{LayoutChange, SettingsChange};
pub use connect::{Joined, Opened, PostedOffer, SessionJoin, Watching};
pub use error::RoomError;
pub use feed::Feed;
pub use handle::RoomHandle;
pub use health::Health;
pub use images::{ImageSource, TextFault};
pub use journal::{Entry, Journal, Reader};
pub use link::{Closing, Note, SessionEnd};
pub use name::{DisplayName, RoomName};
pub use notice::{EndReason, Notice, ServerEvent};
pub use output::{FinishedRecording, KeptOutput, Marker, Output, OutputDocument, OutputPhase, Recordings};
pub use participant::{Bearer, Caller, Claim, MemberRole, Moderation};
pub use photo::Photo;
pub use pose::RoomPoses;
pub use record::{RoomDocument, SceneEntry};
pub use registry::{Registry, RoomDefaults};
pub use revision::{IfMatch, Revision};
pub use scenario::{Loaded, Scenario};
pub use scenes::{SceneChoice, SceneName};
pub use state::ResourceKind;
pub use store::{RoomStore, Storing};
pub use view::{
    ActiveScene, Delivery, Event, Participant, Presence, RoomState, RoomSummary, SceneView, Segmentation, Settings,
};
