//! Heads as a perfect network would give them for skeletons, and heads that are garbage.
#![allow(clippy::unwrap_used)]

use super::*;

type Size = (usize, usize);

/// A skeleton in pixels of the network's input.
type Skeleton = [(f32, f32); COUNT];

/// Returns somebody who stands, as tall as `scale` hundred pixels, the nose at a place.
fn standing((x, y): (f32, f32), scale: f32) -> Skeleton {
    let body = [
        (0.0, 0.0),
        (4.0, -4.0),
        (-4.0, -4.0),
        (8.0, -2.0),
        (-8.0, -2.0),
        (15.0, 18.0),
        (-15.0, 18.0),
        (22.0, 38.0),
        (-24.0, 36.0),
        (25.0, 56.0),
        (-30.0, 12.0),
        (9.0, 56.0),
        (-9.0, 56.0),
        (10.0, 76.0),
        (-11.0, 74.0),
        (11.0, 95.0),
        (-12.0, 96.0),
    ];
    body.map(|(dx, dy)| (x + dx * scale, y + dy * scale))
}

/// Returns all keypoints in one place.
fn ball(place: (f32, f32)) -> Skeleton {
    [place; COUNT]
}

/// Heads as a perfect network would give them.
struct Made {
    grid: Size,
    input: Size,
    heatmaps: Vec<f32>,
    offsets: Vec<f32>,
    forward: Vec<f32>,
    backward: Vec<f32>,
}

impl Made {
    /// `sure` is each skeleton's logit at its keypoints. Displacements are wrong by `error` pixels.
    fn new(stride: usize, input: Size, people: &[(Skeleton, f32)], error: f32) -> Self {
        let grid = ((input.0 - 1) / stride + 1, (input.1 - 1) / stride + 1);
        let mut made = Self { grid, input, heatmaps: vec![], offsets: vec![], forward: vec![], backward: vec![] };
        for index in 0..grid.0 * grid.1 {
            let at = ((index % grid.0 * stride) as f32, (index / grid.0 * stride) as f32);
            let far = |to: (f32, f32)| (to.0 - at.0).hypot(to.1 - at.1);
            let nearest = |keypoint: usize| {
                let by_distance = |one: &&(Skeleton, f32), other: &&(Skeleton, f32)| {
                    far(one.0[keypoint]).total_cmp(&far(other.0[keypoint]))
                };
                people.iter().min_by(by_distance).unwrap()
            };
            for keypoint in 0..COUNT {
                let (person, sure) = nearest(keypoint);
                made.heatmaps.push(sure - far(person[keypoint]) / 4.0);
            }
            for axis in [1, 0] {
                let part = |(x, y): (f32, f32)| if axis == 0 { x } else { y };
                made.offsets.extend((0..COUNT).map(|keypoint| part(nearest(keypoint).0[keypoint]) - part(at)));
                for (head, up) in [(&mut made.forward, false), (&mut made.backward, true)] {
                    head.extend(EDGES.iter().map(|&(parent, child)| {
                        let (from, to) = if up { (child, parent) } else { (parent, child) };
                        let person = nearest(from).0;
                        part(person[to]) - part(person[from]) + error
                    }));
                }
            }
        }
        made
    }

    fn heads(&self) -> PoseHeads<'_> {
        let Self { heatmaps, offsets, forward, backward, .. } = self;
        PoseHeads { heatmaps, offsets, forward, backward }
    }

    fn poses(&self) -> Vec<Pose> {
        let mut poses = vec![Pose::default(); 9];
        PoseDecoder::default().decode(&self.heads(), Grid::ends(self.grid.0, self.grid.1), self.input, &mut poses);
        poses
    }

    /// Returns how far the keypoint farthest from its place in `skeleton` is, in pixels of the input.
    fn error(&self, pose: &Pose, skeleton: &Skeleton) -> f32 {
        let pixel = |share: f32, pixels: usize| share * pixels as f32 - 0.5;
        let places = pose.keypoints.iter().zip(skeleton);
        let errors =
            places.map(|(found, (x, y))| (pixel(found.x, self.input.0) - x).hypot(pixel(found.y, self.input.1) - y));
        errors.fold(0.0, f32::max)
    }
}

