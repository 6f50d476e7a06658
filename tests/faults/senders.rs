//! Senders as processes: one is stopped and goes on, one is killed.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use super::{
    guests::Guest,
    recorder::{Attention, BACKGROUND, GREEN, RED, amplitude},
    server::{PROGRAM, Server, signal, until},
    studio::Studio,
};

/// Starts a bot that sends this clip and a tone.
fn bot(server: &Server, studio: &Studio, name: &str, colour: &str, tone: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(["bot", "--server", &server.base(), "--room", "demo", "--name", name, "--steady", "--tone", tone]);
    command.args(["--size", "320x180", "--fps", "15", "--video"]).arg(studio.clip(colour));
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

async fn tones(guest: &Guest) -> [f64; 2] {
    let samples = guest.recorder.fresh_samples(24_000).await;
    [440.0, 1000.0].map(|hertz| amplitude(&samples, hertz))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_is_stopped_for_20_s_comes_back_and_one_that_is_killed_is_gone() {
    const STOPPED: Duration = Duration::from_secs(20);
    let (data, studio) = (TempDir::new().unwrap(), Studio::new());
    let server = Server::start(data.path()).await;
    server.send("PUT", "/rooms/demo", &json!({"hold_ms": 1000})).await.expect(201);
    let layer = |name: &str, x: &str| {
        json!({"id": name, "source": {"participant": name}, "x": x, "y": 0, "width": "50%", "height": "100%",
               "fit": "fill"})
    };
    let canvas = json!({"background": "#111111"});
    let layers = [layer("left", "0%"), layer("right", "50%")];
    let layout = json!({"canvas": canvas, "layers": layers, "auto": {"mode": "off"}});
    server.send("PUT", "/rooms/demo/layout", &layout).await.expect(200);
    let left = bot(&server, &studio, "left", "red", "440");
    let right = bot(&server, &studio, "right", "green", "1000");
    let watcher = Guest::join(&server, "watcher", None, Attention::Both).await;
    let recorder = &watcher.recorder;
    recorder.picture("red beside green", |it| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, GREEN)).await;
    until("both are heard", async || tones(&watcher).await.iter().all(|tone| *tone > 0.05).then_some(())).await;
    // Their rhythm is known after a second.
    recorder.more_pictures(40).await;

    signal(&left, Signal::STOP);
    let stopped = Instant::now();
    recorder.picture("nothing beside green", |it| it.shows(0.25, 0.5, BACKGROUND) && it.shows(0.75, 0.5, GREEN)).await;
    let [silent, heard] = tones(&watcher).await;
    assert!(silent < 0.01 && heard > 0.05, "{silent} {heard}");

    signal(&right, Signal::KILL);
    let killed = Instant::now();
    recorder.picture("nothing at all", |it| it.shows(0.25, 0.5, BACKGROUND) && it.shows(0.75, 0.5, BACKGROUND)).await;
    until("the killed one is gone", async || {
        let people = server.get("/rooms/demo/participants").await.json();
        people.as_array().unwrap().iter().all(|one| one["name"] != "right").then_some(())
    })
    .await;
    println!("the killed one was gone after {:?}", killed.elapsed());
    // The canvas goes on meanwhile.
    recorder.more_pictures(30).await;

    // The fault itself: nothing can be awaited of a process that is stopped.
    sleep(STOPPED.saturating_sub(stopped.elapsed())).await;
    signal(&left, Signal::CONT);
    recorder.picture("red again", |it| it.shows(0.25, 0.5, RED)).await;
    until("it is heard again", async || (tones(&watcher).await[0] > 0.05).then_some(())).await;
}
