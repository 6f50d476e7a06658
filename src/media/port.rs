//! The narrow port between control and media: commands go down, events come up, nothing else crosses.
//!
//! Control sees this module only; what both name of outputs and recordings stands below it. [`Media`] opens a room's
//! media and answers with a [`RoomMedia`], whose one method takes a [`MediaCommand`] and returns at once; [`MediaEvent`]s
//! report what happens on the channel given at opening. Tests of the control tree implement both traits with a fake.

mod assets;
mod health;
pub mod iso_document;
pub mod output;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use tokio::sync::{mpsc::UnboundedSender, oneshot};

pub use self::{
    assets::{Clip, FontUse, Image, Samples, Sound},
    health::{Health, Loudness},
    iso_document::Document as IsoDocument,
    output::{
        address::{RtmpAddress, SRT_CALLERS, SrtAddress, WhipAddress},
        hls::{
            CODECS as HLS_CODECS, Cut as HlsCut, END as HLS_END, EVENT as HLS_EVENT, HlsTarget,
            LONGEST_PLAYLIST as HLS_LONGEST_PLAYLIST, PLAYLIST as HLS_PLAYLIST, Window as HlsWindow,
        },
        notes::{self, Notes},
        settings::{
            AudioCodec, AudioSettings, AudioWish, Preset, Profile, RateControl, Speed, VIDEO_KILOBITS, VideoSettings,
            VideoWish, Wishes,
        },
        terms::{
            AuxId, Blame, Container, FileTarget, Flow, IsoTarget, OutputFault, OutputId, OutputKind, OutputSpec,
            OutputState, OutputTarget, Recorded, Split, Trial, TrialStep,
        },
    },
};
pub use crate::media::{
    codec::{RECEIVED, Rendition, SENT, VideoCodec},
    compose::still::Still,
    sdp::{Candidate, Description, Fault as SdpFault, Fragment, SdpKind, is_internal, network_of, parse_fragment},
    segment::pose::{KEYPOINTS, Keypoint, Pose},
};
use crate::{
    layout::{Scene, Trigger},
    media::sdp::{Chosen, check_whole, choose},
};

/// The least silence by which a connection is lost that its other end did not close.
pub const SHORTEST_SILENCE: Duration = Duration::from_millis(4_500);

/// Opens the media of rooms. One per process.
pub trait Media: Send + Sync + 'static {
    /// Starts a room's media. It ends when the returned value is dropped.
    fn open(&self, room: RoomSpec, events: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia>;
    /// Returns what the segmentation can do on this machine, for `/readyz` and the room state.
    fn segmentation(&self) -> Segmentation;
    /// Returns the models that layers can name now.
    fn models(&self) -> Vec<String>;
    /// Returns how many cores of the machine it may use.
    fn cores(&self) -> usize {
        1
    }
    /// Returns how many threads a sound or clip takes at most while it is decoded.
    fn threads_of_file(&self) -> usize {
        1
    }
    /// Returns how many pipelines nobody uses any more, of all rooms, that still give up their threads and memory.
    fn ending(&self) -> usize {
        0
    }
    /// Decodes a sound file to samples of 48 kHz. Takes up to some seconds: for blocking threads.
    ///
    /// # Errors
    /// Why it cannot be played, or that it is longer than `longest`; in one line.
    fn decode_sound(&self, file: &Path, longest: Duration) -> Result<Samples, DecodeError>;
    /// Returns the first picture of a video file, and how long it is, if it says so. Takes up to some seconds.
    ///
    /// # Errors
    /// Why it cannot be shown, in one line without its path: it is damaged, too large, or there is no decoder for it.
    fn look_at_clip(&self, file: &Path) -> Result<(Still, Option<Duration>), DecodeError>;
    /// Tries what an output would be sent to. Takes up to ten seconds: for blocking threads.
    fn try_output(&self, _target: OutputTarget) -> Trial {
        Trial::default()
    }
    /// Has a process of its own do with a font file what `wish` says. That and the answer are the asker's matter. Takes
    /// up to some seconds: for blocking threads.
    fn use_font(&self, _file: &Path, _wish: &str) -> FontUse {
        FontUse::NoProcess
    }
}

/// One room's media. Dropping it tears every pipeline of the room down, off-thread.
pub trait RoomMedia: Send + Sync + 'static {
    /// Hands a command to the room's media thread; never blocks. Commands are carried out in order.
    fn send(&self, command: MediaCommand);
}

/// The state of segmentation: whether people can be cut out, and by which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segmentation {
    /// Name of the loaded model, `None` without one: whole pictures are shown.
    pub model: Option<String>,
    /// Reason why no model is loaded, in one line for the log, `/readyz` and the room state.
    pub reason: Option<String>,
    /// Whether the model finds keypoints, too.
    pub keypoints: bool,
}

