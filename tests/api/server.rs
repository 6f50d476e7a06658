//! A server for one test, and HTTP to it.

use std::{net::SocketAddr, sync::Arc};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use virfie::{
    config::{IceServer, ServeConfig},
    control::api::{AppState, router},
    layout::Canvas,
};

use super::fake_media::FakeMedia;
pub use super::http::{Answer, answer};

/// The key of a server that has one.
pub const KEY: &str = "a-key-of-sixteen";

pub struct Server {
    pub address: SocketAddr,
    pub media: Arc<FakeMedia>,
    pub state: AppState,
    /// Added to every request as its bearer.
    pub token: Option<String>,
    http: Client,
    task: JoinHandle<()>,
    _data: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        Self::start_as(change, |_| {}).await
    }

    /// Starts one with [`KEY`], which every request bears, and with the room `demo`.
    pub async fn keyed() -> Self {
        let mut server = Self::start_with(|config| config.api_key = Some(KEY.to_owned())).await;
        server.token = Some(KEY.to_owned());
        server.send("PUT", "/rooms/demo", &json!({})).await;
        server
    }

    /// Starts one with other settings, and with another state than they give.
    pub async fn start_as(change: impl FnOnce(&mut ServeConfig), adjust: impl FnOnce(&mut AppState)) -> Self {
        let data = TempDir::new().unwrap();
        let mut config = ServeConfig {
            data_dir: data.path().to_owned(),
            canvas: Canvas::default(),
            ice_servers: vec![
                IceServer::parse("stun:stun.example:3478").unwrap(),
                IceServer::parse("turn:ann:secret@turn.example:3478").unwrap(),
            ],
            ..ServeConfig::default()
        };
        change(&mut config);
        let media = Arc::new(FakeMedia::default());
        let mut state = AppState::new(config, media.clone()).unwrap();
        adjust(&mut state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(state.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap()
        });
        Self { address, media, state, token: None, http: Client::new(), task, _data: data }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins a request to a path under `/api/v1`.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.request_at_top(method, &format!("/api/v1{path}"))
    }

    pub fn request_at_top(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, self.url(path));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Begins a request to a path under `/api/v1`, with another bearer than the others have.
    pub fn request_as(&self, token: &str, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, self.url(&format!("/api/v1{path}"))).bearer_auth(token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path)).await
    }

    /// Has a token signed by the server's key.
    pub async fn sign(&self, key: &str, claims: &Value) -> Value {
        let answer = answer(self.request_as(key, "POST", "/tokens").json(claims)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request("DELETE", path)).await
    }

    /// Sends a request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).json(body)).await
    }

    /// Sends a request with another body.
    pub async fn post(&self, path: &str, content_type: &str, body: &str) -> Answer {
        answer(self.request("POST", path).header("content-type", content_type).body(body.to_owned())).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
