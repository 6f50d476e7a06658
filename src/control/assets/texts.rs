//! The pictures of texts: which font is meant, and what was drawn before.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::{
    AssetError, AssetStore, blocking,
    budget::most_bytes,
    cache::Stamp,
    clips::Looker,
    decode_in,
    font::{self, Font},
    foreign::{self, Writer},
    head,
    lettering::{Face, Letterer, LetteringError},
    lettering_limits::MAX_PIXELS,
    load_file, names,
    shelves::Shelves,
    turns::Turns,
};
use crate::{
    control::room::{NoText, NotNow, TextFault},
    layout::{Lettering, Text, limits},
    media::port::Image,
};

/// Texts whose sizes are known, at most: those of all scenes of a room, and half as many again.
const MOST_SIZES: usize = 10_000;

/// Names a text's picture and the file of its font as it is now.
type SizeKey = [u8; 32];

fn size_key(file: &Path, stamp: Stamp, name: &str) -> SizeKey {
    let hash = Sha256::new().chain_update(file.as_os_str().as_encoded_bytes()).chain_update([0]);
    hash.chain_update(format!("{stamp:?}")).chain_update([0]).chain_update(name).finalize().into()
}

/// The drawer of texts, and what is known of the fonts among the assets.
#[derive(Debug, Default)]
pub(super) struct Texts {
    letterer: Letterer,
    /// Sizes of the pictures of texts; `None`: there is no picture.
    sizes: Mutex<HashMap<SizeKey, Option<(u32, u32)>>>,
    /// Held while a text is measured: one at a time, so that one that is to be shown waits for no more than one.
    measuring: Turns,
    /// Held while a text is drawn that is shown and has changed, with the program's fonts and with those of assets: of
    /// all rooms, one at a time stands among what is asked for.
    redrawing: [tokio::sync::Mutex<()>; 2],
    /// Families by files of assets, as long as these stay the same; `None`: it is no font.
    families: Mutex<HashMap<PathBuf, (Stamp, Option<String>)>>,
    /// The drawer of texts with the fonts among the assets.
    foreign: foreign::Fonts,
}

/// The thing that the name of a font turned out to be.
enum Named {
    Family,
    Asset(PathBuf, Stamp),
}

impl Named {
    /// Returns the font's file, as it is now; no path for what is no asset.
    fn file(&self) -> (PathBuf, Stamp) {
        match self {
            Self::Asset(file, stamp) => (file.clone(), *stamp),
            Self::Family => (PathBuf::new(), Stamp::BUILT_IN),
        }
    }
}

impl Texts {
    fn known_size(&self, key: &SizeKey) -> Option<Option<(u32, u32)>> {
        self.sizes.lock().get(key).copied()
    }

    /// Counts the texts whose sizes are known.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.sizes.lock().len()
    }

    fn keep_size(&self, key: SizeKey, size: Option<(u32, u32)>) {
        let mut sizes = self.sizes.lock();
        if sizes.len() >= MOST_SIZES {
            sizes.clear();
        }
        sizes.insert(key, size);
    }

    /// Returns how wide and high the picture of a text is.
    fn measure(&self, looker: &Looker, named: &Named, lettering: &Lettering) -> Result<(u32, u32), AssetError> {
        match named {
            Named::Family => Ok(self.letterer.size(lettering, &Face::Family(&lettering.text.font))?),
            Named::Asset(file, stamp) => self.foreign.size(&*looker.0, (file, *stamp), lettering),
        }
    }

    /// Returns the family of a font asset. Reads the file unless it is known.
    fn family(&self, file: &Path) -> Option<(Stamp, String)> {
        let stamp = Stamp::of(&fs::metadata(file).ok()?);
        let known = self.families.lock().get(file).filter(|(of, _)| *of == stamp).map(|(_, family)| family.clone());
        let family = known.unwrap_or_else(|| {
            font::sniff(&head(file).ok()?)?;
            let (content, _) = load_file(file).ok()?;
            let family = Font::open(content.into()).ok()?.family;
            Some(family)
        });
        self.families.lock().insert(file.to_owned(), (stamp, family.clone()));
        Some((stamp, family?))
    }

    /// Forgets what is known of a file, or of all files in a folder.
    pub(super) fn forget(&self, file: &Path) {
        self.families.lock().retain(|known, _| !known.starts_with(file));
        self.foreign.forget(file);
    }

    /// Looks a name up among the assets, among the families of the program and the system, and among those of the
    /// assets, in this order; a room's own assets come before those of the shared shelf.
    fn find(&self, font: &str, shelves: &Shelves) -> Option<Named> {
        let mut files = shelves.folders().map(|folder| folder.join(font));
        if limits::is_asset(font)
            && let Some(named) = files.find_map(|file| Some(Named::Asset(file.clone(), self.family(&file)?.0)))
        {
            return Some(named);
        }
        if self.letterer.knows(font) {
            return Some(Named::Family);
        }
        shelves.folders().find_map(|folder| {
            let mut assets = names(folder).ok()?;
            assets.sort();
            assets.into_iter().find_map(|name| {
                let file = folder.join(name);
                let (stamp, family) = self.family(&file)?;
                (family == font).then_some(Named::Asset(file, stamp))
            })
        })
    }
}

