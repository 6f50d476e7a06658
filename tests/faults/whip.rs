//! A room sent to another server by WHIP: a second Virfie, which is killed, stopped and brought back, and servers that
//! refuse, answer rubbish or not at all.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    server::{PROGRAM, ROOM, Server, arguments, until},
    studio::Studio,
};
use crate::{
    guests::Guest,
    recorder::{Attention, RED, amplitude},
};

/// A token that must be seen nowhere.
const TOKEN: &str = "a-token-of-whip-4711";
/// A source's tone has an amplitude of 0.2; with this much of it left, it is heard.
const HEARD: f64 = 0.05;
const TONE: f64 = 1000.0;

/// Starts a server that knows this key on a port that stays the same.
async fn second(data: &TempDir, port: u16, key: Option<&str>) -> Server {
    let mut command = Command::new(PROGRAM);
    let there = |argument: String| argument.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    command.args(arguments(data.path()).into_iter().map(there));
    command.args(key.into_iter().flat_map(|key| ["--api-key", key]));
    Server::run(command).await.expect("the server starts")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn add(server: &Server, body: &Value) -> String {
    let made = server.send("POST", &format!("/rooms/{ROOM}/outputs"), body).await.expect(201);
    assert!(!made.text().contains(TOKEN), "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn output(server: &Server, id: &str) -> Value {
    let output = server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(200);
    assert!(!output.text().contains(TOKEN), "{}", output.text());
    output.json()
}

async fn is(server: &Server, id: &str, state: &str) -> Value {
    let mut last = Value::Null;
    let begun = Instant::now();
    until(&format!("the output is {state}"), async || {
        let now = output(server, id).await;
        if now["state"] != last["state"] || now["last_error"] != last["last_error"] {
            println!("{:?}: {} {}", begun.elapsed(), now["state"], now["last_error"]);
            last = now.clone();
        }
        (now["state"] == state).then_some(now)
    })
    .await
}

/// Waits until a viewer of the second room sees red in the middle and hears the tone.
async fn arrives(there: &Server, guest: &Guest) {
    // Who only watches has a place of their own in the grid.
    let whole = json!({"id": "first", "source": {"participant": "first"}, "width": "100%", "height": "100%"});
    let layout = json!({"layers": [whole], "auto": {"mode": "off"}});
    there.send("PUT", &format!("/rooms/{ROOM}/layout"), &layout).await.expect(200);
    guest.recorder.picture("the first room's red", |it| it.shows(0.5, 0.5, RED)).await;
    until("the tone is heard", async || {
        let level = amplitude(&guest.recorder.fresh_samples(24_000).await, TONE);
        (level > HEARD).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_gets_picture_and_sound_and_again_after_it_was_killed_or_stopped() {
    let (data, other, studio, port) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new(), free_port());
    let server = Server::start(data.path()).await;
    let mut there = second(&other, port, None).await;
    let _ann = Guest::join(&server, "ann", Some(&studio.source("red", TONE)), Attention::Nothing).await;
    let url = format!("http://127.0.0.1:{port}/whip/{ROOM}?name=first");
    let id = add(&server, &json!({"type": "whip", "url": url, "token": TOKEN})).await;
    let live = is(&server, &id, "live").await;
    assert_eq!((&live["video"]["low_delay"], &live["video"]["profile"]), (&json!(true), &json!("baseline")));
    assert_eq!((&live["audio"]["codec"], &live["audio"]["channels"]), (&json!("opus"), &json!(2)));
    let bob = Guest::join(&there, "bob", None, Attention::Both).await;
    arrives(&there, &bob).await;
    until("what flows is reported", async || {
        let now = output(&server, &id).await;
        (now["bitrate"].as_u64() > Some(0) && now["bytes"].as_u64() > Some(10_000)).then(|| println!("{now}"))
    })
    .await;
    drop(bob);

    there.signal(Signal::KILL);
    there.ended().await;
    let killed = Instant::now();
    is(&server, &id, "retrying").await;
    println!("noticed {:?} after the kill", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(12), "{:?}", killed.elapsed());
    let there = second(&other, port, None).await;
    let back = Instant::now();
    is(&server, &id, "live").await;
    println!("live {:?} after it came back", back.elapsed());
    let bob = Guest::join(&there, "bob", None, Attention::Both).await;
    arrives(&there, &bob).await;
    drop(bob);

    there.signal(Signal::STOP);
    let stopped = Instant::now();
    is(&server, &id, "retrying").await;
    println!("noticed {:?} after the stop", stopped.elapsed());
    there.signal(Signal::CONT);
    is(&server, &id, "live").await;
    let bob = Guest::join(&there, "bob", None, Attention::Both).await;
    arrives(&there, &bob).await;
    // The room that sends has lost nothing by all this.
    assert_eq!(server.get(&format!("/rooms/{ROOM}")).await.json()["health"]["rebuilds"], 0);

    server.send("POST", &format!("/rooms/{ROOM}/outputs/{id}/stop"), &json!({})).await.expect(200);
    until("the second room has lost its sender", async || {
        let people = there.get(&format!("/rooms/{ROOM}/participants")).await.json();
        people.as_array().unwrap().iter().all(|one| one["name"] != "first").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_reported_and_final_and_a_right_one_survives_a_restart() {
    let (data, other, port) = (TempDir::new().unwrap(), TempDir::new().unwrap(), free_port());
    let mut server = Server::start(data.path()).await;
    let _there = second(&other, port, Some(TOKEN)).await;
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let url = format!("http://127.0.0.1:{port}/whip/{ROOM}");
    let wrong = add(&server, &json!({"type": "whip", "url": url, "token": "another-token"})).await;
    let failed = is(&server, &wrong, "failed").await;
    let told = failed["last_error"].as_str().unwrap();
    assert!(told.contains("401") && told.contains("token"), "{told}");
    assert_eq!(failed["blame"], "destination");
    let path = format!("/rooms/{ROOM}/outputs/{wrong}");
    server.send("PATCH", &path, &json!({"token": TOKEN})).await.expect(200);
    is(&server, &wrong, "live").await;
    let stored = data.path().join("rooms").join(format!("{ROOM}.outputs"));
    until("it is stored", async || fs::read_to_string(&stored).ok().filter(|text| text.contains(TOKEN))).await;
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&stored).unwrap().permissions()) & 0o777, 0o600);
    server.signal(Signal::KILL);
    server.ended().await;
    let server = Server::start(data.path()).await;
    is(&server, &wrong, "live").await;
}

/// Starts a server of HTTP that answers each request in one way, and reports what it was asked. `None`: it never
/// answers.
fn made(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let request = request(&mut stream);
            let response = answer(&request);
            // The test may be over.
            let _ = tell.send(request);
            match response {
                Some(response) => drop(stream.write_all(response.as_bytes())),
                None => silent.push(stream),
            }
        }
    });
    (port, told)
}

/// Returns a whole request with its body.
fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece).unwrap();
        text.push_str(&String::from_utf8_lossy(&piece[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_answer_rubbish_or_not_at_all_are_distinguished() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let to = |port: u16| json!({"type": "whip", "url": format!("http://127.0.0.1:{port}/whip/key"), "token": TOKEN});

    let (rubbish, asked) = made(|request| {
        Some(match request.starts_with("POST") {
            true => response("201 Created", "location: /s/1\r\n", "v=0\r\nm=rubbish of sdp\r\n"),
            false => response("200 OK", "", ""),
        })
    });
    let id = add(&server, &to(rubbish)).await;
    let told = is(&server, &id, "failed").await["last_error"].as_str().unwrap().to_owned();
    assert!(told.contains("answer is invalid"), "{told}");
    let asked: Vec<String> = asked.try_iter().collect();
    assert!(asked.iter().any(|request| request.starts_with("DELETE /s/1 ")), "what came of it is ended: {asked:?}");
    assert!(asked.iter().all(|request| request.contains(TOKEN)), "{asked:?}");

    let (unwilling, _asked) = made(|_| {
        Some(response("406 Not Acceptable", "content-type: application/problem+json\r\n", r#"{"detail": "no H264"}"#))
    });
    let id = add(&server, &to(unwilling)).await;
    let told = is(&server, &id, "failed").await["last_error"].as_str().unwrap().to_owned();
    assert!(told.contains("406") && told.contains("no H264"), "{told}");

    let (silent, asked) = made(|_| None);
    let id = add(&server, &to(silent)).await;
    let told = is(&server, &id, "retrying").await["last_error"].as_str().unwrap().to_owned();
    assert!(told.contains("does not answer within 10 s"), "{told}");
    assert!(asked.recv().unwrap().contains("a=sendonly"));
    server.send("POST", &format!("/rooms/{ROOM}/outputs/{id}/stop"), &json!({})).await.expect(200);
    is(&server, &id, "stopped").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_followed_and_what_began_there_ends_there() {
    let (data, other, port) = (TempDir::new().unwrap(), TempDir::new().unwrap(), free_port());
    let server = Server::start(data.path()).await;
    let there = second(&other, port, None).await;
    let target = format!("http://127.0.0.1:{port}/whip/{ROOM}?name=sent-on");
    let (first, asked) =
        made(move |_| Some(response("307 Temporary Redirect", &format!("location: {target}\r\n"), "")));
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let id = add(&server, &json!({"type": "whip", "url": format!("http://127.0.0.1:{first}/whip/any")})).await;
    is(&server, &id, "live").await;
    assert!(asked.recv().unwrap().starts_with("POST /whip/any "));
    let people = there.get(&format!("/rooms/{ROOM}/participants")).await.json();
    assert_eq!(people[0]["name"], "sent-on");
    server.request("DELETE", &format!("/rooms/{ROOM}/outputs/{id}")).send().await.unwrap();
    until("the second room is empty", async || {
        let people = there.get(&format!("/rooms/{ROOM}/participants")).await.json();
        people.as_array().unwrap().is_empty().then_some(())
    })
    .await;
    assert!(asked.try_recv().is_err(), "the session is another server's");
}
