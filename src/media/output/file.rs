//! A recording on the server's disk: Matroska or fragmented MP4, playable up to the last second whatever happens.

use std::{
    path::PathBuf,
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
        let mut folder = self.target.folder.as_path();
        while !folder.exists() {
            let Some(above) = folder.parent() else { break };
            folder = above;
        }
        // A disk that does not say is not full.
        let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
        if disk.f_bavail.saturating_mul(disk.f_frsize) >= self.target.spare {
            return Ok(());
        }
        let spare = self.target.spare / 1_000_000;
        let text =
            format!("the disk of recordings has less than {spare} MB left; the recording ended before it was full");
        Err(OutputFault::last(Blame::Operator, text))
    }

    fn take_file(&self) -> Option<PathBuf> {
        self.path.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
