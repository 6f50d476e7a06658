//! Whether a peer still lives, from its packets and its ICE state. PURE.
//!
//! libnice's own consent checks lapse too eagerly on 1.22 or not at all, so packets decide: a connected peer that sends
//! neither RTP nor RTCP is gone. Receivers send RTCP reports at least every few seconds, so the rule holds for viewers.

use std::{fmt, time::Duration};

/// From the start until ICE must be connected. Browsers give up at 15 to 30 s; a user has left by then.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// Without a packet for this long, a peer is quiet: its picture is stale. Camera off ends video but not RTCP, whose
/// interval stays under 2 s at our bit rates.
pub const QUIET_AFTER: Duration = Duration::from_secs(3);
/// Without a packet for this long, a peer is dead, unless somebody knows it better. Wi-Fi roaming takes up to 8 s; a
/// vanished peer must be gone within 15 s, and the verdict is asked for once a second or two.
pub const DEAD_AFTER: Duration = Duration::from_secs(12);
/// A look that comes after so long a time means that all was held up, and so were the packets.
const HELD_UP: Duration = Duration::from_secs(2);

/// State of the ICE transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceState {
    /// Nothing has been tried yet.
    New,
    /// Checks run.
    Checking,
    /// Connected or completed.
    Connected,
    /// Checks failed for a while and may recover.
    Disconnected,
    /// Given up.
    Failed,
    /// Shut down.
    Closed,
}

/// The reason why a peer is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// ICE was not connected within [`CONNECT_WITHIN`].
    NeverConnected,
    /// ICE failed or was closed.
    IceFailed,
    /// No packet for so long while connected.
    Silent(Duration),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverConnected => write!(f, "no connection within {} s", CONNECT_WITHIN.as_secs()),
            Self::IceFailed => f.write_str("ICE failed"),
            Self::Silent(patience) => write!(f, "no packet for {} s", patience.as_secs_f64()),
        }
    }
}

/// The verdict on a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Still connecting, or heard of within [`QUIET_AFTER`].
    Alive,
    /// Connected, and nothing came for [`QUIET_AFTER`].
    Quiet,
    /// Tear it down. Stays so, whatever comes after.
    Dead(Reason),
}

/// Watches one peer. All times are durations since one epoch of the caller's choice.
#[derive(Debug, Clone)]
pub struct Liveness {
    started: Duration,
    /// Moment at which ICE was first connected.
    connected: Option<Duration>,
    last_packet: Option<Duration>,
    packets: u64,
    failed: bool,
    patience: Duration,
    looked: Duration,
}

impl Liveness {
    /// Creates a peer that begins to connect now.
    pub fn new(now: Duration) -> Self {
        Self {
            started: now,
            connected: None,
            last_packet: None,
            packets: 0,
            failed: false,
            patience: DEAD_AFTER,
            looked: now,
        }
    }

    /// Sets how long this peer may be silent before it is dead.
    pub fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Reports the total of incoming packets, RTP and RTCP of all streams. Only growth counts as a sign of life.
    pub fn packets(&mut self, now: Duration, count: u64) {
        let held_up = now.saturating_sub(self.looked) > HELD_UP;
        if count > self.packets || held_up {
            self.last_packet = Some(now);
        }
        (self.packets, self.looked) = (count, now);
    }

    /// Reports the state of the ICE transport.
    pub fn ice(&mut self, now: Duration, state: IceState) {
        match state {
            IceState::Connected => _ = self.connected.get_or_insert(now),
            IceState::Failed | IceState::Closed => self.failed = true,
            // A lost connection shows in the packets.
            IceState::New | IceState::Checking | IceState::Disconnected => {}
        }
    }

