//! The pictures of texts: which font is meant, and what was drawn before.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    AssetError, AssetStore, blocking,
    cache::Stamp,
    decode_in,
    font::{self, Font},
    foreign, head,
    lettering::{Face, Letterer, LetteringError},
    load_file, names,
    shelves::Shelves,
};
use crate::{
    control::room::TextFault,
    layout::{Lettering, Text, limits},
    media::port::Image,
};

/// The drawer of texts, and what is known of the fonts among the assets.
#[derive(Debug, Default)]
pub(super) struct Texts {
    letterer: Letterer,
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

impl Texts {
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
    /// When there is no such font, or the picture would be too large.
    pub async fn text(&self, lettering: Lettering<'_>) -> Result<Image, TextFault> {
        let font = lettering.text.font.clone();
        let (texts, shelves) = (self.texts.clone(), self.shelves.clone());
        let named = blocking(move || Ok(texts.find(&font, &shelves))).await.map_err(|error| fault(&error))?;
        let named = named.ok_or_else(|| TextFault {
            key: "font",
            detail: format!("there is no font {:?}, neither an asset nor a family", lettering.text.font),
        })?;
        let (file, stamp) = match &named {
            Named::Asset(file, stamp) => (file.clone(), *stamp),
            Named::Family => (PathBuf::new(), Stamp::BUILT_IN),
        };
        let name = lettering.name();
        if let Some(image) = self.decoded.lock().get(&file, &name, stamp) {
            return Ok(image);
        }
        let turn = match &named {
            Named::Family => self.turn().await,
            Named::Asset(..) => self.foreign_turn().await,
        };
        // Who had the turn before may have drawn the same.
        if let Some(image) = self.decoded.lock().get(&file, &name, stamp) {
            return Ok(image);
        }
        let (texts, looker) = (self.texts.clone(), self.looker.clone());
        let (text, frame) = (lettering.text.clone(), lettering.frame);
        let drawn = decode_in(turn, move || {
            let lettering = Lettering { text: &text, frame };
            match named {
                Named::Family => Ok(texts.letterer.draw(&lettering, &Face::Family(&text.font))?),
                Named::Asset(file, stamp) => texts.foreign.draw(&*looker.0, (&file, stamp), &lettering),
            }
        });
        let still = drawn.await.map(Arc::new).map_err(|error| fault(&error))?;
        let image = Image { name: name.into(), still, clip: None };
        self.decoded.lock().insert(file, image.clone(), stamp);
        Ok(image)
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

fn fault(error: &AssetError) -> TextFault {
    let key = match error {
        AssetError::Lettering(LetteringError::TooLarge { .. }) => "text",
        _ => "font",
    };
    TextFault { key, detail: error.to_string() }
}
