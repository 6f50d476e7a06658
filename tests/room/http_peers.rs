//! WHIP and WHEP with plain peers.

use std::time::{Duration, Instant};

use serde_json::json;
use virfie::media::port::VideoCodec;

use super::{
    posted::{whep, whip},
    recorder::{Attention, BACKGROUND, GREEN, RED, amplitude},
    server::{Server, until},
    studio::Studio,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h264_by_whip_is_seen_and_heard_by_whep_taken_over_by_name_and_ended_by_delete() {
    let (server, studio) = (Server::start().await, Studio::new());
    let mut first = whip(&server, "cam", &studio.source_in(VideoCodec::H264, "red", 440.0)).await;
    first.connected().await;
    let mut viewer = whep(&server, VideoCodec::H264, Attention::Both).await;
    viewer.connected().await;
    viewer.recorder.picture("the sender's red", |it| it.shows(0.5, 0.5, RED) && it.shows(0.1, 0.9, RED)).await;
    let sound = viewer.recorder.fresh_samples(48_000).await;
    assert!(amplitude(&sound, 440.0) > 0.05, "the sender's tone: {}", amplitude(&sound, 440.0));
    let before = server.participant("cam").await.unwrap();
    assert_eq!((&before["state"], &before["size"]), (&json!("connected"), &json!([320, 180])));
    assert_eq!(server.room().await["viewers"], 1);

    // The same name again: the place, not a second one.
    let mut second = whip(&server, "cam", &studio.source_in(VideoCodec::H264, "green", 1000.0)).await;
    second.connected().await;
    assert_ne!(first.location, second.location);
    viewer.recorder.picture("the new sender's green", |it| it.shows(0.5, 0.5, GREEN)).await;
    let people = server.participants().await;
    assert_eq!((people.len(), &people[0]["id"]), (1, &before["id"]), "{people:?}");
    assert_eq!(first.delete(&server).await, 404, "what was replaced is gone");
    drop(first);
    viewer.recorder.set_alarm(|it| it.shows(0.5, 0.5, RED));
    viewer.recorder.more_pictures(30).await;
    assert!(!viewer.recorder.rang(), "the old connection's frames do not count");

    assert_eq!(second.delete(&server).await, 200);
    assert_eq!(server.participants().await.len(), 0);
    viewer.recorder.picture("an empty canvas", |it| it.shows(0.5, 0.5, BACKGROUND)).await;
    assert_eq!(second.delete(&server).await, 404);

    assert_eq!(viewer.delete(&server).await, 200);
    assert_eq!(server.room().await["viewers"], 0);
    until("the encoder stops", async || (server.room().await["health"]["running"] == false).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_with_vp8_sees_a_sender_of_vp8() {
    let (server, studio) = (Server::start().await, Studio::new());
    let mut sender = whip(&server, "cam", &studio.source("green", 440.0)).await;
    let mut viewer = whep(&server, VideoCodec::Vp8, Attention::Picture).await;
    sender.connected().await;
    viewer.connected().await;
    let picture = viewer.recorder.picture("green", |it| it.shows(0.5, 0.5, GREEN)).await;
    assert_eq!(picture.size(), (640, 360));
    assert_eq!(server.room().await["health"]["encoders"], json!(["vp8"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_goes_on_under_another_ssrc() {
    for codec in [VideoCodec::H264, VideoCodec::Vp8] {
        let (server, studio) = (Server::start().await, Studio::new());
        let mut sender = whip(&server, "cam", &studio.source_in(codec, "blink", 440.0)).await;
        sender.connected().await;
        let mut viewer = whep(&server, VideoCodec::H264, Attention::Picture).await;
        viewer.connected().await;
        for change in 0..3 {
            // More changes than frames are on their way: these come of the new stream.
            for _ in 0..12 {
                viewer.recorder.picture("white", |it| it.shows(0.5, 0.5, [235, 235, 235])).await;
                viewer.recorder.picture("black", |it| it.shows(0.5, 0.5, [16, 16, 16])).await;
            }
            println!("{codec}: after {change} changes of its SSRC the picture moves");
            sender.change_ssrc();
        }
        assert_eq!(server.participant("cam").await.unwrap()["state"], "connected");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_holds_still_stays_while_its_sender_is_there_and_goes_with_it() {
    let (server, studio) = (Server::start().await, Studio::new());
    let mut sender = whip(&server, "slides", &studio.source("red", 440.0)).await;
    sender.connected().await;
    let mut viewer = whep(&server, VideoCodec::H264, Attention::Picture).await;
    viewer.connected().await;
    viewer.recorder.picture("the slide", |it| it.shows(0.5, 0.5, RED)).await;
    sender.hold_still();
    viewer.recorder.set_alarm(|it| !it.shows(0.5, 0.5, RED));
    // Eight times as long as the server of a test holds a picture.
    viewer.recorder.more_pictures(240).await;
    assert!(!viewer.recorder.rang(), "the slide stays");
    assert_eq!(server.participant("slides").await.unwrap()["video"], true);

    let killed = Instant::now();
    drop(sender);
    until("it is gone", async || server.participant("slides").await.is_none().then_some(())).await;
    println!("gone after {:?}", killed.elapsed());
    viewer.recorder.picture("an empty canvas", |it| it.shows(0.5, 0.5, BACKGROUND)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_vanishes_is_gone_within_five_seconds() {
    let (server, studio) = (Server::start().await, Studio::new());
    let mut sender = whip(&server, "cam", &studio.source("red", 440.0)).await;
    sender.connected().await;
    let mut viewer = whep(&server, VideoCodec::H264, Attention::Picture).await;
    viewer.connected().await;
    viewer.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    let killed = Instant::now();
    drop(sender);
    until("it is gone", async || server.participant("cam").await.is_none().then_some(())).await;
    println!("gone after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
}
