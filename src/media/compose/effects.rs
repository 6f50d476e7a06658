//! Drawings of triggers over the whole picture: twirls, icons, polaroids, and the pictures that they take. PURE.
//!
//! Everything is drawn after all layers, in the order of the triggers and of their actions.

use std::{sync::Arc, time::Duration};

use super::{
    canvas::{Geometry, LayerBlender},
    follow::on_canvas,
    planes::{I420, PlanesMut, copy},
    still::Still,
    trigger::Standings,
    twirl::Twirler,
};
use crate::{
    layout::{
        Placed, Placement, Trigger,
        trigger::{Action, Area, Icons, Polaroid, Twirl},
    },
    media::port::Pose,
};

/// A picture that a trigger took.
#[derive(Debug)]
pub struct Photo {
    /// The trigger's id.
    pub trigger: Arc<str>,
    /// The canvas at that moment.
    pub picture: I420,
    /// The sound asset that is played with it.
    pub sound: Option<String>,
}

/// The view that effects have of a frame.
pub struct View<'v> {
    /// State of the triggers.
    pub standings: &'v Standings,
    /// The placements that are shown.
    pub placements: &'v [Placement],
    /// Images by name.
    pub image: &'v dyn Fn(&str) -> Option<&'v Still>,
    /// A person's surest pose and the size of the frame that it was found in.
    pub pose: &'v dyn Fn(usize) -> Option<(Pose, (u32, u32))>,
    /// Running time.
    pub now: Duration,
}

/// One effect and what it keeps from frame to frame.
enum Effect {
    Twirl(Twirl, Twirler),
    Icons(Icons, Vec<LayerBlender>),
    Polaroid(Polaroid, Box<LayerBlender>, Option<Course>),
    /// A picture whenever the trigger fires.
    Snapshot(Area),
}

/// The course of a polaroid.
#[derive(Debug, Clone, Copy)]
struct Course {
    due: Duration,
    /// Of its middle, in shares of its area.
    place: (f64, f64),
    count: u64,
}

/// One effect of a layout.
struct Listed {
    /// The index and the id of its trigger.
    trigger: usize,
    id: Arc<str>,
    effect: Effect,
    /// Since when it lasts: its animations begin with it.
    begun: Option<Duration>,
}

/// All effects of a layout.
#[derive(Default)]
pub struct Effects {
    list: Vec<Listed>,
}

impl Effects {
    /// Returns those of these triggers.
    pub fn new(triggers: &[Trigger]) -> Self {
        let mut list = Vec::new();
        for (index, trigger) in triggers.iter().enumerate() {
            let id: Arc<str> = trigger.id.as_str().into();
            for action in &trigger.actions {
                let effect = match action {
                    Action::Twirl(action) => Effect::Twirl(action.twirl, Twirler::default()),
                    Action::Icons(action) => Effect::Icons(action.icons.clone(), Vec::new()),
                    Action::Polaroid(action) => Effect::Polaroid(action.polaroid.clone(), Box::default(), None),
                    Action::Snapshot(action) => Effect::Snapshot(action.snapshot.area),
                    _ => continue,
                };
                list.push(Listed { trigger: index, id: id.clone(), effect, begun: None });
            }
        }
        Self { list }
    }

    /// Returns whether there is nothing to draw, whatever happens.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Draws what lasts now. Pictures that are taken are added to `photos`.
    pub fn draw(&mut self, canvas: &mut PlanesMut<'_>, view: &View<'_>, photos: &mut Vec<Photo>) {
        for Listed { trigger, id, effect, begun } in &mut self.list {
            if !view.standings.holds(*trigger) {
                *begun = None;
                continue;
            }
            let since = view.now.saturating_sub(*begun.get_or_insert(view.now));
            match effect {
                Effect::Twirl(twirl, twirler) => {
                    let Some((_, mut window)) = window(canvas, &twirl.area) else { continue };
                    twirler.draw(&mut window, angle_at(twirl, view.now));
                }
                Effect::Icons(icons, blenders) => draw_icons(canvas, icons, blenders, view, since),
                Effect::Polaroid(polaroid, blender, course) => {
                    let picture = draw_polaroid(canvas, polaroid, blender, course, view, since);
                    let photo = |picture| Photo { trigger: id.clone(), picture, sound: polaroid.sound.clone() };
                    photos.extend(picture.map(photo));
                }
                Effect::Snapshot(area) => {
                    if view.standings.firings().iter().any(|firing| firing.trigger == *trigger) {
                        let Some((_, window)) = window(canvas, area) else { continue };
                        photos.push(Photo { trigger: id.clone(), picture: copied(&window), sound: None });
                    }
                }
            }
        }
    }
}

