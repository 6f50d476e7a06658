//! The rights of tokens: which room they open, for how long, and how much of the server their bearers can take.

use reqwest::StatusCode;
use serde_json::{Value, json};
use virfie::control::api::auth::secret;

use super::{
    events::Stream,
    page::Page,
    server::{Answer, KEY, Server, answer},
    whip::{SDP, WHEP_OFFER, WHIP_OFFER},
};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn join(server: &Server, room: &str, token: &str, name: &str) -> (Page, Value) {
    let mut page = Page::open_with(server, room, &format!("?token={token}")).await;
    page.say(json!({"type": "join", "name": name, "send": ["vp8"], "receive": ["h264"]})).await;
    let answer = page.next().await;
    (page, answer)
}

async fn post(server: &Server, path: &str, token: &str, offer: &str) -> Answer {
    let asked = server.request_as(token, "POST", path);
    answer(asked.header("content-type", SDP).body(offer.to_owned())).await
}

#[tokio::test]
async fn a_token_that_is_taken_back_ends_a_download() {
    const BYTES: u64 = 256 << 20;
    let recordings = tempfile::TempDir::new().unwrap();
    let mut server = Server::start_with(|config| {
        config.api_key = Some(KEY.to_owned());
        recordings.path().clone_into(&mut config.recordings);
    })
    .await;
    server.token = Some(KEY.to_owned());
    let folder = recordings.path().join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::File::create(folder.join("demo-1.mkv")).unwrap().set_len(BYTES).unwrap();
    let signed = server.sign(KEY, &json!({"room": "demo", "role": "producer"})).await;
    let asked = server.request_as(&text(&signed["token"]), "GET", "/rooms/demo/recordings/demo-1.mkv");
    let mut download = asked.send().await.unwrap();
    assert_eq!((download.status(), download.content_length()), (StatusCode::OK, Some(BYTES)));
    let mut taken = download.chunk().await.unwrap().unwrap().len() as u64;
    server.delete(&format!("/tokens/{}", text(&signed["id"]))).await;
    // What was on its way still comes.
    let cut = loop {
        match download.chunk().await {
            Ok(Some(piece)) => taken += piece.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(cut && taken < BYTES, "{taken} of {BYTES} bytes came");
}

#[tokio::test]
async fn a_token_that_is_taken_back_ends_what_it_opened() {
    let mut server = Server::keyed().await;
    let signed = server.sign(KEY, &json!({"room": "demo", "role": "participant"})).await;
    let (id, token) = (text(&signed["id"]), text(&signed["token"]));
    let other = text(&server.sign(KEY, &json!({"room": "demo", "role": "viewer"})).await["token"]);
    let (page, welcome) = join(&server, "demo", &token, "ann").await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    assert_eq!(post(&server, "/whip/demo?name=cam", &token, WHIP_OFFER).await.status, 201);
    assert_eq!(post(&server, "/whep/demo", &token, WHEP_OFFER).await.status, 201);
    assert_eq!(post(&server, "/whep/demo", &other, WHEP_OFFER).await.status, 201);
    server.token = Some(token.clone());
    let mut stream = Stream::open(&server, "demo").await;
    assert_eq!(stream.next().await.unwrap().0, "room_changed");

    server.token = Some(KEY.to_owned());
    assert_eq!(server.delete(&format!("/tokens/{id}")).await.status, StatusCode::NO_CONTENT);
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(401)));
    while stream.next().await.is_some() {}
    let room = server.get("/rooms/demo").await.json();
    assert_eq!((&room["participants"], &room["viewers"]), (&json!([]), &json!(1)), "the other's stays");
    assert_eq!(post(&server, "/whep/demo", &token, WHEP_OFFER).await.status, 401);
    assert_eq!(post(&server, "/whep/demo", &other, WHEP_OFFER).await.status, 201);
    assert_eq!(server.delete(&format!("/tokens/{id}")).await.status, StatusCode::NO_CONTENT, "again");
    for id in ["x", "rooms", "0123456789ABCDEF"] {
        assert_eq!(server.delete(&format!("/tokens/{id}")).await.status, 404, "{id}");
    }
    server.token = Some(other);
    server.delete(&format!("/tokens/{id}")).await.problem(403);
}

