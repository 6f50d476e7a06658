//! A room as one file: settings, layout, scenes, and the assets that these need.

use std::{collections::HashSet, io};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, pin_mut};
use serde::Deserialize;
use tokio::{
    sync::{Mutex, mpsc},
    task::spawn_blocking,
};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::{
    AppState,
    auth::{Access, Role},
    bounds,
    problem::{self, ApiResult, Problem, ProblemSchema},
    room_path::{Precondition, RoomPath, find, tagged},
    transfer,
    unpack::unpack,
};
use crate::{
    control::{
        assets::{AssetError, AssetStore, Content, Over, incoming::Incoming},
        room::{RoomDocument, RoomError, RoomState, SettingsChange},
    },
    layout::{Fault, fault::child},
};

/// Largest file that is given or taken, in bytes: a clip of the largest size, in base64, and some images.
const MAX_BYTES: usize = 128 << 20;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/export", get(export_room)).route("/rooms/{room}/import", post(import_room))
}

/// The parts that go into the file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportParts {
    /// Whether the files of assets are in it. They are if this is left out.
    #[serde(default = "yes")]
    assets: bool,
}

fn yes() -> bool {
    true
}

/// Returns the room as one file: settings, layout, scenes, and the assets that these need (those that are built in excepted).
/// Never participants, and no outputs, whose addresses hold stream keys.
#[utoipa::path(
    get, path = "/rooms/{room}/export", tag = "rooms",
    params(("room" = String, Path, description = "The room's name"), ExportParts),
    responses(
        (status = 200, description = "A file to download; `ETag` is the room's revision", body = RoomDocument),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "Its assets are too large for one file; `assets=false` leaves them out",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn export_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    parts: Result<Query<ExportParts>, axum::extract::rejection::QueryRejection>,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    let Query(parts) = parts.map_err(|error| Problem::bad_request(error.body_text()))?;
    let record = find(&app, &room.name)?.export().await?;
    let mut document = RoomDocument { bans: None, ..RoomDocument::from(&record) };
    let text = |document: &RoomDocument| {
        serde_json::to_string(document).map_err(|_| Problem::internal("the room cannot be written"))
    };
    let body = if parts.assets {
        let (mut names, mut size) = (Vec::new(), text(&document)?.len() as u64);
        let mut own = Vec::new();
        let layouts = record.layouts();
        let assets = app.assets.of_room(&room.name).of_holder(access.holder());
        for asset in assets.list().await? {
            let is_needed = layouts.iter().any(|layout| layout.needs(&asset.name, asset.family.as_deref()));
            if asset.builtin || !is_needed {
                continue;
            }
            size += asset.bytes.div_ceil(3) * 4 + asset.name.len() as u64;
            // With some room for the rest: what could not be imported is no export.
            if size > (MAX_BYTES - (8 << 20)) as u64 {
                let detail = "the room's assets are too large for one file; `?assets=false` leaves them out";
                return Err(Problem::too_large(detail));
            }
            if asset.room.is_some() {
                own.push(asset.name.clone());
            }
            names.push(asset.name);
        }
        document.room_assets = (!own.is_empty()).then_some(own);
        // One piece waits for the client, and one is made. It ends when the client goes away.
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(write(assets, text(&document)?, names, sender));
        Body::from_stream(ReceiverStream::new(pieces))
    } else {
        Body::from(text(&document)?)
    };
    let file = format!("attachment; filename=\"{}.virfie.json\"", room.name);
    let file = HeaderValue::try_from(file).map_err(|_| Problem::internal("the file cannot be named"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, file),
        (
            header::ETAG,
            HeaderValue::try_from(record.past.revision.etag()).map_err(|_| Problem::internal("no revision"))?,
        ),
    ];
    Ok((headers, body).into_response())
}

