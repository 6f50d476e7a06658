//! Limit on how often one address may be wrong about the key. PURE.
//!
//! Each address has some wrong keys free, for people who mistype; after that it gets one every few seconds. Until then
//! keys from there are not compared at all, so that answers give nothing away. Tokens are checked: nobody guesses one.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Wrong keys that an address has free.
const FREE: u32 = 10;

/// Time until an address has one more.
const REFILL: Duration = Duration::from_secs(2);

/// Addresses that are remembered. Those beyond share one account.
const MOST_ADDRESSES: usize = 4096;

/// Wrong keys by the address that they came from.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Moment at which each address has all of its free ones again.
    full_at: HashMap<Option<IpAddr>, Instant>,
}

impl Attempts {
    /// Returns whether a key from there is looked at now, else how long it takes until it is.
    pub(super) fn wait(&self, from: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let missing = self.full_at.get(&self.account(from))?.saturating_duration_since(now);
        let most = REFILL * (FREE - 1);
        (missing > most).then(|| missing - most)
    }

    /// Notes that a key from there was wrong.
    pub(super) fn failed(&mut self, from: Option<IpAddr>, now: Instant) {
        if self.full_at.len() >= MOST_ADDRESSES {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        let full_at = self.full_at.entry(self.account(from)).or_insert(now);
        *full_at = (*full_at).max(now) + REFILL;
    }

    fn account(&self, from: Option<IpAddr>) -> Option<IpAddr> {
        from.filter(|_| self.full_at.len() < MOST_ADDRESSES || self.full_at.contains_key(&from))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn two_thousand_wrong_keys_take_more_than_an_hour() {
        let mut attempts = Attempts::default();
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..2000 {
            if let Some(wait) = attempts.wait(address(1), now) {
                now += wait;
            }
            assert!(attempts.wait(address(1), now).is_none());
            attempts.failed(address(1), now);
        }
        assert!(now - begun > Duration::from_secs(3600), "{:?}", now - begun);
    }

    #[test]
    fn others_are_not_slowed_and_time_forgives() {
        let mut attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..FREE {
            assert!(attempts.wait(address(1), now).is_none());
            attempts.failed(address(1), now);
        }
        assert_eq!(attempts.wait(address(1), now), Some(REFILL));
        assert!(attempts.wait(address(2), now).is_none());
        assert!(attempts.wait(address(1), now + REFILL).is_none());
    }

    #[test]
    fn many_addresses_take_no_more_memory() {
        let mut attempts = Attempts::default();
        let now = Instant::now();
        for number in 0..10_000 {
            attempts.failed(address(number), now);
        }
        assert!(attempts.full_at.len() <= MOST_ADDRESSES + 1);
        assert!(attempts.wait(address(9_999), now).is_some(), "those beyond share one account");
        attempts.failed(address(20_000), now + REFILL * 20_000);
        assert!(attempts.full_at.len() < 3);
    }
}
