//! Moment within its period at which the canvas ticks. PURE.
//!
//! Cameras run at about the canvas's rate, each with a phase of its own, and a frame that comes just after a tick waits
//! for the whole period until the next one. So the waits of the frames that were shown are looked at, and the ticks are
//! moved to where the mean wait is shortest: slowly, so that no player sees it.

use std::time::Duration;

/// Ticks that are looked at together: jitter and late masks are in them as they come.
const LOOKED_AT: usize = 60;
/// The most waits that are kept of these ticks: those of 16 people.
const MOST_WAITS: usize = LOOKED_AT * 16;
/// Phases that are compared.
const STEPS: u32 = 33;
/// A frame should be there so long before its tick: what comes later waits for the next one.
const MARGIN: Duration = Duration::from_millis(2);
/// Ticks are moved only for a gain of this much in the mean wait.
const WORTH: Duration = Duration::from_millis(2);
/// Part of the period that one tick is moved by: at 30 frames a second some 10 ms in a second.
const SLOWNESS: u32 = 100;

/// See the module.
#[derive(Debug, Default)]
pub struct Phase {
    waits: Vec<Duration>,
    ticks: usize,
    /// Time after its place in the grid at which a tick is, and shall be.
    offset: Duration,
    target: Duration,
}

impl Phase {
    /// Takes the waits of the frames of one tick, from their arrival to the tick, and returns how long after its place
    /// in the grid of whole periods the next tick is, from 0 to one period. It never leaves that range, so that on the
    /// average there are as many ticks as the canvas has frames, even with cameras that drift.
    pub fn next(&mut self, period: Duration, waits: impl Iterator<Item = Duration>) -> Duration {
        // The canvas may have got shorter periods.
        (self.offset, self.target) = (self.offset.min(period), self.target.min(period));
        if self.offset != self.target {
            let step = period / SLOWNESS;
            let (least, most) = (self.offset.saturating_sub(step), self.offset + step);
            self.offset = self.target.clamp(least, most);
            return self.offset;
        }
        // Frames of slow cameras are shown more than once.
        let within = waits.map(|wait| modulo(wait, period));
        self.waits.extend(within.take(MOST_WAITS - self.waits.len().min(MOST_WAITS)));
        self.ticks += 1;
        if self.ticks >= LOOKED_AT {
            self.choose(period);
            self.ticks = 0;
            self.waits.clear();
        }
        self.offset
    }

    fn choose(&mut self, period: Duration) {
        if self.waits.len() < LOOKED_AT / 2 {
            return;
        }
        // The mean wait, and a frame that does not come in time counts with the whole period.
        let mean = |earlier: Duration| {
            let after = |wait: &Duration| modulo(*wait + period * 2 - earlier - MARGIN, period) + MARGIN;
            self.waits.iter().map(after).sum::<Duration>() / self.waits.len() as u32
        };
        let phases = (0..STEPS).map(|step| period * step / STEPS);
        let best = phases.map(|earlier| (mean(earlier), earlier)).min();
        let Some((wait, earlier)) = best else { return };
        if mean(Duration::ZERO) >= wait + WORTH {
            self.target = modulo(self.offset + period - earlier, period);
        }
    }
}

fn modulo(time: Duration, period: Duration) -> Duration {
    let period = period.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(time.as_nanos() % period).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_nanos(33_333_333);

    fn ms(milliseconds: f64) -> Duration {
        Duration::from_secs_f64(milliseconds / 1000.0)
    }

    /// Cameras of these periods and first frames, in milliseconds, and of up to this much jitter. The mean wait over
    /// the last five seconds of a minute, and the longest and shortest time between ticks.
    fn run(cameras: &[(f64, f64)], jitter: f64) -> (f64, Duration, Duration) {
        let mut phase = Phase::default();
        let (mut grid, mut steps, mut late) = (ms(1000.0), (Duration::MAX, Duration::ZERO), Vec::new());
        let mut tick = grid;
        let mut seed = 1u32;
        while tick < ms(61_000.0) {
            let waits: Vec<Duration> = cameras
                .iter()
                .map(|(period, first)| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let shake = jitter * f64::from(seed >> 8) / f64::from(1 << 24);
                    let since = (tick.as_secs_f64() * 1000.0 - first - shake).rem_euclid(*period);
                    ms(since)
                })
                .collect();
            if tick > ms(56_000.0) {
                late.extend(waits.iter().map(|wait| modulo(*wait, PERIOD).as_secs_f64() * 1000.0));
            }
            let offset = phase.next(PERIOD, waits.into_iter());
            assert!(offset <= PERIOD, "{offset:?}");
            grid += PERIOD;
            let step = grid + offset - tick;
            steps = (steps.0.min(step), steps.1.max(step));
            tick += step;
        }
        (late.iter().sum::<f64>() / late.len() as f64, steps.0, steps.1)
    }

    #[test]
    fn one_camera_is_met_soon_after_its_frames_whatever_its_phase() {
        for first in [0.0, 5.0, 17.0, 31.0] {
            let (wait, shortest, longest) = run(&[(1000.0 / 30.0, first)], 0.0);
            assert!((2.0..6.0).contains(&wait), "{first}: {wait}");
            assert!(longest - shortest <= PERIOD / 50 + Duration::from_nanos(1), "{shortest:?} to {longest:?}");
        }
    }

    #[test]
    fn jitter_stays_before_the_tick() {
        let (wait, ..) = run(&[(1000.0 / 30.0, 20.0)], 6.0);
        assert!(wait < 10.0, "{wait}");
    }

    #[test]
    fn a_camera_that_drifts_is_followed() {
        let (wait, ..) = run(&[(33.366, 0.0)], 0.0);
        assert!(wait < 8.0, "{wait}");
    }

    #[test]
    fn several_cameras_share_the_best_phase() {
        let cameras = [(1000.0 / 30.0, 0.0), (1000.0 / 30.0, 3.0), (1000.0 / 30.0, 20.0)];
        let (wait, ..) = run(&cameras, 0.0);
        // After the third one, 13 and 17 for the first two; any other tick is later for somebody.
        assert!(wait < 13.0, "{wait}");
    }

    #[test]
    fn nobody_in_front_of_a_camera_changes_nothing() {
        let mut phase = Phase::default();
        assert!((0..1_000).all(|_| phase.next(PERIOD, std::iter::empty()).is_zero()));
    }

    #[test]
    fn slow_cameras_count_by_their_place_within_a_period() {
        let (wait, ..) = run(&[(1000.0 / 15.0, 10.0)], 0.0);
        assert!(wait < 6.0, "{wait}");
    }
}
