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
