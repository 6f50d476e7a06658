//! A room's file, taken apart as it is read: each asset goes to disk, and what is left is small.
//!
//! The file may have a hundred megabytes, and a tree of JSON is twenty times as large as its text, so no tree of the
//! whole is ever made.

use std::{cell::Cell, fmt, io};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, error::Category};

use super::problem::{ApiResult, Problem};
use crate::{
    control::assets::{MAX_FILES, incoming::Incoming},
    layout::{Fault, fault::child},
};

/// Most values that a file has beside its assets: a hundred scenes of a hundred layers each have about 200,000.
const MAX_VALUES: usize = 400_000;

/// Most bytes of texts that a file has beside its assets.
const MAX_TEXT: usize = 8 << 20;

/// Characters of base64 that are decoded at once: whole groups of four.
const PIECE: usize = 64 * 1024;

/// The content of a file.
pub(super) struct Unpacked {
    /// All but the assets.
    pub(super) rest: Value,
    /// The assets by name, or why one is invalid.
    pub(super) assets: Vec<(String, Result<Incoming, &'static str>)>,
}

/// Takes a room's file apart. For blocking threads.
///
/// # Errors
/// 400 when it is no JSON, 413 when there is too much in it, 422 when it has another shape, 500 when the disk fails.
pub(super) fn unpack(content: &[u8], make: &dyn Fn() -> io::Result<Incoming>) -> ApiResult<Unpacked> {
    let state = State { make, values: Cell::new(0), text: Cell::new(0), at: Cell::default(), failed: Cell::default() };
    let mut json = serde_json::Deserializer::from_slice(content);
    let read = Document(&state).deserialize(&mut json).and_then(|unpacked| json.end().map(|()| unpacked));
    read.map_err(|error| {
        if let Some(error) = state.failed.take() {
            return super::transfer::failed(&error);
        }
        if state.is_over() {
            return Problem::too_large("the file's settings, layout and scenes are too large");
        }
        match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => {
                Problem::bad_request(format!("this is not JSON: {error}"))
            }
            Category::Data => {
                let detail = error.to_string();
                let detail = detail.rsplit_once(" at line ").map_or(detail.as_str(), |(detail, _)| detail).to_owned();
                Problem::invalid(vec![Fault { pointer: state.at.take(), detail }])
            }
        }
    })
}

struct State<'a> {
    make: &'a dyn Fn() -> io::Result<Incoming>,
    values: Cell<usize>,
    text: Cell<usize>,
    /// Pointer at which a wrong value would be.
    at: Cell<String>,
    /// The error of the disk.
    failed: Cell<Option<io::Error>>,
}

impl State<'_> {
    /// Counts a value, and the bytes of its text.
    fn count<E: Error>(&self, text: usize) -> Result<(), E> {
        self.values.set(self.values.get() + 1);
        self.text.set(self.text.get() + text);
        if self.is_over() { Err(E::custom("too much")) } else { Ok(()) }
    }

    fn is_over(&self) -> bool {
        self.values.get() > MAX_VALUES || self.text.get() > MAX_TEXT
    }

    /// Writes base64 to disk, decoded. The inner error is the text's, the outer one the disk's.
    fn decode(&self, text: &str) -> io::Result<Result<Incoming, &'static str>> {
        let mut incoming = (self.make)()?;
        let mut decoded = Vec::with_capacity(PIECE);
        let mut pieces = text.as_bytes().chunks(PIECE).peekable();
        while let Some(piece) = pieces.next() {
            decoded.clear();
            let whole = BASE64_STANDARD.decode_vec(piece, &mut decoded).is_ok();
            // Padding is at the end only.
            if !whole || (pieces.peek().is_some() && decoded.len() != PIECE / 4 * 3) {
                return Ok(Err("is not base64"));
            }
            incoming.write(&decoded)?;
        }
        Ok(Ok(incoming))
    }
}

/// The whole file.
struct Document<'a>(&'a State<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Unpacked;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unpacked, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Unpacked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a room's file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unpacked, A::Error> {
        let mut unpacked = Unpacked { rest: Value::Null, assets: Vec::new() };
        let mut rest = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "assets" {
                self.0.at.set("/assets".to_owned());
                map.next_value_seed(Assets(self.0, &mut unpacked.assets))?;
                self.0.at.set(String::new());
            } else {
                self.0.count(key.len())?;
                rest.insert(key, map.next_value_seed(Bounded(self.0))?);
            }
        }
        unpacked.rest = Value::Object(rest);
        Ok(unpacked)
    }
}

