//! The triggers of a scene.

use std::{collections::HashSet, f64::consts::TAU};

use serde_json::{Value, json};

use super::{
    file::Node,
    import::{Import, Pictures, STAGE, Z_SHOWN, free_id},
    overlays::INTERVAL_MS,
    people::Player,
};
use crate::fault::child;

/// Of the effect `cheers`: the middle and the width of its picture.
const CHEERS: ((f64, f64), f64) = ((400.0, 200.0), 400.0);

/// Of the effect `random_snapshots`: the frame, and the picture that is taken.
const FRAME: (f64, f64) = (580.0, 600.0);
const PHOTO: (f64, f64) = (350.0, 340.0);

impl<'f> Import<'f> {
    /// Returns all triggers that do something, and the layers that they show.
    pub(super) fn triggers(
        &mut self,
        scene: &'f Node,
        pointer: &str,
        people: &[Player],
        layers: &mut Vec<Value>,
    ) -> Vec<Value> {
        let place = child(pointer, "triggers");
        let mut ids = HashSet::new();
        let mut triggers = Vec::new();
        for (name, trigger) in scene.get("triggers").map_or_else(Vec::new, Node::values) {
            let place = child(&place, &name);
            let Some(when) = self.conditions(trigger, &place, people) else { continue };
            let actions = trigger.get("actions").map_or_else(Vec::new, Node::values);
            let place = child(&place, "actions");
            let made: Vec<Value> = actions
                .into_iter()
                .filter_map(|(title, action)| self.action(action, &child(&place, &title), scene, pointer, layers))
                .collect();
            if !made.is_empty() {
                let when = if when.is_empty() { json!("always") } else { json!(when) };
                triggers.push(json!({"id": free_id(&name, &mut ids), "when": when, "do": made}));
            }
        }
        triggers
    }

    /// Returns what must be true; `None` when it never is.
    fn conditions(&mut self, trigger: &Node, pointer: &str, people: &[Player]) -> Option<Vec<Value>> {
        let place = child(pointer, "conditions");
        let mut all = Vec::new();
        for (title, condition) in trigger.get("conditions").map_or_else(Vec::new, Node::values) {
            let place = child(&place, &title);
            match condition.get("type").or(Some(condition)).and_then(Node::text) {
                Some("pass") => {}
                Some("positions") => all.extend(self.positions(condition, &place, people)?),
                // As the original has it.
                _ => self.warn(&place, "is not a known condition, and counts as true"),
            }
        }
        Some(all)
    }

    /// Keypoints in an area; `None` when that never is.
    fn positions(&mut self, condition: &Node, pointer: &str, people: &[Player]) -> Option<Vec<Value>> {
        let area = self.area(condition, pointer)?;
        if let Some(segments) = condition.get("segments") {
            let place = child(pointer, "segments");
            if segments.get("players").and_then(Node::text) != Some("ALL") {
                self.warn(&place, "has `players` other than \"ALL\", and is taken for true");
                return Some(Vec::new());
            }
            let keypoint = self.keypoint(segments, &place)?;
            return Some(vec![json!({"keypoint": keypoint, "area": area, "absent": "ignore"})]);
        }
        let place = child(pointer, "segments_each_player");
        let mut all = Vec::new();
        for (name, segment) in condition.get("segments_each_player").map_or(&[][..], Node::entries) {
            let place = child(&place, name);
            let Some(player) = people.iter().find(|player| player.name == *name) else {
                self.warn(&place, "is not a player of this scene, and does not count");
                continue;
            };
            let keypoint = self.keypoint(segment, &place)?;
            // Everybody of one keypoint and one area is one condition.
            match all.iter_mut().find(|one: &&mut Value| one["keypoint"] == *keypoint) {
                Some(one) => {
                    if let Some(layers) = one["layers"].as_array_mut() {
                        layers.push(json!(player.id));
                    }
                }
                None => {
                    all.push(json!({"keypoint": keypoint, "layers": [player.id], "area": area, "absent": "ignore"}))
                }
            }
        }
        Some(all)
    }

    /// Returns all four edges, from the top left corner; without one of them nothing is ever inside.
    fn area(&mut self, condition: &Node, pointer: &str) -> Option<Value> {
        let place = child(pointer, "area");
        let edge = |key: &str| condition.get("area").and_then(|area| area.get(key)).and_then(Node::leading_number);
        let (Some(left), Some(top), Some(right), Some(bottom)) =
            (edge("left"), edge("top"), edge("right"), edge("bottom"))
        else {
            self.warn(&place, "has not all of left, top, right and bottom: the trigger never fires and is left out");
            return None;
        };
        if left >= right || top >= bottom {
            self.warn(&place, "has nothing inside: the trigger never fires and is left out");
            return None;
        }
        let space = self.space;
        let (x, y) = (|x: f64| space.x(STAGE.0 * x / 100.0), |y: f64| space.y(STAGE.1 * y / 100.0));
        Some(json!({"left": x(left), "top": y(top), "right": x(right), "bottom": y(bottom)}))
    }

    fn action(
        &mut self,
        action: &Node,
        pointer: &str,
        scene: &'f Node,
        scene_pointer: &str,
        layers: &mut Vec<Value>,
    ) -> Option<Value> {
        match action.get("method").and_then(Node::text) {
            Some("image_filter") => self.twirl(action, pointer),
            Some("weather_icon_tracker") => self.icons(action, pointer, scene, scene_pointer),
            Some("random_snapshots") => self.polaroid(action, pointer, scene, scene_pointer),
            Some("cheers") => self.cheers(pointer, scene, scene_pointer, layers),
            other => {
                self.warn(pointer, format!("there is no method {:?}", other.unwrap_or_default()));
                None
            }
        }
    }

