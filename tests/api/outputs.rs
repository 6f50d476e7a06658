use std::time::Duration;

use serde_json::json;
use virfie::media::port::{Blame, MediaEvent, OutputFault, OutputId, OutputState, Segmentation};

use super::{page::Page, server::Server};

const KEY: &str = "my-stream-key";

fn fault(text: &str) -> OutputFault {
    OutputFault::new(Blame::Destination, text)
}

#[tokio::test]
async fn an_output_lives_and_never_shows_its_key() {
    let server = Server::start().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let body = json!({"type": "rtmp", "url": format!("rtmp://live.example:1935/app/{KEY}")});
    let made = server.send("POST", "/rooms/demo/outputs", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let output = made.json();
    let id = output["id"].as_str().unwrap().to_owned();
    assert_eq!((&output["type"], &output["state"]), (&json!("rtmp"), &json!("connecting")));
    assert!(output["url"].as_str().unwrap().starts_with("rtmp://live.example"));
    assert_eq!(made.header("location"), format!("/api/v1/rooms/demo/outputs/{id}"));
    let media = server.media.room("demo");
    media.wait_for(&format!("start {id}")).await;

    let mut texts = vec![made.text()];
    for state in [
        OutputState::Live,
        OutputState::Retrying { attempt: 3, after: Duration::from_secs(5), fault: fault("connection reset") },
        OutputState::Failed { fault: fault("refused") },
    ] {
        let name = match &state {
            OutputState::Live => "live",
            OutputState::Retrying { .. } => "retrying",
            _ => "failed",
        };
        media.say(MediaEvent::Output { output: OutputId(id.as_str().into()), state });
        let told = loop {
            let event = page.wait_for_event("output_changed").await;
            if event["output"]["state"] == name {
                break event;
            }
        };
        let one = server.get(&format!("/rooms/demo/outputs/{id}")).await;
        assert_eq!(one.json(), told["output"]);
        if name == "retrying" {
            assert_eq!((&one.json()["attempt"], &one.json()["last_error"]), (&json!(3), &json!("connection reset")));
            assert_eq!(one.json()["blame"], "destination");
            assert!(one.json()["next_retry_at"].as_str().unwrap().ends_with('Z'));
        }
        texts.extend([told.to_string(), one.text(), server.get("/rooms/demo/outputs").await.text()]);
    }
    texts.push(server.get("/rooms/demo").await.text());
    assert_eq!(server.delete(&format!("/rooms/demo/outputs/{id}")).await.status, 204);
    media.wait_for(&format!("stop {id}")).await;
    texts.push(page.wait_for_event("output_removed").await.to_string());
    assert!(texts.iter().all(|text| !text.contains(KEY)), "{texts:#?}");
    server.get(&format!("/rooms/demo/outputs/{id}")).await.problem(404);
    server.delete(&format!("/rooms/demo/outputs/{id}")).await.problem(404);
}

#[tokio::test]
async fn only_recordings_of_each_participant_take_cutouts_and_only_with_a_model() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let file = json!({"type": "file", "cutouts": true});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &file).await.faults(422), ["/cutouts"]);
    let iso = json!({"type": "iso", "cutouts": true});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &iso).await.status, 201);
    let none = Segmentation { model: None, reason: None, keypoints: false };
    server.media.set_segmentation(none);
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &iso).await.faults(422), ["/cutouts"]);
    assert_eq!(server.get("/rooms/demo/outputs").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn outputs_to_nowhere_are_refused_with_their_place() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for url in
        ["", "http://host/app/key", "rtmp://", "rtmp://host", "rtmp://host:0/app", "rtmp://host/a b", "file:///x"]
    {
        let refused = server.send("POST", "/rooms/demo/outputs", &json!({"type": "rtmp", "url": url})).await;
        assert_eq!(refused.faults(422), ["/url"], "{url}");
    }
    let secret = json!({"type": "rtmp", "url": format!("rtmpx://host/app/{KEY}")});
    assert!(!server.send("POST", "/rooms/demo/outputs", &secret).await.text().contains(KEY));
    assert_eq!(
        server.send("POST", "/rooms/demo/outputs", &json!({"type": "tape", "url": "x"})).await.faults(422),
        ["/type"]
    );
    server.send("POST", "/rooms/demo/outputs", &json!({"type": "rtmp"})).await.problem(422);
    let extra = json!({"type": "rtmp", "url": "rtmp://h/a/k", "bitrate": 1});
    server.send("POST", "/rooms/demo/outputs", &extra).await.problem(422);
    server.send("POST", "/rooms/none/outputs", &json!({"type": "rtmp", "url": "rtmp://h/a/k"})).await.problem(404);
    assert_eq!(server.get("/rooms/demo/outputs").await.json(), json!([]));
}

