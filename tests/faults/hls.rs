//! HLS from the program: what players get, that it slides and stays small, and what comes after it was killed.

use std::{collections::HashSet, fs, path::PathBuf, process::Output};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    guests::Guest,
    outputs::add,
    recorder::Attention,
    server::{ROOM, Server, until},
    studio::Studio,
};

/// Segments of two seconds, three of them listed.
fn small() -> Value {
    let video = json!({"size": "320x180", "fps": 15, "bitrate": 400, "preset": "superfast"});
    json!({"type": "hls", "name": "main", "segment_seconds": 2, "segments": 3, "video": video})
}

fn folder(data: &TempDir, id: &str) -> PathBuf {
    data.path().join("hls").join(ROOM).join(id)
}

fn files(data: &TempDir, id: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(data, id)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".ts")).collect()
}

async fn listed(server: &Server) -> Option<String> {
    let playlist = server.get(&format!("/hls/{ROOM}/main/live.m3u8")).await;
    (playlist.status == 200).then(|| playlist.text())
}

/// Returns the playlist, once it is as wanted.
async fn playlist(server: &Server, what: &str, wanted: impl Fn(&str) -> bool) -> String {
    until(what, async || listed(server).await.filter(|text| wanted(text))).await
}

fn sequence(playlist: &str) -> u64 {
    let number = playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:"));
    number.expect("every playlist has one").parse().unwrap()
}

fn numbers(playlist: &str) -> Vec<&str> {
    playlist.lines().filter(|line| !line.starts_with('#')).collect()
}

/// Lengths of the segments, in seconds.
fn lengths(playlist: &str) -> Vec<f64> {
    let lines = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
    lines.map(|line| line.trim_end_matches(',').parse().unwrap()).collect()
}

