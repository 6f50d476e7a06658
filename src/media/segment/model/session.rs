//! One stream's runs of a network. Nothing large is allocated after the first.

use std::sync::Arc;

use tract_onnx::prelude::*;

use super::{HEATMAPS, HeadRequest, Model, ModelError, TractPlan, first_line};
use crate::media::segment::{
    doubt::{Doubt, View},
    grid::Grid,
    input::{Preparer, Yuv},
    pose::{Pose, PoseDecoder, PoseHeads, keep_on_people},
    window::Region,
};

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

/// One stream's use of a model.
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

    /// Segments one frame, which must be of [`Session::frame`]'s size.
    ///
    /// # Errors
    /// When tract fails, or a head has not the shape `[1, rows, columns, values]`.
    pub fn run(&mut self, frame: &Yuv<'_>) -> Result<Heads<'_>, ModelError> {
        self.run_part(frame, Region::whole(self.frame))
    }

    /// Segments a part of a frame, which should have the frame's aspect. The grids lie over the part.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run_part(&mut self, frame: &Yuv<'_>, region: Region) -> Result<Heads<'_>, ModelError> {
        let size = (region.width, region.height);
        if self.preparer.frame() != size {
            self.preparer = Preparer::new(size, self.size);
        }
        self.fill(|preparer, input| preparer.prepare(&frame.part(region), input))?;
        self.heads()
    }

    /// Runs the network on values that are prepared already: RGB, -1.0..=1.0, [`Session::input_len`] of them.
    ///
    /// # Errors
    /// As [`Session::run`], and when their number is another.
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
        {
            // tract has let go of it after the last run.
            let mut view = Arc::make_mut(&mut self.input).try_as_plain_ram_mut().map_err(failed)?;
            write(&mut self.preparer, view.as_slice_mut::<f32>().map_err(failed)?);
        }
        self.outputs = self.state.run(tvec!(self.input.clone().into_tvalue())).map_err(failed)?;
        Ok(())
    }

    /// Decides what in the last run's mask is no person, where the model has a bar for that. Now and then this runs what
    /// finds keypoints, too.
    ///
    /// # Errors
    /// As [`Session::heads`].
    pub fn judge(&mut self, doubt: &mut Doubt, view: View) -> Result<(), ModelError> {
        let Some(bar) = self.model.bar() else {
            doubt.pass();
            return Ok(());
        };
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

    /// Returns what the last run found, without what is no person by the decision of [`Session::judge`].
    ///
    /// # Errors
    /// As [`Session::heads`].
    pub fn believed<'a>(&'a self, doubt: &'a Doubt) -> Result<Heads<'a>, ModelError> {
        let heads = self.heads()?;
        Ok(Heads { segments: doubt.without(heads.segments), ..heads })
    }

    /// Returns the heatmaps of the last run's input, and where they lie.
    ///
    /// # Errors
    /// As [`Session::run`].
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

    /// Returns what the last run found.
    ///
    /// # Errors
    /// As [`Session::run`], and when there was no run.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use prost::Message as _;
    use tract_onnx::pb::ModelProto;

    use super::*;
    use crate::media::segment::model::{BAR, EMBEDDED_FILE, LoadOptions};

    /// Returns the built-in network, after a change of its file.
    fn changed(change: impl FnOnce(&mut ModelProto)) -> Result<Arc<Model>, ModelError> {
        let mut proto = ModelProto::decode(EMBEDDED_FILE).unwrap();
        change(&mut proto);
        Model::read(&proto.encode_to_vec(), Path::new("changed.onnx"), LoadOptions::default())
    }

    /// Gives the tensor of each of two names the other name.
    fn swap(proto: &mut ModelProto, one: &str, other: &str) {
        let graph = proto.graph.as_mut().unwrap();
        let values = graph.output.iter_mut().chain(&mut graph.value_info).map(|value| &mut value.name);
        let nodes = graph.node.iter_mut();
        let tensors =
            nodes.flat_map(|node| node.input.iter_mut().chain(&mut node.output).chain(std::iter::once(&mut node.name)));
        for name in values.chain(tensors) {
            if name == one {
                *name = other.to_owned();
            } else if name == other {
                *name = one.to_owned();
            }
        }
    }

    #[test]
    fn heatmaps_of_a_wrong_shape_are_refused_where_a_bar_needs_them() {
        // 34 values a point in place of 17.
        let error = changed(|proto| swap(proto, HEATMAPS, "short_offsets")).unwrap_err();
        assert!(matches!(error, ModelError::Inference(_)), "as a wrong mask is: {error}");
        let error = error.to_string();
        assert!(error.contains("the head heatmaps has shape [1, ") && error.contains(", 34], not"), "{error}");
        let without = changed(|proto| {
            swap(proto, HEATMAPS, "short_offsets");
            proto.metadata_props.retain(|property| property.key != BAR);
        });
        assert_eq!(without.unwrap().bar(), None, "they are of no use to it");
    }

    #[test]
    fn heatmaps_alone_are_those_among_all_heads() {
        let model = Model::embedded(LoadOptions::default()).unwrap();
        let session = |poses: bool| model.session((640, 360), HeadRequest { poses, ..HeadRequest::default() }).unwrap();
        let (mut all, mut mask) = (session(true), session(false));
        for round in 1..3 {
            let step = 0.37 * round as f32;
            let values: Vec<f32> = (0..mask.input_len()).map(|index| (index as f32 * step).sin()).collect();
            let heads = all.infer(&values).unwrap();
            mask.infer(&values).unwrap();
            let (heatmaps, grid) = mask.find_heatmaps().unwrap();
            let expected = heads.poses.unwrap().heatmaps;
            assert_eq!((grid, heatmaps.len()), (heads.pose_grid, expected.len()));
            let near = |(one, other): (&f32, &f32)| (one - other).abs() < 1e-3;
            assert!(heatmaps.iter().zip(expected).all(near), "{round}");
        }
    }
}
