//! Picture size that a receiver gets: what its line carries, its player shows and its decoder keeps up with. PURE.
//!
//! Two things are kept apart: the rung that the line `carried` last, and the `ceiling` that the viewer sets. The
//! smaller of the two is sent, so that a tab that was hidden gets its picture back without climbing rung by rung.

mod held;
mod terms;
mod way;

use std::time::Duration;

pub use terms::{Decision, Ladder, LinkSample, Reason, RenditionChoice, Rung, View};

use crate::media::codec::Rendition;
use held::Held;
use terms::percent;
use way::{ECHOES, Way};

/// The estimate is the sender's first guess for this long, and counts only together with a queue, here or on the way,
/// or high loss.
const FIRST_GUESS: Duration = Duration::from_millis(1500);
/// An estimate that is too low for this long counts: the estimator dips for single reports, which come every 50-100 ms.
const SHORT_FOR: Duration = Duration::from_millis(250);
/// An estimate that is only a little too low counts after this long, where something queues.
const TIGHT_FOR: Duration = Duration::from_millis(300);
/// An estimate that is too low for this long, while nothing queues and the round trip is as ever, is a false alarm: a
/// receiver that is busy, with the start of a browser, say, reports late, which the estimator takes for a queue. From
/// there it takes many seconds to come back, so it has to start again.
const DOUBTFUL_FOR: Duration = Duration::from_millis(1500);
/// With such a round trip, a queue in the pacer for this long is the estimator's mistake, too, and shown as delay.
const HELD_BACK_FOR: Duration = Duration::from_millis(100);
/// After the estimator was put right, what waited for it in the pacer leaves for this long.
const RELEASED_FOR: Duration = Duration::from_millis(300);
/// A browser that has just connected is so busy for this long that its reports are late: a short queue is no sign.
const STARTING: Duration = Duration::from_secs(3);
/// An estimate that is a little too low, in percent of the bits that are needed.
const TIGHT: u64 = 80;
/// The least that a picture needs, in percent of its rendition: the next scene may have more in it.
const LEAST_NEED: u64 = 60;
/// An estimate that is too low for the smallest picture takes it away after this long: returning costs seconds.
const STARVED_FOR: Duration = Duration::from_secs(1);
/// A queue this old is a picture that soon freezes.
const QUEUE_HIGH: Duration = Duration::from_millis(350);
/// A queue this old at the smallest picture delays the sound.
const QUEUE_STARVED: Duration = Duration::from_millis(600);
/// Below this a queue is only the pacer at work, which spreads a keyframe.
const QUEUE_LOW: Duration = Duration::from_millis(100);
/// After a step down the queue is that of the rung before for this long: a keyframe must come, and the rest drain.
const DRAIN: Duration = Duration::from_secs(1);
/// So long after a step down nothing but sound goes into a line that is full to the brim: half a keyframe would be lost
/// there, and each packet that is sent again takes as long as the whole queue. It comes no later for that: until then
/// it would wait in that queue.
const FLOOD_FALLS: Duration = Duration::from_millis(500);
/// Then the estimator starts again from so many percent of what else it starts from: a keyframe must come soon.
const AFTER_FLOOD: u64 = 175;
/// A new line on which so much is lost and so much waits is flooded: the first keyframe does not fit.
const LOSS_FLOODS: f32 = 0.15;
const WAIT_FLOODS: Duration = Duration::from_millis(150);
/// The same for what was lost.
const LOSS_DRAIN: Duration = Duration::from_secs(2);
/// Reports hold few packets, so loss is averaged over this long.
const LOSS_AVERAGE: Duration = Duration::from_millis(500);
/// Loss above a limit for this long counts; with the average before it that makes about 1.5 s.
const LOSSY_FOR: Duration = Duration::from_secs(1);
/// Loss that retransmission does not repair in time.
const LOSS_HIGH: f32 = 0.20;
/// The same for a line of which loss is the only sign of congestion.
const LOSS_HIGH_BLIND: f32 = 0.12;
/// With loss above this no larger picture is tried.
const LOSS_FOR_RISE: f32 = 0.15;
/// The same for a line of which loss is the only sign of congestion.
const LOSS_FOR_RISE_BLIND: f32 = 0.03;
/// Loss that frightens the estimator, though the line may carry everything.
const LOSS_FRIGHTENS: f32 = 0.02;
/// Room for more must show for this long before a larger picture is tried.
const PLENTY_FOR: Duration = Duration::from_millis(1500);
/// The same before the picture returns to sound alone.
const PLENTY_FOR_PICTURE: Duration = Duration::from_secs(2);
/// Before a larger picture is sent, padding takes its place for this long. A probe of some milliseconds passes a line
/// that hands out its bandwidth in portions, whatever it carries; this does not, and costs no picture when it fails.
const TRY_FOR: Duration = Duration::from_millis(2000);
/// The padding grows for this long: on a line that is too narrow the queue shows before it costs the sound anything.
const TRY_GROWS: Duration = Duration::from_millis(1250);
/// While a larger picture is wanted, what is probed for dips for one look every so often: the estimator probes when it
/// rises, and else only when the line is used so little that the present picture seldom does.
const PROBE_EVERY: Duration = Duration::from_secs(3);
/// The bits that are probed for, in percent of a larger picture's need. Where the receiver is busy, a probe finds a
/// quarter less than it sends.
const PROBED: u64 = 150;
/// The same while there is sound alone: on such a line a probe is a queue that the sound waits in.
const PROBED_FOR_PICTURE: u64 = 125;
/// An estimate that does not change at all for this long while nothing waits and nothing is lost has heard of no probe:
/// after heavy loss str0m's can stand still for good, so it has to start again.
const STUCK_FOR: Duration = Duration::from_secs(7);
/// After this long in which nothing waits on the way and nothing is lost, sound alone leaves room that the estimate
/// does not know of: what took the line away, a page that loads, say, is over.
const CLEAR_FOR: Duration = Duration::from_millis(700);
/// First wait between a step and the next one up.
const HOLD_OFF_FIRST: Duration = Duration::from_secs(4);
/// The same from sound alone: a picture that stands still is worse than one that is small.
const HOLD_OFF_PICTURE: Duration = Duration::from_secs(1);
/// Shortest such wait after a trial by padding that showed a line too narrow. It delays the sound a little, so it is
/// not made all the time; it costs no picture, so the wait does not grow.
const HOLD_OFF_TRIED: Duration = Duration::from_secs(6);
/// While padding passes and nothing waits or is lost, an estimate of so many percent of what is tried will do.
const TRIED: u64 = 80;
/// Longest such wait: a line that became better is found within a minute.
const HOLD_OFF_MAX: Duration = Duration::from_secs(60);
/// A step up that is taken back within this long has failed.
const TRIAL: Duration = Duration::from_secs(8);
/// So long without a step down, and the wait is halved.
const CALM: Duration = Duration::from_secs(60);
/// A player's size counts when it is the same for this long, so that dragging a window changes nothing.
const SIZE_SETTLES: Duration = Duration::from_millis(500);
/// A share of frames dropped above this is a decoder that does not keep up.
const DROPPED_HIGH: f32 = 0.2;
/// So long of it: a browser drops frames for a second or two when it starts or is resized.
const DROPPING_FOR: Duration = Duration::from_secs(3);
/// First wait before a decoder that was too slow is tried again; it doubles each time.
const DECODER_WAIT_FIRST: Duration = Duration::from_secs(30);
/// Longest such wait: a slow machine rarely becomes a fast one.
const DECODER_WAIT_MAX: Duration = Duration::from_secs(240);

