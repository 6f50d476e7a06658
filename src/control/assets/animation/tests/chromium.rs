//! Every picture of an animation as Chromium shows it: `tests/browser/animations.mjs` has made the animations, and asked
//! it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::*;

/// Difference that channels may have: both lay half colours over each other with numbers of their own.
const APART: i32 = 2;

/// An animation, and what Chromium makes of it.
#[derive(Deserialize)]
struct Case {
    name: String,
    /// The file, in Base64.
    content: String,
    /// Number of times that it is played; `None`: again and again.
    plays: Option<u32>,
    frames: Vec<Seen>,
}

/// One picture that is shown.
#[derive(Deserialize)]
struct Seen {
    ms: u64,
    width: u32,
    /// In hexadecimal digits, four bytes each.
    pixels: String,
}

/// An animation as we play it.
struct Played {
    width: u32,
    plays: Option<u32>,
    pictures: Vec<(Vec<u8>, u64)>,
}

fn played(animation: Animation<impl Iterator<Item = Result<Part, PictureError>>>) -> Played {
    let Animation { size, plays, parts } = animation;
    let mut canvas = Canvas::new(size);
    let pictures = parts.map_while(Result::ok).map(|part| {
        let length = part.length.as_millis() as u64;
        canvas.show(part);
        (canvas.shown().to_vec(), length)
    });
    Played { width: size.0, pictures: pictures.collect(), plays: plays.map(NonZeroU32::get) }
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Returns whether two pixels look the same: what has no alpha has no colour.
fn alike(ours: &[u8], theirs: &[u8]) -> bool {
    let seen = |pixel: &[u8], channel: usize| i32::from(pixel[channel]) * i32::from(pixel[3]) / 255;
    let is_near = |channel: usize| (seen(ours, channel) - seen(theirs, channel)).abs() <= APART;
    ours[3].abs_diff(theirs[3]) <= 1 && (0..3).all(is_near)
}

#[test]
fn animations_are_shown_as_in_chromium() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("chromium.json")).unwrap();
    assert!(cases.len() > 100, "{} cases", cases.len());
    for Case { name, content, plays, frames } in cases {
        let content = BASE64_STANDARD.decode(content).unwrap();
        let ours = match PictureFormat::sniff(&content).unwrap() {
            PictureFormat::Gif => played(gif::open(&content).unwrap()),
            PictureFormat::Png => played(apng::open(&content).unwrap().unwrap()),
            _ => played(webp::open(&content).unwrap().unwrap()),
        };
        assert_eq!(ours.pictures.len(), frames.len(), "{name}");
        let moves = frames.len() > 1;
        assert_eq!(still(&content).unwrap().is_animated(), moves, "{name}");
        assert!(!moves || ours.plays == plays, "{name}: {:?}, not {plays:?}", ours.plays);
        for (number, ((pixels, ms), theirs)) in ours.pictures.iter().zip(frames).enumerate() {
            let seen = bytes(&theirs.pixels);
            assert_eq!((ours.width, pixels.len()), (theirs.width, seen.len()), "{name}, {number}");
            let differs = pixels.chunks(4).zip(seen.chunks(4)).find(|(ours, theirs)| !alike(ours, theirs));
            assert_eq!(differs, None, "{name}, {number}");
            // Chromium rounds parts of milliseconds.
            assert!(!moves || ms.abs_diff(theirs.ms) <= 1, "{name}, {number}: {ms} ms, not {}", theirs.ms);
        }
    }
}
