//! Outputs and recordings of a room. Stream keys come in and never go out again.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    bounds, capacity, hls,
    problem::{ApiJson, ApiResult, Problem, ProblemSchema, shape},
    room_path::{ItemPath, Precondition, RoomPath, find, find_to_direct},
};
use crate::{
    control::room::{Marker, Output, OutputDocument, RoomName},
    layout::{Fault, limits, merge},
    media::port::{Blame, OutputKind, OutputSpec, TrialStep},
};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/outputs", get(list_outputs).post(post_output))
        .route("/rooms/{room}/outputs/test", post(test_output))
        .route("/rooms/{room}/outputs/start", post(start_outputs))
        .route("/rooms/{room}/outputs/stop", post(stop_outputs))
        .route("/rooms/{room}/outputs/{id}", get(get_output).patch(patch_output).delete(delete_output))
        .route("/rooms/{room}/outputs/{id}/start", post(start_output))
        .route("/rooms/{room}/outputs/{id}/stop", post(stop_output))
        .route("/rooms/{room}/outputs/{id}/pause", post(pause_output))
        .route("/rooms/{room}/outputs/{id}/resume", post(resume_output))
        .route("/rooms/{room}/markers", post(post_marker))
}

/// Reads what an output is to be, and whether the caller may send a room there. `shown`: whether its picture is checked,
/// too.
async fn spec_of(
    app: &AppState,
    access: &Access,
    room: &RoomName,
    document: &OutputDocument,
    shown: bool,
) -> ApiResult<OutputSpec> {
    let mut spec = document.spec(room, app.registry.recordings()).map_err(Problem::invalid)?;
    if document.cutouts && app.registry.segmentation().model.is_none() {
        let detail = "needs a model that cuts people out, and this server runs without one".to_owned();
        return Err(Problem::invalid(vec![Fault { pointer: "/cutouts".to_owned(), detail }]));
    }
    if shown {
        find_to_direct(app, access, room)?.check_aux(document).await?;
    }
    bounds::check_target(app, access, room, &mut spec.target).await?;
    Ok(spec)
}

/// Returns all outputs of the room.
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

