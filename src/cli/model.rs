//! `virfie model list|fetch NAME|info FILE|bench FILE|eval [FILE…]`: getting a segmentation model and looking at it.

mod bench;
mod download;
mod eval;
mod fetch;
mod info;
mod store;

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use crate::{
    config,
    error::ProgramError,
    media::segment::{
        catalogue::{BASE_URL, ENTRIES, Entry, find},
        model::{EMBEDDED, HeadRequest},
    },
};

use store::{State, Store};

/// Lists, fetches, shows and measures segmentation models.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Shows which models can be fetched, and which are there
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Downloads a model, converts it to ONNX and puts it into <data-dir>/models
    Fetch {
        /// One of `virfie model list`
        name: String,
        /// A mirror of the official files: the URL under which `mobilenet/float/...` lies
        #[arg(long, env = "VIRFIE_MODEL_BASE_URL", value_name = "URL", hide_env_values = true)]
        base_url: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Shows what an ONNX file takes and gives
    Info {
        /// The ONNX file, or `embedded`
        file: PathBuf,
    },
    /// Measures how long one frame takes
    Bench {
        /// The ONNX file, or `embedded`
        file: PathBuf,
        /// Width of the frames in pixels
        #[arg(long, default_value_t = 640, value_parser = clap::value_parser!(u32).range(16..=4096))]
        width: u32,
        /// Height of the frames in pixels
        #[arg(long, default_value_t = 360, value_parser = clap::value_parser!(u32).range(16..=4096))]
        height: u32,
        /// Number of frames to measure
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        frames: u32,
        /// Body parts, too
        #[arg(long)]
        parts: bool,
        /// Keypoints, too
        #[arg(long)]
        keypoints: bool,
    },
    /// Measures how good masks are, on held-out pictures and clips
    Eval(Box<eval::Args>),
}

// Where models are kept. Not a doc comment: clap would show it in place of the actions' own texts.
#[derive(Debug, clap::Args)]
struct Place {
    /// Folder of the server's data
    #[arg(long, env = "VIRFIE_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
}

impl Place {
    fn models(self) -> PathBuf {
        self.data_dir.unwrap_or_else(config::default_data_dir).join(config::MODELS)
    }
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Usage`] for an unknown name, a wrong URL and a file that is no usable model;
/// [`ProgramError::Failed`] when a model cannot be fetched.
pub fn run(args: Args) -> Result<(), ProgramError> {
    match args.action {
        Action::List { place } => list(place),
        Action::Fetch { name, base_url, place } => {
            let entry = find(&name).ok_or_else(|| unknown(&name))?;
            let report = fetch::fetch(entry, base_url.as_deref().unwrap_or(BASE_URL), &place.models())?;
            say(&report);
            Ok(())
        }
        Action::Info { file } => {
            // A file that makes the engine panic gets its one line like any other; this process has one thread.
            std::panic::set_hook(Box::new(|_| {}));
            let report = info::of_file(&file)?;
            say(&report.to_string());
            Ok(())
        }
        Action::Bench { file, width, height, frames, parts, keypoints } => {
            std::panic::set_hook(Box::new(|_| {}));
            let needs = HeadRequest { parts, poses: keypoints, ..HeadRequest::default() };
            let report = bench::bench(&file, (width as usize, height as usize), needs, frames as usize)?;
            say(&report);
            Ok(())
        }
        Action::Eval(args) => {
            std::panic::set_hook(Box::new(|_| {}));
            let report = eval::run(&args)?;
            say(&report);
            Ok(())
        }
    }
}

fn unknown(name: &str) -> ProgramError {
    let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
    ProgramError::Usage(format!("there is no model {name:?}; known are {}", names.join(", ")))
}

fn list(place: Place) -> Result<(), ProgramError> {
    let models = place.models();
    let mut lines = vec![format!("{:<26} {:>6} {:>7}  {}", "name", "width", "stride", "here")];
    lines.push(format!("{:<26} {:>6} {:>7}  in the program, the default", EMBEDDED, "-", 4));
    for entry in &ENTRIES {
        let line =
            format!("{:<26} {:>5}% {:>7}  {}", entry.name, entry.width_percent, entry.stride, here(entry, &models)?);
        lines.push(line);
    }
    if ENTRIES.iter().any(|entry| entry.sha256.is_none()) {
        lines.push(String::new());
        lines.push(
            "No checksums are published for these. The first fetch is trusted (TLS, sizes, a network that runs)".into(),
        );
        lines.push("and its SHA-256 is kept beside the model; a file that differs later is refused.".into());
    }
    lines.push(format!("Models are kept in {}", models.display()));
    say(&lines.join("\n"));
    Ok(())
}

fn here(entry: &Entry, models: &std::path::Path) -> Result<String, ProgramError> {
    let store = Store::new(models, entry.name);
    Ok(match store.state().map_err(|error| ProgramError::Failed(error.to_string()))? {
        State::Missing { .. } => "-".to_owned(),
        State::Recorded { bytes, .. } => format!("yes, {bytes} bytes"),
        State::Unrecorded => "yes, put there by hand".to_owned(),
        State::Changed { .. } => "changed since it was fetched".to_owned(),
    })
}

/// Prints to stdout. Ignores that the reader may have gone.
fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

#[cfg(test)]
mod tests;
