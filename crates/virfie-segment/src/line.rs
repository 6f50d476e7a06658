//! PURE: who runs an inference and who waits for a place.
//!
//! The one whose last mask is the oldest is next, whichever room they are in; those without a mask come before all
//! others, because they cannot be shown. Those passed over grow older and come to the front, so nobody starves.

use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub struct WaitingLine {
    free: usize,
    next: u64,
    waiting: Vec<Waiting>,
}

/// Derived order: by the last mask, `None` before all, and then by who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    last: Option<Duration>,
    ticket: u64,
}

impl WaitingLine {
    /// Lets so many run at once.
    pub fn new(places: usize) -> Self {
        Self { free: places, next: 0, waiting: Vec::new() }
    }

    /// Waits, with the time of the own last mask. The ticket for [`WaitingLine::advance`].
    pub fn wait(&mut self, last: Option<Duration>) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.waiting.push(Waiting { last, ticket });
        ticket
    }

    /// Takes a place if there is one and it is this one's turn.
    pub fn advance(&mut self, ticket: u64) -> bool {
        let first = self.waiting.iter().min().is_some_and(|first| first.ticket == ticket);
        let goes = first && self.free > 0;
        if goes {
            self.free -= 1;
            self.give_up(ticket);
        }
        goes
    }

    /// Waits no longer.
    pub fn give_up(&mut self, ticket: u64) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
    }

    /// Gives a place back.
    pub fn leave(&mut self) {
        self.free += 1;
    }

    /// Returns whether somebody else could take a place now.
    pub fn is_open(&self) -> bool {
        self.free > 0 && !self.waiting.is_empty()
    }

    /// Returns how many wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns how many places nobody has.
    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_oldest_mask_is_next_and_those_without_one_come_before() {
        let mut line = WaitingLine::new(1);
        let tickets = [Some(30 * MS), Some(10 * MS), None, Some(20 * MS)].map(|last| line.wait(last));
        let mut order = Vec::new();
        while let Some(who) = tickets.iter().position(|ticket| line.advance(*ticket)) {
            order.push(who);
            line.leave();
        }
        assert_eq!(order, [2, 1, 3, 0]);
    }

    #[test]
    fn those_alike_are_served_as_they_came() {
        let mut line = WaitingLine::new(1);
        let tickets = [(); 3].map(|()| line.wait(Some(MS)));
        assert!(!line.advance(tickets[1]) && line.advance(tickets[0]));
        assert!(!line.advance(tickets[1]), "there is no place");
        line.leave();
        assert!(line.advance(tickets[1]));
    }

    #[test]
    fn those_who_give_up_are_in_nobody_s_way() {
        let mut line = WaitingLine::new(1);
        let (first, second) = (line.wait(None), line.wait(Some(MS)));
        line.give_up(first);
        assert!(line.is_open() && line.advance(second));
        assert_eq!((line.waiting(), line.free()), (0, 0));
    }

    /// Sixteen senders ask with every frame and give up after a frame's time; a mask takes 20 ms, two are made at once.
    #[test]
    fn all_get_the_same_share_whatever_their_frame_rates() {
        let periods: Vec<u32> = (0..16).map(|who| if who % 2 == 0 { 33 } else { 16 }).collect();
        let mut line = WaitingLine::new(2);
        let (mut masks, mut last) = ([0u32; 16], [None; 16]);
        let mut waits: [Option<(u64, u32)>; 16] = [None; 16];
        let mut running: Vec<(u32, usize)> = Vec::new();
        for now in 0..10_000u32 {
            running.retain(|(ends, who)| {
                let over = *ends <= now;
                if over {
                    line.leave();
                    masks[*who] += 1;
                }
                !over
            });
            for who in 0..16 {
                if let Some((ticket, since)) = waits[who]
                    && now - since > 25
                {
                    line.give_up(ticket);
                    waits[who] = None;
                }
                let busy = waits[who].is_some() || running.iter().any(|(_, of)| *of == who);
                if !busy && (now + who as u32).is_multiple_of(periods[who]) {
                    waits[who] = Some((line.wait(last[who]), now));
                }
            }
            for who in 0..16 {
                if let Some((ticket, _)) = waits[who]
                    && line.advance(ticket)
                {
                    waits[who] = None;
                    last[who] = Some(now * MS);
                    running.push((now + 20, who));
                }
            }
        }
        let (least, most) = (masks.iter().min().copied(), masks.iter().max().copied());
        assert!(least >= Some(50) && most <= least.map(|least| least * 5 / 4), "{masks:?}");
    }
}
