//! The control plane: rooms and the interface to them. Nothing below here knows GStreamer; what happens to pictures
//! and sound is ordered and heard through [`crate::media::port`].

pub mod api;
pub mod assets;
pub mod hooks;
pub mod room;
