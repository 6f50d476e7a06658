//! The findings of segmentation in a frame, travelling with it.
//!
//! A frame that was segmented carries a [`Segmented`] as buffer metadata. The first mask is the frame's alpha too
//! (A420), for elements that know of no metadata.

use std::sync::{Arc, Once};

use gstreamer::{self as gst, glib};
use parking_lot::Mutex;
use virfie_layout::Cut;

use crate::pose::Pose;

/// Name of the metadata.
const NAME: &str = "VirfieSegmented";
/// Name of its one field.
const FIELD: &str = "segmented";
/// Alpha planes that wait to be used again. More are never on their way at once: slot, canvas, and one being made.
const SHELF: usize = 6;

/// An alpha plane, 0 transparent, 255 kept. Its memory goes back to its shelf.
#[derive(Debug)]
pub struct Plane {
    bytes: Vec<u8>,
    stride: usize,
    shelf: Arc<Shelf>,
}

impl Plane {
    /// Returns the distance from one row to the next, in bytes.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Returns the bytes for writing, while nobody else has it.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Plane {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let mut planes = self.shelf.0.lock();
        if planes.len() < SHELF {
            planes.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Memory of planes that nobody needs any more.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<Vec<u8>>>);

impl Shelf {
    /// Returns a plane of `width` x `height` bytes without padding; what is in it is arbitrary.
    pub fn plane(self: &Arc<Self>, (width, height): (usize, usize)) -> Plane {
        let mut bytes = self.0.lock().pop().unwrap_or_default();
        bytes.resize(width * height, 0);
        Plane { bytes, stride: width, shelf: self.clone() }
    }
}

/// A plane that several hold, as GStreamer takes it.
#[derive(Debug, Clone)]
struct Held(Arc<Plane>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Returns the plane as memory of a buffer; nothing is copied.
pub fn memory(plane: &Arc<Plane>) -> gst::Memory {
    gst::Memory::from_slice(Held(plane.clone()))
}

/// The findings.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// A mask of the frame's size for every cut that was asked for.
    pub masks: Vec<(Cut, Arc<Plane>)>,
    /// The largest share of the frame that is a person by one of the masks, 0.0..=1.0; `None` without masks.
    pub kept: Option<f32>,
    /// The poses, if they were asked for; at most five, the surest first.
    pub poses: Option<Arc<[Pose]>>,
    /// PTS of the frame that the network saw: this one, or an earlier one whose masks were carried along.
    pub inferred: Option<gst::ClockTime>,
}

impl Found {
    /// Returns the mask for a cut: that very one, or the one most like it while the right one is on its way. `None`:
    /// there is no mask at all.
    pub fn mask(&self, cut: &Cut) -> Option<&Plane> {
        let of = |fits: &dyn Fn(&Cut) -> bool| self.masks.iter().find(|(own, _)| fits(own)).map(|(_, plane)| &**plane);
        of(&|own| own == cut).or_else(|| of(&|own| own.parts == cut.parts)).or_else(|| of(&|_| true))
    }
}

/// [`Found`], as metadata.
#[derive(Debug, Clone, glib::Boxed)]
#[boxed_type(name = "VirfieSegmentedFound")]
struct Segmented(Arc<Found>);

/// Attaches it to a frame.
pub fn attach(buffer: &mut gst::BufferRef, found: Found) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| gst::meta::CustomMeta::register(NAME, &[]));
    if let Ok(mut meta) = gst::meta::CustomMeta::add(buffer, NAME) {
        meta.mut_structure().set(FIELD, Segmented(Arc::new(found)));
    }
}

/// Returns what was found in a frame, if it was segmented.
pub fn found(buffer: &gst::BufferRef) -> Option<Arc<Found>> {
    let meta = gst::meta::CustomMeta::from_buffer(buffer, NAME).ok()?;
    meta.structure().get::<Segmented>(FIELD).ok().map(|segmented| segmented.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use virfie_layout::{BodyPart, BodyParts};

    fn with(cuts: &[Cut]) -> Found {
        let shelf = Arc::new(Shelf::default());
        let masks = cuts.iter().enumerate().map(|(index, cut)| {
            let mut plane = shelf.plane((1, 1));
            plane.bytes_mut()[0] = index as u8;
            (*cut, Arc::new(plane))
        });
        Found { masks: masks.collect(), ..Found::default() }
    }

    #[test]
    fn the_mask_of_a_cut_is_its_own_or_else_the_most_alike() {
        let person = Cut::default();
        let harder = Cut { threshold: 0.8, ..person };
        let face = Cut { parts: Some(BodyParts::NONE.with(BodyPart::LeftFace)), ..person };
        let first = |found: &Found, cut: &Cut| found.mask(cut).map(|plane| plane.as_ref()[0]);
        assert_eq!(first(&with(&[person, face, harder]), &harder), Some(2));
        assert_eq!(first(&with(&[face, person]), &harder), Some(1));
        assert_eq!(first(&with(&[person]), &face), Some(0));
        assert_eq!(first(&with(&[]), &face), None);
    }

    #[test]
    fn memory_of_planes_is_used_again() {
        let shelf = Arc::new(Shelf::default());
        let at = shelf.plane((64, 64)).as_ref().as_ptr();
        assert_eq!(shelf.plane((64, 64)).as_ref().as_ptr(), at);
    }

    #[test]
    fn what_was_found_travels_with_the_buffer_and_its_copies() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        attach(buffer.get_mut().unwrap(), with(&[Cut::default()]));
        assert_eq!(found(&buffer.copy()).unwrap().masks.len(), 1);
        assert!(found(&gst::Buffer::new()).is_none());
    }
}
