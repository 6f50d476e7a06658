//! PURE: from the network's heads for keypoints to the poses of up to five people.
//!
//! ```text
//!   heatmaps ─► local maxima, best first ─► one is the root ─► the tree of edges, up and down ─► score ─► poses
//!                          ▲                                   (displacements, short offsets)      │
//!                          └───────────────── near a keypoint of a pose that is found: not a root ─┘
//! ```
//! This is the fast greedy decoding of Papandreou et al., "PersonLab: Person Pose Estimation and Instance Segmentation
//! with a Bottom-Up, Part-Based, Geometric Embedding Model", ECCV 2018, section 3.1. Heads are read between grid
//! points (bilinear), not at the nearest one: at stride 16 this takes a quarter to a third off the jitter of keypoints
//! from frame to frame, and puts 72 instead of 67 of 100 within 5 pixels of what an input of four times the pixels
//! shows. In the end the grid points around vote, as they do in the paper for its score maps: the mean of many words is
//! nearer than one.
//!
//! Each frame stands for itself. Nothing is allocated after the first frame of a size.

use super::{grid::Grid, window::Region};

#[cfg(test)]
mod tests;

/// Names of the keypoints, in the order of the network's heads. Left and right are the person's own.
pub const KEYPOINTS: [&str; 17] = [
    "nose",
    "leftEye",
    "rightEye",
    "leftEar",
    "rightEar",
    "leftShoulder",
    "rightShoulder",
    "leftElbow",
    "rightElbow",
    "leftWrist",
    "rightWrist",
    "leftHip",
    "rightHip",
    "leftKnee",
    "rightKnee",
    "leftAnkle",
    "rightAnkle",
];

/// Most poses of a frame.
pub const MAX_POSES: usize = 5;

const COUNT: usize = KEYPOINTS.len();

/// The tree of keypoints, parent and child, in the order of the displacement heads. A parent's edge comes before its
/// children's.
const EDGES: [(usize, usize); COUNT - 1] = [
    (0, 1),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 5),
    (5, 7),
    (7, 9),
    (5, 11),
    (11, 13),
    (13, 15),
    (0, 6),
    (6, 8),
    (8, 10),
    (6, 12),
    (12, 14),
    (14, 16),
];

/// Logit above which a keypoint may be a pose's root: score 0.5.
const ROOT: f32 = 0.0;
/// Poses of a lower score are left out. A face that fills the frame has five good keypoints of 17 and about 0.28; what
/// is below 0.2 is, on webcam pictures, an umbrella, a mug or a second skeleton in the same body.
const LEAST: f32 = 0.2;
/// Score from which on a keypoint is no guess.
const SEEN: f32 = 0.3;
/// Pixels, at an input of [`NEAR_AREA`] pixels, within which two keypoints of the same name are one.
const NEAR: f32 = 20.0;
const NEAR_AREA: f32 = 257.0 * 145.0;
/// Number of times that a keypoint is moved by the short offsets. The second time corrects several pixels, the fourth
/// none.
const REFINEMENTS: usize = 3;
/// Grid points vote on a keypoint that are within so many steps of the grid, those that are nearer more,
const VOTERS: f32 = 3.0;
/// and only for places within this share of [`NEAR`] of where it seems to be: others may speak of somebody else's.
const VOTES: f32 = 0.8;
/// Roots that are followed at most: every keypoint of every pose once. It bounds the time that noise can take.
const TRIES: usize = MAX_POSES * COUNT;
/// Farthest that a keypoint may lie outside, in frames.
const OUTSIDE: f32 = 0.5;

/// The place of a keypoint, as a share of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Keypoint {
    /// 0.0 at the left edge, 1.0 at the right one. Outside of the frame -0.5..=1.5.
    pub x: f32,
    /// 0.0 at the top, 1.0 at the bottom. Outside of the frame -0.5..=1.5.
    pub y: f32,
    /// Certainty of the network, 0.0..=1.0. Below 0.3 the place is a guess.
    pub score: f32,
}

/// One person.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// Mean score of the keypoints that no earlier pose claims, 0.2..=1.0.
    pub score: f32,
    /// In the order of [`KEYPOINTS`].
    pub keypoints: [Keypoint; COUNT],
}

impl Pose {
    /// Turns shares of a part of the frame into shares of the frame of `size` pixels.
    pub fn enlarge(&mut self, region: Region, size: (usize, usize)) {
        for keypoint in &mut self.keypoints {
            let place =
                |share: f32, begin: usize, side: usize, of: usize| (begin as f32 + share * side as f32) / of as f32;
            keypoint.x = place(keypoint.x, region.x, region.width, size.0);
            keypoint.y = place(keypoint.y, region.y, region.height, size.1);
        }
    }
}

