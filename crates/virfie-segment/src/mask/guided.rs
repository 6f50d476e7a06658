//! The guided filter with a colour guide, one resolution. Planes are row-major `f32`, all of one size.

use super::scale::Size;

/// Noise that the filter does not take for an edge: variance of colours in 0..=1.
const NOISE: f32 = 5e-4;
/// Weight of chroma beside luma: it spans less of its range, and differs between skin and wall where luma does not.
const CHROMA: f32 = 2.0;

/// Luma and chroma around zero, so that products lose no digits.
#[derive(Debug, Clone, Default)]
pub struct Colours {
    pub size: Size,
    pub planes: [Vec<f32>; 3],
}

impl Colours {
    /// Returns the factor and offset from a byte to the guide's unit.
    pub fn unit(channel: usize) -> (f32, f32) {
        let weight = if channel == 0 { 1.0 } else { CHROMA };
        (weight / 255.0, weight * -0.5)
    }

    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.planes.iter_mut().for_each(|plane| plane.resize(size.0 * size.1, 0.0));
    }

    pub fn luma(&self) -> &[f32] {
        &self.planes[0]
    }
}

/// Pairs of channels to which the planes of second moments belong.
const PAIRS: [(usize, usize); 6] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];

/// The filter for windows of `2 RADIUS + 1` cells squared.
#[derive(Debug, Clone, Default)]
pub struct Filter<const RADIUS: usize> {
    size: Size,
    /// Mean colours of the windows.
    means: [Vec<f32>; 3],
    /// Inverse of the windows' covariance, upper triangle in the order of [`PAIRS`].
    inverse: [Vec<f32>; 6],
    /// Before they are averaged: slopes for the three channels and offset.
    window: [Vec<f32>; 4],
    /// The same averaged over all windows that hold a cell.
    coefficients: [Vec<f32>; 4],
    boxes: Boxes<RADIUS>,
}

impl<const RADIUS: usize> Filter<RADIUS> {
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        let cells = size.0 * size.1;
        let planes = self.means.iter_mut().chain(&mut self.inverse).chain(&mut self.window);
        planes.chain(&mut self.coefficients).for_each(|plane| plane.resize(cells, 0.0));
        self.boxes.resize(size);
    }

    /// Slopes and offset of the last [`Self::fit`], by which colours become the mask.
    pub fn coefficients(&self) -> &[Vec<f32>; 4] {
        &self.coefficients
    }

    /// Learns the frame's colours.
    #[inline(always)]
    pub fn look(&mut self, colours: &Colours) {
        for (mean, plane) in self.means.iter_mut().zip(&colours.planes) {
            self.boxes.mean(plane, mean);
        }
        for (moment, (one, other)) in self.inverse.iter_mut().zip(PAIRS) {
            self.boxes.mean_product(&colours.planes[one], &colours.planes[other], moment);
        }
        let cells = self.size.0 * self.size.1;
        let [m0, m1, m2] = self.means.each_ref().map(|plane| &plane[..cells]);
        let [yy, yu, yv, uu, uv, vv] = self.inverse.each_mut().map(|plane| &mut plane[..cells]);
        for i in 0..cells {
            let (a, b, c) = (yy[i] - m0[i] * m0[i] + NOISE, yu[i] - m0[i] * m1[i], yv[i] - m0[i] * m2[i]);
            let (d, e, f) = (uu[i] - m1[i] * m1[i] + NOISE, uv[i] - m1[i] * m2[i], vv[i] - m2[i] * m2[i] + NOISE);
            let (p, q, r) = (d * f - e * e, c * e - b * f, b * e - c * d);
            let scale = 1.0 / (a * p + b * q + c * r);
            (yy[i], yu[i], yv[i]) = (p * scale, q * scale, r * scale);
            (uu[i], uv[i], vv[i]) = ((a * f - c * c) * scale, (b * c - a * e) * scale, (a * d - b * b) * scale);
        }
    }

    /// Explains `mask` by the colours that [`Self::look`] saw.
    #[inline(always)]
    pub fn fit(&mut self, colours: &Colours, mask: &[f32]) {
        let [slopes @ .., offset] = &mut self.window;
        self.boxes.mean(mask, offset);
        for (slope, plane) in slopes.iter_mut().zip(&colours.planes) {
            self.boxes.mean_product(plane, mask, slope);
        }
        let cells = self.size.0 * self.size.1;
        let [m0, m1, m2] = self.means.each_ref().map(|plane| &plane[..cells]);
        let [yy, yu, yv, uu, uv, vv] = self.inverse.each_ref().map(|plane| &plane[..cells]);
        let [y, u, v, offset] = self.window.each_mut().map(|plane| &mut plane[..cells]);
        for i in 0..cells {
            let mean = offset[i];
            let (cy, cu, cv) = (y[i] - m0[i] * mean, u[i] - m1[i] * mean, v[i] - m2[i] * mean);
            let sy = yy[i] * cy + yu[i] * cu + yv[i] * cv;
            let su = yu[i] * cy + uu[i] * cu + uv[i] * cv;
            let sv = yv[i] * cy + uv[i] * cu + vv[i] * cv;
            (y[i], u[i], v[i]) = (sy, su, sv);
            offset[i] = mean - sy * m0[i] - su * m1[i] - sv * m2[i];
        }
        for (window, averaged) in self.window.iter().zip(&mut self.coefficients) {
            self.boxes.mean(window, averaged);
        }
    }

    /// Draws the explained mask, `gain` times steeper around one half, 0.0..=1.0.
    #[inline(always)]
    pub fn sharpen(&self, colours: &Colours, gain: f32, mask: &mut [f32]) {
        let cells = self.size.0 * self.size.1;
        let [y, u, v] = colours.planes.each_ref().map(|plane| &plane[..cells]);
        let [sy, su, sv, offset] = self.coefficients.each_ref().map(|plane| &plane[..cells]);
        for (i, mask) in mask[..cells].iter_mut().enumerate() {
            let value = sy[i] * y[i] + su[i] * u[i] + sv[i] * v[i] + offset[i];
            *mask = (0.5 + (value - 0.5) * gain).clamp(0.0, 1.0);
        }
    }
}

