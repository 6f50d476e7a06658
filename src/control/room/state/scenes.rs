//! A room's scenes: named, stored layouts in an order, and which of them was shown last. PURE.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::name::MAX_NAME;
use crate::{
    control::room::error::RoomError,
    layout::{self, Canvas, LayerBox, Scene, limits, schema::Warning},
};

/// Most scenes that a room may have: far more than anybody finds their way in.
pub const MAX_SCENES: usize = limits::SCENES;

/// Names that stand behind `/scenes/` for another purpose.
const RESERVED: [&str; 2] = ["next", "previous"];

/// A scene's name: 1 to 64 characters that make one segment of a URL's path when they are percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SceneName(Arc<str>);

impl SceneName {
    /// Checks a name. One that nobody can see passes here, because rooms may have had scenes of such a name for long;
    /// [`Scenes::may_have`] says where it may be used.
    ///
    /// # Errors
    /// [`RoomError::BadSceneName`].
    pub fn parse(text: &str) -> Result<Self, RoomError> {
        let separates = |c: char| matches!(c, '/' | '\\' | '?' | '#' | '%');
        let legal = (1..=MAX_NAME).contains(&text.chars().count())
            && text.trim() == text
            && !text.starts_with('.')
            && !RESERVED.contains(&text)
            && !text.chars().any(|c| separates(c) || c.is_control());
        if legal { Ok(Self(text.into())) } else { Err(RoomError::BadSceneName) }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as shared text.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for SceneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A scene as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredScene {
    /// Its name.
    pub name: SceneName,
    /// Its layout. Of the canvas it has what it was given only: the rest is the room's when it is shown.
    pub layout: Arc<Value>,
}

impl StoredScene {
    /// Returns what it is by itself; `None` if this program cannot read its layout.
    pub fn read(&self) -> Option<Scene> {
        // The room's own background is not this scene's, so that of the default canvas, a colour, is taken.
        layout::read_kept(&self.layout, &Canvas::default()).ok()
    }
}

/// The scene that was shown last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActiveScene {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// Whether the layout or the scene has been changed since: showing the scene again would change the picture.
    pub changed: bool,
}

/// A stored layout.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Scene)]
pub struct SceneView {
    /// Its name.
    #[schema(value_type = String, example = "Interview")]
    pub name: Arc<str>,
    /// Whether it was shown last.
    pub active: bool,
    /// Whether it was shown last, and the layout or the scene has been changed since.
    pub changed: bool,
    /// Keys of the canvas that it leaves out are the room's.
    #[schema(value_type = crate::layout::schema::Layout)]
    pub layout: Arc<Value>,
    /// With `?boxes=true`: where all of it would stand now, back to front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<LayerBox>>,
    /// In answers to who stores or shows it: what of its layout can be shown, but not as it was meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Returns a layout as a scene keeps it: as it is read back, with those keys of the canvas only that `body`, which
/// `scene` was read from, has.
pub fn kept_layout(scene: &Scene, body: &Value) -> Value {
    let mut layout = scene.to_json();
    let Some(members) = layout.as_object_mut() else { return layout };
    match (body.get("canvas").and_then(Value::as_object), members.get_mut("canvas").and_then(Value::as_object_mut)) {
        (Some(given), Some(canvas)) if !given.is_empty() => canvas.retain(|key, _| given.contains_key(key)),
        _ => drop(members.remove("canvas")),
    }
    layout
}

/// The choice of the scene to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SceneChoice {
    /// That of this name.
    Named(SceneName),
    /// The one after the active one, or the first when none is active. The last one has none after it.
    Next,
    /// The one before the active one, or the last when none is active. The first one has none before it.
    Previous,
}

impl SceneChoice {
    /// Reads a scene's name, `next` or `previous`.
    ///
    /// # Errors
    /// [`RoomError::BadSceneName`].
    pub fn parse(text: &str) -> Result<Self, RoomError> {
        match text {
            "next" => Ok(Self::Next),
            "previous" => Ok(Self::Previous),
            name => SceneName::parse(name).map(Self::Named),
        }
    }
}

/// The scene that a [`SceneChoice`] leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Chosen<'a> {
    /// This is to be shown.
    Switch(&'a StoredScene),
    /// There is nothing further on in this direction: this one is active and stays as it is.
    Stay(&'a StoredScene),
}

/// All scenes of a room, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scenes {
    list: Vec<StoredScene>,
    /// One of the list.
    active: Option<SceneName>,
}

impl Scenes {
    /// Returns these scenes, of which `active` was shown last, if it is one of them.
    ///
    /// # Errors
    /// [`RoomError::TooManyScenes`]. Names must differ; of two scenes of one name only the first is ever found.
    pub fn new(list: Vec<StoredScene>, active: Option<SceneName>) -> Result<Self, RoomError> {
        if list.len() > MAX_SCENES {
            return Err(RoomError::TooManyScenes { max: MAX_SCENES });
        }
        let active = active.filter(|name| list.iter().any(|scene| scene.name == *name));
        Ok(Self { list, active })
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = &StoredScene> {
        self.list.iter()
    }

    /// Returns names in order.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.list.iter().map(|scene| scene.name.shared()).collect()
    }

