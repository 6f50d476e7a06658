//! WHIP and WHEP with plain peers.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{net::TcpListener, time::timeout};
use virfie::media::port::VideoCodec;

use super::{
    posted::{SDP, whep, whip},
    recorder::{Attention, BACKGROUND, GREEN, RED, amplitude},
    server::{ROOM, Server, until},
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
            sender.change_ssrc(0x0101 * (change + 1));
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
    // Its rhythm is known after a second.
    viewer.recorder.more_pictures(40).await;
    let killed = Instant::now();
    drop(sender);
    until("it is gone", async || server.participant("cam").await.is_none().then_some(())).await;
    println!("gone after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
}

const OBS: &str = include_str!("../../src/media/sdp/fixtures/obs_whip_offer.sdp");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_offer_is_answered_line_by_line_as_it_was_written() {
    let server = Server::start().await;
    let offer = OBS
        .replace("BUNDLE 0 1", "BUNDLE 0 1 2 ghost")
        .replace("a=sendonly", "a=sendrecv")
        .replace("opus/48000/2", "opus/48000")
        .replace("packetization-mode=1;", "")
        .replace("a=rtcp-mux\n", "a=rtcp-mux-only\n")
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\na=sctp-port:5000\n";
    let posted = server.send_text("POST", &format!("/whip/{ROOM}?name=odd"), SDP, offer).await.expect(201);
    let answer = posted.text();
    let count = |text: &str| answer.matches(text).count();
    assert_eq!((count("a=recvonly\r\n"), count("a=send"), count("a=rtcp-mux-only\r\n")), (2, 0, 2), "{answer}");
    assert_eq!(count("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"), 1, "{answer}");
    assert_eq!((count("opus/48000\r\n"), count("packetization-mode"), count("a=ssrc:")), (1, 0, 0), "{answer}");
    assert!(count("a=candidate:") > 0 && count("a=end-of-candidates") == 1, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_makes_the_server_connect_by_a_candidate() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let waits = format!("a=candidate:7 1 TCP 2105524479 127.0.0.1 {port} typ host tcptype passive\n");
    let offer = OBS.replace("a=end-of-candidates", &format!("{waits}a=end-of-candidates"));
    let posted = server.send_text("POST", &format!("/whip/{ROOM}?name=tcp"), SDP, offer).await.expect(201);
    let fragment = format!("a=ice-ufrag:Yb3W\na=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud\nm=audio 9 RTP/AVP 0\na=mid:0\n{waits}");
    let request = server.request_at_top("PATCH", posted.header("location"));
    let patched = request.header("content-type", "application/trickle-ice-sdpfrag").body(fragment).send().await;
    assert_eq!(patched.unwrap().status(), 204);
    // What does not happen cannot be awaited; before it was left out, this took some hundred milliseconds.
    assert!(timeout(Duration::from_secs(3), listener.accept()).await.is_err(), "the server has called");
}
