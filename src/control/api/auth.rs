//! Who may do what: the API key and signed tokens (JWT, HS256).
//!
//! A server has one API key, whose bearer is admin. `POST /tokens` signs tokens of any role, for one room or for all.
//! A server on loopback without a key is open: every request is admin, within the bounds of [`super::origin`].

use std::{
    fmt, fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, Uri, header, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{AppState, problem::Problem};
use crate::{config::ServeConfig, error::ProgramError};

/// How far the clock of whoever made a token may be off, in seconds.
const LEEWAY_S: u64 = 30;

/// The file in the data directory that keeps a key made by us.
const KEY_FILE: &str = "api-key";

/// Separates the key that signs tokens from any other use of the API key.
const SIGNING_DOMAIN: &[u8] = b"virfie token signing, version 1\0";

/// What a request's bearer may do; each role includes those before it.
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

/// Who a request comes from. As an extractor it refuses with 401 what carries no valid key or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What they may do.
    pub role: Role,
    /// The only room that they may do it in; `None` is every room.
    pub room: Option<String>,
    /// The display name that the token fixes.
    pub name: Option<String>,
    /// Stable id of the token (`open` and `key` without one): the same token may take its older session over.
    pub subject: String,
}

impl Access {
    /// Whether they may do in `room` what needs `role`.
    ///
    /// # Errors
    /// 403 when the role is too small or the token is for another room.
    pub fn require(&self, role: Role, room: &str) -> Result<(), Problem> {
        match &self.room {
            Some(own) if own != room => Err(Problem::forbidden("the token is for another room")),
            _ => self.require_role(role),
        }
    }

    /// Whether they may do in every room what needs `role`.
    ///
    /// # Errors
    /// 403 when the role is too small or the token is for one room.
    pub fn require_everywhere(&self, role: Role) -> Result<(), Problem> {
        if self.room.is_some() {
            return Err(Problem::forbidden("the token is for one room, and this is about the whole server"));
        }
        self.require_role(role)
    }

    /// Whether they have `role` at all, be it in one room only.
    ///
    /// # Errors
    /// 403 when the role is too small.
    pub fn require_role(&self, role: Role) -> Result<(), Problem> {
        if self.role < role {
            return Err(Problem::forbidden(format!("this needs the role {role}, and the token has {}", self.role)));
        }
        Ok(())
    }
}

/// What a token says. Also the shape of tokens that other programs may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The only room it opens; left out for every room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// What its bearer may do.
    pub role: Role,
    /// The display name of its bearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when it is valid, in seconds since 1970.
    pub exp: u64,
    /// Makes two tokens of the same content different, so that they are two bearers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// Checks keys and tokens, and signs tokens.
pub struct Auth {
    /// Digest of the API key; `None` on an open server. Digests are compared, so that time tells nothing of the key.
    key: Option<[u8; 32]>,
    created: Option<CreatedKey>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// A key that was made at this start.
#[derive(Clone)]
pub struct CreatedKey {
    /// The key, to be shown once.
    pub key: String,
    /// Where it is kept.
    pub file: PathBuf,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({})", if self.is_open() { "open" } else { "key" })
    }
}

impl Auth {
    /// Takes the configured key, else the one in the data directory (made now if there is none). A server on loopback
    /// without a configured key is open.
    ///
    /// # Errors
    /// When the data directory cannot be read or written.
    pub fn new(config: &ServeConfig) -> Result<Self, ProgramError> {
        if let Some(key) = &config.api_key {
            return Ok(Self::with_key(key, None));
        }
        if config.listen.ip().is_loopback() {
            // Tokens of an open server are never checked, so what signs them need not be kept.
            return Ok(Self::with_secret(None, None, &rand::random::<[u8; 32]>()));
        }
        let file = config.data_dir.join(KEY_FILE);
        let (key, made) = kept_secret(&file)?;
        let created = made.then(|| CreatedKey { key: key.clone(), file });
        Ok(Self::with_key(&key, created))
    }

    fn with_key(key: &str, created: Option<CreatedKey>) -> Self {
        Self::with_secret(Some(Sha256::digest(key).into()), created, key.as_bytes())
    }

