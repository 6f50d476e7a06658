//! The effects of triggers on the picture: a stage with people whose poses the test says, and whose time it sets.

use std::{sync::Arc, time::Duration};

use gstreamer_video as gst_video;
use serde_json::{Value, json};
use virfie::{
    layout::{Canvas, Cut, KeypointName, read},
    media::{
        compose::{
            backdrop::BackdropPainter, clock::CanvasFormat, colour::Matrix, latest_frames::LatestFrames, planes::I420,
            stage::Stage,
        },
        gst::{
            frame::{Shot, VideoFrame},
            segmented::{Found, Shelf},
        },
        port::{Image, ParticipantId, PeerId, Picture, Pose, Seat, Still},
    },
};

use super::frames::{alike, flat, turn};

const HOLD: Duration = Duration::from_secs(5);

/// Three people's frames and a canvas.
pub struct Play {
    pub stage: Stage,
    pub slots: LatestFrames,
    pub canvas: I420,
    names: Vec<String>,
}

fn id(name: &str) -> ParticipantId {
    ParticipantId(format!("id-of-{name}").into())
}

/// Returns an image of one colour.
pub fn plain(name: &str, (width, height): (u32, u32), [r, g, b]: [u8; 3]) -> Image {
    let rgba = [r, g, b, 255].repeat((width * height) as usize);
    Image { name: name.into(), still: Arc::new(Still::new(&rgba, width, height)), clip: None }
}

/// Returns a pose with these keypoints, in shares of the frame; all others are not seen.
pub fn pose(keypoints: &[(KeypointName, f32, f32)]) -> Pose {
    let mut pose = Pose { score: 0.9, ..Pose::default() };
    for (name, x, y) in keypoints {
        let keypoint = &mut pose.keypoints[*name as usize];
        (keypoint.x, keypoint.y, keypoint.score) = (*x, *y, 0.9);
    }
    pose
}

impl Play {
    pub fn new(layout: &Value, base: &Canvas, people: &[&str], images: Vec<Image>) -> Self {
        let scene = Arc::new(read(layout, base).unwrap());
        let (width, height) = (scene.canvas.width as usize, scene.canvas.height as usize);
        let seat = |name: &&str| Seat { participant: id(name), name: (*name).into() };
        let picture = Picture { scene, people: people.iter().map(seat).collect(), speakers: Vec::new(), images };
        let slots = LatestFrames::default();
        for name in people {
            slots.assign(&id(name), PeerId(1));
        }
        let names = people.iter().map(|name| (*name).to_owned()).collect();
        let stage = Stage::new(BackdropPainter::default().prepare(picture), true);
        Self { stage, slots, canvas: I420::new(width, height, false), names }
    }

    /// Puts a frame of one colour, all of it kept, with this pose.
    pub fn put(&self, name: &str, size: (u32, u32), rgb: [u8; 3], pose: Pose, ms: u64) {
        let format = CanvasFormat { width: size.0, height: size.1, fps: 30 };
        let info = gst_video::VideoInfo::from_caps(&format.caps()).unwrap();
        let frame = VideoFrame::from_buffer_readable(flat(format, rgb), &info).unwrap();
        let mut mask = Arc::new(Shelf::default()).plane((size.0 as usize, size.1 as usize));
        mask.bytes_mut().fill(255);
        let found =
            Found { masks: vec![(Cut::default(), Arc::new(mask))], poses: Some(vec![pose].into()), ..Found::default() };
        self.slots.put(
            &id(name),
            PeerId(1),
            Shot { frame, found: Some(Arc::new(found)), is_lost: false },
            Duration::from_millis(ms),
        );
    }

    /// Composes at this time. Answers the ids of the triggers that fire, each with who made it fire.
    pub fn show(&mut self, ms: u64) -> Vec<(String, Vec<String>)> {
        let now = Duration::from_millis(ms);
        self.stage.update(&self.slots, now, HOLD).count();
        self.stage.compose(&mut self.canvas.planes_mut());
        let told = self.stage.firings().iter().map(|firing| {
            let trigger = self.stage.scene().triggers[firing.trigger].id.clone();
            (trigger, firing.people.iter().map(|person| self.names[*person].clone()).collect())
        });
        told.collect()
    }

