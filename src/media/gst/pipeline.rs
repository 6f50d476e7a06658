//! A pipeline as an owned value: dropping it sets it to NULL on a thread of its own.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use tracing::{debug, warn};

use super::{
    clock::media_clock,
    priority::{self, Role},
};

/// Pipelines that are not yet disposed of, those on their way to NULL among them.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Those on their way to NULL.
static ENDING: AtomicUsize = AtomicUsize::new(0);

/// A tear-down that takes longer than this is worth a line in the log: GStreamer's own joins take milliseconds.
const SLOW_TEARDOWN: Duration = Duration::from_secs(5);

/// Pipelines alive in this process, for metrics and leak tests.
pub fn alive() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

/// Returns how many pipelines of this process are being torn down.
pub fn ending() -> usize {
    ENDING.load(Ordering::Relaxed)
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
        /// Where in GStreamer it happened and what it says beyond: for logs, not for users.
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
    waits: bool,
}

impl OwnedPipeline {
    /// Creates an empty pipeline on the process's clock.
    pub fn new(name: &str) -> Self {
        let pipeline = gst::Pipeline::with_name(name);
        media_clock().apply(&pipeline);
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self { pipeline, role: None, waits: false }
    }

    /// Has the thread that drops it wait until it is torn down. It must be one that may wait, and not of the pipeline.
    pub fn waits_for_end(mut self) -> Self {
        self.waits = true;
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

    /// Sends what the bus says to `tell`, which is called on streaming threads and must not block.
    pub fn on_bus(&self, tell: impl Fn(BusNews) + Send + Sync + 'static) {
        let Some(bus) = self.pipeline.bus() else { return };
        let role = self.role;
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Error(error) => tell(BusNews::Error {
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
                gst::MessageView::Eos(_) => tell(BusNews::Eos),
                gst::MessageView::Latency(_) => tell(BusNews::Latency),
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

    /// Returns an element by its name in the launch text.
    ///
    /// # Errors
    /// When an operator's launch file lacks it; the text names it.
    pub fn element<T: IsA<gst::Element>>(&self, name: &str) -> Result<T, String> {
        named(self.pipeline.upcast_ref(), name)
    }
}

/// Returns an element of a bin by its name and type.
///
/// # Errors
/// When it is missing, in a line that names it.
pub fn named<T: IsA<gst::Element>>(bin: &gst::Bin, name: &str) -> Result<T, String> {
    bin.by_name(name)
        .ok_or_else(|| format!("the launch text has no element named '{name}'"))?
        .downcast::<T>()
        .map_err(|element| format!("'{}' is a {}, not a {}", name, element.type_().name(), T::static_type().name()))
}

impl Drop for OwnedPipeline {
    fn drop(&mut self) {
        let pipeline = self.pipeline.clone();
        ENDING.fetch_add(1, Ordering::Relaxed);
        if self.waits {
            // The last reference goes with `self`; nothing outside is called by then.
            tear_down(pipeline);
            return;
        }
        // Never on the calling thread: it may be a streaming thread of this very pipeline, or tokio's.
        let spawned = std::thread::Builder::new().name("reap".into()).spawn(move || tear_down(pipeline));
        if let Err(error) = spawned {
            ENDING.fetch_sub(1, Ordering::Relaxed);
            // Disposed of while it plays, it would take the process with it.
            #[allow(clippy::mem_forget, reason = "leaking is what is meant")]
            std::mem::forget(self.pipeline.clone());
            warn!(%error, "the system gives no thread to tear a pipeline down; it is leaked");
        }
    }
}

fn tear_down(pipeline: gst::Pipeline) {
    let begun = Instant::now();
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
    // GST-1.22: d59cc622f2, remove at 1.28: ICE signals after dispose touch freed memory, so the last reference goes only
    // here, after NULL has returned.
    drop(pipeline);
    ALIVE.fetch_sub(1, Ordering::Relaxed);
    ENDING.fetch_sub(1, Ordering::Relaxed);
}