/// Returns the angle of a twirl's middle, in radians.
fn angle_at(twirl: &Twirl, now: Duration) -> f32 {
    let turns = now.as_secs_f64() * 1e3 / twirl.period_ms;
    ((turns.fract() * std::f64::consts::TAU).sin() * twirl.angle.to_radians()) as f32
}

/// Returns the part of a canvas that an area covers, and its top left corner, which is even; `None` where hardly
/// anything is left.
fn window<'c>(canvas: &'c mut PlanesMut<'_>, area: &Area) -> Option<((i32, i32), PlanesMut<'c>)> {
    let edges = area.edges((canvas.width as f64, canvas.height as f64));
    let even = |edge: f64, most: usize| (edge.round().clamp(0.0, most as f64) as usize) & !1;
    let [left, top] = [even(edges[0], canvas.width), even(edges[1], canvas.height)];
    let [right, bottom] = [even(edges[2], canvas.width), even(edges[3], canvas.height)];
    if right < left + 4 || bottom < top + 4 {
        return None;
    }
    let (luma, u, v) = (canvas.y_stride, canvas.u_stride, canvas.v_stride);
    let planes = PlanesMut {
        width: right - left,
        height: bottom - top,
        y: canvas.y.get_mut(top * luma + left..)?,
        y_stride: luma,
        u: canvas.u.get_mut(top / 2 * u + left / 2..)?,
        u_stride: u,
        v: canvas.v.get_mut(top / 2 * v + left / 2..)?,
        v_stride: v,
    };
    Some(((left as i32, top as i32), planes))
}

fn copied(window: &PlanesMut<'_>) -> I420 {
    let mut picture = I420::new(window.width, window.height, false);
    copy(&mut picture.planes_mut(), &window.as_planes());
    picture
}

fn draw_icons(
    canvas: &mut PlanesMut<'_>,
    icons: &Icons,
    blenders: &mut Vec<LayerBlender>,
    view: &View<'_>,
    since: Duration,
) {
    let Some(((left, top), mut window)) = window(canvas, &icons.area) else { return };
    let turn = view.now.as_millis() as u64 / u64::from(icons.shuffle_ms.max(1));
    let placed = |person: usize| view.placements.iter().find(|one| one.source == Placed::Person(person));
    let last = view.placements.iter().filter_map(|one| match one.source {
        Placed::Person(person) => Some(person),
        _ => None,
    });
    // In order of joining, whatever is in front of what.
    let people = (0..=last.max().unwrap_or(0)).filter_map(placed);
    for (number, placement) in people.enumerate().take(icons.image.len()) {
        let Some((x, y)) = on_canvas(placement, icons.keypoint, view.pose) else { continue };
        let Some(still) = (view.image)(&icons.image[shuffled(number, icons.image.len(), turn)]) else { continue };
        let (width, height) = still.size();
        let shown = (icons.width, icons.width * f64::from(height) / f64::from(width.max(1)));
        let middle = (f64::from(x) + icons.dx, f64::from(y) + icons.dy);
        if blenders.len() <= number {
            blenders.resize_with(number + 1, LayerBlender::new);
        }
        let at = (middle.0 - shown.0 / 2.0 - f64::from(left), middle.1 - shown.1 / 2.0 - f64::from(top));
        draw_still(&mut window, &mut blenders[number], still, at, shown, since);
    }
}

/// Draws the polaroid, or takes the picture in it when its time is over.
fn draw_polaroid(
    canvas: &mut PlanesMut<'_>,
    polaroid: &Polaroid,
    blender: &mut LayerBlender,
    course: &mut Option<Course>,
    view: &View<'_>,
    since: Duration,
) -> Option<I420> {
    let ((left, top), mut area) = window(canvas, &polaroid.area)?;
    let every = Duration::from_millis(polaroid.every_ms.into());
    let begun = course.get_or_insert_with(|| Course { due: view.now + every, place: wander(0), count: 0 });
    let size = (area.width as f64, area.height as f64);
    let middle = (begun.place.0 * size.0, begun.place.1 * size.1);
    if view.now < begun.due {
        let still = (view.image)(&polaroid.image)?;
        let shown = (polaroid.width, polaroid.height);
        let at = (middle.0 - shown.0 / 2.0, middle.1 - shown.1 / 2.0);
        draw_still(&mut area, blender, still, at, shown, since);
        return None;
    }
    let count = begun.count + 1;
    *begun = Course { due: view.now + every, place: wander(count), count };
    let edge = |middle: f64, side: f64, origin: i32| {
        let from = middle - side / 2.0 + f64::from(origin);
        (crate::layout::Length::Number(from), crate::layout::Length::Number(from + side))
    };
    let (from_x, to_x) = edge(middle.0, polaroid.photo_width, left);
    let (from_y, to_y) = edge(middle.1, polaroid.photo_height, top);
    let (_, photo) = window(canvas, &Area { left: from_x, top: from_y, right: to_x, bottom: to_y })?;
    Some(copied(&photo))
}

