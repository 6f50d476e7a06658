//! From the command line to what is done; what makes no sense together is refused before any work.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use image::RgbaImage;

use super::{Args, output::Output};
use crate::{
    control::assets::picture,
    error::ProgramError,
    layout::{BodyPart, BodyParts},
    media::{file::Container, segment::mask::MaskOptions},
};

/// Behind people in a video that gets no other background: a keyer's green.
const GREEN: [u8; 3] = [0x00, 0xb1, 0x40];

/// Bytes that show what a file is.
const HEAD: u64 = 64;

/// The kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Picture,
    Video,
}

impl Kind {
    /// Reads the kind from the first bytes. A file that is no picture may be a video; GStreamer decides that.
    pub(super) fn of(path: &Path) -> Result<Self, ProgramError> {
        let fail = |error: &dyn std::fmt::Display| ProgramError::Usage(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(|error| fail(&error))?;
        if !file.metadata().map_err(|error| fail(&error))?.is_file() {
            return Err(fail(&"not a file"));
        }
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).map_err(|error| fail(&error))?;
        if head.is_empty() {
            return Err(fail(&"the file is empty"));
        }
        if picture::PictureFormat::sniff(&head).is_some() {
            return Ok(Self::Picture);
        }
        match image::guess_format(&head) {
            Ok(format) => Err(fail(&format!("{format:?} pictures are not read; PNG, JPEG, WebP and GIF are"))),
            Err(_) => Ok(Self::Video),
        }
    }
}

/// The content of the written picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// The part that is kept, before a background or transparency.
    Cutout,
    /// White is kept.
    Mask,
    /// Body parts in colours.
    Parts,
    /// All that was there.
    Whole,
}

/// The picture that is put behind.
#[derive(Debug)]
pub(super) enum Behind {
    Colour([u8; 3]),
    Image(RgbaImage),
    Blur,
}

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Picture(image::ImageFormat),
    Video(Container),
}

/// The work to do.
#[derive(Debug)]
pub(super) struct SegmentPlan {
    pub(super) show: Show,
    /// Parts of the body that are kept; `None`: the whole person.
    pub(super) kept: Option<BodyParts>,
    pub(super) behind: Option<Behind>,
    /// Whether body parts are painted or printed.
    pub(super) parts: bool,
    /// Skeletons are drawn.
    pub(super) keypoints: bool,
    pub(super) json: bool,
    pub(super) mask: MaskOptions,
    pub(super) every: u32,
    /// The file to write and how; `None`: JSON is all.
    pub(super) output: Option<(Output, Written)>,
    /// A remark on something that the user did not ask for and should know.
    pub(super) note: Option<String>,
}

impl SegmentPlan {
    /// # Errors
    /// One line that names the option.
    pub(super) fn new(args: &Args, kind: Kind) -> Result<Self, ProgramError> {
        let mask = mask_options(args, kind)?;
        let every = every(args, kind)?;
        let kept = args.cutout.as_deref().map(kept).transpose()?.flatten();
        let only_json = args.json && args.output.is_none();
        let (cutout, background) = (args.cutout.is_some(), args.background.is_some());
        let refused = [
            (args.mask && args.parts, "--mask and --parts exclude each other: one picture is written"),
            (args.mask && args.keypoints && !args.json, "--mask and --keypoints: skeletons would spoil the mask"),
            (args.mask && background, "--mask and --background: a mask has nothing behind it"),
            (args.parts && background, "--parts and --background: --parts shows the picture behind"),
            (args.parts && cutout, "--parts and --cutout: --parts shows all parts"),
            (only_json && args.mask, "--mask: with --json, a picture is written only to an --output"),
            (only_json && background, "--background: with --json, a picture is written only to an --output"),
        ];
        if let Some((_, why)) = refused.into_iter().find(|(given, _)| *given) {
            return Err(ProgramError::usage(why));
        }
        let behind = args.background.as_deref().map(behind).transpose()?;
        let show = match args {
            _ if args.mask => Show::Mask,
            _ if args.parts => Show::Parts,
            _ if args.keypoints && args.cutout.is_none() && behind.is_none() => Show::Whole,
            _ => Show::Cutout,
        };
        let mut plan = Self {
            show,
            kept,
            behind,
            parts: args.parts,
            keypoints: args.keypoints,
            json: args.json,
            mask,
            every,
            output: None,
            note: None,
        };
        if !only_json {
            let transparent = show == Show::Cutout && plan.behind.is_none();
            let (path, written) = target(args, kind, show, transparent)?;
            plan.output = Some((Output::new(&args.input, path)?, written));
            if transparent && kind == Kind::Video {
                let [r, g, b] = GREEN;
                plan.behind = Some(Behind::Colour(GREEN));
                plan.note = Some(format!(
                    "a video has no transparency, so #{r:02x}{g:02x}{b:02x} is put behind; --background puts something else"
                ));
            }
        }
        Ok(plan)
    }
}

