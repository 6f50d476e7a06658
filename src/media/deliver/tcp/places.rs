//! Places for the TCP connections of receivers: their number, and which one goes when another comes. PURE.
//!
//! A connection is a stranger's until its first packet names a receiver, which takes a real one no longer than the way
//! of that packet. So a newcomer is always let in: where there is no room, one of the strangers who hold the most goes
//! for it, and without strangers, one of the receiver who holds the most; each time the one silent for longest.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::media::{port::PeerId, sdp::network_of};

/// Longest time that a stranger may take to name a receiver.
pub(super) const NAMED_WITHIN: Duration = Duration::from_secs(5);

/// A receiver's connection without a packet for so long is closed. Those that are not used, but kept for the case, are
/// checked every half a minute.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// Connections of one receiver: browsers make one from each of their networks to each of our addresses, and keep one.
const MOST_OF_RECEIVER: usize = 16;

/// A connection's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u64);

/// Holder for whom a connection is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    /// Somebody in this network who has not named a receiver.
    Stranger(IpAddr),
    Receiver(PeerId),
}

#[derive(Debug)]
struct Place {
    holder: Holder,
    /// Moment at which a stranger came, or at which a receiver's last packet did.
    since: Instant,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    next: u64,
    taken: HashMap<Number, Place>,
    held: HashMap<Holder, usize>,
}

