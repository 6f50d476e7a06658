//! The guard between remote SDP and what connects: webrtcbin for senders, str0m for receivers. PURE.
//!
//! ```text
//! offer, answer ─► Description::parse ─► typed, limited ─► choose, narrowed ─► to_sdp ─► webrtcbin
//! offer         ─► Description::parse ─► typed, limited ─► choose ─► parameters ───────► str0m
//! candidate     ─► Candidate::parse ───► typed ──────────────────────────────► Display ─► webrtcbin
//! WHIP PATCH    ─► parse_fragment ─────► typed candidates ───────────────────► Display ─► webrtcbin
//! ```
//!
//! webrtcbin 1.22 aborts the process on several malformed descriptions (GST-1.22: bad BUNDLE group, missing setup),
//! so no byte of a remote description reaches it. What this module does not know is left out, what it knows is read
//! into types, checked, and written again by [`Description::to_sdp`]. The rules that go beyond the RFCs:
//!
//! - Audio and video over DTLS-SRTP only, whatever of the eight names for that is written; everything in one BUNDLE
//!   group (or a single m-line without a group), RTCP multiplexed. Other m-lines (data channels, text) are rejected in
//!   their place. Where the group's first section is one of those, its transport is the group's all the same.
//! - What a WebRTC implementation may leave out or write oddly without another meaning is read as it is meant: mids of
//!   the group that no section has, candidates of no use, H.264 without parameters, Opus without its two channels.
//! - All sections of the group get the transport (ICE credentials, setup, fingerprint) of the group's first section,
//!   as RFC 8843 has it, and only that section carries candidates.
//! - Only known format parameters and feedback kinds are carried: GStreamer turns each of them into a caps field of
//!   that name, so an unknown one could overwrite `payload` or `clock-rate`.
//! - Simulcast, rid, `sprop-stereo` and `sprop-maxcapturerate` are never carried.
//!
//! Failure: a [`Fault`] with one line that names the line or the mid. Parsing never panics and is linear in the text.

mod answer;
mod candidate;
mod choose;
mod codec;
mod description;
mod fingerprint;
mod fragment;
mod grammar;
mod internal;
mod limits;
mod parse;
mod section;
mod write;

#[cfg(test)]
mod tests;

pub use answer::{answered, check_answer, check_answer_to};
pub use candidate::{Address, Candidate, CandidateKind, TcpType, Transport};
pub use choose::{Chosen, Flow, check_whole, choose, narrowed};
pub use codec::{Codec, CodecFormat};
pub use description::{Description, Direction, MediaKind, OtherMedia, PROTOCOL, SdpKind, Section, Setup, Ssrc};
pub use fingerprint::{Fingerprint, HashAlgorithm};
pub use fragment::{Fragment, parse_fragment};
pub use grammar::Fault;
pub use internal::{is_internal, network_of};
pub use limits::{MAX_BYTES, MAX_CANDIDATES, MAX_CODECS, MAX_FRAGMENT_BYTES, MAX_LINE, MAX_SECTIONS};

/// RTP header extension that numbers packets over the whole transport, for the sender's bandwidth estimate.
pub const TRANSPORT_WIDE_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// The RTP header extension by which phones say how they are held (3GPP TS 26.114).
pub const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
/// RTP header extension that names a packet's m-line.
pub const SDES_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
