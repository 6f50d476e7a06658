use Rendition::{Full, Half, Quarter};

use super::*;

mod flood;
mod link;

const LADDER: Ladder = Ladder { bitrate: [2_500_000, 500_000, 120_000], height: [720, 360, 180], sound: 45_000 };

/// A receiver that is looked at every 50 ms.
#[derive(Clone)]
struct Looks {
    chooser: Chooser,
    now: Duration,
    line: LinkSample,
    view: View,
    wish: RenditionChoice,
    last: Decision,
}

fn good() -> LinkSample {
    LinkSample {
        estimate: Some(10_000_000),
        pace: Some(10_000_000),
        loss: 0.0,
        round_trip: Some(Duration::from_millis(40)),
        checked: None,
        queued: Duration::ZERO,
        sending: 2_545_000,
    }
}

fn estimated(estimate: u64) -> LinkSample {
    LinkSample { estimate: Some(estimate), pace: Some(estimate), sending: estimate, ..good() }
}

/// Returns a line whose estimate shows in its round trip, too.
fn narrow(estimate: u64) -> LinkSample {
    LinkSample { round_trip: Some(Duration::from_millis(240)), ..estimated(estimate) }
}

impl Looks {
    /// Creates a new receiver with this line, looked at once.
    fn new(line: LinkSample) -> Self {
        Self::with(line, View::default(), RenditionChoice::Auto)
    }

    fn with(line: LinkSample, view: View, wish: RenditionChoice) -> Self {
        let now = Duration::from_secs(1000);
        let mut chooser = Chooser::new(now);
        let last = chooser.look(now, &LADDER, &line, &view, wish);
        Self { chooser, now, line, view, wish, last }
    }

    /// Returns one that has had a good line for ten seconds.
    fn settled() -> Self {
        let mut looks = Self::new(good());
        looks.run(10.0);
        looks
    }

    /// Looks on for so many seconds, and returns the rung.
    fn run(&mut self, seconds: f64) -> Rung {
        for _ in 0..(seconds * 20.0).round() as u32 {
            self.look();
        }
        self.last.rung
    }

    fn look(&mut self) {
        self.now += Duration::from_millis(50);
        self.last = self.chooser.look(self.now, &LADDER, &self.line, &self.view, self.wish);
    }

    /// Returns seconds until this rung, of at most 200.
    fn until(&mut self, rung: Rung) -> f64 {
        let from = self.now;
        while self.last.rung != rung && self.now - from < Duration::from_secs(200) {
            self.look();
        }
        (self.now - from).as_secs_f64()
    }

    /// Returns how often the rung changes in so many seconds.
    fn changes(&mut self, seconds: f64) -> usize {
        let mut rung = self.last.rung;
        let looks = (seconds * 20.0) as u32;
        (0..looks).filter(|_| self.run(0.05) != std::mem::replace(&mut rung, self.last.rung)).count()
    }
}

#[test]
fn it_starts_with_everything_whatever_the_first_guess_is() {
    let mut looks = Looks::new(estimated(300_000));
    assert_eq!((looks.last.rung, looks.last.reason.name()), (Rung::Video(Full), "start"));
    assert_eq!(looks.run(1.4), Rung::Video(Full));
    looks.line = good();
    assert_eq!(looks.changes(60.0), 0);
    assert_eq!(
        looks.last,
        Decision {
            rung: Rung::Video(Full),
            reason: Reason::Start,
            desired: 2_545_000,
            minimum: 0,
            holds: false,
            assume: None
        }
    );
}

#[test]
fn the_first_guess_counts_when_a_queue_or_loss_confirms_it() {
    for line in [
        LinkSample { queued: Duration::from_millis(400), ..estimated(300_000) },
        LinkSample { loss: 0.5, round_trip: None, ..estimated(300_000) },
    ] {
        let mut looks = Looks::new(line);
        assert_eq!(looks.run(0.5), Rung::Video(Quarter), "{line:?}");
    }
}

