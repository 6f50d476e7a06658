//! The UDP port of all receivers: one socket an address family, batched both ways.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::tcp::{Connections, Service};
use crate::media::sdp::is_internal;

/// Bytes that the kernel may hold for the program and for the network: a keyframe for hundreds of receivers at once is
/// some megabytes. The system may grant less.
const BUFFER: usize = 8 << 20;

/// Bytes of the largest batch that the kernel cuts into packets by itself.
const MAX_BATCH: usize = 60_000;

/// The sockets where receivers are served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Binding {
    /// The port; 0: any that is free.
    pub port: u16,
    /// Serve this machine only.
    pub loopback: bool,
    /// Loopback is an address of ours beside the others: the peer is on this machine, and its candidates may be of
    /// either kind.
    pub loopback_too: bool,
    /// The address that the world sees, when it is not the machine's own (1:1 NAT).
    pub public_ip: Option<IpAddr>,
    /// Whether peers are called at internal addresses; `None`: unless one of ours is public.
    pub internal_peers: Option<bool>,
    /// TCP, for those whom no UDP reaches.
    pub tcp: Service,
}

struct Bound {
    socket: UdpSocket,
    state: UdpSocketState,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.socket)
    }
}

/// The sockets.
#[derive(Debug)]
pub struct Sockets {
    bound: Vec<Bound>,
    binding: Binding,
    port: u16,
}

/// A datagram that came, in the receiver's buffer.
pub struct Arrived<'a> {
    /// The sender's address.
    pub source: SocketAddr,
    /// Address that it was sent to, as the candidates name it.
    pub destination: SocketAddr,
    /// Its content.
    pub data: &'a [u8],
}

