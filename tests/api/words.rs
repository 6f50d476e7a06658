use serde_json::{Value, json};
use virfie::media::port::MediaEvent;

use super::{
    page::Page,
    scenario::trigger,
    server::{KEY, Server, answer},
};

fn layout(text: &str) -> Value {
    json!({"layers": [{"id": "who", "source": {"slot": 1}}, {"id": "t", "source": {"text": text}}]})
}

async fn post(server: &Server, path: &str, body: &Value) -> super::server::Answer {
    server.send("POST", path, body).await
}

#[tokio::test]
async fn data_is_put_shown_read_and_taken_away() {
    let server = Server::start().await;
    assert_eq!(server.send("PUT", "/rooms/demo/data/score", &json!(3)).await.status, 404);
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let shown = server.send("PUT", "/rooms/demo/layout", &layout("Score {data.score|0}")).await;
    assert_eq!((shown.status.as_u16(), &shown.json()["layers"]), (200, &layout("Score {data.score|0}")["layers"]));
    let room = server.media.room("demo");
    let says = async |words: &str| {
        let end = format!(",{words}\"");
        let is_so = |line: &str| line.starts_with("picture people=[] layers=[\"who\", \"t\"] ") && line.contains(&end);
        room.wait_that(words, is_so).await
    };
    says("Score 0").await;
    let put = server.send("PUT", "/rooms/demo/data/score", &json!(3)).await;
    assert_eq!((put.status.as_u16(), put.json()), (201, json!(3)));
    says("Score 3").await;
    let put = server.send("PUT", "/rooms/demo/data/score", &json!("4:2")).await;
    assert_eq!((put.status.as_u16(), put.json()), (200, json!("4:2")));
    says("Score 4:2").await;
    assert_eq!(server.get("/rooms/demo/data/score").await.json(), json!("4:2"));
    assert_eq!(server.get("/rooms/demo/data").await.json(), json!({"score": "4:2"}));
    assert_eq!(server.get("/rooms/demo").await.json()["data"], json!({"score": "4:2"}));
    assert_eq!(server.delete("/rooms/demo/data/score").await.status, 204);
    for status in
        [server.delete("/rooms/demo/data/score").await.status, server.get("/rooms/demo/data/score").await.status]
    {
        assert_eq!(status, 404);
    }
    assert_eq!(server.get("/rooms/demo").await.json().get("data"), None);
}

#[tokio::test]
async fn a_scenes_text_is_as_large_as_what_it_says_now() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    server.send("PUT", "/rooms/demo/data/score", &json!("so many words")).await;
    for (name, text) in [("living", "{data.score}"), ("fixed", "so many words")] {
        let layers = json!([{"id": "t", "source": {"text": text}}]);
        let layout = json!({"layers": layers, "auto": {"mode": "off"}});
        assert_eq!(server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &layout).await.status, 201);
    }
    let boxes = async || {
        let list = server.get("/rooms/demo/scenes?boxes=true").await.json();
        [list[0]["boxes"].clone(), list[1]["boxes"].clone()]
    };
    let [living, fixed] = boxes().await;
    assert_eq!((&living, &living[0]["hidden"]), (&fixed, &Value::Null));
    assert_eq!(post(&server, "/rooms/demo/scenes/living/activate", &json!({})).await.status, 200);
    assert_eq!(server.get("/rooms/demo").await.json()["boxes"], living);
    server.send("PUT", "/rooms/demo/data/score", &json!("1")).await;
    let [living, _] = boxes().await;
    assert!(living[0]["width"].as_f64() < fixed[0]["width"].as_f64(), "{living} {fixed}");
}

