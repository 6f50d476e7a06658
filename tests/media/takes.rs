//! Recordings that go on in other files, that pause, and that have markers.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use virfie::media::port::{Container, Notes, Split, Wishes, notes};

use super::{
    broadcast::{Clip, beeps, flashes, grey, printed},
    frames::turn,
};

/// Returns when each picture is shown, and each packet of sound heard, in seconds and in order; with what it says of
/// itself.
fn packets(file: &Path, kind: &str) -> Option<Vec<(f64, String)>> {
    let file = file.to_str().unwrap();
    let arguments =
        ["-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time,flags", "-of", "json", file];
    let found: Value = serde_json::from_slice(&printed("ffprobe", &arguments)?).unwrap();
    let time = |packet: &Value| packet["pts_time"].as_str().unwrap().parse::<f64>().unwrap();
    let packets = found["packets"].as_array().unwrap().iter();
    let mut packets: Vec<_> =
        packets.map(|packet| (time(packet), packet["flags"].as_str().unwrap().to_owned())).collect();
    packets.sort_by(|one, other| one.0.total_cmp(&other.0));
    Some(packets)
}

/// Returns how grey each picture is, in order.
fn greys(file: &Path) -> Option<Vec<u8>> {
    let file = file.to_str().unwrap();
    // The plane itself: conversions differ in what they take its range for.
    let luma = "format=yuv420p,extractplanes=y,scale=1:1";
    printed("ffmpeg", &["-v", "error", "-i", file, "-vf", luma, "-fps_mode", "passthrough", "-f", "rawvideo", "-"])
}

/// Returns the number of a picture, up to eights.
fn count(found: u8) -> u64 {
    // `flat` writes luma as it is, and ffmpeg expands it to the full range.
    let luma = |number: u64| ((f64::from(grey(number)) - 16.0) * 255.0 / 219.0).round() as u8;
    (0..8).min_by_key(|number| luma(*number).abs_diff(found)).unwrap()
}

fn sidecar(file: &Path) -> String {
    format!("{}.{}", file.to_str().unwrap(), notes::SIDECAR)
}

const PACKET: f64 = 1024.0 / 48_000.0;

