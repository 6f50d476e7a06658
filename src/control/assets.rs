//! Assets: the files that layouts name. They are in the data directory, and a few are built into the program.
//!
//! - [`shelves`]: whose they are: the shared shelf's, which every room reads, or one room's own.
//! - [`kind`]: what files are kept; `about`: what they say of themselves.
//! - [`clips`]: videos, which the media looks into; [`sounds`]: which it decodes.
//! - [`font`]: what is taken for a font; [`lettering`], `glyphs`: how texts are drawn with them; [`foreign`]: where that is
//!   done.
//! - [`picture`]: what is taken for an image, and how it is decoded; [`animation`]: the same of what moves. Both use
//!   `picture_terms`, the types and limits of images, and `decoders`, which keep to them. [`profile`]: what colours mean.
//! - `source`: what rooms ask for.
//! - [`cache`]: decoded images, the least recently used dropped first. `budget`: the memory of all that are decoded.
//!   `turns`: whose work is done next. [`incoming`]: files on their way in.
//!
//! A file is checked and decoded before it is kept, and replaces an older one in one step; a reader meanwhile has
//! the old one whole. All file work and decoding is done on blocking threads. Files are taken and given by the disk:
//! memory holds whole ones only while an image or a font is looked at, one at a time, and who goes away before that is
//! done frees the place for the next only when it is done. What a process of its own does has a turn of its own: it may
//! take its time. Rooms take turns: one that asks for much keeps no other waiting for more than one piece of work.

mod about;
pub mod animation;
mod budget;
pub mod cache;
pub mod clips;
mod decoders;
pub mod font;
pub mod foreign;
mod glyphs;
pub mod incoming;
mod jpeg;
pub mod kind;
pub mod lettering;
mod lettering_limits;
pub mod picture;
mod picture_terms;
pub mod profile;
pub mod shelves;
pub mod sounds;
mod source;
mod texts;
mod turns;
mod webp;

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rustix::io::Errno;
use tokio::task::spawn_blocking;

pub use self::{
    about::{Content, Digest},
    shelves::Over,
};
use self::{
    about::{Known, describe, describe_file, find_out, head, load, load_file, open_asset},
    budget::{Budget, Holder, most_bytes},
    cache::{Cache, Stamp},
    clips::{ClipError, Looker},
    font::FontError,
    incoming::Incoming,
    kind::AssetKind,
    lettering::LetteringError,
    shelves::Shelves,
    sounds::{Decoded, SoundError},
    texts::Texts,
    turns::{Turn, Turns},
};
use super::room::RoomName;
use crate::{
    disk,
    layout::limits,
    media::port::{DecodeError, Image, Media},
};

/// Largest file of most kinds, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Largest file of any kind, in bytes.
pub const LARGEST: usize = clips::MAX_BYTES;

/// Most files of one shelf.
pub const MAX_FILES: usize = 1000;

/// Decoded images that are kept in memory, in bytes: ten of 1080p and one of 40 megapixels.
const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// The errors of a system that has nothing left to open a file with.
const LACKING: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];

/// Images that come with the program.
const BUILT_IN: [(&str, &[u8]); 1] = [("studio.jpg", include_bytes!("../../pipelines/assets/studio.jpg"))];

