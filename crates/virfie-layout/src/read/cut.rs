//! The keys of a layer and of `auto` that say what is cut out: `cutout`, `threshold`, `feather`, `smoothing`, `model`; of a
//! layer, `lost`, too.

use serde_json::Value;

use super::fields::Fields;
use crate::{
    body_part::{BodyPart, BodyParts},
    cut::{CutOptions, Cutout, Lost},
    model_name::ModelName,
    schema::{Choice, Key, Number, Own},
};

/// Reads `cutout`: a name or a list of body parts.
pub(super) fn cutout<U>(fields: &mut Fields, key: &Key<Own, U>) -> Option<Cutout> {
    match fields.get(key.name)? {
        Value::Array(list) => parts(list, fields).map(Cutout::Parts),
        Value::String(name) => {
            let known = Cutout::NAMES.iter().find(|(known, _)| known == name);
            if known.is_none() {
                fields.fault(key.name, not_a_name(name));
            }
            known.map(|(_, cutout)| *cutout)
        }
        other => {
            fields.wrong_kind(key.name, "none, person or a list of body parts", other);
            None
        }
    }
}

fn not_a_name(name: &str) -> String {
    match BodyPart::from_name(name) {
        Some(_) => format!("write body parts as a list: [\"{name}\"]"),
        None => "must be none, person or a list of body parts".to_owned(),
    }
}

