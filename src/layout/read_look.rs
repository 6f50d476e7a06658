//! The keys of a layer that say how it looks and moves: `radius`, `border`, `rotate`, `background`, `fallback`,
//! `follow`, `transition`.

use super::{
    fields::Fields,
    limits,
    look::{Border, Easing, Follow, KeypointName, Transition},
    scene::{Anchor, Length},
};

pub(super) fn radius(fields: &mut Fields) -> Length {
    fields.length("radius", &limits::RADIUS).unwrap_or(Length::Number(0.0))
}

/// Reads `rotate`, in degrees.
pub(super) fn rotate(fields: &mut Fields) -> f64 {
    // Adding zero turns -0 into 0.
    fields.number("rotate", &limits::ROTATE).unwrap_or(0.0) + 0.0
}

/// Reads `border`; a border without width is no border.
pub(super) fn border(fields: &mut Fields) -> Option<Border> {
    let mut fields = fields.object("border")?;
    fields.check_keys(&["width", "color"]);
    let width = fields.number("width", &limits::BORDER).unwrap_or(Border::WIDTH);
    let color = fields.color("color").unwrap_or(Border::COLOR);
    (width > 0.0).then_some(Border { width, color })
}

/// Reads a layer's `background`: how far its own picture is blurred behind the person.
pub(super) fn blur(fields: &mut Fields) -> Option<f64> {
    let mut fields = fields.object("background")?;
    fields.check_keys(&["blur"]);
    if !fields.has("blur") {
        fields.fault_here("`blur` is missing");
    }
    fields.number("blur", &limits::BLUR)
}

pub(super) fn follow(fields: &mut Fields) -> Option<Follow> {
    let mut fields = fields.object("follow")?;
    fields.check_keys(&["layer", "keypoint", "anchor", "dx", "dy", "scale"]);
    for key in ["layer", "keypoint"] {
        if !fields.has(key) {
            fields.fault_here(format!("`{key}` is missing"));
        }
    }
    let layer = fields.text("layer");
    let keypoint = fields.choice("keypoint", &KeypointName::NAMES);
    let anchor = fields.choice("anchor", &Anchor::NAMES).unwrap_or(Follow::ANCHOR);
    let mut offset = |key: &str| fields.number(key, &limits::OFFSET).unwrap_or(0.0) + 0.0;
    let (dx, dy) = (offset("dx"), offset("dy"));
    let scale = fields.length("scale", &limits::SCALE).map(Length::factor);
    Some(Follow { layer: layer?.to_owned(), keypoint: keypoint?, anchor, dx, dy, scale })
}

pub(super) fn transition(fields: &mut Fields) -> Option<Transition> {
    let mut fields = fields.object("transition")?;
    fields.check_keys(&["duration_ms", "easing"]);
    let duration_ms = fields.integer("duration_ms", &limits::TRANSITION_MS).unwrap_or(0) as u32;
    let easing = fields.choice("easing", &Easing::NAMES).unwrap_or_default();
    Some(Transition { duration_ms, easing })
}
