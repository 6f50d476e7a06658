//! Who is let in, and who stands where on the way into the programme.

use std::{sync::Arc, time::Duration};

use super::Studio;
use crate::{
    control::room::{
        error::RoomError,
        state::{
            participant::{JoinMethod, Moderation},
            stage::{Landing, Stage},
            view::{MemberRole, Settings},
        },
    },
    media::port::{MediaEvent, ParticipantId, PeerId},
};

fn put(studio: &mut Studio, id: &str, stage: Stage) -> Vec<String> {
    let change = Moderation { stage: Some(stage), ..Moderation::default() };
    assert_eq!(studio.state.moderate(id, &change).unwrap().stage, stage);
    studio.effects()
}

fn names(studio: &Studio) -> Vec<Arc<str>> {
    studio.state.values(studio.now.wall).people
}

#[test]
fn who_is_not_on_air_is_neither_shown_nor_mixed() {
    let mut studio = Studio::new();
    let (_, place) = studio.join("ann");
    assert_eq!(place.participant.stage, Stage::OnAir, "as ever");
    studio.join("bob");
    studio.effects();
    assert_eq!(put(&mut studio, "id1", Stage::Backstage), ["gain id1 0 at 0", "picture bob", "changed ann Connecting"]);
    assert_eq!(names(&studio), ["bob".into()], "texts name who can be seen");
    assert_eq!(studio.state.gathering().people.len(), 1);
    assert_eq!(put(&mut studio, "id1", Stage::Ready), ["changed ann Connecting"]);
    assert!(put(&mut studio, "id1", Stage::Ready).is_empty());
    // What is set meanwhile holds once they are on air.
    let change = Moderation { volume: Some(0.5), hidden: Some(true), ..Moderation::default() };
    studio.state.moderate("id1", &change).unwrap();
    assert_eq!(studio.effects(), ["changed ann Connecting"]);
    assert_eq!(put(&mut studio, "id1", Stage::OnAir), ["gain id1 0.5 at 0", "changed ann Connecting"]);
    studio.state.moderate("id1", &Moderation { hidden: Some(false), ..Moderation::default() }).unwrap();
    assert_eq!(studio.effects(), ["picture ann bob", "changed ann Connecting"]);
}

#[test]
fn who_is_not_on_air_is_not_shown_large() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.join("bob");
    put(&mut studio, "id2", Stage::Ready);
    let participant = ParticipantId("id2".into());
    studio.state.hear(MediaEvent::Speaking { participant, speaking: true }, studio.now);
    studio.pass(Duration::ZERO);
    studio.pass(Duration::from_secs(2));
    assert!(studio.state.picture().speakers.is_empty());
    put(&mut studio, "id2", Stage::OnAir);
    studio.pass(Duration::ZERO);
    studio.pass(Duration::from_secs(2));
    assert_eq!(studio.state.picture().speakers, [ParticipantId("id2".into())]);
}

#[test]
fn somebody_backstage_says_that_they_are_ready_and_no_more() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.effects();
    let say = |studio: &mut Studio, ready| {
        studio.state.set_ready(peer, ready).unwrap();
        (studio.state.participant("id1").unwrap().stage, studio.effects().len())
    };
    assert_eq!([false, true].map(|ready| say(&mut studio, ready)), [(Stage::OnAir, 0); 2]);
    put(&mut studio, "id1", Stage::Backstage);
    assert_eq!(
        [true, true, false].map(|ready| say(&mut studio, ready)),
        [(Stage::Ready, 1), (Stage::Ready, 0), (Stage::Backstage, 1)]
    );
    assert!(studio.state.set_ready(PeerId(99), true).is_err());
}

#[test]
fn who_comes_back_stands_where_they_stood() {
    let mut studio = Studio::new();
    let (peer, ann) = studio.join("ann");
    studio.whip("cam", "token");
    put(&mut studio, "id1", Stage::Ready);
    put(&mut studio, "id2", Stage::Backstage);
    studio.state.lose(peer, studio.now);
    assert_eq!(studio.resume("ann", &ann.secret).1.participant.stage, Stage::Ready);
    assert_eq!(studio.whip("cam", "token").1.participant.stage, Stage::Backstage);
    assert!(!studio.effects().iter().any(|line| line.starts_with("gain") && !line.contains(" 0 at ")));
    assert!(names(&studio).is_empty());
}

#[test]
fn guests_land_where_the_room_says_and_are_never_heard_before() {
    let mut studio = Studio::new();
    studio.join("ann");
    studio.state.set_settings(Settings { guests_land: Landing::Backstage, ..Settings::new(4, 2000) }, None);
    studio.effects();
    let (_, bob) = studio.join("bob");
    assert_eq!(bob.participant.stage, Stage::Backstage);
    assert_eq!(studio.effects(), ["gain id2 0 at 0", "add peer-2 id2", "picture ann", "participant_joined"]);
    assert_eq!(studio.state.participant("id1").unwrap().stage, Stage::OnAir, "who was in stays on air");
    let (_, mut arrival) = studio.arrival("dan", JoinMethod::Session, None);
    arrival.caller.role = MemberRole::Producer;
    assert_eq!(studio.state.join(arrival, studio.now).unwrap().participant.stage, Stage::OnAir);
    assert_eq!(studio.effects(), ["add peer-3 id3", "picture ann dan", "participant_joined"]);
    put(&mut studio, "id2", Stage::OnAir);
    assert_eq!(studio.resume("bob", &bob.secret).1.participant.stage, Stage::OnAir, "who comes back is no newcomer");
}

#[test]
fn a_locked_room_takes_in_nobody_new() {
    let mut studio = Studio::new();
    let (peer, ann) = studio.join("ann");
    studio.whip("cam", "token");
    studio.state.set_settings(Settings { locked: true, ..Settings::new(9, 2000) }, None);
    studio.effects();
    let (_, arrival) = studio.arrival("bob", JoinMethod::Session, None);
    assert_eq!(studio.state.join(arrival, studio.now), Err(RoomError::Locked));
    let (_, arrival) = studio.arrival("bob", JoinMethod::Whip { claim: None }, None);
    assert_eq!(studio.state.join(arrival, studio.now), Err(RoomError::Locked));
    let (_, arrival) = studio.arrival("ann", JoinMethod::Session, Some("another secret"));
    assert_eq!(studio.state.join(arrival, studio.now), Err(RoomError::Locked));
    assert!(studio.effects().is_empty());
    studio.state.lose(peer, studio.now);
    assert!(studio.resume("ann", &ann.secret).1.resumed && studio.whip("cam", "token").1.resumed);
    for role in [MemberRole::Producer, MemberRole::Admin] {
        let (_, mut arrival) = studio.arrival("dan", JoinMethod::Session, None);
        arrival.caller.role = role;
        assert!(studio.state.join(arrival, studio.now).is_ok());
    }
    studio.state.set_settings(Settings::new(9, 2000), None);
    studio.join("bob");
}
