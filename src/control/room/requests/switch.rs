//! Stored scenes: storing them and showing them.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::yield_now};

use super::{
    handle::RoomHandle,
    prepare::{Findings, Then, until_applied},
};
use crate::{
    control::room::{
        actor::now,
        error::RoomError,
        images,
        revision::{IfMatch, Revision},
        sizes::Sizes,
        state::{
            Job,
            change::LayoutChange,
            scenes::{Chosen, SceneChoice, SceneName, SceneView, Scenes, StoredScene, kept_layout},
        },
    },
    layout::{self, Fault, Scene, fault::child},
    media::port::{Image, MediaCommand},
};

/// The result of a scene: its name and, unless it is what the canvas shows now, its layout as it was sent.
pub type NewScene = (SceneName, Option<Value>);

impl RoomHandle {
    /// Returns all scenes, in order.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn scenes(&self) -> Result<(Revision, Vec<SceneView>), RoomError> {
        self.call(|room| (room.state.revision(), room.state.scenes().views(room.state.scene()))).await
    }

    /// Returns the same, each with where all of it would stand now. A text that is not measured in time counts as one
    /// that is not there; the next request goes on from there.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn scenes_with_boxes(&self) -> Result<(Revision, Vec<SceneView>), RoomError> {
        let (revision, scenes, canvas, mut gathering, values) = self
            .call(|room| {
                let (state, shown) = (&room.state, room.state.scene());
                let (views, values) = (state.scenes().views(shown), state.values(now().wall));
                (state.revision(), views, shown.canvas.clone(), state.gathering(), values)
            })
            .await?;
        let mut with_boxes = Vec::with_capacity(scenes.len());
        let mut sizes = Sizes::new(&*self.images);
        for scene in scenes {
            // One that cannot be shown any more has none.
            let boxes = match layout::read_kept(&scene.layout, &canvas) {
                Ok(layout) => {
                    let (filled, _) = layout.filled(&values);
                    sizes.add(&filled, &mut gathering).await;
                    gathering.boxes(&filled)
                }
                Err(_) => Vec::new(),
            };
            with_boxes.push(SceneView { boxes: Some(boxes), ..scene });
            // A hundred of them take a while, and others are served by this thread, too.
            yield_now().await;
        }
        Ok((revision, with_boxes))
    }

    /// Returns one scene.
    ///
    /// # Errors
    /// [`RoomError::NoScene`], [`RoomError::NoRoom`].
    pub async fn scene(&self, name: SceneName) -> Result<(Revision, SceneView), RoomError> {
        let view = move |scenes: &Scenes, shown: &Scene| scenes.get(&name).map(|stored| scenes.view(stored, shown));
        self.call(move |room| {
            let view = view(room.state.scenes(), room.state.scene())?;
            Ok((room.state.revision(), view))
        })
        .await?
    }

    /// Returns a scene as it is answered to who stores or shows it: with warnings, if there are some.
    pub async fn warned(&self, scene: SceneView) -> SceneView {
        SceneView { warnings: images::warnings_of(&*self.images, &scene.layout).await, ..scene }
    }

    /// Stores a scene in place of that of its name, or behind all others: this layout, or with `None` what the canvas
    /// shows now. Answers the scene and whether it is new.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place of the layout, [`RoomError::BadSceneName`],
    /// [`RoomError::TooManyScenes`], [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`],
    /// [`RoomError::Unavailable`], [`RoomError::Stale`], [`RoomError::Contended`], [`RoomError::NoRoom`].
    pub async fn put_scene(&self, scene: NewScene, guard: &IfMatch) -> Result<(Revision, SceneView, bool), RoomError> {
        let _preparation = self.preparations.begin().await?;
        let (name, body) = &scene;
        until_applied(|| async move {
            let (revision, shown, mut scenes) = self.now().await?;
            guard.check(revision)?;
            if !scenes.may_have(name) {
                return Err(RoomError::BadSceneName);
            }
            let is_shown = body.is_none();
            let layout = Arc::new(match body {
                Some(body) => {
                    let names = vec![name.clone()];
                    let (_, beside) = self.call(move |room| room.state.scenes_in_outputs(&names)).await?;
                    self.check_scene(&shown, LayoutChange::Replace(body.clone()), &beside).await?.0
                }
                None => shown_layout(&shown),
            });
            let is_new = scenes.put(StoredScene { name: name.clone(), layout })?;
            if is_shown {
                scenes.set_active(name);
            }
            let view = scenes.view(scenes.get(name)?, &shown);
            let applied = self.apply(revision, Then::keeps(&scenes), move |state| state.set_scenes(scenes)).await?;
            Ok(applied.map(|revision| (revision, view, is_new)))
        })
        .await
    }

    /// Stores these scenes and no others. Pointers of faults are those of a list of objects with a `layout`.
    ///
    /// # Errors
    /// As [`RoomHandle::put_scene`], and [`RoomError::SceneInUse`].
    pub async fn put_scenes(
        &self,
        list: &[(SceneName, Value)],
        guard: &IfMatch,
    ) -> Result<(Revision, Vec<SceneView>), RoomError> {
        let _preparation = self.preparations.begin().await?;
        until_applied(|| async move {
            let (revision, shown, mut scenes) = self.now().await?;
            guard.check(revision)?;
            scenes.replace(self.check_scenes(&shown, list, "", LayoutChange::Replace).await?)?;
            self.check_scenes_in_use(&scenes).await?;
            let views = scenes.views(&shown);
            let applied = self.apply(revision, Then::keeps(&scenes), move |state| state.set_scenes(scenes)).await?;
            Ok(applied.map(|revision| (revision, views)))
        })
        .await
    }

    /// Forgets a scene. The canvas goes on showing it if it does.
    ///
    /// # Errors
    /// [`RoomError::NoScene`], [`RoomError::SceneInUse`], [`RoomError::Stale`], [`RoomError::NoRoom`].
    pub async fn remove_scene(&self, name: SceneName, guard: &IfMatch) -> Result<Revision, RoomError> {
        let removed = self.change(guard, move |state| {
            let mut scenes = state.scenes().clone();
            scenes.remove(&name)?;
            state.check_scenes_in_use(&scenes)?;
            state.set_scenes(scenes);
            Ok(())
        });
        removed.await.map(|(revision, ())| revision)
    }

    /// Shows a scene to everyone, from the next frame on. At the end of the list, the next one is the one that is
    /// shown, as it is; so is the previous one at its beginning.
    ///
    /// # Errors
    /// [`RoomError::NoScene`], [`RoomError::NoScenes`], [`RoomError::Invalid`] with places of its layout when the
    /// scene cannot be shown any more, [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::Unavailable`] for what the server
    /// cannot use now, [`RoomError::Stale`], [`RoomError::Contended`], [`RoomError::NoRoom`].
    pub async fn activate_scene(
        &self,
        choice: &SceneChoice,
        guard: &IfMatch,
    ) -> Result<(Revision, SceneView), RoomError> {
        let _preparation = self.preparations.begin().await?;
        self.show_scene(choice, guard).await
    }

    /// Does the same for the room itself, which waits for no one who asks for more.
    async fn show_scene(&self, choice: &SceneChoice, guard: &IfMatch) -> Result<(Revision, SceneView), RoomError> {
        until_applied(|| async move {
            let (revision, shown, mut scenes) = self.now().await?;
            guard.check(revision)?;
            let stored = match scenes.choose(choice)? {
                Chosen::Switch(stored) => stored.clone(),
                Chosen::Stay(stored) => return Ok(Some((revision, scenes.view(stored, &shown)))),
            };
            let draft = LayoutChange::Restore(Value::clone(&stored.layout)).draft(&shown)?;
            let (scene, images) = self.ready(draft).await?;
            scenes.set_active(&stored.name);
            let view = scenes.view(&stored, &scene);
            let then = Then::shows(&scene);
            let applied = self.apply(revision, then, move |state| state.activate(&stored.name, scene, images)).await?;
            Ok(applied.map(|revision| (revision, view)))
        })
        .await
    }

    /// Shows scenes and plays sounds as the room asks for them, until it ends.
    pub(in crate::control::room) async fn run_jobs(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.recv().await {
            // A fault in one must not cost the room all that come after it.
            if AssertUnwindSafe(self.run_job(job)).catch_unwind().await.is_err() {
                tracing::error!(room = %self.name(), "a scene or a sound is left out: making it ready panicked");
            }
        }
    }

    async fn run_job(&self, job: Job) {
        let command = match job {
            Job::Show(choice, asker) => {
                if let Err(error) = self.show_scene(&choice, &IfMatch::Absent).await {
                    tracing::warn!(room = %self.name(), %error, ?asker, ?choice, "a scene cannot be shown");
                }
                return;
            }
            Job::Images => return self.load_images(None).await,
            Job::AuxImages(aux) => return self.load_images(Some(aux)).await,
            Job::Play(name) => match self.images.sound(&name).await {
                Some(sound) => MediaCommand::PlaySound(sound),
                None => return,
            },
            Job::Music(None) => MediaCommand::SetMusic(None),
            Job::Music(Some(name)) => MediaCommand::SetMusic(self.images.sound(&name).await),
        };
        // An error only says that the room has ended.
        drop(self.call(move |room| room.order(command)).await);
    }

    /// Returns a list of scenes, checked as in the room that shows `shown`; it stands at `pointer` of a document. `change`:
    /// as what each layout is read.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place of every layout, and every new name that nobody can see; without
    /// any, [`RoomError::Unavailable`] for what the server cannot use now. [`RoomError::NoRoom`].
    pub(super) async fn check_scenes(
        &self,
        shown: &Scene,
        list: &[(SceneName, Value)],
        pointer: &str,
        change: fn(Value) -> LayoutChange,
    ) -> Result<Vec<StoredScene>, RoomError> {
        let (_, _, known) = self.now().await?;
        let names: Vec<SceneName> = list.iter().map(|(name, _)| name.clone()).collect();
        let (in_outputs, mut beside) = self.call(move |room| room.state.scenes_in_outputs(&names)).await?;
        let mut stored = Vec::with_capacity(list.len());
        let mut findings = Findings::default();
        for (index, (name, body)) in list.iter().enumerate() {
            if !known.may_have(name) {
                let pointer = child(&child(pointer, &index.to_string()), "name");
                findings.add(Fault { pointer, detail: RoomError::BadSceneName.to_string() });
            }
            let place = child(&child(pointer, &index.to_string()), "layout");
            let is_shown = in_outputs.contains(name);
            let others = if is_shown { beside.as_slice() } else { &[] };
            let checked = self.check_scene(shown, change(body.clone()), others).await;
            if let Some((layout, images)) = findings.part(&place, checked)? {
                // All that outputs show is shown together.
                if is_shown {
                    beside.extend(images);
                }
                stored.push(StoredScene { name: name.clone(), layout: Arc::new(layout) });
            }
        }
        findings.check().map(|()| stored)
    }

    /// Returns a scene's layout as it is kept, and its images, if it can be shown in the room that shows `shown`. `beside`:
    /// the images that are shown beside it; of a scene that nobody shows now, what the room shows is no matter.
    async fn check_scene(
        &self,
        shown: &Scene,
        change: LayoutChange,
        beside: &[Image],
    ) -> Result<(Value, Vec<Image>), RoomError> {
        let draft = change.draft(shown)?;
        let body = draft.body.clone();
        let (scene, drawn) = self.ready_beside(draft, beside).await?;
        Ok((kept_layout(&scene, &body), drawn.images))
    }

    /// Returns whether every scene that outputs show is among these.
    ///
    /// # Errors
    /// [`RoomError::SceneInUse`], [`RoomError::NoRoom`].
    pub(super) async fn check_scenes_in_use(&self, scenes: &Scenes) -> Result<(), RoomError> {
        let scenes = scenes.clone();
        self.call(move |room| room.state.check_scenes_in_use(&scenes)).await?
    }
}

/// Returns what the canvas shows, as a scene. Of the canvas only the background: a switch should not change how large
/// the picture is.
fn shown_layout(shown: &Scene) -> Value {
    kept_layout(shown, &json!({"canvas": {"background": null}}))
}