/// The network's heads for keypoints; the values of a grid point stand together, points in rows.
#[derive(Debug, Clone, Copy)]
pub struct PoseHeads<'a> {
    /// 17 logits a point: whether the keypoint is within some 30 pixels.
    pub heatmaps: &'a [f32],
    /// 34 a point: 17 rows, then 17 columns, in pixels of the input: from the point to the keypoint.
    pub offsets: &'a [f32],
    /// 32 a point: 16 rows, then 16 columns, in pixels of the input: from an edge's parent to its child.
    pub forward: &'a [f32],
    /// As `forward`, from child to parent.
    pub backward: &'a [f32],
}

impl PoseHeads<'_> {
    /// Returns the number of grid points, if there are some and every head has all its values.
    fn points(&self, grid: Grid) -> Option<usize> {
        let points = grid.columns.checked_mul(grid.rows).filter(|points| *points > 0)?;
        let lengths = [
            (self.heatmaps, COUNT),
            (self.offsets, 2 * COUNT),
            (self.forward, 2 * EDGES.len()),
            (self.backward, 2 * EDGES.len()),
        ];
        let whole = lengths.iter().all(|(head, each)| points.checked_mul(*each) == Some(head.len()));
        whole.then_some(points)
    }
}

/// A place in the network's input, in pixels.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    x: f32,
    y: f32,
}

impl Place {
    fn distance_squared(self, other: Self) -> f32 {
        (self.x - other.x).powi(2) + (self.y - other.y).powi(2)
    }
}

/// A keypoint while its pose is being followed.
#[derive(Debug, Clone, Copy, Default)]
struct Joint {
    place: Place,
    score: f32,
}

/// A local maximum of a heatmap.
#[derive(Debug, Clone, Copy)]
struct Root {
    logit: f32,
    /// Index into the heatmaps.
    index: usize,
}

/// Finds poses, frame after frame.
#[derive(Debug, Clone, Default)]
pub struct PoseDecoder {
    roots: Vec<Root>,
    /// Places of the poses that are found, in the order of finding.
    found: Vec<[Joint; COUNT]>,
}

impl PoseDecoder {
    /// Replaces `poses` by those of a frame, best first, at most [`MAX_POSES`]. `input` is width and height of the
    /// network's input in pixels. Heads that do not have the grid's size give no poses; values that are not numbers are
    /// keypoints of score 0 at the place of their neighbour in the tree.
    pub fn decode(&mut self, heads: &PoseHeads<'_>, grid: Grid, input: (usize, usize), poses: &mut Vec<Pose>) {
        poses.clear();
        self.found.clear();
        if heads.points(grid).is_none() || input.0 == 0 || input.1 == 0 {
            return;
        }
        self.found.reserve(MAX_POSES);
        poses.reserve(MAX_POSES);
        let map = Map::new(heads, grid, input);
        let near = near((input.0 as f32, input.1 as f32));
        self.find_roots(heads.heatmaps, grid);
        let mut tries = 0;
        for root in &self.roots {
            let keypoint = root.index % COUNT;
            let Some(place) = map.refined(map.place(root.index / COUNT), keypoint) else { continue };
            if claimed(&self.found, keypoint, place, near) {
                continue;
            }
            if self.found.len() == MAX_POSES || tries == TRIES {
                break;
            }
            tries += 1;
            let joints = map.follow(keypoint, place);
            let own = joints.iter().enumerate();
            let own = own.filter(|(keypoint, joint)| !claimed(&self.found, *keypoint, joint.place, near));
            let score = own.map(|(_, joint)| joint.score).sum::<f32>() / COUNT as f32;
            if score >= LEAST {
                self.found.push(joints);
                poses.push(Pose { score, keypoints: joints.map(|joint| map.keypoint(joint)) });
            }
        }
        poses.sort_by(|one, other| other.score.total_cmp(&one.score));
    }

