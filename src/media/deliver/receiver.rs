//! One receiver: its connection, what it is shown, and how that follows its line.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use str0m::{
    Event, IceConnectionState, Input, Output, Rtc,
    bwe::{Bitrate, BweKind},
    media::Mid,
    net::{Protocol, Receive, Transmit},
    rtp::RtpWrite,
};

use tracing::{debug, trace};

use super::{
    Listener, News, Report, Sound,
    connect::{self, Connected},
    packet::Unit,
    routes::{Path, Route, Routes},
    rung::{Chooser, Decision, Ladder, LinkSample, Reason, RenditionChoice, Rung, View},
    screen::Screen,
    socket::{Outgoing, Sockets},
    stream::{Stream, Waiting},
    tcp::Connections,
};
use crate::media::{
    codec::{EncodingId, Rendition, VideoCodec},
    sdp::{Candidate, CodecFormat},
};

/// From the start until media must flow. Browsers give up at 15 to 30 s; a user has left by then.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// Without a packet for this long a receiver is gone. Receivers report at least every few seconds; a change of networks
/// takes up to 8 s.
const DEAD_AFTER: Duration = Duration::from_secs(12);
/// A receiver that confirms every packet several times a second and is silent for this long has left or has no network:
/// a picture would only take the line from the next connection, after a reload, say. It goes on by a keyframe.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// The longest queue to be sent. More would be seen as delay, and a line that needs it carries less than is sent.
const MOST_QUEUED: Duration = Duration::from_millis(600);
/// The longest queue with which a picture goes on after a pause.
const LITTLE_QUEUED: Duration = Duration::from_millis(150);
/// Packets that str0m's pacer holds at most: enough for it to send without a break. The others wait here, from where
/// they can be taken back when the line turns out to carry less.
const MOST_PACED: usize = 8;
/// The room learns this often how a receiver's line is.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Bytes are counted over this long to say what is sent.
const RATE_WINDOW: Duration = Duration::from_millis(500);
/// Addresses from which one receiver may come in its whole time: each change of a network brings a few. str0m keeps all
/// that have proved to be the receiver's, and looks through them at each packet.
const MOST_WAYS: usize = 256;
/// Steps of str0m that may follow one event; more would be a fault of it, which must not stall the others.
const MOST_STEPS: usize = 2_000;

/// Bits a second over the last [`RATE_WINDOW`].
#[derive(Debug, Default)]
struct Rate {
    since: Option<Instant>,
    bytes: u64,
    bits_per_second: u64,
}

impl Rate {
    fn now(&mut self, now: Instant) -> u64 {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= RATE_WINDOW {
            self.bits_per_second = (self.bytes as f64 * 8.0 / passed.as_secs_f64()) as u64;
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bits_per_second
    }
}

/// The state that is shared by all receivers of a thread.
pub(super) struct Shared<'a> {
    pub(super) sockets: &'a Sockets,
    pub(super) tcp: &'a Connections,
    pub(super) routes: &'a Routes,
    pub(super) outgoing: &'a mut Outgoing,
    /// Times are measured from here on.
    pub(super) epoch: Instant,
    pub(super) now: Instant,
}

impl Shared<'_> {
    fn time(&self) -> Duration {
        self.now.saturating_duration_since(self.epoch)
    }

    fn send(&mut self, packet: &Transmit) {
        let Transmit { proto, source, destination, contents } = packet;
        match proto {
            Protocol::Tcp => self.outgoing.push_tcp(self.tcp, *source, *destination, contents),
            _ => self.outgoing.push(self.sockets, source.ip(), *destination, contents),
        }
    }
}

/// See the module.
pub(super) struct Receiver {
    /// Says who it is, too.
    route: Route,
    /// Addresses that it has come from.
    ways: HashSet<SocketAddr>,
    rtc: Rtc,
    codec: Option<VideoCodec>,
    video: Option<Stream>,
    audio: Option<Stream>,
    listener: Listener,
    screen: Screen,
    told_needs: [Option<Rendition>; 2],
    chooser: Chooser,
    decision: Option<Decision>,
    ladder: Ladder,
    view: View,
    wish: RenditionChoice,
    line: LinkSample,
    /// Reported by the receiver's own estimate, where it numbers no packets.
    remb: bool,
    rate: Rate,
    /// Whether a packet of the picture was sent, which later probes repeat or look like.
    probes: bool,
    /// The bits a second that str0m was asked to fill up to, and those to probe for.
    rates: Option<(u64, u64)>,
    repeated: u64,
    /// See [`Report::held_back`].
    held_back: bool,
    connected: bool,
    made: Instant,
    heard: Instant,
    /// Moment at which it said that more has come, and the packet of the stream up to which it has.
    acknowledged: Option<Instant>,
    newest: Vec<(Mid, u64)>,
    reported: Instant,
    /// Moment at which str0m wants to be called.
    next: Instant,
    gone: Option<String>,
}

