//! A stream that one receiver gets, and its packets that wait to be sent.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use str0m::{media::Pt, rtp::Ssrc};

use super::{answer::Track, screen::Numbers};

/// See the module.
pub(super) struct Stream {
    pub(super) payload: Pt,
    pub(super) ssrc: Ssrc,
    pub(super) repair: Option<u32>,
    pub(super) numbers: Numbers,
    pub(super) waiting: VecDeque<Waiting>,
    /// Since when each packet that the pacer holds has waited, here included.
    pub(super) paced: VecDeque<Instant>,
}

/// A packet of the picture that the pacer has not been given yet.
pub(super) struct Waiting {
    pub(super) payload: Arc<[u8]>,
    pub(super) time: u32,
    /// Moment at which its picture was taken, and whether it is the last of it.
    pub(super) at: Instant,
    pub(super) last: bool,
    pub(super) since: Instant,
}

impl Stream {
    pub(super) fn new(track: &Track) -> Self {
        Self {
            payload: Pt::new_with_value(track.codec.payload),
            ssrc: track.ssrc.into(),
            repair: track.repair.map(|_| track.repair_ssrc),
            numbers: Numbers::new(track.codec.clock_rate, rand::random(), rand::random()),
            waiting: VecDeque::new(),
            paced: VecDeque::new(),
        }
    }
}
