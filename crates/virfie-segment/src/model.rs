//! A segmentation network in tract: loading, and one plan per input size and heads.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tracing::{info, warn};
use tract_onnx::prelude::*;

mod fused;
mod session;

use fused::Chain;

pub use super::chain::Precision;
pub use session::{Heads, Session};

use super::{doubt::Bar, grid::Alignment, input::input_size};

/// Pixels of the network's input where nobody asks for more or less: 257x145 for 16:9.
pub const AREA: usize = 257 * 145;

/// The name of the network that is in the program.
pub const EMBEDDED: &str = "embedded";
/// Its ONNX file.
pub static EMBEDDED_FILE: &[u8] = include_bytes!("../../../models/virfie-seg.onnx");

/// Property of a file that says where the values of its outputs lie.
const GRID: &str = "virfie.grid";
/// Property of a file that says which bar its people must reach.
const BAR: &str = "virfie.doubt";
/// One logit per grid point: a person.
const SEGMENTS: &str = "segments";
/// 24 logits: which part of the body.
const PARTS: &str = "part_heatmaps";
/// 17 logits: which keypoint is near.
const HEATMAPS: &str = "heatmaps";
/// These, 34 offsets, 32 displacements to the next and to the last keypoint of the tree.
const POSES: [&str; 4] = [HEATMAPS, "short_offsets", "displacement_fwd", "displacement_bwd"];
/// All that is ever read, the one that every model must have first.
const HEADS: [&str; 6] = [SEGMENTS, PARTS, POSES[0], POSES[1], POSES[2], POSES[3]];

/// Size of the picture, nearly, on which the fused network is held against tract's own: small, it is done at every
/// load.
const CHECK: (usize, usize) = (97, 65);

/// Difference of logits that rounding explains, as a share of the largest one where that is above 1.
const FUSED_TOLERANCE: f32 = 1e-3;

/// The same in bfloat16, which keeps 8 bits of a number: masks stay as good as they are in floats (models/README.md).
const BF16_TOLERANCE: f32 = 0.05;

/// Plans kept for sizes that nobody sends just now: a sender that changes its aspect must not fill the memory.
const MAX_PLANS: usize = 8;

type TractPlan = Arc<TypedRunnableModel>;

/// The options by which a network is run.
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

/// The source of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// It is in the program.
    #[default]
    Embedded,
    /// An ONNX file.
    File(PathBuf),
}

impl ModelSource {
    /// Returns what a command's argument means: the word `embedded`, or a file.
    pub fn of(argument: &Path) -> Self {
        if argument == Path::new(EMBEDDED) { Self::Embedded } else { Self::File(argument.to_owned()) }
    }
}

impl std::fmt::Display for ModelSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The heads that somebody wants of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeadRequest {
    /// Pixels of the network's input, which has the frame's aspect: about [`AREA`].
    pub area: usize,
    /// Whether the model says where each part of the body is.
    pub parts: bool,
    /// Keypoints.
    pub poses: bool,
}

impl Default for HeadRequest {
    fn default() -> Self {
        Self { area: AREA, parts: false, poses: false }
    }
}

impl HeadRequest {
    fn heads(self) -> Vec<&'static str> {
        let mut heads = vec![SEGMENTS];
        heads.extend(self.parts.then_some(PARTS));
        heads.extend(POSES.into_iter().filter(|_| self.poses));
        heads
    }
}

/// The reason why a model cannot be used.
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
        /// The fault, in one line.
        error: String,
    },
    /// It failed while running.
    #[error("inference: {0}")]
    Inference(String),
}

/// A file's word for where its values lie that is not known: the fault of who made the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its property {GRID} is {0:?}, neither \"ends\" nor \"cells\"")]
pub struct UnknownGrid(String);

/// A file's bar for people that cannot be read: the fault of who made the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its property {BAR} is {0:?}, not a probability and a sum of 17, with a comma between")]
struct UnknownBar(String);

/// A loaded network, shared by all who segment with it.
pub struct Model {
    path: PathBuf,
    name: String,
    graph: InferenceModel,
    alignment: Alignment,
    bar: Option<Bar>,
    /// Names of the file's outputs.
    outputs: Vec<String>,
    /// The same as one operator of ours, where it can be.
    chain: Option<Chain>,
    precision: Precision,
    plans: Mutex<HashMap<PlanKey, TractPlan>>,
}

/// Width and height of the input, and the heads.
type PlanKey = ((usize, usize), Vec<&'static str>);

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Model({})", self.name)
    }
}

/// The model that elements without a `model` property use.
static DEFAULT: ArcSwapOption<Model> = ArcSwapOption::const_empty();
/// Whether the process has one, or has said that there shall be none.
static CHOSEN: AtomicBool = AtomicBool::new(false);

