//! Receivers by TCP: those whose network lets no UDP through (RFC 6544; they connect, and we wait for them).
//!
//! Contract: a connection belongs to the receiver that its first packet names, a connectivity check by our user
//! fragment; any other packet, or none within seconds, ends it. Sending never blocks and keeps nothing but the end of
//! one packet: what a connection does not take at once is lost, as on a line by UDP, and asked for again. Threads:
//! `receive-tcp` waits for all connections together; who sends writes.

mod framing;
mod places;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io::{self, IoSlice, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    process::{Resource, getrlimit},
};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use str0m::net::Protocol;

pub use framing::may_begin_with;
use framing::{Incoming, Refused};
use places::{Number, Places};

use super::{
    PATIENCE,
    routes::{Path, Route, Routes},
    shard::{Message, dispatch},
    socket::Sockets,
};
use crate::media::{
    gst::priority::{self, Role},
    port::PeerId,
};

/// Bytes that may wait in the kernel until the network lets them go. More would be seen as delay: at 700 kbit/s, it is
/// over half a second.
const UNSENT: u32 = 64 * 1024;

/// The kernel gives up a client that takes nothing of its data for so long.
const DEAF_LIMIT: Duration = Duration::from_secs(15);

/// Bytes that are read at once of one connection.
const PIECE: usize = 64 * 1024;

/// Bytes that a connection may bring in a second. Reports on what came are a tenth of it at most.
const MOST_A_SECOND: usize = 1 << 20;

/// Time between two searches for those who are silent.
const SWEEP: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Connections that are accepted before others are looked at again.
const MOST_AT_ONCE: usize = 64;

/// Events that the kernel reports at once.
const EVENTS: usize = 256;

/// Listeners are numbered down from here.
const LISTENERS: u64 = u64::MAX - 8;

/// The service of receivers by TCP, if there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Service {
    /// Not at all.
    #[default]
    Off,
    /// By listeners of our own, on the port of UDP.
    Own,
    /// By the one who listens at this address, of the same port, and hands connections over.
    At(SocketAddr),
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ends {
    own: SocketAddr,
    peer: SocketAddr,
}

#[derive(Debug)]
struct TcpConnection {
    stream: TcpStream,
    ends: Ends,
    /// The end of a packet that the kernel has taken in part.
    rest: Mutex<Vec<u8>>,
    read: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    incoming: Incoming,
    /// Route of the receiver whose connection it is.
    route: Option<Route>,
    /// Since when these bytes have come.
    since: Option<Instant>,
    bytes: usize,
}

impl Reading {
    /// Returns whether so many bytes more are not too many.
    fn may(&mut self, length: usize, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bytes += length;
        self.bytes <= MOST_A_SECOND
    }
}

impl TcpConnection {
    /// Sends a packet, or loses it.
    fn send(&self, packet: &[u8]) -> io::Result<()> {
        let head = framing::head(packet.len()).ok_or(io::ErrorKind::InvalidInput)?;
        let mut rest = self.rest.lock();
        if !rest.is_empty() {
            let written = self.written((&self.stream).write(&rest))?;
            rest.drain(..written);
            if !rest.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        let written = self.written((&self.stream).write_vectored(&[IoSlice::new(&head), IoSlice::new(packet)]))?;
        rest.extend(head.iter().chain(packet).skip(written));
        Ok(())
    }

    /// A fault ends the connection, which the thread that reads it sees.
    fn written(&self, outcome: io::Result<usize>) -> io::Result<usize> {
        outcome.inspect_err(|error| {
            if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                self.end();
            }
        })
    }

