use serde_json::{Value, json};

use super::server::{Answer, Server, answer};

async fn put(server: &Server, name: &str, content: &[u8]) -> Answer {
    answer(server.request("PUT", &format!("/assets/{name}")).body(content.to_vec())).await
}

fn layout(source: Value) -> Value {
    json!({"layers": [{"id": "t", "source": source, "x": 10, "y": 10}]})
}

#[tokio::test]
async fn a_text_is_drawn_before_it_is_shown() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let shown = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "Friday"}))).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(shown.json()["layers"][0], json!({"id": "t", "source": {"text": "Friday"}, "x": 10, "y": 10}));
    // The picture comes with the layout, under a name of its own.
    server
        .media
        .room("demo")
        .wait_for("picture people=[] layers=[\"t\"] images=[\"text:Natural,\\\"Inter\\\",48,")
        .await;
    let moved = server.send("PATCH", "/rooms/demo/layout/layers/t", &json!({"x": 300})).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["layers"][0]["x"]), (200, &json!(300)));
}

#[tokio::test]
async fn what_cannot_be_drawn_is_reported_with_its_place() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let before = server.get("/rooms/demo/layout").await.json();
    let refused = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "x", "font": "No Such"}))).await;
    assert_eq!(refused.faults(422), ["/layers/0/source/font"]);
    let huge = json!({"text": "m".repeat(900), "size": 400});
    let refused = server.send("PUT", "/rooms/demo/layout", &layout(huge)).await;
    assert_eq!(refused.faults(422), ["/layers/0/source/text"]);
    // A height makes the letters as large as their layer; nothing is drawn to find out that this is too large.
    let letters: String = (0xc0..).filter_map(char::from_u32).filter(|c| c.is_alphabetic()).take(900).collect();
    let high = json!({"layers": [{"id": "t", "source": {"text": letters}, "height": 9000}]});
    for path in ["/rooms/demo/layout?dry_run=true", "/rooms/demo/layout"] {
        assert_eq!(server.send("PUT", path, &high).await.faults(422), ["/layers/0/source/text"]);
    }
    assert_eq!(server.get("/rooms/demo/layout").await.json(), before);
    server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "x"}))).await;
    let patch = json!({"source": {"font": "No Such"}});
    assert_eq!(server.send("PATCH", "/rooms/demo/layout/layers/t", &patch).await.faults(422), ["/source/font"]);
}

#[tokio::test]
async fn a_font_asset_is_named_by_its_file_or_its_family() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let font = dejavu::sans_mono::bold();
    let kept = put(&server, "mono.ttf", font).await;
    assert_eq!(kept.status, 201, "{kept:?}");
    let kept = kept.json();
    assert_eq!(
        (&kept["kind"], &kept["content_type"], &kept["family"], &kept["width"]),
        (&json!("font"), &json!("font/ttf"), &json!("DejaVu Sans Mono"), &Value::Null)
    );
    assert_eq!(put(&server, "half.ttf", &font[..1000]).await.status, 422);
    assert_eq!(put(&server, "web.woff2", b"wOF2 and more").await.status, 415);
    for name in ["mono.ttf", "DejaVu Sans Mono"] {
        let shown = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "Friday", "font": name}))).await;
        assert_eq!((shown.status.as_u16(), &shown.json()["layers"][0]["source"]["font"]), (200, &json!(name)));
        assert_eq!(server.delete("/assets/mono.ttf").await.status, 409, "{name}");
    }
    // An image is no font, and a font is no image.
    let wrong = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "x", "font": "studio.jpg"}))).await;
    assert_eq!(wrong.faults(422), ["/layers/0/source/font"]);
    let wrong = server.send("PUT", "/rooms/demo/layout", &layout(json!({"image": "mono.ttf"}))).await;
    assert_eq!(wrong.faults(422), ["/layers/0/source/image"]);
    server.send("PUT", "/rooms/demo/layout", &json!({})).await;
    assert_eq!(server.delete("/assets/mono.ttf").await.status, 204);
    let gone = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "x", "font": "mono.ttf"}))).await;
    assert_eq!(gone.faults(422), ["/layers/0/source/font"]);
}

#[tokio::test]
async fn characters_that_no_font_has_are_named_in_the_answer() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    // A character of private use stands for all that no installed font has.
    let text = "Grüße \u{f8ff3}\u{f8ff3}";
    let shown = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": text}))).await.json();
    let warnings = shown["warnings"].as_array().unwrap();
    assert_eq!((warnings.len(), &warnings[0]["pointer"]), (1, &json!("/layers/0/source/text")));
    let detail = warnings[0]["detail"].as_str().unwrap();
    assert!(detail.contains("\u{f8ff3} (U+F8FF3)") && !detail.contains('ü'), "{detail}");
    // The answer can be sent back as it is, and says it again; what everybody has is no matter.
    let again = server.send("PUT", "/rooms/demo/layout", &shown).await.json();
    assert_eq!(again, shown);
    let plain = server.send("PUT", "/rooms/demo/layout", &layout(json!({"text": "Grüße"}))).await.json();
    assert_eq!(plain.get("warnings"), None);
    let patched = json!({"layers": [{"id": "t", "source": {"text": text}}]});
    let patched = server.send("PATCH", "/rooms/demo/layout?dry_run=true", &patched).await.json();
    assert_eq!(patched["warnings"].as_array().map(Vec::len), Some(1));
    let scenes = json!({"scenes": [{"name": "a", "layout": layout(json!({"text": text}))}]});
    let loaded = server.send("PUT", "/rooms/demo/scenario", &scenes).await.json();
    assert_eq!(loaded["warnings"][0]["pointer"], json!("/scenes/0/layout/layers/0/source/text"), "{loaded}");
    let kept = server.get("/rooms/demo/layout").await.json();
    assert_eq!(kept.get("warnings"), None);
}

