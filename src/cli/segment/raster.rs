//! PURE: a picture in three planes, RGB for still pictures and YUV 4:2:0 for videos, and painting with masks.
//!
//! All that is painted is painted plane by plane, so that one code serves both.

use image::RgbaImage;

use crate::media::compose::{colour::Matrix, planes::I420};

/// The colours that the three planes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Red, green and blue, all of the picture's size.
    Rgb,
    /// Luma and, at half width and height, blue and red difference, limited range.
    Yuv(Matrix),
}

impl Space {
    /// Returns by how many bits a plane is smaller than the picture.
    pub(super) fn shift(self, plane: usize) -> usize {
        usize::from(self != Self::Rgb && plane > 0)
    }

    /// Returns a colour's value in each plane.
    pub(super) fn colour(self, rgb: [u8; 3]) -> [u8; 3] {
        match self {
            Self::Rgb => rgb,
            Self::Yuv(matrix) => matrix.colour(rgb),
        }
    }
}

/// One plane without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) data: Vec<u8>,
}

impl Plane {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, data: vec![0; width * height] }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) space: Space,
    pub(super) planes: [Plane; 3],
}

/// The share of every pixel that is kept, 0 to 255, in the sizes that planes have.
#[derive(Debug, Clone, Default)]
pub(super) struct Cover {
    size: (usize, usize),
    whole: Vec<u8>,
    half: Vec<u8>,
}

impl Cover {
    /// Returns the plane of the picture's size, to write; [`Cover::halve`] is due afterwards.
    pub(super) fn resize(&mut self, size: (usize, usize)) -> &mut [u8] {
        self.size = size;
        self.whole.resize(size.0 * size.1, 0);
        self.half.resize(size.0.div_ceil(2) * size.1.div_ceil(2), 0);
        &mut self.whole
    }

    /// Makes the plane for chroma: means of 2 x 2 pixels.
    pub(super) fn halve(&mut self) {
        let (width, height) = self.size;
        for (y, out) in self.half.chunks_exact_mut(width.div_ceil(2).max(1)).enumerate() {
            let upper = &self.whole[2 * y * width..][..width];
            let lower = &self.whole[(2 * y + 1).min(height - 1) * width..][..width];
            for ((out, upper), lower) in out.iter_mut().zip(upper.chunks(2)).zip(lower.chunks(2)) {
                let sum = |pair: &[u8]| u16::from(pair[0]) + u16::from(pair[pair.len() - 1]);
                *out = ((sum(upper) + sum(lower) + 2) / 4) as u8;
            }
        }
    }

    /// Returns one value a pixel, rows of the picture's width.
    pub(super) fn whole(&self) -> &[u8] {
        &self.whole
    }

    /// For a plane that is smaller by `shift` bits, 0 or 1.
    pub(super) fn at(&self, shift: usize) -> &[u8] {
        if shift == 0 { &self.whole } else { &self.half }
    }
}

/// Returns `under` with `over` on it, which counts `cover` of 255.
pub(super) fn mix(under: u8, over: u8, cover: u8) -> u8 {
    let sum = u32::from(under) * u32::from(255 - cover) + u32::from(over) * u32::from(cover);
    (((sum + 128) * 257) >> 16) as u8
}

impl Raster {
    /// Creates a picture of zeros.
    pub(super) fn new(width: usize, height: usize, space: Space) -> Self {
        let plane = |index: usize| {
            let shift = space.shift(index);
            Plane::new(width.div_ceil(1 << shift), height.div_ceil(1 << shift))
        };
        Self { width, height, space, planes: [plane(0), plane(1), plane(2)] }
    }

    /// Returns a still picture; what is transparent in it keeps its colour.
    pub(super) fn of_rgba(picture: &RgbaImage) -> Self {
        let mut raster = Self::new(picture.width() as usize, picture.height() as usize, Space::Rgb);
        for (index, plane) in raster.planes.iter_mut().enumerate() {
            for (value, pixel) in plane.data.iter_mut().zip(picture.pixels()) {
                *value = pixel[index];
            }
        }
        raster
    }

    /// Returns a picture for videos.
    pub(super) fn of_i420(picture: &I420, matrix: Matrix) -> Self {
        let mut raster = Self::new(picture.width, picture.height, Space::Yuv(matrix));
        let planes = picture.planes();
        raster.copy_from([(planes.y, planes.y_stride), (planes.u, planes.u_stride), (planes.v, planes.v_stride)]);
        raster
    }

    /// Returns an RGB picture with an alpha plane of its size.
    pub(super) fn to_rgba(&self, alpha: impl Iterator<Item = u8>) -> RgbaImage {
        let [r, g, b] = [0, 1, 2].map(|index| self.planes[index].data.iter().copied());
        let pixels = r.zip(g).zip(b).zip(alpha).flat_map(|(((r, g), b), alpha)| [r, g, b, alpha]);
        RgbaImage::from_raw(self.width as u32, self.height as u32, pixels.collect()).unwrap_or_default()
    }

