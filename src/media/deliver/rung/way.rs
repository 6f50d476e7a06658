//! The queue on the way to a receiver, by the round trip. PURE.

use std::time::Duration;

use super::LinkSample;

/// Round trips vary by this much without a queue, Wi-Fi included.
const VARIES: Duration = Duration::from_millis(50);
/// Longer round trips are taken for the line's own, not for a queue, after about this long.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// A queue must have grown for this long before its growth says what the line carries: reports come every 50-100 ms.
const GROWS_FROM: Duration = Duration::from_millis(300);
/// Growth says it for this long: then the queue may be full, or what is sent may have changed.
const GROWS_UNTIL: Duration = Duration::from_millis(1200);
/// A queue of which no report has shown growth for this long grows no more.
const GREW_WITHIN: Duration = Duration::from_millis(250);
/// A line that carries less than this part of what is sent fills within moments.
const FULL_BELOW: f64 = 0.25;
/// A queue that has grown for this long, in so many reports, is no chance: nothing else fills a line so evenly.
const CERTAIN_AFTER: Duration = Duration::from_millis(450);
const CERTAIN_RISES: u32 = 3;
/// A queue that has grown so fast for this long, in so many reports, may be one that fills the line. To wait until that
/// is certain costs little, and whatever is not sent until then need not drain.
const SUSPECT_AFTER: Duration = Duration::from_millis(150);
const SUSPECT_RISES: u32 = 2;
/// A round trip that changed by this share is a longer or a shorter one.
const CHANGED: f32 = 0.1;
/// After a queue on the way, one in the pacer is a part of it for this long.
pub(super) const ECHOES: Duration = Duration::from_millis(500);
/// A queue that was never longer than this may be a receiver that is busy for a moment, and no queue at all.
const SHALLOW: Duration = Duration::from_millis(150);
/// A wait that is over within so many reports comes from a receiver that is late with some of them. A queue grows on.
const LATE_REPORTS: u32 = 3;
/// A way on which that has happened is expected to do it again for this long.
const TREMBLED_WITHIN: Duration = Duration::from_secs(10);
/// After a round trip became shorter, the queue is taken to drain for this long.
const DRAINS_FOR: Duration = Duration::from_secs(1);

/// The way to one receiver.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    listened: Option<Duration>,
    /// Round trip without a queue.
    shortest: Option<Duration>,
    /// The last time at which nothing waited: when it was, the round trip, and how many bit/s were sent.
    free: Option<(Duration, Duration, u64)>,
    /// The round trip that later ones are compared with.
    mark: Duration,
    /// Moment at which the round trip became longer last.
    grew: Option<Duration>,
    /// Number of times that it has become longer since nothing waited.
    rises: u32,
    /// Moment at which it became shorter last.
    shrunk: Option<Duration>,
    /// Moment at which something waited last, and the longest that anything did then.
    waited: Option<(Duration, Duration)>,
    /// The newest report's round trip, and the reports in a row by which something waited.
    reported: Duration,
    late: u32,
    /// Moment at which so few of them were over last; see [`LATE_REPORTS`].
    trembled: Option<Duration>,
}

impl Way {
    /// Keeps what a look at the line says of the way.
    pub fn listen(&mut self, now: Duration, line: &LinkSample) {
        let elapsed = now.saturating_sub(self.listened.replace(now).unwrap_or(now)).as_secs_f32();
        let Some(round_trip) = line.round_trip else { return };
        let first = line.checked.unwrap_or(round_trip);
        let shortest = self.shortest.unwrap_or(first).min(round_trip);
        let longer = round_trip.saturating_sub(shortest).min(FORGOTTEN);
        let forgotten = (elapsed / FORGOTTEN.as_secs_f32()).min(1.0);
        self.shortest = Some(shortest.saturating_add(longer.mul_f32(forgotten)));
        let is_new = std::mem::replace(&mut self.reported, round_trip) != round_trip;
        if self.is_free(line) {
            if (1..=LATE_REPORTS).contains(&self.late) && self.is_shallow() {
                self.trembled = Some(now);
            }
            self.late = 0;
            self.free = Some((now, round_trip, line.sending));
            (self.grew, self.rises, self.shrunk, self.mark) = (None, 0, None, round_trip);
            return;
        }
        self.late += u32::from(is_new);
        let before = self.waited.filter(|(last, _)| now.saturating_sub(*last) <= ECHOES);
        let longest = before.map_or(Duration::ZERO, |(_, longest)| longest);
        self.waited = Some((now, longest.max(self.waits(line))));
        if round_trip.as_secs_f32() > self.mark.as_secs_f32() * (1.0 + CHANGED) {
            (self.mark, self.grew, self.shrunk) = (round_trip, Some(now), None);
            self.rises += 1;
        } else if round_trip.as_secs_f32() < self.mark.as_secs_f32() * (1.0 - CHANGED) {
            (self.mark, self.grew, self.shrunk) = (round_trip, None, Some(now));
        }
    }

    /// Returns whether the round trip is about as short as ever, so that nothing waits on the way.
    pub fn is_free(&self, line: &LinkSample) -> bool {
        line.round_trip.is_some() && self.shortest.is_some_and(|shortest| self.waits(line) <= VARIES.max(shortest / 4))
    }

    /// Works out how long packets wait on the way: how much longer than ever the round trip is.
    pub fn waits(&self, line: &LinkSample) -> Duration {
        self.shortest.zip(line.round_trip).map_or(Duration::ZERO, |(shortest, now)| now.saturating_sub(shortest))
    }

