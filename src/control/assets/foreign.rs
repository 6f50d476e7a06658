//! Fonts that somebody sent. Whatever is done with one is done by a process of its own ([`Media::use_font`]).
//!
//! A font is a program: its glyphs are made of other glyphs, its outlines call routines, and its tables say what
//! becomes of letters. Two kilobytes can take hours, or all memory, and which letters do so shows only when they are
//! drawn.
//!
//! ```text
//!   Fonts::check, ::lacking, ::size, ::draw ─ FontRequest ─► virfie decode-upload ◄─ the font ─► answer
//!                                  Reply in one line, then the picture ◄─────────────────────────┘
//! ```
//! Failure: a font that brought its process down once is not used again, until another file is put in its place. One that
//! gets no process is not judged.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{
    AssetError,
    cache::Stamp,
    font::{Font, FontError},
    lettering::{Face, Letterer, LetteringError},
    load_file,
};
use crate::{
    layout::{Lettering, Text, TextFrame},
    media::port::{FontUse, Media, Still},
};

/// The work that is to be done with a font.
#[derive(Debug, Serialize, Deserialize)]
enum FontRequest {
    /// See whether it can be used.
    Check,
    /// Name the characters of a text that no font has.
    Lacking(Text),
    /// Say how large the picture of a text is.
    Measure(Text, TextFrame),
    /// Draw a text.
    Draw(Text, TextFrame),
}

/// The outcome of that work.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Usable,
    Broken(String),
    Lacking(String),
    Measured {
        width: u32,
        height: u32,
    },
    /// Its pixels follow, four bytes each.
    Drawn {
        width: u32,
        height: u32,
    },
    TooLarge {
        width: u64,
        height: u64,
    },
    TooMuch,
    Failed,
}

/// Answers as the other side of [`Media::use_font`]: does with the font in `content` what `wish` says.
///
/// # Errors
/// That it is no such wish.
pub fn answer(content: Vec<u8>, wish: &str) -> Result<Vec<u8>, serde_json::Error> {
    let wish: FontRequest = serde_json::from_str(wish)?;
    let (reply, pixels) = Font::open(content.into()).map_or_else(
        |FontError::Broken(why)| (Reply::Broken(why.into_owned()), Vec::new()),
        |font| carried_out(&font, wish),
    );
    let mut answer = serde_json::to_vec(&reply)?;
    answer.push(b'\n');
    answer.extend_from_slice(&pixels);
    Ok(answer)
}

fn carried_out(font: &Font, wish: FontRequest) -> (Reply, Vec<u8>) {
    let reply = match wish {
        FontRequest::Check => match font.check() {
            Ok(()) => Reply::Usable,
            Err(FontError::Broken(why)) => Reply::Broken(why.into_owned()),
        },
        FontRequest::Lacking(text) => {
            with_fonts(font, &text, |letterer, face| Reply::Lacking(letterer.lacking(&text, face)))
        }
        FontRequest::Measure(text, frame) => {
            let lettering = Lettering { text: &text, frame };
            match with_fonts(font, &text, |letterer, face| letterer.size(&lettering, face)) {
                Ok((width, height)) => Reply::Measured { width, height },
                Err(error) => not_drawn(&error),
            }
        }
        FontRequest::Draw(text, frame) => {
            let lettering = Lettering { text: &text, frame };
            match with_fonts(font, &text, |letterer, face| letterer.pixels(&lettering, face)) {
                Ok((pixels, width, height)) => return (Reply::Drawn { width, height }, pixels),
                Err(error) => not_drawn(&error),
            }
        }
    };
    (reply, Vec::new())
}

fn not_drawn(error: &LetteringError) -> Reply {
    match *error {
        LetteringError::TooLarge { width, height } => Reply::TooLarge { width, height },
        LetteringError::TooMuch => Reply::TooMuch,
        LetteringError::Failed | LetteringError::BroughtDown | LetteringError::NotNow => Reply::Failed,
    }
}

/// Other fonts are looked for only where this one lacks something: that may take a second.
fn with_fonts<T>(font: &Font, text: &Text, work: impl FnOnce(&Letterer, &Face) -> T) -> T {
    let alone = Letterer::alone(font);
    let family = Face::Family(&font.family);
    if alone.has_all(text, &family) { work(&alone, &family) } else { work(&Letterer::default(), &Face::Asset(font)) }
}

