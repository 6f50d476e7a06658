//! Things that the server cannot make ready now, such as a file that it cannot look into: it is asked again later, and
//! nobody is blamed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};
use tempfile::TempDir;
use virfie::config::ServeConfig;

use super::{
    page::Page,
    server::{Answer, KEY, Server, answer},
};

fn clip() -> Vec<u8> {
    [b"\0\0\0\x20ftypisom", &b"clip"[..]].concat()
}

async fn put(server: &Server, name: &str, content: &[u8]) -> Answer {
    answer(server.request("PUT", &format!("/assets/{name}")).body(content.to_vec())).await
}

/// Returns a document with these files in it.
fn document(files: &[(&str, &[u8])]) -> Value {
    let assets = files.iter().map(|(name, content)| ((*name).to_owned(), BASE64_STANDARD.encode(content).into()));
    json!({"version": 1, "assets": assets.collect::<serde_json::Map<_, _>>()})
}

/// Checks that an answer says when to ask again.
fn passes(answer: &Answer) {
    answer.problem(503);
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
}

#[tokio::test]
async fn an_upload_and_an_import_are_tried_again() {
    let server = Server::start().await;
    server.media.set_busy(true);
    let clip = clip();
    let files: [(&str, &[u8]); 3] = [("a.mp4", &clip), ("a.mp3", b"ID3 sound"), ("a.ttf", dejavu::serif::bold())];
    for (name, content) in files {
        passes(&put(&server, name, content).await);
        passes(&server.send("POST", "/rooms/demo/import", &document(&[(name, content)])).await);
    }
    server.get("/rooms/demo").await.problem(404);
    // What is wrong stays wrong, however often it is asked.
    let wrong = document(&[("a.mp4", &clip[..]), ("a.png", &b"no picture"[..])]);
    assert_eq!(server.send("POST", "/rooms/demo/import", &wrong).await.faults(422), ["/assets/a.png"]);
    assert_eq!(server.get("/assets").await.json()["assets"].as_array().unwrap().len(), 1, "the one that is built in");
    server.media.set_busy(false);
    let all = server.send("POST", "/rooms/demo/import", &document(&files)).await;
    assert_eq!(all.status, 201, "{all:?}");
}

#[tokio::test]
async fn what_shows_such_a_file_is_tried_again() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    assert_eq!(put(&server, "a.mp4", &clip()).await.status, 201);
    assert_eq!(put(&server, "a.ttf", dejavu::serif::bold()).await.status, 201);
    let sources = [
        json!({"video": "a.mp4"}),
        json!({"text": "Hi", "font": "a.ttf"}),
        json!({"text": "{viewers} watch", "font": "a.ttf"}),
    ];
    for source in sources {
        let layout = json!({"layers": [{"id": "a", "source": source}]});
        let scenes = json!([{"name": "a", "layout": layout}]);
        let ways = [
            ("PUT", "/rooms/demo/layout", layout.clone()),
            ("PUT", "/rooms/demo/scenes/a", layout.clone()),
            ("PUT", "/rooms/demo/scenes", scenes.clone()),
            ("PUT", "/rooms/demo/scenario", json!({"scenes": scenes})),
            ("POST", "/rooms/demo/import", json!({"version": 1, "layout": layout})),
            ("POST", "/rooms/demo/import", json!({"version": 1, "scenes": scenes})),
        ];
        let before = server.get("/rooms/demo/export?assets=false").await.json();
        server.media.set_busy(true);
        for (method, path, body) in &ways {
            passes(&server.send(method, path, body).await);
        }
        let both = json!({"layers": [{"id": "a", "source": source}, {"id": "b", "source": {"image": "gone.png"}}]});
        assert_eq!(server.send("PUT", "/rooms/demo/layout", &both).await.faults(422), ["/layers/1/source/image"]);
        // So it is with the parts of a document, whichever comes first.
        let wrong = json!({"layers": [{"id": "b", "source": {"image": "gone.png"}}]});
        let both = json!([{"name": "a", "layout": layout}, {"name": "b", "layout": wrong}]);
        let place = "/layout/layers/0/source/image";
        let refused = server.send("PUT", "/rooms/demo/scenes", &both).await;
        assert_eq!(refused.faults(422), [format!("/1{place}")]);
        let refused = server.send("PUT", "/rooms/demo/scenario", &json!({"scenes": both})).await;
        assert_eq!(refused.faults(422), [format!("/scenes/1{place}")]);
        let scenes = json!([{"name": "b", "layout": wrong}]);
        let document = json!({"version": 1, "layout": layout, "scenes": scenes});
        let refused = server.send("POST", "/rooms/demo/import", &document).await;
        assert_eq!(refused.faults(422), [format!("/scenes/0{place}")]);
        assert_eq!(server.get("/rooms/demo/export?assets=false").await.json(), before, "nothing is changed");
        server.media.set_busy(false);
        for (method, path, body) in &ways {
            let taken = server.send(method, path, body).await;
            assert!(taken.status.is_success(), "{method} {path}: {taken:?}");
        }
    }
}

