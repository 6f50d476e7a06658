//! Recordings: files that outlive their outputs and their rooms.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    given::Given,
    problem::{ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, RoomPath},
    transfer,
};
use crate::{
    disk,
    media::port::{Container, IsoDocument, Notes, notes},
};

/// Files that were written to so lately may still grow.
const STILL: Duration = Duration::from_secs(5);

/// Longer texts beside recordings are not ours.
const LONGEST_TEXT: u64 = 4 << 20;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/recordings", get(list_recordings))
        .route("/rooms/{room}/recordings/{id}", get(get_recording).delete(delete_recording))
}

/// A file that a room has recorded.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Recording {
    /// Its file's name.
    #[schema(example = "studio-20261128T120000Z.mkv")]
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The time that is zero in the file, by when its pictures were composed, to lay recordings beside each other. Of a
    /// participant's recording: when it begins. Missing when it is not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// Length. Missing while it grows, and when its server was killed.
    pub seconds: Option<f64>,
    /// Time of the last write.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Whether it is being written, or belongs to a recording that is paused. One whose end is not known was written to
    /// within the last seconds.
    pub growing: bool,
    /// Moments of it that have names, the earliest first.
    pub markers: Vec<RecordingMarker>,
}

/// A moment of a recording that has a name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecordingMarker {
    /// Its name.
    pub name: String,
    /// So long after the recording's begin.
    pub at_seconds: f64,
}

/// Returns all recordings of the room, the newest first. The room need not exist any more.
#[utoipa::path(
    get, path = "/rooms/{room}/recordings", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "The newest first", body = Vec<Recording>))
)]
pub async fn list_recordings(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
) -> ApiResult<Json<Vec<Recording>>> {
    access.require(Role::Producer, room.name.as_str())?;
    let folder = app.registry.recordings().of_room(&room.name);
    let listed = spawn_blocking(move || list(&folder)).await;
    let listed = listed.map_err(|_| Problem::internal("the recordings cannot be listed"))?;
    listed.map(Json).map_err(|error| {
        tracing::error!(room = %room.name, %error, "recordings cannot be listed");
        Problem::internal("the recordings cannot be listed")
    })
}

/// Returns one recording, or the part of it that `Range` asks for. When it began and its markers are beside it, as
/// `FILE.ffmetadata`, for ffmpeg.
#[utoipa::path(
    get, path = "/rooms/{room}/recordings/{id}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The file's name"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "video/x-matroska"),
        (status = 206, description = "A part of it", content_type = "video/x-matroska"),
        (status = 404, description = "No such recording",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "No such part",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_recording(
    State(app): State<AppState>,
    access: Access,
    recording: ItemPath,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    access.require(Role::Producer, recording.name.as_str())?;
    let (path, kind) = match recording.id.strip_suffix(&format!(".{}", notes::SIDECAR)) {
        Some(of) if kind_of(of).is_some() => {
            (folder(&app, &recording).join(&recording.id), "text/plain; charset=utf-8")
        }
        _ => place(&app, &recording)?,
    };
    let file = Given::open(path).await.map_err(|error| transfer::unopened(&error, missing()))?;
    let mut answer = file.answer(&method, &headers)?;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(named) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", recording.id)) {
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    Ok(transfer::while_valid(app, access, answer))
}

/// Deletes a recording for good. One that grows cannot be deleted: stop its output first.
#[utoipa::path(
    delete, path = "/rooms/{room}/recordings/{id}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The file's name"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such recording",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is being written",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_recording(
    State(app): State<AppState>,
    access: Access,
    recording: ItemPath,
) -> ApiResult<StatusCode> {
    access.require(Role::Producer, recording.name.as_str())?;
    let (path, _) = place(&app, &recording)?;
    let deleted = spawn_blocking(move || {
        if look(&path)?.growing {
            return Ok(false);
        }
        fs::remove_file(&path)?;
        match fs::remove_file(beside(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(true),
        }
    });
    match deleted.await.unwrap_or_else(|_| Err(io::Error::other("it cannot be deleted"))) {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::conflict("the recording is being written: stop its output first")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(error) => {
            tracing::error!(room = %recording.name, %error, "a recording cannot be deleted");
            Err(Problem::internal("the recording cannot be deleted"))
        }
    }
}

fn missing() -> Problem {
    Problem::not_found("there is no such recording")
}

/// Returns where a recording of this name is, and what it is. Other names than recordings have are nowhere.
fn place(app: &AppState, recording: &ItemPath) -> ApiResult<(PathBuf, &'static str)> {
    let kind = kind_of(&recording.id).ok_or_else(missing)?;
    Ok((folder(app, recording).join(&recording.id), kind))
}

fn folder(app: &AppState, recording: &ItemPath) -> PathBuf {
    app.registry.recordings().of_room(&recording.name)
}

/// Names the file of a recording's notes.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(notes::SIDECAR);
    name.into()
}

/// Reads a text of ours. What is missing, and what is too long, is empty.
fn text_of(path: &Path) -> String {
    if disk::is_file(path) { disk::read_text(path, LONGEST_TEXT).unwrap_or_default() } else { String::new() }
}

/// Says what a file of this name is, if it is the name of a recording: no path, nothing hidden.
fn kind_of(name: &str) -> Option<&'static str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    let is_plain = !stem.is_empty() && stem.chars().all(fits);
    let known = Container::ALL.into_iter().find(|container| container.ending() == ending).map(Container::media_type);
    // Beside recordings of each participant lie who is in which file, and people cut out.
    let known = known.or(match ending {
        "json" => Some("application/json"),
        "mov" => Some("video/quicktime"),
        _ => None,
    });
    known.filter(|_| is_plain)
}

