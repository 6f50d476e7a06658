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
//! did so with words that strangers may have written is used again with others. One that gets no process is not judged.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
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

/// Most words that are remembered of those that brought a font down: more than a room shows of its chat.
const MOST_WORDS: usize = 64;

/// The writer of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The one of the layout, who chose the font, too.
    Layout,
    /// Maybe another: fields stand for the words.
    Anybody,
}

/// Uses fonts that somebody sent, and remembers those that brought their process down.
#[derive(Debug, Default)]
pub(super) struct Fonts {
    condemned: Mutex<HashMap<PathBuf, Stamp>>,
    /// Strangers' words that brought a font down, the newest last: they would do so with each second of a clock beside them.
    evil: Mutex<HashMap<PathBuf, (Stamp, VecDeque<u64>)>>,
    hashes: RandomState,
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
        match self.ask(media, (file, stamp), &FontRequest::Lacking(text.clone()), Writer::Layout)?.0 {
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
        let error = match self.ask(media, (file, stamp), &wish, Writer::Anybody)?.0 {
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
        writer: Writer,
    ) -> Result<Still, AssetError> {
        let wish = FontRequest::Draw(lettering.text.clone(), lettering.frame);
        let error = match self.ask(media, (file, stamp), &wish, writer)? {
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
        writer: Writer,
    ) -> Result<(Reply, Vec<u8>), AssetError> {
        if self.condemned.lock().get(file) == Some(&stamp) || self.is_evil((file, stamp), wish, writer)? {
            return Err(LetteringError::BroughtDown.into());
        }
        let answer = ask(media, file, wish)?;
        match (&answer, writer) {
            (Some(_), _) => {}
            (None, Writer::Layout) => {
                tracing::warn!(asset = ?file.file_name(), "a font takes too much memory or time, and is not used again");
                self.condemned.lock().insert(file.to_owned(), stamp);
            }
            (None, Writer::Anybody) => {
                tracing::warn!(asset = ?file.file_name(), "some words take too much memory or time with a font");
                self.remember((file, stamp), wish)?;
            }
        }
        answer.ok_or_else(|| LetteringError::BroughtDown.into())
    }

    fn hash(&self, wish: &FontRequest) -> Result<u64, AssetError> {
        Ok(self.hashes.hash_one(serde_json::to_string(wish).map_err(std::io::Error::from)?))
    }

    /// Returns whether a font was brought down by the same before.
    fn is_evil(&self, (file, stamp): (&Path, Stamp), wish: &FontRequest, writer: Writer) -> Result<bool, AssetError> {
        let evil = self.evil.lock();
        match evil.get(file).filter(|(of, _)| *of == stamp && writer == Writer::Anybody) {
            Some((_, words)) => Ok(words.contains(&self.hash(wish)?)),
            None => Ok(false),
        }
    }

    fn remember(&self, (file, stamp): (&Path, Stamp), wish: &FontRequest) -> Result<(), AssetError> {
        let hash = self.hash(wish)?;
        let mut evil = self.evil.lock();
        let (of, words) = evil.entry(file.to_owned()).or_insert_with(|| (stamp, VecDeque::new()));
        if *of != stamp {
            (*of, *words) = (stamp, VecDeque::new());
        }
        if words.len() >= MOST_WORDS {
            words.pop_front();
        }
        words.push_back(hash);
        Ok(())
    }

    /// Forgets what is known of a file, or of all files in a folder.
    pub(super) fn forget(&self, file: &Path) {
        self.condemned.lock().retain(|known, _| !known.starts_with(file));
        self.evil.lock().retain(|known, _| !known.starts_with(file));
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::sync::mpsc::UnboundedSender;

    use super::*;
    use crate::media::port::{DecodeError, MediaEvent, RoomMedia, RoomSpec, Samples, Segmentation};

    /// Draws all words but evil ones, which bring the process down.
    #[derive(Default)]
    struct Processes {
        begun: AtomicUsize,
    }

    impl Media for Processes {
        fn use_font(&self, _: &Path, wish: &str) -> FontUse {
            self.begun.fetch_add(1, Ordering::Relaxed);
            if wish.contains("evil") {
                return FontUse::BroughtDown;
            }
            let reply = serde_json::to_vec(&Reply::Drawn { width: 2, height: 2 }).expect("it is plain");
            FontUse::Answered([&reply[..], b"\n", &[255; 16]].concat())
        }

        fn open(&self, _: RoomSpec, _: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
            unreachable!("it is asked for fonts only")
        }

        fn segmentation(&self) -> Segmentation {
            unreachable!("it is asked for fonts only")
        }

        fn models(&self) -> Vec<String> {
            unreachable!("it is asked for fonts only")
        }

        fn decode_sound(&self, _: &Path, _: Duration) -> Result<Samples, DecodeError> {
            unreachable!("it is asked for fonts only")
        }

        fn look_at_clip(&self, _: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
            unreachable!("it is asked for fonts only")
        }
    }

    const FILE: (&str, Stamp) = ("/shelf/a.ttf", Stamp::BUILT_IN);

    fn is_drawn(fonts: &Fonts, media: &Processes, words: &str, writer: Writer) -> bool {
        let text = Text::plain(words);
        let lettering = Lettering { text: &text, frame: TextFrame::Natural };
        fonts.draw(media, (Path::new(FILE.0), FILE.1), &lettering, writer).is_ok()
    }

    #[test]
    fn strangers_words_condemn_no_font() {
        let (fonts, media) = (Fonts::default(), Processes::default());
        let begun = || media.begun.load(Ordering::Relaxed);
        for _ in 0..3 {
            assert!(!is_drawn(&fonts, &media, "evil", Writer::Anybody));
            assert_eq!(begun(), 1, "the same is not tried again");
        }
        let text = Text::plain("evil");
        let lettering = Lettering { text: &text, frame: TextFrame::Natural };
        for _ in 0..3 {
            assert!(fonts.size(&media, (Path::new(FILE.0), FILE.1), &lettering).is_err());
            assert_eq!(begun(), 2);
        }
        for number in 0..2 * MOST_WORDS {
            assert!(!is_drawn(&fonts, &media, &format!("evil {number}"), Writer::Anybody));
        }
        assert_eq!(begun(), 2 + 2 * MOST_WORDS);
        assert!(is_drawn(&fonts, &media, "Hi", Writer::Anybody) && is_drawn(&fonts, &media, "Hi", Writer::Layout));
        // The one who writes the layout is believed to have chosen the font.
        assert!(!is_drawn(&fonts, &media, "evil", Writer::Layout));
        assert!(!is_drawn(&fonts, &media, "Hi", Writer::Layout) && !is_drawn(&fonts, &media, "Hi", Writer::Anybody));
        fonts.forget(Path::new("/shelf"));
        assert!(is_drawn(&fonts, &media, "Hi", Writer::Layout) && is_drawn(&fonts, &media, "Hi", Writer::Anybody));
    }
}
