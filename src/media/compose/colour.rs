//! Between RGB and limited-range I420, for still images and snapshots. PURE. Plain code: nothing here runs per frame.

use super::planes::{I420, Planes};

/// The colour matrix of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matrix {
    /// BT.601, of small video such as cameras' 640x360.
    #[default]
    Bt601,
    /// BT.709, of high definition.
    Bt709,
}

impl Matrix {
    /// Returns the parts of red and blue in luma.
    fn weights(self) -> (f32, f32) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }

    /// Returns limited-range Y, U, V of a colour with channels of 0.0 to 255.0.
    fn yuv(self, [r, g, b]: [f32; 3]) -> [u8; 3] {
        let (kr, kb) = self.weights();
        let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
        let u = (b - luma) / (2.0 * (1.0 - kb));
        let v = (r - luma) / (2.0 * (1.0 - kr));
        // `as` saturates.
        [16.0 + luma * 219.0 / 255.0, 128.0 + u * 224.0 / 255.0, 128.0 + v * 224.0 / 255.0].map(|x| x.round() as u8)
    }

    /// Returns limited-range Y, U, V of an sRGB colour.
    pub fn colour(self, rgb: [u8; 3]) -> [u8; 3] {
        self.yuv(rgb.map(f32::from))
    }

    fn rgb(self, [y, u, v]: [f32; 3]) -> [u8; 3] {
        let (kr, kb) = self.weights();
        let luma = (y - 16.0) * 255.0 / 219.0;
        let (u, v) = ((u - 128.0) * 255.0 / 224.0, (v - 128.0) * 255.0 / 224.0);
        let r = luma + 2.0 * (1.0 - kr) * v;
        let b = luma + 2.0 * (1.0 - kb) * u;
        let g = (luma - kr * r - kb * b) / (1.0 - kr - kb);
        [r, g, b].map(|x| x.round() as u8)
    }
}

/// Turns an RGBA image (`height` rows of `width` pixels of 4 bytes, alpha not premultiplied) into I420; the result has
/// an alpha plane if a pixel is not opaque. Chroma is the mean of the 2 x 2 pixels, each counted by its alpha, so that
/// what is hidden under transparency does not bleed out.
///
/// # Panics
/// If `rgba` is shorter than `width * height * 4`.
pub fn rgba_to_i420(rgba: &[u8], width: usize, height: usize, matrix: Matrix) -> I420 {
    let pixels = rgba[..width * height * 4].as_chunks::<4>().0;
    let transparent = pixels.iter().any(|pixel| pixel[3] != 255);
    let mut picture = I420::new(width, height, transparent);
    if let Some(alpha) = picture.alpha_mut() {
        for (alpha, pixel) in alpha.iter_mut().zip(pixels) {
            *alpha = pixel[3];
        }
    }
    let mut planes = picture.planes_mut();
    for (y, &[r, g, b, _]) in planes.y.iter_mut().zip(pixels) {
        *y = matrix.colour([r, g, b])[0];
    }
    for row in 0..height.div_ceil(2) {
        for column in 0..width.div_ceil(2) {
            let (mut sum, mut weights) = ([0.0; 3], 0.0);
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (x, y) = (2 * column + dx, 2 * row + dy);
                if x >= width || y >= height {
                    continue;
                }
                let pixel = pixels[y * width + x].map(f32::from);
                // A little for transparent pixels too: where all are, their mean is as good as any.
                let weight = pixel[3] + 1e-3;
                for (sum, channel) in sum.iter_mut().zip(pixel) {
                    *sum += weight * channel;
                }
                weights += weight;
            }
            let [_, u, v] = matrix.yuv(sum.map(|sum| sum / weights));
            planes.chroma_row(0, row)[column] = u;
            planes.chroma_row(1, row)[column] = v;
        }
    }
    picture
}

/// Turns I420 into RGB: `height` rows of `width` pixels of 3 bytes. Alpha is not looked at; a chroma sample counts for
/// all its four pixels.
///
/// # Panics
/// If a plane is shorter than the picture's size asks for.
pub fn i420_to_rgb(src: &Planes, matrix: Matrix) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(src.width * src.height * 3);
    let [u, v] = src.chroma();
    for row in 0..src.height {
        let (u, v) = (u.row(row / 2), v.row(row / 2));
        for (column, &y) in src.luma().row(row).iter().enumerate() {
            let chroma = column / 2;
            rgb.extend(matrix.rgb([y, u[chroma], v[chroma]].map(f32::from)));
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_have_their_standard_values() {
        let cases = [
            ([255, 255, 255], [235, 128, 128], [235, 128, 128]),
            ([0, 0, 0], [16, 128, 128], [16, 128, 128]),
            ([255, 0, 0], [81, 90, 240], [63, 102, 240]),
            ([0, 255, 0], [145, 54, 34], [173, 42, 26]),
            ([0, 0, 255], [41, 240, 110], [32, 240, 118]),
        ];
        for (rgb, bt601, bt709) in cases {
            assert_eq!(Matrix::Bt601.colour(rgb), bt601, "{rgb:?}");
            assert_eq!(Matrix::Bt709.colour(rgb), bt709, "{rgb:?}");
        }
    }

    #[test]
    fn flat_colours_come_back_within_rounding() {
        for matrix in [Matrix::Bt601, Matrix::Bt709] {
            for colour in [[17, 17, 17], [200, 30, 90], [1, 254, 128], [70, 80, 250]] {
                let rgba: Vec<u8> = (0..15).flat_map(|_| [colour[0], colour[1], colour[2], 255]).collect();
                let picture = rgba_to_i420(&rgba, 5, 3, matrix);
                assert!(!picture.has_alpha());
                let rgb = i420_to_rgb(&picture.planes(), matrix);
                assert_eq!(rgb.len(), 45);
                for pixel in rgb.chunks_exact(3) {
                    for (seen, wanted) in pixel.iter().zip(colour) {
                        assert!(seen.abs_diff(wanted) <= 2, "{pixel:?} for {colour:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn hidden_colours_do_not_bleed() {
        let red = [255, 0, 0, 255];
        let hidden_green = [0, 255, 0, 0];
        let picture = rgba_to_i420(&[red, hidden_green, hidden_green, red].concat(), 2, 2, Matrix::Bt601);
        let planes = picture.planes();
        assert_eq!(planes.alpha.map(|(alpha, _)| alpha), Some(&[255, 0, 0, 255][..]));
        assert_eq!((planes.u[0], planes.v[0]), (90, 240));
    }
}
