//! An m-line as we negotiate it: one kind, one direction, one codec.

use gstreamer as gst;

use crate::media::{
    codec::VideoCodec,
    port::TrackKind,
    sdp::{Chosen, CodecFormat, Flow, TRANSPORT_WIDE_CC, VIDEO_ORIENTATION},
};

/// Seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineDirection {
    /// To the peer.
    Send,
    /// From the peer.
    Receive,
    /// Both ways.
    Both,
}

/// A codec of an m-line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFormat {
    /// 48 kHz.
    Opus,
    /// Anything that we decode.
    Video(VideoCodec),
}

/// A codec with its payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCodec {
    /// Codec that it is.
    pub format: LineFormat,
    /// RTP payload type, 0..=127.
    pub payload: u8,
}

/// An m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLine {
    /// Audio or video.
    pub kind: TrackKind,
    /// Seen from here.
    pub direction: LineDirection,
    /// The only codec.
    pub codec: LineCodec,
    /// The id of the transport-wide congestion control extension: without its feedback a browser never raises its
    /// bitrate.
    pub twcc: Option<u8>,
    /// The id of the extension by which a sender says how its picture is to be turned.
    pub orientation: Option<u8>,
    /// `profile-level-id` for H.264 in our own offers; see [`MediaLine::announce`].
    pub profile: Option<&'static str>,
}

impl MediaLine {
    /// Makes the m-lines of an offer to receive sound and picture, the latter with this codec and payload type.
    pub fn received(codec: VideoCodec, payload: u8) -> [Self; 2] {
        let line = |kind, format, payload, profile| Self {
            kind,
            direction: LineDirection::Receive,
            codec: LineCodec { format, payload },
            twcc: Some(1),
            orientation: None,
            profile,
        };
        let profile = (codec == VideoCodec::H264).then_some("42e01f");
        let video = line(TrackKind::Video, LineFormat::Video(codec), payload, profile);
        [line(TrackKind::Audio, LineFormat::Opus, 111, None), video]
    }
}

impl LineFormat {
    /// Returns the launch text that takes this format from a peer.
    pub fn receive_stage(self) -> &'static str {
        match self {
            Self::Opus => "receive-opus",
            Self::Video(VideoCodec::Vp8) => "receive-vp8",
            Self::Video(VideoCodec::Vp9) => "receive-vp9",
            Self::Video(VideoCodec::H264) => "receive-h264",
        }
    }

    /// Returns the launch text that sends this format to a peer. VP9 is never sent.
    pub fn send_stage(self) -> &'static str {
        match self {
            Self::Opus => "send-opus",
            Self::Video(VideoCodec::Vp8 | VideoCodec::Vp9) => "send-vp8",
            Self::Video(VideoCodec::H264) => "send-h264",
        }
    }

    /// Caps of the encoded units that go into the send stage.
    pub fn unit_caps(self) -> gst::Caps {
        match self {
            Self::Opus => gst::Caps::builder("audio/x-opus")
                .field("rate", 48_000i32)
                .field("channels", 1i32)
                .field("channel-mapping-family", 0i32)
                .build(),
            Self::Video(VideoCodec::H264) => gst::Caps::builder("video/x-h264")
                .field("stream-format", "byte-stream")
                .field("alignment", "au")
                .build(),
            Self::Video(_) => gst::Caps::builder("video/x-vp8").build(),
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            Self::Opus => "OPUS",
            Self::Video(VideoCodec::Vp8) => "VP8",
            Self::Video(VideoCodec::Vp9) => "VP9",
            Self::Video(VideoCodec::H264) => "H264",
        }
    }
}

impl MediaLine {
    /// Returns the m-line that answers a section of a remote offer; `None` for a codec that we do not know. It names no
    /// H.264 profile: webrtcbin compares that as text, and answers with the offer's own.
    pub fn answering(chosen: &Chosen) -> Option<Self> {
        let (kind, format) = match chosen.codec.format {
            CodecFormat::Opus => (TrackKind::Audio, LineFormat::Opus),
            CodecFormat::Vp8 => (TrackKind::Video, LineFormat::Video(VideoCodec::Vp8)),
            CodecFormat::Vp9 => (TrackKind::Video, LineFormat::Video(VideoCodec::Vp9)),
            CodecFormat::H264 { .. } => (TrackKind::Video, LineFormat::Video(VideoCodec::H264)),
            CodecFormat::Av1 | CodecFormat::Other(_) => return None,
        };
        let direction = match chosen.direction {
            Flow::Send => LineDirection::Send,
            Flow::Receive => LineDirection::Receive,
            Flow::Both => LineDirection::Both,
        };
        let codec = LineCodec { format, payload: chosen.codec.payload };
        let (twcc, orientation) = (chosen.twcc_extension, chosen.orientation_extension);
        Some(Self { kind, direction, codec, twcc, orientation, profile: None })
    }

    /// Writes the H.264 profile into an offer of ours: browsers take an absent one for plain baseline, level 1.
    pub fn announce(&self, offer: String) -> String {
        let Some(profile) = self.profile else { return offer };
        let parameters = format!("a=fmtp:{} packetization-mode=1", self.codec.payload);
        offer.replace(&parameters, &format!("{parameters};profile-level-id={profile};level-asymmetry-allowed=1"))
    }

    /// Returns RTP caps for webrtcbin's codec preferences.
    pub fn caps(&self) -> gst::Caps {
        let video = self.kind == TrackKind::Video;
        let mut caps = gst::Caps::builder("application/x-rtp")
            .field("media", if video { "video" } else { "audio" })
            .field("encoding-name", self.codec.format.encoding_name())
            .field("clock-rate", if video { 90_000i32 } else { 48_000i32 })
            .field("payload", i32::from(self.codec.payload));
        if !video {
            // RFC 7587: always two channels in SDP, whatever is inside.
            caps = caps.field("encoding-params", "2");
            caps = caps.field("minptime", "10").field("useinbandfec", "1");
        }
        if video {
            caps = caps.field("rtcp-fb-nack", true).field("rtcp-fb-nack-pli", true).field("rtcp-fb-ccm-fir", true);
        }
        if self.codec.format == LineFormat::Video(VideoCodec::H264) {
            // No profile: webrtcbin would hold the payloader to it, and x264's own spelling (42c0..) differs.
            caps = caps.field("packetization-mode", "1");
        }
        if let Some(id) = self.twcc.filter(|_| self.direction != LineDirection::Send) {
            caps = caps.field("rtcp-fb-transport-cc", true).field(format!("extmap-{id}"), TRANSPORT_WIDE_CC);
        }
        if let Some(id) = self.orientation {
            caps = caps.field(format!("extmap-{id}"), VIDEO_ORIENTATION);
        }
        caps.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_offer_only_receives_with_different_payload_types() {
        let lines = MediaLine::received(VideoCodec::Vp8, 96);
        assert!(lines.iter().all(|line| line.direction == LineDirection::Receive && line.twcc.is_some()));
        let payloads: Vec<_> = lines.iter().map(|line| line.codec.payload).collect();
        assert_eq!(payloads, [111, 96]);
    }
}
