//! Size of the canvas that an operator lets rooms have. PURE.

use std::ops::RangeInclusive;

use super::{
    fault::Fault,
    scene::Canvas,
    schema::{self, Integer, Key},
};

/// The largest canvas, lying or standing, and the most frames a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanvasLimit {
    /// Pixels from left to right, of a lying one.
    pub width: u32,
    /// Pixels from top to bottom, of a lying one.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

impl Default for CanvasLimit {
    /// Returns all that a layout can say.
    fn default() -> Self {
        let most = |key: &Key<Integer<u32>>| u32::try_from(*key.rule.range.end()).unwrap_or(u32::MAX);
        let keys = schema::Canvas::KEYS;
        Self { width: most(&keys.width), height: most(&keys.height), fps: most(&keys.fps) }
    }
}

impl CanvasLimit {
    /// Returns how many pixels a layout can have from left to right.
    pub fn widths() -> RangeInclusive<i64> {
        schema::Canvas::KEYS.width.rule.range.clone()
    }

    /// Returns how many pixels a layout can have from top to bottom.
    pub fn heights() -> RangeInclusive<i64> {
        schema::Canvas::KEYS.height.rule.range.clone()
    }

    /// Returns how many frames a second a layout can have.
    pub fn rates() -> RangeInclusive<i64> {
        schema::Canvas::KEYS.fps.rule.range.clone()
    }

    /// Returns the largest width and height of a canvas that lies or stands as this one does.
    fn sides(&self, canvas: &Canvas) -> (u32, u32) {
        let (long, short) = (self.width.max(self.height), self.width.min(self.height));
        if canvas.width >= canvas.height { (long, short) } else { (short, long) }
    }

    /// Returns what of a canvas is beyond the limit, and more than it was before: a room of an earlier start may have
    /// more.
    pub fn faults(&self, canvas: &Canvas, before: &Canvas) -> Vec<Fault> {
        let (width, height) = self.sides(canvas);
        let sides = [
            ("width", canvas.width, width, before.width),
            ("height", canvas.height, height, before.height),
            ("fps", canvas.fps, self.fps, before.fps),
        ];
        let beyond = sides.into_iter().filter(|(_, is, most, before)| is > most && is > before);
        let fault = |(key, _, most, _)| Fault {
            pointer: format!("/canvas/{key}"),
            detail: format!("must be at most {most}, the server's own limit"),
        };
        beyond.map(fault).collect()
    }

    /// Returns a canvas as near to this one as the limit lets it be.
    #[must_use]
    pub fn clamp(&self, canvas: Canvas) -> Canvas {
        let (width, height) = self.sides(&canvas);
        let fps = canvas.fps.min(self.fps);
        if canvas.width <= width && canvas.height <= height {
            return Canvas { fps, ..canvas };
        }
        Canvas { width, height, fps, ..canvas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(width: u32, height: u32, fps: u32) -> Canvas {
        Canvas { width, height, fps, ..Canvas::default() }
    }

    #[test]
    fn a_standing_canvas_may_be_as_large_as_a_lying_one() {
        let limit = CanvasLimit { width: 1280, height: 720, fps: 30 };
        let small = canvas(640, 360, 30);
        let beyond = |width, height, fps| -> Vec<String> {
            limit.faults(&canvas(width, height, fps), &small).into_iter().map(|fault| fault.pointer).collect()
        };
        assert_eq!(beyond(1280, 720, 30), [""; 0]);
        assert_eq!(beyond(720, 1280, 30), [""; 0]);
        assert_eq!(beyond(1282, 720, 60), ["/canvas/width", "/canvas/fps"]);
        assert_eq!(beyond(1280, 722, 30), ["/canvas/height"]);
        assert_eq!(beyond(722, 1282, 30), ["/canvas/width", "/canvas/height"]);
    }

    #[test]
    fn what_is_beyond_already_may_stay_and_not_grow() {
        let limit = CanvasLimit { width: 1280, height: 720, fps: 30 };
        let large = canvas(1920, 1080, 60);
        assert!(limit.faults(&large, &large).is_empty());
        assert_eq!(limit.faults(&canvas(1922, 1080, 60), &large).len(), 1);
    }

    #[test]
    fn defaults_are_made_to_fit() {
        let limit = CanvasLimit { width: 640, height: 360, fps: 25 };
        assert_eq!(limit.clamp(canvas(1280, 720, 30)), canvas(640, 360, 25));
        assert_eq!(CanvasLimit::default().clamp(canvas(1280, 720, 30)), canvas(1280, 720, 30));
    }
}
