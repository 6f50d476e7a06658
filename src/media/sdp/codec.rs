//! Codecs of an m-line: payload type, `rtpmap`, `fmtp` and `rtcp-fb` put together.

use super::{
    grammar::{Fault, SdpLine, is_token, number, quoted},
    limits::{MAX_CODEC_NAME, MAX_PARAMETER},
};

/// One payload type of an m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// 0 to 127.
    pub payload: u8,
    /// Codec that is meant.
    pub format: CodecFormat,
    /// RTP clock in Hz.
    pub clock_rate: u32,
    /// Audio channels, 1 to 8; 1 where none are given.
    pub channels: u8,
    /// Known format parameters in their order, keys in lower case, each once.
    pub fmtp: Vec<(String, String)>,
    /// Known feedback kinds: `nack`, `nack pli`, `ccm fir`, `transport-cc`, `goog-remb`.
    pub feedback: Vec<String>,
}

/// The codec, with what decides whether two ends fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecFormat {
    /// Opus.
    Opus,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// H.264.
    H264 {
        /// Profile, constraints and level, 24 bits (`0x42e01f`); `0x420010` where none is given (RFC 6184).
        profile_level_id: u32,
        /// 0 (default), 1 or 2.
        packetization_mode: u8,
    },
    /// AV1.
    Av1,
    /// Any other, by its name as written: `rtx`, `red`, `telephone-event`, `H265`.
    Other(String),
}

impl CodecFormat {
    /// Returns the encoding name as `rtpmap` writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 { .. } => "H264",
            Self::Av1 => "AV1",
            Self::Other(name) => name,
        }
    }
}

impl Codec {
    /// Returns a format parameter's value, by its key in lower case.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.fmtp.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    fn is_rtx(&self) -> bool {
        self.format.name().eq_ignore_ascii_case("rtx")
    }
}

/// Format parameters that are carried. Each becomes a field of the caps in webrtcbin. Not among them:
/// `sprop-stereo` and `sprop-maxcapturerate` (GST-1.22: they make Opus receive-only) and whatever the encoders and
/// decoders do not need.
const PARAMETERS: [&str; 20] = [
    "apt",
    "cbr",
    "level-asymmetry-allowed",
    "level-idx",
    "max-br",
    "max-fr",
    "max-fs",
    "max-mbps",
    "maxaveragebitrate",
    "maxplaybackrate",
    "minptime",
    "packetization-mode",
    "profile",
    "profile-id",
    "profile-level-id",
    "sprop-parameter-sets",
    "stereo",
    "tier",
    "usedtx",
    "useinbandfec",
];

/// Feedback kinds that are carried.
const FEEDBACK: [&str; 5] = ["nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"];

struct RtpMap {
    payload: u8,
    name: String,
    clock_rate: u32,
    channels: u8,
}

/// The codec lines of one section, as they come.
#[derive(Default)]
pub(super) struct CodecLines {
    maps: Vec<RtpMap>,
    parameters: Vec<(u8, String, String)>,
    /// `None` is the wildcard `*`.
    feedback: Vec<(Option<u8>, &'static str)>,
}

impl CodecLines {
    /// Takes an `a=rtpmap`, `a=fmtp` or `a=rtcp-fb` line for one of `payloads`; lines for others are left out.
    pub fn read(&mut self, line: &SdpLine<'_>, name: &str, value: &str, payloads: &[u8]) -> Result<(), Fault> {
        let (payload, rest) =
            value.split_once(' ').ok_or_else(|| line.fault(format_args!("{name} without a value")))?;
        let rest = rest.trim();
        if name == "rtcp-fb" && payload == "*" {
            self.feedback.extend(known_feedback(rest).map(|kind| (None, kind)));
            return Ok(());
        }
        let payload: u8 =
            number(payload).ok_or_else(|| line.fault(format_args!("bad payload type {}", quoted(payload))))?;
        if !payloads.contains(&payload) {
            return Ok(());
        }
        match name {
            "rtpmap" => self.read_map(line, payload, rest)?,
            "fmtp" => self.read_parameters(payload, rest),
            _ => self.feedback.extend(known_feedback(rest).map(|kind| (Some(payload), kind))),
        }
        Ok(())
    }

