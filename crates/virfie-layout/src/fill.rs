//! Layouts as they are shown: with what the fields of their texts stand for now. PURE.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Span, Timestamp, civil::Time, tz::TimeZone};
use serde_json::Value;

use super::{
    fields::{self, Field, Piece},
    limits,
    scene::{Scene, SceneLayer, Source},
    solve::{Person, Seating},
    text,
};

/// For so long after its time of day a countdown shows that it is over; then it counts to the next day's.
const OVER: SignedDuration = SignedDuration::from_hours(12);

/// The values that were put for texts, by key: strings and numbers. Copies share them.
pub type Data = BTreeMap<Arc<str>, Arc<Value>>;

/// The values that fields stand for, at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Names of everybody who may be shown, in order of joining.
    pub people: Vec<Arc<str>>,
    /// Number of those who only watch.
    pub viewers: usize,
    /// The values that were put, by key.
    pub data: Data,
    /// Timers by id.
    pub timers: BTreeMap<Arc<str>, Reading>,
    /// The last lines of the chat, oldest first.
    pub chat: Vec<String>,
    /// The time of day.
    pub now: Timestamp,
}

impl Values {
    /// Returns those of a room with nobody and nothing in it.
    pub fn none(now: Timestamp) -> Self {
        Self { people: Vec::new(), viewers: 0, data: Data::new(), timers: BTreeMap::new(), chat: Vec::new(), now }
    }
}

/// A timer at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Time that it has run.
    pub elapsed: Duration,
    /// Time that it still runs; zero for one without an end.
    pub left: Duration,
    /// Whether it runs now.
    pub runs: bool,
}

impl Scene {
    /// Returns whether a text has fields: it is shown otherwise than it is written.
    pub fn is_living(&self) -> bool {
        (0..self.layers.len()).any(|index| self.is_living_at(index))
    }

    /// Returns whether the layer at `index` is such a text.
    pub fn is_living_at(&self, index: usize) -> bool {
        let source = self.layers.get(index).map(|layer| &layer.source);
        matches!(source, Some(Source::Text(text)) if fields::is_living(&text.text))
    }

    /// Returns what is written in its texts, in their order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| match &layer.source {
            Source::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
    }

    /// Returns the ids of the layers that differ from those of another scene in what is written there, and in nothing else.
    pub fn reworded(&self, before: &Scene) -> Vec<String> {
        let is_reworded = |layer: &&SceneLayer| {
            let Some(old) = before.layers.iter().find(|old| old.id == layer.id) else { return false };
            let (Source::Text(text), Source::Text(words)) = (&old.source, &layer.source) else { return false };
            if text.text == words.text {
                return false;
            }
            let changed = text::Text { text: words.text.clone(), ..text.clone() };
            SceneLayer { source: Source::Text(changed), ..old.clone() } == **layer
        };
        self.layers.iter().filter(is_reworded).map(|layer| layer.id.clone()).collect()
    }

    /// Returns the scene with all fields filled in, and how long it stays so by itself; `None`: for ever.
    pub fn filled(&self, values: &Values) -> (Scene, Option<Duration>) {
        let people: Vec<Person> = values.people.iter().map(|name| Person { name, size: None }).collect();
        let seating = Seating::of(self, &people);
        let mut filled = self.clone();
        let mut lasts: Option<Duration> = None;
        for (index, layer) in filled.layers.iter_mut().enumerate() {
            let Source::Text(text) = &mut layer.source else { continue };
            if !fields::is_living(&text.text) {
                continue;
            }
            let name = |id: Option<&str>| {
                let shown = belongs_to(&self.layers, index, id)?;
                seating.person(&shown.source, &people).map(|index| people[index].name)
            };
            let mut words = String::new();
            for piece in fields::parse(&text.text) {
                // A character has at most four bytes, and the rest is cut off below.
                if words.len() > 4 * limits::TEXT_LENGTH {
                    break;
                }
                let until = match &piece {
                    Piece::Literal(literal) => {
                        words.push_str(literal);
                        None
                    }
                    // Of a layout from before there were fields.
                    Piece::Field(Field::Name(id)) if belongs_to(&self.layers, index, id.as_deref()).is_none() => {
                        let written = id.as_ref().map_or_else(|| "{name}".to_owned(), |id| format!("{{name {id}}}"));
                        words.push_str(&written);
                        None
                    }
                    Piece::Field(field) => write(&mut words, field, values, name),
                };
                lasts = [lasts, until].into_iter().flatten().min();
            }
            // What people put may be longer than what a layout may say.
            text.text = words.chars().take(limits::TEXT_LENGTH).collect();
        }
        (filled, lasts)
    }
}

