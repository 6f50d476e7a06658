//! Frames, and the sound of another file, into a video file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSrc, AppSrcCallbacks};
use gstreamer_video::{self as gst_video, prelude::*};

use super::{Allowed, Colours, FileError, News, PATIENCE, Shape, Stop, decoder, make, setup, stage};
use crate::media::gst::{
    clock::clock_time,
    pipeline::{OwnedPipeline, named},
};

/// Frames that wait for the encoder: so many that neither side waits for the other's slowest frame.
const WAITING: u64 = 8;

/// Shortest side of a frame, in pixels: a macroblock.
const SMALLEST: usize = 16;

/// The containers that a video can be written as. All hold H.264 and AAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MPEG-4.
    Mp4,
    /// QuickTime.
    Mov,
    /// Matroska.
    Mkv,
}

impl Container {
    /// The endings of names that say which.
    pub const ENDINGS: [(&str, Container); 4] =
        [("mp4", Self::Mp4), ("m4v", Self::Mp4), ("mov", Self::Mov), ("mkv", Self::Mkv)];

    /// Returns what a file of this name is written as.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, container)| *container)
    }

    fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4mux",
            Self::Mov => "qtmux",
            Self::Mkv => "matroskamux",
        }
    }
}

/// The file that a video goes into.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The file; one of this name is overwritten.
    pub path: &'a Path,
    /// Its name in errors.
    pub called: &'a Path,
    /// Its form.
    pub container: Container,
    /// A file whose sound goes into it.
    pub sound: Option<&'a Path>,
}

/// A video file that is being written. Dropped before [`Writer::finish`], it leaves a file that is of no use.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    called: PathBuf,
    owned: OwnedPipeline,
    frames: AppSrc,
    pool: gst_video::VideoBufferPool,
    info: gst_video::VideoInfo,
    shape: Shape,
    news: Arc<News>,
    stop: Stop,
}

impl Writer {
    /// Begins a file. Frames have the given shape; where its sides are odd, the file's are larger by one, because
    /// H.264 wants even ones.
    ///
    /// # Errors
    /// When the file cannot be made, the frames are too small or an element is missing.
    pub fn create(target: Target<'_>, shape: Shape, stop: &Stop) -> Result<Self, FileError> {
        let Target { path, called, container, sound } = target;
        if shape.width.min(shape.height) < SMALLEST {
            let Shape { width, height, .. } = shape;
            let error = format!("frames of {width}x{height} are too small for H.264: {SMALLEST}x{SMALLEST} at least");
            return Err(FileError::Broken { path: called.into(), error });
        }
        crate::media::gst::init().map_err(setup)?;
        let owned = OwnedPipeline::new("file-write");
        let news = Arc::new(News::default());
        news.listen(&owned, false);
        let muxer = make(&owned, container.muxer())?;
        let file = make(&owned, "filesink")?;
        file.set_property("location", path);
        file.set_property("async", false);
        muxer.link(&file).map_err(setup)?;

        let video = stage(&owned, "file-video")?;
        join(&owned, &video, &muxer, "video_%u")?;
        let frames: AppSrc = named(&video, "frames").map_err(setup)?;
        if let Some(sound) = sound {
            let stage = stage(&owned, "file-sound")?;
            join(&owned, &stage, &muxer, "audio_%u")?;
            let entrance = stage.static_pad("sink").ok_or_else(|| setup("file-sound has no sink"))?;
            let entrance = move |kind: &str| kind.starts_with("audio/").then(|| entrance.clone());
            // Its pictures are not decoded, and so have no size.
            let decode = decoder(&owned, sound, Allowed::own(u64::MAX), &Arc::default(), entrance)?;
            // Frames of this file would be decoded for nobody.
            decode.set_property("expose-all-streams", false);
            decode.set_property("caps", gst::Caps::new_empty_simple("audio/x-raw"));
        }

        let info = info(shape).ok_or_else(|| setup("these frames cannot be written"))?;
        let caps = info.to_caps().map_err(setup)?;
        frames.set_caps(Some(&caps));
        frames.set_format(gst::Format::Time);
        frames.set_max_buffers(WAITING);
        frames.set_max_bytes(0);
        let room = news.clone();
        frames.set_callbacks(AppSrcCallbacks::builder().need_data(move |_, _| room.with(|_| ())).build());
        let pool = gst_video::VideoBufferPool::new();
        let mut config = pool.config();
        config.set_params(Some(&caps), u32::try_from(info.size()).map_err(setup)?, 0, 0);
        pool.set_config(config).map_err(setup)?;
        pool.set_active(true).map_err(setup)?;

        let writer = Self {
            path: path.into(),
            called: called.into(),
            owned,
            frames,
            pool,
            info,
            shape,
            news,
            stop: stop.clone(),
        };
        match writer.owned.play() {
            Ok(()) => Ok(writer),
            Err(error) => Err(writer.broken(error.to_string())),
        }
    }

