//! JSON in, a validated [`Scene`] or every wrong place out.
//!
//! * `fields`: one object of it, and the faults that are found there.
//! * `layer`, `source`, `cut`, `look`, `trigger`: the parts of a layout.

mod cut;
mod fields;
mod layer;
mod look;
mod source;
mod trigger;

use serde_json::Value;

use self::fields::Fields;
use super::{
    fault::{Fault, child},
    fields::{self as in_texts, Field, Piece},
    fill::belongs_to,
    limits,
    scene::{Auto, Background, Canvas, Scene, SceneLayer, Source},
    schema::{self, Integer, Key},
};

/// Reads and validates a layout. Keys of `canvas` that are left out are taken from `base`, the room's canvas;
/// everything else that is left out gets its default, never what was shown before.
///
/// # Errors
/// Every wrong place, in reading order. A key that the format knows but nothing carries out yet is one of them.
pub fn read(value: &Value, base: &Canvas) -> Result<Scene, Vec<Fault>> {
    read_beside(value, base, &[])
}

/// Reads what a layout becomes by a change. What fields say wrong there already is no fault of the change: the layout may
/// have been kept before texts had fields.
///
/// # Errors
/// Every other wrong place, as [`read`].
pub fn read_changed(value: &Value, before: &Scene) -> Result<Scene, Vec<Fault>> {
    read_beside(value, &before.canvas, &wrong_fields(&before.to_json(), Some(before)))
}

/// Reads a layout, in which these fields may be wrong.
fn read_beside(value: &Value, base: &Canvas, known: &[WrongField]) -> Result<Scene, Vec<Fault>> {
    let mut faults = Vec::new();
    let scene = layout(value, base, &mut faults);
    let wrong = wrong_fields(value, scene.as_ref()).into_iter();
    let news = wrong.filter(|wrong| !known.iter().any(|known| known.is_same(wrong)));
    faults.extend(news.map(WrongField::fault));
    match scene {
        Some(scene) if faults.is_empty() => Ok(scene),
        _ => Err(faults),
    }
}

/// Reads a layout that was kept, maybe before texts had fields: a wrong one is shown as it is written.
///
/// # Errors
/// Every other wrong place, as [`read`].
pub fn read_kept(value: &Value, base: &Canvas) -> Result<Scene, Vec<Fault>> {
    let mut faults = Vec::new();
    match layout(value, base, &mut faults) {
        Some(scene) if faults.is_empty() => Ok(scene),
        _ => Err(faults),
    }
}

/// Returns the fields of a layout's texts that cannot be what they say, which [`read_kept`] lets pass.
pub fn wrong_in_texts(scene: &Scene) -> Vec<Fault> {
    // Nearly no layout has braces.
    if !scene.letterings().any(|(_, lettering)| lettering.text.text.contains('{')) {
        return Vec::new();
    }
    wrong_fields(&scene.to_json(), Some(scene)).into_iter().map(WrongField::fault).collect()
}

/// Reads and validates a canvas alone, as in a room's settings. Keys that are left out are taken from `base`.
///
/// # Errors
/// Every wrong place; the pointers begin with `pointer`, where the canvas stands in the caller's document.
pub fn read_canvas(value: &Value, pointer: &str, base: &Canvas) -> Result<Canvas, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::open(value, pointer.to_owned(), &mut faults);
    if let Some(fields) = &mut fields {
        fields.check_rows(schema::Canvas::ROWS);
    }
    let canvas = fields.map_or_else(|| base.clone(), |fields| canvas(fields, base));
    if faults.is_empty() { Ok(canvas) } else { Err(faults) }
}

fn layout(value: &Value, base: &Canvas, faults: &mut Vec<Fault>) -> Option<Scene> {
    let keys = schema::Layout::KEYS;
    let mut fields = Fields::open(value, String::new(), faults)?;
    fields.check_rows(schema::Layout::ROWS);
    // Warnings come with answers, which may be sent back as they are.
    let _ = &keys.warnings;
    let canvas = fields.inner(&keys.canvas).map_or_else(|| base.clone(), |fields| canvas(fields, base));
    let auto = fields.inner(&keys.auto).map_or_else(Auto::default, auto);
    let transition = fields.inner(&keys.transition).map(look::transition).unwrap_or_default();
    let list: &[Value] = match fields.get(keys.layers.name) {
        None => &[],
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => {
            fields.fault("layers", "must be a list of layers");
            &[]
        }
    };
    if list.len() > limits::LAYERS {
        fields.fault("layers", format!("has {} layers; at most {} are possible", list.len(), limits::LAYERS));
    }
    let triggers = fields.get(keys.triggers.name);
    let music = fields.read(&keys.music);
    let layers = layers(&list[..list.len().min(limits::LAYERS)], faults);
    check_follows(list, &layers, faults);
    check_clips(list, faults);
    let triggers = triggers.map_or_else(Vec::new, |value| trigger::triggers(value, &layers, faults));
    Some(Scene { canvas, layers, auto, transition, triggers, music })
}

fn layers(list: &[Value], faults: &mut Vec<Fault>) -> Vec<SceneLayer> {
    let mut layers: Vec<SceneLayer> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let pointer = format!("/layers/{index}");
        let Some(layer) = layer::layer(value, &pointer, faults) else { continue };
        if layers.iter().any(|other| other.id == layer.id) {
            faults.push(Fault {
                pointer: child(&pointer, "id"),
                detail: format!("another layer has the id `{}` too", layer.id),
            });
        }
        layers.push(layer);
    }
    layers
}

