//! Bodies come in time, or not at all: one that stands still, or drips, would be waited for with all that it holds.
//!
//! And a body that is answered before its end is read on for a moment: where a connection is closed with bytes in it
//! that nobody has read, its client reports a reset, and never sees the answer.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout, timeout_at},
};

/// Longest time for which a body may stand still.
const PAUSE: Duration = Duration::from_secs(30);

/// Bytes a second that a body has to bring from then on, on the whole.
const SLOWEST: u64 = 8 * 1024;

/// Time for which a body is still read after its answer is there.
const LINGER: Duration = Duration::from_secs(2);

/// A body that did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the body came too slowly: it may stand still for {} s and has to bring {} KiB a second",
    PAUSE.as_secs(), SLOWEST >> 10
)]
pub(super) struct TooSlow;

/// Returns when the next piece has to be there, of a body that has brought so much and may stand still for `pause`.
fn deadline(begun: Instant, now: Instant, bytes: u64, pause: Duration) -> Instant {
    let on_the_whole = begun + pause + Duration::from_secs(bytes / SLOWEST);
    on_the_whole.min(now + pause)
}

/// Ends a body that does not come in time by [`TooSlow`].
pub(super) async fn bound(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits = request.headers().contains_key(header::EXPECT);
    next.run(request.map(|body| bounded(body, PAUSE, waits))).await
}

/// A body that is read to its end, or for [`LINGER`] more by nobody in particular.
struct Lingering {
    /// `None` once it is at its end.
    pieces: Option<BodyDataStream>,
    /// Its client may still wait to be asked for it, and must not be.
    waits: bool,
}

impl Lingering {
    async fn next(&mut self) -> Option<Result<axum::body::Bytes, axum::Error>> {
        self.waits = false;
        let piece = self.pieces.as_mut()?.next().await;
        if !matches!(piece, Some(Ok(_))) {
            self.pieces = None;
        }
        piece
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(mut pieces) = self.pieces.take().filter(|_| !self.waits) else { return };
        if let Ok(runtime) = Handle::try_current() {
            let rest = async move { while let Some(Ok(_)) = pieces.next().await {} };
            runtime.spawn(timeout(LINGER, rest));
        }
    }
}

/// `waits`: the client sends it only when asked to (`100 Continue`).
fn bounded(body: Body, pause: Duration, waits: bool) -> Body {
    // The time begins when somebody wants the body: a client may wait for `100 Continue`.
    let begun = None::<Instant>;
    let whole = Lingering { pieces: Some(body.into_data_stream()), waits };
    Body::from_stream(stream::unfold((whole, begun, 0), move |(mut pieces, begun, bytes)| async move {
        let now = Instant::now();
        let begun = begun.unwrap_or(now);
        let piece = match timeout_at(deadline(begun, now, bytes, pause), pieces.next()).await {
            Ok(piece) => piece?,
            Err(_) => Err(axum::Error::new(TooSlow)),
        };
        let bytes = bytes + piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Some((piece, (pieces, Some(begun), bytes)))
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::to_bytes;

    use super::*;
    use crate::control::api::problem::unreadable;

    #[test]
    fn a_body_may_stand_still_for_a_while_and_not_drip_for_ever() {
        let begun = Instant::now();
        let seconds = |seconds| Duration::from_secs(seconds);
        let left = |after, bytes| deadline(begun, begun + seconds(after), bytes, PAUSE).duration_since(begun);
        assert_eq!(left(0, 0), seconds(30));
        assert_eq!(left(100, 80 * SLOWEST), seconds(110), "too slow on the whole so far");
        assert_eq!(left(100, 1000 * SLOWEST), seconds(130));
    }

    #[tokio::test]
    async fn what_does_not_come_in_time_is_refused_for_that() {
        let whole = Body::from_stream(stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]));
        assert_eq!(to_bytes(bounded(whole, PAUSE, false), usize::MAX).await.unwrap(), "ab");
        let still = stream::iter([Ok::<_, std::io::Error>("a")]).chain(stream::pending());
        let error =
            to_bytes(bounded(Body::from_stream(still), Duration::from_millis(1), false), usize::MAX).await.unwrap_err();
        assert_eq!(unreadable(&error).status, 408);
        let broken = stream::iter([Ok("a"), Err(std::io::Error::other("b"))]);
        let error = to_bytes(bounded(Body::from_stream(broken), PAUSE, false), usize::MAX).await.unwrap_err();
        assert_eq!(unreadable(&error).status, 400);
    }

    #[tokio::test]
    async fn what_is_answered_early_is_read_on() {
        for (waits, read) in [(false, true), (true, false)] {
            let (sent, mut came) = tokio::sync::mpsc::unbounded_channel();
            let pieces = stream::iter(0..5).map(move |number| {
                // The test may be over.
                let _ = sent.send(number);
                Ok::<_, std::io::Error>("a")
            });
            drop(bounded(Body::from_stream(pieces), PAUSE, waits));
            let mut all = Vec::new();
            while let Some(number) = came.recv().await {
                all.push(number);
            }
            assert_eq!(all.len() == 5, read, "{all:?}");
        }
    }
}
