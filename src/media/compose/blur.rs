//! A person's own picture, blurred, behind them. PURE.
//!
//! The picture is made smaller, box-blurred three times (which is near to a Gaussian: Wells, "Efficient synthesis of
//! Gaussian filters by cascaded uniform filters", IEEE PAMI 1986) and made large again while it is laid on the canvas.

use super::{
    canvas::{Geometry, LayerBlender},
    planes::{I420, Planes, PlanesMut},
};

const PASSES: usize = 3;
/// Standard deviation, in pixels of the smaller picture, to which it is made smaller.
const SMALL_SIGMA: f32 = 3.0;
/// Most times that the picture is made smaller.
const SMALLEST: f32 = 12.0;

/// Softens the frames of one layer.
#[derive(Debug)]
pub struct Blurrer {
    small: I420,
    down: LayerBlender,
    up: LayerBlender,
    line: Vec<u8>,
    sums: Vec<u32>,
}

impl Default for Blurrer {
    fn default() -> Self {
        let (down, up) = (LayerBlender::new(), LayerBlender::new());
        Self { small: I420::new(2, 2, false), down, up, line: Vec::new(), sums: Vec::new() }
    }
}

impl Blurrer {
    /// Lays `src` over the canvas, without its alpha, blurred by `sigma` canvas pixels (standard deviation).
    pub fn draw(
        &mut self,
        canvas: &mut PlanesMut<'_>,
        src: &Planes<'_>,
        geometry: &Geometry,
        radius: f32,
        sigma: f32,
        opacity: u8,
    ) {
        if geometry.dst_width <= 0 || geometry.dst_height <= 0 {
            return;
        }
        let factor = (sigma / SMALL_SIGMA).clamp(1.0, SMALLEST);
        let side = |length: i32| ((length as f32 / factor).ceil().clamp(2.0, 4096.0) as usize).next_multiple_of(2);
        let (width, height) = (side(geometry.dst_width), side(geometry.dst_height));
        if (self.small.width, self.small.height) != (width, height) {
            self.small = I420::new(width, height, false);
        }
        let inner = Geometry { dst_x: 0, dst_y: 0, dst_width: width as i32, dst_height: height as i32, ..*geometry };
        self.down.blend(&mut self.small.planes_mut(), src, &inner, 255, false);
        // Three boxes of side s have the variance (s * s - 1) / 4.
        let sigma = sigma * width as f32 / geometry.dst_width as f32;
        let reach = |sigma: f32| ((((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0).round() as usize).max(1);
        let planes = self.small.planes_mut();
        for _ in 0..PASSES {
            let (luma, chroma) = (reach(sigma), reach(sigma / 2.0));
            blur(planes.y, width, height, luma, &mut self.line, &mut self.sums);
            blur(planes.u, width / 2, height / 2, chroma, &mut self.line, &mut self.sums);
            blur(planes.v, width / 2, height / 2, chroma, &mut self.line, &mut self.sums);
        }
        let outer = Geometry { mirror: false, ..Geometry::whole_at(0, 0, width, height) };
        let (dst_width, dst_height) = (geometry.dst_width, geometry.dst_height);
        let outer = Geometry { dst_x: geometry.dst_x, dst_y: geometry.dst_y, dst_width, dst_height, ..outer };
        self.up.blend_rounded(canvas, &self.small.planes(), &outer, radius, opacity, false);
    }
}

/// Computes the mean of the `2 * reach + 1` samples around each, along rows and then along columns; edges go on.
fn blur(plane: &mut [u8], width: usize, height: usize, reach: usize, line: &mut Vec<u8>, sums: &mut Vec<u32>) {
    if width == 0 || height == 0 {
        return;
    }
    let count = (2 * reach + 1) as u32;
    // Rounded division by a multiplication: exact for sums of up to 255 * count, count < 2^12.
    let scale = (1u64 << 32) / u64::from(count) + 1;
    let mean = |sum: u32| ((u64::from(sum + count / 2) * scale) >> 32) as u8;
    for row in plane.chunks_exact_mut(width).take(height) {
        line.clear();
        line.extend_from_slice(row);
        let at = |index: isize| u32::from(line[index.clamp(0, width as isize - 1) as usize]);
        let mut sum: u32 = (-(reach as isize)..=reach as isize).map(at).sum();
        for (index, out) in row.iter_mut().enumerate() {
            *out = mean(sum);
            sum = sum + at((index + reach) as isize + 1) - at(index as isize - reach as isize);
        }
    }
    line.clear();
    line.extend_from_slice(&plane[..width * height]);
    let row = |index: isize| &line[index.clamp(0, height as isize - 1) as usize * width..][..width];
    sums.clear();
    sums.resize(width, 0);
    for index in -(reach as isize)..=reach as isize {
        sums.iter_mut().zip(row(index)).for_each(|(sum, &value)| *sum += u32::from(value));
    }
    for (index, out) in plane.chunks_exact_mut(width).take(height).enumerate() {
        let (enters, leaves) = (row((index + reach) as isize + 1), row(index as isize - reach as isize));
        for (((out, sum), &enters), &leaves) in out.iter_mut().zip(sums.iter_mut()).zip(enters).zip(leaves) {
            *out = mean(*sum);
            *sum = *sum + u32::from(enters) - u32::from(leaves);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_blur_is_the_mean_around_every_sample() {
        let (width, height, reach) = (13usize, 9usize, 3isize);
        let plane: Vec<u8> = (0..width * height).map(|index| (index * 71 % 251) as u8).collect();
        let clamped = |value: isize, count: usize| value.clamp(0, count as isize - 1) as usize;
        let mut rows = plane.clone();
        for y in 0..height {
            for x in 0..width {
                let of = |d: isize| u32::from(plane[y * width + clamped(x as isize + d, width)]);
                rows[y * width + x] = ((-reach..=reach).map(of).sum::<u32>() as f64 / 7.0).round() as u8;
            }
        }
        let mut wanted = rows.clone();
        for y in 0..height {
            for x in 0..width {
                let of = |d: isize| u32::from(rows[clamped(y as isize + d, height) * width + x]);
                wanted[y * width + x] = ((-reach..=reach).map(of).sum::<u32>() as f64 / 7.0).round() as u8;
            }
        }
        let mut is = plane;
        blur(&mut is, width, height, reach as usize, &mut Vec::new(), &mut Vec::new());
        assert_eq!(is, wanted);
    }

    #[test]
    fn a_step_becomes_a_slope_of_that_width_and_flat_stays_flat() {
        let mut picture = I420::new(320, 180, false);
        for row in 0..180 {
            let mut planes = picture.planes_mut();
            planes.luma_row(row)[..160].fill(50);
            planes.luma_row(row)[160..].fill(200);
        }
        for sigma in [4.0, 12.0, 30.0] {
            let mut canvas = I420::new(320, 180, false);
            let geometry = Geometry::whole_at(0, 0, 320, 180);
            Blurrer::default().draw(&mut canvas.planes_mut(), &picture.planes(), &geometry, 0.0, sigma, 255);
            let row: Vec<f32> = canvas.planes().luma().row(90).iter().map(|&value| f32::from(value)).collect();
            assert!((row[159] + row[160] - 250.0).abs() < 8.0);
            // One deviation off, a Gaussian step has 84 % of its height.
            let there = (row[160 + sigma as usize] - 50.0) / 150.0;
            assert!((there - 0.84).abs() < 0.05, "{sigma}: {there}");
            assert!(canvas.planes().u.iter().all(|&value| value == 128));
        }
    }
}
