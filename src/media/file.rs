//! Video files: frames out of whatever GStreamer decodes, and into MP4, MOV or Matroska.
//!
//! ```text
//!   file ─► decodebin ─► file-frames ─► appsink ─► Reader::next ─► Frame
//!                                                                    │ (the caller's work)
//!   file ─► decodebin ─► clip-frames ─► appsink ─► Player, again and again ─► the caller
//!   Writer::push ─► appsrc ─► file-video ─► mp4mux ─► file           ▼
//!        the sound of another file ─► decodebin ─► file-sound ─┘
//! ```
//! Contract: frames are I420 of limited range, upright, in order, and carry the time at which they are shown; the
//! writer keeps these times. The sound is decoded a second time, beside the frames and on the same time line, so that
//! neither can keep the other from going on.
//! Trust: a clip and a sound came from somebody else. Only the elements of [`allowed`] see them, and errors about them
//! are in our own words: GStreamer's name files of this machine.
//! Failure: every error is one line that names the file. Nothing waits for ever: a file that gives nothing for
//! [`PATIENCE`] is given up, and the flag [`Stop`] ends every wait.
//! Threads: GStreamer's own, on both sides; `next` and `push` are called on one thread of the caller and wait.

mod allowed;
mod read;
mod repeat;
mod samples;
#[cfg(test)]
mod tests;
mod write;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use parking_lot::{Condvar, Mutex};
use tracing::debug;

use self::allowed::Allowed;
use super::gst::{
    launch::Launches,
    pipeline::{BusNews, OwnedPipeline},
    range,
};
use crate::disk;

pub use read::{Frame, Reader};
pub use repeat::{Player, look};
pub use samples::samples;
pub use write::{Container, Target, Writer};

/// Longest time for which a file may give or take nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time between a wait's looks at [`Stop`].
const LOOK: Duration = Duration::from_millis(20);

/// Most pixels of a frame: 8K. A file of some bytes may promise gigabytes.
const MAX_PIXELS: u64 = 8192 * 4608;

/// Most pixels of a clip's frame: 1920x1088, upright or not. Clips are decoded beside everything else.
const MAX_CLIP_PIXELS: u64 = 1920 * 1088;

/// The words for a file from somebody else that GStreamer does not decode, whatever it says of it.
const DAMAGED: &str = "it is damaged, or its content is not what its beginning says";

/// Set by who wants no more; shared by readers and writers.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends what is going on.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether it was asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The colour matrix of frames; both are of limited range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// BT.601, of small video.
    Bt601,
    /// BT.709, of high definition.
    Bt709,
}

/// The properties that the frames of a video share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Frames a second as a fraction; the numerator is 0 when they come as they like.
    pub rate: (u32, u32),
    /// Width and height of a pixel.
    pub aspect: (u32, u32),
    /// Rules by which the planes become colours.
    pub colours: Colours,
}

/// The reason why a video cannot be read or written; one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file system, at once.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// Its words.
        error: String,
    },
    /// The content, found at the beginning.
    #[error("{}: not a video that can be read: {error}", path.display())]
    NoVideo {
        /// As given.
        path: PathBuf,
        /// The fault.
        error: String,
    },
    /// Something in the middle.
    #[error("{}: {error}", path.display())]
    Broken {
        /// The file that is read or written.
        path: PathBuf,
        /// The fault.
        error: String,
    },
    /// GStreamer or its plugins.
    #[error("{0}")]
    Setup(String),
    /// [`Stop`] was set.
    #[error("stopped")]
    Stopped,
}

/// The news that streaming threads report to the caller's.
#[derive(Debug, Default)]
struct News {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heard {
    /// The first error, in one line.
    error: Option<String>,
    /// End of stream reached every sink.
    ended: bool,
    /// A video stream was found.
    video: bool,
    /// A stream of sound was found.
    sound: bool,
    /// All streams were found.
    all: bool,
    /// The type of a stream that nothing here decodes.
    unknown: Option<String>,
    /// Nothing more goes into a decoder.
    shut: bool,
}

impl News {
    fn with<T>(&self, change: impl FnOnce(&mut Heard) -> T) -> T {
        let result = change(&mut self.heard.lock());
        self.changed.notify_all();
        result
    }

