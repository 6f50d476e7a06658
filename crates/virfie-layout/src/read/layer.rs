//! One entry of `layers`.

use serde_json::Value;

use super::{cut, fields::Fields, look, source};
use crate::{
    cut::{Cutout, Lost},
    fault::Fault,
    limits,
    scene::{SceneLayer, Source},
    schema::{self, Layer, keys::LayerKeys},
    values::{Edges, Fit, Length, Size},
};

/// Keys that a layer cannot have whose text runs.
const BESIDE_NO_CRAWL: [&str; 7] = ["fit", "crop", "mirror", "rotate", "radius", "border", "follow"];

/// Reads the layer `value` at `pointer`. With faults in `source` or `id` there is no layer; other faults leave it with
/// defaults at their places.
pub(super) fn layer(value: &Value, pointer: &str, faults: &mut Vec<Fault>) -> Option<SceneLayer> {
    let mut fields = Fields::open(value, pointer.to_owned(), faults)?;
    fields.check_rows(Layer::ROWS);
    let keys = Layer::KEYS;
    let id = id(&mut fields, keys.id.name);
    if !fields.has(keys.source.name) {
        fields.fault_here("`source` is missing");
    }
    let source = fields.object(keys.source.name).and_then(source::source);
    let cutout = cut::cutout(&mut fields, &keys.cutout).unwrap_or(keys.cutout.usual);
    let cut_options = cut::options(&mut fields, &keys.threshold, &keys.feather, &keys.smoothing, &keys.model);
    let is_person = source.as_ref().is_none_or(Source::is_person);
    if !is_person {
        cut::refuse(&mut fields, cutout, cut_options);
    }
    let lost = cut::lost(&mut fields, &keys.lost, cutout, is_person);
    let blur = fields.inner(&keys.background).and_then(look::blur);
    if blur.is_some() && !is_person {
        fields.fault("background", "only a participant's own picture can be behind them");
    } else if blur.is_some() && cutout == Cutout::None {
        fields.fault("background", "is seen only behind a `cutout`");
    }
    let fallback = fields.read(&keys.fallback);
    if fallback.is_some() && !is_person {
        fields.fault("fallback", "is for participants, who may be missing");
    }
    let follow = fields.inner(&keys.follow).and_then(look::follow);
    if follow.is_some() {
        for key in ["x", "y", "anchor"] {
            if fields.has(key) {
                fields.fault(key, "cannot stand beside `follow`, which says where the layer is");
            }
        }
    }
    if matches!(&source, Some(Source::Text(text)) if text.crawl.is_some()) {
        for key in BESIDE_NO_CRAWL {
            if fields.has(key) {
                fields.fault(key, "cannot stand beside `crawl`: the text runs through the layer as it is");
            }
        }
    }
    let radius = fields.read_or_usual(&keys.radius);
    let border = fields.inner(&keys.border).and_then(look::border);
    let rotate = fields.read_or_usual(&keys.rotate);
    if blur.is_some() && rotate % 360.0 != 0.0 {
        fields.fault("background", "cannot stand beside `rotate`");
    }
    if lost == Lost::Blur && rotate % 360.0 != 0.0 {
        fields.fault(keys.lost.name, "`blur` cannot stand beside `rotate`");
    }
    let transition = fields.inner(&keys.transition).map(look::transition);
    let x = fields.read(&keys.x);
    let y = fields.read(&keys.y);
    let size = size(&mut fields, keys);
    let anchor = fields.read_or_usual(&keys.anchor);
    let usual_fit = source.as_ref().map_or_else(Fit::default, Source::usual_fit);
    let fit = fields.read(&keys.fit).unwrap_or(usual_fit);
    let z = fields.read_or_usual(&keys.z);
    let opacity = fields.read_or_usual(&keys.opacity);
    let mirror = fields.read_or_usual(&keys.mirror);
    let crop = fields.inner(&keys.crop).map_or_else(Edges::default, crop);
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
        lost,
        radius,
        border,
        rotate,
        blur,
        fallback,
        follow,
        transition,
    })
}

fn id(fields: &mut Fields, key: &str) -> Option<String> {
    if !fields.has(key) {
        fields.fault_here("`id` is missing");
    }
    let id = fields.text(key)?;
    if !limits::is_id(id) {
        fields.fault(key, "must be 1 to 64 of A-Z a-z 0-9 _ -");
        return None;
    }
    Some(id.to_owned())
}

fn size(fields: &mut Fields, keys: &LayerKeys) -> Size {
    let width = fields.read(&keys.width);
    let height = fields.read(&keys.height);
    let scale = fields.read(&keys.scale);
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
    let keys = schema::Crop::KEYS;
    let mut edge = |key| fields.read_or_usual(key);
    let edges =
        Edges { left: edge(&keys.left), top: edge(&keys.top), right: edge(&keys.right), bottom: edge(&keys.bottom) };
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
