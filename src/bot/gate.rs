//! The gate of one receiver of a shared encoding: nothing passes before a keyframe, and nothing that it cannot take.
//! PURE.
//!
//! A receiver that joins in the middle, or has lost frames, cannot decode until the next keyframe; sending it more
//! would show rubbish. And a receiver that is slower than the encoder must lose frames here, where it costs nobody else
//! anything.

use std::time::Duration;

/// Most time that may wait for one receiver before frames are dropped. Longer would be seen as delay; a keyframe at a
/// narrow link needs about 300 ms.
pub const MAX_QUEUED: Duration = Duration::from_millis(500);
/// A keyframe that was asked for and does not come is asked for again after so many dropped frames: one second of
/// video.
const ASK_AGAIN: u32 = 30;

/// The decision about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It goes to the receiver.
    Send,
    /// It does not.
    Drop,
    /// It does not, and the receiver needs a keyframe: ask the encoder's arbiter.
    DropAndRequestKeyframe,
}

/// The gate before one receiver's queue.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    open: bool,
    /// Frames dropped since a keyframe was asked for; `None` when none has been.
    since_request: Option<u32>,
    dropped: u64,
}

impl Gate {
    /// Creates a closed gate: the first frame that passes is a keyframe.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides about one frame. `queued` is how much of the stream already waits for this receiver. For sound every
    /// packet is a keyframe.
    ///
    /// While too much waits, frames are dropped without asking: a keyframe would be dropped as well.
    pub fn offer(&mut self, is_keyframe: bool, queued: Duration) -> Pass {
        if queued > MAX_QUEUED {
            self.open = false;
            self.since_request = None;
            self.dropped += 1;
            return Pass::Drop;
        }
        if self.open || is_keyframe {
            self.open = true;
            self.since_request = None;
            return Pass::Send;
        }
        self.dropped += 1;
        match &mut self.since_request {
            Some(count) if *count + 1 < ASK_AGAIN => {
                *count += 1;
                Pass::Drop
            }
            _ => {
                self.since_request = Some(0);
                Pass::DropAndRequestKeyframe
            }
        }
    }

    /// Returns whether frames flow: a keyframe has passed and nothing was dropped since.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Returns frames dropped since the gate was made.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Duration = Duration::ZERO;
    const FULL: Duration = Duration::from_millis(501);

    #[test]
    fn nothing_passes_before_a_keyframe_which_is_asked_for_once() {
        let mut gate = Gate::new();
        assert_eq!(gate.offer(false, EMPTY), Pass::DropAndRequestKeyframe);
        assert_eq!(gate.offer(false, EMPTY), Pass::Drop);
        assert!(!gate.is_open());
        assert_eq!(gate.offer(true, EMPTY), Pass::Send);
        assert_eq!(gate.offer(false, MAX_QUEUED), Pass::Send);
        assert!(gate.is_open());
        assert_eq!(gate.dropped(), 2);
    }

    #[test]
    fn a_first_keyframe_passes_without_asking() {
        assert_eq!(Gate::new().offer(true, EMPTY), Pass::Send);
    }

    #[test]
    fn a_slow_receiver_loses_all_until_the_next_keyframe() {
        let mut gate = Gate::new();
        gate.offer(true, EMPTY);
        assert_eq!(gate.offer(false, FULL), Pass::Drop);
        assert_eq!(gate.offer(true, FULL), Pass::Drop);
        assert_eq!(gate.offer(false, EMPTY), Pass::DropAndRequestKeyframe);
        assert_eq!(gate.offer(false, EMPTY), Pass::Drop);
        assert_eq!(gate.offer(true, EMPTY), Pass::Send);
        assert_eq!(gate.offer(false, EMPTY), Pass::Send);
        assert_eq!(gate.dropped(), 4);
    }

    #[test]
    fn a_keyframe_that_never_comes_is_asked_for_again_each_second() {
        let mut gate = Gate::new();
        let asked = (0..90).filter(|_| gate.offer(false, EMPTY) == Pass::DropAndRequestKeyframe).count();
        assert_eq!(asked, 3);
        assert_eq!(gate.dropped(), 90);
    }

    #[test]
    fn sound_flows_again_as_soon_as_there_is_room() {
        let mut gate = Gate::new();
        for (queued, pass) in [(EMPTY, Pass::Send), (FULL, Pass::Drop), (EMPTY, Pass::Send)] {
            assert_eq!(gate.offer(true, queued), pass);
        }
    }
}