/// Writes the document and the files of these assets behind it, a piece at a time.
async fn write(assets: AssetStore, document: String, names: Vec<String>, sender: mpsc::Sender<io::Result<Bytes>>) {
    // The document is an object with some members, so that one more can follow.
    let mut start = document;
    start.pop();
    start += ",\"assets\":{";
    for (index, name) in names.iter().enumerate() {
        // Names of assets have nothing that JSON escapes.
        start += &format!("{}\"{name}\":\"", if index > 0 { "\"," } else { "" });
        if sender.send(Ok(std::mem::take(&mut start).into())).await.is_err() {
            return;
        }
        let content = match assets.open_file(name).await {
            Ok((asset, _, Content::File(file))) => transfer::pieces(file, asset.bytes).boxed(),
            Ok((_, _, Content::BuiltIn(content))) => transfer::whole(content).boxed(),
            Err(error) => {
                // It was there a moment ago. An answer that breaks off is better than a file that lacks something.
                let _ = sender.send(Err(io::Error::other(error))).await;
                return;
            }
        };
        pin_mut!(content);
        while let Some(piece) = content.next().await {
            // All but the last one have whole groups of three bytes.
            if sender.send(piece.map(|piece| BASE64_STANDARD.encode(piece).into())).await.is_err() {
                return;
            }
        }
    }
    start += if names.is_empty() { "}}" } else { "\"}}" };
    let _ = sender.send(Ok(start.into())).await;
}

/// Held while a file is taken apart: one at a time is in memory.
static UNPACKING: Mutex<()> = Mutex::const_new(());

