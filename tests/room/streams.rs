//! The packets on the wire, as a receiver with transport-wide feedback sees them before it decrypts anything.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Input, Output, Rtc, RtcConfig,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};
use tokio::{net::UdpSocket, time::timeout};

use virfie::media::port::VideoCodec;

use super::{
    posted::{SDP, whep},
    recorder::Attention,
    server::{PATIENCE, ROOM, Server},
};

/// Returns the SSRC of a packet of RTP, which SRTP leaves readable. RTCP's types lie where RTP has 64 to 95.
fn ssrc(packet: &[u8]) -> Option<u32> {
    let [first, second, ..] = *packet else { return None };
    let is_rtp = first >> 6 == 2 && !(64..96).contains(&(second & 0x7f));
    let bytes = packet.get(8..12).filter(|_| is_rtp)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Watches until `enough` of what came, and returns the SSRCs of it.
async fn watch(rtc: &mut Rtc, socket: &UdpSocket, enough: impl Fn(&BTreeSet<u32>) -> bool) -> BTreeSet<u32> {
    let (begun, address) = (Instant::now(), socket.local_addr().unwrap());
    let (mut seen, mut buffer) = (BTreeSet::new(), [0; 2_048]);
    while !enough(&seen) {
        assert!(begun.elapsed() < PATIENCE, "only {seen:?} came");
        let next = match rtc.poll_output().unwrap() {
            Output::Timeout(at) => at,
            Output::Transmit(packet) => {
                socket.send_to(&packet.contents, packet.destination).await.unwrap();
                continue;
            }
            Output::Event(_) => continue,
        };
        let wait = next.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let received = timeout(wait, socket.recv_from(&mut buffer)).await;
        let Ok((length, source)) = received.map(Result::unwrap) else {
            rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
            continue;
        };
        let packet = &buffer[..length];
        seen.extend(ssrc(packet));
        if let Ok(packet) = Receive::new(Protocol::Udp, source, address, packet) {
            rtc.handle_input(Input::Receive(Instant::now(), packet)).unwrap();
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_but_the_streams_of_the_answer() {
    // With two pictures a second, the connection stands long before the next one is made.
    let server = Server::start_with(|config| config.canvas.fps = 2).await;
    let first = whep(&server, VideoCodec::H264, Attention::Picture).await;
    first.recorder.more_pictures(1).await;
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let config = RtcConfig::new().clear_codecs().enable_opus(true, false).enable_h264(true);
    let mut rtc = config.set_rtp_mode(true).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
    let mut changes = rtc.sdp_api();
    changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
    changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    let (offer, pending) = changes.apply().unwrap();
    let path = format!("/whep/{ROOM}");
    let answer = server.send_text("POST", &path, SDP, offer.to_sdp_string()).await.expect(201).text();
    let named = |line: &str| line.strip_prefix("a=ssrc:")?.split(' ').next()?.parse().ok();
    let announced: BTreeSet<u32> = answer.lines().filter_map(named).collect();
    assert_eq!(announced.len(), 3, "sound, picture and what is sent again:\n{answer}");
    let answer = str0m::change::SdpAnswer::from_sdp_string(&answer).unwrap();
    rtc.sdp_api().accept_answer(pending, answer).unwrap();

    // The last of them to come is padding of what is sent again: probes have been made by then.
    let seen = watch(&mut rtc, &socket, |seen| announced.is_subset(seen)).await;
    assert_eq!(seen, announced);
}
