//! PURE: from the network's coarse logits to a soft alpha plane of the frame's size that follows the frame's edges.
//!
//! ```text
//!   logits ─► probabilities ─► settled in time ─► guided filter, 1/8 ─► islands, holes ─► guided filter, 1/4
//!                                    ▲                  ▲                                    │
//!                              motion of luma     frame's colours ───────────────────────────┴─► alpha, 1/2 ─► frame
//! ```
//! A guided filter (He, Sun, Tang) explains the mask in every window as a linear function of the colours there. Run
//! again and again with a sharpened mask in between, it pulls the network's edge, wrong by many pixels, to the edge
//! that the colours show; a share of the network's word is mixed in every time, so that small people stay. The
//! fractions hold for a frame of 640x360; the sizes for others are in [`scale::Sizes`].
//!
//! For a frame without logits, the last mask is moved by block matching and filtered again with the frame's colours.
//!
//! All arithmetic on masks is in `f32` without fused multiplication, so the code compiled for AVX2 gives the same
//! bytes as the portable code. Nothing is allocated after the first frame of a size.

mod guided;
mod islands;
mod motion;
mod scale;
mod settle;

use guided::{Colours, Filter};
use motion::Motion;
use scale::Sizes;
use settle::Settler;

use super::{
    grid::Grid,
    input::Yuv,
    window::{Bounds, Region},
};

/// The options by which a mask is made from logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskOptions {
    /// Probability at which a pixel is half transparent, 0.05..=0.95.
    pub threshold: f32,
    /// Softness of the edge, 0.0 (hard) ..= 1.0 (all that the filter leaves, which veils flat regions too).
    pub feather: f32,
    /// Share of the last mask that stays where nothing moves, 0.0..=0.95.
    pub smoothing: f32,
}

impl Default for MaskOptions {
    fn default() -> Self {
        Self { threshold: 0.5, feather: 0.33, smoothing: 0.9 }
    }
}

/// Windows of the first filter, in cells of 8 pixels: 7 cells, more than the network's step of 16 of 257 pixels.
const WIDE_RADIUS: usize = 3;
/// The same for networks whose step is finer: they are less wrong, and see people that a wide window would lose.
const NARROW_RADIUS: usize = 2;
/// Cells between two points of the network's grid from which on the windows are wide.
const WIDE_STEP: usize = 4;
/// Windows of the second filter, in cells of 4 pixels.
const FINE_RADIUS: usize = 2;
/// Number of runs of the first filter. More changes nothing that one could see.
const COARSE_RUNS: usize = 4;
/// Number of runs of the second filter.
const FINE_RUNS: usize = 2;
/// Share of the logits that is believed. The network is surer than its edges are right; the colours decide better
/// what it is not sure of.
const TRUST: f32 = 0.8;
/// Cells between two points of the network's grid below which it sees as finely as the first filter.
const FINE_STEP: usize = 2;
/// Share of the network's probabilities in the mask after every run of the first filter, for wide and for narrow
/// windows, and for a network that is as fine as the filter. Without it, what is smaller than a window is lost run by
/// run.
const ANCHOR: (f32, f32, f32) = (0.2, 0.3, 0.6);
/// Factor by which the mask becomes steeper between two runs.
const SHARPEN: f32 = 2.5;
/// Softness below which the edge is as good as hard.
const HARDEST: f32 = 0.05;

/// Turns logits into alpha, frame after frame.
#[derive(Debug, Clone, Default)]
pub struct MaskMaker {
    sizes: Sizes,
    grid: Grid,
    /// Whether the planes below hold the last frame's mask.
    settled: bool,
    half_luma: Vec<u8>,
    probabilities: Vec<f32>,
    coarse: Level,
    wide: Filter<WIDE_RADIUS>,
    narrow: Filter<NARROW_RADIUS>,
    fine: Level,
    filter: Filter<FINE_RADIUS>,
    settler: Settler,
    motion: Motion,
    islands: islands::Scratch,
    rows: scale::Rows,
    half_alpha: Vec<u8>,
}

/// One resolution: the frame's colours and the mask.
#[derive(Debug, Clone, Default)]
struct Level {
    colours: Colours,
    mask: Vec<f32>,
}

impl Level {
    fn resize(&mut self, size: (usize, usize)) {
        self.colours.resize(size);
        self.mask.resize(size.0 * size.1, 0.0);
    }

    #[inline(always)]
    fn refine<const RADIUS: usize>(&mut self, filter: &mut Filter<RADIUS>) {
        filter.fit(&self.colours, &self.mask);
        filter.sharpen(&self.colours, SHARPEN, &mut self.mask);
    }

    /// Runs the first filter, all its runs. `network` holds the probabilities, of which `anchor` stays every time.
    #[inline(always)]
    fn draw<const RADIUS: usize>(&mut self, filter: &mut Filter<RADIUS>, network: &[f32], anchor: f32) {
        filter.look(&self.colours);
        for _ in 0..COARSE_RUNS {
            self.refine(filter);
            for (mask, network) in self.mask.iter_mut().zip(network) {
                *mask += (network - *mask) * anchor;
            }
        }
    }
}

