//! A room as one JSON document: what survives a restart, and what is exported and imported. PURE.
//!
//! Settings, layout, scenes, data and timers; in the server's own file also who is barred. What is kept of outputs
//! stands beside it, in a file of its own, because their addresses hold stream keys. Never participants.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Timers,
    aux_picture::AuxSource,
    ban::KeptBan,
    change::SettingsChange,
    data::{self, MAX_KEYS},
    output::KeptOutput,
    scenes::{MAX_SCENES, SceneName, Scenes, StoredScene},
    stage::Landing,
    timer::{KeptTimer, MAX_TIMERS, Timer},
    view::Settings,
};
use crate::{
    control::room::{error::RoomError, revision::Revision},
    layout::{self, Canvas, Data, Fault, Scene, fault::child},
    media::port::{OutputSpec, Segmentation},
};

/// The version of the document that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// The history of a room before this start of the program, beside its settings and its layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Its revision.
    pub revision: Revision,
    /// Time at which the room began.
    pub created_at: Timestamp,
    /// Its scenes.
    pub scenes: Scenes,
    /// Its outputs, stream keys and all. They are kept in a file of their own, and never exported.
    pub outputs: Vec<(KeptOutput, OutputSpec)>,
    /// The values for its texts, by key.
    pub data: Data,
    /// Its timers.
    pub timers: Timers,
    /// Those who are barred. They are never exported.
    pub bans: Vec<KeptBan>,
}

impl Past {
    /// Returns that of a new room.
    pub fn none(now: Timestamp) -> Self {
        Self {
            revision: Revision(1),
            created_at: now,
            scenes: Scenes::default(),
            outputs: Vec::new(),
            data: Data::new(),
            timers: Timers::new(),
            bans: Vec::new(),
        }
    }
}

/// The part of a room that can be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomRecord {
    /// Its settings.
    pub settings: Settings,
    /// Its layout.
    pub scene: Arc<Scene>,
    /// The rest.
    pub past: Past,
}

impl RoomRecord {
    /// Returns the layout, all scenes that can be read, and outputs' own layouts: what they need of assets, the room
    /// needs.
    pub fn layouts(&self) -> Vec<Arc<Scene>> {
        let stored = self.past.scenes.iter().filter_map(|stored| stored.read().map(Arc::new));
        let canvas = &self.scene.canvas;
        let own = self.past.outputs.iter().filter_map(|(kept, _)| kept.output.aux());
        let own = own.filter(|wish| matches!(wish.source, AuxSource::Layout(_)));
        let own = own.map(|wish| Arc::new(wish.read(&self.past.scenes, canvas)));
        [Arc::clone(&self.scene)].into_iter().chain(stored).chain(own).collect()
    }
}

/// A scene in a list that is put or imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SceneEntry {
    /// 1 to 64 characters, unique in the list.
    #[schema(example = "Interview")]
    pub name: String,
    /// Keys of the canvas that it leaves out are the room's when it is shown.
    #[schema(value_type = crate::layout::schema::Layout)]
    pub layout: Value,
    /// As it is read; not looked at, so that what was read can be put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// As it is read; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
    /// As it is answered to who stores it; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<crate::layout::schema::Warning>>)]
    pub warnings: Option<Value>,
    /// As it is read with `?boxes=true`; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<crate::layout::LayerBox>>)]
    pub boxes: Option<Value>,
}

/// Settings in a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoomDocumentSettings)]
pub struct KeptSettings {
    /// Most participants who may be in at once.
    #[schema(minimum = 1, maximum = 1000)]
    pub max_participants: Option<u32>,
    /// Time for which a lost participant's last picture and place are kept, in milliseconds.
    #[schema(minimum = 0, maximum = 600000)]
    pub hold_ms: Option<u64>,
    /// Whether keypoints are found.
    pub keypoints: Option<bool>,
    /// Where newcomers with the role `participant` land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests_land: Option<Landing>,
    /// Whether nobody new with the role `participant` comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

impl From<&Settings> for KeptSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            max_participants: Some(settings.max_participants),
            hold_ms: Some(settings.hold_ms),
            keypoints: Some(settings.keypoints),
            // Left out by rooms that do not use them, which older programs read, too.
            guests_land: (settings.guests_land != Landing::default()).then_some(settings.guests_land),
            locked: settings.locked.then_some(true),
        }
    }
}

