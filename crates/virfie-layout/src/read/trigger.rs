//! One entry of `triggers`.

use serde_json::Value;

use super::fields::Fields;
use crate::{
    fault::{Fault, child},
    limits,
    look::KeypointName,
    scene::{SceneLayer, Source},
    trigger::{
        Absent, Action, ActivateScene, Area, Condition, Icons, IconsAction, PlaySound, Polaroid, PolaroidAction, Shot,
        ShowLayer, TakeSnapshot, TellEvent, Trigger, Twirl, TwirlAction, When, Whose,
    },
    values::Length,
};

/// Reads `triggers`, of a layout with these layers.
pub(super) fn triggers(value: &Value, layers: &[SceneLayer], faults: &mut Vec<Fault>) -> Vec<Trigger> {
    let wrong = |detail: String| Fault { pointer: "/triggers".to_owned(), detail };
    let Value::Array(list) = value else {
        faults.push(wrong("must be a list of triggers".to_owned()));
        return Vec::new();
    };
    if list.len() > limits::TRIGGERS {
        faults.push(wrong(format!("has {} triggers; at most {} are possible", list.len(), limits::TRIGGERS)));
    }
    let mut triggers: Vec<Trigger> = Vec::new();
    for (index, value) in list.iter().enumerate().take(limits::TRIGGERS) {
        let pointer = format!("/triggers/{index}");
        let Some(trigger) = trigger(value, &pointer, layers, faults) else { continue };
        if triggers.iter().any(|other| other.id == trigger.id) {
            let detail = format!("another trigger has the id `{}` too", trigger.id);
            faults.push(Fault { pointer: child(&pointer, "id"), detail });
        }
        triggers.push(trigger);
    }
    triggers
}

fn trigger(value: &Value, pointer: &str, layers: &[SceneLayer], faults: &mut Vec<Fault>) -> Option<Trigger> {
    let mut fields = Fields::open(value, pointer.to_owned(), faults)?;
    fields.check_keys(&Trigger::KEYS);
    for key in ["id", "when", "do"] {
        if !fields.has(key) {
            fields.fault_here(format!("`{key}` is missing"));
        }
    }
    let id = fields.text("id");
    if id.is_some_and(|id| !limits::is_id(id)) {
        fields.fault("id", "must be 1 to 64 of A-Z a-z 0-9 _ -");
    }
    let every_ms = fields.integer("every_ms", &limits::EVERY_MS).map(|ms| ms as u32);
    let hold_off_ms = fields.integer("hold_off_ms", &limits::HOLD_OFF_MS).unwrap_or(0) as u32;
    let when = fields.get("when").map(|value| when(value, &child(pointer, "when"), layers, faults));
    let actions = match value.get("do") {
        Some(Value::Array(list)) if (1..=limits::ACTIONS).contains(&list.len()) => {
            let place = child(pointer, "do");
            let read = list.iter().enumerate().map(|(index, value)| {
                let mut fields = Fields::open(value, child(&place, &index.to_string()), faults)?;
                action(&mut fields, layers)
            });
            read.collect::<Vec<_>>().into_iter().flatten().collect()
        }
        Some(_) => {
            let detail = format!("must be a list of 1 to {} actions", limits::ACTIONS);
            faults.push(Fault { pointer: child(pointer, "do"), detail });
            Vec::new()
        }
        None => Vec::new(),
    };
    Some(Trigger { id: id?.to_owned(), when: when?, actions, every_ms, hold_off_ms })
}

fn when(value: &Value, pointer: &str, layers: &[SceneLayer], faults: &mut Vec<Fault>) -> When {
    match value {
        Value::String(text) if text == "always" => When::default(),
        Value::Array(list) if (1..=limits::CONDITIONS).contains(&list.len()) => {
            let read = list.iter().enumerate().map(|(index, value)| {
                let fields = Fields::open(value, child(pointer, &index.to_string()), faults)?;
                condition(fields, layers)
            });
            When(read.collect::<Vec<_>>().into_iter().flatten().collect())
        }
        Value::Object(_) => {
            let fields = Fields::open(value, pointer.to_owned(), faults);
            When(fields.and_then(|fields| condition(fields, layers)).into_iter().collect())
        }
        _ => {
            let detail = format!("must be a condition, a list of 1 to {} of them, or \"always\"", limits::CONDITIONS);
            faults.push(Fault { pointer: pointer.to_owned(), detail });
            When::default()
        }
    }
}

