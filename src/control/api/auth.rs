//! Rights of requests: the API key and signed tokens (JWT, HS256).
//!
//! A server has one API key, whose bearer is admin. `POST /tokens` signs tokens of any role, for one room or for all,
//! with a random key of its own ([`secret`]): from a token nothing can be found out about the API key. A token ends by
//! its time, when it is taken back, and when the signing key is rotated; what was opened with it ends then, too. A
//! server on loopback without a key is open: every request is admin, within the bounds of [`super::origin`].

mod attempts;
mod issued;
pub mod secret;

use std::{
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{sync::watch, time::timeout};

use self::{attempts::Attempts, issued::Issued};
use super::{AppState, client::Client, problem::Problem};
use crate::{
    config::ServeConfig,
    control::room::{Bearer, without_marks},
    error::ProgramError,
    media::port::network_of,
};

/// Time by which the clock of a token's signer may be off, in seconds.
const LEEWAY_S: u64 = 30;

/// Places that a token takes in one room if it does not say: somebody's laptop and phone, and each once more while an
/// old connection is not yet given up.
pub const PLACES: u32 = 4;

/// The longest that is slept at once, so that no time is too far away for a timer.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 3600);

/// The rights of a request's bearer; each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Receives.
    Viewer,
    /// Sends and receives.
    Participant,
    /// Layout, scenes, outputs, moderation.
    Producer,
    /// Everything, tokens included.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Participant => "participant",
            Self::Producer => "producer",
            Self::Admin => "admin",
        })
    }
}

/// The sender of a request. As an extractor it refuses with 401 what carries no valid key or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Their role.
    pub role: Role,
    /// The only room that they may do it in; `None` is every room.
    pub room: Option<String>,
    /// The display name that the token fixes.
    pub name: Option<String>,
    /// Stable id of the token (`open` and `key` without one): the same token may take its older session over.
    pub subject: String,
    /// The token that they came with; `None` without one.
    pub token: Option<Token>,
}

/// A token that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, by which it is taken back.
    pub id: Option<String>,
    /// Until when it is taken, in seconds since 1970.
    pub until: u64,
    /// Number of places that it takes in a room.
    pub places: u32,
    /// Generation of the signing key with which it was signed.
    generation: u64,
}

impl Access {
    /// Returns whether they may do in `room` what needs `role`.
    ///
    /// # Errors
    /// 403 when the role is too small or the token is for another room.
    pub fn require(&self, role: Role, room: &str) -> Result<(), Problem> {
        match &self.room {
            Some(own) if own != room => Err(Problem::forbidden("the token is for another room")),
            _ => self.require_role(role),
        }
    }

    /// Returns whom they count with where one shall leave something to others: all tokens of one room, or one token for
    /// all rooms. `None`: nobody, with the key or on an open server.
    pub fn holder(&self) -> Option<String> {
        match &self.room {
            Some(room) => Some(format!("room {room}")),
            None => self.token.is_some().then(|| self.subject.clone()),
        }
    }

    /// Returns whether they may do in every room what needs `role`.
    ///
    /// # Errors
    /// 403 when the role is too small or the token is for one room.
    pub fn require_everywhere(&self, role: Role) -> Result<(), Problem> {
        if self.room.is_some() {
            return Err(Problem::forbidden("the token is for one room, and this is about the whole server"));
        }
        self.require_role(role)
    }

    /// Returns whether they have `role` at all, be it in one room only.
    ///
    /// # Errors
    /// 403 when the role is too small.
    pub fn require_role(&self, role: Role) -> Result<(), Problem> {
        if self.role < role {
            return Err(Problem::forbidden(format!("this needs the role {role}, and the token has {}", self.role)));
        }
        Ok(())
    }

