#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::{Canvas, Key, Person, read, solve};

const HD: Option<(u32, u32)> = Some((1280, 720));

/// Boxes of a layout on 1280x720, with these people. Images: `wide.png` 1000x500; any other is missing.
fn reckoned(layout: &Value, people: &[(&str, Option<(u32, u32)>)], can_cut: bool) -> Vec<LayerBox> {
    let people: Vec<Person> = people.iter().map(|&(name, size)| Person { name, size }).collect();
    let scene = read(layout, &Canvas::default()).unwrap();
    let image_size = |name: &str| (name == "wide.png").then_some((1000, 500));
    let facts = Facts { people: &people, image_size: &image_size, speakers: &[], can_cut };
    let boxes = boxes(&scene, &facts);
    // What is drawn and not fitted in lies where its box says, in this order.
    let drawn: Vec<&LayerBox> = boxes.iter().filter(|one| one.hidden.is_none()).collect();
    let placements = solve(&scene, &facts);
    assert_eq!(drawn.len(), placements.len(), "{boxes:?}");
    for (one, placement) in drawn.into_iter().zip(placements) {
        match &placement.key {
            Key::Layer(id) => assert_eq!(one.layer.as_ref(), Some(id)),
            Key::Auto(name) => assert_eq!((&one.layer, one.person.as_ref()), (&None, Some(name))),
        }
        if placement.following.is_none() {
            assert!((one.x - f64::from(placement.dst.x)).abs() <= 0.5, "{one:?} {placement:?}");
            assert!((one.width - f64::from(placement.dst.width)).abs() <= 1.0, "{one:?} {placement:?}");
        }
    }
    boxes
}

fn area(one: &LayerBox) -> [f64; 4] {
    [one.x, one.y, one.width, one.height]
}

#[test]
fn boxes_come_back_to_front_with_those_whom_auto_places_between() {
    let layout = json!({"layers": [
        {"id": "logo", "source": {"image": "wide.png"}, "width": 200, "z": 1},
        {"id": "back", "source": {"color": "#000"}},
        {"id": "host", "source": {"participant": "ann"}, "x": 640, "y": 180, "width": 480, "rotate": 30}
    ], "auto": {"mode": "grid", "gap": 0}});
    let boxes = reckoned(&layout, &[("ann", HD), ("bob", HD), ("eve", None)], false);
    let names: Vec<_> = boxes.iter().map(|one| (one.layer.as_deref(), one.person.as_deref())).collect();
    let auto = [(None, Some("bob")), (None, Some("eve"))];
    assert_eq!(names, [(Some("back"), None), (Some("host"), Some("ann")), auto[0], auto[1], (Some("logo"), None)]);
    assert_eq!((area(&boxes[1]), boxes[1].rotate), ([640.0, 180.0, 480.0, 270.0], 30.0));
    assert_eq!((area(&boxes[2]), boxes[2].hidden), ([0.0, 180.0, 640.0, 360.0], None));
    assert_eq!((area(&boxes[3]), boxes[3].hidden), ([640.0, 180.0, 640.0, 360.0], Some(WhyHidden::NoPicture)));
    assert_eq!(area(&boxes[4]), [0.0, 0.0, 200.0, 100.0]);
}

#[test]
fn what_is_not_seen_has_a_box_and_a_reason() {
    let ann = |keys: Value| {
        let mut layer = json!({"id": "a", "source": {"participant": "ann"}, "width": 320});
        layer.as_object_mut().unwrap().append(&mut keys.as_object().unwrap().clone());
        let layout = json!({"layers": [layer], "auto": {"mode": "off"}});
        let mut boxes = reckoned(&layout, &[("ann", HD), ("eve", None)], true);
        assert_eq!(boxes.len(), 1);
        boxes.remove(0)
    };
    let eve = json!({"participant": "eve"});
    let image = |name: &str| json!({"image": name});
    for (keys, hidden, person) in [
        (json!({}), None, Some("ann")),
        (json!({"source": {"participant": "kim"}}), Some(WhyHidden::Nobody), None),
        (json!({"source": {"slot": 2}}), Some(WhyHidden::NoPicture), Some("eve")),
        (json!({"source": {"slot": 3}}), Some(WhyHidden::Nobody), None),
        (json!({"source": eve}), Some(WhyHidden::NoPicture), Some("eve")),
        (json!({"source": image("none.png")}), Some(WhyHidden::NoAsset), None),
        (json!({"opacity": 0}), Some(WhyHidden::Transparent), Some("ann")),
        (json!({"crop": {"left": 1280}}), Some(WhyHidden::Cropped), Some("ann")),
        (json!({"x": 1280}), Some(WhyHidden::OffCanvas), Some("ann")),
    ] {
        let one = ann(keys.clone());
        assert_eq!((one.hidden, one.person.as_deref()), (hidden, person), "{keys}");
        assert_eq!((one.width, one.height), (320.0, 180.0), "{keys}: what is missing is of the usual shape");
    }
    let fallback = ann(json!({"source": eve, "fallback": "wide.png"}));
    assert_eq!((fallback.hidden, fallback.person.as_deref(), fallback.height), (None, Some("eve"), 160.0));
    let missing = ann(json!({"source": eve, "fallback": "none.png"}));
    assert_eq!(missing.hidden, Some(WhyHidden::NoPicture));
    let text = json!({"layers": [{"id": "t", "source": {"text": "Good evening\nall"}}]});
    let text = &reckoned(&text, &[], true)[0];
    assert!(text.hidden == Some(WhyHidden::NoAsset) && text.width > text.height, "{text:?}");
}

#[test]
fn those_who_are_cut_out_have_the_shape_of_their_pictures() {
    let layout = json!({"auto": {"mode": "grid", "cutout": "person"}});
    let people = [("ann", HD), ("bob", Some((480, 640))), ("eve", None)];
    let boxes = reckoned(&layout, &people, true);
    assert_eq!(boxes.len(), 2, "one without a picture has no shape");
    for (one, aspect) in boxes.iter().zip([16.0 / 9.0, 0.75]) {
        assert!((one.width / one.height - aspect).abs() < 0.01 && (one.y + one.height - 720.0).abs() < 0.01, "{one:?}");
    }
    assert_eq!(reckoned(&layout, &people, false).len(), 3, "without a model they are tiles");
}

#[test]
fn a_follower_is_in_the_middle_of_the_one_whom_it_follows() {
    let follow = |rest: Value| {
        let mut follow = json!({"layer": "ann", "keypoint": "nose", "anchor": "center"});
        follow.as_object_mut().unwrap().append(&mut rest.as_object().unwrap().clone());
        let layout = json!({"layers": [
            {"id": "ann", "source": {"participant": "ann"}, "x": 100, "y": 100, "width": 640, "height": 360},
            {"id": "hat", "source": {"image": "wide.png"}, "follow": follow, "z": 1}
        ]});
        area(&reckoned(&layout, &[("ann", HD)], true)[1])
    };
    assert_eq!(follow(json!({"scale": 0.2})), [370.0, 255.0, 100.0, 50.0]);
    assert_eq!(follow(json!({"scale": 0.2, "dx": 10, "dy": -5})), [380.0, 250.0, 100.0, 50.0]);
    assert_eq!(follow(json!({"scale": 0.2, "anchor": "bottom-left"})), [420.0, 230.0, 100.0, 50.0]);
}
