//! Virfie's own scenarios, with three people whose poses the test says: what is where, by the numbers of the original.
//! Images are stand-ins of one colour.

use serde_json::Value;
use virfie::{
    layout::{
        Canvas, KeypointName,
        scenario::{Asset, Imported, Named, Node, import},
    },
    media::port::Image,
};

use super::{
    frames::{shared, turn},
    golden::compare_canvas,
    triggers::{Play, plain, pose},
};

const PEOPLE: [&str; 3] = ["1", "2", "3"];
const COLOURS: [[u8; 3]; 3] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
const PAGE: [u8; 3] = [0x11; 3];
const BACKGROUND: [u8; 3] = [90, 90, 90];
const OVERLAY: [u8; 3] = [255, 255, 0];
const CHEERS: [u8; 3] = [255, 255, 255];

/// Returns the canvas of most rooms: Virfie's 800x600 is 960x720 in its middle.
fn base() -> Canvas {
    Canvas::default()
}

/// Returns where a point of Virfie's canvas is.
fn at(x: f64, y: f64) -> (usize, usize) {
    ((160.0 + 1.2 * x) as usize, (1.2 * y) as usize)
}

/// Returns the size of a stand-in.
fn size(named: &Named) -> (u32, u32) {
    match named.name.as_str() {
        "Club-Virfie-Bar-Beer-Glass.png" => (300, 329),
        name if name.starts_with("backgroundlight") => (800, 445),
        _ => (400, 400),
    }
}

fn asset(named: &Named) -> Option<Asset> {
    let (width, height) = size(named);
    Some(if named.name.ends_with(".mp3") { Asset::Sound } else { Asset::Image(width, height) })
}

fn imported(file: &str) -> Option<Imported> {
    let text = std::fs::read_to_string(shared(&format!("virfie/{file}"))?).unwrap();
    let imported = import(&Node::parse(&text).unwrap(), &base(), &asset).unwrap();
    assert_eq!(imported.warnings, []);
    Some(imported)
}

fn images(imported: &Imported) -> Vec<Image> {
    let image = |named: &Named| {
        let colour = match named.path.as_str() {
            path if path.contains("background light") || path.contains("cheers/") => CHEERS,
            path if path.contains("high resolution background") || path.contains("backgroundwithcrowd") => BACKGROUND,
            _ => OVERLAY,
        };
        plain(&named.name, size(named), colour)
    };
    imported.assets.iter().map(|(named, _)| named).filter(|named| !named.name.ends_with(".mp3")).map(image).collect()
}

fn play(imported: &Imported, scene: usize) -> Play {
    // Sounds are not part of this.
    let mut layout: Value = imported.scenes[scene].layout.clone();
    layout.as_object_mut().unwrap().remove("music");
    Play::new(&layout, &base(), &PEOPLE, images(imported))
}

/// Everybody's frame is as large as Virfie's; keypoints are places in it, as the camera sees them.
fn put(play: &Play, keypoints: [&[(KeypointName, f32, f32)]; 3], ms: u64) {
    for ((name, colour), keypoints) in PEOPLE.into_iter().zip(COLOURS).zip(keypoints) {
        let shares: Vec<_> = keypoints.iter().map(|(name, x, y)| (*name, x / 800.0, y / 600.0)).collect();
        play.put(name, (800, 600), colour, pose(&shares), ms);
    }
}

/// Asserts what is to be seen at places of Virfie's canvas.
fn see(play: &Play, places: &[(f64, f64, [u8; 3])]) {
    for (x, y, colour) in places {
        let (px, py) = at(*x, *y);
        assert!(play.shows(px, py, *colour), "at {x}, {y} is {:?}, not {colour:?}", play.at(px, py));
    }
}

