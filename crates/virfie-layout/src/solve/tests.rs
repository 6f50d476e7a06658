#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::{BodyPart, BodyParts, read};

const HD: Option<(u32, u32)> = Some((1280, 720));
const VGA: Option<(u32, u32)> = Some((640, 480));

/// Images: `wide.png` 1000x500, `tall.png` 100x400; any other is missing.
fn image_size(name: &str) -> Option<(u32, u32)> {
    match name {
        "wide.png" => Some((1000, 500)),
        "tall.png" => Some((100, 400)),
        _ => None,
    }
}

fn solved(layout: Value, people: &[(&str, Option<(u32, u32)>)]) -> Vec<Placement> {
    let people: Vec<Person> = people.iter().map(|&(name, size)| Person { name, size }).collect();
    let scene = read(&layout, &Canvas::default()).unwrap();
    solve(&scene, &Facts { people: &people, image_size: &image_size, speakers: &[], can_cut: true })
}

/// Returns where a layer of `source` with these other keys is, on 1280x720, with `ann` (1280x720) and `vga` (640x480)
/// there.
fn placed(source: Value, mut keys: Value) -> Option<Placement> {
    keys["id"] = json!("layer");
    keys["source"] = source;
    let layout = json!({"layers": [keys], "auto": {"mode": "off"}});
    let mut placements = solved(layout, &[("ann", HD), ("vga", VGA)]);
    assert!(placements.len() <= 1);
    placements.pop()
}

fn ann(keys: Value) -> Rect {
    placed(json!({"participant": "ann"}), keys).unwrap().dst
}

fn rect(x: i32, y: i32, width: i32, height: i32) -> Rect {
    Rect { x, y, width, height }
}

fn crop(x: f32, y: f32, width: f32, height: f32) -> Crop {
    Crop { x, y, width, height }
}

fn sources(placements: &[Placement]) -> Vec<Placed> {
    placements.iter().map(|placement| placement.source.clone()).collect()
}

#[test]
fn pixels_and_percent_are_exact() {
    assert_eq!(ann(json!({"x": 640, "y": 180, "width": 480, "height": 360})), rect(640, 180, 480, 360));
    assert_eq!(ann(json!({"x": "50%", "y": "25%", "width": "37.5%", "height": "50%"})), rect(640, 180, 480, 360));
    assert_eq!(ann(json!({"x": "-10%", "y": "20%", "width": "60%"})), rect(-128, 144, 768, 432));
    assert_eq!(ann(json!({"x": 0.5, "y": -0.5, "width": 10, "height": 10})), rect(1, -1, 10, 11));
}

#[test]
fn an_odd_canvas_of_tiles_has_no_gap() {
    // Thirds of 1280 are no whole pixels, and 33.3 % three times is a little less than all.
    let tile = |x: &str, width: &str| ann(json!({"x": x, "width": width, "height": "100%"}));
    let (a, b, c) = (tile("0%", "33.3%"), tile("33.3%", "33.3%"), tile("66.6%", "33.4%"));
    assert_eq!((a.x + a.width, b.x + b.width, c.x + c.width), (b.x, c.x, 1280));
    for edge in (1..1000).map(|tenths| f64::from(tenths) / 10.0) {
        let left = ann(json!({"width": format!("{edge}%"), "height": 9}));
        let right = ann(json!({"x": format!("{edge}%"), "width": 100, "height": 9}));
        let anchored = ann(json!({"x": format!("{edge}%"), "y": 0, "width": 100, "height": 9, "anchor": "top-right"}));
        assert_eq!((left.width, anchored.x + anchored.width), (right.x, right.x), "{edge}%");
    }
}