fn list(folder: &Path) -> io::Result<Vec<Recording>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| kind_of(name).is_some()) {
            // One that is deleted meanwhile is not there.
            found.extend(look(&entry.path()).ok());
        }
    }
    let mut times = HashMap::new();
    for document in found.iter().filter(|file| file.name.ends_with(".json")) {
        let read = serde_json::from_str::<IsoDocument>(&text_of(&folder.join(&document.name)));
        let Ok(document) = read else { continue };
        times.extend(document.files.iter().map(|entry| (entry.file.clone(), document.times(entry))));
    }
    for file in &mut found {
        if let Some((started_at, length)) = times.remove(&file.name) {
            (file.started_at, file.seconds) = (Some(started_at), length.map(|length| length.as_secs_f64()));
            file.growing &= length.is_none();
        }
    }
    found.sort_by(|a, b| b.changed_at.cmp(&a.changed_at).then_with(|| b.name.cmp(&a.name)));
    Ok(found)
}

/// Returns whether an output holds the file.
fn is_held(path: &Path) -> bool {
    let held = |file| flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK);
    disk::open(path).is_ok_and(held)
}

fn look(path: &Path) -> io::Result<Recording> {
    let file = fs::symlink_metadata(path)?;
    if !file.is_file() {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    let changed = file.modified()?;
    let Notes { started_at, length, chapters } = Notes::read(&text_of(&beside(path)));
    let markers = chapters.into_iter();
    let markers = markers.map(|marker| RecordingMarker { name: marker.name, at_seconds: marker.at.as_secs_f64() });
    Ok(Recording {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: file.len(),
        started_at,
        seconds: length.map(|length| length.as_secs_f64()),
        changed_at: Timestamp::try_from(changed).unwrap_or_default(),
        growing: length.is_none() && changed.elapsed().is_ok_and(|passed| passed < STILL) || is_held(path),
        markers: markers.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_recordings_are_files() {
        assert_eq!(kind_of("studio-20261128T120000Z.mkv"), Some("video/x-matroska"));
        assert_eq!(kind_of("a_b-2.mp4"), Some("video/mp4"));
        assert_eq!(kind_of("studio-20261128T120000Z-ann-cutout.mov"), Some("video/quicktime"));
        for name in ["", ".mkv", "a.txt", "../a.mkv", "a/b.mkv", "a.b.mkv", "a.mkv/", "\u{e4}.mp4", "a\0.mkv"] {
            assert_eq!(kind_of(name), None, "{name:?}");
        }
    }
}
