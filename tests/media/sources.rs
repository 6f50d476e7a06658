//! Layers of a composed picture whose pictures come from no camera.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use virfie::{
    control::assets::lettering::{Face, Letterer},
    layout::{Canvas, read},
    media::{
        compose::{backdrop::BackdropPainter, colour::Matrix, latest_frames::LatestFrames, planes::I420, stage::Stage},
        port::{Image, Picture, Still},
    },
};

use super::frames::{alike, pixel};

const CANVAS: (usize, usize) = (640, 360);
const ORANGE: [u8; 3] = [255, 136, 0];
const BLUE: [u8; 3] = [0, 64, 128];

/// A stage without threads: composed when it is asked to be.
struct Board {
    stage: Stage,
    canvas: I420,
}

impl Board {
    fn show(layout: &Value, mut images: Vec<Image>) -> Self {
        let canvas = Canvas { width: CANVAS.0 as u32, height: CANVAS.1 as u32, ..Canvas::default() };
        let scene = Arc::new(read(layout, &canvas).unwrap());
        let letterer = Letterer::default();
        for (_, lettering) in scene.letterings() {
            let still = letterer.draw(&lettering, &Face::Family(&lettering.text.font)).unwrap();
            images.push(Image { name: lettering.name().into(), still: Arc::new(still), clip: None });
        }
        let picture = Picture { scene, people: Vec::new(), speakers: Vec::new(), images };
        let stage = Stage::new(BackdropPainter::default().prepare(picture), false);
        Self { stage, canvas: I420::new(CANVAS.0, CANVAS.1, false) }
    }

    fn compose(&mut self, ms: u64) {
        let _ = self.stage.update(&LatestFrames::default(), Duration::from_millis(ms), Duration::from_secs(1)).count();
        self.stage.compose(&mut self.canvas.planes_mut());
    }

    fn shows(&self, x: usize, y: usize, rgb: [u8; 3]) -> bool {
        alike(pixel(self.canvas.data(), CANVAS, x, y), Matrix::Bt601.colour(rgb))
    }

    /// Returns the share of a rectangle's pixels whose colour is this.
    fn share(&self, (left, top, width, height): (usize, usize, usize, usize), rgb: [u8; 3]) -> f64 {
        let places = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        places.filter(|(x, y)| self.shows(*x, *y, rgb)).count() as f64 / (width * height) as f64
    }
}

#[test]
fn a_text_stands_where_it_should_in_its_colour() {
    let layout = json!({
        "canvas": {"background": "#004080"},
        "layers": [{"id": "t", "source": {"text": "HHH", "size": 100, "color": "#ff8800", "weight": 800},
                    "x": "50%", "y": "50%", "anchor": "center"}]
    });
    let mut board = Board::show(&layout, Vec::new());
    board.compose(0);
    // Capitals of 73 pixels in the middle; outside of them there is only the background.
    let letters = (220, 144, 200, 72);
    let (ink, ground) = (board.share(letters, ORANGE), board.share(letters, BLUE));
    assert!(ink > 0.35 && ground > 0.25, "{ink} {ground}");
    assert!(ink + ground > 0.8, "edges are sharp: {ink} and {ground}");
    for outside in [(0, 0, 640, 130), (0, 230, 640, 130), (0, 0, 180, 360), (460, 0, 180, 360)] {
        assert_eq!(board.share(outside, BLUE), 1.0, "{outside:?}");
    }
    // Nothing is darker or lighter than both: no fringe of another colour.
    let luma = board.canvas.planes().y.iter();
    let [low, high] = [BLUE, ORANGE].map(|rgb| Matrix::Bt601.colour(rgb)[0]);
    assert!(luma.clone().all(|y| (low - 2..=high + 2).contains(y)));
}

#[test]
fn a_text_is_broken_at_its_layers_width_and_has_a_background() {
    let layout = json!({
        "canvas": {"background": "#004080"},
        "layers": [{"id": "t", "source": {"text": "one two three four five six", "size": 40, "color": "#ff8800",
                    "background": "#ffffff", "padding": 10, "line_height": 1}, "x": 20, "y": 20, "width": 200}]
    });
    let mut board = Board::show(&layout, Vec::new());
    board.compose(0);
    let white = [255; 3];
    assert!(board.shows(22, 22, white) && board.shows(218, 22, white) && board.shows(224, 22, BLUE));
    // Three lines or more of 40 pixels, each with something in it.
    for line in 0..3 {
        let share = board.share((30, 30 + line * 40, 180, 40), ORANGE);
        assert!(share > 0.04, "line {line}: {share}");
    }
    let bottom = (0..CANVAS.1).rev().find(|y| board.shows(22, *y, white)).unwrap();
    assert_eq!((bottom + 1 - 40) % 40, 0, "whole lines and the padding: {bottom}");
}

fn flat(rgb: [u8; 3]) -> Vec<u8> {
    [rgb[0], rgb[1], rgb[2], 255].repeat(8 * 8)
}

#[test]
fn an_animation_begins_when_it_is_shown_and_ends_when_it_was_played() {
    let mut animated = Still::new(&flat([255, 0, 0]), 8, 8);
    animated.set_first_length(Duration::from_millis(200));
    animated.push(&flat([0, 255, 0]), 8, 8, Duration::from_millis(100));
    animated.set_plays(std::num::NonZeroU32::new(2));
    let image = Image { name: "a.gif".into(), still: Arc::new(animated), clip: None };
    let (red, green) = ([255, 0, 0], [0, 255, 0]);
    let seen = [(5_150, red), (5_349, red), (5_350, green), (5_450, red), (5_750, green), (9_000, green)];
    let layer = json!({"layers": [{"id": "a", "source": {"image": "a.gif"}}]});
    let ground = json!({"canvas": {"background": "a.gif"}, "auto": {"mode": "off"}});
    for layout in [layer, ground] {
        let mut board = Board::show(&layout, vec![image.clone()]);
        for (ms, rgb) in seen {
            board.compose(ms);
            assert_eq!(board.share((0, 0, 640, 360), rgb), 1.0, "{layout} at {ms} ms");
        }
    }
}

#[test]
fn an_animation_moves_by_running_time() {
    let mut animated = Still::new(&flat([255, 0, 0]), 8, 8);
    animated.set_first_length(Duration::from_millis(200));
    animated.push(&flat([0, 255, 0]), 8, 8, Duration::from_millis(100));
    let images = vec![Image { name: "a.gif".into(), still: Arc::new(animated), clip: None }];
    let layout = json!({"canvas": {"background": "#000000"}, "layers": [{"id": "a", "source": {"image": "a.gif"}}]});
    let mut board = Board::show(&layout, images);
    for (ms, rgb) in [(0, [255, 0, 0]), (199, [255, 0, 0]), (200, [0, 255, 0]), (299, [0, 255, 0]), (300, [255, 0, 0])]
    {
        board.compose(ms);
        assert_eq!(board.share((0, 0, 640, 360), rgb), 1.0, "at {ms} ms");
    }
}
