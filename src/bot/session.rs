//! The client's side of the session WebSocket, as the page speaks it.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message},
};
use url::Url;

/// Longest time that the server may take to accept a socket.
const CONNECT: Duration = Duration::from_secs(10);

/// The room to join, and the name to join as.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// `http(s)://host:port`
    pub server: String,
    /// The room's name.
    pub room: String,
    /// The wish for a display name.
    pub name: String,
    /// API key or token.
    pub token: Option<String>,
    /// The secret of an earlier connection, to take the same place.
    pub resume: Option<String>,
    /// The video codec that we send: `vp8` or `h264`.
    pub send: String,
    /// The video codec that we want to receive.
    pub receive: String,
}

impl Invitation {
    /// Returns the URL of the session's socket; `None`: the server's is neither `http` nor `https`.
    fn socket(&self) -> Option<Url> {
        let mut url = Url::parse(&self.server).ok()?;
        let scheme = match url.scheme() {
            "http" => "ws",
            "https" => "wss",
            _ => return None,
        };
        url.set_scheme(scheme).ok()?;
        let path = ["api", "v1", "rooms", &self.room, "session"];
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        if let Some(token) = &self.token {
            url.query_pairs_mut().append_pair("token", token);
        }
        Some(url)
    }
}

/// The reason why there is no session, in one line.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The fault of who wrote the address.
    #[error("--server {0}: must begin with http:// or https://")]
    Scheme(String),
    /// The server's fault, or the line's.
    #[error("{0} does not answer")]
    Silent(String),
    /// The server is not there, or refuses.
    #[error("{server}: {error}")]
    Refused {
        /// As given.
        server: String,
        /// In the words of the socket.
        error: Box<tungstenite::Error>,
    },
    /// The server has gone.
    #[error(transparent)]
    Gone(Box<tungstenite::Error>),
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The news of the server that matter to a bot.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// We are in.
    Welcome {
        /// The name that we got.
        name: String,
        /// For coming back.
        resume: String,
        /// Our id.
        id: String,
    },
    /// The offer.
    Offer(String),
    /// A candidate of the server.
    Candidate(String),
    /// The answer to our offer to receive.
    Answer(String),
    /// Delivery of the mix to us: the rendition, the reason for it, and what our line is thought to carry, in kbit/s.
    Delivery(Option<String>, String, Option<u64>),
    /// The server receives from us.
    Connected,
    /// Something happened in the room.
    Event(Value),
    /// The session is over; `true` when it is no use to come back.
    Over(String, bool),
}

impl Session {
    /// Opens the socket and joins.
    ///
    /// # Errors
    /// The server is not there or refuses, in one line.
    pub async fn join(invitation: &Invitation) -> Result<Self, SessionError> {
        let url = invitation.socket().ok_or_else(|| SessionError::Scheme(invitation.server.clone()))?;
        let connecting = tokio_tungstenite::connect_async(url.as_str());
        let (socket, _) = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| SessionError::Silent(invitation.server.clone()))?
            .map_err(|error| SessionError::Refused { server: invitation.server.clone(), error: error.into() })?;
        let mut session = Self { socket };
        session
            .send(json!({
                "type": "join",
                "name": invitation.name,
                "resume": invitation.resume,
                "receive": [invitation.receive],
                "send": [invitation.send],
            }))
            .await?;
        Ok(session)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The socket is gone.
    pub async fn send(&mut self, message: Value) -> Result<(), SessionError> {
        self.socket.send(Message::text(message.to_string())).await.map_err(|error| SessionError::Gone(error.into()))
    }

    /// Waits for news. Not to be called again after [`News::Over`]. Cancel-safe.
    pub async fn next(&mut self) -> News {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) =
                        frame.map_or((0, String::new()), |frame| (u16::from(frame.code), frame.reason.to_string()));
                    // Refused, replaced, removed: see the session's close codes.
                    return News::Over(format!("closed ({code}) {reason}"), matches!(code, 4001 | 4003 | 4008 | 4009));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return News::Over(error.to_string(), false),
                None => return News::Over("the socket closed".into(), false),
            };
            if let Some(news) = serde_json::from_str(&message).ok().and_then(read) {
                return news;
            }
        }
    }

    /// Leaves and closes.
    pub async fn leave(mut self) {
        // Either fails when the server is gone, which is what leaving wants anyway.
        let _ = self.send(json!({"type": "leave"})).await;
        let _ = self.socket.close(None).await;
    }
}

fn read(message: Value) -> Option<News> {
    let text = |key: &str| message.get(key).and_then(Value::as_str).map(str::to_owned);
    match message.get("type")?.as_str()? {
        "welcome" => Some(News::Welcome {
            name: message.pointer("/participant/name")?.as_str()?.to_owned(),
            id: message.pointer("/participant/id")?.as_str()?.to_owned(),
            resume: text("resume")?,
        }),
        "offer" => Some(News::Offer(text("sdp")?)),
        "candidate" => Some(News::Candidate(text("candidate").unwrap_or_default())),
        "answer" => Some(News::Answer(text("sdp")?)),
        "delivery" => {
            let estimate = message.get("estimate_kbps").and_then(Value::as_u64);
            Some(News::Delivery(text("rendition"), text("reason")?, estimate))
        }
        "connected" => Some(News::Connected),
        "event" => message.get("event").cloned().map(News::Event),
        "error" => Some(News::Over(
            message.pointer("/problem/detail").and_then(Value::as_str).unwrap_or("refused").to_owned(),
            message.pointer("/problem/status").and_then(Value::as_u64).is_some_and(|status| status < 500),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_stands_below_the_servers_address() {
        let socket = |server: &str, token: Option<&str>| {
            let (token, name) = (token.map(str::to_owned), String::new());
            let (server, room) = (server.to_owned(), "red".to_owned());
            let (send, receive) = (String::new(), String::new());
            Invitation { server, room, name, token, resume: None, send, receive }.socket().map(String::from)
        };
        assert_eq!(socket("http://[::1]:80", None).as_deref(), Some("ws://[::1]/api/v1/rooms/red/session"));
        let below = socket("https://h:8443/studio/", Some("a b"));
        assert_eq!(below.as_deref(), Some("wss://h:8443/studio/api/v1/rooms/red/session?token=a+b"));
        assert_eq!((socket("h:8080", None), socket("ftp://h", None)), (None, None));
    }

    #[test]
    fn messages_are_read() {
        let welcome = json!({"type": "welcome", "participant": {"id": "x", "name": "ann"}, "resume": "r", "room": {}});
        let want = News::Welcome { name: "ann".into(), resume: "r".into(), id: "x".into() };
        assert_eq!(read(welcome), Some(want));
        assert_eq!(read(json!({"type": "candidate", "candidate": null})), Some(News::Candidate(String::new())));
        assert_eq!(read(json!({"type": "unheard-of"})), None);
        let error = json!({"type": "error", "problem": {"status": 409, "detail": "full"}});
        assert_eq!(read(error), Some(News::Over("full".into(), true)));
    }
}
