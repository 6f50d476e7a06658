//! Recordings of each participant: what they sent, as it came, on one time line.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};
use tokio::process::Command;
use virfie::media::port::VideoCodec;

use super::{
    guests::Guest,
    recorder::{Attention, amplitude},
    server::{ROOM, Server, until},
    studio::Studio,
};

/// Returns what a program of ffmpeg's prints; `None` (said aloud) where it is not installed.
async fn run(program: &str, file: &Path, before: &[&str], after: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(["-v", "error"]).args(before).arg(file).args(after);
    match command.output().await {
        Ok(output) => {
            assert!(output.status.success(), "{} {output:?}", file.display());
            Some(output.stdout)
        }
        Err(error) => {
            eprintln!("SKIPPED: {program} is not installed: {error}");
            None
        }
    }
}

/// Streams of a file, and the time of its first and its last packet in seconds.
async fn probe(file: &Path) -> Option<(Vec<Value>, f64, f64)> {
    let wanted = ["-of", "json", "-show_streams", "-show_entries", "packet=pts_time"];
    let found: Value = serde_json::from_slice(&run("ffprobe", file, &wanted, &[]).await?).unwrap();
    let times = found["packets"].as_array().unwrap().iter();
    let times: Vec<f64> = times.map(|packet| packet["pts_time"].as_str().unwrap().parse().unwrap()).collect();
    let (first, last) = (times.iter().copied().fold(f64::MAX, f64::min), times.iter().copied().fold(0.0, f64::max));
    Some((found["streams"].as_array().unwrap().clone(), first, last))
}

