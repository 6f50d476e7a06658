//! The findings of segmentation beside the first mask: further masks, body parts, poses, and how old they are.

use std::{path::Path, time::Instant};

use gstreamer::{self as gst, prelude::*};
use virfie::{
    layout::{BodyPart, BodyParts, Cut, ModelName},
    media::{
        gst::segmented::{Found, found},
        segment::{BodyPix, MaskRequest, models},
    },
};

use super::{
    bodypix::{Line, mean, plane},
    frames::{PATIENCE, model, shared, turn},
};

/// Returns a man in the middle before a pale wall, 640x480, through the element.
fn man(model: &Path, clip: &Path) -> Line {
    let line = Line::new(
        "filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=I420,width=640,height=480 \
         ! bodypix name=cut ! appsink name=out sync=false max-buffers=8",
    );
    line.element("file").set_property("location", clip.to_str().unwrap());
    line.element("cut").set_property("model", model.to_str().unwrap());
    line
}

fn given() -> Option<Line> {
    Some(man(&model()?, &shared("video/asl_man_grey_tshirt.mp4")?))
}

fn what(sample: &gst::Sample) -> std::sync::Arc<Found> {
    found(sample.buffer().unwrap()).expect("a segmented frame says what was found")
}

/// Returns a mask as rows.
fn rows(found: &Found, index: usize) -> Vec<Vec<u8>> {
    let plane = &found.masks[index].1;
    (**plane).as_ref().chunks(plane.stride()).map(<[u8]>::to_vec).collect()
}

fn wish(line: &Line, wish: MaskRequest) {
    line.element("cut").downcast::<BodyPix>().unwrap().wish(wish);
}

const FACE: (usize, usize) = (315, 95);
const SHIRT: (usize, usize) = (310, 320);
const WALL: (usize, usize) = (150, 40);

fn face() -> BodyParts {
    BodyParts::NONE.with(BodyPart::LeftFace).with(BodyPart::RightFace)
}

#[test]
fn a_cut_that_names_a_model_is_found_by_it() {
    let _turn = turn();
    let Some(line) = given() else { return };
    let name = ModelName::new("embedded").unwrap();
    let deadline = Instant::now() + PATIENCE;
    while models::named(name).is_none() {
        assert!(Instant::now() < deadline, "the model is not loaded");
        std::thread::yield_now();
    }
    let own = Cut { model: Some(name), ..Cut::default() };
    wish(&line, MaskRequest { cuts: vec![Cut::default(), own], despill: false, ..MaskRequest::default() });
    line.play();
    let found = what(&line.pull("out"));
    let (bodypix, embedded) = (rows(&found, 0), rows(&found, 1));
    for mask in [&bodypix, &embedded] {
        assert!(mean(mask, FACE.0, FACE.1) > 250 && mean(mask, SHIRT.0, SHIRT.1) > 250);
        assert!(mean(mask, WALL.0, WALL.1) < 5);
    }
    // The finer network draws another edge.
    assert!(bodypix != embedded);
}

#[test]
fn layers_with_different_cuts_each_get_their_own_mask_of_the_same_frame() {
    let _turn = turn();
    let Some(line) = given() else { return };
    let torso = [BodyPart::TorsoFront, BodyPart::TorsoBack].into_iter().collect();
    let cuts = vec![
        Cut::default(),
        Cut { parts: Some(face()), ..Cut::default() },
        Cut { parts: Some(torso), ..Cut::default() },
        Cut { feather: 0.0, ..Cut::default() },
    ];
    wish(&line, MaskRequest { cuts: cuts.clone(), ..MaskRequest::default() });
    line.play();
    for _ in 0..5 {
        let sample = line.pull("out");
        let found = what(&sample);
        assert_eq!(found.masks.iter().map(|(cut, _)| *cut).collect::<Vec<_>>(), cuts);
        assert_eq!(found.inferred, sample.buffer().unwrap().pts());
        assert_eq!(rows(&found, 0), plane(&sample, 3), "the first is the frame's alpha");
        let at = |index: usize, (x, y): (usize, usize)| mean(&rows(&found, index), x, y);
        for (index, opaque, clear) in [
            (0, vec![FACE, SHIRT], vec![WALL]),
            (1, vec![FACE], vec![SHIRT, WALL]),
            (2, vec![SHIRT], vec![FACE, WALL]),
            (3, vec![FACE, SHIRT], vec![WALL]),
        ] {
            for place in opaque {
                assert!(at(index, place) > 200, "mask {index} has {} at {place:?}", at(index, place));
            }
            for place in clear {
                assert!(at(index, place) < 55, "mask {index} has {} at {place:?}", at(index, place));
            }
        }
        let soft =
            |index: usize| rows(&found, index).concat().iter().filter(|alpha| (16..240).contains(*alpha)).count();
        assert!(soft(3) * 10 < soft(0) * 9, "an edge without feather is harder: {} and {}", soft(3), soft(0));
    }
}

