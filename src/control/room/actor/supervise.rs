//! Keeps a room alive. A fault in the room's task costs its connections, not the room: it begins again from its record,
//! and those who hold its handle notice no more than that a request has failed.
//!
//! The room's own task looks after its media, and opens it again.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Once,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::sleep,
};

use super::Call;
use crate::{
    control::room::{
        actor,
        faults::Faults,
        journal::{Journal, digest::Digest, notice::Notice},
        state::{
            Beginning, Job,
            record::RoomRecord,
            view::{EndReason, Event},
        },
        store::RoomStore,
    },
    media::port::{AuxId, Media},
};

/// Number of events that a listener may be behind before it gets a fresh snapshot instead.
const EVENTS_KEPT: usize = 256;

/// The parts of the process that a room needs.
#[derive(Clone)]
pub(in crate::control::room) struct Parts {
    /// Opens its media, and knows what the machine can do.
    pub(in crate::control::room) machine: Arc<dyn Media>,
    pub(in crate::control::room) store: Arc<RoomStore>,
    pub(in crate::control::room) vitals: Arc<Vitals>,
    /// Jobs whose files have to be decoded first, for a task of its own.
    pub(in crate::control::room) jobs: mpsc::Sender<Job>,
    /// Pictures whose texts are to be drawn again. One that was ordered is not ordered again before it is drawn.
    pub(in crate::control::room) words: mpsc::UnboundedSender<Option<AuxId>>,
    /// The stream of notices of all rooms.
    pub(in crate::control::room) journal: Arc<Journal>,
    /// A drain waits until all receivers of this are gone.
    pub(in crate::control::room) farewells: watch::Sender<()>,
}

/// The values that outlive a fault of the room's task.
#[derive(Clone)]
pub(super) struct Lasting {
    /// The room's name.
    room: Arc<str>,
    pub(super) parts: Parts,
    digest: Arc<Mutex<Digest>>,
    pub(super) events: broadcast::Sender<Arc<Event>>,
    /// The newest only: those who are slow miss some. Apart from other events, because pages have no use for it.
    pub(super) poses: watch::Sender<Arc<Event>>,
    pub(super) memory: Arc<Mutex<Remembered>>,
}

impl Lasting {
    fn new(room: Arc<str>, parts: Parts) -> Self {
        Self {
            room,
            parts,
            digest: Arc::default(),
            events: broadcast::channel(EVENTS_KEPT).0,
            poses: watch::Sender::new(Arc::new(Event::Poses { participants: Vec::new() })),
            memory: Arc::default(),
        }
    }

    /// Notifies those who listen to the room, and, where it is of note, those who listen to the whole server.
    pub(super) fn tell(&self, event: Event) {
        // What is known of a room is one after every line that changes it.
        let notices = self.digest.lock().take(&event);
        for notice in notices {
            self.note(notice);
        }
        // An error only says that nobody listens.
        let _ = self.events.send(Arc::new(event));
    }

    fn note(&self, notice: Notice) {
        self.parts.journal.note(Arc::clone(&self.room), notice);
    }
}

/// The room as it was after its last input that went well.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    /// `None` before the first input.
    pub(super) record: Option<RoomRecord>,
    /// Number of changes of outputs and bans in it.
    pub(super) others: u64,
    /// Number of changes of data and timers in it.
    pub(super) words: u64,
    /// Whether it is to be there after a restart.
    pub(super) stored: bool,
    /// Reason why it is over; `None` while it is not.
    pub(super) ended: Option<EndReason>,
    /// Number of times that something of it was begun again, and the reason for the last time.
    pub(super) rebuilds: u32,
    pub(super) because: Option<Arc<str>>,
}

/// The state of the rooms of a process.
#[derive(Debug, Default)]
pub(in crate::control::room) struct Vitals {
    down: AtomicUsize,
    rebuilds: AtomicU64,
    /// See [`EndingMark`].
    ending: watch::Sender<usize>,
}

impl Vitals {
    /// Returns rooms that wait for new media or a new task now.
    pub(in crate::control::room) fn down(&self) -> usize {
        self.down.load(Ordering::Relaxed)
    }

