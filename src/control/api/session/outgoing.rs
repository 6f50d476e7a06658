//! The sending half of a session socket. A task of its own writes, so that a browser that does not read holds up
//! nothing but its own bounded queue.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt as _, stream::SplitSink};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::messages::ServerMessage;
use crate::control::api::problem::Problem;

/// How many messages may wait for the browser.
const QUEUE: usize = 512;

/// How long one message may take to be written.
const WRITE_TIME: Duration = Duration::from_secs(10);

/// How long the last messages and the closing may take.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// How a socket is closed.
#[derive(Debug, Clone)]
pub(super) struct Farewell {
    /// Told in an `error` message first.
    pub problem: Option<Box<Problem>>,
    /// The close code.
    pub code: u16,
    /// In the close frame, at most 123 bytes.
    pub reason: &'static str,
}

/// The browser does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clogged;

/// Queues messages to a socket.
pub(super) struct Outgoing {
    queue: mpsc::Sender<Message>,
    farewell: oneshot::Sender<Farewell>,
    writer: JoinHandle<()>,
}

impl Outgoing {
    /// Starts to write to `socket`.
    pub(super) fn new(socket: SplitSink<WebSocket, Message>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        let (farewell, told) = oneshot::channel();
        Self { queue, farewell, writer: tokio::spawn(write(socket, queued, told)) }
    }

    /// Queues a message. A socket that is gone is no error: reading from it says so.
    ///
    /// # Errors
    /// [`Clogged`] when the queue is full.
    pub(super) fn send(&self, message: &ServerMessage<'_>) -> Result<(), Clogged> {
        self.queue(text(message))
    }

    /// Asks the browser for a sign of life.
    ///
    /// # Errors
    /// [`Clogged`] when the queue is full.
    pub(super) fn ping(&self) -> Result<(), Clogged> {
        self.queue(Message::Ping(Vec::new().into()))
    }

    fn queue(&self, message: Message) -> Result<(), Clogged> {
        match self.queue.try_send(message) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Clogged),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Writes what is queued, says farewell and closes; gives up when that takes too long.
    pub(super) async fn finish(self, farewell: Farewell) {
        let Self { queue, farewell: tell, mut writer } = self;
        drop(queue);
        // A writer that has ended has nobody to tell.
        let _ = tell.send(farewell);
        if timeout(CLOSE_TIME, &mut writer).await.is_err() {
            writer.abort();
        }
    }
}

fn text(message: &ServerMessage<'_>) -> Message {
    let json = serde_json::to_string(message).expect("messages are plain structs with string keys");
    Message::Text(json.into())
}

async fn write(
    mut socket: SplitSink<WebSocket, Message>,
    mut queued: mpsc::Receiver<Message>,
    mut told: oneshot::Receiver<Farewell>,
) {
    // `finish` drops the queue before it tells: what was queued is always written first.
    while let Some(message) = queued.recv().await {
        match timeout(WRITE_TIME, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let Ok(farewell) = (&mut told).await else { return };
    if let Some(problem) = &farewell.problem {
        let error = ServerMessage::Error { problem: problem.to_json() };
        if socket.send(text(&error)).await.is_err() {
            return;
        }
    }
    let frame = CloseFrame { code: farewell.code, reason: Utf8Bytes::from_static(farewell.reason) };
    // Errors say that the browser was faster.
    let _ = socket.send(Message::Close(Some(frame))).await;
    let _ = socket.flush().await;
}
