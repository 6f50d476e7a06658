//! WHIP senders and WHEP viewers: plain peers that offer, post, and take the answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        watch,
    },
    task::JoinHandle,
    time::timeout,
};
use virfie::{
    bot::{participant::counting, source::Source, tally::Tally},
    media::{
        port::{Candidate, Description, PeerId, SdpKind, TrackKind, VideoCodec},
        sdp::Fingerprint,
        webrtc::{
            line::{Codec, Direction, Format, Line},
            peer::{Peer, PeerNews},
        },
    },
};

use super::{
    client::next_peer,
    recorder::{Attention, Recorder},
    server::{PATIENCE, ROOM, Server, answer},
    studio::{launches, network},
};

pub const SDP: &str = "application/sdp";

/// webrtcbin 1.22 does not always say that it has gathered everything; on loopback it has by then.
const GATHERING: Duration = Duration::from_millis(700);

/// A peer that was posted. Dropping it kills it without a DELETE.
pub struct Posted {
    /// Path of its resource.
    pub location: String,
    /// What it got.
    pub recorder: Arc<Recorder>,
    connected: watch::Receiver<Option<Instant>>,
    task: JoinHandle<()>,
    id: PeerId,
    source: Option<Arc<Source>>,
    audio: Option<AppSrc>,
    /// What is added to the SSRC of its video.
    shift: Arc<AtomicU32>,
}

impl Posted {
    /// When media began to flow.
    pub async fn connected(&mut self) -> Instant {
        let found = timeout(PATIENCE, self.connected.wait_for(Option::is_some)).await.expect("the peer connects");
        (*found.expect("the peer lives")).expect("it was waited for")
    }

    /// From now on no frame comes of it, and its sound goes on.
    pub fn hold_still(&self) {
        let source = self.source.as_ref().expect("it sends");
        source.starve(self.id);
        source.feed(self.id, None, self.audio.clone());
    }

    /// From now on its video has another SSRC.
    pub fn change_ssrc(&self) {
        self.shift.fetch_add(0x0101, Ordering::Relaxed);
    }

    /// Ends it as its protocol has it; the answer's status.
    pub async fn delete(&self, server: &Server) -> u16 {
        answer(server.request_at_top("DELETE", &self.location)).await.status.as_u16()
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn line(kind: TrackKind, direction: Direction, format: Format, payload: u8) -> Line {
    let profile = (format == Format::Video(VideoCodec::H264)).then_some("42e01f");
    Line { kind, direction, codec: Codec { format, payload }, twcc: None, profile }
}

/// Sends by WHIP under a name.
pub async fn whip(server: &Server, name: &str, source: &Arc<Source>) -> Posted {
    let lines = [
        line(TrackKind::Audio, Direction::Send, Format::Opus, 111),
        line(TrackKind::Video, Direction::Send, Format::Video(source.codec()), 102),
    ];
    post(server, &format!("/whip/{ROOM}?name={name}"), &lines, Some(source.clone()), Attention::Nothing).await
}

/// Watches by WHEP.
pub async fn whep(server: &Server, codec: VideoCodec, attention: Attention) -> Posted {
    let lines = [
        line(TrackKind::Audio, Direction::Receive, Format::Opus, 111),
        line(TrackKind::Video, Direction::Receive, Format::Video(codec), 102),
    ];
    post(server, &format!("/whep/{ROOM}"), &lines, None, attention).await
}

async fn post(
    server: &Server,
    path: &str,
    lines: &[Line],
    source: Option<Arc<Source>>,
    attention: Attention,
) -> Posted {
    let recorder = Arc::<Recorder>::default();
    let (id, hook, tally) = (next_peer(), recorder.hook(attention), Arc::<Tally>::default());
    let on_track = move |codec: Codec| match hook(codec) {
        Some(bin) => Ok(bin),
        None => counting(codec, tally.clone()),
    };
    let (news, mut heard) = unbounded_channel();
    let tell = move |one| drop(news.send(one));
    let name = format!("posted-{id}");
    let peer = Peer::new(&name, lines, &network(), &launches(), Box::new(on_track), tell).unwrap();
    peer.offer();
    let offer = gathered(&mut heard).await;

    let posted = server.send_text("POST", path, SDP, offer).await.expect(201);
    let location = posted.header("location").to_owned();
    let description = Description::parse(&posted.text(), SdpKind::Answer).unwrap();
    peer.accept(&description.to_sdp()).unwrap();
    let tagged = description.tagged();
    for candidate in &description.media[tagged].candidates {
        peer.add_candidate(u32::try_from(tagged).unwrap(), &candidate.to_string());
    }
    let fingerprint = description.media[tagged].fingerprint.clone();
    let (tell, connected) = watch::channel(None);
    let shift = shifted_ssrc(&peer);
    let audio = peer.sender(TrackKind::Audio).map(|(_, src)| src);
    let wire = Wire { peer, id, fingerprint, source: source.clone() };
    let task = tokio::spawn(async move { wire.live(heard, &tell).await });
    Posted { location, recorder, connected, task, id, source, audio, shift }
}

/// Adds a number to the SSRC of all video that leaves a peer.
fn shifted_ssrc(peer: &Peer) -> Arc<AtomicU32> {
    let shift = Arc::<AtomicU32>::default();
    let pipeline = peer.find("webrtc").unwrap().parent().unwrap().downcast::<gst::Bin>().unwrap();
    for kind in ["rtph264pay", "rtpvp8pay"] {
        let mut payloaders = pipeline.iterate_all_by_element_factory_name(kind);
        while let Ok(Some(payloader)) = payloaders.next() {
            let shift = shift.clone();
            let change = move |packet: &mut gst::BufferRef| {
                let mut map = packet.map_writable().unwrap();
                let ssrc = u32::from_be_bytes(map[8..12].try_into().unwrap());
                let other = ssrc.wrapping_add(shift.load(Ordering::Relaxed));
                map[8..12].copy_from_slice(&other.to_be_bytes());
            };
            let pad = payloader.static_pad("src").unwrap();
            pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
                match &mut info.data {
                    Some(gst::PadProbeData::Buffer(packet)) => change(packet.make_mut()),
                    Some(gst::PadProbeData::BufferList(packets)) => {
                        packets.make_mut().foreach_mut(|mut packet, _| {
                            change(packet.make_mut());
                            std::ops::ControlFlow::Continue(Some(packet))
                        });
                    }
                    _ => {}
                }
                gst::PadProbeReturn::Ok
            });
        }
    }
    shift
}

