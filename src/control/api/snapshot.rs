//! The canvas now, as a picture.

use std::{
    io,
    sync::{Arc, Weak},
};

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
    let place = place(app, access, &room.name).await?;
    // The media copies it, and the place is kept until then, also when nobody waits for it any more.
    let taking = tokio::spawn(async move { (handle.snapshot(output).await, place) });
    let (frame, place) = taking.await.map_err(|_| Problem::internal("the picture cannot be taken"))?;
    picture(place, Arc::new(frame?), format).await
}

/// Waits for a room's place to have a picture encoded.
///
/// # Errors
/// 503 when too many wait before it.
pub(super) async fn place(app: &AppState, access: &Access, room: &RoomName) -> ApiResult<Place> {
    let place = app.snapshots.wait(room, access.holder().as_deref(), PLACE_WAIT).await;
    place.ok_or_else(|| Problem::unavailable("too many snapshots at once; try again later"))
}

/// Returns a frame as an answer. Who goes away before that ends the work at its next step, and the place with it.
pub(super) async fn picture(place: Place, frame: Arc<Frame>, format: StillFormat) -> ApiResult<Response> {
    // Gone with the request.
    let asked = Arc::new(());
    let asker = Arc::downgrade(&asked);
    // Tens of milliseconds of pure computing: not on a thread that serves others.
    let encoded = tokio::task::spawn_blocking(move || {
        // Held by the work, which may end after the request.
        let _place = place;
        encode(&frame, format, asker)
    });
    let encoded = encoded.await;
    drop(asked);
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

/// Takes what is encoded, as long as who asked for it is there.
struct Asked {
    bytes: Vec<u8>,
    asker: Weak<()>,
}

impl Asked {
    fn check(&self) -> io::Result<()> {
        let is_there = self.asker.strong_count() > 0;
        if is_there { Ok(()) } else { Err(io::Error::other("nobody waits for it any more")) }
    }
}

impl io::Write for Asked {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn encode(frame: &Frame, format: StillFormat, asker: Weak<()>) -> Result<Vec<u8>, ImageError> {
    let mut asked = Asked { bytes: Vec::new(), asker };
    asked.check().map_err(ImageError::IoError)?;
    let (width, height, color) = (frame.width, frame.height, ExtendedColorType::Rgb8);
    match format {
        StillFormat::Png => PngEncoder::new(&mut asked).write_image(&frame.rgb, width, height, color)?,
        StillFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut asked, JPEG_QUALITY).write_image(&frame.rgb, width, height, color)?;
        }
    }
    Ok(asked.bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{sync::mpsc, time::Duration};

    use futures_util::FutureExt as _;
    use tokio::{runtime, task::spawn_blocking};

    use super::{super::places::Places, *};

    fn frame() -> Frame {
        Frame { width: 2, height: 1, rgb: vec![250, 0, 0, 0, 0, 250] }
    }

    #[test]
    fn what_is_encoded_is_the_frame() {
        let (frame, asked) = (frame(), Arc::new(()));
        let encode = |format| encode(&frame, format, Arc::downgrade(&asked)).unwrap();
        let png = image::load_from_memory(&encode(StillFormat::Png)).unwrap().to_rgb8();
        assert_eq!((png.dimensions(), png.into_raw()), ((2, 1), frame.rgb.clone()));
        let jpeg = image::load_from_memory(&encode(StillFormat::Jpeg)).unwrap();
        assert_eq!((jpeg.width(), jpeg.height()), (2, 1));
    }

    #[test]
    fn nothing_is_encoded_for_who_has_gone_away() {
        for format in [StillFormat::Png, StillFormat::Jpeg] {
            assert!(encode(&frame(), format, Weak::new()).is_err());
        }
        let mut asked = Asked { bytes: Vec::new(), asker: Weak::new() };
        assert!(io::Write::write(&mut asked, b"in the middle").is_err());
    }

    #[test]
    fn a_place_is_free_when_the_work_has_ended_and_not_when_the_request_has() {
        // With one thread for such work, which something else has.
        let runtime = runtime::Builder::new_current_thread().max_blocking_threads(1).enable_time().build().unwrap();
        runtime.block_on(async {
            let (places, room) = (Places::new(2, 1), RoomName::parse("a").unwrap());
            let (go_on, held) = mpsc::channel::<()>();
            let other = spawn_blocking(move || held.recv());
            let place = places.take(&room, None).unwrap();
            let mut asked = Box::pin(picture(place, Arc::new(frame()), StillFormat::Png));
            assert!((&mut asked).now_or_never().is_none());
            drop(asked);
            assert!(places.take(&room, None).is_none(), "the work is still to come");
            drop(go_on);
            assert!(other.await.unwrap().is_err());
            assert!(places.wait(&room, None, Duration::from_secs(60)).await.is_some());
        });
    }
}
