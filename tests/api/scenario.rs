use std::sync::Arc;

use serde_json::{Value, json};
use virfie::{
    layout::{self, Canvas, Trigger},
    media::port::{Frame, MediaEvent, ParticipantId},
};

use super::server::{Answer, Server, answer};

/// Returns a Virfie scenario of two scenes, with a trigger and a background that is not there.
fn club() -> Value {
    json!({"scenes": [
        {
            "title": "Entrance",
            "players": {"1": {"x": "-15%", "y": "15%", "scale": "80%", "z-index": 100}},
            "background": {"name": "e", "files": ["images/Club Entrance.png"]},
            "triggers": {"all in": {
                "conditions": {"c": {"type": "positions", "segments": {"players": "ALL", "body_part": "nose"},
                    "area": {"left": "30%", "top": "0%", "right": "70%", "bottom": "100%"}}},
                "actions": {"w": {"method": "image_filter",
                    "params": {"filter": {"type": "twirl", "cycle": 1000, "angle": 10}}}, "d": {"method": "dance"}}
            }}
        },
        {"title": "Bar", "players": {}, "background": {"name": "b", "files": ["images/bar.png"]}}
    ]})
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(8, 6, image::Rgb([200, 30, 30]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn put(server: &Server, query: &str, body: &str) -> Answer {
    answer(server.request("PUT", &format!("/rooms/demo/scenario{query}")).body(body.to_owned())).await
}

/// Returns the first trigger of a layout.
pub fn trigger(layout: &Value) -> Arc<Trigger> {
    Arc::new(layout::read(layout, &Canvas::default()).unwrap().triggers[0].clone())
}

async fn studio() -> Server {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 800, "height": 600}})).await;
    let image = answer(server.request("PUT", "/assets/Club-Entrance.png").body(png())).await;
    assert_eq!(image.status.as_u16(), 201, "{image:?}");
    server
}

