//! One task per room: it owns the room's state, its media and the links to session sockets, and takes one input after
//! the other. It never waits for anything but its next input. Media that breaks, or no longer answers, is opened again.
//!
//! - `supervise`: begins the task again after a fault, from the room's record.
//! - [`link`]: the room's end of a session socket.
//! - `news`: what the media says, up to its last word.
//! - `meter`: a room's part of the metrics.

pub mod link;
mod meter;
mod news;
pub(super) mod supervise;

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

use self::{
    link::Link,
    meter::Meter,
    news::News,
    supervise::{DownMark, Lasting, Remembered},
};
use super::{
    faults::Faults,
    state::{Asker, Beginning, Effect, Job, Now, State, note::Closing, record::RoomRecord, view::Event},
};
use crate::media::port::{self, AuxId, MediaCommand, PeerId, RoomMedia, SnapshotError};

/// Time between two questions to the media of an occupied room about its health.
const HEALTH_PERIOD: Duration = Duration::from_secs(2);

/// Time between two reports of poses to listeners: what follows a hand needs no more, and a camera gives hardly more
/// masks.
const POSES_PERIOD: Duration = Duration::from_millis(100);

/// The shortest time between two writes of a room: a layout that is dragged changes 60 times a second.
const KEEP_DELAY: Duration = Duration::from_millis(500);

/// The same where only data and timers have changed: a program may put a value many times a second for hours, and each
/// write is one of the whole room.
const KEEP_WORDS_DELAY: Duration = Duration::from_secs(5);

/// Media that has not reported its health for so long hangs. It sees for itself that no frame comes, much earlier.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A request to the room: it runs inside the room's task, alone.
pub(super) type Call = Box<dyn FnOnce(&mut Room) + Send>;

/// The values that the room's task owns.
pub(super) struct Room {
    /// The room itself.
    pub(super) state: State,
    lasting: Lasting,
    links: HashMap<PeerId, Link>,
    media: Box<dyn RoomMedia>,
    /// Its reports.
    news: News,
    meter: Meter,
    /// Moment at which what has changed is stored.
    keep_at: Option<Instant>,
    /// Moment at which that was done last.
    kept_at: Option<Instant>,
    faults: Faults,
    /// Moment at which the media is opened again; `None` while it is open.
    open_at: Option<Instant>,
    /// Held from a fault of the media until the next one has reported its health.
    down: Option<DownMark>,
}

