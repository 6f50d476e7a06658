#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::layout::{Canvas, Facts, Person, Scene, read, solve};

const NONE: [usize; 0] = [];

/// Returns Ann and bob, each as large as the left or right half of a canvas of 1000x500.
fn scene(triggers: Value) -> Scene {
    let layout = json!({
        "canvas": {"width": 1000, "height": 500},
        "layers": [
            {"id": "ann", "source": {"participant": "ann"}, "width": "50%", "height": "100%", "fit": "fill"},
            {"id": "bob", "source": {"participant": "bob"}, "x": "50%", "width": "50%", "height": "100%", "fit": "fill",
             "mirror": true},
            {"id": "sun", "source": {"color": "#fff"}}
        ],
        "auto": {"mode": "off"},
        "triggers": triggers
    });
    read(&layout, &Canvas::default()).unwrap()
}

fn placed(scene: &Scene, people: &[&str]) -> Vec<Placement> {
    let people: Vec<Person> = people.iter().map(|name| Person { name, size: Some((640, 480)) }).collect();
    solve(scene, &Facts { people: &people, image_size: &|_| None, speakers: &[], can_cut: false })
}

/// Returns a nose here, in shares of the frame.
fn nose(x: f32, y: f32, score: f32) -> Pose {
    let mut pose = Pose::default();
    (pose.keypoints[0].x, pose.keypoints[0].y, pose.keypoints[0].score) = (x, y, score);
    pose
}

struct Watch {
    scene: Scene,
    standings: Standings,
}

impl Watch {
    fn new(triggers: Value) -> Self {
        Self { scene: scene(triggers), standings: Standings::default() }
    }

    /// Returns the indices of the triggers that fire.
    fn at(&mut self, ms: u64, people: &[&str], poses: &[Pose]) -> Vec<usize> {
        let placements = placed(&self.scene, people);
        let pose = |person: usize| Some((*poses.get(person)?, (640, 480)));
        let now = Duration::from_millis(ms);
        self.standings.update(&self.scene.triggers, &placements, (1000.0, 500.0), now, pose);
        self.standings.firings().iter().map(|firing| firing.trigger).collect()
    }

    fn shows(&self, ms: u64) -> bool {
        self.standings.show(&self.scene.triggers, "sun", Duration::from_millis(ms))
    }
}

fn trigger(extra: Value) -> Value {
    let mut trigger = json!({
        "id": "t",
        "when": {"keypoint": "nose", "layers": ["ann"], "area": {"left": 100, "top": "20%", "right": 200, "bottom": "60%"}},
        "do": [{"event": "e"}]
    });
    json_patch::merge(&mut trigger, &extra);
    json!([trigger])
}

#[test]
fn it_fires_once_when_it_comes_true_and_not_again_before_it_was_false() {
    let mut watch = Watch::new(trigger(json!({})));
    // Ann's frame is 500 wide on the canvas: 0.3 is x 150.
    let (out, inside) = (nose(0.1, 0.5, 0.9), nose(0.3, 0.5, 0.9));
    assert_eq!(watch.at(0, &["ann"], &[out]), NONE);
    assert!(!watch.standings.holds(0));
    assert_eq!(watch.at(40, &["ann"], &[inside]), [0]);
    assert_eq!(watch.standings.firings()[0].people, [0]);
    for ms in [80, 120, 5000] {
        assert_eq!(watch.at(ms, &["ann"], &[inside]), NONE);
        assert!(watch.standings.holds(0));
    }
    assert_eq!(watch.at(5040, &["ann"], &[out]), NONE);
    assert_eq!(watch.at(5080, &["ann"], &[inside]), [0]);
}

#[test]
fn an_edge_is_outside_and_what_is_hardly_seen_is_nowhere() {
    let mut watch = Watch::new(trigger(json!({})));
    for (pose, fires) in [
        (nose(0.2, 0.5, 0.9), false),
        (nose(0.4, 0.5, 0.9), false),
        (nose(0.3, 0.2, 0.9), false),
        (nose(0.3, 0.6, 0.9), false),
        (nose(0.3, 0.5, 0.09), false),
        (nose(0.21, 0.21, 0.1), true),
    ] {
        assert_eq!(!watch.at(0, &["ann"], &[pose]).is_empty(), fires, "{:?}", pose.keypoints[0]);
    }
}

#[test]
fn mirrored_people_are_where_the_canvas_shows_them() {
    let area = json!({"when": {"layers": ["bob"], "area": {"left": 840, "right": 860}}});
    let mut watch = Watch::new(trigger(area));
    // Mirrored, 0.3 of the frame is 0.7 of the right half: x 850.
    assert_eq!(watch.at(0, &["ann", "bob"], &[nose(0.7, 0.5, 1.0), nose(0.7, 0.5, 1.0)]), NONE);
    assert_eq!(watch.at(1, &["ann", "bob"], &[nose(0.7, 0.5, 1.0), nose(0.3, 0.5, 1.0)]), [0]);
}

