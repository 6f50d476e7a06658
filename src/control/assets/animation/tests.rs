#![allow(clippy::unwrap_used)]
use std::{borrow::Cow, io::Cursor};

use ::gif::DisposalMethod;
use ::png::{BlendOp, DisposeOp};
use image::{
    Delay, Frame, ImageEncoder as _, Rgba,
    codecs::gif::{GifEncoder, Repeat},
};

use super::*;
use crate::control::assets::{
    picture::{self, still},
    webp::{chunk, chunks},
};

mod chromium;

/// Returns a GIF that shows these colours for so many milliseconds each.
fn flat_gif(size: (u32, u32), pictures: &[([u8; 4], u32)]) -> Vec<u8> {
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
    let still = still(&flat_gif((8, 6), &[(RED, 40), (BLUE, 120), (RED, 0)])).unwrap();
    assert_eq!((still.size(), still.is_animated()), ((8, 6), true));
    // The last one does not say how long: a tenth of a second.
    let blue = |ms| still.whole_at(Duration::from_millis(ms)).planes().y[0] < 60;
    assert_eq!([0, 39, 40, 159, 160, 259, 260, 300].map(blue), [false, false, true, true, false, false, false, true]);
}

#[test]
fn what_does_not_move_is_one_picture() {
    let one = still(&flat_gif((8, 6), &[(RED, 40)])).unwrap();
    assert!(!one.is_animated());
    let mut png = Cursor::new(Vec::new());
    RgbaImage::from_pixel(5, 4, Rgba([9, 9, 9, 100])).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = still(png.get_ref()).unwrap();
    assert!(!png.is_animated() && png.size() == (5, 4) && png.whole().has_alpha());
}

#[test]
fn what_moves_for_too_long_is_refused() {
    let many = flat_gif((2, 2), &vec![(RED, 20); MAX_FRAMES + 1]);
    assert_eq!(still(&many).unwrap_err(), PictureError::TooLong);
    let large = flat_gif((4000, 3400), &[(RED, 20), (BLUE, 20), (RED, 20)]);
    assert_eq!(still(&large).unwrap_err(), PictureError::TooLong);
    assert!(still(&flat_gif((2, 2), &vec![(RED, 20); MAX_FRAMES])).is_ok());
}

