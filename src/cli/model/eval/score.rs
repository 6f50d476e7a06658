//! Quality of a mask. PURE.
//!
//! A mask keeps a pixel from alpha 128 on. IoU is the share of pixels that both keep of those that one keeps. The
//! boundary F measure (Martin, Fowlkes, Malik 2004; Csurka et al. 2013) looks at edges alone: a pixel is on the edge
//! if one beside, above or below it is of the other kind; precision is the share of the mask's edge that lies within
//! [`TOLERANCE`] of the truth's, recall the share of the truth's edge that lies so near to the mask's, and F is
//! `2 P R / (P + R)`. The rim of the picture is no edge.

/// Distance by which an edge may be off, in pixels.
pub const TOLERANCE: usize = 4;

/// Alpha from which on a pixel is kept.
pub const KEPT: u8 = 128;

/// Width and height in pixels.
pub type Size = (usize, usize);

/// The verdict of the truth of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Background,
    Person,
    Unknown,
}

/// The part of a picture that should be kept.
#[derive(Debug, Clone)]
pub struct Truth {
    size: Size,
    labels: Vec<Label>,
    /// Indices of pixels on the edge.
    edge: Vec<usize>,
    /// Within the tolerance of the edge.
    near: Vec<bool>,
}

/// Of one mask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// 0.0..=1.0.
    pub iou: f64,
    /// 0.0..=1.0.
    pub boundary: f64,
}

impl Truth {
    /// Creates one from a mask of `size.0 * size.1` bytes: 255 a person, 0 background, and 128 what nobody knows.
    ///
    /// # Panics
    /// If `mask` is shorter.
    pub fn new(mask: &[u8], size: Size) -> Self {
        let labels: Vec<Label> = mask[..size.0 * size.1]
            .iter()
            .map(|&value| match value {
                128 => Label::Unknown,
                129.. => Label::Person,
                _ => Label::Background,
            })
            .collect();
        let kinds = (Label::Person, Label::Background);
        let edge = edge(size, |one, other| {
            let pair = (labels[one], labels[other]);
            pair == kinds || pair == (kinds.1, kinds.0)
        });
        let near = spread(&edge, size);
        Self { size, labels, edge, near }
    }

    /// Returns whether there is a person at all.
    pub fn has_person(&self) -> bool {
        self.labels.contains(&Label::Person)
    }

    /// Returns the share of the picture that people cover.
    pub fn share(&self) -> f64 {
        let people = self.labels.iter().filter(|label| **label == Label::Person).count();
        people as f64 / self.labels.len().max(1) as f64
    }

    /// Returns rows from the highest pixel of a person to the lowest; 0 without one.
    pub fn height(&self) -> usize {
        let row = |index: usize| index / self.size.0;
        let is_person = |label: &Label| *label == Label::Person;
        let first = self.labels.iter().position(is_person);
        let last = self.labels.iter().rposition(is_person);
        first.zip(last).map_or(0, |(first, last)| row(last) - row(first) + 1)
    }

    /// Compares a mask of the same size. Where nobody is and nothing is kept, both figures are 1.
    ///
    /// # Panics
    /// If `alpha` is shorter than the picture has pixels.
    pub fn score(&self, alpha: &[u8]) -> Score {
        let (mut both, mut either) = (0u64, 0u64);
        for (&alpha, &label) in alpha[..self.labels.len()].iter().zip(&self.labels) {
            if label != Label::Unknown {
                let (kept, person) = (alpha >= KEPT, label == Label::Person);
                both += u64::from(kept && person);
                either += u64::from(kept || person);
            }
        }
        let iou = if either == 0 { 1.0 } else { both as f64 / either as f64 };
        Score { iou, boundary: self.boundary(alpha) }
    }

    fn boundary(&self, alpha: &[u8]) -> f64 {
        let mut edge = edge(self.size, |one, other| (alpha[one] >= KEPT) != (alpha[other] >= KEPT));
        edge.retain(|&pixel| self.labels[pixel] != Label::Unknown);
        if edge.is_empty() || self.edge.is_empty() {
            return if edge.is_empty() && self.edge.is_empty() { 1.0 } else { 0.0 };
        }
        let found = spread(&edge, self.size);
        let share = |edge: &[usize], near: &[bool]| {
            edge.iter().filter(|&&pixel| near[pixel]).count() as f64 / edge.len() as f64
        };
        let (precision, recall) = (share(&edge, &self.near), share(&self.edge, &found));
        if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
    }
}

