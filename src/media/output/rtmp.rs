//! RTMP: a pipeline per attempt, a thread per output, and a retry policy.
//!
//! GST-1.22: 9f169ffaf9 and 81178eab42, remove at 1.24: flvmux mis-orders when running time does not start at zero, so
//! both streams are restamped by the same offset, to start at zero with the first keyframe.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use tracing::{info, warn};

use super::{
    address::RtmpAddress,
    retry::{Flowing, Next, Retry, Watchdog},
};
use crate::media::{
    gst::{
        clock::{clock_time, media_clock},
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
    },
    port::OutputState,
};

/// Bytes out at which the server has certainly accepted us: handshake and commands are below it.
const LIVE_BYTES: u64 = 16 * 1024;

/// How long an attempt may take to get there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What may wait for the network before units are dropped.
const BACKLOG: Duration = Duration::from_secs(4);

/// How long the end of a stream may take to reach the server, beside the time that it needs on the way.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often the thread looks at its sink.
const LOOK: Duration = Duration::from_millis(250);

/// An output. Dropping it ends the thread and the connection.
#[derive(Debug)]
pub struct RtmpOutput {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    attempt: Mutex<Option<Attempt>>,
    stopped: Mutex<bool>,
    wake: Condvar,
    needs_keyframe: AtomicBool,
}

/// The ends of the pipeline that is being fed.
#[derive(Debug)]
struct Attempt {
    video: AppSrc,
    audio: AppSrc,
    /// Running time of the first keyframe.
    start: Option<gst::ClockTime>,
    /// Whether units are dropped until the next keyframe.
    skipping: bool,
}

impl RtmpOutput {
    /// Starts sending to `address`; `tell` gets every change of state, `want_keyframe` is called when a keyframe would
    /// help. Both are called on the output's thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        name: &str,
        address: RtmpAddress,
        launches: Launches,
        tell: impl Fn(OutputState) + Send + 'static,
        want_keyframe: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            shared: shared.clone(),
            name: name.to_owned(),
            address,
            launches,
            tell: Box::new(tell),
            want_keyframe: Box::new(want_keyframe),
        };
        std::thread::Builder::new().name(format!("output-{name}")).spawn(move || worker.work())?;
        Ok(Self { shared })
    }

    /// Takes an H.264 access unit, PTS in running time.
    pub fn video(&self, unit: &gst::Buffer) {
        let mut attempt = self.shared.attempt();
        let Some(attempt) = attempt.as_mut() else { return };
        let Some(pts) = unit.pts() else { return };
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if handoff::queued(&attempt.video) > BACKLOG {
            attempt.skipping = true;
        }
        if (attempt.start.is_none() || attempt.skipping) && !keyframe {
            self.shared.needs_keyframe.store(true, Ordering::Relaxed);
            return;
        }
        if attempt.skipping && handoff::queued(&attempt.video) > BACKLOG / 2 {
            return;
        }
        attempt.skipping = false;
        let start = *attempt.start.get_or_insert(pts);
        push(&attempt.video, unit.clone(), pts, start);
    }

    /// Takes a block of mono 48 kHz samples whose first one is at `pts`, in running time.
    pub fn audio(&self, samples: &[f32], pts: Duration) {
        let attempt = self.shared.attempt();
        let Some(attempt) = attempt.as_ref() else { return };
        let (Some(start), pts) = (attempt.start, clock_time(pts)) else { return };
        if pts < start || handoff::queued(&attempt.audio) > BACKLOG {
            return;
        }
        let mut block = gst::Buffer::from_mut_slice(samples.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>());
        if let Some(block) = block.get_mut() {
            block.set_duration(gst::ClockTime::from_nseconds(samples.len() as u64 * 1_000_000_000 / 48_000));
        }
        push(&attempt.audio, block, pts, start);
    }
}

fn push(src: &AppSrc, mut buffer: gst::Buffer, pts: gst::ClockTime, start: gst::ClockTime) {
    let at = pts.saturating_sub(start);
    {
        let buffer = buffer.make_mut();
        buffer.set_pts(at);
        buffer.set_dts(at);
    }
    // Fails only when the attempt is over; the thread sees that on the bus.
    let _ = src.push_buffer(buffer);
}

