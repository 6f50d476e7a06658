//! A picture beside the program: an output that shows another layout of the same people.

use std::path::Path;

use image::RgbImage;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    guests::Guest,
    recorder::{Attention, BACKGROUND, BLUE, GREEN, RED},
    server::{ROOM, Server, until},
    studio::Studio,
};

/// Returns a layout of two people one over the other, on a standing canvas.
fn tall(upper: &str, lower: &str) -> Value {
    let half = |name: &str, y: &str| {
        json!({"id": name, "source": {"participant": name}, "x": 0, "y": y, "width": "100%", "height": "50%",
               "fit": "fill"})
    };
    json!({"canvas": {"width": 360, "height": 640, "background": "#00ff00"}, "auto": {"mode": "off"},
           "layers": [half(upper, "0%"), half(lower, "50%")]})
}

fn is(picture: &RgbImage, x: f64, y: f64, colour: [i32; 3]) -> bool {
    let at = |place: f64, side: u32| (place * f64::from(side)) as u32;
    let found = picture.get_pixel(at(x, picture.width()), at(y, picture.height())).0.map(i32::from);
    found.iter().zip(colour).all(|(is, should)| (is - should).abs() <= 50)
}

async fn shown(server: &Server, output: &str) -> RgbImage {
    let path = format!("/rooms/{ROOM}/snapshot.png?output={output}");
    image::load_from_memory(&server.get(&path).await.expect(200).body).unwrap().to_rgb8()
}

/// Waits until an output shows these colours in its upper and its lower half.
async fn shows(server: &Server, output: &str, what: &str, colours: [[i32; 3]; 2]) {
    until(what, async || {
        let picture = shown(server, output).await;
        (is(&picture, 0.5, 0.25, colours[0]) && is(&picture, 0.5, 0.75, colours[1])).then_some(())
    })
    .await;
}

