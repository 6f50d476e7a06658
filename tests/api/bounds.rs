//! Bounds on how much of the server somebody can take, and on what only some may see.

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};
use virfie::{
    control::{
        api::capacity::{Capacity, Cost, OUTPUT, ROOM},
        room::RoomName,
    },
    layout::CanvasLimit,
};

use super::{
    events::Stream,
    fake_media::PATIENCE,
    page::Page,
    server::{KEY, Server, answer},
    whip::{SDP, WHEP_OFFER, WHIP_OFFER},
};

async fn token(server: &Server, role: &str) -> String {
    let signed = server.sign(KEY, &json!({"room": "demo", "role": role})).await;
    signed["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_descriptors_nothing_is_built_and_the_client_hears_when_to_come_again() {
    let few = Cost { descriptors: 64, threads: 1 << 20 };
    let server = Server::start_as(|_| {}, |state| state.capacity = Capacity::new(few).into()).await;
    let body = json!({"type": "rtmp", "url": "rtmp://127.0.0.1/live/key"});
    for refused in [
        server.post("/whip/demo", SDP, WHIP_OFFER).await,
        server.send("PUT", "/rooms/demo", &json!({})).await,
        answer(server.request("PUT", "/assets/a.png").body(vec![1])).await,
    ] {
        refused.problem(503);
        assert_eq!(refused.header("retry-after"), "5");
    }
    let mut page = Page::open(&server, "demo").await;
    page.say(json!({"type": "join", "name": "ann", "send": ["vp8"], "receive": ["h264"]})).await;
    let closed = page.closed().await;
    assert_eq!((closed.code, &closed.problem.unwrap()["status"]), (4011, &json!(503)));
    assert!(!server.media.has_opened("demo"));
    let made = RoomName::parse("made").unwrap();
    server.state.registry.get_or_create(&made).unwrap();
    server.send("POST", "/rooms/made/outputs", &body).await.problem(503);
    assert_eq!(server.get("/rooms").await.status, 200, "looking costs nothing");
}

#[tokio::test]
async fn a_room_that_is_gone_holds_nothing_back() {
    let server = Server::start().await;
    let nothing = Cost::default();
    for _ in 0..3 {
        assert_eq!(server.send("PUT", "/rooms/demo", &json!({})).await.status, 201);
        let output = json!({"type": "rtmp", "url": "rtmp://127.0.0.1/live/key"});
        assert_eq!(server.send("POST", "/rooms/demo/outputs", &output).await.status, 201);
        assert_ne!(server.state.capacity.promised(), nothing);
        assert_eq!(server.delete("/rooms/demo").await.status, 204);
        assert_eq!(server.state.capacity.promised(), nothing);
    }
}

#[tokio::test]
async fn an_output_that_receivers_call_costs_a_descriptor_for_each_of_them() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let output = json!({"type": "srt", "url": "srt://:9000"});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &output).await.status, 201);
    // What the room itself takes may still be promised, too: without the receivers, that is less.
    assert!(server.state.capacity.promised().descriptors >= OUTPUT.descriptors + 32);
}

#[tokio::test]
async fn outputs_that_wait_for_their_pictures_hold_nothing_back() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let clip = [b"\0\0\0\x20ftypisom", &b"clip"[..]].concat();
    assert_eq!(answer(server.request("PUT", "/assets/a.mp4").body(clip)).await.status, 201);
    server.media.hold_clips(true);
    let layout = json!({"layers": [{"id": "a", "source": {"video": "a.mp4"}}]});
    let output = json!({"type": "rtmp", "url": "rtmp://h.example/a/k", "layout": layout});
    let mut asked: FuturesUnordered<_> = (0..17).map(|_| server.send("POST", "/rooms/demo/outputs", &output)).collect();
    // Sixteen wait for the room to make theirs ready when one more is refused.
    asked.next().await.unwrap().problem(503);
    // What the room itself takes may still be promised.
    assert!(server.state.capacity.promised().descriptors <= ROOM.descriptors);
    server.media.hold_clips(false);
    // Where the system allows few descriptors, not all can be built at once.
    while let Some(answer) = asked.next().await {
        assert!(answer.status == 201 || answer.status == 503, "{answer:?}");
    }
}