    /// Returns whether something waits on the way, or did so long ago at most.
    pub fn waited_within(&self, now: Duration, long: Duration) -> bool {
        self.waited.is_some_and(|(last, _)| now.saturating_sub(last) <= long)
    }

    /// Returns whether what waits, or waited last, was little throughout.
    pub fn is_shallow(&self) -> bool {
        self.waited.is_none_or(|(_, longest)| longest <= SHALLOW)
    }

    /// Returns whether what waits is as little as it was before, when it was over soon: the receiver is late with some
    /// of its reports, by the load of its machine or by its timers.
    pub fn is_trembling(&self, now: Duration) -> bool {
        let trembled = self.trembled.is_some_and(|trembled| now.saturating_sub(trembled) <= TREMBLED_WITHIN);
        trembled && self.late <= LATE_REPORTS && self.is_shallow()
    }

    /// Forgets what waited: another rung is sent from now on.
    pub fn begin(&mut self) {
        self.waited = None;
    }

    /// Returns whether what waits on the way becomes less.
    pub fn is_draining(&self, now: Duration) -> bool {
        self.shrunk.is_some_and(|shrunk| now.saturating_sub(shrunk) <= DRAINS_FOR)
    }

    /// Works out the bit/s that a line carries on which a queue began to grow just now, long before an estimate that
    /// goes down by steps gets there.
    pub fn carries(&self, now: Duration) -> Option<u64> {
        let (sent, part) = self.through(now, GROWS_FROM)?;
        Some((sent as f64 * part) as u64)
    }

    /// Returns whether such a line carries so little of what is sent that it is full to the brim.
    pub fn is_full(&self, now: Duration) -> bool {
        self.through(now, GROWS_FROM).is_some_and(|(_, part)| part < FULL_BELOW)
    }

    /// Returns whether that may be so, before there is enough to go by.
    pub fn may_be_full(&self, now: Duration) -> bool {
        let part = self.through(now, SUSPECT_AFTER).map(|(_, part)| part);
        self.rises >= SUSPECT_RISES && part.is_some_and(|part| part < FULL_BELOW)
    }

    /// Returns whether that is certain without an estimate that says so, too.
    pub fn is_surely_full(&self, now: Duration) -> bool {
        let grows_for = self.grew.zip(self.free).map(|(grew, (since, ..))| grew.saturating_sub(since));
        self.is_full(now) && self.rises >= CERTAIN_RISES && grows_for >= Some(CERTAIN_AFTER)
    }

    /// Works out how many bit/s were sent when a queue began to grow, and which part of it gets through. In a second
    /// the round trip becomes longer by the part that does not. The queue must have grown for `from`.
    fn through(&self, now: Duration, from: Duration) -> Option<(u64, f64)> {
        let grew = self.grew.filter(|grew| now.saturating_sub(*grew) <= GREW_WITHIN)?;
        let (since, before, sent) = self.free?;
        let passed = grew.saturating_sub(since);
        let grown = self.mark.saturating_sub(before);
        let tells = (from..=GROWS_UNTIL).contains(&passed);
        tells.then(|| (sent, (1.0 - grown.as_secs_f64() / passed.as_secs_f64()).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the line as it looks when `waiting` seconds of packets are on the way.
    fn line(waiting: f64, sending: u64) -> LinkSample {
        LinkSample { round_trip: Some(Duration::from_secs_f64(0.02 + waiting)), sending, ..LinkSample::default() }
    }

    /// Sends 2.4 Mbit/s into a line that carries `carried` from second 1 on, and returns the way as it is at the end.
    fn narrowed(carried: f64, until: f64) -> (Way, Duration) {
        let mut way = Way::default();
        let mut now = Duration::ZERO;
        while now.as_secs_f64() < until {
            now += Duration::from_millis(50);
            // By the time of the confirmation, not of the sending.
            let waiting = (now.as_secs_f64() - 1.0).max(0.0) * (1.0 - carried / 2.4);
            way.listen(now, &line(waiting, 2_400_000));
        }
        (way, now)
    }

    #[test]
    fn a_growing_queue_says_what_the_line_carries() {
        for carried in [0.2, 0.7, 1.5] {
            let (way, now) = narrowed(carried, 1.6);
            let said = way.carries(now).expect("it has grown for 0.6 s") as f64 / 1e6;
            assert!((said - carried).abs() < 0.25, "{said} Mbit/s, not {carried}");
        }
        let (way, now) = narrowed(0.2, 1.2);
        assert_eq!(way.carries(now), None, "one report is not enough");
        let (way, now) = narrowed(0.2, 3.0);
        assert_eq!(way.carries(now), None, "other things have happened since");
        let (way, now) = narrowed(2.4, 1.6);
        assert_eq!(way.carries(now), None, "nothing waits");
    }

    #[test]
    fn a_queue_drains_while_the_round_trip_becomes_shorter() {
        let (mut way, mut now) = narrowed(0.2, 2.0);
        assert!(!way.is_draining(now));
        for step in 0..10 {
            now += Duration::from_millis(100);
            way.listen(now, &line(0.9 - f64::from(step) * 0.08, 150_000));
            assert!(way.is_draining(now) || step < 2, "step {step}");
        }
        // It stands still.
        for _ in 0..11 {
            now += Duration::from_millis(100);
            way.listen(now, &line(0.18, 150_000));
        }
        assert!(!way.is_draining(now));
    }
}
