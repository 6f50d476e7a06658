//! What probes on pads answer.

use gstreamer as gst;

/// The answer of a probe that leaves out what it was shown.
///
/// The bindings free a buffer whose probe says `Drop`, and GStreamer 1.22 would free it once more, with a critical
/// message. An event that is `Handled` would count as delivered.
pub fn left_out(info: &gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
    match info.data {
        Some(gst::PadProbeData::Buffer(_) | gst::PadProbeData::BufferList(_)) => gst::PadProbeReturn::Handled,
        _ => gst::PadProbeReturn::Drop,
    }
}
