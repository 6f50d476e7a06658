//! Answers that wait in memory until their readers have taken them: snapshots, scenes, events. Who asks for large ones
//! and reads none could have all memory, so what waits is counted, and one more is refused with 503.
//!
//! Counted is each piece from when it is made until the connection has written its last byte. Small ones are not: there
//! are no more of them than connections.

use std::{collections::HashMap, io, net::IpAddr, sync::Arc};

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use parking_lot::Mutex;

use super::{AppState, client::Client, problem::Problem};
use crate::media::port::network_of;

/// Bytes of all that wait: ten snapshots of the largest canvas.
const MOST: usize = 256 << 20;

/// Up to so many bytes, a piece is not counted: files are sent in such ones.
const SMALL: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub struct Waiting {
    most: usize,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    all: usize,
    /// Of an address; those without, and this machine, are counted in all alone.
    of: HashMap<IpAddr, usize>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Waiting {
    /// Lets so many bytes wait, a quarter of them for one address.
    pub fn new(most: usize) -> Self {
        Self { most, book: Mutex::default() }
    }

    /// Counts a piece, if there is room for it. Who has nothing that waits may have a larger one.
    fn hold(self: &Arc<Self>, content: Bytes, from: Option<IpAddr>) -> Option<Bytes> {
        let bytes = content.len();
        if bytes <= SMALL {
            return Some(content);
        }
        let mut book = self.book.lock();
        let own = from.and_then(|from| book.of.get(&from)).copied().unwrap_or(0);
        let is_over = |waits: usize, most: usize| waits > 0 && waits + bytes > most;
        if is_over(book.all, self.most) || is_over(own, self.most / 4) {
            metrics::counter!("virfie_refused_for_capacity_total").increment(1);
            return None;
        }
        book.all += bytes;
        if let Some(from) = from {
            *book.of.entry(from).or_default() += bytes;
        }
        Some(Bytes::from_owner(Held { content, from, waiting: Arc::clone(self) }))
    }
}

/// A piece that waits.
struct Held {
    content: Bytes,
    from: Option<IpAddr>,
    waiting: Arc<Waiting>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let bytes = self.content.len();
        let mut book = self.waiting.book.lock();
        book.all = book.all.saturating_sub(bytes);
        let Some(from) = self.from else { return };
        if let Some(own) = book.of.get_mut(&from) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                book.of.remove(&from);
            }
        }
    }
}

/// Counts what it answers, and refuses a whole answer, or cuts a stream off, that there is no room for.
pub(super) async fn bound(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<Client>().and_then(|client| client.address);
    let from = from.map(network_of).filter(|address| !address.is_loopback());
    let waiting = Arc::clone(&state.answers);
    let (parts, body) = next.run(request).await.into_parts();
    let body = match body.size_hint().exact() {
        Some(bytes) if bytes <= SMALL as u64 => body,
        // All of it is there already.
        Some(_) => {
            let content = to_bytes(body, usize::MAX).await.ok().and_then(|content| waiting.hold(content, from));
            let Some(content) = content else {
                return Problem::unavailable("too many large answers wait to be read; try again later").into_response();
            };
            content.into()
        }
        None => Body::from_stream(body.into_data_stream().map(move |piece| {
            let full = || axum::Error::new(io::Error::other("too much waits to be read"));
            piece.and_then(|piece| waiting.hold(piece, from).ok_or_else(full))
        })),
    };
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn piece(kibibytes: usize) -> Bytes {
        vec![7; kibibytes << 10].into()
    }

    #[test]
    fn what_waits_is_counted_until_it_is_gone() {
        let waiting = Arc::new(Waiting::new(1 << 20));
        let held: Vec<Bytes> = (0..10).map(|_| waiting.hold(piece(100), None).unwrap()).collect();
        assert!(waiting.hold(piece(100), None).is_none());
        assert!(waiting.hold(piece(64), None).is_some(), "a small one");
        let part = held[0].slice(5..6);
        drop(held);
        assert_eq!((part.as_ref(), waiting.book.lock().all), (&[7][..], 100 << 10));
        drop(part);
        assert!(waiting.hold(piece(5000), None).is_some(), "one that is larger than all");
        assert_eq!(waiting.book.lock().all, 0);
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let waiting = Arc::new(Waiting::new(1 << 20));
        let of = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let held = [waiting.hold(piece(120), of(1)), waiting.hold(piece(120), of(1))];
        assert!(held.iter().all(Option::is_some) && waiting.hold(piece(120), of(1)).is_none());
        assert!(waiting.hold(piece(300), of(2)).is_some());
        drop(held);
        assert!(waiting.book.lock().of.is_empty());
    }
}
