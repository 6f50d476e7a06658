use serde_json::json;

use super::{page::Page, server::Server};

#[tokio::test]
async fn a_room_is_created_changed_read_and_ended() {
    let server = Server::start().await;
    server.get("/rooms/demo").await.problem(404);

    let created = server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 640, "height": 360}})).await;
    assert_eq!(created.status, 201, "{created:?}");
    let state = created.json();
    assert_eq!(
        (&state["room"], &state["canvas"]["width"], &state["canvas"]["fps"]),
        (&json!("demo"), &json!(640), &json!(30))
    );
    assert_eq!(created.header("etag"), format!("\"{}\"", state["revision"]));

    let changed = server.send("PUT", "/rooms/demo", &json!({"hold_ms": 500, "max_participants": 4})).await;
    assert_eq!(changed.status, 200);
    let settings = json!({
        "hold_ms": 500, "max_participants": 4, "keypoints": false, "guests_land": "on_air", "locked": false
    });
    assert_eq!(changed.json()["settings"], settings);
    assert_eq!(changed.json()["canvas"]["width"], 640, "what is left out stays");
    server.media.room("demo").wait_for("hold 500ms").await;

    let read = server.get("/rooms/demo").await.json();
    assert_eq!(read["segmentation"]["model"], "fake");
    assert_eq!((&read["health"]["running"], &read["health"]["frames"]), (&json!(true), &json!(7)));
    assert_eq!((&read["viewers"], &read["participants"], &read["outputs"]), (&json!(0), &json!([]), &json!([])));
    let list = server.get("/rooms").await.json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["room"]), (1, &json!("demo")));

    assert_eq!(server.delete("/rooms/demo").await.status, 204);
    server.media.room("demo").wait_for("closed").await;
    server.get("/rooms/demo").await.problem(404);
    server.delete("/rooms/demo").await.problem(404);
}

#[tokio::test]
async fn a_room_needs_no_body() {
    let server = Server::start().await;
    let created = super::server::answer(server.request("PUT", "/rooms/plain")).await;
    assert_eq!(created.status, 201, "{created:?}");
}

#[tokio::test]
async fn a_refused_room_is_not_created() {
    let server = Server::start().await;
    let wrong =
        json!({"canvas": {"width": -1, "background": "nothing.png"}, "max_participants": 0, "hold_ms": 99999999});
    let faults = server.send("PUT", "/rooms/demo", &wrong).await.faults(422);
    for pointer in ["/max_participants", "/hold_ms", "/canvas/width"] {
        assert!(faults.contains(&pointer.to_owned()), "{faults:?}");
    }
    let missing = json!({"canvas": {"background": "nothing.png"}});
    assert_eq!(server.send("PUT", "/rooms/demo", &missing).await.faults(422), ["/canvas/background"]);
    server.send("PUT", "/rooms/demo", &json!({"colour": 1})).await.problem(422);
    server.send("PUT", "/rooms/demo", &json!([])).await.problem(422);
    server.send("PUT", "/rooms/a.b", &json!({})).await.problem(400);
    server.send("PUT", "/rooms/a%20b", &json!({})).await.problem(400);
    server.get("/rooms/demo").await.problem(404);
    assert!(!server.media.has_opened("demo"));
}

#[tokio::test]
async fn a_stale_change_gets_412() {
    let server = Server::start().await;
    let no_room = server.request("PUT", "/rooms/demo").header("if-match", "*").json(&json!({}));
    super::server::answer(no_room).await.problem(412);
    let etag = server.send("PUT", "/rooms/demo", &json!({})).await.header("etag").to_owned();
    let put = |etag: &str, hold: u64| {
        let request = server.request("PUT", "/rooms/demo").header("if-match", etag);
        super::server::answer(request.json(&json!({"hold_ms": hold})))
    };
    let changed = put(&etag, 100).await;
    assert_eq!(changed.status, 200);
    let stale = put(&etag, 200).await;
    stale.problem(412);
    assert_eq!(stale.header("etag"), changed.header("etag"), "the refusal says where the room is");
    assert_eq!(put("*", 300).await.status, 200);
    assert_eq!(put("\"1\", \"99\", W/\"3\"", 400).await.status, 412);
    assert_eq!(server.get("/rooms/demo").await.json()["settings"]["hold_ms"], 300);
}

#[tokio::test]
async fn the_number_of_rooms_is_limited() {
    let server = Server::start_with(|config| config.max_rooms = 2).await;
    for room in ["a", "b"] {
        assert_eq!(server.send("PUT", &format!("/rooms/{room}"), &json!({})).await.status, 201);
    }
    server.send("PUT", "/rooms/c", &json!({})).await.problem(429);
    let mut page = Page::open(&server, "c").await;
    page.say(json!({"type": "join", "name": "ann"})).await;
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4003, &json!(429)));
    server.delete("/rooms/a").await;
    assert_eq!(server.send("PUT", "/rooms/c", &json!({})).await.status, 201);
}

#[tokio::test]
async fn the_canvas_now_is_a_picture() {
    let server = Server::start().await;
    server.get("/rooms/demo/snapshot.png").await.problem(404);
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for (name, kind) in [("png", "image/png"), ("jpg", "image/jpeg")] {
        let response = server.request("GET", &format!("/rooms/demo/snapshot.{name}")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &kind.parse().unwrap()));
        let picture = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (2, 1));
    }
}

#[tokio::test]
async fn a_drain_says_goodbye_to_every_page() {
    let server = Server::start().await;
    let (ann, _) = Page::join(&server, "one", "ann").await;
    let (bob, _) = Page::join(&server, "two", "bob").await;
    let (closed, _) = tokio::join!(async { (ann.closed().await, bob.closed().await) }, server.state.registry.drain());
    assert_eq!((closed.0.code, closed.1.code), (1001, 1001));
    server.media.room("one").wait_for("closed").await;
    server.send("PUT", "/rooms/three", &json!({})).await.problem(503);
}
