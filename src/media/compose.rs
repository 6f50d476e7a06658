//! One picture out of many, at every tick of the room's clock.
//!
//! ```text
//!   frame + mask of every participant ─► latest frames ─┐
//!   layout, images ─► stage (solve, place) ─────────────┼─► canvas (SIMD) ─► frame, PTS = tick ─► encoders
//!                                          clock ───────┘
//! ```
//! Contract: a frame leaves at every tick, at the canvas's size; nobody can make it late. Frame and mask are of the
//! same moment. Threads: one `mix-…` thread per room. Failure: a frame that cannot be composed is left out and counted.

pub mod backdrop;
mod blur;
pub mod canvas;
pub mod clock;
pub mod colour;
mod crawl;
pub mod effects;
mod follow;
pub mod halve;
mod kernel;
pub mod latest_frames;
pub mod layer_request;
mod painter;
pub mod phase;
pub mod planes;
pub mod reel;
pub mod resample;
pub mod rotate;
pub mod shape;
pub mod shrink;
pub mod stage;
pub mod still;
pub mod trigger;
pub mod twirl;
