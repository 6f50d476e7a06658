//! Connections that carry the mix: of pages, and by WHEP.

use serde_json::json;
use virfie::media::port::{DeliveryReport, MediaEvent, ParticipantId, VideoCodec};

use super::{
    fake_media::OUR_SDP,
    page::{CANDIDATE, Page},
    server::Server,
    whip::{SDP, WHEP_OFFER, WHIP_OFFER},
};

fn report(rendition: Option<&str>) -> DeliveryReport {
    DeliveryReport {
        codec: Some(VideoCodec::H264),
        rendition: rendition.map(str::to_owned),
        renditions: vec!["720p".into(), "360p".into(), "180p".into()],
        reason: "slow network",
        loss: 0.051,
        round_trip: None,
        estimate: Some(712_345),
    }
}

#[tokio::test]
async fn a_page_offers_to_receive_and_hears_how_the_mix_comes() {
    let server = Server::start().await;
    let (mut page, welcome) = Page::join(&server, "demo", "ann").await;
    page.say(json!({"type": "receive", "sdp": WHEP_OFFER})).await;
    assert_eq!(page.wait_for("answer").await["sdp"], OUR_SDP);
    let media = server.media.room("demo");
    let line = media.wait_for("receive ").await;
    let who = welcome["participant"]["id"].as_str().unwrap();
    assert!(line.ends_with(&format!(" {who} Auto")), "{line}");
    let receiver = media.newest_peer();
    page.say(json!({"type": "candidate", "candidate": CANDIDATE, "mline": 0, "connection": "receive"})).await;
    media.wait_for(&format!("candidate {receiver} 46154")).await;
    page.say(json!({"type": "view", "height": 400, "hidden": true, "dropped": 0.25, "rendition": "360p"})).await;
    let view = media.wait_for("view ").await;
    assert!(view.contains("height: Some(400), hidden: true, save_data: false, dropped: 0.25"), "{view}");
    assert!(view.contains("Fixed(Half)"), "{view}");

    media.say(MediaEvent::Delivery { peer: receiver, delivery: report(None) });
    let told = page.wait_for("delivery").await;
    assert_eq!((&told["rendition"], &told["reason"]), (&json!(null), &json!("slow network")));
    assert_eq!((&told["estimate_kbps"], &told["renditions"]), (&json!(712), &json!(["720p", "360p", "180p"])));
    media.say(MediaEvent::Shown { participant: ParticipantId(who.into()), size: (320, 180), fps: 30 });
    let shown = page.wait_for("shown").await;
    assert_eq!((&shown["width"], &shown["height"], &shown["fps"]), (&json!(320), &json!(180), &json!(30)));
    let own = &server.get("/rooms/demo/participants").await.json()[0]["delivery"];
    assert_eq!((&own["rendition"], &own["loss"], &own["estimate_kbps"]), (&json!(null), &json!(0.05), &json!(712)));

    // A new one takes the place of the old one; leaving ends it.
    page.say(json!({"type": "receive", "sdp": WHEP_OFFER})).await;
    media.wait_for(&format!("remove {receiver}")).await;
    page.wait_for("answer").await;
    let newer = media.newest_peer();
    page.say(json!({"type": "leave"})).await;
    media.wait_for(&format!("remove {newer}")).await;
}

#[tokio::test]
async fn what_a_page_cannot_mean_closes_its_socket_and_says_why() {
    let server = Server::start().await;
    for (message, detail) in [
        (json!({"type": "receive", "sdp": "v=0"}), "sdp"),
        (json!({"type": "receive", "sdp": WHIP_OFFER}), "no usable codec"),
        (json!({"type": "view", "rendition": "1080p"}), "rendition"),
        (json!({"type": "view", "dropped": 7}), "dropped"),
        (
            json!({"type": "candidate", "candidate": CANDIDATE, "connection": "sideways"}),
            "expected `send` or `receive`",
        ),
    ] {
        let (mut page, _) = Page::join(&server, "demo", "ann").await;
        page.say(message.clone()).await;
        let problem = page.wait_for("error").await["problem"].to_string();
        assert!(problem.contains(detail), "{message}: {problem}");
        assert_eq!(page.closed().await.code, 4001, "{message}");
    }
}

#[tokio::test]
async fn a_viewer_s_rendition_can_be_fixed_and_their_delivery_is_in_the_room() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let refused = server.post("/whep/demo?rendition=1080p", SDP, WHEP_OFFER).await;
    assert!(refused.text().contains("/rendition") && refused.text().contains("720p, 360p, 180p"), "{refused:?}");
    assert_eq!(server.get("/rooms/demo").await.json()["viewers"], 0);
    let posted = server.post("/whep/demo?rendition=180p", SDP, WHEP_OFFER).await;
    assert_eq!(posted.status.as_u16(), 201, "{posted:?}");
    let media = server.media.room("demo");
    assert!(media.wait_for("receive ").await.ends_with(" viewer Fixed(Quarter)"));
    let peer = media.newest_peer();
    assert_eq!(posted.header("etag"), format!("\"ice-{}\"", peer.0));
    assert_eq!(server.get("/rooms/demo").await.json()["viewer_deliveries"], json!([]));
    media.say(MediaEvent::Delivery { peer, delivery: report(Some("180p")) });
    let told = loop {
        let told = server.get("/rooms/demo").await.json()["viewer_deliveries"][0].clone();
        if !told.is_null() {
            break told;
        }
    };
    assert_eq!(
        (&told["connection"], &told["rendition"], &told["codec"]),
        (&json!(peer.0), &json!("180p"), &json!("h264"))
    );
}

#[tokio::test]
async fn a_sender_who_watches_under_their_name_does_not_hear_themselves() {
    let server = Server::start().await;
    server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await;
    let media = server.media.room("demo");
    let id = server.get("/rooms/demo/participants").await.json()[0]["id"].as_str().unwrap().to_owned();
    for (query, who) in [("?name=cam", id.as_str()), ("?name=other", "viewer"), ("", "viewer")] {
        server.post(&format!("/whep/demo{query}"), SDP, WHEP_OFFER).await;
        let lines = media.heard();
        let line = lines.iter().rev().find(|line| line.starts_with("receive ")).unwrap();
        assert!(line.ends_with(&format!(" {who} Auto")), "{query}: {line}");
    }
}
