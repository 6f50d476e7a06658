//! A session client that does what a page does, and can be made to misbehave.

#![allow(dead_code)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use gstreamer::{self as gst, prelude::*};
use serde_json::json;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinHandle,
    time::timeout,
};
use virfie::{
    bot::{
        mix::Mix,
        participant::{TrackHook, chosen, counting},
        session::{Invitation, News, Session},
        source::Source,
        tally::Tally,
    },
    media::{
        port::{Candidate, Description, PeerId, SdpKind, TrackKind},
        sdp,
        webrtc::{
            line::{LineCodec, MediaLine},
            peer::{Peer, PeerError, PeerNews, TrackError},
        },
    },
};

use super::{
    server::PATIENCE,
    studio::{launches, network},
};

/// Reason why a client's connection ends before it is over.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Ids of the tests' own peers; bots count from 1.
static NEXT_PEER: AtomicU64 = AtomicU64::new(1_000_000);

pub fn next_peer() -> PeerId {
    PeerId(NEXT_PEER.fetch_add(1, Ordering::Relaxed))
}

/// Stage that a client has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Joining,
    /// The server said that media flows.
    Connected,
    /// Reason why it is over.
    Over(String),
}

enum Order {
    Leave,
    Silence,
}

/// Behaviour of a client.
#[derive(Clone)]
pub struct Manner {
    pub source: Option<Arc<Source>>,
    pub hook: Option<TrackHook>,
    /// Changes the answer on its way to the server.
    pub tamper: fn(String) -> String,
}

