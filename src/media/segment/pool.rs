//! One bounded pool of inferences for all rooms of the process, and its governor.
//!
//! As many run at once as there are cores: more would only slow each other and everything else down. Whoever has
//! waited longest is next, and nobody waits twice at once, so no stream gets a second turn before all that wait have
//! had theirs, whichever room they are in.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::info;

use super::governor::Governor;

/// Who runs and who waits.
#[derive(Debug)]
struct Line {
    free: usize,
    next: u64,
    waiting: VecDeque<u64>,
}

#[derive(Debug)]
struct Pool {
    line: Mutex<Line>,
    moved: Condvar,
}

impl Pool {
    fn new(places: usize) -> Self {
        Self { line: Mutex::new(Line { free: places, next: 0, waiting: VecDeque::new() }), moved: Condvar::new() }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) {
        let mut line = self.line();
        if line.free > 0 && line.waiting.is_empty() {
            line.free -= 1;
            return;
        }
        let ticket = line.next;
        line.next += 1;
        line.waiting.push_back(ticket);
        while line.free == 0 || line.waiting.front() != Some(&ticket) {
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        line.waiting.pop_front();
        line.free -= 1;
        let more = line.free > 0 && !line.waiting.is_empty();
        drop(line);
        if more {
            self.moved.notify_all();
        }
    }

    fn leave(&self) {
        self.line().free += 1;
        // All, because only the first in the line may go on and nobody knows which thread that is.
        self.moved.notify_all();
    }
}

fn process() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)))
}

/// What the process's governor has decided last, to be read without waiting.
static EVERY: AtomicU32 = AtomicU32::new(1);

/// Tells the process's governor something, and lets it judge.
fn tell(what: impl FnOnce(&mut Governor)) {
    static GOVERNOR: OnceLock<(Instant, Mutex<Governor>)> = OnceLock::new();
    let (epoch, governor) = GOVERNOR.get_or_init(|| (Instant::now(), Mutex::new(Governor::new(Duration::ZERO))));
    let mut governor = governor.lock().unwrap_or_else(PoisonError::into_inner);
    what(&mut governor);
    if let Some(every) = governor.judge(epoch.elapsed()) {
        EVERY.store(every, Ordering::Relaxed);
        info!(every, "the network sees one frame of every so many");
    }
}

/// The network sees one of so many frames of every stream now; 1: all.
pub fn every() -> u32 {
    EVERY.load(Ordering::Relaxed)
}

/// A frame was segmented.
pub fn segmented() {
    tell(|governor| governor.frames(1, 0));
}

/// A frame came while the one before it still waited to be segmented.
pub fn waited() {
    tell(|governor| governor.frames(0, 1));
}

/// So many frames were composed or missed, of which so many late or missed.
pub fn ticked(of: u32, late: u32) {
    tell(|governor| governor.ticks(of, late));
}

/// The right to run one inference, for as long as it is held.
#[derive(Debug)]
pub struct Turn(&'static Pool);

impl Turn {
    /// Waits for a turn of the process's pool.
    pub fn take() -> Self {
        let pool = process();
        pool.enter();
        Self(pool)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// How much nicer threads that segment for a room are than the others: where there is not enough time for all, the
/// mixer, the encoders and the sound get theirs first, and masks become fewer.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the calling thread, which segments for a room, yield to those that make the output. Once is enough.
pub fn yield_to_output() {
    #[cfg(target_os = "linux")]
    {
        // On Linux a thread has a niceness of its own. Refused in some sandboxes; then all threads are alike.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    };

    use super::*;

    #[test]
    fn no_more_run_at_once_than_there_are_places() {
        let pool = Arc::new(Pool::new(2));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        pool.enter();
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        running.fetch_sub(1, Ordering::SeqCst);
                        pool.leave();
                    }
                });
            }
        });
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(pool.line().free, 2);
    }

    #[test]
    fn whoever_came_first_is_served_first() {
        let pool = Arc::new(Pool::new(1));
        pool.enter();
        let (served, order) = channel();
        let waiting = |count: usize| {
            while pool.line().waiting.len() < count {
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            for who in 0..5 {
                let (pool, served) = (pool.clone(), served.clone());
                scope.spawn(move || {
                    pool.enter();
                    served.send(who).unwrap();
                    pool.leave();
                });
                waiting(who + 1);
            }
            pool.leave();
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }
}
