//! The canvas now, as a picture.

use std::{io::Cursor, sync::Arc};

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use image::{ExtendedColorType, ImageEncoder, ImageError, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

use super::{
    AppState,
    auth::{Access, Role},
    places::Place,
    problem::{ApiResult, Problem, ProblemSchema},
    room_path::{RoomPath, find},
};
use crate::{control::room::RoomName, media::port::Frame};

/// Hardly any loss to see, at a tenth of the PNG's size.
const JPEG_QUALITY: u8 = 90;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rooms/{room}/snapshot.png", get(snapshot_png))
        .route("/rooms/{room}/snapshot.jpg", get(snapshot_jpg))
}

/// Of what a picture is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Shown {
    /// The id of an output that shows something in place of the program.
    output: Option<String>,
}

type ShownQuery = Result<Query<Shown>, QueryRejection>;

/// The format of a picture in an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum StillFormat {
    /// Without loss.
    Png,
    /// Small.
    Jpeg,
}

/// Returns the canvas as it is now, without loss.
#[utoipa::path(
    get, path = "/rooms/{room}/snapshot.png", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("output" = Option<String>, Query, description = "The id of an output: what that shows"),
    ),
    responses(
        (status = 200, description = "The canvas", body = Vec<u8>, content_type = "image/png"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No picture yet, or too many are asked for at once",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn snapshot_png(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    shown: ShownQuery,
) -> ApiResult<Response> {
    snapshot(&app, &access, &room, shown, StillFormat::Png).await
}

/// Returns the canvas as it is now, small.
#[utoipa::path(
    get, path = "/rooms/{room}/snapshot.jpg", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("output" = Option<String>, Query, description = "The id of an output: what that shows"),
    ),
    responses(
        (status = 200, description = "The canvas", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 404, description = "No such room", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No picture yet, or too many are asked for at once",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn snapshot_jpg(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    shown: ShownQuery,
) -> ApiResult<Response> {
    snapshot(&app, &access, &room, shown, StillFormat::Jpeg).await
}

/// Snapshots made at once, of all rooms and of one: each costs the composer a copy and a core tens of milliseconds.
pub(super) const PLACES: (usize, usize) = (2, 1);

/// Time for which one waits for its place.
const PLACE_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

async fn snapshot(
    app: &AppState,
    access: &Access,
    room: &RoomPath,
    shown: ShownQuery,
    format: StillFormat,
) -> ApiResult<Response> {
    let Query(Shown { output }) = shown.map_err(|error| Problem::bad_request(error.body_text()))?;
    // Viewers know nothing of outputs.
    let role = if output.is_some() { Role::Producer } else { Role::Viewer };
    access.require(role, room.name.as_str())?;
    let handle = find(app, &room.name)?;
    let _place = place(app, &room.name).await?;
    let frame = handle.snapshot(output).await?;
    picture(Arc::new(frame), format).await
}

/// Waits for a room's place to have a picture encoded, which is free again when this is dropped.
///
/// # Errors
/// 503 when too many wait before it.
pub(super) async fn place(app: &AppState, room: &RoomName) -> ApiResult<Place> {
    let place = app.snapshots.wait(room, PLACE_WAIT).await;
    place.ok_or_else(|| Problem::unavailable("too many snapshots at once; try again later"))
}

/// Returns a frame as an answer.
pub(super) async fn picture(frame: Arc<Frame>, format: StillFormat) -> ApiResult<Response> {
    // Tens of milliseconds of pure computing: not on a thread that serves others.
    let encoded = tokio::task::spawn_blocking(move || encode(&frame, format)).await;
    let bytes = match encoded {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(Problem::internal(format!("the picture cannot be encoded: {error}"))),
        Err(_) => return Err(Problem::internal("the picture cannot be encoded")),
    };
    let content_type = match format {
        StillFormat::Png => "image/png",
        StillFormat::Jpeg => "image/jpeg",
    };
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], bytes).into_response())
}

fn encode(frame: &Frame, format: StillFormat) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height, color) = (frame.width, frame.height, ExtendedColorType::Rgb8);
    match format {
        StillFormat::Png => PngEncoder::new(&mut bytes).write_image(&frame.rgb, width, height, color)?,
        StillFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(&frame.rgb, width, height, color)?;
        }
    }
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_encoded_is_the_frame() {
        let frame = Frame { width: 2, height: 1, rgb: vec![250, 0, 0, 0, 0, 250] };
        let png = image::load_from_memory(&encode(&frame, StillFormat::Png).unwrap()).unwrap().to_rgb8();
        assert_eq!((png.dimensions(), png.into_raw()), ((2, 1), frame.rgb.clone()));
        let jpeg = image::load_from_memory(&encode(&frame, StillFormat::Jpeg).unwrap()).unwrap();
        assert_eq!((jpeg.width(), jpeg.height()), (2, 1));
    }
}
