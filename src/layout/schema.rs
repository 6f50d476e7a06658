//! The layout as JSON: these types are what is written and what the OpenAPI document shows.
//!
//! Reading does not go through them: [`read`](super::read()) walks the JSON itself to report every wrong place at once.
//! A test holds the two together.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    cut::Cutout,
    fault::Fault,
    look,
    scene::{self, Anchor, AutoMode, Background, Edges, Fit, Length, Scene, SceneLayer, Size},
    schema_values::number,
    trigger::Trigger,
};
pub use super::{
    schema_source::{Source, Text},
    schema_values::{Backdrop, Color, Extent, Gap, Inset, Position, Radius, Scale},
};

/// What the canvas shows. Every key may be left out; unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "canvas": {"width": 1280, "height": 720, "fps": 30, "background": "#111111"},
    "layers": [
        {"id": "club", "source": {"image": "club.jpg"}},
        {"id": "ann", "source": {"participant": "ann"}, "x": "-10%", "y": "20%", "width": "60%", "cutout": "person",
         "z": 10},
        {"id": "guest", "source": {"slot": 1}, "x": 640, "y": 180, "width": 480, "height": 360, "opacity": 0.9, "z": 11}
    ],
    "auto": {"mode": "off"}
})))]
pub struct Layout {
    /// The picture that layers are put on. Keys left out keep the room's values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub canvas: Option<Canvas>,
    /// At most 64, each with its own id.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub layers: Vec<Layer>,
    /// What happens to the people whom no layer takes; left out, they stand in a grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub auto: Option<Auto>,
    /// How what was shown before turns into this; at once when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub transition: Option<Transition>,
    /// What happens by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 32)]
    pub triggers: Vec<Trigger>,
    /// A sound asset that is played again and again, softly; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]
    pub music: Option<String>,
    /// In answers to changes: what can be shown, but not as it was meant. In requests it is passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    pub warnings: Vec<Warning>,
}

/// The warning that something can be shown, but not as it was meant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Warning {
    /// JSON pointer (RFC 6901) to the place in the layout.
    pub pointer: String,
    /// What it is, in one line.
    pub detail: String,
}

impl From<Fault> for Warning {
    fn from(Fault { pointer, detail }: Fault) -> Self {
        Self { pointer, detail }
    }
}

/// The picture that layers are put on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Canvas {
    /// In pixels; even.
    #[schema(nullable = false, minimum = 64, maximum = 3840, multiple_of = 2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels; even.
    #[schema(nullable = false, minimum = 64, maximum = 2160, multiple_of = 2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames per second.
    #[schema(nullable = false, minimum = 1, maximum = 60)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
    /// A colour (`#rgb`, `#rrggbb`) or the name of an image asset, which covers the canvas.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Backdrop>,
}

/// One rectangle of the picture. Without any size it is as large as the canvas; a text is as large as it comes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Unique in the layout.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub id: String,
    /// What it shows. Someone who is not there is legal and shows nothing.
    pub source: Source,
    /// Where the anchor stands: canvas pixels from the left edge, or `"n%"` of the canvas's width. Left out: where the
    /// anchor is on the canvas itself, so `{"anchor": "bottom-right"}` alone means that corner.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Position>,
    /// Where the anchor stands: canvas pixels from the top edge, or `"n%"` of the canvas's height.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<Position>,
    /// Canvas pixels, or `"n%"` of the canvas's width. Left out beside a `height`: keeps the source's shape.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<Extent>,
    /// Canvas pixels, or `"n%"` of the canvas's height. Left out beside a `width`: keeps the source's shape.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<Extent>,
    /// Only without `width` and `height`: the canvas's size times this.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// The point of the rectangle that `x` and `y` place; `top-left` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// How the source is fitted into the rectangle; when left out `cover`, or `contain` for a text.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// What is cut off the source before it is fitted.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Higher is nearer; equal ones are nearer the later they are listed. The people placed by `auto` are at 0, nearer
    /// than all layers of z 0. 0 when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<i32>,
    /// From 0 (unseen) to 1 (opaque, the default).
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub opacity: Option<f64>,
    /// Left and right exchanged; `false` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<bool>,
    /// Which part of a participant's picture is kept; `none` (the whole picture) when left out. Without a segmentation
    /// model the whole picture is shown.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<Cutout>,
    /// How sure the network must be of a pixel to keep it: lower keeps more hair, and more of the room; 0.5 when left
    /// out. This and the next two are for participants only, and without effect where nothing is cut out.
    #[schema(nullable = false, minimum = 0.05, maximum = 0.95)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub threshold: Option<f64>,
    /// Softness of the edge, from 0 (hard) to 1; 0.33 when left out.
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub feather: Option<f64>,
    /// Share of the last mask that stays where nothing moves: more is calmer; 0.9 when left out.
    #[schema(nullable = false, minimum = 0, maximum = 0.95)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub smoothing: Option<f64>,
    /// The segmentation model that finds what is kept, for participants only: `embedded`, or the name (without `.onnx`)
    /// of a file in the server's folder of models. The server's own when left out, and until another is loaded.
    #[schema(nullable = false, min_length = 1, max_length = 63, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Degrees, clockwise, about the middle; 0 when left out.
    #[schema(nullable = false, minimum = -360, maximum = 360)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub rotate: Option<f64>,
    /// Of the corners; 0 when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<Radius>,
    /// A line along the inside of the edge.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub border: Option<Border>,
    /// What is behind a participant who is cut out: their own picture, blurred.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<Behind>,
    /// An image asset that is shown while the participant is not there.
    #[schema(nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Goes along with a person's body, instead of `x`, `y` and `anchor`. Without `scale` and without a size of its own
    /// the layer has its source's size.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow>,
    /// How this layer changes; as the layout says when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transition: Option<Transition>,
}

