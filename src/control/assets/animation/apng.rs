//! The pictures of an animated PNG. PURE.

use std::{io::Cursor, num::NonZeroU32, time::Duration};

use ::png::{BlendOp, ColorType, Decoder, DecodingError, DisposeOp, Reader, Transformations};
use image::{DynamicImage, GrayAlphaImage, RgbaImage};

use super::{
    Animation,
    canvas::{Disposal, Part},
};
use crate::control::assets::{
    decoders::{self, png_decoder},
    picture_terms::PictureError,
    profile::Profile,
};

/// Opens one within the limits; `None`: it does not move.
///
/// # Errors
/// When it cannot be used.
pub fn open(content: &[u8]) -> Result<Option<Animation<Pictures<'_>>>, PictureError> {
    decoders::png(content)?;
    let mut decoder: Decoder<_> = png_decoder(content);
    decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
    let mut reader = decoder.read_info().map_err(|error| broken(&error))?;
    let info = reader.info();
    let Some(control) = info.animation_control else { return Ok(None) };
    let (size, profile) = (info.size(), Profile::of_png(info));
    if info.frame_control.is_none() {
        // The first picture is for those who show no animations.
        reader.next_frame_info().map_err(|error| broken(&error))?;
    }
    let plays = NonZeroU32::new(control.num_plays);
    let parts = Pictures { reader, profile, left: control.num_frames, samples: Vec::new() };
    Ok(Some(Animation { size, plays, parts }))
}

fn broken(error: &DecodingError) -> PictureError {
    PictureError::Broken(error.to_string())
}

/// The pictures, one after the other.
pub struct Pictures<'a> {
    reader: Reader<Cursor<&'a [u8]>>,
    profile: Option<Profile>,
    /// Number of those still to come.
    left: u32,
    /// Of one that is as large as the canvas.
    samples: Vec<u8>,
}

impl Iterator for Pictures<'_> {
    type Item = Result<Part, PictureError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.read())
    }
}

impl Pictures<'_> {
    fn read(&mut self) -> Result<Part, PictureError> {
        let broken_off = || PictureError::Broken("one of its pictures is invalid".to_owned());
        self.samples.resize(self.reader.output_buffer_size().ok_or(PictureError::TooManyPixels)?, 0);
        let read = self.reader.next_frame(&mut self.samples).map_err(|error| broken(&error))?;
        let info = self.reader.info();
        let control = *info.frame_control().ok_or_else(broken_off)?;
        let (width, height) = (read.width, read.height);
        // PNG-0.18: the rows of an interlaced part are as far apart as those of the canvas.
        let step = if info.interlaced { self.reader.output_line_size(info.width) } else { Some(read.line_size) };
        let step = step.ok_or_else(broken_off)?;
        let rows = self.samples.chunks(step).take(height as usize);
        let samples: Vec<u8> = rows.flat_map(|row| &row[..read.line_size.min(row.len())]).copied().collect();
        let pixels = match read.color_type {
            ColorType::GrayscaleAlpha => {
                GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::ImageLumaA8)
            }
            ColorType::Rgba => RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8),
            _ => None,
        };
        let pixels = decoders::to_srgb(self.profile.as_ref(), pixels.ok_or_else(broken_off)?);
        let per = if control.delay_den == 0 { 100 } else { u64::from(control.delay_den) };
        Ok(Part {
            left: control.x_offset,
            top: control.y_offset,
            pixels,
            over: control.blend_op == BlendOp::Over,
            disposal: match control.dispose_op {
                DisposeOp::None => Disposal::Keep,
                DisposeOp::Background => Disposal::Clear,
                DisposeOp::Previous => Disposal::Restore,
            },
            length: Duration::from_millis(u64::from(control.delay_num) * 1000 / per),
        })
    }
}
