//! The room's clock: a thread that composes one frame at every tick, whatever any sender does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_video as gst_video;
use parking_lot::{Condvar, Mutex};
use tracing::{error, warn};

use super::{
    backdrop::{BackdropPainter, Show},
    colour::{Matrix, i420_to_rgb},
    effects::Photo,
    latest_frames::LatestFrames,
    layer_request::LayerRequest,
    phase::Phase,
    planes::{I420, Planes, PlanesMut},
    reel::Reel,
    stage::{Spent, Stage},
};
use crate::{
    layout::Trigger,
    media::{
        gst::{
            clock::{clock_time, media_clock},
            priority::{self, Allowance, Role},
        },
        port::{Frame, ParticipantId, Picture, SnapshotError},
    },
};

/// Size and rate of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanvasFormat {
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

impl CanvasFormat {
    /// Caps of the composed frames.
    pub fn caps(self) -> gst::Caps {
        gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", self.width as i32)
            .field("height", self.height as i32)
            .field("framerate", gst::Fraction::new(self.fps as i32, 1))
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .field("interlace-mode", "progressive")
            // The canvas's arithmetic is BT.601; encoders write it into the stream, so players do not have to guess.
            .field("colorimetry", "bt601")
            .build()
    }
}

/// The receiver of what the clock reports to its room.
pub trait Audience: Send + Sync + 'static {
    /// Takes a composed frame; its PTS is the running time of its tick. Must not block.
    fn frame(&self, frame: &gst::Buffer, format: CanvasFormat);
    /// Notes that what the layers need of this participant's frames changed.
    fn ask(&self, participant: &ParticipantId, ask: &LayerRequest);
    /// Notes that nothing came from this participant for as long as frames are held.
    fn expired(&self, participant: &ParticipantId);
    /// Notes that a trigger of the layout fired, by the keypoints of these people.
    fn fired(&self, trigger: &Trigger, people: &[ParticipantId]) {
        let _ = (trigger, people);
    }
    /// Notes that a trigger took a picture. Must not block.
    fn photo(&self, photo: Photo) {
        drop(photo);
    }
}

/// Counters, from the room's start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames composed.
    pub frames: AtomicU64,
    /// Layers drawn: a frame that takes long goes on as long as these do.
    pub layers: AtomicU64,
    /// Frames later than half a frame after their tick.
    pub late: AtomicU64,
    /// Ticks without a frame.
    pub missed: AtomicU64,
    /// Time spent composing, in nanoseconds.
    pub compose_ns: AtomicU64,
    /// Masks shown.
    pub masks_shown: AtomicU64,
    /// From the arrival of the frames that the network saw for them to their composition, together, in nanoseconds.
    pub mask_age_ns: AtomicU64,
    /// The oldest of them since this was taken last.
    pub oldest_mask_ns: AtomicU64,
}

/// Gets a picture of the canvas, or the reason why it is missing.
pub type SnapshotReply = Box<dyn FnOnce(Result<Frame, SnapshotError>) + Send>;

#[derive(Default)]
struct Orders {
    show: Option<Show>,
    /// Things that were shown before, to be freed by others than the clock.
    spent: Vec<Spent>,
    hold: Duration,
    running: bool,
    stop: bool,
    snapshots: Vec<SnapshotReply>,
}

struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
    counters: Counters,
}

/// A room's composer. Dropping it ends the thread at its next tick.
pub struct Composer {
    shared: Arc<Shared>,
    painter: Mutex<BackdropPainter>,
    thread: JoinHandle<()>,
}

impl std::fmt::Debug for Composer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Composer")
    }
}

