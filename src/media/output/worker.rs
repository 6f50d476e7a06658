//! One output's life: attempts and their parts, a thread, and a retry policy.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, ClockTime};
use parking_lot::{Condvar, Mutex};
use tracing::{info, warn};

use super::{
    ENDED, Ends, FAREWELL, Kind, Link, Opening, destination,
    feed::{Feed, Mark},
    retry::{Flowing, Next, Retry, Watchdog},
};
use crate::media::{
    codec::encoder_patience,
    gst::{
        clock::{clock_time, media_clock},
        launch::Launches,
    },
    port::{Blame, Flow, OutputFault, OutputState, OutputTarget, Recorded, VideoSettings, notes::Chapter},
};

/// The longest time between two keyframes, and some. Picture and sound must come within this and the time that an encoder
/// may take.
const KEYFRAME_COMES: Duration = Duration::from_secs(20);

/// Time between two looks of the thread at its attempt.
const LOOK: Duration = Duration::from_millis(250);

/// Without a picture left out for so long, the other end takes all again.
const CAUGHT_UP: Duration = Duration::from_secs(5);

/// Time between two reports of what flows.
const FLOW_EVERY: Duration = Duration::from_secs(2);

/// The receiver of what an output says. Called on its thread, or one of its attempt's; must not block.
pub trait Teller: Send + Sync + 'static {
    /// Notes that its state has changed.
    fn state(&self, state: OutputState);
    /// Reports how much flows.
    fn flow(&self, flow: Flow);
    /// Notes that the other end cannot go on without a keyframe.
    fn keyframe(&self) {}
    /// Notes that a file of it is finished. Where it is the last one, the state follows.
    fn recorded(&self, file: Recorded) {
        drop(file);
    }
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
    /// As what the picture is encoded.
    video: Mutex<Option<VideoSettings>>,
}

/// The orders to the thread.
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
            destination: destination(target, name),
            launches,
            teller: Arc::new(teller),
        };
        std::thread::Builder::new().name(format!("output-{name}")).spawn(move || worker.work())?;
        Ok(Self { shared })
    }

    /// Takes an H.264 access unit, PTS and DTS in running time.
    pub fn picture(&self, unit: &gst::Buffer) {
        self.shared.feed(|feed| feed.picture(unit));
    }

    /// Says as what the picture is encoded.
    pub fn set_video(&self, video: VideoSettings) {
        if self.shared.video.lock().replace(video) != Some(video) {
            self.shared.feed(|feed| feed.encoded_as(&video));
        }
    }

    /// Leaves units out until the next keyframe: another encoder makes them from now on.
    pub fn begin_again(&self) {
        self.shared.feed(Feed::skip);
    }

    /// Takes a packet of sound and its caps, PTS in running time.
    pub fn sound(&self, packet: &gst::Buffer, caps: &gst::Caps) {
        self.shared.feed(|feed| feed.sound(packet, caps));
    }

    /// Pauses from now on, or goes on with the next keyframe.
    pub fn pause(&self, paused: bool) {
        let now = clock_time(media_clock().now());
        let mut orders = self.shared.orders.lock();
        (orders.paused, orders.look) = (paused, true);
        if let Some(feed) = self.shared.running.lock().as_mut() {
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
        self.shared.orders.lock().stopped = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    /// Gives the attempt that runs something, and wakes the thread when that leaves it something to do.
    fn feed(&self, give: impl FnOnce(&mut Feed)) {
        let mut running = self.running.lock();
        let Some(feed) = running.as_mut() else { return };
        give(feed);
        if feed.passes_on() || feed.has_marks() {
            drop(running);
            let mut orders = self.orders.lock();
            if !orders.look {
                orders.look = true;
                self.wake.notify_all();
            }
        }
    }

    /// Sleeps, at most until the attempt has something to do. `true` when the output was stopped.
    fn stopped_within(&self, time: Duration) -> bool {
        let mut orders = self.orders.lock();
        self.wake.wait_while_for(&mut orders, |orders| !orders.stopped && !orders.look, time);
        orders.look = false;
        orders.stopped
    }

    /// Waits while it is paused. `true` when the output was stopped.
    fn stopped_in_pause(&self) -> bool {
        let mut orders = self.orders.lock();
        self.wake.wait_while(&mut orders, |orders| orders.paused && !orders.stopped);
        orders.stopped
    }
}

struct Worker {
    shared: Arc<Shared>,
    name: String,
    /// Destination, without secrets.
    shown: String,
    destination: Box<dyn Kind>,
    launches: Launches,
    teller: Arc<dyn Teller>,
}

/// One part of an attempt.
struct Part<'a> {
    /// 1 for the first.
    number: u32,
    link: Box<dyn Link + 'a>,
    broken: Receiver<OutputFault>,
    /// As far as it is known.
    length: Duration,
}

