//! Whether the network sees a frame, or its mask is carried along.

use std::time::{Duration, Instant};

use crate::{
    crowd::{self, Pace},
    gst::priority::{self, Role},
    input::Yuv,
    model::ModelError,
    pool::{self, Turn},
    stream::{MaskRequest, Outcome, Stream},
};

/// The times when a governed stream's frames came, by their own time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Past {
    /// Those that are not left out.
    pub(super) kept: Pace,
    /// The last one that was segmented, with whatever outcome.
    pub(super) seen: Option<Duration>,
    /// The last one that the network saw.
    pub(super) inferred: Option<Duration>,
    /// Those that it is to see.
    pub(super) masks: Pace,
}

/// The way that decides whether the network sees a frame.
pub(super) enum Way {
    /// By the element's own setting: one of so many.
    Own { now: Duration, every: u32 },
    /// By the process's governor, and by whose turn it is.
    Governed { now: Duration, past: Past, every: u32 },
}

impl Way {
    /// Infers or carries. The time that it took is without the waiting.
    pub(super) fn run(
        self,
        stream: &mut Stream,
        yuv: &Yuv<'_>,
        wish: &MaskRequest,
    ) -> Result<(Outcome, Duration), ModelError> {
        let (turn, overdue, now) = match self {
            Self::Own { now, every } => {
                let _turn = Turn::take(None);
                let begun = Instant::now();
                return stream.frame(yuv, wish, every, now).map(|outcome| (outcome, begun.elapsed()));
            }
            Self::Governed { now, past, every } => {
                priority::take(Role::Segment);
                let near = crowd::is_near(past.seen, now) && stream.can_carry((yuv.width, yuv.height), wish);
                let turn = match (near, past.masks.is_due(now, every)) {
                    (false, _) => Some(Turn::take(past.inferred)),
                    (true, true) => {
                        let turn = Turn::take_within(past.inferred, pool::PATIENCE);
                        if turn.is_none() {
                            pool::waited();
                        }
                        turn
                    }
                    (true, false) => None,
                };
                if turn.is_none() {
                    let begun = Instant::now();
                    if let Some(outcome) = stream.carried(yuv, wish) {
                        return Ok((outcome, begun.elapsed()));
                    }
                }
                (turn.unwrap_or_else(|| Turn::take(past.inferred)), crowd::is_overdue(past.inferred, now), now)
            }
        };
        if overdue {
            priority::take(Role::DueMask);
        }
        let begun = Instant::now();
        let outcome = stream.inferred(yuv, wish, now);
        drop(turn);
        outcome.map(|outcome| (outcome, begun.elapsed()))
    }
}
