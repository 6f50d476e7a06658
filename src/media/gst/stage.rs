//! The error of whatever is made of GStreamer's elements.

use gstreamer::{self as gst, glib};

use super::launch::LaunchError;

/// The reason why a stage cannot be built or started, in one line. It is for the operator to mend: a launch text of
/// theirs does not fit, or a part of GStreamer is missing.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Its launch text cannot be used.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its launch text lacks an element that we speak to.
    #[error("the launch text has no element named '{0}'")]
    NoElement(String),
    /// Its launch text has something else under that name.
    #[error("'{name}' is a {found}, not a {wanted}")]
    WrongElement {
        /// Of the element.
        name: String,
        /// The type that it has.
        found: &'static str,
        /// The type that it should have.
        wanted: &'static str,
    },
    /// Its launch text leaves no pad open.
    #[error("the {stage} stage has no open {pad} pad")]
    NoOpenPad {
        /// Name of the stage.
        stage: &'static str,
        /// The pad.
        pad: &'static str,
    },
    /// An element has or gives no such pad, in these words.
    #[error("{0}")]
    NoPad(&'static str),
    /// An element is not installed, or does not go where it should.
    #[error(transparent)]
    Element(#[from] glib::BoolError),
    /// A text of ours that GStreamer does not understand.
    #[error("{}", .0.message())]
    Text(#[from] glib::Error),
    /// Two pads do not fit.
    #[error(transparent)]
    Link(#[from] gst::PadLinkError),
    /// An element does not start.
    #[error(transparent)]
    State(#[from] gst::StateChangeError),
}
