//! The program itself with few descriptors, and those who would take them all.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
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
        Self::start_with(&["--listen", "127.0.0.1:0", "--media-port", "0"])
    }

    /// Returns everything on one port: TCP of HTTP and of those who receive, and UDP.
    fn start_on_one_port() -> Self {
        let is_free = |port: &u16| UdpSocket::bind(("127.0.0.1", *port)).is_ok();
        let tried = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = std::iter::repeat_with(tried).find(is_free).unwrap();
        Self::start_with(&["--listen", &format!("127.0.0.1:{port}")])
    }

    fn start_with(ports: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_virfie")]);
        command.args(["serve", "--model", "none", "--api-key", KEY]).args(ports);
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

/// Returns a connectivity check of RFC 8489 behind its length (RFC 4571), unsigned.
fn check(username: &str) -> Vec<u8> {
    let padded = username.len().next_multiple_of(4);
    let mut attribute = [&[0, 6, 0, username.len() as u8], username.as_bytes()].concat();
    attribute.resize(4 + padded, 0);
    let head = [0, 1, 0, attribute.len() as u8, 0x21, 0x12, 0xa4, 0x42];
    let message = [&head[..], &[7; 12], &attribute].concat();
    [&[0, message.len() as u8][..], &message].concat()
}

/// Returns whether a connection that begins with this is closed by the server.
fn is_put_out(address: SocketAddr, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    match stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_by_tcp_comes_in_by_the_port_of_http_and_three_thousand_strangers_hold_neither_up() {
    let mut program = Program::start_on_one_port();
    let room = Client::new().put(program.url("/api/v1/rooms/demo")).bearer_auth(KEY).json(&json!({}));
    assert_eq!(room.send().await.unwrap().status(), 201);
    let watch = async || {
        let asked = Client::new().post(program.url("/whep/demo")).bearer_auth(KEY);
        let asked = asked.header("content-type", "application/sdp").body(OFFER);
        asked.send().await.unwrap().text().await.unwrap()
    };
    let ufrag_of =
        |answer: &str| answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:").map(str::to_owned)).unwrap();
    let answer = watch().await;
    let passive = format!(" 127.0.0.1 {} typ host tcptype passive", program.address.port());
    assert!(answer.lines().any(|line| line.contains(" tcp ") && line.ends_with(&passive)), "{answer}");
    let named = check(&format!("{}:theirs", ufrag_of(&answer)));
    assert!(!is_put_out(program.address, &named), "the receiver is known");
    assert!(is_put_out(program.address, &check("nobody:theirs")));
    // Half a packet each. Most are closed for the next ones.
    let mut strangers: VecDeque<TcpStream> = VecDeque::new();
    for _ in 0..3_000 {
        let mut stream = TcpStream::connect(program.address).unwrap();
        let _ = stream.write_all(&named[..named.len() / 2]);
        strangers.push_back(stream);
        if strangers.len() > 300 {
            strangers.pop_front();
        }
    }
    // The first one was given up after 20 s without a connection, if this took so long.
    let newcomer = check(&format!("{}:theirs", ufrag_of(&watch().await)));
    assert!(!is_put_out(program.address, &newcomer), "one more finds room");
    let metrics = Client::new().get(program.url("/metrics")).bearer_auth(KEY).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let count = metrics.lines().find_map(|line| line.strip_prefix("virfie_media_tcp_connections ")).unwrap();
    assert!(count.parse::<f64>().unwrap() <= f64::from(DESCRIPTORS / 8), "{count}");
    assert!(program.child.try_wait().unwrap().is_none(), "the program lives");
}

fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    match stream.read(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}
