//! Playlists and segments of HLS outputs, for players and for CDNs before them.
//!
//! `index.m3u8` names the stream and its codecs, `live.m3u8` lists the segments. Readers need a viewer's token; one
//! that came in the query is passed on to what a playlist names, because players take no query over by themselves.

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::task::spawn_blocking;
use url::form_urlencoded;

use super::{
    AppState,
    auth::{Access, Role},
    given::Given,
    problem::{ApiResult, Problem, ProblemSchema},
    room_path::find,
    transfer,
};
use crate::{
    control::room::{Output, OutputPhase, Recordings, Registry, RoomName},
    disk,
    media::port::{
        AudioSettings, HLS_CODECS, HLS_END, HLS_EVENT, HLS_LONGEST_PLAYLIST, HLS_PLAYLIST, OutputKind, RateControl,
        VideoSettings,
    },
};

/// The file that players are given.
const MASTER: &str = "index.m3u8";
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
const SEGMENT_TYPE: &str = "video/mp2t";
/// Time for which segments may be remembered, in seconds: one that is older than that is rarely asked for.
const SEGMENT_AGE: u32 = 3600;
/// Longest time that the last segment of an output that was stopped may take.
const LAST_SEGMENT: Duration = Duration::from_secs(4);
/// The longest file that names codecs, in bytes.
const LONGEST_CODECS: u64 = 4096;
/// Beginning of the names of folders that are being deleted.
const DELETED: &str = ".over-";
/// Size of the transport stream in hundredths of its picture and sound: its headers, and those of each packet of sound,
/// add to them.
const OVERHEAD: u64 = 108;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/hls/{room}/{name}/{file}", get(get_hls))
}

