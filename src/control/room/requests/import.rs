//! A room as one document: what is exported, and what a room becomes by it. Assets are the caller's.

use serde_json::Value;

use super::{
    handle::RoomHandle,
    prepare::{Ready, until_applied},
};
use crate::{
    control::room::{
        error::RoomError,
        images,
        state::{
            change::LayoutChange,
            record::{RoomDocument, RoomRecord, beneath, faults_of, own_faults},
            revision::{IfMatch, Revision},
            scenes::Scenes,
        },
    },
    layout::{Fault, Scene, schema::Warning},
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
    /// [`RoomError::Invalid`] with every wrong place of the document, [`RoomError::Unavailable`] for what the server
    /// cannot use now, [`RoomError::Stale`], [`RoomError::Contended`], [`RoomError::NoRoom`]; nothing is changed then.
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
            let mut faults: Vec<Fault> = document.check_version().err().into_iter().collect();
            let settings = match document.settings_change().draft(&settings, &shown, &able) {
                Ok((settings, _)) => Some(settings),
                Err(error) => {
                    faults.extend(beneath("/settings", faults_of(error)));
                    None
                }
            };
            let layout = match document.layout.as_ref() {
                None => None,
                Some(body) => match self.read_layout(body, &shown).await {
                    Ok(layout) => Some(layout),
                    Err(error) => {
                        faults.extend(beneath("/layout", own_faults(error)?));
                        None
                    }
                },
            };
            let after: &Scene = layout.as_ref().map_or(&shown, |(scene, _)| scene);
            let scenes = match document.scene_list() {
                Ok(None) => None,
                Ok(Some((list, active))) => match self.check_scenes(after, &list, "/scenes").await {
                    Ok(stored) => Some(Scenes::new(stored, active)?),
                    Err(error) => {
                        faults.extend(own_faults(error)?);
                        None
                    }
                },
                Err(more) => {
                    faults.extend(more);
                    None
                }
            };
            let (Some(settings), true) = (settings, faults.is_empty()) else {
                return Err(RoomError::Invalid(faults));
            };
            if let Some(scenes) = &scenes {
                self.check_scenes_in_use(scenes).await?;
            }
            self.apply(revision, move |state| state.import(settings, layout, scenes)).await
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

    async fn read_layout(&self, body: &Value, shown: &Scene) -> Result<Ready, RoomError> {
        let draft = LayoutChange::Replace(body.clone()).draft(shown)?;
        self.ready(draft).await
    }
}
