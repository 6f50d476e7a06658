//! A line that becomes much narrower at once, so that what is sent fills it to the brim.

use super::*;

/// Makes a line of which 2.5 Mbit/s fill the queue, as it looks so many seconds after it has become narrower.
fn flooded(carried: f64, after: f64, estimate: u64) -> LinkSample {
    let waiting = (1.0 - carried / 2_545_000.0) * after;
    let round_trip = Some(Duration::from_secs_f64(0.04 + waiting));
    LinkSample { round_trip, sending: 2_545_000, ..estimated(estimate) }
}

#[test]
fn a_queue_that_grows_fast_leads_to_what_the_line_carries_at_once() {
    for (carried, rung, holds) in [(200_000.0, Quarter, true), (1_500_000.0, Half, false)] {
        let mut looks = Looks::settled();
        let mut held = 0;
        for step in 1..=14 {
            looks.line = flooded(carried, f64::from(step) * 0.05, 1_200_000);
            looks.look();
            held += u32::from(looks.last.holds);
        }
        assert_eq!(looks.last.rung, Rung::Video(rung), "{carried}");
        assert_eq!(held > 0, holds, "{carried}: the keyframe waits until the line has drained a little");
        let mut assumed = None;
        for _ in 0..11 {
            looks.look();
            assumed = assumed.or(looks.last.assume);
        }
        assert!(!looks.last.holds, "{carried}");
        assert_eq!(assumed.is_some(), holds, "{carried}: the keyframe goes out at a pace that the line carries");
    }
}

#[test]
fn the_picture_stays_while_a_queue_drains() {
    for (less, rung) in [(0.08, Rung::Video(Quarter)), (0.0, Rung::SoundOnly)] {
        let mut looks = Looks::settled();
        looks.line = narrow(90_000);
        assert_eq!(looks.run(0.5), Rung::Video(Quarter));
        let from = 1.1;
        for step in 0..12 {
            let round_trip = Some(Duration::from_secs_f64(from - f64::from(step) * less));
            looks.line = LinkSample { round_trip, ..estimated(90_000) };
            looks.run(0.1);
        }
        assert_eq!(looks.last.rung, rung, "shorter by {less} s at each report");
    }
}

#[test]
fn a_full_line_and_an_estimate_that_begins_to_fall_lead_down_at_once() {
    let mut looks = Looks::settled();
    for step in 1..=8 {
        looks.line = flooded(200_000.0, f64::from(step) * 0.05, 10_000_000);
        looks.look();
    }
    assert_eq!(looks.last.rung, Rung::Video(Full), "a round trip alone may have other reasons");
    looks.line = flooded(200_000.0, 0.45, 2_300_000);
    looks.look();
    assert_eq!(looks.last.rung, Rung::Video(Quarter));
}

#[test]
fn a_line_that_is_surely_full_is_left_without_waiting_for_the_estimate() {
    let mut looks = Looks::settled();
    let mut stepped = None;
    for step in 1..=20 {
        looks.line = flooded(200_000.0, f64::from(step) * 0.05, 10_000_000);
        looks.look();
        stepped = stepped.or((looks.last.rung == Rung::Video(Quarter)).then_some(step * 50));
    }
    assert!(stepped.is_some_and(|ms| (450..=600).contains(&ms)), "{stepped:?} ms");
}

#[test]
fn an_estimate_that_stands_still_below_the_next_picture_starts_again() {
    let mut looks = Looks::settled();
    looks.line = narrow(200_000);
    assert_eq!(looks.run(1.0), Rung::Video(Quarter));
    for (wobble, again) in [(1, 0), (0, 2)] {
        let mut restarts = 0;
        for look in 0..300 {
            looks.line = estimated(334_729 + look / 20 * wobble);
            looks.look();
            restarts += u32::from(looks.last.assume.is_some());
        }
        assert_eq!(restarts, again, "changes by {wobble} bit/s a second, 15 s");
    }
}

