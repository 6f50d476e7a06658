//! The pictures of a GIF. PURE.
//!
//! The blocks are read here as well as by the decoder, which does not report all that they say.

use std::{io::Cursor, num::NonZeroU32, time::Duration};

use ::gif::{ColorOutput, DecodeOptions, Decoder, DecodingError};
use image::RgbaImage;

use super::{
    Animation,
    canvas::{Disposal, Part},
};
use crate::control::assets::picture_terms::{MAX_FRAMES, MAX_PIXELS, MAX_SIDE, PictureError};

/// Pixels by which a picture may go beyond its canvas.
const OVERHANG: u64 = 1_000_000;

/// Extensions that say how often an animation is played again.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

/// Opens one whose canvas is within the limits.
///
/// # Errors
/// When it cannot be used.
pub fn open(content: &[u8]) -> Result<Animation<Pictures<'_>>, PictureError> {
    let blocks = Blocks::read(content);
    let (width, height) = blocks.size;
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooManyPixels);
    }
    if width == 0 || height == 0 {
        return Err(PictureError::Broken("it has no pixels".to_owned()));
    }
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let decoder = options.read_info(Cursor::new(content)).map_err(|error| broken(&error))?;
    let most = u64::from(width) * u64::from(height) + OVERHANG;
    let (size, plays) = (blocks.size, blocks.plays);
    Ok(Animation { size, plays, parts: Pictures { decoder, disposals: blocks.disposals, next: 0, most } })
}

fn broken(error: &DecodingError) -> PictureError {
    PictureError::Broken(error.to_string())
}

/// The pictures, one after the other.
pub struct Pictures<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    disposals: Vec<Disposal>,
    next: usize,
    /// Pixels of one.
    most: u64,
}

impl Iterator for Pictures<'_> {
    type Item = Result<Part, PictureError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl Pictures<'_> {
    fn read(&mut self) -> Result<Option<Part>, PictureError> {
        let Some(frame) = self.decoder.next_frame_info().map_err(|error| broken(&error))? else { return Ok(None) };
        let [left, top, width, height] = [frame.left, frame.top, frame.width, frame.height].map(u32::from);
        let length = Duration::from_millis(u64::from(frame.delay) * 10);
        if u64::from(width) * u64::from(height) > self.most {
            return Err(PictureError::TooMuchMemory);
        }
        let mut pixels = RgbaImage::new(width, height);
        self.decoder.read_into_buffer(&mut pixels).map_err(|error| broken(&error))?;
        let disposal = self.disposals.get(self.next).copied().unwrap_or(Disposal::Keep);
        self.next += 1;
        Ok(Some(Part { left, top, pixels, over: true, disposal, length }))
    }
}

/// The content of a GIF's blocks.
struct Blocks {
    /// Of the canvas: the first picture may be larger than the header says, and makes it larger.
    size: (u32, u32),
    /// `None`: again and again.
    plays: Option<NonZeroU32>,
    /// Of every picture.
    disposals: Vec<Disposal>,
}

impl Blocks {
    /// Reads as far as the content is whole.
    fn read(content: &[u8]) -> Self {
        let mut blocks = Self { size: (0, 0), plays: Some(NonZeroU32::MIN), disposals: Vec::new() };
        let _ = blocks.walk(content);
        blocks
    }

    fn walk(&mut self, content: &[u8]) -> Option<()> {
        let mut rest = Bytes(content);
        rest.take(6)?;
        let screen = rest.take(7)?;
        self.size = (number(screen, 0), number(screen, 2));
        rest.table(screen[4])?;
        let mut disposal = Disposal::Keep;
        while self.disposals.len() <= MAX_FRAMES {
            match rest.take(1)?[0] {
                0x2c => {
                    let head = rest.take(9)?;
                    if self.disposals.is_empty() {
                        let (right, bottom) = (number(head, 0) + number(head, 4), number(head, 2) + number(head, 6));
                        self.size = (self.size.0.max(right), self.size.1.max(bottom));
                    }
                    self.disposals.push(std::mem::replace(&mut disposal, Disposal::Keep));
                    rest.table(head[8])?;
                    rest.take(1)?;
                    while !rest.piece()?.is_empty() {}
                }
                0x21 => {
                    let label = rest.take(1)?[0];
                    let first = rest.piece()?;
                    if let (0xf9, [flags, ..]) = (label, first) {
                        disposal = match flags >> 2 & 7 {
                            2 => Disposal::Clear,
                            // 4 has no meaning, but old programs meant 3 by it.
                            3 | 4 => Disposal::Restore,
                            _ => Disposal::Keep,
                        };
                    }
                    let mut piece = first;
                    while !piece.is_empty() {
                        piece = rest.piece()?;
                        if let (0xff, true, [1, low, high]) = (label, LOOPS.contains(&first), piece) {
                            // So often again, or for ever.
                            let again = u32::from(u16::from_le_bytes([*low, *high]));
                            self.plays = if again == 0 { None } else { NonZeroU32::new(again + 1) };
                        }
                    }
                }
                _ => return Some(()),
            }
        }
        Some(())
    }
}

/// The bytes that are left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Returns a piece of data that begins with its length; the last one has none.
    fn piece(&mut self) -> Option<&'a [u8]> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    /// Passes over a table of colours, if these flags say that there is one.
    fn table(&mut self, flags: u8) -> Option<()> {
        if flags & 0x80 != 0 {
            self.take(3 << ((flags & 7) + 1))?;
        }
        Some(())
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}
