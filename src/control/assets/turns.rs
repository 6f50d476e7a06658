//! Turns for work that only one may do at a time, fair between rooms: a room that waits gets its turn after one of each
//! other room that waits, however many of these ask.

use std::{collections::VecDeque, iter, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::control::room::RoomName;

/// Those who wait, by rooms. `None`: for no room.
#[derive(Debug, Default)]
struct Line {
    taken: bool,
    /// The room whose turn is next comes first. None is empty.
    rooms: VecDeque<(Option<RoomName>, VecDeque<oneshot::Sender<Turn>>)>,
}

impl Line {
    fn join(&mut self, room: Option<&RoomName>) -> oneshot::Receiver<Turn> {
        let (give, get) = oneshot::channel();
        match self.rooms.iter_mut().find(|(own, _)| own.as_ref() == room) {
            Some((_, waiting)) => waiting.push_back(give),
            None => self.rooms.push_back((room.cloned(), VecDeque::from([give]))),
        }
        get
    }

    /// Returns the next one; its room stands behind all others from then on.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        loop {
            let (room, mut waiting) = self.rooms.pop_front()?;
            // Those who gave up cost their room no turn.
            let next = iter::from_fn(|| waiting.pop_front()).find(|next| !next.is_closed());
            if !waiting.is_empty() {
                self.rooms.push_back((room, waiting));
            }
            if next.is_some() {
                return next;
            }
        }
    }
}

/// Gives turns, one at a time. All that were cloned of it give the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Line>>);

impl Turns {
    /// Waits for a turn. Who gives up waiting loses the place.
    pub(super) async fn take(&self, room: Option<&RoomName>) -> Turn {
        loop {
            let waiting = {
                let mut line = self.0.lock();
                if !line.taken {
                    line.taken = true;
                    return Turn(Some(self.clone()));
                }
                line.join(room)
            };
            // Nobody takes a place out of the line without giving it a turn. If one did, this would stand in line again.
            if let Ok(turn) = waiting.await {
                return turn;
            }
        }
    }

    /// Counts those who wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().rooms.iter().map(|(_, waiting)| waiting.len()).sum()
    }

    /// Returns whether somebody has the turn.
    #[cfg(test)]
    pub(super) fn is_taken(&self) -> bool {
        self.0.lock().taken
    }
}

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn(Option<Turns>);

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        loop {
            let next = {
                let mut line = turns.0.lock();
                let next = line.next();
                line.taken = next.is_some();
                next
            };
            let Some(next) = next else { return };
            // One who has given up gives it back.
            match next.send(Turn(Some(turns.clone()))) {
                Ok(()) => return,
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_room_waits_for_one_turn_of_each_other_room() {
        let turns = Turns::default();
        let [busy, calm] = ["busy", "calm"].map(|name| RoomName::parse(name).unwrap());
        let first = turns.take(Some(&busy)).await;
        let mut of_busy: Vec<_> = (0..40).map(|_| Box::pin(turns.take(Some(&busy)))).collect();
        assert!(of_busy.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        let (mut of_calm, mut of_all) = (Box::pin(turns.take(Some(&calm))), Box::pin(turns.take(None)));
        assert!((&mut of_calm).now_or_never().is_none() && (&mut of_all).now_or_never().is_none());
        drop(first);
        // Those of one room in the order in which they came.
        let second = (&mut of_busy[0]).now_or_never().unwrap();
        assert!((&mut of_calm).now_or_never().is_none());
        drop(second);
        let third = (&mut of_calm).now_or_never().unwrap();
        assert!((&mut of_all).now_or_never().is_none());
        drop(third);
        drop((&mut of_all).now_or_never().unwrap());
        for waiting in of_busy.iter_mut().skip(1) {
            drop(waiting.now_or_never().unwrap());
        }
        assert!(!turns.is_taken());
    }

    #[tokio::test]
    async fn who_gives_up_holds_nobody_up() {
        let turns = Turns::default();
        let first = turns.take(None).await;
        let (mut gone, mut late) = (Box::pin(turns.take(None)), Box::pin(turns.take(None)));
        assert!((&mut gone).now_or_never().is_none() && (&mut late).now_or_never().is_none());
        drop(gone);
        drop(first);
        // It has the turn, and gives up before it knows.
        assert!(turns.is_taken());
        drop(late);
        assert!(!turns.is_taken());
        drop(turns.take(None).await);
    }
}