#[tokio::test]
async fn settings_of_an_output_are_shown_as_they_come_out_and_wrong_ones_named() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 1280, "height": 720, "fps": 30}})).await;
    let body = json!({
        "type": "rtmp", "url": "rtmp://h.example/a/k", "name": "main", "preset": "twitch-1080p",
        "video": {"bitrate": 5000, "preset": "superfast"}, "audio": {"channels": 1},
    });
    let made = server.send("POST", "/rooms/demo/outputs", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let output = made.json();
    let video = json!({
        "width": 1920, "height": 1080, "fps": 30, "bitrate": 5000, "keyframe_seconds": 2, "profile": "high",
        "preset": "superfast", "rate_control": "cbr", "low_delay": false,
    });
    assert_eq!(
        (&output["video"], &output["preset"], &output["name"]),
        (&video, &json!("twitch-1080p"), &json!("main"))
    );
    assert_eq!(
        output["audio"],
        json!({"codec": "aac", "bitrate": 160, "channels": 1, "sample_rate": 48000, "loudness": null})
    );
    let wrong = json!({
        "type": "srt", "url": "srt://h.example:1", "video": {"bitrate": 6_000_000, "size": "wide"}, "audio": {"channels": 8, "loudness": -40},
    });
    let faults = server.send("POST", "/rooms/demo/outputs", &wrong).await.faults(422);
    assert_eq!(faults, ["/video/size", "/video/bitrate", "/audio/channels", "/audio/loudness"]);
    let unknown = json!({"type": "file", "preset": "twitch-4k"});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &unknown).await.faults(422), ["/preset"]);
}

#[tokio::test]
async fn an_output_is_changed_stopped_and_started() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let body = json!({"type": "rtmp", "url": format!("rtmp://h.example/a/{KEY}")});
    let id = server.send("POST", "/rooms/demo/outputs", &body).await.json()["id"].as_str().unwrap().to_owned();
    let one = format!("/rooms/demo/outputs/{id}");
    let media = server.media.room("demo");
    media.wait_for(&format!("start {id}")).await;
    let changed = server.send("PATCH", &one, &json!({"video": {"bitrate": 1200}})).await;
    assert_eq!(changed.json()["video"]["bitrate"], 1200, "{changed:?}");
    media.wait_for(&format!("change {id}")).await;
    let levelled = server.send("PATCH", &one, &json!({"audio": {"loudness": -16}})).await;
    assert_eq!(levelled.json()["audio"]["loudness"], -16);
    let changed = server.send("PATCH", &one, &json!({"video": null})).await;
    assert_ne!(changed.json()["video"]["bitrate"], 1200, "null takes it away");
    for (patch, pointer) in [(json!({"video": {"fps": 0}}), "/video/fps"), (json!({"key": "a b"}), "/url")] {
        let refused = server.send("PATCH", &one, &patch).await;
        assert!(!refused.text().contains(KEY));
        assert_eq!(refused.faults(422), [pointer], "{patch}");
    }
    let refused = server.send("PATCH", &one, &json!({"url": {"x": KEY}})).await;
    assert!(refused.status == 422 && !refused.text().contains(KEY), "{refused:?}");
    let stopped = server.send("POST", &format!("{one}/stop"), &json!({})).await;
    assert_eq!((&stopped.json()["state"], &stopped.json()["enabled"]), (&json!("stopped"), &json!(false)));
    media.wait_for(&format!("stop {id}")).await;
    let all = server.send("POST", "/rooms/demo/outputs/start", &json!({})).await;
    assert_eq!(all.json()[0]["state"], "connecting");
    media.wait_for(&format!("start {id}.2")).await;
    server.send("POST", "/rooms/demo/outputs/none/start", &json!({})).await.problem(404);
}