/// Returns a playlist (`index.m3u8`, `live.m3u8`) or a segment of an HLS output. Also at `/hls/{room}/{name}/{file}`.
#[utoipa::path(
    get, path = "/hls/{room}/{name}/{file}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("name" = String, Path, description = "The output's name"),
        ("file" = String, Path, description = "`index.m3u8`, or what a playlist names"),
    ),
    responses(
        (status = 200, description = "The playlist, or the segment (`video/mp2t`)",
         content_type = "application/vnd.apple.mpegurl"),
        (status = 206, description = "A part of a segment", content_type = "video/mp2t"),
        (status = 404, description = "No such output or segment",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "No such part",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Nothing is listed yet; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_hls(
    State(app): State<AppState>,
    access: Access,
    Path((room, name, file)): Path<(String, String, String)>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let room = RoomName::parse(&room).map_err(|_| missing())?;
    access.require(Role::Viewer, room.as_str())?;
    let address = format!("/hls/{room}/{name}/{MASTER}");
    let outputs = find(&app, &room).map_err(uncached)?.outputs().await?;
    let is_it = |output: &Output| output.kind == OutputKind::Hls && output.url.as_ref() == Some(&address);
    let output = outputs.into_iter().find(is_it).ok_or_else(missing)?;
    let folder = app.registry.recordings().hls_of_room(&room).join(&*output.id);
    let asker = Asker::of(&app, &headers, &uri);
    if file == MASTER || file == HLS_PLAYLIST {
        return playlist(&asker, output, folder, file == MASTER).await;
    }
    if !is_segment(&file) {
        return Err(missing());
    }
    let segment = Given::open(folder.join(file)).await.map_err(|error| transfer::unopened(&error, missing()))?;
    let mut answer = segment.answer(&method, &headers).map_err(uncached)?;
    describe(&asker, answer.headers_mut());
    Ok(transfer::while_valid(app, access, answer))
}

/// The way that somebody may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asker {
    /// Everybody may.
    Anybody,
    /// By a header.
    Header,
    /// By the query, as it is passed on.
    Query(String),
}

impl Asker {
    fn of(app: &AppState, headers: &HeaderMap, uri: &Uri) -> Self {
        let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let token = pairs.find(|(key, token)| key == "token" && !token.is_empty());
        if app.auth.is_open() {
            return Self::Anybody;
        }
        match token {
            Some((_, token)) if !headers.contains_key(header::AUTHORIZATION) => {
                Self::Query(format!("?token={}", form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>()))
            }
            _ => Self::Header,
        }
    }

    fn passed_on(&self) -> &str {
        if let Self::Query(query) = self { query } else { "" }
    }
}

fn missing() -> Problem {
    uncached(Problem::not_found("there is no such HLS output or segment"))
}

/// Forbids to keep the answer: what is not there now may be there soon.
fn uncached(problem: Problem) -> Problem {
    problem.header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// Returns whether a file of this name is a segment: a number, and no path.
fn is_segment(name: &str) -> bool {
    let digits = name.strip_suffix(".ts").unwrap_or_default();
    (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A playlist as it lies in an output's folder.
struct Kept {
    text: String,
    codecs: String,
    /// Whether its last segment was written long ago.
    is_still: bool,
}

fn read(folder: &FilePath) -> io::Result<Kept> {
    let path = folder.join(HLS_PLAYLIST);
    let age = fs::metadata(&path)?.modified()?.elapsed().unwrap_or_default();
    let text = disk::read_text(&path, HLS_LONGEST_PLAYLIST)?;
    let is_still = age > LAST_SEGMENT + Duration::from_secs(target(&text));
    Ok(Kept { codecs: disk::read_text(&folder.join(HLS_CODECS), LONGEST_CODECS)?, text, is_still })
}

/// Returns seconds of the longest segment.
fn target(playlist: &str) -> u64 {
    let seconds = playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-TARGETDURATION:"));
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(2)
}

async fn playlist(asker: &Asker, output: Output, folder: PathBuf, is_master: bool) -> ApiResult<Response> {
    let kept = spawn_blocking(move || read(&folder)).await.unwrap_or_else(|_| Err(io::Error::other("a thread ended")));
    let runs = !matches!(output.state, OutputPhase::Stopped | OutputPhase::Failed);
    let kept = match kept {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound && runs => {
            let problem =
                Problem::with_status(StatusCode::SERVICE_UNAVAILABLE, "the output has no segment yet; try again soon");
            return Err(uncached(problem.header(header::RETRY_AFTER, HeaderValue::from_static("2"))));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => {
            tracing::error!(output = %output.id, %error, "a playlist cannot be read");
            return Err(Problem::internal("the playlist cannot be read"));
        }
    };
    let text = match output.video.zip(output.audio).filter(|_| is_master) {
        Some(encoded) => master(encoded, &kept.codecs, asker),
        None => listed(&kept, runs, asker),
    };
    let caching = match asker {
        Asker::Anybody => format!("public, max-age={}", (target(&kept.text) / 2).max(1)),
        Asker::Header | Asker::Query(_) => "no-store".to_owned(),
    };
    let headers = [(header::CONTENT_TYPE, PLAYLIST_TYPE.to_owned()), (header::CACHE_CONTROL, caching)];
    Ok((headers, text).into_response())
}

/// Names the one stream that there is.
fn master((video, audio): (VideoSettings, AudioSettings), codecs: &str, asker: &Asker) -> String {
    let bits = |picture: u64| (picture + u64::from(audio.bitrate)) * 1000 * OVERHEAD / 100;
    let average = u64::from(video.bitrate);
    let peak = match video.rate_control {
        RateControl::Cbr => average * 11 / 10,
        RateControl::Vbr => average * 3 / 2,
    };
    let (width, height, fps) = (video.width, video.height, video.fps);
    format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},\
         CODECS=\"{codecs}\",RESOLUTION={width}x{height},FRAME-RATE={fps}.000\n{HLS_PLAYLIST}{}\n",
        bits(peak),
        bits(average),
        asker.passed_on(),
    )
}

/// Returns the kept playlist, which an output that goes on does not end.
fn listed(kept: &Kept, runs: bool, asker: &Asker) -> String {
    let mut text = String::with_capacity(kept.text.len());
    let mut is_over = false;
    for line in kept.text.lines() {
        if line == HLS_END {
            is_over = true;
            continue;
        }
        text.push_str(line);
        if !line.starts_with('#') {
            text.push_str(asker.passed_on());
        }
        text.push('\n');
    }
    if !runs && (is_over || kept.is_still) {
        text.push_str(HLS_END);
        text.push('\n');
    }
    text
}

/// Says what a segment is, and for whom and how long it may be kept.
fn describe(asker: &Asker, headers: &mut HeaderMap) {
    // One that is asked for by its whole address is no secret to who has that.
    let who = if *asker == Asker::Header { "private" } else { "public" };
    let caching = format!("{who}, max-age={SEGMENT_AGE}, immutable");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SEGMENT_TYPE));
    if let Ok(caching) = HeaderValue::try_from(caching) {
        headers.insert(header::CACHE_CONTROL, caching);
    }
}

/// Deletes what an output has made; `None`: what all outputs of the room have.
pub(super) async fn forget(app: &AppState, room: &RoomName, id: Option<&str>) {
    let recordings = app.registry.recordings();
    let of_room = recordings.hls_of_room(room);
    let folder = id.map_or_else(|| of_room.clone(), |id| of_room.join(id));
    let root = recordings.hls.clone();
    // The log has said it.
    let _ = spawn_blocking(move || delete(&root, &folder)).await;
}

/// Deletes a folder, also while somebody writes into it: what is somewhere else gets no new files.
fn delete(root: &FilePath, folder: &FilePath) {
    let aside = root.join(format!("{DELETED}{}", rand::random::<u64>()));
    let deleted = fs::rename(folder, &aside).and_then(|()| fs::remove_dir_all(aside));
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::error!(folder = %folder.display(), %error, "segments cannot be deleted");
        }
        _ => {}
    }
}

