//! Rooms whose task or media breaks, and a disk that refuses them: what was put is still there, what went wrong is
//! reported, and it mends itself.

use std::{fs, time::Instant};

use serde_json::{Value, json};
use virfie::media::port::MediaEvent;

use super::{
    fake_media::PATIENCE,
    page::Page,
    server::{Server, answer},
};

async fn readiness(server: &Server) -> (u16, Value) {
    let ready = answer(server.request_at_top("GET", "/readyz")).await;
    (ready.status.as_u16(), ready.json())
}

/// Asks again and again until the readiness is as it should be.
async fn until_ready(server: &Server, fits: impl Fn(u16, &Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let (status, ready) = readiness(server).await;
        if fits(status, &ready) {
            return ready;
        }
        assert!(begun.elapsed() < PATIENCE, "{status} {ready}");
    }
}

async fn metrics(server: &Server) -> String {
    answer(server.request_at_top("GET", "/metrics")).await.text()
}

/// Returns what the room's file has.
fn stored(server: &Server, room: &str) -> Option<Value> {
    let file = server.state.config.data_dir.join("rooms").join(format!("{room}.json"));
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

async fn configured() -> Server {
    virfie::telemetry::metrics();
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"max_participants": 3})).await;
    server.send("PUT", "/rooms/demo/layout", &json!({"auto": {"mode": "row"}})).await;
    server.send("PUT", "/rooms/demo/scenes/Intro", &json!({"layers": []})).await;
    server
}

#[tokio::test]
async fn a_room_whose_task_panics_begins_again_from_its_record() {
    let server = configured().await;
    let before = server.get("/rooms/demo").await.json();
    let (page, _) = Page::join(&server, "demo", "ann").await;
    let old = server.media.room("demo");
    old.panic_once();
    let refused = server.send("PUT", "/rooms/demo", &json!({"hold_ms": 700})).await;
    assert!(refused.problem(503)["detail"].as_str().unwrap().contains("begins again"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(page.closed().await.code, 4011, "a page is asked to come back");
    old.wait_for("closed").await;

    let after = server.get("/rooms/demo").await.json();
    for key in ["settings", "canvas", "layout", "scenes", "revision"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!((&after["participants"], &after["health"]["rebuilds"]), (&json!([]), &json!(1)));
    assert!(after["health"]["rebuilt_because"].as_str().unwrap().contains("panicked"));
    let (status, ready) = readiness(&server).await;
    assert_eq!((status, &ready["rooms"]), (200, &json!({"down": 0, "rebuilds": 1})));
    assert!(metrics(&server).await.contains("virfie_room_rebuilds_total{part=\"task\"}"));

    // Who comes finds the same room, and it is stored as it was.
    let (_page, welcome) = Page::join(&server, "demo", "bob").await;
    assert_eq!(welcome["room"]["settings"]["max_participants"], 3);
    server.state.registry.drain().await;
    let file = stored(&server, "demo").expect("the room is on the disk");
    assert_eq!((&file["settings"]["max_participants"], &file["layout"]["auto"]["mode"]), (&json!(3), &json!("row")));
    assert_eq!(file["scenes"][0]["name"], "Intro");
}

#[tokio::test]
async fn media_that_breaks_is_opened_again_with_all_that_it_had() {
    let server = configured().await;
    let url = json!({"type": "rtmp", "url": "rtmp://live.example/app/key"});
    let made = server.send("POST", "/rooms/demo/outputs", &url).await.json();
    let output = made["id"].as_str().unwrap().to_owned();
    let (page, welcome) = Page::join(&server, "demo", "ann").await;
    let who = format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap());
    server.send("PATCH", &who, &json!({"volume": 0.5})).await;
    let broken = server.media.room("demo");
    broken.say(MediaEvent::Broken { reason: "no frame was composed for two seconds".to_owned() });
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4011, &json!(503)));
    broken.wait_for("closed").await;

    let media = server.media.room("demo");
    media.wait_for(&format!("start {output}")).await;
    media.wait_for("gain 0.5").await;
    let room = server.get("/rooms/demo").await.json();
    assert_eq!(room["health"]["rebuilds"], 1);
    assert_eq!(room["health"]["rebuilt_because"], "no frame was composed for two seconds");
    assert_eq!((&room["layout"]["auto"]["mode"], &room["settings"]["max_participants"]), (&json!("row"), &json!(3)));
    // The place is still there for who comes back in time.
    let (_page, again) = Page::join_with(&server, "demo", "ann", welcome["resume"].clone()).await;
    assert_eq!(again["participant"]["id"], welcome["participant"]["id"]);
    until_ready(&server, |status, ready| status == 200 && ready["rooms"] == json!({"down": 0, "rebuilds": 1})).await;
}

