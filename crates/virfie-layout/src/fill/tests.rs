#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::{Canvas, read, read_kept};

fn values() -> Values {
    let reading = |elapsed, left, runs| Reading {
        elapsed: Duration::from_millis(elapsed),
        left: Duration::from_millis(left),
        runs,
    };
    Values {
        people: vec!["ann".into(), "bob".into()],
        viewers: 7,
        data: [("score", json!(3)), ("half", json!(-0.5)), ("team", json!("Reds")), ("long", json!("x".repeat(1000)))]
            .map(|(key, value)| (key.into(), Arc::new(value)))
            .into(),
        timers: [
            ("start".into(), reading(700, 299_300, true)),
            ("rest".into(), reading(1000, 299_000, false)),
            ("lap".into(), reading(3_605_250, 0, true)),
        ]
        .into(),
        chat: vec!["ann: Hi".to_owned(), "bob: Ho".to_owned()],
        now: "2026-03-09T20:05:07.25Z".parse().unwrap(),
    }
}

/// Returns what a text becomes, alone in a layout, and for how long.
fn shown(text: &str) -> (String, Option<Duration>) {
    let layout = json!({"layers": [{"id": "t", "source": {"text": text}}]});
    let (filled, lasts) = read(&layout, &Canvas::default()).unwrap().filled(&values());
    (filled.words().next().unwrap().to_owned(), lasts)
}

fn lasting(text: &str, ms: u64) -> (String, Option<Duration>) {
    (text.to_owned(), Some(Duration::from_millis(ms)))
}

#[test]
fn what_was_kept_before_there_were_fields_is_shown_as_it_is_written() {
    let text = "{clock of doom} {name x} {name}";
    let layout = json!({"layers": [{"id": "t", "source": {"text": text}}]});
    let (filled, lasts) = read_kept(&layout, &Canvas::default()).unwrap().filled(&values());
    assert_eq!((filled.words().collect::<String>().as_str(), lasts), (text, None));
}

#[test]
fn fields_become_what_they_stand_for() {
    let still = |text: &str| (text.to_owned(), None);
    assert_eq!(shown("{data.score} : {data.away|0}{data.none}"), still("3 : 0"));
    assert_eq!(shown("{data.team|None} {data.half}"), still("Reds -0.5"));
    assert_eq!(shown("{viewers} watch"), still("7 watch"));
    assert_eq!(shown("{{viewers}} {b}"), still("{viewers} {b}"));
    assert_eq!(shown("{countdown start}"), lasting("5:00", 300));
    assert_eq!(shown("{countdown rest} {countdown none}"), still("4:59 0:00"));
    assert_eq!(shown("{stopwatch lap}"), lasting("1:00:05", 750));
    assert_eq!(shown("{stopwatch start} {clock HH:mm UTC}"), lasting("0:00 20:05", 300));
}

#[test]
fn the_last_lines_of_the_chat_are_shown_as_far_as_there_is_room() {
    assert_eq!(shown("{chat}").0, "ann: Hi\nbob: Ho");
    assert_eq!(shown("{chat 1}").0, "bob: Ho");
    let long = ["a", "b", "c"].map(|letter| letter.repeat(450));
    assert_eq!(last_lines(&long, 3), format!("{}\n{}", long[1], long[2]));
}

#[test]
fn a_time_of_day_is_counted_to_and_over_for_half_a_day() {
    assert_eq!(shown("{countdown 20:15 UTC}"), lasting("9:53", 750));
    assert_eq!(shown("{countdown 20:05 UTC}"), lasting("0:00", 60_000));
    assert_eq!(shown("{countdown 08:06 UTC}"), lasting("0:00", 60_000));
    assert_eq!(shown("{countdown 08:05 UTC}"), lasting("11:59:53", 750));
    assert_eq!(shown("{countdown 00:00 UTC}"), lasting("3:54:53", 750));
}

#[test]
fn what_people_put_makes_no_text_longer_than_a_layout_may() {
    assert_eq!(shown("{data.long}{data.long}").0.len(), limits::TEXT_LENGTH);
}

fn name_in(layers: Value, people: &[&str]) -> String {
    let scene = read(&json!({ "layers": layers }), &Canvas::default()).unwrap();
    let values = Values { people: people.iter().map(|name| (*name).into()).collect(), ..values() };
    scene.filled(&values).0.words().collect()
}

#[test]
fn a_name_is_of_the_layer_that_the_text_belongs_to() {
    let text = |text: &str| json!({"id": "t", "source": {"text": text}});
    let (ann, one) = (json!({"id": "a", "source": {"participant": "ann"}}), json!({"id": "b", "source": {"slot": 1}}));
    // The last one before it, or else the first one behind it.
    assert_eq!(name_in(json!([ann, one, text("{name}")]), &["ann", "bob"]), "bob");
    assert_eq!(name_in(json!([ann, text("{name}"), one]), &["ann", "bob"]), "ann");
    assert_eq!(name_in(json!([text("{name}"), one, ann]), &["ann", "bob"]), "bob");
    // The one that it names, or that it follows.
    assert_eq!(name_in(json!([ann, one, text("{name a}, {name b}")]), &["ann", "bob"]), "ann, bob");
    let mut follower = text("{name}");
    follower["follow"] = json!({"layer": "a", "keypoint": "nose"});
    assert_eq!(name_in(json!([ann, one, follower]), &["ann", "bob"]), "ann");
    // Nobody is there.
    assert_eq!(name_in(json!([ann, one, text("{name}")]), &["ann"]), "");
}

#[test]
fn a_layout_without_fields_is_shown_as_it_is() {
    let scene =
        |text: &str| read(&json!({"layers": [{"id": "t", "source": {"text": text}}]}), &Canvas::default()).unwrap();
    assert!(!scene("a {b} c").is_living() && !Scene::default_for(Canvas::default()).is_living());
    assert!(scene("{clock}").is_living());
    assert_eq!(scene("a {b} {{c}}").filled(&values()), (scene("a {b} {{c}}"), None));
}

#[test]
fn a_layer_of_other_words_alone_is_known() {
    let scene = |layers: Value| read(&json!({ "layers": layers }), &Canvas::default()).unwrap();
    let text = |id: &str, text: &str, x: i32| json!({"id": id, "source": {"text": text}, "x": x});
    let before = scene(json!([text("a", "1", 0), text("b", "1", 0), text("c", "1", 0)]));
    let after = scene(json!([text("a", "2", 0), text("b", "2", 5), text("c", "1", 0), text("d", "2", 0)]));
    assert_eq!(after.reworded(&before), ["a"]);
}
