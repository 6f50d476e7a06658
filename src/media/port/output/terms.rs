//! The words of control and media about outputs. PURE.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    address::{RtmpAddress, SrtAddress, WhipAddress},
    hls::HlsTarget,
    settings::{Speed, Wishes},
};

/// One output of a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutputId(pub Arc<str>);

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A picture of the room beside the program: another layout, composed for the outputs that name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuxId(pub Arc<str>);

impl fmt::Display for AuxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Kind of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// An RTMP server.
    Rtmp,
    /// An SRT receiver, or a port that SRT receivers call.
    Srt,
    /// A playlist that this server serves.
    Hls,
    /// A recording on the server's disk.
    File,
    /// Recordings of what each participant sends, as it comes.
    Iso,
    /// Another WebRTC server, by WHIP.
    Whip,
}

// No method has an arm for all that remain: the compiler names each that a new kind must answer.
impl OutputKind {
    /// Returns whether the room's picture and sound are encoded for it, by settings of its own.
    pub const fn is_encoded(self) -> bool {
        match self {
            Self::Rtmp | Self::Srt | Self::Hls | Self::File | Self::Whip => true,
            // What people send goes into the files as it comes.
            Self::Iso => false,
        }
    }

    /// Returns whether it is encoded as WebRTC wants it: at once, and with Opus.
    pub const fn is_webrtc(self) -> bool {
        match self {
            Self::Whip => true,
            Self::Rtmp | Self::Srt | Self::Hls | Self::File | Self::Iso => false,
        }
    }

    /// Returns whether it is a recording of the room: it can be paused, gets markers, and is waited for until it has its
    /// end.
    pub const fn is_recording(self) -> bool {
        match self {
            Self::File => true,
            Self::Rtmp | Self::Srt | Self::Hls | Self::Iso | Self::Whip => false,
        }
    }
}

/// The container of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Matroska: playable up to the last moment whatever happens.
    #[default]
    Mkv,
    /// Fragmented MP4, a fragment a second: what browsers and phones play.
    Mp4,
}

impl Container {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mkv, Self::Mp4];

    /// Names what a file is, as HTTP does.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Mkv => "video/x-matroska",
            Self::Mp4 => "video/mp4",
        }
    }

    /// Names the ending of a file.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Mkv => "mkv",
            Self::Mp4 => "mp4",
        }
    }
}

/// The point where a recording goes on in another file: at the first keyframe from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// After so many seconds.
    Seconds(u32),
    /// Before it is larger than so many megabytes.
    Megabytes(u32),
}

impl Split {
    /// Checks its number.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub fn check(self) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self::Seconds(2..=86_400) | Self::Megabytes(1..=1_000_000) => Ok(()),
            Self::Seconds(_) => Err(("/split/seconds", "must be from 2 to 86400")),
            Self::Megabytes(_) => Err(("/split/megabytes", "must be from 1 to 1000000")),
        }
    }
}

/// The place where a recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// The room's folder of recordings.
    pub folder: PathBuf,
    /// The beginning of the file's name.
    pub name: String,
    /// Container of the file.
    pub container: Container,
    /// Limits at which another file goes on.
    pub split: Option<Split>,
    /// Bytes that stay free on the disk.
    pub spare: u64,
}

/// The place where recordings of each participant go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoTarget {
    /// The room's folder of recordings, and what names begin with.
    pub file: FileTarget,
    /// Whether the person is recorded cut out, too.
    pub cutouts: bool,
}

/// The destination of an output. `Debug` never shows a URL's path, query or user: stream keys live there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputTarget {
    /// `rtmp://` or `rtmps://`, with its stream key.
    Rtmp(RtmpAddress),
    /// `srt://`.
    Srt(SrtAddress),
    /// A playlist of this server.
    Hls(HlsTarget),
    /// A recording.
    File(FileTarget),
    /// Recordings of each participant.
    Iso(IsoTarget),
    /// `https://` or `http://`, with its token.
    Whip(WhipAddress),
}

impl OutputTarget {
    /// Names its kind.
    pub const fn kind(&self) -> OutputKind {
        match self {
            Self::Rtmp(_) => OutputKind::Rtmp,
            Self::Srt(_) => OutputKind::Srt,
            Self::Hls(_) => OutputKind::Hls,
            Self::File(_) => OutputKind::File,
            Self::Iso(_) => OutputKind::Iso,
            Self::Whip(_) => OutputKind::Whip,
        }
    }

