//! One bot: joins, sends the shared source, counts what comes back, and comes back itself when it is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use serde_json::{Value, json};
use tokio::sync::{
    mpsc::{UnboundedReceiver, unbounded_channel},
    watch,
};
use tracing::{debug, info};

use super::{
    mix::{Mix, MixError},
    session::{Invitation, News, Session, SessionError},
    source::Source,
    tally::Tally,
};
use crate::media::{
    codec::UnknownCodec,
    gst::{clock::media_clock, launch::Launches, stage::StageError},
    port::{Candidate, Description, PeerId, SdpKind, TrackKind, VideoCodec},
    sdp,
    webrtc::{
        line::{LineCodec, LineFormat, MediaLine},
        peer::{Network, Peer, PeerError, PeerNews, TrackError},
    },
};

/// Between two questions for webrtcbin's statistics: more often provokes races in GStreamer 1.22.
const STATISTICS: Duration = Duration::from_secs(2);

/// Longest pause before coming back.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Ids of the process's bots' connections.
static NEXT_PEER: AtomicU64 = AtomicU64::new(1);

/// The work that a test wants to do with the mix instead of only counting it: builds the bin for an incoming track.
pub type TrackHook = Arc<dyn Fn(LineCodec) -> Option<gst::Bin> + Send + Sync>;

/// A bot.
#[derive(Clone)]
pub struct Bot {
    /// Place in a room, and the name to take it by.
    pub invitation: Invitation,
    /// The source of its picture and sound; `None`: only listens.
    pub source: Option<Arc<Source>>,
    /// Ways to the network.
    pub network: Network,
    /// Launch texts.
    pub launches: Launches,
    /// Its counters.
    pub tally: Arc<Tally>,
    /// See [`TrackHook`].
    pub hook: Option<TrackHook>,
    /// Leaves politely when this becomes `true`.
    pub stop: Option<watch::Receiver<bool>>,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bot({})", self.invitation.name)
    }
}