    /// Sleeps until something changes, for at most [`LOOK`].
    fn doze(&self) {
        self.changed.wait_for(&mut self.heard.lock(), LOOK);
    }

    /// Hears what the bus says, in its words or in ours.
    fn listen(self: &Arc<Self>, owned: &OwnedPipeline, is_foreign: bool) {
        let news = self.clone();
        owned.on_bus(move |said| match said {
            BusNews::Error { element, text, detail } => {
                if is_foreign {
                    debug!(element, text, detail, "a file cannot be decoded");
                }
                let text = if is_foreign { DAMAGED.to_owned() } else { text };
                news.with(|heard| {
                    heard.error.get_or_insert(text);
                });
            }
            BusNews::Eos => news.with(|heard| heard.ended = true),
            BusNews::Latency => {}
        });
    }
}

/// Returns a bin of a stage, and its place in the pipeline.
fn stage(owned: &OwnedPipeline, name: &str) -> Result<gst::Bin, FileError> {
    let launches = Launches::load(None).map_err(|error| FileError::Setup(error.to_string()))?;
    stage_of(owned, &launches, name)
}

/// Does the same, of these launch texts.
fn stage_of(owned: &OwnedPipeline, launches: &Launches, name: &str) -> Result<gst::Bin, FileError> {
    owned.stage(launches, name).map_err(setup)
}

fn setup(error: impl std::fmt::Display) -> FileError {
    FileError::Setup(error.to_string())
}

fn make(owned: &OwnedPipeline, factory: &str) -> Result<gst::Element, FileError> {
    let element = gst::ElementFactory::make(factory).build().map_err(setup)?;
    owned.pipeline().add(&element).map_err(setup)?;
    Ok(element)
}

/// Returns `filesrc ! decodebin`, which plugs nothing but what is allowed; each decoded stream goes to `found`, which
/// says where it is linked to. What decodebin finds goes to `news`.
fn decoder(
    owned: &OwnedPipeline,
    path: &Path,
    allowed: Allowed,
    news: &Arc<News>,
    found: impl Fn(&str) -> Option<gst::Pad> + Send + Sync + 'static,
) -> Result<gst::Element, FileError> {
    let file = make(owned, "filesrc")?;
    file.set_property("location", path);
    let decode = make(owned, "decodebin")?;
    allowed.guard(&decode, news)?;
    file.link(&decode).map_err(setup)?;
    let heard = news.clone();
    decode.connect_pad_added(move |_, pad| {
        // Pictures that are not compressed have no decoder.
        allowed.bound(pad, &heard);
        range::announce_full_range(pad);
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let kind = caps.structure(0).map(|fields| fields.name().to_string()).unwrap_or_default();
        heard.with(|heard| {
            heard.video |= kind.starts_with("video/");
            heard.sound |= kind.starts_with("audio/");
        });
        if let Some(sink) = found(&kind)
            && !sink.is_linked()
        {
            // A pad that does not fit posts its own error as soon as data comes.
            let _ = pad.link(&sink);
        }
    });
    let heard = news.clone();
    decode.connect_no_more_pads(move |_| heard.with(|heard| heard.all = true));
    let heard = news.clone();
    decode.connect("unknown-type", false, move |values| {
        let caps = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
        let name = caps.and_then(|caps| Some(caps.structure(0)?.name().to_string()));
        heard.with(|heard| heard.unknown = heard.unknown.take().or(name));
        None
    });
    Ok(decode)
}

/// Returns the first bytes of a file that has some.
///
/// # Errors
/// [`FileError::Unreadable`], and [`FileError::NoVideo`] when it is empty: GStreamer would wait for its first byte.
fn head(path: &Path) -> Result<Vec<u8>, FileError> {
    let unreadable = |error: &dyn ToString| FileError::Unreadable { path: path.into(), error: error.to_string() };
    let file = disk::open(path).map_err(|error| unreadable(&error))?;
    let mut head = Vec::new();
    file.take(allowed::HEAD as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
    match head.is_empty() {
        true => Err(FileError::NoVideo { path: path.into(), error: "it is empty".into() }),
        false => Ok(head),
    }
}