#[tokio::test]
async fn a_patch_names_the_wrong_places_that_a_new_output_has() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let made = server.send("POST", "/rooms/demo/outputs", &json!({"type": "file"})).await.json();
    let one = format!("/rooms/demo/outputs/{}", made["id"].as_str().unwrap());
    for (patch, pointer) in [
        (json!({"video": {"fps": "x"}}), "/video/fps"),
        (json!({"video": {"foo": 1}}), "/video/foo"),
        (json!({"audio": {"channels": [1]}}), "/audio/channels"),
        (json!({"name": 5}), "/name"),
        (json!({"foo": 1}), "/foo"),
        (json!({"container": "x"}), "/container"),
        (json!({"enabled": "yes"}), "/enabled"),
    ] {
        assert_eq!(server.send("PATCH", &one, &patch).await.faults(422), [pointer], "{patch}");
        let mut new = patch.clone();
        new["type"] = json!("file");
        assert_eq!(server.send("POST", "/rooms/demo/outputs", &new).await.faults(422), [pointer], "{new}");
    }
    assert_eq!(server.get(&one).await.json()["video"], made["video"], "nothing has changed");
}

#[tokio::test]
async fn stored_secrets_do_not_go_to_another_address() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for (kind, url, other, secret) in [
        ("rtmp", "rtmp://h.example/app", "rtmp://other.example/app", "key"),
        ("whip", "https://h.example/whip/a", "http://h.example/whip/a", "token"),
    ] {
        let body = json!({"type": kind, "url": url, secret: KEY});
        let made = server.send("POST", "/rooms/demo/outputs", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (before, id) = (made.json()["url"].clone(), made.json()["id"].as_str().unwrap().to_owned());
        let one = format!("/rooms/demo/outputs/{id}");
        let pointer = format!("/{secret}");
        let refused = server.send("PATCH", &one, &json!({"url": other})).await;
        assert!(!refused.text().contains(KEY), "{refused:?}");
        assert_eq!(refused.faults(422), [pointer.as_str()]);
        let refused = server.send("PATCH", &one, &json!({"url": format!("{url}/elsewhere")})).await;
        assert_eq!(refused.faults(422), [pointer.as_str()]);
        assert_eq!(server.get(&one).await.json()["url"], before, "nothing has changed");
        let same = server.send("PATCH", &one, &json!({"url": url, "video": {"bitrate": 900}})).await;
        assert_eq!(same.status, 200, "the same address keeps it: {same:?}");
        let moved = server.send("PATCH", &one, &json!({"url": other, secret: "another-secret"})).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        let bare = if kind == "rtmp" { format!("{url}/k") } else { url.to_owned() };
        let without = server.send("PATCH", &one, &json!({"url": bare, secret: null})).await;
        assert_eq!(without.status, 200, "{without:?}");
        let free = server.send("PATCH", &one, &json!({"url": format!("{other}/k")})).await;
        assert_eq!(free.status, 200, "nothing is stored that could go there: {free:?}");
    }
}

#[tokio::test]
async fn one_room_does_not_have_more_encoded_than_leaves_room_for_others() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let large = |n: u32| {
        let canvas = json!({"width": 3840, "height": 2160, "fps": 60, "background": format!("#0000{n:02x}")});
        json!({"type": "hls", "name": format!("h{n}"), "layout": {"canvas": canvas}})
    };
    for n in 0..16 {
        let refused = server.send("POST", "/rooms/demo/outputs", &large(n)).await;
        assert!(refused.text().contains("2176x1224 would fit"), "{refused:?}");
        assert_eq!(refused.faults(422), ["/layout/canvas"]);
    }
    // What a small machine is for: the program, a standing picture, and a platform that gets more than the canvas.
    let standing = json!({"type": "file", "layout": {"canvas": {"width": 1080, "height": 1920}}});
    let platform = json!({"type": "file", "video": {"size": "1920x1080"}});
    for output in [json!({"type": "hls", "name": "main"}), standing, platform.clone(), platform] {
        let made = server.send("POST", "/rooms/demo/outputs", &output).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let other = json!({"type": "file", "video": {"size": "2560x1440"}});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &other).await.faults(422), ["/video/size"]);
    let mut later = other.clone();
    later["enabled"] = json!(false);
    let later = server.send("POST", "/rooms/demo/outputs", &later).await.json();
    let start = format!("/rooms/demo/outputs/{}/start", later["id"].as_str().unwrap());
    server.send("POST", &start, &json!({})).await.problem(409);
    server.send("POST", "/rooms/demo/outputs/start", &json!({})).await.problem(409);
    // Nor does the room grow: one of its outputs follows its canvas.
    let canvas = json!({"canvas": {"width": 3840, "height": 2160}});
    server.send("PUT", "/rooms/demo", &canvas).await.problem(409);
    server.send("PUT", "/rooms/demo/layout", &canvas).await.problem(409);
    server.send("PUT", "/rooms/demo/layout?dry_run=true", &canvas).await.problem(409);
    server.send("PUT", "/rooms/demo/scenes/large", &canvas).await;
    server.send("POST", "/rooms/demo/scenes/large/activate", &json!({})).await.problem(409);
    let document = json!({"version": 1, "layout": canvas});
    server.send("POST", "/rooms/demo/import", &document).await.problem(409);
    let scenario = json!({"scenes": [{"name": "a", "layout": canvas}]});
    server.send("PUT", "/rooms/demo/scenario", &scenario).await.problem(409);
    assert_eq!(server.get("/rooms/demo/layout").await.json()["canvas"]["width"], 1280);
    let shows = json!({"type": "file", "scene": "tall", "video": {"size": "64x64"}});
    server.send("PUT", "/rooms/demo/scenes/tall", &json!({"canvas": {"width": 64, "height": 64}})).await;
    let shows = server.send("POST", "/rooms/demo/outputs", &shows).await;
    assert_eq!(shows.status, 201, "{shows:?}");
    server.send("PUT", "/rooms/demo/scenes/tall", &canvas).await.problem(409);
    let list = json!([{"name": "tall", "layout": canvas}]);
    server.send("PUT", "/rooms/demo/scenes", &list).await.problem(409);
}