    /// Returns the name of the active one.
    pub fn active_name(&self) -> Option<&SceneName> {
        self.active.as_ref()
    }

    /// Returns one scene.
    ///
    /// # Errors
    /// [`RoomError::NoScene`].
    pub fn get(&self, name: &SceneName) -> Result<&StoredScene, RoomError> {
        self.list.iter().find(|scene| scene.name == *name).ok_or(RoomError::NoScene)
    }

    /// Returns whether a scene may be stored under this name: one that people can read, or one that is there already.
    pub fn may_have(&self, name: &SceneName) -> bool {
        limits::is_readable(name.as_str()) || self.get(name).is_ok()
    }

    /// Returns the active scene, and whether `shown`, the room's layout, is something else by now.
    pub fn active(&self, shown: &Scene) -> Option<ActiveScene> {
        let stored = self.get(self.active.as_ref()?).ok()?;
        Some(ActiveScene { name: stored.name.shared(), changed: differs(stored, shown) })
    }

    /// Returns a scene as others see it, beside `shown`, the room's layout.
    pub fn view(&self, stored: &StoredScene, shown: &Scene) -> SceneView {
        let active = self.active.as_ref() == Some(&stored.name);
        SceneView {
            name: stored.name.shared(),
            active,
            changed: active && differs(stored, shown),
            layout: Arc::clone(&stored.layout),
            boxes: None,
            warnings: Vec::new(),
        }
    }

    /// Returns all scenes as others see them.
    pub fn views(&self, shown: &Scene) -> Vec<SceneView> {
        self.list.iter().map(|stored| self.view(stored, shown)).collect()
    }

    /// Stores a scene in place of that of its name, or behind all others. Answers whether it is new.
    ///
    /// # Errors
    /// [`RoomError::TooManyScenes`].
    pub fn put(&mut self, scene: StoredScene) -> Result<bool, RoomError> {
        if let Some(place) = self.list.iter_mut().find(|other| other.name == scene.name) {
            *place = scene;
            return Ok(false);
        }
        if self.list.len() >= MAX_SCENES {
            return Err(RoomError::TooManyScenes { max: MAX_SCENES });
        }
        self.list.push(scene);
        Ok(true)
    }

    /// Stores these and no others; the active one stays so if it is among them.
    ///
    /// # Errors
    /// As [`Scenes::new`].
    pub fn replace(&mut self, list: Vec<StoredScene>) -> Result<(), RoomError> {
        *self = Self::new(list, self.active.take())?;
        Ok(())
    }

