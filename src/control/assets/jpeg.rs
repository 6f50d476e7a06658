//! JPEGs in cyan, magenta, yellow and black whose profile says what their inks look like. PURE.
//!
//! Without one, the decoder of all JPEGs makes a guess that browsers make, too.

use image::RgbaImage;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::{picture_terms::MAX_SIDE, profile::Profile};

/// Decodes a JPEG in inks to sRGB. Its size was checked before. `None`: it is another one, or the profile does not
/// serve.
pub fn inks_to_srgb(content: &[u8], profile: &Profile) -> Option<RgbaImage> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize);
    let mut headers = JpegDecoder::new_with_options(ZCursor::new(content), options);
    headers.decode_headers().ok()?;
    let space = headers.input_colorspace()?;
    if !matches!(space, ColorSpace::CMYK | ColorSpace::YCCK) {
        return None;
    }
    let options = options.jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options);
    let content = decoder.decode().ok()?;
    let (width, height) = decoder.dimensions()?;
    let mut inks = RgbaImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, content)?;
    if space == ColorSpace::YCCK {
        for pixel in inks.pixels_mut() {
            pixel.0 = inks_of(pixel.0);
        }
    }
    profile.inks_to_srgb(&mut inks).then_some(inks)
}

/// Returns three inks that were written as luma and two differences (Adobe Technical Note 5116, by JFIF's matrix), and
/// black.
fn inks_of([y, cb, cr, black]: [u8; 4]) -> [u8; 4] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let [c, m, yellow] = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        // `as` saturates.
        .map(|opposite| 255 - opposite.round() as u8);
    [c, m, yellow, black]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::control::assets::picture::decode;

    /// Returns a JPEG of 8 x 8 pixels, all with these four samples. `transform`: 0 for inks, 2 for luma, differences
    /// and black.
    fn jpeg(transform: u8, samples: [u8; 4], profile: &[u8]) -> Vec<u8> {
        let segment = |marker: u8, inside: &[u8]| {
            [&[0xff, marker][..], &(inside.len() as u16 + 2).to_be_bytes(), inside].concat()
        };
        let mut bits = String::new();
        for sample in samples {
            // The mean of a block is all that it has, as a difference of so many bits and these.
            let mean = (i32::from(sample) - 128) * 8;
            let count = 32 - mean.unsigned_abs().leading_zeros();
            let number = if mean < 0 { mean + (1 << count) - 1 } else { mean };
            bits += &format!("{count:04b}");
            if count > 0 {
                bits += &format!("{number:0width$b}", width = count as usize);
            }
            bits.push('0');
        }
        bits += &"1".repeat(8 - bits.len() % 8);
        let scan = bits.as_bytes().chunks(8).flat_map(|byte| {
            let byte = byte.iter().fold(0u8, |byte, bit| byte << 1 | (bit - b'0'));
            if byte == 0xff { vec![0xff, 0] } else { vec![byte] }
        });
        // Twelve codes of four bits; one code of one bit.
        let means = [&[0, 0, 0, 0, 12][..], &[0; 12], &(0..12).collect::<Vec<u8>>()].concat();
        let ends = [&[0x10, 1][..], &[0; 15], &[0]].concat();
        [
            vec![0xff, 0xd8],
            segment(0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat()),
            segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat()),
            segment(0xdb, &[&[0][..], &[1; 64]].concat()),
            segment(0xc0, &[8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]),
            segment(0xc4, &means),
            segment(0xc4, &ends),
            segment(0xda, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]),
            scan.collect(),
            vec![0xff, 0xd9],
        ]
        .concat()
    }

    /// Returns a profile whose white paper becomes evenly darker, as the eye sees it, with each ink.
    fn profile_of_inks() -> Vec<u8> {
        let even: Vec<u8> = (0..=255).collect();
        let one = 0x1_0000_u32.to_be_bytes();
        let matrix: Vec<u8> = (0..9).flat_map(|at| if at % 4 == 0 { one } else { [0; 4] }).collect();
        let corners = (0..16).flat_map(|inks| [if inks == 0 { 255 } else { 0 }, 128, 128]);
        let table = [b"mft1\0\0\0\0\x04\x03\x02\0".to_vec(), matrix, even.repeat(4), corners.collect(), even.repeat(3)]
            .concat();
        let mut profile = vec![0; 128];
        profile[8] = 2;
        profile[12..24].copy_from_slice(b"prtrCMYKLab ");
        profile[36..40].copy_from_slice(b"acsp");
        profile[68..80].copy_from_slice(&[0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d]);
        profile.extend([1, u32::from_be_bytes(*b"A2B0"), 144, table.len() as u32].map(u32::to_be_bytes).concat());
        profile.extend(table);
        let length = (profile.len() as u32).to_be_bytes();
        profile[..4].copy_from_slice(&length);
        profile
    }

    #[test]
    fn inks_look_as_their_profile_says() {
        let profile = profile_of_inks();
        // Half of black's ink is half as light as paper, to the eye: 119 of 255. Inks alone would make it 128.
        for content in [jpeg(0, [255, 255, 255, 128], &profile), jpeg(2, [0, 128, 128, 128], &profile)] {
            let seen = decode(&content).unwrap().get_pixel(4, 4).0;
            assert!(seen[..3].iter().all(|sample| sample.abs_diff(119) <= 3) && seen[3] == 255, "{seen:?}");
        }
        for content in [jpeg(0, [255, 255, 255, 128], b""), jpeg(2, [0, 128, 128, 128], &profile[..300])] {
            let seen = decode(&content).unwrap().get_pixel(4, 4).0;
            assert!(seen[..3].iter().all(|sample| sample.abs_diff(128) <= 3), "{seen:?}");
        }
    }

    #[test]
    fn inks_come_from_luma_and_differences() {
        assert_eq!(inks_of([0, 128, 128, 255]), [255, 255, 255, 255], "white paper");
        assert_eq!(inks_of([255, 128, 128, 9]), [0, 0, 0, 9]);
        // Red's opposite, cyan, is 255 - 254.
        assert_eq!(inks_of([76, 85, 255, 255]), [1, 255, 255, 255]);
    }
}
