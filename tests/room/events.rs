//! A room's event stream, kept whole.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use super::server::{PATIENCE, ROOM, Server};

#[derive(Default)]
struct Heard {
    events: Vec<Value>,
    /// Every byte that came.
    text: String,
    /// Length of what has been read of `text`.
    read: usize,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Notify,
}

impl Shared {
    fn take(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock();
        heard.text.push_str(&String::from_utf8_lossy(bytes));
        while let Some(length) = heard.text[heard.read..].find("\n\n") {
            let message = heard.text[heard.read..heard.read + length].to_owned();
            heard.read += length + 2;
            let data: String = message.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            heard.events.extend(serde_json::from_str::<Value>(&data).ok());
        }
        drop(heard);
        self.changed.notify_waiters();
    }
}

/// A listener. Dropping it hangs up.
pub struct Events {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Events {
    /// Listens, and waits for the first event.
    pub async fn open(server: &Server) -> Self {
        let shared = Arc::<Shared>::default();
        let mut response = server.request("GET", &format!("/rooms/{ROOM}/events")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let taken = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(bytes)) = response.chunk().await {
                taken.take(&bytes);
            }
        });
        let events = Self { shared, task };
        events.wait(0, "the first event", |event| event["type"] == "room_changed").await;
        events
    }

    /// Returns how many came so far.
    pub fn count(&self) -> usize {
        self.shared.heard.lock().events.len()
    }

    pub fn all(&self) -> Vec<Value> {
        self.shared.heard.lock().events.clone()
    }

    pub fn text(&self) -> String {
        self.shared.heard.lock().text.clone()
    }

    /// Returns the first such event, those before the `after`-th left out. Fails after the usual patience.
    pub async fn wait(&self, after: usize, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                let found = self.shared.heard.lock().events.iter().skip(after).find(|event| fits(event)).cloned();
                if let Some(found) = found {
                    return found;
                }
                changed.await;
            }
        };
        let found = timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; there are {:#?}", self.all()))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}
