//! Sounds: files that the media decodes, to be heard in the mix.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{AssetError, AssetStore, blocking, cache::Stamp, decode_in, kind::AssetKind};
use crate::media::port::{DecodeError, Media, Sound};

/// Longest sound; decoded it takes 6 MB a minute, and 12 MB in stereo.
pub const MAX_LENGTH: Duration = Duration::from_secs(600);

/// Bytes of decoded sounds that are kept in memory beside those that are played.
const CACHE_BYTES: usize = 64 << 20;

/// The reason why a file cannot be used as a sound; in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sound cannot be used: {0}")]
pub struct SoundError(#[from] pub DecodeError);

/// Decoded sounds and their files, the most recently used last.
#[derive(Debug, Default)]
pub(super) struct Decoded(Vec<(PathBuf, Arc<Sound>, Stamp)>);

impl Decoded {
    fn get(&mut self, file: &Path, stamp: Stamp) -> Option<Arc<Sound>> {
        let index = self.0.iter().position(|(own, ..)| own == file)?;
        let entry = self.0.remove(index);
        if entry.2 != stamp {
            return None;
        }
        self.0.push(entry.clone());
        Some(entry.1)
    }

    fn insert(&mut self, file: PathBuf, sound: Arc<Sound>, stamp: Stamp) {
        self.0.retain(|(own, ..)| *own != file);
        self.0.push((file, sound, stamp));
        let bytes = |list: &[(PathBuf, Arc<Sound>, Stamp)]| -> usize {
            list.iter().map(|(_, sound, _)| sound.samples.len() * 2).sum()
        };
        while self.0.len() > 1 && bytes(&self.0) > CACHE_BYTES {
            self.0.remove(0);
        }
    }
}

/// Decodes a file. Takes up to some seconds: for blocking threads.
pub(super) fn decode(media: &dyn Media, name: &str, file: &Path) -> Result<Sound, SoundError> {
    let samples = media.decode_sound(file, MAX_LENGTH)?;
    Ok(Sound { name: name.into(), channels: samples.channels, samples: samples.interleaved.into() })
}

/// Returns how long it is.
pub(super) fn length(sound: &Sound) -> Duration {
    Duration::from_millis(sound.frames() as u64 / 48)
}

/// Returns whether the file's first bytes are a sound's.
fn is_sound(file: &Path) -> io::Result<bool> {
    Ok(matches!(AssetKind::sniff(&super::head(file)?), Some((AssetKind::Sound, _))))
}

impl AssetStore {
    /// Returns whether there is such a sound. Only its beginning is looked at: it was decoded once when it was put.
    pub async fn has_sound(&self, name: &str) -> bool {
        let Ok(file) = self.file(name).await else { return false };
        blocking(move || Ok(is_sound(&file)?)).await.unwrap_or(false)
    }

    /// Returns a decoded sound; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When no sound has this name or it cannot be decoded.
    pub async fn sound(&self, name: &str) -> Result<Arc<Sound>, AssetError> {
        let file = self.file(name).await?;
        let stamp = super::current_stamp(name, &file).await?;
        if let Some(sound) = self.sounds.lock().get(&file, stamp) {
            return Ok(sound);
        }
        let turn = self.looking_turn().await;
        // Who had the turn before may have decoded the same.
        if let Some(sound) = self.sounds.lock().get(&file, stamp) {
            return Ok(sound);
        }
        let (media, owned, of) = (self.looker.0.clone(), name.to_owned(), file.clone());
        let (sound, stamp) = decode_in(turn, move || {
            let stamp = Stamp::of(&fs::metadata(&of)?);
            if !is_sound(&of)? {
                return Err(AssetError::NotFound);
            }
            Ok((Arc::new(decode(&*media, &owned, &of)?), stamp))
        })
        .await?;
        self.sounds.lock().insert(file, sound.clone(), stamp);
        Ok(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sounds_stay_in_memory() {
        let mut decoded = Decoded::default();
        let sound =
            |bytes: usize| Arc::new(Sound { name: "a".into(), channels: 1, samples: vec![0i16; bytes / 2].into() });
        // Rooms may have sounds of the same name.
        let [red, green, blue] = ["red/a", "green/a", "blue/a"].map(Path::new);
        for file in [red, green, blue] {
            decoded.insert(file.into(), sound(CACHE_BYTES / 2), Stamp::BUILT_IN);
        }
        assert!(decoded.get(red, Stamp::BUILT_IN).is_none() && decoded.get(green, Stamp::BUILT_IN).is_some());
        decoded.insert(blue.into(), sound(10), Stamp::BUILT_IN);
        assert_eq!(decoded.get(blue, Stamp::BUILT_IN).map(|sound| sound.samples.len()), Some(5));
    }
}
