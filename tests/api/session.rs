use std::time::Duration;

use serde_json::{Value, json};
use virfie::media::port::{MediaEvent, ParticipantId, PeerId, TrackKind};

use super::{
    fake_media::OUR_SDP,
    page::{ANSWER, CANDIDATE, Page},
    server::Server,
};

/// Joins, and goes on until media flows.
async fn connected(server: &Server, room: &str, name: &str) -> (Page, Value) {
    let (mut page, welcome) = Page::join(server, room, name).await;
    page.wait_for("offer").await;
    page.say(json!({"type": "answer", "sdp": ANSWER})).await;
    page.wait_for("connected").await;
    (page, welcome)
}

fn id(welcome: &Value) -> String {
    welcome["participant"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_joins_and_connects() {
    let server = Server::start().await;
    let (mut page, welcome) = Page::join(&server, "demo", "ann").await;
    assert_eq!(
        (&welcome["participant"]["name"], &welcome["participant"]["state"]),
        (&json!("ann"), &json!("connecting"))
    );
    assert_eq!(welcome["room"]["participants"][0]["id"], welcome["participant"]["id"]);
    assert!(welcome["resume"].as_str().unwrap().len() >= 22, "128 bits");
    assert_eq!(
        welcome["ice_servers"],
        json!([
            {"urls": ["stun:stun.example:3478"], "username": null, "credential": null},
            {"urls": ["turn:turn.example:3478"], "username": "ann", "credential": "secret"}
        ])
    );
    let offer = page.wait_for("offer").await;
    assert_eq!(offer["sdp"], OUR_SDP);
    let candidate = page.wait_for("candidate").await;
    assert!(candidate["candidate"].as_str().unwrap().starts_with("candidate:") && candidate["mline"] == 0);

    page.say(json!({"type": "answer", "sdp": ANSWER})).await;
    page.say(json!({"type": "candidate", "candidate": CANDIDATE, "mline": 0})).await;
    page.say(json!({"type": "candidate", "candidate": null, "mline": 0})).await;
    page.wait_for("connected").await;
    let changed = page.wait_for_event("participant_changed").await;
    assert_eq!(changed["participant"]["state"], "connected");
    let media = server.media.room("demo");
    let peer = media.newest_peer();
    media.wait_for(&format!("candidate {peer} 46154")).await;
    media.wait_for(&format!("candidate {peer} end")).await;

    page.say(json!({"type": "leave"})).await;
    assert_eq!(page.closed().await.code, 1000);
    media.wait_for("forget").await;
    assert_eq!(server.get("/rooms/demo/participants").await.json(), json!([]));
}

#[tokio::test]
async fn what_is_sent_is_the_browsers_first_choice() {
    let server = Server::start().await;
    let mut page = Page::open(&server, "demo").await;
    page.say(json!({"type": "join", "name": "a", "receive": ["av1", "vp8"], "send": ["av1", "vp9", "vp8"]})).await;
    page.wait_for("welcome").await;
    let line = server.media.room("demo").wait_for("add ").await;
    assert!(line.ends_with("offer ingest=Vp9"), "{line}");
    let mut page = Page::open(&server, "demo").await;
    page.say(json!({"type": "join", "name": "b"})).await;
    page.wait_for("welcome").await;
    let line = server.media.room("demo").wait_for("add ").await;
    assert!(line.ends_with("offer ingest=Vp8"), "{line}");
}

#[tokio::test]
async fn others_see_what_someone_does() {
    let server = Server::start().await;
    let (mut ann, welcome) = connected(&server, "demo", "ann").await;
    let (mut bob, _) = connected(&server, "demo", "bob").await;
    assert_eq!(ann.wait_for_event("participant_joined").await["participant"]["name"], "bob");
    ann.say(json!({"type": "media", "audio": false, "video": true})).await;
    let changed = bob.wait_for_event("participant_changed").await;
    assert_eq!((&changed["participant"]["name"], &changed["participant"]["audio"]), (&json!("bob"), &json!(true)));
    let changed = bob.wait_for_event("participant_changed").await;
    assert_eq!((&changed["participant"]["name"], &changed["participant"]["audio"]), (&json!("ann"), &json!(false)));

    let participant = ParticipantId(id(&welcome).as_str().into());
    let size = Some((640, 480));
    let started = MediaEvent::TrackStarted { participant: participant.clone(), kind: TrackKind::Video, size };
    server.media.room("demo").say(started);
    assert_eq!(bob.wait_for_event("participant_changed").await["participant"]["size"], json!([640, 480]));
    server.media.room("demo").say(MediaEvent::Speaking { participant, speaking: true });
    assert_eq!(bob.wait_for_event("speaking").await["id"], welcome["participant"]["id"]);
    ann.say(json!({"type": "leave"})).await;
    let left = bob.wait_for_event("participant_left").await;
    assert_eq!((&left["name"], &left["reason"]), (&json!("ann"), &json!("left")));
}

#[tokio::test]
async fn a_reload_takes_the_old_place_over() {
    let server = Server::start().await;
    let (old, welcome) = connected(&server, "demo", "ann").await;
    let old_peer = server.media.room("demo").newest_peer();
    let (_new, again) = Page::join_with(&server, "demo", "ann", welcome["resume"].clone()).await;
    assert_eq!((id(&again), &again["participant"]["name"]), (id(&welcome), &json!("ann")));
    assert_eq!(again["resume"], welcome["resume"]);
    assert_eq!(old.closed().await.code, 4008);
    server.media.room("demo").wait_for(&format!("remove {old_peer}")).await;
    assert_eq!(server.get("/rooms/demo/participants").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_vanished_browser_is_away_and_may_come_back() {
    let server = Server::start_with(|config| config.hold_ms = 60_000).await;
    let (page, welcome) = connected(&server, "demo", "ann").await;
    let (mut bob, _) = connected(&server, "demo", "bob").await;
    page.vanish();
    loop {
        let changed = bob.wait_for_event("participant_changed").await;
        if changed["participant"]["state"] == "away" {
            break;
        }
    }
    assert_eq!(server.get("/rooms/demo/participants").await.json().as_array().unwrap().len(), 2, "the place is kept");
    let (_back, again) = Page::join_with(&server, "demo", "ann", welcome["resume"].clone()).await;
    assert_eq!(id(&again), id(&welcome));
}

#[tokio::test]
async fn a_vanished_browser_is_dropped_after_the_hold() {
    let server = Server::start_with(|config| config.hold_ms = 50).await;
    let (page, welcome) = connected(&server, "demo", "ann").await;
    let (mut bob, _) = connected(&server, "demo", "bob").await;
    page.vanish();
    let left = bob.wait_for_event("participant_left").await;
    assert_eq!((&left["name"], &left["reason"]), (&json!("ann"), &json!("lost")));
    server.media.room("demo").wait_for(&format!("forget {}", id(&welcome))).await;
    let (_late, again) = Page::join_with(&server, "demo", "ann", welcome["resume"].clone()).await;
    assert_ne!(id(&again), id(&welcome), "too late");
}

#[tokio::test]
async fn a_dead_connection_asks_the_page_to_come_back() {
    let server = Server::start().await;
    let (page, _) = connected(&server, "demo", "ann").await;
    let media = server.media.room("demo");
    media.say(MediaEvent::PeerGone { peer: media.newest_peer(), reason: "no packets for 15 s".to_owned() });
    let closed = page.closed().await;
    assert_eq!(closed.code, 4011);
    assert_eq!(closed.problem.unwrap()["detail"], "no packets for 15 s");
}

#[tokio::test]
async fn an_ended_room_sends_everyone_away() {
    let server = Server::start().await;
    let (page, _) = connected(&server, "demo", "ann").await;
    assert_eq!(server.delete("/rooms/demo").await.status, 204);
    let closed = page.closed().await;
    assert_eq!(closed.code, 4009);
    assert_eq!(closed.messages.last().unwrap()["event"]["type"], "room_ended");
}

#[tokio::test]
async fn a_full_room_refuses() {
    let server = Server::start_with(|config| config.max_participants = 1).await;
    let (_ann, _) = Page::join(&server, "demo", "ann").await;
    let mut page = Page::open(&server, "demo").await;
    page.say(json!({"type": "join", "name": "bob"})).await;
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(409)));
}

#[tokio::test]
async fn bad_first_messages_are_refused() {
    let server = Server::start().await;
    for text in [
        "",
        "{",
        "[]",
        "{\"type\":\"leave\"}",
        "{\"type\":\"join\"}",
        "{\"type\":\"join\",\"name\":\"\"}",
        "{\"type\":\"join\",\"name\":\"a\\u0000b\"}",
        "{\"type\":\"join\",\"name\":\"ann\",\"camera\":1}",
        "{\"type\":\"join\",\"name\":\"ann\",\"send\":\"vp8\"}",
    ] {
        let mut page = Page::open(&server, "demo").await;
        page.say_text(text.to_owned()).await;
        let closed = page.closed().await;
        assert_eq!(closed.code, 4001, "{text:?}");
        assert!(closed.problem.is_some(), "{text:?}");
    }
    assert!(!server.media.has_opened("demo"), "no room is made for them");
}

#[tokio::test]
async fn bad_messages_close_the_socket_and_say_why() {
    let server = Server::start_with(|config| config.hold_ms = 0).await;
    let flood: Vec<Value> = vec![json!({"type": "media", "audio": true, "video": true}); 250];
    for (what, messages) in [
        ("a second join", vec![json!({"type": "join", "name": "ann"})]),
        ("an invalid answer", vec![json!({"type": "answer", "sdp": "v=1"})]),
        ("two answers", vec![json!({"type": "answer", "sdp": ANSWER}), json!({"type": "answer", "sdp": ANSWER})]),
        ("an invalid candidate", vec![json!({"type": "candidate", "candidate": "candidate:x y z"})]),
        ("a flood", flood),
        ("too long a message", vec![json!({"type": "answer", "sdp": "x".repeat(70_000)})]),
    ] {
        let (mut page, _) = Page::join(&server, "demo", "ann").await;
        page.wait_for("offer").await;
        for message in messages {
            page.say(message).await;
        }
        let closed = page.closed().await;
        assert_eq!(closed.code, 4001, "{what}: {closed:?}");
        assert!(closed.problem.unwrap()["detail"].as_str().unwrap().len() > 10, "{what}");
    }
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    page.say_bytes(vec![0; 10]).await;
    assert_eq!(page.closed().await.code, 4001);
}

#[tokio::test]
async fn tokens_decide_who_may_join_and_under_which_name() {
    let mut server = Server::start_with(|config| config.api_key = Some("key".to_owned())).await;
    let closed = Page::open(&server, "demo").await.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(401)));

    server.token = Some("key".to_owned());
    let mut tokens = Vec::new();
    for (room, role) in [("demo", "viewer"), ("other", "participant"), ("demo", "participant")] {
        let body = json!({"room": room, "role": role, "name": "Ann of the token"});
        let answer = server.send("POST", "/tokens", &body).await;
        tokens.push(answer.json()["token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned());
    }
    for token in &tokens[..2] {
        let closed = Page::open_with(&server, "demo", &format!("?token={token}")).await.closed().await;
        assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(403)));
    }
    let mut page = Page::open_with(&server, "demo", &format!("?token={}", tokens[2])).await;
    page.say(json!({"type": "join", "name": "Bob"})).await;
    assert_eq!(page.next().await["participant"]["name"], "Ann of the token");
}

