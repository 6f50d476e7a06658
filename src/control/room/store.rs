//! Stored rooms, which survive a restart: one JSON file for each, in `<data-dir>/rooms`, and one that only its owner
//! may read for the outputs of each room that has some, because their addresses hold stream keys.
//!
//! One thread writes, so a slow disk stops no room: [`writer`]. What waits for it is the newest of each room only, and
//! what the disk refuses is tried again until it is there. [`Storing`] says how that goes. A file that this process has
//! neither read nor written is never overwritten: it is set aside first.

mod writer;

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use self::writer::{Order, Writer};
use super::state::{
    name::RoomName,
    output::KeptOutput,
    record::{RoomDocument, RoomRecord},
};
use crate::disk;

/// Largest file that is read, in bytes: a hundred scenes of the largest layouts, and more.
const MAX_BYTES: u64 = 256 << 20;

/// Most copies of one room that are set aside; beyond, the room is not stored until somebody has looked after them.
const MAX_ASIDE: u32 = 1000;

/// The progress of storing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storing {
    /// Rooms whose newest state the disk has refused so far.
    pub unstored: usize,
    /// Since when there are such rooms.
    pub since: Option<Timestamp>,
    /// The newest error of the disk.
    pub error: Option<String>,
}

/// The state that the store and its thread share.
#[derive(Debug)]
struct Shelf {
    folder: PathBuf,
    /// Rooms whose files were read or written, so that they may be overwritten.
    known: Mutex<HashSet<RoomName>>,
    storing: Mutex<Storing>,
}

/// The files. One per process and data directory.
#[derive(Debug)]
pub struct RoomStore {
    shelf: Arc<Shelf>,
    orders: Sender<Order>,
}

impl RoomStore {
    /// Opens the store in `<data-dir>/rooms`; the folder is made with the first room.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let folder = data_dir.join("rooms");
        disk::sweep(&folder);
        let shelf = Arc::new(Shelf { folder, known: Mutex::default(), storing: Mutex::default() });
        let (orders, todo) = channel();
        let writer = Writer::new(Arc::clone(&shelf));
        thread::Builder::new().name("store".to_owned()).spawn(move || writer.work(&todo))?;
        Ok(Self { shelf, orders })
    }

    /// Returns all rooms that were kept, by name. A file that holds no room is set aside, under another name, and one
    /// that the disk does not give stays where it is; the log has both.
    ///
    /// # Errors
    /// When the folder cannot be read: to begin without its rooms would be to lose them.
    pub fn read_all(&self) -> io::Result<Vec<(RoomName, RoomDocument, Vec<KeptOutput>)>> {
        let entries = match fs::read_dir(&self.shelf.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
            names.extend(name.and_then(|name| RoomName::parse(name).ok()));
        }
        names.sort_unstable();
        let mut rooms = Vec::with_capacity(names.len());
        for name in names {
            match read(&self.shelf.file(&name)) {
                Ok(document) => {
                    self.shelf.known.lock().insert(name.clone());
                    let outputs = self.outputs_of(&name);
                    rooms.push((name, document, outputs));
                }
                Err(ReadError::Content(why)) => self.set_aside(&name, &why),
                Err(ReadError::Disk(error)) => {
                    tracing::error!(room = %name, %error, "the disk does not give a stored room; it is left out");
                }
            }
        }
        Ok(rooms)
    }

    /// Reads a room's outputs. What cannot be read is set aside, and the room has no outputs.
    fn outputs_of(&self, name: &RoomName) -> Vec<KeptOutput> {
        let file = self.shelf.outputs_file(name);
        match read(&file) {
            Ok(outputs) => outputs,
            Err(ReadError::Disk(error)) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(ReadError::Disk(error)) => {
                tracing::error!(room = %name, %error, "the disk does not give a room's outputs; they are left out");
                Vec::new()
            }
            Err(ReadError::Content(why)) => {
                let moved = self.shelf.set_aside(&file);
                let moved = moved.map(|aside| aside.display().to_string()).map_err(|error| error.to_string());
                tracing::error!(room = %name, why, ?moved, "a room's outputs cannot be read and are set aside");
                Vec::new()
            }
        }
    }

    /// Renames the file of a room that cannot be what it was, so that a new room of its name does not overwrite it.
    pub fn set_aside(&self, name: &RoomName, why: &str) {
        self.shelf.known.lock().remove(name);
        match self.shelf.set_aside(&self.shelf.file(name)) {
            Ok(aside) => {
                let aside = aside.display().to_string();
                tracing::error!(room = %name, aside, why, "a stored room cannot be read and is set aside");
            }
            Err(error) => {
                tracing::error!(room = %name, %error, why, "a stored room can neither be read nor renamed; it is left out");
            }
        }
    }

    /// Keeps a room, soon.
    pub fn keep(&self, name: &RoomName, record: RoomRecord) {
        self.order(Order::Keep(name.clone(), Box::new(record)));
    }

    /// Forgets a room, soon.
    pub fn forget(&self, name: &RoomName) {
        self.order(Order::Forget(name.clone()));
    }

    /// Waits until everything that was asked for has been tried. Returns how many rooms the disk has refused.
    pub async fn flush(&self) -> usize {
        let (done, waiting) = oneshot::channel();
        self.order(Order::Flush(done));
        // An error would say that the thread is gone, which `order` has logged.
        waiting.await.unwrap_or_default()
    }

    /// Returns how storing goes.
    pub fn storing(&self) -> Storing {
        self.shelf.storing.lock().clone()
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("rooms are not stored any more: the thread that writes them has ended");
        }
    }
}

