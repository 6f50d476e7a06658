use std::{fs, path::Path};

use image::{ImageReader, Rgb, RgbImage, RgbaImage};
use serde_json::Value;

use super::{
    made::{MAGENTA, Place, RED, WALL, is, scene},
    program::segment,
};

const SIZE: (u32, u32) = (480, 270);
const BODY: (u32, u32) = (240, 200);
const HEAD: (u32, u32) = (240, 100);
const CORNER: (u32, u32) = (20, 20);
const FLOOR: (u32, u32) = (440, 250);

fn open(path: &Path) -> RgbaImage {
    ImageReader::open(path).unwrap().with_guessed_format().unwrap().decode().unwrap().into_rgba8()
}

fn rgb(path: &Path) -> RgbImage {
    ImageReader::open(path).unwrap().with_guessed_format().unwrap().decode().unwrap().into_rgb8()
}

#[test]
fn a_cutout_is_opaque_where_somebody_is_and_lies_beside_the_picture() {
    let place = Place::new();
    let input = place.picture("a.png", SIZE);
    let ended = segment(&place.model, &input, &[]).fine();
    let output = place.path("a.cutout.png");
    assert_eq!(ended.stdout.trim_end(), output.to_str().unwrap());
    let picture = open(&output);
    assert_eq!(picture.dimensions(), SIZE);
    for ((x, y), wanted) in [(BODY, [RED[0], RED[1], RED[2], 255]), (HEAD, [MAGENTA[0], MAGENTA[1], MAGENTA[2], 255])] {
        assert_eq!(picture.get_pixel(x, y).0, wanted);
    }
    for (x, y) in [CORNER, FLOOR, (240, 20)] {
        assert_eq!(picture.get_pixel(x, y)[3], 0, "{x},{y}");
    }
    assert_eq!(place.names(), ["a.cutout.png", "a.png", "red.onnx"]);
}

#[test]
fn what_is_transparent_stays_transparent() {
    let place = Place::new();
    let input = place.path("holes.png");
    let whole = scene(SIZE.0, SIZE.1);
    let picture = RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let Rgb([r, g, b]) = *whole.get_pixel(x, y);
        image::Rgba([r, g, b, if y < 240 { 255 } else { 100 }])
    });
    picture.save(&input).unwrap();
    let output = place.path("out.webp");
    segment(&place.model, &input, &["-o", output.to_str().unwrap()]).fine();
    let picture = open(&output);
    assert_eq!([200, 250].map(|y| picture.get_pixel(240, y)[3]), [255, 100]);
}

#[test]
fn a_mask_is_white_where_somebody_is() {
    let place = Place::new();
    let input = place.picture("a.png", SIZE);
    segment(&place.model, &input, &["--mask"]).fine();
    let mask = rgb(&place.path("a.mask.png"));
    for at in [BODY, HEAD] {
        is(&mask, at, [255; 3]);
    }
    for at in [CORNER, FLOOR] {
        is(&mask, at, [0; 3]);
    }
}

#[test]
fn parts_can_be_kept_and_painted() {
    let place = Place::new();
    let input = place.picture("a.png", SIZE);
    segment(&place.model, &input, &["--cutout", "left_face, left_hand", "--mask"]).fine();
    let mask = rgb(&place.path("a.mask.png"));
    is(&mask, HEAD, [255; 3]);
    for at in [BODY, CORNER] {
        is(&mask, at, [0; 3]);
    }
    segment(&place.model, &input, &["--parts"]).fine();
    let parts = rgb(&place.path("a.parts.png"));
    let brightness = |(x, y): (u32, u32)| parts.get_pixel(x, y).0.iter().map(|value| u32::from(*value)).sum::<u32>();
    assert!(parts.get_pixel(HEAD.0, HEAD.1).0 != parts.get_pixel(BODY.0, BODY.1).0);
    assert!(brightness(CORNER) < WALL.iter().map(|value| u32::from(*value)).sum::<u32>() / 2, "the rest is dark");
}

#[test]
fn a_background_is_a_colour_a_blur_or_a_picture() {
    let place = Place::new();
    let input = place.picture("a.png", SIZE);
    let behind = place.path("behind.png");
    // Of 800x200 onto 16:9, the outer quarters are cut off.
    RgbImage::from_fn(800, 200, |x, _| Rgb(if (200..600).contains(&x) { [30, 60, 200] } else { [255, 255, 0] }))
        .save(&behind)
        .unwrap();
    for (name, background, wanted) in [
        ("c.jpg", "#3050A0", [0x30, 0x50, 0xa0]),
        ("b.jpeg", "blur", WALL),
        ("i.png", behind.to_str().unwrap(), [30, 60, 200]),
    ] {
        let output = place.path(name);
        segment(&place.model, &input, &["--background", background, "-o", output.to_str().unwrap()]).fine();
        let picture = rgb(&output);
        assert_eq!(picture.dimensions(), SIZE);
        is(&picture, BODY, RED);
        for at in [CORNER, FLOOR] {
            is(&picture, at, wanted);
        }
    }
    assert!(open(&place.path("i.png")).pixels().all(|pixel| pixel[3] == 255));
}

#[test]
fn json_reports_the_mask_and_the_parts_and_writes_only_what_is_asked_for() {
    let place = Place::new();
    let input = place.picture("a.png", SIZE);
    let report: Value =
        serde_json::from_str(&segment(&place.model, &input, &["--json", "--parts"]).fine().stdout).unwrap();
    assert_eq!((&report["width"], &report["height"], report.get("poses")), (&480.into(), &270.into(), None));
    let coverage = report["mask"]["coverage"].as_f64().unwrap();
    assert!((0.2..0.3).contains(&coverage), "{report}");
    let side = |name: &str| report["mask"]["box"][name].as_i64().unwrap();
    assert!((side("x") - 160).abs() < 12 && (side("y") - 68).abs() < 12, "{report}");
    assert!((side("width") - 160).abs() < 24 && (side("height") - 202).abs() < 12, "{report}");
    let part = |name: &str| report["parts"][name].as_f64().unwrap();
    assert!((0.06..0.11).contains(&part("left_face")) && (0.13..0.2).contains(&part("torso_front")), "{report}");
    assert_eq!(place.names(), ["a.png", "red.onnx"]);
    let output = place.path("m.png");
    let ended = segment(&place.model, &input, &["--json", "--mask", "-o", output.to_str().unwrap()]).fine();
    assert_eq!(ended.stdout.lines().count(), 1, "the name of the file is no JSON");
    assert!(output.exists());
}

#[test]
fn an_output_of_the_same_name_is_replaced_whole() {
    let place = Place::new();
    let input = place.picture("a.png", (64, 48));
    fs::write(place.path("a.cutout.png"), "an old one").unwrap();
    segment(&place.model, &input, &["--feather", "0", "--threshold", "0.3"]).fine();
    assert_eq!(open(&place.path("a.cutout.png")).dimensions(), (64, 48));
    for size in [(1, 1), (2, 300), (3, 1)] {
        let input = place.picture("tiny.png", size);
        segment(&place.model, &input, &["--background", "blur"]).fine();
        assert_eq!(open(&place.path("tiny.cutout.png")).dimensions(), size);
    }
}
