//! Sounds: files that the media decodes, to be heard in the mix.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use super::{AssetError, AssetStore, blocking, cache::Stamp, decode_in, kind::AssetKind};
use crate::media::port::{Media, Sound};

/// Longest sound; decoded it takes 6 MB a minute.
pub const MAX_LENGTH: Duration = Duration::from_secs(600);

/// Bytes of decoded sounds that are kept in memory beside those that are played.
const CACHE_BYTES: usize = 64 << 20;

/// Why a file cannot be used as a sound; in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sound cannot be used: {0}")]
pub struct SoundError(String);

/// Decoded sounds, the most recently used last.
#[derive(Debug, Default)]
pub(super) struct Shelf(Vec<(Arc<Sound>, Stamp)>);

impl Shelf {
    fn get(&mut self, name: &str, stamp: Stamp) -> Option<Arc<Sound>> {
        let index = self.0.iter().position(|(sound, _)| &*sound.name == name)?;
        let entry = self.0.remove(index);
        if entry.1 != stamp {
            return None;
        }
        self.0.push(entry.clone());
        Some(entry.0)
    }

    fn insert(&mut self, sound: Arc<Sound>, stamp: Stamp) {
        self.0.retain(|(own, _)| own.name != sound.name);
        self.0.push((sound, stamp));
        let bytes = |list: &[(Arc<Sound>, Stamp)]| list.iter().map(|(sound, _)| sound.samples.len() * 2).sum::<usize>();
        while self.0.len() > 1 && bytes(&self.0) > CACHE_BYTES {
            self.0.remove(0);
        }
    }
}

/// The media type of a sound file: MP3, WAV, or Ogg with Opus or Vorbis. What it holds is looked at by the media.
pub fn sniff(content: &[u8]) -> Option<&'static str> {
    match content {
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        // MPEG audio, layer III, of any version: a frame begins.
        [0xff, second, ..] if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 => Some("audio/mpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'O', b'g', b'g', b'S', rest @ ..] => {
            let head = &rest[..rest.len().min(60)];
            let holds = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
            (holds(b"OpusHead") || holds(b"\x01vorbis")).then_some("audio/ogg")
        }
        _ => None,
    }
}

/// Decodes a file. Takes up to some seconds: for blocking threads.
pub(super) fn decode(media: &dyn Media, name: &str, file: &Path) -> Result<Sound, SoundError> {
    let samples = media.decode_sound(file, MAX_LENGTH).map_err(SoundError)?;
    Ok(Sound { name: name.into(), samples: samples.into() })
}

/// How long it is.
pub(super) fn length(sound: &Sound) -> Duration {
    Duration::from_millis(sound.samples.len() as u64 / 48)
}

/// Whether the file's first bytes are a sound's.
fn is_sound(file: &Path) -> io::Result<bool> {
    Ok(matches!(AssetKind::sniff(&super::head(file)?), Some((AssetKind::Sound, _))))
}

impl AssetStore {
    /// Whether there is such a sound. Only its beginning is looked at: it was decoded once when it was put.
    pub async fn has_sound(&self, name: &str) -> bool {
        let Ok(file) = self.file(name) else { return false };
        blocking(move || Ok(is_sound(&file)?)).await.unwrap_or(false)
    }

    /// A decoded sound; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When there is none of this name or it cannot be decoded.
    pub async fn sound(&self, name: &str) -> Result<Arc<Sound>, AssetError> {
        let file = self.file(name)?;
        let stamp = super::current_stamp(name, &file).await?;
        if let Some(sound) = self.shelf().get(name, stamp) {
            return Ok(sound);
        }
        let turn = self.turn().await;
        // Who had the turn before may have decoded the same.
        if let Some(sound) = self.shelf().get(name, stamp) {
            return Ok(sound);
        }
        let (media, owned) = (self.looker.0.clone(), name.to_owned());
        let (sound, stamp) = decode_in(turn, move || {
            let stamp = Stamp::of(&fs::metadata(&file)?);
            if !is_sound(&file)? {
                return Err(AssetError::NotFound);
            }
            Ok((Arc::new(decode(&*media, &owned, &file)?), stamp))
        })
        .await?;
        self.shelf().insert(sound.clone(), stamp);
        Ok(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_a_sound() {
        let mut ogg = b"OggS\0\x02".to_vec();
        ogg.extend([0; 22]);
        let opus = [&ogg[..], b"OpusHead"].concat();
        let vorbis = [&ogg[..], b"\x01vorbis"].concat();
        let theora = [&ogg[..], b"\x80theora"].concat();
        for (content, kind) in [
            (&b"ID3\x04...."[..], Some("audio/mpeg")),
            (&[0xff, 0xfb, 0x90, 0x64], Some("audio/mpeg")),
            (&[0xff, 0xf3, 0x40, 0xc4], Some("audio/mpeg")),
            (b"RIFF....WAVEfmt ", Some("audio/wav")),
            (&opus, Some("audio/ogg")),
            (&vorbis, Some("audio/ogg")),
            (&theora, None),
            (&[0xff, 0xd8, 0xff, 0xe0], None),
            (&[0xff, 0xf1, 0x50, 0x80], None),
            (b"RIFF....AVI ", None),
            (b"", None),
        ] {
            assert_eq!(sniff(content), kind, "{content:?}");
        }
    }

    #[test]
    fn the_newest_sounds_stay_on_the_shelf() {
        let mut shelf = Shelf::default();
        let sound =
            |name: &str, bytes: usize| Arc::new(Sound { name: name.into(), samples: vec![0i16; bytes / 2].into() });
        for name in ["a", "b", "c"] {
            shelf.insert(sound(name, CACHE_BYTES / 2), Stamp::BUILT_IN);
        }
        assert!(shelf.get("a", Stamp::BUILT_IN).is_none() && shelf.get("b", Stamp::BUILT_IN).is_some());
        shelf.insert(sound("c", 10), Stamp::BUILT_IN);
        assert_eq!(shelf.get("c", Stamp::BUILT_IN).map(|sound| sound.samples.len()), Some(5));
    }
}
