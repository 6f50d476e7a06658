#![allow(clippy::unwrap_used)]
use std::io::Cursor;

use image::{
    GrayImage, ImageEncoder as _, ImageFormat, Luma, Rgb, RgbImage, Rgba,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};

use super::*;
use crate::control::assets::picture::{self, PictureError};

/// An orange, whose numbers differ most between the spaces.
const NUMBERS: [u8; 3] = [200, 100, 50];

fn near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(seen, wanted)| seen.abs_diff(wanted) <= 3)
}

fn middle(content: &[u8]) -> Result<[u8; 3], PictureError> {
    let picture = picture::decode(content)?;
    let Rgba([r, g, b, _]) = *picture.get_pixel(picture.width() / 2, picture.height() / 2);
    Ok([r, g, b])
}

/// Returns sRGB's numbers of a colour of linear light, computed by its definition.
fn srgb(linear: [f64; 3]) -> [u8; 3] {
    linear.map(|light| {
        let light = light.clamp(0.0, 1.0);
        let number = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        (number * 255.0).round() as u8
    })
}

fn light(number: f64) -> f64 {
    if number <= 0.040_45 { number / 12.92 } else { ((number + 0.055) / 1.055).powf(2.4) }
}

/// Returns Display P3's numbers in sRGB, by the matrix that CSS Color 4 gives.
fn of_display_p3(numbers: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = numbers.map(|number| light(f64::from(number) / 255.0));
    srgb([
        1.224_940_2 * r - 0.224_940_4 * g,
        -0.042_056_9 * r + 1.042_057_1 * g,
        -0.019_637_6 * r - 0.078_636_1 * g + 1.098_273_5 * b,
    ])
}

/// Returns Adobe RGB's numbers in sRGB, likewise.
fn of_adobe_rgb(numbers: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = numbers.map(|number| (f64::from(number) / 255.0).powf(563.0 / 256.0));
    srgb([1.398_357_4 * r - 0.398_357_4 * g, g, -0.042_928_8 * g + 1.042_928_8 * b])
}

fn icc(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().unwrap()
}

/// Returns the same picture in every format that carries a profile.
fn pictures(numbers: [u8; 3], icc: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let samples = numbers.repeat(16 * 16);
    let (mut png, mut jpeg, mut webp) = (Vec::new(), Vec::new(), Vec::new());
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(icc.to_vec()).unwrap();
    encoder.write_image(&samples, 16, 16, image::ExtendedColorType::Rgb8).unwrap();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
    encoder.set_icc_profile(icc.to_vec()).unwrap();
    encoder.write_image(&samples, 16, 16, image::ExtendedColorType::Rgb8).unwrap();
    let mut encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.set_icc_profile(icc.to_vec()).unwrap();
    encoder.write_image(&samples, 16, 16, image::ExtendedColorType::Rgb8).unwrap();
    vec![("PNG", png), ("JPEG", jpeg), ("WebP", webp)]
}

#[test]
fn a_picture_with_a_profile_is_shown_in_srgb() {
    for (profile, wanted) in [
        (ColorProfile::new_display_p3(), of_display_p3(NUMBERS)),
        (ColorProfile::new_adobe_rgb(), of_adobe_rgb(NUMBERS)),
        (ColorProfile::new_srgb(), NUMBERS),
    ] {
        for (format, content) in pictures(NUMBERS, &icc(&profile)) {
            let seen = middle(&content).unwrap();
            assert!(near(seen, wanted), "{format}: {seen:?}, not {wanted:?}");
        }
    }
    assert!(!near(of_display_p3(NUMBERS), NUMBERS) && !near(of_adobe_rgb(NUMBERS), NUMBERS));
}

#[test]
fn what_is_transparent_and_what_is_deep_keeps_that() {
    let p3 = icc(&ColorProfile::new_display_p3());
    let [r, g, b] = NUMBERS;
    let encoded = |samples: &[u8], kind| {
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_icc_profile(p3.clone()).unwrap();
        encoder.write_image(samples, 4, 4, kind).unwrap();
        picture::decode(&png).unwrap().get_pixel(1, 1).0
    };
    let [wanted_r, wanted_g, wanted_b] = of_display_p3(NUMBERS);
    let seen = encoded(&[r, g, b, 77].repeat(16), image::ExtendedColorType::Rgba8);
    assert!(near([seen[0], seen[1], seen[2]], [wanted_r, wanted_g, wanted_b]) && seen[3] == 77, "{seen:?}");
    let deep = [r, g, b, 77].map(|sample| (u16::from(sample) * 257).to_ne_bytes()).concat();
    let seen = encoded(&deep.repeat(16), image::ExtendedColorType::Rgba16);
    assert!(near([seen[0], seen[1], seen[2]], [wanted_r, wanted_g, wanted_b]) && seen[3] == 77, "{seen:?}");
}

