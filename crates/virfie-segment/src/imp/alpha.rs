//! Frames as the element reads and makes them: planes of one that comes, and one that leaves, with its mask as alpha.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer_video::{self as gst_video, VideoFormat, prelude::*};

use crate::gst::segmented::{self, Found, Plane};

/// A frame that was looked at.
pub(super) struct Seen {
    /// `None`: nothing was looked for.
    pub(super) found: Option<Found>,
    /// Colours in place of the frame's own: see [`crate::stream::Outcome::colours`].
    pub(super) colours: Option<Arc<Plane>>,
    pub(super) info: gst_video::VideoInfo,
    /// Whether it leaves with alpha.
    pub(super) masked: bool,
}

/// Returns a plane and its stride in bytes.
pub(super) fn plane<'a>(
    frame: &'a gst_video::VideoFrameRef<&'a gst::BufferRef>,
    index: u32,
) -> Result<(&'a [u8], usize), gst::FlowError> {
    let stride = usize::try_from(frame.plane_stride()[index as usize]).map_err(|_| gst::FlowError::Error)?;
    Ok((frame.plane_data(index).map_err(|_| gst::FlowError::Error)?, stride))
}

/// Returns NV12's interleaved chroma as two planes of `width` x `height` without padding.
pub(super) fn split((both, stride): (&[u8], usize), width: usize, height: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut u, mut v) = (Vec::with_capacity(width * height), Vec::with_capacity(width * height));
    for row in both.chunks(stride).take(height) {
        let pairs = row.chunks_exact(2).take(width);
        u.extend(pairs.clone().map(|pair| pair[0]));
        v.extend(pairs.map(|pair| pair[1]));
    }
    (u, v)
}

/// Returns both chroma planes of an NV12 frame, one behind the other, as a memory of their own.
fn planar_chroma(frame: &gst::BufferRef, info: &gst_video::VideoInfo) -> Result<gst::Memory, gst::FlowError> {
    let mapped = gst_video::VideoFrameRef::from_buffer_ref_readable(frame, info).map_err(|_| gst::FlowError::Error)?;
    let (width, height) = (info.width().div_ceil(2) as usize, info.height().div_ceil(2) as usize);
    let (mut planes, v) = split(plane(&mapped, 1)?, width, height);
    planes.extend(v);
    Ok(gst::Memory::from_mut_slice(planes))
}

/// Returns the frame as A420: its colours, and the first mask as alpha. Without a mask it is opaque.
pub(super) fn with_alpha(frame: &gst::BufferRef, seen: &Seen) -> Result<gst::Buffer, gst::FlowError> {
    let (width, height) = (seen.info.width() as usize, seen.info.height() as usize);
    let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
    let stride = |bytes: usize| i32::try_from(bytes).map_err(|_| gst::FlowError::Error);
    let meta = frame.meta::<gst_video::VideoMeta>();
    let (own_offsets, own_strides) = match &meta {
        Some(meta) => (meta.offset(), meta.stride()),
        None => (seen.info.offset(), seen.info.stride()),
    };
    let whole = frame.size();
    let mut kept = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS;
    // The colours' memory beside the frame's own, and where planes and alpha are.
    let (colours, offsets, strides) = match (&seen.colours, seen.info.format()) {
        (Some(colours), _) => {
            let (luma, chroma) = (width * height, columns * rows);
            let strides = [stride(width)?, stride(columns)?, stride(columns)?, stride(width)?];
            (Some(segmented::memory(colours)), [0, luma, luma + chroma, luma + 2 * chroma], strides)
        }
        (None, VideoFormat::Nv12) => {
            kept |= gst::BufferCopyFlags::MEMORY;
            let chroma = planar_chroma(frame, &seen.info)?;
            let offsets = [own_offsets[0], whole, whole + columns * rows, whole + chroma.size()];
            (Some(chroma), offsets, [own_strides[0], stride(columns)?, stride(columns)?, stride(width)?])
        }
        (None, _) => {
            kept |= gst::BufferCopyFlags::MEMORY;
            let offsets = [own_offsets[0], own_offsets[1], own_offsets[2], whole];
            (None, offsets, [own_strides[0], own_strides[1], own_strides[2], stride(width)?])
        }
    };
    let alpha = match seen.found.as_ref().and_then(|found| found.masks.first()) {
        Some((_, plane)) => segmented::memory(plane),
        None => gst::Memory::from_slice(vec![u8::MAX; width * height]),
    };
    let mut out = gst::Buffer::new();
    {
        let out = out.get_mut().ok_or(gst::FlowError::Error)?;
        frame.copy_into(out, kept, ..).map_err(|_| gst::FlowError::Error)?;
        if let Some(colours) = colours {
            out.append_memory(colours);
        }
        out.append_memory(alpha);
        let (flags, format) = (gst_video::VideoFrameFlags::empty(), VideoFormat::A420);
        gst_video::VideoMeta::add_full(out, flags, format, seen.info.width(), seen.info.height(), &offsets, &strides)
            .map_err(|_| gst::FlowError::Error)?;
    }
    Ok(out)
}
