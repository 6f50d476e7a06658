//! One output's life: a pipeline per attempt, a thread, and a retry policy.
//!
//! GST-1.22: 9f169ffaf9 and 81178eab42, remove at 1.24: flvmux mis-orders when running time does not start at zero, so
//! both streams are restamped by the same offset, to start at zero with the first keyframe.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use tracing::{info, warn};

use super::{
    Destination, destination,
    retry::{Flowing, Next, Retry, Watchdog},
    terms::{Blame, Flow, OutputFault, OutputState, OutputTarget},
};
use crate::media::gst::{
    clock::media_clock,
    handoff,
    launch::Launches,
    pipeline::{BusNews, OwnedPipeline},
    priority::Role,
};

/// What may wait for the network before units are dropped.
const BACKLOG: Duration = Duration::from_secs(4);

/// How long the end of a stream may take to reach the other end, beside the time that it needs on the way.
const FAREWELL: Duration = Duration::from_secs(2);

/// Picture and sound must come within this time: the longest time between two keyframes, and some.
const ENCODERS_BEGIN: Duration = Duration::from_secs(25);

/// An encoder of the picture gives a unit at most so long after its frame.
const LOOKS_AHEAD: gst::ClockTime = gst::ClockTime::from_seconds(6);

/// How often the thread looks at its sink.
const LOOK: Duration = Duration::from_millis(250);

/// How often it says what flows.
const FLOW_EVERY: Duration = Duration::from_secs(2);

/// What an output says. Called on its thread.
pub trait Teller: Send + 'static {
    /// Its state has changed.
    fn state(&self, state: OutputState);
    /// So much flows.
    fn flow(&self, flow: Flow);
}

/// An output. Dropping it ends the thread and the connection.
#[derive(Debug)]
pub struct Output {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    attempt: Mutex<Option<Attempt>>,
    stopped: Mutex<bool>,
    wake: Condvar,
    /// Whether what was taken last had to be thrown away.
    overflows: AtomicBool,
}

/// The ends of the pipeline that is being fed.
#[derive(Debug)]
struct Attempt {
    video: AppSrc,
    audio: AppSrc,
    audio_caps: Option<gst::Caps>,
    /// Sound of before the start: the picture comes later than its sound, by what its encoder looks ahead.
    early: VecDeque<(gst::Buffer, gst::Caps)>,
    /// When the first keyframe is decoded, in running time.
    start: Option<gst::ClockTime>,
    /// Whether units are dropped until the next keyframe.
    skipping: bool,
    /// The last unit's DTS and the last packet's PTS, in running time: another encoder's may begin a little earlier.
    last: (Option<gst::ClockTime>, Option<gst::ClockTime>),
}

impl Output {
    /// Starts sending.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(name: &str, target: OutputTarget, launches: Launches, teller: impl Teller) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            shared: shared.clone(),
            name: name.to_owned(),
            shown: target.shown(),
            destination: destination(target, name),
            launches,
            teller: Box::new(teller),
        };
        std::thread::Builder::new().name(format!("output-{name}")).spawn(move || worker.work())?;
        Ok(Self { shared })
    }

    /// Takes an H.264 access unit, PTS and DTS in running time.
    pub fn picture(&self, unit: &gst::Buffer) {
        let mut attempt = self.shared.attempt();
        let Some(attempt) = attempt.as_mut() else { return };
        let Some(dts) = unit.dts_or_pts() else { return };
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if handoff::queued(&attempt.video) > BACKLOG {
            self.shared.overflows.store(true, Ordering::Relaxed);
            attempt.skipping = true;
        }
        if (attempt.start.is_none() || attempt.skipping) && !keyframe {
            return;
        }
        // Sound that begins after the picture would be taken for simultaneous by some.
        if attempt.start.is_none() && attempt.early.front().is_none_or(|(sound, _)| sound.pts() > Some(dts)) {
            return;
        }
        if attempt.skipping && handoff::queued(&attempt.video) > BACKLOG / 2 {
            return;
        }
        if attempt.last.0.is_some_and(|last| dts <= last) {
            attempt.skipping = true;
            return;
        }
        attempt.skipping = false;
        attempt.last.0 = Some(dts);
        let start = *attempt.start.get_or_insert(dts);
        push(&attempt.video, unit, start);
        for (packet, caps) in std::mem::take(&mut attempt.early) {
            attempt.sound(&packet, &caps);
        }
    }

    /// Leaves units out until the next keyframe: another encoder makes them from now on.
    pub fn begin_again(&self) {
        if let Some(attempt) = self.shared.attempt().as_mut() {
            attempt.skipping = true;
        }
    }

    /// Takes a packet of AAC and its caps, PTS in running time.
    pub fn sound(&self, packet: &gst::Buffer, caps: &gst::Caps) {
        let mut attempt = self.shared.attempt();
        let Some(attempt) = attempt.as_mut() else { return };
        if attempt.start.is_some() {
            attempt.sound(packet, caps);
            return;
        }
        attempt.early.push_back((packet.clone(), caps.clone()));
        let since = |(sound, _): &(gst::Buffer, gst::Caps)| sound.pts();
        let latest = packet.pts().unwrap_or_default();
        while attempt.early.front().and_then(since).is_some_and(|since| latest.saturating_sub(since) > LOOKS_AHEAD) {
            attempt.early.pop_front();
        }
    }
}

