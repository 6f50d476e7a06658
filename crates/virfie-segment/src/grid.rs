//! PURE: where in the frame the values of a network's output lie.

/// The alignment of a grid of values in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Alignment {
    /// The outermost points lie on the frame's outermost pixels, as BodyPix's do. Sides of the input are `16k + 1`.
    #[default]
    Ends,
    /// Each value stands for the middle of its share of the frame, like a pixel of a small picture. Sides of the input
    /// are `16k`.
    Cells,
}

/// A grid of values over a frame, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grid {
    /// Values of a row.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
    /// Alignment of the points.
    pub alignment: Alignment,
}

impl Grid {
    /// Returns a grid whose outermost points lie on the frame's edges.
    pub fn ends(columns: usize, rows: usize) -> Self {
        Self { columns, rows, alignment: Alignment::Ends }
    }

    /// Returns a grid that divides the frame.
    pub fn cells(columns: usize, rows: usize) -> Self {
        Self { columns, rows, alignment: Alignment::Cells }
    }

    /// Returns the number of its values.
    pub fn len(self) -> usize {
        self.columns * self.rows
    }

    /// Returns whether it has no values.
    pub fn is_empty(self) -> bool {
        self.columns == 0 || self.rows == 0
    }
}

impl Alignment {
    /// Returns the place among `points` values of the middle of pixel `pixel` (fractions are between two) of `pixels`:
    /// 0 at the first value, `points - 1` at the last; less or more outside of them.
    #[inline(always)]
    pub fn place(self, pixel: f32, pixels: usize, points: usize) -> f32 {
        match self {
            Self::Ends => pixel * (points - 1) as f32 / (pixels.max(2) - 1) as f32,
            Self::Cells => (pixel + 0.5) * points as f32 / pixels as f32 - 0.5,
        }
    }

    /// Returns the two values around a place of [`Self::place`], and the share of the second; outside, the nearest one
    /// alone.
    #[inline(always)]
    pub fn between(self, pixel: f32, pixels: usize, points: usize) -> (usize, usize, f32) {
        let at = self.place(pixel, pixels, points).clamp(0.0, (points - 1) as f32);
        (at as usize, (at as usize + 1).min(points - 1), at - at.floor())
    }

    /// Returns pixels from one of `points` values to the next, and the pixel that the first lies on, of `pixels`.
    pub fn steps(self, pixels: usize, points: usize) -> (f32, f32) {
        match self {
            Self::Ends => ((pixels - 1).max(1) as f32 / (points - 1).max(1) as f32, 0.0),
            Self::Cells => {
                let step = pixels as f32 / points as f32;
                (step, (step - 1.0) / 2.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_on_the_ends_or_in_the_middle_of_their_share() {
        let ends: Vec<f32> = [0.0, 128.0, 256.0].map(|pixel| Alignment::Ends.place(pixel, 257, 17)).to_vec();
        assert_eq!(ends, [0.0, 8.0, 16.0]);
        assert_eq!(Alignment::Cells.place(1.5, 256, 64), 0.0);
        assert_eq!(Alignment::Cells.place(253.5, 256, 64), 63.0);
        assert_eq!(Alignment::Cells.between(0.0, 256, 64), (0, 1, 0.0));
        assert_eq!(Alignment::Cells.between(255.0, 256, 64), (63, 63, 0.0));
    }

    #[test]
    fn steps_lead_from_point_to_point() {
        for (alignment, pixels, points) in [
            (Alignment::Ends, 257, 17),
            (Alignment::Cells, 256, 64),
            (Alignment::Cells, 256, 32),
            (Alignment::Ends, 9, 9),
        ] {
            let (step, first) = alignment.steps(pixels, points);
            for point in 0..points {
                let place = alignment.place(first + step * point as f32, pixels, points);
                assert!((place - point as f32).abs() < 1e-4, "{alignment:?} {point}: {place}");
            }
        }
        assert_eq!(Alignment::Ends.steps(1, 1), (1.0, 0.0));
    }
}
