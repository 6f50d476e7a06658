//! The lines of one m-line section, and of the session part above them, before the description is put together.

use super::{
    Candidate, Direction, Fingerprint, HashAlgorithm, MediaKind, OtherMedia, SdpKind, Setup, Ssrc,
    candidate::Read,
    codec::CodecLines,
    grammar::{Fault, SdpLine, ice_pwd, ice_ufrag, is_token, number, quoted, say_once},
    limits::{MAX_CANDIDATES, MAX_CODECS, MAX_EXTENSIONS, MAX_MID, MAX_OTHER, MAX_SSRCS, MAX_URI},
};

/// The protocols that an m-line of audio or video may name: all of them are DTLS-SRTP to a WebRTC peer, which has a
/// fingerprint.
const PROTOCOLS: [&str; 8] = [
    "UDP/TLS/RTP/SAVPF",
    "UDP/TLS/RTP/SAVP",
    "TCP/DTLS/RTP/SAVPF",
    "TCP/DTLS/RTP/SAVP",
    "RTP/SAVPF",
    "RTP/SAVP",
    "RTP/AVPF",
    "RTP/AVP",
];

/// The attributes of another m-line that count for its bundle: its name, and the transport where it is the group's
/// first.
const OF_OTHER_MEDIA: [&str; 8] =
    ["mid", "bundle-only", "candidate", "end-of-candidates", "ice-ufrag", "ice-pwd", "setup", "fingerprint"];

/// Attributes that may stand in the session part or in a section.
#[derive(Default)]
pub(super) struct Shared {
    pub ufrag: Option<String>,
    pub pwd: Option<String>,
    pub setup: Option<Setup>,
    pub direction: Option<Direction>,
    pub trickle: bool,
    pub end_of_candidates: bool,
    fingerprints: Vec<Fingerprint>,
    weak_fingerprint: bool,
}