/// The reason why an asset is not available or not kept.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// The name is invalid.
    #[error("an asset's name is 1 to 128 of the characters A-Z, a-z, 0-9, `.`, `_` and `-`, and begins with no dot")]
    BadName,
    /// There is one of this name, and who asks may not put another in its place.
    #[error("there is an asset of this name already, which a token for one room may not replace")]
    Taken,
    /// No asset has this name.
    #[error("there is no such asset")]
    NotFound,
    /// It comes with the program.
    #[error("this asset is built into the program and cannot be deleted")]
    BuiltIn,
    /// The file has too many bytes.
    #[error("an asset has at most {} MiB, a clip {}", MAX_BYTES >> 20, clips::MAX_BYTES >> 20)]
    TooLarge,
    /// There is no place for one more.
    #[error("there are {MAX_FILES} assets already on this shelf")]
    Full,
    /// It is of no kind that is kept.
    #[error(
        "this is not a PNG, JPEG, WebP or GIF image, no TrueType or OpenType font, no MP4, QuickTime, WebM or Matroska \
         video, and no MP3, WAV or Ogg sound"
    )]
    UnknownType,
    /// It is no image that can be used.
    #[error(transparent)]
    Picture(#[from] picture::PictureError),
    /// It is no font that can be used.
    #[error(transparent)]
    Font(#[from] FontError),
    /// It is no clip that can be used.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// It is no sound that can be used.
    #[error(transparent)]
    Sound(#[from] SoundError),
    /// A text has no picture.
    #[error(transparent)]
    Lettering(#[from] LetteringError),
    /// The pictures that rooms show leave no memory for one more.
    #[error("the server has no memory for more pictures now")]
    NoMemory,
    /// The pictures that were decoded for one holder of tokens leave none for one more.
    #[error("what this token, or the tokens of its room, had decoded takes half of the memory for pictures already")]
    TooMuchOfHolder,
    /// The disk failed.
    #[error("the asset store cannot read or write: {0}")]
    Io(#[from] io::Error),
}

impl AssetError {
    /// Returns whether it is the server that cannot use the file now: that passes, and the file may be good.
    pub fn passes(&self) -> bool {
        match self {
            Self::NoMemory
            | Self::TooMuchOfHolder
            | Self::Clip(ClipError::Undecodable(DecodeError::NotNow))
            | Self::Sound(SoundError(DecodeError::NotNow))
            | Self::Lettering(LetteringError::NotNow) => true,
            // For want of descriptors, as for a process that would decode it.
            Self::Io(error) => LACKING.iter().any(|lacking| error.raw_os_error() == Some(lacking.raw_os_error())),
            _ => false,
        }
    }
}

/// The facts that are known of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// As layouts write it.
    pub name: String,
    /// The room that it belongs to; `None`: it stands on the shared shelf, or comes with the program.
    pub room: Option<RoomName>,
    /// Its use in layouts.
    pub kind: AssetKind,
    /// Its media type.
    pub content_type: &'static str,
    /// Size of the file.
    pub bytes: u64,
    /// Width and height in pixels of what can be seen, as it is shown (a photo's orientation counts).
    pub size: Option<(u32, u32)>,
    /// Length of a clip, if the clip says so.
    pub duration: Option<Duration>,
    /// Of a font: what texts call it.
    pub family: Option<String>,
    /// Whether it comes with the program.
    pub builtin: bool,
}

/// The store, as one room sees it, or as those do who come for no room. One per process and data directory; all that
/// were made of it share their memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AssetStore {
    shelves: Shelves,
    decoded: Arc<Mutex<Cache>>,
    budget: Budget,
    /// For whom it decodes.
    holder: Arc<Mutex<Holder>>,
    /// Held while decoding: one at a time, as each takes up to some hundred megabytes, and so that two who want the
    /// same image share the work. The work itself holds it: it goes on when nobody waits for it any more.
    decoding: Turns,
    /// The same while another process looks into a clip or a sound.
    looking: Turns,
    /// The same while one uses a font.
    lettering: Turns,
    /// Held while files are changed.
    changing: Arc<tokio::sync::Mutex<()>>,
    known: Arc<Mutex<HashMap<PathBuf, Known>>>,
    texts: Arc<Texts>,
    looker: Looker,
    sounds: Arc<Mutex<Decoded>>,
}

impl AssetStore {
    /// Opens the store of a data directory, with the shared shelf in view; folders are made with their first asset.
    /// Left-overs of writes that were cut off are removed. `media` looks into clips.
    pub fn open(data_dir: &Path, media: Arc<dyn Media>) -> Self {
        let shelves = Shelves::open(data_dir);
        disk::sweep(shelves.shared());
        let decoded = Arc::new(Mutex::new(Cache::new(CACHE_BYTES)));
        Self {
            shelves,
            budget: Budget::new(Arc::clone(&decoded)),
            decoded,
            holder: Arc::default(),
            decoding: Turns::default(),
            looking: Turns::default(),
            lettering: Turns::default(),
            changing: Arc::default(),
            known: Arc::default(),
            texts: Arc::default(),
            looker: Looker(media),
            sounds: Arc::default(),
        }
    }

    /// Returns the same store as this room sees it: its own shelf before the shared one. What is put and deleted is the
    /// room's.
    pub fn of_room(&self, room: &RoomName) -> Self {
        Self { shelves: self.shelves.of_room(room), holder: Arc::default(), ..self.clone() }
    }

    /// Returns the same store as somebody sees it whom a token counts with: they decode no more than their part. `None`:
    /// with the key.
    pub fn of_holder(&self, holder: Option<String>) -> Self {
        Self { holder: Arc::new(Mutex::new(holder.map(Into::into))), ..self.clone() }
    }

    /// Returns for whom it decodes now.
    fn holder(&self) -> Holder {
        self.holder.lock().clone()
    }

    /// Decodes no more from now on while the pictures of all rooms take so many bytes, in place of two gigabytes.
    pub fn limit_decoded(&self, bytes: usize) {
        self.budget.limit(bytes);
    }

    /// Returns the room as which it is seen.
    pub fn room(&self) -> Option<&RoomName> {
        self.shelves.room()
    }

    /// Lists all assets that are seen from here, by name. Files of other kinds are left out.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub async fn list(&self) -> Result<Vec<Asset>, AssetError> {
        let (shelves, known) = (self.shelves.clone(), self.known.clone());
        let mut assets = blocking(move || {
            let mut assets: Vec<Asset> = Vec::new();
            for folder in shelves.folders() {
                let covered: HashSet<String> = assets.iter().map(|asset| asset.name.clone()).collect();
                for name in names(folder)?.into_iter().filter(|name| !covered.contains(name)) {
                    let file = folder.join(&name);
                    // A file that goes away meanwhile, or was put there by hand and is of no kind that is kept, is no
                    // asset.
                    if let Ok((_, found)) = find_out(&known, &name, &file, false) {
                        assets.push(Asset { room: shelves.owner(&file), ..found.asset });
                    }
                }
            }
            Ok(assets)
        })
        .await?;
        for asset in assets.iter_mut().filter(|asset| asset.kind == AssetKind::Clip) {
            self.look_into(asset).await;
        }
        for (name, content) in BUILT_IN {
            if !assets.iter().any(|asset| asset.name == name) {
                assets.push(describe(name, content, true)?);
            }
        }
        assets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(assets)
    }

    /// Returns what is known of an asset.
    ///
    /// # Errors
    /// [`AssetError::NotFound`], or what the disk says.
    pub async fn about(&self, name: &str) -> Result<Asset, AssetError> {
        let (file, known, owned) = (self.file(name).await?, self.known.clone(), name.to_owned());
        let room = self.shelves.owner(&file);
        let asset = blocking(move || Ok(find_out(&known, &owned, &file, false)?.1.asset)).await?;
        let mut asset = Asset { room, ..asset };
        self.look_into(&mut asset).await;
        Ok(asset)
    }

    /// Returns an asset's file as it was put, and what names this content.
    ///
    /// # Errors
    /// [`AssetError::NotFound`], or what the disk says.
    pub async fn open_file(&self, name: &str) -> Result<(Asset, Digest, Content), AssetError> {
        let (file, known, owned) = (self.file(name).await?, self.known.clone(), name.to_owned());
        blocking(move || {
            let (content, found) = find_out(&known, &owned, &file, true)?;
            Ok((found.asset, found.digest.unwrap_or_default(), content))
        })
        .await
    }

    /// Adds what only the media knows of a clip, unless that is known already: there may be more clips than pictures
    /// are kept of, and who lists them would have all of them looked into again.
    async fn look_into(&self, asset: &mut Asset) {
        if asset.kind != AssetKind::Clip || asset.size.is_some() {
            return;
        }
        let Ok(Image { still, clip: Some(clip), .. }) = self.clip(&asset.name).await else { return };
        (asset.size, asset.duration) = (Some(still.size()), clip.duration);
        // As below.
        let mut known = self.known.lock();
        if let Some(known) = known.get_mut(&clip.file).filter(|known| known.stamp.is_of(clip.written)) {
            (known.asset.size, known.asset.duration) = (asset.size, asset.duration);
        }
    }

    /// Returns whether a file of this name was put on the shelf that is written to from here. Those built in do not
    /// count: they can be replaced by one.
    pub async fn has_file(&self, name: &str) -> bool {
        match self.shelves.place(name) {
            Ok(file) => tokio::fs::try_exists(file).await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Returns a place for a file that is to be put under this name.
    ///
    /// # Errors
    /// When no asset can have this name, or the disk fails.
    pub async fn incoming(&self, name: &str) -> Result<Incoming, AssetError> {
        self.shelves.place(name)?;
        let make = self.incomings();
        blocking(move || Ok(make()?)).await
    }

    /// Makes places for files, on blocking threads.
    pub fn incomings(&self) -> impl Fn() -> io::Result<Incoming> + Send + 'static {
        // All begin on the shared shelf's disk: their owner is known later, and some never become an asset.
        let folder = self.shelves.shared().to_owned();
        move || Incoming::create(&folder)
    }

    /// Returns whether the asset of this name has the same content; `None`: no asset has this name.
    ///
    /// # Errors
    /// When no asset can have this name, or the disk fails.
    pub async fn is_same(&self, name: &str, incoming: Incoming) -> Result<(Option<bool>, Incoming), AssetError> {
        let (file, name) = (self.file(name).await?, name.to_owned());
        blocking(move || {
            let is_same = match open_asset(&name, &file) {
                Ok(Content::File(file)) => Some(incoming.is_same(file)?),
                Ok(Content::BuiltIn(content)) => Some(incoming.content()? == content),
                Err(AssetError::NotFound) => None,
                Err(error) => return Err(error),
            };
            Ok((is_same, incoming))
        })
        .await
    }

    /// Keeps a file, in place of what `over` allows. Gives what it is, and whether it is new on its shelf.
    ///
    /// # Errors
    /// When the name or the content is wrong, a limit is reached, or the disk fails. Nothing is changed then.
    pub async fn put(&self, name: &str, incoming: Incoming, over: Over) -> Result<(Asset, bool), AssetError> {
        let file = self.shelves.place(name)?;
        let (shelves, room) = (self.shelves.clone(), self.shelves.room().cloned());
        let (owned, looker) = (name.to_owned(), self.looker.clone());
        let turn = match incoming.kind()? {
            Some(AssetKind::Clip | AssetKind::Sound) => self.looking_turn().await,
            Some(AssetKind::Font) => self.foreign_turn().await,
            Some(AssetKind::Image) | None => self.turn().await,
        };
        let (asset, incoming) = decode_in(turn, move || {
            let mut asset = Asset { room, ..describe_file(&owned, incoming.path())? };
            match asset.kind {
                AssetKind::Clip => {
                    let (poster, duration) = looker.look(incoming.path())?;
                    (asset.size, asset.duration) = (Some(poster.size()), duration);
                }
                AssetKind::Sound => {
                    let decoded = sounds::decode(&*looker.0, &owned, incoming.path())?;
                    asset.duration = Some(sounds::length(&decoded));
                }
                // A header may promise what the rest does not keep.
                AssetKind::Image => drop(picture::still(&incoming.content()?)?),
                AssetKind::Font => foreign::Fonts::check(&*looker.0, incoming.path())?,
            }
            Ok((asset, incoming))
        })
        .await?;
        let (turn, kept) = (self.changing.clone().lock_owned().await, file.clone());
        let owned = name.to_owned();
        let created = blocking(move || {
            let _turn = turn;
            let created = !kept.try_exists()?;
            let covers = built_in(&owned).is_some() || shelves.lies_beneath(&owned)?;
            if (!created && !over.same) || (covers && created && !over.shared) {
                return Err(AssetError::Taken);
            }
            if created && names(shelves.own())?.len() >= MAX_FILES {
                return Err(AssetError::Full);
            }
            disk::make_folder(shelves.own())?;
            incoming.keep(&kept)?;
            Ok(created)
        })
        .await?;
        self.decoded.lock().remove(&file, name);
        Ok((asset, created))
    }

    /// Waits until nobody decodes.
    async fn turn(&self) -> Turn {
        self.decoding.take(self.room()).await
    }

    /// Waits until no clip and no sound is looked into.
    async fn looking_turn(&self) -> Turn {
        self.looking.take(self.room()).await
    }

    /// Waits until no font of the assets is used.
    async fn foreign_turn(&self) -> Turn {
        self.lettering.take(self.room()).await
    }

    /// Deletes an asset of the shelf that is written to from here. One that had covered another makes place for that
    /// again.
    ///
    /// # Errors
    /// [`AssetError::NotFound`], [`AssetError::BuiltIn`], or what the disk says.
    pub async fn delete(&self, name: &str) -> Result<(), AssetError> {
        let file = self.shelves.place(name)?;
        let _turn = self.changing.lock().await;
        let (folder, removed) = (self.shelves.own().to_owned(), file.clone());
        if blocking(move || Ok(disk::remove(&folder, &removed)?)).await? {
            self.decoded.lock().remove(&file, name);
            self.forget(&file);
            return Ok(());
        }
        Err(if built_in(name).is_some() { AssetError::BuiltIn } else { AssetError::NotFound })
    }

    /// Deletes all assets that belong to the room as which the store is seen. The shared shelf stays.
    ///
    /// # Errors
    /// Errors of the disk.
    pub async fn clear(&self) -> Result<(), AssetError> {
        if self.room().is_none() {
            return Ok(());
        }
        let folder = self.shelves.own().to_owned();
        let _turn = self.changing.lock().await;
        self.decoded.lock().remove_below(&folder);
        self.forget(&folder);
        blocking(move || Ok(disk::remove_folder(&folder)?)).await
    }

    /// Forgets what is known of a file, or of all files in a folder.
    fn forget(&self, file: &Path) {
        // As below.
        let mut known = self.known.lock();
        known.retain(|known, _| !known.starts_with(file));
        drop(known);
        self.texts.forget(file);
    }

    /// Returns the decoded image; from memory when it was asked for lately.
    ///
    /// # Errors
    /// When no asset has this name, it cannot be decoded, or there is no memory for it.
    pub async fn image(&self, name: &str) -> Result<Image, AssetError> {
        let file = self.file(name).await?;
        let stamp = current_stamp(name, &file).await?;
        if let Some(image) = self.decoded.lock().get(&file, name, stamp) {
            return Ok(image);
        }
        let turn = self.turn().await;
        // Who had the turn before may have decoded the same.
        if let Some(image) = self.decoded.lock().get(&file, name, stamp) {
            return Ok(image);
        }
        let (owned, of) = (name.to_owned(), file.clone());
        let (budget, holder) = (self.budget.clone(), self.holder());
        let (image, stamp) = decode_in(turn, move || {
            let (content, stamp) = load(&owned, &of)?;
            // Of what moves only one picture is known before.
            let size = picture::header(&content).map_or((0, 0), |header| (header.width, header.height));
            let share = budget.take(most_bytes(size), &holder)?;
            let still = budget.keep(picture::still(&content)?, share)?;
            Ok((Image { name: owned.into(), still, clip: None }, stamp))
        })
        .await?;
        self.decoded.lock().insert(file, image.clone(), stamp);
        Ok(image)
    }

    /// Returns where the file of this name is that is seen from here, or would be.
    async fn file(&self, name: &str) -> Result<PathBuf, AssetError> {
        let own = self.shelves.place(name)?;
        if self.room().is_none() || tokio::fs::try_exists(&own).await? {
            return Ok(own);
        }
        Ok(self.shelves.shared().join(name))
    }
}

/// Runs file work or decoding on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AssetError> + Send + 'static,
) -> Result<T, AssetError> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // The thread panicked (a decoder's mistake) or the program is ending.
        Err(error) => Err(AssetError::Io(io::Error::other(error))),
    }
}

/// Decodes on a blocking thread. The turn ends with the work, and with what it made if nobody takes that: who waits for
/// it may go away before.
async fn decode_in<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> Result<T, AssetError> + Send + 'static,
) -> Result<T, AssetError> {
    let (made, _turn) = blocking(move || Ok((work()?, turn))).await?;
    Ok(made)
}

fn built_in(name: &str) -> Option<&'static [u8]> {
    BUILT_IN.iter().find(|(own, _)| *own == name).map(|(_, content)| *content)
}

/// Returns names of the files that may be assets.
fn names(folder: &Path) -> Result<Vec<String>, AssetError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let names = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let is_file = entry.file_type().ok()?.is_file();
        entry.file_name().into_string().ok().filter(|name| is_file && limits::is_asset(name))
    });
    Ok(names.collect())
}

async fn current_stamp(name: &str, file: &Path) -> Result<Stamp, AssetError> {
    match tokio::fs::metadata(file).await {
        Ok(metadata) => Ok(Stamp::of(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match built_in(name) {
            Some(_) => Ok(Stamp::BUILT_IN),
            None => Err(AssetError::NotFound),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
