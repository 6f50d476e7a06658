//! Distance of keypoints from those of another model at a larger input.
//!
//! On pictures of the set "webcam", the reference's best pose is compared with the nearest pose of the model: nose,
//! eyes, shoulders and wrists of which the reference is sure. A keypoint is right within a twentieth of the person's
//! height, which is that of the truth's box; a picture is right when all of its keypoints are.

use std::sync::Arc;

use crate::media::segment::{
    input::Yuv,
    model::{HeadRequest, Model, ModelError, Session},
    pose::{Pose, PoseDecoder},
};

use super::score::Size;

/// Nose, eyes, shoulders, wrists.
const COMPARED: [usize; 7] = [0, 1, 2, 5, 6, 9, 10];

/// Score from which on the reference is believed.
const SURE: f32 = 0.5;

/// Share of the person's height.
const NEAR: f32 = 0.05;

/// Finds the poses of single pictures.
pub(super) struct Finder {
    session: Session,
    decoder: PoseDecoder,
    poses: Vec<Pose>,
}

impl Finder {
    /// Creates one for frames of `frame` pixels and an input of about `area` pixels.
    pub(super) fn new(model: &Arc<Model>, frame: Size, area: usize) -> Result<Self, ModelError> {
        let session = model.session(frame, HeadRequest { area, parts: false, poses: true })?;
        Ok(Self { session, decoder: PoseDecoder::default(), poses: Vec::new() })
    }

    /// Finds the poses of a picture, best first.
    pub(super) fn find(&mut self, frame: &Yuv<'_>) -> Result<&[Pose], ModelError> {
        let heads = self.session.run(frame)?;
        heads.find_poses(&mut self.decoder, &mut self.poses);
        Ok(&self.poses)
    }
}

/// Of one picture: keypoints that were compared, and those that were right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    pub compared: u32,
    pub right: u32,
}

/// Compares with the reference's best pose; `None` where it is sure of no keypoint. `height` is the person's, in
/// pixels.
pub(super) fn compare(reference: &[Pose], found: &[Pose], (width, rows): Size, height: usize) -> Option<Agreement> {
    let best = reference.first()?;
    let sure: Vec<usize> = COMPARED.into_iter().filter(|&keypoint| best.keypoints[keypoint].score > SURE).collect();
    if sure.is_empty() {
        return None;
    }
    let distance = |pose: &Pose, keypoint: usize| {
        let (one, other) = (best.keypoints[keypoint], pose.keypoints[keypoint]);
        ((one.x - other.x) * width as f32).hypot((one.y - other.y) * rows as f32)
    };
    let right =
        |pose: &Pose| sure.iter().filter(|&&keypoint| distance(pose, keypoint) <= NEAR * height as f32).count() as u32;
    Some(Agreement { compared: sure.len() as u32, right: found.iter().map(right).max().unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keypoints_are_right_within_a_twentieth_of_the_height() {
        let mut reference = Pose::default();
        for (keypoint, at) in [(0, 0.5), (1, 0.4), (5, 0.3), (7, 0.9)] {
            let keypoint = &mut reference.keypoints[keypoint];
            (keypoint.x, keypoint.y, keypoint.score) = (at, at, 0.8);
        }
        reference.keypoints[9].score = 0.5;
        let mut found = reference;
        found.keypoints[1].x += 9.0 / 640.0;
        found.keypoints[5].y += 11.0 / 360.0;
        // An elbow and a wrist of which the reference is not sure do not count.
        found.keypoints[7].x = 0.0;
        let far = Pose::default();
        let compare = |reference: &[Pose], found: &[Pose]| compare(reference, found, (640, 360), 200);
        assert_eq!(compare(&[reference], &[far, found]), Some(Agreement { compared: 3, right: 2 }));
        assert_eq!(compare(&[reference], &[]), Some(Agreement { compared: 3, right: 0 }));
        assert_eq!((compare(&[far], &[found]), compare(&[], &[found])), (None, None));
    }
}