#[test]
fn without_size_and_position_the_canvas_is_filled() {
    let whole = rect(0, 0, 1280, 720);
    for anchor in ["top-left", "center", "bottom-right", "top"] {
        assert_eq!(ann(json!({ "anchor": anchor })), whole);
    }
    let vga = placed(json!({"participant": "vga"}), json!({})).unwrap();
    assert_eq!((vga.dst, vga.src), (whole, crop(0.0, 60.0, 640.0, 360.0)));
    let vga = placed(json!({"participant": "vga"}), json!({"fit": "contain"})).unwrap();
    assert_eq!((vga.dst, vga.src), (rect(160, 0, 960, 720), crop(0.0, 0.0, 640.0, 480.0)));
    let wide = placed(json!({"image": "wide.png"}), json!({"fit": "contain"})).unwrap();
    assert_eq!(wide.dst, rect(0, 40, 1280, 640));
    let tall = placed(json!({"image": "tall.png"}), json!({"fit": "fill"})).unwrap();
    assert_eq!((tall.dst, tall.src), (whole, crop(0.0, 0.0, 100.0, 400.0)));
    assert_eq!(placed(json!({"color": "#fff"}), json!({})).unwrap().dst, whole);
}

#[test]
fn one_side_alone_keeps_the_shape() {
    let vga = |keys| placed(json!({"participant": "vga"}), keys).unwrap();
    let by_width = vga(json!({"width": 320}));
    assert_eq!((by_width.dst, by_width.src), (rect(0, 0, 320, 240), crop(0.0, 0.0, 640.0, 480.0)));
    assert_eq!(vga(json!({"height": "50%"})).dst, rect(0, 0, 480, 360));
    let cropped = vga(json!({"height": 240, "crop": {"left": "25%", "right": 160}}));
    assert_eq!((cropped.dst, cropped.src), (rect(0, 0, 160, 240), crop(160.0, 0.0, 320.0, 480.0)));
    assert_eq!(placed(json!({"image": "tall.png"}), json!({"width": 50})).unwrap().dst, rect(0, 0, 50, 200));
}

#[test]
fn a_color_has_no_shape_and_reaches_across() {
    let bar = placed(json!({"color": "#102030"}), json!({"y": "90%", "height": "10%", "mirror": true})).unwrap();
    assert_eq!((bar.dst, bar.src), (rect(0, 648, 1280, 72), Crop::default()));
    assert_eq!(bar.source, Placed::Color([0x10, 0x20, 0x30]));
    assert_eq!(
        placed(json!({"color": "#fff"}), json!({"width": 40, "anchor": "right"})).unwrap().dst,
        rect(1240, 0, 40, 720)
    );
}

#[test]
fn a_scale_is_of_the_canvas() {
    assert_eq!(ann(json!({"scale": 0.5})), rect(0, 0, 640, 360));
    assert_eq!(ann(json!({"scale": "50%", "anchor": "center"})), rect(320, 180, 640, 360));
    assert_eq!(ann(json!({"scale": 2, "x": "50%", "y": "50%", "anchor": "center"})), rect(-640, -360, 2560, 1440));
}

#[test]
fn an_anchor_says_which_point_x_and_y_place() {
    for (anchor, x, y) in [
        ("top-left", 600, 300),
        ("top", 550, 300),
        ("top-right", 500, 300),
        ("left", 600, 275),
        ("center", 550, 275),
        ("right", 500, 275),
        ("bottom-left", 600, 250),
        ("bottom", 550, 250),
        ("bottom-right", 500, 250),
    ] {
        let keys = json!({"x": 600, "y": 300, "width": 100, "height": 50, "anchor": anchor});
        assert_eq!(ann(keys), rect(x, y, 100, 50), "{anchor}");
    }
}

#[test]
fn without_position_a_layer_stands_at_its_anchor() {
    for (anchor, x, y) in [
        ("top-left", 0, 0),
        ("top", 590, 0),
        ("top-right", 1180, 0),
        ("left", 0, 335),
        ("center", 590, 335),
        ("right", 1180, 335),
        ("bottom-left", 0, 670),
        ("bottom", 590, 670),
        ("bottom-right", 1180, 670),
    ] {
        assert_eq!(ann(json!({"width": 100, "height": 50, "anchor": anchor})), rect(x, y, 100, 50), "{anchor}");
    }
    assert_eq!(ann(json!({"width": 100, "height": 50, "x": 7, "anchor": "bottom"})), rect(-43, 670, 100, 50));
}

