//! The memory that decoded pictures take, of all rooms together: asked for before one is decoded, and given back when
//! nobody shows it any more and nobody keeps it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use super::{AssetError, cache::Cache};
use crate::media::port::Still;

/// Bytes of all decoded pictures, those in memory for the next who asks among them: two rooms that show as much as one may,
/// or several hundred pictures of 1080p.
pub const MAX_DECODED: usize = 2 << 30;

/// Returns how many bytes a picture of this size takes at most: with alpha, and all its halves.
pub(super) fn most_bytes((width, height): (u32, u32)) -> usize {
    width as usize * height as usize * 10 / 3
}

/// Gives shares of the memory. All that were cloned of it give the same.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    most: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
    /// Pictures in here that nobody shows make room for others.
    cache: Arc<Mutex<Cache>>,
}

/// A share of the memory, for as long as this lives.
#[derive(Debug)]
pub(super) struct Share {
    bytes: usize,
    taken: Arc<AtomicUsize>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Budget {
    /// Creates one of [`MAX_DECODED`].
    pub(super) fn new(cache: Arc<Mutex<Cache>>) -> Self {
        Self { most: Arc::new(AtomicUsize::new(MAX_DECODED)), taken: Arc::default(), cache }
    }

    /// Gives no more than so many bytes from now on.
    pub(super) fn limit(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Takes a share of what nobody has; `None` where that is less.
    pub(super) fn take_free(&self, bytes: usize) -> Option<Share> {
        let most = self.most.load(Ordering::Relaxed);
        let with = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= most);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with);
        taken.is_ok().then(|| Share { bytes, taken: Arc::clone(&self.taken) })
    }

    /// Takes a share, and lets go of pictures that nobody shows where that is needed.
    ///
    /// # Errors
    /// [`AssetError::NoMemory`].
    pub(super) fn take(&self, bytes: usize) -> Result<Share, AssetError> {
        loop {
            if let Some(share) = self.take_free(bytes) {
                return Ok(share);
            }
            let unused = self.cache.lock().take_unused();
            if unused.is_none() {
                return Err(AssetError::NoMemory);
            }
        }
    }

    /// Returns a picture that holds its share, which becomes as large as the picture.
    ///
    /// # Errors
    /// [`AssetError::NoMemory`], of a picture that is larger than was thought.
    pub(super) fn keep(&self, mut still: Still, mut share: Share) -> Result<Arc<Still>, AssetError> {
        let bytes = still.bytes();
        match bytes.checked_sub(share.bytes) {
            Some(more) => {
                let mut more = self.take(more)?;
                share.bytes += std::mem::take(&mut more.bytes);
            }
            None => {
                self.taken.fetch_sub(share.bytes - bytes, Ordering::Relaxed);
                share.bytes = bytes;
            }
        }
        still.keep(share);
        Ok(Arc::new(still))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{control::assets::cache::Stamp, media::port::Image};

    #[test]
    fn a_share_is_given_back_with_the_last_who_has_the_picture() {
        let cache = Arc::new(Mutex::new(Cache::new(usize::MAX)));
        let budget = Budget::new(Arc::clone(&cache));
        let still = || Still::new(&[255].repeat(64 * 64 * 4), 64, 64);
        let bytes = still().bytes();
        budget.limit(2 * bytes);
        // Less was asked for than it takes, and more.
        let a = budget.keep(still(), budget.take(bytes / 2).unwrap()).unwrap();
        let b = budget.keep(still(), budget.take(bytes).unwrap()).unwrap();
        assert!(matches!(budget.take(1), Err(AssetError::NoMemory)));
        let shown = Arc::clone(&a);
        drop(a);
        assert!(budget.take(1).is_err());
        drop(shown);
        drop(budget.take(bytes).unwrap());
        assert!(budget.take(bytes + 1).is_err());
        // One that is only kept for the next who asks makes room, and one that is shown stays.
        let image = |still| Image { name: "b".into(), still, clip: None };
        cache.lock().insert("b".into(), image(Arc::clone(&b)), Stamp::BUILT_IN);
        assert!(budget.take(2 * bytes).is_err());
        drop(b);
        let all = budget.take(2 * bytes).unwrap();
        assert!(cache.lock().get("b".as_ref(), "b", Stamp::BUILT_IN).is_none());
        drop(all);
        assert!(matches!(budget.keep(still(), budget.take(0).unwrap()), Ok(still) if still.bytes() == bytes));
        budget.limit(bytes - 1);
        assert!(budget.keep(still(), budget.take(0).unwrap()).is_err(), "it is larger than was thought");
        assert_eq!(budget.taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn no_picture_takes_more_than_is_thought() {
        for (width, height) in [(64, 64), (640, 360), (1000, 333), (8, 4000)] {
            for alpha in [0, 255] {
                let still = Still::new(&[9, 9, 9, alpha].repeat(width * height), width as u32, height as u32);
                let most = most_bytes((width as u32, height as u32));
                assert!(still.bytes() <= most + most / 50, "{width}x{height}: {} of {most}", still.bytes());
            }
        }
    }
}
