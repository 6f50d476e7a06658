//! Finds people in a frame: mask, body parts, poses. The same way that frames take in the server.

use std::{sync::Arc, time::Duration};

use super::{plan::SegmentPlan, raster::Cover};
use crate::{
    layout::{BodyPart, BodyParts},
    media::segment::{
        doubt::View,
        grid::Grid,
        input::Yuv,
        mask::{MaskMaker, MaskOptions},
        model::{HeadRequest, Model, ModelError, Session},
        parts,
        pose::{Pose, PoseDecoder},
    },
};

/// Values of a grid point that name body parts.
const PARTS: usize = BodyPart::ALL.len();

/// Looks at frames of one size, one after the other.
pub(super) struct Finder {
    session: Session,
    maker: MaskMaker,
    decoder: PoseDecoder,
    options: MaskOptions,
    kept: Option<BodyParts>,
    selected: Vec<f32>,
    /// Whether it is asked where each body part is.
    labelled: bool,
    fine: [Vec<f32>; 2],
    found: Found,
}

/// The findings in the last frame that was looked at.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The mask of all that is kept.
    pub(super) cover: Cover,
    /// In points: columns and rows over the whole frame. Empty unless asked for.
    pub(super) label_grid: (usize, usize),
    /// The body part that is most likely at each point, also where nobody is.
    pub(super) labels: Vec<Option<BodyPart>>,
    /// `None` unless asked for.
    pub(super) poses: Option<Vec<Pose>>,
}

impl Finder {
    /// Creates one for frames of a size in pixels.
    ///
    /// # Errors
    /// When the model does not take the size, or lacks a head that the plan needs.
    pub(super) fn new(model: &Arc<Model>, frame: (usize, usize), plan: &SegmentPlan) -> Result<Self, ModelError> {
        let poses = plan.keypoints || (plan.json && model.has_poses());
        let needs = HeadRequest { parts: plan.parts || plan.kept.is_some(), poses, ..HeadRequest::default() };
        Ok(Self {
            session: model.session(frame, needs)?,
            maker: MaskMaker::default(),
            decoder: PoseDecoder::default(),
            options: plan.mask,
            kept: plan.kept,
            selected: Vec::new(),
            labelled: plan.parts,
            fine: Default::default(),
            found: Found { poses: poses.then(Vec::new), ..Found::default() },
        })
    }

    /// Looks at the frame of this time.
    ///
    /// # Errors
    /// When the network fails.
    pub(super) fn look(&mut self, frame: &Yuv<'_>, now: Duration) -> Result<(), ModelError> {
        let heads = self.session.see(frame, View::whole((frame.width, frame.height), now))?;
        let found = &mut self.found;
        let logits = match (self.kept, heads.parts) {
            (Some(kept), Some(parts)) => {
                parts::select(heads.segments, parts, kept, &mut self.selected);
                &self.selected
            }
            _ => heads.segments,
        };
        let alpha = found.cover.resize((frame.width, frame.height));
        self.maker.make(logits, heads.grid, frame, self.options, alpha, frame.width);
        found.cover.halve();
        if let (true, Some(parts)) = (self.labelled, heads.parts) {
            // The mask says where people are. What is asked here is only which part is the likeliest.
            let [segments, fine] = &mut self.fine;
            enlarge(heads.segments, 1, heads.grid, heads.input, segments);
            enlarge(parts, PARTS, heads.grid, heads.input, fine);
            parts::strongest(segments, fine, f32::NEG_INFINITY, &mut found.labels);
            found.label_grid = heads.input;
        }
        if let Some(poses) = &mut found.poses {
            heads.find_poses(&mut self.decoder, poses);
        }
        Ok(())
    }

    /// Returns what the last look found.
    pub(super) fn found(&self) -> &Found {
        &self.found
    }
}

/// Enlarges bilinearly from grid points of `count` values each to `size` points.
fn enlarge(values: &[f32], count: usize, grid: Grid, size: (usize, usize), out: &mut Vec<f32>) {
    let place = |index: usize, pixels: usize, points: usize| grid.alignment.between(index as f32, pixels, points);
    out.clear();
    for y in 0..size.1 {
        let (top, bottom, down) = place(y, size.1, grid.rows);
        for x in 0..size.0 {
            let (left, right, along) = place(x, size.0, grid.columns);
            let point = |row: usize, column: usize| &values[(row * grid.columns + column) * count..][..count];
            let upper = point(top, left).iter().zip(point(top, right));
            let lower = point(bottom, left).iter().zip(point(bottom, right));
            out.extend(upper.zip(lower).map(|((a, b), (c, d))| {
                let (upper, lower) = (a + (b - a) * along, c + (d - c) * along);
                upper + (lower - upper) * down
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_between_are_means_and_the_outer_ones_stay() {
        let mut out = Vec::new();
        // Two by two points of two values.
        enlarge(&[0.0, 10.0, 4.0, 10.0, 8.0, 20.0, 12.0, 20.0], 2, Grid::ends(2, 2), (3, 3), &mut out);
        let first: Vec<f32> = out.iter().step_by(2).copied().collect();
        assert_eq!(first, [0.0, 2.0, 4.0, 4.0, 6.0, 8.0, 8.0, 10.0, 12.0]);
        assert_eq!((out[1], out[7], out[17]), (10.0, 15.0, 20.0));
        enlarge(&[3.0], 1, Grid::ends(1, 1), (2, 2), &mut out);
        assert_eq!(out, [3.0; 4]);
    }
}
