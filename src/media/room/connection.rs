//! One sender of a room, from its offer to its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gstreamer::prelude::*;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::warn;

use crate::media::{
    ingest::{
        progress::{Diagnosis, Progress},
        tap::Tap,
    },
    port::{Candidate, Description, ParticipantId, PeerRefused},
    sdp::{self, Fingerprint},
    segment::{BodyPix, MaskRequest},
    webrtc::{
        line::MediaLine,
        liveness::Liveness,
        peer::{Peer, PeerError},
    },
};

/// An HTTP answer waits this long for candidates of the machine's own. GST-1.22: 6d05624406, remove at 1.28: gathering
/// may never complete.
const GATHERING: Duration = Duration::from_millis(800);

/// And this long for those that STUN and TURN servers report: a slow one answers within, and one that is gone must not
/// keep everybody waiting.
const GATHERING_FAR: Duration = Duration::from_secs(5);

/// The picture of a WHIP sender who is still there is kept for this long from each look on; looks come more often.
const KEPT: Duration = Duration::from_millis(500);

/// Candidates that a peer may name in all: each is called a few times, and no machine has as many addresses.
const MOST_CANDIDATES: usize = 64;

/// The way that the other side is talked to.
pub(super) enum Signalling {
    /// Offer, answer and candidates go as events.
    Session,
    /// One HTTP answer with all candidates in it.
    Http {
        reply: Option<oneshot::Sender<Result<String, PeerRefused>>>,
        offer: Box<Description>,
        chosen: Vec<sdp::Chosen>,
        sdp: Option<String>,
        candidates: Vec<String>,
        asked: Asked,
        since: Duration,
    },
}

/// The element that is asked for candidates.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    pub(super) stun: bool,
    pub(super) turn: usize,
}

impl Asked {
    fn is_answered(self, candidates: &[String]) -> bool {
        let count = |kind: &str| candidates.iter().filter(|candidate| candidate.contains(kind)).count();
        (!self.stun || count(" typ srflx") > 0) && count(" typ relay") >= self.turn
    }
}

/// The segmentation element of a peer's video, once it is there, and what it shall do.
#[derive(Default)]
pub(super) struct Segmenter {
    pub(super) element: Option<BodyPix>,
    pub(super) wish: MaskRequest,
    /// Whether a layer cuts its participant out. The wish may have masks for others, such as those who record.
    pub(super) is_cut_out: bool,
}

/// Masks that a peer's element has made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Masks {
    /// Of what the network saw in their own frame.
    pub(super) inferred: u64,
    /// Of all other frames.
    pub(super) carried: u64,
    /// Frames that were not looked at.
    pub(super) thinned: u64,
    /// The time that all masks took.
    pub(super) nanoseconds: u64,
}

impl std::ops::Add for Masks {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            inferred: self.inferred + other.inferred,
            carried: self.carried + other.carried,
            thinned: self.thinned + other.thinned,
            nanoseconds: self.nanoseconds + other.nanoseconds,
        }
    }
}