    /// Returns the size of the written frames, in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.info.width() as usize, self.info.height() as usize)
    }

    /// Appends a frame: luma, blue and red difference with their strides in bytes. Times must grow. Waits while the
    /// encoder has enough to do.
    ///
    /// # Errors
    /// When the file cannot be written, for instance because the disk is full, or [`Stop`] is set.
    ///
    /// # Panics
    /// If a plane is shorter than the shape and its stride say.
    pub fn push(
        &mut self,
        planes: [(&[u8], usize); 3],
        pts: Duration,
        duration: Option<Duration>,
    ) -> Result<(), FileError> {
        let begun = Instant::now();
        self.check()?;
        while self.frames.current_level_buffers() >= WAITING {
            self.news.doze();
            self.check()?;
            if begun.elapsed() > PATIENCE {
                return Err(self.broken(format!("nothing could be written for {} s", PATIENCE.as_secs())));
            }
        }
        let mut buffer = self.pool.acquire_buffer(None).map_err(setup)?;
        {
            let buffer = buffer.get_mut().ok_or_else(|| setup("a pool's buffer is shared"))?;
            buffer.set_pts(clock_time(pts));
            buffer.set_duration(duration.map(clock_time));
            let mut frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, &self.info)
                .map_err(|_| setup("a pool's buffer cannot be mapped"))?;
            for (index, (from, from_stride)) in planes.into_iter().enumerate() {
                let shift = usize::from(index > 0);
                let from_size = (self.shape.width.div_ceil(1 << shift), self.shape.height.div_ceil(1 << shift));
                let size = (frame.info().width() as usize >> shift, frame.info().height() as usize >> shift);
                let stride = usize::try_from(frame.plane_stride()[index]).unwrap_or_default();
                let to = frame.plane_data_mut(index as u32).map_err(setup)?;
                for (y, row) in to.chunks_mut(stride).take(size.1).enumerate() {
                    let line = &from[y.min(from_size.1 - 1) * from_stride..][..from_size.0];
                    row[..from_size.0].copy_from_slice(line);
                    row[from_size.0..size.0].fill(line[from_size.0 - 1]);
                }
            }
        }
        // It fails when the pipeline has failed, which the bus reports.
        let _ = self.frames.push_buffer(buffer);
        Ok(())
    }

    /// Ends the file. Only then is it of use.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub fn finish(self) -> Result<(), FileError> {
        let _ = self.frames.end_of_stream();
        let mut size = self.written();
        let mut grown = Instant::now();
        while !self.news.with(|heard| heard.ended) {
            self.check()?;
            self.news.doze();
            if self.written() != size {
                (size, grown) = (self.written(), Instant::now());
            }
            if grown.elapsed() > PATIENCE {
                return Err(self.broken(format!("nothing could be written for {} s", PATIENCE.as_secs())));
            }
        }
        // The file is closed here, so that the next one who asks finds it whole.
        self.owned.pipeline().set_state(gst::State::Null).map_err(|error| self.broken(error.to_string()))?;
        Ok(())
    }

    fn written(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |about| about.len())
    }

    fn check(&self) -> Result<(), FileError> {
        if self.stop.is_stopped() {
            return Err(FileError::Stopped);
        }
        match self.news.with(|heard| heard.error.clone()) {
            Some(error) => Err(self.broken(error)),
            None => Ok(()),
        }
    }

    fn broken(&self, error: String) -> FileError {
        FileError::Broken { path: self.called.clone(), error }
    }
}

/// Links a stage's end to a muxer. Its way out of the stage's bin is a ghost pad named `src`.
fn join(owned: &OwnedPipeline, stage: &gst::Bin, muxer: &gst::Element, pad: &str) -> Result<(), FileError> {
    debug_assert!(stage.parent().as_ref() == Some(owned.pipeline().upcast_ref()));
    stage.link_pads(Some("src"), muxer, Some(pad)).map_err(setup)
}

fn info(shape: Shape) -> Option<gst_video::VideoInfo> {
    let even = |side: usize| u32::try_from(side).ok()?.checked_next_multiple_of(2);
    let fraction = |(count, per): (u32, u32)| {
        Some(gst::Fraction::new(i32::try_from(count).ok()?, i32::try_from(per).ok().filter(|per| *per > 0)?))
    };
    let colours = match shape.colours {
        Colours::Bt601 => "bt601",
        Colours::Bt709 => "bt709",
    };
    gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, even(shape.width)?, even(shape.height)?)
        .fps(fraction(shape.rate)?)
        .par(fraction(shape.aspect)?)
        .colorimetry(&colours.parse().ok()?)
        .build()
        .ok()
}
