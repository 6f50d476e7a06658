//! The composed frame at every size that is encoded: scaled once, when it is first asked for.

use gstreamer::{self as gst, prelude::*};
use tracing::warn;

use crate::media::{
    codec::Rendition,
    compose::{
        clock::{CanvasFormat, pool},
        planes::{Planes, PlanesMut},
        shrink::Shrinker,
    },
};

/// The facts that are known of one size.
#[derive(Debug, Default)]
struct Size {
    format: Option<CanvasFormat>,
    caps: Option<gst::Caps>,
    pool: Option<gst::BufferPool>,
    /// Of the frame that is handed out now.
    frame: Option<gst::Buffer>,
}

/// The sizes of the frame that was begun last.
#[derive(Debug, Default)]
pub(super) struct Renditions {
    shrinker: Shrinker,
    sizes: [Size; Rendition::ALL.len()],
    count: u64,
}

impl Renditions {
    /// Begins with the next composed frame.
    pub(super) fn begin(&mut self, frame: &gst::Buffer, format: CanvasFormat) {
        if self.sizes[0].format != Some(format) {
            self.fit(format);
        }
        self.sizes.iter_mut().for_each(|size| size.frame = None);
        self.sizes[0].frame = Some(frame.clone());
        self.count += 1;
    }

    fn fit(&mut self, canvas: CanvasFormat) {
        for (size, rendition) in self.sizes.iter_mut().zip(Rendition::ALL) {
            let (width, height, fps) = rendition.of((canvas.width, canvas.height, canvas.fps));
            let format = CanvasFormat { width, height, fps };
            *size = Size { format: Some(format), caps: Some(format.caps()), ..Size::default() };
        }
    }

    /// Returns the frame at this size, and its caps. `None` for a frame that this rendition leaves out, or without
    /// memory.
    pub(super) fn get(&mut self, rendition: Rendition) -> Option<(&gst::Buffer, &gst::Caps)> {
        if rendition == Rendition::Quarter && self.count.is_multiple_of(2) {
            return None;
        }
        for index in 1..=rendition.index() {
            if self.sizes[index].frame.is_none() {
                self.sizes[index].frame = Some(self.halved(index)?);
            }
        }
        let size = &self.sizes[rendition.index()];
        size.frame.as_ref().zip(size.caps.as_ref())
    }

    /// Returns the frame of the next larger size, halved.
    fn halved(&mut self, index: usize) -> Option<gst::Buffer> {
        let [larger, size] = self.sizes.get_disjoint_mut([index - 1, index]).ok()?;
        let (from, to) = (larger.format?, size.format?);
        if size.pool.is_none() {
            size.pool = pool(to).inspect_err(|error| warn!(%error, "the system gives no memory for a rendition")).ok();
        }
        let mut frame = size.pool.as_ref()?.acquire_buffer(None).ok()?;
        let source = larger.frame.as_ref()?;
        {
            let buffer = frame.get_mut()?;
            buffer.set_pts(source.pts());
            buffer.set_duration(gst::ClockTime::SECOND / u64::from(to.fps.max(1)));
            let read = source.map_readable().ok()?;
            let mut write = buffer.map_writable().ok()?;
            let planes = Planes::of_i420(read.as_slice(), from.width as usize, from.height as usize)?;
            let mut target = PlanesMut::of_i420(write.as_mut_slice(), to.width as usize, to.height as usize)?;
            self.shrinker.halve(&planes, &mut target);
        }
        Some(frame)
    }
}
