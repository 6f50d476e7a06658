//! Scenarios: all scenes of a room at once, and the first of them shown.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{
    handle::RoomHandle,
    prepare::{Then, until_applied},
};
use crate::{
    control::room::{
        error::RoomError,
        images,
        revision::{IfMatch, Revision},
        state::{
            change::LayoutChange,
            scenes::{SceneName, SceneView, Scenes},
        },
    },
    layout::{
        Canvas, Fault,
        scenario::{Asset, Imported, Named, Node, import},
    },
};

/// The form in which a scenario is given.
#[derive(Debug, Clone)]
pub enum Scenario {
    /// Scenes, at least one.
    Native(Vec<(SceneName, Value)>),
    /// A file of the application Virfie, and those assets that there are, by name.
    Virfie(Node, HashMap<String, Asset>),
}

/// The result of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The scenes as they are kept; the first one is shown.
    pub scenes: Vec<SceneView>,
    /// Assets that it names and the server lacks, and everything that cannot be shown as it was meant.
    pub warnings: Vec<Fault>,
    /// The files that it names, and whether they are there.
    pub assets: Vec<(Named, bool)>,
}

impl RoomHandle {
    /// Replaces all scenes and shows the first one, or with `dry_run` only returns what they would become.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place, [`RoomError::TooManyScenes`], [`RoomError::SceneInUse`],
    /// [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::Unavailable`], [`RoomError::Stale`], [`RoomError::Contended`],
    /// [`RoomError::NoRoom`].
    pub async fn put_scenario(
        &self,
        scenario: &Scenario,
        guard: &IfMatch,
        dry_run: bool,
    ) -> Result<(Revision, Loaded), RoomError> {
        let _preparation = self.preparations.begin().await?;
        until_applied(|| async move {
            let (revision, shown, _) = self.now().await?;
            guard.check(revision)?;
            let (list, mut warnings, assets) = scenario.on(&shown.canvas)?;
            let stored = self.check_scenes(&shown, &list, "/scenes", LayoutChange::Replace).await?;
            for (index, scene) in stored.iter().enumerate() {
                let draft = LayoutChange::Replace(Value::clone(&scene.layout)).draft(&shown)?;
                let place = scenario.place_of(index);
                let of_scene = images::warnings(&*self.images, &draft.scene).await.into_iter();
                warnings.extend(of_scene.map(|Fault { pointer, detail }| match scenario {
                    Scenario::Native(_) => Fault { pointer: format!("{place}{pointer}"), detail },
                    Scenario::Virfie(..) => Fault { pointer: place.clone(), detail },
                }));
            }
            let Some(first) = stored.first().cloned() else {
                let detail = "must have at least one scene".to_owned();
                return Err(RoomError::Invalid(vec![Fault { pointer: "/scenes".to_owned(), detail }]));
            };
            let scenes = Scenes::new(stored, Some(first.name.clone()))?;
            self.check_scenes_in_use(&scenes).await?;
            let draft = LayoutChange::Replace(Value::clone(&first.layout)).draft(&shown)?;
            let (scene, images) = self.ready(draft).await?;
            let loaded = Loaded { scenes: scenes.views(&scene), warnings, assets };
            let then = Then { scene: Some(Arc::clone(&scene)), scenes: Some(scenes.clone()) };
            if dry_run {
                self.check(then).await?;
                return Ok(Some((revision, loaded)));
            }
            let applied =
                self.apply(revision, then, move |state| state.set_scenario(scenes, &first.name, scene, images)).await?;
            Ok(applied.map(|revision| (revision, loaded)))
        })
        .await
    }
}

type List = (Vec<(SceneName, Value)>, Vec<Fault>, Vec<(Named, bool)>);

impl Scenario {
    /// Returns where a scene's layout stands in what was given.
    fn place_of(&self, index: usize) -> String {
        match self {
            Self::Native(_) => format!("/scenes/{index}/layout"),
            Self::Virfie(..) => format!("/scenes/{index}"),
        }
    }

    /// Returns the scenes for a room with this canvas.
    fn on(&self, canvas: &Canvas) -> Result<List, RoomError> {
        let (file, known) = match self {
            Self::Native(list) => return Ok((list.clone(), Vec::new(), Vec::new())),
            Self::Virfie(file, known) => (file, known),
        };
        let Imported { scenes, assets, warnings } =
            import(file, canvas, &|named| known.get(&named.name).copied()).map_err(RoomError::Invalid)?;
        let named = scenes.into_iter().map(|scene| Ok((SceneName::parse(&scene.name)?, scene.layout)));
        Ok((named.collect::<Result<_, RoomError>>()?, warnings, assets))
    }
}
