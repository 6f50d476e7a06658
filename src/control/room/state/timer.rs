//! A room's timers, which count up or down for texts. PURE.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scenes::SceneChoice;
use crate::layout::{Fault, Reading};

/// Most timers that a room may have: more than anybody looks at.
pub const MAX_TIMERS: usize = 100;

/// Longest time that a timer counts down: a day.
pub const MAX_SECONDS: u64 = 24 * 3600;

/// A timer. Its time is that of the wall clock, so that it goes on while the program is started again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timer {
    /// Time from which it counts down; `None`: it only counts up.
    length: Option<Duration>,
    /// Time that it had run when it was started or stopped last.
    elapsed: Duration,
    /// Since when it runs.
    since: Option<Timestamp>,
    /// The scene that is shown at its end: a name, `next` or `previous`.
    scene: Option<Arc<str>>,
}

/// A timer as it is kept with its room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptTimer {
    /// Seconds from which it counts down; left out by one that only counts up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    pub seconds: Option<u64>,
    /// Milliseconds that it had run when it was started or stopped last.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Since when it runs; left out by one that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// The scene that is shown at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
}

/// A timer as others see it. Its time now follows from when it was started.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Timer)]
pub struct TimerView {
    /// Its id.
    #[schema(value_type = String, example = "start")]
    pub id: Arc<str>,
    /// Whether it runs.
    pub running: bool,
    /// Seconds from which it counts down; null: it only counts up.
    pub seconds: Option<u64>,
    /// Time that it had run, in seconds, when it was started or stopped last.
    pub elapsed: f64,
    /// Time at which it was started last; null while it stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Time at which it ends; null while it stands, and where it only counts up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// The scene that is shown at its end, `next` or `previous`; null: none.
    #[schema(value_type = Option<String>)]
    pub scene: Option<Arc<str>>,
}

/// The length of a countdown, and the scene that comes then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Length of the time.
    pub length: Duration,
    /// The scene that is shown at the end: a name, `next` or `previous`.
    pub scene: Option<Arc<str>>,
}

/// An order to a timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerOrder {
    /// Run: with a length from its beginning, without one from where it is; one that is over begins again.
    Start(Option<Course>),
    /// Stand where it is.
    Stop,
    /// Stand at its beginning, maybe of another length.
    Reset(Option<Course>),
}

/// Checks how long a timer shall count down, and the scene that comes then.
///
/// # Errors
/// The wrong place of `{"seconds": …, "scene": …}`.
pub fn check_course(seconds: Option<u64>, scene: Option<&str>) -> Result<Option<Course>, Fault> {
    let fault = |key: &str, detail: String| Err(Fault { pointer: format!("/{key}"), detail });
    if seconds.is_some_and(|seconds| seconds == 0 || seconds > MAX_SECONDS) {
        return fault("seconds", format!("must be from 1 to {MAX_SECONDS}"));
    }
    if let Some(name) = scene {
        if seconds.is_none() {
            return fault("scene", "is shown at the end of a countdown, which needs `seconds`".to_owned());
        }
        if let Err(error) = SceneChoice::parse(name) {
            return fault("scene", error.to_string());
        }
    }
    Ok(seconds.map(|seconds| Course { length: Duration::from_secs(seconds), scene: scene.map(Arc::from) }))
}

impl Timer {
    /// Does what is asked.
    pub fn obey(&mut self, order: TimerOrder, now: Timestamp) {
        let Reading { elapsed, left, .. } = self.read(now);
        match order {
            TimerOrder::Start(Some(Course { length, scene })) => {
                *self = Self { length: Some(length), elapsed: Duration::ZERO, since: Some(now), scene };
            }
            TimerOrder::Start(None) => {
                let is_over = self.length.is_some() && left.is_zero();
                self.elapsed = if is_over { Duration::ZERO } else { elapsed };
                self.since = Some(now);
            }
            TimerOrder::Stop => (self.elapsed, self.since) = (elapsed, None),
            TimerOrder::Reset(course) => {
                if let Some(Course { length, scene }) = course {
                    (self.length, self.scene) = (Some(length), scene);
                }
                (self.elapsed, self.since) = (Duration::ZERO, None);
            }
        }
    }

    /// Returns where it is. It stands at its end.
    pub fn read(&self, now: Timestamp) -> Reading {
        // A clock that was set back has not run.
        let ran = |since: Timestamp| Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let elapsed = self.elapsed + self.since.map_or(Duration::ZERO, ran);
        match self.length {
            Some(length) => {
                let left = length.saturating_sub(elapsed);
                Reading { elapsed: elapsed.min(length), left, runs: self.since.is_some() && !left.is_zero() }
            }
            None => Reading { elapsed, left: Duration::ZERO, runs: self.since.is_some() },
        }
    }

    /// Returns how long it is until it ends; `None` where it does not, because it stands or only counts up.
    pub fn ends_in(&self, now: Timestamp) -> Option<Duration> {
        let is_to_end = self.since.is_some() && self.length.is_some();
        is_to_end.then(|| self.read(now).left)
    }

