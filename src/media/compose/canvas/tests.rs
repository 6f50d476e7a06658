#![allow(clippy::unwrap_used)]

use super::*;

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u64) as i32
    }

    fn picture(&mut self, width: usize, height: usize) -> I420 {
        let mut picture = I420::new(width, height, true);
        let planes = picture.planes_mut();
        for sample in planes.y.iter_mut().chain(planes.u).chain(planes.v) {
            *sample = self.next() as u8;
        }
        // A mask with holes, a border and whole areas.
        let (hole, kind) = (self.below(width as u64 + 1) as usize, self.below(4));
        for (index, alpha) in picture.alpha_mut().unwrap().iter_mut().enumerate() {
            let (x, y) = (index % width.max(1), index / width.max(1));
            let leaning = (hole + 29 * y) % (width + 1);
            *alpha = match kind {
                0 => self.next() as u8,
                1 => 255,
                2 => [0, 255][usize::from(x > hole)],
                _ => [0, self.next() as u8][usize::from(x.abs_diff(leaning) < 5)],
            };
        }
        picture
    }

    fn geometry(&mut self, width: usize, height: usize) -> Geometry {
        let mut pick = |low: i32, high: i32| self.between(low, high);
        let mut geometry = Geometry {
            dst_x: pick(-100, 100),
            dst_y: pick(-100, 100),
            dst_width: pick(0, 200),
            dst_height: pick(0, 200),
            src_x: pick(-50, 700) as f32 / 10.0,
            src_y: pick(-50, 700) as f32 / 10.0,
            src_width: pick(0, 700) as f32 / 10.0,
            src_height: pick(0, 700) as f32 / 10.0,
            mirror: pick(0, 1) == 1,
        };
        if pick(0, 2) == 0 {
            (geometry.src_x, geometry.src_y) = (0.0, 0.0);
            (geometry.src_width, geometry.src_height) = (width as f32, height as f32);
        }
        if pick(0, 3) == 0 {
            (geometry.dst_width, geometry.dst_height) = (width as i32, height as i32);
        }
        geometry
    }
}

fn frame(width: usize, height: usize, luma: impl Fn(usize, usize) -> u8, chroma: impl Fn(usize, usize) -> u8) -> I420 {
    let mut picture = I420::new(width, height, false);
    let mut planes = picture.planes_mut();
    for y in 0..height {
        planes.luma_row(y).iter_mut().enumerate().for_each(|(x, sample)| *sample = luma(x, y));
    }
    for y in 0..height.div_ceil(2) {
        planes.chroma_row(0, y).iter_mut().enumerate().for_each(|(x, sample)| *sample = chroma(x, y));
        planes.chroma_row(1, y).iter_mut().enumerate().for_each(|(x, sample)| *sample = 255 - chroma(x, y));
    }
    picture
}

fn masked(mut picture: I420, alpha: impl Fn(usize, usize) -> u8) -> I420 {
    let (width, height) = (picture.width, picture.height);
    let mut with_alpha = I420::new(width, height, true);
    copy(&mut with_alpha.planes_mut(), &picture.planes());
    picture = with_alpha;
    for (index, sample) in picture.alpha_mut().unwrap().iter_mut().enumerate() {
        *sample = alpha(index % width, index / width);
    }
    picture
}

fn draw(canvas: &mut I420, src: &I420, geometry: &Geometry, opacity: u8) {
    LayerBlender::new().blend(&mut canvas.planes_mut(), &src.planes(), geometry, opacity, true);
}

fn luma(picture: &I420, y: usize) -> &[u8] {
    picture.planes().luma().row(y)
}

fn chroma(picture: &I420, y: usize) -> &[u8] {
    picture.planes().chroma()[0].row(y)
}

/// Does exact bilinear sampling of a plane; the place counts from its upper left corner, edges go on.
fn sample(plane: &[Vec<f64>], x: f64, y: f64) -> f64 {
    let at = |place: f64, count: usize| {
        let place = (place - 0.5).clamp(0.0, (count - 1) as f64);
        let first = place as usize;
        (first, (first + 1).min(count - 1), place - first as f64)
    };
    let (x0, x1, wx) = at(x, plane[0].len());
    let (y0, y1, wy) = at(y, plane.len());
    let row = |y: usize| plane[y][x0] * (1.0 - wx) + plane[y][x1] * wx;
    row(y0) * (1.0 - wy) + row(y1) * wy
}

