//! One JSON object being read: typed values by key, and a fault for every value that is not what it should be.
//!
//! Serde stops at the first wrong value; an editor wants all of them, so the value is walked by hand.

use std::{fmt::Display, ops::RangeInclusive};

use serde_json::{Map, Value};

use crate::{
    fault::{Fault, child},
    limits::{self, LengthRange},
    schema::{AnyLength, AssetName, Choice, Flag, Inner, Integer, Key, Number, Rgb, Row},
    values::Length,
};

/// A JSON object, where it stands, and the list that its faults go to.
///
/// Every reading method returns `None` both for a key that is absent and for one that is wrong; the wrong one has
/// been reported by then, so a caller goes on with its default and finds the faults that follow.
pub struct Fields<'v, 'f> {
    map: &'v Map<String, Value>,
    pointer: String,
    faults: &'f mut Vec<Fault>,
}

impl<'v, 'f> Fields<'v, 'f> {
    /// Opens `value`, which stands at `pointer`; `None` and a fault when it is not an object.
    pub fn open(value: &'v Value, pointer: String, faults: &'f mut Vec<Fault>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, pointer, faults }),
            other => {
                faults.push(Fault { pointer, detail: format!("must be an object, not {}", kind(other)) });
                None
            }
        }
    }

    /// Opens the object under `key`.
    pub fn object(&mut self, key: &str) -> Option<Fields<'v, '_>> {
        let value = self.map.get(key)?;
        Fields::open(value, child(&self.pointer, key), self.faults)
    }

    /// Returns the value under a key of the table.
    pub fn read<R: Rule, U>(&mut self, key: &Key<R, U>) -> Option<R::Value> {
        key.rule.read(key.name, self)
    }

    /// Returns the value under a key of the table, or what it is when it is left out.
    pub fn read_or_usual<R: Rule<Value: Copy>>(&mut self, key: &Key<R, R::Value>) -> R::Value {
        self.read(key).unwrap_or(key.usual)
    }

    /// Opens the object under a key of the table, and reports keys that it does not know.
    pub fn inner(&mut self, key: &Key<Inner>) -> Option<Fields<'v, '_>> {
        let mut fields = self.object(key.name)?;
        fields.check_rows(key.rule.0);
        Some(fields)
    }

    /// Reports a fault for every key that no row has.
    pub fn check_rows(&mut self, rows: &[Row]) {
        for key in self.map.keys().map(String::as_str) {
            if !rows.iter().any(|row| row.key == key) {
                self.fault(key, "unknown key");
            }
        }
    }

    /// Reports a fault for every key that is not in `known`.
    pub fn check_keys(&mut self, known: &[&str]) {
        for key in self.map.keys().map(String::as_str) {
            if !known.contains(&key) {
                self.fault(key, "unknown key");
            }
        }
    }

    /// Reports that the value under `key` is wrong.
    pub fn fault(&mut self, key: &str, detail: impl Into<String>) {
        self.faults.push(Fault { pointer: child(&self.pointer, key), detail: detail.into() });
    }

    /// Reports that the item at `index` of the list under `key` is wrong.
    pub fn item_fault(&mut self, key: &str, index: usize, detail: impl Into<String>) {
        let pointer = child(&child(&self.pointer, key), &index.to_string());
        self.faults.push(Fault { pointer, detail: detail.into() });
    }

    /// Reports that the object itself is wrong.
    pub fn fault_here(&mut self, detail: impl Into<String>) {
        self.faults.push(Fault { pointer: self.pointer.clone(), detail: detail.into() });
    }

    /// Returns the raw value under `key`.
    pub fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key)
    }

    /// Returns whether `key` is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// Reports that the value under `key` should be `wanted`, which `found` is not.
    pub fn wrong_kind(&mut self, key: &str, wanted: &str, found: &Value) {
        self.fault(key, format!("must be {wanted}, not {}", kind(found)));
    }

    /// Reads `true` or `false`.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.wrong_kind(key, "true or false", other);
                None
            }
        }
    }

    /// Reads any string.
    pub fn text(&mut self, key: &str) -> Option<&'v str> {
        match self.get(key)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong_kind(key, "a string", other);
                None
            }
        }
    }

    /// Reads any string: `item`, which stands at `index` of the list under `key`.
    pub fn item_text<'i>(&mut self, key: &str, index: usize, item: &'i Value) -> Option<&'i str> {
        if !item.is_string() {
            self.item_fault(key, index, format!("must be a string, not {}", kind(item)));
        }
        item.as_str()
    }

    /// Returns a number within `range`.
    pub fn number(&mut self, key: &str, range: &RangeInclusive<f64>) -> Option<f64> {
        let value = self.get(key)?;
        let Some(number) = value.as_f64() else {
            self.wrong_kind(key, "a number", value);
            return None;
        };
        if !range.contains(&number) {
            self.fault(key, between(range, ""));
            return None;
        }
        // Adding zero turns -0 into 0, so that equal layouts are written equally.
        Some(number + 0.0)
    }

    /// Returns a whole number within `range`; `3.0` is one too, as JSON Schema has it.
    pub fn integer(&mut self, key: &str, range: &RangeInclusive<i64>) -> Option<i64> {
        let value = self.get(key)?;
        let Some(number) = value.as_f64() else {
            self.wrong_kind(key, "a whole number", value);
            return None;
        };
        if number.fract() != 0.0 {
            self.fault(key, "must be a whole number");
            return None;
        }
        // Saturates far outside of every range used here, so nothing wraps into one.
        let integer = number as i64;
        if !range.contains(&integer) {
            self.fault(key, between(range, ""));
            return None;
        }
        Some(integer)
    }

    /// Returns one of `choices` by its name.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.fault(key, format!("must be one of {}", names.join(", ")));
        None
    }

    /// Returns a number or `"n%"` within `range`.
    pub fn length(&mut self, key: &str, range: &LengthRange) -> Option<Length> {
        let value = self.get(key)?;
        let (number, bounds, unit) = match value {
            Value::Number(_) => (value.as_f64()?, &range.number, range.unit),
            Value::String(text) => match percent(text) {
                Some(number) => (number, &range.percent, " %"),
                None => {
                    self.fault(key, "must be a number or a percentage such as \"50%\"");
                    return None;
                }
            },
            other => {
                self.wrong_kind(key, "a number or a percentage such as \"50%\"", other);
                return None;
            }
        };
        if range.above_zero && number <= 0.0 {
            self.fault(key, "must be greater than 0");
            return None;
        }
        if !bounds.contains(&number) {
            self.fault(key, between(bounds, unit));
            return None;
        }
        // Adding zero turns -0 into 0, so that equal layouts are written equally.
        Some(if value.is_number() { Length::Number(number + 0.0) } else { Length::Percent(number + 0.0) })
    }

    /// Returns a colour, `#rgb` or `#rrggbb`.
    pub fn color(&mut self, key: &str) -> Option<[u8; 3]> {
        let color = limits::color(self.text(key)?);
        if color.is_none() {
            self.fault(key, "must be a colour such as #1a2b3c or #fff");
        }
        color
    }

    /// Returns the name of an asset.
    pub fn asset(&mut self, key: &str) -> Option<String> {
        let name = self.text(key)?;
        if !limits::is_asset(name) {
            self.fault(key, "must be an asset's name: 1 to 128 of A-Z a-z 0-9 . _ -, not beginning with a dot");
            return None;
        }
        Some(name.to_owned())
    }

    /// Reads the names of assets in `list`, which stands under `key`; reports every invalid item.
    pub fn asset_names(&mut self, key: &str, list: &[Value]) -> Vec<String> {
        let mut names = Vec::with_capacity(list.len());
        for (index, item) in list.iter().enumerate() {
            match self.item_text(key, index, item) {
                Some(name) if limits::is_asset(name) => names.push(name.to_owned()),
                Some(_) => self.item_fault(key, index, "must be an asset's name"),
                None => {}
            }
        }
        names
    }
}

