//! PURE: what was found, as JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::finder::Found;
use crate::{layout::BodyPart, media::segment::pose::KEYPOINTS};

/// Alpha from which a pixel counts as kept.
const KEPT: u8 = 128;

/// The place of a frame in its video.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// From 0.
    pub(super) frame: u64,
    /// Moment at which it is shown.
    pub(super) pts: Duration,
    /// The frame that was looked at: this one, or an earlier one.
    pub(super) seen: u64,
}

/// Returns what was found in a picture of `size` pixels, or in a frame of a video at its moment.
pub(super) fn of(found: &Found, size: (usize, usize), moment: Option<Moment>) -> Value {
    let mut report = Map::new();
    report.insert("width".into(), size.0.into());
    report.insert("height".into(), size.1.into());
    if let Some(Moment { frame, pts, seen }) = moment {
        report.insert("frame".into(), frame.into());
        report.insert("pts".into(), rounded(pts.as_secs_f64(), 6));
        report.insert("seen".into(), seen.into());
    }
    report.insert("mask".into(), mask(found.cover.whole(), size.0));
    if found.label_grid.0 > 0 {
        report.insert("parts".into(), parts(found, size));
    }
    if let Some(poses) = &found.poses {
        let poses = poses.iter().map(|pose| {
            let keypoints = KEYPOINTS.iter().zip(&pose.keypoints).map(|(name, point)| {
                let (x, y) = (f64::from(point.x) * size.0 as f64, f64::from(point.y) * size.1 as f64);
                let score = rounded(f64::from(point.score), 3);
                ((*name).to_owned(), json!({ "x": rounded(x, 1), "y": rounded(y, 1), "score": score }))
            });
            json!({ "score": rounded(f64::from(pose.score), 3), "keypoints": keypoints.collect::<Map<_, _>>() })
        });
        report.insert("poses".into(), poses.collect());
    }
    Value::Object(report)
}

/// Writes a number with so many decimals; `null` for an invalid one.
fn rounded(value: f64, decimals: i32) -> Value {
    let scale = 10f64.powi(decimals);
    json!((value * scale).round() / scale)
}

/// Returns the share of the picture that is kept, and the box round it.
fn mask(alpha: &[u8], width: usize) -> Value {
    let sum: u64 = alpha.iter().map(|value| u64::from(*value)).sum();
    let coverage = sum as f64 / (alpha.len().max(1) * 255) as f64;
    let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
    for (y, row) in alpha.chunks_exact(width.max(1)).enumerate() {
        let kept = |value: &u8| *value >= KEPT;
        if let (Some(first), Some(last)) = (row.iter().position(kept), row.iter().rposition(kept)) {
            (left, right) = (left.min(first), right.max(last + 1));
            (top, bottom) = (top.min(y), y + 1);
        }
    }
    let place = match left < right {
        true => json!({ "x": left, "y": top, "width": right - left, "height": bottom - top }),
        false => Value::Null,
    };
    json!({ "coverage": rounded(coverage, 4), "box": place })
}

/// Returns the share of the picture that each part of the body takes; those that are there.
fn parts(found: &Found, (width, height): (usize, usize)) -> Value {
    let (columns, rows) = found.label_grid;
    let mut points = [0usize; BodyPart::ALL.len()];
    for (row, labels) in found.labels.chunks_exact(columns).enumerate() {
        let y = ((2 * row + 1) * height / (2 * rows)).min(height - 1);
        for (column, label) in labels.iter().enumerate() {
            let x = ((2 * column + 1) * width / (2 * columns)).min(width - 1);
            if let Some(part) = label
                && found.cover.whole()[y * width + x] >= KEPT
            {
                points[part.index()] += 1;
            }
        }
    }
    let all = (columns * rows) as f64;
    let there = BodyPart::ALL.into_iter().filter(|part| points[part.index()] > 0);
    there
        .map(|part| (part.name().to_owned(), rounded(points[part.index()] as f64 / all, 4)))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::segment::pose::{Keypoint, Pose};

    fn found(kept: impl Fn(usize, usize) -> bool) -> Found {
        let mut found = Found::default();
        let whole = found.cover.resize((20, 10));
        (0..200).for_each(|at| whole[at] = if kept(at % 20, at / 20) { 255 } else { 0 });
        found.cover.halve();
        found
    }

    #[test]
    fn a_picture_is_reported_by_its_size_its_share_and_a_box() {
        let report = of(&found(|x, y| (4..9).contains(&x) && (2..10).contains(&y)), (20, 10), None);
        let place = json!({"x": 4, "y": 2, "width": 5, "height": 8});
        assert_eq!(report, json!({"width": 20, "height": 10, "mask": {"coverage": 0.2, "box": place}}));
        let empty = of(&found(|_, _| false), (20, 10), None);
        assert_eq!(empty["mask"], json!({"coverage": 0.0, "box": null}));
    }

    #[test]
    fn a_frame_is_reported_with_its_time_and_poses_in_pixels() {
        let mut found = found(|_, _| true);
        let mut keypoints = [Keypoint { x: 0.5, y: 0.25, score: 0.75 }; 17];
        keypoints[10].x = -0.01;
        found.poses = Some(vec![Pose { score: 0.5, keypoints }]);
        let moment = Moment { frame: 7, pts: Duration::from_nanos(233_333_333), seen: 6 };
        let report = of(&found, (20, 10), Some(moment));
        assert_eq!((&report["frame"], &report["seen"], &report["pts"]), (&json!(7), &json!(6), &json!(0.233333)));
        let keypoints = &report["poses"][0]["keypoints"];
        assert_eq!(keypoints.as_object().map(Map::len), Some(17));
        assert_eq!(keypoints["nose"], json!({"x": 10.0, "y": 2.5, "score": 0.75}));
        assert_eq!(keypoints["rightWrist"]["x"], json!(-0.2));
    }

    #[test]
    fn parts_count_where_the_mask_keeps_them() {
        let mut found = found(|x, _| x < 10);
        found.label_grid = (4, 1);
        found.labels = vec![Some(BodyPart::LeftHand), Some(BodyPart::TorsoFront), Some(BodyPart::RightHand), None];
        let report = of(&found, (20, 10), None);
        assert_eq!(report["parts"], json!({"left_hand": 0.25, "torso_front": 0.25}));
    }
}
