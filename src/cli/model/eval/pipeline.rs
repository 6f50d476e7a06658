//! From a frame to masks, in all ways that are compared.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::media::segment::{
    doubt::View,
    grid::{Alignment, Grid},
    input::Yuv,
    mask::{MaskMaker, MaskOptions},
    model::{HeadRequest, Model, ModelError, Session},
};

use super::score::Size;

/// Frames that are not counted: caches and branch predictors settle.
const WARM_UP: usize = 5;

/// From one frame of a clip to the next.
const PERIOD: Duration = Duration::from_millis(40);

/// The steps by which logits become a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipeline {
    /// Logits interpolated as if they were pixels: each in the middle of its share of the frame. What image libraries
    /// do, and what is compared with; BodyPix's points lie elsewhere.
    Bilinear,
    /// Logits interpolated from where the network's points lie.
    Aligned,
    /// The server's.
    Server,
}

impl Pipeline {
    pub(super) const ALL: [Self; 3] = [Self::Bilinear, Self::Aligned, Self::Server];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::Aligned => "aligned",
            Self::Server => "server",
        }
    }
}

/// Time that was spent, and on how many frames.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    time: Duration,
    frames: u32,
}

impl Spent {
    fn add(&mut self, since: Instant) {
        self.time += since.elapsed();
        self.frames += 1;
    }

    /// Returns milliseconds a frame.
    pub(super) fn mean(self) -> f64 {
        self.time.as_secs_f64() * 1000.0 / f64::from(self.frames.max(1))
    }
}

/// One model at one input size, with the masks that its last logits became.
pub(super) struct Runner {
    session: Session,
    maker: MaskMaker,
    options: MaskOptions,
    every: usize,
    /// By [`Pipeline::ALL`].
    alpha: [Vec<u8>; 3],
    /// From planes to logits.
    pub(super) network: Spent,
    /// From logits to masks, by [`Pipeline::ALL`].
    pub(super) masks: [Spent; 3],
}

impl Runner {
    /// Creates one for frames of `frame` pixels; in clips the network sees every `every`-th frame. It is warmed up.
    pub(super) fn new(
        model: &Arc<Model>,
        frame: Size,
        area: usize,
        options: MaskOptions,
        every: usize,
    ) -> Result<Self, ModelError> {
        let session = model.session(frame, HeadRequest { area, ..HeadRequest::default() })?;
        let alpha = std::array::from_fn(|_| vec![0; frame.0 * frame.1]);
        let maker = MaskMaker::default();
        let mut runner =
            Self { session, maker, options, every, alpha, network: Spent::default(), masks: Default::default() };
        let grey = vec![128; frame.0 * frame.1];
        let half = frame.0.div_ceil(2);
        let planes = (&grey[..], half);
        let yuv = Yuv { width: frame.0, height: frame.1, y: (&grey, frame.0), u: planes, v: planes };
        for _ in 0..WARM_UP {
            runner.still(&yuv)?;
        }
        (runner.network, runner.masks) = Default::default();
        Ok(runner)
    }

    /// Returns what the masks are made for.
    pub(super) fn input(&self) -> Size {
        self.session.input_size()
    }

    /// Returns the last mask, row by row without padding.
    pub(super) fn alpha(&self, pipeline: Pipeline) -> &[u8] {
        &self.alpha[pipeline as usize]
    }

    /// Segments a picture that belongs to no other.
    pub(super) fn still(&mut self, frame: &Yuv<'_>) -> Result<(), ModelError> {
        self.next(frame, 0)
    }

    /// Segments frame `number` of a clip; 0 begins a new one.
    pub(super) fn next(&mut self, frame: &Yuv<'_>, number: usize) -> Result<(), ModelError> {
        if number == 0 {
            self.maker.reset();
            self.session.forget();
        }
        if number.is_multiple_of(self.every) {
            return self.fresh(frame, PERIOD * number as u32);
        }
        let start = Instant::now();
        // The interpolated masks, which know no motion, stay as they are; so does this one if it cannot be moved.
        carry(&mut self.maker, frame, self.options, &mut self.alpha[Pipeline::Server as usize]);
        self.masks[Pipeline::Server as usize].add(start);
        Ok(())
    }

    fn fresh(&mut self, frame: &Yuv<'_>, now: Duration) -> Result<(), ModelError> {
        let start = Instant::now();
        self.session.run(frame)?;
        self.network.add(start);
        let size = (frame.width, frame.height);
        // Not part of the time: on pictures it is done each time, in rooms now and then.
        self.session.judge(View::whole(size, now))?;
        let (heads, believed) = (self.session.heads()?, self.session.believed()?);
        let cells = Grid { alignment: Alignment::Cells, ..heads.grid };
        for pipeline in Pipeline::ALL {
            let alpha = &mut self.alpha[pipeline as usize];
            let start = Instant::now();
            match pipeline {
                Pipeline::Bilinear => interpolate(heads.segments, cells, size, alpha),
                Pipeline::Aligned => interpolate(heads.segments, heads.grid, size, alpha),
                Pipeline::Server => {
                    self.maker.make(believed.segments, heads.grid, frame, self.options, alpha, frame.width);
                }
            }
            self.masks[pipeline as usize].add(start);
        }
        Ok(())
    }
}

/// Moves the last mask along with the picture, as the server does on frames that the network does not see.
fn carry(maker: &mut MaskMaker, frame: &Yuv<'_>, options: MaskOptions, alpha: &mut [u8]) {
    maker.carry(frame, options, alpha, frame.width);
}

/// Logits, interpolated linearly, to alpha: 255 times the probability.
fn interpolate(logits: &[f32], grid: Grid, (width, height): Size, alpha: &mut [u8]) {
    let Grid { columns, rows, alignment } = grid;
    let place = |index: usize, pixels: usize, points: usize| alignment.between(index as f32, pixels, points);
    let across: Vec<_> = (0..width).map(|column| place(column, width, columns)).collect();
    for (row, out) in alpha.chunks_exact_mut(width).take(height).enumerate() {
        let (upper, lower, below) = place(row, height, rows);
        let (upper, lower) = (&logits[upper * columns..][..columns], &logits[lower * columns..][..columns]);
        for (out, &(left, right, beside)) in out.iter_mut().zip(&across) {
            let above = upper[left] + (upper[right] - upper[left]) * beside;
            let under = lower[left] + (lower[right] - lower[left]) * beside;
            let logit = above + (under - above) * below;
            *out = (255.0 / (1.0 + (-logit).exp())).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_in_the_middle_of_their_share_or_on_the_ends() {
        let logits = [-4.0, 4.0];
        let (mut cells, mut ends) = ([0; 8], [0; 8]);
        interpolate(&logits, Grid::cells(2, 1), (8, 1), &mut cells);
        interpolate(&logits, Grid::ends(2, 1), (8, 1), &mut ends);
        // The outer quarters of the frame lie outside of the points.
        assert_eq!(cells[0], cells[1]);
        assert_eq!((cells[6], cells[7]), (250, 250));
        assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
        assert_eq!((ends[0], ends[7]), (5, 250));
    }

    #[test]
    fn rows_are_interpolated_like_columns() {
        let mut alpha = [0; 4 * 3];
        interpolate(&[-10.0, -10.0, 10.0, 10.0], Grid::ends(2, 2), (4, 3), &mut alpha);
        assert_eq!(alpha, [0, 0, 0, 0, 128, 128, 128, 128, 255, 255, 255, 255]);
    }
}
