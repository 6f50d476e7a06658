//! Those whom moderators have barred from a room. `DELETE` of a participant with `?ban=true` bars somebody.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get},
};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
    room_path::{ItemPath, RoomPath, find},
};
use crate::control::room::state::ban::Ban;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/bans", get(list_bans)).route("/rooms/{room}/bans/{id}", delete(delete_ban))
}

/// Everybody who is barred from the room, in the order in which that was done.
#[utoipa::path(
    get, path = "/rooms/{room}/bans", tag = "participants",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "In the order in which they were barred", body = Vec<Ban>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_bans(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Json<Vec<Ban>>> {
    access.require(Role::Producer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.bans().await?))
}

/// Lets somebody into the room again who was barred.
#[utoipa::path(
    delete, path = "/rooms/{room}/bans/{id}", tag = "participants",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The ban's id"),
    ),
    responses(
        (status = 204, description = "They may come again"),
        (status = 404, description = "No such room or ban",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_ban(State(app): State<AppState>, access: Access, ban: ItemPath) -> ApiResult<StatusCode> {
    access.require(Role::Producer, ban.name.as_str())?;
    find(&app, &ban.name)?.lift_ban(ban.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