impl Receiver {
    pub(super) fn new(
        route: Route,
        connected: Connected,
        ladder: Ladder,
        wish: RenditionChoice,
        listener: Listener,
        (now, epoch): (Instant, Instant),
    ) -> Self {
        let Connected { rtc, tracks, .. } = connected;
        let video = tracks.iter().find(|track| track.is_video());
        let codec = video.map(|track| match track.codec.format {
            CodecFormat::Vp8 => VideoCodec::Vp8,
            _ => VideoCodec::H264,
        });
        Self {
            route,
            ways: HashSet::new(),
            rtc,
            codec,
            video: video.map(Stream::new),
            audio: tracks.iter().find(|track| !track.is_video()).map(Stream::new),
            listener,
            screen: Screen::default(),
            told_needs: [None; 2],
            chooser: Chooser::new(now.saturating_duration_since(epoch)),
            decision: None,
            ladder,
            view: View::default(),
            wish,
            line: LinkSample::default(),
            remb: false,
            rate: Rate::default(),
            probes: false,
            rates: None,
            repeated: 0,
            held_back: false,
            connected: false,
            made: now,
            heard: now,
            acknowledged: None,
            newest: Vec::new(),
            reported: now,
            next: now,
            gone: None,
        }
    }

    /// Returns when the receiver has to be looked after.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Returns why it is of no more use.
    pub(super) fn gone(&self) -> Option<&str> {
        self.gone.as_deref()
    }

    pub(super) fn set_ladder(&mut self, ladder: Ladder) {
        self.ladder = ladder;
    }

    pub(super) fn set_view(&mut self, view: View, wish: RenditionChoice) {
        (self.view, self.wish) = (view, wish);
    }

    pub(super) fn add_candidate(&mut self, candidate: &Candidate, shared: &mut Shared<'_>) {
        connect::add_candidate(&mut self.rtc, candidate);
        self.drive(shared);
    }

    /// Takes a packet of the receiver.
    pub(super) fn packet(&mut self, path: Path, data: &[u8], at: Instant, shared: &mut Shared<'_>) {
        if self.ways.len() >= MOST_WAYS && !self.ways.contains(&path.source) {
            return;
        }
        let Ok(received) = Receive::new(path.by, path.source, path.destination, data) else { return };
        let input = Input::Receive(at, received);
        // A check that is not signed with our password is somebody else's.
        if !self.rtc.accepts(&input) {
            return;
        }
        self.ways.insert(path.source);
        // A TCP connection is known by itself.
        if path.by == Protocol::Udp {
            shared.routes.learn(path.source, &self.route);
        }
        self.heard = shared.now;
        if let Err(error) = self.rtc.handle_input(input) {
            self.fail(&error);
        }
        self.drive(shared);
    }

    /// Shows a picture, if it is one that this receiver is shown.
    pub(super) fn unit(&mut self, unit: &Unit, shared: &mut Shared<'_>) {
        if !self.connected || self.codec != Some(unit.encoding.codec) {
            return;
        }
        if self.is_silent(shared.now) {
            if self.screen.shown().is_some() {
                self.screen.pause();
                self.take_back();
            }
            return;
        }
        let rendition = unit.encoding.rendition;
        let waiting = self.screen.shown().is_none();
        // An encoder that starts for this receiver gives one that nobody asked for.
        let holds = self.decision.is_some_and(|decision| decision.holds);
        if waiting && (self.line.queued > LITTLE_QUEUED || holds) && unit.keyframe {
            return;
        }
        if !self.screen.takes(rendition, unit.keyframe) {
            return;
        }
        if waiting {
            self.forget();
        }
        let Some(stream) = &mut self.video else { return };
        let time = stream.numbers.time(unit.pts);
        let last = unit.payloads.len() - 1;
        stream.waiting.extend(unit.payloads.iter().enumerate().map(|(index, payload)| Waiting {
            payload: Arc::clone(payload),
            time,
            at: unit.at,
            last: index == last,
            since: shared.now,
        }));
        self.feed();
        self.step(shared);
        self.report_needs();
    }