#[test]
fn a_damaged_animation_shows_what_is_whole() {
    let apng = apng(false, 1, &[full(DisposeOp::None, "RRRR"), part(1, DisposeOp::Previous, BlendOp::Over, "BB")]);
    let webp = webp(1, &[(0, false, false, "RRRR"), (2, true, true, "BB")]);
    for (whole, size) in
        [(flat_gif((64, 64), &[(RED, 40), (BLUE, 40), (RED, 40)]), (64, 64)), (apng, (4, 1)), (webp, (4, 1))]
    {
        for length in 0..whole.len() {
            if let Ok(still) = still(&whole[..length]) {
                assert_eq!(still.size(), size);
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

/// Returns red, green, blue, and nothing; others by their numbers.
fn letter(pixel: &Rgba<u8>) -> String {
    match pixel.0 {
        [255, 0, 0, 255] => "R".to_owned(),
        [0, 255, 0, 255] => "G".to_owned(),
        [0, 0, 255, 255] => "B".to_owned(),
        [.., 0] => ".".to_owned(),
        [r, g, b, alpha] => format!("({r} {g} {b} {alpha})"),
    }
}

fn pixel(letter: char) -> [u8; 4] {
    match letter {
        'R' => [255, 0, 0, 255],
        'G' => [0, 255, 0, 255],
        'B' => [0, 0, 255, 255],
        // Half red.
        'r' => [255, 0, 0, 128],
        _ => [0; 4],
    }
}

/// Returns everything that is shown, one after the other, the rows with a slash between them; and how long each.
fn shown(content: &[u8]) -> Vec<(String, u64)> {
    fn all(animation: Animation<impl Iterator<Item = Result<Part, PictureError>>>) -> Vec<(String, u64)> {
        let mut canvas = Canvas::new(animation.size);
        let (width, height) = animation.size;
        let parts = animation.parts.map(|part| {
            let part = part.unwrap();
            let length = part.length.as_millis() as u64;
            canvas.show(part);
            let picture = RgbaImage::from_raw(width, height, canvas.shown().to_vec()).unwrap();
            let rows: Vec<String> = picture.rows().map(|row| row.map(letter).collect()).collect();
            (rows.join("/"), length)
        });
        parts.collect()
    }
    match PictureFormat::sniff(content).unwrap() {
        PictureFormat::Gif => all(gif::open(content).unwrap()),
        PictureFormat::Png => all(apng::open(content).unwrap().unwrap()),
        _ => all(webp::open(content).unwrap().unwrap()),
    }
}

fn pictures(content: &[u8]) -> Vec<String> {
    shown(content).into_iter().map(|(picture, _)| picture).collect()
}

/// A part of a GIF: from where, its disposal, and its pixels in one row.
type GifPart<'a> = (u16, DisposalMethod, &'a str);

fn gif_of(width: u16, plays: Option<::gif::Repeat>, parts: &[GifPart<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut encoder = ::gif::Encoder::new(&mut content, width, 1, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9]).unwrap();
    if let Some(plays) = plays {
        encoder.set_repeat(plays).unwrap();
    }
    for (left, dispose, row) in parts {
        let buffer: Vec<u8> = row.chars().map(|letter| "RGB.".find(letter).unwrap() as u8).collect();
        let frame = ::gif::Frame {
            left: *left,
            width: row.len() as u16,
            height: 1,
            dispose: *dispose,
            delay: 5,
            transparent: Some(3),
            buffer: Cow::Owned(buffer),
            ..::gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    content
}

#[test]
fn the_parts_of_a_gif_are_disposed_of_as_they_say() {
    use DisposalMethod::{Any, Background, Keep, Previous};
    let made = |parts: &[GifPart<'_>]| pictures(&gif_of(4, None, parts));
    assert_eq!(made(&[(0, Keep, "RRRR"), (1, Background, "BB"), (3, Keep, "G")]), ["RRRR", "RBBR", "R..G"]);
    assert_eq!(made(&[(0, Keep, "RRRR"), (1, Previous, "BB"), (3, Keep, "G")]), ["RRRR", "RBBR", "RRRG"]);
    assert_eq!(made(&[(0, Any, "RRRR"), (1, Any, "B."), (2, Keep, ".G")]), ["RRRR", "RBRR", "RBRG"]);
    // The first one may be smaller than the canvas, and gone without one before it.
    assert_eq!(made(&[(1, Keep, "R"), (3, Keep, "G")]), [".R..", ".R.G"]);
    assert_eq!(made(&[(0, Previous, "RR"), (3, Keep, "G")]), ["RR..", "...G"]);
    assert_eq!(made(&[(0, Background, "RR"), (1, Previous, "B"), (3, Keep, "G")]), ["RR..", ".B..", "...G"]);
    // What does not fit is cut off, except of the first, which makes the canvas larger.
    assert_eq!(made(&[(0, Keep, "RRRR"), (2, Previous, "BBBB"), (9, Keep, "G")]), ["RRRR", "RRBB", "RRRR"]);
    assert_eq!(made(&[(2, Keep, "RRRR"), (0, Keep, "G")]), ["..RRRR", "G.RRRR"]);
    let larger = gif_of(4, None, &[(2, Keep, "RRRR")]);
    assert_eq!(picture::header(&larger).unwrap().width, 6);
    assert_eq!(picture::decode(&larger).unwrap().dimensions(), (6, 1));
    // Old programs wrote 4 for 3.
    let mut old = gif_of(4, None, &[(0, Keep, "RRRR"), (1, Previous, "BB"), (3, Keep, "G")]);
    let place = old.windows(4).position(|bytes| bytes == [0x21, 0xf9, 4, 0x0d]).unwrap();
    old[place + 3] = 0x11;
    assert_eq!(pictures(&old), ["RRRR", "RBBR", "RRRG"]);
}

#[test]
fn an_animation_says_how_often_it_is_played() {
    let parts = [(0, DisposalMethod::Keep, "RRRR"), (0, DisposalMethod::Keep, "GGGG")];
    let gif = |plays| gif::open(&gif_of(4, plays, &parts)).unwrap().plays.map(NonZeroU32::get);
    // A GIF says how often it is played again.
    assert_eq!(gif(None), Some(1));
    assert_eq!(gif(Some(::gif::Repeat::Finite(2))), Some(3));
    assert_eq!(gif(Some(::gif::Repeat::Infinite)), None);
    let frames = [full(DisposeOp::None, "RRRR"), full(DisposeOp::None, "GGGG")];
    let png = |plays| apng::open(&apng(false, plays, &frames)).unwrap().unwrap().plays.map(NonZeroU32::get);
    assert_eq!((png(0), png(3)), (None, Some(3)));
    let frames = [(0, false, false, "RRRR"), (0, false, false, "GGGG")];
    let looped = |plays| webp::open(&webp(plays, &frames)).unwrap().unwrap().plays.map(NonZeroU32::get);
    assert_eq!((looped(0), looped(2)), (None, Some(2)));
    let still = still(&gif_of(4, None, &parts)).unwrap();
    let luma = |ms| still.whole_at(Duration::from_millis(ms)).planes().y[0];
    assert_eq!([0, 50, 100, 5000].map(luma), [81, 145, 145, 145], "the last one stays");
}

/// A part of an APNG: from where, its disposal, how it is laid, and its pixels in one row.
type PngPart<'a> = (u32, DisposeOp, BlendOp, &'a str);

fn part(left: u32, dispose: DisposeOp, blend: BlendOp, row: &str) -> PngPart<'_> {
    (left, dispose, blend, row)
}

fn full(dispose: DisposeOp, row: &str) -> PngPart<'_> {
    (0, dispose, BlendOp::Source, row)
}

/// Returns an APNG, of 16 bits a channel if it is `deep`.
fn apng(deep: bool, plays: u32, parts: &[PngPart<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut content, 4, 1);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(if deep { ::png::BitDepth::Sixteen } else { ::png::BitDepth::Eight });
    encoder.set_animated(parts.len() as u32, plays).unwrap();
    encoder.set_frame_delay(1, 20).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for (index, (left, dispose, blend, row)) in parts.iter().enumerate() {
        if index > 0 {
            writer.set_frame_dimension(row.len() as u32, 1).unwrap();
            writer.set_frame_position(*left, 0).unwrap();
        }
        writer.set_dispose_op(*dispose).unwrap();
        writer.set_blend_op(*blend).unwrap();
        let samples = row.chars().flat_map(pixel);
        let samples: Vec<u8> =
            if deep { samples.flat_map(|sample| [sample, sample]).collect() } else { samples.collect() };
        writer.write_image_data(&samples).unwrap();
    }
    writer.finish().unwrap();
    content
}

#[test]
fn the_parts_of_an_apng_are_laid_over_each_other_as_they_say() {
    use BlendOp::{Over, Source};
    use DisposeOp::{Background, None as Keep, Previous};
    let made = |parts: &[PngPart<'_>]| {
        let seen = pictures(&apng(false, 0, parts));
        assert_eq!(pictures(&apng(true, 0, parts)), seen, "of 16 bits");
        seen
    };
    let red = full(Keep, "RRRR");
    assert_eq!(made(&[red, part(1, Background, Source, "BB"), part(3, Keep, Source, "G")]), ["RRRR", "RBBR", "R..G"]);
    assert_eq!(made(&[red, part(1, Previous, Source, "BB"), part(3, Keep, Source, "G")]), ["RRRR", "RBBR", "RRRG"]);
    // What was cleared before a part is what it gives back.
    let cleared = full(Background, "RRRR");
    assert_eq!(made(&[cleared, part(1, Previous, Source, "BB"), part(3, Keep, Over, "G")]), ["RRRR", ".BB.", "...G"]);
    assert_eq!(made(&[full(Previous, "RRRR"), part(1, Keep, Over, "B")]), ["RRRR", ".B.."]);
    assert_eq!(made(&[red, part(0, Keep, Source, "B."), part(2, Keep, Over, "G.")]), ["RRRR", "B.RR", "B.GR"]);
    let half = made(&[full(Keep, "B..."), part(0, Keep, Over, "rr")]);
    assert_eq!(half[1], "(128 0 127 255)(255 0 0 128)..");
    assert_eq!(shown(&apng(false, 0, &[red, red]))[1].1, 50);
}

#[test]
fn the_first_picture_of_an_apng_may_be_for_others() {
    let mut content = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut content, 4, 1);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_animated(1, 0).unwrap();
    encoder.set_sep_def_img(true).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[9; 4]).unwrap();
    writer.write_image_data(&[0, 200, 255, 255]).unwrap();
    writer.finish().unwrap();
    assert_eq!(pictures(&content), ["(0 0 0 255)(200 200 200 255)(255 255 255 255)(255 255 255 255)"]);
}

fn png_chunk(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    let body = [&kind[..], inside].concat();
    let crc = !body.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    });
    [&(inside.len() as u32).to_be_bytes()[..], &body, &crc.to_be_bytes()].concat()
}

