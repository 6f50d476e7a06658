//! One listener's stream of a room's events.

use std::sync::Arc;

use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};

use super::handle::RoomHandle;
use crate::control::room::{
    error::RoomError,
    state::view::{Event, RoomState},
};

impl RoomHandle {
    /// Returns the room now, and all events after that.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn listen(&self) -> Result<(RoomState, Feed), RoomError> {
        let (state, events) = self.call(|room| (room.state.introduce(), room.subscribe())).await?;
        Ok((state, Feed::new(self.clone(), events)))
    }

    /// Works as [`RoomHandle::listen`], and poses among the events.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn listen_with_poses(&self) -> Result<(RoomState, Feed), RoomError> {
        let (state, events, poses) =
            self.call(|room| (room.state.introduce(), room.subscribe(), room.subscribe_poses())).await?;
        Ok((state, Feed::new(self.clone(), events).with_poses(poses)))
    }
}

/// Events in order. A listener that falls too far behind gets a snapshot of the room in place of what it missed.
#[derive(Debug)]
pub struct Feed {
    room: RoomHandle,
    events: broadcast::Receiver<Arc<Event>>,
    /// For those who want them.
    poses: Option<watch::Receiver<Arc<Event>>>,
    /// Something was missed: a snapshot is due.
    behind: bool,
    over: bool,
}

impl Feed {
    pub(super) fn new(room: RoomHandle, events: broadcast::Receiver<Arc<Event>>) -> Self {
        Self { room, events, poses: None, behind: false, over: false }
    }

    /// Returns the same with poses, the newest whenever there is nothing else to report.
    fn with_poses(self, poses: watch::Receiver<Arc<Event>>) -> Self {
        Self { poses: Some(poses), ..self }
    }

    /// Returns the next event; `None` after [`Event::RoomEnded`]. Nothing is lost when this is given up while it waits.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        if self.over {
            return None;
        }
        if !self.behind {
            let heard = tokio::select! {
                biased;
                heard = self.events.recv() => heard,
                poses = newest(&mut self.poses) => return Some(poses),
            };
            match heard {
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

/// Returns the next poses; never for those who want none, and when the room is over.
async fn newest(poses: &mut Option<watch::Receiver<Arc<Event>>>) -> Arc<Event> {
    if let Some(poses) = poses
        && poses.changed().await.is_ok()
    {
        return Arc::clone(&poses.borrow_and_update());
    }
    std::future::pending().await
}