fn warnings(answer: &Answer) -> Vec<String> {
    let list = answer.json()["warnings"].as_array().unwrap().clone();
    list.iter().map(|one| format!("{} {}", one["pointer"].as_str().unwrap(), one["detail"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_virfie_scenario_becomes_scenes_of_which_the_first_is_shown() {
    let server = studio().await;
    let loaded = put(&server, "", &club().to_string()).await;
    assert_eq!(loaded.status.as_u16(), 200, "{loaded:?}");
    assert_eq!(
        warnings(&loaded),
        [
            "/scenes/0/triggers/all in/actions/d there is no method \"dance\"",
            "/scenes/1/background/files/0 there is no image asset \"bar.png\""
        ]
    );
    assert_eq!(
        loaded.json()["assets"],
        json!([
            {"path": "images/Club Entrance.png", "name": "Club-Entrance.png", "found": true},
            {"path": "images/bar.png", "name": "bar.png", "found": false}
        ])
    );
    let scenes = loaded.json()["scenes"].clone();
    assert_eq!(
        (&scenes[0]["name"], &scenes[0]["active"], &scenes[0]["changed"]),
        (&json!("Entrance"), &json!(true), &json!(false))
    );
    assert_eq!((&scenes[1]["name"], &scenes[1]["active"]), (&json!("Bar"), &json!(false)));
    let layout = server.get("/rooms/demo/layout").await.json();
    assert_eq!(layout["layers"][0]["source"], json!({"image": "Club-Entrance.png"}));
    assert_eq!(layout["triggers"][0]["id"], "all-in");
    assert_eq!(scenes[0]["layout"]["triggers"], layout["triggers"]);
    server.media.room("demo").wait_for("picture people=[] layers=[\"background\", \"player-1\"]").await;
    let room = server.get("/rooms/demo").await;
    assert_eq!(room.json()["active_scene"], json!({"name": "Entrance", "changed": false}));
    assert_eq!(room.header("etag"), loaded.header("etag"), "one revision");
}

#[tokio::test]
async fn a_script_is_taken_as_well() {
    let server = studio().await;
    let script = "// The club.\nscenarios[\"club\"] = { scenes: [ { title: 'Hall', players: {}, }, ], };";
    let loaded = put(&server, "", script).await;
    assert_eq!(loaded.json()["scenes"][0]["name"], "Hall", "{loaded:?}");
}

#[tokio::test]
async fn native_scenes_are_taken_whole_or_not_at_all() {
    let server = studio().await;
    let layout = |id: &str| json!({"layers": [{"id": id, "source": {"color": "#fff"}}]});
    let scenes = json!({"scenes": [{"name": "one", "layout": layout("a")}, {"name": "two", "layout": layout("b")}]});
    let before = server.get("/rooms/demo").await;
    let dry = put(&server, "?dry_run=true", &scenes.to_string()).await;
    assert_eq!((dry.status.as_u16(), &dry.json()["scenes"][1]["name"]), (200, &json!("two")));
    assert_eq!(server.get("/rooms/demo").await.header("etag"), before.header("etag"));
    let loaded = put(&server, "", &scenes.to_string()).await;
    assert_eq!((&loaded.json()["scenes"][0]["active"], warnings(&loaded).len()), (&json!(true), 0));
    assert_eq!(server.get("/rooms/demo/layout").await.json()["layers"][0]["id"], "a");

    let mut wrong = scenes.clone();
    wrong["scenes"][1]["layout"]["layers"][0]["source"] = json!({"image": "gone.png"});
    wrong["scenes"][0]["layout"]["triggers"] = json!([{"id": "t"}]);
    let refused = put(&server, "", &wrong.to_string()).await.faults(422);
    assert!(refused.iter().any(|fault| fault.contains("/scenes/1/layout/layers/0/source/image")), "{refused:?}");
    assert!(refused.iter().any(|fault| fault.contains("/scenes/0/layout/triggers/0")), "{refused:?}");
    assert_eq!(server.get("/rooms/demo").await.header("etag"), loaded.header("etag"));
    let stale = server.request("PUT", "/rooms/demo/scenario").header("if-match", before.header("etag"));
    answer(stale.body(scenes.to_string())).await.problem(412);
}

#[tokio::test]
async fn what_is_no_scenario_is_refused() {
    let server = studio().await;
    put(&server, "", "alert(1)").await.problem(400);
    put(&server, "", &"[".repeat(100_000)).await.problem(400);
    put(&server, "", "{\"scenes\": []}").await.problem(422);
    put(&server, "", "[]").await.problem(422);
    put(&server, "", &" ".repeat((1 << 20) + 1)).await.problem(413);
    put(&server, "", "{\"scenes\": [{\"name\": \"next\", \"layout\": {}}]}").await.problem(422);
}

#[tokio::test]
async fn a_trigger_is_reported_and_switches_the_scene() {
    let server = studio().await;
    let triggers = json!([{"id": "wave", "when": "always", "do": [{"scene": "two"}, {"event": "waved"}]}]);
    let scenes = json!({"scenes": [
        {"name": "one", "layout": {"layers": [], "triggers": triggers}},
        {"name": "two", "layout": {"layers": [{"id": "second", "source": {"color": "#fff"}}]}}
    ]});
    put(&server, "", &scenes.to_string()).await;
    let media = server.media.room("demo");
    let participants = vec![ParticipantId("p1".into())];
    media.say(MediaEvent::TriggerFired { trigger: trigger(&json!({"triggers": triggers})), participants });
    media.wait_for("picture people=[] layers=[\"second\"]").await;
    assert_eq!(server.get("/rooms/demo").await.json()["active_scene"]["name"], "two");
}

#[tokio::test]
async fn pictures_that_triggers_took_can_be_had() {
    let server = studio().await;
    let media = server.media.room("demo");
    media.say(MediaEvent::PhotoTaken {
        trigger: "shots".into(),
        frame: Frame { width: 4, height: 2, rgb: [200, 30, 30].repeat(8) },
        sound: None,
    });
    let list = loop {
        let list = server.get("/rooms/demo/photos").await.json();
        if list.as_array().is_some_and(|list| !list.is_empty()) {
            break list;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&list[0]["trigger"], &list[0]["width"], &list[0]["height"]), (&json!("shots"), &json!(4), &json!(2)));
    let photo = server.get(&format!("/rooms/demo/photos/{}", list[0]["id"].as_str().unwrap())).await;
    assert_eq!((photo.status.as_u16(), photo.header("content-type")), (200, "image/jpeg"));
    server.get("/rooms/demo/photos/99").await.problem(404);
}

#[tokio::test]
async fn sounds_are_played_into_the_mix() {
    let server = studio().await;
    let media = server.media.room("demo");
    for (name, content) in [("click.mp3", &b"ID3 sound"[..]), ("music.ogg", b"OggS..OpusHead sound")] {
        let put = answer(server.request("PUT", &format!("/assets/{name}")).body(content.to_vec())).await;
        assert_eq!((put.status.as_u16(), &put.json()["kind"]), (201, &json!("sound")), "{put:?}");
    }
    answer(server.request("PUT", "/assets/broken.mp3").body(b"ID3 noise".to_vec())).await.problem(422);
    let layout = |music: &str| {
        json!({"layers": [], "music": music,
            "triggers": [{"id": "wave", "when": "always", "do": [{"sound": "click.mp3"}]}]})
    };
    let refused = server.send("PUT", "/rooms/demo/layout", &layout("gone.mp3")).await.faults(422);
    assert!(refused[0].contains("/music"), "{refused:?}");
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &layout("music.ogg")).await.status.as_u16(), 200);
    media.wait_for("SetMusic(Some(Sound(music.ogg, 4800 samples)))").await;
    media.say(MediaEvent::TriggerFired { trigger: trigger(&layout("music.ogg")), participants: Vec::new() });
    media.wait_for("PlaySound(Sound(click.mp3, 4800 samples))").await;
    server.send("PATCH", "/rooms/demo/layout", &json!({"music": null})).await;
    media.wait_for("SetMusic(None)").await;
}
