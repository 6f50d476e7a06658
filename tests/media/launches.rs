use std::{fs, path::Path};

use gstreamer::prelude::*;
use tempfile::TempDir;
use virfie::media::gst::launch::{LaunchError, Launches, STAGES};

use super::frames::turn;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn refused(folder: &Path) -> LaunchError {
    Launches::load(Some(folder)).map(drop).unwrap_err()
}

#[test]
fn every_built_in_text_makes_a_bin_with_its_pads() {
    let _turn = turn();
    let launches = Launches::load(None).unwrap();
    for (stage, _) in STAGES {
        let bin = launches.bin(stage).unwrap_or_else(|error| panic!("{error}"));
        let takes = stage.starts_with("receive-")
            || ["file-frames", "file-samples", "file-sound", "clip-frames"].contains(stage);
        let gives = stage.starts_with("send-") || ["file-video", "file-sound"].contains(stage);
        assert_eq!(bin.static_pad("sink").is_some(), takes, "{stage}");
        assert_eq!(bin.static_pad("src").is_some(), gives, "{stage}");
    }
}

#[test]
fn a_folder_with_a_broken_text_is_refused_with_its_name() {
    let _turn = turn();
    let missing = folder(&[("encode-h264.launch", "appsrc name=frames ! elementthatisnot ! appsink name=units")]);
    let error = refused(missing.path());
    assert!(matches!(&error, LaunchError::Parse { stage, .. } if stage == "encode-h264"), "{error}");
    let text = error.to_string();
    assert!(text.contains("encode-h264.launch") && text.contains("elementthatisnot"), "{text}");

    let torn = folder(&[("send-opus.launch", "appsrc name=units ! ! rtpopuspay name=pay")]);
    assert!(refused(torn.path()).to_string().contains("send-opus.launch"));

    let property = folder(&[("encode-vp8.launch", "appsrc name=frames ! vp8enc colour=blue ! appsink name=units")]);
    assert!(refused(property.path()).to_string().contains("encode-vp8.launch"));
}

#[test]
fn a_text_for_no_stage_and_a_folder_that_is_not_there_are_refused() {
    let _turn = turn();
    let unknown = folder(&[("encode-h265.launch", "identity")]);
    let text = refused(unknown.path()).to_string();
    assert!(text.contains("encode-h265") && text.contains("encode-h264"), "the stages are listed: {text}");
    let gone = unknown.path().join("gone");
    assert!(refused(&gone).to_string().contains("gone"));
}

#[test]
fn an_operators_text_takes_the_place_of_its_namesake_only() {
    let _turn = turn();
    let own = folder(&[
        ("send-opus.launch", "# mine\nappsrc name=units ! identity name=mine\n! rtpopuspay name=pay"),
        ("notes.txt", "not a launch text ! ! !"),
    ]);
    let launches = Launches::load(Some(own.path())).unwrap();
    assert!(launches.bin("send-opus").unwrap().by_name("mine").is_some());
    assert!(launches.bin("send-vp8").unwrap().by_name("mine").is_none());
    assert!(launches.bin("send-vp8").unwrap().by_name("pay").is_some());
}