impl Composer {
    /// Starts the thread, which works as `role`; the clock rests until [`Composer::run`].
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        room: &str,
        role: Role,
        picture: Picture,
        hold: Duration,
        can_cut: bool,
        slots: Arc<LatestFrames>,
        audience: Arc<dyn Audience>,
    ) -> std::io::Result<Self> {
        let orders = Orders { hold, ..Orders::default() };
        let shared =
            Arc::new(Shared { orders: Mutex::new(orders), changed: Condvar::new(), counters: Counters::default() });
        let thread_shared = shared.clone();
        let mut painter = BackdropPainter::default();
        let show = painter.prepare(picture);
        let thread = std::thread::Builder::new().name(format!("mix-{room}")).spawn(move || {
            let asked = Vec::new();
            let stage = Stage::new(show, can_cut);
            Ticker {
                role,
                shared: thread_shared,
                stage,
                slots,
                audience,
                asked,
                pool: None,
                last: None,
                allowance: Allowance::default(),
                phase: Phase::default(),
                waits: Vec::new(),
            }
            .work();
        })?;
        Ok(Self { shared, painter: Mutex::new(painter), thread })
    }

    fn order(&self, order: impl FnOnce(&mut Orders)) {
        order(&mut self.shared.orders.lock());
        self.shared.changed.notify_all();
    }

    /// Shows this from the next frame on. What takes time is done here, not on the clock's thread.
    /// `reels`: the frames of its clips.
    pub fn set_picture(&self, picture: Picture, reels: Vec<(Arc<str>, Arc<Reel>)>) {
        let mut show = self.painter.lock().prepare(picture);
        show.reels = reels;
        let mut unseen = None;
        self.order(|orders| unseen = orders.show.replace(show));
        drop(unseen);
        self.tidy();
    }

    /// Frees what is not shown any more.
    pub fn tidy(&self) {
        let spent = std::mem::take(&mut self.shared.orders.lock().spent);
        drop(spent);
    }

    /// Sets how long a silent sender's last frame stays.
    pub fn set_hold(&self, hold: Duration) {
        self.order(|orders| orders.hold = hold);
    }

    /// Lets the clock run or rest.
    pub fn run(&self, running: bool) {
        self.order(|orders| orders.running = running);
    }

    /// Takes the canvas now, also while the clock rests; `reply` is called on the clock's thread.
    pub fn snapshot(&self, reply: SnapshotReply) {
        self.order(|orders| orders.snapshots.push(reply));
    }

    /// Returns whether the thread has ended, which nobody asked it to: it panicked.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// See [`Counters`].
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

impl Drop for Composer {
    fn drop(&mut self) {
        self.order(|orders| orders.stop = true);
    }
}

struct Ticker {
    role: Role,
    shared: Arc<Shared>,
    stage: Stage,
    slots: Arc<LatestFrames>,
    audience: Arc<dyn Audience>,
    asked: Vec<(ParticipantId, LayerRequest)>,
    pool: Option<(CanvasFormat, gst::BufferPool)>,
    last: Option<(CanvasFormat, gst::Buffer)>,
    allowance: Allowance,
    phase: Phase,
    /// Of the frames of one tick, for [`Phase`].
    waits: Vec<Duration>,
}

