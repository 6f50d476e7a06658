//! The room's sound: mixed once every 20 ms, each speaker's own voice taken out of what they hear.
//!
//! ```text
//!   samples of each participant ─► strip (jitter buffer, gain) ─► mixer: sum ─► Opus, once ─► all who are silent
//!                                                                  └ sum − own ─► Opus ─► each speaker
//!                                                                  └ samples ─► outputs
//!   sounds and music ─► tape ──────────────────────────► into every sum
//! ```
//! Contract: 48 kHz mono, blocks of 960 samples; packets carry running time as PTS, 20 ms apart without gaps.
//! Threads: one `sound-…` thread per room. Failure: an encoder that cannot be made is logged, its listener is silent.

pub mod desk;
pub mod level;
pub mod limiter;
pub mod mix;
pub mod strip;
pub mod tape;
