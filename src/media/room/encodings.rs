//! The encodings of the canvas for receivers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use gstreamer as gst;
use metrics::counter;
use parking_lot::Mutex;
use tracing::{error, info};

use super::{
    Input,
    failures::Failures,
    renditions::Renditions,
    tally::{Alive, Held, Tally},
};
use crate::media::{
    codec::EncodingId,
    compose::clock::CanvasFormat,
    deliver::{Delivery, RoomKey, packet::Unit},
    encode::{EncodeError, Encoder, Recipe, bitrate_of},
    gst::{clock::media_clock, launch::Launches},
};

/// An encoder that nobody needs any more goes on for this long while others receive: a line that changes for a moment
/// must not wait for a new one.
const LINGER: Duration = Duration::from_secs(4);

/// One encoding: its encoder while somebody needs it.
#[derive(Debug)]
struct Encoding {
    id: EncodingId,
    encoder: ArcSwapOption<(Encoder, Held)>,
    /// Moment at which it was last needed.
    needed_at: Mutex<Duration>,
    failures: Mutex<Failures>,
}

/// All encodings that a room's receivers get. Frames come from the clock's thread, units from the encoders', changes
/// from the room's.
#[derive(Debug)]
pub(super) struct Encodings {
    room: Arc<str>,
    launches: Launches,
    inputs: Mutex<Sender<Input>>,
    delivery: Arc<Delivery>,
    key: RoomKey,
    encodings: Vec<Encoding>,
    renditions: Mutex<Renditions>,
    tally: Tally,
    /// Whether an encoder is needed that must wait until others have ended.
    waits: AtomicBool,
    /// Frames that encoders which are over had no time for.
    dropped: AtomicU64,
}

impl Encodings {
    pub(super) fn new(
        room: Arc<str>,
        launches: Launches,
        inputs: Sender<Input>,
        delivery: Arc<Delivery>,
        key: RoomKey,
    ) -> Self {
        let encoding = |id| Encoding {
            id,
            encoder: ArcSwapOption::default(),
            needed_at: Mutex::default(),
            failures: Mutex::default(),
        };
        Self {
            room,
            launches,
            inputs: Mutex::new(inputs),
            delivery,
            key,
            encodings: EncodingId::all().map(encoding).collect(),
            renditions: Mutex::default(),
            tally: Tally::default(),
            waits: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        }
    }

    fn encoding(&self, id: EncodingId) -> Option<&Encoding> {
        self.encodings.iter().find(|encoding| encoding.id == id)
    }

    fn inputs(&self) -> Sender<Input> {
        self.inputs.lock().clone()
    }

    /// Gives a composed frame to every running encoder, each at its size.
    pub(super) fn frame(&self, frame: &gst::Buffer, format: CanvasFormat) {
        let mut renditions = self.renditions.lock();
        renditions.begin(frame, format);
        for encoding in &self.encodings {
            if let Some((encoder, _)) = encoding.encoder.load().as_deref()
                && let Some((frame, caps)) = renditions.get(encoding.id.rendition)
            {
                encoder.push(frame, caps);
            }
        }
    }

    fn unit(&self, id: EncodingId, unit: &gst::Buffer) {
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let pts = unit.pts().map_or(Duration::ZERO, |pts| Duration::from_nanos(pts.nseconds()));
        let Ok(map) = unit.map_readable() else { return };
        if let Some(unit) = Unit::new(id, keyframe, (pts, media_clock().instant(pts)), map.as_slice()) {
            self.delivery.unit(self.key, unit);
        }
    }

    pub(super) fn request_keyframe(&self, id: EncodingId) {
        if let Some(running) = self.encoding(id).and_then(|encoding| encoding.encoder.load_full()) {
            running.0.request_keyframe();
        }
    }

