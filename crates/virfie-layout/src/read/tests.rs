#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;

use serde_json::json;
use utoipa::PartialSchema;

use super::*;
use crate::{
    Anchor, AutoMode, BodyPart, CutOptions, Cutout, Edges, Facts, Fit, Length, Lost, Person, Size, Source, schema,
    solve,
};

fn wrong(value: Value) -> Vec<(String, String)> {
    let faults = read(&value, &Canvas::default()).expect_err("there is something wrong with it");
    faults.into_iter().map(|fault| (fault.pointer, fault.detail)).collect()
}

fn pointers(value: Value) -> BTreeSet<String> {
    wrong(value).into_iter().map(|(pointer, _)| pointer).collect()
}

fn set(pointers: &[&str]) -> BTreeSet<String> {
    pointers.iter().map(|pointer| pointer.to_string()).collect()
}

fn one_layer(layer: Value) -> Result<SceneLayer, Vec<Fault>> {
    read(&json!({ "layers": [layer] }), &Canvas::default()).map(|mut scene| scene.layers.remove(0))
}

/// Returns the one fault of a layer `{"id": "a", "source": {"slot": 1}, key: value}`.
fn fault_of(key: &str, value: Value) -> (String, String) {
    let mut layer = json!({"id": "a", "source": {"slot": 1}});
    layer[key] = value;
    let faults = one_layer(layer.clone()).expect_err(&layer.to_string());
    assert_eq!(faults.len(), 1, "{layer} has {faults:?}");
    (faults[0].pointer.clone(), faults[0].detail.clone())
}

fn everything() -> Value {
    json!({
        "canvas": {"width": 1920, "height": 1080, "fps": 25, "background": "club.jpg"},
        "layers": [
            {"id": "bg", "source": {"image": "club.jpg"}, "fit": "fill", "z": -3},
            {"id": "ann", "source": {"participant": "Ann 王"}, "x": "-10%", "y": 20.5, "width": "60%",
             "anchor": "bottom", "fit": "contain", "crop": {"left": "10%", "top": 4, "right": 0, "bottom": "0.5%"},
             "z": 10,
             "opacity": 0.9,
             "mirror": true, "cutout": "person", "rotate": 0},
            {"id": "b-2_C", "source": {"slot": 2}, "height": 360, "cutout": ["right_face", "left_hand", "left_face"],
             "threshold": 0.4, "feather": 0, "smoothing": 0.95, "lost": "blur"},
            {"id": "half", "source": {"slot": 3}, "scale": "50%", "anchor": "bottom-right"},
            {"id": "most", "source": {"slot": 4}, "scale": 0.8, "fit": "cover"},
            {"id": "bar", "source": {"color": "#F0a"}, "x": 0, "y": "90%", "width": "100%", "height": "10%",
             "opacity": 0},
            {"id": "title", "source": {"text": "Fr\u{ed}day\n", "font": "Inter", "size": 40, "color": "#123456",
             "weight": 700, "align": "right", "line_height": 2, "background": "#fff", "padding": 1}, "width": 300}
        ],
        "auto": {"mode": "off", "gap": 8, "cutout": "none", "threshold": 0.6, "feather": 0.5, "smoothing": 0.1},
        "transition": {"duration_ms": 0, "easing": "ease-in-out"}
    })
}