#[test]
fn the_picture_waits_while_a_line_may_be_full() {
    for (carried, waits) in [(200_000.0, true), (1_200_000.0, false)] {
        let mut looks = Looks::settled();
        let mut waited = None;
        for step in 1..=8 {
            looks.line = flooded(carried, f64::from(step) * 0.05, 10_000_000);
            looks.look();
            waited = waited.or(looks.last.waits.then_some(step * 50));
        }
        assert_eq!(looks.last.rung, Rung::Video(Full), "{carried}");
        assert_eq!(waited.is_some(), waits, "{carried}: after {waited:?} ms");
        assert!(waited.is_none_or(|ms| (150..=250).contains(&ms)), "{carried}: after {waited:?} ms");
        looks.line = good();
        looks.look();
        assert!(!looks.last.waits, "{carried}: it goes on as soon as nothing waits on the way");
    }
}

#[test]
fn a_new_line_that_is_full_has_the_keyframe_wait_before_any_loss_is_known() {
    for (waiting, holds) in [(0.05, false), (0.45, true)] {
        let mut looks = Looks::new(good());
        looks.run(0.3);
        for (step, estimate) in [(1, 8_000_000), (2, 4_000_000), (3, 1_300_000), (4, 1_000_000), (5, 850_000)] {
            let round_trip = Some(Duration::from_secs_f64(0.04 + waiting * f64::from(step) / 5.0));
            looks.line = LinkSample { round_trip, sending: 1_700_000, ..estimated(estimate) };
            looks.run(0.1);
        }
        let held = looks.last.holds;
        looks.run(0.1);
        assert_eq!(held || looks.last.holds, holds, "{waiting} s wait on the way");
    }
}

#[test]
fn the_smallest_picture_gets_its_pace_back_once_after_a_queue_on_the_way() {
    let mut looks = Looks::settled();
    looks.line = narrow(300_000);
    assert_eq!(looks.run(8.0), Rung::Video(Quarter));
    let queued = Duration::from_millis(300);
    let mut restarts = Vec::new();
    for _ in 0..3 {
        looks.line = narrow(160_000);
        looks.run(0.2);
        // What took the line away is over, and the estimate does not know it yet.
        looks.line = LinkSample { queued, sending: 120_000, ..estimated(110_000) };
        for _ in 0..4 {
            looks.look();
            restarts.extend(looks.last.assume);
        }
        assert_eq!(looks.last.rung, Rung::Video(Quarter));
        looks.line = LinkSample { sending: 120_000, ..estimated(200_000) };
        looks.run(0.5);
    }
    assert_eq!(restarts, [332_062], "more than the picture needs, and not again and again");
}

#[test]
fn the_picture_returns_from_sound_alone_as_soon_as_the_line_is_clear_once() {
    let mut looks = Looks::settled();
    let mut taken_away = |waits: f64| {
        looks.line = narrow(100_000);
        looks.until(Rung::SoundOnly);
        looks.run(0.5);
        looks.line = LinkSample { sending: 50_000, ..estimated(100_000) };
        let mut assumed = None;
        let from = looks.now;
        while looks.last.rung == Rung::SoundOnly && (looks.now - from).as_secs_f64() < waits {
            looks.look();
            assumed = assumed.or(looks.last.assume);
        }
        (looks.last.rung, assumed)
    };
    assert_eq!(taken_away(1.0), (Rung::Video(Quarter), Some(332_062)));
    assert_eq!(taken_away(6.0), (Rung::SoundOnly, None), "a line that is too narrow is not filled every other second");
    looks.line = good();
    looks.until(Rung::Video(Half));
    looks.line = narrow(100_000);
    looks.until(Rung::SoundOnly);
    looks.line = LinkSample { sending: 50_000, ..estimated(100_000) };
    assert!(looks.until(Rung::Video(Quarter)) < 2.5, "that was another time");
}

#[test]
fn a_trial_that_passes_is_not_ended_by_an_estimate_that_is_a_little_low() {
    let mut looks = Looks::settled();
    looks.line = narrow(600_000);
    looks.run(30.0);
    looks.line = good();
    looks.run(2.9);
    assert_eq!(looks.last.minimum, LADDER.need(Full));
    looks.line = LinkSample { sending: 2_300_000, ..estimated(2_200_000) };
    assert_eq!(looks.run(1.0), Rung::Video(Full));

    let mut looks = Looks::settled();
    looks.line = narrow(600_000);
    looks.run(30.0);
    looks.line = good();
    looks.run(2.9);
    looks.line = LinkSample { sending: 1_000_000, ..estimated(1_000_000) };
    assert_eq!((looks.run(0.1), looks.last.minimum, looks.last.assume), (Rung::Video(Half), 0, None));
    looks.line = good();
    assert!(looks.until(Rung::Video(Full)) < 4.0, "nothing but the estimate spoke against it");
}

