//! Room on the disk of recordings.

use std::path::Path;

use crate::media::port::{Blame, OutputFault};

/// Bytes that stay free in any case: a file that finds its disk full has no end that players like.
const LEAST: u64 = 16_000_000;

/// Looks whether so many bytes, and [`LEAST`], are free on the disk of a folder, which need not exist yet.
///
/// # Errors
/// They are not: how many megabytes had to be.
pub(super) fn left(folder: &Path, spare: u64) -> Result<(), u64> {
    let spare = spare.max(LEAST);
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    // A disk that does not say is not full.
    let is_there = rustix::fs::statvfs(there).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= spare);
    if is_there { Ok(()) } else { Err(spare / 1_000_000) }
}

/// Looks whether there is so much room for recordings.
///
/// # Errors
/// There is not.
pub fn check(folder: &Path, spare: u64) -> Result<(), OutputFault> {
    left(folder, spare).map_err(|spare| {
        let text =
            format!("the disk of recordings has less than {spare} MB left; the recording ended before it was full");
        OutputFault::last(Blame::Operator, text)
    })
}
