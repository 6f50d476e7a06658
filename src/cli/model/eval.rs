//! `eval`: how good masks are, on pictures and clips that nothing was trained on.
//!
//! Masks come from what the server makes them with, [`Session`](crate::media::segment::model::Session) and
//! [`MaskMaker`](crate::media::segment::mask::MaskMaker), and beside that from plain interpolation. A row of the table
//! is a model at an input size with a pipeline:
//!
//! - `bilinear`: logits interpolated like the pixels of a small image, the usual baseline;
//! - `aligned`: the same from where BodyPix's grid points lie, so that it is not blamed for half a step's shift;
//! - `server`: what rooms show.
//!
//! The columns of sets have IoU and boundary F (4 pixels at 640x360), means over pictures; see [`score`] for the
//! measures and [`sets`] for crop and choice. In clips the masks follow each other, with smoothing; all other pictures
//! stand alone. The share of pictures whose IoU is below one half stands in brackets, where there are any: a mean hides
//! people who vanish. Flicker is in thousandths of full alpha, per frame, where the truth does not change. An empty
//! room is one of whose mask less than 1 % is kept; of negatives the same is counted. Milliseconds are means, warm, on
//! one thread: `network` from planes to logits, over the frames that the network sees, without the keypoints by which
//! `server` judges doubtful people ([`doubt`](crate::media::segment::doubt)); `mask` from logits to alpha, or from the
//! last mask to the next one where `--every` leaves frames out. Keypoints, with `--keypoints-of`: the share that is
//! right, and that of pictures in which all are ([`keypoints`]).
//!
//! The definitions were chosen so that published figures come out. By them, IoU / boundary F in ONNX Runtime and LiteRT
//! (interpolated as `bilinear`), and what was published in brackets:
//!
//! | set | BodyPix 0.50/16, 257x145 | BodyPix 0.75/8, 513x289 | ML Kit 256x256 | Meet 256x144 |
//! |---|---|---|---|---|
//! | webcam | .825 / .347 (.824 / .333) | .848 / .484 (.829 / .477) | .886 / .724 (.890 / .732) | .919 / .708 (.923 / .720) |
//! | hand-labelled | .875 / .316 (.881 / .373) | .903 / .524 (.908 / .550) | .918 / .605 (.920 / .608) | .935 / .649 (.939 / .683) |
//! | head to waist | .891 / .420 (.880 / .376) | .927 / .698 (.927 / .702) | .933 / .792 (.939 / .814) | .949 / .826 (.950 / .842) |
//! | GRID | .883 / .253 (.887 / .278) | .944 / .741 (.945 / .745) | .964 / .867 (.963 / .871) | .971 / .871 (.972 / .877) |

mod keypoints;
mod pipeline;
mod score;
mod sets;
mod sheet;
mod table;

use std::{collections::BTreeMap, fs, path::PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    error::ProgramError,
    media::segment::{
        mask::MaskOptions,
        model::{EMBEDDED, LoadOptions, Model, ModelError, ModelSource, Precision},
    },
};

use keypoints::Finder;
use pipeline::{Pipeline, Runner};
use score::{Size, Truth, flicker, kept};
use sets::{Item, SIZE, Sample, Set};
use sheet::Sheets;
use table::Row;

/// Pictures that are held at a time.
const HELD: usize = 60;

/// Pixels of the input at which keypoints are compared with.
const REFERENCE: usize = 513 * 289;

/// Lines of a clip in a contact sheet.
const CLIP_LINES: usize = 5;

/// The arguments of a measurement.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// ONNX files, or `embedded` [default: embedded, and all of <data>/models]
    models: Vec<PathBuf>,
    /// The folder of test data
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data: PathBuf,
    /// Sizes of the network's input, nearly: rounded to its steps, in the aspect of 640x360
    #[arg(long, value_name = "WxH", value_delimiter = ',', default_value = "257x145", value_parser = area)]
    area: Vec<Size>,
    /// Of the server's pipeline: probability at which a pixel is half transparent, 0.05 to 0.95
    #[arg(long, default_value_t = MaskOptions::default().threshold, value_parser = within::<5, 95>)]
    threshold: f32,
    /// Of the server's pipeline: softness of the edge, 0 to 1
    #[arg(long, default_value_t = MaskOptions::default().feather, value_parser = within::<0, 100>)]
    feather: f32,
    /// Of the server's pipeline: share of the last mask that stays where nothing moves, 0 to 0.95
    #[arg(long, default_value_t = MaskOptions::default().smoothing, value_parser = within::<0, 95>)]
    smoothing: f32,
    /// In clips, the network sees every n-th frame only; on the others, the last mask is moved along
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    every: u32,
    /// Compares keypoints with those of this model at 513x289
    #[arg(long, value_name = "FILE")]
    keypoints_of: Option<PathBuf>,
    /// The precision that the fused operator computes in
    #[arg(long, default_value = "bf16", value_parser = ["f32", "bf16"])]
    precision: String,
    /// Runs networks by tract's own operators
    #[arg(long)]
    stock: bool,
    /// Prints JSON in place of the table
    #[arg(long)]
    json: bool,
    /// Writes contact sheets of the server's masks there
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Takes so many pictures of a set, and so many frames of a clip, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    limit: Option<u32>,
}

