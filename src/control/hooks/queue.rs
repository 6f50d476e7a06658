//! The queue of one receiver: in order for each room, tried again the longer it lasts the less often, and bounded.
//! PURE.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::control::room::faults::doubled;

/// After the first try that failed.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Between two tries, also where the receiver asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The time after which a message is given up.
const LIFE: Duration = Duration::from_secs(6 * 3600);

/// An event on its way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The event's id.
    pub(super) id: u64,
    pub(super) room: Arc<str>,
    /// Its type.
    pub(super) kind: &'static str,
    /// The same for every try.
    pub(super) key: String,
    /// JSON.
    pub(super) body: Vec<u8>,
}

/// The outcome of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver has it.
    Accepted,
    /// The receiver does not want it.
    Refused(String),
    /// The receiver wants nothing more.
    Gone,
    /// Later it may go better.
    Failed {
        /// The failure, without secrets.
        why: String,
        /// For how long the receiver wants to be left alone.
        after: Option<Duration>,
    },
}

/// The fate of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is delivered.
    Delivered,
    /// It is tried again.
    Retried {
        /// So late.
        after: Duration,
    },
    /// The receiver refused it.
    Refused,
    /// It was tried for too long.
    Expired,
    /// There is no time to try it again.
    Dropped,
    /// The receiver wants nothing more; so many others are dropped with it.
    Gone {
        /// Number of the others.
        others: usize,
    },
}

/// The way that a message was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// There was room for it, or nothing is taken any more.
    Fits,
    /// The oldest that is not being sent had to go for it.
    InPlace {
        /// Whether that is the first since something was delivered.
        first: bool,
    },
}

/// The next thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this. [`Queue::settle`] has to follow.
    Send(Arc<Message>),
    /// Nothing until then, or until something changes.
    Wait(Option<Instant>),
    /// Nothing any more.
    End,
}

/// The messages that wait for one receiver.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: HashMap<Arc<str>, Lane>,
    length: usize,
    most: usize,
    /// Something had to go since something was delivered.
    overflows: bool,
    /// A message that fails is not tried again: the server ends.
    closing: bool,
    /// Nothing is taken any more.
    over: bool,
}

/// The messages of one room, in order.
#[derive(Debug, Default)]
struct Lane {
    messages: VecDeque<Arc<Message>>,
    /// The first is being sent.
    sending: bool,
    /// Number of times that the first has failed, since when, and when it is tried again.
    failures: u32,
    since: Option<Instant>,
    due: Option<Instant>,
}

impl Queue {
    /// Makes an empty one for so many messages.
    pub(super) fn new(most: usize) -> Self {
        Self { lanes: HashMap::new(), length: 0, most, overflows: false, closing: false, over: false }
    }

    /// Counts the messages that wait, those that are being sent included.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Takes a message.
    pub(super) fn push(&mut self, message: Arc<Message>) -> Taken {
        if self.over {
            return Taken::Fits;
        }
        let is_full = self.length >= self.most;
        if is_full {
            self.drop_oldest();
        }
        self.lanes.entry(Arc::clone(&message.room)).or_default().messages.push_back(message);
        self.length += 1;
        match is_full {
            false => Taken::Fits,
            true => Taken::InPlace { first: !std::mem::replace(&mut self.overflows, true) },
        }
    }

    fn drop_oldest(&mut self) {
        let oldest = |lane: &Lane| lane.messages.get(usize::from(lane.sending)).map(|message| message.id);
        let rooms = self.lanes.iter().filter_map(|(room, lane)| Some((oldest(lane)?, Arc::clone(room))));
        let Some((_, room)) = rooms.min() else { return };
        let Some(lane) = self.lanes.get_mut(&room) else { return };
        let place = usize::from(lane.sending);
        lane.messages.remove(place);
        if place == 0 {
            lane.begin_with_next();
        }
        if lane.messages.is_empty() {
            self.lanes.remove(&room);
        }
        self.length -= 1;
    }

