//! A pipeline as an owned value: dropping it sets it to NULL on a thread of its own.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use parking_lot::Mutex;
use tracing::{debug, warn};

use super::{
    clock::media_clock,
    launch::Launches,
    priority::{self, Role},
    stage::StageError,
};

/// Pipelines that are not yet disposed of, those on their way to NULL among them.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Moments at which those on their way to NULL set out.
static ENDING: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

/// A tear-down that takes longer than this is worth a line in the log: GStreamer's own joins take milliseconds.
const SLOW_TEARDOWN: Duration = Duration::from_secs(5);

/// One that takes longer than this hangs, in an element that is at fault. It counts no more: the others go on.
const HANGING_TEARDOWN: Duration = Duration::from_secs(30);

/// Pipelines alive in this process, for metrics and leak tests.
pub fn alive() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

/// Returns how many pipelines of this process are being torn down.
pub fn ending() -> usize {
    ENDING.lock().iter().filter(|begun| begun.elapsed() < HANGING_TEARDOWN).count()
}

/// The messages of a pipeline's bus that somebody must act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusNews {
    /// An element gave up; the pipeline is dead.
    Error {
        /// The element's name.
        element: String,
        /// GStreamer's message: may hold secrets of an output's URL.
        text: String,
        /// Place in GStreamer where it happened, and its further words: for logs, not for users.
        detail: String,
    },
    /// End of stream reached every sink.
    Eos,
    /// An element's latency changed: [`OwnedPipeline::recalculate_latency`] is due, off the streaming thread.
    Latency,
}

/// A pipeline that belongs to one owner.
#[derive(Debug)]
pub struct OwnedPipeline {
    pipeline: gst::Pipeline,
    role: Option<Role>,
    kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl OwnedPipeline {
    /// Creates an empty pipeline on the process's clock.
    pub fn new(name: &str) -> Self {
        let pipeline = gst::Pipeline::with_name(name);
        media_clock().apply(&pipeline);
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self { pipeline, role: None, kept: None }
    }

    /// Keeps something until it is torn down.
    pub fn keeping(mut self, kept: Arc<dyn Any + Send + Sync>) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Has its threads work on this from their first step on, unless a stage of it says otherwise. To be called before
    /// [`OwnedPipeline::on_bus`], which sees them enter.
    pub fn works_as(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Returns the pipeline itself, to add elements and look them up.
    pub fn pipeline(&self) -> &gst::Pipeline {
        &self.pipeline
    }

    /// Sends what the bus says to `listener`, which is called on streaming threads and must not block.
    pub fn on_bus(&self, listener: impl Fn(BusNews) + Send + Sync + 'static) {
        let Some(bus) = self.pipeline.bus() else { return };
        let role = self.role;
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Error(error) => listener(BusNews::Error {
                    element: message.src().map(|src| src.name().to_string()).unwrap_or_default(),
                    text: error.error().message().to_owned(),
                    detail: error.debug().unwrap_or_default().to_string(),
                }),
                gst::MessageView::Warning(warning) => {
                    debug!(
                        element = %message.src().map(|src| src.name().to_string()).unwrap_or_default(),
                        "gstreamer warning: {}", warning.error()
                    );
                }
                gst::MessageView::Eos(_) => listener(BusNews::Eos),
                gst::MessageView::Latency(_) => listener(BusNews::Latency),
                // Called on the very thread that enters.
                gst::MessageView::StreamStatus(status) if status.get().0 == gst::StreamStatusType::Enter => {
                    role.into_iter().for_each(priority::take);
                }
                _ => {}
            }
            gst::BusSyncReply::Drop
        });
    }

    /// Starts it.
    ///
    /// # Errors
    /// When an element refuses; the pipeline is then of no more use.
    pub fn play(&self) -> Result<(), gst::StateChangeError> {
        self.pipeline.set_state(gst::State::Playing).map(|_| ())
    }

    /// Distributes the latency again; not to be called on a streaming thread.
    pub fn recalculate_latency(&self) {
        if let Err(error) = self.pipeline.recalculate_latency() {
            debug!(pipeline = %self.pipeline.name(), %error, "latency not recalculated");
        }
    }

    /// Builds a stage in it.
    ///
    /// # Errors
    /// As [`Launches::bin`].
    pub fn stage(&self, launches: &Launches, name: &str) -> Result<gst::Bin, StageError> {
        let bin = launches.bin(name)?;
        self.pipeline.add(&bin)?;
        Ok(bin)
    }

    /// Returns an element by its name in the launch text.
    ///
    /// # Errors
    /// When an operator's launch file lacks it; the text names it.
    pub fn element<T: IsA<gst::Element>>(&self, name: &str) -> Result<T, StageError> {
        named(self.pipeline.upcast_ref(), name)
    }
}

/// Returns an element of a bin by its name and type.
///
/// # Errors
/// When it is missing, in a line that names it.
pub fn named<T: IsA<gst::Element>>(bin: &gst::Bin, name: &str) -> Result<T, StageError> {
    let element = bin.by_name(name).ok_or_else(|| StageError::NoElement(name.to_owned()))?;
    element.downcast::<T>().map_err(|element| StageError::WrongElement {
        name: name.to_owned(),
        found: element.type_().name(),
        wanted: T::static_type().name(),
    })
}

impl Drop for OwnedPipeline {
    fn drop(&mut self) {
        let (pipeline, kept, begun) = (self.pipeline.clone(), self.kept.take(), Instant::now());
        ENDING.lock().push(begun);
        let ended = move || {
            let mut ending = ENDING.lock();
            if let Some(own) = ending.iter().position(|other| *other == begun) {
                ending.swap_remove(own);
            }
        };
        // Never on the calling thread: it may be a streaming thread of this very pipeline, or tokio's.
        let spawned = std::thread::Builder::new().name("reap".into()).spawn(move || {
            if let Err(error) = pipeline.set_state(gst::State::Null) {
                warn!(pipeline = %pipeline.name(), %error, "pipeline does not go to NULL");
            }
            if let Some(bus) = pipeline.bus() {
                bus.unset_sync_handler();
                bus.set_flushing(true);
            }
            if begun.elapsed() > SLOW_TEARDOWN {
                warn!(pipeline = %pipeline.name(), took = ?begun.elapsed(), "slow tear-down");
            }
            // GST-1.22: d59cc622f2, remove at 1.28: ICE signals after dispose touch freed memory, so the last
            // reference goes only here, after NULL has returned.
            drop(pipeline);
            ALIVE.fetch_sub(1, Ordering::Relaxed);
            ended();
            drop(kept);
        });
        if let Err(error) = spawned {
            ended();
            // Disposed of while it plays, it would take the process with it.
            #[allow(clippy::mem_forget, reason = "leaking is what is meant")]
            std::mem::forget(self.pipeline.clone());
            warn!(%error, "the system gives no thread to tear a pipeline down; it is leaked");
        }
    }
}
