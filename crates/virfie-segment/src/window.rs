//! PURE: which part of the picture the network sees: all of it, or a window that follows people who are small in it.
//!
//! ```text
//!             somebody small is found              now and then, the whole picture
//!    whole ──────────────────────────────► window ◄───────────────────────────────────► glance
//!      ▲                                      │    nobody else is there                    │
//!      └──────────────────────────────────────┴─────────────────────────── somebody else ──┘
//!        nobody is found, or they touch its edge
//! ```
//! The network's input has as many pixels either way, so a window costs what the whole picture costs, and shows the
//! same people larger. A window has the picture's aspect, and at least as many pixels as the input: it would show no
//! more otherwise.

/// Width and height in pixels.
type Size = (usize, usize);

/// Sides of windows as shares of the picture's, from the smallest.
const SCALES: [f32; 3] = [1.0 / 3.0, 0.5, 2.0 / 3.0];
/// Room on each side of people when a window is chosen, as a share of their own width and height: arms are stretched
/// out faster than the next second comes.
const ROOM: f32 = 0.15;
/// The window moves when people come nearer to its edge than this share of its side,
const NEAR: f32 = 0.06;
/// and the whole picture is looked at again when they come nearer than this one: some of them may be outside.
const TOUCH: f32 = 0.015;
/// Frames between two glances at the whole picture: half a second of most cameras, and a second of slow ones.
const GLANCE: u32 = 15;
/// Frames for which no window is tried after one in which nobody was found.
const BLIND: u32 = 60;

/// A rectangle in a picture, in pixels; all four are even, but for the whole of an odd picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Region {
    /// Of the left edge.
    pub x: usize,
    /// Of the upper edge.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Region {
    /// Returns all of a picture.
    pub fn whole((width, height): Size) -> Self {
        Self { x: 0, y: 0, width, height }
    }
}

/// The box around all people, in pixels of the picture: the first pixel of each side, and the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left and right.
    pub x: (f32, f32),
    /// Top and bottom.
    pub y: (f32, f32),
}

impl Bounds {
    /// Returns the box around both.
    pub fn with(self, other: Self) -> Self {
        let both = |one: (f32, f32), other: (f32, f32)| (one.0.min(other.0), one.1.max(other.1));
        Self { x: both(self.x, other.x), y: both(self.y, other.y) }
    }
}

/// The part of the next picture that the network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All of it.
    Whole,
    /// This part.
    Part(Region),
    /// All of it, to see whether somebody is outside of this part.
    Glance(Region),
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Window {
    frame: Size,
    region: Option<Region>,
    /// Since the whole picture was seen last.
    frames: u32,
    /// For so many no window is tried.
    blind: u32,
}

impl Window {
    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Counts a frame of this size, whether the network sees it or not.
    pub fn step(&mut self, frame: Size) {
        if self.frame != frame {
            *self = Self { frame, ..Self::default() };
        }
        self.frames += 1;
        self.blind = self.blind.saturating_sub(1);
    }

    /// Returns what to look at.
    pub fn look(&self) -> Look {
        match self.region {
            None => Look::Whole,
            Some(region) if self.frames >= GLANCE => Look::Glance(region),
            Some(region) => Look::Part(region),
        }
    }

    /// Notes that a glance found nobody outside of the window.
    pub fn goes_on(&mut self) {
        self.frames = 0;
    }

    /// Notes where people were found when the whole picture was seen. `input`: pixels of the network's input.
    pub fn saw_all(&mut self, bounds: Option<Bounds>, input: Size) {
        self.frames = 0;
        self.region = bounds.filter(|_| self.blind == 0).and_then(|bounds| self.around(bounds, input));
    }

    /// Notes where people were found in the window. `input` as above.
    pub fn saw_part(&mut self, bounds: Option<Bounds>, input: Size) {
        let Some(region) = self.region else { return };
        let Some(bounds) = bounds else {
            (self.region, self.blind) = (None, BLIND);
            return;
        };
        let nearest = self.nearest(region, bounds);
        if nearest < TOUCH {
            self.region = None;
        } else if nearest < NEAR {
            self.region = self.around(bounds, input);
        }
    }

    /// Returns the smallest window with room around people, if one is smaller than the picture.
    fn around(&self, bounds: Bounds, input: Size) -> Option<Region> {
        let even = |share: f32, of: usize| ((share * of as f32) as usize) / 2 * 2;
        let needs = |(from, to): (f32, f32)| (to - from) * (1.0 + 2.0 * ROOM);
        let size =
            SCALES.iter().map(|scale| (even(*scale, self.frame.0), even(*scale, self.frame.1))).find(|size| {
                size.0 >= input.0.max(2)
                    && size.1 >= input.1.max(2)
                    && needs(bounds.x) <= size.0 as f32
                    && needs(bounds.y) <= size.1 as f32
            })?;
        let begin = |(from, to): (f32, f32), side: usize, of: usize| {
            let middle = (from + to) / 2.0;
            (middle - side as f32 / 2.0).clamp(0.0, (of - side) as f32) as usize / 2 * 2
        };
        let (x, y) = (begin(bounds.x, size.0, self.frame.0), begin(bounds.y, size.1, self.frame.1));
        Some(Region { x, y, width: size.0, height: size.1 })
    }

