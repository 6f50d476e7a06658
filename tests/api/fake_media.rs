//! The media port without media: remembers its orders, answers as media does, and says what a test has it say.

use std::{
    collections::HashMap,
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::{
    sync::{Notify, mpsc::UnboundedSender, oneshot},
    time::timeout,
};
use virfie::media::port::{
    DecodeError, Description, FontUse, Frame, Health, KEYPOINTS, Keypoint, Media, MediaCommand, MediaEvent,
    Negotiation, OutputTarget, ParticipantId, ParticipantPoses, PeerId, PeerRefused, Pose, RoomMedia, RoomSpec,
    Samples, Segmentation, SnapshotError, Still, Trial,
};

pub use super::http::PATIENCE;

/// The answer to every WHIP and WHEP offer, and the offer to every page. Nobody in these tests reads them.
pub const OUR_SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// An offer with this user fragment is refused by the media.
pub const REFUSED_UFRAG: &str = "refuseme";

pub struct FakeMedia {
    rooms: Mutex<HashMap<String, Arc<FakeRoom>>>,
    segmentation: Mutex<Segmentation>,
    busy: AtomicBool,
    /// Whether fonts and sounds take for ever.
    stuck: AtomicBool,
    /// Whether a clip is looked into only later.
    holding: (Mutex<bool>, Condvar),
    trials: Trials,
}

/// Outputs that are tried.
#[derive(Default)]
struct Trials {
    begun: AtomicUsize,
    held: Mutex<bool>,
    go_on: Condvar,
}

impl Default for FakeMedia {
    /// Creates one that can do all that there is.
    fn default() -> Self {
        let segmentation = Segmentation { model: Some("fake".to_owned()), reason: None, keypoints: true };
        Self {
            rooms: Mutex::default(),
            segmentation: Mutex::new(segmentation),
            busy: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
            trials: Trials::default(),
            holding: Default::default(),
        }
    }
}

/// One room's media.
pub struct FakeRoom {
    /// `None` when the media is over, as nobody can report then.
    events: Mutex<Option<UnboundedSender<MediaEvent>>>,
    heard: Mutex<Vec<String>>,
    news: Notify,
    poses: Mutex<Vec<ParticipantPoses>>,
    panics: AtomicBool,
    silent: AtomicBool,
    slow: AtomicBool,
    waiting: Mutex<Vec<oneshot::Sender<Result<Frame, SnapshotError>>>>,
}

struct Port(Arc<FakeRoom>);

impl FakeMedia {
    /// Returns the media of the newest room of this name.
    pub fn room(&self, name: &str) -> Arc<FakeRoom> {
        Arc::clone(self.rooms.lock().get(name).expect("the room has been opened"))
    }

    /// Sets the abilities of the segmentation from now on.
    pub fn set_segmentation(&self, segmentation: Segmentation) {
        *self.segmentation.lock() = segmentation;
    }

    /// Sets whether the system gives no process to decode a file in from now on.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::SeqCst);
    }

    /// Sets whether nothing that is to be done with a font or a sound comes to an end from now on.
    pub fn set_stuck(&self, stuck: bool) {
        self.stuck.store(stuck, Ordering::SeqCst);
    }

    fn wait_while_stuck(&self) {
        let begun = Instant::now();
        // A test that fails meanwhile ends all the same.
        while self.stuck.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sets whether trials of outputs stand still from now on.
    pub fn hold_trials(&self, held: bool) {
        *self.trials.held.lock() = held;
        self.trials.go_on.notify_all();
    }

    /// Returns how many trials have begun.
    pub fn trials(&self) -> usize {
        self.trials.begun.load(Ordering::SeqCst)
    }

    /// Sets whether all who have a clip looked into wait from now on, until they need not any more.
    pub fn hold_clips(&self, holding: bool) {
        *self.holding.0.lock() = holding;
        self.holding.1.notify_all();
    }

    /// Returns an error while it gives no process.
    fn check_busy(&self) -> Result<(), DecodeError> {
        if self.busy.load(Ordering::SeqCst) { Err(DecodeError::NotNow) } else { Ok(()) }
    }

    pub fn has_opened(&self, name: &str) -> bool {
        self.rooms.lock().contains_key(name)
    }
}

impl Media for FakeMedia {
    fn open(&self, room: RoomSpec, events: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
        let fake = Arc::new(FakeRoom {
            events: Mutex::new(Some(events)),
            heard: Mutex::default(),
            news: Notify::new(),
            poses: Mutex::default(),
            panics: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            slow: AtomicBool::new(false),
            waiting: Mutex::default(),
        });
        let keypoints = room.keypoints;
        fake.note(format!("open hold={:?} keypoints={keypoints} {}x{}", room.hold, width(&room), height(&room)));
        self.rooms.lock().insert(room.room.to_string(), Arc::clone(&fake));
        Box::new(Port(fake))
    }

    fn cores(&self) -> usize {
        2
    }

    fn try_output(&self, _: OutputTarget) -> Trial {
        let mut held = self.trials.held.lock();
        self.trials.begun.fetch_add(1, Ordering::SeqCst);
        // A test that fails lets nobody go on.
        self.trials.go_on.wait_while_for(&mut held, |held| *held, PATIENCE);
        Trial::default()
    }

    fn models(&self) -> Vec<String> {
        vec!["embedded".to_owned(), "wide".to_owned()]
    }

    fn look_at_clip(&self, file: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        self.check_busy()?;
        let mut holding = self.holding.0.lock();
        while *holding && !self.holding.1.wait_for(&mut holding, PATIENCE).timed_out() {}
        drop(holding);
        match std::fs::read(file).unwrap().ends_with(b"clip") {
            true => Ok((Still::new(&[255; 16], 2, 2), Some(Duration::from_millis(1500)))),
            false => Err(DecodeError::Refused("no decoder for video/x-nothing is installed in GStreamer".to_owned())),
        }
    }

    fn use_font(&self, _: &Path, _: &str) -> FontUse {
        self.wait_while_stuck();
        self.check_busy().map_or(FontUse::Failed, |()| FontUse::NoProcess)
    }

    fn decode_sound(&self, file: &Path, _: Duration) -> Result<Samples, DecodeError> {
        self.wait_while_stuck();
        self.check_busy()?;
        match std::fs::read(file).unwrap().ends_with(b"sound") {
            true => Ok(Samples { channels: 1, interleaved: vec![1000; 4800] }),
            false => Err(DecodeError::Refused("it holds no sound".to_owned())),
        }
    }

    fn segmentation(&self) -> Segmentation {
        self.segmentation.lock().clone()
    }
}

fn answer_to(offer: &Description) -> Result<String, PeerRefused> {
    match offer.media.iter().any(|section| section.ice_ufrag == REFUSED_UFRAG) {
        true => Err(PeerRefused::Unacceptable("no codec in common".to_owned())),
        false => Ok(OUR_SDP.to_owned()),
    }
}

fn width(room: &RoomSpec) -> u32 {
    room.picture.scene.canvas.width
}

fn height(room: &RoomSpec) -> u32 {
    room.picture.scene.canvas.height
}

impl FakeRoom {
    fn note(&self, line: String) {
        self.heard.lock().push(line);
        self.news.notify_waiters();
    }

    /// Returns all commands so far, each in one line.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().clone()
    }

    /// Waits for a command whose line begins so; the newest such line is the answer.
    pub async fn wait_for(&self, beginning: &str) -> String {
        self.wait_that(beginning, |line| line.starts_with(beginning)).await
    }

    /// Waits for a command of which this is so; `what` says it where that does not come.
    pub async fn wait_that(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let found = async {
            loop {
                let mut news = pin!(self.news.notified());
                news.as_mut().enable();
                if let Some(line) = self.heard().into_iter().rev().find(|line| is_so(line)) {
                    return line;
                }
                news.await;
            }
        };
        match timeout(PATIENCE, found).await {
            Ok(line) => line,
            Err(_) => panic!("no command {what:?} among {:#?}", self.heard()),
        }
    }

    /// Returns the number of the newest connection.
    pub fn newest_peer(&self) -> PeerId {
        let lines = self.heard();
        let is_new = |line: &&String| line.starts_with("add ") || line.starts_with("receive ");
        let line = lines.iter().rev().find(is_new).expect("a connection was made");
        let number = line.split(' ').nth(1).and_then(|peer| peer.strip_prefix("peer-")).expect("it has a number");
        PeerId(number.parse().unwrap())
    }

    /// Has the media find a pose in the frames of these, from now on. Each keypoint is a little to the right of the one
    /// before it.
    pub fn see(&self, participants: &[&str]) {
        let point = |index: usize| Keypoint { x: index as f32 / KEYPOINTS.len() as f32, y: 0.5, score: 0.9 };
        let pose = Pose { score: 0.75, keypoints: std::array::from_fn(point) };
        let found = participants.iter().map(|id| ParticipantPoses {
            participant: ParticipantId((*id).into()),
            age: Duration::from_micros(41_500),
            poses: vec![pose],
        });
        *self.poses.lock() = found.collect();
    }

    /// Makes the next command panic in the task of the room that gives it.
    pub fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Loses every question from now on, as with media whose thread is gone.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Holds back all pictures that are asked for from now on.
    pub fn hold_snapshots(&self) {
        self.slow.store(true, Ordering::SeqCst);
    }

    /// Has the media say something.
    pub fn say(&self, event: MediaEvent) {
        let events = self.events.lock();
        events.as_ref().expect("the media is not over").send(event).expect("the room listens");
    }
}

