//! Where the room is sent to besides its receivers.
//!
//! ```text
//!   unit, packet ─► worker: restamp to zero ─► rtmp | srt | hls | file: mux ─► sink, in a pipeline and a thread of its own
//! ```
//! Contract: units are H.264 with running time as PTS and DTS, packets AAC with running time as PTS. Nothing here blocks
//! the caller: a dead output is retried by its own thread. Threads: callers' own, and one `output-…` thread per output.
//!
//! A new kind is one file with a [`Destination`], one launch text `output-….launch` with an appsrc `video`, an appsrc
//! `audio` and a sink `sink`, and one arm each in [`terms::OutputTarget`] and in [`destination`].

use std::{fmt, time::Duration};

pub mod address;
mod file;
pub mod hls;
pub mod retry;
mod rtmp;
pub mod settings;
mod srt;
pub mod terms;
pub mod worker;

use gstreamer::{self as gst, prelude::*};
use terms::{Blame, OutputFault, OutputTarget};

use crate::media::gst::pipeline::OwnedPipeline;

/// What one kind of output does in its own way. Called on the output's thread.
pub trait Destination: fmt::Debug + Send + 'static {
    /// Names its launch text.
    fn stage(&self) -> &'static str;
    /// Takes the secrets out of a text.
    fn redact(&self, text: &str) -> String;
    /// Tells the pipeline, built from the launch text, where to.
    ///
    /// # Errors
    /// What is missing.
    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault>;
    /// Counts the bytes that have left on this attempt.
    fn written(&self, pipeline: &OwnedPipeline) -> u64;
    /// Bytes at which the other end has certainly accepted us.
    fn accepted_from(&self) -> u64;
    /// How long that may take; `None`: for ever.
    fn patience(&self) -> Option<Duration>;
    /// Is told a few times a second when, in running time, the stream began.
    fn begun(&self, _start: Duration) {}
    /// Looks a few times a second whether there is something that stops it.
    ///
    /// # Errors
    /// What does.
    fn check(&self) -> Result<(), OutputFault> {
        Ok(())
    }
}

/// How long the other end, or a disk, may take to accept an attempt.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds the sink of a pipeline.
fn sink(pipeline: &OwnedPipeline) -> Result<gst::Element, OutputFault> {
    pipeline.element("sink").map_err(|text| OutputFault::new(Blame::Operator, text))
}

/// Reads a number of a sink's statistics; 0 before there are any.
fn counted(pipeline: &OwnedPipeline, field: &str) -> u64 {
    let stats = sink(pipeline).ok().and_then(|sink| sink.property::<Option<gst::Structure>>("stats"));
    stats.and_then(|stats| stats.get(field).ok()).unwrap_or(0)
}

/// Makes what belongs to a target, for a run of an output.
fn destination(target: OutputTarget, run: &str) -> Box<dyn Destination> {
    match target {
        OutputTarget::Rtmp(address) => Box::new(rtmp::Rtmp(address)),
        OutputTarget::Srt(address) => Box::new(srt::Srt(address)),
        OutputTarget::Hls(target) => Box::new(hls::Hls::new(target, run)),
        OutputTarget::File(target) => Box::new(file::File::new(target)),
    }
}
