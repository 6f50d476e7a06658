use super::*;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(1000.0 + seconds)
}

/// Returns the waits in seconds when every attempt fails at once, without jitter.
fn waits(retry: &mut Retry, mut now: f64, count: usize) -> Vec<f64> {
    let mut waits = Vec::new();
    for _ in 0..count {
        let Next::Retry { after, .. } = retry.broke(at(now), 0.0) else { break };
        waits.push(after.as_secs_f64());
        now += after.as_secs_f64();
    }
    waits
}

#[test]
fn retries_are_quick_for_a_minute_and_then_slow_down() {
    let mut retry = Retry::new();
    retry.live(at(-100.0));
    let waits = waits(&mut retry, 0.0, 18);
    assert_eq!(waits[..5], [0.5, 1.0, 2.0, 4.0, 5.0]);
    assert!(waits[5..15].iter().all(|wait| *wait == 5.0), "{waits:?}");
    assert_eq!(waits[15..], [10.0, 20.0, 30.0]);
    assert!(matches!(retry.broke(at(1e6), 0.0), Next::Retry { attempt: 19, after } if after == SLOW_MAX));
}

#[test]
fn jitter_takes_up_to_half_away_and_bad_numbers_do_no_harm() {
    for (random, expected) in [(0.0, 500), (0.5, 375), (1.0, 250), (-3.0, 500), (7.0, 250), (f64::NAN, 500)] {
        let mut retry = Retry::new();
        let Next::Retry { attempt: 1, after } = retry.broke(at(0.0), random) else { panic!() };
        assert_eq!(after, Duration::from_millis(expected), "{random}");
    }
}

#[test]
fn an_output_that_never_was_live_is_given_up_after_five_attempts() {
    let mut retry = Retry::new();
    assert_eq!(waits(&mut retry, 0.0, 4), [0.5, 1.0, 2.0, 4.0]);
    assert_eq!(retry.broke(at(9.0), 0.0), Next::GiveUp { attempts: 5 });
}

#[test]
fn an_output_that_once_was_live_is_never_given_up() {
    let mut retry = Retry::new();
    retry.broke(at(0.0), 0.0);
    retry.live(at(1.0));
    assert_eq!(waits(&mut retry, 2.0, 1000).len(), 1000);
}

#[test]
fn thirty_seconds_live_start_again_from_zero_and_less_do_not() {
    let mut retry = Retry::new();
    retry.live(at(0.0));
    waits(&mut retry, 1.0, 4);
    retry.live(at(20.0));
    retry.live(at(45.0));
    assert!(matches!(retry.broke(at(49.9), 0.0), Next::Retry { attempt: 5, .. }), "29.9 s");
    retry.live(at(50.0));
    assert_eq!(retry.broke(at(80.0), 0.0), Next::Retry { attempt: 1, after: FIRST_WAIT });
}

#[test]
fn flapping_for_more_than_a_minute_slows_down() {
    let mut retry = Retry::new();
    let mut now = 0.0;
    let mut last = Duration::ZERO;
    while now < 120.0 {
        retry.live(at(now));
        now += 3.0;
        let Next::Retry { after, .. } = retry.broke(at(now), 0.0) else { panic!() };
        now += after.as_secs_f64();
        last = after;
    }
    assert_eq!(last, SLOW_MAX);
}

#[test]
fn a_flowing_output_is_left_alone() {
    let mut watchdog = Watchdog::new(at(0.0));
    for second in 1..100 {
        assert_eq!(watchdog.bytes(at(f64::from(second)), u64::from(second as u32) * 2000), Flowing::Yes);
    }
}

#[test]
fn fifteen_seconds_of_a_trickle_are_a_wedge() {
    let mut watchdog = Watchdog::new(at(0.0));
    watchdog.bytes(at(4.9), 1_000_000);
    for second in 5..20 {
        let total = 1_000_000 + u64::from(second as u32) * 100;
        assert_eq!(watchdog.bytes(at(f64::from(second)), total), Flowing::Yes, "{second}");
    }
    assert_eq!(watchdog.bytes(at(20.0), 1_002_000), Flowing::Wedged);
}

#[test]
fn a_pause_that_ends_is_forgiven_and_rare_looks_see_the_same() {
    let mut watchdog = Watchdog::new(at(0.0));
    assert_eq!(watchdog.bytes(at(10.0), 0), Flowing::Yes);
    assert_eq!(watchdog.bytes(at(15.0), 500_000), Flowing::Yes);
    assert_eq!(watchdog.bytes(at(25.0), 500_000), Flowing::Yes);
    assert_eq!(watchdog.bytes(at(30.0), 500_000), Flowing::Wedged);
    assert_eq!(Watchdog::new(at(0.0)).bytes(at(16.0), 12), Flowing::Wedged);
    assert_eq!(Watchdog::new(at(0.0)).bytes(at(16.0), 3 * MIN_BYTES), Flowing::Yes);
}
