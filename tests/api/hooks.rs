//! Webhooks, and the stream of what happens on the whole server.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use virfie::{
    config::Webhook,
    control::room::EndReason,
    media::port::{Blame, Flow, MediaEvent, OutputFault, OutputId, OutputState, Recorded},
};

use super::{
    events::Stream,
    page::Page,
    receiver::{Hook, Receiver, Reply, SECRET},
    server::{KEY, Server, answer},
};

async fn server(receivers: &[&Receiver]) -> Server {
    let hooks: Vec<Webhook> = receivers.iter().map(|receiver| Webhook::parse(&receiver.url()).unwrap()).collect();
    Server::start_with(|config| {
        config.webhooks = hooks;
        config.webhook_secret = Some(SECRET.to_owned());
    })
    .await
}

async fn put(server: &Server, room: &str) {
    server.send("PUT", &format!("/rooms/{room}"), &json!({})).await.expect(201);
}

async fn add(server: &Server, output: &Value) -> OutputId {
    let made = server.send("POST", "/rooms/demo/outputs", output).await.expect(201).json();
    OutputId(made["id"].as_str().unwrap().into())
}

fn rtmp() -> Value {
    json!({"type": "rtmp", "url": "rtmp://live.example/app/my-stream-key"})
}

fn say(server: &Server, output: &OutputId, state: OutputState) {
    server.media.room("demo").say(MediaEvent::Output { output: output.clone(), state });
}

#[tokio::test]
async fn what_happens_is_posted_in_order_and_signed() {
    let mut receiver = Receiver::willing().await;
    let url = format!("http://ann:pass@{}/hooks?from=studio", receiver.address);
    let server = Server::start_with(|config| {
        config.webhooks = vec![Webhook::parse(&url).unwrap()];
        config.webhook_secret = Some(SECRET.to_owned());
    })
    .await;
    let mut stream = Stream::of(server.request("GET", "/events")).await;
    put(&server, "demo").await;
    let (_page, _) = Page::join(&server, "demo", "ann").await;
    let output = add(&server, &rtmp()).await;
    let fault = OutputFault::new(Blame::Destination, "connection reset");
    say(&server, &output, OutputState::Live);
    let flow = Flow { bits_per_second: 1000, bytes: 7, behind: false, speed: None };
    server.media.room("demo").say(MediaEvent::OutputFlow { output: output.clone(), flow });
    for attempt in 1..4 {
        let after = Duration::from_secs(1);
        say(&server, &output, OutputState::Retrying { attempt, after, fault: fault.clone() });
        say(&server, &output, OutputState::Connecting);
    }
    say(&server, &output, OutputState::Failed { fault });
    let failed = ["room_started", "participant_joined", "live", "retrying", "failed"];
    let mut hooks: Vec<Hook> = Vec::new();
    for _ in failed {
        hooks.push(receiver.next().await);
    }
    server.send("POST", "/rooms/demo/outputs/start", &json!({})).await.expect(200);
    server.delete(&format!("/rooms/demo/outputs/{output}")).await.expect(204);
    server.delete("/rooms/demo").await.expect(204);
    for _ in 0..3 {
        hooks.push(receiver.next().await);
    }

    let told: Vec<String> = hooks.iter().map(|hook| hook.what().1).collect();
    assert_eq!(told[..5], failed);
    assert_eq!(told[5..], ["stopped", "output_removed", "room_ended"]);
    assert!(!receiver.has_more());
    let mut ids = Vec::new();
    for hook in &hooks {
        let event = hook.json();
        assert_eq!(
            (event["room"].as_str(), event["type"].as_str().unwrap()),
            (Some("demo"), hook.header("virfie-event"))
        );
        assert!(event["at"].as_str().unwrap().ends_with('Z'));
        assert!(hook.is_signed(SECRET) && !hook.is_signed("another-of-sixteen"));
        assert_eq!(hook.header("content-type"), "application/json");
        assert_eq!(
            (hook.uri.to_string().as_str(), hook.header("authorization")),
            ("/hooks?from=studio", "Basic YW5uOnBhc3M=")
        );
        assert!(!String::from_utf8_lossy(&hook.body).contains("my-stream-key"));
        ids.push((event["id"].as_u64().unwrap(), hook.header("idempotency-key")));
        // The stream reports the same.
        assert_eq!(stream.next().await.unwrap(), (hook.header("virfie-event").to_owned(), event));
    }
    assert!(ids.is_sorted_by(|(a, one), (b, other)| a < b && one != other), "{ids:?}");
    assert_eq!(hooks[1].json()["data"]["participant"]["name"], "ann");
    assert_eq!(hooks[3].json()["data"]["output"]["last_error"], "connection reset");
    assert_eq!(hooks[7].json()["data"]["reason"], "ended");
}

