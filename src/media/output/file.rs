//! A recording on the server's disk: Matroska or fragmented MP4, playable up to the last second whatever happens.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use gstreamer::prelude::*;
use jiff::Timestamp;
use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};
use tracing::warn;

use super::{Begun, Destination, Kind, Opening, PATIENCE, chapters::add_to_matroska, muxed, sink, space, trial::Steps};
use crate::{
    disk,
    media::{
        gst::{clock::media_clock, launch::Launches, pipeline::OwnedPipeline},
        port::{
            Blame, Container, FileTarget, OutputFault, Recorded, Split,
            output::notes::{Chapter, Notes, SIDECAR},
        },
    },
};

/// See the module.
#[derive(Debug)]
pub(super) struct File {
    target: FileTarget,
    recording: Mutex<Recording>,
}

/// The files of one attempt, which writes over no file of another.
#[derive(Debug, Default)]
struct Recording {
    /// The beginning of all parts' names.
    stem: String,
    /// Those that have not ended, by their numbers.
    parts: BTreeMap<u32, Part>,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    notes: Notes,
    /// Locked as long as it is written, so that it is not deleted meanwhile, not even in a pause.
    _lock: fs::File,
}

impl File {
    pub(super) fn new(target: FileTarget) -> Self {
        Self { target, recording: Mutex::default() }
    }

    fn path(&self, stem: &str, number: u32) -> PathBuf {
        let ending = self.target.container.ending();
        let name = match self.target.split {
            Some(_) => format!("{stem}-{number:03}.{ending}"),
            None => format!("{stem}.{ending}"),
        };
        self.target.folder.join(name)
    }

    /// Creates the first part under a name that no file has, and returns the beginning of all parts' names with it. Another
    /// recording may take a name at the same moment, so that only the creation itself shows which is free.
    fn open_first(&self, stem: &str) -> io::Result<(String, PathBuf, fs::File)> {
        let mut taken = io::ErrorKind::AlreadyExists.into();
        for count in 1..100 {
            let stem = if count == 1 { stem.to_owned() } else { format!("{stem}-{count}") };
            let path = self.path(&stem, 1);
            match create(&path) {
                Ok(file) => return Ok((stem, path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
                Err(error) => return Err(error),
            }
        }
        Err(taken)
    }

    fn write(&self, part: &Part) -> io::Result<()> {
        disk::replace(&self.target.folder, &sidecar(&part.path), part.notes.text().as_bytes())
    }
}

/// Creates a file for writing, never over another.
fn create(path: &Path) -> io::Result<fs::File> {
    fs::File::options().write(true).create_new(true).open(path)
}

/// Names the file of a recording's notes.
fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(SIDECAR);
    name.into()
}

impl Kind for File {
    fn redact(&self, text: &str) -> String {
        text.replace(&*self.target.folder.to_string_lossy(), "the folder of recordings")
    }

    fn try_out(&self, steps: &mut Steps, _launches: &Launches) -> Result<(), OutputFault> {
        steps.take("folder", |_| {
            let name = format!(".{}.trial", rand::random::<u64>());
            let path = self.target.folder.join(name);
            let written = fs::create_dir_all(&self.target.folder)
                .and_then(|()| fs::write(&path, [0; 4096]))
                .and_then(|()| fs::remove_file(&path));
            written.map_err(|error| OutputFault::new(Blame::Operator, format!("it cannot be written: {error}")))
        })?;
        steps.take("space", |_| self.check())
    }

    fn split(&self) -> Option<Split> {
        self.target.split
    }

    fn begun(&self, start: Duration) {
        let mut recording = self.recording.lock();
        let Some((_, part)) = recording.parts.iter_mut().next_back() else { return };
        if part.notes.started_at.is_some() {
            return;
        }
        part.notes.started_at = Some(media_clock().wall(start));
        if let Err(error) = self.write(part) {
            warn!(%error, "when a recording began could not be written");
        }
    }

    fn mark(&self, markers: Vec<Chapter>) -> io::Result<()> {
        let mut recording = self.recording.lock();
        let Some((_, part)) = recording.parts.iter_mut().next_back() else { return Ok(()) };
        part.notes.chapters.extend(markers);
        // What was marked later may come from before a pause.
        part.notes.chapters.sort_by_key(|chapter| chapter.at);
        self.write(part)
    }