impl Places {
    /// Creates one with none taken, for at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), next: 0, taken: HashMap::new(), held: HashMap::new() }
    }

    /// Takes a stranger in. The second number is that of a connection to close for it.
    pub(super) fn enter(&mut self, address: IpAddr, now: Instant) -> (Number, Option<Number>) {
        let holder = Holder::Stranger(network_of(address));
        let victim = if self.held_by(holder) >= self.most_of_network() {
            self.longest(|other| other == holder)
        } else if self.taken.len() >= self.most {
            self.dispensable()
        } else {
            None
        };
        if let Some(victim) = victim {
            self.leave(victim);
        }
        let number = Number(self.next);
        self.next += 1;
        self.taken.insert(number, Place { holder, since: now });
        *self.held.entry(holder).or_default() += 1;
        (number, victim)
    }

    /// Makes a connection a receiver's. The answer is one of theirs to close for it.
    pub(super) fn claim(&mut self, number: Number, receiver: PeerId, now: Instant) -> Option<Number> {
        // It may have been closed for another a moment ago.
        if !self.taken.contains_key(&number) {
            return None;
        }
        let holder = Holder::Receiver(receiver);
        let full = self.held_by(holder) >= MOST_OF_RECEIVER;
        let victim = if full { self.longest(|other| other == holder) } else { None };
        for gone in victim.into_iter().chain([number]) {
            self.leave(gone);
        }
        self.taken.insert(number, Place { holder, since: now });
        *self.held.entry(holder).or_default() += 1;
        victim
    }

    /// Notes that a receiver's packet came.
    pub(super) fn heard(&mut self, number: Number, now: Instant) {
        if let Some(place) = self.taken.get_mut(&number)
            && matches!(place.holder, Holder::Receiver(_))
        {
            place.since = now;
        }
    }

    /// Notes that it is closed.
    pub(super) fn leave(&mut self, number: Number) {
        let Some(place) = self.taken.remove(&number) else { return };
        if let Some(held) = self.held.get_mut(&place.holder) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&place.holder);
            }
        }
    }

    /// Returns the connections of a receiver.
    pub(super) fn of(&self, receiver: PeerId) -> Vec<Number> {
        let holder = Holder::Receiver(receiver);
        if self.held_by(holder) == 0 {
            return Vec::new();
        }
        self.taken.iter().filter(|(_, place)| place.holder == holder).map(|(number, _)| *number).collect()
    }

    /// Returns those who have been silent for too long, to be closed.
    pub(super) fn late(&self, now: Instant) -> Vec<Number> {
        let is_late = |place: &Place| {
            let limit = if matches!(place.holder, Holder::Stranger(_)) { NAMED_WITHIN } else { SILENT_FOR };
            now.saturating_duration_since(place.since) >= limit
        };
        self.taken.iter().filter(|(_, place)| is_late(place)).map(|(number, _)| *number).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    fn held_by(&self, holder: Holder) -> usize {
        self.held.get(&holder).copied().unwrap_or(0)
    }

    fn most_of_network(&self) -> usize {
        (self.most / 8).max(4)
    }

    fn dispensable(&self) -> Option<Number> {
        let most =
            |of: fn(&Holder) -> bool| self.held.iter().filter(|(holder, _)| of(holder)).map(|(_, held)| *held).max();
        let is_stranger = |holder: &Holder| matches!(holder, Holder::Stranger(_));
        let is_receiver = |holder: &Holder| matches!(holder, Holder::Receiver(_));
        if let Some(most) = most(is_stranger) {
            return self.longest(|holder| is_stranger(&holder) && self.held_by(holder) == most);
        }
        let most = most(is_receiver)?;
        self.longest(|holder| self.held_by(holder) == most)
    }

    fn longest(&self, of: impl Fn(Holder) -> bool) -> Option<Number> {
        let theirs = self.taken.iter().filter(|(_, place)| of(place.holder));
        theirs.min_by_key(|(number, place)| (place.since, **number)).map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv6Addr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn ten_thousand_strangers_hold_no_more_than_there_is_and_the_next_one_comes_in() {
        let now = Instant::now();
        let mut places = Places::new(64);
        for index in 0..10_000_u32 {
            let many = IpAddr::from([198, 51, (index % 250) as u8, 1]);
            places.enter(many, now + SECOND * index);
            assert!(places.len() <= 64);
        }
        let (number, victim) = places.enter(address(1), now + SECOND * 20_000);
        assert!(victim.is_some());
        assert_eq!(places.claim(number, PeerId(1), now + SECOND * 20_000), None);
        assert_eq!(places.of(PeerId(1)), [number]);
    }

    #[test]
    fn one_network_gets_a_part_and_closes_its_own() {
        let now = Instant::now();
        let mut places = Places::new(64);
        let other = places.enter(address(2), now).0;
        let own: Vec<Number> = (0..8).map(|_| places.enter(address(1), now).0).collect();
        assert_eq!(places.enter(address(1), now + SECOND).1, Some(own[0]));
        assert_eq!(places.len(), 9);
        assert!(places.taken.contains_key(&other));
        // Neighbours in one network of IPv6 are one.
        let neighbours: Vec<Option<Number>> = (0..9_u16)
            .map(|last| places.enter(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last).into(), now).1)
            .collect();
        assert!(neighbours[..8].iter().all(Option::is_none) && neighbours[8].is_some());
    }

    #[test]
    fn strangers_go_before_receivers_and_who_holds_least_goes_last() {
        let now = Instant::now();
        let mut places = Places::new(6);
        let claimed = |places: &mut Places, receiver| {
            let number = places.enter(address(1), now).0;
            places.claim(number, PeerId(receiver), now);
            number
        };
        let single = claimed(&mut places, 1);
        let two = [claimed(&mut places, 2), claimed(&mut places, 2)];
        let stranger = places.enter(address(3), now).0;
        let crowd = [1, 2].map(|seconds| places.enter(address(4), now + SECOND * seconds).0);
        let (newcomer, victim) = places.enter(address(5), now + SECOND * 3);
        assert_eq!(victim, Some(crowd[0]), "the longest of those who hold the most");
        for (number, receiver) in [(stranger, 3), (crowd[1], 4), (newcomer, 5)] {
            places.claim(number, PeerId(receiver), now);
        }
        places.heard(two[0], now + SECOND);
        assert_eq!(places.enter(address(6), now + SECOND * 4).1, Some(two[1]));
        assert!([single, two[0], stranger, newcomer].iter().all(|number| places.taken.contains_key(number)));
    }

    #[test]
    fn a_receiver_has_a_few_and_the_silent_one_goes_first() {
        let now = Instant::now();
        let mut places = Places::new(1_000);
        let numbers: Vec<Number> = (0..MOST_OF_RECEIVER)
            .map(|_| {
                let number = places.enter(address(1), now).0;
                assert_eq!(places.claim(number, PeerId(1), now), None);
                number
            })
            .collect();
        places.heard(numbers[0], now + SECOND);
        let number = places.enter(address(1), now + SECOND).0;
        assert_eq!(places.claim(number, PeerId(1), now + SECOND), Some(numbers[1]));
        assert_eq!(places.of(PeerId(1)).len(), MOST_OF_RECEIVER);
        assert_eq!(places.of(PeerId(2)), []);
    }

    #[test]
    fn who_names_nobody_is_late_and_packets_are_no_excuse() {
        let now = Instant::now();
        let mut places = Places::new(10);
        let [stranger, receiver, heard] = [1, 2, 3].map(|last| places.enter(address(last), now).0);
        places.claim(receiver, PeerId(1), now);
        places.claim(heard, PeerId(2), now);
        places.heard(stranger, now + NAMED_WITHIN - SECOND);
        assert_eq!(places.late(now + NAMED_WITHIN), [stranger]);
        places.leave(stranger);
        places.heard(heard, now + SECOND);
        assert_eq!(places.late(now + SILENT_FOR), [receiver]);
        assert_eq!(places.claim(stranger, PeerId(3), now), None);
        assert_eq!(places.of(PeerId(3)), [], "it is closed already");
    }
}
