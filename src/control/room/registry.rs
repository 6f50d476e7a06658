//! All rooms of the process.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    actor::supervise::{self, Parts, Vitals},
    error::RoomError,
    images::ImageSource,
    journal::Journal,
    requests::{
        edit,
        handle::{CALLS, RoomHandle, check_ending},
    },
    revision::IfMatch,
    state::{
        Beginning,
        budget::Budget,
        change::SettingsChange,
        name::RoomName,
        note::Closing,
        output::{KeptOutput, Recordings},
        record::{Past, RoomRecord},
        view::Settings,
    },
    store::{RoomStore, Storing},
};
use crate::{
    layout::{Canvas, CanvasLimit, Fault, Scene},
    media::port::{Media, OutputSpec, Segmentation},
};

/// Most scenes and sounds of triggers that may wait for those before them to be decoded.
const JOBS: usize = 16;

/// Time for which a drain waits until session sockets know that the server ends, and until recordings are finished.
const FAREWELL: Duration = Duration::from_secs(3);

/// Number of rooms whose media may end at once without holding up who ends rooms and makes others.
const ENDING_AT_ONCE: usize = 4;

/// Longest time for which somebody who ends a room is held up.
const HELD_UP: Duration = Duration::from_secs(10);

/// The defaults of a new room, and the largest number of rooms.
#[derive(Debug, Clone)]
pub struct RoomDefaults {
    /// Its canvas.
    pub canvas: Canvas,
    /// The largest canvas that it may get.
    pub largest: CanvasLimit,
    /// Number of participants that it takes, if it does not say otherwise.
    pub max_participants: usize,
    /// Time for which a lost participant's place is kept, in milliseconds.
    pub hold_ms: u64,
    /// Most rooms that there may be at once.
    pub max_rooms: usize,
    /// Folder of recordings.
    pub recordings: Recordings,
}

/// All rooms.
pub struct Registry {
    media: Arc<dyn Media>,
    images: Arc<dyn ImageSource>,
    store: Arc<RoomStore>,
    defaults: RoomDefaults,
    rooms: Mutex<HashMap<RoomName, RoomHandle>>,
    draining: AtomicBool,
    vitals: Arc<Vitals>,
    journal: Arc<Journal>,
    /// Each session socket, and each room that is over and whose recordings are being finished, holds a receiver: a
    /// drain waits until all are gone.
    farewells: watch::Sender<()>,
}

/// Held by a session socket's task as long as it has something to send.
#[derive(Debug)]
pub struct SessionGuard {
    _counted: watch::Receiver<()>,
}

impl Registry {
    /// Creates a registry without rooms.
    pub fn new(
        media: Arc<dyn Media>,
        images: Arc<dyn ImageSource>,
        store: RoomStore,
        defaults: RoomDefaults,
    ) -> Arc<Self> {
        Arc::new(Self {
            media,
            images,
            store: Arc::new(store),
            defaults,
            rooms: Mutex::new(HashMap::new()),
            draining: AtomicBool::new(false),
            vitals: Arc::default(),
            journal: Arc::default(),
            farewells: watch::channel(()).0,
        })
    }

    /// Brings back the rooms that were stored before this start, also more than a new one would be taken with. To be
    /// called once, before rooms are asked for, inside a tokio runtime. The log says what cannot be brought back.
    ///
    /// # Errors
    /// When the list of stored rooms cannot be read.
    pub fn restore(self: &Arc<Self>) -> io::Result<()> {
        for (name, document, outputs) in self.store.read_all()? {
            let beginning = self.beginning(&name);
            match document.restore(&beginning.settings, &beginning.scene.canvas, Timestamp::now()) {
                Ok(RoomRecord { settings, scene, past }) => {
                    let past = Some(Past { outputs: self.read_outputs(&name, outputs), ..past });
                    self.begin(Beginning { settings, scene, past, ..beginning }, &mut self.rooms.lock());
                }
                Err(faults) => {
                    let places: Vec<String> = faults.iter().map(Fault::to_string).collect();
                    self.store.set_aside(&name, &places.join("; "));
                }
            }
        }
        Ok(())
    }

