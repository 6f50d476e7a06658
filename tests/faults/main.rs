//! The program as a process, and what happens to machines: it is killed, stopped for a while, its disk is full, its
//! clock jumps, a thread of it breaks, it may have no more threads. What was put is there again, and people see and
//! hear each other.

#![allow(clippy::unwrap_used, missing_docs)]

mod broken;
mod fonts;
mod group;
#[path = "../room/guests.rs"]
mod guests;
mod hls;
mod hooks;
#[path = "../room/http.rs"]
mod http;
mod memory;
mod outputs;
mod plugin;
#[path = "../api/receiver.rs"]
mod receiver;
#[path = "../room/recorder.rs"]
mod recorder;
mod senders;
mod server;
mod starting;
#[path = "../room/studio.rs"]
mod studio;
mod threads;
mod wedged;
mod whip;

use std::{fs, io::Cursor, path::Path, process::Stdio, sync::Arc, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, time::sleep};
use virfie::bot::source::Source;

use guests::Guest;
use recorder::{Attention, RED, amplitude};
use server::{PROGRAM, ROOM, Server, answer, arguments, library, until};
use studio::Studio;

/// The time for which a machine may be stopped: a lid that is closed, a virtual machine that is moved.
const STOPPED: Duration = Duration::from_secs(30);

/// Returns the room as it is on the disk.
fn stored(data: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(data.join("rooms").join(format!("{ROOM}.json"))).ok()?).ok()
}

fn alike(is: [u8; 3], should: [u8; 3]) -> bool {
    is.iter().zip(should).all(|(is, should)| is.abs_diff(should) < 12)
}

/// Returns a picture that nothing makes smaller: about three bytes a pixel.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |_, _| image::Rgb(rand::random()));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

