//! Chooses who is shown large: the one who speaks, without flapping. PURE.
//!
//! Somebody new must have spoken for [`TAKE`], and the one who is shown must have stopped, so that neither a cough nor
//! two who speak at once change the picture back and forth. When all are silent, the last who spoke stays.

use std::time::{Duration, Instant};

use crate::media::port::ParticipantId;

/// Time for which somebody must have spoken to be shown large.
pub const TAKE: Duration = Duration::from_millis(1000);

/// The record of who speaks and who spoke.
#[derive(Debug, Default)]
pub struct Spotlight {
    /// Those who were shown large, the last one first.
    order: Vec<ParticipantId>,
    /// Those who speak now, and since when.
    speaking: Vec<(ParticipantId, Instant)>,
}

impl Spotlight {
    /// Looks at everybody who may be shown, with whether they speak. Whether somebody else is to be shown large now.
    pub fn look<'a>(&mut self, people: impl Iterator<Item = (&'a ParticipantId, bool)> + Clone, now: Instant) -> bool {
        let before = self.order.first().cloned();
        let speaks = |id: &ParticipantId| people.clone().any(|(own, speaks)| own == id && speaks);
        self.order.retain(|id| people.clone().any(|(own, _)| own == id));
        self.speaking.retain(|(id, _)| speaks(id));
        for (id, _) in people.clone().filter(|(_, speaks)| *speaks) {
            if !self.speaking.iter().any(|(known, _)| known == id) {
                self.speaking.push((id.clone(), now));
            }
        }
        if let Some((id, _)) = self.rising().filter(|(_, since)| now.saturating_duration_since(*since) >= TAKE) {
            self.order.retain(|other| *other != id);
            self.order.insert(0, id);
        }
        self.order.first() != before.as_ref()
    }

    /// Returns who has spoken longest, unless the one who is shown still speaks.
    fn rising(&self) -> Option<(ParticipantId, Instant)> {
        let shown = self.order.first();
        if self.speaking.iter().any(|(id, _)| Some(id) == shown) {
            return None;
        }
        self.speaking.iter().min_by_key(|(_, since)| *since).cloned()
    }

    /// Returns when to look again if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.rising().map(|(_, since)| since + TAKE)
    }

    /// Returns those who were shown large, the last one first. Nobody before somebody spoke.
    pub fn order(&self) -> &[ParticipantId] {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ParticipantId {
        ParticipantId(name.into())
    }

    /// Plays who speaks in a room of `a`, `b` and `c`, and returns at which milliseconds somebody else is shown.
    struct Play {
        light: Spotlight,
        begun: Instant,
        here: Vec<ParticipantId>,
    }

    impl Play {
        fn new() -> Self {
            Self { light: Spotlight::default(), begun: Instant::now(), here: ["a", "b", "c"].map(id).into() }
        }

        fn at(&mut self, ms: u64, speakers: &[&str]) -> Option<String> {
            let people = self.here.iter().map(|one| (one, speakers.contains(&&*one.0)));
            let changed = self.light.look(people, self.begun + Duration::from_millis(ms));
            changed.then(|| self.light.order().first().map_or_else(String::new, |one| one.0.to_string()))
        }

        fn deadline(&self) -> Option<u64> {
            Some(self.light.deadline()?.duration_since(self.begun).as_millis() as u64)
        }
    }

    #[test]
    fn somebody_new_must_have_spoken_for_a_second() {
        let mut play = Play::new();
        assert_eq!((play.at(0, &[]), play.deadline()), (None, None));
        assert_eq!((play.at(100, &["b"]), play.deadline()), (None, Some(1100)));
        assert_eq!(play.at(1099, &["b"]), None);
        assert_eq!((play.at(1100, &["b"]), play.deadline()), (Some("b".into()), None));
        // A cough.
        assert_eq!((play.at(2000, &[]), play.at(2100, &["c"]), play.at(2900, &[])), (None, None, None));
        // Silence.
        assert_eq!((play.at(60_000, &[]), play.deadline()), (None, None));
        assert_eq!(play.light.order(), [id("b")]);
    }

    #[test]
    fn who_is_shown_is_not_talked_down() {
        let mut play = Play::new();
        play.at(0, &["a"]);
        assert_eq!(play.at(1000, &["a"]), Some("a".into()));
        assert_eq!((play.at(2000, &["a", "b"]), play.at(9000, &["a", "b"]), play.deadline()), (None, None, None));
        // As soon as they stop, the one who has spoken long enough follows.
        assert_eq!(play.at(9500, &["b"]), Some("b".into()));
        assert_eq!(play.at(9600, &["a", "b"]), None);
        assert_eq!(play.light.order(), [id("b"), id("a")]);
    }

    #[test]
    fn of_two_who_began_the_longer_one_is_shown() {
        let mut play = Play::new();
        play.at(0, &["c"]);
        play.at(300, &["a", "c"]);
        assert_eq!(play.at(1400, &["a", "c"]), Some("c".into()));
    }

    #[test]
    fn when_somebody_leaves_the_one_before_is_shown() {
        let mut play = Play::new();
        play.at(0, &["a"]);
        play.at(1000, &["a"]);
        play.at(1100, &["b"]);
        assert_eq!(play.at(2100, &["b"]), Some("b".into()));
        play.here.retain(|one| *one != id("b"));
        assert_eq!(play.at(2200, &["b"]), Some("a".into()));
        play.here.clear();
        assert_eq!((play.at(2300, &[]), play.light.order().len()), (Some(String::new()), 0));
    }
}
