//! Whether the server lives and is ready, and its numbers.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::Serialize;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
};
use crate::telemetry;

/// The routes, at the top level.
pub fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(live)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// Whether the server takes requests, and what it can do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// `ready`, or `draining` while the server ends.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// Cutting people out.
    pub segmentation: SegmentationReadiness,
}

/// Whether people can be cut out. Without, whole pictures are shown, and the server is ready all the same.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentationReadiness {
    /// Whether a model is loaded.
    pub available: bool,
    /// Its name.
    pub model: Option<String>,
    /// Why there is none.
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
    (status = 503, description = "It is ending", body = Readiness),
))]
pub async fn ready(State(state): State<AppState>) -> Response {
    let segmentation = state.registry.segmentation();
    let draining = state.registry.is_draining();
    let readiness = Readiness {
        status: if draining { "draining" } else { "ready" },
        version: env!("CARGO_PKG_VERSION"),
        segmentation: SegmentationReadiness {
            available: segmentation.model.is_some(),
            model: segmentation.model,
            reason: segmentation.reason,
            keypoints: segmentation.keypoints,
        },
    };
    let status = if draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
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