impl Ticker {
    fn work(mut self) {
        priority::take(self.role);
        // The next frame's place in the grid of whole periods, which is its PTS, and how long after it the tick is.
        let (mut next, mut offset): (Option<Duration>, _) = (None, Duration::ZERO);
        loop {
            let (running, hold, snapshots) = {
                let shared = self.shared.clone();
                let mut orders = shared.orders.lock();
                while !orders.stop && !orders.running && orders.show.is_none() && orders.snapshots.is_empty() {
                    next = None;
                    // Expiry goes on while the clock rests, or a room of senders without receivers would hold their
                    // last frames for ever.
                    if shared.changed.wait_for(&mut orders, Duration::from_millis(500)).timed_out() {
                        break;
                    }
                }
                if orders.stop {
                    return;
                }
                self.take_show(&mut orders);
                (orders.running, orders.hold, std::mem::take(&mut orders.snapshots))
            };
            let now = media_clock().now();
            for participant in self.slots.expire(now, hold) {
                self.audience.expired(&participant);
            }
            if !running {
                self.update(now, hold);
                if !snapshots.is_empty() {
                    self.compose(now, hold);
                }
                self.answer(snapshots);
                continue;
            }
            let fps = self.stage.format().2.max(1);
            let period = Duration::from_secs(1) / fps;
            let place = next.unwrap_or(now);
            let tick = place + offset;
            if now < tick {
                std::thread::sleep(tick - now);
            }
            let begun = media_clock().now();
            let late = begun.saturating_sub(tick);
            // Once more: what came during the sleep is shown with this very frame.
            let shared = self.shared.clone();
            self.take_show(&mut shared.orders.lock());
            self.tick(place, hold);
            self.answer(snapshots);
            let ended = media_clock().now();
            let real_time = self.allowance.work(ended, ended.saturating_sub(begun));
            priority::take(if real_time { self.role } else { self.role.max(Role::Deliver) });
            let counters = &self.shared.counters;
            if late > period / 2 {
                counters.late.fetch_add(1, Ordering::Relaxed);
            }
            // Ticks that are over by more than a period are given up, so that a stall is not followed by a burst.
            let behind = ended.saturating_sub(tick + period);
            let skipped = u32::try_from(behind.as_nanos() / period.as_nanos().max(1)).unwrap_or(0);
            counters.missed.fetch_add(u64::from(skipped), Ordering::Relaxed);
            self.slots.waits(begun, &mut self.waits);
            offset = self.phase.next(period, self.waits.iter().copied());
            next = Some(place + period * (skipped + 1));
        }
    }

    fn take_show(&mut self, orders: &mut Orders) {
        if let Some(show) = orders.show.take() {
            orders.spent.push(self.stage.set(show));
        }
    }

    fn update(&mut self, now: Duration, hold: Duration) {
        for (participant, ask) in self.stage.update(&self.slots, now, hold) {
            match self.asked.iter_mut().find(|(known, _)| known == participant) {
                Some((_, known)) if ask.is_met_by(known) => continue,
                Some((_, known)) => known.clone_from(ask),
                None => self.asked.push((participant.clone(), ask.clone())),
            }
            self.audience.ask(participant, ask);
        }
        self.report_firings();
        let (stage, audience) = (&self.stage, &self.audience);
        self.asked.retain(|(participant, ask)| {
            let seated = stage.seats(participant);
            if !seated && (!ask.cuts.is_empty() || ask.shown.is_some()) {
                audience.ask(participant, &LayerRequest { shown: Some((0, 0)), ..LayerRequest::default() });
            }
            seated
        });
    }

    fn report_firings(&self) {
        for firing in self.stage.firings() {
            let people: Vec<ParticipantId> =
                firing.people.iter().filter_map(|person| self.stage.participant(*person)).cloned().collect();
            if let Some(trigger) = self.stage.scene().triggers.get(firing.trigger) {
                self.audience.fired(trigger, &people);
            }
        }
    }

    fn tick(&mut self, pts: Duration, hold: Duration) {
        if let Some((format, frame)) = self.compose(pts, hold) {
            self.audience.frame(&frame, format);
            self.last = Some((format, frame));
        }
    }