#[test]
fn an_estimate_that_stays_too_low_leads_to_the_largest_rung_that_fits_with_the_sound() {
    for (estimate, rung, reason) in [
        (1_900_000, Rung::Video(Half), "slow network"),
        (545_000, Rung::Video(Half), "slow network"),
        (544_000, Rung::Video(Quarter), "slow network"),
        (90_000, Rung::Video(Quarter), "slow network"),
    ] {
        let mut looks = Looks::settled();
        looks.line = LinkSample { sending: 2_545_000, ..narrow(estimate) };
        let seconds = looks.until(rung);
        assert!(seconds <= 0.35, "{estimate}: {seconds} s");
        assert!(estimate < 2_545_000 / 2 || seconds > 0.2, "{estimate}: {seconds} s");
        assert_eq!(looks.last.reason.name(), reason);
    }
}

#[test]
fn an_estimate_that_is_a_little_too_low_gets_time_to_come_back_unless_something_waits_on_the_way() {
    let tight = LinkSample { sending: 2_545_000, ..estimated(2_160_000) };
    let mut looks = Looks::settled();
    looks.line = LinkSample { round_trip: Some(Duration::from_millis(240)), ..tight };
    let seconds = looks.until(Rung::Video(Half));
    assert!((0.3..0.6).contains(&seconds), "{seconds} s");
}

#[test]
fn a_queue_in_the_pacer_alone_is_the_estimators_mistake() {
    let mut looks = Looks::settled();
    looks.line = LinkSample { sending: 1_300_000, queued: Duration::from_millis(120), ..estimated(1_400_000) };
    looks.run(0.1);
    assert_eq!(looks.last.assume, None);
    looks.run(0.05);
    assert_eq!((looks.last.rung, looks.last.assume), (Rung::Video(Full), Some(2_545_000 * 115 / 100)));
    assert_eq!(looks.changes(10.0), 0);
    // A keyframe that is sent at a good pace.
    looks.line = LinkSample { queued: Duration::from_millis(120), ..good() };
    for _ in 0..100 {
        looks.run(0.05);
        assert_eq!(looks.last.assume, None);
    }
}

#[test]
fn a_round_trip_that_is_long_from_the_start_is_a_queue_if_the_connections_checks_were_quicker() {
    let line = LinkSample { queued: Duration::from_millis(120), sending: 1_300_000, ..narrow(600_000) };
    for (checked, rung) in [(Some(Duration::from_millis(20)), Rung::Video(Half)), (None, Rung::Video(Full))] {
        let mut looks = Looks::new(LinkSample { checked, ..line });
        assert_eq!(looks.run(0.3), rung, "{checked:?}");
    }
}

#[test]
fn a_queue_in_the_pacer_after_one_on_the_way_is_a_part_of_it() {
    let mut looks = Looks::settled();
    looks.line.round_trip = Some(Duration::from_millis(240));
    looks.run(0.05);
    looks.line = LinkSample { sending: 2_545_000, queued: Duration::from_millis(120), ..estimated(2_160_000) };
    let seconds = looks.until(Rung::Video(Half));
    assert!((0.3..0.6).contains(&seconds), "{seconds} s");
}

#[test]
fn an_estimate_that_nothing_else_confirms_starts_again() {
    let mut looks = Looks::settled();
    looks.line = LinkSample { sending: 2_545_000, ..estimated(900_000) };
    assert_eq!(looks.run(1.5), Rung::Video(Full));
    assert_eq!(looks.last.assume, None);
    looks.run(0.05);
    assert_eq!((looks.last.rung, looks.last.assume), (Rung::Video(Full), Some(2_545_000 * 115 / 100)));
    looks.run(0.05);
    assert_eq!(looks.last.assume, None);
}

#[test]
fn what_was_lost_before_a_step_down_does_not_lead_to_another() {
    let mut looks = Looks::settled();
    looks.line = LinkSample { loss: 0.5, ..narrow(700_000) };
    assert_eq!(looks.run(0.5), Rung::Video(Half));
    assert_eq!(looks.run(0.6), Rung::Video(Half));
    looks.line = estimated(700_000);
    assert_eq!(looks.run(3.0), Rung::Video(Half));
}

