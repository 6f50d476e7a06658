//! PURE: from the network's coarse logits to a soft alpha plane of the frame's size.

/// How a mask is made from logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskOptions {
    /// Probability at which a pixel is half transparent, 0.05..=0.95.
    pub threshold: f32,
    /// Share of the last mask that stays where little changed, 0.0..=0.95.
    pub smoothing: f32,
}

impl Default for MaskOptions {
    fn default() -> Self {
        Self { threshold: 0.5, smoothing: 0.3 }
    }
}

/// Half the width of the ramp from transparent to opaque, in probability: narrow enough that no veil of the old
/// background stays, wide enough that the 16-pixel steps of the grid do not show as stairs.
const RAMP: f32 = 0.2;

/// A change of probability beyond which the last mask counts for nothing: movement must not leave a ghost.
const MOVEMENT: f32 = 0.35;

/// Turns logits into alpha, frame after frame. Grid point `(i, j)` of a stride-16 network lies at input pixel
/// `(16 i, 16 j)`, so first and last grid points lie on the frame's edges.
#[derive(Debug, Clone, Default)]
pub struct MaskMaker {
    grid: (usize, usize),
    probabilities: Vec<f32>,
    ramp: Vec<f32>,
    rows: Vec<f32>,
}

impl MaskMaker {
    /// Forgets the last mask, for instance when the stream jumped.
    pub fn reset(&mut self) {
        self.grid = (0, 0);
    }

    /// Makes the alpha plane (`width` x `height`, `stride` bytes a row, 0 transparent, 255 kept) from `logits`
    /// (`grid.0 * grid.1` values, row-major, any real numbers; NaN counts as background).
    pub fn make(
        &mut self,
        logits: &[f32],
        grid: (usize, usize),
        options: MaskOptions,
        alpha: &mut [u8],
        (width, height, stride): (usize, usize, usize),
    ) {
        if grid.0 == 0 || grid.1 == 0 || logits.len() < grid.0 * grid.1 {
            alpha.fill(0);
            return;
        }
        self.settle(logits, grid, options.smoothing);
        let low = options.threshold - RAMP;
        let scale = 255.0 / (2.0 * RAMP);
        self.ramp.clear();
        self.ramp.extend(self.probabilities.iter().map(|probability| (probability - low) * scale));
        self.rows.resize(grid.0, 0.0);
        for (row, alpha) in alpha.chunks_mut(stride).take(height).enumerate() {
            let (line, below) = position(row, height, grid.1);
            let next = (line + 1).min(grid.1 - 1);
            for column in 0..grid.0 {
                let (upper, lower) = (self.ramp[line * grid.0 + column], self.ramp[next * grid.0 + column]);
                self.rows[column] = upper + (lower - upper) * below;
            }
            stretch(&self.rows, &mut alpha[..width]);
        }
    }

    /// Sigmoid, and the mean with the last probabilities where they are near.
    fn settle(&mut self, logits: &[f32], grid: (usize, usize), smoothing: f32) {
        let fresh = self.grid != grid;
        self.grid = grid;
        self.probabilities.resize(grid.0 * grid.1, 0.0);
        for (last, logit) in self.probabilities.iter_mut().zip(logits) {
            let now = if logit.is_nan() { 0.0 } else { 1.0 / (1.0 + (-logit).exp()) };
            let keep = if fresh { 0.0 } else { smoothing * (1.0 - (now - *last).abs() / MOVEMENT).max(0.0) };
            *last = now + (*last - now) * keep;
        }
    }
}

/// Where sample `index` of `count` lies on a grid of `points` whose ends are on the first and last sample.
fn position(index: usize, count: usize, points: usize) -> (usize, f32) {
    if count < 2 || points < 2 {
        return (0, 0.0);
    }
    let at = index as f32 * (points - 1) as f32 / (count - 1) as f32;
    let cell = (at as usize).min(points - 2);
    (cell, at - cell as f32)
}

