//! People in whose pictures nobody is found.

use std::sync::Arc;

use super::Studio;
use crate::media::port::{MediaEvent, ParticipantId, TrackKind};

#[test]
fn who_is_not_found_is_lost_until_somebody_is_or_another_connection_comes() {
    let mut studio = Studio::new();
    let (peer, cam) = studio.whip("cam", "token");
    let participant = || ParticipantId(Arc::clone(&cam.participant.id));
    let lost = |studio: &Studio| studio.state.participant(&cam.participant.id).unwrap().lost;
    let hear = |studio: &mut Studio, lost: bool| {
        studio.state.hear(MediaEvent::Lost { peer, lost }, studio.now);
        studio.effects().len()
    };
    studio.effects();
    assert_eq!(hear(&mut studio, true), 0, "no picture of theirs has come");
    let size = Some((640, 480));
    studio
        .state
        .hear(MediaEvent::TrackStarted { participant: participant(), kind: TrackKind::Video, size }, studio.now);
    studio.effects();
    assert!(lost(&studio));
    assert_eq!([true, false, false, true].map(|lost| hear(&mut studio, lost)), [0, 1, 0, 1]);
    studio.state.hear(MediaEvent::TrackStopped { participant: participant(), kind: TrackKind::Video }, studio.now);
    assert!(!lost(&studio), "the camera is off");
    studio.whip("cam", "token");
    studio
        .state
        .hear(MediaEvent::TrackStarted { participant: participant(), kind: TrackKind::Video, size }, studio.now);
    assert!(!lost(&studio), "a new connection has lost nobody");
    studio.effects();
    assert_eq!(hear(&mut studio, true), 0, "news of the older connection");
    assert!(!lost(&studio));
}