impl Attempt {
    /// Pushes a packet of sound that is not of before the start.
    fn sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps) {
        let (Some(start), Some(pts)) = (self.start, packet.pts()) else { return };
        if pts < start || self.last.1.is_some_and(|last| pts <= last) || handoff::queued(&self.audio) > BACKLOG {
            return;
        }
        if self.audio_caps.as_ref() != Some(caps) {
            self.audio_caps = Some(caps.clone());
            self.audio.set_caps(Some(caps));
        }
        self.last.1 = Some(pts);
        push(&self.audio, packet, start);
    }
}

/// Pushes a copy that is so much earlier.
fn push(src: &AppSrc, buffer: &gst::Buffer, start: gst::ClockTime) {
    let mut buffer = buffer.clone();
    {
        let buffer = buffer.make_mut();
        buffer.set_pts(buffer.pts().map(|pts| pts.saturating_sub(start)));
        buffer.set_dts(buffer.dts().or(buffer.pts()).map(|dts| dts.saturating_sub(start)));
    }
    // Fails only when the attempt is over; the thread sees that on the bus.
    let _ = src.push_buffer(buffer);
}

impl Drop for Output {
    fn drop(&mut self) {
        *lock(&self.shared.stopped) = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn attempt(&self) -> MutexGuard<'_, Option<Attempt>> {
        lock(&self.attempt)
    }

    /// Sleeps, or returns `true` at once when the output was stopped.
    fn stopped_within(&self, time: Duration) -> bool {
        let stopped = lock(&self.stopped);
        *self.wake.wait_timeout_while(stopped, time, |stopped| !*stopped).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    shared: Arc<Shared>,
    name: String,
    /// Where to, without secrets.
    shown: String,
    destination: Box<dyn Destination>,
    launches: Launches,
    teller: Box<dyn Teller>,
}

/// How an attempt ended.
enum End {
    Stopped,
    Broken(OutputFault),
}

impl Worker {
    fn work(self) {
        let mut retry = Retry::new();
        let target = &self.shown;
        loop {
            self.teller.state(OutputState::Connecting);
            let mut live = |now: Duration| {
                retry.live(now);
                info!(output = %self.name, %target, "output live");
                self.teller.state(OutputState::Live);
            };
            let end = self.attempt(&mut live);
            *self.shared.attempt() = None;
            let mut fault = match end {
                End::Stopped => break,
                End::Broken(fault) => fault,
            };
            fault.text = self.destination.redact(&fault.text);
            let error = fault.text.clone();
            let next = match fault.is_final {
                true => Next::GiveUp { attempts: 1 },
                false => retry.broke(media_clock().now(), rand::random::<f64>()),
            };
            match next {
                Next::Retry { attempt, after } => {
                    warn!(output = %self.name, %target, attempt, ?after, %error, "output broke");
                    self.teller.state(OutputState::Retrying { attempt, after, fault });
                    if self.shared.stopped_within(after) {
                        break;
                    }
                }
                Next::GiveUp { .. } => {
                    warn!(output = %self.name, %target, %error, "output failed");
                    self.teller.state(OutputState::Failed { fault });
                    return;
                }
            }
        }
        self.teller.state(OutputState::Stopped);
    }

