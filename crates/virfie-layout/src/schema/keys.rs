//! The table: one row a key of the objects that layouts are made of, with its doc, which the OpenAPI document shows, its
//! limits and what it is when left out. `table` says what a row may be. Sources but texts, and triggers, have schemas of
//! their own.
//!
//! With a row alone, the reader knows the key, and it stands in the schema and in its place in the page's order. Then the
//! compiler asks the module above how it is written, and so for a field of the scene, which the reader fills.

use std::marker::PhantomData;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    source::{Source, Text},
    table::{AnyLength, AssetName, Choice, Flag, Inner, Integer, Key, Number, Own, Rgb, Row, object},
    values::{Backdrop, Color, Extent, Gap, Inset, Position, Radius, Scale, number, plain},
};
use crate::{
    cut::{Cutout, Lost},
    fault::Fault,
    look::{self, Easing, KeypointName},
    scene::{self, AutoMode},
    trigger::{self, Trigger},
    values::{Anchor, AssetKind, Fit, Length},
};

object! {
    /// The content of the canvas. Every key may be left out; unknown keys are errors.
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
    Layout, LayoutKeys {
        /// The picture that layers are put on. Keys left out keep the room's values.
        canvas: object(Canvas);
        /// At most 64, each with its own id.
        layers: list(Layer) { #[serde(default)] #[schema(max_items = 64)] };
        /// The placing of the people whom no layer takes; left out, they stand in a grid.
        auto: object(Auto);
        /// Change from what was shown before into this; at once when left out.
        transition: object(Transition);
        /// Triggers, which act by themselves.
        triggers: list(Trigger) { #[serde(skip_serializing_if = "Vec::is_empty")] #[schema(max_items = 32)] };
        /// A sound asset that is played again and again, softly; none when left out.
        music: asset, sound;
        /// In answers to changes: what can be shown, but not as it was meant. In requests it is passed over.
        warnings: list(Warning) { #[serde(skip_serializing_if = "Vec::is_empty")] #[schema(read_only)] };
    }
}

/// The warning that something can be shown, but not as it was meant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Warning {
    /// JSON pointer (RFC 6901) to the place in the layout.
    pub pointer: String,
    /// The warning, in one line.
    pub detail: String,
}

impl From<Fault> for Warning {
    fn from(Fault { pointer, detail }: Fault) -> Self {
        Self { pointer, detail }
    }
}

object! {
    /// The picture that layers are put on.
    Canvas, CanvasKeys {
        // Below 64 a person is no longer recognisable; 3840 (4K) is the widest that one software encoder can be asked for.
        /// In pixels; even.
        width: integer(u32, 64, 3840, multiple_of = 2);
        /// In pixels; even.
        height: integer(u32, 64, 2160, multiple_of = 2);
        // No sender is taken in faster than 60, so a faster canvas would only repeat pictures.
        /// Frames per second.
        fps: integer(u32, 1, 60);
        /// A colour (`#rgb`, `#rrggbb`) or the name of an image asset, which covers the canvas.
        background: own(Backdrop), image;
    }
}

object! {
    /// One rectangle of the picture. Without any size it is as large as the canvas; a text is as large as it comes.
    Layer, LayerKeys {
        /// Unique in the layout.
        id: must own(String, pattern = "^[A-Za-z0-9_-]{1,64}$");
        /// The source of its picture. A participant who is not there is legal and shows nothing.
        source: must own(Source);
        /// Place of the anchor: canvas pixels from the left edge, or `"n%"` of the canvas's width. Left out: where the
        /// anchor is on the canvas itself, so `{"anchor": "bottom-right"}` alone means that corner.
        x: length(Position), moves;
        /// Place of the anchor: canvas pixels from the top edge, or `"n%"` of the canvas's height.
        y: length(Position), moves;
        /// Canvas pixels, or `"n%"` of the canvas's width. Left out beside a `height`: keeps the source's shape.
        width: length(Extent), moves;
        /// Canvas pixels, or `"n%"` of the canvas's height. Left out beside a `width`: keeps the source's shape.
        height: length(Extent), moves;
        /// Only without `width` and `height`: the canvas's size times this.
        scale: length(Scale), moves;
        /// The point of the rectangle that `x` and `y` place; `top-left` when left out.
        anchor: choice(Anchor) = Anchor::TopLeft, moves;
        /// Manner in which the source is fitted into the rectangle; when left out `cover`, or `contain` for a text.
        fit: choice(Fit), moves;
        /// The margins that are cut off the source before it is fitted.
        crop: object(Crop), moves;
        /// Higher is nearer; equal ones are nearer the later they are listed. The people placed by `auto` are at 0, nearer
        /// than all layers of z 0. 0 when left out.
        z: integer(i32) = 0;
        /// From 0 (unseen) to 1 (opaque, the default).
        opacity: number(0, 1) = 1.0, moves;
        /// Left and right exchanged; `false` when left out.
        mirror: flag = false;
        /// Part of a participant's picture that is kept; `none` (the whole picture) when left out. Without a
        /// segmentation model the whole picture is shown.
        cutout: own(Cutout) = Cutout::None;
        // At 0 and 1 everything or nothing would be kept.
        /// Certainty that the network must have of a pixel to keep it: lower keeps more hair, and more of the room; 0.5
        /// when left out. This and the next two are for participants only, and without effect where nothing is cut out.
        threshold: number(0.05, 0.95);
        /// Softness of the edge, from 0 (hard) to 1; 0.33 when left out.
        feather: number(0, 1);
        // At 1 a mask would never change again.
        /// Share of the last mask that stays where nothing moves: more is calmer; 0.9 when left out.
        smoothing: number(0, 0.95);
        /// The segmentation model that finds what is kept, for participants only: `embedded`, or the name (without `.onnx`)
        /// of a file in the server's folder of models. The server's own when left out, and until another is loaded.
        model: own(String, min_length = 1, max_length = 63, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$");
        /// The view of a participant who is cut out, while nobody has been found in their pictures for two seconds;
        /// `hide` when left out.
        lost: choice(Lost) = Lost::Hide;
        // One whole turn either way, so that a transition can make one.
        /// Degrees, clockwise, about the middle; 0 when left out.
        rotate: number(-360, 360) = 0.0, moves;
        /// Of the corners; 0 when left out.
        radius: length(Radius) = Length::Number(0.0), moves;
        /// A line along the inside of the edge.
        border: object(Border), moves;
        /// The background of a participant who is cut out: their own picture, blurred.
        background: object(Behind);
        /// An image asset that is shown while the participant is not there.
        fallback: asset, image;
        /// Goes along with a person's body, instead of `x`, `y` and `anchor`. Without `scale` and without a size of its own
        /// the layer has its source's size.
        follow: object(Follow);
        /// Change of this layer; as the layout says when left out.
        transition: object(Transition);
    }
}

object! {
    /// A line along the inside of a layer's edge.
    #[schema(as = LayerBorder)]
    Border, BorderKeys {
        /// Canvas pixels; 2 when left out.
        width: number(0, 200) = look::Border::WIDTH, moves;
        /// White when left out.
        color: color = look::Border::COLOR;
    }
}

object! {
    /// The background of a participant who is cut out.
    #[schema(as = LayerBackground)]
    Behind, BehindKeys {
        /// Radius by which the participant's own picture is blurred, in canvas pixels.
        blur: must number(1, 100);
    }
}

object! {
    /// The thing that a layer goes along with.
    #[schema(as = LayerFollow)]
    Follow, FollowKeys {
        /// The id of a layer that shows a participant.
        layer: must own(String);
        /// Point of that person; left and right are the person's own.
        keypoint: must choice(KeypointName);
        /// The point of this layer that is on the keypoint; `center` when left out.
        anchor: choice(Anchor) = look::Follow::ANCHOR;
        /// Canvas pixels to the right of the keypoint.
        dx: number(-16384, 16384) = 0.0;
        /// Canvas pixels below the keypoint.
        dy: number(-16384, 16384) = 0.0;
        /// This layer's size: its source's own, times this, times the share of the canvas that the followed layer takes.
        scale: length(Scale);
    }
}

object! {
    /// The parts that are cut off the source at its edges: source pixels, or `"n%"` of the source's width or height.
    #[schema(as = LayerCrop)]
    Crop, CropKeys {
        /// At the left, before any mirroring.
        left: length(Inset) = Length::Number(0.0), moves;
        /// At the top.
        top: length(Inset) = Length::Number(0.0), moves;
        /// At the right, before any mirroring.
        right: length(Inset) = Length::Number(0.0), moves;
        /// At the bottom.
        bottom: length(Inset) = Length::Number(0.0), moves;
    }
}

object! {
    /// The treatment of the people whom no layer takes. They are drawn at z 0, nearer than all layers of z 0.
    #[schema(as = AutoPlacement)]
    Auto, AutoKeys {
        /// `grid` when left out.
        mode: choice(AutoMode) = AutoMode::Grid;
        /// Between two tiles of the grid: canvas pixels, or `"n%"` of the canvas's width; `"1%"` when left out.
        gap: length(Gap) = scene::Auto::GAP, moves;
        /// `person` or body parts: people are cut out and stand side by side. Left out: `person` where the background is
        /// an image, else `none`. Without a segmentation model it is always `none`.
        cutout: own(Cutout);
        /// As in a layer.
        threshold: number(0.05, 0.95);
        /// As in a layer.
        feather: number(0, 1);
        /// As in a layer.
        smoothing: number(0, 0.95);
        /// As in a layer.
        model: own(String, min_length = 1, max_length = 63, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$");
    }
}

object! {
    /// The way that one layout turns into the next.
    #[schema(as = LayoutTransition)]
    Transition, TransitionKeys {
        // Longer ones would be mistaken for a layout that does not come.
        /// Milliseconds; 0, at once, when left out.
        duration_ms: integer(u32, 0, 10000) = 0;
        /// The course of the change; `ease` when left out.
        easing: choice(Easing) = Easing::Ease;
    }
}

/// Every object of the table that has a name in the OpenAPI document; texts are shown where sources are.
pub const OBJECTS: [(&str, &[Row]); 9] = [
    ("Layout", Layout::ROWS),
    ("Canvas", Canvas::ROWS),
    ("Layer", Layer::ROWS),
    ("LayerBorder", Border::ROWS),
    ("LayerBackground", Behind::ROWS),
    ("LayerFollow", Follow::ROWS),
    ("LayerCrop", Crop::ROWS),
    ("AutoPlacement", Auto::ROWS),
    ("LayoutTransition", Transition::ROWS),
];

/// Returns the keys under which assets of a kind are named, wherever in a layout they stand, each once.
pub fn asset_keys(kind: AssetKind) -> Vec<&'static str> {
    let rows = OBJECTS.iter().flat_map(|(_, rows)| rows.iter()).chain(Text::ROWS);
    let named = rows.filter_map(|row| Some((row.asset?, row.key)));
    let all = named.chain(Source::ASSET_KEYS).chain(trigger::ASSET_KEYS);
    let mut keys: Vec<&str> = all.filter(|(of, _)| *of == kind).map(|(_, key)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
