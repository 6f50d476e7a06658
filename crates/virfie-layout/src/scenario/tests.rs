#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::{Scene, read};

/// Everything is there: images of 100x50, a beer of 300x329, sounds.
fn all(named: &Named) -> Option<Asset> {
    match () {
        () if named.name.ends_with(".mp3") => Some(Asset::Sound),
        () if named.name.contains("beer") => Some(Asset::Image(300, 329)),
        () => Some(Asset::Image(100, 50)),
    }
}

fn canvas(width: u32, height: u32) -> Canvas {
    Canvas { width, height, ..Canvas::default() }
}

fn imported(scenes: Value, canvas: &Canvas, asset: &dyn Fn(&Named) -> Option<Asset>) -> Imported {
    let file = Node::parse(&json!({"scenes": scenes}).to_string()).unwrap();
    let imported = import(&file, canvas, asset).unwrap();
    for scene in &imported.scenes {
        read(&scene.layout, canvas).expect("what is made can be read");
    }
    imported
}

/// Returns one scene on a canvas of Virfie's size, with everything there.
fn one(scene: Value) -> (Value, Vec<String>) {
    let mut imported = imported(json!([scene]), &canvas(800, 600), &all);
    let told = imported.warnings.iter().map(|fault| fault.pointer.clone()).collect();
    (imported.scenes.remove(0).layout, told)
}