#[test]
fn a_crop_comes_before_the_fit_and_before_the_mirror() {
    let keys = json!({"width": 400, "height": 400, "crop": {"left": "50%", "top": 100}, "mirror": true});
    let placement = placed(json!({"participant": "ann"}), keys).unwrap();
    // 640x620 is left, from (640, 100); a square of it is 620 wide.
    assert_eq!(placement.src, crop(650.0, 100.0, 620.0, 620.0));
    assert!(placement.mirror);
    assert_eq!(placed(json!({"participant": "vga"}), json!({"crop": {"left": 640}})), None);
}

#[test]
fn what_cannot_be_seen_is_left_out() {
    for keys in [
        json!({"x": 1280}),
        json!({"y": "100%"}),
        json!({"x": -100, "width": 100, "height": 9}),
        json!({"opacity": 0}),
        json!({"width": 0.2, "height": 9}),
        json!({"x": "-1000%", "scale": 10, "anchor": "right"}),
    ] {
        assert_eq!(placed(json!({"participant": "ann"}), keys.clone()), None, "{keys}");
    }
    assert_eq!(placed(json!({"participant": "nobody"}), json!({})), None);
    assert_eq!(placed(json!({"slot": 3}), json!({})), None);
    assert_eq!(placed(json!({"image": "missing.png"}), json!({})), None);
    assert_eq!(ann(json!({"x": 1279, "y": -719})), rect(1279, -719, 1280, 720), "a pixel of it is seen");
}

#[test]
fn slots_are_those_whom_no_layer_names_in_order_of_joining() {
    let layout = json!({"layers": [
        {"id": "one", "source": {"slot": 1}},
        {"id": "two", "source": {"slot": 2}, "z": 1},
        {"id": "bob", "source": {"participant": "bob"}, "z": 2, "opacity": 0}
    ], "auto": {"mode": "off"}});
    let people = [("bob", HD), ("ann", HD), ("eve", HD), ("joe", HD)];
    assert_eq!(sources(&solved(layout.clone(), &people)), [Placed::Person(1), Placed::Person(2)]);
    assert_eq!(sources(&solved(layout.clone(), &people[1..])), [Placed::Person(0), Placed::Person(1)]);
    assert_eq!(sources(&solved(layout, &people[..2])), [Placed::Person(1)], "the second slot stays empty");
}

#[test]
fn without_a_picture_one_keeps_the_slot() {
    let layout = json!({"layers": [
        {"id": "one", "source": {"slot": 1}}, {"id": "two", "source": {"slot": 2}, "z": 1}
    ]});
    let placements = solved(layout, &[("ann", None), ("bob", HD), ("eve", HD)]);
    assert_eq!(sources(&placements), [Placed::Person(2), Placed::Person(1)], "auto shows eve, the second slot bob");
}

#[test]
fn auto_takes_whom_no_layer_names_and_no_slot_takes() {
    let layout = json!({"layers": [
        {"id": "named", "source": {"participant": "bob"}, "z": 1},
        {"id": "second", "source": {"slot": 2}, "z": 1}
    ]});
    let people = [("ann", HD), ("bob", HD), ("eve", HD), ("joe", HD), ("kim", HD)];
    let placements = solved(layout, &people);
    let order = [0, 3, 4, 1, 2].map(Placed::Person);
    assert_eq!(sources(&placements), order, "ann, joe and kim by auto, bob by name, eve by slot");
    assert_eq!(placements[0].dst.height, placements[2].dst.height);
}

