//! WHIP senders and WHEP viewers: plain peers that offer, post, and take the answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parking_lot::Mutex;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        watch,
    },
    task::JoinHandle,
    time::timeout,
};
use virfie::{
    bot::{participant::counting, tally::Tally},
    media::{
        port::{Candidate, Description, PeerId, SdpKind, TrackKind, VideoCodec},
        sdp::{Fingerprint, VIDEO_ORIENTATION},
        webrtc::{
            line::{LineCodec, LineDirection, LineFormat, MediaLine},
            peer::{Peer, PeerNews},
        },
    },
};

use super::{
    client::next_peer,
    footage::Sends,
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
    /// The recorder of what it receives.
    pub recorder: Arc<Recorder>,
    connected: watch::Receiver<Option<Instant>>,
    task: JoinHandle<()>,
    id: PeerId,
    source: Option<Arc<dyn Sends>>,
    audio: Option<AppSrc>,
    tampers: Tampers,
}

impl Posted {
    /// Returns when media began to flow.
    pub async fn connected(&mut self) -> Instant {
        let found = timeout(PATIENCE, self.connected.wait_for(Option::is_some)).await.expect("the peer connects");
        (*found.expect("the peer lives")).expect("it was waited for")
    }

    /// Sends no frame from now on, while its sound goes on.
    pub fn hold_still(&self) {
        let source = self.source.as_ref().expect("it sends");
        source.starve(self.id);
        source.feed(self.id, None, self.audio.clone());
    }

    /// Does this to its packets of this kind from now on.
    pub fn tamper(&self, kind: TrackKind, tamper: Tamper) {
        self.tampers.lock()[index(kind)] = Some(tamper);
    }

    /// Leaves its packets as they are from now on.
    pub fn leave_alone(&self) {
        *self.tampers.lock() = [None, None];
    }

    /// Gives its video another SSRC from now on.
    pub fn change_ssrc(&self, by: u32) {
        let change = move |packet: &mut Vec<u8>| {
            let ssrc = u32::from_be_bytes(packet[8..12].try_into().unwrap());
            packet[8..12].copy_from_slice(&ssrc.wrapping_add(by).to_be_bytes());
            true
        };
        self.tamper(TrackKind::Video, Box::new(change));
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

fn line(kind: TrackKind, direction: LineDirection, format: LineFormat, payload: u8) -> MediaLine {
    let profile = (format == LineFormat::Video(VideoCodec::H264)).then_some("42e01f");
    MediaLine { kind, direction, codec: LineCodec { format, payload }, twcc: None, orientation: None, profile }
}

/// Sends by WHIP under a name.
pub async fn whip<S: Sends + 'static>(server: &Server, name: &str, source: &Arc<S>) -> Posted {
    whip_of(server, name, source, |_| {}).await
}

/// Returns the same, with an offer that has been changed.
pub async fn whip_of<S: Sends + 'static>(
    server: &Server,
    name: &str,
    source: &Arc<S>,
    change: impl FnOnce(&mut Description),
) -> Posted {
    let sound = source.has_sound().then(|| line(TrackKind::Audio, LineDirection::Send, LineFormat::Opus, 111));
    let video = source.video().map(|codec| line(TrackKind::Video, LineDirection::Send, LineFormat::Video(codec), 102));
    let lines: Vec<MediaLine> = sound.into_iter().chain(video).collect();
    let path = format!("/whip/{ROOM}?name={name}");
    post(server, &path, &lines, Some(source.clone()), Attention::Nothing, change).await
}

/// Watches by WHEP.
pub async fn whep(server: &Server, codec: VideoCodec, attention: Attention) -> Posted {
    let lines = [
        line(TrackKind::Audio, LineDirection::Receive, LineFormat::Opus, 111),
        line(TrackKind::Video, LineDirection::Receive, LineFormat::Video(codec), 102),
    ];
    post(server, &format!("/whep/{ROOM}"), &lines, None, attention, |_| {}).await
}

async fn post(
    server: &Server,
    path: &str,
    lines: &[MediaLine],
    source: Option<Arc<dyn Sends>>,
    attention: Attention,
    change: impl FnOnce(&mut Description),
) -> Posted {
    let recorder = Arc::<Recorder>::default();
    let (id, hook, tally) = (next_peer(), recorder.hook(attention), Arc::<Tally>::default());
    let on_track = move |codec: LineCodec| match hook(codec) {
        Some(bin) => Ok(bin),
        None => Ok(counting(codec, tally.clone())?),
    };
    let (news, mut heard) = unbounded_channel();
    let tell = move |one| drop(news.send(one));
    let name = format!("posted-{id}");
    let peer = Peer::new(&name, lines, &network(), &launches(), Box::new(on_track), tell).unwrap();
    peer.offer();
    let mut offer = gathered(&mut heard).await;
    change(&mut offer);

    let posted = server.send_text("POST", path, SDP, offer.to_sdp()).await.expect(201);
    let location = posted.header("location").to_owned();
    let mut description = Description::parse(&posted.text(), SdpKind::Answer).unwrap();
    // What was added to the offer is nothing that webrtcbin knows.
    description.media.iter_mut().for_each(|section| section.extensions.retain(|(_, uri)| uri != VIDEO_ORIENTATION));
    peer.accept(&description.to_sdp()).unwrap();
    let tagged = description.tagged();
    for candidate in &description.media[tagged].candidates {
        peer.add_candidate(u32::try_from(tagged).unwrap(), &candidate.to_string());
    }
    let fingerprint = description.media[tagged].fingerprint.clone();
    let (tell, connected) = watch::channel(None);
    let tampers = tampers(&peer);
    let audio = peer.sender(TrackKind::Audio).map(|(_, src)| src);
    let wire = Wire { peer, id, fingerprint, source: source.clone() };
    let task = tokio::spawn(async move { wire.live(heard, &tell).await });
    Posted { location, recorder, connected, task, id, source, audio, tampers }
}

