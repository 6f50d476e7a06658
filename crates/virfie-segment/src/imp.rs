//! The element's behaviour: I420 in, A420 out by appending one alpha memory; colour planes are never copied. NV12's
//! chroma is, because A420 wants it in two planes.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use gstreamer::{self as gst, glib, prelude::*, subclass::prelude::*};
use gstreamer_base::{
    prelude::*,
    subclass::{
        BaseTransformMode,
        base_transform::{InputBuffer, PrepareOutputBufferSuccess},
        prelude::*,
    },
};
use gstreamer_video::{self as gst_video, VideoFormat};
use parking_lot::Mutex;

use super::{
    input::{self, Yuv},
    model::{self, EMBEDDED, Model, ModelError, ModelSource},
    pool::{self, Seat},
    stream::{MaskRequest, Outcome, Stream},
};
use crate::gst::{
    clock::media_clock,
    segmented::{self, Found},
};

mod alpha;
mod settings;
mod way;

use alpha::{Seen, plane, split, with_alpha};
use settings::Settings;
use way::{Past, Way};

static CAT: LazyLock<gst::DebugCategory> =
    LazyLock::new(|| gst::DebugCategory::new("bodypix", gst::DebugColorFlags::empty(), Some("BodyPix segmentation")));

/// The state of a running stream.
#[derive(Default)]
struct State {
    model: Option<Arc<Model>>,
    info: Option<gst_video::VideoInfo>,
    /// Whether what leaves has alpha.
    masked: bool,
    stream: Option<Stream>,
    /// PTS of the frame that the last fresh masks are of.
    inferred: Option<gst::ClockTime>,
    past: Past,
}

#[derive(Debug, Default, Clone, Copy)]
struct Stats {
    last_ns: u64,
    inferred: u64,
    carried: u64,
    thinned: u64,
    total_ns: u64,
}

/// See [`super::BodyPix`].
#[derive(Default)]
pub struct BodyPix {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    stats: Mutex<Stats>,
    /// Among those of the process, while a room wishes something.
    seat: Mutex<Option<Seat>>,
}

/// Returns a frame's own time; of one that does not say it, the time now.
fn time_of(frame: &gst::BufferRef) -> Duration {
    frame.pts().map_or_else(|| media_clock().now(), Duration::from)
}

impl BodyPix {
    /// Sets what is to be found from now on, in place of the properties; the process's governor decides how many frames
    /// the network sees.
    pub(super) fn set_wish(&self, wish: MaskRequest) {
        match &mut *self.seat.lock() {
            Some(seat) => seat.show(wish.shown),
            seat => *seat = Some(Seat::new(wish.shown)),
        }
        self.change(|settings| settings.wish = Some(wish));
    }

    /// Changes a setting, and has caps negotiated again if frames get masks now and did not, or the other way round.
    fn change(&self, change: impl FnOnce(&mut Settings)) {
        let reconfigure = {
            let mut settings = self.settings.lock();
            let before = settings.masks();
            change(&mut settings);
            before != settings.masks()
        };
        if reconfigure {
            self.obj().reconfigure_src();
        }
    }

    /// Returns whether frames get a mask now.
    fn masks(&self) -> bool {
        self.settings.lock().masks() && self.state.lock().as_ref().is_none_or(|state| state.model.is_some())
    }

    /// Looks at a frame.
    fn find(&self, frame: &gst::BufferRef) -> Result<Seen, gst::FlowError> {
        let settings = self.settings.lock().clone();
        let mut wish = settings.wish().map_err(|error| self.misused(&error))?;
        let governed = settings.wish.is_some();
        let (info, masked, model, stream, past) = {
            let mut guard = self.state.lock();
            let state = guard.as_mut().ok_or(gst::FlowError::Flushing)?;
            let info = state.info.clone().ok_or(gst::FlowError::NotNegotiated)?;
            let Some(model) = state.model.clone().filter(|_| !wish.is_empty()) else {
                return Ok(Seen { found: None, colours: None, info, masked: state.masked });
            };
            // Taken out, so that no lock is held across the inference: settings and state stay readable meanwhile.
            (info, state.masked, model, state.stream.take(), state.past)
        };
        let now = time_of(frame);
        let every = if governed { settings.every.max(pool::plan().every) } else { settings.every };
        let way = if governed {
            // A room goes on with what its model can do.
            wish.poses &= model.has_poses();
            if !model.has_parts() {
                wish.cuts.iter_mut().for_each(|cut| cut.parts = None);
            }
            pool::segmented(input::spare_sizes(wish.area));
            wish.area = input::smaller_area(wish.area, pool::plan().shrinking);
            Way::Governed { now, past, every }
        } else {
            Way::Own { now, every }
        };
        let mut stream = stream.unwrap_or_else(|| Stream::new(model));
        let (outcome, took) = self.segment(&mut stream, frame, &info, &wish, way)?;
        self.count(&outcome, took);
        let mut guard = self.state.lock();
        let inferred = match guard.as_mut() {
            Some(state) => {
                state.stream = Some(stream);
                state.past.seen = Some(now);
                if outcome.fresh {
                    state.inferred = frame.pts();
                }
                if outcome.seen {
                    state.past.inferred = Some(now);
                    state.past.masks.step(now, every);
                }
                state.inferred
            }
            None => frame.pts(),
        };
        let found = Found { masks: outcome.masks, kept: outcome.kept, poses: outcome.poses, inferred };
        Ok(Seen { found: Some(found), colours: outcome.colours, info, masked })
    }

