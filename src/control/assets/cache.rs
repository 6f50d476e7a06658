//! Decoded images in memory, bounded by bytes; the least recently used is dropped first. One that is shown is found for as
//! long as it is, so that the next who shows it takes no memory for it. PURE.

use std::{
    fs::Metadata,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::SystemTime,
};

use crate::media::port::{Clip, Image, Still};

/// Returns whether a file is still the one that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// Of what is built in and never changes.
    pub const BUILT_IN: Self = Self { bytes: 0, modified: None };

    /// Creates one of a file.
    pub fn of(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok() }
    }

    /// Returns whether it is of a file that was written then.
    pub fn is_of(&self, written: Option<SystemTime>) -> bool {
        self.modified.is_some() && self.modified == written
    }
}

/// An image, and the file that it is of: another room's may have the same name. Of what has no file, the path is empty.
#[derive(Debug)]
struct Entry {
    file: PathBuf,
    image: Image,
    stamp: Stamp,
}

/// An image that found no room while somebody had it.
#[derive(Debug)]
struct Shown {
    file: PathBuf,
    name: Arc<str>,
    clip: Option<Arc<Clip>>,
    stamp: Stamp,
    still: Weak<Still>,
}

/// The images, the most recently used last. They are few, so they are looked for one by one.
#[derive(Debug)]
pub struct Cache {
    entries: Vec<Entry>,
    shown: Vec<Shown>,
    bytes: usize,
    limit: usize,
}