#[test]
fn higher_z_is_nearer_and_equal_ones_as_listed_with_auto_last_at_zero() {
    let color = |id: &str, z: i32| json!({"id": id, "source": {"color": format!("#{id}")}, "z": z});
    let layout = json!({"layers": [color("555555", 5), color("000001", 0), color("999999", -9), color("111111", 1),
                                   color("000002", 0), color("555556", 5)]});
    let order = sources(&solved(layout, &[("ann", HD)]));
    let gray = |n: u8| Placed::Color([n; 3]);
    assert_eq!(
        order,
        [
            gray(0x99),
            Placed::Color([0, 0, 1]),
            Placed::Color([0, 0, 2]),
            Placed::Person(0),
            gray(0x11),
            gray(0x55),
            Placed::Color([0x55, 0x55, 0x56])
        ]
    );
}

#[test]
fn one_person_may_be_shown_by_many_layers() {
    let layout = json!({"layers": [
        {"id": "a", "source": {"participant": "ann"}, "cutout": "person"},
        {"id": "b", "source": {"participant": "ann"}, "opacity": 0.25, "scale": 0.5}
    ]});
    let placements = solved(layout, &[("ann", HD)]);
    assert_eq!(sources(&placements), [Placed::Person(0), Placed::Person(0)]);
    assert_eq!((placements[0].cut, placements[0].opacity), (Some(Cut::default()), 1.0));
    assert_eq!((placements[1].cut, placements[1].opacity), (None, 0.25));
}

#[test]
fn without_a_model_nobody_is_cut_out() {
    for cutout in [json!("person"), json!(["left_hand", "right_hand"])] {
        let layout = json!({"layers": [{"id": "a", "source": {"participant": "ann"}, "cutout": cutout}]});
        let scene = read(&layout, &Canvas::default()).unwrap();
        let people = [Person { name: "ann", size: HD }];
        let cut =
            |can_cut| solve(&scene, &Facts { people: &people, image_size: &image_size, speakers: &[], can_cut })[0].cut;
        assert!(cut(true).is_some() && cut(false).is_none());
    }
}

#[test]
fn only_who_is_cut_out_can_be_lost() {
    let layer = json!({"id": "a", "source": {"participant": "ann"}, "cutout": "person", "lost": "whole"});
    let scene = read(&json!({ "layers": [layer] }), &Canvas::default()).unwrap();
    let people = [Person { name: "ann", size: HD }];
    let lost = |can_cut| {
        solve(&scene, &Facts { people: &people, image_size: &image_size, speakers: &[], can_cut })[0].look.lost
    };
    assert_eq!((lost(true), lost(false)), (Lost::Whole, Lost::Hide));
}

#[test]
fn every_layer_cuts_in_its_own_way() {
    let layout = json!({"layers": [
        {"id": "room", "source": {"participant": "ann"}, "threshold": 0.25, "feather": 0.5, "smoothing": 0},
        {"id": "whole", "source": {"participant": "ann"}, "cutout": "person", "threshold": 0.25},
        {"id": "hands", "source": {"slot": 1}, "cutout": ["right_hand", "left_hand"], "feather": 0, "smoothing": 0.5}
    ]});
    let cuts: Vec<_> = solved(layout, &[("ann", HD), ("bob", VGA)]).iter().map(|placement| placement.cut).collect();
    let hands = BodyParts::NONE.with(BodyPart::LeftHand).with(BodyPart::RightHand);
    let whole = Cut { threshold: 0.25, ..Cut::default() };
    let hands = Cut { parts: Some(hands), feather: 0.0, smoothing: 0.5, ..Cut::default() };
    assert_eq!(cuts, [None, Some(whole), Some(hands)]);
}