#[tokio::test]
async fn recordings_are_listed_given_in_parts_and_deleted() {
    let recordings = tempfile::TempDir::new().unwrap();
    let server = Server::start_with(|config| recordings.path().clone_into(&mut config.recordings)).await;
    let folder = recordings.path().join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("demo-1.mkv"), b"0123456789").unwrap();
    std::fs::write(folder.join("notes.txt"), b"none").unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    std::fs::File::options().write(true).open(folder.join("demo-1.mkv")).unwrap().set_modified(old).unwrap();
    std::fs::write(folder.join("demo-2.mp4"), b"growing").unwrap();
    let listed = server.get("/rooms/demo/recordings").await.json();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| (&one["name"], &one["growing"])).collect();
    assert_eq!(names, [(&json!("demo-2.mp4"), &json!(true)), (&json!("demo-1.mkv"), &json!(false))]);
    let whole = server.get("/rooms/demo/recordings/demo-1.mkv").await;
    assert_eq!(whole.text(), "0123456789", "{whole:?}");
    assert_eq!(whole.header("content-type"), "video/x-matroska");
    let part =
        server.request("GET", "/rooms/demo/recordings/demo-1.mkv").header("range", "bytes=3-5").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.text().await.unwrap(), "345");
    for name in ["notes.txt", "none.mkv", "..%2Fdemo%2Fdemo-1.mkv", ".mkv"] {
        server.get(&format!("/rooms/demo/recordings/{name}")).await.problem(404);
    }
    let elsewhere = recordings.path().join("elsewhere.mkv");
    std::fs::write(&elsewhere, "secret").unwrap();
    std::os::unix::fs::symlink(elsewhere, folder.join("link.mkv")).unwrap();
    server.get("/rooms/demo/recordings/link.mkv").await.problem(404);
    server.delete("/rooms/demo/recordings/demo-2.mp4").await.problem(409);
    assert_eq!(server.delete("/rooms/demo/recordings/demo-1.mkv").await.status, 204);
    server.delete("/rooms/demo/recordings/demo-1.mkv").await.problem(404);
    assert_eq!(server.get("/rooms/other/recordings").await.json(), json!([]));
}

