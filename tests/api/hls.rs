//! HLS as players fetch it, from files such as the media writes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::server::{KEY, Server, answer};

const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:4\n\
    #EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:7\n\
    #EXT-X-PROGRAM-DATE-TIME:2026-11-30T00:53:48.000Z\n#EXTINF:4.000000,\n7.ts\n";

/// Returns an HLS output of the room `demo` with one segment.
pub async fn output(server: &Server, body: &Value) -> (String, PathBuf) {
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 1280, "height": 720, "fps": 30}})).await;
    let made = server.send("POST", "/rooms/demo/outputs", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let folder = server.state.config.data_dir.join("hls/demo").join(&id);
    fs::create_dir_all(&folder).unwrap();
    (id, folder)
}

pub fn fill(folder: &Path) {
    fs::write(folder.join("7.ts"), [0x47; 1880]).unwrap();
    fs::write(folder.join("codecs"), "avc1.64001f,mp4a.40.2").unwrap();
    fs::write(folder.join("live.m3u8"), PLAYLIST).unwrap();
}

/// Begins a request at the top level that carries no key.
fn bare(server: &Server, method: &str, path: &str) -> RequestBuilder {
    reqwest::Client::new().request(method.parse().unwrap(), server.url(path))
}

#[tokio::test]
async fn players_get_playlists_and_segments_as_caches_want_them() {
    let server = Server::start().await;
    let (id, folder) = output(&server, &json!({"type": "hls", "name": "main", "preset": "twitch-720p"})).await;
    let one = server.get(&format!("/rooms/demo/outputs/{id}")).await.json();
    assert_eq!((&one["type"], &one["url"]), (&json!("hls"), &json!("/hls/demo/main/index.m3u8")));
    let top = async |method: &str, path: &str| answer(bare(&server, method, &format!("/hls/demo/main/{path}"))).await;
    let early = top("GET", "index.m3u8").await;
    assert_eq!((early.header("retry-after"), early.header("cache-control")), ("2", "no-store"));
    early.problem(503);

    fill(&folder);
    let master = top("GET", "index.m3u8").await;
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(master.header("cache-control"), "public, max-age=2");
    assert_eq!(
        master.text(),
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-STREAM-INF:BANDWIDTH=5518800,AVERAGE-BANDWIDTH=5032800,CODECS=\"avc1.64001f,mp4a.40.2\",\
         RESOLUTION=1280x720,FRAME-RATE=30.000\nlive.m3u8\n"
    );
    assert_eq!(top("GET", "live.m3u8").await.text(), PLAYLIST);
    let other = bare(&server, "GET", "/hls/demo/main/7.ts").header("origin", "http://localhost:5173");
    let segment = answer(other).await;
    assert_eq!((segment.status.as_u16(), segment.body.len()), (200, 1880));
    assert_eq!(segment.header("content-type"), "video/mp2t");
    assert_eq!(segment.header("cache-control"), "public, max-age=3600, immutable");
    assert_eq!(segment.header("access-control-allow-origin"), "*");
    let part = answer(bare(&server, "GET", "/hls/demo/main/7.ts").header("range", "bytes=188-375")).await;
    assert_eq!((part.status.as_u16(), part.body.len()), (206, 188));
    assert_eq!(part.header("content-range"), "bytes 188-375/1880");
    for path in ["index.m3u8", "live.m3u8", "7.ts"] {
        let head = top("HEAD", path).await;
        assert!(head.status == 200 && head.body.is_empty() && head.header("content-length") != "0", "{head:?}");
        assert_eq!(
            answer(server.request("GET", &format!("/hls/demo/main/{path}"))).await.status,
            200,
            "under the base"
        );
    }
    assert_eq!(top("POST", "7.ts").await.status, 405);
}

#[tokio::test]
async fn names_are_never_paths() {
    let server = Server::start().await;
    let (id, folder) = output(&server, &json!({"type": "hls"})).await;
    fill(&folder);
    fs::write(folder.join("../../secret.ts"), "secret").unwrap();
    for path in [
        "demo/demo/8.ts",
        "demo/demo/codecs",
        "demo/demo/live.part",
        "demo/demo/..%2f..%2fsecret.ts",
        "demo/demo/%2e%2e%2f%2e%2e%2fsecret.ts",
        "demo/..%2fdemo/7.ts",
        "demo/%2e%2e/index.m3u8",
        "..%2fhls%2fdemo/demo/7.ts",
        "demo/demo/7.ts%00",
        "demo/other/7.ts",
        "none/demo/7.ts",
    ] {
        let refused = answer(bare(&server, "GET", &format!("/hls/{path}"))).await;
        assert!([400, 404].contains(&refused.status.as_u16()), "{path}: {refused:?}");
        assert!(refused.header("content-type").starts_with("application/problem+json"), "{path}");
    }
    let by_id = answer(bare(&server, "GET", &format!("/hls/demo/{id}/7.ts"))).await;
    by_id.problem(404);
    for wrong in [json!({"type": "hls", "name": "../up"}), json!({"type": "hls"})] {
        assert_eq!(server.send("POST", "/rooms/demo/outputs", &wrong).await.faults(422), ["/name"], "{wrong}");
    }
    let second = server.send("POST", "/rooms/demo/outputs", &json!({"type": "hls", "name": "b"})).await.json();
    let path = format!("/rooms/demo/outputs/{}", second["id"].as_str().unwrap());
    assert_eq!(server.send("PATCH", &path, &json!({"name": "demo"})).await.faults(422), ["/name"]);
    assert_eq!(server.send("PATCH", &path, &json!({"name": "c", "segments": 10})).await.status, 200);
}

