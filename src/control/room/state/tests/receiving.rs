//! Connections that receive the mix.

use super::*;
use crate::media::port::DeliveryReport;

pub(super) fn viewer(peer: u64, claim: Option<Claim>) -> Viewer {
    let connection = PeerConnection::new(PeerId(peer), vec!["abcd".into()]);
    Viewer { receiver: Receiver::new(connection), secret: "watch".into(), claim, bearer: None }
}

/// Returns a request to receive. Its offer does not matter here, and nobody waits for the answer.
pub(super) fn reception(rendition: Option<&str>) -> Reception {
    let text = include_str!("../../../../media/sdp/fixtures/firefox_whep_offer.sdp");
    let offer = port::Description::parse(text, port::SdpKind::Offer).unwrap();
    Reception { offer, rendition: rendition.map(str::to_owned), reply: tokio::sync::oneshot::channel().0 }
}

fn report(rendition: Option<&str>) -> DeliveryReport {
    DeliveryReport {
        codec: Some(VideoCodec::H264),
        rendition: rendition.map(str::to_owned),
        renditions: vec!["720p".into(), "360p".into(), "180p".into()],
        reason: "slow network",
        loss: 0.05,
        round_trip: Some(Duration::from_millis(40)),
        estimate: Some(700_000),
    }
}

#[test]
fn a_session_s_receiving_connection_is_replaced_and_ends_with_it() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.effects();
    let connection = |number| PeerConnection::new(PeerId(number), Vec::new());
    studio.state.receive(peer, connection(10), reception(None)).unwrap();
    studio.state.receive(peer, connection(11), reception(None)).unwrap();
    assert_eq!(studio.effects(), ["receive peer-10 id1", "remove peer-10", "receive peer-11 id1"]);
    assert_eq!(studio.state.receiver_of(peer), Ok(PeerId(11)));
    // The page notices by itself, and stays in the room meanwhile.
    studio.state.hear(MediaEvent::PeerGone { peer: PeerId(11), reason: "lost".into() }, studio.now);
    assert_eq!(studio.effects(), ["remove peer-11"]);
    assert_eq!(studio.state.receiver_of(peer), Err(RoomError::NoConnection));
    studio.state.receive(peer, connection(12), reception(None)).unwrap();
    studio.effects();
    studio.state.lose(peer, studio.now);
    assert_eq!(studio.effects()[..2], ["remove peer-1", "remove peer-12"]);
    let stranger = studio.state.receive(PeerId(77), connection(13), reception(None));
    assert_eq!(stranger, Err(RoomError::NoConnection));
}

#[test]
fn delivery_is_shown_in_the_room_and_sent_to_the_session() {
    let mut studio = Studio::new();
    let (peer, _) = studio.join("ann");
    studio.state.receive(peer, PeerConnection::new(PeerId(10), Vec::new()), reception(None)).unwrap();
    studio.state.watch(viewer(9, None), reception(None)).unwrap();
    studio.effects();
    for (connection, rendition) in [(10, Some("360p")), (9, None)] {
        let event = MediaEvent::Delivery { peer: PeerId(connection), delivery: report(rendition) };
        studio.state.hear(event, studio.now);
    }
    let told = studio.effects();
    assert!(told.len() == 1 && told[0].starts_with("notify peer-1 Delivery"), "{told:?}");
    let room = studio.state.describe();
    let own = room.participants[0].delivery.clone().unwrap();
    assert_eq!((own.rendition.as_deref(), own.estimate_kbps, own.round_trip_ms), (Some("360p"), Some(700), Some(40.0)));
    assert_eq!(room.viewer_deliveries.len(), 1);
    assert_eq!((room.viewer_deliveries[0].connection, &room.viewer_deliveries[0].rendition), (9, &None));
}

#[test]
fn a_rendition_that_the_room_does_not_have_is_refused_with_those_that_it_has() {
    let mut studio = Studio::new();
    let Err(RoomError::Invalid(faults)) = studio.state.watch(viewer(9, None), reception(Some("1080p"))) else {
        panic!("it was taken")
    };
    assert_eq!(faults[0].pointer, "/rendition");
    assert!(faults[0].detail.contains("auto, 720p, 360p, 180p"), "{}", faults[0].detail);
    assert_eq!(studio.state.describe().viewers, 0);
    studio.state.watch(viewer(9, None), reception(Some("360p"))).unwrap();
}

#[test]
fn a_whip_sender_who_watches_by_the_same_claim_does_not_hear_themselves() {
    let mut studio = Studio::new();
    studio.whip("cam", "token");
    studio.effects();
    let claim = |name: &str| Some(Claim { subject: "token".into(), name: name.into() });
    studio.state.watch(viewer(9, claim("cam")), reception(None)).unwrap();
    studio.state.watch(viewer(10, claim("other")), reception(None)).unwrap();
    assert_eq!(studio.effects(), ["receive peer-9 id1", "receive peer-10 viewer"]);
}

#[test]
fn somebody_hears_how_large_they_are_shown() {
    let mut studio = Studio::new();
    let (_, place) = studio.join("ann");
    studio.effects();
    let participant = ParticipantId(Arc::clone(&place.participant.id));
    for size in [(640, 360), (0, 0)] {
        studio.state.hear(MediaEvent::Shown { participant: participant.clone(), size, fps: 30 }, studio.now);
    }
    assert_eq!(
        studio.effects(),
        [
            "notify peer-1 Shown { width: 640, height: 360, fps: 30 }",
            "notify peer-1 Shown { width: 0, height: 0, fps: 5 }"
        ]
    );
}
