//! Shelves of assets: the shared shelf's, which every room reads, and each room's own.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Answer, KEY, Server, answer};

/// Returns a picture so many pixels wide.
fn png(width: u32) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, 1).write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

/// Two rooms with a producer and a viewer each, and an asset of everybody's.
struct House {
    server: Server,
    red: String,
    red_viewer: String,
    blue: String,
    blue_viewer: String,
}

impl House {
    async fn build() -> Self {
        let server = Server::keyed().await;
        let mut tokens = Vec::new();
        for (room, role) in [("red", "producer"), ("red", "viewer"), ("blue", "producer"), ("blue", "viewer")] {
            server.send("PUT", &format!("/rooms/{room}"), &json!({})).await;
            let signed = server.sign(KEY, &json!({"room": room, "role": role})).await;
            tokens.push(signed["token"].as_str().unwrap().to_owned());
        }
        let [red, red_viewer, blue, blue_viewer] = tokens.try_into().unwrap();
        let house = Self { server, red, red_viewer, blue, blue_viewer };
        assert_eq!(house.put(KEY, "shared.png", 2).await.json()["room"], Value::Null);
        house
    }

    async fn ask(&self, token: &str, method: &str, path: &str) -> Answer {
        answer(self.server.request_as(token, method, path)).await
    }

    async fn put(&self, token: &str, name: &str, width: u32) -> Answer {
        answer(self.server.request_as(token, "PUT", &format!("/assets/{name}")).body(png(width))).await
    }

