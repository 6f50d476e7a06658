//! Places of people in their pictures, by keypoints.

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
    room_path::{RoomPath, find},
};
use crate::control::room::RoomPoses;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/poses", get(get_poses))
}

/// Returns the places of people in their pictures now: up to five people in each, each with 17 keypoints. The room's `keypoints`
/// must be on. The room's events report the same again and again.
#[utoipa::path(
    get, path = "/rooms/{room}/poses", tag = "participants",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "By participant, in order of joining", body = RoomPoses),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room's `keypoints` is false",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "There is no model, or one that finds no keypoints",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_poses(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    let poses = find(&app, &room.name)?.poses().await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(poses)).into_response())
}
