//! Virfie: a headless compositing server. People send camera and microphone by WebRTC, are cut out of their rooms, put
//! together in one picture by a layout, mixed into one sound, and get both back as one stream.
//!
//! # Layout
//!
//! - [`cli`]: one file a command; [`build_info`], [`config`], [`error`], [`telemetry`]: how the program is set up and
//!   speaks.
//! - [`layout`]: PURE. From JSON to placements on the canvas. A crate of its own, `virfie-layout`.
//! - [`control`]: rooms, participants, HTTP. Never touches GStreamer.
//! - [`media`]: everything that does. [`media::port`] is the narrow port between the two; [`media::segment`] is a crate of
//!   its own, `virfie-segment`.
//! - [`disk`]: files that are replaced whole.
//! - [`bot`]: headless participants, for demos, load and tests.

pub mod bot;
pub mod build_info;
pub mod cli;
pub mod config;
pub mod control;
pub mod disk;
pub mod error;
pub mod media;
pub mod telemetry;

pub use virfie_layout as layout;
