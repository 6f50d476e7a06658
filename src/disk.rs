//! Files of the data directory, written so that a reader or a power cut sees the old content or the new one, and the
//! lock that keeps a second server away from them.

use std::{
    fs, io,
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rand::Rng as _;

/// Ends the name of a file that is being written. It begins with a dot, so it is never an asset's or a room's.
const UNFINISHED: &str = ".part";

/// Opens a file, or what a link leads to, to read it. It refuses devices and pipes, which may never end, or never begin.
///
/// # Errors
/// Errors of the disk; [`io::ErrorKind::InvalidInput`] where it is no file.
pub fn open(file: &Path) -> io::Result<fs::File> {
    let open = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(file)?;
    if !open.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok(open)
}

/// Returns whether a path names a file. A link does not count: it may lead anywhere.
pub fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file())
}

/// Reads a whole file, or what a link leads to, as [`open`] does.
///
/// # Errors
/// Those of [`open`], and [`io::ErrorKind::FileTooLarge`] for a file of more than `most` bytes.
pub fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let open = open(file)?;
    let mut content = Vec::new();
    open.take(most.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(content)
}

/// Reads a whole text, as [`read`] does.
///
/// # Errors
/// Those of [`read`], and [`io::ErrorKind::InvalidData`] where it is not UTF-8.
pub fn read_text(file: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(file, most)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Writes beside the file and renames. Makes the folder if it is missing.
///
/// # Errors
/// Errors of the disk; the file is whole then, and mostly as it was.
pub fn replace(folder: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(folder, file, content, |_| Ok(()))
}

/// Does the same for a file that only its owner may read, at no time anybody else.
///
/// # Errors
/// Errors of the disk; the file is whole then, and mostly as it was.
pub fn replace_private(folder: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(folder, file, content, |open| open.set_permissions(fs::Permissions::from_mode(0o600)))
}

/// Writes beside the file, after something has been done to what is empty yet.
fn replace_with(
    folder: &Path,
    file: &Path,
    content: &[u8],
    first: impl FnOnce(&fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let (mut open, beside) = create_beside(folder)?;
    let written = first(&open).and_then(|()| open.write_all(content));
    let replaced = written.and_then(|()| put_in_place(&open, &beside, file));
    if replaced.is_err() {
        // Stays when that fails too; it is removed at the next start.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// Removes a file for good. Returns whether it existed.
///
/// # Errors
/// Errors of the disk.
pub fn remove(folder: &Path, file: &Path) -> io::Result<bool> {
    match fs::remove_file(file) {
        Ok(()) => sync_folder(folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames a file to the first of these names that no file has yet, for good. Returns that name.
///
/// # Errors
/// Errors of the disk; the file has its old name then.
pub fn rename_aside(folder: &Path, file: &Path, names: impl Iterator<Item = PathBuf>) -> io::Result<PathBuf> {
    for aside in names {
        // Nobody else makes files here: the directory is locked.
        match fs::symlink_metadata(&aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::rename(file, &aside)?;
                sync_folder(folder)?;
                return Ok(aside);
            }
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// Makes a power cut leave what was made, renamed or removed in a folder.
///
/// # Errors
/// Errors of the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    match fs::File::open(folder)?.sync_all() {
        // Some file systems of networks cannot, and need not.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Removes a folder and all that is in it, for good, if there is one.
///
/// # Errors
/// Errors of the disk; some of it may be gone then.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(Path::new("."))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those that it is in, if they are missing.
///
/// # Errors
/// Errors of the disk.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new(""));
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// Makes an empty file of which nothing knows yet. Makes the folder if it is missing.
///
/// # Errors
/// Errors of the disk.
pub fn create_beside(folder: &Path) -> io::Result<(fs::File, PathBuf)> {
    make_folder(folder)?;
    let beside = folder.join(format!(".{:016x}{UNFINISHED}", rand::rng().random::<u64>()));
    Ok((fs::File::create_new(&beside)?, beside))
}

/// Makes a file of [`create_beside`] the one of this name, whole.
///
/// # Errors
/// Errors of the disk; the file is whole then, and mostly as it was.
pub fn put_in_place(open: &fs::File, beside: &Path, file: &Path) -> io::Result<()> {
    open.sync_all()?;
    fs::rename(beside, file)?;
    sync_folder(file.parent().unwrap_or(Path::new(".")))
}

/// Removes left-overs of writes that were cut off.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED)) {
            // Stays when that fails; it is never listed.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file that is locked. It stays when nobody has it: to remove it would let two servers lock two files.
const LOCK: &str = "lock";

/// The longest number of a process, in bytes.
const LONGEST_PID: u64 = 20;

/// A data directory of one's own, until this is dropped or the process ends, in whatever way.
#[derive(Debug)]
pub struct DirectoryLock {
    _locked: fs::File,
}

impl DirectoryLock {
    /// Takes the lock. The directory must be there.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let mut options = fs::OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(data_dir.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // It only makes the message clearer.
                let _ = (&mut file).take(LONGEST_PID).read_to_string(&mut holder);
                return Err(LockError::Taken(holder.trim().parse().ok()));
            }
            Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(%error, "the data directory cannot be locked here: let no second server use it");
            }
            Err(fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        // A full disk does not matter: the number is for people only.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _locked: file })
    }
}

/// The reason why a data directory is not one's own.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it: its number, if it is known.
    #[error("another server uses it{}", .0.map_or_else(String::new, |id| format!(" (process {id})")))]
    Taken(Option<u32>),
    /// The file that is locked cannot be made.
    #[error("cannot lock it: {0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_files_are_read_and_no_more_than_is_wanted() {
        let folder = tempfile::TempDir::new().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&file, b"12345").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&file, 5).unwrap(), read(&link, 5).unwrap());
        let kind = |path: &Path, most| read(path, most).unwrap_err().kind();
        assert_eq!(kind(&file, 4), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(folder.path(), 9), io::ErrorKind::InvalidInput);
        assert_eq!(kind(Path::new("/dev/zero"), 9), io::ErrorKind::InvalidInput);
        assert_eq!(kind(&folder.path().join("none"), 9), io::ErrorKind::NotFound);
        let pipe = folder.path().join("pipe");
        if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()) {
            assert_eq!(kind(&pipe, 9), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn a_directory_belongs_to_one_at_a_time() {
        let data = tempfile::TempDir::new().unwrap();
        let lock = DirectoryLock::take(data.path()).unwrap();
        let refused = DirectoryLock::take(data.path()).unwrap_err();
        assert_eq!(refused.to_string(), format!("another server uses it (process {})", std::process::id()));
        drop(lock);
        DirectoryLock::take(data.path()).unwrap();
    }

    #[test]
    fn folders_are_made_and_nothing_half_is_left() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("a").join("b");
        let file = folder.join("c");
        replace(&folder, &file, b"1").unwrap();
        replace(&folder, &file, b"2").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"2");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(remove(&folder, &file).unwrap() && !remove(&folder, &file).unwrap());
        fs::write(data.path().join("plain"), "").unwrap();
        let blocked = data.path().join("plain").join("d");
        assert!(replace(&blocked, &blocked.join("c"), b"3").is_err());
    }

    #[test]
    fn what_is_set_aside_takes_no_others_place() {
        let data = tempfile::TempDir::new().unwrap();
        let [file, first, second] = ["a", "a.1", "a.2"].map(|name| data.path().join(name));
        fs::write(&file, "new").unwrap();
        fs::write(&first, "old").unwrap();
        let aside = rename_aside(data.path(), &file, [first.clone(), second.clone()].into_iter()).unwrap();
        assert_eq!((aside, fs::read(first).unwrap()), (second.clone(), b"old".to_vec()));
        assert_eq!(fs::read(second).unwrap(), b"new");
    }
}
