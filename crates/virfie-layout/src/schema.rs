//! The layout as JSON: these types are what is written and what the OpenAPI document shows.
//!
//! Reading does not go through them: [`read`](super::read()) walks the JSON itself to report every wrong place at once.
//! It asks for the keys of the same table.
//!
//! * `keys`: the table, one row a key; `table`: how a row becomes what the program needs of a key.
//! * `source`, `values`: what is more than one value, and single values.

pub mod keys;
mod source;
mod table;
pub(super) mod values;

use serde_json::Value;

pub(crate) use self::table::{AnyLength, AssetName, Choice, Flag, Inner, Integer, Key, Number, Own, Rgb};
pub use self::{
    keys::{Auto, Behind, Border, Canvas, Crop, Follow, Layer, Layout, Transition, Warning},
    source::{Source, Text},
    table::{ASSET, KEY_ORDER, Row, say_order, say_rows},
    values::{Backdrop, Color, Extent, Gap, Inset, Position, Radius, Scale},
};
use super::{
    cut::CutOptions,
    look,
    scene::{self, Background, Scene, SceneLayer},
    values::{Edges, Length, Size},
};

impl Scene {
    /// Returns the layout as canonical JSON: the whole canvas, and of the layers what differs from the defaults.
    /// Reading it gives an equal scene, whatever the canvas it is read upon.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(Layout::from(self)).expect("plain structs with string keys always become JSON")
    }
}

impl scene::Canvas {
    /// Returns the canvas as its JSON is read: all four keys.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(Canvas::from(self)).expect("plain structs with string keys always become JSON")
    }
}

impl From<&Scene> for Layout {
    fn from(scene: &Scene) -> Self {
        let Scene { canvas, layers, auto, transition, triggers, music } = scene;
        Layout {
            canvas: Some(canvas.into()),
            layers: layers.iter().map(Layer::from).collect(),
            auto: Some(auto.into()),
            transition: (*transition != look::Transition::default()).then(|| transition.into()),
            triggers: triggers.clone(),
            music: music.clone(),
            warnings: Vec::new(),
        }
    }
}

impl From<&scene::Auto> for Auto {
    fn from(auto: &scene::Auto) -> Self {
        let scene::Auto { mode, gap, cutout, cut_options: CutOptions { threshold, feather, smoothing, model } } = auto;
        Auto {
            mode: Some(*mode),
            gap: Self::KEYS.gap.unless_usual(*gap).map(Gap),
            cutout: *cutout,
            threshold: *threshold,
            feather: *feather,
            smoothing: *smoothing,
            model: model.map(|model| model.as_str().to_owned()),
        }
    }
}

impl From<&look::Transition> for Transition {
    fn from(transition: &look::Transition) -> Self {
        let look::Transition { duration_ms, easing } = transition;
        Transition { duration_ms: Some(*duration_ms), easing: Self::KEYS.easing.unless_usual(*easing) }
    }
}

impl From<&look::Follow> for Follow {
    fn from(follow: &look::Follow) -> Self {
        let look::Follow { layer, keypoint, anchor, dx, dy, scale } = follow;
        let keys = Self::KEYS;
        Follow {
            layer: layer.clone(),
            keypoint: *keypoint,
            anchor: keys.anchor.unless_usual(*anchor),
            dx: keys.dx.unless_usual(*dx),
            dy: keys.dy.unless_usual(*dy),
            scale: scale.map(|scale| Scale(Length::Number(scale))),
        }
    }
}

impl From<&scene::Canvas> for Canvas {
    fn from(canvas: &scene::Canvas) -> Self {
        let scene::Canvas { width, height, fps, background } = canvas;
        Canvas {
            width: Some(*width),
            height: Some(*height),
            fps: Some(*fps),
            background: Some(match background {
                Background::Color(color) => Backdrop::Color(Color(*color)),
                Background::Image(name) => Backdrop::Image(name.clone()),
            }),
        }
    }
}

impl From<&SceneLayer> for Layer {
    fn from(layer: &SceneLayer) -> Self {
        let SceneLayer {
            id,
            source,
            x,
            y,
            size,
            anchor,
            fit,
            crop,
            z,
            opacity,
            mirror,
            cutout,
            cut_options: CutOptions { threshold, feather, smoothing, model },
            lost,
            radius,
            border,
            rotate,
            blur,
            fallback,
            follow,
            transition,
        } = layer;
        let (width, height, scale) = match *size {
            Size::Canvas => (None, None, None),
            Size::Width(width) => (Some(width), None, None),
            Size::Height(height) => (None, Some(height), None),
            Size::Both { width, height } => (Some(width), Some(height), None),
            Size::Scale(scale) => (None, None, Some(scale)),
        };
        let keys = Self::KEYS;
        Layer {
            id: id.clone(),
            source: source.into(),
            x: x.map(Position),
            y: y.map(Position),
            width: width.map(Extent),
            height: height.map(Extent),
            scale: scale.map(Scale),
            anchor: keys.anchor.unless_usual(*anchor),
            fit: (*fit != source.usual_fit()).then_some(*fit),
            crop: (*crop != Edges::default()).then(|| crop.into()),
            z: keys.z.unless_usual(*z),
            opacity: keys.opacity.unless_usual(*opacity),
            mirror: keys.mirror.unless_usual(*mirror),
            cutout: keys.cutout.unless_usual(*cutout),
            threshold: *threshold,
            feather: *feather,
            smoothing: *smoothing,
            model: model.map(|model| model.as_str().to_owned()),
            lost: keys.lost.unless_usual(*lost),
            rotate: keys.rotate.unless_usual(*rotate),
            radius: keys.radius.unless_usual(*radius).map(Radius),
            border: border
                .map(|look::Border { width, color }| Border { width: Some(width), color: Some(Color(color)) }),
            background: blur.map(|blur| Behind { blur }),
            fallback: fallback.clone(),
            follow: follow.as_ref().map(Follow::from),
            transition: transition.as_ref().map(Transition::from),
        }
    }
}

