//! A recording on the server's disk: Matroska or fragmented MP4, playable up to the last second whatever happens.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gstreamer::prelude::*;
use jiff::Timestamp;

use super::{
    Destination, PATIENCE, sink,
    terms::{Blame, Container, FileTarget, OutputFault},
};
use crate::media::gst::pipeline::OwnedPipeline;

/// See the module.
#[derive(Debug)]
pub(super) struct File {
    target: FileTarget,
    /// Of this attempt; each writes a file of its own.
    path: Mutex<Option<PathBuf>>,
}

impl File {
    pub(super) fn new(target: FileTarget) -> Self {
        Self { target, path: Mutex::default() }
    }
}

/// Tells whether so many bytes are free on the disk of a folder, which need not exist yet.
pub(super) fn has_spare(folder: &Path, spare: u64) -> bool {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    // A disk that does not say is not full.
    rustix::fs::statvfs(there).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= spare)
}

impl Destination for File {
    fn stage(&self) -> &'static str {
        match self.target.container {
            Container::Mkv => "output-mkv",
            Container::Mp4 => "output-mp4",
        }
    }

    fn redact(&self, text: &str) -> String {
        text.replace(&*self.target.folder.to_string_lossy(), "the folder of recordings")
    }

    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault> {
        let disk =
            |error: std::io::Error| OutputFault::last(Blame::Operator, format!("the recording cannot begin: {error}"));
        self.check()?;
        let FileTarget { folder, name, container, .. } = &self.target;
        std::fs::create_dir_all(folder).map_err(disk)?;
        let sink = sink(pipeline)?;
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        // A second attempt within a second has another name: nothing is written over.
        let mut names = (1..100).map(|count| {
            let again = if count == 1 { String::new() } else { format!("-{count}") };
            folder.join(format!("{name}-{time}{again}.{}", container.ending()))
        });
        let path = names.find(|path| !path.exists());
        let path = path.ok_or_else(|| OutputFault::new(Blame::Server, "the recording finds no name"))?;
        sink.set_property("location", path.to_string_lossy().into_owned());
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
        Ok(())
    }

    fn written(&self, _pipeline: &OwnedPipeline) -> u64 {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        path.as_ref().and_then(|path| path.metadata().ok()).map_or(0, |file| file.len())
    }

    fn accepted_from(&self) -> u64 {
        1
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn check(&self) -> Result<(), OutputFault> {
        if has_spare(&self.target.folder, self.target.spare) {
            return Ok(());
        }
        let spare = self.target.spare / 1_000_000;
        let text =
            format!("the disk of recordings has less than {spare} MB left; the recording ended before it was full");
        Err(OutputFault::last(Blame::Operator, text))
    }
}