#[test]
fn parts_of_a_recording_follow_each_other_without_a_gap() {
    let _turn = turn();
    for container in [Container::Mkv, Container::Mp4] {
        for split in [Split::Seconds(2), Split::Megabytes(1)] {
            let folder = TempDir::new().unwrap();
            // A group of pictures of a second and a half a megabyte, most of it filler.
            let wishes = match split {
                Split::Seconds(_) => "{}",
                Split::Megabytes(_) => r#"{"video": {"bitrate": 2400, "profile": "main"}}"#,
            };
            let wishes: Wishes = serde_json::from_str(wishes).unwrap();
            let files = Clip { container, wishes, split: Some(split), frames: 300, flashes: &[] }
                .record(folder.path(), |_, _| {});
            let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_string_lossy()).collect();
            println!("{container:?} {split:?}: {names:?}");
            assert!(files.len() >= 3, "{names:?}");
            let mut next: Option<(u64, f64)> = None;
            let mut then: Option<Timestamp> = None;
            for (index, file) in files.iter().enumerate() {
                assert!(names[index].ends_with(&format!("-{:03}.{}", index + 1, container.ending())), "{names:?}");
                let (Some(pictures), Some(sound), Some(greys)) = (packets(file, "v"), packets(file, "a"), greys(file))
                else {
                    return;
                };
                assert!(pictures[0].1.contains('K') && pictures[0].0 < 0.2, "{:?}", pictures[0]);
                assert_eq!(pictures.len(), greys.len(), "each is decoded");
                // Of what the encoder still holds at the end, some later pictures may have come before earlier ones.
                let whole = if index + 1 < files.len() { greys.len() } else { greys.len() - 6 };
                for pair in greys[..whole].windows(2) {
                    assert_eq!(count(pair[1]), (count(pair[0]) + 1) % 8, "{greys:?}");
                }
                for pair in sound.windows(2) {
                    assert!((pair[1].0 - pair[0].0 - PACKET).abs() < 0.003, "{pair:?}");
                }
                // Fragmented MP4 lets a track that begins less than a packet later begin at zero.
                let off = if container == Container::Mp4 { PACKET } else { 0.005 };
                let (begins, ends) = (pictures[0].0, pictures.last().unwrap().0 + 1.0 / 30.0);
                let (first, last) = (sound[0].0, sound.last().unwrap().0 + PACKET);
                if let Some((picture, sound)) = next {
                    assert_eq!(count(greys[0]), picture, "part {}", index + 1);
                    assert!((first - begins - sound).abs() < off, "{first} {begins} {sound}");
                }
                let notes = Notes::read(&std::fs::read_to_string(sidecar(file)).unwrap());
                let (started, length) = (notes.started_at.unwrap(), notes.length.unwrap());
                if let Some(then) = then {
                    let off = started.duration_since(then).as_secs_f64();
                    assert!(off.abs() < 0.03, "part {} begins {off} s after the one before has ended", index + 1);
                }
                then = Some(started + length);
                next = Some(((count(*greys.last().unwrap()) + 1) % 8, last - ends));
                if index + 1 < files.len() {
                    match split {
                        Split::Seconds(_) => assert_eq!(pictures.len(), 60),
                        Split::Megabytes(_) => assert!(file.metadata().unwrap().len() <= 1_000_000),
                    }
                    assert!(
                        (-off..PACKET + 0.003).contains(&(last - ends)),
                        "sound ends with the picture: {last} {ends}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_paused_recording_goes_on_in_sync_and_its_markers_are_where_they_belong() {
    let _turn = turn();
    for container in [Container::Mkv, Container::Mp4] {
        let (folder, begun) = (TempDir::new().unwrap(), Timestamp::now());
        let clip =
            Clip { container, wishes: Wishes::default(), split: None, frames: 350, flashes: &[100, 150, 250, 280] };
        let files = clip.record(folder.path(), |number, output| match number {
            110 => output.mark(&"one; two".into()),
            130 => output.pause(true),
            160 => output.mark(&"paused".into()),
            190 => output.pause(false),
            270 => output.mark(&"later".into()),
            _ => {}
        });
        let [file] = files.as_slice() else { panic!("{files:?}") };
        let path = file.to_str().unwrap();
        let (Some(flashes), Some(beeps)) = (flashes(path), beeps(path)) else { return };
        let pictures = packets(file, "v").unwrap();
        println!("{container:?}: flashes at {flashes:?}, beeps at {beeps:?}, {} pictures", pictures.len());
        assert_eq!((flashes.len(), beeps.len()), (3, 3), "the one of the pause is left out");
        for (flash, beep) in flashes.iter().zip(&beeps) {
            assert!((beep - flash).abs() < 0.04, "{:.0} ms", (beep - flash) * 1000.0);
        }
        // Of what the encoder still holds at the end, some later pictures may have come before earlier ones.
        for pair in pictures[..pictures.len() - 6].windows(2) {
            assert!((pair[1].0 - pair[0].0 - 1.0 / 30.0).abs() < 0.005, "no gap: {pair:?}");
        }
        for pair in packets(file, "a").unwrap().windows(2) {
            assert!((pair[1].0 - pair[0].0 - PACKET).abs() <= PACKET / 2.0 + 0.002, "no gap: {pair:?}");
        }
        // From frame 100 to the pause, and from the next keyframe on.
        let between = flashes[1] - flashes[0];
        assert!((1.2..1.6).contains(&between), "{between} s are left of five");

        let text = std::fs::read_to_string(sidecar(file)).unwrap();
        let notes = Notes::read(&text);
        let length = notes.length.unwrap().as_secs_f64();
        assert!((length - pictures.last().unwrap().0 - 1.0 / 30.0).abs() < 0.04, "{length} {:?}", pictures.last());
        // A picture that others refer to is decoded before it is shown.
        let since = notes.started_at.unwrap().duration_since(begun).as_secs_f64();
        assert!((-0.1..5.0).contains(&since), "{since} s after the beginning: {text}");
        let marks = &notes.chapters;
        let names: Vec<_> = marks.iter().map(|mark| mark.name.as_str()).collect();
        assert_eq!(names, ["one; two", "paused", "later"], "{text}");
        let at: Vec<f64> = marks.iter().map(|mark| mark.at.as_secs_f64()).collect();
        println!("{container:?}: markers at {at:?}");
        assert!((at[0] - flashes[0] - 10.0 / 30.0).abs() < 0.07, "{at:?} {flashes:?}");
        assert!((at[1] - flashes[1] + 10.0 / 30.0).abs() < 0.4 && at[1] < flashes[1], "{at:?} {flashes:?}");
        assert!((at[2] - flashes[1] - 20.0 / 30.0).abs() < 0.07, "{at:?} {flashes:?}");
        let chaptered = match container {
            Container::Mkv => path.to_owned(),
            Container::Mp4 => {
                let out = folder.path().join("out.mp4").to_str().unwrap().to_owned();
                let sidecar = sidecar(file);
                let add = ["-v", "error", "-i", path, "-i", &sidecar, "-map_chapters", "1", "-c", "copy", &out];
                assert_eq!(printed("ffmpeg", &add), Some(Vec::new()));
                out
            }
        };
        let found = printed("ffprobe", &["-v", "error", "-show_chapters", "-of", "json", &chaptered]).unwrap();
        let found: Value = serde_json::from_slice(&found).unwrap();
        let found = found["chapters"].as_array().unwrap();
        assert_eq!(found.len(), 3, "{found:?}");
        for (index, (chapter, mark)) in found.iter().zip(marks).enumerate() {
            assert_eq!(chapter["tags"]["title"], mark.name.as_str());
            // ffmpeg's MP4 has chapters all along: the first one begins with the file.
            if index == 0 && container == Container::Mp4 {
                continue;
            }
            let begin: f64 = chapter["start_time"].as_str().unwrap().parse().unwrap();
            assert!((begin - mark.at.as_secs_f64()).abs() < 0.002, "{chapter} {mark:?}");
        }
    }
}

#[test]
fn a_recording_that_is_stopped_in_a_pause_has_what_was_before_it() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let clip =
        Clip { container: Container::Mkv, wishes: Wishes::default(), split: None, frames: 270, flashes: &[100, 190] };
    let files = clip.record(folder.path(), |number, output| {
        if number == 140 {
            output.pause(true);
        }
    });
    let path = files[0].to_str().unwrap();
    let Some(flashes) = flashes(path) else { return };
    let end = packets(&files[0], "v").unwrap().last().unwrap().0;
    assert_eq!(flashes.len(), 1);
    let after = Duration::from_secs_f64(end - flashes[0]);
    assert!((1.2..1.6).contains(&after.as_secs_f64()), "{after:?} after frame 100, paused at 140");
}
