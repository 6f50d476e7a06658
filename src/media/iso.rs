//! Recordings of what one participant sends, as it came: depayloaded, not encoded again, into Matroska; and beside
//! them, if that is wanted, of the person cut out of the picture.
//!
//! ```text
//!   frames, packets ─► recorder's thread: plan ─► appsrc ─► (parse) ─► matroskamux ─► a file per set of tracks
//!   decoded frames with masks ─► cutout's thread ─► appsrc ─► ProRes 4444 ─► qtmux ─► a file per size
//! ```
//! Contract: PTS in running time; timestamps in the files count from the recorder's `origin`, so that those of several
//! recorders of one origin lie on one time line. Threads: one `iso-…` or `cut-…` thread a recorder, and those of its
//! pipeline.
//! Failure: a recorder whose thread or disk does not keep up leaves frames out up to the next keyframe; a file that
//! cannot be written is reported once, and ends the recorder.

mod cutout;
mod delay;
mod plan;
mod sidecar;
mod writer;

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

pub use cutout::CutoutRecorder;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use plan::{IsoPlan, Step, Tracks};
pub use sidecar::{Owner, Sidecar};
use writer::{Form, Writer};

use crate::media::{
    gst::{
        clock::{clock_time, media_clock},
        handoff,
        launch::Launches,
        pipeline::named,
        priority::{self, Role},
        probe::LEFT_OUT,
        stage::StageError,
    },
    port::{Blame, OutputFault, TrackKind, iso_document::Content},
};

/// Of what comes as it came.
const MATROSKA: Form = Form { stage: "output-iso", ending: "mkv", role: Role::Deliver, finish: |_, _| Ok(()) };

/// Packets that may wait for the recorder's thread: some seconds of anybody's.
const WAITING: usize = 2048;

/// Most packets that wait for a file to begin: as long as a track is waited for, and some.
const GATHERED: usize = 1024;

/// Longest time for which the thread waits for a packet.
const LOOK: Duration = Duration::from_millis(250);

/// Packets that come late together may have one time, and are written a millisecond apart: muxers count in these, and
/// all that follows is made of it. So many of them are less than a picture.
const TOGETHER: gst::ClockTime = gst::ClockTime::from_mseconds(15);

/// Most that may wait for the disk, or for the next packet of a silent track, for which the muxer waits.
const BACKLOG: Duration = Duration::from_secs(plan::SILENT.as_secs() + 3);

/// The place where the files go.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder. Need not exist.
    pub folder: PathBuf,
    /// The beginning of all names.
    pub stem: String,
    /// Running time that is zero in the files.
    pub origin: Duration,
}

impl Place {
    /// Finds a name of this ending that no file has.
    fn path(&self, ending: &str) -> Option<PathBuf> {
        let mut names = (1..100_000).map(|count| {
            let again = if count == 1 { String::new() } else { format!("-{count}") };
            self.folder.join(format!("{}{again}.{ending}", self.stem))
        });
        names.find(|path| !path.exists())
    }
}

/// The order that a recorder works with.
#[derive(Clone)]
pub struct Order {
    /// Place of the files.
    pub place: Place,
    /// Owner of the files.
    pub owner: Owner,
    /// Notes them.
    pub sidecar: Arc<Sidecar>,
    /// Looks whether the disk has room.
    pub check: Arc<dyn Fn() -> Result<(), OutputFault> + Send + Sync>,
}

/// The reason why a recorder writes no more, in one line. It is for the operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum IsoError {
    /// The disk has no room.
    #[error("{}", .0.text)]
    NoRoom(OutputFault),
    /// The files have no folder.
    #[error("the recording cannot begin: {0}")]
    NoFolder(io::Error),
    /// Every name is taken.
    #[error("the recording finds no name")]
    NoName,
    /// The stage that writes the file cannot be built.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// It does not start.
    #[error("the recording cannot begin")]
    NotBegun,
    /// It gave up, in GStreamer's words.
    #[error("{0}")]
    Broken(String),
    /// It came to an end by itself.
    #[error("the file ended")]
    Ended,
}

impl From<IsoError> for OutputFault {
    fn from(error: IsoError) -> Self {
        match error {
            IsoError::NoRoom(fault) => fault,
            error => Self::last(Blame::Operator, error.to_string()),
        }
    }
}