/// Starts sending the room somewhere. Into networks of the server's own (loopback, private addresses) only an admin
/// may, or a producer where the server runs with `--internal-outputs`.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = OutputDocument,
    responses(
        (status = 201, description = "Made; `Location` is its address", body = Output),
        (status = 409, description = "The room has too many outputs",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Outputs or rooms that are over still end, or the server cannot make its picture ready \
            now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_output(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    body: ApiJson<OutputDocument>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let spec = spec_of(&app, &access, &room.name, &body.0, true).await?;
    // Not while it waits for the room's other changes, or for its host to be found: others may build meanwhile.
    let callers = if spec.target.has_callers() { capacity::CALLERS } else { capacity::Cost::default() };
    let promise = app.capacity.admit(capacity::OUTPUT.and(callers), &access)?;
    let handle = find(&app, &room.name)?;
    let (revision, output) = handle.add_output(body.0, spec, &guard.0).await?;
    promise.keep(&handle);
    let location = format!("/api/v1/rooms/{}/outputs/{}", room.name, output.id);
    let headers = [(header::LOCATION, location), (header::ETAG, revision.etag())];
    Ok((StatusCode::CREATED, headers, Json(output)).into_response())
}

/// Trials at once, of all rooms and of one; half of them of one holder of tokens. Each takes a thread for up to ten seconds.
pub(super) const TRIALS: (usize, usize) = (8, 2);

/// The outcome of a trial.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputTrial {
    /// Whether all that can be tried without going live went well.
    pub ok: bool,
    /// The steps that were taken, in order. Which there are depends on the type.
    pub steps: Vec<TrialStep>,
    /// Time that all steps took together.
    pub milliseconds: u64,
    /// The step that failed.
    #[schema(value_type = Option<String>)]
    pub step: Option<&'static str>,
    /// The side that can mend that; null where no step failed.
    pub blame: Option<Blame>,
    /// The error of that step, without secrets.
    pub detail: Option<String>,
}

/// Tries what an output would be sent to, for at most ten seconds. Nothing is stored, and nobody sees anything: to an
/// RTMP server it connects and asks for the application, but does not publish, so that the stream key is not tried. An
/// SRT receiver is called with the passphrase and gets empty packets. Nothing is encoded, but what the room could not have
/// encoded beside its outputs is refused as it would be there.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/test", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    request_body = OutputDocument,
    responses(
        (status = 200, description = "Tried", body = OutputTrial),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Too many are being tried, or the server cannot make it ready now; `Retry-After` says \
            when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn test_output(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    body: ApiJson<OutputDocument>,
) -> ApiResult<Json<OutputTrial>> {
    access.require(Role::Producer, room.name.as_str())?;
    let handle = find(&app, &room.name)?;
    let spec = spec_of(&app, &access, &room.name, &body.0, true).await?;
    // A trial encodes nothing itself; it says no to what could not be started.
    handle.check_output(body.0, spec.clone()).await?;
    let place = app.trials.take(&room.name, access.holder().as_deref());
    let place = place.ok_or_else(|| Problem::unavailable("other outputs are being tried; try again later"))?;
    // It goes on, and keeps its place, when nobody waits for it any more.
    let trying = tokio::spawn(async move {
        let _place = place;
        handle.try_output(spec.target).await
    });
    let trial = trying.await.ok().flatten().ok_or_else(|| Problem::internal("the output cannot be tried"))?;
    let (step, fault) = trial.failed.unzip();
    Ok(Json(OutputTrial {
        ok: step.is_none(),
        steps: trial.steps,
        milliseconds: trial.milliseconds,
        step,
        blame: fault.as_ref().map(|fault| fault.blame),
        detail: fault.map(|fault| fault.text),
    }))
}

/// Returns one output.
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

/// Changes an output by a JSON Merge Patch (RFC 7396) of what it was made with. What is encoded changes at the next
/// keyframe, over the same connection; another address, or a recording or HLS, begins again. Another `url` needs its `key`
/// and `token` with it: those that are stored belong to the address before.
#[utoipa::path(
    patch, path = "/rooms/{room}/outputs/{id}", tag = "outputs",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The output's id"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body(content = Object, description = "The keys that change; null takes one away"),
    responses(
        (status = 200, description = "Changed", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn patch_output(
    State(app): State<AppState>,
    access: Access,
    output: ItemPath,
    guard: Precondition,
    body: ApiJson<Value>,
) -> ApiResult<Response> {
    access.require(Role::Producer, output.name.as_str())?;
    let room = find_to_direct(&app, &access, &output.name)?;
    let before = room.output_document(output.id.clone()).await?;
    let after = merge(&serde_json::to_value(&before).unwrap_or_default(), &body.0);
    let document: OutputDocument = shape(after).map_err(|problem| {
        let readable = |fault: Fault| Fault { detail: unreadable(fault.detail), ..fault };
        Problem::invalid(problem.errors.into_iter().map(readable).collect())
    })?;
    let carried = secrets_carried_away(&before, &document, &body.0);
    if !carried.is_empty() {
        return Err(Problem::invalid(carried));
    }
    // What it shows already was checked: one can be stopped whatever the server has left.
    let shows_another = document.aux() != before.aux();
    let spec = spec_of(&app, &access, &output.name, &document, shows_another).await?;
    let is_called = spec.target.has_callers() && document.url != before.url;
    let promise = is_called.then(|| app.capacity.admit(capacity::CALLERS, &access)).transpose()?;
    let (revision, output) = room.change_output(output.id, document, spec, &guard.0).await?;
    if let Some(promise) = promise {
        promise.keep(&room);
    }
    Ok(([(header::ETAG, revision.etag())], Json(output)).into_response())
}

/// Finds the stored secrets that a patch would send to another address than the one that they were given for. Producers
/// never see them, so they must not be able to have them sent to a server of their own.
fn secrets_carried_away(before: &OutputDocument, after: &OutputDocument, patch: &Value) -> Vec<Fault> {
    if after.url == before.url {
        return Vec::new();
    }
    let kept = |(name, secret): (&str, &Option<String>)| {
        let is_stored = secret.as_deref().is_some_and(|secret| !secret.is_empty()) && patch.get(name).is_none();
        let detail =
            "must be given with another `url`, or removed by null: the stored one belongs to the address before";
        is_stored.then(|| Fault { pointer: format!("/{name}"), detail: detail.to_owned() })
    };
    [("key", &after.key), ("token", &after.token)].into_iter().filter_map(kept).collect()
}

/// Says why a place of a merged document is wrong, without what is in it: that may be a part of an address.
fn unreadable(detail: String) -> String {
    // Only these name keys and kinds, of which nothing is secret.
    let may = ["unknown field", "missing field", "unknown variant"].iter().any(|kind| detail.starts_with(kind));
    if may { detail } else { "has the wrong type".to_owned() }
}

/// Starts an output; one that failed is tried again.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/{id}/start", tag = "outputs",
    params(("room" = String, Path, description = "The room's name"), ("id" = String, Path, description = "The output's id")),
    responses(
        (status = 200, description = "The output", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn start_output(State(app): State<AppState>, access: Access, output: ItemPath) -> ApiResult<Json<Output>> {
    enable(&app, &access, output, true).await
}

/// Stops an output, and keeps it.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/{id}/stop", tag = "outputs",
    params(("room" = String, Path, description = "The room's name"), ("id" = String, Path, description = "The output's id")),
    responses(
        (status = 200, description = "The output", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn stop_output(State(app): State<AppState>, access: Access, output: ItemPath) -> ApiResult<Json<Output>> {
    enable(&app, &access, output, false).await
}

async fn enable(app: &AppState, access: &Access, output: ItemPath, enabled: bool) -> ApiResult<Json<Output>> {
    access.require(Role::Producer, output.name.as_str())?;
    Ok(Json(find_to_direct(app, access, &output.name)?.enable_output(output.id, enabled).await?))
}

/// Pauses a recording: what is from now on is not in its file. A paused recording stays so over a restart.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/{id}/pause", tag = "outputs",
    params(("room" = String, Path, description = "The room's name"), ("id" = String, Path, description = "The output's id")),
    responses(
        (status = 200, description = "The output", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is not a recording, or does not run",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn pause_output(State(app): State<AppState>, access: Access, output: ItemPath) -> ApiResult<Json<Output>> {
    access.require(Role::Producer, output.name.as_str())?;
    Ok(Json(find(&app, &output.name)?.pause_output(output.id, true).await?))
}

/// Has a paused recording go on in the same file, without a gap, with the next keyframe.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/{id}/resume", tag = "outputs",
    params(("room" = String, Path, description = "The room's name"), ("id" = String, Path, description = "The output's id")),
    responses(
        (status = 200, description = "The output", body = Output),
        (status = 404, description = "No such room or output",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is not a recording, or does not run",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn resume_output(State(app): State<AppState>, access: Access, output: ItemPath) -> ApiResult<Json<Output>> {
    access.require(Role::Producer, output.name.as_str())?;
    Ok(Json(find(&app, &output.name)?.pause_output(output.id, false).await?))
}

/// A marker that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMarker {
    /// The moment's name: 1 to 100 characters, some of which can be seen, without control characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Greatest length of a marker's name, in characters.
const LONGEST_NAME: usize = 100;

/// Names this moment in all recordings that run; in one that is paused, the moment of its pause. Each has at most 1000.
#[utoipa::path(
    post, path = "/rooms/{room}/markers", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    request_body = NewMarker,
    responses(
        (status = 201, description = "Made; where it is in a recording, the list of recordings says", body = Marker),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "No recording runs, or all have their most",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the body",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_marker(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    body: ApiJson<NewMarker>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let name = body.0.name.trim();
    if name.chars().count() > LONGEST_NAME || !limits::is_readable(name) {
        let detail = format!(
            "must be 1 to {LONGEST_NAME} characters, some of which can be seen, without those that control text or its \
             direction"
        );
        return Err(Problem::invalid(vec![Fault { pointer: "/name".to_owned(), detail }]));
    }
    let marker = find(&app, &room.name)?.mark(name.into()).await?;
    Ok((StatusCode::CREATED, Json(marker)).into_response())
}

/// Starts all outputs of the room.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/start", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "All outputs, oldest first", body = Vec<Output>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn start_outputs(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
) -> ApiResult<Json<Vec<Output>>> {
    access.require(Role::Producer, room.name.as_str())?;
    Ok(Json(find_to_direct(&app, &access, &room.name)?.enable_outputs(true).await?))
}

/// Stops all outputs of the room, and keeps them.
#[utoipa::path(
    post, path = "/rooms/{room}/outputs/stop", tag = "outputs",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "All outputs, oldest first", body = Vec<Output>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn stop_outputs(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Json<Vec<Output>>> {
    access.require(Role::Producer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.enable_outputs(false).await?))
}

/// Stops and forgets an output. What it recorded stays; its HLS segments are deleted.
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
    let (revision, removed) = find(&app, &output.name)?.remove_output(output.id, &guard.0).await?;
    if removed.kind == OutputKind::Hls {
        hls::forget(&app, &output.name, Some(&removed.id)).await;
    }
    Ok((StatusCode::NO_CONTENT, [(header::ETAG, revision.etag())]).into_response())
}
