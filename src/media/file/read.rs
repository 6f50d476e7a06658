//! Frames out of a video file.

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use gstreamer_video::{self as gst_video, prelude::*};

use super::{
    Allowed, Colours, FileError, Heard, LOOK, MAX_CLIP_PIXELS, MAX_PIXELS, News, PATIENCE, Shape, Stop, decoder, head,
    setup, stage, stage_of,
};
use crate::media::gst::{
    frame::VideoFrame,
    launch::Launches,
    pipeline::{OwnedPipeline, named},
    priority::Role,
};

/// Longest time that the first frame of a file from somebody else may take. Others wait meanwhile, and of a damaged
/// file nothing may be heard: GST-1.22, decodebin drops an error that an element posts while it is being plugged.
const FIRST: Duration = Duration::from_secs(10);

/// A decoded picture of a video.
pub struct Frame {
    frame: VideoFrame,
    /// Moment at which it is shown, from the beginning of the file.
    pub pts: Duration,
    /// Time for which it is shown, if the file says so.
    pub duration: Option<Duration>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?})", self.pts)
    }
}

impl Frame {
    /// Returns the frame as stages hand it to each other.
    pub fn into_inner(self) -> VideoFrame {
        self.frame
    }

    /// Returns luma, blue and red difference with their strides in bytes; the differences have `ceil(width / 2)` x
    /// `ceil(height / 2)` samples.
    pub fn planes(&self) -> [(&[u8], usize); 3] {
        [0, 1, 2].map(|index| {
            let stride = self.frame.plane_stride()[index as usize];
            // An I420 frame has three planes; one that could not be mapped never became a frame.
            (self.frame.plane_data(index).unwrap_or_default(), usize::try_from(stride).unwrap_or_default())
        })
    }
}

/// An open video file.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    // Dropped, and so torn down, with the reader.
    owned: OwnedPipeline,
    sink: AppSink,
    news: Arc<News>,
    stop: Stop,
    shape: Shape,
    first: Option<gst::Sample>,
    last: Option<Duration>,
}

impl Reader {
    /// Opens a file and decodes its first frame.
    ///
    /// # Errors
    /// When it cannot be read, is no video, or is one for which no decoder is installed.
    pub fn open(path: &Path, stop: &Stop) -> Result<Self, FileError> {
        let any = |_: &[u8]| Some(Allowed::own(MAX_PIXELS));
        Self::open_through((path, Arc::new(())), stop, any, |owned| stage(owned, "file-frames"))
    }

