//! The program itself with few descriptors, and those who would take them all.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::PATIENCE;

const KEY: &str = "a-key-of-sixteen";

/// So many descriptors the program may have. It needs about 60 itself.
const DESCRIPTORS: u32 = 320;

/// As Firefox offers to receive.
const OFFER: &str = include_str!("../../src/media/sdp/fixtures/firefox_whep_offer.sdp");

/// As an encoder offers to send.
const SENDERS_OFFER: &str = include_str!("../../src/media/sdp/fixtures/gstreamer_whip_offer.sdp");

struct Program {
    child: Child,
    address: SocketAddr,
    _data: TempDir,
}

impl Program {
    fn start() -> Self {
        let data = TempDir::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_virfie")]);
        command.args(["serve", "--listen", "127.0.0.1:0", "--media-port", "0", "--model", "none", "--api-key", KEY]);
        command.arg("--data-dir").arg(data.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().trim().trim_end_matches('/').parse().unwrap();
        Self { child, address, _data: data }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn token(&self, role: &str) -> String {
        let asked = Client::new().post(self.url("/api/v1/tokens")).bearer_auth(KEY);
        let answer: Value = asked.json(&json!({"role": role})).send().await.unwrap().json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    async fn post(&self, path: &str, token: &str, offer: &str) -> u16 {
        let asked = Client::new().post(self.url(path)).bearer_auth(token).header("content-type", "application/sdp");
        asked.timeout(PATIENCE).body(offer.to_owned()).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_and_peers_that_never_connect_leave_room_for_one_more() {
    let mut program = Program::start();
    let room = Client::new().put(program.url("/api/v1/rooms/demo")).bearer_auth(KEY).json(&json!({}));
    assert_eq!(room.send().await.unwrap().status(), 201);

    let idle: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(program.address).unwrap()).collect();
    let viewer = program.token("viewer").await;
    assert_eq!(program.post("/whep/demo", &viewer, OFFER).await, 201, "one more");

    let attacker = program.token("viewer").await;
    let mut statuses = Vec::new();
    for _ in 0..120 {
        statuses.push(program.post("/whep/demo", &attacker, OFFER).await);
    }
    assert!(statuses.iter().all(|status| [201, 429, 503].contains(status)), "{statuses:?}");
    let senders = program.token("participant").await;
    for number in 0..12 {
        let status = program.post(&format!("/whip/room-{number}"), &senders, SENDERS_OFFER).await;
        assert!([201, 429, 503].contains(&status), "{status}");
    }
    let stranger = program.token("viewer").await;
    assert_eq!(program.post("/whep/demo", &stranger, OFFER).await, 201, "a stranger finds room");
    assert!(program.child.try_wait().unwrap().is_none(), "the program lives");

    // Those that were closed for others say so; the newest are still open.
    let begun = Instant::now();
    let closed = idle.iter().filter(|stream| is_closed(stream)).count();
    assert!(closed >= 300, "{closed} of 400 are closed");
    assert!(begun.elapsed() < PATIENCE);
}

fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    match stream.read(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}
