//! Layers that go along with a person's body. PURE.
//!
//! A keypoint jumps about from frame to frame, and is not seen now and then: its place is smoothed, and held for a
//! moment.

use std::time::Duration;

use crate::{
    layout::{Key, KeypointName, Placed, Placement},
    media::port::Pose,
};

/// Score from which on a keypoint is believed: that of the old application.
const SEEN: f32 = 0.1;
/// Time in which two thirds of the way to a keypoint's new place are gone, in seconds.
const SMOOTHING: f32 = 0.06;
/// Time for which a place is held that is not seen any more.
const HOLD: Duration = Duration::from_secs(1);

/// The last place of a follower.
#[derive(Debug)]
struct Last {
    key: Key,
    place: (f32, f32),
    seen: Duration,
    moved: Duration,
}

/// All followers of a canvas.
#[derive(Debug, Default)]
pub struct Followers {
    last: Vec<Last>,
}

impl Followers {
    /// Moves all followers to where they belong; those whose keypoint is not seen are made unseen (opacity 0).
    /// `canvas`: its size. `pose`: a person's surest pose and the size of the frame that it was found in.
    pub fn place(
        &mut self,
        placements: &mut [Placement],
        canvas: (f32, f32),
        now: Duration,
        pose: impl Fn(usize) -> Option<(Pose, (u32, u32))>,
    ) {
        for index in 0..placements.len() {
            let Some(follow) = placements[index].following.take() else { continue };
            let followed = placements.iter().find(|one| matches!(&one.key, Key::Layer(id) if *id == follow.layer));
            let at = followed.and_then(|followed| on_canvas(followed, follow.keypoint, &pose));
            let share = followed.map(|one| (one.dst.width as f32 / canvas.0, one.dst.height as f32 / canvas.1));
            let place = self.smooth(&placements[index].key, at, now);
            let own = &mut placements[index];
            match place {
                Some((x, y)) => {
                    if let (Some(scale), Some((across, down))) = (follow.scale, share) {
                        own.dst.width = (own.src.width * scale * across).round().max(1.0) as i32;
                        own.dst.height = (own.src.height * scale * down).round().max(1.0) as i32;
                    }
                    own.dst.x = (x + follow.offset.0 - follow.anchor.0 * own.dst.width as f32).round() as i32;
                    own.dst.y = (y + follow.offset.1 - follow.anchor.1 * own.dst.height as f32).round() as i32;
                }
                None => own.opacity = 0.0,
            }
            own.following = Some(follow);
        }
        self.last.retain(|last| now.saturating_sub(last.seen) <= HOLD);
    }

    fn smooth(&mut self, key: &Key, at: Option<(f32, f32)>, now: Duration) -> Option<(f32, f32)> {
        let known = self.last.iter_mut().find(|last| last.key == *key);
        match (known, at) {
            (Some(last), Some((x, y))) => {
                let past = now.saturating_sub(last.moved).as_secs_f32();
                let share = 1.0 - (-past / SMOOTHING).exp();
                last.place = (last.place.0 + (x - last.place.0) * share, last.place.1 + (y - last.place.1) * share);
                (last.seen, last.moved) = (now, now);
                Some(last.place)
            }
            (Some(last), None) => (now.saturating_sub(last.seen) <= HOLD).then_some(last.place),
            (None, Some(place)) => {
                self.last.push(Last { key: key.clone(), place, seen: now, moved: now });
                Some(place)
            }
            (None, None) => None,
        }
    }
}

/// Returns where on the canvas a keypoint of the person in a placement is; `None` where it is not seen.
pub(super) fn on_canvas(
    followed: &Placement,
    keypoint: KeypointName,
    pose: impl Fn(usize) -> Option<(Pose, (u32, u32))>,
) -> Option<(f32, f32)> {
    let Placed::Person(person) = followed.source else { return None };
    let (pose, (width, height)) = pose(person)?;
    let keypoint = pose.keypoints[keypoint as usize];
    if keypoint.score < SEEN {
        return None;
    }
    let (dst, src) = (followed.dst, followed.src);
    let across = (keypoint.x * width as f32 - src.x) / src.width;
    let down = (keypoint.y * height as f32 - src.y) / src.height;
    let across = if followed.mirror { 1.0 - across } else { across };
    // Turned with the picture, about its middle.
    let (lx, ly) = ((across - 0.5) * dst.width as f32, (down - 0.5) * dst.height as f32);
    let (sin, cos) = followed.look.turn.to_radians().sin_cos();
    let centre = (dst.x as f32 + dst.width as f32 / 2.0, dst.y as f32 + dst.height as f32 / 2.0);
    Some((centre.0 + cos * lx - sin * ly, centre.1 + sin * lx + cos * ly))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::layout::{Canvas, Facts, Person, read, solve};

    fn placements(follow: serde_json::Value) -> Vec<Placement> {
        let layout = json!({"layers": [
            {"id": "ann", "source": {"participant": "ann"}, "x": 640, "y": 360, "scale": 0.5, "mirror": true},
            {"id": "beer", "source": {"image": "beer.png"}, "follow": follow, "z": 1}
        ]});
        let scene = read(&layout, &Canvas::default()).unwrap();
        let people = [Person { name: "ann", size: Some((1280, 720)) }];
        solve(&scene, &Facts { people: &people, image_size: &|_| Some((300, 200)), speakers: &[], can_cut: true })
    }

    fn pose_at(x: f32, y: f32, score: f32) -> Pose {
        let mut pose = Pose::default();
        (pose.keypoints[10].x, pose.keypoints[10].y, pose.keypoints[10].score) = (x, y, score);
        pose
    }

    #[test]
    fn it_stands_on_the_keypoint_as_the_canvas_shows_it() {
        let follow =
            json!({"layer": "ann", "keypoint": "rightWrist", "anchor": "bottom-right", "dx": 20, "scale": 1.5});
        let mut shown = placements(follow);
        let pose = pose_at(0.25, 0.5, 0.9);
        Followers::default().place(&mut shown, (1280.0, 720.0), Duration::ZERO, |_| Some((pose, (1280, 720))));
        // Mirrored, a quarter is three quarters of 640 pixels from 640 on.
        let beer = &shown[1].dst;
        assert_eq!((beer.width, beer.height), (225, 150));
        assert_eq!((beer.x + beer.width, beer.y + beer.height), (640 + 480 + 20, 360 + 180));
    }

    #[test]
    fn a_place_that_is_not_seen_is_held_for_a_moment() {
        let mut followers = Followers::default();
        let mut at = |ms: u64, score: f32, x: f32| {
            let mut shown = placements(json!({"layer": "ann", "keypoint": "rightWrist"}));
            let pose = pose_at(x, 0.5, score);
            let now = Duration::from_millis(ms);
            followers.place(&mut shown, (1280.0, 720.0), now, |_| Some((pose, (1280, 720))));
            (shown[1].dst.x, shown[1].opacity)
        };
        assert_eq!(at(0, 0.05, 0.5).1, 0.0, "never seen");
        let (there, _) = at(100, 0.9, 0.5);
        assert_eq!(there, 960 - 150);
        assert_eq!(at(900, 0.0, 0.9), (there, 1.0));
        assert_eq!(at(1200, 0.0, 0.9).1, 0.0);
        assert_eq!(at(2000, 0.9, 0.5), (there, 1.0));
        let (moved, _) = at(2040, 0.9, 0.25);
        assert!(moved > there && moved < there + 160, "{moved}");
    }
}
