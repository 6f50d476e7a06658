//! The fields of a text, such as `{clock HH:mm}`: what stands for something that changes. PURE.
//!
//! Braces that hold no field are braces, as they were before there were fields. `{{…}}` around a field shows it as it is
//! written.

mod clock;

use jiff::{civil::Time, tz::TimeZone};

pub use self::clock::{ClockFormat, Unit, zoned};
use super::limits;

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Words that are shown as they are.
    Literal(String),
    /// A field, which stands for something.
    Field(Field),
}

/// The thing that a field stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// The name of a person: of who is in the layer of this id, or in the layer that the text belongs to.
    Name(Option<String>),
    /// The time of day, or the date.
    Clock(ClockFormat),
    /// The time that a timer has left.
    Countdown(String),
    /// The time until a time of day, by the clock of this zone; `None`: by the server's.
    Until(Time, Option<TimeZone>),
    /// The time that a timer has run.
    Stopwatch(String),
    /// Number of those who watch.
    Viewers,
    /// So many of the last lines of the chat.
    Chat(usize),
    /// The value under a key.
    Data {
        /// The key.
        key: String,
        /// The words that are shown while there is no value.
        default: String,
    },
}

/// Lines of the chat that are shown when nothing is said.
const CHAT: usize = 5;

/// The names of fields, for messages.
const NAMES: &str = "name, clock, countdown, stopwatch, viewers, chat and data.KEY";

/// Returns the parts of a text. A field that is wrong is shown as it is written.
pub fn parse(text: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    walk(text, |found| match found {
        Found::Text(text) | Found::Wrong { text, .. } | Found::Unknown { text, .. } => pieces.push(text),
        Found::Field(field) => pieces.field(field),
    });
    pieces.0
}

/// Returns whether something of a text changes by itself, or is shown otherwise than it is written.
pub fn is_living(text: &str) -> bool {
    // Nearly all texts end here.
    text.contains('{') && parse(text) != [Piece::Literal(text.to_owned())]
}

/// Returns what is wrong with the fields of a text, each in one line.
pub fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    walk(text, |found| {
        if let Found::Wrong { text, why } = found {
            faults.push(format!("`{text}` {why}"));
        }
    });
    faults
}

/// Returns what in a text looks like a field of a name that there is not, and is shown as it is written; each in one
/// line.
pub fn doubts(text: &str) -> Vec<String> {
    let mut doubts = Vec::new();
    walk(text, |found| {
        if let Found::Unknown { text, name } = found {
            doubts.push(format!("`{text}` is shown as it is written: `{name}` is no field; there are {NAMES}"));
        }
    });
    doubts
}

/// The pieces so far.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.0.push(Piece::Literal(text.to_owned())),
        }
    }

    fn field(&mut self, field: Field) {
        self.0.push(Piece::Field(field));
    }
}

/// A part of a text, as it is found.
enum Found<'a> {
    Text(&'a str),
    Field(Field),
    /// A field of a name that there is, which says something that cannot be.
    Wrong {
        text: &'a str,
        why: String,
    },
    /// Words that may have been meant as a field.
    Unknown {
        text: &'a str,
        name: &'a str,
    },
}

/// Hands over the parts of a text in order.
fn walk<'a>(text: &'a str, mut take: impl FnMut(Found<'a>)) {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        take(Found::Text(&rest[..at]));
        rest = &rest[at..];
        let is_escaped = rest.starts_with("{{");
        let begin = usize::from(is_escaped);
        // What has a brace or a line end in it is no field.
        let inner = rest[begin + 1..].find(['{', '}', '\n']).filter(|end| rest[begin + 1 + end..].starts_with('}'));
        let Some(length) = inner else {
            take(Found::Text(&rest[..begin + 1]));
            rest = &rest[begin + 1..];
            continue;
        };
        let (inside, whole) = (&rest[begin + 1..begin + 1 + length], begin + length + 2);
        let found = read(inside);
        if is_escaped {
            let is_field = !matches!(found, Read::No | Read::Unknown(_));
            let shown = usize::from(is_field);
            take(Found::Text(&rest[shown..whole]));
            rest = &rest[whole..];
            // The brace that closes the escape.
            rest = rest.strip_prefix('}').filter(|_| is_field).unwrap_or(rest);
            continue;
        }
        take(match found {
            Read::Field(field) => Found::Field(field),
            Read::Wrong(why) => Found::Wrong { text: &rest[..whole], why },
            Read::Unknown(name) => Found::Unknown { text: &rest[..whole], name },
            Read::No => Found::Text(&rest[..whole]),
        });
        rest = &rest[whole..];
    }
    take(Found::Text(rest));
}

