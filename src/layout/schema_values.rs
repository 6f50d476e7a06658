//! The single values of the layout's JSON whose shape serde and utoipa cannot derive: what a layer shows, colours,
//! names of assets, lengths.

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use super::{
    limits::{self, LengthRange},
    scene::Length,
};

const ASSET_PATTERN: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$";
const COLOR_PATTERN: &str = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$";
const PERCENT_PATTERN: &str = "^-?[0-9]+([.][0-9]+)?%$";

/// What a layer shows: an object with exactly one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A participant's name.
    Participant(String),
    /// The n-th participant whom no layer names.
    Slot(u32),
    /// An image asset.
    Image(String),
    /// A colour.
    Color(Color),
}

impl ToSchema for Source {
    fn name() -> std::borrow::Cow<'static, str> {
        "LayerSource".into()
    }
}

impl PartialSchema for Source {
    fn schema() -> RefOr<Schema> {
        let one = |key: &str, value: Object| {
            ObjectBuilder::new()
                .property(key, value)
                .required(key)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let participant = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(limits::NAME_LENGTH))
            .description(Some("A participant's name."));
        let slot = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(*limits::SLOT.start() as f64))
            .maximum(Some(*limits::SLOT.end() as f64))
            .description(Some("The n-th participant, counted from 1 by time of joining, whom no layer names."));
        let image = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(ASSET_PATTERN))
            .description(Some("An image asset's name."));
        OneOfBuilder::new()
            .item(one("participant", participant.build()))
            .item(one("slot", slot.build()))
            .item(one("image", image.build()))
            .item(one("color", color_schema("A plain rectangle of this colour.")))
            .into()
    }
}

/// A colour, written `#rrggbb`; `#rgb` is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [r, g, b] = self.0;
        serializer.collect_str(&format_args!("#{r:02x}{g:02x}{b:02x}"))
    }
}

fn color_schema(description: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(COLOR_PATTERN)).description(Some(description)).build()
}

/// A background: a colour or an image asset's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Backdrop {
    /// A colour.
    Color(Color),
    /// An asset's name.
    Image(String),
}

impl ToSchema for Backdrop {}

impl PartialSchema for Backdrop {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(color_schema("A colour."))
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(ASSET_PATTERN))
                    .description(Some("An image asset's name.")),
            )
            .into()
    }
}

/// Defines a length of one kind: written as a number or `"n%"`, with its range in the schema.
macro_rules! length {
    ($(#[$doc:meta])* $name:ident, $schema:literal, $range:expr, $number:literal, $percent:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name(pub Length);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                write_length(self.0, serializer)
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                length_schema(&$range, $number, $percent)
            }
        }
    };
}

length!(
    /// `x`, `y`.
    Position, "LayerPosition", limits::POSITION, "Canvas pixels.", "Of the canvas's width (x) or height (y)."
);
length!(
    /// `width`, `height`.
    Extent, "LayerExtent", limits::EXTENT, "Canvas pixels.", "Of the canvas's width (width) or height (height)."
);
length!(
    /// `scale`.
    Scale, "LayerScale", limits::SCALE, "A factor of the canvas's size.", "Of the canvas's size."
);
length!(
    /// An edge of `crop`.
    Inset, "LayerInset", limits::INSET, "Source pixels.", "Of the source's width (left, right) or height (top, bottom)."
);
length!(
    /// `auto.gap`.
    Gap, "AutoGap", limits::GAP, "Canvas pixels.", "Of the canvas's width."
);

fn length_schema(range: &LengthRange, number: &str, percent: &str) -> RefOr<Schema> {
    let mut pixels = ObjectBuilder::new().schema_type(Type::Number).maximum(Some(*range.number.end()));
    pixels = match range.above_zero {
        true => pixels.exclusive_minimum(Some(*range.number.start())),
        false => pixels.minimum(Some(*range.number.start())),
    };
    let (from, to) = (range.percent.start(), range.percent.end());
    let from = if range.above_zero { format!("more than {from}") } else { from.to_string() };
    OneOfBuilder::new()
        .item(pixels.description(Some(number)))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(PERCENT_PATTERN))
                .description(Some(format!("{percent} From {from} to {to} %."))),
        )
        .into()
}

fn write_length<S: Serializer>(length: Length, serializer: S) -> Result<S::Ok, S::Error> {
    match length {
        Length::Number(number) => write_number(number, serializer),
        Length::Percent(percent) => serializer.collect_str(&format_args!("{percent}%")),
    }
}

/// `640` rather than `640.0`, as people write it.
fn write_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Far inside what an f64 counts exactly; every number of a layout is.
    const EXACT: f64 = (1u64 << 53) as f64;
    if number.fract() == 0.0 && number.abs() < EXACT {
        serializer.serialize_i64(number as i64)
    } else {
        serializer.serialize_f64(number)
    }
}

/// An opacity, written as a plain number.
pub(super) fn opacity<S: Serializer>(opacity: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match opacity {
        Some(opacity) => write_number(*opacity, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn written<T: Serialize>(value: T) -> Value {
        serde_json::to_value(value).unwrap()
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(written(Position(Length::Number(640.0))).to_string(), "640");
        assert_eq!(written(Position(Length::Number(-0.5))).to_string(), "-0.5");
        assert_eq!(written(Scale(Length::Percent(33.3))), json!("33.3%"));
        assert_eq!(written(Extent(Length::Percent(60.0))), json!("60%"));
        assert_eq!(written(Color([1, 0xab, 255])), json!("#01abff"));
    }
}
