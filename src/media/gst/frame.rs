//! A decoded picture as stages hand it to each other.

use gstreamer_video as gst_video;

/// Mapped for reading: I420, or A420 with a mask as alpha. Holds its buffer for as long as it lives.
pub type VideoFrame = gst_video::VideoFrame<gst_video::video_frame::Readable>;