#[tokio::test]
async fn recordings_pause_and_take_markers_and_other_outputs_do_not() {
    let server = Server::start().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let marker = json!({"name": "the goal"});
    server.send("POST", "/rooms/demo/markers", &marker).await.problem(409);
    let rtmp = json!({"type": "rtmp", "url": "rtmp://h.example/a/k"});
    let rtmp = server.send("POST", "/rooms/demo/outputs", &rtmp).await.json()["id"].as_str().unwrap().to_owned();
    server.send("POST", &format!("/rooms/demo/outputs/{rtmp}/pause"), &json!({})).await.problem(409);
    server.send("POST", "/rooms/demo/markers", &marker).await.problem(409);
    let file = json!({"type": "file", "split": {"seconds": 60}});
    let id = server.send("POST", "/rooms/demo/outputs", &file).await.json()["id"].as_str().unwrap().to_owned();
    let one = format!("/rooms/demo/outputs/{id}");
    let media = server.media.room("demo");
    media.say(MediaEvent::Output { output: OutputId(id.as_str().into()), state: OutputState::Live });
    let paused = server.send("POST", &format!("{one}/pause"), &json!({})).await.json();
    assert_eq!(
        (&paused["state"], &paused["bitrate"], &paused["enabled"]),
        (&json!("paused"), &json!(null), &json!(true))
    );
    media.wait_for(&format!("pause {id}")).await;
    let made = server.send("POST", "/rooms/demo/markers", &marker).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["name"], "the goal");
    media.wait_for("mark the goal").await;
    assert_eq!(page.wait_for_event("marker").await["name"], "the goal");
    let resumed = server.send("POST", &format!("{one}/resume"), &json!({})).await.json();
    assert_eq!(resumed["state"], "live");
    media.wait_for(&format!("resume {id}")).await;
    for name in ["", "  ", "a\nb", "\u{3164}", "a\u{202e}b", &"x".repeat(101)] {
        assert_eq!(server.send("POST", "/rooms/demo/markers", &json!({"name": name})).await.faults(422), ["/name"]);
    }
    for _ in 1..1000 {
        assert_eq!(server.send("POST", "/rooms/demo/markers", &marker).await.status, 201);
    }
    server.send("POST", "/rooms/demo/markers", &marker).await.problem(409);
    server.send("POST", &format!("{one}/pause"), &json!({})).await;
    server.send("POST", &format!("{one}/stop"), &json!({})).await;
    server.send("POST", &format!("{one}/pause"), &json!({})).await.problem(409);
    let again = server.send("POST", &format!("{one}/start"), &json!({})).await.json();
    assert_eq!(again["state"], "connecting", "a stop ends the pause");
    for (split, pointer) in
        [(json!({"seconds": 0}), "/split/seconds"), (json!({"seconds": null, "megabytes": 0}), "/split/megabytes")]
    {
        let refused = server.send("PATCH", &one, &json!({"split": split})).await;
        assert_eq!(refused.faults(422), [pointer]);
    }
}

