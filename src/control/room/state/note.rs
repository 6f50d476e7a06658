//! Notes of a room to one session socket, and the reasons to close it. PURE.

use super::view::Delivery;

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
    /// The server receives from the browser.
    Connected,
    /// Delivery of the mix to the browser.
    Delivery(Delivery),
    /// Size at which the browser's own picture is shown.
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
