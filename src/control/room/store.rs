//! What survives a restart: one JSON file for each stored room, in `<data-dir>/rooms`.
//!
//! One thread writes, so a slow disk stops no room. What waits for it is the newest of each room only.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use tokio::sync::oneshot;

use super::{
    name::RoomName,
    record::{RoomDocument, RoomRecord},
};
use crate::control::disk;

/// Largest file that is read, in bytes: a hundred scenes of the largest layouts, and more.
const MAX_BYTES: u64 = 256 << 20;

/// Something to be done with the files.
enum Order {
    /// This is the room now.
    Keep(RoomName, Box<RoomRecord>),
    /// The room was deleted.
    Forget(RoomName),
    /// Tell when everything before this is done.
    Flush(oneshot::Sender<()>),
}

/// The files. One per process and data directory.
#[derive(Debug)]
pub struct RoomStore {
    folder: PathBuf,
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
        let (orders, todo) = channel();
        let of_thread = folder.clone();
        thread::Builder::new().name("store".to_owned()).spawn(move || work(&of_thread, &todo))?;
        Ok(Self { folder, orders })
    }

    /// All rooms that were kept, by name. A file that cannot be read is set aside, under another name, and told in the
    /// log.
    pub fn read_all(&self) -> Vec<(RoomName, RoomDocument)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name();
            RoomName::parse(name.to_str()?.strip_suffix(".json")?).ok()
        });
        let mut names: Vec<RoomName> = names.collect();
        names.sort_unstable();
        let read = |name: RoomName| match read(&file(&self.folder, &name)) {
            Ok(document) => Some((name, document)),
            Err(why) => {
                self.set_aside(&name, &why);
                None
            }
        };
        names.into_iter().filter_map(read).collect()
    }

    /// Renames the file of a room that cannot be what it was, so that a new room of its name does not overwrite it.
    pub fn set_aside(&self, name: &RoomName, why: &str) {
        let file = file(&self.folder, name);
        let aside = file.with_extension("json.unreadable");
        tracing::error!(room = %name, aside = %aside.display(), why, "a stored room cannot be read and is set aside");
        if let Err(error) = fs::rename(&file, &aside) {
            tracing::error!(room = %name, %error, "it cannot even be renamed");
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

    /// Waits until everything that was asked for is on the disk, or has failed and was told in the log.
    pub async fn flush(&self) {
        let (done, waiting) = oneshot::channel();
        self.order(Order::Flush(done));
        // An error would say that the thread is gone, which `order` has told.
        let _ = waiting.await;
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("rooms are not stored any more: the thread that writes them has ended");
        }
    }
}

fn file(folder: &Path, name: &RoomName) -> PathBuf {
    folder.join(format!("{name}.json"))
}

fn read(file: &Path) -> Result<RoomDocument, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > MAX_BYTES {
        return Err(format!("it has {size} bytes, more than any room"));
    }
    let content = fs::read(file).map_err(|error| error.to_string())?;
    serde_json::from_slice(&content).map_err(|error| error.to_string())
}

/// Does orders until the store is dropped.
fn work(folder: &Path, orders: &Receiver<Order>) {
    while let Ok(first) = orders.recv() {
        let mut newest: HashMap<RoomName, Option<Box<RoomRecord>>> = HashMap::new();
        let mut waiting = Vec::new();
        for order in [first].into_iter().chain(orders.try_iter()) {
            match order {
                Order::Keep(name, record) => drop(newest.insert(name, Some(record))),
                Order::Forget(name) => drop(newest.insert(name, None)),
                Order::Flush(done) => waiting.push(done),
            }
        }
        for (name, record) in newest {
            if let Err(error) = write(folder, &name, record.as_deref()) {
                tracing::error!(room = %name, %error, "the room cannot be stored: it would not survive a restart");
            }
        }
        for done in waiting {
            // Whoever waited may be gone.
            let _ = done.send(());
        }
    }
}

fn write(folder: &Path, name: &RoomName, record: Option<&RoomRecord>) -> io::Result<()> {
    let file = file(folder, name);
    match record {
        Some(record) => {
            let document = serde_json::to_vec_pretty(&RoomDocument::from(record)).map_err(io::Error::other)?;
            disk::replace(folder, &file, &document)
        }
        None => match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        control::room::{record::Past, revision::Revision, view::Settings},
        layout::{Canvas, Scene},
    };

    fn record(revision: u64) -> RoomRecord {
        RoomRecord {
            settings: Settings { max_participants: 4, hold_ms: 10, keypoints: false },
            scene: Arc::new(Scene::default_for(Canvas::default())),
            past: Past { revision: Revision(revision), ..Past::none(Timestamp::UNIX_EPOCH) },
        }
    }

    fn revisions(store: &RoomStore) -> Vec<(String, Option<u64>)> {
        store.read_all().into_iter().map(|(name, room)| (name.to_string(), room.revision)).collect()
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
}
