//! Somebody who is small in a large picture: after the first look, the network sees the part around them.

use std::{path::Path, sync::Arc, time::Duration};

use image::{DynamicImage, imageops::FilterType};
use virfie::{
    layout::Cut,
    media::{
        compose::{
            colour::{Matrix, rgba_to_i420},
            planes::I420,
        },
        segment::{
            model::{LoadOptions, Model},
            stream::{MaskRequest, Outcome, Stream},
        },
    },
};

use super::frames::yuv;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Frames after which the network has seen what changed.
const SOON: usize = 5;

fn picture(name: &str) -> DynamicImage {
    image::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns a studio with somebody in a picture of 640x360 at each of these places.
fn scene(places: &[(usize, usize)]) -> I420 {
    let mut room = picture("pipelines/assets/studio.jpg").resize_to_fill(1280, 720, FilterType::Triangle).into_rgba8();
    let somebody = picture("models/pictures/portrait.jpg");
    let somebody = somebody.crop_imm(0, 0, somebody.width(), somebody.width() * 9 / 16);
    let somebody = somebody.resize_exact(640, 360, FilterType::Triangle).into_rgba8();
    for (x, y) in places {
        image::imageops::overlay(&mut room, &somebody, *x as i64, *y as i64);
    }
    rgba_to_i420(room.as_raw(), WIDTH, HEIGHT, Matrix::Bt601)
}

/// A stream of 30 pictures a second.
struct Watched {
    stream: Stream,
    wish: MaskRequest,
    frames: u32,
}

impl Watched {
    fn new() -> Self {
        let model: Arc<Model> = Model::embedded(LoadOptions::default()).unwrap();
        let wish = MaskRequest { cuts: vec![Cut::default()], despill: false, ..MaskRequest::default() };
        Self { stream: Stream::new(model), wish, frames: 0 }
    }

    /// Looks at a picture.
    fn outcome(&mut self, picture: &I420) -> Outcome {
        self.frames += 1;
        let now = Duration::from_millis(33) * self.frames;
        self.stream.frame(&yuv(picture), &self.wish, 1, now).unwrap()
    }

    /// Looks at a picture so many times; the last mask.
    fn look(&mut self, picture: &I420, times: usize) -> Vec<u8> {
        let outcome = (0..times).map(|_| self.outcome(picture)).last().unwrap();
        let (_, mask) = &outcome.masks[0];
        let bytes: &[u8] = (**mask).as_ref();
        bytes.chunks(mask.stride()).flat_map(|row| &row[..WIDTH]).copied().collect()
    }
}

/// Returns the share of the picture of somebody at a place that is kept.
fn kept(mask: &[u8], (left, top): (usize, usize)) -> f32 {
    let rows = mask.chunks(WIDTH).skip(top).take(360);
    let kept = rows.flat_map(|row| &row[left..left + 640]).filter(|alpha| **alpha >= 128).count();
    kept as f32 / (640.0 * 360.0)
}

#[test]
fn somebody_small_stays_when_the_network_sees_the_part_around_them() {
    let mut watched = Watched::new();
    let place = (640, 360);
    let there = scene(&[place]);
    let first = kept(&watched.look(&there, 1), place);
    assert!(first > 0.3, "{first}");
    // Through the window, and with glances at the whole picture in between.
    for frames in [SOON, 60] {
        let later = kept(&watched.look(&there, frames), place);
        assert!((later - first).abs() < 0.1, "{later} of {first} after {frames}");
    }
    let gone = watched.look(&scene(&[]), SOON);
    assert!(gone.iter().all(|alpha| *alpha < 128));
}

#[test]
fn the_mask_of_a_frame_that_is_glanced_at_is_not_fresh() {
    let mut watched = Watched::new();
    let there = scene(&[(640, 360)]);
    let outcomes: Vec<(bool, bool)> =
        (0..60).map(|_| watched.outcome(&there)).map(|outcome| (outcome.seen, outcome.fresh)).collect();
    assert!(outcomes.iter().all(|(seen, _)| *seen), "the network sees every frame: {outcomes:?}");
    let carried = outcomes.iter().filter(|(_, fresh)| !fresh).count();
    // The whole picture is glanced at on every fifteenth frame.
    assert!((1..=4).contains(&carried), "{outcomes:?}");
    assert!(outcomes[0].1, "the first look finds a mask");
}