#[tokio::test]
async fn whatever_stores_or_shows_a_layout_names_what_no_font_has() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let (plain, odd) = (layout(json!({"text": "Grüße"})), layout(json!({"text": "\u{f8ff3}"})));
    let places = |answer: &Value| -> Vec<String> {
        let warnings = answer.get("warnings").map_or(&[][..], |warnings| warnings.as_array().unwrap());
        warnings.iter().map(|warning| warning["pointer"].as_str().unwrap().to_owned()).collect()
    };
    let text = ["/layers/0/source/text"];
    // One scene, and all of them.
    let stored = server.send("PUT", "/rooms/demo/scenes/odd", &odd).await;
    assert_eq!((stored.status.as_u16(), places(&stored.json())), (201, text.map(String::from).into()));
    let stored = server.send("PUT", "/rooms/demo/scenes/plain", &plain).await.json();
    assert_eq!(stored.get("warnings"), None);
    let list = json!([{"name": "plain", "layout": plain}, {"name": "odd", "layout": odd}]);
    let stored = server.send("PUT", "/rooms/demo/scenes", &list).await.json();
    assert_eq!((stored[0].get("warnings"), places(&stored[1])), (None, text.map(String::from).into()));
    // What was answered can be sent back.
    assert_eq!(server.send("PUT", "/rooms/demo/scenes", &stored).await.json(), stored);
    // What is shown, by its name, as the next one, and as what the canvas shows now.
    let post = |path: &str| answer(server.request("POST", &format!("/rooms/demo/scenes/{path}")));
    assert_eq!(post("plain/activate").await.json().get("warnings"), None);
    for path in ["next", "odd/activate"] {
        assert_eq!(places(&post(path).await.json()), text, "{path}");
    }
    let now = answer(server.request("PUT", "/rooms/demo/scenes/now")).await.json();
    assert_eq!(places(&now), text);
    let patch = json!({"x": 30});
    assert_eq!(places(&server.send("PATCH", "/rooms/demo/layout/layers/t", &patch).await.json()), text);
    // A whole room: places are those of the file.
    let file = server.get("/rooms/demo/export").await.json();
    let imported = server.send("POST", "/rooms/copy/import", &file).await;
    let expected = ["/layout", "/scenes/1/layout", "/scenes/2/layout"].map(|place| format!("{place}{}", text[0]));
    assert_eq!((imported.status.as_u16(), places(&imported.json())), (201, expected.into()));
    // It is said to who changes something, and kept nowhere.
    for path in ["/rooms/copy", "/rooms/copy/layout", "/rooms/demo/scenes/odd"] {
        assert_eq!(server.get(path).await.json().get("warnings"), None, "{path}");
    }
    assert!(!file.to_string().contains("warnings"));
}

#[tokio::test]
async fn a_room_that_was_exported_before_texts_had_fields_is_imported() {
    let server = Server::start().await;
    let old = layout(json!({"text": "{clock of doom} and {countdown}"}));
    let scenes = json!([{"name": "old", "layout": old}]);
    let document = json!({"version": 1, "layout": old, "scenes": scenes});
    let imported = server.send("POST", "/rooms/demo/import", &document).await;
    assert_eq!(imported.status, 201, "{imported:?}");
    let places: Vec<Value> =
        imported.json()["warnings"].as_array().unwrap().iter().map(|warning| warning["pointer"].clone()).collect();
    let place = "/layers/0/source/text";
    let expected = ["/layout", "/layout", "/scenes/0/layout", "/scenes/0/layout"].map(|part| format!("{part}{place}"));
    assert_eq!(places, expected);
    let shown = server.get("/rooms/demo/layout").await.json();
    assert_eq!(shown["layers"][0]["source"]["text"], old["layers"][0]["source"]["text"]);
    let again = server.get("/rooms/demo/export?assets=false").await.json();
    assert_eq!(server.send("POST", "/rooms/copy/import", &again).await.status, 201);
    // What is written now is to be right.
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &old).await.faults(422), [place, place]);
    // Everything else of an import is, too.
    let wrong = json!({"version": 1, "layout": {"layers": [{"id": "a", "source": {"texts": "x"}}]}});
    assert!(server.send("POST", "/rooms/demo/import", &wrong).await.faults(422)[0].starts_with("/layout/layers/0"));
}
