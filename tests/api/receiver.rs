//! A receiver of webhooks.

// Each test program uses its part of this.
#![allow(dead_code)]

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use axum_server::tls_rustls::RustlsConfig;
use parking_lot::Mutex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::timeout,
};

use super::http::PATIENCE;

/// The secret that signs the tests' webhooks.
pub const SECRET: &str = "a-secret-of-sixteen";

/// The answer to an event.
pub enum Reply {
    Status(u16),
    /// With a header.
    With(u16, &'static str, String),
    /// Nothing, ever.
    Silence,
}

type Script = Box<dyn FnMut(&Value) -> Reply + Send>;

/// A request that came.
#[derive(Debug)]
pub struct Hook {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Hook {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers)).to_str().unwrap()
    }

    /// Returns the event's room and type, and the state where it is an output's.
    pub fn what(&self) -> (String, String) {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = match json["data"]["output"]["state"].as_str() {
            Some(state) => state.to_owned(),
            None => text(&json["type"]),
        };
        (text(&json["room"]), kind)
    }

    /// Checks the signature as the documentation has it, by an HMAC (RFC 2104) of our own.
    pub fn is_signed(&self, secret: &str) -> bool {
        let (time, signature) = self.header("virfie-signature").split_once(",v1=").unwrap();
        let time = time.strip_prefix("t=").unwrap();
        let mut block = [0; 64];
        block[..secret.len()].copy_from_slice(secret.as_bytes());
        let pad = |with: u8| block.map(|byte| byte ^ with);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(time).chain_update(".").chain_update(&self.body);
        let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner.finalize()).finalize();
        let now = jiff::Timestamp::now().as_second();
        (now - time.parse::<i64>().unwrap()).abs() < 300 && signature == format!("{outer:x}")
    }
}

#[derive(Clone)]
struct Desk {
    told: UnboundedSender<Hook>,
    script: Arc<Mutex<Script>>,
}

pub struct Receiver {
    pub address: SocketAddr,
    got: UnboundedReceiver<Hook>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Answers what the script says.
    pub async fn start(script: impl FnMut(&Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, got) = Self::router(Box::new(script));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, got, task }
    }

    /// Takes everything.
    pub async fn willing() -> Self {
        Self::start(|_| Reply::Status(204)).await
    }

    /// Takes everything by HTTPS, with a certificate that nobody has signed.
    pub async fn self_signed() -> Self {
        // Fails when it was chosen before, which is the same choice.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (cert, key) = (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
        let config = RustlsConfig::from_pem(cert, key).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (router, got) = Self::router(Box::new(|_| Reply::Status(204)));
        let server = axum_server::from_tcp_rustls(listener, config).unwrap();
        let task = tokio::spawn(async move { server.serve(router.into_make_service()).await.unwrap() });
        Self { address, got, task }
    }

    fn router(script: Script) -> (Router, UnboundedReceiver<Hook>) {
        let (told, got) = unbounded_channel();
        let desk = Desk { told, script: Arc::new(Mutex::new(script)) };
        (Router::new().fallback(take).with_state(desk), got)
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the next request.
    pub async fn next(&mut self) -> Hook {
        timeout(PATIENCE, self.got.recv()).await.expect("an event comes").expect("the receiver lives")
    }

    /// Passes over requests until one is of this type or state.
    pub async fn wait_for(&mut self, kind: &str) -> Hook {
        loop {
            let hook = self.next().await;
            if hook.what().1 == kind {
                return hook;
            }
        }
    }

    /// Returns whether another request has come.
    pub fn has_more(&mut self) -> bool {
        self.got.try_recv().is_ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let event = serde_json::from_slice(&body).unwrap();
    let reply = {
        let mut script = desk.script.lock();
        script(&event)
    };
    // The test may be over.
    let _ = desk.told.send(Hook { uri, headers, body: body.to_vec() });
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::With(status, name, value) => (StatusCode::from_u16(status).unwrap(), [(name, value)]).into_response(),
        Reply::Silence => {
            std::future::pending::<()>().await;
            StatusCode::OK.into_response()
        }
    }
}
