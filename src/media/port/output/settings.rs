//! The settings of an output's encoders: those that are asked for, those of platforms, and the result of both. PURE.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::media::codec::bitrate_for;

/// Smallest and largest width and height, in pixels.
pub const SIZES: std::ops::RangeInclusive<u32> = 64..=4096;
/// Frames a second.
pub const RATES: std::ops::RangeInclusive<u32> = 1..=60;
/// The picture's kilobits a second.
pub const VIDEO_KILOBITS: std::ops::RangeInclusive<u32> = 100..=50_000;
/// Seconds between two keyframes.
pub const KEYFRAMES: std::ops::RangeInclusive<u32> = 1..=10;
/// The sound's kilobits a second.
pub const AUDIO_KILOBITS: std::ops::RangeInclusive<u32> = 32..=320;
/// Samples a second.
pub const SAMPLE_RATES: [u32; 2] = [44_100, 48_000];
/// Loudnesses that the sound can be levelled to, in LUFS.
pub const LOUDNESSES: std::ops::RangeInclusive<i32> = -30..=-10;
/// Samples in a packet of AAC.
const AAC_SAMPLES: u64 = 1024;

/// Platforms' wishes, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Preset {
    /// 1920x1080 at 6,000 kbit/s, the most that Twitch takes.
    #[serde(rename = "twitch-1080p")]
    Twitch1080p,
    /// 1280x720 at 4,500 kbit/s.
    #[serde(rename = "twitch-720p")]
    Twitch720p,
    /// 1920x1080 at 10,000 kbit/s.
    #[serde(rename = "youtube-1080p")]
    Youtube1080p,
    /// 1280x720 at 4,000 kbit/s.
    #[serde(rename = "youtube-720p")]
    Youtube720p,
    /// 1280x720 and 30 frames a second at 4,000 kbit/s, the most that Facebook takes.
    #[serde(rename = "facebook-720p")]
    Facebook720p,
    /// The canvas's size at twice the usual bit rate, variable.
    #[serde(rename = "archive")]
    Archive,
}

/// The part of H.264 that a decoder must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// No B-frames, no CABAC.
    Baseline,
    /// Every decoder of today knows it.
    Main,
    /// A few percent smaller than main.
    High,
}

impl Profile {
    /// Names it as in caps.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "constrained-baseline",
            Self::Main => "main",
            Self::High => "high",
        }
    }
}

/// The work that x264 puts into each picture, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speed {
    /// The least work.
    Ultrafast,
    /// About twice that of `ultrafast`.
    Superfast,
    /// About three times that of `ultrafast`.
    Veryfast,
    /// About five times that of `ultrafast`.
    Faster,
    /// About seven times that of `ultrafast`.
    Fast,
    /// About nine times that of `ultrafast`.
    Medium,
}

impl Speed {
    /// All of them, the least work first.
    pub const ALL: [Self; 6] =
        [Self::Ultrafast, Self::Superfast, Self::Veryfast, Self::Faster, Self::Fast, Self::Medium];

    /// Names it as x264 does.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
        }
    }

    /// Returns the cores that somebody talking at 1280x720 and 30 frames a second takes, as measured on one of 2026's
    /// rented machines.
    const fn cores(self) -> f64 {
        match self {
            Self::Ultrafast => 0.11,
            Self::Superfast => 0.21,
            Self::Veryfast => 0.37,
            Self::Faster => 0.57,
            Self::Fast => 0.78,
            Self::Medium => 0.95,
        }
    }

    /// Says how many times the least work it is, as its own doc does.
    pub const fn times(self) -> u64 {
        match self {
            Self::Ultrafast => 1,
            Self::Superfast => 2,
            Self::Veryfast => 3,
            Self::Faster => 5,
            Self::Fast => 7,
            Self::Medium => 9,
        }
    }

    /// Works out the cores that it takes for such a picture.
    pub fn load(self, (width, height): (u32, u32), fps: u32) -> f64 {
        self.cores() * f64::from(width) * f64::from(height) * f64::from(fps) / (1280.0 * 720.0 * 30.0)
    }

    /// Chooses the most work that takes at most half of the cores that are idle.
    pub fn fitting(size: (u32, u32), fps: u32, idle_cores: f64) -> Self {
        let fits = |speed: &&Self| speed.load(size, fps) <= idle_cores / 2.0;
        *Self::ALL.iter().rev().find(fits).unwrap_or(&Self::Ultrafast)
    }
}

