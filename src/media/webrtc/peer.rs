//! One WebRTC connection: one `webrtcbin` in a pipeline of its own, negotiated once, offerer or answerer.
//!
//! Contract: m-lines are fixed at the start and each carries one codec. Whatever the remote side says has been
//! regenerated from typed data by [`crate::media::sdp`] before it comes here. No media may be trusted until
//! [`Peer::verify`] has compared the DTLS certificate with the fingerprint of the SDP.
//! Threads: webrtcbin's own; all news go to `listener`, which must not block. Failure: reported as [`PeerNews::Failed`];
//! the owner drops the peer, which tears it down elsewhere.

use std::{net::IpAddr, sync::Arc};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::AppSrc;
use gstreamer_sdp as gst_sdp;
use gstreamer_video as gst_video;
use gstreamer_webrtc as gst_webrtc;
use tracing::debug;

use super::{
    certificate, ice, jitter,
    line::{LineCodec, LineDirection, MediaLine},
    liveness::IceState,
    pulse::{Pulse, is_report},
    tracks,
};
use crate::media::{
    gst::{
        clock::media_clock,
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline, named},
        priority::Role,
        stage::StageError,
    },
    port::TrackKind,
    sdp::Fingerprint,
};

/// Jitter buffer of incoming RTP, in milliseconds. It only says how long a lost packet is waited for: what comes in
/// order passes at once.
const JITTER_BUFFER_MS: u32 = 100;

/// Names in the launch texts of what reads packets and units.
const READERS: [&str; 2] = ["depay", "parse"];

/// The way that peers reach the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// `stun://host:port`
    pub stun: Option<String>,
    /// `turn(s)://user:password@host:port?transport=udp`, percent-encoded.
    pub turn: Vec<String>,
    /// The address that the world sees, when it is not the machine's own (1:1 NAT).
    pub public_ip: Option<IpAddr>,
    /// First and last UDP port for media.
    pub udp_ports: Option<(u16, u16)>,
    /// Use only this local address (a server on loopback stays there).
    pub local_ip: Option<IpAddr>,
    /// Call peers at private and loopback addresses.
    pub internal_peers: bool,
}

/// The news that a connection reports to its owner.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerNews {
    /// The local description is set; its SDP, without candidates.
    Described(String),
    /// A local candidate, as it is to be shown to the peer.
    Candidate {
        /// The m-line's index.
        mline: u32,
        /// `candidate:…`
        candidate: String,
    },
    /// All local candidates have been reported.
    Gathered,
    /// ICE changed.
    Ice(IceState),
    /// ICE and DTLS are up: time to [`Peer::verify`].
    Connected,
    /// The peer wants a keyframe of the video that we send.
    KeyframeWanted,
    /// [`Peer::recalculate_latency`] is due.
    Latency,
    /// The connection is of no more use.
    Failed(String),
}

/// Builds the bin (with a `sink` pad) that takes an incoming track; called on a webrtcbin thread.
pub type OnTrack = Box<dyn Fn(LineCodec) -> Result<gst::Bin, TrackError> + Send + Sync>;

/// The reason why an incoming track goes nowhere, in one line.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// The stage that takes it cannot be built: for the operator to mend.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The peer sends where nothing was asked of it: its fault.
    #[error("nothing comes on this connection")]
    Unwanted,
}

/// The reason why a connection cannot be made or trusted, in one line.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A stage cannot be built: for the operator to mend.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A send stage does not fit: for the operator, too.
    #[error("send stage: {0}")]
    SendStage(gst::PadLinkError),
    /// GStreamer does not understand a description: a fault of our own writer.
    #[error(transparent)]
    Description(glib::BoolError),
    /// ICE stands, and there is nothing to verify on it: a fault of ours.
    #[error("no DTLS transport")]
    NoTransport,
    /// The peer's fault.
    #[error("the peer showed no certificate")]
    NoCertificate,
    /// The peer's fault, or somebody stands between.
    #[error("the DTLS certificate is not the one that the SDP names")]
    OtherCertificate,
}

/// A connection.
#[derive(Debug)]
pub struct Peer {
    owned: OwnedPipeline,
    webrtc: gst::Element,
    lines: Vec<MediaLine>,
    senders: Vec<(TrackKind, LineCodec, AppSrc)>,
    pulse: Arc<Pulse>,
    listener: Listener,
}

