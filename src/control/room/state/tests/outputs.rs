use serde_json::{Value, json};

use super::*;
use crate::{
    control::room::state::{
        output::{OutputDocument, OutputPhase, Recordings},
        scenes::{SceneName, Scenes, StoredScene},
    },
    media::port::{AuxId, Blame, Flow, OutputFault, OutputId, OutputSpec, OutputState, Speed},
};

pub(super) fn read(json: Value) -> (OutputDocument, OutputSpec) {
    let document: OutputDocument = serde_json::from_value(json).unwrap();
    let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
    let spec = document.spec(&RoomName::parse("demo").unwrap(), &recordings).unwrap();
    (document, spec)
}

fn rtmp() -> Value {
    json!({"type": "rtmp", "url": "rtmp://host/live/streamkey"})
}

impl Studio {
    fn send(&mut self, id: &str, json: Value) {
        let (document, spec) = read(json);
        self.state.add_output(OutputId(id.into()), document, spec, self.now).unwrap();
    }

    fn patch(&mut self, id: &str, json: Value) {
        let (document, spec) = read(json);
        self.state.change_output(id, document, spec, self.now).unwrap();
    }

    fn say(&mut self, id: &str, state: OutputState) {
        self.state.hear(MediaEvent::Output { output: OutputId(id.into()), state }, self.now);
    }
}