    /// Returns the token as a room needs to know it; `None` for those who need no token.
    pub fn bearer(&self) -> Option<Bearer> {
        let token = self.token.as_ref()?;
        let left = Duration::from_secs(token.until.saturating_sub(jsonwebtoken::get_current_timestamp()));
        Some(Bearer {
            subject: self.subject.as_str().into(),
            // `None`: after more time than a clock counts.
            until: Instant::now().checked_add(left),
            places: token.places,
        })
    }
}

/// The content of a token. Also the shape of tokens that other programs may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The only room it opens; left out for every room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The role of its bearer.
    pub role: Role,
    /// The display name of its bearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when it is valid, in seconds since 1970.
    pub exp: u64,
    /// Makes two tokens of the same content different, so that they are two bearers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Number of places that it takes in one room; left out: [`PLACES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<u32>,
}

/// Checks keys and tokens, and signs tokens.
pub struct Auth {
    /// Digest of the API key; `None` on an open server. Digests are compared, so that the time it takes reveals nothing
    /// of the key.
    key: Option<[u8; 32]>,
    created: Option<CreatedKey>,
    signer: ArcSwap<Signer>,
    /// File of the signing key; `None` on an open server.
    signing_file: Option<PathBuf>,
    validation: Validation,
    attempts: Mutex<Attempts>,
    issued: Issued,
    /// Grows when tokens may have become invalid before their time.
    changes: watch::Sender<u64>,
}

/// The key that signs tokens.
struct Signer {
    secret: String,
    /// Counts the keys of this process.
    generation: u64,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Signer {
    fn new(secret: String, generation: u64) -> Self {
        let (encoding, decoding) =
            (EncodingKey::from_secret(secret.as_bytes()), DecodingKey::from_secret(secret.as_bytes()));
        Self { secret, generation, encoding, decoding }
    }
}

/// A key that was made at this start.
#[derive(Clone)]
pub struct CreatedKey {
    /// The key, to be shown once.
    pub key: String,
    /// File in which it is kept.
    pub file: PathBuf,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({})", if self.is_open() { "open" } else { "key" })
    }
}

impl Auth {
    /// Takes the configured key, else the one in the data directory (made now if it is missing). A server on loopback
    /// without a configured key is open.
    ///
    /// # Errors
    /// When the data directory cannot be read or written.
    pub fn new(config: &ServeConfig) -> Result<Self, ProgramError> {
        if config.api_key.is_none() && config.listen.ip().is_loopback() {
            // Tokens of an open server are never checked, so what signs them need not be kept.
            let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
            return Self::with(None, None, secret, None);
        }
        let (key, created) = match &config.api_key {
            Some(key) => (key.clone(), None),
            None => {
                let file = config.data_dir.join(secret::API_KEY);
                let (key, made) = secret::kept(&file)?;
                (key.clone(), made.then_some(CreatedKey { key, file }))
            }
        };
        let signing_file = secret::signing_key(&config.data_dir);
        let (signing, _) = secret::kept(&signing_file)?;
        Self::with(Some(Sha256::digest(key).into()), created, signing, Some(signing_file))
    }

