//! The interface to rooms as clients see it: the real router on a real socket, against a fake of the media port.
//!
//! - `server`: starts one and speaks HTTP to it; `http`: what comes back. `page`: a browser's session socket.
//!   `fake_media`: what the rooms order, and what the media would report to them.
//! - `rooms`, `layout`, `scenario`, `scenes`, `export`, `participants`, `stage`, `bans`, `poses`, `outputs`, `events`,
//!   `session`, `receive`, `whip`, `openapi`: one resource each.
//! - `hooks`: webhooks, and the events of all rooms; `receiver`: who receives them.
//! - `numbers`: how the media is doing, in the room state and for Prometheus.
//! - `hls`: what players and caches get of an output. `assets`: whose files are whose. `transfer`: files on their way
//!   in and out, and what they cost. `parts`: those that are asked for in parts, and again.
//! - `tokens`, `proxies`, `bounds`: whom the server believes what, and how much one may take of it.
//! - `addresses`: those that are not text.
//! - `not_now`: what the server cannot make ready now, which is not the fault of who asks for it.
//! - `faults`: rooms whose task or media breaks, and a disk that refuses them.
//! - `mutation`: a thousand broken inputs; none may do harm.

#![allow(clippy::unwrap_used, missing_docs)]

mod addresses;
mod assets;
mod bans;
mod bounds;
mod events;
mod export;
mod fake_media;
mod faults;
mod hls;
mod hooks;
#[path = "../room/http.rs"]
mod http;
mod layout;
mod mutation;
mod not_now;
mod numbers;
mod openapi;
mod outputs;
mod page;
mod participants;
mod parts;
mod poses;
mod proxies;
mod receive;
mod receiver;
mod rooms;
mod scenario;
mod scenes;
mod server;
mod session;
mod stage;
mod texts;
mod tokens;
mod transfer;
mod whip;
mod words;
