//! `fetch`: official files to a checked ONNX model in the data directory.

use std::{cell::Cell, path::Path};

use crate::{
    error::ProgramError,
    media::segment::{catalogue::Entry, tfjs},
};

use super::{
    download::Downloader,
    info,
    store::{State, Store, sha256},
};

/// Fetches a model unless it is there; returns the text for the user.
pub(super) fn fetch(entry: &Entry, base_url: &str, models: &Path) -> Result<String, ProgramError> {
    let source = Downloader::new(base_url).map_err(|error| ProgramError::Usage(format!("base-url: {error}")))?;
    let store = Store::new(models, entry.name);
    let file = store.model().display().to_string();
    let record = store.record().display().to_string();
    let failed = |error: &dyn std::fmt::Display| ProgramError::Failed(error.to_string());
    let trusted = match store.state().map_err(|error| failed(&error))? {
        State::Missing { recorded } => entry.sha256.map(str::to_owned).or(recorded),
        State::Recorded { sha256, .. } => {
            return match entry.sha256 {
                Some(pinned) if pinned != sha256 => Err(failed(&format!(
                    "{file} has the SHA-256 {sha256}, not {pinned}; remove it and {record} to fetch it again"
                ))),
                _ => Ok(format!("{file} is there, unchanged since it was fetched (SHA-256 {sha256})")),
            };
        }
        State::Unrecorded => {
            return Err(failed(&format!("{file} was put there by hand; move it away to fetch the official model")));
        }
        State::Changed { found, recorded } => {
            return Err(failed(&format!(
                "{file} has changed since it was fetched: its SHA-256 is {found}, not {recorded}; \
                 remove it and {record} to fetch it again"
            )));
        }
    };
    let onnx = download(entry, &source)?;
    let sum = sha256(&onnx);
    if let Some(trusted) = trusted
        && trusted != sum
    {
        return Err(failed(&format!(
            "{} is not the model that was known before: its SHA-256 is {sum}, not {trusted}; \
             remove {record} if you trust the source",
            source.url(entry.path)
        )));
    }
    let report = info::of_bytes(&onnx).map_err(|error| failed(&format!("{}: {error}", source.url(entry.path))))?;
    drop(source);
    store.install(&onnx).map_err(|error| failed(&error))?;
    let trust = if entry.sha256.is_some() { "as published" } else { "recorded; no published checksum is known" };
    Ok(format!("{file}\n{report}\nSHA-256     {sum} ({trust})"))
}

/// Downloads `model.json` and its weight files, and converts them.
fn download(entry: &Entry, source: &Downloader) -> Result<Vec<u8>, ProgramError> {
    let url = source.url(entry.path);
    let failed = |error: &dyn std::fmt::Display| ProgramError::Failed(format!("{url}: {error}"));
    let json = source.get(entry.path, tfjs::MAX_JSON_BYTES as u64).map_err(|error| failed(&error))?;
    let json = String::from_utf8(json).map_err(|_| failed(&"is not text"))?;
    let shards = tfjs::shards(&json).map_err(|error| failed(&error))?;
    source.expect(entry.name, json.len() as u64 + shards.bytes);
    let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // What the manifest declares is the limit of all weight files together.
    let left = Cell::new(shards.bytes);
    let shard = |name: &str| -> Result<Vec<u8>, String> {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let bytes = source.get(&path, left.get()).map_err(|error| error.to_string())?;
        left.set(left.get() - bytes.len() as u64);
        Ok(bytes)
    };
    tfjs::to_onnx(&json, &shard).map_err(|error| failed(&error))
}
