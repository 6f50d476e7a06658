//! Places for what takes a thread or a core for a while: so many at once, and so few of them for one room, and for one
//! holder of tokens, that they leave some to the others.

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
    rooms: Parts<RoomName>,
    /// Those of whom a request counts with: a token for all rooms may have several rooms.
    holders: Parts<String>,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    _all: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
    _holder: Option<OwnedSemaphorePermit>,
}

/// The parts of the places that each may have, of those who have one or wait for one.
#[derive(Debug)]
struct Parts<K> {
    each: usize,
    taken: Mutex<BTreeMap<K, Weak<Semaphore>>>,
}

impl<K: Ord + Clone> Parts<K> {
    fn new(each: usize) -> Self {
        Self { each, taken: Mutex::default() }
    }

    /// Returns the places of one.
    fn of(&self, who: &K) -> Arc<Semaphore> {
        let mut taken = self.taken.lock();
        if let Some(own) = taken.get(who).and_then(Weak::upgrade) {
            return own;
        }
        taken.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.each));
        taken.insert(who.clone(), Arc::downgrade(&own));
        own
    }
}

impl Places {
    /// Creates so many places, of which one room has so many, and one holder of tokens half.
    pub fn new(all: usize, each: usize) -> Self {
        let holders = Parts::new((all / 2).max(1));
        Self { all: Arc::new(Semaphore::new(all)), rooms: Parts::new(each), holders }
    }

    /// Takes a place of a room, if it has one left, and `holder` too; see [`super::auth::Access::holder`].
    pub fn take(&self, room: &RoomName, holder: Option<&str>) -> Option<Place> {
        let holder = holder.map(|holder| self.holders.of(&holder.to_owned()).try_acquire_owned()).transpose().ok()?;
        let own = self.rooms.of(room).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Place { _all: all, _room: own, _holder: holder })
    }

    /// Waits for a place of a room, for so long at most.
    pub async fn wait(&self, room: &RoomName, holder: Option<&str>, longest: Duration) -> Option<Place> {
        let place = async {
            // In this order: those of one holder wait for each other, and not in front of the others in a room, and
            // those of one room not in front of the other rooms.
            let holder = match holder {
                Some(holder) => Some(self.holders.of(&holder.to_owned()).acquire_owned().await.ok()?),
                None => None,
            };
            let own = self.rooms.of(room).acquire_owned().await.ok()?;
            let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place { _all: all, _room: own, _holder: holder })
        };
        timeout(longest, place).await.ok().flatten()
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
        let take = |name: &str| places.take(&room(name), None);
        let own = [take("a").unwrap(), take("a").unwrap()];
        assert!(take("a").is_none());
        let other = take("b").unwrap();
        assert!(take("b").is_none() && take("c").is_none(), "there are no more");
        drop(own);
        assert!(take("b").is_some() && take("c").is_some());
        drop(other);
        assert!(take("a").is_some());
        assert_eq!(places.rooms.taken.lock().len(), 1, "nothing is kept of the others");
    }

    #[test]
    fn one_holder_of_several_rooms_leaves_half_of_the_places() {
        let places = Places::new(8, 2);
        let (holder, stranger) = ("token-a", "token-b");
        let take = |number: usize, who| places.take(&room(&format!("room{number}")), who);
        let own: Vec<_> = (0..16).filter_map(|number| take(number, Some(holder))).collect();
        assert_eq!(own.len(), 4);
        let others: Vec<_> = (16..18).filter_map(|number| take(number, Some(stranger))).collect();
        let of_key: Vec<_> = (20..36).filter_map(|number| take(number, None)).collect();
        assert_eq!((others.len(), of_key.len()), (2, 2), "with the key, all that are left");
        drop((own, others, of_key));
        assert!(take(1, Some(holder)).is_some());
        assert_eq!(places.holders.taken.lock().len(), 1, "nothing is kept of the others");
    }

    #[tokio::test]
    async fn those_who_wait_of_one_holder_are_not_in_front_of_others_in_a_room() {
        let places = Places::new(4, 1);
        let [a, b, c] = ["a", "b", "c"].map(room);
        let holder = "token-a";
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
        let _held = [places.take(&a, Some(holder)).unwrap(), places.take(&b, Some(holder)).unwrap()];
        let (again, other) = tokio::join!(places.wait(&c, Some(holder), short), places.wait(&c, None, long));
        assert!(again.is_none() && other.is_some());
    }

    #[tokio::test]
    async fn those_who_wait_of_one_room_are_not_in_front_of_the_others() {
        let places = Places::new(2, 1);
        let (a, b) = (room("a"), room("b"));
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
        let held = places.wait(&a, None, long).await.unwrap();
        let (again, other) = tokio::join!(places.wait(&a, None, short), places.wait(&b, None, long));
        assert!(again.is_none() && other.is_some());
        drop(held);
        assert!(places.wait(&a, None, long).await.is_some());
    }
}
