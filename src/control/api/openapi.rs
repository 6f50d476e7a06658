//! The OpenAPI 3.1 document at `/openapi.json`, and the same to read at `/docs`.

use std::{io::Write as _, sync::LazyLock};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use flate2::{Compression, write::GzEncoder};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    AppState, BASE, assets, bans, chat, data, events, export, health, hls, layout, outputs, participants, photos,
    poses, recordings,
};
use super::{
    client::entries,
    packing::{Packing, welcome},
    rooms, scenario, scenes, session, snapshot, timers, tokens, whep, whip,
};
use crate::layout::{
    ready::READY,
    schema::{keys::OBJECTS, say_order, say_rows},
    trigger,
};

/// Path of the document.
const DOCUMENT: &str = "/openapi.json";

/// Returns the routes, at the top level. All that they answer is in memory once, however many read it, or do not.
pub fn router() -> Router<AppState> {
    let page: Router<AppState> = SwaggerUi::new("/docs").config(Config::from(DOCUMENT)).into();
    page.route(DOCUMENT, get(read))
}

/// Answers with the document, packed by gzip for those who take that: the page's editor reads it, on narrow lines as well.
async fn read(headers: HeaderMap) -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default().into());
    static PACKED: LazyLock<Option<Bytes>> = LazyLock::new(|| gzip(&TEXT));
    let common = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept-encoding")];
    let taken = welcome(entries(&headers, header::ACCEPT_ENCODING)).contains(&Packing::Gzip);
    match PACKED.as_ref().filter(|_| taken) {
        Some(packed) => (common, [(header::CONTENT_ENCODING, Packing::Gzip.name())], packed.clone()).into_response(),
        None => (common, TEXT.clone()).into_response(),
    }
}

/// Packs bytes by gzip; `None` where that fails.
fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Returns the whole document.
pub fn document() -> openapi::OpenApi {
    Server::openapi().nest(BASE, Resources::openapi())
}

/// The top level's requests, and the words about the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Virfie",
        description = "A virtual studio on a server: people in a WebRTC room are cut out and put together in one \
            picture, which all of them, viewers and outputs receive.\n\nA changing request may carry `If-Match` with \
            the room's revision (its `ETag`); a stale one gets 412. Errors are RFC 9457 problems. WHIP and WHEP are \
            served at `/whip/{room}` and `/whep/{room}` as well, \
            and HLS at `/hls/{room}/{name}/index.m3u8`.",
    ),
    paths(health::live, health::ready, health::metrics),
    modifiers(&Security),
    tags(
        (name = "rooms", description = "A room: a canvas, a layout, participants, outputs"),
        (name = "layout", description = "Layouts of the canvas"),
        (name = "scenes", description = "Stored layouts, shown by name or one after the other"),
        (name = "data", description = "Values that programs put for texts, timers, and the chat"),
        (name = "participants", description = "Who is in, and moderation"),
        (name = "outputs", description = "Places to which the room is sent"),
        (name = "events", description = "Events of a room, and of all of them"),
        (name = "session", description = "Signalling and control of the web page"),
        (name = "webrtc", description = "Sending by WHIP (RFC 9725) and receiving by WHEP"),
        (name = "assets", description = "Images for layouts"),
        (name = "tokens", description = "Access for those who shall not have the key"),
        (name = "health", description = "Liveness, readiness, numbers"),
    )
)]
struct Server;

/// The resources under [`BASE`].
#[derive(OpenApi)]
#[openapi(paths(
    rooms::list_rooms,
    rooms::get_room,
    rooms::put_room,
    rooms::delete_room,
    layout::get_layout,
    layout::put_layout,
    layout::patch_layout,
    layout::patch_layer,
    layout::delete_layer,
    scenes::list_scenes,
    scenes::put_scenes,
    scenes::get_scene,
    scenes::put_scene,
    scenes::delete_scene,
    scenes::activate_scene,
    scenes::next_scene,
    scenes::previous_scene,
    export::export_room,
    export::import_room,
    participants::list_participants,
    participants::get_participant,
    participants::patch_participant,
    participants::delete_participant,
    bans::list_bans,
    bans::delete_ban,
    poses::get_poses,
    outputs::list_outputs,
    outputs::post_output,
    outputs::get_output,
    outputs::patch_output,
    outputs::delete_output,
    outputs::start_output,
    outputs::stop_output,
    outputs::start_outputs,
    outputs::stop_outputs,
    outputs::test_output,
    outputs::pause_output,
    outputs::resume_output,
    outputs::post_marker,
    recordings::list_recordings,
    recordings::get_recording,
    recordings::delete_recording,
    events::server_events,
    hls::get_hls,
    events::room_events,
    scenario::put_scenario,
    snapshot::snapshot_png,
    snapshot::snapshot_jpg,
    photos::list_photos,
    photos::get_photo,
    data::list_data,
    data::get_data,
    data::put_data,
    data::delete_data,
    chat::list_chat,
    chat::post_chat,
    chat::clear_chat,
    chat::delete_chat,
    timers::list_timers,
    timers::get_timer,
    timers::delete_timer,
    timers::start_timer,
    timers::stop_timer,
    timers::reset_timer,
    session::session,
    whip::post_whip,
    whip::patch_whip,
    whip::delete_whip,
    whep::post_whep,
    whep::patch_whep,
    whep::delete_whep,
    assets::list,
    assets::read,
    assets::put,
    assets::delete,
    tokens::create,
    tokens::revoke,
), components(schemas(session::messages::ClientMessage, session::messages::ServerMessage)), modifiers(&ReadyLayouts, &LayoutKeys))]
struct Resources;

