//! One room's media: builds the stages and joins them. The only place that sees all of them.
//!
//! ```text
//!   RoomMedia::send ─► Input ─► work (the room's media thread) ─┬─► inputs: what people send, a webrtcbin each
//!   news of peers, encoders, clock ─┘      │                    ├─► program: picture, sound, encodings, outputs
//!                     MediaEvents up to control                 └─► receivers: who gets the mix, by deliver
//! ```
//! Contract: commands are carried out in order, on one thread `room-…`; no command waits for a peer, an output or a
//! disk. Failure: a peer that fails is dropped (and torn down elsewhere), an encoder that fails or hangs is made again.
//! A clock or desk that cannot start, ends, or brings nothing for two seconds ends the room's media, as a panic on this
//! thread does: [`MediaEvent::Broken`] says so, and every command after that is ignored. Threads: this one; the stages
//! have their own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::error;

mod aux_pictures;
mod broadcasts;
mod clips;
mod connection;
mod encodings;
mod failures;
mod inputs;
mod isos;
mod news;
mod program;
mod receivers;
mod renditions;
mod stats;
mod tally;
mod tracks;
mod watch;
mod work;

use broadcasts::PictureKey;
use work::Work;

use super::{
    codec::EncodingId,
    compose::{effects::Photo, layer_request::LayerRequest},
    deliver::{self, Delivery},
    gst::launch::Launches,
    iso,
    port::{AudioSettings, AuxId, MediaCommand, MediaEvent, OutputId, ParticipantId, PeerId, RoomMedia, RoomSpec},
    webrtc::peer::{Network, PeerNews},
};

/// The parts that rooms share.
#[derive(Debug)]
pub struct Parts {
    /// The launch texts in force.
    pub launches: Launches,
    /// How senders reach the network.
    pub network: Network,
    /// Serves all who receive.
    pub delivery: Arc<Delivery>,
    /// Whether there is a model.
    pub can_cut: bool,
}

/// The inputs that the room's media thread reacts to.
enum Input {
    Command(MediaCommand),
    Peer(PeerId, PeerNews),
    Delivery(PeerId, deliver::News),
    EncoderFailed(EncodingId, String),
    BroadcastFailed(PictureKey, String),
    SoundFailed(AudioSettings, String),
    OutputOver(OutputId),
    /// Of a recorder of a sender, of this output.
    Iso(OutputId, PeerId, iso::News),
    /// Of the program, or of a picture beside it.
    LayerRequest(Option<AuxId>, ParticipantId, LayerRequest),
    Photo(Photo, Arc<()>),
    Stop,
}

/// The handle that control holds.
pub struct RunningRoom {
    inputs: Mutex<Sender<Input>>,
}

impl std::fmt::Debug for RunningRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunningRoom")
    }
}

impl RunningRoom {
    /// Starts the room's media thread.
    pub fn start(spec: RoomSpec, parts: Arc<Parts>, events: UnboundedSender<MediaEvent>) -> Self {
        let (inputs, received) = channel();
        let own = inputs.clone();
        let room = spec.room.clone();
        let (told, not_begun) = (events.clone(), events.clone());
        let spawned = std::thread::Builder::new().name(format!("room-{room}")).spawn(move || {
            let work = AssertUnwindSafe(|| match Work::new(spec, &parts, events, own) {
                Ok(work) => work.run(&received),
                Err(error) => Err(format!("the room's media cannot start: {error}")),
            });
            let ended = catch_unwind(work).unwrap_or_else(|_| Err("the room's media thread panicked".to_owned()));
            if let Err(reason) = ended {
                error!(%room, reason, "the room's media is given up");
                // Fails only when the room's actor is over.
                let _ = told.send(MediaEvent::Broken { reason });
            }
        });
        if let Err(error) = spawned {
            error!(%error, "the system gives no thread for a room's media");
            // As above.
            let _ = not_begun.send(MediaEvent::Broken {
                reason: format!("the system gives no thread for the room's media: {error}"),
            });
        }
        Self { inputs: Mutex::new(inputs) }
    }

    fn give(&self, input: Input) {
        // Fails only when the thread is over, which has been logged.
        let _ = lock(&self.inputs).send(input);
    }
}

impl RoomMedia for RunningRoom {
    fn send(&self, command: MediaCommand) {
        self.give(Input::Command(command));
    }
}

impl Drop for RunningRoom {
    fn drop(&mut self) {
        self.give(Input::Stop);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
