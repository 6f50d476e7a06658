//! Names of rooms and of people, checked once where they enter. PURE.

use std::{fmt, sync::Arc};

use icu_normalizer::ComposingNormalizerBorrowed;
use unicode_security::skeleton;

use crate::{control::room::error::RoomError, layout::limits};

/// Longest room name and longest display name, in characters.
pub const MAX_NAME: usize = 64;

/// A room's name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`RoomError::BadRoomName`] when it is empty, too long or has another character.
    pub fn parse(text: &str) -> Result<Self, RoomError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(legal) {
            return Err(RoomError::BadRoomName);
        }
        Ok(Self(text.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as shared text.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether two names look the same to people, or nearly: letters are one in all ways to write them, and what
/// shows nothing does not count.
pub fn look_alike(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.split_whitespace().eq(other.split_whitespace());
    }
    seen(one) == seen(other)
}

/// Does the same for names that a token fixes: letters of any size are one, too, and so are those of all scripts that
/// look alike (the skeletons of Unicode Technical Standard 39).
pub fn could_be_taken_for(one: &str, other: &str) -> bool {
    let is_one = |of: fn(&str) -> String| look_alike(&of(one), &of(other));
    is_one(|name| drawn(&seen(name))) || is_one(|name| drawn(&seen(name).to_lowercase()))
}

/// Returns what a name looks like in print, in small letters.
fn drawn(name: &str) -> String {
    skeleton(name).collect::<String>().to_lowercase()
}

/// Returns what is seen of a name.
fn seen(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !limits::is_silent(*c)).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&plain);
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a name as a token fixes it: without the marks (U+061C, U+200E, U+200F) that keyboards for scripts of both
/// directions write into it. Nothing is seen of them, and what they do to their neighbours is not wanted in a name.
pub fn without_marks(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')).collect()
}

/// A name that people see: 1 to 64 characters that can be read ([`limits::is_readable`]), no blanks at the ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Checks a name; blanks at both ends are dropped first.
    ///
    /// # Errors
    /// [`RoomError::BadDisplayName`] when nothing that is seen is left, it is too long or has control characters.
    pub fn parse(text: &str) -> Result<Self, RoomError> {
        let text = text.trim();
        if text.chars().count() > MAX_NAME || !limits::is_readable(text) {
            return Err(RoomError::BadDisplayName);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns this name, or when it is `taken` the first free one of `name-2`, `name-3`, … (shortened to stay within
    /// the limit).
    pub fn made_unique(&self, taken: impl Fn(&str) -> bool) -> Arc<str> {
        if !taken(&self.0) {
            return self.0.as_str().into();
        }
        let mut number: u64 = 2;
        loop {
            let suffix = format!("-{number}");
            let space = MAX_NAME - suffix.len();
            let candidate: String = self.0.chars().take(space).chain(suffix.chars()).collect();
            if !taken(&candidate) {
                return candidate.into();
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_that_look_alike_are_known() {
        let alike =
            ["Zo\u{eb}", "Zoe\u{308}", "Zo\u{eb}\u{200b}", "\u{2060}Zo\u{eb}", "\u{ff3a}o\u{eb}", "Zo\u{eb}\u{fe0f}"];
        for name in alike {
            assert!(look_alike(alike[0], name) && look_alike(name, alike[0]), "{name:?}");
        }
        assert!(look_alike("ann  b", "ann b") && look_alike("ann", "\u{ff41}nn\u{ad}"));
        for other in ["Zoe", "Zo", "zo\u{eb}", "ann"] {
            assert!(!look_alike(alike[0], other), "{other}");
        }
        assert!(!look_alike("ann", "Ann") && !look_alike("ann", "an n"));
        assert!(could_be_taken_for("ann", "A\u{200d}NN") && !could_be_taken_for("ann", "anne"));
        // Cyrillic, Greek, full width, a capital I for an l.
        for taken in ["\u{430}nn", "\u{410}NN", "\u{ff41}nn", "\u{391}nn"] {
            assert!(could_be_taken_for("ann", taken) && could_be_taken_for(taken, "Ann"), "{taken}");
        }
        assert!(could_be_taken_for("Bill", "BiII") && !could_be_taken_for("Bill", "Ball"));
        for nothing in ["\u{200b}", " \u{3164} ", "\u{2800}\u{ad}"] {
            assert!(DisplayName::parse(nothing).is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn room_names_are_limited_to_plain_characters() {
        for good in ["a", "Demo_1-x", &"x".repeat(64)] {
            assert_eq!(RoomName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "ä", "..", "a.b", &"x".repeat(65)] {
            assert!(RoomName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_may_be_any_printable_text() {
        assert_eq!(DisplayName::parse("  Jürgen 🎥 ").unwrap().as_str(), "Jürgen 🎥");
        assert!(DisplayName::parse(&"é".repeat(64)).is_ok());
        for bad in ["", "   ", "a\nb", "a\u{0}", "a\u{202E}b", "a\u{200F}", "\u{301}", &"é".repeat(65)] {
            assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn marks_of_direction_are_dropped_and_nothing_else() {
        assert_eq!(without_marks("\u{200f}\u{5d3}\u{5e0}\u{5d4}\u{200e} 2\u{61c}"), "\u{5d3}\u{5e0}\u{5d4} 2");
        // What parts letters belongs to a name. What turns the text behind it is refused, and not dropped.
        for other in ["\u{645}\u{6cc}\u{200c}\u{62e}\u{648}", "a\u{202e}b", "a\u{2067}b"] {
            assert_eq!(without_marks(other), other);
        }
    }

    #[test]
    fn the_second_of_a_name_gets_a_number() {
        let alice = DisplayName::parse("alice").unwrap();
        assert_eq!(&*alice.made_unique(|_| false), "alice");
        assert_eq!(&*alice.made_unique(|n| n == "alice"), "alice-2");
        assert_eq!(&*alice.made_unique(|n| n == "alice" || n == "alice-2"), "alice-3");
    }

    #[test]
    fn a_long_name_is_shortened_to_make_place_for_the_number() {
        let long = DisplayName::parse(&"ü".repeat(64)).unwrap();
        let unique = long.made_unique(|n| !n.ends_with("-2"));
        assert_eq!(unique.chars().count(), 64);
        assert!(unique.ends_with("ü-2"));
    }
}
