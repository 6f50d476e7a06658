#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    control::room::state::{
        name::DisplayName,
        participant::{Bearer, Caller, Claim, JoinMethod, MAX_CANDIDATES, Moderation, PeerConnection, Receiver},
        view::{LeaveReason, MemberRole, Presence},
    },
    layout::{Canvas, Trigger},
    media::port::{MediaEvent, Negotiation, ParticipantId, Still, TrackKind, VideoCodec},
};

mod bans;
mod bearers;
mod boxes;
mod budget;
mod lost;
mod outputs;
mod receiving;
mod stage;
mod words;

use receiving::{reception, viewer};

/// A room and a clock that only the test moves.
struct Studio {
    state: State,
    now: Now,
    peers: u64,
}

impl Studio {
    fn new() -> Self {
        let now = Now { clock: Instant::now(), wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        let beginning = Beginning {
            name: RoomName::parse("demo").unwrap(),
            settings: Settings::new(3, 2000),
            scene: Arc::new(Scene::default_for(Canvas::default())),
            segmentation: port::Segmentation { model: None, reason: Some("none is loaded".into()), keypoints: false },
            budget: Budget::of_cores(2),
            past: None,
        };
        Self { state: State::new(beginning, now), now, peers: 0 }
    }

    fn pass(&mut self, time: Duration) {
        self.now.clock += time;
        self.now.wall = self.now.wall.checked_add(time).unwrap();
        self.state.tick(self.now);
    }

    fn arrival(&mut self, name: &str, joined_by: JoinMethod, resume: Option<&str>) -> (PeerId, Arrival) {
        self.peers += 1;
        let peer = PeerId(self.peers);
        let arrival = Arrival {
            name: DisplayName::parse(name).unwrap(),
            caller: Caller::of(MemberRole::Participant),
            joined_by,
            resume: resume.map(str::to_owned),
            connection: PeerConnection::new(peer, vec!["frag".into()]),
            negotiation: Negotiation::Offer { ingest: VideoCodec::Vp8 },
            fresh_id: ParticipantId(format!("id{}", self.peers).into()),
            fresh_secret: format!("secret{}", self.peers),
        };
        (peer, arrival)
    }

    fn join(&mut self, name: &str) -> (PeerId, Place) {
        let (peer, arrival) = self.arrival(name, JoinMethod::Session, None);
        (peer, self.state.join(arrival, self.now).unwrap())
    }

    fn whip(&mut self, name: &str, subject: &str) -> (PeerId, Place) {
        let claim = Some(Claim { subject: subject.into(), name: name.into() });
        let (peer, arrival) = self.arrival(name, JoinMethod::Whip { claim }, None);
        (peer, self.state.join(arrival, self.now).unwrap())
    }

    fn resume(&mut self, name: &str, secret: &str) -> (PeerId, Place) {
        let (peer, arrival) = self.arrival(name, JoinMethod::Session, Some(secret));
        (peer, self.state.join(arrival, self.now).unwrap())
    }

    /// Effects since the last look, each in one line; where everything stands is looked at in `boxes` only.
    fn effects(&mut self) -> Vec<String> {
        let is_boxes = |effect: &&Effect| matches!(effect, Effect::Event(Event::BoxesChanged { .. }));
        self.state.take_effects().iter().filter(|effect| !is_boxes(effect)).map(line).collect()
    }
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Media(MediaCommand::SetPicture(picture)) => {
            let names: Vec<&str> = picture.people.iter().map(|seat| &*seat.name).collect();
            format!("picture {}", names.join(" "))
        }
        Effect::Media(MediaCommand::SetHold(hold)) => format!("hold {hold:?}"),
        Effect::Media(MediaCommand::AddSender { peer, participant, .. }) => format!("add {peer} {participant}"),
        Effect::Media(MediaCommand::AddReceiver { peer, participant, .. }) => {
            format!("receive {peer} {}", participant.as_ref().map_or("viewer", |id| &*id.0))
        }
        Effect::Media(MediaCommand::RemovePeer(peer)) => format!("remove {peer}"),
        Effect::Media(MediaCommand::Forget(id)) => format!("forget {id}"),
        Effect::Media(MediaCommand::SetGain { participant, gain, pan }) => {
            format!("gain {participant} {gain} at {pan}")
        }
        Effect::Media(MediaCommand::RemoveOutput(output)) => format!("stop {output}"),
        Effect::Media(MediaCommand::AddOutput { output, .. }) => format!("start {output}"),
        Effect::Media(MediaCommand::PauseOutput { output, paused }) => format!("pause {output} {paused}"),
        Effect::Media(MediaCommand::ChangeOutput { output, .. }) => format!("change {output}"),
        Effect::Media(MediaCommand::SetAux { aux, picture }) => {
            let names: Vec<&str> = picture.people.iter().map(|seat| &*seat.name).collect();
            format!("show {aux} {}", names.join(" "))
        }
        Effect::Media(MediaCommand::RemoveAux(aux)) => format!("remove {aux}"),
        Effect::Media(other) => format!("{other:?}"),
        Effect::Event(Event::ParticipantLeft { name, reason, .. }) => format!("left {name} {reason:?}"),
        Effect::Event(Event::ParticipantChanged { participant }) => {
            format!("changed {} {:?}", participant.name, participant.state)
        }
        Effect::Event(event) => event.name().to_owned(),
        Effect::Notify(peer, Note::Connected) => format!("notify {peer} connected"),
        Effect::Notify(peer, note) => format!("notify {peer} {note:?}"),
        Effect::Close(peer, why) => format!("close {peer} {why:?}"),
        Effect::Job(job) => format!("{job:?}"),
        Effect::Words(aux) => format!("words {aux:?}"),
    }
}