/// Returns how much a mask changes from one frame to the next where it should not: the mean of `|alpha - last alpha| /
/// 255` over the pixels that the truth calls the same in both frames and that lie farther than [`TOLERANCE`] from where
/// it changes, so that a moving edge is not called flicker. `None` if there are no such pixels.
///
/// # Panics
/// If the truths differ in size, or a mask is shorter than they are.
pub fn flicker(last: (&Truth, &[u8]), this: (&Truth, &[u8])) -> Option<f64> {
    assert_eq!(last.0.size, this.0.size, "frames of one clip have one size");
    let pairs = last.0.labels.iter().zip(&this.0.labels);
    let changed: Vec<usize> = pairs.enumerate().filter(|(_, (one, other))| one != other).map(|(at, _)| at).collect();
    let moved = spread(&changed, this.0.size);
    let (mut sum, mut pixels) = (0u64, 0u64);
    for (pixel, label) in this.0.labels.iter().enumerate() {
        if !moved[pixel] && *label != Label::Unknown {
            sum += u64::from(last.1[pixel].abs_diff(this.1[pixel]));
            pixels += 1;
        }
    }
    (pixels > 0).then(|| sum as f64 / 255.0 / pixels as f64)
}

/// Returns the share of pixels that a mask keeps.
pub fn kept(alpha: &[u8]) -> f64 {
    alpha.iter().filter(|&&alpha| alpha >= KEPT).count() as f64 / alpha.len().max(1) as f64
}

/// Returns pixels that differ from one beside, above or below them, in order.
fn edge((width, height): Size, differ: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut on = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let at = row * width + column;
            let beside = (column > 0 && differ(at, at - 1)) || (column + 1 < width && differ(at, at + 1));
            if beside || (row > 0 && differ(at, at - width)) || (row + 1 < height && differ(at, at + width)) {
                on.push(at);
            }
        }
    }
    on
}

