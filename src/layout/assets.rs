//! What a scene names that is not in it: images, clips, sounds, fonts, models. PURE.

use super::{
    lettering::Lettering,
    model_name::ModelName,
    scene::{Background, Scene, Source},
    trigger::Trigger,
};

impl Scene {
    /// Returns the models that layers and `auto` name, in their order.
    pub fn model_names(&self) -> impl Iterator<Item = ModelName> + '_ {
        let layers = self.layers.iter().map(|layer| layer.cut_options.model);
        layers.chain([self.auto.cut_options.model]).flatten()
    }

    /// Returns the texts to be drawn, each with the index of its layer.
    pub fn letterings(&self) -> impl Iterator<Item = (usize, Lettering<'_>)> {
        let layers = self.layers.iter().enumerate();
        layers.filter_map(|(index, layer)| Some((index, Lettering::of(layer, &self.canvas)?)))
    }

    /// Returns the image assets that the scene needs, background first; a name that is used twice comes twice.
    pub fn image_names(&self) -> impl Iterator<Item = &str> {
        let background = match &self.canvas.background {
            Background::Image(name) => Some(name.as_str()),
            Background::Color(_) => None,
        };
        let layers = self.layers.iter().flat_map(|layer| {
            let shown: &[String] = match &layer.source {
                Source::Image(name) => std::slice::from_ref(name),
                Source::Images(images) => &images.names,
                _ => &[],
            };
            shown.iter().chain(&layer.fallback).map(String::as_str)
        });
        background.into_iter().chain(layers).chain(self.triggers.iter().flat_map(Trigger::image_names))
    }

    /// Returns the sound assets that the scene needs; a name that is used twice comes twice.
    pub fn sound_names(&self) -> impl Iterator<Item = &str> {
        self.triggers.iter().flat_map(Trigger::sound_names).chain(self.music.as_deref())
    }

    /// Returns whether something has to be decoded or drawn before it can be shown whole.
    pub fn needs_images(&self) -> bool {
        self.image_names().chain(self.clip_names()).next().is_some() || self.letterings().next().is_some()
    }

    /// Returns the clip assets that the scene needs; a name that is used twice comes twice.
    pub fn clip_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| match &layer.source {
            Source::Video(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns whether a layer needs the asset of this name; `family`: what texts can call it, too.
    pub fn needs(&self, asset: &str, family: Option<&str>) -> bool {
        let mut fonts = self.letterings().map(|(_, lettering)| lettering.text.font.as_str());
        let mut shown = self.image_names().chain(self.clip_names()).chain(self.sound_names());
        shown.any(|name| name == asset) || fonts.any(|font| font == asset || Some(font) == family)
    }
}