#[tokio::test]
async fn readers_need_a_viewers_token_which_is_passed_on_when_it_came_in_the_query() {
    let server = Server::keyed().await;
    let (_, folder) = output(&server, &json!({"type": "hls"})).await;
    fill(&folder);
    let token = async |room: &str| {
        let signed = server.sign(KEY, &json!({"room": room, "role": "viewer"})).await;
        signed["token"].as_str().unwrap().to_owned()
    };
    let (own, foreign) = (token("demo").await, token("other").await);
    for path in ["index.m3u8", "live.m3u8", "7.ts"] {
        let path = format!("/hls/demo/demo/{path}");
        answer(bare(&server, "GET", &path)).await.problem(401);
        answer(bare(&server, "GET", &format!("{path}?token=wrong"))).await.problem(401);
        answer(bare(&server, "GET", &path).bearer_auth(&foreign)).await.problem(403);
        answer(bare(&server, "GET", &format!("{path}?token={foreign}"))).await.problem(403);
        let by_header = answer(bare(&server, "GET", &path).bearer_auth(&own)).await;
        let by_query = answer(bare(&server, "GET", &format!("{path}?token={own}"))).await;
        assert_eq!((by_header.status.as_u16(), by_query.status.as_u16()), (200, 200), "{path}");
        if path.ends_with(".ts") {
            assert_eq!(by_header.header("cache-control"), "private, max-age=3600, immutable");
            assert_eq!(by_query.header("cache-control"), "public, max-age=3600, immutable");
            continue;
        }
        assert_eq!((by_header.header("cache-control"), by_query.header("cache-control")), ("no-store", "no-store"));
        assert!(!by_header.text().contains("token"));
        let named: Vec<String> =
            by_query.text().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        assert_eq!(named.len(), 1);
        assert!(named[0].ends_with(&format!("?token={own}")), "{named:?}");
        let next = answer(bare(&server, "GET", &format!("/hls/demo/demo/{}", named[0]))).await;
        assert_eq!(next.status, 200);
    }
}

#[tokio::test]
async fn a_stopped_output_ends_its_playlist_and_a_deleted_one_is_gone() {
    let server = Server::start().await;
    let (id, folder) = output(&server, &json!({"type": "hls", "window": "event"})).await;
    fill(&folder);
    let listed = async || answer(bare(&server, "GET", "/hls/demo/demo/live.m3u8")).await;
    // What the media writes when the stream is over, here because it begins again.
    fs::write(folder.join("live.m3u8"), format!("{PLAYLIST}#EXT-X-ENDLIST\n")).unwrap();
    assert_eq!(listed().await.text(), PLAYLIST);
    assert_eq!(server.send("POST", &format!("/rooms/demo/outputs/{id}/stop"), &json!({})).await.status, 200);
    assert_eq!(listed().await.text(), format!("{PLAYLIST}#EXT-X-ENDLIST\n"));
    assert_eq!(server.delete(&format!("/rooms/demo/outputs/{id}")).await.status, 204);
    listed().await.problem(404);
    answer(bare(&server, "GET", "/hls/demo/demo/7.ts")).await.problem(404);
    assert!(!folder.exists(), "nothing is left on the disk");

    let (_, folder) = output(&server, &json!({"type": "hls"})).await;
    fill(&folder);
    assert_eq!(server.delete("/rooms/demo").await.status, 204);
    listed().await.problem(404);
    assert!(!folder.parent().unwrap().exists(), "nothing of the room is left");
}

#[tokio::test]
async fn what_an_earlier_start_has_left_is_not_served_as_live() {
    let data = tempfile::TempDir::new().unwrap();
    let start = async || Server::start_with(|config| config.data_dir = data.path().to_owned()).await;
    let event = PLAYLIST.replace("#EXT-X-MEDIA", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA");
    let first = start().await;
    let (_, kept) = output(&first, &json!({"type": "hls", "window": "event"})).await;
    fill(&kept);
    fs::write(kept.join("live.m3u8"), &event).unwrap();
    let is_stored =
        || fs::read_to_string(data.path().join("rooms/demo.outputs")).is_ok_and(|room| room.contains("hls"));
    until("the room is stored", is_stored).await;
    drop(first);
    let left = |id: &str| data.path().join("hls/demo").join(id);
    for id in ["sliding", "gone"] {
        fs::create_dir_all(left(id)).unwrap();
        fill(&left(id));
    }
    fs::write(left("gone").join("live.m3u8"), &event).unwrap();

    let second = start().await;
    assert!(!left("sliding").exists());
    until("an event is deleted whose output is gone", || !left("gone").exists()).await;
    let listed = answer(bare(&second, "GET", "/hls/demo/demo/live.m3u8")).await;
    assert_eq!((listed.status.as_u16(), listed.text()), (200, event));
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}