fn exact_plane(plane: super::super::planes::Plane, halvings: Halvings) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> =
        (0..plane.height).map(|y| plane.row(y).iter().map(|&sample| f64::from(sample)).collect()).collect();
    let mean = |pair: &[f64]| pair.iter().sum::<f64>() / pair.len() as f64;
    for _ in 0..halvings.x {
        rows = rows.iter().map(|row| row.chunks(2).map(mean).collect()).collect();
    }
    for _ in 0..halvings.y {
        rows = rows
            .chunks(2)
            .map(|pair| (0..pair[0].len()).map(|x| mean(&pair.iter().map(|row| row[x]).collect::<Vec<_>>())).collect())
            .collect();
    }
    rows
}

/// Does the whole job in floating point, pixel by pixel.
fn draw_exactly(canvas: &I420, src: &I420, g: &Geometry, opacity: u8) -> [Vec<Vec<f64>>; 3] {
    let source = src.planes();
    let steps = (f64::from(g.src_width) / f64::from(g.dst_width), f64::from(g.src_height) / f64::from(g.dst_height));
    let halvings = Halvings::of(src.width, src.height, steps.0, steps.1);
    let (shrink_x, shrink_y) = (f64::from(1 << halvings.x), f64::from(1 << halvings.y));
    let place = |x: f64, y: f64| {
        let across = (x - f64::from(g.dst_x)) * steps.0;
        let across = if g.mirror { f64::from(g.src_width) - across } else { across };
        let down = f64::from(g.src_y) + (y - f64::from(g.dst_y)) * steps.1;
        ((f64::from(g.src_x) + across) / shrink_x, down / shrink_y)
    };
    let [u, v] = source.chroma();
    let planes = [source.luma(), u, v].map(|plane| exact_plane(plane, halvings));
    let alpha = source.alpha().map(|plane| exact_plane(plane, halvings));
    let inside = |x: usize, y: usize| {
        let (x, y) = (x as i32 - g.dst_x, y as i32 - g.dst_y);
        (0..g.dst_width).contains(&x) && (0..g.dst_height).contains(&y)
    };
    let cover = |x: usize, y: usize| {
        let (at_x, at_y) = place(x as f64 + 0.5, y as f64 + 0.5);
        let alpha = alpha.as_ref().map_or(255.0, |alpha| sample(alpha, at_x, at_y));
        if inside(x, y) { alpha / 255.0 * f64::from(opacity) / 255.0 } else { 0.0 }
    };
    let over = |below: f64, above: f64, cover: f64| below + (above - below) * cover;
    let (width, height) = (canvas.width, canvas.height);
    let target = canvas.planes();
    let [target_u, target_v] = target.chroma();
    let mut out = [target.luma(), target_u, target_v].map(|plane| exact_plane(plane, Halvings::default()));
    for (y, row) in out[0].iter_mut().enumerate() {
        for (x, below) in row.iter_mut().enumerate() {
            let (at_x, at_y) = place(x as f64 + 0.5, y as f64 + 0.5);
            *below = over(*below, sample(&planes[0], at_x, at_y), cover(x, y));
        }
    }
    for index in 1..3 {
        for (y, row) in out[index].iter_mut().enumerate() {
            for (x, below) in row.iter_mut().enumerate() {
                let (at_x, at_y) = place(2.0 * x as f64 + 1.0, 2.0 * y as f64 + 1.0);
                let mean: f64 = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .map(|(dx, dy)| cover((2 * x + dx).min(width - 1), (2 * y + dy).min(height - 1)))
                    .iter()
                    .sum();
                *below = over(*below, sample(&planes[index], at_x / 2.0, at_y / 2.0), mean / 4.0);
            }
        }
    }
    out
}