/// Chooses the rung of one receiver. All times are durations since one epoch of the caller's choice.
#[derive(Debug, Clone)]
pub struct Chooser {
    started: Duration,
    looked: Duration,
    /// The newest decision.
    rung: Rung,
    /// The rung that the line carried last, were it not for the ceiling.
    carried: Rung,
    /// Reason why it carried less than everything, the last time that it did.
    why: Option<Reason>,
    /// The largest picture that the viewer has use for.
    ceiling: Rendition,
    loss: f32,
    way: Way,
    short: Held,
    /// See [`TIGHT_FOR`].
    tight: Held,
    /// See [`DOUBTFUL_FOR`].
    doubtful: Held,
    /// See [`HELD_BACK_FOR`].
    held_back: Held,
    /// Moment at which the smallest picture got its pace back last, right after a queue on the way.
    freed: Option<Duration>,
    /// Moment at which the estimator was put right last; see [`HELD_BACK_FOR`].
    released: Option<Duration>,
    /// Whether the line was full to the brim at the last step down, after which the estimate may still be far too high:
    /// at such a pace the keyframe would fill the line again. By then what was lost is known.
    was_full: bool,
    /// Whether the estimate has yet to start once more, because what it hears of now is still the flood.
    echoes: bool,
    /// See [`Decision::waits`].
    waits: bool,
    /// See [`Decision::assume`].
    assume: Option<u64>,
    starved: Held,
    lossy: Held,
    plenty: Held,
    /// See [`CLEAR_FOR`].
    clear: Held,
    /// Whether the picture has returned by that, since the line carried a larger one.
    returned: bool,
    /// The last step that the line asked for or allowed.
    stepped: Duration,
    /// The last step down.
    fell: Option<Duration>,
    /// The last step up, and to which picture, until it has failed.
    trial: Option<(Duration, Rendition)>,
    /// Since when padding takes the place of which picture.
    trying: Option<(Duration, Rendition)>,
    /// Moment at which a probe was asked for last.
    probed: Duration,
    /// The last estimate, and since when it is the same; see [`STUCK_FOR`].
    estimated: Option<u64>,
    stuck: Held,
    /// Time after a step during which no step up to each picture is taken, by index: one that fails does not delay the
    /// others.
    hold_off: [Duration; 3],
    /// Since when there was no step down, or the wait was halved.
    calm: Duration,
    /// The picture that fills the player, and one that would since when.
    player: Option<Rendition>,
    resized: (Rendition, Duration),
    decoder: Rendition,
    decoder_since: Duration,
    decoder_wait: Duration,
    dropping: Held,
}

