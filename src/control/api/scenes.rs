//! Stored scenes of a room, and which of them is shown.

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    AppState,
    auth::{Access, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
    room_path::{ItemPath, Precondition, RoomPath, find, find_to_direct, tagged},
};
use crate::{
    control::room::{Revision, SceneChoice, SceneEntry, SceneName, SceneView, state::record::named_layouts},
    layout::schema::Layout,
};

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/scenes", get(list_scenes).put(put_scenes))
        // No scene has these two names; `{id}` is the name of one.
        .route("/rooms/{room}/scenes/next", post(next_scene))
        .route("/rooms/{room}/scenes/previous", post(previous_scene))
        .route("/rooms/{room}/scenes/{id}", get(get_scene).put(put_scene).delete(delete_scene))
        .route("/rooms/{room}/scenes/{id}/activate", post(activate_scene))
}

/// `?boxes=true`: also return where all of it would stand.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct WithBoxes {
    #[serde(default)]
    boxes: bool,
}

/// Returns all scenes of a room, in order.
#[utoipa::path(
    get, path = "/rooms/{room}/scenes", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("boxes" = Option<bool>, Query, description = "Also return where all of each scene would stand now; for those \
            who direct the room. A text that is not measured within two seconds has `hidden: no_asset`; ask again"),
    ),
    responses(
        (status = 200, description = "In order; `ETag` is the room's revision", body = Vec<SceneView>),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list_scenes(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    query: Result<Query<WithBoxes>, QueryRejection>,
) -> ApiResult<Response> {
    let Query(WithBoxes { boxes }) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    // Texts are measured for the boxes.
    access.require(if boxes { Role::Producer } else { Role::Viewer }, room.name.as_str())?;
    let room = find(&app, &room.name)?;
    let (revision, scenes) = if boxes { room.scenes_with_boxes().await? } else { room.scenes().await? };
    Ok(tagged(StatusCode::OK, revision, scenes))
}

/// Stores these scenes, in this order, and no others. What the canvas shows stays.
#[utoipa::path(
    put, path = "/rooms/{room}/scenes", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = Vec<SceneEntry>,
    responses(
        (status = 200, description = "The scenes as they are kept", body = Vec<SceneView>),
        (status = 409, description = "An output shows a scene that is gone, or what outputs show would be more than the \
            machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the list",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_scenes(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    body: ApiJson<Vec<SceneEntry>>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let list = named_layouts(&body.0, "").map_err(Problem::invalid)?;
    let room = find_to_direct(&app, &access, &room.name)?;
    let (revision, stored) = room.put_scenes(&list, &guard.0).await?;
    let mut scenes = Vec::with_capacity(stored.len());
    for scene in stored {
        scenes.push(room.warned(scene).await);
    }
    Ok(tagged(StatusCode::OK, revision, scenes))
}

/// Returns one scene.
#[utoipa::path(
    get, path = "/rooms/{room}/scenes/{name}", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("name" = String, Path, description = "The scene's name"),
    ),
    responses(
        (status = 200, description = "`ETag` is the room's revision", body = SceneView),
        (status = 404, description = "No such room or scene",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn get_scene(State(app): State<AppState>, access: Access, scene: ItemPath) -> ApiResult<Response> {
    access.require(Role::Viewer, scene.name.as_str())?;
    let (revision, view) = find(&app, &scene.name)?.scene(scene_name(&scene.id)?).await?;
    Ok(tagged(StatusCode::OK, revision, view))
}

/// Stores a scene: this layout, or without a body what the canvas shows now. A new one comes behind all others. Keys
/// of the canvas that the layout leaves out are the room's when the scene is shown.
#[utoipa::path(
    put, path = "/rooms/{room}/scenes/{name}", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("name" = String, Path, description = "The scene's name: 1 to 64 characters, not `/ \\ ? # %`, no dot in \
            front, and not `next` or `previous`"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = Option<Layout>,
    responses(
        (status = 200, description = "Stored in place of an older one", body = SceneView),
        (status = 201, description = "Stored; the name was free", body = SceneView),
        (status = 409, description = "The room has as many scenes as it may, or its outputs would be more than \
            the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the layout",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_scene(
    State(app): State<AppState>,
    access: Access,
    scene: ItemPath,
    guard: Precondition,
    body: Option<ApiJson<Value>>,
) -> ApiResult<Response> {
    access.require(Role::Producer, scene.name.as_str())?;
    let new = (scene_name(&scene.id)?, body.map(|ApiJson(layout)| layout));
    let room = find_to_direct(&app, &access, &scene.name)?;
    let (revision, view, is_new) = room.put_scene(new, &guard.0).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(tagged(status, revision, room.warned(view).await))
}

/// Forgets a scene. The canvas goes on showing it if it does.
#[utoipa::path(
    delete, path = "/rooms/{room}/scenes/{name}", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("name" = String, Path, description = "The scene's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 404, description = "No such room or scene",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete_scene(
    State(app): State<AppState>,
    access: Access,
    scene: ItemPath,
    guard: Precondition,
) -> ApiResult<StatusCode> {
    access.require(Role::Producer, scene.name.as_str())?;
    find(&app, &scene.name)?.remove_scene(scene_name(&scene.id)?, &guard.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a scene to everyone, from the next frame on.
#[utoipa::path(
    post, path = "/rooms/{room}/scenes/{name}/activate", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("name" = String, Path, description = "The scene's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 200, description = "The scene that is shown", body = SceneView),
        (status = 404, description = "No such room or scene",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room's outputs would be more than the machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Places of the scene's layout that cannot be shown any more",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn activate_scene(
    State(app): State<AppState>,
    access: Access,
    scene: ItemPath,
    guard: Precondition,
) -> ApiResult<Response> {
    let choice = SceneChoice::Named(scene_name(&scene.id)?);
    let room = RoomPath { name: scene.name };
    activate(&app, &access, &room, &choice, &guard).await
}

/// Shows the scene after the one that was shown last, to everyone. At the end of the list that one stays. The first
/// one, when none was shown.
#[utoipa::path(
    post, path = "/rooms/{room}/scenes/next", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 200, description = "The scene that is shown", body = SceneView),
        (status = 404, description = "No such room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room has no scenes, or its outputs would be more than the machine encodes \
            for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn next_scene(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
) -> ApiResult<Response> {
    activate(&app, &access, &room, &SceneChoice::Next, &guard).await
}

/// Shows the scene before the one that was shown last, to everyone. At the beginning of the list that one stays. The
/// last one, when none was shown.
#[utoipa::path(
    post, path = "/rooms/{room}/scenes/previous", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    responses(
        (status = 200, description = "The scene that is shown", body = SceneView),
        (status = 404, description = "No such room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room has no scenes, or its outputs would be more than the machine encodes \
            for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn previous_scene(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
) -> ApiResult<Response> {
    activate(&app, &access, &room, &SceneChoice::Previous, &guard).await
}

async fn activate(
    app: &AppState,
    access: &Access,
    room: &RoomPath,
    choice: &SceneChoice,
    guard: &Precondition,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let room = find_to_direct(app, access, &room.name)?;
    let (revision, view): (Revision, SceneView) = room.activate_scene(choice, &guard.0).await?;
    Ok(tagged(StatusCode::OK, revision, room.warned(view).await))
}

fn scene_name(text: &str) -> ApiResult<SceneName> {
    SceneName::parse(text).map_err(Problem::from)
}
