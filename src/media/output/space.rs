//! Room on the disk of recordings.

use std::path::Path;

use super::terms::{Blame, OutputFault};

/// Looks whether so many bytes are free on the disk of a folder, which need not exist yet.
///
/// # Errors
/// They are not.
pub fn check(folder: &Path, spare: u64) -> Result<(), OutputFault> {
    let mut folder = folder;
    while !folder.exists() {
        let Some(above) = folder.parent() else { break };
        folder = above;
    }
    // A disk that does not say is not full.
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    if disk.f_bavail.saturating_mul(disk.f_frsize) >= spare {
        return Ok(());
    }
    let spare = spare / 1_000_000;
    let text = format!("the disk of recordings has less than {spare} MB left; the recording ended before it was full");
    Err(OutputFault::last(Blame::Operator, text))
}
