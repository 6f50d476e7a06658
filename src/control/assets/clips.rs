//! Clips: video files that the media looks into and plays itself.

use std::{fmt, fs, path::Path, sync::Arc, time::Duration};

use super::{AssetError, AssetStore, budget::most_bytes, cache::Stamp, decode_in, kind::AssetKind};
use crate::{
    layout::clip_picture,
    media::port::{Clip, DecodeError, Image, Media, Still},
};

/// Largest clip, in bytes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Longest clip.
pub const MAX_LENGTH: Duration = Duration::from_secs(600);

/// Largest width and height of a clip's pictures: the media takes no larger ones.
const LARGEST_POSTER: (u32, u32) = (1920, 1088);

/// The reason why a video cannot be used as a clip; in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// It gives no picture.
    #[error("the clip cannot be used: {0}")]
    Undecodable(#[from] DecodeError),
    /// It goes on for too long.
    #[error("the clip cannot be used: it is longer than {} minutes", MAX_LENGTH.as_secs() / 60)]
    TooLong,
}

/// The function that looks into video files.
#[derive(Clone)]
pub(super) struct Looker(pub(super) Arc<dyn Media>);

impl fmt::Debug for Looker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looker")
    }
}

impl Looker {
    /// Returns the first picture of a file, and how long it is. Takes up to some seconds.
    pub(super) fn look(&self, file: &Path) -> Result<(Still, Option<Duration>), ClipError> {
        let (poster, length) = self.0.look_at_clip(file)?;
        match length {
            Some(length) if length > MAX_LENGTH => Err(ClipError::TooLong),
            length => Ok((poster, length)),
        }
    }
}

impl AssetStore {
    /// Returns a clip, with its first picture; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When no clip has this name, it cannot be played, or there is no memory for its picture.
    pub async fn clip(&self, name: &str) -> Result<Image, AssetError> {
        let file = self.file(name).await?;
        let stamp = super::current_stamp(name, &file).await?;
        let picture = clip_picture(name);
        if let Some(image) = self.decoded.lock().get(&file, &picture, stamp) {
            return Ok(image);
        }
        let turn = self.looking_turn().await;
        // Who had the turn before may have looked at the same.
        if let Some(image) = self.decoded.lock().get(&file, &picture, stamp) {
            return Ok(image);
        }
        let (looker, of) = (self.looker.clone(), file.clone());
        let (budget, holder) = (self.budget.clone(), self.holder());
        let (image, stamp) = decode_in(turn, move || {
            let about = fs::metadata(&of)?;
            if !matches!(AssetKind::sniff(&super::head(&of)?), Some((AssetKind::Clip, _))) {
                return Err(AssetError::NotFound);
            }
            let share = budget.take(most_bytes(LARGEST_POSTER), &holder)?;
            let (poster, duration) = looker.look(&of)?;
            let still = budget.keep(poster, share)?;
            let clip = Clip { file: of, written: about.modified().ok(), duration };
            let image = Image { name: picture.into(), still, clip: Some(Arc::new(clip)) };
            Ok((image, Stamp::of(&about)))
        })
        .await?;
        self.decoded.lock().insert(file, image.clone(), stamp);
        Ok(image)
    }
}
