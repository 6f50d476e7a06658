//! Changes of layout and settings, and the images that they need.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    handle::RoomHandle,
    prepare::{Then, ready, until_applied},
};
use crate::{
    control::room::{
        error::RoomError,
        images::{self, Gathered, ImageSource, Wanted},
        revision::{IfMatch, Revision},
        state::{
            Drawn, State,
            aux_picture::AuxSource,
            change::{LayoutChange, SettingsChange},
            output::OutputDocument,
            record::beneath,
            view::Settings,
        },
    },
    layout::{CanvasLimit, Fault, Scene, Values},
    media::port::{AuxId, Image, Media},
};

/// Time after which images are loaded again of which the server could not use some.
const LOAD_AGAIN: Duration = Duration::from_secs(5);

/// A layout that lacks images, and how many it has.
type Lacking = (Arc<Scene>, usize);

/// Checks a change of settings for a room that does not exist yet.
///
/// # Errors
/// [`RoomError::Invalid`] with every wrong place, [`RoomError::Unavailable`] for what the server cannot use now.
pub(in crate::control::room) async fn check_settings(
    change: &SettingsChange,
    settings: &Settings,
    scene: &Scene,
    media: &dyn Media,
    source: &dyn ImageSource,
    largest: &CanvasLimit,
) -> Result<(), RoomError> {
    let (_, draft) = change.draft(settings, scene, &media.segmentation())?;
    if let Some(draft) = draft {
        ready(source, media, largest, draft, &Values::none(Timestamp::now()), &[]).await?;
    }
    Ok(())
}

impl RoomHandle {
    /// Changes the layout, or with `dry_run` only returns what it would become. Returns the revision and the layout.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place, [`RoomError::NoLayer`], [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`],
    /// [`RoomError::Unavailable`], [`RoomError::Stale`], [`RoomError::Contended`], [`RoomError::NoRoom`].
    pub async fn change_layout(
        &self,
        change: &LayoutChange,
        guard: &IfMatch,
        dry_run: bool,
    ) -> Result<(Revision, Value), RoomError> {
        let _preparation = self.preparations.begin().await?;
        until_applied(|| async move {
            let (revision, scene) = self.call(|room| (room.state.revision(), Arc::clone(room.state.scene()))).await?;
            guard.check(revision)?;
            let (scene, images) = self.ready(change.draft(&scene)?).await?;
            let json = images::answered(&*self.images, &scene).await;
            if dry_run {
                self.check(Then::shows(&scene)).await?;
                return Ok(Some((revision, json)));
            }
            let then = Then::shows(&scene);
            let applied = self.apply(revision, then, move |state| state.set_layout(scene, images)).await?;
            Ok(applied.map(|revision| (revision, json)))
        })
        .await
    }

    /// Changes settings and keeps the room from now on, even when it is empty.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place, [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::Unavailable`],
    /// [`RoomError::Stale`], [`RoomError::Contended`], [`RoomError::NoRoom`].
    pub async fn change_settings(&self, change: &SettingsChange, guard: &IfMatch) -> Result<Revision, RoomError> {
        let _preparation = self.preparations.begin().await?;
        until_applied(|| async move {
            let now =
                |state: &State| (state.settings().clone(), Arc::clone(state.scene()), state.segmentation().clone());
            let (revision, (settings, scene, able)) =
                self.call(move |room| (room.state.revision(), now(&room.state))).await?;
            guard.check(revision)?;
            let (settings, draft) = change.draft(&settings, &scene, &able)?;
            let layout = match draft {
                Some(draft) => Some(self.ready(draft).await?),
                None => None,
            };
            let then = Then { scene: layout.as_ref().map(|(scene, _)| Arc::clone(scene)), scenes: None };
            self.apply(revision, then, move |state| state.set_settings(settings, layout)).await
        })
        .await
    }

