//! The interface to rooms: HTTP, WebSocket, WHIP and WHEP. One file a resource; the only place that knows axum.
//!
//! ```text
//!  request ─► client (proxies, path) ─► headers ─► trace ─► cors ─► panics caught ─► count ─► origin (open server)
//!          ─► body in time ─► problems made alike ─► query is text ─► answers that wait ─► resource
//!    /api/v1/…   rooms layout scenes data timers chat export participants bans poses outputs events session snapshot
//!                 assets tokens whip whep hls
//!    /           whip whep hls, health, metrics, openapi, docs, and the page for everything else
//! ```
//!
//! Resources read their body with [`problem::ApiJson`], know their caller by [`auth::Access`], and refuse with a
//! [`problem::Problem`].

pub mod answers;
pub mod assets;
pub mod auth;
pub mod bans;
mod bounds;
pub mod capacity;
pub mod chat;
pub mod client;
pub mod data;
pub mod events;
pub mod export;
pub mod founders;
mod given;
mod guard_headers;
pub mod health;
pub mod hls;
pub mod layout;
mod neighbour;
pub mod openapi;
pub mod origin;
pub mod outputs;
mod packing;
pub mod page;
pub mod participants;
mod patience;
pub mod photos;
pub mod places;
pub mod poses;
mod preflight;
pub mod problem;
mod query;
pub mod recordings;
pub mod room_path;
pub mod rooms;
pub mod scenario;
pub mod scenes;
pub mod session;
pub mod snapshot;
mod threads;
pub mod timers;
pub mod tokens;
mod transfer;
mod unpack;
pub mod whep;
pub mod whip;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, Method, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, AllowMethods, Any, CorsLayer},
    trace::TraceLayer,
};
use tracing::Span;

use super::{
    assets::AssetStore,
    hooks::Hooks,
    room::{Recordings, Registry, RoomDefaults, RoomStore},
};
use crate::{
    config::{IceServer, ServeConfig},
    error::ProgramError,
    media::port::Media,
};

/// Path below which the resources are.
pub const BASE: &str = "/api/v1";

/// Time for which browsers may remember what another origin may do.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Lifetime of TURN credentials that are made for somebody: a relay asks for them again and again.
const TURN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The state that every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The rooms.
    pub registry: Arc<Registry>,
    /// Keys and tokens.
    pub auth: Arc<auth::Auth>,
    /// Images for layouts.
    pub assets: Arc<AssetStore>,
    /// Setup of the server.
    pub config: Arc<ServeConfig>,
    /// The descriptors and threads that the process may still open.
    pub capacity: Arc<capacity::Capacity>,
    /// Rooms and the tokens that made them.
    pub founders: Arc<founders::Founders>,
    /// Answers that wait to be read.
    pub answers: Arc<answers::Waiting>,
    /// Those who have a snapshot made.
    pub snapshots: Arc<places::Places>,
    /// Those who try an output.
    pub trials: Arc<places::Places>,
    /// Those who have the host of an output looked for.
    pub lookups: Arc<places::Places>,
    /// The receivers that hear of what happens.
    pub hooks: Arc<Hooks>,
}

impl AppState {
    /// Creates a server's state, with the rooms that were stored. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the API key of the data directory, or the secret of webhooks, can neither be read nor made, or its rooms
    /// cannot be read.
    pub fn new(config: ServeConfig, media: Arc<dyn Media>) -> Result<Self, ProgramError> {
        let auth = Arc::new(auth::Auth::new(&config)?);
        let assets = Arc::new(AssetStore::open(&config.data_dir, Arc::clone(&media)));
        let defaults = RoomDefaults {
            canvas: config.canvas.clone(),
            largest: config.largest_canvas,
            max_participants: config.max_participants,
            hold_ms: config.hold_ms,
            max_rooms: config.max_rooms,
            recordings: Recordings {
                folder: config.recordings.clone(),
                hls: config.data_dir.join("hls"),
                spare: config.recordings_spare.saturating_mul(1_000_000),
            },
        };
        let store = RoomStore::open(&config.data_dir)
            .map_err(|error| ProgramError::Failed(format!("cannot start threads: {error}")))?;
        hls::clean(&defaults.recordings);
        let registry = Registry::new(media, assets.clone(), store, defaults);
        // Before there are rooms, so that it hears of all.
        let hooks = Arc::new(start_hooks(&config, &registry)?);
        registry.restore().map_err(|error| {
            let rooms = config.data_dir.join("rooms");
            ProgramError::Failed(format!("data-dir: cannot read {}: {error}", rooms.display()))
        })?;
        let of_task = Arc::clone(&registry);
        tokio::spawn(async move { hls::clean_events(&of_task).await });
        let capacity = Arc::new(capacity::Capacity::of_this_process());
        let places = |(all, each)| Arc::new(places::Places::new(all, each));
        Ok(Self {
            registry,
            auth,
            assets,
            config: Arc::new(config),
            capacity,
            founders: Arc::default(),
            answers: Arc::default(),
            snapshots: places(snapshot::PLACES),
            trials: places(outputs::TRIALS),
            lookups: places(bounds::LOOKUPS),
            hooks,
        })
    }

