#![allow(clippy::unwrap_used)]

use super::*;

const HERTZ: f32 = 440.0;
const GAIN: f32 = 0.5;
/// The largest step that the tone itself makes, plus that of a 5 ms fade.
const SMOOTH: f32 = GAIN * std::f32::consts::TAU * HERTZ / 48_000.0 + 2.0 * GAIN / FADE as f32;

struct Tone(u64);

impl Tone {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let samples = (self.0..self.0 + count as u64)
            .map(|i| (GAIN as f64 * (i as f64 * std::f64::consts::TAU * HERTZ as f64 / 48_000.0).sin()) as f32)
            .collect();
        self.0 += count as u64;
        samples
    }
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

fn pull_into(strip: &mut Strip, sound: &mut Vec<f32>) -> bool {
    let mut block = [9.0; BLOCK];
    let played = strip.pull(&mut block);
    sound.extend_from_slice(&block);
    played
}

#[test]
fn it_waits_for_two_blocks_and_then_plays_every_sample_in_order() {
    let mut strip = Strip::new();
    let mut tone = Tone(0);
    let mut sound = Vec::new();
    strip.push(&tone.take(BLOCK));
    assert!(!pull_into(&mut strip, &mut sound));
    assert!(sound.iter().all(|s| *s == 0.0));
    sound.clear();
    // Lengths that are no block, as decoders and network losses bring them.
    for count in [1, 959, 480, 1500, 2880, 7, 13, 980] {
        strip.push(&tone.take(count));
    }
    for _ in 0..8 {
        assert!(pull_into(&mut strip, &mut sound));
    }
    let expected = Tone(0).take(8 * BLOCK);
    assert_eq!(sound[FADE..], expected[FADE..]);
    assert!(largest_step(&sound) < SMOOTH);
    assert_eq!(strip.counters(), Counters { dropped: 0, underruns: 0, waiting: 100 });
}

#[test]
fn when_it_runs_out_the_sound_fades_and_gathers_again() {
    // Running out at a block's edge, just after it, within the fade, and in the middle.
    for left in [0, 1, 100, 239, 240, 500, 720, 721, 900, 959] {
        let mut strip = Strip::new();
        let mut tone = Tone(0);
        let mut sound = Vec::new();
        strip.push(&tone.take(3 * BLOCK + left));
        for _ in 0..3 {
            assert!(pull_into(&mut strip, &mut sound));
        }
        assert!(pull_into(&mut strip, &mut sound), "the block with the fade");
        assert_eq!(*sound.last().unwrap(), 0.0);
        assert!(!pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK));
        assert!(!pull_into(&mut strip, &mut sound), "one block is not enough to start again");
        strip.push(&tone.take(BLOCK));
        assert!(pull_into(&mut strip, &mut sound));
        assert!(largest_step(&sound) < SMOOTH, "left {left}: {}", largest_step(&sound));
        assert_eq!(strip.counters().underruns, 1);
    }
}

#[test]
fn a_burst_is_played_off_but_a_lasting_delay_is_cut_to_the_target() {
    let mut strip = Strip::new();
    let mut tone = Tone(0);
    let mut sound = Vec::new();
    strip.push(&tone.take(8 * BLOCK));
    let mut blocks = 0;
    while strip.counters().dropped == 0 {
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK));
        blocks += 1;
        assert!(blocks < 100);
    }
    assert_eq!(blocks, 26, "more than 500 ms of patience");
    assert_eq!(strip.counters().waiting, TARGET_BLOCKS * BLOCK);
    for _ in 0..50 {
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK));
    }
    assert_eq!(strip.counters().dropped, 6 * BLOCK as u64);
    assert!(largest_step(&sound) < SMOOTH, "{}", largest_step(&sound));
}

