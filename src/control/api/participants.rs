//! The people of a room, and moderation.

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, Precondition, RoomPath, find, tagged},
};
use crate::control::room::{Moderation, Participant};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/participants", get(list_participants)).route(
        "/rooms/{room}/participants/{id}",
        get(get_participant).patch(patch_participant).delete(delete_participant),
    )
}

/// Returns everyone in the room, in order of joining.
#[utoipa::path(
    get, path = "/rooms/{room}/participants", tag = "participants",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "In order of joining", body = Vec<Participant>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_participants(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
) -> ApiResult<Json<Vec<Participant>>> {
    access.require(Role::Viewer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.participants().await?))
}

/// Returns one participant.
#[utoipa::path(
    get, path = "/rooms/{room}/participants/{id}", tag = "participants",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id"),
    ),
    responses(
        (status = 200, description = "The participant", body = Participant),
        (status = 404, description = "No such room or participant",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_participant(
    State(app): State<AppState>,
    access: Access,
    participant: ItemPath,
) -> ApiResult<Json<Participant>> {
    access.require(Role::Viewer, participant.name.as_str())?;
    Ok(Json(find(&app, &participant.name)?.participant(participant.id).await?))
}

/// Silences, places in the mix, sets the volume of, or hides someone, or takes them into the programme or out of it.
#[utoipa::path(
    patch, path = "/rooms/{room}/participants/{id}", tag = "participants",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = Moderation,
    responses(
        (status = 200, description = "The participant as they are now", body = Participant),
        (status = 404, description = "No such room or participant",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn patch_participant(
    State(app): State<AppState>,
    access: Access,
    participant: ItemPath,
    guard: Precondition,
    body: ApiJson<Moderation>,
) -> ApiResult<Response> {
    access.require(Role::Producer, participant.name.as_str())?;
    let room = find(&app, &participant.name)?;
    let (revision, changed) = room.moderate(participant.id, body.0, &guard.0).await?;
    Ok(tagged(StatusCode::OK, revision, changed))
}

/// The way in which somebody is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Removal {
    /// Also keep them out until the room ends: who has their token is refused as a participant; of somebody without a
    /// token, who asks for their name without one.
    #[serde(default)]
    ban: bool,
}

/// Removes someone from the room. They may come again, unless they are barred.
#[utoipa::path(
    delete, path = "/rooms/{room}/participants/{id}", tag = "participants",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id"),
        Removal,
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such room or participant",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room bars as many as it may",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_participant(
    State(app): State<AppState>,
    access: Access,
    participant: ItemPath,
    removal: Result<Query<Removal>, QueryRejection>,
    guard: Precondition,
) -> ApiResult<Response> {
    access.require(Role::Producer, participant.name.as_str())?;
    let Query(Removal { ban }) = removal.map_err(|error| Problem::bad_request(error.body_text()))?;
    let room = find(&app, &participant.name)?;
    let (revision, _) = match ban {
        true => room.ban(participant.id, &guard.0).await?,
        false => room.kick(participant.id, &guard.0).await?,
    };
    Ok((StatusCode::NO_CONTENT, [(header::ETAG, revision.etag())]).into_response())
}
