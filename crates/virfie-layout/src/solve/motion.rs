//! From one layout to the next, gradually. PURE.
//!
//! A [`Motion`] keeps what is shown. Placements that stay (by their key) go from where they are at that moment to where
//! they belong, so that a change may come in the middle of another; new ones fade in, those that are gone fade out in
//! their old place. Without a duration everything is at once where it belongs.

use std::time::Duration;

use super::{
    geometry::{Crop, Rect},
    placement::{Key, Look, Placed, Placement},
};
use crate::look::Transition;

/// The values that change little by little.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    dst: [f32; 4],
    src: Crop,
    opacity: f32,
    radius: f32,
    border: f32,
    turn: f32,
}

impl State {
    fn of(placement: &Placement) -> Self {
        // All parts are named, so that whether one moves is said of each; rows of the table that say so are compared.
        let Placement { dst, src, opacity, look, key: _, source: _, mirror: _, cut: _, following: _, transition: _ } =
            placement;
        let Look { radius, border, turn, blur: _, lost: _ } = look;
        let Rect { x, y, width, height } = *dst;
        Self {
            dst: [x as f32, y as f32, width as f32, height as f32],
            src: *src,
            opacity: *opacity,
            radius: *radius,
            border: border.map_or(0.0, |(width, _)| width),
            turn: *turn,
        }
    }

    fn between(&self, to: &Self, share: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * share;
        Self {
            dst: std::array::from_fn(|index| mix(self.dst[index], to.dst[index])),
            src: Crop {
                x: mix(self.src.x, to.src.x),
                y: mix(self.src.y, to.src.y),
                width: mix(self.src.width, to.src.width),
                height: mix(self.src.height, to.src.height),
            },
            opacity: mix(self.opacity, to.opacity),
            radius: mix(self.radius, to.radius),
            border: mix(self.border, to.border),
            turn: mix(self.turn, to.turn),
        }
    }

    fn write(&self, placement: &mut Placement) {
        let Self { dst: [x, y, width, height], src, opacity, radius, border, turn } = *self;
        let [left, top, right, bottom] = [x, y, x + width, y + height].map(|edge| edge.round() as i32);
        placement.dst = Rect { x: left, y: top, width: (right - left).max(1), height: (bottom - top).max(1) };
        placement.src = src;
        placement.opacity = opacity;
        placement.look.radius = radius;
        placement.look.turn = turn;
        if let Some((width, _)) = &mut placement.look.border {
            *width = border;
        }
    }
}

#[derive(Debug)]
struct Course {
    target: Placement,
    /// State that it had when the change began; `None`: it is as it shall be.
    from: Option<State>,
    begun: Duration,
    transition: Transition,
    leaving: bool,
}

impl Course {
    fn share(&self, now: Duration) -> f32 {
        let whole = f64::from(self.transition.duration_ms) / 1e3;
        if whole <= 0.0 {
            return 1.0;
        }
        let time = (now.saturating_sub(self.begun).as_secs_f64() / whole).min(1.0);
        if time >= 1.0 { 1.0 } else { self.transition.easing.at(time) as f32 }
    }

    fn end(&self) -> State {
        let end = State::of(&self.target);
        if self.leaving { State { opacity: 0.0, ..end } } else { end }
    }

    fn state(&self, now: Duration) -> State {
        match &self.from {
            Some(from) => from.between(&self.end(), self.share(now)),
            None => self.end(),
        }
    }
}

/// The picture on its way to where it belongs.
#[derive(Debug, Default)]
pub struct Motion {
    courses: Vec<Course>,
    shown: Vec<Placement>,
    moving: bool,
}

impl Motion {
    /// Notes that people have other indices from now on: `person` gives that of who had this one. Someone who has none,
    /// because nothing is left to be shown, cannot fade out and is gone at once.
    pub fn renumber(&mut self, person: impl Fn(usize) -> Option<usize>) {
        let mut kept = Vec::with_capacity(self.courses.len());
        for (mut course, mut shown) in self.courses.drain(..).zip(self.shown.drain(..)) {
            if let Placed::Person(of) = course.target.source {
                let Some(same) = person(of) else { continue };
                course.target.source = Placed::Person(same);
                shown.source = Placed::Person(same);
            }
            kept.push((course, shown));
        }
        (self.courses, self.shown) = kept.into_iter().unzip();
    }

