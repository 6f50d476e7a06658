use serde_json::{Value, json};

use super::{
    scenes::put_asset,
    server::{Server, answer},
};

/// Starts a server with a room that has everything.
async fn studio() -> Server {
    let server = Server::start().await;
    put_asset(&server, "logo.png", 3).await;
    put_asset(&server, "other.png", 4).await;
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 640, "height": 360}, "hold_ms": 77})).await;
    let layout =
        json!({"canvas": {"background": "studio.jpg"}, "layers": [{"id": "a", "source": {"image": "logo.png"}}]});
    server.send("PUT", "/rooms/demo/scenes/logo", &layout).await;
    server.send("PUT", "/rooms/demo/scenes/empty", &json!({"layers": []})).await;
    answer(server.request("POST", "/rooms/demo/scenes/logo/activate")).await;
    server
}

async fn export(server: &Server) -> Value {
    let file = server.get("/rooms/demo/export").await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"demo.virfie.json\"");
    file.json()
}

async fn import(server: &Server, file: &Value) -> super::server::Answer {
    server.send("POST", "/rooms/copy/import", file).await
}

#[tokio::test]
async fn a_room_moves_to_another_server_with_its_assets() {
    let file = export(&studio().await).await;
    let needed: Vec<&String> = file["assets"].as_object().unwrap().keys().collect();
    assert_eq!(needed, ["logo.png"], "neither what is built in nor what nobody needs");

    let there = Server::start().await;
    let imported = import(&there, &file).await;
    assert_eq!(imported.status, 201, "{imported:?}");
    let room = there.get("/rooms/copy").await.json();
    assert_eq!(room["settings"]["hold_ms"], 77);
    assert_eq!((&room["canvas"]["width"], &room["canvas"]["background"]), (&json!(640), &json!("studio.jpg")));
    assert_eq!((&room["scenes"], &room["active_scene"]["name"]), (&json!(["logo", "empty"]), &json!("logo")));
    there.media.room("copy").wait_for("picture people=[] layers=[\"a\"] images=[\"logo.png\", \"studio.jpg\"]").await;
    assert_eq!(there.get("/assets/logo.png").await.status, 200);

    let again = import(&there, &file).await;
    assert_eq!(again.status, 200, "the same once more: {again:?}");
    let small = there.get("/rooms/copy/export?assets=false").await.json();
    assert_eq!((&small["assets"], &small["scenes"]), (&Value::Null, &file["scenes"]));
}

#[tokio::test]
async fn what_is_left_out_stays() {
    let server = studio().await;
    let imported = server.send("POST", "/rooms/demo/import", &json!({"version": 1, "settings": {"hold_ms": 5}})).await;
    assert_eq!(imported.status, 200, "{imported:?}");
    let room = server.get("/rooms/demo").await.json();
    assert_eq!((&room["settings"]["hold_ms"], &room["scenes"]), (&json!(5), &json!(["logo", "empty"])));
    assert_eq!(room["layout"]["layers"][0]["id"], "a");
}

#[tokio::test]
async fn a_wrong_file_is_refused_at_every_place_and_leaves_nothing_behind() {
    let whole = export(&studio().await).await;
    let there = Server::start().await;
    let mut file = whole.clone();
    file["version"] = json!(2);
    file["settings"]["max_participants"] = json!(0);
    file["layout"]["layers"][0]["x"] = json!("wide");
    file["scenes"][1]["layout"] = json!({"layers": [{"id": "b", "source": {"image": "gone.png"}}]});
    file["active_scene"] = json!("logo");
    let mut faults = import(&there, &file).await.faults(422);
    faults.sort();
    let expected =
        ["/layout/layers/0/x", "/scenes/1/layout/layers/0/source/image", "/settings/max_participants", "/version"];
    assert_eq!(faults, expected);
    there.get("/rooms/copy").await.problem(404);
    there.get("/assets/logo.png").await.problem(404);

    let mut file = whole.clone();
    file["assets"]["broken.png"] = json!("AAAA");
    file["assets"]["text.png"] = json!("not base64!");
    assert_eq!(import(&there, &file).await.faults(422), ["/assets/broken.png", "/assets/text.png"]);
    there.get("/assets/logo.png").await.problem(404);

    put_asset(&there, "logo.png", 9).await;
    assert_eq!(import(&there, &whole).await.faults(422), ["/assets/logo.png"]);
    assert_eq!(import(&there, &json!({"version": 1, "rooms": 1})).await.faults(422), ["/rooms"]);
    let stale = there.request("POST", "/rooms/copy/import").header("if-match", "\"1\"").json(&whole);
    answer(stale).await.problem(412);
}