/// The way that an attempt ended.
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
            *self.shared.running.lock() = None;
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

    /// Runs one connection, or one recording with all its parts, from its beginning to its end.
    fn attempt(&self, live: &mut dyn FnMut(Duration)) -> End {
        if self.shared.stopped_in_pause() {
            return End::Stopped;
        }
        let (mut part, ends) = match self.build(1) {
            Ok(built) => built,
            Err(fault) => return End::Broken(fault),
        };
        {
            let orders = self.shared.orders.lock();
            let mut feed = Feed::new(ends, self.destination.split());
            self.shared.video.lock().iter().for_each(|video| feed.encoded_as(video));
            if orders.paused {
                feed.pause(ClockTime::ZERO);
            }
            *self.shared.running.lock() = Some(feed);
        }
        let mut before: Option<(Part<'_>, Duration)> = None;
        let mut begun = media_clock().now();
        let mut fed_since = begun;
        let (mut live_since, mut written) = (None, 0);
        let mut watchdog = Watchdog::new(begun);
        let (mut told, mut behind) = ((begun, 0), None);
        let fault = loop {
            if self.shared.stopped_within(LOOK) {
                self.say_farewell(part, before);
                return End::Stopped;
            }
            if let Ok(fault) = part.broken.try_recv() {
                break fault;
            }
            if let Err(fault) = self.destination.check() {
                self.say_farewell(part, before);
                return End::Broken(fault);
            }
            let now = media_clock().now();
            if self.take_marks(&mut part) {
                match self.build(part.number + 1) {
                    Ok((next, ends)) => {
                        written += part.link.written();
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
                    self.end(ending);
                } else {
                    before = Some((ending, since));
                }
            }
            let bytes = written + part.link.written();
            if live_since.is_none() && part.link.is_accepted() {
                (live_since, told) = (Some(now), (now, bytes));
                watchdog = Watchdog::new(now);
                live(now);
            }
            let (is_fed, rests, overflows, start) =
                self.shared.running.lock().as_mut().map_or((false, false, false, None), |feed| {
                    (feed.has_begun(), feed.rests(), feed.has_overflown(), feed.start())
                });
            if let Some(start) = start {
                self.destination.begun(Duration::from_nanos(start.nseconds()));
            }
            if overflows || (live_since.is_some() && part.link.is_behind()) {
                if behind.is_none() {
                    warn!(output = %self.name, "the other end takes less than is sent");
                }
                behind = Some(now);
            }
            behind = behind.filter(|since| now.saturating_sub(*since) < CAUGHT_UP);
            if rests {
                // Nothing is to come.
                (begun, fed_since, watchdog, told) = (now, now, Watchdog::resumed(now, bytes), (now, bytes));
                continue;
            }
            let fps = self.shared.video.lock().map_or(u32::MAX, |video| video.fps);
            if !is_fed && now.saturating_sub(begun) > KEYFRAME_COMES + encoder_patience(fps) {
                break OutputFault::new(Blame::Server, "no picture, or no sound, comes from the room");
            }
            if !is_fed {
                // An encoder of few frames a second may take longer than the other end has.
                (fed_since, watchdog) = (now, Watchdog::resumed(now, bytes));
            }
            let waits = live_since.is_none() && is_fed;
            let patience = self.destination.patience().unwrap_or(Duration::MAX);
            if waits && now.saturating_sub(fed_since) > patience {
                break OutputFault::new(Blame::Destination, "the other end does not take the stream");
            }
            if live_since.is_some() && watchdog.bytes(now, bytes) != Flowing::Yes {
                if self.destination.patience().is_none() {
                    // Nobody calls any more; somebody may again.
                    live_since = None;
                    self.teller.state(OutputState::Connecting);
                    continue;
                }
                break OutputFault::new(Blame::Destination, "nothing goes out any more");
            }
            let passed = now.saturating_sub(told.0);
            if live_since.is_some() && passed >= FLOW_EVERY {
                let bits = (bytes.saturating_sub(told.1) as f64 * 8.0 / passed.as_secs_f64()) as u64;
                told = (now, bytes);
                self.teller.flow(Flow { bits_per_second: bits, bytes, speed: None, behind: behind.is_some() });
            }
        };
        self.take_marks(&mut part);
        before.into_iter().map(|(part, _)| part).chain([part]).for_each(|part| self.end(part));
        End::Broken(fault)
    }

    /// Hands markers on whose time has come. `true` when the next part is to be built; then the length of this one is
    /// known.
    fn take_marks(&self, part: &mut Part<'_>) -> bool {
        let (marks, length, passes_on) = {
            let mut running = self.shared.running.lock();
            let Some(feed) = running.as_mut() else { return false };
            (feed.take_marks(), feed.length(), feed.passes_on())
        };
        part.length = length;
        if let Err(error) = self.write_marks(marks) {
            warn!(output = %self.name, %error, "markers could not be written");
        }
        passes_on
    }

    /// Writes all markers of a moment at once: a thousand may come together.
    fn write_marks(&self, marks: Vec<Mark>) -> std::io::Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        let chapter = |Mark { name, at }: Mark| Chapter { name: name.to_string(), at };
        self.destination.mark(marks.into_iter().map(chapter).collect())
    }

    /// Returns whether a part that passed on is over.
    fn has_ended(&self, part: &Part<'_>, waited: Duration) -> bool {
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

    /// Ends the stream as its kind has it (`FCUnpublish`, `deleteStream`, the end of a file), so that the other end
    /// knows that it is over and does not wait for it to come back.
    fn say_farewell(&self, part: Part<'_>, before: Option<(Part<'_>, Duration)>) {
        let Some(mut feed) = self.shared.running.lock().take() else { return };
        feed.end();
        // The recording is over; what could not be written is in the log of the disk.
        let _ = self.write_marks(feed.take_marks());
        let length = feed.length();
        for mut part in before.into_iter().map(|(part, _)| part).chain([Part { length, ..part }]) {
            part.link.say_farewell(&part.broken);
            self.end(part);
        }
    }

    /// Lets go of a part that is over, and reports the file that it leaves.
    fn end(&self, part: Part<'_>) {
        // A file is closed with its pipeline.
        drop(part.link);
        if let Some(file) = self.destination.ended(part.number, part.length) {
            self.teller.recorded(file);
        }
    }

    /// Begins the first part of an attempt, or a later one.
    fn build(&self, number: u32) -> Result<(Part<'_>, Box<dyn Ends>), OutputFault> {
        let (broke, broken) = channel();
        let teller = self.teller.clone();
        let keyframe = Arc::new(move || teller.keyframe());
        let opening = Opening { name: &self.name, part: number, launches: &self.launches, broke, keyframe };
        let (ends, link) = self.destination.begin(opening)?;
        Ok((Part { number, link, broken, length: Duration::ZERO }, ends))
    }
}
