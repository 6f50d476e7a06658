//! The single values of the layout's JSON whose shape serde and utoipa cannot derive: colours, names of assets,
//! lengths.

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use super::table::names;
use crate::{
    body_part::BodyPart,
    cut::Cutout,
    limits::{self, LengthRange},
    values::{AssetKind, Length},
};

pub(super) const ASSET_PATTERN: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$";
const COLOR_PATTERN: &str = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$";
const PERCENT_PATTERN: &str = "^-?[0-9]+([.][0-9]+)?%$";

/// A colour, written `#rrggbb`; `#rgb` is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [r, g, b] = self.0;
        serializer.collect_str(&format_args!("#{r:02x}{g:02x}{b:02x}"))
    }
}

impl ToSchema for Color {
    fn name() -> std::borrow::Cow<'static, str> {
        "LayerColor".into()
    }
}

impl PartialSchema for Color {
    fn schema() -> RefOr<Schema> {
        color_schema("A colour, `#rgb` or `#rrggbb`.").into()
    }
}

pub(super) fn color_schema(description: &str) -> Object {
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
                    .extensions(names(AssetKind::Image))
                    .description(Some("An image asset's name.")),
            )
            .into()
    }
}

impl Serialize for Cutout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cutout::None => serializer.serialize_str("none"),
            Cutout::Person => serializer.serialize_str("person"),
            Cutout::Parts(parts) => serializer.collect_seq(parts.iter()),
        }
    }
}

impl ToSchema for Cutout {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((<BodyPart as ToSchema>::name().into(), BodyPart::schema()));
    }
}

impl PartialSchema for Cutout {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Cutout::NAMES.map(|(name, _)| name)))
            .description(Some("`none`: the whole picture. `person`: the person; the room behind becomes transparent."));
        let parts = ArrayBuilder::new()
            .items(Ref::from_schema_name(<BodyPart as ToSchema>::name()))
            .min_items(Some(1))
            .max_items(Some(BodyPart::ALL.len()))
            .unique_items(true)
            .description(Some("These parts of the person; all else becomes transparent."));
        OneOfBuilder::new()
            .item(name)
            .item(parts)
            .description(Some("Part of a participant's picture that is kept."))
            .into()
    }
}

/// Defines a length of one kind: written as a number or `"n%"`, with its range in the schema.
macro_rules! length {
    ($(#[$doc:meta])* $name:ident, $schema:literal, $range:expr, $number:literal, $percent:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $name(pub Length);

        impl $name {
            /// The range of the numbers that may be written.
            pub(crate) const RANGE: &LengthRange = &$range;
        }

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
                length_schema(Self::RANGE, $number, $percent)
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
    /// `radius`.
    Radius, "LayerRadius", limits::RADIUS, "Canvas pixels.", "Of the layer's shorter side."
);
length!(
    /// `auto.gap`.
    Gap, "AutoGap", limits::GAP, "Canvas pixels.", "Of the canvas's width."
);

length!(
    /// `crawl`.
    Crawl, "TextCrawl", limits::CRAWL, "Canvas pixels a second.", "Of the canvas's height, a second."
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

/// Writes `640` rather than `640.0`, as people write it.
fn write_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Far inside what an f64 counts exactly; every number of a layout is.
    const EXACT: f64 = (1u64 << 53) as f64;
    if number.fract() == 0.0 && number.abs() < EXACT {
        serializer.serialize_i64(number as i64)
    } else {
        serializer.serialize_f64(number)
    }
}

/// Returns a number that is always there, as people write it.
pub fn plain<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    write_number(*number, serializer)
}

/// Returns a plain number, as people write it.
pub(super) fn number<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => write_number(*number, serializer),
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
    fn a_cutout_is_a_name_or_a_list_of_the_24_parts() {
        let schema = serde_json::to_value(Cutout::schema()).unwrap();
        assert_eq!(schema["oneOf"].as_array().unwrap().len(), 2);
        assert_eq!(schema["oneOf"][0]["enum"], json!(["none", "person"]));
        let list = &schema["oneOf"][1];
        assert_eq!(list["items"], json!({"$ref": "#/components/schemas/BodyPart"}));
        assert_eq!((&list["type"], &list["uniqueItems"]), (&json!("array"), &json!(true)));
        assert_eq!((&list["minItems"], &list["maxItems"]), (&json!(1), &json!(24)));
        let mut parts = Vec::new();
        <Cutout as ToSchema>::schemas(&mut parts);
        assert_eq!((parts.len(), parts[0].0.as_str()), (1, "BodyPart"));
        let names = serde_json::to_value(&parts[0].1).unwrap();
        assert_eq!(names["enum"], json!(BodyPart::ALL.map(BodyPart::name)));
        for (name, cutout) in Cutout::NAMES {
            assert_eq!(written(cutout), json!(name));
        }
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