impl MaskMaker {
    /// Forgets the last mask, for instance when the stream jumped.
    pub fn reset(&mut self) {
        self.settled = false;
    }

    /// Makes the alpha plane from logits that lie over the whole frame; see [`Self::make_part`].
    ///
    /// # Panics
    /// As there.
    pub fn make(
        &mut self,
        logits: &[f32],
        grid: Grid,
        frame: &Yuv<'_>,
        options: MaskOptions,
        alpha: &mut [u8],
        stride: usize,
    ) {
        let whole = Region::whole((frame.width, frame.height));
        self.make_part((logits, whole), grid, frame, options, alpha, stride);
    }

    /// Makes the alpha plane of `frame`'s size (`stride` bytes a row, 0 transparent, 255 kept) from `logits`
    /// (`grid.len()` values, row-major, any real numbers; NaN counts as background) that lie over a part of the frame;
    /// what is outside of it is transparent. Without logits everything is transparent.
    ///
    /// # Panics
    /// If a plane of `frame` or `alpha` is shorter than its size and stride say.
    pub fn make_part(
        &mut self,
        logits: (&[f32], Region),
        grid: Grid,
        frame: &Yuv<'_>,
        options: MaskOptions,
        alpha: &mut [u8],
        stride: usize,
    ) {
        if grid.is_empty() || logits.0.len() < grid.len() || frame.width == 0 || frame.height == 0 {
            self.settled = false;
            alpha.fill(0);
            return;
        }
        self.fit((frame.width, frame.height), grid);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2.
            unsafe { self.make_avx2(logits, frame, options, alpha, stride) };
            return;
        }
        self.make_plain(logits, frame, options, alpha, stride);
    }

    /// Makes the alpha plane of a frame for which the network was not run: the last mask, moved along with what moved
    /// since the frame before and drawn to this frame's edges. Every frame must come here or to [`Self::make`], since
    /// movement is found between neighbours. `options.feather` counts, the others are in the last mask.
    ///
    /// Returns whether there was an earlier mask for frames of this size; without one `alpha` is left as it is.
    ///
    /// # Panics
    /// If a plane of `frame` or `alpha` is shorter than its size and stride say.
    pub fn carry(&mut self, frame: &Yuv<'_>, options: MaskOptions, alpha: &mut [u8], stride: usize) -> bool {
        if !self.can_carry((frame.width, frame.height)) {
            return false;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2.
            unsafe { self.carry_avx2(frame, options, alpha, stride) };
            return true;
        }
        self.carry_plain(frame, options, alpha, stride);
        true
    }

    /// Returns whether there is an earlier mask for frames of `frame` pixels (width, height), which [`Self::carry`]
    /// needs.
    pub fn can_carry(&self, frame: (usize, usize)) -> bool {
        self.settled && self.sizes.frame == frame
    }

    /// Returns the share of the frame that the last mask keeps, 0.0..=1.0; 0.0 before the first one. It is counted in
    /// the fine filter's cells, of which there are about as many for frames of any size.
    pub fn kept(&self) -> f32 {
        let mask = self.settler.fine();
        if !self.settled || mask.is_empty() {
            return 0.0;
        }
        mask.iter().filter(|value| **value > 0.5).count() as f32 / mask.len() as f32
    }

    /// Returns the box around all that the last mask of [`Self::make_part`] keeps, to the pixels of a coarse cell.
    pub fn bounds(&self) -> Option<Bounds> {
        let (side, (columns, _)) = (self.sizes.coarse_side() as f32, self.sizes.coarse);
        let kept = self.coarse.mask.iter().enumerate().filter(|(_, mask)| **mask >= 0.5);
        let place = |cell: usize| (cell as f32 * side, (cell + 1) as f32 * side);
        let boxes = kept.map(|(cell, _)| Bounds { x: place(cell % columns), y: place(cell / columns) });
        boxes.reduce(Bounds::with).filter(|_| self.settled)
    }

    /// Buffers for frames of `frame` pixels and grids of `grid` points.
    fn fit(&mut self, frame: (usize, usize), grid: Grid) {
        let sizes = Sizes::new(frame);
        if sizes != self.sizes || self.grid != grid {
            self.settled = false;
            self.grid = grid;
            self.sizes = sizes;
            self.probabilities.resize(grid.len(), 0.0);
            self.half_luma.resize(sizes.half.0 * sizes.half.1, 0);
            self.half_alpha.resize(sizes.half.0 * sizes.half.1, 0);
            self.coarse.resize(sizes.coarse);
            self.wide.resize(sizes.coarse);
            self.narrow.resize(sizes.coarse);
            self.fine.resize(sizes.fine);
            self.filter.resize(sizes.fine);
            self.settler.resize(sizes.coarse, sizes.fine);
            self.motion.resize(sizes.coarse, sizes.fine);
            self.islands.resize(sizes.coarse);
            self.rows.resize(&sizes);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn make_avx2(
        &mut self,
        logits: (&[f32], Region),
        frame: &Yuv<'_>,
        options: MaskOptions,
        alpha: &mut [u8],
        stride: usize,
    ) {
        self.make_plain(logits, frame, options, alpha, stride);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn carry_avx2(&mut self, frame: &Yuv<'_>, options: MaskOptions, alpha: &mut [u8], stride: usize) {
        self.carry_plain(frame, options, alpha, stride);
    }

    // Inlined, like all that it calls, so that the AVX2 functions compile it again with wider registers.
    #[inline(always)]
    fn make_plain(
        &mut self,
        (logits, region): (&[f32], Region),
        frame: &Yuv<'_>,
        options: MaskOptions,
        alpha: &mut [u8],
        stride: usize,
    ) {
        self.look(frame);
        let sizes = self.sizes;
        let (coarse, fine) = (&mut self.coarse, &mut self.fine);

        let odds = (options.threshold / (1.0 - options.threshold)).ln();
        for (probability, logit) in self.probabilities.iter_mut().zip(logits) {
            *probability = if logit.is_nan() { 0.0 } else { 1.0 / (1.0 + ((odds - logit) * TRUST).exp()) };
        }
        scale::spread(&self.probabilities, self.grid, region, &sizes, &mut coarse.mask);

        let keep = if self.settled { options.smoothing.clamp(0.0, 0.95) } else { 0.0 };
        self.settler.see(coarse.colours.luma(), keep);
        self.settler.settle_coarse(&mut coarse.mask);
        // Over the whole frame there would be so many.
        let steps = (self.grid.columns - 1) * sizes.frame.0 / region.width.max(1);
        if sizes.coarse.0 >= WIDE_STEP * steps {
            coarse.draw(&mut self.wide, self.settler.coarse(), ANCHOR.0);
        } else {
            let anchor = if sizes.coarse.0 >= FINE_STEP * steps { ANCHOR.1 } else { ANCHOR.2 };
            coarse.draw(&mut self.narrow, self.settler.coarse(), anchor);
        }
        islands::clean(&mut coarse.mask, self.settler.coarse(), sizes.coarse, &mut self.islands);

        scale::double(&coarse.mask, sizes.coarse, &mut fine.mask, sizes.fine);
        self.filter.look(&fine.colours);
        for _ in 1..FINE_RUNS {
            fine.refine(&mut self.filter);
        }
        self.settler.settle_fine(&mut fine.mask);
        self.filter.fit(&fine.colours, &fine.mask);
        self.settled = true;

        self.apply(frame, options);
        scale::enlarge(&self.half_alpha, &sizes, &mut self.rows, alpha, stride);
    }

    #[inline(always)]
    fn carry_plain(&mut self, frame: &Yuv<'_>, options: MaskOptions, alpha: &mut [u8], stride: usize) {
        self.look(frame);
        // Where nothing moved, the last alpha plane is the best there is, and does not flicker.
        if self.motion.search() {
            let (fine, mask) = (&mut self.fine, self.settler.fine_mut());
            self.motion.carry(mask);
            fine.mask.copy_from_slice(mask);
            self.filter.look(&fine.colours);
            fine.refine(&mut self.filter);
            self.motion.renew(mask, &fine.mask);
            self.filter.fit(&fine.colours, mask);
            self.apply(frame, options);
        }
        scale::enlarge(&self.half_alpha, &self.sizes, &mut self.rows, alpha, stride);
    }

    /// Takes the frame's colours and luma.
    #[inline(always)]
    fn look(&mut self, frame: &Yuv<'_>) {
        let sizes = self.sizes;
        scale::halve(frame.y, sizes.frame, &mut self.half_luma);
        for (channel, plane) in halves(&self.half_luma, sizes, frame).into_iter().enumerate() {
            scale::average(plane, &sizes, channel, &mut self.rows, &mut self.fine.colours);
        }
        scale::halve_colours(&self.fine.colours, &mut self.coarse.colours);
        self.motion.see(self.coarse.colours.luma(), self.fine.colours.luma());
    }

    /// Makes half alpha from the fine filter's last fit.
    #[inline(always)]
    fn apply(&mut self, frame: &Yuv<'_>, options: MaskOptions) {
        let sizes = self.sizes;
        let half = halves(&self.half_luma, sizes, frame);
        let gain = 1.0 / options.feather.clamp(HARDEST, 1.0);
        for (row, out) in self.half_alpha.chunks_exact_mut(sizes.half.0).enumerate() {
            let colours = half.map(|(plane, stride)| &plane[row * stride..][..sizes.half.0]);
            self.rows.apply(self.filter.coefficients(), &sizes, row, colours, gain, out);
        }
    }
}

/// Returns the three channels of a frame at half its size, each with its stride.
#[inline(always)]
fn halves<'a>(half_luma: &'a [u8], sizes: Sizes, frame: &Yuv<'a>) -> [(&'a [u8], usize); 3] {
    [(half_luma, sizes.half.0), frame.u, frame.v]
}

#[cfg(test)]
mod tests;