/// Deletes what an earlier start of the program has left. To be called before outputs start. Events stay.
pub(super) fn clean(recordings: &Recordings) {
    for folder in folders(&recordings.hls) {
        if folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DELETED)) {
            delete(&recordings.hls, &folder);
        }
        for output in folders(&folder) {
            if is_ours(&output) && !is_event(&output) {
                delete(&recordings.hls, &output);
            }
        }
    }
}

/// Returns whether the segments in a folder are those of an event.
fn is_event(folder: &FilePath) -> bool {
    let playlist = disk::read_text(&folder.join(HLS_PLAYLIST), HLS_LONGEST_PLAYLIST).unwrap_or_default();
    playlist.lines().any(|line| line == HLS_EVENT)
}

/// Deletes events whose outputs are gone.
pub(super) async fn clean_events(registry: &Registry) {
    let root = registry.recordings().hls.clone();
    for folder in folders(&root) {
        let room = folder.file_name().and_then(|name| RoomName::parse(name.to_str()?).ok());
        let room = room.and_then(|room| registry.get(&room));
        let outputs = match room {
            // One that ends at this moment is looked at after the next start.
            Some(room) => match room.outputs().await {
                Ok(outputs) => outputs,
                Err(_) => continue,
            },
            None => Vec::new(),
        };
        let is_known = |id: &str| outputs.iter().any(|output| &*output.id == id);
        for output in folders(&folder) {
            if is_ours(&output) && !output.file_name().and_then(|name| name.to_str()).is_some_and(is_known) {
                delete(&root, &output);
            }
        }
        // Fails where something is left.
        let _ = fs::remove_dir(folder);
    }
}

/// Returns the folders in a folder. A link does not count: what it leads to belongs to somebody else.
fn folders(of: &FilePath) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Returns whether a folder holds nothing but what an output writes. Another one is left alone: it came here by mistake.
fn is_ours(folder: &FilePath) -> bool {
    // A playlist is written beside its place.
    let written = |name: &str| {
        let whole = [HLS_PLAYLIST, HLS_CODECS];
        let is_part = |stem| whole.iter().any(|of| of.split('.').next() == Some(stem));
        is_segment(name) || whole.contains(&name) || name.strip_suffix(".part").is_some_and(is_part)
    };
    let is_written = |entry: fs::DirEntry| {
        entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.file_name().to_str().is_some_and(written)
    };
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().all(is_written))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_outputs_did_not_write_is_left_alone() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |file: PathBuf| {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        };
        let recordings = Recordings { hls: data.path().join("hls"), folder: data.path().join("recordings"), spare: 0 };
        let (ours, foreign) = (recordings.hls.join("demo/a1"), recordings.hls.join("demo/photos"));
        for name in ["live.m3u8", "codecs", "live.part", "1796000000.ts"] {
            write(ours.join(name));
        }
        write(foreign.join("wedding.jpg"));
        write(other.path().join("src/main.rs"));
        std::os::unix::fs::symlink(other.path(), recordings.hls.join("linked")).unwrap();
        std::os::unix::fs::symlink(other.path(), ours.with_file_name("too")).unwrap();
        write(recordings.hls.join(".over-7/1.ts"));
        clean(&recordings);
        assert!(!ours.exists() && !recordings.hls.join(".over-7").exists());
        assert!(foreign.join("wedding.jpg").exists() && other.path().join("src/main.rs").exists());
    }

    #[test]
    fn only_numbers_are_segments() {
        assert!(is_segment("1796000000.ts"));
        for name in
            ["", ".ts", "a.ts", "../1.ts", "1.ts/", "1.mp4", "-1.ts", "1.ts\0", "999999999999999999999.ts", "codecs"]
        {
            assert!(!is_segment(name), "{name:?}");
        }
    }

    #[test]
    fn an_end_is_announced_when_it_is_one() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n1.ts\n";
        let kept = |ended: bool, is_still| {
            let end = if ended { "#EXT-X-ENDLIST\n" } else { "" };
            Kept { text: format!("{text}{end}"), codecs: String::new(), is_still }
        };
        let asker = Asker::Query("?token=a%2Fb".to_owned());
        for (ended, is_still, runs, told) in [
            (true, true, true, false),
            (true, false, false, true),
            (false, false, false, false),
            (false, true, false, true),
            (false, true, true, false),
        ] {
            let listed = listed(&kept(ended, is_still), runs, &asker);
            assert!(listed.contains("\n1.ts?token=a%2Fb\n"), "{listed}");
            assert_eq!(listed.ends_with("#EXT-X-ENDLIST\n"), told, "{ended} {is_still} {runs}");
        }
        assert_eq!(target(text), 4);
    }
}
