use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::join;

use super::server::{Server, answer};

fn colour(colour: &str) -> Value {
    json!({"layers": [{"id": colour, "source": {"color": "#102030"}}], "auto": {"mode": "off"}})
}

/// Returns a room with the scenes `red`, `green` and `blue`.
async fn studio() -> Server {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 640, "height": 360}})).await;
    for name in ["red", "green", "blue"] {
        let put = server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &colour(name)).await;
        assert_eq!((put.status.as_u16(), &put.json()["name"]), (201, &json!(name)), "{put:?}");
    }
    server
}

async fn shown(server: &Server) -> Value {
    server.get("/rooms/demo/layout").await.json()["layers"][0]["id"].clone()
}

async fn names(server: &Server) -> Vec<String> {
    let list = server.get("/rooms/demo/scenes").await.json();
    list.as_array().unwrap().iter().map(|scene| scene["name"].as_str().unwrap().to_owned()).collect()
}

async fn post(server: &Server, path: &str) -> super::server::Answer {
    answer(server.request("POST", &format!("/rooms/demo/scenes/{path}"))).await
}

#[tokio::test]
async fn scenes_are_shown_by_name_and_one_after_the_other() {
    let server = studio().await;
    assert_eq!(names(&server).await, ["red", "green", "blue"]);
    assert_eq!(server.get("/rooms/demo").await.json()["active_scene"], Value::Null);
    for (path, now) in [
        ("next", "red"),
        ("previous", "red"),
        ("next", "green"),
        ("next", "blue"),
        ("next", "blue"),
        ("red/activate", "red"),
        ("blue/activate", "blue"),
        ("previous", "green"),
    ] {
        let switched = post(&server, path).await;
        assert_eq!((switched.status.as_u16(), &switched.json()["name"]), (200, &json!(now)), "{path}");
        assert_eq!(switched.json()["active"], true);
        assert_eq!(shown(&server).await, now, "{path}");
    }
    server.media.room("demo").wait_for("picture people=[] layers=[\"green\"]").await;
    let room = server.get("/rooms/demo").await.json();
    assert_eq!(room["scenes"], json!(["red", "green", "blue"]));
    assert_eq!(room["active_scene"], json!({"name": "green", "changed": false}));
    assert_eq!(room["canvas"]["width"], 640, "a scene without a canvas leaves the room's");

    server.send("PATCH", "/rooms/demo/layout", &json!({"auto": {"mode": "grid"}})).await;
    assert_eq!(server.get("/rooms/demo").await.json()["active_scene"], json!({"name": "green", "changed": true}));
    post(&server, "gone/activate").await.problem(404);
}

#[tokio::test]
async fn scenes_come_with_their_boxes_for_those_who_ask() {
    let server = studio().await;
    let logo = json!({"id": "logo", "source": {"image": "studio.jpg"}, "x": 8, "width": 64, "rotate": 5});
    let layout = json!({"layers": [logo], "auto": {"mode": "off"}});
    assert_eq!(server.send("PUT", "/rooms/demo/scenes/logo", &layout).await.status, 201);
    assert!(server.get("/rooms/demo/scenes").await.json()[0].get("boxes").is_none());

    let list = server.get("/rooms/demo/scenes?boxes=true").await.json();
    let whole = json!({
        "layer": "red", "person": null, "x": 0.0, "y": 0.0, "width": 640.0, "height": 360.0, "rotate": 0.0, "hidden": null
    });
    assert_eq!(list[0]["boxes"], json!([whole]));
    let of_logo = &list[3]["boxes"][0];
    assert_eq!((&of_logo["x"], &of_logo["rotate"]), (&json!(8.0), &json!(5.0)), "{of_logo}");
    assert_eq!(of_logo["hidden"], Value::Null, "its image is known, although the room does not show it: {of_logo}");
    let back = server.send("PUT", "/rooms/demo/scenes", &list).await;
    assert_eq!(back.status, 200, "what was read can be put back: {back:?}");

    // A text is as large as when it is shown.
    let title = json!({"layers": [{"id": "t", "source": {"text": "Friday"}, "x": 3}], "auto": {"mode": "off"}});
    assert_eq!(server.send("PUT", "/rooms/demo/scenes/title", &title).await.status, 201);
    let boxes = server.get("/rooms/demo/scenes?boxes=true").await.json()[4]["boxes"].take();
    assert_eq!(post(&server, "title/activate").await.status, 200);
    assert_eq!(server.get("/rooms/demo").await.json()["boxes"], boxes);
    assert_eq!(boxes[0]["hidden"], Value::Null, "{boxes}");
}

