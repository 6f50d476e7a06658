//! Headless participants over real WebRTC: for demos, load tests and the project's own tests.
//!
//! ```text
//!   source (file or test picture) ─► encode once ─► receivers ─► one peer per bot ─► server
//!                         sound ─► desk: Opus once ─┘                └─► the mix: counted, or decoded
//! ```
//! Contract: K bots share one source and one encoding, and each has a connection and a name of its own. A bot that
//! loses its connection comes back with its `resume` secret. Threads: GStreamer's, and a tokio task per bot.

pub mod participant;
pub mod session;
pub mod source;
pub mod tally;