    /// Forgets a scene. The canvas goes on showing it; no scene is active then.
    ///
    /// # Errors
    /// [`RoomError::NoScene`].
    pub fn remove(&mut self, name: &SceneName) -> Result<StoredScene, RoomError> {
        let index = self.list.iter().position(|scene| scene.name == *name).ok_or(RoomError::NoScene)?;
        self.active.take_if(|active| active == name);
        Ok(self.list.remove(index))
    }

    /// Makes the scene of this name the active one from now on, if there is one.
    pub fn set_active(&mut self, name: &SceneName) {
        if self.get(name).is_ok() {
            self.active = Some(name.clone());
        }
    }

    /// Returns where a choice leads.
    ///
    /// # Errors
    /// [`RoomError::NoScene`], [`RoomError::NoScenes`] for the next of none.
    pub fn choose(&self, choice: &SceneChoice) -> Result<Chosen<'_>, RoomError> {
        let is_next = match choice {
            SceneChoice::Named(name) => return self.get(name).map(Chosen::Switch),
            SceneChoice::Next => true,
            SceneChoice::Previous => false,
        };
        let active = self.active.as_ref().and_then(|name| self.list.iter().position(|scene| scene.name == *name));
        let (at, to) = match (active, is_next) {
            (Some(at), true) => (self.list.get(at), self.list.get(at + 1)),
            (Some(at), false) => (self.list.get(at), at.checked_sub(1).and_then(|before| self.list.get(before))),
            (None, true) => (None, self.list.first()),
            (None, false) => (None, self.list.last()),
        };
        to.map(Chosen::Switch).or(at.map(Chosen::Stay)).ok_or(RoomError::NoScenes)
    }
}