/// The owner's ear.
#[derive(Clone)]
struct Listener(Arc<dyn Fn(PeerNews) + Send + Sync>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

impl Peer {
    /// Builds and starts a connection with these m-lines, in this order. As offerer call [`Peer::offer`] next, as
    /// answerer [`Peer::answer`].
    ///
    /// # Errors
    /// When an element is missing or refuses, in one line.
    pub fn new(
        name: &str,
        lines: &[MediaLine],
        network: &Network,
        launches: &Launches,
        on_track: OnTrack,
        listener: impl Fn(PeerNews) + Send + Sync + 'static,
    ) -> Result<Self, PeerError> {
        let owned = OwnedPipeline::new(name).works_as(Role::Deliver);
        let listener = Listener(Arc::new(listener));
        let webrtc = gst::ElementFactory::make("webrtcbin")
            .name("webrtc")
            .property("latency", JITTER_BUFFER_MS)
            .property_from_str("bundle-policy", "max-bundle")
            .build()
            .map_err(StageError::from)?;
        ice::configure(&webrtc, network);
        certificate::use_in(&webrtc);
        limit_streams(&webrtc);
        set_up_streams(&webrtc);
        name_ourselves(&webrtc);
        let bus_listener = listener.clone();
        owned.on_bus(move |news| match news {
            // They complain of what they cannot read, and go on with the next. The room reports when nothing is seen.
            BusNews::Error { element, text, detail } if READERS.contains(&element.as_str()) => {
                debug!(%element, %text, %detail, "a packet cannot be read");
            }
            BusNews::Error { element, text, detail } => {
                debug!(%element, %text, %detail, "peer error");
                (bus_listener.0)(PeerNews::Failed(format!("{element}: {text}")));
            }
            BusNews::Latency => (bus_listener.0)(PeerNews::Latency),
            BusNews::Eos => {}
        });
        let pulse = feel_pulse(&webrtc);
        owned.pipeline().add(&webrtc).map_err(StageError::from)?;
        listen(&webrtc, &listener, network.public_ip);
        let ear = listener.clone();
        tracks::accept(&webrtc, owned.pipeline(), lines, on_track, move |error| (ear.0)(PeerNews::Failed(error)));
        let mut peer = Self { owned, webrtc, lines: lines.to_vec(), senders: Vec::new(), pulse, listener };
        for (index, line) in lines.iter().enumerate() {
            peer.add_line(index, line, launches)?;
        }
        peer.owned.play().map_err(StageError::from)?;
        Ok(peer)
    }

    fn add_line(&mut self, index: usize, line: &MediaLine, launches: &Launches) -> Result<(), PeerError> {
        let caps = line.caps();
        let transceiver = if line.direction == LineDirection::Receive {
            self.webrtc.emit_by_name::<gst_webrtc::WebRTCRTPTransceiver>(
                "add-transceiver",
                &[&gst_webrtc::WebRTCRTPTransceiverDirection::Recvonly, &caps],
            )
        } else {
            let bin = self.owned.stage(launches, line.codec.format.send_stage())?;
            let units: AppSrc = named(&bin, "units")?;
            handoff::configure(&units, &line.codec.format.unit_caps());
            named::<gst::Element>(&bin, "pay")?.set_property("pt", u32::from(line.codec.payload));
            if line.kind == TrackKind::Video {
                forward_keyframe_requests(&units, &self.listener);
            }
            let template = self.webrtc.pad_template("sink_%u");
            let template = template.ok_or(StageError::NoPad("webrtcbin has no sink template"))?;
            let pad = self
                .webrtc
                .request_pad(&template, Some(&format!("sink_{index}")), Some(&caps))
                .ok_or(StageError::NoPad("webrtcbin gives no sink pad"))?;
            let transceiver = pad.property::<gst_webrtc::WebRTCRTPTransceiver>("transceiver");
            transceiver.set_direction(match line.direction {
                LineDirection::Both => gst_webrtc::WebRTCRTPTransceiverDirection::Sendrecv,
                LineDirection::Send | LineDirection::Receive => gst_webrtc::WebRTCRTPTransceiverDirection::Sendonly,
            });
            transceiver.set_codec_preferences(Some(&caps));
            let source = bin.static_pad("src").ok_or(StageError::NoOpenPad { stage: "send", pad: "src" })?;
            source.link(&pad).map_err(PeerError::SendStage)?;
            self.senders.push((line.kind, line.codec, units));
            transceiver
        };
        // Without it webrtcbin strips nack from the SDP. Opus has its own concealment and no retransmission.
        transceiver.set_property("do-nack", line.kind == TrackKind::Video);
        Ok(())
    }

    /// Makes our offer; [`PeerNews::Described`] follows.
    pub fn offer(&self) {
        describe(&self.webrtc, "create-offer", &self.lines, &self.listener);
    }

    /// Takes a normalised offer and makes our answer; [`PeerNews::Described`] follows.
    ///
    /// # Errors
    /// When GStreamer cannot parse it: a fault of our own writer.
    pub fn answer(&self, offer: &str) -> Result<(), PeerError> {
        let description = description(gst_webrtc::WebRTCSDPType::Offer, offer)?;
        let (webrtc, listener) = (self.webrtc.downgrade(), self.listener.clone());
        let promise = gst::Promise::with_change_func(move |reply| {
            let Some(webrtc) = webrtc.upgrade() else { return };
            match promise_error(reply) {
                Some(error) => (listener.0)(PeerNews::Failed(format!("offer refused: {error}"))),
                None => describe(&webrtc, "create-answer", &[], &listener),
            }
        });
        self.webrtc.emit_by_name::<()>("set-remote-description", &[&description, &promise]);
        Ok(())
    }

    /// Takes the normalised answer to our offer.
    ///
    /// # Errors
    /// As [`Peer::answer`].
    pub fn accept(&self, answer: &str) -> Result<(), PeerError> {
        let description = description(gst_webrtc::WebRTCSDPType::Answer, answer)?;
        let listener = self.listener.clone();
        let promise = gst::Promise::with_change_func(move |reply| {
            if let Some(error) = promise_error(reply) {
                (listener.0)(PeerNews::Failed(format!("answer refused: {error}")));
            }
        });
        self.webrtc.emit_by_name::<()>("set-remote-description", &[&description, &promise]);
        Ok(())
    }

    /// Adds a remote candidate that [`crate::media::sdp`] has regenerated.
    pub fn add_candidate(&self, mline: u32, candidate: &str) {
        self.webrtc.emit_by_name::<()>("add-ice-candidate", &[&mline, &candidate]);
    }

    /// Compares the peer's DTLS certificate with the fingerprint of its SDP.
    ///
    /// GST-1.22: cae6e210f6, remove when the floor is a release that has it: webrtcbin accepts any certificate.
    ///
    /// # Errors
    /// When there is no certificate or it is another: the connection must be dropped.
    pub fn verify(&self, expected: &Fingerprint) -> Result<(), PeerError> {
        let transport = self.transport().ok_or(PeerError::NoTransport)?;
        let certificate = transport.remote_certificate().ok_or(PeerError::NoCertificate)?;
        if expected.matches_pem(&certificate) { Ok(()) } else { Err(PeerError::OtherCertificate) }
    }

    /// Returns the transport that all m-lines share.
    fn transport(&self) -> Option<gst_webrtc::WebRTCDTLSTransport> {
        let transceiver: Option<gst_webrtc::WebRTCRTPTransceiver> =
            self.webrtc.emit_by_name("get-transceiver", &[&0i32]);
        let transceiver = transceiver?;
        let receives = transceiver.receiver().and_then(|receiver| receiver.property("transport"));
        receives.or_else(|| transceiver.sender().and_then(|sender| sender.property("transport")))
    }

    /// Reports a failure from now on when the peer ends DTLS: that is how it says that it closes the connection.
    pub fn watch_for_the_end(&self) {
        let Some(transport) = self.transport() else { return };
        let ear = self.listener.clone();
        transport.connect_notify(Some("state"), move |transport, _| {
            if transport.state() == gst_webrtc::WebRTCDTLSTransportState::Closed {
                (ear.0)(PeerNews::Failed("the peer closed the connection".into()));
            }
        });
    }

    /// Returns where encoded units of this kind go in, and as what.
    pub fn sender(&self, kind: TrackKind) -> Option<(LineCodec, AppSrc)> {
        self.senders.iter().find(|(of, _, _)| *of == kind).map(|(_, codec, src)| (*codec, src.clone()))
    }

    /// Returns the rhythm of what comes from the peer, RTCP and DTLS among it, on the media clock; STUN is not counted.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// See [`OwnedPipeline::recalculate_latency`].
    pub fn recalculate_latency(&self) {
        self.owned.recalculate_latency();
    }

    /// Finds an element inside the pipeline by name, for settings that change while it runs.
    pub fn find(&self, name: &str) -> Option<gst::Element> {
        self.owned.pipeline().by_name(name)
    }

    /// Asks for webrtcbin's statistics; `done` is called on its thread.
    pub fn stats(&self, done: impl FnOnce(&gst::StructureRef) + Send + 'static) {
        let promise = gst::Promise::with_change_func(move |reply| {
            if let Ok(Some(stats)) = reply {
                done(stats);
            }
        });
        self.webrtc.emit_by_name::<()>("get-stats", &[&None::<gst::Pad>, &promise]);
    }
}

/// Parses an SDP text into webrtcbin's form.
fn description(kind: gst_webrtc::WebRTCSDPType, text: &str) -> Result<gst_webrtc::WebRTCSessionDescription, PeerError> {
    let sdp = gst_sdp::SDPMessage::parse_buffer(text.as_bytes()).map_err(PeerError::Description)?;
    Ok(gst_webrtc::WebRTCSessionDescription::new(kind, sdp))
}

fn promise_error(reply: Result<Option<&gst::StructureRef>, gst::PromiseError>) -> Option<String> {
    match reply {
        Ok(Some(fields)) => fields.get::<glib::Error>("error").ok().map(|error| error.message().to_owned()),
        Ok(None) => None,
        Err(error) => Some(format!("{error:?}")),
    }
}

/// Creates the offer or answer, makes it the local description, and reports its text.
fn describe(webrtc: &gst::Element, signal: &'static str, lines: &[MediaLine], listener: &Listener) {
    let (weak, listener, lines) = (webrtc.downgrade(), listener.clone(), lines.to_vec());
    let field = signal.trim_start_matches("create-");
    let promise = gst::Promise::with_change_func(move |reply| {
        let Some(webrtc) = weak.upgrade() else { return };
        let local = match &reply {
            Ok(Some(fields)) => fields.get::<gst_webrtc::WebRTCSessionDescription>(field).ok(),
            _ => None,
        };
        let Some(local) = local else {
            let error = promise_error(reply).unwrap_or_else(|| "nothing came back".into());
            (listener.0)(PeerNews::Failed(format!("{signal}: {error}")));
            return;
        };
        // This runs on webrtcbin's thread, which sets the description when this has returned: after that its candidates
        // come, and before an answer, however soon that is there.
        webrtc.emit_by_name::<()>("set-local-description", &[&local, &None::<gst::Promise>]);
        match local.sdp().as_text() {
            Ok(text) => {
                let text = certificate::announce(lines.iter().fold(text, |text, line| line.announce(text)));
                (listener.0)(PeerNews::Described(text));
            }
            Err(error) => (listener.0)(PeerNews::Failed(format!("{signal}: {error}"))),
        }
    });
    webrtc.emit_by_name::<()>(signal, &[&None::<gst::Structure>, &promise]);
}

/// Every SSRC costs a jitter buffer and its threads, and a peer may send as many as it likes. Ours, theirs and their
/// retransmissions are far fewer.
const MAX_STREAMS: u32 = 16;

fn limit_streams(webrtc: &gst::Element) {
    if let Some(rtpbin) = webrtc.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("rtpbin"))
        && rtpbin.find_property("max-streams").is_some()
    {
        rtpbin.set_property("max-streams", MAX_STREAMS);
    }
}