    fn read_map(&mut self, line: &SdpLine<'_>, payload: u8, text: &str) -> Result<(), Fault> {
        let bad = || line.fault(format_args!("bad rtpmap {}", quoted(text)));
        if self.maps.iter().any(|map| map.payload == payload) {
            return Err(line.fault(format_args!("payload type {payload} is mapped twice")));
        }
        let mut parts = text.split('/');
        let name =
            parts.next().filter(|name| is_token(name) && name.len() <= MAX_CODEC_NAME).ok_or_else(bad)?.to_owned();
        let clock_rate = parts.next().and_then(number).filter(|rate| (1..=1_000_000).contains(rate)).ok_or_else(bad)?;
        let channels = match parts.next() {
            None => 1,
            Some(text) => number(text).filter(|count| (1..=8).contains(count)).ok_or_else(bad)?,
        };
        if parts.next().is_some() {
            return Err(bad());
        }
        self.maps.push(RtpMap { payload, name, clock_rate, channels });
        Ok(())
    }

    fn read_parameters(&mut self, payload: u8, text: &str) {
        for parameter in text.split(';') {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            let again = self.parameters.iter().any(|(at, known, _)| *at == payload && *known == key);
            if PARAMETERS.contains(&key.as_str()) && is_parameter_value(value) && !again {
                self.parameters.push((payload, key, value.to_owned()));
            }
        }
    }

    /// Puts the codecs together, in the m-line's order. Payload types that nothing says a codec of, or with a
    /// packetization mode that does not exist, are left out, and so is a retransmission format that repeats no
    /// others (GST-1.22: webrtcbin reads a missing `apt` as a string).
    pub fn into_codecs(mut self, payloads: &[u8]) -> Vec<Codec> {
        let mut codecs = Vec::new();
        for &payload in payloads {
            let written = self.maps.iter().position(|map| map.payload == payload);
            let Some(map) = written.map(|index| self.maps.swap_remove(index)).or_else(|| known_map(payload)) else {
                continue;
            };
            let own = |(at, key, value): &(u8, String, String)| (*at == payload).then(|| (key.clone(), value.clone()));
            let mut fmtp: Vec<_> = self.parameters.iter().filter_map(own).collect();
            fmtp.retain_mut(|(key, value)| key != "profile-level-id" || six_digits(value));
            let mut feedback: Vec<String> = Vec::new();
            for (at, kind) in &self.feedback {
                if at.is_none_or(|at| at == payload) && !feedback.iter().any(|known| known == kind) {
                    feedback.push((*kind).to_owned());
                }
            }
            let Some(format) = format(&map.name, &fmtp) else { continue };
            codecs.push(Codec { payload, format, clock_rate: map.clock_rate, channels: map.channels, fmtp, feedback });
        }
        let repeated: Vec<u8> = codecs.iter().filter(|codec| !codec.is_rtx()).map(|codec| codec.payload).collect();
        let known = |codec: &Codec| codec.parameter("apt").and_then(number).is_some_and(|apt| repeated.contains(&apt));
        codecs.retain(|codec| !codec.is_rtx() || known(codec));
        codecs
    }
}

/// Returns what a payload type means that needs no `rtpmap` (RFC 3551, section 6). These are not taken; who offers
/// nothing else is answered by its name.
fn known_map(payload: u8) -> Option<RtpMap> {
    const KNOWN: [(u8, &str, u32); 12] = [
        (0, "PCMU", 8000),
        (3, "GSM", 8000),
        (4, "G723", 8000),
        (8, "PCMA", 8000),
        (9, "G722", 8000),
        (15, "G728", 8000),
        (18, "G729", 8000),
        (26, "JPEG", 90_000),
        (31, "H261", 90_000),
        (32, "MPV", 90_000),
        (33, "MP2T", 90_000),
        (34, "H263", 90_000),
    ];
    let (_, name, clock_rate) = KNOWN.into_iter().find(|(known, ..)| *known == payload)?;
    Some(RtpMap { payload, name: name.to_owned(), clock_rate, channels: 1 })
}

/// Returns whether this is a `profile-level-id`, brought to its six digits. FFmpeg 8.0 writes a seventh before them.
fn six_digits(value: &mut String) -> bool {
    if value.len() < 6 || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    value.drain(..value.len() - 6);
    true
}

/// `None`: in a way that nobody can know.
fn format(name: &str, fmtp: &[(String, String)]) -> Option<CodecFormat> {
    let value = |key: &str| fmtp.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    Some(match name.to_ascii_lowercase().as_str() {
        "opus" => CodecFormat::Opus,
        "vp8" => CodecFormat::Vp8,
        "vp9" => CodecFormat::Vp9,
        "av1" => CodecFormat::Av1,
        "h264" => CodecFormat::H264 {
            profile_level_id: match value("profile-level-id") {
                None => 0x42_0010,
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            },
            packetization_mode: match value("packetization-mode") {
                None => 0,
                Some(mode) => number(mode).filter(|mode| *mode <= 2)?,
            },
        },
        _ => CodecFormat::Other(name.to_owned()),
    })
}

fn known_feedback(text: &str) -> Option<&'static str> {
    let mut words = text.split_ascii_whitespace();
    FEEDBACK.into_iter().find(|known| words.clone().eq(known.split(' '))).filter(|_| words.next().is_some())
}

