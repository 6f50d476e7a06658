#![allow(clippy::unwrap_used)]
use std::time::Duration;

use serde_json::json;

use super::*;

const CANVAS: (u32, u32, u32) = (1280, 720, 30);

fn read(json: serde_json::Value) -> Result<OutputSpec, Vec<String>> {
    let document: OutputDocument = serde_json::from_value(json).unwrap();
    let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
    let spec = document.spec(&RoomName::parse("studio").unwrap(), &recordings);
    spec.map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
}

#[test]
fn the_time_of_the_next_retry_is_reported() {
    let document: OutputDocument =
        serde_json::from_value(json!({"type": "rtmp", "url": "rtmp://host/live/secretkey"})).unwrap();
    let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
    let spec = document.spec(&RoomName::parse("studio").unwrap(), &recordings).unwrap();
    let wall: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut sending = OutputEntry::new(OutputId("o1".into()), document, spec, wall);
    assert!(!sending.view(CANVAS).url.unwrap().contains("secretkey"));
    assert!(!format!("{sending:?}{:?}", sending.kept()).contains("secretkey"));
    let after = Duration::from_millis(1500);
    let fault = OutputFault::new(Blame::Destination, "refused");
    sending.set_state(OutputState::Retrying { attempt: 2, after, fault }, wall);
    let view = sending.view(CANVAS);
    assert_eq!((view.state, view.attempt), (OutputPhase::Retrying, Some(2)));
    assert_eq!(view.next_retry_at.unwrap().to_string(), "2026-01-01T00:00:01.5Z");
    assert_eq!((view.last_error.as_deref(), view.blame), (Some("refused"), Some(Blame::Destination)));
    sending.set_state(OutputState::Live, wall);
    assert_eq!(sending.view(CANVAS).last_error, None);
}

#[test]
fn every_kind_is_read_and_every_wrong_place_named() {
    let kind = |json| read(json).unwrap().target.kind();
    assert_eq!(kind(json!({"type": "rtmp", "url": "rtmp://host/app", "key": "a/b"})), OutputKind::Rtmp);
    assert_eq!(kind(json!({"type": "srt", "url": "srt://host:9000?passphrase=0123456789"})), OutputKind::Srt);
    assert_eq!(kind(json!({"type": "file", "container": "mp4", "name": "show"})), OutputKind::File);
    let whip = json!({"type": "whip", "url": "https://host/whip/room", "token": "t"});
    assert_eq!(kind(whip), OutputKind::Whip);
    let OutputTarget::Hls(hls) = read(json!({"type": "hls", "name": "main"})).unwrap().target else {
        panic!("it is HLS")
    };
    assert_eq!((hls.folder, hls.address.as_str()), ("/h/studio".into(), "/hls/studio/main/index.m3u8"));
    let OutputTarget::File(file) = read(json!({"type": "file"})).unwrap().target else { panic!("it is a file") };
    assert_eq!((file.folder, file.name.as_str()), ("/r/studio".into(), "studio"));
    for cutouts in [true, false] {
        let OutputTarget::Iso(iso) = read(json!({"type": "iso", "cutouts": cutouts})).unwrap().target else {
            panic!("it records each participant")
        };
        assert_eq!((iso.file.name.as_str(), iso.cutouts), ("studio", cutouts));
    }
    for (json, pointers) in [
        (json!({"type": "rtmp"}), vec!["/url"]),
        (json!({"type": "srt", "url": "srt://host"}), vec!["/url"]),
        (json!({"type": "srt", "url": "srt://host:1", "key": "k"}), vec!["/key"]),
        (json!({"type": "file", "url": "file:///etc/passwd"}), vec!["/url"]),
        (json!({"type": "file", "name": "../up"}), vec!["/name"]),
        (json!({"type": "whip", "token": "t"}), vec!["/url"]),
        (json!({"type": "whip", "url": "rtmp://host/app/key"}), vec!["/url"]),
        (json!({"type": "whip", "url": "https://host/w", "token": "a b"}), vec!["/token"]),
        (json!({"type": "whip", "url": "https://host/w", "key": "k"}), vec!["/key"]),
        (json!({"type": "rtmp", "url": "rtmp://h/a/k", "token": "t"}), vec!["/token"]),
        (json!({"type": "rtmp", "url": "rtmp://h/a/k", "container": "mkv"}), vec!["/container"]),
        (
            json!({"type": "srt", "url": "srt://h:1", "split": {"seconds": 9}, "paused": true}),
            vec!["/split", "/paused"],
        ),
        (json!({"type": "file", "cutouts": true}), vec!["/cutouts"]),
        (json!({"type": "file", "split": {"seconds": 1}}), vec!["/split/seconds"]),
        (json!({"type": "file", "split": {"megabytes": 0}}), vec!["/split/megabytes"]),
        (json!({"type": "file", "window": "event", "segments": 3}), vec!["/window", "/segments"]),
        (json!({"type": "hls", "url": "https://h/x", "key": "k"}), vec!["/url", "/key"]),
        (json!({"type": "hls", "segment_seconds": 4, "video": {"keyframe_seconds": 3}}), vec!["/segment_seconds"]),
        (json!({"type": "rtmp", "url": "x", "video": {"fps": 500}}), vec!["/video/fps", "/url"]),
    ] {
        assert_eq!(read(json.clone()).unwrap_err(), pointers, "{json}");
    }
}

#[test]
fn a_run_that_is_over_has_another_name() {
    let document: OutputDocument = serde_json::from_value(json!({"type": "file"})).unwrap();
    let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
    let spec = document.spec(&RoomName::parse("studio").unwrap(), &recordings).unwrap();
    let mut sending = OutputEntry::new(OutputId("o1".into()), document, spec, Timestamp::UNIX_EPOCH);
    assert!(!sending.runs());
    sending.begin(Timestamp::UNIX_EPOCH);
    assert_eq!((sending.media_id().0.as_ref(), sending.runs()), ("o1", true));
    sending.begin(Timestamp::UNIX_EPOCH);
    assert_eq!(sending.media_id().0.as_ref(), "o1.2");
    let file = Recorded { name: "studio-1.mkv".to_owned(), bytes: 7, length: Duration::from_millis(1234) };
    let told = FinishedRecording::new(&sending.media_id(), file);
    assert_eq!((&*told.output, told.seconds), ("o1", 1.23), "its files are the output's");
}