#[tokio::test]
async fn what_fails_is_posted_again_with_the_same_key_and_before_what_follows() {
    let mut tries = 0;
    let mut receiver = Receiver::start(move |event| {
        tries += usize::from(event["room"] == "demo");
        Reply::Status(if event["room"] == "demo" && tries <= 2 { 500 } else { 200 })
    })
    .await;
    let server = server(&[&receiver]).await;
    put(&server, "demo").await;
    let (_page, _) = Page::join(&server, "demo", "ann").await;
    let first = receiver.next().await;
    assert_eq!(first.what(), ("demo".to_owned(), "room_started".to_owned()));
    // Another room does not wait for that.
    put(&server, "other").await;
    assert_eq!(receiver.next().await.what(), ("other".to_owned(), "room_started".to_owned()));
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!((again.header("idempotency-key"), &again.body), (first.header("idempotency-key"), &first.body));
        assert!(again.is_signed(SECRET));
    }
    let next = receiver.next().await;
    assert_eq!(next.what().1, "participant_joined");
    assert_ne!(next.header("idempotency-key"), first.header("idempotency-key"));
}

#[tokio::test]
async fn a_receiver_that_never_answers_disturbs_nobody() {
    let (mut deaf, mut willing) = (Receiver::start(|_| Reply::Silence).await, Receiver::willing().await);
    let server = server(&[&deaf, &willing]).await;
    let begun = Instant::now();
    let mut stream = Stream::of(server.request("GET", "/events")).await;
    for round in 0..20 {
        let room = format!("room{round}");
        put(&server, &room).await;
        server.delete(&format!("/rooms/{room}")).await.expect(204);
        for kind in ["room_started", "room_ended"] {
            assert_eq!(willing.next().await.what(), (room.clone(), kind.to_owned()));
            assert_eq!(stream.next().await.unwrap().0, kind);
        }
    }
    deaf.next().await;
    assert_eq!(server.state.registry.drain().await, 0);
    server.state.hooks.close(Duration::from_millis(100)).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "no request to it has come to its end: {:?}", begun.elapsed());
    assert!(stream.next().await.is_none(), "the stream ends with the server");
}

#[tokio::test]
async fn answers_are_taken_as_they_are_meant() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let elsewhere = Receiver::willing().await;
    let other = elsewhere.url();
    let mut receiver = Receiver::start(move |event| match event["room"].as_str().unwrap() {
        "refused" => Reply::Status(404),
        "moved" => Reply::With(307, "location", other.clone()),
        "busy" if TRIES.fetch_add(1, Ordering::SeqCst) == 0 => Reply::With(429, "retry-after", "2".to_owned()),
        "gone" => Reply::Status(410),
        _ => Reply::Status(200),
    })
    .await;
    let server = server(&[&receiver]).await;
    for room in ["refused", "moved"] {
        put(&server, room).await;
        server.delete(&format!("/rooms/{room}")).await.expect(204);
        for kind in ["room_started", "room_ended"] {
            assert_eq!(receiver.next().await.what(), (room.to_owned(), kind.to_owned()), "it is not tried again");
        }
    }
    put(&server, "busy").await;
    let first = receiver.next().await;
    let asked = Instant::now();
    assert_eq!(receiver.next().await.body, first.body);
    assert!(asked.elapsed() > Duration::from_millis(1900), "{:?}", asked.elapsed());
    put(&server, "gone").await;
    assert_eq!(receiver.next().await.what().0, "gone");
    // Its answer is on its way; nobody hears what comes after that.
    server.state.registry.drain().await;
    server.state.hooks.close(Duration::from_secs(5)).await;
    while receiver.has_more() {}
    let mut elsewhere = elsewhere;
    assert!(!elsewhere.has_more(), "redirects are not followed");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_once() {
    let mut receiver = Receiver::start(|_| Reply::Status(410)).await;
    let server = server(&[&receiver]).await;
    put(&server, "demo").await;
    receiver.next().await;
    for round in 0..5 {
        put(&server, &format!("room{round}")).await;
    }
    server.state.registry.drain().await;
    server.state.hooks.close(Duration::from_secs(5)).await;
    // A few may have been under way beside the first.
    let mut more = 0;
    while receiver.has_more() {
        more += 1;
    }
    assert!(more < 4, "{more} of eleven");
}

