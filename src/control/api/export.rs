//! A room as one file: settings, layout, scenes, and the assets that these need.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{self, ApiResult, Problem, ProblemSchema},
    rooms::{Precondition, RoomPath, find, tagged},
};
use crate::{
    control::{
        assets::AssetError,
        room::{RoomDocument, RoomError, RoomState, SettingsChange},
    },
    layout::{Fault, fault::child},
};

/// Largest file that is given or taken, in bytes: a clip of the largest size, in base64, and some images.
const MAX_BYTES: usize = 128 << 20;

/// The routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/export", get(export_room))
        .route("/rooms/{room}/import", post(import_room).layer(DefaultBodyLimit::max(MAX_BYTES)))
}

/// What goes into the file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportParts {
    /// Whether the files of assets are in it. They are if this is left out.
    #[serde(default = "yes")]
    assets: bool,
}

fn yes() -> bool {
    true
}

/// The room as one file: settings, layout, scenes, and the assets that these need (those that are built in excepted).
/// Never participants, and no outputs, whose addresses hold stream keys.
#[utoipa::path(
    get, path = "/rooms/{room}/export", tag = "rooms",
    params(("room" = String, Path, description = "The room's name"), ExportParts),
    responses(
        (status = 200, description = "A file to download; `ETag` is the room's revision", body = RoomDocument),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "Its assets are too large for one file; `assets=false` leaves them out",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn export_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    parts: Result<Query<ExportParts>, axum::extract::rejection::QueryRejection>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let Query(parts) = parts.map_err(|error| Problem::bad_request(error.body_text()))?;
    let record = find(&app, &room.name)?.export().await?;
    let mut document = RoomDocument::from(&record);
    if parts.assets {
        let mut files = BTreeMap::new();
        let mut size = 0;
        let layouts = record.layouts();
        for asset in app.assets.list().await? {
            let is_needed = layouts.iter().any(|layout| layout.needs(&asset.name, asset.family.as_deref()));
            if asset.builtin || !is_needed {
                continue;
            }
            let (asset, content) = app.assets.read(&asset.name).await?;
            let text = BASE64_STANDARD.encode(&content);
            size += text.len();
            // With some room for the rest: what could not be imported is no export.
            if size > MAX_BYTES - (8 << 20) {
                let detail = "the room's assets are too large for one file; `?assets=false` leaves them out";
                return Err(Problem::too_large(detail));
            }
            files.insert(asset.name, text);
        }
        document.assets = Some(files);
    }
    let file = format!("attachment; filename=\"{}.virfie.json\"", room.name);
    let file = HeaderValue::try_from(file).map_err(|_| Problem::internal("the file cannot be named"))?;
    let headers = [
        (header::CONTENT_DISPOSITION, file),
        (
            header::ETAG,
            HeaderValue::try_from(record.past.revision.etag()).map_err(|_| Problem::internal("no revision"))?,
        ),
    ];
    Ok((headers, Json(document)).into_response())
}

/// Makes the room what a file of `export` says, at one frame edge; it is created if it does not exist. What the file
/// leaves out stays. Its assets are added; one that is there under the same name with another content is an error, as
/// other rooms may show it.
#[utoipa::path(
    post, path = "/rooms/{room}/import", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = RoomDocument,
    responses(
        (status = 200, description = "Imported", body = RoomState),
        (status = 201, description = "Imported into a new room", body = RoomState),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "The file has more than 128 MiB",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the file; nothing is changed",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn import_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    headers: HeaderMap,
    content: Result<Bytes, BytesRejection>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let content = problem::whole(content, || format!("a room's file has at most {MAX_BYTES} bytes"))?;
    problem::json_declared(&headers)?;
    let document: RoomDocument = problem::parse(&content)?;
    drop(content);

    let existing = app.registry.get(&room.name);
    if existing.is_none() && guard.0.is_present() {
        return Err(Problem::precondition_failed(RoomError::NoRoom.to_string()));
    }
    let added = add_assets(&app, &document).await?;
    let outcome = async {
        let (handle, is_new) = match existing {
            Some(handle) => (handle, false),
            None => app.registry.put(&room.name, &SettingsChange::default(), &guard.0).await?,
        };
        match handle.import(&document, &guard.0).await {
            Ok(revision) => Ok((handle, revision, is_new)),
            Err(error) => {
                if is_new {
                    // Made for this only. One that has ended meanwhile is gone as well.
                    let _ = app.registry.remove(&room.name, &Default::default()).await;
                }
                Err(error)
            }
        }
    }
    .await;
    match outcome {
        Ok((handle, revision, is_new)) => {
            tracing::info!(room = %room.name, assets = added.len(), "room imported");
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok(tagged(status, revision, handle.state().await?))
        }
        Err(error) => {
            remove_assets(&app, &added).await;
            Err(error.into())
        }
    }
}

/// Adds a document's assets. Answers the names of those that were not there.
///
/// # Errors
/// Every wrong one; nothing is added then.
async fn add_assets(app: &AppState, document: &RoomDocument) -> ApiResult<Vec<String>> {
    let mut added = Vec::new();
    let mut faults = Vec::new();
    for (name, text) in document.assets.iter().flatten() {
        let pointer = child("/assets", name);
        match add_asset(app, name, text).await {
            Ok(true) => added.push(name.clone()),
            Ok(false) => {}
            Err(detail) => faults.push(Fault { pointer, detail }),
        }
    }
    if faults.is_empty() {
        return Ok(added);
    }
    remove_assets(app, &added).await;
    Err(Problem::invalid(faults))
}

/// Adds one asset. Answers whether it was not there.
async fn add_asset(app: &AppState, name: &str, text: &str) -> Result<bool, String> {
    let content = BASE64_STANDARD.decode(text).map_err(|error| format!("is not base64: {error}"))?;
    match app.assets.read(name).await {
        Ok((_, own)) if *own == *content => return Ok(false),
        Ok(_) => return Err("another asset of this name is there already".to_owned()),
        Err(AssetError::NotFound) => {}
        Err(error) => return Err(error.to_string()),
    }
    // Whoever put one of this name a moment ago keeps it.
    app.assets.put(name, content, false).await.map(|(_, is_new)| is_new).map_err(|error| error.to_string())
}

async fn remove_assets(app: &AppState, names: &[String]) {
    for name in names {
        if let Err(error) = app.assets.delete(name).await {
            tracing::warn!(asset = name, %error, "an asset of a refused import stays");
        }
    }
}