/// Returns `257x145`.
fn area(text: &str) -> Result<Size, String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let fits = |side: &usize| (65..=1025).contains(side);
    sides.filter(|(width, height)| fits(width) && fits(height)).ok_or_else(|| "WxH, 65 to 1025 each".into())
}

/// Returns a number from `LEAST` to `MOST` hundredths.
fn within<const LEAST: u8, const MOST: u8>(text: &str) -> Result<f32, String> {
    let (least, most) = (f32::from(LEAST) / 100.0, f32::from(MOST) / 100.0);
    let number = text.parse::<f32>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a number from {least} to {most}"))
}

/// Measures; returns the text for the user.
///
/// # Errors
/// [`ProgramError::Usage`] for a folder that is not there, a broken picture and a file that is no model;
/// [`ProgramError::Failed`] when a network fails or pictures cannot be written.
pub(super) fn run(args: &Args) -> Result<String, ProgramError> {
    if !args.data.is_dir() {
        return Err(ProgramError::usage(format!("--data {}: there is no such folder", args.data.display())));
    }
    let mut work = Vec::new();
    for set in Set::ALL.into_iter().filter(|set| *set != Set::HandLabelled) {
        match set.items(&args.data) {
            Ok(items) => work.push((set, few(items, args.limit))),
            Err(error) => eprintln!("The set \"{}\" is left out: {error}", set.name()),
        }
    }
    if work.is_empty() {
        return Err(ProgramError::usage(format!("--data {}: no set is in this folder", args.data.display())));
    }
    let mut reference = reference(args)?;
    let mut tried = load(args, reference.as_ref())?;
    if let Some(folder) = &args.pictures {
        fs::create_dir_all(folder).map_err(|error| failed(format!("--pictures {}: {error}", folder.display())))?;
    }
    let bar = ProgressBar::new(work.iter().map(|(_, items)| items.len() as u64).sum());
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for (set, items) in work {
        bar.set_message(set.name());
        measure(set, &items, args, (&mut tried, reference.as_mut()), &bar)?;
        if let Some(folder) = &args.pictures {
            for tried in &mut tried {
                let name = format!("{}-{}", tried.name(), set.name().replace(' ', "-"));
                std::mem::take(&mut tried.sheets).write(folder, &name)?;
            }
        }
    }
    bar.finish_and_clear();
    let rows: Vec<Row> = tried.into_iter().flat_map(Tried::rows).collect();
    Ok(if args.json { table::to_json(&rows).to_string() } else { table::text(&rows) })
}

fn failed(error: String) -> ProgramError {
    ProgramError::Failed(error)
}

/// Returns at most `limit` pictures, from everywhere in the set; clips are limited in their length.
fn few(items: Vec<Item>, limit: Option<u32>) -> Vec<Item> {
    let all = items.len();
    match limit {
        Some(limit) if items.first().is_some_and(|item| item.set != Set::Clips) && all > limit as usize => {
            let limit = limit as usize;
            (0..limit).map(|index| items[index * all / limit].clone()).collect()
        }
        _ => items,
    }
}

/// A model at an input size, and what was found out.
struct Tried {
    runner: Runner,
    /// By [`Pipeline::ALL`].
    rows: [Row; 3],
    /// Finder with which keypoints are compared.
    finder: Option<Finder>,
    sheets: Sheets,
}

impl Tried {
    fn name(&self) -> String {
        let row = &self.rows[0];
        format!("{}-{}x{}", row.model, row.input.0, row.input.1)
    }

    fn rows(self) -> [Row; 3] {
        let Self { runner, mut rows, .. } = self;
        for (row, spent) in rows.iter_mut().zip(runner.masks) {
            row.ms = (runner.network.mean(), spent.mean());
        }
        rows
    }
}

/// Returns the model whose keypoints others are compared with.
fn reference(args: &Args) -> Result<Option<Finder>, ProgramError> {
    let wrong = |error: ModelError| ProgramError::usage(error.to_string());
    let Some(file) = &args.keypoints_of else { return Ok(None) };
    let model = Model::load(file).map_err(wrong)?;
    Finder::new(&model, SIZE, REFERENCE).map(Some).map_err(wrong)
}