impl Cache {
    /// Creates an empty cache that holds at most `limit` bytes of pixels.
    pub fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), shown: Vec::new(), bytes: 0, limit }
    }

    /// Returns the image of this name and file, if it is still that of the file.
    pub fn get(&mut self, file: &Path, name: &str, stamp: Stamp) -> Option<Image> {
        let Some(index) = self.entries.iter().position(|entry| entry.file == file && &*entry.image.name == name) else {
            return self.get_shown(file, name, stamp);
        };
        let entry = self.entries.remove(index);
        if entry.stamp != stamp {
            self.bytes -= entry.image.still.bytes();
            return None;
        }
        let image = entry.image.clone();
        self.entries.push(entry);
        Some(image)
    }

    /// Returns the same of those that others have.
    fn get_shown(&self, file: &Path, name: &str, stamp: Stamp) -> Option<Image> {
        let mut shown = self.shown.iter().filter(|shown| shown.stamp == stamp && shown.file == file);
        let Shown { name, clip, still, .. } = shown.find(|shown| &*shown.name == name)?;
        Some(Image { name: Arc::clone(name), still: still.upgrade()?, clip: clip.clone() })
    }

    /// Notes an image that finds no room.
    fn let_go(&mut self, Entry { file, image: Image { name, still, clip }, stamp }: Entry) {
        let still = Arc::downgrade(&still);
        self.shown.retain(|shown| shown.still.strong_count() > 0);
        self.shown.push(Shown { file, name, clip, stamp, still });
    }

    /// Keeps an image in place of an older one of its name and file. One that is larger than the whole cache is not
    /// kept.
    pub fn insert(&mut self, file: PathBuf, image: Image, stamp: Stamp) {
        self.remove(&file, &image.name);
        let bytes = image.still.bytes();
        if bytes > self.limit {
            return self.let_go(Entry { file, image, stamp });
        }
        while self.bytes + bytes > self.limit {
            let oldest = self.entries.remove(0);
            self.bytes -= oldest.image.still.bytes();
            self.let_go(oldest);
        }
        self.bytes += bytes;
        self.entries.push(Entry { file, image, stamp });
    }

    /// Returns the least recently used image that nobody else has, and that may go, and forgets it.
    pub fn take_unused(&mut self, may_go: impl Fn(&Still) -> bool) -> Option<Image> {
        let is_unused = |still: &Arc<Still>| Arc::strong_count(still) == 1 && may_go(still);
        let index = self.entries.iter().position(|entry| is_unused(&entry.image.still))?;
        let entry = self.entries.remove(index);
        self.bytes -= entry.image.still.bytes();
        Some(entry.image)
    }

    /// Forgets an image.
    pub fn remove(&mut self, file: &Path, name: &str) {
        self.keep_those(|of, image| of != file || image != name);
    }

    /// Forgets all images of files in a folder.
    pub fn remove_below(&mut self, folder: &Path) {
        self.keep_those(|of, _| !of.starts_with(folder));
    }

    /// Keeps those of which this holds: file, name.
    fn keep_those(&mut self, is_kept: impl Fn(&Path, &str) -> bool) {
        self.entries.retain(|entry| is_kept(&entry.file, &entry.image.name));
        self.shown.retain(|shown| is_kept(&shown.file, &shown.name));
        self.bytes = self.entries.iter().map(|entry| entry.image.still.bytes()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an image of so many bytes: two rows of opaque pixels, two columns of which are six bytes in the canvas's
    /// format.
    fn image(name: &str, bytes: usize) -> Image {
        let still = Still::new(&[255].repeat(bytes / 6 * 16), (bytes / 6 * 2) as u32, 2);
        assert_eq!(still.bytes(), bytes);
        Image { name: name.into(), still: Arc::new(still), clip: None }
    }

    fn file() -> &'static Path {
        Path::new("/shelf/a")
    }

    const STAMP: Stamp = Stamp { bytes: 1, modified: None };

    fn held(cache: &mut Cache, names: &[&str]) -> Vec<bool> {
        names.iter().map(|name| cache.get(file(), name, STAMP).is_some()).collect()
    }

    #[test]
    fn the_least_recently_used_makes_place() {
        let mut cache = Cache::new(48);
        for name in ["a", "b"] {
            cache.insert(file().into(), image(name, 24), STAMP);
        }
        assert!(cache.get(file(), "a", STAMP).is_some());
        cache.insert(file().into(), image("c", 24), STAMP);
        assert_eq!(held(&mut cache, &["a", "b", "c"]), [true, false, true]);
        cache.insert(file().into(), image("d", 48), STAMP);
        assert_eq!(held(&mut cache, &["a", "c", "d"]), [false, false, true]);
        cache.insert(file().into(), image("huge", 54), STAMP);
        assert_eq!(held(&mut cache, &["d", "huge"]), [true, false]);
    }

    #[test]
    fn what_somebody_shows_is_found_though_it_was_dropped() {
        let mut cache = Cache::new(48);
        let (shown, huge) = (image("a", 24), image("huge", 54));
        cache.insert(file().into(), shown.clone(), STAMP);
        cache.insert(file().into(), image("b", 24), STAMP);
        cache.insert(file().into(), huge.clone(), STAMP);
        cache.insert(file().into(), image("c", 48), STAMP);
        assert_eq!(held(&mut cache, &["a", "b", "c", "huge"]), [true, false, true, true]);
        let found = cache.get(file(), "a", STAMP).expect("it is shown");
        assert!(Arc::ptr_eq(&found.still, &shown.still));
        assert!(cache.get(file(), "a", Stamp { bytes: 2, ..STAMP }).is_none());
        assert_eq!(cache.bytes, 48, "it takes no memory here");
        drop((found, shown));
        cache.remove(file(), "huge");
        assert_eq!(held(&mut cache, &["a", "c", "huge"]), [false, true, false]);
    }

    #[test]
    fn a_changed_file_is_not_served_from_memory() {
        let mut cache = Cache::new(100);
        cache.insert(file().into(), image("a", 24), STAMP);
        assert!(cache.get(file(), "a", Stamp { bytes: 2, ..STAMP }).is_none());
        assert!(cache.get(file(), "a", STAMP).is_none());
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn the_same_name_counts_once() {
        let mut cache = Cache::new(100);
        for _ in 0..10 {
            cache.insert(file().into(), image("a", 60), STAMP);
        }
        assert_eq!((cache.bytes, cache.entries.len()), (60, 1));
        cache.remove(file(), "a");
        assert_eq!((cache.bytes, cache.entries.len()), (0, 0));
    }

    #[test]
    fn the_same_name_on_two_shelves_is_two_images() {
        let mut cache = Cache::new(100);
        let [red, blue] = ["/rooms/red/a", "/rooms/blue/a"].map(Path::new);
        cache.insert(red.into(), image("a", 24), STAMP);
        assert!(cache.get(blue, "a", STAMP).is_none());
        cache.insert(blue.into(), image("a", 48), STAMP);
        assert_eq!(cache.get(red, "a", STAMP).map(|image| image.still.bytes()), Some(24));
        cache.remove_below(Path::new("/rooms/red"));
        assert!(cache.get(red, "a", STAMP).is_none() && cache.get(blue, "a", STAMP).is_some());
        assert_eq!(cache.bytes, 48);
    }
}
