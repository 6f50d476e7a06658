//! One listener's stream of a room's events.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{handle::RoomHandle, view::Event};

/// Events in order. A listener that falls too far behind gets a snapshot of the room in place of what it missed.
#[derive(Debug)]
pub struct Feed {
    room: RoomHandle,
    events: broadcast::Receiver<Arc<Event>>,
    /// Something was missed: a snapshot is due.
    behind: bool,
    over: bool,
}

impl Feed {
    pub(super) fn new(room: RoomHandle, events: broadcast::Receiver<Arc<Event>>) -> Self {
        Self { room, events, behind: false, over: false }
    }

    /// The next event; `None` after [`Event::RoomEnded`]. Nothing is lost when this is given up while it waits.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        if self.over {
            return None;
        }
        if !self.behind {
            match self.events.recv().await {
                Ok(event) => {
                    self.over = matches!(*event, Event::RoomEnded);
                    return Some(event);
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return self.end(),
            }
        }
        match self.room.listen().await {
            Ok((state, feed)) => {
                self.events = feed.events;
                self.behind = false;
                Some(Arc::new(Event::snapshot(state)))
            }
            Err(_) => self.end(),
        }
    }

    fn end(&mut self) -> Option<Arc<Event>> {
        self.over = true;
        Some(Arc::new(Event::RoomEnded))
    }
}
