//! The file descriptors and threads that the process may still open. Without one of them GLib aborts the whole process,
//! so everything that is built out of them is asked for here first, and refused with 503 while there are too few.
//!
//! Rests on measuring, not on counting along: `/proc` says what is open, of descriptors by us, of threads by all who
//! share a bound with us. What was promised a moment ago is not open yet, and is held beside it, unless the room that it
//! was for is gone. What is promised to one holder of tokens leaves as much to strangers.

use std::{
    fmt, fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustix::process::{Resource, getrlimit};

use super::{auth::Access, problem::Problem, threads::Bounds};
use crate::{control::room::RoomHandle, media::port::SRT_CALLERS};

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

    const fn half(self) -> Self {
        Self::of(self.descriptors / 2, self.threads / 2)
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

/// Receivers that call a listening output: the sink opens one descriptor for each.
pub const CALLERS: Cost = Cost::of(SRT_CALLERS, 0);

/// Descriptors of a file that is decoded: its own, twice, the pipe of its process's answer, and for a moment those by which
/// the process is started. 8, read from what `media::upload` starts, and a third more. What its process opens counts there.
const DESCRIPTORS_OF_FILE: usize = 12;

/// Returns the cost of a file that is decoded by so many threads at most.
pub const fn file(threads: usize) -> Cost {
    Cost::of(DESCRIPTORS_OF_FILE, threads)
}

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

struct Promised {
    number: u64,
    cost: Cost,
    /// Holder with whom it counts; see [`Access::holder`].
    holder: Option<String>,
    building: Option<Building>,
}

/// The building of what was promised.
struct Building {
    /// Moment by which it is built.
    until: Instant,
    /// Whether what it is for is gone.
    is_gone: Box<dyn Fn() -> bool + Send>,
}

impl fmt::Debug for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Promised({:?} to {:?})", self.cost, self.holder)
    }
}

impl Book {
    /// Adds up the promises to those of whom `counts` says so.
    fn promised(&self, counts: impl Fn(&Option<String>) -> bool) -> Cost {
        let promised = self.promised.iter().filter(|promised| counts(&promised.holder));
        promised.fold(Cost::default(), |sum, promised| sum.and(promised.cost))
    }

    /// Forgets what is built, and what nobody will build any more.
    fn tidy(&mut self, now: Instant) {
        let is_over = |building: &Building| building.until <= now || (building.is_gone)();
        self.promised.retain(|promised| !promised.building.as_ref().is_some_and(is_over));
    }
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
    /// Notes that it is being built for a room: its end ends that.
    pub fn keep(self, room: &RoomHandle) {
        let room = room.clone();
        self.keep_until(move || room.has_ended());
    }

    /// Notes that it is being built.
    fn keep_until(mut self, is_gone: impl Fn() -> bool + Send + 'static) {
        self.kept = true;
        let mut book = self.capacity.book.lock();
        if let Some(promised) = book.promised.iter_mut().find(|promised| promised.number == self.number) {
            promised.building = Some(Building { until: Instant::now() + BUILDING, is_gone: Box::new(is_gone) });
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

    /// Returns what is promised and not built yet.
    pub fn promised(&self) -> Cost {
        let mut book = self.book.lock();
        book.tidy(Instant::now());
        book.promised(|_| true)
    }

    /// Promises what somebody is about to have built, or refuses it before anything is.
    ///
    /// # Errors
    /// 503 with `Retry-After`.
    pub fn admit(&self, cost: Cost, access: &Access) -> Result<Promise<'_>, Problem> {
        self.admit_to(access.holder(), cost, Instant::now(), || self.measure())
    }

    fn admit_to(
        &self,
        holder: Option<String>,
        cost: Cost,
        now: Instant,
        measure: impl FnOnce() -> Measured,
    ) -> Result<Promise<'_>, Problem> {
        let mut book = self.book.lock();
        let free = self.free(&mut book, now, measure);
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
        let own = if holder.is_some() { book.promised(|other| *other == holder) } else { Cost::default() };
        // Who has nothing that is being built may have what there is.
        if own != Cost::default() && !own.and(cost).fits(free.and(book.promised(|_| true)).half()) {
            metrics::counter!("virfie_refused_for_capacity_total").increment(1);
            let detail = "too much is being built for this token or its room already; try again later";
            return Err(Problem::unavailable(detail));
        }
        let number = book.next;
        book.next += 1;
        book.promised.push(Promised { number, cost, holder, building: None });
        Ok(Promise { capacity: self, number, kept: false })
    }

