//! Texts become pictures: shaped, broken into lines and drawn, off every media thread.
//!
//! Fonts come from the program (Inter for Latin, Greek and Cyrillic letters; DejaVu Sans, which has Arabic, Hebrew and
//! many signs, too), from the system, and from assets. A character that the wanted font has not is taken from the others.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use cosmic_text::{
    Align, Attrs, Buffer, Family, FontSystem, Metrics, Shaping, SwashCache, SwashContent, Weight, Wrap,
    fontdb::{Database, ID, Language, Source},
};

use super::{
    cache::Stamp,
    font::{self, Font},
};
use crate::{
    layout::{Lettering, Text, TextAlign, TextFrame},
    media::port::Still,
};

/// Largest width and height of a text's picture, in pixels.
const MAX_SIDE: u32 = 8192;

/// Most pixels of a text's picture.
const MAX_PIXELS: u64 = 16_000_000;

/// How many font assets are kept ready to draw with.
const MAX_READY: usize = 8;

/// Why a text has no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetteringError {
    /// It would be too large.
    #[error("the text is too large: {width} x {height} pixels; {} wide and high and {} megapixels are possible",
        MAX_SIDE, MAX_PIXELS / 1_000_000)]
    TooLarge {
        /// In pixels.
        width: u64,
        /// In pixels.
        height: u64,
    },
    /// A mistake of a font, or of ours.
    #[error("the text cannot be drawn with this font")]
    Failed,
}

/// What a text is written with.
#[derive(Debug)]
pub enum Face<'a> {
    /// A family that [`Letterer::knows`].
    Family(&'a str),
    /// A font asset.
    Asset {
        /// Where it is.
        file: &'a Path,
        /// Of its file.
        stamp: Stamp,
        /// Itself.
        font: &'a Font,
    },
}

/// Draws texts, one at a time.
#[derive(Debug, Default)]
pub struct Letterer {
    fonts: Mutex<Option<Fonts>>,
}

#[derive(Debug)]
struct Fonts {
    common: FontSystem,
    /// Fonts of assets beside the common ones, the most recently used last.
    ready: Vec<(PathBuf, Stamp, FontSystem)>,
}

impl Fonts {
    /// Reads the program's fonts, and looks for those of the system, which may take a second.
    fn load() -> Self {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        for (family, files) in own_families() {
            clear(&mut fonts, family);
            for content in files {
                for id in add(&mut fonts, content) {
                    name(&mut fonts, id, family);
                }
            }
        }
        Self { common: system(fonts), ready: Vec::new() }
    }

    fn of(&mut self, face: &Face) -> &mut FontSystem {
        let Face::Asset { file, stamp, font } = face else { return &mut self.common };
        let known = self.ready.iter().position(|(own, of, _)| own == file && of == stamp);
        let entry = match known {
            Some(index) => self.ready.remove(index),
            None => {
                self.ready.retain(|(own, ..)| own != file);
                if self.ready.len() == MAX_READY {
                    self.ready.remove(0);
                }
                let mut fonts = self.common.db().clone();
                clear(&mut fonts, &font.family);
                add(&mut fonts, font.content.clone());
                ((*file).to_owned(), *stamp, system(fonts))
            }
        };
        self.ready.push(entry);
        let last = self.ready.len() - 1;
        &mut self.ready[last].2
    }
}

/// The families that are in the program, and their files.
fn own_families() -> [(&'static str, Vec<&'static [u8]>); 2] {
    let inter = vec![damascene_fonts_inter::INTER_VARIABLE];
    [("Inter", inter), ("DejaVu Sans", vec![dejavu::sans::regular(), dejavu::sans::bold()])]
}

/// Adds a font.
fn add(fonts: &mut Database, content: impl AsRef<[u8]> + Send + Sync + 'static) -> Vec<ID> {
    fonts.load_font_source(Source::Binary(Arc::new(content))).to_vec()
}