#[tokio::test]
async fn the_whole_servers_stream_is_for_those_who_direct_all_rooms() {
    let server = Server::keyed().await;
    let may = async |claims: Value| {
        let token = server.sign(KEY, &claims).await["token"].as_str().unwrap().to_owned();
        let answer = server.request_as(&token, "GET", "/events").send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(may(json!({"role": "admin", "room": "demo"})).await, 403);
    assert_eq!(may(json!({"role": "producer", "room": "demo"})).await, 403);
    assert_eq!(may(json!({"role": "viewer"})).await, 403);
    assert_eq!(may(json!({"role": "participant"})).await, 403);
    assert_eq!(may(json!({"role": "producer"})).await, 200);
    assert_eq!(may(json!({"role": "admin"})).await, 200);
    answer(server.request_as("not-the-key-of-anybody", "GET", "/events")).await.problem(401);
    let own = server.sign(KEY, &json!({"role": "admin", "room": "demo"})).await;
    answer(server.request_as(own["token"].as_str().unwrap(), "GET", "/events")).await.problem(403);

    let mut stream = Stream::of(server.request("GET", "/events").header("last-event-id", "1")).await;
    assert_eq!(stream.next().await.unwrap(), ("events_missed".to_owned(), json!({"type": "events_missed"})));
    let (kind, started) = stream.next().await.unwrap();
    assert_eq!((kind.as_str(), &started["data"]["restored"]), ("room_started", &json!(false)));
    put(&server, "other").await;
    let (_, other) = stream.next().await.unwrap();
    let known = started["id"].to_string();
    let mut again = Stream::of(server.request("GET", "/events").header("last-event-id", known)).await;
    assert_eq!(again.next().await.unwrap().1, other, "those who come back hear what followed");

    server.state.registry.drain().await;
    let mut ended = Vec::new();
    while let Some((_, event)) = stream.next().await {
        assert_eq!(event["data"]["reason"], serde_json::to_value(EndReason::Shutdown).unwrap());
        ended.push(event["room"].as_str().unwrap().to_owned());
    }
    ended.sort();
    assert_eq!(ended, ["demo", "other"]);
}

#[tokio::test]
async fn a_token_that_is_taken_back_ends_the_stream() {
    let server = Server::keyed().await;
    let signed = server.sign(KEY, &json!({"role": "admin"})).await;
    let mut stream = Stream::of(server.request_as(signed["token"].as_str().unwrap(), "GET", "/events")).await;
    server.delete(&format!("/tokens/{}", signed["id"].as_str().unwrap())).await.expect(204);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn recordings_are_reported_when_they_are_finished_also_after_the_rooms_end() {
    let server = Server::keyed().await;
    let recorded = |output: &OutputId, name: &str| MediaEvent::Recorded {
        output: output.clone(),
        file: Recorded { name: name.to_owned(), bytes: 4321, length: Duration::from_millis(12_340) },
    };
    let viewer = server.sign(KEY, &json!({"role": "viewer", "room": "demo"})).await;
    let mut server_stream = Stream::of(server.request("GET", "/events")).await;
    let mut room = Stream::of(server.request("GET", "/rooms/demo/events")).await;
    let mut seen = Stream::of(server.request_as(viewer["token"].as_str().unwrap(), "GET", "/rooms/demo/events")).await;
    let output = add(&server, &json!({"type": "file", "name": "show"})).await;
    let media = server.media.room("demo");
    say(&server, &output, OutputState::Live);
    server.send("POST", &format!("/rooms/demo/outputs/{output}/stop"), &json!({})).await.expect(200);
    media.say(recorded(&output, "show-1.mkv"));
    say(&server, &output, OutputState::Stopped);
    let told = json!({"output": output.0, "name": "show-1.mkv", "bytes": 4321, "seconds": 12.34});
    assert_eq!(room.wait_for("recording_finished").await["recording"], told);
    assert_eq!(server_stream.wait_for("recording_finished").await["data"]["recording"], told);
    let told = seen.wait_for("recording_finished").await;
    assert_eq!((&told["recording"]["name"], &told["recording"]["bytes"]), (&Value::Null, &json!(4321)));

    server.send("POST", &format!("/rooms/demo/outputs/{output}/start"), &json!({})).await.expect(200);
    let run = OutputId(format!("{output}.2").into());
    media.wait_for(&format!("start {run}")).await;
    server.delete("/rooms/demo").await.expect(204);
    server_stream.wait_for("room_ended").await;
    media.say(recorded(&run, "show-2.mkv"));
    media.say(MediaEvent::Output { output: run, state: OutputState::Stopped });
    let (kind, event) = server_stream.next().await.unwrap();
    assert_eq!(kind, "recording_finished");
    assert_eq!(
        (&event["data"]["recording"]["output"], &event["data"]["recording"]["name"]),
        (&json!(output.0), &json!("show-2.mkv"))
    );
    assert_eq!(event["room"], "demo");
}

#[tokio::test]
async fn who_is_lost_by_a_fault_of_the_room_has_left() {
    let server = Server::start().await;
    let mut stream = Stream::of(server.request("GET", "/events")).await;
    let (_page, _) = Page::join(&server, "demo", "ann").await;
    stream.wait_for("participant_joined").await;
    server.media.room("demo").panic_once();
    server.send("PUT", "/rooms/demo/layout", &json!({"auto": {"mode": "off"}})).await;
    let left = stream.wait_for("participant_left").await;
    assert_eq!((&left["data"]["name"], &left["data"]["reason"]), (&json!("ann"), &json!("lost")));
}
