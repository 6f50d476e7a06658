use serde_json::{Value, json};

use super::{outputs::read, *};
use crate::{
    control::room::state::scenes::{SceneName, Scenes, StoredScene},
    layout::Fault,
    media::port::OutputId,
};

/// Returns an HLS output of this name that shows a layout of its own.
fn own(name: &str, width: u32, height: u32, fps: u32) -> Value {
    json!({"type": "hls", "name": name, "layout": {"canvas": {"width": width, "height": height, "fps": fps}}})
}

fn file(video: Value) -> Value {
    json!({"type": "file", "video": video})
}

impl Studio {
    fn ask(&mut self, id: &str, json: Value) -> Result<(), RoomError> {
        let (document, spec) = read(json);
        self.state.add_output(OutputId(id.into()), document, spec, self.now).map(drop)
    }

    fn ask_again(&mut self, id: &str, json: Value) -> Result<(), RoomError> {
        let (document, spec) = read(json);
        self.state.change_output(id, document, spec, self.now).map(drop)
    }

    fn with_canvas(&mut self, width: u32, height: u32, fps: u32) -> Result<(), RoomError> {
        self.state.check_work_after(Some(&Canvas { width, height, fps, ..Canvas::default() }), None)
    }
}

/// Returns the one place that is too much, and what is said of it.
fn place(refused: Result<(), RoomError>) -> (String, String) {
    let Err(RoomError::Invalid(faults)) = refused else { panic!("{refused:?}") };
    let [Fault { pointer, detail }] = faults.as_slice() else { panic!("{faults:?}") };
    (pointer.clone(), detail.clone())
}

#[test]
fn large_pictures_of_a_room_end_before_they_take_the_machine() {
    let mut studio = Studio::new();
    let (pointer, detail) = place(studio.ask("o", own("a", 3840, 2160, 60)));
    assert_eq!(pointer, "/layout/canvas");
    let fit = detail.strip_suffix(" would fit").and_then(|text| text.rsplit(' ').next()).unwrap();
    let (width, height) = fit.split_once('x').unwrap();
    studio.ask("o", own("a", width.parse().unwrap(), height.parse().unwrap(), 60)).unwrap();
    for n in 0..16 {
        let (pointer, detail) = place(studio.ask("more", own(&format!("n{n}"), 3840, 2160, 60 - n)));
        assert!(pointer == "/layout/canvas" && detail.contains("nothing more fits"), "{detail}");
    }
    assert_eq!(studio.state.outputs().len(), 1);
    studio.state.remove_output("o", studio.now).unwrap();
    studio.ask("next", own("b", 1280, 720, 60)).unwrap();
}

#[test]
fn what_the_documentation_shows_fits_on_two_cores_and_equal_outputs_count_once() {
    let mut studio = Studio::new();
    studio.ask("program", json!({"type": "hls", "name": "main"})).unwrap();
    studio.ask("wide", json!({"type": "rtmp", "url": "rtmp://h/a/k", "video": {"size": "1920x1080"}})).unwrap();
    studio.ask("phones", own("tall", 1080, 1920, 30)).unwrap();
    studio.ask("square", json!({"type": "file", "layout": {}, "video": {"size": "1080x1080"}})).unwrap();
    for n in 4..MAX_OUTPUTS {
        studio.ask(&format!("o{n}"), file(json!({"size": "1920x1080"}))).unwrap();
    }
    studio.state.remove_output("o4", studio.now).unwrap();
    studio.ask("each", json!({"type": "iso"})).unwrap();
    studio.state.remove_output("o5", studio.now).unwrap();
    let (pointer, _) = place(studio.ask("other", file(json!({"size": "1920x1080", "bitrate": 999}))));
    assert_eq!(pointer, "/video/size", "an encoder of its own");
}

#[test]
fn an_encoder_that_works_harder_counts_for_more() {
    let mut studio = Studio::new();
    let (pointer, detail) = place(studio.ask("o", file(json!({"size": "1920x1080", "preset": "medium"}))));
    assert_eq!(pointer, "/video/preset");
    assert!(detail.ends_with("`faster` would fit"), "{detail}");
    studio.ask("o", file(json!({"size": "1920x1080", "preset": "faster"}))).unwrap();
}

