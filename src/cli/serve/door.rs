//! Door through which connections come in: each is counted, closed when another needs its place, and known to be busy
//! while it is answered. Those that bring packets instead of requests are handed on to who serves receivers.

use std::{
    future::poll_fn,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, Response, StatusCode},
};
use axum_server::accept::Accept;
use futures_util::{future::BoxFuture, task::AtomicWaker};
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tower_service::Service;

use super::{
    FIRST_REQUEST_LIMIT,
    connections::{Connections, Entrance, Holder, Number},
};
use crate::{
    control::api::AppState,
    media::deliver::{Delivery, tcp::may_begin_with},
};

/// Time between two searches for the idle.
const SWEEP: Duration = Duration::from_secs(5);

/// Lets connections in. Cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    shared: Arc<Shared>,
}

struct Shared {
    state: AppState,
    /// The delivery, which takes connections that bring packets.
    receivers: Option<Arc<Delivery>>,
    inside: Mutex<Inside>,
}

struct Inside {
    connections: Connections,
    cuts: std::collections::HashMap<Number, Arc<Cut>>,
}

/// Closes a connection from outside of its task.
#[derive(Debug, Default)]
struct Cut {
    made: AtomicBool,
    reader: AtomicWaker,
}

impl Cut {
    fn make(&self) {
        self.made.store(true, Ordering::SeqCst);
        self.reader.wake();
    }

    fn check(&self) -> io::Result<()> {
        if self.made.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "closed for another connection"));
        }
        Ok(())
    }
}

impl Door {
    /// Creates a door that lets in as many as the process can hold.
    pub(super) fn new(state: &AppState, receivers: Option<Arc<Delivery>>) -> Self {
        let connections = Connections::new(state.capacity.most_connections());
        let inside = Mutex::new(Inside { connections, cuts: std::collections::HashMap::new() });
        Self { shared: Arc::new(Shared { state: state.clone(), receivers, inside }) }
    }

    /// Closes connections that ask nothing for `limit`, for as long as the server runs.
    pub(super) async fn close_idle(self, limit: Duration) {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            let mut inside = self.shared.inside.lock();
            for number in inside.connections.take_idle(limit, Instant::now()) {
                if let Some(cut) = inside.cuts.remove(&number) {
                    cut.make();
                }
            }
            self.shared.count(&inside);
        }
    }

    fn enter(&self, address: IpAddr) -> io::Result<Ticket> {
        let many = self.shared.state.config.trusts_proxy(address);
        let mut inside = self.shared.inside.lock();
        let Entrance::In(number, victim) = inside.connections.enter(Holder::of(address), many, Instant::now()) else {
            metrics::counter!("virfie_connections_refused_total").increment(1);
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "too many connections"));
        };
        if let Some(cut) = victim.and_then(|victim| inside.cuts.remove(&victim)) {
            metrics::counter!("virfie_connections_closed_for_others_total").increment(1);
            cut.make();
        }
        let cut = Arc::new(Cut::default());
        inside.cuts.insert(number, Arc::clone(&cut));
        self.shared.count(&inside);
        Ok(Ticket { shared: Arc::clone(&self.shared), number, cut })
    }
}

impl Shared {
    fn count(&self, inside: &Inside) {
        let open = inside.connections.len();
        self.state.capacity.set_connections(open);
        metrics::gauge!("virfie_http_connections").set(open as f64);
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Door {
    type Stream = Counted;
    type Service = Watched<S>;
    type Future = BoxFuture<'static, io::Result<(Counted, Watched<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let entered = stream.peer_addr().and_then(|address| self.enter(address.ip()));
        Box::pin(async move {
            let ticket = entered?;
            if let Some(receivers) = &ticket.shared.receivers {
                let first = timeout(FIRST_REQUEST_LIMIT, first_byte(&stream, &ticket.cut)).await??;
                if may_begin_with(first) {
                    receivers.take(stream.into_std()?);
                    return Err(io::Error::other("a receiver's, and handed on"));
                }
            }
            let visit = Visit { shared: Arc::clone(&ticket.shared), number: ticket.number };
            Ok((Counted { stream, ticket }, Watched { service, visit }))
        })
    }
}

/// Returns what a connection begins with. It stays there to be read.
async fn first_byte(stream: &TcpStream, cut: &Cut) -> io::Result<u8> {
    poll_fn(|cx| {
        cut.reader.register(cx.waker());
        cut.check()?;
        let mut byte = [0];
        let length = ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)))?;
        Poll::Ready(if length == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(byte[0]) })
    })
    .await
}

/// A connection's place, which it gives back when it is dropped.
struct Ticket {
    shared: Arc<Shared>,
    number: Number,
    cut: Arc<Cut>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inside = self.shared.inside.lock();
        inside.connections.leave(self.number);
        inside.cuts.remove(&self.number);
        self.shared.count(&inside);
    }
}

/// A connection that is counted.
pub(super) struct Counted {
    stream: TcpStream,
    ticket: Ticket,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.ticket.cut.reader.register(cx.waker());
        self.ticket.cut.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.ticket.cut.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.ticket.cut.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The link from a connection's requests to its place.
#[derive(Clone)]
struct Visit {
    shared: Arc<Shared>,
    number: Number,
}

impl Visit {
    fn begin(&self) -> Busy {
        self.shared.inside.lock().connections.begin(self.number, Instant::now());
        Busy(self.clone())
    }
}

/// A request that is being answered.
struct Busy(Visit);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.shared.inside.lock().connections.finish(self.0.number, Instant::now());
    }
}

/// A service that reports when it is busy.
#[derive(Clone)]
pub(super) struct Watched<S> {
    service: S,
    visit: Visit,
}

impl<S, B> Service<Request<B>> for Watched<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let busy = self.visit.begin();
        let answer = self.service.call(request);
        Box::pin(async move {
            let response = answer.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                busy.0.shared.inside.lock().connections.upgrade(busy.0.number);
            }
            Ok(response.map(|body| Body::new(Sent { body, _busy: busy })))
        })
    }
}

/// A body whose connection is busy until it is sent.
struct Sent {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