    /// Starts the encoders that somebody needs and stops the others. `receivers` says which of them receivers need.
    /// Returns those that run.
    pub(super) fn rebalance(
        self: &Arc<Self>,
        canvas: (u32, u32, u32),
        receivers: impl Fn(EncodingId) -> bool,
    ) -> Vec<EncodingId> {
        let now = media_clock().now();
        let anybody = EncodingId::all().any(&receivers);
        let mut running = Vec::new();
        self.waits.store(false, Ordering::Relaxed);
        for encoding in &self.encodings {
            let (id, runs) = (encoding.id, encoding.encoder.load().is_some());
            let mut needed_at = encoding.needed_at.lock();
            if receivers(id) {
                *needed_at = now;
                if !runs && now >= encoding.failures.lock().until {
                    if self.tally.is_full() {
                        self.waits.store(true, Ordering::Relaxed);
                    } else {
                        self.begin(encoding, canvas);
                    }
                }
            } else if runs && (!anybody || now.saturating_sub(*needed_at) > LINGER) {
                info!(room = %self.room, codec = %id.codec, rendition = id.rendition.name(canvas), "encoder stopped");
                self.stop(encoding);
            }
            if encoding.encoder.load().is_some() {
                running.push(id);
            }
        }
        running
    }

    fn begin(self: &Arc<Self>, encoding: &Encoding, canvas: (u32, u32, u32)) {
        let (codec, rendition) = (encoding.id.codec, encoding.id.rendition.name(canvas));
        let (held, alive) = self.tally.begin();
        match self.start(encoding.id, canvas, alive) {
            Ok(encoder) => {
                info!(room = %self.room, %codec, rendition, "encoder started");
                encoding.encoder.store(Some(Arc::new((encoder, held))));
            }
            Err(error) => {
                error!(room = %self.room, %codec, rendition, %error, "no encoder");
                encoding.failures.lock().add(media_clock().now());
            }
        }
    }

    /// Returns whether [`Encodings::rebalance`] is due again soon: encoders that are over still end.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    fn start(self: &Arc<Self>, id: EncodingId, canvas: (u32, u32, u32), alive: Alive) -> Result<Encoder, EncodeError> {
        let weak = Arc::downgrade(self);
        let failed = Mutex::new(self.inputs());
        let (_, _, fps) = id.rendition.of(canvas);
        Encoder::start(
            &format!("encode-{}-{}-{}", self.room, id.codec, id.rendition.name(canvas)),
            Recipe::Live { codec: id.codec, bitrate: bitrate_of(id.rendition, canvas), fps },
            &self.launches,
            move |unit| {
                // It ends with the pipeline.
                let _alive = &alive;
                if let Some(encodings) = weak.upgrade() {
                    encodings.unit(id, &unit);
                }
            },
            // Fails only when the room is over.
            move |error| drop(failed.lock().send(Input::EncoderFailed(id, error))),
        )
    }

    /// Throws an encoder away that is of no more use; [`Encodings::rebalance`] makes a new one after a pause, if it is
    /// needed.
    pub(super) fn failed(&self, id: EncodingId, now: Duration) {
        if let Some(encoding) = self.encoding(id) {
            self.stop(encoding);
            encoding.failures.lock().add(now);
            counter!("virfie_encoder_failures_total").increment(1);
        }
    }

    /// Encodings whose encoders take frames and give nothing.
    pub(super) fn hung(&self, now: Duration) -> Vec<EncodingId> {
        let hangs =
            |encoding: &&Encoding| encoding.encoder.load().as_ref().is_some_and(|running| running.0.is_hung(now));
        self.encodings.iter().filter(hangs).map(|encoding| encoding.id).collect()
    }

    /// Counts the time that encoders have taken so far for nothing: the whole process may have been stopped.
    pub(super) fn forgive(&self) {
        self.encodings
            .iter()
            .filter_map(|encoding| encoding.encoder.load_full())
            .for_each(|running| running.0.forgive());
    }

    /// Throws all encoders away, for instance when the canvas changed its size.
    pub(super) fn reset_all(&self) {
        self.encodings.iter().for_each(|encoding| self.stop(encoding));
    }

    fn stop(&self, encoding: &Encoding) {
        if let Some(running) = encoding.encoder.swap(None) {
            self.dropped.fetch_add(running.0.dropped(), Ordering::Relaxed);
        }
    }

    /// Returns frames that encoders had no time for, those of encoders that are over too.
    pub(super) fn dropped(&self) -> u64 {
        let running = self.encodings.iter().filter_map(|encoding| encoding.encoder.load_full());
        self.dropped.load(Ordering::Relaxed) + running.map(|running| running.0.dropped()).sum::<u64>()
    }
}