#[tokio::test]
async fn one_room_leaves_trials_and_snapshots_to_others() {
    let server = Server::start().await;
    for room in ["a", "b"] {
        server.send("PUT", &format!("/rooms/{room}"), &json!({})).await;
    }
    let output = json!({"type": "file"});
    let test = |room: &str| server.request("POST", &format!("/rooms/{room}/outputs/test")).json(&output);
    server.media.hold_trials(true);
    let begun = std::time::Instant::now();
    let mut trials = Vec::new();
    for (number, room) in [(1, "a"), (2, "a"), (3, "b")] {
        trials.push(tokio::spawn(test(room).send()));
        while server.media.trials() < number {
            assert!(begun.elapsed() < PATIENCE, "trial {number} does not begin");
            tokio::task::yield_now().await;
        }
        if number == 2 {
            let refused = answer(test("a")).await;
            refused.problem(503);
            assert_eq!(refused.header("retry-after"), "5");
        }
    }
    server.media.hold_trials(false);
    for trial in trials {
        assert_eq!(trial.await.unwrap().unwrap().status(), 200);
    }

    let media = server.media.room("a");
    media.hold_snapshots();
    let snapshot = |room: &str| server.request("GET", &format!("/rooms/{room}/snapshot.jpg"));
    let held = tokio::spawn(snapshot("a").send());
    media.wait_for("snapshot").await;
    let more: Vec<_> = (0..4).map(|_| tokio::spawn(answer(snapshot("a")))).collect();
    assert_eq!(answer(snapshot("b")).await.status, 200, "another room's");
    for refused in more {
        let refused = refused.await.unwrap();
        refused.problem(503);
        assert_eq!(refused.header("retry-after"), "5");
    }
    held.abort();
}

#[tokio::test]
async fn a_token_of_viewers_that_never_connect_leaves_room_for_strangers() {
    let mut server = Server::keyed().await;
    let attacker = token(&server, "viewer").await;
    let stranger = token(&server, "viewer").await;
    server.token = Some(attacker);
    let mut taken = 0;
    for _ in 0..120 {
        let posted = server.post("/whep/demo", SDP, WHEP_OFFER).await;
        if posted.status == 201 {
            taken += 1;
        } else {
            posted.problem(429);
            assert_eq!(posted.header("retry-after"), "5");
        }
    }
    assert_eq!(taken, 32);
    server.token = Some(stranger);
    assert_eq!(server.post("/whep/demo", SDP, WHEP_OFFER).await.status, 201);
}

#[tokio::test]
async fn a_producer_keeps_to_the_operators_limits() {
    let mut server = Server::keyed().await;
    let producer = token(&server, "producer").await;
    server.token = Some(producer);
    let more = server.send("PUT", "/rooms/demo", &json!({"max_participants": 17})).await;
    assert_eq!(more.faults(422), ["/max_participants"]);
    let document = json!({"version": 1, "settings": {"max_participants": 1000}});
    let imported = server.send("POST", "/rooms/demo/import", &document).await;
    assert_eq!(imported.faults(422), ["/settings/max_participants"]);
    assert_eq!(server.send("PUT", "/rooms/demo", &json!({"max_participants": 16})).await.status, 200);
    server.token = Some(KEY.to_owned());
    assert_eq!(server.send("PUT", "/rooms/demo", &json!({"max_participants": 17})).await.status, 200, "an admin may");
}

