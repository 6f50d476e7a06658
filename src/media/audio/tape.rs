//! Sounds that nobody speaks: those that are played once, and music that goes round. PURE.
//!
//! Everybody hears them, those who are heard themselves too. Music is soft beside voices, comes and goes gradually, and
//! goes on over a change that keeps it.

use std::sync::Arc;

use super::strip::BLOCK;
use crate::media::port::Sound;

/// As many sounds at once as are heard; the oldest gives way.
const MAX_SOUNDS: usize = 8;

/// Of music: 10 dB below full scale, so that voices stay in front.
const MUSIC_GAIN: f32 = 0.316;

/// Blocks that music takes to come or to go: half a second.
const MUSIC_FADE: f32 = 25.0;

/// A sound and how far it is played.
#[derive(Debug)]
struct Playing {
    sound: Arc<Sound>,
    place: usize,
    /// Loudness with which the next block begins, and to which it goes, 0.0..=1.0 of its loudness.
    gain: f32,
    target: f32,
}

/// The tapes that are played now.
#[derive(Debug, Default)]
pub struct Tapes {
    once: Vec<Playing>,
    /// The last one is the music now, the others are on their way out.
    music: Vec<Playing>,
}

impl Tapes {
    /// Plays a sound once, from the next block on.
    pub fn play(&mut self, sound: Arc<Sound>) {
        if self.once.len() == MAX_SOUNDS {
            self.once.remove(0);
        }
        self.once.push(Playing { sound, place: 0, gain: 1.0, target: 1.0 });
    }

    /// Plays this music from now on, again and again; `None`: none. The same as before goes on.
    pub fn set_music(&mut self, music: Option<Arc<Sound>>) {
        let same = |playing: &Playing, music: &Arc<Sound>| Arc::ptr_eq(&playing.sound, music);
        for playing in &mut self.music {
            playing.target = 0.0;
        }
        let Some(music) = music.filter(|music| music.frames() > 0) else { return };
        match self.music.iter_mut().find(|playing| same(playing, &music)) {
            Some(playing) => playing.target = 1.0,
            None => {
                if self.music.len() == MAX_SOUNDS {
                    self.music.remove(0);
                }
                self.music.push(Playing { sound: music, place: 0, gain: 0.0, target: 1.0 });
            }
        }
    }

    /// Returns whether something is played whose sides differ.
    pub fn is_wide(&self) -> bool {
        self.once.iter().chain(&self.music).any(|playing| playing.sound.is_stereo())
    }

    /// Adds the next 20 ms of everything to both sides; to one, for both, where [`Tapes::is_wide`] says no.
    pub fn add_to(&mut self, left: &mut [f32; BLOCK], right: Option<&mut [f32; BLOCK]>) {
        let mut sides = [Some(left), right];
        for playing in &mut self.once {
            let count = (playing.sound.frames() - playing.place).min(BLOCK);
            for (side, plane) in sides.iter_mut().enumerate() {
                if let Some(plane) = plane {
                    playing.add_to(side, &mut plane[..count], |_| 1.0 / 32768.0, 0);
                }
            }
            playing.place += count;
        }
        self.once.retain(|playing| playing.place < playing.sound.frames());
        for playing in &mut self.music {
            let step = (playing.target - playing.gain).clamp(-1.0 / MUSIC_FADE, 1.0 / MUSIC_FADE);
            let from = playing.gain;
            playing.gain += step;
            let gain = |index: usize| (from + step * (index + 1) as f32 / BLOCK as f32) * MUSIC_GAIN / 32768.0;
            let mut done = 0;
            while done < BLOCK {
                let count = (playing.sound.frames() - playing.place).min(BLOCK - done);
                for (side, plane) in sides.iter_mut().enumerate() {
                    if let Some(plane) = plane {
                        playing.add_to(side, &mut plane[done..done + count], gain, done);
                    }
                }
                done += count;
                playing.place = (playing.place + count) % playing.sound.frames();
            }
        }
        self.music.retain(|playing| playing.target > 0.0 || playing.gain > 0.0);
    }
}

