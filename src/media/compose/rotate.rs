//! Laying a turned picture over the canvas. PURE.
//!
//! Every pixel of the canvas that the turned rectangle touches looks for its place in the source (inverse mapping) and
//! takes the four samples around it; a source that is much too large is halved first. Edges, round corners and the
//! border come from the distance to the rounded rectangle, so that they are smooth at any angle. Farther inside, where
//! nothing of these can be, the place in the source goes on by the same step from pixel to pixel, in whole numbers.

use super::{
    canvas::Geometry,
    halve::{Halver, Halvings},
    kernel::Isa,
    planes::{Plane, Planes, PlanesMut},
    shape::Rounded,
};

/// The rotation and look of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    /// Clockwise about the middle.
    pub degrees: f32,
    /// Of the corners, in canvas pixels.
    pub radius: f32,
    /// Along the inside of the edge: canvas pixels, and its colour as YUV.
    pub border: Option<(f32, [u8; 3])>,
    /// 255 = opaque.
    pub opacity: u8,
    /// Whether the source's alpha plane, if it has one, cuts it out.
    pub use_alpha: bool,
}

/// Draws one turned layer, frame after frame.
#[derive(Debug, Default)]
pub struct RotationBlender {
    halvers: [Halver; 4],
    /// Of two luma rows: how much of the canvas the picture and the border replace, 0.0..=1.0.
    covers: [Vec<(f32, f32)>; 2],
    /// Every pixel by itself, for tests.
    plain: bool,
}

/// From the canvas to the layer, and from there to samples of a plane.
struct Mapping {
    centre: (f32, f32),
    sin: f32,
    cos: f32,
    half: (f32, f32),
    /// Samples per canvas pixel; negative where mirrored.
    step: (f32, f32),
    /// The sample in the layer's middle.
    middle: (f32, f32),
}