/// Returns what a program prints; `None` (said aloud) where it is not installed.
async fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).kill_on_drop(true).output().await {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(output)
        }
        Err(error) => {
            eprintln!("SKIPPED: {program} is not installed: {error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_slides_stays_small_is_played_by_others_and_begins_again_after_kill_minus_nine() {
    let (data, studio) = (TempDir::new().unwrap(), Studio::new());
    let mut server = Server::start(data.path()).await;
    let guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let id = add(&server, &small()).await;
    let first = playlist(&server, "three segments", |text| numbers(text).len() == 3).await;
    let one = server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.json();
    assert_eq!((&one["state"], &one["url"]), (&json!("live"), &json!(format!("/hls/{ROOM}/main/index.m3u8"))));

    let url = format!("{}/hls/{ROOM}/main/index.m3u8", server.base());
    let found = ["-v", "error", "-of", "json", "-show_streams", "-show_format", &url];
    if let Some(found) = run("ffprobe", &found).await {
        let found: Value = serde_json::from_slice(&found.stdout).unwrap();
        let streams = found["streams"].as_array().unwrap();
        let of = |kind: &str| streams.iter().find(|stream| stream["codec_type"] == kind).cloned().unwrap_or_default();
        let (video, audio) = (of("video"), of("audio"));
        assert_eq!((&video["codec_name"], &video["profile"]), (&json!("h264"), &json!("High")), "{found:#}");
        assert_eq!(
            (&video["width"], &video["height"], &video["r_frame_rate"]),
            (&json!(320), &json!(180), &json!("15/1"))
        );
        assert_eq!((&audio["codec_name"], &audio["sample_rate"]), (&json!("aac"), &json!("48000")));
        let frames = ["-v", "error", "-i", &url, "-frames:v", "45", "-vf", "scale=1:1", "-pix_fmt", "rgb24"];
        let frames = run("ffmpeg", &[&frames[..], &["-f", "rawvideo", "-"]].concat()).await.unwrap().stdout;
        assert_eq!(frames.len(), 45 * 3);
        // Ann is in the middle of an auto layout; red stands out.
        assert!(
            frames.chunks_exact(3).skip(30).all(|colour| colour[0] > colour[1] && colour[0] > colour[2]),
            "{frames:?}"
        );
    }

    // It slides: so many segments later, nothing of the first is there.
    let mut most = 0;
    let slid = until("the window has slid by seven segments", async || {
        most = most.max(files(&data, &id).len());
        listed(&server).await.filter(|text| sequence(text) >= sequence(&first) + 7)
    })
    .await;
    assert!((3..=8).contains(&most), "{most} files at most");
    assert_eq!(numbers(&slid).len(), 3, "{slid}");
    assert!(lengths(&slid).iter().all(|length| *length == 2.0) && !slid.contains("#EXT-X-DISCONTINUITY\n"), "{slid}");
    let newest = numbers(&slid)[2].to_owned();
    let segment = server.get(&format!("/hls/{ROOM}/main/{newest}")).await.expect(200);
    let bandwidth = server.get(&format!("/hls/{ROOM}/main/index.m3u8")).await.text();
    let bandwidth: usize = bandwidth.split("BANDWIDTH=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    println!("{} bits a second of at most {bandwidth}", segment.body.len() * 4);
    assert!(segment.body.len() * 4 <= bandwidth && segment.body.len() * 4 > bandwidth / 2);
    server.get(&format!("/hls/{ROOM}/main/{}", numbers(&first)[0])).await.expect(404);

    server.signal(Signal::KILL);
    server.ended().await;
    drop(guest);
    let before: HashSet<String> = files(&data, &id).into_iter().collect();
    assert!(!before.is_empty());
    let server = Server::start(data.path()).await;
    assert!(files(&data, &id).iter().all(|file| !before.contains(file)), "nothing old is served as live");
    let again = playlist(&server, "a fresh playlist", |text| !numbers(text).is_empty()).await;
    assert!(numbers(&again).iter().all(|file| !before.contains(*file)), "{again}");
    assert!(sequence(&again) > sequence(&slid), "{again}");

    // A change begins again with a discontinuity, and the list goes on.
    let path = format!("/rooms/{ROOM}/outputs/{id}");
    server.send("PATCH", &path, &json!({"video": {"size": "160x90"}})).await.expect(200);
    let changed = playlist(&server, "a discontinuity", |text| text.contains("#EXT-X-DISCONTINUITY\n")).await;
    assert!(sequence(&changed) < sequence(&again) + 9 && !changed.contains("#EXT-X-ENDLIST"), "{changed}");

    server.send("POST", &format!("{path}/stop"), &json!({})).await.expect(200);
    playlist(&server, "an end", |text| text.ends_with("#EXT-X-ENDLIST\n")).await;
    answer_gone(&server, &data, &id).await;
}

async fn answer_gone(server: &Server, data: &TempDir, id: &str) {
    super::server::answer(server.request("DELETE", &format!("/rooms/{ROOM}/outputs/{id}"))).await.expect(204);
    server.get(&format!("/hls/{ROOM}/main/index.m3u8")).await.expect(404);
    assert!(!folder(data, id).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_goes_on_after_kill_minus_nine() {
    let data = TempDir::new().unwrap();
    let start = async || {
        let mut command = Command::new(super::server::PROGRAM);
        command.args(super::server::arguments(data.path())).args(["--recordings-spare", "0"]);
        Server::run(command).await.expect("the server starts")
    };
    let mut server = start().await;
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let mut event = small();
    event.as_object_mut().unwrap().remove("segments");
    event["window"] = json!("event");
    let id = add(&server, &event).await;
    let before = playlist(&server, "five segments", |text| numbers(text).len() >= 5).await;
    assert!(before.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"));
    server.signal(Signal::KILL);
    server.ended().await;
    let server = start().await;
    let after = playlist(&server, "a discontinuity", |text| text.contains("#EXT-X-DISCONTINUITY\n")).await;
    assert_eq!(sequence(&after), sequence(&before));
    assert!(numbers(&after).starts_with(&numbers(&before)), "{before}\n{after}");
    let counted: Vec<u64> = numbers(&after).iter().map(|file| file.trim_end_matches(".ts").parse().unwrap()).collect();
    assert!(counted.windows(2).all(|pair| pair[1] == pair[0] + 1), "{counted:?}");
    server.send("PATCH", &format!("/rooms/{ROOM}/outputs/{id}"), &json!({"enabled": false})).await.expect(200);
    playlist(&server, "an end", |text| text.ends_with("#EXT-X-ENDLIST\n")).await;
    answer_gone(&server, &data, &id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_ends_before_its_disk_is_full_and_says_why() {
    let data = TempDir::new().unwrap();
    let mut command = Command::new(super::server::PROGRAM);
    // More than any disk has.
    command.args(super::server::arguments(data.path())).args(["--recordings-spare", "1000000000"]);
    let server = Server::run(command).await.expect("the server starts");
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let id = add(&server, &json!({"type": "hls", "window": "event"})).await;
    let told = until("the output has failed", async || {
        let output = server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.json();
        (output["state"] == "failed").then(|| output["last_error"].as_str().unwrap().to_owned())
    })
    .await;
    assert!(told.contains("MB left") && told.contains("event"), "{told}");
    server.get(&format!("/hls/{ROOM}/{ROOM}/index.m3u8")).await.expect(404);
}
