//! Places for what takes a thread or a core for a while: so many at once, and so few of them for one room that it leaves
//! some to the others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::control::room::RoomName;

/// See the module.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    each: usize,
    /// Those of rooms that have one, or wait for one.
    rooms: Mutex<BTreeMap<RoomName, Weak<Semaphore>>>,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    _all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Places {
    /// Creates so many places, of which one room has so many.
    pub fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each, rooms: Mutex::default() }
    }

    /// Takes a place of a room, if it has one left.
    pub fn take(&self, room: &RoomName) -> Option<Place> {
        let own = self.of(room).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Place { _all: all, _own: own })
    }

    /// Waits for a place of a room, for so long at most.
    pub async fn wait(&self, room: &RoomName, longest: Duration) -> Option<Place> {
        let place = async {
            // In this order: those of one room wait for each other, and not in front of the other rooms.
            let own = self.of(room).acquire_owned().await.ok()?;
            let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place { _all: all, _own: own })
        };
        timeout(longest, place).await.ok().flatten()
    }

    /// Returns the places of a room.
    fn of(&self, room: &RoomName) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock();
        if let Some(own) = rooms.get(room).and_then(Weak::upgrade) {
            return own;
        }
        rooms.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.each));
        rooms.insert(room.clone(), Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    #[test]
    fn one_room_leaves_places_to_others() {
        let places = Places::new(3, 2);
        let take = |name: &str| places.take(&room(name));
        let own = [take("a").unwrap(), take("a").unwrap()];
        assert!(take("a").is_none());
        let other = take("b").unwrap();
        assert!(take("b").is_none() && take("c").is_none(), "there are no more");
        drop(own);
        assert!(take("b").is_some() && take("c").is_some());
        drop(other);
        assert!(take("a").is_some());
        assert_eq!(places.rooms.lock().len(), 1, "nothing is kept of the others");
    }

    #[tokio::test]
    async fn those_who_wait_of_one_room_are_not_in_front_of_the_others() {
        let places = Places::new(2, 1);
        let (a, b) = (room("a"), room("b"));
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
        let held = places.wait(&a, long).await.unwrap();
        let (again, other) = tokio::join!(places.wait(&a, short), places.wait(&b, long));
        assert!(again.is_none() && other.is_some());
        drop(held);
        assert!(places.wait(&a, long).await.is_some());
    }
}
