//! A picture that is swirled about its middle. PURE.
//!
//! The swirl of glfx.js: what is seen at distance `d` from the middle of a circle of radius `r` is taken from where a
//! turn by `(1 - d / r)² · angle` leads; outside of the circle nothing changes.
//!
//! Cosine and sine of that turn depend on the distance alone. They stand in a table by the square of the distance,
//! which needs no root, and is finest where a wrong angle would be seen most, far from the middle.

use super::{
    kernel::{
        Isa,
        swirl::{Row, STEPS, TURN_BITS},
    },
    planes::{Plane, PlanesMut},
};

/// Swirls; keeps its table and a copy of the picture from frame to frame.
#[derive(Debug, Default)]
pub struct Twirler {
    /// Cosine and sine by the square of the distance.
    table: Vec<u32>,
    angle: Option<f32>,
    /// Of every sample its neighbours, see [`Row::quads`].
    quads: Vec<u32>,
}

impl Twirler {
    /// Swirls the circle that is as wide as the canvas. `angle`: of the middle, in radians.
    ///
    /// # Panics
    /// If a plane is shorter than its picture's size asks for.
    pub fn draw(&mut self, canvas: &mut PlanesMut<'_>, angle: f32) {
        self.draw_with(Isa::detect(), canvas, angle);
    }

    fn draw_with(&mut self, isa: Isa, canvas: &mut PlanesMut<'_>, angle: f32) {
        assert!(canvas.is_whole(), "planes are shorter than their size asks for");
        if canvas.width < 4 || canvas.height < 4 {
            return;
        }
        self.lay_out(angle);
        let planes = canvas.as_planes();
        let sizes = [planes.luma(), planes.chroma()[0], planes.chroma()[1]].map(|plane| (plane.width, plane.height));
        let targets =
            [(&mut *canvas.y, canvas.y_stride), (&mut *canvas.u, canvas.u_stride), (&mut *canvas.v, canvas.v_stride)];
        for ((data, stride), (width, height)) in targets.into_iter().zip(sizes) {
            copy(&mut self.quads, &Plane { data, stride, width, height });
            self.swirl(isa, data, stride, (width as i32, height as i32));
        }
    }

    fn lay_out(&mut self, angle: f32) {
        if self.angle == Some(angle) {
            return;
        }
        self.angle = Some(angle);
        self.table.clear();
        // One more than there are steps: the last one is not turned at all.
        self.table.extend((0..=STEPS).map(|step| {
            let share = 1.0 - ((step as f32 + 0.5) / STEPS as f32).min(1.0).sqrt();
            let (sin, cos) = (share * share * angle).sin_cos();
            let one = (1 << TURN_BITS) as f32;
            let half = |part: f32| u32::from(((part * one).round() as i16).cast_unsigned());
            (half(cos) << 16) | half(sin)
        }));
    }

    fn swirl(&self, isa: Isa, into: &mut [u8], stride: usize, (width, height): (i32, i32)) {
        for y in 0..height {
            let dy = 2 * y + 1 - height;
            let across = i64::from(width) * i64::from(width) - i64::from(dy) * i64::from(dy);
            if across <= 0 {
                continue;
            }
            let half = ((across as f64).sqrt() as i32 + 1) / 2;
            let begin = (width / 2 - half).max(0);
            let end = (width - begin).min(width);
            let row = &mut into[y as usize * stride..][begin as usize..end as usize];
            let (table, quads) = (&self.table, &self.quads);
            isa.swirl(row, &Row { table, quads, width, height, dy, dx: 2 * begin + 1 - width });
        }
    }
}