    /// Returns how near people come to an edge of the window that is not the picture's own, as a share of its side.
    fn nearest(&self, region: Region, bounds: Bounds) -> f32 {
        let along = |(from, to): (f32, f32), begin: usize, side: usize, of: usize| {
            let (end, length) = (begin + side, side as f32);
            let before = if begin == 0 { 1.0 } else { (from - begin as f32) / length };
            // An odd picture has a column that no window reaches.
            let behind = if end + 1 >= of { 1.0 } else { (end as f32 - to) / length };
            before.min(behind)
        };
        let across = along(bounds.x, region.x, region.width, self.frame.0);
        across.min(along(bounds.y, region.y, region.height, self.frame.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = (1280, 720);
    const INPUT: Size = (256, 144);

    fn bounds(x: (f32, f32), y: (f32, f32)) -> Option<Bounds> {
        Some(Bounds { x, y })
    }

    fn following(small: Option<Bounds>) -> Window {
        let mut window = Window::default();
        window.step(FRAME);
        assert_eq!(window.look(), Look::Whole);
        window.saw_all(small, INPUT);
        window
    }

    fn region(window: &Window) -> Region {
        match window.look() {
            Look::Part(region) => region,
            look => panic!("{look:?}"),
        }
    }

    #[test]
    fn small_people_get_the_smallest_window_with_room_around_them() {
        let window = following(bounds((600.0, 700.0), (300.0, 450.0)));
        assert_eq!(region(&window), Region { x: 436, y: 254, width: 426, height: 240 });
        let window = following(bounds((1100.0, 1280.0), (420.0, 720.0)));
        assert_eq!(region(&window), Region { x: 426, y: 240, width: 852, height: 480 }.at_end(FRAME));
        assert_eq!(following(bounds((300.0, 900.0), (100.0, 720.0))).look(), Look::Whole);
        assert_eq!(following(None).look(), Look::Whole);
    }

    impl Region {
        /// Moves it into the lower right corner.
        fn at_end(self, frame: Size) -> Self {
            Self { x: frame.0 - self.width, y: frame.1 - self.height, ..self }
        }
    }

    #[test]
    fn a_window_has_no_fewer_pixels_than_the_input() {
        let mut window = Window::default();
        window.step((640, 360));
        window.saw_all(bounds((300.0, 320.0), (150.0, 180.0)), INPUT);
        assert_eq!((region(&window).width, region(&window).height), (320, 180));
        window.saw_all(bounds((300.0, 320.0), (150.0, 180.0)), (640, 360));
        assert_eq!(window.look(), Look::Whole);
    }

    #[test]
    fn it_follows_people_and_lets_go_when_they_touch_its_edge_or_are_gone() {
        let mut window = following(bounds((600.0, 700.0), (300.0, 450.0)));
        let first = region(&window);
        window.saw_part(bounds((620.0, 720.0), (300.0, 450.0)), INPUT);
        assert_eq!(region(&window), first, "it stands while they are inside");
        window.saw_part(bounds((740.0, 840.0), (300.0, 450.0)), INPUT);
        assert_eq!(region(&window).x, first.x + 140);
        let mut touched = window.clone();
        touched.saw_part(bounds((740.0, 1002.0), (300.0, 450.0)), INPUT);
        assert_eq!(touched.look(), Look::Whole);
        window.saw_part(None, INPUT);
        window.saw_all(bounds((600.0, 700.0), (300.0, 450.0)), INPUT);
        assert_eq!(window.look(), Look::Whole, "the network sees them in the whole picture only");
        (0..BLIND).for_each(|_| window.step(FRAME));
        window.saw_all(bounds((600.0, 700.0), (300.0, 450.0)), INPUT);
        assert_eq!(region(&window), first);
    }

    #[test]
    fn the_pictures_own_edge_is_no_edge_of_the_window() {
        let mut window = following(bounds((0.0, 150.0), (560.0, 720.0)));
        let corner = region(&window);
        window.saw_part(bounds((0.0, 150.0), (560.0, 720.0)), INPUT);
        assert_eq!(region(&window), corner);
    }

    #[test]
    fn the_whole_picture_is_glanced_at_now_and_then_and_another_size_begins_again() {
        let mut window = following(bounds((600.0, 700.0), (300.0, 450.0)));
        let part = region(&window);
        (0..GLANCE).for_each(|_| window.step(FRAME));
        assert_eq!(window.look(), Look::Glance(part));
        window.goes_on();
        assert_eq!(window.look(), Look::Part(part));
        window.step((640, 360));
        assert_eq!(window.look(), Look::Whole);
    }
}