impl RoomMedia for Port {
    fn send(&self, command: MediaCommand) {
        let room = &self.0;
        assert!(!room.panics.swap(false, Ordering::SeqCst), "a fault that a test has asked for");
        if room.silent.load(Ordering::SeqCst) {
            return;
        }
        let tell = |event| {
            // A room that has ended listens no more.
            let _ = room.events.lock().as_ref().map(|events| events.send(event));
        };
        match command {
            MediaCommand::SetPicture(picture) => {
                let names: Vec<&str> = picture.people.iter().map(|seat| &*seat.name).collect();
                let images: Vec<&str> = picture.images.iter().map(|image| &*image.name).collect();
                let layers: Vec<&str> = picture.scene.layers.iter().map(|layer| layer.id.as_str()).collect();
                room.note(format!("picture people={names:?} layers={layers:?} images={images:?}"));
            }
            MediaCommand::AddReceiver { peer, participant, offer, rendition, reply } => {
                let who = participant.as_ref().map_or("viewer", |id| &*id.0);
                room.note(format!("receive {peer} {who} {rendition:?}"));
                let _ = reply.send(answer_to(&offer));
            }
            MediaCommand::View { peer, view } => room.note(format!("view {peer} {view:?}")),
            MediaCommand::AddSender { peer, participant, negotiation, .. } => {
                let who = &participant.0;
                match negotiation {
                    Negotiation::Offer { ingest } => {
                        room.note(format!("add {peer} {who} offer ingest={ingest:?}"));
                        tell(MediaEvent::PeerOffer { peer, sdp: OUR_SDP.to_owned() });
                        let candidate = "candidate:1 1 UDP 2015363327 192.0.2.1 50000 typ host".to_owned();
                        tell(MediaEvent::PeerCandidate { peer, mline: 0, candidate });
                    }
                    Negotiation::Answer { offer, reply } => {
                        room.note(format!("add {peer} {who} answer"));
                        let _ = reply.send(answer_to(&offer));
                    }
                }
            }
            MediaCommand::Answer { peer, .. } => {
                room.note(format!("answer {peer}"));
                tell(MediaEvent::PeerConnected(peer));
            }
            MediaCommand::Candidate { peer, candidate } => {
                let text = candidate.map_or("end".to_owned(), |candidate| format!("{}", candidate.port));
                room.note(format!("candidate {peer} {text}"));
            }
            MediaCommand::RemovePeer(peer) => room.note(format!("remove {peer}")),
            MediaCommand::Forget(participant) => room.note(format!("forget {participant}")),
            MediaCommand::SetGain { gain, pan, .. } => room.note(format!("gain {gain} pan {pan}")),
            sound @ (MediaCommand::PlaySound(_) | MediaCommand::SetMusic(_)) => room.note(format!("{sound:?}")),
            MediaCommand::SetHold(hold) => room.note(format!("hold {hold:?}")),
            MediaCommand::SetKeypoints(on) => room.note(format!("keypoints {on}")),
            MediaCommand::Poses(reply) => {
                room.note("poses".to_owned());
                let _ = reply.send(room.poses.lock().clone());
            }
            MediaCommand::AddOutput { output, .. } => room.note(format!("start {output}")),
            MediaCommand::ChangeOutput { output, .. } => room.note(format!("change {output}")),
            MediaCommand::PauseOutput { output, paused: true } => room.note(format!("pause {output}")),
            MediaCommand::PauseOutput { output, paused: false } => room.note(format!("resume {output}")),
            MediaCommand::Mark(name) => room.note(format!("mark {name}")),
            MediaCommand::RemoveOutput(output) => room.note(format!("stop {output}")),
            MediaCommand::SetAux { aux, .. } => room.note(format!("show {aux}")),
            MediaCommand::RemoveAux(aux) => room.note(format!("remove {aux}")),
            MediaCommand::Snapshot(_, reply) if room.slow.load(Ordering::SeqCst) => {
                room.waiting.lock().push(reply);
                room.note("snapshot".to_owned());
            }
            MediaCommand::Snapshot(_, reply) => {
                let _ = reply.send(Ok(Frame { width: 2, height: 1, rgb: vec![255, 0, 0, 0, 0, 255] }));
            }
            MediaCommand::Health(reply) => {
                let _ = reply.send(Health {
                    running: true,
                    frames: 7,
                    dropped_frames: 3,
                    fps: 30.0,
                    masks_per_second: 12.345,
                    masks_every: 2,
                    mask_age_ms: 41.987,
                    carried_per_second: 11.5,
                    oldest_mask_ms: 130.0,
                    inputs_smaller: 1,
                    sound_gap_ms: 41.0,
                    longest_sound_gap_ms: 60.0,
                    ..Health::default()
                });
            }
        }
    }
}

impl Drop for Port {
    /// Outputs outlive the room until they are finished, as a test may have them; nothing else does.
    fn drop(&mut self) {
        self.0.note("closed".to_owned());
        if !self.0.heard().iter().any(|line| line.starts_with("start ")) {
            self.0.events.lock().take();
        }
    }
}