    /// Shows `targets`, back to front, from `now` on. `leave`: how those that are gone fade out. `reworded`: ids of layers
    /// that are of another size because other words stand there, which do not grow into it.
    pub fn set(&mut self, targets: Vec<Placement>, now: Duration, leave: Transition, reworded: &[String]) {
        let mut before: Vec<Course> = std::mem::take(&mut self.courses);
        let mut courses: Vec<Course> = Vec::with_capacity(targets.len());
        let mut followers: Vec<(usize, Course)> = Vec::new();
        for target in targets {
            let transition = target.transition;
            let known = before.iter().position(|course| course.target.key == target.key);
            let old = known.map(|index| before.remove(index));
            let course = match old {
                // Another change goes on undisturbed where this one says nothing new of the layer.
                Some(old) if !old.leaving && State::of(&old.target) == State::of(&target) => Course { target, ..old },
                // A clock is as wide as what it says now; what else goes on with its layer goes on.
                Some(old) if !old.leaving && is_among(reworded, &target.key) => {
                    Course { from: old.from.map(|from| State { src: target.src, ..from }), target, ..old }
                }
                Some(old) => {
                    let mut from = old.state(now);
                    // Parts of two pictures have nothing between them.
                    if old.target.source != target.source {
                        from.src = target.src;
                    }
                    Course { target, from: Some(from), begun: now, transition, leaving: false }
                }
                None => {
                    let from = State { opacity: 0.0, ..State::of(&target) };
                    Course { target, from: Some(from), begun: now, transition, leaving: false }
                }
            };
            courses.push(course);
        }
        if leave.duration_ms > 0 {
            // Each stays as near to the viewer as it was: above as many of those that stay.
            for (index, mut old) in before.into_iter().enumerate() {
                if !old.leaving {
                    let from = old.state(now);
                    old = Course { from: Some(from), begun: now, transition: leave, leaving: true, target: old.target };
                }
                followers.push((index, old));
            }
        }
        for (index, leaving) in followers {
            courses.insert(index.min(courses.len()), leaving);
        }
        self.courses = courses;
        self.moving = true;
        self.shown = self.courses.iter().map(|course| course.target.clone()).collect();
    }

    /// Returns what is shown at `now`, back to front. Costs nothing while nothing moves.
    pub fn at(&mut self, now: Duration) -> &[Placement] {
        // Followers are placed again in every frame, from where the layout alone has them.
        for (course, shown) in self.courses.iter().zip(&mut self.shown) {
            if course.target.following.is_some() {
                course.state(now).write(shown);
            }
        }
        if self.moving {
            let ended = |course: &Course| course.from.is_some() && course.share(now) >= 1.0;
            if self.courses.iter().any(ended) {
                self.courses.retain(|course| !(course.leaving && ended(course)));
                for course in &mut self.courses {
                    if ended(course) {
                        course.from = None;
                    }
                }
                self.shown.clear();
                self.shown.extend(self.courses.iter().map(|course| course.target.clone()));
            }
            for (course, shown) in self.courses.iter().zip(&mut self.shown) {
                course.state(now).write(shown);
            }
            self.moving = self.courses.iter().any(|course| course.from.is_some());
        }
        &self.shown
    }

    /// Returns what [`Motion::at`] gave last.
    #[inline]
    pub fn shown(&self) -> &[Placement] {
        &self.shown
    }

    /// Returns the same, to be moved along with what it follows.
    #[inline]
    pub fn shown_mut(&mut self) -> &mut [Placement] {
        &mut self.shown
    }

    /// Returns how much is shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Returns whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns where everything belongs, back to front.
    pub fn targets(&self) -> impl Iterator<Item = &Placement> {
        self.courses.iter().filter(|course| !course.leaving).map(|course| &course.target)
    }
}

