//! Decoders of images within the limits, and the profile that makes their pixels sRGB. PURE.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, Limits, RgbaImage,
    codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder},
    error::LimitErrorKind,
};

use super::{
    picture_terms::{MAX_PIXELS, MAX_SIDE, PictureError},
    profile::Profile,
    webp as chunks,
};

/// Memory that the pixels may take, in bytes: the most of them with 16 bits a channel.
const MAX_ALLOC: u64 = 400 * 1024 * 1024;

/// Memory that a PNG's chunks beside its pixels may take, in bytes. A colour profile and texts are compressed, and a
/// thousand times as large once they are read.
const MAX_CHUNKS: u64 = 32 * 1024 * 1024;

/// Returns a decoder of a PNG within the limits. Everybody who opens one uses this: the limits hold from the first
/// chunk on.
///
/// # Errors
/// When it cannot be used.
pub fn png(content: &[u8]) -> Result<PngDecoder<Cursor<&[u8]>>, PictureError> {
    let decoder = PngDecoder::with_limits(Cursor::new(content), limits(MAX_CHUNKS)).map_err(refusal)?;
    // Twice: when it moves, what is shown is kept beside the part that changes.
    bounded(decoder, limits(2 * MAX_ALLOC))
}

/// Returns a decoder of a PNG that was opened before, for what that one does not report.
pub fn png_decoder(content: &[u8]) -> png::Decoder<Cursor<&[u8]>> {
    png::Decoder::new_with_limits(Cursor::new(content), png::Limits { bytes: MAX_CHUNKS as usize })
}

/// Returns the same of a WebP.
///
/// # Errors
/// When it cannot be used.
pub fn webp(content: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, PictureError> {
    let decoder = bounded(WebPDecoder::new(Cursor::new(content)).map_err(refusal)?, limits(MAX_ALLOC))?;
    // It decodes a picture before it looks whether that is as large as the canvas.
    if chunks::largest(content) > MAX_PIXELS {
        return Err(PictureError::TooManyPixels);
    }
    Ok(decoder)
}

/// Returns the same of a JPEG.
///
/// # Errors
/// When it cannot be used.
pub fn jpeg(content: &[u8]) -> Result<JpegDecoder<Cursor<&[u8]>>, PictureError> {
    bounded(JpegDecoder::new(Cursor::new(content)).map_err(refusal)?, limits(MAX_ALLOC))
}

fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(bytes);
    limits
}

fn bounded<D: ImageDecoder>(mut decoder: D, limits: Limits) -> Result<D, PictureError> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PictureError::Broken("it has no pixels".to_owned()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_ALLOC {
        return Err(PictureError::TooManyPixels);
    }
    decoder.set_limits(limits).map_err(refusal)?;
    Ok(decoder)
}

/// Returns a decoded picture as 8-bit RGBA in sRGB, which it is in where it has no profile.
pub fn to_srgb(profile: Option<&Profile>, picture: DynamicImage) -> RgbaImage {
    match profile {
        Some(profile) => profile.to_srgb(picture),
        None => picture.into_rgba8(),
    }
}

/// Returns the error in our words.
pub fn refusal(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(error) if matches!(error.kind(), LimitErrorKind::InsufficientMemory) => {
            PictureError::TooMuchMemory
        }
        ImageError::Limits(_) => PictureError::TooManyPixels,
        other => PictureError::Broken(other.to_string()),
    }
}