/// Reads the body parts of `list`. One that is written twice is a fault: most likely another was meant.
fn parts(list: &[Value], fields: &mut Fields) -> Option<BodyParts> {
    const MOST: usize = BodyPart::ALL.len();
    if list.is_empty() {
        fields.fault("cutout", "must have at least one body part; `none` keeps the whole picture");
    }
    if list.len() > MOST {
        fields.fault("cutout", format!("has {} body parts; there are only {MOST}", list.len()));
    }
    let mut kept = BodyParts::NONE;
    for (index, item) in list.iter().take(MOST).enumerate() {
        let Some(name) = fields.item_text("cutout", index, item) else { continue };
        match BodyPart::from_name(name) {
            None => fields.item_fault(
                "cutout",
                index,
                format!("must be one of {}", BodyPart::ALL.map(BodyPart::name).join(", ")),
            ),
            Some(part) if kept.contains(part) => {
                fields.item_fault("cutout", index, format!("`{name}` is in the list already"));
            }
            Some(part) => kept = kept.with(part),
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// Reads a layer's `lost`: what is shown while nobody is found.
pub(super) fn lost(fields: &mut Fields, key: &Key<Choice<Lost>, Lost>, cutout: Cutout, is_person: bool) -> Lost {
    let lost = fields.read_or_usual(key);
    if lost != Lost::Hide && !is_person {
        fields.fault(key.name, "only participants are looked for");
    } else if lost != Lost::Hide && cutout == Cutout::None {
        fields.fault(key.name, "nobody is looked for without a `cutout`");
    }
    lost
}

/// Reads the keys that say how the edge is drawn.
pub(super) fn options(
    fields: &mut Fields,
    threshold: &Key<Number>,
    feather: &Key<Number>,
    smoothing: &Key<Number>,
    model: &Key<Own>,
) -> CutOptions {
    CutOptions {
        threshold: fields.read(threshold),
        feather: fields.read(feather),
        smoothing: fields.read(smoothing),
        model: fields.text(model.name).and_then(|name| {
            let found = ModelName::new(name);
            if found.is_none() {
                fields.fault(model.name, "must be a name of 1 to 63 letters, digits, dots, dashes and underscores");
            }
            found
        }),
    }
}

/// Reports a fault for each of these keys that asks for something, in a layer that shows no participant.
pub(super) fn refuse(fields: &mut Fields, cutout: Cutout, options: CutOptions) {
    for (key, asked) in [
        ("cutout", cutout != Cutout::None),
        ("threshold", options.threshold.is_some()),
        ("feather", options.feather.is_some()),
        ("smoothing", options.smoothing.is_some()),
        ("model", options.model.is_some()),
    ] {
        if asked {
            fields.fault(key, "only participants can be cut out");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{Canvas, Fault, Scene, merge, read};

    fn read_layer(keys: &Value) -> Result<Scene, Vec<Fault>> {
        let mut layer = json!({"id": "a", "source": {"slot": 1}});
        keys.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
        read(&json!({ "layers": [layer] }), &Canvas::default())
    }

    /// Returns the only fault of `value` under `key`, the same in a layer and in `auto`: where it ends, and what it
    /// says.
    fn fault_of(key: &str, value: Value) -> (String, String) {
        let in_layer = read_layer(&json!({ key: value })).expect_err(&value.to_string());
        let in_auto = read(&json!({"auto": {key: value}}), &Canvas::default()).unwrap_err();
        assert_eq!((in_layer.len(), in_auto.len()), (1, 1), "{in_layer:?} {in_auto:?}");
        let place = |fault: &Fault, at: &str| fault.pointer.strip_prefix(at).unwrap().to_owned();
        assert_eq!(place(&in_layer[0], "/layers/0/"), place(&in_auto[0], "/auto/"));
        assert_eq!(in_layer[0].detail, in_auto[0].detail);
        (place(&in_layer[0], "/layers/0/"), in_layer[0].detail.clone())
    }

    #[test]
    fn a_list_names_what_is_kept_in_any_order() {
        let scene = read_layer(&json!({"cutout": ["right_foot", "left_face", "torso_back"]})).unwrap();
        let parts = [BodyPart::LeftFace, BodyPart::TorsoBack, BodyPart::RightFoot].into_iter().collect();
        assert_eq!(scene.layers[0].cutout, Cutout::Parts(parts));
        assert_eq!(scene.to_json()["layers"][0]["cutout"], json!(["left_face", "torso_back", "right_foot"]));
        let scene = read(&json!({"auto": {"cutout": BodyPart::ALL}}), &Canvas::default()).unwrap();
        assert_eq!(scene.auto.cutout, Some(Cutout::Parts(BodyParts::ALL)));
    }

    #[test]
    fn an_unknown_part_is_reported_in_its_place_with_the_known_ones() {
        for wrong in ["leftFace", "nose", "person", "", "LEFT_FACE", "left_feet"] {
            let (place, detail) = fault_of("cutout", json!(["left_face", wrong, "torso_front"]));
            assert_eq!(place, "cutout/1");
            assert!(detail.starts_with("must be one of left_face, right_face, left_upper_arm_front, "), "{detail}");
            assert!(detail.ends_with(", left_foot, right_foot"), "{detail}");
        }
        let faults = read_layer(&json!({"cutout": ["nose", "left_hand", 3, null, ["left_face"]]})).unwrap_err();
        let places: Vec<(&str, &str)> = faults.iter().map(|f| (f.pointer.as_str(), f.detail.as_str())).collect();
        assert_eq!(places[0].0, "/layers/0/cutout/0");
        assert_eq!(
            places[1..],
            [
                ("/layers/0/cutout/2", "must be a string, not a number"),
                ("/layers/0/cutout/3", "must be a string, not null"),
                ("/layers/0/cutout/4", "must be a string, not a list"),
            ]
        );
    }

    #[test]
    fn a_list_has_parts_each_once() {
        let (place, detail) = fault_of("cutout", json!([]));
        assert_eq!((place.as_str(), detail.contains("at least one body part")), ("cutout", true), "{detail}");
        let twice = fault_of("cutout", json!(["left_hand", "right_hand", "left_hand"]));
        assert_eq!(twice, ("cutout/2".into(), "`left_hand` is in the list already".into()));
    }

    #[test]
    fn a_list_of_thousands_is_no_list_of_thousands_of_faults() {
        let faults = read_layer(&json!({"cutout": vec![json!(0); 100_000]})).unwrap_err();
        assert_eq!(faults[0].pointer, "/layers/0/cutout");
        assert_eq!(faults[0].detail, "has 100000 body parts; there are only 24");
        assert_eq!(faults.len(), 25);
    }

    #[test]
    fn a_cutout_that_is_no_list_has_a_name() {
        let must = "must be none, person or a list of body parts";
        assert_eq!(fault_of("cutout", json!("face")), ("cutout".into(), must.into()));
        assert_eq!(fault_of("cutout", json!(5)).1, format!("{must}, not a number"));
        assert_eq!(fault_of("cutout", json!({"parts": []})).1, format!("{must}, not an object"));
        assert_eq!(fault_of("cutout", json!("left_hand")).1, "write body parts as a list: [\"left_hand\"]");
    }

    #[test]
    fn the_edge_is_set_by_numbers_within_their_limits() {
        for (key, least, most, below, above, between) in [
            ("threshold", 0.05, 0.95, 0.049, 0.951, "must be between 0.05 and 0.95"),
            ("feather", 0.0, 1.0, -0.001, 1.001, "must be between 0 and 1"),
            ("smoothing", 0.0, 0.95, -0.001, 0.951, "must be between 0 and 0.95"),
        ] {
            for right in [least, most] {
                for cutout in [json!("none"), json!("person"), json!(["left_hand"])] {
                    let layer = read_layer(&json!({"cutout": cutout, key: right})).unwrap();
                    assert_eq!(layer.to_json()["layers"][0][key].as_f64(), Some(right), "{key} {cutout}");
                }
                let scene = read(&json!({"auto": {key: right}}), &Canvas::default()).unwrap();
                assert_eq!(scene.to_json()["auto"][key].as_f64(), Some(right), "{key}");
            }
            for wrong in [below, above] {
                assert_eq!(fault_of(key, json!(wrong)), (key.into(), between.into()));
            }
            assert_eq!(fault_of(key, json!("50%")).1, "must be a number, not a string");
            assert_eq!(fault_of(key, json!(null)).1, "must be a number, not null");
        }
        let scene = read_layer(&json!({"feather": -0.0})).unwrap();
        assert_eq!(scene.to_json()["layers"][0]["feather"].to_string(), "0");
    }

    #[test]
    fn a_model_is_chosen_by_its_name() {
        let scene = read_layer(&json!({"cutout": "person", "model": "bodypix-mobilenet-050-16"})).unwrap();
        assert_eq!(scene.to_json()["layers"][0]["model"], "bodypix-mobilenet-050-16");
        let scene = read(&json!({"auto": {"model": "embedded"}}), &Canvas::default()).unwrap();
        assert_eq!((scene.to_json()["auto"]["model"].as_str(), scene.model_names().count()), (Some("embedded"), 1));
        for wrong in ["", "../secret", "/etc/passwd", ".x", "a b"] {
            let (place, detail) = fault_of("model", json!(wrong));
            assert_eq!(place, "model");
            assert!(detail.starts_with("must be a name of 1 to 63 letters"), "{detail}");
        }
        assert_eq!(fault_of("model", json!(5)).1, "must be a string, not a number");
    }

    #[test]
    fn only_participants_can_be_cut_out() {
        let pointers = |source: Value, keys: Value| -> Vec<String> {
            let faults = read_layer(&merge(&json!({ "source": source }), &keys)).unwrap_err();
            faults.into_iter().map(|fault| fault.pointer).collect()
        };
        let all =
            ["/layers/0/cutout", "/layers/0/threshold", "/layers/0/feather", "/layers/0/smoothing", "/layers/0/model"];
        let keys = json!({"cutout": ["left_face"], "threshold": 0.5, "feather": 0.33, "smoothing": 0.9, "model": "a"});
        assert_eq!(pointers(json!({"image": "a.png"}), keys.clone()), all);
        assert_eq!(pointers(json!({"color": "#fff"}), keys.clone()), all);
        assert_eq!(pointers(json!({"image": "a.png"}), json!({"cutout": "person"})), [all[0]]);
        assert_eq!(pointers(json!({"image": "a.png"}), json!({"feather": 2})), [all[2]], "once");
        assert!(read_layer(&json!({"source": {"image": "a.png"}, "cutout": "none"})).is_ok());
        assert!(read_layer(&merge(&json!({"source": {"participant": "ann"}}), &keys)).is_ok());
    }

    #[test]
    fn a_patch_that_switches_the_cutout_keeps_the_edge() {
        let scene =
            read_layer(&json!({"cutout": ["left_face", "right_face"], "threshold": 0.4, "feather": 0})).unwrap();
        let layer = &scene.to_json()["layers"][0];
        let patched = |patch: Value| read_layer(&merge(layer, &patch)).unwrap().layers.remove(0);
        let none = patched(json!({"cutout": "none"}));
        assert_eq!((none.cutout, none.cut_options), (Cutout::None, scene.layers[0].cut_options));
        assert_eq!(
            patched(json!({"cutout": ["left_hand"]})).cutout,
            Cutout::Parts([BodyPart::LeftHand].into_iter().collect())
        );
        let taken = patched(json!({"threshold": null, "smoothing": 0.5})).cut_options;
        assert_eq!(taken, CutOptions { threshold: None, feather: Some(0.0), smoothing: Some(0.5), model: None });
        let scene = read(&json!({"auto": {"cutout": ["left_face"], "feather": 0.5}}), &Canvas::default()).unwrap();
        let merged = merge(&scene.to_json(), &json!({"auto": {"cutout": null}}));
        let auto = read(&merged, &Canvas::default()).unwrap().auto;
        assert_eq!((auto.cutout, auto.cut_options), (None, scene.auto.cut_options));
    }
}
