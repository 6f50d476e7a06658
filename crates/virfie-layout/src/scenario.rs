//! Scenario files of the browser application Virfie (2021): what they say in layouts of our own. PURE.
//!
//! ```text
//!   text ── Node::parse ──► Node ── import(Node, canvas, what assets there are) ──► scenes, warnings
//! ```
//!
//! Virfie's canvas is 800x600. Here it is the largest 4:3 rectangle in the middle of the room's canvas; where that has
//! another shape, bars of the page's colour cover what is beside it, in front of everything, so that nobody is seen
//! outside. Nothing that a file asks for makes it fail: what is not available is left out, with a warning.
//!
//! Differences from the original: a following overlay keeps its place for a moment when its keypoint is not seen;
//! pictures that take turns do so on the room's clock; weather icons change places by seconds, not by frames; a scene
//! without music has that of the scene before it; people who are in the room but not in a scene do not count for its
//! triggers.
//!
//! * `file`: JSON or a script, as a tree.
//! * `assets`: what files are called here.
//! * `import`: what all parts of a scene are made with.
//! * `people`, `overlays`, `triggers`: one part of a scene each.

mod assets;
mod file;
mod import;
mod overlays;
mod people;
mod triggers;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use self::import::{Import, PAGE, STAGE, Space};
pub use self::{
    assets::{Asset, Files, Named},
    file::{FileError, Node},
};
use super::{
    fault::{Fault, child},
    limits,
    read::read,
    scene::Canvas,
};

/// Most players, overlays or triggers of a scene that are looked at: more than a layout can have.
const MOST_PARTS: usize = 200;

/// Longest name of a scene, in characters.
const NAME_LENGTH: usize = 64;

/// A scenario as scenes of a room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// In order; names differ.
    pub scenes: Vec<ImportedScene>,
    /// Every file that the scenario names, and whether it is there.
    pub assets: Vec<(Named, bool)>,
    /// Things that are not available, with pointers into the file.
    pub warnings: Vec<Fault>,
}

/// One scene.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedScene {
    /// Fit to be a scene's name.
    pub name: String,
    /// A layout that can be read.
    pub layout: Value,
}

/// Turns a scenario file into scenes for a room with this canvas. `asset` says what exists of a file.
///
/// # Errors
/// When it is no scenario at all: no object with at least one scene.
pub fn import(file: &Node, canvas: &Canvas, asset: &dyn Fn(&Named) -> Option<Asset>) -> Result<Imported, Vec<Fault>> {
    let wrong = |pointer: &str, detail: &str| vec![Fault { pointer: pointer.to_owned(), detail: detail.to_owned() }];
    if !matches!(file, Node::Map(_)) {
        return Err(wrong("", "must be an object"));
    }
    let Some(scenes) = file.get("scenes") else { return Err(wrong("", "`scenes` is missing")) };
    let Node::List(list) = scenes else { return Err(wrong("/scenes", "must be a list of scenes")) };
    if list.is_empty() {
        return Err(wrong("/scenes", "must have at least one scene"));
    }
    // What follows takes time for every part.
    if list.len() > limits::SCENES {
        return Err(wrong("/scenes", &format!("has {} scenes; at most {} are possible", list.len(), limits::SCENES)));
    }
    for (index, scene) in list.iter().enumerate() {
        for part in ["players", "overlays", "triggers"] {
            let count = scene.get(part).map_or(0, |part| part.values().len());
            if count > MOST_PARTS {
                let pointer = child(&format!("/scenes/{index}"), part);
                return Err(wrong(&pointer, &format!("has {count} parts; at most {MOST_PARTS} are possible")));
            }
        }
    }
    let files = Files::of(file);
    let known: HashMap<&str, Asset> =
        files.iter().filter_map(|named| Some((named.name.as_str(), asset(named)?))).collect();
    let told = files.iter().map(|named| (named.clone(), known.contains_key(named.name.as_str())));
    let mut import = Import {
        space: Space::of(canvas),
        files: &files,
        known: &known,
        backgrounds: by_name(list.iter().filter_map(|scene| scene.get("background"))),
        overlays: by_name(list.iter().filter_map(|scene| scene.get("overlays")).flat_map(Node::values).map(|(_, o)| o)),
        missing: HashSet::new(),
        warnings: Vec::new(),
        music: None,
    };
    let mut names = HashSet::new();
    let mut imported = Vec::with_capacity(list.len());
    for (index, scene) in list.iter().enumerate() {
        let pointer = format!("/scenes/{index}");
        let name = free_scene_name(scene.get("title").and_then(Node::text), index, &mut names);
        let layout = import.scene(scene, &pointer);
        let layout = import.readable(layout, canvas, &pointer);
        imported.push(ImportedScene { name, layout });
    }
    Ok(Imported { scenes: imported, assets: told.collect(), warnings: import.warnings })
}