#[test]
fn all_means_everybody_who_is_shown() {
    let all = json!({"when": {"layers": "all", "area": {"left": 100, "right": 900}}});
    let mut watch = Watch::new(trigger(all.clone()));
    let middle = nose(0.5, 0.5, 0.9);
    assert_eq!(watch.at(0, &["ann", "bob"], &[middle, nose(0.05, 0.5, 0.9)]), NONE);
    assert_eq!(watch.at(1, &["ann", "bob"], &[middle]), NONE, "bob is there, but nobody knows where");
    assert_eq!(watch.at(2, &["ann", "bob"], &[middle, middle]), [0]);
    assert_eq!(watch.standings.firings()[0].people, [0, 1]);
    assert_eq!(watch.at(3, &["eve"], &[nose(0.0, 0.0, 0.9)]), NONE, "who is not shown does not count");
    assert!(!watch.standings.holds(0), "with nobody it is not true");
    let mut ignoring = all;
    json_patch::merge(&mut ignoring, &json!({"when": {"absent": "ignore"}}));
    assert_eq!(Watch::new(trigger(ignoring)).at(0, &[], &[]), [0]);
}

#[test]
fn a_layer_with_nobody_blocks_unless_it_is_to_be_ignored() {
    let both = json!({"when": {"layers": ["ann", "bob"], "area": {"left": 0, "right": 1000}}});
    assert_eq!(Watch::new(trigger(both.clone())).at(0, &["ann"], &[nose(0.5, 0.5, 0.9)]), NONE);
    let mut ignoring = both;
    json_patch::merge(&mut ignoring, &json!({"when": {"absent": "ignore"}}));
    assert_eq!(Watch::new(trigger(ignoring.clone())).at(0, &["ann"], &[nose(0.5, 0.5, 0.9)]), [0]);
    assert_eq!(Watch::new(trigger(ignoring)).at(0, &["ann", "bob"], &[nose(0.5, 0.5, 0.9), nose(0.5, 0.1, 0.9)]), NONE);
}

#[test]
fn all_conditions_must_hold() {
    let area = |left: u32| json!({"keypoint": "nose", "layers": ["ann"], "area": {"left": left}});
    let mut watch = Watch::new(trigger(json!({"when": [area(100), area(200)]})));
    assert_eq!(watch.at(0, &["ann"], &[nose(0.3, 0.5, 0.9)]), NONE);
    assert_eq!(watch.at(1, &["ann"], &[nose(0.5, 0.5, 0.9)]), [0]);
}

#[test]
fn it_rests_after_it_fired_and_fires_again_and_again_if_asked_to() {
    let (out, inside) = (nose(0.1, 0.5, 0.9), nose(0.3, 0.5, 0.9));
    let mut resting = Watch::new(trigger(json!({"hold_off_ms": 1000})));
    assert_eq!(resting.at(0, &["ann"], &[inside]), [0]);
    assert_eq!(resting.at(100, &["ann"], &[out]), NONE);
    assert_eq!(resting.at(900, &["ann"], &[inside]), NONE);
    assert_eq!(resting.at(1100, &["ann"], &[inside]), NONE, "it has been true since before");
    assert_eq!(resting.at(1200, &["ann"], &[out]), NONE);
    assert_eq!(resting.at(1300, &["ann"], &[inside]), [0]);
    let mut again = Watch::new(trigger(json!({"every_ms": 500})));
    let fired: Vec<u64> =
        (0..20).map(|n| n * 100).filter(|ms| !again.at(*ms, &["ann"], &[inside]).is_empty()).collect();
    assert_eq!(fired, [0, 500, 1000, 1500]);
}

#[test]
fn a_layer_is_shown_for_a_time_or_while_it_lasts() {
    let (out, inside) = (nose(0.1, 0.5, 0.9), nose(0.3, 0.5, 0.9));
    let mut lasting = Watch::new(trigger(json!({"do": [{"show": "sun"}]})));
    let mut timed = Watch::new(trigger(json!({"do": [{"show": "sun", "for_ms": 1000}]})));
    for watch in [&mut lasting, &mut timed] {
        watch.at(0, &["ann"], &[out]);
        assert!(!watch.shows(0));
        watch.at(100, &["ann"], &[inside]);
        assert!(watch.shows(100));
        watch.at(200, &["ann"], &[out]);
    }
    assert!(!lasting.shows(200));
    assert!(timed.shows(200) && timed.shows(1099) && !timed.shows(1100));
}

#[test]
fn a_change_elsewhere_does_not_fire_it_again() {
    let mut watch = Watch::new(trigger(json!({})));
    let inside = nose(0.3, 0.5, 0.9);
    assert_eq!(watch.at(0, &["ann"], &[inside]), [0]);
    let before = watch.scene.triggers.clone();
    watch.standings.change(&before, &before);
    assert_eq!(watch.at(40, &["ann"], &[inside]), NONE);
    let other = scene(trigger(json!({"do": [{"event": "f"}]})));
    watch.standings.change(&before, &other.triggers);
    watch.scene = other;
    assert_eq!(watch.at(80, &["ann"], &[inside]), [0], "another trigger");
}

#[test]
fn poses_are_needed_of_those_who_are_named() {
    let key = |id: &str| Key::Layer(id.to_owned());
    let named = scene(trigger(json!({}))).triggers;
    assert!(need_poses(&named, &key("ann")) && !need_poses(&named, &key("bob")));
    assert!(!need_poses(&named, &Key::Auto("ann".to_owned())));
    let all = scene(trigger(json!({"when": {"layers": "all"}}))).triggers;
    assert!(need_poses(&all, &key("bob")) && need_poses(&all, &Key::Auto("eve".to_owned())));
    let always = scene(json!([{"id": "t", "when": "always", "do": [{"event": "e"}]}])).triggers;
    assert!(!need_poses(&always, &key("ann")));
}