impl Chooser {
    /// Makes the chooser of a receiver that connects now.
    pub fn new(now: Duration) -> Self {
        Self {
            started: now,
            looked: now,
            rung: Rung::Video(Rendition::Full),
            carried: Rung::Video(Rendition::Full),
            why: None,
            ceiling: Rendition::Full,
            loss: 0.0,
            way: Way::default(),
            short: Held::default(),
            tight: Held::default(),
            doubtful: Held::default(),
            held_back: Held::default(),
            freed: None,
            released: None,
            was_full: false,
            echoes: false,
            waits: false,
            assume: None,
            starved: Held::default(),
            lossy: Held::default(),
            plenty: Held::default(),
            clear: Held::default(),
            returned: false,
            stepped: now,
            fell: None,
            trial: None,
            trying: None,
            probed: now,
            estimated: None,
            stuck: Held::default(),
            hold_off: Rendition::ALL.map(first_wait),
            calm: now,
            player: None,
            resized: (Rendition::Full, now),
            decoder: Rendition::Full,
            decoder_since: now,
            decoder_wait: Duration::ZERO,
            dropping: Held::default(),
        }
    }

    /// Looks at the line and the player, every 50-100 ms, and says what to send from now on.
    pub fn look(
        &mut self,
        now: Duration,
        ladder: &Ladder,
        line: &LinkSample,
        view: &View,
        wish: RenditionChoice,
    ) -> Decision {
        self.listen(now, line);
        let before = self.rung;
        let (mut ceiling, mut limited) = self.viewed(now, ladder, view);
        if let RenditionChoice::Fixed(rendition) = wish {
            (ceiling, limited) = (rendition, Reason::Fixed);
            self.fix(now, ladder, line, rendition);
        } else {
            if ceiling < self.ceiling {
                self.release(now, ladder, line, ceiling);
            }
            self.ceiling = ceiling;
            self.rung = self.carried.max(Rung::Video(ceiling));
            let rises = self.rises(now, ladder, line);
            if let Some((rung, why)) = self.falls(now, ladder, line) {
                self.step(now, rung);
                self.why = Some(why);
            } else if let Some(rendition) = rises {
                self.step(now, Rung::Video(rendition));
            }
        }
        if self.rung != before {
            (self.short, self.tight, self.lossy, self.plenty, self.dropping) = Default::default();
            (self.doubtful, self.held_back, self.assume) = Default::default();
            self.way.begin();
            if (before, self.rung) == (Rung::SoundOnly, Rung::Video(Rendition::Quarter)) {
                // The keyframe must come soon.
                let bits = percent(ladder.assumed(Rendition::Quarter), AFTER_FLOOD);
                self.assume = Some(bits).filter(|bits| line.estimate.is_some_and(|estimate| estimate < *bits));
            }
        }
        let reason = match self.rung {
            _ if limited == Reason::Fixed => Reason::Fixed,
            Rung::Video(Rendition::Full) => self.why.map_or(Reason::Start, |_| Reason::Recovered),
            Rung::Video(rendition) if rendition == ceiling => limited,
            _ => self.why.unwrap_or(Reason::Network),
        };
        let present = match self.rung {
            Rung::Video(rendition) => ladder.need(rendition),
            Rung::SoundOnly => ladder.sound.into(),
        };
        let minimum =
            self.trying.map_or(0, |(since, next)| grown(present, ladder.need(next), now.saturating_sub(since)));
        let desired = match self.next(wish) {
            Some(next) if !self.asks_for_a_probe(now, line) => {
                let share = if self.rung == Rung::SoundOnly { PROBED_FOR_PICTURE } else { PROBED };
                percent(ladder.need(next), share)
            }
            _ => present,
        };
        let holds = self.was_full && self.fell.is_some_and(|fell| now.saturating_sub(fell) < FLOOD_FALLS);
        let is_over = self.echoes && self.way.is_free(line) && line.loss < LOSS_FRIGHTENS;
        if !holds && (self.was_full || is_over) {
            self.assume = self.assumed(ladder).map(|bits| percent(bits, AFTER_FLOOD));
            self.echoes = std::mem::take(&mut self.was_full);
        }
        self.waits = !holds && now.saturating_sub(self.started) >= FIRST_GUESS && self.way.may_be_full(now);
        let waits = self.waits;
        Decision { rung: self.rung, reason, desired, minimum, holds, waits, assume: self.assume.take() }
    }

