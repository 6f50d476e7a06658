//! A room's events, and those of note in all rooms, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiResult, ProblemSchema},
    room_path::{RoomPath, find},
};
use crate::control::room::{Entry, Event, ServerEvent};

/// Time between two writes to an idle stream: proxies drop what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events with layouts of outputs, which may have megabytes, are written down so many at once.
static LARGE: Semaphore = Semaphore::const_new(2);

/// The event that a reader of the whole server's events gets in place of those that it missed.
const MISSED: &str = "events_missed";

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/events", get(server_events)).route("/rooms/{room}/events", get(room_events))
}

/// Streams the room's events. The first one is `room_changed` with the whole room, and so is one that stands in place
/// of events which a slow listener missed. While the room's `keypoints` is true, `poses` says where people are, at most
/// ten times a second. The stream ends after `room_ended`, and when the token is over or taken back. Those who do not
/// direct the room get no `url` and no `layout` of outputs, and no `boxes_changed`.
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
    let events = stream::unfold((first, feed), move |(mut first, mut feed)| async move {
        loop {
            let event = match first.take() {
                Some(event) => event,
                None => feed.next().await?,
            };
            let event = if directs { Some(event) } else { event.for_guests() };
            if let Some(event) = event {
                return Some((Ok::<_, Infallible>(written(event).await?), (None, feed)));
            }
        }
    });
    // The stream ends when its listener may not go on.
    let events = events.take_until(async move { app.auth.over(&access).await });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Streams the notices of all rooms: rooms that start and end, people who join and leave, outputs whose state changes,
/// recordings that are finished. For the API key and for tokens for all rooms of the roles `admin` and `producer`, who
/// may see all of it room by room, too. A client that comes back with `Last-Event-ID` gets all that followed, as far as
/// it is kept (1024 events). `events_missed`, whose data is no `ServerEvent`, stands in place of missed ones. The
/// stream ends with the server, and when the token is over or taken back.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The id of the newest event that is known")),
    responses(
        (status = 200, description = "Server-sent events; `event` is the type, `id` the id, `data` the JSON",
         body = ServerEvent, content_type = "text/event-stream"),
        (status = 403, description = "The token is for one room, or its role is too small",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn server_events(State(app): State<AppState>, access: Access, headers: HeaderMap) -> ApiResult<Response> {
    access.require_everywhere(Role::Producer)?;
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let reader = app.registry.journal().read(known);
    let entries = stream::unfold(reader, |mut reader| async move {
        let entry = reader.next().await?;
        Some((Ok::<_, Infallible>(server_message(&entry)), reader))
    });
    let entries = entries.take_until(async move { app.auth.over(&access).await });
    Ok(Sse::new(entries).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn server_message(entry: &Entry) -> sse::Event {
    match entry {
        Entry::Event(event) => {
            let data = serde_json::to_string(event).expect("events are plain structs with string keys");
            sse::Event::default().event(event.what.name()).id(event.id.to_string()).data(data)
        }
        Entry::Missed => sse::Event::default().event(MISSED).data(json!({"type": MISSED}).to_string()),
    }
}

/// Writes an event down. `None`: the server ends.
async fn written(event: Arc<Event>) -> Option<sse::Event> {
    let has_layouts = match &*event {
        Event::RoomChanged { room, .. } => room.outputs.iter().any(|output| output.layout.is_some()),
        Event::OutputChanged { output } => output.layout.is_some(),
        _ => false,
    };
    if !has_layouts {
        return Some(message(&event));
    }
    // Many listeners who come at once would hold up all requests meanwhile.
    let _turn = LARGE.acquire().await.ok()?;
    spawn_blocking(move || message(&event)).await.ok()
}

fn message(event: &Event) -> sse::Event {
    let data = serde_json::to_string(event).expect("events are plain structs with string keys");
    sse::Event::default().event(event.name()).data(data)
}