/// Compares with the exact picture and gives the largest difference in levels.
fn largest_error(canvas: &I420, exact: &[Vec<Vec<f64>>; 3]) -> f64 {
    let planes = canvas.planes();
    let [u, v] = planes.chroma();
    let mut largest: f64 = 0.0;
    for (plane, exact) in [planes.luma(), u, v].into_iter().zip(exact) {
        for (y, row) in exact.iter().enumerate() {
            for (&seen, exact) in plane.row(y).iter().zip(row) {
                largest = largest.max((f64::from(seen) - exact).abs());
            }
        }
    }
    largest
}

#[test]
fn a_ramp_doubles_in_quarter_steps() {
    let src = frame(4, 2, |x, _| [0, 40, 80, 120][x], |x, _| [100, 140][x]);
    let mut canvas = I420::new(8, 4, false);
    draw(&mut canvas, &src, &Geometry { dst_width: 8, dst_height: 4, ..Geometry::whole_at(0, 0, 4, 2) }, 255);
    for y in 0..4 {
        assert_eq!(luma(&canvas, y), [0, 10, 30, 50, 70, 90, 110, 120]);
    }
    assert_eq!(chroma(&canvas, 0), [100, 110, 130, 140]);
    assert_eq!(chroma(&canvas, 1), [100, 110, 130, 140]);
}

#[test]
fn mirror_exchanges_left_and_right() {
    let src = frame(6, 2, |x, y| (10 * x + y) as u8, |x, _| x as u8);
    let mut canvas = I420::new(6, 2, false);
    draw(&mut canvas, &src, &Geometry { mirror: true, ..Geometry::whole_at(0, 0, 6, 2) }, 255);
    assert_eq!(luma(&canvas, 0), [50, 40, 30, 20, 10, 0]);
    assert_eq!(luma(&canvas, 1), [51, 41, 31, 21, 11, 1]);
    assert_eq!(chroma(&canvas, 0), [2, 1, 0]);
}

#[test]
fn opacity_mixes_with_what_is_below() {
    let mut canvas = I420::new(40, 4, false);
    canvas.fill(100, 50, 50);
    let mut src = I420::new(40, 4, false);
    src.fill(200, 150, 0);
    draw(&mut canvas, &src, &Geometry::whole_at(0, 0, 40, 4), 128);
    let planes = canvas.planes();
    // 100 + 100 * 128 / 255 = 150.2; 50 - 50 * 128 / 255 = 24.9
    assert!(planes.y.iter().all(|&y| y == 150), "{:?}", planes.y);
    assert!(planes.u.iter().all(|&u| u == 100) && planes.v.iter().all(|&v| v == 25));

    let before = canvas.clone();
    draw(&mut canvas, &src, &Geometry::whole_at(0, 0, 40, 4), 0);
    assert_eq!(canvas, before);
}

#[test]
fn what_lies_outside_is_cut_off() {
    let src = frame(4, 4, |x, y| (16 * y + x) as u8, |x, y| (10 * y + x) as u8);
    let mut canvas = I420::new(6, 4, false);
    canvas.fill(255, 255, 255);
    draw(&mut canvas, &src, &Geometry::whole_at(-2, 2, 4, 4), 255);
    assert_eq!(luma(&canvas, 1), [255; 6]);
    assert_eq!(luma(&canvas, 2), [2, 3, 255, 255, 255, 255]);
    assert_eq!(luma(&canvas, 3), [18, 19, 255, 255, 255, 255]);
    assert_eq!(chroma(&canvas, 0), [255; 3]);
    assert_eq!(chroma(&canvas, 1), [1, 255, 255]);

    let before = canvas.clone();
    for (x, y) in [(6, 0), (-4, 0), (0, 4), (0, -4), (i32::MAX, i32::MAX), (i32::MIN, i32::MIN)] {
        draw(&mut canvas, &src, &Geometry::whole_at(x, y, 4, 4), 255);
        assert_eq!(canvas, before);
    }
}

#[test]
fn odd_places_share_chroma_by_area() {
    let mut src = I420::new(4, 4, false);
    src.fill(200, 200, 200);
    let mut canvas = I420::new(8, 8, false);
    canvas.fill(0, 0, 0);
    draw(&mut canvas, &src, &Geometry::whole_at(1, 1, 4, 4), 255);
    assert_eq!(luma(&canvas, 0), [0; 8]);
    for y in 1..5 {
        assert_eq!(luma(&canvas, y), [0, 200, 200, 200, 200, 0, 0, 0]);
    }
    assert_eq!(luma(&canvas, 5), [0; 8]);
    // A quarter of 255 is 64 of 255, a half 128.
    assert_eq!(chroma(&canvas, 0), [50, 100, 50, 0]);
    assert_eq!(chroma(&canvas, 1), [100, 200, 100, 0]);
    assert_eq!(chroma(&canvas, 2), [50, 100, 50, 0]);
    assert_eq!(chroma(&canvas, 3), [0; 4]);
}

