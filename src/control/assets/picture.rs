//! Decides from its content, never from its name, whether a file is an image, and decodes it within limits. PURE.

use image::{DynamicImage, ImageDecoder, RgbaImage, metadata::Orientation};

pub use super::picture_terms::{PictureError, PictureFormat};
use super::{animation, decoders, jpeg, profile::Profile, webp as chunks};
use crate::media::port::Still;

/// The header of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its type.
    pub format: PictureFormat,
    /// In pixels, as it is shown (a photo's orientation counts).
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Reads what an image says of itself, without decoding it.
///
/// # Errors
/// When it is no image that can be used.
pub fn header(content: &[u8]) -> Result<Header, PictureError> {
    let format = PictureFormat::sniff(content).ok_or(PictureError::UnknownType)?;
    let Some(mut decoder) = open(format, content)? else {
        let (width, height) = animation::size_of_gif(content)?;
        return Ok(Header { format, width, height });
    };
    let (width, height) = decoder.dimensions();
    let (width, height) = match orientation(&mut *decoder) {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    };
    Ok(Header { format, width, height })
}

/// Decodes to 8-bit RGBA in sRGB, upright; of what moves the first picture. Takes up to some hundred milliseconds and
/// megabytes: for blocking threads.
///
/// # Errors
/// When it is no image that can be used.
pub fn decode(content: &[u8]) -> Result<RgbaImage, PictureError> {
    let format = PictureFormat::sniff(content).ok_or(PictureError::UnknownType)?;
    let Some(mut decoder) = open(format, content)? else { return animation::first_of_gif(content) };
    let orientation = orientation(&mut *decoder);
    let profile = match format {
        PictureFormat::Png => {
            decoders::png_decoder(content).read_info().ok().and_then(|reader| Profile::of_png(reader.info()))
        }
        PictureFormat::WebP => chunks::profile_in(content).and_then(Profile::of_icc),
        PictureFormat::Jpeg | PictureFormat::Gif => {
            decoder.icc_profile().ok().flatten().and_then(|icc| Profile::of_icc(&icc))
        }
    };
    let in_inks = profile.as_ref().filter(|profile| format == PictureFormat::Jpeg && profile.is_of_inks());
    let picture = match in_inks.and_then(|profile| jpeg::inks_to_srgb(content, profile)) {
        Some(picture) => picture,
        None => {
            let picture = DynamicImage::from_decoder(decoder).map_err(decoders::refusal)?;
            decoders::to_srgb(profile.as_ref(), picture)
        }
    };
    let mut picture = DynamicImage::ImageRgba8(picture);
    picture.apply_orientation(orientation);
    Ok(picture.into_rgba8())
}

/// Decodes an image, with all its pictures if it moves, for the canvas. Takes up to some seconds: for blocking threads.
///
/// # Errors
/// When it is no image that can be used, or moves for too long.
pub fn still(content: &[u8]) -> Result<Still, PictureError> {
    let format = PictureFormat::sniff(content).ok_or(PictureError::UnknownType)?;
    if let Some(moving) = animation::still(format, content)? {
        return Ok(moving);
    }
    let pixels = decode(content)?;
    let (width, height) = pixels.dimensions();
    Ok(Still::new(pixels.as_raw(), width, height))
}

/// Opens a decoder of an image whose size is within the limits; `None` for a GIF, which [`animation`] decodes.
fn open(format: PictureFormat, content: &[u8]) -> Result<Option<Box<dyn ImageDecoder + '_>>, PictureError> {
    Ok(match format {
        PictureFormat::Png => Some(Box::new(decoders::png(content)?)),
        PictureFormat::Jpeg => Some(Box::new(decoders::jpeg(content)?)),
        PictureFormat::WebP => Some(Box::new(decoders::webp(content)?)),
        PictureFormat::Gif => None,
    })
}