    /// Averages the loss, and keeps what the round trip says.
    fn listen(&mut self, now: Duration, line: &LinkSample) {
        let elapsed = now.saturating_sub(self.looked).as_secs_f32();
        self.looked = now;
        let loss = if line.loss.is_nan() { 0.0 } else { line.loss.clamp(0.0, 1.0) };
        self.loss += (loss - self.loss) * (elapsed / LOSS_AVERAGE.as_secs_f32()).min(1.0);
        self.way.listen(now, line);
        if now.saturating_sub(self.calm) >= CALM {
            (self.calm, self.returned) = (now, false);
            for rendition in Rendition::ALL {
                let wait = &mut self.hold_off[rendition.index()];
                *wait = (*wait / 2).max(first_wait(rendition));
            }
        }
    }

    /// Finds the largest picture that the viewer has use for, and what limits it.
    fn viewed(&mut self, now: Duration, ladder: &Ladder, view: &View) -> (Rendition, Reason) {
        let filling = view.height.map_or(Rendition::Full, |height| ladder.filling(height));
        if filling != self.resized.0 {
            self.resized = (filling, now);
        }
        if self.player.is_none() || now.saturating_sub(self.resized.1) >= SIZE_SETTLES {
            self.player = Some(filling);
        }
        let waited = now.saturating_sub(self.decoder_since) >= self.decoder_wait;
        // A browser decodes no pictures of a hidden page, and counts them as dropped.
        let is_slow = !view.hidden && view.dropped > DROPPED_HIGH;
        if self.dropping.note(now, is_slow, DROPPING_FOR) {
            if let Rung::Video(present) = self.rung {
                self.decoder = present.smaller().unwrap_or(present);
                self.decoder_wait = (self.decoder_wait * 2).clamp(DECODER_WAIT_FIRST, DECODER_WAIT_MAX);
            }
            (self.decoder_since, self.dropping) = (now, Held::default());
        } else if waited && !is_slow {
            self.decoder_wait = if self.decoder == Rendition::Full { Duration::ZERO } else { self.decoder_wait };
            self.decoder = self.decoder.larger().unwrap_or(Rendition::Full);
            self.decoder_since = now;
        }
        let limits = [
            (self.decoder, Reason::Decoder),
            (self.player.unwrap_or(filling), Reason::Player),
            (if view.save_data { Rendition::Half } else { Rendition::Full }, Reason::SaveData),
            (if view.hidden { Rendition::Quarter } else { Rendition::Full }, Reason::Hidden),
        ];
        limits.into_iter().max_by_key(|(ceiling, _)| *ceiling).unwrap_or((Rendition::Full, Reason::Start))
    }