    /// Opens a clip of a layout: its frames have the canvas's colours, and may be A420. `launches`: of the server. `kept`
    /// goes when all that decodes it is gone.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_clip(
        path: &Path,
        launches: &Launches,
        stop: &Stop,
        kept: Arc<dyn Any + Send + Sync>,
    ) -> Result<Self, FileError> {
        let clip = |head: &[u8]| Allowed::clip(head, MAX_CLIP_PIXELS);
        Self::open_through((path, kept), stop, clip, |owned| stage_of(owned, launches, "clip-frames"))
    }

    pub(super) fn open_through(
        (path, kept): (&Path, Arc<dyn Any + Send + Sync>),
        stop: &Stop,
        allowed: impl FnOnce(&[u8]) -> Option<Allowed>,
        stage: impl FnOnce(&OwnedPipeline) -> Result<gst::Bin, FileError>,
    ) -> Result<Self, FileError> {
        let allowed = allowed(&head(path)?).ok_or_else(|| FileError::NoVideo {
            path: path.into(),
            error: "it is not an MP4, QuickTime, WebM or Matroska file".into(),
        })?;
        crate::media::gst::init().map_err(setup)?;
        let owned = OwnedPipeline::new("file-read").works_as(Role::Decode).keeping(kept);
        let news = Arc::new(News::default());
        news.listen(&owned, allowed.is_foreign());
        let frames = stage(&owned)?;
        let entrance = frames.static_pad("sink").ok_or_else(|| setup("the frames have no sink"))?;
        let sink: AppSink = named(&frames, "frames").map_err(setup)?;
        keep_opaque(&entrance, &sink);
        decoder(&owned, path, allowed, &news, move |kind| kind.starts_with("video/").then(|| entrance.clone()))?;
        let nothing = Shape { width: 0, height: 0, rate: (0, 1), aspect: (1, 1), colours: Colours::Bt601 };
        let mut reader =
            Self { path: path.into(), owned, sink, news, stop: stop.clone(), shape: nothing, first: None, last: None };
        // What fails here is reported on the bus, in more words, and found by `pull`, as what fails a little later is.
        let _ = reader.owned.play();
        let first = reader.pull(if allowed.is_foreign() { FIRST } else { PATIENCE });
        let first = match first {
            Ok(Some(sample)) => sample,
            Err(FileError::Stopped) => return Err(FileError::Stopped),
            missing => {
                let has_said = reader.news.with(|heard| heard.error.is_some() || heard.unknown.is_some());
                return Err(match missing {
                    // Before anything of the file was looked at.
                    Err(error @ FileError::Setup(_)) if !has_said => error,
                    Err(FileError::Broken { error, .. }) => reader.no_video(Some(error)),
                    _ => reader.no_video(None),
                });
            }
        };
        reader.shape = shape(&first).ok_or_else(|| reader.broken("its frames have no size".into()))?;
        reader.first = Some(first);
        Ok(reader)
    }

    /// Begins again with the first frame.
    ///
    /// # Errors
    /// When the file's kind does not allow it.
    pub fn rewind(&mut self) -> Result<(), FileError> {
        (self.first, self.last) = (None, None);
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT;
        self.owned.pipeline().seek_simple(flags, gst::ClockTime::ZERO).map_err(|error| self.broken(error.to_string()))
    }

    /// Returns the size, rate and colours of all frames.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns whether there is sound that can be decoded.
    pub fn has_sound(&self) -> bool {
        self.news.with(|heard| heard.sound)
    }

    /// Returns how long the file says that it is.
    pub fn duration(&self) -> Option<Duration> {
        let duration: gst::ClockTime = self.owned.pipeline().query_duration()?;
        Some(Duration::from_nanos(duration.nseconds()))
    }

    /// Returns the next frame; `None` after the last one. Waits for it.
    ///
    /// # Errors
    /// When the file is damaged, its frames change their size, or [`Stop`] is set.
    #[allow(clippy::should_implement_trait, reason = "an iterator would go on after an error")]
    pub fn next(&mut self) -> Result<Option<Frame>, FileError> {
        loop {
            let sample = match self.first.take() {
                Some(sample) => Some(sample),
                None => self.pull(PATIENCE)?,
            };
            let Some(sample) = sample else { return Ok(None) };
            // Frames outside of the part that is to be shown have no time.
            if let Some(frame) = self.frame(&sample)? {
                self.last = Some(frame.pts);
                return Ok(Some(frame));
            }
        }
    }

    fn frame(&self, sample: &gst::Sample) -> Result<Option<Frame>, FileError> {
        let seen = shape(sample).ok_or_else(|| self.broken("a frame has no size".into()))?;
        let Shape { width, height, .. } = self.shape;
        if (seen.width, seen.height) != (width, height) {
            return Err(self.broken(format!(
                "after {:.1} s its frames change from {width}x{height} to {}x{}, which is not supported",
                self.last.unwrap_or_default().as_secs_f64(),
                seen.width,
                seen.height
            )));
        }
        let info = sample.caps().and_then(|caps| gst_video::VideoInfo::from_caps(caps).ok());
        let (Some(info), Some(buffer)) = (info, sample.buffer_owned()) else { return Ok(None) };
        let length = buffer.duration().map(|length| Duration::from_nanos(length.nseconds()));
        let (count, per) = self.shape.rate;
        let step = length.or_else(|| (count > 0).then(|| Duration::from_secs(1) * per / count));
        let pts = match buffer.pts() {
            Some(pts) => {
                let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
                let shown = segment.and_then(|segment| segment.to_running_time(pts));
                shown.map(|pts| Duration::from_nanos(pts.nseconds()))
            }
            None => Some(self.last.map_or(Duration::ZERO, |last| last + step.unwrap_or_default())),
        };
        let Some(pts) = pts else { return Ok(None) };
        let frame = VideoFrame::from_buffer_readable(buffer, &info)
            .map_err(|_| self.broken("a frame cannot be mapped".into()))?;
        Ok(Some(Frame { frame, pts, duration: step }))
    }

    fn pull(&self, patience: Duration) -> Result<Option<gst::Sample>, FileError> {
        let begun = Instant::now();
        loop {
            if self.stop.is_stopped() {
                return Err(FileError::Stopped);
            }
            let look = gst::ClockTime::from_mseconds(LOOK.as_millis() as u64);
            if let Some(sample) = self.sink.try_pull_sample(look) {
                return Ok(Some(sample));
            }
            let (error, nothing) = self.news.with(|heard| (heard.error.clone(), heard.all && !heard.video));
            if let Some(error) = error {
                return Err(self.broken(error));
            }
            // A pipeline that does not begin gives nothing, and may say nothing. Its sink is at its end, too.
            if self.owned.pipeline().state(gst::ClockTime::ZERO).0.is_err() {
                return Err(setup("GStreamer does not begin: an element refuses to, and does not say why"));
            }
            if nothing || self.sink.is_eos() {
                return Ok(None);
            }
            if begun.elapsed() > patience {
                return Err(self.broken(format!("it gives no frame for {} s", patience.as_secs())));
            }
        }
    }

    fn broken(&self, error: String) -> FileError {
        FileError::Broken { path: self.path.clone(), error }
    }

    /// Returns why there is no first frame.
    fn no_video(&self, otherwise: Option<String>) -> FileError {
        let error = self.news.with(|heard| match heard {
            Heard { error: Some(error), shut: true, .. } => error.clone(),
            Heard { unknown: Some(unknown), video: false, .. } => {
                format!("it holds {unknown}, for which there is no decoder")
            }
            Heard { sound: true, video: false, .. } => "it holds sound only".into(),
            Heard { error: Some(error), .. } => error.clone(),
            _ => otherwise.unwrap_or_else(|| "it holds no frame".into()),
        });
        FileError::NoVideo { path: self.path.clone(), error }
    }
}

