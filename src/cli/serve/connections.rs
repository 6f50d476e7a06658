//! The HTTP connections of the server: how many there may be, and which one goes when another comes. PURE.
//!
//! A client that holds many connections open and asks nothing must not keep others out. So a newcomer is let in as long
//! as there is one to close for it: one of those who hold the most, the one that has been idle longest.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::media::port::network_of;

/// A connection's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number(u64);

/// Holder of connections: an address, and of IPv6 the network that one household or machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Holder(IpAddr);

impl Holder {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(network_of(address))
    }

    /// Returns whether an address stands for many: this machine's own proxy, and those that the operator named.
    pub(super) fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }
}

#[derive(Debug)]
struct HttpConnection {
    holder: Holder,
    /// Requests that are being answered.
    busy: usize,
    /// Not HTTP any more: its own side looks after it.
    upgraded: bool,
    /// Since when it has been as it is.
    since: Instant,
}

impl HttpConnection {
    fn is_idle(&self) -> bool {
        self.busy == 0 && !self.upgraded
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_of_one: usize,
    next: u64,
    open: HashMap<Number, HttpConnection>,
    held: HashMap<Holder, usize>,
}

/// The fate of a newcomer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// It is in, and this one has to be closed for it.
    In(Number, Option<Number>),
    /// Nothing could be closed for it.
    Refused,
}

impl Connections {
    /// Creates one with none yet, and at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, most_of_one: (most / 4).max(8), next: 0, open: HashMap::new(), held: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes a newcomer in. `many`: it is known that many are behind its address.
    pub(super) fn enter(&mut self, holder: Holder, many: bool, now: Instant) -> Entrance {
        let own = self.held_by(holder);
        let victim = if own >= self.most_of_one && !many && !holder.is_loopback() {
            match self.longest_idle(|connection| connection.holder == holder) {
                Some(victim) => Some(victim),
                None => return Entrance::Refused,
            }
        } else if self.open.len() >= self.most {
            match self.dispensable(own) {
                Some(victim) => Some(victim),
                None => return Entrance::Refused,
            }
        } else {
            None
        };
        if let Some(victim) = victim {
            self.leave(victim);
        }
        let number = Number(self.next);
        self.next += 1;
        self.open.insert(number, HttpConnection { holder, busy: 0, upgraded: false, since: now });
        *self.held.entry(holder).or_default() += 1;
        Entrance::In(number, victim)
    }

