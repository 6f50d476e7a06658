//! Changes that are prepared outside the room's task, because images are decoded for them, and applied inside it if the
//! room is still what they were prepared for. What the room itself asks for goes on beside them.

use std::sync::Arc;

use super::handle::RoomHandle;
use crate::{
    control::room::{
        actor::now,
        error::RoomError,
        images::{self, ImageSource, Wanted},
        revision::Revision,
        state::{
            Drawn, State,
            change::Draft,
            record::{beneath, own_faults},
            scenes::Scenes,
        },
    },
    layout::{CanvasLimit, Fault, Scene, Values},
    media::port::{Image, Media},
};

/// Number of times that a change is prepared again because others were faster.
const ATTEMPTS: usize = 8;

/// The layout and the scenes that a room has after a change, by which its outputs are judged. `None`: those that it has.
#[derive(Debug)]
pub(super) struct Then {
    pub(super) scene: Option<Arc<Scene>>,
    pub(super) scenes: Option<Scenes>,
}

impl Then {
    /// Creates that of a change after which the room shows this.
    pub(super) fn shows(scene: &Arc<Scene>) -> Self {
        Self { scene: Some(Arc::clone(scene)), scenes: None }
    }

    /// Creates that of a change after which the room stores these.
    pub(super) fn keeps(scenes: &Scenes) -> Self {
        Self { scene: None, scenes: Some(scenes.clone()) }
    }

    fn check(&self, state: &State) -> Result<(), RoomError> {
        state.check_work_after(self.scene.as_ref().map(|scene| &scene.canvas), self.scenes.as_ref())
    }
}

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

/// The faults of a document's parts, and why the server cannot use one of them now. Faults come first: they stay however
/// often the document is sent.
#[derive(Debug, Default)]
pub(super) struct Findings {
    faults: Vec<Fault>,
    not_now: Option<RoomError>,
}

impl Findings {
    /// Adds one fault.
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Adds those of a reading.
    pub(super) fn extend(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// Takes a part that stands at `pointer`; `None` where it cannot be used, which is noted.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`], [`RoomError::Draining`].
    pub(super) fn part<T>(&mut self, pointer: &str, part: Result<T, RoomError>) -> Result<Option<T>, RoomError> {
        match part.map_err(own_faults) {
            Ok(part) => return Ok(Some(part)),
            Err(Ok(faults)) => self.faults.extend(beneath(pointer, faults)),
            Err(Err(error @ RoomError::Unavailable(_))) => {
                self.not_now.get_or_insert(error);
            }
            Err(Err(error)) => return Err(error),
        }
        Ok(None)
    }

    /// Returns the error that all of them are.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every fault; without any, [`RoomError::Unavailable`].
    pub(super) fn check(self) -> Result<(), RoomError> {
        match self.not_now {
            _ if !self.faults.is_empty() => Err(RoomError::Invalid(self.faults)),
            Some(not_now) => Err(not_now),
            None => Ok(()),
        }
    }
}

/// Decodes what a draft needs, and looks whether its models are there and its canvas is not too large. `values`: what the
/// fields of its texts stand for; `beside`: what the room shows beside it. Beside the layout it returns what cannot be shown
/// of its values and is left out.
pub(super) async fn ready(
    source: &dyn ImageSource,
    media: &dyn Media,
    largest: &CanvasLimit,
    draft: Draft,
    values: &Values,
    beside: &[Image],
) -> Result<(Ready, Vec<Fault>), RoomError> {
    draft.check_canvas(largest)?;
    if let Err(faults) = images::check_models(&media.models(), &draft.scene, &draft.body) {
        return Err(draft.faults(faults));
    }
    let filled = draft.scene.is_living().then(|| Arc::new(draft.scene.filled(values).0));
    let wanted = Wanted { scene: &draft.scene, filled: filled.as_deref(), body: &draft.body, beside };
    match images::resolve(source, wanted).await? {
        Ok((images, left_out)) => Ok(((Arc::new(draft.scene), Drawn { images, filled }), left_out)),
        Err(faults) => Err(draft.faults(faults)),
    }
}

impl RoomHandle {
    /// Returns a draft made ready to be the room's program. The log says what texts should show and cannot.
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
        let values = self.values(&draft.scene).await?;
        let (ready, left_out) = ready(&*self.images, &*self.media, &self.largest, draft, &values, beside).await?;
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

    /// Applies what was prepared for a revision, if the outputs can follow; `None` when the room has moved on. Answers
    /// the revision after it.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`], and nothing has changed then; [`RoomError::NoRoom`].
    pub(super) async fn apply(
        &self,
        prepared_for: Revision,
        then: Then,
        change: impl FnOnce(&mut State) + Send + 'static,
    ) -> Result<Option<Revision>, RoomError> {
        self.call(move |room| {
            if room.state.revision() != prepared_for {
                return Ok(None);
            }
            then.check(&room.state)?;
            change(&mut room.state);
            Ok(Some(room.state.revision()))
        })
        .await?
    }

    /// Looks whether the outputs could follow a change, without making it.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`], [`RoomError::NoRoom`].
    pub(super) async fn check(&self, then: Then) -> Result<(), RoomError> {
        self.call(move |room| then.check(&room.state)).await?
    }
}