    /// Gives the pacer as much of what waits as it may hold. Returns whether that was anything.
    fn feed(&mut self) -> bool {
        let waits = self.decision.is_some_and(|decision| decision.waits);
        let Some(stream) = self.video.as_mut().filter(|_| !waits) else { return false };
        let room = MOST_PACED.saturating_sub(stream.paced.len()).min(stream.waiting.len());
        if room == 0 {
            return false;
        }
        let mut direct = self.rtc.direct_api();
        let Some(sender) = direct.stream_tx(&stream.ssrc) else { return false };
        for packet in stream.waiting.drain(..room) {
            let sequence = stream.numbers.sequence().into();
            let write = RtpWrite::new(stream.payload, sequence, packet.time, packet.at, packet.payload);
            sender.write_rtp(write.marker(packet.last).nackable(true));
            stream.paced.push_back(packet.since);
        }
        true
    }

    /// Sends a packet of the mix.
    pub(super) fn sound(&mut self, sound: &Sound, shared: &mut Shared<'_>) {
        if !self.connected {
            return;
        }
        let own = sound.own.iter().find(|(peer, _)| *peer == self.route.receiver).map(|(_, packet)| packet);
        let (Some(packet), Some(stream)) = (own.or(sound.shared.as_ref()), &mut self.audio) else { return };
        let time = stream.numbers.time(sound.pts);
        let sequence = stream.numbers.sequence().into();
        {
            let mut direct = self.rtc.direct_api();
            let Some(sender) = direct.stream_tx(&stream.ssrc) else { return };
            sender.write_rtp(RtpWrite::new(stream.payload, sequence, time, sound.at, Arc::clone(packet)));
        }
        self.step(shared);
    }