fn condition(mut fields: Fields, layers: &[SceneLayer]) -> Option<Condition> {
    fields.check_keys(&Condition::KEYS);
    for key in ["keypoint", "area"] {
        if !fields.has(key) {
            fields.fault_here(format!("`{key}` is missing"));
        }
    }
    let keypoint = fields.choice("keypoint", &KeypointName::NAMES);
    let whose = match fields.get("layers") {
        None => Whose::All,
        Some(Value::String(text)) if text == "all" => Whose::All,
        Some(Value::Array(list)) if (1..=limits::LAYERS).contains(&list.len()) => {
            let mut ids = Vec::with_capacity(list.len());
            for (index, item) in list.iter().enumerate() {
                let Some(id) = fields.item_text("layers", index, item) else { continue };
                match layers.iter().find(|layer| layer.id == id).map(|layer| &layer.source) {
                    None => fields.item_fault("layers", index, format!("there is no layer `{id}`")),
                    Some(Source::Participant(_) | Source::Slot(_)) => ids.push(id.to_owned()),
                    Some(_) => fields.item_fault("layers", index, format!("layer `{id}` shows no participant")),
                }
            }
            Whose::Layers(ids)
        }
        Some(_) => {
            fields.fault("layers", "must be \"all\" or a list of layers' ids");
            Whose::All
        }
    };
    let absent = fields.choice("absent", &Absent::NAMES).unwrap_or_default();
    let area = fields.object("area").map(area);
    Some(Condition { keypoint: keypoint?, layers: whose, area: area?, absent })
}

fn area(mut fields: Fields) -> Area {
    fields.check_keys(&Area::KEYS);
    let whole = Area::WHOLE;
    let mut edge = |key, other| fields.length(key, &limits::POSITION).unwrap_or(other);
    let area = Area {
        left: edge("left", whole.left),
        top: edge("top", whole.top),
        right: edge("right", whole.right),
        bottom: edge("bottom", whole.bottom),
    };
    // Edges of different units can be judged only on a canvas; nothing is inside then.
    let turned = |from, to| match (from, to) {
        (Length::Number(from), Length::Number(to)) | (Length::Percent(from), Length::Percent(to)) => from >= to,
        _ => false,
    };
    if turned(area.left, area.right) || turned(area.top, area.bottom) {
        fields.fault_here("nothing is inside: right must be more than left, and bottom more than top");
    }
    area
}

/// Reads `area`, which may be left out.
fn whole_or(fields: &mut Fields) -> Area {
    fields.object("area").map_or(Area::WHOLE, area)
}