    async fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        answer(self.server.request_as(token, method, path).json(body)).await
    }

    /// Returns names and widths of all that this token sees, but for what is built in.
    async fn list(&self, token: &str, query: &str) -> Vec<(String, u64, Value)> {
        let list = self.ask(token, "GET", &format!("/assets{query}")).await;
        assert_eq!(list.status, 200, "{list:?}");
        let list = list.json()["assets"].as_array().unwrap().clone();
        let own = list.iter().filter(|asset| asset["builtin"] == false);
        own.map(|asset| {
            let name = asset["name"].as_str().unwrap().to_owned();
            (name, asset["width"].as_u64().unwrap(), asset["room"].clone())
        })
        .collect()
    }

    /// Returns the bytes that this token is given.
    async fn bytes(&self, token: &str, path: &str) -> Vec<u8> {
        let response = self.server.request_as(token, "GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    /// Returns what a layout with this picture is answered.
    async fn show(&self, token: &str, room: &str, image: &str) -> Answer {
        let layout = json!({"layers": [{"id": "a", "source": {"image": image}}]});
        self.send(token, "PUT", &format!("/rooms/{room}/layout"), &layout).await
    }
}

#[tokio::test]
async fn what_one_rooms_token_puts_is_seen_in_that_room_only() {
    let house = House::build().await;
    let put = house.put(&house.red, "own.png", 3).await;
    assert_eq!((put.status, &put.json()["room"]), (StatusCode::CREATED, &json!("red")));
    let shared = ("shared.png".to_owned(), 2, Value::Null);
    let own = ("own.png".to_owned(), 3, json!("red"));
    for token in [&house.red, &house.red_viewer] {
        assert_eq!(house.list(token, "").await, [own.clone(), shared.clone()]);
        assert_eq!(house.bytes(token, "/assets/own.png").await, png(3));
        assert_eq!(house.bytes(token, "/assets/shared.png").await, png(2));
    }
    for token in [&house.blue, &house.blue_viewer, KEY] {
        assert_eq!(house.list(token, "").await, std::slice::from_ref(&shared));
        house.ask(token, "GET", "/assets/own.png").await.problem(404);
        assert_eq!(house.bytes(token, "/assets/shared.png").await, png(2));
    }
    for token in [&house.blue, KEY] {
        house.ask(token, "DELETE", "/assets/own.png").await.problem(404);
    }
    for (token, method, path) in [
        (&house.blue, "GET", "/assets?room=red"),
        (&house.blue, "GET", "/assets/own.png?room=red"),
        (&house.blue, "PUT", "/assets/own.png?room=red"),
        (&house.blue, "DELETE", "/assets/own.png?room=red"),
        (&house.red_viewer, "PUT", "/assets/own.png"),
        (&house.red_viewer, "DELETE", "/assets/own.png"),
    ] {
        house.ask(token, method, path).await.problem(403);
    }
    house.ask(KEY, "GET", "/assets?room=a%20b").await.problem(400);

    // The same as of an asset that nobody has.
    let place = ["/layers/0/source/image"];
    let [foreign, unknown] = [house.show(KEY, "blue", "own.png").await, house.show(KEY, "blue", "none.png").await];
    assert_eq!(
        (foreign.faults(422), unknown.faults(422)),
        (place.map(String::from).into(), place.map(String::from).into())
    );
    assert_eq!(foreign.text().replace("own.png", "none.png"), unknown.text());
    assert_eq!(house.show(&house.red, "red", "own.png").await.status, 200);
    assert_eq!(house.show(&house.blue, "blue", "shared.png").await.status, 200);

    house.ask(&house.red, "DELETE", "/assets/own.png").await.problem(409);
    assert_eq!(house.show(&house.red, "red", "shared.png").await.status, 200);
    assert_eq!(house.ask(&house.red, "DELETE", "/assets/own.png").await.status, 204);
    assert_eq!(house.list(&house.red, "").await, [shared]);
}

#[tokio::test]
async fn rooms_may_have_assets_of_the_same_name() {
    let house = House::build().await;
    house.put(&house.red, "logo.png", 3).await;
    let blue = house.put(&house.blue, "logo.png", 4).await;
    assert_eq!((blue.status.as_u16(), house.put(KEY, "logo.png", 5).await.status.as_u16()), (201, 201));
    let sizes = [(&*house.red, 3), (&*house.red_viewer, 3), (&*house.blue, 4), (KEY, 5)];
    for (token, width) in sizes {
        assert_eq!(house.bytes(token, "/assets/logo.png").await, png(width));
        let listed = house.list(token, "").await;
        assert_eq!(
            listed.iter().map(|(name, width, _)| (&**name, *width)).collect::<Vec<_>>(),
            [("logo.png", u64::from(width)), ("shared.png", 2)]
        );
    }
    for room in ["red", "blue", "demo"] {
        assert_eq!(house.show(KEY, room, "logo.png").await.status, 200);
        house.server.media.room(room).wait_for("picture people=[] layers=[\"a\"] images=[\"logo.png\"]").await;
    }
    house.ask(KEY, "DELETE", "/assets/logo.png").await.problem(409);
    assert_eq!(house.show(KEY, "demo", "shared.png").await.status, 200);
    assert_eq!(house.ask(KEY, "DELETE", "/assets/logo.png").await.status, 204, "the others show their own");
    assert_eq!(house.put(&house.red, "logo.png", 6).await.status, 200, "theirs to replace");
    assert_eq!(house.bytes(&house.red, "/assets/logo.png").await, png(6));
    assert_eq!(house.bytes(&house.blue, "/assets/logo.png").await, png(4));
}

#[tokio::test]
async fn a_token_for_one_room_leaves_the_shared_shelf_alone() {
    let house = House::build().await;
    for name in ["shared.png", "studio.jpg"] {
        house.put(&house.red, name, 9).await.problem(403);
        house.ask(&house.red, "DELETE", &format!("/assets/{name}")).await.problem(403);
    }
    assert_eq!(house.bytes(KEY, "/assets/shared.png").await, png(2));
    // Who may be everywhere may cover it for one room, and uncover it again.
    assert_eq!(house.put(KEY, "shared.png?room=red", 7).await.status, 201);
    assert_eq!(house.list(KEY, "?room=red").await, [("shared.png".to_owned(), 7, json!("red"))]);
    assert_eq!(house.bytes(&house.red_viewer, "/assets/shared.png").await, png(7));
    assert_eq!(house.bytes(KEY, "/assets/shared.png?room=blue").await, png(2));
    assert_eq!(house.ask(KEY, "DELETE", "/assets/shared.png?room=red").await.status, 204);
    house.ask(KEY, "DELETE", "/assets/shared.png?room=red").await.problem(404);
    assert_eq!(house.bytes(&house.red_viewer, "/assets/shared.png").await, png(2));
    let everywhere = house.server.sign(KEY, &json!({"role": "producer"})).await;
    assert_eq!(house.put(everywhere["token"].as_str().unwrap(), "shared.png", 8).await.status, 200);
    assert_eq!(house.bytes(&house.blue_viewer, "/assets/shared.png").await, png(8));
}

#[tokio::test]
async fn a_room_takes_its_assets_with_it() {
    let house = House::build().await;
    house.put(&house.red, "own.png", 3).await;
    house.put(&house.red, "unused.png", 3).await;
    let layout = json!({"layers": [
        {"id": "a", "source": {"image": "own.png"}},
        {"id": "b", "source": {"image": "shared.png"}}
    ]});
    assert_eq!(house.send(KEY, "PUT", "/rooms/red/layout", &layout).await.status, 200);
    let mut file = house.ask(&house.red, "GET", "/rooms/red/export").await.json();
    assert_eq!(file["assets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["own.png", "shared.png"]);
    assert_eq!(file["room_assets"], json!(["own.png"]));

    // By who may be everywhere: what was the room's is the other room's, and the rest is everybody's.
    let there = House::build().await;
    let imported = there.send(KEY, "POST", "/rooms/blue/import", &file).await;
    assert_eq!(imported.status, 200, "{imported:?}");
    assert_eq!(there.bytes(&there.blue, "/assets/own.png").await, png(3));
    there.ask(&there.red, "GET", "/assets/own.png").await.problem(404);
    assert_eq!(there.send(KEY, "POST", "/rooms/blue/import", &file).await.status, 200, "the same once more");
    // By a token for one room: all is that room's. The shared shelf's own is not put twice.
    file["room_assets"] = json!([]);
    let imported = there.send(&there.red, "POST", "/rooms/red/import", &file).await;
    assert_eq!(imported.status, 200, "{imported:?}");
    assert_eq!(
        there.list(&there.red, "").await,
        [("own.png".to_owned(), 3, json!("red")), ("shared.png".to_owned(), 2, Value::Null)]
    );
    // What a refused one had added is gone again.
    file["layout"]["layers"][0]["x"] = json!("wide");
    file["room_assets"] = json!(["own.png"]);
    there.send(KEY, "POST", "/rooms/green/import", &file).await.problem(422);
    there.ask(KEY, "GET", "/assets/own.png?room=green").await.problem(404);
    file["room_assets"] = json!(["own.png", "gone.png"]);
    assert_eq!(there.send(KEY, "POST", "/rooms/green/import", &file).await.faults(422), ["/room_assets/1"]);

    // With the room go its assets: who has a room of its name later is somebody else.
    assert_eq!(there.ask(KEY, "DELETE", "/rooms/blue").await.status, 204);
    there.ask(&there.blue, "GET", "/assets/own.png").await.problem(404);
    assert_eq!(there.bytes(&there.red, "/assets/own.png").await, png(3), "another room's stay");
}

#[tokio::test]
async fn a_restart_forgets_no_owner() {
    let data = TempDir::new().unwrap();
    let start = || {
        Server::start_with(|config| {
            config.data_dir = data.path().to_owned();
            config.api_key = Some(KEY.to_owned());
        })
    };
    let server = start().await;
    let token = server.sign(KEY, &json!({"room": "red", "role": "producer"})).await;
    let token = token["token"].as_str().unwrap();
    let put = |server: &Server, as_whom: &str, name: &str| {
        answer(server.request_as(as_whom, "PUT", &format!("/assets/{name}")).body(png(3)))
    };
    assert_eq!(put(&server, token, "own.png").await.status, 201);
    assert_eq!(put(&server, KEY, "old.png").await.status, 201);
    server.state.registry.drain().await;
    drop(server);
    // Files of servers that knew no rooms' assets lie where those of all rooms still are.
    std::fs::write(data.path().join("assets").join("older.png"), png(4)).unwrap();

    let server = start().await;
    for (as_whom, name, status) in [
        (token, "own.png", 200),
        (token, "old.png", 200),
        (token, "older.png", 200),
        (KEY, "own.png", 404),
        (KEY, "older.png", 200),
        (KEY, "own.png?room=red", 200),
    ] {
        let response = server.request_as(as_whom, "GET", &format!("/assets/{name}")).send().await.unwrap();
        assert_eq!(response.status(), status, "{name}");
    }
}