/// Puts every sample beside its neighbours; those of the last column and row are themselves.
fn copy(into: &mut Vec<u32>, plane: &Plane<'_>) {
    into.resize(plane.width * plane.height, 0);
    for (y, row) in into.chunks_exact_mut(plane.width).enumerate() {
        let (upper, lower) = (plane.row(y), plane.row((y + 1).min(plane.height - 1)));
        let quad = |[a, b, c, d]: [u8; 4]| u32::from_le_bytes([a, b, c, d]);
        let pairs = upper.windows(2).zip(lower.windows(2));
        for (own, (above, below)) in row.iter_mut().zip(pairs) {
            *own = quad([above[0], above[1], below[0], below[1]]);
        }
        if let (Some(own), Some(above), Some(below)) = (row.last_mut(), upper.last(), lower.last()) {
            *own = quad([*above, *above, *below, *below]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::compose::planes::I420;

    fn picture(width: usize, height: usize) -> I420 {
        let mut picture = I420::new(width, height, false);
        let mut planes = picture.planes_mut();
        for y in 0..height {
            let sample = |x: usize| 120.0 + 60.0 * (x as f32 / 37.0).sin() + 50.0 * (y as f32 / 29.0).cos();
            planes.luma_row(y).iter_mut().enumerate().for_each(|(x, own)| *own = sample(x) as u8);
        }
        for y in 0..height / 2 {
            planes.chroma_row(0, y).iter_mut().enumerate().for_each(|(x, own)| *own = 60 + (x / 4) as u8);
            planes.chroma_row(1, y).fill(60 + (y / 4) as u8);
        }
        picture
    }

    /// Computes it as its definition says, for one plane.
    fn expected(plane: &Plane<'_>, x: usize, y: usize, angle: f64) -> f64 {
        let (width, height) = (plane.width as f64, plane.height as f64);
        let radius = width / 2.0;
        let (dx, dy) = (x as f64 + 0.5 - width / 2.0, y as f64 + 0.5 - height / 2.0);
        let distance = dx.hypot(dy);
        let share = if distance < radius { (radius - distance) / radius } else { 0.0 };
        let (sin, cos) = (share * share * angle).sin_cos();
        let at = |place: f64, size: usize| (place - 0.5).clamp(0.0, (size - 1) as f64);
        let at_x = at(width / 2.0 + dx * cos - dy * sin, plane.width);
        let at_y = at(height / 2.0 + dx * sin + dy * cos, plane.height);
        let sample = |x: usize, y: usize| f64::from(plane.row(y.min(plane.height - 1))[x.min(plane.width - 1)]);
        let (x, y) = (at_x as usize, at_y as usize);
        let (fx, fy) = (at_x.fract(), at_y.fract());
        let above = sample(x, y) * (1.0 - fx) + sample(x + 1, y) * fx;
        let below = sample(x, y + 1) * (1.0 - fx) + sample(x + 1, y + 1) * fx;
        above * (1.0 - fy) + below * fy
    }

    #[test]
    fn it_is_the_swirl_of_its_definition() {
        for (width, height) in [(320, 240), (321, 181), (64, 400), (1280, 720), (6, 20)] {
            let before = picture(width, height);
            for angle in [0.0f32, 0.7, -4.0, 10.0] {
                let (mut after, mut portable) = (picture(width, height), picture(width, height));
                Twirler::default().draw(&mut after.planes_mut(), angle);
                Twirler::default().draw_with(Isa::PLAIN, &mut portable.planes_mut(), angle);
                assert!(after == portable, "the same with and without vectors");
                let (before, after) = (before.planes(), after.planes());
                let pairs = [
                    (before.luma(), after.luma()),
                    (before.chroma()[0], after.chroma()[0]),
                    (before.chroma()[1], after.chroma()[1]),
                ];
                for (before, after) in pairs {
                    let mut worst = 0.0f64;
                    for y in 0..before.height {
                        for x in 0..before.width {
                            let wanted = expected(&before, x, y, f64::from(angle));
                            worst = worst.max((f64::from(after.row(y)[x]) - wanted).abs());
                        }
                    }
                    assert!(worst <= 2.0, "{width}x{height}, {angle}: off by {worst}");
                }
            }
        }
    }

    #[test]
    fn outside_of_the_circle_nothing_changes() {
        let before = picture(320, 320);
        let mut after = picture(320, 320);
        let mut twirler = Twirler::default();
        twirler.draw(&mut after.planes_mut(), 3.0);
        for (x, y) in [(0, 0), (319, 0), (0, 319), (319, 319), (40, 40)] {
            assert_eq!(after.planes().luma().row(y)[x], before.planes().luma().row(y)[x]);
        }
        assert_ne!(after.planes().luma().row(120)[120], before.planes().luma().row(120)[120]);
    }
}
