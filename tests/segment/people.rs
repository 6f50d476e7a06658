use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    made::{Place, decode, is},
    program::segment,
};

/// Returns a file of the shared data; `None` (said aloud) where it is not there.
fn shared(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !file.exists() {
        eprintln!("SKIPPED: there is no {}", file.display());
        return None;
    }
    Some(file)
}

/// Returns a real model, and a man in the middle before a pale wall, 640x480.
fn man() -> Option<(PathBuf, PathBuf)> {
    Some((shared("models/MobileNetV1-x050-stride16.onnx")?, shared("video/asl_man_grey_tshirt.mp4")?))
}

const FACE: (f64, f64) = (315.0, 95.0);
const SHIRT: (u32, u32) = (310, 320);
const WALL: (u32, u32) = (150, 40);

#[test]
fn a_man_before_a_wall_keeps_his_face_and_all_frames_of_his_clip() {
    let Some((model, clip)) = man() else { return };
    let place = Place::new();
    let output = place.path("faces.mp4");
    let flags = ["--mask", "--cutout", "left_face,right_face", "--every", "6", "-o", output.to_str().unwrap()];
    segment(&model, &clip, &flags).fine();
    let (before, after) = (decode(&clip), decode(&output));
    let times = |video: &super::made::Decoded| video.frames.iter().map(|(time, _)| *time).collect::<Vec<_>>();
    assert_eq!(times(&after).len(), 311);
    assert_eq!(times(&before), times(&after));
    let mask = &after.frames[3].1;
    is(mask, (FACE.0 as u32, FACE.1 as u32), [255; 3]);
    is(mask, SHIRT, [0; 3]);
    is(mask, WALL, [0; 3]);
}

#[test]
fn his_nose_is_in_his_face_and_his_left_is_left_of_him() {
    let Some((model, clip)) = man() else { return };
    let stdout = segment(&model, &clip, &["--json", "--parts", "--every", "10"]).fine().stdout;
    let first: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    let best = first["poses"]
        .as_array()
        .unwrap()
        .iter()
        .max_by(|one, other| one["score"].as_f64().unwrap().total_cmp(&other["score"].as_f64().unwrap()));
    let keypoints = &best.unwrap()["keypoints"];
    let place = |name: &str| (keypoints[name]["x"].as_f64().unwrap(), keypoints[name]["y"].as_f64().unwrap());
    let nose = place("nose");
    assert!((nose.0 - FACE.0).abs() < 40.0 && (nose.1 - FACE.1).abs() < 40.0, "{nose:?}");
    assert!(place("leftShoulder").0 > place("rightShoulder").0 + 80.0, "{keypoints}");
    let part = |name: &str| first["parts"][name].as_f64().unwrap_or_default();
    assert!(part("torso_front") > 0.1 && part("left_face") > 0.005, "{}", first["parts"]);
    assert_eq!(stdout.lines().count(), 311);
}

#[test]
fn skeletons_are_drawn_over_the_whole_picture() {
    let Some((model, clip)) = man() else { return };
    let place = Place::new();
    let output = place.path("bones.mp4");
    segment(&model, &clip, &["--keypoints", "--every", "30", "-o", output.to_str().unwrap()]).fine();
    let (before, after) = (decode(&clip), decode(&output));
    let wall = before.frames[3].1.get_pixel(WALL.0, WALL.1).0;
    is(&after.frames[3].1, WALL, wall);
    let changed = before.frames[3].1.pixels().zip(after.frames[3].1.pixels());
    let changed = changed.filter(|(one, other)| one.0.iter().zip(other.0).any(|(one, other)| one.abs_diff(other) > 60));
    assert!((200..20_000).contains(&changed.count()), "some lines, and no more");
}
