//! The book of tokens that were signed: which ones are taken back, and which names they fix. A token itself is kept
//! nowhere.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Claims;
use crate::{disk, error::ProgramError};

/// The file in the data directory.
const FILE: &str = "tokens.json";

/// Names that are kept for those who have them. The oldest is given up for a new one.
const MOST_NAMES: usize = 10_000;

/// Tokens that are taken back. A server with more than this many should rotate its signing key.
const MOST_REVOKED: usize = 100_000;

/// Bytes of the file: as many entries of some hundred.
const MOST_BYTES: u64 = 64 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Issued {
    /// `None` on an open server, where tokens end with the process.
    place: Option<(PathBuf, PathBuf)>,
    book: Mutex<Book>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Book {
    /// The ids of tokens, and when each is over anyway, in seconds since 1970.
    #[serde(default)]
    revoked: BTreeMap<String, u64>,
    #[serde(default)]
    names: Vec<Name>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Name {
    id: String,
    /// Every room when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    name: String,
    until: u64,
}

impl Issued {
    /// Reads what this data directory remembers.
    ///
    /// # Errors
    /// When the file cannot be read: without it, tokens that were taken back would be valid again.
    pub(super) fn open(data_dir: Option<&Path>) -> Result<Self, ProgramError> {
        let place = data_dir.map(|folder| (folder.to_owned(), folder.join(FILE)));
        let read = |file: &Path| match disk::read(file, MOST_BYTES) {
            Ok(content) => serde_json::from_slice(&content).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
            Err(error) => Err(error),
        };
        let book = place.as_ref().map_or_else(|| Ok(Book::default()), |(_, file)| read(file));
        let book = book.map_err(|error| {
            ProgramError::Failed(format!(
                "data-dir: {FILE} cannot be read ({error}), and tokens that were taken back would be valid again: put it \
                 right, or remove it and run `virfie key rotate`, which ends all tokens"
            ))
        })?;
        Ok(Self { place, book: Mutex::new(book) })
    }

    /// Keeps the name that a new token fixes. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Errors of the disk; nothing is kept then.
    pub(super) fn keep_name(&self, claims: &Claims, now: u64) -> io::Result<()> {
        let (Some(id), Some(name)) = (&claims.jti, &claims.name) else { return Ok(()) };
        let entry = Name { id: id.clone(), room: claims.room.clone(), name: name.clone(), until: claims.exp };
        self.change(now, |book| {
            if book.names.len() >= MOST_NAMES {
                book.names.remove(0);
            }
            book.names.push(entry);
        })
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// Errors of the disk, and one where too many tokens are taken back; the token stays valid then.
    pub(super) fn revoke(&self, id: &str, until: u64, now: u64) -> io::Result<()> {
        if self.is_revoked(id) {
            return Ok(());
        }
        if self.book.lock().revoked.len() >= MOST_REVOKED {
            return Err(io::Error::other("too many tokens are taken back: rotate the signing key"));
        }
        self.change(now, |book| {
            book.names.retain(|name| name.id != id);
            book.revoked.insert(id.to_owned(), until);
        })
    }

    pub(super) fn is_revoked(&self, id: &str) -> bool {
        self.book.lock().revoked.contains_key(id)
    }

    /// Returns the names in this room that tokens fix, but for those of the token `id`.
    pub(super) fn names_of_others(&self, room: &str, id: Option<&str>, now: u64) -> Vec<String> {
        let book = self.book.lock();
        let fixed = book.names.iter().filter(|name| name.until > now && Some(name.id.as_str()) != id);
        fixed.filter(|name| name.room.as_deref().is_none_or(|own| own == room)).map(|name| name.name.clone()).collect()
    }

    fn change(&self, now: u64, change: impl FnOnce(&mut Book)) -> io::Result<()> {
        let mut book = self.book.lock();
        let mut changed = book.clone();
        changed.revoked.retain(|_, until| *until > now);
        changed.names.retain(|name| name.until > now);
        change(&mut changed);
        if let Some((folder, file)) = &self.place {
            disk::replace_private(folder, file, &serde_json::to_vec(&changed).map_err(io::Error::other)?)?;
        }
        *book = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::control::api::auth::Role;

    fn claims(id: &str, room: Option<&str>, name: &str) -> Claims {
        let (room, name, jti) = (room.map(str::to_owned), Some(name.to_owned()), Some(id.to_owned()));
        Claims { room, role: Role::Participant, name, exp: 100, jti, places: None }
    }

    #[test]
    fn what_is_taken_back_stays_so_after_a_restart() {
        let folder = tempfile::TempDir::new().unwrap();
        let issued = Issued::open(Some(folder.path())).unwrap();
        issued.keep_name(&claims("a", Some("demo"), "ann"), 1).unwrap();
        issued.revoke("b", 100, 1).unwrap();
        let again = Issued::open(Some(folder.path())).unwrap();
        assert!(again.is_revoked("b") && !again.is_revoked("a"));
        assert_eq!(again.names_of_others("demo", None, 1), ["ann"]);
        again.revoke("c", 300, 101).unwrap();
        assert!(!again.is_revoked("b"), "its token is over");
        assert!(again.names_of_others("demo", None, 101).is_empty());
    }

    #[test]
    fn without_what_was_taken_back_nothing_begins_and_others_do_not_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::TempDir::new().unwrap();
        Issued::open(Some(folder.path())).unwrap().revoke("b", 100, 1).unwrap();
        let file = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        for broken in ["", "garbage", "{"] {
            std::fs::write(&file, broken).unwrap();
            let error = Issued::open(Some(folder.path())).unwrap_err().to_string();
            assert!(error.contains("tokens.json") && error.contains("key rotate"), "{error}");
        }
    }

    #[test]
    fn a_name_is_kept_for_its_token_alone() {
        let issued = Issued::open(None).unwrap();
        issued.keep_name(&claims("a", Some("demo"), "ann"), 1).unwrap();
        issued.keep_name(&claims("b", None, "ben"), 1).unwrap();
        assert_eq!(issued.names_of_others("demo", Some("a"), 1), ["ben"]);
        assert_eq!(issued.names_of_others("other", None, 1), ["ben"]);
        issued.revoke("b", 100, 1).unwrap();
        assert!(issued.names_of_others("other", None, 1).is_empty());
    }
}
