//! One clock and one base time for all pipelines of the process, so that running time means the same everywhere.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use jiff::{SignedDuration, Timestamp};

/// Running time that lies behind the first use. An encoder that looks ahead decodes its first pictures before they are
/// shown; without time before them it leaves their DTS out, and who goes by those drops all up to the next keyframe.
const BEFORE: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// The shared time line: GStreamer's monotonic system clock, at [`BEFORE`] at the first use in this process.
pub struct MediaClock {
    clock: gst::Clock,
    base: gst::ClockTime,
    /// The process's clock at the base; both are monotonic and of one rate.
    started: Instant,
}

/// Returns the process's media clock. GStreamer must be initialised.
#[inline]
pub fn media_clock() -> &'static MediaClock {
    static CLOCK: OnceLock<MediaClock> = OnceLock::new();
    CLOCK.get_or_init(|| {
        let clock = gst::SystemClock::obtain();
        let (now, time) = (Instant::now(), clock.time());
        // A machine that runs for less has less.
        let before = BEFORE.min(time);
        let started = now.checked_sub(before.into());
        match started {
            Some(started) => MediaClock { clock, base: time - before, started },
            None => MediaClock { clock, base: time, started: now },
        }
    })
}

impl MediaClock {
    /// Returns the time since the base, the same as the running time of every pipeline.
    #[inline]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.time().saturating_sub(self.base).nseconds())
    }

    /// Returns a running time on the process's clock.
    #[inline]
    pub fn instant(&self, running: Duration) -> Instant {
        self.started + running
    }

    /// Returns a running time by the calendar, as the machine has it now.
    pub fn wall(&self, running: Duration) -> Timestamp {
        let (wall, now) = (Timestamp::now(), self.now());
        let away = SignedDuration::try_from(running.abs_diff(now)).unwrap_or_default();
        let there = if running < now { wall.checked_sub(away) } else { wall.checked_add(away) };
        there.unwrap_or(wall)
    }

    /// Puts a pipeline on this time line. To be called before it leaves NULL.
    pub fn apply(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(self.base);
    }
}

/// Returns GStreamer's form of a duration.
#[inline]
pub fn clock_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1))
}