/// A client in a room. Dropping it kills it without a word.
pub struct Client {
    pub tally: Arc<Tally>,
    orders: UnboundedSender<Order>,
    stage: watch::Receiver<Stage>,
    was_connected: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Client {
    /// Begins to join.
    pub fn join(invitation: Invitation, manner: Manner) -> Self {
        let (orders, ordered) = unbounded_channel();
        let (told, stage) = watch::channel(Stage::Joining);
        let tally = Arc::<Tally>::default();
        let was_connected = Arc::<AtomicBool>::default();
        let (counted, noted) = (tally.clone(), was_connected.clone());
        let task = tokio::spawn(async move {
            let on_connected = || {
                noted.store(true, Ordering::Relaxed);
                // The one who asked may be gone.
                let _ = told.send(Stage::Connected);
            };
            let reason = live(invitation, manner, counted, on_connected, ordered)
                .await
                .unwrap_or_else(|error| error.to_string());
            // The one who asked may be gone.
            let _ = told.send(Stage::Over(reason));
        });
        Self { tally, orders, stage, was_connected, task }
    }

    /// Waits until the server says that media flows.
    pub async fn connected(&mut self) {
        let stage = self.until(|stage| *stage != Stage::Joining).await;
        assert_eq!(stage, Stage::Connected);
    }

    /// Waits until it is over, and returns why.
    pub async fn over(&mut self) -> String {
        match self.until(|stage| matches!(stage, Stage::Over(_))).await {
            Stage::Over(reason) => reason,
            stage => panic!("{stage:?} is not over"),
        }
    }

    async fn until(&mut self, fits: impl FnMut(&Stage) -> bool) -> Stage {
        let found = timeout(PATIENCE, self.stage.wait_for(fits)).await.expect("the client gets on");
        found.expect("a client's task reports how it ended").clone()
    }

    /// Returns whether the server ever said that media flows.
    pub fn was_connected(&self) -> bool {
        self.was_connected.load(Ordering::Relaxed)
    }

    /// Leaves as a page does, and waits until that is done.
    pub async fn leave(mut self) {
        let _ = self.orders.send(Order::Leave);
        assert_eq!(self.over().await, "left");
    }

    /// Lets not one media packet out from now on; its socket stays open.
    pub fn fall_silent(&self) {
        let _ = self.orders.send(Order::Silence);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection, and the source that it is fed from.
struct Wire {
    peer: Peer,
    id: PeerId,
    fingerprint: sdp::Fingerprint,
    source: Option<Arc<Source>>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.starve(self.id);
        }
    }
}

async fn live(
    invitation: Invitation,
    manner: Manner,
    tally: Arc<Tally>,
    on_connected: impl Fn() + Send + Sync,
    mut orders: UnboundedReceiver<Order>,
) -> Result<String, Fault> {
    let mut session = Session::join(&invitation).await?;
    let (news, mut heard) = unbounded_channel();
    let mut wire: Option<Wire> = None;
    let (mixed, mut mix_news) = unbounded_channel();
    let mut mix: Option<Mix> = None;
    loop {
        tokio::select! {
            message = session.next() => match message {
                News::Welcome { .. } => {
                    mix = Some(receive(&invitation.receive, &manner, tally.clone(), mixed.clone())?);
                }
                News::Answer(sdp) => mix.as_mut().ok_or("an answer before the offer")?.accept(&sdp)?,
                News::Offer(offer) => wire = Some(answer(&offer, &manner, news.clone())?),
                News::Candidate(text) => {
                    if let (Ok(Some(candidate)), Some(wire)) = (Candidate::parse(&text), &wire) {
                        wire.peer.add_candidate(0, &candidate.to_string());
                    }
                }
                News::Connected => on_connected(),
                News::Over(reason, _) => return Ok(reason),
                News::Delivery(..) | News::Event(_) => {}
            },
            Some(one) = heard.recv() => match one {
                PeerNews::Described(sdp) => {
                    session.send(json!({"type": "answer", "sdp": (manner.tamper)(sdp)})).await?;
                }
                PeerNews::Candidate { mline, candidate } => {
                    session.send(json!({"type": "candidate", "candidate": candidate, "mline": mline})).await?;
                }
                PeerNews::Connected => {
                    if let Some(wire) = &wire {
                        start(wire)?;
                    }
                }
                PeerNews::KeyframeWanted => {
                    if let Some(source) = &manner.source {
                        source.request_keyframe();
                    }
                }
                PeerNews::Latency => {
                    if let Some(wire) = &wire {
                        wire.peer.recalculate_latency();
                    }
                }
                PeerNews::Failed(error) => return Err(error.into()),
                PeerNews::Gathered | PeerNews::Ice(_) => {}
            },
            Some(one) = mix_news.recv() => match one {
                PeerNews::Described(sdp) => session.send(json!({"type": "receive", "sdp": sdp})).await?,
                PeerNews::Candidate { mline, candidate } => {
                    let way = "receive";
                    let message = json!({
                        "type": "candidate", "connection": way, "candidate": candidate, "mline": mline,
                    });
                    session.send(message).await?;
                }
                PeerNews::Connected => mix.as_ref().ok_or("connected before it was made")?.verify()?,
                PeerNews::Latency => {
                    if let Some(mix) = &mix {
                        mix.peer().recalculate_latency();
                    }
                }
                PeerNews::Failed(error) => return Err(error.into()),
                PeerNews::KeyframeWanted | PeerNews::Gathered | PeerNews::Ice(_) => {}
            },
            Some(order) = orders.recv() => match order {
                Order::Leave => {
                    session.leave().await;
                    return Ok("left".to_owned());
                }
                Order::Silence => silence(&wire.as_ref().ok_or("silent before it spoke")?.peer),
            },
        }
    }
}

fn receive(codec: &str, manner: &Manner, tally: Arc<Tally>, news: UnboundedSender<PeerNews>) -> Result<Mix, Fault> {
    let (id, hook) = (next_peer(), manner.hook.clone());
    let on_track = move |codec: LineCodec| match hook.as_ref().and_then(|hook| hook(codec)) {
        Some(bin) => Ok(bin),
        None => Ok(counting(codec, tally.clone())?),
    };
    let codec = codec.parse()?;
    let tell = move |one| drop(news.send(one));
    Ok(Mix::offer(&format!("client-{id}"), codec, &network(), &launches(), Box::new(on_track), tell)?)
}

fn answer(offer: &str, manner: &Manner, news: UnboundedSender<PeerNews>) -> Result<Wire, Fault> {
    let offer = Description::parse(offer, SdpKind::Offer)?;
    let chosen = chosen(&offer);
    let lines: Vec<MediaLine> = chosen.iter().filter_map(MediaLine::answering).collect();
    let id = next_peer();
    let on_track = |_| Err(TrackError::Unwanted);
    let tell = move |one| drop(news.send(one));
    let peer = Peer::new(&format!("client-{id}"), &lines, &network(), &launches(), Box::new(on_track), tell)?;
    peer.answer(&sdp::narrowed(&offer, &chosen).to_sdp())?;
    for candidate in offer.media.iter().flat_map(|section| &section.candidates) {
        peer.add_candidate(0, &candidate.to_string());
    }
    let fingerprint = offer.media.first().ok_or("an offer without m-lines")?.fingerprint.clone();
    Ok(Wire { peer, id, fingerprint, source: manner.source.clone() })
}

fn start(wire: &Wire) -> Result<(), PeerError> {
    wire.peer.verify(&wire.fingerprint)?;
    if let Some(source) = &wire.source {
        let end = |kind| wire.peer.sender(kind).map(|(_, src)| src);
        source.starve(wire.id);
        source.feed(wire.id, end(TrackKind::Video), end(TrackKind::Audio));
    }
    Ok(())
}

/// Swallows everything at the last element before the network. STUN still passes: it is not sent through the pipeline.
fn silence(peer: &Peer) {
    let webrtc = peer.find("webrtc").unwrap().downcast::<gst::Bin>().unwrap();
    let mut sinks = webrtc.iterate_all_by_element_factory_name("nicesink");
    let mut silenced = 0;
    while let Ok(Some(sink)) = sinks.next() {
        let pad = sink.static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, |_, _| gst::PadProbeReturn::Drop);
        silenced += 1;
    }
    assert!(silenced > 0, "webrtcbin sends by nicesink");
}
