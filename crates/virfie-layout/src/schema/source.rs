//! The sources of layers, as JSON.

use std::marker::PhantomData;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use super::{
    table::{AnyLength, Choice, Integer, Key, Number, Own, Rgb, Row, names, object, say_rows},
    values::{ASSET_PATTERN, Color, Crawl, color_schema, number},
};
use crate::{
    limits, scene,
    text::{self, TextAlign},
    values::AssetKind,
};

/// The content of a layer: an object of one of these shapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A participant's name.
    Participant(String),
    /// The n-th participant whom no layer names.
    Slot(u32),
    /// An image asset.
    Image(String),
    /// Image assets by turns.
    Images {
        /// The assets.
        image: Vec<String>,
        /// Time for which each is shown, in milliseconds.
        interval_ms: u32,
    },
    /// A colour.
    Color(Color),
    /// Something written.
    Text(Text),
    /// A clip asset.
    Video(String),
}

impl Source {
    /// The keys that name assets.
    pub const ASSET_KEYS: [(AssetKind, &'static str); 2] = [(AssetKind::Image, "image"), (AssetKind::Clip, "video")];
}

impl From<&scene::Source> for Source {
    fn from(source: &scene::Source) -> Self {
        match source {
            scene::Source::Participant(name) => Self::Participant(name.clone()),
            scene::Source::Slot(number) => Self::Slot(*number),
            scene::Source::Image(name) => Self::Image(name.clone()),
            scene::Source::Images(images) => {
                Self::Images { image: images.names.clone(), interval_ms: images.interval_ms }
            }
            scene::Source::Color(color) => Self::Color(Color(*color)),
            scene::Source::Text(text) => Self::Text(text.into()),
            scene::Source::Video(name) => Self::Video(name.clone()),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Source::Text(text) = self {
            return text.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Source::Participant(name) => map.serialize_entry("participant", name)?,
            Source::Slot(number) => map.serialize_entry("slot", number)?,
            Source::Image(name) => map.serialize_entry("image", name)?,
            Source::Images { image, interval_ms } => {
                map.serialize_entry("image", image)?;
                map.serialize_entry("interval_ms", interval_ms)?;
            }
            Source::Color(color) => map.serialize_entry("color", color)?,
            Source::Video(name) => map.serialize_entry("video", name)?,
            Source::Text(_) => {}
        }
        map.end()
    }
}

impl ToSchema for Source {
    fn name() -> std::borrow::Cow<'static, str> {
        "LayerSource".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        <Text as ToSchema>::schemas(schemas);
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
            .extensions(names(AssetKind::Image))
            .description(Some("An image asset's name. An animated one moves."));
        let video = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(ASSET_PATTERN))
            .extensions(names(AssetKind::Clip))
            .description(Some(
                "A clip asset's name. It is shown again and again, without its sound; at most 4 clips of one layout.",
            ));
        let images = ArrayBuilder::new()
            .items(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(ASSET_PATTERN))
                    .extensions(names(AssetKind::Image)),
            )
            .min_items(Some(1))
            .max_items(Some(limits::IMAGES))
            .description(Some("Image assets, shown by turns, again and again."));
        let interval = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(*limits::INTERVAL_MS.start() as f64))
            .maximum(Some(*limits::INTERVAL_MS.end() as f64))
            .description(Some("Time for which each image is shown, in milliseconds; 2000 when left out."));
        let images = ObjectBuilder::new()
            .property("image", images)
            .property("interval_ms", interval)
            .required("image")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let mut text = Text::schema();
        say_rows(&mut text, Text::ROWS);
        OneOfBuilder::new()
            .item(images)
            .item(one("participant", participant.build()))
            .item(one("slot", slot.build()))
            .item(one("image", image.build()))
            .item(one("color", color_schema("A plain rectangle of this colour.")))
            .item(text)
            .item(one("video", video.build()))
            .into()
    }
}

