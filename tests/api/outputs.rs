use std::time::Duration;

use serde_json::json;
use virfie::media::port::{MediaEvent, OutputId, OutputState};

use super::{page::Page, server::Server};

const KEY: &str = "my-stream-key";

#[tokio::test]
async fn an_output_lives_and_never_shows_its_key() {
    let server = Server::start().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let body = json!({"type": "rtmp", "url": format!("rtmp://live.example:1935/app/{KEY}")});
    let made = server.send("POST", "/rooms/demo/outputs", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let output = made.json();
    let id = output["id"].as_str().unwrap().to_owned();
    assert_eq!((&output["type"], &output["state"]), (&json!("rtmp"), &json!("connecting")));
    assert!(output["url"].as_str().unwrap().starts_with("rtmp://live.example"));
    assert_eq!(made.header("location"), format!("/api/v1/rooms/demo/outputs/{id}"));
    let media = server.media.room("demo");
    media.wait_for(&format!("start {id}")).await;

    let mut texts = vec![made.text()];
    for state in [
        OutputState::Live,
        OutputState::Retrying { attempt: 3, after: Duration::from_secs(5), last_error: "connection reset".into() },
        OutputState::Failed { error: "refused".into() },
    ] {
        let name = match &state {
            OutputState::Live => "live",
            OutputState::Retrying { .. } => "retrying",
            _ => "failed",
        };
        media.say(MediaEvent::Output { output: OutputId(id.as_str().into()), state });
        let told = loop {
            let event = page.wait_for_event("output_changed").await;
            if event["output"]["state"] == name {
                break event;
            }
        };
        let one = server.get(&format!("/rooms/demo/outputs/{id}")).await;
        assert_eq!(one.json(), told["output"]);
        if name == "retrying" {
            assert_eq!((&one.json()["attempt"], &one.json()["last_error"]), (&json!(3), &json!("connection reset")));
            assert!(one.json()["next_retry_at"].as_str().unwrap().ends_with('Z'));
        }
        texts.extend([told.to_string(), one.text(), server.get("/rooms/demo/outputs").await.text()]);
    }
    texts.push(server.get("/rooms/demo").await.text());
    assert_eq!(server.delete(&format!("/rooms/demo/outputs/{id}")).await.status, 204);
    media.wait_for(&format!("stop {id}")).await;
    texts.push(page.wait_for_event("output_removed").await.to_string());
    assert!(texts.iter().all(|text| !text.contains(KEY)), "{texts:#?}");
    server.get(&format!("/rooms/demo/outputs/{id}")).await.problem(404);
    server.delete(&format!("/rooms/demo/outputs/{id}")).await.problem(404);
}

#[tokio::test]
async fn outputs_to_nowhere_are_refused_with_their_place() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for url in
        ["", "http://host/app/key", "rtmp://", "rtmp://host", "rtmp://host:0/app", "rtmp://host/a b", "file:///x"]
    {
        let refused = server.send("POST", "/rooms/demo/outputs", &json!({"type": "rtmp", "url": url})).await;
        assert_eq!(refused.faults(422), ["/url"], "{url}");
    }
    let secret = json!({"type": "rtmp", "url": format!("rtmpx://host/app/{KEY}")});
    assert!(!server.send("POST", "/rooms/demo/outputs", &secret).await.text().contains(KEY));
    assert_eq!(
        server.send("POST", "/rooms/demo/outputs", &json!({"type": "tape", "url": "x"})).await.faults(422),
        ["/type"]
    );
    server.send("POST", "/rooms/demo/outputs", &json!({"type": "rtmp"})).await.problem(422);
    let extra = json!({"type": "rtmp", "url": "rtmp://h/a/k", "bitrate": 1});
    server.send("POST", "/rooms/demo/outputs", &extra).await.problem(422);
    server.send("POST", "/rooms/none/outputs", &json!({"type": "rtmp", "url": "rtmp://h/a/k"})).await.problem(404);
    assert_eq!(server.get("/rooms/demo/outputs").await.json(), json!([]));
}