    pub fn shows(&self, x: usize, y: usize, rgb: [u8; 3]) -> bool {
        alike(self.at(x, y), Matrix::Bt601.colour(rgb))
    }

    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let planes = self.canvas.planes();
        let [u, v] = planes.chroma();
        [planes.luma().row(y)[x], u.row(y / 2)[x / 2], v.row(y / 2)[x / 2]]
    }
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255; 3];

fn base() -> Canvas {
    Canvas { width: 640, height: 480, ..Canvas::default() }
}

/// Ann fills the canvas; the trigger holds while her right wrist is in its left half.
fn waving(actions: Value) -> Value {
    json!({
        "layers": [
            {"id": "ann", "source": {"participant": "ann"}, "cutout": "person"},
            {"id": "sun", "source": {"image": "sun.png"}, "x": 500, "y": 0, "width": 140, "height": 140, "z": 5}
        ],
        "auto": {"mode": "off"},
        "triggers": [{
            "id": "wave",
            "when": {"keypoint": "rightWrist", "layers": ["ann"], "area": {"right": "50%"}},
            "do": actions
        }]
    })
}

fn ann(play: &Play, wrist: f32, ms: u64) {
    play.put(
        "ann",
        (320, 240),
        RED,
        pose(&[(KeypointName::RightWrist, wrist, 0.5), (KeypointName::Nose, 0.5, 0.5)]),
        ms,
    );
}

#[test]
fn a_trigger_fires_once_its_condition_holds_and_not_before() {
    let _turn = turn();
    let layout = waving(json!([{"show": "sun", "for_ms": 1000}]));
    let mut play = Play::new(&layout, &base(), &["ann"], vec![plain("sun.png", (20, 20), GREEN)]);
    assert!(play.show(0).is_empty());
    ann(&play, 0.9, 10);
    assert!(play.show(40).is_empty() && play.shows(570, 70, RED));
    ann(&play, 0.4, 50);
    assert_eq!(play.show(80), [("wave".to_owned(), vec!["ann".to_owned()])]);
    assert!(play.shows(570, 70, GREEN));
    assert!(play.show(120).is_empty() && play.shows(570, 70, GREEN));
    ann(&play, 0.9, 130);
    assert!(play.show(1079).is_empty() && play.shows(570, 70, GREEN));
    assert!(play.show(1080).is_empty() && play.shows(570, 70, RED));
}

#[test]
fn only_those_are_asked_for_poses_whom_a_trigger_needs() {
    let _turn = turn();
    let asked = |layout: &Value| {
        let mut play = Play::new(layout, &base(), &["ann"], Vec::new());
        ann(&play, 0.9, 0);
        play.stage.update(&play.slots, Duration::ZERO, HOLD).any(|(_, ask)| ask.poses)
    };
    assert!(asked(&waving(json!([{"event": "waved"}]))));
    let mut without = waving(json!([{"event": "waved"}]));
    without["triggers"] = json!([]);
    assert!(!asked(&without));
    without["triggers"] = json!([{"id": "t", "when": "always", "do": [{"event": "e"}]}]);
    assert!(!asked(&without));
    without["triggers"][0]["do"][0] = json!({"icons": {"image": ["sun.png"], "width": 9, "shuffle_ms": 1000}});
    assert!(asked(&without));
}

#[test]
fn icons_go_along_with_heads() {
    let _turn = turn();
    let mut layout = waving(json!([{"icons": {
        "image": ["sun.png", "sun.png"], "width": 100, "dx": 20, "dy": -150, "shuffle_ms": 1000,
        "area": {"left": 0, "top": 0, "right": "100%", "bottom": "100%"}
    }}]));
    layout["layers"] = json!([layout["layers"][0]]);
    layout["layers"][0]["mirror"] = json!(true);
    let mut play = Play::new(&layout, &base(), &["ann"], vec![plain("sun.png", (20, 40), GREEN)]);
    // Mirrored, the wrist at 0.8 is in the left half.
    let at = [(KeypointName::RightWrist, 0.8, 0.5), (KeypointName::Nose, 0.25, 0.75)];
    play.put("ann", (320, 240), RED, pose(&at), 0);
    play.show(0);
    // The nose is at 480, 360: the picture, 100 x 200, about 500, 210.
    assert!(play.shows(500, 210, GREEN) && play.shows(452, 112, GREEN) && play.shows(547, 307, GREEN));
    assert!(
        play.shows(447, 210, RED)
            && play.shows(552, 210, RED)
            && play.shows(500, 107, RED)
            && play.shows(500, 313, RED)
    );
}

