//! Laying pictures over the canvas: scaled, cropped, mirrored, masked. PURE.
//!
//! One [`LayerBlender`] belongs to one layer and keeps what depends only on the geometry; a frame allocates nothing.
//! Going down the canvas it takes two luma rows and one chroma row at a time:
//!
//! ```text
//! alpha rows of the source ─ where are they not 0? ─ sampled along x, mixed along y ─ x opacity ─┐
//! luma rows ─ halved if much too large ─ sampled along x (kept for the next row) ─ mixed along y ─┴─ over the canvas
//! chroma rows ─ the same, under the mean of the 2 x 2 alphas ──────────────────────────────────────── over the canvas
//! ```
//!
//! Transparent pixels are neither sampled nor blended. Arithmetic, the same on every CPU: weights are 7 bits, sampling
//! along x and mixing along y each round to 8 bits, as does alpha times opacity; blending rounds once. Together they
//! stay within 3 levels of exact bilinear sampling, and within 2 on anything smooth.

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use super::{
    colour::{Matrix, i420_to_rgb, rgba_to_i420},
    kernel::Isa,
    planes::{I420, Planes, PlanesMut, copy},
};
use super::{
    halve::{Halver, Halvings},
    resample::{Axis, Rows, union},
    shape::Rounded,
};

/// The place of a layer, and the part of the source that it shows. Any values are allowed; what lies outside the canvas
/// is not drawn.
///
/// The crop is stretched over the whole destination. Where it reaches out of the source, the edge pixels go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Left edge on the canvas in pixels.
    pub dst_x: i32,
    /// Upper edge on the canvas in pixels.
    pub dst_y: i32,
    /// Width on the canvas in pixels; nothing is drawn if it is not positive.
    pub dst_width: i32,
    /// Height on the canvas in pixels; nothing is drawn if it is not positive.
    pub dst_height: i32,
    /// Left edge of the crop in source pixels.
    pub src_x: f32,
    /// Upper edge of the crop in source pixels.
    pub src_y: f32,
    /// Width of the crop in source pixels; nothing is drawn if it is not positive and finite.
    pub src_width: f32,
    /// Height of the crop in source pixels; nothing is drawn if it is not positive and finite.
    pub src_height: f32,
    /// Whether left and right are exchanged.
    pub mirror: bool,
}

impl Geometry {
    /// Returns the whole of a source of `width` x `height` with its upper left corner at `x`, `y`, not scaled.
    pub fn whole_at(x: i32, y: i32, width: usize, height: usize) -> Self {
        Self {
            dst_x: x,
            dst_y: y,
            dst_width: i32::try_from(width).unwrap_or(i32::MAX),
            dst_height: i32::try_from(height).unwrap_or(i32::MAX),
            src_x: 0.0,
            src_y: 0.0,
            src_width: width as f32,
            src_height: height as f32,
            mirror: false,
        }
    }

    fn is_visible(&self) -> bool {
        let crop = [self.src_x, self.src_y, self.src_width, self.src_height];
        self.dst_width > 0
            && self.dst_height > 0
            && crop.iter().all(|value| value.is_finite())
            && self.src_width > 0.0
            && self.src_height > 0.0
    }
}

/// Returns the pixels of one axis that lie on the canvas.
fn clip(start: i32, length: i32, canvas: usize) -> Range<usize> {
    let end = (i64::from(start) + i64::from(length)).clamp(0, canvas as i64);
    let start = i64::from(start).clamp(0, end);
    start as usize..end as usize
}

/// The values that the tables of a blender were laid out for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct DrawingPlan {
    geometry: Geometry,
    canvas: (usize, usize),
    source: (usize, usize),
}