fn layer(layout: &Value, id: &str) -> Value {
    let layers = layout["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["id"] == id).unwrap_or(&Value::Null).clone()
}

#[test]
fn people_stand_where_percentages_say_mirrored_and_cut_out_hard() {
    let (layout, warnings) = one(json!({"players": {
        "1": {"x": "-15%", "y": "12.5", "scale": "80%", "z-index": 3},
        "ann": {"x": 0, "y": "130%", "scale": 50}
    }}));
    assert_eq!(warnings, Vec::<String>::new());
    let player = layer(&layout, "player-1");
    assert_eq!((&player["x"], &player["y"]), (&json!(-120.0), &json!(75.0)));
    assert_eq!((&player["width"], &player["height"]), (&json!(640.0), &json!(480.0)));
    assert_eq!((&player["mirror"], &player["cutout"]), (&json!(true), &json!("person")));
    assert_eq!((&player["threshold"], &player["feather"], &player["smoothing"]), (&json!(0.6), &json!(0), &json!(0)));
    assert_eq!(player["source"], json!({"participant": "1"}));
    assert_eq!(layer(&layout, "player-ann")["width"], json!(400.0));
    assert_eq!(layout["auto"], json!({"mode": "off"}), "nobody else is shown");
    assert_eq!(layout["canvas"], json!({"background": "#111111"}));
}

#[test]
fn of_equal_z_the_first_key_is_nearer() {
    let order = |text: &str| {
        let text = format!(r#"{{"scenes": [{{"players": {text}}}]}}"#);
        let imported = import(&Node::parse(&text).unwrap(), &canvas(800, 600), &all).unwrap();
        let mut layers: Vec<(i64, String)> = imported.scenes[0].layout["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| (layer["z"].as_i64().unwrap(), layer["source"]["participant"].as_str().unwrap().to_owned()))
            .collect();
        layers.sort();
        layers.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ")
    };
    let place = |z: i32| format!(r#"{{"x": "0%", "y": "0%", "scale": "10%", "z-index": {z}}}"#);
    let (low, high) = (place(1), place(2));
    // Back to front.
    assert_eq!(order(&format!(r#"{{"b": {low}, "a": {low}, "c": {low}}}"#)), "c a b");
    assert_eq!(
        order(&format!(r#"{{"b": {low}, "10": {low}, "2": {low}}}"#)),
        "b 10 2",
        "numbers come first, by number"
    );
    assert_eq!(order(&format!(r#"{{"b": {low}, "a": {high}, "c": {low}, "d": {high}}}"#)), "c b d a");
}

#[test]
fn players_that_cannot_be_placed_are_reported_and_left_out() {
    let (layout, warnings) = one(json!({"players": {
        "1": {"x": "left", "y": "0%", "scale": "80%"}, "2": {"y": "0%", "scale": "80%"},
        "3": {"x": "0%", "y": "0%", "scale": "0%"}, "4": {"x": "1e9%", "y": "0%", "scale": "10%"}, "5": 7,
        "6": {"x": "0%", "y": "0%", "scale": "10%"}
    }}));
    let shown: Vec<&str> = layout["layers"].as_array().unwrap().iter().filter_map(|l| l["id"].as_str()).collect();
    assert_eq!(shown, ["player-6"]);
    assert_eq!(warnings[..3], ["/scenes/0/players/1", "/scenes/0/players/2", "/scenes/0/players/5"]);
    assert_eq!(warnings[3..], ["/scenes/0", "/scenes/0"]);
}

#[test]
fn a_background_is_stretched_and_several_take_turns() {
    let (layout, _) = one(json!({"background": {"name": "b", "files": ["a.jpg"]}}));
    let background = layer(&layout, "background");
    assert_eq!(background["source"], json!({"image": "a.jpg"}));
    assert_eq!(
        (&background["fit"], &background["width"], &background["height"]),
        (&json!("fill"), &json!(800.0), &json!(600.0))
    );
    let several = |interval: Value| {
        let mut scene = json!({"background": {"name": "b", "files": ["a.jpg", "b.jpg"]}});
        scene["background"]["interval"] = interval;
        layer(&one(scene).0, "background")["source"].clone()
    };
    assert_eq!(several(json!(500)), json!({"image": ["a.jpg", "b.jpg"], "interval_ms": 500}));
    assert_eq!(several(Value::Null)["interval_ms"], json!(2000));
    assert_eq!(several(json!(0))["interval_ms"], json!(16));
}

#[test]
fn the_last_background_of_a_name_counts_everywhere() {
    let scene = |file: &str| json!({"background": {"name": "b", "files": [file]}});
    let imported = imported(json!([scene("a.jpg"), scene("b.jpg")]), &canvas(800, 600), &all);
    assert_eq!(layer(&imported.scenes[0].layout, "background")["source"], json!({"image": "b.jpg"}));
}

#[test]
fn an_overlay_with_coordinates_has_its_own_size_and_is_in_front_of_people() {
    let (layout, warnings) = one(json!({
        "players": {"1": {"x": "0%", "y": "0%", "scale": "80%", "z-index": 99999}},
        "overlays": [
            {"name": "l o", "files": ["a.png", "b.png"], "position": {"type": "coordinate", "x": -5, "y": 10}},
            {"name": "unplaced", "files": ["c.png"]},
            {"name": "odd", "files": ["c.png"], "position": {"type": "orbit"}},
            {"name": "l o", "position": {"type": "coordinate", "x": 0, "y": 0}}
        ]
    }));
    assert_eq!(warnings, ["/scenes/0/overlays/0", "/scenes/0/overlays/2/position", "/scenes/0/overlays/3"]);
    assert!(layer(&layout, "unplaced").is_null());
    let (layout, _) = one(json!({
        "players": {"1": {"x": "0%", "y": "0%", "scale": "80%", "z-index": 99999}},
        "overlays": [{"name": "l o", "files": ["a.png", "b.png"], "position": {"type": "coordinate", "x": -5, "y": 10}}]
    }));
    let overlay = layer(&layout, "l-o");
    assert_eq!(overlay["source"], json!({"image": ["a.png", "b.png"], "interval_ms": 200}));
    assert_eq!(
        (&overlay["x"], &overlay["y"], &overlay["width"], &overlay["height"]),
        (&json!(-5.0), &json!(10.0), &json!(100.0), &json!(50.0))
    );
    assert!(overlay["z"].as_i64() > layer(&layout, "player-1")["z"].as_i64());
}

#[test]
fn a_tracked_overlay_takes_half_of_its_size_off_twice_when_it_has_a_scale() {
    let beer = |scale: Value, canvas: &Canvas| {
        let mut position = json!({"type": "tracking", "player": "1", "body_part": "rightWrist",
            "offset": {"x": 130, "y": 40}});
        if !scale.is_null() {
            position["scale"] = scale;
        }
        let scene = json!({
            "players": {"1": {"x": "0%", "y": "0%", "scale": "80%"}},
            "overlays": [{"name": "beer", "files": ["beer.png"], "position": position}]
        });
        let imported = imported(json!([scene]), canvas, &all);
        assert_eq!(imported.warnings, []);
        layer(&imported.scenes[0].layout, "beer")
    };
    let virfie = canvas(800, 600);
    let plain = beer(Value::Null, &virfie);
    // 300 x 329 times the person's 0.8.
    assert_eq!((&plain["width"], &plain["height"]), (&json!(240.0), &json!(263.2)));
    assert_eq!(plain["follow"], json!({"layer": "player-1", "keypoint": "rightWrist", "dx": 130.0, "dy": 40.0}));
    for (scale, width, height) in [(json!(1.5), 360.0, 394.8), (json!(1), 240.0, 263.2)] {
        let scaled = beer(scale, &virfie);
        assert_eq!((&scaled["width"], &scaled["height"]), (&json!(width), &json!(height)));
        // Half of the unscaled size.
        assert_eq!((&scaled["follow"]["dx"], &scaled["follow"]["dy"]), (&json!(10.0), &json!(-91.6)));
    }
    assert_eq!(beer(json!(0), &virfie)["follow"]["dx"], json!(130.0), "0 means no offset");
    let larger = beer(json!(1.5), &canvas(1600, 1200));
    assert_eq!((&larger["width"], &larger["follow"]["dx"]), (&json!(720.0), &json!(20.0)));
}

#[test]
fn a_tracked_overlay_of_nobody_is_left_out() {
    let overlay = |player: &str, part: &str| {
        json!({"name": "o", "files": ["a.png"],
        "position": {"type": "tracking", "player": player, "body_part": part}})
    };
    let (layout, warnings) = one(json!({
        "players": {"1": {"x": "0%", "y": "0%", "scale": "80%"}},
        "overlays": [overlay("2", "nose"), overlay("1", "tail"), overlay("1", "nose")]
    }));
    assert_eq!(warnings, ["/scenes/0/overlays/0/position", "/scenes/0/overlays/1/position"]);
    assert_eq!(layout["layers"].as_array().unwrap().len(), 2);
}

#[test]
fn a_wider_canvas_has_bars_and_everything_in_its_middle() {
    let scene = json!({
        "players": {"1": {"x": "-10%", "y": "50%", "scale": "50%"}},
        "background": {"name": "b", "files": ["a.jpg"]},
        "triggers": {"t": {"conditions": {"c": {"type": "positions", "segments": {"players": "ALL", "body_part": "nose"},
            "area": {"left": "30%", "top": "0%", "right": "70%", "bottom": "100%"}}},
            "actions": {"a": {"method": "image_filter", "params": {"filter": {"type": "twirl", "cycle": 1000, "angle": 10}}}}}}
    });
    let wide = imported(json!([scene]), &canvas(1280, 720), &all).scenes.remove(0).layout;
    let player = layer(&wide, "player-1");
    // 1.2 times as large, 160 pixels from the left.
    assert_eq!((&player["x"], &player["y"], &player["width"]), (&json!(64.0), &json!(360.0), &json!(480.0)));
    let (left, right) = (layer(&wide, "bar-left"), layer(&wide, "bar-right"));
    assert_eq!((&left["x"], &left["width"], &left["height"]), (&json!(0.0), &json!(160.0), &json!(720.0)));
    assert_eq!((&right["x"], &right["width"]), (&json!(1120.0), &json!(160.0)));
    assert!(layer(&wide, "bar-top").is_null());
    let area = json!({"left": 160.0, "top": 0.0, "right": 1120.0, "bottom": 720.0});
    assert_eq!(wide["triggers"][0]["do"][0]["twirl"]["area"], area);
    assert_eq!(
        wide["triggers"][0]["when"][0]["area"],
        json!({"left": 448.0, "top": 0.0, "right": 832.0, "bottom": 720.0})
    );
    let tall = imported(json!([{"players": {}}]), &canvas(600, 600), &all).scenes.remove(0).layout;
    assert_eq!((&layer(&tall, "bar-top")["height"], &layer(&tall, "bar-bottom")["y"]), (&json!(76.0), &json!(526.0)));
}

fn triggered(conditions: Value, actions: Value) -> (Value, Vec<String>) {
    one(json!({
        "players": {"1": {"x": "0%", "y": "0%", "scale": "80%"}, "2": {"x": "0%", "y": "0%", "scale": "80%"}},
        "overlays": [
            {"name": "polaroid", "files": ["frame.png"]}, {"name": "cheers_effect", "files": ["c/1.png", "c/2.png"]}
        ],
        "triggers": {"my trigger": {"conditions": conditions, "actions": actions}}
    }))
}

fn cheers() -> Value {
    json!({"a": {"method": "cheers", "params": {}}})
}

#[test]
fn conditions_become_areas_of_keypoints() {
    let area = json!({"top": "15%", "right": "75%", "left": "25%", "bottom": "85%"});
    let (layout, warnings) = triggered(
        json!({
            "everybody": {"type": "positions", "segments": {"players": "ALL", "body_part": "nose"}, "area": area},
            "each": {"type": "positions", "area": area, "segments_each_player":
                {"1": {"body_part": "rightWrist"}, "2": {"body_part": "rightWrist"}, "9": {"body_part": "nose"}}}
        }),
        cheers(),
    );
    let pixels = json!({"left": 200.0, "top": 90.0, "right": 600.0, "bottom": 510.0});
    assert_eq!(layout["triggers"][0]["id"], "my-trigger");
    assert_eq!(
        layout["triggers"][0]["when"],
        json!([
            {"keypoint": "rightWrist", "layers": ["player-1", "player-2"], "area": pixels, "absent": "ignore"},
            {"keypoint": "nose", "area": pixels, "absent": "ignore"}
        ])
    );
    assert_eq!(warnings, ["/scenes/0/triggers/my trigger/conditions/each/segments_each_player/9"]);
}

#[test]
fn what_is_no_condition_is_true() {
    for conditions in [json!({}), json!({"type": "pass"}), json!([{"type": "pass"}]), json!({"a": "pass"})] {
        let (layout, warnings) = triggered(conditions, cheers());
        assert_eq!((&layout["triggers"][0]["when"], warnings.len()), (&json!("always"), 0));
    }
    for odd in [
        json!({"a": {"type": "moon"}}),
        json!({"a": 7}),
        json!({"a": {"type": "positions", "area":
        {"left": "0%", "top": "0%", "right": "9%", "bottom": "9%"}, "segments": {"players": "SOME"}}}),
    ] {
        let (layout, warnings) = triggered(odd, cheers());
        assert_eq!((&layout["triggers"][0]["when"], warnings.len()), (&json!("always"), 1));
    }
}

#[test]
fn what_is_never_true_is_left_out() {
    for area in [
        json!({"left": "0%", "top": "0%", "right": "9%"}),
        json!({}),
        json!({"left": "9%", "top": "0%", "right": "9%", "bottom": "9%"}),
    ] {
        let condition = json!({"type": "positions", "segments": {"players": "ALL", "body_part": "nose"}, "area": area});
        let (layout, warnings) = triggered(json!({"c": condition}), cheers());
        assert_eq!((layout.get("triggers"), warnings.len()), (None, 1));
    }
}

#[test]
fn actions_become_effects() {
    let (layout, warnings) = triggered(
        json!({}),
        json!({
            "a": {"method": "image_filter", "params": {"filter": {"type": "twirl", "cycle": 1000, "angle": 10}}},
            "b": {"method": "weather_icon_tracker", "size": {"width": 200}, "offset": {"x": 0, "y": -150},
                "interval_in_seconds": 3},
            "c": {"method": "random_snapshots",
                "params": {"interval_in_seconds": 5, "shutter_sound": "/static/click.mp3"}},
            "d": {"method": "cheers", "params": {}},
            "e": {"method": "image_filter", "params": {"filter": {"type": "blur"}}},
            "f": {"method": "explode"}
        }),
    );
    assert_eq!(
        layout["triggers"][0]["do"],
        json!([
            {"twirl": {"angle": 572.96, "period_ms": 6283.19}},
            {"icons": {"image": ["frame.png", "1.png"], "width": 200.0, "dx": 0.0, "dy": -150.0, "shuffle_ms": 3000}},
            {"polaroid": {"image": "frame.png", "width": 580.0, "height": 600.0, "photo_width": 350.0,
                "photo_height": 340.0, "every_ms": 5000, "sound": "click.mp3"}},
            {"show": "cheers"}
        ])
    );
    assert_eq!(warnings, ["/scenes/0/triggers/my trigger/actions/e", "/scenes/0/triggers/my trigger/actions/f"]);
    let shown = layer(&layout, "cheers");
    assert_eq!(shown["source"], json!({"image": ["1.png", "2.png"], "interval_ms": 200}));
    assert_eq!(
        (&shown["x"], &shown["y"], &shown["width"], &shown["anchor"]),
        (&json!(400.0), &json!(200.0), &json!(400.0), &json!("center"))
    );
}

#[test]
fn what_is_missing_is_reported_once_and_left_out() {
    let scene = json!({
        "audio": "/static/music.mp3",
        "players": {"1": {"x": "0%", "y": "0%", "scale": "80%"}},
        "background": {"name": "b", "files": ["b.jpg"]},
        "overlays": [
            {"name": "o", "files": ["o.png", "p.png"], "position": {"type": "coordinate", "x": 0, "y": 0}},
            {"name": "o2", "files": ["p.png"], "position": {"type": "coordinate", "x": 0, "y": 0}},
            {"name": "polaroid", "files": ["frame.png"]}
        ],
        "triggers": {"t": {"conditions": {}, "actions": {"a": {"method": "random_snapshots",
            "params": {"interval_in_seconds": 5, "shutter_sound": "/static/click.mp3"}}}}}
    });
    let some = |named: &Named| match named.name.as_str() {
        "o.png" | "frame.png" => Some(Asset::Image(10, 10)),
        _ => None,
    };
    let imported = imported(json!([scene]), &canvas(800, 600), &some);
    let told: Vec<String> =
        imported.warnings.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect();
    assert_eq!(
        told,
        [
            "/scenes/0/background/files/0 there is no image asset \"b.jpg\"",
            "/scenes/0/overlays/0/files/1 there is no image asset \"p.png\"",
            "/scenes/0/triggers/t/actions/a/params/shutter_sound there is no sound asset \"click.mp3\"",
            "/scenes/0/audio there is no sound asset \"music.mp3\""
        ]
    );
    let layout = &imported.scenes[0].layout;
    let ids: Vec<&str> = layout["layers"].as_array().unwrap().iter().filter_map(|l| l["id"].as_str()).collect();
    assert_eq!(ids, ["player-1", "o"]);
    assert!(layout["triggers"][0]["do"][0]["polaroid"].get("sound").is_none());
    let there: Vec<bool> = imported.assets.iter().map(|(_, there)| *there).collect();
    assert_eq!(there, [false, true, false, true, false, false]);
}

#[test]
fn titles_become_names_of_scenes() {
    let titles = ["Bar", "Bar", "", "next", "a/b?", ".hidden", &"x".repeat(100), "\u{3164}", "a\u{202e}b"];
    let scenes: Vec<Value> = titles.iter().map(|title| json!({"title": title})).chain([json!({})]).collect();
    let names: Vec<String> =
        imported(json!(scenes), &canvas(800, 600), &all).scenes.into_iter().map(|scene| scene.name).collect();
    let long = "x".repeat(56);
    assert_eq!(names, ["Bar", "Bar 2", "Scene 3", "Scene 4", "a b", "hidden", &long, "Scene 8", "a b 2", "Scene 10"]);
}

#[test]
fn what_is_no_scenario_is_refused() {
    let refused =
        |text: &str| import(&Node::parse(text).unwrap(), &canvas(800, 600), &all).unwrap_err()[0].pointer.clone();
    assert_eq!(
        [refused("[]"), refused("{}"), refused(r#"{"scenes": {}}"#), refused(r#"{"scenes": []}"#)],
        ["", "", "/scenes", "/scenes"]
    );
    // Anything in place of anything else is a warning at most.
    for odd in [json!(7), json!(null), json!("x"), json!([]), json!([[7]]), json!({"a": {"b": "c"}})] {
        for key in ["title", "audio", "players", "background", "overlays", "triggers"] {
            imported(json!([{key: odd}, odd]), &canvas(1280, 720), &all);
        }
        let trigger = |conditions: &Value, actions: &Value| json!([{"triggers": {"t": {"conditions": conditions, "actions": actions}}}]);
        imported(trigger(&odd, &cheers()), &canvas(1280, 720), &all);
        imported(trigger(&json!({}), &odd), &canvas(1280, 720), &all);
    }
}

#[test]
fn what_does_not_fit_into_a_layout_is_left_out() {
    let overlay = |n: usize| {
        json!({"name": format!("o{n}"), "files": ["a.png"],
        "position": {"type": "coordinate", "x": n, "y": 0}})
    };
    let overlays: Vec<Value> = (0..100).map(overlay).collect();
    let imported = imported(json!([{"overlays": overlays}]), &canvas(1280, 720), &all);
    let layers = imported.scenes[0].layout["layers"].as_array().unwrap().len();
    assert_eq!(layers, 64);
    assert!(!imported.warnings.is_empty());
}

/// Returns the scenes of one of Virfie's own files, with those assets that are there, and the warnings.
fn original(name: &str) -> Option<(Vec<Scene>, Vec<String>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/virfie");
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        eprintln!("SKIPPED: there is no {name} in {}", folder.display());
        return None;
    };
    let there = |named: &Named| {
        if !folder.join("static").join(&named.path).exists() {
            return None;
        }
        let is_sound = named.path.ends_with(".mp3");
        Some(if is_sound { Asset::Sound } else { Asset::Image(300, 329) })
    };
    let canvas = canvas(800, 600);
    let imported = import(&Node::parse(&text).unwrap(), &canvas, &there).unwrap();
    let scenes = imported.scenes.iter().map(|scene| read(&scene.layout, &canvas).unwrap()).collect();
    Some((scenes, imported.warnings.into_iter().map(|fault| fault.detail).collect()))
}

fn ids(scene: &Scene) -> Vec<&str> {
    let mut layers: Vec<_> = scene.layers.iter().collect();
    layers.sort_by_key(|layer| layer.z);
    layers.into_iter().map(|layer| layer.id.as_str()).collect()
}

#[test]
fn space_wiggle_is_imported() {
    let Some((scenes, warnings)) = original("space_wiggle.json") else { return };
    assert_eq!(ids(&scenes[0]), ["player-1", "player-2", "player-3"]);
    assert_eq!(scenes[0].triggers[0].actions.len(), 1);
    assert_eq!(warnings, ["there is no image asset \"space-wiggle-background-without-cloud.jpg\""]);
}

#[test]
fn emotion_tracker_is_imported() {
    let Some((scenes, warnings)) = original("emotion_tracker.json") else { return };
    assert_eq!(ids(&scenes[0]), ["player-2", "player-3", "player-1"]);
    assert!(scenes[0].triggers[0].when.0.is_empty());
    let mut images: Vec<&str> = scenes[0].image_names().collect();
    images.sort_unstable();
    assert_eq!(images, ["cloudy.png", "rainbow.png", "rainy.png", "sun.png"]);
    assert_eq!(warnings, ["there is no image asset \"emotion-tracker-background.jpg\""]);
}

#[test]
fn club_virfie_is_imported() {
    let Some((scenes, mut warnings)) = original("club_virfie.json") else { return };
    assert_eq!(
        scenes.iter().map(ids).collect::<Vec<_>>(),
        [
            vec!["player-1", "player-2", "player-3"],
            vec!["player-3", "player-2", "player-1", "beer1", "beer2", "beer3", "cheers"],
            vec!["background", "player-1", "player-2", "player-3", "dancehall_lighting"],
        ]
    );
    assert!(scenes[1].is_shown_by_trigger("cheers"));
    assert_eq!(scenes[1].layers.iter().filter(|layer| layer.follow.is_some()).count(), 3);
    warnings.sort();
    assert_eq!(
        warnings,
        [
            "there is no image asset \"Club-Virfie-Bar-Background-without-table.jpg\"",
            "there is no image asset \"Club-Virfie-Entrance.jpg\"",
            "there is no sound asset \"club-bar.mp3\"",
            "there is no sound asset \"club-dance-hall.mp3\"",
            "there is no sound asset \"club-entrance.mp3\"",
        ]
    );
}

#[test]
fn more_than_a_room_can_have_is_refused_before_it_is_looked_at() {
    let refused = |file: Value| {
        let file = Node::parse(&file.to_string()).unwrap();
        import(&file, &Canvas::default(), &|_| None).unwrap_err()[0].pointer.clone()
    };
    assert_eq!(refused(json!({"scenes": vec![json!({}); 101]})), "/scenes");
    assert_eq!(refused(json!({"scenes": [{}, {"overlays": vec![json!({}); 201]}]})), "/scenes/1/overlays");
}

#[test]
fn every_title_becomes_a_name() {
    let titles = [". .a", "\u{202E}b", "\u{2028}", "a/b", "next", ""];
    let scenes: Vec<Value> = titles.iter().map(|title| json!({"title": title})).collect();
    let file = Node::parse(&json!({ "scenes": scenes }).to_string()).unwrap();
    let imported = import(&file, &Canvas::default(), &|_| None).unwrap();
    let names: Vec<&str> = imported.scenes.iter().map(|scene| scene.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "Scene 3", "a b", "Scene 5", "Scene 6"]);
}
