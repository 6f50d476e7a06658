//! Secrets of the data directory: a file each, for the eyes of its owner only.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{disk, error::ProgramError};

/// The file that keeps an API key made by us.
pub(super) const API_KEY: &str = "api-key";

/// The file that keeps what signs tokens.
const SIGNING_KEY: &str = "signing-key";

/// The file that keeps what webhooks are signed with, where nobody says otherwise.
const WEBHOOK_SECRET: &str = "webhook-secret";

/// The longest file of a secret, in bytes. Ours have 44.
const LONGEST: u64 = 4096;

/// The shortest secret that may be in such a file, in bytes: a shorter one could be guessed.
const SHORTEST: usize = 16;

/// Permissions that a secret's file must not give: those of its group and of all others.
const OTHERS: u32 = 0o077;

/// Returns where the key that signs tokens is kept.
pub(super) fn signing_key(data_dir: &Path) -> PathBuf {
    data_dir.join(SIGNING_KEY)
}

/// Returns the secret of this data directory that webhooks are signed with; made now if it is missing.
///
/// # Errors
/// Errors of the disk.
pub(in crate::control::api) fn of_webhooks(data_dir: &Path) -> Result<String, ProgramError> {
    kept(&data_dir.join(WEBHOOK_SECRET)).map(|(secret, _)| secret)
}

/// Makes another key to sign tokens: none that was signed before is valid any more. A server that runs takes it within
/// seconds. Answers the file.
///
/// # Errors
/// Errors of the disk.
pub fn rotate(data_dir: &Path) -> Result<PathBuf, ProgramError> {
    let file = signing_key(data_dir);
    let failed = |error: io::Error| ProgramError::Failed(format!("cannot write {}: {error}", file.display()));
    let (mut open, beside) = disk::create_beside(data_dir).map_err(failed)?;
    // Closed to others before anything is in it.
    let written = open
        .set_permissions(fs::Permissions::from_mode(0o600))
        .and_then(|()| writeln!(open, "{}", made()))
        .and_then(|()| disk::put_in_place(&open, &beside, &file));
    if let Err(error) = written {
        // Stays when that fails, too; nothing reads it.
        let _ = fs::remove_file(&beside);
        return Err(failed(error));
    }
    Ok(file)
}

/// Returns the secret in this file, and whether it was made now. One that others could read is closed to them.
///
/// # Errors
/// Errors of the disk.
pub(super) fn kept(file: &Path) -> Result<(String, bool), ProgramError> {
    let failed =
        |what: &str, error: io::Error| ProgramError::Failed(format!("cannot {what} {}: {error}", file.display()));
    match read(file) {
        Ok(Some(secret)) => {
            close(file).map_err(|error| failed("close to others", error))?;
            return Ok((secret, false));
        }
        Ok(None) => fs::remove_file(file).map_err(|error| failed("replace the empty file", error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read", error)),
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| failed("make the folder of", error))?;
    }
    let secret = made();
    match write_new(file, &secret) {
        Ok(()) => Ok((secret, true)),
        // Of two servers that start at once one is first, and both use its file.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read(file) {
            Ok(Some(secret)) => Ok((secret, false)),
            Ok(None) => Err(failed("read", io::Error::other("it is empty"))),
            Err(error) => Err(failed("read", error)),
        },
        Err(error) => Err(failed("write", error)),
    }
}

/// Reads the secret in this file; `None` when the file is empty.
///
/// # Errors
/// Errors of the disk; [`io::ErrorKind::InvalidData`] where the secret is too short.
pub(super) fn read(file: &Path) -> io::Result<Option<String>> {
    let text = disk::read_text(file, LONGEST)?;
    match text.trim() {
        "" => Ok(None),
        short if short.len() < SHORTEST => {
            let said = format!("a secret has at least {SHORTEST} characters; remove the file, and another one is made");
            Err(io::Error::new(io::ErrorKind::InvalidData, said))
        }
        secret => Ok(Some(secret.to_owned())),
    }
}

/// Makes a 256 random bits.
fn made() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn write_new(file: &Path, secret: &str) -> io::Result<()> {
    let mut open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(open, "{secret}")?;
    open.sync_all()
}

fn close(file: &Path) -> io::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    tracing::warn!(file = %file.display(), "others could read this secret; now its owner alone can");
    fs::set_permissions(file, fs::Permissions::from_mode(mode & !OTHERS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = signing_key(folder.path());
        let (first, made) = kept(&file).unwrap();
        assert!(made && first.len() >= 40);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(kept(&file).unwrap(), (first, false));
    }

    #[test]
    fn what_others_could_read_is_closed() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join(API_KEY);
        fs::write(&file, "a-key-of-mine-that-is-long\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(kept(&file).unwrap(), ("a-key-of-mine-that-is-long".to_owned(), false));
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn pipes_and_short_secrets_are_refused_at_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let (pipe, short) = (folder.path().join("pipe"), folder.path().join("short"));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(kept(&pipe).unwrap_err().to_string().contains("it is not a file"));
        fs::write(&short, "a\n").unwrap();
        assert!(kept(&short).unwrap_err().to_string().contains("at least 16 characters"));
        assert_eq!(fs::read(&short).unwrap(), b"a\n");
    }

    #[test]
    fn a_rotated_key_is_another() {
        let folder = tempfile::TempDir::new().unwrap();
        let first = kept(&signing_key(folder.path())).unwrap().0;
        let file = rotate(folder.path()).unwrap();
        let second = kept(&file).unwrap();
        assert!(second.0 != first && !second.1);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