async fn put_asset(server: &Server, name: &str, png: Vec<u8>) -> server::Answer {
    answer(server.request("PUT", &format!("/assets/{name}")).header("content-type", "image/png").body(png)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_directory_is_refused_in_one_line() {
    let data = TempDir::new().unwrap();
    let mut first = Server::start(data.path()).await;
    let second = Command::new(PROGRAM).args(arguments(data.path())).output().await.unwrap();
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(2), "{told}");
    let line = told.lines().last().unwrap_or_default();
    assert!(line.contains(data.path().to_str().unwrap()) && line.contains("another server uses it"), "{told}");
    first.get("/rooms").await.expect(200);
    first.signal(Signal::TERM);
    assert_eq!(first.ended().await.code(), Some(0));
    // A lock that its holder did not give back is free all the same.
    let mut killed = Server::start(data.path()).await;
    killed.signal(Signal::KILL);
    killed.ended().await;
    Server::start(data.path()).await.get("/rooms").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_is_there_after_kill_minus_nine() {
    const KEY: &str = "a-key-that-is-long-enough-for-everybody-and-then-some";
    let data = TempDir::new().unwrap();
    let start = async || {
        let mut command = Command::new(PROGRAM);
        command.args(arguments(data.path())).env("VIRFIE_API_KEY", KEY);
        Server::run(command).await.expect("the server starts")
    };
    let mut server = start().await;
    let send = async |server: &Server, method: &str, path: &str, body: &Value| {
        answer(server.request(method, path).bearer_auth(KEY).json(body)).await
    };
    let logo = noise(8, 8);
    let put = server.request("PUT", "/assets/logo.png").header("content-type", "image/png").bearer_auth(KEY);
    answer(put.body(logo.clone())).await.expect(201);
    send(&server, "PUT", "/rooms/demo", &json!({"max_participants": 3})).await.expect(201);
    send(&server, "PUT", "/rooms/demo/scenes/Intro", &json!({"layers": []})).await.expect(201);
    let blue = json!({"canvas": {"background": "#0000ff"}, "auto": {"mode": "off"}});
    send(&server, "PUT", "/rooms/demo/layout", &blue).await.expect(200);
    let token = send(&server, "POST", "/tokens", &json!({"room": ROOM, "role": "viewer"})).await.expect(200).json();
    let token = token["token"].as_str().unwrap().to_owned();
    until("the room is on the disk", async || {
        stored(data.path()).filter(|room| room["layout"]["canvas"]["background"] == "#0000ff")
    })
    .await;
    server.signal(Signal::KILL);
    server.ended().await;

    let server = start().await;
    let get = async |path: &str, key: &str| answer(server.request("GET", path).bearer_auth(key)).await;
    let room = get("/rooms/demo", &token).await.expect(200).json();
    assert_eq!((&room["settings"]["max_participants"], &room["scenes"]), (&json!(3), &json!(["Intro"])));
    assert_eq!(get("/assets/logo.png", KEY).await.expect(200).body, logo);
    let png = get("/rooms/demo/snapshot.png", KEY).await.expect(200).body;
    let middle = image::load_from_memory(&png).unwrap().to_rgb8().get_pixel(320, 180).0;
    assert!(alike(middle, [0, 0, 255]), "{middle:?}");
}

/// Returns the program, with a disk of its own and of this size at a folder, which nobody else sees. Ends at once on a
/// system that lets nobody mount.
fn with_disk(folder: &Path, size: &str) -> Command {
    let script = "mount -t tmpfs -o size=$2,mode=700 tmpfs \"$1\" || exit 7; shift 2; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(folder).args([size, PROGRAM]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_reported_and_what_waited_is_stored_when_there_is_room_again() {
    let data = TempDir::new().unwrap();
    let mut command = with_disk(data.path(), "1m");
    command.args(arguments(data.path())).stderr(Stdio::inherit());
    let Some(mut server) = Server::run(command).await else {
        eprintln!("SKIPPED: this system lets nobody mount a small disk");
        return;
    };
    let readiness = async || server.get("/readyz").await.json();
    server.send("PUT", "/rooms/demo", &json!({})).await.expect(201);
    // Until nothing more goes in.
    let mut fillers = 0;
    for (width, height) in [(512, 400), (256, 200), (100, 80), (40, 30), (24, 20)] {
        loop {
            let put = put_asset(&server, &format!("filler{fillers}.png"), noise(width, height)).await;
            if !put.status.is_success() {
                assert!(put.json()["detail"].is_string(), "{}", put.text());
                break;
            }
            fillers += 1;
        }
    }
    assert!(fillers > 0, "something goes in");
    let layers: Vec<Value> = (0..60).map(|n| json!({"id": format!("l{n}"), "source": {"color": "#0000ff"}})).collect();
    let scene = json!({"layers": layers});
    for number in 0..20 {
        server.send("PUT", &format!("/rooms/demo/scenes/s{number}"), &scene).await.expect(201);
    }
    let told = until("the full disk is reported", async || {
        let ready = readiness().await;
        (ready["storage"]["unstored_rooms"] == 1).then_some(ready)
    })
    .await;
    assert_eq!(told["status"], "degraded");
    assert!(told["storage"]["error"].as_str().unwrap().contains("No space left"), "{told}");
    // The room goes on.
    let blue = json!({"canvas": {"background": "#0000ff"}, "auto": {"mode": "off"}});
    server.send("PUT", "/rooms/demo/layout", &blue).await.expect(200);
    until("the room shows its layout", async || alike(server.colour().await, [0, 0, 255]).then_some(())).await;

    answer(server.request("DELETE", "/assets/filler0.png")).await.expect(204);
    until("what waited is stored", async || (readiness().await["status"] == "ready").then_some(())).await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0), "nothing was lost");
}

/// Shows Ann over the whole canvas.
async fn show_ann(server: &Server) {
    let ann = json!({"id": "ann", "source": {"participant": "ann"}, "width": "100%", "height": "100%", "fit": "fill"});
    let layout = json!({"layers": [ann], "auto": {"mode": "off"}});
    server.send("PUT", "/rooms/demo/layout", &layout).await.expect(200);
}

/// Waits for red and its tone, as somebody sees and hears them who comes now.
async fn is_seen_and_heard(guest: &Guest) {
    guest.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    guest.recorder.more_pictures(30).await;
    // At first the sound's clock is learned, and its pitch may be a little off.
    let mut heard = Vec::new();
    while heard.last().is_none_or(|tone| *tone <= 0.02) {
        assert!(heard.len() < 10, "the tone is heard: {heard:?}");
        heard.push(amplitude(&guest.recorder.fresh_samples(24_000).await, 440.0));
    }
}