#[tokio::test]
async fn a_plain_get_hears_that_this_is_a_websocket() {
    let server = Server::start().await;
    let answer = server.get("/rooms/demo/session").await;
    assert!(answer.status.is_client_error(), "{answer:?}");
    answer.problem(answer.status.as_u16());
}

#[tokio::test]
async fn a_browser_that_does_not_read_holds_nobody_up() {
    let server = Server::start().await;
    let (mut deaf, welcome) = connected(&server, "demo", "deaf").await;
    let (mut bob, _) = connected(&server, "demo", "bob").await;
    let media = server.media.room("demo");
    // Far more than any buffer on the way takes: candidates of one peer are for its socket alone.
    let peers: Vec<String> = media.heard().into_iter().filter(|line| line.starts_with("add ")).collect();
    let number = peers[0].split(' ').nth(1).unwrap().strip_prefix("peer-").unwrap().parse().unwrap();
    let peer = PeerId(number);
    for _ in 0..20_000 {
        media.say(MediaEvent::PeerCandidate { peer, mline: 0, candidate: format!("candidate:{}", "x".repeat(1000)) });
    }
    let left = tokio::time::timeout(Duration::from_secs(60), bob.wait_for_event("participant_left")).await.unwrap();
    assert_eq!(left["id"], welcome["participant"]["id"]);
    deaf.say(json!({"type": "leave"})).await;
}
