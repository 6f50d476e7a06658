//! People who are to be cut out, and in whose pictures nobody is.

use serde_json::json;
use virfie::media::port::VideoCodec;

use super::{
    guests::Guest,
    recorder::{Attention, BACKGROUND, BLUE},
    server::{ROOM, Server, until},
    studio::Studio,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_picture_is_reported_and_shown_as_the_layer_says() {
    let (server, studio) = (Server::start_cutting().await, Studio::new());
    let layer = |name: &str| {
        json!({"id": name, "source": {"participant": name}, "fit": "fill", "cutout": "person", "lost": "whole",
               "x": if name == "ann" { "0%" } else { "50%" }, "y": 0, "width": "50%", "height": "100%"})
    };
    server.put_layout(&json!({"layers": [layer("ann"), layer("bob")], "auto": {"mode": "off"}})).await;
    let wall = studio.source("blue", 440.0);
    let portrait = Studio::source_of(studio.portrait(), VideoCodec::Vp8, 1000.0);
    let ann = Guest::join(&server, "ann", Some(&wall), Attention::Picture).await;
    let _bob = Guest::join(&server, "bob", Some(&portrait), Attention::Nothing).await;
    let is_lost = async |name: &str| server.participant(name).await.unwrap()["lost"].clone();
    until("ann is lost", async || (is_lost("ann").await == json!(true)).then_some(())).await;
    ann.recorder.picture("the wall, whole", |it| it.shows(0.25, 0.5, BLUE)).await;
    assert_eq!(is_lost("bob").await, json!(false), "somebody is in that picture");

    let change = async |keys: serde_json::Value| {
        server.send("PATCH", &format!("/rooms/{ROOM}/layout/layers/ann"), &keys).await.expect(200);
    };
    change(json!({"lost": "hide"})).await;
    ann.recorder.picture("nothing", |it| it.shows(0.25, 0.5, BACKGROUND)).await;
    assert_eq!(is_lost("ann").await, json!(true));
    change(json!({"lost": "blur"})).await;
    ann.recorder.picture("the wall, blurred, which is as blue", |it| it.shows(0.25, 0.5, BLUE)).await;

    // Nobody is looked for where no layer cuts them out.
    change(json!({"lost": null, "cutout": null})).await;
    until("ann is not lost", async || (is_lost("ann").await == json!(false)).then_some(())).await;
}