    /// Returns whether what is sent can change while it goes on. A file has one form from beginning to end, a WHIP
    /// server was offered one, and players of HLS learn where another begins.
    pub const fn takes_changes(&self) -> bool {
        match self {
            Self::Rtmp(_) | Self::Srt(_) => true,
            Self::File(_) | Self::Iso(_) | Self::Whip(_) | Self::Hls(_) => false,
        }
    }

    /// Returns the path at which this server serves it, which no other output may have.
    pub fn served_at(&self) -> Option<&str> {
        match self {
            Self::Hls(target) => Some(&target.address),
            Self::Rtmp(_) | Self::Srt(_) | Self::File(_) | Self::Iso(_) | Self::Whip(_) => None,
        }
    }

    /// Returns whether receivers call this server for it.
    pub fn has_callers(&self) -> bool {
        matches!(self, Self::Srt(address) if address.host.is_none())
    }

    /// Lets it lead into the server's own networks later, too, by a redirect or another address of its host.
    pub fn allow_internal(&mut self) {
        match self {
            Self::Rtmp(address) => address.internal = true,
            Self::Srt(address) => address.internal = true,
            Self::Whip(address) => address.internal = true,
            Self::Hls(_) | Self::File(_) | Self::Iso(_) => {}
        }
    }

    /// Returns whether it may lead there.
    pub fn is_internal_allowed(&self) -> bool {
        match self {
            Self::Rtmp(address) => address.internal,
            Self::Srt(address) => address.internal,
            Self::Whip(address) => address.internal,
            Self::Hls(_) | Self::File(_) | Self::Iso(_) => false,
        }
    }

    /// Says where it goes, without secrets.
    pub fn shown(&self) -> String {
        match self {
            Self::Rtmp(address) => address.shown(),
            Self::Srt(address) => address.shown(),
            Self::Hls(target) => target.address.clone(),
            Self::File(target) => format!("{}.{}", target.name, target.container.ending()),
            Self::Iso(target) => format!("{}, each participant", target.file.name),
            Self::Whip(address) => address.shown(),
        }
    }
}

/// An output as control orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// Destination.
    pub target: OutputTarget,
    /// As what.
    pub wishes: Wishes,
    /// Of which picture; `None`: the program.
    pub aux: Option<AuxId>,
    /// Whether nothing is written until it is resumed. Recordings only.
    pub paused: bool,
}

/// The one who can help when an output does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The other end: it refuses, is not there, or takes nothing.
    Destination,
    /// The operator of this server: a full disk, a missing part, an invalid launch text.
    Operator,
    /// This program.
    Server,
}

/// The reason why an output does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFault {
    /// The side that can help.
    pub blame: Blame,
    /// The fault in words, without secrets once it has left the output.
    pub text: String,
    /// Whether it is of no use to try again.
    pub is_final: bool,
}

impl OutputFault {
    /// Makes a fault after which the output is tried again.
    pub fn new(blame: Blame, text: impl Into<String>) -> Self {
        Self { blame, text: text.into(), is_final: false }
    }

    /// Makes a fault that only somebody's help ends.
    pub fn last(blame: Blame, text: impl Into<String>) -> Self {
        Self { blame, text: text.into(), is_final: true }
    }
}

/// A step of a trial that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrialStep {
    /// The step.
    #[schema(value_type = String, example = "connect")]
    pub name: &'static str,
    /// Time that it took.
    pub milliseconds: u64,
}

/// The outcome of trying a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// The steps that were taken, in order.
    pub steps: Vec<TrialStep>,
    /// Time that all steps took together.
    pub milliseconds: u64,
    /// The step that failed, and why, without secrets.
    pub failed: Option<(&'static str, OutputFault)>,
}

/// An output's life.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputState {
    /// Nothing has been acknowledged yet.
    Connecting,
    /// Bytes flow.
    Live,
    /// It broke and is tried again.
    Retrying {
        /// 1 for the first retry.
        attempt: u32,
        /// Until then.
        after: Duration,
        /// The fault that broke it, without secrets.
        fault: OutputFault,
    },
    /// Ended by request.
    Stopped,
    /// Given up: the target never answered at all, or refuses us.
    Failed {
        /// Reason, without secrets.
        fault: OutputFault,
    },
}

/// A file that an output has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its name in the room's folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Playing time.
    pub length: Duration,
}

/// The flow to a live output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Bits a second of the last seconds.
    pub bits_per_second: u64,
    /// Bytes since it became live.
    pub bytes: u64,
    /// Work that the picture's encoder does.
    pub speed: Option<Speed>,
    /// Whether the other end takes less than is sent.
    pub behind: bool,
}
