//! The held-out pictures and clips that masks are measured on, as they lie in the data folder.
//!
//! A picture is cropped to 16:9 and scaled to 640x360, its mask with it. What is too high for 16:9 loses its lower part:
//! the head is what matters, and it is at the top; what is too wide loses as much on both sides. A picture in whose
//! crop the truth has nobody is left out, unless its set is one of pictures without people.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use image::{
    DynamicImage, GrayImage, ImageError, ImageReader,
    imageops::{FilterType, resize},
};

use crate::media::{
    compose::{
        colour::{Matrix, i420_to_rgb, rgba_to_i420},
        planes::{I420, Planes},
    },
    file::{FileError, Reader, Stop},
    segment::input::Yuv,
};

use super::score::{Size, Truth};

/// The reason why a set cannot be measured, in one line that names the file: what lies in the data folder is wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetError {
    /// A folder or a file.
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: its files are not there", .0.display())]
    Empty(PathBuf),
    #[error("{}: lists no picture of the set", .0.display())]
    NoneListed(PathBuf),
    #[error("{}: `{line}` is not FOLDER/images/NAME.jpg", list.display())]
    Listed { list: PathBuf, line: String },
    #[error("{}: has no masks", .0.display())]
    NoMasks(PathBuf),
    /// A picture, or a mask, cannot be decoded.
    #[error("{}: {error}", path.display())]
    Picture { path: PathBuf, error: ImageError },
    #[error("{}: has not the size of {}", mask.display(), picture.display())]
    OtherSize { mask: PathBuf, picture: PathBuf },
    #[error(transparent)]
    Clip(#[from] FileError),
    #[error("{}: frame {frame} is cut off", path.display())]
    CutOff { path: PathBuf, frame: usize },
    #[error("{}: the mask of frame {frame} has another size", path.display())]
    OtherMask { path: PathBuf, frame: usize },
}

/// Of all pictures when they are measured.
pub(super) const SIZE: Size = (640, 360);

/// Speakers of the GRID corpus on whom nothing is trained.
const SPEAKERS: [&str; 4] = ["bbaf2n", "lwbsza", "pwij3p", "swiz3n"];

/// Of [`Set::General`]: the least share of a crop that people cover.
const LEAST: f64 = 0.01;

/// Panoramas in which there are small people.
const NOT_EMPTY: [&str; 2] = ["venice_sunset", "potsdamer_platz"];

/// Pictures of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    Webcam,
    /// Those of [`Set::Webcam`] whose masks are drawn by hand; they are counted in both.
    HandLabelled,
    Upper,
    Grid,
    Hard,
    /// People in any framing: what `general/held_out.txt` lists and people cover enough of.
    General,
    Clips,
    Rooms,
    /// Of the same list, what nobody is in: rooms, statues, posters, pets.
    Negatives,
}

