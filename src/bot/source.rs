//! The sources of bots: a file in a loop, or a moving test picture with a beep; encoded once for all of them.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use parking_lot::Mutex;
use tracing::warn;

use super::feed::{Listeners, Receivers};
use crate::media::{
    audio::desk::{Captured, Desk, Listener, Packet},
    encode::{EncodeError, Encoder, Recipe},
    gst::{
        clock::{clock_time, media_clock},
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        stage::StageError,
    },
    port::{Loudness, ParticipantId, PeerId, VideoCodec},
};

/// The media to send.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Any video (or picture) file that GStreamer plays; `None`: a test picture.
    pub video: Option<PathBuf>,
    /// Any audio file; `None`: a beep a second.
    pub audio: Option<PathBuf>,
    /// Picture size in pixels.
    pub size: (u32, u32),
    /// Frames a second.
    pub fps: u32,
    /// VP8 or H.264.
    pub codec: VideoCodec,
    /// Bits a second.
    pub bitrate: u32,
    /// Frequency of the beep in Hz.
    pub tone: f64,
    /// Whether the tone sounds without a pause.
    pub steady: bool,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            video: None,
            audio: None,
            size: (640, 360),
            fps: 30,
            codec: VideoCodec::Vp8,
            bitrate: 1_000_000,
            tone: 880.0,
            steady: false,
        }
    }
}

/// The reason why there is nothing to send, in one line. It is for who runs the bot to mend.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be opened.
    #[error("{}: {error}", file.display())]
    Unreadable {
        /// As given.
        file: PathBuf,
        /// Of the file system.
        error: io::Error,
    },
    /// A file, or the test picture, does not play.
    #[error("{}: {error}", file.display())]
    NotPlayed {
        /// As given.
        file: PathBuf,
        /// Of GStreamer.
        error: gst::StateChangeError,
    },
    /// The picture has no encoder.
    #[error(transparent)]
    Encoder(#[from] EncodeError),
    /// The player cannot be built.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The system gives no thread.
    #[error(transparent)]
    NoThread(io::Error),
}

/// Blocks of 20 ms in the test sound's loop, one second: a beep of a fifth of it, then silence.
const BEEP_PERIOD_BLOCKS: u64 = 50;

/// The one source of all bots of a process.
pub struct Source {
    codec: VideoCodec,
    encoder: Arc<Encoder>,
    receivers: Arc<Receivers>,
    listeners: Arc<Listeners>,
    _desk: Arc<Desk>,
    frames: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    _wake: Sender<()>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({})", self.codec)
    }
}

/// Packets of the desk to the bots' peers.
struct Packets(Arc<Listeners>);

impl Listener for Packets {
    fn block(&self, _samples: &[[f32; 2]; 960], _pts: Duration) {}
    fn loudness(&self, _loudness: Loudness) {}
    fn speaking(&self, _participant: &ParticipantId, _speaking: bool) {}
    fn packets(&self, shared: Option<Packet>, _own: Vec<(PeerId, Packet)>, pts: Duration) {
        if let Some(packet) = shared {
            self.0.send(&packet, pts);
        }
    }
}

/// Returns the strip that the source's sound goes on.
fn voice() -> ParticipantId {
    ParticipantId("voice".into())
}