    fn compose(&mut self, pts: Duration, hold: Duration) -> Option<(CanvasFormat, gst::Buffer)> {
        let begun = media_clock().now();
        self.update(begun, hold);
        let (width, height, fps) = self.stage.format();
        let format = CanvasFormat { width, height, fps };
        let mut frame = self.buffer(format)?;
        {
            let buffer = frame.get_mut()?;
            buffer.set_pts(clock_time(pts));
            buffer.set_duration(clock_time(Duration::from_secs(1) / fps.max(1)));
            let mut map = buffer.map_writable().ok()?;
            let mut planes = PlanesMut::of_i420(map.as_mut_slice(), width as usize, height as usize)?;
            // A fault in the arithmetic must cost a frame, not the room's picture.
            let layers = &self.shared.counters.layers;
            let drawn = || _ = layers.fetch_add(1, Ordering::Relaxed);
            let compose = std::panic::AssertUnwindSafe(|| self.stage.compose_step_by_step(&mut planes, drawn));
            let composed = std::panic::catch_unwind(compose);
            if composed.is_err() {
                error!("composing panicked; the frame is left out");
                return None;
            }
        }
        for photo in self.stage.take_photos() {
            self.audience.photo(photo);
        }
        let counters = &self.shared.counters;
        counters.frames.fetch_add(1, Ordering::Relaxed);
        let ages = self.stage.mask_ages(begun);
        let nanoseconds = |age: Duration| u64::try_from(age.as_nanos()).unwrap_or(0);
        counters.masks_shown.fetch_add(u64::from(ages.shown), Ordering::Relaxed);
        counters.mask_age_ns.fetch_add(nanoseconds(ages.sum), Ordering::Relaxed);
        counters.oldest_mask_ns.fetch_max(nanoseconds(ages.oldest), Ordering::Relaxed);
        let took = media_clock().now().saturating_sub(begun);
        counters.compose_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(0), Ordering::Relaxed);
        self.last = Some((format, frame.clone()));
        Some((format, frame))
    }

    /// Returns a frame from the pool; composed frames come back to it when the last encoder has let go of them.
    fn buffer(&mut self, format: CanvasFormat) -> Option<gst::Buffer> {
        if self.pool.as_ref().is_none_or(|(of, _)| *of != format) {
            match pool(format) {
                Ok(pool) => self.pool = Some((format, pool)),
                Err(error) => {
                    error!(%error, "the system gives no memory for the canvas");
                    return None;
                }
            }
        }
        let (_, pool) = self.pool.as_ref()?;
        match pool.acquire_buffer(None) {
            Ok(buffer) => Some(buffer),
            Err(error) => {
                warn!(?error, "the pool has no buffer for a frame");
                None
            }
        }
    }

    fn answer(&mut self, snapshots: Vec<SnapshotReply>) {
        if snapshots.is_empty() {
            return;
        }
        let frame = match &self.last {
            Some((format, buffer)) => rgb(*format, buffer),
            None => Err(SnapshotError::Nothing),
        };
        for reply in snapshots {
            reply(frame.clone());
        }
    }
}

/// Returns a picture of the canvas as control sees it.
pub fn frame_of(picture: &I420) -> Frame {
    let (width, height) = (picture.width as u32, picture.height as u32);
    Frame { width, height, rgb: i420_to_rgb(&picture.planes(), Matrix::Bt601) }
}

fn rgb(format: CanvasFormat, buffer: &gst::Buffer) -> Result<Frame, SnapshotError> {
    let map = buffer.map_readable().map_err(|_| SnapshotError::Unreadable)?;
    let (width, height) = (format.width as usize, format.height as usize);
    let planes = Planes::of_i420(map.as_slice(), width, height).ok_or(SnapshotError::TooShort)?;
    Ok(Frame { width: format.width, height: format.height, rgb: i420_to_rgb(&planes, Matrix::Bt601) })
}

/// Returns a pool of frames of this format, for those that are made again and again.
///
/// # Errors
/// The format is impossible, or there is no memory.
pub fn pool(format: CanvasFormat) -> Result<gst::BufferPool, gst::glib::BoolError> {
    let info = gst_video::VideoInfo::from_caps(&format.caps())?;
    let pool = gst_video::VideoBufferPool::new().upcast::<gst::BufferPool>();
    let mut config = pool.config();
    config.set_params(Some(&format.caps()), u32::try_from(info.size()).unwrap_or(u32::MAX), 4, 0);
    pool.set_config(config)?;
    pool.set_active(true)?;
    Ok(pool)
}