#[test]
fn gray_pictures_have_gray_profiles() {
    let linear = icc(&ColorProfile::new_gray_with_gamma(1.0));
    let gray = GrayImage::from_pixel(16, 16, Luma([64]));
    let (mut png, mut jpeg) = (Vec::new(), Vec::new());
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(linear.clone()).unwrap();
    encoder.write_image(&gray, 16, 16, image::ExtendedColorType::L8).unwrap();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
    encoder.set_icc_profile(linear.clone()).unwrap();
    encoder.write_image(&gray, 16, 16, image::ExtendedColorType::L8).unwrap();
    let wanted = srgb([64.0 / 255.0; 3]);
    for content in [png, jpeg] {
        let seen = middle(&content).unwrap();
        assert!(near(seen, wanted), "{seen:?}, not {wanted:?}");
    }
    // One for gray says nothing of colours.
    for (format, content) in pictures(NUMBERS, &linear) {
        assert!(near(middle(&content).unwrap(), NUMBERS), "{format}");
    }
}

#[test]
fn a_profile_that_is_damaged_is_passed_over() {
    let whole = icc(&ColorProfile::new_display_p3());
    let mut noise = 3u32;
    for cut in [0, 1, 100, 128, 131, 132, 200, whole.len() - 1] {
        for (format, content) in pictures(NUMBERS, &whole[..cut]) {
            let seen = middle(&content).unwrap();
            assert!(near(seen, NUMBERS) || cut > 200, "{format} {cut}: {seen:?}");
        }
    }
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..3 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = noise as usize % damaged.len();
            damaged[place] ^= (noise >> 24) as u8;
        }
        if let Some(profile) = Profile::of_icc(&damaged) {
            let picture = RgbImage::from_pixel(3, 2, Rgb(NUMBERS));
            assert_eq!(profile.to_srgb(DynamicImage::ImageRgb8(picture)).dimensions(), (3, 2));
        }
    }
}

/// Returns a PNG of one colour with these chunks before its pixels.
fn png_with(prepare: impl Fn(&mut png::Info<'static>)) -> Vec<u8> {
    let mut info = png::Info::with_size(4, 4);
    info.color_type = png::ColorType::Rgb;
    prepare(&mut info);
    let mut content = Vec::new();
    let mut writer = png::Encoder::with_info(&mut content, info).unwrap().write_header().unwrap();
    writer.write_image_data(&NUMBERS.repeat(16)).unwrap();
    writer.finish().unwrap();
    content
}

#[test]
fn a_png_may_say_its_primaries_and_its_exponent() {
    let gamma =
        |gamma: f32| move |info: &mut png::Info<'static>| info.source_gamma = Some(png::ScaledFloat::new(gamma));
    let p3 = png::SourceChromaticities::new((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06));
    let linear = NUMBERS.map(|number| f64::from(number) / 255.0);
    let both = png_with(|info| {
        gamma(1.0)(info);
        info.source_chromaticities =
            Some(png::SourceChromaticities::new((0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)));
    });
    assert!(near(middle(&both).unwrap(), srgb(linear)), "{:?}", middle(&both));
    // What Chromium 156 makes of the others.
    let primaries = png_with(|info| info.source_chromaticities = Some(p3));
    assert!(near(middle(&primaries).unwrap(), NUMBERS), "{:?}", middle(&primaries));
    let usual = png_with(|info| {
        gamma(0.454_55)(info);
        info.source_chromaticities = Some(p3);
    });
    assert!(near(middle(&usual).unwrap(), [216, 93, 24]), "{:?}", middle(&usual));
    let exponent = png_with(gamma(1.0));
    assert!(near(middle(&exponent).unwrap(), srgb(linear)), "{:?}", middle(&exponent));
    // sRGB comes before both, a profile before that.
    let said = png_with(|info| {
        gamma(1.0)(info);
        info.srgb = Some(png::SrgbRenderingIntent::Perceptual);
    });
    assert!(near(middle(&said).unwrap(), NUMBERS), "{:?}", middle(&said));
}

#[test]
fn the_parts_of_an_animation_have_their_profile_too() {
    let info = {
        let mut info = png::Info::with_size(4, 4);
        info.color_type = png::ColorType::Rgb;
        info.icc_profile = Some(icc(&ColorProfile::new_display_p3()).into());
        info
    };
    let mut content = Vec::new();
    let mut encoder = png::Encoder::with_info(&mut content, info).unwrap();
    encoder.set_animated(2, 0).unwrap();
    encoder.set_frame_delay(1, 10).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 48]).unwrap();
    writer.write_image_data(&NUMBERS.repeat(16)).unwrap();
    writer.finish().unwrap();
    let still = picture::still(&content).unwrap();
    let planes = still.whole_at(std::time::Duration::from_millis(150)).planes();
    // BT.601 with limited range, which layers are kept in.
    let [red, green, blue] = of_display_p3(NUMBERS).map(|part| f64::from(part) / 255.0);
    let wanted = [
        16.0 + 65.481 * red + 128.553 * green + 24.966 * blue,
        128.0 - 37.797 * red - 74.203 * green + 112.0 * blue,
        128.0 + 112.0 * red - 93.786 * green - 18.214 * blue,
    ]
    .map(|part| part.round() as u8);
    assert!(near([planes.y[0], planes.u[0], planes.v[0]], wanted), "{wanted:?}");
}

#[test]
fn a_jpeg_in_inks_needs_a_profile_of_inks() {
    let mut jpeg = Cursor::new(Vec::new());
    RgbImage::from_pixel(16, 16, Rgb(NUMBERS)).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let p3 = Profile::of_icc(&icc(&ColorProfile::new_display_p3())).unwrap();
    assert!(!p3.is_of_inks());
    assert!(super::super::jpeg::inks_to_srgb(jpeg.get_ref(), &p3).is_none());
}
