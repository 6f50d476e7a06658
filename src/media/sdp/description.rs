//! A description as types: what of an offer or answer is understood and carried.

use std::fmt;

use super::{Candidate, Codec, Fingerprint, SDES_MID};

/// The role of a description: offer or answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdpKind {
    /// The first half of a negotiation; `setup` may be `actpass`.
    Offer,
    /// The second half; `setup` must be `active` or `passive`.
    Answer,
}

/// A checked offer or answer. Made by [`Description::parse`], written by [`Description::to_sdp`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Offer or answer.
    pub kind: SdpKind,
    /// The m-lines, 1 to 4, in order. At least one is not rejected.
    pub media: Vec<Section>,
    /// The mids of the BUNDLE group in its order, without rejected sections. Empty where the description has no group,
    /// and then exactly one section is not rejected.
    pub bundle: Vec<String>,
    /// The peer is ICE lite: we must take the controlling role.
    pub ice_lite: bool,
    /// The peer says that candidates may follow.
    pub trickle: bool,
}

impl Description {
    /// Returns the index of the section whose transport all others share: the BUNDLE group's first, or the only one not
    /// rejected. Candidates belong to it, and webrtcbin takes them under this m-line index only.
    pub fn tagged(&self) -> usize {
        let first = self.bundle.first();
        let is_tagged = |section: &Section| !section.rejected && first.is_none_or(|mid| *mid == section.mid);
        self.media.iter().position(is_tagged).unwrap_or(0)
    }

    /// Returns the same description without the header extension that names a packet's m-line, where any SSRC is
    /// declared.
    ///
    /// GST-1.22: webrtcbin asserts, and so aborts, when a stream declared for one m-line arrives with the mid of
    /// another. Declared SSRCs distinguish the m-lines well enough.
    pub fn without_mid_extension(mut self) -> Self {
        if self.media.iter().any(|section| !section.ssrcs.is_empty()) {
            self.media.iter_mut().for_each(|section| section.extensions.retain(|(_, uri)| uri != SDES_MID));
        }
        self
    }
}

/// The kind of media of an m-line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// `m=audio`
    Audio,
    /// `m=video`
    Video,
    /// Data channels (`m=application`), `m=text` and all else: always rejected, see [`OtherMedia`].
    Other,
}

/// The words of an m-line that is neither audio nor video. Its answer has to repeat them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherMedia {
    /// `application`, for instance.
    pub name: String,
    /// The text behind the protocol: `webrtc-datachannel`, for instance.
    pub formats: String,
}

/// The protocol of our own m-lines. All that WebRTC peers may write in its place (RFC 8829, section 5.1.2) means the
/// same, and is answered as it was offered.
pub const PROTOCOL: &str = "UDP/TLS/RTP/SAVPF";

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Other => "other",
        })
    }
}

/// The direction in which media flows, as the description's author sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The author sends.
    SendOnly,
    /// The author receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Returns whether the author sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Returns whether the author receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// Returns the attribute's direction, if it is one.
    pub(super) fn from_attribute(name: &str) -> Option<Self> {
        Some(match name {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        })
    }
}

/// The side that begins the DTLS handshake (RFC 4145).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// Either; in offers only.
    ActPass,
    /// The author is the DTLS client.
    Active,
    /// The author is the DTLS server.
    Passive,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActPass => "actpass",
            Self::Active => "active",
            Self::Passive => "passive",
        })
    }
}

/// One m-line. RTCP is always multiplexed.
///
/// A rejected section (port 0) keeps its place, kind and mid only: it is inactive, its lists are empty, and its
/// transport repeats that of the other sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Audio, video, or what we know nothing of.
    pub kind: MediaKind,
    /// The protocol as written: [`PROTOCOL`], or what means the same.
    pub protocol: String,
    /// The words of a line that is neither audio nor video; such a section is always rejected.
    pub other: Option<OtherMedia>,
    /// Its name, unique in the description, 1 to 64 token characters. A section without `a=mid` gets its index.
    pub mid: String,
    /// Direction in which media flows, as the author sees it.
    pub direction: Direction,
    /// Port 0 (and not merely `bundle-only`).
    pub rejected: bool,
    /// ICE user fragment, 4 to 256 characters.
    pub ice_ufrag: String,
    /// ICE password, 22 to 256 characters.
    pub ice_pwd: String,
    /// Hash of the certificate that DTLS must show.
    pub fingerprint: Fingerprint,
    /// The side that begins the DTLS handshake.
    pub setup: Setup,
    /// Payload types in the author's order of preference, 1 to 64, each once.
    pub codecs: Vec<Codec>,
    /// RTP header extensions: id (1 to 255, each once) and URI.
    pub extensions: Vec<(u8, String)>,
    /// Candidates, at most 32, of the tagged section only.
    pub candidates: Vec<Candidate>,
    /// No candidates will follow.
    pub end_of_candidates: bool,
    /// Reduced-size RTCP.
    pub rtcp_rsize: bool,
    /// The streams that the author sends, each SSRC in one section only; retransmission streams are left out. webrtcbin
    /// needs them to distinguish a bundle's sections, and asks for retransmissions of declared streams only.
    pub ssrcs: Vec<Ssrc>,
    /// Stream and track identifiers of what the author sends.
    pub msid: Option<String>,
}

impl Section {
    /// Makes a section that is rejected: port 0 and nothing in it. Its transport, which SDP asks for all the same, is
    /// that of `ice` (user fragment and password), `fingerprint` and `setup`.
    pub fn rejected(
        (kind, protocol, other): (MediaKind, String, Option<OtherMedia>),
        mid: String,
        (ice_ufrag, ice_pwd): (String, String),
        fingerprint: Fingerprint,
        setup: Setup,
    ) -> Self {
        Self {
            kind,
            protocol,
            other,
            mid,
            direction: Direction::Inactive,
            rejected: true,
            ice_ufrag,
            ice_pwd,
            fingerprint,
            setup,
            codecs: Vec::new(),
            extensions: Vec::new(),
            candidates: Vec::new(),
            end_of_candidates: false,
            rtcp_rsize: false,
            ssrcs: Vec::new(),
            msid: None,
        }
    }

    /// Returns what the m-line itself says, for an answer to repeat.
    pub fn line(&self) -> (MediaKind, String, Option<OtherMedia>) {
        (self.kind, self.protocol.clone(), self.other.clone())
    }
}

/// A declared RTP stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssrc {
    /// Not 0.
    pub id: u32,
    /// The sender's canonical name; `-` where none is given.
    pub cname: String,
    /// The stream that repeats its packets (RFC 4588); not 0.
    pub repair: Option<u32>,
}
