//! Who stands where on the way into the programme, and who is let in.

use serde_json::{Value, json};

use super::{
    page::Page,
    server::{KEY, Server},
    whip::{SDP, WHEP_OFFER, WHIP_OFFER},
};

fn path(welcome: &Value) -> String {
    format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap())
}

#[tokio::test]
async fn somebody_is_taken_off_the_air_and_put_on_it() {
    let server = Server::start().await;
    let (mut ann, welcome) = Page::join(&server, "demo", "ann").await;
    let (_bob, _) = Page::join(&server, "demo", "bob").await;
    assert_eq!(welcome["participant"]["stage"], "on_air");
    let media = server.media.room("demo");
    media.wait_for("picture people=[\"ann\", \"bob\"] ").await;
    let off = server.send("PATCH", &path(&welcome), &json!({"stage": "backstage"})).await;
    assert_eq!((off.status.as_u16(), &off.json()["stage"]), (200, &json!("backstage")));
    media.wait_for("gain 0 pan 0").await;
    media.wait_for("picture people=[\"bob\"] ").await;
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["stage"], "backstage");
    let room = server.get("/rooms/demo").await.json();
    assert_eq!(
        (&room["participants"][0]["stage"], &room["participants"][1]["stage"]),
        (&json!("backstage"), &json!("on_air"))
    );
    assert!(!media.heard().iter().any(|line| line.starts_with("remove ")), "their connections stay");

    server.send("PATCH", &path(&welcome), &json!({"stage": "on_air"})).await;
    media.wait_for("gain 1 pan 0").await;
    assert!(media.heard().last().unwrap().starts_with("picture people=[\"ann\", \"bob\"] "), "{:?}", media.heard());
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["stage"], "on_air");
}

#[tokio::test]
async fn a_wrong_stage_is_refused_with_its_place() {
    let server = Server::start().await;
    let (_ann, welcome) = Page::join(&server, "demo", "ann").await;
    for wrong in [json!("on-air"), json!("live"), json!(1), json!({})] {
        let refused = server.send("PATCH", &path(&welcome), &json!({"muted": true, "stage": wrong})).await;
        assert_eq!(refused.faults(422), ["/stage"], "{wrong}");
    }
    let now = server.get(&path(&welcome)).await.json();
    assert_eq!((&now["stage"], &now["muted"]), (&json!("on_air"), &json!(false)), "nothing is changed");
}

#[tokio::test]
async fn a_page_says_that_its_user_is_ready_and_cannot_put_them_on_air() {
    let server = Server::start().await;
    let (mut ann, welcome) = Page::join(&server, "demo", "ann").await;
    // On air it is not looked at: the message after it is.
    ann.say(json!({"type": "ready", "ready": false})).await;
    ann.say(json!({"type": "media", "audio": false, "video": true})).await;
    let changed = ann.wait_for_event("participant_changed").await;
    assert_eq!((&changed["participant"]["stage"], &changed["participant"]["audio"]), (&json!("on_air"), &json!(false)));
    server.send("PATCH", &path(&welcome), &json!({"stage": "backstage"})).await;
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["stage"], "backstage");
    for (ready, stage) in [(true, "ready"), (false, "backstage")] {
        ann.say(json!({"type": "ready", "ready": ready})).await;
        assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["stage"], stage);
    }
    ann.say(json!({"type": "ready", "ready": "on_air"})).await;
    assert_eq!(ann.closed().await.code, 4001);
}

/// Returns a token for the room.
async fn token(server: &Server, role: &str) -> String {
    let signed = server.sign(KEY, &json!({"room": "demo", "role": role})).await;
    signed["token"].as_str().unwrap().to_owned()
}

/// Joins with a token; the answer is the `welcome` or the `error`.
async fn join(server: &Server, token: &str, name: &str, resume: Value) -> (Page, Value) {
    let mut page = Page::open_with(server, "demo", &format!("?token={token}")).await;
    page.say(json!({"type": "join", "name": name, "resume": resume, "send": ["vp8"], "receive": ["h264"]})).await;
    let answer = page.next().await;
    (page, answer)
}

