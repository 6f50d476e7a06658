//! PURE: what is seen behind people: a colour, an image that covers, or their own picture, blurred.

use image::{RgbaImage, imageops::FilterType};

use super::raster::{Cover, Raster, Space};
use crate::media::compose::colour::rgba_to_i420;

/// Cells of the blurred picture along its shorter side. With [`RADIUS`], a face would be seen as a spot.
const CELLS: usize = 64;

/// Distance to which a cell is spread, in cells, in each of [`PASSES`].
const RADIUS: usize = 2;

/// Box filters one after the other, which together come close to a Gaussian.
const PASSES: usize = 3;

/// The background.
#[derive(Debug)]
pub(super) enum Backdrop {
    /// The same for all frames.
    Still(Raster),
    /// Made from each frame.
    Blurred(Blur, Raster),
}

impl Backdrop {
    pub(super) fn colour(rgb: [u8; 3], (width, height): (usize, usize), space: Space) -> Self {
        let mut raster = Raster::new(width, height, space);
        raster.fill(rgb);
        Self::Still(raster)
    }

    /// Returns an image, scaled and cropped at two sides so that it covers all.
    pub(super) fn image(image: RgbaImage, (width, height): (usize, usize), space: Space) -> Self {
        let image = image::DynamicImage::from(image);
        let image = image.resize_to_fill(width as u32, height as u32, FilterType::CatmullRom).into_rgba8();
        Self::Still(match space {
            Space::Rgb => Raster::of_rgba(&image),
            Space::Yuv(matrix) => Raster::of_i420(&rgba_to_i420(image.as_raw(), width, height, matrix), matrix),
        })
    }

    /// Returns the picture's own surroundings.
    pub(super) fn blurred((width, height): (usize, usize), space: Space) -> Self {
        Self::Blurred(Blur::new((width, height)), Raster::new(width, height, space))
    }

    /// Returns what is behind the people of this picture, whom `cover` keeps.
    pub(super) fn behind(&mut self, picture: &Raster, cover: &Cover) -> &Raster {
        match self {
            Self::Still(raster) => raster,
            Self::Blurred(blur, raster) => {
                blur.run(picture, cover, raster);
                raster
            }
        }
    }
}

/// Blurs what the cover does not keep. People are left out of the sums, or they would glow round their own edge.
#[derive(Debug)]
pub(super) struct Blur {
    size: (usize, usize),
    sums: Vec<f32>,
    weights: Vec<f32>,
    line: Vec<f32>,
    columns: Vec<(usize, f32)>,
}

impl Blur {
    fn new(picture: (usize, usize)) -> Self {
        let short = picture.0.min(picture.1).max(1);
        let cells = |side: usize| (side * CELLS.min(short)).div_ceil(short).max(1);
        let size = (cells(picture.0), cells(picture.1));
        let cells = vec![0.0; size.0 * size.1];
        Self { size, sums: cells.clone(), weights: cells, line: Vec::new(), columns: Vec::new() }
    }

    fn run(&mut self, picture: &Raster, cover: &Cover, out: &mut Raster) {
        for index in 0..3 {
            let (from, to) = (&picture.planes[index], &mut out.planes[index]);
            self.gather(&from.data, cover.at(picture.space.shift(index)), from.width, from.height);
            for cells in [&mut self.sums, &mut self.weights] {
                for _ in 0..PASSES {
                    spread(cells, self.size, &mut self.line);
                }
            }
            self.sums.iter_mut().zip(&self.weights).for_each(|(sum, weight)| *sum /= weight);
            self.enlarge(&mut to.data, to.width, to.height);
        }
    }

    /// Sums of the samples of each cell, and how much they count. What is kept counts a little, for cells that hold
    /// nothing else.
    fn gather(&mut self, plane: &[u8], cover: &[u8], width: usize, height: usize) {
        let (columns, rows) = self.size;
        self.sums.fill(0.0);
        self.weights.fill(0.0);
        for y in 0..height {
            let cells = y * rows / height * columns;
            let (plane, cover) = (&plane[y * width..][..width], &cover[y * width..][..width]);
            for cell in 0..columns {
                let begin = cell * width / columns;
                let end = ((cell + 1) * width / columns).clamp(begin + 1, width.max(begin + 1)).min(width);
                let (mut sum, mut weight) = (0, 0);
                for (value, cover) in plane[begin..end].iter().zip(&cover[begin..end]) {
                    // Squared, because a sample that is half kept is half of that colour, too.
                    let counts = (256 - u32::from(*cover)).pow(2);
                    sum += u32::from(*value) * counts;
                    weight += counts;
                }
                self.sums[cells + cell] += sum as f32;
                self.weights[cells + cell] += weight as f32;
            }
        }
        // Planes with fewer rows than cells leave some empty.
        for row in 1..rows {
            if self.weights[row * columns] == 0.0 {
                self.sums.copy_within((row - 1) * columns..row * columns, row * columns);
                self.weights.copy_within((row - 1) * columns..row * columns, row * columns);
            }
        }
    }

