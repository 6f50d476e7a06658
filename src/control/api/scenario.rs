//! A whole scenario: all scenes of a room at once, native or as the application Virfie has them.

use std::collections::HashMap;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::StatusCode,
    response::Response,
    routing::put,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AppState,
    auth::{Access, Role},
    layout::DryRun,
    problem::{self, ApiResult, FaultSchema, Problem, ProblemSchema},
    room_path::{Precondition, RoomPath, find_to_direct, tagged},
};
use crate::{
    control::{
        assets::{AssetStore, kind::AssetKind},
        room::{Loaded, Scenario, SceneEntry, SceneView, state::record::named_layouts},
    },
    layout::{
        Fault,
        scenario::{Asset, Files, Node},
    },
};

/// Largest scenario that is taken, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/scenario", put(put_scenario).layer(DefaultBodyLimit::max(MAX_BYTES)))
}

/// A native scenario.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Scenario)]
pub struct NativeScenario {
    /// In order, at least one; the first one is shown.
    #[schema(min_items = 1, max_items = 100)]
    pub scenes: Vec<SceneEntry>,
}

/// The result of loading a scenario.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoadedScenario {
    /// The scenes as they are kept.
    pub scenes: Vec<SceneView>,
    /// Assets that it names and the server lacks, which are left out, and characters that no font has.
    pub warnings: Vec<FaultSchema>,
    /// The files that a Virfie scenario names.
    pub assets: Vec<ScenarioAsset>,
}

/// A file that a Virfie scenario names.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScenarioAsset {
    /// Its path below `/static/`.
    pub path: String,
    /// The name of the asset that is taken for it.
    pub name: String,
    /// Whether there is one.
    pub found: bool,
}

impl From<Loaded> for LoadedScenario {
    fn from(loaded: Loaded) -> Self {
        let warning = |Fault { pointer, detail }| FaultSchema { pointer, detail };
        Self {
            scenes: loaded.scenes,
            warnings: loaded.warnings.into_iter().map(warning).collect(),
            assets: loaded
                .assets
                .into_iter()
                .map(|(named, found)| ScenarioAsset { path: named.path, name: named.name, found })
                .collect(),
        }
    }
}

/// Replaces all scenes and shows the first one, at one revision: `{"scenes": [{"name", "layout"}]}`, or a scenario file
/// of the application Virfie as it is (JSON, or the script it comes in). What such a file asks for and the server does
/// not have is a warning in the answer; its files are taken from the assets of their names, with `-` for what asset
/// names cannot have.
#[utoipa::path(
    put, path = "/rooms/{room}/scenario", tag = "scenes",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
        ("dry_run" = Option<bool>, Query, description = "Only return what it would become"),
    ),
    request_body = NativeScenario,
    responses(
        (status = 200, description = "What became of it; `ETag` is the room's revision", body = LoadedScenario),
        (status = 400, description = "Neither JSON nor a script with one scenario",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "An output shows a scene that is gone, or what outputs show would be more than the \
            machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of it",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_scenario(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    dry_run: DryRun,
    body: Result<Bytes, BytesRejection>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let body = problem::whole(body, || format!("a scenario has at most {MAX_BYTES} bytes"))?;
    let assets = app.assets.of_room(&room.name).of_holder(access.holder());
    let room = find_to_direct(&app, &access, &room.name)?;
    let scenario = read(&assets, &body).await?;
    let (revision, loaded) = room.put_scenario(&scenario, &guard.0, dry_run.0).await?;
    Ok(tagged(StatusCode::OK, revision, LoadedScenario::from(loaded)))
}

async fn read(assets: &AssetStore, body: &[u8]) -> ApiResult<Scenario> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    let file = Node::parse(text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let is_native = |scene: &Node| scene.get("layout").is_some();
    if file.get("scenes").map_or_else(Vec::new, Node::values).iter().any(|(_, scene)| is_native(scene)) {
        let native: NativeScenario = problem::parse(body)?;
        return Ok(Scenario::Native(named_layouts(&native.scenes, "/scenes").map_err(Problem::invalid)?));
    }
    let mut known = HashMap::new();
    for named in Files::of(&file).iter() {
        let Ok(asset) = assets.about(&named.name).await else { continue };
        let found = match (asset.kind, asset.size) {
            (AssetKind::Image, Some((width, height))) => Asset::Image(width, height),
            (AssetKind::Sound, _) => Asset::Sound,
            _ => continue,
        };
        known.insert(named.name.clone(), found);
    }
    Ok(Scenario::Virfie(file, known))
}