impl AssetStore {
    /// Returns the family of a font asset; `None` for other assets and for a missing one.
    pub async fn family(&self, name: &str) -> Option<String> {
        let (texts, file) = (self.texts.clone(), self.file(name).await.ok()?);
        blocking(move || Ok(texts.family(&file))).await.ok()?.map(|(_, family)| family)
    }

    /// Returns the picture of a text; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When there is no such font, the picture would be too large, or the server cannot use the font now.
    pub async fn text(&self, lettering: Lettering<'_>) -> Result<Image, NoText> {
        let (image, file, stamp) = self.draw(lettering, Writer::Layout, false).await?;
        self.texts.keep_size(size_key(&file, stamp, &image.name), Some(image.still.size()));
        self.decoded.lock().insert(file, image.clone(), stamp);
        Ok(image)
    }

    /// Returns the picture of a text that will hardly be asked for again, and that strangers may have written. It takes no
    /// place in memory from others, and condemns no font.
    ///
    /// # Errors
    /// As [`AssetStore::text`].
    pub async fn passing_text(&self, lettering: Lettering<'_>) -> Result<Image, NoText> {
        self.draw(lettering, Writer::Anybody, false).await.map(|(image, ..)| image)
    }

    /// Returns the same of a text whose words have changed while it is shown. What is asked for waits for no more than one
    /// of these, of all rooms.
    ///
    /// # Errors
    /// As [`AssetStore::text`].
    pub async fn redrawn_text(&self, lettering: Lettering<'_>) -> Result<Image, NoText> {
        self.draw(lettering, Writer::Anybody, true).await.map(|(image, ..)| image)
    }

    /// Draws a text unless its picture is in memory, where it belongs under this file and stamp. `again`: it is shown, and
    /// its words have changed.
    async fn draw(
        &self,
        lettering: Lettering<'_>,
        writer: Writer,
        again: bool,
    ) -> Result<(Image, PathBuf, Stamp), NoText> {
        let fault = |error: &AssetError| fault(error, writer);
        let font = lettering.text.font.clone();
        let (texts, shelves) = (self.texts.clone(), self.shelves.clone());
        let named = blocking(move || Ok(texts.find(&font, &shelves))).await.map_err(|error| fault(&error))?;
        let missing = || format!("there is no font {:?}, neither an asset nor a family", lettering.text.font);
        let named =
            named.ok_or_else(|| NoText::Fault(TextFault { key: "font", detail: missing(), of_words: false }))?;
        let (file, stamp) = named.file();
        let name = lettering.name();
        if let Some(image) = self.decoded.lock().get(&file, &name, stamp) {
            return Ok((image, file, stamp));
        }
        let [family, asset] = &self.texts.redrawing;
        let _turn_of_again = match &named {
            _ if !again => None,
            Named::Family => Some(family.lock().await),
            Named::Asset(..) => Some(asset.lock().await),
        };
        // One that is drawn again stands in no room's line: all rooms' others wait for it meanwhile.
        let room = if again { None } else { self.room() };
        let turn = match &named {
            Named::Family => self.decoding.take(room).await,
            Named::Asset(..) => self.lettering.take(room).await,
        };
        // Who had the turn before may have drawn the same.
        if let Some(image) = self.decoded.lock().get(&file, &name, stamp) {
            return Ok((image, file, stamp));
        }
        let (texts, looker, budget) = (self.texts.clone(), self.looker.clone(), self.budget.clone());
        let (text, frame, holder) = (lettering.text.clone(), lettering.frame, self.holder());
        let key = size_key(&file, stamp, &name);
        let drawn = decode_in(turn, move || {
            let lettering = Lettering { text: &text, frame };
            let share = match texts.known_size(&key).flatten() {
                Some(size) => budget.take(most_bytes(size), &holder)?,
                None => match budget.take_free(most_bytes((MAX_PIXELS as u32, 1)), &holder) {
                    Some(share) => share,
                    // It may be smaller than the largest.
                    None => budget.take(most_bytes(texts.measure(&looker, &named, &lettering)?), &holder)?,
                },
            };
            let still = match &named {
                Named::Family => texts.letterer.draw(&lettering, &Face::Family(&text.font))?,
                Named::Asset(file, stamp) => texts.foreign.draw(&*looker.0, (file, *stamp), &lettering, writer)?,
            };
            budget.keep(still, share)
        });
        let still = drawn.await.map_err(|error| fault(&error))?;
        Ok((Image { name: name.into(), still, clip: None }, file, stamp))
    }

