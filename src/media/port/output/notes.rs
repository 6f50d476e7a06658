//! The notes beside a recording: when it began, how long it is, and its markers, as ffmpeg reads them. PURE.
//!
//! The file is `RECORDING.ffmetadata`. It is written when the recording begins, after each marker and at the end, so that it
//! is complete at every moment; without a length, the recording grows, or its server was killed.

use std::time::Duration;

use jiff::Timestamp;

/// The ending of the file's name behind the recording's.
pub const SIDECAR: &str = "ffmetadata";

/// Most markers that a recording may have.
pub const MAX_MARKERS: usize = 1000;

const BEGAN: &str = "creation_time=";
const LENGTH: &str = "length_seconds=";

/// A moment of a recording that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Its name.
    pub name: String,
    /// So long after the begin.
    pub at: Duration,
}

/// Returns where each chapter ends: where the next one begins, the last one with the recording.
pub fn ends(chapters: &[Chapter], length: Duration) -> impl Iterator<Item = Duration> {
    let next = chapters.iter().skip(1).map(|chapter| chapter.at);
    let last = chapters.last().map_or(length, |last| length.max(last.at));
    next.chain([last])
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The time that is zero in the recording, by when pictures were composed.
    pub started_at: Option<Timestamp>,
    /// Length, once it has come to its end.
    pub length: Option<Duration>,
    /// Its markers, the earliest first.
    pub chapters: Vec<Chapter>,
}

impl Notes {
    /// Writes the file's text.
    pub fn text(&self) -> String {
        let mut text = ";FFMETADATA1\n".to_owned();
        if let Some(time) = self.started_at {
            text.push_str(&format!("{BEGAN}{time:.6}\n"));
        }
        if let Some(length) = self.length {
            text.push_str(&format!("{LENGTH}{:.3}\n", length.as_secs_f64()));
        }
        for (chapter, end) in self.chapters.iter().zip(ends(&self.chapters, self.length.unwrap_or_default())) {
            let mut title = String::new();
            for sign in chapter.name.chars() {
                if matches!(sign, '=' | ';' | '#' | '\\') {
                    title.push('\\');
                }
                title.push(sign);
            }
            let (begin, end) = (chapter.at.as_millis(), end.as_millis());
            text.push_str(&format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={begin}\nEND={end}\ntitle={title}\n"));
        }
        text
    }

    /// Reads such a text. What is not ours is left out.
    pub fn read(text: &str) -> Self {
        let mut notes = Self::default();
        let mut begin = None;
        for line in text.lines() {
            if let Some(time) = line.strip_prefix(BEGAN) {
                notes.started_at = time.parse().ok();
            } else if let Some(seconds) = line.strip_prefix(LENGTH) {
                let seconds = seconds.parse().ok();
                notes.length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            } else if let Some(number) = line.strip_prefix("START=") {
                begin = number.parse().ok().map(Duration::from_millis);
            }
            let Some(title) = line.strip_prefix("title=") else { continue };
            let Some(at) = begin.take() else { continue };
            let mut name = String::new();
            let mut signs = title.chars();
            while let Some(sign) = signs.next() {
                name.extend(if sign == '\\' { signs.next() } else { Some(sign) });
            }
            notes.chapters.push(Chapter { name, at });
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let chapter = |name: &str, at| Chapter { name: name.to_owned(), at: Duration::from_millis(at) };
        let notes = Notes {
            started_at: Some("2026-11-28T12:00:00.25Z".parse().unwrap()),
            length: Some(Duration::from_secs(9)),
            chapters: vec![chapter("begin", 0), chapter("a=b; #c \\ \u{fc}", 1500), chapter("end", 1500)],
        };
        let text = notes.text();
        let head = ";FFMETADATA1\ncreation_time=2026-11-28T12:00:00.250000Z\nlength_seconds=9.000\n";
        let first = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=begin\n";
        assert!(text.starts_with(&format!("{head}{first}")), "{text}");
        assert!(
            text.contains("title=a\\=b\\; \\#c \\\\ \u{fc}\n") && text.contains("START=1500\nEND=9000\n"),
            "{text}"
        );
        assert_eq!(Notes::read(&text), notes);
        assert_eq!(Notes::read(&Notes::default().text()), Notes::default());
        let growing = Notes { length: None, ..notes };
        assert!(growing.text().contains("START=1500\nEND=1500\n"), "{}", growing.text());
        let odd = "title=none\nSTART=x\ntitle=a\nlength_seconds=-1\ncreation_time=today\n[CHAPTER]\nSTART=5\nEND=6\n";
        assert_eq!(Notes::read(odd), Notes::default());
    }
}
