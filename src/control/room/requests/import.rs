//! A room as one document: what is exported, and what a room becomes by it. Assets are the caller's.

use std::sync::Arc;

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
        state::{
            change::LayoutChange,
            record::{RoomDocument, RoomRecord},
            scenes::Scenes,
        },
    },
    layout::schema::Warning,
};

impl RoomHandle {
    /// Returns what can be kept of the room.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn export(&self) -> Result<RoomRecord, RoomError> {
        self.call(|room| room.state.record()).await
    }

    /// Makes the room what the document says, at one frame edge. What it leaves out stays.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place of the document; without any, [`RoomError::Unavailable`] for what the
    /// server cannot use now, [`RoomError::SceneInUse`], [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::Stale`],
    /// [`RoomError::Contended`], [`RoomError::NoRoom`]; nothing is changed then.
    pub async fn import(&self, document: &RoomDocument, guard: &IfMatch) -> Result<Revision, RoomError> {
        let _preparation = self.preparations.begin().await?;
        until_applied(|| async move {
            let (revision, settings, shown, able) = self
                .call(|room| {
                    let state = &room.state;
                    (state.revision(), state.settings().clone(), state.scene().clone(), state.segmentation().clone())
                })
                .await?;
            guard.check(revision)?;
            let mut findings = Findings::default();
            document.check_version().err().into_iter().for_each(|fault| findings.add(fault));
            let changed = document.settings_change().draft(&settings, &shown, &able);
            let settings = findings.part("/settings", changed.map(|(settings, _)| settings))?;
            // It may have been exported before texts had fields, as what a server has stored.
            let draft = document.layout.as_ref().map(|body| LayoutChange::Restore(body.clone()).draft(&shown));
            // Also where the server cannot show it now.
            let after = match &draft {
                Some(Ok(draft)) => Arc::new(draft.scene.clone()),
                _ => shown,
            };
            let layout = match draft {
                None => Ok(None),
                Some(Ok(draft)) => self.ready(draft).await.map(Some),
                Some(Err(error)) => Err(error),
            };
            let layout = findings.part("/layout", layout)?.flatten();
            let scenes = match document.scene_list() {
                Ok(None) => None,
                Ok(Some((list, active))) => {
                    let checked = self.check_scenes(&after, &list, "/scenes", LayoutChange::Restore).await;
                    let stored = findings.part("", checked)?;
                    stored.map(|stored| Scenes::new(stored, active)).transpose()?
                }
                Err(more) => {
                    findings.extend(more);
                    None
                }
            };
            let (data, timers) = (document.data(), document.timers());
            for wrong in [data.as_ref().err(), timers.as_ref().err()].into_iter().flatten() {
                findings.extend(wrong.clone());
            }
            findings.check()?;
            // Only those with a finding are missing.
            let Some(settings) = settings else { return Ok(None) };
            let words = (data.ok().flatten(), timers.ok().flatten());
            if let Some(scenes) = &scenes {
                self.check_scenes_in_use(scenes).await?;
            }
            let then = Then { scene: layout.as_ref().map(|(scene, _)| Arc::clone(scene)), scenes: scenes.clone() };
            self.apply(revision, then, move |state| state.import(settings, layout, scenes, words, now())).await
        })
        .await
    }

    /// Returns what can be shown of a document that was imported, but not as it was meant. The places are those of the
    /// document.
    pub async fn warnings_of(&self, document: &RoomDocument) -> Vec<Warning> {
        let scenes = document.scenes.iter().flatten().enumerate();
        let scenes = scenes.map(|(index, scene)| (format!("/scenes/{index}/layout"), &scene.layout));
        let layout = document.layout.iter().map(|layout| ("/layout".to_owned(), layout));
        let mut warnings = Vec::new();
        for (place, layout) in layout.chain(scenes) {
            let of_layout = images::warnings_of(&*self.images, layout).await.into_iter();
            warnings.extend(of_layout.map(|warning| Warning { pointer: place.clone() + &warning.pointer, ..warning }));
        }
        warnings
    }
}
