//! Texts become pictures: shaped, broken into lines and drawn, off every media thread.
//!
//! Fonts come from the program (Inter for Latin, Greek and Cyrillic letters; DejaVu Sans, which has Arabic, Hebrew and
//! many signs, too), from the system, and from assets. A character that the wanted font has not is taken from the
//! others. Those of assets are strangers', and [`super::foreign`] has all of this done elsewhere.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use cosmic_text::{
    Align, Attrs, Buffer, Family, FontSystem, Metrics, Shaping, SwashContent, SwashImage, Weight, Wrap,
    fontdb::{Database, ID, Language, Source},
};
use parking_lot::Mutex;

pub use super::lettering_limits::LetteringError;
use super::{
    font::Font,
    glyphs::{Glyphs, Ink},
    lettering_limits::{MAX_CRAWL, MAX_PIXELS, MAX_SIDE},
};
use crate::{
    layout::{Lettering, Text, TextAlign, TextFrame, limits},
    media::port::Still,
};

/// Number of times that lines are broken to make room for what goes beyond them.
const TRIES: usize = 3;

/// The font and style that a text is written with.
#[derive(Debug)]
pub enum Face<'a> {
    /// A family that [`Letterer::knows`].
    Family(&'a str),
    /// A font asset, beside the others.
    Asset(&'a Font),
}

impl Face<'_> {
    fn family(&self) -> &str {
        match self {
            Face::Family(name) => name,
            Face::Asset(font) => font.family.as_str(),
        }
    }
}

/// Draws texts, one at a time.
#[derive(Debug, Default)]
pub struct Letterer {
    fonts: Mutex<Option<Fonts>>,
}

#[derive(Debug)]
struct Fonts {
    common: FontSystem,
    /// An asset's beside the common ones.
    with_asset: Option<FontSystem>,
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
        Self { common: system(fonts), with_asset: None }
    }

    fn alone(font: &Font) -> Self {
        let mut fonts = Database::new();
        add(&mut fonts, font.content.clone());
        Self { common: system(fonts), with_asset: None }
    }

    fn of(&mut self, face: &Face) -> &mut FontSystem {
        let Face::Asset(font) = face else { return &mut self.common };
        let mut fonts = self.common.db().clone();
        clear(&mut fonts, &font.family);
        add(&mut fonts, font.content.clone());
        self.with_asset.insert(system(fonts))
    }
}

/// Returns the families that are in the program, and their files.
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
    /// Returns one that has this font only.
    pub fn alone(font: &Font) -> Self {
        Self { fonts: Mutex::new(Some(Fonts::alone(font))) }
    }

    /// Returns whether nothing of a text would have to come from other fonts.
    pub fn has_all(&self, text: &Text, face: &Face) -> bool {
        self.with(|fonts| {
            let family = face.family();
            let system = fonts.of(face);
            let whole = catch_unwind(AssertUnwindSafe(|| {
                let set = set(system, text, family, text.size as f32, None);
                set.buffer.layout_runs().flat_map(|run| run.glyphs.iter()).all(|glyph| glyph.glyph_id != 0)
            }));
            whole.unwrap_or(false)
        })
    }

    /// Returns whether a family of this name is in the program or installed.
    pub fn knows(&self, family: &str) -> bool {
        self.with(|fonts| fonts.common.db().faces().any(|face| face.families.iter().any(|(name, _)| name == family)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Fonts) -> T) -> T {
        let mut fonts = self.fonts.lock();
        work(fonts.get_or_insert_with(Fonts::load))
    }

    /// Returns the characters of a text that no font has, each once: boxes stand for them. Takes some milliseconds, as
    /// [`Letterer::draw`].
    pub fn lacking(&self, text: &Text, face: &Face) -> String {
        self.with(|fonts| {
            let family = face.family();
            let system = fonts.of(face);
            let lacking = catch_unwind(AssertUnwindSafe(|| lacking(system, text, family)));
            lacking.unwrap_or_else(|_| {
                *fonts = Fonts::load();
                String::new()
            })
        })
    }

    /// Returns how wide and high the picture of a text would be. Takes about as long as drawing it, and less memory.
    ///
    /// # Errors
    /// [`LetteringError`].
    pub fn size(&self, lettering: &Lettering, face: &Face) -> Result<(u32, u32), LetteringError> {
        self.attempt(face, |system, family| lay(system, lettering, family).map(|laid| (laid.width, laid.height)))
    }

    /// Draws the picture of a text. Takes some milliseconds, the first one up to a second: for blocking threads.
    ///
    /// # Errors
    /// [`LetteringError`].
    pub fn draw(&self, lettering: &Lettering, face: &Face) -> Result<Still, LetteringError> {
        let (pixels, width, height) = self.pixels(lettering, face)?;
        Ok(Still::new(&pixels, width, height))
    }

    /// Returns the same as pixels of four bytes each, alpha not premultiplied, and their width and height.
    ///
    /// # Errors
    /// [`LetteringError`].
    pub fn pixels(&self, lettering: &Lettering, face: &Face) -> Result<(Vec<u8>, u32, u32), LetteringError> {
        self.attempt(face, |system, family| draw(system, lettering, family))
    }

    fn attempt<T>(
        &self,
        face: &Face,
        work: impl FnOnce(&mut FontSystem, &str) -> Result<T, LetteringError>,
    ) -> Result<T, LetteringError> {
        self.with(|fonts| {
            let family = face.family();
            let system = fonts.of(face);
            let done = catch_unwind(AssertUnwindSafe(|| work(system, family)));
            done.unwrap_or_else(|_| {
                // Whatever it left behind is not used again.
                *fonts = Fonts::load();
                Err(LetteringError::Failed)
            })
        })
    }
}

