//! Bilinear sampling along one axis: the taps of every output sample, and rows resampled once and kept. PURE.
//!
//! A tap is a left sample and the weight of its right neighbour in 1/128, so that an output is
//! `(left * (128 - weight) + right * weight + 64) >> 7`. Weights of 7 bits let one byte multiply-add do both products.

use std::ops::Range;

use super::{kernel::Isa, planes::Plane};

/// Outputs that are resampled together; row buffers are padded to a multiple of it.
pub const BLOCK: usize = 32;

/// Outputs that share one window of 16 source bytes.
const GROUP: usize = 8;
/// Bytes in a window. At up to 2 source samples per output, 8 outputs always fit into it.
const WINDOW: usize = 16;

/// The gathering of 32 outputs by byte shuffles: four groups of 8 outputs, each from its own 16-byte window.
///
/// Groups lie in the order 0, 2, 1, 3, so that packing two 256-bit vectors lane by lane leaves outputs in order.
#[derive(Debug, Clone)]
#[repr(C, align(32))]
pub struct Gather {
    /// Shuffle masks: for each output the offsets of its left and right sample in its window.
    pub masks: [[u8; 32]; 2],
    /// Weights of the left and the right sample, at most 127 each (a lone sample is taken as 64 + 64).
    pub weights: [[u8; 32]; 2],
    /// Beginnings of the windows of groups 0 to 3 in the source row.
    pub windows: [u32; 4],
}

/// The taps of all output samples along one axis.
#[derive(Debug, Default)]
pub struct Axis {
    left: Vec<u32>,
    weight: Vec<u8>,
    gathers: Vec<Gather>,
    /// The first tap, where outputs are neighbouring source samples as they are.
    offset: Option<usize>,
    descending: bool,
}

impl Axis {
    /// Lays out `count` outputs over `samples` (at least 1) source samples; `position` gives an output's place, where
    /// 0.0 is the first sample's centre. Places outside are moved to the nearest sample.
    pub fn rebuild(&mut self, samples: usize, count: usize, position: impl Fn(usize) -> f64) {
        let last = samples - 1;
        self.left.clear();
        self.weight.clear();
        for index in 0..count {
            let place = position(index).clamp(0.0, last as f64);
            let mut left = place as usize;
            let mut weight = ((place - left as f64) * 128.0).round() as u8;
            if weight == 128 {
                (left, weight) = (left + 1, 0);
            }
            if left >= last {
                (left, weight) = (last, 0);
            }
            self.left.push(left as u32);
            self.weight.push(weight);
        }
        self.descending = count > 1 && self.left[0] > self.left[count - 1];
        let first = self.left.first().map_or(0, |&left| left as usize);
        let as_is = self.weight.iter().all(|&weight| weight == 0)
            && self.left.iter().enumerate().all(|(index, &left)| left as usize == first + index);
        self.offset = as_is.then_some(first);
        self.rebuild_gathers(samples);
    }

    /// Leaves `gathers` empty where windows do not fit: sources under 16 samples, or steps over 2 samples.
    fn rebuild_gathers(&mut self, samples: usize) {
        self.gathers.clear();
        if samples < WINDOW {
            return;
        }
        for block in 0..self.left.len().div_ceil(BLOCK) {
            let mut gather = Gather { masks: [[0x80; 32]; 2], weights: [[0; 32]; 2], windows: [0; 4] };
            for group in 0..BLOCK / GROUP {
                let start = block * BLOCK + group * GROUP;
                let outputs = start..(start + GROUP).min(self.left.len());
                let Some(lowest) = self.left.get(outputs.clone()).and_then(|left| left.iter().min()) else { break };
                let window = (*lowest as usize).min(samples - WINDOW);
                let (half, lane) = (group % 2, group / 2);
                gather.windows[group] = window as u32;
                for (slot, output) in outputs.enumerate() {
                    let (left, right) = (self.left[output] as usize - window, self.right(output) - window);
                    if left.max(right) >= WINDOW {
                        self.gathers.clear();
                        return;
                    }
                    let byte = lane * WINDOW + 2 * slot;
                    gather.masks[half][byte..byte + 2].copy_from_slice(&[left as u8, right as u8]);
                    let weight = self.weight[output];
                    let pair = if weight == 0 { [64, 64] } else { [128 - weight, weight] };
                    gather.weights[half][byte..byte + 2].copy_from_slice(&pair);
                }
            }
            self.gathers.push(gather);
        }
    }

    /// Returns how many outputs there are.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Returns whether there are no outputs.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Returns the left sample of an output and the weight of the sample after it, 0 to 127 of 128.
    ///
    /// # Panics
    /// If there is no such output.
    #[inline]
    pub fn tap(&self, output: usize) -> (usize, u8) {
        (self.left[output] as usize, self.weight[output])
    }

