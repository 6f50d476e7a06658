//! A room's chat: the last lines that people wrote, for texts and for the page. PURE.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Now, name::MAX_NAME};
use crate::{
    control::room::error::RoomError,
    layout::{Fault, limits},
};

/// Number of lines that are kept: more than any picture shows.
pub const MAX_LINES: usize = 100;

/// Longest line, in characters: as long as those of streaming services.
pub const MAX_LENGTH: usize = 500;

/// Number of lines that a room takes in a second: nobody reads so many, and all who listen to the room get each of
/// them.
pub const MAX_A_SECOND: u32 = 50;

/// A line that is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChatLine {
    /// The name of its writer: 1 to 64 characters. They need not be in the room.
    #[schema(min_length = 1, max_length = 64, example = "ann")]
    pub name: String,
    /// The line: 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500, example = "Hello!")]
    pub text: String,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChatLine {
    /// Grows from line to line.
    pub id: u64,
    /// Time at which it came.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The name of its writer.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// The line as it was written.
    #[schema(value_type = String)]
    pub text: Arc<str>,
}

impl NewChatLine {
    /// Looks whether it can be shown.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place.
    pub fn check(&self) -> Result<(), RoomError> {
        let wrong = |key: &str, text: &str, most: usize| {
            let is_right = text.chars().count() <= most && limits::is_readable(text);
            (!is_right).then(|| Fault {
                pointer: format!("/{key}"),
                detail: format!(
                    "must have 1 to {most} characters, some of which can be seen, without those that control text or its \
                     direction"
                ),
            })
        };
        let faults = [wrong("name", &self.name, MAX_NAME), wrong("text", &self.text, MAX_LENGTH)];
        let faults: Vec<Fault> = faults.into_iter().flatten().collect();
        if faults.is_empty() { Ok(()) } else { Err(RoomError::Invalid(faults)) }
    }
}

/// The last lines.
#[derive(Debug, Default)]
pub struct Chat {
    lines: VecDeque<ChatLine>,
    last: u64,
    /// Beginning of the second in which the last line came; `None` before the first one.
    second: Option<Instant>,
    /// The lines of that second.
    in_second: u32,
}

impl Chat {
    /// Takes a line that was checked before.
    ///
    /// # Errors
    /// [`RoomError::TooManyLines`].
    pub fn add(&mut self, new: NewChatLine, now: Now) -> Result<ChatLine, RoomError> {
        let lasts = |begun: Instant| now.clock.saturating_duration_since(begun) < Duration::from_secs(1);
        if !self.second.is_some_and(lasts) {
            (self.second, self.in_second) = (Some(now.clock), 0);
        }
        if self.in_second >= MAX_A_SECOND {
            return Err(RoomError::TooManyLines { max: MAX_A_SECOND });
        }
        self.in_second += 1;
        self.last += 1;
        let line = ChatLine { id: self.last, at: now.wall, name: new.name.into(), text: new.text.into() };
        if self.lines.len() >= MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        Ok(line)
    }

    /// Takes a line away, or all of them; whether there was one.
    pub fn remove(&mut self, id: Option<u64>) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| id.is_some_and(|id| id != line.id));
        self.lines.len() < before
    }

    /// Returns all lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &ChatLine> {
        self.lines.iter()
    }

    /// Returns the last lines as texts show them, oldest first.
    pub fn shown(&self) -> Vec<String> {
        let from = self.lines.len().saturating_sub(limits::CHAT_LINES);
        self.lines.range(from..).map(|line| format!("{}: {}", line.name, line.text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> NewChatLine {
        NewChatLine { name: "ann".to_owned(), text: text.to_owned() }
    }

    /// Returns the time so long after the beginning of a test.
    fn after(begun: Instant, ms: u64) -> Now {
        Now { clock: begun + Duration::from_millis(ms), wall: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn so_many_lines_are_taken_in_a_second() {
        let (mut chat, begun) = (Chat::default(), Instant::now());
        let mut take =
            |ms: u64, lines: u32| (0..lines).filter(|_| chat.add(line("Hi"), after(begun, ms)).is_ok()).count();
        assert_eq!(take(0, MAX_A_SECOND + 5), MAX_A_SECOND as usize);
        assert_eq!((take(999, 1), take(1000, 1), take(1999, 1)), (0, 1, 1));
        assert_eq!(take(1999, MAX_A_SECOND), MAX_A_SECOND as usize - 2);
        assert_eq!(take(60_000, 1), 1);
    }

    #[test]
    fn the_last_lines_are_kept_and_shown() {
        let (mut chat, begun) = (Chat::default(), Instant::now());
        for number in 0..MAX_LINES as u64 + 5 {
            assert!(chat.add(line(&number.to_string()), after(begun, number * 100)).is_ok());
        }
        let ids: Vec<u64> = chat.lines().map(|line| line.id).collect();
        assert_eq!((ids.len(), ids[0]), (MAX_LINES, 6));
        assert_eq!(
            (chat.shown().len(), chat.shown().last().map(String::as_str)),
            (limits::CHAT_LINES, Some("ann: 104"))
        );
        assert!(chat.remove(Some(105)) && !chat.remove(Some(105)) && !chat.remove(Some(1)));
        assert_eq!(chat.shown().last().map(String::as_str), Some("ann: 103"));
        assert!(chat.remove(None) && !chat.remove(None));
        assert!(chat.shown().is_empty());
    }

    #[test]
    fn what_nobody_can_read_is_refused_with_its_place() {
        assert_eq!(line("Hello!").check(), Ok(()));
        for wrong in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(501)] {
            let Err(RoomError::Invalid(faults)) = line(wrong).check() else { panic!("{wrong:?}") };
            assert_eq!(faults[0].pointer, "/text", "{wrong:?}");
        }
        let both = NewChatLine { name: "x".repeat(65), text: String::new() };
        assert!(matches!(both.check(), Err(RoomError::Invalid(faults)) if faults.len() == 2));
    }
}