fn lacking(fonts: &mut FontSystem, text: &Text, family: &str) -> String {
    let set = set(fonts, text, family, text.size as f32, None);
    let mut lacking = String::new();
    for run in set.buffer.layout_runs() {
        for glyph in run.glyphs.iter().filter(|glyph| glyph.glyph_id == 0) {
            let characters = run.text.get(glyph.start..glyph.end).unwrap_or_default().chars();
            for character in characters.filter(|character| is_seen(*character)) {
                if !lacking.contains(character) {
                    lacking.push(character);
                }
            }
        }
    }
    lacking
}

/// Returns whether a character is one to look at, and not one that only changes others.
fn is_seen(character: char) -> bool {
    !limits::is_silent(character) && !character.is_whitespace() && !character.is_control()
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

fn draw(fonts: &mut FontSystem, lettering: &Lettering, family: &str) -> Result<(Vec<u8>, u32, u32), LetteringError> {
    let Laid { mut glyphs, set, width, height, origin } = lay(fonts, lettering, family)?;
    let text = lettering.text;
    // What is behind one that runs does not run.
    let ground = text.background.filter(|_| lettering.frame != TextFrame::Crawl);
    let mut sheet = Sheet::new(width, height, text.color, ground);
    glyphs.draw(fonts, &set.buffer, origin, |place, image| sheet.write(place, image))?;
    Ok((sheet.rgba, sheet.width, sheet.height))
}

/// A text at its place in its picture.
struct Laid {
    glyphs: Glyphs,
    set: Set,
    width: u32,
    height: u32,
    /// Beginning of its first line.
    origin: (f32, f32),
}

/// The size that a text's picture has at least, or the one that comes of it where that is 0.
#[derive(Debug, Clone, Copy)]
struct Room {
    width: u32,
    height: u32,
    padding: f32,
    /// The largest width that its picture may have.
    widest: u32,
}

impl Room {
    /// Returns how wide and high the picture of these lines is, if what is drawn goes so far beyond them at the top or
    /// the bottom, and at both sides together. Before anything is drawn, nothing is known of that: the picture is not
    /// smaller then.
    ///
    /// # Errors
    /// [`LetteringError::TooLarge`].
    fn around(self, lines: &Set, beyond: f32, beside: f32) -> Result<(u32, u32), LetteringError> {
        let tall = pixels(lines.height + 2.0 * self.padding.max(beyond));
        // Even, so that in the middle of an even canvas it is on whole pixels and stays crisp.
        let width = match self.width {
            0 => pixels(lines.width + 2.0 * self.padding + beside).next_multiple_of(2),
            width => u64::from(width),
        };
        let height = match self.height {
            0 => tall.next_multiple_of(2),
            // A text that is higher than its box makes it higher.
            height => tall.max(height.into()),
        };
        if width > u64::from(self.widest) || height > u64::from(MAX_SIDE) || width * height > MAX_PIXELS {
            return Err(LetteringError::TooLarge { width, height });
        }
        Ok((width as u32, height as u32))
    }
}

/// Returns a length in whole pixels. Sums of lines are off by a last bit or two.
fn pixels(length: f32) -> u64 {
    // So long that sums and the next even number stay numbers.
    (length - 0.01).ceil().clamp(1.0, 1e9) as u64
}

/// Finds out how large the picture of a text is, and where the text is in it. No letter is drawn of one whose lines are
/// too large already.
fn lay(fonts: &mut FontSystem, lettering: &Lettering, family: &str) -> Result<Laid, LetteringError> {
    let text = lettering.text;
    let (mut size, padding) = (text.size as f32, text.padding as f32);
    let (width, height) = match lettering.frame {
        TextFrame::Natural | TextFrame::Crawl => (0, 0),
        TextFrame::Width(width) => (width, 0),
        TextFrame::Height(height) => (0, height),
        TextFrame::Box(width, height) => (width, height),
    };
    let widest = if lettering.frame == TextFrame::Crawl { MAX_CRAWL } else { MAX_SIDE };
    let room = Room { width, height, padding, widest };
    let mut glyphs = Glyphs::default();
    if let TextFrame::Height(height) = lettering.frame {
        let natural = set(fonts, text, family, size, None);
        let inside = (height as f32 - 2.0 * padding).max(1.0);
        let enlarged = inside / natural.height.max(1.0);
        if height > MAX_SIDE {
            let width = pixels(natural.width * enlarged + 2.0 * padding);
            return Err(LetteringError::TooLarge { width, height: height.into() });
        }
        let ink = glyphs.ink(fonts, &natural.buffer, padding)?;
        let tall = natural.height + 2.0 * ink.beyond(natural.height);
        size *= enlarged.min(height as f32 / tall.max(1.0));
        glyphs.forget();
    }
    let (set, ink, [left, right]) = place(fonts, &mut glyphs, text, family, size, room)?;
    let (width, height) = room.around(&set, ink.beyond(set.height), left + right)?;
    let origin = (padding + left, ((height as f32 - set.height) / 2.0).floor());
    Ok(Laid { glyphs, set, width, height, origin })
}

/// Breaks a text into lines, in a width if it is not 0, so that there is room for what goes beyond the lines at their
/// left and right: so many pixels beside the padding.
fn place(
    fonts: &mut FontSystem,
    glyphs: &mut Glyphs,
    text: &Text,
    family: &str,
    size: f32,
    room: Room,
) -> Result<(Set, Ink, [f32; 2]), LetteringError> {
    let Room { width, padding, .. } = room;
    let (mut beside, mut tries) = ([0.0; 2], 0);
    loop {
        let across = (width > 0).then(|| (width as f32 - 2.0 * padding - beside[0] - beside[1]).max(1.0));
        let set = set(fonts, text, family, size, across);
        room.around(&set, 0.0, 0.0)?;
        let ink = glyphs.ink(fonts, &set.buffer, padding)?;
        let edge = across.unwrap_or(set.width) + padding.fract() + padding;
        let needed = [(-padding.trunc() - ink.left).max(beside[0]), (ink.right - edge).ceil().max(beside[1])];
        tries += 1;
        if across.is_none() {
            return Ok((set, ink, needed));
        }
        // In less room the lines may break elsewhere.
        if needed == beside || tries == TRIES {
            return Ok((set, ink, beside));
        }
        beside = needed;
    }
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
    fn new(width: u32, height: u32, color: [u8; 3], ground: Option<[u8; 3]>) -> Self {
        let ([r, g, b], alpha) = match ground {
            Some(ground) => (ground, 255),
            None => (color, 0),
        };
        let rgba = [r, g, b, alpha].repeat(width as usize * height as usize);
        Self { width, height, color, rgba }
    }

    /// Lays a glyph over what is there.
    fn write(&mut self, (left, top): (i32, i32), image: &SwashImage) {
        let across = image.placement.width as usize;
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
mod tests;