    /// Returns the right sample of an output; the left one where it has no weight.
    #[inline]
    pub fn right(&self, output: usize) -> usize {
        self.left[output] as usize + usize::from(self.weight[output] != 0)
    }

    /// Returns the shuffles of every block of 32 outputs; empty where this axis does not allow them.
    pub fn gathers(&self) -> &[Gather] {
        &self.gathers
    }

    /// Returns all outputs that take anything of these source samples.
    fn outputs_of(&self, samples: Range<usize>) -> Range<usize> {
        if samples.is_empty() {
            return 0..0;
        }
        let (first, end) = (samples.start, samples.end);
        if self.descending {
            let start = self.left.partition_point(|&left| left as usize >= end);
            start..self.left.partition_point(|&left| left as usize + 1 >= first).max(start)
        } else {
            let start = self.left.partition_point(|&left| (left as usize + 1) < first);
            start..self.left.partition_point(|&left| (left as usize) < end).max(start)
        }
    }
}

/// Returns the blocks of 32 outputs that cover a span of outputs.
fn blocks(span: &Range<usize>) -> Range<usize> {
    span.start / BLOCK..span.end.div_ceil(BLOCK)
}

/// Returns where a row is not zero, rounded outwards to 32 samples.
fn nonzero(row: &[u8]) -> Range<usize> {
    let any = |part: &[u8]| part.iter().fold(0, |all, &sample| all | sample) != 0;
    let Some(first) = row.chunks(BLOCK).position(any) else { return 0..0 };
    let last = row.chunks(BLOCK).rposition(any).unwrap_or(first);
    first * BLOCK..((last + 1) * BLOCK).min(row.len())
}

#[derive(Debug, Default)]
struct Kept {
    /// Source row that is kept, if any.
    row: Option<usize>,
    /// Blocks of `data` that are filled.
    filled: Range<usize>,
    /// Outputs that may be other than zero; kept for alpha only.
    span: Range<usize>,
    data: Vec<u8>,
}

/// The last two source rows of one plane, resampled along x as far as anyone asked.
///
/// Going down the picture, an enlarged row is needed by several output rows, but resampled once.
#[derive(Debug, Default)]
pub struct Rows {
    /// Even and odd source rows.
    kept: [Kept; 2],
}

impl Rows {
    /// Forgets the rows (a new frame) and makes room for `outputs` samples.
    pub fn restart(&mut self, outputs: usize) {
        for kept in &mut self.kept {
            kept.row = None;
            kept.data.resize(outputs.next_multiple_of(BLOCK), 0);
        }
    }

    /// Makes the kept row hold `row` over `span`.
    fn keep(&mut self, isa: Isa, plane: &Plane, axis: &Axis, row: usize, span: &Range<usize>) {
        let kept = &mut self.kept[row % 2];
        let wanted = blocks(span);
        if kept.row != Some(row) {
            isa.resample(&mut kept.data, plane.row(row), axis, wanted.clone());
            (kept.row, kept.filled) = (Some(row), wanted);
            return;
        }
        if wanted.start < kept.filled.start {
            isa.resample(&mut kept.data, plane.row(row), axis, wanted.start..kept.filled.start);
            kept.filled.start = wanted.start;
        }
        if wanted.end > kept.filled.end {
            isa.resample(&mut kept.data, plane.row(row), axis, kept.filled.end..wanted.end);
            kept.filled.end = wanted.end;
        }
    }

    /// Returns the source rows `top` and, if it has any weight, the one below it, resampled along x over `span` of the
    /// outputs (not empty). Without weight both are the upper row.
    pub fn pair<'a>(
        &'a mut self,
        isa: Isa,
        plane: &Plane<'a>,
        axis: &Axis,
        (top, weight): (usize, u8),
        span: Range<usize>,
    ) -> (&'a [u8], &'a [u8]) {
        let bottom = top + usize::from(weight != 0);
        if let Some(offset) = axis.offset {
            let samples = offset + span.start..offset + span.end;
            return (&plane.row(top)[samples.clone()], &plane.row(bottom)[samples]);
        }
        self.keep(isa, plane, axis, top, &span);
        if bottom != top {
            self.keep(isa, plane, axis, bottom, &span);
        }
        (&self.kept[top % 2].data[span.clone()], &self.kept[bottom % 2].data[span])
    }

    /// Works as [`Rows::pair`] for an alpha plane: it finds the span by itself, outside which the output row is
    /// transparent.
    pub fn alpha_pair<'a>(
        &'a mut self,
        isa: Isa,
        plane: &Plane<'a>,
        axis: &Axis,
        (top, weight): (usize, u8),
    ) -> (Range<usize>, &'a [u8], &'a [u8]) {
        let bottom = top + usize::from(weight != 0);
        for row in top..=bottom {
            let kept = &mut self.kept[row % 2];
            if kept.row == Some(row) {
                continue;
            }
            kept.row = Some(row);
            kept.span = axis.outputs_of(nonzero(plane.row(row)));
            if axis.offset.is_none() {
                kept.data.fill(0);
                isa.resample(&mut kept.data, plane.row(row), axis, blocks(&kept.span));
            }
        }
        let [upper, lower] = [&self.kept[top % 2], &self.kept[bottom % 2]];
        let span = union(upper.span.clone(), lower.span.clone());
        let (a, b) = match axis.offset {
            Some(offset) if !span.is_empty() => {
                let samples = offset + span.start..offset + span.end;
                (&plane.row(top)[samples.clone()], &plane.row(bottom)[samples])
            }
            _ => (&upper.data[span.clone()], &lower.data[span.clone()]),
        };
        (span, a, b)
    }
}