    /// Finds what is to be done now: of all rooms the oldest message that is due.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if self.over {
            return Next::End;
        }
        let idle = || self.lanes.iter().filter(|(_, lane)| !lane.sending);
        let due = idle().filter(|(_, lane)| lane.due.is_none_or(|due| due <= now));
        let first = due.filter_map(|(room, lane)| Some((lane.messages.front()?.id, room))).min();
        let Some(room) = first.map(|(_, room)| Arc::clone(room)) else {
            return Next::Wait(idle().filter_map(|(_, lane)| lane.due).min());
        };
        let lane = self.lanes.get_mut(&room).expect("the room was just found");
        lane.sending = true;
        Next::Send(Arc::clone(lane.messages.front().expect("lanes that are empty are removed")))
    }

    /// Takes the answer to a message that was sent. `random` is a number from 0 to 1; it takes up to half of the wait
    /// away, so that what failed together is not tried together. `None` when the queue has the message no more.
    pub(super) fn settle(&mut self, message: &Message, answer: &Answer, now: Instant, random: f64) -> Option<Fate> {
        let lane = self.lanes.get_mut(&message.room)?;
        if !lane.sending || lane.messages.front()?.id != message.id {
            return None;
        }
        lane.sending = false;
        let fate = match answer {
            Answer::Accepted => Fate::Delivered,
            Answer::Refused(_) => Fate::Refused,
            Answer::Gone => return Some(Fate::Gone { others: self.end().saturating_sub(1) }),
            Answer::Failed { .. } if self.closing => Fate::Dropped,
            Answer::Failed { after, .. } => {
                let since = *lane.since.get_or_insert(now);
                if now.saturating_duration_since(since) < LIFE {
                    let wait = doubled(FIRST_WAIT, lane.failures).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0);
                    let after = wait.max(after.unwrap_or_default()).min(LONGEST_WAIT);
                    lane.failures = lane.failures.saturating_add(1);
                    lane.due = Some(now + after);
                    return Some(Fate::Retried { after });
                }
                Fate::Expired
            }
        };
        lane.messages.pop_front();
        lane.begin_with_next();
        self.length -= 1;
        self.overflows &= fate != Fate::Delivered;
        if lane.messages.is_empty() {
            self.lanes.remove(&message.room);
        }
        Some(fate)
    }

    /// Tries everything once more, and nothing again: the server ends.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.lanes.values_mut().for_each(|lane| lane.due = None);
    }

    /// Drops everything, and takes nothing any more. Answers how much that was.
    pub(super) fn end(&mut self) -> usize {
        self.over = true;
        self.lanes.clear();
        std::mem::take(&mut self.length)
    }
}

impl Lane {
    fn begin_with_next(&mut self) {
        (self.failures, self.since, self.due) = (0, None, None);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(id: u64, room: &str) -> Arc<Message> {
        Arc::new(Message { id, room: room.into(), kind: "room_started", key: id.to_string(), body: Vec::new() })
    }

    fn failed(after: Option<u64>) -> Answer {
        Answer::Failed { why: "it answered with 500".to_owned(), after: after.map(Duration::from_secs) }
    }

    fn sent(queue: &mut Queue, now: Instant) -> Option<Arc<Message>> {
        match queue.next(now) {
            Next::Send(message) => Some(message),
            Next::Wait(_) | Next::End => None,
        }
    }

    #[test]
    fn a_room_keeps_its_order_and_does_not_wait_for_others() {
        let (mut queue, now) = (Queue::new(10), Instant::now());
        for (id, room) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
            assert_eq!(queue.push(message(id, room)), Taken::Fits);
        }
        let first = sent(&mut queue, now).unwrap();
        let other = sent(&mut queue, now).unwrap();
        assert_eq!((first.id, other.id), (1, 3));
        assert_eq!(queue.next(now), Next::Wait(None), "what follows waits until its turn");
        let fate = queue.settle(&first, &failed(None), now, 1.0);
        assert_eq!(fate, Some(Fate::Retried { after: Duration::from_millis(500) }));
        assert_eq!(queue.settle(&other, &Answer::Accepted, now, 0.0), Some(Fate::Delivered));
        let due = now + Duration::from_millis(500);
        assert_eq!(queue.next(now), Next::Wait(Some(due)));
        for id in [1, 2, 4] {
            let message = sent(&mut queue, due).unwrap();
            assert_eq!(message.id, id);
            queue.settle(&message, &Answer::Accepted, due, 0.0);
        }
        assert_eq!((queue.length(), queue.lanes.len()), (0, 0));
    }

