//! A file on its way in: on disk as it comes, beside the assets, and gone again unless it is kept.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::kind::AssetKind;
use crate::disk;

/// Bytes that are compared at once.
const PIECE: usize = 64 * 1024;

/// A file that is no asset yet.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Incoming {
    /// Creates an empty one. Makes the folder if it is missing.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let (file, path) = disk::create_beside(folder)?;
        Ok(Self { file, path, bytes: 0 })
    }

    /// Appends to it. For blocking threads.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Returns how much has come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns what it seems to be, by its first bytes.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn kind(&self) -> io::Result<Option<AssetKind>> {
        Ok(AssetKind::sniff(&super::head(&self.path)?).map(|(kind, _)| kind))
    }

    /// Returns all of it. For files of a size that memory has room for.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn content(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether another file has the same content.
    pub(super) fn is_same(&self, other: File) -> io::Result<bool> {
        if other.metadata()?.len() != self.bytes {
            return Ok(false);
        }
        let mut sides = [disk::open(&self.path)?, other].map(|file| io::BufReader::with_capacity(PIECE, file).bytes());
        loop {
            let [own, other] = sides.each_mut().map(Iterator::next);
            match (own.transpose()?, other.transpose()?) {
                (None, None) => return Ok(true),
                (own, other) if own == other => {}
                _ => return Ok(false),
            }
        }
    }

    /// Makes it the file of this name, in one step.
    pub(super) fn keep(self, file: &Path) -> io::Result<()> {
        disk::put_in_place(&self.file, &self.path, file)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Fails when it was kept. What stays for another reason is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}
