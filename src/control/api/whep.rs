//! WHEP: a viewer receives the room with one POST of its offer. Sessions work as those of WHIP do.

use axum::{
    Router,
    extract::{OriginalUri, Query, Request, State},
    http::StatusCode,
    response::Response,
    routing::{patch, post},
};
use serde::Deserialize;

use super::{
    AppState,
    auth::{Access, Role},
    capacity,
    problem::{ApiResult, Problem, ProblemSchema},
    room_path::{Precondition, RoomPath, find},
    whip::{self, SessionPath},
};
use crate::{
    control::room::{Claim, ResourceKind, RoomError, Watching},
    media::port::check_offer,
};

/// Returns the routes of this resource, to be mounted under `/api/v1` and at the top.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/whep/{room}", post(post_whep).options(options_whep))
        .route("/whep/{room}/", post(post_whep).options(options_whep))
        .route("/whep/{room}/{session}", patch(patch_whep).delete(delete_whep).options(whip::resource_options))
}

/// Watches a room that exists.
#[utoipa::path(
    post, path = "/whep/{room}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("rendition" = Option<String>, Query, description = "Fixes the picture's size, by its height: `360p`. Without \
            it (or with `auto`) it is what the line carries"),
        ("name" = Option<String>, Query, description = "The name of the caller's own WHIP session: they do not hear \
            themselves. A token's name comes before it"),
    ),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer; `Location` is the session, `Link` the ICE servers",
         body = String, content_type = "application/sdp"),
        (status = 400, description = "The query or the SDP is malformed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 415, description = "No SDP", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The offer cannot be taken, or the room has no such rendition; the detail names the \
            m-line and its codecs",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 429, description = "The room, or the token, has too many viewers or too many that still connect",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server has nothing left to build it of; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_whep(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    posted_to: OriginalUri,
    request: Request,
) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    #[derive(Deserialize)]
    struct Parameters {
        rendition: Option<String>,
        name: Option<String>,
    }
    let Query(Parameters { rendition, name }) =
        Query::try_from_uri(request.uri()).map_err(|error| Problem::bad_request(error.body_text()))?;
    let name = access.name.clone().or(name);
    let claim = name.map(|name| Claim { subject: access.subject.clone(), name });
    let posted = whip::offer(request).await?;
    check_offer(&posted.offer, false).map_err(RoomError::Refused)?;
    let handle = find(&app, &room.name)?;
    let promise = app.capacity.admit(capacity::RECEIVER, &access)?;
    let bearer = access.bearer();
    let opened = handle.join_viewer(Watching { posted, claim, rendition, bearer }).await?;
    promise.keep(&handle);
    whip::created(&app, &posted_to, opened)
}

async fn options_whep(State(app): State<AppState>, access: ApiResult<Access>, room: RoomPath) -> Response {
    whip::endpoint_options(&app, access, Role::Viewer, &room)
}

/// Trickles candidates. An ICE restart is refused: make a new session. The session's secret is all that it takes.
#[utoipa::path(
    patch, path = "/whep/{room}/{session}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("session" = String, Path, description = "The session, as in `Location`"),
        ("If-Match" = Option<String>, Header, description = "The session's `ETag`"),
    ),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "Candidates"),
    responses(
        (status = 204, description = "Taken"),
        (status = 400, description = "Malformed", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such session",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The session has another tag",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "An ICE restart",
         body = ProblemSchema, content_type = "application/problem+json"),
    ),
    security(())
)]
pub async fn patch_whep(
    State(app): State<AppState>,
    session: SessionPath,
    guard: Precondition,
    request: Request,
) -> ApiResult<Response> {
    whip::trickle(&app, ResourceKind::Whep, session, &guard.0, request).await
}

/// Ends a session. The session's secret is all that it takes.
#[utoipa::path(
    delete, path = "/whep/{room}/{session}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("session" = String, Path, description = "The session, as in `Location`"),
    ),
    responses(
        (status = 200, description = "Ended"),
        (status = 404, description = "No such session",
         body = ProblemSchema, content_type = "application/problem+json"),
    ),
    security(())
)]
pub async fn delete_whep(State(app): State<AppState>, session: SessionPath) -> ApiResult<StatusCode> {
    find(&app, &session.room)?.close_resource(ResourceKind::Whep, session.secret).await?;
    Ok(StatusCode::OK)
}