/// Gives a face this family only: the variable Inter calls itself otherwise.
fn name(fonts: &mut Database, id: ID, family: &str) {
    let Some(mut face) = fonts.face(id).cloned() else { return };
    fonts.remove_face(id);
    face.families = vec![(family.to_owned(), Language::English_UnitedStates)];
    fonts.push_face_info(face);
}

/// Takes a family away, for another of its name: what a text looks like must not depend on what else is there.
fn clear(fonts: &mut Database, family: &str) {
    let of_family = fonts.faces().filter(|face| face.families.iter().any(|(name, _)| name == family));
    let gone: Vec<_> = of_family.map(|face| face.id).collect();
    gone.into_iter().for_each(|id| fonts.remove_face(id));
}

fn system(fonts: Database) -> FontSystem {
    FontSystem::new_with_locale_and_db("en".to_owned(), fonts)
}

impl Letterer {
    /// Whether a family of this name is in the program or installed.
    pub fn knows(&self, family: &str) -> bool {
        self.with(|fonts| fonts.common.db().faces().any(|face| face.families.iter().any(|(name, _)| name == family)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Fonts) -> T) -> T {
        let mut fonts = self.fonts.lock().unwrap_or_else(PoisonError::into_inner);
        work(fonts.get_or_insert_with(Fonts::load))
    }

    /// The picture of a text. Takes some milliseconds, the first one up to a second: for blocking threads.
    ///
    /// # Errors
    /// [`LetteringError`].
    pub fn draw(&self, lettering: &Lettering, face: &Face) -> Result<Still, LetteringError> {
        self.with(|fonts| {
            let family = match face {
                Face::Family(name) => name,
                Face::Asset { font, .. } => font.family.as_str(),
            };
            let system = fonts.of(face);
            let drawn = catch_unwind(AssertUnwindSafe(|| draw(system, lettering, family)));
            drawn.unwrap_or_else(|_| {
                // Whatever it left behind is not used again.
                *fonts = Fonts::load();
                Err(LetteringError::Failed)
            })
        })
    }
}

/// A text that was broken into lines.
struct Set {
    buffer: Buffer,
    /// Of the lines, in pixels.
    width: f32,
    height: f32,
}

fn set(fonts: &mut FontSystem, text: &Text, family: &str, size: f32, width: Option<f32>) -> Set {
    let mut buffer = Buffer::new(fonts, Metrics::new(size, (size * text.line_height as f32).max(1.0)));
    let attrs = Attrs::new().family(Family::Name(family)).weight(Weight(text.weight));
    let align = text.align.map(|align| match align {
        TextAlign::Left => Align::Left,
        TextAlign::Center => Align::Center,
        TextAlign::Right => Align::Right,
    });
    buffer.set_wrap(if width.is_some() { Wrap::WordOrGlyph } else { Wrap::None });
    buffer.set_size(width, None);
    buffer.set_text(&text.text, &attrs, Shaping::Advanced, align);
    buffer.shape_until_scroll(fonts, false);
    let runs = || buffer.layout_runs();
    let widest = runs().map(|run| run.line_w).fold(0.0, f32::max);
    let height = runs().map(|run| run.line_top + run.line_height).fold(0.0, f32::max);
    if width.is_none() {
        // Once the widest line is known, the others can stand by it.
        buffer.set_size(Some(widest), None);
        buffer.shape_until_scroll(fonts, false);
    }
    Set { buffer, width: widest, height }
}

fn draw(fonts: &mut FontSystem, lettering: &Lettering, family: &str) -> Result<Still, LetteringError> {
    let text = lettering.text;
    let (size, padding) = (text.size as f32, text.padding as f32);
    let inside = |width: u32| (width as f32 - 2.0 * padding).max(1.0);
    let (set, size) = match lettering.frame {
        TextFrame::Natural => (set(fonts, text, family, size, None), None),
        TextFrame::Width(width) => (set(fonts, text, family, size, Some(inside(width))), Some((width, 0))),
        TextFrame::Box(width, height) => (set(fonts, text, family, size, Some(inside(width))), Some((width, height))),
        TextFrame::Height(height) => {
            let natural = set(fonts, text, family, size, None).height;
            let size = size * inside(height) / natural.max(1.0);
            (set(fonts, text, family, size, None), Some((0, height)))
        }
    };
    // Sums of lines are off by a last bit or two.
    let pixels = |length: f32| (length - 0.01).ceil().max(1.0) as u64;
    let least = size.unwrap_or_default();
    let sides = [(set.width, least.0), (set.height, least.1)].map(|(length, least)| {
        let whole = pixels(length + 2.0 * padding);
        // Even, so that in the middle of an even canvas it is on whole pixels and stays crisp.
        if least > 0 { u64::from(least) } else { whole.next_multiple_of(2) }
    });
    // A text that is higher than its box makes it higher.
    let [width, height] = [sides[0], sides[1].max(pixels(set.height + 2.0 * padding))];
    if width > u64::from(MAX_SIDE) || height > u64::from(MAX_SIDE) || width * height > MAX_PIXELS {
        return Err(LetteringError::TooLarge { width, height });
    }
    let origin = (padding, ((height as f32 - set.height) / 2.0).floor());
    let mut sheet = Sheet::new(width as u32, height as u32, text);
    sheet.write(fonts, &set.buffer, origin);
    Ok(Still::new(&sheet.rgba, sheet.width, sheet.height))
}

/// The picture on the way.
struct Sheet {
    width: u32,
    height: u32,
    color: [u8; 3],
    /// Not premultiplied. What is transparent has the letters' colour, so that nothing else bleeds into their edges.
    rgba: Vec<u8>,
}

impl Sheet {
    fn new(width: u32, height: u32, text: &Text) -> Self {
        let ([r, g, b], alpha) = match text.background {
            Some(color) => (color, 255),
            None => (text.color, 0),
        };
        let rgba = [r, g, b, alpha].repeat(width as usize * height as usize);
        Self { width, height, color: text.color, rgba }
    }