#[test]
fn what_waits_because_the_line_may_be_full_is_no_queue_of_its_own() {
    let mut looks = Looks::settled();
    let mut waited = Duration::ZERO;
    for step in 1..=14 {
        let after = f64::from(step.min(6)) * 0.05;
        waited = if looks.last.waits { waited + Duration::from_millis(50) } else { Duration::ZERO };
        looks.line = LinkSample { queued: waited, ..flooded(200_000.0, after, 10_000_000) };
        looks.look();
        assert_eq!(looks.last.rung, Rung::Video(Full), "after {} ms, of which {waited:?} are ours", step * 50);
    }
    assert!(!looks.last.waits);
}

#[test]
fn a_calm_minute_lets_the_picture_of_a_small_player_return_soon_again() {
    let mut looks = Looks::settled();
    looks.view.height = Some(180);
    looks.run(90.0);
    for time in 0..2 {
        looks.line = narrow(100_000);
        looks.until(Rung::SoundOnly);
        looks.line = LinkSample { sending: 50_000, ..estimated(100_000) };
        assert!(looks.until(Rung::Video(Quarter)) < 2.5, "{time}");
        looks.line = good();
        looks.run(130.0);
    }
}

#[test]
fn a_browser_that_is_busy_as_it_starts_keeps_the_picture() {
    let quick = LinkSample { checked: Some(Duration::from_millis(5)), ..estimated(600_000) };
    for (late, rung) in [(70, Rung::Video(Full)), (120, Rung::Video(Full)), (400, Rung::Video(Half))] {
        let mut looks = Looks::new(LinkSample { round_trip: Some(Duration::from_millis(5)), ..quick });
        looks.line.pace = Some(600_000);
        let mut assumed = None;
        for step in 1..=12 {
            // Reports are late for a moment, and what the estimator makes of it holds everything up.
            let round_trip = if (3..6).contains(&step) { late } else { 5 };
            looks.line.round_trip = Some(Duration::from_millis(round_trip));
            let waited = if assumed.is_some() { looks.line.queued / 2 } else { Duration::from_millis(step * 35) };
            looks.line.queued = waited;
            looks.look();
            assumed = assumed.or(looks.last.assume);
        }
        assert_eq!(looks.last.rung, rung, "reports that are late by {late} ms");
        assert_eq!(assumed.is_some(), rung == Rung::Video(Full), "{late} ms");
    }
}

/// Looks for so long at a line whose reports come every 300 ms and are late by 75 ms twice out of three times.
fn tremble(looks: &mut Looks, line: LinkSample, seconds: f64) {
    for step in 0..(seconds * 20.0) as u32 {
        // Two reports are never alike to the nanosecond.
        let late = if step / 6 % 3 == 0 { 5 } else { 75 };
        let round_trip = Duration::from_millis(late) + Duration::from_nanos((step / 6).into());
        looks.line = LinkSample { round_trip: Some(round_trip), ..line };
        looks.look();
    }
}

#[test]
fn a_receiver_that_is_late_with_some_reports_keeps_a_still_picture() {
    let mut looks = Looks::new(LinkSample { round_trip: Some(Duration::from_millis(5)), ..good() });
    tremble(&mut looks, LinkSample { sending: 100_000, ..good() }, 5.0);
    // What was confirmed is all that the estimator knows of once it takes the delay for a queue.
    tremble(&mut looks, LinkSample { sending: 125_000, pace: Some(1_300_000), ..estimated(146_000) }, 5.0);
    assert_eq!(looks.last.rung, Rung::Video(Full));
}

#[test]
fn a_receiver_that_is_late_with_some_reports_gets_its_picture_back() {
    let mut looks = Looks::settled();
    looks.line = narrow(300_000);
    looks.until(Rung::Video(Quarter));
    looks.line = good();
    looks.run(0.5);
    tremble(&mut looks, good(), 30.0);
    assert_eq!(looks.last.rung, Rung::Video(Full));
}
