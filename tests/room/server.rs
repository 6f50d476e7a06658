//! A server for one test, and HTTP to it.

// Each test program uses its part of this.
#![allow(dead_code)]

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
};
use virfie::{
    config::ServeConfig,
    control::api::{AppState, router},
    layout::Canvas,
    media::{Engine, EngineConfig, segment::model::ModelSource},
};

pub use super::http::{Answer, PATIENCE, ROOM, answer, until};

/// One test at a time: they measure, and two rooms at once would measure each other.
static TURN: Mutex<()> = Mutex::const_new(());

pub struct Server {
    pub address: SocketAddr,
    pub state: AppState,
    http: Client,
    task: JoinHandle<()>,
    data: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    /// Starts a server with a canvas of 640x360 at 30 frames a second on `#111111`, and a hold of one second. Its room
    /// is made, and stays.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        Self::start_by(None, change).await
    }

    /// Starts a server that cuts people out, by the network that is in the program.
    pub async fn start_cutting() -> Self {
        Self::start_by(Some(ModelSource::Embedded), |_| {}).await
    }

    async fn start_by(model: Option<ModelSource>, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let turn = TURN.lock().await;
        let data = TempDir::new().unwrap();
        let mut config = ServeConfig {
            data_dir: data.path().to_owned(),
            canvas: Canvas { width: 640, height: 360, ..Canvas::default() },
            hold_ms: 1000,
            recordings: data.path().join("recordings"),
            recordings_spare: 0,
            ..ServeConfig::default()
        };
        change(&mut config);
        let engine = Engine::new(EngineConfig { listen_loopback: true, model, ..EngineConfig::default() }).unwrap();
        let state = AppState::new(config, Arc::new(engine)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(state.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let server = Self { address, state, http: Client::new(), task, data, _turn: turn };
        server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
        server
    }

    /// Returns `http://host:port`
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins a request to a path under `/api/v1`.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.request_at_top(method, &format!("/api/v1{path}"))
    }

    pub fn request_at_top(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, format!("{}{path}", self.base()))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request("DELETE", path)).await
    }

    /// Sends a request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).json(body)).await
    }

    /// Sends a request with another body.
    pub async fn send_text(&self, method: &str, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        answer(self.request(method, path).header("content-type", content_type).body(body.into())).await
    }

    /// Returns the state of the room.
    pub async fn room(&self) -> Value {
        self.get(&format!("/rooms/{ROOM}")).await.expect(200).json()
    }

    /// Puts a layout.
    pub async fn put_layout(&self, layout: &Value) {
        self.send("PUT", &format!("/rooms/{ROOM}/layout"), layout).await.expect(200);
    }

    /// Returns everyone in the room.
    pub async fn participants(&self) -> Vec<Value> {
        self.get(&format!("/rooms/{ROOM}/participants")).await.expect(200).json().as_array().unwrap().clone()
    }

    /// Returns who has this name.
    pub async fn participant(&self, name: &str) -> Option<Value> {
        self.participants().await.into_iter().find(|one| one["name"] == name)
    }

    /// Returns one output.
    pub async fn output(&self, id: &str) -> Value {
        self.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(200).json()
    }

    /// Returns the only recording of the room whose name begins so.
    pub fn recording(&self, begins: &str) -> PathBuf {
        let files = fs::read_dir(self.data.path().join("recordings").join(ROOM)).unwrap();
        let named = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_string_lossy();
            name.starts_with(begins) && name.ends_with(".mkv")
        };
        let found: Vec<_> = files.map(|entry| entry.unwrap().path()).filter(named).collect();
        let [file] = found.as_slice() else { panic!("{found:?}") };
        file.clone()
    }

    /// Returns a file among the room's recordings.
    pub fn file(&self, name: &str) -> PathBuf {
        self.data.path().join("recordings").join(ROOM).join(name)
    }

    /// Changes the one with this name, as a moderator.
    pub async fn moderate(&self, name: &str, change: &Value) {
        let found = self.participant(name).await.unwrap_or_else(|| panic!("nobody is named {name}"));
        let path = format!("/rooms/{ROOM}/participants/{}", found["id"].as_str().unwrap());
        self.send("PATCH", &path, change).await.expect(200);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