/// Returns the smallest range that covers both; an empty one does not count.
pub fn union(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => 0..0,
        (true, false) => b,
        (false, true) => a,
        (false, false) => a.start.min(b.start)..a.end.max(b.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(samples: usize, count: usize, position: impl Fn(usize) -> f64) -> Axis {
        let mut axis = Axis::default();
        axis.rebuild(samples, count, position);
        axis
    }

    fn resample(axis: &Axis, row: &[u8]) -> Vec<u8> {
        let mut out = vec![0; axis.len().next_multiple_of(BLOCK)];
        Isa::PLAIN.resample(&mut out, row, axis, 0..axis.len().div_ceil(BLOCK));
        out.truncate(axis.len());
        out
    }

    #[test]
    fn a_ramp_of_twice_the_size_has_quarter_steps() {
        let axis = axis(4, 8, |x| (x as f64 + 0.5) / 2.0 - 0.5);
        assert_eq!(resample(&axis, &[0, 40, 80, 120]), [0, 10, 30, 50, 70, 90, 110, 120]);
    }

    #[test]
    fn places_outside_take_the_edge() {
        let axis = axis(3, 5, |x| x as f64 * 10.0 - 20.0);
        assert_eq!(resample(&axis, &[7, 8, 9]), [7, 7, 7, 9, 9]);
    }

    #[test]
    fn neighbours_as_they_are_need_no_resampling() {
        assert_eq!(axis(40, 20, |x| x as f64 + 3.0).offset, Some(3));
        assert_eq!(axis(40, 20, |x| x as f64 + 3.25).offset, None);
        assert_eq!(axis(40, 20, |x| 30.0 - x as f64).offset, None);
    }

    #[test]
    fn windows_hold_up_to_two_samples_a_step() {
        for start in 0..16 {
            let start = f64::from(start) / 16.0;
            assert_eq!(axis(400, 150, |x| start + x as f64 * 2.0).gathers().len(), 5);
            assert_eq!(axis(400, 150, |x| 399.0 - start - x as f64 * 2.0).gathers().len(), 5);
        }
        assert!(axis(400, 150, |x| x as f64 * 2.3).gathers().is_empty());
        assert!(axis(15, 64, |x| x as f64 / 5.0).gathers().is_empty());
    }

    #[test]
    fn outputs_of_a_span_are_all_that_see_it() {
        for mirror in [false, true] {
            let axis = axis(40, 64, |x| {
                let place = (x as f64 + 0.5) * 40.0 / 64.0 - 0.5;
                if mirror { 39.0 - place } else { place }
            });
            let mut row = [0; 40];
            row[17..19].fill(255);
            let outputs = axis.outputs_of(17..19);
            let seen = resample(&axis, &row);
            for (output, &sample) in seen.iter().enumerate() {
                assert!(sample == 0 || outputs.contains(&output), "{output} of {outputs:?}");
            }
            assert!(outputs.len() < 8, "{outputs:?}");
        }
    }

    #[test]
    fn finds_where_a_row_is_not_zero() {
        let mut row = [0; 100];
        assert!(nonzero(&row).is_empty());
        row[40] = 1;
        assert_eq!(nonzero(&row), 32..64);
        row[99] = 1;
        assert_eq!(nonzero(&row), 32..100);
    }

    #[test]
    fn kept_rows_grow_on_demand() {
        let data: Vec<u8> = (0..3 * 100).map(|i| (i * 7 % 251) as u8).collect();
        let plane = Plane { data: &data, stride: 100, width: 100, height: 3 };
        let axis = axis(100, 160, |x| x as f64 * 0.6);
        let whole = [resample(&axis, plane.row(0)), resample(&axis, plane.row(1)), resample(&axis, plane.row(2))];
        let mut rows = Rows::default();
        rows.restart(axis.len());
        for (top, span) in [(0, 70..75), (0, 10..80), (1, 100..160), (1, 0..3), (1, 40..160), (0, 5..9), (0, 5..40)] {
            let (a, b) = rows.pair(Isa::PLAIN, &plane, &axis, (top, 1), span.clone());
            assert_eq!((a, b), (&whole[top][span.clone()], &whole[top + 1][span]));
        }
    }
}
