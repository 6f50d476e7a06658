//! Room on the disk of recordings.

use std::path::Path;

use super::terms::{Blame, OutputFault};

/// Tells whether so many bytes are free on the disk of a folder, which need not exist yet.
pub(super) fn is_there(folder: &Path, spare: u64) -> bool {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    // A disk that does not say is not full.
    rustix::fs::statvfs(there).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= spare)
}

/// Looks whether there is so much room for recordings.
///
/// # Errors
/// There is not.
pub fn check(folder: &Path, spare: u64) -> Result<(), OutputFault> {
    if is_there(folder, spare) {
        return Ok(());
    }
    let spare = spare / 1_000_000;
    let text = format!("the disk of recordings has less than {spare} MB left; the recording ended before it was full");
    Err(OutputFault::last(Blame::Operator, text))
}