/// The values that a room's media needs at its start.
#[derive(Debug, Clone)]
pub struct RoomSpec {
    /// The room's name, for logs, thread names and metrics.
    pub room: Arc<str>,
    /// Time for which the last frame of a silent sender stays on the canvas.
    pub hold: Duration,
    /// Whether keypoints are found, as by [`MediaCommand::SetKeypoints`].
    pub keypoints: bool,
    /// The picture at the start.
    pub picture: Picture,
}

/// A participant's place in the room. It outlives the connection: a reload keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub Arc<str>);

/// One WebRTC connection, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer-{}", self.0)
    }
}

/// All that decides what the canvas shows, applied whole at one frame edge.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The validated layout.
    pub scene: Arc<Scene>,
    /// The people who may be on it, in order of joining (slots and `auto` follow this order). Those who are hidden
    /// or not on air are left out.
    pub people: Vec<Seat>,
    /// The people who spoke, the last one first; for the automatic mode `spotlight`. Some may be missing in `people`.
    pub speakers: Vec<ParticipantId>,
    /// The images that the scene names (background, image layers), and its texts' pictures by their names. One that is
    /// missing shows nothing.
    pub images: Vec<Image>,
}

/// A participant as the layout sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Participant whose frames are shown.
    pub participant: ParticipantId,
    /// The name that layers use.
    pub name: Arc<str>,
}

/// The way that a sender is negotiated.
#[derive(Debug)]
pub enum Negotiation {
    /// The browser's session: we offer to receive its sound and its camera. [`MediaEvent::PeerOffer`] follows, then
    /// [`MediaCommand::Answer`] and candidates both ways.
    Offer {
        /// The video codec that the browser shall send.
        ingest: VideoCodec,
    },
    /// WHIP: one answer, with all candidates gathered within a second.
    Answer {
        /// The peer's checked offer.
        offer: Description,
        /// Gets the answer.
        reply: AnswerReply,
    },
}

/// Returns whether the media will take all of an offer that is media, before anything is changed for it. `sends`: the
/// peer sends; otherwise it receives.
///
/// # Errors
/// [`PeerRefused::Unacceptable`], with what was offered.
pub fn check_offer(offer: &Description, sends: bool) -> Result<(), PeerRefused> {
    let chosen = if sends { choose_for_sender(offer) } else { choose(offer, &[], &SENT) };
    let wanted: &[VideoCodec] = if sends { &RECEIVED } else { &SENT };
    chosen
        .and_then(|chosen| check_whole(offer, &chosen, wanted, sends))
        .map_err(|fault| PeerRefused::Unacceptable(fault.to_string()))
}

/// Returns what is taken of a sender's offer.
pub(super) fn choose_for_sender(offer: &Description) -> Result<Vec<Chosen>, SdpFault> {
    choose(offer, &RECEIVED, &[])
}

/// The rendition that a receiver wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RenditionWish {
    /// The largest that its line carries and its player shows.
    #[default]
    Auto,
    /// This one, whatever the line says.
    Fixed(Rendition),
}

/// The view of a receiver: what it can use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReceiverView {
    /// Height of its player in pixels of its screen; `None`: unknown.
    pub height: Option<u32>,
    /// Nobody looks at it.
    pub hidden: bool,
    /// The viewer asked the browser to save data.
    pub save_data: bool,
    /// Share of frames that it has no time to decode, 0 to 1.
    pub dropped: f32,
    /// The rendition that it wants.
    pub rendition: RenditionWish,
}

/// The way that the mix reaches a receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryReport {
    /// Of its picture; `None`: it takes sound alone.
    pub codec: Option<VideoCodec>,
    /// The rendition that it is sent, by its height (`360p`); `None`: sound alone.
    pub rendition: Option<String>,
    /// All renditions that there are, the largest first.
    pub renditions: Vec<String>,
    /// Reason for this rendition: `start`, `slow network`, `loss`, `small player`, `hidden`, `save data`, `slow
    /// decoder`, `fixed` or `recovered`.
    pub reason: &'static str,
    /// Share of packets lost, 0 to 1.
    pub loss: f32,
    /// To the receiver and back, once known.
    pub round_trip: Option<Duration>,
    /// Estimated capacity of its line, in bits a second, once known.
    pub estimate: Option<u64>,
}

/// The reason why a file that somebody sent gives nothing, in one line that does not name it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is of no use, in the words of what decodes it: the fault of who sent it.
    #[error("{0}")]
    Refused(String),
    /// It brought its process down: likewise.
    #[error("it is damaged, or takes too much memory or time")]
    BroughtDown,
    /// The system gives no process to decode it in, or GStreamer lacks something: the server's fault.
    #[error("the server cannot decode it now")]
    NotNow,
}

