//! Counts what a room let go of and what still ends: players of clips, encoders. PURE.
//!
//! Changes that come faster than the system frees what is over would fill the process with threads and memory. So what is
//! new waits while [`Tally::is_full`].

use std::sync::Arc;

/// How many of a kind may end at once before new ones wait. The largest scene has fewer clips, and a room fewer encodings.
const MOST: usize = 8;

/// Goes with the owner.
#[derive(Debug)]
pub(super) struct Held(#[allow(dead_code, reason = "it is counted")] Arc<()>);

/// Goes with the thread or the pipeline, which ends later.
#[derive(Debug)]
pub(super) struct Alive(#[allow(dead_code, reason = "it is counted")] Arc<()>);

/// The count; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    held: Arc<()>,
    alive: Arc<()>,
}

impl Tally {
    /// Counts one more.
    pub(super) fn begin(&self) -> (Held, Alive) {
        (Held(self.held.clone()), Alive(self.alive.clone()))
    }

    /// Returns whether so many still end that new ones must wait.
    pub(super) fn is_full(&self) -> bool {
        // Clones of the tally hold both.
        Arc::strong_count(&self.alive).saturating_sub(Arc::strong_count(&self.held)) >= MOST
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