/// Asks a stage for frames without alpha while what comes in has none. GST-1.22, videoconvert may choose A420 for
/// pictures that it must convert anyway, and fills its alpha with the middle value: they would be half transparent.
fn keep_opaque(entrance: &gst::Pad, sink: &AppSink) {
    let sink = sink.downgrade();
    entrance.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &info.data
            && let gst::EventView::Caps(caps) = event.view()
            && let Ok(video) = gst_video::VideoInfo::from_caps(caps.caps())
            && !video.format_info().has_alpha()
            && let Some(sink) = sink.upgrade()
        {
            let opaque = gst_video::VideoCapsBuilder::new().format(gst_video::VideoFormat::I420).build();
            sink.set_caps(Some(&opaque));
        }
        gst::PadProbeReturn::Ok
    });
}

fn shape(sample: &gst::Sample) -> Option<Shape> {
    let info = gst_video::VideoInfo::from_caps(sample.caps()?).ok()?;
    let part = |value: i32| u32::try_from(value).unwrap_or(0);
    let (rate, aspect) = (info.fps(), info.par());
    let bt709 = info.colorimetry().matrix() == gst_video::VideoColorMatrix::Bt709;
    Some(Shape {
        width: info.width() as usize,
        height: info.height() as usize,
        rate: (part(rate.numer()), part(rate.denom()).max(1)),
        aspect: (part(aspect.numer()).max(1), part(aspect.denom()).max(1)),
        colours: if bt709 { Colours::Bt709 } else { Colours::Bt601 },
    })
}