/// Returns the mean colour of the picture in the middle of a file.
async fn colour(file: &Path) -> Option<Vec<u8>> {
    let after = ["-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
    run("ffmpeg", file, &["-i"], &after).await.map(|pixels| pixels[pixels.len() / 6 * 3..][..3].to_vec())
}

async fn samples(file: &Path) -> Option<Vec<f32>> {
    let after = ["-vn", "-f", "f32le", "-ac", "1", "-ar", "48000", "-"];
    let bytes = run("ffmpeg", file, &["-i"], &after).await?;
    Some(bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_recorded_by_themselves_as_they_sent_and_on_one_time_line() {
    let server = Server::start().await;
    let studio = Studio::new();
    let red = studio.source_in(VideoCodec::Vp8, "red", 440.0);
    let blue = studio.source_in(VideoCodec::H264, "blue", 1000.0);
    let _ann = Guest::join(&server, "ann", Some(&red), Attention::Nothing).await;
    let path = format!("/rooms/{ROOM}/outputs");
    let made = server.send("POST", &path, &json!({"type": "iso", "name": "show"})).await.expect(201).json();
    assert_eq!((&made["video"], &made["audio"]), (&Value::Null, &Value::Null), "nothing is encoded: {made}");
    let begun = Instant::now();
    let output = format!("{path}/{}", made["id"].as_str().unwrap());
    let bytes = async || server.get(&output).await.expect(200).json()["bytes"].as_u64().unwrap();
    until("ann is recorded", async || (bytes().await > 20_000).then_some(())).await;
    let joined = begun.elapsed().as_secs_f64();
    let bob = Guest::join(&server, "bob", Some(&blue), Attention::Nothing).await;
    let before = bytes().await;
    until("bob is recorded, too", async || (bytes().await > before + 60_000).then_some(())).await;
    bob.vanish();
    let listed = server.get(&format!("/rooms/{ROOM}/recordings")).await.expect(200).json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let named = |ending: &str| *names.iter().find(|name| name.ends_with(ending)).unwrap_or_else(|| panic!("{names:?}"));
    let (of_ann, of_bob, beside) = (named("-ann.mkv"), named("-bob.mkv"), named(".json"));
    server.send("POST", &format!("{output}/stop"), &Value::Null).await.expect(200);
    let sidecar = async || {
        let text = server.get(&format!("/rooms/{ROOM}/recordings/{beside}")).await.expect(200);
        text.json()["files"].as_array().unwrap().clone()
    };
    let files = until("both have ended", async || {
        let files = sidecar().await;
        files.iter().all(|file| file["until"].is_f64()).then_some(files)
    })
    .await;
    println!("{files:?}");
    let entry = |name: &str| files.iter().find(|file| file["file"] == name).unwrap();
    for (name, who, codec, rgb, tone) in
        [(of_ann, "ann", "vp8", [255, 0, 0], 440.0), (of_bob, "bob", "h264", [0, 0, 255], 1000.0)]
    {
        assert_eq!(entry(name)["name"], who);
        let file = server.recording(name);
        let Some((streams, first, last)) = probe(&file).await else { return };
        let video = streams.iter().find(|stream| stream["codec_type"] == "video").unwrap();
        assert_eq!(
            (&video["codec_name"], &video["width"], &video["height"]),
            (&json!(codec), &json!(320), &json!(180))
        );
        assert!(streams.iter().any(|stream| stream["codec_name"] == "opus"), "{streams:?}");
        let (from, until) = (entry(name)["from"].as_f64().unwrap(), entry(name)["until"].as_f64().unwrap());
        println!("{name}: {first} to {last} s, reported {from} to {until}");
        assert!((first - from).abs() < 1.0 && (last - until).abs() < 1.0, "{first} {last} {from} {until}");
        let Some(found) = colour(&file).await else { return };
        assert!(found.iter().zip(rgb).all(|(is, should)| is.abs_diff(should) < 60), "{name} is {found:?}");
        let heard = samples(&file).await.unwrap();
        let second = &heard[heard.len() / 2..][..24_000];
        assert!(amplitude(second, tone) > 10.0 * amplitude(second, 700.0), "the tone of {who}");
    }
    // Both count from the same moment.
    let (first, second) = (entry(of_ann)["from"].as_f64().unwrap(), entry(of_bob)["from"].as_f64().unwrap());
    assert!(second - first > joined - 1.0 && second >= joined - 0.2, "{first} {second}, joined after {joined}");
    // Those of who receives, at whatever size their line and this machine carry.
    let encoders = server.room().await["health"]["encoders"].clone();
    assert!(encoders.as_array().unwrap().iter().all(|one| one.as_str().unwrap().starts_with("h264")), "{encoders}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_encoded_takes_no_settings_of_an_encoder() {
    let server = Server::start().await;
    for (key, value) in [
        ("preset", json!("archive")),
        ("video", json!({"fps": 15})),
        ("audio", json!({"channels": 1})),
        ("layout", json!({})),
        ("container", json!("mp4")),
        // Of those who can cut nobody out.
        ("cutouts", json!(true)),
    ] {
        let mut body = json!({"type": "iso"});
        body[key] = value;
        let refused = server.send("POST", &format!("/rooms/{ROOM}/outputs"), &body).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], format!("/{key}"), "{}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_recorded_cut_out_though_no_layer_shows_them() {
    let server = Server::start_cutting().await;
    server.put_layout(&json!({"auto": {"mode": "off"}})).await;
    let studio = Studio::new();
    let portrait = Studio::source_of(studio.portrait(), VideoCodec::Vp8, 440.0);
    let _ann = Guest::join(&server, "ann", Some(&portrait), Attention::Nothing).await;
    let path = format!("/rooms/{ROOM}/outputs");
    let recordings = async || server.get(&format!("/rooms/{ROOM}/recordings")).await.expect(200).json();
    let body = json!({"type": "iso", "name": "show", "cutouts": true});
    let made = server.send("POST", &path, &body).await.expect(201).json();
    let name = until("ann is recorded cut out", async || {
        let listed = recordings().await;
        let mut names = listed.as_array().unwrap().iter();
        let is_it = |one: &&Value| {
            one["name"].as_str().unwrap().ends_with("-ann-cutout.mov") && one["bytes"].as_u64().unwrap() > 1_500_000
        };
        names.find(is_it).map(|one| one["name"].as_str().unwrap().to_owned())
    })
    .await;
    server.send("POST", &format!("{path}/{}/stop", made["id"].as_str().unwrap()), &Value::Null).await.expect(200);
    let beside = name.replace("-ann-cutout.mov", ".json");
    let files = until("both have ended", async || {
        let text = server.get(&format!("/rooms/{ROOM}/recordings/{beside}")).await.expect(200);
        let files = text.json()["files"].as_array().unwrap().clone();
        files.iter().all(|file| file["until"].is_f64()).then_some(files)
    })
    .await;
    println!("{files:?}");
    let of = |ending: &str| files.iter().find(|file| file["file"].as_str().unwrap().ends_with(ending)).unwrap();
    let (whole, cut) = (of("-ann.mkv"), of("-ann-cutout.mov"));
    assert_eq!((&cut["cutout"], &whole["cutout"], &cut["name"]), (&json!(true), &Value::Null, &json!("ann")));
    let fetched = server.get(&format!("/rooms/{ROOM}/recordings/{name}")).await.expect(200);
    assert_eq!(fetched.header("content-type"), "video/quicktime");
    let file = server.file(&name);
    let Some((streams, first, last)) = probe(&file).await else { return };
    println!("{name}: {first} to {last} s");
    let [stream] = streams.as_slice() else { panic!("{streams:?}") };
    assert_eq!((&stream["codec_name"], &stream["width"]), (&json!("prores"), &json!(320)));
    let (from, until) = (cut["from"].as_f64().unwrap(), cut["until"].as_f64().unwrap());
    assert!((first - from).abs() < 0.01 && (last - until).abs() < 0.01, "{first} {last} {from} {until}");
    assert!((last - whole["until"].as_f64().unwrap()).abs() < 1.0, "they are on one time line: {files:?}");
    let after = ["-f", "rawvideo", "-pix_fmt", "gray", "-vf", "alphaextract", "-fps_mode", "passthrough", "-"];
    let Some(masks) = run("ffmpeg", &file, &["-i"], &after).await else { return };
    let mask = &masks[masks.len() - 320 * 180..];
    let at = |x: usize, y: usize| mask[y * 320 + x];
    let kept = mask.iter().filter(|alpha| **alpha > 250).count() as f64 / mask.len() as f64;
    // The flag at the left edge is taken for somebody now and then; the wall beside it and the rocket are not.
    let around = [(70, 6), (240, 20), (300, 90), (316, 3)].map(|(x, y)| at(x, y));
    println!("kept {kept:.2}, around {around:?}, middle {}", at(160, 120));
    assert!(around.iter().all(|alpha| *alpha < 5) && at(160, 120) > 250 && (0.2..0.4).contains(&kept));
}