/// Draws one layer, frame after frame.
#[derive(Debug)]
pub struct LayerBlender {
    isa: Isa,
    plan: Option<DrawingPlan>,
    halvings: Halvings,
    /// Canvas luma columns and rows that the layer covers.
    columns: Range<usize>,
    rows: Range<usize>,
    luma_x: Axis,
    luma_y: Axis,
    chroma_x: Axis,
    chroma_y: Axis,
    halvers: [Halver; 4],
    luma_rows: Rows,
    alpha_rows: Rows,
    chroma_rows: [Rows; 2],
    /// Alpha of the two luma rows of a chroma row, from an even column on.
    covers: [Vec<u8>; 2],
    chroma_cover: Vec<u8>,
}

impl Default for LayerBlender {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerBlender {
    /// Creates a blender for any layer, with the fastest code that this CPU can run.
    pub fn new() -> Self {
        Self::with_isa(Isa::detect())
    }

    /// Returns a blender that runs the given code.
    pub fn with_isa(isa: Isa) -> Self {
        Self {
            isa,
            plan: None,
            halvings: Halvings::default(),
            columns: 0..0,
            rows: 0..0,
            luma_x: Axis::default(),
            luma_y: Axis::default(),
            chroma_x: Axis::default(),
            chroma_y: Axis::default(),
            halvers: Default::default(),
            luma_rows: Rows::default(),
            alpha_rows: Rows::default(),
            chroma_rows: Default::default(),
            covers: Default::default(),
            chroma_cover: Vec::new(),
        }
    }

    /// Lays `src` over the canvas. `opacity` is that of the whole layer (255 = opaque); `use_alpha` says whether the
    /// source's alpha plane, if it has one, cuts it out.
    ///
    /// Tables are laid out again when the geometry or a size differs from the last call, and only then.
    ///
    /// # Panics
    /// If a plane of `canvas` or `src` is shorter than its picture's size asks for.
    pub fn blend(&mut self, canvas: &mut PlanesMut, src: &Planes, geometry: &Geometry, opacity: u8, use_alpha: bool) {
        self.blend_rounded(canvas, src, geometry, 0.0, opacity, use_alpha);
    }

    /// Works as [`LayerBlender::blend`], with corners of this radius in canvas pixels.
    ///
    /// # Panics
    /// If a plane of `canvas` or `src` is shorter than its picture's size asks for.
    pub fn blend_rounded(
        &mut self,
        canvas: &mut PlanesMut,
        src: &Planes,
        geometry: &Geometry,
        radius: f32,
        opacity: u8,
        use_alpha: bool,
    ) {
        assert!(canvas.is_whole() && src.is_whole(), "planes are shorter than their size asks for");
        if opacity == 0 || src.width == 0 || src.height == 0 || !geometry.is_visible() {
            return;
        }
        let plan =
            DrawingPlan { geometry: *geometry, canvas: (canvas.width, canvas.height), source: (src.width, src.height) };
        if self.plan != Some(plan) {
            self.lay_out(&plan);
            self.plan = Some(plan);
        }
        if !self.columns.is_empty() && !self.rows.is_empty() {
            self.draw(canvas, src, radius, opacity, use_alpha);
        }
    }