impl Drop for RtmpOutput {
    fn drop(&mut self) {
        *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn attempt(&self) -> std::sync::MutexGuard<'_, Option<Attempt>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, or returns `true` at once when the output was stopped.
    fn stopped_within(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *self.wake.wait_timeout_while(stopped, time, |stopped| !*stopped).unwrap_or_else(PoisonError::into_inner).0
    }
}

struct Worker {
    shared: Arc<Shared>,
    name: String,
    address: RtmpAddress,
    launches: Launches,
    tell: Box<dyn Fn(OutputState) + Send>,
    want_keyframe: Box<dyn Fn() + Send>,
}

/// How an attempt ended.
enum End {
    Stopped,
    Broken(String),
}

impl Worker {
    fn work(self) {
        let mut retry = Retry::new();
        let target = self.address.shown();
        loop {
            (self.tell)(OutputState::Connecting);
            let mut live = |now: Duration| {
                retry.live(now);
                info!(output = %self.name, %target, "output live");
                (self.tell)(OutputState::Live);
            };
            let end = self.attempt(&mut live);
            *self.shared.attempt() = None;
            let error = match end {
                End::Stopped => break,
                End::Broken(error) => self.address.redact(&error),
            };
            match retry.broke(media_clock().now(), rand::random::<f64>()) {
                Next::Retry { attempt, after } => {
                    warn!(output = %self.name, %target, attempt, ?after, %error, "output broke");
                    (self.tell)(OutputState::Retrying { attempt, after, last_error: error });
                    if self.shared.stopped_within(after) {
                        break;
                    }
                }
                Next::GiveUp { .. } => {
                    warn!(output = %self.name, %target, %error, "output failed");
                    (self.tell)(OutputState::Failed { error });
                    return;
                }
            }
        }
        (self.tell)(OutputState::Stopped);
    }

    /// One connection, from its pipeline to its end.
    fn attempt(&self, live: &mut dyn FnMut(Duration)) -> End {
        let (broke, broken) = std::sync::mpsc::channel();
        let (_owned, sink) = match self.build(broke) {
            Ok(built) => built,
            Err(error) => return End::Broken(error),
        };
        let begun = media_clock().now();
        let mut is_live = false;
        let mut watchdog = Watchdog::new(begun);
        loop {
            if self.shared.stopped_within(LOOK) {
                self.say_farewell(&broken);
                return End::Stopped;
            }
            if let Ok(error) = broken.try_recv() {
                return End::Broken(error);
            }
            if self.shared.needs_keyframe.swap(false, Ordering::Relaxed) {
                (self.want_keyframe)();
            }
            let now = media_clock().now();
            let bytes = sink
                .property::<Option<gst::Structure>>("stats")
                .and_then(|stats| stats.get::<u64>("out-bytes-total").ok())
                .unwrap_or(0);
            if !is_live && bytes > LIVE_BYTES {
                is_live = true;
                live(now);
            }
            if !is_live && now.saturating_sub(begun) > CONNECT_TIMEOUT {
                return End::Broken("the server does not take the stream".into());
            }
            if is_live && watchdog.bytes(now, bytes) != Flowing::Yes {
                return End::Broken("nothing goes out any more".into());
            }
        }
    }

    /// Ends the stream as RTMP has it (`FCUnpublish`, `deleteStream`), so that the platform knows that it is over and does
    /// not wait for it to come back.
    fn say_farewell(&self, broken: &std::sync::mpsc::Receiver<String>) {
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

    fn build(&self, broke: std::sync::mpsc::Sender<String>) -> Result<(OwnedPipeline, gst::Element), String> {
        let owned = OwnedPipeline::new(&format!("output-{}", self.name)).works_as(Role::Deliver);
        // Its own time line; nothing in it waits for the clock.
        owned.on_bus(move |news| match news {
            // The receiver is gone once the attempt is over.
            BusNews::Error { text, .. } => drop(broke.send(text)),
            BusNews::Eos => drop(broke.send("the stream ended".into())),
            BusNews::Latency => {}
        });
        let bin = self.launches.bin("output-rtmp").map_err(|error| error.to_string())?;
        owned.pipeline().add(&bin).map_err(|error| error.to_string())?;
        let (video, audio): (AppSrc, AppSrc) = (owned.element("video")?, owned.element("audio")?);
        let sink: gst::Element = owned.element("sink")?;
        // One by one: a whole URL would be cut at its last slash, a query's too.
        let RtmpAddress { secure, host, port, user, application, stream, .. } = &self.address;
        sink.set_property_from_str("scheme", if *secure { "rtmps" } else { "rtmp" });
        sink.set_property("host", host);
        sink.set_property("port", i32::from(*port));
        sink.set_property("application", application);
        sink.set_property("stream", stream);
        if let Some((name, password)) = user {
            sink.set_property("username", name);
            sink.set_property("password", password);
        }
        let video_caps =
            gst::Caps::builder("video/x-h264").field("stream-format", "byte-stream").field("alignment", "au");
        handoff::configure(&video, &video_caps.build());
        let audio_caps = gst::Caps::builder("audio/x-raw")
            .field("format", "F32LE")
            .field("rate", 48_000i32)
            .field("channels", 1i32)
            .field("layout", "interleaved");
        handoff::configure(&audio, &audio_caps.build());
        // Streams that start at zero are always late by the shared clock, and a live muxer would not wait for the later
        // of the two. Both flow steadily, so it can wait for both; if one ever ceased, the watchdog would see it.
        video.set_is_live(false);
        audio.set_is_live(false);
        owned.play().map_err(|error| error.to_string())?;
        *self.shared.attempt() = Some(Attempt { video, audio, start: None, skipping: false });
        self.shared.needs_keyframe.store(true, Ordering::Relaxed);
        (self.want_keyframe)();
        Ok((owned, sink))
    }
}
