//! Sounds that nobody speaks: those that are played once, and music that goes round. PURE.
//!
//! Everybody hears them, whoever is heard themselves too. Music is soft beside voices, comes and goes gradually, and
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
    /// Where the next block begins and where it goes to, 0.0..=1.0 of its loudness.
    gain: f32,
    target: f32,
}

/// What is played now.
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
        let Some(music) = music.filter(|music| !music.samples.is_empty()) else { return };
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

    /// Adds the next 20 ms of everything.
    pub fn add_to(&mut self, block: &mut [f32; BLOCK]) {
        for playing in &mut self.once {
            let rest = &playing.sound.samples[playing.place..];
            for (sum, sample) in block.iter_mut().zip(rest) {
                *sum += f32::from(*sample) / 32768.0;
            }
            playing.place += rest.len().min(BLOCK);
        }
        self.once.retain(|playing| playing.place < playing.sound.samples.len());
        for playing in &mut self.music {
            let step = (playing.target - playing.gain).clamp(-1.0 / MUSIC_FADE, 1.0 / MUSIC_FADE);
            let from = playing.gain;
            playing.gain += step;
            let samples = &playing.sound.samples;
            for (index, sum) in block.iter_mut().enumerate() {
                let gain = (from + step * (index + 1) as f32 / BLOCK as f32) * MUSIC_GAIN / 32768.0;
                *sum += f32::from(samples[playing.place]) * gain;
                playing.place += 1;
                if playing.place == samples.len() {
                    playing.place = 0;
                }
            }
        }
        self.music.retain(|playing| playing.target > 0.0 || playing.gain > 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(samples: Vec<i16>) -> Arc<Sound> {
        Arc::new(Sound { name: "s".into(), samples: samples.into() })
    }

    fn next(tapes: &mut Tapes) -> [f32; BLOCK] {
        let mut block = [0.0; BLOCK];
        tapes.add_to(&mut block);
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
        assert_eq!(next(&mut tapes), [0.0; BLOCK], "music of no length is none");
    }
}
