//! Receivers by TCP on a loopback port, good ones and bad ones.
#![allow(clippy::unwrap_used)]

use std::{io::ErrorKind, sync::atomic::AtomicUsize};

use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Receive, TcpType},
};

use super::*;
use crate::media::{
    deliver::{
        Delivery, Listener, Newcomer, News, RoomKey, Sound,
        rung::{Ladder, RenditionChoice},
        socket::Binding,
    },
    sdp::{Description, SdpKind},
};

const PATIENCE: Duration = Duration::from_secs(10);
const LADDER: Ladder = Ladder { bitrate: [2_000_000, 700_000, 250_000], height: [720, 360, 180], sound: 70_000 };

fn delivery() -> Delivery {
    Delivery::start(Binding { loopback: true, tcp: Service::Own, ..Binding::default() }).unwrap()
}

fn connect(delivery: &Delivery) -> TcpStream {
    TcpStream::connect(("127.0.0.1", delivery.port())).unwrap()
}

/// The other end of a receiver's connection, over TCP alone.
struct Client {
    rtc: Rtc,
    stream: TcpStream,
    incoming: Incoming,
    answer: String,
    connected: bool,
    /// Numbers of the packets of sound that came.
    heard: Vec<u64>,
    closed: bool,
}

impl Client {
    fn join(delivery: &Delivery, room: RoomKey, peer: PeerId, listener: Listener) -> Self {
        let stream = connect(delivery);
        stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let mut rtc = RtcConfig::new().clear_codecs().enable_opus(true, false).set_rtp_mode(true).build(Instant::now());
        let own = stream.local_addr().unwrap();
        rtc.add_local_candidate(Candidate::builder().tcp().host(own).tcptype(TcpType::Active).build().unwrap());
        let (offer, pending) = {
            let mut changes = rtc.sdp_api();
            changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
            changes.apply().unwrap()
        };
        let offer = Description::parse(&offer.to_sdp_string(), SdpKind::Offer).unwrap();
        let answer = delivery
            .add(&offer, Newcomer { room, peer, ladder: LADDER, wish: RenditionChoice::Auto, listener })
            .unwrap();
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
        let incoming = Incoming::default();
        Self { rtc, stream, incoming, answer, connected: false, heard: Vec::new(), closed: false }
    }

    /// Does what is due and reads what has come.
    fn step(&mut self) {
        let now = Instant::now();
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain();
        let mut buffer = [0; 16_384];
        match (&self.stream).read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(length) => {
                let mut packets = Vec::new();
                let keep = |packet: &[u8]| {
                    packets.push(packet.to_vec());
                    Ok(())
                };
                self.incoming.push(&buffer[..length], keep).unwrap();
                let (own, peer) = (self.stream.local_addr().unwrap(), self.stream.peer_addr().unwrap());
                for packet in packets {
                    let received = Receive::new(Protocol::Tcp, peer, own, &packet).unwrap();
                    self.rtc.handle_input(Input::Receive(now, received)).unwrap();
                    self.drain();
                }
            }
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(packet) => {
                    let head = framing::head(packet.contents.len()).unwrap();
                    // Fails when the server has closed it, which is seen when it is read.
                    let _ = (&self.stream).write_all(&[&head, &packet.contents[..]].concat());
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(*packet.seq_no),
                Output::Event(_) => {}
            }
        }
    }

    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
            self.step();
        }
    }
}

fn play(delivery: &Delivery, room: RoomKey, index: u32, length: usize) {
    let sound = Sound {
        pts: Duration::from_millis(20) * index,
        at: Instant::now(),
        shared: Some(vec![7; length].into()),
        own: Vec::new(),
    };
    delivery.sound(room, sound);
}

fn nobody_listens() -> Listener {
    Listener(Arc::new(|_, _| {}))
}