#[test]
fn joining_makes_a_connection_and_shows_the_newcomer() {
    let mut studio = Studio::new();
    let (_, place) = studio.join("ann");
    assert_eq!(studio.effects(), ["add peer-1 id1", "picture ann", "participant_joined"]);
    assert_eq!((&*place.participant.name, place.participant.state), ("ann", Presence::Connecting));
    assert!(!place.resumed && place.participant.audio && place.participant.video);
    let (_, second) = studio.join("ann");
    assert_eq!(&*second.participant.name, "ann-2");
    assert_eq!(studio.effects()[1], "picture ann ann-2");
}

#[test]
fn a_full_room_refuses_and_changes_nothing() {
    let mut studio = Studio::new();
    for name in ["a", "b", "c"] {
        studio.join(name);
    }
    studio.effects();
    let (_, arrival) = studio.arrival("d", JoinMethod::Session, None);
    assert_eq!(studio.state.join(arrival, studio.now), Err(RoomError::Full { max: 3 }));
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn a_resumed_place_keeps_its_id_and_the_old_connection_is_closed() {
    let mut studio = Studio::new();
    let (old, place) = studio.join("ann");
    studio.state.hear(MediaEvent::PeerConnected(old), studio.now);
    assert!(studio.effects().contains(&"notify peer-1 connected".to_owned()));
    let (_, again) = studio.resume("ann", &place.secret);
    assert!(again.resumed);
    assert_eq!((&again.participant.id, &again.secret), (&place.participant.id, &place.secret));
    assert_eq!(
        studio.effects(),
        ["close peer-1 Replaced", "remove peer-1", "add peer-2 id1", "gain id1 1 at 0", "changed ann Connecting"]
    );
    // What the old socket still says counts for nothing.
    studio.state.leave(old, LeaveReason::Left);
    studio.state.lose(old, studio.now);
    assert_eq!(studio.state.candidate(old, None), Err(RoomError::NoConnection));
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn a_wrong_secret_gets_a_new_place() {
    let mut studio = Studio::new();
    studio.join("ann");
    let (_, place) = studio.resume("ann", "guessed");
    assert_eq!((&*place.participant.name, place.resumed), ("ann-2", false));
}

#[test]
fn a_place_can_be_resumed_under_another_name() {
    let mut studio = Studio::new();
    studio.join("ann");
    let (_, place) = studio.join("ann");
    studio.effects();
    assert_eq!(&*studio.resume("ann", &place.secret).1.participant.name, "ann-2", "the same wish keeps the name");
    assert_eq!(&*studio.resume("beth", &place.secret).1.participant.name, "beth");
    assert!(studio.effects().contains(&"picture ann beth".to_owned()));
}

#[test]
fn whip_is_taken_over_by_the_same_token_and_name_only() {
    let mut studio = Studio::new();
    let (_, first) = studio.whip("cam", "token-a");
    let (_, stranger) = studio.whip("cam", "token-b");
    assert_eq!(&*stranger.participant.name, "cam-2");
    studio.effects();
    let (_, again) = studio.whip("cam", "token-a");
    assert_eq!(again.participant.id, first.participant.id);
    assert_ne!(again.secret, first.secret, "the old resource is gone");
    assert_eq!(studio.state.resource(ResourceKind::Whip, &first.secret), Err(RoomError::NoConnection));
    assert!(studio.effects().contains(&"remove peer-1".to_owned()));
    // A page of the same name is someone else.
    assert_eq!(&*studio.join("cam").1.participant.name, "cam-3");
}

#[test]
fn a_lost_connection_is_held_and_then_dropped() {
    let mut studio = Studio::new();
    let (peer, place) = studio.join("ann");
    studio.effects();
    studio.state.lose(peer, studio.now);
    assert_eq!(studio.effects(), ["remove peer-1", "changed ann Away"]);
    assert_eq!(studio.state.deadline(studio.now), Some(studio.now.clock + Duration::from_secs(2)));
    studio.pass(Duration::from_millis(1999));
    assert_eq!(studio.effects(), Vec::<String>::new());
    studio.pass(Duration::from_millis(1));
    assert_eq!(studio.effects(), ["forget id1", "picture ", "left ann Lost"]);
    assert!(!studio.resume("ann", &place.secret).1.resumed, "too late");
}

#[test]
fn coming_back_in_time_ends_the_hold() {
    let mut studio = Studio::new();
    let (peer, place) = studio.join("ann");
    studio.state.lose(peer, studio.now);
    studio.pass(Duration::from_secs(1));
    studio.resume("ann", &place.secret);
    studio.effects();
    studio.pass(Duration::from_secs(10));
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn leaving_drops_at_once() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.effects();
    studio.state.leave(peer, LeaveReason::Left);
    assert_eq!(studio.effects(), ["remove peer-1", "forget id1", "picture ", "left ann Left"]);
}

#[test]
fn a_dead_connection_closes_its_socket_so_that_the_page_comes_back() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.effects();
    studio.state.hear(MediaEvent::PeerGone { peer, reason: "silent".into() }, studio.now);
    assert_eq!(studio.effects(), ["close peer-1 MediaFailed(\"silent\")", "remove peer-1", "changed ann Away"]);
}

#[test]
fn moderation_reaches_mix_and_picture() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.join("bob");
    studio.effects();
    let change = Moderation { volume: Some(0.5), hidden: Some(true), ..Moderation::default() };
    let ann = studio.state.moderate("id1", &change).unwrap();
    assert_eq!((ann.volume, ann.hidden), (0.5, true));
    assert_eq!(studio.effects(), ["gain id1 0.5 at 0", "picture bob", "changed ann Connecting"]);
    studio.state.moderate("id1", &Moderation { muted: Some(true), ..Moderation::default() }).unwrap();
    assert_eq!(studio.effects(), ["gain id1 0 at 0", "changed ann Connecting"]);
    // Still muted: the new volume is not to be heard yet.
    studio.state.moderate("id1", &Moderation { volume: Some(2.0), ..Moderation::default() }).unwrap();
    assert_eq!(studio.effects(), ["changed ann Connecting"]);
    // Where they are to be heard once they are is known at once: the mix has to be there by then.
    studio.state.moderate("id1", &Moderation { pan: Some(-0.5), ..Moderation::default() }).unwrap();
    assert_eq!(studio.effects(), ["gain id1 0 at -0.5", "changed ann Connecting"]);
    studio.state.moderate("id1", &Moderation::default()).unwrap();
    assert_eq!(studio.effects(), Vec::<String>::new());
    assert_eq!(studio.state.moderate("nobody", &change), Err(RoomError::NoParticipant));
}

