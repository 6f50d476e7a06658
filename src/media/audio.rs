//! The room's sound: mixed in stereo once every 20 ms, each speaker's own voice taken out of what they hear.
//!
//! ```text
//!   samples of each participant ─► strip (jitter buffer) ─► gain, pan ─► sum ─► Opus, once ─► all who are silent
//!                                                                  └ sum − own ─► Opus ─► each speaker
//!                                                                  └ samples ─► outputs, loudness
//!   sounds and music ─► tape ──────────────────────────► into every sum
//! ```
//! A strip also holds sound until its sender's picture is seen ([`lips`]).
//!
//! Contract: 48 kHz, blocks of 960 samples of each side: planes within the mixer, interleaved (left, right) behind it.
//! Packets carry running time as PTS, 20 ms apart without gaps, and [`lips::LEAD`] earlier than they are made.
//! Threads: one `sound-…` thread per room. Failure: an encoder that cannot be made is logged, its listener is silent.

pub mod desk;
pub mod level;
pub mod limiter;
pub mod lips;
pub mod loudness;
pub mod mix;
pub mod strip;
pub mod tape;
