//! Files of the data directory, written so that a reader or a power cut sees the old content or the new one.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use rand::Rng as _;

/// Ends the name of a file that is being written. It begins with a dot, so it is never an asset's or a room's.
const UNFINISHED: &str = ".part";

/// Writes beside the file and renames. Makes the folder if it is missing.
///
/// # Errors
/// What the disk says; the file is as it was then.
pub fn replace(folder: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    let (mut open, beside) = create_beside(folder)?;
    let replaced = open.write_all(content).and_then(|()| put_in_place(&open, &beside, file));
    if replaced.is_err() {
        // Stays when that fails too; it is removed at the next start.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// Makes an empty file of which nothing knows yet. Makes the folder if it is missing.
///
/// # Errors
/// What the disk says.
pub fn create_beside(folder: &Path) -> io::Result<(fs::File, PathBuf)> {
    fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".{:016x}{UNFINISHED}", rand::rng().random::<u64>()));
    Ok((fs::File::create_new(&beside)?, beside))
}

/// Makes a file of [`create_beside`] the one of this name, whole.
///
/// # Errors
/// What the disk says; the file is as it was then.
pub fn put_in_place(open: &fs::File, beside: &Path, file: &Path) -> io::Result<()> {
    open.sync_all()?;
    fs::rename(beside, file)
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