fn within(option: &str, value: f32, low: f32, high: f32) -> Result<f32, ProgramError> {
    match (low..=high).contains(&value) {
        true => Ok(value),
        false => Err(ProgramError::Usage(format!("{option} {value}: {low} to {high}"))),
    }
}

fn mask_options(args: &Args, kind: Kind) -> Result<MaskOptions, ProgramError> {
    let default = MaskOptions::default();
    let smoothing = within("--smoothing", args.smoothing.unwrap_or(default.smoothing), 0.0, 0.95)?;
    if kind == Kind::Picture && args.smoothing.is_some() {
        return Err(ProgramError::usage("--smoothing: a picture has none before it"));
    }
    Ok(MaskOptions {
        threshold: within("--threshold", args.threshold.unwrap_or(default.threshold), 0.05, 0.95)?,
        feather: within("--feather", args.feather.unwrap_or(default.feather), 0.0, 1.0)?,
        smoothing: if kind == Kind::Picture { 0.0 } else { smoothing },
    })
}

fn every(args: &Args, kind: Kind) -> Result<u32, ProgramError> {
    match args.every {
        None => Ok(1),
        Some(every) if !(1..=60).contains(&every) => Err(ProgramError::Usage(format!("--every {every}: 1 to 60"))),
        Some(_) if kind == Kind::Picture => Err(ProgramError::usage("--every: a picture is one frame")),
        Some(every) => Ok(every),
    }
}

/// Returns `None` for `person`.
fn kept(text: &str) -> Result<Option<BodyParts>, ProgramError> {
    if text.trim() == "person" {
        return Ok(None);
    }
    let part = |name: &str| {
        BodyPart::from_name(name.trim()).ok_or_else(|| {
            let known = BodyPart::ALL.map(BodyPart::name).join(", ");
            let name = name.trim();
            ProgramError::Usage(format!("--cutout: there is no part of the body {name:?}; known are person, {known}"))
        })
    };
    text.split(',').map(part).collect::<Result<BodyParts, ProgramError>>().map(Some)
}

fn behind(text: &str) -> Result<Behind, ProgramError> {
    if text == "blur" {
        return Ok(Behind::Blur);
    }
    let fail = |error: &dyn std::fmt::Display| ProgramError::Usage(format!("--background {text}: {error}"));
    if let Some(digits) = text.strip_prefix('#') {
        let number = (digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
            .ok_or_else(|| fail(&"a colour is # and six hexadecimal digits"))?;
        let [_, r, g, b] = number.to_be_bytes();
        return Ok(Behind::Colour([r, g, b]));
    }
    let content = match std::fs::read(text) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(fail(&"no such file, and neither `blur` nor #rrggbb"));
        }
        Err(error) => return Err(fail(&error)),
    };
    picture::decode(&content).map(Behind::Image).map_err(|error| fail(&error))
}

/// Endings of pictures that can be written, and whether they hold transparency.
const PICTURES: [(&str, image::ImageFormat, bool); 4] = [
    ("png", image::ImageFormat::Png, true),
    ("webp", image::ImageFormat::WebP, true),
    ("jpg", image::ImageFormat::Jpeg, false),
    ("jpeg", image::ImageFormat::Jpeg, false),
];

fn target(args: &Args, kind: Kind, show: Show, transparent: bool) -> Result<(PathBuf, Written), ProgramError> {
    let Some(path) = args.output.clone() else {
        let what = match show {
            Show::Cutout => "cutout",
            Show::Mask => "mask",
            Show::Parts => "parts",
            Show::Whole => "keypoints",
        };
        return Ok(match kind {
            Kind::Picture => {
                (args.input.with_extension(format!("{what}.png")), Written::Picture(image::ImageFormat::Png))
            }
            Kind::Video => (args.input.with_extension(format!("{what}.mp4")), Written::Video(Container::Mp4)),
        });
    };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let picture = PICTURES.iter().find(|(known, ..)| *known == ending);
    let video = Container::of(&path);
    let names = match kind {
        Kind::Picture => PICTURES.map(|(ending, ..)| ending),
        Kind::Video => Container::ENDINGS.map(|(ending, _)| ending),
    };
    let fail = |why: &str| Err(ProgramError::Usage(format!("--output {}: {why}", path.display())));
    match (kind, picture, video) {
        (Kind::Picture, Some((_, _, false)), _) if transparent => {
            fail("JPEG has no transparency; write png or webp, or give a --background")
        }
        (Kind::Picture, Some((_, format, _)), _) => Ok((path, Written::Picture(*format))),
        (Kind::Video, _, Some(container)) => Ok((path, Written::Video(container))),
        (Kind::Picture, None, Some(_)) => fail(&format!("the input is a picture; {} are written", names.join(", "))),
        (Kind::Video, Some(_), None) => fail(&format!("the input is a video; {} are written", names.join(", "))),
        (_, None, None) if ending.is_empty() => fail(&format!("an ending is missing, one of {}", names.join(", "))),
        _ => fail(&format!(".{ending} cannot be written; {} can", names.join(", "))),
    }
}
