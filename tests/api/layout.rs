use serde_json::{Value, json};
use virfie::control::api::problem::JSON_LIMIT;

use super::{
    page::Page,
    server::{Server, answer},
};

fn two_layers() -> Value {
    json!({"layers": [
        {"id": "back", "source": {"color": "#102030"}, "z": 0},
        {"id": "ann", "source": {"participant": "ann"}, "x": 10, "y": 20, "width": 320, "z": 5}
    ], "auto": {"mode": "off"}})
}

async fn room() -> Server {
    let server = Server::start().await;
    assert_eq!(server.send("PUT", "/rooms/demo", &json!({"canvas": {"width": 640, "height": 360}})).await.status, 201);
    server
}

#[tokio::test]
async fn a_layout_is_replaced_whole_and_read_back() {
    let server = room().await;
    let put = server.send("PUT", "/rooms/demo/layout", &two_layers()).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(put.json()["canvas"]["width"], 640, "the room's canvas stays");
    server.media.room("demo").wait_for("picture people=[] layers=[\"back\", \"ann\"]").await;

    let read = server.get("/rooms/demo/layout").await;
    assert_eq!((read.json(), read.header("etag")), (put.json(), put.header("etag")));
    let again = server.send("PUT", "/rooms/demo/layout", &read.json()).await;
    assert_eq!(again.json(), read.json(), "what is read back is a layout");
}

#[tokio::test]
async fn a_layer_names_a_model_that_is_there() {
    let server = room().await;
    let with = |model: &str| {
        let mut layout = two_layers();
        layout["layers"][1]["cutout"] = json!("person");
        layout["layers"][1]["model"] = json!(model);
        layout
    };
    let put = server.send("PUT", "/rooms/demo/layout", &with("wide")).await;
    assert_eq!((put.status.as_u16(), &put.json()["layers"][1]["model"]), (200, &json!("wide")));
    let refused = server.send("PUT", "/rooms/demo/layout", &with("narrow")).await;
    assert_eq!(refused.json()["errors"][0]["detail"], "there is no model \"narrow\"; there are embedded, wide");
    assert_eq!(refused.faults(422), ["/layers/1/model"]);
    let patch = json!({"model": "narrow"});
    let faults = server.send("PATCH", "/rooms/demo/layout/layers/ann", &patch).await.faults(422);
    assert_eq!((faults, server.get("/rooms/demo/layout").await.json()), (vec!["/model".to_owned()], put.json()));
}

#[tokio::test]
async fn a_layout_changes_the_rooms_canvas() {
    let server = room().await;
    server.send("PUT", "/rooms/demo/layout", &json!({"canvas": {"fps": 25}})).await;
    let canvas = server.get("/rooms/demo").await.json()["canvas"].take();
    assert_eq!((&canvas["fps"], &canvas["width"]), (&json!(25), &json!(640)));
}

#[tokio::test]
async fn every_wrong_place_is_named_and_nothing_changes() {
    let server = room().await;
    server.send("PUT", "/rooms/demo/layout", &two_layers()).await;
    let before = server.get("/rooms/demo/layout").await;
    let mut wrong = two_layers();
    wrong["layers"][0]["colour"] = json!(1);
    wrong["layers"][1]["x"] = json!("wide");
    wrong["canvas"] = json!({"width": 100_000});
    wrong["extra"] = json!(true);
    let faults = server.send("PUT", "/rooms/demo/layout", &wrong).await.faults(422);
    for pointer in ["/canvas/width", "/layers/0/colour", "/layers/1/x", "/extra"] {
        assert!(faults.iter().any(|fault| fault == pointer), "{pointer} in {faults:?}");
    }
    let missing =
        json!({"layers": [{"id": "a", "source": {"image": "gone.png"}}], "canvas": {"background": "off.jpg"}});
    let mut faults = server.send("PUT", "/rooms/demo/layout", &missing).await.faults(422);
    faults.sort();
    assert_eq!(faults, ["/canvas/background", "/layers/0/source/image"]);
    let after = server.get("/rooms/demo/layout").await;
    assert_eq!((after.json(), after.header("etag")), (before.json(), before.header("etag")));
}