    fn with(
        key: Option<[u8; 32]>,
        created: Option<CreatedKey>,
        signing: String,
        signing_file: Option<PathBuf>,
    ) -> Result<Self, ProgramError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        let issued = Issued::open(signing_file.as_deref().and_then(std::path::Path::parent))?;
        Ok(Self {
            key,
            created,
            signer: ArcSwap::from_pointee(Signer::new(signing, 0)),
            signing_file,
            validation,
            attempts: Mutex::default(),
            issued,
            changes: watch::Sender::new(0),
        })
    }

    /// Returns whether every request is admin.
    pub fn is_open(&self) -> bool {
        self.key.is_none()
    }

    /// Returns the key that was made at this start, if one was.
    pub fn created_key(&self) -> Option<&CreatedKey> {
        self.created.as_ref()
    }

    /// Returns who a request with these headers and address comes from; `from` is the sender's address.
    ///
    /// # Errors
    /// 401 without a valid key or token, 429 after too many wrong ones.
    pub fn access(&self, headers: &HeaderMap, uri: &Uri, from: Option<IpAddr>) -> Result<Access, Problem> {
        let Some(key) = &self.key else {
            return Ok(Access { role: Role::Admin, room: None, name: None, subject: "open".to_owned(), token: None });
        };
        let bearer = bearer(headers, uri)?.ok_or_else(Problem::unauthorized)?;
        match self.token(&bearer) {
            Ok(access) => return Ok(access),
            Err(Unfit::Over) => return Err(Problem::unauthorized()),
            Err(Unfit::Foreign) => {}
        }
        let (from, now) = (from.map(network_of), Instant::now());
        let mut attempts = self.attempts.lock();
        if let Some(wait) = attempts.wait(from, now) {
            let detail = "too many wrong keys came from this address: keys are not looked at until later";
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            return Err(Problem::too_many(detail).header(header::RETRY_AFTER, seconds));
        }
        if <[u8; 32]>::from(Sha256::digest(&bearer)) == *key {
            return Ok(Access { role: Role::Admin, room: None, name: None, subject: "key".to_owned(), token: None });
        }
        attempts.failed(from, now);
        metrics::counter!("virfie_wrong_keys_total").increment(1);
        Err(Problem::unauthorized())
    }

    /// Returns who bears this token.
    ///
    /// # Errors
    /// 401 when it is not ours, is broken, or is over.
    pub fn verify(&self, token: &str) -> Result<Access, Problem> {
        self.token(token).map_err(|_| Problem::unauthorized())
    }

    fn token(&self, token: &str) -> Result<Access, Unfit> {
        let signer = self.signer.load();
        let Claims { room, role, name, exp, jti, places } =
            jsonwebtoken::decode::<Claims>(token, &signer.decoding, &self.validation)
                .map_err(|error| match error.kind() {
                    // The signature is looked at first.
                    ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => Unfit::Over,
                    _ => Unfit::Foreign,
                })?
                .claims;
        if jti.as_deref().is_some_and(|id| self.issued.is_revoked(id)) {
            return Err(Unfit::Over);
        }
        let subject = match &jti {
            Some(id) => subject(id),
            None => format!("token-{}", BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(token)[..12])),
        };
        // Those that were signed by earlier versions may have them.
        let name = name.as_deref().map(without_marks).filter(|name| !name.is_empty());
        let (until, places) = (exp.saturating_add(LEEWAY_S), places.unwrap_or(PLACES));
        let token = Some(Token { id: jti, until, places, generation: signer.generation });
        Ok(Access { role, room, name, subject, token })
    }

    /// Signs a token, and keeps the name that it fixes for its bearer.
    ///
    /// # Errors
    /// 500 when that fails.
    pub fn sign(&self, claims: &Claims) -> Result<String, Problem> {
        let failed = |error: &dyn fmt::Display| {
            tracing::error!(%error, "cannot sign a token");
            Problem::internal("the token cannot be signed")
        };
        let header = Header::new(Algorithm::HS256);
        let token = jsonwebtoken::encode(&header, claims, &self.signer.load().encoding);
        let token = token.map_err(|error| failed(&error))?;
        if claims.role >= Role::Participant {
            let kept = self.issued.keep_name(claims, jsonwebtoken::get_current_timestamp());
            kept.map_err(|error| failed(&error))?;
        }
        Ok(token)
    }

    /// Takes a token back. What was opened with it is still to be ended. `until`: when it is over anyway.
    ///
    /// # Errors
    /// 500 when that cannot be kept; it is valid then.
    pub fn revoke(&self, id: &str, until: u64) -> Result<(), Problem> {
        self.issued.revoke(id, until, jsonwebtoken::get_current_timestamp()).map_err(|error| {
            tracing::error!(%error, "cannot take a token back");
            Problem::internal("the token cannot be taken back; the server's log says more")
        })?;
        self.changes.send_modify(|change| *change += 1);
        Ok(())
    }

    /// Returns the names in a room that tokens of others fix.
    pub fn reserved_names(&self, room: &str, access: &Access) -> Vec<String> {
        // An admin directs everything, names included.
        if access.role == Role::Admin {
            return Vec::new();
        }
        let id = access.token.as_ref().and_then(|token| token.id.as_deref());
        let names = self.issued.names_of_others(room, id, jsonwebtoken::get_current_timestamp());
        let is_own = |name: &String| access.name.as_ref().is_some_and(|own| *own == without_marks(name));
        names.into_iter().filter(|name| !is_own(name)).collect()
    }

    /// Looks whether the signing key was rotated, and takes the new one. Answers whether it was; what was opened with
    /// older tokens is still to be ended.
    pub fn look_at_signing_key(&self) -> bool {
        let Some(file) = &self.signing_file else { return false };
        let now = self.signer.load();
        match secret::read(file) {
            Ok(Some(secret)) if secret != now.secret => {
                self.signer.store(Arc::new(Signer::new(secret, now.generation + 1)));
                self.changes.send_modify(|change| *change += 1);
                tracing::info!("the signing key was rotated: tokens from before are invalid");
                true
            }
            // One that is gone or empty is being replaced, or will be made at the next start.
            _ => false,
        }
    }

    /// Returns how many seconds a token is still good for; `None`: it is over, was taken back, or is signed with an old
    /// key.
    fn left(&self, token: &Token) -> Option<u64> {
        let left = token.until.saturating_sub(jsonwebtoken::get_current_timestamp());
        let revoked = token.id.as_deref().is_some_and(|id| self.issued.is_revoked(id));
        (left > 0 && !revoked && self.signer.load().generation == token.generation).then_some(left)
    }

    /// Looks again at who asked, after a long body.
    ///
    /// # Errors
    /// 401 when their token has become invalid meanwhile.
    pub fn check_again(&self, access: &Access) -> Result<(), Problem> {
        match &access.token {
            Some(token) if self.left(token).is_none() => Err(Problem::unauthorized()),
            _ => Ok(()),
        }
    }

    /// Resolves when these may not go on: their token is over, was taken back, or is signed with an old key.
    pub async fn over(&self, access: &Access) {
        let Some(token) = &access.token else { return std::future::pending().await };
        let mut changes = self.changes.subscribe();
        loop {
            let Some(left) = self.left(token) else { return };
            // Woken by whichever comes first; the sender lives as long as this.
            let _ = timeout(Duration::from_secs(left).min(LONGEST_SLEEP), changes.changed()).await;
        }
    }
}

/// The reason why a text is no valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfit {
    /// It was signed here, and is over or not yet valid.
    Over,
    /// It was not signed here; it may be a key.
    Foreign,
}

/// Returns the stable id of those who bear the token of this id.
pub(super) fn subject(id: &str) -> String {
    format!("token-{id}")
}

/// Returns the key or token that a request carries: `Authorization: Bearer …`, else `?token=…` for what cannot set
/// headers (WebSocket, server-sent events, images, some WHIP senders).
fn bearer(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, Problem> {
    #[derive(Deserialize)]
    struct Carried {
        token: Option<String>,
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(Problem::unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthorized());
        }
        return Ok(Some(token.trim().to_owned()));
    }
    let Query(carried) = Query::<Carried>::try_from_uri(uri)
        .map_err(|_| Problem::bad_request("the query cannot be read: `token` stands once and percent-encoded"))?;
    Ok(carried.token.filter(|token| !token.is_empty()))
}

impl FromRequestParts<AppState> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let from = parts.extensions.get::<Client>().and_then(|client| client.address);
        state.auth.access(&parts.headers, &parts.uri, from)
    }
}

#[cfg(test)]
mod tests;
