//! The built-in network, its file changed.
#![allow(clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use prost::Message as _;
use tract_onnx::pb::ModelProto;

use super::*;
use crate::model::{BAR, EMBEDDED_FILE, LoadOptions};

/// Returns the built-in network, after a change of its file.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Result<Arc<Model>, ModelError> {
    let mut proto = ModelProto::decode(EMBEDDED_FILE).unwrap();
    change(&mut proto);
    Model::read(&proto.encode_to_vec(), Path::new("changed.onnx"), LoadOptions::default())
}

/// Gives the tensor of each of two names the other name.
fn swap(proto: &mut ModelProto, one: &str, other: &str) {
    let graph = proto.graph.as_mut().unwrap();
    let values = graph.output.iter_mut().chain(&mut graph.value_info).map(|value| &mut value.name);
    let nodes = graph.node.iter_mut();
    let tensors =
        nodes.flat_map(|node| node.input.iter_mut().chain(&mut node.output).chain(std::iter::once(&mut node.name)));
    for name in values.chain(tensors) {
        if name == one {
            *name = other.to_owned();
        } else if name == other {
            *name = one.to_owned();
        }
    }
}

#[test]
fn heatmaps_of_a_wrong_shape_are_refused_where_a_bar_needs_them() {
    // 34 values a point in place of 17.
    let error = changed(|proto| swap(proto, HEATMAPS, "short_offsets")).unwrap_err();
    assert!(matches!(error, ModelError::Inference(_)), "as a wrong mask is: {error}");
    let error = error.to_string();
    assert!(error.contains("the head heatmaps has shape [1, ") && error.contains(", 34], not"), "{error}");
    let without = changed(|proto| {
        swap(proto, HEATMAPS, "short_offsets");
        proto.metadata_props.retain(|property| property.key != BAR);
    });
    assert_eq!(without.unwrap().bar(), None, "they are of no use to it");
}

#[test]
fn heatmaps_alone_are_those_among_all_heads() {
    let model = Model::embedded(LoadOptions::default()).unwrap();
    let session = |poses: bool| model.session((640, 360), HeadRequest { poses, ..HeadRequest::default() }).unwrap();
    let (mut all, mut mask) = (session(true), session(false));
    for round in 1..3 {
        let step = 0.37 * round as f32;
        let values: Vec<f32> = (0..mask.input_len()).map(|index| (index as f32 * step).sin()).collect();
        let heads = all.infer(&values).unwrap();
        mask.infer(&values).unwrap();
        let (heatmaps, grid) = mask.find_heatmaps().unwrap();
        let expected = heads.poses.unwrap().heatmaps;
        assert_eq!((grid, heatmaps.len()), (heads.pose_grid, expected.len()));
        let near = |(one, other): (&f32, &f32)| (one - other).abs() < 1e-3;
        assert!(heatmaps.iter().zip(expected).all(near), "{round}");
    }
}

/// Returns the built-in network with another bar.
fn barred(bar: &str) -> Arc<Model> {
    let change = |proto: &mut ModelProto| {
        let property = proto.metadata_props.iter_mut().find(|property| property.key == BAR).unwrap();
        property.value = bar.to_owned();
    };
    changed(change).unwrap()
}

/// Returns a session for frames of a size that has run on a portrait.
fn looking(model: &Arc<Model>, frame: (usize, usize)) -> Session {
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/golden/portrait.png");
    let picture = image::open(picture).unwrap().into_rgb8();
    let values: Vec<f32> = picture.as_raw().iter().map(|&value| f32::from(value) / 127.5 - 1.0).collect();
    let mut session = model.session(frame, HeadRequest::default()).unwrap();
    session.infer(&values).unwrap();
    session
}

fn at(frame: (usize, usize), ms: u64) -> View {
    View::whole(frame, Duration::from_millis(ms))
}

const FRAME: (usize, usize) = (640, 360);

#[test]
fn what_is_no_person_is_left_out_of_the_run_that_was_judged() {
    // Everybody is doubtful, and nobody has so many keypoints.
    let mut session = looking(&barred("1,17"), FRAME);
    let people = |heads: Heads<'_>| heads.segments.iter().filter(|logit| **logit > 0.0).count();
    let all = people(session.heads().unwrap());
    assert!(all > 100, "{all}");
    session.judge(at(FRAME, 0)).unwrap();
    let left = people(session.believed().unwrap());
    assert!(left * 10 < all, "{left} of {all}");
    assert_eq!(people(session.heads().unwrap()), all);
    let input = vec![0.0; session.input_len()];
    let next = session.infer(&input).unwrap().segments.to_vec();
    assert_eq!(session.believed().unwrap().segments, next, "nobody has judged it");
}

#[test]
fn another_session_goes_on_with_what_was_said() {
    // Everybody is doubtful, and has keypoints enough.
    let model = barred("1,0");
    let mut first = looking(&model, FRAME);
    first.judge(at(FRAME, 0)).unwrap();
    assert!(first.aside.is_some(), "keypoints were looked for");
    let mut alone = looking(&model, FRAME);
    alone.judge(at(FRAME, 400)).unwrap();
    assert!(alone.aside.is_some());
    // Of frames of another size.
    let mut heir = looking(&model, (1280, 720));
    heir.inherit(&mut first);
    heir.judge(at((1280, 720), 400)).unwrap();
    assert!(heir.aside.is_none(), "they were found less than a second ago");
}