#[test]
fn every_key_is_read() {
    let scene = read(&everything(), &Canvas::default()).unwrap();
    let background = Background::Image("club.jpg".into());
    assert_eq!(scene.canvas, Canvas { width: 1920, height: 1080, fps: 25, background });
    let cut_options = CutOptions { threshold: Some(0.6), feather: Some(0.5), smoothing: Some(0.1), model: None };
    let (gap, cutout) = (Length::Number(8.0), Some(Cutout::None));
    assert_eq!(scene.auto, Auto { mode: AutoMode::Off, gap, cutout, cut_options });
    let ann = &scene.layers[1];
    assert_eq!(ann.source, Source::Participant("Ann 王".into()));
    assert_eq!((ann.x, ann.y), (Some(Length::Percent(-10.0)), Some(Length::Number(20.5))));
    assert_eq!((ann.size, ann.anchor, ann.fit), (Size::Width(Length::Percent(60.0)), Anchor::Bottom, Fit::Contain));
    assert_eq!((ann.z, ann.opacity, ann.mirror, ann.cutout), (10, 0.9, true, Cutout::Person));
    assert_eq!(
        ann.crop,
        Edges {
            left: Length::Percent(10.0),
            top: Length::Number(4.0),
            right: Length::Number(0.0),
            bottom: Length::Percent(0.5)
        }
    );
    assert_eq!((scene.layers[0].fit, scene.layers[0].z), (Fit::Fill, -3));
    assert_eq!(scene.layers[2].size, Size::Height(Length::Number(360.0)));
    let parts = [BodyPart::LeftFace, BodyPart::RightFace, BodyPart::LeftHand].into_iter().collect();
    assert_eq!(scene.layers[2].cutout, Cutout::Parts(parts));
    let cut_options = CutOptions { threshold: Some(0.4), feather: Some(0.0), smoothing: Some(0.95), model: None };
    assert_eq!(scene.layers[2].cut_options, cut_options);
    assert_eq!((scene.layers[1].lost, scene.layers[2].lost), (Lost::Hide, Lost::Blur));
    assert_eq!(scene.layers[3].size, Size::Scale(Length::Percent(50.0)));
    assert_eq!(scene.layers[4].size, Size::Scale(Length::Number(0.8)));
    assert_eq!(scene.layers[5].source, Source::Color([0xff, 0x00, 0xaa]));
    assert_eq!(scene.image_names().collect::<Vec<_>>(), ["club.jpg", "club.jpg"]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let base = Canvas { width: 640, height: 480, fps: 15, background: Background::Image("a.png".into()) };
    assert_eq!(read(&json!({}), &base), Ok(Scene::default_for(base.clone())));
    let scene = read(&json!({"canvas": {"fps": 60}, "auto": {}, "layers": []}), &base).unwrap();
    assert_eq!(scene.canvas, Canvas { fps: 60, ..base });
    let layer = one_layer(json!({"id": "a", "source": {"slot": 1}})).unwrap();
    assert_eq!((layer.x, layer.y, layer.size), (None, None, Size::Canvas));
    assert_eq!((layer.anchor, layer.fit, layer.crop), (Anchor::TopLeft, Fit::Cover, Edges::default()));
    assert_eq!((layer.z, layer.opacity, layer.mirror, layer.cutout), (0, 1.0, false, Cutout::None));
    assert_eq!((layer.cut_options, scene.auto.cut_options), (CutOptions::default(), CutOptions::default()));
}

#[test]
fn what_is_read_back_reads_to_the_same() {
    let parts = json!({"auto": {"cutout": ["torso_back", "torso_front"], "feather": 1}});
    for value in [everything(), json!({}), json!({"auto": {"cutout": "person"}}), parts] {
        let scene = read(&value, &Canvas::default()).unwrap();
        let back = scene.to_json();
        let other = Canvas { width: 64, height: 64, fps: 1, background: Background::Image("other".into()) };
        assert_eq!(read(&back, &other), Ok(scene.clone()), "whatever the room's canvas is");
        assert_eq!(read(&back, &other).unwrap().to_json(), back);
    }
}

#[test]
fn what_is_read_back_is_short_and_as_it_was_written() {
    let back = read(&everything(), &Canvas::default()).unwrap().to_json();
    assert_eq!(back["layers"][0], json!({"id": "bg", "source": {"image": "club.jpg"}, "fit": "fill", "z": -3}));
    assert_eq!(
        back["layers"][1],
        json!({"id": "ann", "source": {"participant": "Ann 王"}, "x": "-10%", "y": 20.5, "width": "60%",
               "anchor": "bottom", "fit": "contain", "crop": {"left": "10%", "top": 4, "bottom": "0.5%"}, "z": 10,
               "opacity": 0.9, "mirror": true, "cutout": "person"})
    );
    assert_eq!(
        back["layers"][2],
        json!({"id": "b-2_C", "source": {"slot": 2}, "height": 360, "cutout": ["left_face", "right_face", "left_hand"],
               "threshold": 0.4, "feather": 0, "smoothing": 0.95, "lost": "blur"})
    );
    assert_eq!(
        back["auto"],
        json!({"mode": "off", "gap": 8, "cutout": "none", "threshold": 0.6, "feather": 0.5, "smoothing": 0.1})
    );
    assert_eq!(back["layers"][4], json!({"id": "most", "source": {"slot": 4}, "scale": 0.8}));
    assert_eq!(back["layers"][5]["opacity"].to_string(), "0");
    assert_eq!(back["layers"][5]["source"], json!({"color": "#ff00aa"}));
    assert_eq!(
        Scene::default_for(Canvas::default()).to_json(),
        json!({"canvas": {"width": 1280, "height": 720, "fps": 30, "background": "#111111"}, "layers": [],
               "auto": {"mode": "grid"}})
    );
}

#[test]
fn every_wrong_place_is_reported_at_once() {
    let value = json!({
        "canvas": {"width": 1281, "height": 32, "fps": 0, "background": "a/b", "dpi": 72},
        "layers": [
            {"id": "a b", "source": {"participant": ""}, "x": "5", "y": true, "width": 0, "height": "1001%",
             "scale": 2},
            "bg",
            {"id": "c", "source": {}, "anchor": "middle", "fit": "stretch", "z": 1.5, "opacity": 1.1, "mirror": "yes"},
            {"source": {"slot": 0, "interval_ms": 3}, "cutout": "face",
             "crop": {"left": -1, "depth": 2, "top": "101%"}},
            {"id": "e"},
            {"id": "c", "source": {"slot": 1}, "a/b~c": 1}
        ],
        "auto": {"mode": "circle", "gap": -1, "cutout": 5, "margin": 0},
        "transition": {"duration_ms": "long", "easing": "bouncy", "delay": 1},
        "version": 2
    });
    let expected = [
        "/canvas/width",
        "/canvas/height",
        "/canvas/fps",
        "/canvas/background",
        "/canvas/dpi",
        "/layers/0/id",
        "/layers/0/source/participant",
        "/layers/0/x",
        "/layers/0/y",
        "/layers/0/width",
        "/layers/0/height",
        "/layers/0/scale",
        "/layers/1",
        "/layers/2/source",
        "/layers/2/anchor",
        "/layers/2/fit",
        "/layers/2/z",
        "/layers/2/opacity",
        "/layers/2/mirror",
        "/layers/3",
        "/layers/3/source/slot",
        "/layers/3/source/interval_ms",
        "/layers/3/cutout",
        "/layers/3/crop/left",
        "/layers/3/crop/depth",
        "/layers/3/crop/top",
        "/layers/4",
        "/layers/5/a~1b~0c",
        "/auto/mode",
        "/auto/gap",
        "/auto/cutout",
        "/auto/margin",
        "/transition/duration_ms",
        "/transition/easing",
        "/transition/delay",
        "/version",
    ];
    assert_eq!(pointers(value.clone()), set(&expected));
    assert_eq!(wrong(value).len(), expected.len(), "each once");
}

#[test]
fn a_pointer_leads_to_a_place_that_exists() {
    let value = json!({"layers": [{"source": {"text": "hi"}}, {"id": "x"}, 5, {"id": "~/", "source": {}}], "~/": 1});
    for pointer in pointers(value.clone()) {
        assert!(value.pointer(&pointer).is_some(), "{pointer}");
    }
    assert_eq!(wrong(json!([]))[0], (String::new(), "must be an object, not a list".into()));
}

/// Collects every place of `value`, the whole first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| places(inner, &child(at, key), found)),
        Value::Array(list) => (0..).zip(list).for_each(|(index, inner)| places(inner, &format!("{at}/{index}"), found)),
        _ => {}
    }
}