/// The reason why there is no picture of the canvas now; later there may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The room is new.
    #[error("nothing has been composed yet")]
    Nothing,
    /// The picture beside the program is gone.
    #[error("there is no such picture now")]
    NoAux,
    /// Our fault.
    #[error("the frame cannot be read")]
    Unreadable,
    /// Our fault.
    #[error("the frame is too short")]
    TooShort,
}

/// Gets the SDP of an answer, or the reason why it is missing.
pub type AnswerReply = oneshot::Sender<Result<String, PeerRefused>>;

/// The reason why a peer could not be made.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PeerRefused {
    /// The offer has nothing we can take (HTTP 422).
    #[error("{0}")]
    Unacceptable(String),
    /// Our own fault (HTTP 500).
    #[error("{0}")]
    Failed(String),
}

/// Orders to a room's media.
#[derive(Debug)]
pub enum MediaCommand {
    /// Shows this from the next frame on.
    SetPicture(Picture),
    /// Changes how long a silent sender's last frame stays.
    SetHold(Duration),
    /// Whether the keypoints of everybody with a camera are found, shown or not. Where [`Segmentation::keypoints`] is
    /// false this changes nothing.
    SetKeypoints(bool),
    /// Makes a connection that sends. The participant's older one, if any, is replaced: its frames stop counting at
    /// once and it is torn down.
    AddSender {
        /// The new connection.
        peer: PeerId,
        /// Participant whose connection it is.
        participant: ParticipantId,
        /// The name that others see.
        name: Arc<str>,
        /// The side that offers, and its offer.
        negotiation: Negotiation,
    },
    /// Makes a connection that receives.
    AddReceiver {
        /// The new connection.
        peer: PeerId,
        /// The participant who does not want to hear themselves; `None` for a viewer.
        participant: Option<ParticipantId>,
        /// The peer's checked offer.
        offer: Box<Description>,
        /// The rendition that it wants.
        rendition: RenditionWish,
        /// Gets the answer, with all candidates in it.
        reply: AnswerReply,
    },
    /// Sets what a receiver can use and wants from now on.
    View {
        /// The connection.
        peer: PeerId,
        /// See there.
        view: ReceiverView,
    },
    /// The browser's answer to our offer.
    Answer {
        /// The connection.
        peer: PeerId,
        /// The checked answer.
        answer: Description,
    },
    /// A remote candidate; `None` is the end of candidates.
    Candidate {
        /// The connection.
        peer: PeerId,
        /// The checked candidate.
        candidate: Option<Candidate>,
    },
    /// Ends a connection. Media reports nothing of this peer after it. The participant's last frame is held for `hold`
    /// unless [`MediaCommand::Forget`] follows.
    RemovePeer(PeerId),
    /// A participant left for good: frame, sound and slot state are dropped.
    Forget(ParticipantId),
    /// Loudness of a participant in the mix, and the direction.
    SetGain {
        /// Their id.
        participant: ParticipantId,
        /// Linear gain, 0.0..=2.0 (1.0 unchanged); 0.0 is muted.
        gain: f32,
        /// Between left (-1.0) and right (1.0).
        pan: f32,
    },
    /// Plays a sound into the mix, once.
    PlaySound(Arc<Sound>),
    /// Plays this music into the mix from now on, again and again, in place of what was played; `None`: none.
    SetMusic(Option<Arc<Sound>>),
    /// Starts sending the room somewhere.
    AddOutput {
        /// Its id.
        output: OutputId,
        /// Destination, and what it gets.
        spec: OutputSpec,
    },
    /// Sends something else from the next keyframe on, over the same connection.
    ChangeOutput {
        /// Its id.
        output: OutputId,
        /// As what.
        wishes: Wishes,
        /// Of which picture; `None`: the program.
        aux: Option<AuxId>,
    },
    /// Shows this in a picture beside the program from the next frame on. It is composed while an output that runs has
    /// it.
    SetAux {
        /// Id of the picture.
        aux: AuxId,
        /// The picture that it shows.
        picture: Picture,
    },
    /// Forgets a picture beside the program.
    RemoveAux(AuxId),
    /// Pauses a recording from now on, or goes on with the next keyframe.
    PauseOutput {
        /// Its id.
        output: OutputId,
        /// Whether it is paused; otherwise it goes on.
        paused: bool,
    },
    /// Names this moment in all recordings that run.
    Mark(Arc<str>),
    /// Stops and forgets an output; [`OutputState::Stopped`] is the last report of it.
    RemoveOutput(OutputId),
    /// The canvas now, or that of a picture beside the program.
    Snapshot(Option<AuxId>, oneshot::Sender<Result<Frame, SnapshotError>>),
    /// Numbers for the room state.
    Health(oneshot::Sender<Health>),
    /// The newest poses of everybody in whose frames keypoints are found; nobody's while that is off.
    Poses(oneshot::Sender<Vec<ParticipantPoses>>),
}

