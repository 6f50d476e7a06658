//! The players of a scene.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    file::Node,
    import::{Import, STAGE, Z_PEOPLE, free_id},
};
use crate::{fault::child, limits};

/// Somebody who has a place in a scene.
pub(super) struct Player {
    /// Their display name.
    pub(super) name: String,
    /// Their layer.
    pub(super) id: String,
    /// Size of the people, as a share of Virfie's canvas.
    pub(super) scale: f64,
}

impl Import<'_> {
    /// Adds a layer for every player; of two at the same `z-index` the one whose key comes first is nearer.
    pub(super) fn people(&mut self, scene: &Node, pointer: &str, layers: &mut Vec<Value>) -> Vec<Player> {
        let pointer = child(pointer, "players");
        let mut ids: HashSet<String> = HashSet::from(["background".to_owned()]);
        let mut players = Vec::new();
        for (name, place) in scene.get("players").map_or(&[][..], Node::entries) {
            let pointer = child(&pointer, name);
            if !limits::is_name(name) {
                self.warn(&pointer, "nobody can have this name");
                continue;
            }
            let number = |key: &str| place.get(key).and_then(Node::leading_number);
            let (Some(x), Some(y), Some(scale)) = (number("x"), number("y"), number("scale")) else {
                self.warn(&pointer, "has no `x`, `y` and `scale` that are numbers or percentages");
                continue;
            };
            let z = number("z-index").unwrap_or(0.0);
            let id = free_id(&format!("player-{name}"), &mut ids);
            players.push((z, x, y, Player { name: name.clone(), id, scale: scale / 100.0 }));
        }
        let mut order: Vec<usize> = (0..players.len()).collect();
        // As the original does it: nearest first, stable, and drawn from the end.
        order.sort_by(|one, other| players[*other].0.total_cmp(&players[*one].0));
        let space = self.space;
        for (rank, index) in order.into_iter().rev().enumerate() {
            let (_, x, y, player) = &players[index];
            layers.push(json!({
                "id": player.id,
                "source": {"participant": player.name},
                "x": space.x(STAGE.0 * x / 100.0),
                "y": space.y(STAGE.1 * y / 100.0),
                "width": space.length(STAGE.0 * player.scale),
                "height": space.length(STAGE.1 * player.scale),
                "cutout": "person", "threshold": 0.6, "feather": 0, "smoothing": 0,
                "mirror": true,
                "z": Z_PEOPLE + rank
            }));
        }
        players.into_iter().map(|(_, _, _, player)| player).collect()
    }
}
