//! From a scene and the people who are there to rectangles in pixels.
//!
//! * `placement`: what is asked and what comes out.
//! * `geometry`: rectangles, and how a source is fitted into one.
//! * `auto`, `spotlight`, `tiles`: places for the people whom no layer takes.
//! * `motion`: from one solved layout to the next.

mod auto;
pub mod geometry;
pub mod motion;
mod placement;
mod spotlight;
mod tiles;

use self::geometry::{Area, Crop, Rect, fit};
pub use self::placement::{Facts, Following, Key, Look, Person, Placed, Placement, clip_picture};
use super::{
    cut::{Cut, Lost},
    lettering::Lettering,
    scene::{Canvas, Scene, SceneLayer, Source},
    values::Size,
};

/// Returns where everything is, back to front; the background is not among it. What cannot be seen (absent people,
/// empty slots, missing images, opacity 0, wholly off the canvas, less than a pixel) is left out.
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
    placements.retain(|placement| placement.touches(scene.canvas.width, scene.canvas.height));
    placements
}

/// The seats of people: indices into [`Facts::people`], each list in order of joining.
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
    let person = match &layer.source {
        Source::Participant(name) => facts.people.iter().position(|person| person.name == name),
        Source::Slot(number) => seating.slot(*number),
        _ => None,
    };
    let seen = person.and_then(|index| Some((Placed::Person(index), Some(facts.people[index].size?))));
    let image = |name: &String| Some((Placed::Image(name.clone()), Some((facts.image_size)(name)?)));
    let (source, size) = match &layer.source {
        Source::Participant(_) | Source::Slot(_) => seen.or_else(|| layer.fallback.as_ref().and_then(image))?,
        Source::Image(name) => image(name)?,
        Source::Images(images) => (Placed::Images(images.clone()), Some((facts.image_size)(images.names.first()?)?)),
        Source::Color(color) => (Placed::Color(*color), None),
        Source::Text(_) => image(&Lettering::of(layer, &scene.canvas)?.name())?,
        Source::Video(name) => {
            let name = clip_picture(name);
            let size = (facts.image_size)(&name)?;
            (Placed::Clip(name), Some(size))
        }
    };
    let region = match size {
        Some(size) => Some(Area::whole(size).without(&layer.crop)?),
        None => None,
    };
    // What goes along with somebody, or was written, has its source's size.
    let is_text = matches!(layer.source, Source::Text(_));
    let natural = (is_text || layer.follow.is_some()) && layer.size == Size::Canvas;
    let area = area(layer, &scene.canvas, region, natural);
    let (dst, src) = match region {
        Some(region) => fit(region, area, layer.fit)?,
        None => (area.rounded()?, Crop::default()),
    };
    let can_cut = facts.can_cut && matches!(source, Placed::Person(_));
    let cut = can_cut.then(|| Cut::of(layer.cutout, layer.cut_options)).flatten();
    Some(Placement {
        key: Key::Layer(layer.id.clone()),
        source,
        dst,
        src,
        mirror: layer.mirror,
        opacity,
        cut,
        look: look(layer, dst, cut.is_some()),
        following: layer.follow.as_ref().map(|follow| Following {
            layer: follow.layer.clone(),
            keypoint: follow.keypoint,
            anchor: {
                let (x, y) = follow.anchor.point();
                (x as f32, y as f32)
            },
            offset: (follow.dx as f32, follow.dy as f32),
            scale: follow.scale.map(|scale| scale as f32),
        }),
        transition: layer.transition.unwrap_or(scene.transition),
    })
}

fn look(layer: &SceneLayer, dst: Rect, is_cut: bool) -> Look {
    // All parts are named, so that one that is added is thought of here, or above.
    let SceneLayer {
        radius,
        border,
        rotate,
        blur,
        lost,
        id: _,
        source: _,
        x: _,
        y: _,
        size: _,
        anchor: _,
        fit: _,
        crop: _,
        z: _,
        opacity: _,
        mirror: _,
        cutout: _,
        cut_options: _,
        fallback: _,
        follow: _,
        transition: _,
    } = layer;
    let shorter = f64::from(dst.width.min(dst.height));
    Look {
        radius: radius.of(shorter).min(shorter / 2.0) as f32,
        border: border.map(|border| (border.width as f32, border.color)),
        // Whole turns change nothing.
        turn: (rotate % 360.0) as f32,
        blur: blur.filter(|_| is_cut).map(|blur| blur as f32),
        lost: if is_cut { *lost } else { Lost::Hide },
    }
}

/// Returns the layer's rectangle. `region` is what is shown of the source; a colour has none, and is as wide or high as
/// the canvas where nothing else is said. `natural`: that region's own size is the layer's.
fn area(layer: &SceneLayer, canvas: &Canvas, region: Option<Area>, natural: bool) -> Area {
    let (across, down) = (f64::from(canvas.width), f64::from(canvas.height));
    let aspect = region.map(|region| region.aspect());
    let (width, height) = match layer.size {
        Size::Canvas if natural => region.map_or((across, down), |region| (region.width, region.height)),
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
mod tests;
