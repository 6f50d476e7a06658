//! The sending half of a session socket. A task of its own writes, so that a browser that does not read holds up
//! nothing but its own bounded queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt as _, stream::SplitSink};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::messages::ServerMessage;
use crate::control::api::problem::Problem;

/// Most messages that may wait for the browser.
const QUEUE: usize = 512;

/// Bytes of them. One alone may have more.
const MOST_BYTES: usize = 4 << 20;

/// Longest time that one message may take to be written.
const WRITE_TIME: Duration = Duration::from_secs(10);

/// Longest time that the last messages and the closing may take.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// The way that a socket is closed.
#[derive(Debug, Clone)]
pub(super) struct Farewell {
    /// Sent in an `error` message first.
    pub problem: Option<Box<Problem>>,
    /// The close code.
    pub code: u16,
    /// In the close frame, at most 123 bytes.
    pub reason: &'static str,
}

/// The browser does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clogged;

/// Bytes that wait for the browser.
#[derive(Debug, Default)]
struct Load(AtomicUsize);

impl Load {
    /// Counts a message, unless it is one too many.
    fn add(&self, bytes: usize) -> bool {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before + bytes <= MOST_BYTES;
        if !fits {
            self.take(bytes);
        }
        fits
    }

    fn take(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Returns how large a message is.
fn bytes(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(content) | Message::Ping(content) | Message::Pong(content) => content.len(),
        Message::Close(_) => 0,
    }
}

/// Queues messages to a socket.
pub(super) struct Outgoing {
    queue: mpsc::Sender<Message>,
    load: Arc<Load>,
    farewell: oneshot::Sender<Farewell>,
    writer: JoinHandle<()>,
}

impl Outgoing {
    /// Starts to write to `socket`.
    pub(super) fn new(socket: SplitSink<WebSocket, Message>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        let (farewell, told) = oneshot::channel();
        let load = Arc::default();
        let writer = tokio::spawn(write(socket, queued, Arc::clone(&load), told));
        Self { queue, load, farewell, writer }
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
        if !self.load.add(bytes(&message)) {
            return Err(Clogged);
        }
        match self.queue.try_send(message) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Clogged),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Writes what is queued, says farewell and closes; gives up when that takes too long.
    pub(super) async fn finish(self, farewell: Farewell) {
        let Self { queue, farewell: tell, mut writer, .. } = self;
        drop(queue);
        // A writer that has ended does not listen.
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
    load: Arc<Load>,
    mut told: oneshot::Receiver<Farewell>,
) {
    // `finish` drops the queue before it sends the farewell: what was queued is always written first.
    while let Some(message) = queued.recv().await {
        let written = bytes(&message);
        match timeout(WRITE_TIME, socket.send(message)).await {
            Ok(Ok(())) => load.take(written),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_one_large_message_is_not_too_much() {
        let load = Load::default();
        assert!(load.add(MOST_BYTES + 1));
        assert!(!load.add(1));
        load.take(MOST_BYTES + 1);
        assert!((0..4).all(|_| load.add(MOST_BYTES / 4)) && !load.add(1));
        load.take(MOST_BYTES / 4);
        assert!(load.add(1));
    }
}