    /// Maps the frame and runs the stream on it. What came of it, and how long that took.
    fn segment(
        &self,
        stream: &mut Stream,
        frame: &gst::BufferRef,
        info: &gst_video::VideoInfo,
        wish: &MaskRequest,
        way: Way,
    ) -> Result<(Outcome, Duration), gst::FlowError> {
        let (width, height) = (info.width() as usize, info.height() as usize);
        let mapped =
            gst_video::VideoFrameRef::from_buffer_ref_readable(frame, info).map_err(|_| gst::FlowError::Error)?;
        let chroma = match info.format() {
            VideoFormat::Nv12 => Some(split(plane(&mapped, 1)?, width.div_ceil(2), height.div_ceil(2))),
            _ => None,
        };
        let (u, v) = match &chroma {
            Some((u, v)) => ((u.as_slice(), width.div_ceil(2)), (v.as_slice(), width.div_ceil(2))),
            None => (plane(&mapped, 1)?, plane(&mapped, 2)?),
        };
        let yuv = Yuv { width, height, y: plane(&mapped, 0)?, u, v };
        way.run(stream, &yuv, wish).map_err(|error| self.fail(&error))
    }

    /// Returns whether a frame is to be looked at, where frames are thinned.
    fn keeps(&self, frame: &gst::BufferRef) -> bool {
        let every = self.seat.lock().as_ref().map_or(1, Seat::frames_every);
        if every <= 1 || !self.masks() {
            return true;
        }
        let mut guard = self.state.lock();
        let Some(state) = guard.as_mut() else { return true };
        let now = time_of(frame);
        let keeps = state.past.kept.is_due(now, every);
        if keeps {
            state.past.kept.step(now, every);
        }
        drop(guard);
        self.stats.lock().thinned += u64::from(!keeps);
        keeps
    }

    fn count(&self, outcome: &Outcome, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let mut stats = self.stats.lock();
        if outcome.fresh {
            stats.last_ns = took;
            stats.inferred += 1;
        } else {
            stats.carried += 1;
        }
        stats.total_ns += took;
    }

    fn fail(&self, error: &ModelError) -> gst::FlowError {
        gst::element_imp_error!(self, gst::StreamError::Failed, ["{error}"]);
        gst::FlowError::Error
    }

    fn misused(&self, error: &settings::UnknownPart) -> gst::FlowError {
        gst::element_imp_error!(self, gst::LibraryError::Settings, ["{error}"]);
        gst::FlowError::Error
    }
}

#[glib::object_subclass]
impl ObjectSubclass for BodyPix {
    const NAME: &'static str = "GstVirfieBodyPix";
    // The plugin may be in a process that has this code already: GStreamer loads it to look into it where it cannot
    // start its scanner. The second to come gets a number behind its name.
    const ALLOW_NAME_CONFLICT: bool = true;
    type Type = super::BodyPix;
    type ParentType = gstreamer_base::BaseTransform;
}

impl ObjectImpl for BodyPix {
    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.change(|settings| settings.set(pspec.name(), value));
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = self.settings.lock().clone();
        let stats = *self.stats.lock();
        match pspec.name() {
            "inference-time" => stats.last_ns.to_value(),
            "masks" => stats.inferred.to_value(),
            "carried" => stats.carried.to_value(),
            "thinned" => stats.thinned.to_value(),
            "patience" => {
                let patience = self.seat.lock().as_ref().map_or(Duration::MAX, Seat::patience);
                u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX).to_value()
            }
            "total-time" => stats.total_ns.to_value(),
            name => settings.get(name),
        }
    }
}

impl GstObjectImpl for BodyPix {}

