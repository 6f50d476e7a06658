//! What the canvas is encoded into and who gets it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
    mpsc::Sender,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use gstreamer as gst;
use gstreamer_app::AppSrc;
use tracing::{error, info};

use super::Input;
use crate::media::{
    encode::{Encoder, bitrate_for},
    fanout::{rtmp::RtmpOutput, webrtc::Receivers},
    gst::launch::Launches,
    port::{OutputId, PeerId, SENT, VideoCodec},
};

/// One encoding: its encoder while somebody needs it, and its receivers.
#[derive(Debug, Default)]
struct Encoding {
    encoder: ArcSwapOption<Encoder>,
    receivers: Receivers,
}

/// All encodings of a room and its outputs. Frames come from the clock's thread, units from the encoders', changes
/// from the room's.
#[derive(Debug)]
pub(super) struct Encodings {
    room: Arc<str>,
    launches: Launches,
    inputs: Mutex<Sender<Input>>,
    encodings: [Encoding; SENT.len()],
    outputs: ArcSwap<Vec<(OutputId, Arc<RtmpOutput>)>>,
    /// Frames that encoders which are over had no time for.
    dropped: AtomicU64,
}

impl Encodings {
    pub(super) fn new(room: Arc<str>, launches: Launches, inputs: Sender<Input>) -> Self {
        Self {
            room,
            launches,
            inputs: Mutex::new(inputs),
            encodings: Default::default(),
            outputs: ArcSwap::default(),
            dropped: AtomicU64::new(0),
        }
    }

    fn encoding(&self, codec: VideoCodec) -> &Encoding {
        // Whoever cannot have H.264 gets VP8: there is no third encoding.
        &self.encodings[usize::from(codec != VideoCodec::H264)]
    }

    fn inputs(&self) -> Sender<Input> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A composed frame to every running encoder.
    pub(super) fn frame(&self, frame: &gst::Buffer, caps: &gst::Caps) {
        for encoding in &self.encodings {
            if let Some(encoder) = encoding.encoder.load().as_ref() {
                encoder.push(frame, caps);
            }
        }
    }

    /// A block of the mix to every output.
    pub(super) fn block(&self, samples: &[f32], pts: std::time::Duration) {
        for (_, output) in self.outputs.load().iter() {
            output.audio(samples, pts);
        }
    }

    fn unit(&self, codec: VideoCodec, unit: &gst::Buffer) -> bool {
        if codec == VideoCodec::H264 {
            for (_, output) in self.outputs.load().iter() {
                output.video(unit);
            }
        }
        self.encoding(codec).receivers.send(unit)
    }

    /// Adds a receiver. The caller rebalances.
    pub(super) fn add(&self, codec: VideoCodec, peer: PeerId, src: AppSrc) {
        self.encoding(codec).receivers.add(peer, src);
        self.request_keyframe(codec);
    }

    /// Removes a receiver; `true` when there was one, and the caller rebalances.
    pub(super) fn remove(&self, peer: PeerId) -> bool {
        // Not short-circuited: every encoding is asked.
        self.encodings.iter().fold(false, |found, encoding| encoding.receivers.remove(peer) | found)
    }

    pub(super) fn add_output(&self, id: OutputId, output: RtmpOutput) {
        let output = Arc::new(output);
        self.outputs.rcu(|list| {
            let mut list = Vec::clone(list);
            list.push((id.clone(), output.clone()));
            list
        });
    }

    pub(super) fn remove_output(&self, id: &OutputId) {
        self.outputs.rcu(|list| list.iter().filter(|(known, _)| known != id).cloned().collect::<Vec<_>>());
    }

    pub(super) fn request_keyframe(&self, codec: VideoCodec) {
        if let Some(encoder) = self.encoding(codec).encoder.load().as_ref() {
            encoder.request_keyframe();
        }
    }

    /// Starts the encoders that somebody needs and stops the others. Returns the names of those that run.
    pub(super) fn rebalance(self: &Arc<Self>, (width, height, fps): (u32, u32, u32)) -> Vec<String> {
        let mut running = Vec::new();
        for (codec, encoding) in SENT.into_iter().zip(&self.encodings) {
            let outputs = codec == VideoCodec::H264 && !self.outputs.load().is_empty();
            let needed = outputs || !encoding.receivers.is_empty();
            let runs = encoding.encoder.load().is_some();
            if needed && !runs {
                match self.start(codec, bitrate_for(width, height, fps), fps) {
                    Ok(encoder) => {
                        info!(room = %self.room, %codec, "encoder started");
                        encoding.encoder.store(Some(Arc::new(encoder)));
                    }
                    Err(error) => error!(room = %self.room, %codec, %error, "no encoder"),
                }
            } else if !needed && runs {
                info!(room = %self.room, %codec, "encoder stopped");
                self.stop(encoding);
            }
            if encoding.encoder.load().is_some() {
                running.push(codec.to_string());
            }
        }
        running
    }

    fn start(self: &Arc<Self>, codec: VideoCodec, bitrate: u32, fps: u32) -> Result<Encoder, String> {
        let (weak, inputs) = (Arc::downgrade(self), Mutex::new(self.inputs()));
        let failed = Mutex::new(self.inputs());
        let send = |inputs: &Mutex<Sender<Input>>, input| {
            // Fails only when the room is over.
            let _ = inputs.lock().unwrap_or_else(PoisonError::into_inner).send(input);
        };
        Encoder::start(
            &format!("encode-{}-{codec}", self.room),
            codec,
            bitrate,
            fps,
            &self.launches,
            move |unit| {
                if weak.upgrade().is_some_and(|encodings| encodings.unit(codec, &unit)) {
                    send(&inputs, Input::Keyframe(codec));
                }
            },
            move |error| send(&failed, Input::EncoderFailed(codec, error)),
        )
    }

    /// Throws an encoder away; [`Encodings::rebalance`] makes a new one if it is needed.
    pub(super) fn reset(&self, codec: VideoCodec) {
        self.stop(self.encoding(codec));
    }

    /// Lets go of every output and encoder: the room is over.
    pub(super) fn clear(&self) {
        self.outputs.store(Arc::default());
        self.reset_all();
    }

    /// Throws all encoders away, for instance when the canvas changed its size.
    pub(super) fn reset_all(&self) {
        self.encodings.iter().for_each(|encoding| self.stop(encoding));
    }

    fn stop(&self, encoding: &Encoding) {
        if let Some(encoder) = encoding.encoder.swap(None) {
            self.dropped.fetch_add(encoder.dropped(), Ordering::Relaxed);
        }
    }

    /// Frames that encoders had no time for, those of encoders that are over too.
    pub(super) fn dropped(&self) -> u64 {
        let running = self.encodings.iter().filter_map(|encoding| encoding.encoder.load_full());
        self.dropped.load(Ordering::Relaxed) + running.map(|encoder| encoder.dropped()).sum::<u64>()
    }
}