/// Changes a packet on its way, or loses it: then the answer is `false`.
pub type Tamper = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// The changes of the packets of picture and sound.
type Tampers = Arc<Mutex<[Option<Tamper>; 2]>>;

fn index(kind: TrackKind) -> usize {
    usize::from(kind == TrackKind::Audio)
}

/// Returns where packets that leave a peer can be tampered with.
fn tampers(peer: &Peer) -> Tampers {
    let tampers = Tampers::default();
    let pipeline = peer.find("webrtc").unwrap().parent().unwrap().downcast::<gst::Bin>().unwrap();
    for (kind, payloader) in
        [(TrackKind::Video, "rtph264pay"), (TrackKind::Video, "rtpvp8pay"), (TrackKind::Audio, "rtpopuspay")]
    {
        let mut payloaders = pipeline.iterate_all_by_element_factory_name(payloader);
        while let Ok(Some(payloader)) = payloaders.next() {
            let tampers = tampers.clone();
            if kind == TrackKind::Audio {
                // Nothing is sent for what an encoder leaves out.
                payloader.set_property("dtx", true);
            }
            let pad = payloader.static_pad("src").unwrap();
            pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| {
                let mut tampers = tampers.lock();
                let Some(tamper) = &mut tampers[index(kind)] else { return gst::PadProbeReturn::Ok };
                let changed: gst::BufferList = match &info.data {
                    Some(gst::PadProbeData::Buffer(packet)) => tampered(packet, tamper).into_iter().collect(),
                    Some(gst::PadProbeData::BufferList(packets)) => {
                        packets.iter_owned().filter_map(|packet| tampered(&packet, tamper)).collect()
                    }
                    _ => return gst::PadProbeReturn::Ok,
                };
                match (changed.len(), &info.data) {
                    (0, _) => return gst::PadProbeReturn::Drop,
                    (_, Some(gst::PadProbeData::Buffer(_))) => {
                        info.data = Some(gst::PadProbeData::Buffer(changed.get_owned(0).unwrap()));
                    }
                    _ => info.data = Some(gst::PadProbeData::BufferList(changed)),
                }
                gst::PadProbeReturn::Ok
            });
        }
    }
    tampers
}

fn tampered(packet: &gst::BufferRef, tamper: &mut Tamper) -> Option<gst::Buffer> {
    let mut bytes = packet.map_readable().unwrap().to_vec();
    if !tamper(&mut bytes) {
        return None;
    }
    let mut changed = gst::Buffer::from_mut_slice(bytes);
    packet.copy_into(changed.make_mut(), gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS, ..).unwrap();
    Some(changed)
}

/// Returns the whole offer, with all candidates in it.
async fn gathered(heard: &mut UnboundedReceiver<PeerNews>) -> Description {
    let (mut text, mut candidates) = (None, Vec::new());
    let begun = Instant::now();
    loop {
        // See the constant: the time being over is no fault, once there is an offer.
        let patience = if text.is_some() { GATHERING } else { PATIENCE };
        match timeout(patience.saturating_sub(begun.elapsed()), heard.recv()).await {
            Ok(Some(PeerNews::Described(sdp))) => text = Some(sdp),
            Ok(Some(PeerNews::Candidate { candidate, .. })) => {
                candidates.extend(Candidate::parse(&candidate).unwrap());
            }
            Ok(Some(PeerNews::Failed(error))) => panic!("no offer: {error}"),
            Ok(Some(PeerNews::Gathered) | None) => break,
            Ok(Some(_)) => {}
            // A busy machine may have taken all the time for the offer.
            Err(_) if candidates.is_empty() && begun.elapsed() < PATIENCE && text.is_some() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(_) => break,
        }
    }
    let text = text.expect("webrtcbin makes an offer");
    let mut offer = Description::parse(&text, SdpKind::Offer).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    let tagged = offer.tagged();
    assert!(!candidates.is_empty(), "there are candidates on loopback");
    offer.media[tagged].candidates = candidates;
    offer.media[tagged].end_of_candidates = true;
    offer
}

struct Wire {
    peer: Peer,
    id: PeerId,
    fingerprint: Fingerprint,
    source: Option<Arc<dyn Sends>>,
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
