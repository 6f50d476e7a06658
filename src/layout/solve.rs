//! From a scene and the people who are there to rectangles in pixels.

use super::{
    auto,
    cut::Cut,
    geometry::{Area, Crop, Rect, fit},
    look::{KeypointName, Transition},
    scene::{Canvas, Images, Scene, SceneLayer, Size, Source},
    text::Lettering,
};

/// Someone who may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person<'a> {
    /// Unique in the room; what `{"participant": …}` refers to.
    pub name: &'a str,
    /// Width and height of their picture in pixels; `None` while they have none. They keep their slot, tile or place
    /// side by side then, but nothing is shown there.
    pub size: Option<(u32, u32)>,
}

/// The facts that a scene is solved for.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Everybody who may be shown, in order of joining.
    pub people: &'a [Person<'a>],
    /// Of them: who spoke, the last one first.
    pub speakers: &'a [usize],
    /// Width and height of an image asset, of a text's picture ([`Lettering::name`]), or of a clip's
    /// ([`clip_picture`]), in pixels; `None` for one that is not there, which shows nothing.
    pub image_size: &'a dyn Fn(&str) -> Option<(u32, u32)>,
    /// Whether people can be cut out. If not, whole pictures are shown.
    pub can_cut: bool,
}

/// The identity of a placement from one layout to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The layer of this id.
    Layer(String),
    /// The person of this name, placed by `auto`.
    Auto(String),
}

/// The look of a placement beyond its rectangle. The default: as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// Of the corners, in canvas pixels, at most half the shorter side.
    pub radius: f32,
    /// Along the inside of the edge: canvas pixels, and red, green, blue.
    pub border: Option<(f32, [u8; 3])>,
    /// Degrees, clockwise, about the middle.
    pub turn: f32,
    /// Canvas pixels by which the person's whole picture is blurred behind what is cut out.
    pub blur: Option<f32>,
}

/// The thing that a placement goes along with; its rectangle's place is found with every frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    /// The id of the layer that shows the person.
    pub layer: String,
    /// Which point of that person.
    pub keypoint: KeypointName,
    /// The point of the placement's rectangle that is on the keypoint, of 1x1.
    pub anchor: (f32, f32),
    /// Right of the keypoint and below it, in canvas pixels.
    pub offset: (f32, f32),
    /// Of the source's own size, times the share of the canvas that the followed layer takes; `None`: the rectangle has
    /// its size already.
    pub scale: Option<f32>,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Which one.
    pub key: Key,
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
    /// How it looks.
    pub look: Look,
    /// What it goes along with.
    pub following: Option<Following>,
    /// How it changes.
    pub transition: Transition,
}

impl Placement {
    /// Returns whether any of it may be on a canvas of this size, however it is turned.
    pub fn touches(&self, width: u32, height: u32) -> bool {
        if self.following.is_some() {
            return true;
        }
        if self.look.turn == 0.0 {
            return self.dst.touches(width, height);
        }
        // Turned, it stays within the circle around its corners.
        let (across, down) = (f64::from(self.dst.width), f64::from(self.dst.height));
        let more = |side: f64| ((across.hypot(down) - side) / 2.0).ceil() as i32;
        let (x, y) = (more(across), more(down));
        let around = Rect {
            x: self.dst.x - x,
            y: self.dst.y - y,
            width: self.dst.width + 2 * x,
            height: self.dst.height + 2 * y,
        };
        around.touches(width, height)
    }
}

/// The layers that are drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// The person at this index of [`Facts::people`].
    Person(usize),
    /// The asset of this name, or the picture of a text.
    Image(String),
    /// Assets by turns; `src` is of the first.
    Images(Images),
    /// The clip whose first picture has this name ([`clip_picture`]).
    Clip(String),
    /// Red, green, blue.
    Color([u8; 3]),
}

/// Returns the name of a clip's first picture: no asset's.
pub fn clip_picture(asset: &str) -> String {
    format!("video:{asset}")
}

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
    let shorter = f64::from(dst.width.min(dst.height));
    Look {
        radius: layer.radius.of(shorter).min(shorter / 2.0) as f32,
        border: layer.border.map(|border| (border.width as f32, border.color)),
        // Whole turns change nothing.
        turn: (layer.rotate % 360.0) as f32,
        blur: layer.blur.filter(|_| is_cut).map(|blur| blur as f32),
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
#[path = "solve_tests.rs"]
mod tests;
