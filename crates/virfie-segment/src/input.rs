//! PURE: a frame as the network wants it: scaled by area, RGB, normalised.

use super::{grid::Alignment, window::Region};

/// A decoded picture, 4:2:0, 8 bit, limited range. Chroma planes are `ceil(width/2)` x `ceil(height/2)`.
#[derive(Debug, Clone, Copy)]
pub struct Yuv<'a> {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Luma and its stride in bytes.
    pub y: (&'a [u8], usize),
    /// Cb and its stride.
    pub u: (&'a [u8], usize),
    /// Cr and its stride.
    pub v: (&'a [u8], usize),
}

impl<'a> Yuv<'a> {
    /// Returns a part of it, which must lie inside; an odd place is moved up and left by one.
    pub fn part(&self, region: Region) -> Self {
        let from = |(plane, stride): (&'a [u8], usize), shift: u32| {
            (&plane[(region.y >> shift) * stride + (region.x >> shift)..], stride)
        };
        Self { width: region.width, height: region.height, y: from(self.y, 0), u: from(self.u, 1), v: from(self.v, 1) }
    }
}

/// Averages blocks of a plane down (or repeats samples up) to a fixed size; tables are made once.
#[derive(Debug, Clone)]
struct AreaScaler {
    columns: Vec<(u32, u32)>,
    rows: Vec<(u32, u32)>,
    sums: Vec<u32>,
}

impl AreaScaler {
    fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        Self { columns: spans(from.0, to.0), rows: spans(from.1, to.1), sums: vec![0; from.0] }
    }

    /// Writes row `row` of the result into `out`, as means 0.0..=255.0.
    fn row(&mut self, plane: &[u8], stride: usize, row: usize, out: &mut [f32]) {
        let (first, last) = self.rows[row];
        let width = self.sums.len();
        self.sums.fill(0);
        for line in first..last {
            let start = line as usize * stride;
            for (sum, sample) in self.sums.iter_mut().zip(&plane[start..start + width]) {
                *sum += u32::from(*sample);
            }
        }
        let lines = last - first;
        for (out, &(begin, end)) in out.iter_mut().zip(&self.columns) {
            let sum: u32 = self.sums[begin as usize..end as usize].iter().sum();
            *out = sum as f32 / (lines * (end - begin)) as f32;
        }
    }
}

/// Returns for every target sample the half-open span of source samples that it averages; never empty.
fn spans(from: usize, to: usize) -> Vec<(u32, u32)> {
    (0..to)
        .map(|index| {
            let begin = index * from / to;
            let end = ((index + 1) * from / to).clamp(begin + 1, from.max(begin + 1));
            (begin as u32, end as u32)
        })
        .collect()
}

/// Turns frames of one size into network inputs of one size.
#[derive(Debug, Clone)]
pub struct Preparer {
    frame: (usize, usize),
    target: (usize, usize),
    luma: AreaScaler,
    chroma: AreaScaler,
    rows: [Vec<f32>; 3],
}

impl Preparer {
    /// Frames of `frame` (width, height) to inputs of `target` (width, height), all in pixels and at least 1.
    pub fn new(frame: (usize, usize), target: (usize, usize)) -> Self {
        let chroma = (frame.0.div_ceil(2), frame.1.div_ceil(2));
        Self {
            frame,
            target,
            luma: AreaScaler::new(frame, target),
            chroma: AreaScaler::new(chroma, target),
            rows: std::array::from_fn(|_| vec![0.0; target.0]),
        }
    }

    /// Returns the frame size that this was made for.
    pub fn frame(&self) -> (usize, usize) {
        self.frame
    }

    /// Writes `height * width * 3` values, NHWC, RGB in -1.0..=1.0 (`x / 127.5 - 1`), from a BT.601 limited-range
    /// frame.
    pub fn prepare(&mut self, yuv: &Yuv<'_>, out: &mut [f32]) {
        debug_assert_eq!((yuv.width, yuv.height), self.frame);
        let [y, u, v] = &mut self.rows;
        for (row, out) in out.chunks_exact_mut(self.target.0 * 3).take(self.target.1).enumerate() {
            self.luma.row(yuv.y.0, yuv.y.1, row, y);
            self.chroma.row(yuv.u.0, yuv.u.1, row, u);
            self.chroma.row(yuv.v.0, yuv.v.1, row, v);
            for (((rgb, y), u), v) in out.chunks_exact_mut(3).zip(&*y).zip(&*u).zip(&*v) {
                let (y, u, v) = ((y - 16.0) * 1.164_383, u - 128.0, v - 128.0);
                let colour = [y + 1.596_027 * v, y - 0.391_762 * u - 0.812_968 * v, y + 2.017_232 * u];
                for (value, colour) in rgb.iter_mut().zip(colour) {
                    *value = colour.clamp(0.0, 255.0) / 127.5 - 1.0;
                }
            }
        }
    }
}

/// Pixels of the network's input, from pixels of the canvas that the picture covers on. A larger input sees finer edges
/// and costs as much more: measured, 385x225 has a boundary F of a tenth more than 257x145, which has a tenth more than
/// 193x113. Beyond it, near people fall apart, whom the network was not trained to see that large.
const AREAS: [(u32, usize); 4] =
    [(0, 193 * 113), (400 * 225, 257 * 145), (720 * 405, 321 * 177), (1000 * 560, 385 * 225)];

/// Returns pixels of the network's input for a picture that covers `pixels` of the canvas: small pictures show no
/// detail that a larger input would bring, and large ones show every jag of a small one.
pub fn area_for(pixels: u32) -> usize {
    AREAS.iter().rev().find(|(from, _)| pixels >= *from).map_or(AREAS[0].1, |(_, area)| *area)
}

/// Returns by how many sizes an input of `area` pixels could be smaller.
pub fn spare_sizes(area: usize) -> u32 {
    let smaller = AREAS.iter().filter(|(_, own)| *own < area).count();
    u32::try_from(smaller).unwrap_or(0)
}

/// Returns pixels of an input that is by so many sizes smaller than one of `area` pixels; the smallest stays.
pub fn smaller_area(area: usize, sizes: u32) -> usize {
    if sizes == 0 {
        return area;
    }
    let left = spare_sizes(area).saturating_sub(sizes) as usize;
    AREAS[left].1.min(area)
}

/// Returns the network's input size for a frame: sides `16k + 1`, or `16k` where values lie in cells; about `area`
/// pixels, the frame's aspect.
pub fn input_size(frame: (usize, usize), area: usize, alignment: Alignment) -> (usize, usize) {
    let aspect = frame.0 as f64 / frame.1.max(1) as f64;
    let height = (area as f64 / aspect).sqrt();
    let more = usize::from(alignment == Alignment::Ends);
    let side = |length: f64| ((length - more as f64) / 16.0).round().clamp(4.0, 64.0) as usize * 16 + more;
    (side(height * aspect), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_multiples_of_sixteen_plus_one_in_the_frames_aspect() {
        let ends = |frame| input_size(frame, 257 * 145, Alignment::Ends);
        assert_eq!(ends((640, 360)), (257, 145));
        assert_eq!(ends((640, 480)), (225, 161));
        assert_eq!(ends((360, 640)), (145, 257));
        assert_eq!(ends((1, 4000)), (65, 1025));
    }

    #[test]
    fn sides_are_multiples_of_sixteen_where_values_lie_in_cells() {
        let cells = |frame| input_size(frame, 257 * 145, Alignment::Cells);
        assert_eq!(cells((640, 360)), (256, 144));
        assert_eq!(cells((640, 480)), (224, 160));
        assert_eq!(cells((360, 640)), (144, 256));
        assert_eq!(cells((1, 4000)), (64, 1024));
    }

    #[test]
    fn larger_pictures_on_the_canvas_get_larger_inputs() {
        let input = |width: u32, height: u32| input_size((640, 360), area_for(width * height), Alignment::Ends);
        assert_eq!(input(0, 0), (193, 113));
        assert_eq!(input(320, 180), (193, 113));
        assert_eq!(input(640, 360), (257, 145));
        assert_eq!(input(880, 495), (321, 177));
        assert_eq!(input(1280, 720), (385, 225));
        assert_eq!(input(3840, 2160), (385, 225));
    }

    #[test]
    fn inputs_become_smaller_size_by_size_down_to_the_smallest() {
        let large = area_for(1280 * 720);
        assert_eq!(spare_sizes(large), 3);
        assert_eq!([0, 1, 3, 9].map(|sizes| smaller_area(large, sizes)), [385 * 225, 321 * 177, 193 * 113, 193 * 113]);
        assert_eq!((spare_sizes(193 * 113), smaller_area(193 * 113, 2)), (0, 193 * 113));
        assert_eq!(smaller_area(100, 2), 100, "somebody's own small size is not made larger");
    }

    #[test]
    fn a_grey_frame_becomes_grey_and_red_becomes_red() {
        let (y, u, v) = ([81u8; 64], [90u8; 16], [240u8; 16]);
        let yuv = Yuv { width: 8, height: 8, y: (&y, 8), u: (&u, 4), v: (&v, 4) };
        let mut out = vec![0.0; 3 * 3 * 3];
        Preparer::new((8, 8), (3, 3)).prepare(&yuv, &mut out);
        for rgb in out.chunks_exact(3) {
            assert!(rgb[0] > 0.98 && rgb[1] < -0.98 && rgb[2] < -0.98, "{rgb:?}");
        }
    }

    #[test]
    fn blocks_are_averaged_and_small_frames_are_repeated() {
        let plane: Vec<u8> = (0..16).map(|value| value * 10).collect();
        let mut out = [0.0; 2];
        AreaScaler::new((4, 4), (2, 2)).row(&plane, 4, 0, &mut out);
        assert_eq!(out, [25.0, 45.0]);
        let mut out = [0.0; 4];
        AreaScaler::new((2, 1), (4, 1)).row(&[10, 20], 2, 0, &mut out);
        assert_eq!(out, [10.0, 10.0, 20.0, 20.0]);
    }
}