/// A line along the inside of a layer's edge.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayerBorder)]
pub struct Border {
    /// Canvas pixels; 2 when left out.
    #[schema(nullable = false, minimum = 0, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub width: Option<f64>,
    /// White when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
}

/// The background of a participant who is cut out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayerBackground)]
pub struct Behind {
    /// How far the participant's own picture is blurred, in canvas pixels.
    #[schema(minimum = 1, maximum = 100, value_type = f64)]
    #[serde(serialize_with = "number")]
    pub blur: Option<f64>,
}

/// The thing that a layer goes along with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayerFollow)]
pub struct Follow {
    /// The id of a layer that shows a participant.
    pub layer: String,
    /// Which point of that person; left and right are the person's own.
    pub keypoint: look::KeypointName,
    /// The point of this layer that is on the keypoint; `center` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// Canvas pixels to the right of the keypoint.
    #[schema(nullable = false, minimum = -16384, maximum = 16384)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub dx: Option<f64>,
    /// Canvas pixels below the keypoint.
    #[schema(nullable = false, minimum = -16384, maximum = 16384)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub dy: Option<f64>,
    /// This layer's size: its source's own, times this, times the share of the canvas that the followed layer takes.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
}

/// The parts that are cut off the source at its edges: source pixels, or `"n%"` of the source's width or height.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayerCrop)]
pub struct Crop {
    /// At the left, before any mirroring.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Inset>,
    /// At the top.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<Inset>,
    /// At the right, before any mirroring.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Inset>,
    /// At the bottom.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottom: Option<Inset>,
}