object! {
    /// Something written, in any script. Without a size of its own the layer is as large as the text; lines are broken at
    /// the layer's `width`, and beside a `height` the text is in the middle of it. `fit` is `contain` when left out. Its
    /// picture has at most 8192 pixels each way and 16 megapixels.
    #[schema(as = LayerText)]
    Text, TextKeys {
        // More than 1000 characters do not fit on a canvas legibly.
        /// Lines end with `\n`; no other control characters. Fields stand for what changes: `{name}` or `{name LAYER}` (of
        /// who is in a layer), `{clock HH:mm}`, `{countdown TIMER}`, `{countdown 20:15}`, `{stopwatch TIMER}`, `{viewers}`,
        /// `{chat 5}`, `{data.KEY}` or `{data.KEY|what is shown before it is put}`. `{{name}}` shows `{name}`; other braces
        /// are braces.
        text: must own(String, min_length = 1, max_length = 1000);
        /// A font asset's name (`Caveat.ttf`), or the name of a family: `Inter` (the default), `DejaVu Sans`, one of an
        /// asset, or one that is installed on the server. Characters that it has not are taken from other fonts.
        font: own(String, min_length = 1, max_length = 128);
        // Below 4 nothing can be read, above 500 nothing but one letter fits.
        /// Size of the letters (an em) in canvas pixels; 48 when left out.
        size: number(4, 500) = text::Text::SIZE;
        // As CSS counts it.
        /// 400 (regular) when left out; 700 is bold.
        weight: integer(u16, 100, 900) = text::Text::WEIGHT;
        /// White when left out.
        color: color = text::Text::COLOR;
        /// Side at which the lines stand; the one where lines of their script begin when left out.
        align: choice(TextAlign);
        /// Distance of lines, in sizes; 1.2 when left out.
        line_height: number(0.5, 4) = text::Text::LINE_HEIGHT;
        /// The colour behind it; nothing when left out.
        background: color;
        /// Around it, in canvas pixels; 0 when left out.
        padding: number(0, 500) = 0.0;
        /// It runs through its layer from right to left, again and again, so fast: canvas pixels a second, or `"n%"` of the
        /// canvas's height a second. The layer is as wide as the canvas where it has no `width`, lines are not broken, and
        /// `background` covers the layer. It stands when left out.
        crawl: length(Crawl);
    }
}

impl From<&text::Text> for Text {
    fn from(text: &text::Text) -> Self {
        let text::Text { text, font, size, weight, color, align, line_height, background, padding, crawl } = text;
        let keys = Self::KEYS;
        Self {
            text: text.clone(),
            font: (font != text::Text::FONT).then(|| font.clone()),
            size: keys.size.unless_usual(*size),
            weight: keys.weight.unless_usual(*weight),
            color: keys.color.unless_usual(*color).map(Color),
            align: *align,
            line_height: keys.line_height.unless_usual(*line_height),
            background: background.map(Color),
            padding: keys.padding.unless_usual(*padding),
            crawl: crawl.map(Crawl),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_schema_shows_the_limits_that_the_reader_keeps() {
        let schema = serde_json::to_value(Text::schema()).unwrap();
        let bounds = |key: &str| {
            let key = &schema["properties"][key];
            (key["minimum"].as_f64().unwrap(), key["maximum"].as_f64().unwrap())
        };
        assert_eq!((bounds("size"), bounds("padding")), ((4.0, 500.0), (0.0, 500.0)));
        assert_eq!((bounds("line_height"), bounds("weight")), ((0.5, 4.0), (100.0, 900.0)));
        assert_eq!(schema["properties"]["text"]["maxLength"], limits::TEXT_LENGTH);
        assert_eq!(schema["properties"]["font"]["maxLength"], limits::NAME_LENGTH);
        assert!(!schema.to_string().contains("\"null\""));
        let mut others = Vec::new();
        <Source as ToSchema>::schemas(&mut others);
        let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"LayerColor") && names.contains(&"TextAlign"), "{names:?}");
    }
}
