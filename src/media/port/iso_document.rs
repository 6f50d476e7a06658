//! The content of the file that lies beside the recordings of participants. PURE.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The recordings that are made together, on one time line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Room in which they are made.
    pub room: Arc<str>,
    /// The time that is zero in all files.
    pub started_at: Timestamp,
    /// In the order in which they began.
    pub files: Vec<Entry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub file: String,
    /// Name of the participant whom it shows.
    pub participant: Arc<str>,
    /// The name that others see.
    pub name: Arc<str>,
    /// Seconds after `started_at`; so do the timestamps in the file count.
    pub from: f64,
    /// The same, where it ends; missing while it grows.
    pub until: Option<f64>,
    /// Of what it is.
    #[serde(flatten)]
    pub content: Content,
}

/// The content of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The codec of its picture.
    pub video: Option<String>,
    /// Whether it has sound.
    pub audio: bool,
    /// Whether its picture is the person cut out. Only there where it is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cutout: bool,
}

impl Document {
    /// Says when a file of it began, and how long it is if it has ended.
    pub fn times(&self, entry: &Entry) -> (Timestamp, Option<Duration>) {
        let from = SignedDuration::try_from_secs_f64(entry.from).unwrap_or_default();
        let length = entry.until.and_then(|until| Duration::try_from_secs_f64(until - entry.from).ok());
        (self.started_at.checked_add(from).unwrap_or(self.started_at), length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_has_times_of_its_own() {
        let text = r#"{"room": "studio", "started_at": "2026-01-01T00:00:00Z", "files": [
            {"file": "a.mkv", "participant": "p1", "name": "Ann", "from": 1.5, "until": 8.25, "video": null, "audio": true},
            {"file": "b.mkv", "participant": "p1", "name": "Ann", "from": 1e300, "until": null, "video": null, "audio": true},
            {"file": "c.mkv", "participant": "p1", "name": "Ann", "from": 9, "until": 8, "video": null, "audio": true}]}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        let times: Vec<_> = document.files.iter().map(|entry| document.times(entry)).collect();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(times[0], (time("2026-01-01T00:00:01.5Z"), Some(Duration::from_millis(6750))));
        assert_eq!(times[1], (document.started_at, None));
        assert_eq!(times[2], (time("2026-01-01T00:00:09Z"), None));
    }
}