/// One row of grid values, linearly interpolated and clamped to bytes. Cell by cell, so that the inner loop is a
/// plain ramp, which compiles to vector code.
fn stretch(values: &[f32], out: &mut [u8]) {
    let (width, points) = (out.len(), values.len());
    if width < 2 || points < 2 {
        out.fill(values.first().copied().unwrap_or(0.0).clamp(0.0, 255.0) as u8);
        return;
    }
    let step = (points - 1) as f32 / (width - 1) as f32;
    let mut begin = 0;
    for cell in 0..points - 1 {
        let end = if cell == points - 2 { width } else { (((cell + 1) as f32 / step).ceil() as usize).min(width) };
        let (left, slope) = (values[cell], values[cell + 1] - values[cell]);
        if left.max(values[cell + 1]) <= 0.0 {
            out[begin..end].fill(0);
        } else if left.min(values[cell + 1]) >= 255.0 {
            out[begin..end].fill(255);
        } else {
            for (offset, out) in out[begin..end].iter_mut().enumerate() {
                let at = (begin + offset) as f32 * step - cell as f32;
                *out = (left + slope * at + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
        begin = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: MaskOptions = MaskOptions { threshold: 0.5, smoothing: 0.0 };

    fn make(maker: &mut MaskMaker, logits: &[f32], grid: (usize, usize), size: (usize, usize)) -> Vec<u8> {
        let mut alpha = vec![7; size.0 * size.1];
        maker.make(logits, grid, PLAIN, &mut alpha, (size.0, size.1, size.0));
        alpha
    }

    #[test]
    fn sure_pixels_are_opaque_or_transparent_and_the_threshold_is_half() {
        let alpha = make(&mut MaskMaker::default(), &[9.0, 9.0, -9.0, -9.0], (2, 2), (5, 9));
        assert_eq!(&alpha[..5], &[255; 5]);
        assert_eq!(&alpha[40..], &[0; 5]);
        assert!(alpha[20..25].iter().all(|value| (126..=129).contains(value)), "{:?}", &alpha[20..25]);
    }

    #[test]
    fn rows_fall_monotonically_across_a_vertical_edge() {
        let alpha = make(&mut MaskMaker::default(), &[5.0, -5.0, 5.0, -5.0], (2, 2), (64, 2));
        assert!(alpha[..64].windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!((alpha[0], alpha[63]), (255, 0));
    }

    #[test]
    fn stretching_equals_the_plain_formula() {
        let values = [-300.0, 20.0, 500.0, 130.0, 90.0, -20.0];
        for width in [2usize, 3, 6, 7, 40, 641] {
            let mut out = vec![0; width];
            stretch(&values, &mut out);
            for (x, out) in out.iter().enumerate() {
                let (cell, part) = position(x, width, values.len());
                let want = values[cell] + (values[cell + 1] - values[cell]) * part;
                assert!((want.clamp(0.0, 255.0) - f32::from(*out)).abs() <= 1.0, "{width} {x}: {want} {out}");
            }
        }
    }

    #[test]
    fn still_noise_is_smoothed_and_movement_is_not() {
        let smooth = MaskOptions { threshold: 0.5, smoothing: 0.8 };
        let mut maker = MaskMaker::default();
        let mut alpha = [0u8; 4];
        maker.make(&[0.0; 4], (2, 2), smooth, &mut alpha, (2, 2, 2));
        assert_eq!(alpha, [127; 4].map(|value: u8| value.max(alpha[0])));
        maker.make(&[0.2; 4], (2, 2), smooth, &mut alpha, (2, 2, 2));
        let still = alpha[0];
        maker.make(&[8.0; 4], (2, 2), smooth, &mut alpha, (2, 2, 2));
        assert!(still < 145, "a small change is held back: {still}");
        assert_eq!(alpha, [255; 4], "a large change passes at once");
    }

    #[test]
    fn nothing_panics_on_odd_input() {
        for (grid, size) in [((0, 0), (4, 4)), ((1, 1), (3, 3)), ((3, 1), (1, 1)), ((1, 3), (2, 5))] {
            make(&mut MaskMaker::default(), &vec![f32::NAN; grid.0 * grid.1], grid, size);
        }
    }
}
