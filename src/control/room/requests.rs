//! The requests that a [`RoomHandle`](handle::RoomHandle) offers to a room's task, typed.
//!
//! - [`handle`]: the handle, and what is asked of a room as a whole, of people, outputs and pictures, and of what texts
//!   show.
//! - `words`: the drawing of what texts show. `warned`: what the log has of it.
//! - [`connect`]: connections. [`feed`]: one listener's stream of the room's events.
//! - [`edit`]: layout and settings. [`switch`]: stored scenes. [`scenario`]: all scenes at once. [`import`]: the room as
//!   one document. `prepare` makes these changes ready and applies them, one of a room after the other
//!   (`preparations`).

pub mod connect;
pub mod edit;
pub mod feed;
pub mod handle;
pub mod import;
mod preparations;
mod prepare;
pub mod scenario;
pub mod switch;
mod warned;
mod words;