/// A room as one document. When it is imported, what is left out stays as it is, or is the server's default in a new
/// room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomDocument {
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// The room's revision; not looked at when imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Time at which the room began; not looked at when imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// Settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<KeptSettings>,
    /// The layout that the canvas shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::layout::schema::Layout>)]
    pub layout: Option<Value>,
    /// All scenes, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub scenes: Option<Vec<SceneEntry>>,
    /// The name of the scene that was shown last, one of `scenes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_scene: Option<String>,
    /// Values that texts show as `{data.KEY}`, by key: strings and numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, super::data::Datum>>)]
    pub data: Option<BTreeMap<String, Value>>,
    /// Timers, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers: Option<BTreeMap<String, KeptTimer>>,
    /// Who is barred, in the server's own file; neither exported nor looked at when imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bans: Option<Vec<KeptBan>>,
    /// Names of those `assets` that belong to the room, which only it has. The others are put where the caller puts
    /// assets: on the shared shelf, or, with a token for one room, to those of the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_assets: Option<Vec<String>>,
    /// Files of the assets that layout and scenes need, by name, in base64 (with padding).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assets: Option<BTreeMap<String, String>>,
}

impl From<&RoomRecord> for RoomDocument {
    fn from(record: &RoomRecord) -> Self {
        let RoomRecord { settings, scene, past } = record;
        let entry = |stored: &StoredScene| SceneEntry {
            name: stored.name.as_str().to_owned(),
            layout: Value::clone(&stored.layout),
            active: None,
            changed: None,
            warnings: None,
            boxes: None,
        };
        Self {
            version: VERSION,
            revision: Some(past.revision.0),
            created_at: Some(past.created_at),
            settings: Some(settings.into()),
            layout: Some(scene.to_json()),
            scenes: Some(past.scenes.iter().map(entry).collect()),
            active_scene: past.scenes.active_name().map(|name| name.as_str().to_owned()),
            // Left out by rooms without any, which older programs read, too.
            data: (!past.data.is_empty())
                .then(|| past.data.iter().map(|(key, value)| (key.as_ref().to_owned(), Value::clone(value))).collect()),
            timers: (!past.timers.is_empty())
                .then(|| past.timers.iter().map(|(id, timer)| (id.as_ref().to_owned(), timer.kept())).collect()),
            bans: (!past.bans.is_empty()).then(|| past.bans.clone()),
            room_assets: None,
            assets: None,
        }
    }
}

impl RoomDocument {
    /// Returns what the document wants of the settings.
    pub fn settings_change(&self) -> SettingsChange {
        let KeptSettings { max_participants, hold_ms, keypoints, guests_land, locked } =
            self.settings.clone().unwrap_or_default();
        // An exported room leaves these two out where they are as in a new room.
        let is_whole = max_participants.is_some() && hold_ms.is_some() && keypoints.is_some();
        let guests_land = guests_land.or(is_whole.then(Landing::default));
        let locked = locked.or(is_whole.then_some(false));
        SettingsChange { canvas: None, max_participants, hold_ms, keypoints, guests_land, locked }
    }

    /// Returns whether this program knows the version.
    pub fn check_version(&self) -> Result<(), Fault> {
        if self.version == VERSION {
            return Ok(());
        }
        let detail = format!("must be {VERSION}: this program knows no other");
        Err(Fault { pointer: "/version".to_owned(), detail })
    }

    /// Returns the scenes' names and layouts, the latter unread, and the active one.
    ///
    /// # Errors
    /// Every wrong name.
    #[expect(clippy::type_complexity, reason = "two lists and a name")]
    pub fn scene_list(&self) -> Result<Option<(Vec<(SceneName, Value)>, Option<SceneName>)>, Vec<Fault>> {
        let entries = self.scenes.as_deref().unwrap_or_default();
        let active = self.active_scene.as_deref();
        let named = |active: &str| entries.iter().any(|entry| entry.name == active);
        let stray = active.is_some_and(|active| !named(active)).then(|| Fault {
            pointer: "/active_scene".to_owned(),
            detail: "must be the name of one of the document's scenes".to_owned(),
        });
        match (named_layouts(entries, "/scenes"), stray) {
            (Ok(list), None) => {
                let active = active.and_then(|name| SceneName::parse(name).ok());
                Ok(self.scenes.is_some().then_some((list, active)))
            }
            (Ok(_), Some(stray)) => Err(vec![stray]),
            (Err(mut faults), stray) => {
                faults.extend(stray);
                Err(faults)
            }
        }
    }