/// The news of a recorder. Called on its thread; must not block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nothing can begin without a keyframe.
    NeedsKeyframe,
    /// It writes no more.
    Failed(OutputFault),
    /// A file is finished.
    Finished {
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
        /// Playing time.
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
    pub fn start(order: Order, launches: Launches, listener: impl Fn(News) + Send + 'static) -> std::io::Result<Self> {
        let (packets, received) = sync_channel(WAITING);
        let bytes = Arc::<AtomicU64>::default();
        let name = format!("iso-{}", order.place.stem);
        let writer = Writer::new(order, launches, MATROSKA, bytes.clone(), listener);
        let work = Work { writer, file: None };
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

/// The elements that lead into the file that is being written.
struct Feed {
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
    writer: Writer,
    file: Option<Feed>,
}

/// Names the codec of caps.
fn codec_of(caps: &gst::Caps) -> String {
    caps.structure(0).map(|fields| fields.name().to_string()).unwrap_or_default()
}

impl Work {
    fn work(mut self, received: &Receiver<Packet>) {
        priority::take(Role::Deliver);
        let mut plan = IsoPlan::default();
        // What came before its file has begun.
        let mut early: VecDeque<Packet> = VecDeque::new();
        self.writer.tell(News::NeedsKeyframe);
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
            if let Err(fault) = self.writer.look(now) {
                self.writer.tell(News::Failed(fault.into()));
                break;
            }
            match plan.step(now) {
                Step::Wait => {}
                Step::End => self.end(),
                Step::Begin(tracks) => {
                    let first =
                        |kind| early.iter().find(|packet| packet.kind == kind).map(|packet| packet.caps.clone());
                    if let Err(error) = self.begin(tracks, first(TrackKind::Video)) {
                        self.writer.tell(News::Failed(error.into()));
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
                self.writer.tell(News::NeedsKeyframe);
            }
        }
        self.end();
    }

    /// Returns whether the file has a track for it.
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
        let Some(at) = pts.checked_sub(clock_time(self.writer.origin())) else { return };
        // Muxers take no step back. One by a picture or more is that of pictures that are shown in another order, of
        // which no other is made.
        if last.is_some_and(|last| at + TOGETHER < last) {
            return;
        }
        let at = last.map_or(at, |last| at.max(last + gst::ClockTime::MSECOND));
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

    fn begin(&mut self, tracks: Tracks, picture: Option<gst::Caps>) -> Result<(), IsoError> {
        let codec = picture.filter(|_| tracks.video).map(|caps| codec_of(&caps));
        let parser: &[&str] = match codec.as_deref() {
            // In band, so that a sender may change the size of its picture.
            Some("video/x-h264") => &["h264parse", "capsfilter"],
            Some("video/x-vp9") => &["vp9parse"],
            _ => &[],
        };
        let content = Content { video: codec.clone(), audio: tracks.audio, cutout: false };
        let (video, audio) = self.writer.begin(self.now(), content, |bin| {
            let mux: gst::Element = named(bin, "mux")?;
            let video = if codec.is_some() { Some(source(bin, &mux, ("video", "video_%u"), parser)?) } else { None };
            let audio =
                if tracks.audio { Some(source(bin, &mux, ("audio", "audio_%u"), &["opusparse"])?) } else { None };
            Ok((video, audio))
        })?;
        self.file = Some(Feed { video, audio, codec, is_outdated: false, skipping: true, last: [None, None] });
        Ok(())
    }

    /// Returns the time, as files count it.
    fn now(&self) -> Duration {
        media_clock().now().saturating_sub(self.writer.origin())
    }

    /// Ends the file whole.
    fn end(&mut self) {
        let Some(file) = self.file.take() else { return };
        self.writer.end(file.video.iter().chain(&file.audio), self.now());
    }
}

/// Makes a source of this name that leads over these elements to such a pad of the muxer.
fn source(
    bin: &gst::Bin,
    mux: &gst::Element,
    (name, pad): (&str, &str),
    elements: &[&str],
) -> Result<AppSrc, StageError> {
    let src = AppSrc::builder().name(name).build();
    handoff::configure_without_caps(&src);
    let mut chain = vec![src.clone().upcast::<gst::Element>()];
    for element in elements {
        let made = gst::ElementFactory::make(element).build()?;
        if *element == "h264parse" {
            made.set_property("config-interval", -1i32);
        }
        if *element == "capsfilter" {
            let caps = gst::Caps::builder("video/x-h264").field("stream-format", "avc3").field("alignment", "au");
            made.set_property("caps", caps.build());
        }
        chain.push(made);
    }
    bin.add_many(&chain)?;
    gst::Element::link_many(&chain)?;
    let sink = mux.request_pad_simple(pad).ok_or(StageError::NoPad("the muxer takes no such track"))?;
    let out = chain.last().and_then(|last| last.static_pad("src"));
    let out = out.ok_or(StageError::NoPad("a parser without an end"))?;
    keep_first_caps(&out);
    out.link(&sink)?;
    Ok(src)
}

/// Lets a muxer hear of the first caps only: it takes no others, and what changes is said in band as well.
fn keep_first_caps(pad: &gst::Pad) {
    let told = std::sync::atomic::AtomicBool::new(false);
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let is_caps = info.event().is_some_and(|event| event.type_() == gst::EventType::Caps);
        match is_caps && told.swap(true, Ordering::Relaxed) {
            true => LEFT_OUT,
            false => gst::PadProbeReturn::Ok,
        }
    });
}