#[tokio::test]
async fn a_room_s_changes_are_made_ready_one_after_the_other_and_not_without_end() {
    let server = Server::start().await;
    for room in ["busy", "calm"] {
        server.send("PUT", &format!("/rooms/{room}"), &json!({})).await;
    }
    let live = json!({"layers": [{"id": "a", "source": {"text": "Live"}}]});
    assert_eq!(server.send("PUT", "/rooms/busy/scenes/Live", &live).await.status, 201);
    let (mut page, _) = Page::join(&server, "busy", "ann").await;
    assert_eq!(put(&server, "a.mp4", &clip()).await.status, 201);
    server.media.hold_clips(true);
    let layout = json!({"layers": [{"id": "a", "source": {"video": "a.mp4"}}]});
    let ways = [
        ("PUT", "/rooms/busy/layout?dry_run=true", layout.clone()),
        ("PUT", "/rooms/busy/scenes/a", layout.clone()),
        ("PUT", "/rooms/busy/scenario?dry_run=true", json!({"scenes": [{"name": "a", "layout": layout}]})),
        ("POST", "/rooms/busy/import", json!({"version": 1, "layout": layout})),
        ("POST", "/rooms/busy/outputs", json!({"type": "rtmp", "url": "rtmp://h.example/a/k", "layout": layout})),
    ];
    let mut asked: FuturesUnordered<_> =
        ways.iter().cycle().take(20).map(|(method, path, body)| server.send(method, path, body)).collect();
    // Sixteen wait; nobody waits without an answer beyond that.
    for _ in 0..4 {
        passes(&asked.next().await.unwrap());
    }
    // Another room is not kept waiting, and this one goes on showing what it shows.
    let text = json!({"layers": [{"id": "a", "source": {"text": "Friday"}}]});
    assert_eq!(server.send("PUT", "/rooms/calm/layout", &text).await.status, 200);
    assert_eq!(server.get("/rooms/busy").await.status, 200);
    // Neither does a scene that a timer shows: it is asked for once.
    let timer = json!({"seconds": 1, "scene": "Live"});
    assert_eq!(server.send("POST", "/rooms/busy/timers/short/start", &timer).await.status, 200);
    assert_eq!(page.wait_for_event("scene_activated").await["name"], "Live");
    server.media.hold_clips(false);
    while let Some(answer) = asked.next().await {
        assert!(answer.status.is_success() || answer.status == 409, "{answer:?}");
    }
    assert_eq!(server.send("PUT", "/rooms/busy/layout", &layout).await.status, 200);
}

/// Puts the images `a.png` and `b.png` of 200x200, and makes the rooms `first` and `second`.
async fn two_pictures_and_rooms(server: &Server) {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(200, 200).write_to(&mut png, image::ImageFormat::Png).unwrap();
    for name in ["a.png", "b.png"] {
        assert_eq!(put(server, name, png.get_ref()).await.status, 201);
    }
    for room in ["first", "second"] {
        server.send("PUT", &format!("/rooms/{room}"), &json!({})).await;
    }
}

