//! JSON in, a validated [`Scene`] or every wrong place out.

use serde_json::Value;

use super::{
    fault::{Fault, child},
    fields::Fields,
    limits, read_cut, read_layer, read_look, read_trigger,
    scene::{Auto, AutoMode, Background, Canvas, Scene, SceneLayer, Source},
};

/// Reads and validates a layout. Keys of `canvas` that are left out are taken from `base`, the room's canvas;
/// everything else that is left out gets its default, never what was shown before.
///
/// # Errors
/// Every wrong place, in reading order. A key that the format knows but nothing carries out yet is one of them.
pub fn read(value: &Value, base: &Canvas) -> Result<Scene, Vec<Fault>> {
    let mut faults = Vec::new();
    let scene = layout(value, base, &mut faults);
    match scene {
        Some(scene) if faults.is_empty() => Ok(scene),
        _ => Err(faults),
    }
}

/// Reads and validates a canvas alone, as in a room's settings. Keys that are left out are taken from `base`.
///
/// # Errors
/// Every wrong place; the pointers begin with `pointer`, where the canvas stands in the caller's document.
pub fn read_canvas(value: &Value, pointer: &str, base: &Canvas) -> Result<Canvas, Vec<Fault>> {
    let mut faults = Vec::new();
    let canvas = Fields::open(value, pointer.to_owned(), &mut faults)
        .map_or_else(|| base.clone(), |fields| canvas(fields, base));
    if faults.is_empty() { Ok(canvas) } else { Err(faults) }
}

fn layout(value: &Value, base: &Canvas, faults: &mut Vec<Fault>) -> Option<Scene> {
    let mut fields = Fields::open(value, String::new(), faults)?;
    // Warnings come with answers, which may be sent back as they are.
    fields.check_keys(&["canvas", "layers", "auto", "transition", "triggers", "music", "warnings"]);
    let canvas = fields.object("canvas").map_or_else(|| base.clone(), |fields| canvas(fields, base));
    let auto = fields.object("auto").map_or_else(Auto::default, auto);
    let transition = read_look::transition(&mut fields).unwrap_or_default();
    let list: &[Value] = match fields.get("layers") {
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
    let triggers = fields.get("triggers");
    let music = if fields.has("music") { fields.asset("music") } else { None };
    let layers = layers(&list[..list.len().min(limits::LAYERS)], faults);
    check_follows(list, &layers, faults);
    check_clips(list, faults);
    let triggers = triggers.map_or_else(Vec::new, |value| read_trigger::triggers(value, &layers, faults));
    Some(Scene { canvas, layers, auto, transition, triggers, music })
}

fn layers(list: &[Value], faults: &mut Vec<Fault>) -> Vec<SceneLayer> {
    let mut layers: Vec<SceneLayer> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let pointer = format!("/layers/{index}");
        let Some(layer) = read_layer::layer(value, &pointer, faults) else { continue };
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
    fields.check_keys(&["width", "height", "fps", "background"]);
    let width = side(&mut fields, "width", &limits::CANVAS_WIDTH).unwrap_or(base.width);
    let height = side(&mut fields, "height", &limits::CANVAS_HEIGHT).unwrap_or(base.height);
    let fps = fields.integer("fps", &limits::FPS).map_or(base.fps, |fps| fps as u32);
    let background = background(&mut fields).unwrap_or_else(|| base.background.clone());
    Canvas { width, height, fps, background }
}

/// Returns a side of the canvas. Video is coded with half the colour resolution (4:2:0), so it must be even.
fn side(fields: &mut Fields, key: &str, range: &std::ops::RangeInclusive<i64>) -> Option<u32> {
    let side = fields.integer(key, range)?;
    if side % 2 != 0 {
        fields.fault(key, "must be even");
        return None;
    }
    Some(side as u32)
}

fn background(fields: &mut Fields) -> Option<Background> {
    match fields.get("background")? {
        Value::String(text) if text.starts_with('#') => fields.color("background").map(Background::Color),
        Value::String(_) => fields.asset("background").map(Background::Image),
        _ => {
            fields.fault("background", "must be a colour such as #1a2b3c or an asset's name");
            None
        }
    }
}

fn auto(mut fields: Fields) -> Auto {
    fields.check_keys(&["mode", "gap", "cutout", "threshold", "feather", "smoothing", "model"]);
    Auto {
        mode: fields.choice("mode", &AutoMode::NAMES).unwrap_or_default(),
        gap: fields.length("gap", &limits::GAP).unwrap_or(Auto::GAP),
        cutout: read_cut::cutout(&mut fields),
        cut_options: read_cut::options(&mut fields),
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
