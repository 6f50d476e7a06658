//! Where the room is sent to besides its receivers.
//!
//! ```text
//!   unit, packet ─► worker: when to begin ─┬► muxed: restamp to zero ─► rtmp | srt | file: mux ─► sink
//!                                          └► whip: RTP to another server
//! ```
//! Contract: units are H.264 with running time as PTS and DTS, packets AAC (for `whip` Opus) with running time as PTS. Nothing here blocks
//! the caller: a dead output is retried by its own thread. Threads: callers' own, and one `output-…` thread per output.
//!
//! A new kind is one file with a [`Destination`], one launch text `output-….launch` with an appsrc `video`, an appsrc
//! `audio` and a sink `sink`, and one arm each in [`terms::OutputTarget`] and in [`destination`]. One that is no pipeline
//! has a [`Kind`] of its own instead.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

pub mod address;
mod file;
mod muxed;
pub mod retry;
mod rtmp;
pub mod settings;
mod srt;
pub mod terms;
mod whip;
pub mod worker;

use gstreamer::{self as gst, prelude::*};
use terms::{Blame, OutputFault, OutputTarget};

use crate::media::{
    gst::{launch::Launches, pipeline::OwnedPipeline},
    port::VideoSettings,
};

/// What the worker knows of a kind of output. Called on the output's thread.
pub trait Kind: fmt::Debug + Send + 'static {
    /// Takes the secrets out of a text.
    fn redact(&self, text: &str) -> String;
    /// How long the other end may take to accept an attempt; `None`: for ever.
    fn patience(&self) -> Option<Duration>;
    /// Looks a few times a second whether there is something that stops it.
    ///
    /// # Errors
    /// What does.
    fn check(&self) -> Result<(), OutputFault>;
    /// Begins an attempt.
    ///
    /// # Errors
    /// What is missing, or how the other end refuses us.
    fn begin(&self, opening: Opening<'_>) -> Result<(Box<dyn Feed>, Box<dyn Link + '_>), OutputFault>;
}

/// What an attempt begins with.
pub struct Opening<'a> {
    /// The output's.
    pub name: &'a str,
    /// The launch texts in force.
    pub launches: &'a Launches,
    /// Gets what ends the attempt, from any thread.
    pub broke: Sender<OutputFault>,
    /// Asks for a keyframe, from any thread.
    pub keyframe: Arc<dyn Fn() + Send + Sync>,
}

/// The end of an attempt that is fed. Called on the encoders' threads; must not block.
pub trait Feed: fmt::Debug + Send {
    /// How much of the picture waits for the network.
    fn waiting(&self) -> Duration;
    /// Takes an access unit of an attempt that began at `start`, both in running time.
    fn picture(&mut self, unit: &gst::Buffer, start: gst::ClockTime);
    /// Takes a packet of sound, and its caps, in the same way.
    fn sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps, start: gst::ClockTime);
    /// Hears as what the picture is encoded from now on.
    fn encoded_as(&mut self, _video: &VideoSettings) {}
    /// Hears that nothing follows.
    fn finish(&mut self);
}

/// An attempt that runs. Dropping it ends it at once. Called on the output's thread.
pub trait Link {
    /// Counts the bytes that have left.
    fn written(&self) -> u64;
    /// Whether the other end has certainly accepted us.
    fn is_accepted(&self) -> bool;
    /// Ends the stream as its kind has it, so that the other end knows that it is over and does not wait for it to come
    /// back. What ends the attempt comes from `broken`.
    fn say_farewell(&mut self, feed: Box<dyn Feed>, broken: &Receiver<OutputFault>);
}

/// What one kind of output that is a pipeline does in its own way. Called on the output's thread.
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

/// What may wait for the network before units are dropped.
const BACKLOG: Duration = Duration::from_secs(4);

/// Finds the sink of a pipeline.
fn sink(pipeline: &OwnedPipeline) -> Result<gst::Element, OutputFault> {
    pipeline.element("sink").map_err(|text| OutputFault::new(Blame::Operator, text))
}

/// Reads a number of a sink's statistics; 0 before there are any.
fn counted(pipeline: &OwnedPipeline, field: &str) -> u64 {
    let stats = sink(pipeline).ok().and_then(|sink| sink.property::<Option<gst::Structure>>("stats"));
    stats.and_then(|stats| stats.get(field).ok()).unwrap_or(0)
}

/// Makes what belongs to a target.
fn destination(target: OutputTarget) -> Box<dyn Kind> {
    match target {
        OutputTarget::Rtmp(address) => Box::new(rtmp::Rtmp(address)),
        OutputTarget::Srt(address) => Box::new(srt::Srt(address)),
        OutputTarget::File(target) => Box::new(file::File::new(target)),
        OutputTarget::Whip(address) => Box::new(whip::Whip(address)),
    }
}
