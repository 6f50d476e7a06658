//! Places of all layers, for those who arrange them.

use serde_json::json;

use super::*;
use crate::{
    control::room::state::BOXES_PERIOD,
    layout::{LayerBox, WhyHidden, read},
};

/// Returns those that were reported since the last look, with the events' names.
fn reported(studio: &mut Studio) -> Vec<(&'static str, Vec<LayerBox>)> {
    let boxes = |effect| match effect {
        Effect::Event(Event::BoxesChanged { boxes, .. }) => Some(("boxes_changed", boxes)),
        Effect::Event(Event::LayoutChanged { boxes, .. }) => Some(("layout_changed", boxes)),
        _ => None,
    };
    studio.state.take_effects().into_iter().filter_map(boxes).collect()
}

fn seen(studio: &mut Studio, place: &Place, size: (u32, u32)) {
    let participant = ParticipantId(Arc::clone(&place.participant.id));
    let kind = TrackKind::Video;
    studio.state.hear(MediaEvent::TrackStarted { participant, kind, size: Some(size) }, studio.now);
}

fn show(studio: &mut Studio, layout: serde_json::Value) {
    studio.state.set_layout(Arc::new(read(&layout, &Canvas::default()).unwrap()), Drawn::default());
}

#[test]
fn boxes_are_reported_again_when_people_and_pictures_come() {
    let mut studio = Studio::new();
    let (_, ann) = studio.join("ann");
    studio.pass(Duration::ZERO);
    let first = reported(&mut studio);
    let [("boxes_changed", boxes)] = &first[..] else { panic!("{first:?}") };
    let [one] = &boxes[..] else { panic!("{boxes:?}") };
    assert_eq!((one.person.as_deref(), one.hidden), (Some("ann"), Some(WhyHidden::NoPicture)));
    assert_eq!([one.x, one.y, one.width, one.height], [0.0, 0.0, 1280.0, 720.0]);
    assert_eq!(studio.state.describe().boxes, *boxes);

    studio.pass(BOXES_PERIOD);
    assert!(reported(&mut studio).is_empty(), "nothing has changed");
    seen(&mut studio, &ann, (640, 360));
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio)[0].1[0].hidden, None);
    studio.pass(BOXES_PERIOD);
    seen(&mut studio, &ann, (640, 360));
    studio.pass(Duration::ZERO);
    assert!(reported(&mut studio).is_empty(), "the size is the same");
    studio.state.moderate("id1", &Moderation { hidden: Some(true), ..Moderation::default() }).unwrap();
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio), [("boxes_changed", Vec::new())]);
}

#[test]
fn of_quick_changes_the_last_is_reported_in_time() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio).len(), 1);
    studio.join("bob");
    studio.pass(BOXES_PERIOD / 4);
    studio.join("eve");
    studio.pass(BOXES_PERIOD / 4);
    assert!(reported(&mut studio).is_empty(), "they were reported just now");
    assert_eq!(studio.state.deadline(studio.now), Some(studio.now.clock + BOXES_PERIOD / 2));
    studio.pass(BOXES_PERIOD / 2);
    let [(_, boxes)] = &reported(&mut studio)[..] else { panic!("they are reported once") };
    assert_eq!(boxes.len(), 3);
    assert_eq!(studio.state.deadline(studio.now), None);
}

#[test]
fn a_layout_comes_with_its_boxes() {
    let mut studio = Studio::new();
    let (_, ann) = studio.join("ann");
    seen(&mut studio, &ann, (640, 480));
    studio.pass(Duration::ZERO);
    reported(&mut studio);
    show(&mut studio, json!({"layers": [{"id": "host", "source": {"slot": 1}, "x": 10, "width": 320}]}));
    studio.pass(BOXES_PERIOD);
    let news = reported(&mut studio);
    let [("layout_changed", boxes)] = &news[..] else { panic!("{news:?}") };
    assert_eq!((boxes[0].layer.as_deref(), boxes[0].person.as_deref()), (Some("host"), Some("ann")));
    assert_eq!((boxes[0].x, boxes[0].width, boxes[0].height), (10.0, 320.0, 240.0));
}

#[test]
fn people_stand_side_by_side_once_a_model_can_cut_them_out() {
    let mut studio = Studio::new();
    let (_, ann) = studio.join("ann");
    seen(&mut studio, &ann, (640, 360));
    show(&mut studio, json!({"auto": {"cutout": "person"}}));
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio)[0].1[0].height, 720.0);
    let able = port::Segmentation { model: Some("wide".into()), reason: None, keypoints: false };
    studio.state.set_health(port::Health::default(), able);
    studio.pass(BOXES_PERIOD);
    assert!(reported(&mut studio)[0].1[0].height < 720.0);
}

/// Returns a studio whose layout shows nobody, with the news of that taken.
fn without_people() -> Studio {
    let mut studio = Studio::new();
    let layer = json!({"id": "bar", "source": {"color": "#fff"}, "width": 10, "height": 10});
    show(&mut studio, json!({"layers": [layer], "auto": {"mode": "off"}}));
    assert_eq!(reported(&mut studio).len(), 1);
    studio
}

#[test]
fn the_same_boxes_are_not_reported_again() {
    let mut studio = without_people();
    studio.join("ann");
    studio.pass(BOXES_PERIOD);
    studio.pass(BOXES_PERIOD);
    assert!(reported(&mut studio).is_empty(), "nothing stands elsewhere");
    assert_eq!(studio.state.describe().boxes.len(), 1);
}

#[test]
fn boxes_are_reckoned_again_only_when_something_has_moved() {
    let mut studio = Studio::new();
    let (_, ann) = studio.join("ann");
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio).len(), 1);
    studio.pass(BOXES_PERIOD);
    studio.state.show();
    studio.pass(Duration::ZERO);
    assert!(reported(&mut studio).is_empty());
    // Had they been reckoned just now, these would wait.
    seen(&mut studio, &ann, (640, 360));
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio).len(), 1);
}

#[test]
fn who_began_to_listen_in_between_hears_what_was_before() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.pass(Duration::ZERO);
    assert_eq!(reported(&mut studio)[0].1.len(), 1);
    let hidden = |studio: &mut Studio, hidden| {
        studio.state.moderate("id1", &Moderation { hidden: Some(hidden), ..Moderation::default() }).unwrap();
    };
    hidden(&mut studio, true);
    studio.pass(BOXES_PERIOD / 4);
    assert!(studio.state.introduce().boxes.is_empty(), "the newest is what who begins to listen knows");
    hidden(&mut studio, false);
    studio.pass(BOXES_PERIOD);
    let news = reported(&mut studio);
    let [(_, boxes)] = &news[..] else { panic!("{news:?}") };
    assert_eq!(boxes.len(), 1);
    // Everybody knows the same again.
    studio.state.introduce();
    studio.state.show();
    studio.pass(BOXES_PERIOD);
    assert!(reported(&mut studio).is_empty());
}
