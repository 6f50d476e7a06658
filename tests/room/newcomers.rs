//! Receivers who come and go: their first picture, the keyframes that they cost, and the encoders that they need.

use std::time::{Duration, Instant};

use serde_json::json;
use virfie::media::port::VideoCodec;

use super::{
    guests::Guest,
    posted::whep,
    recorder::{Attention, RED},
    server::{Server, until},
    studio::Studio,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_sees_a_picture_at_once() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    for number in 1..=4 {
        let posted = Instant::now();
        let mut viewer = whep(&server, VideoCodec::H264, Attention::Picture).await;
        let connected = viewer.connected().await;
        let first = viewer.recorder.picture("a first picture", |_| true).await;
        let took = first.at.saturating_duration_since(connected);
        println!(
            "viewer {number}: {took:?} from connected to the first picture, {:?} from the offer",
            first.at - posted
        );
        assert!(took < Duration::from_secs(3), "{took:?}");
        viewer.recorder.picture("the sender", |it| it.shows(0.5, 0.5, RED)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_keyframe_requests_makes_two_keyframes_a_second_at_most() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    let bob = Guest::join(&server, "bob", None, Attention::Picture).await;
    bob.recorder.picture("red", |it| it.shows(0.25, 0.5, RED)).await;
    let before = ann.recorder.keyframes().len();
    // Two receivers who lose something all the time, and newcomers beside them.
    let mut newcomers = Vec::new();
    for round in 0..40 {
        ann.recorder.request_keyframe();
        bob.recorder.request_keyframe();
        if round % 10 == 0 {
            newcomers.push(Guest::begin(&server, &format!("new-{round}"), None, Attention::Nothing, "h264"));
        }
        ann.recorder.more_pictures(2).await;
    }
    let keyframes = ann.recorder.keyframes()[before..].to_vec();
    let gaps: Vec<Duration> = keyframes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    println!("{} keyframes for 80 requests and 4 newcomers, {gaps:?} apart", keyframes.len());
    assert!(keyframes.len() >= 3, "requests are heard: {gaps:?}");
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(400)), "{gaps:?}");
    for newcomer in &mut newcomers {
        newcomer.connected().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encoders_run_only_for_those_who_need_them() {
    let (server, studio) = (Server::start().await, Studio::new());
    let encoders = async |expected: serde_json::Value| {
        let what = format!("encoders {expected}");
        let mut before = serde_json::Value::Null;
        until(&what, async || {
            let room = server.room().await;
            let now = &room["health"]["encoders"];
            if before != *now {
                println!("encoders {now}, receivers {}", room["participants"]);
                before = now.clone();
            }
            (*now == expected).then_some(())
        })
        .await;
    };
    encoders(json!([])).await;
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red by H.264", |it| it.shows(0.5, 0.5, RED)).await;
    encoders(json!(["h264"])).await;
    let bob = Guest::join_in(&server, "bob", None, Attention::Picture, "vp8").await;
    bob.recorder.picture("red by VP8", |it| it.shows(0.25, 0.5, RED)).await;
    encoders(json!(["h264", "vp8"])).await;
    bob.vanish();
    encoders(json!(["h264"])).await;
    // The one who stays noticed nothing.
    ann.recorder.more_pictures(10).await;
    ann.vanish();
    encoders(json!([])).await;
    let health = server.room().await["health"].clone();
    assert_eq!(health["running"], false, "{health}");
}
