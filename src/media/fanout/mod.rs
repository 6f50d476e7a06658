//! Encoded once, sent to everybody.
//!
//! ```text
//!   unit ─► receivers: gate (keyframe first, drop when slow) ─► appsrc of each peer
//!   unit, samples ─► rtmp: restamp to zero ─► flvmux ─► rtmp2sink, in a pipeline and a thread of its own
//! ```
//! Contract: units carry running time as PTS. Nothing here blocks the caller: a slow receiver loses its own units, a
//! dead output is retried by its own thread. Threads: callers' own, and one `output-…` thread per output.

pub mod gate;
pub mod retry;
pub mod rtmp;
pub mod webrtc;