    /// Cells to samples, bilinear.
    fn enlarge(&mut self, plane: &mut [u8], width: usize, height: usize) {
        let (columns, rows) = self.size;
        self.columns.clear();
        self.columns.extend((0..width).map(|x| between(x, width, columns)));
        for (y, out) in plane.chunks_exact_mut(width).enumerate() {
            let (row, part) = between(y, height, rows);
            let next = (row + 1).min(rows - 1);
            self.line.clear();
            let pairs = self.sums[row * columns..][..columns].iter().zip(&self.sums[next * columns..][..columns]);
            self.line.extend(pairs.map(|(upper, lower)| upper + (lower - upper) * part));
            for (out, &(column, part)) in out.iter_mut().zip(&self.columns) {
                let (left, right) = (self.line[column], self.line[(column + 1).min(columns - 1)]);
                *out = (left + (right - left) * part + 0.5) as u8;
            }
        }
    }
}

/// Returns the cell before sample `index` of `samples`, and how far it is to the next.
fn between(index: usize, samples: usize, cells: usize) -> (usize, f32) {
    let place = ((index as f32 + 0.5) * cells as f32 / samples as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
    (place as usize, place.fract())
}

/// Runs a box filter along rows, then along columns; edges repeat.
fn spread(cells: &mut [f32], (columns, rows): (usize, usize), line: &mut Vec<f32>) {
    let mut run = |start: usize, step: usize, count: usize| {
        line.clear();
        line.extend((0..count).map(|index| cells[start + index * step]));
        for index in 0..count {
            let around = index as isize - RADIUS as isize..=(index + RADIUS) as isize;
            let sum: f32 = around.map(|at| line[at.clamp(0, count as isize - 1) as usize]).sum();
            cells[start + index * step] = sum / (2 * RADIUS + 1) as f32;
        }
    };
    (0..rows).for_each(|row| run(row * columns, 1, columns));
    (0..columns).for_each(|column| run(column, columns, rows));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::compose::colour::Matrix;

    fn covered(width: usize, height: usize, kept: impl Fn(usize) -> bool) -> Cover {
        let mut cover = Cover::default();
        let whole = cover.resize((width, height));
        (0..width * height).for_each(|at| whole[at] = if kept(at % width) { 255 } else { 0 });
        cover.halve();
        cover
    }

    #[test]
    fn the_blur_leaves_out_whom_the_cover_keeps() {
        for space in [Space::Rgb, Space::Yuv(Matrix::Bt601)] {
            let (mut picture, mut wall) = (Raster::new(320, 180, space), Raster::new(320, 180, space));
            wall.fill([20, 60, 200]);
            picture.fill([250, 200, 10]);
            // A person over the middle third.
            let cover = covered(320, 180, |x| (107..214).contains(&x));
            picture.put_before(&wall, &cover);
            let mut backdrop = Backdrop::blurred((320, 180), space);
            let behind = backdrop.behind(&picture, &cover);
            for (plane, wanted) in behind.planes.iter().zip(space.colour([20, 60, 200])) {
                let row = &plane.data[plane.width * (plane.height / 2)..][..plane.width];
                for x in [0, plane.width / 4, plane.width * 5 / 16, plane.width - 1] {
                    assert!(row[x].abs_diff(wanted) <= 3, "{space:?} {x}: {} is not {wanted}", row[x]);
                }
            }
        }
    }

    #[test]
    fn an_edge_is_blurred_over_some_width_and_far_places_stay() {
        let mut picture = Raster::new(640, 360, Space::Rgb);
        for plane in &mut picture.planes {
            for row in plane.data.chunks_exact_mut(640) {
                row[320..].fill(200);
            }
        }
        let mut backdrop = Backdrop::blurred((640, 360), Space::Rgb);
        let row = backdrop.behind(&picture, &covered(640, 360, |_| false)).planes[0].data[180 * 640..][..640].to_vec();
        assert_eq!((row[200], row[440]), (0, 200));
        assert!((60..150).contains(&row[320]) && row[305] > 10 && row[335] < 195, "{:?}", &row[300..340]);
        assert!(row.is_sorted());
    }

    #[test]
    fn tiny_pictures_are_blurred_without_a_panic() {
        for size in [(1, 1), (2, 1), (1, 9), (65, 3)] {
            for space in [Space::Rgb, Space::Yuv(Matrix::Bt709)] {
                let mut picture = Raster::new(size.0, size.1, space);
                picture.fill([90, 90, 90]);
                let mut backdrop = Backdrop::blurred(size, space);
                let behind = backdrop.behind(&picture, &covered(size.0, size.1, |_| true));
                assert_eq!(behind.planes, picture.planes, "{size:?}");
            }
        }
    }

    #[test]
    fn an_image_covers_and_keeps_its_aspect() {
        // Left third red, the rest blue; of 30x10 onto 10x10 the middle third stays.
        let image =
            RgbaImage::from_fn(30, 10, |x, _| image::Rgba(if x < 10 { [255, 0, 0, 255] } else { [0, 0, 255, 255] }));
        let Backdrop::Still(raster) = Backdrop::image(image, (10, 10), Space::Rgb) else { panic!("it is still") };
        assert_eq!((raster.planes[0].data[55], raster.planes[2].data[55]), (0, 255));
        assert_eq!((raster.width, raster.height), (10, 10));
    }
}
