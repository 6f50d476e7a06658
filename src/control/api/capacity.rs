//! The file descriptors and threads that the process may still open. Without one of them GLib aborts the whole process,
//! so everything that is built out of them is asked for here first, and refused with 503 while there are too few.
//!
//! Rests on measuring, not on counting along: `/proc` says what is open, of descriptors by us, of threads by all who
//! share a bound with us. What was promised a moment ago is not open yet, and is held beside it.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::process::{Resource, getrlimit};

use super::{problem::Problem, threads::Bounds};

/// The descriptors that something opens, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// File descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

impl Cost {
    const fn of(descriptors: usize, threads: usize) -> Self {
        Self { descriptors, threads }
    }

    /// Returns both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::of(self.descriptors + other.descriptors, self.threads + other.threads)
    }

    fn fits(self, free: Self) -> bool {
        self.descriptors <= free.descriptors && self.threads <= free.threads
    }
}

/// Somebody who sends: a webrtcbin with its ICE agent, and decoders. 12 of each, measured, and a third more.
pub const SENDER: Cost = Cost::of(16, 16);

/// Somebody who receives: all share one port and its threads. Encodings belong to the room.
pub const RECEIVER: Cost = Cost::of(1, 1);

/// A new room: its clock, its mixer, and the encoders that it starts for its first receiver. 18 of each, measured, and
/// a third more.
pub const ROOM: Cost = Cost::of(24, 24);

/// An output: a pipeline, two encoders and a connection.
pub const OUTPUT: Cost = Cost::of(32, 32);

/// A file that is decoded.
pub const FILE: Cost = Cost::of(24, 24);

/// Kept back for the rest: the log, rooms' files, timers, and files that libraries open for a moment.
const RESERVE: Cost = Cost::of(64, 64);

/// For how long a promise is held beside what is measured: building takes less.
const BUILDING: Duration = Duration::from_secs(3);

/// A measurement may be so old: listing the descriptors of a large server takes a millisecond.
const FRESH: Duration = Duration::from_millis(100);

/// The limits of what may be open, and the counts of what is.
#[derive(Debug)]
pub struct Capacity {
    descriptors: usize,
    threads: Bounds,
    /// Held by HTTP connections, which have a limit of their own.
    connections: AtomicUsize,
    book: Mutex<Book>,
}

/// The limits that the system reports.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Descriptors that are open.
    descriptors: usize,
    /// Threads that may still be.
    threads_left: usize,
}

#[derive(Debug, Default)]
struct Book {
    measured: Option<(Instant, Measured)>,
    promised: Vec<Promised>,
    next: u64,
}

#[derive(Debug)]
struct Promised {
    number: u64,
    cost: Cost,
    /// When it is built; `None` while that has not begun.
    until: Option<Instant>,
}

/// The promise of a place that may be built. Given back when it is dropped; to be kept as soon as it is being built.
#[derive(Debug)]
#[must_use]
pub struct Promise<'a> {
    capacity: &'a Capacity,
    number: u64,
    kept: bool,
}

impl Promise<'_> {
    /// Notes that it is being built.
    pub fn keep(mut self) {
        self.kept = true;
        let mut book = self.capacity.book.lock();
        if let Some(promised) = book.promised.iter_mut().find(|promised| promised.number == self.number) {
            promised.until = Some(Instant::now() + BUILDING);
        }
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.capacity.book.lock().promised.retain(|promised| promised.number != self.number);
        }
    }
}

