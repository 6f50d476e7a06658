//! Rooms: the list, their settings, their end.

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    bounds, hls,
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{Precondition, RoomPath, find, find_to_direct, tagged},
};
use crate::control::room::{Landing, Revision, RoomError, RoomState, RoomSummary, SettingsChange};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms", get(list_rooms))
        .route("/rooms/{room}", get(get_room).put(put_room).delete(delete_room))
}

/// The settings that `PUT /rooms/{room}` changes; what is left out stays as it is, or is the server's default in a new
/// room.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomSettings {
    /// Keys of the canvas that change.
    #[schema(value_type = Option<crate::layout::schema::Canvas>)]
    pub canvas: Option<Value>,
    /// Most participants who may be in at once.
    #[schema(minimum = 1, maximum = 1000)]
    pub max_participants: Option<u32>,
    /// Time for which a lost participant's last picture and place are kept, in milliseconds.
    #[schema(minimum = 0, maximum = 600000)]
    pub hold_ms: Option<u64>,
    /// Whether the keypoints of everybody with a camera are found, for `GET /rooms/{room}/poses` and the events. It
    /// costs computing time. `true` needs a model that can: `segmentation.keypoints` of the room.
    pub keypoints: Option<bool>,
    /// Where newcomers with the role `participant` land: `on_air`, as in a new room, or `backstage`. Who is in stays
    /// where they are.
    pub guests_land: Option<Landing>,
    /// Whether nobody new with the role `participant` comes in: they are refused with 403. Who is in stays and may come
    /// back, who directs the room comes in, and viewers do.
    pub locked: Option<bool>,
}

/// Returns the rooms that the bearer may see.
#[utoipa::path(
    get, path = "/rooms", tag = "rooms",
    responses((status = 200, description = "By name", body = Vec<RoomSummary>))
)]
pub async fn list_rooms(State(app): State<AppState>, access: Access) -> ApiResult<Json<Vec<RoomSummary>>> {
    access.require_role(Role::Viewer)?;
    let mut summaries = Vec::new();
    for room in app.registry.list() {
        if access.require(Role::Viewer, room.name().as_str()).is_err() {
            continue;
        }
        // A room that ends at this moment is left out.
        if let Ok(summary) = room.summary().await {
            summaries.push(summary);
        }
    }
    Ok(Json(summaries))
}

/// Returns the whole room: settings, layout, participants, outputs, health.
#[utoipa::path(
    get, path = "/rooms/{room}", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "The room; `ETag` is its revision", body = RoomState),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_room(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    let state = find(&app, &room.name)?.state().await?;
    let state = if access.role < Role::Producer { state.without_targets() } else { state };
    Ok(tagged(StatusCode::OK, Revision(state.revision), state))
}

/// Creates a room, or changes its settings. The room stays until it is deleted.
#[utoipa::path(
    put, path = "/rooms/{room}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name: 1 to 64 of `A-Z a-z 0-9 _ -`"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = RoomSettings,
    responses(
        (status = 200, description = "Changed", body = RoomState),
        (status = 201, description = "Created", body = RoomState),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 429, description = "The server's limit of rooms is reached",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Rooms that are over still end, or the server cannot make the layout ready now; \
            `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    body: Option<ApiJson<RoomSettings>>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let RoomSettings { canvas, max_participants, hold_ms, keypoints, guests_land, locked } =
        body.map(|ApiJson(body)| body).unwrap_or_default();
    bounds::check_participants(&app, &access, max_participants, "/max_participants")?;
    let known = find_to_direct(&app, &access, &room.name).ok();
    let is_made = known.is_none() && !guard.0.is_present();
    let promise = if is_made { Some(app.founders.admit(&app, &access, &room.name)?) } else { None };
    let change = SettingsChange { canvas, max_participants, hold_ms, keypoints, guests_land, locked };
    let (handle, is_new) = app.registry.put(&room.name, &change, &guard.0).await.map_err(|error| match error {
        // A precondition on something that is not there fails.
        RoomError::NoRoom if guard.0.is_present() => Problem::precondition_failed(error.to_string()),
        error => error.into(),
    })?;
    promise.into_iter().for_each(|promise| promise.keep(&handle));
    let state = handle.state().await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(tagged(status, Revision(state.revision), state))
}

/// Ends a room: everybody is disconnected, outputs stop, and the assets that belong to it are deleted.
#[utoipa::path(
    delete, path = "/rooms/{room}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
) -> ApiResult<StatusCode> {
    access.require(Role::Producer, room.name.as_str())?;
    app.registry.remove(&room.name, &guard.0).await?;
    // Who makes a room of this name later is somebody else.
    app.assets.of_room(&room.name).clear().await?;
    hls::forget(&app, &room.name, None).await;
    Ok(StatusCode::NO_CONTENT)
}