#[tokio::test]
async fn no_room_gets_a_larger_canvas_than_the_operator_allows() {
    let server = Server::start_with(|config| {
        config.largest_canvas = CanvasLimit { width: 1280, height: 720, fps: 30 };
    })
    .await;
    assert_eq!(server.send("PUT", "/rooms/demo", &json!({})).await.status, 201);
    let before = server.get("/rooms/demo").await.json();
    let large = json!({"width": 1920, "height": 1080, "fps": 60});
    let places = |above: &str| ["width", "height", "fps"].map(|key| format!("{above}/canvas/{key}"));
    let scene = json!({"name": "a", "layout": {"canvas": large}});
    for (method, path, body, above) in [
        ("PUT", "/rooms/demo", json!({"canvas": large}), ""),
        ("PUT", "/rooms/new", json!({"canvas": large}), ""),
        ("PUT", "/rooms/demo/layout", json!({"canvas": large}), ""),
        ("PUT", "/rooms/demo/layout?dry_run=true", json!({"canvas": large}), ""),
        ("PATCH", "/rooms/demo/layout", json!({"canvas": large}), ""),
        ("PUT", "/rooms/demo/scenes/a", json!({"canvas": large}), ""),
        ("PUT", "/rooms/demo/scenes", json!([scene]), "/0/layout"),
        ("PUT", "/rooms/demo/scenario", json!({"scenes": [scene]}), "/scenes/0/layout"),
        ("POST", "/rooms/demo/import", json!({"version": 1, "layout": {"canvas": large}}), "/layout"),
        ("POST", "/rooms/demo/import", json!({"version": 1, "scenes": [scene]}), "/scenes/0/layout"),
    ] {
        let refused = answer(server.request(method, path).header("content-type", "application/json").json(&body)).await;
        assert_eq!(refused.faults(422), places(above), "{method} {path}");
    }
    assert_eq!(server.get("/rooms/demo").await.json()["revision"], before["revision"]);
    server.get("/rooms/new").await.problem(404);
    // The canvas of an output's own picture is as large as the output, where its layout does not say.
    let output = json!({"type": "rtmp", "url": "rtmp://h.example/a/k", "layout": {"layers": []}});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &output).await.status, 201);
    let id = server.get("/rooms/demo/outputs").await.json()[0]["id"].as_str().unwrap().to_owned();
    let patch = async |size: &str| {
        let request = server.request("PATCH", &format!("/rooms/demo/outputs/{id}"));
        answer(request.json(&json!({"video": {"size": size}}))).await
    };
    let places = ["width", "height"].map(|key| format!("/layout/canvas/{key}"));
    assert_eq!(patch("1920x1080").await.faults(422), places);
    assert_eq!(patch("640x360").await.status, 200);
    for canvas in [json!({"width": 720, "height": 1280}), json!({"width": 1280, "height": 720, "fps": 30})] {
        assert_eq!(server.send("PUT", "/rooms/demo", &json!({"canvas": canvas})).await.status, 200, "{canvas}");
    }
}

#[tokio::test]
async fn outputs_of_a_room_send_no_more_than_leaves_others_their_share() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let output = |n: usize| {
        let video = json!({"size": "64x64", "bitrate": 50_000});
        json!({"type": "hls", "name": format!("n{n}"), "segment_seconds": 10, "video": video})
    };
    for n in 0..4 {
        assert_eq!(server.send("POST", "/rooms/demo/outputs", &output(n)).await.status, 201, "{n}");
    }
    for path in ["/rooms/demo/outputs", "/rooms/demo/outputs/test"] {
        assert_eq!(server.send("POST", path, &output(4)).await.faults(422), ["/video/bitrate"], "{path}");
    }
}

#[tokio::test]
async fn a_producer_sends_into_no_network_of_the_servers_own() {
    let mut server = Server::keyed().await;
    let producer = token(&server, "producer").await;
    server.token = Some(producer);
    for url in ["rtmp://127.0.0.1/live/key", "rtmp://localhost/live/key", "rtmp://[::1]/a/b", "rtmp://10.1.2.3/a/b"] {
        let made = server.send("POST", "/rooms/demo/outputs", &json!({"type": "rtmp", "url": url})).await;
        assert_eq!(made.faults(422), ["/url"], "{url}");
    }
    for url in
        ["http://127.0.0.1:8080/whip/x", "https://localhost/whip/x", "http://[::1]/whip/x", "http://2130706433/x"]
    {
        let made = server.send("POST", "/rooms/demo/outputs", &json!({"type": "whip", "url": url})).await;
        assert_eq!(made.faults(422), ["/url"], "{url}");
    }
    let outside = json!({"type": "rtmp", "url": "rtmp://8.8.8.8/live/key"});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &outside).await.status, 201);
    server.token = Some(KEY.to_owned());
    let inside = json!({"type": "rtmp", "url": "rtmp://127.0.0.1/live/key"});
    assert_eq!(server.send("POST", "/rooms/demo/outputs", &inside).await.status, 201, "an admin may");
}

