//! Shelves of assets: those of the shared shelf, which every room reads, and those of each room, which come first there
//! and are seen nowhere else.

use std::{
    io, iter,
    path::{Path, PathBuf},
};

use super::AssetError;
use crate::{control::room::RoomName, layout::limits};

/// The files whose place a new file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// The file of its name on the same shelf.
    pub same: bool,
    /// For its room, the asset of its name on the shared shelf; for all, the one that comes with the program.
    pub shared: bool,
}

impl Over {
    /// Of everything.
    pub const ALL: Self = Self { same: true, shared: true };

    /// Of nothing: it only adds.
    pub const NOTHING: Self = Self { same: false, shared: false };

    /// Of what stands on the same shelf.
    pub const SAME: Self = Self { same: true, shared: false };

    /// Of what a room's own assets cover.
    pub const SHARED: Self = Self { same: false, shared: true };
}

/// Folders of assets, as a room sees them, or as those do who come for no room.
#[derive(Debug, Clone)]
pub(super) struct Shelves {
    shared: PathBuf,
    /// In it, each room has a folder of its name.
    rooms: PathBuf,
    own: Option<(RoomName, PathBuf)>,
}

impl Shelves {
    /// Opens those of a data directory: `assets` and `room-assets/<room>`. In `assets`, which is older, any folder's
    /// name could be an asset's.
    pub(super) fn open(data_dir: &Path) -> Self {
        Self { shared: data_dir.join("assets"), rooms: data_dir.join("room-assets"), own: None }
    }

    /// Returns the same as a room sees them.
    pub(super) fn of_room(&self, room: &RoomName) -> Self {
        // A room's name has no character that means something in a path.
        let own = Some((room.clone(), self.rooms.join(room.as_str())));
        Self { own, ..self.clone() }
    }

    pub(super) fn room(&self) -> Option<&RoomName> {
        self.own.as_ref().map(|(room, _)| room)
    }

    pub(super) fn shared(&self) -> &Path {
        &self.shared
    }

    /// Returns where files are put and deleted.
    pub(super) fn own(&self) -> &Path {
        self.own.as_ref().map_or(&self.shared, |(_, folder)| folder)
    }

    /// Returns where files are looked for, in this order.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.own.iter().map(|(_, folder)| folder.as_path()).chain(iter::once(self.shared.as_path()))
    }

    /// Returns where a file of this name is put.
    ///
    /// # Errors
    /// [`AssetError::BadName`].
    pub(super) fn place(&self, name: &str) -> Result<PathBuf, AssetError> {
        if limits::is_asset(name) { Ok(self.own().join(name)) } else { Err(AssetError::BadName) }
    }

    /// Returns the room that a file belongs to.
    pub(super) fn owner(&self, file: &Path) -> Option<RoomName> {
        let (room, folder) = self.own.as_ref()?;
        file.starts_with(folder).then(|| room.clone())
    }

    /// Returns whether a file that is put here covers one of the shared shelf.
    pub(super) fn lies_beneath(&self, name: &str) -> io::Result<bool> {
        if self.own.is_some() { self.shared.join(name).try_exists() } else { Ok(false) }
    }
}