impl From<&Edges> for Crop {
    fn from(edges: &Edges) -> Self {
        let Edges { left, top, right, bottom } = edges;
        let keys = Self::KEYS;
        Crop {
            left: keys.left.unless_usual(*left).map(Inset),
            top: keys.top.unless_usual(*top).map(Inset),
            right: keys.right.unless_usual(*right).map(Inset),
            bottom: keys.bottom.unless_usual(*bottom).map(Inset),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;
    use crate::{limits, trigger};

    fn schema_of<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()
    }

    #[test]
    fn no_key_may_be_null_or_unknown() {
        for schema in [
            schema_of::<Layout>(),
            schema_of::<Canvas>(),
            schema_of::<Layer>(),
            schema_of::<Crop>(),
            schema_of::<Auto>(),
            schema_of::<Transition>(),
            schema_of::<Border>(),
            schema_of::<Behind>(),
            schema_of::<Follow>(),
        ] {
            assert_eq!(schema["additionalProperties"], json!(false), "{schema:#}");
            assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
        }
        for shape in schema_of::<Source>()["oneOf"].as_array().unwrap() {
            assert_eq!(shape["additionalProperties"], json!(false));
        }
    }

    #[test]
    fn every_object_is_in_a_list_with_its_keys() {
        let mut nested = Vec::new();
        <Layout as ToSchema>::schemas(&mut nested);
        nested.push((<Layout as ToSchema>::name().into(), Layout::schema()));
        let rows = keys::OBJECTS.map(|(name, rows)| (name, rows.iter().map(|row| row.key).collect::<Vec<_>>()));
        let triggers = trigger::OBJECTS.map(|(name, keys)| (name, keys.to_vec()));
        let listed: BTreeMap<&str, Vec<&str>> = rows.into_iter().chain(triggers).collect();
        let mut objects = 0;
        for (name, schema) in &nested {
            let schema = serde_json::to_value(schema).unwrap();
            if schema["additionalProperties"] == json!(false) {
                let mut keys = listed.get(name.as_str()).expect(name).clone();
                keys.sort_unstable();
                let properties: Vec<&str> =
                    schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(keys, properties, "{name}");
                objects += 1;
            }
        }
        assert!(objects >= listed.len(), "{objects} of {}", listed.len());
    }

    #[test]
    fn the_schema_shows_the_limits_that_the_reader_keeps() {
        for (schema, key, bounds) in [
            (schema_of::<Canvas>(), "width", (64.0, 3840.0)),
            (schema_of::<Canvas>(), "height", (64.0, 2160.0)),
            (schema_of::<Canvas>(), "fps", (1.0, 60.0)),
            (schema_of::<Layer>(), "threshold", (0.05, 0.95)),
            (schema_of::<Auto>(), "smoothing", (0.0, 0.95)),
            (schema_of::<Layer>(), "rotate", (-360.0, 360.0)),
            (schema_of::<Behind>(), "blur", (1.0, 100.0)),
        ] {
            let key = &schema["properties"][key];
            assert_eq!((key["minimum"].as_f64(), key["maximum"].as_f64()), (Some(bounds.0), Some(bounds.1)), "{key}");
        }
        assert_eq!(schema_of::<Layer>()["properties"]["rotate"]["type"], "number");
        assert!(schema_of::<Layer>()["properties"]["z"].get("minimum").is_none());
        assert_eq!(schema_of::<Layout>()["properties"]["triggers"]["maxItems"], json!(limits::TRIGGERS));
        assert_eq!(schema_of::<Layout>()["properties"]["layers"]["maxItems"], json!(limits::LAYERS));
        let extent = &schema_of::<Extent>()["oneOf"][0];
        assert_eq!((&extent["exclusiveMinimum"], &extent["maximum"]), (&json!(0), &json!(16384)));
        assert_eq!(schema_of::<Layer>()["required"], json!(["id", "source"]));
        assert_eq!(schema_of::<Layer>()["properties"]["id"]["pattern"], json!("^[A-Za-z0-9_-]{1,64}$"));
        assert!(schema_of::<Layout>().get("required").is_none());
    }
}
