//! Headless participants over real WebRTC: for demos, load tests and the project's own tests.
//!
//! ```text
//!   source (file or test picture) ─► encode once ─► feed (gate) ─► one peer per bot ─► server
//!                         sound ─► desk: Opus once ─┘
//!   server ─► mix: another peer per bot ─► counted, or decoded
//! ```
//! Contract: K bots share one source and one encoding, and each has a connection and a name of its own. A bot that
//! loses its connection comes back with its `resume` secret. Threads: GStreamer's, and a tokio task per bot.

pub mod feed;
pub mod gate;
pub mod mix;
pub mod participant;
pub mod session;
pub mod source;
pub mod tally;
pub mod viewer;