impl Capacity {
    /// Returns that of this process, by its limits now.
    pub fn of_this_process() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.map_or(usize::MAX, saturated);
        Self {
            descriptors,
            threads: Bounds::of_this_process(),
            connections: AtomicUsize::new(0),
            book: Mutex::default(),
        }
    }

    /// Creates one for a process that may open so much.
    pub fn new(most: Cost) -> Self {
        let threads = Bounds::of(most.threads);
        Self { descriptors: most.descriptors, threads, connections: AtomicUsize::new(0), book: Mutex::default() }
    }

    /// Returns how many HTTP connections there may be at once: a quarter of the descriptors.
    pub fn most_connections(&self) -> usize {
        (self.descriptors / 4).clamp(16, 8192)
    }

    /// Sets how many HTTP connections are open now.
    pub fn set_connections(&self, open: usize) {
        self.connections.store(open, Ordering::Relaxed);
    }

    /// Promises what is about to be built, or refuses it before anything is.
    ///
    /// # Errors
    /// 503 with `Retry-After`.
    pub fn admit(&self, cost: Cost) -> Result<Promise<'_>, Problem> {
        let mut book = self.book.lock();
        let free = self.free(&mut book, Instant::now(), || self.measure());
        if !cost.fits(free) {
            let (what, free) = if cost.descriptors > free.descriptors {
                ("file descriptors", free.descriptors)
            } else {
                ("threads", free.threads)
            };
            tracing::warn!(free, "too few {what} are left: a request is refused");
            metrics::counter!("virfie_refused_for_capacity_total").increment(1);
            return Err(Problem::unavailable(format!("the server has too few {what} left for this; try again later")));
        }
        let number = book.next;
        book.next += 1;
        book.promised.push(Promised { number, cost, until: None });
        Ok(Promise { capacity: self, number, kept: false })
    }

    fn free(&self, book: &mut Book, now: Instant, measure: impl FnOnce() -> Measured) -> Cost {
        book.promised.retain(|promised| promised.until.is_none_or(|until| until > now));
        let used = match book.measured {
            Some((at, used)) if now.saturating_duration_since(at) < FRESH => used,
            _ => {
                let used = measure();
                book.measured = Some((now, used));
                used
            }
        };
        let promised = book.promised.iter().fold(Cost::default(), |sum, promised| sum.and(promised.cost));
        let connections = self.connections.load(Ordering::Relaxed);
        let taken = promised.and(RESERVE);
        // Connections are free to take their own part, and no more of the others'.
        let open = used.descriptors.saturating_sub(connections) + self.most_connections();
        Cost::of(
            self.descriptors.saturating_sub(taken.descriptors + open),
            used.threads_left.saturating_sub(taken.threads),
        )
    }

    /// Asks the system for its limits. Where the system does not say, nothing is open: limits are the system's own
    /// then.
    fn measure(&self) -> Measured {
        // The list of descriptors holds the one that it is read by.
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, |open| open.count().saturating_sub(1));
        Measured { descriptors, threads_left: self.threads.left() }
    }
}

fn saturated(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::header;

    use super::{super::problem::RETRY_AFTER, *};

    fn free(capacity: &Capacity, at: Instant, (descriptors, threads_left): (usize, usize)) -> Cost {
        capacity.free(&mut capacity.book.lock(), at, || Measured { descriptors, threads_left })
    }

    #[test]
    fn what_was_promised_is_held_until_it_is_built_or_given_back() {
        let capacity = Capacity::new(Cost::of(1024, 1_000_000));
        let (begun, used) = (Instant::now(), (100, 1_000_000));
        let before = free(&capacity, begun, used);
        assert_eq!((before.descriptors, before.threads), (1024 - 100 - 64 - 256, 1_000_000 - 64));
        let less = before.descriptors - SENDER.descriptors;
        let promise = capacity.admit(SENDER).unwrap();
        assert_eq!(free(&capacity, begun, used).descriptors, less);
        drop(promise);
        assert_eq!(free(&capacity, begun, used), before, "a refused request takes nothing");
        capacity.admit(SENDER).unwrap().keep();
        assert_eq!(free(&capacity, begun, used).descriptors, less);
        assert_eq!(free(&capacity, begun + BUILDING * 2, used), before);
    }

    #[test]
    fn connections_do_not_take_what_media_needs() {
        let capacity = Capacity::new(Cost::of(1024, 1000));
        let begun = Instant::now();
        let idle = free(&capacity, begun, (100, 50));
        capacity.set_connections(200);
        assert_eq!(free(&capacity, begun + FRESH, (300, 50)), idle);
    }

    #[test]
    fn the_last_ones_are_refused_with_the_time_to_wait() {
        let capacity = Capacity::new(Cost::of(10, 10_000_000));
        let problem = capacity.admit(RECEIVER).unwrap_err();
        assert_eq!(problem.status, 503);
        assert!(problem.detail.contains("file descriptors"));
        assert_eq!(problem.headers, [(header::RETRY_AFTER, RETRY_AFTER)]);
        assert!(Capacity::of_this_process().admit(RECEIVER).is_ok());
    }
}
