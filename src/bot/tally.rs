//! The counters of a bot, one JSON line a second.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwapOption;

use serde::Serialize;

/// A frame that comes more than this after the one before is late: two periods at 30 frames a second.
const LATE_NS: u64 = 66_000_000;

/// Counted by the peer's threads.
#[derive(Debug, Default)]
pub struct Tally {
    /// Frames of the mix.
    pub frames: AtomicU64,
    /// Bytes of the mix's video.
    pub bytes: AtomicU64,
    /// Opus packets of the mix.
    pub packets: AtomicU64,
    /// Frames that came late.
    pub late: AtomicU64,
    /// RTP packets that never came.
    pub lost: AtomicU64,
    /// Round trip, in microseconds.
    pub round_trip_us: AtomicU64,
    /// The rendition that the server sends, once it has said so.
    pub rendition: ArcSwapOption<String>,
    /// Estimated capacity of the line, in kbit/s; 0: not known.
    pub estimate_kbps: AtomicU64,
    last_ns: AtomicU64,
}

impl Tally {
    /// Nanoseconds of the process's clock, for [`Tally::frame`].
    pub fn clock(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Counts a frame that came at `now` (nanoseconds on any clock).
    pub fn frame(&self, now: u64) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        let last = self.last_ns.swap(now, Ordering::Relaxed);
        if last != 0 && now.saturating_sub(last) > LATE_NS {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One line of a bot's report; rates are over the last second.
#[derive(Debug, Clone, Serialize)]
pub struct TallyLine {
    /// The bot's name in the room.
    pub bot: String,
    /// `connecting`, `connected` or `reconnecting`.
    pub state: &'static str,
    /// Frames sent, in this second.
    pub frames_sent: u64,
    /// Frames of the mix received, in this second.
    pub frames_received: u64,
    /// Opus packets of the mix received, in this second.
    pub audio_packets_received: u64,
    /// Bit rate of the mix's video, in kbit/s.
    pub kbps_received: u64,
    /// The rendition of the mix, by its height; null: sound alone, or not known yet.
    pub rendition: Option<Arc<String>>,
    /// Estimated capacity of the line, in kbit/s, once known.
    pub estimate_kbps: Option<u64>,
    /// Round trip in milliseconds, once known.
    pub round_trip_ms: Option<f64>,
    /// Frames that came late, in all.
    pub late_frames: u64,
    /// RTP packets lost, in all.
    pub lost_packets: u64,
}

/// Makes lines out of tallies.
#[derive(Debug, Default)]
pub struct Reporter {
    sent: u64,
    frames: u64,
    packets: u64,
    bytes: u64,
}

impl Reporter {
    /// Returns the line for the second that is over.
    pub fn line(&mut self, bot: &str, state: &'static str, sent: u64, tally: &Tally) -> TallyLine {
        let (frames, packets) = (tally.frames.load(Ordering::Relaxed), tally.packets.load(Ordering::Relaxed));
        let bytes = tally.bytes.load(Ordering::Relaxed);
        let round_trip = tally.round_trip_us.load(Ordering::Relaxed);
        let line = TallyLine {
            bot: bot.to_owned(),
            state,
            frames_sent: sent.saturating_sub(self.sent),
            frames_received: frames.saturating_sub(self.frames),
            audio_packets_received: packets.saturating_sub(self.packets),
            kbps_received: bytes.saturating_sub(self.bytes) * 8 / 1000,
            rendition: tally.rendition.load_full(),
            estimate_kbps: Some(tally.estimate_kbps.load(Ordering::Relaxed)).filter(|estimate| *estimate > 0),
            round_trip_ms: (round_trip > 0).then(|| round_trip as f64 / 1000.0),
            late_frames: tally.late.load(Ordering::Relaxed),
            lost_packets: tally.lost.load(Ordering::Relaxed),
        };
        (self.sent, self.frames, self.packets, self.bytes) = (sent, frames, packets, bytes);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_the_last_second_and_late_frames_in_all() {
        let (tally, mut reporter) = (Tally::default(), Reporter::default());
        for at in [10u64, 43, 76, 200] {
            tally.frame(at * 1_000_000);
        }
        tally.bytes.fetch_add(1000, Ordering::Relaxed);
        let first = reporter.line("b", "connected", 30, &tally);
        assert_eq!((first.frames_sent, first.frames_received, first.kbps_received, first.late_frames), (30, 4, 8, 1));
        let second = reporter.line("b", "connected", 60, &tally);
        assert_eq!((second.frames_sent, second.frames_received, second.late_frames), (30, 0, 1));
    }
}