    /// Gives a picture its images: the program (`None`) those of its first layout. What the server cannot use now comes
    /// later.
    pub(super) async fn load_images(&self, aux: Option<AuxId>) {
        let Some(mut lacking) = self.load_once(aux.as_ref(), None).await else { return };
        let room = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOAD_AGAIN).await;
                let Some(still) = room.load_once(aux.as_ref(), Some(lacking)).await else { return };
                lacking = still;
            }
        });
    }

    /// Loads what there is of a picture's images. Returns the layout and how many there are if the server cannot use some
    /// now. `lacking`: what that was the last time; where the layout is another, or there are no more, nothing changes.
    async fn load_once(&self, aux: Option<&AuxId>, lacking: Option<Lacking>) -> Option<Lacking> {
        let asked = aux.cloned();
        let now = move |state: &State| {
            let scene = asked.as_ref().map_or_else(|| Some(Arc::clone(state.scene())), |aux| state.aux_scene(aux))?;
            Some((scene, state.images_beside(asked.as_ref())))
        };
        let (scene, beside) = self.call(move |room| now(&room.state)).await.ok()??;
        if lacking.as_ref().is_some_and(|(of, _)| !Arc::ptr_eq(of, &scene)) {
            return None;
        }
        let (drawn, is_whole) = self.gather(aux, &scene, &beside).await.ok()?;
        let count = drawn.images.len();
        if lacking.is_none_or(|(_, known)| known < count) {
            let (aux, of) = (aux.cloned(), Arc::clone(&scene));
            let set = move |state: &mut State| match &aux {
                None => state.set_first_images(drawn, &of),
                Some(aux) => state.set_aux_images(aux, drawn, &of),
            };
            // An error only says that the room has ended.
            self.call(move |room| set(&mut room.state)).await.ok()?;
        }
        (!is_whole).then_some((scene, count))
    }

    /// Returns the images of a picture's layout that are there, and whether that is all but what is missing for good; the
    /// log names the others.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    async fn gather(&self, aux: Option<&AuxId>, scene: &Scene, beside: &[Image]) -> Result<(Drawn, bool), RoomError> {
        let filled = match scene.is_living() {
            true => Some(Arc::new(scene.filled(&self.values(scene).await?).0)),
            false => None,
        };
        let wanted = Wanted { scene, filled: filled.as_deref(), body: &scene.to_json(), beside };
        let Gathered { images, mut faults, left_out, not_now } = images::gather(&*self.images, wanted).await;
        faults.extend(left_out);
        let is_whole = not_now.is_none();
        self.warn(aux, faults, not_now);
        Ok((Drawn { images, filled }, is_whole))
    }

    /// Looks whether the picture that an output asks for beside the program can be shown.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place of the output, [`RoomError::Unavailable`], [`RoomError::NoRoom`].
    pub async fn check_aux(&self, document: &OutputDocument) -> Result<(), RoomError> {
        let Some(wish) = document.aux() else { return Ok(()) };
        let _preparation = self.preparations.begin().await?;
        let (_, shown, scenes) = self.now().await?;
        let Some(body) = wish.body(&scenes) else {
            let detail = "the room has no scene of this name".to_owned();
            return Err(RoomError::Invalid(vec![Fault { pointer: wish.pointer().to_owned(), detail }]));
        };
        let is_kept = match &wish.source {
            AuxSource::Scene(_) => true,
            // As where another key of the output is changed.
            AuxSource::Layout(_) => {
                let source = wish.source.clone();
                self.call(move |room| room.state.has_aux_source(&source)).await?
            }
        };
        let change = if is_kept { LayoutChange::Restore(body) } else { LayoutChange::Replace(body) };
        // An output that is changed shows what it has shown until the new picture is ready.
        let id = wish.id();
        let beside = self.call(move |room| room.state.images_beside(Some(&id))).await?;
        let ready = match change.draft(&shown) {
            Ok(draft) => self.ready_beside(draft, &beside).await.map(drop),
            Err(error) => Err(error),
        };
        ready.map_err(|error| match error {
            RoomError::Invalid(faults) if matches!(wish.source, AuxSource::Layout(_)) => {
                RoomError::Invalid(beneath(wish.pointer(), faults).collect())
            }
            // The places are those of the scene, which was not sent.
            RoomError::Invalid(faults) => {
                let at = |fault: Fault| format!("cannot be shown: {} {}", fault.pointer, fault.detail);
                let fault = |fault| Fault { pointer: wish.pointer().to_owned(), detail: at(fault) };
                RoomError::Invalid(faults.into_iter().map(fault).collect())
            }
            other => other,
        })
    }
}
