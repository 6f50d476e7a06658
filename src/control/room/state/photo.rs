//! The pictures that a room's triggers took. PURE.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::media::port::Frame;

/// Bytes of all pictures of one room: some dozens of a polaroid's size, a few of a large canvas.
const MAX_BYTES: usize = 32 << 20;

/// A picture that a trigger took.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Photo {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// The id of the trigger that took it.
    #[schema(value_type = String)]
    pub trigger: Arc<str>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Time at which it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: Timestamp,
}

/// The newest ones, as many as there is room for.
#[derive(Debug, Default)]
pub struct Photos {
    kept: VecDeque<(Photo, Arc<Frame>)>,
    count: u64,
}

impl Photos {
    /// Keeps one more, at the expense of the oldest. Returns what is reported of it.
    pub fn keep(&mut self, trigger: Arc<str>, frame: Frame, taken_at: Timestamp) -> Photo {
        self.count += 1;
        let id = self.count.to_string().into();
        let photo = Photo { id, trigger, width: frame.width, height: frame.height, taken_at };
        self.kept.push_back((photo.clone(), Arc::new(frame)));
        let bytes = |kept: &VecDeque<(Photo, Arc<Frame>)>| kept.iter().map(|(_, frame)| frame.rgb.len()).sum::<usize>();
        while self.kept.len() > 1 && bytes(&self.kept) > MAX_BYTES {
            self.kept.pop_front();
        }
        photo
    }

    /// Lists all that are kept, oldest first.
    pub fn list(&self) -> Vec<Photo> {
        self.kept.iter().map(|(photo, _)| photo.clone()).collect()
    }

    /// Returns one of them.
    pub fn get(&self, id: &str) -> Option<Arc<Frame>> {
        self.kept.iter().find(|(photo, _)| &*photo.id == id).map(|(_, frame)| Arc::clone(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let mut photos = Photos::default();
        let frame = |bytes: usize| Frame { width: 1, height: 1, rgb: vec![0; bytes] };
        let mut keep = |bytes: usize| photos.keep("t".into(), frame(bytes), Timestamp::UNIX_EPOCH).id;
        let ids: Vec<Arc<str>> = [MAX_BYTES / 2, MAX_BYTES / 2, 10, MAX_BYTES + 1].map(&mut keep).into();
        assert_eq!(ids, ["1".into(), "2".into(), "3".into(), "4".into()]);
        assert_eq!(photos.list().len(), 1, "the newest one stays however large it is");
        let last = photos.keep("t".into(), frame(10), Timestamp::UNIX_EPOCH);
        assert_eq!(photos.list(), [last]);
        assert!(photos.get("4").is_none() && photos.get("5").is_some_and(|frame| frame.rgb.len() == 10));
    }
}
