//! Images that move: GIF, APNG and WebP, decoded whole, within limits. PURE.

use std::time::Duration;

use image::AnimationDecoder;

use super::picture::{self, Format, MAX_PIXELS, PictureError, refusal};
use crate::media::port::Still;

/// Most pictures of an animation.
pub const MAX_FRAMES: usize = 600;

/// A picture that is to be shown shorter than this is shown for [`USUAL`]: browsers do so, and makers of such images
/// look at them in browsers.
const SHORTEST: Duration = Duration::from_millis(11);

/// How long a picture is shown that does not say so.
const USUAL: Duration = Duration::from_millis(100);

/// Decodes an image, with all its pictures if it moves, for the canvas. Takes up to some seconds: for blocking threads.
///
/// # Errors
/// When it is no image that can be used, or moves for too long.
pub fn still(content: &[u8]) -> Result<Still, PictureError> {
    match Format::sniff(content).ok_or(PictureError::UnknownType)? {
        Format::Gif => frames(picture::gif(content)?),
        Format::WebP => {
            let decoder = picture::webp(content)?;
            if decoder.has_animation() { frames(decoder) } else { single(content) }
        }
        Format::Png => {
            let decoder = picture::png(content)?;
            if decoder.is_apng().map_err(refusal)? { frames(decoder.apng().map_err(refusal)?) } else { single(content) }
        }
        Format::Jpeg => single(content),
    }
}

fn single(content: &[u8]) -> Result<Still, PictureError> {
    let pixels = picture::decode(content)?;
    let (width, height) = pixels.dimensions();
    Ok(Still::new(pixels.as_raw(), width, height))
}

fn frames<'a>(decoder: impl AnimationDecoder<'a>) -> Result<Still, PictureError> {
    let mut still: Option<Still> = None;
    let (mut count, mut pixels) = (0, 0);
    for frame in decoder.into_frames() {
        let frame = match (frame, &still) {
            (Ok(frame), _) => frame,
            (Err(error), None) => return Err(refusal(error)),
            // What is there is shown, as browsers do.
            (Err(_), Some(_)) => break,
        };
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let length = Duration::from_millis(u64::from(numerator / denominator.max(1)));
        let length = if length < SHORTEST { USUAL } else { length };
        let picture = frame.into_buffer();
        let (width, height) = picture.dimensions();
        (count, pixels) = (count + 1, pixels + u64::from(width) * u64::from(height));
        if count > MAX_FRAMES || pixels > MAX_PIXELS {
            return Err(PictureError::TooLong);
        }
        match &mut still {
            None => {
                let mut first = Still::new(picture.as_raw(), width, height);
                first.set_first_length(length);
                still = Some(first);
            }
            Some(still) if still.size() == (width, height) => still.push(picture.as_raw(), width, height, length),
            Some(_) => return Err(PictureError::Broken("its pictures are of different sizes".to_owned())),
        }
    }
    still.ok_or_else(|| PictureError::Broken("it has no picture".to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use image::{
        Delay, Frame, Rgba, RgbaImage,
        codecs::gif::{GifEncoder, Repeat},
    };

    use super::*;

    /// A GIF that shows these colours for so many milliseconds each.
    fn gif(size: (u32, u32), pictures: &[([u8; 4], u32)]) -> Vec<u8> {
        let mut content = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut content, 30);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for (pixel, ms) in pictures {
            let picture = RgbaImage::from_pixel(size.0, size.1, Rgba(*pixel));
            encoder.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(*ms, 1))).unwrap();
        }
        drop(encoder);
        content
    }

    const RED: [u8; 4] = [255, 0, 0, 255];
    const BLUE: [u8; 4] = [0, 0, 255, 255];

    #[test]
    fn a_gif_moves_at_its_own_pace() {
        let still = still(&gif((8, 6), &[(RED, 40), (BLUE, 120), (RED, 0)])).unwrap();
        assert_eq!((still.size(), still.is_animated()), ((8, 6), true));
        // The last one does not say how long: a tenth of a second.
        let blue = |ms| still.whole_at(Duration::from_millis(ms)).planes().y[0] < 60;
        assert_eq!(
            [0, 39, 40, 159, 160, 259, 260, 300].map(blue),
            [false, false, true, true, false, false, false, true]
        );
    }

    #[test]
    fn what_does_not_move_is_one_picture() {
        let one = still(&gif((8, 6), &[(RED, 40)])).unwrap();
        assert!(!one.is_animated());
        let mut png = Cursor::new(Vec::new());
        RgbaImage::from_pixel(5, 4, Rgba([9, 9, 9, 100])).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let png = still(png.get_ref()).unwrap();
        assert!(!png.is_animated() && png.size() == (5, 4) && png.whole().has_alpha());
    }

    #[test]
    fn what_moves_for_too_long_is_refused() {
        let many = gif((2, 2), &vec![(RED, 20); MAX_FRAMES + 1]);
        assert_eq!(still(&many).unwrap_err(), PictureError::TooLong);
        let large = gif((4000, 3400), &[(RED, 20), (BLUE, 20), (RED, 20)]);
        assert_eq!(still(&large).unwrap_err(), PictureError::TooLong);
        assert!(still(&gif((2, 2), &vec![(RED, 20); MAX_FRAMES])).is_ok());
    }

    #[test]
    fn a_damaged_animation_shows_what_is_whole() {
        let whole = gif((64, 64), &[(RED, 40), (BLUE, 40), (RED, 40)]);
        for length in 0..whole.len() {
            if let Ok(still) = still(&whole[..length]) {
                assert_eq!(still.size(), (64, 64));
            }
        }
        let mut noise = 7u32;
        for _ in 0..200 {
            let mut damaged = whole.clone();
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = 13 + noise as usize % (damaged.len() - 13);
            damaged[place] ^= (noise >> 24) as u8;
            let _ = still(&damaged);
        }
    }
}
