//! Contact sheets: masks to look at. A line is a picture: the picture, the truth, the mask, what is kept of it.

use std::{fs, path::Path};

use image::{
    RgbImage,
    imageops::{FilterType, replace, resize},
};

use crate::error::ProgramError;

use super::{
    score::Size,
    sets::{SIZE, Sample},
};

/// Colour of what is cut away, which neither people nor rooms have.
const GROUND: [u8; 3] = [0, 200, 60];

/// Most lines of a sheet.
pub(super) const LINES: usize = 24;
/// Of the sheet of the worst.
const WORST: usize = 3;

const SMALL: Size = (240, 135);
const LARGE: Size = (480, 270);

/// Lines for the sheets of one set.
#[derive(Default)]
pub(super) struct Sheets {
    lines: Vec<(String, RgbImage)>,
    /// The group that a line is of, how bad it is, what it is called. The worst first.
    worst: Vec<(String, f64, String, RgbImage)>,
}

impl Sheets {
    /// Adds a line of the overview.
    pub(super) fn show(&mut self, sample: &Sample, alpha: &[u8]) {
        self.lines.push((sample.name.clone(), strip(sample, alpha, SMALL)));
    }

    /// Adds a line that may be one of the worst; of a group there is one only. `badness`: the more, the worse.
    pub(super) fn judge(&mut self, group: &str, badness: f64, sample: &Sample, alpha: &[u8]) {
        let known = self.worst.iter().position(|(other, ..)| other == group);
        let rival = known.or_else(|| (self.worst.len() >= WORST).then_some(WORST - 1));
        if rival.is_some_and(|rival| self.worst[rival].1 >= badness) {
            return;
        }
        if let Some(rival) = rival {
            self.worst.remove(rival);
        }
        let at = self.worst.partition_point(|(_, other, ..)| *other >= badness);
        self.worst.insert(at, (group.to_owned(), badness, sample.name.clone(), strip(sample, alpha, LARGE)));
    }

    /// Writes `NAME.png`, `NAME-worst.png` and `NAME.txt`, which says what their lines are.
    ///
    /// # Errors
    /// One line that names the file.
    pub(super) fn write(&self, folder: &Path, name: &str) -> Result<(), ProgramError> {
        let failed =
            |path: &Path, error: &dyn std::fmt::Display| ProgramError::Failed(format!("{}: {error}", path.display()));
        let mut text = String::new();
        let lines: Vec<_> = self.lines.iter().map(|(name, image)| (name.as_str(), image)).collect();
        let worst: Vec<_> = self.worst.iter().map(|(_, _, name, image)| (name.as_str(), image)).collect();
        for (file, lines) in [(format!("{name}.png"), lines), (format!("{name}-worst.png"), worst)] {
            let Some((_, first)) = lines.first() else { continue };
            let (width, height) = first.dimensions();
            let mut sheet = RgbImage::new(width, height * lines.len() as u32);
            for (row, (line, image)) in lines.iter().enumerate() {
                replace(&mut sheet, *image, 0, i64::from(height) * row as i64);
                text.push_str(&format!("{file} {}: {line}\n", row + 1));
            }
            let path = folder.join(file);
            sheet.save(&path).map_err(|error| failed(&path, &error))?;
        }
        let path = folder.join(format!("{name}.txt"));
        fs::write(&path, text).map_err(|error| failed(&path, &error))
    }
}

/// Returns the four pictures of a line, each of `size`.
fn strip(sample: &Sample, alpha: &[u8], size: Size) -> RgbImage {
    let rgb = sample.rgb();
    let grey = |mask: &[u8]| mask.iter().flat_map(|&value| [value; 3]).collect::<Vec<u8>>();
    let nothing = vec![0; alpha.len()];
    let cut = rgb.chunks_exact(3).zip(alpha).flat_map(|(pixel, &alpha)| {
        let mix = |channel: usize| {
            let (over, under) = (u32::from(pixel[channel]), u32::from(GROUND[channel]));
            ((over * u32::from(alpha) + under * (255 - u32::from(alpha)) + 127) / 255) as u8
        };
        [mix(0), mix(1), mix(2)]
    });
    let cut: Vec<u8> = cut.collect();
    let quads = [rgb, grey(sample.mask().unwrap_or(&nothing)), grey(alpha), cut];
    let mut line = RgbImage::new(4 * size.0 as u32, size.1 as u32);
    for (column, pixels) in quads.into_iter().enumerate() {
        if let Some(image) = RgbImage::from_raw(SIZE.0 as u32, SIZE.1 as u32, pixels) {
            let image = resize(&image, size.0 as u32, size.1 as u32, FilterType::Triangle);
            replace(&mut line, &image, (column * size.0) as i64, 0);
        }
    }
    line
}