#[tokio::test]
async fn what_is_shown_becomes_a_scene_and_comes_back() {
    let server = studio().await;
    server.send("PUT", "/rooms/demo/layout", &json!({"canvas": {"background": "#345678"}, "layers": []})).await;
    let put = answer(server.request("PUT", "/rooms/demo/scenes/now")).await;
    assert_eq!((put.status.as_u16(), &put.json()["active"]), (201, &json!(true)), "{put:?}");
    assert_eq!(put.json()["layout"]["canvas"], json!({"background": "#345678"}));
    server.send("PUT", "/rooms/demo/layout", &json!({"canvas": {"background": "#000000", "fps": 25}})).await;
    post(&server, "now/activate").await;
    let canvas = server.get("/rooms/demo").await.json()["canvas"].take();
    assert_eq!((&canvas["background"], &canvas["fps"]), (&json!("#345678"), &json!(25)));
}

#[tokio::test]
async fn a_scene_is_replaced_in_its_place_and_forgotten() {
    let server = studio().await;
    post(&server, "green/activate").await;
    let put = server.send("PUT", "/rooms/demo/scenes/green", &colour("lime")).await;
    assert_eq!((put.status.as_u16(), &put.json()["changed"]), (200, &json!(true)));
    assert_eq!(
        (names(&server).await, shown(&server).await),
        (["red", "green", "blue"].map(String::from).into(), json!("green"))
    );
    assert_eq!(server.delete("/rooms/demo/scenes/green").await.status, 204);
    assert_eq!(
        (names(&server).await, shown(&server).await),
        (["red", "blue"].map(String::from).into(), json!("green"))
    );
    server.delete("/rooms/demo/scenes/green").await.problem(404);
    server.get("/rooms/demo/scenes/green").await.problem(404);
    assert_eq!(server.get("/rooms/demo/scenes/blue").await.json()["layout"]["layers"][0]["id"], "blue");
}

#[tokio::test]
async fn the_whole_list_is_replaced_and_what_was_read_can_be_put() {
    let server = studio().await;
    post(&server, "green/activate").await;
    let mut list = server.get("/rooms/demo/scenes").await.json();
    list.as_array_mut().unwrap().rotate_left(1);
    let put = server.send("PUT", "/rooms/demo/scenes", &list).await;
    assert_eq!((put.status.as_u16(), put.json()), (200, list));
    assert_eq!(names(&server).await, ["green", "blue", "red"]);

    let wrong = json!([
        {"name": "a", "layout": {"layers": [{"id": "x", "source": {"image": "gone.png"}}]}},
        {"name": "a", "layout": {}}, {"name": "next", "layout": {}}, {"name": "b", "layout": {"colour": 1}}
    ]);
    assert_eq!(server.send("PUT", "/rooms/demo/scenes", &wrong).await.faults(422), ["/1/name", "/2/name"]);
    let wrong = json!([wrong[0], wrong[3]]);
    let faults = server.send("PUT", "/rooms/demo/scenes", &wrong).await.faults(422);
    assert_eq!(faults, ["/0/layout/layers/0/source/image", "/1/layout/colour"]);
    assert_eq!(server.send("PUT", "/rooms/demo/scenes", &json!([{"name": "a"}])).await.faults(422), ["/0"]);
    assert_eq!(names(&server).await, ["green", "blue", "red"]);
}