    /// Goes at once to what the line carried before, now that the ceiling is higher, or to what its estimate allows.
    fn release(&mut self, now: Duration, ladder: &Ladder, line: &LinkSample, ceiling: Rendition) {
        let (Rung::Video(carried), Rung::Video(present)) = (self.carried, self.rung) else { return };
        let wanted = carried.max(ceiling);
        if wanted < present {
            let estimate = line.estimate.filter(|_| now.saturating_sub(self.started) >= FIRST_GUESS);
            let fits = |size: &Rendition| *size >= present || estimate.is_none_or(|bits| bits >= ladder.need(*size));
            let known = Rendition::ALL.into_iter().filter(|size| *size >= wanted).find(fits).unwrap_or(present);
            if known != wanted {
                (self.carried, self.why) = (Rung::Video(known), Some(Reason::Network));
            }
            self.trial = (known < present).then_some((now, known));
        }
    }

    /// Finds what may be tried next.
    fn next(&self, wish: RenditionChoice) -> Option<Rendition> {
        match (self.rung, wish) {
            (Rung::SoundOnly, RenditionChoice::Fixed(rendition)) => Some(rendition),
            (Rung::SoundOnly, RenditionChoice::Auto) => Some(Rendition::Quarter),
            (Rung::Video(present), _) => present.larger().filter(|next| *next >= self.ceiling),
        }
    }

    /// Returns the estimate if it says what the line carries, rather than what was sent or how much is lost.
    fn limit(&self, now: Duration, line: &LinkSample) -> Option<u64> {
        let estimate = line.estimate?;
        let is_quiet = line.round_trip.is_none() || self.way.is_free(line);
        let is_guess = now.saturating_sub(self.started) < FIRST_GUESS
            && (line.queued <= QUEUE_HIGH && self.loss <= LOSS_HIGH && is_quiet);
        // A still picture needs less than its rendition, and the estimate follows what is sent.
        let spare = if self.way.is_shallow() { 110 } else { 130 };
        let is_easy = percent(line.sending, spare) <= estimate;
        let is_frightened = self.way.is_free(line) && (LOSS_FRIGHTENS..=LOSS_HIGH).contains(&self.loss);
        let is_carried = line.queued < QUEUE_LOW && (is_easy || is_frightened);
        (!is_guess && !is_carried).then_some(estimate)
    }

