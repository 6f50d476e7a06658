#![allow(clippy::unwrap_used)]

use super::*;

/// Pushes tones and collects what everybody hears.
struct Room {
    mixer: Mixer,
    /// (id, Hz, gain), each a participant who sends a tone.
    tones: Vec<(u32, f32, f32)>,
    at: usize,
}

fn sample(hertz: f32, gain: f32, at: usize) -> f32 {
    (gain as f64 * (at as f64 * std::f64::consts::TAU * hertz as f64 / 48_000.0).sin()) as f32
}

impl Room {
    fn of(tones: &[(u32, f32, f32)]) -> Self {
        let mut mixer = Mixer::new();
        tones.iter().for_each(|(id, ..)| assert!(mixer.add(*id)));
        Self { mixer, tones: tones.to_vec(), at: 0 }
    }

    fn tick(&mut self) -> Tick<'_> {
        for (id, hertz, gain) in &self.tones {
            let block: Vec<f32> = (self.at..self.at + BLOCK).map(|at| sample(*hertz, *gain, at)).collect();
            self.mixer.push(*id, &block);
        }
        self.at += BLOCK;
        self.mixer.tick()
    }
}

/// Returns the amplitude of one frequency in dB of full scale; whole periods only (multiples of 50 Hz in a block).
fn amplitude(samples: &[f32], hertz: f32) -> f32 {
    let (mut re, mut im) = (0.0f64, 0.0f64);
    for (i, s) in samples.iter().enumerate() {
        let angle = i as f64 * std::f64::consts::TAU * hertz as f64 / 48_000.0;
        re += *s as f64 * angle.cos();
        im += *s as f64 * angle.sin();
    }
    (20.0 * (2.0 * re.hypot(im) / samples.len() as f64).max(1e-12).log10()) as f32
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn each_hears_the_other_and_not_themselves() {
    let mut room = Room::of(&[(7, 400.0, 0.3), (9, 1000.0, 0.3)]);
    for _ in 0..5 {
        room.tick();
    }
    let tick = room.tick();
    let (first, second) = (tick.own(7).unwrap().left, tick.own(9).unwrap().left);
    assert!(amplitude(first, 400.0) < -100.0 && amplitude(second, 1000.0) < -100.0);
    let whole = 20.0 * 0.3f32.log10();
    for (samples, hertz) in
        [(first, 1000.0), (second, 400.0), (tick.shared().left, 400.0), (tick.shared().left, 1000.0)]
    {
        assert!((amplitude(samples, hertz) - whole).abs() < 0.01);
    }
    assert!(tick.speaking(7) && tick.speaking(9) && !tick.speaking(8));
}

#[test]
fn oneself_is_absent_even_when_the_sum_overflows() {
    let mut room = Room::of(&[(1, 400.0, 1.0), (2, 1000.0, 1.0), (3, 2000.0, 1.0)]);
    let mut own = Vec::new();
    for i in 0..60 {
        let tick = room.tick();
        if i >= 10 {
            own.extend_from_slice(tick.own(1).unwrap().left);
        }
    }
    assert!(amplitude(&own, 400.0) < -80.0, "{}", amplitude(&own, 400.0));
    assert!(amplitude(&own, 1000.0) > -8.0);
}

#[test]
fn who_is_not_heard_shares_one_mix_bit_for_bit() {
    let mut loud = Room::of(&[(1, 400.0, 0.5)]);
    let mut with_listeners = Room::of(&[(1, 400.0, 0.5), (2, 1000.0, 0.0005), (3, 1000.0, 0.0)]);
    for _ in 0..20 {
        let (one, all) = (loud.tick(), with_listeners.tick());
        assert_eq!(one.shared().left, all.shared().left);
        assert!(all.own(2).is_none() && all.own(3).is_none() && all.own(4).is_none());
        assert_eq!(one.own(1).is_some(), all.own(1).is_some());
    }
}

#[test]
fn twelve_full_scale_tones_at_double_gain_never_clip() {
    let tones: Vec<(u32, f32, f32)> = (0..12).map(|i| (i, 200.0 + 150.0 * i as f32, 1.0)).collect();
    let mut room = Room::of(&tones);
    (0..12).for_each(|id| room.mixer.set_gain(id, 5.0));
    (0..6).for_each(|id| room.mixer.set_pan(id, -1.0));
    for _ in 0..100 {
        let tick = room.tick();
        let fits = |block: Sides<'_>| [block.left, block.right].into_iter().flatten().all(|s| s.abs() < 0.99);
        assert!(fits(tick.shared()));
        assert!((0..12).all(|id| tick.own(id).is_none_or(fits)));
    }
}

#[test]
fn the_gate_opens_at_once_and_closes_after_a_second_without_clicks() {
    let mut room = Room::of(&[(1, 400.0, 0.0)]);
    let mut sound = Vec::new();
    let mut heard = Vec::new();
    for i in 0..140 {
        // Silence, a loud word, and then a hum just below the threshold, which the closing gate has to fade.
        room.tones[0].2 = match i {
            0..10 => 0.0,
            10..20 => 0.5,
            _ => 0.0013,
        };
        let tick = room.tick();
        sound.extend_from_slice(tick.shared().left);
        heard.push(tick.own(1).is_some());
    }
    // The strip plays one block behind the push.
    let first = heard.iter().position(|h| *h).unwrap();
    let last = heard.iter().rposition(|h| *h).unwrap();
    assert_eq!(first, 11);
    assert_eq!(last, 20 + 50, "the word's last block, 50 blocks of hold of which the last fades");
    assert!(heard[first..=last].iter().all(|h| *h));
    assert!(sound[..first * BLOCK].iter().all(|s| *s == 0.0));
    assert!(sound[(last + 1) * BLOCK..].iter().all(|s| *s == 0.0));
    let hum = &sound[22 * BLOCK..];
    assert!(largest_step(hum) < 0.0013 * (std::f32::consts::TAU * 400.0 / 48_000.0 + 2.0 / FADE as f32));
    // From the word to the hum the sender itself steps by little: both are at a zero crossing.
    assert!(largest_step(&sound) < 0.5 * (std::f32::consts::TAU * 400.0 / 48_000.0 + 2.0 / FADE as f32));
}

#[test]
fn a_change_of_gain_is_a_ramp_and_muted_is_silent_and_does_not_speak() {
    let mut room = Room::of(&[(1, 400.0, 0.5)]);
    let mut sound = Vec::new();
    let mut changes = Vec::new();
    for i in 0..60 {
        match i {
            5 => room.mixer.set_gain(1, 2.0),
            10 => room.mixer.set_gain(1, 0.0),
            11 => room.mixer.set_gain(1, f32::NAN),
            _ => {}
        }
        let tick = room.tick();
        sound.extend_from_slice(tick.shared().left);
        changes.extend(tick.speech_changes().map(|(id, now)| (i, id, now)));
    }
    assert!(largest_step(&sound) < std::f32::consts::TAU * 400.0 / 48_000.0 + 2.0 / FADE as f32);
    let peak = |from: usize| sound[from * BLOCK..(from + 1) * BLOCK].iter().fold(0.0f32, |a, b| a.max(b.abs()));
    assert!((peak(3) - 0.5).abs() < 1e-3);
    assert!((peak(7) - 0.849).abs() < 2e-3, "full scale, through the limiter's knee");
    assert_eq!(peak(11), 0.0);
    assert_eq!(changes, [(1, 1, true), (10 + 29, 1, false)]);
}

#[test]
fn someone_whose_network_stalls_fades_out_and_back_in() {
    let mut room = Room::of(&[(1, 400.0, 0.4), (2, 1000.0, 0.4)]);
    let mut sound = Vec::new();
    for i in 0..40 {
        if i == 10 || i == 25 {
            room.tones.swap(0, 1);
        }
        let stalled = if (10..25).contains(&i) { room.tones.pop() } else { None };
        sound.extend_from_slice(room.tick().shared().left);
        room.tones.extend(stalled);
    }
    assert!(largest_step(&sound) < 0.4 * (std::f32::consts::TAU * 1400.0 / 48_000.0 + 4.0 / FADE as f32));
    assert!(amplitude(&sound[20 * BLOCK..21 * BLOCK], 400.0) < -100.0);
    assert!(amplitude(&sound[38 * BLOCK..39 * BLOCK], 400.0) > -9.0);
}

#[test]
fn the_same_input_gives_the_same_sound() {
    let run = || {
        let mut room = Room::of(&[(3, 250.0, 0.9), (1, 900.0, 0.9), (2, 1500.0, 0.0)]);
        let mut sound: Vec<u32> = Vec::new();
        for i in 0..80 {
            match i {
                20 => room.mixer.remove(3),
                30 => assert!(room.mixer.add(3)),
                _ => {}
            }
            let tick = room.tick();
            for sides in [Some(tick.shared()), tick.own(1)].into_iter().flatten() {
                sound.extend(sides.left.iter().chain(sides.right).map(|s| s.to_bits()));
            }
        }
        sound
    };
    assert_eq!(run(), run());
}

#[test]
fn a_full_mixer_and_a_known_id_are_refused_and_unknown_ids_change_nothing() {
    let mut mixer = Mixer::new();
    assert!((0..64).all(|id| mixer.add(id)));
    assert!(!mixer.add(64) && !mixer.add(3));
    mixer.remove(100);
    mixer.push(100, &[1.0; 5000]);
    mixer.set_gain(100, 1.0);
    assert!(mixer.tick().shared().left.iter().all(|s| *s == 0.0));
    mixer.remove(3);
    assert!(mixer.add(64));
    assert_eq!(mixer.tick().counters(64), Some(Counters::default()));
    assert!(mixer.tick().counters(3).is_none());
}

#[test]
fn a_sound_is_heard_by_everybody_even_by_those_who_are_heard() {
    let mut room = Room::of(&[(7, 400.0, 0.3), (8, 400.0, 0.0)]);
    for _ in 0..5 {
        room.tick();
    }
    let samples: Vec<i16> = (0..BLOCK).map(|at| (sample(1000.0, 0.25, at) * 32768.0) as i16).collect();
    let sound = crate::media::port::Sound { name: "s".into(), channels: 1, samples: samples.into() };
    room.mixer.tapes().play(std::sync::Arc::new(sound));
    let tick = room.tick();
    let quarter = 20.0 * 0.25f32.log10();
    for heard in [tick.shared().left, tick.own(7).unwrap().left] {
        assert!((amplitude(heard, 1000.0) - quarter).abs() < 0.1, "{}", amplitude(heard, 1000.0));
    }
    assert!(amplitude(tick.own(7).unwrap().left, 400.0) < -80.0 && tick.own(8).is_none());
    assert!(amplitude(room.tick().shared().left, 1000.0) < -100.0);
}

#[test]
fn a_voice_in_the_middle_is_on_both_sides_as_it_came() {
    let mut room = Room::of(&[(1, 400.0, 0.3), (2, 1000.0, 0.2)]);
    room.mixer.set_pan(2, 0.7);
    for _ in 0..5 {
        room.tick();
    }
    let block = room.tick().shared();
    let whole = 20.0 * 0.3f32.log10();
    // Beside somebody who is not in the middle.
    assert!(block.is_wide() && block.differ());
    for side in [block.left, block.right] {
        assert!((amplitude(side, 400.0) - whole).abs() < 0.001, "{}", amplitude(side, 400.0));
    }
    room.mixer.set_pan(2, 0.0);
    room.tick();
    let block = room.tick().shared();
    assert!(!block.is_wide() && !block.differ(), "the ramp is over");
}

#[test]
fn who_is_placed_is_equally_loud_everywhere_and_nobody_hears_themselves() {
    let mut room = Room::of(&[(1, 400.0, 0.3), (2, 1000.0, 0.3), (3, 2000.0, 0.0)]);
    room.mixer.set_pan(1, -1.0);
    room.mixer.set_pan(2, 1.0);
    for _ in 0..5 {
        room.tick();
    }
    let tick = room.tick();
    let edge = 20.0 * (0.3 * std::f32::consts::SQRT_2).log10();
    let all = tick.shared();
    assert!((amplitude(all.left, 400.0) - edge).abs() < 0.01 && amplitude(all.right, 400.0) < -100.0);
    assert!((amplitude(all.right, 1000.0) - edge).abs() < 0.01 && amplitude(all.left, 1000.0) < -100.0);
    let (first, second) = (tick.own(1).unwrap(), tick.own(2).unwrap());
    assert!(amplitude(first.left, 400.0) < -100.0 && (amplitude(first.right, 1000.0) - edge).abs() < 0.01);
    assert!(amplitude(second.right, 1000.0) < -100.0 && (amplitude(second.left, 400.0) - edge).abs() < 0.01);
    assert!(tick.own(3).is_none());
    for pan in [-1.0f32, -0.9, -0.3, 0.0, 0.2, 0.5, 1.0] {
        let [left, right] = gains_of(1.0, pan);
        assert!((left.hypot(right) - std::f32::consts::SQRT_2).abs() < 1e-6, "{pan}: {left} {right}");
        assert!(pan == 0.0 || (right > left) == (pan > 0.0), "{pan}: {left} {right}");
    }
    assert_eq!(gains_of(0.7, 0.0), [0.7, 0.7]);
}

#[test]
fn a_change_of_place_is_a_ramp_and_nonsense_changes_nothing() {
    let mut room = Room::of(&[(1, 400.0, 0.3)]);
    let mut sides = [Vec::new(), Vec::new()];
    for i in 0..40 {
        match i {
            5 => room.mixer.set_pan(1, -1.0),
            10 => room.mixer.set_pan(1, 5.0),
            15 => room.mixer.set_pan(1, f32::NAN),
            20 => room.mixer.set_pan(1, 0.0),
            _ => {}
        }
        let tick = room.tick();
        sides[0].extend_from_slice(tick.shared().left);
        sides[1].extend_from_slice(tick.shared().right);
        if i == 17 {
            assert!(amplitude(tick.shared().left, 400.0) < -100.0, "as far right as it goes");
        }
    }
    for side in &sides {
        assert!(largest_step(side) < 0.3 * 1.5 * (std::f32::consts::TAU * 400.0 / 48_000.0 + 2.0 / FADE as f32));
    }
    assert_eq!(sides[0][30 * BLOCK..], sides[1][30 * BLOCK..]);
}

#[test]
fn what_somebody_sends_in_stereo_stays_so_and_is_one_again_after_a_while() {
    let mut room = Room::of(&[(1, 400.0, 0.3), (2, 1000.0, 0.2)]);
    for _ in 0..5 {
        assert!(!room.tick().shared().is_wide());
    }
    let mut sides = [Vec::new(), Vec::new()];
    // Sides that begin alike, so that nothing steps but what the mixer makes.
    room.tones.remove(0);
    for i in 5..200usize {
        let block = |hertz| (i * BLOCK..(i + 1) * BLOCK).map(|at| sample(hertz, 0.3, at)).collect::<Vec<f32>>();
        match i {
            5..50 => room.mixer.push_stereo(1, &block(400.0), &block(600.0)),
            _ => room.mixer.push(1, &block(400.0)),
        }
        let tick = room.tick();
        sides[0].extend_from_slice(tick.shared().left);
        sides[1].extend_from_slice(tick.shared().right);
        if i == 30 {
            let own = tick.own(1).unwrap();
            for hertz in [400.0, 600.0] {
                assert!(amplitude(own.left, hertz) < -100.0 && amplitude(own.right, hertz) < -100.0, "{hertz}");
            }
            let (all, whole) = (tick.shared(), 20.0 * 0.3f32.log10());
            assert!((amplitude(all.left, 400.0) - whole).abs() < 0.01 && amplitude(all.left, 600.0) < -100.0);
            assert!((amplitude(all.right, 600.0) - whole).abs() < 0.01 && amplitude(all.right, 400.0) < -100.0);
        }
    }
    assert!(!room.tick().shared().is_wide());
    assert_eq!(sides[0][60 * BLOCK..], sides[1][60 * BLOCK..]);
    for side in &sides {
        assert!(largest_step(side) < 0.3 * std::f32::consts::TAU * 1300.0 / 48_000.0 + 0.01, "{}", largest_step(side));
    }
}

#[test]
fn sides_that_only_rounding_keeps_apart_are_the_same() {
    let mut room = Room::of(&[(1, 400.0, 0.3), (2, 1000.0, 0.2), (3, 1700.0, 0.2)]);
    room.mixer.set_pan(1, 1.0);
    for _ in 0..5 {
        room.tick();
    }
    let tick = room.tick();
    assert!(tick.shared().differ());
    assert!(!tick.own(1).unwrap().differ() && tick.own(2).unwrap().differ());
}

/// Plays a tone, and ticks of silence where `pause` says so, whose picture is seen 100 ms after sound that is not
/// moved. Returns how many samples wait after each tick.
fn moved(mixer: &mut Mixer, blocks: usize, pause: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut waiting = Vec::new();
    for at in 0..blocks {
        let now = (at * BLOCK) as i64;
        let tone = |i: usize| if pause(at) { 0.0 } else { sample(440.0, 0.3, i) };
        mixer.push(1, &(at * BLOCK..(at + 1) * BLOCK).map(tone).collect::<Vec<f32>>());
        // Captured when it comes; two blocks wait, so it is heard 40 ms later.
        mixer.captured(1, now, Some(140 * 48 - crate::media::audio::lips::LEAD));
        mixer.keep_lips(now);
        mixer.tick();
        waiting.push(mixer.strip(1).unwrap().waiting());
    }
    waiting
}

#[test]
fn sound_is_brought_beside_its_picture_in_a_pause_or_after_three_seconds() {
    let mut mixer = Mixer::new();
    assert!(mixer.add(1));
    let waiting = moved(&mut mixer, 100, |at| at >= 60);
    assert!(waiting[58] <= 2 * BLOCK, "{waiting:?}");
    // Sound that fell silent is still in the strip for two blocks.
    assert!(waiting[70] > 5 * BLOCK, "{waiting:?}");

    let mut mixer = Mixer::new();
    assert!(mixer.add(1));
    let waiting = moved(&mut mixer, 250, |_| false);
    assert!(waiting[150] <= 2 * BLOCK && waiting[200] > 5 * BLOCK, "{waiting:?}");
}
