//! Rectangles on the canvas and in sources, and how one is fitted into the other.

use crate::values::{Edges, Fit};

/// A rectangle on the canvas in whole pixels. It may reach beyond the canvas on every side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// From the canvas's left edge.
    pub x: i32,
    /// From the canvas's top edge.
    pub y: i32,
    /// At least 1.
    pub width: i32,
    /// At least 1.
    pub height: i32,
}

impl Rect {
    /// Returns whether any pixel of it is on a canvas of this size.
    #[inline]
    pub fn touches(&self, width: u32, height: u32) -> bool {
        let (right, bottom) = (self.x + self.width, self.y + self.height);
        right > 0 && bottom > 0 && i64::from(self.x) < i64::from(width) && i64::from(self.y) < i64::from(height)
    }
}

/// The part of a source that is shown, in source pixels. It lies within the source up to the precision of `f32`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Crop {
    /// From the source's left edge.
    pub x: f32,
    /// From the source's top edge.
    pub y: f32,
    /// Greater than 0; 0 for a colour, which has no pixels.
    pub width: f32,
    /// Greater than 0; 0 for a colour, which has no pixels.
    pub height: f32,
}

/// A rectangle before rounding, on the canvas or in a source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// No edge is farther out than this. Far outside of every canvas, and sums of such edges stay far inside 32 bits; only
/// a source that is thousands of times longer than wide gets there.
const FARTHEST: f64 = (1 << 20) as f64;

/// Returns the whole pixel boundary next to `edge`. Halves go away from zero. What is a half but for the last bits of a
/// calculation counts as one, so that the right edge of a tile and the left edge of its neighbour, which are reckoned
/// differently, always come to the same pixel.
fn boundary(edge: f64) -> i32 {
    const FINEST: f64 = 1024.0;
    ((edge.clamp(-FARTHEST, FARTHEST) * FINEST).round() / FINEST).round() as i32
}

impl Area {
    /// Returns the whole of something of this size.
    pub(crate) fn whole((width, height): (u32, u32)) -> Area {
        Area { x: 0.0, y: 0.0, width: width.into(), height: height.into() }
    }

    /// Returns width by height.
    pub(crate) fn aspect(&self) -> f64 {
        self.width / self.height
    }

    /// Returns what is left after `crop`; `None` when nothing is.
    pub(crate) fn without(&self, crop: &Edges) -> Option<Area> {
        let (left, right) = (crop.left.of(self.width), crop.right.of(self.width));
        let (top, bottom) = (crop.top.of(self.height), crop.bottom.of(self.height));
        let (width, height) = (self.width - left - right, self.height - top - bottom);
        (width > 0.0 && height > 0.0).then_some(Area { x: self.x + left, y: self.y + top, width, height })
    }

    /// Rounds to whole pixels; `None` when it comes to less than one. Edges are rounded, not sizes: areas that meet in
    /// an edge meet in the same edge afterwards, with neither gap nor overlap.
    pub(crate) fn rounded(&self) -> Option<Rect> {
        let (x, right) = (boundary(self.x), boundary(self.x + self.width));
        let (y, bottom) = (boundary(self.y), boundary(self.y + self.height));
        (right > x && bottom > y).then_some(Rect { x, y, width: right - x, height: bottom - y })
    }

    fn as_crop(&self) -> Crop {
        Crop { x: self.x as f32, y: self.y as f32, width: self.width as f32, height: self.height as f32 }
    }

    /// Returns the part of this size in the middle.
    fn middle(&self, width: f64, height: f64) -> Area {
        Area { x: self.x + (self.width - width) / 2.0, y: self.y + (self.height - height) / 2.0, width, height }
    }
}