#[test]
fn body_parts_can_be_kept_by_name_in_a_launch_line() {
    let _turn = turn();
    let Some(line) = given() else { return };
    line.element("cut").set_property("cutout", "left_face, right_face");
    line.play();
    let alpha = plane(&line.pull("out"), 3);
    assert!(mean(&alpha, FACE.0, FACE.1) > 200 && mean(&alpha, SHIRT.0, SHIRT.1) < 55);
}

#[test]
fn an_unknown_part_is_an_error_that_names_it_and_the_known_ones() {
    let _turn = turn();
    let Some(line) = given() else { return };
    line.element("cut").set_property("cutout", "left_face,nose");
    let _ = line.0.set_state(gst::State::Playing);
    let error = line.error();
    assert!(error.contains("nose") && error.contains("left_upper_leg_back"), "{error}");
}

#[test]
fn poses_travel_with_frames_that_are_not_cut_out() {
    let _turn = turn();
    let Some(line) = given() else { return };
    line.element("cut").set_property("cutout", "none");
    line.element("cut").set_property("keypoints", true);
    line.play();
    for _ in 0..5 {
        let sample = line.pull("out");
        assert_eq!(sample.buffer().unwrap().size(), 640 * 480 * 3 / 2, "the picture is as it was");
        let found = what(&sample);
        let poses = found.poses.as_ref().expect("poses were looked for");
        let nose = &poses.first().expect("there is a man").keypoints[0];
        let (x, y) = (nose.x * 640.0, nose.y * 480.0);
        assert!((x - 315.0).abs() < 30.0 && (y - 95.0).abs() < 40.0 && nose.score > 0.5, "{nose:?}");
    }
}

#[test]
fn a_frame_that_the_network_did_not_see_says_how_old_its_mask_is_and_still_has_one() {
    let _turn = turn();
    let Some(line) = given() else { return };
    line.element("cut").set_property("every", 2u32);
    line.play();
    let mut last = None;
    for number in 0..10 {
        let sample = line.pull("out");
        let (found, pts) = (what(&sample), sample.buffer().unwrap().pts());
        if number % 2 == 0 {
            assert_eq!(found.inferred, pts);
            last = pts;
        } else {
            assert_eq!(found.inferred, last);
        }
        let alpha = plane(&sample, 3);
        assert!(mean(&alpha, FACE.0, FACE.1) > 200 && mean(&alpha, WALL.0, WALL.1) < 55, "frame {number}");
    }
    let cut = line.element("cut");
    assert_eq!((cut.property::<u64>("masks"), cut.property::<u64>("carried")), (5, 5));
}

#[test]
fn the_old_rooms_colours_leave_the_edge_and_all_others_stay() {
    let _turn = turn();
    let (Some(plain), Some(clean)) = (given(), given()) else { return };
    plain.element("cut").set_property("despill", false);
    assert!(clean.element("cut").property::<bool>("despill"), "that is the default");
    plain.play();
    clean.play();
    for number in 0..3 {
        let (plain, clean) = (plain.pull("out"), clean.pull("out"));
        let alpha = plane(&clean, 3);
        assert_eq!(plane(&plain, 3), alpha, "frame {number}: the mask is the same");
        let (before, after) = (plane(&plain, 0), plane(&clean, 0));
        let mut changed = 0;
        for y in 1..479 {
            for x in 1..639 {
                let around = || alpha[y - 1..=y + 1].iter().flat_map(|row| &row[x - 1..=x + 1]);
                let flat = around().all(|alpha| *alpha == 0) || around().all(|alpha| *alpha == 255);
                assert!(!flat || before[y][x] == after[y][x], "frame {number}: {x},{y} is off the edge");
                changed += usize::from(before[y][x].abs_diff(after[y][x]) > 4);
            }
        }
        // His grey shirt and dark trousers stand before a pale wall.
        assert!(changed > 300, "frame {number}: {changed} pixels of the edge changed");
    }
}
