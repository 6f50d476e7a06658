//! A room's chat: lines that `{chat}` of its texts shows, and that the page hears of.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, ProblemSchema},
    room_path::{ItemPath, RoomPath, find},
};
use crate::control::room::{
    RoomError,
    state::chat::{ChatLine, NewChatLine},
};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/chat", get(list_chat).post(post_chat).delete(clear_chat))
        .route("/rooms/{room}/chat/{id}", axum::routing::delete(delete_chat))
}

/// Returns the last lines.
#[utoipa::path(
    get, path = "/rooms/{room}/chat", tag = "data",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "At most 100, oldest first", body = Vec<ChatLine>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_chat(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Json<Vec<ChatLine>>> {
    access.require(Role::Viewer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.chat().await?))
}

/// Adds a line, for instance of the chat of a streaming service. Texts with `{chat}` show it at once, and `chat_line`
/// comes among the events. Lines are not stored.
#[utoipa::path(
    post, path = "/rooms/{room}/chat", tag = "data",
    params(("room" = String, Path, description = "The room's name")),
    request_body = NewChatLine,
    responses(
        (status = 201, description = "The line", body = ChatLine),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 429, description = "More lines than the room takes in a second; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_chat(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    body: ApiJson<NewChatLine>,
) -> ApiResult<(StatusCode, Json<ChatLine>)> {
    access.require(Role::Producer, room.name.as_str())?;
    body.0.check()?;
    Ok((StatusCode::CREATED, Json(find(&app, &room.name)?.add_chat(body.0).await?)))
}

/// Takes all lines away.
#[utoipa::path(
    delete, path = "/rooms/{room}/chat", tag = "data",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 204, description = "There are no lines"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn clear_chat(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<StatusCode> {
    access.require(Role::Producer, room.name.as_str())?;
    find(&app, &room.name)?.remove_chat(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes one line away.
#[utoipa::path(
    delete, path = "/rooms/{room}/chat/{id}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = u64, Path, description = "The line's id"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such room or line",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_chat(State(app): State<AppState>, access: Access, line: ItemPath) -> ApiResult<StatusCode> {
    access.require(Role::Producer, line.name.as_str())?;
    let id: u64 = line.id.parse().map_err(|_| RoomError::NoChatLine)?;
    match find(&app, &line.name)?.remove_chat(Some(id)).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(RoomError::NoChatLine.into()),
    }
}