    /// Returns how often rooms have got one.
    pub(in crate::control::room) fn rebuilds(&self) -> u64 {
        self.rebuilds.load(Ordering::Relaxed)
    }

    /// Returns how many rooms are over whose media still gives up threads and memory.
    pub(in crate::control::room) fn ending(&self) -> usize {
        *self.ending.borrow()
    }

    /// Waits until the media of at most `most` rooms is ending.
    pub(in crate::control::room) async fn calm(&self, most: usize) {
        // Fails only where the sender is gone, which is a part of this.
        let _ = self.ending.subscribe().wait_for(|ending| *ending <= most).await;
    }

    /// Counts a part of a room that is begun again: `media` or `task`.
    pub(super) fn rebuild(&self, part: &'static str) {
        static DESCRIBED: Once = Once::new();
        DESCRIBED.call_once(|| {
            metrics::describe_counter!("virfie_room_rebuilds_total", "Rooms begun again after a fault, by what failed");
            metrics::describe_gauge!("virfie_rooms_down", "Rooms that wait for new media or a new task");
        });
        self.rebuilds.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("virfie_room_rebuilds_total", "part" => part).increment(1);
    }
}

/// Counts a room as down for as long as it is held.
pub(super) struct DownMark(Arc<Vitals>);

impl DownMark {
    pub(super) fn new(vitals: &Arc<Vitals>) -> Self {
        let mark = Self(Arc::clone(vitals));
        mark.0.down.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("virfie_rooms_down").increment(1.0);
        mark
    }
}

impl Drop for DownMark {
    fn drop(&mut self) {
        self.0.down.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("virfie_rooms_down").decrement(1.0);
    }
}

/// Counts media that was given up and still ends, for as long as it is held.
pub(super) struct EndingMark(Arc<Vitals>);

impl EndingMark {
    pub(super) fn new(vitals: &Arc<Vitals>) -> Self {
        vitals.ending.send_modify(|ending| *ending += 1);
        Self(Arc::clone(vitals))
    }
}

impl Drop for EndingMark {
    fn drop(&mut self) {
        self.0.ending.send_modify(|ending| *ending -= 1);
    }
}

/// Runs a room until it ends, through all faults.
pub(in crate::control::room) async fn run(beginning: Beginning, parts: Parts, mut calls: mpsc::Receiver<Call>) {
    let lasting = Lasting::new(beginning.name.shared(), parts);
    lasting.note(Notice::RoomStarted { restored: beginning.past.is_some() });
    live(beginning, &lasting, &mut calls).await;
    let reason = lasting.memory.lock().ended.unwrap_or(EndReason::Ended);
    lasting.note(Notice::RoomEnded { reason });
    // Who waits for the room's end finds it in the journal.
    drop(calls);
}

/// Runs the room's task, again after each fault.
async fn live(beginning: Beginning, lasting: &Lasting, calls: &mut mpsc::Receiver<Call>) {
    let mut faults = Faults::default();
    let mut next = beginning.clone();
    loop {
        let lived = actor::run(next.clone(), lasting.clone(), calls);
        if AssertUnwindSafe(lived).catch_unwind().await.is_ok() {
            return;
        }
        let down = DownMark::new(&lasting.parts.vitals);
        let remembered = {
            let mut memory = lasting.memory.lock();
            memory.rebuilds += 1;
            memory.because = Some("a fault in the program: the room's task panicked".into());
            memory.clone()
        };
        let pause = faults.pause(Instant::now());
        tracing::error!(room = %beginning.name, again_in = ?pause, "the room's task panicked; the room begins again");
        lasting.parts.vitals.rebuild("task");
        if remembered.ended.is_some() {
            if !remembered.stored {
                lasting.parts.store.forget(&beginning.name);
            }
            return;
        }
        if let Some(record) = remembered.record {
            if remembered.stored {
                // What was changed last may not have been ordered to be stored.
                lasting.parts.store.keep(&beginning.name, record.clone());
            }
            let RoomRecord { settings, scene, past } = record;
            next = Beginning { settings, scene, past: remembered.stored.then_some(past), ..beginning.clone() };
        }
        sleep(pause).await;
        drop(down);
    }
}