/// Returns a layout that shows this image.
fn shows(image: &str) -> Value {
    json!({"layers": [{"id": "a", "source": {"image": image}}]})
}

#[tokio::test]
async fn more_pictures_than_there_is_memory_for_are_shown_later() {
    let server = Server::start().await;
    two_pictures_and_rooms(&server).await;
    assert_eq!(server.send("PUT", "/rooms/first/layout", &shows("a.png")).await.status, 200);
    // Enough for one of them.
    server.state.assets.limit_decoded(200 * 200 * 10 / 3 + 1000);
    let b = shows("b.png");
    for (method, path, body) in [
        ("PUT", "/rooms/second/layout", b.clone()),
        ("PUT", "/rooms/second/layout?dry_run=true", b.clone()),
        ("PUT", "/rooms/second/scenes/a", b.clone()),
        ("POST", "/rooms/second/import", json!({"version": 1, "layout": b})),
        ("POST", "/rooms/second/outputs", json!({"type": "rtmp", "url": "rtmp://h.example/a/k", "layout": b})),
    ] {
        passes(&server.send(method, path, &body).await);
    }
    // What another room shows is in memory once.
    assert_eq!(server.send("PUT", "/rooms/second/layout", &shows("a.png")).await.status, 200);
    for room in ["first", "second"] {
        server.send("PUT", &format!("/rooms/{room}/layout"), &json!({})).await;
    }
    assert_eq!(server.send("PUT", "/rooms/second/layout", &b).await.status, 200);
}

#[tokio::test]
async fn what_one_token_shows_in_all_its_rooms_leaves_half_of_the_memory() {
    let server = Server::keyed().await;
    two_pictures_and_rooms(&server).await;
    // Enough for two of them, and each half for one.
    server.state.assets.limit_decoded(2 * (200 * 200 * 10 / 3 + 1000));
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let signed = server.sign(KEY, &json!({"role": "producer"})).await;
        tokens.push(signed["token"].as_str().unwrap().to_owned());
    }
    let show = async |token: &str, room: &str, image: &str| {
        answer(server.request_as(token, "PUT", &format!("/rooms/{room}/layout")).json(&shows(image))).await
    };
    assert_eq!(show(&tokens[0], "first", "a.png").await.status, 200);
    let refused = show(&tokens[0], "second", "b.png").await;
    passes(&refused);
    assert!(refused.text().contains("this token"), "{refused:?}");
    assert_eq!(show(&tokens[1], "second", "b.png").await.status, 200, "another token");
    assert_eq!(show(KEY, "second", "a.png").await.status, 200);
    assert_eq!(show(KEY, "demo", "b.png").await.status, 200, "with the key there is no such half");
}

#[tokio::test]
async fn what_a_stored_room_lacks_comes_when_there_is_memory() {
    let data = TempDir::new().unwrap();
    let start = async |most: usize| {
        let change = |config: &mut ServeConfig| config.data_dir = data.path().to_owned();
        Server::start_as(change, move |state| state.assets.limit_decoded(most)).await
    };
    let server = start(usize::MAX).await;
    for (name, side) in [("large.png", 200), ("small.png", 8)] {
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(side, side).write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_eq!(put(&server, name, png.get_ref()).await.status, 201);
    }
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let layers = ["small", "large"].map(|name| json!({"id": name, "source": {"image": format!("{name}.png")}}));
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &json!({"layers": layers})).await.status, 200);
    server.state.registry.drain().await;
    drop(server);
    let server = start(1000).await;
    assert_eq!(server.get("/rooms/demo").await.status, 200);
    let room = server.media.room("demo");
    room.wait_that("the small one", |line| line.ends_with(r#"images=["small.png"]"#)).await;
    server.state.assets.limit_decoded(usize::MAX);
    room.wait_that("both", |line| line.ends_with(r#"images=["large.png", "small.png"]"#)).await;
}