const USUAL: Size = (257, 145);

#[test]
fn edges_reach_every_keypoint_and_mirror_left_to_right() {
    let mut children: Vec<usize> = EDGES.iter().map(|(_, child)| *child).collect();
    children.sort_unstable();
    assert_eq!(children, (1..COUNT).collect::<Vec<_>>());
    for (parent, child) in EDGES {
        let mirrored = |keypoint: usize| {
            let name = KEYPOINTS[keypoint].replace("left", "right");
            KEYPOINTS.iter().position(|other| *other == name).unwrap()
        };
        assert!(EDGES.contains(&(mirrored(parent), mirrored(child))), "{parent} to {child}");
        assert!(parent == 0 || EDGES.iter().any(|(_, reached)| *reached == parent));
    }
}

#[test]
fn two_people_are_found_again_within_half_a_pixel() {
    for (stride, input, scale) in
        [(16, USUAL, 1.0), (8, USUAL, 1.0), (16, (225, 161), 1.1), (8, (145, 257), 0.8), (16, (513, 289), 2.0)]
    {
        let at = |x: f32, y: f32| (x * input.0 as f32, y * input.1 as f32);
        let left = standing(at(0.21, 0.2), scale);
        let right = standing(at(0.76, 0.25), scale * 0.9);
        // Displacements lead a few pixels beside the keypoint; the short offsets make up for it.
        let made = Made::new(stride, input, &[(left, 5.0), (right, 6.0)], 5.0);
        let poses = made.poses();
        assert_eq!(poses.len(), 2, "stride {stride}, {input:?}");
        assert!(poses[0].score > poses[1].score && poses[1].score > 0.8, "best first");
        for (pose, skeleton) in poses.iter().zip([&right, &left]) {
            assert!(made.error(pose, skeleton) < 0.5, "stride {stride}, {input:?}: {}", made.error(pose, skeleton));
            assert!(pose.keypoints.iter().all(|keypoint| (0.6..=1.0).contains(&keypoint.score)));
        }
        let [left_wrist, right_wrist] = [9, 10].map(|index| poses[0].keypoints[index]);
        assert!(left_wrist.x > right_wrist.x, "left and right are the person's own");
    }
}

#[test]
fn any_keypoint_can_be_the_root() {
    for root in 0..COUNT {
        let skeleton = standing((120.0, 25.0), 1.0);
        let mut made = Made::new(16, USUAL, &[(skeleton, 4.0)], 0.0);
        made.heatmaps.chunks_exact_mut(COUNT).for_each(|logits| logits[root] += 3.0);
        let poses = made.poses();
        assert_eq!(poses.len(), 1);
        assert!(made.error(&poses[0], &skeleton) < 0.5, "from {}", KEYPOINTS[root]);
    }
}

#[test]
fn a_keypoint_may_lie_a_little_outside_of_the_frame() {
    let skeleton = standing((128.0, 70.0), 1.0);
    let made = Made::new(16, USUAL, &[(skeleton, 6.0)], 0.0);
    let poses = made.poses();
    let knee = poses[0].keypoints[13];
    assert!((knee.y - 146.5 / 145.0).abs() < 0.004, "{}", knee.y);
    assert!(made.error(&poses[0], &skeleton) < 0.5);
}

#[test]
fn poses_in_one_place_are_one_pose_and_the_radius_grows_with_the_input() {
    let balls = |input: Size, apart: f32| {
        let people = [(ball((72.0, 72.0)), 6.0), (ball((72.0 + apart, 72.0)), 5.0)];
        Made::new(8, input, &people, 0.0).poses().len()
    };
    assert_eq!(balls(USUAL, 16.0), 1);
    assert_eq!(balls(USUAL, 24.0), 2);
    assert_eq!(balls((513, 289), 24.0), 1);
    assert_eq!(balls((513, 289), 48.0), 2);
}

