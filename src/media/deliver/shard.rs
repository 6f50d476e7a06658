//! A thread that serves some of the receivers.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::{
    Listener, News, RoomKey, Sound,
    connect::Connected,
    packet::Unit,
    receiver::{Receiver, Shared},
    routes::{Path, Place, Route, Routes},
    rung::{Ladder, RenditionChoice, View},
    socket::{Outgoing, Sockets},
    tcp::Connections,
};
use crate::media::{
    gst::priority::{self, Role},
    port::PeerId,
    sdp::Candidate,
};

/// Time between two looks at receivers' lines.
const LOOK: Duration = Duration::from_millis(50);
/// The finest step of time: what is due within it is done together.
const STEP: Duration = Duration::from_millis(1);
/// Messages that are taken before time is looked at again.
const MOST_AT_ONCE: usize = 512;

/// An order to a shard.
pub(super) enum Message {
    Add {
        room: RoomKey,
        route: Route,
        connected: Box<Connected>,
        ladder: Ladder,
        wish: RenditionChoice,
        listener: Listener,
    },
    Remove(PeerId),
    /// All receivers of a room.
    Close(RoomKey),
    Candidate(PeerId, Candidate),
    View(PeerId, View, RenditionChoice),
    Ladder(RoomKey, Ladder),
    Unit(RoomKey, Arc<Unit>),
    Sound(RoomKey, Arc<Sound>),
    Packet {
        receiver: PeerId,
        path: Path,
        data: Box<[u8]>,
        at: Instant,
        /// Given back when the packet was looked at.
        place: Place,
    },
}

/// Hands a packet to the thread that serves its receiver, unless too many of that receiver wait there.
pub(super) fn dispatch(shards: &[mpsc::Sender<Message>], route: &Route, path: Path, data: &[u8], at: Instant) {
    let Some(place) = route.place() else {
        metrics::counter!("virfie_delivery_packets_ignored_total").increment(1);
        return;
    };
    let message = Message::Packet { receiver: route.receiver, path, data: data.into(), at, place };
    if let Some(shard) = shards.get(route.shard) {
        // Fails only when the thread is over.
        let _ = shard.send(message);
    }
}

pub(super) struct Shard {
    pub(super) sockets: Arc<Sockets>,
    pub(super) tcp: Arc<Connections>,
    pub(super) routes: Arc<Routes>,
    pub(super) epoch: Instant,
    receivers: HashMap<PeerId, (RoomKey, Receiver, Listener)>,
    rooms: HashMap<RoomKey, Vec<PeerId>>,
    outgoing: Outgoing,
    told_bytes: u64,
    /// Of all shards.
    sent: Arc<AtomicU64>,
    counted: u64,
}

impl Shard {
    pub(super) fn new(
        (sockets, tcp): (Arc<Sockets>, Arc<Connections>),
        routes: Arc<Routes>,
        epoch: Instant,
        sent: Arc<AtomicU64>,
    ) -> Self {
        Self {
            sockets,
            tcp,
            routes,
            epoch,
            receivers: HashMap::new(),
            rooms: HashMap::new(),
            outgoing: Outgoing::default(),
            told_bytes: 0,
            sent,
            counted: 0,
        }
    }

