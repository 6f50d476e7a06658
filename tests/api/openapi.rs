use std::io::Read as _;

use serde_json::{Value, json};

use super::{
    page::Page,
    server::{Server, answer},
};

/// Returns the schema behind a `$ref`, or the schema itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            document.pointer(reference.strip_prefix('#').unwrap()).expect("the reference leads somewhere")
        }
        None => schema,
    }
}

/// Holds a value against a schema, as far as plain structs go: names of members, those required, items of arrays, types
/// of numbers, texts and switches.
fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolved(document, schema);
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        // A choice.
        _ => return,
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    // Every whole number is a number.
    let fits = types.contains(&own) || (own == "integer" && types.contains(&"number"));
    if !fits {
        faults.push(format!("{at} is {own}, not {types:?}"));
    }
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| check(document, &schema["items"], item, &format!("{at}/{n}"), faults));
        }
        Value::Object(members) => {
            let Some(properties) = schema["properties"].as_object() else { return };
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(required) {
                    faults.push(format!("{at}/{required} is missing"));
                }
            }
            for (name, member) in members {
                match properties.get(name) {
                    Some(property) => check(document, property, member, &format!("{at}/{name}"), faults),
                    None => faults.push(format!("{at}/{name} is not described")),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let server = Server::start().await;
    let document = answer(server.request_at_top("GET", "/openapi.json")).await.json();
    server.send("PUT", "/rooms/demo", &json!({"keypoints": true})).await;
    let (_ann, welcome) = Page::join(&server, "demo", "ann").await;
    server.media.room("demo").see(&[welcome["participant"]["id"].as_str().unwrap()]);
    for path in ["/rooms/{room}", "/rooms/{room}/participants", "/rooms/{room}/poses"] {
        let value = server.get(&path.replace("{room}", "demo")).await.json();
        let content = &document["paths"][format!("/api/v1{path}")]["get"]["responses"]["200"]["content"];
        let schema = &content["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        let mut faults = Vec::new();
        check(&document, schema, &value, path, &mut faults);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[tokio::test]
async fn a_session_begins_with_what_the_document_says() {
    let server = Server::start().await;
    let document = answer(server.request_at_top("GET", "/openapi.json")).await.json();
    let (_ann, welcome) = Page::join(&server, "demo", "ann").await;
    let messages = document["components"]["schemas"]["ServerMessage"]["oneOf"].as_array().unwrap();
    let schema = messages.iter().find(|message| message["properties"]["type"]["enum"][0] == "welcome").unwrap();
    let mut faults = Vec::new();
    check(&document, schema, &welcome, "welcome", &mut faults);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn what_a_put_takes_is_what_the_document_says() {
    let server = Server::start().await;
    let document = answer(server.request_at_top("GET", "/openapi.json")).await.json();
    let content = &document["paths"]["/api/v1/rooms/{room}"]["put"]["requestBody"]["content"]["application/json"];
    let settings = resolved(&document, &content["schema"])["properties"].as_object().unwrap();
    let names: Vec<&str> = settings.keys().map(String::as_str).collect();
    assert_eq!(names, ["canvas", "guests_land", "hold_ms", "keypoints", "locked", "max_participants"]);
}

#[tokio::test]
async fn the_page_of_outputs_has_a_row_for_every_type() {
    let server = Server::start().await;
    let document = answer(server.request_at_top("GET", "/openapi.json")).await.json();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/outputs.md")).unwrap();
    let types = document["components"]["schemas"]["OutputKind"]["enum"].as_array().expect("it is a choice of texts");
    let rows = types.iter().map(|kind| format!("| `{}` |", kind.as_str().unwrap()));
    let missing: Vec<String> = rows.filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty() && types.len() > 5, "docs/outputs.md lacks {missing:?}");
}

#[tokio::test]
async fn who_takes_gzip_gets_the_document_packed() {
    let server = Server::start().await;
    let plain = answer(server.request_at_top("GET", "/openapi.json")).await;
    assert!(plain.headers.get("content-encoding").is_none());
    let packed = answer(server.request_at_top("GET", "/openapi.json").header("accept-encoding", "br, gzip")).await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert_eq!(packed.headers["vary"], "accept-encoding");
    assert!(packed.body.len() * 3 < plain.body.len(), "{} bytes of {}", packed.body.len(), plain.body.len());
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
}