    fn twirl(&mut self, action: &Node, pointer: &str) -> Option<Value> {
        let filter = action.get("params").and_then(|params| params.get("filter"));
        if filter.and_then(|filter| filter.get("type")).and_then(Node::text) != Some("twirl") {
            self.warn(pointer, "has no `filter` but `twirl`");
            return None;
        }
        let number = |key: &str| filter.and_then(|filter| filter.get(key)).and_then(Node::leading_number);
        let (Some(cycle), Some(angle)) = (number("cycle"), number("angle")) else {
            self.warn(pointer, "has no `cycle` and `angle`");
            return None;
        };
        // The angle is that of a sine of time through `cycle`: once to and fro takes 2π times as long.
        let hundredths = |number: f64| (number * 100.0).round() / 100.0;
        let mut twirl = json!({
            "angle": hundredths(angle.to_degrees().clamp(-3600.0, 3600.0)),
            "period_ms": hundredths((cycle.abs() * TAU).clamp(100.0, 3_600_000.0))
        });
        self.keep_inside(&mut twirl);
        Some(json!({"twirl": twirl}))
    }

    /// Keeps the bars free of drawings.
    fn keep_inside(&self, effect: &mut Value) {
        if !self.space.is_all() {
            effect["area"] = self.space.area();
        }
    }

    fn icons(&mut self, action: &Node, pointer: &str, scene: &'f Node, scene_pointer: &str) -> Option<Value> {
        let place = child(scene_pointer, "overlays");
        let mut images = Vec::new();
        for (index, overlay) in scene.get("overlays").map_or_else(Vec::new, Node::values) {
            let pictures = self.overlay_pictures(overlay, &child(&place, &index));
            images.extend(pictures.and_then(|pictures| pictures.names.into_iter().next()));
        }
        if images.is_empty() {
            self.warn(pointer, "has no icons: no overlay of the scene is there");
            return None;
        }
        let number = |outer: &str, inner: &str| {
            action.get(outer).and_then(|holder| holder.get(inner)).and_then(Node::leading_number)
        };
        let space = self.space;
        let seconds = action.get("interval_in_seconds").and_then(Node::leading_number).unwrap_or(3.0);
        let mut icons = json!({
            "image": images,
            "width": space.length(number("size", "width").unwrap_or(200.0)),
            "dx": space.length(number("offset", "x").unwrap_or(0.0)),
            "dy": space.length(number("offset", "y").unwrap_or(0.0)),
            "shuffle_ms": (seconds * 1000.0).clamp(100.0, 3_600_000.0) as u32
        });
        self.keep_inside(&mut icons);
        Some(json!({"icons": icons}))
    }

    fn polaroid(&mut self, action: &Node, pointer: &str, scene: &'f Node, scene_pointer: &str) -> Option<Value> {
        let image = self.named_overlay("polaroid", scene, scene_pointer, pointer)?.names.into_iter().next()?;
        let params = action.get("params");
        let seconds = params.and_then(|params| params.get("interval_in_seconds")).and_then(Node::leading_number);
        let space = self.space;
        let mut polaroid = json!({
            "image": image,
            "width": space.length(FRAME.0), "height": space.length(FRAME.1),
            "photo_width": space.length(PHOTO.0), "photo_height": space.length(PHOTO.1),
            "every_ms": (seconds.unwrap_or(5.0) * 1000.0).clamp(100.0, 3_600_000.0) as u32
        });
        if let Some(path) = params.and_then(|params| params.get("shutter_sound")).and_then(Node::text) {
            let place = child(&child(pointer, "params"), "shutter_sound");
            if let Some(sound) = self.sound(path, &place) {
                polaroid["sound"] = json!(sound);
            }
        }
        self.keep_inside(&mut polaroid);
        Some(json!({"polaroid": polaroid}))
    }

    fn cheers(
        &mut self,
        pointer: &str,
        scene: &'f Node,
        scene_pointer: &str,
        layers: &mut Vec<Value>,
    ) -> Option<Value> {
        let pictures = self.named_overlay("cheers_effect", scene, scene_pointer, pointer)?;
        let mut ids: HashSet<String> =
            layers.iter().filter_map(|layer| Some(layer["id"].as_str()?.to_owned())).collect();
        let id = free_id("cheers", &mut ids);
        let (space, ((x, y), width)) = (self.space, CHEERS);
        layers.push(json!({
            "id": id, "source": pictures.source(INTERVAL_MS),
            "x": space.x(x), "y": space.y(y), "anchor": "center", "width": space.length(width),
            "fit": "fill", "z": Z_SHOWN + layers.len()
        }));
        Some(json!({"show": id}))
    }

    /// Returns the overlay that a method draws.
    fn named_overlay(&mut self, name: &str, scene: &'f Node, scene_pointer: &str, pointer: &str) -> Option<Pictures> {
        let own = scene.get("overlays").map_or_else(Vec::new, Node::values).into_iter();
        let own = own.into_iter().find(|(_, overlay)| overlay.get("name").and_then(Node::text) == Some(name));
        let place = child(scene_pointer, "overlays");
        let found = match (own, self.overlays.get(name).copied()) {
            (Some((index, overlay)), _) => self.overlay_pictures(overlay, &child(&place, &index)),
            // Overlays are known by name over all scenes.
            (None, Some(overlay)) => self.pictures(overlay, pointer),
            (None, None) => {
                self.warn(pointer, format!("there is no overlay {name:?}"));
                None
            }
        };
        found.or_else(|| {
            self.warn(pointer, format!("does nothing without the overlay {name:?}"));
            None
        })
    }
}
