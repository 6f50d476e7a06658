use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    made::{MAGENTA, Place, RED, WALL, decode, is},
    program::{command, segment},
};

const SIZE: (u32, u32) = (320, 180);
const BODY: (u32, u32) = (160, 140);
const HEAD: (u32, u32) = (160, 67);
const CORNER: (u32, u32) = (20, 20);

/// Returns a tone in Matroska, 2 s.
fn tone(place: &Place) -> std::path::PathBuf {
    place.launched(
        "tone.mka",
        "audiotestsrc num-buffers=100 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! opusenc \
         ! matroskamux ! filesink name=file",
    )
}

#[test]
fn people_stand_before_green_with_their_times_and_their_sound() {
    let place = Place::new();
    let sound = tone(&place);
    let input = place.video("a.mp4", SIZE, 50, Some(&sound));
    let ended = segment(&place.model, &input, &[]).fine();
    let output = place.path("a.cutout.mp4");
    assert_eq!(ended.stdout.trim_end(), output.to_str().unwrap());
    assert!(ended.stderr.contains("#00b140") && ended.stderr.contains("50 frames"), "{}", ended.stderr);
    let video = decode(&output);
    assert_eq!((video.shape.width, video.shape.height, video.shape.rate), (320, 180, (25, 1)));
    assert!(video.sound && (1.9..2.2).contains(&video.seconds), "{}", video.seconds);
    let times: Vec<u64> = video.frames.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, (0..50).map(|number| number * 40).collect::<Vec<u64>>());
    for (_, frame) in &video.frames {
        is(frame, BODY, RED);
        is(frame, HEAD, MAGENTA);
        is(frame, CORNER, [0, 0xb1, 0x40]);
    }
    assert_eq!(place.names(), ["a.cutout.mp4", "a.mp4", "red.onnx", "tone.mka"]);
}

#[test]
fn other_kinds_of_video_are_read_and_masks_backgrounds_and_parts_are_written() {
    let place = Place::new();
    // All red, in VP8; it has no sound.
    let input = place.launched(
        "red.bin",
        "videotestsrc num-buffers=12 pattern=red ! video/x-raw,width=320,height=180,framerate=12/1 ! vp8enc deadline=1 \
         ! webmmux ! filesink name=file",
    );
    for (name, flags) in [("m.mkv", &["--mask"][..]), ("p.mov", &["--parts", "--every", "3"])] {
        let output = place.path(name);
        segment(&place.model, &input, &[flags, &["-o", output.to_str().unwrap()]].concat()).fine();
        let video = decode(&output);
        assert_eq!((video.frames.len(), video.sound), (12, false));
        let picture = &video.frames[11].1;
        if name == "m.mkv" {
            is(picture, CORNER, [255; 3]);
        } else {
            let [r, g, b] = picture.get_pixel(160, 90).0;
            assert!((r, g, b) != (255, 0, 0), "it is painted over");
        }
    }
    let input = place.video("a.mp4", (161, 91), 5, None);
    let output = place.path("b.mp4");
    segment(&place.model, &input, &["--background", "blur", "-o", output.to_str().unwrap()]).fine();
    let video = decode(&output);
    assert_eq!((video.shape.width, video.shape.height, video.frames.len()), (162, 92, 5));
    is(&video.frames[4].1, (5, 5), WALL);
    is(&video.frames[4].1, (80, 75), RED);
}

#[test]
fn a_sideways_video_is_turned_upright() {
    let place = Place::new();
    let input = place.video("side.mp4", (192, 108), 5, None);
    let mut file = std::fs::read(&input).unwrap();
    // The matrix of the track's header: a quarter of a turn, as phones write it.
    let at = file.windows(4).position(|name| name == b"tkhd").unwrap() + 44;
    let turn: [i32; 9] = [0, 1 << 16, 0, -(1 << 16), 0, 0, 108 << 16, 0, 1 << 30];
    let turn: Vec<u8> = turn.iter().flat_map(|value| value.to_be_bytes()).collect();
    file[at..at + turn.len()].copy_from_slice(&turn);
    std::fs::write(&input, file).unwrap();
    let output = place.path("up.mp4");
    segment(&place.model, &input, &["-o", output.to_str().unwrap()]).fine();
    let video = decode(&output);
    assert_eq!((video.shape.width, video.shape.height, video.frames.len()), (108, 192, 5));
}

#[test]
fn json_is_a_line_a_frame_and_writes_nothing() {
    let place = Place::new();
    let input = place.video("a.mp4", SIZE, 7, None);
    let ended = segment(&place.model, &input, &["--json", "--every", "3"]).fine();
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 7);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!((&line["frame"], &line["seen"]), (&number.into(), &(number / 3 * 3).into()));
        assert!((line["pts"].as_f64().unwrap() - number as f64 * 0.04).abs() < 1e-3, "{line}");
        assert_eq!((&line["width"], &line["height"]), (&320.into(), &180.into()));
        assert!((0.2..0.3).contains(&line["mask"]["coverage"].as_f64().unwrap()), "{line}");
    }
    assert_eq!(place.names(), ["a.mp4", "red.onnx"]);
}

#[test]
fn a_video_that_was_cut_off_is_written_as_far_as_it_goes_and_said() {
    let place = Place::new();
    let whole = std::fs::read(place.video("whole.mkv", SIZE, 250, None)).unwrap();
    let input = place.path("half.mkv");
    std::fs::write(&input, &whole[..whole.len() / 2]).unwrap();
    let ended = segment(&place.model, &input, &["--mask"]).fine();
    assert!(ended.stderr.contains("half.mkv: its pictures end after"), "{}", ended.stderr);
    let frames = decode(&place.path("half.mask.mp4")).frames.len();
    assert!((50..200).contains(&frames), "{frames}");
}

#[test]
fn who_interrupts_it_finds_no_half_file() {
    let place = Place::new();
    let input = place.video("long.mp4", (640, 360), 1500, None);
    let mut child = command(&place.model, &input, &["--background", "blur"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    // Until it writes.
    while !place.names().iter().any(|name| name.ends_with(".part")) {
        assert!(begun.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "virfie: stopped; nothing was written\n");
    assert_eq!(place.names(), ["long.mp4", "red.onnx"]);
}