/// The name that SDP and RTCP give us: GStreamer's own names the library, and may name user and machine.
const CNAME: &str = "virfie";

fn name_ourselves(webrtc: &gst::Element) {
    if let Some(rtpbin) = webrtc.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("rtpbin")) {
        let names = gst::Structure::builder("application/x-rtp-source-sdes").field("cname", CNAME).build();
        rtpbin.set_property("sdes", names);
    }
}

/// Between two reports of what came and when. A browser begins at 300 kbit/s and raises that with every report;
/// GStreamer's own pace follows the packets, and is slowest when it matters.
const FEEDBACK_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(80);
/// Between two RTCP reports, about. As browsers do for video: the other side sees by them that we are there.
const REPORT_INTERVAL: gst::ClockTime = gst::ClockTime::from_seconds(1);

/// Sets up what puts each stream in order, and has transport-wide feedback sent steadily. Sessions exist only once
/// something comes.
fn set_up_streams(webrtc: &gst::Element) {
    let Some(rtpbin) = webrtc.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("rtpbin")) else { return };
    rtpbin.connect("new-jitterbuffer", false, |values| {
        if let Ok(jitterbuffer) = values[1].get() {
            jitter::set_up(&jitterbuffer);
        }
        let (Ok(rtpbin), Ok(session)) = (values[0].get::<gst::Element>(), values[2].get::<u32>()) else { return None };
        set_interval(&rtpbin, session, "twcc-feedback-interval", FEEDBACK_INTERVAL);
        None
    });
}

