//! PURE: what was found, painted: the picture that is written.

use super::{
    backdrop::Backdrop,
    finder::Found,
    overlay::{draw_poses, paint_parts},
    plan::{Behind, SegmentPlan, Show},
    raster::{Plane, Raster, Space},
};

/// Paints pictures of one size.
#[derive(Debug)]
pub(super) struct CutoutPainter {
    show: Show,
    backdrop: Option<Backdrop>,
    keypoints: bool,
}

impl CutoutPainter {
    /// Creates one as planned, for pictures of a size in pixels. Takes the background out of the plan.
    pub(super) fn new(plan: &mut SegmentPlan, size: (usize, usize), space: Space) -> Self {
        let backdrop = plan.behind.take().map(|behind| match behind {
            Behind::Colour(rgb) => Backdrop::colour(rgb, size, space),
            Behind::Image(image) => Backdrop::image(image, size, space),
            Behind::Blur => Backdrop::blurred(size, space),
        });
        Self { show: plan.show, backdrop, keypoints: plan.keypoints && plan.show != Show::Mask }
    }

    /// Turns the picture into what is written. `alpha` becomes what is opaque in it.
    pub(super) fn paint(&mut self, picture: &mut Raster, found: &Found, mut alpha: Option<&mut Plane>) {
        match (self.show, &mut self.backdrop) {
            (Show::Cutout, Some(backdrop)) => {
                let behind = backdrop.behind(picture, &found.cover);
                picture.put_before(behind, &found.cover);
            }
            (Show::Cutout, None) => {
                if let Some(alpha) = alpha.as_deref_mut() {
                    let scaled = |own: u8, cover: u8| super::raster::mix(0, own, cover);
                    let values = alpha.data.iter_mut().zip(found.cover.whole());
                    values.for_each(|(own, cover)| *own = scaled(*own, *cover));
                }
            }
            (Show::Mask, _) => picture.show(&found.cover),
            (Show::Parts, _) => paint_parts(picture, &found.labels, found.label_grid, &found.cover),
            (Show::Whole, _) => {}
        }
        if let (true, Some(poses)) = (self.keypoints, &found.poses) {
            draw_poses(picture, poses, alpha);
        }
    }
}
