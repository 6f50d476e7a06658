//! Changes that are prepared outside the room's task, because images are decoded for them, and applied inside it if the
//! room is still what they were prepared for. One of a room at a time; what the room itself asks for goes on beside it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::handle::RoomHandle;
use crate::{
    control::room::{
        error::RoomError,
        images::{self, ImageSource},
        state::{State, change::Draft, revision::Revision, scenes::Scenes},
    },
    layout::{CanvasLimit, Scene},
    media::port::{Image, Media},
};

/// How often a change is prepared again because others were faster.
const ATTEMPTS: usize = 8;

/// How many changes of a room may be asked for at once, the one that is being made ready among them.
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

/// A layout that is ready to be shown.
pub(super) type Ready = (Arc<Scene>, Vec<Image>);

/// Prepares and applies a change, again while others are faster. Each attempt answers `None` when the room has moved on
/// since it looked.
///
/// # Errors
/// Those of an attempt, or [`RoomError::Contended`] after the last one.
pub(super) async fn until_applied<T, F>(attempt: impl Fn() -> F) -> Result<T, RoomError>
where
    F: Future<Output = Result<Option<T>, RoomError>>,
{
    for _ in 0..ATTEMPTS {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(RoomError::Contended)
}

/// Decodes what a draft needs, and looks whether its models are there and its canvas is not too large. `beside`: what the
/// room shows beside it.
pub(super) async fn ready(
    source: &dyn ImageSource,
    media: &dyn Media,
    largest: &CanvasLimit,
    draft: Draft,
    beside: &[Image],
) -> Result<Ready, RoomError> {
    draft.check_canvas(largest)?;
    if let Err(faults) = images::check_models(&media.models(), &draft.scene, &draft.body) {
        return Err(draft.faults(faults));
    }
    match images::resolve(source, &draft.scene, &draft.body, beside).await? {
        Ok(images) => Ok((Arc::new(draft.scene), images)),
        Err(faults) => Err(draft.faults(faults)),
    }
}

impl RoomHandle {
    /// Returns a draft made ready to be the room's program.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place, [`RoomError::Unavailable`] for what the server cannot use now,
    /// [`RoomError::NoRoom`].
    pub(super) async fn ready(&self, draft: Draft) -> Result<Ready, RoomError> {
        let beside = self.call(|room| room.state.images_beside(None)).await?;
        self.ready_beside(draft, &beside).await
    }

    /// Returns a draft made ready for this room, which shows these images beside it.
    ///
    /// # Errors
    /// As [`RoomHandle::ready`].
    pub(super) async fn ready_beside(&self, draft: Draft, beside: &[Image]) -> Result<Ready, RoomError> {
        ready(&*self.images, &*self.media, &self.largest, draft, beside).await
    }

    /// Returns what most changes are prepared from: the revision, what is shown, and the stored scenes.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub(super) async fn now(&self) -> Result<(Revision, Arc<Scene>, Scenes), RoomError> {
        self.call(|room| (room.state.revision(), Arc::clone(room.state.scene()), room.state.scenes().clone())).await
    }

    /// Applies what was prepared for a revision; `None` when the room has moved on. Answers the revision after it.
    pub(super) async fn apply(
        &self,
        prepared_for: Revision,
        change: impl FnOnce(&mut State) + Send + 'static,
    ) -> Result<Option<Revision>, RoomError> {
        self.call(move |room| {
            if room.state.revision() != prepared_for {
                return None;
            }
            change(&mut room.state);
            Some(room.state.revision())
        })
        .await
    }
}