#[test]
fn who_is_removed_hears_so() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.effects();
    studio.state.kick("id1").unwrap();
    assert_eq!(
        studio.effects(),
        ["close peer-1 Removed", "remove peer-1", "forget id1", "picture ", "left ann Removed"]
    );
}

#[test]
fn the_pages_switches_and_a_senders_tracks_are_shown() {
    let mut studio = Studio::new();
    let (peer, page) = studio.join("ann");
    let (_, cam) = studio.whip("cam", "token");
    assert!(!cam.participant.video && !cam.participant.audio);
    studio.effects();
    let id = |place: &Place| ParticipantId(Arc::clone(&place.participant.id));
    let started = |participant, size| MediaEvent::TrackStarted { participant, kind: TrackKind::Video, size };
    studio.state.hear(started(id(&cam), Some((640, 480))), studio.now);
    let seen = studio.state.participant(&cam.participant.id).unwrap();
    assert_eq!((seen.video, seen.audio, seen.size), (true, false, Some([640, 480])));
    studio.state.hear(started(id(&cam), Some((320, 240))), studio.now);
    studio.state.hear(started(id(&cam), Some((320, 240))), studio.now);
    assert_eq!(studio.effects().len(), 2, "reported once for each change");

    studio.state.set_switches(peer, true, false).unwrap();
    studio.state.hear(started(id(&page), None), studio.now);
    assert!(!studio.state.participant(&page.participant.id).unwrap().video, "the page's switch is what counts");
    let stopped = MediaEvent::TrackStopped { participant: id(&cam), kind: TrackKind::Video };
    studio.state.hear(stopped, studio.now);
    let seen = studio.state.participant(&cam.participant.id).unwrap();
    assert_eq!((seen.video, seen.size), (false, None));
}

