//! A scenario file as a tree: strict JSON, or the JavaScript that Virfie ships its scenarios in.
//!
//! Objects keep the order of their keys, as scripts see it (it decides who stands in front of whom): keys that are
//! whole numbers first, by number, then all others as they stand in the file.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Greatest depth to which a file may be nested; scenarios need ten levels.
const MAX_DEPTH: usize = 64;

/// A value of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true`, `false`.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object; no key comes twice.
    Map(Vec<(String, Node)>),
}

/// The reason why text is no scenario file at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Brackets within brackets within brackets.
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// In one line.
    #[error("neither JSON nor a script with one scenario: {0}")]
    Unreadable(String),
}

impl Node {
    /// Reads a file: JSON, or a script of the form `scenarios["id"] = {…};` with comments, trailing commas and keys
    /// without quotes.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        // This one has a limit of depth itself; the other has none.
        if let Ok(node) = serde_json::from_str(text) {
            return Ok(node);
        }
        let text = literal(text);
        check_depth(text)?;
        json5::from_str(text).map_err(|error| FileError::Unreadable(error.to_string()))
    }

    /// Returns the value under `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// Returns what an object has, in order; nothing of anything else.
    pub fn entries(&self) -> &[(String, Node)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the items of a list, or the values of an object: scripts walk both alike.
    pub fn values(&self) -> Vec<(String, &Node)> {
        match self {
            Self::List(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            _ => self.entries().iter().map(|(key, value)| (key.clone(), value)).collect(),
        }
    }

    /// Returns a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a finite number, or a string that begins with one, as `parseFloat` takes it: `"80%"`, `"80"`, `80`.
    pub fn leading_number(&self) -> Option<f64> {
        let text = match self {
            Self::Number(number) => return Some(*number).filter(|number| number.is_finite()),
            Self::Text(text) => text.trim_start(),
            _ => return None,
        };
        let mut end = 0;
        let mut seen = (false, false);
        for (index, c) in text.char_indices() {
            match c {
                '0'..='9' => seen.0 = true,
                '+' | '-' if index == 0 => {}
                '.' if !seen.1 => seen.1 = true,
                _ => break,
            }
            end = index + 1;
        }
        let exponent = text[end..].strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        let digits = exponent.map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        if let Some(rest) = exponent.filter(|_| digits > 0) {
            end = text.len() - rest.len() + digits;
        }
        text[..end].parse().ok().filter(|number: &f64| seen.0 && number.is_finite())
    }

    /// Returns whether a script takes it for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Flag(flag) => *flag,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Map(_) => true,
        }
    }
}

/// Returns what stands behind the first `=`, without the semicolon at its end; all of it where it begins with a
/// bracket.
fn literal(text: &str) -> &str {
    let begins = |text: &str| text.trim_start().starts_with(['{', '[']);
    let mut rest = text;
    // Comments may stand in front.
    loop {
        let trimmed = rest.trim_start();
        rest = match (trimmed.strip_prefix("//"), trimmed.strip_prefix("/*")) {
            (Some(line), _) => line.find('\n').map_or("", |end| &line[end..]),
            (_, Some(block)) => block.find("*/").map_or("", |end| &block[end + 2..]),
            _ => break,
        };
    }
    let value = match rest.split_once('=') {
        Some((_, value)) if !begins(rest) => value,
        _ => rest,
    };
    value.trim_end().trim_end_matches(';')
}

/// Parsers go down by recursion: how far is looked at beforehand. Brackets in strings and comments do not count.
fn check_depth(text: &str) -> Result<(), FileError> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FileError::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| byte != quote) {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                // As the parser has it: these end a line, too.
                let ends = |rest: &[u8]| matches!(rest, [b'\n' | b'\r', ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..]);
                while at < bytes.len() && !ends(&bytes[at..]) {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2;
                while at < bytes.len() && !bytes[at..].starts_with(b"*/") {
                    at += 1;
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((key, value)) = members.next_entry::<String, Node>()? {
            match places.get(&key) {
                Some(place) => entries[*place].1 = value,
                None => {
                    places.insert(key.clone(), entries.len());
                    entries.push((key, value));
                }
            }
        }
        // Stable: those that are no numbers stay in their order.
        entries.sort_by_key(|(key, _)| index(key).unwrap_or(u64::MAX));
        Ok(Node::Map(entries))
    }
}

/// Returns a key that scripts take for an index: a whole number below 2^32 - 1, written without anything else.
fn index(key: &str) -> Option<u64> {
    let number: u64 = key.parse().ok()?;
    (number < u64::from(u32::MAX) && number.to_string() == key).then_some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn json_and_a_script_are_the_same_tree() {
        let json = r#"{"scenes": [{"title": "Bar", "players": {"1": {"x": "-15%", "z-index": 100}}}]}"#;
        let script = r#"
            // The bar.
            /* = { */
            scenarios["bar"] = {
                scenes: [{
                    'title': "Bar", // trailing commas
                    players: { "1": { x: "-15%", "z-index": 100, }, },
                },],
            };
        "#;
        assert_eq!(Node::parse(json), Node::parse(script));
        assert_eq!(Node::parse(json).unwrap().get("scenes").unwrap().values().len(), 1);
        for wrong in ["", "scenarios", "x = ", "{", "alert(1)"] {
            assert!(matches!(Node::parse(wrong), Err(FileError::Unreadable(_))), "{wrong}");
        }
    }

    #[test]
    fn keys_come_as_scripts_see_them() {
        let node = Node::parse(r#"{"b": 1, "10": 1, "a": 1, "2": 1, "01": 1, "-1": 1, "b": 2}"#).unwrap();
        let keys: Vec<&str> = node.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["2", "10", "b", "a", "01", "-1"]);
        assert_eq!(node.get("b"), Some(&Node::Number(2.0)));
    }

    #[test]
    fn too_deep_is_reported_and_not_tried() {
        assert_eq!(Node::parse(&"[".repeat(1_000_000)), Err(FileError::TooDeep));
        assert_eq!(Node::parse(&"x = [".repeat(1_000)), Err(FileError::TooDeep));
        // What stands in front of the value hides nothing of it.
        for front in ["' = ", "x // = ", "/* = */ x = "] {
            assert_eq!(Node::parse(&format!("{front}{}", "[".repeat(1_000_000))), Err(FileError::TooDeep), "{front}");
        }
        let wild = format!("x = {}", "['}}}' /* ]]] */, // ]]]\n".repeat(100));
        assert_eq!(Node::parse(&wild), Err(FileError::TooDeep));
        let flat = format!(r#"{{"a": "{}"}}"#, "[".repeat(1000));
        assert!(Node::parse(&flat).is_ok());
    }

    #[test]
    fn numbers_are_taken_as_parse_float_takes_them() {
        let number = |text: &str| Node::Text(text.to_owned()).leading_number();
        for (text, value) in [
            ("80", 80.0),
            ("80%", 80.0),
            ("80.5%", 80.5),
            (" -15 %", -15.0),
            (".5", 0.5),
            ("1e3%", 1000.0),
            ("2e", 2.0),
            ("2em", 2.0),
            ("7px", 7.0),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "%", "-", "x", "."] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(Node::Number(80.0).leading_number(), Some(80.0));
        assert_eq!(Node::Null.leading_number(), None);
    }
}