/// Means over windows that the plane's border cuts off.
#[derive(Debug, Clone, Default)]
struct Boxes<const RADIUS: usize> {
    size: Size,
    /// Sums of the columns in the window's rows, `RADIUS` zeros before and after.
    sums: Vec<f32>,
    /// One over the window's cells in a row, by column.
    share: Vec<f32>,
}

impl<const RADIUS: usize> Boxes<RADIUS> {
    fn resize(&mut self, size: Size) {
        self.size = size;
        self.sums.clear();
        self.sums.resize(size.0 + 2 * RADIUS, 0.0);
        self.share.clear();
        self.share.extend((0..size.0).map(|column| share::<RADIUS>(column, size.0)));
    }

    #[inline(always)]
    fn mean(&mut self, plane: &[f32], out: &mut [f32]) {
        self.slide(
            out,
            #[inline(always)]
            |row| &plane[row],
            #[inline(always)]
            |sums, row| sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value),
            #[inline(always)]
            |sums, row| sums.iter_mut().zip(row).for_each(|(sum, value)| *sum -= value),
        );
    }

    #[inline(always)]
    fn mean_product(&mut self, one: &[f32], other: &[f32], out: &mut [f32]) {
        self.slide(
            out,
            #[inline(always)]
            |row: std::ops::Range<usize>| (&one[row.clone()], &other[row]),
            #[inline(always)]
            |sums, (one, other)| {
                sums.iter_mut().zip(one).zip(other).for_each(|((sum, one), other)| *sum += one * other)
            },
            #[inline(always)]
            |sums, (one, other)| {
                sums.iter_mut().zip(one).zip(other).for_each(|((sum, one), other)| *sum -= one * other)
            },
        );
    }

    /// Moves the window down; `add` and `drop` change the column sums by the row that enters or leaves.
    #[inline(always)]
    fn slide<Row>(
        &mut self,
        out: &mut [f32],
        row: impl Fn(std::ops::Range<usize>) -> Row,
        add: impl Fn(&mut [f32], Row),
        drop: impl Fn(&mut [f32], Row),
    ) {
        let (width, height) = self.size;
        let span = |line: usize| line * width..(line + 1) * width;
        self.sums[RADIUS..RADIUS + width].fill(0.0);
        for line in 0..RADIUS.min(height) {
            add(&mut self.sums[RADIUS..RADIUS + width], row(span(line)));
        }
        for (line, out) in out.chunks_exact_mut(width).enumerate() {
            let sums = &mut self.sums[RADIUS..RADIUS + width];
            if line + RADIUS < height {
                add(sums, row(span(line + RADIUS)));
            }
            if line > RADIUS {
                drop(sums, row(span(line - RADIUS - 1)));
            }
            let share_of_rows = share::<RADIUS>(line, height);
            // The window's sum, shifted slice by shifted slice: the compiler knows their count.
            let shifted: [&[f32]; 7] = std::array::from_fn(|shift| &self.sums[shift.min(2 * RADIUS)..][..width]);
            for (column, (out, share)) in out.iter_mut().zip(&self.share[..width]).enumerate() {
                let mut sum = shifted[0][column];
                for shifted in &shifted[1..2 * RADIUS + 1] {
                    sum += shifted[column];
                }
                *out = sum * (share * share_of_rows);
            }
        }
    }
}

/// Returns one over the number of cells of a window around `at` that lie in `0..length`.
#[inline(always)]
fn share<const RADIUS: usize>(at: usize, length: usize) -> f32 {
    1.0 / ((at + RADIUS + 1).min(length) - at.saturating_sub(RADIUS)) as f32
}