/// One composed picture, 8-bit RGB, row-major without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}x{})", self.width, self.height)
    }
}

/// Everybody who is seen in one participant's frame.
#[derive(Debug, Clone, PartialEq)]
pub struct ParticipantPoses {
    /// Participant whose frame it is.
    pub participant: ParticipantId,
    /// Since the arrival of that frame.
    pub age: Duration,
    /// The most certain first; empty when nobody is seen. Places are those of the participant's own frame.
    pub poses: Vec<Pose>,
}

/// Kind of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// Opus.
    Audio,
    /// VP8, H.264 or VP9.
    Video,
}

/// News from a room's media.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaEvent {
    /// Our offer for a [`Negotiation::Offer`] sender.
    PeerOffer {
        /// The connection.
        peer: PeerId,
        /// SDP.
        sdp: String,
    },
    /// A local candidate of a [`Negotiation::Offer`] peer.
    PeerCandidate {
        /// The connection.
        peer: PeerId,
        /// The m-line's index.
        mline: u32,
        /// `candidate:…`
        candidate: String,
    },
    /// DTLS is up and the fingerprint is the one of the SDP; media flows. Of senders and of receivers.
    PeerConnected(PeerId),
    /// Delivery of the mix to a receiver: about once a second, and when its rendition changes.
    Delivery {
        /// The connection.
        peer: PeerId,
        /// See there.
        delivery: DeliveryReport,
    },
    /// Size at which somebody's whole picture is shown on the canvas, so that they need not send more.
    Shown {
        /// Their id.
        participant: ParticipantId,
        /// Width and height in pixels; 0 x 0: not at all.
        size: (u32, u32),
        /// Frames a second of the canvas.
        fps: u32,
    },
    /// The peer is dead or refused; it is already being torn down. Not reported after [`MediaCommand::RemovePeer`].
    PeerGone {
        /// The connection.
        peer: PeerId,
        /// In one line.
        reason: String,
    },
    /// First frame or sample of a track, or a change of the picture's size (video only).
    TrackStarted {
        /// Participant whose track it is.
        participant: ParticipantId,
        /// Kind of the track.
        kind: TrackKind,
        /// Width and height in pixels, for video.
        size: Option<(u32, u32)>,
    },
    /// Nothing came for `hold` (video) or 3 s (audio): camera or microphone is off, or the network is gone.
    TrackStopped {
        /// Participant whose track it is.
        participant: ParticipantId,
        /// Kind of the track.
        kind: TrackKind,
    },
    /// Reason why nothing is seen of a sender whose video comes; `None`: it is seen again.
    VideoProblem {
        /// The connection.
        peer: PeerId,
        /// In one line.
        problem: Option<String>,
    },
    /// Whether nobody is found in the pictures of a sender whom a layer cuts out. Until the first word on a connection,
    /// somebody is.
    Lost {
        /// The connection.
        peer: PeerId,
        /// Now.
        lost: bool,
    },
    /// Someone began or stopped speaking.
    Speaking {
        /// Their id.
        participant: ParticipantId,
        /// Now.
        speaking: bool,
    },
    /// Loudness of the mix: once a second while it is not silent, and once when it has become so.
    Loudness(Loudness),
    /// A trigger of the layout fired.
    TriggerFired {
        /// As it was when it fired: the layout may have changed since.
        trigger: Arc<Trigger>,
        /// Participants whose keypoints made it fire.
        participants: Vec<ParticipantId>,
    },
    /// A trigger took a picture.
    PhotoTaken {
        /// Its id.
        trigger: Arc<str>,
        /// The picture.
        frame: Frame,
        /// The sound asset that is played with it.
        sound: Option<String>,
    },
    /// The room's media is of no more use, and everything of it is given up: it has to be opened again. Nothing
    /// follows.
    Broken {
        /// In one line.
        reason: String,
    },
    /// An output changed its state.
    Output {
        /// Id of the output.
        output: OutputId,
        /// Now.
        state: OutputState,
    },
    /// The flow to a live output, every few seconds.
    OutputFlow {
        /// Id of the output.
        output: OutputId,
        /// The flow.
        flow: Flow,
    },
    /// An output has finished a file. The state in which it ends is reported after that.
    Recorded {
        /// Id of the output.
        output: OutputId,
        /// The file.
        file: Recorded,
    },
}
