//! The overlays of a scene: images at a place, and images that go along with somebody.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    file::Node,
    import::{Import, Pictures, Z_OVERLAYS, free_id, rounded},
    people::Player,
};
use crate::{fault::child, look::KeypointName};

/// Time for which each of several files is shown.
pub(super) const INTERVAL_MS: u32 = 200;

impl<'f> Import<'f> {
    /// Adds a layer for every overlay that has a position, in front of all people, in their order.
    pub(super) fn overlays(
        &mut self,
        scene: &'f Node,
        pointer: &str,
        people: &[Player],
        ids: &mut HashSet<String>,
        layers: &mut Vec<Value>,
    ) {
        let pointer = child(pointer, "overlays");
        let list = scene.get("overlays").map_or_else(Vec::new, Node::values);
        for (rank, (index, own)) in list.into_iter().enumerate() {
            let pointer = child(&pointer, &index);
            // Without one it is there for actions only.
            let Some(position) = own.get("position") else { continue };
            let place = child(&pointer, "position");
            let made = match position.get("type").and_then(Node::text) {
                Some("coordinate") => self.overlay_pictures(own, &pointer).map(|pictures| self.at(position, &pictures)),
                Some("tracking") => self.tracking(own, position, people, &pointer),
                _ => {
                    self.warn(&place, "is of a type that is not known; the overlay is not shown");
                    None
                }
            };
            if let Some(mut layer) = made {
                let name = own.get("name").and_then(Node::text).unwrap_or("overlay");
                layer["id"] = json!(free_id(name, ids));
                layer["fit"] = json!("fill");
                layer["z"] = json!(Z_OVERLAYS + rank);
                layers.push(layer);
            }
        }
    }

    /// Returns the images of an overlay, by its name.
    pub(super) fn overlay_pictures(&mut self, own: &'f Node, pointer: &str) -> Option<Pictures> {
        let name = own.get("name").and_then(Node::text);
        let shared = name.and_then(|name| self.overlays.get(name).copied()).unwrap_or(own);
        self.pictures(shared, pointer)
    }

    /// Returns it at a place, in its own size.
    fn at(&self, position: &Node, pictures: &Pictures) -> Value {
        let (space, (width, height)) = (self.space, pictures.size);
        let number = |key: &str| position.get(key).and_then(Node::leading_number).unwrap_or(0.0);
        json!({
            "source": pictures.source(INTERVAL_MS),
            "x": space.x(number("x")), "y": space.y(number("y")),
            "width": space.length(width), "height": space.length(height)
        })
    }

    /// Returns it along with a part of somebody's body. With a scale of its own the original takes half of the unscaled
    /// size off twice, and scenarios rely on where that puts things.
    fn tracking(&mut self, own: &'f Node, position: &Node, people: &[Player], pointer: &str) -> Option<Value> {
        let place = child(pointer, "position");
        let name = position.get("player").and_then(Node::text).unwrap_or_default();
        let Some(player) = people.iter().find(|player| player.name == name) else {
            self.warn(&place, format!("there is no player {name:?} in this scene; the overlay is not shown"));
            return None;
        };
        let keypoint = self.keypoint(position, &place)?;
        let pictures = self.overlay_pictures(own, pointer)?;
        let (width, height) = (pictures.size.0 * player.scale, pictures.size.1 * player.scale);
        let scale = position.get("scale").filter(|scale| scale.is_truthy()).and_then(Node::leading_number);
        let offset = |key: &str| {
            let offset = position.get("offset").and_then(|offset| offset.get(key));
            offset.and_then(Node::leading_number).unwrap_or(0.0)
        };
        let (twice, size) = match scale {
            Some(scale) => ((width / 2.0, height / 2.0), (width * scale, height * scale)),
            None => ((0.0, 0.0), (width, height)),
        };
        let space = self.space;
        Some(json!({
            "source": pictures.source(INTERVAL_MS),
            "width": space.length(size.0), "height": space.length(size.1),
            "follow": {
                "layer": player.id, "keypoint": keypoint,
                "dx": rounded((offset("x") - twice.0) * space.scale),
                "dy": rounded((offset("y") - twice.1) * space.scale)
            }
        }))
    }

    /// Returns the name of a `body_part`.
    pub(super) fn keypoint(&mut self, holder: &Node, pointer: &str) -> Option<&'static str> {
        let part = holder.get("body_part").and_then(Node::text).unwrap_or_default();
        let known = KeypointName::NAMES.iter().find(|(name, _)| *name == part).map(|(name, _)| *name);
        if known.is_none() {
            self.warn(pointer, format!("there is no body part {part:?}"));
        }
        known
    }
}
