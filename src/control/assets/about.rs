//! The facts that a file gives about itself, and its opening.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs, io,
    io::{Read as _, Seek as _},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::{
    Asset, AssetError, LARGEST, MAX_BYTES, built_in, cache::Stamp, font::Font, kind::AssetKind, picture,
    picture::Header,
};
use crate::disk;

/// The facts that were found out about a file, as long as it stays the same.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) stamp: Stamp,
    pub(super) asset: Asset,
    pub(super) digest: Option<Digest>,
}

/// The first half of the SHA-256 of a file.
pub type Digest = [u8; 16];

/// An asset's file, to be read.
#[derive(Debug)]
pub enum Content {
    /// It comes with the program.
    BuiltIn(&'static [u8]),
    /// An open file, at its beginning.
    File(fs::File),
}

/// Returns an asset's file. Files come before what is built in.
pub(super) fn open_asset(name: &str, file: &Path) -> Result<Content, AssetError> {
    match disk::open(file) {
        Ok(file) => Ok(Content::File(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match built_in(name) {
            Some(content) => Ok(Content::BuiltIn(content)),
            None => Err(AssetError::NotFound),
        },
        // A folder, a pipe or a device is no asset.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(AssetError::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// Loads an asset's content and its stamp.
pub(super) fn load(name: &str, file: &Path) -> Result<(Cow<'static, [u8]>, Stamp), AssetError> {
    match open_asset(name, file)? {
        Content::BuiltIn(content) => Ok((Cow::Borrowed(content), Stamp::BUILT_IN)),
        Content::File(file) => whole(file).map(|(content, stamp)| (content.into(), stamp)),
    }
}

/// Returns the content and the stamp of an asset that has a file.
pub(super) fn load_file(file: &Path) -> Result<(Vec<u8>, Stamp), AssetError> {
    whole(disk::open(file)?)
}

fn whole(mut file: fs::File) -> Result<(Vec<u8>, Stamp), AssetError> {
    let stamp = Stamp::of(&file.metadata()?);
    let mut content = Vec::new();
    (&mut file).take(MAX_BYTES as u64 + 1).read_to_end(&mut content)?;
    if content.len() > MAX_BYTES { Err(AssetError::TooLarge) } else { Ok((content, stamp)) }
}

/// Opens an asset's file and returns what it is, from memory while the file stays the same.
pub(super) fn find_out(
    known: &Mutex<HashMap<PathBuf, Known>>,
    name: &str,
    file: &Path,
    with_digest: bool,
) -> Result<(Content, Known), AssetError> {
    let content = open_asset(name, file)?;
    let stamp = match &content {
        Content::BuiltIn(_) => Stamp::BUILT_IN,
        Content::File(file) => Stamp::of(&file.metadata()?),
    };
    let before = known.lock().get(file).filter(|found| found.stamp == stamp).cloned();
    let mut found = match (before, &content) {
        (Some(found), _) => found,
        (None, Content::BuiltIn(content)) => Known { stamp, asset: describe(name, content, true)?, digest: None },
        (None, Content::File(_)) => Known { stamp, asset: describe_file(name, file)?, digest: None },
    };
    if with_digest && found.digest.is_none() {
        let mut hash = Sha256::new();
        match &content {
            Content::BuiltIn(content) => hash.update(content),
            Content::File(file) => {
                let mut file = file;
                io::copy(&mut file, &mut hash)?;
                file.rewind()?;
            }
        }
        found.digest = hash.finalize().first_chunk().copied();
    }
    known.lock().insert(file.to_owned(), found.clone());
    Ok((content, found))
}

/// Returns what an asset says of itself. Of a clip and a sound only the beginning is needed.
pub(super) fn describe(name: &str, content: &[u8], builtin: bool) -> Result<Asset, AssetError> {
    let (kind, content_type) = AssetKind::sniff(content).ok_or(AssetError::UnknownType)?;
    let size = match kind {
        AssetKind::Image => {
            let Header { width, height, .. } = picture::header(content)?;
            Some((width, height))
        }
        AssetKind::Font | AssetKind::Sound | AssetKind::Clip => None,
    };
    let family = match kind {
        AssetKind::Font => Some(Font::open(content.into())?.family),
        _ => None,
    };
    let (bytes, duration) = (content.len() as u64, None);
    Ok(Asset { name: name.to_owned(), room: None, kind, content_type, bytes, size, duration, family, builtin })
}

/// Returns what a file says of itself.
pub(super) fn describe_file(name: &str, file: &Path) -> Result<Asset, AssetError> {
    let bytes = fs::metadata(file)?.len();
    if bytes > LARGEST as u64 {
        return Err(AssetError::TooLarge);
    }
    let head = head(file)?;
    match AssetKind::sniff(&head).ok_or(AssetError::UnknownType)?.0 {
        AssetKind::Clip => {}
        _ if bytes > MAX_BYTES as u64 => return Err(AssetError::TooLarge),
        AssetKind::Sound => {}
        AssetKind::Image | AssetKind::Font => return describe(name, &load(name, file)?.0, false),
    }
    Ok(Asset { bytes, ..describe(name, &head, false)? })
}

/// Returns the first bytes of a file: they show its kind.
pub(super) fn head(file: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    disk::open(file)?.take(128).read_to_end(&mut head)?;
    Ok(head)
}
