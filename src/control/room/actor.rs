//! One task per room: it owns the room's state, its media and the links to session sockets, and takes one input after
//! the other. It never waits for anything but its next input.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{
        broadcast,
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    link::{Closing, Link},
    meter::Meter,
    state::{Beginning, Effect, Errand, Now, State},
    store::RoomStore,
    view::Event,
};
use crate::media::port::{self, Media, MediaCommand, MediaEvent, PeerId, Picture, RoomMedia, RoomSpec};

/// How often the media of an occupied room is asked how it is doing.
const HEALTH_PERIOD: Duration = Duration::from_secs(2);

/// How often listeners are told poses: what follows a hand needs no more, and a camera gives hardly more masks.
const POSES_PERIOD: Duration = Duration::from_millis(100);

/// How long changes are collected before the room is stored: a layout that is dragged changes 60 times a second.
const KEEP_DELAY: Duration = Duration::from_millis(500);

/// How many events a listener may be behind before it gets a fresh snapshot instead.
const EVENTS_KEPT: usize = 256;

/// A request to the room: it runs inside the room's task, alone.
pub(super) type Call = Box<dyn FnOnce(&mut Room) + Send>;

/// What the room's task owns.
pub(super) struct Room {
    /// The room itself.
    pub(super) state: State,
    events: broadcast::Sender<Arc<Event>>,
    /// The newest only: whoever is slow misses some. Apart from other events, because pages have no use for it.
    poses: watch::Sender<Arc<Event>>,
    links: HashMap<PeerId, Link>,
    media: Box<dyn RoomMedia>,
    /// Of the whole process; tells what the machine can do.
    machine: Arc<dyn Media>,
    meter: Meter,
    store: Arc<RoomStore>,
    /// When what has changed is stored.
    keep_at: Option<Instant>,
    /// What has to be decoded first, by a task of its own.
    errands: mpsc::Sender<Errand>,
}

/// Runs a room until it ends. Its media is open from the first to the last line of this.
pub(super) async fn run(
    beginning: Beginning,
    machine: Arc<dyn Media>,
    store: Arc<RoomStore>,
    mut calls: mpsc::Receiver<Call>,
    errands: mpsc::Sender<Errand>,
) {
    let (news_in, mut news) = mpsc::unbounded_channel::<MediaEvent>();
    let name = beginning.name.shared();
    let picture =
        Picture { scene: Arc::clone(&beginning.scene), people: Vec::new(), speakers: Vec::new(), images: Vec::new() };
    let hold = Duration::from_millis(beginning.settings.hold_ms);
    let keypoints = beginning.settings.keypoints;
    let media = machine.open(RoomSpec { room: Arc::clone(&name), hold, keypoints, picture }, news_in);
    let mut room = Room {
        state: State::new(beginning, now()),
        events: broadcast::channel(EVENTS_KEPT).0,
        poses: watch::Sender::new(Arc::new(Event::Poses { participants: Vec::new() })),
        links: HashMap::new(),
        media,
        machine,
        meter: Meter::new(),
        store,
        keep_at: None,
        errands,
    };
    tracing::info!(room = %name, "room begins");

    let mut health_due = interval(HEALTH_PERIOD);
    health_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut measuring: Option<oneshot::Receiver<port::Health>> = None;
    let mut poses_due = interval(POSES_PERIOD);
    poses_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut finding: Option<oneshot::Receiver<Vec<port::ParticipantPoses>>> = None;
    while !room.state.has_ended() {
        let deadline = room.state.deadline().map(Instant::from_std);
        tokio::select! {
            call = calls.recv() => match call {
                Some(call) => call(&mut room),
                // Nobody can ask for this room any more.
                None => room.state.end(&Closing::RoomEnded),
            },
            Some(heard) = news.recv() => room.state.hear(heard, now()),
            () = reached(deadline) => {}
            () = reached(room.keep_at) => room.keep(),
            _ = health_due.tick(), if measuring.is_none() && !room.state.is_empty() => {
                measuring = Some(room.measure());
            }
            health = answered(&mut measuring) => {
                if let Some(health) = health {
                    room.take_health(health);
                }
            }
            _ = poses_due.tick(), if finding.is_none() && room.poses_wanted() => {
                finding = Some(room.find_poses());
            }
            found = answered(&mut finding) => {
                if let Some(found) = found {
                    room.tell_poses(&found);
                }
            }
        }
        room.settle();
    }
    room.keep();
    tracing::info!(room = %name, "room ends");
}