impl Source {
    /// Starts playing.
    ///
    /// # Errors
    /// When a file is missing, is no media, or an element is not installed; in one line.
    pub fn start(config: &SourceConfig, launches: &Launches) -> Result<Self, SourceError> {
        for file in [&config.video, &config.audio].into_iter().flatten() {
            std::fs::File::open(file).map_err(|error| SourceError::Unreadable { file: file.clone(), error })?;
        }
        let receivers = Arc::new(Receivers::default());
        let listeners = Arc::new(Listeners::default());
        let packets = Arc::new(Packets(listeners.clone()));
        let desk = Arc::new(Desk::start("bot", packets).map_err(SourceError::NoThread)?);
        desk.open(&voice());
        // One ear for all: each peer hears the same.
        desk.listen(PeerId(0), None);
        let frames = Arc::new(AtomicU64::new(0));
        let (to, counted) = (receivers.clone(), frames.clone());
        let slot: Arc<Mutex<Weak<Encoder>>> = Arc::default();
        let own = slot.clone();
        let encoder = Arc::new(Encoder::start(
            "bot-encode",
            Recipe::Live { codec: config.codec, bitrate: config.bitrate, fps: config.fps },
            launches,
            move |unit| {
                counted.fetch_add(1, Ordering::Relaxed);
                if to.send(&unit)
                    && let Some(encoder) = own.lock().upgrade()
                {
                    encoder.request_keyframe();
                }
            },
            |error| warn!(%error, "the bot's encoder failed"),
        )?);
        *slot.lock() = Arc::downgrade(&encoder);
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, sleep) = channel();
        let play = Loop { config: config.clone(), encoder: encoder.clone(), desk: desk.clone(), stop: stop.clone() };
        // The first round is begun here, so that a file that is no media is said at once.
        let first = play.begin()?;
        std::thread::Builder::new()
            .name("bot-source".into())
            .spawn(move || play.go_on(first, &sleep))
            .map_err(SourceError::NoThread)?;
        Ok(Self { codec: config.codec, encoder, receivers, listeners, _desk: desk, frames, stop, _wake: wake })
    }

    /// Returns the codec of the encoding.
    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// Returns frames encoded so far.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Sends picture and sound to a peer from now on.
    pub fn feed(&self, peer: PeerId, video: Option<AppSrc>, audio: Option<AppSrc>) {
        if let Some(video) = video {
            self.receivers.add(peer, video);
            self.encoder.request_keyframe();
        }
        if let Some(audio) = audio {
            self.listeners.add(peer, audio);
        }
    }

    /// Notes that a peer asks for a keyframe.
    pub fn request_keyframe(&self) {
        self.encoder.request_keyframe();
    }

    /// Sends nothing more to a peer.
    pub fn starve(&self, peer: PeerId) {
        self.receivers.remove(peer);
        self.listeners.remove(peer);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Plays the files again and again.
struct Loop {
    config: SourceConfig,
    encoder: Arc<Encoder>,
    desk: Arc<Desk>,
    stop: Arc<AtomicBool>,
}

/// A pipeline that plays one file once (or generates without end), and its news.
struct Round {
    // Dropped, and so torn down, when the round is over.
    _owned: OwnedPipeline,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Video,
    Audio,
}

type RoundNews = (Kind, BusNews);

/// The files that are playing, and both ends of their news.
type Playing = (Vec<Round>, std::sync::mpsc::Receiver<RoundNews>, Sender<RoundNews>);

impl Loop {
    fn begin(&self) -> Result<Playing, SourceError> {
        let (tell, news) = channel();
        let rounds = vec![self.round(Kind::Video, &tell)?, self.round(Kind::Audio, &tell)?];
        Ok((rounds, news, tell))
    }

    fn go_on(self, (mut rounds, news, tell): Playing, wake: &std::sync::mpsc::Receiver<()>) {
        while !self.stop.load(Ordering::Relaxed) {
            if matches!(wake.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)) {
                return;
            }
            let Ok((kind, news)) = news.recv_timeout(Duration::from_millis(200)) else { continue };
            match news {
                BusNews::Eos => {
                    // A still is over at once: a round a frame is enough.
                    std::thread::sleep(Duration::from_secs(1) / self.config.fps.max(1));
                    rounds.retain(|round| round.kind != kind);
                    match self.round(kind, &tell) {
                        Ok(round) => rounds.push(round),
                        Err(error) => warn!(%error, "the source ends"),
                    }
                }
                BusNews::Error { element, text, .. } => {
                    warn!(%element, %text, "the source ends");
                    rounds.retain(|round| round.kind != kind);
                }
                BusNews::Latency => {}
            }
        }
    }

    fn round(&self, kind: Kind, tell: &Sender<RoundNews>) -> Result<Round, SourceError> {
        let owned = OwnedPipeline::new(if kind == Kind::Video { "bot-video" } else { "bot-audio" });
        // Each round counts from its own zero: frames are restamped where they are handed over.
        owned.pipeline().set_base_time(gst::ClockTime::ZERO);
        owned.pipeline().set_start_time(gst::ClockTime::ZERO);
        let tell = tell.clone();
        // The thread may be over already.
        owned.on_bus(move |news| drop(tell.send((kind, news))));
        let file = match kind {
            Kind::Video => self.config.video.as_deref(),
            Kind::Audio => self.config.audio.as_deref(),
        };
        let sink = match kind {
            Kind::Video => self.build_video(&owned, file)?,
            Kind::Audio => self.build_audio(&owned, file)?,
        };
        match kind {
            Kind::Video => self.take_frames(&sink),
            Kind::Audio => self.take_samples(&sink),
        }
        owned.play().map_err(|error| {
            let file = file.unwrap_or(Path::new("test picture")).to_owned();
            SourceError::NotPlayed { file, error }
        })?;
        Ok(Round { _owned: owned, kind })
    }

    fn build_video(&self, owned: &OwnedPipeline, file: Option<&Path>) -> Result<AppSink, StageError> {
        let head = match file {
            Some(_) => "filesrc name=file ! decodebin name=decode ! ",
            None => "videotestsrc name=test is-live=true pattern=ball motion=wavy background-color=0xff204060 ! ",
        };
        let text = format!(
            "{head} videoconvert n-threads=1 ! videoscale add-borders=true ! videorate ! capsfilter name=caps ! appsink name=out sync=true max-buffers=4"
        );
        let sink = parse(owned, &text, file)?;
        let (width, height) = self.config.size;
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", width as i32)
            .field("height", height as i32)
            .field("framerate", gst::Fraction::new(self.config.fps as i32, 1))
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1));
        owned.element::<gst::Element>("caps")?.set_property("caps", caps.build());
        Ok(sink)
    }

    fn build_audio(&self, owned: &OwnedPipeline, file: Option<&Path>) -> Result<AppSink, StageError> {
        let head = match file {
            Some(_) => "filesrc name=file ! decodebin name=decode ! ",
            None => "audiotestsrc name=test is-live=true samplesperbuffer=960 volume=0.2 ! ",
        };
        let text = format!(
            "{head} audioconvert ! audioresample ! audio/x-raw,format=F32LE,rate=48000,channels=1,layout=interleaved ! appsink name=out sync=true max-buffers=20"
        );
        let sink = parse(owned, &text, file)?;
        if file.is_none() {
            owned.element::<gst::Element>("test")?.set_property("freq", self.config.tone);
        }
        Ok(sink)
    }

    fn take_frames(&self, sink: &AppSink) {
        let encoder = self.encoder.clone();
        sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    if let (Some(mut frame), Some(caps)) = (sample.buffer_owned(), sample.caps()) {
                        {
                            let frame = frame.make_mut();
                            frame.set_pts(clock_time(media_clock().now()));
                            frame.set_dts(gst::ClockTime::NONE);
                        }
                        encoder.push(&frame, &caps.to_owned());
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }

    fn take_samples(&self, sink: &AppSink) {
        let desk = self.desk.clone();
        let beeping = self.config.audio.is_none() && !self.config.steady;
        let blocks = AtomicU64::new(0);
        let voice = voice();
        sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    let Some(map) = sample.buffer().and_then(|buffer| buffer.map_readable().ok()) else {
                        return Ok(gst::FlowSuccess::Ok);
                    };
                    let mut samples: Vec<f32> = map
                        .as_slice()
                        .chunks_exact(4)
                        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                        .collect();
                    let block = blocks.fetch_add(1, Ordering::Relaxed) % BEEP_PERIOD_BLOCKS;
                    if beeping && block >= BEEP_PERIOD_BLOCKS / 5 {
                        samples.fill(0.0);
                    }
                    desk.push(&voice, &samples, Captured::default());
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }
}

fn parse(owned: &OwnedPipeline, text: &str, file: Option<&Path>) -> Result<AppSink, StageError> {
    let bin = gst::parse::bin_from_description(text, false)?;
    owned.pipeline().add(&bin)?;
    if let Some(file) = file {
        owned.element::<gst::Element>("file")?.set_property("location", file);
    }
    owned.element("out")
}
