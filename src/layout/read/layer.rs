//! One entry of `layers`.

use serde_json::Value;

use super::{cut, fields::Fields, look, source};
use crate::layout::{
    cut::Cutout,
    fault::Fault,
    limits,
    scene::{SceneLayer, Source},
    values::{Anchor, Edges, Fit, Length, Size},
};

const KNOWN: [&str; 25] = [
    "id",
    "source",
    "x",
    "y",
    "width",
    "height",
    "scale",
    "anchor",
    "fit",
    "crop",
    "z",
    "opacity",
    "mirror",
    "cutout",
    "threshold",
    "feather",
    "smoothing",
    "model",
    "rotate",
    "radius",
    "border",
    "follow",
    "fallback",
    "background",
    "transition",
];
/// Reads the layer `value` at `pointer`. With faults in `source` or `id` there is no layer; other faults leave it with
/// defaults at their places.
pub(super) fn layer(value: &Value, pointer: &str, faults: &mut Vec<Fault>) -> Option<SceneLayer> {
    let mut fields = Fields::open(value, pointer.to_owned(), faults)?;
    fields.check_keys(&KNOWN);
    let id = id(&mut fields);
    if !fields.has("source") {
        fields.fault_here("`source` is missing");
    }
    let source = fields.object("source").and_then(source::source);
    let cutout = cut::cutout(&mut fields).unwrap_or_default();
    let cut_options = cut::options(&mut fields);
    let is_person = source.as_ref().is_none_or(Source::is_person);
    if !is_person {
        cut::refuse(&mut fields, cutout, cut_options);
    }
    let blur = look::blur(&mut fields);
    if blur.is_some() && !is_person {
        fields.fault("background", "only a participant's own picture can be behind them");
    } else if blur.is_some() && cutout == Cutout::None {
        fields.fault("background", "is seen only behind a `cutout`");
    }
    let fallback = fields.has("fallback").then(|| fields.asset("fallback")).flatten();
    if fallback.is_some() && !is_person {
        fields.fault("fallback", "is for participants, who may be missing");
    }
    let follow = look::follow(&mut fields);
    if follow.is_some() {
        for key in ["x", "y", "anchor"] {
            if fields.has(key) {
                fields.fault(key, "cannot stand beside `follow`, which says where the layer is");
            }
        }
    }
    let radius = look::radius(&mut fields);
    let border = look::border(&mut fields);
    let rotate = look::rotate(&mut fields);
    if blur.is_some() && rotate % 360.0 != 0.0 {
        fields.fault("background", "cannot stand beside `rotate`");
    }
    let transition = look::transition(&mut fields);
    let x = fields.length("x", &limits::POSITION);
    let y = fields.length("y", &limits::POSITION);
    let size = size(&mut fields);
    let anchor = fields.choice("anchor", &Anchor::NAMES).unwrap_or_default();
    let usual_fit = source.as_ref().map_or_else(Fit::default, Source::usual_fit);
    let fit = fields.choice("fit", &Fit::NAMES).unwrap_or(usual_fit);
    let z = fields.integer("z", &limits::Z).unwrap_or(0) as i32;
    // Adding zero turns -0 into 0.
    let opacity = fields.number("opacity", &limits::OPACITY).map_or(1.0, |opacity| opacity + 0.0);
    let mirror = fields.flag("mirror").unwrap_or(false);
    let crop = fields.object("crop").map_or_else(Edges::default, crop);
    Some(SceneLayer {
        id: id?,
        source: source?,
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
        cut_options,
        radius,
        border,
        rotate,
        blur,
        fallback,
        follow,
        transition,
    })
}

fn id(fields: &mut Fields) -> Option<String> {
    if !fields.has("id") {
        fields.fault_here("`id` is missing");
    }
    let id = fields.text("id")?;
    if !limits::is_id(id) {
        fields.fault("id", "must be 1 to 64 of A-Z a-z 0-9 _ -");
        return None;
    }
    Some(id.to_owned())
}

fn size(fields: &mut Fields) -> Size {
    let width = fields.length("width", &limits::EXTENT);
    let height = fields.length("height", &limits::EXTENT);
    let scale = fields.length("scale", &limits::SCALE);
    if fields.has("scale") && (fields.has("width") || fields.has("height")) {
        fields.fault("scale", "cannot stand beside width or height");
    }
    match (width, height, scale) {
        (Some(width), Some(height), _) => Size::Both { width, height },
        (Some(width), None, _) => Size::Width(width),
        (None, Some(height), _) => Size::Height(height),
        (None, None, Some(scale)) => Size::Scale(scale),
        (None, None, None) => Size::Canvas,
    }
}

fn crop(mut fields: Fields) -> Edges {
    fields.check_keys(&["left", "top", "right", "bottom"]);
    let mut edge = |key| fields.length(key, &limits::INSET).unwrap_or(Length::Number(0.0));
    let edges = Edges { left: edge("left"), top: edge("top"), right: edge("right"), bottom: edge("bottom") };
    for (one, other, names) in
        [(edges.left, edges.right, "left and right"), (edges.top, edges.bottom, "top and bottom")]
    {
        // Pixels can be judged only when the source's size is known; then nothing is shown.
        let percent = |length| if let Length::Percent(percent) = length { percent } else { 0.0 };
        if percent(one) + percent(other) >= 100.0 {
            fields.fault_here(format!("{names} together leave nothing of the source"));
        }
    }
    edges
}
