//! Assets: files for layouts.
//!
//! Those of the shared shelf are for everybody who may be in some room, and are changed by who may be in all of them.
//! An asset that the token of one room puts belongs to that room: the token of another neither sees nor changes it.

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    AppState,
    auth::{Access, Role},
    capacity,
    given::Given,
    problem::{ApiResult, Problem, ProblemSchema},
    transfer,
};
use crate::control::{
    assets::{Asset, AssetError, AssetStore, LARGEST, Over, kind::AssetKind},
    room::RoomName,
};

/// Returns the routes of assets.
pub fn router() -> Router<AppState> {
    Router::new().route("/assets", get(list)).route("/assets/{name}", get(read).put(put).delete(delete))
}

/// The room whose assets are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfRoom {
    /// As this room sees them: its own, and those of the shared shelf whose names its own do not have. What is
    /// put or deleted is the room's own. Left out: the token's room, or, without one, the shared shelf alone.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "demo")]
    room: Option<String>,
}

type OfRoomQuery = Result<Query<OfRoom>, QueryRejection>;

/// Returns the store as the caller means it, if they may do there what needs `role`.
fn store(state: &AppState, access: &Access, role: Role, query: OfRoomQuery) -> ApiResult<AssetStore> {
    let Query(OfRoom { room }) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    match &room {
        Some(named) => access.require(role, named)?,
        None => access.require_role(role)?,
    }
    let store = match room.as_ref().or(access.room.as_ref()) {
        Some(room) => state.assets.of_room(&RoomName::parse(room)?),
        None => AssetStore::clone(&state.assets),
    };
    Ok(store.of_holder(access.holder()))
}

/// Returns whether a room's layout or scenes need the asset of this store; `family`: of a font.
async fn is_needed(state: &AppState, store: &AssetStore, name: &str, family: Option<&str>) -> bool {
    for user in state.registry.users_of_asset(name, family).await {
        let is_meant = match store.room() {
            Some(own) => *own == user,
            // The others have one of their own under this name.
            None => !state.assets.of_room(&user).has_file(name).await,
        };
        if is_meant {
            return true;
        }
    }
    false
}

/// Assets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AssetList {
    /// By name.
    pub assets: Vec<AssetView>,
}

/// The facts that are known of an asset.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Asset)]
pub struct AssetView {
    /// As layouts write it.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$", example = "club.jpg")]
    pub name: String,
    /// The room that it belongs to; null for those of the shared shelf, which every room has.
    pub room: Option<String>,
    /// Its use in layouts. The server reads it from the content.
    pub kind: AssetKind,
    /// The server reads it from the content.
    #[schema(example = "image/jpeg")]
    pub content_type: &'static str,
    /// Size of the file.
    pub bytes: u64,
    /// In pixels; null for what cannot be seen.
    pub width: Option<u32>,
    /// In pixels; null for what cannot be seen.
    pub height: Option<u32>,
    /// Of a clip or a sound: how long it is, in milliseconds; null where that is not known, and for others.
    pub duration_ms: Option<u64>,
    /// Of a font: the name of its family, which texts can use as well as the asset's; null for others.
    pub family: Option<String>,
    /// Whether it comes with the program.
    pub builtin: bool,
}

impl From<Asset> for AssetView {
    fn from(asset: Asset) -> Self {
        Self {
            name: asset.name,
            room: asset.room.map(|room| room.as_str().to_owned()),
            kind: asset.kind,
            content_type: asset.content_type,
            bytes: asset.bytes,
            width: asset.size.map(|(width, _)| width),
            height: asset.size.map(|(_, height)| height),
            duration_ms: asset.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
            family: asset.family,
            builtin: asset.builtin,
        }
    }
}

