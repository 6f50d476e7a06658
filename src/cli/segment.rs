//! `virfie segment`: cuts people out of a picture, to see and tune the model without a room.

use std::path::PathBuf;

use image::{ImageFormat, RgbaImage};

use crate::{
    config,
    error::ProgramError,
    media::{
        compose::colour::{Matrix, rgba_to_i420},
        segment::{
            input::Yuv,
            mask::{MaskMaker, MaskOptions},
            model::{Model, Needs},
        },
    },
};

/// What is cut out and where it goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Picture: PNG, JPEG, WebP or GIF.
    input: PathBuf,
    /// PNG file to write [default: INPUT with `.cutout.png`].
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Write the mask instead of the picture: white is kept.
    #[arg(long)]
    mask: bool,
    /// ONNX file of the model [default: the first of the data directory's models].
    #[arg(long, env = "VIRFIE_MODEL")]
    model: Option<PathBuf>,
    /// Where models are kept [default: as `serve`].
    #[arg(long, env = "VIRFIE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Probability of being a person at which a pixel is half transparent, 0.05 to 0.95.
    #[arg(long, default_value_t = MaskOptions::default().threshold)]
    threshold: f32,
}

/// Reads, segments, writes.
///
/// # Errors
/// [`ProgramError::Usage`] for a wrong flag, picture or model; [`ProgramError::Failed`] when the result cannot be
/// written.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let usage = |error: String| ProgramError::Usage(error);
    if !(0.05..=0.95).contains(&args.threshold) {
        return Err(usage(format!("--threshold {}: 0.05 to 0.95", args.threshold)));
    }
    let path = match args.model {
        Some(path) => path,
        None => config::first_model(&args.data_dir.unwrap_or_else(config::default_data_dir))
            .ok_or_else(|| usage("--model: none given and none fetched (virfie model fetch)".into()))?,
    };
    let model = Model::load(&path).map_err(|error| usage(error.to_string()))?;
    let mut picture = image::ImageReader::open(&args.input)
        .map_err(|error| usage(format!("{}: {error}", args.input.display())))?
        .with_guessed_format()
        .map_err(|error| usage(format!("{}: {error}", args.input.display())))?
        .decode()
        .map_err(|error| usage(format!("{}: {error}", args.input.display())))?
        .into_rgba8();
    let alpha = alpha_of(&model, &picture, args.threshold)?;
    for (pixel, alpha) in picture.pixels_mut().zip(&alpha) {
        pixel.0 = if args.mask { [*alpha, *alpha, *alpha, 255] } else { [pixel[0], pixel[1], pixel[2], *alpha] };
    }
    let output = args.output.unwrap_or_else(|| args.input.with_extension("cutout.png"));
    picture
        .save_with_format(&output, ImageFormat::Png)
        .map_err(|error| ProgramError::Failed(format!("{}: {error}", output.display())))?;
    println!("{}", output.display());
    Ok(())
}

fn alpha_of(model: &std::sync::Arc<Model>, picture: &RgbaImage, threshold: f32) -> Result<Vec<u8>, ProgramError> {
    let failed = |error: String| ProgramError::Failed(error);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let frame = rgba_to_i420(picture.as_raw(), width, height, Matrix::Bt601);
    let planes = frame.planes();
    let yuv = Yuv {
        width,
        height,
        y: (planes.y, planes.y_stride),
        u: (planes.u, planes.u_stride),
        v: (planes.v, planes.v_stride),
    };
    let mut session = model.session((width, height), Needs::default()).map_err(|error| failed(error.to_string()))?;
    let heads = session.run(&yuv).map_err(|error| failed(error.to_string()))?;
    let mut alpha = vec![0; width * height];
    let options = MaskOptions { threshold, smoothing: 0.0, ..MaskOptions::default() };
    MaskMaker::default().make(heads.segments, heads.grid, &yuv, options, &mut alpha, width);
    Ok(alpha)
}
