//! WebRTC, done once: every browser, WHIP and WHEP peer, and the bot, is a [`peer::Peer`].
//!
//! ```text
//!   remote SDP ─► sdp (parse, limit, regenerate) ─► peer (webrtcbin) ─► tracks, news
//!   liveness ◄─ packets, ICE state                  peer ◄─ encoded units
//! ```
//! Contract: see [`peer`]. [`sdp`] and [`liveness`] are pure.

pub(crate) mod ice;
pub mod line;
pub mod liveness;
pub mod peer;
pub mod sdp;
