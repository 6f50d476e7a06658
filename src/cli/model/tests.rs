#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::json;

use super::*;

const NAME: &str = "bodypix-mobilenet-050-16";
const JSON: &str = "/mobilenet/float/050/model-stride16.json";
const SHARD: &str = "/mobilenet/float/050/group1-shard1of1.bin";

/// Serves files on this machine until the process ends; returns the base URL.
fn serve(files: Vec<(&'static str, Vec<u8>)>) -> String {
    let files: BTreeMap<&str, Vec<u8>> = files.into_iter().collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let path = request.split(' ').nth(1).unwrap();
            let (status, body) = match files.get(path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b""[..]),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).unwrap();
            // A client that refuses the size hangs up.
            let _ = stream.write_all(body);
        }
    });
    base
}

/// Returns a network of one convolution: `segments = 2 r - g + bias`, at stride 16.
fn model(bias: f32) -> (Vec<u8>, Vec<u8>) {
    let step = json!({ "list": { "i": ["1", "16", "16", "1"] } });
    // SAME in base64.
    let attributes = json!({ "padding": { "s": "U0FNRQ==" }, "strides": step });
    let json = json!({
        "format": "graph-model",
        "modelTopology": { "node": [
            { "name": "sub_2", "op": "Placeholder", "attr": {} },
            { "name": "w", "op": "Const", "attr": {} },
            { "name": "b", "op": "Const", "attr": {} },
            { "name": "conv", "op": "Conv2D", "input": ["sub_2", "w"], "attr": attributes },
            { "name": "float_segments", "op": "BiasAdd", "input": ["conv", "b"], "attr": {} },
        ] },
        "weightsManifest": [{ "paths": ["group1-shard1of1.bin"], "weights": [
            { "name": "w", "shape": [1, 1, 3, 1], "dtype": "float32" },
            { "name": "b", "shape": [1], "dtype": "float32" },
        ] }],
    });
    let weights = [2.0f32, -1.0, 0.0, bias].iter().flat_map(|value| value.to_le_bytes()).collect();
    (json.to_string().into_bytes(), weights)
}

pub(super) fn mirror(bias: f32) -> String {
    let (json, weights) = model(bias);
    serve(vec![(JSON, json), (SHARD, weights)])
}

pub(super) fn fetch_from(base: &str, folder: &Path) -> Result<String, ProgramError> {
    fetch::fetch(find(NAME).unwrap(), base, folder)
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn a_fetched_model_is_stored_with_its_checksum_and_described() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("models");
    let base = mirror(0.5);
    let report = fetch_from(&base, &folder).unwrap();
    assert!(report.contains("stride      16") && report.contains("[1, 17, 17, 1]"), "{report}");
    assert_eq!(names_in(&folder), [format!("{NAME}.onnx"), format!("{NAME}.onnx.sha256")]);
    let info = info::of_file(&folder.join(format!("{NAME}.onnx"))).unwrap();
    assert_eq!(info.heads, [("segments".to_owned(), vec![1, 17, 17, 1])]);
    assert_eq!((info.stride, info.weights, info.input.1.join(" ")), (16, 4, "1 ? ? 3".into()));
    assert!(fetch_from(&base, &folder).unwrap().contains("unchanged"), "a second fetch has nothing to do");
}

#[test]
fn a_file_or_a_source_that_changed_is_refused() {
    let data = tempfile::tempdir().unwrap();
    fetch_from(&mirror(0.5), data.path()).unwrap();
    let file = data.path().join(format!("{NAME}.onnx"));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[1..]).unwrap();
    let error = fetch_from(&mirror(0.5), data.path()).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("has changed since it was fetched"), "{error}");
    fs::remove_file(&file).unwrap();
    let error = fetch_from(&mirror(0.25), data.path()).unwrap_err();
    assert!(error.to_string().contains("is not the model that was known before"), "{error}");
    assert!(!file.exists());
    fetch_from(&mirror(0.5), data.path()).unwrap();
    assert_eq!(fs::read(&file).unwrap(), whole);
}

#[test]
fn a_failed_fetch_leaves_nothing_and_says_why_in_one_line() {
    let (json, weights) = model(0.5);
    let longer = [weights.clone(), vec![0]].concat();
    let cases = [
        (serve(vec![]), "status 404"),
        (serve(vec![(JSON, json.clone())]), "group1-shard1of1.bin: the server answered with status 404"),
        (serve(vec![(JSON, b"<html>".to_vec()), (SHARD, weights.clone())]), "model.json: "),
        (serve(vec![(JSON, json.clone()), (SHARD, weights[1..].to_vec())]), "but the manifest declares 16"),
        (serve(vec![(JSON, json), (SHARD, longer)]), "more than 16 bytes"),
        ("http://127.0.0.1:9".to_owned(), "127.0.0.1:9/mobilenet"),
    ];
    for (base, part) in cases {
        let data = tempfile::tempdir().unwrap();
        let error = fetch_from(&base, &data.path().join("models")).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let line = error.to_string();
        assert!(line.contains(part) && !line.contains('\n'), "{line:?} does not say {part:?}");
        assert!(names_in(&data.path().join("models")).is_empty());
    }
}

#[test]
fn a_model_put_there_by_hand_is_not_overwritten() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join(format!("{NAME}.onnx"));
    fs::write(&file, "mine").unwrap();
    assert!(fetch_from(&mirror(0.5), data.path()).unwrap_err().to_string().contains("by hand"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn an_unknown_name_and_a_wrong_mirror_are_wrong_usage() {
    let error = unknown("bodypix-9000");
    assert_eq!(error.exit_code(), 2);
    assert!(ENTRIES.iter().all(|entry| error.to_string().contains(entry.name)));
    let data = tempfile::tempdir().unwrap();
    assert_eq!(fetch_from("ftp://mirror", data.path()).unwrap_err().exit_code(), 2);
}

#[test]
fn a_broken_model_file_is_one_line_and_wrong_usage() {
    let data = tempfile::tempdir().unwrap();
    fetch_from(&mirror(0.5), data.path()).unwrap();
    let whole = fs::read(data.path().join(format!("{NAME}.onnx"))).unwrap();
    let file = data.path().join("broken.onnx");
    let mut cases = vec![Vec::new(), b"hello, world".to_vec(), vec![0xff; 100]];
    cases.extend((0..whole.len() / 2).step_by(whole.len() / 20 + 1).map(|at| whole[..at].to_vec()));
    for case in cases {
        fs::write(&file, case).unwrap();
        let error = info::of_file(&file).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("broken.onnx: ") && !error.to_string().contains('\n'), "{error}");
    }
    assert_eq!(info::of_file(data.path()).unwrap_err().exit_code(), 2, "a folder");
    assert_eq!(info::of_file(&data.path().join("nowhere")).unwrap_err().exit_code(), 2);
}
