//! A decoded picture as stages hand it to each other.

use std::sync::Arc;

use gstreamer_video::{self as gst_video, prelude::*};

use super::segmented::{Found, found};

/// Mapped for reading: I420, or A420 with a mask as alpha. Holds its buffer for as long as it lives.
pub type VideoFrame = gst_video::VideoFrame<gst_video::video_frame::Readable>;

/// A decoded frame, and what segmentation found in it.
#[derive(Debug)]
pub struct Shot {
    /// The picture.
    pub frame: VideoFrame,
    /// `None`: it was not segmented.
    pub found: Option<Arc<Found>>,
    /// Whether nobody has been found in the pictures of the one who sends it for a while, so that a layer's cutout of
    /// them is empty.
    pub is_lost: bool,
}

impl From<VideoFrame> for Shot {
    fn from(frame: VideoFrame) -> Self {
        Self { found: found(frame.buffer()), frame, is_lost: false }
    }
}

impl Shot {
    /// Returns width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.frame.info().width(), self.frame.info().height())
    }
}