/// The rule by which a key of the table is read.
pub(super) trait Rule {
    /// The value that is read.
    type Value;

    /// Returns the value under `key` of an object.
    fn read(&self, key: &str, fields: &mut Fields) -> Option<Self::Value>;
}

impl Rule for Number {
    type Value = f64;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<f64> {
        fields.number(key, &self.0)
    }
}

impl<T: TryFrom<i64>> Rule for Integer<T> {
    type Value = T;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<T> {
        fields.integer(key, &self.range)?.try_into().ok()
    }
}

impl Rule for Flag {
    type Value = bool;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<bool> {
        fields.flag(key)
    }
}

impl Rule for Rgb {
    type Value = [u8; 3];

    fn read(&self, key: &str, fields: &mut Fields) -> Option<[u8; 3]> {
        fields.color(key)
    }
}

impl Rule for AssetName {
    type Value = String;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<String> {
        fields.asset(key)
    }
}

impl Rule for AnyLength {
    type Value = Length;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<Length> {
        fields.length(key, self.0)
    }
}

impl<T: Copy> Rule for Choice<T> {
    type Value = T;

    fn read(&self, key: &str, fields: &mut Fields) -> Option<T> {
        fields.choice(key, self.0)
    }
}

/// Reads `"n%"` without sign games: an optional minus, digits, optionally a point and digits, `%`.
fn percent(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = match number.strip_prefix('-').unwrap_or(number).split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (number.strip_prefix('-').unwrap_or(number), "0"),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) && digits(fraction) { number.parse().ok() } else { None }
}

fn between<T: Display>(range: &RangeInclusive<T>, unit: &str) -> String {
    format!("must be between {} and {}{unit}", range.start(), range.end())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percentages_are_plain_decimal_numbers() {
        assert_eq!(percent("50%"), Some(50.0));
        assert_eq!(percent("-12.5%"), Some(-12.5));
        assert_eq!(percent("007%"), Some(7.0));
        for wrong in ["%", "50", "50 %", " 50%", "+5%", "1e2%", "inf%", "nan%", ".5%", "5.%", "--5%", "5%%", "0x1%"] {
            assert_eq!(percent(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_number_too_long_for_any_range_is_refused_not_wrapped() {
        let value: Value = serde_json::from_str(r#"{"a": 1e300, "b": -18446744073709551615, "c": 3.0}"#).unwrap();
        let mut faults = Vec::new();
        let mut fields = Fields::open(&value, String::new(), &mut faults).unwrap();
        let all = i64::from(i32::MIN)..=i64::from(i32::MAX);
        assert_eq!(fields.integer("a", &all), None);
        assert_eq!(fields.integer("b", &all), None);
        assert_eq!(fields.integer("c", &all), Some(3));
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn a_percentage_too_long_for_a_float_is_out_of_range() {
        let value = serde_json::json!({ "x": format!("{}%", "9".repeat(400)) });
        let mut faults = Vec::new();
        assert_eq!(Fields::open(&value, String::new(), &mut faults).unwrap().length("x", &limits::POSITION), None);
        assert_eq!(faults[0].detail, "must be between -1000 and 1000 %");
    }
}
