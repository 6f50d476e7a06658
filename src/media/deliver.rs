//! The mix to everybody who receives it by WebRTC, each over the line that they have.
//!
//! ```text
//!   encoded unit ─► packet (payloads, made once) ─┐
//!   Opus packet ──────────────────────────────────┼─► shards: screen (which encoding) ─► str0m (encrypt, pace) ─► socket, tcp
//!   feedback ◄─ socket, tcp ◄─ routes (whose is it?) ◄─┘            ▲ rung (what the line carries) ◄─ estimate, loss, view
//! ```
//! Contract: one UDP port for all, and TCP of the same number for those whom no UDP reaches; units and sounds carry
//! running time as PTS, and the order in which they are handed over is that in which each receiver gets them. A room
//! that goes to another server has a port of its own (`publish`). Nothing here blocks the caller. What a receiver's
//! line cannot carry is left out for that receiver alone: it gets a smaller rendition, or sound alone. Failure: a
//! receiver that is lost is reported as [`News::Gone`]; a port that cannot be bound is reported at start. Threads:
//! `receive` reads the port, `receive-tcp` the TCP connections, and one `deliver-…` for every two cores serves
//! receivers. `Listener` callbacks are called on those threads and must not block.

use std::{
    collections::HashMap,
    io,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

pub mod answer;
mod connect;
pub mod packet;
pub mod publish;
mod receiver;
mod routes;
pub mod rung;
pub mod screen;
mod shard;
pub mod socket;
mod stream;
pub mod tcp;

pub use connect::ConnectError;
use connect::{Addresses, Connected, Identity};
use packet::Unit;
use parking_lot::Mutex;
use routes::{Path, Route, Routes};
use rung::{Ladder, RenditionChoice, View};
use shard::{Message, Shard, dispatch};
use socket::{Binding, Buffers, Sockets};
use str0m::net::Protocol;
use tcp::{Connections, Service};

use crate::media::{
    codec::{EncodingId, Rendition, VideoCodec},
    gst::{
        load,
        priority::{self, Role},
    },
    port::{PeerId, PeerRefused},
    sdp::{Candidate, Description},
};

/// Longest time that the thread that reads the port may sleep: so late does it see that it is to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// A room among those that are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoomKey(u64);

/// A packet of sound for everybody in a room.
#[derive(Debug)]
pub struct Sound {
    /// Running time of its first sample.
    pub pts: Duration,
    /// The same on the process's clock.
    pub at: Instant,
    /// The whole mix; `None`: nobody needs it.
    pub shared: Option<Arc<[u8]>>,
    /// The mix of each of those who would hear themselves in it, without them.
    pub own: Vec<(PeerId, Arc<[u8]>)>,
}

/// The state of a receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Of its picture; `None`: it takes sound alone.
    pub codec: Option<VideoCodec>,
    /// The picture that it is sent; `None`: sound alone.
    pub rung: Option<Rendition>,
    /// Reason, in the words of [`rung::Reason::name`].
    pub reason: &'static str,
    /// Share of packets lost, 0 to 1.
    pub loss: f32,
    /// To the receiver and back, once known.
    pub round_trip: Option<Duration>,
    /// Estimated capacity of its line, in bits a second, once known.
    pub estimate: Option<u64>,
    /// Moment at which something came from it last.
    pub heard: Instant,
    /// Moment at which it said last that more of what is sent has come.
    pub acknowledged: Option<Instant>,
    /// Whether a part of the picture was left out since the last report: its line carried less than was to be sent.
    pub held_back: bool,
}

/// The news that delivery reports of a receiver.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Media flows.
    Connected,
    /// It is lost and forgotten.
    Gone(String),
    /// It cannot go on, or begin, without a keyframe of this encoding.
    Keyframe(EncodingId),
    /// The encodings that have to be made for it from now on.
    Needs([Option<EncodingId>; 2]),
    /// Its state; about once a second, and at each change of its rung.
    Report(Report),
}

