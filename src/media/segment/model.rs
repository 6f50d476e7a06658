//! A segmentation network in tract: loading, one plan per input size, and a bound on how many run at once.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError},
};

use arc_swap::ArcSwapOption;
use ndarray::ArrayView2;
use tracing::{info, warn};
use tract_onnx::prelude::*;

mod fused;

use fused::Chain;

use super::input::{Preparer, Yuv, input_size};

/// Pixels of the network's input: 257x145 for 16:9.
const INPUT_AREA: usize = 257 * 145;

/// The head that we read: one logit per grid point.
const HEAD: &str = "segments";

/// Size of the picture on which the fused network is held against tract's own: small, it is done at every load.
const CHECK: (usize, usize) = (97, 65);

/// Difference of logits that rounding explains.
const FUSED_TOLERANCE: f32 = 1e-3;

/// Plans kept for sizes that nobody sends just now: a sender that changes its aspect must not fill the memory.
const MAX_PLANS: usize = 8;

type Plan = Arc<RunnableModel<TypedFact, Box<dyn TypedOp>>>;

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
    /// The same as one operator of ours, where it can be.
    chain: Option<Chain>,
    plans: Mutex<HashMap<(usize, usize), Plan>>,
}

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
        let mut model = Self { path: path.to_owned(), name, graph, chain: None, plans: Mutex::default() };
        model.chain = model.fuse(&proto);
        let mut session = Arc::new(model).session((640, 360))?;
        let (y, u, v) = ([16u8; 640 * 360], [128u8; 320 * 180], [128u8; 320 * 180]);
        session.run(&Yuv { width: 640, height: 360, y: (&y, 640), u: (&u, 320), v: (&v, 320) })?;
        Ok(session.model)
    }

    /// The file's name without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is needed to segment frames of this size (width, height), for one stream.
    ///
    /// # Errors
    /// When the network does not take the input size, or has another output than one value per grid point.
    pub fn session(self: &Arc<Self>, frame: (usize, usize)) -> Result<Session, ModelError> {
        let size = input_size(frame, INPUT_AREA);
        let plan = self.plan(size)?;
        Ok(Session { model: self.clone(), plan, size, preparer: Preparer::new(frame, size), logits: Vec::new() })
    }

    /// The network as one operator, if it can be one and gives what tract gives.
    fn fuse(&self, proto: &tract_onnx::pb::ModelProto) -> Option<Chain> {
        let chain = Chain::read(proto, HEAD)?;
        let difference = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.difference(&chain)));
        match difference {
            Ok(Ok(difference)) if difference <= FUSED_TOLERANCE => {
                info!(model = %self.name, difference, "convolutions fused");
                Some(chain)
            }
            Ok(Ok(difference)) => {
                warn!(model = %self.name, difference, "the fused network differs and is not used");
                None
            }
            Ok(Err(error)) => {
                warn!(model = %self.name, error = %first_line(&error), "the network is not fused");
                None
            }
            Err(_) => None,
        }
    }

    /// The largest difference of a logit between the fused network and tract's own, on a made-up picture.
    fn difference(&self, chain: &Chain) -> TractResult<f32> {
        let picture: Vec<f32> = (0..CHECK.0 * CHECK.1 * 3)
            .map(|index| (index as f32 * 0.37).sin() * (index as f32 * 0.011).cos())
            .collect();
        let input = Tensor::from_shape(&[1, CHECK.1, CHECK.0, 3], &picture)?;
        let ours = chain.graph(CHECK)?.into_runnable()?.run(tvec!(input.clone().into()))?;
        let theirs = self.stock(CHECK)?.run(tvec!(input.into()))?;
        let (ours, theirs) = (ours[0].to_plain_array_view::<f32>()?, theirs[0].to_plain_array_view::<f32>()?);
        if ours.shape() != theirs.shape() {
            return Ok(f32::INFINITY);
        }
        Ok(ours.iter().zip(theirs.iter()).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max))
    }

    /// The network as tract runs it.
    fn stock(&self, size: (usize, usize)) -> TractResult<Plan> {
        self.graph
            .clone()
            .with_input_fact(0, f32::fact([1, size.1, size.0, 3]).into())?
            .with_outputs_by_name([HEAD])?
            .into_optimized()?
            .into_runnable()
    }

    fn plan(&self, size: (usize, usize)) -> Result<Plan, ModelError> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&size) {
            return Ok(plan.clone());
        }
        let unusable = |error: String| ModelError::Unusable { path: self.path.clone(), error };
        let build = || match &self.chain {
            Some(chain) => chain.graph(size)?.into_runnable(),
            None => self.stock(size),
        };
        let plan = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build))
            .map_err(|_| unusable("not a model that tract can run".into()))?
            .map_err(|error| unusable(first_line(&error)))?;
        if plans.len() >= MAX_PLANS {
            // Those that a session runs stay.
            plans.retain(|_, plan| Arc::strong_count(plan) > 1);
        }
        plans.insert(size, plan.clone());
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

/// One stream's use of a model.
pub struct Session {
    model: Arc<Model>,
    plan: Plan,
    size: (usize, usize),
    preparer: Preparer,
    logits: Vec<f32>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, {}x{})", self.model.name, self.size.0, self.size.1)
    }
}

impl Session {
    /// The frame size that it was made for.
    pub fn frame(&self) -> (usize, usize) {
        self.preparer.frame()
    }

    /// The model behind it.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Segments one frame: logits as rows x columns of grid points.
    ///
    /// # Errors
    /// When tract fails, or the head has another shape than `[1, rows, columns, 1]`.
    pub fn run(&mut self, frame: &Yuv<'_>) -> Result<ArrayView2<'_, f32>, ModelError> {
        let failed = |error: TractError| ModelError::Inference(first_line(&error));
        let mut input = Tensor::zero::<f32>(&[1, self.size.1, self.size.0, 3]).map_err(failed)?;
        {
            let mut view = input.try_as_plain_ram_mut().map_err(failed)?;
            self.preparer.prepare(frame, view.as_slice_mut::<f32>().map_err(failed)?);
        }
        let outputs = {
            let _turn = Turn::take();
            self.plan.run(tvec!(input.into())).map_err(failed)?
        };
        let head = outputs.first().ok_or_else(|| ModelError::Inference("no output".into()))?;
        let &[_, rows, columns, 1] = head.shape() else {
            return Err(ModelError::Inference(format!("the head has shape {:?}", head.shape())));
        };
        self.logits.clear();
        self.logits.extend(head.to_plain_array_view::<f32>().map_err(failed)?.iter());
        ArrayView2::from_shape((rows, columns), &self.logits).map_err(|error| ModelError::Inference(error.to_string()))
    }
}

/// The right to run an inference: as many at once as there are cores, or they would only slow each other and
/// everything else down.
struct Turn;

fn turns() -> &'static (Mutex<usize>, Condvar) {
    static TURNS: OnceLock<(Mutex<usize>, Condvar)> = OnceLock::new();
    TURNS.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (Mutex::new(cores), Condvar::new())
    })
}

impl Turn {
    fn take() -> Self {
        let (free, freed) = turns();
        let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (free, freed) = turns();
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}