    /// Decides whether the line asks for less: how much less, and why.
    fn falls(&mut self, now: Duration, ladder: &Ladder, line: &LinkSample) -> Option<(Rung, Reason)> {
        let limit = self.limit(now, line).unwrap_or(u64::MAX);
        let Rung::Video(present) = self.rung else { return None };
        let need = ladder.need(present);
        // What is really sent counts: an encoder needs less for a picture that holds still.
        let needed = need.min(line.sending.max(percent(need, LEAST_NEED)));
        let is_timed = line.round_trip.is_some();
        let is_starting = now.saturating_sub(self.started) < STARTING && line.checked.is_some();
        let is_shallow = is_starting && self.way.is_shallow();
        // The pacer's queue follows from the estimate. Only what waits on the way is a sign of its own.
        let since = if line.queued >= QUEUE_LOW { ECHOES } else { Duration::ZERO };
        let is_waiting = self.way.waited_within(now, if is_shallow { since / 5 } else { since });
        // A queue of the little that a still picture needs would not be over that soon.
        let is_late = line.sending < percent(need, LEAST_NEED) && self.way.is_trembling(now);
        let is_seen = !is_timed || is_waiting && !is_late;
        // While the queue becomes shorter, the line carries more than what is sent, whatever the estimate says.
        let is_growing = is_seen && !self.way.is_draining(now);
        let is_starved = self.starved.note(now, is_growing && limit < ladder.need(Rendition::Quarter), STARVED_FOR);
        let is_tight = self.tight.note(now, is_seen && limit < needed, TIGHT_FOR);
        let is_short = self.short.note(now, is_seen && limit < percent(needed, TIGHT), SHORT_FOR);
        let carries = self.way.carries(now).unwrap_or(u64::MAX);
        let is_full = self.way.is_full(now);
        let is_short =
            is_short || is_tight || is_seen && (limit < need / 2 && !is_shallow || is_full && limit < needed);
        // At first the line is filled to find out what it carries, and nothing is shown yet that could stand still.
        // Only a queue that overflows says that the first keyframe will not come.
        let is_new = now.saturating_sub(self.started) < FIRST_GUESS;
        let is_flooded = is_new && self.loss > LOSS_FLOODS && self.way.waits(line) > WAIT_FLOODS;
        let is_short = is_short || is_flooded || !is_new && self.way.is_surely_full(now);
        let assumed = ladder.assumed(present);
        let is_low = self.loss < LOSS_FRIGHTENS && line.pace.is_some_and(|pace| pace < assumed);
        let is_doubtful = self.doubtful.note(now, !is_seen && (is_low || limit < needed), DOUBTFUL_FOR);
        // A keyframe waits a little whatever the pace.
        let is_slow = line.pace.is_some_and(|pace| pace < assumed) && line.queued >= QUEUE_LOW;
        // There is no smaller picture that such a queue could ask for.
        let is_tried = self.freed.is_some_and(|freed| now.saturating_sub(freed) < TRIAL);
        let is_cleared = present == Rendition::Quarter && self.way.is_free(line) && !is_tried;
        let is_mistaken = is_slow && (!is_seen || is_cleared) && self.loss <= LOSS_HIGH;
        let is_held_back = self.held_back.note(now, is_mistaken, HELD_BACK_FOR);
        if is_held_back || is_doubtful {
            let is_freed = is_held_back && is_cleared;
            self.assume = Some(if is_freed { percent(assumed, AFTER_FLOOD) } else { assumed });
            self.freed = if is_freed { Some(now) } else { self.freed };
            self.released = Some(now);
            (self.doubtful, self.held_back) = Default::default();
        }
        let is_drained = self.fell.is_none_or(|fell| now.saturating_sub(fell) >= DRAIN);
        // What we hold back ourselves is no queue.
        let is_leaving = self.released.is_some_and(|released| now.saturating_sub(released) < RELEASED_FOR);
        let is_own = self.waits || is_shallow && (is_mistaken || is_leaving);
        let queued = if is_drained && !is_own { line.queued } else { Duration::ZERO };
        let is_blind = line.estimate.is_none();
        let loss = if is_blind && present != Rendition::Quarter { LOSS_HIGH_BLIND } else { LOSS_HIGH };
        // Reports still come of what was lost before the step down.
        let is_known = is_blind || self.fell.is_none_or(|fell| now.saturating_sub(fell) >= LOSS_DRAIN);
        let is_lossy = self.lossy.note(now, is_known && self.loss > loss, LOSSY_FOR);
        let Some(smaller) = present.smaller() else {
            let is_congested = is_starved || queued > QUEUE_STARVED;
            // With an estimate that fits, leaving the picture out would not help the sound.
            let why = if is_congested { Reason::Network } else { Reason::Loss };
            return (is_congested || is_blind && is_lossy).then_some((Rung::SoundOnly, why));
        };
        let is_too_much = !is_drained && carries < percent(need, TIGHT);
        if is_short || is_too_much || queued > QUEUE_HIGH {
            let fits = |size: &Rendition| {
                let need = ladder.need(*size);
                line.estimate.is_none_or(|estimate| estimate >= need) && carries >= percent(need, TIGHT)
            };
            let is_brimming =
                carries < percent(ladder.need(Rendition::Half), TIGHT) && self.way.waits(line) > WAIT_FLOODS;
            self.was_full = is_flooded || is_full && !is_new || is_new && is_brimming;
            let fitting = Rendition::ALL.into_iter().filter(|size| *size >= smaller && !is_flooded).find(fits);
            return Some((Rung::Video(fitting.unwrap_or(Rendition::Quarter)), Reason::Network));
        }
        is_lossy.then_some((Rung::Video(smaller), Reason::Loss))
    }

