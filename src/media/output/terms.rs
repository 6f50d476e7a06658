//! What control and media say of outputs. PURE.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    address::{RtmpAddress, SrtAddress},
    hls::terms::HlsTarget,
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
}

/// How a recording is written.
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

/// Where a recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// The room's folder of recordings.
    pub folder: PathBuf,
    /// What the file's name begins with.
    pub name: String,
    /// How it is written.
    pub container: Container,
    /// Bytes that stay free on the disk.
    pub spare: u64,
}

/// Where an output goes. `Debug` never shows a URL's path, query or user: stream keys live there.
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
}

impl OutputTarget {
    /// Names its kind.
    pub const fn kind(&self) -> OutputKind {
        match self {
            Self::Rtmp(_) => OutputKind::Rtmp,
            Self::Srt(_) => OutputKind::Srt,
            Self::Hls(_) => OutputKind::Hls,
            Self::File(_) => OutputKind::File,
        }
    }

    /// Tells whether what is sent can change while it goes on. A file has one form from beginning to end, and players of
    /// HLS are told where another begins.
    pub const fn takes_changes(&self) -> bool {
        !matches!(self, Self::Hls(_) | Self::File(_))
    }

    /// Says where it goes, without secrets.
    pub fn shown(&self) -> String {
        match self {
            Self::Rtmp(address) => address.shown(),
            Self::Srt(address) => address.shown(),
            Self::Hls(target) => target.address.clone(),
            Self::File(target) => format!("{}.{}", target.name, target.container.ending()),
        }
    }
}

/// An output as control orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// Where to.
    pub target: OutputTarget,
    /// As what.
    pub wishes: Wishes,
}

/// Who can help when an output does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The other end: it refuses, is not there, or takes nothing.
    Destination,
    /// Who runs this server: a full disk, a missing part, an invalid launch text.
    Operator,
    /// This program.
    Server,
}

/// Why an output does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFault {
    /// Who can help.
    pub blame: Blame,
    /// What happened, without secrets once it has left the output.
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
        /// What broke it, without secrets.
        fault: OutputFault,
    },
    /// Ended by request.
    Stopped,
    /// Given up: the target never answered at all, or refuses us.
    Failed {
        /// Why, without secrets.
        fault: OutputFault,
    },
}

/// What flows to a live output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Bits a second of the last seconds.
    pub bits_per_second: u64,
    /// Bytes since it became live.
    pub bytes: u64,
    /// How much work the picture's encoder does.
    pub speed: Option<Speed>,
}