impl Shelf {
    fn file(&self, name: &RoomName) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// Names the file of a room's outputs. No room's own file has such a name, because rooms have no dots in theirs.
    fn outputs_file(&self, name: &RoomName) -> PathBuf {
        self.folder.join(format!("{name}.outputs"))
    }

    fn set_aside(&self, file: &Path) -> io::Result<PathBuf> {
        let aside = |number: u32| match number {
            1 => file.with_added_extension("unreadable"),
            _ => file.with_added_extension(format!("unreadable-{number}")),
        };
        disk::rename_aside(&self.folder, file, (1..=MAX_ASIDE).map(aside))
    }
}

/// The reason why a stored room is not there.
enum ReadError {
    /// The disk does not give it. It may do so later.
    Disk(io::Error),
    /// It is not a room.
    Content(String),
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, ReadError> {
    let content = disk::read(file, MAX_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => ReadError::Content(format!("{error}, which is more than any room has")),
        _ => ReadError::Disk(error),
    })?;
    serde_json::from_slice(&content).map_err(|error| ReadError::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        control::room::{
            revision::Revision,
            state::{record::Past, view::Settings},
        },
        layout::{Canvas, Scene},
    };

    fn record(revision: u64) -> RoomRecord {
        RoomRecord {
            settings: Settings::new(4, 10),
            scene: Arc::new(Scene::default_for(Canvas::default())),
            past: Past { revision: Revision(revision), ..Past::none(Timestamp::UNIX_EPOCH) },
        }
    }

    fn revisions(store: &RoomStore) -> Vec<(String, Option<u64>)> {
        store.read_all().unwrap().into_iter().map(|(name, room, _)| (name.to_string(), room.revision)).collect()
    }

    #[tokio::test]
    async fn the_newest_of_each_room_is_kept_until_it_is_forgotten() {
        let data = tempfile::TempDir::new().unwrap();
        let store = RoomStore::open(data.path()).unwrap();
        let [a, b] = ["a", "b"].map(|name| RoomName::parse(name).unwrap());
        assert_eq!(revisions(&store), []);
        for revision in 1..50 {
            store.keep(&b, record(revision));
            store.keep(&a, record(2 * revision));
        }
        store.flush().await;
        assert_eq!(revisions(&store), [("a".to_owned(), Some(98)), ("b".to_owned(), Some(49))]);
        store.forget(&a);
        store.forget(&a);
        store.flush().await;
        drop(store);
        assert_eq!(revisions(&RoomStore::open(data.path()).unwrap()), [("b".to_owned(), Some(49))]);
    }

    #[test]
    fn what_cannot_be_read_is_set_aside() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("rooms");
        fs::create_dir(&folder).unwrap();
        for (name, content) in [("a.json", "{"), ("b.json", r#"{"version": 1}"#), (".x.part", ""), ("note.txt", "")] {
            fs::write(folder.join(name), content).unwrap();
        }
        let store = RoomStore::open(data.path()).unwrap();
        assert_eq!(revisions(&store), [("b".to_owned(), None)]);
        let mut left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["a.json.unreadable", "b.json", "note.txt"]);
    }

    #[tokio::test]
    async fn what_was_set_aside_is_never_overwritten() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("rooms");
        fs::create_dir(&folder).unwrap();
        let name = RoomName::parse("a").unwrap();
        for content in ["{", "["] {
            fs::write(folder.join("a.json"), content).unwrap();
            let store = RoomStore::open(data.path()).unwrap();
            assert_eq!(revisions(&store), []);
            store.keep(&name, record(3));
            assert_eq!(store.flush().await, 0);
        }
        let content = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!((content("a.json.unreadable").as_str(), content("a.json.unreadable-2").as_str()), ("{", "["));
        assert_eq!(revisions(&RoomStore::open(data.path()).unwrap()), [("a".to_owned(), Some(3))]);
    }

    #[tokio::test]
    async fn a_file_that_was_not_read_is_set_aside_before_a_room_of_its_name_is_written() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("rooms");
        let store = RoomStore::open(data.path()).unwrap();
        assert_eq!(revisions(&store), []);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.json"), "precious").unwrap();
        let name = RoomName::parse("a").unwrap();
        store.keep(&name, record(3));
        assert_eq!(store.flush().await, 0);
        assert_eq!(fs::read_to_string(folder.join("a.json.unreadable")).unwrap(), "precious");
        assert_eq!(revisions(&store), [("a".to_owned(), Some(3))]);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_no_empty_one() {
        let data = tempfile::TempDir::new().unwrap();
        fs::write(data.path().join("rooms"), "").unwrap();
        assert!(RoomStore::open(data.path()).unwrap().read_all().is_err());
    }

    #[tokio::test]
    async fn what_the_disk_refuses_is_tried_again_until_it_is_there() {
        let data = tempfile::TempDir::new().unwrap();
        let store = RoomStore::open(data.path()).unwrap();
        let [a, b] = ["a", "b"].map(|name| RoomName::parse(name).unwrap());
        // A file where the folder should be: every write fails, for root as well.
        let folder = data.path().join("rooms");
        fs::write(&folder, "").unwrap();
        store.keep(&a, record(2));
        store.keep(&b, record(5));
        store.keep(&a, record(4));
        assert_eq!(store.flush().await, 2);
        let Storing { unstored, since, error } = store.storing();
        assert!(unstored == 2 && since.is_some() && error.is_some());

        fs::remove_file(&folder).unwrap();
        let begun = std::time::Instant::now();
        while store.storing() != Storing::default() {
            assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it is tried again by itself");
            tokio::task::yield_now().await;
        }
        assert_eq!(revisions(&store), [("a".to_owned(), Some(4)), ("b".to_owned(), Some(5))]);
        assert_eq!(store.flush().await, 0);
    }
}
