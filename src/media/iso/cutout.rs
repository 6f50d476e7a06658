//! Recordings of the person whom segmentation cuts out of a participant's picture, for editors: ProRes 4444 with the
//! mask as straight alpha. Colours are those of the frame.
//!
//! Encoding takes much work, so that its threads come after all others, and frames for which there is no time are left
//! out. Frames without the mask of [`Cut::default`] are left out, too.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use gstreamer as gst;
use gstreamer_app::AppSrc;
use gstreamer_video::{self as gst_video, VideoFormat, prelude::*};

use super::{
    IsoError, LOOK, News, Order,
    delay::delay,
    plan,
    writer::{Form, Writer},
};
use crate::{
    layout::Cut,
    media::{
        gst::{
            clock::{clock_time, media_clock},
            frame::{Shot, VideoFrame},
            handoff,
            launch::Launches,
            pipeline::named,
            priority::{self, Role},
            segmented::Plane,
            stage::StageError,
        },
        port::iso_document::Content,
    },
};

/// The role is the least of all.
const PRORES: Form = Form { stage: "output-cutout", ending: "mov", role: Role::Segment, finish: delay };

/// Frames that may wait for the thread. Few: the decoder's memory waits with them.
const WAITING: usize = 2;

/// Most that may wait for the encoder.
const BACKLOG: Duration = Duration::from_millis(300);

/// Time for which a file's last frame is shown: without a length it would lie behind the file's end. The others are
/// until the next one.
const SHOWN: Duration = Duration::from_millis(33);

/// The shortest side that the muxer takes.
const LEAST: u32 = 16;

/// Shortest time for which a file has one size: a sender that changes it with every frame must not make a file of each.
/// What comes in another size before is left out.
const STEADY: Duration = Duration::from_secs(2);

/// A frame in which somebody was found.
struct Frame {
    buffer: gst::Buffer,
    info: gst_video::VideoInfo,
    mask: Arc<Plane>,
}

/// A recorder of one participant's cutout. Dropping it ends its file.
#[derive(Debug)]
pub struct CutoutRecorder {
    frames: SyncSender<Frame>,
    bytes: Arc<AtomicU64>,
}

impl CutoutRecorder {
    /// Starts one.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(order: Order, launches: Launches, listener: impl Fn(News) + Send + 'static) -> std::io::Result<Self> {
        let (frames, received) = sync_channel(WAITING);
        let bytes = Arc::<AtomicU64>::default();
        let name = format!("cut-{}", order.place.stem);
        let writer = Writer::new(order, launches, PRORES, bytes.clone(), listener);
        let work = Work { writer, file: None };
        std::thread::Builder::new().name(name).spawn(move || work.work(&received))?;
        Ok(Self { frames, bytes })
    }

    /// Takes a frame, if a person was looked for in it. One that it has no place for is left out.
    pub fn take(&self, shot: &Shot) {
        let masks = shot.found.iter().flat_map(|found| &found.masks);
        let Some((_, mask)) = masks.into_iter().find(|(cut, _)| *cut == Cut::default()) else { return };
        let (buffer, info) = (shot.frame.buffer_owned(), shot.frame.info().clone());
        // Full, or the thread is gone because it has failed.
        let _ = self.frames.try_send(Frame { buffer, info, mask: mask.clone() });
    }

    /// Counts what all its files hold.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The elements that lead into the file that is being written.
struct Feed {
    src: AppSrc,
    /// The form of its frames.
    form: gst_video::VideoInfo,
    /// Times after the origin: of the first frame, and of the last one.
    from: gst::ClockTime,
    last: gst::ClockTime,
    /// Moment at which the last one came.
    heard: Duration,
}

struct Work {
    writer: Writer,
    file: Option<Feed>,
}

