//! Poses and body parts that the network finds in photos. Places were marked by eye.

use std::path::Path;

use virfie::{
    layout::BodyPart,
    media::{
        compose::{
            colour::{Matrix, rgba_to_i420},
            planes::I420,
        },
        segment::{
            model::{HeadRequest, Heads, Model},
            parts,
            pose::{KEYPOINTS, Keypoint, MAX_POSES, Pose, PoseDecoder},
        },
    },
};

use super::frames::{model, shared, yuv};

/// Returns what `look` makes of the network's heads for a picture.
fn heads_of<T>(picture: &I420, size: (usize, usize), model: &Path, look: impl FnOnce(Heads<'_>) -> T) -> T {
    let needs = HeadRequest { parts: true, poses: true, ..HeadRequest::default() };
    let mut session = Model::load(model).unwrap().session(size, needs).unwrap();
    look(session.run(&yuv(picture)).unwrap())
}

fn look_at<T>(photo: &str, look: impl FnOnce(Heads<'_>) -> T) -> Option<T> {
    let (model, photo) = (model()?, shared(photo)?);
    let picture = image::open(photo).unwrap().into_rgba8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let frame = rgba_to_i420(picture.as_raw(), width, height, Matrix::Bt601);
    Some(heads_of(&frame, (width, height), &model, look))
}

fn poses_of(heads: Heads<'_>) -> Vec<Pose> {
    let mut poses = Vec::new();
    PoseDecoder::default().decode(&heads.poses.unwrap(), heads.pose_grid, heads.input, &mut poses);
    poses
}

fn keypoint(pose: &Pose, name: &str) -> Keypoint {
    pose.keypoints[KEYPOINTS.iter().position(|other| *other == name).unwrap()]
}

/// Checks that the keypoint is there, give or take a few hundredths of the picture, and the network is sure of it.
fn is_at(pose: &Pose, name: &str, x: f32, y: f32) {
    let found = keypoint(pose, name);
    assert!((found.x - x).abs() < 0.05 && (found.y - y).abs() < 0.05 && found.score > 0.5, "{name}: {found:?}");
}

#[test]
fn a_man_who_takes_a_picture_of_himself_has_his_joints_where_they_are() {
    let Some(poses) = look_at("photos/pexels-karolina-grabowska-4378882.jpg", poses_of) else { return };
    assert_eq!(poses.len(), 1);
    for (name, x, y) in [
        ("nose", 0.52, 0.41),
        ("leftEar", 0.65, 0.42),
        ("rightShoulder", 0.42, 0.51),
        ("leftShoulder", 0.69, 0.62),
        ("rightElbow", 0.30, 0.52),
        ("leftElbow", 0.88, 0.79),
        ("rightWrist", 0.15, 0.38),
        ("leftWrist", 0.75, 0.47),
    ] {
        is_at(&poses[0], name, x, y);
    }
}

#[test]
fn two_people_are_two_poses() {
    let Some(mut poses) = look_at("photos/pexels-jack-sparrow-4046265.jpg", poses_of) else { return };
    assert_eq!(poses.len(), 2);
    assert!(poses[0].score >= poses[1].score && poses[1].score > 0.4);
    poses.sort_by(|one, other| keypoint(one, "nose").x.total_cmp(&keypoint(other, "nose").x));
    is_at(&poses[0], "nose", 0.31, 0.48);
    is_at(&poses[1], "nose", 0.64, 0.39);
    is_at(&poses[1], "leftShoulder", 0.73, 0.50);
    is_at(&poses[1], "rightShoulder", 0.57, 0.50);
}

#[test]
fn of_a_group_five_people_are_found_each_once() {
    let Some(mut poses) = look_at("photos/pexels-fauxels-3184419.jpg", poses_of) else { return };
    assert_eq!(poses.len(), MAX_POSES);
    poses.sort_by(|one, other| keypoint(one, "nose").x.total_cmp(&keypoint(other, "nose").x));
    let noses = [(0.12, 0.34), (0.29, 0.42), (0.46, 0.31), (0.65, 0.43), (0.87, 0.41)];
    for (pose, (x, y)) in poses.iter().zip(noses) {
        is_at(pose, "nose", x, y);
    }
}

#[test]
fn an_empty_picture_has_no_poses() {
    let Some(model) = model() else { return };
    let size = (320, 180);
    let grey = rgba_to_i420(&[120, 120, 120, 255].repeat(size.0 * size.1), size.0, size.1, Matrix::Bt601);
    assert!(heads_of(&grey, size, &model, poses_of).is_empty());
    // Food on a table.
    if let Some(poses) = look_at("backgrounds/coco_cc/000000062554.jpg", poses_of) {
        assert!(poses.is_empty(), "{poses:?}");
    }
}

#[test]
fn body_parts_are_found_where_they_are() {
    let map = look_at("photos/pexels-karolina-grabowska-4378882.jpg", |heads| {
        let mut map = Vec::new();
        parts::strongest(heads.segments, heads.parts.unwrap(), 0.0, &mut map);
        let (columns, rows) = (heads.grid.columns, heads.grid.rows);
        move |x: f32, y: f32| {
            let index = |share: f32, points: usize| (share * (points - 1) as f32).round() as usize;
            map[index(y, rows) * columns + index(x, columns)]
        }
    });
    let Some(part_at) = map else { return };
    assert_eq!(part_at(0.62, 0.35), Some(BodyPart::LeftFace));
    assert_eq!(part_at(0.52, 0.35), Some(BodyPart::RightFace));
    assert_eq!(part_at(0.55, 0.75), Some(BodyPart::TorsoFront));
    assert_eq!(part_at(0.2, 0.1), None);
}
