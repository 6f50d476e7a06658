//! Making a source smaller by means of sample pairs before it is resampled, so that nothing aliases. PURE.

use super::{kernel::Isa, planes::Plane};

/// Source samples per output up to which plain bilinear sampling is used.
///
/// Above it samples between the taps would begin to be skipped and edges to flicker; halved, an output is a mean of
/// all that it covers, and steps are between 0.85 and 1.7 again.
pub const MAX_STEP: f64 = 1.7;

/// The number of times that each axis is halved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Halvings {
    /// Along a row.
    pub x: u32,
    /// From row to row.
    pub y: u32,
}

impl Halvings {
    /// Returns what a source of `width` x `height` needs at these steps (source samples per output).
    pub fn of(width: usize, height: usize, step_x: f64, step_y: f64) -> Self {
        Self { x: count(width, step_x), y: count(height, step_y) }
    }
}

fn count(mut samples: usize, mut step: f64) -> u32 {
    let mut count = 0;
    while step > MAX_STEP && samples > 1 {
        (samples, step) = (samples.div_ceil(2), step / 2.0);
        count += 1;
    }
    count
}

/// The buffers in which one plane is halved.
#[derive(Debug, Default)]
pub struct Halver {
    current: Vec<u8>,
    next: Vec<u8>,
}

impl Halver {
    /// Returns the plane, halved; the same plane where there is nothing to do. A lone last column or row counts twice.
    pub fn halve<'a>(&'a mut self, isa: Isa, plane: Plane<'a>, halvings: Halvings) -> Plane<'a> {
        let (mut width, mut height) = (plane.width, plane.height);
        for step in 0..halvings.x.max(halvings.y) {
            let (across, down) = (step < halvings.x, step < halvings.y);
            let source = match step {
                0 => plane,
                _ => Plane { data: &self.current, stride: width, width, height },
            };
            width = if across { width.div_ceil(2) } else { width };
            height = if down { height.div_ceil(2) } else { height };
            self.next.resize(width * height, 0);
            for (y, out) in self.next.chunks_exact_mut(width.max(1)).enumerate() {
                let (upper, lower) = match down {
                    true => (source.row(2 * y), source.row((2 * y + 1).min(source.height - 1))),
                    false => (source.row(y), source.row(y)),
                };
                halve_row(isa, out, upper, lower, across);
            }
            std::mem::swap(&mut self.current, &mut self.next);
        }
        match halvings.x.max(halvings.y) {
            0 => plane,
            _ => Plane { data: &self.current, stride: width, width, height },
        }
    }
}

fn halve_row(isa: Isa, out: &mut [u8], upper: &[u8], lower: &[u8], across: bool) {
    if !across {
        isa.lerp(out, upper, lower, 64, 255);
        return;
    }
    let pairs = upper.len() / 2;
    isa.box2(&mut out[..pairs], &upper[..2 * pairs], &lower[..2 * pairs]);
    if let (true, Some(&a), Some(&b)) = (out.len() > pairs, upper.last(), lower.last()) {
        out[pairs] = (u16::from(a) + u16::from(b)).div_ceil(2) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_up_below_the_limit() {
        assert_eq!(Halvings::of(640, 360, 0.8, 1.7), Halvings { x: 0, y: 0 });
        assert_eq!(Halvings::of(640, 360, 1.71, 3.5), Halvings { x: 1, y: 2 });
        assert_eq!(Halvings::of(1, 4, 100.0, 100.0), Halvings { x: 0, y: 2 });
    }

    #[test]
    fn means_of_blocks_with_a_lone_edge() {
        let data = [10, 20, 30, 11, 21, 40, 50, 60, 70];
        let plane = Plane { data: &data, stride: 3, width: 3, height: 3 };
        let mut halver = Halver::default();
        let both = halver.halve(Isa::PLAIN, plane, Halvings { x: 1, y: 1 });
        assert_eq!((both.width, both.height, both.data), (2, 2, &[16, 35, 55, 70][..]));
        let across = halver.halve(Isa::PLAIN, plane, Halvings { x: 1, y: 0 });
        assert_eq!((across.width, across.height, across.data), (2, 3, &[15, 30, 16, 40, 55, 70][..]));
        let down = halver.halve(Isa::PLAIN, plane, Halvings { x: 0, y: 1 });
        assert_eq!((down.width, down.height, down.data), (3, 2, &[11, 21, 35, 50, 60, 70][..]));
        let none = halver.halve(Isa::PLAIN, plane, Halvings::default());
        assert_eq!(none.data, data);
    }

    #[test]
    fn repeated_halving_reaches_the_mean() {
        let data: Vec<u8> = (0..64).map(|i| if (i + i / 8) % 2 == 0 { 0 } else { 200 }).collect();
        let plane = Plane { data: &data, stride: 8, width: 8, height: 8 };
        let mut halver = Halver::default();
        let small = halver.halve(Isa::detect(), plane, Halvings { x: 3, y: 3 });
        assert_eq!((small.width, small.height, small.data), (1, 1, &[100][..]));
    }
}
