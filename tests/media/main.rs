//! Stages of the media, each by itself: GStreamer and threads in this process, no WebRTC, no server.
//!
//! - `bodypix`: the segmentation element in pipelines. `broadcast`: what outputs get, decoded by others. `hls`: segments and playlists. `cutouts`: people
//!   who are recorded by themselves. `findings`: what it finds beside the first mask. `encoder`: frames
//!   in, units out. `composer`: the room's clock and what it puts on the canvas. `launches`: the operator's own launch
//!   texts. `plugin`: the element in GStreamer's own tools. `poses`: keypoints and body parts on photos. `embedded`: the
//!   network that is in the program. `sources`: layers that come from no camera. `golden`: whole pictures, pixel by pixel.
//!   `clips`: video files as layers. `formats`: pixel formats of clips. `foreign`: files
//!   that somebody sent to do harm. `lost`: people in whose pictures nobody
//!   is found. `window`: people who are small in theirs.
//! - `frames`: pictures to put in, and what is in those that come out.
//!
//! Tests that need a model or clips look for them in `../shared/data`, and say so and pass when they are not there.

#![allow(clippy::unwrap_used, missing_docs)]

mod bodypix;
mod broadcast;
mod clips;
mod colours;
mod composer;
mod cutouts;
mod embedded;
mod encoder;
mod findings;
mod foreign;
mod formats;
mod frames;
mod golden;
#[path = "../faults/group.rs"]
mod group;
mod hls;
mod launches;
mod lost;
mod plugin;
mod poses;
mod scenarios;
mod sounds;
mod sources;
mod takes;
mod triggers;
mod window;
mod words;
