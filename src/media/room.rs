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
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
};

use parking_lot::Mutex;
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
mod sighting;
mod stats;
mod tally;
mod tracks;
mod watch;
mod work;

use broadcasts::PictureKey;
use watch::Halt;
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
    /// Ways by which senders reach the network.
    pub network: Network,
    /// Serves all who receive.
    pub delivery: Arc<Delivery>,
    /// Whether there is a model.
    pub can_cut: bool,
}

/// The reason why a room has no media any more: a fault of ours, or of the machine.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the system gives no thread for the room's media: {0}")]
    NoThread(io::Error),
    #[error("the room's media cannot start: {0}")]
    NotStarted(io::Error),
    #[error(transparent)]
    Halted(#[from] Halt),
    #[error("the room's media thread panicked")]
    Panicked,
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
                Ok(work) => Ok(work.run(&received)?),
                Err(error) => Err(Broken::NotStarted(error)),
            });
            if let Err(broken) = catch_unwind(work).unwrap_or(Err(Broken::Panicked)) {
                error!(%room, reason = %broken, "the room's media is given up");
                // Fails only when the room's actor is over.
                let _ = told.send(MediaEvent::Broken { reason: broken.to_string() });
            }
        });
        if let Err(error) = spawned {
            error!(%error, "the system gives no thread for a room's media");
            // As above.
            let _ = not_begun.send(MediaEvent::Broken { reason: Broken::NoThread(error).to_string() });
        }
        Self { inputs: Mutex::new(inputs) }
    }

    fn give(&self, input: Input) {
        // Fails only when the thread is over, which has been logged.
        let _ = self.inputs.lock().send(input);
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
