//! The rhythm of what comes from a peer: what a silence means depends on how it spoke before. PURE.
//!
//! A peer that sent steadily and is silent all at once has most likely gone. One that sends slides, one frame in some
//! seconds, or a picture that holds still, is there as long as its RTCP reports come.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::media::port::SHORTEST_SILENCE;

/// The last second is seen in ten parts.
const PART: Duration = Duration::from_millis(100);
const SECOND: u64 = 0x3ff;
/// Steady is who sent in so many of the ten. Reports come once or twice a second, and a slide in one burst.
const STEADY: u32 = 6;
/// A peer that has sent for less than a second is steady with so many, and without gaps: a burst is shorter.
const STEADY_SO_FAR: u32 = 4;
/// The least time in which a steady sender's picture may show that it only holds still. Browsers report on video once a
/// second.
const LEAST_WAIT: Duration = Duration::from_secs(2);
/// Reports that are this much late do not come.
const LATE: f64 = 2.5;
/// The least and the most of silence that ends a connection: a line that hangs for a moment comes back, and the reports
/// of the slowest come every seven seconds.
const PATIENCE: std::ops::RangeInclusive<Duration> = SHORTEST_SILENCE..=Duration::from_secs(12);

/// See the module. Written on one thread and read on others; all times are of one clock.
#[derive(Debug, Default)]
pub struct Pulse {
    packets: AtomicU64,
    /// Time of the last packet, in nanoseconds.
    last: AtomicU64,
    /// Ten bits for the ten parts up to the last packet, the last one lowest; above them is 1 if it sent before.
    parts: AtomicU64,
    reported: AtomicU64,
    /// The longest time between two reports lately; 0: unknown.
    interval: AtomicU64,
}

impl Pulse {
    /// Notes a packet; `report`: it is RTCP.
    pub fn came(&self, now: Duration, report: bool) {
        let number = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (get, set) = (Ordering::Relaxed, Ordering::Relaxed);
        let last = Duration::from_nanos(self.last.swap(number(now), set));
        let part = |time: Duration| time.as_nanos() / PART.as_nanos();
        let passed = part(now).saturating_sub(part(last)).min(10);
        let parts = self.parts.load(get) << passed | 1;
        self.parts.store(if parts > SECOND { parts & SECOND | (SECOND + 1) } else { parts }, set);
        self.packets.fetch_add(1, set);
        if report {
            let before = self.reported.swap(number(now), set);
            if before != 0 {
                // A long one is forgotten slowly: the next may be as long.
                let faded = self.interval.load(get) / 8 * 7;
                self.interval.store(faded.max(number(now).saturating_sub(before)), set);
            }
        }
    }

    /// Returns packets so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Returns whether a sender whose frames have stopped is still there, as far as anybody can know now.
    pub fn is_there(&self, now: Duration) -> bool {
        let silence = now.saturating_sub(Duration::from_nanos(self.last.load(Ordering::Relaxed)));
        silence <= if self.is_steady() { self.wait() } else { self.patience() }
    }

    /// Returns how long it may be silent before its connection is over. A report is due so long after the last report,
    /// not after the last packet.
    pub fn patience(&self) -> Duration {
        match (self.interval(), self.is_steady()) {
            (Some(interval), _) => {
                let [last, reported] = [&self.last, &self.reported].map(|it| it.load(Ordering::Relaxed));
                let since = Duration::from_nanos(last.saturating_sub(reported));
                interval.mul_f64(LATE).saturating_sub(since).clamp(*PATIENCE.start(), *PATIENCE.end())
            }
            (None, true) => *PATIENCE.start(),
            (None, false) => *PATIENCE.end(),
        }
    }

    /// Returns whether it sent steadily when it was last heard.
    fn is_steady(&self) -> bool {
        let parts = self.parts.load(Ordering::Relaxed) & SECOND;
        let has_no_gaps = parts.trailing_ones() == parts.count_ones();
        let is_new = self.parts.load(Ordering::Relaxed) == parts;
        parts.count_ones() >= if is_new && has_no_gaps { STEADY_SO_FAR } else { STEADY }
    }