/// Runs a room until it ends. Its media is open from the first to the last line of this, but for pauses after faults.
async fn run(beginning: Beginning, lasting: Lasting, calls: &mut mpsc::Receiver<Call>) {
    let (news_in, news) = News::of(&lasting);
    let needs_images = beginning.scene.needs_images();
    let mut state = State::new(beginning, now());
    let (rebuilds, because) = {
        let memory = lasting.memory.lock();
        (memory.rebuilds, memory.because.clone())
    };
    state.set_rebuilds(rebuilds, because);
    let media = lasting.parts.machine.open(state.media_spec(), news_in);
    let name = state.name().shared();
    let mut room = Room {
        state,
        lasting,
        links: HashMap::new(),
        media,
        news,
        meter: Meter::new(),
        keep_at: None,
        kept_at: None,
        faults: Faults::default(),
        open_at: None,
        down: None,
    };
    tracing::info!(room = %name, "room begins");
    room.settle();
    if needs_images {
        room.carry_out(Effect::Job(Job::Images));
    }
    if rebuilds > 0 {
        // Those who listen know another room.
        room.carry_out(Effect::Event(Event::snapshot(room.state.describe())));
    }

    let mut health_due = interval(HEALTH_PERIOD);
    health_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut measuring: Option<oneshot::Receiver<port::Health>> = None;
    let mut answer_due: Option<Instant> = None;
    let mut poses_due = interval(POSES_PERIOD);
    poses_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut finding: Option<oneshot::Receiver<Vec<port::ParticipantPoses>>> = None;
    while !room.state.has_ended() {
        let deadline = room.state.deadline(now()).map(Instant::from_std);
        tokio::select! {
            call = calls.recv() => match call {
                Some(call) => call(&mut room),
                // Nobody can ask for this room any more.
                None => room.state.end(&Closing::RoomEnded),
            },
            heard = room.news.next(), if room.open_at.is_none() => match heard {
                Some(heard) => {
                    if let Some(reason) = room.state.hear(heard, now()) {
                        room.media_broke(&reason);
                    }
                }
                None => room.media_broke("the room's media ended by itself"),
            },
            () = reached(deadline) => {}
            () = reached(room.keep_at) => room.keep(),
            () = reached(room.open_at) => {
                room.reopen();
                // Whether it lives is asked at once.
                (measuring, answer_due) = (Some(room.measure()), Some(Instant::now() + ANSWER_LIMIT));
            }
            _ = health_due.tick(), if measuring.is_none() && room.open_at.is_none() && !room.state.is_empty() => {
                (measuring, answer_due) = (Some(room.measure()), Some(Instant::now() + ANSWER_LIMIT));
            }
            health = answered(&mut measuring) => {
                answer_due = None;
                match health {
                    Some(health) => {
                        room.down = None;
                        room.take_health(health);
                    }
                    // Its thread is gone, and with it the question.
                    None if room.open_at.is_none() => room.media_broke("the room's media is gone"),
                    None => {}
                }
            }
            () = reached(answer_due) => {
                // When the whole process was stopped, the answer may be on its way.
                let late = answer_due.take().is_some_and(|due| due.elapsed() > Duration::from_secs(1));
                if late {
                    answer_due = Some(Instant::now() + ANSWER_LIMIT);
                } else if room.open_at.is_none() {
                    measuring = None;
                    room.media_broke("the room's media does not answer");
                }
            }
            _ = poses_due.tick(), if finding.is_none() && room.poses_wanted() => {
                finding = Some(room.find_poses());
            }
            found = answered(&mut finding) => {
                if let Some(found) = found {
                    room.report_poses(&found);
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
        self.meter.count_outputs(self.state.output_count());
        if self.state.is_unkept() {
            let delay = if self.state.is_more_than_words_unkept() { KEEP_DELAY } else { KEEP_WORDS_DELAY };
            let now = Instant::now();
            let due = self.kept_at.map_or(now, |last| now.max(last + delay));
            self.keep_at = Some(self.keep_at.map_or(due, |at| at.min(due)));
        }
        self.remember();
    }

    /// Remembers the room for the case that its next input ends in a fault.
    fn remember(&self) {
        let mut memory = self.lasting.memory.lock();
        memory.ended = self.state.end_reason();
        memory.stored = self.state.is_stored();
        let changed = (self.state.others_changed(), self.state.words_changed());
        let Remembered { record, others, words, .. } = &mut *memory;
        let is_old = |record: &RoomRecord| record.past.revision != self.state.revision() || *others != changed.0;
        match record {
            Some(record) if !is_old(record) => {
                // A program may put a value many times a second, and the rest of the room may be large.
                if *words != changed.1 {
                    self.state.record_words(record);
                }
            }
            _ => *record = Some(self.state.record()),
        }
        (*others, *words) = changed;
    }

    /// Gives media up that is of no more use; another one is opened soon.
    fn media_broke(&mut self, reason: &str) {
        if self.open_at.is_some() {
            return;
        }
        let pause = self.faults.pause(Instant::now().into_std());
        tracing::error!(room = %self.state.name(), reason, again_in = ?pause, "the room's media broke; it is opened again");
        let vitals = &self.lasting.parts.vitals;
        vitals.rebuild("media");
        if self.down.is_none() {
            self.down = Some(DownMark::new(vitals));
        }
        let rebuilds = {
            let mut memory = self.lasting.memory.lock();
            memory.rebuilds += 1;
            memory.because = Some(reason.into());
            memory.rebuilds
        };
        self.state.set_rebuilds(rebuilds, Some(reason.into()));
        self.state.lose_media(reason, now());
        self.open_at = Some(Instant::now() + pause);
    }

    /// Opens media in place of what broke.
    fn reopen(&mut self) {
        self.open_at = None;
        let (news_in, news) = News::of(&self.lasting);
        self.media = self.lasting.parts.machine.open(self.state.media_spec(), news_in);
        self.news = news;
        self.state.take_media(now());
        tracing::info!(room = %self.state.name(), "the room's media is open again");
    }

    /// Has the room stored, or forgotten, if that is due.
    fn keep(&mut self) {
        self.keep_at = None;
        self.kept_at = Some(Instant::now());
        if let Some(record) = self.state.take_unkept() {
            self.lasting.parts.store.keep(self.state.name(), record);
        } else if self.state.is_to_be_forgotten() {
            self.lasting.parts.store.forget(self.state.name());
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Media(command) => {
                if let MediaCommand::RemovePeer(peer) = &command {
                    self.links.remove(peer);
                }
                self.news.expect_of(&command);
                self.media.send(command);
            }
            Effect::Event(event) => self.lasting.tell(event),
            Effect::Notify(peer, note) => {
                if self.links.get(&peer).is_some_and(|link| link.tell(note).is_err()) {
                    self.close(peer, Closing::TooSlow);
                    self.state.lose(peer, now());
                }
            }
            Effect::Close(peer, why) => self.close(peer, why),
            Effect::Job(job) => {
                // Full: more is asked for than can be made ready, and the newest is given up. Not what
                // nobody would ask for again.
                let is_kept = |job: &Job| match job {
                    Job::Music(_) | Job::Images | Job::AuxImages(_) | Job::Show(_, Asker::Timer) => true,
                    Job::Play(_) | Job::Show(_, Asker::Trigger) => false,
                };
                match self.lasting.parts.jobs.try_send(job) {
                    Err(TrySendError::Full(kept)) if is_kept(&kept) => {
                        let jobs = self.lasting.parts.jobs.clone();
                        tokio::spawn(async move { jobs.send(kept).await });
                    }
                    Err(TrySendError::Full(job)) => {
                        let why = "more scenes and sounds are asked for than can be made ready";
                        tracing::warn!(room = %self.state.name(), ?job, why, "a trigger's scene or sound is left out");
                    }
                    // The program ends.
                    Err(TrySendError::Closed(_)) | Ok(()) => {}
                }
            }
            // An error only says that the program ends.
            Effect::Words(aux) => drop(self.lasting.parts.words.send(aux)),
        }
    }

    fn close(&mut self, peer: PeerId, why: Closing) {
        if let Some(link) = self.links.remove(&peer) {
            link.close(why);
        }
    }

    /// Sends what this connection is to hear to this socket from now on.
    pub(super) fn link(&mut self, peer: PeerId, link: Link) {
        self.links.insert(peer, link);
    }

    /// Subscribes to all events after those of the inputs so far.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.lasting.events.subscribe()
    }

    /// Subscribes to all poses from now on.
    pub(super) fn subscribe_poses(&self) -> watch::Receiver<Arc<Event>> {
        self.lasting.poses.subscribe()
    }

    /// Returns whether somebody listens to poses and there are some to report.
    fn poses_wanted(&self) -> bool {
        self.lasting.poses.receiver_count() > 0 && self.state.check_poses().is_ok()
    }

    /// Reports poses. That nobody is seen is reported once.
    fn report_poses(&self, found: &[port::ParticipantPoses]) {
        let event = Event::Poses { participants: self.state.name_poses(found) };
        let nobody = Event::Poses { participants: Vec::new() };
        self.lasting.poses.send_if_modified(|told| {
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

    /// Asks the media for the canvas, or for that of a picture beside the program.
    pub(super) fn snapshot(&self, aux: Option<AuxId>) -> oneshot::Receiver<Result<port::Frame, SnapshotError>> {
        let (reply, answer) = oneshot::channel();
        self.media.send(MediaCommand::Snapshot(aux, reply));
        answer
    }

    /// Shows these measurements from now on.
    pub(super) fn take_health(&mut self, health: port::Health) {
        self.meter.measure(&health, self.state.loudness());
        self.state.set_health(health, self.lasting.parts.machine.segmentation());
    }
}

/// Returns the time of an input that comes now.
pub(super) fn now() -> Now {
    Now { clock: Instant::now().into_std(), wall: Timestamp::now() }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Returns what was asked for, once it is there; never when nothing was asked for.
async fn answered<T>(asked: &mut Option<oneshot::Receiver<T>>) -> Option<T> {
    let Some(answer) = asked else { return std::future::pending().await };
    let told = answer.await.ok();
    *asked = None;
    told
}
