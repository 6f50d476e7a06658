//! The element `bodypix` as a GStreamer plugin: `libgstbodypix.so`, for any `gst-launch-1.0` line.
#![allow(missing_docs)]

use gstreamer as gst;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
    virfie_segment::register(Some(plugin))
}

gst::plugin_define!(
    bodypix,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    env!("CARGO_PKG_VERSION"),
    "MIT/X11",
    "virfie",
    "virfie",
    "virfie",
    "2026-11-23"
);