impl Sockets {
    /// Binds the port for IPv4, and for IPv6 where the machine has it.
    ///
    /// # Errors
    /// The port is taken or not allowed.
    pub fn bind(binding: Binding) -> io::Result<Self> {
        let v4: IpAddr = if binding.loopback { Ipv4Addr::LOCALHOST.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let v6: IpAddr = if binding.loopback { Ipv6Addr::LOCALHOST.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let first = bind(SocketAddr::new(v4, binding.port))?;
        let port = first.socket.local_addr()?.port();
        let mut bound = vec![first];
        // A machine without IPv6 serves IPv4 alone.
        bound.extend(bind(SocketAddr::new(v6, port)).ok());
        Ok(Self { bound, binding, port })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the addresses under which receivers reach us, each with our port. With a public address it is that one
    /// alone.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let families: Vec<bool> =
            self.bound.iter().filter_map(|one| one.socket.local_addr().ok()).map(|own| own.is_ipv4()).collect();
        let mut addresses: Vec<IpAddr> = match self.binding {
            Binding { public_ip: Some(ip), .. } => vec![ip],
            Binding { loopback: true, .. } => Vec::new(),
            // Fails where the system says nothing; then loopback is left.
            Binding { .. } => if_addrs::get_if_addrs()
                .map(|all| all.into_iter().filter(|one| !one.is_loopback()).map(|one| one.ip()).collect())
                .unwrap_or_default(),
        };
        // Link-local addresses of IPv6 mean nothing without an interface, which a candidate cannot name.
        addresses.retain(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
        addresses.truncate(MAX_ADDRESSES);
        if addresses.is_empty() {
            addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        if self.binding.loopback_too {
            addresses.retain(|ip| !ip.is_loopback());
            addresses.extend([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]);
        }
        addresses.retain(|ip| families.contains(&ip.is_ipv4()));
        addresses.into_iter().map(|ip| SocketAddr::new(ip, self.port)).collect()
    }

    /// Returns where the sockets are bound.
    pub fn bound(&self) -> impl Iterator<Item = SocketAddr> {
        self.bound.iter().filter_map(|one| one.socket.local_addr().ok())
    }

    /// Returns what candidates say for one of our addresses.
    pub fn shown(&self, own: IpAddr) -> IpAddr {
        self.binding.public_ip.filter(|ip| ip.is_ipv4() == own.is_ipv4()).unwrap_or(own)
    }

    /// Returns whether peers can reach us without our help, so that we need not look for a way to them: the address is
    /// public. Loopback is not: Firefox and libnice send no checks to it, but answer ours.
    pub fn is_public(&self) -> bool {
        self.binding.public_ip.is_some() || self.addresses().iter().all(|address| !is_internal(address.ip()))
    }

    /// Returns whether peers are called at internal addresses. Peers of a server in a local network are there; those of
    /// a public one reach it by themselves, and an internal address that they name is one of the server's own network.
    pub fn calls_internal_peers(&self) -> bool {
        let has_public =
            || self.binding.public_ip.is_some() || self.addresses().iter().any(|address| !is_internal(address.ip()));
        self.binding.internal_peers.unwrap_or_else(|| !has_public())
    }

    /// Waits for datagrams, at most `patience`, and hands each to `take`.
    ///
    /// # Errors
    /// The sockets cannot be waited for.
    pub fn receive(
        &self,
        buffers: &mut Buffers,
        patience: Duration,
        mut take: impl FnMut(Arrived<'_>),
    ) -> io::Result<()> {
        let mut waited: Vec<PollFd<'_>> =
            self.bound.iter().map(|one| PollFd::new(&one.socket, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
        match poll(&mut waited, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = waited.iter().map(|one| !one.revents().is_empty()).collect();
        for (one, _) in self.bound.iter().zip(ready).filter(|(_, ready)| *ready) {
            self.drain(one, buffers, &mut take);
        }
        Ok(())
    }

    fn drain(&self, one: &Bound, buffers: &mut Buffers, take: &mut impl FnMut(Arrived<'_>)) {
        let Ok(own) = one.socket.local_addr() else { return };
        loop {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let count = {
                let mut slices: Vec<io::IoSliceMut<'_>> =
                    buffers.0.iter_mut().map(|buffer| io::IoSliceMut::new(buffer)).collect();
                // Nothing more is there, or an ICMP error of an earlier packet is reported: both are over with this.
                match one.state.recv((&one.socket).into(), &mut slices, &mut metas) {
                    Ok(count) => count,
                    Err(_) => return,
                }
            };
            for (meta, buffer) in metas.iter().zip(&buffers.0).take(count) {
                let to = meta.dst_ip.filter(|_| own.ip().is_unspecified()).unwrap_or(own.ip());
                let destination = SocketAddr::new(self.shown(to), self.port);
                for data in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    take(Arrived { source: meta.addr, destination, data });
                }
            }
        }
    }

    fn send(&self, batch: &Batch) -> io::Result<()> {
        let Some(to) = batch.to else { return Ok(()) };
        let family = |one: &&Bound| one.socket.local_addr().is_ok_and(|own| own.is_ipv4() == to.is_ipv4());
        let one = self.bound.iter().find(family).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let segment_size = (batch.data.len() > batch.size).then_some(batch.size);
        let src_ip = batch.from.filter(|from| self.binding.public_ip.is_none() && !from.is_unspecified());
        let transmit = Transmit { destination: to, ecn: None, contents: &batch.data, segment_size, src_ip };
        one.state.try_send((&one.socket).into(), &transmit)
    }

    fn segments(&self) -> usize {
        self.bound.iter().map(|one| one.state.max_gso_segments()).min().unwrap_or(1)
    }
}

/// Addresses that are offered: a container host has dozens, and each costs the peer a connectivity check.
const MAX_ADDRESSES: usize = 8;

/// Carrier-grade NAT (RFC 6598): not public, though no private range either.
fn bind(address: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    let socket = UdpSocket::from(socket);
    let state = UdpSocketState::new((&socket).into())?;
    // The system's limit holds where it is lower.
    let _ = state.set_send_buffer_size((&socket).into(), BUFFER);
    let _ = state.set_recv_buffer_size((&socket).into(), BUFFER);
    Ok(Bound { socket, state })
}

/// Memory for what arrives, used again and again.
#[derive(Debug)]
pub struct Buffers(Vec<Vec<u8>>);

impl Default for Buffers {
    fn default() -> Self {
        // The kernel may join datagrams of one sender up to this size.
        Self(vec![vec![0; 1 << 16]; BATCH_SIZE])
    }
}

/// Packets of one size for one receiver, which the kernel takes in one call.
#[derive(Debug, Default)]
struct Batch {
    to: Option<SocketAddr>,
    from: Option<IpAddr>,
    size: usize,
    data: Vec<u8>,
    /// A shorter packet ends a batch.
    full: bool,
}

/// Packets on their way out, put together where the kernel can take several at once.
#[derive(Debug, Default)]
pub struct Outgoing {
    batch: Batch,
    /// Packets that the kernel had no room for, or no connection.
    pub refused: u64,
    /// Packets that went out.
    pub sent: u64,
    /// Bytes that went out.
    pub bytes: u64,
}

impl Outgoing {
    /// Sends a packet, now or with the next ones to the same receiver.
    pub fn push(&mut self, sockets: &Sockets, from: IpAddr, to: SocketAddr, packet: &[u8]) {
        let batch = &self.batch;
        let fits = batch.to == Some(to)
            && batch.from == Some(from)
            && !batch.full
            && packet.len() <= batch.size
            && batch.data.len() + packet.len() <= MAX_BATCH
            && batch.data.len() / batch.size.max(1) < sockets.segments();
        if !fits {
            self.flush(sockets);
            self.batch.size = packet.len();
        }
        let batch = &mut self.batch;
        (batch.to, batch.from) = (Some(to), Some(from));
        batch.full = packet.len() < batch.size;
        batch.data.extend_from_slice(packet);
    }

    /// Sends a packet by TCP.
    pub fn push_tcp(&mut self, connections: &Connections, own: SocketAddr, peer: SocketAddr, packet: &[u8]) {
        match connections.send(own, peer, packet) {
            Ok(()) => {
                self.sent += 1;
                self.bytes += packet.len() as u64;
            }
            Err(_) => self.refused += 1,
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self, sockets: &Sockets) {
        if self.batch.data.is_empty() {
            return;
        }
        let count = self.batch.data.len().div_ceil(self.batch.size.max(1)) as u64;
        match sockets.send(&self.batch) {
            Ok(()) => {
                self.sent += count;
                self.bytes += self.batch.data.len() as u64;
            }
            // No room, or no way to that address at this moment: as if the network had lost it.
            Err(_) => self.refused += count,
        }
        self.batch.data.clear();
        (self.batch.to, self.batch.full) = (None, false);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn packets_of_one_receiver_go_in_one_batch_and_come_one_by_one() {
        let here = Sockets::bind(Binding { loopback: true, ..Binding::default() }).unwrap();
        let there = Sockets::bind(Binding { loopback: true, ..Binding::default() }).unwrap();
        let to = there.addresses()[0];
        let mut outgoing = Outgoing::default();
        for (length, byte) in [(1_000, 1u8), (1_000, 2), (400, 3), (1_000, 4)] {
            outgoing.push(&here, to.ip(), to, &vec![byte; length]);
        }
        outgoing.flush(&here);
        assert_eq!((outgoing.sent, outgoing.refused, outgoing.bytes), (4, 0, 3_400));
        let mut seen = Vec::new();
        let mut buffers = Buffers::default();
        while seen.len() < 4 {
            let take = |one: Arrived<'_>| seen.push((one.data.len(), one.data[0], one.source, one.destination));
            there.receive(&mut buffers, Duration::from_secs(5), take).unwrap();
        }
        let from = here.addresses()[0];
        assert_eq!(seen, [(1_000, 1, from, to), (1_000, 2, from, to), (400, 3, from, to), (1_000, 4, from, to)]);
    }

    #[test]
    fn a_public_address_is_the_only_one_shown() {
        let ip: IpAddr = "203.0.113.9".parse().unwrap();
        let sockets = Sockets::bind(Binding { public_ip: Some(ip), ..Binding::default() }).unwrap();
        assert_eq!(sockets.addresses(), [SocketAddr::new(ip, sockets.port())]);
        assert!(sockets.is_public());
    }

    #[test]
    fn who_is_on_this_machine_is_offered_its_other_addresses_too() {
        let sockets = Sockets::bind(Binding { loopback_too: true, ..Binding::default() }).unwrap();
        let others = Sockets::bind(Binding::default()).unwrap();
        let mut expected: Vec<IpAddr> = others.addresses().iter().map(SocketAddr::ip).collect();
        expected.retain(|ip| !ip.is_loopback());
        let (loopback, shown): (Vec<IpAddr>, Vec<IpAddr>) =
            sockets.addresses().iter().map(SocketAddr::ip).partition(IpAddr::is_loopback);
        assert_eq!(shown, expected);
        assert!(loopback.contains(&Ipv4Addr::LOCALHOST.into()), "{loopback:?}");
    }

    #[test]
    fn internal_peers_are_called_by_servers_without_a_public_address_and_where_it_is_said() {
        let calls = |binding| Sockets::bind(binding).unwrap().calls_internal_peers();
        let public = Binding { public_ip: Some("203.0.113.9".parse().unwrap()), ..Binding::default() };
        let loopback = Binding { loopback: true, ..Binding::default() };
        assert!(!calls(public) && calls(Binding { internal_peers: Some(true), ..public }));
        assert!(calls(loopback) && !calls(Binding { internal_peers: Some(false), ..loopback }));
    }
}