#[test]
fn people_stand_at_the_entrance_as_the_original_places_them() {
    let _turn = turn();
    let Some(imported) = imported("club_virfie.json") else { return };
    let mut play = play(&imported, 0);
    put(&play, [&[], &[], &[]], 0);
    play.show(0);
    let [red, green, blue] = COLOURS;
    // 1: -120..520 x 90..570; 2: 0..640 x 60..540; 3: 120..760 x 90..570; the higher z-index in front.
    see(
        &play,
        &[
            (5.0, 560.0, red),
            (50.0, 300.0, green),
            (300.0, 70.0, green),
            (300.0, 300.0, blue),
            (750.0, 560.0, blue),
            (770.0, 300.0, BACKGROUND),
            (300.0, 30.0, BACKGROUND),
        ],
    );
    // Who stands half outside is not seen beside the picture.
    for x in [5, 150, 1130, 1270] {
        assert!(play.shows(x, 360, PAGE), "{x}");
    }
    compare_canvas("club-entrance", &play.canvas);
}

#[test]
fn a_polaroid_is_shown_once_all_noses_are_in_the_middle_and_a_picture_is_taken() {
    let _turn = turn();
    let Some(imported) = imported("club_virfie.json") else { return };
    let mut play = play(&imported, 0);
    // Mirrored: x 800 - 400 = 400 of 800, times 0.8, from -120 on: 200. The middle part begins at 240.
    let outside: &[_] = &[(KeypointName::Nose, 400.0, 300.0)];
    // 800 - 300 = 500: 280, and so on.
    let inside: &[_] = &[(KeypointName::Nose, 300.0, 300.0)];
    put(&play, [outside, inside, inside], 0);
    assert!(play.show(0).is_empty());
    put(&play, [inside, inside, inside], 40);
    assert_eq!(play.show(40), [("gather_at_center".to_owned(), PEOPLE.map(str::to_owned).to_vec())]);
    assert!(play.show(80).is_empty());
    put(&play, [inside, inside, inside], 5000);
    play.show(5039);
    assert_eq!(play.stage.take_photos().count(), 0);
    play.show(5040);
    let photos: Vec<_> = play.stage.take_photos().collect();
    assert_eq!((photos.len(), photos[0].picture.width, photos[0].picture.height), (1, 420, 408));
    assert_eq!(photos[0].sound.as_deref(), Some("camera-shutter-click-01.mp3"));
}

#[test]
fn beers_are_in_hands_and_cheers_are_seen_once_all_are_in_the_middle() {
    let _turn = turn();
    let Some(imported) = imported("club_virfie.json") else { return };
    let mut play = play(&imported, 1);
    let wrist = KeypointName::RightWrist;
    // Of 1 only. Mirrored 400 is 400; times 0.75, from 0, 120: A is 300, 345.
    put(&play, [&[(wrist, 400.0, 300.0)], &[], &[]], 0);
    play.show(0);
    // 300x329 at 0.75 is 225x246.75; its middle is A + (130, 40) less half of that: 317.5, 261.6; it is 1.5 times as
    // large.
    let (x, y, width, height) = (317.5, 261.6, 337.5, 370.1);
    let inside = 3.0;
    see(
        &play,
        &[
            (x, y, OVERLAY),
            (x - width / 2.0 + inside, y, OVERLAY),
            (x + width / 2.0 - inside, y, OVERLAY),
            (x, y - height / 2.0 + inside, OVERLAY),
            (x, y + height / 2.0 - inside, OVERLAY),
        ],
    );
    for (px, py) in [at(x - width / 2.0 - inside, y), at(x + width / 2.0 + inside, y), at(x, y + height / 2.0 + inside)]
    {
        assert!(!play.shows(px, py, OVERLAY));
    }

    // The area is 200..600 x 90..510. 2 is 640x480 from 240, 60; 3 is 800x600 from -120, 180.
    let two: &[_] = &[(wrist, 600.0, 300.0)]; // 240 + 160 = 400, 60 + 240 = 300
    let three: &[_] = &[(wrist, 300.0, 200.0)]; // -120 + 500 = 380, 180 + 200 = 380
    let far: &[_] = &[(wrist, 100.0, 200.0)]; // -120 + 700 = 580, 380: inside
    let below: &[_] = &[(wrist, 300.0, 400.0)]; // 380, 580: outside
    let one: &[_] = &[(wrist, 400.0, 300.0)];
    let cheered = |play: &Play| {
        let ((x, y), (left, right)) = (at(400.0, 200.0), (at(205.0, 200.0), at(595.0, 200.0)));
        [(x, y), left, right].map(|(x, y)| play.shows(x, y, CHEERS))
    };
    put(&play, [one, two, below], 40);
    assert!(play.show(40).is_empty());
    assert_eq!(cheered(&play), [false; 3]);
    put(&play, [one, two, three], 80);
    assert_eq!(play.show(80)[0].0, "beer_at_center");
    assert_eq!(cheered(&play), [true; 3]);
    compare_canvas("club-bar", &play.canvas);
    put(&play, [one, two, far], 120);
    assert!(play.show(120).is_empty());
    assert_eq!(cheered(&play), [true; 3]);
    put(&play, [one, two, below], 160);
    play.show(160);
    assert_eq!(cheered(&play), [false; 3]);
}