impl Set {
    pub(super) const ALL: [Self; 9] = [
        Self::Webcam,
        Self::HandLabelled,
        Self::Upper,
        Self::Grid,
        Self::Hard,
        Self::General,
        Self::Clips,
        Self::Rooms,
        Self::Negatives,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Webcam => "webcam",
            Self::HandLabelled => "hand-labelled",
            Self::Upper => "head to waist",
            Self::Grid => "GRID",
            Self::Hard => "hard",
            Self::General => "general (held out)",
            Self::Clips => "clips",
            Self::Rooms => "empty rooms",
            Self::Negatives => "negatives",
        }
    }

    /// Returns whether nobody is in its pictures.
    pub(super) fn is_empty(self) -> bool {
        matches!(self, Self::Rooms | Self::Negatives)
    }

    /// Folders of pictures in the data folder, each with that of its masks.
    fn folders(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            Self::Webcam | Self::HandLabelled => &[("webcam/real_gt/images", Some("webcam/real_gt/masks"))],
            Self::Upper => &[("ccp/upper_images", Some("ccp/upper_masks"))],
            Self::Grid => &[("webcam/grid_keyed/composites", Some("webcam/grid_keyed/composite_masks"))],
            Self::Hard => &[("coco_person_cc/images", Some("coco_person_cc/masks"))],
            Self::Clips => &[("webcam/grid_keyed/seq", None)],
            Self::Rooms => &[("backgrounds/hdri_crops", None), ("backgrounds/coco_cc", None)],
            // Those of a list.
            Self::General | Self::Negatives => &[],
        }
    }

    /// Returns whether a picture of its folders is one of it.
    pub(super) fn has(self, name: &str) -> bool {
        match self {
            Self::Webcam | Self::Upper | Self::Hard | Self::General | Self::Negatives => true,
            Self::HandLabelled => name.starts_with("ep_official"),
            Self::Grid | Self::Clips => SPEAKERS.iter().any(|speaker| name.starts_with(speaker)),
            Self::Rooms => !NOT_EMPTY.iter().any(|panorama| name.starts_with(panorama)),
        }
    }

    /// Returns its files, by name.
    ///
    /// # Errors
    /// One line that says what is missing.
    pub(super) fn items(self, data: &Path) -> Result<Vec<Item>, SetError> {
        if matches!(self, Self::General | Self::Negatives) {
            return self.listed(data);
        }
        let ending = if self == Self::Clips { "_composite.mp4" } else { ".jpg" };
        let mut items = Vec::new();
        for (pictures, masks) in self.folders() {
            let folder = data.join(pictures);
            let unreadable = |error| SetError::Unreadable { path: folder.clone(), error };
            let entries = fs::read_dir(&folder).map_err(unreadable)?;
            for entry in entries {
                let entry = entry.map_err(unreadable)?;
                let file = entry.file_name().to_string_lossy().into_owned();
                let Some(name) = file.strip_suffix(ending).filter(|name| self.has(name)) else { continue };
                let masks = match (self, masks) {
                    (Self::Clips, _) => Some(folder.join(format!("{name}_masks"))),
                    (_, masks) => masks.map(|masks| data.join(masks).join(format!("{name}.png"))),
                };
                items.push(Item { set: self, name: name.to_owned(), path: entry.path(), masks });
            }
        }
        if items.is_empty() {
            return Err(SetError::Empty(data.join(self.folders()[0].0)));
        }
        items.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(items)
    }

    /// Returns those of the held-out pictures of any framing that belong to it, by name.
    ///
    /// # Errors
    /// As [`Set::items`].
    fn listed(self, data: &Path) -> Result<Vec<Item>, SetError> {
        let folder = data.join("general");
        let list = folder.join("held_out.txt");
        let text = fs::read_to_string(&list).map_err(|error| SetError::Unreadable { path: list.clone(), error })?;
        let mut items = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let wrong = || SetError::Listed { list: list.clone(), line: line.to_owned() };
            let (group, file) = line.split_once("/images/").ok_or_else(wrong)?;
            let name = file.strip_suffix(".jpg").ok_or_else(wrong)?;
            if group.ends_with("noperson") != self.is_empty() {
                continue;
            }
            // By hand, or by teachers.
            let mut kinds = ["masks", "labels"].map(|kind| folder.join(group).join(kind)).into_iter();
            let masks = kinds.find(|folder| folder.is_dir()).map(|folder| folder.join(format!("{name}.png")));
            if masks.is_none() != self.is_empty() {
                return Err(SetError::NoMasks(folder.join(group)));
            }
            items.push(Item { set: self, name: format!("{group} {name}"), path: folder.join(line), masks });
        }
        items.sort_by(|one, other| one.name.cmp(&other.name));
        if items.is_empty() { Err(SetError::NoneListed(list)) } else { Ok(items) }
    }
}

/// A picture or a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub set: Set,
    pub name: String,
    pub path: PathBuf,
    /// The file or, of a clip, the folder.
    masks: Option<PathBuf>,
}

/// A frame and what should be kept of it.
#[derive(Debug)]
pub(super) struct Sample {
    pub name: String,
    picture: I420,
    mask: Option<GrayImage>,
    /// `None` where nobody is.
    pub truth: Option<Truth>,
}

impl Sample {
    fn new(name: String, picture: &DynamicImage, mask: Option<&GrayImage>) -> Self {
        let picture = scaled(picture);
        let mask = mask.map(|mask| {
            let mask = crop(&DynamicImage::from(mask.clone())).into_luma8();
            resize(&mask, SIZE.0 as u32, SIZE.1 as u32, FilterType::Nearest)
        });
        let truth = mask.as_ref().map(|mask| Truth::new(mask.as_raw(), SIZE));
        Self { name, picture, mask, truth }
    }

    /// Returns the frame, as a session takes it.
    pub(super) fn yuv(&self) -> Yuv<'_> {
        let planes = self.picture.planes();
        Yuv {
            width: planes.width,
            height: planes.height,
            y: (planes.y, planes.y_stride),
            u: (planes.u, planes.u_stride),
            v: (planes.v, planes.v_stride),
        }
    }

    /// Returns the frame's colours, three bytes a pixel.
    pub(super) fn rgb(&self) -> Vec<u8> {
        i420_to_rgb(&self.picture.planes(), Matrix::Bt601)
    }

    /// Returns what should be kept, a byte a pixel.
    pub(super) fn mask(&self) -> Option<&[u8]> {
        self.mask.as_ref().map(|mask| mask.as_raw().as_slice())
    }
}