impl ElementImpl for BodyPix {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "BodyPix segmentation",
                "Filter/Effect/Video",
                "Makes everything but people transparent",
                "The Virfie authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = |formats: &[VideoFormat]| {
                gst_video::VideoCapsBuilder::new().format_list(formats.iter().copied()).build()
            };
            let sink = caps(&[VideoFormat::I420, VideoFormat::Nv12]);
            let src = caps(&[VideoFormat::A420, VideoFormat::I420, VideoFormat::Nv12]);
            [("sink", gst::PadDirection::Sink, sink), ("src", gst::PadDirection::Src, src)]
                .into_iter()
                .map(|(name, direction, caps)| {
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps)
                        .expect("name, direction and caps are constants that GStreamer accepts")
                })
                .collect()
        });
        &TEMPLATES
    }
}

impl BaseTransformImpl for BodyPix {
    const MODE: BaseTransformMode = BaseTransformMode::NeverInPlace;
    // Frames without a mask can carry poses.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.lock().clone();
        let wanted = settings.model.clone().or_else(|| {
            // In a pipeline of somebody else's, where no server chooses.
            (!model::is_chosen()).then(|| std::env::var("VIRFIE_MODEL").unwrap_or_else(|_| EMBEDDED.to_owned()))
        });
        let model = match wanted {
            Some(source) => {
                let source = if source == EMBEDDED { ModelSource::Embedded } else { ModelSource::File(source.into()) };
                let failed = |error: ModelError| gst::error_msg!(gst::LibraryError::Settings, ["{error}"]);
                Some(Model::from_source(&source).map_err(failed)?)
            }
            None => model::default(),
        };
        if model.is_none() {
            gst::warning!(CAT, imp = self, "no model: frames pass whole");
        }
        if let Some(model) = &model {
            // A room goes on with what its model can do; one who sets properties gets the error.
            let wish = settings.wish().map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ["{error}"]))?;
            let lacks_parts = wish.cuts.iter().any(|cut| cut.parts.is_some()) && !model.has_parts();
            if settings.wish.is_none() && (lacks_parts || wish.poses && !model.has_poses()) {
                let lack = if lacks_parts { "body parts" } else { "keypoints" };
                return Err(gst::error_msg!(
                    gst::LibraryError::Settings,
                    ["the model {} knows no {lack}", model.name()]
                ));
            }
        }
        *self.state.lock() = Some(State { model, ..State::default() });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.state.lock() = None;
        drop(self.seat.lock().take());
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        // With masks, both planar forms become A420; without, everything passes as it is.
        let masks = self.masks();
        let mut other = gst::Caps::new_empty();
        {
            let other = other.make_mut();
            for (fields, features) in caps.iter_with_features() {
                let mut fields = fields.to_owned();
                match (masks, direction) {
                    (true, gst::PadDirection::Sink) => fields.set("format", "A420"),
                    (true, _) => fields.set("format", gst::List::new(["I420", "NV12"])),
                    (false, _) => {}
                }
                other.append_structure_full(fields, Some(features.to_owned()));
            }
        }
        Some(match filter {
            Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
            None => other,
        })
    }

    fn set_caps(&self, incaps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = |caps: &gst::Caps| {
            gst_video::VideoInfo::from_caps(caps).map_err(|_| gst::loggable_error!(CAT, "caps without a picture size"))
        };
        let masked = info(outcaps)?.format() == VideoFormat::A420;
        let info = info(incaps)?;
        if let Some(state) = self.state.lock().as_mut() {
            state.info = Some(info);
            state.masked = masked;
            if let Some(stream) = &mut state.stream {
                stream.reset();
            }
        }
        Ok(())
    }

    fn unit_size(&self, caps: &gst::Caps) -> Option<usize> {
        gst_video::VideoInfo::from_caps(caps).ok().map(|info| info.size())
    }

    fn submit_input_buffer(&self, is_discont: bool, frame: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        if self.keeps(&frame) {
            self.parent_submit_input_buffer(is_discont, frame)
        } else {
            Ok(gstreamer_base::BASE_TRANSFORM_FLOW_DROPPED)
        }
    }

    fn prepare_output_buffer(&self, inbuf: InputBuffer<'_>) -> Result<PrepareOutputBufferSuccess, gst::FlowError> {
        let InputBuffer::Readable(frame) = inbuf else { return Err(gst::FlowError::Error) };
        let seen = self.find(frame)?;
        let mut out = if seen.masked { with_alpha(frame, &seen)? } else { frame.copy() };
        if let Some(found) = seen.found {
            segmented::attach(out.get_mut().ok_or(gst::FlowError::Error)?, found);
        }
        Ok(PrepareOutputBufferSuccess::Buffer(out))
    }

    fn transform(
        &self,
        _inbuf: &gst::Buffer,
        _outbuf: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // Everything is done: the output buffer was made with its mask.
        Ok(gst::FlowSuccess::Ok)
    }
}