    /// Returns STUN and TURN servers, with credentials that are valid from now on for some time.
    pub fn ice_servers(&self) -> Vec<IceServer> {
        let now = jsonwebtoken::get_current_timestamp();
        self.config.ice_servers.iter().map(|server| server.at(now, TURN_LIFETIME)).collect()
    }

    /// Takes a signing key that was rotated, and puts everybody out who came with an older token.
    pub async fn look_at_signing_key(&self) {
        if self.auth.look_at_signing_key() {
            self.registry.dismiss(None).await;
        }
    }
}

fn start_hooks(config: &ServeConfig, registry: &Registry) -> Result<Hooks, ProgramError> {
    let secret = match &config.webhook_secret {
        Some(secret) => secret.clone(),
        None if config.webhooks.is_empty() => String::new(),
        None => auth::secret::of_webhooks(&config.data_dir)?,
    };
    Hooks::start(&config.webhooks, &secret, registry.journal().read(None))
        .map_err(|error| ProgramError::Failed(format!("cannot start threads: {error}")))
}

/// Says what the numbers of HTTP are.
fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_counter!("virfie_http_responses_total", "Answers, by method and status");
    describe_gauge!("virfie_http_connections", "Open connections");
    describe_counter!("virfie_connections_refused_total", "Connections that found no place");
    describe_counter!("virfie_connections_closed_for_others_total", "Connections that were closed for new ones");
    describe_counter!(
        "virfie_refused_for_capacity_total",
        "Requests refused with 503 for want of descriptors, threads or memory"
    );
    describe_counter!("virfie_wrong_keys_total", "Wrong API keys");
}

/// Returns the whole interface.
pub fn router(state: AppState) -> Router {
    describe();
    let resources = Router::new()
        .merge(rooms::router())
        .merge(layout::router())
        .merge(scenes::router())
        .merge(scenario::router())
        .merge(export::router())
        .merge(participants::router())
        .merge(bans::router())
        .merge(poses::router())
        .merge(outputs::router())
        .merge(recordings::router())
        .merge(hls::router())
        .merge(events::router())
        .merge(session::router())
        .merge(snapshot::router())
        .merge(photos::router())
        .merge(data::router())
        .merge(timers::router())
        .merge(chat::router())
        .merge(assets::router())
        .merge(tokens::router())
        .merge(whip::router())
        .merge(whep::router())
        .layer(middleware::from_fn_with_state(state.clone(), answers::bound));
    let inner = Router::new()
        .nest(BASE, resources)
        // Encoders and players are usually given these short addresses.
        .merge(whip::router())
        .merge(whep::router())
        .merge(hls::router().layer(middleware::from_fn_with_state(state.clone(), answers::bound)))
        .merge(health::router().layer(middleware::from_fn_with_state(state.clone(), answers::bound)))
        // These two answer what is in memory once, however many do not read it.
        .merge(openapi::router())
        // Before the page, which reads its addresses itself.
        .layer(middleware::from_fn(query::check))
        .fallback(page::serve)
        .layer(middleware::from_fn(problem::normalise))
        .layer(middleware::from_fn(patience::bound))
        .layer(middleware::from_fn_with_state(state.clone(), origin::guard))
        .layer(middleware::from_fn(count))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn(preflight::restore))
        .layer(cors())
        .layer(middleware::from_fn(preflight::hide))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(|response: &Response, latency: Duration, _: &Span| {
                    let (status, ms) = (response.status().as_u16(), latency.as_millis() as u64);
                    tracing::debug!(status, ms, "answered");
                })
                .on_failure(()),
        )
        .layer(middleware::from_fn(guard_headers::add))
        .with_state(state.clone());
    // Outside of the routes, because it changes the path that they are found by.
    Router::new().fallback_service(inner).layer(middleware::from_fn_with_state(state, client::identify))
}

/// Returns the span of a request. Never its query: tokens stand there.
fn span(request: &Request) -> Span {
    tracing::info_span!("http", method = %request.method(), path = without_secret(request.uri().path()))
}

/// Returns the path without what comes behind a room in WHIP and WHEP: everybody who knows it may end that session.
fn without_secret(path: &str) -> &str {
    let Some(at) = path.find("/whip/").or_else(|| path.find("/whep/")) else { return path };
    let room = at + "/whip/".len();
    path[room..].find('/').map_or(path, |end| &path[..room + end])
}

/// Lets every origin in: what protects a server is its key, and an open one has [`origin::guard`].
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        // Mirrored, as `*` does not cover `Authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods(AllowMethods::mirror_request())
        .expose_headers([
            header::LOCATION,
            header::ETAG,
            header::LINK,
            header::ALLOW,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("accept-patch"),
            HeaderName::from_static("accept-post"),
        ])
        .max_age(PREFLIGHT_AGE)
}

/// Counts answers.
async fn count(request: Request, next: Next) -> Response {
    // Any token is a method to HTTP, and a label is kept for ever.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("virfie_http_responses_total", "method" => method, "status" => status).increment(1);
    response
}
