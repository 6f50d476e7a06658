//! Painter that lays one layer's picture on the canvas: blurred behind, turned, with round corners and a border. PURE.

use super::{
    blur::Blurrer,
    canvas::{Geometry, Isa, LayerBlender},
    colour::Matrix,
    planes::{Planes, PlanesMut},
    rotate::{Rotation, RotationBlender},
    shape::RimBlender,
};
use crate::layout::{Lost, Placement};

/// The painter of one layer; each part keeps its tables and buffers.
#[derive(Default)]
pub(super) struct LayerPainter {
    blender: LayerBlender,
    rotator: RotationBlender,
    rim: RimBlender,
    blurrer: Option<Blurrer>,
}

impl LayerPainter {
    /// Paints a picture as the placement says. `use_alpha`: what is transparent in it stays free.
    pub(super) fn paint(
        &mut self,
        canvas: &mut PlanesMut<'_>,
        planes: &Planes<'_>,
        geometry: &Geometry,
        placement: &Placement,
        use_alpha: bool,
    ) {
        let look = &placement.look;
        let opacity = opacity_of(placement);
        if look.turn != 0.0 {
            // Never with a blurred background: the layout does not allow both.
            let border = border_of(placement);
            let turn = Rotation { degrees: look.turn, radius: look.radius, border, opacity, use_alpha };
            self.rotator.blend(canvas, planes, geometry, &turn);
            return;
        }
        // A whole picture has nothing behind it.
        if let Some(blur) = look.blur.filter(|_| use_alpha) {
            let blurrer = self.blurrer.get_or_insert_default();
            blurrer.draw(canvas, planes, geometry, look.radius, blur, opacity);
        }
        self.blender.blend_rounded(canvas, planes, geometry, look.radius, opacity, use_alpha);
        self.draw_rim(canvas, geometry, placement);
    }

    /// Paints the whole picture blurred, for a layer that is not turned: the layout does not allow both.
    pub(super) fn paint_blurred(
        &mut self,
        canvas: &mut PlanesMut<'_>,
        planes: &Planes<'_>,
        geometry: &Geometry,
        placement: &Placement,
    ) {
        let look = &placement.look;
        let blurrer = self.blurrer.get_or_insert_default();
        blurrer.draw(canvas, planes, geometry, look.radius, look.blur.unwrap_or(Lost::BLUR), opacity_of(placement));
        self.draw_rim(canvas, geometry, placement);
    }

    fn draw_rim(&mut self, canvas: &mut PlanesMut<'_>, geometry: &Geometry, placement: &Placement) {
        if let Some((width, yuv)) = border_of(placement) {
            let (at, size) = ((geometry.dst_x, geometry.dst_y), (geometry.dst_width, geometry.dst_height));
            let (radius, opacity) = (placement.look.radius, opacity_of(placement));
            self.rim.draw(Isa::detect(), canvas, at, size, radius, width, yuv, opacity);
        }
    }
}

fn opacity_of(placement: &Placement) -> u8 {
    (placement.opacity.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Returns a border's width in canvas pixels, and its luma, Cb and Cr.
fn border_of(placement: &Placement) -> Option<(f32, [u8; 3])> {
    placement.look.border.map(|(width, rgb)| (width, Matrix::Bt601.colour(rgb)))
}