/// The owner's ear.
#[derive(Clone)]
pub struct Listener(pub Arc<dyn Fn(PeerId, News) + Send + Sync>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

/// Somebody who wants to receive.
#[derive(Debug)]
pub struct Newcomer {
    /// The room.
    pub room: RoomKey,
    /// The connection's id, unique in the process.
    pub peer: PeerId,
    /// The steps that their lines may carry.
    pub ladder: Ladder,
    /// The rendition that they want.
    pub wish: RenditionChoice,
    /// Gets all news of them.
    pub listener: Listener,
}

/// See the module. One for all receivers of the process, and one for each server that a room goes to. Dropping it ends
/// all connections.
#[derive(Debug)]
pub struct Delivery {
    sockets: Arc<Sockets>,
    tcp: Arc<Connections>,
    routes: Arc<Routes>,
    identity: Identity,
    shards: Vec<mpsc::Sender<Message>>,
    places: Mutex<HashMap<PeerId, usize>>,
    next_room: AtomicU64,
    sent: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

/// Ports of UDP that are tried for one that TCP has free, too, where any will do.
const PORTS: usize = 8;

/// Opens the port.
fn open(binding: Binding) -> io::Result<(Arc<Sockets>, Arc<Connections>)> {
    let tries = if binding.port == 0 { PORTS } else { 1 };
    for number in 1..=tries {
        let sockets = Arc::new(Sockets::bind(binding)?);
        let tcp = Arc::new(Connections::open(sockets.clone(), binding.tcp)?);
        if number == tries || tcp.is_offered() || binding.tcp == Service::Off {
            return Ok((sockets, tcp));
        }
    }
    Err(io::Error::other("no port"))
}

impl Delivery {
    /// Binds the port and starts the threads.
    ///
    /// # Errors
    /// The port is taken or not allowed, or the system has no thread left.
    pub fn start(binding: Binding) -> io::Result<Self> {
        Self::start_threads(binding, (load::cores() / 2).clamp(1, 8))
    }

    /// Does the same with so many threads that serve.
    fn start_threads(binding: Binding, threads: usize) -> io::Result<Self> {
        let (sockets, tcp) = open(binding)?;
        let provider = str0m::crypto::from_feature_flags();
        let certificate =
            provider.dtls_provider.generate_certificate().ok_or_else(|| io::Error::other("no DTLS certificate"))?;
        provider.install_process_default();
        let internal_peers = sockets.calls_internal_peers();
        let identity = Identity { certificate, lite: sockets.is_public(), internal_peers };
        let (routes, ended, epoch) = (Arc::new(Routes::default()), Arc::new(AtomicBool::new(false)), Instant::now());
        let sent = Arc::<AtomicU64>::default();
        let mut shards = Vec::new();
        for index in 0..threads {
            let (sender, messages) = mpsc::channel();
            let shard = Shard::new((sockets.clone(), tcp.clone()), routes.clone(), epoch, sent.clone());
            std::thread::Builder::new().name(format!("deliver-{index}")).spawn(move || shard.work(&messages))?;
            shards.push(sender);
        }
        let (port, table, to, stop) = (sockets.clone(), routes.clone(), shards.clone(), ended.clone());
        std::thread::Builder::new().name("receive".into()).spawn(move || read(&port, &table, &to, &stop))?;
        if tcp.is_offered() {
            let (all, table, to, stop) = (tcp.clone(), routes.clone(), shards.clone(), ended.clone());
            let work = move || all.work(&table, &to, &stop);
            std::thread::Builder::new().name("receive-tcp".into()).spawn(work)?;
        }
        let places = Mutex::default();
        Ok(Self { sockets, tcp, routes, identity, shards, places, next_room: AtomicU64::new(1), sent, ended })
    }

    /// Returns the port of all receivers.
    pub fn port(&self) -> u16 {
        self.sockets.port()
    }

    /// Returns whether receivers are served by TCP, too.
    pub fn serves_tcp(&self) -> bool {
        self.tcp.is_offered()
    }

    /// Takes a TCP connection that was opened to another listener on our port, and begins with a packet's length.
    pub fn take(&self, stream: TcpStream) {
        // Who is gone again is not missed.
        let _ = self.tcp.take(stream);
    }

    /// Returns whether peers are called at private and loopback addresses.
    pub fn calls_internal_peers(&self) -> bool {
        self.identity.internal_peers
    }

    /// Opens a room to be delivered; [`Delivery::close`] ends it.
    pub fn open(&self) -> RoomKey {
        RoomKey(self.next_room.fetch_add(1, Ordering::Relaxed))
    }

    /// Ends all connections of a room; it reports nothing of them any more.
    pub fn close(&self, room: RoomKey) {
        self.all(|| Message::Close(room));
    }

    /// Takes a receiver in and answers its offer, with all our candidates in the answer's SDP.
    ///
    /// # Errors
    /// The offer takes nothing that is sent, or no connection can be made.
    pub fn add(&self, offer: &Description, newcomer: Newcomer) -> Result<String, PeerRefused> {
        let udp = self.sockets.addresses();
        let addresses = Addresses { tcp: self.tcp.addresses(&udp), udp };
        let connected = connect::connect(offer, &self.identity, &addresses, Instant::now())?;
        let answer = connected.answer.clone();
        self.take_in(connected, newcomer);
        Ok(answer)
    }

    /// Serves a connection from now on.
    fn take_in(&self, connected: Connected, newcomer: Newcomer) {
        let Newcomer { room, peer, ladder, wish, listener } = newcomer;
        let shard = {
            let mut places = self.places.lock();
            let load = |shard: &usize| places.values().filter(|place| *place == shard).count();
            let shard = (0..self.shards.len()).min_by_key(load).unwrap_or(0);
            places.insert(peer, shard);
            shard
        };
        let route = Route::new(shard, peer);
        self.routes.add(connected.ufrag.clone(), route.clone());
        let connected = Box::new(connected);
        self.one(shard, Message::Add { room, route, connected, ladder, wish, listener });
    }

    /// Returns bytes that have gone out by UDP, in packets of every kind.
    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Adds where a receiver can be reached, in addition to what its offer says.
    pub fn candidate(&self, peer: PeerId, candidate: Candidate) {
        if connect::is_usable(&candidate, &self.identity) {
            self.to(peer, Message::Candidate(peer, candidate));
        }
    }

    /// Sets what a receiver can use and wants from now on.
    pub fn view(&self, peer: PeerId, view: View, wish: RenditionChoice) {
        self.to(peer, Message::View(peer, view, wish));
    }

    /// Ends a connection; it reports nothing of it any more.
    pub fn remove(&self, peer: PeerId) {
        let place = self.places.lock().remove(&peer);
        if let Some(shard) = place {
            self.one(shard, Message::Remove(peer));
        }
    }

    /// Sets what a room's renditions cost from now on.
    pub fn set_ladder(&self, room: RoomKey, ladder: Ladder) {
        self.all(|| Message::Ladder(room, ladder));
    }

    /// Shows a picture to all in the room who are shown its encoding.
    pub fn unit(&self, room: RoomKey, unit: Unit) {
        let unit = Arc::new(unit);
        self.all(|| Message::Unit(room, unit.clone()));
    }

    /// Plays a packet of sound to all in the room.
    pub fn sound(&self, room: RoomKey, sound: Sound) {
        let sound = Arc::new(sound);
        self.all(|| Message::Sound(room, sound.clone()));
    }

    fn to(&self, peer: PeerId, message: Message) {
        let place = self.places.lock().get(&peer).copied();
        if let Some(shard) = place {
            self.one(shard, message);
        }
    }

    fn one(&self, shard: usize, message: Message) {
        // Fails only when the thread is over, which no input ends.
        let _ = self.shards[shard].send(message);
    }

    fn all(&self, message: impl Fn() -> Message) {
        (0..self.shards.len()).for_each(|shard| self.one(shard, message()));
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Reads the port and hands each datagram to the thread that serves its receiver.
fn read(sockets: &Sockets, routes: &Routes, shards: &[mpsc::Sender<Message>], ended: &AtomicBool) {
    priority::take(Role::Deliver);
    let mut buffers = Buffers::default();
    while !ended.load(Ordering::Relaxed) {
        let outcome = sockets.receive(&mut buffers, PATIENCE, |arrived| {
            let Some(route) = routes.find(arrived.source, arrived.data) else { return };
            let path = Path { by: Protocol::Udp, source: arrived.source, destination: arrived.destination };
            dispatch(shards, &route, path, arrived.data, Instant::now());
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "the port of the receivers cannot be read");
            std::thread::sleep(PATIENCE);
        }
    }
}