#[test]
fn what_is_shown_lies_within_the_source() {
    for (width, height) in [(1, 1), (3, 7), (640, 480), (1279, 719), (8000, 3)] {
        for fit in ["fill", "contain", "cover"] {
            for keys in [
                json!({}),
                json!({"width": 333.3}),
                json!({"height": "77.7%"}),
                json!({"width": 9, "height": 700}),
                json!({"scale": 0.123, "crop": {"left": "33.3%", "right": "33.3%", "top": "0.1%"}}),
            ] {
                let mut layer = keys;
                layer["id"] = json!("a");
                layer["source"] = json!({"slot": 1});
                layer["fit"] = json!(fit);
                for placement in solved(json!({ "layers": [layer] }), &[("ann", Some((width, height)))]) {
                    let src = placement.src;
                    assert!(src.x >= 0.0 && src.y >= 0.0 && src.width > 0.0 && src.height > 0.0, "{placement:?}");
                    assert!(src.x + src.width <= width as f32 * 1.00001, "{placement:?}");
                    assert!(src.y + src.height <= height as f32 * 1.00001, "{placement:?}");
                    assert!(placement.dst.width > 0 && placement.dst.height > 0);
                }
            }
        }
    }
}

#[test]
fn a_text_is_as_large_as_it_comes() {
    // Of any text here the picture is 200 x 60, or as wide as its layer.
    let size = |name: &str| {
        name.starts_with("text:").then_some(if name.contains("Width(400)") { (400, 120) } else { (200, 60) })
    };
    let placed = |keys: Value| {
        let mut layer = json!({"id": "t", "source": {"text": "Friday"}});
        keys.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
        let scene = read(&json!({"layers": [layer]}), &Canvas::default()).unwrap();
        solve(&scene, &Facts { people: &[], image_size: &size, speakers: &[], can_cut: true }).remove(0)
    };
    let centred = placed(json!({"x": "50%", "y": "90%", "anchor": "center"}));
    assert_eq!(centred.dst, rect(540, 618, 200, 60));
    assert_eq!(centred.src, crop(0.0, 0.0, 200.0, 60.0));
    assert!(matches!(centred.source, Placed::Image(name) if name.ends_with("Friday")));
    assert_eq!(placed(json!({"width": 400, "x": 10, "y": 20})).dst, rect(10, 20, 400, 120));
    // What does not fit into both is made smaller, not cut.
    let boxed = placed(json!({"width": 300, "height": 30, "x": 0, "y": 0}));
    assert_eq!((boxed.dst, boxed.src), (rect(100, 0, 100, 30), crop(0.0, 0.0, 200.0, 60.0)));
    let nowhere = json!({"layers": [{"id": "t", "source": {"text": "Friday"}}]});
    assert!(solved(nowhere, &[]).is_empty(), "a text without its picture shows nothing");
}

#[test]
fn a_text_that_runs_takes_the_canvas_or_its_width_and_its_own_height() {
    let solved = |layer: serde_json::Value| {
        let mut layer = layer;
        layer["id"] = json!("t");
        layer["source"] = json!({"text": "News", "crawl": "50%", "background": "#000"});
        let scene = read(&json!({ "layers": [layer] }), &Canvas::default()).unwrap();
        let facts = Facts { people: &[], speakers: &[], image_size: &|_| Some((3000, 40)), can_cut: false };
        let placement = solve(&scene, &facts).remove(0);
        let Placed::Crawl(crawl) = &placement.source else { panic!("{placement:?}") };
        assert_eq!((crawl.speed, crawl.ground, placement.src.width), (360_000, Some([0; 3]), 3000.0));
        let Rect { x, y, width, height } = placement.dst;
        (x, y, width, height)
    };
    assert_eq!(solved(json!({})), (0, 0, 1280, 40));
    assert_eq!(solved(json!({"anchor": "bottom-left"})), (0, 680, 1280, 40));
    assert_eq!(solved(json!({"x": 10, "width": "50%"})), (10, 0, 640, 40));
    assert_eq!(solved(json!({"height": 100})), (0, 0, 1280, 100));
    assert_eq!(solved(json!({"width": 300, "height": 20})), (0, 0, 300, 20));
}