    /// Notes that it is closed.
    pub(super) fn leave(&mut self, number: Number) {
        let Some(connection) = self.open.remove(&number) else { return };
        if let Some(held) = self.held.get_mut(&connection.holder) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&connection.holder);
            }
        }
    }

    /// Notes that a request begins.
    pub(super) fn begin(&mut self, number: Number, now: Instant) {
        if let Some(connection) = self.open.get_mut(&number) {
            connection.busy += 1;
            connection.since = now;
        }
    }

    /// Notes that a request is answered to the last byte.
    pub(super) fn finish(&mut self, number: Number, now: Instant) {
        if let Some(connection) = self.open.get_mut(&number) {
            connection.busy = connection.busy.saturating_sub(1);
            connection.since = now;
        }
    }

    /// Notes that it is no HTTP any more.
    pub(super) fn upgrade(&mut self, number: Number) {
        if let Some(connection) = self.open.get_mut(&number) {
            connection.upgraded = true;
        }
    }

    /// Takes off the list who has asked nothing for so long, to be closed.
    pub(super) fn take_idle(&mut self, limit: Duration, now: Instant) -> Vec<Number> {
        let is_over = |connection: &HttpConnection| {
            connection.is_idle() && now.saturating_duration_since(connection.since) >= limit
        };
        let over: Vec<Number> =
            self.open.iter().filter(|(_, connection)| is_over(connection)).map(|(number, _)| *number).collect();
        for number in &over {
            self.leave(*number);
        }
        over
    }

    fn held_by(&self, holder: Holder) -> usize {
        self.held.get(&holder).copied().unwrap_or(0)
    }

    /// Returns the one to close for somebody who holds `own`: an idle one of those who hold the most and not less, else
    /// a busy one of somebody who holds more than they do.
    fn dispensable(&self, own: usize) -> Option<Number> {
        let held = |connection: &HttpConnection| self.held_by(connection.holder);
        let idle = self.open.values().filter(|connection| connection.is_idle());
        if let Some(most) = idle.map(held).max().filter(|most| *most >= own) {
            return self.longest_idle(|connection| self.held_by(connection.holder) == most);
        }
        let (_, number, _) = self
            .open
            .iter()
            .map(|(number, connection)| (self.held_by(connection.holder), *number, connection))
            .filter(|(held, ..)| *held > own)
            .max_by_key(|(held, number, connection)| {
                (*held, !connection.upgraded, std::cmp::Reverse((connection.since, *number)))
            })?;
        Some(number)
    }

    fn longest_idle(&self, of: impl Fn(&HttpConnection) -> bool) -> Option<Number> {
        let idle = self.open.iter().filter(|(_, connection)| connection.is_idle() && of(connection));
        idle.min_by_key(|(number, connection)| (connection.since, **number)).map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn holder(last: u8) -> Holder {
        Holder::of(IpAddr::from([192, 0, 2, last]))
    }

    fn inside(entrance: Entrance) -> (Number, Option<Number>) {
        match entrance {
            Entrance::In(number, victim) => (number, victim),
            Entrance::Refused => panic!("refused"),
        }
    }

    #[test]
    fn a_stranger_always_finds_room_among_the_idle() {
        let now = Instant::now();
        let mut all = Connections::new(100);
        let numbers: Vec<Number> =
            (0..100).map(|index| inside(all.enter(holder(1 + index / 20), false, now)).0).collect();
        let (_, victim) = inside(all.enter(holder(200), false, now + Duration::from_secs(1)));
        assert_eq!(victim, Some(numbers[0]), "the oldest of those who hold the most");
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn one_address_gets_a_part_and_closes_its_own() {
        let now = Instant::now();
        let mut all = Connections::new(100);
        let first = inside(all.enter(holder(9), false, now)).0;
        let own: Vec<Number> = (0..25).map(|_| inside(all.enter(holder(1), false, now)).0).collect();
        assert_eq!(inside(all.enter(holder(1), false, now)).1, Some(own[0]));
        assert_eq!(all.len(), 26);
        assert_ne!(first, own[0]);
        // Busy ones stay, and one more is refused.
        for number in &own {
            all.begin(*number, now);
        }
        let last = all.longest_idle(|connection| connection.holder == holder(1)).unwrap();
        all.begin(last, now);
        assert_eq!(all.enter(holder(1), false, now), Entrance::Refused);
        assert!(matches!(all.enter(holder(1), true, now), Entrance::In(_, None)), "a proxy that the operator named");
        assert!(matches!(all.enter(holder(2), false, now), Entrance::In(_, None)));
    }

    #[test]
    fn where_all_are_busy_who_holds_most_gives_one() {
        let now = Instant::now();
        let mut all = Connections::new(32);
        let many: Vec<Number> = (0..32).map(|_| inside(all.enter(holder(1), true, now)).0).collect();
        for number in &many {
            all.begin(*number, now);
        }
        all.upgrade(many[0]);
        assert_eq!(inside(all.enter(holder(2), false, now)).1, Some(many[1]), "a socket is closed last");
        assert_eq!(all.enter(holder(1), true, now), Entrance::Refused);
    }

    #[test]
    fn a_stranger_finds_room_among_many_who_hold_one_busy_one_each() {
        let now = Instant::now();
        let mut all = Connections::new(32);
        let many: Vec<Number> = (1..=32).map(|last| inside(all.enter(holder(last), false, now)).0).collect();
        for (number, seconds) in many.iter().zip([9, 3].into_iter().chain(10..)) {
            all.begin(*number, now + Duration::from_secs(seconds));
        }
        let (newcomer, victim) = inside(all.enter(holder(200), false, now));
        assert_eq!(victim, Some(many[1]), "the one that has been busy for longest");
        all.begin(newcomer, now);
        assert_eq!(all.enter(holder(200), false, now), Entrance::Refused, "who has one closes no connection of others");
    }

    #[test]
    fn who_asks_nothing_is_closed_and_sockets_are_not() {
        let (now, limit) = (Instant::now(), Duration::from_secs(75));
        let mut all = Connections::new(32);
        let [idle, busy, socket, fresh] = [0, 1, 2, 3].map(|_| inside(all.enter(holder(1), false, now)).0);
        all.begin(busy, now);
        all.begin(socket, now);
        all.upgrade(socket);
        all.finish(socket, now);
        all.begin(fresh, now);
        all.finish(fresh, now + limit / 2);
        assert_eq!(all.take_idle(limit, now + limit), [idle]);
        all.finish(busy, now + limit);
        assert_eq!(all.take_idle(limit, now + limit + limit / 2), [fresh]);
        assert_eq!(all.take_idle(limit, now + limit * 2), [busy]);
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn addresses_of_one_network_are_one_holder() {
        let of = |text: &str| Holder::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), holder(1));
        assert!(of("::1").is_loopback() && !of("::2").is_loopback());
    }
}
