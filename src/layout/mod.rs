//! What the canvas shows. PURE: text in, numbers out; nothing here knows of media, rooms or time.
//!
//! ```text
//! JSON ── read ──► Scene ── solve(Scene, who is there) ──► Placements, back to front
//!   ▲                │
//!   └── to_json ─────┘      merge: JSON Merge Patch upon to_json, then read again
//! ```
//!
//! * `schema`, `schema_source`, `schema_values`: the JSON's shape, for the OpenAPI document and for writing.
//! * `read`, `read_layer`, `read_source`, `read_cut`, `read_look`, `fields`, `fault`: JSON in, every wrong place at
//!   once out.
//! * `limits`: how much a layout may ask for.
//! * `scene`: the validated layout.
//! * `look`: borders, followers, gradual change.
//! * `text`: what is written, and what decides how that looks.
//! * `trigger`, `read_trigger`: what happens by itself.
//! * `body_part`, `cut`: what is kept of a person's picture.
//! * `solve`, `auto`, `spotlight`, `geometry`: where everything is, in pixels, for the people who are there now.
//! * `motion`: from one solved layout to the next.
//! * `scenario`: scenario files of the application Virfie, as layouts.
//! * `ready`: layouts that come with the program.

mod auto;
pub mod body_part;
pub mod canvas_limit;
pub mod cut;
pub mod fault;
mod fields;
pub mod geometry;
pub mod limits;
pub mod look;
pub mod model_name;
pub mod motion;
pub mod read;
mod read_cut;
mod read_layer;
mod read_look;
mod read_source;
mod read_trigger;
pub mod ready;
pub mod scenario;
pub mod scene;
pub mod schema;
mod schema_source;
mod schema_values;
pub mod solve;
mod spotlight;
pub mod text;
pub mod trigger;

use serde_json::Value;

pub use self::{
    body_part::{BodyPart, BodyParts},
    canvas_limit::CanvasLimit,
    cut::{Cut, CutOptions, Cutout},
    fault::Fault,
    geometry::{Crop, Rect},
    look::{Border, Easing, Follow, KeypointName, Transition},
    model_name::ModelName,
    read::{read, read_canvas},
    scene::{Anchor, Auto, AutoMode, Background, Canvas, Edges, Fit, Images, Length, Scene, SceneLayer, Size, Source},
    solve::{Facts, Following, Key, Look, Person, Placed, Placement, clip_picture, solve},
    text::{Lettering, Text, TextAlign, TextFrame},
    trigger::Trigger,
};

/// Returns `current` changed by `patch` as JSON Merge Patch (RFC 7396) says: objects are merged key by key, `null`
/// takes a key away, anything else, lists too, is replaced whole.
pub fn merge(current: &Value, patch: &Value) -> Value {
    let mut merged = current.clone();
    json_patch::merge(&mut merged, patch);
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_replaces_lists_and_removes_nulls() {
        let current = json!({"canvas": {"width": 1280, "fps": 30}, "layers": [{"id": "a"}], "auto": {"mode": "grid"}});
        let patch = json!({"canvas": {"fps": 25}, "layers": [], "auto": null});
        assert_eq!(merge(&current, &patch), json!({"canvas": {"width": 1280, "fps": 25}, "layers": []}));
        assert_eq!(merge(&current, &json!(5)), json!(5));
    }

    #[test]
    fn a_patch_of_what_is_read_back_changes_one_thing() {
        let scene = Scene::default_for(Canvas::default());
        let merged = merge(&scene.to_json(), &json!({"canvas": {"background": "club.jpg"}}));
        let changed = read(&merged, &Canvas::default());
        let background = Background::Image("club.jpg".into());
        assert_eq!(changed, Ok(Scene { canvas: Canvas { background, ..scene.canvas.clone() }, ..scene }));
    }
}
