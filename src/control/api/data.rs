//! Values that programs put into a room for its texts: `{data.KEY}`.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, RoomPath, find},
};
use crate::control::room::state::data::{Datum, check, check_key};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/data", get(list_data))
        .route("/rooms/{room}/data/{id}", get(get_data).put(put_data).delete(delete_data))
}

/// Returns all values, by key.
#[utoipa::path(
    get, path = "/rooms/{room}/data", tag = "data",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "By key", body = BTreeMap<String, Datum>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_data(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.data().await?).into_response())
}

/// Returns the value under a key.
#[utoipa::path(
    get, path = "/rooms/{room}/data/{key}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("key" = String, Path, description = "The key"),
    ),
    responses(
        (status = 200, description = "The value", body = Datum),
        (status = 404, description = "No such room, or nothing was put under this key",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_data(State(app): State<AppState>, access: Access, key: ItemPath) -> ApiResult<Json<Value>> {
    access.require(Role::Viewer, key.name.as_str())?;
    Ok(Json(find(&app, &key.name)?.datum(key.id).await?))
}

/// Puts a string of at most 1000 characters, or a number. Texts with `{data.KEY}` show it at once, in all layouts. It
/// stays with the room; `data_changed` among the events says that it has changed.
#[utoipa::path(
    put, path = "/rooms/{room}/data/{key}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("key" = String, Path, description = "The key: 1 to 64 of `A-Z a-z 0-9 _ -`"),
    ),
    request_body = Datum,
    responses(
        (status = 200, description = "Put in place of another value", body = Datum),
        (status = 201, description = "Put; there was none", body = Datum),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room has as many keys as it may",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The key or the value is wrong",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_data(
    State(app): State<AppState>,
    access: Access,
    key: ItemPath,
    body: ApiJson<Value>,
) -> ApiResult<Response> {
    access.require(Role::Producer, key.name.as_str())?;
    check_key(&key.id, "").map_err(|fault| Problem::unprocessable(format!("the key {}", fault.detail)))?;
    check(&body.0, "").map_err(|fault| Problem::invalid(vec![fault]))?;
    let is_new = find(&app, &key.name)?.put_data(key.id, body.0.clone()).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(body.0)).into_response())
}

/// Takes away the value under a key. Texts show nothing there, or what they say for that case.
#[utoipa::path(
    delete, path = "/rooms/{room}/data/{key}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("key" = String, Path, description = "The key"),
    ),
    responses(
        (status = 204, description = "Taken away"),
        (status = 404, description = "No such room, or nothing was put under this key",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_data(State(app): State<AppState>, access: Access, key: ItemPath) -> ApiResult<StatusCode> {
    access.require(Role::Producer, key.name.as_str())?;
    find(&app, &key.name)?.remove_data(key.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
