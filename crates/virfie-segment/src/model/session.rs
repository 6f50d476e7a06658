//! One stream's runs of a network, and what it doubts of what they find. Nothing large is allocated after the first.

use std::sync::Arc;

use tract_onnx::prelude::*;

use super::{HEATMAPS, HeadRequest, Model, ModelError, TractPlan, first_line};
use crate::{
    doubt::{Bar, Doubt, View},
    grid::Grid,
    input::{Preparer, Yuv},
    pose::{Pose, PoseDecoder, PoseHeads, keep_on_people},
    window::Region,
};

#[cfg(test)]
mod tests;

/// The values that the network gives for a frame. Values of a grid point stand together, points in rows.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a> {
    /// Of persons and body parts.
    pub grid: Grid,
    /// Of what keypoints are found by.
    pub pose_grid: Grid,
    /// Width and height of the network's input.
    pub input: (usize, usize),
    /// Logit of a person, one a point.
    pub segments: &'a [f32],
    /// Logits of the 24 body parts, if asked for.
    pub parts: Option<&'a [f32]>,
    /// The maps that keypoints are found by, if asked for.
    pub poses: Option<PoseHeads<'a>>,
}

impl Heads<'_> {
    /// Replaces `poses` by those of the people in the frame, best first; of none if keypoints were not asked for.
    pub fn find_poses(&self, decoder: &mut PoseDecoder, poses: &mut Vec<Pose>) {
        poses.clear();
        if let Some(heads) = &self.poses {
            decoder.decode(heads, self.pose_grid, self.input, poses);
            keep_on_people(poses, self.segments, self.grid, self.input);
        }
    }
}

/// One stream's use of a model: [`Session::see`] is the way for all who show what it finds.
pub struct Session {
    model: Arc<Model>,
    state: TypedSimpleState,
    frame: (usize, usize),
    size: (usize, usize),
    needs: HeadRequest,
    preparer: Preparer,
    input: Arc<Tensor>,
    outputs: TVec<TValue>,
    /// The state that finds heatmaps in the same input, where keypoints are not among what this was made for; made when
    /// it is first needed.
    aside: Option<TypedSimpleState>,
    heatmaps: TVec<TValue>,
    doubt: Doubt,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, {}x{})", self.model.name, self.size.0, self.size.1)
    }
}

impl Session {
    pub(super) fn new(
        model: Arc<Model>,
        plan: &TractPlan,
        frame: (usize, usize),
        size: (usize, usize),
        needs: HeadRequest,
    ) -> Result<Self, ModelError> {
        let failed = |error: TractError| ModelError::Inference(first_line(&error));
        Ok(Self {
            state: plan.spawn().map_err(failed)?,
            frame,
            size,
            needs,
            preparer: Preparer::new(frame, size),
            input: Arc::new(Tensor::zero::<f32>(&[1, size.1, size.0, 3]).map_err(failed)?),
            outputs: TVec::new(),
            aside: None,
            heatmaps: TVec::new(),
            doubt: Doubt::default(),
            model,
        })
    }

    /// Returns the frame size that it was made for.
    pub fn frame(&self) -> (usize, usize) {
        self.frame
    }

    /// Returns what it was made for.
    pub fn needs(&self) -> HeadRequest {
        self.needs
    }

    /// Returns the model behind it.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Returns width and height of the network's input.
    pub fn input_size(&self) -> (usize, usize) {
        self.size
    }

    /// Returns values of the network's input.
    pub fn input_len(&self) -> usize {
        self.size.0 * self.size.1 * 3
    }

    /// Finds who is in the part of a frame that the view names, which should have the frame's aspect; the grids lie over
    /// the part. What is no person is left out, where the model has a bar for that: now and then this runs what finds
    /// keypoints, too.
    ///
    /// # Errors
    /// When tract fails, or a head has not the shape `[1, rows, columns, values]`.
    pub fn see(&mut self, frame: &Yuv<'_>, view: View) -> Result<Heads<'_>, ModelError> {
        self.run_part(frame, view.region)?;
        self.judge(view)?;
        self.believed()
    }

    /// Forgets whom it doubted before: the next frame stands for itself.
    pub fn forget(&mut self) {
        self.doubt.reset();
    }

    /// Takes over what another session of the same model knows of the people that it doubted.
    pub fn inherit(&mut self, other: &mut Self) {
        self.doubt = std::mem::take(&mut other.doubt);
    }

    /// Runs the network on one frame, which must be of [`Session::frame`]'s size. For measurements: what is no person is
    /// among what it returns.
    ///
    /// # Errors
    /// As [`Session::see`].
    pub fn run(&mut self, frame: &Yuv<'_>) -> Result<Heads<'_>, ModelError> {
        self.run_part(frame, Region::whole(self.frame))?;
        self.heads()
    }

    fn run_part(&mut self, frame: &Yuv<'_>, region: Region) -> Result<(), ModelError> {
        let size = (region.width, region.height);
        if self.preparer.frame() != size {
            self.preparer = Preparer::new(size, self.size);
        }
        self.fill(|preparer, input| preparer.prepare(&frame.part(region), input))
    }

    /// Works as [`Session::run`] on values that are prepared already: RGB, -1.0..=1.0, [`Session::input_len`] of them.
    ///
    /// # Errors
    /// As [`Session::see`], and when their number is another.
    pub fn infer(&mut self, values: &[f32]) -> Result<Heads<'_>, ModelError> {
        if values.len() != self.input_len() {
            let error = format!("an input of {} values for {}", values.len(), self.input_len());
            return Err(ModelError::Inference(error));
        }
        self.fill(|_, input| input.copy_from_slice(values))?;
        self.heads()
    }

    /// Writes the input and runs.
    fn fill(&mut self, write: impl FnOnce(&mut Preparer, &mut [f32])) -> Result<(), ModelError> {
        let failed = |error: TractError| ModelError::Inference(first_line(&error));
        // Let go, so that the next outputs are written where the last ones were.
        self.outputs.clear();
        // What is doubted now is in the last outputs.
        self.doubt.pass();
        {
            // tract has let go of it after the last run.
            let mut view = Arc::make_mut(&mut self.input).try_as_plain_ram_mut().map_err(failed)?;
            write(&mut self.preparer, view.as_slice_mut::<f32>().map_err(failed)?);
        }
        self.outputs = self.state.run(tvec!(self.input.clone().into_tvalue())).map_err(failed)?;
        Ok(())
    }

    /// Decides what in the last run's mask is no person. [`Session::see`] does it; this is for who measures the run alone.
    ///
    /// # Errors
    /// As [`Session::see`], and when there was no run.
    pub fn judge(&mut self, view: View) -> Result<(), ModelError> {
        let Some(bar) = self.model.bar() else { return Ok(()) };
        // Taken out, because it reads what the session holds.
        let mut doubt = std::mem::take(&mut self.doubt);
        let judged = self.judge_with(&mut doubt, bar, view);
        self.doubt = doubt;
        judged
    }

    fn judge_with(&mut self, doubt: &mut Doubt, bar: Bar, view: View) -> Result<(), ModelError> {
        let heads = self.heads()?;
        let wanted = doubt.look(heads.segments, heads.grid, bar, view);
        if let Some(poses) = heads.poses {
            doubt.judge(poses.heatmaps, heads.pose_grid);
        } else if wanted {
            let (heatmaps, grid) = self.find_heatmaps()?;
            doubt.judge(heatmaps, grid);
        }
        doubt.settle(self.heads()?.segments);
        Ok(())
    }

    /// Returns what the last run found, without what is no person if that was judged.
    ///
    /// # Errors
    /// As [`Session::heads`].
    pub fn believed(&self) -> Result<Heads<'_>, ModelError> {
        let heads = self.heads()?;
        Ok(Heads { segments: self.doubt.without(heads.segments), ..heads })
    }

