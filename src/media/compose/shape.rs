//! Round corners and borders: how much of a pixel a rounded rectangle covers, and drawing its rim. PURE.

use super::{kernel::Isa, planes::PlanesMut};

/// A rectangle with round corners around the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded {
    half: (f32, f32),
    radius: f32,
}

impl Rounded {
    /// Creates one of these sides; `radius` is at most half the shorter one.
    pub fn new(width: f32, height: f32, radius: f32) -> Self {
        let half = (width / 2.0, height / 2.0);
        Self { half, radius: radius.clamp(0.0, half.0.min(half.1)) }
    }

    /// Returns how far a point is outside (negative: inside) of the edge.
    #[inline]
    pub fn distance(&self, x: f32, y: f32) -> f32 {
        let (qx, qy) = (x.abs() - self.half.0 + self.radius, y.abs() - self.half.1 + self.radius);
        let outside = if qx > 0.0 && qy > 0.0 { (qx * qx + qy * qy).sqrt() } else { qx.max(qy) };
        outside - self.radius
    }

    /// Returns how much of the pixel around a point lies within the edge moved inwards by `inset`, 0.0..=1.0.
    #[inline]
    pub fn cover(&self, x: f32, y: f32, inset: f32) -> f32 {
        (0.5 - inset - self.distance(x, y)).clamp(0.0, 1.0)
    }
}

/// Draws borders.
#[derive(Debug, Default)]
pub struct RimBlender {
    covers: [Vec<u8>; 2],
    colour: Vec<u8>,
    chroma_cover: Vec<u8>,
}

impl RimBlender {
    /// Draws a rim of `width` pixels along the inside of the rectangle at `x`, `y` (canvas pixels) of the size `size`,
    /// in the colour `yuv`, with `opacity` (255 = opaque). Parts outside the canvas are left out.
    #[allow(clippy::too_many_arguments)] // a rectangle, its corners and its colour are that many things
    pub fn draw(
        &mut self,
        isa: Isa,
        canvas: &mut PlanesMut<'_>,
        (x, y): (i32, i32),
        size: (i32, i32),
        radius: f32,
        width: f32,
        yuv: [u8; 3],
        opacity: u8,
    ) {
        let clip = |start: i32, length: i32, end: usize| {
            let end = i64::from(start) + i64::from(length).min(end as i64 - i64::from(start));
            (start.max(0) as usize, end.max(0) as usize)
        };
        let (left, right) = clip(x, size.0, canvas.width);
        let (top, bottom) = clip(y, size.1, canvas.height);
        if left >= right || top >= bottom || width <= 0.0 || opacity == 0 {
            return;
        }
        let shape = Rounded::new(size.0 as f32, size.1 as f32, radius);
        let centre = (x as f32 + size.0 as f32 / 2.0, y as f32 + size.1 as f32 / 2.0);
        // From an even column to an even column, so that chroma samples are whole.
        let first = left & !1;
        let wide = right.next_multiple_of(2) - first;
        for cover in &mut self.covers {
            cover.clear();
            cover.resize(wide, 0);
        }
        self.chroma_cover.resize(wide / 2, 0);
        let reach = shape.radius.max(width) + 1.0;
        for chroma_y in top / 2..bottom.div_ceil(2) {
            // Columns in which anything is drawn in either row, from `first`.
            let mut spans = [0..wide, wide..wide];
            let ly = |row: usize| row as f32 + 0.5 - centre.1;
            let rows = [2 * chroma_y, 2 * chroma_y + 1];
            if rows.iter().all(|&row| ly(row).abs() < shape.half.1 - reach) {
                let side = (reach.ceil() as i32 + 1).max(1);
                let low = (x + side).clamp(first as i32, (first + wide) as i32) as usize - first;
                let high = (x + size.0 - side).clamp(first as i32, (first + wide) as i32) as usize - first;
                let (low, high) = (low.next_multiple_of(2).min(wide), high & !1);
                if low < high {
                    spans = [0..low, high..wide];
                }
            }
            for span in spans.into_iter().filter(|span| !span.is_empty()) {
                for (cover, &row) in self.covers.iter_mut().zip(&rows) {
                    let cover = &mut cover[span.clone()];
                    if row < top || row >= bottom {
                        cover.fill(0);
                        continue;
                    }
                    let y = ly(row);
                    for (index, value) in cover.iter_mut().enumerate() {
                        let column = first + span.start + index;
                        let x = column as f32 + 0.5 - centre.0;
                        let rim = shape.cover(x, y, 0.0) - shape.cover(x, y, width);
                        let inside = column >= left && column < right;
                        *value = if inside { (rim * f32::from(opacity) + 0.5) as u8 } else { 0 };
                    }
                }
                self.lay(isa, canvas, first, span, rows, yuv);
            }
        }
    }

