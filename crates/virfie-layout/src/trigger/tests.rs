#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::{Canvas, Fault, read};

fn layout(triggers: Value) -> Value {
    json!({
        "layers": [
            {"id": "ann", "source": {"participant": "ann"}},
            {"id": "sun", "source": {"image": "sun.png"}}
        ],
        "triggers": triggers
    })
}

fn one(trigger: Value) -> Result<Trigger, Vec<String>> {
    let told =
        |faults: Vec<Fault>| faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect();
    read(&layout(json!([trigger])), &Canvas::default()).map(|mut scene| scene.triggers.remove(0)).map_err(told)
}

fn everything() -> Value {
    json!([
        {
            "id": "wave",
            "when": [
                {"keypoint": "rightWrist", "area": {"left": "10%", "top": 0, "right": "30%", "bottom": 200}},
                {"keypoint": "nose", "layers": ["ann"], "area": {"left": 0, "top": 0, "right": "100%", "bottom": "50%"},
                 "absent": "ignore"}
            ],
            "do": [
                {"scene": "Bar"}, {"scene": "next"}, {"show": "sun", "for_ms": 2000}, {"show": "sun"},
                {"sound": "shutter.mp3"}, {"snapshot": {}}, {"event": "waved"}
            ],
            "every_ms": 500, "hold_off_ms": 1000
        },
        {
            "id": "always",
            "when": "always",
            "do": [
                {"twirl": {"angle": 90, "period_ms": 2000.5}},
                {"icons": {"image": ["sun.png", "rain.png"], "width": 200, "dy": -150, "shuffle_ms": 3000}},
                {"polaroid": {"image": "frame.png", "width": 580, "height": 600, "photo_width": 350, "photo_height": 340,
                    "every_ms": 5000, "sound": "shutter.mp3",
                    "area": {"left": 0, "top": 0, "right": 800, "bottom": 600}}},
                {"snapshot": {"area": {"left": 0, "top": 0, "right": "50%", "bottom": "50%"}}}
            ]
        }
    ])
}

#[test]
fn what_is_written_is_read_back() {
    let scene = read(&layout(everything()), &Canvas::default()).unwrap();
    let written = scene.to_json();
    assert_eq!(written["triggers"], everything());
    assert_eq!(read(&written, &Canvas::default()).as_ref(), Ok(&scene));
    assert_eq!(scene.triggers[0].when.0.len(), 2);
    let mut images: Vec<&str> = scene.image_names().collect();
    images.sort_unstable();
    assert_eq!(images, ["frame.png", "rain.png", "sun.png", "sun.png"]);
    let sounds: Vec<&str> = scene.sound_names().collect();
    assert_eq!(sounds, ["shutter.mp3", "shutter.mp3"]);
    assert!(scene.is_shown_by_trigger("sun") && !scene.is_shown_by_trigger("ann"));
    assert!(read(&json!({}), &Canvas::default()).unwrap().to_json().get("triggers").is_none());
}

#[test]
fn everything_wrong_is_reported_at_its_place() {
    let area = json!({"left": "10%", "right": "20%"});
    let told = |trigger: Value| one(trigger).unwrap_err();
    assert_eq!(
        told(json!({"id": "a b", "when": {"keypoint": "toe", "aria": 1}, "do": [{"event": ""}], "then": 1})),
        [
            "/triggers/0/then unknown key",
            "/triggers/0/id must be 1 to 64 of A-Z a-z 0-9 _ -",
            "/triggers/0/when/aria unknown key",
            "/triggers/0/when `area` is missing",
            &told(json!({"id": "a", "when": {"keypoint": "toe", "area": area}, "do": [{"event": "e"}]}))[0],
            "/triggers/0/do/0/event must be 1 to 128 characters",
        ]
    );
    let act = |action: Value| told(json!({"id": "a", "when": "always", "do": [action]}));
    assert_eq!(act(json!({"show": "moon"})), ["/triggers/0/do/0/show there is no layer `moon`"]);
    assert_eq!(act(json!({"event": "a", "scene": "b"})), ["/triggers/0/do/0 must have only one of scene, event"]);
    assert!(act(json!({"dance": 1}))[0].starts_with("/triggers/0/do/0 must have one of scene, show"));
    assert_eq!(act(json!({"event": "a", "for_ms": 5})), ["/triggers/0/do/0/for_ms unknown key"]);
    assert_eq!(act(json!({"twirl": {"angle": 9}})), ["/triggers/0/do/0/twirl `period_ms` is missing"]);
    assert_eq!(
        act(json!({"icons": {"image": ["a", "../b"], "width": 0, "shuffle_ms": 100}})),
        [
            "/triggers/0/do/0/icons/image/1 must be an asset's name",
            "/triggers/0/do/0/icons/width must be between 1 and 16384"
        ]
    );
    let when = |condition: Value| told(json!({"id": "a", "when": condition, "do": [{"event": "e"}]}));
    assert_eq!(
        when(json!([{"keypoint": "nose", "layers": ["sun", "moon"], "area": area}])),
        [
            "/triggers/0/when/0/layers/0 layer `sun` shows no participant",
            "/triggers/0/when/0/layers/1 there is no layer `moon`"
        ]
    );
    assert_eq!(when(json!([])).len(), 1);
    assert!(when(json!({"keypoint": "nose", "area": {"left": 9, "right": 9}}))[0].contains("nothing is inside"));
    let twice = json!([{"id": "a", "when": "always", "do": [{"event": "e"}]},
        {"id": "a", "when": "always", "do": [{"event": "e"}]}]);
    let faults = read(&layout(twice), &Canvas::default()).unwrap_err();
    assert_eq!(faults[0].pointer, "/triggers/1/id");
    assert_eq!(read(&layout(json!({})), &Canvas::default()).unwrap_err()[0].pointer, "/triggers");
}

#[test]
fn edges_are_outside() {
    let area =
        Area { left: Length::Percent(10.0), top: Length::Number(0.0), right: Length::Number(200.0), ..Area::WHOLE };
    let canvas = (1000.0, 500.0);
    assert!(area.holds((101.0, 1.0), canvas) && area.holds((199.9, 499.9), canvas));
    for outside in [(100.0, 250.0), (200.0, 250.0), (150.0, 0.0), (150.0, 500.0)] {
        assert!(!area.holds(outside, canvas), "{outside:?}");
    }
}