impl Item {
    /// Loads its picture, or at most `frames` frames of its clip. None if its crop shows nobody though its set is of
    /// people.
    ///
    /// # Errors
    /// One line that names the file.
    pub(super) fn load(&self, frames: usize) -> Result<Vec<Sample>, SetError> {
        if self.set == Set::Clips {
            return self.load_clip(frames);
        }
        let picture = read(&self.path)?;
        let mask = self.masks.as_deref().map(read).transpose()?.map(DynamicImage::into_luma8);
        if let (Some(mask), Some(file)) = (&mask, &self.masks)
            && mask.dimensions() != (picture.width(), picture.height())
        {
            return Err(SetError::OtherSize { mask: file.clone(), picture: self.path.clone() });
        }
        let sample = Sample::new(self.name.clone(), &picture, mask.as_ref());
        let least = if self.set == Set::General { LEAST } else { 0.0 };
        let nobody = sample.truth.as_ref().is_some_and(|truth| !truth.has_person() || truth.share() < least);
        Ok(if nobody { Vec::new() } else { vec![sample] })
    }

    fn load_clip(&self, frames: usize) -> Result<Vec<Sample>, SetError> {
        let mut reader = Reader::open(&self.path, &Stop::default())?;
        let (width, height) = (reader.shape().width, reader.shape().height);
        let mut samples = Vec::new();
        while samples.len() < frames
            && let Some(frame) = reader.next()?
        {
            let [y, u, v] = frame.planes();
            let planes = Planes {
                width,
                height,
                y: y.0,
                y_stride: y.1,
                u: u.0,
                u_stride: u.1,
                v: v.0,
                v_stride: v.1,
                alpha: None,
            };
            let number = samples.len();
            let file = self.masks.as_ref().map(|folder| folder.join(format!("{number:03}.png")));
            let mask = file.as_deref().map(read).transpose()?.map(DynamicImage::into_luma8);
            let picture = image::RgbImage::from_raw(width as u32, height as u32, i420_to_rgb(&planes, Matrix::Bt601))
                .ok_or_else(|| SetError::CutOff { path: self.path.clone(), frame: number })?;
            if mask.as_ref().is_some_and(|mask| mask.dimensions() != picture.dimensions()) {
                return Err(SetError::OtherMask { path: self.path.clone(), frame: number });
            }
            samples.push(Sample::new(format!("{} {number:03}", self.name), &picture.into(), mask.as_ref()));
        }
        Ok(samples)
    }
}

fn read(path: &Path) -> Result<DynamicImage, SetError> {
    let unreadable = |error| SetError::Unreadable { path: path.to_owned(), error };
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(unreadable)?;
    reader.decode().map_err(|error| SetError::Picture { path: path.to_owned(), error })
}

fn scaled(picture: &DynamicImage) -> I420 {
    let rgba = resize(&crop(picture).into_rgba8(), SIZE.0 as u32, SIZE.1 as u32, FilterType::Triangle);
    rgba_to_i420(rgba.as_raw(), SIZE.0, SIZE.1, Matrix::Bt601)
}

/// Returns the 16:9 part that is measured.
fn crop(picture: &DynamicImage) -> DynamicImage {
    let (left, width, height) = cropped(picture.width(), picture.height());
    picture.crop_imm(left, 0, width, height)
}

/// Returns its left end, width and height.
fn cropped(width: u32, height: u32) -> (u32, u32, u32) {
    let wide = (f64::from(height) * 16.0 / 9.0).round() as u32;
    let high = (f64::from(width) * 9.0 / 16.0).round() as u32;
    if u64::from(width) * 9 > u64::from(height) * 16 {
        let wide = wide.clamp(1, width);
        ((width - wide) / 2, wide, height)
    } else {
        (0, width, high.clamp(1, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_part_of_a_high_picture_and_the_middle_of_a_wide_one_are_kept() {
        assert_eq!(cropped(283, 363), (0, 283, 159));
        assert_eq!(cropped(640, 352), (7, 626, 352));
        assert_eq!(cropped(640, 360), (0, 640, 360));
        assert_eq!(cropped(1, 1), (0, 1, 1));
    }

    #[test]
    fn rooms_with_small_people_and_speakers_that_are_trained_on_are_left_out() {
        assert!(Set::Rooms.has("lebombo_1k_030") && !Set::Rooms.has("venice_sunset_1k_000"));
        assert!(!Set::Rooms.has("potsdamer_platz_1k_270"));
        assert!(Set::Grid.has("bbaf2n_02") && !Set::Grid.has("brbk7n_02"));
        assert!(Set::HandLabelled.has("ep_official0") && !Set::HandLabelled.has("hagrid05"));
    }
}
