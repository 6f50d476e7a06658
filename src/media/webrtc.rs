//! webrtcbin, done once: every sender, browser or WHIP, is a [`peer::Peer`], and so is the bot's end.
//!
//! ```text
//!   remote SDP ─► sdp (parse, limit, regenerate) ─► peer (webrtcbin) ─► tracks, news
//!   liveness ◄─ pulse, ICE state                    peer ◄─ encoded units
//! ```
//! Contract: see [`peer`]. [`liveness`] and [`pulse`] are pure, as [`crate::media::sdp`] is.

pub mod certificate;
pub(crate) mod ice;
mod jitter;
pub mod line;
pub mod liveness;
pub mod openssl;
pub mod peer;
pub mod pulse;
mod tracks;