/// Uses fonts that somebody sent, and remembers those that brought their process down.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    condemned: Mutex<HashMap<PathBuf, Stamp>>,
}

impl Fonts {
    /// Sees whether a new font can be used. For blocking threads, as the others.
    pub(super) fn check(media: &dyn Media, file: &Path) -> Result<(), AssetError> {
        match ask(media, file, &FontRequest::Check)? {
            Some((Reply::Usable, _)) => Ok(()),
            Some((Reply::Broken(why), _)) => Err(FontError::Broken(why.into()).into()),
            _ => Err(FontError::Broken("it takes too much memory or time".into()).into()),
        }
    }

    /// Returns the characters of a text that no font has.
    pub(super) fn lacking(
        &self,
        media: &dyn Media,
        (file, stamp): (&Path, Stamp),
        text: &Text,
    ) -> Result<String, AssetError> {
        match self.ask(media, (file, stamp), &FontRequest::Lacking(text.clone()))?.0 {
            Reply::Lacking(lacking) => Ok(lacking),
            _ => Err(LetteringError::Failed.into()),
        }
    }

    /// Returns how wide and high the picture of a text is.
    pub(super) fn size(
        &self,
        media: &dyn Media,
        (file, stamp): (&Path, Stamp),
        lettering: &Lettering,
    ) -> Result<(u32, u32), AssetError> {
        let wish = FontRequest::Measure(lettering.text.clone(), lettering.frame);
        let error = match self.ask(media, (file, stamp), &wish)?.0 {
            Reply::Measured { width, height } => return Ok((width, height)),
            Reply::TooLarge { width, height } => LetteringError::TooLarge { width, height },
            Reply::TooMuch => LetteringError::TooMuch,
            _ => LetteringError::Failed,
        };
        Err(error.into())
    }

    /// Draws the picture of a text.
    pub(super) fn draw(
        &self,
        media: &dyn Media,
        (file, stamp): (&Path, Stamp),
        lettering: &Lettering,
    ) -> Result<Still, AssetError> {
        let wish = FontRequest::Draw(lettering.text.clone(), lettering.frame);
        let error = match self.ask(media, (file, stamp), &wish)? {
            (Reply::Drawn { width, height }, pixels)
                if pixels.len() as u64 == u64::from(width) * u64::from(height) * 4 =>
            {
                return Ok(Still::new(&pixels, width, height));
            }
            (Reply::TooLarge { width, height }, _) => LetteringError::TooLarge { width, height },
            (Reply::TooMuch, _) => LetteringError::TooMuch,
            _ => LetteringError::Failed,
        };
        Err(error.into())
    }

    fn ask(
        &self,
        media: &dyn Media,
        (file, stamp): (&Path, Stamp),
        wish: &FontRequest,
    ) -> Result<(Reply, Vec<u8>), AssetError> {
        if self.condemned.lock().get(file) == Some(&stamp) {
            return Err(LetteringError::BroughtDown.into());
        }
        let answer = ask(media, file, wish)?;
        if answer.is_none() {
            tracing::warn!(asset = ?file.file_name(), "a font takes too much memory or time, and is not used again");
            self.condemned.lock().insert(file.to_owned(), stamp);
        }
        answer.ok_or_else(|| LetteringError::BroughtDown.into())
    }

    /// Forgets what is known of a file, or of all files in a folder.
    pub(super) fn forget(&self, file: &Path) {
        self.condemned.lock().retain(|known, _| !known.starts_with(file));
    }
}

/// Returns the answer to a wish; `None`: the font brought its process down.
fn ask(media: &dyn Media, file: &Path, wish: &FontRequest) -> Result<Option<(Reply, Vec<u8>)>, AssetError> {
    let wish = serde_json::to_string(wish).map_err(std::io::Error::from)?;
    let mut answer = match media.use_font(file, &wish) {
        FontUse::Answered(answer) => answer,
        FontUse::BroughtDown => return Ok(None),
        FontUse::Failed => return Err(LetteringError::NotNow.into()),
        FontUse::NoProcess => answer(load_file(file)?.0, &wish).map_err(std::io::Error::from)?,
    };
    let Some(end) = answer.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let Ok(reply) = serde_json::from_slice(&answer[..end]) else { return Ok(None) };
    answer.drain(..=end);
    Ok(Some((reply, answer)))
}
