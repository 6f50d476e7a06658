//! The base of all resources of a room: its path, `If-Match`, `ETag`, and the problem that a room's refusal becomes.

use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{self, ApiResult, Problem},
};
use crate::{
    control::room::{Caller, IfMatch, MemberRole, Revision, RoomError, RoomHandle, RoomName},
    media::port::PeerRefused,
};

/// The room of a path `/rooms/{room}/…`.
#[derive(Debug, Clone)]
pub struct RoomPath {
    /// Its checked name.
    pub name: RoomName,
}

/// The room and the part of a path `/rooms/{room}/…/{id}`.
#[derive(Debug, Clone)]
pub struct ItemPath {
    /// The room's checked name.
    pub name: RoomName,
    /// The part's id, as it was written.
    pub id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for RoomPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Segments {
            room: String,
        }
        let Path(Segments { room }) =
            Path::from_request_parts(parts, state).await.map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self { name: RoomName::parse(&room)? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ItemPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Segments {
            room: String,
            id: String,
        }
        let Path(Segments { room, id }) =
            Path::from_request_parts(parts, state).await.map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self { name: RoomName::parse(&room)?, id })
    }
}

/// The request's `If-Match`.
#[derive(Debug, Clone)]
pub struct Precondition(pub IfMatch);

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let values: Vec<&str> =
            parts.headers.get_all(header::IF_MATCH).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        Ok(Self(if values.is_empty() { IfMatch::Absent } else { IfMatch::parse(&values.join(",")) }))
    }
}

/// Finds a room that exists.
pub(super) fn find(app: &AppState, name: &RoomName) -> ApiResult<RoomHandle> {
    app.registry.get(name).ok_or_else(|| RoomError::NoRoom.into())
}

/// Finds a room that the caller directs: what it has decoded from now on counts with them.
pub(super) fn find_to_direct(app: &AppState, access: &Access, name: &RoomName) -> ApiResult<RoomHandle> {
    let room = find(app, name)?;
    room.decode_for(access.holder());
    Ok(room)
}

/// Returns an answer with the room's revision as its `ETag`.
pub(super) fn tagged(status: StatusCode, revision: Revision, body: impl Serialize) -> Response {
    (status, [(header::ETAG, revision.etag())], Json(body)).into_response()
}

/// Returns the caller, as the room needs to know them.
pub(super) fn caller(app: &AppState, access: &Access, room: &RoomName) -> Caller {
    let role = match access.role {
        Role::Viewer | Role::Participant => MemberRole::Participant,
        Role::Producer => MemberRole::Producer,
        Role::Admin => MemberRole::Admin,
    };
    let reserved = app.auth.reserved_names(room.as_str(), access);
    Caller { role, bearer: access.bearer(), named: access.name.is_some(), reserved }
}

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Self {
        let detail = error.to_string();
        match error {
            RoomError::BadRoomName => Self::bad_request(detail),
            RoomError::BadDisplayName | RoomError::BadSceneName => Self::unprocessable(detail),
            RoomError::NoRoom
            | RoomError::NoParticipant
            | RoomError::NoOutput
            | RoomError::NoPhoto
            | RoomError::NoData
            | RoomError::NoTimer
            | RoomError::NoChatLine
            | RoomError::NoBan
            | RoomError::NoLayer
            | RoomError::NoScene
            | RoomError::NoConnection => Self::not_found(detail),
            RoomError::Locked | RoomError::Banned => Self::forbidden(detail),
            RoomError::Full { .. }
            | RoomError::TooManyOutputs { .. }
            | RoomError::TooMuchEncoded { .. }
            | RoomError::TooMuchSent { .. }
            | RoomError::TooManyScenes { .. }
            | RoomError::SceneInUse { .. }
            | RoomError::NoRecording
            | RoomError::NoRecordings
            | RoomError::TooManyMarkers { .. }
            | RoomError::TooManyData { .. }
            | RoomError::TooManyTimers { .. }
            | RoomError::TooManyBans { .. }
            | RoomError::NoScenes
            | RoomError::KeypointsOff
            | RoomError::Contended => Self::conflict(detail),
            RoomError::TooManyViewers { .. }
            | RoomError::TooManyRooms { .. }
            | RoomError::TooManyRoomsOfToken { .. }
            | RoomError::TooManyPlaces { .. } => Self::too_many(detail),
            RoomError::TooManyConnecting { .. } | RoomError::TooManyLines { .. } => {
                Self::too_many(detail).header(header::RETRY_AFTER, problem::RETRY_AFTER)
            }
            RoomError::Stale(stale) => {
                let problem = Self::precondition_failed(detail);
                match HeaderValue::from_str(&stale.current.etag()) {
                    Ok(etag) => problem.header(header::ETAG, etag),
                    Err(_) => problem,
                }
            }
            RoomError::Invalid(faults) => Self::invalid(faults),
            RoomError::Refused(PeerRefused::Unacceptable(_)) => Self::unprocessable(detail),
            RoomError::Refused(PeerRefused::Failed(_)) => Self::internal(detail),
            RoomError::Unavailable(_) | RoomError::OutputsStillEnd { .. } | RoomError::Draining => {
                Self::unavailable(detail)
            }
        }
    }
}