async fn add(server: &Server, body: &Value) -> String {
    let made = server.send("POST", &format!("/rooms/{ROOM}/outputs"), body).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

async fn is_live(server: &Server, id: &str) {
    until("the output is live", async || (server.output(id).await["state"] == "live").then_some(())).await;
}

/// Returns the last picture of a recording; `None` (said aloud) without ffmpeg.
async fn last_picture(file: &Path) -> Option<RgbImage> {
    let png = file.with_extension("png");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(file).args(["-update", "1"]).arg(&png);
    match command.output().await {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => {
            eprintln!("SKIPPED: ffmpeg is not installed: {error}");
            return None;
        }
    }
    Some(image::open(png).unwrap().to_rgb8())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_shows_another_scene_of_the_room_beside_the_program() {
    let server = Server::start().await;
    let studio = Studio::new();
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Picture).await;
    let _bob = Guest::join(&server, "bob", Some(&studio.source("blue", 1000.0)), Attention::Nothing).await;
    ann.recorder.picture("red beside blue", |it| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE)).await;

    server.send("PUT", &format!("/rooms/{ROOM}/scenes/Tall"), &tall("ann", "bob")).await.expect(201);
    let small = json!({"preset": "ultrafast", "bitrate": 600, "keyframe_seconds": 1});
    let tall_file = json!({"type": "file", "name": "tall", "scene": "Tall", "video": small});
    let id = add(&server, &tall_file).await;
    is_live(&server, &id).await;
    let state = server.output(&id).await;
    assert_eq!((&state["video"]["width"], &state["video"]["height"]), (&json!(360), &json!(640)), "{state}");
    assert_eq!(state["scene"], "Tall");
    shows(&server, &id, "red over blue", [RED, BLUE]).await;
    assert_eq!(shown(&server, &id).await.dimensions(), (360, 640));
    ann.recorder.picture("the program as before", |it| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE)).await;

    // Another output of the same scene costs no other encoder, a layout of its own does.
    let twin = add(&server, &json!({"type": "file", "name": "twin", "scene": "Tall", "video": small})).await;
    is_live(&server, &twin).await;
    let square = json!({"canvas": {"background": "#0000ff"}, "auto": {"mode": "off"},
                        "layers": [{"id": "ann", "source": {"participant": "ann"}, "x": 0, "y": 0, "width": "100%",
                                    "height": "50%", "fit": "fill"}]});
    let sized = json!({"size": "320x320", "preset": "ultrafast", "bitrate": 400, "keyframe_seconds": 1});
    let own = add(&server, &json!({"type": "file", "name": "own", "layout": square, "video": sized})).await;
    is_live(&server, &own).await;
    shows(&server, &own, "red over blue", [RED, BLUE]).await;
    assert_eq!(shown(&server, &own).await.dimensions(), (320, 320));
    let encoders = server.room().await["health"]["encoders"].clone();
    let count =
        |size: &str| encoders.as_array().unwrap().iter().filter(|name| name.as_str().unwrap().contains(size)).count();
    assert_eq!((count("360x640"), count("320x320")), (1, 1), "{encoders}");

    // A change of the scene, of somebody who is in it, and of the program.
    server.send("PUT", &format!("/rooms/{ROOM}/scenes/Tall"), &tall("bob", "ann")).await.expect(200);
    shows(&server, &id, "blue over red", [BLUE, RED]).await;
    server.moderate("bob", &json!({"hidden": true})).await;
    shows(&server, &id, "the background over red", [GREEN, RED]).await;
    server.moderate("bob", &json!({"hidden": false})).await;
    server.put_layout(&json!({"auto": {"mode": "off"}})).await;
    ann.recorder.picture("an empty program", |it| it.shows(0.25, 0.5, BACKGROUND)).await;
    shows(&server, &id, "blue over red still", [BLUE, RED]).await;

    // The scene stays while an output shows it.
    let refused = server.delete(&format!("/rooms/{ROOM}/scenes/Tall")).await.expect(409);
    assert!(refused.text().contains("`Tall`"), "{}", refused.text());
    server.send("PUT", &format!("/rooms/{ROOM}/scenes"), &json!([])).await.expect(409);
    let path = format!("/rooms/{ROOM}/outputs/{id}");
    // An encoder may hold pictures back, so that the newest comes a little later.
    for (name, size, colours) in [("tall", (360, 640), [BLUE, RED]), ("own", (320, 320), [RED, BLUE])] {
        let file = server.recording(&format!("{name}-"));
        if last_picture(&file).await.is_none() {
            return;
        }
        until(&format!("the recording {name} shows it"), async || {
            let picture = last_picture(&file).await?;
            assert_eq!(picture.dimensions(), size);
            (is(&picture, 0.5, 0.25, colours[0]) && is(&picture, 0.5, 0.75, colours[1])).then_some(())
        })
        .await;
    }
    server.send("POST", &format!("{path}/stop"), &Value::Null).await.expect(200);
    let health = server.room().await["health"].clone();
    assert_eq!(health["missed_frames"], 0, "{health}");
    // It shows the program from now on.
    let changed = server.send("PATCH", &path, &json!({"scene": null, "enabled": true})).await.expect(200).json();
    assert_eq!((&changed["scene"], &changed["video"]["width"]), (&Value::Null, &json!(640)), "{changed}");
    server.delete(&format!("/rooms/{ROOM}/outputs/{twin}")).await.expect(204);
    server.delete(&format!("/rooms/{ROOM}/scenes/Tall")).await.expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_cannot_be_shown_is_refused_with_its_place() {
    let server = Server::start().await;
    let path = format!("/rooms/{ROOM}/outputs");
    for (body, place) in [
        (json!({"type": "file", "scene": "Nowhere"}), "/scene"),
        (json!({"type": "file", "scene": "../up"}), "/scene"),
        (json!({"type": "file", "layout": 3}), "/layout"),
        (
            json!({"type": "file", "layout": {"layers": [{"id": "a", "source": {"image": "none.png"}}]}}),
            "/layout/layers/0/source/image",
        ),
        (json!({"type": "file", "layout": {"canvas": {"width": 1}}}), "/layout/canvas/width"),
        (json!({"type": "file", "scene": "Tall", "layout": {}}), "/layout"),
    ] {
        let refused = server.send("POST", &path, &body).await.expect(422);
        let places: Vec<_> =
            refused.json()["errors"].as_array().unwrap().iter().map(|one| one["pointer"].clone()).collect();
        assert!(places.contains(&json!(place)), "{body}: {}", refused.text());
    }
    assert_eq!(server.get(&path).await.expect(200).json(), json!([]));
}
