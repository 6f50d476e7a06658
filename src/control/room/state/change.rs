//! Changes of a room that requests ask for, as the JSON that the room would have. PURE.

use serde_json::{Value, json};

use super::{pose, stage::Landing, view::Settings};
use crate::{
    control::room::error::RoomError,
    layout::{self, Canvas, CanvasLimit, Fault, Scene},
    media::port::Segmentation,
};

/// Longest time that a lost participant's place may be kept, in milliseconds.
pub const MAX_HOLD_MS: u64 = 600_000;

/// Most participants that a room can be set to.
pub const MAX_PARTICIPANTS: u32 = 1000;

/// A change of the layout.
#[derive(Debug, Clone, PartialEq)]
pub enum LayoutChange {
    /// This instead.
    Replace(Value),
    /// This instead, which was kept, maybe before texts had fields.
    Restore(Value),
    /// A JSON Merge Patch (RFC 7396) of the layout.
    Merge(Value),
    /// A JSON Merge Patch of one layer.
    MergeLayer {
        /// The layer's id.
        id: String,
        /// The patch.
        patch: Value,
    },
    /// One layer less.
    RemoveLayer {
        /// The layer's id.
        id: String,
    },
}

/// A layout that was read, and the JSON that it was read from.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The validated layout.
    pub scene: Scene,
    /// The JSON that it was read from: missing images are looked for in it.
    pub body: Value,
    /// Pointer to the part of `body` that the client sent; its pointers are reported without it.
    prefix: String,
    /// The canvas before it.
    before: Canvas,
}

impl Draft {
    /// Looks whether the canvas is one that the operator lets rooms have.
    ///
    /// # Errors
    /// [`RoomError::Invalid`].
    pub fn check_canvas(&self, largest: &CanvasLimit) -> Result<(), RoomError> {
        let faults = largest.faults(&self.scene.canvas, &self.before);
        if faults.is_empty() { Ok(()) } else { Err(self.faults(faults)) }
    }

    /// Makes faults name places of what the client sent.
    pub fn faults(&self, faults: Vec<Fault>) -> RoomError {
        relative(faults, &self.prefix)
    }
}

/// Names places inside the part that was sent by their place in it; others keep theirs.
fn relative(faults: Vec<Fault>, prefix: &str) -> RoomError {
    let shorten = |fault: Fault| {
        let inner = match fault.pointer.strip_prefix(prefix) {
            Some(inner) if inner.is_empty() || inner.starts_with('/') => inner.to_owned(),
            _ => fault.pointer,
        };
        Fault { pointer: inner, detail: fault.detail }
    };
    RoomError::Invalid(faults.into_iter().map(shorten).collect())
}

impl LayoutChange {
    /// Returns what the layout becomes. Canvas keys that the result leaves out are those of the room now.
    ///
    /// # Errors
    /// [`RoomError::NoLayer`], or [`RoomError::Invalid`] with every wrong place.
    pub fn draft(&self, now: &Scene) -> Result<Draft, RoomError> {
        let (body, prefix) = match self {
            Self::Replace(body) | Self::Restore(body) => (body.clone(), String::new()),
            Self::Merge(patch) => (layout::merge(&now.to_json(), patch), String::new()),
            Self::MergeLayer { id, patch } => {
                let mut body = now.to_json();
                let (index, layer) = find_layer(&mut body, id)?;
                *layer = layout::merge(layer, patch);
                (body, format!("/layers/{index}"))
            }
            Self::RemoveLayer { id } => {
                let mut body = now.to_json();
                let (index, _) = find_layer(&mut body, id)?;
                if let Some(layers) = body.get_mut("layers").and_then(Value::as_array_mut) {
                    layers.remove(index);
                }
                (body, String::new())
            }
        };
        let read = match self {
            Self::Replace(_) => layout::read(&body, &now.canvas),
            Self::Restore(_) => layout::read_kept(&body, &now.canvas),
            Self::Merge(_) | Self::MergeLayer { .. } | Self::RemoveLayer { .. } => layout::read_changed(&body, now),
        };
        match read {
            Ok(scene) => Ok(Draft { scene, body, prefix, before: now.canvas.clone() }),
            Err(faults) => Err(relative(faults, &prefix)),
        }
    }
}

