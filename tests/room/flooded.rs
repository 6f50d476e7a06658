//! A viewer who misuses their own connection.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use aws_lc_rs::hmac;
use str0m::ice::{StunMessage, TransId};
use virfie::media::sdp::{Address, Description, SdpKind};

use super::{
    posted::SDP,
    server::{ROOM, Server, until},
};

const OFFER: &str = include_str!("../../src/media/sdp/fixtures/firefox_whep_offer.sdp");

/// The user fragment of [`OFFER`].
const OWN_UFRAG: &str = "6f0a93d4";

/// A viewer's connection, as far as checks of it need it.
struct Viewer {
    username: String,
    password: String,
    address: SocketAddr,
}

impl Viewer {
    async fn join(server: &Server) -> Self {
        let answer = server.send_text("POST", &format!("/whep/{ROOM}"), SDP, OFFER).await.expect(201).text();
        let answer = Description::parse(&answer, SdpKind::Answer).unwrap();
        let section = &answer.media[0];
        let address = section.candidates.iter().find_map(|candidate| match candidate.address {
            Address::Ip(ip) if ip.is_ipv4() => Some(SocketAddr::new(ip, candidate.port)),
            _ => None,
        });
        Self {
            username: format!("{}:{OWN_UFRAG}", section.ice_ufrag),
            password: section.ice_pwd.clone(),
            address: address.expect("the server has an address of IPv4"),
        }
    }

    /// Returns a connectivity check that is signed as it should be.
    fn check(&self) -> Vec<u8> {
        let sign = |key: &[u8], parts: &[&[u8]]| {
            let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key));
            parts.iter().for_each(|part| context.update(part));
            context.sign().as_ref().try_into().unwrap()
        };
        let mut packet = vec![0; 512];
        let check = StunMessage::binding_request(&self.username, TransId::new(), true, 7, 1_845_501_695, false);
        let length = check.to_bytes(Some(self.password.as_bytes()), &mut packet, sign).unwrap();
        packet.truncate(length);
        packet
    }

    /// Sends a check from an address of this machine; `None` where it has no such address.
    fn come_from(&self, ip: Ipv4Addr) -> Option<UdpSocket> {
        let socket = UdpSocket::bind((ip, 0)).ok()?;
        socket.set_nonblocking(true).unwrap();
        socket.send_to(&self.check(), self.address).ok()?;
        Some(socket)
    }
}

/// Returns whether a check was answered by a success.
fn is_answered(socket: &UdpSocket) -> bool {
    let mut packet = [0; 1500];
    std::iter::from_fn(|| socket.recv(&mut packet).ok().map(|_| packet[..2] == [1, 1])).any(|success| success)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_who_comes_from_everywhere_is_looked_at_from_some_places_and_stops_nobody() {
    let server = Server::start().await;
    let (everywhere, other) = (Viewer::join(&server).await, Viewer::join(&server).await);
    let mut sockets = Vec::new();
    for number in 0..600_u16 {
        let [high, low] = number.to_be_bytes();
        let Some(socket) = everywhere.come_from(Ipv4Addr::new(127, 77, high, low.max(1))) else {
            eprintln!("SKIPPED: this machine has no addresses of 127.77.0.0/16");
            return;
        };
        sockets.push(socket);
        // As many at once as the server takes of one viewer.
        if number % 100 == 99 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let socket = other.come_from(Ipv4Addr::new(127, 78, 0, 1)).expect("as above");
    until("the other one is answered", async || is_answered(&socket).then_some(())).await;
    let answered = sockets.iter().filter(|socket| is_answered(socket)).count();
    assert!((100..=256).contains(&answered), "{answered} of {} were answered", sockets.len());
}