#[test]
fn at_most_five_poses_are_found_and_the_surest_come_first() {
    let people: Vec<(Skeleton, f32)> = (0..8)
        .map(|index| (ball((32.0 + 64.0 * (index % 4) as f32, 32.0 + 64.0 * (index / 4) as f32)), 2.0 + index as f32))
        .collect();
    let made = Made::new(16, (257, 129), &people, 0.0);
    let poses = made.poses();
    assert_eq!(poses.len(), MAX_POSES);
    for (pose, (skeleton, _)) in poses.iter().zip(people.iter().rev()) {
        assert!(made.error(pose, skeleton) < 0.5);
    }
}

#[test]
fn a_face_is_a_pose_and_a_single_keypoint_is_none() {
    let visible = |count: usize| {
        let mut made = Made::new(16, USUAL, &[(standing((120.0, 60.0), 1.0), 6.0)], 0.0);
        made.heatmaps.chunks_exact_mut(COUNT).for_each(|logits| logits[count..].fill(-6.0));
        made.poses()
    };
    assert_eq!(visible(5).len(), 1);
    assert!((0.2..0.32).contains(&visible(5)[0].score));
    assert!(visible(1).is_empty() && visible(0).is_empty());
}

#[test]
fn a_whole_body_comes_before_a_face_with_a_surer_nose() {
    let (left, right) = (standing((60.0, 30.0), 1.0), standing((200.0, 30.0), 1.0));
    let mut made = Made::new(16, USUAL, &[(left, 6.0), (right, 6.0)], 0.0);
    let columns = made.grid.0;
    for (_, logits) in made.heatmaps.chunks_exact_mut(COUNT).enumerate().filter(|(point, _)| point % columns < 8) {
        logits[0] += 4.0;
        logits[5..].fill(-6.0);
    }
    let poses = made.poses();
    assert_eq!(poses.len(), 2);
    assert!(made.error(&poses[0], &right) < 0.5 && poses[0].score > 2.0 * poses[1].score);
}

#[test]
fn what_lies_beside_does_not_matter_to_a_keypoint_on_a_grid_point() {
    let mut made = Made::new(16, USUAL, &[(ball((64.0, 64.0)), 6.0)], 0.0);
    let middle = 4 * 17 + 4;
    for (head, each) in [
        (&mut made.heatmaps, COUNT),
        (&mut made.offsets, 2 * COUNT),
        (&mut made.forward, 2 * EDGES.len()),
        (&mut made.backward, 2 * EDGES.len()),
    ] {
        head.chunks_exact_mut(each).enumerate().filter(|(at, _)| *at != middle).for_each(|(_, all)| all.fill(f32::NAN));
    }
    let poses = made.poses();
    assert_eq!(poses.len(), 1);
    assert!(made.error(&poses[0], &ball((64.0, 64.0))) < 0.5 && poses[0].score > 0.99);
}

#[test]
fn errors_of_single_points_average_out() {
    let skeleton = standing((120.0, 25.0), 1.0);
    let mut made = Made::new(8, USUAL, &[(skeleton, 6.0)], 0.0);
    let errors = noise(made.offsets.len(), 7);
    made.offsets.iter_mut().zip(errors).for_each(|(offset, error)| *offset += 5.0 * error);
    let poses = made.poses();
    let pixel = |share: f32, pixels: usize| share * pixels as f32 - 0.5;
    let off = poses[0]
        .keypoints
        .iter()
        .zip(skeleton)
        .map(|(found, (x, y))| (pixel(found.x, USUAL.0) - x).powi(2) + (pixel(found.y, USUAL.1) - y).powi(2));
    let off = (off.sum::<f32>() / COUNT as f32).sqrt();
    assert!(off < 2.0, "{off} pixels");
}

