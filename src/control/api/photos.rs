//! The pictures that triggers took of the canvas.

use axum::{Json, Router, extract::State, response::Response, routing::get};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
    room_path::{ItemPath, RoomPath, find},
    snapshot::{StillFormat, picture, place},
};
use crate::control::room::Photo;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/photos", get(list_photos)).route("/rooms/{room}/photos/{id}", get(get_photo))
}

/// Returns the pictures that triggers took: the newest, as many as there is room for.
#[utoipa::path(
    get, path = "/rooms/{room}/photos", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "Oldest first", body = Vec<Photo>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_photos(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Json<Vec<Photo>>> {
    access.require(Role::Viewer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.photos().await?))
}

/// Returns one picture that a trigger took.
#[utoipa::path(
    get, path = "/rooms/{room}/photos/{id}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The picture's id"),
    ),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 404, description = "No such room or picture",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Too many pictures are asked for at once",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_photo(State(app): State<AppState>, access: Access, photo: ItemPath) -> ApiResult<Response> {
    access.require(Role::Viewer, photo.name.as_str())?;
    let frame = find(&app, &photo.name)?.photo(photo.id).await?;
    let place = place(&app, &access, &photo.name).await?;
    picture(place, frame, StillFormat::Jpeg).await
}
