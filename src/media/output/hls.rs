//! HLS: MPEG-TS in segments and a playlist, in a folder from which the interface serves them.
//!
//! ```text
//!   pipeline: mux ─► appsink ─► segmenter: cut at keyframes ─► packager: a file a segment ─► playlist
//! ```
//! Contract: segments begin with tables and a keyframe, and last what was asked for; a playlist is replaced whole,
//! after the segment that it adds. The next attempt goes on with a discontinuity. A folder that was deleted is not made
//! again by a stream that still ends. Failure: what the disk refuses ends the attempt. Threads: the pipeline's own
//! writes.

mod packager;
mod playlist;
mod segmenter;

use std::{path::PathBuf, sync::Arc, time::Duration};

use gstreamer as gst;
use gstreamer_app::{AppSink, AppSinkCallbacks};
use parking_lot::Mutex;

use self::packager::{Packager, Progress};
use super::{Begun, Destination, Kind, Opening, muxed, space, trial::Steps};
use crate::media::{
    gst::{clock::media_clock, launch::Launches, pipeline::OwnedPipeline},
    port::{Blame, HlsTarget, OutputFault},
};

/// The first keyframe, what the encoder looks ahead, and the longest segment.
const PATIENCE: Duration = Duration::from_secs(40);

/// See the module.
#[derive(Debug)]
pub(super) struct Hls {
    target: HlsTarget,
    folder: PathBuf,
    progress: Arc<Progress>,
    packager: Arc<Mutex<Packager>>,
}

impl Hls {
    /// Makes one for an output's run: `ID`, or `ID.NUMBER`.
    pub(super) fn new(target: HlsTarget, run: &str) -> Self {
        let folder = target.folder.join(run.split('.').next().unwrap_or(run));
        let progress = Arc::<Progress>::default();
        let packager = Arc::new(Mutex::new(Packager::new(folder.clone(), target.cut, progress.clone())));
        Self { target, folder, progress, packager }
    }
}

impl Kind for Hls {
    fn redact(&self, text: &str) -> String {
        text.replace(&*self.folder.to_string_lossy(), "the output's folder")
    }

    fn try_out(&self, _steps: &mut Steps, _launches: &Launches) -> Result<(), OutputFault> {
        Err(OutputFault::last(Blame::Server, "outputs of this type cannot be tried; start it"))
    }

    fn begun(&self, start: Duration) {
        // Reported again when the disk is not being waited for.
        let Some(mut packager) = self.packager.try_lock() else { return };
        packager.set_origin(|| media_clock().wall(start));
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn check(&self) -> Result<(), OutputFault> {
        if let Some(error) = self.progress.take_failure() {
            return Err(OutputFault::new(Blame::Operator, format!("a segment cannot be written: {error}")));
        }
        if self.target.cut.listed.is_some() {
            // A sliding playlist has its bounds.
            return Ok(());
        }
        space::left(&self.target.folder, self.target.spare).map_err(|spare| {
            let text = format!("the disk has less than {spare} MB left; the event ended before it was full");
            OutputFault::last(Blame::Operator, text)
        })
    }

    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault> {
        muxed::begin(self, opening)
    }
}

impl Destination for Hls {
    fn stage(&self) -> &'static str {
        "output-hls"
    }

    fn prepare(&self, pipeline: &OwnedPipeline, _part: u32) -> Result<(), OutputFault> {
        let operator = |text: String| OutputFault::new(Blame::Operator, text);
        self.check()?;
        let sink: AppSink = pipeline.element("sink")?;
        let attempt = self.packager.lock().begin();
        let attempt = attempt.map_err(|error| operator(format!("the segments have no folder: {error}")))?;
        let (takes, ends) = (self.packager.clone(), self.packager.clone());
        let take = move |sink: &AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let packets = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
            let is_written = packets.is_none_or(|packets| takes.lock().take(attempt, &packets));
            // `check` reports what went wrong.
            if is_written { Ok(gst::FlowSuccess::Ok) } else { Err(gst::FlowError::Eos) }
        };
        sink.set_callbacks(AppSinkCallbacks::builder().new_sample(take).eos(move |_| ends.lock().end(attempt)).build());
        Ok(())
    }

    fn written(&self, _pipeline: &OwnedPipeline) -> u64 {
        self.progress.bytes()
    }

    fn accepted_from(&self) -> u64 {
        1
    }
}
