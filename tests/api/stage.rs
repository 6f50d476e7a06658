//! Who stands where on the way into the programme, and who is let in.

use serde_json::{Value, json};

use super::{page::Page, server::Server};

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