fn is_parameter_value(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b',' | b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= MAX_PARAMETER && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str, payloads: &[u8]) -> Result<Vec<Codec>, Fault> {
        let mut lines = CodecLines::default();
        for (index, value) in text.lines().enumerate() {
            let line = SdpLine { number: index + 1, letter: b'a', value };
            let (name, value) = line.attribute().unwrap();
            lines.read(&line, name, value, payloads)?;
        }
        Ok(lines.into_codecs(payloads))
    }

    #[test]
    fn puts_map_parameters_and_feedback_together_in_the_lines_order() {
        let codecs = read(
            "fmtp:111 minptime=10; useinbandfec=1;sprop-stereo=1\nrtpmap:111 OPUS/48000/2\nrtpmap:9 G722/8000\n\
             rtcp-fb:111 transport-cc\nrtcp-fb:* nack\nrtpmap:50 x/1",
            &[9, 111],
        )
        .unwrap();
        assert_eq!(codecs.iter().map(|codec| codec.payload).collect::<Vec<_>>(), [9, 111]);
        let opus = &codecs[1];
        assert_eq!((&opus.format, opus.clock_rate, opus.channels), (&CodecFormat::Opus, 48_000, 2));
        assert_eq!(opus.parameter("useinbandfec"), Some("1"));
        assert_eq!(opus.parameter("sprop-stereo"), None);
        assert_eq!(opus.feedback, ["transport-cc", "nack"]);
    }

    #[test]
    fn parameters_that_would_become_other_caps_fields_are_left_out() {
        let codecs =
            read("rtpmap:96 VP8/90000\nfmtp:96 payload=x;clock-rate=1;max-fr=30;max-fs=a b;media=audio", &[96])
                .unwrap();
        assert_eq!(codecs[0].fmtp, [("max-fr".to_owned(), "30".to_owned())]);
    }

    #[test]
    fn h264_knows_its_profile_and_mode() {
        let codecs = read(
            "rtpmap:96 H264/90000\nrtpmap:97 H264/90000\nfmtp:97 packetization-mode=1;Profile-Level-Id=42E01f",
            &[96, 97],
        )
        .unwrap();
        assert_eq!(codecs[0].format, CodecFormat::H264 { profile_level_id: 0x42_0010, packetization_mode: 0 });
        assert_eq!(codecs[1].format, CodecFormat::H264 { profile_level_id: 0x42_e01f, packetization_mode: 1 });
        let only = |parameters: &str| {
            read(&format!("rtpmap:96 H264/90000\nfmtp:96 {parameters}"), &[96]).unwrap().into_iter().next()
        };
        // What FFmpeg 8.0 writes for constrained baseline; what says nothing; a mode that does not exist.
        let ffmpeg = only("packetization-mode=1;profile-level-id=242e01f").unwrap();
        assert_eq!(ffmpeg.format, CodecFormat::H264 { profile_level_id: 0x42_e01f, packetization_mode: 1 });
        assert_eq!(ffmpeg.parameter("profile-level-id"), Some("42e01f"));
        let short = only("profile-level-id=42e0").unwrap();
        assert_eq!(short.format, CodecFormat::H264 { profile_level_id: 0x42_0010, packetization_mode: 0 });
        assert_eq!(only("packetization-mode=9"), None);
    }

    #[test]
    fn retransmission_without_a_format_to_repeat_is_left_out() {
        let codecs = read(
            "rtpmap:96 VP8/90000\nrtpmap:97 rtx/90000\nfmtp:97 apt=96\nrtpmap:98 rtx/90000\nrtpmap:99 rtx/90000\nfmtp:99 apt=97",
            &[96, 97, 98, 99],
        )
        .unwrap();
        assert_eq!(codecs.iter().map(|codec| codec.payload).collect::<Vec<_>>(), [96, 97]);
    }

    #[test]
    fn a_bad_map_names_its_line() {
        for bad in [
            "rtpmap:96 VP8",
            "rtpmap:96 VP8/0",
            "rtpmap:96 VP8/9000000000",
            "rtpmap:96 V P/1",
            "rtpmap:96 a/1/9",
            "rtpmap:96",
        ] {
            assert!(read(bad, &[96]).unwrap_err().to_string().starts_with("line 1: "), "{bad}");
        }
        assert!(read("rtpmap:96 VP8/90000\nrtpmap:96 VP9/90000", &[96]).unwrap_err().to_string().contains("twice"));
    }
}