#[test]
fn a_twirl_turns_the_middle_and_leaves_the_corners() {
    let _turn = turn();
    let mut layout = waving(json!([{"twirl": {"angle": 360, "period_ms": 2000}}]));
    // A line from the middle to the right.
    layout["layers"][1] = json!({"id": "line", "source": {"color": "#0000ff"}, "x": 320, "y": 200, "width": 320,
        "height": 80, "z": 5});
    let mut play = Play::new(&layout, &base(), &["ann"], Vec::new());
    ann(&play, 0.9, 0);
    play.show(500);
    assert!(play.shows(400, 240, BLUE) && play.shows(240, 240, RED));
    ann(&play, 0.4, 500);
    play.show(500);
    // Half-way out the turn is a quarter of 360 degrees: what was at the right is seen above or below.
    let half = [(320, 80), (320, 400)].map(|(x, y)| play.shows(x, y, BLUE));
    assert!(half[0] != half[1], "{half:?}");
    assert!(play.shows(480, 240, RED) && play.shows(5, 5, RED) && play.shows(636, 240, BLUE));
    play.show(1000);
    assert!(play.shows(480, 240, BLUE), "between to and fro nothing is turned");
}

#[test]
fn a_picture_is_taken_when_a_trigger_fires_and_by_a_polaroid_when_its_time_is_over() {
    let _turn = turn();
    let polaroid = json!({"image": "frame.png", "width": 100, "height": 80, "photo_width": 60, "photo_height": 40,
        "every_ms": 5000, "sound": "click.mp3"});
    let layout = waving(json!([
        {"snapshot": {"area": {"left": 100, "top": 100, "right": 300, "bottom": 200}}},
        {"polaroid": polaroid}
    ]));
    let mut play = Play::new(&layout, &base(), &["ann"], vec![plain("frame.png", (10, 10), WHITE)]);
    ann(&play, 0.9, 0);
    play.show(0);
    assert_eq!(play.stage.take_photos().count(), 0);
    ann(&play, 0.4, 40);
    play.show(40);
    let taken: Vec<_> = play.stage.take_photos().collect();
    assert_eq!(taken.len(), 1);
    let photo = &taken[0];
    assert_eq!((&*photo.trigger, photo.picture.width, photo.picture.height, &photo.sound), ("wave", 200, 100, &None));
    assert!(alike(
        [photo.picture.planes().y[0], photo.picture.planes().u[0], photo.picture.planes().v[0]],
        Matrix::Bt601.colour(RED)
    ));
    let white = |play: &Play| {
        let places = (0..640).step_by(8).flat_map(|x| (0..480).step_by(8).map(move |y| (x, y)));
        places.filter(|(x, y)| play.shows(*x, *y, WHITE)).collect::<Vec<_>>()
    };
    let frame = white(&play);
    // The frame of 100 x 80 is where it may be: no further than 120 and 80 from the middle.
    assert!((100..=160).contains(&frame.len()), "{}", frame.len());
    assert!(frame.iter().all(|(x, y)| (150..=490).contains(x) && (120..=360).contains(y)), "{frame:?}");
    ann(&play, 0.4, 4900);
    play.show(5039);
    assert_eq!((play.stage.take_photos().count(), white(&play)), (0, frame.clone()));
    play.show(5040);
    let taken: Vec<_> = play.stage.take_photos().collect();
    let photo = &taken[0];
    assert_eq!((taken.len(), photo.picture.width, photo.picture.height), (1, 60, 40));
    assert_eq!(photo.sound.as_deref(), Some("click.mp3"));
    assert!(
        photo.picture.planes().y.iter().all(|y| y.abs_diff(Matrix::Bt601.colour(RED)[0]) <= 2),
        "without its frame"
    );
    assert!(white(&play).is_empty());
    play.show(5080);
    assert!(!white(&play).is_empty() && white(&play) != frame, "it goes elsewhere");
}