/// The way that the bit rate is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateControl {
    /// The same at every second, filled up where the picture needs less, as platforms want it.
    Cbr,
    /// On the average; at most half as much again for a few seconds.
    Vbr,
}

/// The wishes for the picture. What is left out is the preset's, or the canvas's and the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = OutputVideo)]
pub struct VideoWish {
    /// `WIDTHxHEIGHT`, even numbers from 64 to 4096. A canvas of another shape gets bars. A layout that does not say
    /// how large its canvas is, is composed at this size. Default: the canvas's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1280x720")]
    pub size: Option<String>,
    /// Frames a second. Default: the canvas's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 60)]
    pub fps: Option<u32>,
    /// In kbit/s. Default: by size and rate, 2,500 at 1280x720 and 30 frames a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 50000)]
    pub bitrate: Option<u32>,
    /// From one keyframe to the next; none comes between. Default: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10)]
    pub keyframe_seconds: Option<u32>,
    /// Default: high.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Work that the encoder does. Default: what the machine has left when it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Speed>,
    /// Default: cbr.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_control: Option<RateControl>,
}

impl VideoWish {
    /// Returns width and height, where they are asked for.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.size.as_deref().and_then(size_of)
    }
}

/// The wishes for the sound. What is left out is the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = OutputAudio)]
pub struct AudioWish {
    /// In kbit/s. Default: 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 32, maximum = 320)]
    pub bitrate: Option<u32>,
    /// 1 or 2. Default: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2)]
    pub channels: Option<u32>,
    /// 44100 or 48000. Default: 48000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Levelled to so many LUFS by EBU R 128, as in -16 (podcasts, the web) or -23 (broadcasting), with true peaks
    /// below -1 dB. Default: as it is mixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -30, maximum = -10)]
    pub loudness: Option<i32>,
}

/// A picture as it is encoded. Outputs of equal settings share one encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[schema(as = OutputVideoSettings)]
pub struct VideoSettings {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// In kbit/s.
    pub bitrate: u32,
    /// Seconds between two keyframes.
    pub keyframe_seconds: u32,
    /// The profile of H.264.
    pub profile: Profile,
    /// Work that the encoder does; null: what the machine has left when it begins.
    pub preset: Option<Speed>,
    /// Way in which the bit rate is kept.
    pub rate_control: RateControl,
    /// Encoded at once for WebRTC (`whip`): no B-frames, no look-ahead, and a keyframe when the other end lost one.
    pub low_delay: bool,
}

impl VideoSettings {
    /// Works out the pixels that it has in a second.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * u64::from(self.fps)
    }

    /// Works out the pixels that it encodes in a second. Those with more work than the least count as often as that is
    /// more. Without a preset the encoder takes no more than the machine has left.
    pub fn work(&self) -> u64 {
        self.pixels() * self.preset.map_or(1, Speed::times)
    }
}

/// The codec of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioCodec {
    /// AAC-LC, for everything but WebRTC.
    Aac,
    /// Opus, for WebRTC.
    Opus,
}

/// A sound as it is encoded. Outputs of equal settings share one encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[schema(as = OutputAudioSettings)]
pub struct AudioSettings {
    /// The codec.
    pub codec: AudioCodec,
    /// In kbit/s.
    pub bitrate: u32,
    /// 1 or 2.
    pub channels: u32,
    /// Samples a second.
    pub sample_rate: u32,
    /// The loudness that it is levelled to, in LUFS; null: it is as it is mixed.
    pub loudness: Option<i32>,
}

impl AudioSettings {
    /// Returns how long a packet of AAC is.
    pub fn packet(&self) -> Duration {
        Duration::from_nanos(AAC_SAMPLES * 1_000_000_000 / u64::from(self.sample_rate.max(1)))
    }
}

/// The fault, and the key that has it.
pub type Wrong = (&'static str, String);

/// The wishes for an output's encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// A platform's wishes; `video` and `audio` go before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// The picture.
    pub video: VideoWish,
    /// The sound.
    pub audio: AudioWish,
    /// Whether it goes out by WebRTC.
    #[serde(skip)]
    pub webrtc: bool,
}

