//! One entry of `layers`.

use serde_json::Value;

use super::{
    fault::Fault,
    fields::Fields,
    limits, read_cut,
    scene::{Anchor, Edges, Fit, Length, SceneLayer, Size, Source},
};

const KNOWN: [&str; 19] = [
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
];
/// Keys of the format that nothing carries out yet: refused, never ignored.
const UNBUILT: [&str; 5] = ["radius", "border", "follow", "fallback", "background"];
/// Keys that say what a layer shows.
const SOURCES: [&str; 4] = ["participant", "slot", "image", "color"];
const UNBUILT_SOURCES: [&str; 2] = ["text", "video"];

/// Reads the layer `value` at `pointer`. With faults in `source` or `id` there is no layer; other faults leave it with
/// defaults at their places.
pub(super) fn layer(value: &Value, pointer: &str, faults: &mut Vec<Fault>) -> Option<SceneLayer> {
    let mut fields = Fields::open(value, pointer.to_owned(), faults)?;
    fields.check_keys(&KNOWN, &UNBUILT);
    let id = id(&mut fields);
    if !fields.has("source") {
        fields.fault_here("`source` is missing");
    }
    let source = fields.object("source").and_then(source);
    let cutout = read_cut::cutout(&mut fields).unwrap_or_default();
    let cut_options = read_cut::options(&mut fields);
    if matches!(source, Some(Source::Image(_) | Source::Color(_))) {
        read_cut::refuse(&mut fields, cutout, cut_options);
    }
    if fields.number("rotate", &(f64::MIN..=f64::MAX)).is_some_and(|degrees| degrees != 0.0) {
        fields.unbuilt("rotate");
    }
    let x = fields.length("x", &limits::POSITION);
    let y = fields.length("y", &limits::POSITION);
    let size = size(&mut fields);
    let anchor = fields.choice("anchor", &Anchor::NAMES, &[]).unwrap_or_default();
    let fit = fields.choice("fit", &Fit::NAMES, &[]).unwrap_or_default();
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

fn source(mut fields: Fields) -> Option<Source> {
    let kinds: Vec<&str> = SOURCES.into_iter().chain(UNBUILT_SOURCES).filter(|key| fields.has(key)).collect();
    // A text or a video brings keys of its own, which are told only once they can be used.
    if let Some(key) = kinds.iter().find(|key| UNBUILT_SOURCES.contains(key)) {
        fields.unbuilt(key);
        return None;
    }
    let unbuilt: &[&str] = if fields.has("image") { &["interval_ms"] } else { &[] };
    fields.check_keys(&SOURCES, unbuilt);
    match kinds[..] {
        ["participant"] => participant(&mut fields),
        ["slot"] => fields.integer("slot", &limits::SLOT).map(|number| Source::Slot(number as u32)),
        ["image"] => image(&mut fields),
        ["color"] => fields.color("color").map(Source::Color),
        [] => {
            fields.fault_here(format!("must have one of {}", SOURCES.join(", ")));
            None
        }
        _ => {
            fields.fault_here(format!("must have only one of {}", kinds.join(", ")));
            None
        }
    }
}

fn participant(fields: &mut Fields) -> Option<Source> {
    let name = fields.text("participant")?;
    if !limits::is_name(name) {
        fields.fault("participant", "must be a name of 1 to 128 characters");
        return None;
    }
    Some(Source::Participant(name.to_owned()))
}

fn image(fields: &mut Fields) -> Option<Source> {
    if fields.get("image")?.is_array() {
        fields.fault("image", "a list of images is not built yet");
        return None;
    }
    fields.asset("image").map(Source::Image)
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
    fields.check_keys(&["left", "top", "right", "bottom"], &[]);
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
