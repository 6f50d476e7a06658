//! Limits of what is read from a remote peer.

/// Bytes of a whole description. Browsers with every codec stay under 12 KiB.
pub const MAX_BYTES: usize = 64 * 1024;
/// Bytes of one trickle fragment: 32 candidates of about 150 bytes, three times over.
pub const MAX_FRAGMENT_BYTES: usize = 16 * 1024;
/// Bytes of one line. The longest useful ones, H.264 parameter sets and 64 payload types, are under 600.
pub const MAX_LINE: usize = 1024;
/// m-lines. Our own offers have three; publishers offer two.
pub const MAX_SECTIONS: usize = 4;
/// Names in a BUNDLE group. Those that no section has are left out.
pub const MAX_GROUP: usize = 32;
/// Payload types of one m-line. Chrome offers about 50 for video.
pub const MAX_CODECS: usize = 64;
/// Candidates kept of one section or fragment. A host with many interfaces may list more; any few will do for ICE, and
/// each costs a connectivity check per local candidate.
pub const MAX_CANDIDATES: usize = 32;
/// Header extensions of one section. Chrome offers about 15.
pub const MAX_EXTENSIONS: usize = 32;
/// Declared SSRCs kept of one section. One and its retransmission are usual.
pub const MAX_SSRCS: usize = 16;
/// Characters of a mid. RFC 8843 hopes for 3; Firefox and libdatachannel use up to 8.
pub const MAX_MID: usize = 64;
/// ICE user fragment, RFC 8839 section 5.4.
pub const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
/// ICE password, RFC 8839 section 5.4.
pub const PWD: std::ops::RangeInclusive<usize> = 22..=256;
/// Characters of each part of an m-line that is neither audio nor video.
pub const MAX_OTHER: usize = 64;
/// Characters of a codec's name.
pub const MAX_CODEC_NAME: usize = 32;
/// Characters of a format parameter's value. H.264 parameter sets of a full-HD encoder take about 100.
pub const MAX_PARAMETER: usize = 512;
/// Characters of a header extension's URI. The longest registered one has 74.
pub const MAX_URI: usize = 128;