/// Returns whether the server closes a connection that has sent this.
fn is_closed_after(delivery: &Delivery, bytes: &[u8]) -> bool {
    let mut stream = connect(delivery);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    match stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_has_tcp_alone_gets_the_mix_and_every_packet_of_it() {
    let delivery = delivery();
    let room = delivery.open();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let listener = Listener(Arc::new(move |_, news| {
        if news == News::Connected {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let mut client = Client::join(&delivery, room, PeerId(1), listener);
    let lines: Vec<&str> = client.answer.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    let priority = |line: &str| line.split(' ').nth(3).unwrap().parse::<u32>().unwrap();
    let (tcp, udp): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.contains(" tcp "));
    assert!(!tcp.is_empty() && tcp.iter().all(|line| line.ends_with(" typ host tcptype passive")), "{lines:?}");
    assert!(tcp.iter().all(|line| line.contains(&format!(" {} typ ", delivery.port()))), "{lines:?}");
    let lowest = udp.iter().map(|line| priority(line)).min().unwrap();
    assert!(tcp.iter().all(|line| priority(line) < lowest), "UDP is preferred: {lines:?}");
    client.until("the connection stands", |client| client.connected);
    while connections.load(Ordering::Relaxed) == 0 {
        client.step();
    }
    for index in 0..200 {
        play(&delivery, room, index, 100);
        client.step();
    }
    client.until("all sound is heard", |client| client.heard.len() == 200);
    let first = client.heard[0];
    assert_eq!(client.heard, (first..first + 200).collect::<Vec<u64>>());
    assert_eq!(delivery.tcp.table.read().places.len(), 1);
    delivery.remove(PeerId(1));
    client.until("the connection is closed", |client| client.closed);
    assert_eq!(delivery.tcp.table.read().places.len(), 0);
}

#[test]
fn who_names_no_receiver_is_put_out_at_once() {
    let delivery = delivery();
    let mut check = vec![0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    check.extend([0, 6, 0, 8]);
    check.extend(b"none:you");
    let framed = [&framing::head(check.len()).unwrap()[..], &check].concat();
    let media = [&[0, 40][..], &[0x80; 40]].concat();
    for (what, bytes) in [
        ("a check for nobody", &framed[..]),
        ("media before any check", &media),
        ("a packet that is too long", &[0xff, 0xff]),
        ("a request", b"GET / HTTP/1.1\r\n\r\n"),
        ("a TLS greeting", &[22, 3, 1, 2, 0, 1]),
    ] {
        assert!(is_closed_after(&delivery, bytes), "{what}");
    }
}

#[test]
fn who_does_not_read_and_who_says_nothing_take_nothing_from_others() {
    let delivery = delivery();
    let room = delivery.open();
    let mut good = Client::join(&delivery, room, PeerId(1), nobody_listens());
    let mut deaf = Client::join(&delivery, room, PeerId(2), nobody_listens());
    // Before anything comes, so that little fits.
    SockRef::from(&deaf.stream).set_recv_buffer_size(4_096).unwrap();
    for client in [&mut good, &mut deaf] {
        client.until("the connection stands", |client| client.connected);
    }
    play(&delivery, room, 0, 100);
    good.until("the first sound is heard", |client| client.heard.len() == 1);
    // As many as a process may open here, and half a packet in every second one.
    let strangers: Vec<TcpStream> = (0..400)
        .map(|index| {
            let mut stream = connect(&delivery);
            if index % 2 == 0 {
                // It may have been closed for the next one already.
                let _ = stream.write_all(&[0, 100, 0, 1]);
            }
            stream
        })
        .collect();
    for index in 1..3_000 {
        play(&delivery, room, index, 1_000);
        // No more is on its way than fits between the two, however slow the machine is.
        good.until("sound is heard", |client| client.heard.len() + 30 > index as usize);
    }
    good.until("all sound is heard", |client| client.heard.len() == 3_000);
    {
        let table = delivery.tcp.table.read();
        assert!(table.places.len() <= most(), "{}", table.places.len());
        let theirs = table.places.of(PeerId(2));
        assert_eq!(theirs.len(), 1);
        let rest = table.open[&theirs[0]].rest.lock().len();
        assert!(rest < 2_000, "no more than the end of one packet waits: {rest}");
    }
    // Among all these there is room for one more.
    let mut newcomer = Client::join(&delivery, room, PeerId(3), nobody_listens());
    newcomer.until("a newcomer's connection stands", |client| client.connected);
    drop(strangers);
    // Who reads again gets whole packets, and what comes from now on.
    deaf.until("sound that waited is heard", |client| client.heard.len() > 10);
    let begun = deaf.heard.len();
    for index in 3_000..3_010 {
        play(&delivery, room, index, 100);
        deaf.step();
    }
    deaf.until("new sound is heard", |client| client.heard.len() > begun);
    assert!(deaf.heard.len() < 2_000, "what did not fit is lost: {} of 3,010 are heard", deaf.heard.len());
}

#[test]
fn who_floods_is_put_out() {
    let delivery = delivery();
    let room = delivery.open();
    let mut client = Client::join(&delivery, room, PeerId(1), nobody_listens());
    client.until("the connection stands", |client| client.connected);
    let flood = [&[4, 0][..], &[0x80; 1_024]].concat().repeat(64);
    let begun = Instant::now();
    while (&client.stream).write_all(&flood).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the flood ends within {PATIENCE:?}");
    }
}

#[test]
fn a_port_that_is_taken_leaves_udp() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let binding = Binding { port, loopback: true, tcp: Service::Own, ..Binding::default() };
    let delivery = Delivery::start(binding).unwrap();
    assert_eq!(delivery.port(), port);
    let udp: Vec<SocketAddr> = delivery.sockets.addresses();
    assert!(delivery.tcp.addresses(&udp).iter().all(SocketAddr::is_ipv6), "IPv4's is taken");
}

#[test]
fn addresses_are_those_of_who_listens() {
    let udp: Vec<SocketAddr> =
        ["192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"].map(|text| text.parse().unwrap()).to_vec();
    let offered = |at: &str, public_ip: Option<&str>| {
        let public_ip = public_ip.map(|ip| ip.parse().unwrap());
        let sockets = Arc::new(Sockets::bind(Binding { public_ip, loopback: true, ..Binding::default() }).unwrap());
        Connections::open(sockets, Service::At(at.parse().unwrap())).unwrap().addresses(&udp)
    };
    assert_eq!(offered("0.0.0.0:80", None), udp[..2]);
    assert_eq!(offered("[::]:80", None), udp);
    assert_eq!(offered("192.0.2.2:80", None), udp[1..2]);
    assert_eq!(offered("10.0.0.1:80", Some("192.0.2.1")), udp[..1]);
    assert_eq!(offered("10.0.0.1:80", None), []);
}
