//! The element's behaviour: I420 in, A420 out by appending one alpha memory; colour planes are never copied. NV12's
//! chroma is, because A420 wants it in two planes.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Instant,
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
use gstreamer_video::{self as gst_video, VideoFormat, prelude::*};

use super::{
    Cutout,
    input::Yuv,
    mask::{MaskMaker, MaskOptions},
    model::{self, Model, Needs, Session},
    pool::Turn,
};

static CAT: LazyLock<gst::DebugCategory> =
    LazyLock::new(|| gst::DebugCategory::new("bodypix", gst::DebugColorFlags::empty(), Some("BodyPix segmentation")));

/// Every mask fresh.
const DEFAULT_EVERY: u32 = 1;

/// What the user sets.
#[derive(Debug, Clone)]
struct Settings {
    model: Option<PathBuf>,
    cutout: Cutout,
    mask: MaskOptions,
    every: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: None, cutout: Cutout::default(), mask: MaskOptions::default(), every: DEFAULT_EVERY }
    }
}

/// What a running stream needs.
struct State {
    model: Option<Arc<Model>>,
    info: Option<gst_video::VideoInfo>,
    session: Option<Session>,
    maker: MaskMaker,
    last: Option<gst::Memory>,
    since_mask: u32,
}

#[derive(Debug, Default, Clone, Copy)]
struct Stats {
    inference_ns: u64,
    masks: u64,
    total_ns: u64,
}

/// See [`super::BodyPix`].
#[derive(Default)]
pub struct BodyPix {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    stats: Mutex<Stats>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A plane and its stride in bytes.
fn plane<'a>(
    frame: &'a gst_video::VideoFrameRef<&'a gst::BufferRef>,
    index: u32,
) -> Result<(&'a [u8], usize), gst::FlowError> {
    let stride = usize::try_from(frame.plane_stride()[index as usize]).map_err(|_| gst::FlowError::Error)?;
    Ok((frame.plane_data(index).map_err(|_| gst::FlowError::Error)?, stride))
}

/// NV12's interleaved chroma as two planes of `width` x `height` without padding.
fn split((both, stride): (&[u8], usize), width: usize, height: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut u, mut v) = (Vec::with_capacity(width * height), Vec::with_capacity(width * height));
    for row in both.chunks(stride).take(height) {
        let pairs = row.chunks_exact(2).take(width);
        u.extend(pairs.clone().map(|pair| pair[0]));
        v.extend(pairs.map(|pair| pair[1]));
    }
    (u, v)
}

/// Both chroma planes of an NV12 frame, one behind the other, as a memory of their own.
fn planar_chroma(frame: &gst::BufferRef, info: &gst_video::VideoInfo) -> Result<gst::Memory, gst::FlowError> {
    let mapped = gst_video::VideoFrameRef::from_buffer_ref_readable(frame, info).map_err(|_| gst::FlowError::Error)?;
    let (width, height) = (info.width().div_ceil(2) as usize, info.height().div_ceil(2) as usize);
    let (mut planes, v) = split(plane(&mapped, 1)?, width, height);
    planes.extend(v);
    Ok(gst::Memory::from_mut_slice(planes))
}

impl BodyPix {
    /// Whether frames get a mask now.
    fn masks(&self) -> bool {
        lock(&self.settings).cutout == Cutout::Person
            && lock(&self.state).as_ref().is_none_or(|state| state.model.is_some())
    }