    /// Decides whether a larger picture may be tried.
    fn rises(&mut self, now: Duration, ladder: &Ladder, line: &LinkSample) -> Option<Rendition> {
        let next = self.next(RenditionChoice::Auto);
        self.trying = self.trying.filter(|(_, tried)| Some(*tried) == next);
        let next = next?;
        self.free_the_estimate(now, ladder, line, next);
        // What is tried shows in the trial, so that the estimate needs no reserve.
        let (more, long) = if self.rung == Rung::SoundOnly { (110, PLENTY_FOR_PICTURE) } else { (100, PLENTY_FOR) };
        let loss = if line.estimate.is_some() { LOSS_FOR_RISE } else { LOSS_FOR_RISE_BLIND };
        let fits = line.estimate.is_none_or(|estimate| estimate >= percent(ladder.need(next), more));
        let is_plenty = self.plenty.note(now, fits && line.queued < QUEUE_LOW && self.loss < loss, long);
        let is_idle = self.is_idle(line);
        let is_clear = self.clear.note(now, is_idle && self.rung == Rung::SoundOnly, CLEAR_FOR);
        let Some((since, _)) = self.trying else {
            let may = (is_plenty || is_clear && !self.returned) && self.is_rested(now, next);
            self.returned |= may && !is_plenty;
            // Without an estimate nobody sees what padding does, and from sound alone the step is small.
            if may && line.estimate.is_some() && self.rung != Rung::SoundOnly {
                self.trying = Some((now, next));
                return None;
            }
            return may.then_some(next);
        };
        let needed = percent(ladder.need(next), if is_idle { TRIED } else { 100 });
        let holds = line.estimate.is_some_and(|estimate| estimate >= needed);
        let passes = self.way.is_free(line) || self.way.is_trembling(now);
        if !holds || line.queued > QUEUE_HIGH / 2 || !passes || self.loss >= loss {
            (self.trying, self.plenty) = (None, Held::default());
            // What only the estimate ended may soon be tried again.
            if !is_idle {
                let wait = &mut self.hold_off[next.index()];
                *wait = (*wait).max(HOLD_OFF_TRIED);
                self.stepped = now;
                self.assume = self.assumed(ladder);
            }
            return None;
        }
        let is_done = now.saturating_sub(since) >= TRY_FOR;
        is_done.then_some(next)
    }

    /// Has the estimate start again where it stands still below what a larger picture needs.
    fn free_the_estimate(&mut self, now: Duration, ladder: &Ladder, line: &LinkSample, next: Rendition) {
        let is_same = std::mem::replace(&mut self.estimated, line.estimate) == line.estimate;
        let is_short = line.estimate.is_some_and(|estimate| estimate < ladder.need(next));
        if self.stuck.note(now, is_same && is_short && self.is_idle(line), STUCK_FOR) {
            self.stuck = Held::default();
            self.assume = self.assumed(ladder).or(Some(ladder.assumed(next)));
        }
    }

