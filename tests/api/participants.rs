use serde_json::json;
use virfie::media::port::{MediaEvent, ParticipantId, TrackKind};

use super::{page::Page, server::Server};

#[tokio::test]
async fn people_are_listed_in_order_of_joining() {
    let server = Server::start().await;
    let (_ann, welcome) = Page::join(&server, "demo", "ann").await;
    let (_second, _) = Page::join(&server, "demo", "ann").await;
    let list = server.get("/rooms/demo/participants").await.json();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "ann-2"]);
    let id = welcome["participant"]["id"].as_str().unwrap();
    assert!(id.len() >= 8, "{id}");
    let one = server.get(&format!("/rooms/demo/participants/{id}")).await.json();
    assert_eq!(one, list[0]);
    assert_eq!(
        (&one["volume"], &one["muted"], &one["hidden"], &one["size"]),
        (&json!(1.0), &json!(false), &json!(false), &json!(null))
    );
    server.get("/rooms/demo/participants/nobody").await.problem(404);
}

#[tokio::test]
async fn a_moderator_mutes_hides_and_sets_the_volume() {
    let server = Server::start().await;
    let (mut ann, welcome) = Page::join(&server, "demo", "ann").await;
    let path = format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap());
    let changed = server.send("PATCH", &path, &json!({"volume": 1.5, "hidden": true})).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["volume"]), (200, &json!(1.5)));
    let media = server.media.room("demo");
    media.wait_for("gain 1.5 pan 0").await;
    media.wait_for("picture people=[] ").await;
    let event = ann.wait_for_event("participant_changed").await;
    assert_eq!(event["participant"]["hidden"], true);
    server.send("PATCH", &path, &json!({"muted": true})).await;
    media.wait_for("gain 0 pan 0").await;
    let placed = server.send("PATCH", &path, &json!({"muted": false, "pan": -0.25})).await;
    assert_eq!((&placed.json()["pan"], &placed.json()["volume"]), (&json!(-0.25), &json!(1.5)));
    media.wait_for("gain 1.5 pan -0.25").await;
    assert_eq!(server.send("PATCH", &path, &json!({"pan": 1.01, "volume": -1})).await.faults(422), ["/volume", "/pan"]);
    assert_eq!(server.get(&path).await.json()["pan"], -0.25);

    assert_eq!(server.send("PATCH", &path, &json!({"volume": 2.5})).await.faults(422), ["/volume"]);
    server.send("PATCH", &path, &json!({"volume": "loud"})).await.problem(422);
    server.send("PATCH", &path, &json!({"name": "bob"})).await.problem(422);
    server.send("PATCH", "/rooms/demo/participants/nobody", &json!({})).await.problem(404);
    assert_eq!(server.get(&path).await.json()["volume"], 1.5);
}

#[tokio::test]
async fn who_is_not_found_is_marked_while_their_camera_is_on() {
    let server = Server::start().await;
    let (mut ann, welcome) = Page::join(&server, "demo", "ann").await;
    assert_eq!(welcome["participant"]["lost"], false);
    let id = welcome["participant"]["id"].as_str().unwrap();
    ann.wait_for("offer").await;
    let media = server.media.room("demo");
    let (peer, participant, size) = (media.newest_peer(), ParticipantId(id.into()), Some((640, 480)));
    media.say(MediaEvent::TrackStarted { participant, kind: TrackKind::Video, size });
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["lost"], false);
    media.say(MediaEvent::Lost { peer, lost: true });
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["lost"], true);
    let path = format!("/rooms/demo/participants/{id}");
    assert_eq!(server.get(&path).await.json()["lost"], true);
    assert_eq!(server.get("/rooms/demo").await.json()["participants"][0]["lost"], true);
    ann.say(json!({"type": "media", "audio": true, "video": false})).await;
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["lost"], false);
    ann.say(json!({"type": "media", "audio": true, "video": true})).await;
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["lost"], true);
    media.say(MediaEvent::Lost { peer, lost: false });
    assert_eq!(ann.wait_for_event("participant_changed").await["participant"]["lost"], false);
}

#[tokio::test]
async fn who_is_removed_hears_it_and_is_gone() {
    let server = Server::start().await;
    let (mut ann, _) = Page::join(&server, "demo", "ann").await;
    let (bob, welcome) = Page::join(&server, "demo", "bob").await;
    let path = format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap());
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(bob.closed().await.code, 4009);
    let left = ann.wait_for_event("participant_left").await;
    assert_eq!((&left["name"], &left["reason"]), (&json!("bob"), &json!("removed")));
    server.get(&path).await.problem(404);
    server.delete(&path).await.problem(404);
}