    /// Returns whether its time is over and it still counts as running.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_in(now).is_some_and(|left| left.is_zero())
    }

    /// Returns when it ends or has ended; `None` where it does not.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let (since, length) = self.since.zip(self.length)?;
        since.checked_add(length.saturating_sub(self.elapsed)).ok()
    }

    /// Returns it as others see it.
    pub fn view(&self, id: Arc<str>) -> TimerView {
        TimerView {
            id,
            running: self.since.is_some(),
            seconds: self.length.map(|length| length.as_secs()),
            // Thousandths are exact enough, and short.
            elapsed: self.elapsed.as_millis() as f64 / 1e3,
            since: self.since,
            ends_at: self.ends_at(),
            scene: self.scene.clone(),
        }
    }

    /// Returns the scene that is shown at its end.
    pub fn scene(&self) -> Option<SceneChoice> {
        SceneChoice::parse(self.scene.as_deref()?).ok()
    }

    /// Returns it as it is kept.
    pub fn kept(&self) -> KeptTimer {
        KeptTimer {
            seconds: self.length.map(|length| length.as_secs()),
            elapsed_ms: u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            since: self.since,
            scene: self.scene.as_deref().map(str::to_owned),
        }
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// The wrong place.
    pub fn restore(kept: &KeptTimer) -> Result<Self, Fault> {
        let course = check_course(kept.seconds, kept.scene.as_deref())?;
        let (length, scene) = course.map_or((None, None), |course| (Some(course.length), course.scene));
        Ok(Self { length, elapsed: Duration::from_millis(kept.elapsed_ms), since: kept.since, scene })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn course(seconds: u64) -> Option<Course> {
        check_course(Some(seconds), Some("next")).unwrap()
    }

    /// Returns how long it has run and still runs, and whether it does.
    fn read(timer: &Timer, now: i64) -> (u64, u64, bool) {
        let reading = timer.read(at(now));
        (reading.elapsed.as_secs(), reading.left.as_secs(), reading.runs)
    }

    #[test]
    fn a_countdown_runs_stands_goes_on_and_ends() {
        let mut timer = Timer::default();
        timer.obey(TimerOrder::Start(course(300)), at(0));
        assert_eq!((read(&timer, 100), timer.ends_in(at(100))), ((100, 200, true), seconds(200)));
        timer.obey(TimerOrder::Stop, at(100));
        assert_eq!((read(&timer, 500), timer.ends_in(at(500))), ((100, 200, false), None));
        timer.obey(TimerOrder::Start(None), at(500));
        assert_eq!(read(&timer, 600), (200, 100, true));
        assert_eq!((read(&timer, 900), timer.ends_in(at(900))), ((300, 0, false), seconds(0)));
        // One that is over begins again.
        timer.obey(TimerOrder::Stop, at(900));
        timer.obey(TimerOrder::Start(None), at(1000));
        assert_eq!(read(&timer, 1010), (10, 290, true));
        timer.obey(TimerOrder::Reset(None), at(1020));
        assert_eq!(read(&timer, 2000), (0, 300, false));
        timer.obey(TimerOrder::Reset(course(60)), at(2000));
        assert_eq!(read(&timer, 2000), (0, 60, false));
    }

    #[test]
    fn without_a_length_it_counts_up() {
        let mut timer = Timer::default();
        timer.obey(TimerOrder::Start(None), at(0));
        assert_eq!((read(&timer, 7), timer.ends_in(at(7))), ((7, 0, true), None));
        let view = timer.view("lap".into());
        assert_eq!((view.elapsed, view.since, view.ends_at, view.running), (0.0, Some(at(0)), None, true));
        // A clock that is set back takes nothing away.
        assert_eq!(read(&timer, -50), (0, 0, true));
    }

    #[test]
    fn it_comes_back_as_it_was_kept_and_has_gone_on() {
        let mut timer = Timer::default();
        timer.obey(TimerOrder::Start(course(300)), at(0));
        let kept = serde_json::to_value(timer.kept()).unwrap();
        let restored = Timer::restore(&serde_json::from_value(kept).unwrap()).unwrap();
        assert_eq!((&restored, read(&restored, 250)), (&timer, (250, 50, true)));
        assert_eq!(restored.view("a".into()).ends_at, Some(at(300)));
        assert_eq!(restored.scene(), Some(SceneChoice::Next));
        let wrong = |seconds, scene| check_course(seconds, Some(scene)).unwrap_err().pointer;
        assert_eq!((wrong(None, "Live"), wrong(Some(5), "a/b")), ("/scene".to_owned(), "/scene".to_owned()));
        for wrong in [0, MAX_SECONDS + 1] {
            let kept = KeptTimer { seconds: Some(wrong), ..KeptTimer::default() };
            assert_eq!(Timer::restore(&kept).unwrap_err().pointer, "/seconds");
        }
    }
}
