//! Texts with fields, as the composer shows them.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use virfie::{
    control::assets::lettering::{Face, Letterer},
    layout::{Canvas, Scene, Values, read},
    media::{
        compose::{backdrop::BackdropPainter, latest_frames::LatestFrames, planes::I420, stage::Stage},
        port::{Image, Picture},
    },
};

const SIZE: (u32, u32) = (320, 180);

fn scene(text: &str) -> Scene {
    let layout = json!({
        "layers": [{"id": "t", "source": {"text": text, "size": 40}, "x": "50%", "y": "50%", "anchor": "center"}],
        "transition": {"duration_ms": 1000}
    });
    let canvas = Canvas { width: SIZE.0, height: SIZE.1, ..Canvas::default() };
    read(&layout, &canvas).unwrap()
}

/// Returns a picture with what the fields of its texts stand for.
fn picture(scene: &Scene, score: &str) -> Picture {
    let mut values = Values::none("2026-01-01T00:00:00Z".parse().unwrap());
    values.data.insert("score".into(), Arc::new(json!(score)));
    let (filled, _) = scene.filled(&values);
    let images = filled.letterings().map(|(_, lettering)| {
        let still = Letterer::default().draw(&lettering, &Face::Family("Inter")).unwrap();
        Image { name: lettering.name().into(), still: Arc::new(still), clip: None }
    });
    let images = images.collect();
    Picture { scene: Arc::new(filled), people: Vec::new(), speakers: Vec::new(), images }
}

fn composed(stage: &mut Stage, at: Duration) -> Vec<u8> {
    let mut canvas = I420::new(SIZE.0 as usize, SIZE.1 as usize, false);
    let _ = stage.update(&LatestFrames::default(), at, Duration::from_secs(1)).count();
    stage.compose(&mut canvas.planes_mut());
    canvas.data().to_vec()
}

fn stage(picture: Picture) -> Stage {
    Stage::new(BackdropPainter::default().prepare(picture), false)
}

#[test]
fn a_field_looks_as_what_it_stands_for() {
    let late = Duration::from_secs(5);
    let shown = |text: &str, score: &str| {
        let mut stage = stage(picture(&scene(text), score));
        composed(&mut stage, Duration::ZERO);
        composed(&mut stage, late)
    };
    assert_eq!(shown("{data.score}", "3"), shown("3", ""));
    assert_ne!(shown("{data.score}", "3"), shown("{data.score}", "4"));
    // As it is written, and so the same whatever the value.
    assert_eq!(shown("{{data.score}}", "3"), shown("{{data.score}}", "4"));
    let nothing = shown("{data.none}", "3");
    assert_ne!(shown("{{data.score}}", "3"), nothing);
    assert_eq!(nothing, shown("{data.other}", "4"), "nothing of either is seen");
}

#[test]
fn other_words_are_there_at_once_also_in_a_layout_that_changes_gradually() {
    let layout = scene("{data.score}");
    let mut stage = stage(picture(&layout, "9"));
    composed(&mut stage, Duration::ZERO);
    composed(&mut stage, Duration::from_secs(5));
    // Wider by far: it would grow for a second.
    let wide = picture(&layout, "1000000");
    drop(stage.set(BackdropPainter::default().prepare(wide)));
    let at_once = composed(&mut stage, Duration::from_secs(6));
    assert_eq!(at_once, composed(&mut stage, Duration::from_secs(9)));
    // Another picture comes before that of the words was shown.
    for _ in 0..2 {
        drop(stage.set(BackdropPainter::default().prepare(picture(&layout, "9"))));
    }
    let at_once = composed(&mut stage, Duration::from_secs(10));
    assert_eq!(at_once, composed(&mut stage, Duration::from_secs(13)));
}

#[test]
fn a_text_that_crawls_is_where_its_speed_has_brought_it() {
    let canvas = Canvas { width: SIZE.0, height: SIZE.1, ..Canvas::default() };
    let at = |source: serde_json::Value, x: i32, ms: u64| {
        let layout = json!({"layers": [{"id": "t", "source": source, "x": x, "y": 40}]});
        let mut stage = stage(picture(&read(&layout, &canvas).unwrap(), ""));
        composed(&mut stage, Duration::from_secs(2));
        composed(&mut stage, Duration::from_secs(2) + Duration::from_millis(ms))
    };
    let crawls = |ms: u64| at(json!({"text": "Breaking news", "size": 40, "crawl": 100}), 0, ms);
    let stands = |x: i32| at(json!({"text": "Breaking news", "size": 40}), x, 0);
    assert_eq!(crawls(0), stands(5000), "it comes from beyond the right end");
    assert_eq!(crawls(1000), stands(220));
    assert_eq!(crawls(3600), stands(-40));
}

#[test]
fn what_is_behind_a_crawl_covers_its_layer_and_stands() {
    let canvas = Canvas { width: SIZE.0, height: SIZE.1, ..Canvas::default() };
    let source = json!({"text": "x", "size": 40, "crawl": "10%", "background": "#ff0000"});
    let layout = json!({"layers": [{"id": "t", "source": source, "x": 20, "y": 40, "width": 100, "height": 60}]});
    let mut stage = stage(picture(&read(&layout, &canvas).unwrap(), ""));
    let bare =
        json!({"layers": [{"id": "t", "source": {"color": "#ff0000"}, "x": 20, "y": 40, "width": 100, "height": 60}]});
    let mut ground = self::stage(picture(&read(&bare, &canvas).unwrap(), ""));
    assert_eq!(composed(&mut stage, Duration::ZERO), composed(&mut ground, Duration::ZERO));
    assert_ne!(composed(&mut stage, Duration::from_secs(3)), composed(&mut ground, Duration::ZERO));
}