fn find_layer<'a>(body: &'a mut Value, id: &str) -> Result<(usize, &'a mut Value), RoomError> {
    body.get_mut("layers")
        .and_then(Value::as_array_mut)
        .and_then(|layers| layers.iter_mut().enumerate().find(|(_, layer)| layer["id"] == id))
        .ok_or(RoomError::NoLayer)
}

/// A change of a room's settings; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsChange {
    /// A JSON Merge Patch of the canvas.
    pub canvas: Option<Value>,
    /// Most participants who may be in, 1 to 1000.
    pub max_participants: Option<u32>,
    /// Time for which a lost participant's place is kept, in milliseconds, 0 to 600000.
    pub hold_ms: Option<u64>,
    /// Whether keypoints are found. Only a machine that can find them takes `true`.
    pub keypoints: Option<bool>,
    /// Where guests land.
    pub guests_land: Option<Landing>,
    /// Whether guests are kept out.
    pub locked: Option<bool>,
}

impl SettingsChange {
    /// Returns what the settings and the layout become. `able`: what the machine can do.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with every wrong place.
    pub fn draft(
        &self,
        now: &Settings,
        scene: &Scene,
        able: &Segmentation,
    ) -> Result<(Settings, Option<Draft>), RoomError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, detail: String| faults.push(Fault { pointer: pointer.to_owned(), detail });
        let max_participants = self.max_participants.unwrap_or(now.max_participants);
        if self.max_participants.is_some_and(|max| max == 0 || max > MAX_PARTICIPANTS) {
            fault("/max_participants", format!("must be from 1 to {MAX_PARTICIPANTS}"));
        }
        let hold_ms = self.hold_ms.unwrap_or(now.hold_ms);
        if hold_ms > MAX_HOLD_MS {
            fault("/hold_ms", format!("must be from 0 to {MAX_HOLD_MS}"));
        }
        if self.keypoints == Some(true)
            && let Some(why) = pose::why_none(able)
        {
            fault("/keypoints", format!("cannot be true: {why}"));
        }
        let keypoints = self.keypoints.unwrap_or(now.keypoints);
        let guests_land = self.guests_land.unwrap_or(now.guests_land);
        let locked = self.locked.unwrap_or(now.locked);
        let draft = match self.canvas.as_ref().map(|patch| draft_canvas(patch, scene)) {
            None => None,
            Some(Ok(draft)) => Some(draft),
            Some(Err(more)) => {
                faults.extend(more);
                None
            }
        };
        if faults.is_empty() {
            Ok((Settings { max_participants, hold_ms, keypoints, guests_land, locked }, draft))
        } else {
            Err(RoomError::Invalid(faults))
        }
    }
}

