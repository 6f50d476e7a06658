//! Decoded images in memory, bounded by bytes; the least recently used is dropped first. PURE.

use std::{
    fs::Metadata,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use crate::media::port::Image;

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

/// The images, the most recently used last. They are few, so they are looked for one by one.
#[derive(Debug)]
pub struct Cache {
    entries: Vec<Entry>,
    bytes: usize,
    limit: usize,
}

impl Cache {
    /// Creates an empty cache that holds at most `limit` bytes of pixels.
    pub fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, limit }
    }

    /// Returns the image of this name and file, if it is still that of the file.
    pub fn get(&mut self, file: &Path, name: &str, stamp: Stamp) -> Option<Image> {
        let index = self.entries.iter().position(|entry| entry.file == file && &*entry.image.name == name)?;
        let entry = self.entries.remove(index);
        if entry.stamp != stamp {
            self.bytes -= entry.image.still.bytes();
            return None;
        }
        let image = entry.image.clone();
        self.entries.push(entry);
        Some(image)
    }

    /// Keeps an image in place of an older one of its name and file. One that is larger than the whole cache is not
    /// kept.
    pub fn insert(&mut self, file: PathBuf, image: Image, stamp: Stamp) {
        self.remove(&file, &image.name);
        let bytes = image.still.bytes();
        if bytes > self.limit {
            return;
        }
        while self.bytes + bytes > self.limit {
            let oldest = self.entries.remove(0);
            self.bytes -= oldest.image.still.bytes();
        }
        self.bytes += bytes;
        self.entries.push(Entry { file, image, stamp });
    }

    /// Returns the least recently used image that nobody else has, and forgets it.
    pub fn take_unused(&mut self) -> Option<Image> {
        let index = self.entries.iter().position(|entry| Arc::strong_count(&entry.image.still) == 1)?;
        let entry = self.entries.remove(index);
        self.bytes -= entry.image.still.bytes();
        Some(entry.image)
    }

    /// Forgets an image.
    pub fn remove(&mut self, file: &Path, name: &str) {
        self.keep_those(|entry| entry.file != file || &*entry.image.name != name);
    }

    /// Forgets all images of files in a folder.
    pub fn remove_below(&mut self, folder: &Path) {
        self.keep_those(|entry| !entry.file.starts_with(folder));
    }

    fn keep_those(&mut self, is_kept: impl Fn(&Entry) -> bool) {
        self.entries.retain(is_kept);
        self.bytes = self.entries.iter().map(|entry| entry.image.still.bytes()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::port::Still;

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