    /// The alpha memory for a frame: computed from it, or the last one when `every` says so.
    fn alpha(&self, frame: &gst::BufferRef) -> Result<(gst::Memory, gst_video::VideoInfo), gst::FlowError> {
        let settings = lock(&self.settings).clone();
        let mut guard = lock(&self.state);
        let state = guard.as_mut().ok_or(gst::FlowError::Flushing)?;
        let info = state.info.clone().ok_or(gst::FlowError::NotNegotiated)?;
        let model = state.model.clone().ok_or(gst::FlowError::NotNegotiated)?;
        let (width, height) = (info.width() as usize, info.height() as usize);
        state.since_mask += 1;
        if state.since_mask < settings.every
            && let Some(last) = &state.last
        {
            return Ok((last.clone(), info));
        }
        if state.session.as_ref().is_none_or(|session| session.frame() != (width, height)) {
            state.session = Some(model.session((width, height), Needs::default()).map_err(|error| self.fail(&error))?);
        }
        // Taken out, so that no lock is held across the inference: settings and state stay readable meanwhile.
        let (Some(mut session), mut maker) = (state.session.take(), std::mem::take(&mut state.maker)) else {
            return Err(gst::FlowError::Error);
        };
        drop(guard);

        let begun = Instant::now();
        let mapped =
            gst_video::VideoFrameRef::from_buffer_ref_readable(frame, &info).map_err(|_| gst::FlowError::Error)?;
        let luma = plane(&mapped, 0)?;
        let chroma = match info.format() {
            VideoFormat::Nv12 => Some(split(plane(&mapped, 1)?, width.div_ceil(2), height.div_ceil(2))),
            _ => None,
        };
        let (u, v) = match &chroma {
            Some((u, v)) => ((u.as_slice(), width.div_ceil(2)), (v.as_slice(), width.div_ceil(2))),
            None => (plane(&mapped, 1)?, plane(&mapped, 2)?),
        };
        let yuv = Yuv { width, height, y: luma, u, v };
        let turn = Turn::take();
        let heads = session.run(&yuv).map_err(|error| self.fail(&error))?;
        let mut alpha = gst::Memory::with_size(width * height);
        {
            let writable = alpha.get_mut().ok_or(gst::FlowError::Error)?;
            let mut map = writable.map_writable().map_err(|_| gst::FlowError::Error)?;
            maker.make(heads.segments, heads.grid, &yuv, settings.mask, map.as_mut_slice(), width);
        }
        drop(turn);
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        {
            let mut stats = lock(&self.stats);
            stats.inference_ns = took;
            stats.masks += 1;
            stats.total_ns += took;
        }
        if let Some(state) = lock(&self.state).as_mut() {
            state.session = Some(session);
            state.maker = maker;
            state.since_mask = 0;
            state.last = Some(alpha.clone());
        }
        Ok((alpha, info))
    }

    fn fail(&self, error: &model::ModelError) -> gst::FlowError {
        gst::element_imp_error!(self, gst::StreamError::Failed, ["{error}"]);
        gst::FlowError::Error
    }
}

#[glib::object_subclass]
impl ObjectSubclass for BodyPix {
    const NAME: &'static str = "GstVirfieBodyPix";
    type Type = super::BodyPix;
    type ParentType = gstreamer_base::BaseTransform;
}

