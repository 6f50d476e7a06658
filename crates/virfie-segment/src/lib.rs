//! Finds people in the picture: the element `bodypix` and its parts.
//!
//! ```text
//!   I420 or NV12 frame ─► input (scale, RGB) ─► model (tract, or chain in it) ─► logits ─► mask (soft alpha)
//!              └──────────────────────────────────────────────────────────────────────────► A420, same frame
//! ```
//! Contract: the frame that leaves carries the mask computed from itself. Its colour planes are shared, unless the old
//! background's colours are to be taken out of the edge (`spill`): then they are a copy that differs there. What
//! else was found, further masks and poses, travels with it as metadata ([`crate::gst::segmented`]). With
//! `cutout=none` or without a model, frames pass untouched. When the machine is late, the [`governor`] makes the
//! network's inputs smaller, then lets it see fewer frames, of everybody as many (`crowd`); the others get the last
//! mask, carried along ([`stream`]), and so does a frame that has waited too long for its turn ([`pool`]). At last
//! whole frames are left out, of those first who are shown smallest. A mask is carried only between frames that are
//! close together. People who are small in the picture are looked at through a `window`. What a network takes for
//! people by mistake is left out where keypoints show the mistake ([`doubt`]). Failure: a model that cannot be loaded is
//! an error of [`model::Model::load`]; an inference that fails posts an element error. Threads: inference runs on the
//! streaming thread that brought the frame, and at most as many run at once as there are cores ([`pool`]). Dropping
//! frames that come too fast is the business of the leaky queue before the element.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! bodypix model=bodypix.onnx ! videoconvert ! autovideosink
//! ```

use gstreamer::{glib, prelude::*, subclass::prelude::*};

pub use stream::MaskRequest;

pub mod catalogue;
pub mod chain;
mod crowd;
pub mod doubt;
pub mod governor;
pub mod grid;
pub mod gst;
mod imp;
pub mod input;
mod line;
pub mod mask;
pub mod model;
pub mod models;
pub mod parts;
pub mod pool;
pub mod pose;
mod spill;
pub mod stream;
pub mod tfjs;
mod window;

glib::wrapper! {
    /// The segmentation filter.
    pub struct BodyPix(ObjectSubclass<imp::BodyPix>)
        @extends gstreamer_base::BaseTransform, gstreamer::Element, gstreamer::Object;
}

impl BodyPix {
    /// Sets what is to be found in the frames from now on, in place of what the properties say. The process's governor
    /// then decides how many frames the network sees.
    pub fn wish(&self, wish: MaskRequest) {
        self.imp().set_wish(wish);
    }
}

/// Registers the element, in the process (`plugin` is `None`) or as part of a plugin.
///
/// # Errors
/// When GStreamer refuses the type.
pub fn register(plugin: Option<&gstreamer::Plugin>) -> Result<(), glib::BoolError> {
    gstreamer::Element::register(plugin, "bodypix", gstreamer::Rank::NONE, BodyPix::static_type())
}

/// Registers the element in the process, unless that is done. An installed plugin offers one of the same name, which is
/// another copy of this code: it has no model of ours and is not our type. Ours takes its place.
///
/// # Errors
/// When GStreamer refuses the type.
pub fn register_own() -> Result<(), glib::BoolError> {
    match gstreamer::ElementFactory::find("bodypix") {
        // An element of a process belongs to no plugin.
        Some(factory) if factory.plugin().is_none() => Ok(()),
        _ => register(None),
    }
}