    /// One connection, from its pipeline to its end.
    fn attempt(&self, live: &mut dyn FnMut(Duration)) -> End {
        let (broke, broken) = channel();
        let pipeline = match self.build(broke) {
            Ok(built) => built,
            Err(fault) => return End::Broken(fault),
        };
        let begun = media_clock().now();
        let mut live_since = None;
        let mut watchdog = Watchdog::new(begun);
        let mut told = (begun, 0);
        loop {
            if self.shared.stopped_within(LOOK) {
                self.say_farewell(&broken);
                return End::Stopped;
            }
            if let Ok(fault) = broken.try_recv() {
                return End::Broken(fault);
            }
            if let Err(fault) = self.destination.check() {
                self.say_farewell(&broken);
                return End::Broken(fault);
            }
            let now = media_clock().now();
            let bytes = self.destination.written(&pipeline);
            if live_since.is_none() && bytes >= self.destination.accepted_from() {
                (live_since, told) = (Some(now), (now, bytes));
                watchdog = Watchdog::new(now);
                live(now);
            }
            let start = self.shared.attempt().as_ref().and_then(|fed| fed.start);
            start.iter().for_each(|start| self.destination.begun(Duration::from_nanos(start.nseconds())));
            let is_fed = start.is_some();
            if !is_fed && now.saturating_sub(begun) > ENCODERS_BEGIN {
                return End::Broken(OutputFault::new(Blame::Server, "no picture, or no sound, comes from the room"));
            }
            let waits = live_since.is_none() && is_fed;
            let patience = self.destination.patience().unwrap_or(Duration::MAX);
            if waits && now.saturating_sub(begun) > patience {
                return End::Broken(OutputFault::new(Blame::Destination, "the other end does not take the stream"));
            }
            if live_since.is_some() && watchdog.bytes(now, bytes) != Flowing::Yes {
                if self.destination.patience().is_none() {
                    // Nobody calls any more; somebody may again.
                    live_since = None;
                    self.teller.state(OutputState::Connecting);
                    continue;
                }
                return End::Broken(OutputFault::new(Blame::Destination, "nothing goes out any more"));
            }
            let passed = now.saturating_sub(told.0);
            if live_since.is_some() && passed >= FLOW_EVERY {
                let bits = (bytes.saturating_sub(told.1) as f64 * 8.0 / passed.as_secs_f64()) as u64;
                told = (now, bytes);
                self.teller.flow(Flow { bits_per_second: bits, bytes, speed: None });
            }
            if self.shared.overflows.swap(false, Ordering::Relaxed) {
                warn!(output = %self.name, "the other end takes less than is sent; pictures are left out");
            }
        }
    }

    /// Ends the stream as its kind has it (`FCUnpublish`, `deleteStream`, the end of a file), so that the other end knows
    /// that it is over and does not wait for it to come back.
    fn say_farewell(&self, broken: &Receiver<OutputFault>) {
        let Some(attempt) = self.shared.attempt().take() else { return };
        for src in [&attempt.video, &attempt.audio] {
            // Fails only when the attempt is over.
            let _ = src.end_of_stream();
        }
        // The sink has seen the end, or the server is gone. What it says then is written by a thread of its own.
        if broken.recv_timeout(FAREWELL).is_ok() {
            std::thread::sleep(LOOK);
        }
    }

    fn build(&self, broke: Sender<OutputFault>) -> Result<OwnedPipeline, OutputFault> {
        let ours = |text: String| OutputFault::new(Blame::Operator, text);
        let owned = OwnedPipeline::new(&format!("output-{}", self.name)).works_as(Role::Deliver);
        // Its own time line; nothing in it waits for the clock.
        owned.on_bus(move |news| match news {
            BusNews::Error { element, text, .. } => {
                let blame = if element == "sink" { Blame::Destination } else { Blame::Server };
                // The receiver is gone once the attempt is over.
                let _ = broke.send(OutputFault::new(blame, text));
            }
            BusNews::Eos => drop(broke.send(OutputFault::new(Blame::Destination, "the stream ended"))),
            BusNews::Latency => {}
        });
        let bin = self.launches.bin(self.destination.stage()).map_err(|error| ours(error.to_string()))?;
        owned.pipeline().add(&bin).map_err(|error| ours(error.to_string()))?;
        let video: AppSrc = owned.element("video").map_err(ours)?;
        let audio: AppSrc = owned.element("audio").map_err(ours)?;
        self.destination.prepare(&owned)?;
        let video_caps =
            gst::Caps::builder("video/x-h264").field("stream-format", "byte-stream").field("alignment", "au");
        handoff::configure(&video, &video_caps.build());
        // Which encoder it is, and so the caps, is known with the first packet.
        handoff::configure_without_caps(&audio);
        // Streams that start at zero are always late by the shared clock, and a live muxer would not wait for the later
        // of the two. Both flow steadily, so it can wait for both; if one ever ended, the watchdog would see it.
        video.set_is_live(false);
        audio.set_is_live(false);
        owned.play().map_err(|error| ours(error.to_string()))?;
        *self.shared.attempt() = Some(Attempt {
            video,
            audio,
            audio_caps: None,
            early: VecDeque::new(),
            start: None,
            skipping: false,
            last: (None, None),
        });
        Ok(owned)
    }
}