    /// Returns the planes and their strides.
    pub(super) fn views(&self) -> [(&[u8], usize); 3] {
        [0, 1, 2].map(|index| (self.planes[index].data.as_slice(), self.planes[index].width))
    }

    /// Takes the content of planes of the same sizes, with strides in bytes.
    ///
    /// # Panics
    /// If a plane is too short.
    pub(super) fn copy_from(&mut self, planes: [(&[u8], usize); 3]) {
        for (to, (from, stride)) in self.planes.iter_mut().zip(planes) {
            for (y, row) in to.data.chunks_exact_mut(to.width).enumerate() {
                row.copy_from_slice(&from[y * stride..][..to.width]);
            }
        }
    }

    /// Paints all in one colour.
    pub(super) fn fill(&mut self, rgb: [u8; 3]) {
        for (plane, value) in self.planes.iter_mut().zip(self.space.colour(rgb)) {
            plane.data.fill(value);
        }
    }

    /// Puts one colour over the picture; `share` of 255 of it.
    pub(super) fn veil(&mut self, rgb: [u8; 3], share: u8) {
        for (plane, value) in self.planes.iter_mut().zip(self.space.colour(rgb)) {
            plane.data.iter_mut().for_each(|under| *under = mix(*under, value, share));
        }
    }

    /// Keeps of this picture what `cover` says, and shows another one of its size behind it.
    pub(super) fn put_before(&mut self, behind: &Raster, cover: &Cover) {
        for index in 0..3 {
            let cover = cover.at(self.space.shift(index));
            let planes = self.planes[index].data.iter_mut().zip(&behind.planes[index].data).zip(cover);
            planes.for_each(|((own, behind), cover)| *own = mix(*behind, *own, *cover));
        }
    }

    /// Becomes a picture of the mask: white is kept, black is not.
    pub(super) fn show(&mut self, cover: &Cover) {
        let limited = self.space != Space::Rgb;
        for (index, plane) in self.planes.iter_mut().enumerate() {
            if limited && index > 0 {
                plane.data.fill(128);
                continue;
            }
            for (value, cover) in plane.data.iter_mut().zip(cover.whole()) {
                *value = if limited { mix(16, 235, *cover) } else { *cover };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cover_of_chroma_is_the_mean_of_four_and_odd_edges_repeat() {
        let mut cover = Cover::default();
        cover.resize((3, 3)).copy_from_slice(&[0, 100, 255, 100, 200, 255, 40, 60, 80]);
        cover.halve();
        assert_eq!(cover.at(1), [100, 255, 50, 80]);
        assert_eq!(cover.at(0).len(), 9);
    }

    #[test]
    fn what_is_kept_stays_and_the_rest_shows_what_is_behind() {
        for space in [Space::Rgb, Space::Yuv(Matrix::Bt601), Space::Yuv(Matrix::Bt709)] {
            let (mut front, mut behind) = (Raster::new(4, 2, space), Raster::new(4, 2, space));
            front.fill([200, 10, 30]);
            behind.fill([0, 177, 64]);
            let mut cover = Cover::default();
            cover.resize((4, 2)).copy_from_slice(&[255, 255, 0, 0, 255, 255, 0, 0]);
            cover.halve();
            front.put_before(&behind, &cover);
            let (left, right) = (space.colour([200, 10, 30]), space.colour([0, 177, 64]));
            for index in 0..3 {
                let row = &front.planes[index].data;
                assert_eq!((row[0], row[front.planes[index].width - 1]), (left[index], right[index]), "{space:?}");
            }
        }
    }

    #[test]
    fn a_mask_is_white_where_it_keeps_in_every_space() {
        let mut cover = Cover::default();
        cover.resize((2, 2)).copy_from_slice(&[255, 0, 255, 0]);
        let mut picture = Raster::new(2, 2, Space::Rgb);
        picture.show(&cover);
        assert!(picture.planes.iter().all(|plane| plane.data == [255, 0, 255, 0]));
        let mut picture = Raster::new(2, 2, Space::Yuv(Matrix::Bt601));
        picture.show(&cover);
        assert_eq!(picture.views().map(|(plane, _)| plane.to_vec()), [vec![235, 16, 235, 16], vec![128], vec![128]]);
    }

    #[test]
    fn mixing_rounds_and_keeps_the_ends() {
        assert_eq!([mix(7, 250, 0), mix(7, 250, 255), mix(0, 255, 128), mix(10, 20, 127)], [7, 250, 128, 15]);
    }
}