#[tokio::test]
async fn wrong_scenes_are_reported_and_change_nothing() {
    let server = studio().await;
    let before = server.get("/rooms/demo/scenes").await;
    let wrong = json!({"layers": [{"id": "a", "source": {"image": "gone.png"}}], "canvas": {"width": 3}, "b": 1});
    let mut faults = server.send("PUT", "/rooms/demo/scenes/new", &wrong).await.faults(422);
    faults.sort();
    assert_eq!(faults, ["/b", "/canvas/width"]);
    for name in ["a%2Fb", "next", "%20a", ".a", "a%0Ab"] {
        server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &json!({})).await.problem(match name {
            // An address of its own, where nothing is put.
            "next" => 405,
            _ => 422,
        });
    }
    server.send("PUT", "/rooms/gone/scenes/new", &json!({})).await.problem(404);
    let stale = server.request("PUT", "/rooms/demo/scenes/new").header("if-match", "\"1\"").json(&json!({}));
    answer(stale).await.problem(412);
    let stale = server.request("POST", "/rooms/demo/scenes/next").header("if-match", "\"1\"");
    answer(stale).await.problem(412);
    let after = server.get("/rooms/demo/scenes").await;
    assert_eq!((after.json(), after.header("etag")), (before.json(), before.header("etag")));
    server.send("PUT", "/rooms/bare", &json!({})).await;
    answer(server.request("POST", "/rooms/bare/scenes/next")).await.problem(409);
}

#[tokio::test]
async fn an_asset_that_a_scene_needs_stays() {
    let server = studio().await;
    put_asset(&server, "logo.png", 3).await;
    let layout = json!({"layers": [{"id": "a", "source": {"image": "logo.png"}}]});
    server.send("PUT", "/rooms/demo/scenes/logo", &layout).await;
    server.delete("/assets/logo.png").await.problem(409);
    server.delete("/rooms/demo/scenes/logo").await;
    assert_eq!(server.delete("/assets/logo.png").await.status, 204);
}

#[tokio::test]
async fn rooms_survive_a_restart() {
    let data = TempDir::new().unwrap();
    let start = || Server::start_with(|config| config.data_dir = data.path().to_owned());
    let server = start().await;
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 640, "height": 360}, "hold_ms": 77})).await;
    server.send("PUT", "/rooms/gone", &json!({})).await;
    put_asset(&server, "logo.png", 3).await;
    let layout = json!({"layers": [{"id": "a", "source": {"image": "logo.png"}}]});
    for name in ["Intro", "Begrüßung 2"] {
        server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &layout).await;
    }
    let shown = answer(server.request("POST", "/rooms/demo/scenes/next")).await.json();
    assert_eq!(shown["name"], "Intro");
    server.delete("/rooms/gone").await;
    let before = server.get("/rooms/demo").await;
    let scenes = server.get("/rooms/demo/scenes").await.json();
    let created = |list: Value| list[0]["created_at"].clone();
    let since = created(server.get("/rooms").await.json());
    server.state.registry.drain().await;
    drop(server);

    let server = start().await;
    let after = server.get("/rooms/demo").await;
    for key in ["settings", "canvas", "layout", "scenes", "active_scene", "revision"] {
        assert_eq!(after.json()[key], before.json()[key], "{key}");
    }
    assert_eq!(
        (server.get("/rooms/demo/scenes").await.json(), created(server.get("/rooms").await.json())),
        (scenes, since)
    );
    server.media.room("demo").wait_for("picture people=[] layers=[\"a\"] images=[\"logo.png\"]").await;
    server.get("/rooms/gone").await.problem(404);

    assert_eq!(server.delete("/rooms/demo").await.status, 204);
    server.state.registry.drain().await;
    drop(server);
    start().await.get("/rooms/demo").await.problem(404);
}