/// Sets the process's model; `None`: elements without a `model` property let frames pass whole.
pub fn set_default(model: Option<Arc<Model>>) {
    DEFAULT.store(model);
    CHOSEN.store(true, Ordering::SeqCst);
}

/// Returns whether [`set_default`] was called. A pipeline of somebody else's is in no such process.
pub fn is_chosen() -> bool {
    CHOSEN.load(Ordering::SeqCst)
}

/// Returns the process's model.
pub fn default() -> Option<Arc<Model>> {
    DEFAULT.load_full()
}

impl Model {
    /// Loads an ONNX file with an NHWC RGB input and a head named `segments`, and tries it once; where it has a bar for
    /// its people, its heatmaps, too.
    ///
    /// # Errors
    /// One line that names the file.
    pub fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        Self::load_with(path, LoadOptions::default())
    }

    /// Works as [`Model::load`], run in a certain way.
    ///
    /// # Errors
    /// One line that names the file.
    pub fn load_with(path: &Path, options: LoadOptions) -> Result<Arc<Self>, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|error| ModelError::Unreadable { path: path.to_owned(), error: error.to_string() })?;
        Self::read(&bytes, path, options)
    }

    /// Returns the network that is in the program, or that of a file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_source(source: &ModelSource) -> Result<Arc<Self>, ModelError> {
        Self::from_source_with(source, LoadOptions::default())
    }

    /// Works as [`Model::from_source`], run in a certain way.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_source_with(source: &ModelSource, options: LoadOptions) -> Result<Arc<Self>, ModelError> {
        match source {
            ModelSource::Embedded => Self::embedded(options),
            ModelSource::File(path) => Self::load_with(path, options),
        }
    }

    /// Returns the network that is in the program: models/README.md says what it is and how it was made.
    ///
    /// # Errors
    /// Not for a build that passes its tests.
    pub fn embedded(options: LoadOptions) -> Result<Arc<Self>, ModelError> {
        Self::read(EMBEDDED_FILE, Path::new(EMBEDDED), options)
    }

    /// Reads the network of an ONNX file's `bytes`; `path` is what it is called.
    fn read(bytes: &[u8], path: &Path, options: LoadOptions) -> Result<Arc<Self>, ModelError> {
        let unusable = |error: String| ModelError::Unusable { path: path.to_owned(), error };
        // tract panics on some broken files; a model file is input like any other.
        let (proto, graph) = std::panic::catch_unwind(|| {
            let proto = tract_onnx::onnx().proto_model_for_read(&mut &*bytes)?;
            let graph = tract_onnx::onnx().model_for_read(&mut &*bytes)?;
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
        let alignment = alignment(&proto).map_err(|error| unusable(error.to_string()))?;
        let bar = bar(&proto).map_err(|error| unusable(error.to_string()))?;
        let mut model = Self {
            path: path.to_owned(),
            name,
            graph,
            alignment,
            bar,
            outputs,
            chain: None,
            precision: options.precision,
            plans: Mutex::default(),
        };
        if options.fused {
            model.fuse(&proto);
        }
        let model = Arc::new(model);
        let mut session = model.session((640, 360), HeadRequest::default())?;
        session.infer(&vec![0.0; session.input_len()])?;
        if model.bar().is_some() {
            // Nobody asks for them before the first time that somebody is doubtful: a fault would end a stream then.
            session.find_heatmaps()?;
        }
        Ok(model)
    }

    /// Returns the file's name without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it distinguishes the parts of the body.
    pub fn has_parts(&self) -> bool {
        self.has(&[PARTS])
    }

    /// Returns whether it can find keypoints.
    pub fn has_poses(&self) -> bool {
        self.has(&POSES)
    }

    /// Returns the bar that its people must reach, if it has one and what that is measured by.
    pub fn bar(&self) -> Option<Bar> {
        self.bar.filter(|_| self.has(&[HEATMAPS]))
    }

    /// Returns whether it runs as one operator of ours.
    pub fn is_fused(&self) -> bool {
        self.chain.is_some()
    }

    fn has(&self, heads: &[&str]) -> bool {
        heads.iter().all(|head| self.outputs.iter().any(|output| output == head))
    }

    /// Returns what is needed to segment frames of this size (width, height), for one stream.
    ///
    /// # Errors
    /// When the network lacks a head, does not take the input size, or has outputs of another shape.
    pub fn session(self: &Arc<Self>, frame: (usize, usize), needs: HeadRequest) -> Result<Session, ModelError> {
        let heads = needs.heads();
        if let Some(missing) = heads.iter().find(|head| !self.has(&[head])) {
            let error = format!("no output named {missing}, which body parts or keypoints need");
            return Err(ModelError::Unusable { path: self.path.clone(), error });
        }
        let size = input_size(frame, needs.area, self.alignment);
        let plan = self.plan(size, &heads)?;
        Session::new(self.clone(), &plan, frame, size, needs)
    }

    /// Runs the network as one operator from now on, if it can be one and gives what tract gives.
    fn fuse(&mut self, proto: &tract_onnx::pb::ModelProto) {
        let Some(chain) = Chain::read(proto, &HEADS) else { return };
        let heads: Vec<&str> = HEADS.into_iter().filter(|head| chain.has(&[head])).collect();
        let size = input_size(CHECK, CHECK.0 * CHECK.1, self.alignment);
        // tract may panic on what it does not know.
        let caught = |run: &dyn Fn() -> TractResult<f32>| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
                .unwrap_or_else(|_| Err(TractError::msg("it panics")))
        };
        let picture = made_up(size);
        let input = || Tensor::from_shape(&[1, size.1, size.0, 3], &picture);
        let theirs = Mutex::new(TVec::new());
        let stock = caught(&|| {
            let outputs = self.stock(&heads, size)?.run(tvec!(input()?.into()))?;
            *theirs.lock() = outputs;
            Ok(0.0)
        });
        let theirs = theirs.into_inner();
        let agrees = |precision: Precision, tolerance: f32| {
            let ours = || {
                let plan = chain.graph(&heads, size, precision)?.into_runnable()?;
                difference(&plan.run(tvec!(input()?.into()))?, &theirs)
            };
            match stock.as_ref().map_err(first_line).and_then(|_| caught(&ours).map_err(|error| first_line(&error))) {
                Ok(difference) if difference <= tolerance => {
                    info!(model = %self.name, ?precision, difference, "convolutions fused");
                    true
                }
                Ok(difference) => {
                    warn!(model = %self.name, ?precision, difference, "the fused network differs and is not used");
                    false
                }
                Err(error) => {
                    warn!(model = %self.name, %error, "the network is not fused");
                    false
                }
            }
        };
        if !agrees(Precision::F32, FUSED_TOLERANCE) {
            return;
        }
        if self.precision == Precision::Bf16 && !agrees(Precision::Bf16, BF16_TOLERANCE) {
            self.precision = Precision::F32;
        }
        self.chain = Some(chain);
    }

    /// Returns the network as tract runs it.
    fn stock(&self, heads: &[&str], size: (usize, usize)) -> TractResult<TractPlan> {
        self.graph
            .clone()
            .with_input_fact(0, f32::fact([1, size.1, size.0, 3]).into())?
            .with_outputs_by_name(heads)?
            .into_optimized()?
            .into_runnable()
    }

    fn plan(&self, size: (usize, usize), heads: &[&'static str]) -> Result<TractPlan, ModelError> {
        let key = (size, heads.to_vec());
        let mut plans = self.plans.lock();
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

/// Returns a picture on which networks are held against each other.
fn made_up(size: (usize, usize)) -> Vec<f32> {
    (0..size.0 * size.1 * 3).map(|index| (index as f32 * 0.37).sin() * (index as f32 * 0.011).cos()).collect()
}

/// Returns the largest difference between outputs; of values above 1, as a share of the head's largest.
fn difference(ours: &[TValue], theirs: &[TValue]) -> TractResult<f32> {
    let mut most = 0.0f32;
    for (ours, theirs) in ours.iter().zip(theirs) {
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

/// Returns where the values of the file's outputs lie. Our own files say it in their metadata; without a word it is as
/// in BodyPix.
///
/// # Errors
/// One line, for a word that is not known.
pub fn alignment(proto: &tract_onnx::pb::ModelProto) -> Result<Alignment, UnknownGrid> {
    match proto.metadata_props.iter().find(|property| property.key == GRID).map(|property| property.value.as_str()) {
        None | Some("ends") => Ok(Alignment::Ends),
        Some("cells") => Ok(Alignment::Cells),
        Some(other) => Err(UnknownGrid(other.to_owned())),
    }
}

/// Returns the bar that a file names for its people. Only its own people can be measured by it, so that of another file
/// would be wrong: without a word there is no bar.
fn bar(proto: &tract_onnx::pb::ModelProto) -> Result<Option<Bar>, UnknownBar> {
    let property = proto.metadata_props.iter().find(|property| property.key == BAR);
    property.map(|bar| Bar::read(&bar.value).ok_or_else(|| UnknownBar(bar.value.clone()))).transpose()
}

fn first_line(error: &TractError) -> String {
    error
        .chain()
        .map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned())
        .collect::<Vec<_>>()
        .join(": ")
}
