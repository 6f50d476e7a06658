//! The layout of a room, whole or one layer.

use axum::{
    Router,
    extract::{FromRequestParts, Query, State},
    http::{StatusCode, request::Parts},
    response::Response,
    routing::{get, patch},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, Precondition, RoomPath, find, find_to_direct, tagged},
};
use crate::{
    control::room::{LayoutChange, RoomName},
    layout::schema::{Layer, Layout},
};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/layout", get(get_layout).put(put_layout).patch(patch_layout))
        .route("/rooms/{room}/layout/layers/{id}", patch(patch_layer).delete(delete_layer))
}

/// `?dry_run=true`: only return what it would become.
#[derive(Debug, Clone, Copy)]
pub struct DryRun(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for DryRun {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Parameters {
            #[serde(default)]
            dry_run: bool,
        }
        let Query(Parameters { dry_run }) =
            Query::try_from_uri(&parts.uri).map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self(dry_run))
    }
}

/// Returns the layout that the canvas shows now.
#[utoipa::path(
    get, path = "/rooms/{room}/layout", tag = "layout",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "The whole layout; `ETag` is the room's revision", body = Layout),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_layout(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    let (revision, layout) = find(&app, &room.name)?.layout().await?;
    Ok(tagged(StatusCode::OK, revision, layout))
}

/// Shows another layout from the next frame on. Canvas keys that are left out stay as they are.
#[utoipa::path(
    put, path = "/rooms/{room}/layout", tag = "layout",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("dry_run" = Option<bool>, Query, description = "Only validate, and return what the layout would become"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = Layout,
    responses(
        (status = 200, description = "The layout as it is now, or would be", body = Layout),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the layout",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_layout(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    dry_run: DryRun,
    body: ApiJson<Value>,
) -> ApiResult<Response> {
    change(&app, &access, &room.name, LayoutChange::Replace(body.0), &guard, dry_run).await
}

/// Changes the layout by a JSON Merge Patch (RFC 7396).
#[utoipa::path(
    patch, path = "/rooms/{room}/layout", tag = "layout",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("dry_run" = Option<bool>, Query, description = "Only validate, and return what the layout would become"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body(content = Layout, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The layout as it is now, or would be", body = Layout),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the patched layout",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn patch_layout(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    dry_run: DryRun,
    body: ApiJson<Value>,
) -> ApiResult<Response> {
    change(&app, &access, &room.name, LayoutChange::Merge(body.0), &guard, dry_run).await
}

/// Changes one layer by a JSON Merge Patch. Pointers of errors are those of the layer.
#[utoipa::path(
    patch, path = "/rooms/{room}/layout/layers/{id}", tag = "layout",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The layer's id"),
        ("dry_run" = Option<bool>, Query, description = "Only validate, and return what the layout would become"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body(content = Layer, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The whole layout as it is now, or would be", body = Layout),
        (status = 404, description = "No such room or layer",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the patched layer",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn patch_layer(
    State(app): State<AppState>,
    access: Access,
    layer: ItemPath,
    guard: Precondition,
    dry_run: DryRun,
    body: ApiJson<Value>,
) -> ApiResult<Response> {
    let patched = LayoutChange::MergeLayer { id: layer.id, patch: body.0 };
    change(&app, &access, &layer.name, patched, &guard, dry_run).await
}

/// Takes one layer away.
#[utoipa::path(
    delete, path = "/rooms/{room}/layout/layers/{id}", tag = "layout",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The layer's id"),
        ("dry_run" = Option<bool>, Query, description = "Only validate, and return what the layout would become"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 200, description = "The whole layout as it is now, or would be", body = Layout),
        (status = 404, description = "No such room or layer",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_layer(
    State(app): State<AppState>,
    access: Access,
    layer: ItemPath,
    guard: Precondition,
    dry_run: DryRun,
) -> ApiResult<Response> {
    change(&app, &access, &layer.name, LayoutChange::RemoveLayer { id: layer.id }, &guard, dry_run).await
}

async fn change(
    app: &AppState,
    access: &Access,
    room: &RoomName,
    change: LayoutChange,
    guard: &Precondition,
    dry_run: DryRun,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.as_str())?;
    let (revision, layout) = find_to_direct(app, access, room)?.change_layout(&change, &guard.0, dry_run.0).await?;
    Ok(tagged(StatusCode::OK, revision, layout))
}
