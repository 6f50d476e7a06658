//! One output's life: a pipeline per attempt and part, a thread, and a retry policy.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, ClockTime, prelude::*};
use gstreamer_app::AppSrc;
use tracing::{info, warn};

use super::{
    Destination, destination,
    feed::{Ends, Feed},
    retry::{Flowing, Next, Retry, Watchdog},
    terms::{Blame, Flow, OutputFault, OutputState, OutputTarget},
};
use crate::media::gst::{
    clock::{clock_time, media_clock},
    handoff,
    launch::Launches,
    pipeline::{BusNews, OwnedPipeline},
    priority::Role,
};

/// How long the end of a stream may take to reach the other end, beside the time that it needs on the way.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a pipeline says when its stream has come to its end.
const ENDED: &str = "the stream ended";

/// Picture and sound must come within this time: the longest time between two keyframes, and some.
const ENCODERS_BEGIN: Duration = Duration::from_secs(25);

/// How often the thread looks at its sink.
const LOOK: Duration = Duration::from_millis(250);

/// Without a picture left out for so long, the other end takes all again.
const CAUGHT_UP: Duration = Duration::from_secs(5);

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
    running: Mutex<Option<Feed>>,
    orders: Mutex<Orders>,
    wake: Condvar,
}

/// What the thread is to do.
#[derive(Debug, Default)]
struct Orders {
    stopped: bool,
    paused: bool,
    /// Look at the feed at once.
    look: bool,
}