    fn free(&self, book: &mut Book, now: Instant, measure: impl FnOnce() -> Measured) -> Cost {
        book.tidy(now);
        let used = match book.measured {
            Some((at, used)) if now.saturating_duration_since(at) < FRESH => used,
            _ => {
                let used = measure();
                book.measured = Some((now, used));
                used
            }
        };
        let promised = book.promised(|_| true);
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
    use std::sync::{Arc, atomic::AtomicBool};

    use axum::http::header;

    use super::{super::problem::RETRY_AFTER, *};

    fn free(capacity: &Capacity, at: Instant, (descriptors, threads_left): (usize, usize)) -> Cost {
        capacity.free(&mut capacity.book.lock(), at, || Measured { descriptors, threads_left })
    }

    fn admit<'a>(capacity: &'a Capacity, holder: Option<&str>, cost: Cost) -> Result<Promise<'a>, Problem> {
        let used = || Measured { descriptors: 100, threads_left: 1_000_000 };
        capacity.admit_to(holder.map(str::to_owned), cost, Instant::now(), used)
    }

    #[test]
    fn what_was_promised_is_held_until_it_is_built_or_given_back() {
        let capacity = Capacity::new(Cost::of(1024, 1_000_000));
        let (begun, used) = (Instant::now(), (100, 1_000_000));
        let before = free(&capacity, begun, used);
        assert_eq!((before.descriptors, before.threads), (1024 - 100 - 64 - 256, 1_000_000 - 64));
        let less = before.descriptors - SENDER.descriptors;
        let promise = admit(&capacity, None, SENDER).unwrap();
        assert_eq!(free(&capacity, begun, used).descriptors, less);
        drop(promise);
        assert_eq!(free(&capacity, begun, used), before, "a refused request takes nothing");
        admit(&capacity, None, SENDER).unwrap().keep_until(|| false);
        assert_eq!(free(&capacity, begun, used).descriptors, less);
        assert_eq!(free(&capacity, begun + BUILDING * 2, used), before);
    }

    #[test]
    fn what_is_gone_is_not_waited_for() {
        let capacity = Capacity::new(Cost::of(1024, 1_000_000));
        // More than there would be room for at once.
        for _ in 0..100 {
            let gone = Arc::new(AtomicBool::new(false));
            let of_room = Arc::clone(&gone);
            admit(&capacity, Some("churn"), ROOM).unwrap().keep_until(move || of_room.load(Ordering::SeqCst));
            assert_eq!(capacity.promised(), ROOM);
            gone.store(true, Ordering::SeqCst);
            assert_eq!(capacity.promised(), Cost::default());
        }
    }

    #[test]
    fn one_holder_leaves_room_for_strangers() {
        let capacity = Capacity::new(Cost::of(1024, 1_000_000));
        let take = |holder| (0..100).map_while(|_| admit(&capacity, Some(holder), ROOM).ok()).collect::<Vec<_>>();
        let first = take("room a");
        // Of the 604 that are free.
        assert_eq!(first.len(), 302 / ROOM.descriptors);
        let problem = admit(&capacity, Some("room a"), SENDER).unwrap_err();
        assert_eq!((problem.status.as_u16(), &problem.headers), (503, &vec![(header::RETRY_AFTER, RETRY_AFTER)]));
        let second = take("room b");
        assert_eq!(second.len(), first.len());
        drop(first);
        let all: Vec<_> = (0..100).map_while(|_| admit(&capacity, None, ROOM).ok()).collect();
        assert_eq!(all.len(), 604 / ROOM.descriptors - second.len(), "with the key, all that there is");
        drop(all);
        let large = Cost::of(300, 1);
        assert!(admit(&capacity, Some("room c"), large).is_ok(), "who has nothing may have a large one");
    }

    #[test]
    fn a_file_is_decoded_only_where_all_its_threads_can_be() {
        let is_admitted = |threads_left: usize| {
            let capacity = Capacity::new(Cost::of(10_000, 1));
            let used = || Measured { descriptors: 100, threads_left };
            let admitted = capacity.admit_to(None, file(48), Instant::now(), used);
            admitted.is_ok()
        };
        assert!(is_admitted(RESERVE.threads + 48) && !is_admitted(RESERVE.threads + 47));
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
        let problem = admit(&capacity, None, RECEIVER).unwrap_err();
        assert_eq!(problem.status, 503);
        assert!(problem.detail.contains("file descriptors"));
        assert_eq!(problem.headers, [(header::RETRY_AFTER, RETRY_AFTER)]);
        let of_process = Capacity::of_this_process();
        assert!(of_process.admit_to(None, RECEIVER, Instant::now(), || of_process.measure()).is_ok());
    }
}
