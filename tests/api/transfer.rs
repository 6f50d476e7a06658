//! Files on their way in and out: none is held in memory, however slow its client is.

use std::{sync::Arc, time::Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use virfie::control::api::answers::Waiting;

use super::{
    fake_media::PATIENCE,
    server::{Server, answer},
};

/// Returns so many MiB that are a clip to the media of these tests.
fn clip(mebibytes: usize) -> Vec<u8> {
    let mut content = b"\0\0\0\x20ftypisom".to_vec();
    content.resize((mebibytes << 20) - 4, 0);
    content.extend(b"clip");
    content
}

/// Returns the memory of this process, and the most that it ever had, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Returns a client that sends a request and reads the head of the answer and nothing more.
async fn deaf(server: &Server, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(format!("GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    client
}

#[tokio::test]
async fn who_does_not_read_costs_no_memory() {
    let server = Server::start().await;
    let content = clip(60);
    let put = answer(server.request("PUT", "/assets/a.mp4").body(content.clone())).await;
    assert_eq!(put.status, 201, "{put:?}");
    let layout = json!({"layers": [{"id": "v", "source": {"video": "a.mp4"}}]});
    server.send("PUT", "/rooms/demo", &json!({})).await;
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &layout).await.status, 200);

    let (before, _) = memory();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(deaf(&server, "/assets/a.mp4").await);
        clients.push(deaf(&server, "/rooms/demo/export").await);
    }
    let (after, _) = memory();
    assert!(after.saturating_sub(before) < 100, "{before} MiB, {after} MiB");

    let whole = server.request("GET", "/assets/a.mp4").send().await.unwrap();
    assert_eq!(whole.content_length(), Some(60 << 20));
    let etag = whole.headers()["etag"].clone();
    assert!(whole.bytes().await.unwrap() == content);
    let known = server.request("GET", "/assets/a.mp4").header("if-none-match", etag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    drop(clients);

    let file = server.get("/rooms/demo/export").await;
    let there = Server::start().await;
    let imported = there.post("/rooms/copy/import", "application/json", &file.text()).await;
    assert_eq!(imported.status, 201, "{imported:?}");
    assert!(there.request("GET", "/assets/a.mp4").send().await.unwrap().bytes().await.unwrap() == content);
}

#[tokio::test]
async fn an_import_of_nothing_but_lists_costs_no_more_than_its_text() {
    let server = Server::start().await;
    let lists = "[],".repeat(10 << 20);
    let (before, _) = memory();
    for (text, status) in [
        (format!("[{lists}[]]"), 422),
        (format!("{{\"version\": 1, \"layout\": [{lists}[]]}}"), 413),
        (format!("{{\"version\": 1, \"assets\": [{lists}[]]}}"), 422),
    ] {
        let request = server.request("POST", "/rooms/a/import").header("content-type", "application/json").body(text);
        answer(request).await.problem(status);
    }
    let (_, peak) = memory();
    // The text once here, and once where it is read.
    assert!(peak.saturating_sub(before) < 200, "{before} MiB, {peak} MiB");
}

#[tokio::test]
async fn recordings_that_nobody_reads_cost_no_memory() {
    let recordings = tempfile::TempDir::new().unwrap();
    let server = Server::start_with(|config| recordings.path().clone_into(&mut config.recordings)).await;
    std::fs::create_dir(recordings.path().join("demo")).unwrap();
    // More than all that may wait in memory, and nothing on the disk.
    std::fs::File::create(recordings.path().join("demo/a.mkv")).unwrap().set_len(600 << 20).unwrap();
    let (before, _) = memory();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(deaf(&server, "/rooms/demo/recordings/a.mkv").await);
    }
    let (_, peak) = memory();
    assert!(peak.saturating_sub(before) < 200, "{before} MiB, {peak} MiB");
}

#[tokio::test]
async fn uploads_that_stand_still_are_few_and_leave_nothing() {
    let server = Server::start().await;
    let parts = || {
        let files = std::fs::read_dir(server.state.config.data_dir.join("assets")).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_string_lossy().ends_with(".part")).count()
    };
    let mut clients = Vec::new();
    // More than there are places: one of them may come while the request below has one.
    for index in 0..20 {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let head =
            format!("PUT /api/v1/assets/{index}.png HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc");
        client.write_all(head.as_bytes()).await.unwrap();
        clients.push(client);
    }
    let begun = Instant::now();
    let busy = loop {
        let put = answer(server.request("PUT", "/assets/one-more.png").body("abc")).await;
        if put.status == 503 {
            break put;
        }
        assert!(begun.elapsed() < PATIENCE, "{put:?}");
    };
    busy.problem(503);
    assert_eq!(busy.header("retry-after"), "5");
    drop(clients);
    loop {
        let put = answer(server.request("PUT", "/assets/one-more.png").body("abc")).await;
        if put.status == 415 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{put:?}");
    }
    while parts() > 0 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    let large = answer(server.request("PUT", "/assets/large.mp4").body(clip(65))).await;
    large.problem(413);
}

#[tokio::test]
async fn large_answers_that_nobody_reads_are_bounded_and_others_hear_so() {
    let server = Server::start_as(|_| {}, |state| state.answers = Arc::new(Waiting::new(30 << 20))).await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    // The longest name that an asset can have, a hundred times in each layer.
    let name = format!("{}.png", "a".repeat(124));
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let put = server.request("PUT", &format!("/assets/{name}")).body(png.into_inner());
    assert_eq!(answer(put).await.status, 201);
    let layer = |n: usize| json!({"id": format!("l{n}"), "source": {"image": vec![&name; 100]}});
    let scene = json!({"layers": (0..64).map(layer).collect::<Vec<_>>()});
    for number in 0..12 {
        assert_eq!(server.send("PUT", &format!("/rooms/demo/scenes/s{number}"), &scene).await.status, 201);
    }
    // Ten megabytes each, of which the system keeps a part on its way.
    let mut clients = Vec::new();
    let refused = loop {
        let asked = server.request("GET", "/rooms/demo/scenes").send().await.unwrap();
        if asked.status() != 200 {
            break asked;
        }
        clients.push(asked);
        assert!(clients.len() < 10, "nothing is refused");
    };
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert!(clients.len() >= 2, "{}", clients.len());
    assert_eq!(server.get("/rooms/demo").await.status, 200, "what is small is answered");
    // Who reads gets all of it, and makes room.
    let first = clients.swap_remove(0).bytes().await.unwrap();
    assert!(first.len() > 9_000_000 && first.ends_with(b"}]"), "{}", first.len());
    drop(clients);
    let begun = Instant::now();
    while server.get("/rooms/demo/scenes").await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "there is no room again");
        tokio::task::yield_now().await;
    }
}