#[tokio::test]
async fn what_outsiders_write_keeps_no_scene_from_being_shown() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let wide = "W".repeat(500);
    // What is written in the layout itself is refused as before.
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &layout(&wide)).await.faults(422), ["/layers/1/source/text"]);
    for (name, text) in [("Chat", "{chat}"), ("Datum", "{data.long}")] {
        assert_eq!(server.send("PUT", &format!("/rooms/demo/scenes/{name}"), &layout(text)).await.status, 201);
    }
    assert_eq!(post(&server, "/rooms/demo/chat", &json!({"name": "bob", "text": wide})).await.status, 201);
    assert_eq!(server.send("PUT", "/rooms/demo/data/long", &json!(wide)).await.status, 201);
    let shown = "picture people=[] layers=[\"who\", \"t\"] images=[]";
    for name in ["Chat", "Datum"] {
        let activated = post(&server, &format!("/rooms/demo/scenes/{name}/activate"), &json!({})).await;
        assert_eq!(activated.status, 200, "{activated:?}");
        server.media.room("demo").wait_for(shown).await;
    }
    for text in ["{chat 3}", "{data.long} and more"] {
        assert_eq!(server.send("PUT", "/rooms/demo/layout", &layout(text)).await.status, 200);
        let document = json!({"version": 1, "layout": layout(text)});
        assert_eq!(post(&server, "/rooms/demo/import", &document).await.status, 200);
        let scenes = json!({"scenes": [{"name": "One", "layout": layout(text)}]});
        assert_eq!(server.send("PUT", "/rooms/demo/scenario", &scenes).await.status, 200);
    }
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    post(&server, "/rooms/demo/timers/short/start", &json!({"seconds": 1, "scene": "One"})).await;
    assert_eq!(page.wait_for_event("scene_activated").await["name"], "One");
}

#[tokio::test]
async fn a_font_that_takes_for_ever_holds_up_no_scene() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let font = answer(server.request("PUT", "/assets/a.ttf").body(dejavu::serif::bold().to_vec())).await;
    assert_eq!(font.status, 201);
    let slow = json!({"layers": [{"id": "t", "source": {"text": "{data.score}", "font": "a.ttf"}}]});
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &slow).await.status, 200);
    assert_eq!(server.send("PUT", "/rooms/demo/scenes/Live", &layout("Live")).await.status, 201);
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    server.media.set_stuck(true);
    server.send("PUT", "/rooms/demo/data/score", &json!(3)).await;
    post(&server, "/rooms/demo/timers/short/start", &json!({"seconds": 1, "scene": "Live"})).await;
    assert_eq!(page.wait_for_event("scene_activated").await["name"], "Live");
    server.media.set_stuck(false);
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &slow).await.status, 200);
    server.media.room("demo").wait_that("the score", |line| line.contains(",3\"")).await;
}

#[tokio::test]
async fn a_timers_scene_comes_also_when_sounds_have_filled_the_queue() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    assert_eq!(answer(server.request("PUT", "/assets/a.mp3").body(b"ID3 sound".to_vec())).await.status, 201);
    let wave = json!([{"id": "wave", "when": "always", "do": [{"sound": "a.mp3"}]}]);
    let loud = json!({"layers": [], "triggers": wave});
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &loud).await.status, 200);
    assert_eq!(server.send("PUT", "/rooms/demo/scenes/Live", &layout("Live")).await.status, 201);
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    server.media.set_stuck(true);
    for _ in 0..40 {
        let fired = MediaEvent::TriggerFired { trigger: trigger(&loud), participants: Vec::new() };
        server.media.room("demo").say(fired);
        page.wait_for_event("trigger_fired").await;
    }
    post(&server, "/rooms/demo/timers/short/start", &json!({"seconds": 1, "scene": "Live"})).await;
    page.wait_for_event("timer_ended").await;
    server.media.set_stuck(false);
    assert_eq!(page.wait_for_event("scene_activated").await["name"], "Live");
}

