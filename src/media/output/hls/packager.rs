//! Writes segments and their playlist into an output's folder, from where they are served.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{
    playlist::{Playlist, file, number},
    segmenter::{Segment, Segmenter},
};
use crate::{
    disk,
    media::port::output::hls::{CODECS, Cut, LONGEST_PLAYLIST, PLAYLIST},
};

/// AAC, low complexity.
const AAC: &str = "mp4a.40.2";

/// The progress that the thread of an output sees of its packager without waiting for the disk.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes of this attempt.
    bytes: AtomicU64,
    /// Whether this attempt has listed a segment.
    is_listed: AtomicBool,
    failed: Mutex<Option<String>>,
}

impl Progress {
    /// Counts the bytes of this attempt; none until its first segment is listed.
    pub(super) fn bytes(&self) -> u64 {
        if self.is_listed.load(Ordering::Acquire) { self.bytes.load(Ordering::Relaxed) } else { 0 }
    }

    /// Takes what went wrong with the disk.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.failed.lock().take()
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Packager {
    folder: PathBuf,
    cut: Cut,
    progress: Arc<Progress>,
    /// Counts the attempts: what an earlier one still brings is not taken.
    attempt: u32,
    segmenter: Segmenter,
    /// The time of day at the stream's zero.
    origin: Option<Timestamp>,
    /// The codecs that were reported last.
    codecs: String,
    /// Made with the first segment.
    playlist: Option<Playlist>,
}

impl Packager {
    pub(super) fn new(folder: PathBuf, cut: Cut, progress: Arc<Progress>) -> Self {
        let segmenter = Segmenter::new(cut.segment_seconds, cut.keyframe_seconds);
        Self { folder, cut, progress, attempt: 0, segmenter, origin: None, codecs: String::new(), playlist: None }
    }

    /// Begins an attempt, whose stream has a time line of its own. Gives its number.
    ///
    /// # Errors
    /// When there can be no folder.
    pub(super) fn begin(&mut self) -> io::Result<u32> {
        fs::create_dir_all(&self.folder)?;
        self.attempt += 1;
        self.segmenter = Segmenter::new(self.cut.segment_seconds, self.cut.keyframe_seconds);
        self.origin = None;
        self.progress.is_listed.store(false, Ordering::Release);
        self.progress.bytes.store(0, Ordering::Relaxed);
        self.progress.take_failure();
        Ok(self.attempt)
    }

    /// Takes the time of day at the stream's zero.
    pub(super) fn set_origin(&mut self, origin: impl FnOnce() -> Timestamp) {
        self.origin.get_or_insert_with(origin);
    }

    /// Takes packets of the stream. Answers whether they are written.
    pub(super) fn take(&mut self, attempt: u32, packets: &[u8]) -> bool {
        if attempt != self.attempt {
            return true;
        }
        self.progress.bytes.fetch_add(packets.len() as u64, Ordering::Relaxed);
        let segments = self.segmenter.push(packets);
        let mut kept = segments.into_iter().map(|segment| self.keep(&segment));
        let kept = kept.try_for_each(|kept| kept);
        self.told(kept)
    }

    /// Keeps what was begun, and ends the playlist.
    pub(super) fn end(&mut self, attempt: u32) {
        if attempt != self.attempt {
            return;
        }
        let last = self.segmenter.finish();
        let kept = last.map_or(Ok(()), |last| self.keep(&last)).and_then(|()| self.list(true));
        self.told(kept);
    }

    fn told(&self, kept: io::Result<()>) -> bool {
        if let Err(error) = &kept {
            *self.progress.failed.lock() = Some(error.to_string());
        }
        kept.is_ok()
    }

    fn keep(&mut self, segment: &Segment) -> io::Result<()> {
        let now = Timestamp::now();
        let is_first = !self.progress.is_listed.load(Ordering::Relaxed);
        let playlist = match &mut self.playlist {
            Some(playlist) => playlist,
            none => none.insert(resume(&self.folder, self.cut, now)?),
        };
        let origin = *self.origin.get_or_insert_with(|| now.checked_sub(segment.begins + segment.lasts).unwrap_or(now));
        let at = origin.checked_add(segment.begins).unwrap_or(origin);
        fs::write(self.folder.join(file(playlist.next())), &segment.bytes)?;
        let is_cut = segment.is_other || (is_first && playlist.has_history());
        let over = playlist.add(segment.lasts, at, is_cut);
        let codecs = match segment.parameters.get(1..4) {
            Some([profile, limits, level]) => format!("avc1.{profile:02x}{limits:02x}{level:02x},{AAC}"),
            _ => self.codecs.clone(),
        };
        if codecs != self.codecs {
            replace(&self.folder.join(CODECS), codecs.as_bytes())?;
            self.codecs = codecs;
        }
        self.list(false)?;
        self.progress.is_listed.store(true, Ordering::Release);
        for number in over {
            match fs::remove_file(self.folder.join(file(number))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&self, is_over: bool) -> io::Result<()> {
        let Some(playlist) = &self.playlist else { return Ok(()) };
        replace(&self.folder.join(PLAYLIST), playlist.text(is_over).as_bytes())
    }
}

/// Goes on with what an earlier run of the same output has left.
fn resume(folder: &Path, cut: Cut, now: Timestamp) -> io::Result<Playlist> {
    let playlist = Playlist::new(cut.segment_seconds, cut.listed, now);
    let text = match disk::read_text(&folder.join(PLAYLIST), LONGEST_PLAYLIST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let files = fs::read_dir(folder)?.filter_map(|entry| number(entry.ok()?.file_name().to_str()?));
    Ok(playlist.resume(&text, files, now))
}

/// Writes a file so that who reads it finds the old or the new one whole.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, content)?;
    fs::rename(part, path)
}