    fn ended(&self, number: u32, length: Duration) -> Option<Recorded> {
        let mut part = self.recording.lock().parts.remove(&number)?;
        let path = &part.path;
        if path.metadata().is_ok_and(|file| file.len() == 0) {
            // It was stopped before anything came, or in a pause. One that stays does no harm.
            let _ = fs::remove_file(path);
            let _ = fs::remove_file(sidecar(path));
            return None;
        }
        part.notes.length = Some(length);
        let add = || {
            self.write(&part)?;
            let chapters = &part.notes.chapters;
            if self.target.container == Container::Mkv && !chapters.is_empty() {
                let mut file = fs::File::options().read(true).write(true).open(path)?;
                add_to_matroska(&mut file, chapters, length)?;
                file.sync_all()?;
            }
            Ok::<_, io::Error>(())
        };
        if let Err(error) = add() {
            // The notes are as they were before.
            warn!(%error, "what lies beside a recording, or its chapters, could not be written at its end");
        }
        let bytes = path.metadata().ok()?.len();
        Some(Recorded { name: path.file_name()?.to_string_lossy().into_owned(), bytes, length })
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn check(&self) -> Result<(), OutputFault> {
        space::check(&self.target.folder, self.target.spare)
    }

    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault> {
        muxed::begin(self, opening)
    }
}

impl Destination for File {
    fn stage(&self) -> &'static str {
        match self.target.container {
            Container::Mkv => "output-mkv",
            Container::Mp4 => "output-mp4",
        }
    }

    fn prepare(&self, pipeline: &OwnedPipeline, part: u32) -> Result<(), OutputFault> {
        let refused =
            |error: io::Error| OutputFault::last(Blame::Operator, format!("the recording cannot begin: {error}"));
        self.check()?;
        let FileTarget { folder, name, .. } = &self.target;
        fs::create_dir_all(folder).map_err(refused)?;
        let sink = sink(pipeline)?;
        let mut recording = self.recording.lock();
        let (path, lock) = if part == 1 {
            let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
            let (stem, path, lock) =
                self.open_first(&format!("{name}-{time}")).map_err(|error| match error.kind() {
                    // They are found free in another second.
                    io::ErrorKind::AlreadyExists => OutputFault::new(Blame::Server, "the recording finds no name"),
                    _ => refused(error),
                })?;
            *recording = Recording { stem, parts: BTreeMap::new() };
            (path, lock)
        } else {
            let path = self.path(&recording.stem, part);
            let lock = create(&path).map_err(refused)?;
            (path, lock)
        };
        if let Err(error) = flock(&lock, FlockOperation::NonBlockingLockShared) {
            // Some network's disks have none.
            warn!(%error, "a recording cannot be locked; it can be deleted while it is paused");
        }
        sink.set_property("location", path.to_string_lossy().into_owned());
        recording.parts.insert(part, Part { path, notes: Notes::default(), _lock: lock });
        Ok(())
    }

    fn written(&self, _pipeline: &OwnedPipeline) -> u64 {
        let recording = self.recording.lock();
        let newest = recording.parts.values().next_back();
        newest.and_then(|part| part.path.metadata().ok()).map_or(0, |file| file.len())
    }

    fn accepted_from(&self) -> u64 {
        1
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Barrier, thread};

    use super::*;

    #[test]
    fn recordings_of_one_name_that_begin_at_once_take_the_next_free_one() {
        let folder = tempfile::TempDir::new().expect("the test machine has a folder for temporary files");
        let target = FileTarget {
            folder: folder.path().to_owned(),
            name: "show".to_owned(),
            container: Container::Mkv,
            split: None,
            spare: 1,
        };
        let (count, all_there) = (16, Barrier::new(16));
        let begin = || {
            let file = File::new(target.clone());
            all_there.wait();
            file.open_first("show-20261128T120000Z").map(|(stem, path, _)| (stem, path))
        };
        let stems: BTreeSet<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(begin)).collect();
            let opened = threads.into_iter().map(|thread| thread.join().expect("nothing in it panics"));
            let files = opened.map(|opened| opened.expect("each finds a name"));
            files.inspect(|(_, path)| assert!(path.exists(), "{path:?}")).map(|(stem, _)| stem).collect()
        });
        let expected = (1..=count).map(|count| match count {
            1 => "show-20261128T120000Z".to_owned(),
            more => format!("show-20261128T120000Z-{more}"),
        });
        assert_eq!(stems, expected.collect::<BTreeSet<_>>(), "each has a name of its own");
        let other = File::new(FileTarget { folder: folder.path().join("gone"), ..target });
        let error = other.open_first("show").expect_err("there is no such folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