/// The reason why a sender is of no more use, in one line.
#[derive(Debug, thiserror::Error)]
pub(super) enum SenderError {
    /// Its description is refused: the peer's fault.
    #[error(transparent)]
    Description(#[from] sdp::Fault),
    /// The peer's fault.
    #[error("a second answer")]
    SecondAnswer,
    /// The peer's fault.
    #[error("an answer before the offer")]
    EarlyAnswer,
    /// Ours: it connected to nothing.
    #[error("connected before it was described")]
    NotDescribed,
    /// The connection, which says whose fault it is.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// A sender and what the room knows of it.
pub(super) struct SenderConnection {
    pub(super) peer: Peer,
    pub(super) participant: ParticipantId,
    /// The name that others see.
    pub(super) name: Arc<str>,
    /// Tap on which what it sends is heard as it comes.
    pub(super) tap: Arc<Tap>,
    pub(super) signalling: Signalling,
    pub(super) trusted: Arc<AtomicBool>,
    pub(super) segmenter: Arc<Mutex<Segmenter>>,
    pub(super) liveness: Liveness,
    progress: Arc<Progress>,
    diagnosis: Diagnosis,
    /// Moment at which it was made.
    pub(super) since: Duration,
    fingerprint: Option<Fingerprint>,
    /// Ours, where we offer.
    offer: Option<Description>,
    /// The m-line that carries the transport, once the remote description is known.
    described: Option<u32>,
    early: Vec<String>,
    /// Number of remote candidates that were taken.
    candidates: usize,
    /// Whether it is called at private and loopback addresses.
    internal_peers: bool,
}

impl SenderConnection {
    pub(super) fn new(
        peer: Peer,
        (participant, name): (ParticipantId, Arc<str>),
        signalling: Signalling,
        trusted: Arc<AtomicBool>,
        (segmenter, progress, tap): (Arc<Mutex<Segmenter>>, Arc<Progress>, Arc<Tap>),
        internal_peers: bool,
        now: Duration,
    ) -> Self {
        let liveness = Liveness::new(now);
        Self {
            peer,
            participant,
            name,
            tap,
            signalling,
            trusted,
            segmenter,
            liveness,
            progress,
            diagnosis: Diagnosis::default(),
            since: now,
            fingerprint: None,
            offer: None,
            described: None,
            early: Vec::new(),
            candidates: 0,
            internal_peers,
        }
    }

    /// Takes the peer's offer (its description narrowed to our lines) and begins to answer.
    pub(super) fn take_offer(&mut self, offer: &Description, narrowed: &Description) -> Result<(), SenderError> {
        self.fingerprint = fingerprint_of(offer);
        self.peer.answer(&without_candidates(narrowed).to_sdp())?;
        self.describe(narrowed);
        Ok(())
    }

    /// Remembers our own offer, to hold the answer against it.
    pub(super) fn offered(&mut self, text: &str) {
        self.offer = Description::parse(text, sdp::SdpKind::Offer)
            .inspect_err(|fault| warn!(%fault, "our own offer is not understood"))
            .ok();
    }

    /// Takes the browser's answer to our offer.
    pub(super) fn take_answer(&mut self, answer: &Description) -> Result<(), SenderError> {
        if self.described.is_some() {
            return Err(SenderError::SecondAnswer);
        }
        let offer = self.offer.as_ref().ok_or(SenderError::EarlyAnswer)?;
        sdp::check_answer_to(answer, offer)?;
        self.fingerprint = fingerprint_of(answer);
        self.peer.accept(&without_candidates(answer).to_sdp())?;
        self.describe(answer);
        Ok(())
    }

    /// Notes that the remote description is on its way into webrtcbin, which queues: candidates may follow.
    fn describe(&mut self, remote: &Description) {
        let tagged = remote.tagged();
        let mline = u32::try_from(tagged).unwrap_or(0);
        self.described = Some(mline);
        let early = std::mem::take(&mut self.early);
        for candidate in remote.media.get(tagged).into_iter().flat_map(|section| &section.candidates) {
            self.take_candidate(candidate);
        }
        for candidate in early {
            self.peer.add_candidate(mline, &candidate);
        }
    }

    /// Takes a remote candidate, early ones too. Whatever m-line it was made for: all share the tagged one's
    /// transport, and webrtcbin keeps those of others for ever. Those that would have us connect to any address and
    /// port are left out, and internal addresses where they are not called; the peer calls us all the same.
    pub(super) fn take_candidate(&mut self, candidate: &Candidate) {
        let unwanted = candidate.is_tcp_server() || (candidate.is_internal() && !self.internal_peers);
        if unwanted || self.candidates == MOST_CANDIDATES {
            return;
        }
        self.candidates += 1;
        let candidate = candidate.to_string();
        match self.described {
            Some(mline) => self.peer.add_candidate(mline, &candidate),
            None => self.early.push(candidate),
        }
    }

    /// Compares certificate and fingerprint; on success media may flow.
    pub(super) fn verify(&self) -> Result<(), SenderError> {
        let fingerprint = self.fingerprint.as_ref().ok_or(SenderError::NotDescribed)?;
        self.peer.verify(fingerprint)?;
        self.trusted.store(true, Ordering::Release);
        if self.is_http() {
            self.peer.watch_for_the_end();
        }
        Ok(())
    }

    /// Returns whether its peer came by WHIP: nothing else reports what becomes of it, where a page has its socket.
    fn is_http(&self) -> bool {
        matches!(self.signalling, Signalling::Http { .. })
    }

    /// Takes note of what has come; until when the picture of a sender is kept who is there and sends no new one. A
    /// page that turns its camera off sends none either, so that its last picture must not stay.
    pub(super) fn look(&mut self, now: Duration) -> Option<Duration> {
        let is_http = self.is_http();
        let pulse = self.peer.pulse();
        self.liveness.packets(now, pulse.packets());
        if !is_http {
            return None;
        }
        self.liveness.be_patient(pulse.patience());
        (self.trusted.load(Ordering::Acquire) && pulse.is_there(now)).then(|| now + KEPT)
    }

    /// Returns what is wrong with its video, if that has changed since the last look; `Some(None)`: all is well again.
    pub(super) fn diagnose(&mut self, now: Duration) -> Option<Option<String>> {
        if !self.trusted.load(Ordering::Acquire) {
            return None;
        }
        let news = self.diagnosis.look(now, &self.progress);
        if self.diagnosis.wants_keyframe(now) {
            self.tap.ask_for_keyframe();
        }
        news
    }

    /// Sets what is to be found in the frames, and whether a layer cuts the participant out; remembered for a track that
    /// is yet to come.
    pub(super) fn set_wish(&self, wish: MaskRequest, is_cut_out: bool) {
        let element = {
            let mut segmenter = self.segmenter.lock();
            segmenter.is_cut_out = is_cut_out;
            segmenter.wish = wish.clone();
            segmenter.element.clone()
        };
        if let Some(element) = element {
            element.wish(wish);
        }
    }

    /// Returns what was segmented so far.
    pub(super) fn masks(&self) -> Masks {
        let element = self.segmenter.lock().element.clone();
        element.map_or_else(Masks::default, |element| Masks {
            inferred: element.property("masks"),
            carried: element.property("carried"),
            thinned: element.property("thinned"),
            nanoseconds: element.property("total-time"),
        })
    }

    /// Answers a waiting HTTP request when everything is there or the time is over. `true` when it was answered now.
    pub(super) fn answer_http(&mut self, now: Duration, gathered: bool) -> bool {
        let Signalling::Http { reply, offer, chosen, sdp, candidates, asked, since } = &mut self.signalling else {
            return false;
        };
        let limit = if asked.is_answered(candidates) { GATHERING } else { GATHERING_FAR };
        let is_time = gathered || now.saturating_sub(*since) >= limit;
        let Some(text) = sdp.as_ref().filter(|_| is_time) else { return false };
        match reply.take() {
            // The one who asked may be gone; then liveness ends this peer.
            Some(reply) => {
                let answer = whole_answer(text, candidates, offer, chosen);
                let _ = reply.send(answer.map_err(|fault| PeerRefused::Failed(fault.to_string())));
                true
            }
            None => false,
        }
    }

    /// Answers a waiting HTTP request that no SDP answer will come.
    pub(super) fn refuse_http(&mut self, reason: impl std::fmt::Display) {
        if let Signalling::Http { reply, .. } = &mut self.signalling
            && let Some(reply) = reply.take()
        {
            // Not our fault as long as it waits: webrtcbin refuses what the guard let through.
            let _ = reply.send(Err(PeerRefused::Unacceptable(format!("the offer cannot be answered: {reason}"))));
        }
    }
}

impl Signalling {
    pub(super) fn http(
        reply: oneshot::Sender<Result<String, PeerRefused>>,
        offer: Description,
        chosen: Vec<sdp::Chosen>,
        asked: Asked,
        since: Duration,
    ) -> Self {
        let offer = Box::new(offer);
        Self::Http { reply: Some(reply), offer, chosen, sdp: None, candidates: Vec::new(), asked, since }
    }
}

/// Returns what webrtcbin is given: it would call every candidate of the text, and which are called is decided here.
fn without_candidates(description: &Description) -> Description {
    let mut bare = description.clone();
    for section in &mut bare.media {
        section.candidates.clear();
        section.end_of_candidates = false;
    }
    bare
}

fn fingerprint_of(description: &Description) -> Option<Fingerprint> {
    description.media.iter().find(|section| !section.rejected).map(|section| section.fingerprint.clone())
}

/// Returns the m-lines that answer a peer's offer, one for every section that we take.
pub(super) fn answered_lines(chosen: &[sdp::Chosen]) -> Vec<MediaLine> {
    chosen.iter().filter_map(MediaLine::answering).collect()
}

/// Returns our answer as the peer gets it: every m-line of its offer in its place, and all candidates in it.
fn whole_answer(
    text: &str,
    candidates: &[String],
    offer: &Description,
    chosen: &[sdp::Chosen],
) -> Result<String, sdp::Fault> {
    let mut answer = Description::parse(text, sdp::SdpKind::Answer)?;
    let tagged = answer.tagged();
    if let Some(section) = answer.media.get_mut(tagged) {
        section.candidates = candidates.iter().filter_map(|text| Candidate::parse(text).ok().flatten()).collect();
        section.end_of_candidates = true;
    }
    Ok(sdp::answered(offer, chosen, &answer)?.to_sdp())
}
