//! Places of all layers, for those who arrange them: also of those of which nothing is seen, and why.
//!
//! [`solve`](super::solve()) gives what is drawn. This gives the rectangles that a layout asks for, by the same
//! reckoning.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    look::Follow,
    scene::{Scene, SceneLayer, Source},
    solve::{Facts, Seating, WhyHidden, area, content, geometry::Area, pile, place, seats},
};

/// The size that is taken for a picture that has not come: its shape is that of most cameras.
const USUAL: (u32, u32) = (640, 360);

/// The width that is taken for a letter of a text that is not drawn yet, in sizes of the text.
const LETTER: f64 = 0.55;

/// The rectangle of a layer, or of somebody whom `auto` places.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LayerBox {
    /// The layer's id; null for somebody whom `auto` places.
    pub layer: Option<String>,
    /// The name of the participant who stands there, seen or not; null for nobody.
    pub person: Option<String>,
    /// The left edge in canvas pixels, before the box is turned. Of a layer that follows a keypoint: as if that were in
    /// the middle of the layer that it follows.
    pub x: f64,
    /// The top edge, as `x`.
    pub y: f64,
    /// In canvas pixels. A source that is fitted in with `contain` may leave some of it free.
    pub width: f64,
    /// In canvas pixels.
    pub height: f64,
    /// Degrees by which the box is turned about its middle, clockwise.
    pub rotate: f64,
    /// Reason why nothing is seen of it; null for what is seen. That a trigger or a keypoint hides it now is not said.
    pub hidden: Option<WhyHidden>,
}

impl LayerBox {
    fn new(area: Area) -> Self {
        // Finer than what any key of a layout is written with, and short.
        let short = |length: f64| (length * 1000.0).round() / 1000.0 + 0.0;
        Self {
            layer: None,
            person: None,
            x: short(area.x),
            y: short(area.y),
            width: short(area.width),
            height: short(area.height),
            rotate: 0.0,
            hidden: None,
        }
    }
}

/// Returns the boxes of all layers and of the people whom `auto` places, back to front.
pub fn boxes(scene: &Scene, facts: &Facts) -> Vec<LayerBox> {
    let table = Table { scene, facts, seating: Seating::of(scene, facts.people) };
    let (back, front) = pile(scene);
    let mut boxes: Vec<LayerBox> = back.into_iter().map(|layer| table.layer(layer)).collect();
    let seats = seats(scene, facts, &table.seating.waiting);
    boxes.extend(seats.into_iter().map(|(index, area, _)| table.person(index, area)));
    boxes.extend(front.into_iter().map(|layer| table.layer(layer)));
    boxes
}

/// All that boxes are reckoned from.
struct Table<'a> {
    scene: &'a Scene,
    facts: &'a Facts<'a>,
    seating: Seating,
}

impl Table<'_> {
    fn layer(&self, layer: &SceneLayer) -> LayerBox {
        let canvas = &self.scene.canvas;
        let hidden = match place(layer, self.scene, self.facts, &self.seating) {
            Ok(placement) if placement.touches(canvas.width, canvas.height) => None,
            Ok(_) => Some(WhyHidden::OffCanvas),
            Err(why) => Some(why),
        };
        let area = match &layer.follow {
            Some(follow) => self.follower(layer, follow),
            None => self.area(layer),
        };
        let person = self.seating.person(&layer.source, self.facts.people);
        LayerBox {
            layer: Some(layer.id.clone()),
            person: person.map(|index| self.facts.people[index].name.to_owned()),
            rotate: layer.rotate,
            hidden,
            ..LayerBox::new(area)
        }
    }

    fn person(&self, index: usize, area: Area) -> LayerBox {
        let person = &self.facts.people[index];
        LayerBox {
            person: Some(person.name.to_owned()),
            hidden: person.size.is_none().then_some(WhyHidden::NoPicture),
            ..LayerBox::new(area)
        }
    }

    fn area(&self, layer: &SceneLayer) -> Area {
        area(layer, &self.scene.canvas, self.region(layer))
    }

    /// Returns what is shown of a layer's source, or will be; `None` for a colour.
    fn region(&self, layer: &SceneLayer) -> Option<Area> {
        let size = match content(layer, self.scene, self.facts, &self.seating) {
            Ok((_, size)) => size?,
            Err(_) => guess(layer),
        };
        let whole = Area::whole(size);
        Some(whole.without(&layer.crop).unwrap_or(whole))
    }

    /// Returns where a layer is whose keypoint is in the middle of the one that it follows: where it truly is, only the
    /// frames say.
    fn follower(&self, layer: &SceneLayer, follow: &Follow) -> Area {
        let canvas = Area::whole((self.scene.canvas.width, self.scene.canvas.height));
        let followed = self.scene.layers.iter().find(|other| other.id == follow.layer && other.follow.is_none());
        let place = followed.map_or(canvas, |followed| self.area(followed));
        let (width, height) = match (follow.scale, self.region(layer)) {
            (Some(scale), Some(region)) => {
                let (across, down) = (place.width / canvas.width, place.height / canvas.height);
                (region.width * scale * across, region.height * scale * down)
            }
            _ => {
                let own = self.area(layer);
                (own.width, own.height)
            }
        };
        let (ax, ay) = follow.anchor.point();
        let (x, y) = (place.x + place.width / 2.0 + follow.dx, place.y + place.height / 2.0 + follow.dy);
        Area { x: x - width * ax, y: y - height * ay, width, height }
    }
}

/// Returns a size for a source that is not there, so that its layer has a box which can be grabbed.
fn guess(layer: &SceneLayer) -> (u32, u32) {
    let Source::Text(text) = &layer.source else { return USUAL };
    let lines = || text.text.split('\n');
    let longest = lines().map(|line| line.chars().count()).max().unwrap_or_default().max(1);
    let side = |length: f64| (length * text.size + 2.0 * text.padding).ceil().max(1.0) as u32;
    (side(longest as f64 * LETTER), side(lines().count() as f64 * text.line_height))
}

#[cfg(test)]
mod tests;
