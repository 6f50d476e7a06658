//! Cheap viewers for load tests: each watches by WHEP with a connection of str0m's, counts what comes, decodes nothing.
//!
//! All of them are served by one thread, which waits for all their sockets at once.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    error::{IceError, RtcError, SdpError},
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};
use tracing::warn;
use url::Url;

use super::tally::Tally;
use crate::media::codec::VideoCodec;

/// Longest time that the server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Time between two questions to the server about what it sends to whom.
const ASK: Duration = Duration::from_secs(2);
/// Longest wait for packets.
const PATIENCE: Duration = Duration::from_millis(50);
/// Steps of str0m that may follow one event.
const MOST_STEPS: usize = 1_000;

/// The room to watch.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// `http(s)://host:port`
    pub server: String,
    /// The room's name; it must exist.
    pub room: String,
    /// API key or token.
    pub token: Option<String>,
    /// The video codec to receive.
    pub codec: VideoCodec,
}

/// The reason why somebody cannot watch, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    /// The server is not there.
    #[error("{server}: {error}")]
    Unreachable {
        /// As given.
        server: String,
        /// Of the request.
        error: Box<ureq::Error>,
    },
    /// The server breaks off: its fault, or the line's.
    #[error(transparent)]
    Broken(Box<ureq::Error>),
    /// The server refuses, and says why.
    #[error("the server refuses a viewer ({status}): {detail}")]
    Refused {
        /// Of HTTP.
        status: ureq::http::StatusCode,
        /// In its words.
        detail: String,
    },
    /// This machine gives no socket or no thread, or knows no way to the server.
    #[error(transparent)]
    System(#[from] io::Error),
    /// str0m does not take our address: a fault of ours.
    #[error(transparent)]
    Address(#[from] IceError),
    /// A fault of ours.
    #[error("str0m makes no offer")]
    NoOffer,
    /// str0m does not understand the answer: the server's fault.
    #[error(transparent)]
    Answer(#[from] SdpError),
    /// The connection is of no use.
    #[error(transparent)]
    Connection(#[from] RtcError),
}

/// Viewers that run. Dropping this ends them.
#[derive(Debug)]
pub struct Viewers {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Viewers {
    /// Joins with as many viewers as there are tallies, one after the other.
    ///
    /// # Errors
    /// The server is not there, or refuses a viewer; in one line.
    pub fn join(invitation: &Invitation, tallies: &[Arc<Tally>]) -> Result<Self, ViewerError> {
        // Fails when it was chosen before, which is the same choice.
        str0m::crypto::from_feature_flags().install_process_default();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        let http = Http { agent, invitation: invitation.clone() };
        let viewers = tallies.iter().map(|tally| Viewer::join(&http, tally.clone())).collect::<Result<Vec<_>, _>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let thread =
            std::thread::Builder::new().name("viewers".into()).spawn(move || Crowd { viewers, http }.work(&ended))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only says that the thread panicked, which has been printed.
            let _ = thread.join();
        }
    }
}

/// Requests to the server.
struct Http {
    agent: ureq::Agent,
    invitation: Invitation,
}

impl Http {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.invitation.server.trim_end_matches('/'))
    }

    fn bearer(&self) -> Option<String> {
        self.invitation.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    /// Posts an offer; the answer, the path of the session and the number of the connection.
    fn watch(&self, offer: &str) -> Result<(String, String, u64), ViewerError> {
        let mut request = self.agent.post(self.url(&format!("/whep/{}", self.invitation.room)));
        request = request.header("Content-Type", "application/sdp");
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let mut response = request.send(offer).map_err(|error| {
            let server = self.invitation.server.clone();
            ViewerError::Unreachable { server, error: error.into() }
        })?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (location, tag) = (header("location"), header("etag"));
        let status = response.status();
        let body = response.body_mut().read_to_string().map_err(|error| ViewerError::Broken(error.into()))?;
        if status != 201 {
            let detail = serde_json::from_str(&body)
                .ok()
                .and_then(|problem: Value| problem.get("detail").and_then(Value::as_str).map(str::to_owned));
            return Err(ViewerError::Refused { status, detail: detail.unwrap_or_default() });
        }
        let number = tag.trim_matches('"').trim_start_matches("ice-").parse().unwrap_or(0);
        Ok((body, location, number))
    }

    /// Returns what the server sends to whom, by the numbers of connections.
    fn deliveries(&self) -> Option<HashMap<u64, Value>> {
        let mut request = self.agent.get(self.url(&format!("/api/v1/rooms/{}", self.invitation.room)));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let body = request.call().ok()?.body_mut().read_to_string().ok()?;
        let room: Value = serde_json::from_str(&body).ok()?;
        let list = room.get("viewer_deliveries")?.as_array()?.clone();
        let number = |one: &Value| one.get("connection").and_then(Value::as_u64);
        Some(list.into_iter().filter_map(|one| Some((number(&one)?, one))).collect())
    }

    fn leave(&self, location: &str) {
        let mut request = self.agent.delete(self.url(location));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        // The server may be gone, which is what leaving wants anyway.
        let _ = request.call();
    }
}

struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    location: String,
    number: u64,
    tally: Arc<Tally>,
    next: Instant,
    /// Extended number of the newest packet of the video, and how many came.
    newest: Option<(u64, u64)>,
    ended: bool,
}

impl Viewer {
    fn join(http: &Http, tally: Arc<Tally>) -> Result<Self, ViewerError> {
        let (socket, address) = bind(&http.invitation.server)?;
        let vp8 = http.invitation.codec == VideoCodec::Vp8;
        let config = RtcConfig::new().clear_codecs().enable_opus(true, false).enable_vp8(vp8).enable_h264(!vp8);
        let mut rtc = config.set_rtp_mode(true).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        let (offer, pending): (_, SdpPendingOffer) = {
            let mut changes = rtc.sdp_api();
            changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
            changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
            changes.apply().ok_or(ViewerError::NoOffer)?
        };
        let (answer, location, number) = http.watch(&offer.to_sdp_string())?;
        let answer = SdpAnswer::from_sdp_string(&answer)?;
        rtc.sdp_api().accept_answer(pending, answer)?;
        let next = Instant::now();
        Ok(Self { rtc, socket, address, location, number, tally, next, newest: None, ended: false })
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        while let Ok((length, source)) = self.socket.recv_from(buffer) {
            let now = Instant::now();
            if let Ok(received) = Receive::new(Protocol::Udp, source, self.address, &buffer[..length]) {
                self.input(Input::Receive(now, received), now);
            }
        }
    }

    fn input(&mut self, input: Input<'_>, now: Instant) {
        let outcome = self.rtc.handle_input(input);
        if let Err(error) = outcome.and_then(|()| self.drain(now)) {
            warn!(%error, "a viewer ends");
            self.ended = true;
        }
    }

    fn drain(&mut self, now: Instant) -> Result<(), RtcError> {
        for _ in 0..MOST_STEPS {
            match self.rtc.poll_output()? {
                Output::Timeout(at) if at > now => {
                    self.next = at;
                    return Ok(());
                }
                Output::Timeout(_) => {
                    self.rtc.handle_input(Input::Timeout(now))?;
                }
                Output::Transmit(packet) => {
                    // As if the network had lost it.
                    let _ = self.socket.send_to(&packet.contents, packet.destination);
                }
                Output::Event(Event::RtpPacket(packet)) => self.count(&packet),
                Output::Event(_) => {}
            }
        }
        self.next = now + Duration::from_millis(1);
        Ok(())
    }

    fn count(&mut self, packet: &str0m::rtp::RtpPacket) {
        let tally = &self.tally;
        // Opus ticks at 48 kHz, and every video at 90.
        if packet.time.frequency().get() != 90_000 {
            tally.packets.fetch_add(1, Ordering::Relaxed);
            return;
        }
        tally.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
        let number = *packet.seq_no;
        let (first, came) = self.newest.map_or((number, 0), |(first, came)| (first.min(number), came));
        self.newest = Some((first, came + 1));
        let sent = number.saturating_sub(first) + 1;
        tally.lost.store(sent.saturating_sub(came + 1), Ordering::Relaxed);
        if packet.header.marker {
            tally.frame(tally.clock());
        }
    }
}

/// Binds a socket on the interface that leads to the server.
fn bind(server: &str) -> io::Result<(UdpSocket, SocketAddr)> {
    let addresses = Url::parse(server).map_err(io::Error::other)?.socket_addrs(|| None)?;
    let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // Nothing is sent by this: it only looks the way up.
    probe.connect(&*addresses)?;
    let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

struct Crowd {
    viewers: Vec<Viewer>,
    http: Http,
}

impl Crowd {
    fn work(mut self, stop: &AtomicBool) {
        let mut buffer = vec![0; 2_048];
        let mut ask_at = Instant::now() + ASK;
        while !stop.load(Ordering::Relaxed) && !self.viewers.is_empty() {
            self.wait();
            let now = Instant::now();
            for viewer in &mut self.viewers {
                viewer.receive(&mut buffer);
                if viewer.next <= now {
                    viewer.input(Input::Timeout(now), now);
                }
            }
            self.viewers.retain(|viewer| !viewer.ended);
            if now >= ask_at {
                ask_at = now + ASK;
                self.ask();
            }
        }
        for viewer in &self.viewers {
            self.http.leave(&viewer.location);
        }
    }

    /// Waits until a packet comes or a viewer is due.
    fn wait(&self) {
        let now = Instant::now();
        let due = self.viewers.iter().map(|viewer| viewer.next).min().unwrap_or(now);
        let wait = due.saturating_duration_since(now).clamp(Duration::from_millis(1), PATIENCE);
        let mut sockets: Vec<PollFd<'_>> =
            self.viewers.iter().map(|viewer| PollFd::new(&viewer.socket, PollFlags::IN)).collect();
        // Interrupted by a signal, it is simply tried again.
        let _ = Timespec::try_from(wait).map(|wait| poll(&mut sockets, Some(&wait)));
    }

    fn ask(&self) {
        let Some(deliveries) = self.http.deliveries() else { return };
        for viewer in &self.viewers {
            let Some(delivery) = deliveries.get(&viewer.number) else { continue };
            let rendition = delivery.get("rendition").and_then(Value::as_str).map(|name| Arc::new(name.to_owned()));
            viewer.tally.rendition.store(rendition);
            let estimate = delivery.get("estimate_kbps").and_then(Value::as_u64).unwrap_or(0);
            viewer.tally.estimate_kbps.store(estimate, Ordering::Relaxed);
        }
    }
}