impl ObjectImpl for BodyPix {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                glib::ParamSpecString::builder("model")
                    .nick("Model")
                    .blurb("ONNX file of the network; unset: the process's model, or $VIRFIE_MODEL")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("cutout", Cutout::default())
                    .nick("Cutout")
                    .blurb("What is kept of the picture")
                    .mutable_playing()
                    .build(),
                glib::ParamSpecFloat::builder("threshold")
                    .nick("Threshold")
                    .blurb("Probability of being a person at which a pixel is half transparent")
                    .minimum(0.05)
                    .maximum(0.95)
                    .default_value(MaskOptions::default().threshold)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecFloat::builder("feather")
                    .nick("Feather")
                    .blurb("Softness of the edge, from hard to a veil")
                    .minimum(0.0)
                    .maximum(1.0)
                    .default_value(MaskOptions::default().feather)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecFloat::builder("smoothing")
                    .nick("Smoothing")
                    .blurb("Share of the last mask that stays where nothing moves")
                    .minimum(0.0)
                    .maximum(0.95)
                    .default_value(MaskOptions::default().smoothing)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt::builder("every")
                    .nick("Every")
                    .blurb("Compute a mask on every n-th frame and keep the last one in between")
                    .minimum(1)
                    .maximum(60)
                    .default_value(DEFAULT_EVERY)
                    .mutable_playing()
                    .build(),
                glib::ParamSpecUInt64::builder("inference-time")
                    .nick("Inference time")
                    .blurb("Time of the last mask, from frame to alpha, in nanoseconds")
                    .read_only()
                    .build(),
                glib::ParamSpecUInt64::builder("masks").nick("Masks").blurb("Masks computed").read_only().build(),
                glib::ParamSpecUInt64::builder("total-time")
                    .nick("Total time")
                    .blurb("Time of all masks together, in nanoseconds")
                    .read_only()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut reconfigure = false;
        {
            // GObject has checked the value's type and range against the specs above.
            let mut settings = lock(&self.settings);
            match pspec.name() {
                "model" => settings.model = value.get::<Option<String>>().ok().flatten().map(PathBuf::from),
                "cutout" => {
                    let cutout = value.get().unwrap_or_default();
                    reconfigure = settings.cutout != cutout;
                    settings.cutout = cutout;
                }
                "threshold" => settings.mask.threshold = value.get().unwrap_or(settings.mask.threshold),
                "feather" => settings.mask.feather = value.get().unwrap_or(settings.mask.feather),
                "smoothing" => settings.mask.smoothing = value.get().unwrap_or(settings.mask.smoothing),
                "every" => settings.every = value.get().unwrap_or(settings.every),
                _ => {}
            }
        }
        if reconfigure {
            self.obj().reconfigure_src();
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings).clone();
        let stats = *lock(&self.stats);
        match pspec.name() {
            "model" => settings.model.map(|path| path.to_string_lossy().into_owned()).to_value(),
            "cutout" => settings.cutout.to_value(),
            "threshold" => settings.mask.threshold.to_value(),
            "feather" => settings.mask.feather.to_value(),
            "smoothing" => settings.mask.smoothing.to_value(),
            "every" => settings.every.to_value(),
            "inference-time" => stats.inference_ns.to_value(),
            "masks" => stats.masks.to_value(),
            _ => stats.total_ns.to_value(),
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
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let wanted = lock(&self.settings).model.clone();
        let wanted = wanted.or_else(|| {
            model::default().is_none().then(|| std::env::var_os("VIRFIE_MODEL").map(PathBuf::from)).flatten()
        });
        let model = match wanted {
            Some(path) => {
                Some(Model::load(&path).map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ["{error}"]))?)
            }
            None => model::default(),
        };
        if model.is_none() {
            gst::warning!(CAT, imp = self, "no model: frames pass whole");
        }
        *lock(&self.state) =
            Some(State { model, info: None, session: None, maker: MaskMaker::default(), last: None, since_mask: 0 });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = None;
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

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "caps without a picture size"))?;
        if let Some(state) = lock(&self.state).as_mut() {
            state.info = Some(info);
            state.last = None;
            state.maker.reset();
        }
        Ok(())
    }

    fn unit_size(&self, caps: &gst::Caps) -> Option<usize> {
        gst_video::VideoInfo::from_caps(caps).ok().map(|info| info.size())
    }

    fn prepare_output_buffer(&self, inbuf: InputBuffer<'_>) -> Result<PrepareOutputBufferSuccess, gst::FlowError> {
        let InputBuffer::Readable(frame) = inbuf else { return Err(gst::FlowError::Error) };
        if self.obj().is_passthrough() {
            return Ok(PrepareOutputBufferSuccess::InputBuffer);
        }
        let (alpha, info) = self.alpha(frame)?;
        let (mut offsets, mut strides) = ([0usize; 4], [0i32; 4]);
        let meta = frame.meta::<gst_video::VideoMeta>();
        let (own_offsets, own_strides) = match &meta {
            Some(meta) => (meta.offset(), meta.stride()),
            None => (info.offset(), info.stride()),
        };
        // As many as the format has planes: three, or two of NV12.
        for (to, from) in offsets.iter_mut().zip(own_offsets) {
            *to = *from;
        }
        for (to, from) in strides.iter_mut().zip(own_strides) {
            *to = *from;
        }
        let planar = match info.format() {
            VideoFormat::Nv12 => Some(planar_chroma(frame, &info)?),
            _ => None,
        };
        let (width, chroma) = (info.width().div_ceil(2), frame.size());
        if planar.is_some() {
            strides[1] = i32::try_from(width).map_err(|_| gst::FlowError::Error)?;
            strides[2] = strides[1];
            offsets[1] = chroma;
            offsets[2] = chroma + (width * info.height().div_ceil(2)) as usize;
        }
        offsets[3] = chroma + planar.as_ref().map_or(0, |planar| planar.size());
        strides[3] = i32::try_from(info.width()).map_err(|_| gst::FlowError::Error)?;
        let mut out = gst::Buffer::new();
        {
            let out = out.get_mut().ok_or(gst::FlowError::Error)?;
            let copied = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::MEMORY;
            frame.copy_into(out, copied, ..).map_err(|_| gst::FlowError::Error)?;
            if let Some(planar) = planar {
                out.append_memory(planar);
            }
            out.append_memory(alpha);
            gst_video::VideoMeta::add_full(
                out,
                gst_video::VideoFrameFlags::empty(),
                VideoFormat::A420,
                info.width(),
                info.height(),
                &offsets,
                &strides,
            )
            .map_err(|_| gst::FlowError::Error)?;
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
