//! Where the room is sent to besides its receivers.
//!
//! ```text
//!   unit, samples ─► rtmp: restamp to zero ─► flvmux ─► rtmp2sink, in a pipeline and a thread of its own
//! ```
//! Contract: units carry running time as PTS. Nothing here blocks the caller: a dead output is retried by its own
//! thread. Threads: callers' own, and one `output-…` thread per output.

pub mod address;
pub mod retry;
pub mod rtmp;
