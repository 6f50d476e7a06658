//! A browser's session socket.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{fake_media::PATIENCE, server::Server};

/// An answer as Chrome gives it to audio both ways, its camera, and our mix.
pub const ANSWER: &str = include_str!("../../src/media/sdp/fixtures/chrome_answer.sdp");

/// A candidate as Chrome gives it.
pub const CANDIDATE: &str =
    "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.5 rport 46154";

pub struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// End of a socket.
#[derive(Debug)]
pub struct Closed {
    /// Of the `error` message before, if there was one.
    pub problem: Option<Value>,
    pub code: u16,
    /// The messages before, without the `error`.
    pub messages: Vec<Value>,
}

impl Page {
    pub async fn open(server: &Server, room: &str) -> Self {
        Self::open_with(server, room, "").await
    }

    /// Opens one with a query, such as `?token=…`.
    pub async fn open_with(server: &Server, room: &str, query: &str) -> Self {
        let url = format!("ws://{}/api/v1/rooms/{room}/session{query}", server.address);
        let (socket, _) = timeout(PATIENCE, connect_async(url)).await.expect("the server answers").unwrap();
        Self { socket }
    }

    /// Opens a socket and joins; the answer is the `welcome`.
    pub async fn join(server: &Server, room: &str, name: &str) -> (Self, Value) {
        Self::join_with(server, room, name, Value::Null).await
    }

    pub async fn join_with(server: &Server, room: &str, name: &str, resume: Value) -> (Self, Value) {
        let mut page = Self::open(server, room).await;
        page.say(json!({"type": "join", "name": name, "resume": resume, "receive": ["h264"], "send": ["vp8"]})).await;
        let welcome = page.next().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (page, welcome)
    }

    pub async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: String) {
        // A socket that the server has closed is found out by reading.
        let _ = self.socket.send(Message::text(text)).await;
    }

    pub async fn say_bytes(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }

    async fn frame(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the server says something") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => serde_json::from_str(text.as_str()).unwrap(),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// Returns the next message of this type; others before it are passed over.
    pub async fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            assert!(message["type"] != "error" || kind == "error", "{message}");
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Returns the next event of this type; other messages before it are passed over.
    pub async fn wait_for_event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.wait_for("event").await["event"].take();
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Reads to the end.
    pub async fn closed(mut self) -> Closed {
        let mut closed = Closed { problem: None, code: 0, messages: Vec::new() };
        loop {
            match self.frame().await {
                Some(Message::Text(text)) => {
                    let mut message: Value = serde_json::from_str(text.as_str()).unwrap();
                    if message["type"] == "error" {
                        closed.problem = Some(message["problem"].take());
                    } else {
                        closed.messages.push(message);
                    }
                }
                Some(Message::Close(Some(CloseFrame { code, .. }))) => closed.code = code.into(),
                Some(_) => {}
                None => return closed,
            }
        }
    }

    /// Cuts the connection without a word, as a crashed browser does.
    pub fn vanish(self) {
        drop(self.socket);
    }
}