/// Reports layers that follow what shows no person. A chain of followers needs no check: nobody follows a follower.
fn check_follows(list: &[Value], layers: &[SceneLayer], faults: &mut Vec<Fault>) {
    for (index, value) in list.iter().enumerate().take(limits::LAYERS) {
        let Some(id) = value["id"].as_str() else { continue };
        let Some(layer) = layers.iter().find(|layer| layer.id == id) else { continue };
        let Some(follow) = &layer.follow else { continue };
        let fault = match layers.iter().find(|other| other.id == follow.layer) {
            None => format!("there is no layer `{}`", follow.layer),
            Some(other) if other.follow.is_some() => format!("layer `{}` follows another itself", follow.layer),
            Some(other) if !matches!(other.source, Source::Participant(_) | Source::Slot(_)) => {
                format!("layer `{}` shows no participant", follow.layer)
            }
            Some(_) => continue,
        };
        faults.push(Fault { pointer: format!("/layers/{index}/follow/layer"), detail: fault });
    }
}

/// A field of a text that cannot be what it says.
struct WrongField {
    /// The layer's place.
    index: usize,
    /// Its id, if it has one that can be read.
    id: Option<String>,
    /// The text.
    text: String,
    detail: String,
}

impl WrongField {
    /// Returns whether it is as wrong as another one, of the same text or in the same layer.
    fn is_same(&self, other: &Self) -> bool {
        self.detail == other.detail && (self.text == other.text || (self.id.is_some() && self.id == other.id))
    }

    fn fault(self) -> Fault {
        Fault { pointer: format!("/layers/{}/source/text", self.index), detail: self.detail }
    }
}

/// Returns the fields of texts that cannot be what they say.
fn wrong_fields(value: &Value, scene: Option<&Scene>) -> Vec<WrongField> {
    let layers = scene.map_or(&[][..], |scene| &scene.layers);
    let mut found = Vec::new();
    for (index, value) in value["layers"].as_array().into_iter().flatten().enumerate().take(limits::LAYERS) {
        let Some(text) = value["source"]["text"].as_str() else { continue };
        let mut wrong = in_texts::faults(text);
        // Of a layer that cannot be read it is not known what it belongs to.
        if let Some(place) = layers.iter().position(|layer| value["id"] == layer.id.as_str()) {
            wrong.extend(in_texts::parse(text).into_iter().filter_map(|piece| match piece {
                Piece::Field(Field::Name(id)) if belongs_to(layers, place, id.as_deref()).is_none() => Some(match id {
                    Some(id) if layers.iter().any(|layer| layer.id == id) => {
                        format!("layer `{id}` shows no participant")
                    }
                    Some(id) => format!("there is no layer `{id}`"),
                    None => "`{name}` needs a layer that shows a participant".to_owned(),
                }),
                _ => None,
            }));
        }
        let id = value["id"].as_str();
        found.extend(wrong.into_iter().map(|detail| WrongField {
            index,
            id: id.map(str::to_owned),
            text: text.to_owned(),
            detail,
        }));
    }
    found
}

/// Reports layers that show one clip more often than is possible.
fn check_clips(list: &[Value], faults: &mut Vec<Fault>) {
    let mut clips: Vec<&str> = Vec::new();
    for (index, value) in list.iter().enumerate().take(limits::LAYERS) {
        let Some(name) = value["source"]["video"].as_str().filter(|name| !clips.contains(name)) else { continue };
        clips.push(name);
        if clips.len() > limits::CLIPS {
            let pointer = format!("/layers/{index}/source/video");
            faults.push(Fault { pointer, detail: format!("at most {} clips are possible", limits::CLIPS) });
        }
    }
}

fn canvas(mut fields: Fields, base: &Canvas) -> Canvas {
    let keys = schema::Canvas::KEYS;
    let width = side(&mut fields, &keys.width).unwrap_or(base.width);
    let height = side(&mut fields, &keys.height).unwrap_or(base.height);
    let fps = fields.read(&keys.fps).unwrap_or(base.fps);
    let background = background(&mut fields, keys.background.name).unwrap_or_else(|| base.background.clone());
    Canvas { width, height, fps, background }
}

/// Returns a side of the canvas. Video is coded with half the colour resolution (4:2:0), so it must be even.
fn side(fields: &mut Fields, key: &Key<Integer<u32>>) -> Option<u32> {
    let side = fields.read(key)?;
    if side % 2 != 0 {
        fields.fault(key.name, "must be even");
        return None;
    }
    Some(side)
}

fn background(fields: &mut Fields, key: &str) -> Option<Background> {
    match fields.get(key)? {
        Value::String(text) if text.starts_with('#') => fields.color(key).map(Background::Color),
        Value::String(_) => fields.asset(key).map(Background::Image),
        _ => {
            fields.fault(key, "must be a colour such as #1a2b3c or an asset's name");
            None
        }
    }
}

fn auto(mut fields: Fields) -> Auto {
    let keys = schema::Auto::KEYS;
    Auto {
        mode: fields.read_or_usual(&keys.mode),
        gap: fields.read_or_usual(&keys.gap),
        cutout: cut::cutout(&mut fields, &keys.cutout),
        cut_options: cut::options(&mut fields, &keys.threshold, &keys.feather, &keys.smoothing, &keys.model),
    }
}

#[cfg(test)]
mod tests;