fn draw_still(
    window: &mut PlanesMut<'_>,
    blender: &mut LayerBlender,
    still: &Still,
    at: (f64, f64),
    size: (f64, f64),
    since: Duration,
) {
    let (width, height) = still.size();
    let geometry = Geometry {
        dst_x: at.0.round() as i32,
        dst_y: at.1.round() as i32,
        dst_width: size.0.round().max(1.0) as i32,
        dst_height: size.1.round().max(1.0) as i32,
        ..Geometry::whole_at(0, 0, width as usize, height as usize)
    };
    let (picture, geometry) = still.at(since, geometry);
    blender.blend(window, &picture.planes(), &geometry, 255, true);
}

/// Returns the `index`-th of `count` things in the order of this turn.
fn shuffled(index: usize, count: usize, turn: u64) -> usize {
    let mut order: [u8; crate::layout::limits::IMAGES] = std::array::from_fn(|place| place as u8);
    let count = count.min(order.len());
    for place in (1..count).rev() {
        let other = chance(turn.wrapping_mul(127).wrapping_add(place as u64)) % (place as u64 + 1);
        order.swap(place, other as usize);
    }
    order.get(index).map_or(0, |place| usize::from(*place))
}

/// Returns the middle of the `count`-th polaroid, in shares of its area: as far from its middle as the old application
/// had it.
fn wander(count: u64) -> (f64, f64) {
    let share = |seed: u64| chance(seed) as f64 / u64::MAX as f64 * 2.0 - 1.0;
    (0.5 + share(2 * count) * 3.0 / 16.0, 0.5 + share(2 * count + 1) / 6.0)
}

/// Returns well mixed bits of a number: SplitMix64 (Steele, Lea, Flood 2014).
fn chance(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twirl_goes_to_and_fro() {
        let twirl = Twirl { angle: 90.0, period_ms: 2000.0, area: Area::WHOLE };
        let at = |ms: u64| angle_at(&twirl, Duration::from_millis(ms)).to_degrees();
        for (ms, degrees) in [(0, 0.0), (500, 90.0), (1000, 0.0), (1500, -90.0), (2500, 90.0), (100_500, 90.0)] {
            assert!((at(ms) - degrees).abs() < 0.01, "{ms}: {}", at(ms));
        }
    }

    #[test]
    fn every_turn_is_an_order_of_all_and_turns_differ() {
        let order = |turn: u64| (0..4).map(|index| shuffled(index, 4, turn)).collect::<Vec<_>>();
        let mut orders: Vec<Vec<usize>> = (0..200).map(order).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        orders.sort();
        orders.dedup();
        assert!(orders.len() > 20, "{}", orders.len());
        assert_eq!(shuffled(0, 1, 7), 0);
    }

    #[test]
    fn a_polaroid_stays_about_the_middle() {
        let places: Vec<(f64, f64)> = (0..500).map(wander).collect();
        assert!(places.iter().all(|(x, y)| (x - 0.5).abs() <= 0.1875 && (y - 0.5).abs() <= 1.0 / 6.0));
        assert!(places.iter().any(|(x, _)| *x < 0.35) && places.iter().any(|(x, _)| *x > 0.65));
    }

    #[test]
    fn a_window_is_part_of_the_canvas() {
        let mut canvas = I420::new(64, 48, false);
        let mut planes = canvas.planes_mut();
        let area = |left: f64, top: f64, right: f64, bottom: f64| {
            let [left, top, right, bottom] = [left, top, right, bottom].map(crate::layout::Length::Number);
            Area { left, top, right, bottom }
        };
        let (at, mut part) = window(&mut planes, &area(9.0, 10.0, 30.0, 500.0)).expect("it is on the canvas");
        assert_eq!((at, part.width, part.height), ((8, 10), 22, 38));
        assert!(part.is_whole());
        part.fill(200, 30, 40);
        assert!(window(&mut planes, &area(-50.0, 0.0, 3.0, 48.0)).is_none());
        let planes = canvas.planes();
        assert_eq!((planes.luma().row(10)[8], planes.luma().row(47)[29]), (200, 200));
        assert_eq!((planes.luma().row(9)[8], planes.luma().row(10)[7], planes.luma().row(10)[30]), (16, 16, 16));
        assert_eq!((planes.chroma()[0].row(5)[4], planes.chroma()[0].row(5)[3]), (30, 128));
    }
}
