//! Webhooks of a real server: what its log shows of them, what becomes of them at its end, and recordings.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio, time::Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    receiver::{Receiver, SECRET},
    server::{PROGRAM, ROOM, Server, arguments, until},
};

/// Stands at each place of a URL that may be secret.
const HIDDEN: &str = "hunter2";

/// Returns a URL whose user, password, path and query are secret.
fn secret_url(scheme: &str, address: impl std::fmt::Display) -> String {
    format!("{scheme}://{HIDDEN}a:{HIDDEN}b@{address}/{HIDDEN}/c?key={HIDDEN}d")
}

fn count(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhooks_secrets_are_in_no_line_of_the_log_and_its_certificate_is_checked() {
    let data = TempDir::new().unwrap();
    let (mut receiver, mut forged) = (Receiver::willing().await, Receiver::self_signed().await);
    // Nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = data.path().join("log");
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path())).args(["--log-level", "trace"]).stderr(fs::File::create(&log).unwrap());
    command.args([
        "--webhook",
        &secret_url("http", receiver.address),
        "--webhook",
        &secret_url("https", forged.address),
    ]);
    command.args(["--webhook", &secret_url("http", closed)]);
    let mut server = Server::run(command).await.expect("the server starts");
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let started = receiver.wait_for("room_started").await;
    // As `printf hunter2a:hunter2b | base64` has it.
    let authorization = "Basic aHVudGVyMmE6aHVudGVyMmI=";
    assert_eq!(started.header("authorization"), authorization);
    assert_eq!(started.uri, format!("/{HIDDEN}/c?key={HIDDEN}d").as_str());
    let kept = data.path().join("webhook-secret");
    let secret = fs::read_to_string(&kept).unwrap().trim().to_owned();
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(started.is_signed(&secret));

    let told = |words: &[&str]| {
        let text = fs::read_to_string(&log).unwrap();
        text.lines().any(|line| words.iter().all(|word| line.contains(word)))
    };
    let of_forged = format!("https://{}/***", forged.address);
    until("all of it is in the log", async || {
        let all = told(&["webhook was not delivered", &of_forged, "invalid peer certificate"])
            && told(&["webhook was not delivered", &format!("http://{closed}/***")])
            && told(&["a webhook was delivered", &format!("http://{}/***", receiver.address)]);
        all.then_some(())
    })
    .await;
    let metrics = server.get("/metrics").await.expect(200).text();
    let deliveries = |result: &str| count(&metrics, &format!("virfie_webhook_deliveries_total{{result=\"{result}\"}}"));
    assert_eq!(deliveries("delivered"), Some(1.0), "{metrics}");
    assert!(deliveries("retried").is_some_and(|tries| tries >= 2.0), "{metrics}");
    assert_eq!(count(&metrics, "virfie_webhook_queue"), Some(2.0), "{metrics}");

    let begun = Instant::now();
    server.signal(Signal::TERM);
    let ended = receiver.wait_for("room_ended").await;
    assert_eq!(ended.json()["data"]["reason"], "shutdown");
    assert_eq!(server.ended().await.code(), Some(0));
    println!("ended {:?} after the signal", begun.elapsed());
    assert!(!forged.has_more(), "a certificate that nobody has signed is not taken");
    assert!(told(&["a webhook was not delivered; the server ends", &of_forged]));
    let text = fs::read_to_string(&log).unwrap();
    for hidden in [HIDDEN, authorization, &secret] {
        let shown: Vec<&str> = text.lines().filter(|line| line.contains(hidden)).collect();
        assert!(shown.is_empty(), "{shown:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_webhook_is_refused_in_one_line_without_its_secrets() {
    let data = TempDir::new().unwrap();
    for wrong in [secret_url("gopher", "hooks.example"), format!("{HIDDEN}.example/x")] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments(data.path())).env("VIRFIE_WEBHOOK", &wrong).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("webhook: ") && told.trim().lines().count() == 1 && !told.contains(HIDDEN), "{told}");
    }
}

/// Returns the size of a recording that was reported.
fn size(data: &Path, recording: &Value) -> u64 {
    let name = recording["name"].as_str().unwrap();
    fs::metadata(data.join("recordings").join(ROOM).join(name)).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_are_reported_with_what_is_on_the_disk_however_they_end() {
    let data = TempDir::new().unwrap();
    let mut receiver = Receiver::willing().await;
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path())).args(["--recordings-spare", "0", "--webhook", &receiver.url()]);
    command.env("VIRFIE_WEBHOOK_SECRET", SECRET);
    let mut server = Server::run(command).await.expect("the server starts");
    let outputs = format!("/rooms/{ROOM}/outputs");
    let begin = async |receiver: &mut Receiver| {
        server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await;
        let file = json!({"type": "file", "video": {"preset": "ultrafast"}});
        let made = server.send("POST", &outputs, &file).await.expect(201).json();
        receiver.wait_for("live").await;
        let id = made["id"].as_str().unwrap().to_owned();
        // A second of it, as its muxer writes cluster by cluster.
        until("something is written", async || {
            let output = server.get(&format!("{outputs}/{id}")).await.json();
            (output["bytes"].as_u64() > Some(0)).then_some(())
        })
        .await;
        id
    };
    let check = |hook: super::receiver::Hook, id: &str| {
        let recording = hook.json()["data"]["recording"].clone();
        println!("{recording}");
        assert!(hook.is_signed(SECRET));
        assert_eq!(recording["output"], id);
        assert_eq!(recording["bytes"].as_u64(), Some(size(data.path(), &recording)), "{recording}");
        assert!(recording["seconds"].as_f64() > Some(0.5), "{recording}");
    };

    let id = begin(&mut receiver).await;
    server.send("POST", &format!("{outputs}/{id}/stop"), &json!({})).await.expect(200);
    check(receiver.wait_for("recording_finished").await, &id);
    let id = begin(&mut receiver).await;
    server.request("DELETE", &format!("/rooms/{ROOM}")).send().await.unwrap();
    receiver.wait_for("room_ended").await;
    check(receiver.wait_for("recording_finished").await, &id);
    let id = begin(&mut receiver).await;
    server.signal(Signal::TERM);
    check(receiver.wait_for("recording_finished").await, &id);
    assert_eq!(server.ended().await.code(), Some(0));
}
