#![allow(clippy::unwrap_used)]
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{from_value, json, to_value};

use super::*;
use crate::control::api::openapi::document;

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_join_needs_a_name_only() {
    let join: ClientMessage = from_value(json!({"type": "join", "name": "ann", "resume": null})).unwrap();
    assert_eq!(join, ClientMessage::Join { name: "ann".into(), resume: None, receive: Vec::new(), send: Vec::new() });
    assert!(from_value::<ClientMessage>(json!({"type": "join"})).is_err());
}

#[test]
fn unknown_types_and_keys_are_refused() {
    assert!(from_value::<ClientMessage>(json!({"type": "dance"})).is_err());
    assert!(from_value::<ClientMessage>(json!({"type": "answer", "sdp": "", "x": 1})).is_err());
    assert!(from_value::<ClientMessage>(json!({"sdp": ""})).is_err());
}

#[test]
fn the_end_of_candidates_is_null_or_left_out() {
    let end = ClientMessage::Candidate { candidate: None, mline: Some(0), connection: Way::Send };
    assert_eq!(from_value::<ClientMessage>(json!({"type": "candidate", "candidate": null, "mline": 0})).unwrap(), end);
}

#[test]
fn the_browsers_first_choice_that_we_know_is_taken() {
    assert_eq!(ingest_codec(&list(&["av1", "VP9", "vp8"])), VideoCodec::Vp9);
    assert_eq!(ingest_codec(&list(&["av1"])), VideoCodec::Vp8);
}

#[test]
fn messages_carry_their_type() {
    let message = ServerMessage::Candidate { candidate: "candidate:1", mline: 2 };
    let json = to_value(&message).unwrap();
    assert_eq!(json, json!({"type": "candidate", "candidate": "candidate:1", "mline": 2}));
    let event = Event::RoomEnded;
    assert_eq!(to_value(ServerMessage::Event { event: &event }).unwrap()["event"]["type"], "room_ended");
}

/// Returns the keys of each message of one direction by its type, as the OpenAPI document has them.
fn documented(direction: &str) -> BTreeMap<String, BTreeSet<String>> {
    let document = to_value(document()).unwrap();
    let messages = document["components"]["schemas"][direction]["oneOf"].as_array().unwrap();
    let row = |message: &Value| {
        let name = message["properties"]["type"]["enum"][0].as_str().unwrap().to_owned();
        (name, keys(&message["properties"]))
    };
    messages.iter().map(row).collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn row(message: &Value) -> (String, BTreeSet<String>) {
    (message["type"].as_str().unwrap().to_owned(), keys(message))
}

#[test]
fn all_that_pages_send_is_in_the_document() {
    let messages = [
        json!({"type": "join", "name": "ann", "resume": "s", "receive": ["h264"], "send": ["vp8"]}),
        json!({"type": "answer", "sdp": ""}),
        json!({"type": "receive", "sdp": ""}),
        json!({
            "type": "view", "height": 720, "hidden": false, "dropped": 0.5, "save_data": false, "rendition": "360p",
        }),
        json!({"type": "candidate", "candidate": "", "mline": 0, "connection": "receive"}),
        json!({"type": "media", "audio": true, "video": false}),
        json!({"type": "ready", "ready": true}),
        json!({"type": "leave"}),
    ];
    for message in &messages {
        assert_eq!(from_value::<ClientMessage>(message.clone()).unwrap().name(), message["type"], "{message}");
    }
    assert_eq!(messages.iter().map(row).collect::<BTreeMap<_, _>>(), documented("ClientMessage"));
}

#[test]
fn all_that_pages_are_sent_is_in_the_document() {
    let messages = [
        ServerMessage::Offer { sdp: "" },
        ServerMessage::Answer { sdp: "" },
        ServerMessage::Delivery {
            rendition: None,
            reason: "start",
            renditions: &[],
            loss: 0.0,
            round_trip_ms: None,
            estimate_kbps: None,
        },
        ServerMessage::Shown { width: 640, height: 360, fps: 30 },
        ServerMessage::Candidate { candidate: "", mline: 0 },
        ServerMessage::Connected,
        ServerMessage::Event { event: &Event::RoomEnded },
        ServerMessage::Error { problem: json!({}) },
    ];
    let sent: BTreeMap<_, _> = messages.iter().map(|message| row(&to_value(message).unwrap())).collect();
    let mut documented = documented("ServerMessage");
    // tests/api/openapi.rs holds the one that a real room answers against the document.
    assert!(documented.remove("welcome").is_some());
    assert_eq!(sent, documented);
}
