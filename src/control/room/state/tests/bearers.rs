//! Places and the tokens that they were taken with.

use super::*;

fn bearer(subject: &str, until: Option<Instant>) -> Bearer {
    Bearer { subject: subject.into(), until, places: 2 }
}

fn come(studio: &mut Studio, name: &str, caller: Caller) -> Result<Place, RoomError> {
    let (_, arrival) = studio.arrival(name, JoinMethod::Session, None);
    studio.state.join(Arrival { caller, ..arrival }, studio.now)
}

fn with(bearer: Bearer) -> Caller {
    Caller { bearer: Some(bearer), ..Caller::of(MemberRole::Participant) }
}

#[test]
fn whose_token_is_over_is_put_out() {
    let mut studio = Studio::new();
    let until = studio.now.clock + Duration::from_secs(60);
    come(&mut studio, "ann", with(bearer("a", Some(until)))).unwrap();
    come(&mut studio, "bob", with(bearer("b", None))).unwrap();
    let mut watching = viewer(90, None);
    watching.bearer = Some(bearer("a", Some(until)));
    studio.state.watch(watching, reception(None)).unwrap();
    studio.pass(Duration::ZERO);
    assert_eq!(studio.state.deadline(studio.now), Some(until));
    studio.effects();
    studio.pass(Duration::from_secs(60));
    let effects = studio.effects();
    assert_eq!(studio.state.head_count(), (1, 0));
    assert!(effects.iter().any(|line| line.contains("Unauthorized")), "{effects:?}");
    assert!(effects.contains(&"remove peer-90".to_owned()), "{effects:?}");
}

#[test]
fn a_token_takes_its_places_and_a_lost_one_counts() {
    let mut studio = Studio::new();
    let own = || with(bearer("a", None));
    come(&mut studio, "one", own()).unwrap();
    come(&mut studio, "two", own()).unwrap();
    let peer = PeerId(studio.peers);
    assert_eq!(come(&mut studio, "three", own()), Err(RoomError::TooManyPlaces { max: 2 }));
    studio.state.lose(peer, studio.now);
    assert_eq!(come(&mut studio, "three", own()), Err(RoomError::TooManyPlaces { max: 2 }));
    studio.pass(Duration::from_secs(2));
    come(&mut studio, "three", own()).unwrap();
}

#[test]
fn viewers_that_never_connect_give_way_to_a_stranger() {
    let mut studio = Studio::new();
    let mut watch = |peer: u64, subject: &str| {
        let mut one = viewer(peer, None);
        one.bearer = Some(bearer(subject, None));
        studio.state.watch(one, reception(None))
    };
    for peer in 0..MAX_CONNECTING as u64 {
        // Four tokens with as many as one may have.
        watch(1000 + peer, &format!("t{}", peer as usize / MAX_CONNECTING_OF_TOKEN)).unwrap();
    }
    let more = RoomError::TooManyConnecting { max: MAX_CONNECTING_OF_TOKEN };
    assert_eq!(watch(2000, "t0"), Err(more));
    watch(2001, "stranger").unwrap();
    let removed: Vec<String> = studio.effects().into_iter().filter(|line| line.starts_with("remove")).collect();
    assert_eq!(removed, ["remove peer-1000"]);
    assert_eq!(studio.state.head_count().1, MAX_CONNECTING);
    studio.state.hear(MediaEvent::PeerConnected(PeerId(1001)), studio.now);
    let mut one = viewer(2002, None);
    one.bearer = Some(bearer("t0", None));
    studio.state.watch(one, reception(None)).unwrap();
}

#[test]
fn a_name_goes_to_whom_a_token_gives_it() {
    let mut studio = Studio::new();
    come(&mut studio, "ann", Caller::of(MemberRole::Participant)).unwrap();
    let reserved = Caller { reserved: vec!["eve".into()], ..Caller::of(MemberRole::Participant) };
    assert_eq!(&*come(&mut studio, "eve", reserved).unwrap().participant.name, "eve-2");
    let named = Caller { named: true, ..Caller::of(MemberRole::Participant) };
    assert_eq!(&*come(&mut studio, "ann", named).unwrap().participant.name, "ann");
    let names: Vec<String> = studio.state.participants().iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["ann-2", "eve-2", "ann"]);
}

#[test]
fn nobody_takes_a_name_that_looks_like_anothers() {
    let mut studio = Studio::new();
    studio.state.set_settings(Settings::new(8, 2000), None);
    let reserved = || Caller { reserved: vec!["eve".into()], ..Caller::of(MemberRole::Participant) };
    for (asked, name) in [("Eve", "Eve-2"), ("eve\u{200b}", "eve\u{200b}-2"), ("\u{ff45}ve", "\u{ff45}ve-3")] {
        assert_eq!(&*come(&mut studio, asked, reserved()).unwrap().participant.name, name);
    }
    // Those who were there before the token was signed, too.
    for asked in ["Ann", "a\u{2060}nn"] {
        come(&mut studio, asked, Caller::of(MemberRole::Participant)).unwrap();
    }
    let named = Caller { named: true, ..Caller::of(MemberRole::Participant) };
    assert_eq!(&*come(&mut studio, "ann", named).unwrap().participant.name, "ann");
    let names: Vec<String> = studio.state.participants().iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names[3..], ["ann-2", "ann-3", "ann"]);
}
