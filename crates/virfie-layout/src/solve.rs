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

pub(super) use self::auto::seats;
use self::geometry::{Area, Crop, Rect, fit};
pub use self::placement::{Crawl, Facts, Following, Key, Look, Person, Placed, Placement, WhyHidden, clip_picture};
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
    let (back, front) = pile(scene);
    let place = |layer: &SceneLayer| place(layer, scene, facts, &seating).ok();

    let mut placements: Vec<Placement> = back.into_iter().filter_map(place).collect();
    placements.extend(auto::place(scene, facts, &seating.waiting));
    placements.extend(front.into_iter().filter_map(place));
    placements.retain(|placement| placement.touches(scene.canvas.width, scene.canvas.height));
    placements
}

/// Returns the layers back to front: those behind the people placed by `auto`, and those before them.
pub(super) fn pile(scene: &Scene) -> (Vec<&SceneLayer>, Vec<&SceneLayer>) {
    let mut layers: Vec<&SceneLayer> = scene.layers.iter().collect();
    layers.sort_by_key(|layer| layer.z); // stable: equal ones stay in the order they are listed
    let behind = layers.partition_point(|layer| layer.z <= 0);
    let front = layers.split_off(behind);
    (layers, front)
}

/// The seats of people: indices into [`Facts::people`], each list in order of joining.
pub(super) struct Seating {
    /// People whom no layer names; `Slot(n)` is the n-th of them.
    unnamed: Vec<usize>,
    /// Those of them whom no slot takes either: they are for `auto`.
    pub(super) waiting: Vec<usize>,
}

impl Seating {
    pub(super) fn of(scene: &Scene, people: &[Person]) -> Self {
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

    /// Returns who stands in a layer of this source, seen or not.
    pub(super) fn person(&self, source: &Source, people: &[Person]) -> Option<usize> {
        match source {
            Source::Participant(name) => people.iter().position(|person| person.name == name),
            Source::Slot(number) => self.slot(*number),
            _ => None,
        }
    }
}

/// Returns what a layer shows now, and how large that is; a colour has no size.
pub(super) fn content(
    layer: &SceneLayer,
    scene: &Scene,
    facts: &Facts,
    seating: &Seating,
) -> Result<(Placed, Option<(u32, u32)>), WhyHidden> {
    let size = |name: &str| (facts.image_size)(name).ok_or(WhyHidden::NoAsset);
    let image = |name: String| {
        let size = size(&name)?;
        Ok((Placed::Image(name), Some(size)))
    };
    let seen = || {
        let index = seating.person(&layer.source, facts.people).ok_or(WhyHidden::Nobody)?;
        let size = facts.people[index].size.ok_or(WhyHidden::NoPicture)?;
        Ok((Placed::Person(index), Some(size)))
    };
    match &layer.source {
        Source::Participant(_) | Source::Slot(_) => {
            let fallback = || layer.fallback.clone().and_then(|name| image(name).ok());
            seen().or_else(|why| fallback().ok_or(why))
        }
        Source::Image(name) => image(name.clone()),
        Source::Images(images) => {
            let size = size(images.names.first().map_or("", String::as_str))?;
            Ok((Placed::Images(images.clone()), Some(size)))
        }
        Source::Color(color) => Ok((Placed::Color(*color), None)),
        Source::Text(text) => {
            let name = Lettering::of(layer, &scene.canvas).ok_or(WhyHidden::NoAsset)?.name();
            let Some(crawl) = text.crawl else { return image(name) };
            let size = size(&name)?;
            // `as` saturates; speeds are within limits that fit.
            let speed = (crawl.of(f64::from(scene.canvas.height)) * 1e3).round() as u32;
            Ok((Placed::Crawl(Crawl { name, speed, ground: text.background }), Some(size)))
        }
        Source::Video(name) => {
            let name = clip_picture(name);
            let size = size(&name)?;
            Ok((Placed::Clip(name), Some(size)))
        }
    }
}

/// Returns how a layer is drawn, wherever that is; or why nothing is seen of it.
pub(super) fn place(
    layer: &SceneLayer,
    scene: &Scene,
    facts: &Facts,
    seating: &Seating,
) -> Result<Placement, WhyHidden> {
    let opacity = layer.opacity as f32;
    if opacity <= 0.0 {
        return Err(WhyHidden::Transparent);
    }
    let (source, size) = content(layer, scene, facts, seating)?;
    let region = match size {
        Some(size) => Some(Area::whole(size).without(&layer.crop).ok_or(WhyHidden::Cropped)?),
        None => None,
    };
    let area = area(layer, &scene.canvas, region);
    let fitted = match region {
        Some(region) if matches!(source, Placed::Crawl(_)) => {
            let whole = Crop { x: 0.0, y: 0.0, width: region.width as f32, height: region.height as f32 };
            area.rounded().map(|rect| (rect, whole))
        }
        Some(region) => fit(region, area, layer.fit),
        None => area.rounded().map(|rect| (rect, Crop::default())),
    };
    let (dst, src) = fitted.ok_or(WhyHidden::TooSmall)?;
    let can_cut = facts.can_cut && matches!(source, Placed::Person(_));
    let cut = can_cut.then(|| Cut::of(layer.cutout, layer.cut_options)).flatten();
    Ok(Placement {
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
/// the canvas where nothing else is said.
pub(super) fn area(layer: &SceneLayer, canvas: &Canvas, region: Option<Area>) -> Area {
    let (across, down) = (f64::from(canvas.width), f64::from(canvas.height));
    // What goes along with somebody, or was written, has its source's size.
    let natural = matches!(layer.source, Source::Text(_)) || layer.follow.is_some();
    let aspect = region.map(|region| region.aspect());
    let crawls = matches!(&layer.source, Source::Text(text) if text.crawl.is_some());
    let own_height = || region.map_or(down, |region| region.height);
    let (width, height) = match layer.size {
        Size::Canvas if crawls => (across, own_height()),
        Size::Width(width) if crawls => (width.of(across), own_height()),
        Size::Height(height) if crawls => (across, height.of(down)),
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