    /// Lays out all tables and makes room for all rows.
    fn lay_out(&mut self, plan: &DrawingPlan) {
        let g = plan.geometry;
        self.columns = clip(g.dst_x, g.dst_width, plan.canvas.0);
        self.rows = clip(g.dst_y, g.dst_height, plan.canvas.1);
        let step_x = f64::from(g.src_width) / f64::from(g.dst_width);
        let step_y = f64::from(g.src_height) / f64::from(g.dst_height);
        self.halvings = Halvings::of(plan.source.0, plan.source.1, step_x, step_y);
        let (scale_x, scale_y) = (f64::from(self.halvings.x).exp2(), f64::from(self.halvings.y).exp2());

        // Places in source luma pixels of a place on the canvas, both counted from edges, not from centres.
        let across = |x: f64| {
            let inside = (x - f64::from(g.dst_x)) * step_x;
            f64::from(g.src_x) + if g.mirror { f64::from(g.src_width) - inside } else { inside }
        };
        let down = |y: f64| f64::from(g.src_y) + (y - f64::from(g.dst_y)) * step_y;
        let (first_column, first_row) = (self.columns.start, self.rows.start);
        let (width, height) = (halved(plan.source.0, self.halvings.x), halved(plan.source.1, self.halvings.y));
        self.luma_x.rebuild(width, self.columns.len(), |i| across((first_column + i) as f64 + 0.5) / scale_x - 0.5);
        self.luma_y.rebuild(height, self.rows.len(), |i| down((first_row + i) as f64 + 0.5) / scale_y - 0.5);

        // A chroma sample lies in the middle of its four pixels.
        let (columns, rows) = (chroma_range(&self.columns), chroma_range(&self.rows));
        let (width, height) = (width.div_ceil(2), height.div_ceil(2));
        let (first_column, first_row) = (columns.start, rows.start);
        self.chroma_x
            .rebuild(width, columns.len(), |i| across((2 * (first_column + i)) as f64 + 1.0) / (2.0 * scale_x) - 0.5);
        self.chroma_y.rebuild(height, rows.len(), |i| down((2 * (first_row + i)) as f64 + 1.0) / (2.0 * scale_y) - 0.5);
        for cover in &mut self.covers {
            // What it covered in another plan must not stay.
            cover.clear();
            cover.resize(2 * columns.len(), 0);
        }
        self.chroma_cover.resize(columns.len(), 0);
    }

    fn draw(&mut self, canvas: &mut PlanesMut, src: &Planes, radius: f32, opacity: u8, use_alpha: bool) {
        let isa = self.isa;
        let [luma_halver, alpha_halver, u_halver, v_halver] = &mut self.halvers;
        let luma = luma_halver.halve(isa, src.luma(), self.halvings);
        let [u, v] = src.chroma();
        let chroma = [u_halver.halve(isa, u, self.halvings), v_halver.halve(isa, v, self.halvings)];
        let alpha = src.alpha().filter(|_| use_alpha).map(|alpha| alpha_halver.halve(isa, alpha, self.halvings));

        self.luma_rows.restart(self.luma_x.len());
        self.alpha_rows.restart(self.luma_x.len());
        self.chroma_rows.iter_mut().for_each(|rows| rows.restart(self.chroma_x.len()));

        let covered = self.columns.len();
        // Columns of the first chroma sample that lie left of the layer: 0 or 1.
        let inset = self.columns.start % 2;
        let opaque = alpha.is_none() && opacity == 255;
        let corners = Corners::of(self.plan.as_ref(), radius, self.columns.clone());
        let chroma_rows = chroma_range(&self.rows);
        for chroma_y in chroma_rows.clone() {
            let mut drawn = 0..0;
            for half in 0..2 {
                let y = 2 * chroma_y + half;
                if !self.rows.contains(&y) {
                    self.covers[half].fill(0);
                    continue;
                }
                let tap = self.luma_y.tap(y - self.rows.start);
                let cover = &mut self.covers[half];
                let span = match &alpha {
                    None => {
                        cover[inset..inset + covered].fill(opacity);
                        0..covered
                    }
                    Some(alpha) => {
                        let (span, upper, lower) = self.alpha_rows.alpha_pair(isa, alpha, &self.luma_x, tap);
                        cover.fill(0);
                        isa.lerp(&mut cover[inset..][span.clone()], upper, lower, tap.1, opacity);
                        span
                    }
                };
                if span.is_empty() {
                    continue;
                }
                let rounded = corners.as_ref().is_some_and(|corners| corners.cut(&mut cover[inset..][..covered], y));
                let (upper, lower) = self.luma_rows.pair(isa, &luma, &self.luma_x, tap, span.clone());
                let target = &mut canvas.luma_row(y)[self.columns.start..][span.clone()];
                if opaque && !rounded {
                    isa.lerp(target, upper, lower, tap.1, 255);
                } else {
                    isa.blend(target, upper, lower, tap.1, &cover[inset..][span.clone()]);
                }
                drawn = union(drawn, span);
            }
            if drawn.is_empty() {
                continue;
            }
            let beyond_right = canvas.width % 2 == 1 && self.columns.end == canvas.width;
            cover_beyond_canvas(&mut self.covers, beyond_right, 2 * chroma_y + 1 == canvas.height);

            let span = (inset + drawn.start) / 2..(inset + drawn.end).div_ceil(2);
            let [upper, lower] = &self.covers;
            let pixels = 2 * span.start..2 * span.end;
            let cover = &mut self.chroma_cover[span.clone()];
            isa.box2(cover, &upper[pixels.clone()], &lower[pixels]);
            let tap = self.chroma_y.tap(chroma_y - chroma_rows.start);
            for (index, plane) in chroma.iter().enumerate() {
                let (upper, lower) = self.chroma_rows[index].pair(isa, plane, &self.chroma_x, tap, span.clone());
                let target = &mut canvas.chroma_row(index, chroma_y)[self.columns.start / 2..][span.clone()];
                isa.blend(target, upper, lower, tap.1, cover);
            }
        }
    }
}

/// The round corners of a layer.
struct Corners {
    shape: Rounded,
    centre: (f32, f32),
    half: (f32, f32),
    radius: f32,
    columns: Range<usize>,
}

impl Corners {
    /// Returns those of a layer that covers these columns of the canvas; `None` where corners are not round.
    fn of(plan: Option<&DrawingPlan>, radius: f32, columns: Range<usize>) -> Option<Self> {
        let geometry = plan.map(|plan| plan.geometry).filter(|_| radius > 0.0)?;
        let (width, height) = (geometry.dst_width as f32, geometry.dst_height as f32);
        let half = (width / 2.0, height / 2.0);
        let centre = (geometry.dst_x as f32 + half.0, geometry.dst_y as f32 + half.1);
        let radius = radius.min(half.0).min(half.1);
        Some(Self { shape: Rounded::new(width, height, radius), centre, half, radius, columns })
    }