#[test]
fn a_dip_of_the_estimate_changes_nothing() {
    let mut looks = Looks::settled();
    for _ in 0..100 {
        looks.line = estimated(2_000_000);
        assert_eq!(looks.run(0.2), Rung::Video(Full));
        looks.line = good();
        looks.run(0.1);
    }
}

#[test]
fn a_queue_leads_down_at_once_and_then_gets_time_to_drain() {
    let mut looks = Looks::settled();
    looks.line.queued = Duration::from_millis(360);
    assert_eq!(looks.run(0.05), Rung::Video(Half));
    assert_eq!(looks.run(0.9), Rung::Video(Half));
    assert_eq!(looks.run(0.2), Rung::Video(Quarter));
    assert_eq!(looks.run(10.0), Rung::Video(Quarter));
    looks.line.queued = Duration::from_millis(700);
    assert_eq!(looks.run(0.1), Rung::SoundOnly);
}

#[test]
fn a_still_picture_is_not_made_smaller_by_an_estimate_that_follows_what_is_sent() {
    let mut looks = Looks::settled();
    looks.line = LinkSample { sending: 800_000, ..estimated(1_200_000) };
    assert_eq!(looks.changes(60.0), 0);
    looks.line = LinkSample { sending: 800_000, queued: Duration::from_millis(150), ..narrow(1_200_000) };
    assert_eq!(looks.run(0.5), Rung::Video(Half));
}

#[test]
fn random_loss_is_left_to_retransmission() {
    for loss in [0.05, 0.10, 0.15] {
        let mut looks = Looks::settled();
        looks.line.loss = loss;
        assert_eq!(looks.changes(60.0), 0);
        // The estimator is frightened, and the line is not.
        looks.line = LinkSample { loss, ..estimated(2_400_000) };
        assert_eq!(looks.changes(60.0), 0, "{loss}");
        looks.line = LinkSample { loss, sending: 2_545_000, ..estimated(1_900_000) };
        assert_eq!(looks.changes(60.0), 0, "{loss}");
        looks.line.round_trip = Some(Duration::from_millis(200));
        assert_eq!(looks.run(0.5), Rung::Video(Half), "{loss}");
    }
}

#[test]
fn sustained_high_loss_leads_down_one_by_one_and_leaves_the_smallest_picture() {
    let mut looks = Looks::settled();
    looks.line.loss = 0.3;
    let seconds = looks.until(Rung::Video(Half));
    assert!((1.0..2.0).contains(&seconds), "{seconds}");
    assert_eq!(looks.last.reason.name(), "loss");
    assert_eq!(looks.run(60.0), Rung::Video(Quarter));
}

#[test]
fn without_an_estimate_loss_leads_down_and_time_leads_up() {
    let mut looks = Looks::new(LinkSample { estimate: None, loss: 0.11, ..good() });
    assert_eq!(looks.run(20.0), Rung::Video(Full));
    looks.line.loss = 0.14;
    let seconds = looks.until(Rung::Video(Half));
    assert!((1.0..2.0).contains(&seconds), "{seconds}");
    assert_eq!(looks.run(10.0), Rung::Video(Quarter), "0.14 takes no picture away altogether");
    looks.line.loss = 0.25;
    assert_eq!(looks.run(3.0), Rung::SoundOnly);
    looks.line.loss = 0.05;
    assert_eq!(looks.run(60.0), Rung::SoundOnly);
    looks.line.loss = 0.01;
    let seconds = looks.until(Rung::Video(Full));
    assert!((6.0..20.0).contains(&seconds), "{seconds}");
    assert_eq!(looks.last.reason.name(), "recovered");
}

#[test]
fn sound_goes_on_alone_when_the_smallest_picture_does_not_fit_and_probing_finds_the_way_back() {
    let mut looks = Looks::settled();
    looks.line = narrow(100_000);
    assert_eq!(looks.run(0.9), Rung::Video(Quarter));
    let seconds = looks.until(Rung::SoundOnly);
    assert!(seconds < 0.3, "{seconds}");
    assert_eq!(looks.last.desired, 165_000 * 5 / 4);
    looks.line = narrow(180_000);
    assert_eq!(looks.run(30.0), Rung::SoundOnly, "that is less than a tenth more");
    looks.line = narrow(182_000);
    let seconds = looks.until(Rung::Video(Quarter));
    assert!((1.9..2.2).contains(&seconds), "{seconds}");
}