    fn lay(
        &mut self,
        isa: Isa,
        canvas: &mut PlanesMut<'_>,
        first: usize,
        span: std::ops::Range<usize>,
        rows: [usize; 2],
        [y, u, v]: [u8; 3],
    ) {
        let mut plain = std::mem::take(&mut self.colour);
        plain.clear();
        plain.resize(span.len(), y);
        for (cover, &row) in self.covers.iter().zip(&rows) {
            if row >= canvas.height {
                continue;
            }
            let to = (first + span.end).min(canvas.width);
            let target = &mut canvas.luma_row(row)[first + span.start..to];
            let length = target.len();
            isa.blend(target, &plain[..length], &plain[..length], 0, &cover[span.clone()][..length]);
        }
        let chroma = span.start / 2..span.end / 2;
        let cover = &mut self.chroma_cover[chroma.clone()];
        isa.box2(cover, &self.covers[0][span.clone()], &self.covers[1][span]);
        for (plane, value) in [u, v].into_iter().enumerate() {
            let colour = &mut plain[..cover.len()];
            colour.fill(value);
            let target = &mut canvas.chroma_row(plane, rows[0] / 2)[first / 2 + chroma.start..][..cover.len()];
            isa.blend(target, colour, colour, 0, cover);
        }
        self.colour = plain;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::planes::I420, *};

    /// Returns how much of a pixel lies within the rounded rectangle from 0, 0, by 16 x 16 points.
    fn counted(column: i32, row: i32, (width, height): (i32, i32), radius: f64) -> f64 {
        let inside = |x: f64, y: f64| {
            let (w, h) = (f64::from(width), f64::from(height));
            if x < 0.0 || y < 0.0 || x > w || y > h {
                return false;
            }
            let (cx, cy) = (x.clamp(radius, w - radius), y.clamp(radius, h - radius));
            (x - cx).hypot(y - cy) <= radius || (x == cx || y == cy)
        };
        let points = (0..256).filter(|point| {
            let (i, j) = (f64::from(point % 16), f64::from(point / 16));
            inside(f64::from(column) + (i + 0.5) / 16.0, f64::from(row) + (j + 0.5) / 16.0)
        });
        points.count() as f64 / 256.0
    }

    #[test]
    fn a_pixel_is_covered_by_as_much_as_lies_inside() {
        for (size, radius) in [((40, 30), 0.0), ((40, 30), 7.5), ((31, 31), 15.5), ((64, 20), 10.0)] {
            let shape = Rounded::new(size.0 as f32, size.1 as f32, radius as f32);
            for row in -1..=size.1 {
                for column in -1..=size.0 {
                    let (x, y) = (column as f32 + 0.5 - size.0 as f32 / 2.0, row as f32 + 0.5 - size.1 as f32 / 2.0);
                    let error = f64::from(shape.cover(x, y, 0.0)) - counted(column, row, size, radius);
                    assert!(error.abs() < 0.09, "{column} {row} of {size:?} {radius}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_rim_lies_along_the_inside_wherever_the_rectangle_is() {
        for (x, y) in [(10, 6), (11, 7), (-5, -3), (50, 40)] {
            for (radius, width) in [(0.0, 3.0), (9.0, 3.0), (9.0, 2.5), (0.0, 100.0)] {
                let mut canvas = I420::new(64, 48, false);
                canvas.fill(16, 128, 128);
                let colour = [235, 90, 200];
                let mut blender = RimBlender::default();
                let (size, isa) = ((40, 30), Isa::detect());
                blender.draw(isa, &mut canvas.planes_mut(), (x, y), size, radius, width, colour, 255);
                let shape = Rounded::new(40.0, 30.0, radius);
                for row in 0..48i32 {
                    for column in 0..64i32 {
                        let (lx, ly) = ((column - x) as f32 + 0.5 - 20.0, (row - y) as f32 + 0.5 - 15.0);
                        let rim = shape.cover(lx, ly, 0.0) - shape.cover(lx, ly, width);
                        let wanted = 16.0 + 219.0 * rim;
                        let is = f32::from(canvas.planes().luma().row(row as usize)[column as usize]);
                        assert!((is - wanted).abs() <= 2.0, "{column} {row} at {x} {y}: {is}, not {wanted}");
                    }
                }
            }
        }
    }
}