/// The meaning of what stands between two braces.
enum Read<'a> {
    Field(Field),
    Wrong(String),
    Unknown(&'a str),
    No,
}

fn read(inside: &str) -> Read<'_> {
    if let Some(rest) = inside.strip_prefix("data.") {
        return data(rest);
    }
    let (name, rest) = inside.split_once(' ').map_or((inside, ""), |(name, rest)| (name, rest.trim()));
    let one_id = |field: fn(String) -> Field| match limits::is_id(rest) {
        true => Read::Field(field(rest.to_owned())),
        false => Read::Wrong("must name a timer: 1 to 64 of A-Z a-z 0-9 _ -".to_owned()),
    };
    match name {
        "name" if rest.is_empty() => Read::Field(Field::Name(None)),
        "name" if limits::is_id(rest) => Read::Field(Field::Name(Some(rest.to_owned()))),
        "name" => Read::Wrong("must name a layer by its id, or nothing".to_owned()),
        "viewers" if rest.is_empty() => Read::Field(Field::Viewers),
        "viewers" => Read::Wrong("takes nothing behind `viewers`".to_owned()),
        "chat" if rest.is_empty() => Read::Field(Field::Chat(CHAT)),
        "chat" => match rest.parse() {
            Ok(lines) if (1..=limits::CHAT_LINES).contains(&lines) => Read::Field(Field::Chat(lines)),
            _ => Read::Wrong(format!("must say how many lines are shown, 1 to {}, or nothing", limits::CHAT_LINES)),
        },
        "clock" => ClockFormat::read(rest).map_or_else(Read::Wrong, |format| Read::Field(Field::Clock(format))),
        "countdown" if rest.contains(':') => until(rest).map_or_else(Read::Wrong, Read::Field),
        "countdown" if rest.is_empty() => {
            Read::Wrong("must name a timer, or a time of day such as 20:15, to count down to".to_owned())
        }
        "countdown" => one_id(Field::Countdown),
        "stopwatch" => one_id(Field::Stopwatch),
        // One word, as fields are named: texts for other programs have other braces, too.
        word if inside == word && word.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(word) => {
            Read::Unknown(word)
        }
        _ => Read::No,
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.'))
}

fn data(rest: &str) -> Read<'_> {
    let (key, default) = rest.split_once('|').unwrap_or((rest, ""));
    match limits::is_id(key) {
        true => Read::Field(Field::Data { key: key.to_owned(), default: default.to_owned() }),
        false => Read::Wrong("must name a key behind `data.`: 1 to 64 of A-Z a-z 0-9 _ -".to_owned()),
    }
}

/// Reads `20:15` or `20:15:30`, and a time zone behind it.
fn until(text: &str) -> Result<Field, String> {
    let (time, zone) = text.split_once(' ').map_or((text, ""), |(time, zone)| (time, zone.trim()));
    let parts: Option<Vec<i8>> = time.split(':').map(two_digits).collect();
    let time = match parts.as_deref() {
        Some(&[hour, minute]) => Time::new(hour, minute, 0, 0).ok(),
        Some(&[hour, minute, second]) => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    };
    let time = time.ok_or("must be a time of day such as 20:15 or 20:15:30")?;
    let zone = if zone.is_empty() { None } else { Some(clock::zone(zone)?) };
    Ok(Field::Until(time, zone))
}

fn two_digits(text: &str) -> Option<i8> {
    let is_number = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