    /// Returns how wide and high the picture of a text is, without drawing it; from memory when that is known. `None`
    /// for one that cannot be drawn. The work goes on when nobody waits for it any more, and its outcome is known then.
    pub async fn text_size(&self, lettering: Lettering<'_>) -> Option<(u32, u32)> {
        let (texts, shelves, font) = (self.texts.clone(), self.shelves.clone(), lettering.text.font.clone());
        let named = blocking(move || Ok(texts.find(&font, &shelves))).await.ok()??;
        let (file, stamp) = named.file();
        let key = size_key(&file, stamp, &lettering.name());
        if let Some(known) = self.texts.known_size(&key) {
            return known;
        }
        let turn = self.texts.measuring.take(self.room()).await;
        // Who had the turn before may have measured the same.
        if let Some(known) = self.texts.known_size(&key) {
            return known;
        }
        let foreign_turn = match &named {
            Named::Family => None,
            Named::Asset(..) => Some(self.foreign_turn().await),
        };
        let (texts, looker) = (self.texts.clone(), self.looker.clone());
        let (text, frame) = (lettering.text.clone(), lettering.frame);
        let measured = decode_in(turn, move || {
            let _foreign_turn = foreign_turn;
            let lettering = Lettering { text: &text, frame };
            let size = texts.measure(&looker, &named, &lettering);
            // What passes, and what the disk does, may be otherwise the next time.
            if size.is_ok() || matches!(&size, Err(error @ AssetError::Lettering(_)) if !error.passes()) {
                texts.keep_size(key, size.as_ref().ok().copied());
            }
            size
        });
        measured.await.ok()
    }
}

impl AssetStore {
    /// Returns the characters of a text that no font has; none where there is no such font.
    pub async fn lacking(&self, text: &Text) -> String {
        // Every font has these.
        if text.text.is_ascii() {
            return String::new();
        }
        let (texts, shelves, font) = (self.texts.clone(), self.shelves.clone(), text.font.clone());
        let Ok(Some(named)) = blocking(move || Ok(texts.find(&font, &shelves))).await else { return String::new() };
        let (texts, looker, text) = (self.texts.clone(), self.looker.clone(), text.clone());
        let lacking = match named {
            Named::Family => blocking(move || Ok(texts.letterer.lacking(&text, &Face::Family(&text.font)))).await,
            Named::Asset(file, stamp) => {
                let turn = self.foreign_turn().await;
                decode_in(turn, move || texts.foreign.lacking(&*looker.0, (&file, stamp), &text)).await
            }
        };
        lacking.unwrap_or_default()
    }
}

fn fault(error: &AssetError, writer: Writer) -> NoText {
    if error.passes() {
        return NoText::NotNow(NotNow(error.to_string()));
    }
    let (key, of_words) = match error {
        AssetError::Lettering(LetteringError::TooLarge { .. } | LetteringError::TooMuch) => ("text", true),
        AssetError::Lettering(LetteringError::Failed) => ("font", true),
        // With other words the font may be good.
        AssetError::Lettering(LetteringError::BroughtDown) => ("font", writer == Writer::Anybody),
        _ => ("font", false),
    };
    NoText::Fault(TextFault { key, detail: error.to_string(), of_words })
}
