//! A room's timers: `{countdown TIMER}` and `{stopwatch TIMER}` of its texts.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, RoomPath, find},
};
use crate::control::room::state::{
    data::check_key,
    timer::{Course, TimerOrder, TimerView, check_course},
};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/timers", get(list_timers))
        .route("/rooms/{room}/timers/{id}", get(get_timer).delete(delete_timer))
        .route("/rooms/{room}/timers/{id}/start", post(start_timer))
        .route("/rooms/{room}/timers/{id}/stop", post(stop_timer))
        .route("/rooms/{room}/timers/{id}/reset", post(reset_timer))
}

/// The length of a countdown, and the scene that comes then.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimerLength {
    /// Seconds. Left out: as before; a timer that never had a length only counts up.
    #[schema(minimum = 1, maximum = 86400, example = 300)]
    pub seconds: Option<u64>,
    /// The scene that is shown at the end: its name, `next` or `previous`. Only beside `seconds`.
    #[schema(example = "Live")]
    pub scene: Option<String>,
}

impl TimerLength {
    fn course(body: Option<ApiJson<Self>>) -> ApiResult<Option<Course>> {
        let Self { seconds, scene } = body.map(|ApiJson(length)| length).unwrap_or_default();
        check_course(seconds, scene.as_deref()).map_err(|fault| Problem::invalid(vec![fault]))
    }
}

/// Returns all timers, by id.
#[utoipa::path(
    get, path = "/rooms/{room}/timers", tag = "data",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "By id", body = Vec<TimerView>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_timers(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
) -> ApiResult<Json<Vec<TimerView>>> {
    access.require(Role::Viewer, room.name.as_str())?;
    Ok(Json(find(&app, &room.name)?.timers().await?))
}

/// Returns one timer.
#[utoipa::path(
    get, path = "/rooms/{room}/timers/{id}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The timer's id"),
    ),
    responses(
        (status = 200, description = "The timer", body = TimerView),
        (status = 404, description = "No such room or timer",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_timer(State(app): State<AppState>, access: Access, timer: ItemPath) -> ApiResult<Json<TimerView>> {
    access.require(Role::Viewer, timer.name.as_str())?;
    Ok(Json(find(&app, &timer.name)?.timer(timer.id).await?))
}

/// Starts a timer, and makes it where it is missing. With `seconds` it counts down from there. Without, it goes on from
/// where it is; one that has ended begins again, and a new one counts up. At the end of a countdown, `timer_ended` comes
/// among the events, and `scene` is shown if one is given. A timer goes on while the server is started again.
#[utoipa::path(
    post, path = "/rooms/{room}/timers/{id}/start", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The timer's id: 1 to 64 of `A-Z a-z 0-9 _ -`"),
    ),
    request_body = Option<TimerLength>,
    responses(
        (status = 200, description = "It runs", body = TimerView),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room has as many timers as it may",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The id or the body is wrong",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn start_timer(
    State(app): State<AppState>,
    access: Access,
    timer: ItemPath,
    body: Option<ApiJson<TimerLength>>,
) -> ApiResult<Json<TimerView>> {
    access.require(Role::Producer, timer.name.as_str())?;
    let course = TimerLength::course(body)?;
    order(&app, timer, TimerOrder::Start(course)).await
}

/// Stops a timer where it is.
#[utoipa::path(
    post, path = "/rooms/{room}/timers/{id}/stop", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The timer's id"),
    ),
    responses(
        (status = 200, description = "It stands", body = TimerView),
        (status = 404, description = "No such room or timer",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn stop_timer(State(app): State<AppState>, access: Access, timer: ItemPath) -> ApiResult<Json<TimerView>> {
    access.require(Role::Producer, timer.name.as_str())?;
    order(&app, timer, TimerOrder::Stop).await
}

/// Puts a timer back to its beginning, where it stands, and makes it where it is missing. `seconds` gives it another
/// length.
#[utoipa::path(
    post, path = "/rooms/{room}/timers/{id}/reset", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The timer's id: 1 to 64 of `A-Z a-z 0-9 _ -`"),
    ),
    request_body = Option<TimerLength>,
    responses(
        (status = 200, description = "It stands at its beginning", body = TimerView),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room has as many timers as it may",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The id or the body is wrong",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn reset_timer(
    State(app): State<AppState>,
    access: Access,
    timer: ItemPath,
    body: Option<ApiJson<TimerLength>>,
) -> ApiResult<Json<TimerView>> {
    access.require(Role::Producer, timer.name.as_str())?;
    let course = TimerLength::course(body)?;
    order(&app, timer, TimerOrder::Reset(course)).await
}

/// Forgets a timer.
#[utoipa::path(
    delete, path = "/rooms/{room}/timers/{id}", tag = "data",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The timer's id"),
    ),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "No such room or timer",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_timer(State(app): State<AppState>, access: Access, timer: ItemPath) -> ApiResult<StatusCode> {
    access.require(Role::Producer, timer.name.as_str())?;
    find(&app, &timer.name)?.remove_timer(timer.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a timer do something, for who may.
async fn order(app: &AppState, timer: ItemPath, order: TimerOrder) -> ApiResult<Json<TimerView>> {
    check_key(&timer.id, "").map_err(|fault| Problem::unprocessable(format!("the timer {}", fault.detail)))?;
    Ok(Json(find(app, &timer.name)?.order_timer(timer.id, order).await?))
}