    /// Serves until nobody can send messages any more.
    pub(super) fn work(mut self, messages: &mpsc::Receiver<Message>) {
        priority::take(Role::Deliver);
        let mut look_at = Instant::now() + LOOK;
        loop {
            let due = self.receivers.values().map(|(_, receiver, _)| receiver.next()).min();
            let until = due.map_or(look_at, |due| due.min(look_at));
            let wait = until.saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait.max(STEP)) {
                Ok(message) => {
                    self.take(message);
                    for message in messages.try_iter().take(MOST_AT_ONCE) {
                        self.take(message);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            let look = now >= look_at;
            let Self { receivers, sockets, tcp, routes, outgoing, epoch, .. } = &mut self;
            let mut shared = Shared { sockets, tcp, routes, outgoing, epoch: *epoch, now };
            for (_, receiver, _) in receivers.values_mut() {
                if receiver.next() <= now {
                    receiver.step(&mut shared);
                }
                if look {
                    receiver.look(&mut shared);
                }
            }
            self.outgoing.flush(&self.sockets);
            let more = self.outgoing.bytes - std::mem::replace(&mut self.counted, self.outgoing.bytes);
            self.sent.fetch_add(more, Ordering::Relaxed);
            self.tidy();
            if look {
                look_at = now + LOOK;
                let sent = self.outgoing.bytes - std::mem::replace(&mut self.told_bytes, self.outgoing.bytes);
                metrics::counter!("virfie_delivered_bytes_total").increment(sent);
            }
        }
    }

    fn take(&mut self, message: Message) {
        let Self { receivers, rooms, sockets, tcp, routes, outgoing, epoch, .. } = self;
        let now = Instant::now();
        let mut shared = Shared { sockets, tcp, routes, outgoing, epoch: *epoch, now };
        match message {
            Message::Add { room, route, connected, ladder, wish, listener } => {
                let peer = route.receiver;
                let mut receiver = Receiver::new(route, *connected, ladder, wish, listener.clone(), (now, *epoch));
                receiver.step(&mut shared);
                receivers.insert(peer, (room, receiver, listener));
                rooms.entry(room).or_default().push(peer);
            }
            Message::Remove(peer) => self.remove(peer),
            Message::Close(room) => {
                for peer in rooms.remove(&room).unwrap_or_default() {
                    self.remove(peer);
                }
            }
            Message::Candidate(peer, candidate) => {
                if let Some((_, receiver, _)) = receivers.get_mut(&peer) {
                    receiver.add_candidate(&candidate, &mut shared);
                }
            }
            Message::View(peer, view, wish) => {
                if let Some((_, receiver, _)) = receivers.get_mut(&peer) {
                    receiver.set_view(view, wish);
                }
            }
            Message::Ladder(room, ladder) => {
                for peer in rooms.get(&room).into_iter().flatten() {
                    if let Some((_, receiver, _)) = receivers.get_mut(peer) {
                        receiver.set_ladder(ladder);
                    }
                }
            }
            Message::Unit(room, unit) => {
                for peer in rooms.get(&room).into_iter().flatten() {
                    if let Some((_, receiver, _)) = receivers.get_mut(peer) {
                        receiver.unit(&unit, &mut shared);
                    }
                }
            }
            Message::Sound(room, sound) => {
                for peer in rooms.get(&room).into_iter().flatten() {
                    if let Some((_, receiver, _)) = receivers.get_mut(peer) {
                        receiver.sound(&sound, &mut shared);
                    }
                }
            }
            Message::Packet { receiver, path, data, at, place: _place } => {
                if let Some((_, receiver, _)) = receivers.get_mut(&receiver) {
                    receiver.packet(path, &data, at, &mut shared);
                }
            }
        }
    }

    fn remove(&mut self, peer: PeerId) {
        let Some((room, mut receiver, _)) = self.receivers.remove(&peer) else { return };
        let Self { sockets, tcp, routes, outgoing, epoch, .. } = self;
        let now = Instant::now();
        receiver.close(&mut Shared { sockets, tcp, routes, outgoing, epoch: *epoch, now });
        self.routes.remove(peer);
        self.tcp.leave(peer);
        if let Some(peers) = self.rooms.get_mut(&room) {
            peers.retain(|other| *other != peer);
            if peers.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// Reports those who are gone, and forgets them.
    fn tidy(&mut self) {
        let gone = |(peer, (_, receiver, listener)): (&PeerId, &(RoomKey, Receiver, Listener))| {
            Some((*peer, receiver.gone()?.to_owned(), listener.clone()))
        };
        let gone: Vec<_> = self.receivers.iter().filter_map(gone).collect();
        for (peer, reason, listener) in gone {
            self.remove(peer);
            (listener.0)(peer, News::Gone(reason));
        }
    }
}