#[test]
fn everything_returns_within_twenty_seconds() {
    let mut looks = Looks::settled();
    looks.line = narrow(100_000);
    assert_eq!(looks.run(30.0), Rung::SoundOnly);
    looks.line = good();
    let seconds = looks.until(Rung::Video(Full));
    assert!((10.0..15.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_step_up_wants_room_for_a_while_and_rest_since_the_last_step() {
    let mut looks = Looks::settled();
    looks.line = narrow(1_000_000);
    looks.run(0.5);
    assert_eq!(looks.last.desired, 2_545_000 * 3 / 2);
    looks.line = good();
    let seconds = looks.until(Rung::Video(Full));
    // The rest since the step down, and the trial by padding.
    assert!((4.5..5.6).contains(&seconds), "{seconds}");

    looks.line = narrow(600_000);
    looks.run(30.0);
    for line in [
        estimated(2_540_000),
        LinkSample { queued: Duration::from_millis(150), ..good() },
        LinkSample { loss: 0.18, ..good() },
    ] {
        looks.line = line;
        assert_eq!(looks.run(30.0), Rung::Video(Half), "{line:?}");
    }
    looks.line = estimated(2_560_000);
    assert!(looks.until(Rung::Video(Full)) < 3.7);
}

#[test]
fn a_larger_picture_is_tried_with_padding_first() {
    let mut looks = Looks::settled();
    looks.line = narrow(600_000);
    looks.run(30.0);
    looks.line = good();
    // The padding grows, and then stays.
    looks.run(1.7);
    let early = looks.last.minimum;
    assert!(early > LADDER.need(Half) && early < 2 * LADDER.need(Half), "{early}");
    looks.run(1.2);
    assert_eq!((looks.last.rung, looks.last.minimum), (Rung::Video(Half), LADDER.need(Full)));
    // What shows that the line does not carry it ends the trial, and the next one comes later.
    looks.line.queued = Duration::from_millis(200);
    looks.run(0.05);
    assert_eq!((looks.last.rung, looks.last.minimum), (Rung::Video(Half), 0));
    assert!(looks.last.assume.is_some());
    looks.line = good();
    looks.run(5.0);
    assert_eq!((looks.last.rung, looks.last.minimum), (Rung::Video(Half), 0));
    assert_eq!(looks.run(3.0), Rung::Video(Full));
    assert_eq!(looks.last.minimum, 0);
}

#[test]
fn while_a_larger_picture_is_wanted_what_is_probed_for_rises_every_three_seconds() {
    let mut looks = Looks::settled();
    looks.line = narrow(700_000);
    looks.run(10.0);
    let mut rises = |line: LinkSample| {
        looks.line = line;
        let mut before = looks.last.desired;
        (0..600)
            .filter(|_| {
                looks.look();
                looks.last.desired > std::mem::replace(&mut before, looks.last.desired)
            })
            .count()
    };
    assert_eq!(rises(narrow(700_000)), 0, "while something waits on the way");
    assert_eq!(rises(estimated(700_000)), 10);
    assert_eq!(looks.last.rung, Rung::Video(Half));
    assert_eq!(looks.last.desired, 2_545_000 * 3 / 2);
}

#[test]
fn a_trial_ends_when_nobody_wants_the_larger_picture_any_more() {
    let mut looks = Looks::settled();
    looks.line = narrow(600_000);
    looks.run(30.0);
    looks.line = good();
    looks.run(2.9);
    assert_eq!(looks.last.minimum, LADDER.need(Full));
    let mut fixed = looks.clone();
    looks.view.hidden = true;
    looks.run(0.05);
    assert_eq!((looks.last.rung, looks.last.minimum), (Rung::Video(Quarter), 0));
    fixed.wish = RenditionChoice::Fixed(Half);
    fixed.run(0.05);
    assert_eq!((fixed.last.rung, fixed.last.minimum), (Rung::Video(Half), 0));
}

#[test]
fn failed_trials_come_ever_more_rarely_and_calm_forgives_them() {
    let mut looks = Looks::settled();
    let mut waits = Vec::new();
    for _ in 0..7 {
        looks.line = narrow(600_000);
        looks.run(0.5);
        looks.line = estimated(3_000_000);
        waits.push(looks.until(Rung::Video(Full)).round());
        looks.run(2.0);
    }
    // What was a minute when the last step down was a minute ago is half of it.
    assert_eq!(waits, [6.0, 10.0, 18.0, 34.0, 62.0, 62.0, 62.0]);
    looks.run(600.0);
    looks.line = narrow(600_000);
    looks.run(0.5);
    looks.line = estimated(3_000_000);
    assert!(looks.until(Rung::Video(Full)) < 6.1);
}

#[test]
fn a_player_gets_the_smallest_picture_that_fills_it() {
    for (height, rendition) in
        [(0, Quarter), (180, Quarter), (198, Quarter), (199, Half), (396, Half), (397, Full), (4000, Full)]
    {
        let looks = Looks::with(good(), View { height: Some(height), ..View::default() }, RenditionChoice::Auto);
        assert_eq!(looks.last.rung, Rung::Video(rendition), "{height}");
        assert_eq!(looks.last.reason.name(), if rendition == Full { "start" } else { "small player" });
        assert_eq!(looks.last.desired, LADDER.need(rendition));
    }
}

#[test]
fn a_window_that_is_dragged_changes_nothing_until_it_rests() {
    let mut looks = Looks::settled();
    for height in 0..50 {
        looks.view.height = Some(if height % 2 == 0 { 170 } else { 350 });
        assert_eq!(looks.run(0.4), Rung::Video(Full));
    }
    assert_eq!(looks.run(0.5), Rung::Video(Half));
    looks.view.height = Some(700);
    assert_eq!(looks.run(0.4), Rung::Video(Half));
    assert_eq!(looks.run(0.2), Rung::Video(Full));
}

#[test]
fn a_hidden_page_gets_the_smallest_picture_and_everything_when_it_is_back() {
    let mut looks = Looks::settled();
    looks.view = View { hidden: true, dropped: 1.0, ..View::default() };
    assert_eq!(looks.run(0.05), Rung::Video(Quarter));
    assert_eq!((looks.last.reason.name(), looks.last.desired), ("hidden", 165_000));
    looks.run(60.0);
    looks.view = View::default();
    assert_eq!(looks.run(0.05), Rung::Video(Full));
}

#[test]
fn a_page_that_is_back_gets_what_its_estimate_allows_and_climbs_on_from_there() {
    let mut looks = Looks::settled();
    looks.view.hidden = true;
    looks.line = estimated(600_000);
    looks.run(30.0);
    looks.view.hidden = false;
    looks.line.sending = 165_000;
    assert_eq!(looks.run(0.05), Rung::Video(Half));
    assert_eq!(looks.last.reason.name(), "slow network");
    looks.line = good();
    let seconds = looks.until(Rung::Video(Full));
    assert!(seconds < 3.7, "{seconds}");
}

#[test]
fn a_hidden_page_does_not_bring_back_what_the_line_did_not_carry() {
    let mut looks = Looks::settled();
    looks.line = narrow(600_000);
    looks.run(1.0);
    looks.line = good();
    looks.view.hidden = true;
    looks.run(1.0);
    looks.view.hidden = false;
    assert_eq!(looks.run(0.05), Rung::Video(Half));
}

#[test]
fn saving_data_means_half_at_most() {
    let mut looks = Looks::settled();
    looks.view.save_data = true;
    assert_eq!(looks.run(0.05), Rung::Video(Half));
    assert_eq!(looks.last.reason.name(), "save data");
    looks.view.height = Some(100);
    assert_eq!(looks.run(1.0), Rung::Video(Quarter));
    assert_eq!(looks.last.reason.name(), "small player");
}

#[test]
fn a_slow_decoder_gets_less_and_is_tried_again_ever_more_rarely() {
    let mut looks = Looks::settled();
    let mut waits = Vec::new();
    for _ in 0..3 {
        looks.view.dropped = 0.3;
        assert_eq!(looks.run(2.9), Rung::Video(Full));
        assert!(looks.until(Rung::Video(Half)) < 0.2);
        assert_eq!(looks.last.reason.name(), "slow decoder");
        looks.view.dropped = 0.0;
        waits.push(looks.until(Rung::Video(Full)).round());
    }
    assert_eq!(waits, [30.0, 60.0, 120.0]);
}

#[test]
fn a_fixed_picture_stays_but_for_a_line_that_does_not_carry_a_third_of_it() {
    let mut looks = Looks::with(good(), View { hidden: true, ..View::default() }, RenditionChoice::Fixed(Half));
    assert_eq!((looks.last.rung, looks.last.reason.name()), (Rung::Video(Half), "fixed"));
    looks.line = LinkSample { loss: 0.5, queued: Duration::from_secs(2), ..estimated(196_000) };
    assert_eq!(looks.run(30.0), Rung::Video(Half));
    looks.line = estimated(196_000);
    looks.run(10.0);
    looks.line = estimated(194_000);
    assert_eq!(looks.run(0.9), Rung::Video(Half));
    assert_eq!(looks.run(0.2), Rung::SoundOnly);
    assert_eq!((looks.last.reason.name(), looks.last.desired), ("fixed", 545_000 * 5 / 4));
    looks.line = estimated(290_000);
    assert_eq!(looks.run(30.0), Rung::SoundOnly);
    looks.line = estimated(295_000);
    assert!(looks.until(Rung::Video(Half)) < 2.2);
    looks.wish = RenditionChoice::Fixed(Full);
    assert_eq!(looks.run(0.05), Rung::Video(Full));
}

#[test]
fn what_was_fixed_goes_on_from_there() {
    let mut looks = Looks::with(good(), View::default(), RenditionChoice::Fixed(Quarter));
    looks.run(10.0);
    looks.wish = RenditionChoice::Auto;
    assert_eq!(looks.run(0.05), Rung::Video(Full));
}

#[test]
fn numbers_that_make_no_sense_do_no_harm() {
    let times = [0, 1, u64::MAX / 2, u64::MAX].map(Duration::from_nanos);
    let bits = [None, Some(0), Some(1), Some(u64::MAX)];
    let shares = [f32::NAN, f32::NEG_INFINITY, -1.0, 0.0, 1.0, f32::INFINITY];
    let ladders = [[0; 3], [u32::MAX; 3], LADDER.bitrate].map(|of| Ladder { bitrate: of, height: of, sound: of[0] });
    let mut random = link::Random::new(7);
    let mut chooser = Chooser::new(Duration::MAX);
    for _ in 0..200_000 {
        let wish = *random.pick(&[
            RenditionChoice::Auto,
            RenditionChoice::Auto,
            RenditionChoice::Fixed(Full),
            RenditionChoice::Fixed(Quarter),
        ]);
        let line = LinkSample {
            estimate: *random.pick(&bits),
            pace: *random.pick(&bits),
            loss: *random.pick(&shares),
            round_trip: *random.pick(&[None, Some(Duration::ZERO), Some(Duration::MAX)]),
            checked: *random.pick(&[None, Some(Duration::ZERO), Some(Duration::MAX)]),
            queued: *random.pick(&[Duration::ZERO, Duration::MAX]),
            sending: *random.pick(&[0, u64::MAX]),
        };
        let view = View {
            height: *random.pick(&[None, Some(0), Some(u32::MAX)]),
            hidden: *random.pick(&[false, true]),
            save_data: *random.pick(&[false, true]),
            dropped: *random.pick(&shares),
        };
        let now = *random.pick(&[times[0], times[1], times[2], times[3], Duration::MAX]);
        chooser.look(now, random.pick(&ladders), &line, &view, wish);
    }
}
