//! Share of the machine that nobody uses.

use std::{fs, thread::available_parallelism, time::Duration};

use parking_lot::Mutex;

use super::clock::media_clock;

/// Readings are at least so far apart: shorter ones say little.
const APART: Duration = Duration::from_secs(2);

/// A reading of the kernel's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    idle: u64,
    all: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    at: Duration,
    reading: Reading,
    /// Between the last two readings, from 0 to 1.
    idle: f64,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Cores that somebody has just begun to use, and since when.
static CLAIMED: Mutex<Vec<(Duration, f64)>> = Mutex::new(Vec::new());

/// A claim shows in the readings after this long.
const SHOWS_AFTER: Duration = Duration::from_secs(6);

/// Takes a reading when the last one is old enough. To be called a few times a second.
pub fn look() {
    let now = media_clock().now();
    let mut known = KNOWN.lock();
    if known.is_some_and(|known| now.saturating_sub(known.at) < APART) {
        return;
    }
    let Some(reading) = fs::read_to_string("/proc/stat").ok().and_then(|text| reading_of(&text)) else { return };
    let idle = known.map_or(0.5, |known| idle_between(known.reading, reading).unwrap_or(known.idle));
    *known = Some(Known { at: now, reading, idle });
}

/// Returns how many cores this process may use.
pub fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Returns how many of them are idle and not claimed. Half of them before anything is known.
pub fn idle_cores() -> f64 {
    let cores = cores();
    let idle = KNOWN.lock().map_or(0.5, |known| known.idle);
    let now = media_clock().now();
    let mut claimed = CLAIMED.lock();
    claimed.retain(|(since, _)| now.saturating_sub(*since) < SHOWS_AFTER);
    let claimed: f64 = claimed.iter().map(|(_, cores)| cores).sum();
    (idle * cores as f64 - claimed).max(0.0)
}

/// Says that so many cores will be used from now on, which readings do not show yet.
pub fn claim(cores: f64) {
    CLAIMED.lock().push((media_clock().now(), cores));
}

/// Reads the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn reading_of(text: &str) -> Option<Reading> {
    let line = text.lines().find(|line| line.starts_with("cpu "))?;
    let numbers: Vec<u64> = line.split_whitespace().skip(1).take(8).map_while(|number| number.parse().ok()).collect();
    let (idle, waiting) = (numbers.get(3)?, numbers.get(4)?);
    Some(Reading { idle: idle + waiting, all: numbers.iter().sum() })
}

fn idle_between(before: Reading, now: Reading) -> Option<f64> {
    let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
    Some((now.idle.saturating_sub(before.idle) as f64 / all as f64).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_read_from_the_kernels_counters() {
        let before = reading_of("cpu  100 0 50 800 50 0 0 0 9 9\ncpu0 1 2 3 4 5 6 7 8\n");
        assert_eq!(before, Some(Reading { idle: 850, all: 1000 }));
        let now = Reading { idle: 925, all: 1100 };
        assert_eq!(before.and_then(|before| idle_between(before, now)), Some(0.75));
        assert_eq!(idle_between(now, now), None);
        assert_eq!(reading_of("cpu 1 2\n"), None);
    }
}
