//! Codecs and sizes: the video codecs, the sizes that a room is sent in, and the two together. PURE.

use std::{fmt, str::FromStr, time::Duration};

/// A video codec that we may receive or send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// VP8.
    Vp8,
    /// H.264 with packetization mode 1.
    H264,
    /// VP9, profile 0.
    Vp9,
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vp8 => "vp8",
            Self::H264 => "h264",
            Self::Vp9 => "vp9",
        })
    }
}

/// A name that no codec of ours has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown video codec {0:?}: vp8, h264 or vp9")]
pub struct UnknownCodec(String);

impl FromStr for VideoCodec {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        match text {
            "vp8" => Ok(Self::Vp8),
            "h264" => Ok(Self::H264),
            "vp9" => Ok(Self::Vp9),
            // A name of a peer may be of any length and hold anything.
            _ => Err(UnknownCodec(text.chars().take(32).collect())),
        }
    }
}

/// The codecs that senders may send, the best first. VP8 has no profiles to disagree on and is cheap to decode.
pub const RECEIVED: [VideoCodec; 3] = [VideoCodec::Vp8, VideoCodec::H264, VideoCodec::Vp9];

/// The codecs that the room is sent in, the best first.
pub const SENT: [VideoCodec; 2] = [VideoCodec::H264, VideoCodec::Vp8];

/// Works out the bits a second that look fine for talking people: 2.5 Mbit/s at 1280x720 and 30 frames.
pub fn bitrate_for(width: u32, height: u32, fps: u32) -> u32 {
    let bits = f64::from(width) * f64::from(height) * f64::from(fps) * 0.09;
    (bits as u32).clamp(150_000, 12_000_000)
}

/// The least time for which an encoder is waited for.
const ENCODER_PATIENCE: Duration = Duration::from_secs(5);

/// Frames that an encoder may have taken before it gives the first unit: x264 looks at most 40 ahead (`medium`), and a few
/// more wait for its threads and for B-frames.
const FRAMES_AHEAD: u32 = 60;

/// Returns how long after a frame an encoder of so many frames a second may give its unit. Where there are few, those that
/// it looks at ahead take their time.
pub fn encoder_patience(fps: u32) -> Duration {
    ENCODER_PATIENCE.max(Duration::from_secs(FRAMES_AHEAD.into()) / fps.max(1))
}

/// One of a room's picture sizes. In order, the larger picture comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rendition {
    /// The canvas itself.
    Full,
    /// Half as wide and half as high.
    Half,
    /// A quarter as wide and a quarter as high, at half the frame rate.
    Quarter,
}

impl Rendition {
    /// All, the largest first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Half, Self::Quarter];

    /// Returns the place in [`Rendition::ALL`], which is how often each side is halved: 0 to 2.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Returns the next smaller one.
    pub fn smaller(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }

    /// Returns the next larger one.
    pub fn larger(self) -> Option<Self> {
        self.index().checked_sub(1).map(|index| Self::ALL[index])
    }

    /// Returns width, height and frames a second of this rendition of a canvas, in pixels and even.
    pub fn of(self, (width, height, fps): (u32, u32, u32)) -> (u32, u32, u32) {
        let side = |mut pixels: u32| {
            for _ in 0..self.index() {
                // Chroma is halved once more, so a side stays even by rounding up, as its planes do.
                pixels = pixels.div_ceil(4) * 2;
            }
            pixels.max(2)
        };
        let fps = if self == Self::Quarter { fps.div_ceil(2) } else { fps };
        (side(width), side(height), fps)
    }

    /// Returns the name of this rendition of a canvas: its height, as in `360p`.
    pub fn name(self, canvas: (u32, u32, u32)) -> String {
        format!("{}p", self.of(canvas).1)
    }

    /// Returns the rendition of a canvas that has this name.
    pub fn named(name: &str, canvas: (u32, u32, u32)) -> Option<Self> {
        Self::ALL.into_iter().find(|rendition| rendition.name(canvas) == name)
    }
}

/// One encoding of a room's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodingId {
    /// Codec of the picture.
    pub codec: VideoCodec,
    /// Size and rate of the picture.
    pub rendition: Rendition,
}

impl EncodingId {
    /// Returns all encodings that a room may have, those of the best codec first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |codec| Rendition::ALL.into_iter().map(move |rendition| Self { codec, rendition });
        SENT.into_iter().flat_map(of)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codec_names_read_back() {
        for codec in RECEIVED {
            assert_eq!(codec.to_string().parse::<VideoCodec>().unwrap(), codec);
        }
        assert!("VP8".parse::<VideoCodec>().is_err());
    }

    #[test]
    fn encoders_of_few_frames_a_second_are_waited_for_longer() {
        let seconds = |fps| encoder_patience(fps).as_secs_f64();
        assert_eq!([1, 2, 5, 12, 30, 60].map(seconds), [60.0, 30.0, 12.0, 5.0, 5.0, 5.0]);
        assert_eq!([0, u32::MAX].map(seconds), [60.0, 5.0], "no rate, and none that is known");
    }

    #[test]
    fn renditions_halve_the_canvas_and_stay_even() {
        let sizes = |canvas| Rendition::ALL.map(|rendition| rendition.of(canvas));
        assert_eq!(sizes((1280, 720, 30)), [(1280, 720, 30), (640, 360, 30), (320, 180, 15)]);
        assert_eq!(sizes((854, 482, 25)), [(854, 482, 25), (428, 242, 25), (214, 122, 13)]);
        assert_eq!(sizes((2, 2, 1)), [(2, 2, 1), (2, 2, 1), (2, 2, 1)]);
    }

    #[test]
    fn a_rendition_is_named_by_its_height() {
        let canvas = (1280, 720, 30);
        assert_eq!(Rendition::Half.name(canvas), "360p");
        assert_eq!(Rendition::named("180p", canvas), Some(Rendition::Quarter));
        assert_eq!(Rendition::named("240p", canvas), None);
    }

    #[test]
    fn neighbours_end_at_both_ends() {
        assert_eq!(Rendition::Full.larger(), None);
        assert_eq!(Rendition::Quarter.larger(), Some(Rendition::Half));
        assert_eq!(Rendition::Quarter.smaller(), None);
    }

    #[test]
    fn a_room_has_three_encodings_a_codec() {
        assert_eq!(EncodingId::all().count(), SENT.len() * Rendition::ALL.len());
    }
}