    fn end(&self) {
        // The other end may have been faster.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

#[derive(Debug)]
struct Table {
    places: Places,
    open: HashMap<Number, Arc<TcpConnection>>,
    numbers: HashMap<Ends, Number>,
}

/// See the module.
#[derive(Debug)]
pub struct Connections {
    sockets: Arc<Sockets>,
    service: Service,
    listeners: Vec<TcpListener>,
    poll: OwnedFd,
    table: RwLock<Table>,
}

impl Connections {
    /// Opens the listeners, if there are to be any. Where the port is taken, the log says so and UDP is left.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn open(sockets: Arc<Sockets>, service: Service) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut listeners = Vec::new();
        if service == Service::Own {
            for address in sockets.bound() {
                match listen(address) {
                    Ok(listener) => listeners.push(listener),
                    Err(error) => {
                        tracing::warn!(%address, %error, "receivers are served by UDP alone: the TCP port is not available");
                    }
                }
            }
        }
        for (number, listener) in (LISTENERS..).zip(&listeners) {
            epoll::add(&poll, listener, epoll::EventData::new_u64(number), epoll::EventFlags::IN)?;
        }
        let table = Table { places: Places::new(most()), open: HashMap::new(), numbers: HashMap::new() };
        Ok(Self { sockets, service, listeners, poll, table: RwLock::new(table) })
    }

    /// Returns whether anybody can connect.
    pub fn is_offered(&self) -> bool {
        match self.service {
            Service::Off => false,
            Service::Own => !self.listeners.is_empty(),
            Service::At(_) => true,
        }
    }

    /// Returns the addresses among `udp`, those of UDP, under which receivers reach us by TCP, too.
    pub fn addresses(&self, udp: &[SocketAddr]) -> Vec<SocketAddr> {
        let heard = |address: &SocketAddr| match self.service {
            Service::Off => false,
            Service::Own => self
                .listeners
                .iter()
                .filter_map(|listener| listener.local_addr().ok())
                .any(|own| own.is_ipv4() == address.is_ipv4()),
            Service::At(at) => match at.ip() {
                // `::` is all addresses of both families.
                ip if ip.is_unspecified() => ip.is_ipv6() || address.is_ipv4(),
                ip => self.sockets.shown(ip) == address.ip(),
            },
        };
        udp.iter().copied().filter(heard).collect()
    }

    /// Takes a connection that somebody opened.
    ///
    /// # Errors
    /// It is closed already, or the system has no memory left for it.
    pub fn take(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        // Where the system does not have these, a slow line is seen later.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        let _ = socket.set_tcp_user_timeout(Some(DEAF_LIMIT));
        let peer = canonical(stream.peer_addr()?);
        let own = canonical(stream.local_addr()?);
        let ends = Ends { own: SocketAddr::new(self.sockets.shown(own.ip()), own.port()), peer };
        let connection = Arc::new(TcpConnection { stream, ends, rest: Mutex::default(), read: Mutex::default() });
        let number = {
            let mut table = self.table.write();
            let (number, victim) = table.places.enter(peer.ip(), Instant::now());
            if let Some(victim) = victim {
                self.close(&mut table, victim);
            }
            table.open.insert(number, connection.clone());
            table.numbers.insert(ends, number);
            count(&table);
            number
        };
        let added = epoll::add(
            &self.poll,
            &connection.stream,
            epoll::EventData::new_u64(number.0),
            epoll::EventFlags::IN | epoll::EventFlags::RDHUP,
        );
        added.map_err(|error| {
            self.close(&mut self.table.write(), number);
            error.into()
        })
    }

    /// Sends a packet over the connection between these two, or loses it.
    ///
    /// # Errors
    /// There is no such connection any more, or it takes nothing now.
    pub fn send(&self, own: SocketAddr, peer: SocketAddr, packet: &[u8]) -> io::Result<()> {
        let connection = {
            let table = self.table.read();
            let number = table.numbers.get(&Ends { own, peer });
            number.and_then(|number| table.open.get(number)).cloned()
        };
        connection.ok_or(io::ErrorKind::NotConnected)?.send(packet)
    }

    /// Closes the connections of a receiver who is gone.
    pub fn leave(&self, receiver: PeerId) {
        if self.table.read().places.of(receiver).is_empty() {
            return;
        }
        let mut table = self.table.write();
        for number in table.places.of(receiver) {
            self.close(&mut table, number);
        }
    }

    /// Reads all connections and hands each packet to the thread that serves its receiver, until it is to end.
    pub(super) fn work(&self, routes: &Routes, shards: &[mpsc::Sender<Message>], ended: &AtomicBool) {
        priority::take(Role::Deliver);
        let timeout = Timespec::try_from(PATIENCE).ok();
        let mut events: Vec<epoll::Event> = Vec::with_capacity(EVENTS);
        let mut buffer = vec![0; PIECE];
        let mut sweep_at = Instant::now() + SWEEP;
        while !ended.load(Ordering::Relaxed) {
            events.clear();
            match epoll::wait(&self.poll, spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "the receivers' TCP connections cannot be waited for");
                    std::thread::sleep(PATIENCE);
                }
            }
            for event in &events {
                let number = { event.data }.u64();
                match number.checked_sub(LISTENERS).and_then(|index| self.listeners.get(index as usize)) {
                    Some(listener) => self.accept(listener),
                    None => self.read(Number(number), &mut buffer, routes, shards),
                }
            }
            let now = Instant::now();
            if now >= sweep_at {
                sweep_at = now + SWEEP;
                let mut table = self.table.write();
                for number in table.places.late(now) {
                    self.close(&mut table, number);
                }
            }
        }
    }

    fn accept(&self, listener: &TcpListener) {
        for _ in 0..MOST_AT_ONCE {
            match listener.accept() {
                // Who is gone again is not missed.
                Ok((stream, _)) => drop(self.take(stream)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::debug!(%error, "a TCP connection cannot be accepted");
                    // Without descriptors, say, this is reported again at once, and again.
                    std::thread::sleep(Duration::from_millis(1));
                    return;
                }
            }
        }
    }

    fn read(&self, number: Number, buffer: &mut [u8], routes: &Routes, shards: &[mpsc::Sender<Message>]) {
        let Some(connection) = self.table.read().open.get(&number).cloned() else { return };
        let now = Instant::now();
        let goes_on = match (&connection.stream).read(buffer) {
            Ok(0) => false,
            Ok(length) => self.bring(number, &connection, &buffer[..length], now, routes, shards).is_ok(),
            Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        let mut table = self.table.write();
        if goes_on {
            table.places.heard(number, now);
        } else {
            self.close(&mut table, number);
        }
    }

    fn bring(
        &self,
        number: Number,
        connection: &TcpConnection,
        bytes: &[u8],
        now: Instant,
        routes: &Routes,
        shards: &[mpsc::Sender<Message>],
    ) -> Result<(), Refused> {
        let mut reading = connection.read.lock();
        if !reading.may(bytes.len(), now) {
            return Err(Refused);
        }
        let Ends { own, peer } = connection.ends;
        let path = Path { by: Protocol::Tcp, source: peer, destination: own };
        let Reading { incoming, route, .. } = &mut *reading;
        incoming.push(bytes, |packet| {
            let theirs = match route {
                Some(route) => route,
                None => {
                    let named = routes.named(packet).ok_or(Refused)?;
                    self.claim(number, named.receiver, now);
                    route.insert(named)
                }
            };
            dispatch(shards, theirs, path, packet, now);
            Ok(())
        })
    }

    fn claim(&self, number: Number, receiver: PeerId, now: Instant) {
        let mut table = self.table.write();
        if let Some(victim) = table.places.claim(number, receiver, now) {
            self.close(&mut table, victim);
        }
    }

    fn close(&self, table: &mut Table, number: Number) {
        table.places.leave(number);
        if let Some(connection) = table.open.remove(&number) {
            // Another one may have the same ends by now.
            if table.numbers.get(&connection.ends) == Some(&number) {
                table.numbers.remove(&connection.ends);
            }
            // Fails only when it was never there.
            let _ = epoll::delete(&self.poll, &connection.stream);
            connection.end();
        }
        count(table);
    }
}

fn count(table: &Table) {
    metrics::gauge!("virfie_media_tcp_connections").set(table.places.len() as f64);
}

/// Returns the address as candidates name it: a listener at `::` sees IPv4 as a part of IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Returns how many connections there may be: an eighth of the descriptors.
fn most() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    (descriptors / 8).clamp(16, 4_096) as usize
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