    /// Returns how long the next report may take.
    fn wait(&self) -> Duration {
        self.interval().map_or(LEAST_WAIT, |interval| interval.mul_f64(1.5).max(LEAST_WAIT))
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.interval.load(Ordering::Relaxed)).filter(|interval| *interval != 0).map(Duration::from_nanos)
    }
}

/// Returns whether a packet of a peer is RTCP, encrypted or not: its type stands in the clear (RFC 5761).
pub fn is_report(packet: &[u8]) -> bool {
    matches!(packet, [first, second, ..] if first >> 6 == 2 && (192..=223).contains(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Returns a peer that sends a packet of media every `every` ms from 10 s to 20 s, and a report every `reports` ms
    /// up to `end`.
    fn peer(every: u32, reports: u32, end: u32) -> Pulse {
        let pulse = Pulse::default();
        for ms in 10_000..end {
            if ms < 20_000 && ms % every == 0 {
                pulse.came(ms * MS, false);
            }
            if ms % reports == 0 {
                pulse.came(ms * MS, true);
            }
        }
        pulse
    }

    #[test]
    fn a_steady_sender_who_falls_silent_is_gone_after_a_report_is_due() {
        let pulse = peer(20, 1000, 20_000);
        assert!(pulse.is_there(21_900 * MS) && !pulse.is_there(22_100 * MS));
        assert_eq!(pulse.patience(), 4_500 * MS);
        let unknown = peer(20, 60_000, 20_000);
        assert!(unknown.is_there(21_900 * MS) && !unknown.is_there(22_100 * MS));
    }

    #[test]
    fn who_has_begun_just_now_is_steady_without_gaps() {
        let pulse = |parts: &[u32]| {
            let pulse = Pulse::default();
            parts.iter().for_each(|part| pulse.came(10_000 * MS + *part * PART, false));
            pulse
        };
        assert_eq!(pulse(&[0, 1, 2, 3]).patience(), 4_500 * MS);
        for seldom in [&[0, 1, 2][..], &[0, 1, 3, 4], &[0, 11, 12, 13, 14], &[0, 1, 25, 26, 27, 28]] {
            assert_eq!(pulse(seldom).patience(), 12_000 * MS, "{seldom:?}");
        }
    }

    #[test]
    fn a_picture_that_holds_still_is_there_while_reports_come() {
        let pulse = peer(20, 1500, 120_000);
        assert!((20_000..120_000).step_by(100).all(|ms| {
            let so_far = peer(20, 1500, ms);
            so_far.is_there(ms * MS)
        }));
        assert!(pulse.is_there(123_000 * MS) && !pulse.is_there(125_000 * MS));
    }

    #[test]
    fn slides_are_there_between_two_of_them() {
        let pulse = peer(2_500, 60_000, 20_000);
        assert!(pulse.is_there(22_500 * MS) && pulse.is_there(29_000 * MS) && !pulse.is_there(30_000 * MS));
    }

    #[test]
    fn slow_reports_are_waited_for() {
        assert_eq!(peer(20, 4_000, 20_001).patience(), 10_000 * MS);
        assert_eq!(peer(20, 7_000, 40_000).patience(), 12_000 * MS);
        // The last report came at 16 s, and the last packet just before 20 s.
        assert_eq!(peer(20, 4_000, 20_000).patience(), 6_020 * MS);
    }

    #[test]
    fn reports_are_distinguished_from_media_and_handshakes() {
        assert!(is_report(&[0x80, 200, 0, 6]) && is_report(&[0x81, 205]));
        assert!(!is_report(&[0x80, 0x80 | 111]) && !is_report(&[22, 200]) && !is_report(&[0x80]));
    }
}