/// Returns the layer whose person `{name}` means in the text at `index`: the one of this id, or else the one that the
/// text follows, the last one before it that shows a person, or the first one behind it.
pub(super) fn belongs_to<'a>(layers: &'a [SceneLayer], index: usize, id: Option<&str>) -> Option<&'a SceneLayer> {
    let follows = layers.get(index).and_then(|layer| layer.follow.as_ref()).map(|follow| follow.layer.as_str());
    if let Some(id) = id.or(follows) {
        return layers.iter().find(|layer| layer.id == id && layer.source.is_person());
    }
    let (before, behind) = layers.split_at(index.min(layers.len()));
    let shows = |layer: &&SceneLayer| layer.source.is_person();
    before.iter().rev().find(shows).or_else(|| behind.iter().find(shows))
}

/// Writes what a field stands for. Returns how long that stays so by itself; `None`: for ever.
fn write<'a>(
    words: &mut String,
    field: &Field,
    values: &Values,
    name: impl Fn(Option<&str>) -> Option<&'a str>,
) -> Option<Duration> {
    let timer = |id: &str| values.timers.get(id).copied().unwrap_or_default();
    match field {
        Field::Name(id) => {
            words.push_str(name(id.as_deref()).unwrap_or_default());
            None
        }
        Field::Clock(format) => {
            words.push_str(&format.at(values.now));
            Some(format.lasts(values.now))
        }
        Field::Countdown(id) => {
            let Reading { left, runs, .. } = timer(id);
            words.push_str(&clock(whole(left)));
            (runs && !left.is_zero()).then(|| step_down(left))
        }
        Field::Until(time, zone) => {
            let left = until(*time, zone.as_ref(), values.now);
            words.push_str(&clock(whole(left)));
            // One that is over begins again some day.
            Some(if left.is_zero() { Duration::from_secs(60) } else { step_down(left) })
        }
        Field::Stopwatch(id) => {
            let Reading { elapsed, runs, .. } = timer(id);
            words.push_str(&clock(elapsed.as_secs()));
            runs.then(|| Duration::from_secs(elapsed.as_secs() + 1).saturating_sub(elapsed))
        }
        Field::Viewers => {
            words.push_str(&values.viewers.to_string());
            None
        }
        Field::Chat(lines) => {
            words.push_str(&last_lines(&values.chat, *lines));
            None
        }
        Field::Data { key, default } => {
            match values.data.get(key.as_str()).map(|value| &**value) {
                Some(Value::String(text)) => words.push_str(text),
                Some(number) => words.push_str(&number.to_string()),
                None => words.push_str(default),
            }
            None
        }
    }
}

/// Returns so many of the last lines, or as many as a text may have.
fn last_lines(chat: &[String], most: usize) -> String {
    let mut room = limits::TEXT_LENGTH;
    let fits = |line: &&String| {
        let length = line.chars().count() + 1;
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    };
    let count = chat.iter().rev().take(most).take_while(fits).count();
    chat[chat.len() - count..].join("\n")
}

/// Returns the seconds that are left, so that a countdown shows 0 at its very end.
fn whole(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// Returns how long [`whole`] stays the same while time passes.
fn step_down(left: Duration) -> Duration {
    match left.subsec_nanos() {
        0 => Duration::from_secs(1),
        nanos => Duration::from_nanos(nanos.into()),
    }
}

/// Returns seconds as `4:05`, or as `1:04:05` from an hour on.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Returns how long it is until a time of day; zero for [`OVER`] behind it.
fn until(time: Time, zone: Option<&TimeZone>, now: Timestamp) -> Duration {
    let now = fields::zoned(now, zone);
    // Of today, and of the days around it: the last one that is not behind `OVER` counts.
    let days = [-1, 0, 1].into_iter().filter_map(|days| {
        let day = now.date().checked_add(Span::new().days(days)).ok()?;
        let at = day.to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
        Some(at.timestamp().duration_since(now.timestamp()))
    });
    let next = days.into_iter().find(|left| *left > SignedDuration::ZERO - OVER);
    next.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