/// Shows the layouts that come with the program as examples.
struct ReadyLayouts;

impl Modify for ReadyLayouts {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let schemas = document.components.as_mut().map(|components| &mut components.schemas);
        let layout = schemas.and_then(|schemas| schemas.get_mut("Layout"));
        if let Some(openapi::RefOr::T(openapi::Schema::Object(layout))) = layout {
            layout.examples.extend(READY.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()));
        }
    }
}

/// Says what the table of keys of layouts says beyond their schemas: the order of keys, and which assets they name.
struct LayoutKeys;

impl Modify for LayoutKeys {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let Some(components) = &mut document.components else { return };
        for (name, rows) in OBJECTS {
            if let Some(schema) = components.schemas.get_mut(name) {
                say_rows(schema, rows);
            }
        }
        for (name, keys) in trigger::OBJECTS {
            if let Some(schema) = components.schemas.get_mut(name) {
                say_order(schema, keys);
            }
        }
    }
}

/// Says how requests are authenticated.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The API key, or a token of `POST /api/v1/tokens`"))
            .build();
        let query = ApiKeyValue::with_description("token", "The same, for what cannot set headers");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("query", SecurityScheme::ApiKey(ApiKey::Query(query)));
        let none: [&str; 0] = [];
        document.security =
            Some(vec![SecurityRequirement::new("bearer", none), SecurityRequirement::new("query", none)]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::layout::{
        AssetKind, asset_keys,
        schema::{ASSET, KEY_ORDER},
    };

    #[test]
    fn ready_layouts_are_examples() {
        let document: Value = serde_json::to_value(document()).unwrap();
        let examples = document["components"]["schemas"]["Layout"]["examples"].as_array().unwrap();
        for (name, text) in READY {
            assert!(examples.contains(&serde_json::from_str(text).unwrap()), "{name}");
        }
    }

    #[test]
    fn objects_of_layouts_say_the_order_of_their_keys_and_what_they_name() {
        let document: Value = serde_json::to_value(document()).unwrap();
        let schemas = &document["components"]["schemas"];
        for (name, rows) in OBJECTS {
            let keys: Vec<&str> = rows.iter().map(|row| row.key).collect();
            assert_eq!(schemas[name][KEY_ORDER], serde_json::json!(keys), "{name}");
        }
        assert_eq!(schemas["LayerBorder"][KEY_ORDER], serde_json::json!(["width", "color"]));
        for (name, keys) in trigger::OBJECTS {
            assert_eq!(schemas[name][KEY_ORDER], serde_json::json!(keys), "{name}");
        }
        let sources = schemas["LayerSource"]["oneOf"].as_array().unwrap();
        assert!(sources.iter().any(|source| source[KEY_ORDER][0] == "text"));
        /// Collects the kind of asset that is named under each key.
        fn named(value: &Value, key: &str, found: &mut BTreeSet<(String, String)>) {
            match value {
                Value::Object(members) => {
                    if let Some(kind) = members.get(ASSET) {
                        found.insert((kind.as_str().unwrap().to_owned(), key.to_owned()));
                    }
                    for (inner, member) in members {
                        let is_key = !["oneOf", "items"].contains(&inner.as_str());
                        named(member, if is_key { inner } else { key }, found);
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| named(item, key, found)),
                _ => {}
            }
        }
        let mut found = BTreeSet::new();
        named(schemas, "", &mut found);
        // The background of a canvas is a schema of its own.
        assert!(found.remove(&("image".to_owned(), "Backdrop".to_owned())));
        let kinds = [AssetKind::Image, AssetKind::Clip, AssetKind::Sound];
        let keys = |kind| asset_keys(kind).into_iter().map(move |key: &str| (kind.name().to_owned(), key.to_owned()));
        let mut table: BTreeSet<(String, String)> = kinds.into_iter().flat_map(keys).collect();
        assert!(table.remove(&("image".to_owned(), "background".to_owned())));
        assert_eq!(found, table);
    }

    #[test]
    fn the_document_is_openapi_3_1_and_has_every_resource() {
        let document: Value = serde_json::to_value(document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        for (path, method) in [
            ("/api/v1/rooms/{room}", "put"),
            ("/api/v1/rooms/{room}/layout", "patch"),
            ("/api/v1/rooms/{room}/scenes", "put"),
            ("/api/v1/rooms/{room}/scenes/{name}", "put"),
            ("/api/v1/rooms/{room}/scenes/{name}/activate", "post"),
            ("/api/v1/rooms/{room}/scenes/next", "post"),
            ("/api/v1/rooms/{room}/import", "post"),
            ("/api/v1/rooms/{room}/data/{key}", "put"),
            ("/api/v1/rooms/{room}/timers/{id}/start", "post"),
            ("/api/v1/rooms/{room}/participants/{id}", "patch"),
            ("/api/v1/rooms/{room}/poses", "get"),
            ("/api/v1/rooms/{room}/outputs", "post"),
            ("/api/v1/rooms/{room}/events", "get"),
            ("/api/v1/rooms/{room}/session", "get"),
            ("/api/v1/rooms/{room}/snapshot.png", "get"),
            ("/api/v1/whip/{room}", "post"),
            ("/api/v1/whep/{room}", "post"),
            ("/api/v1/assets/{name}", "put"),
            ("/api/v1/tokens", "post"),
            ("/readyz", "get"),
        ] {
            assert!(document["paths"][path][method].is_object(), "{method} {path}");
        }
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    for (key, member) in members {
                        match member {
                            Value::String(text) if key == "$ref" => found.push(text.clone()),
                            _ => references(member, found),
                        }
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let document: Value = serde_json::to_value(document()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
