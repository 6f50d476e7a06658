//! The link from a room to one session socket. The room never waits for a socket: a full queue ends the link.

use tokio::sync::{mpsc, oneshot};

use crate::control::room::state::note::{Closing, Note};

/// Most notes that may wait for a socket. Two dozen candidates and an offer are usual; more waiting than this means
/// that nobody reads.
const QUEUE: usize = 128;

/// The room's end of a session socket.
#[derive(Debug)]
pub struct Link {
    notes: mpsc::Sender<Note>,
    close: oneshot::Sender<Closing>,
}

/// The socket's end.
#[derive(Debug)]
pub struct SessionEnd {
    /// Notes to pass on, in order.
    pub notes: mpsc::Receiver<Note>,
    /// Resolves when the room wants the socket closed. An error means that the room's task is gone.
    pub close: oneshot::Receiver<Closing>,
}

/// The socket takes no more notes.
#[derive(Debug, PartialEq, Eq)]
pub struct Clogged;

impl Link {
    /// Creates a link and its other end.
    pub fn new() -> (Link, SessionEnd) {
        let (notes, notes_end) = mpsc::channel(QUEUE);
        let (close, close_end) = oneshot::channel();
        (Link { notes, close }, SessionEnd { notes: notes_end, close: close_end })
    }

    /// Queues a note. A socket that is already gone is no error: its task will say so itself.
    ///
    /// # Errors
    /// [`Clogged`] when the queue is full.
    pub fn tell(&self, note: Note) -> Result<(), Clogged> {
        match self.notes.try_send(note) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Clogged),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Has the socket closed.
    pub fn close(self, why: Closing) {
        // A socket that is gone needs no closing.
        let _ = self.close.send(why);
    }
}
