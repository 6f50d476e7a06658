//! The media graph as text: one `.launch` file a stage, built in and overridable by the operator.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use gstreamer::{self as gst, prelude::*};

/// The stages' names and built-in texts.
pub const STAGES: &[(&str, &str)] = &[
    ("receive-vp8", include_str!("../../../pipelines/receive-vp8.launch")),
    ("receive-vp9", include_str!("../../../pipelines/receive-vp9.launch")),
    ("receive-h264", include_str!("../../../pipelines/receive-h264.launch")),
    ("receive-opus", include_str!("../../../pipelines/receive-opus.launch")),
    ("encode-h264", include_str!("../../../pipelines/encode-h264.launch")),
    ("encode-vp8", include_str!("../../../pipelines/encode-vp8.launch")),
    ("encode-broadcast", include_str!("../../../pipelines/encode-broadcast.launch")),
    ("encode-aac", include_str!("../../../pipelines/encode-aac.launch")),
    ("encode-opus", include_str!("../../../pipelines/encode-opus.launch")),
    ("send-h264", include_str!("../../../pipelines/send-h264.launch")),
    ("send-vp8", include_str!("../../../pipelines/send-vp8.launch")),
    ("send-opus", include_str!("../../../pipelines/send-opus.launch")),
    ("clip-frames", include_str!("../../../pipelines/clip-frames.launch")),
    ("file-frames", include_str!("../../../pipelines/file-frames.launch")),
    ("file-video", include_str!("../../../pipelines/file-video.launch")),
    ("file-sound", include_str!("../../../pipelines/file-sound.launch")),
    ("file-samples", include_str!("../../../pipelines/file-samples.launch")),
    ("output-rtmp", include_str!("../../../pipelines/output-rtmp.launch")),
    ("output-srt", include_str!("../../../pipelines/output-srt.launch")),
    ("try-srt", include_str!("../../../pipelines/try-srt.launch")),
    ("output-hls", include_str!("../../../pipelines/output-hls.launch")),
    ("output-mkv", include_str!("../../../pipelines/output-mkv.launch")),
    ("output-mp4", include_str!("../../../pipelines/output-mp4.launch")),
    ("output-iso", include_str!("../../../pipelines/output-iso.launch")),
    ("output-cutout", include_str!("../../../pipelines/output-cutout.launch")),
];

/// The launch texts in force.
#[derive(Debug, Clone)]
pub struct Launches {
    texts: Arc<BTreeMap<&'static str, String>>,
}

/// The reason why a launch text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The operator's folder cannot be read.
    #[error("--pipelines {folder}: {error}")]
    Folder {
        /// As given.
        folder: PathBuf,
        /// Of the file system.
        error: std::io::Error,
    },
    /// A file that is no stage of ours.
    #[error("--pipelines: '{0}' is not a stage; the stages are {known}", known = STAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))]
    UnknownStage(String),
    /// GStreamer does not understand the text.
    #[error("pipelines/{stage}.launch: {error}")]
    Parse {
        /// The stage.
        stage: String,
        /// GStreamer's words.
        error: String,
    },
}

impl Launches {
    /// Loads the built-in texts, those of `folder` in place of their namesakes. Every text is parsed once, so that a
    /// mistake shows at start and not at the first join.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds a `.launch` file that is no stage or does not parse.
    pub fn load(folder: Option<&Path>) -> Result<Self, LaunchError> {
        let launches = Self::read(folder)?;
        if folder.is_some() {
            for (stage, _) in STAGES {
                launches.bin(stage)?;
            }
        }
        Ok(launches)
    }

    /// Reads them without trying them: GStreamer need not run yet. For who gets a folder that was tried before.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds a `.launch` file that is no stage.
    pub fn read(folder: Option<&Path>) -> Result<Self, LaunchError> {
        let mut texts: BTreeMap<&'static str, String> =
            STAGES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        if let Some(folder) = folder {
            let fail = |error| LaunchError::Folder { folder: folder.to_owned(), error };
            for entry in std::fs::read_dir(folder).map_err(fail)? {
                let path = entry.map_err(fail)?.path();
                if path.extension().is_none_or(|extension| extension != "launch") {
                    continue;
                }
                let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
                let Some(stage) = texts.get_mut(name.as_str()) else { return Err(LaunchError::UnknownStage(name)) };
                *stage = std::fs::read_to_string(&path).map_err(fail)?;
            }
        }
        Ok(Self { texts: Arc::new(texts) })
    }

    /// Returns a stage as a bin; its unlinked pads are ghosted as `sink` and `src`.
    ///
    /// # Errors
    /// When an element is missing or the text is wrong.
    pub fn bin(&self, stage: &str) -> Result<gst::Bin, LaunchError> {
        let fail = |error: String| LaunchError::Parse { stage: stage.to_owned(), error };
        let text = self.texts.get(stage).ok_or_else(|| fail("no such stage".into()))?;
        let text: String =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join(" ");
        let bin = gst::parse::bin_from_description(&text, true).map_err(|error| fail(error.message().to_owned()))?;
        debug_assert!(bin.parent().is_none());
        Ok(bin)
    }
}
