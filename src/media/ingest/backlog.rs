//! PURE: when decoding does not fit, which encoded frames are left out.
//!
//! Every frame is decoded as long as that keeps up, because later frames are made of it. A decoder that is late
//! although it never rests leaves out everything up to the next keyframe, and asks for one: the last resort, but a
//! picture that is seconds late is worse. Frames that the network brought late are no reason: then the decoder rests.

use std::time::Duration;

/// Over this long it is seen whether the decoder rests.
const WINDOW: Duration = Duration::from_millis(500);
/// A decoder that rests less than this share of the time cannot catch up.
const RESTING: f32 = 0.2;
/// Between two requests for a keyframe: its sender needs a round trip and its own time to make one.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The fate of an encoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is decoded.
    Decode,
    /// It is left out.
    Skip,
    /// It is left out, and the sender is asked for a keyframe.
    SkipAndAsk,
}

/// See the module. Time is any clock that does not go back.
#[derive(Debug, Default)]
pub struct Backlog {
    /// Moment at which the last frame left the decoder.
    left: Option<Duration>,
    /// Since when it is seen whether it rests.
    window: Option<Duration>,
    rested: Duration,
    /// Whether the last whole window was without rest.
    restless: bool,
    /// While frames are left out: when a keyframe was asked for last.
    asked: Option<Duration>,
}

impl Backlog {
    /// Notes that a frame comes to be decoded, so much later than it was sent. `patience`: how late it may be; `None`:
    /// it is not late.
    pub fn comes(&mut self, now: Duration, late: Duration, keyframe: bool, patience: Option<Duration>) -> Verdict {
        let patience = patience.unwrap_or(Duration::MAX);
        if let Some(left) = self.left.take() {
            self.rested += now.saturating_sub(left);
        }
        let passed = now.saturating_sub(*self.window.get_or_insert(now));
        if passed >= WINDOW {
            self.restless = self.rested.as_secs_f32() < passed.as_secs_f32() * RESTING;
            (self.window, self.rested) = (Some(now), Duration::ZERO);
        }
        match self.asked {
            None if late <= patience || !self.restless => Verdict::Decode,
            // A keyframe that is itself too late would only make the next ones later.
            Some(_) if keyframe && late <= patience / 2 => {
                *self = Self::default();
                Verdict::Decode
            }
            Some(asked) if now.saturating_sub(asked) < ASK_AGAIN => Verdict::Skip,
            _ => {
                self.asked = Some(now);
                Verdict::SkipAndAsk
            }
        }
    }

    /// Notes that a frame left the decoder.
    pub fn leaves(&mut self, now: Duration) {
        self.left = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PATIENCE: Duration = Duration::from_millis(300);

    /// Thirty frames a second for ten seconds, with a keyframe 100 ms after each request; decoding one takes `cost` ms,
    /// and the network brings them `network` ms late. How many are decoded, how late the latest of them is, and how
    /// often a keyframe is asked for.
    fn run(cost: u32, network: u32) -> (u32, Duration, u32) {
        let mut backlog = Backlog::default();
        let (mut decoded, mut latest, mut asked) = (0, Duration::ZERO, 0);
        let (mut free, mut keyframe_at) = (Duration::ZERO, Some(Duration::ZERO));
        for frame in 0..300 {
            let sent = frame * 33 * MS;
            let now = free.max(sent + network * MS);
            let keyframe = keyframe_at.is_some_and(|at| sent >= at);
            if keyframe {
                keyframe_at = None;
            }
            match backlog.comes(now, now - sent, keyframe, Some(PATIENCE)) {
                Verdict::Decode => {
                    free = now + cost * MS;
                    backlog.leaves(free);
                    decoded += 1;
                    latest = latest.max(now - sent);
                }
                Verdict::Skip => free = now,
                Verdict::SkipAndAsk => {
                    free = now;
                    asked += 1;
                    keyframe_at = Some(now + 100 * MS);
                }
            }
        }
        (decoded, latest, asked)
    }

    #[test]
    fn all_is_decoded_while_it_fits() {
        assert_eq!(run(10, 0), (300, Duration::ZERO, 0));
        let (decoded, _, asked) = run(26, 0);
        assert_eq!((decoded, asked), (300, 0));
    }

    #[test]
    fn a_decoder_that_is_too_slow_is_never_far_behind() {
        let (decoded, latest, asked) = run(60, 0);
        assert!(latest < PATIENCE + WINDOW, "{latest:?}");
        assert!(decoded > 80 && asked > 2, "{decoded} decoded, asked {asked} times");
    }

    #[test]
    fn a_slow_network_is_no_reason_to_leave_frames_out() {
        let (decoded, _, asked) = run(10, 800);
        assert_eq!((decoded, asked), (300, 0));
    }

    #[test]
    fn a_keyframe_that_does_not_come_is_asked_for_again() {
        let mut backlog = Backlog { restless: true, window: Some(900 * MS), ..Backlog::default() };
        let mut come = |now: u32, keyframe| backlog.comes(now * MS, 500 * MS, keyframe, Some(PATIENCE));
        assert_eq!(come(1000, false), Verdict::SkipAndAsk);
        assert_eq!(come(1500, true), Verdict::Skip, "too late itself");
        assert_eq!(come(2000, false), Verdict::SkipAndAsk);
        assert_eq!(backlog.comes(2100 * MS, 20 * MS, true, Some(PATIENCE)), Verdict::Decode);
    }
}