impl From<AssetError> for Problem {
    fn from(error: AssetError) -> Self {
        let detail = error.to_string();
        match error {
            AssetError::BadName => Self::unprocessable(detail),
            AssetError::NotFound => Self::not_found(detail),
            AssetError::BuiltIn | AssetError::Full => Self::conflict(detail),
            AssetError::Taken => Self::forbidden(detail),
            AssetError::TooLarge => Self::too_large(detail),
            AssetError::UnknownType => Self::unsupported_media_type(detail),
            error if error.passes() => Self::unavailable(detail),
            AssetError::Picture(_)
            | AssetError::Font(_)
            | AssetError::Clip(_)
            | AssetError::Sound(_)
            | AssetError::Lettering(_) => Self::unprocessable(detail),
            AssetError::NoMemory | AssetError::TooMuchOfHolder => Self::unavailable(detail),
            AssetError::Io(error) => {
                tracing::error!(%error, "the asset store failed");
                Self::internal("the asset store cannot read or write")
            }
        }
    }
}

/// Lists the assets of the shared shelf, and those of a room
#[utoipa::path(get, path = "/assets", tag = "assets", params(OfRoom), responses(
    (status = 200, description = "By name", body = AssetList),
    (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
))]
pub async fn list(State(state): State<AppState>, access: Access, of_room: OfRoomQuery) -> ApiResult<Json<AssetList>> {
    let store = store(&state, &access, Role::Viewer, of_room)?;
    let assets = store.list().await?.into_iter().map(AssetView::from).collect();
    Ok(Json(AssetList { assets }))
}

/// Gives an asset's file, or the part of it that `Range` asks for
#[utoipa::path(get, path = "/assets/{name}", tag = "assets",
    params(("name" = String, Path, description = "The asset's name"), OfRoom),
    responses(
        (status = 200, description = "The file as it was put", body = Vec<u8>, content_type = "image/*"),
        (status = 206, description = "A part of it", body = Vec<u8>, content_type = "image/*"),
        (status = 304, description = "`If-None-Match` names what is there"),
        (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
    ))]
pub async fn read(
    State(state): State<AppState>,
    access: Access,
    Path(name): Path<String>,
    of_room: OfRoomQuery,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let store = store(&state, &access, Role::Viewer, of_room)?;
    let (asset, digest, content) = store.open_file(&name).await?;
    let etag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest));
    let answer = Given::new(content, asset.bytes, etag).answer(&method, &headers)?;
    let about = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok(transfer::while_valid(state, access, (about, answer).into_response()))
}

/// Keeps a file as an asset
///
/// It belongs to the room of the token, or to the one that `room` names, and only that room has it; else it stands on
/// the shared shelf for all rooms. A token for one room may not cover an asset of the shared shelf.
///
/// The content decides the type: images (PNG, JPEG, WebP or GIF, at most 8192 pixels wide and high,
/// and 40 megapixels, of all pictures together where they move, which are at most 600), fonts
/// (TrueType or OpenType; no WOFF), at most 16 MiB each, and clips (MP4, QuickTime, WebM or Matroska with H.264, H.265,
/// VP8, VP9, AV1, MPEG-1, 2 or 4, JPEG, PNG, ProRes, QuickTime Animation or uncompressed pictures, as far as GStreamer
/// on the server has the decoder, with at most 1920x1088 pixels, ten minutes and 64 MiB), and sounds (MP3, WAV, or Ogg
/// with Opus or Vorbis, at most ten minutes and 16 MiB).
#[utoipa::path(put, path = "/assets/{name}", tag = "assets",
    params(("name" = String, Path, description = "1 to 128 of `A-Z a-z 0-9 . _ -`, with no dot in front"), OfRoom),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "Kept; the name was free", body = AssetView),
        (status = 200, description = "Kept in place of an older one", body = AssetView),
        (status = 403, description = "The shared shelf has one of this name, and the token is for one room",
            body = ProblemSchema, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time", body = ProblemSchema,
            content_type = "application/problem+json"),
        (status = 503, description = "Too many files are being received, or the server cannot look into one now; \
            `Retry-After` says when to try again",
            body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(state): State<AppState>,
    access: Access,
    Path(name): Path<String>,
    of_room: OfRoomQuery,
    content: Body,
) -> ApiResult<Response> {
    let store = store(&state, &access, Role::Producer, of_room)?;
    let incoming = store.incoming(&name).await?;
    let _upload = transfer::Upload::of(&access)?;
    let incoming = transfer::receive(incoming, content, LARGEST, || AssetError::TooLarge.to_string()).await?;
    state.auth.check_again(&access)?;
    // Given back when the file is decoded.
    let cost = capacity::file(state.registry.threads_of_file());
    let _promise = state.capacity.admit(cost, &access)?;
    // Layouts that need it could not be shown any more with something of another kind.
    if let Ok(before) = store.about(&name).await
        && !before.builtin
        && incoming.kind().map_err(AssetError::from)?.is_some_and(|kind| kind != before.kind)
        && is_needed(&state, &store, &name, before.family.as_deref()).await
    {
        return Err(Problem::conflict("a room's layout needs this asset, and this is something of another kind"));
    }
    let over = if access.room.is_none() { Over::ALL } else { Over::SAME };
    let (asset, created) = store.put(&name, incoming, over).await?;
    tracing::info!(asset = name, room = store.room().map(RoomName::as_str), bytes = asset.bytes, created, "asset kept");
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(AssetView::from(asset))).into_response())
}