#[tokio::test]
async fn media_that_cannot_be_opened_is_reported_and_tried_again() {
    let server = configured().await;
    // Twice in a row: the second time it waits a second, and nobody is let in meanwhile.
    for _ in 0..2 {
        let media = server.media.room("demo");
        media.fall_silent();
        media.say(MediaEvent::Broken { reason: "no thread for the room's media".to_owned() });
        media.wait_for("closed").await;
    }
    until_ready(&server, |status, ready| status == 200 && ready["rooms"]["down"] == 0).await;
    let media = server.media.room("demo");
    media.say(MediaEvent::Broken { reason: "no thread for the room's media".to_owned() });
    let ready = until_ready(&server, |status, _| status == 503).await;
    assert_eq!((&ready["status"], &ready["rooms"]["down"]), (&json!("failing"), &json!(1)));
    let refused = server.post("/whip/demo?name=x", "application/sdp", super::whip::WHIP_OFFER).await;
    refused.problem(503);
    until_ready(&server, |status, ready| status == 200 && ready["status"] == "ready").await;
    assert_eq!(server.get("/rooms/demo").await.json()["health"]["rebuilds"], 3);
}

#[tokio::test]
async fn media_that_is_gone_without_a_word_is_noticed() {
    let server = configured().await;
    let (page, _) = Page::join(&server, "demo", "ann").await;
    server.media.room("demo").fall_silent();
    assert_eq!(page.closed().await.code, 4011);
    assert_eq!(server.get("/rooms/demo").await.json()["health"]["rebuilds"], 1);
}

#[tokio::test]
async fn a_disk_that_fails_for_a_while_costs_nothing() {
    let server = configured().await;
    // What is stored so far; then a file stands where the folder should be, which stops root as well.
    let rooms = server.state.config.data_dir.join("rooms");
    let begun = Instant::now();
    while stored(&server, "demo").is_none_or(|file| file["scenes"][0]["name"] != "Intro") {
        assert!(begun.elapsed() < PATIENCE, "the room is stored");
        tokio::task::yield_now().await;
    }
    let aside = server.state.config.data_dir.join("elsewhere");
    fs::rename(&rooms, &aside).unwrap();
    fs::write(&rooms, "").unwrap();
    server.send("PUT", "/rooms/demo", &json!({"hold_ms": 1234})).await;
    let degraded = until_ready(&server, |_, ready| ready["storage"]["unstored_rooms"] == 1).await;
    assert_eq!((&degraded["status"], readiness(&server).await.0), (&json!("degraded"), 200));
    assert!(degraded["storage"]["since"].is_string() && degraded["storage"]["error"].is_string(), "{degraded}");
    assert!(metrics(&server).await.contains("virfie_unstored_rooms 1"));

    fs::remove_file(&rooms).unwrap();
    fs::rename(&aside, &rooms).unwrap();
    until_ready(&server, |_, ready| ready["status"] == "ready").await;
    assert_eq!(stored(&server, "demo").unwrap()["settings"]["hold_ms"], 1234);
}
