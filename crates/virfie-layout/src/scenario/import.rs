//! The frame in which every part of a scene is made: where Virfie's canvas is on ours, which files there are, and what
//! is not available.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    assets::{Asset, Files},
    file::Node,
};
use crate::{
    fault::{Fault, child},
    limits,
    scene::Canvas,
};

/// Virfie's canvas in pixels.
pub(super) const STAGE: (f64, f64) = (800.0, 600.0);

/// The colour of Virfie's page.
pub(super) const PAGE: &str = "#111111";

/// The order from back to front: background, people, overlays, layers that triggers show, bars.
pub(super) const Z_PEOPLE: usize = 1;
pub(super) const Z_OVERLAYS: usize = 10_000;
pub(super) const Z_SHOWN: usize = 20_000;
pub(super) const Z_BARS: usize = 30_000;

/// The place of Virfie's canvas on ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    canvas: (f64, f64),
    /// Of its top left corner.
    origin: (f64, f64),
    /// Our pixels for one of Virfie's.
    pub(super) scale: f64,
}

impl Space {
    pub(super) fn of(canvas: &Canvas) -> Self {
        let (width, height) = (f64::from(canvas.width), f64::from(canvas.height));
        let scale = (width / STAGE.0).min(height / STAGE.1);
        // Whole pixels, and even ones, so that the bars end where the picture begins.
        let begin = |whole: f64, stage: f64| ((whole - stage * scale) / 4.0).round() * 2.0;
        Self { canvas: (width, height), origin: (begin(width, STAGE.0), begin(height, STAGE.1)), scale }
    }

    pub(super) fn x(&self, x: f64) -> f64 {
        rounded(self.origin.0 + x * self.scale)
    }

    pub(super) fn y(&self, y: f64) -> f64 {
        rounded(self.origin.1 + y * self.scale)
    }

    pub(super) fn length(&self, length: f64) -> f64 {
        rounded(length * self.scale)
    }

    /// Returns whether nothing is beside it.
    pub(super) fn is_all(&self) -> bool {
        self.origin == (0.0, 0.0)
    }

    /// Returns all of it, as `area` of what triggers draw.
    pub(super) fn area(&self) -> Value {
        json!({"left": self.x(0.0), "top": self.y(0.0), "right": self.x(STAGE.0), "bottom": self.y(STAGE.1)})
    }

    /// Covers what is beside it.
    pub(super) fn bars(&self) -> Vec<Value> {
        let ((width, height), (left, top)) = (self.canvas, self.origin);
        let bar = |id: &str, x: f64, y: f64, width: f64, height: f64| json!({"id": id, "source": {"color": PAGE}, "x": x, "y": y, "width": width, "height": height, "z": Z_BARS});
        let mut bars = Vec::new();
        if left > 0.0 {
            bars.push(bar("bar-left", 0.0, 0.0, left, height));
            bars.push(bar("bar-right", self.x(STAGE.0), 0.0, width - self.x(STAGE.0), height));
        }
        if top > 0.0 {
            bars.push(bar("bar-top", 0.0, 0.0, width, top));
            bars.push(bar("bar-bottom", 0.0, self.y(STAGE.1), width, height - self.y(STAGE.1)));
        }
        bars
    }
}

/// Rounds to hundredths of a pixel, as people read it.
pub(super) fn rounded(length: f64) -> f64 {
    (length * 100.0).round() / 100.0 + 0.0
}

/// The context that one scene is made with.
pub(super) struct Import<'f> {
    pub(super) space: Space,
    pub(super) files: &'f Files,
    pub(super) known: &'f HashMap<&'f str, Asset>,
    pub(super) backgrounds: HashMap<&'f str, &'f Node>,
    pub(super) overlays: HashMap<&'f str, &'f Node>,
    /// Files that were reported as missing.
    pub(super) missing: HashSet<String>,
    pub(super) warnings: Vec<Fault>,
    /// That of the last scene that had any.
    pub(super) music: Option<String>,
}

/// An image or several, and the size of the first one.
pub(super) struct Pictures {
    pub(super) names: Vec<String>,
    pub(super) size: (f64, f64),
}

impl Pictures {
    /// Returns it as a layer's source.
    pub(super) fn source(&self, interval_ms: u32) -> Value {
        match &self.names[..] {
            [one] => json!({"image": one}),
            several => json!({"image": several, "interval_ms": interval_ms}),
        }
    }
}

impl<'f> Import<'f> {
    pub(super) fn warn(&mut self, pointer: &str, detail: impl Into<String>) {
        self.warnings.push(Fault { pointer: pointer.to_owned(), detail: detail.into() });
    }

    /// Returns a sound that is there.
    pub(super) fn sound(&mut self, path: &str, pointer: &str) -> Option<String> {
        let name = self.files.get(path)?.name.clone();
        match self.known.get(name.as_str()) {
            Some(Asset::Sound) => return Some(name),
            Some(Asset::Image(..)) => self.warn(pointer, format!("the asset {name:?} is not a sound")),
            None => self.report_missing(&name, pointer, "sound"),
        }
        None
    }

    /// Returns the images of a background or an overlay that are there.
    pub(super) fn pictures(&mut self, holder: &Node, pointer: &str) -> Option<Pictures> {
        let place = child(pointer, "files");
        let Some(Node::List(list)) = holder.get("files") else {
            self.warn(pointer, "has no list of `files`");
            return None;
        };
        let mut names = Vec::new();
        let mut size = None;
        for (index, item) in list.iter().enumerate() {
            let place = child(&place, &index.to_string());
            let Some(named) = item.text().and_then(|path| self.files.get(path)) else {
                self.warn(&place, "is not the path of a file");
                continue;
            };
            match self.known.get(named.name.as_str()) {
                Some(Asset::Image(width, height)) => {
                    size.get_or_insert((f64::from(*width), f64::from(*height)));
                    names.push(named.name.clone());
                }
                Some(Asset::Sound) => self.warn(&place, format!("the asset {:?} is not an image", named.name)),
                None => self.report_missing(&named.name.clone(), &place, "image"),
            }
        }
        names.truncate(limits::IMAGES);
        Some(Pictures { names, size: size? })
    }

    /// Reports each once.
    pub(super) fn report_missing(&mut self, name: &str, pointer: &str, kind: &str) {
        if self.missing.insert(name.to_owned()) {
            self.warn(pointer, format!("there is no {kind} asset {name:?}"));
        }
    }
}

/// Returns an id that is not taken yet: what of `text` an id can have.
pub(super) fn free_id(text: &str, ids: &mut HashSet<String>) -> String {
    let kept: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' }).collect();
    let kept = if kept.is_empty() { "layer".to_owned() } else { kept[..kept.len().min(56)].to_owned() };
    let numbered = (2..).map(|number| format!("{kept}-{number}"));
    let id = std::iter::once(kept.clone()).chain(numbered).find(|id| !ids.contains(id));
    let id = id.expect("there is always a number that is free");
    ids.insert(id.clone());
    id
}