/// Returns rows as PNG keeps them, without compressing them.
fn stored(data: &[u8]) -> Vec<u8> {
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let length = data.len() as u16;
    let head = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    [&head[..], data, &(b << 16 | a).to_be_bytes()].concat()
}

#[test]
fn parts_of_an_interlaced_png_are_put_together() {
    let control = |number: u32, size: [u32; 2], place: [u32; 2]| {
        let numbers = [number, size[0], size[1], place[0], place[1]].map(u32::to_be_bytes).concat();
        png_chunk(b"fcTL", &[&numbers[..], &[0, 5, 0, 100, 0, 0]].concat())
    };
    let header = [&4u32.to_be_bytes()[..], &2u32.to_be_bytes(), &[8, 0, 0, 0, 1]].concat();
    // Passes of 4 x 2: the first pixel, the third one, the second and fourth one, the second row.
    let whole = [0, 10, 0, 30, 0, 20, 40, 0, 50, 60, 70, 80];
    // Of 2 x 2 on the right: the first pixel, the second one, the second row.
    let part = [0, 130, 0, 140, 0, 170, 180];
    let content = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &header),
        png_chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        control(0, [4, 2], [0, 0]),
        png_chunk(b"IDAT", &stored(&whole)),
        control(1, [2, 2], [2, 0]),
        png_chunk(b"fdAT", &[&2u32.to_be_bytes()[..], &stored(&part)].concat()),
        png_chunk(b"IEND", &[]),
    ]
    .concat();
    let animation = apng::open(&content).unwrap().unwrap();
    let mut canvas = Canvas::new(animation.size);
    let gray: Vec<Vec<u8>> = animation
        .parts
        .map(|part| {
            canvas.show(part.unwrap());
            canvas.shown().chunks(4).map(|pixel| pixel[0]).collect()
        })
        .collect();
    assert_eq!(gray, [[10, 20, 30, 40, 50, 60, 70, 80], [10, 20, 130, 140, 50, 60, 170, 180]]);
}