#[test]
fn a_problem_is_shown_until_it_is_over_or_another_connection_comes() {
    let mut studio = Studio::new();
    let (peer, cam) = studio.whip("cam", "token");
    studio.effects();
    let problem = |studio: &Studio| studio.state.participant(&cam.participant.id).unwrap().problem;
    let hear = |studio: &mut Studio, peer, problem: Option<&str>| {
        studio.state.hear(MediaEvent::VideoProblem { peer, problem: problem.map(str::to_owned) }, studio.now);
        studio.effects().len()
    };
    let told = [Some("too large"), Some("too large"), None, Some("too large")];
    assert_eq!(told.map(|problem| hear(&mut studio, peer, problem)), [1, 0, 1, 1]);
    assert_eq!(hear(&mut studio, PeerId(900), None), 0, "news of nobody");
    assert_eq!(problem(&studio).as_deref(), Some("too large"));
    studio.whip("cam", "token");
    assert_eq!(problem(&studio), None);
}

#[test]
fn speaking_is_reported_once() {
    let mut studio = Studio::new();
    let (_, place) = studio.join("ann");
    studio.effects();
    for speaking in [true, true, false] {
        let participant = ParticipantId(Arc::clone(&place.participant.id));
        studio.state.hear(MediaEvent::Speaking { participant, speaking }, studio.now);
    }
    assert_eq!(studio.effects(), ["speaking", "speaking"]);
}

#[test]
fn a_viewer_is_counted_and_gone_without_a_trace() {
    let mut studio = Studio::new();
    studio.state.watch(viewer(9, None), reception(None)).unwrap();
    assert_eq!(studio.effects(), ["receive peer-9 viewer"]);
    assert_eq!(studio.state.describe().viewers, 1);
    let resource = studio.state.resource(ResourceKind::Whep, "watch").unwrap();
    assert_eq!(resource, Resource { peer: Some(PeerId(9)), ufrags: vec!["abcd".into()] });
    assert!(studio.state.resource(ResourceKind::Whip, "watch").is_err());
    studio.state.hear(MediaEvent::PeerGone { peer: PeerId(9), reason: "gone".into() }, studio.now);
    assert_eq!(studio.state.describe().viewers, 0);
    assert_eq!(studio.state.close_resource(ResourceKind::Whep, "watch"), Err(RoomError::NoConnection));
}

#[test]
fn a_connection_gives_only_so_many_candidates() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    for _ in 0..MAX_CANDIDATES {
        studio.state.candidate(peer, None).unwrap();
    }
    studio.effects();
    assert_eq!(studio.state.candidate(peer, None), Ok(()), "one more is passed over");
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn a_layout_is_shown_whole_and_counted() {
    let mut studio = Studio::new();
    let canvas = Canvas { width: 640, ..Canvas::default() };
    studio.state.set_layout(Arc::new(Scene::default_for(canvas)), Drawn::default());
    assert_eq!(studio.effects(), ["picture ", "layout_changed", "room_changed"]);
    assert_eq!(studio.state.revision(), Revision(2));
    assert_eq!(studio.state.describe().canvas["width"], 640);
}

#[test]
fn late_first_images_do_not_undo_a_layout() {
    let mut studio = Studio::new();
    let image = Image { name: "x.png".into(), still: Arc::new(Still::new(&[0; 4], 1, 1)), clip: None };
    let first = Arc::clone(studio.state.scene());
    studio.state.set_layout(Arc::new(Scene::default_for(Canvas::default())), Drawn::default());
    studio.effects();
    studio.state.set_first_images(Drawn::from(vec![image]), &first);
    assert_eq!(studio.effects(), Vec::<String>::new());
}