    /// Returns the heatmaps of the last run's input, and where they lie.
    ///
    /// # Errors
    /// As [`Session::see`].
    pub(super) fn find_heatmaps(&mut self) -> Result<(&[f32], Grid), ModelError> {
        let failed = |error: TractError| ModelError::Inference(first_line(&error));
        let aside = match &mut self.aside {
            Some(aside) => aside,
            aside => {
                let plan = self.model.plan(self.size, &[HEATMAPS])?;
                aside.insert(plan.spawn().map_err(failed)?)
            }
        };
        // Let go, as in `fill`.
        self.heatmaps.clear();
        self.heatmaps = aside.run(tvec!(self.input.clone().into_tvalue())).map_err(failed)?;
        let found = self.heatmaps.first().ok_or_else(|| ModelError::Inference("no output".into()))?;
        let &[1, rows, columns, 17] = found.shape() else {
            let error = format!("the head {HEATMAPS} has shape {:?}, not [1, rows, columns, 17]", found.shape());
            return Err(ModelError::Inference(error));
        };
        let plain = found.try_as_plain_ram().map_err(failed)?;
        let grid = Grid { columns, rows, alignment: self.model.alignment };
        Ok((plain.as_slice::<f32>().map_err(failed)?, grid))
    }

    /// Returns all that the last run found, also what is no person.
    ///
    /// # Errors
    /// As [`Session::see`], and when there was no run.
    pub fn heads(&self) -> Result<Heads<'_>, ModelError> {
        let wrong = |error: String| ModelError::Inference(error);
        let first = self.outputs.first().ok_or_else(|| wrong("no output".into()))?;
        let &[_, rows, columns, 1] = first.shape() else {
            return Err(wrong(format!("the head has shape {:?}", first.shape())));
        };
        let mut outputs = self.outputs.iter();
        let mut values = |grid: &mut Option<(usize, usize)>, each: usize| {
            let head = outputs.next().ok_or_else(|| wrong("too few outputs".into()))?;
            let (rows, columns) = match (*grid, head.shape()) {
                (Some(grid), _) => grid,
                (None, &[_, rows, columns, _]) => (rows, columns),
                (None, shape) => return Err(wrong(format!("a head has shape {shape:?}"))),
            };
            *grid = Some((rows, columns));
            if head.shape() != [1, rows, columns, each] {
                return Err(wrong(format!("a head has shape {:?}, not [1, {rows}, {columns}, {each}]", head.shape())));
            }
            let plain = head.try_as_plain_ram().map_err(|error| wrong(first_line(&error)))?;
            plain.as_slice::<f32>().map_err(|error| wrong(first_line(&error)))
        };
        let (mut grid, mut pose_grid) = (Some((rows, columns)), None);
        let segments = values(&mut grid, 1)?;
        let parts = self.needs.parts.then(|| values(&mut grid, 24)).transpose()?;
        let poses = match self.needs.poses {
            true => Some(PoseHeads {
                heatmaps: values(&mut pose_grid, 17)?,
                offsets: values(&mut pose_grid, 34)?,
                forward: values(&mut pose_grid, 32)?,
                backward: values(&mut pose_grid, 32)?,
            }),
            false => None,
        };
        let alignment = self.model.alignment;
        let (pose_rows, pose_columns) = pose_grid.unwrap_or((rows, columns));
        let pose_grid = Grid { columns: pose_columns, rows: pose_rows, alignment };
        Ok(Heads { grid: Grid { columns, rows, alignment }, pose_grid, input: self.size, segments, parts, poses })
    }
}