#[tokio::test]
async fn data_timers_and_chat_are_read_by_all_and_changed_by_producers() {
    const READS: [&str; 5] = ["data", "data/score", "timers", "timers/start", "chat"];
    let wrong = json!({"seconds": 0});
    let line = json!({"name": "bob", "text": "Hi"});
    let changes = [
        ("PUT", "data/score", json!(3)),
        ("POST", "timers/start/start", json!({"seconds": 60})),
        ("POST", "timers/start/stop", Value::Null),
        ("POST", "timers/start/reset", json!({"seconds": 60})),
        ("POST", "chat", line),
        ("DELETE", "chat/1", Value::Null),
        ("DELETE", "chat", Value::Null),
        ("DELETE", "timers/start", Value::Null),
        ("DELETE", "data/score", Value::Null),
    ];
    // Who may not change it does not learn what would be wrong, either.
    let refused = [("POST", "timers/start/start", wrong.clone()), ("POST", "timers/start/reset", wrong)];
    let mut server = Server::keyed().await;
    for (method, path, body) in [&changes[0], &changes[1], &changes[4]] {
        assert!(server.send(method, &format!("/rooms/demo/{path}"), body).await.status.is_success());
    }
    let token = async |room: &str, role: &str| {
        let signed = server.sign(KEY, &json!({"room": room, "role": role})).await;
        signed["token"].as_str().unwrap().to_owned()
    };
    let (viewer, participant) = (token("demo", "viewer").await, token("demo", "participant").await);
    let (producer, stranger) = (token("demo", "producer").await, token("other", "producer").await);
    let ask = async |server: &Server, token: &str, (method, path, body): &(&str, &str, Value)| {
        let request = server.request_as(token, method, &format!("/rooms/demo/{path}"));
        answer(if body.is_null() { request } else { request.json(body) }).await
    };
    for token in [&viewer, &participant] {
        for path in READS {
            assert_eq!(ask(&server, token, &("GET", path, Value::Null)).await.status, 200, "{path}");
        }
        for change in changes.iter().chain(&refused) {
            assert_eq!(ask(&server, token, change).await.status, 403, "{change:?}");
        }
    }
    for path in READS {
        assert_eq!(ask(&server, &stranger, &("GET", path, Value::Null)).await.status, 403, "{path}");
    }
    for change in changes.iter().chain(&refused) {
        assert_eq!(ask(&server, &stranger, change).await.status, 403, "{change:?}");
    }
    server.token = None;
    for path in READS {
        server.get(&format!("/rooms/demo/{path}")).await.problem(401);
    }
    for (method, path, body) in changes.iter().chain(&refused) {
        server.send(method, &format!("/rooms/demo/{path}"), body).await.problem(401);
    }
    for change in &changes {
        let changed = ask(&server, &producer, change).await;
        assert!(changed.status.is_success(), "{change:?}: {changed:?}");
    }
}

#[tokio::test]
async fn wrong_data_is_refused() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for wrong in [json!(true), json!(null), json!([1]), json!({"a": 1}), json!("x".repeat(1001)), json!("a\u{7}")] {
        assert_eq!(server.send("PUT", "/rooms/demo/data/a", &wrong).await.faults(422), [""], "{wrong}");
    }
    assert_eq!(server.send("PUT", "/rooms/demo/data/a%20b", &json!(1)).await.status, 422);
    assert_eq!(server.get("/rooms/demo/data").await.json(), json!({}));
}

#[tokio::test]
async fn wrong_fields_are_refused_with_their_place_and_unknown_ones_are_doubted() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    for wrong in ["{clock HH:qq}", "{name nobody}", "{name t}", "{countdown}", "{countdown 25:00}", "{data.a b}"] {
        let refused = server.send("PUT", "/rooms/demo/layout", &layout(wrong)).await;
        assert_eq!(refused.faults(422), ["/layers/1/source/text"], "{wrong}");
    }
    let alone = json!({"layers": [{"id": "t", "source": {"text": "{name}"}}]});
    assert_eq!(server.send("PUT", "/rooms/demo/layout", &alone).await.faults(422), ["/layers/0/source/text"]);
    let doubted = server.send("PUT", "/rooms/demo/layout", &layout("{score} {{name}}")).await;
    assert_eq!(doubted.status, 200, "{doubted:?}");
    let warnings = doubted.json()["warnings"].clone();
    assert_eq!(
        (warnings.as_array().map(Vec::len), &warnings[0]["pointer"]),
        (Some(1), &json!("/layers/1/source/text"))
    );
}