    /// Returns the data for texts, if the document has some.
    ///
    /// # Errors
    /// Every wrong place.
    pub fn data(&self) -> Result<Option<Data>, Vec<Fault>> {
        let Some(list) = &self.data else { return Ok(None) };
        let mut faults = too_many(list.len(), MAX_KEYS, "/data");
        for (key, value) in list {
            let place = child("/data", key);
            faults.extend(data::check_key(key, &place).err());
            faults.extend(data::check(value, &place).err());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Some(list.iter().map(|(key, value)| (key.as_str().into(), Arc::new(value.clone()))).collect()))
    }

    /// Returns the timers, if the document has some.
    ///
    /// # Errors
    /// Every wrong place.
    pub fn timers(&self) -> Result<Option<Timers>, Vec<Fault>> {
        let Some(list) = &self.timers else { return Ok(None) };
        let mut faults = too_many(list.len(), MAX_TIMERS, "/timers");
        let mut timers = Timers::new();
        for (id, kept) in list {
            let place = child("/timers", id);
            faults.extend(data::check_key(id, &place).err());
            match Timer::restore(kept) {
                Ok(timer) => drop(timers.insert(id.as_str().into(), timer)),
                Err(fault) => faults.extend(beneath(&place, vec![fault])),
            }
        }
        if faults.is_empty() { Ok(Some(timers)) } else { Err(faults) }
    }