    /// Collects what is above its eight neighbours. Of equal neighbours the first one counts, so at most one of four
    /// points is a maximum.
    fn find_roots(&mut self, heatmaps: &[f32], Grid { columns, rows, .. }: Grid) {
        self.roots.clear();
        self.roots.reserve(columns.div_ceil(2) * rows.div_ceil(2) * COUNT);
        for (point, logits) in heatmaps.chunks_exact(COUNT).enumerate() {
            if logits.iter().fold(f32::NEG_INFINITY, |most, logit| most.max(*logit)) <= ROOT {
                continue;
            }
            let (row, column) = (point / columns, point % columns);
            for (keypoint, &logit) in logits.iter().enumerate().filter(|(_, logit)| **logit > ROOT) {
                let highest = (row.saturating_sub(1)..=(row + 1).min(rows - 1)).all(|line| {
                    (column.saturating_sub(1)..=(column + 1).min(columns - 1)).all(|across| {
                        let other = line * columns + across;
                        let near = heatmaps[other * COUNT + keypoint];
                        other == point || !(near > logit || near == logit && other < point)
                    })
                });
                if highest {
                    self.roots.push(Root { logit, index: point * COUNT + keypoint });
                }
            }
        }
        let order = |one: &Root, other: &Root| other.logit.total_cmp(&one.logit).then(one.index.cmp(&other.index));
        self.roots.sort_unstable_by(order);
    }
}

/// Leaves out the poses that the network's own mask does not know: of whose keypoints that are seen within the frame
/// most lie on nobody. `segments` are logits of `grid`, a value each, for an `input` of that width and height. Where
/// they are not of the grid's size all poses stay.
pub fn keep_on_people(poses: &mut Vec<Pose>, segments: &[f32], grid: Grid, input: (usize, usize)) {
    if grid.is_empty() || segments.len() != grid.len() {
        return;
    }
    let near = |share: f32, pixels: usize, points: usize| {
        let place = grid.alignment.place(share * pixels as f32 - 0.5, pixels, points);
        place.round().clamp(0.0, (points - 1) as f32) as usize
    };
    poses.retain(|pose| {
        let inside = |keypoint: &&Keypoint| [keypoint.x, keypoint.y].iter().all(|share| (0.0..=1.0).contains(share));
        let seen = pose.keypoints.iter().filter(|keypoint| keypoint.score >= SEEN).filter(inside);
        let (all, on) = seen.fold((0, 0), |(all, on), keypoint| {
            let point = near(keypoint.y, input.1, grid.rows) * grid.columns + near(keypoint.x, input.0, grid.columns);
            (all + 1, on + usize::from(segments[point] > 0.0))
        });
        2 * on >= all
    });
}

/// Returns the square of [`NEAR`] at an input of that width and height.
fn near(input: (f32, f32)) -> f32 {
    NEAR * NEAR * input.0 * input.1 / NEAR_AREA
}

/// Returns whether a pose that is found has this keypoint there already.
fn claimed(found: &[[Joint; COUNT]], keypoint: usize, place: Place, near: f32) -> bool {
    found.iter().any(|joints| joints[keypoint].place.distance_squared(place) <= near)
}

pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The heads as functions of a place.
struct Map<'a> {
    heads: &'a PoseHeads<'a>,
    grid: Grid,
    input: (f32, f32),
    /// Across and down: pixels between grid points, and the pixel of the first one.
    steps: [(f32, f32); 2],
}

/// Four grid points around a place, and their weights.
struct Cell([(usize, f32); 4]);

impl Cell {
    fn read(&self, head: &[f32], each: usize, value: usize) -> f32 {
        // A weight of nothing must not turn a neighbour that is no number into the result.
        let weighted = self.0.iter().filter(|(_, weight)| *weight > 0.0);
        weighted.map(|(point, weight)| head[point * each + value] * weight).sum()
    }
}

impl<'a> Map<'a> {
    fn new(heads: &'a PoseHeads<'a>, grid: Grid, input: (usize, usize)) -> Self {
        let steps = [grid.alignment.steps(input.0, grid.columns), grid.alignment.steps(input.1, grid.rows)];
        Self { heads, grid, input: (input.0 as f32, input.1 as f32), steps }
    }

    /// Returns where a grid point lies.
    fn place(&self, point: usize) -> Place {
        let (row, column) = (point / self.grid.columns, point % self.grid.columns);
        let [across, down] = self.steps;
        Place { x: column as f32 * across.0 + across.1, y: row as f32 * down.0 + down.1 }
    }

    /// Returns the place inside of the grid that is nearest to `place`, and the grid points around it.
    fn cell(&self, place: Place) -> (Place, Cell) {
        let axis = |at: f32, (step, origin): (f32, f32), points: usize| {
            let at = ((at - origin) / step).clamp(0.0, (points - 1) as f32);
            let first = at as usize;
            (at * step + origin, first, (first + 1).min(points - 1), at - first as f32)
        };
        let (x, left, right, across) = axis(place.x, self.steps[0], self.grid.columns);
        let (y, upper, lower, down) = axis(place.y, self.steps[1], self.grid.rows);
        let (upper, lower) = (upper * self.grid.columns, lower * self.grid.columns);
        let cell = Cell([
            (upper + left, (1.0 - across) * (1.0 - down)),
            (upper + right, across * (1.0 - down)),
            (lower + left, (1.0 - across) * down),
            (lower + right, across * down),
        ]);
        (Place { x, y }, cell)
    }

