//! Webhooks: what is of note in all rooms, posted to receivers of the operator's.
//!
//! ```text
//!   rooms ─► journal ─► one task ─┬─► queue of a receiver ─► its threads ─► POST, signed
//!                                 └─► queue of another    ─► …
//! ```
//! Nobody waits for a receiver but its own threads: an event is put into its queue, and where that is full, the oldest
//! goes. A receiver gets the events of one room in order, one after the other; those of other rooms do not wait for
//! them.
//!
//! - `queue`: what waits for one receiver, when it is tried and when it is given up (PURE). `signature`: what a
//!   receiver knows us by (PURE). `post`: one request.

mod post;
mod queue;
mod signature;

use std::{
    io,
    sync::{Arc, Once},
    thread,
    time::{Duration, Instant},
};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use parking_lot::{Condvar, Mutex};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use self::{
    post::Poster,
    queue::{Answer, Fate, Message, Next, Queue, Taken},
};
use crate::{
    config::Webhook,
    control::room::{Entry, Reader, ServerEvent},
};

/// Events that wait for one receiver; 3 MB at most, for notices leave out layouts of outputs.
const MOST_WAITING: usize = 1000;

/// Requests that one receiver gets at once, of as many rooms.
const THREADS: usize = 4;

/// All receivers.
#[derive(Debug)]
pub struct Hooks {
    receivers: Vec<Arc<Receiver>>,
    /// Gives them what happens, until the journal ends.
    feeder: Mutex<Option<JoinHandle<()>>>,
}

/// One receiver.
#[derive(Debug)]
struct Receiver {
    queue: Mutex<Queue>,
    /// Something has changed that its threads may wait for.
    news: Condvar,
    /// Number of waiting events, for those who wait for the end.
    length: watch::Sender<usize>,
    /// The part of its URL that may be shown.
    shown: String,
}

impl Hooks {
    /// Posts what is read to all receivers, signed with the secret, for as long as there is something to read. To be
    /// called inside a tokio runtime.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(webhooks: &[Webhook], secret: &str, events: Reader) -> io::Result<Self> {
        let start = |(number, webhook)| Receiver::start(number, &Poster::new(webhook, secret));
        let receivers = webhooks.iter().enumerate().map(start).collect::<io::Result<Vec<_>>>()?;
        // Dropped without one, the reader keeps nothing.
        let feeder = (!receivers.is_empty()).then(|| {
            describe();
            tokio::spawn(feed(events, receivers.clone()))
        });
        Ok(Self { receivers, feeder: Mutex::new(feeder) })
    }

    /// Waits until everything is delivered that the journal held when it ended, for at most so long; the rest is
    /// dropped.
    pub async fn close(&self, limit: Duration) {
        let feeder = self.feeder.lock().take();
        let delivered = async {
            if let Some(feeder) = feeder {
                // It ends by itself; a panic, which nobody expects, has been printed.
                let _ = feeder.await;
            }
            self.receivers.iter().for_each(|receiver| receiver.close());
            for receiver in &self.receivers {
                let mut length = receiver.length.subscribe();
                // Fails only when the receiver is dropped.
                let _ = length.wait_for(|length| *length == 0).await;
            }
        };
        let _ = timeout(limit, delivered).await;
        self.receivers.iter().for_each(|receiver| receiver.end());
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        if let Some(feeder) = self.feeder.lock().take() {
            feeder.abort();
        }
        self.receivers.iter().for_each(|receiver| receiver.end());
    }
}

/// Puts each event into all queues.
async fn feed(mut events: Reader, receivers: Vec<Arc<Receiver>>) {
    while let Some(entry) = events.next().await {
        match entry {
            Entry::Event(event) => {
                let message = Arc::new(written(&event));
                receivers.iter().for_each(|receiver| receiver.take(Arc::clone(&message)));
            }
            Entry::Missed => {
                count("dropped", 1);
                tracing::warn!("this machine is too busy: webhooks miss some events");
            }
        }
    }
}

fn written(event: &ServerEvent) -> Message {
    let body = serde_json::to_vec(event).expect("events are plain structs with string keys");
    let key = signature::idempotency_key(&body);
    Message { id: event.id, room: Arc::clone(&event.room), kind: event.what.name(), key, body }
}

