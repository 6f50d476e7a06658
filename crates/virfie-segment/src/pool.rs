//! One bounded pool of inferences for all rooms of the process, and its governor.
//!
//! As many run at once as there are cores: more would only slow each other and everything else down. Who is next says
//! [`WaitingLine`]; those who can show a mask carried along wait only so long.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tracing::info;

use super::{
    crowd::{self, Crowd},
    governor::{Governor, MaskPlan},
    line::WaitingLine,
};

/// Time for which a frame waits for its turn when an earlier mask can be carried to it: with the carrying it still
/// leaves before the next one comes.
pub const PATIENCE: Duration = Duration::from_millis(25);

#[derive(Debug)]
struct Pool {
    line: Mutex<WaitingLine>,
    moved: Condvar,
}

impl Pool {
    fn new(places: usize) -> Self {
        Self { line: Mutex::new(WaitingLine::new(places)), moved: Condvar::new() }
    }

    /// Returns whether a place was taken; without `patience` it always is.
    fn enter(&self, last: Option<Duration>, patience: Option<Duration>) -> bool {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut line = self.line.lock();
        let ticket = line.wait(last);
        let entered = loop {
            if line.advance(ticket) {
                break true;
            }
            match deadline {
                Some(deadline) if deadline <= Instant::now() => break false,
                Some(deadline) => {
                    self.moved.wait_until(&mut line, deadline);
                }
                None => self.moved.wait(&mut line),
            }
        };
        if !entered {
            line.give_up(ticket);
        }
        let more = line.is_open();
        drop(line);
        if more {
            self.moved.notify_all();
        }
        entered
    }

    fn leave(&self) {
        self.line.lock().leave();
        // All, because only the first in the line may go on and nobody knows which thread that is.
        self.moved.notify_all();
    }
}

fn process() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)))
}

/// The newest decisions of the process's governor, to be read without waiting.
static SHRINKING: AtomicU32 = AtomicU32::new(0);
static EVERY: AtomicU32 = AtomicU32::new(1);
static THINNING: AtomicU32 = AtomicU32::new(0);

/// Reports something to the process's governor, and lets it judge.
fn tell(what: impl FnOnce(&mut Governor)) {
    static GOVERNOR: OnceLock<(Instant, Mutex<Governor>)> = OnceLock::new();
    let (epoch, governor) = GOVERNOR.get_or_init(|| (Instant::now(), Mutex::new(Governor::new(Duration::ZERO))));
    let mut governor = governor.lock();
    what(&mut governor);
    if let Some(plan) = governor.judge(epoch.elapsed()) {
        SHRINKING.store(plan.shrinking, Ordering::Relaxed);
        EVERY.store(plan.every, Ordering::Relaxed);
        THINNING.store(plan.thinning, Ordering::Relaxed);
        info!(plan.shrinking, plan.every, plan.thinning, "what is given up of the masks and frames");
    }
}

/// Returns what is given up of every stream now.
pub fn plan() -> MaskPlan {
    MaskPlan {
        shrinking: SHRINKING.load(Ordering::Relaxed),
        every: EVERY.load(Ordering::Relaxed),
        thinning: THINNING.load(Ordering::Relaxed),
    }
}

/// Notes that a frame was segmented, whose input could be smaller by so many sizes.
pub fn segmented(spare: u32) {
    tell(|governor| {
        governor.frames(1, 0);
        governor.spares(spare);
    });
}

/// Notes that a frame came while the one before it still waited to be segmented, or waited for its turn in vain.
pub fn waited() {
    tell(|governor| governor.frames(0, 1));
}

/// Counts frames that were composed or missed, and those of them that were late or missed.
pub fn ticked(of: u32, late: u32) {
    tell(|governor| governor.ticks(of, late));
}

/// The right to run one inference, for as long as it is held.
#[derive(Debug)]
pub struct Turn(&'static Pool);

impl Turn {
    /// Waits for a turn of the process's pool; `last`: the time of the own last mask.
    pub fn take(last: Option<Duration>) -> Self {
        let pool = process();
        pool.enter(last, None);
        Self(pool)
    }

    /// Does the same, for no longer than `patience`.
    pub fn take_within(last: Option<Duration>, patience: Duration) -> Option<Self> {
        let pool = process();
        pool.enter(last, Some(patience)).then_some(Self(pool))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Sizes at which everybody is shown, in all rooms.
static CROWD: Mutex<Crowd> = Mutex::new(Crowd::new());
/// Up to so many pixels is small.
static SMALL: AtomicU32 = AtomicU32::new(0);

fn change_crowd(change: impl FnOnce(&mut Crowd)) {
    let mut crowd = CROWD.lock();
    change(&mut crowd);
    SMALL.store(crowd.small(), Ordering::Relaxed);
}

/// A stream's place among those of the process.
#[derive(Debug)]
pub struct Seat {
    number: u64,
    pixels: u32,
}

impl Seat {
    /// Creates one shown with so many pixels of the canvas.
    pub fn new(pixels: u32) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let seat = Self { number: NEXT.fetch_add(1, Ordering::Relaxed), pixels };
        change_crowd(|crowd| crowd.show(seat.number, pixels));
        seat
    }

    /// Notes with how many pixels it is shown now.
    pub fn show(&mut self, pixels: u32) {
        if self.pixels != pixels {
            self.pixels = pixels;
            change_crowd(|crowd| crowd.show(self.number, pixels));
        }
    }

    fn is_small(&self) -> bool {
        self.pixels <= SMALL.load(Ordering::Relaxed)
    }

    /// Returns `n` where one of `n` of its frames is looked at now.
    pub fn frames_every(&self) -> u32 {
        crowd::frames_every(plan().thinning, self.is_small())
    }

    /// Returns how late its decoded frames may be.
    pub fn patience(&self) -> Duration {
        crowd::patience(self.is_small(), self.number)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        change_crowd(|crowd| crowd.forget(self.number));
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
                        assert!(pool.enter(None, None));
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        running.fetch_sub(1, Ordering::SeqCst);
                        pool.leave();
                    }
                });
            }
        });
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(pool.line.lock().free(), 2);
    }

    #[test]
    fn the_oldest_mask_is_served_first() {
        let pool = Arc::new(Pool::new(1));
        pool.enter(None, None);
        let (served, order) = channel();
        let waiting = |count: usize| {
            while pool.line.lock().waiting() < count {
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            for who in 0..5u64 {
                let (pool, served) = (pool.clone(), served.clone());
                scope.spawn(move || {
                    pool.enter(Some(Duration::from_secs(9 - who)), None);
                    served.send(who).unwrap();
                    pool.leave();
                });
                waiting(who as usize + 1);
            }
            pool.leave();
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
    }

    #[test]
    fn without_patience_there_is_no_waiting() {
        let pool = Pool::new(1);
        assert!(pool.enter(None, Some(Duration::ZERO)));
        assert!(!pool.enter(None, Some(Duration::ZERO)));
        assert_eq!(pool.line.lock().waiting(), 0);
        pool.leave();
        assert!(pool.enter(None, Some(Duration::ZERO)));
    }
}
