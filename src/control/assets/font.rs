//! Decides from its content whether a file is a font, and checks it whole before it is kept.

use std::{borrow::Cow, panic, sync::Arc};

use cosmic_text::{
    Attrs, Buffer, CacheKey, Command, Family, FontSystem, Metrics, Shaping, SwashCache,
    fontdb::{Database, Source},
};

/// Largest font file, in bytes: those of Chinese, Japanese and Korean have some ten million.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Most faces that one file may hold.
const MAX_FACES: usize = 64;

/// Bytes of all names in one file. Each is kept as often as a face has it, and many may be the same bytes of the file.
const MAX_NAMES: usize = 1 << 20;

/// Largest width and height of a glyph's outline in the size that a font is tried in, in pixels. A font may make its
/// letters thousands of times as large as their lines.
const MAX_GLYPH: f32 = 8192.0;

/// The text that every font is tried with.
const SPECIMEN: &str = "Hamburgefonstiv 0123";

/// The reason why content is no font that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// It is broken, or has something missing.
    #[error("the font cannot be used: {0}")]
    Broken(Cow<'static, str>),
}

impl FontError {
    const fn broken(why: &'static str) -> Self {
        Self::Broken(Cow::Borrowed(why))
    }
}

/// Returns the media type of a font, read from its first bytes. WOFF, which is for web pages, has no type here.
pub fn sniff(content: &[u8]) -> Option<&'static str> {
    match content {
        [0, 1, 0, 0, ..] | [b't', b'r', b'u', b'e', ..] => Some("font/ttf"),
        [b'O', b'T', b'T', b'O', ..] => Some("font/otf"),
        [b't', b't', b'c', b'f', ..] => Some("font/collection"),
        _ => None,
    }
}

/// Returns how wide and high a glyph's outline is, in pixels. Everybody who draws one asks this before: its picture takes
/// a byte a pixel.
pub(super) fn extent(cache: &mut SwashCache, fonts: &mut FontSystem, key: CacheKey) -> (f32, f32) {
    let (mut left, mut right, mut bottom, mut top) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    for command in cache.get_outline_commands_uncached(fonts, key).iter().flatten() {
        let points = match command {
            Command::MoveTo(to) | Command::LineTo(to) => [to, to, to],
            Command::QuadTo(by, to) => [by, by, to],
            Command::CurveTo(by, and, to) => [by, and, to],
            Command::Close => continue,
        };
        for point in points {
            (left, right) = (left.min(point.x), right.max(point.x));
            (bottom, top) = (bottom.min(point.y), top.max(point.y));
        }
    }
    (right - left, top - bottom)
}

/// A font that was looked at.
#[derive(Debug, Clone)]
pub struct Font {
    /// The first name of its family, in English where it has that.
    pub family: String,
    /// Its file.
    pub content: Arc<[u8]>,
}

impl Font {
    /// Reads what a font says of itself.
    ///
    /// # Errors
    /// [`FontError`].
    pub fn open(content: Arc<[u8]>) -> Result<Self, FontError> {
        check_faces(&content)?;
        let read = panic::catch_unwind(|| {
            let mut fonts = Database::new();
            fonts.load_font_source(Source::Binary(Arc::new(content.clone())));
            let mut families = fonts.faces().flat_map(|face| &face.families).map(|(name, _)| name.trim());
            let family = families.find(|name| !name.is_empty()).map(str::to_owned);
            family.ok_or(FontError::broken("it has no tables, or no name"))
        });
        let family = read.unwrap_or(Err(FontError::broken("its tables are wrong")))?;
        Ok(Self { family, content })
    }

    /// Draws something with it. Takes some milliseconds.
    ///
    /// # Errors
    /// [`FontError`] when that cannot be done.
    pub fn check(&self) -> Result<(), FontError> {
        let drawn = panic::catch_unwind(|| {
            let mut fonts = Database::new();
            fonts.load_font_source(Source::Binary(Arc::new(self.content.clone())));
            let mut system = FontSystem::new_with_locale_and_db("en".to_owned(), fonts);
            let mut buffer = Buffer::new(&mut system, Metrics::new(32.0, 40.0));
            let attrs = Attrs::new().family(Family::Name(&self.family));
            buffer.set_text(SPECIMEN, &attrs, Shaping::Advanced, None);
            buffer.shape_until_scroll(&mut system, false);
            let mut cache = SwashCache::new();
            let glyphs = buffer.layout_runs().flat_map(|run| run.glyphs.iter());
            let keys: Vec<_> = glyphs.map(|glyph| glyph.physical((0.0, 0.0), 1.0).cache_key).collect();
            // A font of other scripts may have nothing to draw here; it must only be able to say so.
            keys.into_iter().try_for_each(|key| {
                let (width, height) = extent(&mut cache, &mut system, key);
                if width.max(height) > MAX_GLYPH {
                    return Err(FontError::broken("its glyphs are too large"));
                }
                drop(cache.get_image_uncached(&mut system, key));
                Ok(())
            })
        });
        drawn.unwrap_or(Err(FontError::broken("its glyphs are wrong")))
    }
}

