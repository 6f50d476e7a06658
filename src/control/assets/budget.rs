//! The memory that decoded pictures take, of all rooms together: asked for before one is decoded, and given back when
//! nobody shows it any more and nobody keeps it. What is decoded for one holder of tokens leaves half of it to others: a
//! token for all rooms may have several rooms.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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

/// The one for whom pictures are decoded: whom a token counts with. `None`: nobody, as with the key.
pub(super) type Holder = Option<Arc<str>>;

/// The bytes that are given.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Those of each holder who has some.
    own: BTreeMap<Arc<str>, usize>,
}

impl Taken {
    fn give_back(&mut self, bytes: usize, holder: &Holder) {
        self.all -= bytes;
        let Some(holder) = holder else { return };
        if let Some(own) = self.own.get_mut(holder) {
            *own -= bytes;
            if *own == 0 {
                self.own.remove(holder);
            }
        }
    }
}

/// Gives shares of the memory. All that were cloned of it give the same.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    most: Arc<AtomicUsize>,
    taken: Arc<Mutex<Taken>>,
    /// Pictures in here that nobody shows make room for others.
    cache: Arc<Mutex<Cache>>,
}

/// A share of the memory, for as long as this lives.
#[derive(Debug)]
pub(super) struct Share {
    bytes: usize,
    holder: Holder,
    taken: Arc<Mutex<Taken>>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.lock().give_back(self.bytes, &self.holder);
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

    /// Takes a share of what nobody has; `None` where that is less, or `holder` has too much.
    pub(super) fn take_free(&self, bytes: usize, holder: &Holder) -> Option<Share> {
        self.try_take(bytes, holder).ok()
    }

    /// Takes a share, and lets go of pictures that nobody shows where that is needed.
    ///
    /// # Errors
    /// [`AssetError::NoMemory`], [`AssetError::TooMuchOfHolder`].
    pub(super) fn take(&self, bytes: usize, holder: &Holder) -> Result<Share, AssetError> {
        loop {
            let refused = match self.try_take(bytes, holder) {
                Ok(share) => return Ok(share),
                Err(refused) => refused,
            };
            // Those of others would not help who has too much.
            let is_own = |still: &Still| still.kept::<Share>().is_some_and(|share| share.holder == *holder);
            let may_go = |still: &Still| matches!(refused, AssetError::NoMemory) || is_own(still);
            let unused = self.cache.lock().take_unused(may_go);
            if unused.is_none() {
                return Err(refused);
            }
        }
    }

    fn try_take(&self, bytes: usize, holder: &Holder) -> Result<Share, AssetError> {
        let most = self.most.load(Ordering::Relaxed);
        let fits = |taken: usize, most: usize| taken.checked_add(bytes).is_some_and(|sum| sum <= most);
        let mut taken = self.taken.lock();
        if !fits(taken.all, most) {
            return Err(AssetError::NoMemory);
        }
        if let Some(holder) = holder {
            let own = taken.own.get(holder).copied().unwrap_or(0);
            if !fits(own, most / 2) {
                return Err(AssetError::TooMuchOfHolder);
            }
            taken.own.insert(Arc::clone(holder), own + bytes);
        }
        taken.all += bytes;
        drop(taken);
        Ok(Share { bytes, holder: holder.clone(), taken: Arc::clone(&self.taken) })
    }

    /// Returns a picture that holds its share, which becomes as large as the picture.
    ///
    /// # Errors
    /// [`AssetError::NoMemory`], [`AssetError::TooMuchOfHolder`], of a picture that is larger than was thought.
    pub(super) fn keep(&self, mut still: Still, mut share: Share) -> Result<Arc<Still>, AssetError> {
        let bytes = still.bytes();
        match bytes.checked_sub(share.bytes) {
            Some(more) => {
                let mut more = self.take(more, &share.holder)?;
                share.bytes += std::mem::take(&mut more.bytes);
            }
            None => {
                self.taken.lock().give_back(share.bytes - bytes, &share.holder);
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
        let a = budget.keep(still(), budget.take(bytes / 2, &None).unwrap()).unwrap();
        let b = budget.keep(still(), budget.take(bytes, &None).unwrap()).unwrap();
        assert!(matches!(budget.take(1, &None), Err(AssetError::NoMemory)));
        let shown = Arc::clone(&a);
        drop(a);
        assert!(budget.take(1, &None).is_err());
        drop(shown);
        drop(budget.take(bytes, &None).unwrap());
        assert!(budget.take(bytes + 1, &None).is_err());
        // One that is only kept for the next who asks makes room, and one that is shown stays.
        let image = |still| Image { name: "b".into(), still, clip: None };
        cache.lock().insert("b".into(), image(Arc::clone(&b)), Stamp::BUILT_IN);
        assert!(budget.take(2 * bytes, &None).is_err());
        drop(b);
        let all = budget.take(2 * bytes, &None).unwrap();
        assert!(cache.lock().get("b".as_ref(), "b", Stamp::BUILT_IN).is_none());
        drop(all);
        assert!(matches!(budget.keep(still(), budget.take(0, &None).unwrap()), Ok(still) if still.bytes() == bytes));
        budget.limit(bytes - 1);
        assert!(budget.keep(still(), budget.take(0, &None).unwrap()).is_err(), "it is larger than was thought");
        assert_eq!(budget.taken.lock().all, 0);
    }

    #[test]
    fn one_holder_leaves_half_of_the_memory_to_others() {
        let cache = Arc::new(Mutex::new(Cache::new(usize::MAX)));
        let budget = Budget::new(Arc::clone(&cache));
        let still = || Still::new(&[255].repeat(64 * 64 * 4), 64, 64);
        let bytes = still().bytes();
        budget.limit(4 * bytes);
        let [holder, stranger]: [Holder; 2] = ["token-a", "token-b"].map(|name| Some(name.into()));
        let keep = |who: &Holder| budget.take(bytes, who).and_then(|share| budget.keep(still(), share));
        let own = [keep(&holder).unwrap(), keep(&holder).unwrap()];
        assert!(matches!(keep(&holder), Err(AssetError::TooMuchOfHolder)));
        assert!(budget.take_free(1, &holder).is_none());
        // What a stranger has in memory for the next who asks would not help them, and stays.
        let image = |name: &str, still| Image { name: name.into(), still, clip: None };
        cache.lock().insert("b".into(), image("b", keep(&stranger).unwrap()), Stamp::BUILT_IN);
        assert!(matches!(keep(&holder), Err(AssetError::TooMuchOfHolder)));
        assert!(cache.lock().get("b".as_ref(), "b", Stamp::BUILT_IN).is_some());
        // Their own goes.
        let [shown, unused] = own;
        cache.lock().insert("a".into(), image("a", unused), Stamp::BUILT_IN);
        let again = keep(&holder).unwrap();
        assert!(cache.lock().get("a".as_ref(), "a", Stamp::BUILT_IN).is_none());
        // With the key there is no half.
        let rest = [keep(&None).unwrap(), keep(&None).unwrap()];
        assert!(matches!(keep(&None), Err(AssetError::NoMemory)));
        drop((shown, again, rest));
        assert!(budget.take(3 * bytes, &None).is_ok());
        assert!(budget.taken.lock().own.is_empty(), "nothing is kept of those who have nothing");
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
