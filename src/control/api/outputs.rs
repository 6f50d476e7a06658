//! Where a room is sent. Stream keys come in and never go out again.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    bounds, capacity,
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    rooms::{ItemPath, Precondition, RoomPath, find},
};
use crate::{
    control::room::{Output, OutputKind},
    layout::Fault,
    media::port::{OutputTarget, RtmpAddress},
};

/// The routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/outputs", get(list_outputs).post(post_output))
        .route("/rooms/{room}/outputs/{id}", get(get_output).delete(delete_output))
}

/// A new output. Without `Debug`: the URL holds the stream key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutput {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: OutputKind,
    /// Where to: `rtmp://host/app/key` or `rtmps://…`, at most 2048 bytes. What stands behind the host is sent as it is
    /// written: nothing is decoded.
    #[schema(example = "rtmp://live.example/app/stream-key")]
    pub url: String,
    /// The stream key, where the URL ends with the application: needed for keys with a slash.
    pub key: Option<String>,
}

impl NewOutput {
    fn target(&self) -> ApiResult<OutputTarget> {
        match self.kind {
            OutputKind::Rtmp => match RtmpAddress::parse(&self.url, self.key.as_deref()) {
                Ok(address) => Ok(OutputTarget::Rtmp(address)),
                Err(detail) => {
                    Err(Problem::invalid(vec![Fault { pointer: "/url".to_owned(), detail: detail.to_owned() }]))
                }
            },
        }
    }
}

/// All outputs of the room.
#[utoipa::path(
    get, path = "/rooms/{room}/outputs", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "Oldest first", body = Vec<Output>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_outputs(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Json<Vec<Output>>> {
    access.require(Role::Producer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.outputs().await?))
}

/// Starts sending the room somewhere. Into networks of the server's own (loopback, private addresses) only an admin may,
/// or a producer where the server runs with `--internal-outputs`.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = NewOutput,
    responses(
        (status = 201, description = "Made; `Location` is its address", body = Output),
        (status = 409, description = "The room has too many outputs",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_output(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    body: ApiJson<NewOutput>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let target = body.0.target()?;
    bounds::check_target(&app, &access, &target).await?;
    let promise = app.capacity.admit(capacity::OUTPUT)?;
    let (revision, output) = find(&app, &room.name)?.add_output(target, &guard.0).await?;
    promise.keep();
    let location = format!("/api/v1/rooms/{}/outputs/{}", room.name, output.id);
    let headers = [(header::LOCATION, location), (header::ETAG, revision.etag())];
    Ok((StatusCode::CREATED, headers, Json(output)).into_response())
}

/// One output.
#[utoipa::path(
    get, path = "/rooms/{room}/outputs/{id}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The output's id"),
    ),
    responses(
        (status = 200, description = "The output", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_output(State(app): State<AppState>, access: Access, output: ItemPath) -> ApiResult<Json<Output>> {
    access.require(Role::Producer, output.name.as_str())?;
    Ok(Json(find(&app, &output.name)?.output(output.id).await?))
}

/// Stops and forgets an output.
#[utoipa::path(
    delete, path = "/rooms/{room}/outputs/{id}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The output's id"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 204, description = "Stopped"),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_output(
    State(app): State<AppState>,
    access: Access,
    output: ItemPath,
    guard: Precondition,
) -> ApiResult<Response> {
    access.require(Role::Producer, output.name.as_str())?;
    let (revision, _) = find(&app, &output.name)?.remove_output(output.id, &guard.0).await?;
    Ok((StatusCode::NO_CONTENT, [(header::ETAG, revision.etag())]).into_response())
}
