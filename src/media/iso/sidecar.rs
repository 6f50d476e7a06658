//! The file beside those of one recording of everybody: who is in which, and when, on one time line.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;
use tracing::warn;

use crate::{
    disk,
    media::port::iso_document::{Content, Document, Entry},
};

/// See the module. Those who record write it, each as it begins and ends a file.
#[derive(Debug)]
pub struct Sidecar {
    folder: PathBuf,
    stem: String,
    inner: Mutex<(Document, Option<PathBuf>)>,
}

/// The owner of a file.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The participant's id.
    pub participant: Arc<str>,
    /// The name that others see.
    pub name: Arc<str>,
}

impl Sidecar {
    /// Makes one for files that count from `started_at`. Nothing is written before there is a file.
    pub fn new(room: Arc<str>, folder: PathBuf, stem: String, started_at: Timestamp) -> Self {
        let document = Document { room, started_at, files: Vec::new() };
        Self { folder, stem, inner: Mutex::new((document, None)) }
    }

    /// Notes a file that begins.
    pub(super) fn began(&self, owner: &Owner, file: &str, from: Duration, content: Content) {
        let entry = Entry {
            file: file.to_owned(),
            participant: owner.participant.clone(),
            name: owner.name.clone(),
            from: seconds(from),
            until: None,
            content,
        };
        self.change(|files| files.push(entry));
    }

    /// Notes a file that has ended.
    pub(super) fn ended(&self, file: &str, until: Duration) {
        self.change(|files| {
            if let Some(entry) = files.iter_mut().find(|entry| entry.file == file) {
                entry.until = Some(seconds(until));
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) {
        let mut inner = self.inner.lock();
        let (document, path) = &mut *inner;
        change(&mut document.files);
        let path = path.get_or_insert_with(|| {
            let name = |count: u32| match count {
                1 => format!("{}.json", self.stem),
                more => format!("{}-{more}.json", self.stem),
            };
            let mut paths = (1..).map(|count| self.folder.join(name(count)));
            paths.find(|path| !path.exists()).unwrap_or_default()
        });
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        if let Err(error) = disk::replace(&self.folder, path, text.as_bytes()) {
            warn!(file = %path.display(), %error, "what lies beside a recording cannot be written");
        }
    }
}

/// Rounds to milliseconds, which are as exact as the files are.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn it_says_who_is_in_which_file_and_when() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("show.json"), "of somebody else").unwrap();
        let started: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let sidecar = Sidecar::new("studio".into(), folder.path().to_owned(), "show".to_owned(), started);
        let owner = Owner { participant: "p1".into(), name: "Ann".into() };
        let sent = Content { video: Some("video/x-vp8".to_owned()), audio: true, cutout: false };
        sidecar.began(&owner, "show-Ann.mkv", Duration::from_micros(1_234_567), sent);
        sidecar.began(&owner, "show-Ann-2.mkv", Duration::from_secs(9), Content { audio: true, ..Content::default() });
        let cut = Content { video: Some("video/x-prores".to_owned()), audio: false, cutout: true };
        sidecar.began(&owner, "show-Ann-cutout.mov", Duration::from_secs(2), cut);
        sidecar.ended("show-Ann.mkv", Duration::from_secs(8));
        let text = fs::read_to_string(folder.path().join("show-2.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&told["room"], &told["started_at"]), (&json!("studio"), &json!("2026-01-01T00:00:00Z")));
        let first = json!({"file": "show-Ann.mkv", "participant": "p1", "name": "Ann", "from": 1.235, "until": 8.0,
                           "video": "video/x-vp8", "audio": true});
        assert_eq!(told["files"][0], first);
        assert_eq!(told["files"][1]["until"], Value::Null);
        let cut = json!({"file": "show-Ann-cutout.mov", "participant": "p1", "name": "Ann", "from": 2.0, "until": null,
                         "video": "video/x-prores", "audio": false, "cutout": true});
        assert_eq!(told["files"][2], cut);
    }
}