#[test]
fn null_is_a_fault_everywhere() {
    let mut found = Vec::new();
    places(&everything(), "", &mut found);
    assert!(found.len() > 60, "{}", found.len());
    for place in found {
        let mut changed = everything();
        *changed.pointer_mut(&place).unwrap() = Value::Null;
        assert!(pointers(changed).contains(&place), "null at {place}");
    }
}

#[test]
fn whatever_stands_anywhere_is_refused_at_a_place_or_can_be_shown() {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(1.5),
        json!(1e300),
        json!(-1e300),
        json!(5e-324),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("%"),
        json!("-0%"),
        json!("0.0000001%"),
        json!("99.999%"),
        json!("1000%"),
        json!("-1000%"),
        json!("#"),
        json!("#fff"),
        json!("none"),
        json!("\u{0}"),
        json!("é".repeat(999)),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({"": {}}),
        json!({"slot": 1}),
        json!({"image": []}),
    ];
    let mut found = Vec::new();
    places(&everything(), "", &mut found);
    let people = ["Ann 王", "b", "c", "d", "e"].map(|name| Person { name, size: Some((65535, 1)) });
    let (mut refused, mut shown) = (0, 0);
    for (place, value) in found.iter().flat_map(|place| odd.iter().map(move |value| (place, value))) {
        let mut changed = everything();
        *changed.pointer_mut(place).unwrap() = value.clone();
        match read(&changed, &Canvas::default()) {
            Ok(scene) => {
                assert_eq!(read(&scene.to_json(), &Canvas::default()).as_ref(), Ok(&scene), "{place} {value}");
                solve(
                    &scene,
                    &Facts { people: &people, image_size: &|_| Some((1, 65535)), speakers: &[], can_cut: true },
                );
                shown += 1;
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                assert!(
                    faults.iter().all(|fault| changed.pointer(&fault.pointer).is_some()),
                    "{place} {value} {faults:?}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 1000 && shown > 100, "{refused} refused, {shown} shown");
}

#[test]
fn clips_are_read_and_counted() {
    let clip = |index: usize| json!({"id": format!("c{index}"), "source": {"video": format!("{}.mp4", index % 5)}});
    let layout = json!({"layers": [clip(0), clip(1), clip(2), clip(3), clip(5)]});
    let scene = read(&layout, &Canvas::default()).unwrap();
    assert_eq!(scene.to_json()["layers"], layout["layers"]);
    assert_eq!(scene.clip_names().collect::<Vec<_>>(), ["0.mp4", "1.mp4", "2.mp4", "3.mp4", "0.mp4"]);
    assert!(scene.needs("3.mp4", None) && !scene.needs("4.mp4", None));
    let layers: Vec<Value> = (0..10).map(clip).collect();
    assert_eq!(pointers(json!({ "layers": layers })), set(&["/layers/4/source/video"]));
    assert_eq!(
        pointers(json!({"layers": [{"id": "a", "source": {"video": "../a"}}]})),
        set(&["/layers/0/source/video"])
    );
}

#[test]
fn looks_followers_and_transitions_are_read_and_written_back() {
    let value = json!({
        "canvas": {"width": 1280, "height": 720, "fps": 30, "background": "#111111"},
        "layers": [
            {"id": "ann", "source": {"participant": "ann"}, "x": "-10%", "y": "20%", "width": "60%",
             "cutout": "person", "mirror": true, "z": 10, "background": {"blur": 12},
             "transition": {"duration_ms": 80, "easing": "linear"}},
            {"id": "guest", "source": {"slot": 2}, "x": 640, "y": 180, "width": 480, "height": 360, "radius": 24,
             "opacity": 0.9, "crop": {"left": "10%"}, "rotate": -3.5, "border": {"width": 2, "color": "#ffffff"},
             "z": 11, "fallback": "away.png"},
            {"id": "beer", "source": {"image": "beer.png"}, "z": 20,
             "follow": {"layer": "ann", "keypoint": "rightWrist", "dx": 20, "scale": 1.5}},
            {"id": "show", "source": {"image": ["a.png", "b.png"], "interval_ms": 500}, "radius": "50%"}
        ],
        "auto": {"mode": "row"},
        "transition": {"duration_ms": 300, "easing": "ease-in-out"}
    });
    let scene = read(&value, &Canvas::default()).unwrap();
    assert_eq!(scene.to_json(), value);
    assert_eq!(read(&scene.to_json(), &Canvas::default()), Ok(scene.clone()));
    let names: Vec<&str> = scene.image_names().collect();
    assert_eq!(names, ["away.png", "beer.png", "a.png", "b.png"]);
    // What is left out and what is usual are written alike.
    let usual = json!({"layers": [{"id": "a", "source": {"color": "#fff"}, "border": {"width": 0}, "rotate": 0,
                                   "radius": 0, "lost": "hide"}], "transition": {"duration_ms": 0, "easing": "ease"}});
    let scene = read(&usual, &Canvas::default()).unwrap();
    assert_eq!(scene.to_json()["layers"][0], json!({"id": "a", "source": {"color": "#ffffff"}}));
    assert_eq!(scene.to_json().get("transition"), None);
}

#[test]
fn every_wrong_look_is_reported() {
    let layer = |keys: Value| {
        let mut layer = json!({"id": "x", "source": {"slot": 1}});
        keys.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
        layer
    };
    for (keys, pointer) in [
        (json!({"radius": -1}), "radius"),
        (json!({"radius": "101%"}), "radius"),
        (json!({"border": {"width": 201}}), "border/width"),
        (json!({"border": {"colour": "#fff"}}), "border/colour"),
        (json!({"border": 3}), "border"),
        (json!({"rotate": 361}), "rotate"),
        (json!({"background": {"blur": 12}}), "background"),
        (json!({"background": {}, "cutout": "person"}), "background"),
        (json!({"background": {"blur": 12}, "cutout": "person", "rotate": 5}), "background"),
        (json!({"lost": "whole"}), "lost"),
        (json!({"lost": "gone", "cutout": "person"}), "lost"),
        (json!({"lost": true, "cutout": "person"}), "lost"),
        (json!({"lost": "blur", "cutout": "person", "rotate": 5}), "lost"),
        (json!({"source": {"color": "#fff"}, "lost": "blur"}), "lost"),
        (json!({"fallback": "../etc"}), "fallback"),
        (json!({"source": {"color": "#fff"}, "fallback": "a.png"}), "fallback"),
        (json!({"source": {"image": []}}), "source/image"),
        (json!({"source": {"image": ["a.png", 3]}}), "source/image/1"),
        (json!({"source": {"image": "a.png", "interval_ms": 100}}), "source/interval_ms"),
        (json!({"source": {"image": ["a.png"], "interval_ms": 1}}), "source/interval_ms"),
        (json!({"transition": {"duration_ms": 10001}}), "transition/duration_ms"),
        (json!({"transition": {"easing": "bounce"}}), "transition/easing"),
        (json!({"follow": {"layer": "x"}}), "follow"),
        (json!({"follow": {"layer": "nobody", "keypoint": "nose"}}), "follow/layer"),
        (json!({"follow": {"layer": "x", "keypoint": "nose"}}), "follow/layer"),
        (json!({"follow": {"layer": "a", "keypoint": "tail"}}), "follow/keypoint"),
        (json!({"follow": {"layer": "a", "keypoint": "nose"}, "x": 3}), "x"),
    ] {
        let a = json!({"id": "a", "source": {"slot": 2}});
        let faults = wrong(json!({"layers": [a, layer(keys.clone())]}));
        let at: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(at, [format!("/layers/1/{pointer}")], "{keys}: {faults:?}");
    }
}

#[test]
fn lengths_end_at_their_limits() {
    for (key, most) in [
        ("x", json!(16384)),
        ("y", json!(-16384)),
        ("width", json!(16384)),
        ("scale", json!(10)),
        ("x", json!("-1000%")),
        ("height", json!("1000%")),
        ("scale", json!("1000%")),
        ("width", json!("0.001%")),
    ] {
        let mut layer = json!({"id": "a", "source": {"slot": 1}});
        layer[key] = most;
        assert!(one_layer(layer.clone()).is_ok(), "{layer}");
    }
    assert_eq!(fault_of("x", json!(16384.5)).1, "must be between -16384 and 16384 px");
    assert_eq!(fault_of("y", json!("-1000.1%")).1, "must be between -1000 and 1000 %");
    assert_eq!(fault_of("width", json!(0)).1, "must be greater than 0");
    assert_eq!(fault_of("height", json!("-0%")).1, "must be greater than 0");
    assert_eq!(fault_of("scale", json!(10.5)).1, "must be between 0 and 10");
    assert_eq!(fault_of("x", json!("left")).1, "must be a number or a percentage such as \"50%\"");
    assert_eq!(fault_of("z", json!(3e9)).1, "must be between -2147483648 and 2147483647");
    assert_eq!(fault_of("id", json!("x".repeat(65))).0, "/layers/0/id");
}

#[test]
fn a_scale_stands_alone() {
    for size in ["width", "height"] {
        let mut layer = json!({"id": "a", "source": {"slot": 1}, "scale": 0.5});
        layer[size] = json!(100);
        assert_eq!(one_layer(layer).unwrap_err()[0].pointer, "/layers/0/scale");
    }
}

#[test]
fn a_crop_leaves_something() {
    assert_eq!(fault_of("crop", json!({"left": "60%", "right": "40%"})).0, "/layers/0/crop");
    assert_eq!(fault_of("crop", json!({"top": "100%"})).1, "top and bottom together leave nothing of the source");
    assert!(one_layer(json!({"id": "a", "source": {"slot": 1}, "crop": {"top": "99.9%", "left": 9000}})).is_ok());
}

#[test]
fn a_source_is_one_thing() {
    let source = |source: Value| fault_of("source", source);
    assert_eq!(
        source(json!({})),
        ("/layers/0/source".into(), "must have one of participant, slot, image, color, text, video".into())
    );
    assert_eq!(source(json!({"slot": 1, "color": "#fff"})).1, "must have only one of slot, color");
    assert_eq!(source(json!("ann")).1, "must be an object, not a string");
    assert_eq!(source(json!({"slot": 1.5})).1, "must be a whole number");
    assert_eq!(source(json!({"image": "../secret"})).0, "/layers/0/source/image");
    assert_eq!(source(json!({"color": "red"})).1, "must be a colour such as #1a2b3c or #fff");
    assert_eq!(source(json!({"slot": 1, "size": 3})), ("/layers/0/source/size".into(), "unknown key".into()));
}

#[test]
fn ids_are_unique_and_layers_are_64_at_most() {
    let layers = |count: usize| -> Vec<Value> {
        (0..count).map(|index| json!({"id": format!("l{index}"), "source": {"slot": 1}})).collect()
    };
    assert!(read(&json!({ "layers": layers(64) }), &Canvas::default()).is_ok());
    assert_eq!(pointers(json!({ "layers": layers(65) })), set(&["/layers"]));
    let mut three = layers(3);
    three[2]["id"] = json!("l0");
    let fault = ("/layers/2/id".to_string(), "another layer has the id `l0` too".to_string());
    assert_eq!(wrong(json!({ "layers": three })), [fault]);
}

#[test]
fn a_canvas_alone_is_read_from_where_it_stands() {
    let base = Canvas::default();
    let canvas = read_canvas(&json!({"width": 640, "background": "#fff"}), "/canvas", &base);
    assert_eq!(canvas, Ok(Canvas { width: 640, background: Background::Color([255; 3]), ..base.clone() }));
    let faults =
        read_canvas(&json!({"width": 3842, "height": "720", "fps": 61}), "/settings/canvas", &base).unwrap_err();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/settings/canvas/width", "/settings/canvas/height", "/settings/canvas/fps"]);
    assert_eq!(read_canvas(&json!(null), "/canvas", &base).unwrap_err()[0].pointer, "/canvas");
    assert_eq!(read_canvas(&base.to_json(), "", &Canvas { width: 64, ..base.clone() }), Ok(base));
}

/// The schema names exactly the keys that the reader knows.
#[test]
fn the_schema_says_what_is_accepted() {
    fn keys<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }
    /// Returns those of `keys` that are unknown where `at` points.
    fn unknown(keys: &[String], document: Value, at: &str) -> Vec<(String, String)> {
        let mut document = document;
        let object = document.pointer_mut(at).unwrap().as_object_mut().unwrap();
        for key in keys.iter().map(String::as_str).chain(["no_such_key"]) {
            object.insert(key.to_owned(), Value::Null);
        }
        wrong(document).into_iter().filter(|(_, detail)| detail == "unknown key").collect()
    }
    let one = || json!({"canvas": {}, "layers": [{"crop": {}}], "auto": {}, "transition": {}});
    for (keys, at) in [
        (keys::<schema::Layout>(), ""),
        (keys::<schema::Canvas>(), "/canvas"),
        (keys::<schema::Layer>(), "/layers/0"),
        (keys::<schema::Crop>(), "/layers/0/crop"),
        (keys::<schema::Auto>(), "/auto"),
        (keys::<schema::Transition>(), "/transition"),
    ] {
        let only = [(format!("{at}/no_such_key"), "unknown key".to_string())];
        assert_eq!(unknown(&keys, one(), at), only);
    }
    let schema = serde_json::to_value(schema::Layout::schema()).unwrap();
    assert!(read(&schema["examples"][0], &Canvas::default()).is_ok());
}