#[test]
fn first_images_come_after_a_change_of_settings_too() {
    let mut studio = Studio::new();
    let image = Image { name: "x.png".into(), still: Arc::new(Still::new(&[0; 4], 1, 1)), clip: None };
    let first = Arc::clone(studio.state.scene());
    studio.state.set_settings(Settings::new(3, 500), None);
    studio.effects();
    studio.state.set_first_images(Drawn::from(vec![image]), &first);
    assert_eq!(studio.effects().len(), 1, "the picture is shown again");
}

#[test]
fn settings_are_reported_and_the_hold_reaches_the_media() {
    let mut studio = Studio::new();
    studio.state.set_settings(Settings::new(3, 500), None);
    assert_eq!(studio.effects(), ["hold 500ms", "room_changed"]);
    studio.state.set_settings(Settings::new(3, 500), None);
    assert_eq!((studio.effects(), studio.state.revision()), (Vec::new(), Revision(2)), "nothing new, nothing reported");
}

#[test]
fn keypoints_reach_the_media_and_poses_come_back_by_name() {
    let mut studio = Studio::new();
    studio.join("ann");
    let (bob, _) = studio.join("bob");
    studio.effects();
    let keypoints = |on| Settings { keypoints: on, ..Settings::new(3, 2000) };
    assert!(matches!(studio.state.check_poses(), Err(RoomError::Unavailable(why)) if why.contains("none is loaded")));
    let able = port::Segmentation { model: Some("wide".into()), reason: None, keypoints: true };
    studio.state.set_health(port::Health::default(), able);
    assert_eq!(studio.state.check_poses(), Err(RoomError::KeypointsOff));
    studio.state.set_settings(keypoints(true), None);
    assert_eq!(studio.effects(), ["SetKeypoints(true)", "room_changed"]);
    assert_eq!(studio.state.check_poses(), Ok(()));

    let found = ["id2", "id1"].map(|id| port::ParticipantPoses {
        participant: ParticipantId(id.into()),
        age: Duration::from_millis(40),
        poses: Vec::new(),
    });
    let names = |studio: &Studio| -> Vec<Arc<str>> {
        studio.state.name_poses(&found).into_iter().map(|poses| poses.name).collect()
    };
    assert_eq!(names(&studio), ["ann".into(), "bob".into()]);
    studio.state.leave(bob, LeaveReason::Left);
    assert_eq!(names(&studio), ["ann".into()]);
    studio.effects();
    studio.state.set_settings(keypoints(false), None);
    assert_eq!(studio.effects(), ["SetKeypoints(false)", "room_changed"]);
}

#[test]
fn a_room_that_stores_nothing_ends_half_a_minute_after_the_last_one_left() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.pass(Duration::from_secs(600));
    assert!(!studio.state.has_ended());
    studio.state.leave(peer, LeaveReason::Left);
    studio.pass(Duration::ZERO);
    studio.pass(Duration::from_secs(29));
    assert!(!studio.state.has_ended());
    studio.pass(Duration::from_secs(1));
    assert!(studio.state.has_ended());
    let (_, arrival) = studio.arrival("late", JoinMethod::Session, None);
    assert_eq!(studio.state.join(arrival, studio.now), Err(RoomError::NoRoom));
}

#[test]
fn a_configured_room_stays() {
    let mut studio = Studio::new();
    studio.state.store();
    studio.pass(Duration::from_secs(86_400));
    assert!(!studio.state.has_ended());
    assert_eq!(studio.state.deadline(studio.now), None);
}

#[test]
fn an_ending_room_closes_every_socket() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.join("bob");
    studio.effects();
    studio.state.end(&Closing::Shutdown);
    studio.state.end(&Closing::RoomEnded);
    assert_eq!(studio.effects(), ["room_ended", "close peer-1 Shutdown", "close peer-2 Shutdown"]);
}