/// Loads all models at all input sizes.
fn load(args: &Args, reference: Option<&Finder>) -> Result<Vec<Tried>, ProgramError> {
    let mut files = args.models.clone();
    if files.is_empty() {
        let folder = args.data.join("models");
        let entries = fs::read_dir(&folder).into_iter().flatten();
        files = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "onnx"));
        files.sort();
        files.insert(0, PathBuf::from(EMBEDDED));
    }
    let precision = if args.precision == "bf16" { Precision::Bf16 } else { Precision::F32 };
    let how = LoadOptions { fused: !args.stock, precision };
    let options = MaskOptions { threshold: args.threshold, feather: args.feather, smoothing: args.smoothing };
    let mut tried = Vec::new();
    for file in files {
        let wrong = |error: ModelError| ProgramError::usage(error.to_string());
        let model = Model::from_source_with(&ModelSource::of(&file), how).map_err(wrong)?;
        for (width, height) in &args.area {
            let runner = Runner::new(&model, SIZE, width * height, options, args.every as usize).map_err(wrong)?;
            let finder = (reference.is_some() && model.has_poses())
                .then(|| Finder::new(&model, SIZE, width * height))
                .transpose()
                .map_err(wrong)?;
            let rows = Pipeline::ALL.map(|pipeline| Row::new(model.name(), runner.input(), pipeline.name()));
            tried.push(Tried { runner, rows, finder, sheets: Sheets::default() });
        }
    }
    Ok(tried)
}

fn measure(
    set: Set,
    items: &[Item],
    args: &Args,
    (tried, mut reference): (&mut [Tried], Option<&mut Finder>),
    bar: &ProgressBar,
) -> Result<(), ProgramError> {
    let frames = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let pictures = args.pictures.is_some();
    let step = items.len().div_ceil(sheet::LINES).max(1);
    let held = if set == Set::Clips { 1 } else { HELD };
    let mut number = 0;
    for items in items.chunks(held) {
        let mut samples: Vec<(&Item, Vec<Sample>)> = Vec::new();
        for item in items {
            samples.push((item, item.load(frames).map_err(|error| ProgramError::usage(error.to_string()))?));
        }
        for tried in tried.iter_mut() {
            for (index, (item, samples)) in samples.iter().enumerate() {
                let show = match set {
                    Set::Clips => Show::Every((samples.len() / CLIP_LINES).max(1)),
                    _ if (number + index).is_multiple_of(step) => Show::Every(1),
                    _ => Show::Worst,
                };
                clip(set, item, samples, tried, if pictures { show } else { Show::Nothing })?;
            }
        }
        if let (Set::Webcam, Some(reference)) = (set, reference.as_deref_mut()) {
            for sample in samples.iter().flat_map(|(_, samples)| samples) {
                keypoints(sample, reference, tried)?;
            }
        }
        number += items.len();
        bar.inc(items.len() as u64);
    }
    Ok(())
}

/// Compares the keypoints of a picture.
fn keypoints(sample: &Sample, reference: &mut Finder, tried: &mut [Tried]) -> Result<(), ProgramError> {
    let wrong = |error: ModelError| failed(format!("{}: {error}", sample.name));
    let height = sample.truth.as_ref().map_or(0, Truth::height);
    let expected = reference.find(&sample.yuv()).map_err(wrong)?;
    for Tried { finder, rows, .. } in tried {
        let Some(finder) = finder else { continue };
        let found = finder.find(&sample.yuv()).map_err(wrong)?;
        if let Some(agreement) = keypoints::compare(expected, found, SIZE, height) {
            rows.iter_mut().for_each(|row| row.keypoints(agreement));
        }
    }
    Ok(())
}

/// The choice of frames that come into a contact sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Nothing,
    /// Those that are among the worst of their set.
    Worst,
    /// These, and every n-th one.
    Every(usize),
}

/// Measures frames that follow each other: those of a clip, or one picture.
fn clip(set: Set, item: &Item, samples: &[Sample], tried: &mut Tried, show: Show) -> Result<(), ProgramError> {
    let mut last: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let Tried { runner, rows, sheets, .. } = tried;
    for (number, sample) in samples.iter().enumerate() {
        let yuv = sample.yuv();
        let result = if set == Set::Clips { runner.next(&yuv, number) } else { runner.still(&yuv) };
        result.map_err(|error| failed(format!("{}: {error}", item.path.display())))?;
        for (pipeline, row) in Pipeline::ALL.into_iter().zip(&mut *rows) {
            let alpha = runner.alpha(pipeline);
            let badness = match &sample.truth {
                Some(truth) => {
                    let score = truth.score(alpha);
                    row.score(set, score);
                    if set == Set::Webcam && Set::HandLabelled.has(&item.name) {
                        row.score(Set::HandLabelled, score);
                    }
                    if number > 0
                        && let (Some(before), Some(old)) = (last.get(pipeline.name()), &samples[number - 1].truth)
                        && let Some(flicker) = flicker((old, before), (truth, alpha))
                    {
                        row.flicker(flicker);
                    }
                    1.0 - score.iou
                }
                None if set == Set::Negatives => {
                    row.negative(kept(alpha));
                    kept(alpha)
                }
                None => {
                    row.room(&item.name, kept(alpha));
                    kept(alpha)
                }
            };
            if pipeline == Pipeline::Server && show != Show::Nothing {
                sheets.judge(&item.name, badness, sample, alpha);
                if let Show::Every(step) = show
                    && number.is_multiple_of(step)
                {
                    sheets.show(sample, alpha);
                }
            }
            if set == Set::Clips {
                let old = last.entry(pipeline.name()).or_default();
                old.clear();
                old.extend_from_slice(alpha);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
