//! The picture of the canvas, as a receiver decodes it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    guests::Guest,
    recorder::{Attention, BACKGROUND, BLUE, GREEN, Picture, RED},
    server::{ROOM, Server},
    studio::Studio,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_seen_where_the_layout_says_and_a_patch_moves_one_within_a_second() {
    let (server, studio) = (Server::start().await, Studio::new());
    server
        .put_layout(&json!({
            "layers": [
                {"id": "left", "source": {"participant": "ann"}, "x": 0, "y": 0, "width": "50%", "height": "50%",
                 "fit": "fill", "z": 1},
                {"id": "right", "source": {"participant": "bob"}, "x": "50%", "y": "50%", "width": "50%",
                 "height": "50%", "fit": "fill", "z": 2}
            ],
            "auto": {"mode": "off"}
        }))
        .await;
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    let _bob = Guest::join(&server, "bob", Some(&studio.source("blue", 1000.0)), Attention::Nothing).await;
    let quarters = |picture: &Picture, colours: [[i32; 3]; 4]| {
        let places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        places.iter().zip(colours).all(|((x, y), colour)| picture.shows(*x, *y, colour))
    };
    let both = |picture: &Picture| quarters(picture, [RED, BACKGROUND, BACKGROUND, BLUE]);
    let picture = ann.recorder.picture("red at the top left and blue at the bottom right", both).await;
    assert_eq!(picture.size(), (640, 360));

    for (x, colours) in [
        ("50%", [BACKGROUND, RED, BACKGROUND, BLUE]),
        ("0%", [RED, BACKGROUND, BACKGROUND, BLUE]),
        ("50%", [BACKGROUND, RED, BACKGROUND, BLUE]),
    ] {
        let path = format!("/rooms/{ROOM}/layout/layers/left");
        server.send("PATCH", &path, &json!({"x": x})).await.expect(200);
        let patched = Instant::now();
        let moved = ann.recorder.picture("the layer at its new place", |picture| quarters(picture, colours)).await;
        let took = moved.at.saturating_duration_since(patched);
        println!("from the PATCH's answer to the decoded frame that shows it: {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    // Nearer by z: the one is over the other where they overlap.
    let wide = json!({"x": 0, "width": "100%", "height": "100%", "z": 3});
    server.send("PATCH", &format!("/rooms/{ROOM}/layout/layers/left"), &wide).await.expect(200);
    ann.recorder.picture("red over blue", |picture| quarters(picture, [RED; 4])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_layout_two_people_stand_in_a_grid_and_the_one_left_fills_the_canvas() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red everywhere", |it| it.shows(0.05, 0.1, RED) && it.shows(0.95, 0.9, RED)).await;
    let bob = Guest::join(&server, "bob", Some(&studio.source("green", 1000.0)), Attention::Nothing).await;
    ann.recorder
        .picture("red beside green", |it| {
            it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, GREEN) && it.shows(0.5, 0.05, BACKGROUND)
        })
        .await;
    bob.vanish();
    ann.recorder.picture("red everywhere again", |it| it.shows(0.05, 0.1, RED) && it.shows(0.95, 0.9, RED)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_the_canvas() {
    let (server, studio) = (Server::start().await, Studio::new());
    server
        .put_layout(&json!({
            "layers": [{"id": "ann", "source": {"participant": "ann"}, "x": "50%", "y": 0, "width": "50%",
                        "height": "100%", "fit": "fill"}],
            "auto": {"mode": "off"}
        }))
        .await;
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red on the right", |it| it.shows(0.75, 0.5, RED) && it.shows(0.25, 0.5, BACKGROUND)).await;
    for (name, kind) in [("snapshot.png", image::ImageFormat::Png), ("snapshot.jpg", image::ImageFormat::Jpeg)] {
        let answer = server.get(&format!("/rooms/{ROOM}/{name}")).await.expect(200);
        assert_eq!(image::guess_format(&answer.body).unwrap(), kind);
        assert_eq!(answer.header("content-type"), kind.to_mime_type());
        let picture = image::load_from_memory(&answer.body).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (640, 360));
        for ((x, y), colour) in
            [((160, 180), BACKGROUND), ((480, 180), RED), ((600, 350), RED), ((300, 10), BACKGROUND)]
        {
            let is = picture.get_pixel(x, y).0.map(i32::from);
            assert!(is.iter().zip(colour).all(|(is, should)| (is - should).abs() <= 40), "{name} at {x},{y}: {is:?}");
        }
    }
    server.get("/rooms/nowhere/snapshot.png").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn someone_hidden_is_not_seen_until_shown_again() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    ann.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    server.moderate("ann", &json!({"hidden": true})).await;
    ann.recorder.picture("an empty canvas", |it| it.shows(0.5, 0.5, BACKGROUND)).await;
    ann.recorder.set_alarm(|it| !it.shows(0.5, 0.5, BACKGROUND));
    ann.recorder.more_pictures(30).await;
    assert!(!ann.recorder.rang(), "hidden is hidden in every frame");
    server.moderate("ann", &json!({"hidden": false})).await;
    ann.recorder.picture("red again", |it| it.shows(0.5, 0.5, RED)).await;
}
