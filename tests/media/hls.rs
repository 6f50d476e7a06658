//! HLS outputs, from frames and samples to a playlist that ffmpeg plays.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use virfie::media::port::{HlsCut, HlsTarget, OutputTarget, Wishes};

use super::{
    broadcast::{FLASHES, FRAMES, beeps, flashes, play, printed},
    frames::turn,
};

/// The longest that the last segment of a stream may be, where segments are of two seconds.
const LAST: f64 = 2.1;

fn target(folder: &Path, listed: Option<u32>) -> OutputTarget {
    let cut = HlsCut { segment_seconds: 2, keyframe_seconds: 2, listed };
    OutputTarget::Hls(HlsTarget { folder: folder.to_owned(), address: "/hls/a/b/index.m3u8".to_owned(), cut, spare: 0 })
}

fn wishes(json: Value) -> Wishes {
    serde_json::from_value(json).unwrap()
}

/// Lengths of the segments, in seconds, and their files.
fn segments(playlist: &str) -> Vec<(f64, String)> {
    let lines: Vec<&str> = playlist.lines().collect();
    let length = |line: &str| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse::<f64>().ok();
    lines.windows(2).filter_map(|pair| Some((length(pair[0])?, pair[1].to_owned()))).collect()
}

/// Returns what ffprobe says; `None` (said aloud) where it is not installed.
fn probe(file: &str, arguments: &[&str]) -> Option<Value> {
    let usual = ["-v", "error", "-of", "json", "-allowed_extensions", "ALL"];
    let found = printed("ffprobe", &[&usual[..], arguments, &[file]].concat())?;
    Some(serde_json::from_slice(&found).unwrap())
}

#[test]
fn segments_are_equal_begin_with_keyframes_and_picture_and_sound_are_simultaneous() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    play(target(folder.path(), Some(6)), &wishes(json!({})));
    let folder = folder.path().join("test");
    let path = folder.join("live.m3u8");
    let playlist = fs::read_to_string(&path).unwrap();
    println!("{playlist}");
    let segments = segments(&playlist);
    let (last, equal) = segments.split_last().unwrap();
    assert!(equal.len() >= 3 && equal.iter().all(|(length, _)| *length == 2.0), "{segments:?}");
    assert!(last.0 > 0.0 && last.0 < LAST, "{segments:?}");
    assert!(playlist.contains("#EXT-X-TARGETDURATION:2\n") && playlist.ends_with("#EXT-X-ENDLIST\n"));
    assert!(!playlist.contains("#EXT-X-DISCONTINUITY\n"));
    let codecs = fs::read_to_string(folder.join("codecs")).unwrap();
    assert!(codecs.starts_with("avc1.6400") && codecs.ends_with(",mp4a.40.2"), "{codecs}");

    let path = path.to_str().unwrap();
    let Some(found) = probe(path, &["-show_streams", "-show_format"]) else { return };
    let streams = found["streams"].as_array().unwrap();
    let of = |kind: &str| streams.iter().find(|stream| stream["codec_type"] == kind).cloned().unwrap_or_default();
    let (video, audio) = (of("video"), of("audio"));
    assert_eq!((&video["codec_name"], &video["profile"]), (&json!("h264"), &json!("High")), "{found:#}");
    assert_eq!((&video["width"], &video["height"]), (&json!(320), &json!(180)));
    assert_eq!(video["r_frame_rate"], "30/1");
    assert_eq!((&audio["codec_name"], &audio["sample_rate"]), (&json!("aac"), &json!("48000")));
    for (_, file) in &segments {
        let file = folder.join(file);
        let first = ["-select_streams", "v", "-read_intervals", "%+#1", "-show_entries", "packet=flags"];
        let packets = probe(file.to_str().unwrap(), &first).unwrap();
        assert!(packets["packets"][0]["flags"].as_str().unwrap().contains('K'), "{file:?} {packets}");
    }
    let begins: f64 = found["format"]["start_time"].as_str().unwrap().parse().unwrap();
    let flashes: Vec<f64> = flashes(path).unwrap().into_iter().map(|time| time - begins).collect();
    let beeps = beeps(path).unwrap();
    println!("flashes at {flashes:?}, beeps at {beeps:?}");
    assert_eq!((flashes.len(), beeps.len()), (FLASHES.len(), FLASHES.len()));
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((beep - flash).abs() < 0.04, "{:.0} ms", (beep - flash) * 1000.0);
    }
}

#[test]
fn an_event_goes_on_after_it_was_stopped_and_changed() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    play(target(folder.path(), None), &wishes(json!({})));
    play(target(folder.path(), None), &wishes(json!({"video": {"size": "160x90", "profile": "main"}})));
    let folder = folder.path().join("test");
    let playlist = fs::read_to_string(folder.join("live.m3u8")).unwrap();
    println!("{playlist}");
    let segments = segments(&playlist);
    assert!(playlist.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"));
    assert_eq!(playlist.matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    let numbers: Vec<u64> = segments.iter().map(|(_, file)| file.trim_end_matches(".ts").parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(playlist.contains(&format!("#EXT-X-MEDIA-SEQUENCE:{}\n", numbers[0])));
    let all: f64 = segments.iter().map(|(length, _)| length).sum();
    let clip = FRAMES as f64 / 30.0;
    // What the encoder still holds at the end is not sent any more: two seconds at most.
    assert!(all > 2.0 * clip - 4.0 && all < 2.0 * clip + 0.5, "{all}");
    assert!(fs::read_to_string(folder.join("codecs")).unwrap().starts_with("avc1.4d"));
    // Each by itself: ffprobe counts only some of what comes after a discontinuity.
    let counted = ["-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets"];
    let mut frames = 0;
    for (_, file) in &segments {
        let Some(found) = probe(folder.join(file).to_str().unwrap(), &counted) else { return };
        frames += found["streams"][0]["nb_read_packets"].as_str().unwrap().parse::<u64>().unwrap();
    }
    assert!((frames as f64 - all * 30.0).abs() < 4.0, "{frames} in {all} s");
}
