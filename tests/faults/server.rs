//! The program as a process of its own, which can be killed, stopped and starved.

#![allow(dead_code)]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

pub use super::http::{Answer, PATIENCE, ROOM, answer, until};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_virfie");

/// Sends a process a signal.
pub fn signal(process: &Child, signal: Signal) {
    let id = process.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())).expect("it runs");
    kill_process(id, signal).unwrap();
}

/// Compiles a C library that is loaded before all others, into this folder. `None`, said aloud, where there is no
/// compiler.
pub async fn library(folder: &Path, code: &str) -> Option<PathBuf> {
    let [source, library] = ["library.c", "library.so"].map(|name| folder.join(name));
    fs::write(&source, code).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    if !compiler.status().await.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no C compiler");
        return None;
    }
    Some(library)
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    address: SocketAddr,
    http: Client,
}

/// Returns `virfie serve` on loopback, with whole pictures.
pub fn arguments(data: &Path) -> Vec<String> {
    let data = data.to_str().unwrap();
    let fixed = ["serve", "--listen", "127.0.0.1:0", "--model", "none", "--canvas", "640x360", "--data-dir", data];
    fixed.map(str::to_owned).to_vec()
}

/// Leaves a connection that has been idle for long, as the server does: a server that was stopped closes it as soon as
/// it goes on, and a request that is on its way just then is lost.
fn client() -> Client {
    Client::builder().pool_idle_timeout(Duration::from_secs(5)).build().expect("nothing of it can fail")
}

impl Server {
    pub async fn start(data: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments(data));
        Self::run(command).await.expect("the server starts")
    }

    /// Runs a command that becomes, or starts, a server; `None` when it ends without one.
    pub async fn run(mut command: Command) -> Option<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the server says where it is").unwrap()?;
        let address = line.split("http://").nth(1)?.trim_end_matches('/').parse().ok()?;
        Some(Self { child, address, http: client() })
    }

    /// Returns `http://host:port`
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = if ["/readyz", "/metrics"].contains(&path) { path.to_owned() } else { format!("/api/v1{path}") };
        self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).json(body)).await
    }

    /// Returns the colour in the middle of what the room shows.
    pub async fn colour(&self) -> [u8; 3] {
        let png = self.get(&format!("/rooms/{ROOM}/snapshot.png")).await.expect(200).body;
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        picture.get_pixel(picture.width() / 2, picture.height() / 2).0
    }

    /// Returns a number of `/proc/PID/status`, such as memory in kB.
    pub fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(key)).expect("the system counts it");
        value.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Returns how long its threads have worked so far.
    pub fn processor_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // Behind the name, which may have spaces: user and system time are the 12th and 13th, in hundredths.
        let (_, numbers) = stat.rsplit_once(')').unwrap();
        let ticks = numbers.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
        ticks.sum::<f64>() / 100.0
    }

    /// Counts its threads of this name.
    pub fn thread_count(&self, name: &str) -> usize {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
        names.filter(|own| own.trim_end() == name).count()
    }

    /// Returns the id of its process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub fn signal(&self, wanted: Signal) {
        signal(&self.child, wanted);
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }
}