/// The whole offer, with all candidates in it.
async fn gathered(heard: &mut UnboundedReceiver<PeerNews>) -> String {
    let (mut text, mut candidates) = (None, Vec::new());
    let gathering = async {
        while let Some(news) = heard.recv().await {
            match news {
                PeerNews::Described(sdp) => text = Some(sdp),
                PeerNews::Candidate { candidate, .. } => candidates.extend(Candidate::parse(&candidate).unwrap()),
                PeerNews::Gathered => break,
                PeerNews::Failed(error) => panic!("no offer: {error}"),
                _ => {}
            }
        }
    };
    // See the constant: the time being over is no fault.
    let _ = timeout(GATHERING, gathering).await;
    let text = text.expect("webrtcbin makes an offer");
    let mut offer = Description::parse(&text, SdpKind::Offer).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    let tagged = offer.tagged();
    assert!(!candidates.is_empty(), "there are candidates on loopback");
    offer.media[tagged].candidates = candidates;
    offer.media[tagged].end_of_candidates = true;
    offer.to_sdp()
}

struct Wire {
    peer: Peer,
    id: PeerId,
    fingerprint: Fingerprint,
    source: Option<Arc<Source>>,
}

impl Wire {
    async fn live(self, mut heard: UnboundedReceiver<PeerNews>, connected: &watch::Sender<Option<Instant>>) {
        let mut is_fed = false;
        while let Some(news) = heard.recv().await {
            match news {
                PeerNews::Connected if !is_fed => {
                    is_fed = true;
                    self.peer.verify(&self.fingerprint).unwrap();
                    if let Some(source) = &self.source {
                        let end = |kind| self.peer.sender(kind).map(|(_, src)| src);
                        source.feed(self.id, end(TrackKind::Video), end(TrackKind::Audio));
                    }
                    let _ = connected.send(Some(Instant::now()));
                }
                PeerNews::KeyframeWanted => {
                    if let Some(source) = &self.source {
                        source.request_keyframe();
                    }
                }
                PeerNews::Latency => self.peer.recalculate_latency(),
                PeerNews::Failed(_) => return,
                _ => {}
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.starve(self.id);
        }
    }
}
