//! Who is in the picture: the element `bodypix` and what it is made of.
//!
//! ```text
//!   I420 or NV12 frame ─► input (scale, RGB) ─► model (tract, or chain in it) ─► logits ─► mask (soft alpha)
//!              └──────────────────────────────────────────────────────────────────────────► A420, same frame
//! ```
//! Contract: the frame that leaves carries the mask computed from itself; colour planes are shared, never copied.
//! With `cutout=none` or without a model, frames pass untouched.
//! Failure: a model that cannot be loaded is an error of [`model::Model::load`]; an inference that fails posts an
//! element error. Threads: inference runs on the streaming thread that brought the frame, and at most as many run at
//! once as there are cores ([`model`]). Being late is the business of the leaky queue before the element.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! bodypix model=bodypix.onnx ! videoconvert ! autovideosink
//! ```

use gstreamer::{glib, prelude::*};

pub mod catalogue;
pub mod chain;
mod imp;
pub mod input;
pub mod mask;
pub mod model;
pub mod parts;
pub mod pool;
pub mod pose;
pub mod tfjs;

glib::wrapper! {
    /// The segmentation filter.
    pub struct BodyPix(ObjectSubclass<imp::BodyPix>)
        @extends gstreamer_base::BaseTransform, gstreamer::Element, gstreamer::Object;
}

/// Which part of the picture is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, glib::Enum)]
#[enum_type(name = "GstVirfieCutout")]
pub enum Cutout {
    /// The whole picture: frames pass untouched.
    #[enum_value(name = "The whole picture", nick = "none")]
    None,
    /// People; everything else becomes transparent.
    #[default]
    #[enum_value(name = "People", nick = "person")]
    Person,
}

/// Registers the element, in the process (`plugin` is `None`) or as part of a plugin.
///
/// # Errors
/// When GStreamer refuses the type.
pub fn register(plugin: Option<&gstreamer::Plugin>) -> Result<(), glib::BoolError> {
    gstreamer::Element::register(plugin, "bodypix", gstreamer::Rank::NONE, BodyPix::static_type())
}