/// The member with the assets, which may be null.
struct Assets<'a>(&'a State<'a>, &'a mut Vec<(String, Result<Incoming, &'static str>)>);

impl<'de> DeserializeSeed<'de> for Assets<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Assets<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("files by name")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(state, assets) = self;
        while let Some(name) = map.next_key::<String>()? {
            if assets.len() == MAX_FILES {
                return Err(A::Error::custom(format!("there are at most {MAX_FILES}")));
            }
            state.count(name.len())?;
            state.at.set(child("/assets", &name));
            let incoming = map.next_value_seed(File(state))?;
            assets.push((name, incoming));
        }
        Ok(())
    }
}

/// One asset.
struct File<'a>(&'a State<'a>);

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = Result<Incoming, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for File<'_> {
    type Value = Result<Incoming, &'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.0.decode(text).map_err(|error| {
            self.0.failed.set(Some(error));
            E::custom("the disk failed")
        })
    }
}

/// A value whose parts are counted.
struct Bounded<'a>(&'a State<'a>);

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count(0)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.0.count(text.len())?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Bounded(self.0))? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.count(key.len())?;
            object.insert(key, map.next_value_seed(Bounded(self.0))?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn unpacked(folder: &std::path::Path, content: &str) -> ApiResult<Unpacked> {
        unpack(content.as_bytes(), &|| Incoming::create(folder))
    }

    #[test]
    fn assets_go_to_disk_and_the_rest_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let large = vec![7; 200_001];
        let text = format!(
            r#"{{"version": 1, "a": [null, true, -2, 0.5, {{"b": "\u00e9"}}], "assets": {{"x": "{}", "y": "!", "z": "AA==AAAA"}}}}"#,
            BASE64_STANDARD.encode(&large).replace('/', "\\/")
        );
        let unpacked = unpacked(folder.path(), &text).unwrap();
        assert_eq!(unpacked.rest, json!({"version": 1, "a": [null, true, -2, 0.5, {"b": "\u{e9}"}]}));
        let assets: Vec<_> = unpacked
            .assets
            .iter()
            .map(|(name, asset)| (name.as_str(), asset.as_ref().map(|asset| asset.content().unwrap()).ok()))
            .collect();
        assert_eq!(assets, [("x", Some(large)), ("y", None), ("z", None)]);
        drop(unpacked);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_rooms_file_is_refused_at_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let many = |count: usize, one: &str| vec![one; count].join(",");
        let names: Vec<String> = (0..=MAX_FILES).map(|n| format!(r#""{n}":"""#)).collect();
        for (content, status, pointer) in [
            ("{".to_owned(), 400, None),
            (r#"{"version": 1} x"#.to_owned(), 400, None),
            (format!("[{}]", many(1_000_000, "[]")), 422, Some("")),
            (format!(r#"{{"layout": [{}]}}"#, many(1_000_000, "[]")), 413, None),
            (format!(r#"{{"layout": {{{}}}}}"#, many(1_000_000, r#""a":1"#)), 413, None),
            (format!(r#"{{"layout": "{}"}}"#, "a".repeat(MAX_TEXT + 1)), 413, None),
            (format!(r#"{{"assets": [{}]}}"#, many(1_000_000, "[]")), 422, Some("/assets")),
            (r#"{"assets": {"a/b": [[]]}}"#.to_owned(), 422, Some("/assets/a~1b")),
            (format!(r#"{{"assets": {{{}}}}}"#, names.join(",")), 422, Some("/assets/999")),
        ] {
            let problem = unpacked(folder.path(), &content).err().unwrap();
            let start = &content[..content.len().min(40)];
            assert_eq!(problem.status.as_u16(), status, "{start}: {problem:?}");
            let place = problem.errors.first().map(|fault| fault.pointer.as_str());
            assert_eq!(place, pointer, "{start}: {problem:?}");
            assert!(!problem.detail.contains(" at line ") || status == 400, "{problem:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
