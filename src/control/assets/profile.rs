//! Colour profiles of pictures, and the way from there to sRGB, in which all is shown. PURE.
//!
//! As in browsers, a profile that is damaged, too large or made for another kind of picture is passed over.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use image::{DynamicImage, RgbaImage};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, CmsError, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, RenderingIntent, ToneReprCurve, TransferCharacteristics, TransformExecutor, TransformOptions,
    XyY,
};

/// In which order the tables of a profile are looked for. One that has no tables has the same for all.
const INTENTS: [RenderingIntent; 3] =
    [RenderingIntent::Perceptual, RenderingIntent::RelativeColorimetric, RenderingIntent::Saturation];

/// Transfer characteristics of ITU-T H.273 that mean more light than a canvas can show: PQ and HLG.
const HIGH_RANGE: [u8; 2] = [16, 18];

/// A colour profile.
#[derive(Debug)]
pub struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile; `None`: it cannot be used.
    pub fn of_icc(content: &[u8]) -> Option<Self> {
        let read = panic::catch_unwind(|| ColorProfile::new_from_slice(content));
        read.ok()?.ok().map(Self)
    }

    /// Reads what a PNG says of its colours, by the order that PNG gives its chunks; `None`: they are sRGB.
    pub fn of_png(info: &png::Info<'_>) -> Option<Self> {
        if let Some(points) = info.coding_independent_code_points {
            return Self::of_code_points(points.color_primaries, points.transfer_function);
        }
        if let Some(icc) = &info.icc_profile {
            return Self::of_icc(icc);
        }
        if info.srgb.is_some() {
            return None;
        }
        let gamma = info.gama_chunk.map(png::ScaledFloat::into_value);
        let primaries = info.chrm_chunk.map(|of| {
            [of.white, of.red, of.green, of.blue].map(|(x, y)| Chromaticity::new(x.into_value(), y.into_value()))
        });
        Self::of_primaries(primaries, gamma)
    }

    /// Creates one by the numbers of ITU-T H.273.
    fn of_code_points(primaries: u8, transfer: u8) -> Option<Self> {
        if HIGH_RANGE.contains(&transfer) {
            return None;
        }
        let points = CicpProfile {
            color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
            transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        Some(Self(ColorProfile::new_from_cicp(points)))
    }

    /// Creates one by white, red, green and blue, which are sRGB's where they are missing, and the exponent that the
    /// picture was written with. As in Chromium, the former alone say nothing.
    fn of_primaries(primaries: Option<[Chromaticity; 4]>, gamma: Option<f32>) -> Option<Self> {
        let gamma = gamma.filter(|gamma| *gamma > 0.0)?;
        let mut profile = ColorProfile::new_srgb();
        if let Some([white, red, green, blue]) = primaries {
            let white = XyY { x: f64::from(white.x), y: f64::from(white.y), yb: 1.0 };
            profile.update_rgb_colorimetry(white, ColorPrimaries { red, green, blue });
        }
        profile.cicp = None;
        let curve = ToneReprCurve::Parametric(vec![1.0 / gamma]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
        Some(Self(profile))
    }

    /// Returns whether it is one of printers, for pictures in cyan, magenta, yellow and black.
    pub fn is_of_inks(&self) -> bool {
        self.0.color_space == DataColorSpace::Cmyk
    }

    /// Turns a picture into sRGB.
    pub fn to_srgb(&self, picture: DynamicImage) -> RgbaImage {
        let layout = match self.0.color_space {
            DataColorSpace::Rgb => Layout::Rgba,
            DataColorSpace::Gray if !picture.color().has_color() => Layout::GrayAlpha,
            _ => return picture.into_rgba8(),
        };
        let is_deep = picture.color().bytes_per_pixel() / picture.color().channel_count() > 1;
        if is_deep {
            return self.deep_to_srgb(&picture, layout).unwrap_or_else(|| picture.into_rgba8());
        }
        let mut picture = picture.into_rgba8();
        self.rows_to_srgb(&mut picture, layout, |row, samples| match layout {
            Layout::GrayAlpha => samples.extend(row.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[3]])),
            _ => samples.extend_from_slice(row),
        });
        picture
    }

    /// Turns a picture of which every pixel has four amounts of ink, 255 being none, into sRGB.
    pub fn inks_to_srgb(&self, inks: &mut RgbaImage) -> bool {
        self.rows_to_srgb(inks, Layout::Rgba, |row, samples| samples.extend(row.iter().map(|sample| 255 - sample)))
    }

    /// Turns each row into sRGB, by the samples that are made of it; `false`: the profile does not serve.
    fn rows_to_srgb(&self, picture: &mut RgbaImage, layout: Layout, samples_of: impl Fn(&[u8], &mut Vec<u8>)) -> bool {
        let across = picture.width() as usize * 4;
        // A mistake in a profile's tables must not be more than that.
        let turned = panic::catch_unwind(AssertUnwindSafe(|| -> Option<()> {
            let way =
                way(|options| self.0.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgba, options))?;
            let mut samples = Vec::with_capacity(across);
            for row in picture.chunks_exact_mut(across) {
                samples.clear();
                samples_of(row, &mut samples);
                way.transform(&samples, row).ok()?;
            }
            Some(())
        }));
        matches!(turned, Ok(Some(())))
    }

    /// Returns the same of a picture of 16 bits a channel, whose dark colours 8 bits would not distinguish before.
    fn deep_to_srgb(&self, picture: &DynamicImage, layout: Layout) -> Option<RgbaImage> {
        let turned = panic::catch_unwind(AssertUnwindSafe(|| -> Option<RgbaImage> {
            let way =
                way(|options| self.0.create_transform_16bit(layout, &ColorProfile::new_srgb(), Layout::Rgba, options))?;
            let (width, height) = (picture.width(), picture.height());
            let mut turned = RgbaImage::new(width, height);
            let (mut samples, mut row) = (Vec::new(), vec![0; width as usize * 4]);
            for (y, out) in (0..height).zip(turned.chunks_exact_mut(width as usize * 4)) {
                samples.clear();
                for x in 0..width {
                    let [r, g, b, alpha] = deep_pixel(picture, x, y)?;
                    match layout {
                        Layout::GrayAlpha => samples.extend([r, alpha]),
                        _ => samples.extend([r, g, b, alpha]),
                    }
                }
                way.transform(&samples, &mut row).ok()?;
                for (byte, sample) in out.iter_mut().zip(&row) {
                    *byte = ((u32::from(*sample) + 128) / 257) as u8;
                }
            }
            Some(turned)
        }));
        turned.ok()?
    }
}

/// Returns the first way that a profile offers.
fn way<V: Copy + Default>(
    make: impl Fn(TransformOptions) -> Result<Arc<dyn TransformExecutor<V> + Send + Sync>, CmsError>,
) -> Option<Arc<dyn TransformExecutor<V> + Send + Sync>> {
    INTENTS
        .iter()
        .find_map(|intent| make(TransformOptions { rendering_intent: *intent, ..TransformOptions::default() }).ok())
}

fn deep_pixel(picture: &DynamicImage, x: u32, y: u32) -> Option<[u16; 4]> {
    Some(match picture {
        DynamicImage::ImageLuma16(picture) => {
            let [gray] = picture.get_pixel(x, y).0;
            [gray, gray, gray, u16::MAX]
        }
        DynamicImage::ImageLumaA16(picture) => {
            let [gray, alpha] = picture.get_pixel(x, y).0;
            [gray, gray, gray, alpha]
        }
        DynamicImage::ImageRgb16(picture) => {
            let [r, g, b] = picture.get_pixel(x, y).0;
            [r, g, b, u16::MAX]
        }
        DynamicImage::ImageRgba16(picture) => picture.get_pixel(x, y).0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
