//! What a room says to one session socket. The room never waits for a socket: a full queue ends the link.

use tokio::sync::{mpsc, oneshot};

use super::view::Delivery;

/// How many notes may wait for a socket. Two dozen candidates and an offer are usual; more waiting than this means that
/// nobody reads.
const QUEUE: usize = 128;

/// Something that one connection's socket has to pass on to the browser.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The server's offer.
    Offer {
        /// SDP.
        sdp: String,
    },
    /// One of the server's candidates.
    Candidate {
        /// Index of the m-line.
        mline: u32,
        /// `candidate:…`
        candidate: String,
    },
    /// What the browser sends is taken.
    Connected,
    /// How the mix reaches the browser.
    Delivery(Delivery),
    /// How large the browser's own picture is shown.
    Shown {
        /// In pixels of the canvas; 0: not at all.
        width: u32,
        /// In pixels of the canvas; 0: not at all.
        height: u32,
        /// Frames a second that can be of use.
        fps: u32,
    },
}

/// The reason why a room closes a session socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// A newer connection took the place.
    Replaced,
    /// A moderator removed the participant.
    Removed,
    /// The participant's token is over or was taken back.
    Unauthorized,
    /// The room ended.
    RoomEnded,
    /// The server ends.
    Shutdown,
    /// The WebRTC connection is gone; a new socket may resume.
    MediaFailed(String),
    /// The socket does not read what it is sent.
    TooSlow,
}

/// The room's end of a session socket.
#[derive(Debug)]
pub struct Link {
    notes: mpsc::Sender<Note>,
    close: oneshot::Sender<Closing>,
}

/// The socket's end.
#[derive(Debug)]
pub struct SessionEnd {
    /// What to pass on, in order.
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