/// Returns Ann, who sends, and Bob, who sees and hears her.
async fn meet(server: &Server, source: &Arc<Source>) -> (Guest, Guest) {
    let ann = Guest::join(server, "ann", Some(source), Attention::Nothing).await;
    let bob = Guest::join(server, "bob", None, Attention::Both).await;
    is_seen_and_heard(&bob).await;
    (ann, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_stopped_for_half_a_minute_goes_on() {
    let (data, studio) = (TempDir::new().unwrap(), Studio::new());
    let server = Server::start(data.path()).await;
    server.send("PUT", "/rooms/demo", &json!({"max_participants": 5})).await.expect(201);
    show_ann(&server).await;
    let source = studio.source("red", 440.0);
    let (ann, bob) = meet(&server, &source).await;
    server.signal(Signal::STOP);
    // The fault itself: nothing can be awaited of a process that is stopped.
    sleep(STOPPED).await;
    server.signal(Signal::CONT);
    let ready = server.get("/readyz").await.expect(200).json();
    assert_eq!(ready["rooms"], json!({"down": 0, "rebuilds": 0}), "to be stopped is no fault of the room's");
    drop((ann, bob));
    until("the old connections are gone", async || {
        server.get("/rooms/demo/participants").await.json().as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let _both = meet(&server, &source).await;
    let room = server.get("/rooms/demo").await.expect(200).json();
    assert_eq!((&room["settings"]["max_participants"], &room["health"]["rebuilds"]), (&json!(5), &json!(0)));
}

/// `www-data` of Debian: web servers run as it, and say nothing of themselves where nobody has them do so.
const WEB_SERVER: u32 = 33;

#[tokio::test]
async fn an_open_server_serves_no_web_server_that_says_nothing_of_itself() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    let ask = async |path: &str, user: Option<u32>| {
        let port = server.base().rsplit(':').next().unwrap().to_owned();
        let request = format!("GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\nConnection: close\\r\\n\\r\\n");
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{request}' >&3; head -1 <&3");
        let mut command = Command::new("bash");
        command.args(["-c", &script]);
        if let Some(user) = user {
            command.uid(user);
        }
        command.output().await.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(ask("/api/v1/rooms", None).await.unwrap().contains(" 200 "));
    let Some(told) = ask("/api/v1/rooms", Some(WEB_SERVER)).await else {
        eprintln!("SKIPPED: only root can start what runs as somebody else");
        return;
    };
    assert!(told.contains(" 403 "), "{told}");
    let told = ask("/readyz", Some(WEB_SERVER)).await.unwrap();
    assert!(told.contains(" 200 "), "{told}");
}

/// Adds what a file holds, in seconds, to the time of day of the process that it is loaded into.
const JUMP: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    const char *name = getenv("JUMP");
    if (!failed && clock == CLOCK_REALTIME && name) {
        FILE *file = fopen(name, "r");
        long by = 0;
        if (file) { if (fscanf(file, "%ld", &by) == 1) now->tv_sec += by; fclose(file); }
    }
    return failed;
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_by_a_year_is_neither_seen_nor_heard() {
    const YEAR: i64 = 365 * 24 * 3600;
    let (data, tools, studio) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new());
    let by = tools.path().join("by");
    let Some(library) = library(tools.path(), JUMP).await else { return };
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path())).env("LD_PRELOAD", &library).env("JUMP", &by);
    let server = Server::run(command).await.expect("the server starts");
    server.send("PUT", "/rooms/demo", &json!({})).await.expect(201);
    show_ann(&server).await;
    let source = studio.source("red", 440.0);
    let (_ann, bob) = meet(&server, &source).await;
    let joined = async |name: &str| {
        let people = server.get("/rooms/demo/participants").await.json();
        people.as_array().unwrap().iter().any(|one| one["name"] == name)
    };
    for jump in [YEAR, -YEAR, 0] {
        fs::write(&by, jump.to_string()).unwrap();
        is_seen_and_heard(&bob).await;
        assert!(joined("ann").await && joined("bob").await, "nobody is put out by {jump} s");
        let _late = Guest::join(&server, "late", None, Attention::Nothing).await;
    }
    let room = server.get("/rooms/demo").await.json();
    assert_eq!(room["health"]["rebuilds"], 0);
}