#[test]
fn who_stands_close_has_no_vote() {
    let (left, right) = (ball((64.0, 64.0)), ball((86.0, 64.0)));
    let made = Made::new(8, USUAL, &[(left, 6.0), (right, 5.0)], 0.0);
    let poses = made.poses();
    assert_eq!(poses.len(), 2);
    for (pose, skeleton) in poses.iter().zip([left, right]) {
        assert!(made.error(pose, &skeleton) < 0.5, "{}", made.error(pose, &skeleton));
    }
}

#[test]
fn who_is_not_in_the_mask_is_left_out() {
    let (left, right) = (standing((60.0, 30.0), 1.0), standing((200.0, 30.0), 1.0));
    let made = Made::new(16, USUAL, &[(left, 6.0), (right, 5.0)], 0.0);
    for grid in [Grid::ends(17, 10), Grid::cells(64, 36)] {
        let keeping = |kept: std::ops::Range<usize>| {
            let on = |point: usize| kept.contains(&(point % grid.columns * 100 / grid.columns));
            let segments: Vec<f32> = (0..grid.len()).map(|point| if on(point) { 3.0 } else { -3.0 }).collect();
            let mut poses = made.poses();
            keep_on_people(&mut poses, &segments, grid, USUAL);
            poses
        };
        assert_eq!((keeping(0..100).len(), keeping(0..0).len()), (2, 0));
        for (kept, skeleton) in [(0..50, left), (50..100, right)] {
            let poses = keeping(kept);
            assert!(poses.len() == 1 && made.error(&poses[0], &skeleton) < 0.5, "{grid:?}");
        }
        let mut poses = made.poses();
        keep_on_people(&mut poses, &[], grid, USUAL);
        assert_eq!(poses.len(), 2, "a mask of another size says nothing");
    }
}

#[test]
fn a_second_guess_at_one_keypoint_makes_no_second_pose() {
    let skeleton = standing((120.0, 25.0), 1.0);
    let mut made = Made::new(16, USUAL, &[(skeleton, 6.0)], 0.0);
    // A second left ankle, 80 pixels from the first, that leads to the same knee.
    let ankle = 2 * 17 + 13;
    assert!(made.heatmaps[ankle * COUNT + 15] < 0.0);
    made.heatmaps[ankle * COUNT + 15] = 5.0;
    for (axis, value) in [(0, 15), (1, COUNT + 15)] {
        made.offsets[ankle * 2 * COUNT + value] = 0.0;
        let (at, knee) = if axis == 0 { (32.0, skeleton[13].1) } else { (208.0, skeleton[13].0) };
        made.backward[ankle * 2 * EDGES.len() + axis * EDGES.len() + 9] = knee - at;
    }
    let poses = made.poses();
    assert_eq!(poses.len(), 1);
    assert!(made.error(&poses[0], &skeleton) < 0.5);
}

/// Returns numbers that look random, -1.0..=1.0.
fn noise(length: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn garbage_gives_no_panic_and_only_numbers() {
    let mut decoder = PoseDecoder::default();
    let mut poses = Vec::new();
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, 1e9];
    for (round, grid) in [(17, 10), (1, 1), (1, 9), (9, 1), (2, 2), (33, 19)].into_iter().cycle().take(60).enumerate() {
        let scale = 10f32.powi(round as i32 / 3);
        let head = |each: usize| -> Vec<f32> {
            let mut values = noise(grid.0 * grid.1 * each, (round * 40 + each) as u32);
            values.iter_mut().for_each(|value| *value *= scale);
            let some = values.iter_mut().enumerate().filter(|(index, _)| round > 20 && index % 11 == round % 11);
            some.for_each(|(index, value)| *value = special[index % special.len()]);
            values
        };
        let (heatmaps, offsets, forward, backward) = (head(17), head(34), head(32), head(32));
        let heads = PoseHeads { heatmaps: &heatmaps, offsets: &offsets, forward: &forward, backward: &backward };
        for input in [USUAL, (1, 1), (0, 5), (4096, 1)] {
            decoder.decode(&heads, Grid::ends(grid.0, grid.1), input, &mut poses);
            assert!(poses.len() <= MAX_POSES);
            for pose in &poses {
                assert!((0.0..=1.0).contains(&pose.score));
                for Keypoint { x, y, score } in pose.keypoints {
                    assert!((-0.5..=1.5).contains(&x) && (-0.5..=1.5).contains(&y) && (0.0..=1.0).contains(&score));
                }
            }
        }
    }
    for value in special {
        let all = vec![value; 170 * 34];
        let heads = PoseHeads {
            heatmaps: &all[..170 * 17],
            offsets: &all,
            forward: &all[..170 * 32],
            backward: &all[..170 * 32],
        };
        decoder.decode(&heads, Grid::ends(17, 10), USUAL, &mut poses);
        assert!(poses.iter().flat_map(|pose| pose.keypoints).all(|keypoint| keypoint.x.is_finite()), "{value}");
    }
}