impl Output {
    /// Starts sending, or waits until [`Output::pause`] says that it is not paused.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        name: &str,
        target: OutputTarget,
        launches: Launches,
        teller: impl Teller,
        paused: bool,
    ) -> std::io::Result<Self> {
        let orders = Orders { paused, ..Orders::default() };
        let shared = Arc::new(Shared { orders: Mutex::new(orders), ..Shared::default() });
        let worker = Worker {
            shared: shared.clone(),
            name: name.to_owned(),
            shown: target.shown(),
            destination: destination(target),
            launches,
            teller: Box::new(teller),
        };
        std::thread::Builder::new().name(format!("output-{name}")).spawn(move || worker.work())?;
        Ok(Self { shared })
    }

    /// Takes an H.264 access unit, PTS and DTS in running time.
    pub fn picture(&self, unit: &gst::Buffer) {
        self.shared.feed(|feed| feed.picture(unit));
    }

    /// Leaves units out until the next keyframe: another encoder makes them from now on.
    pub fn begin_again(&self) {
        self.shared.feed(Feed::skip);
    }

    /// Takes a packet of AAC and its caps, PTS in running time.
    pub fn sound(&self, packet: &gst::Buffer, caps: &gst::Caps) {
        self.shared.feed(|feed| feed.sound(packet, caps));
    }

    /// Pauses from now on, or goes on with the next keyframe.
    pub fn pause(&self, paused: bool) {
        let now = clock_time(media_clock().now());
        let mut orders = lock(&self.shared.orders);
        (orders.paused, orders.look) = (paused, true);
        if let Some(feed) = lock(&self.shared.running).as_mut() {
            if paused { feed.pause(now) } else { feed.resume(now) }
        }
        self.shared.wake.notify_all();
    }

    /// Takes a marker of now.
    pub fn mark(&self, name: &Arc<str>) {
        let now = clock_time(media_clock().now());
        self.shared.feed(|feed| feed.mark(name.clone(), now));
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        lock(&self.shared.orders).stopped = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    /// Gives the attempt that runs something, and wakes the thread when that leaves it something to do.
    fn feed(&self, give: impl FnOnce(&mut Feed)) {
        let mut running = lock(&self.running);
        let Some(feed) = running.as_mut() else { return };
        give(feed);
        if feed.passes_on() || feed.has_marks() {
            drop(running);
            let mut orders = lock(&self.orders);
            if !orders.look {
                orders.look = true;
                self.wake.notify_all();
            }
        }
    }

    /// Sleeps, at most until the attempt has something to do. `true` when the output was stopped.
    fn stopped_within(&self, time: Duration) -> bool {
        let orders = lock(&self.orders);
        let waited = self.wake.wait_timeout_while(orders, time, |orders| !orders.stopped && !orders.look);
        let mut orders = waited.unwrap_or_else(PoisonError::into_inner).0;
        orders.look = false;
        orders.stopped
    }

    /// Waits while it is paused. `true` when the output was stopped.
    fn stopped_in_pause(&self) -> bool {
        let orders = lock(&self.orders);
        let waits = |orders: &mut Orders| orders.paused && !orders.stopped;
        self.wake.wait_while(orders, waits).unwrap_or_else(PoisonError::into_inner).stopped
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

/// One pipeline of an attempt.
struct Part {
    /// 1 for the first.
    number: u32,
    pipeline: OwnedPipeline,
    broken: Receiver<OutputFault>,
    /// As far as it is known.
    length: Duration,
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
            *lock(&self.shared.running) = None;
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

    /// One connection, or one recording with all its parts, from its pipeline to its end.
    fn attempt(&self, live: &mut dyn FnMut(Duration)) -> End {
        if self.shared.stopped_in_pause() {
            return End::Stopped;
        }
        let (mut part, ends) = match self.build(1) {
            Ok(built) => built,
            Err(fault) => return End::Broken(fault),
        };
        {
            let orders = lock(&self.shared.orders);
            let mut feed = Feed::new(ends, self.destination.split());
            if orders.paused {
                feed.pause(ClockTime::ZERO);
            }
            *lock(&self.shared.running) = Some(feed);
        }
        let mut before: Option<(Part, Duration)> = None;
        let mut begun = media_clock().now();
        let (mut live_since, mut written) = (None, 0);
        let mut watchdog = Watchdog::new(begun);
        let (mut told, mut behind) = ((begun, 0), None);
        loop {
            if self.shared.stopped_within(LOOK) {
                self.say_farewell(part, before);
                return End::Stopped;
            }
            if let Ok(fault) = part.broken.try_recv() {
                return End::Broken(fault);
            }
            if let Err(fault) = self.destination.check() {
                self.say_farewell(part, before);
                return End::Broken(fault);
            }
            let now = media_clock().now();
            if self.take_marks(&mut part) {
                match self.build(part.number + 1) {
                    Ok((next, ends)) => {
                        written += self.destination.written(&part.pipeline);
                        self.shared.feed(|feed| feed.go_on(ends));
                        before = Some((std::mem::replace(&mut part, next), now));
                    }
                    Err(fault) => {
                        self.say_farewell(part, before);
                        return End::Broken(fault);
                    }
                }
            }
            if let Some((ending, since)) = before.take() {
                if self.has_ended(&ending, now.saturating_sub(since)) {
                    drop(ending.pipeline);
                    self.destination.ended(ending.number, ending.length);
                } else {
                    before = Some((ending, since));
                }
            }
            let bytes = written + self.destination.written(&part.pipeline);
            if live_since.is_none() && bytes >= self.destination.accepted_from() {
                (live_since, told) = (Some(now), (now, bytes));
                watchdog = Watchdog::new(now);
                live(now);
            }
            let (is_fed, rests, overflows) = lock(&self.shared.running)
                .as_mut()
                .map_or((false, false, false), |feed| (feed.has_begun(), feed.rests(), feed.has_overflown()));
            if overflows {
                if behind.is_none() {
                    warn!(output = %self.name, "the other end takes less than is sent; pictures are left out");
                }
                behind = Some(now);
            }
            behind = behind.filter(|since| now.saturating_sub(*since) < CAUGHT_UP);
            if rests {
                // Nothing is to come.
                (begun, watchdog, told) = (now, Watchdog::resumed(now, bytes), (now, bytes));
                continue;
            }
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
                self.teller.flow(Flow { bits_per_second: bits, bytes, speed: None, behind: behind.is_some() });
            }
        }
    }

    /// Hands markers on whose time has come. `true` when the next part is to be built; then the length of this one is
    /// known.
    fn take_marks(&self, part: &mut Part) -> bool {
        let (marks, length, passes_on) = {
            let mut running = lock(&self.shared.running);
            let Some(feed) = running.as_mut() else { return false };
            (feed.take_marks(), feed.length(), feed.passes_on())
        };
        part.length = length;
        for mark in marks {
            if let Err(error) = self.destination.mark(&mark.name, mark.at) {
                warn!(output = %self.name, %error, "a marker could not be written");
            }
        }
        passes_on
    }

    /// Whether a part that passed on is over.
    fn has_ended(&self, part: &Part, waited: Duration) -> bool {
        if waited > FAREWELL {
            // Its last sound has not come; it ends without.
            self.shared.feed(Feed::end_before);
        }
        match part.broken.try_recv() {
            Ok(fault) if fault.text != ENDED => {
                warn!(output = %self.name, error = fault.text, "the part before did not end well");
                true
            }
            Ok(_) => true,
            Err(_) => waited > FAREWELL * 2,
        }
    }

    /// Ends the stream as its kind has it (`FCUnpublish`, `deleteStream`, the end of a file), so that the other end knows
    /// that it is over and does not wait for it to come back.
    fn say_farewell(&self, part: Part, before: Option<(Part, Duration)>) {
        let Some(mut feed) = lock(&self.shared.running).take() else { return };
        feed.end();
        for mark in feed.take_marks() {
            // The recording is over; what could not be written is in the log of the disk.
            let _ = self.destination.mark(&mark.name, mark.at);
        }
        let length = feed.length();
        for part in before.into_iter().map(|(part, _)| part).chain([Part { length, ..part }]) {
            // The sink has seen the end, or the server is gone. What it says then is written by a thread of its own.
            if part.broken.recv_timeout(FAREWELL).is_ok() {
                std::thread::sleep(LOOK);
            }
            // A file is closed with its pipeline.
            drop(part.pipeline);
            self.destination.ended(part.number, part.length);
        }
    }

    /// Builds the pipeline of an attempt's first part, or of a later one.
    fn build(&self, number: u32) -> Result<(Part, Ends), OutputFault> {
        let (broke, broken) = channel();
        let ours = |text: String| OutputFault::new(Blame::Operator, text);
        let owned = OwnedPipeline::new(&format!("output-{}", self.name)).works_as(Role::Deliver);
        // Its own time line; nothing in it waits for the clock.
        owned.on_bus(move |news| match news {
            BusNews::Error { element, text, .. } => {
                let blame = if element == "sink" { Blame::Destination } else { Blame::Server };
                // The receiver is gone once the attempt is over.
                let _ = broke.send(OutputFault::new(blame, text));
            }
            BusNews::Eos => drop(broke.send(OutputFault::new(Blame::Destination, ENDED))),
            BusNews::Latency => {}
        });
        let bin = self.launches.bin(self.destination.stage()).map_err(|error| ours(error.to_string()))?;
        owned.pipeline().add(&bin).map_err(|error| ours(error.to_string()))?;
        let video: AppSrc = owned.element("video").map_err(ours)?;
        let audio: AppSrc = owned.element("audio").map_err(ours)?;
        self.destination.prepare_part(&owned, number)?;
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
        Ok((Part { number, pipeline: owned, broken, length: Duration::ZERO }, Ends::new(video, audio)))
    }
}
