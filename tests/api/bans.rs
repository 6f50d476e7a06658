//! Those whom a moderator has barred from a room.

use std::{fs, time::Instant};

use serde_json::{Value, json};

use super::{
    fake_media::PATIENCE,
    page::Page,
    server::{KEY, Server},
    whip::{SDP, WHEP_OFFER, WHIP_OFFER},
};

/// Joins with a token; the answer is the `welcome` or the `error`.
async fn join(server: &Server, token: &str, name: &str) -> (Page, Value) {
    let mut page = Page::open_with(server, "demo", &format!("?token={token}")).await;
    page.say(json!({"type": "join", "name": name, "send": ["vp8"], "receive": ["h264"]})).await;
    let answer = page.next().await;
    (page, answer)
}

async fn token(server: &Server, role: &str) -> String {
    let signed = server.sign(KEY, &json!({"room": "demo", "role": role})).await;
    signed["token"].as_str().unwrap().to_owned()
}

fn path(welcome: &Value) -> String {
    format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap())
}

#[tokio::test]
async fn who_is_barred_does_not_come_in_with_their_token() {
    let mut server = Server::keyed().await;
    let (bad, good) = (token(&server, "participant").await, token(&server, "participant").await);
    let (page, welcome) = join(&server, &bad, "ann").await;
    let id = path(&welcome);
    server.send("DELETE", &format!("{id}?ban=maybe"), &json!({})).await.problem(400);
    assert_eq!(server.delete(&format!("{id}?ban=true")).await.status, 204);
    assert_eq!(page.closed().await.code, 4009);
    let (_page, refused) = join(&server, &bad, "another").await;
    assert_eq!((&refused["type"], &refused["problem"]["status"]), (&json!("error"), &json!(403)));
    assert!(refused["problem"]["detail"].as_str().unwrap().contains("barred"), "{refused}");
    assert_eq!(join(&server, &good, "ann").await.1["type"], "welcome", "another token is another person");

    let bans = server.get("/rooms/demo/bans").await.json();
    assert_eq!((bans.as_array().unwrap().len(), &bans[0]["name"], &bans[0]["by"]), (1, &json!("ann"), &json!("token")));
    assert!(bans[0]["banned_at"].is_string() && bans[0].get("token").is_none(), "{bans}");
    let ban = format!("/rooms/demo/bans/{}", bans[0]["id"].as_str().unwrap());
    server.token = Some(bad.clone());
    server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await.problem(403);
    assert_eq!(server.post("/whep/demo", SDP, WHEP_OFFER).await.status, 201, "they may watch");
    server.get("/rooms/demo/bans").await.problem(403);
    server.delete(&ban).await.problem(403);

    server.token = Some(token(&server, "producer").await);
    assert_eq!(server.delete(&ban).await.status, 204);
    server.delete(&ban).await.problem(404);
    assert_eq!(server.get("/rooms/demo/bans").await.json(), json!([]));
    assert_eq!(join(&server, &bad, "ann").await.1["type"], "welcome");
    server.get("/rooms/nowhere/bans").await.problem(403);
    server.token = Some(KEY.to_owned());
    server.get("/rooms/nowhere/bans").await.problem(404);
    server.delete("/rooms/nowhere/bans/x").await.problem(404);
}

#[tokio::test]
async fn on_an_open_server_the_name_is_barred() {
    let server = Server::start().await;
    let (ann, welcome) = Page::join(&server, "demo", "ann").await;
    let (_bob, other) = Page::join(&server, "demo", "bob").await;
    assert_eq!(server.delete(&format!("{}?ban=true", path(&welcome))).await.status, 204);
    assert_eq!(ann.closed().await.code, 4009);
    assert_eq!(server.get("/rooms/demo/bans").await.json()[0]["by"], "name");
    let mut page = Page::open(&server, "demo").await;
    page.say(json!({"type": "join", "name": "Ann"})).await;
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(403)));
    // Without the word it is as ever.
    assert_eq!(server.delete(&format!("{}?ban=false", path(&other))).await.status, 204);
    Page::join(&server, "demo", "bob").await;
    server.delete("/rooms/demo/participants/nobody?ban=true").await.problem(404);
}

#[tokio::test]
async fn bans_are_stored_and_not_exported() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let (_ann, welcome) = Page::join(&server, "demo", "ann").await;
    server.delete(&format!("{}?ban=true", path(&welcome))).await;
    let file = server.state.config.data_dir.join("rooms").join("demo.json");
    let begun = Instant::now();
    loop {
        let stored: Value = fs::read(&file).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
        if stored["bans"][0]["name"] == "ann" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{stored}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let exported = server.get("/rooms/demo/export?assets=false").await.json();
    assert_eq!(exported.get("bans"), None);
    assert_eq!(server.send("POST", "/rooms/demo/import", &exported).await.status, 200);
    assert_eq!(server.get("/rooms/demo/bans").await.json().as_array().unwrap().len(), 1, "an import leaves them");
}
