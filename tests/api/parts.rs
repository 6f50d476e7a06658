//! Files as they are asked for again and in parts: recordings, segments of HLS and assets alike (RFC 9110).

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{
    hls::{fill, output},
    server::{Answer, Server, answer},
};

/// Starts a server with a recording, a segment and an asset. Returns it with their addresses.
async fn files(recordings: &Path) -> (Server, [&'static str; 3]) {
    let server = Server::start_with(|config| recordings.clone_into(&mut config.recordings)).await;
    let (_, folder) = output(&server, &json!({"type": "hls", "name": "main"})).await;
    fill(&folder);
    fs::create_dir_all(recordings.join("demo")).unwrap();
    fs::write(recordings.join("demo/a.mkv"), b"0123456789").unwrap();
    let old = SystemTime::now() - Duration::from_secs(60);
    for file in [recordings.join("demo/a.mkv"), folder.join("7.ts")] {
        fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
    }
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(20, 20).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let put = answer(server.request("PUT", "/assets/a.png").body(png.into_inner())).await;
    assert_eq!(put.status, 201, "{put:?}");
    (server, ["/rooms/demo/recordings/a.mkv", "/hls/demo/main/7.ts", "/assets/a.png"])
}

async fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(server.request(method, path), |request, (name, value)| request.header(*name, *value));
    answer(request).await
}

#[tokio::test]
async fn parts_of_all_files_are_given_as_rfc_9110_says() {
    let recordings = tempfile::TempDir::new().unwrap();
    let (server, paths) = files(recordings.path()).await;
    for path in paths.into_iter().chain(["/assets/studio.jpg"]) {
        let whole = ask(&server, "GET", path, &[]).await;
        assert_eq!((whole.status.as_u16(), whole.header("accept-ranges")), (200, "bytes"), "{path}");
        let bytes = whole.body.len();
        let last = bytes - 1;
        let asked = async |range: &str| ask(&server, "GET", path, &[("range", range)]).await;
        for (range, place, part) in [
            ("bytes=3-5".to_owned(), format!("bytes 3-5/{bytes}"), 3..6),
            ("bytes=3-".to_owned(), format!("bytes 3-{last}/{bytes}"), 3..bytes),
            ("bytes=-4".to_owned(), format!("bytes {}-{last}/{bytes}", bytes - 4), bytes - 4..bytes),
            ("bytes=-99999999".to_owned(), format!("bytes 0-{last}/{bytes}"), 0..bytes),
            (format!("bytes={last}-99999999"), format!("bytes {last}-{last}/{bytes}"), last..bytes),
        ] {
            let given = asked(&range).await;
            assert_eq!((given.status.as_u16(), given.header("content-range")), (206, place.as_str()), "{path} {range}");
            assert_eq!(given.body, whole.body[part], "{path} {range}");
            assert_eq!(given.header("content-type"), whole.header("content-type"));
        }
        for range in ["items=0-1", "bytes=0-1,3-4", "bytes=5-3", "bytes=a", "bytes", "3-5"] {
            let given = asked(range).await;
            assert!(given.status == 200 && given.body == whole.body, "{path} {range}: {:?}", given.headers);
            assert!(!given.headers.contains_key("content-range"), "{path} {range}");
        }
        for range in [format!("bytes={bytes}-"), "bytes=-0".to_owned()] {
            let refused = asked(&range).await;
            refused.problem(416);
            assert_eq!(refused.header("content-range"), format!("bytes */{bytes}"), "{path} {range}");
        }
        // Only GET has parts.
        for range in ["bytes=3-5", "bytes=-99999999", "items=0-1", "bytes=99999999-"] {
            let head = ask(&server, "HEAD", path, &[("range", range)]).await;
            assert_eq!((head.status.as_u16(), head.header("content-length")), (200, bytes.to_string().as_str()));
            assert!(head.body.is_empty());
        }
    }
}

#[tokio::test]
async fn what_was_known_of_another_file_gets_the_whole() {
    let recordings = tempfile::TempDir::new().unwrap();
    let (server, paths) = files(recordings.path()).await;
    for path in paths {
        let whole = ask(&server, "HEAD", path, &[]).await;
        let etag = whole.header("etag");
        let status = async |headers: &[(&str, &str)]| {
            let asked = [&[("range", "bytes=3-5")], headers].concat();
            ask(&server, "GET", path, &asked).await.status.as_u16()
        };
        assert_eq!(status(&[("if-range", etag)]).await, 206, "{path}");
        for other in ["\"other\"".to_owned(), format!("W/{etag}"), "Sat, 28 Nov 2020 12:00:00 GMT".to_owned()] {
            assert_eq!(status(&[("if-range", &other)]).await, 200, "{path} {other}");
        }
        if let Some(date) = whole.headers.get("last-modified").map(|date| date.to_str().unwrap()) {
            assert_eq!(status(&[("if-range", date)]).await, 206, "{path}");
            assert_eq!(status(&[("if-modified-since", date)]).await, 304, "{path}");
        }
        let weak = format!("\"other\", W/{etag}");
        assert_eq!(status(&[("if-none-match", &weak)]).await, 304, "{path}");
        assert_eq!(status(&[("if-match", "\"other\"")]).await, 412, "{path}");
        let known = ask(&server, "HEAD", path, &[("if-none-match", etag)]).await;
        assert_eq!((known.status.as_u16(), known.header("etag")), (304, etag), "{path}");
        assert!(path.contains("recordings") || known.headers.contains_key("cache-control"), "{path}");
    }
    // One that was written to meanwhile is another.
    let before = ask(&server, "HEAD", paths[0], &[]).await;
    fs::write(recordings.path().join("demo/a.mkv"), b"0123456789ab").unwrap();
    for known in ["etag", "last-modified"] {
        let asked = [("range", "bytes=10-"), ("if-range", before.header(known))];
        assert_eq!(ask(&server, "GET", paths[0], &asked).await.text(), "0123456789ab", "{known}");
    }
}