/// Has reports sent steadily by the sessions that are there: all media are bundled in the first, and without a bundle
/// there are two.
fn hasten_reports(webrtc: &gst::Element) {
    let Some(rtpbin) = webrtc.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("rtpbin")) else { return };
    for session in 0..2 {
        set_interval(&rtpbin, session, "rtcp-min-interval", REPORT_INTERVAL);
    }
}

fn set_interval(rtpbin: &gst::Element, session: u32, name: &str, interval: gst::ClockTime) {
    let inner = rtpbin.emit_by_name::<Option<glib::Object>>("get-internal-session", &[&session]);
    if let Some(inner) = inner.filter(|inner| inner.find_property(name).is_some()) {
        inner.set_property(name, interval.nseconds());
    }
}

/// Notes what `nicesrc` hands over: the one place where everything of the peer passes.
fn feel_pulse(webrtc: &gst::Element) -> Arc<Pulse> {
    let pulse = Arc::<Pulse>::default();
    let felt = pulse.clone();
    if let Some(bin) = webrtc.downcast_ref::<gst::Bin>() {
        bin.connect_deep_element_added(move |_, _, element| {
            if element.factory().is_none_or(|factory| factory.name() != "nicesrc") {
                return;
            }
            let felt = felt.clone();
            if let Some(pad) = element.static_pad("src") {
                pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
                    let first = match &info.data {
                        Some(gst::PadProbeData::Buffer(packet)) => Some(packet.as_ref()),
                        Some(gst::PadProbeData::BufferList(packets)) => packets.get(0),
                        _ => None,
                    };
                    let map = first.and_then(|packet| packet.map_readable().ok());
                    felt.came(media_clock().now(), map.is_some_and(|map| is_report(&map)));
                    gst::PadProbeReturn::Ok
                });
            }
        });
    }
    pulse
}