impl Wishes {
    /// Checks all that does not depend on the room.
    ///
    /// # Errors
    /// The JSON pointer of each place, and what is wrong there.
    pub fn check(&self) -> Result<(), Vec<Wrong>> {
        let mut wrong = Vec::new();
        let VideoWish { size, fps, bitrate, keyframe_seconds, profile: _, preset: _, rate_control: _ } = &self.video;
        if size.as_deref().is_some_and(|text| size_of(text).is_none()) {
            wrong
                .push(("/video/size", "must be WIDTHxHEIGHT, even numbers from 64 to 4096, as in 1280x720".to_owned()));
        }
        let mut range = |pointer, value: &Option<u32>, range: &std::ops::RangeInclusive<u32>, unit: &str| {
            if value.is_some_and(|value| !range.contains(&value)) {
                wrong.push((pointer, format!("must be from {} to {}{unit}", range.start(), range.end())));
            }
        };
        range("/video/fps", fps, &RATES, "");
        range("/video/bitrate", bitrate, &VIDEO_KILOBITS, ", in kbit/s");
        range("/video/keyframe_seconds", keyframe_seconds, &KEYFRAMES, "");
        range("/audio/bitrate", &self.audio.bitrate, &AUDIO_KILOBITS, ", in kbit/s");
        range("/audio/channels", &self.audio.channels, &(1..=2), "");
        if self.audio.sample_rate.is_some_and(|rate| !SAMPLE_RATES.contains(&rate)) {
            wrong.push(("/audio/sample_rate", "must be 44100 or 48000".to_owned()));
        } else if self.webrtc && self.audio.sample_rate.is_some_and(|rate| rate != 48_000) {
            wrong.push(("/audio/sample_rate", "must be 48000: Opus has no other".to_owned()));
        }
        if self.audio.loudness.is_some_and(|loudness| !LOUDNESSES.contains(&loudness)) {
            let detail = format!("must be from {} to {}, in LUFS", LOUDNESSES.start(), LOUDNESSES.end());
            wrong.push(("/audio/loudness", detail));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Works out the picture for a canvas (width, height, frames a second).
    pub fn video(&self, canvas: (u32, u32, u32)) -> VideoSettings {
        let preset = self.preset.map(Preset::video).unwrap_or_default();
        let (wish, or) = (&self.video, &preset);
        let own = (even(canvas.0), even(canvas.1));
        let size = wish.size().or(or.size.map(|most| within(own, most)));
        let (width, height) = size.unwrap_or(own);
        let fps = wish.fps.unwrap_or(canvas.2.min(or.most_fps)).max(1);
        let usual = (bitrate_for(width, height, fps) / 1000 * or.times).min(*VIDEO_KILOBITS.end());
        VideoSettings {
            width,
            height,
            fps,
            bitrate: wish.bitrate.or(or.kilobits).unwrap_or(usual),
            keyframe_seconds: wish.keyframe_seconds.unwrap_or(2),
            profile: self.profile(),
            preset: wish.preset,
            rate_control: wish.rate_control.unwrap_or(if self.webrtc { RateControl::Vbr } else { or.rate_control }),
            low_delay: self.webrtc,
        }
    }

    /// Works out the profile of H.264. Every WebRTC server takes baseline.
    pub fn profile(&self) -> Profile {
        self.video.profile.unwrap_or(if self.webrtc { Profile::Baseline } else { Profile::High })
    }

    /// Works out the sound.
    pub fn audio(&self) -> AudioSettings {
        AudioSettings {
            codec: if self.webrtc { AudioCodec::Opus } else { AudioCodec::Aac },
            bitrate: self.audio.bitrate.unwrap_or(self.preset.map_or(128, Preset::audio_kilobits)),
            channels: self.audio.channels.unwrap_or(2),
            sample_rate: self.audio.sample_rate.unwrap_or(48_000),
            loudness: self.audio.loudness,
        }
    }
}

/// A preset's picture.
struct PresetVideo {
    size: Option<(u32, u32)>,
    most_fps: u32,
    kilobits: Option<u32>,
    rate_control: RateControl,
    /// The usual bit rate, so many times.
    times: u32,
}

impl Default for PresetVideo {
    fn default() -> Self {
        Self { size: None, most_fps: *RATES.end(), kilobits: None, rate_control: RateControl::Cbr, times: 1 }
    }
}

impl Preset {
    fn video(self) -> PresetVideo {
        let platform = |size, kilobits, most_fps| PresetVideo {
            size: Some(size),
            kilobits: Some(kilobits),
            most_fps,
            ..PresetVideo::default()
        };
        match self {
            Self::Twitch1080p => platform((1920, 1080), 6000, 60),
            Self::Twitch720p => platform((1280, 720), 4500, 60),
            Self::Youtube1080p => platform((1920, 1080), 10_000, 60),
            Self::Youtube720p => platform((1280, 720), 4000, 60),
            Self::Facebook720p => platform((1280, 720), 4000, 30),
            Self::Archive => PresetVideo { rate_control: RateControl::Vbr, times: 2, ..PresetVideo::default() },
        }
    }

    const fn audio_kilobits(self) -> u32 {
        match self {
            Self::Twitch1080p | Self::Twitch720p => 160,
            Self::Youtube1080p | Self::Youtube720p | Self::Facebook720p => 128,
            Self::Archive => 192,
        }
    }
}

/// Finds the largest size of the canvas's shape within a platform's, which lies; for a standing canvas it stands.
fn within((width, height): (u32, u32), (long, short): (u32, u32)) -> (u32, u32) {
    let most = if width >= height { (long, short) } else { (short, long) };
    let (wide, high) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let scaled = |side: u64, by: u32, of: u64| u32::try_from(side * u64::from(by) / of).unwrap_or(u32::MAX);
    let at_full_width = (most.0, even(scaled(high, most.0, wide)));
    let size = if at_full_width.1 <= most.1 { at_full_width } else { (even(scaled(wide, most.1, high)), most.1) };
    (size.0.max(*SIZES.start()), size.1.max(*SIZES.start()))
}

/// Makes a side even, as those of 4:2:0 pictures are.
const fn even(side: u32) -> u32 {
    side & !1
}

/// Reads `WIDTHxHEIGHT`.
fn size_of(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| SIZES.contains(side) && side % 2 == 0);
    Some((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CANVAS: (u32, u32, u32) = (1280, 720, 30);

    fn wishes(json: serde_json::Value) -> Wishes {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn nothing_asked_is_the_canvas_as_platforms_want_it() {
        let video = Wishes::default().video(CANVAS);
        assert_eq!((video.width, video.height, video.fps, video.bitrate), (1280, 720, 30, 2488));
        assert_eq!((video.keyframe_seconds, video.profile, video.preset), (2, Profile::High, None));
        assert_eq!(video.rate_control, RateControl::Cbr);
        let aac =
            AudioSettings { codec: AudioCodec::Aac, bitrate: 128, channels: 2, sample_rate: 48_000, loudness: None };
        assert_eq!(Wishes::default().audio(), aac);
        assert_eq!(Wishes::default().video((641, 361, 15)).width, 640, "a side is even");
    }

    #[test]
    fn webrtc_gets_opus_and_a_picture_without_delay_that_it_shares_with_nobody_else() {
        let webrtc = |json| Wishes { webrtc: true, ..wishes(json) };
        let video = webrtc(serde_json::json!({})).video(CANVAS);
        assert_eq!((video.profile, video.rate_control, video.low_delay), (Profile::Baseline, RateControl::Vbr, true));
        let same = serde_json::json!({"video": {"profile": "baseline", "rate_control": "vbr"}});
        assert_ne!(wishes(same).video(CANVAS), video);
        assert_eq!(webrtc(serde_json::json!({})).audio().codec, AudioCodec::Opus);
        let rate = webrtc(serde_json::json!({"audio": {"sample_rate": 44_100}}));
        assert_eq!(rate.check().unwrap_err()[0].0, "/audio/sample_rate");
    }

    #[test]
    fn a_wish_goes_before_a_preset() {
        let asked = serde_json::json!({
            "preset": "twitch-720p",
            "video": {"bitrate": 3000, "preset": "faster", "profile": "main"},
            "audio": {"channels": 1, "loudness": -16},
        });
        let wishes = wishes(asked);
        let video = wishes.video((1920, 1080, 60));
        assert_eq!((video.width, video.height, video.fps, video.bitrate), (1280, 720, 60, 3000));
        assert_eq!((video.profile, video.preset), (Profile::Main, Some(Speed::Faster)));
        let loudness = Some(-16);
        let audio = AudioSettings { codec: AudioCodec::Aac, bitrate: 160, channels: 1, sample_rate: 48_000, loudness };
        assert_eq!(wishes.audio(), audio);
    }

    #[test]
    fn presets_keep_to_what_platforms_take() {
        for (name, most) in [("twitch-1080p", 6000), ("twitch-720p", 6000), ("facebook-720p", 4000)] {
            let video = wishes(serde_json::json!({"preset": name})).video((1920, 1080, 60));
            assert!(video.bitrate <= most && video.keyframe_seconds == 2, "{name}");
            assert_eq!(video.rate_control, RateControl::Cbr, "{name}");
        }
        assert_eq!(wishes(serde_json::json!({"preset": "facebook-720p"})).video((1280, 720, 60)).fps, 30);
        for (canvas, size) in [
            ((1080, 1920, 30), (1080, 1920)),
            ((720, 1280, 30), (1080, 1920)),
            ((1080, 1080, 30), (1080, 1080)),
            ((640, 480, 30), (1440, 1080)),
            ((2560, 1080, 30), (1920, 810)),
            ((4096, 64, 30), (1920, 64)),
        ] {
            let video = wishes(serde_json::json!({"preset": "youtube-1080p"})).video(canvas);
            assert_eq!((video.width, video.height), size, "of a canvas of {canvas:?}, without bars");
        }
        let archive = wishes(serde_json::json!({"preset": "archive"})).video(CANVAS);
        assert_eq!((archive.bitrate, archive.rate_control), (4976, RateControl::Vbr));
    }

    #[test]
    fn what_is_out_of_range_is_named_by_its_place() {
        let asked = serde_json::json!({
            "video": {"size": "1281x720", "fps": 0, "bitrate": 6_000_000, "keyframe_seconds": 11},
            "audio": {"bitrate": 8, "channels": 6, "sample_rate": 96000, "loudness": -5},
        });
        let wrong = wishes(asked).check().unwrap_err();
        let pointers: Vec<_> = wrong.iter().map(|(pointer, _)| *pointer).collect();
        let all = ["size", "fps", "bitrate", "keyframe_seconds"].map(|key| format!("/video/{key}"));
        let all = all
            .into_iter()
            .chain(["bitrate", "channels", "sample_rate", "loudness"].map(|key| format!("/audio/{key}")));
        let mut all: Vec<_> = all.collect();
        all.sort();
        let mut pointers: Vec<_> = pointers.into_iter().map(str::to_owned).collect();
        pointers.sort();
        assert_eq!(pointers, all);
        assert!(wrong.iter().any(|(_, detail)| detail.contains("kbit/s")), "{wrong:?}");
        for size in ["1280", "1280x", "x720", "-2x720", "1280x720x3", "99998x720", "1280X720"] {
            assert_eq!(size_of(size), None, "{size}");
        }
    }

    #[test]
    fn a_preset_counts_as_often_as_it_is_more_work() {
        let work = |video| wishes(serde_json::json!({"video": video})).video(CANVAS).work();
        let usual = work(serde_json::json!({}));
        assert_eq!(usual, 1280 * 720 * 30);
        assert_eq!(work(serde_json::json!({"preset": "ultrafast"})), usual);
        assert_eq!(work(serde_json::json!({"preset": "medium", "size": "640x360"})) * 4, usual * 9);
        assert!(Speed::ALL.is_sorted_by_key(|speed| speed.times()));
    }

    #[test]
    fn the_encoder_works_as_hard_as_the_machine_allows() {
        assert_eq!(Speed::fitting((1280, 720), 30, 0.0), Speed::Ultrafast);
        assert_eq!(Speed::fitting((1280, 720), 30, 0.8), Speed::Veryfast);
        assert_eq!(Speed::fitting((1280, 720), 30, 4.0), Speed::Medium);
        assert!(Speed::fitting((1920, 1080), 60, 1.0) < Speed::fitting((1280, 720), 30, 1.0));
    }
}
