//! Owners of packets: receivers by the name that their connectivity checks carry, then by their address.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::RwLock;
use str0m::net::Protocol;

use crate::media::port::PeerId;

/// Packets of one receiver that may wait for its thread. A receiver sends a few hundred a second, and a thread takes
/// far less than a second for all that wait: more is a flood, which must cost nobody else time or memory.
const MOST_WAITING: usize = 256;

/// The place where a receiver is served.
#[derive(Debug, Clone)]
pub struct Route {
    /// Index of the thread.
    pub shard: usize,
    /// The receiver.
    pub receiver: PeerId,
    waiting: Arc<AtomicUsize>,
}

impl Route {
    /// Returns the route of a receiver of whom no packet waits yet.
    pub fn new(shard: usize, receiver: PeerId) -> Self {
        Self { shard, receiver, waiting: Arc::default() }
    }

    /// Takes a place among the receiver's packets that wait for its thread; `None`: all are taken.
    pub fn place(&self) -> Option<Place> {
        let more = |waiting| (waiting < MOST_WAITING).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Place(self.waiting.clone()))
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        (self.shard, self.receiver) == (other.shard, other.receiver)
    }
}

/// A place of a packet that waits. Dropping it gives the place back.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The way that a packet came.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// UDP or TCP.
    pub by: Protocol,
    /// The sender's address.
    pub source: SocketAddr,
    /// Address that it was sent to, as the candidates name it.
    pub destination: SocketAddr,
}

#[derive(Debug, Default)]
struct Tables {
    by_ufrag: HashMap<String, Route>,
    by_source: HashMap<SocketAddr, Route>,
}

/// The tables. Each look-up is a few instructions under a lock that is written at joins and leaves only.
#[derive(Debug, Default)]
pub struct Routes(RwLock<Tables>);

impl Routes {
    /// Enters a receiver under our user fragment of its connection.
    pub fn add(&self, ufrag: String, route: Route) {
        self.0.write().by_ufrag.insert(ufrag, route);
    }

    /// Enters an address of UDP that has proved to be a receiver's, in place of the one that had it before.
    pub fn learn(&self, source: SocketAddr, route: &Route) {
        let known = self.0.read().by_source.get(&source) == Some(route);
        if !known {
            self.0.write().by_source.insert(source, route.clone());
        }
    }

    /// Enters an address from which a receiver may answer, unless it is known as somebody's: who names another's
    /// address among their own must not get that one's packets.
    pub fn expect(&self, source: SocketAddr, route: &Route) {
        let known = self.0.read().by_source.contains_key(&source);
        if !known && let Entry::Vacant(free) = self.0.write().by_source.entry(source) {
            free.insert(route.clone());
        }
    }

    /// Strikes a receiver out.
    pub fn remove(&self, receiver: PeerId) {
        let mut tables = self.0.write();
        tables.by_ufrag.retain(|_, route| route.receiver != receiver);
        tables.by_source.retain(|_, route| route.receiver != receiver);
    }

    /// Returns whose this datagram is. A connectivity check goes to the one that it names, whatever address it comes
    /// from.
    pub fn find(&self, source: SocketAddr, data: &[u8]) -> Option<Route> {
        self.named(data).or_else(|| self.0.read().by_source.get(&source).cloned())
    }

    /// Returns the receiver that a connectivity check names.
    pub fn named(&self, data: &[u8]) -> Option<Route> {
        let ufrag = checked_ufrag(data)?;
        self.0.read().by_ufrag.get(ufrag).cloned()
    }
}

/// Returns our user fragment in a STUN binding request (RFC 8489; `USERNAME` is `ours:theirs`).
fn checked_ufrag(data: &[u8]) -> Option<&str> {
    const REQUEST: [u8; 2] = [0, 1];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 6;
    if data.len() < 20 || data[..2] != REQUEST || data[4..8] != COOKIE {
        return None;
    }
    let mut rest = &data[20..];
    while let [kind_high, kind_low, length_high, length_low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = after.get(..length)?;
        if u16::from_be_bytes([*kind_high, *kind_low]) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(username: &str) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        message.extend([7; 12]);
        // Another attribute of odd length before it.
        message.extend([0x80, 0x22, 0, 3, 1, 2, 3, 0]);
        message.extend([0, 6, 0, username.len() as u8]);
        message.extend(username.as_bytes());
        message.extend(vec![0; username.len().next_multiple_of(4) - username.len()]);
        message
    }

    fn two() -> (Route, Route) {
        (Route::new(0, PeerId(1)), Route::new(1, PeerId(2)))
    }

    #[test]
    fn a_check_finds_the_receiver_that_it_names_and_media_the_one_that_was_learnt() {
        let routes = Routes::default();
        let (ann, bob) = two();
        let source: SocketAddr = "192.0.2.7:5000".parse().unwrap();
        routes.add("annfrag".into(), ann.clone());
        routes.add("bobfrag".into(), bob.clone());
        assert_eq!(routes.find(source, &check("annfrag:x")), Some(ann.clone()));
        assert_eq!(routes.find(source, &[0x80; 40]), None);
        routes.learn(source, &ann);
        assert_eq!(routes.find(source, &[0x80; 40]), Some(ann.clone()));
        // The same address may be another's next.
        assert_eq!(routes.find(source, &check("bobfrag:y")), Some(bob.clone()));
        routes.learn(source, &bob);
        assert_eq!(routes.find(source, &[0x80; 40]), Some(bob.clone()));
        routes.remove(PeerId(2));
        assert_eq!(routes.find(source, &[0x80; 40]), None);
        assert_eq!(routes.find(source, &check("bobfrag:y")), None);
    }

    #[test]
    fn an_address_that_somebody_has_is_taken_by_proof_alone() {
        let routes = Routes::default();
        let (ann, bob) = two();
        let source: SocketAddr = "192.0.2.7:5000".parse().unwrap();
        routes.expect(source, &ann);
        routes.expect(source, &bob);
        assert_eq!(routes.find(source, &[0x80; 40]), Some(ann));
        routes.learn(source, &bob);
        assert_eq!(routes.find(source, &[0x80; 40]), Some(bob));
    }

    #[test]
    fn of_one_receiver_only_so_many_packets_wait() {
        let (ann, bob) = two();
        let again = ann.clone();
        let mut places: Vec<Place> = std::iter::from_fn(|| ann.place()).take(MOST_WAITING + 1).collect();
        assert_eq!(places.len(), MOST_WAITING);
        assert!(again.place().is_none() && bob.place().is_some());
        places.pop();
        assert!(again.place().is_some());
    }

    #[test]
    fn anything_else_names_nobody() {
        for data in [&[][..], &[0; 19], &[0; 64], &check("frag")[..30], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]] {
            assert_eq!(checked_ufrag(data), None, "{data:?}");
        }
        let mut long = check("frag:x");
        long[29] = 0xff;
        assert_eq!(checked_ufrag(&long), None);
    }
}