    /// Returns where the vector `value` of a head of `count` vectors (rows first, then columns) leads to from `place`,
    /// if it is a number. Outside of the grid the heads say where to go from its edge.
    fn moved(&self, place: Place, head: &[f32], count: usize, value: usize) -> Option<Place> {
        let (place, cell) = self.cell(place);
        let x = place.x + cell.read(head, 2 * count, count + value);
        let y = place.y + cell.read(head, 2 * count, value);
        (x.is_finite() && y.is_finite()).then_some(Place { x, y })
    }

    /// Moves `place` to the keypoint that it is near.
    fn refined(&self, place: Place, keypoint: usize) -> Option<Place> {
        let place =
            (0..REFINEMENTS).try_fold(place, |place, _| self.moved(place, self.heads.offsets, COUNT, keypoint))?;
        Some(self.voted(place, keypoint))
    }

    /// Returns the mean of where the grid points around `place` see the keypoint, each by its score; `place` where none
    /// does.
    fn voted(&self, place: Place, keypoint: usize) -> Place {
        let [across, down] = self.steps;
        let around = |at: f32, (step, origin): (f32, f32), points: usize| {
            let middle = (at - origin) / step;
            let first = (middle - VOTERS).ceil().max(0.0) as usize;
            first..((middle + VOTERS).floor() + 1.0).clamp(0.0, points as f32) as usize
        };
        let most = VOTES * VOTES * near(self.input);
        let (mut x, mut y, mut total) = (0.0, 0.0, 0.0);
        for row in around(place.y, down, self.grid.rows) {
            for column in around(place.x, across, self.grid.columns) {
                let point = row * self.grid.columns + column;
                let from = self.place(point);
                let (dx, dy) = ((from.x - place.x) / across.0, (from.y - place.y) / down.0);
                let nearness = 1.0 - (dx * dx + dy * dy) / (VOTERS * VOTERS);
                let offsets = &self.heads.offsets[point * 2 * COUNT..][..2 * COUNT];
                let vote = Place { x: from.x + offsets[COUNT + keypoint], y: from.y + offsets[keypoint] };
                let weight = nearness * sigmoid(self.heads.heatmaps[point * COUNT + keypoint]);
                // Neither is true of what is no number.
                if weight > 0.0 && vote.distance_squared(place) <= most {
                    (x, y, total) = (x + weight * vote.x, y + weight * vote.y, total + weight);
                }
            }
        }
        if total > f32::EPSILON { Place { x: x / total, y: y / total } } else { place }
    }

    fn score(&self, place: Place, keypoint: usize) -> f32 {
        let logit = self.cell(place).1.read(self.heads.heatmaps, COUNT, keypoint);
        if logit.is_nan() { 0.0 } else { sigmoid(logit) }
    }

    /// Returns the whole pose of the person whose keypoint `root` is at `place`.
    fn follow(&self, root: usize, place: Place) -> [Joint; COUNT] {
        let mut joints: [Option<Joint>; COUNT] = [None; COUNT];
        joints[root] = Some(Joint { place, score: self.score(place, root) });
        let upwards = EDGES.iter().enumerate().rev().map(|(edge, (parent, child))| (edge, *child, *parent, true));
        let downwards = EDGES.iter().enumerate().map(|(edge, (parent, child))| (edge, *parent, *child, false));
        for (edge, from, to, up) in upwards.chain(downwards) {
            if let (Some(source), None) = (joints[from], joints[to]) {
                let head = if up { self.heads.backward } else { self.heads.forward };
                let target = self.moved(source.place, head, EDGES.len(), edge);
                joints[to] = Some(match target.and_then(|target| self.refined(target, to)) {
                    Some(place) => Joint { place, score: self.score(place, to) },
                    None => Joint { place: source.place, score: 0.0 },
                });
            }
        }
        // The edges reach all keypoints from any one of them.
        joints.map(Option::unwrap_or_default)
    }

    fn keypoint(&self, joint: Joint) -> Keypoint {
        // Grid points lie in the middle of pixels.
        let share = |pixel: f32, pixels: f32| ((pixel + 0.5) / pixels).clamp(-OUTSIDE, 1.0 + OUTSIDE);
        Keypoint { x: share(joint.place.x, self.input.0), y: share(joint.place.y, self.input.1), score: joint.score }
    }
}
