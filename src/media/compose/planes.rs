//! Pictures in planes: borrowed I420 frames and an owned one. PURE.
//!
//! All pictures here are 8 bit 4:2:0, limited range. Chroma planes are `ceil(width / 2)` x `ceil(height / 2)`; an alpha
//! plane, where there is one, has the size of the luma plane (255 = opaque).

/// A borrowed I420 picture, perhaps with alpha. Strides are in bytes and at least the plane's width.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// Luma width in pixels.
    pub width: usize,
    /// Luma height in pixels.
    pub height: usize,
    /// Luma, `height` rows of `width` bytes.
    pub y: &'a [u8],
    /// Distance of luma rows.
    pub y_stride: usize,
    /// Blue difference, `ceil(height / 2)` rows of `ceil(width / 2)` bytes.
    pub u: &'a [u8],
    /// Distance of `u` rows.
    pub u_stride: usize,
    /// Red difference, as large as `u`.
    pub v: &'a [u8],
    /// Distance of `v` rows.
    pub v_stride: usize,
    /// Alpha as large as luma, with its stride.
    pub alpha: Option<(&'a [u8], usize)>,
}

/// A borrowed I420 picture to draw on. It has no alpha: a canvas is opaque.
#[derive(Debug)]
pub struct PlanesMut<'a> {
    /// Luma width in pixels.
    pub width: usize,
    /// Luma height in pixels.
    pub height: usize,
    /// Luma, `height` rows of `width` bytes.
    pub y: &'a mut [u8],
    /// Distance of luma rows.
    pub y_stride: usize,
    /// Blue difference, `ceil(height / 2)` rows of `ceil(width / 2)` bytes.
    pub u: &'a mut [u8],
    /// Distance of `u` rows.
    pub u_stride: usize,
    /// Red difference, as large as `u`.
    pub v: &'a mut [u8],
    /// Distance of `v` rows.
    pub v_stride: usize,
}

/// One plane of a borrowed picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Bytes of the plane.
    pub data: &'a [u8],
    /// Distance of rows in bytes.
    pub stride: usize,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> Plane<'a> {
    /// Returns the samples of row `y`.
    ///
    /// # Panics
    /// If the plane has no such row.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.width]
    }
}

/// Returns whether `length` bytes hold `height` rows of `width` samples.
fn holds(length: usize, stride: usize, width: usize, height: usize) -> bool {
    height == 0 || width == 0 || (stride >= width && length >= (height - 1) * stride + width)
}

/// The places of the planes of a frame in one piece when nothing else is said: rows are multiples of 4 bytes, and an
/// odd height is rounded up.
struct Layout {
    y_stride: usize,
    chroma_stride: usize,
    luma_size: usize,
    chroma_size: usize,
}

impl Layout {
    fn of(width: usize, height: usize) -> Self {
        let rows = height.next_multiple_of(2);
        let y_stride = width.next_multiple_of(4);
        let chroma_stride = width.div_ceil(2).next_multiple_of(4);
        Self { y_stride, chroma_stride, luma_size: y_stride * rows, chroma_size: chroma_stride * rows / 2 }
    }

    fn size(&self) -> usize {
        self.luma_size + 2 * self.chroma_size
    }
}

impl<'a> Planes<'a> {
    /// Returns the planes of an I420 frame that lies in one piece: Y, U, V, rows padded to multiples of 4 bytes, as
    /// GStreamer lays frames out by default. `None` if the data is too short.
    pub fn of_i420(data: &'a [u8], width: usize, height: usize) -> Option<Self> {
        let layout = Layout::of(width, height);
        let (y, rest) = data.get(..layout.size())?.split_at(layout.luma_size);
        let (u, v) = rest.split_at(layout.chroma_size);
        let (y_stride, u_stride, v_stride) = (layout.y_stride, layout.chroma_stride, layout.chroma_stride);
        Some(Self { width, height, y, y_stride, u, u_stride, v, v_stride, alpha: None })
    }

    /// Returns whether every plane is long enough for the size and its stride.
    pub fn is_whole(&self) -> bool {
        let (w, h) = (self.width, self.height);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        holds(self.y.len(), self.y_stride, w, h)
            && holds(self.u.len(), self.u_stride, cw, ch)
            && holds(self.v.len(), self.v_stride, cw, ch)
            && self.alpha.is_none_or(|(alpha, stride)| holds(alpha.len(), stride, w, h))
    }