/// Deletes an asset
#[utoipa::path(delete, path = "/assets/{name}", tag = "assets",
    params(("name" = String, Path, description = "The asset's name"), OfRoom),
    responses(
        (status = 204, description = "Deleted"),
        (status = 403, description = "It stands on the shared shelf, and the token is for one room",
            body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "A room's layout shows it, or it is built in", body = ProblemSchema,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
    ))]
pub async fn delete(
    State(state): State<AppState>,
    access: Access,
    Path(name): Path<String>,
    of_room: OfRoomQuery,
) -> ApiResult<StatusCode> {
    let store = store(&state, &access, Role::Producer, of_room)?;
    if store.has_file(&name).await {
        let family = store.family(&name).await;
        if is_needed(&state, &store, &name, family.as_deref()).await {
            return Err(Problem::conflict("a room's layout shows this asset"));
        }
    } else if access.room.is_some() && store.about(&name).await.is_ok() {
        return Err(Problem::forbidden("this asset is every room's, and the token is for one"));
    }
    store.delete(&name).await?;
    tracing::info!(asset = name, room = store.room().map(RoomName::as_str), "asset deleted");
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        control::assets::{clips::ClipError, lettering::LetteringError, sounds::SoundError},
        media::port::DecodeError,
    };

    #[test]
    fn a_file_that_the_server_cannot_decode_now_is_not_refused_for_good() {
        let of_sound = |error| Problem::from(AssetError::from(SoundError(error))).into_response().status();
        let of_clip = |error| Problem::from(AssetError::from(ClipError::Undecodable(error))).into_response().status();
        let of_font = |error| Problem::from(AssetError::from(error)).into_response().status();
        let full = Problem::from(AssetError::NoMemory).into_response();
        assert!(full.headers().contains_key("retry-after"));
        let of_one = Problem::from(AssetError::TooMuchOfHolder).into_response().status();
        let [sound, clip] = [of_sound(DecodeError::NotNow), of_clip(DecodeError::NotNow)];
        for status in [sound, clip, of_font(LetteringError::NotNow), full.status(), of_one] {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        }
        // EMFILE.
        let lacking = Problem::from(AssetError::from(std::io::Error::from_raw_os_error(24))).into_response().status();
        assert_eq!(lacking, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(of_font(LetteringError::Failed), StatusCode::UNPROCESSABLE_ENTITY);
        for status in [of_sound(DecodeError::BroughtDown), of_clip(DecodeError::Refused("it holds no video".into()))] {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
}