#[test]
fn an_output_shows_its_state_and_never_its_key() {
    let mut studio = Studio::new();
    studio.send("o1", rtmp());
    let url = studio.state.output("o1").unwrap().url.unwrap();
    assert!(!url.contains("streamkey") && url.starts_with("rtmp://host"));
    let fault = OutputFault::new(Blame::Destination, "reset");
    studio.say("o1", OutputState::Retrying { attempt: 1, after: Duration::from_secs(4), fault: fault.clone() });
    let output = studio.state.output("o1").unwrap();
    assert_eq!((output.state, output.attempt), (OutputPhase::Retrying, Some(1)));
    assert_eq!(output.next_retry_at.unwrap().to_string(), "2026-01-01T00:00:04Z");
    studio.say("o1", OutputState::Live);
    let flow = Flow { bits_per_second: 2_500_000, bytes: 7, speed: Some(Speed::Faster), behind: false };
    studio.state.hear(MediaEvent::OutputFlow { output: OutputId("o1".into()), flow }, studio.now);
    let output = studio.state.output("o1").unwrap();
    assert_eq!((output.bitrate, output.bytes, output.encoder_preset), (Some(2500), 7, Some(Speed::Faster)));
    studio.say("o1", OutputState::Failed { fault });
    let output = &studio.state.outputs()[0];
    assert_eq!((output.state, output.bitrate), (OutputPhase::Failed, None), "listed until it is deleted");
    studio.state.remove_output("o1", studio.now).unwrap();
    let told = studio.effects();
    assert_eq!(told.iter().filter(|effect| *effect == "output_changed").count(), 5, "{told:?}");
    assert_eq!(
        (told.first().map(String::as_str), &told[told.len() - 2..]),
        (Some("start o1"), &["stop o1".to_owned(), "output_removed".to_owned()][..])
    );
    studio.say("o1", OutputState::Stopped);
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn outputs_are_limited() {
    let mut studio = Studio::new();
    for n in 0..MAX_OUTPUTS {
        studio.send(&format!("o{n}"), rtmp());
    }
    let (document, spec) = read(rtmp());
    let refused = studio.state.add_output(OutputId("more".into()), document, spec, studio.now);
    assert_eq!(refused, Err(RoomError::TooManyOutputs { max: MAX_OUTPUTS }));
}

#[test]
fn outputs_that_still_end_count_until_the_media_reports_their_end() {
    let mut studio = Studio::new();
    for n in 0..MAX_OUTPUTS {
        studio.send(&format!("o{n}"), rtmp());
        studio.state.remove_output(&format!("o{n}"), studio.now).unwrap();
    }
    let more = |studio: &mut Studio, id: &str| {
        let (document, spec) = read(rtmp());
        studio.state.add_output(OutputId(id.into()), document, spec, studio.now)
    };
    assert_eq!(more(&mut studio, "early"), Err(RoomError::OutputsStillEnd { max: MAX_OUTPUTS }));
    studio.say("o3", OutputState::Stopped);
    more(&mut studio, "next").unwrap();
    studio.state.enable_output("next", false, studio.now).unwrap();
    let again = studio.state.enable_output("next", true, studio.now);
    assert_eq!(again, Err(RoomError::OutputsStillEnd { max: MAX_OUTPUTS }));
    // Media that was lost reports nothing more.
    studio.now.clock += std::time::Duration::from_secs(31);
    studio.state.enable_output("next", true, studio.now).unwrap();
}

#[test]
fn an_output_is_stopped_and_started_again_and_an_old_run_says_nothing() {
    let mut studio = Studio::new();
    studio.send("o1", rtmp());
    studio.say("o1", OutputState::Live);
    studio.effects();
    let stopped = studio.state.enable_output("o1", false, studio.now).unwrap();
    assert_eq!((stopped.enabled, stopped.state), (false, OutputPhase::Stopped));
    assert_eq!(studio.effects(), ["stop o1", "output_changed"]);
    assert_eq!(studio.state.enable_outputs(true, studio.now).unwrap()[0].state, OutputPhase::Connecting);
    assert_eq!(studio.effects(), ["start o1.2", "output_changed"]);
    studio.say("o1", OutputState::Stopped);
    assert_eq!(studio.state.output("o1").unwrap().state, OutputPhase::Connecting, "the first run is over");
    studio.say("o1.2", OutputState::Live);
    assert_eq!(studio.state.output("o1").unwrap().state, OutputPhase::Live);
    assert_eq!(studio.state.enable_output("o2", true, studio.now), Err(RoomError::NoOutput));
}

#[test]
fn an_output_that_failed_is_started_by_hand() {
    let mut studio = Studio::new();
    studio.send("o1", rtmp());
    studio.say("o1", OutputState::Failed { fault: OutputFault::last(Blame::Operator, "full") });
    studio.effects();
    let output = studio.state.enable_output("o1", true, studio.now).unwrap();
    assert_eq!((output.state, output.last_error), (OutputPhase::Connecting, None));
    assert_eq!(studio.effects(), ["start o1.2", "output_changed"]);
}

#[test]
fn what_can_be_changed_while_it_runs_does_not_end_an_output() {
    let mut studio = Studio::new();
    studio.send("o1", rtmp());
    studio.send("o2", json!({"type": "file"}));
    studio.effects();
    studio.patch("o1", json!({"type": "rtmp", "url": "rtmp://host/live/streamkey", "preset": "twitch-720p"}));
    assert_eq!(studio.effects(), ["change o1", "output_changed"]);
    assert_eq!(studio.state.output("o1").unwrap().video.unwrap().bitrate, 4500);
    studio.patch(
        "o1",
        json!({"type": "rtmp", "url": "rtmp://host/live/streamkey", "preset": "twitch-720p", "name": "tw"}),
    );
    assert_eq!(studio.effects(), ["output_changed"]);
    studio.patch("o1", json!({"type": "rtmp", "url": "rtmp://other/live/streamkey"}));
    assert_eq!(studio.effects(), ["stop o1", "start o1.2", "output_changed"]);
    studio.patch("o2", json!({"type": "file", "video": {"bitrate": 900}}));
    assert_eq!(studio.effects(), ["stop o2", "start o2.2", "output_changed"], "a file has one form");
    studio.patch("o2", json!({"type": "file", "video": {"bitrate": 900}, "enabled": false}));
    assert_eq!(studio.effects(), ["stop o2.2", "output_changed"]);
}

#[test]
fn outputs_come_back_after_a_restart() {
    let mut studio = Studio::new();
    studio.send("o1", rtmp());
    studio.send("o2", json!({"type": "file", "enabled": false}));
    assert!(studio.state.is_unkept(), "a room with an output is stored");
    let record = studio.state.take_unkept().unwrap();
    assert!(!studio.state.is_unkept());
    studio.state.enable_output("o2", false, studio.now).unwrap();
    assert!(studio.state.is_unkept());
    let beginning = Beginning {
        name: RoomName::parse("demo").unwrap(),
        settings: record.settings,
        scene: record.scene,
        segmentation: port::Segmentation { model: None, reason: None, keypoints: false },
        budget: Budget::of_cores(2),
        past: Some(record.past),
    };
    let mut again = Studio { state: State::new(beginning, studio.now), now: studio.now, peers: 0 };
    assert_eq!(again.effects(), ["start o1", "output_changed", "output_changed"]);
    assert!(!again.state.is_unkept() && !again.state.is_empty());
    let phases: Vec<OutputPhase> = again.state.outputs().iter().map(|output| output.state).collect();
    assert_eq!(phases, [OutputPhase::Connecting, OutputPhase::Stopped]);
    again.state.lose_media("gone", again.now);
    again.effects();
    again.state.take_media(again.now);
    assert_eq!(again.effects()[0], "start o1.2");
}

#[test]
fn a_picture_beside_the_program_is_there_while_an_output_that_runs_shows_it() {
    let mut studio = Studio::new();
    let name = SceneName::parse("Tall").unwrap();
    let tall = |width: u32| {
        let layout = Arc::new(json!({"canvas": {"width": width, "height": 1280}}));
        Scenes::new(vec![StoredScene { name: name.clone(), layout }], None).unwrap()
    };
    studio.state.set_scenes(tall(720));
    studio.effects();
    let mut shows = rtmp();
    shows["scene"] = json!("Tall");
    studio.send("o1", shows.clone());
    studio.send("o2", shows.clone());
    let told = studio.effects();
    assert_eq!(told.iter().filter(|effect| *effect == "show scene Tall ").count(), 1, "shared: {told:?}");
    assert_eq!(studio.state.output("o1").unwrap().video.unwrap().width, 720);
    studio.state.set_scenes(tall(640));
    assert!(studio.effects().contains(&"show scene Tall ".to_owned()), "it changes with its scene");
    assert_eq!(studio.state.output("o1").unwrap().video.unwrap().width, 640);
    let without = studio.state.check_scenes_in_use(&Scenes::default());
    assert_eq!(without, Err(RoomError::SceneInUse { name: "Tall".into() }));
    studio.state.remove_output("o1", studio.now).unwrap();
    assert!(!studio.effects().contains(&"remove scene Tall".to_owned()));
    studio.patch("o2", rtmp());
    let told = studio.effects();
    assert_eq!(told[..2], ["change o2".to_owned(), "remove scene Tall".to_owned()], "{told:?}");
    assert_eq!(studio.state.output("o2").unwrap().video.unwrap().width, 1280);
    assert_eq!(studio.state.check_scenes_in_use(&Scenes::default()), Ok(()));

    // New media knows nothing of it.
    studio.patch("o2", shows);
    studio.effects();
    studio.state.lose_media("a test", studio.now);
    studio.state.take_media(studio.now);
    assert!(studio.effects().contains(&"show scene Tall ".to_owned()));
}

#[test]
fn what_is_shown_beside_a_picture_is_known() {
    let mut studio = Studio::new();
    let image = |name: &str| Image { name: name.into(), still: Arc::new(Still::new(&[0; 4], 1, 1)), clip: None };
    let mut ids = Vec::new();
    for name in ["a.png", "b.png"] {
        let layout = json!({"layers": [{"id": "a", "source": {"image": name}}]});
        studio.send(name, json!({"type": "rtmp", "url": "rtmp://host/live/key", "layout": layout}));
        let id = studio.state.aux_of_output(name).unwrap().unwrap();
        let scene = studio.state.aux_scene(&id).unwrap();
        studio.state.set_aux_images(&id, vec![image(name)].into(), &scene);
        ids.push(id);
    }
    let program = Arc::clone(studio.state.scene());
    studio.state.set_first_images(vec![image("program.png")].into(), &program);
    let beside = |shown: Option<&AuxId>| -> Vec<String> {
        studio.state.images_beside(shown).iter().map(|image| image.name.to_string()).collect()
    };
    assert_eq!(beside(None), ["a.png", "b.png"]);
    assert_eq!(beside(Some(&ids[0])), ["program.png", "b.png"]);
    // One that is only asked for.
    assert_eq!(beside(Some(&AuxId("new".into()))), ["program.png", "a.png", "b.png"]);
}

#[test]
fn a_scene_that_an_output_shows_is_shown_beside_all_others() {
    let mut studio = Studio::new();
    let image = |name: &str| Image { name: name.into(), still: Arc::new(Still::new(&[0; 4], 1, 1)), clip: None };
    let [tall, wide, idle] = ["Tall", "Wide", "Idle"].map(|name| SceneName::parse(name).unwrap());
    let stored = [&tall, &wide, &idle].map(|name| {
        let layout = json!({"layers": [{"id": "a", "source": {"image": format!("{name}.png")}}]});
        StoredScene { name: name.clone(), layout: Arc::new(layout) }
    });
    studio.state.set_scenes(Scenes::new(stored.into(), None).unwrap());
    for (output, scene, size) in [("o1", "Tall", "720x1280"), ("o2", "Tall", "360x640"), ("o3", "Wide", "640x360")] {
        studio.send(output, json!({"type": "file", "name": output, "scene": scene, "video": {"size": size}}));
        let id = studio.state.aux_of_output(output).unwrap().unwrap();
        let of = studio.state.aux_scene(&id).unwrap();
        studio.state.set_aux_images(&id, vec![image(&format!("{scene}.png"))].into(), &of);
    }
    let program = Arc::clone(studio.state.scene());
    studio.state.set_first_images(vec![image("program.png")].into(), &program);
    let asked = |names: &[&SceneName]| {
        let names: Vec<SceneName> = names.iter().copied().cloned().collect();
        let (shown, beside) = studio.state.scenes_in_outputs(&names);
        (shown, beside.iter().map(|image| image.name.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(asked(&[&tall]), (vec![tall.clone()], vec!["program.png".to_owned(), "Wide.png".to_owned()]));
    assert_eq!(asked(&[&idle, &wide, &tall]), (vec![wide.clone(), tall.clone()], vec!["program.png".to_owned()]));
    assert!(asked(&[&idle]).0.is_empty(), "nobody shows it");
}