    /// Cuts the corners off row `y` of the canvas, whose cover begins with the layer's first column. Whether this row
    /// has any.
    fn cut(&self, cover: &mut [u8], y: usize) -> bool {
        let down = y as f32 + 0.5 - self.centre.1;
        if down.abs() < self.half.1 - self.radius {
            return false;
        }
        let side = self.radius.ceil();
        let first = self.columns.start as f32;
        let left = (self.centre.0 - self.half.0 + side - first).max(0.0) as usize;
        let right = (self.centre.0 + self.half.0 - side - first).max(0.0) as usize;
        let (left, right) = (left.min(cover.len()), right.min(cover.len()));
        let (left, right) = if left < right { (left, right) } else { (cover.len(), cover.len()) };
        for index in (0..left).chain(right..cover.len()) {
            if cover[index] > 0 {
                let across = first + index as f32 + 0.5 - self.centre.0;
                cover[index] = (f32::from(cover[index]) * self.shape.cover(across, down, 0.0) + 0.5) as u8;
            }
        }
        true
    }
}

/// Covers what lies beyond the canvas. On a canvas of odd size the last chroma samples cover pixels that do not exist:
/// they are as their neighbours.
fn cover_beyond_canvas(covers: &mut [Vec<u8>; 2], right: bool, below: bool) {
    if right {
        for cover in covers.iter_mut() {
            if let [.., last, beyond] = cover.as_mut_slice() {
                *beyond = *last;
            }
        }
    }
    if below {
        let [upper, lower] = covers;
        lower.copy_from_slice(upper);
    }
}

/// Returns the length of a plane's side after some halvings.
fn halved(length: usize, times: u32) -> usize {
    (0..times).fold(length, |length, _| length.div_ceil(2))
}

/// Returns the chroma samples that cover a range of pixels.
fn chroma_range(pixels: &Range<usize>) -> Range<usize> {
    pixels.start / 2..pixels.end.div_ceil(2)
}