    fn write(&mut self, fonts: &mut FontSystem, buffer: &Buffer, origin: (f32, f32)) {
        let mut cache = SwashCache::new();
        let mut images = HashMap::new();
        for run in buffer.layout_runs() {
            for glyph in run.glyphs {
                let place = glyph.physical((origin.0, origin.1 + run.line_y), 1.0);
                let drawn = images.entry(place.cache_key);
                let image = drawn.or_insert_with(|| font::glyph(&mut cache, fonts, place.cache_key).unwrap_or(None));
                let Some(image) = image else { continue };
                let (left, top) = (place.x + image.placement.left, place.y - image.placement.top);
                let across = image.placement.width as usize;
                if across == 0 {
                    continue;
                }
                let channels = if image.content == SwashContent::Mask { 1 } else { 4 };
                for (row, samples) in (top..).zip(image.data.chunks_exact(across * channels)) {
                    for (column, sample) in (left..).zip(samples.chunks_exact(channels)) {
                        match *sample {
                            [cover] => self.dab(column, row, self.color, cover),
                            [r, g, b, cover] => self.dab(column, row, [r, g, b], cover),
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// Lays a colour over a pixel.
    fn dab(&mut self, x: i32, y: i32, color: [u8; 3], cover: u8) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if cover == 0 || x >= self.width || y >= self.height {
            return;
        }
        let index = (y as usize * self.width as usize + x as usize) * 4;
        let pixel = &mut self.rgba[index..index + 4];
        let (over, under) = (f32::from(cover) / 255.0, f32::from(pixel[3]) / 255.0);
        let alpha = over + under * (1.0 - over);
        for (channel, new) in pixel.iter_mut().zip(color) {
            let mixed = (f32::from(new) * over + f32::from(*channel) * under * (1.0 - over)) / alpha;
            *channel = mixed.round() as u8;
        }
        pixel[3] = (alpha * 255.0).round() as u8;
    }
}

#[cfg(test)]
#[path = "lettering_tests.rs"]
mod tests;
