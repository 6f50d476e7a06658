//! The room's revision and the precondition that a changing request may carry. PURE.

/// Grows with each change of a room's settings, layout or scenes; the `ETag` of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

impl Revision {
    /// Returns the value of an `ETag` header: the number in quotes.
    pub fn etag(self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// The reason why a request is not carried out: its `If-Match` names another revision than the room's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the room has changed: it is at revision {}", .current.0)]
pub struct Stale {
    /// The room's revision.
    pub current: Revision,
}

/// An `If-Match` header: what the room must be at for a request to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IfMatch {
    /// No header: always carried out.
    #[default]
    Absent,
    /// `*`: the room must exist.
    Existing,
    /// One of these tags, without their quotes.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value. Weak tags (`W/"3"`) never match, as RFC 9110 wants it for `If-Match`, and so does
    /// text that is no tag.
    pub fn parse(value: &str) -> Self {
        if value.trim() == "*" {
            return Self::Existing;
        }
        let tag = |part: &str| part.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        Self::OneOf(value.split(',').filter_map(tag).collect())
    }

    /// Returns whether something that exists and has this tag (without quotes) passes.
    pub fn allows_tag(&self, tag: &str) -> bool {
        match self {
            Self::Absent | Self::Existing => true,
            Self::OneOf(tags) => tags.iter().any(|t| t == tag),
        }
    }

    /// Checks a room's revision.
    ///
    /// # Errors
    /// [`Stale`] when the room is at another revision.
    pub fn check(&self, current: Revision) -> Result<(), Stale> {
        if self.allows_tag(&current.0.to_string()) { Ok(()) } else { Err(Stale { current }) }
    }

    /// Returns whether the request names what it wants to change.
    pub fn is_present(&self) -> bool {
        *self != Self::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_header_and_a_star_always_pass() {
        assert_eq!(IfMatch::Absent.check(Revision(7)), Ok(()));
        assert_eq!(IfMatch::parse(" * ").check(Revision(7)), Ok(()));
    }

    #[test]
    fn one_of_several_tags_is_enough() {
        let tags = IfMatch::parse("\"3\", \"7\"");
        assert_eq!(tags.check(Revision(7)), Ok(()));
        assert_eq!(tags.check(Revision(8)), Err(Stale { current: Revision(8) }));
    }

    #[test]
    fn weak_or_broken_tags_never_match() {
        for text in ["W/\"7\"", "7", "", "\"7", "\"07\""] {
            assert!(IfMatch::parse(text).check(Revision(7)).is_err(), "{text:?}");
        }
    }
}