#[tokio::test]
async fn a_marker_is_refused_while_the_only_recording_waits_for_its_next_try() {
    let server = Server::start().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let made = server.send("POST", "/rooms/demo/outputs", &json!({"type": "file"})).await.json();
    let id = OutputId(made["id"].as_str().unwrap().into());
    let (media, marker) = (server.media.room("demo"), json!({"name": "the goal"}));
    let broken = OutputState::Retrying { attempt: 1, after: Duration::from_secs(60), fault: fault("the disk is full") };
    for (state, name, status) in [(broken, "retrying", 409), (OutputState::Live, "live", 201)] {
        media.say(MediaEvent::Output { output: id.clone(), state });
        while page.wait_for_event("output_changed").await["output"]["state"] != name {}
        assert_eq!(server.send("POST", "/rooms/demo/markers", &marker).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_marker_is_refused_while_the_only_recording_is_paused_before_it_has_begun() {
    let server = Server::start().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let made = server.send("POST", "/rooms/demo/outputs", &json!({"type": "file", "paused": true})).await.json();
    let (id, marker) = (OutputId(made["id"].as_str().unwrap().into()), json!({"name": "the goal"}));
    assert_eq!(server.send("POST", "/rooms/demo/markers", &marker).await.status, 409);
    // One that is paused looks the same when it has begun: the news of another one comes after it.
    let other = server.send("POST", "/rooms/demo/outputs", &json!({"type": "hls"})).await.json();
    let media = server.media.room("demo");
    for output in [id, OutputId(other["id"].as_str().unwrap().into())] {
        media.say(MediaEvent::Output { output, state: OutputState::Live });
    }
    while page.wait_for_event("output_changed").await["output"]["state"] != "live" {}
    assert_eq!(server.send("POST", "/rooms/demo/markers", &marker).await.status, 201, "it has begun");
}

/// The notes beside a recording that has come to its end.
const NOTES: &str = ";FFMETADATA1\ncreation_time=2026-11-28T12:00:00.250000Z\nlength_seconds=61.500\n\
                     [CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=2000\ntitle=a\\=b\n";

#[tokio::test]
async fn recordings_of_each_participant_have_their_times_from_the_file_beside_them() {
    let recordings = tempfile::TempDir::new().unwrap();
    let server = Server::start_with(|config| recordings.path().clone_into(&mut config.recordings)).await;
    let folder = recordings.path().join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    let entry = |file: &str, until| {
        json!({"file": file, "participant": "p", "name": "Ann", "from": 1.5, "until": until,
               "video": null, "audio": true})
    };
    let files = [entry("show-Ann.mkv", json!(8)), entry("show-Ann-2.mkv", json!(null)), entry("gone.mkv", json!(9))];
    let beside = json!({"room": "demo", "started_at": "2026-11-28T12:00:00Z", "files": files});
    std::fs::write(folder.join("show.json"), beside.to_string()).unwrap();
    std::fs::write(folder.join("other.json"), "[1, 2").unwrap();
    for name in ["show-Ann.mkv", "show-Ann-2.mkv", "other.mkv"] {
        std::fs::write(folder.join(name), b"0123456789").unwrap();
    }
    let listed = server.get("/rooms/demo/recordings").await.json();
    let times = |name: &str| {
        let found = listed.as_array().unwrap().iter().find(|file| file["name"] == name).unwrap();
        (found["started_at"].clone(), found["seconds"].clone(), found["growing"].clone())
    };
    let begin = json!("2026-11-28T12:00:01.5Z");
    assert_eq!(times("show-Ann.mkv"), (begin.clone(), json!(6.5), json!(false)));
    assert_eq!(times("show-Ann-2.mkv"), (begin, json!(null), json!(true)));
    assert_eq!(times("other.mkv"), (json!(null), json!(null), json!(true)));
}

#[tokio::test]
async fn a_recording_that_an_output_holds_is_not_deleted_and_markers_go_with_it() {
    let recordings = tempfile::TempDir::new().unwrap();
    let server = Server::start_with(|config| recordings.path().clone_into(&mut config.recordings)).await;
    let folder = recordings.path().join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("demo-1.mkv");
    std::fs::write(&file, b"0123456789").unwrap();
    let sidecar = folder.join("demo-1.mkv.ffmetadata");
    std::fs::write(&sidecar, NOTES).unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(60);
    let held = std::fs::File::options().write(true).open(&file).unwrap();
    held.set_modified(old).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockShared).unwrap();
    let listed = server.get("/rooms/demo/recordings").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!((&listed[0]["started_at"], &listed[0]["seconds"]), (&json!("2026-11-28T12:00:00.25Z"), &json!(61.5)));
    assert_eq!(listed[0]["markers"], json!([{"name": "a=b", "at_seconds": 1.5}]));
    assert_eq!(listed[0]["growing"], true);
    server.delete("/rooms/demo/recordings/demo-1.mkv").await.problem(409);
    let text = server.get("/rooms/demo/recordings/demo-1.mkv.ffmetadata").await;
    assert!(text.status == 200 && text.text().starts_with(";FFMETADATA1"), "{text:?}");
    drop(held);
    server.delete("/rooms/demo/recordings/demo-1.mkv.ffmetadata").await.problem(404);
    assert_eq!(server.delete("/rooms/demo/recordings/demo-1.mkv").await.status, 204);
    assert!(!file.exists() && !sidecar.exists());
}

#[tokio::test]
async fn a_trial_refuses_what_the_room_could_not_have_encoded() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let of = |width: u32, height: u32| {
        let layout = json!({"canvas": {"width": width, "height": height, "fps": 60}});
        json!({"type": "rtmp", "url": "rtmp://h.example/a/k", "layout": layout})
    };
    let large = of(3840, 2160);
    let refused = server.send("POST", "/rooms/demo/outputs", &large).await;
    let tried = server.send("POST", "/rooms/demo/outputs/test", &large).await;
    assert_eq!(tried.faults(422), ["/layout/canvas"]);
    assert_eq!(tried.json()["errors"], refused.json()["errors"], "in the same words");
    assert_eq!(server.media.trials(), 0, "nothing was called");
    assert_eq!(server.send("POST", "/rooms/demo/outputs/test", &of(1280, 720)).await.status, 200);
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &of(1280, 720)).await.status, 201);
}
