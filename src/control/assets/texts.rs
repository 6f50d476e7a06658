//! The pictures of texts: which font is meant, and what was drawn before.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    AssetError, AssetStore, blocking,
    cache::Stamp,
    decode_in,
    font::{self, Font},
    head,
    lettering::{Face, Letterer, LetteringError},
    load, names,
};
use crate::{
    control::room::TextFault,
    layout::{Lettering, Text, limits},
    media::port::Image,
};

/// What draws texts, and what is known of the fonts among the assets.
#[derive(Debug, Default)]
pub(super) struct Texts {
    letterer: Letterer,
    /// Families by the names of assets, as long as their files stay the same; `None`: it is no font.
    families: Mutex<HashMap<String, (Stamp, Option<String>)>>,
}

/// What the name of a font turned out to be.
enum Named {
    Family,
    Asset(String, Stamp),
}

impl Texts {
    /// The family of a font asset. Reads the file unless it is known.
    fn family(&self, name: &str, file: &Path) -> Option<(Stamp, String)> {
        let stamp = Stamp::of(&fs::metadata(file).ok()?);
        let known = self.known().get(name).filter(|(of, _)| *of == stamp).map(|(_, family)| family.clone());
        let family = known.unwrap_or_else(|| {
            font::sniff(&head(file).ok()?)?;
            let (content, _) = load(name, file).ok()?;
            let family = Font::open(content.into()).ok()?.family;
            Some(family)
        });
        self.known().insert(name.to_owned(), (stamp, family.clone()));
        Some((stamp, family?))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Stamp, Option<String>)>> {
        // Nothing that panics runs under the lock.
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name is looked for among the assets, among the families of the program and the system, and among those of the
    /// assets, in this order.
    fn find(&self, font: &str, folder: &Path) -> Option<Named> {
        if limits::is_asset(font)
            && let Some((stamp, _)) = self.family(font, &folder.join(font))
        {
            return Some(Named::Asset(font.to_owned(), stamp));
        }
        if self.letterer.knows(font) {
            return Some(Named::Family);
        }
        let mut assets = names(folder).ok()?;
        assets.sort();
        assets.into_iter().find_map(|name| {
            let (stamp, family) = self.family(&name, &folder.join(&name))?;
            (family == font).then_some(Named::Asset(name, stamp))
        })
    }
}

impl AssetStore {
    /// The family of a font asset; `None` for other assets and where there is none.
    pub async fn family(&self, name: &str) -> Option<String> {
        let (texts, file, name) = (self.texts.clone(), self.file(name).ok()?, name.to_owned());
        blocking(move || Ok(texts.family(&name, &file))).await.ok()?.map(|(_, family)| family)
    }

    /// The picture of a text; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When there is no such font, or the picture would be too large.
    pub async fn text(&self, lettering: Lettering<'_>) -> Result<Image, TextFault> {
        let font = lettering.text.font.clone();
        let (texts, folder) = (self.texts.clone(), self.folder.clone());
        let named = blocking(move || Ok(texts.find(&font, &folder))).await.map_err(|error| fault(&error))?;
        let named = named.ok_or_else(|| TextFault {
            key: "font",
            detail: format!("there is no font {:?}, neither an asset nor a family", lettering.text.font),
        })?;
        let stamp = if let Named::Asset(_, stamp) = &named { *stamp } else { Stamp::BUILT_IN };
        let name = lettering.name();
        if let Some(image) = self.cache().get(&name, stamp) {
            return Ok(image);
        }
        let turn = self.turn().await;
        // Who had the turn before may have drawn the same.
        if let Some(image) = self.cache().get(&name, stamp) {
            return Ok(image);
        }
        let (texts, folder) = (self.texts.clone(), self.folder.clone());
        let (text, frame) = (lettering.text.clone(), lettering.frame);
        let drawn = decode_in(turn, move || {
            let lettering = Lettering { text: &text, frame };
            Ok(draw(&texts.letterer, &lettering, named, folder))
        });
        let still = drawn.await.and_then(|drawn| drawn).map_err(|error| fault(&error))?;
        let image = Image { name: name.into(), still, clip: None };
        self.cache().insert(image.clone(), stamp);
        Ok(image)
    }
}

impl AssetStore {
    /// The characters of a text that no font has; none where there is no such font.
    pub async fn lacking(&self, text: &Text) -> String {
        // Every font has these.
        if text.text.is_ascii() {
            return String::new();
        }
        let (texts, folder, text) = (self.texts.clone(), self.folder.clone(), text.clone());
        let work = move || {
            let Some(named) = texts.find(&text.font, &folder) else { return Ok(String::new()) };
            with_face(named, &text.font, &folder, |face| Ok(texts.letterer.lacking(&text, face)))
        };
        blocking(work).await.unwrap_or_default()
    }
}

/// Does something with the font that a name turned out to be.
fn with_face<T>(
    named: Named,
    family: &str,
    folder: &Path,
    work: impl FnOnce(&Face) -> Result<T, AssetError>,
) -> Result<T, AssetError> {
    match named {
        Named::Family => work(&Face::Family(family)),
        Named::Asset(name, stamp) => {
            let (content, _) = load(&name, &folder.join(&name))?;
            let font = Font::open(content.into())?;
            work(&Face::Asset { name: &name, stamp, font: &font })
        }
    }
}

fn draw(
    letterer: &Letterer,
    lettering: &Lettering,
    named: Named,
    folder: PathBuf,
) -> Result<Arc<crate::media::port::Still>, AssetError> {
    let family = &lettering.text.font;
    let still = with_face(named, family, &folder, |face| Ok(letterer.draw(lettering, face)?))?;
    Ok(Arc::new(still))
}

fn fault(error: &AssetError) -> TextFault {
    let key = match error {
        AssetError::Lettering(LetteringError::TooLarge { .. }) => "text",
        _ => "font",
    };
    TextFault { key, detail: error.to_string() }
}
