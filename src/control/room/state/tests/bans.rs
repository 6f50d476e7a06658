//! Those whom a moderator has barred.

use super::Studio;
use crate::control::room::{
    error::RoomError,
    state::{
        Place,
        ban::{BannedBy, MAX_BANS},
        participant::{Bearer, JoinMethod},
    },
};

/// Asks to be let in, with the token of this subject or without one.
fn ask(studio: &mut Studio, name: &str, token: Option<&str>) -> Result<Place, RoomError> {
    let (_, mut arrival) = studio.arrival(name, JoinMethod::Session, None);
    arrival.caller.bearer = token.map(|subject| Bearer { subject: subject.into(), until: None, places: 9 });
    studio.state.join(arrival, studio.now)
}

fn ban(studio: &mut Studio, id: &str) -> Result<(), RoomError> {
    let fresh = format!("b{id}").into();
    studio.state.ban(id, fresh, studio.now).map(drop)
}

#[test]
fn who_is_barred_is_put_out_and_known_again_by_their_token() {
    let mut studio = Studio::new();
    ask(&mut studio, "ann", Some("token-1")).unwrap();
    studio.effects();
    ban(&mut studio, "id1").unwrap();
    assert_eq!(
        studio.effects(),
        ["close peer-1 Removed", "remove peer-1", "forget id1", "picture ", "left ann Removed"]
    );
    assert_eq!(ask(&mut studio, "bob", Some("token-1")), Err(RoomError::Banned));
    assert!(ask(&mut studio, "ann", Some("token-2")).is_ok(), "somebody else of this name");
    assert!(ask(&mut studio, "ann", None).is_ok(), "with the key");
    let bans = studio.state.bans();
    assert_eq!((bans.len(), &*bans[0].id, &*bans[0].name, bans[0].by), (1, "bid1", "ann", BannedBy::Token));
    assert_eq!(studio.state.lift_ban("nothing"), Err(RoomError::NoBan));
    studio.state.lift_ban("bid1").unwrap();
    assert!(ask(&mut studio, "bob", Some("token-1")).is_ok() && studio.state.bans().is_empty());
}

#[test]
fn who_has_no_token_is_known_again_by_their_name() {
    let mut studio = Studio::new();
    ask(&mut studio, "ann", None).unwrap();
    ask(&mut studio, "ann", None).unwrap();
    let again = ask(&mut studio, "bob", None).unwrap();
    ban(&mut studio, "id2").unwrap();
    assert_eq!((&*studio.state.bans()[0].name, studio.state.bans()[0].by), ("ann", BannedBy::Name));
    for name in ["ann", "Ann", "\u{430}nn"] {
        assert_eq!(ask(&mut studio, name, None), Err(RoomError::Banned), "{name}");
    }
    assert!(ask(&mut studio, "anne", None).is_ok() && studio.state.participant("id1").is_ok(), "others stay");
    // Who is known to be barred already is put out all the same.
    ban(&mut studio, "id1").unwrap();
    assert_eq!(studio.state.bans().len(), 1);
    assert_eq!(ban(&mut studio, "id1"), Err(RoomError::NoParticipant));
    assert!(studio.resume("bob", &again.secret).1.resumed);
}

#[test]
fn bans_are_kept_with_a_room_that_is() {
    let mut studio = Studio::new();
    ask(&mut studio, "ann", Some("token-1")).unwrap();
    ask(&mut studio, "bob", None).unwrap();
    ban(&mut studio, "id1").unwrap();
    assert!(!studio.state.is_unkept(), "a room that nobody has set up is not stored for a ban");
    studio.state.store();
    studio.state.take_unkept();
    ban(&mut studio, "id2").unwrap();
    assert!(studio.state.is_more_than_words_unkept());
    let kept = studio.state.take_unkept().unwrap().past.bans;
    assert_eq!(kept.iter().map(|ban| ban.token.as_deref()).collect::<Vec<_>>(), [Some("token-1"), None]);
    studio.state.lift_ban("bid1").unwrap();
    assert_eq!(studio.state.take_unkept().unwrap().past.bans.len(), 1);
}

#[test]
fn a_room_bars_a_thousand() {
    let mut studio = Studio::new();
    for number in 0..MAX_BANS {
        let id = ask(&mut studio, "ann", Some(&format!("token-{number}"))).unwrap().participant.id;
        ban(&mut studio, &id).unwrap();
    }
    let id = ask(&mut studio, "ann", Some("one more")).unwrap().participant.id;
    assert_eq!(ban(&mut studio, &id), Err(RoomError::TooManyBans { max: MAX_BANS }));
    assert!(studio.state.participant(&id).is_ok(), "nothing is done by half");
}