impl Mapping {
    fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        (self.cos * dx + self.sin * dy, self.cos * dy - self.sin * dx)
    }

    /// Returns the part of row `y` that lies within `reach` pixels of the rectangle, from 0 to `columns`.
    fn span(&self, y: f32, columns: usize, reach: f32) -> std::ops::Range<usize> {
        let (low, high) = self.reach(y, columns, reach);
        if low >= high { 0..0 } else { low.floor() as usize..(high.ceil() as usize).min(columns) }
    }

    /// Returns from where to where row `y` lies within `reach` pixels of the rectangle; nowhere if the first is not
    /// less.
    fn reach(&self, y: f32, columns: usize, reach: f32) -> (f32, f32) {
        let dy = y - self.centre.1;
        let (mut low, mut high) = (0.0f32, columns as f32);
        // |a * dx + b| <= c for both sides.
        for (a, b, c) in
            [(self.cos, self.sin * dy, self.half.0 + reach), (-self.sin, self.cos * dy, self.half.1 + reach)]
        {
            if a.abs() < 1e-6 {
                if b.abs() > c {
                    return (0.0, 0.0);
                }
                continue;
            }
            let (one, other) = ((-c - b) / a + self.centre.0, (c - b) / a + self.centre.0);
            low = low.max(one.min(other));
            high = high.min(one.max(other));
        }
        (low, high)
    }

    /// Returns the part of row `y` whose pixels have their middles at least `inset` pixels inside the rectangle.
    fn inside(&self, y: f32, columns: usize, inset: f32) -> std::ops::Range<usize> {
        if inset >= self.half.0.min(self.half.1) {
            return 0..0;
        }
        let (low, high) = self.reach(y, columns, -inset);
        let (low, high) = ((low - 0.5).ceil().max(0.0), (high - 0.5).floor() + 1.0);
        if low >= high { 0..0 } else { low as usize..(high as usize).min(columns) }
    }

    fn sample(&self, plane: &Plane<'_>, (lx, ly): (f32, f32), scale: (f32, f32)) -> f32 {
        // From edges to centres of samples.
        let x = (self.middle.0 + lx * self.step.0) * scale.0 - 0.5;
        let y = (self.middle.1 + ly * self.step.1) * scale.1 - 0.5;
        let x = x.clamp(0.0, (plane.width - 1) as f32);
        let y = y.clamp(0.0, (plane.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(plane.width - 1), (y0 + 1).min(plane.height - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let (upper, lower) = (plane.row(y0), plane.row(y1));
        let mix = |row: &[u8]| f32::from(row[x0]) + (f32::from(row[x1]) - f32::from(row[x0])) * fx;
        let (upper, lower) = (mix(upper), mix(lower));
        upper + (lower - upper) * fy
    }
}

/// A way through the samples of planes of one size, in 65536ths of a sample.
#[derive(Clone, Copy)]
struct Walk {
    x: i32,
    y: i32,
    step: (i32, i32),
    last: (i32, i32),
}

/// The four samples around a place, and how much the right and the lower ones count, of 2048.
#[derive(Clone, Copy)]
struct Around {
    columns: (usize, usize),
    rows: (usize, usize),
    right: i32,
    lower: i32,
}

/// Samples along a side that a [`Walk`] can count.
const WALKABLE: usize = 16_384;

impl Walk {
    /// Starts `local` to the layer's middle and goes `stride` canvas pixels to the right with each step.
    fn new(map: &Mapping, local: (f32, f32), stride: f32, scale: (f32, f32), size: (usize, usize)) -> Self {
        let fixed = |samples: f32| (samples * 65_536.0).round() as i32;
        Self {
            x: fixed((map.middle.0 + local.0 * map.step.0) * scale.0 - 0.5),
            y: fixed((map.middle.1 + local.1 * map.step.1) * scale.1 - 0.5),
            step: (fixed(map.cos * stride * map.step.0 * scale.0), fixed(-map.sin * stride * map.step.1 * scale.1)),
            last: ((size.0 as i32 - 1) << 16, (size.1 as i32 - 1) << 16),
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Around {
        // Weights have eleven bits: to the nearest.
        let (x, y) = ((self.x + 16).clamp(0, self.last.0), (self.y + 16).clamp(0, self.last.1));
        self.x += self.step.0;
        self.y += self.step.1;
        let [left, top, right, bottom] =
            [x >> 16, y >> 16, (x + 0xffff) >> 16, (y + 0xffff) >> 16].map(|sample| sample as usize);
        Around { columns: (left, right), rows: (top, bottom), right: (x >> 5) & 0x7ff, lower: (y >> 5) & 0x7ff }
    }
}

impl Around {
    /// Returns the value there, 0.0..=255.0.
    #[inline(always)]
    fn of(self, plane: &Plane<'_>) -> f32 {
        let mix = |row: &[u8]| {
            let (left, right) = (i32::from(row[self.columns.0]), i32::from(row[self.columns.1]));
            (left << 11) + (right - left) * self.right
        };
        let (upper, lower) = (mix(plane.row(self.rows.0)), mix(plane.row(self.rows.1)));
        ((upper << 11) + (lower - upper) * self.lower) as f32 / (1 << 22) as f32
    }
}

impl RotationBlender {
    /// Lays `src` over the canvas.
    ///
    /// # Panics
    /// If a plane of `canvas` or `src` is shorter than its picture's size asks for.
    pub fn blend(&mut self, canvas: &mut PlanesMut<'_>, src: &Planes<'_>, geometry: &Geometry, turn: &Rotation) {
        assert!(canvas.is_whole() && src.is_whole(), "planes are shorter than their size asks for");
        let g = geometry;
        let visible = g.dst_width > 0 && g.dst_height > 0 && g.src_width > 0.0 && g.src_height > 0.0;
        if !visible || turn.opacity == 0 || src.width == 0 || src.height == 0 {
            return;
        }
        let isa = Isa::detect();
        let (width, height) = (g.dst_width as f32, g.dst_height as f32);
        let step = (g.src_width / width, g.src_height / height);
        let halvings = Halvings::of(src.width, src.height, step.0.into(), step.1.into());
        let [luma_halver, alpha_halver, u_halver, v_halver] = &mut self.halvers;
        let luma = luma_halver.halve(isa, src.luma(), halvings);
        let [u, v] = src.chroma();
        let chroma = [u_halver.halve(isa, u, halvings), v_halver.halve(isa, v, halvings)];
        let alpha = src.alpha().filter(|_| turn.use_alpha).map(|alpha| alpha_halver.halve(isa, alpha, halvings));
        let smaller = (0.5f32.powi(halvings.x as i32), 0.5f32.powi(halvings.y as i32));
        let chroma_scale = (smaller.0 / 2.0, smaller.1 / 2.0);

        let (sin, cos) = turn.degrees.to_radians().sin_cos();
        let map = Mapping {
            centre: (g.dst_x as f32 + width / 2.0, g.dst_y as f32 + height / 2.0),
            sin,
            cos,
            half: (width / 2.0, height / 2.0),
            step: (if g.mirror { -step.0 } else { step.0 }, step.1),
            middle: (g.src_x + g.src_width / 2.0, g.src_y + g.src_height / 2.0),
        };
        let shape = Rounded::new(width, height, turn.radius);
        let opacity = f32::from(turn.opacity) / 255.0;
        let (rim, colour) = turn.border.map_or((0.0, [0.0; 3]), |(rim, colour)| (rim, colour.map(f32::from)));
        let put = |to: &mut u8, picture: f32, rim: f32, (shown, bordered): (f32, f32)| {
            let under = f32::from(*to);
            let with = under + (picture - under) * shown;
            *to = (with + (rim - with) * bordered + 0.5) as u8;
        };

        // From there on nothing is of an edge, a corner or the border.
        let solid = (rim + 1.0).max(turn.radius);
        let walkable = luma.width.max(luma.height) < WALKABLE && !self.plain;

        let around = map.half.0.hypot(map.half.1) + 1.0;
        let first = ((map.centre.1 - around).max(0.0) as usize / 2).min(canvas.height.div_ceil(2));
        let last = ((map.centre.1 + around).max(0.0) as usize / 2 + 1).min(canvas.height.div_ceil(2));
        for chroma_y in first..last {
            let rows = [2 * chroma_y, 2 * chroma_y + 1];
            let spans = rows.map(|row| map.span(row as f32 + 0.5, canvas.width, 1.0));
            let filled = spans.iter().filter(|span| !span.is_empty());
            let Some(start) = filled.clone().map(|span| span.start).min() else { continue };
            let start = start & !1;
            let end = filled.map(|span| span.end).max().unwrap_or(start).next_multiple_of(2);
            let inner = rows.map(|row| if walkable { map.inside(row as f32 + 0.5, canvas.width, solid) } else { 0..0 });
            for (((cover, span), inner), &row) in self.covers.iter_mut().zip(&spans).zip(&inner).zip(&rows) {
                cover.clear();
                cover.resize(end - start, (0.0, 0.0));
                if row >= canvas.height {
                    continue;
                }
                let target = canvas.luma_row(row);
                if !inner.is_empty() {
                    let local = map.local(inner.start as f32 + 0.5, row as f32 + 0.5);
                    let mut walk = Walk::new(&map, local, 1.0, smaller, (luma.width, luma.height));
                    let covers = &mut cover[inner.start - start..inner.end - start];
                    for (to, cover) in target[inner.clone()].iter_mut().zip(covers) {
                        let around = walk.next();
                        let kept = alpha.as_ref().map_or(255.0, |alpha| around.of(alpha));
                        if kept == 0.0 {
                            continue;
                        }
                        let shown = kept * (opacity / 255.0);
                        *cover = (shown, 0.0);
                        let picture = around.of(&luma);
                        *to = if shown >= 1.0 {
                            (picture + 0.5) as u8
                        } else {
                            let under = f32::from(*to);
                            (under + (picture - under) * shown + 0.5) as u8
                        };
                    }
                }
                let left = span.start..inner.start.clamp(span.start, span.end);
                for column in left.chain(inner.end.max(span.start)..span.end) {
                    let local = map.local(column as f32 + 0.5, row as f32 + 0.5);
                    let distance = shape.distance(local.0, local.1);
                    let whole = (0.5 - distance).clamp(0.0, 1.0);
                    if whole == 0.0 {
                        continue;
                    }
                    let kept = alpha.as_ref().map_or(1.0, |alpha| map.sample(alpha, local, smaller) / 255.0);
                    let rim = if rim > 0.0 { (whole - (0.5 - rim - distance).clamp(0.0, 1.0)) * opacity } else { 0.0 };
                    let covered = (whole * kept * opacity, rim);
                    cover[column - start] = covered;
                    if covered != (0.0, 0.0) {
                        put(&mut target[column], map.sample(&luma, local, smaller), colour[0], covered);
                    }
                }
            }
            let [upper, lower] = &self.covers;
            let lower = if rows[1] < canvas.height { lower } else { upper };
            let both = inner[0].start.max(inner[1].start).next_multiple_of(2)..inner[0].end.min(inner[1].end) & !1;
            if !both.is_empty() {
                let local = map.local(both.start as f32 + 1.0, rows[0] as f32 + 1.0);
                let size = (chroma[0].width, chroma[0].height);
                let begin = Walk::new(&map, local, 2.0, chroma_scale, size);
                let covered = both.start - start..both.end - start;
                for (plane, samples) in chroma.iter().enumerate() {
                    let mut walk = begin;
                    let covers = upper[covered.clone()].chunks_exact(2).zip(lower[covered.clone()].chunks_exact(2));
                    let target = &mut canvas.chroma_row(plane, chroma_y)[both.start / 2..both.end / 2];
                    for (to, (upper, lower)) in target.iter_mut().zip(covers) {
                        let around = walk.next();
                        let shown = (upper[0].0 + upper[1].0 + lower[0].0 + lower[1].0) / 4.0;
                        if shown == 0.0 {
                            continue;
                        }
                        let (under, picture) = (f32::from(*to), around.of(samples));
                        *to = (under + (picture - under) * shown + 0.5) as u8;
                    }
                }
            }
            for (index, pair) in (start..end).step_by(2).enumerate().filter(|(_, pair)| !both.contains(pair)) {
                // A chroma sample lies in the middle of its four pixels.
                let four = [upper[2 * index], upper[2 * index + 1], lower[2 * index], lower[2 * index + 1]];
                let mean = four.into_iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0 / 4.0, sum.1 + one.1 / 4.0));
                if mean == (0.0, 0.0) || pair / 2 >= canvas.width.div_ceil(2) {
                    continue;
                }
                let local = map.local(pair as f32 + 1.0, rows[0] as f32 + 1.0);
                for (plane, samples) in chroma.iter().enumerate() {
                    let picture = map.sample(samples, local, chroma_scale);
                    put(&mut canvas.chroma_row(plane, chroma_y)[pair / 2], picture, colour[plane + 1], mean);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{canvas::LayerBlender, planes::I420},
        *,
    };

    const PLAIN: Rotation = Rotation { degrees: 0.0, radius: 0.0, border: None, opacity: 255, use_alpha: true };

    fn picture(width: usize, height: usize) -> I420 {
        let mut picture = I420::new(width, height, true);
        let mut planes = picture.planes_mut();
        for y in 0..height {
            for (x, value) in planes.luma_row(y).iter_mut().enumerate() {
                *value = (30 + x + 2 * y) as u8;
            }
        }
        for y in 0..height / 2 {
            planes.chroma_row(0, y).iter_mut().enumerate().for_each(|(x, value)| *value = (80 + 2 * x) as u8);
            planes.chroma_row(1, y).fill((200 - 2 * y) as u8);
        }
        let alpha = picture.alpha_mut().unwrap();
        alpha
            .iter_mut()
            .enumerate()
            .for_each(|(index, value)| *value = if index % width < width / 2 { 255 } else { 90 });
        picture
    }

    fn apart(one: &I420, other: &I420) -> u8 {
        one.data().iter().zip(other.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn not_turned_it_is_what_the_straight_blender_draws() {
        let src = picture(60, 40);
        for (x, y, width, height, mirror) in [(10, 8, 60, 40, false), (-7, 3, 90, 61, true), (31, -9, 25, 33, false)] {
            let whole = Geometry::whole_at(x, y, 60, 40);
            let geometry = Geometry { dst_width: width, dst_height: height, mirror, ..whole };
            for opacity in [255, 120] {
                let mut straight = I420::new(97, 71, false);
                straight.fill(100, 120, 140);
                let mut turned = straight.clone();
                LayerBlender::new().blend(&mut straight.planes_mut(), &src.planes(), &geometry, opacity, true);
                let turn = Rotation { opacity, ..PLAIN };
                RotationBlender::default().blend(&mut turned.planes_mut(), &src.planes(), &geometry, &turn);
                assert!(apart(&straight, &turned) <= 3, "{geometry:?}: {}", apart(&straight, &turned));
            }
        }
    }

    #[test]
    fn a_quarter_turn_goes_clockwise() {
        let src = picture(60, 40);
        let geometry = Geometry::whole_at(20, 20, 60, 40);
        let mut canvas = I420::new(100, 80, false);
        let turn = Rotation { degrees: 90.0, use_alpha: false, ..PLAIN };
        RotationBlender::default().blend(&mut canvas.planes_mut(), &src.planes(), &geometry, &turn);
        // About (50, 40): the source's (x, y) comes to (50 - (y - 20), 40 + (x - 30)).
        for (x, y) in [(0, 0), (59, 0), (0, 39), (30, 20), (59, 39)] {
            let (column, row) = (50 - (y as i32 - 20) - 1, 40 + (x as i32 - 30));
            let (is, was) = (canvas.planes().luma().row(row as usize)[column as usize], src.planes().luma().row(y)[x]);
            assert!(is.abs_diff(was) <= 2, "{x} {y}: {is}, not {was}");
        }
        assert_eq!(canvas.planes().luma().row(40)[25], 16, "beside it nothing is drawn");
    }

    #[test]
    fn at_any_angle_it_covers_its_area_and_stays_smooth() {
        let mut white = I420::new(20, 20, false);
        white.fill(235, 128, 128);
        for degrees in [0.0f32, 10.0, 33.3, 45.0, 120.0, -77.0, 359.0] {
            for radius in [0.0f32, 8.0, 20.0] {
                let mut canvas = I420::new(120, 100, false);
                let geometry = Geometry { dst_width: 60, dst_height: 40, ..Geometry::whole_at(30, 30, 20, 20) };
                let turn = Rotation { degrees, radius, ..PLAIN };
                RotationBlender::default().blend(&mut canvas.planes_mut(), &white.planes(), &geometry, &turn);
                let sum: f32 = canvas.planes().y.iter().map(|&value| (f32::from(value) - 16.0) / 219.0).sum();
                let area = 2400.0 - (4.0 - std::f32::consts::PI) * radius * radius;
                assert!((sum - area).abs() < 12.0, "{degrees} {radius}: {sum} of {area}");
            }
        }
    }

    /// Every pixel by the slow way: what the fast one has to equal.
    #[test]
    fn inside_it_is_what_every_pixel_by_itself_would_be() {
        let src = picture(160, 120);
        for (degrees, size, radius, rim, mirror, opacity) in [
            (12.0f32, (300, 170), 0.0f32, None, false, 255u8),
            (-50.0, (131, 77), 20.0, Some((5.0, [200, 100, 150])), true, 130),
            (90.0, (40, 30), 3.0, None, false, 255),
            (200.0, (161, 121), 60.0, None, true, 77),
        ] {
            let geometry =
                Geometry { dst_width: size.0, dst_height: size.1, mirror, ..Geometry::whole_at(11, -9, 160, 120) };
            let turn = Rotation { degrees, radius, border: rim, opacity, use_alpha: true };
            let mut fast = I420::new(333, 201, false);
            fast.fill(100, 120, 140);
            let mut slow = fast.clone();
            RotationBlender::default().blend(&mut fast.planes_mut(), &src.planes(), &geometry, &turn);
            RotationBlender { plain: true, ..RotationBlender::default() }.blend(
                &mut slow.planes_mut(),
                &src.planes(),
                &geometry,
                &turn,
            );
            assert!(apart(&fast, &slow) <= 2, "{degrees} {size:?}: {}", apart(&fast, &slow));
        }
    }
}