    /// Reads outputs that were kept. The log says what cannot be read any more.
    fn read_outputs(&self, room: &RoomName, kept: Vec<KeptOutput>) -> Vec<(KeptOutput, OutputSpec)> {
        let read = |kept: KeptOutput| match kept.output.spec(room, &self.defaults.recordings) {
            Ok(mut spec) => {
                if kept.internal.unwrap_or(true) {
                    spec.target.allow_internal();
                }
                Some((kept, spec))
            }
            Err(faults) => {
                let places: Vec<String> = faults.iter().map(Fault::to_string).collect();
                tracing::error!(%room, output = kept.id, places = places.join("; "), "a stored output cannot be read");
                None
            }
        };
        kept.into_iter().filter_map(read).collect()
    }

    /// Returns where recordings go.
    pub fn recordings(&self) -> &Recordings {
        &self.defaults.recordings
    }

    /// Returns a room that exists.
    pub fn get(&self, name: &RoomName) -> Option<RoomHandle> {
        self.rooms.lock().get(name).filter(|room| !room.has_ended()).cloned()
    }

    /// Returns a room, made if it does not exist. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`RoomError::TooManyRooms`], [`RoomError::Unavailable`] while too much still ends, [`RoomError::Draining`].
    pub fn get_or_create(self: &Arc<Self>, name: &RoomName) -> Result<RoomHandle, RoomError> {
        let mut rooms = self.rooms.lock();
        if let Some(room) = rooms.get(name).filter(|room| !room.has_ended()) {
            return Ok(room.clone());
        }
        if self.draining.load(Ordering::SeqCst) {
            return Err(RoomError::Draining);
        }
        rooms.retain(|_, room| !room.has_ended());
        check_ending(&*self.media)?;
        // Media that ends takes as much as media that runs.
        let piled_up = self.vitals.ending().saturating_sub(ENDING_AT_ONCE);
        if rooms.len() + piled_up >= self.defaults.max_rooms {
            return Err(RoomError::TooManyRooms { max: self.defaults.max_rooms });
        }
        Ok(self.begin(self.beginning(name), &mut rooms))
    }

    /// Starts a room's task.
    fn begin(self: &Arc<Self>, beginning: Beginning, rooms: &mut HashMap<RoomName, RoomHandle>) -> RoomHandle {
        let (calls, calls_end) = mpsc::channel(CALLS);
        let name = beginning.name.clone();
        let (images, media) = (self.images.of_room(&name), Arc::clone(&self.media));
        let room = RoomHandle::new(name.clone(), calls, images, media, self.defaults.largest);
        rooms.insert(name, room.clone());
        let (jobs, jobs_end) = mpsc::channel(JOBS);
        let (words, words_end) = mpsc::unbounded_channel();
        let parts = Parts {
            machine: Arc::clone(&self.media),
            store: Arc::clone(&self.store),
            vitals: Arc::clone(&self.vitals),
            jobs,
            words,
            journal: Arc::clone(&self.journal),
            farewells: self.farewells.clone(),
        };
        tokio::spawn(room.clone().run_jobs(jobs_end));
        tokio::spawn(room.clone().run_words(words_end));
        let (registry, of_task) = (Arc::downgrade(self), room.clone());
        tokio::spawn(async move {
            supervise::run(beginning, parts, calls_end).await;
            forget(&registry, &of_task);
        });
        room
    }

    /// Creates a room or changes its settings; it stays from now on. Answers the room and whether it is new.
    ///
    /// # Errors
    /// As [`RoomHandle::change_settings`] and [`Registry::get_or_create`]; a refused one creates no room.
    pub async fn put(
        self: &Arc<Self>,
        name: &RoomName,
        change: &SettingsChange,
        guard: &IfMatch,
    ) -> Result<(RoomHandle, bool), RoomError> {
        let existing = self.get(name);
        let is_new = existing.is_none();
        let room = match existing {
            Some(room) => room,
            None if guard.is_present() => return Err(RoomError::NoRoom),
            None => {
                let Beginning { settings, scene, .. } = self.beginning(name);
                let images = self.images.of_room(name);
                let largest = &self.defaults.largest;
                edit::check_settings(change, &settings, &scene, &*self.media, &*images, largest).await?;
                self.get_or_create(name)?
            }
        };
        room.change_settings(change, guard).await?;
        Ok((room, is_new))
    }

