//! Models in the data directory: written whole or not at all, each with its SHA-256 beside it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Largest model file that is read.
pub(super) const MAX_BYTES: u64 = 512 << 20;

/// The reason why the store failed; names the file.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub(super) struct StoreError {
    path: PathBuf,
    error: io::Error,
}

/// One model's two files: `NAME.onnx` and `NAME.onnx.sha256`.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    name: String,
}

/// The state of a stored model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No model; but maybe the SHA-256 that one had which was fetched before.
    Missing {
        /// In lower-case hex.
        recorded: Option<String>,
    },
    /// A model that was not fetched by this program.
    Unrecorded,
    /// The model that was fetched.
    Recorded {
        /// In lower-case hex.
        sha256: String,
        /// Size of the model.
        bytes: u64,
    },
    /// Another file than the one that was fetched.
    Changed {
        /// The SHA-256 that it has.
        found: String,
        /// The SHA-256 that it had.
        recorded: String,
    },
}

impl Store {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self { folder: folder.to_owned(), name: name.to_owned() }
    }

    /// Returns `NAME.onnx`.
    pub(super) fn model(&self) -> PathBuf {
        self.folder.join(format!("{}.onnx", self.name))
    }

    /// Returns `NAME.onnx.sha256`, in the form that `sha256sum --check` reads.
    pub(super) fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.onnx.sha256", self.name))
    }

    /// Reads and compares both files.
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let recorded = self.recorded()?;
        let Some(bytes) = read(&self.model())? else { return Ok(State::Missing { recorded }) };
        let found = sha256(&bytes);
        Ok(match recorded {
            None => State::Unrecorded,
            Some(recorded) if recorded == found => State::Recorded { sha256: found, bytes: bytes.len() as u64 },
            Some(recorded) => State::Changed { found, recorded },
        })
    }

    /// Writes the record, then the model. A process that is killed in between leaves a record without a model, which
    /// the next fetch fulfils; never a part of a model.
    pub(super) fn install(&self, model: &[u8]) -> Result<(), StoreError> {
        fs::create_dir_all(&self.folder).map_err(|error| StoreError { path: self.folder.clone(), error })?;
        let line = format!("{}  {}.onnx\n", sha256(model), self.name);
        self.write(&self.record(), line.as_bytes())?;
        self.write(&self.model(), model)
    }

    fn recorded(&self) -> Result<Option<String>, StoreError> {
        let path = self.record();
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let sum = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let error = io::Error::new(io::ErrorKind::InvalidData, "is not a SHA-256");
            return Err(StoreError { path, error });
        }
        Ok(Some(sum))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        // Hidden, and of another ending than the server looks for; in the same folder, as only there a rename is whole.
        let part = self.folder.join(format!(".{}.{}.part", self.name, std::process::id()));
        let written = write_synced(&part, bytes).and_then(|()| fs::rename(&part, path)).and_then(|()| {
            // The rename itself lasts only once the folder is on the disk.
            File::open(&self.folder)?.sync_all()
        });
        written.map_err(|error| {
            // It may never have been made.
            let _ = fs::remove_file(&part);
            StoreError { path: path.to_owned(), error }
        })
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a whole file; `None` when it is missing.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match read_limited(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError { path: path.to_owned(), error }),
    }
}

/// Returns a whole regular file of at most [`MAX_BYTES`].
pub(super) fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a file"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is larger than {MAX_BYTES} bytes")));
    }
    fs::read(path)
}

/// Returns SHA-256 in lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_model_is_recorded_and_a_change_of_it_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("models"), "m");
        assert_eq!(store.state().unwrap(), State::Missing { recorded: None });
        store.install(b"abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(store.state().unwrap(), State::Recorded { sha256: abc.clone(), bytes: 3 });
        assert_eq!(fs::read_to_string(store.record()).unwrap(), format!("{abc}  m.onnx\n"));
        fs::write(store.model(), b"abd").unwrap();
        assert!(matches!(store.state().unwrap(), State::Changed { recorded, .. } if recorded == abc));
        fs::remove_file(store.model()).unwrap();
        assert_eq!(store.state().unwrap(), State::Missing { recorded: Some(abc) });
        assert_eq!(fs::read_dir(folder.path().join("models")).unwrap().count(), 1, "no part is left");
    }

    #[test]
    fn a_model_put_there_by_hand_and_a_broken_record_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "m");
        fs::write(store.model(), b"abc").unwrap();
        assert_eq!(store.state().unwrap(), State::Unrecorded);
        fs::write(store.record(), "what?").unwrap();
        assert!(store.state().unwrap_err().to_string().ends_with("m.onnx.sha256: is not a SHA-256"));
    }
}
