//! Counts what a room let go of and what still ends: players of clips, encoders.
//!
//! Changes that come faster than the system frees what is over would fill the process with threads and memory. So what is
//! new waits while [`Tally::is_full`].

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Most of a kind that may end at once before new ones wait. The largest scene has fewer clips, and a room fewer
/// encodings.
const MOST: usize = 8;

/// An ending that takes longer than this hangs, and nobody waits for it: the room goes on without.
const HANGS: Duration = Duration::from_secs(10);

type Ending = Arc<Mutex<Vec<(Weak<()>, Instant)>>>;

/// Goes with the owner.
#[derive(Debug)]
pub(super) struct Held {
    alive: Weak<()>,
    ending: Ending,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.alive.strong_count() > 0 {
            self.ending.lock().push((self.alive.clone(), Instant::now()));
        }
    }
}

/// Goes with the thread or the pipeline, which ends later.
#[derive(Debug)]
pub(super) struct Alive(#[allow(dead_code, reason = "it is counted")] Arc<()>);

/// The count; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Ending);

impl Tally {
    /// Counts one more.
    pub(super) fn begin(&self) -> (Held, Alive) {
        let alive = Arc::new(());
        (Held { alive: Arc::downgrade(&alive), ending: self.0.clone() }, Alive(alive))
    }

    /// Returns whether so many still end that new ones must wait.
    pub(super) fn is_full(&self) -> bool {
        let mut ending = self.0.lock();
        ending.retain(|(alive, since)| alive.strong_count() > 0 && since.elapsed() < HANGS);
        ending.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_while_too_many_end() {
        let tally = Tally::default();
        let of_another = tally.clone();
        let (held, mut alive): (Vec<_>, Vec<_>) = (0..MOST).map(|_| tally.begin()).unzip();
        assert!(!tally.is_full(), "they are wanted");
        drop(held);
        assert!(tally.is_full() && of_another.is_full());
        alive.pop();
        assert!(!tally.is_full());
    }
}