#[tokio::test]
async fn guests_land_backstage_where_the_room_says_so() {
    let mut server = Server::keyed().await;
    let (guest, producer) = (token(&server, "participant").await, token(&server, "producer").await);
    assert_eq!(server.get("/rooms/demo").await.json()["settings"]["guests_land"], "on_air");
    let (_ann, ann) = join(&server, &guest, "ann", Value::Null).await;
    assert_eq!(ann["participant"]["stage"], "on_air");
    let set = server.send("PUT", "/rooms/demo", &json!({"guests_land": "backstage"})).await;
    assert_eq!((set.status.as_u16(), &set.json()["settings"]["guests_land"]), (200, &json!("backstage")));
    for wrong in [json!("ready"), json!(true)] {
        let refused = server.send("PUT", "/rooms/demo", &json!({"guests_land": wrong, "hold_ms": 1})).await;
        assert_eq!(refused.faults(422), ["/guests_land"]);
    }
    let (bob, welcome) = join(&server, &guest, "bob", Value::Null).await;
    assert_eq!(welcome["participant"]["stage"], "backstage");
    let heard = server.media.room("demo").heard();
    let place = |beginning: &str| heard.iter().rposition(|line| line.starts_with(beginning)).unwrap();
    assert!(place("gain 0 pan 0") < place("add "), "not even their first word is heard: {heard:?}");
    server.media.room("demo").wait_for("picture people=[\"ann\"] ").await;
    let (_dan, dan) = join(&server, &producer, "dan", Value::Null).await;
    assert_eq!(dan["participant"]["stage"], "on_air");
    server.token = Some(guest.clone());
    assert_eq!(server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await.status, 201);
    let people = server.get("/rooms/demo/participants").await.json();
    let stages: Vec<&Value> = people.as_array().unwrap().iter().map(|one| &one["stage"]).collect();
    assert_eq!(stages, ["on_air", "backstage", "on_air", "backstage"]);
    // Not by their own token.
    server.send("PATCH", &path(&welcome), &json!({"stage": "on_air"})).await.problem(403);
    server.token = Some(producer);
    server.send("PATCH", &path(&welcome), &json!({"stage": "on_air"})).await;
    drop(bob);
    let (_again, again) = join(&server, &guest, "bob", welcome["resume"].clone()).await;
    assert_eq!(
        (&again["participant"]["id"], &again["participant"]["stage"]),
        (&welcome["participant"]["id"], &json!("on_air"))
    );
}

#[tokio::test]
async fn where_guests_land_is_exported_and_stored() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let plain = server.get("/rooms/demo/export?assets=false").await.json();
    assert_eq!(plain["settings"].get("guests_land"), None, "older programs read it, too");
    server.send("PUT", "/rooms/demo", &json!({"guests_land": "backstage"})).await;
    let file = server.get("/rooms/demo/export?assets=false").await.json();
    assert_eq!(file["settings"]["guests_land"], "backstage");
    assert_eq!(server.send("POST", "/rooms/copy/import", &file).await.status, 201);
    assert_eq!(server.get("/rooms/copy").await.json()["settings"]["guests_land"], "backstage");
    // In a room that is there, an export restores what it leaves out.
    server.send("PUT", "/rooms/demo", &json!({"locked": true})).await;
    assert_eq!(server.send("POST", "/rooms/demo/import", &plain).await.status, 200);
    let restored = server.get("/rooms/demo").await.json()["settings"].clone();
    assert_eq!((&restored["guests_land"], &restored["locked"]), (&json!("on_air"), &json!(false)));
    let mut wrong = file.clone();
    wrong["settings"]["guests_land"] = json!("ready");
    assert_eq!(server.send("POST", "/rooms/copy/import", &wrong).await.faults(422), ["/settings/guests_land"]);
}

#[tokio::test]
async fn a_locked_room_refuses_newcomers_and_no_one_else() {
    let mut server = Server::keyed().await;
    let (guest, producer) = (token(&server, "participant").await, token(&server, "producer").await);
    let (_ann, ann) = join(&server, &guest, "ann", Value::Null).await;
    let set = server.send("PUT", "/rooms/demo", &json!({"locked": true})).await;
    assert_eq!(set.json()["settings"]["locked"], true);
    let refused = server.send("PUT", "/rooms/demo", &json!({"locked": "yes"})).await;
    assert_eq!(refused.faults(422), ["/locked"]);

    let mut page = Page::open_with(&server, "demo", &format!("?token={guest}")).await;
    page.say(json!({"type": "join", "name": "bob"})).await;
    let closed = page.closed().await;
    let problem = closed.problem.unwrap();
    assert_eq!((closed.code, &problem["status"]), (4003, &json!(403)));
    assert!(problem["detail"].as_str().unwrap().contains("locked"), "{problem}");
    server.token = Some(guest.clone());
    let refused = server.post("/whip/demo?name=cam", SDP, WHIP_OFFER).await;
    assert!(refused.problem(403)["detail"].as_str().unwrap().contains("locked"));
    assert_eq!(server.post("/whep/demo", SDP, WHEP_OFFER).await.status, 201, "who only watches is let in");
    let (_back, back) = join(&server, &guest, "ann", ann["resume"].clone()).await;
    assert_eq!(back["participant"]["id"], ann["participant"]["id"]);
    for bearer in [producer.as_str(), KEY] {
        let (_dan, dan) = join(&server, bearer, "dan", Value::Null).await;
        assert_eq!(dan["type"], "welcome", "{dan}");
    }

    server.token = Some(producer);
    let file = server.get("/rooms/demo/export?assets=false").await.json();
    assert_eq!(file["settings"]["locked"], true, "it is stored");
    server.send("PUT", "/rooms/demo", &json!({"locked": false})).await;
    assert_eq!(join(&server, &guest, "bob", Value::Null).await.1["type"], "welcome");
}