/// Returns whether showing the scene would change the canvas.
fn differs(stored: &StoredScene, shown: &Scene) -> bool {
    layout::read_kept(&stored.layout, &shown.canvas).as_ref() != Ok(shown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> SceneName {
        SceneName::parse(text).unwrap()
    }

    fn scene(text: &str) -> StoredScene {
        StoredScene { name: name(text), layout: Arc::new(json!({"layers": [], "auto": {"mode": "grid"}})) }
    }

    fn three() -> Scenes {
        Scenes::new(["a", "b", "c"].map(scene).to_vec(), None).unwrap()
    }

    #[test]
    fn names_make_one_segment_of_a_path() {
        for good in ["Intro", "Interview 2", "Début", "a.b", "王", &"é".repeat(64)] {
            assert_eq!(name(good).as_str(), good);
        }
        for bad in [
            "",
            " a",
            "a ",
            "..",
            ".a",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a%b",
            "a\nb",
            "next",
            "previous",
            &"é".repeat(65),
        ] {
            assert_eq!(SceneName::parse(bad), Err(RoomError::BadSceneName), "{bad:?}");
        }
    }

    #[test]
    fn names_that_nobody_can_see_are_kept_and_not_given() {
        let mut scenes = three();
        for unseen in ["\u{3164}", "\u{2800}\u{200b}", "\u{301}", "a\u{202e}b", "a\u{200f}"] {
            assert!(!scenes.may_have(&name(unseen)), "{unseen:?}");
            scenes.put(scene(unseen)).unwrap();
            assert!(scenes.may_have(&name(unseen)), "{unseen:?}");
        }
        assert!(scenes.may_have(&name("a")) && scenes.may_have(&name("Début")));
    }

    #[test]
    fn next_and_previous_stop_at_the_ends() {
        let mut scenes = three();
        let to = |scenes: &Scenes, choice| match scenes.choose(&choice).unwrap() {
            Chosen::Switch(scene) => format!("to {}", scene.name),
            Chosen::Stay(scene) => format!("stay {}", scene.name),
        };
        assert_eq!(
            (to(&scenes, SceneChoice::Next), to(&scenes, SceneChoice::Previous)),
            ("to a".into(), "to c".into())
        );
        for (active, next, previous) in [("a", "to b", "stay a"), ("b", "to c", "to a"), ("c", "stay c", "to b")] {
            scenes.set_active(&name(active));
            assert_eq!(to(&scenes, SceneChoice::Next), next);
            assert_eq!(to(&scenes, SceneChoice::Previous), previous);
        }
        assert_eq!(to(&scenes, SceneChoice::Named(name("c"))), "to c", "what was changed is shown as it was");
        assert_eq!(scenes.choose(&SceneChoice::Named(name("d"))), Err(RoomError::NoScene));
        assert_eq!(Scenes::default().choose(&SceneChoice::Next), Err(RoomError::NoScenes));
    }

    #[test]
    fn the_active_scene_is_one_of_the_list() {
        let mut scenes = three();
        scenes.set_active(&name("nobody"));
        assert_eq!(scenes.active_name(), None);
        scenes.set_active(&name("b"));
        scenes.replace(vec![scene("c"), scene("b")]).unwrap();
        assert_eq!(scenes.active_name(), Some(&name("b")));
        scenes.remove(&name("c")).unwrap();
        assert_eq!(scenes.active_name(), Some(&name("b")));
        scenes.remove(&name("b")).unwrap();
        assert_eq!(scenes.active_name(), None);
        assert_eq!(scenes.remove(&name("b")), Err(RoomError::NoScene));
    }

    #[test]
    fn a_scene_keeps_its_place_and_there_are_only_so_many() {
        let mut scenes = three();
        assert_eq!(scenes.put(scene("b")), Ok(false));
        assert_eq!(scenes.names(), ["a".into(), "b".into(), "c".into()]);
        for n in 3..MAX_SCENES {
            assert_eq!(scenes.put(scene(&format!("s{n}"))), Ok(true));
        }
        let full = RoomError::TooManyScenes { max: MAX_SCENES };
        assert_eq!(scenes.put(scene("more")), Err(full.clone()));
        assert_eq!(scenes.put(scene("a")), Ok(false), "those that are there may change");
        assert_eq!(Scenes::new(vec![scene("a"); MAX_SCENES + 1], None), Err(full));
    }

    #[test]
    fn a_scene_keeps_what_it_was_given_of_the_canvas() {
        let kept = |body: Value| {
            let base = Canvas { width: 640, ..Canvas::default() };
            kept_layout(&layout::read(&body, &base).unwrap(), &body)["canvas"].clone()
        };
        assert_eq!(kept(json!({})), Value::Null);
        assert_eq!(kept(json!({"canvas": {}})), Value::Null);
        assert_eq!(
            kept(json!({"canvas": {"background": "#abc", "fps": 25}})),
            json!({"background": "#aabbcc", "fps": 25})
        );
    }

    #[test]
    fn a_changed_canvas_shows_unless_the_scene_leaves_it_to_the_room() {
        let mut scenes = three();
        scenes.set_active(&name("a"));
        let shown = |width, layout: Value| layout::read(&layout, &Canvas { width, ..Canvas::default() }).unwrap();
        let changed = |scenes: &Scenes, shown: &Scene| scenes.active(shown).unwrap().changed;
        assert!(!changed(&scenes, &shown(640, json!({}))));
        assert!(changed(&scenes, &shown(640, json!({"auto": {"mode": "off"}}))));
        let fixed = json!({"canvas": {"width": 640}});
        scenes.put(StoredScene { name: name("a"), layout: Arc::new(fixed) }).unwrap();
        assert!(!changed(&scenes, &shown(640, json!({}))) && changed(&scenes, &shown(320, json!({}))));
    }

    #[test]
    fn assets_of_the_scene_alone_are_its_own() {
        let layout = json!({"layers": [{"id": "logo", "source": {"image": "logo.png"}}]});
        let scene = StoredScene { layout: Arc::new(layout), ..scene("a") };
        let read = scene.read().unwrap();
        assert!(read.needs("logo.png", None) && !read.needs("studio.jpg", None));
        let broken = StoredScene { layout: Arc::new(json!({"layers": 3})), ..scene };
        assert_eq!(broken.read(), None);
    }
}