/// The treatment of the people whom no layer takes. They are drawn at z 0, nearer than all layers of z 0.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AutoPlacement)]
pub struct Auto {
    /// `grid` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<AutoMode>,
    /// Between two tiles of the grid: canvas pixels, or `"n%"` of the canvas's width; `"1%"` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// `person` or body parts: people are cut out and stand side by side. Left out: `person` where the background is
    /// an image, else `none`. Without a segmentation model it is always `none`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<Cutout>,
    /// As in a layer.
    #[schema(nullable = false, minimum = 0.05, maximum = 0.95)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub threshold: Option<f64>,
    /// As in a layer.
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub feather: Option<f64>,
    /// As in a layer.
    #[schema(nullable = false, minimum = 0, maximum = 0.95)]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub smoothing: Option<f64>,
    /// As in a layer.
    #[schema(nullable = false, min_length = 1, max_length = 63, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The way that one layout turns into the next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayoutTransition)]
pub struct Transition {
    /// Milliseconds; 0, at once, when left out.
    #[schema(nullable = false, minimum = 0, maximum = 10000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// The course of the change; `ease` when left out.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easing: Option<look::Easing>,
}

/// Returns `None` for what need not be written.
fn unless_default<T: PartialEq>(value: T, default: T) -> Option<T> {
    (value != default).then_some(value)
}

impl From<&Scene> for Layout {
    fn from(scene: &Scene) -> Self {
        Layout {
            canvas: Some((&scene.canvas).into()),
            layers: scene.layers.iter().map(Layer::from).collect(),
            auto: Some(Auto {
                mode: Some(scene.auto.mode),
                gap: unless_default(scene.auto.gap, scene::Auto::GAP).map(Gap),
                cutout: scene.auto.cutout,
                threshold: scene.auto.cut_options.threshold,
                feather: scene.auto.cut_options.feather,
                smoothing: scene.auto.cut_options.smoothing,
                model: scene.auto.cut_options.model.map(|model| model.as_str().to_owned()),
            }),
            transition: (scene.transition != look::Transition::default()).then(|| scene.transition.into()),
            triggers: scene.triggers.clone(),
            music: scene.music.clone(),
            warnings: Vec::new(),
        }
    }
}

impl From<look::Transition> for Transition {
    fn from(transition: look::Transition) -> Self {
        Transition {
            duration_ms: Some(transition.duration_ms),
            easing: unless_default(transition.easing, look::Easing::default()),
        }
    }
}

impl From<&look::Follow> for Follow {
    fn from(follow: &look::Follow) -> Self {
        Follow {
            layer: follow.layer.clone(),
            keypoint: follow.keypoint,
            anchor: unless_default(follow.anchor, look::Follow::ANCHOR),
            dx: unless_default(follow.dx, 0.0),
            dy: unless_default(follow.dy, 0.0),
            scale: follow.scale.map(|scale| Scale(Length::Number(scale))),
        }
    }
}

impl From<&scene::Canvas> for Canvas {
    fn from(canvas: &scene::Canvas) -> Self {
        Canvas {
            width: Some(canvas.width),
            height: Some(canvas.height),
            fps: Some(canvas.fps),
            background: Some(match &canvas.background {
                Background::Color(color) => Backdrop::Color(Color(*color)),
                Background::Image(name) => Backdrop::Image(name.clone()),
            }),
        }
    }
}

impl From<&SceneLayer> for Layer {
    fn from(layer: &SceneLayer) -> Self {
        let (width, height, scale) = match layer.size {
            Size::Canvas => (None, None, None),
            Size::Width(width) => (Some(width), None, None),
            Size::Height(height) => (None, Some(height), None),
            Size::Both { width, height } => (Some(width), Some(height), None),
            Size::Scale(scale) => (None, None, Some(scale)),
        };
        Layer {
            id: layer.id.clone(),
            source: (&layer.source).into(),
            x: layer.x.map(Position),
            y: layer.y.map(Position),
            width: width.map(Extent),
            height: height.map(Extent),
            scale: scale.map(Scale),
            anchor: unless_default(layer.anchor, Anchor::default()),
            fit: unless_default(layer.fit, layer.source.usual_fit()),
            crop: unless_default(layer.crop, Edges::default()).map(Crop::from),
            z: unless_default(layer.z, 0),
            opacity: unless_default(layer.opacity, 1.0),
            mirror: unless_default(layer.mirror, false),
            cutout: unless_default(layer.cutout, Cutout::None),
            threshold: layer.cut_options.threshold,
            feather: layer.cut_options.feather,
            smoothing: layer.cut_options.smoothing,
            model: layer.cut_options.model.map(|model| model.as_str().to_owned()),
            rotate: unless_default(layer.rotate, 0.0),
            radius: unless_default(layer.radius, Length::Number(0.0)).map(Radius),
            border: layer.border.map(|border| Border { width: Some(border.width), color: Some(Color(border.color)) }),
            background: layer.blur.map(|blur| Behind { blur: Some(blur) }),
            fallback: layer.fallback.clone(),
            follow: layer.follow.as_ref().map(Follow::from),
            transition: layer.transition.map(Transition::from),
        }
    }
}

impl From<Edges> for Crop {
    fn from(edges: Edges) -> Self {
        let none = Length::Number(0.0);
        let inset = |length| unless_default(length, none).map(Inset);
        Crop { left: inset(edges.left), top: inset(edges.top), right: inset(edges.right), bottom: inset(edges.bottom) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};
    use utoipa::PartialSchema;

    use super::*;
    use crate::layout::limits;

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
    fn the_schema_shows_the_limits_that_the_reader_keeps() {
        let canvas = schema_of::<Canvas>();
        let bounds = |key: &str| {
            (
                canvas["properties"][key]["minimum"].as_i64().unwrap(),
                canvas["properties"][key]["maximum"].as_i64().unwrap(),
            )
        };
        assert_eq!(bounds("width"), limits::CANVAS_WIDTH.into_inner());
        assert_eq!(bounds("height"), limits::CANVAS_HEIGHT.into_inner());
        assert_eq!(bounds("fps"), limits::FPS.into_inner());
        for (schema, of) in [(schema_of::<Layer>(), "layer"), (schema_of::<Auto>(), "auto")] {
            for (key, range) in
                [("threshold", limits::THRESHOLD), ("feather", limits::FEATHER), ("smoothing", limits::SMOOTHING)]
            {
                let key = &schema["properties"][key];
                assert_eq!(
                    (key["minimum"].as_f64(), key["maximum"].as_f64()),
                    (Some(*range.start()), Some(*range.end())),
                    "{of}"
                );
            }
        }
        assert_eq!(schema_of::<Layout>()["properties"]["layers"]["maxItems"], json!(limits::LAYERS));
        let extent = &schema_of::<Extent>()["oneOf"][0];
        assert_eq!((&extent["exclusiveMinimum"], &extent["maximum"]), (&json!(0), &json!(16384)));
        assert_eq!(schema_of::<Layer>()["required"], json!(["id", "source"]));
        assert_eq!(schema_of::<Layer>()["properties"]["id"]["pattern"], json!("^[A-Za-z0-9_-]{1,64}$"));
        assert!(schema_of::<Layout>().get("required").is_none());
    }
}