#[test]
fn an_odd_canvas_is_covered_to_its_last_sample() {
    let mut src = I420::new(5, 3, false);
    src.fill(200, 200, 200);
    let mut canvas = I420::new(5, 3, false);
    canvas.fill(0, 0, 0);
    draw(&mut canvas, &src, &Geometry::whole_at(0, 0, 5, 3), 255);
    assert!(canvas.data().iter().all(|&sample| sample == 200), "{:?}", canvas.data());
}

#[test]
fn masks_cut_with_soft_edges() {
    let src = masked(frame(8, 2, |_, _| 200, |_, _| 200), |x, _| [0, 0, 0, 128, 255, 255, 0, 0][x]);
    let mut canvas = I420::new(8, 2, false);
    canvas.fill(100, 0, 0);
    let geometry = Geometry::whole_at(0, 0, 8, 2);
    draw(&mut canvas, &src, &geometry, 255);
    assert_eq!(luma(&canvas, 1), [100, 100, 100, 150, 200, 200, 100, 100]);
    assert_eq!(chroma(&canvas, 0), [0, 50, 200, 0]);

    LayerBlender::new().blend(&mut canvas.planes_mut(), &src.planes(), &geometry, 255, false);
    assert_eq!(luma(&canvas, 1), [200; 8]);
}

#[test]
fn small_pictures_show_the_mean_of_a_fine_pattern() {
    let src = frame(64, 64, |x, y| if (x + y) % 2 == 0 { 50 } else { 150 }, |x, _| if x % 2 == 0 { 10 } else { 30 });
    for size in [4, 8, 16, 30] {
        let mut canvas = I420::new(size as usize, size as usize, false);
        draw(
            &mut canvas,
            &src,
            &Geometry { dst_width: size, dst_height: size, ..Geometry::whole_at(0, 0, 64, 64) },
            255,
        );
        assert!(canvas.planes().y.iter().all(|&y| y == 100), "{size}: {:?}", canvas.planes().y);
        assert!(canvas.planes().u.iter().all(|&u| u == 20));
    }
}

#[test]
fn a_crop_of_the_same_size_is_copied_exactly() {
    let mut noise = Noise(5);
    let src = noise.picture(70, 50);
    for (dst_x, dst_y) in [(0, 0), (4, 2), (3, 7), (-5, -3)] {
        let mut canvas = I420::new(64, 48, false);
        let geometry = Geometry {
            dst_x,
            dst_y,
            dst_width: 40,
            dst_height: 30,
            src_x: 6.0,
            src_y: 4.0,
            src_width: 40.0,
            src_height: 30.0,
            mirror: false,
        };
        LayerBlender::new().blend(&mut canvas.planes_mut(), &src.planes(), &geometry, 255, false);
        for y in dst_y.max(0)..dst_y + 30 {
            for x in dst_x.max(0)..dst_x + 40 {
                let source = luma(&src, (y - dst_y + 4) as usize)[(x - dst_x + 6) as usize];
                assert_eq!(luma(&canvas, y as usize)[x as usize], source);
            }
        }
        if dst_x == 4 {
            assert_eq!(chroma(&canvas, 1)[2..22], chroma(&src, 2)[3..23]);
        }
    }
}

#[test]
fn a_blender_follows_changes_of_geometry_and_content() {
    let mut noise = Noise(11);
    let mut blender = LayerBlender::new();
    for _ in 0..200 {
        let src = noise.picture(1 + noise.0 as usize % 40, 1 + noise.0 as usize % 33);
        let geometry = noise.geometry(src.width, src.height);
        for _ in 0..2 {
            let src = noise.picture(src.width, src.height);
            let mut canvas = I420::new(50, 40, false);
            let mut fresh = canvas.clone();
            blender.blend(&mut canvas.planes_mut(), &src.planes(), &geometry, 255, true);
            draw(&mut fresh, &src, &geometry, 255);
            assert_eq!(canvas, fresh);
        }
    }
}

