//! A room's events as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::{StreamExt as _, stream};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
    rooms::{RoomPath, find},
};
use crate::control::room::Event;

/// How often an idle stream is written to: proxies drop what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/events", get(room_events))
}

/// What happens in the room, as it happens. The first event is `room_changed` with the whole room, and so is one that
/// stands in place of events which a slow listener missed. While the room's `keypoints` is true, `poses` tells where
/// people are, at most ten times a second. The stream ends after `room_ended`, and when the
/// token is over or taken back. Those who do not direct the room get no `url` of outputs.
#[utoipa::path(
    get, path = "/rooms/{room}/events", tag = "events",
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 200, description = "Server-sent events; `event` is the type, `data` the JSON",
         body = Event, content_type = "text/event-stream"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn room_events(State(app): State<AppState>, access: Access, room: RoomPath) -> ApiResult<Response> {
    access.require(Role::Viewer, room.name.as_str())?;
    let (state, feed) = find(&app, &room.name)?.listen_with_poses().await?;
    let first = Some(Arc::new(Event::snapshot(state)));
    let directs = access.role >= Role::Producer;
    let events = stream::unfold((first, feed), move |(first, mut feed)| async move {
        let event = match first {
            Some(event) => event,
            None => feed.next().await?,
        };
        let event = if directs { event } else { event.without_targets() };
        Some((Ok::<_, Infallible>(message(&event)), (None, feed)))
    });
    // The stream ends when its listener may not go on.
    let events = events.take_until(async move { app.auth.over(&access).await });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn message(event: &Event) -> sse::Event {
    let data = serde_json::to_string(event).expect("events are plain structs with string keys");
    sse::Event::default().event(event.name()).data(data)
}