    fn with_secret(key: Option<[u8; 32]>, created: Option<CreatedKey>, secret: &[u8]) -> Self {
        let signing = Sha256::new().chain_update(SIGNING_DOMAIN).chain_update(secret).finalize();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        Self {
            key,
            created,
            encoding: EncodingKey::from_secret(&signing),
            decoding: DecodingKey::from_secret(&signing),
            validation,
        }
    }

    /// Whether every request is admin.
    pub fn is_open(&self) -> bool {
        self.key.is_none()
    }

    /// The key that was made at this start, if one was.
    pub fn created_key(&self) -> Option<&CreatedKey> {
        self.created.as_ref()
    }

    /// Who a request with these headers and address comes from.
    ///
    /// # Errors
    /// 401 without a valid key or token; 400 for a query that cannot be read.
    pub fn access(&self, headers: &HeaderMap, uri: &Uri) -> Result<Access, Problem> {
        let Some(key) = &self.key else {
            return Ok(Access { role: Role::Admin, room: None, name: None, subject: "open".to_owned() });
        };
        let bearer = bearer(headers, uri)?.ok_or_else(Problem::unauthorized)?;
        if <[u8; 32]>::from(Sha256::digest(&bearer)) == *key {
            return Ok(Access { role: Role::Admin, room: None, name: None, subject: "key".to_owned() });
        }
        self.verify(&bearer)
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// 401 when it is not ours, is broken, or is over.
    pub fn verify(&self, token: &str) -> Result<Access, Problem> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| {
                tracing::debug!(%error, "token refused");
                Problem::unauthorized()
            })?
            .claims;
        let digest = Sha256::digest(token);
        let subject = format!("token-{}", BASE64_URL_SAFE_NO_PAD.encode(&digest[..12]));
        Ok(Access { role: claims.role, room: claims.room, name: claims.name, subject })
    }

    /// Signs a token.
    ///
    /// # Errors
    /// 500 when that fails, which it does not with a secret of our own.
    pub fn sign(&self, claims: &Claims) -> Result<String, Problem> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding).map_err(|error| {
            tracing::error!(%error, "cannot sign a token");
            Problem::internal("the token cannot be signed")
        })
    }
}

/// The key or token that a request carries: `Authorization: Bearer …`, else `?token=…` for what cannot set headers
/// (WebSocket, server-sent events, images, some WHIP senders).
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
        state.auth.access(&parts.headers, &parts.uri)
    }
}