/// Backgrounds or overlays by name, over all scenes: of two of one name the last one counts everywhere.
fn by_name<'n>(nodes: impl Iterator<Item = &'n Node>) -> HashMap<&'n str, &'n Node> {
    nodes.filter_map(|node| Some((node.get("name")?.text()?, node))).collect()
}

impl<'f> Import<'f> {
    fn scene(&mut self, scene: &'f Node, pointer: &str) -> Value {
        let mut layers = Vec::new();
        layers.extend(self.background(scene, pointer));
        let people = self.people(scene, pointer, &mut layers);
        let bars = self.space.bars();
        let mut ids: HashSet<String> =
            layers.iter().chain(&bars).filter_map(|layer| Some(layer.get("id")?.as_str()?.to_owned())).collect();
        self.overlays(scene, pointer, &people, &mut ids, &mut layers);
        let triggers = self.triggers(scene, pointer, &people, &mut layers);
        layers.extend(bars);
        let mut layout = json!({
            "canvas": {"background": PAGE}, "layers": layers, "auto": {"mode": "off"}, "triggers": triggers
        });
        if let Some(music) = self.music(scene, pointer) {
            layout["music"] = json!(music);
        }
        if layout["triggers"] == json!([]) {
            layout.as_object_mut().map(|members| members.remove("triggers"));
        }
        layout
    }

    fn background(&mut self, scene: &Node, pointer: &str) -> Option<Value> {
        let pointer = child(pointer, "background");
        let own = scene.get("background")?;
        let shared = own.get("name").and_then(Node::text).and_then(|name| self.backgrounds.get(name).copied());
        let pictures = self.pictures(shared.unwrap_or(own), &pointer)?;
        let interval = own.get("interval").and_then(Node::leading_number).unwrap_or(2000.0);
        let space = self.space;
        Some(json!({
            "id": "background", "source": pictures.source(interval.clamp(16.0, 3_600_000.0) as u32), "fit": "fill",
            "x": space.x(0.0), "y": space.y(0.0), "width": space.length(STAGE.0), "height": space.length(STAGE.1)
        }))
    }

    /// Returns the music of a scene: its own, or else what would still play.
    fn music(&mut self, scene: &Node, pointer: &str) -> Option<String> {
        let audio = scene.get("audio").and_then(Node::text).filter(|path| !path.is_empty());
        if let Some(path) = audio {
            self.music = self.sound(path, &child(pointer, "audio"));
        }
        self.music.clone()
    }

    /// Returns the layout without what cannot be read, and reports that.
    fn readable(&mut self, mut layout: Value, canvas: &Canvas, pointer: &str) -> Value {
        // Every turn leaves something out; the last ones would have to be canvas and `auto`, which are right.
        while let Err(faults) = read(&layout, canvas) {
            let mut doomed: Vec<(&str, usize)> = Vec::new();
            let mut doom = |import: &mut Self, one: (&'static str, usize), detail: &str| {
                // One reason is enough.
                if !doomed.contains(&one) {
                    doomed.push(one);
                    import.warn(pointer, format!("a part of it is not available: {detail}"));
                }
            };
            for fault in &faults {
                let mut parts = fault.pointer.split('/').skip(1);
                let list = match parts.next() {
                    Some("layers") => "layers",
                    Some("triggers") => "triggers",
                    other => {
                        // Too many layers, or a key that is no list.
                        let key = other.unwrap_or_default().to_owned();
                        layout.as_object_mut().map(|members| members.remove(&key));
                        self.warn(pointer, fault.detail.clone());
                        continue;
                    }
                };
                match parts.next().and_then(|index| index.parse().ok()) {
                    Some(index) => doom(self, (list, index), &fault.detail),
                    None => {
                        let last = layout[list].as_array().map_or(0, |all| all.len().saturating_sub(1));
                        doom(self, (list, last), &fault.detail);
                    }
                }
            }
            doomed.sort_unstable();
            for (list, index) in doomed.into_iter().rev() {
                if let Some(all) = layout[list].as_array_mut().filter(|all| index < all.len()) {
                    all.remove(index);
                }
            }
        }
        layout
    }
}

/// Returns a scene's name that is not taken yet: what of the title a name can have.
fn free_scene_name(title: Option<&str>, index: usize, names: &mut HashSet<String>) -> String {
    let number = index + 1;
    let separates = |c: char| matches!(c, '/' | '\\' | '?' | '#' | '%');
    let legal = |c: char| if limits::is_unprintable(c) || separates(c) { ' ' } else { c };
    let kept: String = title.unwrap_or_default().chars().map(legal).take(NAME_LENGTH - 8).collect();
    let kept = kept.trim_end().trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let is_free = |name: &str| limits::is_readable(name) && !matches!(name, "next" | "previous");
    let base = if is_free(kept) { kept.to_owned() } else { format!("Scene {number}") };
    let numbered = (2..).map(|number| format!("{base} {number}"));
    let name = std::iter::once(base.clone()).chain(numbered).find(|name| !names.contains(name));
    let name = name.expect("there is always a number that is free");
    names.insert(name.clone());
    name
}

#[cfg(test)]
mod tests;