    /// Returns whether to lower what is probed for, for this look; see [`PROBE_EVERY`].
    fn asks_for_a_probe(&mut self, now: Duration, line: &LinkSample) -> bool {
        let may = self.trying.is_none() && line.queued < QUEUE_LOW && self.way.is_free(line);
        let asks = may && now.saturating_sub(self.probed.max(self.stepped)) >= PROBE_EVERY;
        if asks {
            self.probed = now;
        }
        asks
    }

    /// Finds what the estimator starts again from while there is a picture, in bit/s.
    fn assumed(&self, ladder: &Ladder) -> Option<u64> {
        if let Rung::Video(present) = self.rung { Some(ladder.assumed(present)) } else { None }
    }

    /// Returns whether nothing waits, here or on the way, and nothing is lost.
    fn is_idle(&self, line: &LinkSample) -> bool {
        line.queued < QUEUE_LOW && self.loss < LOSS_FRIGHTENS && self.way.is_free(line)
    }

    /// Returns whether the last step is long enough ago for one to this picture.
    fn is_rested(&self, now: Duration, next: Rendition) -> bool {
        now.saturating_sub(self.stepped) >= self.hold_off[next.index()]
    }

    /// Keeps the fixed picture, or sound alone, as [`RenditionChoice::Fixed`] says.
    fn fix(&mut self, now: Duration, ladder: &Ladder, line: &LinkSample, rendition: Rendition) {
        let part = |share| u64::from(ladder.sound) + percent(ladder.bitrate[rendition.index()].into(), share);
        let limit = self.limit(now, line).unwrap_or(u64::MAX);
        let is_starved = self.starved.note(now, limit < part(30), STARVED_FOR);
        let fits = line.estimate.is_none_or(|estimate| estimate >= part(50));
        let is_plenty = self.plenty.note(now, fits, PLENTY_FOR_PICTURE);
        (self.ceiling, self.trying) = (rendition, None);
        match self.rung {
            Rung::SoundOnly if is_plenty && self.is_rested(now, rendition) => self.step(now, Rung::Video(rendition)),
            Rung::Video(_) if is_starved => self.step(now, Rung::SoundOnly),
            Rung::SoundOnly => {}
            Rung::Video(_) => self.rung = Rung::Video(rendition),
        }
        self.carried = if self.rung == Rung::SoundOnly { self.rung } else { self.carried.min(self.rung) };
    }

    /// Steps up or down for the line's sake. A step up that is taken back soon makes the next one wait twice as long.
    fn step(&mut self, now: Duration, rung: Rung) {
        if let Rung::Video(next) = rung
            && rung < self.rung
        {
            self.trial = Some((now, next));
            self.returned &= next == Rendition::Quarter;
        } else {
            if let Some((_, failed)) = self.trial.take().filter(|(since, _)| now.saturating_sub(*since) <= TRIAL) {
                let wait = &mut self.hold_off[failed.index()];
                *wait = (*wait * 2).min(HOLD_OFF_MAX);
            }
            // What was lost says nothing about the new rung.
            (self.fell, self.calm, self.loss) = (Some(now), now, 0.0);
        }
        (self.stepped, self.rung, self.carried, self.trying) = (now, rung, rung, None);
    }
}

/// Returns how long a step up to this picture waits after the last step, at first.
fn first_wait(rendition: Rendition) -> Duration {
    if rendition == Rendition::Quarter { HOLD_OFF_PICTURE } else { HOLD_OFF_FIRST }
}

/// Returns what padding fills up to in bit/s, so long after a trial's start: from what is sent to what is tried, by
/// equal factors.
fn grown(from: u64, to: u64, passed: Duration) -> u64 {
    let part = (passed.as_secs_f64() / TRY_GROWS.as_secs_f64()).min(1.0);
    let from = from.max(1) as f64;
    (from * (to as f64 / from).powf(part)) as u64
}

#[cfg(test)]
mod tests;