#[tokio::test]
async fn only_those_who_direct_a_room_hear_that_something_stands_elsewhere() {
    let server = Server::keyed().await;
    let mut pages = Vec::new();
    for (role, name) in [("participant", "ann"), ("producer", "bob"), ("participant", "eve")] {
        let mut page = Page::open_with(&server, "demo", &format!("?token={}", token(&server, role).await)).await;
        page.say(json!({"type": "join", "name": name, "send": ["vp8"], "receive": ["h264"]})).await;
        let welcome = page.next().await;
        assert_eq!(welcome["room"]["boxes"].as_array().map(Vec::len), Some(pages.len() + 1), "{welcome}");
        pages.push(page);
    }
    let boxes = pages[1].wait_for_event("boxes_changed").await["boxes"].take();
    assert_eq!(
        boxes[0],
        json!({
            "layer": null, "person": "ann", "rotate": 0.0, "hidden": "no_picture",
            "x": boxes[0]["x"], "y": boxes[0]["y"], "width": boxes[0]["width"], "height": boxes[0]["height"]
        })
    );
    server.delete("/rooms/demo").await;
    let heard = pages.remove(0).closed().await.messages;
    let heard_of = |kind: &str| heard.iter().any(|message| message["event"]["type"] == kind);
    assert!(heard_of("participant_joined") && !heard_of("boxes_changed"), "{heard:?}");
}

#[tokio::test]
async fn only_those_who_direct_a_room_see_where_it_is_sent() {
    let mut server = Server::keyed().await;
    let body = json!({"type": "rtmp", "url": "rtmp://secret-host.example/live/key"});
    let (viewer, participant) = (token(&server, "viewer").await, token(&server, "participant").await);
    let producer = token(&server, "producer").await;
    let mut page = Page::open_with(&server, "demo", &format!("?token={participant}")).await;
    page.say(json!({"type": "join", "name": "ann", "send": ["vp8"], "receive": ["h264"]})).await;
    page.next().await;
    server.token = Some(viewer);
    let mut stream = Stream::open(&server, "demo").await;
    stream.next().await;
    server.token = Some(KEY.to_owned());
    server.send("POST", "/rooms/demo/outputs", &body).await;
    let heard = stream.next().await.unwrap().1;
    let told = page.wait_for_event("output_changed").await;
    let (mut late, welcome) = {
        let mut late = Page::open_with(&server, "demo", &format!("?token={participant}")).await;
        late.say(json!({"type": "join", "name": "eve", "send": ["vp8"], "receive": ["h264"]})).await;
        let welcome = late.next().await;
        (late, welcome)
    };
    late.say(json!({"type": "leave"})).await;
    server.token = Some(token(&server, "viewer").await);
    let room = server.get("/rooms/demo").await.json();
    let again = Stream::open(&server, "demo").await.next().await.unwrap().1;
    for text in [&heard, &told, &welcome, &room, &again].map(Value::to_string) {
        assert!(!text.contains("secret-host"), "{text}");
        assert!(
            text.contains("\"outputs\"") || text.contains("output_changed"),
            "that it is sent is no secret: {text}"
        );
    }
    server.token = Some(producer);
    assert!(server.get("/rooms/demo").await.text().contains("secret-host"));
}

#[tokio::test]
async fn only_those_who_direct_a_room_get_the_layouts_of_its_outputs() {
    let mut server = Server::keyed().await;
    let body = json!({"type": "rtmp", "url": "rtmp://h.example/live/key", "layout": {"layers": []}});
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let id = server.send("POST", "/rooms/demo/outputs", &body).await.json()["id"].as_str().unwrap().to_owned();
    let mut streams = Vec::new();
    for role in ["viewer", "producer"] {
        server.token = Some(token(&server, role).await);
        let (mut stream, mut shown) = (Stream::open(&server, "demo").await, Vec::new());
        shown.push(stream.next().await.unwrap().1["room"]["outputs"][0].take());
        shown.push(server.get("/rooms/demo").await.json()["outputs"][0].take());
        streams.push((role == "producer", stream, shown));
        server.token = Some(KEY.to_owned());
    }
    server.send("POST", &format!("/rooms/demo/outputs/{id}/stop"), &json!({})).await;
    for (directs, mut stream, mut shown) in streams {
        shown.push(stream.wait_for("output_changed").await["output"].take());
        for output in shown {
            assert_eq!((output["id"].as_str(), output["layout"].is_object()), (Some(&*id), directs), "{output}");
        }
    }
}
