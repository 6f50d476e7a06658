//! A segmentation network in tract: loading, and one plan per input size and heads.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use tracing::{info, warn};
use tract_onnx::prelude::*;

mod fused;
mod session;

use fused::Chain;

pub use super::chain::Precision;
pub use session::{Heads, Session};

use super::input::input_size;

/// Pixels of the network's input where nobody asks for more or less: 257x145 for 16:9.
pub const AREA: usize = 257 * 145;

/// One logit per grid point: a person.
const SEGMENTS: &str = "segments";
/// 24 logits: which part of the body.
const PARTS: &str = "part_heatmaps";
/// 17 logits, 34 offsets, 32 displacements to the next and to the last keypoint of the tree.
const POSES: [&str; 4] = ["heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd"];
/// All that is ever read, the one that every model must have first.
const HEADS: [&str; 6] = [SEGMENTS, PARTS, POSES[0], POSES[1], POSES[2], POSES[3]];

/// Size of the picture on which the fused network is held against tract's own: small, it is done at every load.
const CHECK: (usize, usize) = (97, 65);

/// Difference of logits that rounding explains, as a share of the largest one where that is above 1.
const FUSED_TOLERANCE: f32 = 1e-3;

/// The same in bfloat16, which keeps 8 bits of a number: masks stay as good as they are in floats (models/README.md).
const BF16_TOLERANCE: f32 = 0.05;

/// Plans kept for sizes that nobody sends just now: a sender that changes its aspect must not fill the memory.
const MAX_PLANS: usize = 8;

type Plan = Arc<TypedRunnableModel>;

/// How a network is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// As one operator of ours, where that can be; otherwise by tract's own operators.
    pub fused: bool,
    /// Of the fused operator. Without bfloat16 in the processor, or where it makes a difference, it is floats.
    pub precision: Precision,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { fused: true, precision: Precision::Bf16 }
    }
}

/// What somebody wants to know of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Pixels of the network's input, which has the frame's aspect: about [`AREA`].
    pub area: usize,
    /// Which part of the body is where.
    pub parts: bool,
    /// Keypoints.
    pub poses: bool,
}

impl Default for Needs {
    fn default() -> Self {
        Self { area: AREA, parts: false, poses: false }
    }
}

impl Needs {
    fn heads(self) -> Vec<&'static str> {
        let mut heads = vec![SEGMENTS];
        heads.extend(self.parts.then_some(PARTS));
        heads.extend(POSES.into_iter().filter(|_| self.poses));
        heads
    }
}

/// Why a model cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("model {path}: {error}")]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// Of the file system.
        error: String,
    },
    /// Not an ONNX model, or one that tract cannot run.
    #[error("model {path}: {error}")]
    Unusable {
        /// As given.
        path: PathBuf,
        /// What is wrong, in one line.
        error: String,
    },
    /// It failed while running.
    #[error("inference: {0}")]
    Inference(String),
}

/// A loaded network, shared by all who segment with it.
pub struct Model {
    path: PathBuf,
    name: String,
    graph: InferenceModel,
    /// Names of the file's outputs.
    outputs: Vec<String>,
    /// The same as one operator of ours, where it can be.
    chain: Option<Chain>,
    precision: Precision,
    plans: Mutex<HashMap<PlanKey, Plan>>,
}

/// Width and height of the input, parts, poses.
type PlanKey = ((usize, usize), bool, bool);

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({})", self.name)
    }
}

/// The model that elements without a `model` property use.
static DEFAULT: ArcSwapOption<Model> = ArcSwapOption::const_empty();

/// Sets the process's model.
pub fn set_default(model: Option<Arc<Model>>) {
    DEFAULT.store(model);
}

/// The process's model.
pub fn default() -> Option<Arc<Model>> {
    DEFAULT.load_full()
}

