//! Addresses that are not text: what is percent-encoded in them must be UTF-8.

use serde_json::json;

use super::server::{Server, answer};

#[tokio::test]
async fn what_is_not_utf8_is_refused_with_its_place() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for (method, path, place) in [
        ("GET", "/rooms/%ff", "`room`"),
        ("PUT", "/rooms/a%ff", "`room`"),
        ("DELETE", "/rooms/%C3", "`room`"),
        ("PUT", "/rooms/demo/scenes/a%ff", "`id`"),
        ("PUT", "/rooms/demo/scenes/%ed%a0%80", "`id`"),
        ("POST", "/rooms/demo/scenes/%ff/activate", "`id`"),
        ("PATCH", "/rooms/demo/participants/%ff", "`id`"),
        ("PATCH", "/rooms/demo/layout/layers/%ff", "`id`"),
        ("GET", "/rooms/demo/outputs/%ff", "`id`"),
        ("GET", "/rooms/demo/recordings/%ff.mkv", "`id`"),
        ("GET", "/rooms/demo/photos/%ff", "`id`"),
        ("PUT", "/assets/%ff", "`name`"),
        ("DELETE", "/tokens/%ff", "`id`"),
        ("GET", "/hls/demo/%ff/index.m3u8", "`name`"),
        ("POST", "/whip/%ff", "`room`"),
        ("POST", "/whep/%ff", "`room`"),
        ("DELETE", "/whip/demo/%ff", "`session`"),
        ("POST", "/whip/demo?name=%ff", "`name` of the query"),
        ("POST", "/whep/demo?rendition=%ff", "`rendition` of the query"),
        ("GET", "/rooms?token=%ff", "`token` of the query"),
        ("GET", "/rooms/demo/snapshot.png?output=%ff", "`output` of the query"),
        ("PUT", "/rooms/demo/layout?dry_run=%ff", "`dry_run` of the query"),
        ("GET", "/rooms/demo/export?assets=%ff", "`assets` of the query"),
        ("GET", "/assets?room=%ff", "`room` of the query"),
        ("GET", "/rooms/demo/events?%ff", "a key of the query"),
    ] {
        let request = || server.request(method, path).header("content-type", "application/json").body("{}");
        let refused = answer(request()).await.problem(400);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.ends_with(&format!("Invalid UTF-8 in {place}")), "{method} {path}: {detail}");
    }
    for path in ["/hls/demo/%ff/7.ts", "/hls/demo/main/index.m3u8?token=%ff", "/whip/demo?name=%ff"] {
        let method = if path.starts_with("/whip") { "POST" } else { "GET" };
        answer(server.request_at_top(method, path)).await.problem(400);
    }
    assert_eq!(server.get("/rooms/demo/scenes").await.json(), json!([]), "nothing was made");
    // What the server does not read is the page's.
    assert_eq!(answer(server.request_at_top("GET", "/r/demo?from=%ff")).await.status, 200);
}
