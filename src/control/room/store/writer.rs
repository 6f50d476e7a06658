//! The thread that writes rooms. What the disk refuses waits and is tried again, the longer it lasts the less often.

use std::{
    collections::HashMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Shelf, Storing};
use crate::{
    control::room::{
        faults::doubled,
        state::{
            name::RoomName,
            record::{RoomDocument, RoomRecord},
        },
    },
    disk,
};

/// Between a refused write and the next try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Between two tries when the disk goes on refusing.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The orders about the files.
pub(super) enum Order {
    /// This is the room now.
    Keep(RoomName, Box<RoomRecord>),
    /// The room was deleted.
    Forget(RoomName),
    /// Try everything before this now, and report how many rooms the disk has refused.
    Flush(oneshot::Sender<usize>),
}

/// The part of one room that waits to be written.
struct Waiting {
    /// `None`: the room was deleted.
    record: Option<Box<RoomRecord>>,
    due: Instant,
    /// Number of times that the disk has refused it.
    refused: u32,
}

/// See the module.
pub(super) struct Writer {
    shelf: Arc<Shelf>,
    waiting: HashMap<RoomName, Waiting>,
}

impl Writer {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        describe();
        Self { shelf, waiting: HashMap::new() }
    }

    /// Does orders until the store is dropped.
    pub(super) fn work(mut self, orders: &Receiver<Order>) {
        loop {
            let first = match self.waiting.values().map(|waiting| waiting.due).min() {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let first = match first {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = Instant::now();
            let mut flushes = Vec::new();
            for order in first.into_iter().chain(orders.try_iter()) {
                match order {
                    Order::Keep(name, record) => self.put(name, Some(record), now),
                    Order::Forget(name) => self.put(name, None, now),
                    Order::Flush(done) => flushes.push(done),
                }
            }
            if !flushes.is_empty() {
                self.waiting.values_mut().for_each(|waiting| waiting.due = now);
            }
            self.write_what_is_due();
            for done in flushes {
                // Those who waited may be gone.
                let _ = done.send(self.waiting.len());
            }
        }
    }

    /// Replaces what waits of a room. The newest is tried at once, also while older ones are refused.
    fn put(&mut self, name: RoomName, record: Option<Box<RoomRecord>>, now: Instant) {
        let refused = self.waiting.get(&name).map_or(0, |waiting| waiting.refused);
        self.waiting.insert(name, Waiting { record, due: now, refused });
    }

    fn write_what_is_due(&mut self) {
        let now = Instant::now();
        let is_due = |(name, waiting): (&RoomName, &Waiting)| (waiting.due <= now).then(|| name.clone());
        let due: Vec<RoomName> = self.waiting.iter().filter_map(is_due).collect();
        for name in due {
            let Some(waiting) = self.waiting.get_mut(&name) else { continue };
            // A fault in one room's document must not cost the others their files.
            let written = catch_unwind(AssertUnwindSafe(|| write(&self.shelf, &name, waiting.record.as_deref())));
            match written.unwrap_or_else(|_| Err(io::Error::other("writing it panicked"))) {
                Ok(()) => {
                    if waiting.refused > 0 {
                        tracing::info!(room = %name, tries = waiting.refused + 1, "the room is stored at last");
                    }
                    self.waiting.remove(&name);
                }
                Err(error) => {
                    let pause = pause_after(waiting.refused);
                    waiting.refused += 1;
                    waiting.due = Instant::now() + pause;
                    metrics::counter!("virfie_store_failures_total").increment(1);
                    tracing::error!(
                        room = %name, %error, again_in = ?pause,
                        "the room cannot be stored: it would not survive a restart as it is"
                    );
                    self.shelf.storing.lock().error = Some(error.to_string());
                }
            }
        }
        self.tell();
    }

    /// Reports to the store and the metrics how it goes.
    fn tell(&self) {
        let unstored = self.waiting.len();
        metrics::gauge!("virfie_unstored_rooms").set(unstored as f64);
        let mut storing = self.shelf.storing.lock();
        if unstored == 0 {
            *storing = Storing::default();
        } else {
            storing.unstored = unstored;
            storing.since.get_or_insert_with(Timestamp::now);
        }
    }
}

fn describe() {
    metrics::describe_counter!("virfie_store_failures_total", "Writes of rooms that the disk refused");
    metrics::describe_gauge!("virfie_unstored_rooms", "Rooms whose newest state the disk has refused so far");
}

/// Returns how long to wait after the disk has refused a room, `refused` times before.
fn pause_after(refused: u32) -> Duration {
    doubled(FIRST_PAUSE, refused).min(LONGEST_PAUSE)
}

fn write(shelf: &Shelf, name: &RoomName, record: Option<&RoomRecord>) -> io::Result<()> {
    let file = shelf.file(name);
    let is_known = shelf.known.lock().contains(name);
    match record {
        Some(record) => {
            let document = serde_json::to_vec_pretty(&RoomDocument::from(record)).map_err(io::Error::other)?;
            if !is_known && fs::exists(&file)? {
                let aside = shelf.set_aside(&file)?;
                tracing::warn!(room = %name, aside = %aside.display(), "a stored room that was not read is set aside");
            }
            let outputs = shelf.outputs_file(name);
            if record.past.outputs.is_empty() {
                disk::remove(&shelf.folder, &outputs)?;
            } else {
                let kept: Vec<_> = record.past.outputs.iter().map(|(kept, _)| kept).collect();
                let list = serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?;
                disk::replace_private(&shelf.folder, &outputs, &list)?;
            }
            disk::replace(&shelf.folder, &file, &document)?;
            shelf.known.lock().insert(name.clone());
        }
        // What was not written by this process belongs to another room of this name.
        None if is_known => {
            disk::remove(&shelf.folder, &file)?;
            disk::remove(&shelf.folder, &shelf.outputs_file(name))?;
            shelf.known.lock().remove(name);
        }
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_goes_on_refusing_is_asked_less_and_less_often() {
        let seconds: Vec<u64> = (0..8).map(|refused| pause_after(refused).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
