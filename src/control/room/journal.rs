//! The notices of all rooms of the process, in one stream that never waits for those who read it.
//!
//! [`notice`]: a notice; `digest`: how notices follow from a room's events (both PURE).

pub(super) mod digest;
pub mod notice;

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};

use self::notice::{Notice, ServerEvent};

/// Number of events that a reader may be behind, and that are there for those who come back.
const KEPT: usize = 1024;

/// See the module.
#[derive(Debug)]
pub struct Journal {
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    /// The id of the newest event.
    last: u64,
    /// The id of the newest event that is not kept.
    forgotten: u64,
    kept: VecDeque<Arc<ServerEvent>>,
    /// `None`: nothing follows.
    news: Option<broadcast::Sender<Arc<ServerEvent>>>,
}

/// The entry that a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The next event.
    Event(Arc<ServerEvent>),
    /// Some events were missed.
    Missed,
}

/// One reader's stream of events.
#[derive(Debug)]
pub struct Reader {
    missed: bool,
    /// Events from before it came.
    kept: VecDeque<Arc<ServerEvent>>,
    news: Option<broadcast::Receiver<Arc<ServerEvent>>>,
}

impl Default for Journal {
    fn default() -> Self {
        // Ids go on growing after a restart, and stay far below what a JSON number can hold exactly.
        let now = microseconds(Timestamp::now());
        let (kept, news) = (VecDeque::new(), Some(broadcast::channel(KEPT).0));
        Self { book: Mutex::new(Book { last: now, forgotten: now, kept, news }) }
    }
}

fn microseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_microsecond()).unwrap_or(0)
}

impl Journal {
    /// Notifies all readers.
    pub fn note(&self, room: Arc<str>, what: Notice) {
        let at = Timestamp::now();
        // Under the lock, so that events come in the order of their ids.
        let mut book = self.book.lock();
        let Some(news) = book.news.clone() else { return };
        let id = microseconds(at).max(book.last + 1);
        let event = Arc::new(ServerEvent { id, at, room, what });
        book.last = id;
        book.kept.push_back(Arc::clone(&event));
        if book.kept.len() > KEPT {
            book.forgotten = book.kept.pop_front().map_or(id, |oldest| oldest.id);
        }
        // An error only says that nobody reads.
        let _ = news.send(event);
    }

    /// Reads all events from now on; with `after`, also those that followed this one and are still kept.
    pub fn read(&self, after: Option<u64>) -> Reader {
        let book = self.book.lock();
        let news = book.news.as_ref().map(broadcast::Sender::subscribe);
        let Some(after) = after else { return Reader { missed: false, kept: VecDeque::new(), news } };
        let kept = book.kept.iter().filter(|event| event.id > after).cloned().collect();
        Reader { missed: after < book.forgotten, kept, news }
    }

    /// Ends the streams of all readers. They get nothing any more.
    pub fn close(&self) {
        self.book.lock().news = None;
    }
}

impl Reader {
    /// Waits for the next entry; `None` at the end. Nothing is lost when this is given up while it waits.
    pub async fn next(&mut self) -> Option<Entry> {
        if std::mem::take(&mut self.missed) {
            return Some(Entry::Missed);
        }
        if let Some(event) = self.kept.pop_front() {
            return Some(Entry::Event(event));
        }
        match self.news.as_mut()?.recv().await {
            Ok(event) => Some(Entry::Event(event)),
            Err(RecvError::Lagged(_)) => Some(Entry::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn note(journal: &Journal, count: usize) {
        (0..count).for_each(|_| journal.note("demo".into(), Notice::RoomStarted { restored: false }));
    }

    async fn ids(mut reader: Reader) -> (bool, Vec<u64>) {
        let (mut missed, mut ids) = (false, Vec::new());
        while let Some(entry) = reader.next().await {
            match entry {
                Entry::Event(event) => ids.push(event.id),
                Entry::Missed => missed = true,
            }
        }
        (missed, ids)
    }

    #[tokio::test]
    async fn ids_grow_and_who_comes_back_gets_what_followed() {
        let journal = Journal::default();
        let before = microseconds(Timestamp::now());
        let first = journal.read(None);
        note(&journal, 20);
        let known = journal.book.lock().kept[11].id;
        let again = journal.read(Some(known));
        let stranger = journal.read(Some(1));
        note(&journal, 2);
        journal.close();
        note(&journal, 1);
        let (missed, all) = ids(first).await;
        assert!(!missed && all.len() == 22 && all[0] >= before && all.is_sorted_by(|a, b| a < b), "{all:?}");
        assert_eq!(ids(again).await, (false, all[12..].to_vec()));
        assert_eq!(ids(stranger).await, (true, all), "it has read what another process wrote");
        assert!(journal.read(None).next().await.is_none());
    }

    #[tokio::test]
    async fn who_does_not_read_misses_some_and_learns_that() {
        let journal = Journal::default();
        let slow = journal.read(None);
        let start = journal.book.lock().last;
        note(&journal, KEPT + 10);
        let late = journal.read(Some(start));
        journal.close();
        for reader in [slow, late] {
            let (missed, ids) = ids(reader).await;
            assert!(missed && ids.len() == KEPT, "{}", ids.len());
        }
    }
}
