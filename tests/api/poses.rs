use serde_json::{Value, json};
use virfie::media::port::{KEYPOINTS, Segmentation};

use super::{page::Page, server::Server};

fn id(welcome: &Value) -> &str {
    welcome["participant"]["id"].as_str().unwrap()
}

#[tokio::test]
async fn poses_are_listed_by_name_in_order_of_joining() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    let (_ann, ann) = Page::join(&server, "demo", "ann").await;
    let (_bob, bob) = Page::join(&server, "demo", "bob").await;
    let (_no_camera, _) = Page::join(&server, "demo", "carl").await;
    server.media.room("demo").see(&[id(&bob), "who-left", id(&ann)]);

    let answer = server.get("/rooms/demo/poses").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    let poses = answer.json();
    let participants = poses["participants"].as_array().unwrap();
    let who: Vec<(&str, &str)> =
        participants.iter().map(|one| (one["id"].as_str().unwrap(), one["name"].as_str().unwrap())).collect();
    assert_eq!(who, [(id(&ann), "ann"), (id(&bob), "bob")]);
    assert_eq!((&participants[0]["age_ms"], &participants[0]["poses"][0]["score"]), (&json!(41.5), &json!(0.75)));
    let keypoints = participants[0]["poses"][0]["keypoints"].as_array().unwrap();
    let names: Vec<&str> = keypoints.iter().map(|keypoint| keypoint["name"].as_str().unwrap()).collect();
    assert_eq!(names, KEYPOINTS);
    assert_eq!(keypoints[10], json!({"name": "rightWrist", "x": 0.5882, "y": 0.5, "score": 0.9}));
}

#[tokio::test]
async fn poses_of_who_is_backstage_are_left_out() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    let (_ann, ann) = Page::join(&server, "demo", "ann").await;
    let (_bob, bob) = Page::join(&server, "demo", "bob").await;
    server.media.room("demo").see(&[id(&bob), id(&ann)]);
    server.send("PATCH", &format!("/rooms/demo/participants/{}", id(&ann)), &json!({"stage": "backstage"})).await;
    let poses = server.get("/rooms/demo/poses").await.json();
    let names: Vec<_> = poses["participants"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["bob"]);
}

#[tokio::test]
async fn keypoints_are_a_setting_of_the_room() {
    let server = Server::start().await;
    let created = server.send("PUT", "/rooms/demo", &json!({})).await.json();
    assert_eq!(created["settings"]["keypoints"], false);
    let media = server.media.room("demo");
    media.wait_for("open hold=2s keypoints=false").await;
    let off = server.get("/rooms/demo/poses").await.problem(409);
    assert!(off["detail"].as_str().unwrap().contains("set `keypoints` to true by PUT /rooms/{room}"), "{off}");

    let on = server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    assert_eq!((on.status.as_u16(), &on.json()["settings"]["keypoints"]), (200, &json!(true)));
    media.wait_for("keypoints true").await;
    assert_eq!(server.get("/rooms/demo/poses").await.json(), json!({"participants": []}));
    let other = server.send("PUT", "/rooms/demo", &json!({"hold_ms": 100})).await.json();
    assert_eq!(other["settings"]["keypoints"], true, "what is left out stays");
    assert_eq!(media.heard().iter().filter(|line| line.starts_with("keypoints")).count(), 1, "nothing new is ordered");

    server.send("PUT", "/rooms/demo", &json!({"keypoints": false})).await;
    media.wait_for("keypoints false").await;
    server.get("/rooms/demo/poses").await.problem(409);
    assert_eq!(server.send("PUT", "/rooms/demo", &json!({"keypoints": "yes"})).await.faults(422), ["/keypoints"]);
}

#[tokio::test]
async fn a_machine_that_finds_no_keypoints_says_why() {
    let server = Server::start().await;
    let unable = |model: Option<&str>, reason: Option<&str>| Segmentation {
        model: model.map(str::to_owned),
        reason: reason.map(str::to_owned),
        keypoints: false,
    };
    server.media.set_segmentation(unable(Some("narrow"), None));
    let refused = server.send("PUT", "/rooms/demo", &json!({"keypoints": true, "hold_ms": 999_999_999})).await;
    let mut faults = refused.faults(422);
    faults.sort();
    assert_eq!(faults, ["/hold_ms", "/keypoints"]);
    assert!(!server.media.has_opened("demo"), "a refused room is not created");

    assert_eq!(server.send("PUT", "/rooms/demo", &json!({"keypoints": false})).await.status, 201);
    let refused = server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    assert_eq!(refused.faults(422), ["/keypoints"]);
    let room = server.get("/rooms/demo").await.json();
    assert_eq!((&room["settings"]["keypoints"], &room["segmentation"]["keypoints"]), (&json!(false), &json!(false)));
    let none = server.get("/rooms/demo/poses").await.problem(503);
    assert_eq!(none["detail"], "the model narrow finds no keypoints");

    server.media.set_segmentation(unable(None, Some("fetch one")));
    server.send("PUT", "/rooms/bare", &json!({})).await;
    let none = server.get("/rooms/bare/poses").await.problem(503);
    assert_eq!(none["detail"], "keypoints need a model: fetch one");
    assert!(!server.media.room("bare").heard().contains(&"poses".to_owned()), "the media is not asked");
}

#[tokio::test]
async fn poses_are_for_those_who_may_read_the_room() {
    let mut server = Server::start_with(|config| config.api_key = Some("key".to_owned())).await;
    server.get("/rooms/demo/poses").await.problem(401);
    server.token = Some("key".to_owned());
    server.get("/rooms/demo/poses").await.problem(404);
    for room in ["demo", "other"] {
        server.send("PUT", &format!("/rooms/{room}"), &json!({"keypoints": true})).await;
    }
    let token = server.send("POST", "/tokens", &json!({"room": "demo", "role": "viewer"})).await.json();
    server.token = Some(token["token"].as_str().unwrap().to_owned());
    assert_eq!(server.get("/rooms/demo/poses").await.status, 200);
    server.get("/rooms/other/poses").await.problem(403);
}