/// Counts faces and their names before either is kept. What is broken beyond reading is the reader's to refuse.
fn check_faces(content: &[u8]) -> Result<(), FontError> {
    let faces = match content {
        [b't', b't', b'c', b'f', ..] => number::<4>(content, 8).unwrap_or(0),
        _ => 1,
    };
    if faces > MAX_FACES {
        return Err(FontError::broken("it has too many faces"));
    }
    let names: usize = (0..faces).filter_map(|face| bytes_of_names(content, face)).sum();
    if names > MAX_NAMES { Err(FontError::broken("its names are too long")) } else { Ok(()) }
}

/// Returns bytes of the names of a face.
fn bytes_of_names(content: &[u8], face: usize) -> Option<usize> {
    let face = if content.starts_with(b"ttcf") { number::<4>(content, 12 + 4 * face)? } else { 0 };
    let tables = number::<2>(content, face + 4)?;
    let entries = (0..tables).map(|table| face + 12 + 16 * table);
    // Readers differ in which one they take where there are several.
    let tables = entries.filter(|entry| content.get(*entry..).is_some_and(|rest| rest.starts_with(b"name")));
    let of_table = |entry: usize| {
        let table = number::<4>(content, entry + 8)?;
        let names = number::<2>(content, table + 2)?;
        Some((0..names).filter_map(|name| number::<2>(content, table + 6 + 12 * name + 8)).sum::<usize>())
    };
    Some(tables.filter_map(of_table).sum())
}

/// Returns a number of so many bytes.
fn number<const BYTES: usize>(content: &[u8], at: usize) -> Option<usize> {
    let bytes = content.get(at..)?.first_chunk::<BYTES>()?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn open(content: &[u8]) -> Result<Font, FontError> {
        Font::open(content.into())
    }

    #[test]
    fn a_font_names_its_family() {
        let font = open(dejavu::sans::bold()).unwrap();
        assert_eq!((font.family.as_str(), font.check()), ("DejaVu Sans", Ok(())));
        assert_eq!(sniff(dejavu::sans::bold()), Some("font/ttf"));
        for other in [&b""[..], b"wOF2....", b"wOFF....", b"\x89PNG", b"OTT", b"GIF89a"] {
            assert_eq!(sniff(other), None);
        }
    }

    #[test]
    fn letters_a_thousand_times_as_large_as_their_lines_are_refused() {
        let mut content = dejavu::sans::regular().to_vec();
        let tables = usize::from(u16::from_be_bytes([content[4], content[5]]));
        let entry = content[12..12 + 16 * tables].chunks(16).find(|entry| entry.starts_with(b"head")).unwrap();
        let head = u32::from_be_bytes([entry[8], entry[9], entry[10], entry[11]]) as usize;
        assert_eq!(content[head + 18..head + 20], 2048u16.to_be_bytes(), "units per em");
        content[head + 18..head + 20].copy_from_slice(&1u16.to_be_bytes());
        let checked = open(&content).and_then(|font| font.check());
        assert_eq!(checked, Err(FontError::broken("its glyphs are too large")));
    }

    #[test]
    fn faces_and_names_are_counted_before_they_are_kept() {
        let face = dejavu::sans::regular();
        // A collection whose faces are all the same, and may all have the same long name.
        let collection = |faces: u32, names: u16, length: u16| {
            let head = 12 + 4 * faces;
            let mut content = [&b"ttcf\0\x01\0\0"[..], &faces.to_be_bytes()].concat();
            (0..faces).for_each(|_| content.extend(head.to_be_bytes()));
            let start = content.len();
            content.extend(face);
            let tables = usize::from(u16::from_be_bytes([face[4], face[5]]));
            let added = content.len() as u32;
            for table in 0..tables {
                let entry = start + 12 + 16 * table;
                let offset = u32::from_be_bytes(content[entry + 8..entry + 12].try_into().unwrap()) + head;
                let offset = if names > 0 && content[entry..].starts_with(b"name") { added } else { offset };
                content[entry + 8..entry + 12].copy_from_slice(&offset.to_be_bytes());
            }
            content.extend([[0, 0], names.to_be_bytes(), (6 + 12 * names).to_be_bytes()].concat());
            for _ in 0..names {
                content.extend([0, 3, 0, 1, 4, 9, 0, 1]);
                content.extend([length.to_be_bytes(), [0, 0]].concat());
            }
            content.extend(vec![b'A'; length.into()]);
            content
        };
        assert!(open(&collection(2, 0, 0)).is_ok());
        assert_eq!(open(&collection(1_000_000, 0, 0)).unwrap_err(), FontError::broken("it has too many faces"));
        // Four gigabytes of names in 200 kilobytes.
        let long = open(&collection(20, 3000, u16::MAX - 1)).unwrap_err();
        assert_eq!(long, FontError::broken("its names are too long"));
    }

    #[test]
    fn a_broken_font_is_refused_or_drawn_but_never_more() {
        let whole = dejavu::sans::regular();
        assert!(open(&whole[..12]).is_err() && open(&[0, 1, 0, 0]).is_err() && open(&[0xff; 100]).is_err());
        let mut noise = 1u32;
        for cut in [1000, 20_000, 200_000, whole.len() - 1] {
            if let Ok(font) = open(&whole[..cut]) {
                let _ = font.check();
            }
        }
        for _ in 0..40 {
            let mut content = whole.to_vec();
            for _ in 0..200 {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let place = noise as usize % content.len();
                content[place] ^= (noise >> 24) as u8;
            }
            if let Ok(font) = open(&content) {
                let _ = font.check();
            }
        }
    }
}