    /// Returns what to think of the peer now. Death by silence is not remembered: tear the peer down when it is
    /// returned.
    pub fn verdict(&self, now: Duration) -> Verdict {
        if self.failed {
            return Verdict::Dead(Reason::IceFailed);
        }
        let Some(connected) = self.connected else {
            let late = now.saturating_sub(self.started) >= CONNECT_WITHIN;
            return if late { Verdict::Dead(Reason::NeverConnected) } else { Verdict::Alive };
        };
        let heard = self.last_packet.map_or(connected, |packet| packet.max(connected));
        match now.saturating_sub(heard) {
            silence if silence >= self.patience => Verdict::Dead(Reason::Silent(self.patience)),
            silence if silence >= QUIET_AFTER => Verdict::Quiet,
            _ => Verdict::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(100.0 + seconds)
    }

    fn connected() -> Liveness {
        let mut liveness = Liveness::new(at(0.0));
        liveness.ice(at(0.0), IceState::Checking);
        liveness.ice(at(1.0), IceState::Connected);
        liveness
    }

    #[test]
    fn a_peer_that_never_connects_is_dead_after_20_s() {
        let mut liveness = Liveness::new(at(0.0));
        liveness.ice(at(1.0), IceState::Checking);
        assert_eq!(liveness.verdict(at(19.9)), Verdict::Alive);
        assert_eq!(liveness.verdict(at(20.0)), Verdict::Dead(Reason::NeverConnected));
    }

    #[test]
    fn growth_of_the_packet_count_keeps_a_peer_alive() {
        let mut liveness = connected();
        for second in 1..60 {
            liveness.packets(at(f64::from(second)), u64::from(second as u32) * 50);
            assert_eq!(liveness.verdict(at(f64::from(second) + 2.9)), Verdict::Alive);
        }
    }

    #[test]
    fn silence_is_quiet_after_3_s_and_death_after_12_s() {
        let mut liveness = connected();
        for second in 2..=15u32 {
            liveness.packets(at(f64::from(second)), if second < 5 { u64::from(second) } else { 10 });
        }
        assert_eq!(liveness.verdict(at(7.9)), Verdict::Alive);
        assert_eq!(liveness.verdict(at(8.0)), Verdict::Quiet);
        assert_eq!(liveness.verdict(at(16.9)), Verdict::Quiet);
        assert_eq!(liveness.verdict(at(17.0)), Verdict::Dead(Reason::Silent(DEAD_AFTER)));
        liveness.be_patient(Duration::from_millis(4_500));
        assert_eq!(liveness.verdict(at(9.4)), Verdict::Quiet);
        let verdict = liveness.verdict(at(9.5));
        let Verdict::Dead(reason) = verdict else { panic!("{verdict:?}") };
        assert_eq!(reason.to_string(), "no packet for 4.5 s");
    }

    #[test]
    fn a_server_that_was_held_up_itself_blames_nobody() {
        let mut liveness = connected();
        liveness.packets(at(2.0), 10);
        liveness.packets(at(40.0), 10);
        assert_eq!(liveness.verdict(at(40.1)), Verdict::Alive);
    }

    #[test]
    fn a_connected_peer_that_never_sends_is_dead_12_s_later() {
        let liveness = connected();
        assert_eq!(liveness.verdict(at(12.9)), Verdict::Quiet);
        assert_eq!(liveness.verdict(at(13.0)), Verdict::Dead(Reason::Silent(DEAD_AFTER)));
    }

    #[test]
    fn a_quiet_peer_comes_back() {
        let mut liveness = connected();
        liveness.packets(at(2.0), 1);
        liveness.ice(at(4.0), IceState::Disconnected);
        assert_eq!(liveness.verdict(at(10.0)), Verdict::Quiet);
        liveness.packets(at(10.5), 2);
        assert_eq!(liveness.verdict(at(11.0)), Verdict::Alive);
    }

    #[test]
    fn failed_ice_is_final() {
        for state in [IceState::Failed, IceState::Closed] {
            let mut liveness = connected();
            liveness.packets(at(2.0), 1);
            liveness.ice(at(2.0), state);
            liveness.ice(at(3.0), IceState::Connected);
            liveness.packets(at(3.0), 5);
            assert_eq!(liveness.verdict(at(3.0)), Verdict::Dead(Reason::IceFailed));
        }
    }

    #[test]
    fn time_that_stands_still_or_counters_that_fall_do_no_harm() {
        let mut liveness = connected();
        liveness.packets(at(2.0), 100);
        liveness.packets(at(3.5), 100);
        liveness.packets(at(5.0), 0);
        assert_eq!(liveness.verdict(at(0.0)), Verdict::Alive);
        assert_eq!(liveness.verdict(at(5.0)), Verdict::Quiet);
        liveness.packets(at(6.0), 1);
        assert_eq!(liveness.verdict(at(6.0)), Verdict::Alive);
    }
}
