//! Pushing into an `appsrc` without letting it decide what to drop.
//!
//! GST-1.22: ae6ac2a659, remove at 1.26: a leaky `appsrc` that holds a shared buffer frees it and goes on reading it.
//! So every `appsrc` of ours is unlimited and not leaky, and the pusher looks at its level before it pushes.

use std::time::Duration;

use gstreamer as gst;
use gstreamer_app::AppSrc;

/// Returns how much is waiting in an `appsrc`.
pub fn queued(src: &AppSrc) -> Duration {
    Duration::from_nanos(src.current_level_time().nseconds())
}

/// Makes an `appsrc` live, unlimited and never blocking.
pub fn configure(src: &AppSrc, caps: &gst::Caps) {
    src.set_caps(Some(caps));
    configure_without_caps(src);
}

/// Does the same for one that gets its caps with the first buffer.
pub fn configure_without_caps(src: &AppSrc) {
    src.set_format(gst::Format::Time);
    src.set_is_live(true);
    src.set_block(false);
    src.set_max_bytes(0);
    src.set_max_buffers(0);
    src.set_max_time(gst::ClockTime::ZERO);
    src.set_leaky_type(gstreamer_app::AppLeakyType::None);
    src.set_min_latency(0);
}
