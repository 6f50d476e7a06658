//! Pictures are looked at before they go into decoders: how large they are, and where one of VP9 ends. A decoder takes
//! its memory before it reports the size.

use gstreamer::{self as gst, prelude::*};
use parking_lot::Mutex;

mod size;

use size::{Sizes, vp9::index_of_one};

use crate::media::gst::probe::LEFT_OUT;

/// The data that passes a pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// The form of the stream from now on.
    Caps,
    /// A picture, or a part of one.
    Picture,
    /// Anything else that goes downstream in turn.
    Other,
}

/// Shows `refuses` all that passes the pad, with the largest size that it announces: in caps, in the headers beside
/// them, or in a picture's own. What `refuses` answers by `true` is left out.
pub fn on_pictures(pad: &gst::Pad, refuses: impl Fn(Passing, Option<(u32, u32)>) -> bool + Send + Sync + 'static) {
    let sizes = Mutex::new(None::<Sizes>);
    let what = gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(what, move |_, info| {
        let mut sizes = sizes.lock();
        let (passing, size) = match &info.data {
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                gst::EventView::Caps(caps) => {
                    let (beside, size) = begun(caps.caps());
                    *sizes = beside;
                    (Passing::Caps, size)
                }
                _ => (Passing::Other, None),
            },
            Some(gst::PadProbeData::Buffer(buffer)) => (Passing::Picture, size_in(&mut sizes, buffer)),
            Some(gst::PadProbeData::BufferList(list)) => {
                let size = list.iter().filter_map(|buffer| size_in(&mut sizes, buffer)).max_by_key(pixels);
                (Passing::Picture, size)
            }
            _ => (Passing::Other, None),
        };
        if refuses(passing, size) { LEFT_OUT } else { gst::PadProbeReturn::Ok }
    });
}

/// Has libvpx stop behind the first frame of a buffer without an index. It would decode all that follow, and where one
/// ends only a decoder knows, so that nobody else can know how large they are.
pub fn seal(decoder: &gst::Element) {
    let is_libvpx = decoder.factory().is_some_and(|factory| factory.name() == "vp9dec");
    let Some(sink) = decoder.static_pad("sink").filter(|_| is_libvpx) else { return };
    sink.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        if let Some(buffer) = info.buffer_mut() {
            let index = buffer.map_readable().ok().and_then(|content| index_of_one(&content));
            if let Some(index) = index {
                buffer.make_mut().append_memory(gst::Memory::from_slice(index));
            }
        }
        gst::PadProbeReturn::Ok
    });
}

fn pixels((width, height): &(u32, u32)) -> u64 {
    u64::from(*width) * u64::from(*height)
}

/// Returns what reads the pictures of a stream of these caps, and the largest size that the caps announce.
fn begun(caps: &gst::CapsRef) -> (Option<Sizes>, Option<(u32, u32)>) {
    let Some(fields) = caps.structure(0) else { return (None, None) };
    let private = fields.get::<gst::Buffer>("codec_data").ok();
    let private = private.as_ref().and_then(|private| private.map_readable().ok());
    let sizes = Sizes::new(fields.name(), fields.get("mpegversion").ok(), private.as_deref().unwrap_or_default());
    let side = |name: &str| u32::try_from(fields.get::<i32>(name).ok()?).ok();
    let told = side("width").zip(side("height"));
    let size = told.into_iter().chain(sizes.announced()).max_by_key(pixels);
    let is_decoded = fields.name() == "video/x-raw";
    (Some(sizes).filter(|_| !is_decoded), size)
}

fn size_in(sizes: &mut Option<Sizes>, buffer: &gst::BufferRef) -> Option<(u32, u32)> {
    sizes.as_mut()?.read(&buffer.map_readable().ok()?)
}
