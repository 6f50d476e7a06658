//! Fonts that are made to take all time and memory. The producer of one room may put them, and nobody else is to
//! notice.
//!
//! `fonts/` was made with fontTools. Glyphs of `nested` are made of three of the one before, 24 times over: of the
//! letter X there, and of the specimen's H in `nested-specimen`. `large` has 200 glyphs of sixteen times the size of
//! their lines.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use super::server::{PATIENCE, Server, answer};

const NESTED: &[u8] = include_bytes!("fonts/nested.ttf");
const NESTED_SPECIMEN: &[u8] = include_bytes!("fonts/nested-specimen.ttf");
const LARGE: &[u8] = include_bytes!("fonts/large.ttf");

/// Returns the most memory that the server has had, in mebibytes.
fn peak(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_font_takes_neither_time_nor_memory_from_others() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    for room in ["/rooms/demo", "/rooms/other"] {
        server.send("PUT", room, &json!({})).await.expect(201);
    }
    let put = async |name: &str, content: &'static [u8]| {
        let put = answer(server.request("PUT", &format!("/assets/{name}")).body(content));
        timeout(PATIENCE, put).await.expect("the font is looked at in time")
    };
    let write = async |room: &str, source: serde_json::Value| {
        let (path, layout) = (format!("/rooms/{room}/layout"), json!({"layers": [{"id": "text", "source": source}]}));
        let written = async {
            let written = server.send("PUT", &path, &layout).await;
            (written.status.as_u16(), written.text())
        };
        timeout(PATIENCE, written).await.expect("the text is drawn or refused in time")
    };
    let refused = put("specimen.ttf", NESTED_SPECIMEN).await.expect(422);
    assert!(refused.text().contains("too much memory or time"), "{}", refused.text());
    put("nested.ttf", NESTED).await.expect(201);
    put("large.ttf", LARGE).await.expect(201);

    // All of the large one's glyphs, each of which has 64 million pixels.
    let all: String = (0..200).filter_map(|n| char::from_u32(0x4e00 + n)).collect();
    for (source, place) in [
        (json!({"text": "X", "font": "nested.ttf"}), "font"),
        // Seen before one of them is drawn.
        (json!({"text": all, "font": "large.ttf", "size": 500}), "text"),
    ] {
        let (bad, good) = tokio::join!(
            write("demo", source.clone()),
            write("other", json!({"text": format!("Friday {source}").chars().take(30).collect::<String>()}))
        );
        assert_eq!((bad.0, good.0), (422, 200), "{} {}", bad.1, good.1);
        assert!(bad.1.contains(&format!("/layers/0/source/{place}")), "{}", bad.1);
    }
    // What it can draw, it draws.
    let (status, text) = write("demo", json!({"text": "Ham", "font": "large.ttf"})).await;
    assert_eq!(status, 200, "{text}");
    let (status, text) = write("demo", json!({"text": "Ham", "font": "nested.ttf"})).await;
    assert_eq!(status, 422, "it is not used again: {text}");
    put("nested.ttf", dejavu::serif::bold()).await.expect(200);
    let (status, text) = write("demo", json!({"text": "Ham → ש", "font": "nested.ttf"})).await;
    assert_eq!(status, 200, "another one is: {text}");
    assert!(peak(&server) < 500, "{} MiB", peak(&server));
}
