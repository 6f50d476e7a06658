//! The letters of a text, drawn one by one, within bounds: of how large one may be, how many pixels all of them have, and
//! how many bytes of them are kept for a second use.

use std::collections::HashMap;

use cosmic_text::{Buffer, CacheKey, FontSystem, Placement, SwashCache, SwashImage};

use super::{
    font,
    lettering_limits::{LetteringError, MAX_DRAWN, MAX_PIXELS, MAX_SIDE},
};

/// Bytes of letters that are kept: as many as the largest picture has pixels. What is beyond is drawn once more.
const KEPT: usize = MAX_PIXELS as usize;

/// Distance from the top at which a text is measured: places are rounded towards zero, and would be others above it.
const DOWN: f32 = 8192.0;

/// The area that a text's glyphs cover, from where its first line begins, in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ink {
    pub(super) left: f32,
    top: f32,
    pub(super) right: f32,
    bottom: f32,
}

impl Ink {
    /// Returns how far it goes beyond lines of this height, above or below.
    pub(super) fn beyond(self, height: f32) -> f32 {
        (-self.top).max((self.bottom - height).ceil()).max(0.0)
    }
}

/// Glyphs that were drawn. Where each lies is known from then on, and most of them are kept.
pub(super) struct Glyphs {
    cache: SwashCache,
    /// `None`: there is nothing to see.
    placements: HashMap<CacheKey, Option<Placement>>,
    images: HashMap<CacheKey, SwashImage>,
    /// Of the images.
    bytes: usize,
}

impl Default for Glyphs {
    fn default() -> Self {
        Self { cache: SwashCache::new(), placements: HashMap::new(), images: HashMap::new(), bytes: 0 }
    }
}

impl Glyphs {
    /// Draws every glyph of a text at its place: of its upper left corner.
    ///
    /// # Errors
    /// [`LetteringError::TooLarge`] of one glyph, [`LetteringError::TooMuch`] of all.
    pub(super) fn draw(
        &mut self,
        fonts: &mut FontSystem,
        buffer: &Buffer,
        origin: (f32, f32),
        mut draw: impl FnMut((i32, i32), &SwashImage),
    ) -> Result<(), LetteringError> {
        self.visit(fonts, buffer, origin, |glyphs, fonts, key, place, _| {
            let again = if glyphs.images.contains_key(&key) { None } else { glyphs.drawn(fonts, key)? };
            if let Some(image) = glyphs.images.get(&key).or(again.as_ref()) {
                draw(place, image);
            }
            Ok(())
        })
    }

    /// Returns what a text covers, on the same parts of pixels as behind this padding.
    ///
    /// # Errors
    /// As [`Glyphs::draw`].
    pub(super) fn ink(&mut self, fonts: &mut FontSystem, buffer: &Buffer, padding: f32) -> Result<Ink, LetteringError> {
        let mut ink = Ink::default();
        self.visit(fonts, buffer, (padding.fract(), DOWN), |_, _, _, (left, top), placement| {
            let (left, top) = (left as f32, top as f32 - DOWN);
            ink = Ink {
                left: ink.left.min(left),
                top: ink.top.min(top),
                right: ink.right.max(left + placement.width as f32),
                bottom: ink.bottom.max(top + placement.height as f32),
            };
            Ok(())
        })?;
        Ok(ink)
    }

    /// Forgets the pictures that are kept: those of another size are of no more use.
    pub(super) fn forget(&mut self) {
        self.images.clear();
        self.bytes = 0;
    }

    /// Goes through all glyphs of a text of which there is something to see.
    fn visit(
        &mut self,
        fonts: &mut FontSystem,
        buffer: &Buffer,
        origin: (f32, f32),
        mut see: impl FnMut(&mut Self, &mut FontSystem, CacheKey, (i32, i32), Placement) -> Result<(), LetteringError>,
    ) -> Result<(), LetteringError> {
        let mut pixels = 0;
        for run in buffer.layout_runs() {
            for glyph in run.glyphs {
                let place = glyph.physical((origin.0, origin.1 + run.line_y), 1.0);
                let Some(placement) = self.placement(fonts, place.cache_key)? else { continue };
                pixels += u64::from(placement.width) * u64::from(placement.height);
                if pixels > MAX_DRAWN {
                    return Err(LetteringError::TooMuch);
                }
                let at = (place.x.saturating_add(placement.left), place.y.saturating_sub(placement.top));
                see(self, fonts, place.cache_key, at, placement)?;
            }
        }
        Ok(())
    }

    /// Returns where a glyph lies; draws it if that is not known, and keeps it if there is room.
    fn placement(&mut self, fonts: &mut FontSystem, key: CacheKey) -> Result<Option<Placement>, LetteringError> {
        if let Some(known) = self.placements.get(&key) {
            return Ok(*known);
        }
        let image = self.drawn(fonts, key)?;
        let placement = image.as_ref().map(|image| image.placement);
        self.placements.insert(key, placement);
        if let Some(image) = image
            && self.bytes + image.data.len() <= KEPT
        {
            self.bytes += image.data.len();
            self.images.insert(key, image);
        }
        Ok(placement)
    }

    /// Draws a glyph, if it is not too large and there is something to see.
    fn drawn(&mut self, fonts: &mut FontSystem, key: CacheKey) -> Result<Option<SwashImage>, LetteringError> {
        let (width, height) = font::extent(&mut self.cache, fonts, key);
        if width.max(height) > MAX_SIDE as f32 || width * height > MAX_PIXELS as f32 {
            return Err(LetteringError::TooLarge { width: width as u64, height: height as u64 });
        }
        let image = self.cache.get_image_uncached(fonts, key);
        Ok(image.filter(|image| image.placement.width > 0))
    }
}