    #[test]
    fn the_wait_grows_and_ends_after_some_hours() {
        let (mut queue, begun) = (Queue::new(10), Instant::now());
        queue.push(message(1, "a"));
        queue.push(message(2, "a"));
        let (mut now, mut waits) = (begun, Vec::new());
        loop {
            let message = sent(&mut queue, now).unwrap();
            match queue.settle(&message, &failed(None), now, 0.0) {
                Some(Fate::Retried { after }) => {
                    waits.push(after.as_secs());
                    now += after;
                }
                fate => {
                    assert_eq!(fate, Some(Fate::Expired));
                    break;
                }
            }
        }
        assert_eq!(waits[..11], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
        assert!(now - begun >= LIFE && now - begun < LIFE + LONGEST_WAIT);
        let next = sent(&mut queue, now).unwrap();
        assert_eq!(next.id, 2);
        let fate = queue.settle(&next, &failed(Some(20)), now, 1.0);
        assert_eq!(fate, Some(Fate::Retried { after: Duration::from_secs(20) }), "as it asks for");
        let again = sent(&mut queue, now + LIFE).unwrap();
        assert_eq!(again.id, 2);
        assert_eq!(queue.settle(&again, &failed(Some(9999)), now, 1.0), Some(Fate::Retried { after: LONGEST_WAIT }));
    }

    #[test]
    fn a_full_queue_gives_up_the_oldest_that_is_not_being_sent() {
        let (mut queue, now) = (Queue::new(3), Instant::now());
        for id in 1..4 {
            queue.push(message(id, if id == 2 { "b" } else { "a" }));
        }
        let sending = sent(&mut queue, now).unwrap();
        assert_eq!(queue.push(message(4, "c")), Taken::InPlace { first: true });
        assert_eq!(queue.push(message(5, "a")), Taken::InPlace { first: false });
        assert_eq!(queue.length(), 3);
        assert_eq!(queue.settle(&sending, &Answer::Refused("404".to_owned()), now, 0.0), Some(Fate::Refused));
        let rest: Vec<u64> = std::iter::from_fn(|| sent(&mut queue, now)).map(|message| message.id).collect();
        assert_eq!(rest, [4, 5]);
    }

    #[test]
    fn who_is_gone_gets_nothing_and_an_end_tries_once_more() {
        let (mut queue, now) = (Queue::new(9), Instant::now());
        for id in 1..4 {
            queue.push(message(id, "a"));
        }
        let first = sent(&mut queue, now).unwrap();
        assert_eq!(queue.settle(&first, &Answer::Gone, now, 0.0), Some(Fate::Gone { others: 2 }));
        queue.push(message(4, "a"));
        assert_eq!((queue.length(), queue.next(now)), (0, Next::End));

        let mut queue = Queue::new(9);
        for id in 1..3 {
            queue.push(message(id, "a"));
        }
        let first = sent(&mut queue, now).unwrap();
        queue.settle(&first, &failed(Some(600)), now, 0.0);
        queue.close();
        let first = sent(&mut queue, now).unwrap();
        assert_eq!(queue.settle(&first, &failed(None), now, 0.0), Some(Fate::Dropped));
        let second = sent(&mut queue, now).unwrap();
        assert_eq!((second.id, queue.end()), (2, 1));
        assert_eq!(queue.settle(&second, &Answer::Accepted, now, 0.0), None);
    }
}