/// Names that nobody can see, or that turn the text around them.
const UNSEEN: [&str; 6] = ["\u{3164}", "\u{115f}\u{1160}", "\u{2800}", "\u{200b}\u{2060}", "\u{301}", "a\u{202e}b"];

#[tokio::test]
async fn names_that_nobody_can_see_are_refused_and_stay_where_they_are() {
    let data = TempDir::new().unwrap();
    let start = || Server::start_with(|config| config.data_dir = data.path().to_owned());
    let server = start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for name in UNSEEN {
        server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &json!({})).await.problem(422);
        let entry = json!({"name": name, "layout": {}});
        let list = json!([{"name": "Intro", "layout": {}}, entry]);
        assert_eq!(server.send("PUT", "/rooms/demo/scenes", &list).await.faults(422), ["/1/name"], "{name:?}");
        let file = json!({"scenes": [entry]});
        assert_eq!(server.send("PUT", "/rooms/demo/scenario", &file).await.faults(422), ["/scenes/0/name"]);
        let file = json!({"version": 1, "scenes": [entry]});
        assert_eq!(server.send("POST", "/rooms/demo/import", &file).await.faults(422), ["/scenes/0/name"]);
        let token = json!({"room": "demo", "role": "participant", "name": name});
        assert_eq!(server.send("POST", "/tokens", &token).await.faults(422), ["/name"]);
    }
    assert_eq!(server.send("PUT", "/rooms/demo/scenes/Intro", &json!({})).await.status, 201);
    server.state.registry.drain().await;
    drop(server);

    // As an earlier server let it be called.
    let file = data.path().join("rooms/demo.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("Intro", UNSEEN[0])).unwrap();
    let server = start().await;
    assert_eq!(server.get("/rooms/demo").await.json()["scenes"], json!([UNSEEN[0]]));
    let one = format!("/rooms/demo/scenes/{}", UNSEEN[0]);
    assert_eq!(server.send("PUT", &one, &json!({})).await.status, 200);
    assert_eq!(answer(server.request("POST", &format!("{one}/activate"))).await.status, 200);
    let list = json!([{"name": UNSEEN[0], "layout": {}}, {"name": "Talk", "layout": {}}]);
    assert_eq!(server.send("PUT", "/rooms/demo/scenes", &list).await.status, 200);
    assert_eq!(server.delete(&one).await.status, 204);
    server.send("PUT", &one, &json!({})).await.problem(422);
}

#[tokio::test]
async fn a_change_is_on_the_disk_soon_even_if_nobody_drains() {
    let data = TempDir::new().unwrap();
    let start = || Server::start_with(|config| config.data_dir = data.path().to_owned());
    let server = start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    server.send("PUT", "/rooms/demo/scenes/a", &json!({})).await;
    let file = data.path().join("rooms/demo.json");
    let written = async {
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"name\": \"a\"")) {
            // Nothing reports when a file has changed.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::fake_media::PATIENCE, written).await.expect("it is written");
    // As if it were killed: the old one is never drained.
    let again = start().await;
    assert_eq!(again.get("/rooms/demo").await.json()["scenes"], json!(["a"]));
}

#[tokio::test]
async fn two_who_store_at_once_both_succeed() {
    let server = studio().await;
    let (body, other) = (colour("x"), colour("y"));
    let (a, b) =
        join!(server.send("PUT", "/rooms/demo/scenes/x", &body), server.send("PUT", "/rooms/demo/scenes/y", &other));
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (201, 201));
    assert_eq!(names(&server).await.len(), 5);
}

/// Puts an asset of one colour, this many pixels wide.
pub async fn put_asset(server: &Server, name: &str, width: u32) {
    let mut png = Vec::new();
    image::RgbImage::new(width, 1).write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let put = answer(server.request("PUT", &format!("/assets/{name}")).body(png)).await;
    assert!(put.status.is_success(), "{put:?}");
}
