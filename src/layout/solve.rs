//! From a scene and the people who are there to rectangles in pixels.

use super::{
    auto,
    cut::Cut,
    geometry::{Area, Crop, Rect, fit},
    scene::{Canvas, Scene, SceneLayer, Size, Source},
};

/// Someone who may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person<'a> {
    /// Unique in the room; what `{"participant": …}` refers to.
    pub name: &'a str,
    /// Width and height of their picture in pixels; `None` while there is none. They keep their slot, tile or place
    /// side by side then, but nothing is shown there.
    pub size: Option<(u32, u32)>,
}

/// What a scene is solved for.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Everybody who may be shown, in order of joining.
    pub people: &'a [Person<'a>],
    /// Width and height of an image asset in pixels; `None` for one that is not there, which shows nothing.
    pub image_size: &'a dyn Fn(&str) -> Option<(u32, u32)>,
    /// Whether people can be cut out. If not, whole pictures are shown.
    pub can_cut: bool,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// What.
    pub source: Placed,
    /// Where. It touches the canvas, and may reach beyond it.
    pub dst: Rect,
    /// What of it, in source pixels, before mirroring; all zero for a colour.
    pub src: Crop,
    /// Left and right exchanged.
    pub mirror: bool,
    /// Greater than 0.0, up to 1.0.
    pub opacity: f32,
    /// What is kept of a person's picture; `None`: all of it, always so when [`Facts::can_cut`] is false.
    pub cut: Option<Cut>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Placed {
    /// The person at this index of [`Facts::people`].
    Person(usize),
    /// The asset of this name.
    Image(String),
    /// Red, green, blue.
    Color([u8; 3]),
}

/// Where everything is, back to front; the background is not among it. What cannot be seen (absent people, empty
/// slots, missing images, opacity 0, wholly off the canvas, less than a pixel) is left out.
///
/// Layers are drawn by `z`, equal ones in the order they are listed. The people placed by `auto` are at z 0, nearer
/// than all layers of z 0 or less.
pub fn solve(scene: &Scene, facts: &Facts) -> Vec<Placement> {
    let seating = Seating::of(scene, facts.people);
    let mut layers: Vec<&SceneLayer> = scene.layers.iter().collect();
    layers.sort_by_key(|layer| layer.z); // stable: equal ones stay in the order they are listed
    let (back, front) = layers.split_at(layers.partition_point(|layer| layer.z <= 0));
    let place = |layer: &&SceneLayer| place(layer, scene, facts, &seating);

    let mut placements: Vec<Placement> = back.iter().filter_map(place).collect();
    placements.extend(auto::place(scene, facts, &seating.waiting));
    placements.extend(front.iter().filter_map(place));
    placements.retain(|placement| placement.dst.touches(scene.canvas.width, scene.canvas.height));
    placements
}

/// Who sits where: indices into [`Facts::people`], each list in order of joining.
struct Seating {
    /// Whom no layer names; `Slot(n)` is the n-th of them.
    unnamed: Vec<usize>,
    /// Those of them whom no slot takes either: they are for `auto`.
    waiting: Vec<usize>,
}

impl Seating {
    fn of(scene: &Scene, people: &[Person]) -> Self {
        let sources = || scene.layers.iter().map(|layer| &layer.source);
        let named = |name: &str| sources().any(|source| matches!(source, Source::Participant(n) if n == name));
        let unnamed: Vec<usize> = (0..people.len()).filter(|&index| !named(people[index].name)).collect();
        let taken = |number: usize| sources().any(|source| matches!(source, Source::Slot(n) if *n as usize == number));
        let waiting = (1..).zip(&unnamed).filter(|(number, _)| !taken(*number)).map(|(_, index)| *index).collect();
        Self { unnamed, waiting }
    }

    fn slot(&self, number: u32) -> Option<usize> {
        self.unnamed.get((number as usize).checked_sub(1)?).copied()
    }
}

fn place(layer: &SceneLayer, scene: &Scene, facts: &Facts, seating: &Seating) -> Option<Placement> {
    let opacity = layer.opacity as f32;
    if opacity <= 0.0 {
        return None;
    }
    let (source, size) = match &layer.source {
        Source::Participant(name) => {
            let index = facts.people.iter().position(|person| person.name == name)?;
            (Placed::Person(index), Some(facts.people[index].size?))
        }
        Source::Slot(number) => {
            let index = seating.slot(*number)?;
            (Placed::Person(index), Some(facts.people[index].size?))
        }
        Source::Image(name) => (Placed::Image(name.clone()), Some((facts.image_size)(name)?)),
        Source::Color(color) => (Placed::Color(*color), None),
    };
    let (dst, src) = match size {
        Some(size) => {
            let region = Area::whole(size).without(&layer.crop)?;
            fit(region, area(layer, &scene.canvas, Some(region.aspect())), layer.fit)?
        }
        None => (area(layer, &scene.canvas, None).rounded()?, Crop::default()),
    };
    let can_cut = facts.can_cut && matches!(source, Placed::Person(_));
    let cut = can_cut.then(|| Cut::of(layer.cutout, layer.cut_options)).flatten();
    Some(Placement { source, dst, src, mirror: layer.mirror, opacity, cut })
}

/// The layer's rectangle. `aspect` is that of what is shown of the source; a colour has none, and is as wide or high as
/// the canvas where nothing else is said.
fn area(layer: &SceneLayer, canvas: &Canvas, aspect: Option<f64>) -> Area {
    let (across, down) = (f64::from(canvas.width), f64::from(canvas.height));
    let (width, height) = match layer.size {
        Size::Canvas => (across, down),
        Size::Scale(scale) => (across * scale.factor(), down * scale.factor()),
        Size::Both { width, height } => (width.of(across), height.of(down)),
        Size::Width(width) => {
            let width = width.of(across);
            (width, aspect.map_or(down, |aspect| width / aspect))
        }
        Size::Height(height) => {
            let height = height.of(down);
            (aspect.map_or(across, |aspect| height * aspect), height)
        }
    };
    let (ax, ay) = layer.anchor.point();
    let x = layer.x.map_or(across * ax, |x| x.of(across));
    let y = layer.y.map_or(down * ay, |y| y.of(down));
    Area { x: x - width * ax, y: y - height * ay, width, height }
}

#[cfg(test)]
#[path = "solve_tests.rs"]
mod tests;