#[test]
fn lights_are_over_the_dance_hall() {
    let _turn = turn();
    let Some(imported) = imported("club_virfie.json") else { return };
    let mut play = play(&imported, 2);
    put(&play, [&[], &[], &[]], 0);
    play.show(0);
    // The lights are 800x445 from 0, 0; below them people: 3 is 600x450 from 80, 180, in front of all.
    see(
        &play,
        &[(400.0, 5.0, OVERLAY), (795.0, 440.0, OVERLAY), (400.0, 460.0, COLOURS[2]), (795.0, 595.0, COLOURS[1])],
    );
    compare_canvas("club-dancehall", &play.canvas);
}

#[test]
fn space_wiggles_while_all_noses_are_in_the_middle() {
    let _turn = turn();
    let Some(imported) = imported("space_wiggle.json") else { return };
    let mut play = play(&imported, 0);
    let nose = |x: f32| [(KeypointName::Nose, x, 200.0)];
    // 1 from -80 by 0.85, 2 from 80 by 0.9, 3 from 240 by 0.85; the middle is 240..560.
    let middle = [nose(400.0), nose(450.0), nose(600.0)];
    put(&play, [&middle[0], &middle[1], &nose(300.0)], 0);
    assert!(play.show(1571).is_empty());
    let still: Vec<_> = (0..20).map(|n| play.at(at(100.0 + 30.0 * f64::from(n), 300.0).0, 360)).collect();
    put(&play, [&middle[0], &middle[1], &middle[2]], 1571);
    assert_eq!(play.show(1571)[0].0, "gather_at_center");
    let wiggled: Vec<_> = (0..20).map(|n| play.at(at(100.0 + 30.0 * f64::from(n), 300.0).0, 360)).collect();
    assert!(still != wiggled);
    assert!(play.shows(100, 360, PAGE) && play.shows(1200, 360, PAGE), "nothing is drawn beside the picture");
    compare_canvas("space-wiggle", &play.canvas);
}

#[test]
fn weather_icons_are_over_heads() {
    let _turn = turn();
    let Some(imported) = imported("emotion_tracker.json") else { return };
    let mut play = play(&imported, 0);
    // Only 2 is seen: 680x510 from 0, 120; mirrored 400 is 400: 340, 120 + 425 = 545.
    put(&play, [&[], &[(KeypointName::Nose, 400.0, 500.0)], &[]], 0);
    assert_eq!(play.show(0)[0].0, "tracking_emotions");
    // 200 wide, its middle 150 above the nose.
    see(&play, &[(340.0, 395.0, OVERLAY), (243.0, 298.0, OVERLAY), (437.0, 492.0, OVERLAY)]);
    let colours = COLOURS.map(|colour| {
        [(237.0, 395.0), (443.0, 395.0)].map(|(x, y)| {
            let (x, y) = at(x, y);
            play.shows(x, y, colour)
        })
    });
    assert!(colours.iter().any(|seen| seen[0]) && colours.iter().any(|seen| seen[1]), "people beside it");
    compare_canvas("emotion-tracker", &play.canvas);
}
