//! The answers of probes on pads.

use gstreamer as gst;

/// The answer of a probe that leaves out what it was shown.
///
/// The bindings free what a probe drops, and GStreamer 1.22 would free it once more after `Drop`, with a critical message.
pub const LEFT_OUT: gst::PadProbeReturn = gst::PadProbeReturn::Handled;