impl Playing {
    /// Adds what comes next of a side; `gain` is that of a sample of the block, of which `plane` begins at `first`.
    fn add_to(&self, side: usize, plane: &mut [f32], gain: impl Fn(usize) -> f32, first: usize) {
        let (samples, place) = (&self.sound.samples, self.place);
        if self.sound.is_stereo() {
            let frames = samples.as_chunks::<2>().0[place..].iter();
            for ((index, sum), frame) in plane.iter_mut().enumerate().zip(frames) {
                *sum += f32::from(frame[side]) * gain(first + index);
            }
        } else {
            for ((index, sum), sample) in plane.iter_mut().enumerate().zip(&samples[place..]) {
                *sum += f32::from(*sample) * gain(first + index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(samples: Vec<i16>) -> Arc<Sound> {
        Arc::new(Sound { name: "s".into(), channels: 1, samples: samples.into() })
    }

    fn stereo(left: Vec<i16>, right: Vec<i16>) -> Arc<Sound> {
        let samples: Vec<i16> = left.into_iter().zip(right).flat_map(|(left, right)| [left, right]).collect();
        Arc::new(Sound { name: "s".into(), channels: 2, samples: samples.into() })
    }

    fn next(tapes: &mut Tapes) -> [f32; BLOCK] {
        let mut block = [0.0; BLOCK];
        tapes.add_to(&mut block, None);
        block
    }

    fn skip(tapes: &mut Tapes, blocks: usize) {
        for _ in 0..blocks {
            next(tapes);
        }
    }

    #[test]
    fn a_sound_is_played_once_and_whole() {
        let mut tapes = Tapes::default();
        tapes.play(sound(vec![16384; BLOCK + 10]));
        assert!(next(&mut tapes).iter().all(|sample| *sample == 0.5));
        let last = next(&mut tapes);
        assert!(last[..10].iter().all(|sample| *sample == 0.5) && last[10..].iter().all(|sample| *sample == 0.0));
        assert_eq!(next(&mut tapes), [0.0; BLOCK]);
        tapes.play(sound(vec![8192; BLOCK]));
        tapes.play(sound(vec![8192; BLOCK]));
        assert!(next(&mut tapes).iter().all(|sample| *sample == 0.5), "two at once are both heard");
        (0..20).for_each(|_| tapes.play(sound(vec![1; BLOCK])));
        assert_eq!(tapes.once.len(), MAX_SOUNDS);
    }

    #[test]
    fn sides_stay_what_they_are() {
        let mut tapes = Tapes::default();
        assert!(!tapes.is_wide());
        tapes.play(stereo(vec![16384; BLOCK + 10], vec![-8192; BLOCK + 10]));
        tapes.play(sound(vec![8192; BLOCK]));
        // Longer than a block and not a multiple of it: it goes round within one.
        tapes.set_music(Some(stereo((0..700).collect(), (0..700).map(|at| -2 * at).collect())));
        assert!(tapes.is_wide());
        let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
        tapes.add_to(&mut left, Some(&mut right));
        assert_eq!((left[0], right[0]), (0.75, 0.0), "a mono sound is on both sides");
        skip(&mut tapes, 30);
        assert!(tapes.is_wide(), "the music goes on");
        (left, right) = ([0.0; BLOCK], [0.0; BLOCK]);
        tapes.add_to(&mut left, Some(&mut right));
        for (index, (left, right)) in left.iter().zip(&right).enumerate() {
            let expected = ((31 * BLOCK + index) % 700) as f32 * MUSIC_GAIN / 32768.0;
            assert!((left - expected).abs() < 1e-6 && (right + 2.0 * expected).abs() < 1e-6, "{index}: {left} {right}");
        }
        tapes.set_music(None);
        skip(&mut tapes, 26);
        assert!(!tapes.is_wide());
    }

    #[test]
    fn music_comes_and_goes_gradually_and_goes_round() {
        let mut tapes = Tapes::default();
        let music = sound(vec![32767; 700]);
        tapes.set_music(Some(music.clone()));
        let mut last = 0.0;
        for _ in 0..25 {
            for sample in next(&mut tapes) {
                assert!(sample >= last && sample - last < 0.001, "{last} to {sample}");
                last = sample;
            }
        }
        assert!((last - MUSIC_GAIN).abs() < 0.001);
        // The same once more changes nothing.
        tapes.set_music(Some(music));
        assert!(next(&mut tapes).iter().all(|sample| (sample - MUSIC_GAIN).abs() < 0.001));
        tapes.set_music(None);
        for _ in 0..25 {
            for sample in next(&mut tapes) {
                assert!(sample <= last + 1e-6 && last - sample < 0.001);
                last = sample;
            }
        }
        assert!(last.abs() < 1e-6 && tapes.music.is_empty());
    }

    #[test]
    fn one_music_goes_into_another() {
        let mut tapes = Tapes::default();
        let (one, other) = (sound(vec![32767; 500]), sound(vec![-32768; 500]));
        tapes.set_music(Some(one.clone()));
        skip(&mut tapes, 30);
        tapes.set_music(Some(other));
        skip(&mut tapes, 10);
        // Back before it was gone: no jump.
        let before = next(&mut tapes)[BLOCK - 1];
        tapes.set_music(Some(one));
        assert!((next(&mut tapes)[0] - before).abs() < 0.001);
        skip(&mut tapes, 30);
        assert!(next(&mut tapes).iter().all(|sample| (sample - MUSIC_GAIN).abs() < 0.001) && tapes.music.len() == 1);
        tapes.set_music(Some(sound(Vec::new())));
        skip(&mut tapes, 30);
        assert_eq!(next(&mut tapes), [0.0; BLOCK], "music of no length is no music");
    }
}
