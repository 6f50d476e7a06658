//! The network that is in the program: the same as when it was made, and of use.

use std::{path::Path, sync::Arc, time::Duration};

use virfie::media::{
    compose::{
        colour::{Matrix, rgba_to_i420},
        planes::I420,
    },
    segment::{
        doubt::View,
        mask::{MaskMaker, MaskOptions},
        model::{AREA, HeadRequest, LoadOptions, Model, Precision},
        pose::{Pose, PoseDecoder},
    },
};

use super::frames::yuv;

const INPUT: (usize, usize) = (256, 144);

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn golden(head: &str) -> Vec<f32> {
    let bytes = std::fs::read(file(&format!("models/golden/portrait.{head}.f32"))).unwrap();
    bytes.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().unwrap())).collect()
}

/// Returns the largest difference, as a share of the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    found.iter().zip(expected).fold(0.0f32, |most, (found, expected)| most.max((found - expected).abs())) / scale
}

#[test]
fn it_says_of_a_portrait_what_it_said_when_it_was_made() {
    let picture = image::open(file("models/golden/portrait.png")).unwrap().into_rgb8();
    let values: Vec<f32> = picture.as_raw().iter().map(|&value| f32::from(value) / 127.5 - 1.0).collect();
    let (segments, heatmaps) = (golden("segments"), golden("heatmaps"));
    for (fused, precision, tolerance) in
        [(false, Precision::F32, 1e-4), (true, Precision::F32, 1e-4), (true, Precision::Bf16, 0.05)]
    {
        let model = Model::embedded(LoadOptions { fused, precision }).unwrap();
        assert_eq!(model.is_fused(), fused);
        let needs = HeadRequest { area: AREA, parts: true, poses: true };
        let mut session = model.session((640, 360), needs).unwrap();
        assert_eq!(session.input_size(), INPUT);
        let heads = session.infer(&values).unwrap();
        assert_eq!((heads.grid.columns, heads.grid.rows), (64, 36));
        assert_eq!((heads.pose_grid.columns, heads.pose_grid.rows), (32, 18));
        let off = difference(heads.segments, &segments);
        assert!(off <= tolerance, "segments, fused {fused}, {precision:?}: {off}");
        let off = difference(heads.poses.unwrap().heatmaps, &heatmaps);
        assert!(off <= tolerance, "heatmaps, fused {fused}, {precision:?}: {off}");
    }
}

/// Returns a picture's upper 16:9 part at 640x360.
fn frame(name: &str) -> I420 {
    let picture = image::open(file(name)).unwrap();
    let high = picture.width() * 9 / 16;
    let picture = picture.crop_imm(0, 0, picture.width(), high.min(picture.height()));
    let rgba = picture.resize_exact(640, 360, image::imageops::FilterType::Triangle).into_rgba8();
    rgba_to_i420(rgba.as_raw(), 640, 360, Matrix::Bt601)
}

/// Returns the server's mask of a picture, 640x360.
fn mask(model: &Arc<Model>, picture: &I420) -> Vec<u8> {
    let mut session = model.session((640, 360), HeadRequest::default()).unwrap();
    let heads = session.see(&yuv(picture), View::whole((640, 360), Duration::ZERO)).unwrap();
    let mut alpha = vec![0; 640 * 360];
    let options = MaskOptions::default();
    MaskMaker::default().make(heads.segments, heads.grid, &yuv(picture), options, &mut alpha, 640);
    alpha
}

#[test]
fn it_cuts_somebody_out_and_nobody_where_nobody_is() {
    let model = Model::embedded(LoadOptions::default()).unwrap();
    assert!(model.bar().is_some(), "its file says how sure it must be of people");
    let alpha = mask(&model, &frame("models/pictures/portrait.jpg"));
    let at = |x: usize, y: usize| alpha[y * 640 + x];
    // Face, chest, shoulder; the wall beside her and the shuttle at the right. The flag at the left is taken for
    // somebody: models/README.md says.
    assert_eq!([at(280, 150), at(280, 330), at(180, 340)].map(|alpha| alpha > 250), [true; 3]);
    assert_eq!([at(430, 120), at(600, 60), at(500, 30)].map(|alpha| alpha < 5), [true; 3]);
    let alpha = mask(&model, &frame("pipelines/assets/studio.jpg"));
    let kept = alpha.iter().filter(|&&alpha| alpha >= 128).count();
    assert!(kept * 100 < alpha.len(), "{kept} pixels of an empty studio");
}

#[test]
fn it_finds_a_face() {
    let model = Model::embedded(LoadOptions::default()).unwrap();
    let mut session = model.session((640, 360), HeadRequest { poses: true, ..HeadRequest::default() }).unwrap();
    let picture = frame("models/pictures/portrait.jpg");
    let heads = session.run(&yuv(&picture)).unwrap();
    let mut poses = Vec::new();
    PoseDecoder::default().decode(&heads.poses.unwrap(), heads.pose_grid, heads.input, &mut poses);
    // The flag beside her is taken for somebody, too.
    let off = |pose: &Pose| (pose.keypoints[0].x * 640.0 - NOSE.0).hypot(pose.keypoints[0].y * 360.0 - NOSE.1);
    let nearest = poses.iter().min_by(|one, other| off(one).total_cmp(&off(other)));
    let face = nearest.expect("there is somebody").keypoints;
    // Nose, left and right eye, in pixels of 640x360, by eye.
    for (keypoint, (x, y)) in [(0, NOSE), (1, LEFT_EYE), (2, RIGHT_EYE)] {
        let found = (face[keypoint].x * 640.0, face[keypoint].y * 360.0);
        assert!((found.0 - x).hypot(found.1 - y) < 15.0, "{keypoint}: {found:?} for {x}, {y}");
        assert!(face[keypoint].score > 0.5, "{keypoint}: {}", face[keypoint].score);
    }
}

const NOSE: (f32, f32) = (282.0, 152.0);
const LEFT_EYE: (f32, f32) = (305.0, 130.0);
const RIGHT_EYE: (f32, f32) = (257.0, 130.0);
