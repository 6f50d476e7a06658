use std::fs;

use super::{made::Place, program::segment};

#[test]
fn unreadable_input_is_reported_in_one_line_that_names_it() {
    let place = Place::new();
    let file = |name: &str, content: &[u8]| {
        let path = place.path(name);
        fs::write(&path, content).unwrap();
        path
    };
    let cut = fs::read(place.video("whole.mp4", (64, 64), 10, None)).unwrap();
    let png = fs::read(place.picture("whole.png", (64, 64))).unwrap();
    for (input, part) in [
        (place.path("nowhere.mp4"), "No such file"),
        (place.path(""), "not a file"),
        (file("empty.mp4", b""), "empty"),
        (file("text.mp4", b"This is a text, whatever its name says.\n"), "not a video that can be read"),
        (file("text.png", b"This is a text, whatever its name says.\n"), "not a video that can be read"),
        (file("noise.bin", &[7; 4000]), "not a video that can be read"),
        (file("cut.mp4", &cut[..cut.len() / 2]), "not a video that can be read"),
        (file("cut.png", &png[..png.len() / 2]), "cannot be decoded"),
        (file("old.png", b"BM\0\0\0\0\0\0\0\0"), "Bmp pictures are not read"),
    ] {
        let said = segment(&place.model, &input, &[]).refused();
        assert!(said.contains(input.to_str().unwrap()) && said.contains(part), "{said}");
    }
    assert!(!place.names().iter().any(|name| name.contains("cutout") || name.ends_with(".part")));
}

#[test]
fn an_output_that_cannot_be_is_refused_before_any_work() {
    let place = Place::new();
    let picture = place.picture("a.png", (64, 48));
    let video = place.video("a.mp4", (64, 48), 3, None);
    let before = [&picture, &video].map(|path| fs::read(path).unwrap());
    for (input, name, part) in [
        (&picture, "b.tiff", ".tiff cannot be written; png, webp, jpg, jpeg can"),
        (&picture, "b", "an ending is missing"),
        (&picture, "b.mp4", "the input is a picture"),
        (&picture, "b.jpg", "JPEG has no transparency"),
        (&picture, "a.png", "never overwritten"),
        (&video, "a.mp4", "never overwritten"),
        (&video, "b.avi", ".avi cannot be written; mp4, m4v, mov, mkv can"),
        (&video, "b.png", "the input is a video"),
        (&video, "nowhere/b.mp4", "there is no folder"),
    ] {
        let output = place.path(name);
        // An invalid model: it is not even looked at.
        let said = segment(&picture, input, &["-o", output.to_str().unwrap()]).refused();
        assert!(said.contains("--output") && said.contains(output.to_str().unwrap()) && said.contains(part), "{said}");
    }
    assert_eq!([&picture, &video].map(|path| fs::read(path).unwrap()), before);
    assert_eq!(place.names(), ["a.mp4", "a.png", "red.onnx"]);
}

#[test]
fn wrong_values_and_combinations_name_their_option() {
    let place = Place::new();
    let picture = place.picture("a.png", (64, 48));
    let video = place.video("a.mp4", (64, 48), 3, None);
    for (flags, parts) in [
        (&["--threshold", "0.04"][..], &["--threshold 0.04", "0.05 to 0.95"][..]),
        (&["--threshold", "nan"], &["--threshold NaN"]),
        (&["--threshold", "much"], &["--threshold"]),
        (&["--feather", "-0.1"], &["--feather -0.1", "0 to 1"]),
        (&["--smoothing", "0.96"], &["--smoothing 0.96", "0 to 0.95"]),
        (&["--cutout", "left_face,left_nose"], &["--cutout", "left_nose", "known are person, left_face, right_face"]),
        (&["--cutout", ""], &["--cutout"]),
        (&["--background", "#12345g"], &["--background #12345g"]),
        (&["--background", "nowhere.png"], &["--background nowhere.png", "no such file"]),
        (&["--mask", "--parts"], &["--mask and --parts"]),
        (&["--mask", "--keypoints"], &["--mask and --keypoints"]),
        (&["--mask", "--background", "blur"], &["--mask and --background"]),
        (&["--parts", "--background", "blur"], &["--parts and --background"]),
        (&["--parts", "--cutout", "person"], &["--parts and --cutout"]),
        (&["--json", "--mask"], &["--json", "--output"]),
        (&["--keypoints"], &["red.onnx", "heatmaps"]),
    ] {
        for input in [&picture, &video] {
            let said = segment(&place.model, input, flags).refused();
            assert!(parts.iter().all(|part| said.contains(part)), "{said} does not say {parts:?}");
        }
    }
    for (input, flags, part) in [
        (&picture, ["--every", "2"], "--every"),
        (&picture, ["--smoothing", "0.5"], "--smoothing"),
        (&video, ["--every", "0"], "--every 0: 1 to 60"),
        (&video, ["--every", "61"], "--every 61: 1 to 60"),
    ] {
        let said = segment(&place.model, input, &flags).refused();
        assert!(said.contains(part), "{said}");
    }
    let said = segment(&picture, &picture, &[]).refused();
    assert!(said.contains("model") && said.contains("a.png"), "{said}");
    assert_eq!(place.names(), ["a.mp4", "a.png", "red.onnx"]);
}