/// The secret in this file, and whether it was made now. Made ones have 256 bits and are for the owner's eyes only.
fn kept_secret(file: &Path) -> Result<(String, bool), ProgramError> {
    let failed =
        |what: &str, error: io::Error| ProgramError::Failed(format!("cannot {what} {}: {error}", file.display()));
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok((text.trim().to_owned(), false)),
        Ok(_) => fs::remove_file(file).map_err(|error| failed("replace the empty file", error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read", error)),
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| failed("make the folder of", error))?;
    }
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    // `create_new`, so that of two servers that start at once one sees the other's file instead of replacing it.
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    opened.and_then(|mut open| writeln!(open, "{secret}")).map_err(|error| failed("write", error))?;
    Ok((secret, true))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use axum::http::{HeaderName, HeaderValue, StatusCode};

    use super::*;

    fn keyed(key: &str) -> Auth {
        Auth::new(&ServeConfig { api_key: Some(key.to_owned()), ..ServeConfig::default() }).unwrap()
    }
    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }
    fn bearing(token: &str) -> HeaderMap {
        headers(&[(header::AUTHORIZATION, format!("Bearer {token}").as_str())])
    }
    fn uri(text: &'static str) -> Uri {
        Uri::from_static(text)
    }
    fn in_one_hour() -> u64 {
        jsonwebtoken::get_current_timestamp() + 3600
    }
    fn claims(role: Role, room: Option<&str>) -> Claims {
        Claims { room: room.map(str::to_owned), role, name: Some("ann".to_owned()), exp: in_one_hour(), jti: None }
    }

    #[test]
    fn roles_include_those_below() {
        assert!(Role::Viewer < Role::Participant && Role::Participant < Role::Producer && Role::Producer < Role::Admin);
        assert_eq!(serde_json::to_value(Role::Producer).unwrap(), "producer");
    }

    #[test]
    fn the_key_is_admin_by_header_and_by_query() {
        let auth = keyed("s3cret");
        let access = auth.access(&bearing("s3cret"), &uri("/")).unwrap();
        assert_eq!((access.role, access.subject.as_str()), (Role::Admin, "key"));
        assert_eq!(auth.access(&HeaderMap::new(), &uri("/?a=b&token=s3cret")).unwrap().role, Role::Admin);
        for (headers, uri) in [
            (HeaderMap::new(), uri("/")),
            (HeaderMap::new(), uri("/?token=")),
            (bearing("other"), uri("/")),
            (headers(&[(header::AUTHORIZATION, "Basic czNjcmV0")]), uri("/")),
        ] {
            let problem = auth.access(&headers, &uri).unwrap_err();
            assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
            assert_eq!(problem.headers[0].0, header::WWW_AUTHENTICATE);
        }
    }

    #[test]
    fn a_token_opens_its_room_only() {
        let auth = keyed("s3cret");
        let token = auth.sign(&claims(Role::Participant, Some("demo"))).unwrap();
        let access = auth.access(&bearing(&token), &uri("/")).unwrap();
        assert_eq!((access.role, access.name.as_deref()), (Role::Participant, Some("ann")));
        assert!(access.require(Role::Viewer, "demo").is_ok());
        assert_eq!(access.require(Role::Producer, "demo").unwrap_err().status, StatusCode::FORBIDDEN);
        assert_eq!(access.require(Role::Viewer, "other").unwrap_err().status, StatusCode::FORBIDDEN);
        assert!(access.require_everywhere(Role::Viewer).is_err());
        assert_eq!(auth.verify(&token).unwrap().subject, access.subject);
        let other = auth.sign(&Claims { jti: Some("x".into()), ..claims(Role::Participant, Some("demo")) }).unwrap();
        assert_ne!(auth.verify(&other).unwrap().subject, access.subject);
    }

    #[test]
    fn tokens_of_others_and_old_ones_are_refused() {
        let auth = keyed("s3cret");
        let foreign = keyed("other").sign(&claims(Role::Admin, None)).unwrap();
        assert!(auth.verify(&foreign).is_err());
        let over = Claims { exp: in_one_hour() - 3600 - LEEWAY_S - 5, ..claims(Role::Admin, None) };
        assert!(auth.verify(&auth.sign(&over).unwrap()).is_err());
        let within_leeway = Claims { exp: in_one_hour() - 3600 - LEEWAY_S / 2, ..claims(Role::Admin, None) };
        assert!(auth.verify(&auth.sign(&within_leeway).unwrap()).is_ok());
        // `alg: none`, the oldest trick.
        let body = BASE64_URL_SAFE_NO_PAD.encode(r#"{"role":"admin","exp":99999999999}"#);
        let unsigned = format!("{}.{body}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        assert!(auth.verify(&unsigned).is_err());
        assert!(auth.verify("").is_err());
    }

    #[test]
    fn loopback_without_a_key_is_open() {
        let auth = Auth::new(&ServeConfig::default()).unwrap();
        assert!(auth.is_open() && auth.created_key().is_none());
        let access = auth.access(&HeaderMap::new(), &uri("/")).unwrap();
        assert_eq!((access.role, access.subject.as_str()), (Role::Admin, "open"));
    }

    #[test]
    fn another_address_gets_a_key_that_stays() {
        let config = ServeConfig { listen: "0.0.0.0:0".parse().unwrap(), ..ServeConfig::default() };
        let first = Auth::new(&config).unwrap();
        let created = first.created_key().unwrap().clone();
        assert!(created.key.len() >= 40);
        assert_eq!(fs::metadata(&created.file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Auth::new(&config).unwrap();
        assert!(second.created_key().is_none());
        assert_eq!(second.access(&bearing(&created.key), &uri("/")).unwrap().role, Role::Admin);
        let token = first.sign(&claims(Role::Viewer, None)).unwrap();
        assert!(second.verify(&token).is_ok(), "tokens outlive a restart");
        fs::remove_dir_all(&config.data_dir).unwrap();
    }
}