#[tokio::test]
async fn a_rotated_signing_key_ends_what_tokens_opened() {
    let mut server = Server::keyed().await;
    let token = text(&server.sign(KEY, &json!({"role": "participant"})).await["token"]);
    let (page, welcome) = join(&server, "demo", &token, "ann").await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    server.token = Some(token.clone());
    let mut stream = Stream::open(&server, "demo").await;
    secret::rotate(&server.state.config.data_dir).unwrap();
    server.state.look_at_signing_key().await;
    assert_eq!(page.closed().await.code, 4003);
    while stream.next().await.is_some() {}
    server.get("/rooms").await.problem(401);
    let fresh = text(&server.sign(KEY, &json!({"role": "participant"})).await["token"]);
    assert_eq!(join(&server, "demo", &fresh, "ann").await.1["type"], "welcome");
}

#[tokio::test]
async fn one_token_takes_its_places_and_no_more() {
    let server = Server::keyed().await;
    let token = text(&server.sign(KEY, &json!({"room": "demo", "role": "participant"})).await["token"]);
    for number in 0..4 {
        assert_eq!(post(&server, &format!("/whip/demo?name=n{number}"), &token, WHIP_OFFER).await.status, 201);
    }
    let refused = post(&server, "/whip/demo?name=n4", &token, WHIP_OFFER).await;
    assert!(refused.problem(429)["detail"].as_str().unwrap().contains("places"));
    assert_eq!(post(&server, "/whip/demo?name=n0", &token, WHIP_OFFER).await.status, 201, "its own place again");
    let (page, _) = join(&server, "demo", &token, "page").await;
    assert_eq!(page.closed().await.code, 4003);
    let link = json!({"room": "demo", "role": "participant", "places": 6});
    let link = text(&server.sign(KEY, &link).await["token"]);
    for number in 0..6 {
        assert_eq!(post(&server, &format!("/whip/demo?name=m{number}"), &link, WHIP_OFFER).await.status, 201);
    }
    assert_eq!(post(&server, "/whip/demo?name=m6", &link, WHIP_OFFER).await.status, 429);
}

#[tokio::test]
async fn one_token_makes_a_few_rooms_and_others_make_theirs() {
    let server = Server::keyed().await;
    let token = text(&server.sign(KEY, &json!({"role": "participant"})).await["token"]);
    let mut statuses = Vec::new();
    for number in 0..20 {
        statuses.push(post(&server, &format!("/whip/room-{number}"), &token, WHIP_OFFER).await.status.as_u16());
    }
    assert_eq!(statuses, [vec![201; 4], vec![429; 16]].concat());
    assert_eq!(post(&server, "/whip/demo", &token, WHIP_OFFER).await.status, 201, "one that is there");
    let other = text(&server.sign(KEY, &json!({"role": "participant"})).await["token"]);
    assert_eq!(post(&server, "/whip/another", &other, WHIP_OFFER).await.status, 201);
    server.delete("/rooms/room-0").await;
    assert_eq!(post(&server, "/whip/room-0", &token, WHIP_OFFER).await.status, 201, "one is gone");
}

#[tokio::test]
async fn a_name_that_a_token_fixes_is_not_taken_by_others() {
    let server = Server::keyed().await;
    let nameless = text(&server.sign(KEY, &json!({"room": "demo", "role": "participant"})).await["token"]);
    // Somebody was first.
    let (_early, early) = join(&server, "demo", &nameless, "ann").await;
    assert_eq!(early["participant"]["name"], "ann");
    let named = json!({"room": "demo", "role": "participant", "name": "ann"});
    let ann = text(&server.sign(KEY, &named).await["token"]);
    let (_late, late) = join(&server, "demo", &nameless, "ann").await;
    assert_eq!(late["participant"]["name"], "ann-2", "kept for its token, even while that is not here");
    let (_ann, own) = join(&server, "demo", &ann, "somebody").await;
    assert_eq!(own["participant"]["name"], "ann");
    let names: Vec<String> =
        own["room"]["participants"].as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
    assert_eq!(names, ["ann-3", "ann-2", "ann"]);
    let made = post(&server, "/whip/demo?name=ann", &nameless, WHIP_OFFER).await;
    assert_eq!(made.status, 201);
    let last = server.get("/rooms/demo/participants").await.json();
    assert_eq!(last[3]["name"], "ann-4");
}

#[tokio::test]
async fn wrong_keys_are_slowed() {
    let server = Server::keyed().await;
    let mut counts = [0, 0];
    for number in 0..200 {
        let asked = server.request_as(&format!("guess-{number}"), "GET", "/rooms");
        let status = answer(asked).await.status.as_u16();
        assert!(status == 401 || status == 429);
        counts[usize::from(status == 429)] += 1;
    }
    assert!(counts[0] < 30, "{counts:?}");
}
