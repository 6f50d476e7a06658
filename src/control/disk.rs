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
    let beside = write_beside(folder, content)?;
    let renamed = fs::rename(&beside, file);
    if renamed.is_err() {
        // Stays when that fails too; it is removed at the next start.
        let _ = fs::remove_file(&beside);
    }
    renamed
}

/// Writes a file of which nothing knows yet, whole or not at all, and tells where. Makes the folder if it is missing.
///
/// # Errors
/// What the disk says.
pub fn write_beside(folder: &Path, content: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".{:016x}{UNFINISHED}", rand::rng().random::<u64>()));
    let written = fs::File::create_new(&beside).and_then(|mut open| {
        open.write_all(content)?;
        open.sync_all()
    });
    match written {
        Ok(()) => Ok(beside),
        Err(error) => {
            // As above.
            let _ = fs::remove_file(&beside);
            Err(error)
        }
    }
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
