//! Files over HTTP: taken to disk and given from it, a piece at a time. None is ever held in memory.

use std::io;

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use futures_util::{StreamExt as _, stream};
use tokio::{io::AsyncReadExt as _, sync::Semaphore, task::spawn_blocking};

use super::problem::{self, ApiResult, Problem};
use crate::control::assets::{Content, incoming::Incoming};

/// Bytes that are read, or written, at once.
pub(super) const PIECE: usize = 48 * 1024;

/// Files that may be on their way in at once. Each may have [`crate::control::assets::LARGEST`] bytes, or more.
const MOST: usize = 16;

static UPLOADS: Semaphore = Semaphore::const_new(MOST);

/// Takes a body to disk.
///
/// # Errors
/// 503 when too many are on their way, 413 with `too_large`, 408 when it does not come in time, 400 when it ends early.
pub(super) async fn receive(
    mut incoming: Incoming,
    body: Body,
    most: usize,
    too_large: impl Fn() -> String,
) -> ApiResult<Incoming> {
    let Ok(_slot) = UPLOADS.try_acquire() else {
        return Err(Problem::unavailable("too many files are being received; try again in a moment"));
    };
    let mut pieces = body.into_data_stream();
    let mut waiting = Vec::new();
    loop {
        let piece = pieces.next().await.transpose().map_err(|error| problem::unreadable(&error))?;
        waiting.extend_from_slice(piece.as_deref().unwrap_or_default());
        if incoming.bytes() + waiting.len() as u64 > most as u64 {
            return Err(Problem::too_large(too_large()));
        }
        if waiting.len() >= PIECE || piece.is_none() {
            (incoming, waiting) = spawn_blocking(move || {
                incoming.write(&waiting)?;
                waiting.clear();
                Ok((incoming, waiting))
            })
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| failed(&error))?;
        }
        if piece.is_none() {
            return Ok(incoming);
        }
    }
}

/// 507 when the disk is full, and 500 for all else.
pub(super) fn failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "a file cannot be received");
    if error.kind() == io::ErrorKind::StorageFull {
        return Problem::with_status(StatusCode::INSUFFICIENT_STORAGE, "the server's disk is full");
    }
    Problem::internal("the server's disk cannot read or write")
}

/// A file's content as the body of an answer.
pub(super) fn body(content: Content) -> Body {
    match content {
        Content::BuiltIn(content) => content.into(),
        Content::File(file) => Body::from_stream(pieces(file)),
    }
}

/// A file, a piece at a time. All pieces but the last one are of the same size.
pub(super) fn pieces(file: std::fs::File) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        let mut part = (&mut file).take(PIECE as u64);
        part.read_to_end(&mut piece).await?;
        Ok((!piece.is_empty()).then_some((piece.into(), file)))
    })
}

/// The same of what is in memory.
pub(super) fn whole(content: &'static [u8]) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::iter(content.chunks(PIECE).map(|piece| Ok(Bytes::from_static(piece))))
}