impl Work {
    fn work(mut self, received: &Receiver<Frame>) {
        priority::take(Role::Segment);
        loop {
            let frame = match received.recv_timeout(LOOK) {
                Ok(frame) => Some(frame),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let now = media_clock().now();
            let done = self.writer.look(now).and_then(|()| frame.map_or(Ok(()), |frame| self.take(frame, now)));
            if let Err(fault) = done {
                self.writer.tell(News::Failed(fault.into()));
                break;
            }
            // As what is recorded beside it: a camera that was off begins another file.
            if self.file.as_ref().is_some_and(|file| now.saturating_sub(file.heard) >= plan::SILENT) {
                self.end();
            }
        }
        self.end();
    }

    fn take(&mut self, frame: Frame, now: Duration) -> Result<(), IsoError> {
        let Some(at) = frame.buffer.pts().and_then(|pts| pts.checked_sub(clock_time(self.writer.origin()))) else {
            return Ok(());
        };
        let Frame { buffer, info, mask } = frame;
        let is_planar = matches!(info.format(), VideoFormat::I420 | VideoFormat::A420);
        if !is_planar || info.width() < LEAST || info.height() < LEAST {
            return Ok(());
        }
        let form = cut_out(&info).map_err(StageError::from)?;
        if let Some(file) = self.file.as_mut().filter(|file| file.form != form) {
            file.heard = now;
            if at < file.from + clock_time(STEADY) {
                return Ok(());
            }
            self.end();
        }
        if let Some(file) = &mut self.file {
            file.heard = now;
            // Muxers take no step back.
            if at <= file.last || handoff::queued(&file.src) > BACKLOG {
                return Ok(());
            }
        }
        // Left out where an operator's own stage brings what it does not say.
        let frame = VideoFrame::from_buffer_readable(buffer, &info).ok();
        let Some(mut picture) = frame.and_then(|frame| with_alpha(&frame, &mask, &form)) else { return Ok(()) };
        if let Some(picture) = picture.get_mut() {
            picture.set_pts(at);
            picture.set_dts(at);
            picture.set_duration(clock_time(SHOWN));
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(begin(&mut self.writer, form, at, now)?),
        };
        file.last = at;
        // Fails only when the file is over; the bus says why.
        let _ = file.src.push_buffer(picture);
        Ok(())
    }

    /// Ends the file whole.
    fn end(&mut self) {
        let Some(file) = self.file.take() else { return };
        self.writer.end([&file.src], file.last.into());
    }
}

/// Begins a file of such frames, of which the first is at `from`.
fn begin(
    writer: &mut Writer,
    form: gst_video::VideoInfo,
    from: gst::ClockTime,
    now: Duration,
) -> Result<Feed, IsoError> {
    let caps = form.to_caps().map_err(StageError::from)?;
    let content = Content { video: Some("video/x-prores".to_owned()), audio: false, cutout: true };
    let src = writer.begin(from.into(), content, |bin| {
        let src: AppSrc = named(bin, "frames")?;
        handoff::configure(&src, &caps);
        // Of live sources the muxer waits for frames by the clock, on which times that count from the origin are long
        // past.
        src.set_is_live(false);
        Ok(src)
    })?;
    Ok(Feed { src, form, from, last: from, heard: now })
}

/// Returns what a frame is once it has its mask as alpha. Frames have no steady rate.
fn cut_out(frame: &gst_video::VideoInfo) -> Result<gst_video::VideoInfo, gst::glib::BoolError> {
    gst_video::VideoInfo::builder(VideoFormat::A420, frame.width(), frame.height())
        .colorimetry(&frame.colorimetry())
        .chroma_site(frame.chroma_site())
        .fps(gst::Fraction::new(0, 1))
        .build()
}

/// Copies the frame's colours, and the mask as its alpha, into memory of their own, so that the decoder's does not wait
/// for the encoder. `None`: a plane is smaller than it should be.
fn with_alpha(frame: &VideoFrame, mask: &Plane, form: &gst_video::VideoInfo) -> Option<gst::Buffer> {
    let mut buffer = gst::Buffer::with_size(form.size()).ok()?;
    {
        let mut map = buffer.get_mut()?.map_writable().ok()?;
        for plane in 0..4_u8 {
            let index = usize::from(plane);
            let (from, stride) = match plane {
                3 => (mask.as_ref(), mask.stride()),
                _ => (frame.plane_data(plane.into()).ok()?, usize::try_from(*frame.plane_stride().get(index)?).ok()?),
            };
            let (width, height) = (form.comp_width(plane) as usize, form.comp_height(plane) as usize);
            let to = map.get_mut(*form.offset().get(index)?..)?;
            let own_stride = usize::try_from(*form.stride().get(index)?).ok()?;
            for row in 0..height {
                let from = from.get(row * stride..)?.get(..width)?;
                to.get_mut(row * own_stride..)?.get_mut(..width)?.copy_from_slice(from);
            }
        }
    }
    Some(buffer)
}