impl Room {
    /// Does what is due and carries out what the last input caused.
    pub(super) fn settle(&mut self) {
        self.state.tick(now());
        loop {
            let effects = self.state.take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                self.carry_out(effect);
            }
        }
        self.meter.count(self.state.head_count());
        if self.keep_at.is_none() && self.state.is_unkept() {
            self.keep_at = Some(Instant::now() + KEEP_DELAY);
        }
    }

    /// Has the room stored, or forgotten, if that is due.
    fn keep(&mut self) {
        self.keep_at = None;
        if let Some(record) = self.state.take_unkept() {
            self.store.keep(self.state.name(), record);
        } else if self.state.is_to_be_forgotten() {
            self.store.forget(self.state.name());
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Media(command) => {
                if let MediaCommand::RemovePeer(peer) = &command {
                    self.links.remove(peer);
                }
                self.media.send(command);
            }
            Effect::Event(event) => {
                // An error only says that nobody listens.
                let _ = self.events.send(Arc::new(event));
            }
            Effect::Tell(peer, note) => {
                if self.links.get(&peer).is_some_and(|link| link.tell(note).is_err()) {
                    self.close(peer, Closing::TooSlow);
                    self.state.lose(peer, now());
                }
            }
            Effect::Close(peer, why) => self.close(peer, why),
            Effect::Errand(errand) => {
                // Full: more is asked for than can be made ready, and the newest is given up. Not music, which nobody
                // would ask for again.
                match self.errands.try_send(errand) {
                    Err(TrySendError::Full(music @ Errand::Music(_))) => {
                        let errands = self.errands.clone();
                        tokio::spawn(async move { errands.send(music).await });
                    }
                    Err(_) => tracing::warn!(room = %self.state.name(), "a scene or a sound is left out"),
                    Ok(()) => {}
                }
            }
        }
    }

    fn close(&mut self, peer: PeerId, why: Closing) {
        if let Some(link) = self.links.remove(&peer) {
            link.close(why);
        }
    }

    /// From now on what is told to this connection goes to this socket.
    pub(super) fn link(&mut self, peer: PeerId, link: Link) {
        self.links.insert(peer, link);
    }

    /// All events after those of the inputs so far.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// All poses told from now on.
    pub(super) fn subscribe_poses(&self) -> watch::Receiver<Arc<Event>> {
        self.poses.subscribe()
    }

    /// Whether there is somebody to tell poses to, and something to tell.
    fn poses_wanted(&self) -> bool {
        self.poses.receiver_count() > 0 && self.state.check_poses().is_ok()
    }

    /// Tells poses. That nobody is seen is told once.
    fn tell_poses(&self, found: &[port::ParticipantPoses]) {
        let event = Event::Poses { participants: self.state.name_poses(found) };
        let nobody = Event::Poses { participants: Vec::new() };
        self.poses.send_if_modified(|told| {
            let news = event != nobody || **told != nobody;
            if news {
                *told = Arc::new(event);
            }
            news
        });
    }

    /// Asks the media for poses.
    pub(super) fn find_poses(&self) -> oneshot::Receiver<Vec<port::ParticipantPoses>> {
        let (reply, answer) = oneshot::channel();
        self.media.send(MediaCommand::Poses(reply));
        answer
    }

    /// Orders something of the media that the state knows nothing of.
    pub(super) fn order(&self, command: MediaCommand) {
        self.media.send(command);
    }

    /// Asks the media how it is doing.
    pub(super) fn measure(&self) -> oneshot::Receiver<port::Health> {
        let (reply, answer) = oneshot::channel();
        self.media.send(MediaCommand::Health(reply));
        answer
    }

    /// Asks the media for the canvas.
    pub(super) fn snapshot(&self) -> oneshot::Receiver<Result<port::Frame, String>> {
        let (reply, answer) = oneshot::channel();
        self.media.send(MediaCommand::Snapshot(reply));
        answer
    }

    /// Shows these measurements from now on.
    pub(super) fn take_health(&mut self, health: port::Health) {
        self.meter.measure(&health);
        self.state.set_health(health, self.machine.segmentation());
    }
}

/// The time of an input that comes now.
pub(super) fn now() -> Now {
    Now { clock: Instant::now().into_std(), wall: Timestamp::now() }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What was asked for, once it is there; never when nothing was asked for.
async fn answered<T>(asked: &mut Option<oneshot::Receiver<T>>) -> Option<T> {
    let Some(answer) = asked else { return std::future::pending().await };
    let told = answer.await.ok();
    *asked = None;
    told
}
