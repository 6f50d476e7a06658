//! Outputs: the places to which the room is sent besides its receivers.
//!
//! ```text
//!   unit, packet ─► worker: feed, restamped to zero ─┬─► muxed: rtmp | srt | hls | file: mux ─► sink, in a pipeline of its own
//!                                                    └─► whip: packets of RTP, by `deliver`
//! ```
//! Contract: units are H.264 with running time as PTS and DTS, packets AAC or Opus with running time as PTS. Nothing
//! here blocks the caller: a dead output is retried by its own thread. Threads: callers' own, and one `output-…` thread
//! per output.
//!
//! A new kind is one file with a [`Kind`], and one arm each in [`OutputTarget`] and in [`destination`]. One that
//! is a pipeline is a [`Destination`], too, and has one launch text `output-….launch` with an appsrc `video`, an appsrc
//! `audio` and a sink `sink`. `docs/architecture.md` names all that belongs to it.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

mod chapters;
mod feed;
mod file;
mod greeting;
pub mod hls;
mod hosts;
mod muxed;
pub mod retry;
mod rtmp;
pub mod space;
mod srt;
mod tls;
pub mod trial;
mod whip;
pub mod worker;

use gstreamer::{self as gst, prelude::*};
use trial::Steps;

use crate::media::{
    gst::{launch::Launches, pipeline::OwnedPipeline, stage::StageError},
    port::{Blame, OutputFault, OutputTarget, Recorded, Split, Trial, VideoSettings, notes::Chapter},
};

/// The operations of a kind of output that the worker uses. Called on the output's thread.
pub trait Kind: fmt::Debug + Send + 'static {
    /// Takes the secrets out of a text.
    fn redact(&self, text: &str) -> String;
    /// Returns how long the other end may take to accept an attempt; `None`: for ever.
    fn patience(&self) -> Option<Duration>;
    /// Looks a few times a second whether there is something that stops it.
    ///
    /// # Errors
    /// The fault that stops it.
    fn check(&self) -> Result<(), OutputFault> {
        Ok(())
    }
    /// Returns where the next part begins; `None`: all is one.
    fn split(&self) -> Option<Split> {
        None
    }
    /// Hears, again and again, when in running time the first picture was composed.
    fn begun(&self, _start: Duration) {}
    /// Takes markers of the newest part, by when they are after its begin.
    ///
    /// # Errors
    /// Why they are not written yet.
    fn mark(&self, _markers: Vec<Chapter>) -> std::io::Result<()> {
        Ok(())
    }
    /// Notes that a part has come to its end, and is so long. The file that it leaves, if it does.
    fn ended(&self, _number: u32, _length: Duration) -> Option<Recorded> {
        None
    }
    /// Tries what can be tried without sending anything that somebody sees.
    ///
    /// # Errors
    /// The fault of the step that was taken last.
    fn try_out(&self, steps: &mut Steps, launches: &Launches) -> Result<(), OutputFault>;
    /// Begins an attempt, or a later part of one.
    ///
    /// # Errors
    /// The fault: something is missing, or the other end refuses us.
    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault>;
}

/// The feed, and the pipeline that runs.
pub type Begun<'a> = (Box<dyn Ends>, Box<dyn Link + 'a>);

/// The values that an attempt, or a part of one, begins with.
pub struct Opening<'a> {
    /// The output's.
    pub name: &'a str,
    /// 1 for the first part.
    pub part: u32,
    /// The launch texts in force.
    pub launches: &'a Launches,
    /// Gets what ends the attempt, from any thread.
    pub broke: Sender<OutputFault>,
    /// Asks for a keyframe, from any thread.
    pub keyframe: Arc<dyn Fn() + Send + Sync>,
}

/// The ends of an attempt that are fed. Called on the encoders' threads; must not block.
pub trait Ends: fmt::Debug + Send {
    /// Returns how much of the picture waits for the network.
    fn waiting(&self) -> Duration;
    /// Returns how much of the sound does.
    fn sound_waiting(&self) -> Duration;
    /// Takes an access unit in running time. `out` is the same on the output's own time line.
    fn picture(&mut self, unit: &gst::Buffer, out: gst::Buffer);
    /// Takes a packet of sound in running time, and its caps. `out`: when it is on the output's own time line.
    fn sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps, out: gst::ClockTime);
    /// Hears as what the picture is encoded from now on.
    fn encoded_as(&mut self, _video: &VideoSettings) {}
    /// Hears that nothing follows.
    fn finish(&mut self);
}

