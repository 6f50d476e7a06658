//! Recordings of what one participant sends, as it came: depayloaded, not encoded again, into Matroska.
//!
//! ```text
//!   frames, packets ─► recorder's thread: plan ─► appsrc ─► (parse) ─► matroskamux ─► a file per set of tracks
//! ```
//! Contract: PTS in running time; timestamps in the files count from the recorder's `origin`, so that those of several
//! recorders of one origin lie on one time line. Threads: one `iso-…` thread a recorder, and those of its pipeline.
//! Failure: a recorder whose thread or disk does not keep up leaves frames out up to the next keyframe; a file that
//! cannot be written is told once, and ends the recorder.

mod plan;
mod sidecar;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use plan::{Plan, Step, Tracks};
pub use sidecar::{Owner, Sidecar};
use tracing::warn;

use crate::media::{
    gst::{
        clock::{clock_time, media_clock},
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::{self, Role},
    },
    port::TrackKind,
};

/// Packets that may wait for the recorder's thread: some seconds of anybody's.
const WAITING: usize = 2048;

/// What waits for a file to begin: as long as a track is waited for, and some.
const GATHERED: usize = 1024;

/// How long the thread waits for a packet at most.
const LOOK: Duration = Duration::from_millis(250);

/// How much may wait for the disk, or for a track that is silent, for whose next packet the muxer waits.
const BACKLOG: Duration = Duration::from_secs(plan::SILENT.as_secs() + 3);

/// How long a file may take to be ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often the disk is looked at.
const CHECK: Duration = Duration::from_secs(1);

/// Where the files go.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder. Need not exist.
    pub folder: PathBuf,
    /// What all names begin with.
    pub stem: String,
    /// Running time that is zero in the files.
    pub origin: Duration,
}

impl Place {
    /// Finds a name that no file has.
    fn path(&self) -> Option<PathBuf> {
        let mut names = (1..1000).map(|count| {
            let again = if count == 1 { String::new() } else { format!("-{count}") };
            self.folder.join(format!("{}{again}.mkv", self.stem))
        });
        names.find(|path| !path.exists())
    }
}

/// What a recorder works with.
pub struct Order {
    /// Where the files go.
    pub place: Place,
    /// Whose they are.
    pub owner: Owner,
    /// Notes them.
    pub sidecar: Arc<Sidecar>,
    /// Looks whether the disk has room.
    pub check: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// What a recorder says. Called on its thread; must not block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nothing can begin without a keyframe.
    NeedsKeyframe,
    /// It writes no more.
    Failed(String),
    /// A file is finished.
    Finished {
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
        /// How long it plays.
        length: Duration,
    },
}

struct Packet {
    kind: TrackKind,
    buffer: gst::Buffer,
    caps: gst::Caps,
}

impl Packet {
    fn is_keyframe(&self) -> bool {
        self.kind == TrackKind::Video && !self.buffer.flags().contains(gst::BufferFlags::DELTA_UNIT)
    }
}

/// A recorder of one participant. Dropping it ends its file.
#[derive(Debug)]
pub struct Recorder {
    packets: SyncSender<Packet>,
    bytes: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts one.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(order: Order, launches: Launches, tell: impl Fn(News) + Send + 'static) -> std::io::Result<Self> {
        let (packets, received) = sync_channel(WAITING);
        let bytes = Arc::<AtomicU64>::default();
        let name = format!("iso-{}", order.place.stem);
        let work = Work { order, launches, tell: Box::new(tell), bytes: bytes.clone(), whole: 0, file: None };
        std::thread::Builder::new().name(name).spawn(move || work.work(&received))?;
        Ok(Self { packets, bytes })
    }

    /// Takes a frame or a packet. What it has no place for is left out.
    pub fn take(&self, kind: TrackKind, buffer: &gst::Buffer, caps: &gst::Caps) {
        // A gap in the picture is mended by its next keyframe; the thread is gone when it has failed.
        let _ = self.packets.try_send(Packet { kind, buffer: buffer.clone(), caps: caps.clone() });
    }

