//! RTMP outputs: into a real server, into one that comes and goes, into none, and into one that hangs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{
    events::Events,
    guests::Guest,
    nginx::{KEY, Nginx, free_port},
    recorder::{Attention, RED, Recorder},
    server::{PATIENCE, ROOM, Server, until},
    studio::Studio,
};

async fn add_output(server: &Server, url: &str) -> String {
    let body = json!({"type": "rtmp", "url": url});
    let made = server.send("POST", &format!("/rooms/{ROOM}/outputs"), &body).await.expect(201);
    assert!(!made.text().contains(KEY), "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Returns the next time, after so many events, that the output has this state.
async fn turns(events: &Events, after: usize, state: &str) -> Value {
    let is_it = |event: &Value| event["type"] == "output_changed" && event["output"]["state"] == state;
    events.wait(after, &format!("an output that is {state}"), is_it).await["output"].clone()
}

/// Returns the states that were reported, each once where it was reported many times in a row.
fn states(events: &Events) -> Vec<String> {
    let told = events.all().into_iter().filter(|event| event["type"] == "output_changed");
    let mut states: Vec<String> = told.map(|event| event["output"]["state"].as_str().unwrap().to_owned()).collect();
    states.dedup();
    states
}

/// Checks that nothing that anybody can read shows the key.
async fn is_secret(server: &Server, events: &Events, id: &str) {
    let mut texts = vec![events.text()];
    for path in ["".to_owned(), "/outputs".to_owned(), format!("/outputs/{id}")] {
        texts.push(server.get(&format!("/rooms/{ROOM}{path}")).await.expect(200).text());
    }
    for text in texts {
        assert!(text.contains("rtmp://127.0.0.1"), "the address is shown: {text}");
        assert!(!text.contains(KEY), "the key is not: {text}");
    }
}

/// Returns the streams as ffprobe sees them; `None` (said aloud) where it is not installed.
async fn probe(url: &str) -> Option<Vec<Value>> {
    let mut command = tokio::process::Command::new("ffprobe");
    command.args(["-v", "error", "-show_streams", "-of", "json", url]).kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await.expect("ffprobe finds the streams") {
        Ok(output) => {
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            Some(found["streams"].as_array().unwrap_or_else(|| panic!("{output:?}")).clone())
        }
        Err(error) => {
            eprintln!("SKIPPED: ffprobe is not installed: {error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_is_live_comes_back_after_its_server_was_killed_and_keeps_its_key_secret() {
    let Some(mut nginx) = Nginx::find() else { return };
    nginx.start().await;
    let server = Server::start_with(|config| (config.canvas.width, config.canvas.height) = (1280, 720)).await;
    let studio = Studio::new();
    let _ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let events = Events::open(&server).await;
    let begun = Instant::now();
    let id = add_output(&server, &nginx.url()).await;
    let live = turns(&events, 0, "live").await;
    println!("live after {:?}", begun.elapsed());
    assert_eq!((&live["attempt"], &live["last_error"]), (&Value::Null, &Value::Null));
    assert_eq!(states(&events), ["connecting", "live"]);
    is_secret(&server, &events, &id).await;
    if let Some(streams) = probe(&nginx.url()).await {
        let of = |kind: &str| streams.iter().find(|stream| stream["codec_type"] == kind).cloned().unwrap_or_default();
        let (video, audio) = (of("video"), of("audio"));
        assert_eq!((&video["codec_name"], &audio["codec_name"]), (&json!("h264"), &json!("aac")), "{streams:#?}");
        assert_eq!((&video["width"], &video["height"]), (&json!(1280), &json!(720)));
        let (frames, seconds) = video["avg_frame_rate"].as_str().unwrap().split_once('/').unwrap();
        let fps = frames.parse::<f64>().unwrap() / seconds.parse::<f64>().unwrap();
        assert!((fps - 30.0).abs() < 0.5, "{video:#}");
        assert_eq!(audio["sample_rate"], "48000");
    }

    let before = events.count();
    nginx.kill();
    let retrying = turns(&events, before, "retrying").await;
    assert!(retrying["attempt"].as_u64().unwrap() >= 1 && retrying["next_retry_at"].is_string(), "{retrying}");
    let error = retrying["last_error"].as_str().unwrap();
    assert!(!error.is_empty() && !error.contains(KEY), "{error}");
    is_secret(&server, &events, &id).await;

    let before = events.count();
    nginx.start().await;
    let back = Instant::now();
    let live = turns(&events, before, "live").await;
    println!("live again {:?} after its server was", back.elapsed());
    assert!(back.elapsed() < Duration::from_secs(20), "{:?}", back.elapsed());
    assert_eq!(live["last_error"], Value::Null);
    if let Some(streams) = probe(&nginx.url()).await {
        assert_eq!(streams.len(), 2, "{streams:#?}");
    }

    server.delete(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(204);
    let gone = |event: &Value| event["type"] == "output_removed" && event["id"] == *id;
    events.wait(before, "its removal", gone).await;
    assert!(!events.text().contains(KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_that_never_was_live_is_given_up_after_a_few_retries() {
    let server = Server::start().await;
    let events = Events::open(&server).await;
    let id = add_output(&server, &format!("rtmp://127.0.0.1:{}/live/{KEY}", free_port())).await;
    let failed = turns(&events, 0, "failed").await;
    assert!(!failed["last_error"].as_str().unwrap().is_empty(), "{failed}");
    let told = events.all();
    let attempts: Vec<u64> = told.iter().filter_map(|event| event["output"]["attempt"].as_u64()).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    assert!(states(&events).iter().all(|state| ["connecting", "retrying", "failed"].contains(&state.as_str())));
    assert_eq!(server.output(&id).await["state"], "failed");
    is_secret(&server, &events, &id).await;
    server.delete(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(204);
}

/// Returns frames a second that arrive, over two and a half seconds.
async fn rate(recorder: &Recorder) -> f64 {
    let begun = Instant::now();
    recorder.more_pictures(75).await;
    75.0 / begun.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_never_reads_disturbs_nobody() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    let before = rate(&ann.recorder).await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::<AtomicUsize>::default();
    let counted = accepted.clone();
    let wedge = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
            counted.store(kept.len(), Ordering::Relaxed);
        }
    });
    let events = Events::open(&server).await;
    let id = add_output(&server, &format!("rtmp://127.0.0.1:{port}/live/{KEY}")).await;
    until("the output connects", async || (accepted.load(Ordering::Relaxed) > 0).then_some(())).await;
    let during = rate(&ann.recorder).await;
    println!("{before:.1} frames a second before, {during:.1} with a target that never reads");
    assert!(during > 0.9 * before, "{before:.1} before, {during:.1} during");
    let state = server.output(&id).await;
    assert!(["connecting", "retrying"].contains(&state["state"].as_str().unwrap()), "{state}");

    // Orders to the room are carried out meanwhile, its removal too.
    let ordered = Instant::now();
    server.put_layout(&json!({"auto": {"mode": "off"}})).await;
    ann.recorder.picture("an empty canvas", |it| !it.shows(0.5, 0.5, RED)).await;
    server.delete(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(204);
    assert!(ordered.elapsed() < Duration::from_secs(2), "{:?}", ordered.elapsed());
    let after = rate(&ann.recorder).await;
    assert!(after > 0.9 * before, "{before:.1} before, {after:.1} after its removal");
    assert!(!events.text().contains(KEY));
    wedge.abort();
}

/// Returns a port that passes on to another, and all that its clients have said there.
async fn relay(to: u16) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = Arc::<Mutex<Vec<u8>>>::default();
    let heard = said.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
                    heard.lock().extend_from_slice(&bytes[..count]);
                    if to_server.write_all(&bytes[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_arrives_as_it_was_written_and_a_deleted_output_says_farewell() {
    let Some(mut nginx) = Nginx::find() else { return };
    nginx.start().await;
    let (port, said) = relay(nginx.port).await;
    let server = Server::start().await;
    let events = Events::open(&server).await;
    let base = format!("rtmp://127.0.0.1:{port}/live");
    for (body, key) in [
        (json!({"type": "rtmp", "url": format!("{base}/k1?t=a/b&s=c%2Fd+e%")}), "k1?t=a/b&s=c%2Fd+e%"),
        (json!({"type": "rtmp", "url": base, "key": "k2/f&g=h%2Bi"}), "k2/f&g=h%2Bi"),
    ] {
        said.lock().clear();
        let has = |text: &str| said.lock().windows(text.len()).any(|part| part == text.as_bytes());
        let before = events.count();
        let made = server.send("POST", &format!("/rooms/{ROOM}/outputs"), &body).await.expect(201);
        assert!(!made.text().contains(key), "{}", made.text());
        turns(&events, before, "live").await;
        // As AMF has it: a string, its length in two bytes, its text.
        let whole = |text: &str| format!("\u{2}\u{0}{}{text}", char::from(text.len() as u8));
        assert!(has(&whole("live")) && has(&whole(key)), "{key}");
        assert!(!has("FCUnpublish"));
        let id = made.json()["id"].as_str().unwrap().to_owned();
        server.delete(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(204);
        until("the end is reported", async || (has("FCUnpublish") && has("deleteStream")).then_some(())).await;
    }
    let no_key = json!({"type": "rtmp", "url": base});
    let refused = server.send("POST", &format!("/rooms/{ROOM}/outputs"), &no_key).await.expect(422).json();
    assert_eq!(refused["errors"][0]["detail"], "names no stream key, as in rtmp://host/app/key", "{refused}");
}
