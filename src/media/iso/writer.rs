//! The common part of a participant's recorders: one file after the other, begun where the disk has room, noted beside
//! it, and ended whole.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use tracing::warn;

use super::{IsoError, News, Order, Place};
use crate::media::{
    gst::{
        clock::media_clock,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
        stage::StageError,
    },
    port::iso_document::Content,
};

/// Longest time that a file may take to be ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time between two looks at the disk.
const CHECK: Duration = Duration::from_secs(1);

/// The form in which files are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The launch text; its `sink` gets the file's name.
    pub(super) stage: &'static str,
    /// The ending of names.
    pub(super) ending: &'static str,
    /// Of the pipeline's threads.
    pub(super) role: Role,
    /// Puts right what a file has come to that is whole, and begins so long after the origin.
    pub(super) finish: fn(&Path, Duration) -> io::Result<()>,
}

/// A file that is being written.
struct File {
    name: String,
    /// Moment at which it began, after the origin.
    from: Duration,
    path: PathBuf,
    pipeline: OwnedPipeline,
    broken: Receiver<Option<String>>,
}

/// Writes one file after the other. See the module.
pub(super) struct Writer {
    order: Order,
    launches: Launches,
    form: Form,
    tell: Box<dyn Fn(News) + Send>,
    bytes: Arc<AtomicU64>,
    /// Bytes of files that have ended.
    whole: u64,
    file: Option<File>,
    /// Moment at which the disk was looked at last.
    checked: Duration,
}

impl Writer {
    /// Makes one that counts what its files hold in `bytes`.
    pub(super) fn new(
        order: Order,
        launches: Launches,
        form: Form,
        bytes: Arc<AtomicU64>,
        tell: impl Fn(News) + Send + 'static,
    ) -> Self {
        let checked = media_clock().now();
        Self { order, launches, form, tell: Box::new(tell), bytes, whole: 0, file: None, checked }
    }

    pub(super) fn tell(&self, news: News) {
        (self.tell)(news);
    }

    /// Returns the time that is zero in the files.
    pub(super) fn origin(&self) -> Duration {
        self.order.place.origin
    }

    /// Begins a file, `from` after the origin; `build` joins what feeds it to its stage.
    ///
    /// # Errors
    /// Why it cannot begin, in one line.
    pub(super) fn begin<T>(
        &mut self,
        from: Duration,
        content: Content,
        build: impl FnOnce(&gst::Bin) -> Result<T, StageError>,
    ) -> Result<T, IsoError> {
        let Form { stage, ending, role, .. } = self.form;
        let Place { folder, .. } = &self.order.place;
        (self.order.check)().map_err(IsoError::NoRoom)?;
        std::fs::create_dir_all(folder).map_err(IsoError::NoFolder)?;
        let path = self.order.place.path(ending).ok_or(IsoError::NoName)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (broke, broken) = channel();
        let pipeline = OwnedPipeline::new(&format!("iso-{name}")).works_as(role);
        pipeline.on_bus(move |news| match news {
            // The receiver is gone once the file is over.
            BusNews::Error { text, .. } => drop(broke.send(Some(text))),
            BusNews::Eos => drop(broke.send(None)),
            BusNews::Latency => {}
        });
        let bin = pipeline.stage(&self.launches, stage)?;
        pipeline.element::<gst::Element>("sink")?.set_property("location", path.to_string_lossy().into_owned());
        let built = build(&bin)?;
        pipeline.play().map_err(|_| IsoError::NotBegun)?;
        self.order.sidecar.began(&self.order.owner, &name, from, content);
        self.file = Some(File { name, from, path, pipeline, broken });
        Ok(built)
    }

    /// Looks after the file and its disk.
    ///
    /// # Errors
    /// The fault that has ended the file, or a full disk.
    pub(super) fn look(&mut self, now: Duration) -> Result<(), IsoError> {
        if let Some(broken) = self.file.as_ref().and_then(|file| file.broken.try_recv().ok()) {
            return Err(broken.map_or(IsoError::Ended, IsoError::Broken));
        }
        let growing = self.file.as_ref().map_or(0, |file| size(&file.path));
        self.bytes.store(self.whole + growing, Ordering::Relaxed);
        if now.saturating_sub(self.checked) < CHECK {
            return Ok(());
        }
        self.checked = now;
        (self.order.check)().map_err(IsoError::NoRoom)
    }

    /// Ends the file whole, whose content goes `until` so long after the origin.
    pub(super) fn end<'a>(&mut self, sources: impl IntoIterator<Item = &'a AppSrc>, until: Duration) {
        let Some(file) = self.file.take() else { return };
        for src in sources {
            // Fails only when the file is over.
            let _ = src.end_of_stream();
        }
        match file.broken.recv_timeout(FAREWELL) {
            Ok(None) => {
                if let Err(error) = (self.form.finish)(&file.path, file.from) {
                    warn!(file = file.name, %error, "a recording of a participant cannot be finished");
                }
            }
            Ok(Some(error)) => warn!(file = file.name, error, "a recording of a participant was cut off"),
            Err(_) => warn!(file = file.name, "a recording of a participant takes long to end"),
        }
        let bytes = size(&file.path);
        self.whole += bytes;
        self.bytes.store(self.whole, Ordering::Relaxed);
        self.order.sidecar.ended(&file.name, until);
        let length = until.saturating_sub(file.from);
        drop(file.pipeline);
        self.tell(News::Finished { name: file.name, bytes, length });
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}