#[test]
fn who_speaks_is_shown_large() {
    let mut studio = Studio::new();
    for name in ["ann", "bob"] {
        studio.join(name);
    }
    let speakers = |studio: &mut Studio| -> Vec<Vec<String>> {
        let names = |picture: &Picture| picture.speakers.iter().map(|id| id.0.to_string()).collect();
        let shown = |effect: &Effect| match effect {
            Effect::Media(MediaCommand::SetPicture(picture)) => Some(names(picture)),
            _ => None,
        };
        studio.state.take_effects().iter().filter_map(shown).collect()
    };
    let say = |studio: &mut Studio, id: &str, speaking: bool| {
        let participant = ParticipantId(id.into());
        studio.state.hear(MediaEvent::Speaking { participant, speaking }, studio.now);
        studio.pass(Duration::ZERO);
    };
    // In a grid nobody is large, but who spoke is known.
    say(&mut studio, "id2", true);
    studio.pass(Duration::from_secs(2));
    speakers(&mut studio);
    let layout = serde_json::json!({"auto": {"mode": "spotlight"}});
    let scene = Arc::new(crate::layout::read(&layout, &Canvas::default()).unwrap());
    let revision = studio.state.revision();
    studio.state.set_layout(scene, Drawn::default());
    assert_eq!(speakers(&mut studio), [["id2"]]);
    say(&mut studio, "id2", false);
    say(&mut studio, "id1", true);
    let due = studio.state.deadline(studio.now).map(|at| at.duration_since(studio.now.clock));
    assert_eq!((speakers(&mut studio).len(), due), (0, Some(Duration::from_secs(1))));
    studio.pass(Duration::from_secs(1));
    assert_eq!(speakers(&mut studio), [["id1", "id2"]]);
    // A picture is no change of the layout.
    assert_eq!(studio.state.revision(), Revision(revision.0 + 1));
    // Who is muted is not heard.
    say(&mut studio, "id1", false);
    let mute = Moderation { muted: Some(true), ..Moderation::default() };
    studio.state.moderate("id2", &mute).unwrap();
    say(&mut studio, "id2", true);
    studio.pass(Duration::from_secs(5));
    assert_eq!(speakers(&mut studio).len(), 0);
}

#[test]
fn a_trigger_is_reported_and_switches_scenes_but_not_too_often() {
    let mut studio = Studio::new();
    let layout = serde_json::json!({"triggers": [
        {"id": "wave", "when": "always", "do": [{"event": "waved"}, {"scene": "next"}]},
        {"id": "odd", "when": "always", "do": [{"scene": "../../etc"}]}
    ]});
    let scene = Arc::new(crate::layout::read(&layout, &Canvas::default()).unwrap());
    studio.state.set_layout(Arc::clone(&scene), Drawn::default());
    studio.effects();
    let fire = |studio: &mut Studio, trigger: &Trigger| {
        let participants = vec![ParticipantId("id1".into())];
        let event = MediaEvent::TriggerFired { trigger: Arc::new(trigger.clone()), participants };
        studio.state.hear(event, studio.now);
        studio.state.take_effects()
    };
    let [wave, odd] = &*scene.triggers else { panic!("{:?}", scene.triggers) };
    let told = fire(&mut studio, wave);
    let Effect::Event(Event::TriggerFired { trigger, participants, events }) = &told[0] else { panic!("{told:?}") };
    assert_eq!((&**trigger, &*participants[0], &*events[0]), ("wave", "id1", "waved"));
    assert_eq!(told[1..].iter().map(line).collect::<Vec<_>>(), ["Show(Next, Trigger)"]);
    studio.pass(Duration::from_millis(999));
    assert_eq!(fire(&mut studio, wave).len(), 1, "two scenes that switch to each other do not flicker");
    studio.pass(Duration::from_millis(1));
    assert_eq!(fire(&mut studio, wave).len(), 2);
    assert_eq!(fire(&mut studio, odd).len(), 1, "no scene has this name");
    // What fired in a scene that is over does nothing in the next one, also where that has a trigger of the same id.
    let other = Trigger { actions: odd.actions.clone(), ..wave.clone() };
    assert!(fire(&mut studio, &other).is_empty());
}

#[test]
fn a_picture_that_a_trigger_took_is_kept_and_reported() {
    let mut studio = Studio::new();
    let frame = port::Frame { width: 2, height: 1, rgb: vec![1; 6] };
    let taken = |sound: Option<&str>| MediaEvent::PhotoTaken {
        trigger: "wave".into(),
        frame: frame.clone(),
        sound: sound.map(str::to_owned),
    };
    studio.state.hear(taken(None), studio.now);
    assert_eq!(studio.effects(), ["photo_taken"]);
    let photos = studio.state.photos();
    assert_eq!((photos.len(), &*photos[0].trigger, photos[0].width), (1, "wave", 2));
    assert_eq!(studio.state.photo(&photos[0].id).as_deref(), Some(&frame));
    assert!(studio.state.photo("9").is_none());
    studio.state.hear(taken(Some("click.mp3")), studio.now);
    assert_eq!(studio.effects(), ["Play(\"click.mp3\")", "photo_taken"]);
}