/// An attempt, or a part of one, that runs. Dropping it ends it at once. Called on the output's thread.
pub trait Link {
    /// Counts the bytes that have left.
    fn written(&self) -> u64;
    /// Returns whether the other end has certainly accepted us.
    fn is_accepted(&self) -> bool;
    /// Returns whether the line does not carry what is sent, as far as the transport itself finds that out.
    fn is_behind(&self) -> bool {
        false
    }
    /// Ends the stream as its kind has it, once its [`Ends`] are finished, so that the other end knows that it is over
    /// and does not wait for it to come back. What ends the attempt comes from `broken`.
    fn say_farewell(&mut self, broken: &Receiver<OutputFault>);
}

/// The operations of a kind of output that is a pipeline, beyond those, for [`muxed::begin`].
pub trait Destination: Kind {
    /// Names its launch text.
    fn stage(&self) -> &'static str;
    /// Sets the destination of a part's pipeline, 1 for the first, built from the launch text.
    ///
    /// # Errors
    /// The element that is missing, as a fault.
    fn prepare(&self, pipeline: &OwnedPipeline, part: u32) -> Result<(), OutputFault>;
    /// Counts the bytes that have left on this attempt, or of its newest part.
    fn written(&self, pipeline: &OwnedPipeline) -> u64;
    /// Returns bytes at which the other end has certainly accepted us.
    fn accepted_from(&self) -> u64;
    /// Returns whether its pipeline comes to an end that nothing precedes.
    fn takes_bare_end(&self) -> bool {
        true
    }
    /// See [`Link::is_behind`].
    fn is_behind(&self, _pipeline: &OwnedPipeline) -> bool {
        false
    }
}

/// Longest time that the other end, or a disk, may take to accept an attempt.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest queue for the network before units are dropped.
const BACKLOG: Duration = Duration::from_secs(4);

/// Longest time that the end of a stream may take to reach the other end, beside the time that it needs on the way.
const FAREWELL: Duration = Duration::from_secs(2);

/// The fault of an attempt whose stream has come to its end.
const ENDED: &str = "the stream ended";

/// Finds the sink of a pipeline.
fn sink(pipeline: &OwnedPipeline) -> Result<gst::Element, OutputFault> {
    Ok(pipeline.element("sink")?)
}

impl From<StageError> for OutputFault {
    fn from(error: StageError) -> Self {
        Self::new(Blame::Operator, error.to_string())
    }
}

/// Reads a number of a sink's statistics; 0 before there are any.
fn counted(pipeline: &OwnedPipeline, field: &str) -> u64 {
    let stats = sink(pipeline).ok().and_then(|sink| sink.property::<Option<gst::Structure>>("stats"));
    stats.and_then(|stats| stats.get(field).ok()).unwrap_or(0)
}

/// Tries a target for at most ten seconds, and sends nothing that somebody sees.
pub fn try_out(target: OutputTarget, launches: &Launches) -> Trial {
    let destination = destination(target, "trial");
    let mut steps = Steps::new();
    let mut tried = destination.try_out(&mut steps, launches);
    if let Err(fault) = &mut tried {
        fault.text = destination.redact(&fault.text);
    }
    steps.end(tried)
}

/// Makes what belongs to a target, for a run of an output.
fn destination(target: OutputTarget, run: &str) -> Box<dyn Kind> {
    match target {
        OutputTarget::Rtmp(address) => Box::new(rtmp::Rtmp(address)),
        OutputTarget::Srt(address) => Box::new(srt::Srt::new(address)),
        OutputTarget::Hls(target) => Box::new(hls::Hls::new(target, run)),
        OutputTarget::File(target) => Box::new(file::File::new(target)),
        // What people send goes past the program: `media::iso` records it.
        OutputTarget::Iso(target) => Box::new(file::File::new(target.file)),
        OutputTarget::Whip(address) => Box::new(whip::Whip(address)),
    }
}