#[tokio::test]
async fn a_patch_changes_one_thing() {
    let server = room().await;
    server.send("PUT", "/rooms/demo/layout", &two_layers()).await;
    let patched = server.send("PATCH", "/rooms/demo/layout", &json!({"auto": {"mode": "grid"}})).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(patched.json()["layers"].as_array().unwrap().len(), 2);

    let layer = server.send("PATCH", "/rooms/demo/layout/layers/ann", &json!({"x": 99, "z": null})).await;
    assert_eq!(layer.status, 200, "{layer:?}");
    assert_eq!(layer.json()["layers"][1]["x"].as_f64(), Some(99.0));
    let fault = server.send("PATCH", "/rooms/demo/layout/layers/ann", &json!({"x": []})).await;
    assert_eq!(fault.faults(422), ["/x"], "places of the patch");
    server.send("PATCH", "/rooms/demo/layout/layers/bob", &json!({"x": 1})).await.problem(404);

    let removed = server.delete("/rooms/demo/layout/layers/back").await;
    assert_eq!(removed.status, 200);
    assert_eq!(removed.json()["layers"].as_array().unwrap().len(), 1);
    server.delete("/rooms/demo/layout/layers/back").await.problem(404);
}

#[tokio::test]
async fn a_dry_run_reports_and_changes_nothing() {
    let server = room().await;
    let before = server.get("/rooms/demo/layout").await;
    let tried = server.send("PUT", "/rooms/demo/layout?dry_run=true", &two_layers()).await;
    assert_eq!((tried.status.as_u16(), tried.json()["layers"].as_array().unwrap().len()), (200, 2));
    let wrong = json!({"layers": 3});
    assert_eq!(server.send("PATCH", "/rooms/demo/layout?dry_run=true", &wrong).await.faults(422), ["/layers"]);
    server.send("PATCH", "/rooms/demo/layout?dry_run=perhaps", &json!({})).await.problem(400);
    let after = server.get("/rooms/demo/layout").await;
    assert_eq!((after.json(), after.header("etag")), (before.json(), before.header("etag")));
}

#[tokio::test]
async fn of_two_editors_the_later_is_refused() {
    let server = room().await;
    let etag = server.get("/rooms/demo/layout").await.header("etag").to_owned();
    let patch = |x: i32| {
        let body = json!({"layers": [{"id": "a", "source": {"color": "#fff"}, "x": x}]});
        answer(server.request("PATCH", "/rooms/demo/layout").header("if-match", &etag).json(&body))
    };
    assert_eq!(patch(1).await.status, 200);
    patch(2).await.problem(412);
    assert_eq!(server.get("/rooms/demo/layout").await.json()["layers"][0]["x"].as_f64(), Some(1.0));
}

#[tokio::test]
async fn many_editors_without_a_precondition_all_get_through() {
    let server = room().await;
    server.send("PUT", "/rooms/demo/layout", &two_layers()).await;
    let patches = (0..8).map(|n| {
        let (server, body) = (&server, json!({"layers": [{"id": format!("l{n}"), "source": {"slot": 1}}]}));
        async move { server.send("PATCH", "/rooms/demo/layout", &body).await.status.as_u16() }
    });
    let statuses = futures_util::future::join_all(patches).await;
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 200).count() >= 4, "{statuses:?}");
}

#[tokio::test]
async fn bodies_that_are_none_are_refused() {
    let server = room().await;
    let put = |content_type: &'static str, body: &'static str| {
        answer(server.request("PUT", "/rooms/demo/layout").header("content-type", content_type).body(body))
    };
    put("application/json", "{").await.problem(400);
    put("text/plain", "{}").await.problem(415);
    let large = "[".repeat(JSON_LIMIT + 16);
    let request = server.request("PUT", "/rooms/demo/layout").header("content-type", "application/json").body(large);
    answer(request).await.problem(413);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let request = server.request("PUT", "/rooms/demo/layout").header("content-type", "application/json").body(deep);
    answer(request).await.problem(400);
}

#[tokio::test]
async fn everyone_hears_of_a_new_layout() {
    let server = room().await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let put = server.send("PUT", "/rooms/demo/layout", &two_layers()).await.json();
    let event = page.wait_for_event("layout_changed").await;
    assert_eq!(event["layout"], put);
    assert!(event["revision"].as_u64().unwrap() > 1);
}
