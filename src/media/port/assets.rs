//! Assets that rooms show and play, and the results of asking a font that somebody sent.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::Still;

/// The image that a layout names, ready to be shown.
#[derive(Debug, Clone)]
pub struct Image {
    /// The asset's name, as layouts write it.
    pub name: Arc<str>,
    /// The picture; of a clip its first one.
    pub still: Arc<Still>,
    /// The video of a clip.
    pub clip: Option<Arc<Clip>>,
}

/// A video file that is shown again and again, without its sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The file.
    pub file: PathBuf,
    /// Time at which it was written, which distinguishes it from others of its name.
    pub written: Option<SystemTime>,
    /// Length, if it says so.
    pub duration: Option<Duration>,
}

/// The content of a sound file: samples of 48 kHz.
#[derive(Clone, PartialEq, Eq)]
pub struct Samples {
    /// 1, or 2: then left and right take turns.
    pub channels: usize,
    /// All of it.
    pub interleaved: Vec<i16>,
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({} of {} channels)", self.interleaved.len(), self.channels)
    }
}

/// A sound, decoded: 48 kHz.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    /// The asset's name.
    pub name: Arc<str>,
    /// 1, or 2: then left and right take turns in `samples`.
    pub channels: usize,
    /// All of it.
    pub samples: Arc<[i16]>,
}

impl Sound {
    /// Returns whether left and right differ.
    pub fn is_stereo(&self) -> bool {
        self.channels == 2
    }

    /// Counts its samples, those for both sides at one time as one.
    pub fn frames(&self) -> usize {
        if self.is_stereo() { self.samples.len() / 2 } else { self.samples.len() }
    }
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sound({}, {} samples)", self.name, self.frames())
    }
}

/// The outcome of using a font in a process of its own.
#[derive(Debug)]
pub enum FontUse {
    /// Its answer.
    Answered(Vec<u8>),
    /// The font took too much memory or time, or ended the process.
    BroughtDown,
    /// The system has no process for it now.
    Failed,
    /// This media starts none: it is to be done here.
    NoProcess,
}
