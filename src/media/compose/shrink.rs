//! A composed picture at half its size, for the smaller renditions. PURE.

use super::{
    halve::{Halver, Halvings},
    kernel::Isa,
    planes::{Plane, Planes, PlanesMut},
};

/// Halves pictures; its memory is used again and again.
#[derive(Debug)]
pub struct Shrinker {
    isa: Isa,
    halver: Halver,
}

impl Default for Shrinker {
    fn default() -> Self {
        Self { isa: Isa::detect(), halver: Halver::default() }
    }
}

impl Shrinker {
    /// Fills `to` with `from` at half its width and height. Where `to` is larger by a row or column, so that its own
    /// sides are even, the last one is repeated; where it is smaller, the rest is left out.
    pub fn halve(&mut self, from: &Planes<'_>, to: &mut PlanesMut<'_>) {
        let [u, v] = from.chroma();
        let (width, height) = (to.width, to.height);
        let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
        self.plane(from.luma(), to.y, to.y_stride, (width, height));
        self.plane(u, to.u, to.u_stride, (chroma_width, chroma_height));
        self.plane(v, to.v, to.v_stride, (chroma_width, chroma_height));
    }

    fn plane(&mut self, from: Plane<'_>, to: &mut [u8], stride: usize, (width, height): (usize, usize)) {
        let half = self.halver.halve(self.isa, from, Halvings { x: 1, y: 1 });
        if half.width == 0 || half.height == 0 {
            return;
        }
        for (y, row) in to.chunks_mut(stride.max(1)).take(height).enumerate() {
            let source = half.row(y.min(half.height - 1));
            let own = width.min(source.len()).min(row.len());
            row[..own].copy_from_slice(&source[..own]);
            let edge = width.min(row.len());
            row[own..edge].fill(source[source.len() - 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::compose::planes::I420;

    #[test]
    fn each_pixel_is_the_mean_of_four_and_edges_are_repeated() {
        let mut from = I420::new(6, 6, false);
        let planes = from.planes_mut();
        for (index, byte) in planes.y.iter_mut().enumerate() {
            *byte = (index % 6 * 20) as u8;
        }
        planes.u.fill(90);
        planes.v.fill(170);
        let mut to = I420::new(4, 4, false);
        Shrinker::default().halve(&from.planes(), &mut to.planes_mut());
        let made = to.planes();
        let rows: Vec<&[u8]> = made.y.chunks(4).collect();
        assert_eq!(rows, [[10, 50, 90, 90]; 4]);
        assert!(made.u.iter().all(|byte| *byte == 90) && made.v.iter().all(|byte| *byte == 170));
    }
}