    /// Counts what all its files hold.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A file that is being written.
struct File {
    name: String,
    /// When it began, after the origin.
    from: Duration,
    path: PathBuf,
    pipeline: OwnedPipeline,
    broken: Receiver<Option<String>>,
    video: Option<AppSrc>,
    audio: Option<AppSrc>,
    /// Of the picture.
    codec: Option<String>,
    /// The picture comes in another codec now.
    is_outdated: bool,
    /// Frames are left out until the next keyframe.
    skipping: bool,
    /// The last timestamp of each track.
    last: [Option<gst::ClockTime>; 2],
}

struct Work {
    order: Order,
    launches: Launches,
    tell: Box<dyn Fn(News) + Send>,
    bytes: Arc<AtomicU64>,
    /// Bytes of files that have ended.
    whole: u64,
    file: Option<File>,
}

/// Names the codec of caps.
fn codec_of(caps: &gst::Caps) -> String {
    caps.structure(0).map(|fields| fields.name().to_string()).unwrap_or_default()
}

impl Work {
    fn work(mut self, received: &Receiver<Packet>) {
        priority::take(Role::Deliver);
        let mut plan = Plan::default();
        // What came before its file has begun.
        let mut early: VecDeque<Packet> = VecDeque::new();
        let mut checked = media_clock().now();
        (self.tell)(News::NeedsKeyframe);
        loop {
            let packet = match received.recv_timeout(LOOK) {
                Ok(packet) => Some(packet),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let now = media_clock().now();
            if let Some(packet) = packet {
                plan.heard(packet.kind, packet.is_keyframe(), now);
                if self.takes(&packet) {
                    self.write(&packet);
                } else {
                    // Of the picture nothing is of use before a keyframe, and nothing of an older one after it.
                    if packet.is_keyframe() {
                        early.retain(|other| other.kind != TrackKind::Video);
                    }
                    let is_first = packet.kind == TrackKind::Video
                        && !packet.is_keyframe()
                        && early.iter().all(|other| other.kind != TrackKind::Video);
                    if !is_first && early.len() < GATHERED {
                        early.push_back(packet);
                    }
                }
            }
            if let Some(fault) = self.fault() {
                (self.tell)(News::Failed(fault));
                break;
            }
            match plan.step(now) {
                Step::Wait => {}
                Step::End => self.end(),
                Step::Begin(tracks) => {
                    let first =
                        |kind| early.iter().find(|packet| packet.kind == kind).map(|packet| packet.caps.clone());
                    if let Err(error) = self.begin(tracks, first(TrackKind::Video)) {
                        (self.tell)(News::Failed(error));
                        break;
                    }
                    for packet in early.drain(..) {
                        if self.takes(&packet) {
                            self.write(&packet);
                        }
                    }
                }
            }
            if self.file.as_ref().is_some_and(|file| file.is_outdated) {
                plan.ended(now);
                self.end();
                (self.tell)(News::NeedsKeyframe);
            }
            self.count();
            if now.saturating_sub(checked) >= CHECK {
                checked = now;
                if let Err(fault) = (self.order.check)() {
                    (self.tell)(News::Failed(fault));
                    break;
                }
            }
        }
        self.end();
    }

    /// Whether the file has a track for it.
    fn takes(&self, packet: &Packet) -> bool {
        self.file.as_ref().is_some_and(|file| match packet.kind {
            TrackKind::Video => file.video.is_some(),
            TrackKind::Audio => file.audio.is_some(),
        })
    }

    fn write(&mut self, packet: &Packet) {
        let Some(file) = &mut self.file else { return };
        let (src, last) = match packet.kind {
            TrackKind::Video => (file.video.as_ref(), &mut file.last[0]),
            TrackKind::Audio => (file.audio.as_ref(), &mut file.last[1]),
        };
        let (Some(src), Some(pts)) = (src, packet.buffer.pts()) else { return };
        if packet.kind == TrackKind::Video {
            if file.codec.as_deref() != Some(codec_of(&packet.caps).as_str()) {
                file.is_outdated = true;
                return;
            }
            if handoff::queued(src) > BACKLOG {
                file.skipping = true;
            }
            if file.skipping && !(packet.is_keyframe() && handoff::queued(src) < BACKLOG / 2) {
                return;
            }
            file.skipping = false;
        } else if handoff::queued(src) > BACKLOG {
            return;
        }
        let Some(at) = pts.checked_sub(clock_time(self.order.place.origin)) else { return };
        // Muxers take no step back.
        if last.is_some_and(|last| at <= last) {
            return;
        }
        *last = Some(at);
        if src.caps().as_ref() != Some(&packet.caps) {
            src.set_caps(Some(&packet.caps));
        }
        let mut buffer = packet.buffer.clone();
        {
            let buffer = buffer.make_mut();
            buffer.set_pts(at);
            buffer.set_dts(at);
        }
        // Fails only when the file is over; the bus says why.
        let _ = src.push_buffer(buffer);
    }

    fn begin(&mut self, tracks: Tracks, picture: Option<gst::Caps>) -> Result<(), String> {
        let Place { folder, origin, .. } = &self.order.place;
        (self.order.check)()?;
        std::fs::create_dir_all(folder).map_err(|error| format!("the recording cannot begin: {error}"))?;
        let path = self.order.place.path().ok_or("the recording finds no name")?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (broke, broken) = channel();
        let pipeline = OwnedPipeline::new(&format!("iso-{name}")).works_as(Role::Deliver);
        pipeline.on_bus(move |news| match news {
            // The receiver is gone once the file is over.
            BusNews::Error { text, .. } => drop(broke.send(Some(text))),
            BusNews::Eos => drop(broke.send(None)),
            BusNews::Latency => {}
        });
        let bin = self.launches.bin("output-iso").map_err(|error| error.to_string())?;
        pipeline.pipeline().add(&bin).map_err(|error| error.to_string())?;
        let mux: gst::Element = pipeline.element("mux")?;
        pipeline.element::<gst::Element>("sink")?.set_property("location", path.to_string_lossy().into_owned());
        let codec = picture.filter(|_| tracks.video).map(|caps| codec_of(&caps));
        let parser: &[&str] = match codec.as_deref() {
            // In band, so that a sender may change the size of its picture.
            Some("video/x-h264") => &["h264parse", "capsfilter"],
            Some("video/x-vp9") => &["vp9parse"],
            _ => &[],
        };
        let source = |name: &str, elements: &[&str], pad: &str| -> Result<AppSrc, String> {
            let src = AppSrc::builder().name(name).build();
            handoff::configure_without_caps(&src);
            let mut chain = vec![src.clone().upcast::<gst::Element>()];
            for element in elements {
                let made = gst::ElementFactory::make(element).build().map_err(|error| error.to_string())?;
                if *element == "h264parse" {
                    made.set_property("config-interval", -1i32);
                }
                if *element == "capsfilter" {
                    let caps =
                        gst::Caps::builder("video/x-h264").field("stream-format", "avc3").field("alignment", "au");
                    made.set_property("caps", caps.build());
                }
                chain.push(made);
            }
            bin.add_many(&chain).map_err(|error| error.to_string())?;
            gst::Element::link_many(&chain).map_err(|error| error.to_string())?;
            let sink = mux.request_pad_simple(pad).ok_or("the muxer takes no such track")?;
            let out = chain.last().and_then(|last| last.static_pad("src")).ok_or("a parser without an end")?;
            keep_first_caps(&out);
            out.link(&sink).map_err(|error| error.to_string())?;
            Ok(src)
        };
        let video = if codec.is_some() { Some(source("video", parser, "video_%u")?) } else { None };
        let audio = if tracks.audio { Some(source("audio", &["opusparse"], "audio_%u")?) } else { None };
        pipeline.play().map_err(|_| "the recording cannot begin".to_owned())?;
        let from = media_clock().now().saturating_sub(*origin);
        self.order.sidecar.began(&self.order.owner, &name, from, (codec.clone(), audio.is_some()));
        let last = [None, None];
        let is_outdated = false;
        self.file =
            Some(File { name, from, path, pipeline, broken, video, audio, codec, is_outdated, skipping: true, last });
        Ok(())
    }

    /// What has ended the file that is being written.
    fn fault(&self) -> Option<String> {
        self.file.as_ref()?.broken.try_recv().ok().map(|text| text.unwrap_or_else(|| "the file ended".to_owned()))
    }

    fn count(&self) {
        let growing = self.file.as_ref().map_or(0, |file| size(&file.path));
        self.bytes.store(self.whole + growing, Ordering::Relaxed);
    }

    /// Ends the file whole.
    fn end(&mut self) {
        let Some(file) = self.file.take() else { return };
        for src in file.video.iter().chain(&file.audio) {
            // Fails only when the file is over.
            let _ = src.end_of_stream();
        }
        match file.broken.recv_timeout(FAREWELL) {
            Ok(None) => {}
            Ok(Some(error)) => warn!(file = file.name, error, "a recording of a participant was cut off"),
            Err(_) => warn!(file = file.name, "a recording of a participant takes long to end"),
        }
        drop(file.pipeline);
        let bytes = size(&file.path);
        self.whole += bytes;
        let until = media_clock().now().saturating_sub(self.order.place.origin);
        self.order.sidecar.ended(&file.name, until);
        let length = until.saturating_sub(file.from);
        (self.tell)(News::Finished { name: file.name, bytes, length });
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Lets a muxer hear of the first caps only: it takes no others, and what changes is said in band as well.
fn keep_first_caps(pad: &gst::Pad) {
    let told = std::sync::atomic::AtomicBool::new(false);
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let is_caps = info.event().is_some_and(|event| event.type_() == gst::EventType::Caps);
        match is_caps && told.swap(true, Ordering::Relaxed) {
            true => gst::PadProbeReturn::Drop,
            false => gst::PadProbeReturn::Ok,
        }
    });
}
