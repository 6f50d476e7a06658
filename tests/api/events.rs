use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;
use virfie::media::port::{MediaEvent, ParticipantId};

use super::{fake_media::PATIENCE, page::Page, server::Server};

/// A stream of server-sent events.
pub struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    pub async fn open(server: &Server, room: &str) -> Self {
        Self::of(server.request("GET", &format!("/rooms/{room}/events"))).await
    }

    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Returns the next event of this name; others before it are passed over.
    pub async fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let (name, data) = self.next().await.unwrap_or_else(|| panic!("the stream ends before {kind}"));
            if name == kind {
                return data;
            }
        }
    }

    /// Returns the next event's name and data; `None` at the end.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
                let parsed = field("event: ").zip(field("data: "));
                self.text = rest.to_owned();
                match parsed {
                    Some((name, data)) => return Some((name, serde_json::from_str(&data).unwrap())),
                    // A comment that keeps the stream alive.
                    None => continue,
                }
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes").unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn the_stream_begins_with_the_room_and_reports_what_happens() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let mut stream = Stream::open(&server, "demo").await;
    let (name, first) = stream.next().await.unwrap();
    assert_eq!(
        (name.as_str(), &first["type"], &first["room"]["room"]),
        ("room_changed", &json!("room_changed"), &json!("demo"))
    );

    let (ann, welcome) = Page::join(&server, "demo", "ann").await;
    let (name, joined) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &joined["participant"]["name"]), ("participant_joined", &json!("ann")));
    let (name, placed) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &placed["boxes"][0]["person"]), ("boxes_changed", &json!("ann")));

    let participant = ParticipantId(welcome["participant"]["id"].as_str().unwrap().into());
    server.media.room("demo").say(MediaEvent::Speaking { participant, speaking: true });
    let (name, speaking) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &speaking["speaking"]), ("speaking", &json!(true)));

    server.send("PUT", "/rooms/demo/layout", &json!({"auto": {"mode": "off"}})).await;
    let (name, changed) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &changed["boxes"]), ("layout_changed", &json!([])));
    drop(ann);
    assert_eq!(stream.next().await.unwrap().1["participant"]["state"], "away");

    server.delete("/rooms/demo").await;
    let mut last = String::new();
    while let Some((name, _)) = stream.next().await {
        last = name;
    }
    assert_eq!(last, "room_ended");
    server.get("/rooms/demo/events").await.problem(404);
}

#[tokio::test]
async fn poses_are_reported_while_somebody_listens() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    let (page, welcome) = Page::join(&server, "demo", "ann").await;
    let media = server.media.room("demo");
    media.see(&[welcome["participant"]["id"].as_str().unwrap()]);
    assert!(!media.heard().contains(&"poses".to_owned()), "a page's socket does not get them, so nobody is asked");

    let mut stream = Stream::open(&server, "demo").await;
    assert_eq!(stream.next().await.unwrap().0, "room_changed");
    for _ in 0..2 {
        let (name, poses) = stream.next().await.unwrap();
        assert_eq!((name.as_str(), &poses["type"]), ("poses", &json!("poses")));
        assert_eq!(poses["participants"][0]["name"], "ann");
        assert_eq!(poses["participants"][0]["poses"][0]["keypoints"][0]["name"], "nose");
    }
    server.send("PUT", "/rooms/demo", &json!({"keypoints": false})).await;
    // One may have been under way.
    while stream.next().await.unwrap().0 != "room_changed" {}
    server.delete("/rooms/demo").await;
    while let Some((name, _)) = stream.next().await {
        assert!(["poses", "participant_left", "boxes_changed", "room_ended"].contains(&name.as_str()), "{name}");
    }
    let told = page.closed().await.messages;
    assert!(told.iter().any(|message| message["event"]["type"] == "room_changed"), "{told:?}");
    assert!(told.iter().all(|message| message["event"]["type"] != "poses"), "{told:?}");
}

#[tokio::test]
async fn a_listener_who_fell_behind_gets_a_fresh_room() {
    let server = Server::start().await;
    let (_page, welcome) = Page::join(&server, "demo", "ann").await;
    let media = server.media.room("demo");
    let room = server.state.registry.list().remove(0);
    let (_, mut feed) = room.listen().await.unwrap();
    let id = ParticipantId(welcome["participant"]["id"].as_str().unwrap().into());
    for n in 0..2000 {
        media.say(MediaEvent::Speaking { participant: id.clone(), speaking: n % 2 == 0 });
    }
    // The last of the news leaves a trace that can be waited for.
    media.say(MediaEvent::PeerGone { peer: media.newest_peer(), reason: "silent".to_owned() });
    media.wait_for("remove ").await;
    let first = timeout(PATIENCE, feed.next()).await.unwrap().unwrap();
    assert_eq!(first.name(), "room_changed");
}