#[test]
fn half_a_second_at_once_is_cut_at_once_and_more_than_the_ring_holds_too() {
    for flood in [26 * BLOCK, RING, RING + 1, 3 * RING + 17] {
        let mut strip = Strip::new();
        let mut tone = Tone(0);
        let mut sound = Vec::new();
        strip.push(&tone.take(3 * BLOCK));
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(flood));
        assert!(strip.counters().waiting <= RING);
        for _ in 0..2 {
            assert!(pull_into(&mut strip, &mut sound));
        }
        let counters = strip.counters();
        assert_eq!(counters.waiting, 0, "two blocks were kept");
        assert_eq!(counters.dropped as usize, flood);
        assert_eq!(sound[2 * BLOCK..], Tone(3 * BLOCK as u64 + flood as u64 - BLOCK as u64).take(BLOCK), "the newest");
        assert!(largest_step(&sound) < SMOOTH, "flood {flood}: {}", largest_step(&sound));
    }
}

#[test]
fn a_clock_200_ppm_off_is_absorbed_for_an_hour() {
    for (ppm, most_repairs) in [(200i64, 12), (-200, 40)] {
        let mut strip = Strip::new();
        let mut tone = Tone(0);
        let mut due = 0i64;
        let mut block = [0.0; BLOCK];
        let mut repairs = 0;
        let (mut silent, mut waiting, mut steps, mut last) = (0, 0, 0.0f32, 0.0f32);
        for _ in 0..50 * 3600 {
            due += BLOCK as i64 * (1_000_000 + ppm);
            let count = due / 1_000_000;
            due %= 1_000_000;
            strip.push(&tone.take(count as usize));
            let before = strip.counters();
            silent += u32::from(!strip.pull(&mut block));
            let after = strip.counters();
            repairs += u32::from(after.dropped != before.dropped || after.underruns != before.underruns);
            waiting = waiting.max(after.waiting);
            steps = steps.max((block[0] - last).abs()).max(largest_step(&block));
            last = block[BLOCK - 1];
        }
        assert!(repairs <= most_repairs, "{ppm} ppm: {repairs} repairs");
        assert!(silent <= 2 * most_repairs, "{ppm} ppm: {silent} silent blocks");
        assert!(waiting <= 7 * BLOCK, "{ppm} ppm: {waiting} samples late");
        assert!(steps < SMOOTH, "{ppm} ppm: {steps}");
    }
}

#[test]
fn garbage_from_a_decoder_is_silence() {
    let mut strip = Strip::new();
    strip.push(&[f32::NAN; BLOCK]);
    strip.push(&[f32::INFINITY; BLOCK]);
    let mut block = [9.0; BLOCK];
    assert!(strip.pull(&mut block));
    assert!(block.iter().all(|s| *s == 0.0));
}

#[test]
fn sound_is_moved_by_what_is_asked_for_without_a_click_and_stays_there() {
    for later in [4_800, 1_000, -900] {
        let mut strip = Strip::new();
        let (mut tone, mut sound) = (Tone(0), Vec::new());
        strip.push(&tone.take(4 * BLOCK));
        let mut play = |strip: &mut Strip, blocks: usize| {
            for _ in 0..blocks {
                strip.push(&tone.take(BLOCK));
                assert!(pull_into(strip, &mut sound));
            }
        };
        play(&mut strip, 10);
        let before = strip.waiting() as i64;
        strip.shift(Move { later, waiting: (before + later) as usize });
        play(&mut strip, 100);
        assert_eq!(strip.waiting() as i64 - before, later);
        assert!(largest_step(&sound[FADE..]) < SMOOTH, "{later}: {}", largest_step(&sound));
        assert_eq!((strip.counters().dropped, strip.counters().underruns), (0, 0));
    }
}

#[test]
fn after_it_ran_out_a_moved_sound_waits_as_long_as_before() {
    let mut strip = Strip::new();
    let (mut tone, mut sound) = (Tone(0), Vec::new());
    strip.shift(Move { later: 3 * BLOCK as i64, waiting: 5 * BLOCK });
    for waiting in 1..5 {
        strip.push(&tone.take(BLOCK));
        assert!(!pull_into(&mut strip, &mut sound), "{waiting}");
    }
    strip.push(&tone.take(BLOCK));
    assert!(pull_into(&mut strip, &mut sound));
    // Nobody is waited for longer than the ring allows.
    for later in [i64::MAX, i64::MIN] {
        strip.shift(Move { later, waiting: usize::MAX });
        assert!(strip.waiting() <= RING, "{later}");
    }
}