fn is_among(ids: &[String], key: &Key) -> bool {
    matches!(key, Key::Layer(id) if ids.contains(id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{Canvas, Facts, Person, read, schema::Layer, solve};

    fn placed(layout: serde_json::Value) -> (Vec<Placement>, Transition) {
        let scene = read(&layout, &Canvas::default()).unwrap();
        let facts = Facts { people: &[], image_size: &|_| Some((100, 100)), speakers: &[], can_cut: false };
        (solve(&scene, &facts), scene.transition)
    }

    fn box_at(x: i32, opacity: f64) -> serde_json::Value {
        json!({"id": "a", "source": {"color": "#fff"}, "x": x, "width": 100, "height": 100, "opacity": opacity})
    }

    fn linear(layers: serde_json::Value) -> serde_json::Value {
        json!({"layers": layers, "transition": {"duration_ms": 1000, "easing": "linear"}})
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn set(motion: &mut Motion, layout: serde_json::Value, at: u64) {
        let (targets, leave) = placed(layout);
        motion.set(targets, ms(at), leave, &[]);
    }

    #[test]
    fn without_a_duration_a_change_is_at_once() {
        let mut motion = Motion::default();
        set(&mut motion, json!({"layers": [box_at(0, 1.0)]}), 0);
        assert_eq!(motion.at(ms(0))[0].opacity, 1.0);
        set(&mut motion, json!({"layers": [box_at(500, 1.0)]}), 100);
        assert_eq!(motion.at(ms(100))[0].dst.x, 500);
        set(&mut motion, json!({ "layers": [] }), 200);
        assert!(motion.at(ms(200)).is_empty());
    }

    #[test]
    fn a_change_may_be_interrupted_and_goes_on_from_where_it_is() {
        let mut motion = Motion::default();
        set(&mut motion, json!({"layers": [box_at(0, 1.0)]}), 0);
        motion.at(ms(0));
        set(&mut motion, linear(json!([box_at(1000, 1.0)])), 1000);
        assert_eq!(motion.at(ms(1000))[0].dst.x, 0);
        assert_eq!(motion.at(ms(1250))[0].dst.x, 250);
        set(&mut motion, linear(json!([box_at(50, 1.0)])), 1500);
        assert_eq!(motion.at(ms(1500))[0].dst.x, 500);
        assert_eq!(motion.at(ms(2000))[0].dst.x, 275);
        assert_eq!(motion.at(ms(2500))[0].dst.x, 50);
        assert_eq!(motion.at(ms(9000))[0].dst.x, 50);
    }

    #[test]
    fn what_comes_fades_in_and_what_goes_fades_out_in_its_place() {
        let mut motion = Motion::default();
        set(&mut motion, linear(json!([box_at(7, 0.8)])), 0);
        assert_eq!(motion.at(ms(0))[0].opacity, 0.0);
        assert!((motion.at(ms(500))[0].opacity - 0.4).abs() < 1e-6);
        assert!((motion.at(ms(1500))[0].opacity - 0.8).abs() < 1e-6);
        set(&mut motion, linear(json!([])), 2000);
        let shown = motion.at(ms(2250));
        assert_eq!((shown.len(), shown[0].dst.x), (1, 7));
        assert!((shown[0].opacity - 0.6).abs() < 1e-6);
        assert!(motion.at(ms(3000)).is_empty());
        assert_eq!(motion.targets().count(), 0);
    }

    #[test]
    fn other_words_are_as_large_as_they_are_at_once() {
        let text = |x: i32| linear(json!([{"id": "a", "source": {"text": "9"}, "x": x}]));
        let solved = |layout: serde_json::Value, width: u32| {
            let scene = read(&layout, &Canvas::default()).unwrap();
            let facts = Facts { people: &[], image_size: &move |_| Some((width, 40)), speakers: &[], can_cut: false };
            (solve(&scene, &facts), scene.transition)
        };
        let mut motion = Motion::default();
        let set = |motion: &mut Motion, x: i32, width: u32, at: u64, reworded: &[String]| {
            let (targets, leave) = solved(text(x), width);
            motion.set(targets, ms(at), leave, reworded);
            let shown = motion.at(ms(at))[0].clone();
            (shown.dst.x, shown.dst.width, shown.src.width as i32)
        };
        let id = ["a".to_owned()];
        set(&mut motion, 0, 20, 0, &[]);
        motion.at(ms(1000));
        assert_eq!(set(&mut motion, 0, 60, 2000, &id), (0, 60, 60));
        // On its way it goes on.
        assert_eq!(set(&mut motion, 1000, 60, 3000, &[]), (0, 60, 60));
        assert_eq!(set(&mut motion, 1000, 80, 3500, &id), (500, 70, 80));
        assert_eq!(motion.at(ms(4000))[0].dst.x, 1000);
    }

    /// Returns two values of a key of a layer; `null` leaves it out. Most are seen on a person who is cut out.
    fn two_values(key: &str) -> [serde_json::Value; 2] {
        let two = |from: serde_json::Value, to: serde_json::Value| [from, to];
        match key {
            "x" | "y" => two(json!(0), json!(100)),
            "width" | "height" => two(json!(100), json!(200)),
            "scale" => two(json!(0.1), json!(0.5)),
            "anchor" => two(json!("top-left"), json!("right")),
            "fit" => two(json!("contain"), json!("cover")),
            "crop" => two(json!({}), json!({"left": "50%", "top": "10%"})),
            "z" => two(json!(0), json!(5)),
            "opacity" => two(json!(0.2), json!(1)),
            "mirror" => two(json!(false), json!(true)),
            "cutout" => two(json!("person"), json!(["left_hand"])),
            "threshold" | "feather" | "smoothing" => two(json!(0.1), json!(0.9)),
            "model" => two(json!("a"), json!("b")),
            "lost" => two(json!("whole"), json!("blur")),
            "rotate" => two(json!(0), json!(90)),
            "radius" => two(json!(0), json!("50%")),
            "border" => two(json!({"width": 2}), json!({"width": 20})),
            "background" => two(json!(null), json!({"blur": 12})),
            "fallback" => two(json!("a.png"), json!("b.png")),
            "follow" => {
                let follow = |dx: u32| json!({"layer": "b", "keypoint": "nose", "dx": dx});
                two(follow(0), follow(100))
            }
            "transition" => two(json!({"duration_ms": 10}), json!({"duration_ms": 90})),
            _ => panic!("give two values of {key}, and this test says whether it moves"),
        }
    }

    #[test]
    fn the_table_says_what_moves() {
        let people = [Person { name: "ann", size: Some((1000, 500)) }, Person { name: "bob", size: Some((100, 100)) }];
        let placed = |layer: &serde_json::Value| {
            let layout = json!({"layers": [layer, {"id": "b", "source": {"slot": 2}}], "auto": {"mode": "off"}});
            let scene = read(&layout, &Canvas::default()).unwrap();
            let facts = Facts { people: &people, image_size: &|_| Some((100, 100)), speakers: &[], can_cut: true };
            solve(&scene, &facts).into_iter().find(|one| one.key == Key::Layer("a".into())).unwrap()
        };
        // Another id is another layer, and parts of two pictures have nothing between them.
        for row in Layer::ROWS.iter().filter(|row| !["id", "source"].contains(&row.key)) {
            let states = two_values(row.key).map(|value| {
                let mut layer =
                    json!({"id": "a", "source": {"slot": 1}, "width": 120, "height": 80, "cutout": "person"});
                if row.key == "scale" {
                    layer = json!({"id": "a", "source": {"slot": 1}});
                }
                layer[row.key] = value;
                let layer = crate::merge(&json!({}), &layer);
                State::of(&placed(&layer))
            });
            assert_eq!(states[0] != states[1], row.moves, "{}: {states:?}", row.key);
        }
    }

    #[test]
    fn a_change_that_says_nothing_new_of_a_layer_does_not_hold_it_up() {
        let mut motion = Motion::default();
        set(&mut motion, json!({"layers": [box_at(0, 1.0)]}), 0);
        set(&mut motion, linear(json!([box_at(1000, 1.0)])), 0);
        for at in (0..=900).step_by(100) {
            set(&mut motion, linear(json!([box_at(1000, 1.0), {"id": "b", "source": {"color": "#000"}}])), at);
            motion.at(ms(at));
        }
        assert_eq!(motion.at(ms(1000))[0].dst.x, 1000);
    }
}
