//! A description as text, regenerated from types alone.

use std::fmt::{self, Write as _};

use super::{Description, OtherMedia, Section, Ssrc};

impl Description {
    /// Returns the normalised text, with CRLF line ends. Reads back to an equal description.
    ///
    /// Session part: a fixed `o=`, `ice-lite`, `ice-options:trickle` and the BUNDLE group where there are any. Every
    /// section has its transport written out at media level, and port 9, also where the peer wrote `bundle-only` and
    /// port 0. Rejected sections keep their place: port 0, payload type 0 or what the peer wrote there, mid, inactive.
    pub fn to_sdp(&self) -> String {
        let mut text = String::with_capacity(4096);
        self.write(&mut text).expect("writing to a String does not fail");
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        out.push_str("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
        if self.ice_lite {
            out.push_str("a=ice-lite\r\n");
        }
        if self.trickle {
            out.push_str("a=ice-options:trickle\r\n");
        }
        if !self.bundle.is_empty() {
            write!(out, "a=group:BUNDLE {}\r\n", self.bundle.join(" "))?;
        }
        self.media
            .iter()
            .try_for_each(|section| if section.rejected { rejected(section, out) } else { active(section, out) })
    }
}

fn rejected(section: &Section, out: &mut String) -> fmt::Result {
    let Section { kind, protocol, other, mid, .. } = section;
    match other {
        Some(OtherMedia { name, formats }) => write!(out, "m={name} 0 {protocol} {formats}\r\n")?,
        None => write!(out, "m={kind} 0 {protocol} 0\r\n")?,
    }
    write!(out, "c=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n")
}

fn active(section: &Section, out: &mut String) -> fmt::Result {
    write!(out, "m={} 9 {}", section.kind, section.protocol)?;
    section.codecs.iter().try_for_each(|codec| write!(out, " {}", codec.payload))?;
    write!(out, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na={}\r\n", section.mid, section.direction)?;
    // RFC 9725 wants both of every answer; browsers pass over the second.
    out.push_str("a=rtcp-mux\r\na=rtcp-mux-only\r\n");
    if section.rtcp_rsize {
        out.push_str("a=rtcp-rsize\r\n");
    }
    write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", section.ice_ufrag, section.ice_pwd)?;
    write!(out, "a=fingerprint:{}\r\na=setup:{}\r\n", section.fingerprint, section.setup)?;
    if let Some(msid) = &section.msid {
        write!(out, "a=msid:{msid}\r\n")?;
    }
    for codec in &section.codecs {
        let payload = codec.payload;
        write!(out, "a=rtpmap:{payload} {}/{}", codec.format.name(), codec.clock_rate)?;
        if codec.channels > 1 {
            write!(out, "/{}", codec.channels)?;
        }
        out.push_str("\r\n");
        for feedback in &codec.feedback {
            write!(out, "a=rtcp-fb:{payload} {feedback}\r\n")?;
        }
        for (index, (key, value)) in codec.fmtp.iter().enumerate() {
            if index == 0 {
                write!(out, "a=fmtp:{payload} {key}={value}")?;
            } else {
                write!(out, ";{key}={value}")?;
            }
        }
        if !codec.fmtp.is_empty() {
            out.push_str("\r\n");
        }
    }
    for (id, uri) in &section.extensions {
        write!(out, "a=extmap:{id} {uri}\r\n")?;
    }
    for Ssrc { id, cname, repair } in &section.ssrcs {
        if let Some(repair) = repair {
            write!(out, "a=ssrc-group:FID {id} {repair}\r\n")?;
        }
        for id in [Some(id), repair.as_ref()].into_iter().flatten() {
            write!(out, "a=ssrc:{id} cname:{cname}\r\n")?;
        }
    }
    for candidate in &section.candidates {
        write!(out, "a={candidate}\r\n")?;
    }
    if section.end_of_candidates {
        out.push_str("a=end-of-candidates\r\n");
    }
    Ok(())
}
