//! Outputs after the program was killed, and on a disk that is full: files that ffprobe reads, and what the room says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    server::{PROGRAM, ROOM, Server, arguments, until},
    studio::Studio,
};
use crate::{guests::Guest, recorder::Attention, with_disk};

/// A key that must be seen nowhere.
pub const PASSPHRASE: &str = "a-secret-of-srt-4711";

pub fn port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns what ffprobe says of a file; `None` (said aloud) where it is not installed.
async fn probe(file: &Path, arguments: &[&str]) -> Option<Value> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json"]).args(arguments).arg(file);
    match command.output().await {
        Ok(output) => Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))),
        Err(error) => {
            eprintln!("SKIPPED: ffprobe is not installed: {error}");
            None
        }
    }
}

/// Returns times of the keyframes of a file, in seconds, and of its last picture.
pub async fn keyframes(file: &Path) -> Option<(Vec<f64>, f64)> {
    let found = probe(file, &["-select_streams", "v", "-show_entries", "packet=pts_time,flags"]).await?;
    let packets = found["packets"].as_array().unwrap();
    let time = |packet: &Value| packet["pts_time"].as_str().unwrap().parse::<f64>().unwrap();
    let keys = packets.iter().filter(|packet| packet["flags"].as_str().unwrap().contains('K'));
    let last = packets.iter().map(time).fold(0.0, f64::max);
    Some((keys.map(time).collect(), last))
}

/// Returns times of the pictures of a file, in seconds and in order.
pub async fn pictures(file: &Path) -> Option<Vec<f64>> {
    let found = probe(file, &["-select_streams", "v", "-show_entries", "packet=pts_time"]).await?;
    let packets = found["packets"].as_array().unwrap().iter();
    let mut times: Vec<f64> = packets.map(|packet| packet["pts_time"].as_str().unwrap().parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    Some(times)
}

pub async fn add(server: &Server, body: &Value) -> String {
    let made = server.send("POST", &format!("/rooms/{ROOM}/outputs"), body).await.expect(201);
    assert!(!made.text().contains(PASSPHRASE), "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Starts a server whose recordings leave so many megabytes free, however full this machine's disk is.
pub async fn start(data: &Path, spare: &str) -> Server {
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data)).args(["--recordings-spare", spare]);
    Server::run(command).await.expect("the server starts")
}

async fn states(server: &Server) -> Vec<Value> {
    let outputs = server.get(&format!("/rooms/{ROOM}/outputs")).await.expect(200).json();
    outputs.as_array().unwrap().clone()
}

async fn all_are(server: &Server, state: &str) {
    until(&format!("all outputs are {state}"), async || {
        let outputs = states(server).await;
        outputs.iter().all(|output| output["state"] == state).then_some(())
    })
    .await;
}

/// Receives what is sent by SRT, into a file.
pub fn receive(port: u16, file: &Path) -> Option<Child> {
    let address = format!("srt://127.0.0.1:{port}?mode=listener&passphrase={PASSPHRASE}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i", &address, "-c", "copy"]).arg(file);
    let started = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
    started.inspect_err(|error| eprintln!("SKIPPED: ffmpeg is not installed: {error}")).ok()
}