fn listen(webrtc: &gst::Element, listener: &Listener, public_ip: Option<IpAddr>) {
    let ear = listener.clone();
    webrtc.connect("on-ice-candidate", false, move |values| {
        if let (Ok(mline), Ok(candidate)) = (values[1].get::<u32>(), values[2].get::<String>())
            && let Some(candidate) = ice::shown(&candidate, public_ip)
        {
            (ear.0)(PeerNews::Candidate { mline, candidate });
        }
        None
    });
    let ear = listener.clone();
    webrtc.connect_notify(Some("ice-gathering-state"), move |webrtc, _| {
        let state = webrtc.property::<gst_webrtc::WebRTCICEGatheringState>("ice-gathering-state");
        if state == gst_webrtc::WebRTCICEGatheringState::Complete {
            (ear.0)(PeerNews::Gathered);
        }
    });
    let ear = listener.clone();
    webrtc.connect_notify(Some("ice-connection-state"), move |webrtc, _| {
        use gst_webrtc::WebRTCICEConnectionState as Ice;
        let state = match webrtc.property::<Ice>("ice-connection-state") {
            Ice::Connected | Ice::Completed => IceState::Connected,
            Ice::Failed => IceState::Failed,
            Ice::Disconnected => IceState::Disconnected,
            Ice::Closed => IceState::Closed,
            _ => IceState::Checking,
        };
        (ear.0)(PeerNews::Ice(state));
    });
    let ear = listener.clone();
    webrtc.connect_notify(Some("connection-state"), move |webrtc, _| {
        use gst_webrtc::WebRTCPeerConnectionState as State;
        match webrtc.property::<State>("connection-state") {
            State::Connected => {
                hasten_reports(webrtc);
                (ear.0)(PeerNews::Connected);
            }
            State::Failed => (ear.0)(PeerNews::Failed("the connection failed".into())),
            _ => {}
        }
    });
}

/// Forwards PLI and FIR, which arrive at the `appsrc` as force-key-unit events.
fn forward_keyframe_requests(units: &AppSrc, listener: &Listener) {
    let ear = listener.clone();
    if let Some(pad) = units.static_pad("src") {
        pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            if let Some(event) = info.event()
                && gst_video::UpstreamForceKeyUnitEvent::parse(event).is_ok()
            {
                (ear.0)(PeerNews::KeyframeWanted);
                return gst::PadProbeReturn::Handled;
            }
            gst::PadProbeReturn::Ok
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn our_name_says_nothing_of_user_machine_and_program() {
        gst::init().unwrap();
        let webrtc = gst::ElementFactory::make("webrtcbin").build().unwrap();
        name_ourselves(&webrtc);
        let rtpbin = webrtc.downcast_ref::<gst::Bin>().unwrap().by_name("rtpbin").unwrap();
        let names = rtpbin.property::<gst::Structure>("sdes");
        assert_eq!(names.fields().map(|field| field.as_str()).collect::<Vec<_>>(), ["cname"]);
        assert_eq!(names.get::<&str>("cname").unwrap(), CNAME);
    }
}