impl Shared {
    /// Takes an attribute line; `false` if it is not one of these.
    pub fn read(&mut self, line: &SdpLine<'_>, name: &str, value: &str, kind: SdpKind) -> Result<bool, Fault> {
        match name {
            "ice-ufrag" => say_once(&mut self.ufrag, ice_ufrag(value).map_err(|what| line.fault(what))?, line, name)?,
            "ice-pwd" => say_once(&mut self.pwd, ice_pwd(value).map_err(|what| line.fault(what))?, line, name)?,
            "setup" => {
                let setup = match (value, kind) {
                    ("actpass", SdpKind::Offer) => Setup::ActPass,
                    ("active", _) => Setup::Active,
                    ("passive", _) => Setup::Passive,
                    ("actpass", SdpKind::Answer) => return Err(line.fault("an answer's setup is active or passive")),
                    _ => return Err(line.fault(format_args!("unknown setup {}", quoted(value)))),
                };
                say_once(&mut self.setup, setup, line, name)?;
            }
            "fingerprint" => match Fingerprint::read(value).map_err(|fault| line.fault(fault))? {
                Some(new) => {
                    if self.fingerprints.iter().any(|old| old.algorithm == new.algorithm && *old != new) {
                        return Err(line.fault("fingerprint differs from an earlier one"));
                    }
                    self.fingerprints.push(new);
                }
                None => self.weak_fingerprint = true,
            },
            "ice-options" => self.trickle |= value.split([' ', ',']).any(|option| option == "trickle"),
            "end-of-candidates" => self.end_of_candidates = true,
            _ => match Direction::from_attribute(name) {
                Some(direction) if value.is_empty() => say_once(&mut self.direction, direction, line, "direction")?,
                _ => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Returns the fingerprint by SHA-256, which every implementation knows (str0m only that one), else by the
    /// strongest hash.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        let common = |fingerprint: &&Fingerprint| fingerprint.algorithm == HashAlgorithm::Sha256;
        let strongest = || self.fingerprints.iter().max_by_key(|fingerprint| fingerprint.algorithm);
        self.fingerprints.iter().find(common).or_else(strongest)
    }

    /// Returns whether there are fingerprints, and all of them of hashes that are not accepted.
    pub fn only_weak(&self) -> bool {
        self.weak_fingerprint && self.fingerprints.is_empty()
    }
}

/// One section as read.
pub(super) struct RawSection {
    pub kind: MediaKind,
    pub protocol: String,
    pub other: Option<OtherMedia>,
    pub port: u16,
    pub payloads: Vec<u8>,
    pub shared: Shared,
    pub mid: Option<String>,
    pub rtcp_mux: bool,
    pub rtcp_rsize: bool,
    pub bundle_only: bool,
    pub codecs: CodecLines,
    pub extensions: Vec<(u8, String)>,
    pub candidates: Vec<Candidate>,
    pub msid: Option<String>,
    ssrcs: Vec<Ssrc>,
    /// Pairs of a stream and the one that repairs it; 0: it is repaired in another way than by repeating its packets.
    repairs: Vec<(u32, u32)>,
}

impl RawSection {
    /// Reads an `m=` line.
    pub fn new(line: &SdpLine<'_>) -> Result<Self, Fault> {
        let mut words = line.value.split(' ').filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let kind = match name {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            _ => MediaKind::Other,
        };
        let port = words.next().unwrap_or_default();
        let port = number(port).ok_or_else(|| line.fault(format_args!("bad port {}", quoted(port))))?;
        let protocol = words.next().unwrap_or_default();
        let section = Self {
            kind,
            protocol: protocol.to_owned(),
            other: None,
            port,
            payloads: Vec::new(),
            shared: Shared::default(),
            mid: None,
            rtcp_mux: false,
            rtcp_rsize: false,
            bundle_only: false,
            codecs: CodecLines::default(),
            extensions: Vec::new(),
            candidates: Vec::new(),
            msid: None,
            ssrcs: Vec::new(),
            repairs: Vec::new(),
        };
        if kind == MediaKind::Other {
            let formats = words.collect::<Vec<&str>>().join(" ");
            let is_word = |word: &str| word.split('/').all(is_token) && word.len() <= MAX_OTHER;
            if ![name, protocol].into_iter().chain(formats.split(' ')).all(is_word) || formats.len() > MAX_OTHER {
                return Err(line.fault(format_args!("bad m-line {}", quoted(line.value))));
            }
            return Ok(Self { other: Some(OtherMedia { name: name.to_owned(), formats }), ..section });
        }
        if !PROTOCOLS.contains(&protocol) {
            return Err(line.fault(format_args!("protocol {} is not UDP/TLS/RTP/SAVPF", quoted(protocol))));
        }
        let mut payloads = Vec::new();
        for word in words {
            let payload: u8 = number(word)
                .filter(|payload| *payload <= 127)
                .ok_or_else(|| line.fault(format_args!("bad payload type {}", quoted(word))))?;
            if payloads.contains(&payload) {
                return Err(line.fault(format_args!("payload type {payload} stands twice")));
            }
            payloads.push(payload);
        }
        if payloads.is_empty() || payloads.len() > MAX_CODECS {
            return Err(line.fault(format_args!("{} payload types, 1 to {MAX_CODECS} are allowed", payloads.len())));
        }
        Ok(Self { payloads, ..section })
    }

    /// Takes an attribute line. Unknown ones are left out.
    pub fn read(&mut self, line: &SdpLine<'_>, name: &str, value: &str, kind: SdpKind) -> Result<(), Fault> {
        if self.other.is_some() && !OF_OTHER_MEDIA.contains(&name) {
            return Ok(());
        }
        match name {
            "mid" => {
                if !is_token(value) || value.len() > MAX_MID {
                    return Err(
                        line.fault(format_args!("mid {} is not 1 to {MAX_MID} token characters", quoted(value)))
                    );
                }
                say_once(&mut self.mid, value.to_owned(), line, name)?;
            }
            "rtcp-mux" | "rtcp-mux-only" => self.rtcp_mux = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "bundle-only" => self.bundle_only = true,
            "rtpmap" | "fmtp" | "rtcp-fb" => self.codecs.read(line, name, value, &self.payloads)?,
            "extmap" => self.read_extension(line, value)?,
            "candidate" => match Candidate::read(value).map_err(|fault| line.fault(fault))? {
                Read::Candidate(candidate) if candidate.component == 1 => {
                    if self.candidates.len() < MAX_CANDIDATES && !self.candidates.contains(&candidate) {
                        self.candidates.push(candidate);
                    }
                }
                Read::Candidate(_) | Read::Ignored(_) => {}
            },
            "ssrc" => self.read_ssrc(line, value)?,
            "ssrc-group" => self.read_group(line, value)?,
            // The first of several streams for one track; names that are no tokens are not worth a refusal.
            "msid" => {
                let words: Vec<&str> = value.split(' ').collect();
                if self.msid.is_none()
                    && words.len() <= 2
                    && words.iter().all(|word| is_token(word) && word.len() <= 64)
                {
                    self.msid = Some(value.to_owned());
                }
            }
            _ => {
                self.shared.read(line, name, value, kind)?;
            }
        }
        Ok(())
    }

    fn read_extension(&mut self, line: &SdpLine<'_>, value: &str) -> Result<(), Fault> {
        let bad = || line.fault(format_args!("bad extmap {}", quoted(value)));
        let mut words = value.split(' ');
        let id = words.next().unwrap_or_default();
        let id: u16 = number(id.split('/').next().unwrap_or_default()).ok_or_else(bad)?;
        let uri = words.next().ok_or_else(bad)?;
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
        if uri.len() > MAX_URI || !uri.contains(':') || !uri.bytes().all(allowed) {
            return Err(bad());
        }
        // 15 is reserved, and ids from 256 on are placeholders that no packet carries (RFC 8285).
        let Some(id) = u8::try_from(id).ok().filter(|id| !matches!(id, 0 | 15)) else { return Ok(()) };
        if self.extensions.iter().any(|(known, _)| *known == id) {
            return Err(line.fault(format_args!("extension id {id} stands twice")));
        }
        if self.extensions.len() == MAX_EXTENSIONS {
            return Err(line.fault(format_args!("more than {MAX_EXTENSIONS} header extensions")));
        }
        if !self.extensions.iter().any(|(_, known)| known == uri) {
            self.extensions.push((id, uri.to_owned()));
        }
        Ok(())
    }

    fn read_ssrc(&mut self, line: &SdpLine<'_>, value: &str) -> Result<(), Fault> {
        let (id, attribute) = value.split_once(' ').unwrap_or((value, ""));
        let id = number::<u32>(id).filter(|id| *id != 0);
        let id = id.ok_or_else(|| line.fault(format_args!("bad ssrc {}", quoted(value))))?;
        if !self.ssrcs.iter().any(|ssrc| ssrc.id == id) {
            if self.ssrcs.len() == MAX_SSRCS {
                return Ok(());
            }
            self.ssrcs.push(Ssrc { id, cname: "-".to_owned(), repair: None });
        }
        let cname = attribute.strip_prefix("cname:").filter(|cname| is_cname(cname));
        if let (Some(cname), Some(ssrc)) = (cname, self.ssrcs.iter_mut().find(|ssrc| ssrc.id == id)) {
            ssrc.cname = cname.to_owned();
        }
        Ok(())
    }

    fn read_group(&mut self, line: &SdpLine<'_>, value: &str) -> Result<(), Fault> {
        let bad = || line.fault("bad ssrc-group");
        let mut words = value.split(' ');
        let kind = words.next();
        if !matches!(kind, Some("FID" | "FEC-FR" | "FEC")) {
            return Ok(());
        }
        let Some(main) = words.next() else { return Ok(()) };
        for word in words.take(MAX_SSRCS) {
            let repair = number::<u32>(word).ok_or_else(bad)?;
            if self.repairs.len() < MAX_SSRCS {
                self.repairs.push(
                    (kind == Some("FID")).then(|| number(main)).flatten().map_or((0, repair), |main| (main, repair)),
                );
            }
        }
        Ok(())
    }

    /// Returns the declared streams without those that only repeat or repair others.
    pub fn take_ssrcs(&mut self) -> Vec<Ssrc> {
        let mut ssrcs = std::mem::take(&mut self.ssrcs);
        ssrcs.retain(|ssrc| !self.repairs.iter().any(|(_, repair)| *repair == ssrc.id));
        for ssrc in &mut ssrcs {
            let own = self.repairs.iter().find(|(main, repair)| *main == ssrc.id && *repair != 0);
            ssrc.repair = own.map(|(_, repair)| *repair);
        }
        ssrcs
    }
}

fn is_cname(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'@' | b'{' | b'}')
    };
    !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed)
}