/// The reason why a connection of a bot ends before it is over, in one line.
#[derive(Debug, thiserror::Error)]
enum BotError {
    /// The fault of who runs the bot.
    #[error("--receive: {0}")]
    Codec(UnknownCodec),
    /// The server's, or the line's.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Of the connection that receives, which says whose fault it is.
    #[error(transparent)]
    Mix(#[from] MixError),
    /// Of the connection that sends, likewise.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The server's offer is refused: its fault.
    #[error(transparent)]
    Offer(#[from] sdp::Fault),
    /// The server's fault.
    #[error("an offer without m-lines")]
    Empty,
    /// A connection that stood is of no more use, in its own words.
    #[error("{0}")]
    Lost(String),
}

/// The way that one connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// In one line.
    pub reason: String,
    /// Whether coming back is of no use.
    pub final_: bool,
    /// Whether media had flowed.
    pub connected: bool,
}

impl Bot {
    /// Stays in the room until the server says that it is over, or until the caller drops the future.
    /// `state` is called with `connecting`, `connected` and `reconnecting`.
    pub async fn stay(mut self, state: impl Fn(&'static str) + Send) -> End {
        let mut attempt = 0u32;
        loop {
            state(if attempt == 0 { "connecting" } else { "reconnecting" });
            let end = self.connect(&state).await;
            if end.final_ {
                return end;
            }
            attempt = if end.connected { 1 } else { attempt + 1 };
            if self.invitation.resume.is_none() {
                // It has never been in the room: the server is not there, or does not want it.
                return end;
            }
            info!(bot = %self.invitation.name, reason = %end.reason, attempt, "coming back");
            let pause = Duration::from_millis(300) * 2u32.saturating_pow(attempt.min(6));
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    /// Runs one connection, from the join to its end.
    pub async fn connect(&mut self, state: &(impl Fn(&'static str) + Send)) -> End {
        let mut session = match Session::join(&self.invitation).await {
            Ok(session) => session,
            Err(error) => return End { reason: error.to_string(), final_: false, connected: false },
        };
        let mut live: Option<Live> = None;
        let mut mix: Option<Mix> = None;
        let (news, mut told) = unbounded_channel();
        let (mixed, mut heard) = unbounded_channel();
        let mut connected = false;
        let mut ask = tokio::time::interval(STATISTICS);
        let mut stop = self.stop.clone();
        loop {
            let outcome: Result<(), BotError> = tokio::select! {
                news_of_server = session.next() => match news_of_server {
                    News::Welcome { name, resume, .. } => {
                        self.invitation.resume = Some(resume);
                        self.invitation.name = name;
                        self.receive(mixed.clone()).map(|made| mix = Some(made))
                    }
                    News::Offer(text) => self.answer(&text, news.clone()).map(|made| live = Some(made)),
                    News::Candidate(text) => {
                        if let (Ok(Some(candidate)), Some(live)) = (Candidate::parse(&text), &live) {
                            live.peer.add_candidate(0, &candidate.to_string());
                        }
                        Ok(())
                    }
                    News::Answer(sdp) => mix.as_mut().map_or(Ok(()), |mix| Ok(mix.accept(&sdp)?)),
                    News::Delivery(rendition, _, estimate) => {
                        self.tally.rendition.store(rendition.map(Arc::new));
                        self.tally.estimate_kbps.store(estimate.unwrap_or(0), Ordering::Relaxed);
                        Ok(())
                    }
                    News::Connected | News::Event(_) => Ok(()),
                    News::Over(reason, final_) => return End { reason, final_, connected },
                },
                news_of_peer = next(&mut told) => match news_of_peer {
                    PeerNews::Described(sdp) => say(&mut session, json!({"type": "answer", "sdp": sdp})).await,
                    PeerNews::Candidate { mline, candidate } => {
                        say(&mut session, json!({"type": "candidate", "candidate": candidate, "mline": mline})).await
                    }
                    PeerNews::Connected => match live.as_ref().map(|live| live.start(self.source.as_deref())) {
                        Some(Ok(())) if !connected => {
                            connected = true;
                            state("connected");
                            Ok(())
                        }
                        Some(Err(error)) => Err(error.into()),
                        _ => Ok(()),
                    },
                    PeerNews::KeyframeWanted => {
                        if let Some(source) = &self.source {
                            source.request_keyframe();
                        }
                        Ok(())
                    }
                    PeerNews::Failed(error) => Err(BotError::Lost(error)),
                    PeerNews::Latency => {
                        if let Some(live) = &live {
                            live.peer.recalculate_latency();
                        }
                        Ok(())
                    }
                    PeerNews::Gathered | PeerNews::Ice(_) => Ok(()),
                },
                news_of_mix = next(&mut heard) => match news_of_mix {
                    PeerNews::Described(sdp) => say(&mut session, json!({"type": "receive", "sdp": sdp})).await,
                    PeerNews::Candidate { mline, candidate } => {
                        let message = json!({
                            "type": "candidate", "connection": "receive", "candidate": candidate, "mline": mline,
                        });
                        say(&mut session, message).await
                    }
                    PeerNews::Connected => mix.as_ref().map_or(Ok(()), |mix| Ok(mix.verify()?)),
                    PeerNews::Failed(error) => Err(BotError::Lost(error)),
                    PeerNews::Latency => {
                        if let Some(mix) = &mix {
                            mix.peer().recalculate_latency();
                        }
                        Ok(())
                    }
                    PeerNews::KeyframeWanted | PeerNews::Gathered | PeerNews::Ice(_) => Ok(()),
                },
                _ = ask.tick() => {
                    if let Some(mix) = mix.as_ref().filter(|_| connected) {
                        let tally = self.tally.clone();
                        mix.peer().stats(move |stats| read_stats(stats, &tally));
                    }
                    Ok(())
                }
                () = stopped(&mut stop) => {
                    session.leave().await;
                    return End { reason: "left".into(), final_: true, connected };
                }
            };
            if let Err(error) = outcome {
                return End { reason: error.to_string(), final_: false, connected };
            }
        }
    }

    /// Offers to receive the mix.
    fn receive(&self, news: tokio::sync::mpsc::UnboundedSender<PeerNews>) -> Result<Mix, BotError> {
        let codec: VideoCodec = self.invitation.receive.parse().map_err(BotError::Codec)?;
        let (tally, hook) = (self.tally.clone(), self.hook.clone());
        let on_track = move |codec: LineCodec| match hook.as_ref().and_then(|hook| hook(codec)) {
            Some(bin) => Ok(bin),
            None => Ok(counting(codec, tally.clone())?),
        };
        let id = NEXT_PEER.fetch_add(1, Ordering::Relaxed);
        let name = format!("bot-{}-mix-{id}", self.invitation.name);
        // The bot may be on its way out.
        let tell = move |one| drop(news.send(one));
        Ok(Mix::offer(&name, codec, &self.network, &self.launches, Box::new(on_track), tell)?)
    }

    /// Answers the server's offer: sound and the source's codec out.
    fn answer(&self, offer: &str, news: tokio::sync::mpsc::UnboundedSender<PeerNews>) -> Result<Live, BotError> {
        let offer = Description::parse(offer, SdpKind::Offer)?;
        let chosen = chosen(&offer);
        let lines: Vec<MediaLine> = chosen.iter().filter_map(MediaLine::answering).collect();
        let id = PeerId(NEXT_PEER.fetch_add(1, Ordering::Relaxed));
        let peer = Peer::new(
            &format!("bot-{}-{id}", self.invitation.name),
            &lines,
            &self.network,
            &self.launches,
            Box::new(|_| Err(TrackError::Unwanted)),
            // The bot may be on its way out.
            move |one| drop(news.send(one)),
        )?;
        peer.answer(&sdp::narrowed(&offer, &chosen).to_sdp())?;
        for section in &offer.media {
            for candidate in &section.candidates {
                peer.add_candidate(0, &candidate.to_string());
            }
        }
        let fingerprint = offer.media.first().ok_or(BotError::Empty)?.fingerprint.clone();
        Ok(Live { peer, id, fingerprint, source: self.source.clone() })
    }
}

/// A connection that is being made or stands.
struct Live {
    peer: Peer,
    id: PeerId,
    fingerprint: sdp::Fingerprint,
    source: Option<Arc<Source>>,
}

impl Live {
    fn start(&self, source: Option<&Source>) -> Result<(), PeerError> {
        self.peer.verify(&self.fingerprint)?;
        if let Some(source) = source {
            let end = |kind| self.peer.sender(kind).map(|(_, src)| src);
            source.starve(self.id);
            source.feed(self.id, end(TrackKind::Video), end(TrackKind::Audio));
        }
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.starve(self.id);
        }
    }
}

async fn say(session: &mut Session, message: Value) -> Result<(), BotError> {
    Ok(session.send(message).await?)
}

async fn stopped(stop: &mut Option<watch::Receiver<bool>>) {
    let told = match stop {
        Some(stop) => stop.wait_for(|stop| *stop).await.is_ok(),
        None => false,
    };
    if !told {
        std::future::pending::<()>().await;
    }
}

async fn next(told: &mut UnboundedReceiver<PeerNews>) -> PeerNews {
    match told.recv().await {
        Some(news) => news,
        // The sender's original lives as long as the loop.
        None => std::future::pending().await,
    }
}

/// Returns every section of the server's offer, with its first codec, seen from here.
pub fn chosen(offer: &Description) -> Vec<sdp::Chosen> {
    offer
        .media
        .iter()
        .enumerate()
        .filter_map(|(section, media)| {
            let codec = media.codecs.iter().find(|codec| !matches!(codec.format, sdp::CodecFormat::Other(_)))?.clone();
            let direction = match media.direction {
                sdp::Direction::SendRecv => sdp::Flow::Both,
                sdp::Direction::SendOnly => sdp::Flow::Receive,
                sdp::Direction::RecvOnly => sdp::Flow::Send,
                sdp::Direction::Inactive => return None,
            };
            let twcc = media.extensions.iter().find(|(_, uri)| uri == sdp::TRANSPORT_WIDE_CC).map(|(id, _)| *id);
            let kind = media.kind;
            Some(sdp::Chosen { section, kind, direction, codec, twcc_extension: twcc, orientation_extension: None })
        })
        .collect()
}

/// Returns a sink that counts frames (RTP packets with the marker bit end one) without decoding them.
pub fn counting(codec: LineCodec, tally: Arc<Tally>) -> Result<gst::Bin, StageError> {
    let bin = gst::parse::bin_from_description("fakesink name=count sync=false async=false", true)?;
    let sink = bin.by_name("count").and_then(|sink| sink.static_pad("sink"));
    let sink = sink.ok_or(StageError::NoPad("no counter"))?;
    let video = codec.format != LineFormat::Opus;
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            let mut header = [0u8; 2];
            let marker = buffer.copy_to_slice(0, &mut header).is_ok() && header[1] & 0x80 != 0;
            if video {
                tally.bytes.fetch_add(buffer.size() as u64, Ordering::Relaxed);
                if marker {
                    tally.frame(u64::try_from(media_clock().now().as_nanos()).unwrap_or(0));
                }
            } else {
                tally.packets.fetch_add(1, Ordering::Relaxed);
            }
        }
        gst::PadProbeReturn::Ok
    });
    Ok(bin)
}

fn read_stats(stats: &gst::StructureRef, tally: &Tally) {
    let mut lost = 0i64;
    for (name, value) in stats.iter() {
        let Ok(fields) = value.get::<gst::Structure>() else { continue };
        if name.starts_with("rtp-inbound")
            && let Ok(count) = fields.get::<i64>("packets-lost")
        {
            lost += count.max(0);
        }
        if let Ok(seconds) = fields.get::<f64>("round-trip-time")
            && seconds > 0.0
        {
            tally.round_trip_us.store((seconds * 1e6) as u64, Ordering::Relaxed);
        }
    }
    debug!(lost, "statistics");
    tally.lost.store(u64::try_from(lost).unwrap_or(0), Ordering::Relaxed);
}