fn recordings(data: &Path, begins: &str) -> Vec<PathBuf> {
    let folder = data.join("recordings").join(ROOM);
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy();
        name.starts_with(begins) && !name.ends_with(".ffmetadata")
    };
    let mut files: Vec<_> = files.filter(named).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outputs_are_live_again_after_kill_minus_nine_and_recordings_play_to_their_end() {
    let (data, studio, srt) = (TempDir::new().unwrap(), Studio::new(), port());
    let mut server = start(data.path(), "0").await;
    let first = data.path().join("first.ts");
    let Some(mut ffmpeg) = receive(srt, &first) else { return };
    let guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    add(&server, &json!({"type": "file", "name": "show", "video": {"preset": "ultrafast"}})).await;
    let mp4 = json!({"type": "file", "name": "clip", "container": "mp4", "video": {"preset": "ultrafast"}});
    add(&server, &mp4).await;
    let url = format!("srt://127.0.0.1:{srt}?passphrase={PASSPHRASE}");
    let small = json!({"size": "320x180", "fps": 15, "bitrate": 400, "keyframe_seconds": 1, "profile": "main"});
    add(&server, &json!({"type": "srt", "url": url, "video": small})).await;
    all_are(&server, "live").await;
    let live = Instant::now();
    until("six seconds are on the disk", async || (live.elapsed() > Duration::from_secs(6)).then_some(())).await;
    server.signal(Signal::KILL);
    server.ended().await;
    drop(guest);
    // The other end notices that nobody is there, and waits for the next caller.
    ffmpeg.kill().await.unwrap();

    for name in ["show", "clip"] {
        let files = recordings(data.path(), name);
        let [file] = files.as_slice() else { panic!("{files:?}") };
        let Some((keys, last)) = keyframes(file).await else { return };
        println!("{name}: keyframes at {keys:?}, the last picture at {last} s");
        assert!(last > 4.0, "{name} ends at {last} s, killed after more than 6");
        assert!(keys.len() >= 2 && keys.windows(2).all(|pair| (pair[1] - pair[0] - 2.0).abs() < 0.005), "{keys:?}");
    }
    if let Some((keys, _)) = keyframes(&first).await {
        assert!(keys.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 0.005), "{keys:?}");
        let streams = probe(&first, &["-show_streams"]).await.unwrap();
        let video =
            streams["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == "video").unwrap();
        assert_eq!((&video["width"], &video["height"], &video["profile"]), (&json!(320), &json!(180), &json!("Main")));
        assert_eq!(video["avg_frame_rate"], "15/1");
    }

    let second = data.path().join("second.ts");
    let _ffmpeg = receive(srt, &second);
    let begun = Instant::now();
    let server = start(data.path(), "0").await;
    all_are(&server, "live").await;
    println!("all outputs live {:?} after the start", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(recordings(data.path(), "show").len(), 2, "nothing is written over");
    let list = server.get(&format!("/rooms/{ROOM}/recordings")).await.expect(200);
    assert_eq!(list.json().as_array().unwrap().len(), 4, "{}", list.text());
    let private = fs::metadata(data.path().join("rooms").join(format!("{ROOM}.outputs"))).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&private.permissions()) & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_ends_before_its_disk_is_full_and_says_why() {
    let data = TempDir::new().unwrap();
    // More than any disk has: it is as good as full.
    let server = start(data.path(), "1000000000").await;
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let id = add(&server, &json!({"type": "file"})).await;
    all_are(&server, "failed").await;
    let output = server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.json();
    let told = output["last_error"].as_str().unwrap();
    assert!(told.contains("disk") && told.contains("MB left"), "{told}");
    assert_eq!((&output["blame"], &output["attempt"]), (&json!("operator"), &Value::Null));
    server.get(&format!("/rooms/{ROOM}")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_that_is_nearly_full_a_recording_ends_whole_though_nothing_was_to_be_spared() {
    let (data, studio) = (TempDir::new().unwrap(), Studio::new());
    let folder = data.path().join("recordings");
    fs::create_dir(&folder).unwrap();
    // Four megabytes more than are left free in any case: four seconds of this recording.
    let mut command = with_disk(&folder, "20m");
    command.args(arguments(data.path())).args(["--recordings-spare", "0"]).stderr(Stdio::inherit());
    let Some(server) = Server::run(command).await else {
        eprintln!("SKIPPED: this system lets nobody mount a small disk");
        return;
    };
    let guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    let settings = json!({"bitrate": 8000, "preset": "ultrafast"});
    let id = add(&server, &json!({"type": "file", "name": "show", "video": settings})).await;
    let output = until("the recording has ended", async || {
        let output = server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.json();
        (output["state"] == "failed").then_some(output)
    })
    .await;
    let told = output["last_error"].as_str().unwrap();
    assert!(told.contains("less than 16 MB left"), "{told}");
    // The room goes on, and so does what was written.
    guest.recorder.more_pictures(30).await;
    let list = server.get(&format!("/rooms/{ROOM}/recordings")).await.json();
    let [recording] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
    let path = format!("/rooms/{ROOM}/recordings/{}", recording["name"].as_str().unwrap());
    let file = data.path().join("fetched.mkv");
    fs::write(&file, server.get(&path).await.expect(200).body).unwrap();
    if let Some(times) = pictures(&file).await {
        println!("{} pictures up to {:?} s", times.len(), times.last());
        assert!(times.len() > 60 && times.last().is_some_and(|last| *last > 2.0), "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_recording_stays_so_after_kill_minus_nine_until_it_is_resumed() {
    let (data, studio) = (TempDir::new().unwrap(), Studio::new());
    let mut server = start(data.path(), "0").await;
    let guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let body = json!({"type": "file", "name": "show", "split": {"seconds": 2}, "video": {"preset": "ultrafast"}});
    let id = add(&server, &body).await;
    until("a second part is written", async || (recordings(data.path(), "show").len() >= 2).then_some(())).await;
    let one = format!("/rooms/{ROOM}/outputs/{id}");
    server.send("POST", &format!("{one}/pause"), &json!({})).await.expect(200);
    let stored = data.path().join("rooms").join(format!("{ROOM}.outputs"));
    until("the pause is on the disk", async || fs::read_to_string(&stored).ok().filter(|text| text.contains("paused")))
        .await;
    server.signal(Signal::KILL);
    server.ended().await;
    drop(guest);
    let before = recordings(data.path(), "show");
    let (keys, _) = match keyframes(&before[0]).await {
        Some(found) => found,
        None => return,
    };
    assert_eq!(keys.len(), 1, "the first part is whole: {keys:?}");

    let server = start(data.path(), "0").await;
    all_are(&server, "paused").await;
    let _guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    assert_eq!(recordings(data.path(), "show"), before, "nothing is written before it is resumed");
    server.send("POST", &format!("{one}/resume"), &json!({})).await.expect(200);
    all_are(&server, "live").await;
    assert!(recordings(data.path(), "show").len() > before.len());
}
