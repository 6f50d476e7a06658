//! One receiver's view of a room's encodings: which one passes, and how its packets are numbered. PURE.
//!
//! A receiver sees one stream: one SSRC, sequence numbers without gaps, times that only grow. It is switched to another
//! encoding at a keyframe of that one, so that there is always something that it can decode.

use std::time::Duration;

use crate::media::codec::Rendition;

/// A keyframe that was asked for and did not come is asked for again after this long: longer than an encoder waits
/// between two of them.
const ASK_AGAIN: Duration = Duration::from_millis(700);

/// The choice of the encoding that passes. All times are durations since one epoch of the caller's choice.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    /// The rendition that passes now; a keyframe of it has passed, and nothing was left out since.
    current: Option<Rendition>,
    /// The rendition that shall pass.
    target: Option<Rendition>,
    asked: Option<Duration>,
}

impl Screen {
    /// Shows this from its next keyframe on; `None`: nothing. With `cut` the present one ends at once. Returns whether
    /// one has ended.
    pub fn aim(&mut self, target: Option<Rendition>, cut: bool) -> bool {
        let ended = self.current.is_some() && (target.is_none() || (cut && self.current != target));
        if ended {
            self.current = None;
        }
        if self.target != target {
            self.target = target;
            self.asked = None;
        }
        ended
    }

    /// Leaves everything out until the next keyframe.
    pub fn pause(&mut self) {
        self.current = None;
        self.asked = None;
    }

    /// Returns whether a unit of this rendition passes.
    pub fn takes(&mut self, rendition: Rendition, keyframe: bool) -> bool {
        if keyframe && self.target == Some(rendition) {
            self.current = Some(rendition);
            self.asked = None;
        }
        self.current == Some(rendition)
    }

    /// Returns what passes now.
    pub fn shown(&self) -> Option<Rendition> {
        self.current
    }

    /// Returns the renditions that have to be made for this receiver.
    pub fn needs(&self) -> [Option<Rendition>; 2] {
        [self.current, self.target.filter(|target| self.current != Some(*target))]
    }

    /// Returns the rendition whose keyframe is waited for, when it is time to ask for one; the next time is a while
    /// later.
    pub fn asks(&mut self, now: Duration) -> Option<Rendition> {
        let waited = self.target.filter(|_| self.current != self.target)?;
        if self.asked.is_some_and(|asked| now.saturating_sub(asked) < ASK_AGAIN) {
            return None;
        }
        self.asked = Some(now);
        Some(waited)
    }
}

/// Sequence numbers and times of one stream.
#[derive(Debug, Clone)]
pub struct Numbers {
    clock_rate: u32,
    /// Added to each time, so that nobody learns how long the machine has been running.
    offset: u32,
    sequence: u64,
    last: Option<u64>,
}

impl Numbers {
    /// Creates a stream with this RTP clock, in Hz. `first` is its first sequence number, `offset` its time at the
    /// epoch.
    pub fn new(clock_rate: u32, first: u16, offset: u32) -> Self {
        // A receiver starts with no rollover, and a few packets may be lost at first.
        Self { clock_rate, offset, sequence: u64::from(first & 0x7fff), last: None }
    }

    /// Returns the RTP time of what was taken at `pts`. It is later than the one before: when encodings are switched,
    /// the new one may begin a little earlier than the old one has come, and players take equal times for one picture.
    pub fn time(&mut self, pts: Duration) -> u32 {
        let ticks = u64::try_from(pts.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000).unwrap_or(u64::MAX / 2);
        let ticks = self.last.map_or(ticks, |last| ticks.max(last + 1));
        self.last = Some(ticks);
        // RTP times wrap by design.
        self.offset.wrapping_add(ticks as u32)
    }

    /// Returns the next packet's sequence number, extended.
    pub fn sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use Rendition::{Full, Half, Quarter};

    use super::*;

    const NOW: Duration = Duration::from_secs(9);

    fn showing(rendition: Rendition) -> Screen {
        let mut screen = Screen::default();
        screen.aim(Some(rendition), false);
        assert!(screen.takes(rendition, true));
        screen
    }

    #[test]
    fn nothing_passes_before_a_keyframe() {
        let mut screen = Screen::default();
        screen.aim(Some(Full), false);
        assert!(!screen.takes(Full, false));
        assert_eq!(screen.asks(NOW), Some(Full));
        assert_eq!(screen.asks(NOW + ASK_AGAIN / 2), None);
        assert_eq!(screen.asks(NOW + ASK_AGAIN), Some(Full));
        assert!(screen.takes(Full, true) && screen.takes(Full, false));
        assert_eq!(screen.asks(NOW + ASK_AGAIN * 3), None);
    }

    #[test]
    fn the_old_encoding_goes_on_until_the_new_one_can_be_decoded() {
        let mut screen = showing(Full);
        screen.aim(Some(Half), false);
        assert_eq!(screen.needs(), [Some(Full), Some(Half)]);
        assert!(screen.takes(Full, false) && !screen.takes(Half, false));
        assert!(screen.takes(Half, true));
        assert!(!screen.takes(Full, true));
        assert_eq!(screen.needs(), [Some(Half), None]);
    }

    #[test]
    fn a_cut_ends_the_old_encoding_at_once() {
        let mut screen = showing(Full);
        screen.aim(Some(Quarter), true);
        assert!(!screen.takes(Full, true));
        assert_eq!(screen.needs(), [None, Some(Quarter)]);
        assert!(screen.takes(Quarter, true));
    }

    #[test]
    fn aiming_at_what_is_shown_changes_nothing() {
        let mut screen = showing(Half);
        screen.aim(Some(Half), true);
        assert!(screen.takes(Half, false));
        screen.aim(Some(Full), false);
        screen.aim(Some(Half), false);
        assert!(screen.takes(Half, false));
        assert_eq!(screen.asks(NOW), None);
    }

    #[test]
    fn nobody_is_shown_anything_while_there_is_no_target() {
        let mut screen = showing(Half);
        screen.aim(None, false);
        assert!(!screen.takes(Half, true));
        assert_eq!((screen.needs(), screen.asks(NOW)), ([None, None], None));
    }

    #[test]
    fn a_pause_ends_with_a_keyframe() {
        let mut screen = showing(Half);
        screen.pause();
        assert!(!screen.takes(Half, false));
        assert_eq!(screen.asks(NOW), Some(Half));
        assert!(screen.takes(Half, true));
    }

    #[test]
    fn times_grow_over_a_switch_and_sequence_numbers_have_no_gap() {
        let mut numbers = Numbers::new(90_000, 0xffff, 5);
        let ms = Duration::from_millis;
        let times: Vec<u32> = [100, 133, 100, 133, 166].map(|at| numbers.time(ms(at))).to_vec();
        assert_eq!(times, [9_005, 11_975, 11_976, 11_977, 14_945]);
        let first = numbers.sequence();
        assert!(first < 0x1_0000);
        assert_eq!(numbers.sequence(), first + 1);
    }
}
