//! Whether the server lives and is ready, and its numbers.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
};
use crate::{control::room::Storing, telemetry};

/// Returns the routes, at the top level.
pub fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(live)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// The readiness of the server: whether it takes requests, and what it can do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// `ready`; `degraded` while the disk refuses rooms (requests are taken all the same); `failing` while a room waits
    /// for new media; `draining` while the server ends.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// Cutting people out.
    pub segmentation: SegmentationReadiness,
    /// The rooms.
    pub rooms: RoomsReadiness,
    /// The files of stored rooms.
    pub storage: StorageReadiness,
}

/// The state of the rooms.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RoomsReadiness {
    /// Number of rooms that wait for new media or a new task after a fault.
    pub down: usize,
    /// Number of times that a room was begun again after a fault, since the server's start.
    pub rebuilds: u64,
}

/// The state of storage: whether what was changed in rooms is on the disk.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StorageReadiness {
    /// Number of rooms whose newest state the disk has refused so far. It is tried again.
    pub unstored_rooms: usize,
    /// Since when there are such rooms.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// The newest error of the disk; null while it takes all.
    pub error: Option<String>,
}

/// The state of segmentation: whether people can be cut out. Without it, whole pictures are shown, and the server is
/// ready all the same.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentationReadiness {
    /// Whether a model is loaded.
    pub available: bool,
    /// Its name.
    pub model: Option<String>,
    /// Reason why it is missing.
    pub reason: Option<String>,
    /// Whether the model finds keypoints, too.
    pub keypoints: bool,
}

/// Says that the server lives
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It lives", body = String)))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// Says whether the server takes requests
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "It does", body = Readiness),
    (status = 503, description = "It is ending, or a room waits for new media", body = Readiness),
))]
pub async fn ready(State(state): State<AppState>) -> Response {
    let segmentation = state.registry.segmentation();
    let draining = state.registry.is_draining();
    let (down, rebuilds) = state.registry.rebuilding();
    let Storing { unstored, since, error } = state.registry.storing();
    let (status, told) = match (draining, down, unstored) {
        (true, ..) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (_, 1.., _) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
        (_, _, 1..) => (StatusCode::OK, "degraded"),
        _ => (StatusCode::OK, "ready"),
    };
    let readiness = Readiness {
        status: told,
        version: env!("CARGO_PKG_VERSION"),
        segmentation: SegmentationReadiness {
            available: segmentation.model.is_some(),
            model: segmentation.model,
            reason: segmentation.reason,
            keypoints: segmentation.keypoints,
        },
        rooms: RoomsReadiness { down, rebuilds },
        storage: StorageReadiness { unstored_rooms: unstored, since, error },
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}

/// Gives the server's numbers for Prometheus
///
/// Needs the role `admin`, which everybody has on an open server.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "Text exposition format", body = String, content_type = "text/plain"),
    (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
))]
pub async fn metrics(access: Access) -> ApiResult<Response> {
    access.require_everywhere(Role::Admin)?;
    let handle = telemetry::metrics();
    // Keeps histograms from growing between scrapes.
    handle.run_upkeep();
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, handle.render()).into_response())
}