    /// Returns a part of it, which begins at an even column and row and lies within it.
    #[must_use]
    pub fn part(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let of = |data: &'a [u8], stride: usize, halved: usize| {
            data.get((y >> halved) * stride + (x >> halved)..).unwrap_or_default()
        };
        Self {
            width,
            height,
            y: of(self.y, self.y_stride, 0),
            u: of(self.u, self.u_stride, 1),
            v: of(self.v, self.v_stride, 1),
            alpha: self.alpha.map(|(alpha, stride)| (of(alpha, stride, 0), stride)),
            ..*self
        }
    }

    /// Returns the luma plane.
    pub fn luma(&self) -> Plane<'a> {
        Plane { data: self.y, stride: self.y_stride, width: self.width, height: self.height }
    }

    /// Returns the blue and the red difference.
    pub fn chroma(&self) -> [Plane<'a>; 2] {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        [
            Plane { data: self.u, stride: self.u_stride, width, height },
            Plane { data: self.v, stride: self.v_stride, width, height },
        ]
    }

    /// Returns the alpha plane.
    pub fn alpha(&self) -> Option<Plane<'a>> {
        self.alpha.map(|(data, stride)| Plane { data, stride, width: self.width, height: self.height })
    }
}

impl<'a> PlanesMut<'a> {
    /// Returns the planes of an I420 frame that lies in one piece, as [`Planes::of_i420`].
    pub fn of_i420(data: &'a mut [u8], width: usize, height: usize) -> Option<Self> {
        let layout = Layout::of(width, height);
        let (y, rest) = data.get_mut(..layout.size())?.split_at_mut(layout.luma_size);
        let (u, v) = rest.split_at_mut(layout.chroma_size);
        let (y_stride, u_stride, v_stride) = (layout.y_stride, layout.chroma_stride, layout.chroma_stride);
        Some(Self { width, height, y, y_stride, u, u_stride, v, v_stride })
    }

    /// Returns whether every plane is long enough for the size and its stride.
    pub fn is_whole(&self) -> bool {
        self.as_planes().is_whole()
    }

    /// Returns the same picture to read.
    pub fn as_planes(&self) -> Planes<'_> {
        Planes {
            width: self.width,
            height: self.height,
            y: self.y,
            y_stride: self.y_stride,
            u: self.u,
            u_stride: self.u_stride,
            v: self.v,
            v_stride: self.v_stride,
            alpha: None,
        }
    }

    /// Returns luma row `y`.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn luma_row(&mut self, y: usize) -> &mut [u8] {
        &mut self.y[y * self.y_stride..][..self.width]
    }

    /// Returns chroma row `y` of the blue (`plane` 0) or the red difference (`plane` 1).
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn chroma_row(&mut self, plane: usize, y: usize) -> &mut [u8] {
        let width = self.width.div_ceil(2);
        match plane {
            0 => &mut self.u[y * self.u_stride..][..width],
            _ => &mut self.v[y * self.v_stride..][..width],
        }
    }

    /// Paints everything in one colour.
    pub fn fill(&mut self, y: u8, u: u8, v: u8) {
        for row in 0..self.height {
            self.luma_row(row).fill(y);
        }
        for row in 0..self.height.div_ceil(2) {
            self.chroma_row(0, row).fill(u);
            self.chroma_row(1, row).fill(v);
        }
    }
}

/// Copies the part that both pictures have, from the upper left corner; alpha is not looked at.
///
/// # Panics
/// If a plane is shorter than its picture's size asks for.
pub fn copy(dst: &mut PlanesMut, src: &Planes) {
    let (width, height) = (dst.width.min(src.width), dst.height.min(src.height));
    let whole = dst.width == width && dst.y_stride == width && src.width == width && src.y_stride == width;
    if whole {
        dst.y[..width * height].copy_from_slice(&src.y[..width * height]);
    } else {
        for y in 0..height {
            dst.luma_row(y)[..width].copy_from_slice(&src.luma().row(y)[..width]);
        }
    }
    for (index, plane) in src.chroma().iter().enumerate() {
        for y in 0..height.div_ceil(2) {
            let width = width.div_ceil(2);
            dst.chroma_row(index, y)[..width].copy_from_slice(&plane.row(y)[..width]);
        }
    }
}

/// An owned I420 picture, perhaps with alpha; its planes follow each other without padding: Y, U, V, alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420 {
    /// Luma width in pixels; fixed when the picture is made.
    pub width: usize,
    /// Luma height in pixels; fixed when the picture is made.
    pub height: usize,
    has_alpha: bool,
    data: Vec<u8>,
}

impl I420 {
    /// Creates a black picture; with alpha it is fully transparent.
    pub fn new(width: usize, height: usize, has_alpha: bool) -> Self {
        let luma = width * height;
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        let mut data = vec![16; luma];
        data.resize(luma + 2 * chroma, 128);
        data.resize(luma + 2 * chroma + if has_alpha { luma } else { 0 }, 0);
        Self { width, height, has_alpha, data }
    }

    /// Returns a picture of planes that stand one after the other; `None` when they are too short or too long, or there
    /// are no pixels.
    pub fn from_data(width: usize, height: usize, has_alpha: bool, data: Vec<u8>) -> Option<Self> {
        let luma = width.checked_mul(height).filter(|luma| *luma > 0)?;
        let chroma = width.div_ceil(2).checked_mul(height.div_ceil(2))?;
        let whole = chroma.checked_mul(2)?.checked_add(luma)?.checked_add(if has_alpha { luma } else { 0 })?;
        (data.len() == whole).then_some(Self { width, height, has_alpha, data })
    }

