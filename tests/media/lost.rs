//! Layers of somebody who is to be cut out and is not found.

use std::{sync::Arc, time::Duration};

use gstreamer_video as gst_video;
use serde_json::{Value, json};
use virfie::{
    layout::{Canvas, Cut, read},
    media::{
        compose::{
            backdrop::BackdropPainter, clock::CanvasFormat, colour::Matrix, latest_frames::LatestFrames, planes::I420,
            stage::Stage,
        },
        gst::{
            frame::{Shot, VideoFrame},
            segmented::{Found, Shelf},
        },
        port::{ParticipantId, PeerId, Picture, Seat},
    },
};

use super::frames::{alike, flat, turn};

const FORMAT: CanvasFormat = CanvasFormat { width: 320, height: 180, fps: 30 };
const GREEN: [u8; 3] = [0, 255, 0];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const MIDDLE: usize = 160;

/// Returns a camera's picture, red on the left and blue on the right, with a mask that is the same everywhere.
fn shot(alpha: u8, is_lost: bool) -> Shot {
    virfie::media::gst::init().unwrap();
    let info = gst_video::VideoInfo::from_caps(&FORMAT.caps()).unwrap();
    let mut buffer = flat(FORMAT, RED);
    {
        let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
        let colour = Matrix::Bt601.colour(BLUE);
        for (plane, value) in colour.into_iter().enumerate() {
            let (from, stride) = (info.offset()[plane], info.stride()[plane] as usize);
            let (left, width, height) = if plane == 0 { (MIDDLE, 320, 180) } else { (MIDDLE / 2, 160, 90) };
            for row in map[from..].chunks_mut(stride).take(height) {
                row[left..width].fill(value);
            }
        }
    }
    let mut mask = Arc::new(Shelf::default()).plane((320, 180));
    mask.bytes_mut().fill(alpha);
    let found = Found { masks: vec![(Cut::default(), Arc::new(mask))], ..Found::default() };
    let frame = VideoFrame::from_buffer_readable(buffer, &info).unwrap();
    Shot { frame, found: Some(Arc::new(found)), is_lost }
}

/// Returns what a layer with these keys shows over green.
fn shown(keys: Value, shot: Shot) -> I420 {
    let _turn = turn();
    let mut layer = json!({"id": "a", "source": {"participant": "ann"}, "cutout": "person"});
    keys.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
    let layout = json!({"canvas": {"background": "#00ff00"}, "layers": [layer], "auto": {"mode": "off"}});
    let scene = Arc::new(read(&layout, &Canvas { width: 320, height: 180, ..Canvas::default() }).unwrap());
    let ann = ParticipantId("ann".into());
    let people = vec![Seat { participant: ann.clone(), name: "ann".into() }];
    let picture = Picture { scene, people, speakers: Vec::new(), images: Vec::new() };
    let mut stage = Stage::new(BackdropPainter::default().prepare(picture), true);
    let slots = LatestFrames::default();
    slots.assign(&ann, PeerId(1));
    slots.put(&ann, PeerId(1), shot, Duration::ZERO);
    let mut canvas = I420::new(320, 180, false);
    let _ = stage.update(&slots, Duration::ZERO, Duration::from_secs(1)).count();
    stage.compose(&mut canvas.planes_mut());
    canvas
}

fn at(canvas: &I420, x: usize, y: usize) -> [u8; 3] {
    let planes = canvas.planes();
    let [u, v] = planes.chroma();
    [planes.luma().row(y)[x], u.row(y / 2)[x / 2], v.row(y / 2)[x / 2]]
}

fn is(canvas: &I420, x: usize, rgb: [u8; 3]) -> bool {
    alike(at(canvas, x, 90), Matrix::Bt601.colour(rgb))
}

#[test]
fn who_is_lost_is_hidden_whole_or_blurred_as_the_layer_says() {
    for keys in [json!({}), json!({"lost": "hide"})] {
        let hidden = shown(keys, shot(0, true));
        assert!([4, 155, 165, 316].into_iter().all(|x| is(&hidden, x, GREEN)));
    }
    let whole = shown(json!({"lost": "whole"}), shot(0, true));
    assert!([4, 155].into_iter().all(|x| is(&whole, x, RED)) && [165, 316].into_iter().all(|x| is(&whole, x, BLUE)));
    let blurred = shown(json!({"lost": "blur"}), shot(0, true));
    assert!(is(&blurred, 4, RED) && is(&blurred, 316, BLUE), "{:?} {:?}", at(&blurred, 4, 90), at(&blurred, 316, 90));
    for x in [140, 155, 165, 180] {
        assert!(![RED, BLUE, GREEN].into_iter().any(|rgb| is(&blurred, x, rgb)), "{x}: {:?}", at(&blurred, x, 90));
    }
    // As far as the layer's own background, where it has one.
    let own = shown(json!({"lost": "blur", "background": {"blur": 4}}), shot(0, true));
    assert!(is(&own, 140, RED) && is(&own, 180, BLUE) && !is(&own, 158, RED));
}

#[test]
fn nobody_is_shown_whole_before_they_are_lost() {
    for lost in ["hide", "whole", "blur"] {
        let early = shown(json!({ "lost": lost }), shot(0, false));
        assert!([4, 155, 165, 316].into_iter().all(|x| is(&early, x, GREEN)), "{lost}");
        let found = shown(json!({ "lost": lost }), shot(255, false));
        assert!(is(&found, 155, RED) && is(&found, 165, BLUE), "{lost}");
    }
}

#[test]
fn the_whole_picture_has_the_layer_s_look() {
    for lost in ["whole", "blur"] {
        let look = json!({"lost": lost, "radius": 60, "mirror": true, "x": 0, "width": 320, "height": 180});
        let canvas = shown(look, shot(0, true));
        assert!(is(&canvas, 4, BLUE) && is(&canvas, 316, RED), "{lost}");
        assert!(alike(at(&canvas, 2, 2), Matrix::Bt601.colour(GREEN)), "{lost}");
        let glass = shown(json!({"lost": lost, "opacity": 0.5}), shot(0, true));
        assert!(!is(&glass, 4, RED) && !is(&glass, 4, GREEN), "{lost}");
    }
}

#[test]
fn a_layer_that_cuts_nobody_out_is_as_it_was() {
    let whole = shown(json!({"cutout": "none"}), shot(0, true));
    assert!(is(&whole, 155, RED) && is(&whole, 165, BLUE));
}
