//! Names in a scene of things outside of it: images, clips, sounds, fonts, models. PURE.

use super::{
    lettering::Lettering,
    model_name::ModelName,
    scene::{Background, Images, Scene, SceneLayer, Source},
    trigger::Trigger,
    values::AssetKind,
};

impl Scene {
    /// Returns the models that layers and `auto` name, in their order.
    pub fn model_names(&self) -> impl Iterator<Item = ModelName> + '_ {
        let layers = self.layers.iter().map(|layer| layer.cut_options.model);
        layers.chain([self.auto.cut_options.model]).flatten()
    }

    /// Returns the texts to be drawn, each with the index of its layer. One whose fields stand for nothing now has
    /// nothing to draw.
    pub fn letterings(&self) -> impl Iterator<Item = (usize, Lettering<'_>)> {
        let layers = self.layers.iter().enumerate();
        let texts = layers.filter_map(|(index, layer)| Some((index, Lettering::of(layer, &self.canvas)?)));
        texts.filter(|(_, lettering)| !lettering.text.text.trim().is_empty())
    }

    /// Returns all assets that the scene needs, with their kinds: the background first, then those of layers, triggers
    /// and music; a name that is used twice comes twice.
    fn assets(&self) -> impl Iterator<Item = (AssetKind, &str)> {
        let Scene { canvas, layers, triggers, music, auto: _, transition: _ } = self;
        let background = match &canvas.background {
            Background::Image(name) => Some((AssetKind::Image, name.as_str())),
            Background::Color(_) => None,
        };
        let layers = layers.iter().flat_map(layer_assets);
        let triggers = triggers.iter().flat_map(Trigger::assets);
        let music = music.as_deref().map(|name| (AssetKind::Sound, name));
        background.into_iter().chain(layers).chain(triggers).chain(music)
    }

    fn assets_of(&self, kind: AssetKind) -> impl Iterator<Item = &str> {
        self.assets().filter(move |(of, _)| *of == kind).map(|(_, name)| name)
    }

    /// Returns the image assets that the scene needs, background first; a name that is used twice comes twice.
    pub fn image_names(&self) -> impl Iterator<Item = &str> {
        self.assets_of(AssetKind::Image)
    }

    /// Returns the sound assets that the scene needs; a name that is used twice comes twice.
    pub fn sound_names(&self) -> impl Iterator<Item = &str> {
        self.assets_of(AssetKind::Sound)
    }

    /// Returns the clip assets that the scene needs; a name that is used twice comes twice.
    pub fn clip_names(&self) -> impl Iterator<Item = &str> {
        self.assets_of(AssetKind::Clip)
    }

    /// Returns whether something has to be decoded or drawn before it can be shown whole.
    pub fn needs_images(&self) -> bool {
        self.image_names().chain(self.clip_names()).next().is_some() || self.letterings().next().is_some()
    }

    /// Returns whether a layer needs the asset of this name; `family`: what texts can call it, too.
    pub fn needs(&self, asset: &str, family: Option<&str>) -> bool {
        let mut fonts = self.letterings().map(|(_, lettering)| lettering.text.font.as_str());
        self.assets().any(|(_, name)| name == asset) || fonts.any(|font| font == asset || Some(font) == family)
    }
}

/// Returns the assets of a layer. Fonts are found by their texts.
fn layer_assets(layer: &SceneLayer) -> impl Iterator<Item = (AssetKind, &str)> {
    // All of its parts are named, so that one that is added is thought of here.
    let SceneLayer {
        source,
        fallback,
        id: _,
        x: _,
        y: _,
        size: _,
        anchor: _,
        fit: _,
        crop: _,
        z: _,
        opacity: _,
        mirror: _,
        cutout: _,
        cut_options: _,
        lost: _,
        radius: _,
        border: _,
        rotate: _,
        blur: _,
        follow: _,
        transition: _,
    } = layer;
    let (kind, shown): (AssetKind, &[String]) = match source {
        Source::Image(name) => (AssetKind::Image, std::slice::from_ref(name)),
        Source::Images(Images { names, interval_ms: _ }) => (AssetKind::Image, names),
        Source::Video(name) => (AssetKind::Clip, std::slice::from_ref(name)),
        Source::Participant(_) | Source::Slot(_) | Source::Color(_) | Source::Text(_) => (AssetKind::Image, &[]),
    };
    let shown = shown.iter().map(move |name| (kind, name.as_str()));
    shown.chain(fallback.iter().map(|name| (AssetKind::Image, name.as_str())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::{read, scene::Canvas, schema::keys::asset_keys};

    /// Collects every name with this ending in `value`, and the keys under which they stand.
    fn named(value: &Value, under: &str, ending: &str, names: &mut BTreeSet<String>, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, inner)| named(inner, key, ending, names, keys)),
            Value::Array(list) => list.iter().for_each(|inner| named(inner, under, ending, names, keys)),
            Value::String(text) if text.ends_with(ending) => {
                names.insert(text.clone());
                keys.insert(under.to_owned());
            }
            _ => {}
        }
    }

    #[test]
    fn every_name_is_found_and_every_key_that_names_something_is_known() {
        let layout = json!({
            "canvas": {"background": "a.png"},
            "layers": [
                {"id": "a", "source": {"image": "b.png"}},
                {"id": "b", "source": {"image": ["c.png", "d.png"]}},
                {"id": "c", "source": {"video": "a.mp4"}},
                {"id": "d", "source": {"slot": 1}, "fallback": "e.png"}
            ],
            "triggers": [{"id": "t", "when": "always", "do": [
                {"sound": "a.ogg"},
                {"icons": {"image": ["f.png"], "width": 10, "shuffle_ms": 1000}},
                {"polaroid": {"image": "g.png", "width": 10, "height": 10, "photo_width": 10, "photo_height": 10,
                              "every_ms": 1000, "sound": "b.ogg"}}
            ]}],
            "music": "c.ogg"
        });
        let scene = read(&layout, &Canvas::default()).unwrap();
        for (ending, kind) in [(".png", AssetKind::Image), (".mp4", AssetKind::Clip), (".ogg", AssetKind::Sound)] {
            let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
            named(&layout, "", ending, &mut names, &mut keys);
            let found: BTreeSet<String> = scene.assets_of(kind).map(str::to_owned).collect();
            assert_eq!(found, names, "{kind:?}");
            assert_eq!(keys.iter().map(String::as_str).collect::<Vec<_>>(), asset_keys(kind), "{kind:?}");
        }
        assert!(scene.needs("b.ogg", None) && scene.needs("e.png", None) && !scene.needs("h.png", None));
    }
}