    /// Lists all rooms, by name.
    pub fn list(&self) -> Vec<RoomHandle> {
        let mut rooms: Vec<RoomHandle> = self.rooms.lock().values().filter(|room| !room.has_ended()).cloned().collect();
        rooms.sort_by(|a, b| a.name().cmp(b.name()));
        rooms
    }

    /// Ends a room and waits until everything of it is given up.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`], [`RoomError::Stale`].
    pub async fn remove(&self, name: &RoomName, guard: &IfMatch) -> Result<(), RoomError> {
        let room = self.get(name).ok_or(RoomError::NoRoom)?;
        room.end(Closing::RoomEnded, guard).await?;
        // Who makes and ends rooms in turn is held up here before their media piles up.
        let _ = timeout(HELD_UP, self.vitals.calm(ENDING_AT_ONCE)).await;
        Ok(())
    }

    /// Ends all rooms, takes no new ones, and waits until session sockets have heard of it, recordings are finished and
    /// stored rooms are on the disk; the journal ends before that. Returns how many rooms the disk has refused.
    pub async fn drain(&self) -> usize {
        self.draining.store(true, Ordering::SeqCst);
        // A room that has ended meanwhile is as good as ended now.
        let endings = self.list().into_iter().map(|room| async move {
            let _ = room.end(Closing::Shutdown, &IfMatch::Absent).await;
        });
        join_all(endings).await;
        if timeout(FAREWELL, self.farewells.closed()).await.is_err() {
            tracing::warn!("some session sockets did not close in time, or some recordings did not end");
        }
        self.journal.close();
        self.store.flush().await
    }

    /// Returns what is of note in all rooms.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Returns how storing goes.
    pub fn storing(&self) -> Storing {
        self.store.storing()
    }

    /// Returns how many rooms wait for new media or a new task, and how many have got one.
    pub fn rebuilding(&self) -> (usize, u64) {
        (self.vitals.down(), self.vitals.rebuilds())
    }

    /// Puts out everyone who came with this token, of all rooms; `None`: with any.
    pub async fn dismiss(&self, subject: Option<Arc<str>>) {
        join_all(self.list().iter().map(|room| room.dismiss(subject.clone()))).await;
    }

    /// Returns the rooms whose layout or scenes name this asset; `family`: of a font.
    pub async fn users_of_asset(&self, name: &str, family: Option<&str>) -> Vec<RoomName> {
        let rooms = self.list();
        let uses = join_all(rooms.iter().map(|room| room.uses_asset(name, family))).await;
        rooms.iter().zip(uses).filter(|(_, uses)| *uses).map(|(room, _)| room.name().clone()).collect()
    }

    /// Returns whether the server is ending.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Makes a drain wait for a session socket.
    pub fn session_guard(&self) -> SessionGuard {
        SessionGuard { _counted: self.farewells.subscribe() }
    }

    /// Returns what the segmentation can do on this machine.
    pub fn segmentation(&self) -> Segmentation {
        self.media.segmentation()
    }

    /// Returns how many threads a file takes at most while it is decoded.
    pub fn threads_of_file(&self) -> usize {
        self.media.threads_of_file()
    }

    fn beginning(&self, name: &RoomName) -> Beginning {
        Beginning {
            name: name.clone(),
            settings: Settings::new(
                u32::try_from(self.defaults.max_participants).unwrap_or(u32::MAX),
                self.defaults.hold_ms,
            ),
            scene: Arc::new(Scene::default_for(self.defaults.canvas.clone())),
            segmentation: self.media.segmentation(),
            budget: Budget::of_cores(self.media.cores()),
            past: None,
        }
    }
}

/// Takes a room that has ended off the list, unless a new one of its name is there already.
fn forget(registry: &Weak<Registry>, ended: &RoomHandle) {
    if let Some(registry) = registry.upgrade() {
        let mut rooms = registry.rooms.lock();
        if rooms.get(ended.name()).is_some_and(|room| room.is_same(ended)) {
            rooms.remove(ended.name());
        }
    }
}