/// Makes the room what a file of `export` says, at one frame edge; it is created if it does not exist. What the file
/// leaves out stays. Its assets are added, those of `room_assets` for this room alone; one that is there under the same
/// name with another content is an error, as other rooms may show it.
#[utoipa::path(
    post, path = "/rooms/{room}/import", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "The revision that the room must be at"),
    ),
    request_body = RoomDocument,
    responses(
        (status = 200, description = "Imported", body = RoomState),
        (status = 201, description = "Imported into a new room", body = RoomState),
        (status = 409, description = "An output shows a scene that is gone, or what outputs show would be more than the \
            machine encodes for one room",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The room has changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "The file has more than 128 MiB",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Wrong places of the file; nothing is changed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server cannot make it ready now; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn import_room(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    guard: Precondition,
    headers: HeaderMap,
    content: Body,
) -> ApiResult<Response> {
    access.require(Role::Producer, room.name.as_str())?;
    problem::json_declared(&headers)?;
    let make = app.assets.incomings();
    let incoming = spawn_blocking(make).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let incoming = incoming.map_err(|error| transfer::failed(&error))?;
    let too_large = || format!("a room's file has at most {MAX_BYTES} bytes");
    let _upload = transfer::Upload::of(&access)?;
    let incoming = transfer::receive(incoming, content, MAX_BYTES, too_large).await?;
    app.auth.check_again(&access)?;
    let make = app.assets.incomings();
    let turn = UNPACKING.lock().await;
    let unpacked = spawn_blocking(move || {
        // Held by the work, which goes on when nobody waits for it any more.
        let _turn = turn;
        let content = incoming.content().map_err(|error| transfer::failed(&error))?;
        unpack(&content, &make)
    })
    .await
    .map_err(|_| Problem::internal("the file cannot be read"))??;
    let document: RoomDocument = problem::shape(unpacked.rest)?;

    let wanted = document.settings.as_ref().and_then(|settings| settings.max_participants);
    bounds::check_participants(&app, &access, wanted, "/settings/max_participants")?;
    let existing = app.registry.get(&room.name);
    if existing.is_none() && guard.0.is_present() {
        return Err(Problem::precondition_failed(RoomError::NoRoom.to_string()));
    }
    let promise = if existing.is_none() { Some(app.founders.admit(&app, &access, &room.name)?) } else { None };
    let own_names = own_names(&document, &unpacked.assets).map_err(Problem::invalid)?;
    let shelves = Targets {
        own: app.assets.of_room(&room.name),
        other: if access.room.is_some() { app.assets.of_room(&room.name) } else { AssetStore::clone(&app.assets) },
        own_names,
    };
    let added = shelves.add(unpacked.assets).await?;
    let outcome = async {
        let (handle, is_new) = match existing {
            Some(handle) => (handle, false),
            None => app.registry.put(&room.name, &SettingsChange::default(), &guard.0).await?,
        };
        handle.decode_for(access.holder());
        match handle.import(&document, &guard.0).await {
            Ok(revision) => Ok((handle, revision, is_new)),
            Err(error) => {
                if is_new {
                    // Made for this only. One that has ended meanwhile is gone as well.
                    let _ = app.registry.remove(&room.name, &Default::default()).await;
                }
                Err(error)
            }
        }
    }
    .await;
    match outcome {
        Ok((handle, revision, is_new)) => {
            promise.into_iter().for_each(|promise| promise.keep(&handle));
            tracing::info!(room = %room.name, assets = added.len(), "room imported");
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            let warnings = handle.warnings_of(&document).await;
            Ok(tagged(status, revision, RoomState { warnings, ..handle.state().await? }))
        }
        Err(error) => {
            shelves.remove(&added).await;
            Err(error.into())
        }
    }
}

/// Returns names of the assets that are to belong to the room.
///
/// # Errors
/// Every name that no asset of the document has.
fn own_names(
    document: &RoomDocument,
    assets: &[(String, Result<Incoming, &'static str>)],
) -> Result<HashSet<String>, Vec<Fault>> {
    let names = document.room_assets.as_deref().unwrap_or_default();
    let is_there = |name: &String| assets.iter().any(|(own, _)| own == name);
    let faults: Vec<Fault> = names
        .iter()
        .enumerate()
        .filter(|(_, name)| !is_there(name))
        .map(|(index, _)| Fault {
            pointer: child("/room_assets", &index.to_string()),
            detail: "must be the name of one of the document's assets".to_owned(),
        })
        .collect();
    if faults.is_empty() { Ok(names.iter().cloned().collect()) } else { Err(faults) }
}

/// The reason why an asset of a document is not added.
#[derive(Debug, thiserror::Error)]
enum NotAdded {
    /// The fault of who sent the document.
    #[error("another asset of this name is there already")]
    Other,
    /// Likewise.
    #[error("{0}")]
    Unreadable(&'static str),
    /// In the words of the store, which knows whose fault it is.
    #[error(transparent)]
    Asset(#[from] AssetError),
}

impl NotAdded {
    /// Returns the problem that is the server's own fault, or what is wrong with the asset.
    fn sorted(self) -> Result<Problem, String> {
        let detail = self.to_string();
        let Self::Asset(error) = self else { return Err(detail) };
        let problem = Problem::from(error);
        if problem.status.is_server_error() { Ok(problem) } else { Err(detail) }
    }
}

/// The destinations of a document's assets.
struct Targets {
    own: AssetStore,
    own_names: HashSet<String>,
    other: AssetStore,
}

impl Targets {
    /// Adds a document's assets. Answers the names of those that were not there.
    ///
    /// # Errors
    /// Every wrong one. Where none is wrong, what the server cannot do with one: that is not the fault of who sent it.
    /// Nothing is added then.
    async fn add(&self, assets: Vec<(String, Result<Incoming, &'static str>)>) -> ApiResult<Vec<String>> {
        let mut added = Vec::new();
        let mut faults = Vec::new();
        let mut failed = None;
        for (name, incoming) in assets {
            let is_added = match incoming {
                Ok(incoming) => self.add_one(&name, incoming).await,
                Err(detail) => Err(NotAdded::Unreadable(detail)),
            };
            match is_added.map_err(NotAdded::sorted) {
                Ok(true) => added.push(name),
                Ok(false) => {}
                Err(Ok(problem)) => _ = failed.get_or_insert(problem),
                Err(Err(detail)) => faults.push(Fault { pointer: child("/assets", &name), detail }),
            }
        }
        let problem = match failed {
            _ if !faults.is_empty() => Problem::invalid(faults),
            Some(problem) => problem,
            None => return Ok(added),
        };
        self.remove(&added).await;
        Err(problem)
    }

    /// Adds one asset. Answers whether it was not there.
    async fn add_one(&self, name: &str, incoming: Incoming) -> Result<bool, NotAdded> {
        let store = self.store(name);
        let may_cover = self.own_names.contains(name);
        let incoming = match store.is_same(name, incoming).await {
            Ok((Some(true), _)) => return Ok(false),
            Ok((Some(false), incoming)) if may_cover && !store.has_file(name).await => incoming,
            Ok((Some(false), _)) => return Err(NotAdded::Other),
            Ok((None, incoming)) => incoming,
            Err(error) => return Err(error.into()),
        };
        // Who put one of this name a moment ago keeps it.
        let over = if may_cover { Over::SHARED } else { Over::NOTHING };
        let (_, is_new) = store.put(name, incoming, over).await?;
        Ok(is_new)
    }

    async fn remove(&self, names: &[String]) {
        for name in names {
            if let Err(error) = self.store(name).delete(name).await {
                tracing::warn!(asset = name, %error, "an asset of a refused import stays");
            }
        }
    }

    fn store(&self, name: &str) -> &AssetStore {
        if self.own_names.contains(name) { &self.own } else { &self.other }
    }
}