/// Fits `region` of a source into `area` of the canvas: where it is drawn, and what of it is drawn there. `None` when
/// that is less than a pixel.
pub(crate) fn fit(region: Area, area: Area, fit: Fit) -> Option<(Rect, Crop)> {
    match fit {
        Fit::Fill => Some((area.rounded()?, region.as_crop())),
        Fit::Contain => {
            let scale = (area.width / region.width).min(area.height / region.height);
            let shown = area.middle(region.width * scale, region.height * scale);
            Some((shown.rounded()?, region.as_crop()))
        }
        Fit::Cover => {
            // By the rounded rectangle: the picture keeps its shape to the last pixel.
            let rect = area.rounded()?;
            let (width, height) = (f64::from(rect.width), f64::from(rect.height));
            let scale = (width / region.width).max(height / region.height);
            let shown = region.middle((width / scale).min(region.width), (height / scale).min(region.height));
            Some((rect, shown.as_crop()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Length;

    fn area(x: f64, y: f64, width: f64, height: f64) -> Area {
        Area { x, y, width, height }
    }

    fn rect(x: i32, y: i32, width: i32, height: i32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn edges_are_rounded_and_not_sizes() {
        assert_eq!(area(0.4, 0.4, 10.2, 10.2).rounded(), Some(rect(0, 0, 11, 11)));
        assert_eq!(area(-0.5, -1.4, 2.0, 2.0).rounded(), Some(rect(-1, -1, 3, 2)));
        assert_eq!(area(5.1, 5.1, 0.3, 9.0).rounded(), None);
    }

    #[test]
    fn neighbours_meet_without_gap_or_overlap_whatever_their_widths() {
        for parts in 1..=97 {
            for canvas in [64.0, 854.0, 1278.0, 1280.0, 1920.0] {
                let width = canvas / f64::from(parts);
                let mut next = 0;
                for part in 0..parts {
                    // As a layout gives them: each tile's left edge is reckoned apart from its neighbour's right one.
                    let tile = area(canvas * (f64::from(part) * 100.0 / f64::from(parts)) / 100.0, 0.0, width, 9.0);
                    if let Some(tile) = tile.rounded() {
                        assert_eq!(tile.x, next, "part {part} of {parts} of {canvas}");
                        next = tile.x + tile.width;
                    }
                }
                assert_eq!(f64::from(next), canvas);
            }
        }
    }

    #[test]
    fn cover_cuts_the_longer_side_evenly() {
        let (dst, src) = fit(Area::whole((640, 480)), area(0.0, 0.0, 1280.0, 720.0), Fit::Cover).unwrap();
        assert_eq!(dst, rect(0, 0, 1280, 720));
        assert_eq!(src, Crop { x: 0.0, y: 60.0, width: 640.0, height: 360.0 });
        let (_, src) = fit(Area::whole((1280, 720)), area(0.0, 0.0, 300.0, 300.0), Fit::Cover).unwrap();
        assert_eq!(src, Crop { x: 280.0, y: 0.0, width: 720.0, height: 720.0 });
    }

    #[test]
    fn contain_shrinks_the_rectangle_and_shows_all() {
        let (dst, src) = fit(Area::whole((640, 480)), area(0.0, 0.0, 1280.0, 720.0), Fit::Contain).unwrap();
        assert_eq!(dst, rect(160, 0, 960, 720));
        assert_eq!(src, Crop { x: 0.0, y: 0.0, width: 640.0, height: 480.0 });
        let (dst, _) = fit(Area::whole((1280, 720)), area(10.0, 20.0, 300.0, 300.0), Fit::Contain).unwrap();
        assert_eq!(dst, rect(10, 86, 300, 168), "168.75 high from 85.625 to 254.375");
    }

    #[test]
    fn fill_stretches() {
        let (dst, src) = fit(Area::whole((640, 480)), area(0.0, 0.0, 1280.0, 720.0), Fit::Fill).unwrap();
        assert_eq!((dst, src.width, src.height), (rect(0, 0, 1280, 720), 640.0, 480.0));
    }

    #[test]
    fn crops_in_pixels_and_percent_add_up() {
        let crop = Edges {
            left: Length::Percent(10.0),
            right: Length::Number(100.0),
            bottom: Length::Percent(50.0),
            ..Edges::default()
        };
        assert_eq!(Area::whole((1000, 500)).without(&crop), Some(area(100.0, 0.0, 800.0, 250.0)));
        assert_eq!(Area::whole((100, 500)).without(&crop), None, "100 px are all of it");
    }

    #[test]
    fn absurd_shapes_stay_within_bounds() {
        let tall = Area::whole((1, 65535));
        let (dst, _) = fit(tall, area(-38400.0, 0.0, 38400.0, 38400.0 * 65535.0), Fit::Cover).unwrap();
        assert!(dst.height <= 1 << 21 && dst.touches(3840, 2160) == (dst.x + dst.width > 0));
    }

    #[test]
    fn touching_means_a_pixel_on_the_canvas() {
        assert!(rect(-9, -9, 10, 10).touches(64, 64));
        assert!(!rect(-10, 0, 10, 10).touches(64, 64));
        assert!(rect(63, 63, 5, 5).touches(64, 64));
        assert!(!rect(0, 64, 5, 5).touches(64, 64));
    }
}