#[test]
fn outputs_that_are_stopped_take_nothing_and_start_only_where_they_fit() {
    let mut studio = Studio::new();
    for n in 0..4 {
        let mut output = own(&format!("n{n}"), 1920, 1080, 30 + n);
        output["enabled"] = json!(false);
        studio.ask(&format!("o{n}"), output).unwrap();
    }
    studio.state.enable_output("o0", true, studio.now).unwrap();
    studio.state.enable_output("o1", true, studio.now).unwrap();
    let refused = studio.state.enable_output("o2", true, studio.now);
    assert!(matches!(refused, Err(RoomError::TooMuchEncoded { most: 320, .. })), "{refused:?}");
    let refused = studio.state.enable_outputs(true, studio.now);
    assert!(matches!(refused, Err(RoomError::TooMuchEncoded { .. })), "{refused:?}");
    let mut changed = own("n2", 1920, 1080, 32);
    assert_eq!(place(studio.ask_again("o2", changed.clone())).0, "/layout/canvas");
    changed["enabled"] = json!(false);
    studio.ask_again("o2", changed).unwrap();
    studio.state.enable_output("o0", false, studio.now).unwrap();
    studio.state.enable_output("o2", true, studio.now).unwrap();
}

#[test]
fn the_room_does_not_grow_beyond_what_its_outputs_can_follow() {
    let mut studio = Studio::new();
    for bitrate in [1000, 2000] {
        studio.ask(&format!("o{bitrate}"), file(json!({"bitrate": bitrate}))).unwrap();
    }
    studio.with_canvas(1920, 1080, 30).unwrap();
    let refused = studio.with_canvas(3840, 2160, 30);
    assert_eq!(refused, Err(RoomError::TooMuchEncoded { all: 498, most: 320 }));
    let name = SceneName::parse("Tall").unwrap();
    let tall = |height: u32| {
        let layout = Arc::new(json!({"canvas": {"width": 1080, "height": height}}));
        Scenes::new(vec![StoredScene { name: name.clone(), layout }], None).unwrap()
    };
    studio.state.set_scenes(tall(1280));
    studio.ask("tall", json!({"type": "file", "scene": "Tall"})).unwrap();
    studio.state.check_work_after(None, Some(&tall(1920))).unwrap();
    studio.ask("other", own("b", 1920, 1080, 36)).unwrap();
    let refused = studio.state.check_work_after(None, Some(&tall(1920)));
    assert!(matches!(refused, Err(RoomError::TooMuchEncoded { .. })), "{refused:?}");
}

#[test]
fn what_is_too_much_already_may_stay_and_not_grow() {
    let mut studio = Studio::new();
    studio.state.budget = Budget::of_cores(64);
    studio.ask("o", own("a", 3840, 2160, 60)).unwrap();
    studio.state.budget = Budget::of_cores(2);
    studio.state.enable_output("o", true, studio.now).unwrap();
    studio.with_canvas(1280, 720, 25).unwrap();
    assert!(studio.with_canvas(1920, 1080, 30).is_err());
    studio.ask_again("o", own("b", 3840, 2160, 60)).unwrap();
    studio.ask_again("o", own("b", 3840, 2160, 30)).unwrap();
    assert_eq!(place(studio.ask_again("o", own("b", 3840, 2160, 60))).0, "/layout/canvas");
    studio.state.enable_output("o", false, studio.now).unwrap();
    assert!(studio.state.enable_output("o", true, studio.now).is_err());
}

#[test]
fn bits_of_each_output_count_though_outputs_share_an_encoder() {
    let mut studio = Studio::new();
    let stream = |name: &str, bitrate: u32| {
        let video = json!({"size": "64x64", "bitrate": bitrate});
        json!({"type": "hls", "name": name, "segment_seconds": 10, "video": video})
    };
    for name in ["a", "b", "c"] {
        studio.ask(name, stream(name, 50_000)).unwrap();
    }
    studio.ask("d", stream("d", 30_000)).unwrap();
    let (pointer, detail) = place(studio.ask("e", stream("e", 50_000)));
    assert_eq!(pointer, "/video/bitrate");
    assert!(detail.starts_with("50000 kbit/s is more") && detail.ends_with(": 20000 would fit"), "{detail}");
    studio.ask("e", stream("e", 20_000)).unwrap();
    let (_, detail) = place(studio.ask("f", stream("f", 100)));
    assert!(detail.contains("nothing more fits"), "{detail}");
    assert_eq!(place(studio.ask_again("e", stream("e", 20_001))).0, "/video/bitrate");
    studio.ask_again("e", stream("e", 10_000)).unwrap();
    let mut stopped = stream("f", 20_000);
    stopped["enabled"] = json!(false);
    studio.ask("f", stopped).unwrap();
    let refused = studio.state.enable_output("f", true, studio.now);
    assert!(matches!(refused, Err(RoomError::TooMuchSent { all: 210, most: 200 })), "{refused:?}");
    studio.state.enable_output("a", false, studio.now).unwrap();
    studio.state.enable_output("f", true, studio.now).unwrap();
}

#[test]
fn all_outputs_of_a_room_have_a_platforms_bit_rate() {
    let mut studio = Studio::new();
    for n in 0..MAX_OUTPUTS {
        let url = format!("rtmp://h/a/{n}");
        studio.ask(&format!("o{n}"), json!({"type": "rtmp", "url": url, "preset": "youtube-1080p"})).unwrap();
    }
}