fn action(fields: &mut Fields, layers: &[SceneLayer]) -> Option<Action> {
    let kinds: Vec<&str> = Action::KEYS.into_iter().filter(|key| fields.has(key)).collect();
    let &[kind] = &kinds[..] else {
        match kinds[..] {
            [] => fields.fault_here(format!("must have one of {}", Action::KEYS.join(", "))),
            _ => fields.fault_here(format!("must have only one of {}", kinds.join(", "))),
        }
        return None;
    };
    fields.check_keys(if kind == "show" { &ShowLayer::KEYS } else { std::slice::from_ref(&kind) });
    match kind {
        "scene" => label(fields, "scene").map(|scene| Action::Scene(ActivateScene { scene })),
        "show" => {
            let for_ms = fields.integer("for_ms", &limits::FOR_MS).map(|ms| ms as u32);
            let id = fields.text("show")?;
            if !layers.iter().any(|layer| layer.id == id) {
                fields.fault("show", format!("there is no layer `{id}`"));
            }
            Some(Action::Show(ShowLayer { show: id.to_owned(), for_ms }))
        }
        "sound" => fields.asset("sound").map(|sound| Action::Sound(PlaySound { sound })),
        "snapshot" => fields.object("snapshot").map(|mut fields| {
            fields.check_keys(&Shot::KEYS);
            Action::Snapshot(TakeSnapshot { snapshot: Shot { area: whole_or(&mut fields) } })
        }),
        "event" => label(fields, "event").map(|event| Action::Event(TellEvent { event })),
        "twirl" => fields.object("twirl").and_then(twirl).map(|twirl| Action::Twirl(TwirlAction { twirl })),
        "icons" => fields.object("icons").and_then(icons).map(|icons| Action::Icons(IconsAction { icons })),
        _ => {
            let polaroid = fields.object("polaroid").and_then(polaroid);
            polaroid.map(|polaroid| Action::Polaroid(PolaroidAction { polaroid }))
        }
    }
}

fn label(fields: &mut Fields, key: &str) -> Option<String> {
    let text = fields.text(key)?;
    if !limits::is_name(text) {
        fields.fault(key, "must be 1 to 128 characters");
        return None;
    }
    Some(text.to_owned())
}

/// Reports `keys` that are missing.
fn require(fields: &mut Fields, keys: &[&str]) {
    for key in keys {
        if !fields.has(key) {
            fields.fault_here(format!("`{key}` is missing"));
        }
    }
}

fn twirl(mut fields: Fields) -> Option<Twirl> {
    fields.check_keys(&Twirl::KEYS);
    require(&mut fields, &["angle", "period_ms"]);
    let angle = fields.number("angle", &limits::TWIRL);
    let period_ms = fields.number("period_ms", &limits::PERIOD_MS);
    let area = whole_or(&mut fields);
    Some(Twirl { angle: angle?, period_ms: period_ms?, area })
}

fn icons(mut fields: Fields) -> Option<Icons> {
    fields.check_keys(&Icons::KEYS);
    require(&mut fields, &["image", "width", "shuffle_ms"]);
    let image = match fields.get("image") {
        Some(Value::Array(list)) if (1..=limits::IMAGES).contains(&list.len()) => {
            Some(fields.asset_names("image", list))
        }
        Some(_) => {
            fields.fault("image", format!("must be a list of 1 to {} images", limits::IMAGES));
            None
        }
        None => None,
    };
    let width = fields.number("width", &limits::DRAWN);
    let keypoint = fields.choice("keypoint", &KeypointName::NAMES).unwrap_or(KeypointName::Nose);
    let mut offset = |key: &str| fields.number(key, &limits::OFFSET).unwrap_or(0.0);
    let (dx, dy) = (offset("dx"), offset("dy"));
    let shuffle_ms = fields.integer("shuffle_ms", &limits::EVERY_MS);
    let area = whole_or(&mut fields);
    Some(Icons { image: image?, width: width?, keypoint, dx, dy, shuffle_ms: shuffle_ms? as u32, area })
}

fn polaroid(mut fields: Fields) -> Option<Polaroid> {
    let sizes = ["width", "height", "photo_width", "photo_height"];
    fields.check_keys(&Polaroid::KEYS);
    require(&mut fields, &["image", sizes[0], sizes[1], sizes[2], sizes[3], "every_ms"]);
    let image = if fields.has("image") { fields.asset("image") } else { None };
    let [width, height, photo_width, photo_height] = sizes.map(|key| fields.number(key, &limits::DRAWN));
    let every_ms = fields.integer("every_ms", &limits::EVERY_MS);
    let sound = if fields.has("sound") { fields.asset("sound") } else { None };
    let area = whole_or(&mut fields);
    Some(Polaroid {
        image: image?,
        width: width?,
        height: height?,
        photo_width: photo_width?.max(2.0),
        photo_height: photo_height?.max(2.0),
        every_ms: every_ms? as u32,
        sound,
        area,
    })
}
