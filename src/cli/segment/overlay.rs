//! PURE: what is painted over a picture to look at: body parts in colours, and skeletons.

use super::raster::{Cover, Plane, Raster, mix};
use crate::{
    layout::BodyPart,
    media::segment::{parts, pose::Pose},
};

/// Darkness of the picture under body parts, of 255.
const DARK: u8 = 150;

/// Share of a body part's colour in the picture, of 255.
const TINT: u32 = 190;

/// Keypoints below this score are guesses.
pub(super) const SURE: f32 = 0.3;

/// Colours of the first skeleton, the second, and so on.
const SKELETONS: [[u8; 3]; 5] = [[0, 255, 255], [255, 80, 255], [255, 230, 0], [80, 255, 80], [255, 120, 60]];

/// Pairs of keypoints that are joined, by their places in `pose::KEYPOINTS`: face, arms, trunk, legs.
const BONES: [(usize, usize); 16] = [
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (5, 6),
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (5, 11),
    (6, 12),
    (11, 12),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
];

/// Darkens the picture and paints each body part in its colour where `cover` keeps it. `labels` are `grid.0` x
/// `grid.1` points over the whole picture.
pub(super) fn paint_parts(picture: &mut Raster, labels: &[Option<BodyPart>], grid: (usize, usize), cover: &Cover) {
    picture.veil([0, 0, 0], DARK);
    if grid.0 == 0 || labels.len() < grid.0 * grid.1 {
        return;
    }
    let space = picture.space;
    let colours = BodyPart::ALL.map(|part| space.colour(parts::colour(part)));
    for (index, plane) in picture.planes.iter_mut().enumerate() {
        let cover = cover.at(space.shift(index));
        let (width, height) = (plane.width, plane.height);
        for (y, (row, cover)) in plane.data.chunks_exact_mut(width).zip(cover.chunks_exact(width)).enumerate() {
            let labels = &labels[y * grid.1 / height * grid.0..][..grid.0];
            for (x, (value, cover)) in row.iter_mut().zip(cover).enumerate() {
                if *cover > 0
                    && let Some(part) = labels[x * grid.0 / width]
                {
                    *value = mix(*value, colours[part.index()][index], (u32::from(*cover) * TINT / 255) as u8);
                }
            }
        }
    }
}

/// Draws the keypoints that are sure, and the bones between them; each person in an own colour. `alpha`, where there
/// is one, becomes opaque there.
pub(super) fn draw_poses(picture: &mut Raster, poses: &[Pose], mut alpha: Option<&mut Plane>) {
    let thick = (picture.width.min(picture.height) as f32 / 240.0).max(1.0);
    let (width, height, space) = (picture.width as f32, picture.height as f32, picture.space);
    for (number, pose) in poses.iter().enumerate() {
        let colour = space.colour(SKELETONS[number % SKELETONS.len()]);
        let place = |keypoint: usize| {
            let point = pose.keypoints.get(keypoint)?;
            // Whatever a network says: nothing far outside is drawn, and no invalid number.
            let near = (-1.0..=2.0).contains(&point.x) && (-1.0..=2.0).contains(&point.y);
            (point.score >= SURE && near).then_some((point.x * width, point.y * height))
        };
        let bones = BONES.iter().filter_map(|(from, to)| Some((place(*from)?, place(*to)?, thick)));
        let joints = (0..pose.keypoints.len()).filter_map(|at| Some((place(at)?, place(at)?, 2.0 * thick)));
        for (from, to, radius) in bones.chain(joints) {
            for (index, plane) in picture.planes.iter_mut().enumerate() {
                draw(plane, space.shift(index), from, to, radius, colour[index]);
            }
            if let Some(alpha) = alpha.as_deref_mut() {
                draw(alpha, 0, from, to, radius, 255);
            }
        }
    }
}

/// Draws a thick line, in pixels of the picture, on a plane that is smaller by `shift` bits.
fn draw(plane: &mut Plane, shift: usize, from: (f32, f32), to: (f32, f32), radius: f32, value: u8) {
    let scale = 1.0 / (1 << shift) as f32;
    let ([ax, ay], [bx, by]) = ([from.0 * scale, from.1 * scale], [to.0 * scale, to.1 * scale]);
    let radius = (radius * scale).max(0.75);
    let (dx, dy) = (bx - ax, by - ay);
    let length = (dx * dx + dy * dy).max(1e-6);
    let span = |one: f32, other: f32, side: usize| {
        let (low, high) = (one.min(other) - radius - 1.0, one.max(other) + radius + 1.0);
        (low.clamp(0.0, side as f32) as usize)..(high.clamp(0.0, side as f32) as usize)
    };
    for y in span(ay, by, plane.height) {
        for x in span(ax, bx, plane.width) {
            let (px, py) = (x as f32 + 0.5 - ax, y as f32 + 0.5 - ay);
            let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
            let (ox, oy) = (px - along * dx, py - along * dy);
            if ox * ox + oy * oy <= radius * radius {
                plane.data[y * plane.width + x] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::raster::Space, *};
    use crate::media::{compose::colour::Matrix, segment::pose::Keypoint};

    #[test]
    fn parts_have_their_colours_where_the_cover_keeps_and_the_rest_is_dark() {
        for space in [Space::Rgb, Space::Yuv(Matrix::Bt601)] {
            let mut picture = Raster::new(40, 20, space);
            picture.fill([255, 255, 255]);
            let mut cover = Cover::default();
            cover.resize((40, 20)).chunks_exact_mut(40).for_each(|row| row[..20].fill(255));
            cover.halve();
            paint_parts(
                &mut picture,
                &[Some(BodyPart::LeftFace), None, None, Some(BodyPart::LeftFoot)],
                (4, 1),
                &cover,
            );
            let luma = &picture.planes[0].data;
            let dark = mix(space.colour([255; 3])[0], space.colour([0; 3])[0], DARK);
            let face = space.colour(parts::colour(BodyPart::LeftFace))[0];
            assert_eq!(luma[5], mix(dark, face, TINT as u8), "{space:?}");
            assert_eq!([luma[15], luma[25], luma[35]], [dark; 3], "no part, and a part that is not kept");
        }
    }

    #[test]
    fn sure_keypoints_and_the_bones_between_them_are_drawn_and_others_are_not() {
        let mut keypoints = [Keypoint { x: 0.5, y: 0.9, score: 0.1 }; 17];
        keypoints[5] = Keypoint { x: 0.25, y: 0.5, score: 0.9 };
        keypoints[6] = Keypoint { x: 0.75, y: 0.5, score: 0.9 };
        keypoints[7] = Keypoint { x: f32::NAN, y: 1e30, score: 0.9 };
        let mut picture = Raster::new(80, 40, Space::Rgb);
        let mut alpha = Raster::new(80, 40, Space::Rgb).planes[0].clone();
        draw_poses(&mut picture, &[Pose { score: 0.8, keypoints }], Some(&mut alpha));
        for x in [20, 40, 60] {
            assert_eq!([0, 1, 2].map(|plane| picture.planes[plane].data[20 * 80 + x]), SKELETONS[0]);
            assert_eq!(alpha.data[20 * 80 + x], 255);
        }
        for (x, y) in [(40, 36), (10, 20), (70, 20), (40, 10)] {
            assert_eq!((picture.planes[1].data[y * 80 + x], alpha.data[y * 80 + x]), (0, 0), "{x}, {y}");
        }
    }
}
