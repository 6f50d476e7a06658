//! Rooms as they are: the real server in this process, real WebRTC peers on loopback, and what they see and hear,
//! decoded.
//!
//! - `server`: starts one and speaks HTTP to it; tests take turns, because their deadlines are times of this machine.
//!   `http`: what comes back, and waiting for it.
//! - `studio`: clips of one colour and steady tones. `footage`: what any encoder makes, by launch texts. `recorder`: what a peer got, decoded, to be awaited.
//! - `guests`: bots. `client`: a session client that can also misbehave. `posted`: WHIP and WHEP peers.
//!   `events`: the event stream. `nginx`: an RTMP server. `mutator`: broken inputs.
//! - `picture`, `beside`, `isos`, `lost`, `sound`, `stage`, `streams`, `http_peers`, `senders`, `vanishing`, `newcomers`, `certificate`, `rtmp`, `draining`, `crowded`,
//!   `hostile`: the tests.
//!
//! Nothing here needs a model but the one in the program. What needs nginx or ffprobe says so and passes when they are not installed.

#![allow(clippy::unwrap_used, missing_docs)]

mod beside;
mod certificate;
mod client;
mod crowded;
mod draining;
mod events;
mod flooded;
mod footage;
mod guests;
mod hostile;
mod http;
mod http_peers;
mod isos;
mod lost;
mod mutator;
mod newcomers;
mod nginx;
mod picture;
mod posted;
mod recorder;
mod rtmp;
mod senders;
mod server;
mod sound;
mod stage;
mod streams;
mod studio;
mod vanishing;