/// Returns how a photo was held; upright when it does not say.
fn orientation(decoder: &mut dyn ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use image::ImageFormat;

    use super::*;

    /// Returns a small picture, red on the left and blue on the right.
    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = image::RgbImage::from_fn(8, 4, |x, _| image::Rgb(if x < 4 { [255, 0, 0] } else { [0, 0, 255] }));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Returns a PNG whose header is right and claims this size, and that has no pixels.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 6, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for chunk in [header, b"IDAT".to_vec(), b"IEND".to_vec()] {
            png.extend((chunk.len() as u32 - 4).to_be_bytes());
            png.extend(&chunk);
            png.extend(crc(&chunk).to_be_bytes());
        }
        png
    }

    /// Returns the CRC of PNG chunks (ISO 3309).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
        })
    }

    #[test]
    fn the_content_shows_the_type() {
        for (codec, format) in [
            (ImageFormat::Png, PictureFormat::Png),
            (ImageFormat::Jpeg, PictureFormat::Jpeg),
            (ImageFormat::WebP, PictureFormat::WebP),
            (ImageFormat::Gif, PictureFormat::Gif),
        ] {
            let content = encoded(codec);
            assert_eq!(header(&content), Ok(Header { format, width: 8, height: 4 }));
            let picture = decode(&content).unwrap();
            let (left, right) = (picture.get_pixel(1, 2), picture.get_pixel(6, 2));
            assert!(left[0] > 200 && left[2] < 60 && right[2] > 200 && right[0] < 60, "{format:?} {left:?} {right:?}");
            assert_eq!(left[3], 255);
        }
        for other in [&b""[..], b"<svg/>", b"GIF8", b"%PDF-1.7", b"RIFF....WAVE", &[0u8; 64], b"BM......"] {
            assert_eq!(header(other), Err(PictureError::UnknownType));
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        for (width, height) in [(100_000, 100_000), (8193, 1), (1, 8193), (8192, 8192), (0x7fff_ffff, 0x7fff_ffff)] {
            let content = claiming(width, height);
            assert_eq!(header(&content), Err(PictureError::TooManyPixels), "{width}x{height}");
            assert_eq!(decode(&content).unwrap_err(), PictureError::TooManyPixels);
        }
    }

    /// Returns a PNG of one pixel with one more chunk in front of its pixels.
    fn with_chunk(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let whole = encoded(ImageFormat::Png);
        let (head, rest) = whole.split_at(33);
        let chunk = [&kind[..], inside].concat();
        let length = (inside.len() as u32).to_be_bytes();
        [head, &length, &chunk, &crc(&chunk).to_be_bytes(), rest].concat()
    }

    /// Returns so many zeros, in the form that PNG compresses them to.
    fn zeros(mebibytes: usize) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        let picture = image::GrayImage::new(1023, (mebibytes << 10) as u32);
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        let png = png.into_inner();
        let mut rest = &png[8..];
        let mut data = Vec::new();
        while let [a, b, c, d, after @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            if &after[..4] == b"IDAT" {
                data.extend(&after[4..4 + length]);
            }
            rest = &after[length + 8..];
        }
        data
    }

    #[test]
    fn what_unfolds_beside_the_pixels_is_bounded() {
        let profile = |mebibytes| [b"icc\0\0".to_vec(), zeros(mebibytes)].concat();
        assert!(header(&with_chunk(b"iCCP", &profile(2))).is_ok());
        assert!(decoders::png(&with_chunk(b"iCCP", &profile(2))).unwrap().icc_profile().unwrap().is_some());
        // One that is too large is left out, as one that is damaged is.
        let bomb = with_chunk(b"iCCP", &profile(60));
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        assert!(decoders::png(&bomb).unwrap().icc_profile().unwrap().is_none());
        assert!(header(&bomb).is_ok() && still(&bomb).is_ok());
        // Texts are never unfolded.
        let text = [b"XML:com.adobe.xmp\0\x01\0\0\0".to_vec(), zeros(60)].concat();
        assert!(decode(&with_chunk(b"iTXt", &text)).is_ok());
        let text = [b"Raw profile type iptc\0\0".to_vec(), zeros(60)].concat();
        assert!(decode(&with_chunk(b"zTXt", &text)).is_ok());
    }

    #[test]
    fn a_picture_larger_than_its_canvas_is_refused() {
        // A canvas of one pixel, and a picture of `side` x `side` on it.
        let gif = |side: [u8; 2]| {
            let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0";
            let pixel = b"\x01\0\x01\0\0\x02\x02\x44\x01\0";
            let second = b"\x2c\0\0\0\0";
            [
                [&head[..], &side, &side, b"\0\x02\x02\x44\x01\0\x3b"].concat(),
                [&head[..], pixel, second, &side, &side, b"\0\x02\x02\x44\x01\0\x3b"].concat(),
            ]
        };
        for side in [[0xff, 0xff], [0x40, 0x1f]] {
            let [first, second] = gif(side);
            // The first picture makes the canvas larger.
            assert_eq!(still(&first).unwrap_err(), PictureError::TooManyPixels);
            assert!(decode(&first).is_err() && header(&first).is_err());
            assert_eq!(still(&second).unwrap().size(), (1, 1));
        }
        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x01\0\0\x01\0\0".to_vec();
        webp.extend(b"VP8 \x0e\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f\0\0\0\0");
        let length = webp.len() as u32 - 8;
        webp[4..8].copy_from_slice(&length.to_le_bytes());
        assert!(header(&webp).is_err() && still(&webp).is_err());
        assert_eq!(decoders::webp(&webp).err(), Some(PictureError::TooManyPixels));
    }

    #[test]
    fn an_image_that_ends_too_early_is_broken() {
        assert!(matches!(decode(&claiming(64, 64)), Err(PictureError::Broken(_))));
        let whole = encoded(ImageFormat::Png);
        assert!(matches!(decode(&whole[..whole.len() / 2]), Err(PictureError::Broken(_))));
        assert!(matches!(decode(b"\x89PNG\r\n\x1a\n"), Err(PictureError::Broken(_))));
        assert!(matches!(decode(&[0xff, 0xd8, 0xff, 0xe0]), Err(PictureError::Broken(_))));
    }
}