/// A part of a WebP: from where, whether it is cleared afterwards, whether it is laid over what is there, its pixels.
type WebpPart<'a> = (u32, bool, bool, &'a str);

fn moving(head: [u32; 5], flags: u8, inside: &[u8]) -> Vec<u8> {
    let numbers = head.iter().flat_map(|number| number.to_le_bytes()[..3].to_vec()).collect::<Vec<u8>>();
    chunk(b"ANMF", &[&numbers[..], &[flags], inside].concat())
}

fn webp_of(size: (u32, u32), plays: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    let [w, h] = [size.0 - 1, size.1 - 1].map(u32::to_le_bytes);
    // It moves, and says nothing of alpha.
    let head = chunk(b"VP8X", &[2, 0, 0, 0, w[0], w[1], w[2], h[0], h[1], h[2]]);
    let [low, high] = plays.to_le_bytes();
    let body = [head, chunk(b"ANIM", &[255, 255, 255, 255, low, high]), parts.concat()].concat();
    [b"RIFF", &(body.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &body].concat()
}

fn webp(plays: u16, parts: &[WebpPart<'_>]) -> Vec<u8> {
    let parts: Vec<_> = parts
        .iter()
        .map(|(left, is_cleared, is_over, row)| {
            let (mut file, width) = (Vec::new(), row.len() as u32);
            let samples: Vec<u8> = row.chars().flat_map(pixel).collect();
            let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut file);
            encoder.write_image(&samples, width, 1, image::ExtendedColorType::Rgba8).unwrap();
            let lossless = chunks(&file[12..]).find(|(kind, _)| *kind == b"VP8L").unwrap().1;
            let flags = u8::from(*is_cleared) | u8::from(!*is_over) << 1;
            moving([left / 2, 0, width - 1, 0, 50], flags, &chunk(b"VP8L", lossless))
        })
        .collect();
    webp_of((4, 1), plays, &parts)
}

#[test]
fn the_parts_of_a_webp_are_laid_over_each_other_as_they_say() {
    let made = |parts: &[WebpPart<'_>]| pictures(&webp(0, parts));
    let red = (0, false, true, "RRRR");
    assert_eq!(made(&[red, (2, true, true, "BB"), (0, false, true, "G")]), ["RRRR", "RRBB", "GR.."]);
    assert_eq!(made(&[red, (2, true, true, "B."), (0, false, true, "...G")]), ["RRRR", "RRBR", "RR.G"]);
    assert_eq!(made(&[red, (2, false, false, "B."), (0, false, false, ".")]), ["RRRR", "RRB.", ".RB."]);
    assert_eq!(made(&[(2, false, true, "RR"), (0, false, true, "G")]), ["..RR", "G.RR"]);
    assert_eq!(shown(&webp(0, &[red]))[0].1, 50);
    // One that is larger than the canvas ends it.
    let beyond = webp(0, &[red, (2, false, true, "BBB")]);
    assert!(!still(&beyond).unwrap().is_animated());
}

#[test]
fn parts_of_a_webp_without_alpha_are_cleared_too() {
    // 2 x 2 pixels of red, lossy.
    let lossy = [
        0xd0, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x02, 0x00, 0x02, 0x00, 0x02, 0x00, 0x34, 0x25, 0xa0, 0x02, 0x74, 0xba,
        0x01, 0xf8, 0x00, 0x03, 0xb0, 0x00, 0xfe, 0xf0, 0xc4, 0x0b, 0xff, 0x20, 0xb9, 0x61, 0x75, 0xc8, 0xd7, 0xff,
        0x20, 0x3f, 0xe4, 0x07, 0xfc, 0x80, 0xff, 0xf8, 0xf2, 0x00, 0x00, 0x00,
    ];
    let at = |left: u32, flags| moving([left / 2, 0, 1, 1, 0], flags, &chunk(b"VP8 ", &lossy));
    let content = webp_of((4, 2), 0, &[at(0, 1), at(2, 0)]);
    let places: Vec<Vec<bool>> = {
        let animation = webp::open(&content).unwrap().unwrap();
        let mut canvas = Canvas::new(animation.size);
        let covered = animation.parts.map(|part| {
            canvas.show(part.unwrap());
            canvas.shown().chunks(4).map(|pixel| pixel[3] == 255 && pixel[0] > 200 && pixel[2] < 60).collect()
        });
        covered.collect()
    };
    assert_eq!(places[0], [true, true, false, false, true, true, false, false]);
    assert_eq!(places[1], [false, false, true, true, false, false, true, true]);
}