#[test]
fn a_vector_that_is_no_number_costs_its_own_branch_only() {
    let skeleton = standing((120.0, 25.0), 1.0);
    let mut made = Made::new(16, USUAL, &[(skeleton, 6.0)], 0.0);
    made.heatmaps.chunks_exact_mut(COUNT).for_each(|logits| logits[0] += 2.0);
    // The way from the left shoulder to the left elbow.
    made.forward.chunks_exact_mut(2 * EDGES.len()).for_each(|vectors| vectors[5] = f32::NAN);
    let poses = made.poses();
    assert_eq!(poses.len(), 1);
    let keypoints = poses[0].keypoints;
    assert_eq!(keypoints[7], Keypoint { score: 0.0, ..keypoints[5] });
    assert!(keypoints[8].score > 0.8 && keypoints[15].score > 0.8);
}

#[test]
fn heads_of_another_size_give_no_poses() {
    let made = Made::new(16, USUAL, &[(standing((120.0, 25.0), 1.0), 6.0)], 0.0);
    assert_eq!(made.poses().len(), 1);
    let heads = made.heads();
    let shorter = [
        PoseHeads { heatmaps: &made.heatmaps[17..], ..heads },
        PoseHeads { offsets: &made.offsets[1..], ..heads },
        PoseHeads { forward: &[], ..heads },
        PoseHeads { backward: &made.offsets, ..heads },
    ];
    let wrong = [(0, 0), (0, 10), (17, 0), (17, 11), (16, 10), (usize::MAX, 2), (usize::MAX, usize::MAX)];
    let cases = shorter.into_iter().map(|heads| (heads, made.grid)).chain(wrong.map(|grid| (heads, grid)));
    for (heads, grid) in cases {
        let mut poses = vec![Pose::default()];
        PoseDecoder::default().decode(&heads, Grid::ends(grid.0, grid.1), USUAL, &mut poses);
        assert!(poses.is_empty(), "{grid:?}");
    }
}

#[test]
fn buffers_are_large_enough_after_the_first_frame() {
    let quiet = Made::new(8, USUAL, &[(standing((120.0, 25.0), 1.0), -6.0)], 0.0);
    let mut decoder = PoseDecoder::default();
    let mut poses = Vec::new();
    decoder.decode(&quiet.heads(), Grid::ends(quiet.grid.0, quiet.grid.1), USUAL, &mut poses);
    let before = (decoder.roots.capacity(), decoder.found.capacity(), poses.capacity());
    for flat in [false, true] {
        let heatmaps = if flat { vec![3.0; quiet.heatmaps.len()] } else { noise(quiet.heatmaps.len(), 7) };
        decoder.decode(
            &PoseHeads { heatmaps: &heatmaps, ..quiet.heads() },
            Grid::ends(quiet.grid.0, quiet.grid.1),
            USUAL,
            &mut poses,
        );
        assert!(!poses.is_empty() || !decoder.roots.is_empty());
        assert_eq!((decoder.roots.capacity(), decoder.found.capacity(), poses.capacity()), before);
    }
}