    /// Returns whether there is an alpha plane.
    pub fn has_alpha(&self) -> bool {
        self.has_alpha
    }

    /// Returns all planes, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    fn sizes(&self) -> (usize, usize) {
        (self.width * self.height, self.width.div_ceil(2) * self.height.div_ceil(2))
    }

    /// Returns the picture to read.
    pub fn planes(&self) -> Planes<'_> {
        let (luma, chroma) = self.sizes();
        let (y, rest) = self.data.split_at(luma);
        let (u, rest) = rest.split_at(chroma);
        let (v, alpha) = rest.split_at(chroma);
        Planes {
            width: self.width,
            height: self.height,
            y,
            y_stride: self.width,
            u,
            u_stride: self.width.div_ceil(2),
            v,
            v_stride: self.width.div_ceil(2),
            alpha: self.has_alpha.then_some((alpha, self.width)),
        }
    }

    /// Returns the picture to draw on.
    pub fn planes_mut(&mut self) -> PlanesMut<'_> {
        let (luma, chroma) = self.sizes();
        let (y, rest) = self.data.split_at_mut(luma);
        let (u, rest) = rest.split_at_mut(chroma);
        PlanesMut {
            width: self.width,
            height: self.height,
            y,
            y_stride: self.width,
            u,
            u_stride: self.width.div_ceil(2),
            v: &mut rest[..chroma],
            v_stride: self.width.div_ceil(2),
        }
    }

    /// Returns the alpha plane, `height` rows of `width` bytes.
    pub fn alpha_mut(&mut self) -> Option<&mut [u8]> {
        let (luma, chroma) = self.sizes();
        self.has_alpha.then(|| &mut self.data[luma + 2 * chroma..])
    }

    /// Paints everything in one colour; alpha stays.
    pub fn fill(&mut self, y: u8, u: u8, v: u8) {
        self.planes_mut().fill(y, u, v);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn odd_pictures_round_chroma_up() {
        let mut picture = I420::new(5, 3, true);
        assert_eq!(picture.data().len(), 15 + 2 * 6 + 15);
        picture.fill(1, 2, 3);
        let planes = picture.planes();
        assert!(planes.is_whole());
        assert!(planes.y.iter().all(|&y| y == 1) && planes.y.len() == 15);
        assert_eq!((planes.u, planes.v), (&[2; 6][..], &[3; 6][..]));
        assert_eq!(planes.alpha.map(|(alpha, _)| alpha), Some(&[0; 15][..]));
    }

    #[test]
    fn a_short_plane_is_not_whole() {
        let picture = I420::new(4, 4, false);
        let mut planes = picture.planes();
        planes.u = &planes.u[..3];
        assert!(!planes.is_whole());
        let mut planes = picture.planes();
        planes.y_stride = 3;
        assert!(!planes.is_whole());
    }

    #[test]
    fn packed_frames_have_rows_of_whole_words() {
        // 6 x 3: luma rows of 8, chroma rows of 4, heights rounded up to 4 and 2.
        let mut data: Vec<u8> = (0..8 * 4 + 2 * 4 * 2).collect();
        let planes = Planes::of_i420(&data, 6, 3).unwrap();
        assert!(planes.is_whole());
        assert_eq!(planes.luma().row(2), [16, 17, 18, 19, 20, 21]);
        assert_eq!((planes.chroma()[0].row(1), planes.chroma()[1].row(1)), (&[36, 37, 38][..], &[44, 45, 46][..]));
        assert!(Planes::of_i420(&data[..47], 6, 3).is_none());
        PlanesMut::of_i420(&mut data, 6, 3).unwrap().fill(100, 101, 102);
        assert_eq!((data[5], data[6], data[34], data[35], data[42]), (100, 6, 101, 35, 102));
        assert!(PlanesMut::of_i420(&mut data[..47], 6, 3).is_none());
    }

    #[test]
    fn copies_the_common_part_over_strides() {
        let mut src = I420::new(6, 4, false);
        for (i, y) in src.planes_mut().y.iter_mut().enumerate() {
            *y = i as u8;
        }
        src.planes_mut().u.fill(77);
        let mut dst = I420::new(3, 5, false);
        dst.fill(200, 201, 202);
        copy(&mut dst.planes_mut(), &src.planes());
        let planes = dst.planes();
        assert_eq!(planes.y, [0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20, 200, 200, 200]);
        assert_eq!(planes.u, [77, 77, 77, 77, 201, 201]);

        let mut same = I420::new(6, 4, false);
        copy(&mut same.planes_mut(), &src.planes());
        assert_eq!(same, src);
    }
}
