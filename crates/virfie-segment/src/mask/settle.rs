//! Still where nothing moves: masks are averaged with the last ones there, and taken as they come elsewhere.

use super::scale::{self, Size};

/// Change of a cell's mean luma, in levels of 255, that noise and compression make: below it nothing moved.
const NOISE: f32 = 3.0;
/// Change from which on the last mask counts for nothing.
const MOVEMENT: f32 = 20.0;
/// Share of the cells that move at once only when the scene is another one: then nothing of the last mask stays, not
/// even where both scenes happen to be alike.
const CUT: f32 = 0.6;

/// Remembers the picture and the masks that belong to it.
#[derive(Debug, Clone, Default)]
pub struct Settler {
    coarse: Size,
    fine: Size,
    /// The luma that the masks below stand for. It follows as slowly as they do, so slow movement adds up until it
    /// is seen.
    reference: Vec<f32>,
    moved: Vec<f32>,
    /// Share of the new mask, 0.0..=1.0, by cell.
    fresh_coarse: Vec<f32>,
    fresh_fine: Vec<f32>,
    mask_coarse: Vec<f32>,
    mask_fine: Vec<f32>,
}

impl Settler {
    pub fn resize(&mut self, coarse: Size, fine: Size) {
        (self.coarse, self.fine) = (coarse, fine);
        for plane in [&mut self.reference, &mut self.moved, &mut self.fresh_coarse, &mut self.mask_coarse] {
            plane.resize(coarse.0 * coarse.1, 0.0);
        }
        for plane in [&mut self.fresh_fine, &mut self.mask_fine] {
            plane.resize(fine.0 * fine.1, 0.0);
        }
    }

    /// Takes the frame's luma (coarse cells, 0..=1 and some offset). `keep` is the share of the old mask that stays
    /// where nothing moved; with 0.0 everything starts without memory.
    #[inline(always)]
    pub fn see(&mut self, luma: &[f32], keep: f32) {
        let (width, height) = self.coarse;
        for ((moved, luma), reference) in self.moved.iter_mut().zip(luma).zip(&self.reference) {
            *moved = (((luma - reference).abs() * 255.0 - NOISE) / (MOVEMENT - NOISE)).clamp(0.0, 1.0);
        }
        let changed = self.moved.iter().filter(|moved| **moved >= 0.5).count();
        let keep = if changed as f32 > CUT * self.moved.len() as f32 { 0.0 } else { keep };
        // The neighbours of what moved count too: the edge of a moving thing lies on both sides.
        for line in 0..height {
            let row = |line: usize| &self.moved[line * width..(line + 1) * width];
            let rows = [row(line.saturating_sub(1)), row(line), row((line + 1).min(height - 1))];
            for column in 0..width {
                let mut most = 0.0f32;
                for near in [column.saturating_sub(1), column, (column + 1).min(width - 1)] {
                    for row in rows {
                        most = most.max(row[near]);
                    }
                }
                self.fresh_coarse[line * width + column] = 1.0 - keep * (1.0 - most);
            }
        }
        blend(&mut self.reference, luma, &self.fresh_coarse);
        scale::double(&self.fresh_coarse, self.coarse, &mut self.fresh_fine, self.fine);
    }

    /// Settles the network's probabilities.
    #[inline(always)]
    pub fn settle_coarse(&mut self, mask: &mut [f32]) {
        blend(&mut self.mask_coarse, mask, &self.fresh_coarse);
        mask.copy_from_slice(&self.mask_coarse);
    }

    /// Returns the last result of [`Self::settle_coarse`].
    pub fn coarse(&self) -> &[f32] {
        &self.mask_coarse
    }

    /// Returns the last result of [`Self::settle_fine`], moved along since then.
    pub fn fine(&self) -> &[f32] {
        &self.mask_fine
    }

    /// Returns the last result of [`Self::settle_fine`], to be moved along with the picture.
    pub fn fine_mut(&mut self) -> &mut [f32] {
        &mut self.mask_fine
    }

    /// Settles the filtered mask.
    #[inline(always)]
    pub fn settle_fine(&mut self, mask: &mut [f32]) {
        blend(&mut self.mask_fine, mask, &self.fresh_fine);
        mask.copy_from_slice(&self.mask_fine);
    }
}

#[inline(always)]
fn blend(old: &mut [f32], new: &[f32], share: &[f32]) {
    for ((old, new), share) in old.iter_mut().zip(new).zip(share) {
        // Weighted this way round, a share of one gives the new value exactly.
        *old = *old * (1.0 - share) + new * share;
    }
}
