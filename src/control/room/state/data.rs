//! Values that programs put into a room for its texts: strings and numbers by key. PURE.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use crate::layout::{Fault, limits};

/// Most keys that a room may have.
pub const MAX_KEYS: usize = 256;

/// Longest string, in characters: as long as a text may be.
pub const MAX_LENGTH: usize = limits::TEXT_LENGTH;

/// A value that may be put, for the OpenAPI document: a string or a number.
#[derive(Debug)]
pub struct Datum;

impl ToSchema for Datum {
    fn name() -> Cow<'static, str> {
        "RoomDatum".into()
    }
}

impl PartialSchema for Datum {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX_LENGTH))
            .description(Some("Shown as it is; lines end with `\\n`."));
        let number = ObjectBuilder::new().schema_type(Type::Number).description(Some("Shown as JSON writes it."));
        OneOfBuilder::new().item(text).item(number).into()
    }
}

/// Checks a key or a timer's id, which stands at `pointer` of what was sent.
///
/// # Errors
/// The fault of it.
pub fn check_key(key: &str, pointer: &str) -> Result<(), Fault> {
    let detail = "must be named by 1 to 64 of A-Z a-z 0-9 _ -".to_owned();
    if limits::is_id(key) { Ok(()) } else { Err(Fault { pointer: pointer.to_owned(), detail }) }
}

/// Checks a value, which stands at `pointer` of what was sent.
///
/// # Errors
/// The fault of it.
pub fn check(value: &Value, pointer: &str) -> Result<(), Fault> {
    let detail = match value {
        Value::Number(_) => return Ok(()),
        Value::String(text) if text.chars().count() > MAX_LENGTH => {
            format!("has more than {MAX_LENGTH} characters")
        }
        Value::String(text) if text.chars().any(|one| limits::is_unprintable(one) && one != '\n') => {
            "must have no control characters but line ends (\\n), and none that turn the direction of text".to_owned()
        }
        Value::String(_) => return Ok(()),
        _ => "must be a string or a number".to_owned(),
    };
    Err(Fault { pointer: pointer.to_owned(), detail })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_and_numbers_are_taken() {
        for value in [json!(3), json!(-0.5), json!("3 : 2"), json!("two\nlines"), json!("")] {
            assert_eq!(check(&value, ""), Ok(()), "{value}");
        }
        for wrong in [
            json!(null),
            json!(true),
            json!([1]),
            json!({}),
            json!("a\u{7}"),
            json!("a\u{202e}b"),
            json!("x".repeat(1001)),
        ] {
            assert_eq!(check(&wrong, "/data/a").map_err(|fault| fault.pointer), Err("/data/a".to_owned()), "{wrong}");
        }
    }
}
