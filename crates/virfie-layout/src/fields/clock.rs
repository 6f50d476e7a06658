//! Forms of a clock in a text: `HH:mm`, `h:mm:ss a Europe/Berlin`, `dd.MM.yyyy`. PURE.

use std::{fmt::Write as _, time::Duration};

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// A part of a clock.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// Characters that stand between.
    Literal(String),
    /// 00 to 23; `false`: 0 to 23.
    Hour(bool),
    /// 01 to 12; `false`: 1 to 12.
    HalfDayHour(bool),
    /// AM or PM.
    HalfDay,
    /// 00 to 59.
    Minute,
    /// 00 to 59.
    Second,
    /// 01 to 31; `false`: 1 to 31.
    Day(bool),
    /// 01 to 12; `false`: 1 to 12.
    Month(bool),
    /// Four digits.
    Year,
}

/// The letters of each.
const LETTERS: [(&str, Unit); 12] = [
    ("HH", Unit::Hour(true)),
    ("H", Unit::Hour(false)),
    ("hh", Unit::HalfDayHour(true)),
    ("h", Unit::HalfDayHour(false)),
    ("a", Unit::HalfDay),
    ("mm", Unit::Minute),
    ("ss", Unit::Second),
    ("dd", Unit::Day(true)),
    ("d", Unit::Day(false)),
    ("MM", Unit::Month(true)),
    ("M", Unit::Month(false)),
    ("yyyy", Unit::Year),
];

/// The units of a clock that names none.
const USUAL: &str = "HH:mm";

/// The form of a clock.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockFormat {
    units: Vec<Unit>,
    /// `None`: the server's.
    zone: Option<TimeZone>,
}

impl ClockFormat {
    /// Reads units, and a time zone behind them; both may be left out.
    ///
    /// # Errors
    /// The fault, in one line.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (units, zone) = match text.rsplit_once(' ') {
            _ if units(text).is_some() => (text, None),
            Some((format, name)) if units(name).is_none() => (format.trim(), Some(zone(name)?)),
            // One word that is no format.
            None if text.contains('/') || text.eq_ignore_ascii_case("utc") => (USUAL, Some(zone(text)?)),
            _ => (text, None),
        };
        let wrong = || {
            "must be a clock of HH, H, hh, h, mm, ss, a, dd, d, MM, M and yyyy, such as HH:mm, and a time zone behind it if \
             it is not the server's"
        };
        let text = if units.is_empty() { USUAL } else { units };
        Ok(Self { units: self::units(text).ok_or_else(wrong)?, zone })
    }

    /// Returns what it says at this time.
    pub fn at(&self, now: Timestamp) -> String {
        let now = zoned(now, self.zone.as_ref());
        let mut text = String::new();
        let half = |hour: i8| if hour % 12 == 0 { 12 } else { hour % 12 };
        let number = |number: i8, pads: bool, text: &mut String| {
            // Writing into a string cannot fail.
            let _ = if pads { write!(text, "{number:02}") } else { write!(text, "{number}") };
        };
        for unit in &self.units {
            match unit {
                Unit::Literal(literal) => text.push_str(literal),
                Unit::Hour(pads) => number(now.hour(), *pads, &mut text),
                Unit::HalfDayHour(pads) => number(half(now.hour()), *pads, &mut text),
                Unit::HalfDay => text.push_str(if now.hour() < 12 { "AM" } else { "PM" }),
                Unit::Minute => number(now.minute(), true, &mut text),
                Unit::Second => number(now.second(), true, &mut text),
                Unit::Day(pads) => number(now.day(), *pads, &mut text),
                Unit::Month(pads) => number(now.month(), *pads, &mut text),
                Unit::Year => {
                    let _ = write!(text, "{:04}", now.year());
                }
            }
        }
        text
    }

    /// Returns how long it says the same after this time: until the next second, or the next minute. Time zones are
    /// whole minutes apart.
    pub fn lasts(&self, now: Timestamp) -> Duration {
        let period = if self.units.contains(&Unit::Second) { 1 } else { 60 };
        rest_of(now, period)
    }
}

/// Returns how much is left of the period of so many seconds that this time lies in.
pub fn rest_of(now: Timestamp, period: u64) -> Duration {
    let period = u128::from(period) * 1_000_000_000;
    // Before 1970 no clock shows anything that anybody waits for.
    let since = u128::try_from(now.as_nanosecond()).unwrap_or_default() % period;
    Duration::from_nanos(u64::try_from(period - since).unwrap_or(u64::MAX))
}

/// Returns a time as a clock of this zone has it; `None`: of the server's.
pub fn zoned(now: Timestamp, zone: Option<&TimeZone>) -> Zoned {
    now.to_zoned(zone.cloned().unwrap_or_else(TimeZone::system))
}

/// Returns a time zone of this name.
///
/// # Errors
/// The fault, in one line.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    // A server without a list of zones knows this one, too.
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| {
        format!("names `{name}`, which is no time zone of this server; one is named like Europe/Berlin or UTC")
    })
}

/// Reads units; `None` where letters stand that name no unit, and where there is no unit at all.
fn units(text: &str) -> Option<Vec<Unit>> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_same_kind = |c: char| match first.is_ascii_alphabetic() {
            true => c == first,
            false => !c.is_alphabetic(),
        };
        let end = rest.find(|c| !is_same_kind(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        units.push(match first.is_alphabetic() {
            true => LETTERS.iter().find(|(letters, _)| *letters == run)?.1.clone(),
            false => Unit::Literal(run.to_owned()),
        });
        rest = after;
    }
    units.iter().any(|unit| !matches!(unit, Unit::Literal(_))).then_some(units)
}
