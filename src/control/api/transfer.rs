//! Files over HTTP: taken to disk and given from it, a piece at a time. None is ever held in memory.

use std::{collections::HashMap, io, sync::LazyLock};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::{io::AsyncReadExt as _, task::spawn_blocking};

use super::{
    AppState,
    auth::Access,
    problem::{self, ApiResult, Problem},
};
use crate::control::assets::incoming::Incoming;

/// Bytes that are read, or written, at once.
pub(super) const PIECE: usize = 48 * 1024;

/// Files that may be on their way in at once. Each may have [`crate::control::assets::LARGEST`] bytes, or more.
const MOST: usize = 16;

/// Those of one room's tokens, or of one token for all rooms: who is slow, or means to be, leaves room for others.
const MOST_OF_ONE: usize = 4;

/// Number of uploads that each holder has.
static UPLOADS: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);

/// A file on its way in, and until it has been looked into: those that take long keep others waiting.
pub(super) struct Upload(String);

impl Upload {
    /// Takes a place for a file.
    ///
    /// # Errors
    /// 503 when too many are on their way, of all or of those whom `access` counts with.
    pub(super) fn of(access: &Access) -> ApiResult<Self> {
        let place = match access.holder() {
            Some(holder) => Self::begin(holder, MOST_OF_ONE),
            None => Self::begin(access.subject.clone(), MOST),
        };
        place.ok_or_else(|| Problem::unavailable("too many files are being received; try again in a moment"))
    }

    /// Takes one of the so many places that `holder` may have.
    fn begin(holder: String, most: usize) -> Option<Self> {
        let mut uploads = UPLOADS.lock();
        let own = uploads.get(&holder).copied().unwrap_or(0);
        if own >= most || uploads.values().sum::<usize>() >= MOST {
            return None;
        }
        uploads.insert(holder.clone(), own + 1);
        Some(Self(holder))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut uploads = UPLOADS.lock();
        match uploads.get_mut(&self.0) {
            Some(own) if *own > 1 => *own -= 1,
            _ => _ = uploads.remove(&self.0),
        }
    }
}

/// Takes a body to disk.
///
/// # Errors
/// 413 with `too_large`, 408 when it does not come in time, 400 when it ends early.
pub(super) async fn receive(
    mut incoming: Incoming,
    body: Body,
    most: usize,
    too_large: impl Fn() -> String,
) -> ApiResult<Incoming> {
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

/// Makes a 507 when the disk is full, and 500 for all else.
pub(super) fn failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "a file cannot be received");
    if error.kind() == io::ErrorKind::StorageFull {
        return Problem::with_status(StatusCode::INSUFFICIENT_STORAGE, "the server's disk is full");
    }
    Problem::internal("the server's disk cannot read or write")
}

/// Returns what is answered where a file could not be opened: `missing` where it does not exist.
pub(super) fn unopened(error: &io::Error, missing: Problem) -> Problem {
    if error.kind() == io::ErrorKind::NotFound {
        return missing;
    }
    tracing::error!(%error, "a file cannot be opened");
    Problem::internal("the server's disk cannot read or write")
}

/// Cuts an answer off when its reader's token is over or taken back. It names its length, so that what is missing shows.
pub(super) fn while_valid(app: AppState, access: Access, answer: Response) -> Response {
    if access.token.is_none() {
        return answer;
    }
    let over = async move { app.auth.over(&access).await };
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(over)))
}

/// Returns at most so many bytes of a file, a piece at a time. All pieces but the last one are of the same size.
pub(super) fn pieces(file: std::fs::File, bytes: u64) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(tokio::fs::File::from_std(file).take(bytes), |mut rest| async move {
        let mut piece = Vec::with_capacity(PIECE);
        (&mut rest).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok((!piece.is_empty()).then_some((piece.into(), rest)))
    })
}

/// Does the same with what is in memory.
pub(super) fn whole(content: &'static [u8]) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::iter(content.chunks(PIECE).map(|piece| Ok(Bytes::from_static(piece))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_leaves_room_for_others() {
        let begin = |holder: &str| Upload::begin(holder.to_owned(), MOST_OF_ONE);
        let slow: Vec<Upload> = (0..MOST).filter_map(|_| begin("slow")).collect();
        assert_eq!(slow.len(), MOST_OF_ONE);
        let others: Vec<Upload> = (0..MOST).filter_map(|number| begin(&format!("other {number}"))).collect();
        assert_eq!(others.len(), MOST - MOST_OF_ONE);
        drop(slow);
        assert!(begin("slow").is_some());
        drop(others);
        assert!(UPLOADS.lock().is_empty(), "nothing is kept of those who are gone");
    }
}