    /// Lets str0m do what is due.
    pub(super) fn step(&mut self, shared: &mut Shared<'_>) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(shared.now)) {
            self.fail(&error);
        }
        self.drive(shared);
    }

    /// Ends the connection politely.
    pub(super) fn close(&mut self, shared: &mut Shared<'_>) {
        // It may never have stood.
        let _ = self.rtc.close();
        self.drive(shared);
    }

    fn fail(&mut self, error: &dyn std::fmt::Display) {
        self.gone.get_or_insert_with(|| error.to_string());
    }

    fn drive(&mut self, shared: &mut Shared<'_>) {
        for _ in 0..MOST_STEPS {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) if at > shared.now && !self.feed() => {
                    self.next = at;
                    return;
                }
                Ok(Output::Timeout(_)) => {
                    if !self.rtc.is_alive() {
                        self.gone.get_or_insert_with(|| "the receiver ended the connection".to_owned());
                        return;
                    }
                    if let Err(error) = self.rtc.handle_input(Input::Timeout(shared.now)) {
                        self.fail(&error);
                        return;
                    }
                }
                Ok(Output::Transmit(packet)) => {
                    self.count(&packet.contents);
                    shared.send(&packet);
                    if !self.connected && packet.proto == Protocol::Udp {
                        // Answers to our own checks carry no name of ours.
                        shared.routes.expect(packet.destination, &self.route);
                    }
                }
                Ok(Output::Event(event)) => self.event(event, shared),
                Err(error) => {
                    self.fail(&error);
                    return;
                }
            }
        }
        self.next = shared.now + Duration::from_millis(1);
    }

    /// Counts a packet on its way out.
    fn count(&mut self, packet: &[u8]) {
        self.rate.bytes += packet.len() as u64;
        let ssrc = packet.get(8..12).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let is_rtp = packet.first().is_some_and(|first| first >> 6 == 2);
        let (Some(ssrc), Some(video), true) = (ssrc, &mut self.video, is_rtp) else { return };
        if video.repair == Some(ssrc) {
            self.repeated += 1;
        } else if *video.ssrc == ssrc && packet.get(1).is_some_and(|second| second & 0x7f == *video.payload) {
            video.paced.pop_front();
            self.probes = true;
        }
    }

    fn event(&mut self, event: Event, shared: &mut Shared<'_>) {
        match event {
            Event::Connected => {
                self.connected = true;
                (self.listener.0)(self.route.receiver, News::Connected);
                self.choose(shared.time());
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.gone.get_or_insert_with(|| "no way to the receiver any more".to_owned());
            }
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, can_probe: true }) => {
                self.line.estimate = Some(estimate.as_u64());
                self.remb = false;
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. })
                if self.line.estimate.is_none() || self.remb =>
            {
                self.line.estimate = Some(estimate.as_u64());
                self.remb = true;
            }
            Event::KeyframeRequest(_) => {
                if let (Some(codec), Some(rendition)) = (self.codec, self.screen.shown()) {
                    (self.listener.0)(self.route.receiver, News::Keyframe(EncodingId { codec, rendition }));
                }
            }
            Event::PeerStats(numbers) => {
                self.line.pace = numbers.bwe_tx.map(|pace| pace.as_u64());
                if let Some(loss) = numbers.egress_loss_fraction {
                    self.line.loss = loss;
                    self.acknowledged = Some(shared.now);
                }
                let checked = numbers.selected_candidate_pair.and_then(|pair| pair.current_round_trip_time);
                self.line.checked = self.line.checked.or(checked);
                self.line.round_trip = numbers.rtt.or(self.line.round_trip);
                if shared.now.saturating_duration_since(self.reported) >= REPORT_EVERY {
                    self.reported = shared.now;
                    self.report();
                }
            }
            Event::MediaEgressStats(numbers) => {
                // Without feedback for each packet, the receiver's own reports say what was lost.
                if let (Some(loss), true) = (numbers.loss, self.line.estimate.is_none() || self.remb) {
                    self.line.loss = loss;
                }
                self.line.round_trip = self.line.round_trip.or(numbers.rtt);
                let newest = numbers.remote.map(|remote| (numbers.mid, *remote.maximum_sequence_number));
                if let Some((mid, _)) = newest.filter(|newest| !self.newest.contains(newest)) {
                    self.newest.retain(|(known, _)| *known != mid);
                    self.newest.extend(newest);
                    self.acknowledged = Some(shared.now);
                }
            }
            Event::Closed => {
                self.gone.get_or_insert_with(|| "the receiver ended the connection".to_owned());
            }
            _ => {}
        }
    }

    /// Looks at line and liveness; to be called some ten times a second.
    pub(super) fn look(&mut self, shared: &mut Shared<'_>) {
        let silent = shared.now.saturating_duration_since(self.heard);
        if !self.connected && shared.now.saturating_duration_since(self.made) > CONNECT_WITHIN {
            self.gone.get_or_insert_with(|| format!("no connection within {} s", CONNECT_WITHIN.as_secs()));
        } else if self.connected && silent > DEAD_AFTER {
            self.gone.get_or_insert_with(|| format!("no packet for {} s", DEAD_AFTER.as_secs()));
        }
        if !self.connected || self.gone.is_some() {
            return;
        }
        self.line.sending = self.rate.now(shared.now);
        self.line.queued = self.queued(shared.now);
        if self.line.queued > MOST_QUEUED {
            self.held_back = true;
            self.screen.pause();
            self.take_back();
        }
        let waited = self.decision.is_some_and(|decision| decision.waits);
        self.choose(shared.time());
        if waited && self.feed() {
            self.step(shared);
        }
        if self.line.queued <= LITTLE_QUEUED
            && !self.is_silent(shared.now)
            && !self.decision.is_some_and(|decision| decision.holds)
            && let (Some(rendition), Some(codec)) = (self.screen.asks(shared.time()), self.codec)
        {
            self.report_needs();
            (self.listener.0)(self.route.receiver, News::Keyframe(EncodingId { codec, rendition }));
        }
        self.report_needs();
    }

    /// Returns whether nothing has come from a receiver that confirms every packet.
    fn is_silent(&self, now: Instant) -> bool {
        let confirms = self.line.estimate.is_some() && !self.remb;
        confirms && now.saturating_duration_since(self.heard) > SILENT_AFTER
    }

    /// Returns the age of the oldest packet that waits to be sent.
    fn queued(&mut self, now: Instant) -> Duration {
        let Some(stream) = &mut self.video else { return Duration::ZERO };
        let mut direct = self.rtc.direct_api();
        if direct.stream_tx(&stream.ssrc).and_then(|sender| sender.queue_info()?.first_unsent()).is_none() {
            // A packet that str0m gave up for its own reasons must not hold its place for ever.
            stream.paced.clear();
        }
        let first = stream.paced.front().copied().or(stream.waiting.front().map(|packet| packet.since));
        first.map_or(Duration::ZERO, |first| now.saturating_duration_since(first))
    }

    /// Gives up what waits to be sent. The picture must go on with a keyframe.
    fn take_back(&mut self) {
        let Some(stream) = &mut self.video else { return };
        stream.waiting.clear();
        self.forget();
    }

    /// Empties the store of packets to send again. What was lost before a keyframe that the picture goes on with is of
    /// no use: sent again it would only make that late.
    fn forget(&mut self) {
        let Some(stream) = &self.video else { return };
        if let Some(sender) = self.rtc.direct_api().stream_tx(&stream.ssrc) {
            sender.set_rtx_cache(connect::KEPT_PACKETS, connect::KEPT_FOR, Some(connect::MOST_REPEATED));
        }
    }

    fn choose(&mut self, now: Duration) {
        if self.video.is_none() {
            return;
        }
        let decision = self.chooser.look(now, &self.ladder, &self.line, &self.view, self.wish);
        let before = self.decision.replace(decision);
        if let Some(bits) = decision.assume {
            self.rtc.bwe().reset(Bitrate::bps(bits));
            (self.line.estimate, self.line.pace) = (Some(bits), Some(bits));
            debug!(peer = %self.route.receiver, bits, line = ?self.line, "the estimate starts again");
        }
        let rates = (decision.minimum, decision.desired);
        // Before the first picture str0m would probe by packets of SSRC 0 that look like sound: GStreamer takes them
        // for the mix, and the mix for a second track that nobody asked for.
        if self.probes && self.rates.replace(rates) != Some(rates) {
            self.rtc.bwe().set_bitrate(Bitrate::bps(decision.minimum), Bitrate::bps(decision.desired));
        }
        if before.is_some_and(|before| (before.rung, before.reason) == (decision.rung, decision.reason)) {
            return;
        }
        debug!(peer = %self.route.receiver, ?decision, line = ?self.line, "another rung");
        // What a line cannot carry only makes the next keyframe late.
        let cut = matches!(decision.reason, Reason::Network | Reason::Loss);
        let target = match decision.rung {
            Rung::Video(rendition) => Some(rendition),
            Rung::SoundOnly => None,
        };
        if self.screen.aim(target, cut) {
            self.take_back();
        }
        self.report_needs();
        if before.is_none_or(|before| before.rung != decision.rung) {
            metrics::counter!("virfie_rung_switches_total", "reason" => decision.reason.name()).increment(1);
        }
        self.report();
    }

    fn report_needs(&mut self) {
        let needs = self.screen.needs();
        if let Some(codec) = self.codec.filter(|_| needs != self.told_needs) {
            self.told_needs = needs;
            let encodings = needs.map(|rendition| rendition.map(|rendition| EncodingId { codec, rendition }));
            (self.listener.0)(self.route.receiver, News::Needs(encodings));
        }
    }

    fn report(&mut self) {
        trace!(peer = %self.route.receiver, line = ?self.line, "how the line is");
        let repeated = std::mem::take(&mut self.repeated);
        metrics::counter!("virfie_retransmitted_packets_total").increment(repeated);
        let (rung, reason) = self.decision.map_or((None, Reason::Start), |decision| {
            let rung = match decision.rung {
                Rung::Video(rendition) => Some(rendition),
                Rung::SoundOnly => None,
            };
            (rung, decision.reason)
        });
        let report = Report {
            codec: self.codec,
            rung,
            reason: reason.name(),
            loss: self.line.loss,
            round_trip: self.line.round_trip,
            estimate: self.line.estimate,
            heard: self.heard,
            acknowledged: self.acknowledged,
            held_back: std::mem::take(&mut self.held_back),
        };
        (self.listener.0)(self.route.receiver, News::Report(report));
    }
}
