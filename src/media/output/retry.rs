//! The treatment of an output's failure: when it is tried again, and when it counts as stuck. PURE.

use std::time::Duration;

/// For this long after an output broke, retries stay quick: a server that is restarted is back within seconds, and the
/// output must be live again within 10 s.
pub const QUICK_PHASE: Duration = Duration::from_secs(60);
/// Longest wait in the quick phase.
pub const QUICK_MAX: Duration = Duration::from_secs(5);
/// First wait.
pub const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait after the quick phase: a server that was down for an hour is found within half a minute.
pub const SLOW_MAX: Duration = Duration::from_secs(30);
/// Live for this long, an output has recovered: the next break starts from the beginning.
pub const RECOVERED_AFTER: Duration = Duration::from_secs(30);
/// An output that was never live is given up after so many attempts: its address or key is wrong.
pub const MAX_FIRST_ATTEMPTS: u32 = 5;

/// The step that follows a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again.
    Retry {
        /// 1 for the first retry since the output was last recovered.
        attempt: u32,
        /// Wait so long before.
        after: Duration,
    },
    /// It never was live, and has been tried often enough.
    GiveUp {
        /// Number of times that it was tried.
        attempts: u32,
    },
}

/// Retry policy of one output. All times are durations since one epoch of the caller's choice.
#[derive(Debug, Clone, Default)]
pub struct Retry {
    /// Breaks since the output was last recovered.
    breaks: u32,
    /// Moment at which the first of them came.
    broken_since: Option<Duration>,
    /// Breaks after the quick phase.
    slow_breaks: u32,
    live_since: Option<Duration>,
    was_live: bool,
}

impl Retry {
    /// Creates an output that is about to be tried for the first time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that the output is live: its server takes the stream. Reporting it again changes nothing.
    pub fn live(&mut self, now: Duration) {
        self.was_live = true;
        self.live_since.get_or_insert(now);
    }

    /// Notes that an attempt failed, or that a live output broke. `random` is a number from 0 to 1; it takes up to half
    /// of the wait away, so that outputs that broke together do not come back together.
    pub fn broke(&mut self, now: Duration, random: f64) -> Next {
        let recovered = self.live_since.take().is_some_and(|live| now.saturating_sub(live) >= RECOVERED_AFTER);
        if recovered {
            (self.breaks, self.slow_breaks, self.broken_since) = (0, 0, None);
        }
        self.breaks += 1;
        if !self.was_live && self.breaks >= MAX_FIRST_ATTEMPTS {
            return Next::GiveUp { attempts: self.breaks };
        }
        let broken_since = *self.broken_since.get_or_insert(now);
        let wait = if now.saturating_sub(broken_since) < QUICK_PHASE {
            doubled(FIRST_WAIT, self.breaks - 1).min(QUICK_MAX)
        } else {
            self.slow_breaks += 1;
            doubled(QUICK_MAX, self.slow_breaks).min(SLOW_MAX)
        };
        let random = if random.is_nan() { 0.0 } else { random.clamp(0.0, 1.0) };
        Next::Retry { attempt: self.breaks, after: wait.mul_f64(1.0 - random / 2.0) }
    }
}

/// Returns `wait` doubled so many times, up to far beyond any limit.
pub fn doubled(wait: Duration, times: u32) -> Duration {
    wait.saturating_mul(1 << times.min(16))
}

/// An output that sends less than this in a [`WINDOW`] does not send the stream: sound alone makes 60 KiB.
pub const MIN_BYTES: u64 = 4 * 1024;
/// Time that is looked at together.
pub const WINDOW: Duration = Duration::from_secs(5);
/// So many poor windows in a row, 15 s, and the output is stuck: a server may pause for a few seconds.
const POOR_WINDOWS: u32 = 3;

/// The state of an output's flow of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flowing {
    /// They do, or it is too early to know.
    Yes,
    /// They have not for 15 s: the connection hangs. Break it.
    Wedged,
}

/// Watches the bytes that one live output has sent.
#[derive(Debug, Clone)]
pub struct Watchdog {
    window_start: Duration,
    bytes_at_start: u64,
    poor_windows: u32,
}

impl Watchdog {
    /// Creates a watchdog of a connection that is made now.
    pub fn new(now: Duration) -> Self {
        Self { window_start: now, bytes_at_start: 0, poor_windows: 0 }
    }

    /// Returns a watchdog of a connection that has sent so much, and goes on now.
    pub fn resumed(now: Duration, total: u64) -> Self {
        Self { bytes_at_start: total, ..Self::new(now) }
    }

    /// Reports the total of bytes sent on this connection, every few seconds.
    pub fn bytes(&mut self, now: Duration, total: u64) -> Flowing {
        let elapsed = now.saturating_sub(self.window_start);
        let windows = u32::try_from(elapsed.as_nanos() / WINDOW.as_nanos()).unwrap_or(u32::MAX);
        if windows > 0 {
            let grown = total.saturating_sub(self.bytes_at_start);
            let is_poor = grown / u64::from(windows) < MIN_BYTES;
            self.poor_windows = if is_poor { self.poor_windows.saturating_add(windows) } else { 0 };
            self.window_start += WINDOW.saturating_mul(windows);
            self.bytes_at_start = total;
        }
        if self.poor_windows >= POOR_WINDOWS { Flowing::Wedged } else { Flowing::Yes }
    }
}

#[cfg(test)]
mod tests;