impl Receiver {
    fn start(number: usize, poster: &Poster) -> io::Result<Arc<Self>> {
        let receiver = Arc::new(Self {
            queue: Mutex::new(Queue::new(MOST_WAITING)),
            news: Condvar::new(),
            length: watch::Sender::new(0),
            shown: poster.shown().to_owned(),
        });
        for _ in 0..THREADS {
            let (of_thread, poster) = (Arc::clone(&receiver), poster.clone());
            thread::Builder::new().name(format!("webhook-{number}")).spawn(move || of_thread.work(&poster))?;
        }
        Ok(receiver)
    }

    /// Sends what is due until the end. On a thread of its own.
    fn work(&self, poster: &Poster) {
        let mut queue = self.queue.lock();
        loop {
            match queue.next(Instant::now()) {
                Next::End => return,
                Next::Wait(None) => self.news.wait(&mut queue),
                Next::Wait(Some(due)) => {
                    self.news.wait_until(&mut queue, due);
                }
                Next::Send(message) => {
                    drop(queue);
                    let answer = poster.post(&message);
                    queue = self.queue.lock();
                    let fate = queue.settle(&message, &answer, Instant::now(), rand::random());
                    self.changed(&queue);
                    if let Some(fate) = fate {
                        self.report(&message, &answer, fate);
                    }
                }
            }
        }
    }

    fn take(&self, message: Arc<Message>) {
        let mut queue = self.queue.lock();
        let taken = queue.push(message);
        self.changed(&queue);
        drop(queue);
        if let Taken::InPlace { first } = taken {
            count("dropped", 1);
            if first {
                let most = MOST_WAITING;
                tracing::warn!(webhook = self.shown, most, "too many events wait: the oldest are dropped from now on");
            }
        }
    }

    /// Has everything tried once more, and nothing again.
    fn close(&self) {
        let mut queue = self.queue.lock();
        queue.close();
        self.changed(&queue);
    }

    /// Drops what waits, and ends the threads.
    fn end(&self) {
        let mut queue = self.queue.lock();
        let dropped = queue.end();
        self.changed(&queue);
        drop(queue);
        if dropped > 0 {
            count("dropped", dropped);
            tracing::warn!(webhook = self.shown, dropped, "the server ends before all events were delivered");
        }
    }

    /// Reports the queue's length to those who wait. To be called after each change, under the lock.
    fn changed(&self, queue: &Queue) {
        let length = queue.length();
        self.length.send_if_modified(|told| {
            let grown = length as f64 - *told as f64;
            gauge!("virfie_webhook_queue").increment(grown);
            std::mem::replace(told, length) != length
        });
        self.news.notify_all();
    }

    fn report(&self, message: &Message, answer: &Answer, fate: Fate) {
        let (webhook, event, room) = (&self.shown, message.kind, &message.room);
        let error = match answer {
            Answer::Refused(why) | Answer::Failed { why, .. } => why.as_str(),
            Answer::Accepted | Answer::Gone => "",
        };
        match fate {
            Fate::Delivered => {
                count("delivered", 1);
                tracing::debug!(webhook, event, %room, "a webhook was delivered");
            }
            Fate::Retried { after } => {
                count("retried", 1);
                tracing::warn!(webhook, event, %room, error, again_in = ?after, "a webhook was not delivered; it is tried again");
            }
            Fate::Refused => {
                count("refused", 1);
                tracing::warn!(webhook, event, %room, error, "the receiver refused a webhook; it is not tried again");
            }
            Fate::Expired => {
                count("expired", 1);
                tracing::warn!(webhook, event, %room, error, "a webhook was not delivered for hours; it is given up");
            }
            Fate::Dropped => {
                count("dropped", 1);
                tracing::warn!(webhook, event, %room, error, "a webhook was not delivered; the server ends");
            }
            Fate::Gone { others } => {
                count("gone", 1);
                count("dropped", others);
                tracing::warn!(
                    webhook,
                    dropped = others,
                    "the receiver is gone (410): it gets no events until a restart"
                );
            }
        }
    }
}

fn count(result: &'static str, events: usize) {
    if events > 0 {
        counter!("virfie_webhook_deliveries_total", "result" => result).increment(events as u64);
    }
}

/// Says what the numbers mean, for those who look at them.
fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        describe_counter!(
            "virfie_webhook_deliveries_total",
            "Events for webhooks, by what became of them: delivered, retried (once for each try that failed), refused, \
             expired, gone, dropped"
        );
        describe_gauge!("virfie_webhook_queue", "Events that wait for receivers of webhooks");
    });
}
