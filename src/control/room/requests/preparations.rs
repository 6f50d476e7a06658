//! The changes of a room that are being made ready: one at a time, and so many that wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::control::room::error::RoomError;

/// Most changes of a room that may be asked for at once, the one that is being made ready among them.
const MOST_ASKED: usize = 16;

/// A room's changes are made ready one after the other: each holds what it has decoded, and all that are tried out at
/// once would hold it together.
#[derive(Clone)]
pub(super) struct Preparations {
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Default for Preparations {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST_ASKED)), turn: Arc::new(Semaphore::new(1)) }
    }
}

/// Held while a change is made ready and applied.
pub(super) struct Preparation {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Preparations {
    /// Waits until no other change of the room is being made ready.
    ///
    /// # Errors
    /// [`RoomError::Unavailable`] when too many wait already.
    pub(super) async fn begin(&self) -> Result<Preparation, RoomError> {
        let busy = |_| {
            let most = MOST_ASKED;
            RoomError::Unavailable(format!("{most} changes of the room are being made ready: try again in a moment"))
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(busy)?;
        // It is never closed, so there is no error.
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| RoomError::NoRoom)?;
        Ok(Preparation { _place: place, _turn: turn })
    }
}