    /// Returns the room that was kept in this document. Models, images and scenes are taken as they are: what is
    /// missing is missed when it is shown. `settings` and `canvas` stand for what is left out.
    ///
    /// # Errors
    /// Every wrong place.
    pub fn restore(&self, settings: &Settings, canvas: &Canvas, now: Timestamp) -> Result<RoomRecord, Vec<Fault>> {
        self.check_version().map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let default = Scene::default_for(canvas.clone());
        let change = SettingsChange { keypoints: None, ..self.settings_change() };
        let unable = Segmentation { model: None, reason: None, keypoints: false };
        let mut settings = match change.draft(settings, &default, &unable) {
            Ok((settings, _)) => settings,
            Err(error) => {
                faults.extend(beneath("/settings", faults_of(error)));
                settings.clone()
            }
        };
        if let Some(keypoints) = self.settings.as_ref().and_then(|kept| kept.keypoints) {
            settings.keypoints = keypoints;
        }
        let scene = match self.layout.as_ref().map(|layout| layout::read_kept(layout, canvas)) {
            None => default,
            Some(Ok(scene)) => scene,
            Some(Err(more)) => {
                faults.extend(beneath("/layout", more));
                default
            }
        };
        let scenes = match self.scene_list() {
            Ok(list) => {
                let (list, active) = list.unwrap_or_default();
                let stored = list.into_iter().map(|(name, layout)| StoredScene { name, layout: Arc::new(layout) });
                Scenes::new(stored.collect(), active).unwrap_or_default()
            }
            Err(more) => {
                faults.extend(more);
                Scenes::default()
            }
        };
        let data = self.data().unwrap_or_else(|more| {
            faults.extend(more);
            None
        });
        let timers = self.timers().unwrap_or_else(|more| {
            faults.extend(more);
            None
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let revision = Revision(self.revision.unwrap_or(1));
        let created_at = self.created_at.unwrap_or(now);
        Ok(RoomRecord {
            settings,
            scene: Arc::new(scene),
            past: Past {
                revision,
                created_at,
                scenes,
                outputs: Vec::new(),
                data: data.unwrap_or_default(),
                timers: timers.unwrap_or_default(),
                bans: self.bans.clone().unwrap_or_default(),
            },
        })
    }
}

/// Checks the names of a list of scenes that stands at `pointer`, and how many there are.
///
/// # Errors
/// Every wrong place.
pub fn named_layouts(entries: &[SceneEntry], pointer: &str) -> Result<Vec<(SceneName, Value)>, Vec<Fault>> {
    if entries.len() > MAX_SCENES {
        let detail = format!("has {} scenes; at most {MAX_SCENES} are possible", entries.len());
        return Err(vec![Fault { pointer: pointer.to_owned(), detail }]);
    }
    let mut list: Vec<(SceneName, Value)> = Vec::with_capacity(entries.len());
    let mut faults = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = child(&child(pointer, &index.to_string()), "name");
        match SceneName::parse(&entry.name) {
            Ok(name) if list.iter().any(|(other, _)| *other == name) => {
                faults.push(Fault { pointer: place, detail: format!("another scene has the name `{name}` too") });
            }
            Ok(name) => list.push((name, entry.layout.clone())),
            Err(error) => faults.push(Fault { pointer: place, detail: error.to_string() }),
        }
    }
    if faults.is_empty() { Ok(list) } else { Err(faults) }
}

fn too_many(count: usize, max: usize, pointer: &str) -> Vec<Fault> {
    let fault =
        || Fault { pointer: pointer.to_owned(), detail: format!("has {count} keys; at most {max} are possible") };
    if count > max { vec![fault()] } else { Vec::new() }
}

/// Returns the same faults in a document that has the faulty value at `pointer`.
pub fn beneath(pointer: &str, faults: Vec<Fault>) -> impl Iterator<Item = Fault> {
    faults.into_iter().map(move |fault| Fault { pointer: format!("{pointer}{}", fault.pointer), ..fault })
}

/// Returns the wrong places that an error lists; any other error is reported at the whole.
fn faults_of(error: RoomError) -> Vec<Fault> {
    match error {
        RoomError::Invalid(faults) => faults,
        other => vec![Fault { pointer: String::new(), detail: other.to_string() }],
    }
}

/// Returns the same of an error that is about a document.
///
/// # Errors
/// Any other: the room is gone, or the server cannot do it now. The document may be right.
pub fn own_faults(error: RoomError) -> Result<Vec<Fault>, RoomError> {
    match error {
        RoomError::NoRoom | RoomError::Unavailable(_) | RoomError::Draining => Err(error),
        error => Ok(faults_of(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::control::room::state::{
        change::LayoutChange,
        name::RoomName,
        output::Recordings,
        timer::{TimerOrder, check_course},
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn settings() -> Settings {
        Settings::new(16, 2000)
    }

    fn record() -> RoomRecord {
        let scene =
            |name: &str, layout| StoredScene { name: SceneName::parse(name).unwrap(), layout: Arc::new(layout) };
        let list = vec![scene("Intro", json!({"layers": []})), scene("Talk", json!({"auto": {"mode": "off"}}))];
        let scenes = Scenes::new(list, Some(SceneName::parse("Talk").unwrap())).unwrap();
        RoomRecord {
            settings: Settings {
                keypoints: true,
                guests_land: Landing::Backstage,
                locked: true,
                ..Settings::new(4, 10)
            },
            scene: Arc::new(Scene::default_for(Canvas { width: 640, ..Canvas::default() })),
            past: Past {
                revision: Revision(7),
                created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
                scenes,
                outputs: Vec::new(),
                data: [("score".into(), json!(3).into()), ("home".into(), json!("Reds").into())].into(),
                timers: [("start".into(), timer())].into(),
                bans: vec![ban(Some("token-1")), ban(None)],
            },
        }
    }

    fn ban(token: Option<&str>) -> KeptBan {
        KeptBan { id: "b1".into(), name: "ann".into(), token: token.map(Into::into), banned_at: NOW }
    }

    fn timer() -> Timer {
        let mut timer = Timer::default();
        timer.obey(TimerOrder::Start(check_course(Some(300), Some("next")).unwrap()), NOW);
        timer
    }

    fn restore(document: Value) -> Result<RoomRecord, Vec<String>> {
        let document: RoomDocument = serde_json::from_value(document).unwrap();
        let restored = document.restore(&settings(), &Canvas::default(), NOW);
        restored.map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_room_comes_back_as_it_was() {
        let written = serde_json::to_value(RoomDocument::from(&record())).unwrap();
        assert_eq!(written["version"], 1);
        assert_eq!(written["scenes"][1], json!({"name": "Talk", "layout": {"auto": {"mode": "off"}}}));
        assert_eq!(restore(written).unwrap(), record());
    }

    #[test]
    fn what_is_left_out_is_the_servers_default() {
        let restored = restore(json!({"version": 1})).unwrap();
        assert_eq!((restored.settings, restored.past), (settings(), Past::none(NOW)));
        assert_eq!(*restored.scene, Scene::default_for(Canvas::default()));
    }

    #[test]
    fn every_wrong_place_is_named() {
        assert_eq!(restore(json!({"version": 2})), Err(vec!["/version".to_owned()]));
        let wrong = json!({
            "version": 1, "settings": {"max_participants": 0}, "layout": {"layers": [{"id": "a"}], "colour": 1},
            "scenes": [{"name": "a", "layout": {}}, {"name": "a", "layout": {}}, {"name": "a/b", "layout": {}}],
            "active_scene": "c"
        });
        let faults = restore(wrong).unwrap_err();
        for pointer in [
            "/settings/max_participants",
            "/layout/colour",
            "/layout/layers/0",
            "/scenes/1/name",
            "/scenes/2/name",
            "/active_scene",
        ] {
            assert!(faults.iter().any(|fault| fault == pointer), "{pointer} in {faults:?}");
        }
    }

    #[test]
    fn wrong_data_and_timers_are_named() {
        let wrong = json!({
            "version": 1, "data": {"a": true, "b c": 1}, "timers": {"x": {"seconds": 0}, "y z": {"elapsed_ms": 5}}
        });
        let faults = restore(wrong).unwrap_err();
        assert_eq!(faults, ["/data/a", "/data/b c", "/timers/x/seconds", "/timers/y z"]);
    }

    #[test]
    fn a_room_that_was_kept_before_texts_had_fields_is_as_it_was() {
        let of = |image: &str| {
            json!({"layers": [
                {"id": "t", "source": {"text": "{clock of doom} {name x} {a}"}},
                {"id": "i", "source": {"image": image}}
            ]})
        };
        let layout = of("layout.png");
        let scenes = json!([{"name": "Old", "layout": of("scene.png")}]);
        let mut restored = restore(json!({"version": 1, "layout": layout, "scenes": scenes})).unwrap();
        assert_eq!(restored.scene.to_json()["layers"], layout["layers"]);
        let written = serde_json::to_value(RoomDocument::from(&restored)).unwrap();
        assert!(["data", "timers", "bans"].iter().all(|key| written.get(key).is_none()), "{written}");
        assert!(written["settings"].get("guests_land").is_none(), "{written}");
        // The scene can be shown, and so can an output's own layout.
        let scene = restored.past.scenes.iter().next().unwrap();
        let draft = LayoutChange::Restore(Value::clone(&scene.layout)).draft(&restored.scene).unwrap();
        assert_eq!(draft.scene.to_json()["layers"], of("scene.png")["layers"]);
        let own = json!({"type": "rtmp", "url": "rtmp://host/live/key", "layout": of("output.png")});
        let kept = json!({"id": "o1", "created_at": NOW, "output": own});
        let kept: KeptOutput = serde_json::from_value(kept).unwrap();
        let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
        let spec = kept.output.spec(&RoomName::parse("demo").unwrap(), &recordings).unwrap();
        let shown = kept.output.aux().unwrap().read(&restored.past.scenes, &Canvas::default());
        assert_eq!(shown.to_json()["layers"], of("output.png")["layers"]);
        restored.past.outputs.push((kept, spec));
        for image in ["layout.png", "scene.png", "output.png"] {
            assert!(restored.layouts().iter().any(|layout| layout.needs(image, None)), "{image} is in use");
        }
    }

    #[test]
    fn a_scene_that_cannot_be_read_any_more_does_not_cost_the_room() {
        let restored = restore(json!({"version": 1, "scenes": [{"name": "a", "layout": {"hologram": true}}]}));
        assert_eq!(restored.unwrap().past.scenes.names(), ["a".into()]);
    }
}