impl Model {
    /// Loads an ONNX file with an NHWC RGB input and a head named `segments`, and tries it once.
    ///
    /// # Errors
    /// One line that names the file.
    pub fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        Self::load_with(path, LoadOptions::default())
    }

    /// As [`Model::load`], run in a certain way.
    ///
    /// # Errors
    /// One line that names the file.
    pub fn load_with(path: &Path, options: LoadOptions) -> Result<Arc<Self>, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|error| ModelError::Unreadable { path: path.to_owned(), error: error.to_string() })?;
        let unusable = |error: String| ModelError::Unusable { path: path.to_owned(), error };
        // tract panics on some broken files; a model file is input like any other.
        let (proto, graph) = std::panic::catch_unwind(|| {
            let proto = tract_onnx::onnx().proto_model_for_read(&mut bytes.as_slice())?;
            let graph = tract_onnx::onnx().model_for_read(&mut bytes.as_slice())?;
            TractResult::Ok((proto, graph))
        })
        .map_err(|_| unusable("not a model that tract understands".into()))?
        .map_err(|error| unusable(first_line(&error)))?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let outputs: Vec<String> =
            proto.graph.iter().flat_map(|graph| &graph.output).map(|output| output.name.clone()).collect();
        if !outputs.iter().any(|output| output == SEGMENTS) {
            return Err(unusable(format!("no output named {SEGMENTS}; it has {}", outputs.join(", "))));
        }
        let mut model = Self {
            path: path.to_owned(),
            name,
            graph,
            outputs,
            chain: None,
            precision: options.precision,
            plans: Mutex::default(),
        };
        if options.fused {
            model.chain = model.fuse(&proto, Precision::F32, FUSED_TOLERANCE);
        }
        if options.precision == Precision::Bf16 && model.chain.is_some() {
            let agrees = model.fuse(&proto, Precision::Bf16, BF16_TOLERANCE).is_some();
            model.precision = if agrees { Precision::Bf16 } else { Precision::F32 };
        }
        let model = Arc::new(model);
        let mut session = model.session((640, 360), Needs::default())?;
        session.infer(&vec![0.0; session.input_len()])?;
        Ok(model)
    }

    /// The file's name without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it can tell the parts of the body.
    pub fn has_parts(&self) -> bool {
        self.has(&[PARTS])
    }

    /// Whether it can find keypoints.
    pub fn has_poses(&self) -> bool {
        self.has(&POSES)
    }

    /// Whether it runs as one operator of ours.
    pub fn is_fused(&self) -> bool {
        self.chain.is_some()
    }

    fn has(&self, heads: &[&str]) -> bool {
        heads.iter().all(|head| self.outputs.iter().any(|output| output == head))
    }

    /// What is needed to segment frames of this size (width, height), for one stream.
    ///
    /// # Errors
    /// When the network lacks a head, does not take the input size, or has outputs of another shape.
    pub fn session(self: &Arc<Self>, frame: (usize, usize), needs: Needs) -> Result<Session, ModelError> {
        let heads = needs.heads();
        if let Some(missing) = heads.iter().find(|head| !self.has(&[head])) {
            let error = format!("no output named {missing}, which body parts or keypoints need");
            return Err(ModelError::Unusable { path: self.path.clone(), error });
        }
        let size = input_size(frame, needs.area);
        let plan = self.plan(size, needs, &heads)?;
        Session::new(self.clone(), &plan, frame, size, needs)
    }

    /// The network as one operator, if it can be one and gives what tract gives.
    fn fuse(&self, proto: &tract_onnx::pb::ModelProto, precision: Precision, tolerance: f32) -> Option<Chain> {
        let chain = Chain::read(proto, &HEADS)?;
        let difference = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.difference(&chain, precision)));
        match difference {
            Ok(Ok(difference)) if difference <= tolerance => {
                info!(model = %self.name, ?precision, difference, "convolutions fused");
                Some(chain)
            }
            Ok(Ok(difference)) => {
                warn!(model = %self.name, ?precision, difference, "the fused network differs and is not used");
                None
            }
            Ok(Err(error)) => {
                warn!(model = %self.name, error = %first_line(&error), "the network is not fused");
                None
            }
            Err(_) => None,
        }
    }

    /// The largest difference of an output between the fused network and tract's own, on a made-up picture; of values
    /// above 1, as a share of the head's largest.
    fn difference(&self, chain: &Chain, precision: Precision) -> TractResult<f32> {
        let picture: Vec<f32> = (0..CHECK.0 * CHECK.1 * 3)
            .map(|index| (index as f32 * 0.37).sin() * (index as f32 * 0.011).cos())
            .collect();
        let input = Tensor::from_shape(&[1, CHECK.1, CHECK.0, 3], &picture)?;
        let heads: Vec<&str> = HEADS.into_iter().filter(|head| chain.has(&[head])).collect();
        let ours = chain.graph(&heads, CHECK, precision)?.into_runnable()?.run(tvec!(input.clone().into()))?;
        let theirs = self.stock(&heads, CHECK)?.run(tvec!(input.into()))?;
        let mut most = 0.0f32;
        for (ours, theirs) in ours.iter().zip(&theirs) {
            if ours.shape() != theirs.shape() {
                return Ok(f32::INFINITY);
            }
            let (ours, theirs) = (ours.to_plain_array_view::<f32>()?, theirs.to_plain_array_view::<f32>()?);
            let scale = theirs.iter().fold(1.0f32, |most, value| most.max(value.abs()));
            let difference = |(ours, theirs): (&f32, &f32)| (ours - theirs).abs() / scale;
            most = ours.iter().zip(theirs.iter()).map(difference).fold(most, f32::max);
        }
        Ok(most)
    }

    /// The network as tract runs it.
    fn stock(&self, heads: &[&str], size: (usize, usize)) -> TractResult<Plan> {
        self.graph
            .clone()
            .with_input_fact(0, f32::fact([1, size.1, size.0, 3]).into())?
            .with_outputs_by_name(heads)?
            .into_optimized()?
            .into_runnable()
    }

    fn plan(&self, size: (usize, usize), needs: Needs, heads: &[&str]) -> Result<Plan, ModelError> {
        let key = (size, needs.parts, needs.poses);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&key) {
            return Ok(plan.clone());
        }
        let unusable = |error: String| ModelError::Unusable { path: self.path.clone(), error };
        let build = || match &self.chain {
            Some(chain) if chain.has(heads) => chain.graph(heads, size, self.precision)?.into_runnable(),
            _ => self.stock(heads, size),
        };
        let plan = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build))
            .map_err(|_| unusable("not a model that tract can run".into()))?
            .map_err(|error| unusable(first_line(&error)))?;
        if plans.len() >= MAX_PLANS {
            // Those that a session runs stay.
            plans.retain(|_, plan| Arc::strong_count(plan) > 1);
        }
        plans.insert(key, plan.clone());
        Ok(plan)
    }
}

fn first_line(error: &TractError) -> String {
    error
        .chain()
        .map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned())
        .collect::<Vec<_>>()
        .join(": ")
}