#[test]
fn any_geometry_is_close_to_exact_and_the_same_on_every_cpu() {
    let mut noise = Noise(0x1234_5678_9abc_def1);
    let (mut largest, mut fast, mut plain) = (0.0_f64, LayerBlender::new(), LayerBlender::with_isa(Isa::PLAIN));
    for round in 0..6000 {
        let src = {
            let (width, height) = (noise.below(71) as usize, noise.below(71) as usize);
            noise.picture(width, height)
        };
        let canvas = {
            let (width, height) = (noise.below(91) as usize, noise.below(91) as usize);
            noise.picture(width, height)
        };
        let geometry = noise.geometry(src.width, src.height);
        let opacity = [255, noise.next() as u8][usize::from(round % 3 == 0)];
        let (mut first, mut second) = (canvas.clone(), canvas.clone());
        fast.blend(&mut first.planes_mut(), &src.planes(), &geometry, opacity, true);
        plain.blend(&mut second.planes_mut(), &src.planes(), &geometry, opacity, true);
        assert_eq!(first, second, "round {round}: {geometry:?}");
        let drawable = geometry.is_visible() && src.width * src.height * canvas.width * canvas.height > 0;
        if round % 4 == 0 && drawable {
            let error = largest_error(&first, &draw_exactly(&canvas, &src, &geometry, opacity));
            // Noise is the worst case: all neighbours differ, so every rounded weight counts.
            assert!(error <= 3.0, "round {round}: {error} levels with {geometry:?}");
            largest = largest.max(error);
        } else if !drawable {
            assert_eq!(first, canvas);
        }
    }
    println!("largest error over noise: {largest:.2} levels");
}

#[test]
fn smooth_pictures_are_within_two_levels_of_exact() {
    let mut noise = Noise(99);
    let wave = |x: usize, y: usize| (128.0 + 100.0 * (x as f64 / 9.0).sin() * (y as f64 / 11.0).cos()) as u8;
    let mut largest = 0.0_f64;
    for round in 0..300 {
        let (width, height) = (16 + noise.below(55) as usize, 16 + noise.below(55) as usize);
        let src = masked(frame(width, height, wave, wave), |x, y| wave(y, x));
        let canvas = frame(90, 70, |x, y| wave(x + 3, y / 2), |x, y| wave(3 * x, y));
        let geometry = noise.geometry(width, height);
        if !geometry.is_visible() {
            continue;
        }
        let mut drawn = canvas.clone();
        draw(&mut drawn, &src, &geometry, 255);
        let error = largest_error(&drawn, &draw_exactly(&canvas, &src, &geometry, 255));
        assert!(error <= 2.0, "round {round}: {error} levels with {geometry:?}");
        largest = largest.max(error);
    }
    println!("largest error over smooth pictures: {largest:.2} levels");
}

#[test]
fn absurd_geometries_draw_nothing_and_do_not_panic() {
    let src = I420::new(9, 7, true);
    let mut canvas = I420::new(30, 20, false);
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, f32::MIN_POSITIVE, f32::MAX, 1e9, -1e30, 3.5];
    let edges = [i32::MIN, -1, 0, 1, 17, i32::MAX];
    let mut noise = Noise(3);
    for _ in 0..5000 {
        let value = |noise: &mut Noise| values[noise.below(values.len() as u64) as usize];
        let edge = |noise: &mut Noise| edges[noise.below(edges.len() as u64) as usize];
        let geometry = Geometry {
            dst_x: edge(&mut noise),
            dst_y: edge(&mut noise),
            dst_width: edge(&mut noise),
            dst_height: edge(&mut noise),
            src_x: value(&mut noise),
            src_y: value(&mut noise),
            src_width: value(&mut noise),
            src_height: value(&mut noise),
            mirror: noise.below(2) == 0,
        };
        draw(&mut canvas, &src, &geometry, 255);
        LayerBlender::new().blend(&mut canvas.planes_mut(), &src.planes(), &geometry, 255, false);
    }
}
