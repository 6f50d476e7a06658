#![allow(clippy::unwrap_used)]

use super::*;

const HERTZ: f32 = 440.0;
const GAIN: f32 = 0.5;
/// The largest step that the tone itself makes, plus that of a 5 ms fade.
const SMOOTH: f32 = GAIN * std::f32::consts::TAU * HERTZ / 48_000.0 + 2.0 * GAIN / FADE as f32;

/// When samples come and blocks are taken, where that does not matter: together, and with something to spare.
const SENT: Duration = Duration::ZERO;
const TAKEN: Duration = Duration::from_millis(10);

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
    let played = strip.pull(&mut block, TAKEN);
    sound.extend_from_slice(&block);
    played
}

#[test]
fn it_waits_for_two_blocks_and_then_plays_every_sample_in_order() {
    let mut strip = Strip::new();
    let mut tone = Tone(0);
    let mut sound = Vec::new();
    strip.push(&tone.take(BLOCK), SENT);
    assert!(!pull_into(&mut strip, &mut sound));
    assert!(sound.iter().all(|s| *s == 0.0));
    sound.clear();
    // Lengths that are no block, as decoders and network losses bring them.
    for count in [1, 959, 480, 1500, 2880, 7, 13, 980] {
        strip.push(&tone.take(count), SENT);
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
        strip.push(&tone.take(3 * BLOCK + left), SENT);
        for _ in 0..3 {
            assert!(pull_into(&mut strip, &mut sound));
        }
        assert!(pull_into(&mut strip, &mut sound), "the block with the fade");
        assert_eq!(*sound.last().unwrap(), 0.0);
        assert!(!pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK), SENT);
        assert!(!pull_into(&mut strip, &mut sound), "one block is not enough to start again");
        strip.push(&tone.take(BLOCK), SENT);
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
    strip.push(&tone.take(8 * BLOCK), SENT);
    let mut blocks = 0;
    while strip.counters().dropped == 0 {
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK), SENT);
        blocks += 1;
        assert!(blocks < 100);
    }
    assert_eq!(blocks, 26, "more than 500 ms of patience");
    assert_eq!(strip.counters().waiting, TARGET_BLOCKS * BLOCK);
    for _ in 0..50 {
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(BLOCK), SENT);
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
        strip.push(&tone.take(3 * BLOCK), SENT);
        assert!(pull_into(&mut strip, &mut sound));
        strip.push(&tone.take(flood), SENT);
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

/// A sender whose packets of 20 ms come by another clock, this share faster, each as late as `late` says.
struct Sender {
    tone: Tone,
    faster: f64,
    late: fn(u64) -> f64,
    sent: u64,
}

impl Sender {
    /// Brings all that comes before `now`.
    fn send(&mut self, strip: &mut Strip, now: Duration, first: f64) {
        loop {
            let at = first + self.sent as f64 * 0.02 / (1.0 + self.faster) + (self.late)(self.sent);
            if at > now.as_secs_f64() {
                return;
            }
            strip.push(&self.tone.take(BLOCK), Duration::from_secs_f64(at));
            self.sent += 1;
        }
    }
}

/// What is heard of such a sender, from the first sample on, and what went wrong.
fn heard(faster: f64, late: fn(u64) -> f64, first: f64, seconds: u32) -> (Vec<f32>, Counters, usize) {
    let mut strip = Strip::new();
    let mut sender = Sender { tone: Tone(0), faster, late, sent: 0 };
    let mut sound = Vec::new();
    let (mut block, mut waiting) = ([0.0; BLOCK], 0);
    for tick in 0..50 * seconds {
        let now = tick * Duration::from_millis(20);
        sender.send(&mut strip, now, first);
        if strip.pull(&mut block, now) || !sound.is_empty() {
            sound.extend_from_slice(&block);
        }
        waiting = waiting.max(strip.counters().waiting);
    }
    (sound, strip.counters(), waiting)
}

/// Up to 4 ms that look random.
fn jitter(packet: u64) -> f64 {
    (packet.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1 << 24) as f64 * 0.004
}

/// The mean frequency, by where the sound goes through zero upwards.
fn pitch(sound: &[f32]) -> f64 {
    let rises: Vec<f64> = sound
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(at, pair)| at as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
        .collect();
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    (rises.len() - 1) as f64 / (last - first) * 48_000.0
}

/// How much of some sound is not this tone, as a share of its power.
fn impurity(sound: &[f32], hertz: f64) -> f64 {
    let (mut real, mut imaginary, mut power) = (0.0, 0.0, 0.0);
    for (at, sample) in sound.iter().enumerate() {
        let phase = at as f64 * std::f64::consts::TAU * hertz / 48_000.0;
        real += f64::from(*sample) * phase.cos();
        imaginary += f64::from(*sample) * phase.sin();
        power += f64::from(*sample).powi(2);
    }
    1.0 - 2.0 * (real.powi(2) + imaginary.powi(2)) / sound.len() as f64 / power
}

#[test]
fn a_clock_that_is_off_is_made_up_for_without_gaps_and_clicks() {
    for faster in [-0.01, -0.001, 0.0, 0.001, 0.01] {
        for late in [(|_| 0.0) as fn(u64) -> f64, jitter] {
            for phase in [0, 5, 10, 15, 19] {
                let (sound, counters, waiting) = heard(faster, late, f64::from(phase) / 1000.0, 24);
                let case = format!("{faster} faster, {phase} ms: {counters:?}, {waiting} samples waited");
                assert_eq!((counters.underruns, counters.dropped), (0, 0), "{case}");
                assert!(waiting < 4 * BLOCK, "{case}");
                assert!(largest_step(&sound) < SMOOTH, "{case}: {}", largest_step(&sound));
                for part in sound[BLOCK..].chunks_exact(4800) {
                    let hertz = pitch(part);
                    let (off, impure) = ((hertz / f64::from(HERTZ) - 1.0).abs(), impurity(part, hertz));
                    assert!(off < 0.015 && impure < 0.005, "{case}: {hertz} Hz, {impure}");
                }
                // In the end it is the sender's own rate.
                let hertz = pitch(&sound[sound.len() - 10 * 48_000..]);
                let off = hertz / f64::from(HERTZ) - 1.0 - faster;
                assert!(off.abs() < 0.000_3, "{case}: {hertz} Hz");
            }
        }
    }
}

#[test]
fn a_clock_200_ppm_off_is_absorbed_for_ten_minutes() {
    for faster in [0.000_2, -0.000_2] {
        let (sound, counters, waiting) = heard(faster, jitter, 0.013, 600);
        assert_eq!((counters.underruns, counters.dropped), (0, 0), "{faster}");
        assert!(waiting <= 4 * BLOCK, "{faster}: {waiting} samples late");
        assert!(largest_step(&sound) < SMOOTH, "{faster}");
    }
}

#[test]
fn garbage_from_a_decoder_is_silence() {
    let mut strip = Strip::new();
    strip.push(&[f32::NAN; BLOCK], SENT);
    strip.push(&[f32::INFINITY; BLOCK], SENT);
    let mut block = [9.0; BLOCK];
    assert!(strip.pull(&mut block, TAKEN));
    assert!(block.iter().all(|s| *s == 0.0));
}
