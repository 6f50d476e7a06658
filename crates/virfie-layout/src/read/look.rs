//! The objects of a layer that say how it looks and moves: `border`, `background`, `follow`, `transition`.

use super::fields::Fields;
use crate::{
    look::{Border, Follow, Transition},
    schema,
    values::Length,
};

/// Reads `border`; a border without width is no border.
pub(super) fn border(mut fields: Fields) -> Option<Border> {
    let keys = schema::Border::KEYS;
    let width = fields.read_or_usual(&keys.width);
    let color = fields.read_or_usual(&keys.color);
    (width > 0.0).then_some(Border { width, color })
}

/// Reads a layer's `background`: how far its own picture is blurred behind the person.
pub(super) fn blur(mut fields: Fields) -> Option<f64> {
    let blur = &schema::Behind::KEYS.blur;
    if !fields.has(blur.name) {
        fields.fault_here("`blur` is missing");
    }
    fields.read(blur)
}

pub(super) fn follow(mut fields: Fields) -> Option<Follow> {
    let keys = schema::Follow::KEYS;
    for key in [keys.layer.name, keys.keypoint.name] {
        if !fields.has(key) {
            fields.fault_here(format!("`{key}` is missing"));
        }
    }
    let layer = fields.text(keys.layer.name);
    let keypoint = fields.read(&keys.keypoint);
    let anchor = fields.read_or_usual(&keys.anchor);
    let (dx, dy) = (fields.read_or_usual(&keys.dx), fields.read_or_usual(&keys.dy));
    let scale = fields.read(&keys.scale).map(Length::factor);
    Some(Follow { layer: layer?.to_owned(), keypoint: keypoint?, anchor, dx, dy, scale })
}

pub(super) fn transition(mut fields: Fields) -> Transition {
    let keys = schema::Transition::KEYS;
    Transition { duration_ms: fields.read_or_usual(&keys.duration_ms), easing: fields.read_or_usual(&keys.easing) }
}
