//! Changes that are prepared outside the room's task, because images are decoded for them, and applied inside it if the
//! room is still what they were prepared for.

use std::sync::Arc;

use super::handle::RoomHandle;
use crate::{
    control::room::{
        actor::now,
        error::RoomError,
        images::{self, ImageSource, Wanted},
        state::{Drawn, State, change::Draft, revision::Revision, scenes::Scenes},
    },
    layout::{CanvasLimit, Fault, Scene, Values},
    media::port::Media,
};

/// How often a change is prepared again because others were faster.
const ATTEMPTS: usize = 8;

/// A layout that is ready to be shown.
pub(super) type Ready = (Arc<Scene>, Drawn);

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

/// Decodes what a draft needs, and looks whether its models are there and its canvas is not too large. `values`: what
/// the fields of its texts stand for. Beside the layout it returns what of that cannot be shown and is left out.
pub(super) async fn ready(
    source: &dyn ImageSource,
    media: &dyn Media,
    largest: &CanvasLimit,
    draft: Draft,
    values: &Values,
) -> Result<(Ready, Vec<Fault>), RoomError> {
    draft.check_canvas(largest)?;
    if let Err(faults) = images::check_models(&media.models(), &draft.scene, &draft.body) {
        return Err(draft.faults(faults));
    }
    let filled = draft.scene.is_living().then(|| Arc::new(draft.scene.filled(values).0));
    let wanted = Wanted { scene: &draft.scene, filled: filled.as_deref(), body: &draft.body };
    match images::resolve(source, wanted).await? {
        Ok((images, left_out)) => Ok(((Arc::new(draft.scene), Drawn { images, filled }), left_out)),
        Err(faults) => Err(draft.faults(faults)),
    }
}

impl RoomHandle {
    /// Returns a draft made ready for this room. The log says what texts should show and cannot.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place, [`RoomError::Unavailable`] for what the server cannot use now.
    pub(super) async fn ready(&self, draft: Draft) -> Result<Ready, RoomError> {
        let values = self.values(&draft.scene).await?;
        let (ready, left_out) = ready(&*self.images, &*self.media, &self.largest, draft, &values).await?;
        // Without any, what the program shows may still lack something.
        if !left_out.is_empty() {
            self.warn(None, left_out, None);
        }
        Ok(ready)
    }

    /// Returns what the fields of a layout's texts stand for now. The room is asked only where there are some.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub(super) async fn values(&self, scene: &Scene) -> Result<Values, RoomError> {
        match scene.is_living() {
            true => self.call(|room| room.state.values(now().wall)).await,
            false => Ok(Values::none(now().wall)),
        }
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
