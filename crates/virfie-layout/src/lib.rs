//! Layouts of the canvas. PURE: text in, numbers out; nothing here knows of media, rooms or time.
//!
//! ```text
//! JSON ── read ──► Scene ── solve(Scene, who is there) ──► Placements, back to front
//!   ▲                │
//!   └── to_json ─────┘      merge: JSON Merge Patch upon to_json, then read again
//! ```
//!
//! No file imports one that imports it, be it by way of others; `tests/architecture.rs` looks.
//!
//! * `values`: lengths, anchors, fits; `fault`: a wrong place; `limits`: how much a layout may ask for.
//! * `body_part`, `model_name`, `cut`: what is kept of a person's picture.
//! * `look`: borders, followers, gradual change. `text`: what is written. `trigger`: what happens by itself.
//! * `scene`: the validated layout. `canvas_limit`: what an operator allows of it.
//! * `lettering`: what decides how a text looks. `assets`: what a scene names.
//! * `fields`: what in a text stands for something that changes. `fill`: texts as they are shown now.
//! * `schema`: the JSON's shape, for the OpenAPI document and for writing; its `keys` are the table that the reader, the
//!   page and the search for assets ask, too.
//! * `read`: JSON in, every wrong place at once out.
//! * `solve`: where everything is, in pixels, for the people who are there now, and from one such picture to the next.
//! * `boxes`: the same for those who arrange it, with what is not seen.
//! * `scenario`: scenario files of the application Virfie, as layouts.
//! * `ready`: layouts that come with the program.

mod assets;
mod body_part;
pub mod boxes;
mod canvas_limit;
mod cut;
pub mod fault;
pub mod fields;
mod fill;
mod lettering;
pub mod limits;
mod look;
mod model_name;
pub mod read;
pub mod ready;
pub mod scenario;
mod scene;
pub mod schema;
pub mod solve;
mod text;
pub mod trigger;
mod values;

use serde_json::Value;

pub use self::{
    body_part::{BodyPart, BodyParts},
    boxes::{LayerBox, boxes},
    canvas_limit::CanvasLimit,
    cut::{Cut, CutOptions, Cutout, Lost},
    fault::Fault,
    fill::{Data, Reading, Values},
    lettering::{Lettering, TextFrame},
    look::{Border, Easing, Follow, KeypointName, Transition},
    model_name::ModelName,
    read::{read, read_canvas, read_changed, read_kept, wrong_in_texts},
    scene::{Auto, AutoMode, Background, Canvas, Images, Scene, SceneLayer, Source},
    schema::keys::asset_keys,
    solve::{
        Crawl, Facts, Following, Key, Look, Person, Placed, Placement, WhyHidden, clip_picture,
        geometry::{Crop, Rect},
        solve,
    },
    text::{Text, TextAlign},
    trigger::Trigger,
    values::{Anchor, AssetKind, Edges, Fit, Length, Size},
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