/// Returns the layout with a changed canvas; its keys that are left out stay.
fn draft_canvas(patch: &Value, scene: &Scene) -> Result<Draft, Vec<Fault>> {
    let canvas = layout::read_canvas(patch, "/canvas", &scene.canvas)?;
    let before = scene.canvas.clone();
    let scene = Scene { canvas, ..scene.clone() };
    Ok(Draft { scene, body: json!({ "canvas": patch }), prefix: String::new(), before })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scene() -> Scene {
        let body = json!({"layers": [
            {"id": "back", "source": {"color": "#102030"}, "z": 0},
            {"id": "ann", "source": {"participant": "ann"}, "x": 0, "y": 0, "width": 100, "z": 1}
        ]});
        layout::read(&body, &Canvas::default()).unwrap()
    }

    fn settings() -> Settings {
        Settings::new(10, 2000)
    }

    fn able(keypoints: bool) -> Segmentation {
        Segmentation { model: Some("narrow".into()), reason: None, keypoints }
    }

    #[test]
    fn a_replacement_keeps_the_rooms_canvas() {
        let mut now = scene();
        now.canvas.width = 640;
        let draft = LayoutChange::Replace(json!({})).draft(&now).unwrap();
        assert_eq!(draft.scene.canvas, now.canvas);
        assert_eq!(draft.scene.layers.len(), 0);
    }

    #[test]
    fn a_layer_is_changed_alone_and_its_faults_name_places_of_the_patch() {
        let change = |patch| LayoutChange::MergeLayer { id: "ann".into(), patch }.draft(&scene());
        assert_eq!(change(json!({"x": 30})).unwrap().body["layers"][1]["x"], json!(30));
        let RoomError::Invalid(faults) = change(json!({"x": "many"})).unwrap_err() else { panic!() };
        assert_eq!(faults[0].pointer, "/x");
        let RoomError::Invalid(faults) = change(json!(3)).unwrap_err() else { panic!() };
        assert_eq!(faults[0].pointer, "");
    }

    #[test]
    fn a_missing_layer_is_said() {
        let change = LayoutChange::RemoveLayer { id: "bob".into() };
        assert_eq!(change.draft(&scene()).unwrap_err(), RoomError::NoLayer);
        let change = LayoutChange::RemoveLayer { id: "back".into() };
        assert_eq!(change.draft(&scene()).unwrap().scene.layers.len(), 1);
    }

    #[test]
    fn what_was_wrong_in_texts_before_is_no_fault_of_a_change() {
        let body = json!({"layers": [
            {"id": "ann", "source": {"participant": "ann"}},
            {"id": "old", "source": {"text": "{clock of doom} {name x}"}},
            {"id": "name", "source": {"text": "{name ann}"}}
        ]});
        let kept = LayoutChange::Restore(body.clone()).draft(&scene()).unwrap().scene;
        let places = |change: LayoutChange| match change.draft(&kept) {
            Ok(_) => Vec::new(),
            Err(RoomError::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            Err(other) => panic!("{other:?}"),
        };
        let layer = |id: &str, patch| LayoutChange::MergeLayer { id: id.to_owned(), patch };
        let none: Vec<String> = Vec::new();
        assert_eq!(places(LayoutChange::Merge(json!({"auto": {"mode": "off"}}))), none);
        assert_eq!(places(layer("ann", json!({"x": 5}))), none);
        assert_eq!(places(layer("old", json!({"x": 5, "id": "new"}))), none);
        assert_eq!(places(LayoutChange::RemoveLayer { id: "name".into() }), none);
        // What the change makes wrong is its fault.
        assert_eq!(places(LayoutChange::RemoveLayer { id: "ann".into() }), ["/layers/1/source/text"]);
        assert_eq!(places(layer("name", json!({"source": {"text": "{name x}"}}))), ["/source/text"]);
        assert_eq!(places(LayoutChange::Replace(body)), ["/layers/1/source/text", "/layers/1/source/text"]);
    }

    #[test]
    fn all_wrong_settings_are_named_at_once() {
        let change = SettingsChange {
            canvas: Some(json!({"width": -1})),
            max_participants: Some(0),
            hold_ms: Some(1_000_000),
            keypoints: Some(true),
            ..SettingsChange::default()
        };
        let Err(RoomError::Invalid(faults)) = change.draft(&settings(), &scene(), &able(false)) else { panic!() };
        let pointers: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/max_participants", "/hold_ms", "/keypoints", "/canvas/width"]);
    }

    #[test]
    fn keypoints_are_refused_with_what_is_missing() {
        let change = SettingsChange { keypoints: Some(true), ..SettingsChange::default() };
        let fault = |able: &Segmentation| match change.draft(&settings(), &scene(), able) {
            Err(RoomError::Invalid(faults)) => faults[0].detail.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(&able(false)), "cannot be true: the model narrow finds no keypoints");
        let none = Segmentation { model: None, reason: Some("fetch one".into()), keypoints: false };
        assert_eq!(fault(&none), "cannot be true: keypoints need a model: fetch one");
        assert!(change.draft(&settings(), &scene(), &able(true)).unwrap().0.keypoints);
        let off = SettingsChange { keypoints: Some(false), ..SettingsChange::default() };
        assert!(off.draft(&settings(), &scene(), &none).is_ok(), "nothing is asked of the model");
    }

    #[test]
    fn settings_left_out_stay() {
        let (after, draft) = SettingsChange::default().draft(&settings(), &scene(), &able(false)).unwrap();
        assert_eq!(after, settings());
        assert!(draft.is_none());
    }
}
