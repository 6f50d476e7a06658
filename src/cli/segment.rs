//! `virfie segment`: cuts people out of a picture or a video, to see and tune the model without a room.
//!
//! ```text
//!   Args ─► plan (what makes sense) ─► picture ┐                 ┌─ finder: mask, body parts, poses ─► report (JSON)
//!                                      video ──┴─► each frame ───┴─ painter: raster, backdrop, overlay ─► output
//! ```

mod backdrop;
mod finder;
mod output;
mod overlay;
mod painter;
mod picture;
mod plan;
mod raster;
mod report;
mod video;

use std::{path::PathBuf, sync::Arc};

use crate::{
    config::{self, ModelChoice},
    error::ProgramError,
    media::segment::model::{EMBEDDED, Model, ModelSource},
};
use plan::{Kind, SegmentPlan};

/// The arguments: what is cut out and where it goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A picture (PNG, JPEG, WebP, GIF) or a video, distinguished by content
    input: PathBuf,
    /// File to write; its ending says how: png, webp, jpg or mp4, m4v, mov, mkv [default: beside INPUT, `.cutout.png`
    /// or `.cutout.mp4`; none with --json]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The part of the picture that is kept: `person`, or parts of the body such as `left_face,right_face`
    #[arg(long, value_name = "WHAT")]
    cutout: Option<String>,
    /// The background that is put behind: a picture FILE that covers, `blur`, or #rrggbb [default: nothing for
    /// pictures, #00b140 for videos]
    #[arg(long, value_name = "FILE|blur|#rrggbb")]
    background: Option<String>,
    /// Write the mask: white is kept
    #[arg(long)]
    mask: bool,
    /// Paint the parts of the body in colours over the darkened picture
    #[arg(long)]
    parts: bool,
    /// Draw skeletons: over the whole picture, or over what the other options make
    #[arg(long)]
    keypoints: bool,
    /// Print what is found as JSON: an object for a picture, a line a frame for a video
    #[arg(long)]
    json: bool,
    /// Probability of being a person at which a pixel is half transparent, 0.05 to 0.95 [default: 0.5]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Softness of the edge, 0 (hard) to 1 [default: 0.33]
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    feather: Option<f32>,
    /// Videos: share of the last mask that stays where nothing moves, 0 to 0.95 [default: 0.9]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    smoothing: Option<f32>,
    /// Videos: find people in every N-th frame only, 1 to 60 [default: 1]
    #[arg(long, value_name = "N")]
    every: Option<u32>,
    /// The model: `embedded`, an ONNX file, or the name of one in the data directory's models [default: embedded]
    #[arg(long, env = "VIRFIE_MODEL", value_name = "embedded|FILE|NAME", hide_env_values = true)]
    model: Option<String>,
    /// Folder of models [default: as `serve`]
    #[arg(long, env = "VIRFIE_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
}

/// Reads, segments, writes.
///
/// # Errors
/// [`ProgramError::Usage`] for a wrong flag, input or model; [`ProgramError::Failed`] when something breaks in the
/// middle or the result cannot be written. No half file is left.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let kind = Kind::of(&args.input)?;
    let plan = SegmentPlan::new(&args, kind)?;
    let data_dir = args.data_dir.unwrap_or_else(config::default_data_dir);
    let wrong = |error: &dyn std::fmt::Display| ProgramError::Usage(format!("--model: {error}"));
    let source = match config::model_choice(args.model.as_deref().unwrap_or(EMBEDDED), &data_dir)
        .map_err(|error| wrong(&error))?
    {
        ModelChoice::Embedded => ModelSource::Embedded,
        ModelChoice::File(path) => ModelSource::File(path),
        ModelChoice::None => return Err(wrong(&"without a model nobody is found")),
    };
    let model = load(&source)?;
    match kind {
        Kind::Picture => picture::run(&args.input, plan, &model),
        Kind::Video => video::run(&args.input, plan, &model),
    }
}

/// Loads the model; a file that makes the engine panic gets its one line like any other.
fn load(source: &ModelSource) -> Result<Arc<Model>, ProgramError> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let model = Model::from_source(source);
    std::panic::set_hook(hook);
    model.map_err(|error| ProgramError::Usage(error.to_string()))
}