#[tokio::test]
async fn timers_are_started_stopped_reset_and_forgotten() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    let timer = "/rooms/demo/timers/start";
    assert_eq!(post(&server, &format!("{timer}/stop"), &json!({})).await.status, 404);
    for wrong in [json!({"seconds": 0}), json!({"seconds": 86401}), json!({"seconds": "5"})] {
        assert_eq!(post(&server, &format!("{timer}/start"), &wrong).await.faults(422), ["/seconds"], "{wrong}");
    }
    for wrong in [json!({"scene": "Live"}), json!({"seconds": 5, "scene": "a/b"})] {
        assert_eq!(post(&server, &format!("{timer}/start"), &wrong).await.faults(422), ["/scene"], "{wrong}");
    }
    let reset = post(&server, &format!("{timer}/reset"), &json!({"seconds": 300})).await.json();
    assert_eq!((&reset["id"], &reset["running"], &reset["seconds"]), (&json!("start"), &json!(false), &json!(300)));
    // Without a body.
    let started = answer(server.request("POST", &format!("{timer}/start"))).await.json();
    assert_eq!((&started["running"], &started["seconds"]), (&json!(true), &json!(300)));
    assert!(started["ends_at"].is_string() && started["since"].is_string(), "{started}");
    assert_eq!(page.wait_for_event("timer_changed").await["timer"]["id"], "start");
    assert_eq!(server.get("/rooms/demo/timers").await.json(), json!([started]));
    let stopped = post(&server, &format!("{timer}/stop"), &json!({})).await.json();
    assert_eq!((&stopped["running"], &stopped["ends_at"]), (&json!(false), &json!(null)));
    server.send("PUT", "/rooms/demo/scenes/Live", &layout("Live")).await;
    post(&server, "/rooms/demo/timers/short/start", &json!({"seconds": 1, "scene": "Live"})).await;
    assert_eq!(page.wait_for_event("timer_ended").await["timer"]["id"], "short");
    assert_eq!(page.wait_for_event("scene_activated").await["name"], "Live");
    assert_eq!(server.delete(timer).await.status, 204);
    assert_eq!(server.get(timer).await.status, 404);
    assert_eq!(page.wait_for_event("timer_removed").await["id"], "start");
}

#[tokio::test]
async fn a_rooms_file_has_its_data_and_timers() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    server.send("PUT", "/rooms/demo/data/score", &json!(3)).await;
    post(&server, "/rooms/demo/timers/start/reset", &json!({"seconds": 60})).await;
    let file = server.get("/rooms/demo/export").await.json();
    assert_eq!(
        (&file["data"], &file["timers"]),
        (&json!({"score": 3}), &json!({"start": {"seconds": 60, "elapsed_ms": 0}}))
    );
    assert_eq!(post(&server, "/rooms/copy/import", &file).await.status, 201);
    assert_eq!(server.get("/rooms/copy/data").await.json(), json!({"score": 3}));
    assert_eq!(server.get("/rooms/copy/timers").await.json()[0]["seconds"], 60);
    let wrong = json!({"version": 1, "data": {"a": []}, "timers": {"b": {"seconds": 0}}});
    assert_eq!(post(&server, "/rooms/copy/import", &wrong).await.faults(422), ["/data/a", "/timers/b/seconds"]);
}

#[tokio::test]
async fn chat_lines_are_shown_reported_and_taken_away() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let (mut page, _) = Page::join(&server, "demo", "ann").await;
    server.send("PUT", "/rooms/demo/layout", &layout("{chat 2}")).await;
    for text in ["one", "two", "three"] {
        let posted = post(&server, "/rooms/demo/chat", &json!({"name": "bob", "text": text})).await;
        assert_eq!((posted.status.as_u16(), &posted.json()["text"]), (201, &json!(text)));
        let news = page.wait_for_event("chat_line").await;
        assert_eq!((&news["line"]["name"], &news["line"]["text"]), (&json!("bob"), &json!(text)));
    }
    server.media.room("demo").wait_that("the lines", |line| line.contains("bob: two\\nbob: three")).await;
    for wrong in [json!({"name": "bob"}), json!({"name": "", "text": "x"}), json!({"name": "bob", "text": "a\nb"})] {
        assert_eq!(post(&server, "/rooms/demo/chat", &wrong).await.status, 422, "{wrong}");
    }
    let lines = server.get("/rooms/demo/chat").await.json();
    assert_eq!(lines.as_array().map(Vec::len), Some(3));
    assert_eq!(server.delete(&format!("/rooms/demo/chat/{}", lines[2]["id"])).await.status, 204);
    assert_eq!(page.wait_for_event("chat_removed").await["id"], lines[2]["id"]);
    for none in ["99", "x"] {
        assert_eq!(server.delete(&format!("/rooms/demo/chat/{none}")).await.status, 404);
    }
    assert_eq!(server.delete("/rooms/demo/chat").await.status, 204);
    assert_eq!(server.get("/rooms/demo/chat").await.json(), json!([]));
}