/// Returns all pixels within [`TOLERANCE`] of one of `pixels`, by Euclid's distance: a disk is drawn round each.
fn spread(pixels: &[usize], (width, height): Size) -> Vec<bool> {
    let mut near = vec![false; width * height];
    let reach = |down: usize| ((TOLERANCE * TOLERANCE - down * down) as f64).sqrt() as usize;
    let reaches: [usize; TOLERANCE + 1] = std::array::from_fn(reach);
    for &pixel in pixels {
        let (column, row) = (pixel % width, pixel / width);
        for line in row.saturating_sub(TOLERANCE)..(row + TOLERANCE + 1).min(height) {
            let reach = reaches[line.abs_diff(row)];
            let (first, last) = (column.saturating_sub(reach), (column + reach).min(width - 1));
            near[line * width + first..=line * width + last].fill(true);
        }
    }
    near
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SIZE: Size = (80, 60);

    /// Returns a block of 30 x 30 pixels whose upper left corner is there.
    fn block(left: usize, top: usize) -> Vec<u8> {
        let inside = |at: usize| {
            let (column, row) = (at % SIZE.0, at / SIZE.0);
            (left..left + 30).contains(&column) && (top..top + 30).contains(&row)
        };
        (0..SIZE.0 * SIZE.1).map(|at| if inside(at) { 255 } else { 0 }).collect()
    }

    fn score(truth: &[u8], alpha: &[u8]) -> Score {
        Truth::new(truth, SIZE).score(alpha)
    }

    #[test]
    fn a_perfect_mask_scores_one() {
        assert_eq!(score(&block(20, 15), &block(20, 15)), Score { iou: 1.0, boundary: 1.0 });
    }

    #[test]
    fn a_mask_within_the_tolerance_has_all_its_edges_right_and_one_beyond_has_not() {
        let near = score(&block(20, 15), &block(23, 15));
        assert_eq!(near.boundary, 1.0);
        assert!((near.iou - 27.0 / 33.0).abs() < 1e-9, "{near:?}");
        // Ten to the side and ten down: the edges only cross each other.
        let far = score(&block(20, 15), &block(30, 25));
        assert!(far.boundary < 0.4, "{far:?}");
        let small = |value: usize| (0..SIZE.0 * SIZE.1).map(|at| if at % SIZE.0 < value { 255 } else { 0 }).collect();
        let (truth, alpha): (Vec<u8>, Vec<u8>) = (small(20), small(28));
        assert_eq!(score(&truth, &alpha).boundary, 0.0, "a straight edge, 8 pixels off");
    }

    #[test]
    fn the_tolerance_is_a_disk() {
        let near = spread(&[30 * SIZE.0 + 40], SIZE);
        let is_near = |right: usize, down: usize| near[(30 + down) * SIZE.0 + 40 + right];
        assert!(is_near(4, 0) && is_near(0, 4) && is_near(2, 3) && !is_near(5, 0) && !is_near(3, 3));
        assert_eq!(near.iter().filter(|&&near| near).count(), 49);
    }

    #[test]
    fn an_empty_picture_wants_an_empty_mask() {
        let empty = vec![0; SIZE.0 * SIZE.1];
        assert_eq!(score(&empty, &empty), Score { iou: 1.0, boundary: 1.0 });
        assert_eq!(score(&empty, &block(20, 15)), Score { iou: 0.0, boundary: 0.0 });
        assert_eq!(score(&block(20, 15), &empty), Score { iou: 0.0, boundary: 0.0 });
        assert!(!Truth::new(&empty, SIZE).has_person());
    }

    #[test]
    fn what_nobody_knows_is_left_out() {
        let mut truth = block(20, 15);
        // The right half of the picture, and of the block.
        for (at, value) in truth.iter_mut().enumerate() {
            if at % SIZE.0 >= 35 {
                *value = 128;
            }
        }
        assert_eq!(score(&truth, &block(20, 15)), Score { iou: 1.0, boundary: 1.0 });
        let mut alpha = block(20, 15);
        for (at, value) in alpha.iter_mut().enumerate() {
            if at % SIZE.0 >= 50 {
                *value = 255;
            }
        }
        let found = score(&truth, &alpha);
        assert_eq!(found.iou, 1.0);
        assert_eq!(found.boundary, 1.0);
    }

    #[test]
    fn the_rim_of_the_picture_is_no_edge() {
        let whole = vec![255; SIZE.0 * SIZE.1];
        assert_eq!(score(&whole, &whole), Score { iou: 1.0, boundary: 1.0 });
        assert!(Truth::new(&whole, SIZE).edge.is_empty());
    }

    #[test]
    fn what_stays_does_not_flicker_and_what_moves_is_not_called_flicker() {
        let (still, moved) = (Truth::new(&block(20, 15), SIZE), Truth::new(&block(22, 15), SIZE));
        assert_eq!(flicker((&still, &block(20, 15)), (&still, &block(20, 15))), Some(0.0));
        assert_eq!(flicker((&still, &block(20, 15)), (&moved, &block(22, 15))), Some(0.0));
        // A block in a corner comes and goes: 900 of 4800 pixels, and a quarter as much at a quarter of the alpha.
        let flash = block(0, 0);
        let empty = vec![0; SIZE.0 * SIZE.1];
        let nobody = Truth::new(&empty, SIZE);
        let whole = flicker((&nobody, &empty), (&nobody, &flash)).unwrap();
        assert!((whole - 900.0 / 4800.0).abs() < 1e-9, "{whole}");
        let faint: Vec<u8> = flash.iter().map(|alpha| alpha / 5).collect();
        let part = flicker((&nobody, &empty), (&nobody, &faint)).unwrap();
        assert!((part - whole / 5.0).abs() < 1e-9, "{part}");
        // Where all is in motion, there is nothing to say.
        let everybody = Truth::new(&vec![255; SIZE.0 * SIZE.1], SIZE);
        assert_eq!(flicker((&nobody, &empty), (&everybody, &empty)), None);
    }

    #[test]
    fn the_kept_share_counts_from_half_on() {
        assert_eq!(kept(&[0, 127, 128, 255]), 0.5);
        assert_eq!(kept(&[]), 0.0);
    }
}
