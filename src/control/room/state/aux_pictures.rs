//! Pictures beside the program, which outputs show.

use std::sync::Arc;

use super::{
    Drawn, Effect, Job, State,
    aux_picture::{AuxSource, AuxWish},
    output::OutputEntry,
    scenes::{SceneName, Scenes},
    words::Filling,
};
use crate::{
    control::room::error::RoomError,
    layout::Scene,
    media::port::{AuxId, Image, MediaCommand},
};

/// One of them.
#[derive(Debug)]
pub(super) struct AuxPicture {
    pub(super) id: AuxId,
    /// The layout that it is to show.
    pub(super) scene: Arc<Scene>,
    pub(super) filling: Filling,
    /// The layout that it shows, with what its texts say and with its images; `None` before the first ones are decoded.
    pub(super) shown: Option<(Arc<Scene>, Vec<Image>)>,
}

impl State {
    /// Has the media compose what outputs that run need beside the program, and nothing else.
    pub(super) fn settle_aux_pictures(&mut self) {
        let mut wanted: Vec<(AuxId, AuxWish)> = Vec::new();
        for sending in self.outputs.iter().filter(|sending| sending.runs()) {
            if let (Some(id), Some(wish)) = (&sending.spec.aux, &sending.aux)
                && wanted.iter().all(|(known, _)| known != id)
            {
                wanted.push((id.clone(), wish.clone()));
            }
        }
        let gone = self.aux_pictures.extract_if(.., |aux| wanted.iter().all(|(id, _)| *id != aux.id));
        self.effects.extend(gone.map(|aux| Effect::Media(MediaCommand::RemoveAux(aux.id))));
        for (id, wish) in wanted {
            let scene = wish.read(&self.scenes, &self.scene.canvas);
            let index = match self.aux_pictures.iter().position(|aux| aux.id == id) {
                Some(index) if *self.aux_pictures[index].scene == scene => continue,
                Some(index) => index,
                None => {
                    let filling = Filling::default();
                    self.aux_pictures.push(AuxPicture { id, scene: Arc::new(scene.clone()), filling, shown: None });
                    self.aux_pictures.len() - 1
                }
            };
            let aux = &mut self.aux_pictures[index];
            aux.scene = Arc::new(scene);
            // Its words come with its images.
            aux.filling = Filling::default();
            if aux.scene.needs_images() {
                self.effects.push(Effect::Job(Job::AuxImages(aux.id.clone())));
            } else {
                aux.shown = Some((aux.scene.clone(), Vec::new()));
                self.show_aux(index);
            }
        }
    }

    /// Hands all pictures beside the program to the media: people or speakers have changed, or the media is new.
    pub(super) fn show_aux_pictures(&mut self) {
        (0..self.aux_pictures.len()).for_each(|index| self.show_aux(index));
    }

    pub(super) fn show_aux(&mut self, index: usize) {
        let aux = &self.aux_pictures[index];
        let Some((scene, images)) = aux.shown.clone() else { return };
        let (aux, picture) = (aux.id.clone(), self.picture_of(scene, images));
        self.effects.push(Effect::Media(MediaCommand::SetAux { aux, picture }));
    }

    /// Returns what a picture beside the program is to show, if it is still needed.
    pub fn aux_scene(&self, id: &AuxId) -> Option<Arc<Scene>> {
        self.aux_pictures.iter().find(|aux| aux.id == *id).map(|aux| aux.scene.clone())
    }

    /// Takes the images of a picture beside the program. Late ones, after another change, are dropped.
    pub fn set_aux_images(&mut self, id: &AuxId, drawn: Drawn, of: &Arc<Scene>) {
        let is_it = |aux: &AuxPicture| aux.id == *id && Arc::ptr_eq(&aux.scene, of);
        let Some(index) = self.aux_pictures.iter().position(is_it) else { return };
        let aux = &mut self.aux_pictures[index];
        aux.shown = Some((drawn.filled.unwrap_or_else(|| of.clone()), drawn.images));
        aux.filling = Filling::of(of, true);
        self.show_aux(index);
    }

    /// Returns all images that are shown beside what is to be shown: the program (`None`), or a picture beside it.
    pub fn images_beside(&self, shown: Option<&AuxId>) -> Vec<Image> {
        let program = self.images.iter().filter(|_| shown.is_some());
        program.chain(self.images_of_pictures_but(|id| Some(id) == shown)).cloned().collect()
    }

    /// Returns the images of all pictures beside the program that are not left out.
    fn images_of_pictures_but(&self, is_left_out: impl Fn(&AuxId) -> bool) -> impl Iterator<Item = &Image> {
        let others = self.aux_pictures.iter().filter(move |aux| !is_left_out(&aux.id));
        others.filter_map(|aux| aux.shown.as_ref()).flat_map(|(_, images)| images)
    }

    /// Returns those of these scenes that outputs show, running or not, and all images that are shown beside them; of
    /// scenes that nobody shows, what is shown is no matter.
    pub fn scenes_in_outputs(&self, names: &[SceneName]) -> (Vec<SceneName>, Vec<Image>) {
        let is_shown = |name: &&SceneName| self.has_aux_source(&AuxSource::Scene(SceneName::clone(name)));
        let shown: Vec<SceneName> = names.iter().filter(is_shown).cloned().collect();
        if shown.is_empty() {
            return (shown, Vec::new());
        }
        let is_of = |wish: &AuxWish| matches!(&wish.source, AuxSource::Scene(name) if shown.contains(name));
        let own: Vec<&AuxId> = self
            .outputs
            .iter()
            .filter(|sending| sending.aux.as_ref().is_some_and(is_of))
            .filter_map(|sending| sending.spec.aux.as_ref())
            .collect();
        let others = self.images_of_pictures_but(|id| own.contains(&id));
        let beside = self.images.iter().chain(others).cloned().collect();
        (shown, beside)
    }

    /// Returns the picture that an output gets now; `None`: the program.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`].
    pub fn aux_of_output(&self, id: &str) -> Result<Option<AuxId>, RoomError> {
        let sending = self.outputs.iter().find(|sending| &*sending.id.0 == id).ok_or(RoomError::NoOutput)?;
        Ok(sending.spec.aux.clone())
    }

    /// Returns the canvas that an output gets: width, height, frames a second.
    pub(super) fn canvas_of(&self, sending: &OutputEntry) -> (u32, u32, u32) {
        let own = |wish: &AuxWish| {
            let known = sending.spec.aux.as_ref().and_then(|id| self.aux_scene(id));
            known.unwrap_or_else(|| Arc::new(wish.read(&self.scenes, &self.scene.canvas)))
        };
        let scene = sending.aux.as_ref().map_or_else(|| self.scene.clone(), own);
        (scene.canvas.width, scene.canvas.height, scene.canvas.fps)
    }

    /// Returns whether an output has its picture from there.
    pub fn has_aux_source(&self, source: &AuxSource) -> bool {
        self.outputs.iter().filter_map(|sending| sending.aux.as_ref()).any(|wish| wish.source == *source)
    }

    /// Returns whether every scene that outputs show is among these.
    ///
    /// # Errors
    /// [`RoomError::SceneInUse`].
    pub fn check_scenes_in_use(&self, scenes: &Scenes) -> Result<(), RoomError> {
        for wish in self.outputs.iter().filter_map(|sending| sending.aux.as_ref()) {
            if let AuxSource::Scene(name) = &wish.source
                && scenes.get(name).is_err()
                && self.scenes.get(name).is_ok()
            {
                return Err(RoomError::SceneInUse { name: name.shared() });
            }
        }
        Ok(())
    }
}
