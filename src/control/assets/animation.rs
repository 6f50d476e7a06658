//! Images that move: GIF, APNG and WebP, decoded whole, within limits. PURE.
//!
//! The formats' own crates decode the parts; [`canvas`] lays them over each other, in one way for all. Where a format
//! leaves something open, this does what Chromium does: makers of such images look at them in browsers.

mod apng;
mod canvas;
mod gif;
mod webp;

use std::{num::NonZeroU32, time::Duration};

use image::RgbaImage;

use self::canvas::{Canvas, Part};
use super::picture_terms::{MAX_FRAMES, MAX_PIXELS, PictureError, PictureFormat};
use crate::media::port::Still;

/// A picture that is to be shown shorter than this is shown for [`USUAL`].
const SHORTEST: Duration = Duration::from_millis(11);

/// Time for which a picture is shown that does not say so.
const USUAL: Duration = Duration::from_millis(100);

/// An opened animation.
struct Animation<P> {
    /// Of its canvas, in pixels.
    size: (u32, u32),
    /// Number of times that it is played; `None`: again and again.
    plays: Option<NonZeroU32>,
    parts: P,
}

/// Decodes an image that moves, with all its pictures, for the canvas. Takes up to some seconds: for blocking threads.
/// `None`: it does not move, or only those who show no animations can show it.
///
/// # Errors
/// When it cannot be used, or moves for too long.
pub fn still(format: PictureFormat, content: &[u8]) -> Result<Option<Still>, PictureError> {
    match format {
        PictureFormat::Gif => frames(gif::open(content)?).map(Some),
        PictureFormat::WebP => webp::open(content)?.map(frames).transpose(),
        PictureFormat::Png => match apng::open(content)?.map(frames) {
            // Who cannot show it as an animation is to show its one other picture.
            Some(Err(PictureError::Broken(_))) => Ok(None),
            shown => shown.transpose(),
        },
        PictureFormat::Jpeg => Ok(None),
    }
}

/// Returns the first picture of a GIF.
///
/// # Errors
/// As [`still`].
pub(super) fn first_of_gif(content: &[u8]) -> Result<RgbaImage, PictureError> {
    let Animation { size, mut parts, .. } = gif::open(content)?;
    let first = parts.next().unwrap_or_else(|| Err(no_picture()))?;
    let mut canvas = Canvas::new(size);
    canvas.show(first);
    Ok(canvas.into_shown())
}

/// Returns the size of a GIF's canvas.
///
/// # Errors
/// As [`still`].
pub(super) fn size_of_gif(content: &[u8]) -> Result<(u32, u32), PictureError> {
    Ok(gif::open(content)?.size)
}

fn no_picture() -> PictureError {
    PictureError::Broken("it has no picture".to_owned())
}

fn frames(animation: Animation<impl Iterator<Item = Result<Part, PictureError>>>) -> Result<Still, PictureError> {
    let (width, height) = animation.size;
    let mut canvas = Canvas::new(animation.size);
    let mut still: Option<Still> = None;
    for (number, part) in (1..).zip(animation.parts) {
        let part = match (part, &still) {
            (Ok(part), _) => part,
            (Err(error), None) => return Err(error),
            // What is there is shown, as browsers do.
            (Err(_), Some(_)) => break,
        };
        if number > MAX_FRAMES || number as u64 * u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PictureError::TooLong);
        }
        let length = if part.length < SHORTEST { USUAL } else { part.length };
        canvas.show(part);
        let shown = canvas.shown();
        match &mut still {
            None => {
                let mut first = Still::new(shown, width, height);
                first.set_first_length(length);
                still = Some(first);
            }
            Some(still) => still.push(shown, width, height, length),
        }
    }
    let mut still = still.ok_or_else(no_picture)?;
    still.set_plays(animation.plays);
    Ok(still)
}

#[cfg(test)]
mod tests;
